"""Values: Python objects to attribute values in typed form and back, by boto3's rules.

They differ from the native API's: numbers come back as Decimal always, binaries as Binary, and a
set, list or dict of any kind goes in. The texts of the TypeErrors are boto3's.

Binary becomes a subclass of boto3's own where boto3 is loaded (`join_boto3`), so that either may
stand for the other; boto3's is taken like ours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Set
from decimal import Clamped, Context, Decimal, Inexact, Overflow, Rounded, Underflow
from typing import Any

__all__ = ["Binary", "TypeDeserializer", "TypeSerializer", "join_boto3"]

TypedValue = dict[str, Any]

# What the service stores exactly; all else is refused instead of being rounded.
NUMBERS = Context(
    Emin=-128, Emax=126, prec=38, traps=[Clamped, Overflow, Inexact, Rounded, Underflow]
)
BINARY_TYPES = (bytearray, bytes)
INT_MAX = 10**37          # below it an int has no more digits than the service keeps


class _Root:
    """A base that can be exchanged; `object` itself cannot."""


class Binary(_Root):
    """A binary value: `value`, or bytes(it). Equal to what its value is equal to."""

    def __init__(self, value: Any) -> None:
        if not isinstance(value, BINARY_TYPES):
            types = ", ".join(map(str, BINARY_TYPES))
            raise TypeError(f"Value must be of the following types: {types}")
        self.value = value

    def __eq__(self, other: object) -> bool:
        if is_binary(other):
            return bool(self.value == getattr(other, "value", None))
        return self.value == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.value)

    def __bytes__(self) -> bytes:
        return bytes(self.value)

    def __repr__(self) -> str:
        return f"Binary({self.value!r})"

    def __str__(self) -> str:
        return str(self.value)


def join_boto3() -> None:
    """Make Binary a subclass of boto3's, if that is loaded."""
    theirs: Any = getattr(sys.modules.get("boto3.dynamodb.types"), "Binary", None)
    if theirs is not None and theirs not in Binary.__mro__:
        Binary.__bases__ = (theirs,)


def is_binary(value: object) -> bool:
    """Tell whether a value is a Binary, ours or boto3's."""
    if isinstance(value, Binary):
        return True
    theirs = getattr(sys.modules.get("boto3.dynamodb.types"), "Binary", None)
    return theirs is not None and isinstance(value, theirs)


# ---- to the service ------------------------------------------------------------------------------


def number_text(value: Any) -> str:
    """Return a number as text. Raises decimal's errors for one that would be rounded."""
    text = str(NUMBERS.create_decimal(value))
    if text in ("Infinity", "NaN"):
        raise TypeError("Infinity and NaN not supported")
    return text


def binary_content(value: Any) -> Any:
    """Return the bytes of a binary value."""
    return value if isinstance(value, BINARY_TYPES) else value.value


def is_number(value: object) -> bool:
    """Tell whether a value is a number. Raises TypeError for a float."""
    if isinstance(value, float):
        raise TypeError("Float types are not supported. Use Decimal types instead.")
    return isinstance(value, int | Decimal)


def typed_set(value: Set[Any]) -> TypedValue:
    """Return a set in typed form: of numbers, else of strings, else of binaries."""
    if all(map(is_number, value)):
        return {"NS": [number_text(member) for member in value]}
    if all(isinstance(member, str) for member in value):
        return {"SS": list(value)}
    if all(isinstance(member, BINARY_TYPES) or is_binary(member) for member in value):
        return {"BS": [binary_content(member) for member in value]}
    raise unsupported(value)


def unsupported(value: object) -> TypeError:
    """Make the error of a value that no attribute can have."""
    return TypeError(f'Unsupported type "{type(value)}" for value "{value}"')


def typed_int(value: int) -> TypedValue:
    """Return an int in typed form. Raises decimal's errors for one that would be rounded."""
    return {"N": str(value) if -INT_MAX < value < INT_MAX else number_text(value)}


def typed_item(item: Mapping[str, Any]) -> dict[str, TypedValue]:
    """Return a dict's values in typed form."""
    get = BY_TYPE.get
    return {name: (get(type(value)) or typed_subclass)(value) for name, value in item.items()}


def typed(value: Any) -> TypedValue:
    """Return a value in typed form. Raises TypeError, decimal's errors."""
    make = BY_TYPE.get(type(value))
    return typed_subclass(value) if make is None else make(value)


def typed_subclass(value: Any) -> TypedValue:
    """Return in typed form what is none of the usual types itself."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if is_number(value):
        return {"N": number_text(value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, BINARY_TYPES) or is_binary(value):
        return {"B": binary_content(value)}
    if isinstance(value, Set):
        return typed_set(value)
    if isinstance(value, Mapping):
        return {"M": typed_item(value)}
    if isinstance(value, list | tuple):
        return {"L": [typed(element) for element in value]}
    raise unsupported(value)


BY_TYPE: dict[type, Callable[[Any], TypedValue]] = {
    str: lambda value: {"S": value},
    int: typed_int,
    Decimal: lambda value: {"N": number_text(value)},
    bool: lambda value: {"BOOL": value},
    type(None): lambda value: {"NULL": True},  # noqa: ARG005 - called like the others
    bytes: lambda value: {"B": value},
    bytearray: lambda value: {"B": value},
    Binary: lambda value: {"B": value.value},
    set: typed_set,
    frozenset: typed_set,
    dict: lambda value: {"M": typed_item(value)},
    list: lambda value: {"L": [typed(element) for element in value]},
    tuple: lambda value: {"L": [typed(element) for element in value]},
}


# ---- from the service ----------------------------------------------------------------------------


def python(value: TypedValue) -> Any:
    """Return the Python object of an attribute value. Raises TypeError."""
    for kind, inner in value.items() if value else ():
        make = BY_KIND.get(kind)
        if make is None:
            raise TypeError(f"Dynamodb type {kind} is not supported")
        return make(inner)
    raise TypeError("Value must be a nonempty dictionary whose key is a valid dynamodb type.")


def python_item(item: dict[str, TypedValue]) -> dict[str, Any]:
    """Return an item as Python objects. Raises TypeError."""
    try:
        # The usual case, each value of one type, without a call for each.
        return {
            name: BY_KIND[kind](inner)
            for name, value in item.items()
            for ((kind, inner),) in (value.items(),)
        }
    except (KeyError, ValueError, AttributeError):
        return {name: python(value) for name, value in item.items()}


BY_KIND: dict[str, Callable[[Any], Any]] = {
    "S": lambda inner: inner,
    "N": NUMBERS.create_decimal,
    "B": Binary,
    "BOOL": lambda inner: inner,
    "NULL": lambda inner: None,  # noqa: ARG005 - called like the others
    "SS": set,
    "NS": lambda inner: set(map(NUMBERS.create_decimal, inner)),
    "BS": lambda inner: set(map(Binary, inner)),
    "L": lambda inner: [python(element) for element in inner],
    "M": python_item,
}


class TypeSerializer:
    """Makes attribute values of Python objects; boto3.dynamodb.types.TypeSerializer."""

    def serialize(self, value: Any) -> TypedValue:
        """Return a value in typed form: 1 is {"N": "1"}.

        Raises TypeError for what no attribute can be (float among it), and decimal's errors
        (Inexact, Rounded, Overflow, Underflow) for numbers that the service does not store.
        """
        return typed(value)


class TypeDeserializer:
    """Makes Python objects of attribute values; boto3.dynamodb.types.TypeDeserializer."""

    def deserialize(self, value: TypedValue) -> Any:
        """Return the Python object: Decimal for N, Binary for B. Raises TypeError."""
        return python(value)
