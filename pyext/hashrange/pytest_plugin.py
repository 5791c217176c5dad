"""The pytest plugin: a fresh database in memory for each test, and DynamoDB's faces of it.

Theory of operation. Installing hashrange is enough: pytest finds the fixtures through the entry
point. `hashrange_db` is made anew for each test that asks for it; the other fixtures are ways to
reach that same database, so that a test may write through one and look through another.

This module is imported whenever pytest starts, in projects too that never use it: everything beyond
the package itself is imported by the fixture that needs it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def hashrange_db() -> Iterator[Any]:
    """A fresh `hashrange.Database` in memory, closed when the test is over."""
    import hashrange

    with hashrange.open() as database:
        yield database


@pytest.fixture
def dynamodb_client(hashrange_db: Any) -> Any:
    """A client with boto3's methods and exceptions over `hashrange_db`, in process."""
    return hashrange_db.client()


@pytest.fixture
def dynamodb_resource(hashrange_db: Any) -> Any:
    """A resource with boto3's tables and batches over `hashrange_db`, in process."""
    return hashrange_db.resource()


@pytest.fixture
def dynamodb_endpoint(hashrange_db: Any) -> Iterator[str]:
    """The URL of an HTTP endpoint over `hashrange_db`, on a port of its own, while the test runs.

    Needs the extra `server`.
    """
    api: Any = importlib.import_module("hashrange")
    with api.serve(hashrange_db) as server:
        yield server.url


@pytest.fixture
def patched_boto3(hashrange_db: Any) -> Iterator[Any]:
    """Let every boto3 and botocore client of DynamoDB use `hashrange_db` while the test runs.

    The value is the database. Needs boto3 or botocore.
    """
    api: Any = importlib.import_module("hashrange")
    with api.patch(hashrange_db):
        yield hashrange_db
