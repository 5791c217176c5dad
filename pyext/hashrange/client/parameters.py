"""Parameters: what a request must look like before it goes to the service, and its plain form.

Theory of operation. Two tiers. `acceptor` compiles a shape to one function that says whether a
value is certainly fine and can go to the engine as it is; it costs a tenth of a microsecond a
member. Whatever it does not know takes the exact tier: `faults` lists what is wrong in the words
and order of boto3's client, and `plain` writes a copy that has dicts, lists, bytes and seconds
where dict-likes, tuples, text or files for bytes, and datetimes were given.

Only types, unknown and missing members and least lengths are looked at here, as in boto3; all other
rules are the service's.

Invariants. (1) Where `acceptor` says True, `faults` is empty and `plain` changes nothing.
(2) Arguments are never changed.

Threads: any; nothing changes once compiled.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hashrange.client.exceptions import parameters_refused
from hashrange.client.shapes import (
    ATTRIBUTE_VALUE,
    Mapping,
    Scalar,
    Sequence,
    Shape,
    Structure,
)

Accepts = Callable[[Any], bool]

TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, Decimal, int),
    "bool": (bool,),
}
# A lambda like the other checks, which it stands among.
NEVER: Accepts = lambda value: False  # noqa: ARG005, E731
CONTENTS: dict[str, type] = {"S": str, "N": str, "B": bytes, "BOOL": bool, "NULL": bool}
MEMBERS: dict[str, type] = {"SS": str, "NS": str, "BS": bytes}


# ---- the fast tier -------------------------------------------------------------------------------


def accepts_value(kind: str, inner: Any) -> bool:
    """Tell whether the content of an attribute value of one type is certainly fine."""
    content = CONTENTS.get(kind)
    if content is not None:
        return type(inner) is content
    if kind == "M":
        return accepts_item(inner)
    if type(inner) is not list:
        return False
    if kind == "L":
        return all(map(accepts_attribute, inner))
    member = MEMBERS.get(kind)
    for element in inner:  # all() would cost a generator
        if type(element) is not member:
            return False
    return member is not None


def accepts_attribute(value: Any) -> bool:
    """Tell whether an attribute value is certainly fine."""
    if type(value) is not dict or len(value) != 1:
        return False
    ((kind, inner),) = value.items()
    return accepts_value(kind, inner)


def accepts_item(item: Any) -> bool:
    """Tell whether a map of attribute values is certainly fine."""
    if type(item) is not dict:
        return False
    for name, value in item.items():
        if type(name) is not str or type(value) is not dict or len(value) != 1:
            return False
        for kind, inner in value.items():
            content = CONTENTS.get(kind)
            if type(inner) is not content and (content or not accepts_value(kind, inner)):
                return False
    return True


def acceptor(shape: Shape) -> Accepts:
    """Compile a shape to a function that says True for what is certainly fine."""
    match shape:
        case Structure():
            return accepts_attribute if shape.name == ATTRIBUTE_VALUE else of_structure(shape)
        case Sequence():
            return of_sequence(shape)
        case Mapping():
            return of_mapping(shape)
        case Scalar():
            return of_scalar(shape)


def of_scalar(shape: Scalar) -> Accepts:
    """Compile a scalar; numbers with a fraction and times take the exact tier."""
    least = shape.least or 0
    match shape.base:
        case "str":
            return lambda value: type(value) is str and len(value) >= least
        case "bool":
            return lambda value: value is True or value is False
        case "bytes":
            return lambda value: type(value) is bytes
        case "int":
            bound = -math.inf if shape.least is None else shape.least
            return lambda value: type(value) is int and value >= bound
    return NEVER


def of_sequence(shape: Sequence) -> Accepts:
    """Compile a list."""
    least = shape.least or 0
    accepts = acceptor(shape.element)
    return lambda value: (
        type(value) is list and len(value) >= least and all(map(accepts, value))
    )


def of_mapping(shape: Mapping) -> Accepts:
    """Compile a map."""
    if isinstance(shape.value, Structure) and shape.value.name == ATTRIBUTE_VALUE:
        return accepts_item
    key, value = acceptor(shape.key), acceptor(shape.value)
    return lambda given: (
        type(given) is dict and all(map(key, given)) and all(map(value, given.values()))
    )


def of_structure(shape: Structure) -> Accepts:
    """Compile a structure; its members are compiled when they are first given."""
    members = shape.members
    required = shape.required
    compiled: dict[str, Accepts] = {}

    def check(given: Any) -> bool:
        if type(given) is not dict:
            return False
        for name in required:
            if name not in given:
                return False
        for name, value in given.items():
            accepts = compiled.get(name)
            if accepts is None:
                if name not in members:
                    return False
                accepts = compiled[name] = acceptor(members[name])
            if not accepts(value):
                return False
        return True

    return check


# ---- the exact tier ------------------------------------------------------------------------------


def exact(shape: Structure, given: dict[str, Any]) -> dict[str, Any]:
    """Return a request in plain form, whatever it was made of. Raises ParamValidationError."""
    found = list(faults(shape, given, ""))
    if found:
        raise parameters_refused("\n".join(found))
    made: dict[str, Any] = plain(shape, given)
    return made


def faults(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Yield what is wrong with a value, in the order in which boto3's client says it."""
    match shape:
        case Structure():
            yield from structure_faults(shape, value, path)
        case Sequence():
            if not isinstance(value, list | tuple):
                yield wrong_type(path, value, str(list), str(tuple))
                return
            yield from too_short(path, len(value), shape.least)
            for index, element in enumerate(value):
                yield from faults(shape.element, element, f"{path}[{index}]")
        case Mapping():
            if not isinstance(value, dict):
                yield wrong_type(path, value, str(dict))
                return
            for key, inner in value.items():
                yield from faults(shape.key, key, f"{path} (key: {key})")
                yield from faults(shape.value, inner, f"{path}.{key}")
        case Scalar():
            yield from scalar_faults(shape, value, path)


def structure_faults(shape: Structure, value: Any, path: str) -> Iterator[str]:
    """Yield what is wrong with a structure: missing members, unknown ones, then the others."""
    if not isinstance(value, dict):
        yield wrong_type(path, value, str(dict))
        return
    for name in shape.required:
        if name not in value:
            yield f'Missing required parameter in {shown(path)}: "{name}"'
    for name in value:
        if name not in shape.members:
            known = ", ".join(shape.members)
            yield f'Unknown parameter in {shown(path)}: "{name}", must be one of: {known}'
    for name, inner in value.items():
        if name in shape.members:
            yield from faults(shape.members[name], inner, f"{path}.{name}")


def scalar_faults(shape: Scalar, value: Any, path: str) -> Iterator[str]:
    """Yield what is wrong with a plain value."""
    if shape.kind == "bytes":
        if not isinstance(value, bytes | bytearray | str) and not hasattr(value, "read"):
            yield wrong_type(path, value, str(bytes), str(bytearray), "file-like object")
    elif shape.kind == "time":
        if seconds(value) is None:
            yield wrong_type(path, value, str(datetime), "timestamp-string")
    elif not isinstance(value, TYPES[shape.base]):
        yield wrong_type(path, value, *map(str, TYPES[shape.base]))
    else:
        yield from too_little(shape.least, value, path)


def too_little(least: int | None, value: Any, path: str) -> Iterator[str]:
    """Say that a text is shorter or a number less than it may be, if it is."""
    if isinstance(value, str):
        yield from too_short(path, len(value), least)
    elif least is not None and value < least:
        yield f"Invalid value for parameter {shown(path)}, value: {value}, valid min value: {least}"


def shown(path: str) -> str:
    """Return a path as messages have it."""
    return path.removeprefix(".") or "input"


def wrong_type(path: str, value: Any, *types: str) -> str:
    """Say that a value is of none of the types it may have."""
    return (
        f"Invalid type for parameter {shown(path)}, value: {value}, type: {type(value)}, "
        f"valid types: {', '.join(types)}"
    )


def too_short(path: str, length: int, least: int | None) -> Iterator[str]:
    """Say that a value is shorter than it may be, if it is; what botocore shows is the length."""
    if least is not None and length < least:
        yield (
            f"Invalid length for parameter {shown(path)}, value: {length}, "
            f"valid min length: {least}"
        )


# ---- the plain form ------------------------------------------------------------------------------


def plain(shape: Shape, value: Any) -> Any:
    """Return a value without faults as the engine takes it; nothing of it is shared."""
    match shape:
        case Structure():
            return {name: plain(shape.members[name], inner) for name, inner in value.items()}
        case Sequence():
            return [plain(shape.element, element) for element in value]
        case Mapping():
            return {
                plain(shape.key, key): plain(shape.value, inner) for key, inner in value.items()
            }
        case Scalar("bytes"):
            return plain_bytes(value)
        case Scalar("time"):
            return seconds(value)
        case Scalar("float"):
            return float(value)
        case Scalar():
            if isinstance(value, str):
                return str.__str__(value)
            return value if isinstance(value, bool) else int(value)


def plain_bytes(value: Any) -> bytes:
    """Return what a binary parameter stands for: text is its UTF-8, files are read."""
    content = value.read() if hasattr(value, "read") else value
    return content.encode() if isinstance(content, str) else bytes(content)


def seconds(value: Any) -> int | None:
    """Return a time as seconds since 1970, or None for what is no time.

    A datetime (local when it has no zone), a number, or either as text (ISO 8601).
    """
    try:
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                value = datetime.fromisoformat(value)
        if isinstance(value, int | float):
            return math.floor(datetime.fromtimestamp(value, UTC).timestamp())
        return int(value.timestamp() // 1)
    except (ValueError, TypeError, AttributeError, OverflowError, OSError):
        return None


def with_token(shape: Structure, given: dict[str, Any]) -> dict[str, Any]:
    """Return a request with its idempotency token, made up when there is none."""
    for name, member in shape.members.items():
        if isinstance(member, Scalar) and member.kind == "token" and name not in given:
            given = {**given, name: str(uuid.uuid4())}
    return given
