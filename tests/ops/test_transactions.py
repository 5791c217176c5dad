"""BatchWriteItem, TransactWriteItems and TransactGetItems over a door of dicts.

Order and words as observed on the service; capacity as measured.
"""

from __future__ import annotations

import pytest

from hashrange.errors import (
    IdempotentParameterMismatch,
    ItemTooLarge,
    TableNotFound,
    TransactionCanceled,
    ValidationError,
)
from hashrange.ops.door import Arm

PREFIX = "One or more parameter values were invalid: "
CANCELED = "Transaction cancelled, please refer cancellation reasons for specific reasons "
NO_MATCH = "The provided key element does not match the schema"
KB = 1024


def key(pk, sk="b"):
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def put(pk, size=1, **members):
    return {"Put": {"TableName": "abc", "Item": {**key(pk), "x": {"S": "x" * size}}, **members}}


def transact(service, *actions, **members):
    return service.execute("TransactWriteItems", {"TransactItems": [*actions], **members})


def refusal(service, operation, kind=ValidationError, **request) -> str:
    with pytest.raises(kind) as caught:
        service.execute(operation, request)
    return str(caught.value)


def canceled(service, *actions):
    with pytest.raises(TransactionCanceled) as caught:
        transact(service, *actions)
    codes = ", ".join(reason["Code"] for reason in caught.value.reasons)
    assert str(caught.value) == f"{CANCELED}[{codes}]"
    return caught.value.reasons


def held(door):
    return {item["pk"]["S"] for item in door.items.get("abc", {}).values()}


# ---- transactions --------------------------------------------------------------------------------


def test_a_transaction_does_all(service, door):
    transact(service, put("a"), put("b"))
    check = {
        "ConditionCheck": {
            "TableName": "abc",
            "Key": key("z"),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }
    delete = {"Delete": {"TableName": "abc", "Key": key("a")}}
    assert transact(service, delete, check, put("c")) == {}
    assert held(door) == {"b", "c"}


def test_a_false_condition_cancels_all_with_reasons_in_order(service, door):
    transact(service, put("a"))
    new = {"ConditionExpression": "attribute_not_exists(pk)"}
    shown = {**new, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    assert canceled(service, put("b"), put("a", **new)) == [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
    ]
    assert canceled(service, put("a", **shown))[0]["Item"]["pk"] == {"S": "a"}
    assert held(door) == {"a"}


def test_a_bad_key_cancels_with_a_validation_error(service):
    bad = {"Delete": {"TableName": "abc", "Key": {"pk": {"S": "a"}}}}
    assert canceled(service, put("b"), bad) == [
        {"Code": "None"},
        {"Code": "ValidationError", "Message": NO_MATCH},
    ]


# Measured: an item too large is a fault of the request when put, of the action when updated.
def test_an_item_too_large_is_told_in_two_ways(service, door):
    request = {"TransactItems": [put("a", 400 * KB)]}
    words = "Item size has exceeded the maximum allowed size"
    assert refusal(service, "TransactWriteItems", ItemTooLarge, **request) == words
    door.effects["SET x = :x"] = {"x": {"S": "x" * 400 * KB}}
    update = {"TableName": "abc", "Key": key("a"), "UpdateExpression": "SET x = :x"}
    assert canceled(service, {"Update": update}) == [{"Code": "ValidationError", "Message": words}]
    assert held(door) == set()


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (
            [put("a"), put("a")],
            "Transaction request cannot include multiple operations on one item",
        ),
        (
            [{**put("a"), "Delete": {"TableName": "abc", "Key": key("b")}}],
            "TransactItems can only contain one of Check, Put, Update or Delete",
        ),
        (
            [{}],
            "The action or operation requested is invalid. Verify that the action is typed "
            "correctly.",
        ),
        (
            [
                put(
                    "a",
                    ConditionExpression="x",
                    ExpressionAttributeValues={":v": {"NS": ["1", "1"]}},
                )
            ],
            "ExpressionAttributeValues contains invalid value: Input collection contains "
            "duplicates for key :v",
        ),
    ],
)
def test_a_transaction_that_breaks_a_rule_is_refused_as_a_whole(service, actions, words):
    assert refusal(service, "TransactWriteItems", TransactItems=actions) == words


def test_an_expression_that_cannot_be_read_is_a_fault_of_the_request(service):
    actions = [put("a"), put("b", ConditionExpression="what?")]
    assert refusal(service, "TransactWriteItems", TransactItems=actions) == (
        "Invalid ConditionExpression: Syntax error; token: ..."
    )


# Measured: expressions are read before any table is looked at, action by action.
def test_an_expression_that_cannot_be_read_comes_before_an_unknown_table(service):
    unknown = {"Delete": {"TableName": "nope", "Key": key("a")}}
    actions = [unknown, put("b", ConditionExpression="what?")]
    assert refusal(service, "TransactWriteItems", TransactItems=actions) == (
        "Invalid ConditionExpression: Syntax error; token: ..."
    )


def test_an_empty_key_value_is_a_fault_of_the_request(service):
    assert refusal(service, "TransactWriteItems", TransactItems=[put("a"), put("")]) == (
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
        "contain an empty string value. Key: pk"
    )


def test_an_unknown_table_is_a_fault_of_the_request(service):
    action = {"Delete": {"TableName": "nope", "Key": key("a")}}
    assert refusal(service, "TransactWriteItems", TableNotFound, TransactItems=[action]) == (
        "Requested resource not found"
    )


# Measured: twice the units of the table, indexes as ever; the split is told.
def test_a_transaction_costs_twice_but_its_indexes_do_not(service, door):
    door.arms = [Arm("gsi", True, None, 100)]
    answer = transact(service, put("a", KB), put("b"), ReturnConsumedCapacity="INDEXES")
    assert answer["ConsumedCapacity"] == [
        {
            "TableName": "abc",
            "CapacityUnits": 8.0,
            "WriteCapacityUnits": 8.0,
            "Table": {"CapacityUnits": 6.0, "WriteCapacityUnits": 6.0},
            "GlobalSecondaryIndexes": {"gsi": {"CapacityUnits": 2.0}},
        }
    ]


# Measured: the second call with a token costs transactional reads of the first call's items.
def test_a_known_token_costs_reads(service):
    request = {"ClientRequestToken": "t", "ReturnConsumedCapacity": "TOTAL"}
    first = transact(service, put("a", 5 * KB), **request)
    assert first["ConsumedCapacity"][0]["WriteCapacityUnits"] == 12.0
    again = transact(service, put("a", 5 * KB), **request)
    assert again["ConsumedCapacity"] == [
        {"TableName": "abc", "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}
    ]
    with pytest.raises(IdempotentParameterMismatch):
        transact(service, put("a", 6 * KB), **request)


def test_a_transaction_reads_in_order_and_costs_twice(service):
    transact(service, put("a", 5 * KB))
    gets = [{"Get": {"TableName": "abc", "Key": key(pk)}} for pk in ("none", "a")]
    answer = service.execute(
        "TransactGetItems", {"TransactItems": gets, "ReturnConsumedCapacity": "TOTAL"}
    )
    assert answer["Responses"][0] == {}
    assert answer["Responses"][1]["Item"]["pk"] == {"S": "a"}
    assert answer["ConsumedCapacity"] == [
        {"TableName": "abc", "CapacityUnits": 6.0, "ReadCapacityUnits": 6.0}
    ]


def test_a_read_with_a_bad_key_is_canceled(service):
    gets = [{"Get": {"TableName": "abc", "Key": {"pk": {"S": "a"}}}}]
    with pytest.raises(TransactionCanceled) as caught:
        service.execute("TransactGetItems", {"TransactItems": gets})
    assert caught.value.reasons == [{"Code": "ValidationError", "Message": NO_MATCH}]


# ---- batches -------------------------------------------------------------------------------------


def batch_put(pk, **attributes):
    return {"PutRequest": {"Item": {**key(pk), **attributes}}}


def batch_delete(pk):
    return {"DeleteRequest": {"Key": key(pk)}}


def test_a_batch_writes_and_says_what_it_cost(service, door):
    tables = {"abc": [batch_put("a"), batch_put("b")], "xyz": [batch_put("c")]}
    answer = service.execute(
        "BatchWriteItem",
        {
            "RequestItems": tables,
            "ReturnConsumedCapacity": "TOTAL",
            "ReturnItemCollectionMetrics": "SIZE",
        },
    )
    assert answer == {
        "UnprocessedItems": {},
        "ConsumedCapacity": [
            {"TableName": "abc", "CapacityUnits": 2.0},
            {"TableName": "xyz", "CapacityUnits": 1.0},
        ],
        "ItemCollectionMetrics": {
            "xyz": [{"ItemCollectionKey": {"pk": {"S": "c"}}, "SizeEstimateRangeGB": [0.0, 1.0]}]
        },
    }
    service.execute("BatchWriteItem", {"RequestItems": {"abc": [batch_delete("a")]}})
    assert held(door) == {"b"}


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        (
            {"abc": [batch_put("a"), batch_delete("a")]},
            "Provided list of item keys contains duplicates",
        ),
        (
            {"abc": [batch_put("a")] * 13, "xyz": [batch_put("a")] * 13},
            "Too many items requested for the BatchWriteItem call",
        ),
        (
            {"abc": [{}]},
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes",
        ),
        (
            {"abc": [{**batch_put("a"), **batch_delete("b")}]},
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes",
        ),
        ({"abc": [{"PutRequest": {"Item": {"pk": {"N": "1"}, "sk": {"S": ""}}}}]}, NO_MATCH),
        (
            {"abc": [{"PutRequest": {"Item": {"pk": {"S": "a"}}}}]},
            NO_MATCH,
        ),
        ({"abc": [batch_put("a", x={"SS": []})]}, PREFIX + "An string set  may not be empty"),
    ],
)
def test_a_batch_that_breaks_a_rule_writes_nothing(service, door, tables, words):
    assert refusal(service, "BatchWriteItem", RequestItems=tables) == words
    assert held(door) == set()
