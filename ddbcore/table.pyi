"""Types of ddbcore.table: a table's hot calls."""

from collections.abc import Iterable
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal, Self

from ddbcore.engine import Engine
from ddbcore.item import ItemCodec

_KeyValue = str | int | Decimal | bytes | bytearray | memoryview
_Item = dict[str, Any]

class CoreTable:
    def __init__(self, engine: Engine, name: str) -> None: ...
    @property
    def engine(self) -> Engine: ...
    @property
    def name(self) -> str: ...
    @property
    def codec(self) -> ItemCodec: ...
    def get(self, hash: _KeyValue, range: _KeyValue | None = None) -> _Item | None: ...
    def put(
        self,
        item: _Item,
        *,
        condition: str | None = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        durability: str | None = None,
    ) -> None: ...
    def delete(
        self,
        hash: _KeyValue,
        range: _KeyValue | None = None,
        *,
        condition: str | None = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        durability: str | None = None,
    ) -> None: ...
    def update(
        self,
        hash: _KeyValue,
        *args: Any,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        condition: str | None = None,
        durability: str | None = None,
    ) -> None: ...
    def get_many(
        self, keys: Iterable[_KeyValue | tuple[_KeyValue, _KeyValue]]
    ) -> list[_Item | None]: ...
    def count(self) -> int: ...
    def key_schema(self) -> tuple[tuple[str, str], tuple[str, str] | None]: ...
    def size_bytes(self) -> int: ...
    def batch(self, *, durability: str | None = None) -> Batch: ...

class Batch:
    def __init__(self, table: CoreTable, durability: str | None = None) -> None: ...
    @property
    def table(self) -> CoreTable: ...
    @property
    def count(self) -> int: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]: ...
    def put(self, item: _Item) -> None: ...
    def delete(self, hash: _KeyValue, range: _KeyValue | None = None) -> None: ...
    def flush(self) -> None: ...
