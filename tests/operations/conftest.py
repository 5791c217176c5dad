"""A database in memory, and what the tests of one operation do with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from operations.requests import ACCOUNT, notes, songs

import hashrange
from hashrange.ops.arn import Identity

Run = Callable[..., dict[str, Any]]
Refused = Callable[..., tuple[str, str]]
NOON = 1_800_000_000.0


@pytest.fixture
def db() -> Iterator[hashrange.Database]:
    """Return a database of an account in eu-west-1, whose time stands still."""
    with hashrange.open() as database:
        tables = database._service().tables
        tables.owner = Identity("eu-west-1", ACCOUNT)
        tables.clock = lambda: NOON
        yield database
        report = hashrange.verification.inspect(database)
        assert report.ok, report.errors


@pytest.fixture
def run(db: hashrange.Database) -> Run:
    """Return `run(operation, **members)`, which executes it."""
    return lambda operation, **request: db.execute(operation, request)


def held(run: Run) -> dict[str, Any]:
    """Return all that the database holds, as far as operations show it."""
    found = {}
    for name in run("ListTables")["TableNames"]:
        described = run("DescribeTable", TableName=name)["Table"]
        tags = run("ListTagsOfResource", ResourceArn=described["TableArn"])["Tags"]
        ready = described["TableStatus"] in ("ACTIVE", "UPDATING")
        items = run("Scan", TableName=name) if ready else None
        found[name] = described, tags, items
    return found


@pytest.fixture
def refused(run: Run) -> Refused:
    """Return `refused(operation, **members)`: code and words of the error, after which all is
    as it was before.
    """

    def refuse(operation: str, **request: Any) -> tuple[str, str]:
        before = held(run)
        with pytest.raises(hashrange.Error) as caught:
            run(operation, **request)
        assert held(run) == before
        return caught.value.code, str(caught.value)

    return refuse


@pytest.fixture
def made(run: Run) -> Run:
    """Make the tables songs and notes."""
    for request in (songs(), notes()):
        run("CreateTable", **request)
        run("DescribeTable", TableName=request["TableName"])
    return run


class Hands:
    """The time, which stands still until a test moves it, and how long tables take."""

    def __init__(self, database: hashrange.Database) -> None:
        self.time = NOON
        self.tables = database._service().tables
        self.tables.clock = lambda: self.time

    def slow_down(self, seconds: float = 10.0) -> None:
        """Let tables be CREATING, UPDATING or DELETING for a while."""
        self.tables.delay_s = seconds

    def wait(self, seconds: float = 10.0) -> None:
        """Let time pass."""
        self.time += seconds


@pytest.fixture
def hands(db: hashrange.Database) -> Hands:
    """Return the database's time."""
    return Hands(db)


class Control:
    """Operations on tables: calls, descriptions, refusals, and the time."""

    def __init__(self, database: hashrange.Database, delay_s: float = 0.0) -> None:
        self.database = database
        self.tables = database._service().tables
        self.tables.delay_s = delay_s
        self.tables.new_id = lambda: "id-1"
        self.tables.clock = lambda: self.time
        self.time = NOON

    def __call__(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.database.execute(operation, request)

    def table(self, name: str = "abc") -> dict[str, Any]:
        """Return the description of a table."""
        table: dict[str, Any] = self("DescribeTable", TableName=name)["Table"]
        return table

    def refusal(self, operation: str, kind: type[Exception], **request: Any) -> str:
        """Return the words of an operation that is refused, and changes nothing."""
        before = held(self)
        with pytest.raises(kind) as caught:
            self(operation, **request)
        assert type(caught.value) is kind
        assert held(self) == before
        return str(caught.value)


@pytest.fixture
def control(db: hashrange.Database) -> Control:
    """Return the control plane of a database."""
    return Control(db)


@pytest.fixture
def slow_control(db: hashrange.Database) -> Control:
    """Return one whose tables take ten seconds for everything."""
    return Control(db, delay_s=10.0)
