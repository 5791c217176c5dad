"""A full disk: a clear error, reads go on, writes resume when there is room, nothing is damaged.

First really full: a small tmpfs, mounted in a namespace of its own by a forked child, filled by a
ballast file at every size, so that the end of the space falls into every phase; a SIGBUS would end
the child. Then on order: each call that can need space fails in turn. Environment:
HASHRANGE_FULL_SEED.
"""

from __future__ import annotations

import ctypes
import errno
import os
import random
import resource
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crash.children import in_child, in_child_with_progress
from crash.oracle import Workload, abandon, content, perform, place_of, rounds_of, seed_of

import hashrange
from ddbcore.simulation import SimulatedDisk
from hashrange.verification import inspect

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
CALLS_MAX = 300
SIZE_BYTES = 32 << 20         # of the file system; nearly all of it ballast


def mount_small(path: Path, size_bytes: int) -> bool:
    """Mount a tmpfs that only this process and its children see; False where not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0:
        return False
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    except OSError:
        return False
    options = f"size={size_bytes}".encode()
    return libc.mount(b"none", os.fsencode(path), b"tmpfs", 0, options) == 0


def mount_works(path: Path) -> bool:
    path.mkdir()
    return bool(in_child(mount_small, path, 1 << 20))


def is_clear(error: hashrange.DiskFull) -> bool:
    words = str(error)
    return ("room" in words or "space" in words or "as it was" in words) and error.errno in (
        errno.ENOSPC, errno.EFBIG,
    )


class Filled:
    """A workload on a disk that is full now and then."""

    def __init__(self, seed: int, open_database: Callable[[], hashrange.Database]) -> None:
        self.open_database = open_database
        self.workload = Workload(seed)
        self.full: Counter[str] = Counter()
        self.database: hashrange.Database | None = None

    def open(self) -> bool:
        try:
            self.database = self.open_database()
        except hashrange.DiskFull as error:
            assert is_clear(error), error
            self.full["open"] += 1
            return False
        return True

    def run(self, count: int) -> int:
        """Perform operations; return how many found no room."""
        assert self.database is not None
        refused = 0
        for _ in range(count):
            operation = self.workload.draw()
            before = self.workload.state
            self.workload.advance(operation)
            try:
                perform(self.database, operation)
            except hashrange.DiskFull as error:
                assert is_clear(error), error
                self.full[operation[0]] += 1
                refused += 1
                self.workload.states[-1] = before
                # Reads go on.
                assert content(self.database) == before
        return refused


def stuff(ballast: Path) -> None:
    """Let a file take what is free; the database's threads may be quicker."""
    with open(ballast, "ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC


def fill(
    path: Path, seed: int, ballast_bytes: int, note: Callable[[int], None]
) -> Counter[str] | None:
    """Fill a tmpfs until nothing fits, make room, go on, end without closing, open again."""
    size = SIZE_BYTES
    if not mount_small(path, size):
        return None
    ballast = path / "ballast"
    with open(ballast, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, ballast_bytes)
    store = path / "database"
    filled = Filled(seed, lambda: hashrange.open(store, interval_ms=2, checkpoint_bytes=65536))
    note(1)
    if not filled.open():
        ballast.unlink()
        assert filled.open()
    assert filled.database is not None
    for part in range(3):
        note(2)
        filled.run(60)
        if ballast.exists():
            stuff(ballast)
        note(3)
        filled.run(40)
        # Opening a database on a full disk needs no room.
        note(4)
        if seed >> part & 1:
            # What a close gives back of the last segment, somebody else takes.
            filled.database.close()
            stuff(ballast)
        else:
            abandon(filled.database)
        if not filled.open():
            ballast.unlink(missing_ok=True)
            assert filled.open()
        assert content(filled.database) == filled.workload.state
        filled.run(20)
        note(5)
        ballast.unlink(missing_ok=True)
        assert filled.run(20) == 0, "there is room again, and a write was refused"
        assert content(filled.database) == filled.workload.state
        report = hashrange.verify(store)
        assert report.ok, report.errors
        with open(ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 1)
        # Smaller again, so that the space of this file system is enough for the next part.
        for name in filled.database.tables():
            filled.database.drop_table(name)
        filled.database.checkpoint()
        filled.workload.states.append({})
    note(6)
    filled.database.close()
    report = hashrange.verify(store)
    assert report.ok, report.errors
    return filled.full


def test_a_full_file_system_refuses_writes_and_damages_nothing(tmp_path: Path) -> None:
    seed = seed_of("HASHRANGE_FULL_SEED")
    dice = random.Random(seed)
    if not mount_works(tmp_path / "probe"):
        pytest.skip("mounting a tmpfs in a user namespace is not allowed here")
    total: Counter[str] = Counter()
    rounds = rounds_of(40)
    for number in range(rounds):
        path = tmp_path / str(number)
        path.mkdir()
        # From no room even for the first segment to room for several.
        ballast_bytes = SIZE_BYTES - dice.randrange(8 << 10, 4 << 20)
        workload_seed = dice.randrange(1 << 32)
        try:
            total += in_child_with_progress(
                lambda note, path=path, seed=workload_seed, size=ballast_bytes: fill(
                    path, seed, size, note
                )
            )
        except BaseException:
            print(f"HASHRANGE_FULL_SEED={seed}: round {number}, workload {workload_seed}, ballast "
                  f"{ballast_bytes}")
            raise
    print(f"{rounds} full file systems, refused for want of room: {dict(total)}; seed {seed}")
    assert all(total[name] for name in ("put", "batch", "checkpoint"))


def limited(path: Path) -> int:
    """Write below a limit of the file size; then lift it."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    database = hashrange.open(path)
    table = database.create_table("plain", ("pk", "S"))
    refused = 0
    for number in range(400):
        try:
            table.put({"pk": f"h{number}", "text": "x" * 2000})
        except hashrange.DiskFull as error:
            assert is_clear(error), error
            refused += 1
    for number in range(4):
        with pytest.raises(hashrange.DiskFull):
            table.put({"pk": f"large{number}", "text": "x" * 300_000})
    with pytest.raises(hashrange.DiskFull):
        for number in range(1000):
            with table.batch() as batch:
                for index in range(1000):
                    batch.put({"pk": f"{number}-{index}"})
            database.checkpoint()
    count = table.count()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    table.put({"pk": "large", "text": "x" * 300_000})
    database.checkpoint()
    assert table.count() == count + 1
    database.close()
    report = hashrange.verify(path)
    assert report.ok, report.errors
    return count


def test_a_limit_of_the_file_size_counts_as_a_full_disk(tmp_path: Path) -> None:
    count = in_child(limited, tmp_path / "database")
    print(f"{count} items below the limit")


def creation_failure(
    disk: SimulatedDisk, number: int, after: int, times: int
) -> Callable[..., int]:
    """A hook that fails the making of files, and no opening of those that are there."""
    count = 0

    def hook(operation: str, name: str | None) -> int:
        nonlocal count
        if operation != "open" or name == "superblock" or name in disk.files():
            return 0
        count += 1
        return -number if after < count <= after + times else 0

    return hook


def on_order(seed: int, operation: str, number: int, after: int, times: int) -> Counter[str] | None:
    """Fail the calls from `after` on of one kind; None when the workload does not get there."""
    disk = SimulatedDisk()

    def opened() -> hashrange.Database:
        database = hashrange.open(disk=disk, durability="commit" if seed % 2 else "interval")
        database.engine.starter = None
        return database

    if operation == "create":
        disk.hook = creation_failure(disk, number, after, times)
    else:
        disk.fail(operation, number, after=after, times=times)
    filled = Filled(seed, opened)
    while not filled.open():
        assert filled.full["open"] <= times
    database: Any = filled.database
    filled.run(40)
    disk.faults.clear()
    disk.hook = None
    assert filled.run(10) == 0
    states = filled.workload.states
    assert content(database) == states[-1]
    assert inspect(database).ok
    database.sync()
    for keep in ("old", "random"):
        again = hashrange.open(disk=disk.crash(seed, keep=keep))
        again.engine.starter = None
        assert content(again) == states[-1]
        assert inspect(again).ok
        abandon(again)
    database.close()
    return filled.full if filled.full else None


@pytest.mark.parametrize("times", [1, 7])
@pytest.mark.parametrize("operation", ["allocate", "write", "create"])
def test_each_call_that_needs_room_may_fail(operation: str, times: int) -> None:
    seed = seed_of("HASHRANGE_FULL_SEED")
    total: Counter[str] = Counter()
    calls = 0
    for round_number in range(rounds_of(4)):
        # In the sequence of calls, after the last one of the workload no more fails.
        idle = 0
        for after in range(CALLS_MAX):
            try:
                full = on_order(seed + round_number, operation, errno.ENOSPC, after, times)
            except BaseException:
                print(f"HASHRANGE_FULL_SEED={seed + round_number}: {operation} {after} fails")
                raise
            idle = idle + 1 if full is None else 0
            if full is None and idle > 5:
                break
            total += full or Counter()
            calls += full is not None
    print(f"{calls} failing calls of {operation}: {dict(total)}; seed {seed}")
    assert calls


def test_the_place_is_an_exact_prefix_when_the_disk_fills_and_the_power_fails() -> None:
    seed = seed_of("HASHRANGE_FULL_SEED")
    dice = random.Random(seed)
    points = 0
    for _ in range(rounds_of(40)):
        disk = SimulatedDisk()
        database = hashrange.open(disk=disk)
        database.engine.starter = None
        filled = Filled(dice.randrange(1 << 32), lambda database=database: database)
        filled.open()
        durable = 0
        for _ in range(6):
            disk.fail(dice.choice(("allocate", "write")), errno.ENOSPC, after=dice.randrange(4),
                      times=dice.randint(1, 3))
            filled.run(dice.randrange(12))
            disk.faults.clear()
            if dice.random() < 0.4:
                database.sync()
                durable = len(filled.workload.states) - 1
            again = hashrange.open(disk=disk.crash(dice.randrange(1 << 32)))
            again.engine.starter = None
            states = filled.workload.states
            place_of(content(again), states, durable, len(states) - 1)
            assert inspect(again).ok
            abandon(again)
            points += 1
        abandon(database)
    print(f"{points} crash points on full disks; HASHRANGE_FULL_SEED={seed}")
