"""transact and transact_get: all or nothing, at one moment, in native terms."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path

import pytest

import hashrange
from hashrange import Attr


@pytest.fixture
def accounts(db: hashrange.Database) -> hashrange.Table:
    table = db.create_table("accounts", ("id", "S"))
    for name in "abc":
        table.put({"id": name, "balance": 100})
    return table


@pytest.fixture
def moves(db: hashrange.Database) -> hashrange.Table:
    return db.create_table("moves", ("day", "S"), ("n", "N"))


def move(tx: hashrange.database.Transaction, source: str, target: str, amount: int) -> None:
    tx.update(
        "accounts", source, "ADD balance :n", values={":n": -amount, ":least": amount},
        condition="balance >= :least",
    )
    tx.update("accounts", target, "ADD balance :n", values={":n": amount})


def test_a_transaction_writes_all_of_it(
    db: hashrange.Database, accounts: hashrange.Table, moves: hashrange.Table
) -> None:
    with db.transact() as tx:
        move(tx, "a", "b", 30)
        tx.put(moves, {"day": "mon", "n": 1, "tags": {"x"}, "amount": Decimal("30.5")})
        tx.delete("moves", "mon", 0)
        tx.check("accounts", "c", condition=Attr("balance").eq(100))
        assert tx.count == 5
        assert accounts.get("a")["balance"] == 100
    assert accounts.get("a")["balance"] == 70
    assert accounts.get("b")["balance"] == 130
    assert moves.get("mon", 1) == {"day": "mon", "n": 1, "tags": {"x"}, "amount": Decimal("30.5")}


def test_a_false_condition_cancels_all_with_reasons(
    db: hashrange.Database, accounts: hashrange.Table, moves: hashrange.Table
) -> None:
    with pytest.raises(hashrange.TransactionCanceled) as caught, db.transact() as tx:
        tx.put(moves, {"day": "mon", "n": 1})
        move(tx, "a", "b", 101)
        tx.check("moves", "mon", 7, condition=Attr("n").exists())
    error = caught.value
    assert error.code == "TransactionCanceledException"
    assert [reason["Code"] for reason in error.reasons] == [
        "None", "ConditionalCheckFailed", "None", "ConditionalCheckFailed",
    ]
    assert error.reasons[1]["Item"] == {"id": "a", "balance": 100}
    assert "Item" not in error.reasons[3]
    assert "[None, ConditionalCheckFailed, None, ConditionalCheckFailed]" in str(error)
    assert accounts.get("a")["balance"] == accounts.get("b")["balance"] == 100
    assert moves.count() == 0


def test_an_exception_in_the_block_drops_it(
    db: hashrange.Database, accounts: hashrange.Table
) -> None:
    with pytest.raises(RuntimeError), db.transact() as tx:
        tx.put(accounts, {"id": "d"})
        raise RuntimeError
    assert accounts.get("d") is None
    with pytest.raises(hashrange.ValidationError, match="is over"):
        tx.put(accounts, {"id": "d"})
    with pytest.raises(hashrange.ValidationError, match="is over"):
        tx.commit()


def test_an_empty_transaction_does_nothing(db: hashrange.Database) -> None:
    with db.transact():
        pass
    with db.transact(token="t"):
        pass


# DynamoDB's rule: at most 100 actions, and one for each item.
def test_the_bounds_of_a_transaction(db: hashrange.Database, accounts: hashrange.Table) -> None:
    with db.transact() as tx:
        for number in range(99):
            tx.put(accounts, {"id": f"n{number}"})
        tx.put(accounts, {"id": "n99"})
        with pytest.raises(hashrange.ValidationError, match="at most 100"):
            tx.put(accounts, {"id": "n100"})
    assert accounts.count() == 103
    keys = [("accounts", f"n{number}") for number in range(100)]
    assert len(db.transact_get(keys)) == 100
    with pytest.raises(hashrange.ValidationError, match="at most 100"):
        db.transact_get([*keys, ("accounts", "a")])


def test_two_actions_on_one_item_are_refused(
    db: hashrange.Database, accounts: hashrange.Table
) -> None:
    words = "multiple operations on one item"
    with pytest.raises(hashrange.ValidationError, match=words), db.transact() as tx:
        tx.put(accounts, {"id": "a"})
        tx.check("accounts", "a", condition="attribute_exists(id)")
    assert accounts.get("a") == {"id": "a", "balance": 100}


# What is wrong with one call is said by it; the block goes on if that is caught.
def test_bad_actions_are_refused_at_once(
    db: hashrange.Database, accounts: hashrange.Table, moves: hashrange.Table
) -> None:
    with hashrange.open() as other, db.transact() as tx:
        foreign = other.create_table("accounts", ("id", "S"))
        for wrong in (
            lambda: tx.put(accounts, {"balance": 1}),
            lambda: tx.put(accounts, {"id": 5}),
            lambda: tx.put(foreign, {"id": "x"}),
            lambda: tx.delete("moves", "mon"),
            lambda: tx.update("accounts", "a", "SET"),
            lambda: tx.update("accounts", "a", Attr("x").eq(1)),
            lambda: tx.check("accounts", "a", condition=None),
            lambda: tx.put(accounts, {"id": "x"}, condition="nonsense ="),
        ):
            with pytest.raises(hashrange.ValidationError):
                wrong()
        with pytest.raises(hashrange.TableNotFound):
            tx.put("nowhere", {"id": "x"})
        with pytest.raises(TypeError):
            tx.update("accounts", "a")
        assert tx.count == 0
        tx.put(accounts, {"id": "fine"})
    assert accounts.get("fine") == {"id": "fine"}


# An action that cannot be carried out is a reason like a false condition, as in the service.
def test_an_action_that_fails_cancels_the_rest(
    db: hashrange.Database, accounts: hashrange.Table
) -> None:
    with pytest.raises(hashrange.TransactionCanceled) as caught, db.transact() as tx:
        tx.put(accounts, {"id": "x"})
        tx.update(accounts, "a", "SET balance = id + :n", values={":n": 1})
        tx.put(accounts, {"id": "y"})
    codes = [reason["Code"] for reason in caught.value.reasons]
    assert codes == ["None", "ValidationError", "None"]
    assert accounts.get("x") is None


# An item that nobody can store is said by the put, as in Table.put and Batch.put.
def test_an_item_is_looked_at_when_it_is_put(
    db: hashrange.Database, accounts: hashrange.Table
) -> None:
    with db.transact() as tx:
        with pytest.raises(hashrange.ValidationError, match="float is not supported"):
            tx.put(accounts, {"id": "y", "bad": 1.5})
        with pytest.raises(hashrange.ItemTooLarge):
            tx.put(accounts, {"id": "y", "large": "x" * 409_600})
        assert tx.count == 0
        tx.put(accounts, {"id": "y"})
    assert accounts.get("y") == {"id": "y"}


# One dict for many items, changed between the calls, as with Table.put.
def test_items_and_values_are_those_of_the_call(
    db: hashrange.Database, accounts: hashrange.Table
) -> None:
    item: dict[str, object] = {"id": ""}
    values = {":n": 0}
    with db.transact() as tx:
        for number, name in enumerate("abc"):
            item["id"] = f"new {name}"
            values[":n"] = number
            tx.put(accounts, item)
            tx.update(accounts, name, "SET balance = :n", values=values)
        item["id"] = "other"
        values[":n"] = 9
    assert [accounts.get(name)["balance"] for name in "abc"] == [0, 1, 2]
    assert accounts.get("new b") == {"id": "new b"}
    assert accounts.get("other") is None


# Nothing can be added to a transaction by what encoding runs in the middle of adding.
def test_an_action_is_not_added_within_another(
    db: hashrange.Database, accounts: hashrange.Table
) -> None:
    tx = db.transact()
    words = []

    class Name(str):
        __slots__ = ()

        def __hash__(self) -> int:
            for call in (
                lambda: tx.put(accounts, {"id": "within"}), tx.commit, lambda: tx.__init__(db)
            ):
                with pytest.raises(hashrange.ValidationError) as caught:
                    call()
                words.append(str(caught.value))
            return super().__hash__()

        __eq__ = str.__eq__

    class Values(dict):  # type: ignore[type-arg]
        def items(self):  # type: ignore[no-untyped-def]
            hash(Name("x"))
            return super().items()

    with tx:
        tx.put(accounts, Values(id="x"))
    assert all("encoding" in word for word in words)
    assert accounts.get("x") == {"id": "x"}
    assert accounts.get("within") is None


def test_tables_by_name_are_those_of_now(
    db: hashrange.Database, accounts: hashrange.Table
) -> None:
    for number in range(3):
        with db.transact() as tx:
            tx.put("accounts", {"id": "x", "n": number})
        assert db.table("accounts").get("x") == {"id": "x", "n": number}
        db.drop_table("accounts")
        with db.transact() as tx, pytest.raises(hashrange.TableNotFound):
            tx.put("accounts", {"id": "x"})
        db.create_table("accounts", ("id", "S"))


# The table went after the action was added: nothing of the transaction is written.
def test_a_table_dropped_before_the_commit(
    db: hashrange.Database, accounts: hashrange.Table, moves: hashrange.Table
) -> None:
    with pytest.raises(hashrange.TableNotFound), db.transact() as tx:
        tx.put(moves, {"day": "mon", "n": 1})
        tx.put(accounts, {"id": "x"})
        db.drop_table("accounts")
    assert moves.count() == 0


def test_a_durability_that_is_none_is_refused_before_anything(
    db: hashrange.Database, accounts: hashrange.Table
) -> None:
    with pytest.raises(hashrange.ValidationError, match="durability"):
        db.transact(durability="always")


def test_a_token_makes_a_transaction_happen_once(
    db: hashrange.Database, accounts: hashrange.Table
) -> None:
    for _ in range(3):
        with db.transact(token="move-1") as tx:
            move(tx, "a", "b", 10)
    assert accounts.get("a")["balance"] == 90
    with pytest.raises(hashrange.Error) as caught, db.transact(token="move-1") as tx:
        move(tx, "a", "b", 11)
    assert caught.value.code == "IdempotentParameterMismatchException"
    for token in ("", "x" * 37, 5):
        with pytest.raises(hashrange.ValidationError, match="token="):
            db.transact(token=token)
    assert db.tables() == ["accounts"]


# A canceled transaction leaves no token: it may be tried again.
def test_a_token_of_a_canceled_transaction(
    db: hashrange.Database, accounts: hashrange.Table
) -> None:
    def attempt() -> None:
        with db.transact(token="t") as tx:
            move(tx, "a", "b", 150)

    with pytest.raises(hashrange.TransactionCanceled):
        attempt()
    accounts.update("a", "ADD balance :n", values={":n": 100})
    attempt()
    attempt()
    assert accounts.get("a")["balance"] == 50


def test_transact_get_returns_items_in_order(
    db: hashrange.Database, accounts: hashrange.Table, moves: hashrange.Table
) -> None:
    moves.put({"day": "mon", "n": 1, "set": {1, 2}})
    found = db.transact_get([
        ("moves", "mon", 1), (accounts, "b"), ("accounts", "nobody"), ("accounts", "a"),
    ])
    assert found == [
        {"day": "mon", "n": 1, "set": {1, 2}}, {"id": "b", "balance": 100}, None,
        {"id": "a", "balance": 100},
    ]
    assert db.transact_get([]) == []
    for wrong in (["a"], [("accounts",)], [("accounts", "a", 1)], [("moves", "mon")], ["ab"]):
        with pytest.raises(hashrange.ValidationError):
            db.transact_get(wrong)
    with pytest.raises(hashrange.TableNotFound):
        db.transact_get([("nowhere", "a")])


# Money moves in transactions while others read: no reader ever sees a part of it.
def test_threads_move_money_and_none_is_lost(
    db: hashrange.Database, accounts: hashrange.Table
) -> None:
    stop = threading.Event()
    wrong = []

    def work(source: str, target: str) -> None:
        for _ in range(300):
            try:
                with db.transact() as tx:
                    move(tx, source, target, 7)
            except hashrange.TransactionCanceled:
                pass

    def look() -> None:
        while not stop.is_set():
            total = sum(
                item["balance"] for item in db.transact_get([("accounts", n) for n in "abc"])
            )
            if total != 300:
                wrong.append(total)

    watcher = threading.Thread(target=look)
    watcher.start()
    workers = [threading.Thread(target=work, args=pair) for pair in ("ab", "bc", "ca", "ba")]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    stop.set()
    watcher.join()
    assert not wrong
    assert sum(item["balance"] for item in accounts.scan()) == 300
    assert all(item["balance"] >= 0 for item in accounts.scan())


def test_indexes_follow_a_transaction(db: hashrange.Database, accounts: hashrange.Table) -> None:
    accounts.create_index("by_balance", ("balance", "N"))
    with db.transact() as tx:
        move(tx, "a", "b", 50)
    found = sorted(item["balance"] for item in accounts.scan(index="by_balance"))
    assert found == [50, 100, 150]
    with pytest.raises(hashrange.TransactionCanceled), db.transact() as tx:
        tx.put(accounts, {"id": "a", "balance": "text"})
        tx.put(accounts, {"id": "z", "balance": 1})
    assert accounts.get("z") is None


def test_a_reader_sees_transactions_whole_and_makes_none(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("accounts", ("id", "S"))
        for name in "ab":
            table.put({"id": name, "balance": 100})
        with hashrange.open(tmp_path / "db", mode="r") as reader:
            with db.transact(durability="commit") as tx:
                move(tx, "a", "b", 1)
            found = reader.transact_get([("accounts", "a"), ("accounts", "b")])
            assert [item["balance"] for item in found if item] == [99, 101]
            with pytest.raises(hashrange.ReadOnlyError), reader.transact() as tx:
                tx.delete("accounts", "a")
    with hashrange.open(tmp_path / "db") as db:
        assert db.table("accounts").get("a")["balance"] == 99
