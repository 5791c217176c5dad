"""The old members: their rules, and the expressions that they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashrange.errors import ValidationError
from hashrange.expr import parser
from hashrange.ops import legacy

PREFIX = "One or more parameter values were invalid: "
ONE, TWO = {"N": "1"}, {"N": "2"}


def refusal(check, *arguments) -> str:
    with pytest.raises(ValidationError) as caught:
        check(*arguments)
    return str(caught.value)


def condition(operator, *values):
    return {"a": {"ComparisonOperator": operator, "AttributeValueList": list(values)}}


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        (
            condition("EQ"),
            PREFIX + "Invalid number of argument(s) for the EQ ComparisonOperator",
        ),
        (
            condition("NULL", ONE),
            PREFIX + "Invalid number of argument(s) for the NULL ComparisonOperator",
        ),
        (condition("IN"), PREFIX + "Invalid number of argument(s) for the IN ComparisonOperator"),
        (
            condition("BETWEEN", ONE),
            PREFIX + "Invalid number of argument(s) for the BETWEEN ComparisonOperator",
        ),
        (
            condition("IN", ONE, {"S": "a"}),
            PREFIX + "AttributeValues inside AttributeValueList must be of same type",
        ),
        (
            condition("BEGINS_WITH", ONE),
            PREFIX + "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type",
        ),
        (
            condition("LT", {"SS": ["a"]}),
            PREFIX + "ComparisonOperator LT is not valid for SS AttributeValue type",
        ),
        (
            condition("BETWEEN", TWO, ONE),
            "The BETWEEN condition was provided a range where the lower bound is greater than the "
            "upper bound",
        ),
        (condition("EQ", {"N": "x"}), "A value provided cannot be converted into a number"),
    ],
)
def test_a_comparison_takes_certain_values(given_, words):
    assert refusal(legacy.check_conditions, given_) == words


@pytest.mark.parametrize(
    ("element", "words"),
    [
        (
            {"Value": ONE, "AttributeValueList": [ONE]},
            "Value and AttributeValueList cannot be used together for Attribute: a",
        ),
        (
            {"ComparisonOperator": "EQ", "Exists": True, "Value": ONE},
            "Exists and ComparisonOperator cannot be used together for Attribute: a",
        ),
        (
            {"ComparisonOperator": "EQ"},
            "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a",
        ),
        (
            {"ComparisonOperator": "NULL", "Value": ONE},
            "Invalid number of argument(s) for the NULL ComparisonOperator",
        ),
        (
            {"AttributeValueList": [ONE]},
            "AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
        ),
        ({}, "Value must be provided when Exists is null for Attribute: a"),
        ({"Exists": True}, "Value must be provided when Exists is true for Attribute: a"),
        (
            {"Exists": False, "Value": ONE},
            "Value cannot be used when Exists is false for Attribute: a",
        ),
    ],
)
def test_expected_is_unambiguous(element, words):
    assert refusal(legacy.check_expected, {"a": element}) == PREFIX + words


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({}, "Only DELETE action is allowed when no attribute value is specified"),
        (
            {"Action": "ADD"},
            "Only DELETE action is allowed when no attribute value is specified",
        ),
        (
            {"Action": "DELETE", "Value": ONE},
            "DELETE action with value is not supported for the type N",
        ),
        (
            {"Action": "ADD", "Value": {"S": "a"}},
            "ADD action is not supported for the type S",
        ),
    ],
)
def test_an_update_takes_certain_values(update, words):
    assert refusal(legacy.check_updates, {"a": update}) == PREFIX + words


@pytest.mark.parametrize(
    ("operator", "values", "text"),
    [
        ("EQ", [ONE], "#n0 = :v0"),
        ("NE", [ONE], "#n0 <> :v0"),
        ("GE", [ONE], "#n0 >= :v0"),
        ("BETWEEN", [ONE, TWO], "#n0 BETWEEN :v0 AND :v1"),
        ("IN", [ONE, TWO], "#n0 IN (:v0, :v1)"),
        ("NULL", [], "attribute_not_exists(#n0)"),
        ("NOT_NULL", [], "attribute_exists(#n0)"),
        ("BEGINS_WITH", [{"S": "a"}], "begins_with(#n0, :v0)"),
        ("CONTAINS", [ONE], "contains(#n0, :v0)"),
        ("NOT_CONTAINS", [ONE], "attribute_exists(#n0) AND NOT contains(#n0, :v0)"),
    ],
)
def test_a_comparison_is_written_as_an_expression(operator, values, text):
    conditions = condition(operator, *values)
    legacy.check_conditions(conditions)
    expression = legacy.conditions_expression(conditions)
    assert expression.text == text
    assert expression.names == {"#n0": "a"}
    assert list(expression.values.values()) == values
    parser.parse_condition(text, "FilterExpression")


def test_conditions_are_joined():
    conditions = {**condition("EQ", ONE), "b": {"ComparisonOperator": "NULL"}}
    assert legacy.conditions_expression(conditions).text == (
        "(#n0 = :v0) AND (attribute_not_exists(#n1))"
    )
    assert " OR " in legacy.conditions_expression(conditions, "OR").text
    parser.parse_condition(legacy.conditions_expression(conditions, "OR").text, "FilterExpression")


def test_expected_means_equal_or_absent():
    expected = {
        "a": {"Value": ONE},
        "b": {"Exists": False},
        "c": {"ComparisonOperator": "LT", "Value": TWO},
    }
    legacy.check_expected(expected)
    expression = legacy.expected_expression(expected)
    assert expression.text == "(#n0 = :v0) AND (attribute_not_exists(#n1)) AND (#n2 < :v1)"
    assert expression.values == {":v0": ONE, ":v1": TWO}


def test_updates_become_clauses():
    updates = {
        "a": {"Value": ONE},
        "b": {"Action": "ADD", "Value": TWO},
        "c": {"Action": "DELETE"},
        "d": {"Action": "DELETE", "Value": {"SS": ["x"]}},
        "e": {"Action": "ADD", "Value": {"L": [ONE]}},
    }
    legacy.check_updates(updates)
    expression = legacy.updates_expression(updates)
    assert expression.text == (
        "SET #n0 = :v0, #n4 = list_append(if_not_exists(#n4, :v3), :v4) REMOVE #n2 ADD #n1 :v1 "
        "DELETE #n3 :v2"
    )
    assert expression.values[":v3"] == {"L": []}
    parser.parse_update(expression.text)
    assert legacy.updates_expression({}).text == ""


def test_attributes_become_a_projection():
    expression = legacy.projection_expression(["a", "order"])
    assert (expression.text, expression.names) == ("#n0, #n1", {"#n0": "a", "#n1": "order"})


def test_key_conditions_are_one_or_two():
    three = {name: condition("EQ", ONE)["a"] for name in "abc"}
    for conditions in ({}, three):
        assert refusal(legacy.check_key_conditions, conditions) == (
            "Conditions can be of length 1 or 2 only"
        )


@given(st.lists(st.decimals(-1000, 1000, allow_nan=False, places=3), min_size=2))
def test_numbers_are_ordered_as_numbers(numbers):
    texts = sorted(
        (str(number) for number in numbers), key=lambda text: legacy.order_key({"N": text})
    )
    assert [float(text) for text in texts] == sorted(float(text) for text in texts)
