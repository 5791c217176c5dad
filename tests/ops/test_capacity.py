"""Capacity: blocks, arms and the response's members, as the guide and the service have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashrange.ops import capacity, sizes
from hashrange.ops.capacity import Bill

KB = 1024
SIZES = st.integers(0, 400 * KB)


# Guide: reads are rounded up to 4 KB; eventual ones cost half; a missing item costs a block.
@pytest.mark.parametrize(
    ("size", "strong", "eventual"),
    [
        (0, 1, 0.5),
        (1, 1, 0.5),
        (4 * KB, 1, 0.5),
        (4 * KB + 1, 2, 1),
        (8 * KB, 2, 1),
        (400 * KB, 100, 50),
    ],
)
def test_a_read_costs_its_blocks_of_4_kb(size, strong, eventual):
    assert capacity.read_half_units(size, consistent=True) / 2 == strong
    assert capacity.read_half_units(size, consistent=False) / 2 == eventual
    assert capacity.transact_read_half_units(size) / 2 == 2 * strong


# Guide: 4 entries of 200 bytes and 4 items of 300 are 4 KB of entries and 4 times 4 KB of items.
# Measured on the service: three items of 9 KB cost 4.5 eventual, 9 strong.
def test_items_fetched_through_a_local_index_are_rounded_one_by_one():
    assert capacity.read_half_units(4 * 200, consistent=True) / 2 == 1
    assert capacity.fetch_half_units([300] * 4, consistent=True) / 2 == 4
    assert capacity.fetch_half_units([9 * KB] * 3, consistent=False) / 2 == 4.5
    assert capacity.fetch_half_units([9 * KB] * 3, consistent=True) / 2 == 9


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (0, 0, 1),  # a delete of nothing
        (0, 1, 1),
        (0, KB, 1),
        (0, KB + 1, 2),
        (5 * KB, 1, 5),  # the larger image counts
        (1, 5 * KB, 5),
        (5 * KB, 0, 5),  # a delete costs what is deleted
        (400 * KB, 400 * KB, 400),
    ],
)
def test_a_write_costs_the_larger_images_blocks_of_1_kb(before, after, units):
    assert capacity.write_half_units(before, after) / 2 == units
    assert capacity.write_half_units(before, after, transaction=True) / 2 == 2 * units


# Measured on the service: the table of index write arms.
@pytest.mark.parametrize(
    ("before", "after", "same_key", "same_entry", "units"),
    [
        (None, None, False, False, 0),
        (None, 100, False, False, 1),
        (None, KB + 1, False, False, 2),
        (KB + 1, None, False, False, 2),
        (KB, KB, True, True, 0),
        (KB, 3 * KB, True, False, 3),
        (3 * KB, KB, True, False, 3),
        (3 * KB, KB, False, False, 4),
        (100, 100, False, False, 2),
    ],
)
def test_an_index_is_charged_by_what_happens_to_its_entry(
    before, after, same_key, same_entry, units
):
    half = capacity.index_half_units(before, after, same_key=same_key, same_entry=same_entry)
    assert half / 2 == units


@given(SIZES, SIZES)
def test_moving_an_entry_never_costs_less_than_changing_it(before, after):
    moved = capacity.index_half_units(before, after, same_key=False, same_entry=False)
    changed = capacity.index_half_units(before, after, same_key=True, same_entry=False)
    assert moved > changed >= 2


@given(st.lists(SIZES, min_size=1, max_size=20), st.booleans())
def test_rounding_a_sum_never_costs_more_than_rounding_each(sizes, consistent):
    once = capacity.read_half_units(sum(sizes), consistent=consistent)
    assert once <= capacity.fetch_half_units(sizes, consistent=consistent)


# ---- the response --------------------------------------------------------------------------------


def bill() -> Bill:
    return Bill(2, {"by_date": 4, "idle": 0}, {"by_name": 6})


def test_nothing_is_said_unless_asked_for():
    assert capacity.consumed("t", bill(), None) is None
    assert capacity.consumed("t", bill(), "NONE") is None
    assert capacity.consumed_list({"t": bill()}, "NONE") is None


def test_total_is_the_sum_of_the_arms():
    assert capacity.consumed("t", bill(), "TOTAL") == {"TableName": "t", "CapacityUnits": 6.0}


def test_indexes_lists_the_arms_that_were_charged():
    assert capacity.consumed("t", bill(), "INDEXES") == {
        "TableName": "t",
        "CapacityUnits": 6.0,
        "Table": {"CapacityUnits": 1.0},
        "LocalSecondaryIndexes": {"by_date": {"CapacityUnits": 2.0}},
        "GlobalSecondaryIndexes": {"by_name": {"CapacityUnits": 3.0}},
    }


# Observed on the service: a query of an index shows the table's arm with 0.
def test_a_query_of_an_index_charges_only_the_index():
    assert capacity.consumed("t", Bill(0, {}, {"i": 1}), "INDEXES") == {
        "TableName": "t",
        "CapacityUnits": 0.5,
        "Table": {"CapacityUnits": 0.0},
        "GlobalSecondaryIndexes": {"i": {"CapacityUnits": 0.5}},
    }


# Measured on the service: the split by reads and writes appears in transactions only, at the top
# and in the table's arm.
def test_only_transactions_split_reads_from_writes():
    assert capacity.consumed_list({"t": bill()}, "INDEXES", transaction="Write") == [
        {
            "TableName": "t",
            "CapacityUnits": 6.0,
            "WriteCapacityUnits": 6.0,
            "Table": {"CapacityUnits": 1.0, "WriteCapacityUnits": 1.0},
            "LocalSecondaryIndexes": {"by_date": {"CapacityUnits": 2.0}},
            "GlobalSecondaryIndexes": {"by_name": {"CapacityUnits": 3.0}},
        }
    ]
    assert capacity.consumed_list({"t": Bill(4)}, "TOTAL", transaction="Read") == [
        {"TableName": "t", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}
    ]


def test_bills_of_one_table_add_up_arm_by_arm():
    total = Bill()
    total.add(bill())
    total.add(Bill(1, {"by_date": 2}, {"new": 2}))
    assert total == Bill(3, {"by_date": 6, "idle": 0}, {"by_name": 6, "new": 2})
    assert total.total == 17


def test_a_batch_has_one_entry_a_table_in_order():
    entries = capacity.consumed_list({"b": Bill(2), "a": Bill(1)}, "TOTAL")
    assert entries == [
        {"TableName": "b", "CapacityUnits": 1.0},
        {"TableName": "a", "CapacityUnits": 0.5},
    ]


@pytest.mark.parametrize(
    ("size", "low"), [(0, 0), ((1 << 30) - 1, 0), (1 << 30, 1), ((1 << 30) + 1, 1)]
)
def test_a_collections_size_is_a_range_of_whole_gigabytes(size, low):
    assert capacity.collection_metrics({"pk": {"S": "a"}}, size) == {
        "ItemCollectionKey": {"pk": {"S": "a"}},
        "SizeEstimateRangeGB": [float(low), float(low + 1)],
    }


# Measured: a one-byte key under a two-byte name keeps the item 19 below the limit.
def test_an_update_is_measured_by_what_it_writes():
    limit = sizes.ITEM_BYTES_MAX
    for padding, passes in [(limit - 3 - 19 - 1, True), (limit - 3 - 19, False)]:
        item_bytes = len("pk") + 1 + len("b") + padding
        gate = sizes.update_gate_bytes(item_bytes, [sizes.writing_bytes(["b"], padding)])
        assert (gate <= limit) is passes
        assert item_bytes == limit - 19 + (not passes)


def test_no_update_makes_an_item_too_large():
    assert sizes.update_gate_bytes(1000, [sizes.removing_bytes(["r"])]) == 1000


# Measured, byte by byte.
@pytest.mark.parametrize(
    ("charge", "cost"),
    [
        (sizes.removing_bytes(["r"]), 2),
        (sizes.removing_bytes(["m", "z"]), 1 + 1 + 5),
        (sizes.writing_bytes(["c"], 500), 19 + 1 + 500),
        (sizes.writing_bytes(["l", 10], 7), 19 + 1 + 6 + 7),
        (sizes.path_bytes(["m", "zé"]), 1 + 15 + 17),
        (sizes.operation_bytes("+", sizes.path_bytes(["n"]) + 2), 34 + 16 + 2),
        (sizes.operation_bytes("-", 4), 37 + 4),
        (sizes.operation_bytes("if_not_exists", 4), 39 + 4),
        (sizes.operation_bytes("list_append", 4), 37 + 4),
    ],
)
def test_an_action_costs_its_bytes(charge, cost):
    assert charge == cost
