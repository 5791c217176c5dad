"""Types of ddbcore.rows: columns that come in, to items of a batch."""

from typing import Any

from ddbcore.arrow import ArrowReader
from ddbcore.batch import Batch

class RowWriter:
    def __init__(
        self,
        batch: Batch,
        reader: ArrowReader | None,
        lists: dict[str, list[Any]],
        floats: bool = True,
        nan_null: bool = False,
    ) -> None: ...
    @property
    def count(self) -> int: ...
    @property
    def written(self) -> int: ...
    def write(self) -> int: ...

def shortest(value: float, single: bool = False) -> Any: ...
