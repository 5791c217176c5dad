"""Sizes: of an item in typed form, and the one that decides whether an update is let through.

Theory of operation. A put must keep the item at 400 KB or below. A single UpdateItem must keep the
larger of two sizes there: that of the new item, and the charge for what the update writes. The
charge knows only the request: attributes that the update leaves alone, and the key, are not in it.
PartiQL and transactions have no such charge.

Nearly every update is so small that a glance tells (`surely_small`); only others are parsed for it.

Source: measured on the service in 2026-10 in 22 regions; the other ten have no charge either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ddbcore.number import size as number_size
from ddbcore.requests import surely_short
from hashrange.expr import tree
from hashrange.ops.values import NESTING_MAX, TypedItem, TypedValue, bytes_of_blob, type_of

ITEM_BYTES_MAX = 400 << 10

UPDATE_BYTES = 3
WRITING_BYTES = 19
REMOVING_BYTES = 1
TARGET_ELEMENT_BYTES = 4
OPERAND_BYTES = 1
OPERAND_ELEMENT_BYTES = 14
OPERATION_BYTES = {"+": 34, "-": 37, "if_not_exists": 39, "list_append": 37}

CONTAINER_BYTES = 3
# What a value of a request costs at most: UTF-8 has four bytes for a character, a number or flag
# no more than 21, a list or map one for each element besides its head.
CHARACTER_BYTES = 4
SCALAR_BYTES = 21
# What a character of an update's text costs at most, names and values aside: "a+a" has an operation
# of 34 bytes and two operands of 15, none of the others comes near.
TEXT_CHARACTER_BYTES = 64

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


# ---- updates -------------------------------------------------------------------------------------


def surely_small(
    text: str, names: Mapping[str, str] | None, values: Mapping[str, TypedValue] | None
) -> bool:
    """Tell whether an update of this text cannot be charged more than an item may have."""
    if surely_short(text, names, values):
        return True                       # 256 uses of 256 characters, and the text itself
    longest = 0
    for name in (names or {}).values():
        longest = max(longest, CHARACTER_BYTES * len(name))
    for value in (values or {}).values():
        longest = max(longest, bytes_at_most(value))
    uses = text.count("#") + text.count(":")
    return UPDATE_BYTES + TEXT_CHARACTER_BYTES * len(text) + uses * longest <= ITEM_BYTES_MAX


def bytes_at_most(content: Any, depth: int = 0) -> int:
    """Return a bound of what a value, or what is in it, costs, whatever it is made of."""
    if isinstance(content, str):
        return CHARACTER_BYTES * len(content)
    if isinstance(content, list | dict):
        if depth > 2 * NESTING_MAX:
            return ITEM_BYTES_MAX + 1
        inner = content.values() if isinstance(content, dict) else content
        total = CONTAINER_BYTES + sum(1 + bytes_at_most(each, depth + 1) for each in inner)
        if isinstance(content, dict):
            total += CHARACTER_BYTES * sum(len(key) for key in content)
        return total
    return len(content) if isinstance(content, bytes | bytearray | memoryview) else SCALAR_BYTES


def update_bytes(
    actions: Sequence[tree.Action],
    names: Mapping[str, str] | None,
    values: Mapping[str, TypedValue] | None,
) -> list[int]:
    """Return what each action of an update costs.

    names, values: the request's placeholders, checked: each that occurs is there.
    """
    costs = []
    for action in actions:
        target = path_of(action.path, names)
        if isinstance(action, tree.Remove | tree.Delete):
            costs.append(removing_bytes(target))
        else:
            costs.append(writing_bytes(target, operand_bytes(action.value, names, values)))
    return costs


def operand_bytes(
    operand: tree.Operand | tree.Arithmetic,
    names: Mapping[str, str] | None,
    values: Mapping[str, TypedValue] | None,
) -> int:
    """Return what an operand of SET or ADD costs."""
    if isinstance(operand, tree.Value):
        return value_bytes((values or {})[operand.token])
    if isinstance(operand, tree.Path):
        return path_bytes(path_of(operand, names))
    operation, operands = operand_parts(operand)
    return operation_bytes(operation, sum(operand_bytes(each, names, values) for each in operands))


def operand_parts(
    operand: tree.Call | tree.Arithmetic,
) -> tuple[str, Sequence[tree.Operand]]:
    """Return the operation of an operand, and what it is done with."""
    if isinstance(operand, tree.Arithmetic):
        return operand.operator, (operand.left, operand.right)
    return operand.function, operand.arguments


def path_of(path: tree.Path, names: Mapping[str, str] | None) -> Path:
    """Return a path with its placeholders replaced."""
    given = names or {}
    return [given.get(element, element) if isinstance(element, str) else element
            for element in path.elements]


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
