"""The legacy members: the same trees as expressions, and the service's words."""

from __future__ import annotations

import pytest
from core.programs import codec_make, record_of, refusal

from ddbcore.errors import ValidationError
from hashrange.expr import (
    KeyCondition,
    RangeCondition,
    compile_program,
    compile_projection,
    legacy,
    parser,
)

INVALID = "One or more parameter values were invalid: "


def text(value: str) -> dict[str, str]:
    return {"S": value}


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def condition(operator: str, *values) -> dict:
    made = {"ComparisonOperator": operator}
    if values:
        made["AttributeValueList"] = list(values)
    return made


def filtered(conditions, operator=None):
    symbols = legacy.Symbols()
    return legacy.filter_condition(conditions, operator, symbols), symbols


def expected(conditions, operator=None):
    symbols = legacy.Symbols()
    return legacy.expected_condition(conditions, operator, symbols), symbols


def updated(updates):
    symbols = legacy.Symbols()
    return legacy.update_actions(updates, symbols), symbols


def as_tree(expression: str):
    return parser.parse_condition(expression.replace("#", "#legacy").replace(":", ":legacy"))


@pytest.mark.parametrize(
    ("operator", "count", "expression"),
    [
        ("EQ", 1, "#0 = :0"), ("NE", 1, "#0 <> :0"), ("LT", 1, "#0 < :0"),
        ("LE", 1, "#0 <= :0"), ("GT", 1, "#0 > :0"), ("GE", 1, "#0 >= :0"),
        ("NULL", 0, "attribute_not_exists(#0)"), ("NOT_NULL", 0, "attribute_exists(#0)"),
        ("CONTAINS", 1, "contains(#0, :0)"), ("NOT_CONTAINS", 1, "NOT contains(#0, :0)"),
        ("BEGINS_WITH", 1, "begins_with(#0, :0)"), ("BETWEEN", 2, "#0 BETWEEN :0 AND :1"),
        ("IN", 3, "#0 IN (:0, :1, :2)"),
    ],
)  # fmt: skip
def test_every_operator_has_its_tree(operator, count, expression):
    values = [text(c) for c in "abc"][:count]
    for translate in (filtered, expected):
        made, symbols = translate({"a.b": condition(operator, *values)})
        assert made == as_tree(expression)
        # A name is a name: dots in it lead nowhere.
        assert symbols.names == {"#legacy0": "a.b"}
        assert list(symbols.values.values()) == values
    assert compile_program(None, made, "QueryFilter").clause == "QueryFilter"


def test_conditions_are_joined_by_the_operator():
    conditions = {"a": condition("EQ", number(1)), "b": condition("NULL")}
    assert filtered(conditions)[0] == as_tree("#0 = :0 AND attribute_not_exists(#1)")
    assert filtered(conditions, "AND")[0] == filtered(conditions)[0]
    assert filtered(conditions, "OR")[0] == as_tree("#0 = :0 OR attribute_not_exists(#1)")
    assert filtered({})[0] is None


def test_expected_has_a_form_with_exists_and_value():
    made, symbols = expected(
        {"a": {"Exists": False}, "b": {"Value": text("x")}, "c": {"Exists": True, "Value": {}}}
    )
    assert made == as_tree("attribute_not_exists(#0) AND #1 = :0 AND #2 = :1")
    assert symbols.values[":legacy0"] == text("x")
    made, _ = expected({"a": {"ComparisonOperator": "GT", "Value": number(1)}})
    assert made == as_tree("#0 > :0")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Value": {}, "AttributeValueList": []},
         "Value and AttributeValueList cannot be used together for Attribute: a"),
        ({"Exists": True, "ComparisonOperator": "EQ", "Value": {}},
         "Exists and ComparisonOperator cannot be used together for Attribute: a"),
        ({"ComparisonOperator": "EQ"},
         "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a"),
        ({"AttributeValueList": []},
         "AttributeValueList can only be used with a ComparisonOperator for Attribute: a"),
        ({"Exists": False, "Value": {}}, "Value cannot be used when Exists is false for "
         "Attribute: a"),
        ({"Exists": True}, "Value must be provided when Exists is true for Attribute: a"),
        ({}, "Value must be provided when Exists is null for Attribute: a"),
        ({"ComparisonOperator": "NULL", "Value": text("x")},
         "Invalid number of argument(s) for the NULL ComparisonOperator"),
    ],
)  # fmt: skip
def test_members_of_expected_that_do_not_go_together(given, message):
    assert refusal(expected, {"a": given}) == INVALID + message


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (condition("EQ"), "Invalid number of argument(s) for the EQ ComparisonOperator"),
        (condition("EQ", text("a"), text("b")),
         "Invalid number of argument(s) for the EQ ComparisonOperator"),
        (condition("BETWEEN", text("a")),
         "Invalid number of argument(s) for the BETWEEN ComparisonOperator"),
        (condition("NOT_NULL", text("a")),
         "Invalid number of argument(s) for the NOT_NULL ComparisonOperator"),
        (condition("IN"), "Invalid number of argument(s) for the IN ComparisonOperator"),
        (condition("IN", text("a"), number(1)),
         "AttributeValues inside AttributeValueList must be of same type"),
        (condition("LT", {"SS": ["a"]}),
         "ComparisonOperator LT is not valid for SS AttributeValue type"),
        (condition("BEGINS_WITH", number(1)),
         "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type"),
        (condition("CONTAINS", {"L": []}),
         "ComparisonOperator CONTAINS is not valid for L AttributeValue type"),
    ],
)  # fmt: skip
def test_arguments_are_checked(given, message):
    assert refusal(filtered, {"a": given}) == INVALID + message


# API reference: filters and keys are compared with scalars and sets, Expected with documents too.
def test_filters_do_not_equate_documents():
    for operator in ("EQ", "NE"):
        given = {"a": condition(operator, {"L": []})}
        words = f"ComparisonOperator {operator} is not valid for L AttributeValue type"
        assert refusal(filtered, given) == INVALID + words
        assert expected(given)[0] == as_tree("#0 = :0" if operator == "EQ" else "#0 <> :0")


def test_members_that_are_null_are_not_there():
    none = dict.fromkeys(("Exists", "Value", "AttributeValueList", "ComparisonOperator"))
    assert expected({"a": {**none, "Exists": False}})[0] == as_tree("attribute_not_exists(#0)")
    given = {**none, "ComparisonOperator": "GT", "Value": {"S": None, "N": "1"}}
    assert expected({"a": given})[0] == as_tree("#0 > :0")
    assert updated({"a": {"Action": None, "Value": number(1)}})[0] == parser.parse_update(
        "SET #legacy0 = :legacy0"
    )


def test_bounds_stand_in_order():
    for low, high in [(number(10), number(9)), (text("b"), text("a")), ({"B": b"b"}, {"B": b"a"}),
                      ({"B": "AQ=="}, {"B": "AA=="})]:
        assert refusal(filtered, {"a": condition("BETWEEN", low, high)}) == (
            "The BETWEEN condition was provided a range where the lower bound is greater than the "
            "upper bound"
        )
    assert filtered({"a": condition("BETWEEN", number(9), number(10))})[0]


def keyed(conditions, hash_names=("h",), range_names=("r",)):
    symbols = legacy.Symbols()
    return legacy.key_condition(conditions, hash_names, range_names, symbols), symbols


def test_key_conditions_become_what_key_expressions_become():
    made, symbols = keyed(
        {"r": condition("BETWEEN", number(1), number(2)), "h": condition("EQ", text("x"))}
    )
    assert made == KeyCondition(
        (("h", ":legacy2"),), (RangeCondition("r", "BETWEEN", (":legacy0", ":legacy1")),)
    )
    assert symbols.values[":legacy2"] == text("x")
    made, _ = keyed({"h": condition("EQ", text("x")), "r": condition("BEGINS_WITH", text("y"))})
    assert made.range[0].operator == "begins_with"


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"h": condition("NE", text("x"))},
         "Attempted conditional constraint is not an indexable operation"),
        ({"h": condition("LT", text("x"))}, "Query key condition not supported"),
        ({"r": condition("EQ", text("x"))}, "Query condition missed key schema element: h"),
        ({"h": condition("EQ", text("x")), "q": condition("EQ", text("x"))},
         "Query condition missed key schema element: r"),
        ({c: condition("EQ", text("x")) for c in "hrq"},
         "Conditions can be of length 1 or 2 only"),
    ],
)  # fmt: skip
def test_key_conditions_are_refused_in_the_words_of_the_service(conditions, message):
    assert refusal(keyed, conditions) == message


def test_attributes_to_get_become_a_projection():
    symbols = legacy.Symbols()
    paths = legacy.attribute_paths(["a.b", "status"], symbols)
    codec = codec_make()
    record = record_of(codec, {"a.b": 1, "status": 2, "a": {"b": 3}})
    assert compile_projection(paths).project(codec, record, symbols.names) == {
        "a.b": 1, "status": 2
    }
    assert refusal(legacy.attribute_paths, ["x", "y", "x"], legacy.Symbols()) == (
        INVALID + "Duplicate value in attribute name: x"
    )


def test_attribute_updates_become_actions():
    actions, symbols = updated(
        {
            "a": {"Value": number(1)},
            "b": {"Action": "PUT", "Value": text("x")},
            "c": {"Action": "DELETE"},
            "d": {"Action": "DELETE", "Value": {"SS": ["x"]}},
            "e": {"Action": "ADD", "Value": number(5)},
            "f": {"Action": "ADD", "Value": {"L": [text("y")]}},
        }
    )
    assert actions == parser.parse_update(
        "SET #legacy0 = :legacy0, #legacy1 = :legacy1"
    ) + parser.parse_update("REMOVE #legacy2 DELETE #legacy3 :legacy2 ADD #legacy4 :legacy3 "
        "SET #legacy5 = list_append(if_not_exists(#legacy5, :legacy5), :legacy4)")
    assert symbols.values[":legacy5"] == {"L": []}
    assert list(symbols.names.values()) == list("abcdef")
    assert compile_program(actions, None).has_update


def test_operands_of_another_type_are_named_in_the_legacy_words():
    actions, symbols = updated({"a": {"Action": "ADD", "Value": number(1)}})
    codec = codec_make()
    record = record_of(codec, {"a": "text"})
    program = compile_program(actions, None)
    with pytest.raises(ValidationError) as caught:
        program.apply(codec, record, codec.key("ada", 7), symbols.names, {":legacy0": 1})
    assert str(legacy.reworded(caught.value)) == "Type mismatch for attribute to update"
    other = ValidationError("another")
    assert legacy.reworded(other) is other


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({}, "Only DELETE action is allowed when no attribute value is specified"),
        ({"Action": "ADD"}, "Only DELETE action is allowed when no attribute value is specified"),
        ({"Action": "DELETE", "Value": number(1)},
         "DELETE action with value is not supported for the type N"),
        ({"Action": "ADD", "Value": text("x")}, "ADD action is not supported for the type S"),
    ],
)  # fmt: skip
def test_attribute_updates_are_checked(update, message):
    assert refusal(updated, {"a": update}) == INVALID + message
