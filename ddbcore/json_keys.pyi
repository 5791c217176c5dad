"""Types of ddbcore.json_keys: plain GetItem requests."""

from ddbcore.item import ItemCodec

def get_key(codec: ItemCodec, text: bytes) -> tuple[bytes, bytes] | None: ...
