"""Reentry: user code that runs in the middle of a call and uses the database.

Encoding asks an item for its attributes; making objects may collect garbage, and so run any
finalizer. Neither may tear a frame, show a stale item, or touch freed memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

import hashrange


# A batch of a dropped table is refused, also when another table of the same name has come.
@pytest.mark.parametrize("again", [False, True])
def test_a_batch_does_not_outlive_its_table(
    db: hashrange.Database, hashes: hashrange.Table, again: bool
) -> None:
    batch = hashes.batch()
    batch.put({"id": "a", "name of the old table": 1})
    db.drop_table("hashes")
    if again:
        db.create_table("hashes", ("id", "S")).put({"id": "x", "name of the new table": 1})
    with pytest.raises(hashrange.TableNotFound):
        batch.flush()
    with pytest.raises(hashrange.TableNotFound):
        hashes.put({"id": "a"})
    if again:
        assert list(db.table("hashes").scan()) == [{"id": "x", "name of the new table": 1}]


class Calling(Mapping[str, Any]):
    """An item that calls a function while it is encoded."""

    def __init__(self, item: dict[str, Any], action: Callable[[], object]) -> None:
        self.item = item
        self.action = action

    def __getitem__(self, key: str) -> Any:
        self.action()
        return self.item[key]

    def __iter__(self) -> Iterator[str]:
        self.action()
        return iter(self.item)

    def __len__(self) -> int:
        return len(self.item)


# Encoding runs the caller's code, which may use the same batch: that is refused, and nothing is
# torn.
def test_a_batch_is_not_entered_twice(hashes: hashrange.Table) -> None:
    words: list[str] = []

    def meddle() -> None:
        for call in (
            batch.flush,
            lambda: batch.put({"id": "inner"}),
            lambda: batch.delete("a"),
            lambda: batch.__exit__(ValueError, None, None),
        ):
            try:
                call()
            except hashrange.ValidationError as error:
                words.append(str(error))

    with hashes.batch() as batch:
        batch.put({"id": "a"})
        batch.put(Calling({"id": "b", "v": 1}, meddle))
        batch.put({"id": "c"})
    assert sorted(item["id"] for item in hashes.scan()) == ["a", "b", "c"]
    assert words
    assert all("encoding" in text for text in words)


# ... and the table, by other ways.
def test_the_table_may_change_while_a_batch_encodes(hashes: hashrange.Table) -> None:
    with hashes.batch() as batch:
        batch.put(Calling({"id": "b", "v": 1}, lambda: hashes.put({"id": "by the way"})))
    assert hashes.count() == 2


MEDDLING = ["put", "delete", "drop", "drop and create", "close", "clear", "query", "update"]


def meddler(db: hashrange.Database, table: hashrange.Table, what: str) -> Callable[[], None]:
    """Return a function that does something to the database, and swallows hashrange's errors."""
    actions: dict[str, Callable[[], object]] = {
        "put": lambda: table.put({"id": "a", "by": "meddler"}),
        "delete": lambda: table.delete("a"),
        "drop": lambda: db.drop_table("hashes"),
        "drop and create": lambda: (
            db.drop_table("hashes"),
            db.create_table("hashes", ("number", "N")).put({"number": 1}),
            table.get("a"),
        ),
        "close": db.close,
        "clear": lambda: [table.delete(item["id"]) for item in table.scan()],
        "query": lambda: (list(table.scan(limit=20)), table.get_many(["a", "b"])),
        "update": lambda: table.update("a", "ADD n :n", values={":n": 1}),
    }

    def meddle() -> None:
        try:
            actions[what]()
        except hashrange.Error:
            pass

    return meddle


# Every call that takes an item or a key, with an item that does something else on the way.
@pytest.mark.parametrize("what", MEDDLING)
@pytest.mark.parametrize("call", ["put", "batch", "update", "condition"])
def test_an_item_may_meddle_while_it_is_encoded(
    db: hashrange.Database, hashes: hashrange.Table, what: str, call: str
) -> None:
    meddle = meddler(db, hashes, what)

    class Value(dict[str, Any]):
        """A value that is no plain dict, and runs code when it is read."""

        def items(self) -> Any:
            meddle()
            return super().items()

        def __iter__(self) -> Iterator[str]:
            meddle()
            return super().__iter__()

    for number in range(50):
        hashes.put({"id": f"{number}", "v": "x" * 100})
    hashes.put({"id": "a", "old": 1})
    item = Calling({"id": "a", "v": Value(k=1)}, meddle)
    try:
        if call == "put":
            hashes.put(item)
        elif call == "condition":
            hashes.put(item, condition="attribute_exists(id)")
        elif call == "batch":
            with hashes.batch() as batch:
                batch.put({"id": "b"})
                batch.put(item)
        else:
            hashes.update("a", "SET v = :v", values={":v": Value(k=1)})
    except hashrange.Error:
        pass
    try:
        assert set(db.tables()) <= {"hashes"}
        for table in map(db.table, db.tables()):
            assert len(list(table.scan())) == table.count()
    except hashrange.DatabaseClosed:
        assert what == "close"


# Garbage is collected at nearly every allocation, and its finalizers use the database: while
# items are encoded and decoded, copied into the cache and out of it, walked and checkpointed.
@pytest.mark.parametrize("what", MEDDLING)
def test_finalizers_may_meddle_anywhere(
    db: hashrange.Database,
    hashes: hashrange.Table,
    busy_gc: None,
    finalizer: Callable[[Callable[[], object]], None],
    what: str,
) -> None:
    meddle = meddler(db, hashes, what)
    rich = {"list": [{"k": [1, "x"]}, {"s"}], "map": {"a": {"b": b"c"}}, "set": {1, 2, 3}}
    calls: list[Callable[[], object]] = [
        lambda: hashes.put({"id": "a", **rich}),
        lambda: hashes.get("a"),
        lambda: hashes.get("a"),
        lambda: hashes.update("a", "SET w = :w", values={":w": rich}),
        lambda: hashes.get_many(["a", "b", "1", "2"]),
        lambda: list(hashes.scan()),
        lambda: list(hashes.query("a")),
        lambda: hashes.delete("b"),
        lambda: hashes.batch().put({"id": "b", **rich}),
        db.checkpoint,
        db.compact,
        db.stats,
        lambda: db.create_table("other", ("id", "S")),
        lambda: db.drop_table("other"),
    ]
    for number in range(30):
        hashes.put({"id": f"{number}", **rich})
    for _ in range(3):
        for call in calls:
            finalizer(meddle)
            try:
                call()
            except hashrange.Error:
                pass
    try:
        for table in map(db.table, db.tables()):
            assert len(list(table.scan())) == table.count()
    except hashrange.DatabaseClosed:
        assert what == "close"


# A finalizer that runs between reading an item and keeping it in the cache, and writes that item:
# the cache must not keep what was read before.
def test_the_cache_keeps_no_item_that_a_finalizer_overwrote(
    hashes: hashrange.Table, busy_gc: None, finalizer: Callable[[Callable[[], object]], None]
) -> None:
    for number in range(300):
        hashes.put({"id": "a", "v": {"n": [number]}, "l": [[1]]})
        finalizer(lambda n=number: hashes.put({"id": "a", "v": {"n": [-n]}, "l": [[2]]}))
        hashes.get("a")
        import gc

        gc.collect()
        assert hashes.get("a")["v"]["n"] == [-number]


# A database that goes away with the last reference, in a cycle or not, is closed in order.
@pytest.mark.parametrize("cyclic", [False, True])
def test_a_dropped_handle_is_closed(tmp_path: Any, cyclic: bool) -> None:
    import gc

    for number in range(5):
        db = hashrange.open(tmp_path / "db")
        table = db.create_table("abc", ("id", "S")) if number == 0 else db.table("abc")
        table.put({"id": str(number)})
        assert table.count() == number + 1
        if cyclic:
            db.itself = [db]
        del db, table
        gc.collect()
    with hashrange.open(tmp_path / "db") as db:
        assert db.table("abc").count() == 5


# A table, cursor or batch keeps its database alive and open.
def test_a_table_keeps_its_database_open() -> None:
    table = hashrange.open().create_table("abc", ("id", "S"))
    table.put({"id": "a"})
    cursor = hashrange.open().create_table("abc", ("id", "S")).scan()
    assert table.get("a") == {"id": "a"}
    assert list(cursor) == []
