"""The errors that the core raises; `hashrange.errors` adds what only the operations raise.

All of them derive from `Error`. A class that has an obvious built-in relative derives from it too,
so that `except ValueError`, `except KeyError` or `except OSError` keeps working in code that knows
nothing of hashrange. The words name what is wrong and what to do.

Each class carries the service's name for such an error (`code`) and its HTTP status (`status`).
What the service does not have, trouble with the disk and the handle, is its internal error.
"""

from __future__ import annotations

from typing import Any


class Error(Exception):
    """Base of all hashrange errors."""

    code = "InternalServerError"
    status = 500


class ValidationError(Error, ValueError):
    """An argument breaks a rule of the data model; nothing was changed."""

    code = "ValidationException"
    status = 400


class SerializationError(ValidationError):
    """A member of a request has the wrong JSON type: a number where text belongs, and the like."""

    code = "SerializationException"


class ItemTooLarge(ValidationError):
    """The item is larger than 400 KB (409,600 bytes, DynamoDB's counting)."""


class ConditionalCheckFailed(Error):
    """The condition of a write was false; nothing was changed.

    `item` is the item as it was, in the form the caller's interface uses, when the request asked
    for it (ReturnValuesOnConditionCheckFailure) and there was one; None otherwise.
    """

    code = "ConditionalCheckFailedException"
    status = 400
    item: dict[str, Any] | None = None


class ResourceNotFound(Error):
    """A table, index or other resource of this name or ARN does not exist."""

    code = "ResourceNotFoundException"
    status = 400


class ResourceInUse(Error):
    """A resource cannot be made or changed in its present state."""

    code = "ResourceInUseException"
    status = 400


class TableNotFound(ResourceNotFound, KeyError):
    """No table has this name."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class TableExists(ResourceInUse):
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

    code = "AccessDeniedException"
    status = 400


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
