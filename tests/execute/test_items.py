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


# ReturnValues: all five of UpdateItem.
def test_update_item_returns_the_images_that_are_asked_for(run: Execute) -> None:
    def update(want: str, value: int) -> Any:
        return run(
            "UpdateItem", TableName=NAME, Key=key("a", 1), ReturnValues=want,
            UpdateExpression="SET v = :v ADD n :one REMOVE gone",
            ExpressionAttributeValues={":v": {"N": str(value)}, ":one": {"N": "1"}},
        ).get("Attributes")

    run("PutItem", TableName=NAME, Item=thing("a", 1, v=0, gone="x"))
    assert update("NONE", 1) is None
    assert update("ALL_OLD", 2) == thing("a", 1, v=1, n=1)
    assert update("UPDATED_OLD", 3) == {"v": {"N": "2"}, "n": {"N": "2"}}
    assert update("ALL_NEW", 4) == thing("a", 1, v=4, n=4)
    assert update("UPDATED_NEW", 5) == {"v": {"N": "5"}, "n": {"N": "5"}}


# An update without an expression makes the item of its key; one of nothing changes nothing.
def test_update_item_without_an_expression_makes_the_item(run: Execute) -> None:
    assert run("UpdateItem", TableName=NAME, Key=key("a", 1)) == {}
    assert run("GetItem", TableName=NAME, Key=key("a", 1))["Item"] == key("a", 1)
    run("UpdateItem", TableName=NAME, Key=key("a", 1))
    answer = run("DescribeTable", TableName=NAME)["Table"]
    assert (answer["ItemCount"], answer["TableSizeBytes"]) == (1, 2 + 1 + 2 + 2)


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


# Legacy: AttributeUpdates with Expected, both with names and values of their own.
def test_attribute_updates_work_with_expected(run: Execute) -> None:
    run("PutItem", TableName=NAME, Item=thing("a", 1, v=7))
    answer = run(
        "UpdateItem", TableName=NAME, Key=key("a", 1), ReturnValues="ALL_NEW",
        AttributeUpdates={
            "v": {"Action": "ADD", "Value": {"N": "3"}}, "w": {"Value": {"S": "new"}},
        },
        Expected={"v": {"Value": {"N": "7"}}},
    )
    assert answer["Attributes"] == thing("a", 1, v=10, w="new")


# Index arms: an entry that comes costs one unit, one that moves two, one that stays none.
def test_a_write_pays_for_the_indexes_it_changes(run: Execute) -> None:
    def put(**attributes: Any) -> Any:
        used = run(
            "PutItem", TableName=NAME, Item=thing("a", 1, **attributes),
            ReturnConsumedCapacity="INDEXES",
        )["ConsumedCapacity"]
        arms = {
            name: arm["CapacityUnits"]
            for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
            for name, arm in used.get(member, {}).items()
        }
        return used["CapacityUnits"], arms

    assert put() == (1, {})
    assert put(g="x") == (3, {"by_g": 1, "by_g_sk": 1})
    assert put(g="x") == (1, {})
    assert put(g="x", other=1) == (2, {"by_g": 1})
    assert put(g="y", other=1) == (5, {"by_g": 2, "by_g_sk": 2})
    assert put(other=1, a="z") == (4, {"by_g": 1, "by_g_sk": 1, "by_a": 1})


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


# The service's words and codes, from the engine's side of the door too.
@pytest.mark.parametrize(
    ("operation", "members", "code", "words"),
    [
        ("GetItem", {"TableName": "missing", "Key": key("a", 1)}, "ResourceNotFoundException",
         "Requested resource not found"),
        ("GetItem", {"TableName": NAME, "Key": {"pk": {"S": "a"}}}, "ValidationException",
         "The provided key element does not match the schema"),
        ("PutItem", {"TableName": NAME, "Item": {"pk": {"S": "a"}}}, "ValidationException",
         "One or more parameter values were invalid: Missing the key sk in the item"),
        ("UpdateItem",
         {"TableName": NAME, "Key": key("a", 1), "UpdateExpression": "SET pk = :v",
          "ExpressionAttributeValues": {":v": {"S": "x"}}}, "ValidationException",
         "One or more parameter values were invalid: Cannot update attribute pk. This attribute is "
         "part of the key"),
        ("PutItem", {"TableName": NAME, "Item": thing("a", 1, g=1)}, "ValidationException",
         "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S "
         "Actual: N IndexName: by_g"),
    ],
)
def test_what_is_wrong_is_said_in_the_service_s_words(
    run: Execute, operation: str, members: dict[str, Any], code: str, words: str
) -> None:
    with pytest.raises(hashrange.Error) as caught:
        run(operation, **members)
    assert (caught.value.code, str(caught.value)) == (code, words)
