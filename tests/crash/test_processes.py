"""Two processes: one writer at a time, readers that follow it live, forks that do no harm.

Environment: HASHRANGE_PROCESS_SEED takes a printed seed back.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from crash.children import in_child
from crash.oracle import State, Workload, abandon, content, perform, rounds_of, seed_of

import hashrange

TURNS = 400
LARGE = "x" * 60_000


class Writer:
    """A forked child that performs one operation each time it is told to."""

    def __init__(self, path: Path, seed: int, state: State, durability: str = "interval") -> None:
        self.workload = Workload(seed, state=state)
        self.socket, other = socket.socketpair()
        self.socket.settimeout(60)
        gc.freeze()
        self.pid = os.fork()
        if self.pid == 0:
            self.socket.close()
            serve(other, path, Workload(seed, state=state), durability)
        other.close()
        assert self.socket.recv(1) == b"o"

    def turn(self) -> tuple[object, ...]:
        operation = self.workload.draw()
        self.workload.advance(operation)
        self.socket.send(b"n")
        assert self.socket.recv(1) == b"."
        return operation

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.socket.close()

    def close(self) -> None:
        self.socket.send(b"c")
        assert self.socket.recv(1) == b"."
        os.waitpid(self.pid, 0)
        self.socket.close()


def serve(pipe: socket.socket, path: Path, workload: Workload, durability: str) -> NoReturn:
    try:
        database = hashrange.open(
            path, durability=durability, interval_ms=1, checkpoint_bytes=65536
        )
        pipe.send(b"o")
        while (command := pipe.recv(1)) == b"n":
            operation = workload.draw()
            workload.advance(operation)
            perform(database, operation)
            pipe.send(b".")
        if command == b"c":
            database.close()
            pipe.send(b".")
    except BaseException as error:
        os.write(2, f"the writing child failed: {error!r}\n".encode())
        os._exit(1)
    os._exit(0)


# The state a reader shows is the writer's at once: it reads the same memory.
def test_readers_follow_a_writer_through_everything(tmp_path: Path) -> None:
    seed = seed_of("HASHRANGE_PROCESS_SEED")
    dice = random.Random(seed)
    path = tmp_path / "database"
    state: State = {}
    turns = kills = 0
    hashrange.open(path).close()
    old = hashrange.open(path, mode="r")
    for _ in range(rounds_of(8)):
        writer = Writer(
            path, dice.randrange(1 << 32), state, dice.choice(("interval", "commit", "none"))
        )
        young = hashrange.open(path, mode="r", cache_bytes=0)
        try:
            for _ in range(dice.randrange(TURNS // 4)):
                operation = writer.turn()
                turns += 1
                assert content(old) == writer.workload.state, operation
                if dice.random() < 0.3:
                    assert content(young) == writer.workload.state, operation
                if dice.random() < 0.05:
                    report = hashrange.verify(path)
                    assert report.ok, report.errors
                if dice.random() < 0.1:
                    young.close()
                    young = hashrange.open(path, mode="r", cache_bytes=0)
        except BaseException:
            print(f"HASHRANGE_PROCESS_SEED={seed}, turn {turns}")
            raise
        finally:
            if dice.random() < 0.7:
                writer.kill()
                kills += 1
            else:
                writer.close()
        state = writer.workload.state
        # Readers outlive the writer.
        assert content(old) == content(young) == state
        young.close()
    old.close()
    print(f"{turns} operations followed, {kills} writers killed; seed {seed}")


def churn(path: Path, seed: int) -> NoReturn:
    """Write counters without a pause: each value grows, round by round."""
    dice = random.Random(seed)
    database = hashrange.open(path, interval_ms=1, checkpoint_bytes=65536)
    if "plain" not in database.tables():
        database.create_table("plain", ("pk", "S"))
    table = database.table("plain")
    last = table.get("h0")
    number = 0 if last is None else last["n"]
    while True:
        number += 1
        for index in range(8):
            table.put({"pk": f"h{index}", "n": number, "text": LARGE[: dice.randrange(60_000)]})
        if dice.random() < 0.2:
            database.compact(whole=dice.random() < 0.5)
        if dice.random() < 0.1:
            if "other" in database.tables():
                database.drop_table("other")
            else:
                database.create_table("other", ("pk", "S")).put({"pk": "h", "n": number})


@contextmanager
def churning(path: Path, seed: int) -> Iterator[None]:
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        try:
            churn(path, seed)
        except BaseException as error:
            os.write(2, f"the writing child failed: {error!r}\n".encode())
            os._exit(1)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), "the writing child ended by itself"


# Nobody waits for anybody here: the writer's checkpoints, compactions and removals of segments
# fall into
# the middle of a reader's loading, scan or get.
def test_readers_keep_up_with_a_writer_that_never_waits(tmp_path: Path) -> None:
    seed = seed_of("HASHRANGE_PROCESS_SEED")
    dice = random.Random(seed)
    path = tmp_path / "database"
    hashrange.open(path).close()
    reader = hashrange.open(path, mode="r")
    reads = opens = 0
    seen = [0] * 8
    for _ in range(rounds_of(5)):
        with churning(path, dice.randrange(1 << 32)):
            until = seen[0] + 150
            while seen[0] < until:
                if "plain" not in reader.tables():
                    continue
                table = reader.table("plain")
                for index in range(8):
                    item = table.get(f"h{index}")
                    number = item["n"] if item else 0
                    assert number >= seen[index], "a reader went back in time"
                    seen[index] = number
                    reads += 1
                values = {item["pk"]: item["n"] for item in table.scan()}
                for index in range(8):
                    number = values.get(f"h{index}", 0)
                    assert number >= seen[index]
                    seen[index] = number
                fresh = hashrange.open(path, mode="r")
                if "plain" in fresh.tables():
                    assert fresh.table("plain").count() >= len(values)
                fresh.close()
                opens += 1
                if dice.random() < 0.1:
                    report = hashrange.verify(path)
                    assert report.ok, report.errors
    reader.close()
    print(f"{reads} gets and {opens} openings beside a writer; seed {seed}")


def test_the_second_writer_is_refused_with_the_first_ones_pid(tmp_path: Path) -> None:
    path = tmp_path / "database"
    with hashrange.open(path) as database:
        database.create_table("plain", ("pk", "S"))
        with pytest.raises(hashrange.DatabaseLocked, match="this process") as here:
            hashrange.open(path)
        assert here.value.pid == os.getpid()

        def other() -> tuple[str, int | None]:
            try:
                hashrange.open(path)
            except hashrange.DatabaseLocked as error:
                return str(error), error.pid
            return "opened", None

        words, pid = in_child(other)
        assert pid == os.getpid()
        assert str(pid) in words
        # The refused one did no harm.
        database.table("plain").put({"pk": "h"})
    hashrange.open(path).close()


def test_the_lock_goes_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "database"
    for number in range(20):
        writer = Writer(path, number, {})
        with pytest.raises(hashrange.DatabaseLocked) as refused:
            hashrange.open(path)
        assert refused.value.pid == writer.pid
        writer.kill()
        hashrange.open(path).close()


def refusals(database: hashrange.Database) -> list[str]:
    """Try a parent's handle in a forked child; return the words of each refusal."""
    words = []
    for call in (
        database.tables,
        database.sync,
        database.checkpoint,
        database.compact,
        database.stats,
        lambda: database.table("plain"),
        lambda: database.create_table("new", ("pk", "S")),
        lambda: database.drop_table("plain"),
    ):
        try:
            call()
        except hashrange.DatabaseClosed as error:
            words.append(str(error))
    database.close()
    return words


def test_a_forked_child_is_refused_and_its_parent_unharmed(tmp_path: Path) -> None:
    path = tmp_path / "database"
    database = hashrange.open(path, interval_ms=1)
    table = database.create_table("plain", ("pk", "S"))
    table.put({"pk": "h0", "n": 0})
    walk = table.scan()
    words = in_child(refusals, database)
    assert len(words) == 8
    assert all("parent" in text for text in words)

    def read() -> list[str]:
        refused = []
        for call in (
            lambda: table.get("h0"),
            lambda: table.put({"pk": "h0"}),
            lambda: next(walk),
            table.count,
        ):
            try:
                call()
            except hashrange.DatabaseClosed as error:
                refused.append(str(error))
        with hashrange.open(path, mode="r") as mine:
            assert mine.table("plain").get("h0") == {"pk": "h0", "n": 0}
        try:
            hashrange.open(path)
        except hashrange.DatabaseLocked as error:
            assert error.pid == os.getppid()
            refused.append(str(error))
        return refused

    assert len(in_child(read)) == 5
    table.put({"pk": "h1", "n": 1})
    database.checkpoint()
    assert table.count() == 2
    database.close()
    report = hashrange.verify(path)
    assert report.ok, report.errors
    assert report.checked["items"] == 2


# The segment that is prepared ahead belongs to the parent: a child that ends, or drops the handle,
# once
# removed its file, and everything the parent wrote there later was gone.
def test_a_forked_child_leaves_the_prepared_segment_alone(tmp_path: Path) -> None:
    path = tmp_path / "database"
    database = hashrange.open(path, interval_ms=1)
    table = database.create_table("plain", ("pk", "S"))
    number = 0

    def segments() -> int:
        return sum(name.startswith("log-") for name in os.listdir(path))

    # A segment is prepared in the background, which a writer alone on a busy machine can outrun:
    # the sync gives it its turn.
    while segments() == database.stats()["segments"]:
        table.put({"pk": f"h{number}", "text": LARGE})
        database.sync()
        number += 1
        assert number < 2000, "no segment was prepared"

    def drop() -> None:
        nonlocal database, table
        del table
        database.close()
        del database
        gc.collect()

    before = segments()
    in_child(drop)
    assert segments() >= before
    used = database.stats()["segments"]
    while database.stats()["segments"] < used + 2:
        table.put({"pk": f"h{number}", "text": LARGE})
        number += 1
    abandon(database)
    with hashrange.open(path, mode="r") as reader:
        assert reader.table("plain").count() == number
    report = hashrange.verify(path)
    assert report.ok, report.errors
