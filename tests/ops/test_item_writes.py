"""PutItem, UpdateItem and DeleteItem over a door of dicts: answers, capacity, order of faults.

Order and words as observed on the service; the envelope of 2026.
"""

from __future__ import annotations

import pytest
from ops.plain import ARN

from hashrange.errors import (
    ConditionalCheckFailed,
    ItemTooLarge,
    SerializationError,
    TableNotFound,
    UnknownOperation,
    ValidationError,
)
from hashrange.ops.door import Arm

ONE = "1 validation error detected: "
PREFIX = "One or more parameter values were invalid: "
KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}
ITEM = {**KEY, "n": {"N": "1"}}
KB = 1024


def refusal(service, operation, kind=ValidationError, **request) -> str:
    with pytest.raises(kind) as caught:
        service.execute(operation, request)
    return str(caught.value)


def put(service, **members):
    return service.execute("PutItem", {"TableName": "abc", "Item": ITEM, **members})


# ---- answers -------------------------------------------------------------------------------------


def test_a_put_returns_nothing_unless_asked(service):
    assert put(service) == {}
    assert put(service, ReturnValues="NONE") == {}
    assert put(service, ReturnValues="ALL_OLD") == {"Attributes": ITEM}


def test_a_put_of_a_new_item_has_no_old_one(service):
    assert put(service, ReturnValues="ALL_OLD") == {}


def test_a_delete_returns_what_it_deleted(service):
    request = {"TableName": "abc", "Key": KEY, "ReturnValues": "ALL_OLD"}
    assert service.execute("DeleteItem", request) == {}
    put(service)
    assert service.execute("DeleteItem", request) == {"Attributes": ITEM}
    assert service.execute("DeleteItem", request) == {}


@pytest.mark.parametrize(
    ("asked", "attributes"),
    [
        ("NONE", None),
        ("ALL_OLD", ITEM),
        ("ALL_NEW", {**ITEM, "n": {"N": "2"}, "new": {"S": "x"}}),
        ("UPDATED_OLD", {"n": {"N": "1"}}),
        ("UPDATED_NEW", {"n": {"N": "2"}, "new": {"S": "x"}}),
    ],
)
def test_an_update_returns_five_things(service, door, asked, attributes):
    door.effects["SET n = :n, new = :x"] = {"n": {"N": "2"}, "new": {"S": "x"}}
    put(service)
    request = {
        "TableName": "abc",
        "Key": KEY,
        "UpdateExpression": "SET n = :n, new = :x",
        "ReturnValues": asked,
    }
    answer = service.execute("UpdateItem", request)
    assert answer == ({} if attributes is None else {"Attributes": attributes})


def test_an_update_of_nothing_makes_the_item(service):
    assert service.execute("UpdateItem", {"TableName": "abc", "Key": KEY}) == {}
    assert service.execute("GetItem", {"TableName": "abc", "Key": KEY}) == {"Item": KEY}


def test_a_false_condition_changes_nothing_and_may_show_the_item(service):
    put(service)
    condition = {"ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(ConditionalCheckFailed) as caught:
        put(service, **condition)
    assert str(caught.value) == "The conditional request failed"
    assert caught.value.item is None
    with pytest.raises(ConditionalCheckFailed) as caught:
        put(service, **condition, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert caught.value.item == ITEM


def test_old_members_become_expressions(service, door):
    door.conditions["expected ['a', 'b'] OR"] = lambda item: True
    expected = {"a": {"Exists": False}, "b": {"Exists": False}}
    assert put(service, Expected=expected, ConditionalOperator="OR") == {}
    door.effects["updates ['n']"] = {"n": {"N": "7"}}
    updates = {"n": {"Value": {"N": "7"}}}
    request = {"TableName": "abc", "Key": KEY, "AttributeUpdates": updates}
    service.execute("UpdateItem", request)
    assert door.read(door.table("abc"), KEY, None)[0]["n"] == {"N": "7"}


# ---- capacity ------------------------------------------------------------------------------------


def sized(size: int):
    """Return an item of this many bytes."""
    rest = size - len("pksk") - 2 - len("x")
    return {**KEY, "x": {"S": "x" * rest}}


def test_capacity_counts_the_larger_image(service):
    def cost(operation, **request):
        request = {"TableName": "abc", "ReturnConsumedCapacity": "TOTAL", **request}
        return service.execute(operation, request)["ConsumedCapacity"]

    assert cost("PutItem", Item=sized(3 * KB + 1)) == {"TableName": "abc", "CapacityUnits": 4.0}
    assert cost("PutItem", Item=sized(KB))["CapacityUnits"] == 4.0
    assert cost("DeleteItem", Key=KEY)["CapacityUnits"] == 1.0
    assert cost("DeleteItem", Key=KEY)["CapacityUnits"] == 1.0


def test_indexes_have_arms_of_their_own(service, door):
    door.arms = [
        Arm("lsi", False, None, 100),
        Arm("gsi", True, 100, 2 * KB, same_key=False),
    ]
    answer = put(service, TableName="xyz", ReturnConsumedCapacity="INDEXES")
    assert answer["ConsumedCapacity"] == {
        "TableName": "xyz",
        "CapacityUnits": 5.0,
        "Table": {"CapacityUnits": 1.0},
        "LocalSecondaryIndexes": {"lsi": {"CapacityUnits": 1.0}},
        "GlobalSecondaryIndexes": {"gsi": {"CapacityUnits": 3.0}},
    }


def test_item_collections_are_measured_where_there_are_local_indexes(service):
    metrics = {"ItemCollectionKey": {"pk": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]}
    assert put(service, ReturnItemCollectionMetrics="SIZE") == {}
    answer = put(service, TableName="xyz", ReturnItemCollectionMetrics="SIZE")
    assert answer == {"ItemCollectionMetrics": metrics}


# ---- what is refused, and what first -------------------------------------------------------------


def test_the_table_is_looked_for_after_the_request_is_checked(service):
    missing = {"TableName": "nope", "Item": {"pk": {"SS": []}}}
    assert refusal(service, "PutItem", **missing) == (
        ONE + PREFIX + "An string set  may not be empty"
    )
    words = "Requested resource not found"
    assert refusal(service, "PutItem", TableNotFound, TableName="nope", Item=ITEM) == words
    assert refusal(service, "DeleteItem", TableNotFound, TableName="nope", Key=KEY) == words


def test_types_come_before_everything(service):
    request = {"TableName": "nope", "Item": {"pk": {"S": 5}, "x": {"SS": []}}}
    assert refusal(service, "PutItem", SerializationError, **request) == (
        "NUMBER_VALUE cannot be converted to String"
    )
    assert refusal(service, "PutItem", SerializationError, TableName="abc", Item={"pk": "x"}) == (
        "Unexpected value type in payload"
    )


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"Expected": {"a": {"Exists": False}}, "ConditionExpression": "x"},
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
        ),
        (
            {"ExpressionAttributeValues": {":v": {"S": "x"}}},
            "ExpressionAttributeValues can only be specified when using expressions",
        ),
        ({"ReturnValues": "ALL_NEW"}, "ReturnValues can only be ALL_OLD or NONE"),
        (
            {"ConditionExpression": ""},
            "Invalid ConditionExpression: The expression can not be empty;",
        ),
        (
            {"ConditionExpression": "x", "ExpressionAttributeNames": {"n": "n"}},
            'ExpressionAttributeNames contains invalid key: Syntax error; key: "n"',
        ),
        (
            {"ConditionExpression": "what?"},
            "Invalid ConditionExpression: Syntax error; token: ...",
        ),
        (
            {"Item": {**ITEM, "x": {"NULL": False}}},
            PREFIX + "Null attribute value types must have the value of true",
        ),
        (
            {"Item": {**ITEM, "x": {}}},
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        (
            {"Item": {**KEY, "sk": {}}},
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
    ],
)
def test_what_is_wrong_with_the_request_is_enveloped(service, members, words):
    request = {"TableName": "abc", "Item": ITEM, **members}
    assert refusal(service, "PutItem", **request) == ONE + words


@pytest.mark.parametrize(
    ("operation", "members", "words"),
    [
        (
            "PutItem",
            {"Item": {"pk": {"S": "a"}}},
            PREFIX + "Missing the key sk in the item",
        ),
        (
            "PutItem",
            {"Item": {"pk": {"N": "1"}, "sk": {"S": "b"}}},
            PREFIX + "Type mismatch for key pk expected: S actual: N",
        ),
        (
            "DeleteItem",
            {"Key": {"pk": {"S": "a"}}},
            "The provided key element does not match the schema",
        ),
        (
            "UpdateItem",
            {"Key": {**KEY, "x": {"S": "a"}}},
            "The provided key element does not match the schema",
        ),
    ],
)
def test_what_does_not_fit_the_table_is_not_enveloped(service, operation, members, words):
    assert refusal(service, operation, TableName="abc", **members) == words


# Observed on the service: of several indexes with the attribute, the first by name is named.
def test_an_index_key_has_its_type(service):
    item = {**KEY, "a": {"N": "1"}}
    assert refusal(service, "PutItem", TableName="xyz", Item=item) == (
        PREFIX + "Type mismatch for Index Key a Expected: S Actual: N IndexName: gsi"
    )


def test_an_item_has_400_kb_at_most(service):
    put(service, Item=sized(400 * KB))
    assert refusal(service, "PutItem", ItemTooLarge, TableName="abc", Item=sized(400 * KB + 1)) == (
        "Item size has exceeded the maximum allowed size"
    )


def test_a_table_may_be_named_by_its_arn(service):
    answer = put(service, TableName=ARN + "abc", ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"]["TableName"] == ARN + "abc"
    assert put(service, ReturnValues="ALL_OLD") == {"Attributes": ITEM}


def test_an_operation_that_is_not_there_is_refused(service):
    assert refusal(service, "EatItem", UnknownOperation) == ""


# The control plane answers through the same door.
def test_tables_are_run_by_name(service):
    assert service.execute("ListTables", {}) == {"TableNames": ["abc", "xyz"]}
    changed = []
    service.index_changed = changed.append
    service.execute(
        "UpdateTable",
        {
            "TableName": "xyz",
            "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "gsi"}}],
        },
    )
    assert [change.delete for change in changed] == ["gsi"]
