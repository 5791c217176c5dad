"""DescribeTable, DeleteTable, ListTables, DescribeLimits and DescribeEndpoints.

Texts as observed on the service in 2026.
"""

from __future__ import annotations

import pytest
from ops.plain import index, provisioned_table, table, types

from hashrange.errors import ResourceInUse, TableNotFound
from hashrange.errors import ValidationError as Invalid

NOT_FOUND = "Requested resource not found: Table: abc not found"
IN_USE = "Attempt to change a resource which is still in use: "


def test_an_unknown_table_is_named(control):
    for operation in ("DescribeTable", "DeleteTable"):
        assert control.refusal(operation, TableNotFound, TableName="abc") == NOT_FOUND


# The response of DeleteTable is short: no keys, no dates.
def test_a_deleted_table_is_described_in_short_and_gone(control):
    control("CreateTable", **provisioned_table())
    answer = control("DeleteTable", TableName="abc")["TableDescription"]
    assert answer["TableStatus"] == "DELETING"
    assert set(answer) == {
        "TableName",
        "TableStatus",
        "ProvisionedThroughput",
        "TableSizeBytes",
        "ItemCount",
        "TableArn",
        "TableId",
        "DeletionProtectionEnabled",
    }
    assert control.refusal("DescribeTable", TableNotFound, TableName="abc") == NOT_FOUND
    control("CreateTable", **table())


def test_a_slow_deletion_is_seen_until_it_is_over(slow_control):
    control = slow_control
    control("CreateTable", **table())
    assert control.refusal("DeleteTable", ResourceInUse, TableName="abc") == (
        IN_USE + "Table is being created: abc"
    )
    control.time += 10
    control("DeleteTable", TableName="abc")
    assert control.table()["TableStatus"] == "DELETING"
    assert control("ListTables") == {"TableNames": ["abc"]}
    words = IN_USE + "Table is being deleted: abc"
    assert control.refusal("DeleteTable", ResourceInUse, TableName="abc") == words
    change = {"TableName": "abc", "BillingMode": "PAY_PER_REQUEST"}
    assert control.refusal("UpdateTable", ResourceInUse, **change) == words
    control.time += 10
    assert control("ListTables") == {"TableNames": []}
    assert control.catalog.tables == {}


def test_a_protected_table_is_not_deleted(control):
    control("CreateTable", **table(DeletionProtectionEnabled=True))
    assert control.refusal("DeleteTable", Invalid, TableName="abc") == (
        "Resource cannot be deleted as it is currently protected against deletion. Disable "
        "deletion protection first."
    )


def test_a_table_with_an_index_under_way_is_not_deleted(control):
    control("CreateTable", **table())
    control(
        "UpdateTable",
        TableName="abc",
        AttributeDefinitions=types("a"),
        GlobalSecondaryIndexUpdates=[{"Create": index("new", "a")}],
    )
    assert control.refusal("DeleteTable", ResourceInUse, TableName="abc") == (
        IN_USE + "Cannot delete table while indexes are being created, updated, or deleted."
    )
    control.tables.index_built("abc", "new")
    control("DeleteTable", TableName="abc")


# Byte order: capitals first. The last page has no LastEvaluatedTableName, even when it is full.
def test_tables_are_listed_in_the_order_of_their_bytes(control):
    for name in ("bbb", "Bbb", "aaa", "b-b"):
        control("CreateTable", **table(TableName=name))
    assert control("ListTables") == {"TableNames": ["Bbb", "aaa", "b-b", "bbb"]}
    assert control("ListTables", Limit=2) == {
        "TableNames": ["Bbb", "aaa"],
        "LastEvaluatedTableName": "aaa",
    }
    assert control("ListTables", Limit=2, ExclusiveStartTableName="aaa") == {
        "TableNames": ["b-b", "bbb"]
    }


def test_a_start_that_is_no_table_is_fine(control):
    control("CreateTable", **table())
    assert control("ListTables", ExclusiveStartTableName="aaa") == {"TableNames": ["abc"]}
    assert control("ListTables", ExclusiveStartTableName="zzz") == {"TableNames": []}


@pytest.mark.parametrize("count", [100, 101])
def test_a_page_has_100_names(control, count):
    for number in range(count):
        control("CreateTable", **table(TableName=f"t{number:03}"))
    answer = control("ListTables")
    assert len(answer["TableNames"]) == 100
    assert ("LastEvaluatedTableName" in answer) == (count > 100)


def test_limits_and_endpoints_are_told(control):
    assert control("DescribeLimits") == {
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    }
    assert control("DescribeEndpoints") == {
        "Endpoints": [{"Address": "dynamodb.eu-west-1.amazonaws.com", "CachePeriodInMinutes": 1440}]
    }
