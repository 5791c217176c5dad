"""Index changes of UpdateTable: how the control plane hands them to an engine, hears of their end.

Over a catalog of dicts, whose engine does nothing until a test says so. States as observed on the
service in 2026.
"""

from __future__ import annotations

import pytest
from ops.plain import index, indexed_table, keys, table, types, units

from hashrange.errors import LimitExceeded, ResourceInUse

CREATE = [{"Create": index("new", "a")}]
IN_USE = "Attempt to change a resource which is still in use: "


def update(control, **request):
    return control("UpdateTable", TableName="abc", **request)["TableDescription"]


@pytest.fixture
def on_demand(control):
    control("CreateTable", **table())
    return control


@pytest.fixture
def indexed(control):
    control("CreateTable", **indexed_table())
    return control


def test_a_new_index_is_left_to_the_engine_to_fill(on_demand):
    answer = update(on_demand, AttributeDefinitions=types("a"), GlobalSecondaryIndexUpdates=CREATE)
    assert answer["TableStatus"] == "UPDATING"
    (entry,) = answer["GlobalSecondaryIndexes"]
    assert (entry["IndexStatus"], entry["Backfilling"]) == ("CREATING", False)
    change = on_demand.change
    assert (change.table, change.delete, change.key_types) == ("abc", None, {"a": "S"})
    assert change.create == {
        "IndexName": "new",
        "KeySchema": keys("a"),
        "Projection": {"ProjectionType": "ALL"},
    }
    (entry,) = on_demand.table()["GlobalSecondaryIndexes"]
    assert (entry["IndexStatus"], entry["Backfilling"]) == ("CREATING", True)
    on_demand.tables.index_built("abc", "new")
    after = on_demand.table()
    (entry,) = after["GlobalSecondaryIndexes"]
    assert entry["IndexStatus"] == "ACTIVE"
    assert "Backfilling" not in entry
    assert after["AttributeDefinitions"] == types("a", "pk", "sk")


# The last use of an attribute takes its definition along.
def test_a_dropped_index_is_left_to_the_engine_to_remove(indexed):
    update(
        indexed,
        AttributeDefinitions=types("b"),
        GlobalSecondaryIndexUpdates=[
            {"Create": index("new", "b", ProvisionedThroughput=units(1, 1))}
        ],
    )
    indexed.tables.index_built("abc", "new")
    answer = update(indexed, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "new"}}])
    assert answer["GlobalSecondaryIndexes"][1]["IndexStatus"] == "DELETING"
    assert (indexed.change.delete, indexed.change.create) == ("new", None)
    assert indexed.table()["GlobalSecondaryIndexes"][1]["IndexStatus"] == "DELETING"
    indexed.tables.index_dropped("abc", "new")
    after = indexed.table()
    assert [entry["IndexName"] for entry in after["GlobalSecondaryIndexes"]] == ["gsi"]
    assert after["AttributeDefinitions"] == types("a", "pk", "sk")


def test_a_slow_index_is_allocated_then_backfilled(slow_control):
    control = slow_control
    control("CreateTable", **table())
    control.time += 10
    update(control, AttributeDefinitions=types("a"), GlobalSecondaryIndexUpdates=CREATE)

    def shown():
        described = control.table()
        entry = described["GlobalSecondaryIndexes"][0]
        return described["TableStatus"], entry["IndexStatus"], entry.get("Backfilling")

    assert shown() == ("UPDATING", "CREATING", False)
    control.time += 10
    assert shown() == ("ACTIVE", "CREATING", True)
    control.tables.index_built("abc", "new")
    assert shown() == ("ACTIVE", "ACTIVE", None)


# An engine that is faster than the delay does not cut it short.
def test_an_index_built_early_is_active_when_its_time_has_come(slow_control):
    control = slow_control
    control("CreateTable", **table())
    control.time += 10
    update(control, AttributeDefinitions=types("a"), GlobalSecondaryIndexUpdates=CREATE)
    control.tables.index_built("abc", "new")
    assert control.table()["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    control.time += 10
    assert control.table()["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"


def test_one_index_is_made_or_dropped_at_a_time(on_demand):
    update(on_demand, AttributeDefinitions=types("a"), GlobalSecondaryIndexUpdates=CREATE)
    other = {
        "TableName": "abc",
        "AttributeDefinitions": types("a"),
        "GlobalSecondaryIndexUpdates": [{"Create": index("other", "a")}],
    }
    assert "Only 1 online index" in on_demand.refusal("UpdateTable", LimitExceeded, **other)
    warm = {"IndexName": "new", "WarmThroughput": {"ReadUnitsPerSecond": 20_000}}
    changes = {"TableName": "abc", "GlobalSecondaryIndexUpdates": [{"Update": warm}]}
    assert on_demand.refusal("UpdateTable", ResourceInUse, **changes) == (
        IN_USE + "Index is being created. Table: abc Index: new"
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
