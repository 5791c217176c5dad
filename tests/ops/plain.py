"""Requests that are fine, to be spoiled by tests."""

from __future__ import annotations

from typing import Any

ACCOUNT = "123456789012"
ARN = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/"


def keys(*names: str, kinds: str = "HR") -> list[dict[str, str]]:
    """Return a key schema: hash first, then range, or as `kinds` says."""
    words = {"H": "HASH", "R": "RANGE"}
    return [
        {"AttributeName": name, "KeyType": words[kind]}
        for name, kind in zip(names, kinds, strict=False)
    ]


def types(*names: str) -> list[dict[str, str]]:
    """Return attribute definitions, all strings."""
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


def units(read: int, write: int) -> dict[str, int]:
    """Return ProvisionedThroughput."""
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def index(name: str, *names: str, kinds: str = "HR", **members: Any) -> dict[str, Any]:
    """Return an index that projects everything."""
    return {
        "IndexName": name,
        "KeySchema": keys(*names, kinds=kinds),
        "Projection": {"ProjectionType": "ALL"},
        **members,
    }


def indexed_table() -> dict[str, Any]:
    """Return a provisioned table with a global index of its own 2 and 2, and a local one."""
    return provisioned_table(
        AttributeDefinitions=types("pk", "sk", "a"),
        GlobalSecondaryIndexes=[index("gsi", "a", ProvisionedThroughput=units(2, 2))],
        LocalSecondaryIndexes=[index("lsi", "pk", "a")],
    )


def table(**members: Any) -> dict[str, Any]:
    """Return a CreateTable request: pk and sk, on demand. A member given as None is left out."""
    request = {
        "TableName": "abc",
        "AttributeDefinitions": types("pk", "sk"),
        "KeySchema": keys("pk", "sk"),
        "BillingMode": "PAY_PER_REQUEST",
        **members,
    }
    return {name: value for name, value in request.items() if value is not None}


def provisioned_table(**members: Any) -> dict[str, Any]:
    """Return the same with 5 read and 5 write units."""
    return table(BillingMode=None, ProvisionedThroughput=units(5, 5), **members)
