"""Streams of bytes that nobody would send: every one is answered or refused, and never met badly.

The connection is fed directly, without a socket, so that many thousands of streams can be tried.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from endpoint.conftest import THINGS
from endpoint.wire import request_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hashrange

pytest.importorskip("httptools", reason="the endpoint needs httptools")

from hashrange.endpoint.dispatch import Dispatcher
from hashrange.endpoint.protocol import Connection

HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r]*\r\n((?:[^\r]+\r\n)*)\r\n")


class Transport:
    """What a connection writes to."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written += data

    def close(self) -> None:
        self.closed = True

    abort = write_eof = close

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


class InlineServer:
    """A server whose pool is the caller."""

    def __init__(self, database: hashrange.Database) -> None:
        self.dispatcher = Dispatcher(database)
        self.connections: set[Any] = set()
        self.held_bytes = 0
        self.held_bytes_max = 1 << 40

    def welcome(self, connection: Any) -> bool:
        return True

    def send_away(self, connection: Any, request: Any, work: Any) -> None:
        connection.answered(request, work())


def responses_of(stream: bytes) -> list[int]:
    """Return the status of each response in a stream, which must be nothing but responses."""
    found = []
    while stream:
        match = HEAD.match(stream)
        assert match, stream[:200]
        found.append(int(match[1]))
        length = re.search(rb"(?i)content-length: (\d+)", match[2])
        stream = stream[match.end() + (int(length[1]) if length else 0):]
    return found


def feed(server: InlineServer, *pieces: bytes) -> list[int]:
    connection = Connection(server)  # type: ignore[arg-type]
    transport = Transport()
    connection.connection_made(transport)  # type: ignore[arg-type]
    for piece in pieces:
        if transport.closed:
            break
        connection.data_received(piece)
    return responses_of(transport.written)


@pytest.fixture(scope="module")
def server() -> Iterator[InlineServer]:
    with hashrange.open() as db:
        db.execute("CreateTable", THINGS)
        yield InlineServer(db)


PIECES = st.sampled_from([
    b"POST / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n", b"HEAD / HTTP/1.0\r\n", b"Host: x\r\n",
    b"Content-Length: 2\r\n", b"Content-Length: 99999999999\r\n", b"Transfer-Encoding: chunked\r\n",
    b"X-Amz-Target: DynamoDB_20120810.ListTables\r\n", b"Expect: 100-continue\r\n",
    b"Content-Type: application/x-amz-json-1.0\r\n", b"Connection: close\r\n",
    b"Connection: upgrade\r\nUpgrade: x\r\n", b"Content-Encoding: gzip\r\n", b"\r\n", b"{}",
    b"2\r\n",
    b"0\r\n", b"\0", b"\xff", b":", b" ", request_bytes("ListTables", {}),
    request_bytes("Scan", {"TableName": "things"}),
])


@given(st.lists(PIECES, max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_pieces_of_http_in_any_order(server: InlineServer, pieces: list[bytes]) -> None:
    statuses = feed(server, *pieces)
    assert set(statuses) <= {100, 200, 400, 404, 413, 431}
    # What is whole, and stands in front, is answered in the same way however it is cut.
    assert feed(server, b"".join(pieces)) == statuses


def test_requests_with_changed_bytes(server: InlineServer) -> None:
    rng = random.Random(7)
    values = [{"N": "1.5"}, {"B": "AAEC"}, {"M": {"x": {"NULL": True}}}]
    item = {"id": {"S": "a"}, "l": {"L": values}}
    requests = [
        request_bytes("PutItem", {"TableName": "things", "Item": item}),
        request_bytes("Query", {
            "TableName": "things", "KeyConditionExpression": "id = :i", "Limit": 3,
            "ExpressionAttributeValues": {":i": {"S": "a"}},
        }),
        request_bytes("TransactWriteItems", {"TransactItems": [
            {"Put": {"TableName": "things", "Item": item}}]}),
    ]
    for number in range(6000):
        data = bytearray(requests[number % len(requests)])
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        assert set(feed(server, bytes(data))) <= {100, 200, 400, 404, 413, 431}, bytes(data)


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False),
              st.sampled_from(["things", "id", "AAEC", "a", "", "1"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["TableName", "Key", "Item", "id", "S", "N", "B", "L", "M", "SS", "BS",
                             "Limit", "Expected", "RequestItems", "TransactItems", "Put"]),
            inner, max_size=4),
    ),
    max_leaves=12,
)


# Bodies that would be large, deep or slow if they were taken as they are meant.
KEY_OF = b'{"TableName": "things", "Key": '
ITEM_OF = b'{"TableName": "things", "Item": '
BESIDE = ITEM_OF + b'{"id": {"S": "a"}, '
MILLION = 1_000_000


@pytest.mark.parametrize(
    "body",
    [
        b"[" * (16 << 20),
        KEY_OF + b'{"M":' * 100_000,
        ITEM_OF + b'{"L":[' * MILLION,
        BESIDE + b'"n": {"N": "' + b"9" * MILLION + b'"}}}',
        BESIDE + b'"n": {"N": ' + b"9" * MILLION + b"}}}",
        BESIDE + b'"k' + b"k" * 65_535 + b'": {"S": "a"}}}',
        BESIDE + b'"b": {"B": "' + b"A" * (MILLION + 1) + b'"}}}',
        BESIDE + b'"s": {"SS": [' + b",".join([b'"a"'] * 100_000) + b"]}}}",
        KEY_OF + b'{"id": {"N": "' + b"1" * MILLION + b'"}}}',
        KEY_OF + b'{"id": {"S": "' + b"k" * 65_536 + b'"}}}',
        KEY_OF + b'{"' + b"k" * 65_536 + b'": {"S": "a"}}}',
        KEY_OF + b'{"id": {"S": "\\ud800"}}}',
        KEY_OF + b'{"id": {"S": "\xed\xa0\x80"}}}',
        KEY_OF + b'{"id": {"S": "\xc0\x80"}}}',
        b'{"TableName": "' + b"t" * MILLION + b'", "Key": {"id": {"S": "a"}}}',
    ],
    ids=range(15),
)
@pytest.mark.parametrize("operation", ["GetItem", "PutItem"])
def test_bodies_that_mean_harm_are_refused(
    server: InlineServer, operation: str, body: bytes
) -> None:
    assert feed(server, request_bytes(operation, body=body)) == [400]
    assert feed(server, request_bytes("ListTables", {})) == [200]


# The name of a request's member is a fine name for an attribute.
def test_an_attribute_is_called_what_a_member_is(server: InlineServer) -> None:
    item = {"id": {"S": "named"}, "ExpressionAttributeNames": {"B": "AAEC"}, "B": {"S": "AAEC"},
            "m": {"M": {"ExpressionAttributeNames": {"BS": ["AAEC"]}}}}
    for _ in range(2):
        put = request_bytes("PutItem", {"TableName": "things", "Item": item})
        assert feed(server, put) == [200]
    found = server.dispatcher.database.table("things").get("named")
    assert found == {"id": "named", "ExpressionAttributeNames": b"\0\1\2", "B": "AAEC",
                     "m": {"ExpressionAttributeNames": {b"\0\1\2"}}}


# Whatever the JSON is, there is an answer of the service's: never an InternalFailure.
@given(st.sampled_from(["PutItem", "GetItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem",
                        "TransactWriteItems", "TransactGetItems", "UpdateItem", "CreateTable",
                        "ExecuteStatement", "DescribeTable", "ListTables"]), JSON_VALUES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_json_as_any_request(server: InlineServer, operation: str, value: Any) -> None:
    body = json.dumps(value).replace("Infinity", "1e999").encode()
    assert set(feed(server, request_bytes(operation, body=body))) <= {200, 400}
