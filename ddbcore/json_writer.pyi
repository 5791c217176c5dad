"""Types of ddbcore.json_writer: Python values to JSON text."""

from typing import Any

def json_write(value: Any) -> bytes: ...
