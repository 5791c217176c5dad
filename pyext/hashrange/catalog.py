"""The engine's catalog of tables: what DynamoDB's control plane knows of them, and their indexes.

Theory of operation. The meta of a table is kept in its schema, in the log. A table that was made
through the native API has none; it is described on demand, as one that is billed by request. An
index is in the schema before it has entries: writers keep them from then on, and `fill_index`, a
thread of its own, gives the items that were there before theirs. What a killed process leaves half
made is completed when the operations are next used (`resume_indexes`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ddbcore.backfill import fill
from ddbcore.cursor import Scan
from ddbcore.errors import Error
from ddbcore.table import CoreTable
from hashrange.ops.catalog import IndexChange, Meta
from hashrange.ops.description import new_meta
from hashrange.ops.keys import key_shape
from hashrange.ops.tables import Tables

if TYPE_CHECKING:
    from hashrange.database import Database

FILL_STEP = 128  # items that a backfill looks at before others get their turn
HIDDEN_KEYS = {"hash_key": ["h", "B"], "range_key": ["r", "B"], "wide": True}


class EngineCatalog:
    """The catalog of a database: meta of tables, kept in their schemas."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.engine = database.engine

    @property
    def writable(self) -> bool:
        """Whether this process writes the database."""
        return bool(self.engine.writable)

    def names(self) -> list[str]:
        """Return the names of all tables."""
        return self.database.tables()

    def get(self, name: str) -> Meta | None:
        """Return a table's meta, or None."""
        if name not in self.engine.names or "/" in name:
            return None
        return self.engine.meta(name) or self.native_meta(name)

    def native_meta(self, name: str) -> Meta:
        """Return the meta of a table that was made through the native API."""
        keys = [key for key in self.database.table(name).key_schema() if key is not None]
        number = self.engine.names[name]
        request = {
            "AttributeDefinitions": [
                {"AttributeName": key, "AttributeType": kind} for key, kind in keys
            ],
            "KeySchema": [
                {"AttributeName": key, "KeyType": role}
                for (key, _), role in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            "BillingMode": "PAY_PER_REQUEST",
        }
        table_id = f"{self.engine.database_id:016x}-{number}"
        return new_meta(request, table_id, 0.0, Tables(self).identity)

    def create(self, name: str, meta: Meta) -> None:
        """Make a table and its indexes."""
        definitions = definitions_of(meta)
        shape = key_shape(meta, meta["AttributeDefinitions"])
        keys = [list(key) for key in shape.attributes]
        base = {
            "name": name,
            "hash_key": keys[0],
            "range_key": keys[1] if len(keys) > 1 else None,
            "indexes": definitions,
            "meta": meta,
        }
        self.engine.change_tables([base, *hidden_tables(name, definitions)], {}, [])

    def put(self, name: str, meta: Meta) -> None:
        """Replace a table's meta."""
        self.engine.change_tables([], {name: {"meta": meta}}, [])

    def remove(self, name: str) -> None:
        """Drop a table with its indexes."""
        self.engine.drop_table(name)

    def item_count(self, name: str, index: str | None = None) -> int:
        """Return the number of items, or of entries of an index."""
        source = self.source(name, index)
        return 0 if source is None else source.count()

    def size_bytes(self, name: str, index: str | None = None) -> int:
        """Return their DynamoDB sizes, summed."""
        source = self.source(name, index)
        return 0 if source is None else source.size_bytes()

    def source(self, name: str, index: str | None) -> CoreTable | None:
        """Return a table, or an index's entries; None for an index that is still to be made."""
        source = name if index is None else f"{name}/{index}"
        return CoreTable(self.engine, source) if source in self.engine.names else None

    def add_index(self, name: str, definition: dict[str, Any]) -> None:
        """Add an index without its entries."""
        kept = [*self.definitions(name), definition]
        self.engine.change_tables(hidden_tables(name, [definition]), {name: {"indexes": kept}}, [])

    def drop_index(self, name: str, index: str) -> None:
        """Drop an index and its entries."""
        kept = [other for other in self.definitions(name) if other["name"] != index]
        self.engine.change_tables([], {name: {"indexes": kept}}, [f"{name}/{index}"])

    def definitions(self, name: str) -> list[dict[str, Any]]:
        """Return the definitions of a table's indexes, as the schema has them."""
        table = self.engine.tables[self.engine.names[name]]
        return list(json.loads(table.schema).get("indexes") or []) if table is not None else []


def definitions_of(meta: Meta) -> list[dict[str, Any]]:
    """Return the engine's definitions of the indexes of a meta."""
    made = []
    for member, is_global in (("LocalSecondaryIndexes", False), ("GlobalSecondaryIndexes", True)):
        for entry in meta[member]:
            shape = key_shape(entry, meta["AttributeDefinitions"])
            made.append(definition_of(entry, shape.attributes, shape.hash_count, is_global))
    return made


def definition_of(
    entry: Meta, keys: Sequence[tuple[str, str]], hash_count: int, is_global: bool
) -> dict[str, Any]:
    """Return the engine's definition of one index."""
    projection = entry["Projection"]
    return {
        "name": entry["IndexName"],
        "global": is_global,
        "hash": [list(key) for key in keys[:hash_count]],
        "range": [list(key) for key in keys[hash_count:]],
        "projection": projection["ProjectionType"],
        "include": list(projection.get("NonKeyAttributes") or ()),
    }


def hidden_tables(name: str, definitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the hidden tables that hold the entries of indexes."""
    return [{"name": f"{name}/{entry['name']}", **HIDDEN_KEYS} for entry in definitions]


def change_index(
    database: Database, tables: Tables, change: IndexChange, *, wait: bool = True
) -> None:
    """Do the engine's part of UpdateTable: drop an index, or add one and fill it.

    wait: return when it is filled, unless tables have a delay.
    """
    catalog = tables.catalog
    assert isinstance(catalog, EngineCatalog)
    if change.delete is not None:
        catalog.drop_index(change.table, change.delete)
        tables.index_dropped(change.table, change.delete)
        return
    assert change.create is not None
    assert change.key_types is not None
    schema = change.create["KeySchema"]
    keys = [(part["AttributeName"], change.key_types[part["AttributeName"]]) for part in schema]
    hash_count = sum(part["KeyType"] == "HASH" for part in schema)
    catalog.add_index(change.table, definition_of(change.create, keys, hash_count, True))
    start_filling(database, tables, change.table, change.create["IndexName"], wait=wait)


def resume_indexes(database: Database, tables: Tables) -> None:
    """Go on with the indexes that were being made or dropped when the process before ended."""
    catalog = tables.catalog
    assert isinstance(catalog, EngineCatalog)
    for name in catalog.names():
        meta = catalog.engine.meta(name) or {}
        there = {definition["name"] for definition in catalog.definitions(name)}
        for entry in meta.get("GlobalSecondaryIndexes", ()):
            index = entry["IndexName"]
            if entry.get("Dropping"):
                if index in there:
                    catalog.drop_index(name, index)
                tables.index_dropped(name, index)
            elif entry.get("Building"):
                if index not in there:
                    key = key_shape(entry, meta["AttributeDefinitions"])
                    definition = definition_of(entry, key.attributes, key.hash_count, True)
                    catalog.add_index(name, definition)
                start_filling(database, tables, name, index)


def start_filling(
    database: Database, tables: Tables, table_name: str, index: str, *, wait: bool = True
) -> None:
    """Fill an index in a thread; without a delay of tables, wait for it."""
    filling = threading.Thread(
        target=fill_index, args=(database, tables, table_name, index), daemon=True
    )
    filling.start()
    if wait and tables.delay_s == 0:
        filling.join()


def fill_index(database: Database, tables: Tables, table_name: str, index: str) -> None:
    """Give an index the entries of the items that are there, and call it built."""
    try:
        table = CoreTable(database.engine, table_name)
        cursor = Scan(table)
        while fill(table, index, cursor, FILL_STEP):
            # Between two steps the interpreter hands over the GIL to who has waited long enough.
            # Given away at each step, a busy writer would add more than is filled, for ever.
            pass
    except Error:
        # A database that is closed goes on at its next opening; a table may have been dropped.
        if database.engine.refusal is None and f"{table_name}/{index}" in database.engine.names:
            raise
        return
    tables.index_built(table_name, index)
