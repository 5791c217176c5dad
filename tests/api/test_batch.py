"""batch: one commit per flush, whole or not at all, in the order of the calls."""

from __future__ import annotations

from pathlib import Path

import pytest
from api.conftest import copy_live

import hashrange


# Nothing is visible before the flush; everything after it, in one frame of the log.
def test_a_batch_is_one_commit(db: hashrange.Database, ranges: hashrange.Table) -> None:
    ranges.put({"h": "a", "r": 0})
    before = db.stats()["lsn"]
    with ranges.batch() as batch:
        for number in range(1, 100):
            batch.put({"h": "a", "r": number})
        batch.delete("a", 0)
        assert batch.count == 100
        assert ranges.count() == 1
    assert batch.count == 0
    assert ranges.count() == 99
    assert db.stats()["lsn"] == before + 1


# The order of the calls counts: put, delete, put of one key.
def test_operations_take_effect_in_order(hashes: hashrange.Table) -> None:
    with hashes.batch() as batch:
        batch.put({"id": "a", "v": 1})
        batch.delete("a")
        batch.put({"id": "a", "v": 2})
        batch.put({"id": "b", "v": 1})
        batch.delete("b")
        batch.delete("never")
        batch.put({"id": "c", "v": 1})
        batch.put({"id": "c", "v": 2})
    assert sorted((item["id"], item["v"]) for item in hashes.scan()) == [("a", 2), ("c", 2)]
    assert hashes.count() == 2


# An exception in the block drops what was not flushed, and goes on to the caller.
def test_an_exception_drops_the_batch(hashes: hashrange.Table) -> None:
    batch = hashes.batch()

    def block() -> None:
        with batch:
            batch.put({"id": "a"})
            batch.flush()
            batch.put({"id": "b"})
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        block()
    assert [item["id"] for item in hashes.scan()] == ["a"]
    batch.flush()
    assert hashes.count() == 1


# A refused item leaves the batch as it was: caught, the others are written.
def test_a_refused_item_leaves_the_batch_as_it_was(hashes: hashrange.Table) -> None:
    with hashes.batch() as batch:
        batch.put({"id": "a"})
        for wrong in (
            {"id": 1},
            {"id": "b", "v": 1.5},
            {"v": 1},
            {"id": "x" * 2049},
            {"id": "c", "v": "x" * 409600},
            None,
        ):
            with pytest.raises((hashrange.ValidationError, TypeError)):
                batch.put(wrong)
        with pytest.raises(hashrange.ValidationError):
            batch.delete(5)
        batch.put({"id": "d"})
        assert batch.count == 2
    assert sorted(item["id"] for item in hashes.scan()) == ["a", "d"]


# A batch flushes itself when it has grown to a megabyte.
def test_a_large_batch_is_flushed_on_the_way(hashes: hashrange.Table) -> None:
    with hashes.batch() as batch:
        for number in range(300):
            batch.put({"id": str(number), "v": "x" * 10000})
        assert 0 < hashes.count() < 300
    assert hashes.count() == 300


# Items of the largest size, one frame each.
def test_items_of_400_kb_fit_a_batch(hashes: hashrange.Table) -> None:
    with hashes.batch() as batch:
        for number in range(10):
            batch.put({"id": f"{number}", "v": "x" * 409596})
    assert [len(hashes.get(str(number))["v"]) for number in range(10)] == [409596] * 10


# An empty batch writes nothing; a batch can be used again after a flush, without a with block too.
def test_batches_can_be_empty_and_used_again(
    db: hashrange.Database, hashes: hashrange.Table
) -> None:
    before = db.stats()["lsn"]
    with hashes.batch():
        pass
    batch = hashes.batch()
    batch.flush()
    assert db.stats()["lsn"] == before
    for number in range(3):
        batch.put({"id": str(number)})
        batch.flush()
    assert hashes.count() == 3
    del batch
    assert hashes.count() == 3


# What was never flushed was never written.
def test_a_forgotten_batch_writes_nothing(hashes: hashrange.Table) -> None:
    batch = hashes.batch()
    batch.put({"id": "a"})
    del batch
    assert hashes.count() == 0


# A batch of a closed database says so.
def test_a_batch_of_a_closed_database_is_refused(
    db: hashrange.Database, hashes: hashrange.Table
) -> None:
    batch = hashes.batch()
    batch.put({"id": "a"})
    db.close()
    for call in (batch.flush, lambda: batch.put({"id": "b"}), lambda: batch.delete("a")):
        with pytest.raises(hashrange.DatabaseClosed):
            call()


# A killed process leaves whole batches: every prefix of the log's frames is a state between two
# flushes.
def test_a_flush_is_atomic_for_whoever_opens_a_copy(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("table", ("id", "N"))
        for turn in range(20):
            with table.batch() as batch:
                for number in range(50):
                    batch.put({"id": number, "turn": turn})
            copy_live(tmp_path / "db", tmp_path / f"copy{turn}")
            with hashrange.open(tmp_path / f"copy{turn}") as copy:
                assert {item["turn"] for item in copy.table("table").scan()} == {turn}
                assert copy.table("table").count() == 50
