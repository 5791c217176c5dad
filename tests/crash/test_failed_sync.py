"""A failing sync: nothing is reported as saved that is not, and the next opening repairs.

Linux drops pages that it could not write, calls them clean, and answers 0 to the next sync; so does
SimulatedDisk. Each test fails one sync, every one in turn, of a workload that contains them all:
log, superblock, checkpoint, new segment, directory. Environment: HASHRANGE_SYNC_SEED.
"""

from __future__ import annotations

import errno
import random

import pytest
from crash.oracle import State, Workload, abandon, content, perform, place_of, rounds_of, seed_of

import hashrange
from ddbcore.simulation import SimulatedDisk
from hashrange.verification import inspect

OPERATIONS = 50
LIMIT = 400                   # syncs of one workload, at the most


class Failed:
    """A database in which one sync was made to fail."""

    def __init__(self, seed: int, durability: str, operation: str, after: int) -> None:
        self.disk = SimulatedDisk()
        self.database = hashrange.open(disk=self.disk, durability=durability)
        self.database.engine.starter = None
        self.workload = Workload(seed)
        self.durable = 0          # states[durable] or a later one is on the drive
        self.error: hashrange.Error | None = None
        self.disk.fail(operation, errno.EIO, after=after)
        for _ in range(OPERATIONS):
            if not self.step(durability):
                break
        self.failed = self.error is not None

    def step(self, durability: str) -> bool:
        operation = self.workload.draw()
        before = len(self.states)
        self.workload.advance(operation)
        try:
            perform(self.database, operation)
        except hashrange.PoisonedError as error:
            self.error = error
            return False
        except hashrange.StorageError as error:
            self.error = error
            if self.poisoned:
                return False
            # Not poisoned: the operation was refused as a whole.
            self.states[before:] = [self.states[before - 1]]
        if durability == "commit" or operation[0] == "sync":
            self.durable = len(self.states) - 1
        return True

    @property
    def states(self) -> list[State]:
        return self.workload.states

    @property
    def poisoned(self) -> bool:
        try:
            self.database.sync()
        except hashrange.PoisonedError:
            return True
        return False


def refusals(database: hashrange.Database) -> int:
    """Try every kind of write on a poisoned database; return how many there are."""
    writes = [database.sync, database.checkpoint, database.compact]
    writes.append(lambda: database.create_table("one-more", ("pk", "S")))
    for name in database.tables():
        table = database.table(name)
        key = next((tuple(item[part] for part in ("pk", "sk") if part in item)
                    for item in table.scan()), None)
        writes.append(lambda name=name: database.drop_table(name))
        if key is not None:
            writes.append(lambda table=table, key=key: table.put(table.get(*key)))
            writes.append(lambda table=table, key=key: table.delete(*key))
            writes.append(
                lambda table=table, key=key: table.update(*key, "SET a = :a", values={":a": 1})
            )
        writes.append(table.batch)
    for write in writes:
        with pytest.raises(hashrange.PoisonedError, match="failed"):
            write()
    return len(writes)


def check(failed: Failed, dice: random.Random) -> bool:
    """Check everything that must hold after a failed sync; return whether it poisoned."""
    states = failed.states
    upper = len(states) - 1
    poisoned = failed.poisoned
    database = failed.database
    place_of(content(database), states, failed.durable, upper)
    if poisoned:
        refusals(database)
        found = content(database)
        place_of(found, states, failed.durable, upper)
        # Reads show what is durable, and nothing else. Where a state came twice (every table was
        # dropped), they may be of the first time.
        shown = states.index(found, failed.durable)
        place_of(reopened(failed.disk.crash(0, keep="old")), states, shown, upper)
    for _ in range(3):
        disk = failed.disk.crash(dice.randrange(1 << 32))
        place_of(reopened(disk), states, failed.durable, upper)
    database.close()
    # Another process opens it while the system still has everything in its cache.
    disk = failed.disk.snapshot()
    again = hashrange.open(disk=disk, durability="commit")
    again.engine.starter = None
    at = place_of(content(again), states, failed.durable, upper)
    assert place_of(reopened(disk.crash(0, keep="old")), states, at, at) == at
    workload = Workload(dice.randrange(1 << 32), state=states[at])
    for _ in range(10):
        operation = workload.draw()
        workload.advance(operation)
        perform(again, operation)
    last = len(workload.states) - 1
    place_of(reopened(disk.crash(0, keep="old")), workload.states, last, last)
    again.close()
    assert "suspect" not in disk.files()
    return poisoned


def reopened(disk: SimulatedDisk) -> State:
    database = hashrange.open(disk=disk)
    database.engine.starter = None
    report = inspect(database)
    assert report.ok, report.errors
    found = content(database)
    abandon(database)
    return found


@pytest.mark.parametrize("durability", ["interval", "commit", "none"])
@pytest.mark.parametrize("operation", ["sync", "sync_root"])
def test_after_a_failed_sync_nothing_counts_as_saved_that_is_not(
    operation: str, durability: str
) -> None:
    seed = seed_of("HASHRANGE_SYNC_SEED")
    dice = random.Random(seed)
    count = poisoned = 0
    for _ in range(rounds_of(4)):
        workload_seed = dice.randrange(1 << 32)
        for after in range(LIMIT):
            try:
                failed = Failed(workload_seed, durability, operation, after)
                if not failed.failed:
                    abandon(failed.database)
                    break
                poisoned += check(failed, dice)
            except BaseException:
                print(f"HASHRANGE_SYNC_SEED={seed}, workload {workload_seed}, {operation} {after} "
                      "fails")
                raise
            count += 1
    print(f"{count} failing calls of {operation} ({durability}), {poisoned} poisoned; seed {seed}")
    assert poisoned


# A failed sync while a database is opened or closed: an error that says so, and nothing lost.
@pytest.mark.parametrize("operation", ["sync", "sync_root"])
def test_a_sync_that_fails_in_opening_or_closing_is_an_error(operation: str) -> None:
    seed = seed_of("HASHRANGE_SYNC_SEED")
    opening = closing = 0
    for after in range(LIMIT):
        failed = Failed(seed, "interval", operation, LIMIT)
        abandon(failed.database)
        disk = failed.disk.snapshot()
        states = failed.states
        disk.fail(operation, errno.EIO, after=after)
        try:
            database = hashrange.open(disk=disk)
            database.engine.starter = None
        except hashrange.StorageError:
            opening += 1
            place_of(reopened(disk.snapshot()), states, len(states) - 1, len(states) - 1)
            place_of(reopened(disk.crash(after)), states, failed.durable, len(states) - 1)
            continue
        assert content(database) == states[-1]
        database.create_table("one-more", ("pk", "S"))
        try:
            database.close()
        except hashrange.Error:
            closing += 1
            abandon(database)
            assert "one-more" in reopened(disk.snapshot())
            continue
        break
    print(f"{operation}: {opening} failures in opening, {closing} in closing; "
          f"HASHRANGE_SYNC_SEED={seed}")
    assert closing or operation == "sync_root"
