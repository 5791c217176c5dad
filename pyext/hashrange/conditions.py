"""Conditions as objects: Key("id").eq(1) & Attr("tags").contains("x").

An object says what an expression says in text, with attribute names and values in place, so no
placeholders need be made up and no reserved word gets in the way. `Condition.expression` is the
text with generated placeholders: the same for all values, so that it is compiled once.

boto3's conditions (boto3.dynamodb.conditions) are taken wherever ours are: they are recognised by
their `get_expression`, boto3 itself is never imported.

Names are document paths as in boto3: "a.b[0]" leads into a document. Source: developer guide,
"Comparison operator and function reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ddbcore.errors import ValidationError

__all__ = [
    "Attr",
    "Condition",
    "Expression",
    "Key",
    "condition_arguments",
    "condition_expression",
    "is_condition",
]

# The names in a path; what lies between them are dots and indexes.
_NAME = re.compile(r"[^.\[\]]+(?![^\[]*\])")
DEPTH_MAX = 150  # changes between AND, OR and NOT on the way down


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression and what its placeholders stand for."""

    text: str
    names: dict[str, str]
    values: dict[str, Any]


@dataclass(slots=True)
class _Writer:
    """Placeholders handed out while a condition is written; the caller's own are left alone."""

    taken_names: Iterable[str]
    taken_values: Iterable[str]
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def path(self, path: str) -> str:
        return _NAME.sub(lambda match: self.name(match.group()), path)

    def name(self, name: str) -> str:
        token = self.tokens.get(name)
        if token is None:
            token = _unused("#n", len(self.names), self.taken_names)
            self.tokens[name] = token
            self.names[token] = name
        return token

    def value(self, value: Any) -> str:
        token = _unused(":v", len(self.values), self.taken_values)
        self.values[token] = value
        return token


def _unused(start: str, number: int, taken: Iterable[str]) -> str:
    token = f"{start}{number}"
    while token in taken:
        token += "_"
    return token


class Condition:
    """A condition: combine with &, | and ~. Made by the methods of Key, Attr and Attr.size()."""

    # Like boto3's: equal by what it says, and so not hashed by what it is.
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, operator: str, *operands: Any) -> None:
        self.operator = operator
        self.operands = operands

    def __and__(self, other: Any) -> Condition:
        return Condition("AND", self, _condition(other))

    def __or__(self, other: Any) -> Condition:
        return Condition("OR", self, _condition(other))

    def __invert__(self) -> Condition:
        return Condition("NOT", self)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Condition)
            and self.operator == other.operator
            and self.operands == other.operands
        )

    def __repr__(self) -> str:
        return f"Condition({', '.join(map(repr, (self.operator, *self.operands)))})"


class _Operand:
    """What can be compared."""

    def eq(self, value: Any) -> Condition:
        """Return the condition that it equals a value (or attribute)."""
        return Condition("=", self, value)

    def lt(self, value: Any) -> Condition:
        """Return the condition that it is less than a value."""
        return Condition("<", self, value)

    def lte(self, value: Any) -> Condition:
        """Return the condition that it is less than or equal to a value."""
        return Condition("<=", self, value)

    def gt(self, value: Any) -> Condition:
        """Return the condition that it is greater than a value."""
        return Condition(">", self, value)

    def gte(self, value: Any) -> Condition:
        """Return the condition that it is greater than or equal to a value."""
        return Condition(">=", self, value)

    def between(self, low: Any, high: Any) -> Condition:
        """Return the condition that it lies between two values, both included."""
        return Condition("BETWEEN", self, low, high)


class _Named(_Operand):
    """What has a name."""

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise ValidationError(f"an attribute's name is a str that is not empty, not {name!r}")
        self.name = name

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.name == getattr(other, "name", None)

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def begins_with(self, value: Any) -> Condition:
        """Return the condition that a string or binary begins with a value."""
        return Condition("begins_with", self, value)


class Key(_Named):
    """A key attribute of a table or index, for key conditions."""


class _Size(_Operand):
    """The size of an attribute: size(name)."""

    def __init__(self, attribute: Attr) -> None:
        self.attribute = attribute

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Size) and self.attribute == other.attribute

    def __hash__(self) -> int:
        return hash((_Size, self.attribute))

    def __repr__(self) -> str:
        return f"{self.attribute!r}.size()"

    def ne(self, value: Any) -> Condition:
        """Return the condition that the size differs from a value."""
        return Condition("<>", self, value)

    def is_in(self, values: Iterable[Any]) -> Condition:
        """Return the condition that the size is one of the values."""
        return Condition("IN", self, *values)


class Attr(_Named):
    """An attribute, or a path into one ("a.b[0]"), for filters and conditions of writes."""

    def ne(self, value: Any) -> Condition:
        """Return the condition that it differs from a value; an absent one does."""
        return Condition("<>", self, value)

    def is_in(self, values: Iterable[Any]) -> Condition:
        """Return the condition that it equals one of the values (1 to 100)."""
        return Condition("IN", self, *values)

    def exists(self) -> Condition:
        """Return the condition that there is such an attribute."""
        return Condition("attribute_exists", self)

    def not_exists(self) -> Condition:
        """Return the condition that there is no such attribute."""
        return Condition("attribute_not_exists", self)

    def contains(self, value: Any) -> Condition:
        """Return the condition that a string has this part, or a set or list this element."""
        return Condition("contains", self, value)

    def size(self) -> _Size:
        """Return its size, to be compared: characters, bytes or elements."""
        return _Size(self)

    def attribute_type(self, value: str) -> Condition:
        """Return the condition that it has a type: "S", "N", "B", "BOOL", "NULL", "L", ..."""
        return Condition("attribute_type", self, value)


# ---- writing -------------------------------------------------------------------------------------


def is_condition(value: object) -> bool:
    """Tell whether a value is one of our conditions or of boto3's."""
    return isinstance(value, Condition) or callable(getattr(value, "get_expression", None))


def condition_expression(
    condition: Any, names: Iterable[str] = (), values: Iterable[str] = ()
) -> Expression:
    """Write a condition as an expression with generated placeholders.

    condition: one of ours, or of boto3.dynamodb.conditions. names, values: placeholders that the
    request has already. Equal conditions with other values have equal texts. Raises ValidationError
    for what is no condition, or is nested too deeply.
    """
    writer = _Writer(frozenset(names), frozenset(values))
    text = _write(_condition(condition), writer, 0)
    return Expression(text, writer.names, writer.values)


def condition_arguments(
    condition: Any, names: dict[str, str] | None, values: dict[str, Any] | None
) -> tuple[Any, dict[str, str] | None, dict[str, Any] | None]:
    """Return text, names and values of a condition given as text or as an object.

    names, values: the request's own; an object's are added to copies of them. None and text come
    back as they are. Raises ValidationError.
    """
    if condition is None or isinstance(condition, str):
        return condition, names, values
    made = condition_expression(condition, names or (), values or ())
    return (
        made.text,
        {**names, **made.names} if names else made.names or None,
        {**values, **made.values} if values else made.values or None,
    )


def _condition(value: Any) -> Condition:
    """Return a condition as one of ours; boto3's are translated one level deep."""
    if isinstance(value, Condition):
        return value
    if not is_condition(value):
        raise ValidationError(
            f"a condition is needed, such as Attr('n').eq(1), not {type(value).__qualname__}"
        )
    parts = value.get_expression()
    operator, operands = parts["operator"], parts["values"]
    if operator == "IN":
        return Condition("IN", operands[0], *operands[1])
    return Condition(operator, *operands)


def _chain(condition: Condition) -> list[Condition]:
    """Return what a & b & c & ... joins, in order; the chain grows to the left."""
    parts = []
    node = condition
    while node.operator == condition.operator:
        left, right = map(_condition, node.operands)
        parts.append(right)
        node = left
    return [node, *reversed(parts)]


def _write(condition: Condition, writer: _Writer, depth: int) -> str:
    if depth > DEPTH_MAX:
        raise ValidationError(f"conditions are nested deeper than {DEPTH_MAX}")
    operator, operands = condition.operator, condition.operands
    if operator in ("AND", "OR"):
        parts = [_write(part, writer, depth + 1) for part in _chain(condition)]
        text = f" {operator} ".join(parts)
        return f"({text})" if depth else text
    if operator == "NOT":
        inner = _condition(operands[0])
        # AND and OR bring their own parentheses, and redundant ones are refused.
        return f"NOT {_write(inner, writer, depth + 1)}"
    texts = [_operand(operand, writer) for operand in operands]
    if operator == "BETWEEN":
        return f"{texts[0]} BETWEEN {texts[1]} AND {texts[2]}"
    if operator == "IN":
        return f"{texts[0]} IN ({', '.join(texts[1:])})"
    if operator[0].islower():
        return f"{operator}({', '.join(texts)})"
    return f"{texts[0]} {operator} {texts[1]}"


def _operand(operand: Any, writer: _Writer) -> str:
    if isinstance(operand, _Named):
        return writer.path(operand.name)
    if isinstance(operand, _Size):
        return f"size({writer.path(operand.attribute.name)})"
    if callable(getattr(operand, "get_expression", None)):  # boto3's Size
        return f"size({writer.path(operand.get_expression()['values'][0].name)})"
    if type(operand).__module__.startswith("boto3.") and isinstance(
        getattr(operand, "name", None), str
    ):
        return writer.path(operand.name)
    return writer.value(operand)
