"""delete: removes an item, does nothing for a missing one, and obeys its condition."""

from __future__ import annotations

import random

import pytest

import hashrange


# DeleteItem is idempotent: deleting nothing is no error and writes nothing.
def test_deleting_a_missing_item_does_nothing(
    db: hashrange.Database, hashes: hashrange.Table
) -> None:
    hashes.put({"id": "a"})
    before = db.stats()["lsn"]
    hashes.delete("b")
    assert db.stats()["lsn"] == before
    assert hashes.count() == 1


# A deleted item is gone from get, query, scan and count.
def test_a_deleted_item_is_gone_everywhere(ranges: hashrange.Table) -> None:
    for number in range(10):
        ranges.put({"h": "a", "r": number})
    ranges.delete("a", 4)
    assert ranges.get("a", 4) is None
    assert [item["r"] for item in ranges.query("a")] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert sum(1 for _ in ranges.scan()) == ranges.count() == 9


# The condition is checked against the item, or its absence.
def test_a_condition_decides(hashes: hashrange.Table) -> None:
    hashes.put({"id": "a", "n": 1})
    with pytest.raises(hashrange.ConditionalCheckFailed):
        hashes.delete("a", condition="n = :n", values={":n": 2})
    with pytest.raises(hashrange.ConditionalCheckFailed):
        hashes.delete("missing", condition="attribute_exists(id)")
    assert hashes.count() == 1
    hashes.delete("a", condition="n = :n", values={":n": 1})
    assert hashes.count() == 0


# Deleting everything in any order leaves nothing, and the counters at zero.
@pytest.mark.parametrize("order", ["forward", "backward", "random"])
def test_deleting_everything_leaves_nothing(
    db: hashrange.Database, ranges: hashrange.Table, order: str
) -> None:
    keys = [(f"h{number % 7}", number) for number in range(3000)]
    with ranges.batch() as batch:
        for hash_key, number in keys:
            batch.put({"h": hash_key, "r": number, "v": "x" * 20})
    if order == "backward":
        keys.reverse()
    elif order == "random":
        random.Random(1).shuffle(keys)
    for hash_key, number in keys:
        ranges.delete(hash_key, number)
    assert ranges.count() == ranges.size_bytes() == 0
    assert list(ranges.scan()) == list(ranges.query("h1")) == []
    assert db.stats()["live_bytes"] == 0
