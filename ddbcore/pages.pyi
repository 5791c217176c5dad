"""Types of ddbcore.pages: pages of a Query or Scan in DynamoDB's own form."""

from typing import Any

from ddbcore.cursor import Cursor
from ddbcore.filter import Filter
from ddbcore.projection import Projection
from ddbcore.table import CoreTable

PAGE_BYTES_MAX: int

class Reader: ...

def index_part(table: CoreTable, value: dict[str, Any], is_range: bool) -> bytes: ...
def index_position(table: CoreTable, name: str, key: dict[str, Any]) -> tuple[bytes, bytes]: ...
def read_page(
    cursor: Cursor,
    table: CoreTable,
    index: str | None = None,
    *,
    condition: Filter | None = None,
    projection: Projection | None = None,
    names: dict[str, str] | None = None,
    limit: int | None = None,
    count_only: bool = False,
    fetch: bool = False,
    visible: Projection | None = None,
    visible_names: dict[str, str] | None = None,
    as_text: bool = False,
) -> tuple[Any, int, int, int, list[int], dict[str, Any] | None]: ...
