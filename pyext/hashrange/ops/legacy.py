"""The old members: Expected, AttributeUpdates, KeyConditions, filters, AttributesToGet.

Theory of operation. Each is checked by the service's own rules, then written as an expression with
placeholders of its own, so that below there is one language only. The old comparisons differ from
the new in one way that is kept: NOT_CONTAINS is false for an attribute that is not there.

Sources: messages as observed on the service; developer guide, legacy conditional parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hashrange.errors import ValidationError, invalid_parameter
from hashrange.ops.values import TypedValue, check_value, number_key, type_of

SCALARS = frozenset("SNB")
SETS = frozenset(("SS", "NS", "BS"))
EVERY = frozenset(("S", "N", "B", "SS", "NS", "BS", "L", "M", "BOOL", "NULL"))
# How many values a comparison takes (None: one or more), and of which types.
OPERATORS: dict[str, tuple[int | None, frozenset[str]]] = {
    "EQ": (1, EVERY),
    "NE": (1, EVERY),
    "LE": (1, SCALARS),
    "LT": (1, SCALARS),
    "GE": (1, SCALARS),
    "GT": (1, SCALARS),
    "CONTAINS": (1, SCALARS),
    "NOT_CONTAINS": (1, SCALARS),
    "BEGINS_WITH": (1, frozenset("SB")),
    "NULL": (0, EVERY),
    "NOT_NULL": (0, EVERY),
    "IN": (None, SCALARS),
    "BETWEEN": (2, SCALARS),
}
COMPARATORS = {"EQ": "=", "NE": "<>", "LE": "<=", "LT": "<", "GE": ">=", "GT": ">"}
KEY_OPERATORS = frozenset(("EQ", "LE", "LT", "GE", "GT", "BEGINS_WITH", "BETWEEN"))

Condition = Mapping[str, Any]


@dataclass
class Expression:
    """An expression made from old members, and what its placeholders stand for."""

    text: str = ""
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, TypedValue] = field(default_factory=dict)

    def name(self, attribute: str) -> str:
        """Return a placeholder for an attribute name."""
        token = f"#n{len(self.names)}"
        self.names[token] = attribute
        return token

    def value(self, value: TypedValue) -> str:
        """Return a placeholder for a value."""
        token = f":v{len(self.values)}"
        self.values[token] = value
        return token


# ---- conditions ----------------------------------------------------------------------------------


def check_conditions(conditions: Mapping[str, Condition] | None) -> None:
    """Check the values of KeyConditions, QueryFilter or ScanFilter: number, types, order."""
    for condition in (conditions or {}).values():
        values = condition.get("AttributeValueList") or []
        for value in values:
            check_value(value)
        check_comparison(condition["ComparisonOperator"], values)


def check_comparison(operator: str, values: list[TypedValue]) -> None:
    """Check a comparison's values against what it takes."""
    count, types = OPERATORS[operator]
    if len(values) != count and not (count is None and values):
        raise invalid_parameter(
            f"Invalid number of argument(s) for the {operator} ComparisonOperator"
        )
    kinds = [type_of(value) for value in values]
    if len(set(kinds)) > 1:
        raise invalid_parameter("AttributeValues inside AttributeValueList must be of same type")
    for kind in kinds:
        if kind not in types:
            raise invalid_parameter(
                f"ComparisonOperator {operator} is not valid for {kind} AttributeValue type"
            )
    if operator == "BETWEEN" and order_key(values[0]) > order_key(values[1]):
        raise ValidationError(
            "The BETWEEN condition was provided a range where the lower bound is greater than the "
            "upper bound"
        )


def order_key(value: TypedValue) -> Any:
    """Return what orders scalar values of one type as the service does."""
    kind = type_of(value)
    if kind == "S":
        return value["S"].encode("utf-8", "surrogatepass")
    if kind == "B":
        return bytes(value["B"])
    negative, digits, exponent = number_key(value["N"])
    if not digits:
        return (0, 0, "")
    if not negative:
        return (1, exponent, digits)
    # Of negative numbers the larger magnitude is the smaller: complement the digits.
    complement = digits.translate(str.maketrans("0123456789", "9876543210"))
    return (-1, -exponent, complement + "~")


def conditions_expression(
    conditions: Mapping[str, Condition], conditional_operator: str | None = None
) -> Expression:
    """Return the expression of filters or key conditions that were checked."""
    expression = Expression()
    parts = [
        comparison_text(
            expression,
            expression.name(attribute),
            condition["ComparisonOperator"],
            condition.get("AttributeValueList") or [],
        )
        for attribute, condition in conditions.items()
    ]
    expression.text = joined(parts, conditional_operator)
    return expression


def joined(parts: list[str], conditional_operator: str | None) -> str:
    """Join conditions by AND, or by what ConditionalOperator says."""
    word = f" {conditional_operator or 'AND'} "
    return parts[0] if len(parts) == 1 else word.join(f"({part})" for part in parts)


def comparison_text(
    expression: Expression, name: str, operator: str, values: list[TypedValue]
) -> str:
    """Write one old comparison as a condition."""
    if operator == "NULL":
        return f"attribute_not_exists({name})"
    if operator == "NOT_NULL":
        return f"attribute_exists({name})"
    tokens = [expression.value(value) for value in values]
    if operator in COMPARATORS:
        return f"{name} {COMPARATORS[operator]} {tokens[0]}"
    if operator == "BETWEEN":
        return f"{name} BETWEEN {tokens[0]} AND {tokens[1]}"
    if operator == "IN":
        return f"{name} IN ({', '.join(tokens)})"
    if operator == "NOT_CONTAINS":
        return f"attribute_exists({name}) AND NOT contains({name}, {tokens[0]})"
    return f"{operator.lower()}({name}, {tokens[0]})"


# ---- Expected ------------------------------------------------------------------------------------


def check_expected(expected: Mapping[str, Condition] | None) -> None:
    """Check Expected of a conditional write."""
    for attribute, condition in (expected or {}).items():
        operator, value = condition.get("ComparisonOperator"), condition.get("Value")
        values, exists = condition.get("AttributeValueList"), condition.get("Exists")
        if value is not None and values is not None:
            raise invalid_parameter(
                f"Value and AttributeValueList cannot be used together for Attribute: {attribute}"
            )
        if operator is not None:
            check_expected_comparison(attribute, condition)
        elif values is not None:
            raise invalid_parameter(
                "AttributeValueList can only be used with a ComparisonOperator for Attribute: "
                f"{attribute}"
            )
        elif exists is not False and value is None:
            shown = "null" if exists is None else "true"
            raise invalid_parameter(
                f"Value must be provided when Exists is {shown} for Attribute: {attribute}"
            )
        elif exists is False and value is not None:
            raise invalid_parameter(
                f"Value cannot be used when Exists is false for Attribute: {attribute}"
            )
        elif value is not None:
            check_value(value)


def check_expected_comparison(attribute: str, condition: Condition) -> None:
    """Check an element of Expected that has a ComparisonOperator."""
    operator, value = condition["ComparisonOperator"], condition.get("Value")
    values = condition.get("AttributeValueList")
    if condition.get("Exists") is not None:
        raise invalid_parameter(
            f"Exists and ComparisonOperator cannot be used together for Attribute: {attribute}"
        )
    if operator not in ("NULL", "NOT_NULL") and values is None and value is None:
        raise invalid_parameter(
            "Value or AttributeValueList must be used with ComparisonOperator: "
            f"{operator} for Attribute: {attribute}"
        )
    given = values if values is not None else [value] if value is not None else []
    for one in given:
        check_value(one)
    check_comparison(operator, given)


def expected_expression(
    expected: Mapping[str, Condition], conditional_operator: str | None = None
) -> Expression:
    """Return the condition that Expected means, after it was checked."""
    expression = Expression()
    parts = []
    for attribute, condition in expected.items():
        value, values = condition.get("Value"), condition.get("AttributeValueList")
        operator = condition.get("ComparisonOperator")
        if operator is None:
            operator = "NULL" if condition.get("Exists") is False else "EQ"
        given = values if values is not None else [value] if value is not None else []
        name = expression.name(attribute)
        parts.append(comparison_text(expression, name, operator, given))
    expression.text = joined(parts, conditional_operator)
    return expression


# ---- AttributeUpdates ----------------------------------------------------------------------------


def check_updates(updates: Mapping[str, Condition] | None) -> None:
    """Check AttributeUpdates: what each action takes."""
    for update in (updates or {}).values():
        value, action = update.get("Value"), update.get("Action") or "PUT"
        if value is None:
            if action != "DELETE":
                raise invalid_parameter(
                    "Only DELETE action is allowed when no attribute value is specified"
                )
            continue
        check_value(value)
        kind = type_of(value)
        if action == "DELETE" and kind not in SETS:
            raise invalid_parameter(
                f"DELETE action with value is not supported for the type {kind}"
            )
        if action == "ADD" and kind not in SETS | {"N", "L"}:
            raise invalid_parameter(f"ADD action is not supported for the type {kind}")


def updates_expression(updates: Mapping[str, Condition]) -> Expression:
    """Return the update that AttributeUpdates means; an empty text when there is nothing to do."""
    expression = Expression()
    clauses: dict[str, list[str]] = {"SET": [], "REMOVE": [], "ADD": [], "DELETE": []}
    for attribute, update in updates.items():
        value, action = update.get("Value"), update.get("Action") or "PUT"
        name = expression.name(attribute)
        if value is None:
            clauses["REMOVE"].append(name)
        elif action == "PUT":
            clauses["SET"].append(f"{name} = {expression.value(value)}")
        elif action == "ADD" and type_of(value) == "L":
            empty, added = expression.value({"L": []}), expression.value(value)
            clauses["SET"].append(f"{name} = list_append(if_not_exists({name}, {empty}), {added})")
        else:
            clauses[action].append(f"{name} {expression.value(value)}")
    expression.text = " ".join(
        f"{clause} {', '.join(actions)}" for clause, actions in clauses.items() if actions
    )
    return expression


# ---- AttributesToGet -----------------------------------------------------------------------------


def projection_expression(attributes: list[str]) -> Expression:
    """Return the projection that AttributesToGet means: whole top-level attributes."""
    expression = Expression()
    expression.text = ", ".join(expression.name(attribute) for attribute in attributes)
    return expression


# ---- KeyConditions -------------------------------------------------------------------------------


def check_key_conditions(conditions: Mapping[str, Condition]) -> None:
    """Check KeyConditions of a Query by themselves."""
    check_conditions(conditions)
    if len(conditions) not in (1, 2):
        raise ValidationError("Conditions can be of length 1 or 2 only")
