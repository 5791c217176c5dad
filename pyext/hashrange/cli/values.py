"""Values on the command line: keys by the table's types, items and placeholders as JSON.

Theory of operation. A key is text that the table's key types give its meaning; binary is base64. An
item is a JSON object, plain or typed: its key tells which. A placeholder is `:name=value` with a
JSON value, or with a bare word that is no JSON and hence a string.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from hashrange.exchange.typed import (
    READERS,
    Item,
    is_typed,
    native_item,
    native_value,
    parse_json,
    read_key,
    typed_value,
)

KeyValue = Any
Keys = Sequence[tuple[str, str]]

KINDS = ("S", "N", "B")


def key_of(texts: Sequence[str], keys: Keys) -> list[KeyValue]:
    """Return the native values of a whole key. UsageError when parts are missing or too many."""
    if len(texts) != len(keys):
        wanted = " and ".join(f"{name} ({kind})" for name, kind in keys)
        raise click.UsageError(f"the table's key is {wanted}; {len(texts)} given")
    return [key_part(text, key) for text, key in zip(texts, keys, strict=True)]


def key_part(text: str, key: tuple[str, str]) -> KeyValue:
    """Return the native value of one part of a key. ValueError names it."""
    name, kind = key
    try:
        return read_key(text, kind)
    except ValueError as error:
        raise ValueError(f"key {name} ({kind}): {error}") from None


def parse_key_schema(text: str) -> tuple[str, str]:
    """Return (name, type) of "name:S"; a name alone is a string. UsageError."""
    name, colon, kind = text.rpartition(":")
    if not colon:
        return text, "S"
    if kind not in KINDS or not name:
        raise click.UsageError(f"a key is NAME:TYPE with type S, N or B, not {text!r}")
    return name, kind


def parse_item(text: str, keys: Keys, typed: bool = False) -> Item:
    """Return the native item of a JSON object. ValueError."""
    try:
        value = parse_json(text)
    except ValueError as error:
        raise ValueError(f"ITEM is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("ITEM is not a JSON object")
    wrapped = value.get("Item")
    if isinstance(wrapped, dict) and len(value) == 1 and keys[0][0] != "Item":
        return native_item(wrapped)
    if typed or is_typed(value, keys[0][0]):
        return native_item(value)
    for name, kind in keys:
        if kind == "B" and isinstance(value.get(name), str):
            value[name] = read_key(value[name], kind)
    return value


def parse_value(text: str) -> Any:
    """Return the native value of a placeholder: JSON, typed JSON, or a bare string."""
    try:
        value = parse_json(text)
    except ValueError:
        return text
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in READERS:
        try:
            return native_value(value)
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
            return value        # a map with a member of such a name
    return value


def parse_names(pairs: Sequence[str]) -> dict[str, str]:
    """Return the placeholders of names, "#s=status". UsageError."""
    return dict(parse_pair(pair, "#", "name") for pair in pairs)


def parse_values(pairs: Sequence[str]) -> dict[str, Any]:
    """Return the placeholders of values, ":n=5", as native values. UsageError."""
    return {
        token: parse_value(text)
        for token, text in (parse_pair(pair, ":", "value") for pair in pairs)
    }


def typed_values(values: dict[str, Any]) -> Item:
    """Return placeholders of native values as placeholders of typed ones."""
    return {token: typed_value(value) for token, value in values.items()}


def parse_pair(pair: str, mark: str, option: str) -> tuple[str, str]:
    token, equals, text = pair.partition("=")
    if not equals or not token.startswith(mark) or len(token) < 2:
        raise click.UsageError(f"--{option} takes {mark}{option}=..., not {pair!r}")
    return token, text
