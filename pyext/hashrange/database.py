"""Databases: open a directory, or memory; make, find and drop tables."""

from __future__ import annotations

import atexit
import os
import re
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ddbcore.database import CoreDatabase
from ddbcore.errors import ValidationError
from hashrange.expr import compile_program
from hashrange.indexes import Index, create_request
from hashrange.search import Expressions
from hashrange.table import Table
from hashrange.transaction import Transaction, transact_get

if TYPE_CHECKING:
    from types import TracebackType

    from mypy_boto3_dynamodb import DynamoDBClient, DynamoDBServiceResource

    from ddbcore.table import CoreTable
    from hashrange.door import EngineDoor
    from hashrange.ops.service import Service

TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}\Z")
KEY_NAME_BYTES_MAX = 255
SELECT = re.compile(r"\s*SELECT\b", re.IGNORECASE)

# Open databases: closed at exit, refused in forked children.
_open: weakref.WeakSet[Database] = weakref.WeakSet()


class Database(CoreDatabase):
    """An open database. Use `hashrange.open` to make one, `with` or `close()` to close it."""

    def __init__(self, path: str | None = None, **options: Any) -> None:
        super().__init__(path, **options)
        self.engine.compiler = compile_program
        self.durability: str = options.get("durability", "interval")
        self.expressions = Expressions()
        self._named: dict[str, CoreTable] = {}  # what transactions were given by name
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
        self,
        name: str,
        hash_key: tuple[str, str],
        range_key: tuple[str, str] | None = None,
        *,
        indexes: Mapping[str, Index] | None = None,
    ) -> Table:
        """Create a table and return it.

        name: 3 to 255 characters of A-Z a-z 0-9 _ . - (DynamoDB's rule). hash_key, range_key:
        (attribute name, type) with type "S" (str), "N" (number) or "B" (bytes). indexes: an Index
        by its name; one without a hash key of its own is a local index, and those are made only
        here. Raises TableExists, ValidationError.
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
        if indexes:
            self.execute("CreateTable", create_request(name, hash_key, range_key, indexes))
            self.execute("DescribeTable", {"TableName": name})  # settles that it is made
        else:
            super().create_table(name, hash_key, range_key)
        return Table(self, name)

    def execute(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Run one operation of DynamoDB's API and return its response.

        operation: its name, "PutItem". request, response: as in the service's JSON: attribute
        values in typed form, {"S": "a"}, binary values as bytes (base64 text is taken too), times
        as seconds since 1970. Raises the service's errors: subclasses of hashrange.Error whose
        `code` is the service's name for them, in the service's words.
        """
        return self._service().execute(operation, request)

    def sql(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Run a PartiQL statement, with plain values for its parameters ("?").

        SELECT: returns a lazy iterator over the rows, dicts of plain values, page after page.
        INSERT, UPDATE, DELETE: returns a list with the item that RETURNING asks for, or []. A
        condition that is false, as in the service's API, raises ConditionalCheckFailed; an INSERT
        of an item that is there DuplicateItem. Raises ValidationError, TableNotFound.
        """
        # Imported when needed: most programs that use tables have no statements.
        from hashrange.native import item_of, parameters_of

        request: dict[str, Any] = {"Statement": statement}
        if parameters:
            request["Parameters"] = parameters_of(parameters)
        answer = self.execute("ExecuteStatement", request)
        if not isinstance(statement, str) or SELECT.match(statement) is None:
            return [item_of(item) for item in answer["Items"]]
        return self._rows(request, answer)

    def _rows(self, request: dict[str, Any], answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the rows of a SELECT whose first page is there."""
        from hashrange.native import item_of

        while True:
            for item in answer["Items"]:
                yield item_of(item)
            if "NextToken" not in answer:
                return
            answer = self.execute(
                "ExecuteStatement", {**request, "NextToken": answer["NextToken"]}
            )

    def transact(
        self, *, token: str | None = None, durability: str | None = None
    ) -> Transaction:
        """Return a context manager that collects writes and commits them as one.

        Its put, update, delete and check take a table (or its name) and then what the table's
        calls take; at most 100 actions, one an item. At the end of the block all is written in one
        commit, or nothing: TransactionCanceled has `reasons`, one for each action; an exception in
        the block drops all. token: up to 36 characters; a transaction that was done with the
        same token in the last ten minutes is not done again. Raises ValidationError.
        """
        return Transaction(self, token, durability)

    def transact_get(
        self, keys: Sequence[tuple[Any, ...]]
    ) -> list[dict[str, Any] | None]:
        """Return items of one moment: no write lies between any two of them.

        keys: up to 100 of (table or its name, hash) or (table, hash, range). Returns the items in
        their order, None for those that are absent. Raises ValidationError, TableNotFound.
        """
        return transact_get(self, list(keys))

    def _service(self) -> Service:
        """Return the operations, made when they are first needed."""
        if self.service is None:
            with self.service_lock:
                self.service = self.service or self.make_service()
        return self.service

    def _door(self) -> EngineDoor:
        """Return the operations' door to the engine."""
        door: EngineDoor = self._service().door  # type: ignore[assignment]
        return door

    def _update_indexes(self, request: dict[str, Any], *, wait: bool) -> None:
        """Run UpdateTable; without `wait`, an index is filled after the return."""
        from hashrange.catalog import change_index
        from hashrange.ops import requests

        service = self._service()
        if wait:
            service.execute("UpdateTable", request)
            return
        requests.check("UpdateTable", request)
        _, change = service.tables.update_table(request)
        if change is not None:
            change_index(self, service.tables, change, wait=False)

    def client(self) -> DynamoDBClient:
        """Return boto3's dynamodb client over this database, in process.

        All methods, paginators, waiters and exceptions of `boto3.client("dynamodb")`; boto3 need
        not be installed. It is a `hashrange.client.Client`. See docs/client.md.
        """
        from hashrange.client import client_of

        return client_of(self.execute)

    def resource(self) -> DynamoDBServiceResource:
        """Return boto3's dynamodb resource over this database, in process.

        As `boto3.resource("dynamodb")`: Python values in place of typed ones, Decimal for numbers.
        boto3 need not be installed. It is a `hashrange.client.ServiceResource`.
        """
        from hashrange.client import resource_of

        return resource_of(self.execute)

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
