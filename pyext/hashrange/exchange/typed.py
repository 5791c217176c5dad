"""Values in DynamoDB's JSON and in plain JSON: texts to native values, typed values to texts.

Theory of operation. A typed value is an object of one member: the type's letters and the value,
with numbers as text and bytes in base64. Reading makes the values of the native API at once, since
that is what batches take. Writing starts from what `Database.execute` returns, where binary is
bytes and a number is text already: it is copied into plain JSON digit by digit.

Plain JSON knows no sets and no binary: they become lists and base64 text, and are strings and lists
when they are read again. Only a key that is declared binary is read as base64.

Source: developer guide, low-level API, data type descriptors.
"""

from __future__ import annotations

import base64
import json
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from json.encoder import encode_basestring as quoted
from typing import Any, NoReturn

Item = dict[str, Any]

NUMBER_CHARACTERS_MAX = 4096        # as in requests; 38 digits are significant
SHORT_NUMBER_CHARACTERS = 18        # up to here an int is made without Decimal


# ---- JSON to native values -----------------------------------------------------------------------


def parse_json(text: str | bytes) -> Any:
    """Return the native value of plain JSON: 1 as int, 1.0 as Decimal. Raises ValueError."""
    try:
        return decode_json(text.decode("utf-8") if isinstance(text, bytes) else text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


decode_json = json.JSONDecoder(parse_float=Decimal, parse_constant=refuse_constant).decode


def is_typed(item: Mapping[str, Any], hash_name: str) -> bool:
    """Return whether an item is in typed form: its key is an object, which a plain key never is."""
    return isinstance(item.get(hash_name), dict)


def native_item(typed: Item) -> Item:
    """Return the native item of a typed one. ValueError names the attribute that is no value."""
    name = ""
    item = {}
    try:
        for name, value in typed.items():
            [(letters, inner)] = value.items()
            item[name] = READERS[letters](inner)
    except RecursionError:
        raise ValueError(f"attribute {name!r} is nested too deeply") from None
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        why = f" ({error})" if type(error) is ValueError else ""
        raise ValueError(f"attribute {name!r} is no DynamoDB JSON value{why}") from None
    return item


def native_value(typed: Item) -> Any:
    """Return the native value of a typed one; some Exception of a look-up when it is none."""
    [(letters, value)] = typed.items()
    return READERS[letters](value)


def read_string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("S is a string")
    return value


def read_number(value: Any) -> int | Decimal:
    """Return a number that is given as text: int when it is short and whole, else Decimal."""
    if not isinstance(value, str) or len(value) > NUMBER_CHARACTERS_MAX:
        raise ValueError("N is a number as a string")
    if len(value) <= SHORT_NUMBER_CHARACTERS and value.isdecimal():
        return int(value)
    return Decimal(value)


def read_binary(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError("B is base64 text")
    return a2b_base64(value, strict_mode=True)


def read_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("BOOL is true or false")
    return value


def read_null(value: Any) -> None:
    if value is not True:
        raise ValueError("NULL is true")


def read_list(values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise ValueError("L is a list")
    return [native_value(value) for value in values]


def read_map(values: Any) -> Item:
    return {name: native_value(value) for name, value in values.items()}


def read_set(read: Callable[[Any], Any]) -> Callable[[Any], set[Any]]:
    """Return the reader of a set whose members `read` reads."""

    def reader(values: Any) -> set[Any]:
        members = {read(value) for value in values} if isinstance(values, list) else set()
        if not members or len(members) != len(values):
            raise ValueError("a set is a list of members, at least one, none twice")
        return members

    return reader


READERS: dict[str, Callable[[Any], Any]] = {
    "S": read_string,
    "N": read_number,
    "B": read_binary,
    "BOOL": read_bool,
    "NULL": read_null,
    "L": read_list,
    "M": read_map,
    "SS": read_set(read_string),
    "NS": read_set(read_number),
    "BS": read_set(read_binary),
}


def read_key(text: str, kind: str) -> str | int | Decimal | bytes:
    """Return the value of a key of type "S", "N" or "B" from text; B from base64. ValueError."""
    try:
        value: str | int | Decimal | bytes = READERS[kind](text)
    except (ValueError, ArithmeticError):
        words = "a number" if kind == "N" else "base64 text"
        raise ValueError(f"{text[:80]!r} is not {words}") from None
    return value


# ---- native values to typed ones -----------------------------------------------------------------


def typed_value(value: Any) -> Item:
    """Return the typed value of a native one, with bytes as bytes. ValueError for other types."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case None:
            return {"NULL": True}
        case list():
            return {"L": [typed_value(member) for member in value]}
        case dict():
            return {"M": {name: typed_value(member) for name, member in value.items()}}
        case set():
            return typed_set(value)
    raise ValueError(f"a value of type {type(value).__name__} cannot be stored")


def typed_set(members: Iterable[Any]) -> Item:
    """Return the typed value of a set that is not empty."""
    values = [typed_value(member) for member in members]
    letters = next(iter(values[0])) if values else "S"
    return {letters + "S": [value[letters] for value in values]}


# ---- typed values to texts -----------------------------------------------------------------------


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


typed_text: Callable[[Any], str] = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=base64_text
).encode


def plain_text(item: Item) -> str:
    """Return a typed item as one plain JSON object."""
    members = (f"{quoted(name)}: {plain_value(value)}" for name, value in item.items())
    return "{" + ", ".join(members) + "}"


def plain_value(typed: Item) -> str:
    """Return a typed value as plain JSON: sets as lists, binary as base64 text."""
    [(letters, value)] = typed.items()
    return WRITERS[letters](value)


def write_binary(value: bytes | str) -> str:
    return f'"{value if isinstance(value, str) else base64_text(value)}"'


def write_all(write: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return the writer of a list whose members `write` writes."""
    return lambda values: "[" + ", ".join(map(write, values)) + "]"


WRITERS: dict[str, Callable[[Any], str]] = {
    "S": quoted,
    "N": str,
    "B": write_binary,
    "BOOL": lambda value: "true" if value else "false",
    "NULL": lambda _: "null",
    "L": write_all(plain_value),
    "M": plain_text,
    "SS": write_all(quoted),
    "NS": write_all(str),
    "BS": write_all(write_binary),
}
