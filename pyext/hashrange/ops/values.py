"""Attribute values in typed form: what is wrong with one, in the service's words.

Theory of operation. `check_value` says what the service says of a typed value ({"S": "x"}), without
prefix; who calls adds the prefix of the place. Types were checked before (`requests.examine`), so
what is left is: exactly one type, numbers, sets, nesting.

The service checks values in one of two layers, which word bad numbers and doubled set members
differently. The older one still serves BatchWriteItem, Scan and the transactions; `older` is for
them.

Sources: messages as observed on the service in 2026; limits: developer guide.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any

from hashrange.errors import ValidationError, invalid_parameter, java_list

TYPES = frozenset(("S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"))
NESTING_MAX = 32
NAME_BYTES_MAX = 65535
DIGITS_MAX = 38
EXPONENT_MAX = 125
EXPONENT_MIN = -130
NUMBER_CHARACTERS_MAX = 4096
LONG_MAX = (1 << 63) - 1
INT_MAX = (1 << 31) - 1
NUMBER = re.compile(
    r"[+-]?(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]+))?"
).fullmatch

NESTING = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
    "beyond supported limit"
)

TypedValue = dict[str, Any]
TypedItem = dict[str, TypedValue]


def check_item(item: TypedItem, *, older: bool = False) -> None:
    """Check an item or key: its names, its values. Raises ValidationError for the first bad one."""
    for name, value in item.items():
        check_name(name)
        check_value(value, older=older)


def check_name(name: str) -> None:
    """Refuse a name of no bytes, or of more than 65,535, at any level."""
    if not name:
        raise invalid_parameter("An attribute name cannot be empty")
    if len(name) > NAME_BYTES_MAX // 4 and (
        len(name.encode("utf-8", "surrogatepass")) > NAME_BYTES_MAX
    ):
        raise ValidationError("Attribute name is too large, must be less than 65536 bytes")


def check_values(values: Iterable[TypedValue], *, older: bool = False) -> None:
    """Check several values. Raises ValidationError for the first bad one."""
    for value in values:
        check_value(value, older=older)


def check_value(value: TypedValue | None, depth: int = 1, *, older: bool = False) -> None:
    """Check one value, `depth` levels down. Raises ValidationError."""
    types = [name for name, inner in (value or {}).items() if inner is not None and name in TYPES]
    if value is None or not types:
        raise empty_value()
    for name in types:
        check_typed(name, value[name], depth, older=older)
    if len(types) > 1:
        raise ValidationError(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes"
        )


def empty_value() -> ValidationError:
    """Make the error of a value of no type."""
    return ValidationError(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
    )


def check_typed(name: str, inner: Any, depth: int, *, older: bool) -> None:
    """Check the content of one type of a value."""
    if name == "N":
        number_key(inner, older=older)
    elif name == "NULL":
        if inner is not True:
            raise invalid_parameter("Null attribute value types must have the value of true")
    elif name in ("SS", "NS", "BS"):
        check_set(name, inner, older=older)
    elif name in ("L", "M"):
        if depth >= NESTING_MAX:
            raise ValidationError(NESTING)
        for element in inner:
            if name == "M":
                check_name(element)
            check_value(inner[element] if name == "M" else element, depth + 1, older=older)


def check_set(name: str, members: list[Any], *, older: bool) -> None:
    """Check a set: not empty, no member twice; numbers are compared as numbers."""
    if not members:
        words = {
            "SS": "An string set  may not be empty",
            "NS": "An number set  may not be empty",
            "BS": "Binary sets should not be empty",
        }
        raise invalid_parameter(words[name])
    if None in members:
        raise empty_value()
    marks: list[Any]
    if name == "NS":
        marks = [number_key(member, older=older) for member in members]
    else:
        marks = [bytes_of_blob(member) if name == "BS" else member for member in members]
    if len(set(marks)) < len(marks):
        raise doubled_member(name, marks, older=older)


def bytes_of_blob(content: Any) -> bytes:
    """Return a binary that may be given as base64 text."""
    return base64.b64decode(content) if isinstance(content, str) else bytes(content)


def doubled_member(name: str, members: list[Any], *, older: bool) -> ValidationError:
    """Make the error of a set with a member twice."""
    if name == "NS":
        words = "Input collection contains duplicates"
        return ValidationError(words) if older else invalid_parameter(f"{words}.")
    if not older:
        members = up_to_the_repeat_sorted(members)
    shown = [base64.b64encode(m).decode() for m in members] if name == "BS" else members
    if older:
        text = java_list(shown)
    else:
        between = "," if name == "BS" else ", "
        text = "[" + between.join(f'"{member}"' for member in shown) + "]"
    kind = "of type BS" if name == "BS" else ""
    return invalid_parameter(f"Input collection {text}{kind} contains duplicates.")


def up_to_the_repeat_sorted(members: list[Any]) -> list[Any]:
    """Return members that were sorted in while they were new, the rest as it was."""
    fresh: list[Any] = []
    while members[len(fresh)] not in fresh:
        fresh.append(members[len(fresh)])
    return sorted(fresh, key=bytes_of) + members[len(fresh) :]


def bytes_of(member: str | bytes) -> bytes:
    """Return what strings and binaries are ordered by."""
    return member if isinstance(member, bytes) else member.encode("utf-8", "surrogatepass")


def number_key(text: str, *, older: bool = False) -> tuple[bool, str, int]:
    """Return what is equal for equal numbers: sign, digits without outer zeros, exponent.

    The number is 0.digits * 10 ** exponent. Raises ValidationError for what is no number, has more
    than 38 digits, or is out of range; a zero must not be written with an exponent out of range.
    """
    match = NUMBER(text) if len(text) <= NUMBER_CHARACTERS_MAX else None
    if match is None:
        raise not_numeric(text, older=older)
    whole, fraction, bare, power_text = match.groups()
    integer, decimals = whole or "", fraction or bare or ""
    power = int(power_text or 0)
    if not -LONG_MAX - 1 <= power <= LONG_MAX or (older and abs(power) > INT_MAX):
        raise not_numeric(text, older=older)
    digits = integer + decimals
    significant = digits.lstrip("0")
    exponent = len(significant or "0") - len(decimals) + power
    significant = significant.rstrip("0")
    if older and exponent > INT_MAX:
        exponent -= 1 << 32  # the older layer computes this in an int
    if exponent - 1 > EXPONENT_MAX:
        raise out_of_range("overflow", "larger")
    if exponent - 1 < EXPONENT_MIN:
        raise out_of_range("underflow", "smaller")
    if not significant:
        return False, "", 0
    if len(significant) > DIGITS_MAX:
        raise ValidationError("Attempting to store more than 38 significant digits in a Number")
    return text.startswith("-"), significant, exponent


def not_numeric(text: str, *, older: bool) -> ValidationError:
    """Make the error of a text that is no number."""
    words = "The parameter cannot be converted to a numeric value"
    return ValidationError(words if older and not text else f"{words}: {text}")


def out_of_range(what: str, than: str) -> ValidationError:
    """Make the error of a number that is out of range."""
    return ValidationError(
        f"Number {what}. Attempting to store a number with magnitude {than} than supported range"
    )


def type_of(value: TypedValue) -> str:
    """Return the type of a value. Raises StopIteration when it has none."""
    return next(name for name, inner in value.items() if inner is not None and name in TYPES)
