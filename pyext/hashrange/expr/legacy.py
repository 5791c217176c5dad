"""The legacy members as trees: Expected, AttributeUpdates, KeyConditions, QueryFilter, ScanFilter.

They say in data what expressions say in text, so they become the same trees, with placeholders of
their own for names and values: one engine runs both. Attribute values are in DynamoDB's typed form,
{"S": "x"}, and are passed on untouched.

Source: developer guide, "Legacy conditional parameters"; the words of the errors were observed on
the service.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from ddbcore.errors import ValidationError
from hashrange.expr import keys, tree

TypedValue = Mapping[str, Any]

INVALID = "One or more parameter values were invalid: "
# What a program says of an operand in the item whose type does not fit, and what the service says
# when the update came as AttributeUpdates.
OPERAND_TYPE = "An operand in the update expression has an incorrect data type"
TYPE_MISMATCH = "Type mismatch for attribute to update"

_COMPARISONS = {"EQ": "=", "NE": "<>", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
# How many arguments an operator takes: least and most.
_COUNTS: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys(_COMPARISONS, (1, 1)),
    "NULL": (0, 0),
    "NOT_NULL": (0, 0),
    "CONTAINS": (1, 1),
    "NOT_CONTAINS": (1, 1),
    "BEGINS_WITH": (1, 1),
    "BETWEEN": (2, 2),
    "IN": (1, None),
}
_SCALARS = frozenset("SNB")
_TYPES = {
    **dict.fromkeys(
        ("LT", "LE", "GT", "GE", "CONTAINS", "NOT_CONTAINS", "BETWEEN", "IN"), _SCALARS
    ),
    "BEGINS_WITH": frozenset("SB"),
}
_SETS = frozenset(("SS", "NS", "BS"))
# What filters and key conditions compare with for equality; Expected takes documents too.
_FILTERED = _SCALARS | _SETS
_ADDED = _SETS | {"N", "L"}
_KEY_OPERATORS = {
    "EQ": "=",
    "LT": "<",
    "LE": "<=",
    "GT": ">",
    "GE": ">=",
    "BETWEEN": "BETWEEN",
    "BEGINS_WITH": "begins_with",
}


@dataclass(slots=True)
class Symbols:
    """Placeholders made for one request: equal requests of other values make equal trees."""

    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, TypedValue] = field(default_factory=dict)

    def path(self, name: str) -> tree.Path:
        token = f"#legacy{len(self.names)}"
        self.names[token] = name
        return tree.Path((token,))

    def value(self, value: TypedValue) -> tree.Value:
        token = f":legacy{len(self.values)}"
        self.values[token] = value
        return tree.Value(token)


def expected_condition(
    expected: Mapping[str, Mapping[str, Any]], operator: str | None, symbols: Symbols
) -> tree.Condition | None:
    """Translate Expected. operator: ConditionalOperator, "AND", "OR" or None. None: no condition.

    Raises ValidationError.
    """
    parts = []
    for name, condition in expected.items():
        check_expected(name, condition)
        operator_of_it, value = condition.get("ComparisonOperator"), condition.get("Value")
        if operator_of_it is not None:
            arguments = condition.get("AttributeValueList")
            if arguments is None:
                arguments = [] if value is None else [value]
            check_arguments(operator_of_it, arguments)
            parts.append(comparison(name, operator_of_it, arguments, symbols))
        elif condition.get("Exists") is False:
            parts.append(comparison(name, "NULL", [], symbols))
        else:
            assert value is not None      # check_expected has seen to that
            parts.append(comparison(name, "EQ", [value], symbols))
    return joined(parts, operator)


def check_expected(name: str, condition: Mapping[str, Any]) -> None:
    """Refuse members of one Expected condition that do not go together; null ones are not there."""
    subject = f"for Attribute: {name}"
    operator, exists = condition.get("ComparisonOperator"), condition.get("Exists")
    has_list = condition.get("AttributeValueList") is not None
    has_value = condition.get("Value") is not None
    if has_list and has_value:
        raise invalid(f"Value and AttributeValueList cannot be used together {subject}")
    if operator is not None:
        if exists is not None:
            raise invalid(f"Exists and ComparisonOperator cannot be used together {subject}")
        if not (has_list or has_value) and operator not in ("NULL", "NOT_NULL"):
            raise invalid(
                f"Value or AttributeValueList must be used with ComparisonOperator: {operator} "
                f"{subject}"
            )
    elif has_list:
        raise invalid(f"AttributeValueList can only be used with a ComparisonOperator {subject}")
    elif exists is False:
        if has_value:
            raise invalid(f"Value cannot be used when Exists is false {subject}")
    elif not has_value:
        told = "true" if exists else "null"
        raise invalid(f"Value must be provided when Exists is {told} {subject}")


def filter_condition(
    conditions: Mapping[str, Mapping[str, Any]], operator: str | None, symbols: Symbols
) -> tree.Condition | None:
    """Translate QueryFilter or ScanFilter. operator: ConditionalOperator. None: no condition.

    Raises ValidationError.
    """
    parts = []
    for name, condition in conditions.items():
        arguments = condition.get("AttributeValueList") or []
        check_arguments(condition["ComparisonOperator"], arguments, _FILTERED)
        parts.append(comparison(name, condition["ComparisonOperator"], arguments, symbols))
    return joined(parts, operator)


def key_condition(
    conditions: Mapping[str, Mapping[str, Any]],
    hash_names: Sequence[str],
    range_names: Sequence[str],
    symbols: Symbols,
) -> keys.KeyCondition:
    """Translate KeyConditions, for a key schema as KeyExpression.resolve takes it.

    Raises ValidationError.
    """
    shaped = {}
    for name, condition in conditions.items():
        operator = condition["ComparisonOperator"]
        arguments = condition.get("AttributeValueList") or []
        check_arguments(operator, arguments, _FILTERED)
        if operator not in _KEY_OPERATORS:
            raise ValidationError("Attempted conditional constraint is not an indexable operation")
        tokens = tuple([symbols.value(argument).token for argument in arguments])
        shaped[name] = keys.RangeCondition(name, _KEY_OPERATORS[operator], tokens)
    return keys.fit(shaped, hash_names, range_names)


def attribute_paths(attributes: Sequence[str], symbols: Symbols) -> tuple[tree.Path, ...]:
    """Translate AttributesToGet to the paths of a projection. Raises ValidationError."""
    seen = set()
    for name in attributes:
        if name in seen:
            raise invalid(f"Duplicate value in attribute name: {name}")
        seen.add(name)
    return tuple([symbols.path(name) for name in attributes])


def update_actions(
    updates: Mapping[str, Mapping[str, Any]], symbols: Symbols
) -> tuple[tree.Action, ...]:
    """Translate AttributeUpdates: PUT (the default), ADD and DELETE. Raises ValidationError."""
    return tuple([action(name, update, symbols) for name, update in updates.items()])


def action(name: str, update: Mapping[str, Any], symbols: Symbols) -> tree.Action:
    kind = update.get("Action") or "PUT"
    value = update.get("Value")
    if value is None:
        if kind != "DELETE":
            raise invalid("Only DELETE action is allowed when no attribute value is specified")
        return tree.Remove(symbols.path(name))
    value_type = type_of(value)
    if kind == "DELETE" and value_type not in _SETS:
        raise invalid(f"DELETE action with value is not supported for the type {value_type}")
    if kind == "ADD" and value_type not in _ADDED:
        raise invalid(f"ADD action is not supported for the type {value_type}")
    path = symbols.path(name)
    token = symbols.value(value)
    if kind == "PUT":
        return tree.Set(path, token)
    if kind == "DELETE":
        return tree.Delete(path, token)
    if value_type != "L":
        return tree.Add(path, token)
    # ADD of a list appends to the list that is there.
    start = tree.Call("if_not_exists", (path, symbols.value({"L": []})))
    return tree.Set(path, tree.Call("list_append", (start, token)))


def reworded(error: ValidationError) -> ValidationError:
    """Return the error of a run of AttributeUpdates in the words that the service has for them."""
    return ValidationError(TYPE_MISMATCH) if str(error) == OPERAND_TYPE else error


def comparison(
    name: str, operator: str, arguments: Sequence[TypedValue], symbols: Symbols
) -> tree.Condition:
    """Translate one operator; its arguments have been checked."""
    path = symbols.path(name)
    values = tuple([symbols.value(argument) for argument in arguments])
    match operator:
        case "NULL":
            return tree.Call("attribute_not_exists", (path,))
        case "NOT_NULL":
            return tree.Call("attribute_exists", (path,))
        case "CONTAINS":
            return tree.Call("contains", (path, *values))
        case "NOT_CONTAINS":
            return tree.Not(tree.Call("contains", (path, *values)))
        case "BEGINS_WITH":
            return tree.Call("begins_with", (path, *values))
        case "BETWEEN":
            return tree.Between(path, *values)
        case "IN":
            return tree.In(path, values)
    return tree.Comparison(_COMPARISONS[operator], path, values[0])


def joined(parts: list[tree.Condition], operator: str | None) -> tree.Condition | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    return tree.Or(tuple(parts)) if operator == "OR" else tree.And(tuple(parts))


def check_arguments(
    operator: str, arguments: Sequence[TypedValue], equated: frozenset[str] | None = None
) -> None:
    """Refuse arguments of the wrong number or type, and bounds in the wrong order.

    equated: the types that EQ and NE take; None for all.
    """
    least, most = _COUNTS[operator]
    if len(arguments) < least or (most is not None and len(arguments) > most):
        raise invalid(f"Invalid number of argument(s) for the {operator} ComparisonOperator")
    kinds = {type_of(argument) for argument in arguments}
    if len(kinds) > 1:
        raise invalid("AttributeValues inside AttributeValueList must be of same type")
    for kind in kinds:
        if kind not in _TYPES.get(operator, equated or kinds):
            raise invalid(
                f"ComparisonOperator {operator} is not valid for {kind} AttributeValue type"
            )
    if operator == "BETWEEN" and order_key(arguments[0]) > order_key(arguments[1]):
        raise ValidationError(
            "The BETWEEN condition was provided a range where the lower bound is greater than the "
            "upper bound"
        )


def type_of(value: TypedValue) -> str:
    return next((kind for kind, content in value.items() if content is not None), "")


def order_key(value: TypedValue) -> Any:
    """Return what orders values of one scalar type."""
    kind = type_of(value)
    content: Any = value.get(kind)
    if kind == "N":
        try:
            return Decimal(content)
        except InvalidOperation:
            raise ValidationError(
                f"The parameter cannot be converted to a numeric value: {content}"
            ) from None
    if kind == "S":
        return str(content).encode("utf-8", "surrogatepass")
    # A request in JSON has base64.
    return b64decode(content) if isinstance(content, str) else bytes(content)


def invalid(message: str) -> ValidationError:
    return ValidationError(INVALID + message)
