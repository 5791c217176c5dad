"""Bodies of errors: their type, the member with the words, and what else they carry."""

from __future__ import annotations

from typing import Any

import pytest
from endpoint.wire import Wire

import hashrange
from hashrange.endpoint import bodies
from hashrange.errors import (
    AccessDenied,
    IdempotentParameterMismatch,
    ProvisionedThroughputExceeded,
    Throttling,
    TransactionInProgress,
    unknown_operation,
)

SERVICE = "com.amazonaws.dynamodb.v20120810#"
CORAL = "com.amazon.coral.service#"
KEY = {"TableName": "things", "Key": {"id": {"S": "a"}}}
CONDITION = {
    "ConditionExpression": "n = :n",
    "ExpressionAttributeValues": {":n": {"N": "2"}},
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}


def refused(wire: Wire, operation: str, request: Any = None, **options: Any) -> Any:
    response = wire.call(operation, request, **options)
    assert response.status == 400
    return response.json()


def put(wire: Wire, **attributes: Any) -> None:
    item = {"id": {"S": "a"}, **attributes}
    assert wire.call("PutItem", {"TableName": "things", "Item": item}).status == 200


def test_an_unknown_table_is_named_by_the_control_plane_alone(wire: Wire) -> None:
    assert refused(wire, "DescribeTable", {"TableName": "nothing"}) == {
        "__type": SERVICE + "ResourceNotFoundException",
        "message": "Requested resource not found: Table: nothing not found",
    }
    assert refused(wire, "GetItem", {**KEY, "TableName": "nothing"}) == {
        "__type": SERVICE + "ResourceNotFoundException",
        "message": "Requested resource not found",
    }


def test_a_validation_error_is_of_the_framework(wire: Wire) -> None:
    assert refused(wire, "GetItem", {"TableName": "things"}) == {
        "__type": "com.amazon.coral.validate#ValidationException",
        "message": "1 validation error detected: Value null at 'key' failed to satisfy "
        "constraint: Member must not be null",
    }


def test_a_failed_condition_carries_the_item_when_asked(wire: Wire) -> None:
    put(wire, n={"N": "1"}, b={"B": "AAEC"})
    assert refused(wire, "DeleteItem", {**KEY, **CONDITION}) == {
        "__type": SERVICE + "ConditionalCheckFailedException",
        "Item": {"id": {"S": "a"}, "n": {"N": "1"}, "b": {"B": "AAEC"}},
        "message": "The conditional request failed",
    }
    without = {k: v for k, v in CONDITION.items() if not k.startswith("Return")}
    assert "Item" not in refused(wire, "DeleteItem", {**KEY, **without})


def test_a_canceled_transaction_carries_its_reasons(wire: Wire) -> None:
    put(wire, n={"N": "1"})
    body = refused(wire, "TransactWriteItems", {"TransactItems": [
        {"Put": {"TableName": "things", "Item": {"id": {"S": "b"}}}},
        {"Delete": {**KEY, **CONDITION}},
    ]})
    assert body == {
        "__type": SERVICE + "TransactionCanceledException",
        "CancellationReasons": [
            {"Code": "None"},
            {
                "Code": "ConditionalCheckFailed",
                "Item": {"id": {"S": "a"}, "n": {"N": "1"}},
                "Message": "The conditional request failed",
            },
        ],
        "Message": "Transaction cancelled, please refer cancellation reasons for specific "
        "reasons [None, ConditionalCheckFailed]",
    }


# The service model has `Message` for these, `message` for the others.
def test_some_errors_spell_their_message_with_a_capital() -> None:
    for kind in (AccessDenied, IdempotentParameterMismatch, TransactionInProgress):
        error = kind("no")
        assert bodies.error_body(error)["Message"] == "no"
    assert bodies.error_body(hashrange.TableExists("no"))["message"] == "no"
    assert bodies.error_body(unknown_operation()) == {"__type": CORAL + "UnknownOperationException"}


def test_throttling_errors_carry_their_reasons() -> None:
    reasons = [{"reason": "TableReadProvisionedThroughputExceeded", "resource": "arn"}]
    made = bodies.error_body(ProvisionedThroughputExceeded("slow", reasons))
    assert made["ThrottlingReasons"] == reasons
    assert bodies.error_body(Throttling("slow", reasons))["throttlingReasons"] == reasons
    assert set(bodies.error_body(Throttling("slow"))) == {"__type", "message"}


# ---- types ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "request_", "words"),
    [
        ("GetItem", {"TableName": 1}, "NUMBER_VALUE cannot be converted to String"),
        ("GetItem", {"TableName": 1.5}, "DECIMAL_VALUE cannot be converted to String"),
        ("GetItem", {"TableName": True}, "TRUE_VALUE cannot be converted to String"),
        ("GetItem", {"TableName": {}}, "Start of structure or map found where not expected"),
        ("GetItem", {"TableName": []}, "Unrecognized collection type class java.lang.String"),
        ("Query", {"TableName": "things", "Limit": "1"},
         "STRING_VALUE cannot be converted to Integer"),
        ("GetItem", {"TableName": "things", "Key": "x"}, "Unexpected field type"),
        ("GetItem", {"TableName": "things", "Key": {"id": "a"}},
         "Unexpected value type in payload"),
        ("GetItem", {"TableName": "things", "Key": {"id": {"S": 1}}},
         "NUMBER_VALUE cannot be converted to String"),
        ("PutItem", {"TableName": "things", "Item": {"id": {"S": "a"}, "b": {"B": "AAE"}}},
         "Base64 encoded length is expected a multiple of 4 bytes but found: 3"),
        ("PutItem", {"TableName": "things", "Item": {"id": {"S": "a"}, "b": {"B": "AAF="}}},
         "Invalid last non-pad Base64 character dectected"),
        ("PutItem", {"TableName": "things", "Item": {"id": {"S": "a"}, "b": {"B": 1}}},
         "only base-64-encoded strings are convertible to bytes"),
        ("PutItem", {"TableName": "things", "Item": {"id": {"S": "a"}, "b": {"BS": ["AA"]}}},
         "Base64 encoded length is expected a multiple of 4 bytes but found: 2"),
    ],
)
def test_a_wrong_json_type_has_the_words_of_the_service(
    wire: Wire, operation: str, request_: Any, words: str
) -> None:
    assert refused(wire, operation, request_) == {
        "__type": CORAL + "SerializationException",
        "Message": words,
    }


# A binary is base64 in JSON; another error in the same request must not make it one of types.
def test_binaries_are_base64_also_in_requests_that_fail(wire: Wire) -> None:
    item = {"id": {"S": "a"}, "b": {"B": "AAEC"}, "set": {"BS": ["AA==", "AQ=="]}, "n": {"N": "x"}}
    body = refused(wire, "PutItem", {"TableName": "things", "Item": item})
    assert body["message"].endswith("The parameter cannot be converted to a numeric value: x")


# B is the name of a type there, and that of a placeholder here.
def test_a_placeholder_called_b_is_no_binary(wire: Wire) -> None:
    body = refused(wire, "GetItem", {
        **KEY, "ProjectionExpression": "#a", "ExpressionAttributeNames": {"B": "AAEC"},
    })
    assert body["message"] == (
        'ExpressionAttributeNames contains invalid key: Syntax error; key: "B"'
    )


# ---- JSON ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b'{"TableName": "things"} x', b'{"a": "\xff"}', b'{"a": "\\ud800"}',
     b'{"a": 01}', b"[" * 100000, b'{"a":' * 100000, b"\xef\xbb\xbf{}", b"\0", b'{"a": "\n"}'],
)
def test_what_is_no_json_is_refused_without_words(wire: Wire, body: bytes) -> None:
    assert refused(wire, "ListTables", body=body) == {"__type": CORAL + "SerializationException"}
    assert wire.call("ListTables", {}).status == 200


def test_json_of_another_shape_is_refused_with_words(wire: Wire) -> None:
    assert refused(wire, "ListTables", body=b"1")["Message"] == "Unexpected field type"
    assert refused(wire, "ListTables", body=b"[]")["Message"] == (
        "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.ListTablesInput"
    )
    assert refused(wire, "ListTables", body=b"null")["__type"] == CORAL + "SerializationException"


def test_of_two_members_with_one_name_the_last_counts(wire: Wire) -> None:
    response = wire.call("DescribeTable", body=b'{"TableName": "nothing", "TableName": "things"}')
    assert response.json()["Table"]["TableName"] == "things"


def test_huge_numbers_are_refused_not_met(wire: Wire) -> None:
    for number in (b"9" * 400, b"9" * 401, b"1e999", b"-1e999", b"1e-999", b"0." + b"3" * 4000):
        body = refused(wire, "ListTables", body=b'{"Limit": %s}' % number)
        assert body["__type"] in {
            CORAL + "SerializationException", "com.amazon.coral.validate#ValidationException",
        }
    assert "Message" not in refused(wire, "ListTables", body=b'{"Limit": %s}' % (b"9" * 4097))


def test_items_may_be_nested_as_deep_as_the_service_lets_them(wire: Wire) -> None:
    def nested(levels: int) -> Any:
        value: Any = {"N": "1"}
        for _ in range(levels):
            value = {"L": [value]}
        return {"TableName": "things", "Item": {"id": {"S": "a"}, "deep": value}}

    assert wire.call("PutItem", nested(31)).status == 200
    assert "Nesting Levels" in refused(wire, "PutItem", nested(32))["message"]
    assert "Nesting Levels" in refused(wire, "PutItem", nested(100))["message"]
    assert refused(wire, "PutItem", nested(200)) == {"__type": CORAL + "SerializationException"}
