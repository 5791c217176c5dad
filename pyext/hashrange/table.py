"""Tables: the native API over ddbcore's hot calls."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ddbcore.cursor import Query, Scan
from ddbcore.table import Batch, CoreTable

if TYPE_CHECKING:
    from hashrange.database import Database

__all__ = ["Batch", "Query", "Scan", "Table"]

KeyValue = str | int | Decimal | bytes | bytearray | memoryview
Item = dict[str, Any]


class Table(CoreTable):
    """A table of an open database. Made by Database.create_table and Database.table.

    get, put, update, delete, get_many, batch and count are inherited; they take and return plain
    Python values: str, int, Decimal, bytes, bool, None, list, dict and set. An integral number
    comes back as int, any other as Decimal.
    """

    def __init__(self, database: Database, name: str) -> None:
        super().__init__(database.engine, name)
        self.database = database

    def __repr__(self) -> str:
        return f"<hashrange.Table {self.name!r} of {self.database!r}>"

    @property
    def hash_key(self) -> tuple[str, str]:
        """Name and type of the hash (partition) key."""
        return self.key_schema()[0]

    @property
    def range_key(self) -> tuple[str, str] | None:
        """Name and type of the range (sort) key, or None."""
        return self.key_schema()[1]

    def query(
        self,
        hash: KeyValue,
        *,
        between: tuple[KeyValue, KeyValue] | None = None,
        ge: KeyValue | None = None,
        gt: KeyValue | None = None,
        le: KeyValue | None = None,
        lt: KeyValue | None = None,
        eq: KeyValue | None = None,
        begins_with: KeyValue | None = None,
        reverse: bool = False,
        limit: int | None = None,
        after: KeyValue | tuple[KeyValue, KeyValue] | Item | None = None,
    ) -> Query:
        """Return a lazy iterator over one item collection, in sort key order.

        hash: the hash key's value. At most one of: eq=, between=(lower, upper) (both included),
        begins_with= (types S and B), or one of ge=/gt= with one of le=/lt=. reverse=True walks
        downwards. limit= bounds the number of items returned. after= goes on behind a range key,
        given as value, (hash, range) pair or item.

        The iterator sees changes ahead of it, holds no more than 128 addresses, and its last_key
        resumes it. Raises ValidationError.
        """
        return Query(
            self,
            hash,
            between=between,
            ge=ge,
            gt=gt,
            le=le,
            lt=lt,
            eq=eq,
            begins_with=begins_with,
            reverse=reverse,
            limit=limit,
            after=after,
        )

    def scan(
        self,
        *,
        segment: int | None = None,
        total_segments: int | None = None,
        limit: int | None = None,
        after: KeyValue | tuple[KeyValue, KeyValue] | Item | None = None,
    ) -> Scan:
        """Return a lazy iterator over all items, in hash order.

        segment=, total_segments=: only that part of 1 to 1,000,000, for parallel scans. limit=
        bounds the number of items returned. after= goes on behind a key, given as hash value or
        (hash, range) pair or item; it stays valid across growth, compaction and restarts. Raises
        ValidationError.
        """
        return Scan(self, segment=segment, total_segments=total_segments, limit=limit, after=after)

    def __len__(self) -> int:
        return int(self.count())
