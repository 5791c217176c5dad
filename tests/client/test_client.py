"""The client beside boto3's: the same calls, each on a database of its own, give the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from client.conftest import TABLE, outcome

import hashrange
from hashrange.client import Client, ClientError
from hashrange.errors import unknown_operation

KEY = {"pk": {"S": "a"}, "sk": {"N": "1"}}
ITEM = {
    **KEY,
    "b": {"B": b"\x00\xff"},
    "bs": {"BS": [b"a"]},
    "n": {"N": "1.5"},
    "l": {"L": [{"S": "x"}, {"M": {"b": {"B": b"y"}}}]},
    "null": {"NULL": True},
    "flag": {"BOOL": False},
    "ss": {"SS": ["x"]},
    "ns": {"NS": ["1"]},
}
INDEX = {
    "IndexName": "by_v",
    "KeySchema": [{"AttributeName": "v", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
CHECK = {"TableName": "things", "Key": KEY, "ConditionExpression": "attribute_not_exists(pk)"}

# One after the other, so that each meets what those before have left.
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("describe_table", {"TableName": "things"}),
    ("describe_table", {"TableName": "nothing"}),
    ("create_table", TABLE),
    ("put_item", {"TableName": "things", "Item": ITEM, "ReturnConsumedCapacity": "TOTAL"}),
    ("put_item", {"TableName": "nothing", "Item": ITEM}),
    ("put_item", {"TableName": "things", "Item": {"pk": {"S": "a"}}}),
    ("put_item", {"TableName": "things", "Item": {**ITEM, "n": {"N": "x"}}}),
    ("put_item", {"TableName": "things", "Item": {**ITEM, "n": {"N": "1", "S": "1"}}}),
    ("put_item", {"TableName": "things", "Item": {**ITEM, "n": {}}}),
    ("put_item", {"TableName": "things", "Item": ITEM, "ReturnValues": "ALL_OLD"}),
    ("get_item", {"TableName": "things", "Key": KEY}),
    ("get_item", {"TableName": "things", "Key": {**KEY, "sk": {"N": "2"}}}),
    ("get_item", {"TableName": "things", "Key": KEY, "ProjectionExpression": "n, l[1].b"}),
    ("get_item", {"TableName": "things", "Key": KEY, "ProjectionExpression": "n n"}),
    ("update_item", {
        "TableName": "things", "Key": KEY, "UpdateExpression": "SET n = n + :one REMOVE ss",
        "ExpressionAttributeValues": {":one": {"N": "1"}}, "ReturnValues": "UPDATED_NEW",
    }),
    ("delete_item", CHECK),
    ("delete_item", {**CHECK, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}),
    ("query", {
        "TableName": "things", "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "a"}}, "ReturnConsumedCapacity": "INDEXES",
    }),
    ("query", {"TableName": "things"}),
    ("query", {"TableName": "things", "Limit": True}),
    ("scan", {"TableName": "things", "Select": "COUNT"}),
    ("scan", {"TableName": "things", "Select": "SOME"}),
    ("batch_write_item", {"RequestItems": {"things": [
        {"PutRequest": {"Item": {**ITEM, "sk": {"N": str(number)}}}} for number in range(5)
    ]}}),
    ("batch_get_item", {"RequestItems": {"things": {"Keys": [KEY, {**KEY, "sk": {"N": "9"}}]}}}),
    ("batch_get_item", {"RequestItems": {"things": {"Keys": [KEY, KEY]}}}),
    ("transact_write_items", {"TransactItems": [
        {"Put": {"TableName": "things", "Item": {**ITEM, "sk": {"N": "7"}}}},
        {"ConditionCheck": {**CHECK, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}},
    ]}),
    ("transact_get_items", {"TransactItems": [{"Get": {"TableName": "things", "Key": KEY}}]}),
    ("execute_statement", {"Statement": "SELECT n FROM things WHERE pk = 'a' AND sk = 1"}),
    ("execute_statement", {"Statement": "INSERT INTO things VALUE {'pk': 'a', 'sk': 1}"}),
    ("batch_execute_statement", {"Statements": [
        {"Statement": "SELECT b FROM things WHERE pk = 'a' AND sk = 1"},
        {"Statement": "INSERT INTO things VALUE {'pk': 'a', 'sk': 1}"},
    ]}),
    ("execute_transaction", {"TransactStatements": [
        {"Statement": "INSERT INTO things VALUE {'pk': 'a', 'sk': 1}"},
    ]}),
    ("update_table", {
        "TableName": "things",
        "AttributeDefinitions": [{"AttributeName": "v", "AttributeType": "S"}],
        "GlobalSecondaryIndexUpdates": [{"Create": INDEX}],
    }),
    ("list_tables", {}),
    ("list_tables", {"Limit": 101}),
    ("tag_resource", {
        "ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/things",
        "Tags": [{"Key": "a", "Value": "b"}],
    }),
    ("list_tags_of_resource", {
        "ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/things",
    }),
    ("describe_limits", {}),
    ("describe_endpoints", {}),
    ("search_vectors", {}),
    ("delete_table", {"TableName": "things"}),
    ("delete_table", {"TableName": "things"}),
]


def comparable(value: Any) -> Any:
    """Return a response with "..." for what no two responses share."""
    if isinstance(value, dict):
        return {
            name: "..." if name in ("TableId", "LatestStreamLabel") else comparable(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [comparable(element) for element in value]
    if isinstance(value, datetime):
        assert value.tzinfo is not None
        return "a time"
    return value


@pytest.mark.parametrize("other", ["boto3", "attached"])
def test_a_call_returns_or_raises_what_boto3s_does(db: hashrange.Database, other: str) -> None:
    ours = db.client()
    session = boto3.Session("a", "b", region_name="us-east-1")
    with hashrange.open() as second:
        second.execute("CreateTable", TABLE)
        their = session.client("dynamodb")
        with hashrange.patch(second) if other == "boto3" else hashrange.attach(their, second):
            for method, request in CALLS:
                call: Callable[..., Any] = getattr(ours, method)
                same: Callable[..., Any] = getattr(their, method)
                mine = comparable(outcome(lambda: call(**request)))  # noqa: B023
                theirs = comparable(outcome(lambda: same(**request)))  # noqa: B023
                assert mine == theirs, (method, request)


def test_metadata_is_in_each_response(client: Any) -> None:
    first, second = (client.list_tables()["ResponseMetadata"] for _ in range(2))
    assert set(first) == {"RequestId", "HTTPStatusCode", "HTTPHeaders", "RetryAttempts"}
    assert (first["HTTPStatusCode"], first["RetryAttempts"]) == (200, 0)
    assert re.fullmatch(r"[0-9A-Z]{52}", first["RequestId"])
    assert first["RequestId"] != second["RequestId"]
    assert first["HTTPHeaders"]["x-amzn-requestid"] == first["RequestId"]


# A response of ours is the engine's own dict: what is added must not be in the next one.
def test_nothing_of_a_client_is_left_in_the_engines_responses(
    db: hashrange.Database, client: Any
) -> None:
    for method, request in CALLS:
        outcome(lambda: getattr(client, method)(**request))  # noqa: B023
        operation = client.meta.method_to_api_mapping[method]
        try:
            answer = db.execute(operation, request)
        except hashrange.Error:
            continue
        assert "ResponseMetadata" not in answer, method


def test_times_are_datetimes_with_a_zone(client: Any, boto_client: Any) -> None:
    ours, theirs = (
        each.describe_table(TableName="things")["Table"]["CreationDateTime"]
        for each in (client, boto_client)
    )
    assert ours == theirs
    assert ours.utcoffset() == theirs.utcoffset()


# Operations that are not built yet are refused as the service refuses what it does not know.
def test_what_is_not_there_is_an_unknown_operation() -> None:
    def execute(operation: str, request: Any) -> Any:
        raise unknown_operation()

    client: Any = Client(execute)
    with pytest.raises(client.exceptions.ClientError) as caught:
        client.list_tables()
    assert type(caught.value) is ClientError
    assert caught.value.response["Error"] == {"Code": "UnknownOperationException", "Message": ""}


def test_meta_says_what_the_client_is(client: Any, boto_client: Any) -> None:
    for name in ("region_name", "partition", "method_to_api_mapping"):
        assert getattr(client.meta, name) == getattr(boto_client.meta, name)
    assert client.meta.endpoint_url == "https://dynamodb.us-east-1.amazonaws.com"
    assert client.meta.config.region_name == "us-east-1"
    assert client.meta.config.read_timeout == boto_client.meta.config.read_timeout
    ours, theirs = client.meta.service_model, boto_client.meta.service_model
    for name in ("service_name", "service_id", "api_version", "protocol", "endpoint_prefix",
                 "signing_name", "signature_version"):  # fmt: skip
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.service_id.hyphenize() == theirs.service_id.hyphenize()
    assert sorted(ours.operation_names) == sorted(theirs.operation_names)
    model = ours.operation_model("PutItem")
    assert (model.name, model.service_model) == ("PutItem", ours)
    with pytest.raises(AttributeError, match="has no input_shape"):
        _ = model.input_shape
    with pytest.raises(KeyError):
        ours.operation_model("PutItems")


def test_urls_are_not_signed(client: Any) -> None:
    with pytest.raises(hashrange.ValidationError, match="has no URLs"):
        client.generate_presigned_url("get_item", Params={"TableName": "things"})


def test_a_closed_client_leaves_the_database_open(
    client: Any, db: hashrange.Database
) -> None:
    client.close()
    assert db.client().list_tables()["TableNames"] == ["things"]


def test_trouble_of_this_process_stays_what_it_is(db: hashrange.Database, client: Any) -> None:
    db.close()
    with pytest.raises(hashrange.DatabaseClosed):
        client.get_item(TableName="things", Key=KEY)


# A database opened for reading refuses writes as the service refuses what one may not do.
def test_a_write_through_a_reader_is_denied(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as writer:
        writer.execute("CreateTable", TABLE)
        writer.client().put_item(TableName="things", Item=ITEM)
        with hashrange.open(tmp_path / "db", mode="r") as reader:
            client = reader.client()
            assert client.get_item(TableName="things", Key=KEY)["Item"] == ITEM
            with pytest.raises(client.exceptions.ClientError) as caught:
                client.put_item(TableName="things", Item=ITEM)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_what_is_no_method_is_no_attribute(client: Any, resource: Any) -> None:
    for each in (client, resource, resource.Table("things"), client.meta):
        assert not hasattr(each, "put_items")
