"""Tables: the native API over ddbcore's hot calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ddbcore.batch import Batch
from ddbcore.cursor import Query, Scan
from ddbcore.program import Program
from ddbcore.projection import Projection
from ddbcore.reading import ReadTable
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
    from hashrange.arrays import Columns
    from hashrange.database import Database

__all__ = ["Batch", "Query", "Scan", "Table", "Walk"]

KeyValue = str | int | Decimal | bytes | bytearray | memoryview
KeyValues = KeyValue | Sequence[KeyValue]  # of an index, whose keys have up to four attributes
Item = dict[str, Any]


class Table(ReadTable):
    """A table of an open database. Made by Database.create_table and Database.table.

    get, put, update, delete, get_many, query, scan and count are inherited; they take and return
    plain Python values: str, int, Decimal, bytes, bool, None, list, dict and set. An integral
    number comes back as int, any other as Decimal.

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

    def _search(self, kind: str, **arguments: Any) -> Query | Scan | Walk:
        if kind == "scan":
            return search.scan(self, **arguments)
        return search.query(self, **arguments)

    def _search_index(
        self,
        hash: Any,
        index: str,
        bounds: dict[str, Any] | None,
        reverse: bool,
        limit: int | None,
        after: Any,
    ) -> Walk:
        return search.query_index(self, hash, index, bounds, reverse, limit, after)

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

    # -- arrays

    def columns(
        self,
        columns: Sequence[str] | Mapping[str, str],
        filter: object = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        *,
        exact: bool = False,
        mixed: str = "raise",
        hash: Any = None,
        key: str | None = None,
        between: tuple[KeyValues, KeyValues] | None = None,
        ge: KeyValues | None = None,
        gt: KeyValues | None = None,
        le: KeyValues | None = None,
        lt: KeyValues | None = None,
        eq: KeyValues | None = None,
        begins_with: KeyValues | None = None,
        reverse: bool = False,
        segment: int | None = None,
        total_segments: int | None = None,
        limit: int | None = None,
        after: KeyValue | tuple[KeyValue, KeyValue] | Item | None = None,
        index: str | None = None,
    ) -> Columns:
        """Read attributes of many items into arrays, without making an object of an item.

        columns: attribute names or document paths ("address.city", "tags[0]"), or a dict of paths
        by the names that the columns get. filter, names, values: which items, as in a
        FilterExpression, or a condition made with Attr. hash=: the items of one hash key, with the
        conditions, reverse= and after= of query, or a key condition in their place, as object
        (hash) or as expression (key=); without it, segment=, total_segments= and after= of scan.
        index=: by this index, of whose key the hash and the bounds are then, and in its order; of
        a global one, what it projects. limit= bounds the number of rows. exact=True: numbers that
        are no int64 stay exact (objects; decimal128 in Arrow) in place of float64.
        mixed="object": a column whose values are of several types has objects, in place of a
        ValidationError.

        Returns Columns: a mapping from names to NumPy arrays with to_arrow() and to_pandas(). Each
        row is an item as of some moment of the call, as in a scan. Raises ValidationError.
        """
        from hashrange.arrays import read_columns

        return read_columns(
            self,
            columns,
            filter,
            names,
            values,
            exact=exact,
            mixed=mixed,
            limit=limit,
            index=index,
            walk={
                "hash": hash,
                "key": key,
                "between": between,
                "ge": ge,
                "gt": gt,
                "le": le,
                "lt": lt,
                "eq": eq,
                "begins_with": begins_with,
                "reverse": reverse or None,
                "segment": segment,
                "total_segments": total_segments,
                "after": after,
            },
        )

    def load(
        self,
        source: object,
        *,
        floats: str = "decimal",
        nan: str = "refuse",
        durability: str | None = None,
    ) -> int:
        """Put an item for each row of columns; return the number of rows.

        source: what has __arrow_c_stream__ (a pyarrow Table, a polars or pandas DataFrame),
        Columns, or a dict of NumPy arrays or lists. A null leaves the attribute out; keys must be
        there. floats="decimal": a float is stored as the decimal of the fewest digits that reads
        back as it (what repr shows); "refuse": it is an error. nan="null": NaN stands for a null,
        in place of an error.

        Rows are committed as the batch grows to 1 MiB, as in batch(). Raises ValidationError and
        ItemTooLarge that name row and column, and say how many rows are written.
        """
        from hashrange.arrays import load_rows

        return load_rows(self, source, floats=floats, nan=nan, durability=durability)
