"""Clients that mean harm, or know no better: a clean refusal, and the server lives on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from endpoint.wire import Wire, request_bytes

import hashrange
from hashrange.endpoint import Server

MIB = 1 << 20


@pytest.fixture(autouse=True)
def living(server: Server) -> Iterator[None]:
    """Whatever a test did, the next client is served."""
    yield
    with Wire(server) as wire:
        assert wire.call("ListTables", {}).json() == {"TableNames": ["things"]}


@pytest.mark.parametrize(
    "data",
    [b"\0\1\2\3\r\n\r\n", b"GET\r\n\r\n", b"nonsense / HTTP/1.1\r\n\r\n",
     b"POST / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
     b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
     b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
     b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
     b"POST / HTTP/1.1\r\n: nothing\r\n\r\n",
     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
     b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
     b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"],
)
def test_what_is_no_http_is_a_bad_request(server: Server, data: bytes) -> None:
    with Wire(server) as wire:
        wire.send(data)
        assert wire.read().status == 400
        assert wire.is_closed()


def test_requests_before_garbage_are_answered(server: Server) -> None:
    scan = request_bytes("Scan", {"TableName": "things"})
    with Wire(server) as wire:
        wire.send(request_bytes("ListTables", {}) + scan + scan + b"garbage\r\n\r\n")
        assert wire.read().json() == {"TableNames": ["things"]}
        assert wire.read().json()["Count"] == 0
        assert wire.read().json()["Count"] == 0
        assert wire.read().status == 400
        assert wire.is_closed()


def test_a_body_of_16_mib_is_taken_and_no_more(server: Server) -> None:
    body = b'{"TableName": "things"' + b" " * (16 * MIB - 23) + b"}"
    assert len(body) == 16 * MIB
    with Wire(server) as wire:
        assert wire.call("DescribeTable", body=body).status == 200
        wire.send(request_bytes("DescribeTable", body=b"", content_length=str(16 * MIB + 1)))
        assert wire.read().status == 413
        assert wire.is_closed()


def test_a_chunked_body_has_the_same_bound(server: Server) -> None:
    head = request_bytes("ListTables", body=b"", content_length="-", transfer_encoding="chunked")
    with Wire(server) as wire:
        wire.send(head)
        with pytest.raises(OSError):
            for _ in range(200):
                wire.send(b"100000\r\n" + b" " * MIB + b"\r\n")
    with Wire(server) as wire:
        wire.send(head + (b"1000\r\n" + b" " * 4096 + b"\r\n") * 4097 + b"0\r\n\r\n")
        assert wire.read().status == 413


def test_heads_are_bounded(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(b"GET / HTTP/1.1\r\n")
        with pytest.raises((OSError, EOFError)):
            for _ in range(4000):
                wire.send(b"X-Filler: " + b"x" * 1000 + b"\r\n")
            wire.is_closed()
            raise EOFError
    with Wire(server) as wire:
        lines = b"".join(b"X-%d: 1\r\n" % number for number in range(101))
        wire.send(b"GET / HTTP/1.1\r\n" + lines + b"\r\n")
        assert wire.read().status == 431
        assert wire.is_closed()
    with Wire(server) as wire:
        lines = b"".join(b"X-%d: 1\r\n" % number for number in range(100))
        wire.send(b"GET / HTTP/1.1\r\n" + lines + b"\r\n")
        assert wire.read().status == 200


# What follows a chunked body are headers, too.
def test_trailers_are_bounded(server: Server) -> None:
    head = request_bytes("ListTables", body=b"", content_length="-", transfer_encoding="chunked")
    with Wire(server) as wire:
        wire.send(head + b"2\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n")
        assert wire.read().status == 200
        lines = b"".join(b"X-%d: 1\r\n" % number for number in range(20_000))
        wire.send(head + b"2\r\n{}\r\n0\r\n" + lines)
        assert wire.read().status == 431
        assert wire.is_closed()


# What comes behind a request that ends the connection is not answered, not even with a refusal.
def test_nothing_is_answered_after_connection_close(server: Server) -> None:
    scan = request_bytes("Scan", {"TableName": "things"})
    last = request_bytes("ListTables", {}, connection="close")
    for data in (last + b"garbage\r\n\r\n", scan + last + b"garbage\r\n\r\n", scan + last + scan):
        with Wire(server) as wire:
            wire.send(data)
            for _ in range(data.count(b"POST") - data.endswith(scan)):
                assert wire.read().status == 200
            with pytest.raises((EOFError, ConnectionResetError)):
                wire.read()


# A client that asks and asks and never reads must not have its answers pile up.
def test_a_client_that_does_not_read_is_not_read_from(
    server: Server, db: hashrange.Database
) -> None:
    db.table("things").put({"id": "a", "text": "x" * 300_000})
    data = request_bytes("GetItem", {"TableName": "things", "Key": {"id": {"S": "a"}}})
    with Wire(server) as wire:
        wire.socket.setblocking(False)
        sent = 0
        try:
            while sent < 64 * MIB:
                sent += wire.socket.send(data * 100)
        except BlockingIOError:
            pass
        assert sent < 64 * MIB
        wire.socket.settimeout(120)
        for _ in range(200):
            assert wire.read().status == 200


def test_a_client_that_goes_away_is_forgotten(server: Server) -> None:
    for _ in range(20):
        with Wire(server) as wire:
            wire.send(request_bytes("Scan", {"TableName": "things"}) * 3)
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_a_client_that_half_closes_gets_its_answers(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(request_bytes("Scan", {"TableName": "things"}) * 3)
        wire.socket.shutdown(socket.SHUT_WR)
        for _ in range(3):
            assert wire.read().status == 200
        assert wire.is_closed()


# Time is told to connections by the server's clock; here it is told by hand.
def test_slow_and_silent_clients_are_shown_out(server: Server) -> None:
    def pass_time(seconds: int) -> None:
        for connection in list(server.connections):
            for _ in range(seconds):
                connection.second()

    def after(seconds: int) -> None:
        done = threading.Event()
        server.loop.call_soon_threadsafe(lambda: (pass_time(seconds), done.set()))
        done.wait()

    with Wire(server) as slow, Wire(server) as silent:
        assert silent.call("ListTables", {}).status == 200
        slow.send(b"POST / HTTP/1.1\r\nHost: x\r\n")
        while len(server.connections) < 2 or not any(c.fed for c in server.connections):
            pass
        after(61)
        assert slow.read().status == 408
        assert silent.call("ListTables", {}).status == 200
        after(121)
        assert silent.is_closed()
