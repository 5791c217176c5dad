"""Types of ddbcore.walk: a cursor with a filter, a projection, an index on its way."""

from collections.abc import Callable
from typing import Any, Self

from ddbcore.cursor import Cursor
from ddbcore.filter import Filter
from ddbcore.projection import Projection
from ddbcore.table import CoreTable, _Item

class Walk:
    def __init__(
        self,
        source: Cursor,
        table: CoreTable,
        index: str | None = None,
        *,
        condition: Filter | None = None,
        projection: Projection | None = None,
        names: dict[str, str] | None = None,
        limit: int | None = None,
        key_of: Callable[[bytes, bytes], dict[str, Any]] | None = None,
    ) -> None: ...
    @property
    def table(self) -> CoreTable: ...
    @property
    def last_key(self) -> Any: ...
    @property
    def sieving(self) -> bool: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> _Item: ...
