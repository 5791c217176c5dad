"""Types of ddbcore.transaction: writes of several items in one commit, reads of one moment."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from ddbcore.engine import Engine
from ddbcore.table import CoreTable
from ddbcore.writes import Action

ACTIONS_MAX: int

class CoreTransaction:
    def __init__(
        self, database: Any, token: str | None = None, durability: str | None = None
    ) -> None: ...
    @property
    def engine(self) -> Engine: ...
    @property
    def database(self) -> Any: ...
    @property
    def token(self) -> str | None: ...
    @property
    def count(self) -> int: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool: ...
    def put(
        self,
        table: str | CoreTable,
        item: dict[str, Any],
        *,
        condition: Any = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
    ) -> None: ...
    def update(
        self,
        table: str | CoreTable,
        hash: Any,
        *args: Any,
        condition: Any = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
    ) -> None: ...
    def delete(
        self,
        table: str | CoreTable,
        hash: Any,
        range: Any = None,
        *,
        condition: Any = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
    ) -> None: ...
    def check(
        self,
        table: str | CoreTable,
        hash: Any,
        range: Any = None,
        *,
        condition: Any,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
    ) -> None: ...
    def commit(self) -> None: ...
    def write(self, finish: Callable[[list[Any]], Action] | None) -> None: ...

def transact_get(
    database: Any, keys: Sequence[tuple[Any, ...] | list[Any]]
) -> list[dict[str, Any] | None]: ...
