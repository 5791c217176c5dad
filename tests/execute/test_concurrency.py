"""Threads that write the same items at once, and a history that must add up.

Transfers between accounts, conditional updates and counters run in 8 threads. TransactGetItems must
show one moment: the sum never changes. What was confirmed is there, what was refused is not. The
service's own errors are allowed, nothing else; and all threads must end.

HASHRANGE_THREADS_SEED repeats a run as far as the scheduler lets it.
"""

from __future__ import annotations

import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from crash.oracle import seed_of
from execute.agreement import check_indexes
from execute.conftest import table, thing

import hashrange
from hashrange.errors import TransactionCanceled

THREADS = 8
ACCOUNTS = 10
STEPS = 1000
END_S = 60
REASONS = {"None", "ConditionalCheckFailed", "TransactionConflict"}


@pytest.fixture(autouse=True)
def switching() -> Iterator[None]:
    """Let threads take turns a thousand times as often as usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.000005)
    yield
    sys.setswitchinterval(usual)


def together(work: Callable[[int], None], count: int = THREADS) -> None:
    """Run work(number) in threads that begin at once; raise what one of them raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(END_S)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]


class Bank:
    """Accounts, and what each thread knows of its own doings."""

    def __init__(self, db: hashrange.Database, seed: int) -> None:
        self.db, self.seed = db, seed
        self.counted: Counter[int] = Counter()
        self.lock = threading.Lock()
        db.execute("CreateTable", table())
        for sk in range(ACCOUNTS):
            db.execute("PutItem", {"TableName": "things", "Item": thing("account", sk, v=100, c=0)})

    def work(self, number: int) -> None:
        choose = random.Random(self.seed * THREADS + number)
        for step in range(STEPS):
            what = choose.choice([self.transfer, self.transfer, self.count, self.look, self.move])
            what(choose, number * STEPS + step)

    def transfer(self, choose: random.Random, name: int) -> None:
        """Move money, unless the account would be overdrawn; leave a note of it."""
        one, other = choose.sample(range(ACCOUNTS), 2)
        amount = choose.randint(1, 60)
        request: dict[str, Any] = {"TransactItems": [
            self.change(one, -amount, "v >= :least", {":least": {"N": str(amount)}}),
            self.change(other, amount, None, {}),
            {"Put": {
                "TableName": "things", "Item": thing("note", name, a=f"a{one}", g=f"g{other}"),
                "ConditionExpression": "attribute_not_exists(pk)",
            }},
        ]}
        if choose.random() < 0.3:
            request["ClientRequestToken"] = f"transfer {name}"
        try:
            self.db.execute("TransactWriteItems", request)
        except TransactionCanceled as error:
            codes = [reason["Code"] for reason in error.reasons]
            assert set(codes) <= REASONS, codes
            assert codes[2] == "None", "a note that nobody made was there"
            done = False
        else:
            done = True
        found = self.db.execute("GetItem", {"TableName": "things", "Key": thing("note", name)})
        assert ("Item" in found) == done

    @staticmethod
    def change(sk: int, step: int, condition: str | None, values: dict[str, Any]) -> dict[str, Any]:
        members: dict[str, Any] = {
            "TableName": "things", "Key": thing("account", sk),
            "UpdateExpression": "SET v = v + :step, g = :g",
            "ExpressionAttributeValues": {
                ":step": {"N": str(step)}, ":g": {"S": f"g{step % 3}"}, **values
            },
        }
        if condition is not None:
            members["ConditionExpression"] = condition
        return {"Update": members}

    def count(self, choose: random.Random, _: int) -> None:
        """Read a counter and set it one higher if it is still the same, until that works."""
        key = {"TableName": "things", "Key": thing("account", choose.randrange(ACCOUNTS))}
        for _ in range(1000):
            seen = self.db.execute("GetItem", {**key, "ConsistentRead": True})["Item"]["c"]
            try:
                self.db.execute("UpdateItem", {
                    **key, "UpdateExpression": "SET c = :new", "ConditionExpression": "c = :seen",
                    "ExpressionAttributeValues": {
                        ":seen": seen, ":new": {"N": str(int(seen["N"]) + 1)}
                    },
                })
            except hashrange.ConditionalCheckFailed:
                continue
            with self.lock:
                self.counted[int(key["Key"]["sk"]["N"])] += 1       # type: ignore[index]
            return
        raise AssertionError("a counter was never to be had")

    def look(self, _: random.Random, __: int) -> None:
        """See all accounts at one moment."""
        answer = self.db.execute("TransactGetItems", {"TransactItems": [
            {"Get": {"TableName": "things", "Key": thing("account", sk)}} for sk in range(ACCOUNTS)
        ]})
        amounts = [int(response["Item"]["v"]["N"]) for response in answer["Responses"]]
        assert sum(amounts) == ACCOUNTS * 100
        assert min(amounts) >= 0

    def move(self, choose: random.Random, _: int) -> None:
        """Change an item's index keys, and walk an index meanwhile."""
        sk = choose.randrange(ACCOUNTS)
        self.db.execute("UpdateItem", {
            "TableName": "things", "Key": thing("account", sk), "UpdateExpression": "SET a = :a",
            "ExpressionAttributeValues": {":a": {"S": choose.choice("xyz")}},
        })
        answer = self.db.execute("Query", {
            "TableName": "things", "IndexName": "by_a", "KeyConditionExpression": "pk = :p",
            "ExpressionAttributeValues": {":p": {"S": "account"}},
        })
        found = [int(item["sk"]["N"]) for item in answer["Items"]]
        assert sk in found or len(found) > 0

    def check(self) -> None:
        self.look(random.Random(0), 0)
        for sk in range(ACCOUNTS):
            found = self.db.execute("GetItem", {"TableName": "things", "Key": thing("account", sk)})
            assert int(found["Item"]["c"]["N"]) == self.counted[sk]
        check_indexes(self.db, "things")


@pytest.mark.slow
def test_transfers_of_many_threads_add_up(db: hashrange.Database) -> None:
    seed = seed_of("HASHRANGE_THREADS_SEED")
    print(f"HASHRANGE_THREADS_SEED={seed}")
    bank = Bank(db, seed)
    together(bank.work)
    bank.check()


# ADD is atomic: no increment is lost, alone or in a transaction.
def test_no_increment_is_lost(db: hashrange.Database) -> None:
    db.execute("CreateTable", table())
    members = {
        "TableName": "things", "Key": thing("p", 1), "UpdateExpression": "ADD v :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }

    def work(number: int) -> None:
        for _ in range(100):
            if number % 2:
                db.execute("UpdateItem", {**members, "ReturnValues": "ALL_NEW"})
            else:
                db.execute("TransactWriteItems", {"TransactItems": [{"Update": members}]})

    together(work)
    found = db.execute("GetItem", {"TableName": "things", "Key": thing("p", 1)})
    assert found["Item"]["v"] == {"N": str(THREADS * 100)}


# Calls with one token are one transaction, however they meet.
def test_a_token_is_spent_once_by_many_threads(db: hashrange.Database) -> None:
    db.execute("CreateTable", table())
    request = {"ClientRequestToken": "once", "TransactItems": [{"Update": {
        "TableName": "things", "Key": thing("p", 1), "UpdateExpression": "ADD v :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }}]}
    together(lambda _: db.execute("TransactWriteItems", request) and None)
    found = db.execute("GetItem", {"TableName": "things", "Key": thing("p", 1)})
    assert found["Item"]["v"] == {"N": "1"}


# The first calls of all threads make the service, and of the same table only one is made.
def test_the_first_calls_may_come_at_once(db: hashrange.Database) -> None:
    made: list[int] = []

    def work(number: int) -> None:
        try:
            db.execute("CreateTable", table())
            made.append(number)
        except (hashrange.TableExists, hashrange.Error) as error:
            assert error.code == "ResourceInUseException", error
        db.execute("PutItem", {"TableName": "things", "Item": thing("p", number, g="g")})

    together(work)
    assert len(made) == 1
    assert check_indexes(db, "things") == 2 * THREADS


# While indexes come and go, writers see no error, and every index agrees in the end.
@pytest.mark.slow
def test_writes_go_on_while_indexes_come_and_go(db: hashrange.Database) -> None:
    db.execute("CreateTable", table())
    late = {
        "IndexName": "late", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }

    def work(number: int) -> None:
        choose = random.Random(number)
        for step in range(400):
            if number == 0 and step % 5 == 0:
                change = {"Create": late} if step % 10 == 0 else {"Delete": {"IndexName": "late"}}
                db.execute("UpdateTable", {
                    "TableName": "things",
                    "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
                    "GlobalSecondaryIndexUpdates": [change],
                })
            item = thing("p", choose.randrange(200), a=choose.choice("abc"), v=step)
            if step % 2:
                db.execute("PutItem", {"TableName": "things", "Item": item})
            else:
                db.execute("BatchWriteItem", {"RequestItems": {"things": [
                    {"PutRequest": {"Item": item}},
                    {"DeleteRequest": {"Key": thing("p", 200 + choose.randrange(50))}},
                ]}})

    together(work)
    check_indexes(db, "things")
