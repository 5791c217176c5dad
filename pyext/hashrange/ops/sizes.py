"""Sizes: of an item in typed form, and the one that decides whether an update is let through.

Theory of operation. A put must keep the item at 400 KB or below. A single UpdateItem must keep the
larger of two sizes there: that of the new item, and the charge for what the update writes. The
charge knows only the request: attributes that the update leaves alone, and the key, are not in it.
PartiQL and transactions have no such charge.

Source: measured on the service in 2026-10 in 22 regions; the other ten have no charge either.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ddbcore.number import size as number_size
from hashrange.ops.values import TypedItem, TypedValue, bytes_of_blob, type_of

ITEM_BYTES_MAX = 400 << 10

UPDATE_BYTES = 3
WRITING_BYTES = 19
REMOVING_BYTES = 1
TARGET_ELEMENT_BYTES = 4
OPERAND_BYTES = 1
OPERAND_ELEMENT_BYTES = 14
OPERATION_BYTES = {"+": 34, "-": 37, "if_not_exists": 39, "list_append": 37}

CONTAINER_BYTES = 3

Path = Sequence[str | int]


def item_bytes(item: TypedItem) -> int:
    """Return DynamoDB's size of an item that the engine does not have."""
    return sum(element_bytes(name) + value_bytes(value) for name, value in item.items())


def value_bytes(value: TypedValue) -> int:
    """Return DynamoDB's size of a value."""
    kind = type_of(value)
    content: Any = value[kind]
    if kind == "L":
        return CONTAINER_BYTES + sum(1 + value_bytes(element) for element in content)
    if kind == "M":
        return CONTAINER_BYTES + len(content) + item_bytes(content)
    if kind in ("SS", "NS", "BS"):
        return sum(value_bytes({kind[0]: member}) for member in content)
    if kind == "N":
        return number_size(Decimal(content))
    if kind == "S":
        return element_bytes(content)
    if kind == "B":
        return len(bytes_of_blob(content))
    return 1


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
