"""Types of ddbcore.columns: attributes of many items as columns."""

from typing import Any

from ddbcore.column import ColumnData
from ddbcore.cursor import Cursor
from ddbcore.program import Program
from ddbcore.table import CoreTable

class ColumnReader:
    def __init__(
        self,
        cursor: Cursor,
        paths: tuple[tuple[int, ...], ...],
        names: tuple[str, ...],
        untyped: tuple[bool, ...],
        *,
        exact: bool = False,
        program: Program | None = None,
        condition_names: dict[str, str] | None = None,
        condition_values: dict[str, Any] | None = None,
        limit: int | None = None,
        table: CoreTable | None = None,
        index: str | None = None,
        visible: frozenset[str] | None = None,
    ) -> None: ...
    @property
    def count(self) -> int: ...
    @property
    def conflict(self) -> tuple[int, str, str, Any] | None: ...
    def read(self) -> list[ColumnData] | None: ...
