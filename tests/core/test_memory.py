"""Memory that runs out in the middle of an index change: MemoryError, and nothing was changed.

The arena's blocks are counted out, so that each allocation of a change fails in turn; with a
checkpoint under way the copies that it needs fail too. Environment: HASHRANGE_MEMORY_SEED.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from crash.oracle import seed_of

import hashrange
from ddbcore.probe import database_check, memory_limit
from ddbcore.simulation import SimulatedDisk

KEYS = 2000
LIMIT_MAX = 12                # more blocks than any one change needs

Items = dict[tuple[str, int], dict[str, Any]]


class Scarce:
    """A database whose memory runs out, and what it should hold."""

    def __init__(self, seed: int, db: hashrange.Database) -> None:
        self.dice = random.Random(seed)
        self.db = db
        db.engine.starter = None
        self.tables = {
            "hashed": db.create_table("hashed", ("r", "N")),
            "ranged": db.create_table("ranged", ("h", "S"), ("r", "N")),
        }
        self.items: Items = {}
        self.count: Counter[str] = Counter()

    def step(self) -> None:
        """Try one change with no memory, then a little more each time, until it goes through."""
        name = self.dice.choice(["hashed", "ranged", "ranged"])
        number = self.dice.randrange(KEYS)
        # One large collection and some small ones: records, leaves of each size, trees.
        hash_key = f"h{number % 2 * number % 9}"
        key = (number,) if name == "hashed" else (hash_key, number)
        item = {"h": hash_key, "r": number, "turn": self.dice.randrange(99)}
        kind = self.dice.choice(["put", "put", "put", "update", "delete"])
        table = self.tables[name]
        for limit in range(LIMIT_MAX + 1):
            memory_limit(self.db.engine, limit if limit < LIMIT_MAX else None)
            try:
                if kind == "put":
                    table.put(item)
                elif kind == "update":
                    table.update(*key, "SET turn = :t", values={":t": item["turn"]})
                else:
                    table.delete(*key)
            except MemoryError:
                memory_limit(self.db.engine, None)
                self.count["refused"] += 1
                database_check(self.db.engine)
                self.check(name, key, self.items.get((name, number)))
                assert limit < LIMIT_MAX
                continue
            break
        memory_limit(self.db.engine, None)
        if kind == "put":
            self.items[name, number] = item
        elif kind == "delete":
            self.items.pop((name, number), None)
        else:
            old = self.items.get((name, number), dict(zip(
                ("r",) if name == "hashed" else ("h", "r"), key, strict=True)))
            self.items[name, number] = {**old, "turn": item["turn"]}
        self.count["done"] += 1
        self.check(name, key, self.items.get((name, number)))

    def check(self, name: str, key: tuple[Any, ...], item: dict[str, Any] | None) -> None:
        assert self.tables[name].get(*key) == item
        counts = sum(table.count() for table in self.tables.values())
        assert counts == len(self.items)

    def check_all(self) -> None:
        database_check(self.db.engine)
        found = {(name, item["r"]): item for name, table in self.tables.items()
                 for item in table.scan()}
        assert found == self.items


@pytest.mark.timeout(0)
def test_memory_out_in_a_change_leaves_everything_as_it_was() -> None:
    seed = seed_of("HASHRANGE_MEMORY_SEED")
    print(f"HASHRANGE_MEMORY_SEED={seed}")
    scarce = Scarce(seed, hashrange.open(cache_bytes=0))
    for _ in range(12000):
        scarce.step()
    scarce.check_all()
    print(dict(scarce.count))
    assert scarce.count["refused"] > 20
    scarce.db.close()


# A checkpoint needs a copy of each unit that is changed before it is saved: that fails as well.
@pytest.mark.timeout(0)
def test_memory_out_while_a_checkpoint_runs_leaves_everything_as_it_was() -> None:
    seed = seed_of("HASHRANGE_MEMORY_SEED")
    print(f"HASHRANGE_MEMORY_SEED={seed}")
    disk = SimulatedDisk()
    scarce = Scarce(seed, hashrange.open(disk=disk, cache_bytes=0))
    errors: list[BaseException] = []

    def write(operation: str, name: str | None) -> None:
        if operation == "write" and (name or "").startswith("checkpoint") and not errors:
            disk.hook = None
            try:
                for _ in range(6):
                    scarce.step()
            except BaseException as error:
                errors.append(error)
            disk.hook = write

    for _ in range(150):
        for _ in range(4):
            scarce.step()
        disk.hook = write
        scarce.db.checkpoint()
        disk.hook = None
        if errors:
            raise errors[0]
    scarce.check_all()
    print(dict(scarce.count))
    assert scarce.count["refused"] > 200
    scarce.db.close()
    with hashrange.open(disk=disk) as db:
        scarce.db = db
        scarce.tables = {name: db.table(name) for name in scarce.tables}
        scarce.check_all()


# A batch is one commit: it is whole, or the handle ends and the database is as it was.
@pytest.mark.parametrize("limit", range(8))
def test_memory_out_in_a_batch_writes_none_of_it(limit: int) -> None:
    disk = SimulatedDisk()
    db = hashrange.open(disk=disk)
    db.engine.starter = None
    table = db.create_table("table", ("h", "S"), ("r", "N"))
    table.put({"h": "a", "r": -1})
    batch = table.batch()
    for number in range(2000):
        batch.put({"h": f"h{number % 3}", "r": number})
    memory_limit(db.engine, limit)
    with pytest.raises(MemoryError):
        batch.flush()
    memory_limit(db.engine, None)
    with pytest.raises(hashrange.DatabaseClosed, match="nothing of it was written"):
        table.get("a", -1)
    db.close()
    with hashrange.open(disk=disk) as db:
        assert list(db.table("table").scan()) == [{"h": "a", "r": -1}]
        database_check(db.engine)


# Units of the index that are still on the disk need memory at their first use.
def test_memory_out_while_the_index_is_read_is_a_memory_error() -> None:
    disk = SimulatedDisk()
    with hashrange.open(disk=disk) as db:
        table = db.create_table("table", ("h", "S"), ("r", "N"))
        for number in range(3000):
            table.put({"h": "a", "r": number})
        db.checkpoint()
    with hashrange.open(disk=disk, cache_bytes=0) as db:
        table = db.table("table")
        memory_limit(db.engine, 0)
        for call in (lambda: table.get("a", 2000), lambda: list(table.query("a")),
                     lambda: list(table.scan()), lambda: table.put({"h": "a", "r": 1})):
            with pytest.raises(MemoryError):
                call()
        # One more unit each time: hash segment, inner node, leaf.
        for _ in range(2):
            memory_limit(db.engine, 1)
            with pytest.raises(MemoryError):
                table.get("a", 2000)
        memory_limit(db.engine, 1)
        assert table.get("a", 2000) == {"h": "a", "r": 2000}
        memory_limit(db.engine, None)
        assert len(list(table.query("a"))) == 3000
        database_check(db.engine)
