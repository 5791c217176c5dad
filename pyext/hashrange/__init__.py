"""hashrange: the DynamoDB data model in your own process.

A database is a directory, or memory when no path is given:

    import hashrange

    db = hashrange.open("shop.db")
    orders = db.create_table("orders", hash_key=("customer", "S"), range_key=("ts", "N"))
    orders.put({"customer": "ada", "ts": 1, "total": Decimal("9.99")})
    orders.get("ada", 1)
"""

from typing import TYPE_CHECKING, Any

from ddbcore.errors import (
    ConditionalCheckFailed,
    CorruptError,
    DatabaseClosed,
    DatabaseLocked,
    DiskFull,
    Error,
    ItemTooLarge,
    PoisonedError,
    ReadOnlyError,
    StorageError,
    TableExists,
    TableNotFound,
    ValidationError,
)
from hashrange.conditions import Attr, Key
from hashrange.database import Database, open
from hashrange.errors import TransactionCanceled
from hashrange.indexes import Index
from hashrange.table import Batch, Query, Scan, Table, Walk
from hashrange.verification import SalvageReport, VerifyReport, salvage, verify

if TYPE_CHECKING:
    from hashrange.client import attach, patch
    from hashrange.endpoint import serve

__version__ = "0.1.0"

__all__ = [
    "Attr",
    "Batch",
    "ConditionalCheckFailed",
    "CorruptError",
    "Database",
    "DatabaseClosed",
    "DatabaseLocked",
    "DiskFull",
    "Error",
    "Index",
    "ItemTooLarge",
    "Key",
    "PoisonedError",
    "Query",
    "ReadOnlyError",
    "SalvageReport",
    "Scan",
    "StorageError",
    "Table",
    "TableExists",
    "TableNotFound",
    "TransactionCanceled",
    "ValidationError",
    "VerifyReport",
    "Walk",
    "attach",
    "open",
    "patch",
    "salvage",
    "serve",
    "verify",
]


def __getattr__(name: str) -> Any:
    # The server and asyncio take longer to import than all the rest, and most programs serve none.
    if name == "serve":
        from hashrange.endpoint import serve

        return serve
    if name in ("attach", "patch"):
        from hashrange import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
