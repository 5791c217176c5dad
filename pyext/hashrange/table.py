"""Tables: the native API over ddbcore's hot calls."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ddbcore.batch import Batch
from ddbcore.cursor import Query, Scan
from ddbcore.program import Program
from ddbcore.projection import Projection
from ddbcore.table import CoreTable
from ddbcore.walk import Walk
from hashrange import search
from hashrange.conditions import condition_arguments
from hashrange.indexes import (
    Index,
    IndexView,
    KeyParts,
    create_index,
    drop_index,
    index_descriptions,
    index_views,
)

if TYPE_CHECKING:
    from hashrange.database import Database

__all__ = ["Batch", "Query", "Scan", "Table", "Walk"]

KeyValue = str | int | Decimal | bytes | bytearray | memoryview
Item = dict[str, Any]

# Hash keys that are no condition object, by their types.
PLAIN = frozenset((str, int, Decimal, bytes))


class Table(CoreTable):
    """A table of an open database. Made by Database.create_table and Database.table.

    get, put, update, delete, get_many and count are inherited; they take and return plain
    Python values: str, int, Decimal, bytes, bool, None, list, dict and set. An integral number
    comes back as int, any other as Decimal.

    Conditions and filters are expressions (str, with names= and values= for what "#name" and
    ":value" in them stand for) or objects: hashrange.Attr("n").gt(1), or boto3's.
    """

    def __init__(self, database: Database, name: str) -> None:
        super().__init__(database.engine, name)
        self.database = database
        self._known: tuple[int, dict[str, IndexView]] = (-1, {})

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

    # -- reading

    def query(
        self,
        hash: Any = None,
        *,
        key: Any = None,
        between: tuple[Any, Any] | None = None,
        ge: Any = None,
        gt: Any = None,
        le: Any = None,
        lt: Any = None,
        eq: Any = None,
        begins_with: Any = None,
        reverse: bool = False,
        limit: int | None = None,
        after: Any = None,
        filter: Any = None,
        project: str | Sequence[str] | None = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        index: str | None = None,
    ) -> Query | Walk:
        """Return a lazy iterator over one item collection, in sort key order.

        hash: the hash key's value. At most one of: eq=, between=(lower, upper) (both included),
        begins_with= (types S and B), or one of ge=/gt= with one of le=/lt=. In their place, all
        in one: a key condition, as object (hash) or as expression (key=). reverse=True walks
        downwards. limit= bounds the number of items returned. after= goes on behind a range key,
        given as value, (hash, range) pair or item.

        filter: what an item must pass to be returned; it may not name key attributes. project:
        what is returned of it, an expression or a list of attribute names. names, values: of all
        expressions together. index: walk this index, of whose key the hash and the bounds are
        then; where it has several attributes they are tuples; after= is a last_key or an item.

        The iterator sees changes ahead of it, holds addresses only, and its last_key resumes it.
        Raises ValidationError.
        """
        if (
            type(hash) in PLAIN
            and filter is None
            and project is None
            and index is None
            and key is None
            and names is None
            and values is None
        ):
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
        return search.query(
            self,
            hash,
            key,
            {
                "between": between,
                "ge": ge,
                "gt": gt,
                "le": le,
                "lt": lt,
                "eq": eq,
                "begins_with": begins_with,
            },
            reverse=reverse,
            limit=limit,
            after=after,
            filter=filter,
            project=project,
            names=names,
            values=values,
            index=index,
        )

    def scan(
        self,
        *,
        segment: int | None = None,
        total_segments: int | None = None,
        limit: int | None = None,
        after: Any = None,
        filter: Any = None,
        project: str | Sequence[str] | None = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        index: str | None = None,
    ) -> Scan | Walk:
        """Return a lazy iterator over all items, in hash order.

        segment=, total_segments=: only that part of 1 to 1,000,000, for parallel scans. limit=
        bounds the number of items returned. after= goes on behind a key, given as hash value or
        (hash, range) pair or item; it stays valid across growth, compaction and restarts.

        filter, project, names, values, index: as in query; a filter may name any attribute. It is
        decided without the GIL: threads that scan a segment each run at the same time. Raises
        ValidationError.
        """
        if (
            filter is None
            and project is None
            and index is None
            and names is None
            and values is None
        ):
            return Scan(
                self, segment=segment, total_segments=total_segments, limit=limit, after=after
            )
        return search.scan(
            self,
            segment=segment,
            total_segments=total_segments,
            limit=limit,
            after=after,
            filter=filter,
            project=project,
            names=names,
            values=values,
            index=index,
        )

    def batch(self, *, durability: str | None = None) -> Batch:
        """Return a context manager whose put and delete are written together: see Batch."""
        return Batch(self, durability)

    def __len__(self) -> int:
        return int(self.count())

    # -- indexes

    def create_index(
        self,
        name: str,
        hash_key: KeyParts,
        range_key: KeyParts | None = None,
        *,
        project: str | Sequence[str] = "all",
        wait: bool = True,
    ) -> None:
        """Add a global index to the table and fill it; others read and write meanwhile.

        name: 3 to 255 characters. hash_key, range_key: (attribute name, type), or lists of up to
        four. project: what reads of the index show: "all", "keys", or attribute names besides
        them. wait: return when the index is complete; False: at once, and reads of it are refused
        until indexes() says ACTIVE. Raises ValidationError, ResourceInUse, LimitExceeded.
        """
        create_index(self, name, hash_key, range_key, project, wait=wait)

    def drop_index(self, name: str) -> None:
        """Drop a global index. Raises ResourceNotFound."""
        drop_index(self, name)

    def indexes(self) -> dict[str, Index]:
        """Return the indexes by name: keys, what they project, kind, status and sizes."""
        self.count()  # a reader sees what the writer made
        return index_descriptions(self)

    def _views(self) -> dict[str, IndexView]:
        """Return the indexes, ready for reads."""
        self.count()
        version, views = self._known
        if version != self.engine.schema_version:
            version = self.engine.schema_version
            views = index_views(self)
            self._known = version, views
        return views

    # -- what the core asks of the language

    def _condition_arguments(
        self, condition: Any, names: dict[str, str] | None, values: dict[str, Any] | None
    ) -> tuple[Any, dict[str, str] | None, dict[str, Any] | None]:
        return condition_arguments(condition, names, values)

    def _projection_arguments(
        self, project: str | Sequence[str] | None, names: dict[str, str] | None
    ) -> tuple[Projection, dict[str, str] | None]:
        return self.database.expressions.projection_arguments(project, names)

    def _touched(self, program: Program) -> Projection:
        return self.database.expressions.touched(program)
