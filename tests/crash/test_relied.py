"""Old records that an opening relies on without a proof.

A replay takes an old record's word for its key, where it agrees with the new one, and for its
sizes; the block it lies in is proven before that could show. So an opening after a kill does not
read the database, and damage in what was overwritten still never gives a wrong answer: whatever is
returned is right, and what cannot be known raises CorruptError. Environment: HASHRANGE_DAMAGE_SEED.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from crash.acts import WHOLE_INDEX
from crash.oracle import abandon, seed_of

import hashrange
from ddbcore.hashing import xxh64
from ddbcore.probe import catch_up, database_check, late_records, relied_blocks

ITEMS = 3000                  # some 130 bytes each: seven blocks of 64 KiB and more
FLIPS = 300
TAG_SHIFT = 64 - 26

Contents = dict[str, dict[Any, dict[str, Any]]]


def plain(number: int, text: str = "old") -> dict[str, Any]:
    return {"pk": f"item-{number:06d}", "n": number, "text": text, "filler": "x" * 70}


def ranged(number: int, text: str = "old") -> dict[str, Any]:
    # A few long collections, some short ones, and many of one item.
    group = number % 3 if number < 1500 else number // 4 if number < 2000 else number
    return {"pk": f"g{group}", "sk": f"part-{number:06d}", "text": text, "filler": "y" * 70}


class Killed:
    """The files of a database that was killed with overwrites behind its checkpoint, and what it
    holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.contents: Contents = {"plain": {}, "ranged": {}}
        database = hashrange.open(path / "original")
        database.engine.starter = None
        tables = {
            "plain": database.create_table("plain", hash_key=("pk", "S")),
            "ranged": database.create_table("ranged", hash_key=("pk", "S"), range_key=("sk", "S")),
        }
        makers = {"plain": plain, "ranged": ranged}
        for name, table in tables.items():
            for number in range(ITEMS):
                self.put(name, table, makers[name](number))
        database.checkpoint()
        for name, table in tables.items():
            for number in range(0, ITEMS, 13):
                self.put(name, table, makers[name](number, "new"))
            for number in range(5, ITEMS, 101):
                item = makers[name](number)
                key = (item["pk"], item["sk"]) if name == "ranged" else (item["pk"],)
                table.delete(*key)
                self.contents[name].pop(key)
            self.put(name, table, makers[name](ITEMS + 7, "new"))
        shutil.copytree(path / "original", path / "killed")
        abandon(database)

    def put(self, name: str, table: hashrange.Table, item: dict[str, Any]) -> None:
        table.put(item)
        key = (item["pk"], item["sk"]) if name == "ranged" else (item["pk"],)
        self.contents[name][key] = item

    @contextmanager
    def opened(self, damages: dict[int, bytes], **options: Any) -> Iterator[hashrange.Database]:
        """Open a copy in which bytes of the first segments' old records were replaced."""
        copy = self.path / "copy"
        shutil.copytree(self.path / "killed", copy)
        try:
            for place, new in damages.items():
                name, offset = self.place(place)
                with open(copy / name, "r+b") as file:
                    file.seek(offset)
                    file.write(new)
            database = hashrange.open(copy, **options)
            if not options:
                database.engine.starter = None
            try:
                yield database
            finally:
                database.close()
        finally:
            shutil.rmtree(copy)

    def segments(self) -> list[tuple[str, bytes]]:
        return [
            (entry.name, entry.read_bytes())
            for entry in sorted((self.path / "killed").glob("log-*"))
        ]

    def place(self, place: int) -> tuple[str, int]:
        """The segment and offset of a place in all of them, one behind the other."""
        for name, data in self.segments():
            if place < len(data):
                return name, place
            place -= len(data)
        raise AssertionError("no such place")

    def find(self, text: bytes) -> int:
        """The first place of some bytes."""
        start = 0
        for _, data in self.segments():
            if text in data:
                return start + data.index(text)
            start += len(data)
        raise AssertionError("the bytes are nowhere")


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    return Killed(tmp_path_factory.mktemp("relied"))


def absent_get(database: hashrange.Database) -> object:
    return database.table("plain").get("nobody")


def test_an_opening_relies_on_old_records_until_something_is_called_absent(killed: Killed) -> None:
    with killed.opened({}) as database:
        catch_up(database.engine)
        relied = relied_blocks(database.engine)
        assert relied > 5
        for (pk,), item in list(killed.contents["plain"].items())[::97]:
            assert database.table("plain").get(pk) == item
        assert 0 < relied_blocks(database.engine) <= relied
        assert absent_get(database) is None
        assert relied_blocks(database.engine) == 0


@pytest.mark.parametrize("act", [
    *WHOLE_INDEX,
    absent_get,
    lambda database: database.table("plain").put(plain(1), condition="attribute_not_exists(zzz)")
    or absent_get(database),
])
def test_whatever_rests_on_the_index_alone_proves_first(killed: Killed, act: Any) -> None:
    with killed.opened({}) as database:
        catch_up(database.engine)
        assert relied_blocks(database.engine) > 0
        act(database)
        assert relied_blocks(database.engine) == 0
    with killed.opened({}) as database:
        assert late_records(database.engine) > 0
        act(database)
        assert relied_blocks(database.engine) == 0


# The replay takes sizes for its counters from records that nothing has proven.
def test_counters_are_exact_after_an_opening_that_relied(killed: Killed) -> None:
    with killed.opened({}) as database:
        database_check(database.engine)
        for name, items in killed.contents.items():
            assert database.table(name).count() == len(items)
            assert sorted(map(repr, database.table(name).scan())) == sorted(
                map(repr, items.values()))
        live = database.stats()["live_bytes"]
        database.checkpoint()
    with killed.opened({}, mode="r") as database:
        assert database.stats()["live_bytes"] == live


def test_a_reader_relies_too_and_proves_too(killed: Killed) -> None:
    with killed.opened({}, mode="r") as database:
        catch_up(database.engine)
        assert relied_blocks(database.engine) > 5
        assert absent_get(database) is None
        assert relied_blocks(database.engine) == 0


# A flipped bit in what was overwritten: the new value is right, and nothing that could be wrong is
# said.
def test_damage_in_an_overwritten_value_is_found_before_it_matters(killed: Killed) -> None:
    place = killed.find(b"item-000013") + 40
    with killed.opened({place: b"?"}) as database:
        assert database.table("plain").get("item-000013") == plain(13, "new")
        with pytest.raises(hashrange.CorruptError):
            absent_get(database)
        assert database.table("plain").get("item-000013") == plain(13, "new")
        for call in (
            lambda: list(database.table("plain").scan()),
            lambda: database.stats(),
            lambda: database.table("plain").put(plain(13, "newer")),
            lambda: database.checkpoint(),
        ):
            with pytest.raises(hashrange.CorruptError):
                call()


# The maintenance thread starts with the first write and proves what nothing else has asked for.
def test_the_background_proves_what_was_relied_on(killed: Killed) -> None:
    with killed.opened({}, cache_bytes=0) as database:
        assert late_records(database.engine) > 5
        database.table("plain").put(plain(13, "newer"))
        for _ in range(10_000):
            if late_records(database.engine) == relied_blocks(database.engine) == 0:
                break
            time.sleep(0.01)
        assert late_records(database.engine) == relied_blocks(database.engine) == 0


def twins(seed: int) -> tuple[str, str]:
    """Two keys of one length whose hashes agree in the 26 bits that the index keeps."""
    seen: dict[int, str] = {}
    for number in range(10_000_000):
        key = f"twin-{number:07d}"
        tag = xxh64(key.encode(), seed) >> TAG_SHIFT
        if tag in seen:
            return seen[tag], key
        seen[tag] = key
    raise AssertionError("no twins")


# The worst that damage can do: an old record becomes that of another key, which the index cannot
# tell from its own. The replay takes it for the one that is overwritten, and the true one is lost.
@pytest.mark.parametrize("has_range", [False, True])
def test_a_record_that_poses_as_another_is_found_out(tmp_path: Path, has_range: bool) -> None:
    database = hashrange.open(tmp_path / "original")
    database.engine.starter = None
    lost, other = twins(database.engine.hash_seed)
    table = database.create_table(
        "plain", hash_key=("pk", "S"), range_key=("sk", "S") if has_range else None)
    rest = {"sk": "a"} if has_range else {}
    table.put({"pk": lost, "n": 1, **rest})
    for number in range(ITEMS):
        table.put({**plain(number), **rest})
    database.checkpoint()
    table.put({"pk": other, "n": 2, **rest})
    shutil.copytree(tmp_path / "original", tmp_path / "killed")
    abandon(database)
    first = min((tmp_path / "killed").glob("log-*"))
    data = first.read_bytes()
    assert data.count(lost.encode()) == 1
    first.write_bytes(data.replace(lost.encode(), other.encode()))
    key = ("a",) if has_range else ()
    with hashrange.open(tmp_path / "killed") as database:
        table = database.table("plain")
        catch_up(database.engine)
        assert relied_blocks(database.engine) == 1
        assert table.get(other, *key) == {"pk": other, "n": 2, **rest}
        for call in (
            lambda: table.get(lost, *key),
            lambda: table.get_many([(lost, *key) if has_range else lost]),
            lambda: table.put({"pk": lost, **rest}, condition="attribute_not_exists(pk)"),
            lambda: table.update(lost, *key, "SET n = :n", values={":n": 3}),
            lambda: table.delete(lost, *key),
            lambda: list(table.scan()),
            lambda: table.columns(["n"]),
            lambda: list(table.query(lost)),
            lambda: table.count(),
        ):
            with pytest.raises(hashrange.CorruptError):
                call()


# Two keys share the tag and both are there: an old record that posed as the other one would leave
# that one's older version in place. Nothing is relied on then.
def test_keys_that_the_index_cannot_tell_apart_are_not_relied_on(tmp_path: Path) -> None:
    database = hashrange.open(tmp_path / "original")
    database.engine.starter = None
    lost, other = twins(database.engine.hash_seed)
    table = database.create_table("plain", hash_key=("pk", "S"))
    for key in (lost, other):
        table.put({"pk": key, "n": 1})
    for number in range(ITEMS):
        table.put(plain(number))
    database.checkpoint()
    table.put({"pk": other, "n": 2})
    shutil.copytree(tmp_path / "original", tmp_path / "killed")
    abandon(database)
    with hashrange.open(tmp_path / "killed") as database:
        catch_up(database.engine)
        assert relied_blocks(database.engine) == 0
        assert database.table("plain").get(other) == {"pk": other, "n": 2}
        assert database.table("plain").get(lost) == {"pk": lost, "n": 1}


def answers_are_right(killed: Killed, database: hashrange.Database, dice: random.Random) -> int:
    """Ask for many things in random order; the number of refusals. A wrong answer fails."""
    refused = 0
    questions: list[tuple[str, Any]] = [("scan", "plain"), ("scan", "ranged"), ("none", "plain")]
    for name in ("plain", "ranged"):
        keys = list(killed.contents[name])
        questions += [(name, key) for key in dice.sample(keys, 60)]
        questions += [(name, key) for key in keys[:200:13]]
    dice.shuffle(questions)
    for kind, about in questions:
        try:
            if kind == "scan":
                found = sorted(map(repr, database.table(about).scan()))
                assert found == sorted(map(repr, killed.contents[about].values()))
            elif kind == "none":
                assert absent_get(database) is None
            else:
                assert database.table(kind).get(*about) == killed.contents[kind][about]
        except hashrange.CorruptError:
            refused += 1
    return refused


# Bits of old records, their heads above all: kind, sizes and keys are what a replay reads.
@pytest.mark.timeout(0)
def test_flipped_bits_of_old_records_never_give_a_wrong_answer(killed: Killed) -> None:
    seed = seed_of("HASHRANGE_DAMAGE_SEED")
    dice = random.Random(seed)
    print(f"HASHRANGE_DAMAGE_SEED={seed}")
    places = [killed.find(f"item-{number:06d}".encode()) for number in range(0, 1300, 13)]
    places += [killed.find(f"part-{number:06d}".encode()) - 3 for number in range(0, 1300, 13)]
    everything = b"".join(data for _, data in killed.segments())
    refusals = opened = 0
    for _ in range(FLIPS):
        place = dice.choice(places) + dice.randrange(-16, 24)
        new = bytes([everything[place] ^ 1 << dice.randrange(8)])
        mode = dice.choice([{}, {"mode": "r"}])
        try:
            with killed.opened({place: new}, **mode) as database:
                opened += 1
                refusals += answers_are_right(killed, database, dice)
        except hashrange.CorruptError:
            refusals += 1
    assert opened > FLIPS // 3
    assert refusals > FLIPS // 2
