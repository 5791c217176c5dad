"""Shapes: the types of requests and responses, read from the facts when they are asked for.

Theory of operation. `structure(name)` parses one entry of `facts.STRUCTURES`; its members are
parsed when they are first looked at, so that a structure may contain itself (AttributeValue does)
and a program that only ever calls GetItem parses little. Shapes are data: what is done with them
stands in `parameters` (requests), `answers` (times) and `transformation` (the resource's values).

Threads: any. Parsing twice does no harm, and nothing changes afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property

from hashrange.client import facts

SCALAR = re.compile(r"(str|int|float|bool|bytes|time|token|condition|keycondition)(-?[0-9]+)?")
NUMBER = re.compile(r"[0-9]*")
NAME = re.compile(r"[A-Za-z0-9]+")
# Where a word begins in a name: CreateTable, SSEDescription, GlobalTableARN.
WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

ATTRIBUTE_VALUE = "AttributeValue"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A plain value. least: the least length of text, the least value of a number, or None."""

    kind: str
    least: int | None

    @property
    def base(self) -> str:
        """Return what it is made of: text that has a special meaning is text."""
        return "str" if self.kind in ("token", "condition", "keycondition") else self.kind


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list. least: its least length, or None."""

    element: Shape
    least: int | None


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map from text."""

    key: Scalar
    value: Shape


class Structure:
    """Members by name. required: the names of those that a request must have."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    @cached_property
    def members(self) -> dict[str, Shape]:
        """Return the members' shapes, in the service's order."""
        return {word.split(":")[0].rstrip("!"): parsed(word) for word in self.words()}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Return the names of the members that must be there."""
        return tuple(word.split("!")[0] for word in self.words() if "!:" in word)

    def words(self) -> list[str]:
        """Return one word a member."""
        return self.text.replace(": ", ":").split()


Shape = Scalar | Sequence | Mapping | Structure


def parsed(word: str) -> Shape:
    """Return the shape of a member given as `Name:type`."""
    text = word.split(":", 1)[1]
    shape, end = shape_at(text, 0)
    if end != len(text):
        raise ValueError(f"no type: {text!r}")
    return shape


def shape_at(text: str, start: int) -> tuple[Shape, int]:
    """Return the shape that begins at a place of a text, and where it ends."""
    if text[start] == "[":
        element, end = shape_at(text, start + 1)
        least = NUMBER.match(text, end + 1)
        assert least is not None
        return Sequence(element, int(least.group()) if least.group() else None), least.end()
    if text[start] == "<":
        key, end = shape_at(text, start + 1)
        value, end = shape_at(text, end + 1)
        assert isinstance(key, Scalar)
        return Mapping(key, value), end + 1
    scalar = SCALAR.match(text, start)
    if scalar is not None:
        least_text = scalar.group(2)
        return Scalar(scalar.group(1), int(least_text) if least_text else None), scalar.end()
    name = NAME.match(text, start)
    if name is None:
        raise ValueError(f"no type: {text[start:]!r}")
    return structure(name.group()), name.end()


@cache
def entries() -> dict[str, str]:
    """Return the members of each structure, as text."""
    return dict(
        entry.partition(" = ")[::2] if " = " in entry else (entry.split(" =")[0], "")
        for entry in joined(facts.STRUCTURES)
    )


def joined(text: str) -> list[str]:
    """Return the entries of a text of facts, each in one line."""
    return text.replace("\n ", " ").strip().split("\n")


@cache
def structure(name: str) -> Structure:
    """Return a structure by its name. Raises KeyError."""
    return Structure(name, entries()[name])


@cache
def operations() -> dict[str, tuple[str, str | None]]:
    """Return the names of the structures of each operation's request and response."""
    found: dict[str, tuple[str, str | None]] = {}
    for entry in joined(facts.OPERATIONS):
        name, *names = entry.split()
        request, response = names or (f"{name}Input", f"{name}Output")
        found[name] = request, None if response == "-" else response
    return found


def snake_case(name: str) -> str:
    """Return the Python name for a name of the service: CreateTable is create_table."""
    return WORD.sub("_", name).lower()
