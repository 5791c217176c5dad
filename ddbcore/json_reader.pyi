"""Types of ddbcore.json_reader: JSON text to Python values."""

from typing import Any

class JsonReader:
    def read(self, text: bytes) -> Any: ...
