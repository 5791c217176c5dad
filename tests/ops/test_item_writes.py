"""Single writes over a door of dicts: what the door is asked for, and which fault comes first.

Order and words as observed on the service; the envelope of 2026. What each operation does is tested
by tests/operations.
"""

from __future__ import annotations

import pytest

from ddbcore.requests import surely_short
from hashrange.errors import (
    SerializationError,
    TableNotFound,
    UnknownOperation,
    ValidationError,
)
from hashrange.ops import sizes

ONE = "1 validation error detected: "
PREFIX = "One or more parameter values were invalid: "
KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}
ITEM = {**KEY, "n": {"N": "1"}}


def refusal(service, operation, kind=ValidationError, **request) -> str:
    with pytest.raises(kind) as caught:
        service.execute(operation, request)
    return str(caught.value)


def put(service, **members):
    return service.execute("PutItem", {"TableName": "abc", "Item": ITEM, **members})


# ---- answers -------------------------------------------------------------------------------------


def test_old_members_become_expressions(service, door):
    door.conditions["expected ['a', 'b'] OR"] = lambda item: True
    expected = {"a": {"Exists": False}, "b": {"Exists": False}}
    assert put(service, Expected=expected, ConditionalOperator="OR") == {}
    door.effects["updates ['n']"] = {"n": {"N": "7"}}
    updates = {"n": {"Value": {"N": "7"}}}
    request = {"TableName": "abc", "Key": KEY, "AttributeUpdates": updates}
    service.execute("UpdateItem", request)
    assert door.read(door.table("abc"), KEY, None)[0]["n"] == {"N": "7"}


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


# Observed on the service: of several indexes with the attribute, the first by name is named.
def test_an_index_key_has_its_type(service):
    item = {**KEY, "a": {"N": "1"}}
    assert refusal(service, "PutItem", TableName="xyz", Item=item) == (
        PREFIX + "Type mismatch for Index Key a Expected: S Actual: N IndexName: gsi"
    )


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


# What is short is not charged more than an item may have, however often the text uses it.
def test_what_is_surely_short_is_surely_small() -> None:
    text = "SET " + ":v" * 126
    longest = {":v": {"NULL": "\U00010000" * 256}}
    assert len(text) == 256
    assert surely_short(text, {"#n": "\U00010000" * 256}, longest)
    uses = text.count(":")
    bound = sizes.bytes_at_most(longest[":v"])
    charged = sizes.UPDATE_BYTES + sizes.TEXT_CHARACTER_BYTES * len(text) + len(text) * bound
    assert uses < len(text)
    assert charged <= sizes.ITEM_BYTES_MAX
    for given, names, values in (
        (text + " ", None, None),
        (text, {"#n": "x" * 257}, None),
        (text, None, {":v": {"S": "x" * 257}}),
        (text, None, {":v": {"L": []}}),
        (text, None, {":v": {"NULLS": "x"}}),
    ):
        assert not surely_short(given, names, values)
