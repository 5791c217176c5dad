"""Types of ddbcore.table: a table's hot calls."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

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
    def get(
        self,
        hash: _KeyValue,
        range: _KeyValue | None = None,
        *,
        project: str | Sequence[str] | None = None,
        names: dict[str, str] | None = None,
    ) -> _Item | None: ...
    def put(
        self,
        item: _Item,
        *,
        condition: Any = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        returning: str | None = None,
        returning_on_failure: str | None = None,
        durability: str | None = None,
    ) -> _Item | None: ...
    def delete(
        self,
        hash: _KeyValue,
        range: _KeyValue | None = None,
        *,
        condition: Any = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        returning: str | None = None,
        returning_on_failure: str | None = None,
        durability: str | None = None,
    ) -> _Item | None: ...
    def update(
        self,
        hash: _KeyValue,
        second: Any = ...,
        third: Any = ...,
        /,
        *,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        condition: Any = None,
        returning: str | None = None,
        returning_on_failure: str | None = None,
        durability: str | None = None,
    ) -> _Item | None: ...
    def get_many(
        self, keys: Iterable[_KeyValue | tuple[_KeyValue, _KeyValue]]
    ) -> list[_Item | None]: ...
    def count(self) -> int: ...
    def key_schema(self) -> tuple[tuple[str, str], tuple[str, str] | None]: ...
    def size_bytes(self) -> int: ...
