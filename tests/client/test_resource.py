"""The resource beside boto3's: the same calls, each on a database of its own, give the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import boto3
import boto3.dynamodb.conditions
import boto3.dynamodb.types
import pytest
from client.conftest import TABLE, outcome
from client.test_client import comparable

import hashrange
from hashrange import conditions
from hashrange.client import Binary

ITEM: dict[str, Any] = {
    "pk": "a",
    "sk": 1,
    "n": Decimal("1.5"),
    "b": b"\x00",
    "l": [1, {"x": None, "y": True}, []],
    "tags": {"x", "y"},
    "nums": {1, Decimal("2.5")},
    "bins": {b"q"},
}
OURS, THEIRS = conditions, boto3.dynamodb.conditions


@pytest.fixture
def tables(resource: Any, boto: tuple[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """Return our table and boto3's, over two databases with the same contents."""
    with hashrange.open() as second, hashrange.patch(second):
        second.execute("CreateTable", TABLE)
        pair = resource.Table("things"), boto[1].Table("things")
        for table in pair:
            for number in range(6):
                table.put_item(Item={**ITEM, "sk": number, "even": number % 2 == 0})
        yield pair


def same(tables: tuple[Any, Any], call: Callable[[Any], Any]) -> Any:
    """Return what a call on either table gives, after making sure that it is the same."""
    mine, theirs = (comparable(outcome(lambda: call(table))) for table in tables)  # noqa: B023
    assert mine == theirs
    return mine


KEY = {"pk": "a", "sk": 1}
CALLS: list[Callable[[Any], Any]] = [
    lambda table: table.get_item(Key=KEY),
    lambda table: table.get_item(Key={"pk": "b", "sk": 1}),
    lambda table: table.get_item(Key={"pk": "a"}),
    lambda table: table.get_item(Key="a"),
    lambda table: table.get_item("a"),
    lambda table: table.get_item(),
    lambda table: table.put_item(Item=ITEM, ReturnValues="ALL_OLD"),
    lambda table: table.put_item(Item={**ITEM, "bad": 1.5}),
    lambda table: table.put_item(Item={**ITEM, "bad": object}),
    lambda table: table.put_item(Item={**ITEM, "bad": Decimal("1." + "1" * 40)}),
    lambda table: table.put_item(Item={**ITEM, "bad": set()}),
    lambda table: table.put_item(Item=[("a", 1)]),
    lambda table: table.put_item(Item=ITEM, Wrong=1),
    lambda table: table.put_item(TableName="nothing", Item=ITEM),
    lambda table: table.update_item(
        Key=KEY, UpdateExpression="SET n = n + :v, #t = :s", ReturnValues="UPDATED_NEW",
        ExpressionAttributeNames={"#t": "when"},
        ExpressionAttributeValues={":v": 2, ":s": {"inner": [Decimal("0.1")]}},
    ),
    lambda table: table.update_item(
        Key=KEY, AttributeUpdates={"n": {"Value": 1, "Action": "ADD"}}, ReturnValues="ALL_NEW"
    ),
    lambda table: table.delete_item(Key=KEY, Expected={"n": {"Value": 99}}),
    lambda table: table.delete_item(Key=KEY, ReturnValues="ALL_OLD"),
    lambda table: table.query(
        KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": "a"}, Limit=2
    ),
    lambda table: table.query(
        KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": "a"},
        ExclusiveStartKey={"pk": "a", "sk": 3},
    ),
    lambda table: table.query(
        KeyConditions={"pk": {"AttributeValueList": ["a"], "ComparisonOperator": "EQ"}}, Limit=1
    ),
    lambda table: table.query(KeyConditionExpression=1),
    lambda table: table.scan(Limit=0),
    lambda table: table.meta.client.batch_get_item(RequestItems={"things": {"Keys": [KEY]}}),
    lambda table: table.meta.client.transact_write_items(
        TransactItems=[{"Put": {"TableName": "things", "Item": {"pk": "t", "sk": 1, "b": b"x"}}}]
    ),
    lambda table: table.meta.client.transact_write_items(
        TransactItems=[{"ConditionCheck": {
            "TableName": "things", "Key": {"pk": "a", "sk": 2},
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }}]
    ),
    lambda table: table.meta.client.execute_statement(
        Statement="SELECT n, b FROM things WHERE pk = ? AND sk = ?", Parameters=["a", 2]
    ),
    lambda table: table.delete(),
]


def test_a_call_returns_or_raises_what_boto3s_does(tables: tuple[Any, Any]) -> None:
    for call in CALLS:
        same(tables, call)


CONDITIONS: list[Callable[[Any], Any]] = [
    lambda c: c.Attr("n").eq(Decimal("1.5")),
    lambda c: c.Attr("n").ne(1) & c.Attr("even").eq(True) | c.Attr("l[0]").gt(3),
    lambda c: ~c.Attr("tags").contains("z") & c.Attr("tags").contains("x"),
    lambda c: c.Attr("even").is_in([True, "x"]),
    lambda c: c.Attr("l").size().gte(3),
    lambda c: c.Attr("l[1].y").exists() & c.Attr("none").not_exists(),
    lambda c: c.Attr("b").begins_with(b"\x00"),
    lambda c: c.Attr("b").attribute_type("B"),
    lambda c: c.Attr("n").between(1, 2),
    lambda c: c.Attr("nums").eq({1, Decimal("2.5")}),
]


@pytest.mark.parametrize("number", range(len(CONDITIONS)))
def test_conditions_as_objects_select_what_boto3s_select(
    number: int, tables: tuple[Any, Any]
) -> None:
    found = []
    for module, table in ((OURS, tables[0]), (THEIRS, tables[0]), (THEIRS, tables[1])):
        found.append(comparable(outcome(lambda: table.query(  # noqa: B023
            KeyConditionExpression=module.Key("pk").eq("a") & module.Key("sk").gte(1),  # noqa: B023
            FilterExpression=CONDITIONS[number](module),  # noqa: B023
        ))))
    assert found[0] == found[1] == found[2]
    assert found[0]["ScannedCount"] == 5
    assert found[0]["Items"]


@pytest.mark.parametrize("module", [OURS, THEIRS])
def test_placeholders_of_objects_leave_those_of_the_request_alone(
    module: Any, resource: Any
) -> None:
    table = resource.Table("things")
    table.put_item(Item=ITEM)
    names, values = {"#n0": "n", "#n1": "l"}, {":v0": 7}
    table.update_item(
        Key=KEY, UpdateExpression="SET #n0 = :v0 REMOVE #n1",
        ConditionExpression=module.Attr("pk").eq("a") & module.Attr("n").lt(2),
        ExpressionAttributeNames=names, ExpressionAttributeValues=values,
    )
    assert names == {"#n0": "n", "#n1": "l"}
    assert values == {":v0": 7}
    item = table.get_item(Key=KEY)["Item"]
    assert item["n"] == 7
    assert "l" not in item


# boto3 puts the placeholders beside TransactItems, where the service refuses them.
@pytest.mark.parametrize("module", [OURS, THEIRS])
def test_a_condition_in_a_transaction_has_its_placeholders_with_it(
    module: Any, resource: Any
) -> None:
    resource.meta.client.transact_write_items(TransactItems=[{"Put": {
        "TableName": "things", "Item": ITEM, "ConditionExpression": module.Attr("pk").not_exists()
    }}])
    assert resource.Table("things").get_item(Key=KEY)["Item"]["pk"] == "a"


@pytest.mark.parametrize("module", [OURS, THEIRS])
def test_a_key_condition_is_made_of_keys(module: Any, tables: tuple[Any, Any]) -> None:
    with pytest.raises(
        boto3.exceptions.DynamoDBNeedsKeyConditionError,
        match=r"Attribute object sk is of type .* KeyConditionExpression only supports",
    ):
        tables[0].query(
            KeyConditionExpression=module.Key("pk").eq("a") & module.Attr("sk").eq(1)
        )


def test_numbers_and_binaries_come_back_as_boto3s(tables: tuple[Any, Any]) -> None:
    item = tables[0].get_item(Key=KEY)["Item"]
    assert type(item["sk"]) is Decimal
    assert isinstance(item["b"], Binary)
    assert isinstance(item["b"], boto3.dynamodb.types.Binary)
    assert item["bins"] == {b"q"}
    assert item == tables[1].get_item(Key=KEY)["Item"]


def test_arguments_are_not_changed(resource: Any) -> None:
    item = {**ITEM, "l": [1, {"x": [b"y"]}]}
    shown = repr(item)
    resource.Table("things").put_item(Item=item)
    resource.batch_write_item(RequestItems={"things": [{"PutRequest": {"Item": item}}]})
    assert repr(item) == shown


# ---- tables --------------------------------------------------------------------------------------


def test_a_tables_attributes_are_loaded_when_they_are_looked_at(
    resource: Any, tables: tuple[Any, Any]
) -> None:
    table = resource.Table("things")
    assert table.meta.data is None
    assert (table.name, table.table_name) == ("things", "things")
    assert table.meta.data is None
    assert table.item_count == 6
    table.put_item(Item={**ITEM, "pk": "b"})
    assert table.item_count == 6
    assert table.load() is None
    assert table.item_count == 7
    table.reload()
    for name in ("table_status", "key_schema", "table_arn", "attribute_definitions",
                 "billing_mode_summary", "deletion_protection_enabled", "sse_description"):
        assert comparable(getattr(tables[0], name)) == comparable(getattr(tables[1], name))
    assert tables[0].creation_date_time.utcoffset() is not None


def test_a_table_that_is_not_there_is_missed_when_it_is_used(tables: tuple[Any, Any]) -> None:
    nothing = tables[0].meta.client, tables[1].meta.client
    assert nothing[0] is not nothing[1]
    same(tables, lambda table: type(table)("nothing", client=table.meta.client).item_count)


def test_tables_are_equal_by_name(resource: Any) -> None:
    one, two = resource.Table("things"), resource.Table("things")
    assert one == two
    assert hash(one) == hash(two)
    assert one != resource.Table("others")
    assert one != "things"
    assert repr(one) == "dynamodb.Table(name='things')"
    assert repr(resource) == "dynamodb.ServiceResource()"
    assert resource == resource
    with pytest.raises(ValueError, match="Required parameter name not set"):
        resource.Table(None)


def test_a_table_is_created_updated_and_deleted(db: hashrange.Database, resource: Any) -> None:
    table = resource.create_table(**{**TABLE, "TableName": "new"})
    assert table == resource.Table("new")
    assert table.table_status == "CREATING"
    table.wait_until_exists()
    table.load()
    assert table.table_status == "ACTIVE"
    updated = table.update(DeletionProtectionEnabled=True)
    assert updated == table
    assert updated.deletion_protection_enabled is True
    with pytest.raises(table.meta.client.exceptions.ClientError, match="protection"):
        table.delete()
    table.update(DeletionProtectionEnabled=False)
    assert table.delete()["TableDescription"]["TableStatus"] == "DELETING"
    table.wait_until_not_exists()
    assert [each.name for each in resource.tables.all()] == ["things"]


def test_tables_are_a_collection(db: hashrange.Database, tables: tuple[Any, Any]) -> None:
    resource = db.resource()
    for name in ("abc", "def", "xyz"):
        resource.create_table(**{**TABLE, "TableName": name})
    names = ["abc", "def", "things", "xyz"]
    every = resource.tables

    def of(collection: Any) -> list[str]:
        return [table.name for table in collection]

    assert of(every.all()) == names
    assert of(every.limit(2)) == names[:2]
    assert of(every.filter(ExclusiveStartTableName="abc")) == names[1:]
    assert of(every.filter(ExclusiveStartTableName="abc").limit(1)) == names[1:2]
    assert of(every.page_size(1).limit(3)) == names[:3]
    assert [of(page) for page in every.page_size(3).pages()] == [names[:3], names[3:]]
    assert of(every.iterator(limit=1)) == names[:1]
    assert every.all().__iter__() is not every.all().__iter__()
    assert {table.meta.client for table in every.all()} == {resource.meta.client}


def test_a_resource_says_what_it_is(resource: Any, boto_resource: Any) -> None:
    table, theirs = resource.Table("things"), boto_resource.Table("things")
    for mine, other in ((resource, boto_resource), (table, theirs)):
        assert mine.meta.service_name == other.meta.service_name
        assert mine.meta.identifiers == other.meta.identifiers
        assert mine.get_available_subresources() == other.get_available_subresources()
    copied = table.meta.copy()
    assert copied is not table.meta
    assert copied == table.meta


def test_all_names_of_boto3s_are_there(resource: Any, boto_resource: Any) -> None:
    def names(thing: Any) -> set[str]:
        return {name for name in dir(thing) if not name.startswith("_")}

    assert names(boto_resource) <= names(resource)
    assert names(boto_resource.Table("things")) <= names(resource.Table("things"))
    assert names(boto_resource.tables) <= names(resource.tables)
    assert names(boto_resource.tables.all()) <= names(resource.tables.all())
    missing = names(boto_resource.meta.client) - names(resource.meta.client)
    assert missing == set()


# ---- the batch writer ----------------------------------------------------------------------------


def test_a_batch_writer_sends_25_at_a_time(
    resource: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []
    client = resource.meta.client
    send = client.batch_write_item
    monkeypatch.setattr(
        client, "batch_write_item",
        lambda **request: sent.append(len(request["RequestItems"]["things"])) or send(**request),
    )
    table = resource.Table("things")
    with table.batch_writer() as batch:
        for number in range(60):
            batch.put_item(Item={**ITEM, "sk": number})
        assert sent == [25, 25]
        batch.delete_item(Key={"pk": "a", "sk": 0})
    assert sent == [25, 25, 11]
    assert table.query(
        KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": "a"}, Select="COUNT"
    )["Count"] == 59


def test_a_batch_writer_sends_again_what_was_not_processed(
    resource: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = resource.meta.client
    send, calls = client.batch_write_item, []

    def refusing(**request: Any) -> Any:
        calls.append(request)
        requests = request["RequestItems"]["things"]
        left = requests[1:] if len(calls) == 1 else []
        send(RequestItems={"things": requests[: len(requests) - len(left)]})
        return {"UnprocessedItems": {"things": left} if left else None}

    monkeypatch.setattr(client, "batch_write_item", refusing)
    with resource.Table("things").batch_writer() as batch:
        for number in range(26):
            batch.put_item(Item={**ITEM, "sk": number})
    assert [len(call["RequestItems"]["things"]) for call in calls] == [25, 25]
    assert resource.Table("things").item_count == 26


# Two requests for one key in a batch are refused by the service, unless the later one replaces.
def test_a_batch_writer_keeps_the_last_of_a_key_if_asked(tables: tuple[Any, Any]) -> None:
    def write(table: Any, **options: Any) -> Any:
        with table.batch_writer(**options) as batch:
            for value in range(3):
                batch.put_item(Item={**ITEM, "n": value})
            batch.delete_item(Key={"pk": "a", "sk": 2})
            batch.put_item(Item={**ITEM, "sk": 2, "n": 5})
        return table.get_item(Key=KEY)

    assert same(tables, write)[0] == "ClientError"
    found = same(tables, lambda table: write(table, overwrite_by_pkeys=["pk", "sk"]))
    assert found["Item"]["n"] == 2


def test_a_batch_writer_sends_the_rest_after_an_exception(resource: Any) -> None:
    table = resource.Table("things")
    with pytest.raises(RuntimeError), table.batch_writer() as batch:
        batch.put_item(Item=ITEM)
        raise RuntimeError
    assert table.get_item(Key=KEY)["Item"]["pk"] == "a"


def test_float_is_refused_with_boto3s_words(resource: Any) -> None:
    with pytest.raises(TypeError, match=re.escape("Float types are not supported. Use Decimal")):
        resource.Table("things").put_item(Item={**ITEM, "n": 1.5})
