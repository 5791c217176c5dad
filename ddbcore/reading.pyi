"""Types of ddbcore.reading: query and scan as hot calls."""

from collections.abc import Sequence
from typing import Any

from ddbcore.cursor import Query, Scan
from ddbcore.table import CoreTable
from ddbcore.walk import Walk

PLAIN_TYPES: frozenset[type]

class ReadTable(CoreTable):
    def query(
        self,
        hash: Any = None,
        *,
        key: Any = None,
        between: tuple[Any, Any] | None = None,
        ge: Any = None,
        gt: Any = None,
        le: Any = None,
        lt: Any = None,
        eq: Any = None,
        begins_with: Any = None,
        reverse: bool = False,
        limit: int | None = None,
        after: Any = None,
        filter: Any = None,
        project: str | Sequence[str] | None = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        index: str | None = None,
    ) -> Query | Walk: ...
    def scan(
        self,
        *,
        segment: int | None = None,
        total_segments: int | None = None,
        limit: int | None = None,
        after: Any = None,
        filter: Any = None,
        project: str | Sequence[str] | None = None,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
        index: str | None = None,
    ) -> Scan | Walk: ...
