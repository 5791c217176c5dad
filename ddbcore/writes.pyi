"""Types of ddbcore.writes: writes and reads of items in DynamoDB's own form."""

from collections.abc import Callable, Sequence
from typing import Any

from ddbcore.engine import Engine
from ddbcore.errors import Error
from ddbcore.program import Program
from ddbcore.projection import Projection
from ddbcore.table import CoreTable

PUT: int
UPDATE: int
DELETE: int
CHECK: int
WANT_BEFORE: int
WANT_AFTER: int
WANT_FAILED: int
WANT_ARMS: int

class Action:
    def __init__(
        self,
        table: CoreTable,
        kind: int,
        item: dict[str, Any] | tuple[Any, Any],
        program: Program | None = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        partial: bool = False,
        wants: int = 0,
        touched: Projection | None = None,
        native: bool = False,
    ) -> None: ...
    @property
    def table(self) -> CoreTable: ...

def write_all(
    engine: Engine,
    actions: list[Action],
    finish: Callable[[list[Any]], Action] | None = None,
    durability: str | None = None,
) -> list[tuple[Any, ...] | Error]: ...
def write_distinct(
    engine: Engine,
    actions: list[Action],
    finish: Callable[[list[Any]], Action] | None = None,
    durability: str | None = None,
) -> list[tuple[Any, ...] | Error] | None: ...
def read_item(
    table: CoreTable,
    key: Any,
    projection: Projection | None = None,
    names: dict[str, str] | None = None,
) -> tuple[dict[str, Any] | None, int]: ...
def read_keys(
    table: CoreTable,
    keys: list[Any],
    projection: Projection | None = None,
    names: dict[str, str] | None = None,
) -> tuple[list[dict[str, Any] | None], list[int]] | None: ...
def read_all(
    engine: Engine,
    reads: Sequence[tuple[CoreTable, dict[str, Any], Projection | None, dict[str, str] | None]],
    distinct: bool = False,
) -> list[tuple[dict[str, Any] | None, int]] | None: ...
