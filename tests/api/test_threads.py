"""Threads: any object from any thread, with a switch of threads wherever Python allows one."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api.conftest import copy_live

import hashrange
from ddbcore.probe import database_check


@pytest.fixture
def hasty() -> Iterator[None]:
    """Let threads take turns as often as the interpreter can."""
    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(old)


def run_all(bodies: list[Callable[[], object]]) -> None:
    """Run each body in a thread, and raise the first error of any."""
    errors: list[BaseException] = []

    def guarded(body: Callable[[], object]) -> None:
        try:
            body()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]


# Eight threads put, get, update, delete, query, scan, batch and count at once; each owns its
# keys, so that each knows what it must find; the index is verified at the end.
@pytest.mark.parametrize("place", ["memory", "disk"])
def test_eight_threads_do_everything_at_once(tmp_path: Path, hasty: None, place: str) -> None:
    path = None if place == "memory" else tmp_path / "db"
    db = hashrange.open(path, checkpoint_bytes=65536, cache_bytes=100000)
    table = db.create_table("table", ("h", "S"), ("r", "N"))
    kept: dict[int, dict[int, int]] = {}

    def work(me: int) -> None:
        source = random.Random(me)
        mine: dict[int, int] = {}
        for turn in range(1500):
            number, value = source.randrange(200), source.randrange(1000)
            what = source.randrange(12)
            if what < 4:
                table.put({"h": f"t{me}", "r": number, "v": value, "filler": "x" * value})
                mine[number] = value
            elif what < 6:
                table.delete(f"t{me}", number)
                mine.pop(number, None)
            elif what < 7:
                table.update(f"t{me}", number, "SET v = :v REMOVE filler", values={":v": value})
                mine[number] = value
            elif what < 8:
                with table.batch() as batch:
                    for other in range(number, number + 5):
                        batch.put({"h": f"t{me}", "r": other, "v": value})
                        mine[other] = value
            elif what < 10:
                item = table.get(f"t{me}", number)
                assert (item and item["v"]) == mine.get(number)
            elif what < 11:
                assert {i["r"]: i["v"] for i in table.query(f"t{me}")} == mine
            elif turn % 10 == 0:
                assert len({(i["h"], i["r"]) for i in table.scan(limit=300)}) <= 300
            else:
                found = table.get_many([(f"t{me}", other) for other in range(number, number + 9)])
                assert [i and i["v"] for i in found] == [
                    mine.get(o) for o in range(number, number + 9)
                ]
        kept[me] = mine

    run_all([lambda me=me: work(me) for me in range(8)])
    database_check(db.engine)
    assert table.count() == sum(map(len, kept.values()))
    for me, mine in kept.items():
        assert {i["r"]: i["v"] for i in table.query(f"t{me}")} == mine
    db.close()
    if path is not None:
        assert hashrange.verify(path).ok
        with hashrange.open(path) as again:
            assert again.table("table").count() == sum(map(len, kept.values()))


# One counter, eight threads: an update is one step.
def test_updates_of_one_item_are_atomic(
    db: hashrange.Database, hashes: hashrange.Table, hasty: None
) -> None:
    def work() -> None:
        for _ in range(500):
            hashes.update("counter", "ADD n :one", values={":one": 1})

    run_all([work] * 8)
    assert hashes.get("counter") == {"id": "counter", "n": 4000}


# A lock made of a condition: never two owners.
def test_conditions_are_checked_in_the_same_step(hashes: hashrange.Table, hasty: None) -> None:
    won: list[int] = []

    def work(me: int) -> None:
        for turn in range(200):
            try:
                hashes.put({"id": str(turn), "owner": me}, condition="attribute_not_exists(id)")
                won.append(turn)
            except hashrange.ConditionalCheckFailed:
                pass

    run_all([lambda me=me: work(me) for me in range(8)])
    assert sorted(won) == list(range(200))


# Tables made and dropped by many threads at once, of different names and of one.
def test_tables_are_made_and_dropped_at_once(db: hashrange.Database, hasty: None) -> None:
    made: list[str] = []

    def work(me: int) -> None:
        for turn in range(25):
            table = db.create_table(f"mine-{me}-{turn}", ("id", "N"))
            table.put({"id": me})
            assert table.count() == 1
            if turn % 2:
                db.drop_table(f"mine-{me}-{turn}")
            try:
                db.create_table(f"shared-{turn}", ("id", "N"))
                made.append(f"shared-{turn}")
            except hashrange.TableExists:
                pass

    run_all([lambda me=me: work(me) for me in range(8)])
    assert sorted(made) == sorted(f"shared-{turn}" for turn in range(25))
    assert len(db.tables()) == 25 + 8 * 13


# A checkpoint taken while threads write is a state between two commits. When all are done, a copy
# of the directory opens from the last of these checkpoints, and has everything.
@pytest.mark.parametrize("turn", range(12))
def test_checkpoints_under_load_are_consistent(tmp_path: Path, hasty: None, turn: int) -> None:
    path = tmp_path / "db"
    db = hashrange.open(path)
    tables = [db.create_table(f"table{n}", ("h", "N"), ("r", "N")) for n in range(4)]
    done = threading.Event()

    def write(me: int) -> None:
        number = 0
        while not done.is_set():
            tables[me].put({"h": number % 50, "r": number, f"name{number % 300}": number})
            if number % 7 == 0:
                tables[me].delete(number % 50, number)
            number += 1

    def save() -> None:
        try:
            for _ in range(turn + 1):
                db.checkpoint()
        finally:
            done.set()

    run_all([save, *(lambda me=me: write(me) for me in range(4))])
    database_check(db.engine)
    expected = [list(table.scan()) for table in tables]
    copy_live(path, tmp_path / "copy")
    db.close()
    for place in (path, tmp_path / "copy"):
        report = hashrange.verify(place)
        assert report.ok, report.errors
        with hashrange.open(place) as again:
            database_check(again.engine)
            assert [list(again.table(f"table{n}").scan()) for n in range(4)] == expected


# Walks in one thread while others write what they walk over: sorted, without doubles.
def test_walks_hold_while_others_write(ranges: hashrange.Table, hasty: None) -> None:
    for number in range(0, 2000, 2):
        ranges.put({"h": "a", "r": number})
    done = threading.Event()

    def write() -> None:
        source = random.Random(1)
        while not done.is_set():
            number = source.randrange(2000)
            if number % 2:
                ranges.put({"h": "a", "r": number})
                ranges.delete("a", number)
            else:
                ranges.put({"h": "a", "r": number, "v": number})

    def walk() -> None:
        try:
            for turn in range(20):
                keys = [item["r"] for item in ranges.query("a", reverse=bool(turn % 2))]
                assert keys == sorted(set(keys), reverse=bool(turn % 2))
                assert set(range(0, 2000, 2)) <= set(keys)
                assert {i["r"] for i in ranges.scan()} >= set(range(0, 2000, 2))
        finally:
            done.set()

    run_all([walk, write, write])


# Closing while other threads are in the middle of everything: they get DatabaseClosed, nothing
# else, and what was acknowledged is there.
@pytest.mark.parametrize("durability", ["interval", "commit"])
@pytest.mark.parametrize("turn", range(6))
def test_closing_under_load_is_clear(
    tmp_path: Path, hasty: None, durability: str, turn: int
) -> None:
    path = tmp_path / "db"
    db = hashrange.open(path, durability=durability, checkpoint_bytes=65536)
    table = db.create_table("table", ("id", "S"))
    written: list[str] = []
    closed: list[int] = []

    def loop(me: int, call: Callable[[int], object]) -> None:
        number = 0
        try:
            while True:
                call(number)
                number += 1
        except hashrange.DatabaseClosed:
            closed.append(me)

    def put(me: int, number: int) -> None:
        table.put({"id": f"{me}-{number}"})
        written.append(f"{me}-{number}")

    calls: list[Callable[[int], object]] = [
        lambda n: put(1, n),
        lambda n: put(2, n),
        lambda n: db.checkpoint(),
        lambda n: db.sync(),
        lambda n: list(table.scan(limit=50)),
        lambda n: table.get(f"1-{n}"),
        lambda n: db.compact(whole=n % 2 == 0),
    ]

    def close() -> None:
        time.sleep(0.02 * (turn + 1))
        db.close()

    run_all([close, *(lambda me=me, call=call: loop(me, call) for me, call in enumerate(calls))])
    assert sorted(closed) == list(range(len(calls)))
    assert hashrange.verify(path).ok
    with hashrange.open(path) as again:
        table = again.table("table")
        assert all(table.get(key) for key in written)


# Durable puts of sixteen threads share their syncs, and each is durable when it returns.
def test_durable_puts_share_syncs(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db", durability="commit") as db:
        table = db.create_table("table", ("id", "S"))
        before = db.stats()["syncs"]

        def work(me: int) -> None:
            for number in range(20):
                table.put({"id": f"{me}-{number}"})
                assert db.stats()["durable_lsn"] > 0

        run_all([lambda me=me: work(me) for me in range(16)])
        stats = db.stats()
        assert table.count() == 320
        assert stats["durable_lsn"] == stats["lsn"]
        assert stats["syncs"] - before <= 330


# One batch used by two threads: an item of one, or a clear refusal; never a torn frame.
def test_a_batch_of_two_threads_is_never_torn(hashes: hashrange.Table, hasty: None) -> None:
    batch = hashes.batch()
    put: list[str] = []

    class Slow(dict[str, object]):
        def items(self):  # type: ignore[no-untyped-def]
            time.sleep(0)                 # the other thread's turn, in the middle of the item
            return super().items()

    def work(me: int) -> None:
        for number in range(300):
            try:
                batch.put({"id": f"{me}-{number}", "v": Slow(a=1)})
                put.append(f"{me}-{number}")
                if number % 50 == 0:
                    batch.flush()
            except hashrange.ValidationError as error:
                assert "encoding" in str(error)

    run_all([lambda me=me: work(me) for me in range(3)])
    batch.flush()
    assert sorted(item["id"] for item in hashes.scan()) == sorted(put)
