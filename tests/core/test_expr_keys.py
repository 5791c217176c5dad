"""Key conditions: what a Query reads, and the service's words for what it refuses."""

from __future__ import annotations

import pytest
from core.programs import codec_make, refusal

from ddbcore.filter import Filter
from hashrange.expr import (
    KeyCondition,
    RangeCondition,
    compile_key_condition,
    compile_program,
    compile_projection,
    refuse_key_attributes,
    refuse_unused,
)


def analyse(text, names=None, hash_names=("h",), range_names=("r",)) -> KeyCondition:
    return compile_key_condition(text).resolve(names, hash_names, range_names)


@pytest.mark.parametrize(
    ("text", "operator", "values"),
    [
        ("h = :h AND r = :a", "=", (":a",)),
        ("r < :a AND h = :h", "<", (":a",)),
        ("h = :h and r <= :a", "<=", (":a",)),
        ("h = :h AND :a < r", ">", (":a",)),
        (":h = h AND :a >= r", "<=", (":a",)),
        ("(h = :h) AND (r BETWEEN :a AND :b)", "BETWEEN", (":a", ":b")),
        ("(h = :h AND begins_with(r, :a))", "begins_with", (":a",)),
    ],
)
def test_conditions_on_both_keys(text, operator, values):
    assert analyse(text) == KeyCondition(
        (("h", ":h"),), (RangeCondition("r", operator, values),)
    )


def test_the_hash_key_alone_reads_the_collection():
    assert analyse("h = :h") == KeyCondition((("h", ":h"),), ())
    assert analyse("#k = :h", {"#k": "h"}, range_names=()) == KeyCondition((("h", ":h"),), ())


# Multi-attribute keys of indexes: equality on every hash attribute; range attributes from left to
# right without gaps, an inequality last. Source: developer guide, multi-attribute keys.
def test_keys_of_several_attributes():
    schema = ("a", "b"), ("x", "y", "z")
    assert analyse("b = :b AND a = :a", None, *schema) == KeyCondition(
        (("a", ":a"), ("b", ":b")), ()
    )
    assert analyse("y > :y AND b = :b AND x = :x AND a = :a", None, *schema) == KeyCondition(
        (("a", ":a"), ("b", ":b")),
        (RangeCondition("x", "=", (":x",)), RangeCondition("y", ">", (":y",))),
    )
    for text, message in [
        ("a = :a", "Query condition missed key schema element: b"),
        ("a = :a AND b = :b AND y = :y", "Query condition missed key schema element: x"),
        ("a = :a AND b = :b AND x > :x AND y = :y", "Query key condition not supported"),
        ("a = :a AND b > :b", "Query key condition not supported"),
        ("a = :a AND b = :b AND x = :x AND y = :y AND z = :z AND q = :q",
         "Query key condition not supported"),
    ]:
        assert refusal(analyse, text, None, *schema) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("h = :h AND q = :o", "Query condition missed key schema element: r"),
        ("r = :r", "Query condition missed key schema element: h"),
        ("h > :h", "Query key condition not supported"),
        ("begins_with(h, :h) AND r = :r", "Query key condition not supported"),
        ("h = :h AND h = :i", "KeyConditionExpressions must only contain one condition per key"),
        ("h = :h AND r > :a AND r < :b",
         "KeyConditionExpressions must only contain one condition per key"),
        ("h = :h AND r = :r AND q = :q", "Conditions can be of length 1 or 2 only"),
        ("h = :h OR r = :r", "Invalid operator used in KeyConditionExpression: OR"),
        ("h = :h AND NOT r = :r", "Invalid operator used in KeyConditionExpression: NOT"),
        ("h = :h AND r <> :r", "Invalid operator used in KeyConditionExpression: <>"),
        ("h = :h AND r IN (:r)", "Invalid operator used in KeyConditionExpression: IN"),
        ("h = :h AND contains(r, :r)",
         "Invalid operator used in KeyConditionExpression: contains"),
        ("attribute_exists(h)",
         "Invalid operator used in KeyConditionExpression: attribute_exists"),
        ("h = :h AND size(r) > :r", "KeyConditionExpressions cannot contain nested operations"),
        ("h = :h AND r.a = :r",
         "KeyConditionExpressions cannot have conditions on nested attributes"),
        ("h = r", "Invalid condition in KeyConditionExpression: Multiple attribute names used in "
         "one condition"),
        (":h = :i", "Invalid condition in KeyConditionExpression: No key attribute specified"),
        ("h = :h AND :a BETWEEN r AND :b", "Invalid condition in KeyConditionExpression: BETWEEN "
         "operator must have the key attribute as its first operand"),
        ("h = :h AND begins_with(:a, r)", "Invalid condition in KeyConditionExpression: "
         "begins_with operator must have the key attribute as its first operand"),
        ("", "Invalid KeyConditionExpression: The expression can not be empty;"),
        ("h = ", 'Invalid KeyConditionExpression: Syntax error; token: "<EOF>", near: "="'),
        ("hash = :h", "Invalid KeyConditionExpression: Attribute name is a reserved keyword; "
         "reserved keyword: hash"),
        ("#h = :h", "Invalid KeyConditionExpression: An expression attribute name used in the "
         "document path is not defined; attribute name: #h"),
    ],
)  # fmt: skip
def test_what_is_no_key_condition_is_refused_in_the_words_of_the_service(text, message):
    assert refusal(analyse, text) == message


def test_a_table_without_a_range_key_takes_one_condition():
    message = refusal(analyse, "h = :h AND r = :r", None, ("h",), ())
    assert message == "Query key condition not supported"


# The program has the same text: binding it checks what values tell.
def test_binding_the_program_checks_the_values():
    expression = compile_key_condition("h = :h AND r BETWEEN :a AND :b")
    message = refusal(
        Filter, expression.program, codec_make(), None, {":h": 1, ":a": 2, ":b": 1}
    )
    assert message.startswith(
        "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater "
        "than or equal to lower bound; "
    )


# ---- several expressions in one request ----------------------------------------------------------


def test_unused_placeholders_are_those_that_no_expression_uses():
    key = compile_key_condition("#h = :h")
    condition = compile_program(None, "#f > :f", "FilterExpression")
    projection = compile_projection("#p.#q")
    names = {"#h": "h", "#f": "f", "#p": "p", "#q": "q"}
    values = {":h": 1, ":f": 2}
    refuse_unused(names, values, key, condition, projection, None)
    refuse_unused(None, None, None)
    assert refusal(refuse_unused, {**names, "#z": "z", "#y": "y"}, values, key, condition,
                   projection) == (
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#y, #z}"
    )
    assert refusal(refuse_unused, {"#h": "h"}, values, key) == (
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:f}"
    )
    assert refusal(refuse_unused, {"h": "h"}, None, key) == (
        'ExpressionAttributeNames contains invalid key: Syntax error; key: "h"'
    )
    assert refusal(refuse_unused, None, {":a b": 1}, key) == (
        'ExpressionAttributeValues contains invalid key: Syntax error; key: ":a b"'
    )


def test_filters_of_queries_name_no_key_attributes():
    def check(text, names=None):
        refuse_key_attributes(compile_program(None, text, "FilterExpression"), names, ("h", "r"))

    check("a = :a AND b.h = :a")
    for text, names, name in [
        ("a = :a OR size(r) > :a", None, "r"),
        ("r = :a AND #h.x = :a", {"#h": "h"}, "h"),
    ]:
        assert refusal(check, text, names) == (
            "Filter Expression can only contain non-primary key attributes: "
            f"Primary key attribute: {name}"
        )
    program = compile_program(None, "h = :a")
    assert refusal(refuse_key_attributes, program, None, ("h",), "QueryFilter") == (
        "QueryFilter can only contain non-primary key attributes: Primary key attribute: h"
    )
