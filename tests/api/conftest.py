"""Fixtures of the API's tests: databases in memory and on disk, checked when a test is done."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import hashrange
from ddbcore.errors import DatabaseClosed
from ddbcore.probe import database_check


@pytest.fixture(params=["memory", "disk"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[hashrange.Database]:
    """An empty database; at the end its index, and its files, are verified."""
    path = None if request.param == "memory" else tmp_path / "db"
    database = hashrange.open(path)
    yield database
    try:
        database_check(database.engine)
    except DatabaseClosed:
        pass
    database.close()
    if path is not None and path.exists():
        report = hashrange.verify(path)
        assert report.ok, report.errors


@pytest.fixture
def hashes(db: hashrange.Database) -> hashrange.Table:
    """A table with a string hash key `id` and no range key."""
    return db.create_table("hashes", ("id", "S"))


@pytest.fixture
def ranges(db: hashrange.Database) -> hashrange.Table:
    """A table with a string hash key `h` and a number as range key `r`."""
    return db.create_table("ranges", ("h", "S"), ("r", "N"))


def files_of(path: Path) -> dict[str, tuple[int, int]]:
    files = {}
    for entry in os.scandir(path):
        with suppress(FileNotFoundError):
            state = entry.stat()
            files[entry.name] = state.st_size, state.st_mtime_ns
    return files


def copy_live(path: Path, copy: Path) -> None:
    """Copy a database in use, while nothing is written, as a kill at one moment would leave it.

    What its maintenance changes meanwhile is not for a copy to see half of: once more, then.
    """
    before: object = None
    while before is None or before != files_of(path):
        shutil.rmtree(copy, ignore_errors=True)
        before = files_of(path)
        try:
            shutil.copytree(path, copy)
        except shutil.Error:              # a segment that was found empty is gone
            before = None


@pytest.fixture
def busy_gc() -> Iterator[None]:
    """Collect garbage at nearly each allocation, so that finalizers run in the middle of calls."""
    old = gc.get_threshold()
    gc.collect()
    gc.freeze()             # what is there already need not be looked at each time
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*old)
    gc.unfreeze()


@pytest.fixture
def finalizer(db: hashrange.Database) -> Iterator[Callable[[Callable[[], object]], None]]:
    """Return a function that makes garbage whose finalizer calls what it is given.

    What is left is collected while the database is still open.
    """

    class Garbage:
        def __init__(self, action: Callable[[], object]) -> None:
            self.action = action
            self.itself = self

        def __del__(self) -> None:
            self.action()

    def make(action: Callable[[], object]) -> None:
        Garbage(action)

    yield make
    gc.collect()
