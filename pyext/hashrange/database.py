"""Databases: open a directory, or memory; make, find and drop tables."""

from __future__ import annotations

import atexit
import os
import re
import threading
import weakref
from typing import TYPE_CHECKING, Any

from ddbcore.database import CoreDatabase
from ddbcore.errors import ValidationError
from hashrange.expr import compile_program
from hashrange.table import Table

if TYPE_CHECKING:
    from types import TracebackType

    from hashrange.ops.service import Service

TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}\Z")
KEY_NAME_BYTES_MAX = 255

# Open databases: closed at exit, refused in forked children.
_open: weakref.WeakSet[Database] = weakref.WeakSet()


class Database(CoreDatabase):
    """An open database. Use `hashrange.open` to make one, `with` or `close()` to close it."""

    def __init__(self, path: str | None = None, **options: Any) -> None:
        super().__init__(path, **options)
        self.engine.compiler = compile_program
        self.service: Service | None = None
        self.service_lock = threading.Lock()
        _open.add(self)

    def __repr__(self) -> str:
        return f"<hashrange.Database {self.engine.path or 'in memory'}>"

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def create_table(
        self, name: str, hash_key: tuple[str, str], range_key: tuple[str, str] | None = None
    ) -> Table:
        """Create a table and return it.

        name: 3 to 255 characters of A-Z a-z 0-9 _ . - (DynamoDB's rule). hash_key, range_key:
        (attribute name, type) with type "S" (str), "N" (number) or "B" (bytes). Raises TableExists,
        ValidationError.
        """
        if not isinstance(name, str) or not TABLE_NAME.match(name):
            raise ValidationError(
                "a table's name is 3 to 255 characters of A-Z, a-z, 0-9, '_', '.' and '-', "
                f"not {name!r}"
            )
        hash_key = key_schema("hash_key", hash_key)
        if range_key is not None:
            range_key = key_schema("range_key", range_key)
            if range_key[0] == hash_key[0]:
                raise ValidationError(
                    f"hash key and range key are both {hash_key[0]!r}: they need different names"
                )
        super().create_table(name, hash_key, range_key)
        return Table(self, name)

    def execute(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Run one operation of DynamoDB's API and return its response.

        operation: its name, "PutItem". request, response: as in the service's JSON: attribute
        values in typed form, {"S": "a"}, binary values as bytes (base64 text is taken too), times
        as seconds since 1970. Raises the service's errors: subclasses of hashrange.Error whose
        `code` is the service's name for them, in the service's words.
        """
        if self.service is None:
            with self.service_lock:
                self.service = self.service or self.make_service()
        return self.service.execute(operation, request)

    def make_service(self) -> Service:
        """Return what runs the operations."""
        # Imported when needed: it is four fifths of what importing hashrange would take.
        from hashrange.door import service_of

        return service_of(self)

    def table(self, name: str) -> Table:
        """Return a table by its name. Raises TableNotFound."""
        self.tables()
        return Table(self, name)


def key_schema(argument: str, key: object) -> tuple[str, str]:
    """Return a key's (name, type), checked. Raises ValidationError naming the argument."""
    match key:
        case (str(name), "S" | "N" | "B" as kind):
            if 1 <= len(name.encode("utf-8", "replace")) <= KEY_NAME_BYTES_MAX:
                return name, kind
    raise ValidationError(
        f'{argument} is a pair of attribute name (1 to 255 bytes) and type "S", "N" or "B", '
        f'such as ("id", "S"), not {key!r}'
    )


def open(
    path: str | os.PathLike[str] | None = None,
    mode: str = "rw",
    *,
    durability: str = "interval",
    interval_ms: int = 50,
    cache_bytes: int = 64 << 20,
    checkpoint_bytes: int = 64 << 20,
    **options: Any,
) -> Database:
    """Open the database in a directory, or a new one in memory, and return it.

    path: the directory; made when it does not exist (mode "rw"). None: in memory.
    mode: "rw" (one process at a time) or "r" (any number; they follow what the writer does).
    durability: "interval" (synced in the background every interval_ms: a killed process loses
        nothing, a power failure at most the interval), "commit" (each write returns when it is on
        the disk; concurrent ones share a sync), or "none" (the operating system decides; a killed
        process still loses nothing).
    cache_bytes: bound of the cache of decoded items; 0 for none.
    checkpoint_bytes: log written between two checkpoints of the index: bounds what an opening
        after a crash replays.

    Raises DatabaseLocked, CorruptError, StorageError, ValidationError.
    """
    return Database(
        None if path is None else os.fspath(path),
        mode=mode,
        durability=durability,
        interval_ms=interval_ms,
        cache_bytes=cache_bytes,
        checkpoint_bytes=checkpoint_bytes,
        **options,
    )


def _close_all() -> None:
    for database in list(_open):
        database.close()


def _after_fork() -> None:
    for database in list(_open):
        database.forked()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
