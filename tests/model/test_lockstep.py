"""The engine and a naive reference in lockstep, over random operations, kills and compactions.

The reference is a dict of dicts per table; sorting it is what a query must give. A kill is a copy
of the directory, taken without closing, that is opened in the database's place. Bounds are small,
so that segments roll, checkpoints run and nodes split within a few hundred steps.

HASHRANGE_EXAMPLES sets the number of random runs (make fuzz); a failure prints the steps and a
line with @reproduce_failure.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import hashrange
from ddbcore.probe import database_check

EXAMPLES = int(os.environ.get("HASHRANGE_EXAMPLES", "0"))
TEXTS = ["a", "a\0", "aa", "b", "é", "z" * 30, "z" * 30 + "1", "z" * 31]
BINARIES = [b"\0", b"\0\0", b"a", b"a\xff", b"\xff", b"\xff\xff", b"q" * 33, b"q" * 34]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.integers(-99999, 99999).map(lambda number: Decimal(number) / 100),
)
values = st.one_of(
    scalars,
    st.lists(scalars, max_size=4),
    st.dictionaries(st.text(min_size=1, max_size=5), scalars, max_size=3),
    st.sets(st.integers(-50, 50), min_size=1, max_size=5),
    st.sets(st.text(max_size=3), min_size=1, max_size=3),
    st.integers(1, 3000).map(lambda size: "x" * size),
)
attributes = st.dictionaries(st.sampled_from(["v", "w", "x", "n" * 200, "é"]), values, max_size=4)
hash_keys = st.sampled_from(["a", "b", "c", "hash key number four", "é"])
numbers = st.integers(0, 400)
range_keys = {
    "S": st.one_of(st.sampled_from(TEXTS), numbers.map(lambda n: f"shared prefix {n:05}")),
    "N": st.one_of(numbers.map(lambda n: n - 300), numbers.map(lambda n: Decimal(n - 200) / 8)),
    "B": st.one_of(
        st.sampled_from(BINARIES), numbers.map(lambda n: b"p" * 27 + bytes([n // 256, n % 256]))
    ),
}
single_keys = st.integers(0, 500).map(lambda n: f"key {n}")
spans = st.tuples(st.integers(0, 400), st.integers(1, 300))
Key = tuple[Any, Any]


def order(key: Any) -> Any:
    return key.encode() if isinstance(key, str) else key


class Model:
    """What one table should hold: items by key."""

    def __init__(self, kind: str | None) -> None:
        self.kind = kind
        self.items: dict[Key, dict[str, Any]] = {}

    def collection(self, hash_key: Any) -> list[Key]:
        """Return the keys of one item collection in order."""
        keys = [key for key in self.items if key[0] == hash_key]
        return keys if self.kind is None else sorted(keys, key=lambda key: order(key[1]))


class Lockstep(RuleBasedStateMachine):
    """One database and its models. Each rule does the same to both, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="lockstep-"))
        self.path = self.base / "db"
        self.number = 0
        self.db: hashrange.Database
        self.tables: dict[str, Model] = {}
        self.memory = False

    # ---- the database ------------------------------------------------------------------------

    def open(self) -> None:
        self.number += 1
        self.db = hashrange.open(
            None if self.memory else self.path,
            checkpoint_bytes=65536,
            cache_bytes=30000,
            durability="none" if self.number % 2 else "interval",
        )

    @initialize(
        kinds=st.lists(st.sampled_from(["S", "N", "B", None]), min_size=1, max_size=3),
        memory=st.booleans(),
    )
    def begin(self, kinds: list[str | None], memory: bool) -> None:
        self.memory = memory
        self.open()
        for kind in kinds:
            self.create(kind)

    def create(self, kind: str | None) -> None:
        # Few names, so that dropped ones come back with other keys.
        name = next(f"table-{n}" for n in range(10) if f"table-{n}" not in self.tables)
        self.db.create_table(name, ("h", "S"), ("r", kind) if kind else None)
        self.tables[name] = Model(kind)

    @rule(kind=st.sampled_from(["S", "N", "B", None]))
    @precondition(lambda self: len(self.tables) < 5)
    def create_table(self, kind: str | None) -> None:
        self.create(kind)

    @rule(data=st.data())
    @precondition(lambda self: len(self.tables) > 1)
    def drop_table(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.tables)))
        self.db.drop_table(name)
        del self.tables[name]

    @rule()
    @precondition(lambda self: not self.memory)
    def reopen(self) -> None:
        self.db.close()
        self.open()

    # A killed process leaves its files as of one moment, and a copy takes them one after the other:
    # it counts only when nothing was written, and no checkpoint was under way, meanwhile.
    @rule()
    @precondition(lambda self: not self.memory)
    def kill(self) -> None:
        copy = self.base / f"copy{self.number}"
        while True:
            before = self.db.stats()
            try:
                shutil.copytree(self.path, copy, dirs_exist_ok=True)
            except shutil.Error:          # a file went while it was copied: not one moment either
                shutil.rmtree(copy)
                continue
            after = self.db.stats()
            quiet = ("checkpoints", "segments", "lsn", "log_bytes", "index_file_bytes")
            if all(before[name] == after[name] for name in quiet) and self.settled():
                break
            shutil.rmtree(copy)
        self.db.close()
        shutil.rmtree(self.path)
        copy.rename(self.path)
        self.open()

    def settled(self) -> bool:
        """Whether no checkpoint was under way: one more finds nothing running before it."""
        before = self.db.stats()["checkpoints"]
        self.db.checkpoint()
        return bool(self.db.stats()["checkpoints"] == before + 1)

    @rule()
    def checkpoint(self) -> None:
        self.db.checkpoint()

    @rule(whole=st.booleans())
    def compact(self, whole: bool) -> None:
        self.db.compact(whole=whole)

    # ---- one table ---------------------------------------------------------------------------

    def pick(self, data: st.DataObject) -> tuple[hashrange.Table, Model]:
        name = data.draw(st.sampled_from(sorted(self.tables)))
        return self.db.table(name), self.tables[name]

    def key(self, data: st.DataObject, model: Model) -> Key:
        """Draw a key: half of the time that of an item that is there."""
        if model.items and data.draw(st.booleans()):
            keys = list(model.items)
            return keys[data.draw(st.integers(0, len(keys) - 1))]
        if model.kind is None:
            return data.draw(single_keys), None
        return data.draw(hash_keys), data.draw(range_keys[model.kind])

    @staticmethod
    def item(key: Key, rest: dict[str, Any]) -> dict[str, Any]:
        return {**rest, "h": key[0], **({} if key[1] is None else {"r": key[1]})}

    @staticmethod
    def call(key: Key) -> tuple[Any, ...]:
        return key[:1] if key[1] is None else key

    @rule(data=st.data(), rest=attributes)
    def put(self, data: st.DataObject, rest: dict[str, Any]) -> None:
        table, model = self.pick(data)
        key = self.key(data, model)
        table.put(self.item(key, rest))
        model.items[key] = self.item(key, rest)

    @rule(data=st.data(), rest=attributes, there=st.booleans())
    def put_if(self, data: st.DataObject, rest: dict[str, Any], there: bool) -> None:
        table, model = self.pick(data)
        key = self.key(data, model)
        condition = "attribute_exists(h)" if there else "attribute_not_exists(h)"
        if (key in model.items) == there:
            table.put(self.item(key, rest), condition=condition)
            model.items[key] = self.item(key, rest)
        else:
            with pytest.raises(hashrange.ConditionalCheckFailed):
                table.put(self.item(key, rest), condition=condition)

    @rule(data=st.data(), value=values)
    def update(self, data: st.DataObject, value: Any) -> None:
        table, model = self.pick(data)
        key = self.key(data, model)
        table.update(*self.call(key), "SET v = :v REMOVE w", values={":v": value})
        old = model.items.get(key, self.item(key, {}))
        model.items[key] = {**{k: v for k, v in old.items() if k != "w"}, "v": value}

    @rule(data=st.data(), step=st.integers(-5, 5))
    def add(self, data: st.DataObject, step: int) -> None:
        table, model = self.pick(data)
        key = self.key(data, model)
        table.update(*self.call(key), "ADD #c :s", names={"#c": "total"}, values={":s": step})
        old = model.items.get(key, self.item(key, {}))
        model.items[key] = {**old, "total": old.get("total", 0) + step}

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        table, model = self.pick(data)
        key = self.key(data, model)
        table.delete(*self.call(key))
        model.items.pop(key, None)

    @staticmethod
    def numbered(model: Model, hash_key: str, number: int) -> Key:
        forms: dict[str | None, Key] = {
            "S": (hash_key, f"shared prefix {number:05}"),
            "N": (hash_key, number - 300),
            "B": (hash_key, b"p" * 27 + bytes([number // 256, number % 256])),
            None: (f"key {number}", None),
        }
        return forms[model.kind]

    @rule(data=st.data(), span=spans, size=st.sampled_from([0, 30, 1000]), hash_key=hash_keys)
    def fill(self, data: st.DataObject, span: tuple[int, int], size: int, hash_key: str) -> None:
        """Put many neighbouring keys in one batch."""
        table, model = self.pick(data)
        with table.batch() as batch:
            for number in range(span[0], sum(span)):
                key = self.numbered(model, hash_key, number)
                model.items[key] = self.item(key, {"v": "x" * size})
                batch.put(model.items[key])

    @rule(data=st.data(), span=spans, hash_key=hash_keys)
    def clear(self, data: st.DataObject, span: tuple[int, int], hash_key: str) -> None:
        """Delete many neighbouring keys in one batch, some of them not there."""
        table, model = self.pick(data)
        with table.batch() as batch:
            for number in range(span[0], sum(span)):
                key = self.numbered(model, hash_key, number)
                batch.delete(*self.call(key))
                model.items.pop(key, None)

    @rule(data=st.data())
    def forget_batch(self, data: st.DataObject) -> None:
        table, model = self.pick(data)
        table.batch().put(self.item(self.key(data, model), {"never": 1}))

    # ---- reads -------------------------------------------------------------------------------

    @rule(data=st.data())
    def get(self, data: st.DataObject) -> None:
        table, model = self.pick(data)
        key = self.key(data, model)
        for _ in range(2):
            assert table.get(*self.call(key)) == model.items.get(key)

    @rule(data=st.data(), count=st.integers(0, 20))
    def get_many(self, data: st.DataObject, count: int) -> None:
        table, model = self.pick(data)
        keys = [self.key(data, model) for _ in range(count)]
        asked = [key if model.kind else key[0] for key in keys]
        assert table.get_many(asked) == [model.items.get(key) for key in keys]

    @rule(data=st.data(), reverse=st.booleans(), limit=st.one_of(st.none(), st.integers(1, 200)))
    def query(self, data: st.DataObject, reverse: bool, limit: int | None) -> None:
        table, model = self.pick(data)
        hash_key = self.key(data, model)[0]
        keys = model.collection(hash_key)[:: -1 if reverse else 1]
        conditions: dict[str, Any] = {}
        tests: dict[str, Callable[[Any, Any], bool]] = {
            "ge": lambda key, bound: key >= bound,
            "lt": lambda key, bound: key < bound,
            "after": lambda key, bound: key < bound if reverse else key > bound,
        }
        for name, test in tests.items():
            if model.kind is not None and data.draw(st.booleans()):
                conditions[name] = bound = self.key(data, model)[1]
                keys = [key for key in keys if test(order(key[1]), order(bound))]
        got = list(table.query(hash_key, reverse=reverse, limit=limit, **conditions))
        assert got == [model.items[key] for key in keys][:limit]

    @rule(data=st.data(), total=st.integers(1, 9))
    def scan(self, data: st.DataObject, total: int) -> None:
        table, model = self.pick(data)
        whole = list(table.scan())
        keys = [(item["h"], item.get("r")) for item in whole]
        assert len(keys) == len(model.items)
        assert dict(zip(keys, whole, strict=True)) == model.items
        parts = [item for n in range(total) for item in table.scan(segment=n, total_segments=total)]
        assert parts == whole
        if whole:
            place = data.draw(st.integers(0, len(whole) - 1))
            assert list(table.scan(after=whole[place], limit=50)) == whole[place + 1 : place + 51]

    @rule(data=st.data(), reverse=st.booleans())
    def walk_and_delete(self, data: st.DataObject, reverse: bool) -> None:
        """Delete every third item of a collection as a walk comes by; the walk goes on."""
        table, model = self.pick(data)
        hash_key = self.key(data, model)[0]
        keys = model.collection(hash_key)[:: -1 if reverse else 1]
        seen = []
        for item in table.query(hash_key, reverse=reverse):
            key = (item["h"], item.get("r"))
            seen.append(key)
            if len(seen) % 3 == 0:
                table.delete(*self.call(key))
                del model.items[key]
        assert seen == keys

    @invariant()
    def counts_agree(self) -> None:
        if self.tables:
            assert self.db.tables() == sorted(self.tables)
            for name, model in self.tables.items():
                assert self.db.table(name).count() == len(model.items)

    def teardown(self) -> None:
        try:
            if self.tables:
                self.compare_all()
        finally:
            shutil.rmtree(self.base)

    def compare_all(self) -> None:
        database_check(self.db.engine)
        for name, model in self.tables.items():
            found = {(i["h"], i.get("r")): i for i in self.db.table(name).scan()}
            assert found == model.items
        self.db.close()
        if not self.memory:
            report = hashrange.verify(self.path)
            assert report.ok, report.errors


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Lockstep,
        settings=settings(
            max_examples=EXAMPLES or examples,
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


# Short runs, many of them: those that hypothesis can shrink well.
@pytest.mark.slow
def test_short_runs_agree_with_the_model() -> None:
    run(150, 40)


# Long runs, in which logs roll, trees split, and files are replaced many times.
@pytest.mark.slow
def test_long_runs_agree_with_the_model() -> None:
    run(10, 400)
