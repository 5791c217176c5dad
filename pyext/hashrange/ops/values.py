"""Attribute values in typed form: what is wrong with one, in the service's words.

Theory of operation. `check_value` says what the service says of a typed value ({"S": "x"}), without
prefix; who calls adds the prefix of the place. Types were checked before (`requests.examine`), so
what is left is: exactly one type, numbers, sets, nesting.

Sources: messages as observed on the service in 2026; limits: developer guide.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any

from hashrange.errors import ValidationError, invalid_parameter, java_list

NESTING_MAX = 32
DIGITS_MAX = 38
EXPONENT_MAX = 125
EXPONENT_MIN = -130
NUMBER_CHARACTERS_MAX = 4096
NUMBER = re.compile(r"[+-]?(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{1,9}))?").fullmatch

TypedValue = dict[str, Any]
TypedItem = dict[str, TypedValue]


def check_values(values: Iterable[TypedValue]) -> None:
    """Check several values. Raises ValidationError for the first bad one."""
    for value in values:
        check_value(value)


def check_value(value: TypedValue | None, depth: int = 1) -> None:
    """Check one value, `depth` levels down. Raises ValidationError."""
    types = [name for name, inner in (value or {}).items() if inner is not None]
    if value is None or not types:
        raise empty_value()
    for name in types:
        check_typed(name, value[name], depth)
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


def check_typed(name: str, inner: Any, depth: int) -> None:
    """Check the content of one type of a value."""
    if name == "N":
        number_key(inner)
    elif name == "NULL":
        if inner is not True:
            raise invalid_parameter("Null attribute value types must have the value of true")
    elif name in ("SS", "NS", "BS"):
        check_set(name, inner)
    elif name in ("L", "M"):
        if depth >= NESTING_MAX:
            raise ValidationError(
                "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
                "levels beyond supported limit"
            )
        for element in inner if name == "L" else inner.values():
            check_value(element, depth + 1)


def check_set(name: str, members: list[Any]) -> None:
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
    if name == "NS":
        if len({number_key(member) for member in members}) < len(members):
            raise ValidationError("Input collection contains duplicates")
    elif len({bytes(member) if name == "BS" else member for member in members}) < len(members):
        if name == "SS":
            raise invalid_parameter(f"Input collection {java_list(members)} contains duplicates.")
        encoded = java_list(base64.b64encode(member).decode() for member in members)
        raise invalid_parameter(f"Input collection {encoded}of type BS contains duplicates.")


def number_key(text: str) -> tuple[bool, str, int]:
    """Return what is equal for equal numbers: sign, digits without outer zeros, exponent.

    The number is 0.digits * 10 ** exponent. Raises ValidationError for what is no number, has more
    than 38 digits, or is out of range.
    """
    match = NUMBER(text) if len(text) <= NUMBER_CHARACTERS_MAX else None
    if match is None:
        raise ValidationError("A value provided cannot be converted into a number")
    whole, fraction, bare, power = match.groups()
    integer, decimals = whole or "", fraction or bare or ""
    digits = integer + decimals
    significant = digits.lstrip("0")
    exponent = len(integer) - (len(digits) - len(significant)) + int(power or 0)
    significant = significant.rstrip("0")
    if not significant:
        return False, "", 0
    if exponent - 1 > EXPONENT_MAX:
        raise ValidationError(
            "Number overflow. Attempting to store a number with magnitude larger than supported "
            "range"
        )
    if exponent - 1 < EXPONENT_MIN:
        raise ValidationError(
            "Number underflow. Attempting to store a number with magnitude smaller than supported "
            "range"
        )
    if len(significant) > DIGITS_MAX:
        raise ValidationError("Attempting to store more than 38 significant digits in a Number")
    return text.startswith("-"), significant, exponent


def type_of(value: TypedValue) -> str:
    """Return the type of a value that was checked."""
    return next(name for name, inner in value.items() if inner is not None)
