"""Types of ddbcore.json_items: records of items to JSON text."""

from ddbcore.item import ItemCodec

def item_text(codec: ItemCodec, record: bytes) -> bytes: ...
