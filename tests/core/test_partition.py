"""The hash index: growth, order, removal, and its bounds, with hashes that the test chooses."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

import hashrange
from ddbcore.probe import PartitionProbe, table_check

TAG_SHIFT = 38
TOP = (1 << 64) - 1
SEGMENT_BYTES_MAX = 262144


class Pair:
    """A partition and a dict that says what is in it."""

    def __init__(self) -> None:
        self.probe = PartitionProbe()
        self.entries: dict[int, int] = {}  # address -> hash

    def insert(self, hash_value: int, address: int) -> None:
        self.probe.insert(hash_value, address)
        self.entries[address] = hash_value

    def remove(self, address: int) -> None:
        assert self.probe.remove(self.entries.pop(address), address)

    def check(self) -> None:
        self.probe.verify()
        assert self.probe.count == len(self.entries)
        walked = self.probe.walk()
        tags = [tag for tag, _ in walked]
        assert tags == sorted(tags)
        assert sorted(walked) == sorted((h >> TAG_SHIFT, a) for a, h in self.entries.items())


def fill(pair: Pair, hashes: Iterable[int], address: int) -> int:
    """Insert until the bound is met; return the number of entries that went in."""
    count = 0
    for count, hash_value in enumerate(hashes):
        try:
            pair.insert(hash_value, address + count)
        except OverflowError:
            break
    return count


# Random hashes, as keys have them: every entry is found while the directory doubles.
def test_entries_are_found_across_growth() -> None:
    pair = Pair()
    source = random.Random(1)
    for address in range(1, 200001):
        pair.insert(source.getrandbits(64), address)
        if address in {1, 400, 430, 2000, 20000}:
            pair.check()
    pair.check()
    assert pair.probe.depth >= 7
    for address, hash_value in list(pair.entries.items())[::7]:
        assert address in pair.probe.addresses(hash_value)


# The index costs about 11 bytes a key at any size, not only where segments are just full.
@pytest.mark.parametrize("count", [50000, 77000, 100000, 140000, 200000])
def test_an_entry_costs_at_most_14_bytes(count: int) -> None:
    probe = PartitionProbe()
    source = random.Random(count)
    for address in range(1, count + 1):
        probe.insert(source.getrandbits(64), address)
    assert (probe.bytes_used + (4 << probe.depth)) / count < 14


# A look-up of a hash that is not there finds nothing, in an empty partition and a full one.
def test_absent_hashes_find_nothing() -> None:
    probe = PartitionProbe()
    assert probe.addresses(0) == probe.addresses(TOP) == []
    assert not probe.remove(5, 5)
    for address in range(1, 5001):
        probe.insert(address << 44, address)
    assert probe.addresses((5001 << 44) + (1 << 43)) == probe.addresses(TOP) == []
    assert not probe.remove(1 << 44, 2)


# Removal moves entries behind the hole back: any order, down to nothing, and up again.
@pytest.mark.parametrize("order", ["forward", "backward", "random"])
def test_entries_are_removed_down_to_nothing(order: str) -> None:
    pair = Pair()
    source = random.Random(2)
    for turn in range(2):
        for address in range(1, 20001):
            pair.insert(source.getrandbits(64), address)
        addresses = sorted(pair.entries, key=pair.entries.__getitem__)
        if order == "backward":
            addresses.reverse()
        elif order == "random":
            source.shuffle(addresses)
        for index, address in enumerate(addresses):
            pair.remove(address)
            if index % 5000 == turn:
                pair.check()
        pair.check()
        assert pair.probe.walk() == []


# Hashes in order, low to high and high to low, and packed at both ends of the hash space.
@pytest.mark.parametrize(
    "hashes",
    [
        pytest.param([i << 46 for i in range(30000)], id="ascending"),
        pytest.param([i << 46 for i in range(30000)][::-1], id="descending"),
        pytest.param([i << 38 for i in range(8000)], id="lowest tags"),
        pytest.param([TOP - (i << 38) for i in range(40)], id="highest tags"),
        pytest.param([(1 << 63) + (i - 40 << 38) for i in range(8000)], id="around the middle"),
    ],
)
def test_unlucky_orders_of_hashes_are_kept(hashes: list[int]) -> None:
    pair = Pair()
    for address, hash_value in enumerate(hashes, 1):
        pair.insert(hash_value, address)
    pair.check()
    for address in list(pair.entries)[::2]:
        pair.remove(address)
    pair.check()


# A walk starts at any tag: with the first entry at or behind it, in whichever segment.
def test_a_walk_starts_at_any_tag() -> None:
    pair = Pair()
    source = random.Random(3)
    for address in range(1, 5001):
        pair.insert(source.getrandbits(64), address)
    whole = pair.probe.walk()
    tags = [0, (1 << 26) - 1, *(tag + step for tag, _ in whole[::333] for step in (-1, 0, 1))]
    for tag in tags:
        expected = [entry for entry in whole if entry[0] >= tag]
        assert pair.probe.walk(tag) == expected


# Equal tags (an attack, or bad luck): all of them found, in a segment that grows instead of
# splitting, up to its bound of 256 KiB; then an error that changes nothing.
@pytest.mark.parametrize("hash_value", [0, 1 << 62, 1 << 63])
def test_equal_tags_fill_a_segment_up_to_its_bound(hash_value: int) -> None:
    pair = Pair()
    for address in range(1, 5001):
        pair.insert((address * 0x9E3779B97F4A7C15) & TOP, address)
    count = fill(pair, (hash_value for _ in range(100000)), 1000000)
    assert 5000 < count < 100000
    pair.check()
    assert len(pair.probe.addresses(hash_value)) >= count
    assert pair.probe.depth <= 10
    for address in range(1000000, 1000000 + count):
        pair.remove(address)
    pair.check()
    pair.insert(hash_value, 1)


# Where a segment ends, entries behind the last home have no more room than the pad: hashes packed
# there meet the bound early (nobody knows the seed of another's hashes). What is in stays whole.
@pytest.mark.parametrize("step", [0, 1, 5])
@pytest.mark.parametrize("top", [TOP, (1 << 63) - 1, TOP - (1 << 60)])
def test_hashes_packed_at_an_end_stay_whole(top: int, step: int) -> None:
    pair = Pair()
    count = fill(pair, (top - (number * step << TAG_SHIFT) // 8 for number in range(100000)), 1)
    assert 40 <= count < 100000
    pair.check()


# Random inserts and removals of hashes drawn from few tags, against the dict.
@pytest.mark.parametrize("seed", range(6))
def test_a_partition_does_what_a_dict_does(seed: int) -> None:
    source = random.Random(seed)
    pair = Pair()
    tag_bits = (6, 10, 14, 18, 22, 26)[seed]
    for address in range(1, 12001):
        pair.insert(source.getrandbits(tag_bits) << (64 - tag_bits), address)
        if source.random() < 0.45:
            pair.remove(source.choice(list(pair.entries)) if address % 50 == 0 else address)
        if address % 4000 == 0:
            pair.check()
    pair.check()


# ---- keys whose hashes are known: XXH64 of 8 bytes can be turned round ------------------------

PRIME_1, PRIME_2 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F
PRIME_3, PRIME_4, PRIME_5 = 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def unshift(value: int, bits: int) -> int:
    result = value
    for _ in range(64 // bits):
        result = value ^ (result >> bits)
    return result


def rotate_right(value: int, bits: int) -> int:
    return (value >> bits | value << (64 - bits)) & TOP


def key_of_hash(hash_value: int, seed: int) -> bytes:
    """Return the 8 bytes whose XXH64 with `seed` is `hash_value`."""
    total = unshift(hash_value, 32) * pow(PRIME_3, -1, 1 << 64) & TOP
    total = unshift(total, 29) * pow(PRIME_2, -1, 1 << 64) & TOP
    total = unshift(total, 33)
    lane = rotate_right((total - PRIME_4) * pow(PRIME_1, -1, 1 << 64) & TOP, 27)
    lane ^= (seed + PRIME_5 + 8) & TOP
    word = rotate_right(lane * pow(PRIME_1, -1, 1 << 64) & TOP, 31) * pow(PRIME_2, -1, 1 << 64)
    return (word & TOP).to_bytes(8, "little")


# Items whose keys' hashes have equal tags: told apart by their keys in every call, with and
# without range keys, and scanned in one order in pages of one.
@pytest.mark.parametrize("ranged", [False, True])
def test_keys_with_equal_tags_are_told_apart(ranged: bool) -> None:
    db = hashrange.open()
    table = db.create_table("table", ("h", "B"), ("r", "N") if ranged else None)
    seed = db.engine.hash_seed
    keys = [key_of_hash((12345 << TAG_SHIFT) + low, seed) for low in range(300)]
    random.Random(4).shuffle(keys)

    def parts(number: int, place: int) -> list[object]:
        return [keys[number], place] if ranged else [keys[number]]

    for number in range(300):
        for place in range(number % 4 if ranged else 1):
            table.put({"h": keys[number], "n": number, **({"r": place} if ranged else {})})
    assert table_check(table)["entries"] == sum(1 for n in range(300) if not ranged or n % 4)
    for number in range(300):
        item = table.get(*parts(number, 0))
        assert (item is not None and item["n"] == number) or (ranged and number % 4 == 0)
        assert len(list(table.query(keys[number]))) == (number % 4 if ranged else 1)
    whole = list(table.scan())
    assert len(whole) == table.count()
    hashed = sorted(range(300), key=lambda n: seed_hash(keys[n], seed))
    assert [n for n in hashed if not ranged or n % 4] == list(dict.fromkeys(i["n"] for i in whole))
    paged, after = [], None
    while page := list(table.scan(limit=1, after=after)):
        paged += page
        after = page[-1]
    assert paged == whole
    segments = [i for s in range(7) for i in table.scan(segment=s, total_segments=7)]
    assert segments == whole
    for number in range(0, 300, 2):
        for place in range(number % 4 if ranged else 1):
            table.delete(*parts(number, place))
    assert [item["n"] for item in whole if item["n"] % 2] == [i["n"] for i in table.scan()]
    table_check(table)
    db.close()


def seed_hash(key: bytes, seed: int) -> int:
    from ddbcore.hashing import xxh64

    return xxh64(key, seed)


# Segments of a scan cut between equal tags: each item still in exactly one of them.
def test_scan_segments_cut_through_a_tag() -> None:
    db = hashrange.open()
    table = db.create_table("table", ("h", "B"))
    seed = db.engine.hash_seed
    for total in (3, 1000, 999983):
        edge = (total // 2 << 64) // total
        for low in range(-20, 21):
            table.put({"h": key_of_hash(edge + low, seed)})
    for total in (3, 1000, 999983):
        middle = total // 2
        edge = (middle << 64) // total
        below = {i["h"] for i in table.scan(segment=middle - 1, total_segments=total)}
        above = {i["h"] for i in table.scan(segment=middle, total_segments=total)}
        for low in range(-20, 21):
            key = key_of_hash(edge + low, seed)
            # An edge is rounded down: the segment begins at the first hash at or above it.
            assert (key in below) + (key in above) == 1
            assert (key in above) == (edge + low >= edge)
    db.close()


# The bound is an error of the call, in words; the table and the other keys go on.
def test_too_many_equal_tags_are_refused_in_words() -> None:
    db = hashrange.open()
    table = db.create_table("table", ("h", "B"))
    seed = db.engine.hash_seed

    def put_all() -> None:
        for number in range(40000):
            table.put({"h": key_of_hash((1 << TAG_SHIFT) + number, seed), "n": number})

    with pytest.raises(hashrange.ValidationError, match="too many keys share one hash"):
        put_all()
    count = table.count()
    assert count > 20000
    table_check(table)
    table.put({"h": b"other"})
    assert table.get(b"other") == {"h": b"other"}
    assert table.get(key_of_hash((1 << TAG_SHIFT) + 77, seed))["n"] == 77
    assert sum(1 for _ in table.scan()) == count + 1
    db.close()
