"""Values between their two forms: plain Python ones and the service's, {"S": "a"}.

Theory of operation. The engine has codecs for both forms over item bytes; this is for values that
are on their way through operations, such as the parameters and rows of PartiQL. Both directions
follow the codecs' rules: a value that is its own type says how it is typed, integral numbers come
back as int and others as Decimal, sets as set.

Threads: any.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from ddbcore.errors import ValidationError

__all__ = ["item_of", "typed_of", "value_of"]

DEPTH_MAX = 64  # the service refuses what is nested deeper than 32


def typed_of(value: Any, depth: int = 0) -> dict[str, Any]:
    """Return a plain value in typed form. Raises ValidationError for what is no value."""
    if depth > DEPTH_MAX:
        raise ValidationError(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
            "levels beyond supported limit"
        )
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": str(value)}
    if isinstance(value, (int, Decimal)):
        return {"N": number_text(value)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"B": bytes(value)}
    if isinstance(value, Mapping):
        return {"M": {name: typed_of(inner, depth + 1) for name, inner in value.items()}}
    if isinstance(value, AbstractSet):
        return typed_set(value)
    if isinstance(value, (list, tuple)):
        return {"L": [typed_of(inner, depth + 1) for inner in value]}
    raise not_a_value(value)


def typed_set(members: AbstractSet[Any]) -> dict[str, Any]:
    """Return a set in typed form: of the type that all its members have."""
    kinds = {kind for member in members for kind in typed_of(member)}
    if len(kinds) != 1 or not kinds <= {"S", "N", "B"}:
        raise ValidationError(
            "a set is not empty, and has strings only, numbers only or binaries only: "
            f"not {members!r:.100}"
        )
    return {f"{kinds.pop()}S": [inner for member in members for inner in typed_of(member).values()]}


def number_text(value: int | Decimal) -> str:
    """Return a number's text."""
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValidationError(f"a number is finite, not {value}")
    return str(value)


def not_a_value(value: Any) -> ValidationError:
    """Make the error of an object that no type of the data model has room for."""
    if isinstance(value, float):
        return ValidationError(
            f"float is not exact: give {value!r} as Decimal({str(value)!r}) or as int"
        )
    return ValidationError(f"{type(value).__qualname__} is no attribute value")


def value_of(typed: Mapping[str, Any]) -> Any:
    """Return a typed value as a plain one."""
    ((kind, content),) = typed.items()
    if kind == "N":
        return number_of(content)
    if kind == "B":
        return binary_of(content)
    if kind == "NULL":
        return None
    if kind == "M":
        return item_of(content)
    if kind == "L":
        return [value_of(inner) for inner in content]
    if kind == "SS":
        return set(content)
    if kind == "NS":
        return {number_of(text) for text in content}
    if kind == "BS":
        return {binary_of(inner) for inner in content}
    return content


def item_of(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return a typed item, or the content of a map, as a plain dict."""
    return {name: value_of(value) for name, value in typed.items()}


def number_of(text: str) -> int | Decimal:
    """Return a number: an int where it is integral."""
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else number


def binary_of(content: Any) -> bytes:
    """Return a binary, which may be base64 text."""
    return base64.b64decode(content) if isinstance(content, str) else bytes(content)


def parameters_of(values: Sequence[Any]) -> list[dict[str, Any]]:
    """Return parameters of a statement in typed form. Raises ValidationError."""
    if not isinstance(values, (list, tuple)):
        raise ValidationError(f"parameters are a list of values, not {values!r:.100}")
    return [typed_of(value) for value in values]
