"""A server over a database in memory, with one table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from endpoint.wire import Wire

import hashrange
from hashrange.endpoint import Server

THINGS = {
    "TableName": "things",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


@pytest.fixture
def db() -> Iterator[hashrange.Database]:
    with hashrange.open() as database:
        database.execute("CreateTable", THINGS)
        yield database
        assert hashrange.verification.inspect(database).ok


@pytest.fixture
def server(db: hashrange.Database) -> Iterator[Server]:
    pytest.importorskip("httptools", reason="the endpoint needs httptools")
    with hashrange.serve(db) as server:
        yield server


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    with Wire(server) as wire:
        yield wire
