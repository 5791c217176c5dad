"""Item collections: leaves and trees under every order of keys, checked by their verifier."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest

import hashrange
from ddbcore.probe import database_check, engine_check, table_check


class Collection:
    """One item collection of a table in memory, and the set of keys it should hold."""

    def __init__(self, kind: str = "B") -> None:
        self.db = hashrange.open(cache_bytes=0)
        self.table = self.db.create_table("table", ("h", "S"), ("r", kind))
        self.keys: set[Any] = set()

    def put(self, keys: Iterable[Any]) -> None:
        with self.table.batch() as batch:
            for key in keys:
                batch.put({"h": "a", "r": key})
                self.keys.add(key)

    def delete(self, keys: Iterable[Any]) -> None:
        with self.table.batch() as batch:
            for key in keys:
                batch.delete("a", key)
                self.keys.discard(key)

    def check(self) -> None:
        """Check the structure, and the walks both ways, from both ends and from the middle."""
        counts = table_check(self.table)
        engine_check(self.db.engine)
        expected = sorted(self.keys)
        assert counts["items"] == self.table.count() == len(expected)
        assert [item["r"] for item in self.table.query("a")] == expected
        backward = [item["r"] for item in self.table.query("a", reverse=True)]
        assert backward == expected[::-1]
        for place in range(0, len(expected), max(1, len(expected) // 17)):
            key = expected[place]
            got = [item["r"] for item in self.table.query("a", ge=key, limit=3)]
            assert got == expected[place : place + 3]
            got = [item["r"] for item in self.table.query("a", lt=key, reverse=True, limit=3)]
            assert got == expected[max(0, place - 3) : place][::-1]
            assert self.table.get("a", key) is not None


def shared(front: bytes, count: int, size: int = 4) -> list[bytes]:
    """Keys that begin alike."""
    return [front + number.to_bytes(size, "big") for number in range(count)]


def tails(count: int) -> list[bytes]:
    """Keys that are prefixes of one another, and differ in zero bytes at their ends."""
    return [b"k" * length + b"\0" * zeros for length in range(1, count // 8) for zeros in range(8)]


# Families of keys, each hard on heads of 8 bytes behind a shared prefix of at most 24.
FAMILIES = {
    "short": shared(b"", 3000),
    "prefix of 8": shared(b"p" * 8, 3000),
    "prefix of 23": shared(b"p" * 23, 3000),
    "prefix of 24": shared(b"p" * 24, 3000),
    "prefix of 25": shared(b"p" * 25, 3000),
    "differ behind byte 32": shared(b"p" * 32, 3000),
    "differ behind byte 900": shared(b"p" * 900, 1200),
    "equal heads": [b"x" * 20 + bytes([n % 7]) * 12 + n.to_bytes(4, "big") for n in range(3000)],
    "prefixes of each other": [b"ab" * length for length in range(1, 500)],
    "zero tails": tails(1000),
    "zeros": [b"\0" * length for length in range(1, 1000)],
    "ones": [b"\xff" * length for length in range(1, 1000)],
    "two long branches": shared(b"a" * 40, 1500) + shared(b"a" * 39 + b"b", 1500),
    "prefix splits late": shared(b"m" * 30, 2000) + [b"m" * n for n in range(1, 30)] + [b"z"],
    "mixed lengths": [
        bytes(random.Random(n).choices(b"\0\1ab\xff", k=n % 40 + 1)) for n in range(3000)
    ],
}
ORDERS = {
    "ascending": sorted,
    "descending": lambda keys: sorted(keys, reverse=True),
    "random": lambda keys: random.Random(5).sample(keys, len(keys)),
    "even, then odd": lambda keys: sorted(keys)[::2] + sorted(keys)[1::2],
}


# Every family in every order: put, checked; half deleted, checked; the rest, down to nothing.
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("family", FAMILIES)
def test_any_keys_in_any_order_are_kept_sorted(family: str, order: str) -> None:
    keys = list(dict.fromkeys(FAMILIES[family]))
    keys = ORDERS[order](keys)
    collection = Collection()
    collection.put(keys)
    collection.check()
    collection.delete(random.Random(6).sample(keys, len(keys) // 2))
    collection.check()
    collection.put(keys[: len(keys) // 3])
    collection.check()
    collection.delete(keys[::-1])
    collection.check()
    assert table_check(collection.table)["entries"] == 0


# 200,000 keys in one collection: three levels, whichever way they come.
@pytest.mark.parametrize("order", ["ascending", "descending", "random"])
def test_a_collection_of_200000_items_is_kept(order: str) -> None:
    collection = Collection("N")
    collection.put(ORDERS[order](list(range(200000))))
    collection.check()
    if order == "random":
        collection.delete(random.Random(8).sample(range(200000), 150000))
        collection.check()
        collection.delete(list(collection.keys)[:49990])
        collection.check()


# Keys that come in order leave full leaves behind: about 16 bytes of index an item, not 32.
def test_keys_in_order_fill_their_nodes() -> None:
    collection = Collection("N")
    before = collection.db.stats()["index_bytes"]
    collection.put(range(100000))
    assert (collection.db.stats()["index_bytes"] - before) / 100000 < 19


# What is deleted gives its memory back: many collections grown and emptied leave no units behind.
def test_emptied_collections_leave_nothing_behind() -> None:
    collection = Collection("N")
    table = collection.table
    sizes = [2, 3, 7, 15, 35, 83, 125, 300, 2000]
    first = None
    for _turn in range(3):
        for number, size in enumerate(sizes):
            with table.batch() as batch:
                for place in range(size):
                    batch.put({"h": f"h{number}", "r": place})
        table_check(table)
        for number, size in enumerate(sizes):
            for place in random.Random(number).sample(range(size), size):
                table.delete(f"h{number}", place)
        counts = table_check(table)
        assert counts["items"] == counts["entries"] == 0
        first = first or counts["units"]
        assert counts["units"] == first
    assert first == 1


# Collections of two to a hundred items share slabs: thousands of them, grown and shrunk in turns.
def test_many_small_collections_share_their_slabs() -> None:
    db = hashrange.open()
    table = db.create_table("table", ("h", "N"), ("r", "N"))
    source = random.Random(9)
    sizes: dict[int, set[int]] = {}
    for _ in range(40000):
        hash_key, range_key = source.randrange(400), source.randrange(150)
        here = sizes.setdefault(hash_key, set())
        if range_key in here or (here and source.random() < 0.3):
            range_key = range_key if range_key in here else source.choice(sorted(here))
            table.delete(hash_key, range_key)
            here.discard(range_key)
        else:
            table.put({"h": hash_key, "r": range_key})
            here.add(range_key)
    table_check(table)
    for hash_key, here in sizes.items():
        assert [item["r"] for item in table.query(hash_key)] == sorted(here)
    db.close()


# Random work on one collection of clashing keys, against a set; the structure checked on the way.
@pytest.mark.parametrize("seed", range(8))
def test_a_collection_does_what_a_sorted_set_does(seed: int) -> None:
    source = random.Random(seed)
    collection = Collection()
    front = b"f" * source.choice([0, 3, 24, 30])
    letters = source.choice([b"\0\1", b"\0a\xff", bytes(range(256))])
    for turn in range(60):
        keys = [
            front[: source.choice([len(front), len(front) // 2])]
            + bytes(source.choices(letters, k=source.randrange(1, 12)))
            for _ in range(120)
        ]
        if source.random() < 0.6 or len(collection.keys) < 50:
            collection.put(keys)
        else:
            least = source.choice(sorted(collection.keys))
            gone = [key for key in collection.keys if key >= least][: source.choice([10, 300])]
            collection.delete(gone + keys[:10])
        if turn % 10 == 9:
            collection.check()
    collection.delete(list(collection.keys))
    collection.check()


# Whole leaves deleted at the left end, the right end and in the middle, while keys go on coming in.
@pytest.mark.parametrize("place", ["left", "right", "middle"])
def test_a_queue_stays_balanced(place: str) -> None:
    collection = Collection("N")
    collection.put(range(10000))
    next_key = 10000
    for _turn in range(30):
        keys = sorted(collection.keys)
        start = {"left": 0, "right": len(keys) - 1000, "middle": len(keys) // 2}[place]
        collection.delete(keys[start : start + 1000])
        collection.put(range(next_key, next_key + 1000))
        next_key += 1000
    collection.check()


# A key below all others, again and again: the left-most leaf has no separator to go by.
def test_new_least_keys_find_their_leaf() -> None:
    collection = Collection()
    collection.put(shared(b"m" * 26, 3000))
    for number in range(300):
        collection.put([b"m" * (25 - number % 25) + b"\0" * (number // 25 + 1)])
    collection.check()


# Separators outlive the keys they were made of: deleting first keys of leaves, then putting keys
# between a separator and the leaf's new first key.
def test_stale_separators_lead_right() -> None:
    collection = Collection()
    keys = shared(b"s" * 30, 20000)
    collection.put(keys)
    source = random.Random(10)
    for _turn in range(5):
        gone = source.sample(sorted(collection.keys), 6000)
        collection.delete(gone)
        collection.put([key + b"\0" for key in gone[:1500]])
        collection.put([key[:-1] for key in gone[1500:2500]])
        collection.put(gone[2000:4000])
        collection.check()


# Leaves of all sizes come and go, so that slabs fill up, leave their lists and come back: what a
# full slab once linked to may be gone.
@pytest.mark.parametrize("seed", range(3))
def test_collections_that_grow_and_shrink_reuse_their_slabs(seed: int) -> None:
    dice = random.Random(seed)
    db = hashrange.open(cache_bytes=0)
    table = db.create_table("table", ("h", "N"), ("r", "N"))
    items: dict[tuple[int, int], int] = {}
    for step in range(20000):
        key = (dice.randrange(300), dice.randrange(dice.choice((3, 8, 40, 90))))
        if dice.random() < (0.6 if step // 4000 % 2 == 0 else 0.35):
            table.put({"h": key[0], "r": key[1], "v": step})
            items[key] = step
        else:
            table.delete(*key)
            items.pop(key, None)
    database_check(db.engine)
    assert {(item["h"], item["r"]): item["v"] for item in table.scan()} == items
    db.close()
