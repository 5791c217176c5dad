"""Records of the log that wait, after a kill, until their part of the index is asked for.

An opening puts off what would need segments of the index that are only in the checkpoint file.
Nobody may be able to tell: what is read, counted, written and saved is as if all had been applied
at once, in the order of the log. Environment: HASHRANGE_LATE_SEED.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from crash.acts import WHOLE_INDEX
from crash.oracle import abandon, seed_of

import hashrange
from ddbcore.probe import catch_up, database_check, late_records, memory_limit

ITEMS = 20_000                # a dozen segments of each index
LATER = 6000                  # writes behind the checkpoint: segments grow and split
NEW = 10_000                  # keys that are only there
ROUNDS = 40

Contents = dict[str, dict[Any, dict[str, Any]]]


def key_of(name: str, number: int) -> tuple[str, ...]:
    if name == "plain":
        return (f"item-{number:06d}",)
    return (f"g{number % 40 if number < 1000 else number}", f"part-{number:06d}")


def item_of(name: str, number: int, version: int) -> dict[str, Any]:
    return {**dict(zip(("pk", "sk"), key_of(name, number), strict=False)), "n": version}


class Killed:
    """The files of a database killed with many writes behind its checkpoint, and what it holds."""

    def __init__(self, path: Path) -> None:
        seed = seed_of("HASHRANGE_LATE_SEED")
        print(f"HASHRANGE_LATE_SEED={seed}")
        self.dice = random.Random(seed)
        self.path = path
        self.contents: Contents = {"plain": {}, "ranged": {}}
        database = hashrange.open(path / "original")
        database.engine.starter = None
        self.tables = {
            "plain": database.create_table("plain", hash_key=("pk", "S")),
            "ranged": database.create_table("ranged", hash_key=("pk", "S"), range_key=("sk", "S")),
        }
        for name in self.tables:
            for number in range(ITEMS):
                self.put(name, number, 0)
        database.checkpoint()
        for version in range(1, LATER + 1):
            name = self.dice.choice(("plain", "ranged"))
            number = self.dice.randrange(ITEMS + NEW)
            if self.dice.random() < 0.2:
                self.tables[name].delete(*key_of(name, number))
                self.contents[name].pop(key_of(name, number), None)
            else:
                self.put(name, number, version)
        shutil.copytree(path / "original", path / "killed")
        abandon(database)

    def put(self, name: str, number: int, version: int) -> None:
        item = item_of(name, number, version)
        self.tables[name].put(item)
        self.contents[name][key_of(name, number)] = item

    @contextmanager
    def opened(self, **options: Any) -> Iterator[hashrange.Database]:
        copy = self.path / "copy"
        shutil.copytree(self.path / "killed", copy)
        try:
            with hashrange.open(copy, **options) as database:
                database.engine.starter = None
                assert late_records(database.engine) > LATER // 2
                yield database
        finally:
            shutil.rmtree(copy)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    return Killed(tmp_path_factory.mktemp("late"))


def check(database: hashrange.Database, contents: Contents) -> None:
    """Compare everything, by walks, by counts and one by one."""
    for name, items in contents.items():
        table = database.table(name)
        assert table.count() == len(items)
        assert sorted(map(repr, table.scan())) == sorted(map(repr, items.values()))
        for number in range(ITEMS + NEW):
            key = key_of(name, number)
            assert table.get(*key) == items.get(key)
    database_check(database.engine)


def test_single_reads_see_the_newest_state(killed: Killed) -> None:
    with killed.opened(cache_bytes=0) as database:
        before = late_records(database.engine)
        numbers = killed.dice.sample(range(ITEMS + NEW), ITEMS + NEW)
        for place, number in enumerate(numbers):
            for name in ("plain", "ranged"):
                key = key_of(name, number)
                assert database.table(name).get(*key) == killed.contents[name].get(key)
            if place == 0:
                assert 0 < late_records(database.engine) < before
        assert late_records(database.engine) == 0
        check(database, killed.contents)


@pytest.mark.parametrize("act", WHOLE_INDEX)
def test_what_needs_all_of_the_index_has_it(
    killed: Killed, act: Callable[[hashrange.Database], object]
) -> None:
    with killed.opened() as database:
        act(database)
        assert late_records(database.engine) == 0
        check(database, killed.contents)


@pytest.mark.parametrize("mode", ["rw", "r"])
def test_answers_in_any_order_are_right(killed: Killed, mode: str) -> None:
    questions: list[Callable[[hashrange.Table], object]] = [
        lambda table: table.count(),
        lambda table: table.size_bytes(),
        lambda table: len(list(table.scan())),
        lambda table: len(list(table.scan(filter="n > :n", values={":n": 7}))),
        lambda table: sum(table.columns(["n"])["n"].tolist()),
        lambda table: len(list(table.query("g3"))),
        lambda table: len(list(table.query("item-000003"))),
    ]
    questions += [
        lambda table, number=number: table.get(*key_of(table.name, number))
        for number in range(0, ITEMS + NEW, 97)
    ]
    with killed.opened() as database:
        check(database, killed.contents)
        answers = {
            (name, place): question(database.table(name))
            for name in killed.contents
            for place, question in enumerate(questions)
        }
    for _ in range(ROUNDS):
        with killed.opened(mode=mode) as database:
            for name, place in killed.dice.sample(sorted(answers), 12):
                assert questions[place](database.table(name)) == answers[name, place]


def test_writes_on_top_of_them(killed: Killed) -> None:
    for _ in range(ROUNDS // 4):
        contents = {name: dict(items) for name, items in killed.contents.items()}
        with killed.opened() as database:
            for version in range(300):
                name = killed.dice.choice(("plain", "ranged"))
                number = killed.dice.randrange(ITEMS + NEW)
                key, table = key_of(name, number), database.table(name)
                draw = killed.dice.random()
                if draw < 0.2:
                    table.delete(*key)
                    contents[name].pop(key, None)
                elif draw < 0.4 and key in contents[name]:
                    table.update(*key, "SET n = :v", values={":v": -version})
                    contents[name][key] = {**contents[name][key], "n": -version}
                else:
                    item = item_of(name, number, -version)
                    with table.batch() as batch:
                        batch.put(item)
                    contents[name][key] = item
            path = killed.path / "copy"
            if killed.dice.random() < 0.5:
                check(database, contents)
            database.close()
            with hashrange.open(path) as again:
                check(again, contents)


def test_a_writer_killed_again_and_again(killed: Killed, tmp_path: Path) -> None:
    contents = {name: dict(items) for name, items in killed.contents.items()}
    path = shutil.copytree(killed.path / "killed", tmp_path / "0")
    for turn in range(5):
        database = hashrange.open(path)
        database.engine.starter = None
        for name, items in contents.items():
            for number in killed.dice.sample(range(ITEMS + NEW), 5):
                items[key_of(name, number)] = item_of(name, number, 10_000 + turn)
                database.table(name).put(items[key_of(name, number)])
        path = shutil.copytree(path, tmp_path / str(turn + 1))
        abandon(database)
    with hashrange.open(path) as database:
        assert late_records(database.engine) > 0
        check(database, contents)


def test_a_reader_follows_on_top_of_them(killed: Killed) -> None:
    contents = {name: dict(items) for name, items in killed.contents.items()}
    with killed.opened() as database, hashrange.open(killed.path / "copy", mode="r") as reader:
        assert late_records(reader.engine) > 0
        for number in range(0, ITEMS, 211):
            item = item_of("plain", number, -1)
            database.table("plain").put(item)
            contents["plain"][key_of("plain", number)] = item
            assert reader.table("plain").get(*key_of("plain", number)) == item
        assert late_records(reader.engine) > 0
        check(reader, contents)


def test_a_table_is_dropped_with_them(killed: Killed) -> None:
    with killed.opened() as database:
        database.drop_table("plain")
        table = database.create_table("plain", hash_key=("pk", "S"))
        assert table.count() == 0
        assert table.get(*key_of("plain", 0)) is None
        table.put(item_of("plain", 1, 1))
        contents = {"plain": {key_of("plain", 1): item_of("plain", 1, 1)}}
        check(database, contents | {"ranged": killed.contents["ranged"]})


# A segment is loaded, and the memory ends in the middle of what waits for it: the rest waits on.
def test_memory_that_ends_among_them(killed: Killed) -> None:
    failures = 0
    for blocks in range(ROUNDS):
        with killed.opened(cache_bytes=0) as database:
            memory_limit(database.engine, blocks)
            for number in killed.dice.sample(range(ITEMS + NEW), 200):
                for name in ("plain", "ranged"):
                    key = key_of(name, number)
                    try:
                        assert database.table(name).get(*key) == killed.contents[name].get(key)
                    except MemoryError:
                        failures += 1
            try:
                catch_up(database.engine)
            except MemoryError:
                failures += 1
            memory_limit(database.engine, None)
            check(database, killed.contents)
    assert failures > ROUNDS
