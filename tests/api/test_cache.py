"""The item cache: right after every write, bounded, fair, and its copies independent."""

from __future__ import annotations

import gc
import random
import weakref
from decimal import Decimal
from typing import Any

import pytest
from crash.oracle import seed_of

import hashrange


def counters(db: hashrange.Database) -> tuple[int, int]:
    cache = db.stats()["cache"]
    return cache["hits"], cache["misses"]


# A second get of an item is a hit; every get is a hit or a miss.
def test_hits_and_misses_add_up(db: hashrange.Database, hashes: hashrange.Table) -> None:
    for number in range(10):
        hashes.put({"id": str(number)})
    for number in range(10):
        hashes.get(str(number))
    assert counters(db) == (0, 10)
    for number in range(10):
        hashes.get(str(number))
    hashes.get("missing")
    hashes.get("missing")
    assert counters(db) == (10, 12)
    assert db.stats()["cache"]["items"] == 10


# A cache of no bytes keeps nothing, and counts nothing.
def test_no_cache_keeps_nothing() -> None:
    with hashrange.open(cache_bytes=0) as db:
        table = db.create_table("table", ("id", "S"))
        table.put({"id": "a", "v": [1]})
        for _ in range(3):
            assert table.get("a") == {"id": "a", "v": [1]}
        assert db.stats()["cache"] == {
            "bytes": 0,
            "bytes_max": 0,
            "items": 0,
            "hits": 0,
            "misses": 0,
        }


# Every way to write an item makes the next get see it.
@pytest.mark.parametrize("deep", [{}, {"deep": [{"k": {1}}]}], ids=["flat", "nested"])
@pytest.mark.parametrize("way", ["put", "update", "delete", "batch put", "batch delete", "drop"])
def test_writes_keep_the_cache_right(
    db: hashrange.Database, ranges: hashrange.Table, way: str, deep: dict[str, Any]
) -> None:
    for number in range(5):
        ranges.put({"h": "a", "r": number, "v": 0, **deep})
        ranges.get("a", number)
        assert ranges.get("a", number)["v"] == 0
    if way == "put":
        ranges.put({"h": "a", "r": 3, "v": 1})
    elif way == "update":
        ranges.update("a", 3, "SET v = :v", values={":v": 1})
    elif way == "delete":
        ranges.delete("a", 3)
    elif way == "drop":
        db.drop_table("ranges")
        table = db.create_table("ranges", ("h", "S"), ("r", "N"))
        assert table.get("a", 3) is None
        return
    else:
        with ranges.batch() as batch:
            if way == "batch put":
                batch.put({"h": "a", "r": 3, "v": 1})
            else:
                batch.delete("a", 3)
    for _ in range(2):
        item = ranges.get("a", 3)
        assert item is None if "delete" in way else item["v"] == 1
        assert [ranges.get("a", number)["v"] for number in (0, 1, 2, 4)] == [0] * 4


# A failed write changes nothing in the cache either.
def test_refused_writes_leave_the_cache_right(hashes: hashrange.Table) -> None:
    hashes.put({"id": "a", "v": 1})
    hashes.get("a")
    calls: list[Any] = [
        lambda: hashes.put({"id": "a", "v": 1.5}),
        lambda: hashes.put({"id": "a", "v": 2}, condition="v = :x", values={":x": 5}),
        lambda: hashes.update("a", "SET v = :v", values={":v": "x" * 500000}),
        lambda: hashes.delete("a", condition="v = :x", values={":x": 5}),
    ]
    for call in calls:
        with pytest.raises(hashrange.Error):
            call()
        assert hashes.get("a") == {"id": "a", "v": 1}


# Copies are deep where values are mutable.
def test_cached_copies_are_independent(hashes: hashrange.Table) -> None:
    item = {"id": "a", "l": [[1], {"k": {1, 2}}], "m": {"x": {"y": [b"z"]}}, "s": {"q"}}
    hashes.put(item)
    for _ in range(4):
        got = hashes.get("a")
        assert got == item
        got["l"][0].append(1)
        got["l"][1]["k"].clear()
        got["m"]["x"]["y"].clear()
        got["s"].add("new")
        del got["id"]


def of_every_form() -> list[dict[str, Any]]:
    """Items that the cache keeps in different ways: by shape, whole, and in between."""
    return [
        {"id": "only the key"},
        {"id": "flat", "n": 1, "d": Decimal("1.5"), "b": b"x", "t": True, "z": None},
        {"id": "sets", "s": {"a", "b"}, "many": set(range(40)), "b": {b"a"}},
        {"id": "maps", "m": {"x": {"y": {"z": {"deep": 1}}}, "empty": {}}, "n": 2},
        {"id": "lists", "l": [1, [2, {"a": {"s"}}], {}], "empty": []},
        {"id": "wide", **{f"a{number}": [number] for number in range(100)}},
        {"id": "32", **{f"a{number}": {"v": number} for number in range(31)}},
        {"id": "many words", **{f"m{a}": {f"x{b}": a * b for b in range(30)} for a in range(30)}},
    ]


# What is kept is not the dict but its values, so every form must come back as it was.
def test_items_of_every_form_come_back_from_the_cache(hashes: hashrange.Table) -> None:
    items = of_every_form()
    for item in items:
        hashes.put(item)
    for _ in range(5):
        for item in items:
            got = hashes.get(item["id"])
            assert got == item
            assert list(got) == list(item)
            got.clear()
    assert hashes.database.stats()["cache"]["hits"] == 4 * len(items)


# Copies are tracked by the garbage collector when they hold containers, and give back what they
# hold: a cycle through one is found, and filling, forgetting and dropping leave nothing behind.
def test_the_cache_holds_no_reference_too_many() -> None:
    class Canary:
        pass

    items = of_every_form()
    with hashrange.open() as db:
        table = db.create_table("table", ("id", "S"))
        for item in items:
            table.put(item)
        for item in items[2:]:
            for _ in range(4):
                got = table.get(item["id"])
                canary = Canary()
                seen = weakref.ref(canary)
                got["cycle"] = [got, canary]
                del got, canary
                gc.collect()
                assert seen() is None
        before = 0
        for turn in range(12):
            for item in items:
                table.get(item["id"])
                table.get(item["id"])
            for item in items:
                table.put(item)
            gc.collect()
            if turn == 5:
                before = len(gc.get_objects())
        assert abs(len(gc.get_objects()) - before) < 20


# An entry may go while a copy of it is made: an allocation can start the garbage collector, whose
# finalizers write the item.
def test_an_item_written_while_it_is_copied_comes_back_whole(hashes: hashrange.Table) -> None:
    class Writer:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            for item in of_every_form():
                hashes.put({**item, "id": item["id"], "again": 1})

    items = of_every_form()
    threshold = gc.get_threshold()
    try:
        for delay in range(1, 30):
            for item in items:
                hashes.put(item)
                hashes.get(item["id"])
            gc.collect()
            Writer()
            gc.set_threshold(delay, 1, 1)
            for item in items:
                got = hashes.get(item["id"])
                got.pop("again", None)
                assert got == item
            gc.set_threshold(*threshold)
    finally:
        gc.set_threshold(*threshold)


# The bytes are bounded at all times, with items of every size.
@pytest.mark.parametrize("size", [1, 100, 3000, 100000])
def test_the_bytes_are_bounded(size: int) -> None:
    with hashrange.open(cache_bytes=1 << 20) as db:
        table = db.create_table("table", ("id", "N"))
        for number in range(3000 if size < 100000 else 100):
            table.put({"id": number, "v": "x" * size})
        for turn in range(3):
            for number in range(3000 if size < 100000 else 100):
                table.get(number)
                if number % 100 == turn:
                    assert db.stats()["cache"]["bytes"] <= 1 << 20
        assert db.stats()["cache"]["items"] > 0


# An item that would fill more than an eighth of the cache is not kept.
def test_huge_items_are_not_kept() -> None:
    with hashrange.open(cache_bytes=1 << 20) as db:
        table = db.create_table("table", ("id", "S"))
        table.put({"id": "a", "v": "x" * 200000})
        for _ in range(3):
            assert len(table.get("a")["v"]) == 200000
        assert db.stats()["cache"]["items"] == 0


# The least recently used go first: what is read all the time stays through a flood of others, and
# is not even missed once.
def test_the_least_recently_used_go_first() -> None:
    with hashrange.open(cache_bytes=200000) as db:
        table = db.create_table("table", ("id", "N"))
        for number in range(5000):
            table.put({"id": number, "v": "x" * 100})
        for _ in range(2):
            for hot in range(10):
                table.get(hot)
        hot_misses = 0
        for number in range(1000, 5000):
            for _ in range(3):
                table.get(number)
            _, before = counters(db)
            for hot in range(10):
                table.get(hot)
            hot_misses += counters(db)[1] - before
        assert hot_misses == 0
        _, misses = counters(db)
        table.get(1000)
        assert counters(db)[1] == misses + 1


# Entries come and go, and those that stay are found: each get of an item that was read before and
# not written since is a hit.
def test_what_is_kept_is_found() -> None:
    seed = seed_of("HASHRANGE_CACHE_SEED")
    print(f"HASHRANGE_CACHE_SEED={seed}")
    dice = random.Random(seed)
    kept: set[int] = set()
    there: dict[int, int] = {}
    wanted = [0, 0]
    with hashrange.open(cache_bytes=1 << 30) as db:
        table = db.create_table("table", ("id", "N"))
        for turn in range(60_000):
            # Few keys, then many: the table of entries grows, and empties.
            number = dice.randrange(40 if turn < 10_000 else 3000)
            draw = dice.random()
            if draw < 0.2:
                table.put({"id": number, "turn": turn})
                there[number] = turn
                kept.discard(number)
            elif draw < 0.3:
                table.delete(number)
                there.pop(number, None)
                kept.discard(number)
            else:
                item = table.get(number)
                assert item == ({"id": number, "turn": there[number]} if item else None)
                assert (item is None) == (number not in there)
                wanted[number not in kept] += 1
                if item is not None:
                    kept.add(number)
        assert list(counters(db)) == wanted
        assert db.stats()["cache"]["items"] == len(kept)


# A pass over everything does not empty a full cache of what is in use.
def test_one_pass_over_everything_does_not_flush_the_cache() -> None:
    with hashrange.open(cache_bytes=200000) as db:
        table = db.create_table("table", ("id", "N"))
        for number in range(5000):
            table.put({"id": number, "v": "x" * 100})
        for _ in range(3):
            for number in range(100):
                table.get(number)
        for number in range(1000, 5000):
            table.get(number)
        hits, _ = counters(db)
        for number in range(100):
            table.get(number)
        assert counters(db)[0] - hits > 80


# Keys of different tables, and of hash and range parts that together read the same, are different.
def test_keys_are_told_apart(db: hashrange.Database) -> None:
    first = db.create_table("first", ("h", "S"), ("r", "S"))
    second = db.create_table("second", ("h", "S"), ("r", "S"))
    for place, (hash_key, range_key) in enumerate([("ab", "c"), ("a", "bc"), ("abc", "x")]):
        first.put({"h": hash_key, "r": range_key, "n": place})
        second.put({"h": hash_key, "r": range_key, "n": -place})
    for _ in range(3):
        assert [first.get(*key)["n"] for key in (("ab", "c"), ("a", "bc"), ("abc", "x"))] == [
            0,
            1,
            2,
        ]
        assert [second.get(*key)["n"] for key in (("ab", "c"), ("a", "bc"), ("abc", "x"))] == [
            0,
            -1,
            -2,
        ]
