"""Pages of Query and Scan, whose items are text all the way: as `execute` answers them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from endpoint.wire import Wire

import hashrange
from ddbcore.json_writer import JsonItems, json_write

ORDERS: dict[str, Any] = {
    "TableName": "orders",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
        {"AttributeName": "a", "AttributeType": "B"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "LocalSecondaryIndexes": [{
        "IndexName": "local", "Projection": {"ProjectionType": "KEYS_ONLY"},
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "a", "KeyType": "RANGE"},
        ],
    }],
    "GlobalSecondaryIndexes": [{
        "IndexName": "global", "Projection": {"ProjectionType": "ALL"},
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
    }],
}
PK = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "x"}}}


@pytest.fixture
def orders(db: hashrange.Database) -> hashrange.Database:
    db.execute("CreateTable", ORDERS)
    for number in range(40):
        item: dict[str, Any] = {"pk": {"S": "xy"[number % 2]}, "sk": {"N": str(number)}}
        item["text"] = {"S": 'quo"te ☃' * number}
        if number % 3:
            item["a"] = {"B": bytes([number % 5])}
        db.execute("PutItem", {"TableName": "orders", "Item": item})
    return db


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("Query", PK),
        ("Query", {**PK, "Limit": 7}),
        ("Query", {**PK, "Limit": 7, "ScanIndexForward": False, "ReturnConsumedCapacity": "TOTAL"}),
        ("Query", {**PK, "Select": "COUNT"}),
        ("Query", {**PK, "ProjectionExpression": "sk, a"}),
        ("Query", {**PK, "FilterExpression": "attribute_not_exists(a)"}),
        ("Query", {**PK, "FilterExpression": "attribute_exists(nothing)"}),
        ("Query", {**PK, "IndexName": "local"}),
        ("Query", {**PK, "IndexName": "local", "Select": "ALL_ATTRIBUTES", "Limit": 3,
                   "ReturnConsumedCapacity": "INDEXES"}),
        ("Query", {"IndexName": "global", "KeyConditionExpression": "a = :a",
                   "ExpressionAttributeValues": {":a": {"B": b"\1"}}}),
        ("Query", {"KeyConditions": {"pk": {
            "ComparisonOperator": "EQ", "AttributeValueList": [{"S": "y"}]}}}),
        ("Query", {**PK, "ExclusiveStartKey": {"pk": {"S": "x"}, "sk": {"N": "10"}}}),
        ("Query", {**PK, "ExpressionAttributeValues": {":p": {"S": "nobody"}}}),
        ("Scan", {}),
        ("Scan", {"Limit": 5}),
        ("Scan", {"IndexName": "global", "Limit": 5}),
        ("Scan", {"Segment": 1, "TotalSegments": 3}),
        ("Scan", {"ProjectionExpression": "nothing"}),
        ("Scan", {"AttributesToGet": ["a"]}),
    ],
)
def test_a_page_over_http_is_the_page(
    orders: hashrange.Database, wire: Wire, operation: str, request_: dict[str, Any]
) -> None:
    request = {"TableName": "orders", **request_}
    response = wire.call(operation, body=json_write(request))
    assert response.status == 200
    assert response.json() == json.loads(json_write(orders.execute(operation, request)))


def test_a_large_table_comes_in_pages_of_a_megabyte(wire: Wire, db: hashrange.Database) -> None:
    table = db.table("things")
    for number in range(40):
        table.put({"id": f"k{number}", "text": "x" * 100_000})
    found: list[str] = []
    request: dict[str, Any] = {"TableName": "things"}
    pages = 0
    while True:
        answer = wire.call("Scan", request).json()
        found += [item["id"]["S"] for item in answer["Items"]]
        pages += 1
        if "LastEvaluatedKey" not in answer:
            break
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    assert (pages, len(set(found)), len(found)) == (4, 40, 40)


# Nobody else sees items as text.
def test_execute_gives_lists(orders: hashrange.Database) -> None:
    assert isinstance(orders.execute("Scan", {"TableName": "orders"})["Items"], list)
    assert json_write({"Items": JsonItems()}) == b'{"Items":[]}'
