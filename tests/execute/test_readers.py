"""A process that only reads runs execute's reads while another writes.

A reader follows the log frame by frame, and an item and its index entries share a frame: so it must
never meet an entry without its item, nor a transaction's half.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from execute.agreement import check_indexes
from execute.conftest import table, thing

import hashrange

WRITER = """
    import random, sys, time
    import hashrange
    from execute.conftest import thing
    choose = random.Random(7)
    with hashrange.open(sys.argv[1], checkpoint_bytes=65536) as db:
        print("ready", flush=True)
        end = time.monotonic() + float(sys.argv[2])
        while time.monotonic() < end:
            puts = []
            for sk in choose.sample(range(40), 4):
                item = thing("p", sk, g=choose.choice("gh"), a=choose.choice("ab"), v=0)
                puts.append({"Put": {"TableName": "things", "Item": item}})
            moved = choose.randint(1, 9)
            for pk, step in (("x", moved), ("y", -moved)):
                puts.append({"Update": {
                    "TableName": "things", "Key": thing(pk, 0), "UpdateExpression": "ADD v :n",
                    "ExpressionAttributeValues": {":n": {"N": str(step)}},
                }})
            db.execute("TransactWriteItems", {"TransactItems": puts})
            key = thing("p", choose.randint(0, 40))
            db.execute("DeleteItem", {"TableName": "things", "Key": key})
"""


def open_reader(path: Path) -> hashrange.Database:
    return hashrange.open(path, mode="r")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with hashrange.open(tmp_path / "db") as db:
        db.execute("CreateTable", table())
        for pk in "xy":
            db.execute("PutItem", {"TableName": "things", "Item": thing(pk, 0, v=0)})
    return tmp_path / "db"


# The meta of a new table says CREATING until somebody looks at it, who notes that it is over. A
# reader looks and notes nothing.
def test_a_reader_reads_a_table_that_nobody_looked_at(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as writer:
        writer.execute("CreateTable", table())
        with open_reader(tmp_path / "db") as reader:
            assert reader.execute("Scan", {"TableName": "things"})["Items"] == []
            shown = reader.execute("DescribeTable", {"TableName": "things"})["Table"]
            assert shown["TableStatus"] == "ACTIVE"


# What the writer made since the last call must be there.
def test_a_reader_sees_tables_and_indexes_as_they_come(path: Path) -> None:
    with hashrange.open(path) as writer, open_reader(path) as reader:
        assert reader.execute("ListTables", {})["TableNames"] == ["things"]
        writer.execute("CreateTable", table(TableName="others"))
        writer.execute("PutItem", {"TableName": "others", "Item": thing("p", 1)})
        key = {"TableName": "others", "Key": thing("p", 1)}
        assert reader.execute("GetItem", key)["Item"] == thing("p", 1)
        late = {
            "IndexName": "late",
            "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        definitions = [{"AttributeName": "sk", "AttributeType": "N"}]
        writer.execute("UpdateTable", {
            "TableName": "others", "AttributeDefinitions": definitions,
            "GlobalSecondaryIndexUpdates": [{"Create": late}],
        })
        answer = reader.execute("Scan", {"TableName": "others", "IndexName": "late"})
        assert answer["Items"] == [thing("p", 1)]
        writer.execute("DeleteTable", {"TableName": "others"})
        with pytest.raises(hashrange.TableNotFound):
            reader.execute("GetItem", key)


def test_a_reader_refuses_writes(path: Path) -> None:
    with open_reader(path) as reader, pytest.raises(hashrange.Error):
        reader.execute("PutItem", {"TableName": "things", "Item": thing("p", 1)})


def test_a_reader_beside_a_writer_meets_no_error(path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), "3"]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=paths) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        rounds = 0
        with open_reader(path) as reader:
            while writer.poll() is None:
                rounds += 1
                read_all_ways(reader)
        assert writer.returncode == 0
    assert rounds > 10
    with hashrange.open(path) as db:
        assert check_indexes(db, "things") > 0


def read_all_ways(reader: hashrange.Database) -> None:
    """Read the items in every way; each answer must be of one moment."""
    pair = [{"Get": {"TableName": "things", "Key": thing(pk, 0)}} for pk in "xy"]
    responses = reader.execute("TransactGetItems", {"TransactItems": pair})["Responses"]
    assert sum(int(response["Item"]["v"]["N"]) for response in responses) == 0
    for index, keys in (
        ("by_g", "g = :k"), ("by_g_sk", "g = :k"), ("by_a", "pk = :k"), (None, "pk = :k")
    ):
        key = {"S": "p" if keys.startswith("pk") else "g"}
        request = {
            "TableName": "things", "KeyConditionExpression": keys,
            "ExpressionAttributeValues": {":k": key}, "Limit": 7,
        }
        if index is not None:
            request["IndexName"] = index
        while True:
            answer = reader.execute("Query", request)
            for item in answer["Items"]:
                assert item[keys.split()[0]] == key
            if "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    for index in ("by_g", "by_a"):
        reader.execute("Scan", {"TableName": "things", "IndexName": index})
    reader.execute("Scan", {"TableName": "things"})
