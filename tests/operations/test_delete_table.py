"""DeleteTable: what goes with a table, what is shown of it, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Control, Hands, Refused, Run
from operations.requests import ARN, LEAST, PATTERN, broken, listed, missing, song, songs
from ops.plain import provisioned_table, table

from hashrange.errors import ResourceInUse
from hashrange.errors import ValidationError as Invalid

IN_USE = "Attempt to change a resource which is still in use: "
GONE = ("ResourceNotFoundException", "Requested resource not found: Table: abc not found")


# API: the table and all of its items, with its indexes; a new table of the name is empty.
def test_a_table_goes_with_items_and_indexes(made: Run) -> None:
    made("PutItem", TableName="songs", Item=song(title="t"))
    made("DeleteTable", TableName="songs")
    assert made("ListTables")["TableNames"] == ["notes"]
    made("CreateTable", **songs())
    made("DescribeTable", TableName="songs")
    assert made("Scan", TableName="songs")["Count"] == 0
    assert made("Scan", TableName="songs", IndexName="by_title")["Count"] == 0


# The response of DeleteTable is short: no keys, no dates.
def test_a_deleted_table_is_described_in_short(control: Control) -> None:
    control("CreateTable", **provisioned_table())
    answer = control("DeleteTable", TableName="abc")
    assert answer == {
        "TableDescription": {
            "TableName": "abc",
            "TableStatus": "DELETING",
            "ProvisionedThroughput": {
                "NumberOfDecreasesToday": 0, "ReadCapacityUnits": 5, "WriteCapacityUnits": 5
            },
            "TableSizeBytes": 0,
            "ItemCount": 0,
            "TableArn": ARN + "abc",
            "TableId": "id-1",
            "DeletionProtectionEnabled": False,
        }
    }
    control("CreateTable", **table())
    answer = control("DeleteTable", TableName=ARN + "abc")["TableDescription"]
    assert answer["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


# API: ResourceInUseException while it is CREATING, UPDATING or DELETING.
def test_a_table_under_way_is_not_deleted(run: Run, hands: Hands, refused: Refused) -> None:
    def answer() -> tuple[str, str]:
        return refused("DeleteTable", TableName="abc")

    hands.slow_down()
    run("CreateTable", **provisioned_table())
    assert answer() == ("ResourceInUseException", IN_USE + "Table is being created: abc")
    hands.wait()
    units = {"ReadCapacityUnits": 6, "WriteCapacityUnits": 6}
    run("UpdateTable", TableName="abc", ProvisionedThroughput=units)
    assert answer() == (
        "ResourceInUseException", IN_USE + "Table: abc is in the process of being updated."
    )
    hands.wait()
    run("DeleteTable", TableName="abc")
    assert run("ListTables") == {"TableNames": ["abc"]}
    assert answer() == ("ResourceInUseException", IN_USE + "Table is being deleted: abc")
    hands.wait()
    assert run("ListTables") == {"TableNames": []}
    assert answer() == GONE


def test_a_protected_table_is_not_deleted(control: Control) -> None:
    control("CreateTable", **table(DeletionProtectionEnabled=True))
    assert control.refusal("DeleteTable", Invalid, TableName="abc") == (
        "Resource cannot be deleted as it is currently protected against deletion. Disable "
        "deletion protection first."
    )
    control("UpdateTable", TableName="abc", DeletionProtectionEnabled=False)
    control("DeleteTable", TableName="abc")
    assert control("ListTables") == {"TableNames": []}


def test_a_table_with_an_index_under_way_is_not_deleted(slow_control: Control) -> None:
    control = slow_control
    index = {
        "IndexName": "new",
        "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    }
    control("CreateTable", **provisioned_table(GlobalSecondaryIndexes=[index]))
    control.time += 10
    control.table()
    change = {
        "IndexName": "new",
        "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 2},
    }
    control("UpdateTable", TableName="abc", GlobalSecondaryIndexUpdates=[{"Update": change}])
    assert control.refusal("DeleteTable", ResourceInUse, TableName="abc") == (
        IN_USE + "Cannot delete table while indexes are being created, updated, or deleted."
    )
    control.time += 10
    control("DeleteTable", TableName="abc")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("tableName")),
        ({"TableName": "ab"}, listed(broken("ab", "tableName", LEAST + "3"))),
        ({"TableName": "a/b"}, listed(broken("a/b", "tableName", PATTERN))),
        ({"TableName": "abc"}, GONE),
        ({"TableName": ARN + "abc"}, GONE),
    ],
)
def test_a_table_that_is_none_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("DeleteTable", **request_) == answer
