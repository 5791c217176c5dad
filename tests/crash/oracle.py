"""The reference of the crash tests: operations drawn from a seed, and the state that they lead to.

A Workload draws the next operation from its random numbers and the state so far, so that a writing
child and its parent agree on every operation without talking. `Workload.states[n]` is the content
of the database after n operations; each is one commit or none, so what a crash leaves must equal
one of them. An update that would pass 400 KB is an operation too, "overgrow": the database must
refuse it and stay as it was.
"""

from __future__ import annotations

import os
import random
from decimal import Decimal
from typing import Any

import hashrange

State = dict[str, dict[Any, dict[str, Any]]]      # table -> key -> item

TABLES = {                                         # name -> has a range key
    "plain": False,
    "ranged": True,
    "other": True,
}
HASH_COUNT = 12                                    # few keys: most writes replace, so bytes die
RANGE_COUNT = 40
ITEM_BYTES_MAX = 409_600


def seed_of(variable: str) -> int:
    """Return the seed of a random test: from the environment, or a new one."""
    return int(os.environ.get(variable) or random.SystemRandom().randrange(1 << 32))


def rounds_of(usual: int) -> int:
    """Return a number of rounds: `usual` in `make test`, scaled to ROUNDS= in `make soak`."""
    wanted = os.environ.get("HASHRANGE_ROUNDS")
    return usual if not wanted else max(usual, int(wanted) * usual // 500)


class Workload:
    """A sequence of operations and states."""

    def __init__(self, seed: int, *, large: bool = True, state: State | None = None) -> None:
        self.random = random.Random(seed)
        self.large = large
        self.states: list[State] = [state if state is not None else {}]

    @property
    def state(self) -> State:
        return self.states[-1]

    def draw(self) -> tuple[Any, ...]:
        """Return the next operation; `advance` applies it to the reference."""
        pick = self.random.random
        missing = [name for name in TABLES if name not in self.state]
        if missing and (len(missing) == len(TABLES) or pick() < 0.15):
            return ("create", self.random.choice(missing))
        name = self.random.choice(list(self.state))
        dice = pick()
        if dice < 0.02:
            return ("drop", name)
        if dice < 0.05:
            return ("sync",)
        if dice < 0.08:
            return ("checkpoint",)
        if dice < 0.11:
            return ("compact", pick() < 0.5)
        if dice < 0.22:
            count = self.random.randint(1, 25)
            steps = []
            for _ in range(count):
                if pick() < 0.25:
                    steps.append(("delete", self.key(name)))
                else:
                    steps.append(("put", self.item(name)))
            return ("batch", name, steps)
        if dice < 0.32:
            return ("delete", name, self.key(name))
        if dice < 0.50:
            return self.update(name)
        return ("put", name, self.item(name))

    def update(self, name: str) -> tuple[Any, ...]:
        key = self.key(name)
        text = self.text() if self.random.random() > 0.03 else "c" * (ITEM_BYTES_MAX + 1)
        operation = ("update", name, key, self.random.randrange(-5, 100), text)
        if too_large(updated(name, self.state[name].get(key), operation)):
            return ("overgrow", *operation[1:])
        return operation

    def key(self, name: str) -> tuple[Any, ...]:
        hash_value = f"h{self.random.randrange(HASH_COUNT)}"
        if not TABLES[name]:
            return (hash_value,)
        return (hash_value, self.random.randrange(RANGE_COUNT))

    def text(self) -> str:
        size = self.random.choice((0, 3, 30, 200, 2000))
        if self.large and self.random.random() < 0.04:
            size = self.random.choice((20_000, 90_000, 200_000))
        return self.random.choice("abcß") * size

    def item(self, name: str) -> dict[str, Any]:
        key = self.key(name)
        item: dict[str, Any] = {"pk": key[0]}
        if TABLES[name]:
            item["sk"] = key[1]
        item["text"] = self.text()
        item["n"] = self.random.randrange(1000)
        if self.random.random() < 0.5:
            name = f"attribute{self.random.randrange(30)}"
            item[name] = Decimal(self.random.randrange(10**6)) / 100
            item["tags"] = {"a", f"t{self.random.randrange(9)}"}
            deep = {"deep": self.random.randrange(9)}
            item["nested"] = {"list": [1, None, True, b"\x00\xff"], "map": deep}
        return item

    def advance(self, operation: tuple[Any, ...]) -> None:
        """Note the state behind an operation."""
        self.states.append(applied(self.state, operation))


def applied(state: State, operation: tuple[Any, ...]) -> State:
    """Return the state behind an operation; `state` stays as it is."""
    kind = operation[0]
    if kind in ("sync", "checkpoint", "compact", "overgrow"):
        return state
    state = dict(state)
    name = operation[1]
    if kind == "create":
        state[name] = {}
        return state
    if kind == "drop":
        del state[name]
        return state
    table = state[name] = dict(state[name])
    if kind == "put":
        table[key_of(name, operation[2])] = operation[2]
    elif kind == "delete":
        table.pop(operation[2], None)
    elif kind == "update":
        table[operation[2]] = updated(name, table.get(operation[2]), operation)
    elif kind == "batch":
        for step, value in operation[2]:
            if step == "put":
                table[key_of(name, value)] = value
            else:
                table.pop(value, None)
    return state


def too_large(item: dict[str, Any]) -> bool:
    """Whether an update to this item is refused, as more than 400 KB.

    The sizes that `Workload.text` draws leave kilobytes between an item and the bound, so strings
    are counted and 1 KB stands for all else.
    """
    strings = sum(len(value.encode()) for value in item.values() if isinstance(value, str))
    assert not ITEM_BYTES_MAX - 2048 < strings <= ITEM_BYTES_MAX, "too near to the bound to tell"
    return strings > ITEM_BYTES_MAX


def abandon(database: hashrange.Database) -> None:
    """Let go of a handle without syncing or closing, as a killed process does."""
    database.forked()


def key_of(name: str, item: dict[str, Any]) -> tuple[Any, ...]:
    return (item["pk"], item["sk"]) if TABLES[name] else (item["pk"],)


def updated(name: str, item: dict[str, Any] | None, operation: tuple[Any, ...]) -> dict[str, Any]:
    _, _, key, number, text = operation
    new = dict(item or {"pk": key[0], **({"sk": key[1]} if TABLES[name] else {})})
    new["n"] = new.get("n", 0) + number
    new["changed"] = text
    new.pop("tags", None)
    return new


def perform(database: hashrange.Database, operation: tuple[Any, ...]) -> None:
    """Carry out an operation on a database."""
    kind = operation[0]
    if kind == "compact":
        database.compact(whole=operation[1])
        return
    if kind in ("sync", "checkpoint"):
        getattr(database, kind)()
        return
    name = operation[1]
    if kind == "create":
        database.create_table(name, ("pk", "S"), ("sk", "N") if TABLES[name] else None)
        return
    if kind == "drop":
        database.drop_table(name)
        return
    table = database.table(name)
    if kind == "put":
        table.put(operation[2])
    elif kind == "delete":
        table.delete(*operation[2])
    elif kind == "update":
        update(table, operation)
    elif kind == "overgrow":
        try:
            update(table, operation)
        except hashrange.ItemTooLarge:
            return
        raise AssertionError(f"an update beyond 400 KB was let through: {operation!r:.80}")
    elif kind == "batch":
        with table.batch() as batch:
            for step, value in operation[2]:
                if step == "put":
                    batch.put(value)
                else:
                    batch.delete(*value)


def update(table: hashrange.Table, operation: tuple[Any, ...]) -> None:
    _, _, key, number, text = operation
    table.update(*key, "ADD n :n SET changed = :t REMOVE tags", values={":n": number, ":t": text})


def content(database: hashrange.Database) -> State:
    """Return all that a database holds, read with a scan, and checked against get and query."""
    state: State = {}
    for name in database.tables():
        table = database.table(name)
        items = {key_of(name, item): item for item in table.scan()}
        assert table.count() == len(items)
        state[name] = items
        if items:
            key = next(iter(items))
            assert table.get(*key) == items[key]
            if TABLES[name]:
                collection = [key_of(name, item) for item in table.query(key[0])]
                assert collection == sorted(other for other in items if other[0] == key[0])
    return state


def place_of(found: State, states: list[State], lower: int, upper: int) -> int:
    """Return the largest n of lower..upper with states[n] == found, or raise AssertionError."""
    for index in range(min(upper, len(states) - 1), lower - 1, -1):
        if states[index] == found:
            return index
    elsewhere = [index for index, state in enumerate(states) if state == found]
    raise AssertionError(
        f"the content is that after {elsewhere or 'no'} operations, not after {lower} to {upper}: "
        + difference(found, states[min(upper, len(states) - 1)])
    )


def difference(found: State, wanted: State) -> str:
    """Return in words what the first differences are."""
    words = []
    for name in sorted(found.keys() | wanted.keys()):
        if (name in found) != (name in wanted):
            words.append(f"table {name} is {'there' if name in found else 'missing'}")
            continue
        for key in sorted(found[name].keys() | wanted[name].keys()):
            left, right = found[name].get(key), wanted[name].get(key)
            if left != right:
                words.append(f"{name}{key}: {left!r:.80} instead of {right!r:.80}")
    return "; ".join(words[:5])
