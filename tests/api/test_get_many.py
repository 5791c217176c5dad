"""get_many: as many gets, in their order."""

from __future__ import annotations

from typing import Any

import pytest

import hashrange


# Items in the order of the keys, None for what is not there, duplicates as often as asked.
def test_items_come_in_the_order_of_the_keys(ranges: hashrange.Table) -> None:
    for number in range(100):
        ranges.put({"h": f"h{number % 5}", "r": number})
    keys = [("h3", 3), ("h0", 0), ("missing", 1), ("h3", 3), ("h4", 99), ["h1", 1], ("h1", 2)]
    found = [(item["h"], item["r"]) if item else None for item in ranges.get_many(keys)]
    assert found == [("h3", 3), ("h0", 0), None, ("h3", 3), ("h4", 99), ("h1", 1), None]


# Duplicates are items of their own.
def test_duplicates_are_copies(hashes: hashrange.Table) -> None:
    hashes.put({"id": "a", "list": []})
    one, two = hashes.get_many(["a", "a"])
    one["list"].append(1)
    assert two == hashes.get("a") == {"id": "a", "list": []}


# Any iterable, of any length: around the number looked up together, 4,096.
@pytest.mark.parametrize("count", [0, 1, 4095, 4096, 4097, 10000])
def test_any_number_of_keys_is_taken(hashes: hashrange.Table, count: int) -> None:
    with hashes.batch() as batch:
        for number in range(0, 10000, 2):
            batch.put({"id": str(number), "n": number})
    found = hashes.get_many(str(number) for number in range(count))
    assert [item["n"] if item else None for item in found] == [
        None if number % 2 else number for number in range(count)
    ]


# A key that cannot be is an error, not None.
@pytest.mark.parametrize("keys", [[1], ["a", ""], [("a", 1)], [None], [1.5], 5])
def test_wrong_keys_are_refused(hashes: hashrange.Table, keys: Any) -> None:
    with pytest.raises((hashrange.ValidationError, TypeError)):
        hashes.get_many(keys)


@pytest.mark.parametrize(
    "keys",
    [["a"], [("a",)], [("a", 1, 2)], [("a", "b")], ["ab"], [{"h": "a", "r": 1}], [("a", None)]],
)
def test_range_tables_take_pairs(ranges: hashrange.Table, keys: Any) -> None:
    with pytest.raises(hashrange.ValidationError):
        ranges.get_many(keys)
