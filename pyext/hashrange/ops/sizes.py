"""Sizes that decide whether a write is let through, beyond the plain size of an item.

Source: measured on the service; DynamoDB's 400 KB rule differs between PutItem and UpdateItem.
"""

from __future__ import annotations

ITEM_BYTES_MAX = 400 << 10

UPDATE_BYTES = 3
WRITING_ACTION_BYTES = 19
REMOVING_ACTION_BYTES = 2
LIST_TARGET_BYTES = 1
ARITHMETIC_BYTES = 50


def update_gate_bytes(
    item_bytes: int,
    key_bytes: int,
    *,
    writing: int,
    removing: int,
    list_targets: int = 0,
    arithmetic: int = 0,
) -> int:
    """Return the size that a standalone UpdateItem must keep at ITEM_BYTES_MAX or below.

    item_bytes: the new image. key_bytes: its key attributes, names included. writing, removing:
    the numbers of actions that write or remove an attribute; list_targets: of those whose target is
    a list index; arithmetic: of SET actions with + or -.
    """
    cost = (
        UPDATE_BYTES
        + WRITING_ACTION_BYTES * writing
        + REMOVING_ACTION_BYTES * removing
        + LIST_TARGET_BYTES * list_targets
        + ARITHMETIC_BYTES * arithmetic
    )
    return max(item_bytes, item_bytes - key_bytes + cost)
