"""Types of ddbcore.filter: bound conditions."""

from typing import Any

from ddbcore.item import ItemCodec
from ddbcore.program import Program

class Filter:
    def __init__(
        self,
        program: Program,
        codec: ItemCodec,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        typed: bool = False,
        partial: bool = False,
        source: Filter | None = None,
        visible: frozenset[str] | None = None,
    ) -> None: ...
    def test(self, record: bytes | None) -> bool: ...
    def rejects(self, padded: bytes) -> bool: ...
    def bench(self, record: bytes, count: int) -> int: ...
