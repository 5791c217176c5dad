"""open: paths, modes, options, locks, close, reopening, and handles after a fork."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from api.conftest import copy_live

import hashrange
from ddbcore.batch import Batch


def fill(db: hashrange.Database, count: int) -> hashrange.Table:
    table = db.create_table("table", ("h", "N"), ("r", "N"))
    with table.batch() as batch:
        for number in range(count):
            batch.put({"h": number % 11, "r": number, "v": {"n": [number]}})
    return table


# What was written is there after closing, with a checkpoint or without, in either mode.
@pytest.mark.parametrize("checkpoint", [False, True])
@pytest.mark.parametrize("mode", ["rw", "r"])
def test_everything_is_there_after_reopening(tmp_path: Path, checkpoint: bool, mode: str) -> None:
    path = tmp_path / "db"
    with hashrange.open(path) as db:
        table = fill(db, 5000)
        if checkpoint:
            db.checkpoint()
        for number in range(0, 5000, 3):
            table.delete(number % 11, number)
        expected = list(table.scan())
    for _ in range(2):
        with hashrange.open(path, mode=mode) as db:
            assert db.tables() == ["table"]
            table = db.table("table")
            assert list(table.scan()) == expected
            assert table.count() == len(expected)
            assert [i["r"] for i in table.query(5, limit=2)] == [5, 16]
    assert hashrange.verify(path).ok


# The last handle was never closed: the process was killed.
def test_everything_is_there_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with hashrange.open(path) as db:
        table = fill(db, 3000)
        for number in range(100):
            table.put({"h": 0, "r": -number, "v": 1})
        copy_live(path, tmp_path / "copy")
        expected = list(table.scan())
    with hashrange.open(tmp_path / "copy") as db:
        assert list(db.table("table").scan()) == expected
    assert hashrange.verify(tmp_path / "copy").ok


# A path may be str, bytes-free PathLike; it is made with its parents.
def test_a_directory_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "db"
    with hashrange.open(str(path)) as db:
        db.create_table("table", ("id", "S"))
    with hashrange.open(path) as db:
        assert db.tables() == ["table"]


# Names that are no UTF-8 cannot be encoded otherwise; names with spaces and Unicode can.
@pytest.mark.parametrize("name", ["with space", "日本", "x" * 200, "\udcff"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with hashrange.open(path) as db:
        db.create_table("table", ("id", "S")).put({"id": "a"})
    with hashrange.open(path, mode="r") as db:
        assert db.table("table").count() == 1


WRONG: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"mode": "w"}, ValueError),
    ({"mode": "r"}, ValueError),
    ({"mode": 5}, TypeError),
    ({"mode": None}, Exception),
    ({"durability": "always"}, ValueError),
    ({"durability": None}, Exception),
    ({"interval_ms": 0}, ValueError),
    ({"interval_ms": 60001}, ValueError),
    ({"cache_bytes": -1}, ValueError),
    ({"checkpoint_bytes": 65535}, ValueError),
    ({"bogus": 1}, TypeError),
    ({"path": 5}, TypeError),
    ({"cache_bytes": "1"}, TypeError),
    ({"path": "a\0b"}, Exception),
]


# Options that cannot be are refused, and a handle that was never opened does not crash when it
# goes.
@pytest.mark.parametrize(("options", "error"), WRONG, ids=str)
def test_wrong_options_are_refused(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        hashrange.open(**options)


# Bounds of the options: the least and the most.
def test_the_bounds_of_options_work(tmp_path: Path) -> None:
    for interval_ms, checkpoint_bytes, cache_bytes in (
        (1, 65536, 0),
        (60000, (1 << 50) - 1, (1 << 50) - 1),
    ):
        with hashrange.open(
            tmp_path / "db",
            interval_ms=interval_ms,
            checkpoint_bytes=checkpoint_bytes,
            cache_bytes=cache_bytes,
        ) as db:
            if not db.tables():
                db.create_table("table", ("id", "S"))
            db.table("table").put({"id": "a"})
            assert db.table("table").get("a") == {"id": "a"}


# There is nothing to read yet.
def test_a_reader_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(hashrange.StorageError, match="no database"):
        hashrange.open(tmp_path / "db", mode="r")
    assert not (tmp_path / "db").exists()
    (tmp_path / "file").write_text("x")
    for mode in ("r", "rw"):
        with pytest.raises(hashrange.StorageError):
            hashrange.open(tmp_path / "file", mode=mode)


# One writer: the second is refused, in this process and in another, and told who holds the lock.
def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with hashrange.open(path):
        with pytest.raises(hashrange.DatabaseLocked, match="this process") as caught:
            hashrange.open(path)
        assert caught.value.pid == os.getpid()
        code = (
            f"import hashrange\ntry: hashrange.open({str(path)!r})\n"
            "except hashrange.DatabaseLocked as e: print(e.pid)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == str(os.getpid())
    hashrange.open(path).close()


# A reader refuses every write, in words, and is none the worse.
def test_a_reader_refuses_writes(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with hashrange.open(path) as db:
        fill(db, 10)
    with hashrange.open(path, mode="r") as db:
        table = db.table("table")
        calls = [
            lambda: table.put({"h": 1, "r": 1}),
            lambda: table.delete(1, 1),
            table.batch,
            lambda: table.update(1, 1, "SET v = :v", values={":v": 1}),
            lambda: db.create_table("new", ("id", "S")),
            lambda: db.drop_table("table"),
            db.sync,
            db.checkpoint,
            db.compact,
        ]
        for call in calls:
            with pytest.raises(hashrange.ReadOnlyError, match="mode"):
                call()
        assert table.count() == 10


# A closed database refuses every call, in words; closing again does nothing.
@pytest.mark.parametrize("place", ["memory", "disk"])
def test_a_closed_database_refuses_everything(tmp_path: Path, place: str) -> None:
    db = hashrange.open(None if place == "memory" else tmp_path / "db")
    table = fill(db, 10)
    batch = table.batch()
    cursors = [table.scan(), table.query(1)]
    db.close()
    db.close()
    calls = [
        lambda: table.put({"h": 1, "r": 1}),
        lambda: table.delete(1, 1),
        lambda: table.get(1, 1),
        table.batch,
        table.scan,
        lambda: table.update(1, 1, "SET v = :v", values={":v": 1}),
        lambda: table.query(1),
        lambda: table.get_many([(1, 1)]),
        table.count,
        table.size_bytes,
        lambda: len(table),
        lambda: db.table("table"),
        db.tables,
        db.stats,
        db.sync,
        db.checkpoint,
        db.compact,
        lambda: db.create_table("new", ("id", "S")),
        lambda: db.drop_table("table"),
        lambda: batch.put({"h": 1, "r": 1}),
        *(lambda c=cursor: next(c) for cursor in cursors),
    ]
    for call in calls:
        with pytest.raises(hashrange.DatabaseClosed, match="closed"):
            call()
    with pytest.raises(hashrange.DatabaseClosed), db:
        db.tables()


# A with block closes, whatever happens in it.
def test_a_with_block_closes(tmp_path: Path) -> None:
    db = hashrange.open(tmp_path / "db")

    def block() -> None:
        with db:
            fill(db, 5)
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        block()
    with pytest.raises(hashrange.DatabaseClosed):
        db.tables()
    with hashrange.open(tmp_path / "db") as again:
        assert again.table("table").count() == 5


# Databases in memory are each their own, and leave nothing behind.
def test_databases_in_memory_are_independent() -> None:
    first, second = hashrange.open(), hashrange.open()
    first.create_table("table", ("id", "S")).put({"id": "a"})
    assert second.tables() == []
    first.sync()
    first.checkpoint()
    assert first.table("table").count() == 1
    first.close()
    assert second.create_table("table", ("id", "S")).count() == 0
    second.close()


# Hundreds of databases in memory, one after the other: no descriptors or threads are left.
def test_databases_in_memory_leave_nothing_behind() -> None:
    import threading

    gc.collect()                # what other tests left has its descriptors too
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(300):
        with hashrange.open() as db:
            fill(db, 10)
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before


# The same on disk.
def test_closing_gives_everything_back(tmp_path: Path) -> None:
    import threading

    fill(hashrange.open(tmp_path / "db"), 10)
    gc.collect()
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for mode in ("rw", "r") * 20:
        with hashrange.open(tmp_path / "db", mode=mode) as db:
            assert db.table("table").count() == 10
            if mode == "rw":
                db.table("table").put({"h": 0, "r": 0})
    del db
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before


# A forked child's handle is dead, in words; the parent's lives.
def test_a_forked_child_has_no_handle(tmp_path: Path) -> None:
    db = hashrange.open(tmp_path / "db")
    table = fill(db, 10)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        words = "nothing"
        try:
            table.put({"h": 1, "r": 100})
        except hashrange.DatabaseClosed as error:
            words = str(error)
        os.write(writing, words.encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert b"parent process" in os.read(reading, 1000)
    os.close(reading)
    os.close(writing)
    table.put({"h": 1, "r": 101})
    assert table.count() == 11
    db.close()
    assert hashrange.verify(tmp_path / "db").ok


# sync() makes everything durable; stats() show how far that is.
def test_sync_makes_durable(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db", durability="none") as db:
        fill(db, 100)
        db.sync()
        stats = db.stats()
        assert stats["durable_lsn"] == stats["lsn"]


# A class of one's own that forgets to call the base's __init__ has no database: each call says so.
def test_what_was_not_initialized_refuses_all_calls() -> None:
    class OwnTable(hashrange.Table):
        def __init__(self) -> None:
            pass

    class OwnDatabase(hashrange.Database):
        def __init__(self) -> None:
            pass

    table = OwnTable()
    calls: list[Callable[[], object]] = [
        lambda: table.get("a"), lambda: table.put({"id": "a"}),
        lambda: table.delete("a"), lambda: table.update("a", "SET b = a"), table.count,
        lambda: table.get_many(["a"]), lambda: list(table.query("a")), lambda: list(table.scan()),
        table.size_bytes, table.key_schema, lambda: Batch.__new__(Batch).put({"id": "a"}),
        lambda: Batch.__new__(Batch).delete("a"), OwnDatabase().stats, OwnDatabase().tables,
        OwnDatabase().sync, OwnDatabase().checkpoint, OwnDatabase().compact, OwnDatabase().finish,
    ]
    for call in calls:
        with pytest.raises(hashrange.DatabaseClosed, match="__init__ has not run"):
            call()
    OwnDatabase().close()
