"""Expression members: company, placeholders, what is returned. Order and words of the service."""

from __future__ import annotations

import pytest

from hashrange.errors import ValidationError
from hashrange.ops import parameters

MIXED = (
    "Can not use both expression and non-expression parameters in the same request: "
    "Non-expression parameters: {{{}}} Expression parameters: {{{}}}"
)


def refusal(check, *arguments) -> str:
    with pytest.raises(ValidationError) as caught:
        check(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("operation", "members", "legacy", "expressions"),
    [
        ("PutItem", ("Expected", "ConditionExpression"), "Expected", "ConditionExpression"),
        (
            "UpdateItem",
            ("Expected", "AttributeUpdates", "ConditionExpression", "UpdateExpression"),
            "AttributeUpdates, Expected",
            "UpdateExpression, ConditionExpression",
        ),
        ("UpdateItem", ("Expected", "UpdateExpression"), "Expected", "UpdateExpression"),
        (
            "GetItem",
            ("AttributesToGet", "ProjectionExpression"),
            "AttributesToGet",
            "ProjectionExpression",
        ),
        (
            "Query",
            (
                "AttributesToGet",
                "QueryFilter",
                "ConditionalOperator",
                "ProjectionExpression",
                "FilterExpression",
                "KeyConditionExpression",
            ),
            "AttributesToGet, QueryFilter, ConditionalOperator",
            "ProjectionExpression, FilterExpression, KeyConditionExpression",
        ),
        ("Scan", ("ScanFilter", "FilterExpression"), "ScanFilter", "FilterExpression"),
    ],
)
def test_old_and_new_members_do_not_mix(operation, members, legacy, expressions):
    request = dict.fromkeys(members, "x")
    words = refusal(parameters.check_company, operation, request)
    assert words == MIXED.format(legacy, expressions)


# Observed on the service: legacy key conditions go with a filter expression.
def test_key_conditions_go_with_other_expressions():
    parameters.check_company("Query", {"KeyConditions": {}, "FilterExpression": "a = :a"})
    request = {"KeyConditions": {}, "KeyConditionExpression": "a = :a"}
    assert refusal(parameters.check_company, "Query", request) == MIXED.format(
        "KeyConditions", "KeyConditionExpression"
    )


def test_names_need_an_expression():
    words = "ExpressionAttributeNames can only be specified when using expressions"
    for operation in parameters.COMPANIES.keys() - parameters.LENIENT:
        request = {"ExpressionAttributeNames": {}, "ExpressionAttributeValues": {}}
        assert refusal(parameters.check_company, operation, request) == words


# Captured on the service: in a transaction nobody asks what the placeholders are for.
@pytest.mark.parametrize("action", ["Put", "Delete", "Get"])
def test_an_action_may_have_placeholders_without_an_expression(action):
    given = {"ExpressionAttributeNames": {"#a": "a"}, "ExpressionAttributeValues": {":a": {}}}
    parameters.check_company(action, given)


@pytest.mark.parametrize(
    ("operation", "suffix"),
    [
        ("PutItem", ""),
        ("UpdateItem", ""),
        ("Update", ": UpdateExpression and ConditionExpression are null"),
        ("Query", ": FilterExpression and KeyConditionExpression are null"),
        ("Scan", ": FilterExpression is null"),
        ("DeleteItem", ""),
    ],
)
def test_values_need_an_expression_that_may_hold_them(operation, suffix):
    request = {"ExpressionAttributeValues": {}}
    if operation in ("Query", "Scan"):
        request["ProjectionExpression"] = "a"
    assert refusal(parameters.check_company, operation, request) == (
        "ExpressionAttributeValues can only be specified when using expressions" + suffix
    )


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (None, "ConditionalOperator cannot be used without Filter or Expected"),
        ({}, "ConditionalOperator cannot be used without Filter or Expected"),
        (
            {"a": {}},
            "ConditionalOperator can only be used when Filter or Expected has two or more elements",
        ),
    ],
)
def test_a_conditional_operator_joins_two_conditions(expected, words):
    request = {"ConditionalOperator": "OR", "Expected": expected}
    assert refusal(parameters.check_company, "PutItem", request) == words
    request["Expected"] = {"a": {}, "b": {}}
    parameters.check_company("PutItem", request)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"ExpressionAttributeNames": {}}, "ExpressionAttributeNames must not be empty"),
        (
            {"ExpressionAttributeNames": {"#": "a"}},
            'ExpressionAttributeNames contains invalid key: Syntax error; key: "#"',
        ),
        (
            {"ExpressionAttributeNames": {"a": "a"}, "ExpressionAttributeValues": {}},
            'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"',
        ),
        # The key's length is looked at before its form; only names tell it.
        (
            {"ExpressionAttributeNames": {"#é" + "-" * 253: "a"}},
            "ExpressionAttributeNames contains invalid key: The expression attribute map contains "
            "a key that is too long; size of key: 256",
        ),
        (
            {"ExpressionAttributeValues": {":" + "a" * 255: {"S": ""}}},
            "ExpressionAttributeValues contains invalid key: The expression attribute map contains "
            "a key that is too long;",
        ),
        (
            {"ExpressionAttributeNames": {"#" + "a" * 254: ""}},
            "ExpressionAttributeNames contains invalid value: Empty attribute name for key #"
            + "a" * 254,
        ),
        (
            {"ExpressionAttributeNames": {"#a": "a" * 65536}},
            "Attribute name is too large, must be less than 65536 bytes",
        ),
        ({"ExpressionAttributeValues": {}}, "ExpressionAttributeValues must not be empty"),
        (
            {"ExpressionAttributeValues": {":a-b": {"S": ""}}},
            'ExpressionAttributeValues contains invalid key: Syntax error; key: ":a-b"',
        ),
        (
            {"ExpressionAttributeValues": {":a": {"NS": ["1", "1"]}}},
            "ExpressionAttributeValues contains invalid value: Input collection contains "
            "duplicates for key :a",
        ),
        (
            {"FilterExpression": ""},
            "Invalid FilterExpression: The expression can not be empty;",
        ),
        (
            {"ProjectionExpression": "a" * 4097},
            "Invalid ProjectionExpression: Expression size has exceeded the maximum allowed size;",
        ),
        (
            {"FilterExpression": "é" * 2049},
            "Invalid FilterExpression: Expression size has exceeded the maximum allowed size; "
            "expression size: 4098",
        ),
    ],
)
def test_placeholders_and_texts_have_a_form(members, words):
    assert refusal(parameters.check_placeholders, "Scan", members) == words


def test_an_expression_has_4096_bytes_at_most():
    parameters.check_placeholders("Scan", {"FilterExpression": "é" * 2048})


# Measured: conditions and filters tell their size, updates and projections do not.
@pytest.mark.parametrize(
    ("member", "tail"),
    [("ConditionExpression", " expression size: 4109"), ("UpdateExpression", "")],
)
def test_an_expression_that_is_too_long_tells_its_size_or_not(member, tail):
    assert refusal(parameters.check_placeholders, "Update", {member: "a" * 4109}) == (
        f"Invalid {member}: Expression size has exceeded the maximum allowed size;{tail}"
    )


# Observed on the service in 2026: of the operations that read or write one item, and Query.
@pytest.mark.parametrize(
    ("operation", "member"),
    [("PutItem", "ConditionExpression"), ("Query", "FilterExpression")],
)
def test_an_expression_that_is_too_long_is_not_measured_by_the_newer_layer(operation, member):
    assert refusal(parameters.check_placeholders, operation, {member: "a" * 4109}) == (
        f"Invalid {member}: Expression size has exceeded the maximum allowed size;"
    )


# Observed on the service in 2026: three operations say all of this as one validation error.
@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem", "DeleteItem"])
def test_writes_of_one_item_envelope_what_is_wrong_with_the_request(operation):
    prefix = "1 validation error detected: "
    request = {
        "ConditionExpression": "a = :a",
        "ExpressionAttributeValues": {":a": {"SS": []}},
    }

    def check():
        with parameters.enveloped(operation):
            parameters.check_placeholders(operation, request)

    assert refusal(check) == (
        prefix + "One or more parameter values were invalid: An string set  may not be empty"
    )

    def check_again():
        with parameters.enveloped(operation):
            check()

    assert refusal(check_again).count(prefix) == 1


def test_other_operations_do_not_envelope():
    def check():
        with parameters.enveloped("GetItem"):
            parameters.check_placeholders("GetItem", {"ProjectionExpression": ""})

    assert refusal(check) == "Invalid ProjectionExpression: The expression can not be empty;"


@pytest.mark.parametrize("value", ["ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"])
def test_put_and_delete_return_the_old_item_or_nothing(value):
    for operation in ("PutItem", "DeleteItem"):
        words = refusal(parameters.check_return_values, operation, {"ReturnValues": value})
        assert words == "ReturnValues can only be ALL_OLD or NONE"
    parameters.check_return_values("UpdateItem", {"ReturnValues": value})


def test_an_attribute_is_got_once():
    request = {"AttributesToGet": ["a", "b", "a"]}
    assert refusal(parameters.check_attributes_to_get, request) == (
        "One or more parameter values were invalid: Duplicate value in attribute name: a"
    )
