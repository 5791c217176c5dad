"""boto3 against a server: what its users do, with their errors."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from hashrange.endpoint import Server

boto3 = pytest.importorskip("boto3", reason="needs boto3")
config = pytest.importorskip("botocore.config")
conditions = pytest.importorskip("boto3.dynamodb.conditions")
errors = pytest.importorskip("botocore.exceptions")


@pytest.fixture
def options(server: Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.delenv(name, raising=False)
    return {
        "endpoint_url": server.url,
        "region_name": "eu-west-1",
        "aws_access_key_id": "none",
        "aws_secret_access_key": "none",
        "config": config.Config(retries={"max_attempts": 1, "mode": "standard"}),
    }


@pytest.fixture
def client(options: dict[str, Any]) -> Iterator[Any]:
    client = boto3.session.Session().client("dynamodb", **options)
    yield client
    client.close()


@pytest.fixture
def orders(options: dict[str, Any]) -> Iterator[Any]:
    resource = boto3.session.Session().resource("dynamodb", **options)
    table = resource.create_table(
        TableName="orders",
        KeySchema=[
            {"AttributeName": "customer", "KeyType": "HASH"},
            {"AttributeName": "ts", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "customer", "AttributeType": "S"},
            {"AttributeName": "ts", "AttributeType": "N"},
            {"AttributeName": "status", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[{
            "IndexName": "by_status",
            "KeySchema": [
                {"AttributeName": "status", "KeyType": "HASH"},
                {"AttributeName": "ts", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }],
        BillingMode="PAY_PER_REQUEST",
    )
    table.wait_until_exists()
    yield table
    resource.meta.client.close()


def test_a_resource_reads_back_every_type(orders: Any) -> None:
    item = {
        "customer": "ada", "ts": 1, "total": Decimal("9.99"), "tags": {"a", "b"},
        "numbers": {Decimal(1), Decimal("2.5")}, "raw": b"\0\1\xff", "raws": {b"a", b"b"},
        "none": None, "yes": True, "list": [1, "x", [b"z"]], "map": {"deep": {"er": False}},
        "text": 'quotes " and \\ and \n and \u2603 and \U0001f600', "empty": "",
    }
    orders.put_item(Item=item)
    assert orders.get_item(Key={"customer": "ada", "ts": 1})["Item"] == item


def test_a_batch_writer_and_paginators_see_everything(orders: Any, client: Any) -> None:
    with orders.batch_writer() as batch:
        for ts in range(120):
            batch.put_item(Item={"customer": "ada", "ts": ts, "status": "ab"[ts % 2]})
    pages = client.get_paginator("query").paginate(
        TableName="orders", KeyConditionExpression="customer = :c",
        ExpressionAttributeValues={":c": {"S": "ada"}}, PaginationConfig={"PageSize": 50},
    )
    assert [int(item["ts"]["N"]) for page in pages for item in page["Items"]] == list(range(120))
    found = orders.query(
        IndexName="by_status", KeyConditionExpression=conditions.Key("status").eq("a")
    )
    assert found["Count"] == 60
    assert orders.scan(FilterExpression=conditions.Attr("ts").gte(100))["Count"] == 20


def test_errors_are_the_exceptions_of_the_client(orders: Any, client: Any) -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException) as missing:
        client.describe_table(TableName="nothing")
    assert missing.value.response["Error"]["Message"] == (
        "Requested resource not found: Table: nothing not found"
    )
    orders.put_item(Item={"customer": "ada", "ts": 1})
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as failed:
        client.put_item(
            TableName="orders", Item={"customer": {"S": "ada"}, "ts": {"N": "1"}},
            ConditionExpression="attribute_not_exists(ts)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert failed.value.response["Item"] == {"customer": {"S": "ada"}, "ts": {"N": "1"}}
    with pytest.raises(client.exceptions.TransactionCanceledException) as canceled:
        client.transact_write_items(TransactItems=[{"ConditionCheck": {
            "TableName": "orders", "Key": {"customer": {"S": "ada"}, "ts": {"N": "1"}},
            "ConditionExpression": "attribute_not_exists(ts)",
        }}])
    assert canceled.value.response["CancellationReasons"][0]["Code"] == "ConditionalCheckFailed"
    with pytest.raises(errors.ClientError) as invalid:
        client.get_item(TableName="orders", Key={"customer": {"S": "ada"}})
    assert invalid.value.response["Error"]["Code"] == "ValidationException"


def test_tables_are_described_with_times_and_arns(orders: Any, client: Any) -> None:
    described = client.describe_table(TableName="orders")["Table"]
    assert described["TableArn"] == "arn:aws:dynamodb:eu-west-1:000000000000:table/orders"
    assert described["CreationDateTime"].tzinfo is not None
    assert client.list_tables()["TableNames"] == ["orders", "things"]
    assert client.describe_limits()["TableMaxReadCapacityUnits"] > 0
    client.tag_resource(ResourceArn=described["TableArn"], Tags=[{"Key": "a", "Value": "b"}])
    assert client.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"] == [
        {"Key": "a", "Value": "b"}
    ]
    client.delete_table(TableName="orders")
    client.get_waiter("table_not_exists").wait(TableName="orders")


def test_updates_and_transactions_and_statements(orders: Any, client: Any) -> None:
    key = {"customer": "ada", "ts": 1}
    answer = orders.update_item(
        Key=key, UpdateExpression="SET #s = :s ADD n :one",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": "open", ":one": 1},
        ReturnValues="ALL_NEW", ReturnConsumedCapacity="TOTAL",
    )
    assert answer["Attributes"] == {**key, "status": "open", "n": 1}
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 2.0
    client.transact_write_items(ClientRequestToken="once", TransactItems=[
        {"Put": {"TableName": "orders", "Item": {"customer": {"S": "bob"}, "ts": {"N": "1"}}}},
        {"Delete": {"TableName": "orders", "Key": {"customer": {"S": "ada"}, "ts": {"N": "1"}}}},
    ])
    found = client.execute_statement(Statement="SELECT * FROM orders")["Items"]
    assert found == [{"customer": {"S": "bob"}, "ts": {"N": "1"}}]
