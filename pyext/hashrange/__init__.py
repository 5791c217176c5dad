"""hashrange: the DynamoDB data model in your own process.

A database is a directory, or memory when no path is given:

    import hashrange

    db = hashrange.open("shop.db")
    orders = db.create_table("orders", hash_key=("customer", "S"), range_key=("ts", "N"))
    orders.put({"customer": "ada", "ts": 1, "total": Decimal("9.99")})
    orders.get("ada", 1)
"""

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
    "open",
    "salvage",
    "verify",
]
