"""Types of ddbcore.program: compiled updates and conditions."""

from typing import Any

from ddbcore.item import ItemCodec

TYPE_NAMES: tuple[str, ...]
TYPE_WORDS: tuple[str, ...]

class Program:
    def __init__(
        self,
        update: bytes | None,
        condition: bytes | None,
        names: tuple[str, ...],
        values: tuple[str, ...],
        clause: str = "ConditionExpression",
        checks: tuple[tuple[int, frozenset[str], str, str], ...] = (),
        ranges: tuple[tuple[int, int, str], ...] = (),
        distinct: tuple[tuple[int, int, str], ...] = (),
        paths: tuple[tuple[int, ...], ...] = (),
    ) -> None: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def values(self) -> tuple[str, ...]: ...
    @property
    def clause(self) -> str: ...
    @property
    def outer_names(self) -> tuple[str, ...]: ...
    @property
    def paths(self) -> tuple[tuple[int, ...], ...]: ...
    @property
    def targets(self) -> tuple[tuple[int, ...], ...]: ...
    @property
    def has_update(self) -> bool: ...
    @property
    def has_condition(self) -> bool: ...
    def apply(
        self,
        codec: ItemCodec,
        old: bytes | None,
        key: bytes,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        typed: bool = False,
        partial: bool = False,
    ) -> bytes | None: ...
    def test(
        self,
        codec: ItemCodec,
        old: bytes | None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        typed: bool = False,
        partial: bool = False,
    ) -> bool: ...
    def bench(
        self,
        what: str,
        codec: ItemCodec,
        old: bytes,
        key: bytes,
        names: dict[str, str] | None,
        values: dict[str, Any] | None,
        count: int,
    ) -> None: ...
