"""Readers: databases opened with mode="r" follow the live log, across everything a writer does."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import hashrange
from ddbcore.probe import database_check


@pytest.fixture
def pair(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A writer with one table, and a reader of it."""
    writer = hashrange.open(tmp_path / "db", checkpoint_bytes=65536)
    writer.create_table("table", ("h", "S"), ("r", "N"))
    reader = hashrange.open(tmp_path / "db", mode="r")
    yield writer, reader
    database_check(writer.engine)
    database_check(reader.engine)
    writer.close()
    reader.close()


# Each commit is visible to the reader's next call, of every kind.
def test_a_reader_sees_each_commit(pair: tuple[hashrange.Database, hashrange.Database]) -> None:
    writer, reader = pair
    table, seen = writer.table("table"), reader.table("table")
    for number in range(200):
        table.put({"h": "a", "r": number, f"name{number}": 1})
        assert seen.get("a", number) == {"h": "a", "r": number, f"name{number}": 1}
        assert seen.count() == number + 1
    table.update("a", 5, "SET v = :v", values={":v": "new"})
    assert seen.get("a", 5)["v"] == "new"
    table.delete("a", 6)
    assert [i["r"] for i in seen.query("a", limit=7)] == [0, 1, 2, 3, 4, 5, 7]
    with table.batch() as batch:
        for number in range(100):
            batch.put({"h": "b", "r": number})
    assert seen.get_many([("b", 99), ("b", 100)]) == [{"h": "b", "r": 99}, None]
    assert reader.stats()["items"] == writer.stats()["items"]


# Tables come and go under a reader; its old handles tell.
def test_a_reader_sees_tables_come_and_go(
    pair: tuple[hashrange.Database, hashrange.Database],
) -> None:
    writer, reader = pair
    old = reader.table("table")
    writer.create_table("more", ("id", "S")).put({"id": "a"})
    assert reader.tables() == ["more", "table"]
    assert reader.table("more").get("a") == {"id": "a"}
    writer.drop_table("table")
    assert reader.tables() == ["more"]
    with pytest.raises(hashrange.TableNotFound):
        old.count()
    writer.create_table("table", ("h", "S"), ("r", "N")).put({"h": "x", "r": 1})
    assert reader.table("table").count() == 1


# Rolls, checkpoints and compaction remove segments a reader has mapped or not come to yet.
@pytest.mark.parametrize("idle", [1, 7, 1000])
def test_a_reader_survives_compaction(tmp_path: Path, idle: int) -> None:
    with hashrange.open(tmp_path / "db", checkpoint_bytes=1 << 20) as writer:
        table = writer.create_table("table", ("id", "N"))
        with hashrange.open(tmp_path / "db", mode="r") as reader:
            seen = reader.table("table")
            for turn in range(40):
                with table.batch() as batch:
                    for number in range(500):
                        batch.put({"id": number, "turn": turn, "v": "x" * 1000})
                if turn % 10 == 9:
                    writer.compact(whole=turn % 20 == 9)
                if turn % idle == 0:
                    assert {item["turn"] for item in seen.scan()} == {turn}
            assert seen.count() == 500
            assert {item["turn"] for item in seen.scan()} == {39}
            assert seen.get(7)["turn"] == 39


# A reader's walk goes on while the writer changes what it walks over.
def test_a_readers_walk_goes_on(pair: tuple[hashrange.Database, hashrange.Database]) -> None:
    writer, reader = pair
    table = writer.table("table")
    for number in range(0, 600, 2):
        table.put({"h": "a", "r": number})
    keys = []
    for item in reader.table("table").query("a"):
        keys.append(item["r"])
        if item["r"] < 600:
            table.put({"h": "a", "r": item["r"] + 3, "new": 1})
        table.delete("a", item["r"])
    assert keys == sorted(set(keys))
    assert set(range(0, 600, 2)) <= set(keys)


# The writer closes, another one opens: the reader goes on from one to the next.
def test_a_reader_follows_the_next_writer(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as writer:
        writer.create_table("table", ("id", "N")).put({"id": 0})
    with hashrange.open(tmp_path / "db", mode="r") as reader:
        seen = reader.table("table")
        for turn in range(1, 6):
            with hashrange.open(tmp_path / "db") as writer:
                writer.table("table").put({"id": turn})
                assert seen.count() == turn + 1
                if turn % 2:
                    writer.checkpoint()
            assert seen.get(turn) == {"id": turn}


# Many threads of one reader, while the log grows under them, tables come, and files go.
def test_threads_share_a_reader(tmp_path: Path) -> None:
    writer = hashrange.open(tmp_path / "db", checkpoint_bytes=65536)
    table = writer.create_table("table", ("id", "N"))
    with table.batch() as batch:
        for number in range(500):
            batch.put({"id": number, "v": 0})
    reader = hashrange.open(tmp_path / "db", mode="r")
    errors: list[BaseException] = []
    done = threading.Event()
    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def read(me: int) -> None:
        source = random.Random(me)
        try:
            seen = reader.table("table")
            while not done.is_set():
                assert seen.get(source.randrange(500)) is not None
                assert sum(1 for _ in seen.scan(limit=100)) == 100
                assert seen.count() == 500
                for name in reader.tables():
                    try:
                        reader.table(name).count()
                    except hashrange.TableNotFound:
                        assert name != "table"
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=read, args=(me,)) for me in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(150):
        with table.batch() as batch:
            for number in range(500):
                batch.put({"id": number, "v": turn, f"name{turn}": "x" * 200})
        writer.create_table(f"table{turn}", ("id", "N"))
        if turn > 3:
            writer.drop_table(f"table{turn - 3}")
        if errors:
            break
        if turn % 20 == 0:
            writer.compact()
    done.set()
    for thread in threads:
        thread.join(60)
    sys.setswitchinterval(old)
    writer.close()
    reader.close()
    if errors:
        raise errors[0]


# A reader in another process, while this one writes: it never sees half a batch.
def test_a_reader_process_never_sees_half_a_batch(tmp_path: Path) -> None:
    writer = hashrange.open(tmp_path / "db", checkpoint_bytes=65536)
    table = writer.create_table("table", ("id", "N"))
    with table.batch() as batch:
        for number in range(50):
            batch.put({"id": number, "turn": 0})
    code = f"""
import hashrange
reader = hashrange.open({str(tmp_path / "db")!r}, mode="r")
table = reader.table("table")
last = -1
while last < 400:
    turns = {{item["turn"] for item in table.get_many(range(50))}}
    assert len(turns) == 1, turns
    turn = turns.pop()
    assert turn >= last, (turn, last)
    last = turn
print("done", last)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    turn = 0
    while child.poll() is None:
        turn += 1
        with table.batch() as batch:
            for number in range(50):
                batch.put({"id": number, "turn": turn})
        if turn % 500 == 0:
            writer.checkpoint()
    output = child.communicate()[0]
    assert child.returncode == 0
    assert output.startswith("done")
    writer.close()
