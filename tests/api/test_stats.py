"""stats: every number says what it says."""

from __future__ import annotations

from pathlib import Path

import hashrange

NAMES = {
    "tables",
    "items",
    "live_bytes",
    "dead_bytes",
    "log_bytes",
    "segments",
    "index_bytes",
    "index_file_bytes",
    "lsn",
    "durable_lsn",
    "syncs",
    "cache",
    "checkpoints",
    "checkpoint_age_s",
    "compactions",
    "moved_bytes",
    "recovered_bytes",
    "recovered_frames",
    "background_error",
}


# The names are there, from the start.
def test_all_names_are_there(db: hashrange.Database) -> None:
    assert set(db.stats()) >= NAMES
    assert set(db.stats()["cache"]) == {"bytes", "bytes_max", "items", "hits", "misses"}


# Items and tables are counted over the whole database.
def test_items_and_tables_are_counted(
    db: hashrange.Database, hashes: hashrange.Table, ranges: hashrange.Table
) -> None:
    for number in range(10):
        hashes.put({"id": str(number)})
        ranges.put({"h": "a", "r": number})
    assert (db.stats()["tables"], db.stats()["items"]) == (2, 20)
    db.drop_table("ranges")
    assert (db.stats()["tables"], db.stats()["items"]) == (1, 10)


# An overwritten item is dead, and so is a deleted one; live bytes follow exactly.
def test_live_and_dead_bytes_follow_writes(db: hashrange.Database, hashes: hashrange.Table) -> None:
    hashes.put({"id": "a", "v": "x" * 1000})
    one = db.stats()["live_bytes"]
    assert 1000 < one < 1100
    dead = db.stats()["dead_bytes"]
    for _ in range(10):
        hashes.put({"id": "a", "v": "x" * 1000})
    assert db.stats()["live_bytes"] == one
    assert db.stats()["dead_bytes"] >= dead + 10 * one
    hashes.delete("a")
    assert db.stats()["live_bytes"] == 0
    assert db.stats()["log_bytes"] >= db.stats()["dead_bytes"]


# Every commit is one LSN; what changes nothing is none.
def test_the_lsn_counts_commits(db: hashrange.Database, hashes: hashrange.Table) -> None:
    hashes.put({"id": "a"})
    start = db.stats()["lsn"]
    hashes.put({"id": "a"})
    hashes.update("a", "SET v = :v", values={":v": 1})
    hashes.delete("a")
    hashes.delete("a")
    hashes.get("a")
    assert db.stats()["lsn"] == start + 3


# A checkpoint is counted, and means that nothing is replayed.
def test_checkpoints_are_counted(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        assert db.stats()["checkpoint_age_s"] is None
        table = db.create_table("table", ("id", "N"))
        for number in range(100):
            table.put({"id": number})
        db.checkpoint()
        assert db.stats()["checkpoints"] == 1
        assert db.stats()["checkpoint_age_s"] < 60
        assert db.stats()["index_file_bytes"] > 0
    with hashrange.open(tmp_path / "db") as db:
        assert db.stats()["recovered_frames"] <= 1
        assert db.table("table").count() == 100


# What an opening replayed.
def test_recovered_frames_are_counted(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("table", ("id", "N"))
        for number in range(100):
            table.put({"id": number})
    with hashrange.open(tmp_path / "db") as db:
        assert 100 <= db.stats()["recovered_frames"] <= 110
        assert db.stats()["recovered_bytes"] > 100 * 32
