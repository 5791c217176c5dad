"""Compaction: space stays bounded while a working set is overwritten, and nothing is lost by it."""

from __future__ import annotations

import random
import shutil
import threading
from pathlib import Path

import pytest
from api.conftest import copy_live

import hashrange
from ddbcore.probe import database_check
from ddbcore.simulation import SimulatedDisk

MIB = 1 << 20
FILLER = "x" * 900


def padded_bytes(db: hashrange.Database) -> int:
    return int(db.stats()["live_bytes"])


# A working set of 2 MB overwritten 100 times: writers help, so that log and live data stay in
# proportion in memory, without any background thread. 8 MiB of dead bytes are always allowed
# (less is not worth a walk), the tail is one segment more, and one pass needs room to move.
@pytest.mark.parametrize("kind", ["hash", "range", "one collection"])
def test_memory_stays_bounded_without_threads(kind: str) -> None:
    db = hashrange.open(cache_bytes=0)
    table = db.create_table("table", ("h", "N"), None if kind == "hash" else ("r", "N"))
    most = 0
    source = random.Random(1)
    for turn in range(100):
        for _ in range(2000):
            number = source.randrange(2000)
            item = {"h": number if kind == "hash" else number % (1 if kind[0] == "o" else 50)}
            if kind != "hash":
                item["r"] = number
            table.put({**item, "turn": turn, "v": FILLER})
        most = max(most, db.stats()["log_bytes"])
    stats = db.stats()
    assert stats["compactions"] > 0
    live = stats["live_bytes"]
    assert most < 4 * live + 40 * MIB, (most, stats)
    database_check(db.engine)
    assert {item["turn"] for item in table.scan()} <= set(range(60, 100))
    db.close()


# Deleting everything gives the log back, but for the last segments.
def test_deleting_everything_gives_memory_back() -> None:
    db = hashrange.open(cache_bytes=0)
    table = db.create_table("table", ("h", "N"))
    for number in range(60000):
        table.put({"h": number, "v": FILLER})
    assert db.stats()["log_bytes"] > 50 * MIB
    for number in range(60000):
        table.delete(number)
    db.compact()
    assert db.stats()["live_bytes"] == 0
    assert db.stats()["log_bytes"] <= 64 * MIB
    db.close()


# On disk the maintenance thread does it: 4 MB of live data, 450 MB written over them; the files
# stay below a bound, and what is read meanwhile is right.
def test_the_disk_stays_bounded_under_load(tmp_path: Path) -> None:
    path = tmp_path / "db"
    db = hashrange.open(path, checkpoint_bytes=4 * MIB)
    table = db.create_table("table", ("h", "N"), ("r", "N"))
    most = 0
    source = random.Random(2)
    turns: dict[int, int] = {}
    for turn in range(250):
        with table.batch() as batch:
            for number in source.sample(range(4000), 2000):
                batch.put({"h": number % 40, "r": number, "turn": turn, "v": FILLER})
                turns[number] = turn
        most = max(most, db.stats()["log_bytes"])
        key = source.randrange(4000)
        item = table.get(key % 40, key)
        assert (item and item["turn"]) == turns.get(key)
        if turn % 10 == 0:
            found = {item["r"]: item["turn"] for item in table.query(7)}
            assert found == {n: t for n, t in turns.items() if n % 40 == 7}
    db.compact()
    stats = db.stats()
    assert stats["compactions"] > 0
    assert stats["background_error"] is None
    assert most < 4 * stats["live_bytes"] + 256 * MIB, most
    database_check(db.engine)
    assert {item["r"]: item["turn"] for item in table.scan()} == turns
    db.close()
    assert hashrange.verify(path).ok
    with hashrange.open(path) as again:
        assert {item["r"]: item["turn"] for item in again.table("table").scan()} == turns


# compact() leaves little dead, whatever the database's size, and says what it moved.
@pytest.mark.parametrize("items", [0, 10, 1000, 20000])
def test_compact_leaves_little_dead(tmp_path: Path, items: int) -> None:
    path = tmp_path / "db"
    with hashrange.open(path) as db:
        table = db.create_table("table", ("h", "N"))
        for _ in range(4):
            with table.batch() as batch:
                for number in range(items):
                    batch.put({"h": number, "v": FILLER})
        db.compact()
        stats = db.stats()
        # A segment may keep a quarter of dead bytes, and the tail 256 KiB more.
        assert stats["dead_bytes"] <= stats["live_bytes"] // 3 + MIB
        assert table.count() == items
        db.compact()
    with hashrange.open(path) as db:
        assert db.table("table").count() == items
    assert hashrange.verify(path).ok


def fill(table: hashrange.Table, count: int) -> None:
    with table.batch() as batch:
        for number in range(count):
            batch.put({"h": number, "v": FILLER})


def little_is_dead(db: hashrange.Database) -> bool:
    stats = db.stats()
    return bool(stats["dead_bytes"] <= stats["live_bytes"] // 3 + MIB)


# A pass that runs already spares what died after it began: compact() must not settle for it.
@pytest.mark.parametrize("steps", [0, 100, 1000])
def test_compact_does_more_than_a_pass_under_way(steps: int) -> None:
    db = hashrange.open()
    table = db.create_table("table", ("h", "N"))
    fill(table, 20000)
    # Half of each old segment lives, so that a pass has much to move; writers do it, bit by bit.
    while not db.stats()["moved_bytes"]:
        fill(table, 10000)
    for number in range(steps):
        table.put({"h": number, "v": FILLER})
    assert db.stats()["compactions"] == 0
    fill(table, 20000)
    db.compact()
    assert little_is_dead(db), db.stats()
    db.close()


# The first write of a new handle may be its compaction; the tail it found has dead bytes too.
def test_compact_right_after_opening_moves_the_old_tail(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with hashrange.open(path) as db:
        table = db.create_table("table", ("h", "N"))
        for _ in range(4):
            fill(table, 3000)
        assert not little_is_dead(db)
    with hashrange.open(path) as db:
        db.compact()
        assert little_is_dead(db), db.stats()


# A checkpoint under way began before the segments were emptied: it does not remove them, and
# compact() has to wait for it and write one of its own. The same for checkpoint() itself.
def test_compact_and_checkpoint_wait_for_a_checkpoint_under_way() -> None:
    disk = SimulatedDisk()
    db = hashrange.open(disk=disk)
    db.engine.starter = None
    table = db.create_table("table", ("h", "N"))
    for _ in range(4):
        fill(table, 3000)
    inside, go_on = threading.Event(), threading.Event()

    def hold(operation: str, name: str | None) -> None:
        if operation == "sync" and (name or "").startswith("checkpoint"):
            disk.hook = None
            inside.set()
            go_on.wait(60)

    disk.hook = hold
    first = threading.Thread(target=db.checkpoint)
    first.start()
    assert inside.wait(60)
    calls = [threading.Thread(target=call) for call in (db.compact, db.checkpoint)]
    for thread in calls:
        thread.start()
    while not db.stats()["compactions"]:
        assert calls[0].is_alive()
    assert db.stats()["checkpoints"] == 0
    go_on.set()
    for thread in [first, *calls]:
        thread.join(60)
    assert db.stats()["checkpoints"] == 3
    assert little_is_dead(db), db.stats()
    db.close()


# Everything that lives is written once more, also where nothing is dead, so that scans and queries
# read the log from front to back; what was there before is gone.
@pytest.mark.parametrize("where", ["memory", "disk"])
def test_compacting_the_whole_rewrites_what_nothing_is_dead_in(where: str, tmp_path: Path) -> None:
    path = tmp_path / "db"
    db = hashrange.open(None if where == "memory" else path)
    table = db.create_table("table", ("h", "N"))
    ranged = db.create_table("ranged", ("h", "N"), ("r", "N"))
    fill(table, 8000)
    with ranged.batch() as batch:
        for number in range(3000):
            batch.put({"h": number % 7, "r": number, "v": FILLER})
    scanned, queried = list(table.scan()), list(ranged.query(3))
    live = db.stats()["live_bytes"]
    before = db.stats()["moved_bytes"]
    db.compact(whole=True)
    assert db.stats()["moved_bytes"] - before >= live
    assert little_is_dead(db), db.stats()
    assert list(table.scan()) == scanned
    assert list(ranged.query(3)) == queried
    database_check(db.engine)
    db.close()
    if where == "disk":
        report = hashrange.verify(path)
        assert report.ok, report.errors
        with hashrange.open(path) as again:
            assert list(again.table("table").scan()) == scanned


# A copy taken right after a compaction, and one after more writes, has everything.
def test_nothing_is_lost_by_a_kill_after_compaction(tmp_path: Path) -> None:
    path = tmp_path / "db"
    db = hashrange.open(path)
    table = db.create_table("table", ("h", "N"))
    for turn in range(12):
        for number in range(2000):
            table.put({"h": number, "turn": turn, "v": FILLER})
        db.compact(whole=turn % 2 == 0)
        table.put({"h": 5000 + turn})
        expected = {item["h"]: item.get("turn") for item in table.scan()}
        copy_live(path, tmp_path / "copy")
        assert hashrange.verify(tmp_path / "copy").ok
        with hashrange.open(tmp_path / "copy") as copy:
            found = {item["h"]: item.get("turn") for item in copy.table("table").scan()}
            assert found == expected
            database_check(copy.engine)
        shutil.rmtree(tmp_path / "copy")
    db.close()


# Walks stand in the middle while everything under them is moved: they go on as if nothing was.
@pytest.mark.parametrize("place", ["memory", "disk"])
def test_walks_go_on_across_compaction(tmp_path: Path, place: str) -> None:
    db = hashrange.open(None if place == "memory" else tmp_path / "db")
    table = db.create_table("table", ("h", "N"), ("r", "N"))
    for turn in range(3):
        with table.batch() as batch:
            for number in range(12000):
                batch.put({"h": number % 5, "r": number, "turn": turn, "v": FILLER})
    whole = [(item["h"], item["r"]) for item in table.scan()]
    walks = [table.scan(), table.query(3), table.query(3, reverse=True)]
    got: list[list[tuple[int, int]]] = [[], [], []]
    for step in range(12000):
        for walk, keys in zip(walks, got, strict=True):
            item = next(walk, None)
            if item is not None:
                assert item["turn"] == 2
                keys.append((item["h"], item["r"]))
        if step % 1000 == 500:
            db.compact()
    assert got[0] == whole
    assert got[1] == [key for key in whole if key[0] == 3]
    assert got[2] == got[1][::-1]
    db.close()


# Tables dropped and made again in the middle of a pass: the walk goes on through what is there.
def test_tables_change_in_the_middle_of_a_pass(tmp_path: Path) -> None:
    path = tmp_path / "db"
    db = hashrange.open(path, checkpoint_bytes=2 * MIB)
    done = threading.Event()
    errors: list[BaseException] = []

    def compact() -> None:
        try:
            while not done.is_set():
                db.compact()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=compact)
    thread.start()
    for turn in range(30):
        for name in ("first", "second", "third"):
            if turn % 3 == 2 and name == "second":
                db.drop_table(name)
                continue
            if name not in db.tables():
                db.create_table(name, ("h", "N"), ("r", "N"))
            with db.table(name).batch() as batch:
                for number in range(600):
                    batch.put({"h": number % 3, "r": number, "turn": turn, "v": FILLER})
        assert {i["turn"] for i in db.table("third").scan()} == {turn}
    done.set()
    thread.join(60)
    assert not errors, errors
    database_check(db.engine)
    db.close()
    assert hashrange.verify(path).ok
    with hashrange.open(path) as again:
        assert {i["turn"] for i in again.table("first").scan()} == {29}
        assert again.tables() == ["first", "third"]
