"""A database in memory and one on disk, and `execute` over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hashrange

Execute = Callable[..., dict[str, Any]]


@pytest.fixture(params=["memory", "disk"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[hashrange.Database]:
    with hashrange.open(None if request.param == "memory" else tmp_path / "db") as database:
        yield database
        if database.engine.refusal is not None:
            return                        # the test closed it, and opened it again
        report = hashrange.verification.inspect(database)
        assert report.ok, report.errors


@pytest.fixture
def run(db: hashrange.Database) -> Execute:
    """Return `run(operation, **members)`."""
    return lambda operation, **request: db.execute(operation, request)


def table(**members: Any) -> dict[str, Any]:
    """Return a CreateTable request: pk (S) and sk (N), an LSI on a, and GSIs on g."""
    return {
        "TableName": "things",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
            {"AttributeName": "a", "AttributeType": "S"},
            {"AttributeName": "g", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "LocalSecondaryIndexes": [
            {
                "IndexName": "by_a",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "a", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by_g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "by_g_sk",
                "KeySchema": [
                    {"AttributeName": "g", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["v"]},
            },
        ],
        **members,
    }


def thing(pk: str, sk: int, **attributes: Any) -> dict[str, Any]:
    """Return an item: str becomes S, int N."""
    values = {"pk": pk, "sk": sk, **attributes}
    return {
        name: {"S": value} if isinstance(value, str)
        else {"N": str(value)} if isinstance(value, int)
        else value
        for name, value in values.items()
    }
