"""Tables: the native API over ddbcore's hot calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddbcore.cursor import Query, Scan
from ddbcore.table import Batch, CoreTable

if TYPE_CHECKING:
    from hashrange.database import Database

__all__ = ["Batch", "Query", "Scan", "Table"]


class Table(CoreTable):
    """A table of an open database. Made by Database.create_table and Database.table.

    get, put, update, delete, get_many, batch and count are inherited; they take and return plain Python values: str, int,
    Decimal, bytes, bool, None, list, dict and set. An integral number comes back as int, any other as Decimal.
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

    def query(self, hash: Any, **options: Any) -> Query:  # noqa: A002 -- the key's name in the API
        """Return a lazy iterator over one item collection, in sort key order.

        hash: the hash key's value. At most one of: eq=, between=(lower, upper) (both included), begins_with= (types S and
        B), or one of ge=/gt= with one of le=/lt=. reverse=True walks downwards. limit= bounds the number of
        items returned. after= goes on behind a range key, given as value, (hash, range) pair or item.

        The iterator sees changes ahead of it, holds no more than 128 addresses, and its last_key resumes it.
        Raises ValidationError.
        """
        return Query(self, hash, **options)

    def scan(self, **options: Any) -> Scan:
        """Return a lazy iterator over all items, in hash order.

        segment=, total_segments=: only that part of 1 to 1,000,000, for parallel scans. limit= bounds the number of
        items returned. after= goes on behind a key, given as hash value or (hash, range) pair or item; it stays valid across
        growth, compaction and restarts. Raises ValidationError.
        """
        return Scan(self, **options)

    def __len__(self) -> int:
        return int(self.count())
