"""Members of a request that have the wrong JSON type, and the service's words for them.

The service reads a whole request before it looks at any value in it, so a misfit anywhere is
reported before an invalid value elsewhere: `check` finds the first one. A missing member and one
that is null are the same to it, and members it does not know are ignored.

The texts name Java classes because the service's do.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from decimal import Decimal
from typing import Any, NoReturn

from ddbcore.errors import SerializationError

# What each member of an AttributeValue holds.
MEMBERS = {
    "S": "String",
    "N": "String",
    "B": "Blob",
    "BOOL": "Boolean",
    "NULL": "Boolean",
    "L": "List of AttributeValue",
    "M": "Map",
    "SS": "List of String",
    "NS": "List of String",
    "BS": "List of Blob",
}
COLLECTIONS = {
    "String": "class java.lang.String",
    "Boolean": "class java.lang.Boolean",
    "Blob": "class java.nio.ByteBuffer",
    "Map": "java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>",
    "AttributeValue": "class com.amazonaws.dynamodb.v20120810.AttributeValue",
}
# The service takes these words, in any case, where a boolean belongs.
WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
NOT_BASE64 = "only base-64-encoded strings are convertible to bytes"


def refuse(value: Any, wanted: str) -> NoReturn:
    """Raise the SerializationError of a value that is no `wanted`.

    wanted: "String", "Boolean", "Blob", "List", "Map" or "AttributeValue".
    """
    raise SerializationError(words_for(value, wanted))


def words_for(value: Any, wanted: str) -> str:
    """Return what the service says of a value that is no `wanted`."""
    if isinstance(value, dict):
        return "Start of structure or map found where not expected"
    if isinstance(value, (list, tuple)):
        return f"Unrecognized collection type {COLLECTIONS[wanted]}"
    if wanted == "AttributeValue":
        return "Unexpected value type in payload"
    if wanted in {"List", "Map"}:
        return "Unexpected field type"
    if wanted == "Blob":
        return NOT_BASE64
    if wanted == "Boolean" and isinstance(value, str):
        return "Unexpected token received from parser"
    return f"{token_of(value)} cannot be converted to {wanted}"


def token_of(value: Any) -> str:
    """Return the name of a scalar's JSON token; the Python type where JSON has none."""
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if isinstance(value, int):
        return "NUMBER_VALUE"
    if isinstance(value, (float, Decimal)):
        return "DECIMAL_VALUE"
    return type(value).__name__


def boolean(value: Any) -> bool:
    """Return the boolean that a value stands for. Raises SerializationError."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in WORDS:
        return WORDS[value.lower()]
    refuse(value, "Boolean")


def blob(text: str) -> bytes:
    """Return the bytes of base64 text, which must be padded and canonical.

    Raises SerializationError.
    """
    if len(text) % 4:
        raise SerializationError(
            f"Base64 encoded length is expected a multiple of 4 bytes but found: {len(text)}"
        )
    # A foreign character in front is noticed after stray bits behind the last one.
    if text and has_stray_bits(text[-4:]):
        raise SerializationError("Invalid last non-pad Base64 character dectected")
    try:
        return a2b_base64(text, strict_mode=True)
    except (Base64Error, ValueError):
        raise SerializationError("Unexpected value type in payload") from None


def has_stray_bits(quartet: str) -> bool:
    """Return whether the last character before the padding has bits that belong to no byte."""
    filled = quartet[:-2] + "AA" if quartet.endswith("==") else quartet[:-1] + "A"
    if not quartet.endswith("=") or not filled.isascii():
        return False
    try:
        data = a2b_base64(filled.replace("=", "A"), strict_mode=True)
    except (Base64Error, ValueError):
        return False
    used = 1 if quartet.endswith("==") else 2
    return any(data[used:])


def base64_text(data: bytes) -> str:
    """Return the base64 text of bytes, as messages repeat it."""
    return b2a_base64(data, newline=False).decode("ascii")


def check(value: Any, wanted: str = "Map") -> None:
    """Raise the SerializationError of the first misfit in a tree, if there is one.

    Each container is looked at once, so trees that contain themselves come to an end.
    """
    seen: set[int] = set()
    stack = [(value, wanted)]
    while stack:
        value, wanted = stack.pop()
        children = check_one(value, wanted)
        if children and id(value) not in seen:
            seen.add(id(value))
            stack += reversed(children)


def check_one(value: Any, wanted: str) -> list[tuple[Any, str]]:
    """Check one value; return what is in it, with what is wanted there."""
    kind, _, member = wanted.partition(" of ")
    if value is None:
        return []
    if kind == "List":
        if not isinstance(value, (list, tuple)):
            refuse(value, kind)
        return [(child, member) for child in value]
    if kind in {"Map", "AttributeValue"}:
        if not isinstance(value, dict):
            refuse(value, kind)
        if kind == "Map":
            return [(child, "AttributeValue") for child in value.values()]
        return [(child, MEMBERS[tag]) for tag, child in value.items() if tag in MEMBERS]
    if kind == "Boolean":
        boolean(value)
    elif kind == "Blob":
        if isinstance(value, str):
            blob(value)
        elif not isinstance(value, (bytes, bytearray, memoryview)):
            refuse(value, kind)
    elif not isinstance(value, str):
        refuse(value, kind)
    return []
