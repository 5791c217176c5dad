"""Types of ddbcore.backfill: the entries of an index that was added to a table with items."""

from ddbcore.cursor import Cursor
from ddbcore.table import CoreTable

def fill(table: CoreTable, name: str, cursor: Cursor, count: int) -> bool: ...
