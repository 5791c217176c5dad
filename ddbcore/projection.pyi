"""Types of ddbcore.projection: compiled projections."""

from collections.abc import Iterable
from typing import Any

from ddbcore.item import ItemCodec

class Selection: ...

class Projection:
    def __init__(
        self,
        paths: tuple[tuple[int, ...], ...],
        names: tuple[str, ...],
        clause: str = "ProjectionExpression",
    ) -> None: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def paths(self) -> tuple[tuple[int, ...], ...]: ...
    @property
    def clause(self) -> str: ...
    def project(
        self,
        codec: ItemCodec,
        record: bytes | None,
        names: dict[str, str] | None = None,
        typed: bool = False,
        partial: bool = False,
    ) -> dict[str, Any]: ...
    def project_all(
        self,
        codec: ItemCodec,
        records: Iterable[bytes | None],
        names: dict[str, str] | None = None,
    ) -> list[dict[str, Any]]: ...
    def bench(
        self,
        codec: ItemCodec,
        record: bytes,
        names: dict[str, str] | None,
        count: int,
    ) -> None: ...
