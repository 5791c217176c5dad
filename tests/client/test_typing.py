"""Types: our client and resource stand where those of mypy_boto3_dynamodb are expected."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")
pytest.importorskip("mypy_boto3_dynamodb")
ROOT = Path(__file__).resolve().parents[2]

PROGRAM = '''
from typing import Any

from mypy_boto3_dynamodb import DynamoDBClient, DynamoDBServiceResource
from mypy_boto3_dynamodb.service_resource import Table

import hashrange
from hashrange.client import Binary, ClientError


def names(client: DynamoDBClient) -> list[str]:
    client.put_item(TableName="t", Item={"a": {"S": "b"}})
    return client.list_tables()["TableNames"]


def table(resource: DynamoDBServiceResource) -> Table:
    return resource.Table("t")


db = hashrange.open()
names(db.client())
count: int = table(db.resource()).item_count
pages = db.client().get_paginator("query").paginate(TableName="t")
db.client().get_waiter("table_exists").wait(TableName="t")
try:
    db.client().get_item(TableName="t", Key={"a": {"S": "b"}})
except db.client().exceptions.ResourceNotFoundException as missing:
    message: Any = missing.response["Error"]["Message"]
except ClientError as error:
    code: str = error.code
with hashrange.patch(db), hashrange.attach(object(), db) as attachment:
    attachment.detach()
content: bytes = bytes(Binary(b"a"))
'''
WRONG = '''
import hashrange

db = hashrange.open()
db.client().put_item(TableName=1, Item={})
db.resource().Table("t").item_count + "x"
'''


def checked(text: str, folder: Path) -> list[str]:
    program = folder / "program.py"
    program.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / "cache"),
         "--no-error-summary", "--follow-imports=silent", "--explicit-package-bases",
         "--ignore-missing-imports", str(program)],
        cwd=folder, capture_output=True, text=True, check=False,
        env={"MYPYPATH": f"{ROOT / 'pyext'}:{ROOT}"},
    )
    assert not done.stderr, done.stderr
    return [line.split(": ", 1)[1] for line in done.stdout.splitlines() if ": error: " in line]


# `Database.client()` is annotated with the stubs' own class, which is why this holds.
def test_a_program_that_is_right_passes_and_one_that_is_wrong_does_not(tmp_path: Path) -> None:
    assert checked(PROGRAM, tmp_path) == []
    wrong = checked(WRONG, tmp_path)
    assert any('"TableName" to "put_item"' in line for line in wrong), wrong
    assert any('Unsupported operand types for + ("int" and "str")' in line for line in wrong)
