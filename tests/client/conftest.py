"""A database, our client and resource over it, and boto3's own over the same, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

import hashrange
from hashrange.client import patch

TABLE: dict[str, Any] = {
    "TableName": "things",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
}


@pytest.fixture
def db() -> Iterator[hashrange.Database]:
    with hashrange.open() as database:
        database.execute("CreateTable", TABLE)
        yield database


@pytest.fixture
def client(db: hashrange.Database) -> Any:
    return db.client()


@pytest.fixture
def resource(db: hashrange.Database) -> Any:
    return db.resource()


@pytest.fixture(scope="session")
def boto() -> tuple[Any, Any]:
    """Return a client and a resource of boto3; making them takes longer than most tests."""
    session = boto3.Session("a", "b", region_name="us-east-1")
    return session.client("dynamodb"), session.resource("dynamodb")


@pytest.fixture
def boto_client(boto: tuple[Any, Any], db: hashrange.Database) -> Iterator[Any]:
    """Return boto3's client, served by the database."""
    with patch(db):
        yield boto[0]


@pytest.fixture
def boto_resource(boto: tuple[Any, Any], db: hashrange.Database) -> Iterator[Any]:
    """Return boto3's resource, served by the database."""
    with patch(db):
        yield boto[1]


def without_metadata(answer: Any) -> Any:
    """Return a response without what is another one in each."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def outcome(call: Callable[[], Any]) -> Any:
    """Return what a call returns, or the names and texts of what it raises."""
    try:
        answer = call()
    except Exception as error:
        response = getattr(error, "response", None)
        carried = None if response is None else without_metadata(response)
        return type(error).__name__, str(error), carried
    return without_metadata(answer) if isinstance(answer, dict) else answer
