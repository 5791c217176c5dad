"""Every error that hashrange raises.

All of them derive from `Error`. A class that has an obvious built-in relative derives from it too,
so that `except ValueError`, `except KeyError` or `except OSError` keeps working in code that knows
nothing of hashrange. The words name what is wrong and what to do.
"""

from __future__ import annotations


class Error(Exception):
    """Base of all hashrange errors."""


class ValidationError(Error, ValueError):
    """An argument breaks a rule of the data model; nothing was changed."""


class SerializationError(ValidationError):
    """A member of a request has the wrong JSON type: a number where text belongs, and the like."""

    code = "SerializationException"


class ItemTooLarge(ValidationError):
    """The item is larger than 400 KB (409,600 bytes, DynamoDB's counting)."""


class ConditionalCheckFailed(Error):
    """The condition of a write was false; nothing was changed."""


class TableNotFound(Error, KeyError):
    """No table has this name."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class TableExists(Error):
    """A table of this name exists already."""


class DatabaseLocked(Error):
    """Another writer holds the directory; `pid` is its process id, or None when unknown."""

    def __init__(self, message: str, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid


class DatabaseClosed(Error):
    """The handle was closed, or belongs to the parent of this forked process."""


class ReadOnlyError(Error):
    """A write through a database opened with mode="r"."""


class StorageError(Error, OSError):
    """The operating system refused an input or output; the database is as it was."""


class DiskFull(StorageError):
    """No room for the log to grow. Reads go on; writes resume when there is room."""


class PoisonedError(Error):
    """A sync failed, so newer writes may be lost: the handle refuses writes.

    Reopen the database.
    """


class CorruptError(Error):
    """Stored bytes are damaged: the message names the file and the range."""
