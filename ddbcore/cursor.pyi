"""Types of ddbcore.cursor: lazy walks over an item collection or a whole table."""

from typing import Any, Self

from ddbcore.table import CoreTable, _Item, _KeyValue

class Cursor:
    @property
    def table(self) -> CoreTable: ...
    @property
    def last_key(self) -> Any: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> _Item: ...

class Query(Cursor):
    def __init__(
        self,
        table: CoreTable,
        hash: _KeyValue,
        between: tuple[_KeyValue, _KeyValue] | None = None,
        ge: _KeyValue | None = None,
        gt: _KeyValue | None = None,
        le: _KeyValue | None = None,
        lt: _KeyValue | None = None,
        eq: _KeyValue | None = None,
        begins_with: _KeyValue | None = None,
        reverse: bool = False,
        limit: int | None = None,
        after: _KeyValue | tuple[_KeyValue, _KeyValue] | _Item | None = None,
    ) -> None: ...

class Scan(Cursor):
    def __init__(
        self,
        table: CoreTable,
        *,
        segment: int | None = None,
        total_segments: int | None = None,
        limit: int | None = None,
        after: _KeyValue | tuple[_KeyValue, _KeyValue] | _Item | None = None,
    ) -> None: ...

def key_parts(table: CoreTable, after: Any) -> tuple[Any, Any]: ...
def limit_parse(limit: int | None) -> int: ...
