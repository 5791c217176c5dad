"""The door: what it answers is what the long way answers, and it takes nothing that is unusual."""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from endpoint.conftest import THINGS
from endpoint.test_fuzz import InlineServer, Transport
from endpoint.wire import request_bytes

import hashrange
from ddbcore.json_door import JsonDoor, checksum

pytest.importorskip("httptools", reason="the endpoint needs httptools")

from hashrange.endpoint.protocol import Connection

RANGED = {
    "TableName": "ranged",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "h", "AttributeType": "N"}, {"AttributeName": "r", "AttributeType": "B"},
        {"AttributeName": "g", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "h", "KeyType": "HASH"}, {"AttributeName": "r", "KeyType": "RANGE"},
    ],
}
KEY = {"id": {"S": "a"}}
ITEM = {
    "id": {"S": "a"}, "text": {"S": 'quo"te \\ \n ☃ 😀'}, "n": {"N": "-1.5"}, "b": {"B": "AAEC"},
    "l": {"L": [{"NULL": True}, {"BOOL": False}, {"M": {"größe": {"N": "3"}}}]},
    "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2.5"]}, "bs": {"BS": ["AA==", "AQ=="]},
}
GET = request_bytes("GetItem", {"TableName": "things", "Key": KEY})
PUT = request_bytes("PutItem", {"TableName": "things", "Item": ITEM})
CHANGING = re.compile(rb"(Date: [^\r]*|x-amzn-RequestId: \w+)\r\n")


class Long:
    """A server whose connections never ask the door."""

    def __init__(self, database: hashrange.Database) -> None:
        self.server = InlineServer(database)

    def answer(self, data: bytes, *, with_door: bool = False) -> bytes:
        connection = Connection(self.server)  # type: ignore[arg-type]
        transport = Transport()
        connection.connection_made(transport)  # type: ignore[arg-type]
        if not with_door:
            connection.door = lambda data: None
        connection.data_received(data)
        return transport.written


@pytest.fixture
def db() -> Iterator[hashrange.Database]:
    with hashrange.open() as database:
        database.execute("CreateTable", THINGS)
        definitions = RANGED["AttributeDefinitions"][:2]
        database.execute("CreateTable", {**RANGED, "AttributeDefinitions": definitions})
        yield database
        assert hashrange.verification.inspect(database).ok


@pytest.fixture
def long(db: hashrange.Database) -> Long:
    return Long(db)


@pytest.fixture
def door(long: Long) -> JsonDoor:
    """A door that knows both tables."""
    key = {"h": {"N": "1"}, "r": {"B": "AA=="}}
    # A new table becomes active at the first look, which changes the schemas once more.
    for _ in range(2):
        long.answer(GET)
        long.answer(request_bytes("GetItem", {"TableName": "ranged", "Key": key}))
    return long.server.dispatcher.door


def meaning(response: bytes) -> tuple[list[bytes], bytes]:
    """Return headers in some order, without those that differ each time, and the body."""
    head, _, body = CHANGING.sub(b"", response).partition(b"\r\n\r\n")
    return sorted(head.split(b"\r\n")), body


def test_get_and_put_are_answered_as_on_the_long_way(door: JsonDoor, long: Long) -> None:
    assert meaning(door.answer(GET) or b"") == meaning(long.answer(GET))
    assert meaning(door.answer(PUT) or b"") == meaning(long.answer(PUT))
    assert meaning(door.answer(GET) or b"") == meaning(long.answer(GET))
    assert json.loads(meaning(door.answer(GET) or b"")[1])["Item"] == ITEM
    item = {"h": {"N": "1.50"}, "r": {"B": "/w=="}}
    put = request_bytes("PutItem", {"TableName": "ranged", "Item": item})
    get = request_bytes("GetItem", {"TableName": "ranged", "Key": item, "ConsistentRead": True})
    assert type(door.answer(put)) is bytes
    assert meaning(door.answer(get) or b"") == meaning(long.answer(get))


def test_ids_differ_and_checksums_fit(door: JsonDoor) -> None:
    door.answer(PUT)
    answers = [door.answer(GET) or b"" for _ in range(3)]
    form = re.compile(rb"x-amzn-RequestId: ([A-Z0-9]{52})\r\n")
    assert len({form.findall(one)[0] for one in answers}) == 3
    body = meaning(answers[0])[1]
    assert b"x-amz-crc32: %d\r\n" % zlib.crc32(body) in answers[0]
    for size in (*range(40), 1000):
        assert checksum(bytes(range(256))[:size] * 3) == zlib.crc32(bytes(range(256))[:size] * 3)


# What the door has read, and cannot answer, need not be read again.
def test_other_operations_are_handed_over(door: JsonDoor) -> None:
    data = request_bytes("ListTables", {"Limit": 1}, authorization="AWS4 x", user_agent="any;#?")
    assert door.answer(data) == (
        {b"content-type": b"application/x-amz-json-1.0", b"authorization": b"AWS4 x",
         b"x-amz-target": b"DynamoDB_20120810.ListTables"},
        b'{"Limit": 1}',
    )


# Each of these means something that is looked after on the long way.
@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data + b" ",
        lambda data: data + data,
        lambda data: b"\r\n" + data,
        lambda data: data.replace(b"POST / ", b"POST /x "),
        lambda data: data.replace(b"HTTP/1.1", b"HTTP/1.0"),
        lambda data: data.replace(b"Host: localhost", b"Connection: close"),
        lambda data: data.replace(b"Host: localhost", b"Proxy-Connection: close"),
        lambda data: data.replace(b"Host: localhost", b"Connection: Upgrade\r\nUpgrade: h2c"),
        lambda data: data.replace(b"Host: localhost", b"Expect: 100-continue"),
        lambda data: data.replace(b"Host: localhost", b"Origin: http://page"),
        lambda data: data.replace(b"Host: localhost", b"Transfer-Encoding: chunked"),
        lambda data: data.replace(b"Host: localhost", b"Content-Encoding: gzip"),
        lambda data: data.replace(b"Host: localhost", b"Content-Length: 1"),
        lambda data: data.replace(b"Host: localhost", b"Host : x"),
        lambda data: data.replace(b"Host: localhost", b"Host: x\r\n folded"),
        lambda data: data.replace(b"Host: localhost", b"Host: \xff"),
        lambda data: data.replace(b"Host: localhost", b"Host: x "),
        lambda data: data.replace(b"Host: localhost\r\n", b"Host: x\n"),
        lambda data: data.replace(b"Host: localhost", b"X: 1\r\n" * 100 + b"X: 1"),
        lambda data: data.replace(b"x-amz-json-1.0", b"x-amz-json-1.1"),
        lambda data: data.replace(b"application/x-amz-json-1.0", b"application/json"),
        lambda data: data.replace(b"X-Amz-Target", b"X-Amz-Targes"),
        lambda data: data.replace(b"20120810.", b"20111205."),
        lambda data: data.replace(b'"things"', b'"nobody"'),
        lambda data: data.replace(b'"things"', b'things"x'),
        lambda data: data.replace(b'{"S": "a"}', b'{"N": "1"}'),
        lambda data: data.replace(b'"id"', b'"ie"'),
    ],
)
@pytest.mark.parametrize("data", [GET, PUT], ids=["get", "put"])
def test_what_is_unusual_goes_the_long_way(
    door: JsonDoor, long: Long, data: bytes, change: Any
) -> None:
    assert door.answer(data) is not None
    assert change(data) != data
    assert type(door.answer(change(data))) is not bytes
    assert meaning(long.answer(change(data), with_door=True)) == meaning(long.answer(change(data)))


def test_more_members_go_the_long_way(door: JsonDoor) -> None:
    for more in ({"ReturnConsumedCapacity": "TOTAL"}, {"ConsistentRead": "x"},
                 {"ConsistentRead": None}, {"ConsistentRead": True, "Another": 1}):
        request = {"TableName": "things", "Key": KEY, **more}
        assert type(door.answer(request_bytes("GetItem", request))) is tuple
    for request in ([], 1, {}, {"TableName": "things"}, {"TableName": [], "Key": KEY},
                    {"TableName": "things", "Key": []}, {"TableName": "things", "Kex": KEY}):
        assert type(door.answer(request_bytes("GetItem", request))) is tuple
    for body in (b"{", b"[" * 10000, b"\xff"):
        assert type(door.answer(request_bytes("GetItem", body=body))) is tuple


# A larger body may have to be compressed, which is done elsewhere.
def test_who_takes_gzip_gets_large_items_the_long_way(door: JsonDoor) -> None:
    for size, known in ((100, True), (2000, False)):
        item = {"id": {"S": "a"}, "text": {"S": "x" * size}}
        door.answer(request_bytes("PutItem", {"TableName": "things", "Item": item}))
        request = {"TableName": "things", "Key": KEY}
        for encoding, bare in (("gzip", False), ("identity", True), ("br", False)):
            data = request_bytes("GetItem", request, accept_encoding=encoding)
            assert (type(door.answer(data)) is bytes) == (known or bare)
            if not bare:
                assert type(door.answer(data.replace(b"things", b"nobody"))) is not tuple


def test_a_changed_schema_is_learned_anew(
    db: hashrange.Database, door: JsonDoor, long: Long
) -> None:
    assert door.answer(PUT) is not None
    db.execute("DeleteTable", {"TableName": "things"})
    assert type(door.answer(GET)) is tuple
    assert b"ResourceNotFound" in long.answer(GET)
    assert type(door.answer(GET)) is tuple
    db.execute("CreateTable", THINGS)
    assert type(door.answer(GET)) is tuple
    for _ in range(2):
        assert meaning(long.answer(GET))[1] == b"{}"
    assert meaning(door.answer(GET) or b"")[1] == b"{}"


# Index keys have rules that the door does not know, and their entries must be kept.
def test_a_table_with_an_index_goes_the_long_way(
    db: hashrange.Database, door: JsonDoor, long: Long
) -> None:
    db.execute("UpdateTable", {
        "TableName": "ranged", "AttributeDefinitions": RANGED["AttributeDefinitions"],
        "GlobalSecondaryIndexUpdates": [{"Create": {
            "IndexName": "by_g", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        }}],
    })
    item = {"h": {"N": "1"}, "r": {"B": "AA=="}, "g": {"S": "x"}}
    put = request_bytes("PutItem", {"TableName": "ranged", "Item": item})
    for _ in range(2):
        long.answer(put)
        long.answer(GET)
        assert type(door.answer(put)) is tuple
        assert type(door.answer(GET)) is bytes
    assert db.execute("Scan", {"TableName": "ranged", "IndexName": "by_g"})["Count"] == 1


def test_a_closed_database_has_a_closed_door() -> None:
    with hashrange.open() as other:
        other.execute("CreateTable", THINGS)
        way = Long(other)
        way.answer(GET)
        way.answer(GET)
        assert type(way.server.dispatcher.door.answer(GET)) is bytes
    assert type(way.server.dispatcher.door.answer(GET)) is tuple
    assert b"500 Internal Server Error" in way.answer(GET)


def test_durable_writes_are_made_elsewhere() -> None:
    with hashrange.open(durability="commit") as db:
        db.execute("CreateTable", THINGS)
        way = Long(db)
        way.answer(GET)
        way.answer(GET)
        assert type(way.server.dispatcher.door.answer(PUT)) is tuple
        assert type(way.server.dispatcher.door.answer(GET)) is bytes


def items_of(db: hashrange.Database, table: str) -> list[str]:
    return sorted(map(repr, db.execute("Scan", {"TableName": table})["Items"]))


# Requests with changed bytes, on two databases: one has the door, the other has not.
def test_changed_requests_mean_the_same_on_both_ways(long: Long, door: JsonDoor) -> None:
    rng = random.Random(11)
    with hashrange.open() as twin:
        twin.execute("CreateTable", THINGS)
        definitions = RANGED["AttributeDefinitions"][:2]
        twin.execute("CreateTable", {**RANGED, "AttributeDefinitions": definitions})
        way = Long(twin)
        answered = 0
        for number in range(6000):
            data = bytearray((GET, PUT)[number % 2])
            for _ in range(rng.randrange(3)):
                data[rng.randrange(len(data))] = rng.choice(b' ":{}[],aS1\r\n\x00\xff')
            given = bytes(data)
            answered += type(door.answer(given)) is bytes
            mine = long.answer(given, with_door=True)
            assert meaning(mine) == meaning(way.answer(given)), given
        assert answered > 1000
        for table in ("things", "ranged"):
            assert items_of(long.server.dispatcher.database, table) == items_of(twin, table)
