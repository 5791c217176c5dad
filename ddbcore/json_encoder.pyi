"""Types of ddbcore.json_encoder: plain PutItem requests."""

from ddbcore.item import ItemCodec
from ddbcore.json_reader import JsonReader

def put_item(
    codec: ItemCodec, reader: JsonReader, text: bytes
) -> tuple[bytes, bytes] | None: ...
