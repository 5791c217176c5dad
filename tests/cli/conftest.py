"""A shop's database on disk, and `hashrange` run on it: in this process, or in one of its own."""

from __future__ import annotations

import fcntl
import io
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import hashrange
from hashrange.cli import main

TABLE = {
    "TableName": "orders",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "customer", "AttributeType": "S"},
        {"AttributeName": "ts", "AttributeType": "N"},
        {"AttributeName": "status", "AttributeType": "S"},
        {"AttributeName": "region", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "customer", "KeyType": "HASH"},
        {"AttributeName": "ts", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_status",
            "KeySchema": [
                {"AttributeName": "status", "KeyType": "HASH"},
                {"AttributeName": "ts", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        },
        {
            "IndexName": "by_place",
            "KeySchema": [
                {"AttributeName": "status", "KeyType": "HASH"},
                {"AttributeName": "customer", "KeyType": "HASH"},
                {"AttributeName": "region", "KeyType": "RANGE"},
                {"AttributeName": "ts", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
    ],
}


class Result(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Result]


def fill_shop(path: Path) -> None:
    """Make the database of the tests: nine orders of ada, one of bob, and a table of readings."""
    with hashrange.open(path) as database:
        database.execute("CreateTable", TABLE)
        orders = database.table("orders")
        for ts in range(1, 10):
            orders.put({
                "customer": "ada", "ts": ts, "amount": 10 * ts, "region": "eu",
                "status": "paid" if ts % 2 else "open",
            })
        orders.put({
            "customer": "bob", "ts": 1, "photo": b"\x00\x01", "tags": {"new"}, "nested": {"a": [1]},
        })
        readings = database.create_table("readings", ("degrees", "N"))
        readings.put({"degrees": -40, "place": "roof"})
        database.create_table("blobs", ("id", "B")).put({"id": b"\x00\xff", "name": "first"})
        database.create_table("stock", ("sku", "S")).put({"sku": "tea", "n": 2})
        database.create_table("old_orders", ("customer", "S"))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of the database, from the directory that the test then runs in."""
    monkeypatch.chdir(tmp_path)
    fill_shop(tmp_path / "shop.db")
    return "shop.db"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process."""

    def run(*arguments: str, stdin: str | bytes = b"") -> Result:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
        capsys.readouterr()
        status = main(list(arguments))
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return run


@pytest.fixture
def verified(shop: str) -> Any:
    """Check the database when the test is over."""
    yield shop
    report = hashrange.verify(shop)
    assert report.ok, report.errors


def start(*arguments: str, terminal: bool = False, **options: Any) -> subprocess.Popen[bytes]:
    """Start a command line in a process of its own, in the directory of the test.

    terminal: its standard input is a terminal, which is to send it Ctrl-C.
    """

    def prepare() -> None:
        # Where the tests run in a shell's background, Ctrl-C is ignored by all that they start.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "XDG_STATE_HOME": str(Path.cwd() / "state"),
        "TERM": "xterm",
        "COLUMNS": "100",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "hashrange", *arguments], env=environment,
        start_new_session=terminal, preexec_fn=prepare, **options,
    )
