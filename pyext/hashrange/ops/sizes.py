"""Sizes that decide whether an update is let through, beyond the plain size of an item.

Theory of operation. A put must keep the item at 400 KB or below. A single UpdateItem must keep the
larger of two sizes there: that of the new item, and the charge for what the update writes. The
charge knows only the request: attributes that the update leaves alone, and the key, are not in it.
PartiQL and transactions have no such charge.

Source: measured on the service in 2026-10 in 22 regions; the other ten have no charge either.
"""

from __future__ import annotations

from collections.abc import Sequence

ITEM_BYTES_MAX = 400 << 10

UPDATE_BYTES = 3
WRITING_BYTES = 19
REMOVING_BYTES = 1
TARGET_ELEMENT_BYTES = 4
OPERAND_BYTES = 1
OPERAND_ELEMENT_BYTES = 14
OPERATION_BYTES = {"+": 34, "-": 37, "if_not_exists": 39, "list_append": 37}

Path = Sequence[str | int]


def update_gate_bytes(item_bytes: int, action_bytes: Sequence[int]) -> int:
    """Return the size that UpdateItem must keep at ITEM_BYTES_MAX or below.

    item_bytes: the new image. action_bytes: of each action, `writing_bytes` or `removing_bytes`.
    """
    return max(item_bytes, UPDATE_BYTES + sum(action_bytes))


def writing_bytes(target: Path, written_bytes: int) -> int:
    """Return what SET or ADD costs.

    written_bytes: the size of the value from the request, `path_bytes` or `operation_bytes`.
    """
    return WRITING_BYTES + target_bytes(target) + written_bytes


def removing_bytes(target: Path) -> int:
    """Return what REMOVE or DELETE costs, however much that removes."""
    return REMOVING_BYTES + target_bytes(target)


def operation_bytes(operation: str, operands_bytes: int) -> int:
    """Return what an operation of OPERATION_BYTES costs as an operand; its result costs nothing."""
    return OPERATION_BYTES[operation] + operands_bytes


def path_bytes(path: Path) -> int:
    """Return what a path costs as an operand; the value it leads to costs nothing."""
    elements = (OPERAND_ELEMENT_BYTES + element_bytes(element) for element in path)
    return OPERAND_BYTES + sum(elements)


def target_bytes(path: Path) -> int:
    """Return what a path costs that is written to."""
    elements = (TARGET_ELEMENT_BYTES + element_bytes(element) for element in path)
    return sum(elements) - TARGET_ELEMENT_BYTES


def element_bytes(element: str | int) -> int:
    """Return the bytes of a name, or the digits of an index."""
    return len(str(element).encode("utf-8", "surrogatepass"))
