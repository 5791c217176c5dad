"""What the control plane needs from below: a catalog of tables; and what it asks of it: changes.

The catalog keeps one JSON-serialisable dict a table, its meta, which only `hashrange.ops` reads.
The engine backs it; a catalog's methods are called one at a time, under the lock of `Tables`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

Meta = dict[str, Any]


class Catalog(Protocol):
    """Tables by name, with what they hold."""

    @property
    def writable(self) -> bool:
        """Whether `put` and `remove` may note what is over; a reader only looks."""

    def names(self) -> list[str]:
        """Return the names of all tables, in any order."""

    def get(self, name: str) -> Meta | None:
        """Return a table's meta, a copy that the caller may change, or None."""

    def create(self, name: str, meta: Meta) -> None:
        """Make a table and its indexes, all empty."""

    def put(self, name: str, meta: Meta) -> None:
        """Replace a table's meta."""

    def remove(self, name: str) -> None:
        """Drop a table with its items and indexes."""

    def item_count(self, name: str, index: str | None = None) -> int:
        """Return the number of items of a table, or of entries of one of its indexes."""

    def size_bytes(self, name: str, index: str | None = None) -> int:
        """Return their DynamoDB sizes, summed."""


@dataclass(frozen=True, slots=True)
class IndexChange:
    """What UpdateTable leaves to the engine: one index to build or to drop.

    create: the new index as the request gave it (IndexName, KeySchema, Projection), its key types
    to be found in `key_types`. The engine fills it and then calls `Tables.index_built`. delete: the
    name of an index; the engine drops it and then calls `Tables.index_dropped`. One of the two is
    None.
    """

    table: str
    create: Meta | None = None
    delete: str | None = None
    key_types: dict[str, str] | None = None
