"""Tables: create, find, list, drop; names and keys that are refused."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

import hashrange


# tables() lists names, sorted, as ListTables does.
def test_tables_are_listed_sorted(db: hashrange.Database) -> None:
    for name in ("zoo", "Abc", "a.b", "_x-1", "abc"):
        db.create_table(name, ("id", "S"))
    assert db.tables() == ["Abc", "_x-1", "a.b", "abc", "zoo"]
    db.drop_table("abc")
    assert db.tables() == ["Abc", "_x-1", "a.b", "zoo"]


# DynamoDB's rule: 3 to 255 characters of a-z A-Z 0-9 _ - .
@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("ab", False),
        ("abc", True),
        ("a" * 254, True),
        ("a" * 255, True),
        ("a" * 256, False),
        ("", False),
        ("a b", False),
        ("ab/", False),
        ("äbc", False),
        ("abc\n", False),
        ("a\0c", False),
        ("...", True),
        ("-_.", True),
        (b"abc", False),
        (None, False),
        (5, False),
    ],
)
def test_names_follow_the_rule(db: hashrange.Database, name: Any, good: bool) -> None:
    if good:
        db.create_table(name, ("id", "S"))
        assert db.tables() == [name]
    else:
        with pytest.raises(hashrange.ValidationError, match="table's name"):
            db.create_table(name, ("id", "S"))
        assert db.tables() == []


# A table of this name is there already: the old one stays as it is.
def test_an_existing_table_is_not_made_again(
    db: hashrange.Database, hashes: hashrange.Table
) -> None:
    hashes.put({"id": "a"})
    with pytest.raises(hashrange.TableExists, match="hashes"):
        db.create_table("hashes", ("other", "N"))
    assert hashes.count() == 1
    assert hashes.hash_key == ("id", "S")


# A table that is not there: KeyError's relative.
def test_missing_tables_are_not_found(db: hashrange.Database) -> None:
    for call in (db.table, db.drop_table):
        with pytest.raises(hashrange.TableNotFound, match="nothing"):
            call("nothing")
        with pytest.raises(KeyError):
            call("nothing")


WRONG_KEYS: list[Any] = [
    "id",
    ("id",),
    ("id", "X"),
    ("id", "s"),
    ("", "S"),
    ("x" * 256, "S"),
    ("é" * 128, "S"),
    (1, "S"),
    ("id", "BOOL"),
    None,
    ("id", "S", "S"),
    ("\ud800", "S"),
]


# Key schemas: a name of 1 to 255 bytes and a type of three.
@pytest.mark.parametrize("key", WRONG_KEYS, ids=ascii)
def test_wrong_keys_are_refused(db: hashrange.Database, key: Any) -> None:
    with pytest.raises(hashrange.ValidationError):
        db.create_table("abc", key)
    if key is not None:
        with pytest.raises(hashrange.ValidationError):
            db.create_table("abc", ("h", "S"), key)
    with pytest.raises(hashrange.ValidationError, match="different names"):
        db.create_table("abc", ("h", "S"), ("h", "N"))
    assert db.tables() == []


# Names of 255 bytes work, and every pair of types.
@pytest.mark.parametrize("hash_type", "SNB")
@pytest.mark.parametrize("range_type", "SNB-")
def test_all_pairs_of_key_types_work(
    db: hashrange.Database, hash_type: str, range_type: str
) -> None:
    values = {"S": "é", "N": -1, "B": b"\0"}
    names = ("h" * 255, "é" * 127)
    range_key = (names[1], range_type) if range_type != "-" else None
    table = db.create_table("abc", [names[0], hash_type], range_key)
    assert table.hash_key == (names[0], hash_type)
    assert table.range_key == range_key
    item = {names[0]: values[hash_type], **({names[1]: values[range_type]} if range_key else {})}
    table.put(item)
    assert table.get(*item.values()) == item


# A dropped table is gone, for its old handles too; a new one of its name is empty.
def test_a_dropped_table_is_gone(db: hashrange.Database, ranges: hashrange.Table) -> None:
    for number in range(500):
        ranges.put({"h": f"{number % 3}", "r": number})
    other = db.create_table("other", ("id", "S"))
    other.put({"id": "stays"})
    db.drop_table("ranges")
    calls = [
        lambda: ranges.get("a", 1),
        lambda: ranges.put({"h": "a", "r": 1}),
        lambda: ranges.delete("a", 1),
        lambda: ranges.update("a", 1, "SET v = :v", values={":v": 1}),
        lambda: ranges.query("a"),
        ranges.scan,
        ranges.count,
        ranges.size_bytes,
        ranges.batch,
        lambda: ranges.get_many([("a", 1)]),
    ]
    for call in calls:
        with pytest.raises(hashrange.TableNotFound, match="ranges"):
            call()
    again = db.create_table("ranges", ("h", "S"), ("r", "N"))
    assert again.count() == 0
    assert list(again.scan()) == []
    for call in calls:
        with pytest.raises(hashrange.TableNotFound, match="ranges"):
            call()
    assert list(other.scan()) == [{"id": "stays"}]


# Creating and dropping a thousand times leaves nothing behind: no memory, no live bytes.
def test_dropped_tables_leave_nothing_behind(db: hashrange.Database) -> None:
    first = None
    for _ in range(300):
        table = db.create_table("abc", ("h", "S"), ("r", "N"))
        with table.batch() as batch:
            for number in range(20):
                batch.put({"h": "a", "r": number})
        db.drop_table("abc")
        first = first or db.stats()["index_bytes"]
        assert db.stats()["index_bytes"] == first
        assert db.stats()["live_bytes"] == 0
    assert db.tables() == []


# Many tables at once, each with its own items, attribute names and cache entries.
def test_tables_are_independent(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        tables = [db.create_table(f"t{number:03}", ("id", "N")) for number in range(200)]
        for number, table in enumerate(tables):
            table.put({"id": 1, f"name{number}": number})
            assert table.get(1)[f"name{number}"] == number
        db.checkpoint()
        for number in range(0, 200, 2):
            db.drop_table(f"t{number:03}")
        for number in range(0, 200, 4):
            db.create_table(f"t{number:03}", ("other", "S")).put({"other": "x"})
    with hashrange.open(tmp_path / "db") as db:
        assert len(db.tables()) == 150
        for number in range(1, 200, 2):
            assert db.table(f"t{number:03}").get(1) == {"id": 1, f"name{number}": number}
        for number in range(0, 200, 4):
            assert list(db.table(f"t{number:03}").scan()) == [{"other": "x"}]


# count() and size_bytes() are exact after every kind of write.
def test_counters_are_exact(ranges: hashrange.Table) -> None:
    assert (ranges.count(), ranges.size_bytes(), len(ranges)) == (0, 0, 0)
    ranges.put({"h": "a", "r": 1})  # 1 + 1, 1 + 2
    assert (ranges.count(), ranges.size_bytes()) == (1, 5)
    ranges.put({"h": "a", "r": 1, "v": "xyz"})  # 1 + 3 more
    assert (ranges.count(), ranges.size_bytes()) == (1, 9)
    ranges.update("a", 1, "SET v = :v", values={":v": "x"})
    assert (ranges.count(), ranges.size_bytes()) == (1, 7)
    with ranges.batch() as batch:
        batch.put({"h": "b", "r": 1})
        batch.put({"h": "b", "r": 1, "n": None})
        batch.delete("a", 1)
        batch.delete("a", 1)
    assert (ranges.count(), ranges.size_bytes(), len(ranges)) == (1, 7, 1)
    ranges.delete("b", 1)
    assert (ranges.count(), ranges.size_bytes()) == (0, 0)


# Handles are neither copied nor pickled: they belong to one process and one engine.
def test_handles_are_not_copied(db: hashrange.Database, hashes: hashrange.Table) -> None:
    for thing in (db, hashes, hashes.scan(), hashes.query("a"), hashes.batch()):
        for make in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError):
                make(thing)


# What a handle shows of itself.
def test_handles_have_a_name(db: hashrange.Database, hashes: hashrange.Table) -> None:
    assert "hashes" in repr(hashes)
    assert "hashrange.Database" in repr(db)
    assert hashes.name == "hashes"
    assert hashes.range_key is None
