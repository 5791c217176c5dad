"""A writer of transactions and index changes is killed; what is left is whole.

After every opening each index agrees with its table, entry by entry, transactions are there as a
whole or not at all, and an index whose backfill was cut short is completed at the next use.
"""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from crash.oracle import rounds_of, seed_of
from execute.agreement import check_indexes, scanned
from execute.conftest import table, thing

import hashrange
import hashrange.catalog
import hashrange.door
import hashrange.tokens
from ddbcore.backfill import fill
from ddbcore.cursor import Scan
from ddbcore.table import CoreTable

ACCOUNTS = 20
LATE = {
    "IndexName": "late",
    "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}
DEFINITIONS = [{"AttributeName": "a", "AttributeType": "S"}]

WRITER = """
    import itertools, random, sys
    import hashrange
    from crash.test_data_plane_kill import make_late, transfer
    from execute.conftest import thing
    choose = random.Random(int(sys.argv[2]))
    with hashrange.open(sys.argv[1], checkpoint_bytes=1 << 16) as db:
        print("ready", flush=True)
        for number in itertools.count():
            transfer(db, choose, number)
            if number % 40 == 10:
                make_late(db)
            print(number, flush=True)
"""


def transfer(db: hashrange.Database, choose: random.Random, number: int) -> None:
    """Move money between two accounts, and note it; all in one transaction."""
    one, other = choose.sample(range(ACCOUNTS), 2)
    amount = choose.randint(1, 50)
    actions: list[dict[str, Any]] = [
        {"Put": {"TableName": "things", "Item": thing("note", number, a=choose.choice("abc"),
                                                      g=choose.choice("gh"))}}
    ]
    for sk, step in ((one, amount), (other, -amount)):
        actions.append({"Update": {
            "TableName": "things", "Key": thing("account", sk),
            "UpdateExpression": "SET v = v + :n, g = :g, #n = :m",
            "ExpressionAttributeNames": {"#n": "last"},
            "ExpressionAttributeValues": {
                ":n": {"N": str(step)}, ":g": {"S": choose.choice("gh")}, ":m": {"N": str(number)},
            },
        }})
    db.execute("TransactWriteItems", {"TransactItems": actions})


def make_late(db: hashrange.Database) -> None:
    """Drop the index `late`, if it is there, and make it anew."""
    shown = db.execute("DescribeTable", {"TableName": "things"})["Table"]
    updates = [{"Create": LATE}]
    if any(index["IndexName"] == "late" for index in shown["GlobalSecondaryIndexes"]):
        updates = [{"Delete": {"IndexName": "late"}}, {"Create": LATE}]
    for update in updates:
        db.execute("UpdateTable", {
            "TableName": "things", "AttributeDefinitions": DEFINITIONS,
            "GlobalSecondaryIndexUpdates": [update],
        })


def made(path: Path) -> None:
    with hashrange.open(path) as db:
        db.execute("CreateTable", table())
        for sk in range(ACCOUNTS):
            db.execute("PutItem", {"TableName": "things", "Item": thing("account", sk, v=100)})


def check(db: hashrange.Database, written: int) -> None:
    """Check indexes, transactions and what was confirmed."""
    check_indexes(db, "things")
    items = scanned(db, {"TableName": "things"})
    accounts = [item for item in items if item["pk"]["S"] == "account"]
    assert len(accounts) == ACCOUNTS
    assert sum(int(item["v"]["N"]) for item in accounts) == ACCOUNTS * 100
    notes = {int(item["sk"]["N"]) for item in items if item["pk"]["S"] == "note"}
    assert set(range(written + 1)) <= notes
    for item in accounts:
        assert "last" not in item or int(item["last"]["N"]) in notes


# Killed at any moment: in a transaction, a backfill, a checkpoint.
@pytest.mark.slow
def test_a_killed_writer_leaves_whole_transactions_and_true_indexes(tmp_path: Path) -> None:
    seed = seed_of("HASHRANGE_PLANE_KILL_SEED")
    choose = random.Random(seed)
    print(f"HASHRANGE_PLANE_KILL_SEED={seed}")
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for round_number in range(rounds_of(8)):
        path = tmp_path / f"db{round_number}"
        made(path)
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), str(round_number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=paths) as writer:
            written = killed_after(writer, choose.randint(0, 300), choose.random() * 0.003)
        with hashrange.open(path) as db:
            check(db, written)
            shown = db.execute("DescribeTable", {"TableName": "things"})["Table"]
            assert all(i["IndexStatus"] == "ACTIVE" for i in shown["GlobalSecondaryIndexes"])
            make_late(db)
            check(db, written)
        report = hashrange.verify(path)
        assert report.ok, report.errors


def killed_after(writer: subprocess.Popen[bytes], count: int, more_s: float) -> int:
    """Kill a writer when it has written so much and a little more; return what it confirmed."""
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"ready\n"
    for _ in range(count):
        writer.stdout.readline()
    select.select([], [], [], more_s)
    os.kill(writer.pid, signal.SIGKILL)
    rest = writer.stdout.read().split(b"\n")
    numbers = [int(line) for line in rest[:-1]]
    return numbers[-1] if numbers else count - 1


# The moments of an index's making and dropping at which a process may end, each met exactly.
@pytest.mark.parametrize(
    "moment", ["before the engine", "in the schema", "half filled", "dropping"]
)
def test_an_index_that_was_left_half_made_is_completed(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "db")

    def end(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    def fill_half(database: hashrange.Database, *_: Any, **__: Any) -> None:
        core = CoreTable(database.engine, "things")
        assert fill(core, "late", Scan(core), 7)

    with hashrange.open(tmp_path / "db") as db:
        for sk in range(ACCOUNTS):
            item = thing("account", sk, v=100, a="abc"[sk % 3])
            db.execute("PutItem", {"TableName": "things", "Item": item})
        if moment == "dropping":
            make_late(db)
            monkeypatch.setattr(hashrange.catalog.EngineCatalog, "drop_index", end)
        elif moment == "before the engine":
            monkeypatch.setattr(hashrange.catalog.EngineCatalog, "add_index", end)
        else:
            half = fill_half if moment == "half filled" else end
            monkeypatch.setattr(hashrange.catalog, "start_filling", half)
        with pytest.raises(KeyboardInterrupt):
            make_late(db)
            # Half an index is not to be read.
            with pytest.raises(hashrange.ValidationError, match="backfilling"):
                db.execute("Scan", {"TableName": "things", "IndexName": "late"})
            raise KeyboardInterrupt
    monkeypatch.undo()
    with hashrange.open(tmp_path / "db") as db:
        check(db, -1)
        shown = db.execute("DescribeTable", {"TableName": "things"})["Table"]
        found = {i["IndexName"]: i["IndexStatus"] for i in shown["GlobalSecondaryIndexes"]}
        if moment == "dropping":
            assert "late" not in found
            assert "things/late" not in db.engine.names
        else:
            assert found["late"] == "ACTIVE"
            answer = db.execute("Scan", {"TableName": "things", "IndexName": "late"})
            assert answer["Count"] == ACCOUNTS


# The token is in the frame of its transaction: a process that ends right behind it has done both.
def test_a_token_survives_with_its_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = {
        "ClientRequestToken": "once", "ReturnConsumedCapacity": "TOTAL",
        "TransactItems": [{"Update": {
            "TableName": "things", "Key": thing("account", 1), "UpdateExpression": "ADD v :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }}],
    }

    def end(*_: Any) -> None:
        raise KeyboardInterrupt

    made(tmp_path / "db")
    with hashrange.open(tmp_path / "db") as db:
        monkeypatch.setattr(hashrange.tokens.Tokens, "forget", end)
        with pytest.raises(KeyboardInterrupt):
            db.execute("TransactWriteItems", request)
    monkeypatch.undo()
    with hashrange.open(tmp_path / "db") as db:
        assert db.execute("ListTables", {})["TableNames"] == ["things"]
        answer = db.execute("TransactWriteItems", request)
        # Paid as a read, of the item as it is.
        assert answer["ConsumedCapacity"][0]["CapacityUnits"] == 2.0
        found = db.execute("GetItem", {"TableName": "things", "Key": thing("account", 1)})
        assert found["Item"]["v"] == {"N": "101"}
