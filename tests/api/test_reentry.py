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


# The same in a table with indexes, whose entries are made between finding an item and writing it.
# A changed schema makes each write look at the indexes anew.
@pytest.mark.parametrize("what", [*MEDDLING, "batch", "flush"])
def test_finalizers_may_meddle_with_indexes(
    db: hashrange.Database,
    hashes: hashrange.Table,
    busy_gc: None,
    finalizer: Callable[[Callable[[], object]], None],
    what: str,
) -> None:
    hashes.create_index("by_v", ("v", "S"))
    hashes.create_index("by_n", ("n", "N"), ("v", "S"))
    batch = hashes.batch()
    if what in {"batch", "flush"}:
        def meddle() -> None:
            try:
                if what == "batch":
                    batch.put({"id": "by the way", "v": "x" * 5000, "n": 3})
                else:
                    batch.flush()
            except hashrange.Error:
                pass
    else:
        meddle = meddler(db, hashes, what)

    def fill() -> None:
        for number in range(20):
            batch.put({"id": f"b{number}", "v": "x" * number or "y", "n": number})
        batch.flush()

    def transact() -> None:
        with db.transact() as transaction:
            transaction.put(hashes, {"id": "a", "v": "t", "n": 4})
            transaction.update(hashes, "b", "SET v = :v, n = :n", values={":v": "t", ":n": 5})

    calls: list[Callable[[], object]] = [
        fill,
        lambda: hashes.put({"id": "a", "v": "w", "n": 1}),
        lambda: hashes.put({"id": "a", "v": "z", "n": 2}, condition="attribute_exists(id)"),
        lambda: hashes.update("a", "SET v = :v", values={":v": "u"}, returning="new"),
        lambda: hashes.load({"id": ["l1", "l2"], "v": ["p", "q"], "n": [1, 2]}),
        lambda: hashes.delete("a", returning="old"),
        transact,
        lambda: list(hashes.scan(index="by_n", filter="n > :n", values={":n": 1})),
        lambda: list(hashes.query("u", index="by_v")),
        lambda: list(hashes.scan(filter="contains(v, :v)", values={":v": "x"}, project="v, n")),
        lambda: hashes.columns(["id", "v", "n"]),
        lambda: hashes.columns(["n"], filter="n > :n", values={":n": 1}),
    ]
    for round_number in range(2):
        for number, call in enumerate(calls):
            try:
                db.create_table(f"other{round_number}-{number}", ("id", "S"))
            except hashrange.Error:
                pass
            for _ in range(3):
                finalizer(meddle)
            try:
                call()
            except hashrange.Error:
                pass
    try:
        for table in map(db.table, db.tables()):
            assert len(list(table.scan())) == table.count()
            for index, names in (("by_v", {"v"}), ("by_n", {"v", "n"})):
                if table.name != hashes.name or what == "drop and create":
                    continue
                entries = list(table.scan(index=index))
                assert len(entries) == sum(names <= item.keys() for item in table.scan())
    except hashrange.DatabaseClosed:
        assert what == "close"


# ... and while a transaction, or a batch, of DynamoDB's own form is carried out.
@pytest.mark.parametrize("what", MEDDLING)
def test_finalizers_may_meddle_with_requests(
    db: hashrange.Database,
    hashes: hashrange.Table,
    busy_gc: None,
    finalizer: Callable[[Callable[[], object]], None],
    what: str,
) -> None:
    meddle = meddler(db, hashes, what)
    item = {"id": {"S": "a"}, "m": {"M": {"l": {"L": [{"N": "1"}, {"SS": ["a", "b"]}]}}}}
    key = {"id": {"S": "a"}}
    put = {"TableName": "hashes", "Item": item}
    update = {
        "TableName": "hashes", "Key": {"id": {"S": "b"}}, "UpdateExpression": "SET m = :m",
        "ExpressionAttributeValues": {":m": item["m"]},
    }
    requests: list[tuple[str, dict[str, Any]]] = [
        ("PutItem", {**put, "ReturnValues": "ALL_OLD"}),
        ("GetItem", {"TableName": "hashes", "Key": key, "ProjectionExpression": "m.l[0]"}),
        ("UpdateItem", {**update, "ReturnValues": "UPDATED_NEW"}),
        ("TransactWriteItems", {
            "TransactItems": [{"Put": put}, {"Update": update}], "ClientRequestToken": "token"}),
        ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "hashes", "Key": key}}]}),
        ("BatchWriteItem", {"RequestItems": {"hashes": [{"PutRequest": {"Item": item}}]}}),
        ("BatchGetItem", {"RequestItems": {"hashes": {"Keys": [key, {"id": {"S": "b"}}]}}}),
        ("Query", {"TableName": "hashes", "KeyConditionExpression": "id = :i",
                   "ExpressionAttributeValues": {":i": {"S": "a"}}}),
        ("Scan", {"TableName": "hashes", "FilterExpression": "attribute_exists(m)"}),
        ("DeleteItem", {"TableName": "hashes", "Key": key, "ReturnValues": "ALL_OLD"}),
    ]
    for _ in range(2):
        for operation, request in requests:
            for _ in range(3):
                finalizer(meddle)
            try:
                db.execute(operation, request)
            except hashrange.Error:
                pass
    try:
        for table in map(db.table, db.tables()):
            assert len(list(table.scan())) == table.count()
    except hashrange.DatabaseClosed:
        assert what == "close"


# An item of a transaction closes the database: nothing is written to what is no longer mapped.
def test_a_transaction_whose_items_close_the_database(
    db: hashrange.Database, hashes: hashrange.Table
) -> None:
    hashes.put({"id": "a", "n": 1})
    with pytest.raises(hashrange.DatabaseClosed), db.transact() as transaction:
        transaction.update(hashes, "a", "SET n = :n", values={":n": 2})
        transaction.put(hashes, Calling({"id": "b"}, db.close))


# A key whose names run code, in a reader: the table is made again under it, with another codec.
def test_a_table_is_made_again_while_a_reader_encodes_a_key(tmp_path: Any) -> None:
    class Name(str):
        __slots__ = ()

        def __hash__(self) -> int:
            return hash("id")

        def __eq__(self, other: object) -> bool:
            if actions:
                actions.pop()()
            return str.__eq__(self, other)

    with hashrange.open(tmp_path / "db") as db:
        for call in range(5):
            table = db.create_table("hashes", ("id", "S"))
            table.put({"id": "a", "v": [1]})
            with hashrange.open(tmp_path / "db", mode="r") as reader:
                seen = reader.table("hashes")
                assert seen.get("a") == {"id": "a", "v": [1]}

                def again(seen: hashrange.Table = seen) -> None:
                    db.drop_table("hashes")
                    db.create_table("hashes", ("id", "S"))
                    db.table("hashes").put({"other": 1, "id": "a"})
                    seen.get("a")

                actions: list[Callable[[], None]] = [again]
                key = {Name("id"): {"S": "a"}}
                request: dict[str, Any] = {"TableName": "hashes", "Key": key}
                try:
                    if call == 0:
                        reader.execute("GetItem", request)
                    elif call == 1:
                        reader.execute(
                            "BatchGetItem", {"RequestItems": {"hashes": {"Keys": [key]}}})
                    elif call == 2:
                        reader.execute("TransactGetItems", {"TransactItems": [{"Get": request}]})
                    elif call == 3:
                        reader.execute("Scan", {"TableName": "hashes", "ExclusiveStartKey": key})
                    else:
                        list(seen.scan(after={Name("id"): "a"}))
                except hashrange.Error:
                    pass
                assert not actions
            db.drop_table("hashes")


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
