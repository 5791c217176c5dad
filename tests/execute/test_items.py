"""Items through `execute`: what is written is read, with images, conditions, sizes and costs."""

from __future__ import annotations

from typing import Any

import pytest
from execute.conftest import Execute, table, thing

import hashrange
from hashrange.errors import TransactionCanceled

NAME = "things"


@pytest.fixture(autouse=True)
def made(run: Execute) -> None:
    run("CreateTable", **table())


def key(pk: str, sk: int) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"N": str(sk)}}


# What PutItem stores GetItem returns, every type; absent items give an empty response.
def test_an_item_comes_back_as_it_was_put(run: Execute) -> None:
    item = thing(
        "a", 1, s="x", b={"B": b"\x00\xff"}, t={"BOOL": True}, z={"NULL": True},
        l={"L": [{"N": "1.5"}, {"M": {"k": {"S": ""}}}]}, ss={"SS": ["x", "y"]}, ns={"NS": ["1"]},
        bs={"BS": [b"1"]},
    )
    assert run("PutItem", TableName=NAME, Item=item) == {}
    assert run("GetItem", TableName=NAME, Key=key("a", 1)) == {"Item": item}
    assert run("GetItem", TableName=NAME, Key=key("a", 2)) == {}
    found = run("GetItem", TableName=NAME, Key=key("a", 1), ProjectionExpression="l[1].k, s")
    assert found == {"Item": {"l": {"L": [{"M": {"k": {"S": ""}}}]}, "s": {"S": "x"}}}


# A false condition says so, with the item when it is asked for, and changes nothing.
def test_a_false_condition_changes_nothing(run: Execute) -> None:
    run("PutItem", TableName=NAME, Item=thing("a", 1, v=7))
    with pytest.raises(hashrange.ConditionalCheckFailed) as caught:
        run(
            "PutItem", TableName=NAME, Item=thing("a", 1, v=8),
            ConditionExpression="attribute_not_exists(pk) OR v < :v",
            ExpressionAttributeValues={":v": {"N": "7"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert str(caught.value) == "The conditional request failed"
    assert caught.value.code == "ConditionalCheckFailedException"
    assert caught.value.item == thing("a", 1, v=7)
    assert run("GetItem", TableName=NAME, Key=key("a", 1))["Item"] == thing("a", 1, v=7)
    old = run(
        "DeleteItem", TableName=NAME, Key=key("a", 1), ReturnValues="ALL_OLD",
        Expected={"v": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "7"}]}},
    )
    assert old["Attributes"] == thing("a", 1, v=7)
    assert run("GetItem", TableName=NAME, Key=key("a", 1)) == {}


# All or nothing, reasons in order.
def test_a_transaction_is_all_or_nothing(run: Execute) -> None:
    run("PutItem", TableName=NAME, Item=thing("a", 1, v=1))
    put = {"Put": {"TableName": NAME, "Item": thing("b", 1, g="x")}}
    check = {
        "ConditionCheck": {
            "TableName": NAME, "Key": key("a", 1), "ConditionExpression": "v = :v",
            "ExpressionAttributeValues": {":v": {"N": "2"}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }
    with pytest.raises(TransactionCanceled) as caught:
        run("TransactWriteItems", TransactItems=[put, check])
    assert caught.value.reasons == [
        {"Code": "None"},
        {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": thing("a", 1, v=1),
        },
    ]
    assert run("GetItem", TableName=NAME, Key=key("b", 1)) == {}
    assert run("Scan", TableName=NAME, IndexName="by_g")["Count"] == 0
    update = {
        "Update": {
            "TableName": NAME, "Key": key("a", 1), "UpdateExpression": "SET v = v + :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    delete = {"Delete": {"TableName": NAME, "Key": key("zzz", 1)}}
    answer = run(
        "TransactWriteItems", TransactItems=[put, update, delete], ReturnConsumedCapacity="TOTAL"
    )
    assert answer["ConsumedCapacity"] == [
        {"TableName": NAME, "CapacityUnits": 8.0, "WriteCapacityUnits": 8.0}
    ]
    got = run(
        "TransactGetItems",
        TransactItems=[
            {"Get": {"TableName": NAME, "Key": key("a", 1)}},
            {"Get": {"TableName": NAME, "Key": key("c", 1)}},
            {"Get": {"TableName": NAME, "Key": key("b", 1), "ProjectionExpression": "g"}},
        ],
    )
    assert got["Responses"] == [
        {"Item": thing("a", 1, v=2)}, {}, {"Item": {"g": {"S": "x"}}},
    ]


# A token makes a transaction idempotent for ten minutes, across a restart too.
def test_a_token_is_good_for_one_request(run: Execute) -> None:
    update = {
        "Update": {
            "TableName": NAME, "Key": key("a", 1), "UpdateExpression": "ADD v :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    for _ in range(3):
        run("TransactWriteItems", TransactItems=[update], ClientRequestToken="once")
    assert run("GetItem", TableName=NAME, Key=key("a", 1))["Item"]["v"] == {"N": "1"}
    with pytest.raises(hashrange.Error) as caught:
        run(
            "TransactWriteItems", ClientRequestToken="once",
            TransactItems=[{"Delete": {"TableName": NAME, "Key": key("a", 1)}}],
        )
    assert caught.value.code == "IdempotentParameterMismatchException"
    assert run("ListTables")["TableNames"] == [NAME]


def test_batches_write_and_read_many_items(run: Execute) -> None:
    items = [thing("a", number, g="x") for number in range(25)]
    answer = run(
        "BatchWriteItem",
        RequestItems={NAME: [{"PutRequest": {"Item": item}} for item in items]},
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["UnprocessedItems"] == {}
    assert answer["ConsumedCapacity"] == [{"TableName": NAME, "CapacityUnits": 75.0}]
    keys = [key("a", number) for number in range(20, 30)]
    answer = run("BatchGetItem", RequestItems={NAME: {"Keys": keys}})
    assert answer["Responses"][NAME] == items[20:]
