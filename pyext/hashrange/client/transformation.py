"""Transformation: Python objects where a request or response has attribute values.

Theory of operation. Which members hold attribute values, and which conditions, stands in the
shapes. `incoming` and `outgoing` compile a structure to a function that writes a copy with the
values exchanged, and leaves everything else alone; None where there is nothing to exchange. As in
boto3, what has not the type that the shape says goes through as it is and is refused afterwards,
with all that is wrong besides.

Conditions as objects, ours or boto3's, become text; their placeholders are added to
ExpressionAttributeNames and ExpressionAttributeValues of the structure that they stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableSequence
from typing import Any

from hashrange.client import shapes
from hashrange.client.exceptions import NeedsKeyConditionError, join_botocore
from hashrange.client.shapes import ATTRIBUTE_VALUE, Scalar, Sequence, Shape, Structure
from hashrange.client.values import python, python_item, typed, typed_item
from hashrange.conditions import Attr, Condition, condition_arguments, is_condition

Change = Callable[[Any], Any]

NAMES, VALUES = "ExpressionAttributeNames", "ExpressionAttributeValues"


def incoming(shape: Shape) -> Change | None:
    """Return what makes typed values of a parameter's Python objects; None if it has none."""
    return compiled(shape, typed, with_text, {})


def outgoing(shape: Shape) -> Change | None:
    """Return what makes Python objects of a response's typed values; None if it has none."""
    return compiled(shape, python, None, {})


Conditions = Callable[[dict[str, Any], Structure], dict[str, Any]]


def compiled(
    shape: Shape, change: Change, conditions: Conditions | None, known: dict[str, Change | None]
) -> Change | None:
    """Return the change of a value that applies `change` to each attribute value in it.

    conditions: what is done with a structure that has conditions among its members. known: the
    structures that were compiled already.
    """
    match shape:
        case Scalar():
            return None
        case Sequence():
            return of_sequence(compiled(shape.element, change, conditions, known))
        case shapes.Mapping():
            made = compiled(shape.value, change, conditions, known)
            if made is python:
                return python_item
            return of_typed if made is typed else of_mapping(made)
        case Structure() if shape.name == ATTRIBUTE_VALUE:
            return change
        case Structure():
            if shape.name not in known:
                known[shape.name] = None
                known[shape.name] = of_structure(shape, change, conditions, known)
            return known[shape.name]


def of_sequence(change: Change | None) -> Change | None:
    """Return the change of a list, given that of its elements."""
    if change is None:
        return None

    def changed(given: Any) -> Any:
        if not isinstance(given, MutableSequence):
            return given
        return [change(element) for element in given]

    return changed


def of_typed(given: Any) -> Any:
    """Return a map with its values in typed form, what is no map as it is."""
    return typed_item(given) if isinstance(given, Mapping) else given


def of_mapping(change: Change | None) -> Change | None:
    """Return the change of a map, given that of its values."""
    if change is None:
        return None

    def changed(given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {key: change(inner) for key, inner in given.items()}

    return changed


def of_structure(
    shape: Structure, change: Change, conditions: Conditions | None, known: dict[str, Change | None]
) -> Change | None:
    """Return the change of a structure."""
    changes = {
        name: made
        for name, member in shape.members.items()
        if (made := compiled(member, change, conditions, known)) is not None
    }
    has_conditions = conditions is not None and bool(condition_members(shape))
    if not changes and not has_conditions:
        return None

    def changed(given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        if has_conditions and conditions is not None:
            given = conditions(dict(given), shape)
        return {
            name: changes[name](inner) if name in changes else inner
            for name, inner in given.items()
        }

    return changed


# ---- conditions ----------------------------------------------------------------------------------


def condition_members(shape: Structure) -> dict[str, str]:
    """Return the members that may be conditions as objects, with their kind."""
    return {
        name: member.kind
        for name, member in shape.members.items()
        if isinstance(member, Scalar) and member.kind in ("condition", "keycondition")
    }


def with_text(given: dict[str, Any], shape: Structure) -> dict[str, Any]:
    """Write the conditions in a structure as text. Raises NeedsKeyConditionError.

    given: the structure's members, a copy that is changed and returned.
    """
    for name, kind in condition_members(shape).items():
        condition = given.get(name)
        if condition is None or not is_condition(condition):
            continue
        if kind == "keycondition":
            refuse_attributes(condition)
        given[name], names, values = condition_arguments(
            condition, given.get(NAMES), given.get(VALUES)
        )
        for member, placeholders in ((NAMES, names), (VALUES, values)):
            if placeholders is not None:
                given[member] = placeholders
    return given


def refuse_attributes(condition: Any) -> None:
    """Refuse a key condition that has an Attr in it. Raises NeedsKeyConditionError."""
    waiting = [condition]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Condition):
            waiting.extend(part.operands)
        elif callable(getattr(part, "get_expression", None)):
            waiting.extend(part.get_expression()["values"])
        elif isinstance(part, Attr) or is_boto3_attribute(part):
            join_botocore()
            raise NeedsKeyConditionError(part.name, type(part))


def is_boto3_attribute(part: object) -> bool:
    """Tell whether an operand is boto3's Attr."""
    kind = type(part)
    return kind.__name__ == "Attr" and kind.__module__ == "boto3.dynamodb.conditions"
