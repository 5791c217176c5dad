"""kill -9: a child writes and acknowledges, its parent kills it at a random moment and looks.

A killed process loses nothing that it acknowledged, whatever the durability: what was copied into
the map is in the kernel. The operation under way is there as a whole or not at all. Many rounds go
on with one database; others start fresh, so that creation and first opening are hit too.
Environment: HASHRANGE_KILL_SEED takes a printed seed back (the moments still differ from run to
run); HASHRANGE_ROUNDS is the number of rounds of `make soak`.
"""

from __future__ import annotations

import gc
import os
import random
import select
import shutil
import signal
import time
from pathlib import Path
from typing import NoReturn

import pytest
from crash.oracle import State, Workload, content, perform, place_of, rounds_of, seed_of

import hashrange

ROUNDS = 500                  # in all, over the cases below
OPENED, DONE = b"o", b"."
PATIENCE_S = 60               # a child that says nothing for so long hangs


def child(path: Path, workload: Workload, durability: str, pipe: int) -> NoReturn:
    """Write until killed; one byte on the pipe for the opening and for each operation."""
    try:
        database = hashrange.open(
            path, durability=durability, interval_ms=2, checkpoint_bytes=65536, cache_bytes=1 << 20
        )
        os.write(pipe, OPENED)
        while True:
            operation = workload.draw()
            workload.advance(operation)
            perform(database, operation)
            os.write(pipe, DONE)
    except BaseException as error:
        os.write(2, f"the writing child failed: {error!r}\n".encode())
        os._exit(1)


def killed_after(
    path: Path, seed: int, state: State, durability: str, dice: random.Random
) -> tuple[bool, int]:
    """Run a child and kill it: (had it opened, operations acknowledged)."""
    reader, writer = os.pipe()
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        child(path, Workload(seed, state=state), durability, writer)
    os.close(writer)
    # One in five dies while it opens, so in recovery; the others after some operations.
    wanted = 0 if dice.random() < 0.2 else 1 + int(dice.expovariate(1 / 40))
    got = b""
    try:
        while len(got) < wanted:
            ready, _, _ = select.select([reader], [], [], PATIENCE_S)
            assert ready, "the writing child hangs"
            piece = os.read(reader, 1)
            if not piece:
                break
            got += piece
        until = time.perf_counter_ns() + dice.randrange(1_000_000 if wanted == 0 else 300_000)
        while time.perf_counter_ns() < until:
            pass
    finally:
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert os.WIFSIGNALED(status), f"the child ended by itself, with exit status {code}"
    assert os.WTERMSIG(status) == signal.SIGKILL, f"the child ended by signal {os.WTERMSIG(status)}"
    while piece := os.read(reader, 4096):
        got += piece
    os.close(reader)
    return got[:1] == OPENED, max(0, len(got) - 1)


def read_back(path: Path) -> State:
    """Return the content of what a kill left behind, as a reader sees it; verify it as well."""
    if not (path / "superblock").exists():
        return {}
    with hashrange.open(path, mode="r") as database:
        found = content(database)
    report = hashrange.verify(path)
    assert report.ok, report.errors
    return found


@pytest.mark.parametrize("durability", ["interval", "commit"])
@pytest.mark.parametrize("lives", [1, 5, 125], ids=["fresh", "short", "long"])
@pytest.mark.timeout(0)
def test_a_killed_writer_loses_nothing_acknowledged(
    tmp_path: Path, durability: str, lives: int
) -> None:
    seed = seed_of("HASHRANGE_KILL_SEED")
    dice = random.Random(seed)
    rounds = rounds_of(ROUNDS // 6 + 1)
    acknowledged = in_doubt = unopened = 0
    state: State = {}
    path = tmp_path / "0"
    for number in range(rounds):
        if number % lives == 0:
            shutil.rmtree(path, ignore_errors=True)
            path = tmp_path / str(number)
            state = {}
        workload_seed = dice.randrange(1 << 32)
        try:
            opened, count = killed_after(path, workload_seed, state, durability, dice)
            expected = Workload(workload_seed, state=state)
            for _ in range(count + 1):
                expected.advance(expected.draw())
            at = place_of(read_back(path), expected.states, count, count + 1)
        except BaseException:
            print(f"HASHRANGE_KILL_SEED={seed}, round {number} of {rounds}, {durability}, "
                  f"database {path}")
            raise
        state = expected.states[at]
        acknowledged += count
        in_doubt += at > count
        unopened += not opened
    print(
        f"{rounds} kills ({durability}, {lives} a database): {acknowledged} operations "
        "acknowledged, none lost; "
        f"{in_doubt} in flight were whole; {unopened} kills while opening; seed {seed}"
    )
