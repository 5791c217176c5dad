"""Types of ddbcore.json_writer: Python values to JSON text."""

from typing import Any

class JsonItems:
    @property
    def count(self) -> int: ...

def json_write(value: Any) -> bytes: ...
