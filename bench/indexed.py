"""Tables with two indexes: hashrange's own, lmdb's and sqlite3's written by hand.

The items are those of the flat table with one attribute more, `batch`, which GROUP_COUNT items in a
row share. One index is on `batch`, the other on `order`, which is another one in each version of an
item: so an overwrite moves one entry and leaves one.

A peer has `put(item)` and `query(batch)`: all items of a batch, decoded, in any order.
"""

import os
import sqlite3

from codec import decode, encode
from peers import CACHE_BYTES, MAP_BYTES_PER_ITEM, Hashrange, Lmdb, Sqlite

GROUP_COUNT = 50


def batch_text(index: int) -> str:
    """Return the batch of the item at `index`."""
    return f"batch-{index // GROUP_COUNT:07d}"


def with_batch(items: list[dict], indexes) -> list[dict]:
    """Return items with the batch that each belongs to."""
    return [
        {**item, "batch": batch_text(index)} for item, index in zip(items, indexes, strict=True)
    ]


class IndexedLmdb(Lmdb):
    """lmdb: each index a database of its own, an entry its key: indexed value, a zero byte, pk."""

    def _open(self):
        import lmdb

        self.env = env = lmdb.open(
            self.directory,
            map_size=max(1 << 30, self.count * MAP_BYTES_PER_ITEM),
            writemap=True,
            sync=False,
            metasync=False,
            max_dbs=3,
        )
        items, batches, orders = (env.open_db(name) for name in (b"items", b"batches", b"orders"))
        begin = env.begin

        def put(item):
            key = item["pk"].encode()
            transaction = begin(None, None, True)
            stored = transaction.get(key, db=items)
            old = None if stored is None else decode(stored)
            for name, entries in (("batch", batches), ("order", orders)):
                if old is None or old[name] != item[name]:
                    if old is not None:
                        transaction.delete(old[name].encode() + b"\0" + key, db=entries)
                    transaction.put(item[name].encode() + b"\0" + key, b"", db=entries)
            transaction.put(key, encode(item), db=items)
            transaction.commit()

        def query(batch):
            lower = batch.encode() + b"\0"
            size, result = len(lower), []
            with begin() as transaction:
                value_of = transaction.get
                cursor = transaction.cursor(batches)
                if cursor.set_range(lower):
                    for entry in cursor.iternext(values=False):
                        if entry[:size] != lower:
                            break
                        result.append(decode(value_of(entry[size:], db=items)))
            return result

        def load(rows):
            with begin(write=True) as transaction:
                for item in rows:
                    key = item["pk"].encode()
                    transaction.put(key, encode(item), db=items)
                    transaction.put(item["batch"].encode() + b"\0" + key, b"", db=batches)
                    transaction.put(item["order"].encode() + b"\0" + key, b"", db=orders)

        self.put, self.query, self.fill = put, query, load


class IndexedSqlite(Sqlite):
    """sqlite3: the indexed attributes are columns too; everything else as in the flat table."""

    def _open(self):
        self.connection = sqlite3.connect(
            os.path.join(self.directory, "items.db"), isolation_level=None
        )
        execute = self.execute = self.connection.cursor().execute
        for pragma in (
            "page_size=8192",
            "locking_mode=EXCLUSIVE",
            "journal_mode=WAL",
            "synchronous=OFF",
            f"cache_size=-{CACHE_BYTES >> 10}",
        ):
            execute("PRAGMA " + pragma).fetchall()
        execute(
            "CREATE TABLE IF NOT EXISTS items(pk TEXT PRIMARY KEY, batch TEXT, place TEXT,"
            " value BLOB NOT NULL) WITHOUT ROWID"
        )
        execute("CREATE INDEX IF NOT EXISTS batches ON items(batch)")
        execute("CREATE INDEX IF NOT EXISTS orders ON items(place)")
        statement = (
            "INSERT INTO items VALUES(?,?,?,?) ON CONFLICT(pk) DO UPDATE SET"
            " batch=excluded.batch, place=excluded.place, value=excluded.value"
        )

        def put(item):
            execute(statement, (item["pk"], item["batch"], item["order"], encode(item)))

        def query(batch):
            found = execute("SELECT value FROM items WHERE batch=?", (batch,)).fetchall()
            return [decode(row[0]) for row in found]

        def load(rows):
            execute("BEGIN")
            for item in rows:
                put(item)
            execute("COMMIT")

        self.put, self.query, self.fill = put, query, load


class IndexedHashrange(Hashrange):
    """hashrange: two global indexes that project everything. `execute_query` goes through
    `execute`, so its items are in typed form."""

    def _open(self):
        import hashrange

        self.db = db = hashrange.open(self.directory)
        if "items" not in db.tables():
            db.execute(
                "CreateTable",
                {
                    "TableName": "items",
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [
                        {"AttributeName": name, "AttributeType": "S"}
                        for name in ("pk", "batch", "order")
                    ],
                    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                    "GlobalSecondaryIndexes": [
                        {
                            "IndexName": f"by-{name}",
                            "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
                            "Projection": {"ProjectionType": "ALL"},
                        }
                        for name in ("batch", "order")
                    ],
                },
            )
        self.items = db.table("items")
        execute, items_query = db.execute, self.items.query

        def query(batch):
            return list(items_query(batch, index="by-batch"))

        def execute_query(batch):
            return execute(
                "Query",
                {
                    "TableName": "items",
                    "IndexName": "by-batch",
                    "KeyConditionExpression": "#b = :b",
                    "ExpressionAttributeNames": {"#b": "batch"},
                    "ExpressionAttributeValues": {":b": {"S": batch}},
                },
            )["Items"]

        def load(rows):
            with self.items.batch() as batch:
                for item in rows:
                    batch.put(item)

        self.put, self.query, self.fill = self.items.put, query, load
        self.execute_query = execute_query


INDEXED = {"lmdb": IndexedLmdb, "sqlite3": IndexedSqlite, "hashrange": IndexedHashrange}
