"""Types of ddbcore.requests: from DynamoDB's own form to the engine at once."""

from collections.abc import Callable, Mapping
from typing import Any

from ddbcore.engine import Engine
from ddbcore.program import Program
from ddbcore.table import CoreTable
from ddbcore.writes import Action

def plain_actions(
    parts: list[Any],
    tables: dict[str, tuple[Any, CoreTable]],
    programs: Callable[[str | None, str | None], Program],
) -> list[Action] | None: ...
def plain_reads(
    parts: list[Any], tables: dict[str, tuple[Any, CoreTable]]
) -> list[tuple[CoreTable, dict[str, Any], None, None]] | None: ...
def plain_write(
    engine: Engine,
    kind: int,
    request: dict[str, Any],
    tables: dict[str, tuple[Any, CoreTable]],
    programs: Callable[[str | None, str | None], Program],
) -> bool: ...
def plain_get(
    request: dict[str, Any], tables: dict[str, tuple[Any, CoreTable]]
) -> tuple[dict[str, Any] | None, int] | None: ...
def surely_short(
    text: str, names: Mapping[str, str] | None, values: Mapping[str, Any] | None
) -> bool: ...
