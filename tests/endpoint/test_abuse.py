"""Clients that mean harm, or know no better: a clean refusal, and the server lives on."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import threading
from collections.abc import Callable, Iterator

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


def after(server: Server, seconds: int) -> None:
    """Have seconds go by for the connections, as the server's clock would."""

    def pass_time() -> None:
        for connection in list(server.connections):
            for _ in range(seconds):
                connection.second()

    done = threading.Event()
    server.loop.call_soon_threadsafe(lambda: (pass_time(), done.set()))
    done.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    """Let the server go on until a condition holds; 20 seconds at most."""
    pause = threading.Event()
    for _ in range(20_000):
        if condition():
            return
        pause.wait(0.001)
    raise AssertionError("it does not come about")


# Time is told to connections by the server's clock; here it is told by hand.
def test_slow_and_silent_clients_are_shown_out(server: Server) -> None:
    with Wire(server) as slow, Wire(server) as silent:
        assert silent.call("ListTables", {}).status == 200
        slow.send(b"POST / HTTP/1.1\r\nHost: x\r\n")
        wait_for(lambda: any(c.fed for c in server.connections))
        after(server, 61)
        assert slow.read().status == 408
        assert silent.call("ListTables", {}).status == 200
        after(server, 121)
        assert silent.is_closed()


# A byte now and then keeps a connection from being silent; the request's time is up all the same.
# A large body gets as much longer as it has come far.
def test_a_request_that_trickles_in_is_not_waited_for(server: Server) -> None:
    trickle = b"POST / HTTP/1.1\r\nHost: x\r\nX-Filler: "
    with Wire(server) as wire:
        for number in range(5):
            wire.send(trickle if number == 0 else b"x")
            fed = len(trickle) + number
            wait_for(lambda fed=fed: any(c.fed == fed for c in server.connections))
            after(server, 14)
        assert wire.read().status == 408
        assert wire.is_closed()
    body = b'{"TableName": "things"' + b" " * (4 * MIB - 23) + b"}"
    whole = request_bytes("DescribeTable", body=body)
    with Wire(server) as wire:
        wire.send(whole[:-2])
        wait_for(lambda: any(c.fed == len(whole) - 2 for c in server.connections))
        after(server, 100)
        wire.send(whole[-2:])
        assert wire.read().status == 200
        wire.send(whole[:-2])
        wait_for(lambda: any(c.fed == len(whole) - 2 for c in server.connections))
        after(server, 125)
        assert wire.read().status == 408


# The smallest chunks cost fifty times what they hold, unless they are put together on the way.
def test_a_body_in_the_smallest_chunks_is_held_as_one(server: Server) -> None:
    head = request_bytes("DescribeTable", body=b"", content_length="-",
                         transfer_encoding="chunked")  # fmt: skip
    body = b'{"TableName": "things"' + b" " * 300_000 + b"}"
    with Wire(server) as wire:
        wire.send(head + b"".join(b"1\r\n%c\r\n" % byte for byte in body[:-1]))
        fed = len(head) + 6 * (len(body) - 1)
        wait_for(lambda: any(c.fed == fed for c in server.connections))
        (connection,) = server.connections
        assert len(connection.parts) < 5_000
        assert connection.held == server.held_bytes == fed
        wire.send(b"1\r\n}\r\n0\r\n\r\n")
        assert wire.read().status == 200
        assert server.held_bytes == 0


# Many large bodies at once are refused before memory is out; what comes after them is served.
def test_bodies_of_all_connections_together_are_bounded(server: Server) -> None:
    server.held_bytes_max = 10 * MIB
    part = request_bytes("PutItem", body=b" " * 4 * MIB)[:-1]
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server)) for _ in range(3)]
        for wire in wires[:2]:
            wire.send(part)
        wait_for(lambda: server.held_bytes == 2 * len(part))
        wires[2].send(part)
        assert wires[2].read().status == 503
        assert wires[2].is_closed()
        wires[0].send(b" ")
        assert wires[0].read().status == 400
        with Wire(server) as late:
            late.send(part + b" ")
            assert late.read().status == 400
    wait_for(lambda: server.held_bytes == 0)


# Requests sent ahead wait for those before them: not with all of their bodies in memory.
def test_large_requests_sent_ahead_are_not_read_in(server: Server) -> None:
    put = {"TableName": "things", "Item": {"id": {"S": "a"}, "text": {"S": "x" * 390_000}}}
    data = request_bytes("Scan", {"TableName": "things"}) + request_bytes("PutItem", put) * 30
    seen: list[int] = []
    with Wire(server) as wire:
        sender = threading.Thread(target=wire.send, args=(data * 3,))
        sender.start()
        for number in range(93):
            assert wire.read().status == 200
            if number < 91:
                seen += [c.waiting_bytes for c in server.connections]
        sender.join()
        assert max(seen) < 3 * MIB
        assert [(c.waiting_bytes, c.held) for c in server.connections] == [(0, 0)]


# With more connections than files, the database could not even roll its log.
def test_connections_leave_files_for_the_database(
    db: hashrange.Database, server: Server
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/dev/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 100, hard))
    try:
        with hashrange.serve(db) as small, contextlib.ExitStack() as stack:
            assert 10 < small.connections_max < 40
            wires = [stack.enter_context(Wire(small)) for _ in range(small.connections_max // 2)]
            for wire in wires:
                assert wire.call("ListTables", {}).status == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    server.connections_max = 3
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server)) for _ in range(3)]
        for wire in wires:
            assert wire.call("ListTables", {}).status == 200
        with Wire(server) as late:
            assert late.read().status == 503
            assert late.is_closed()


def test_a_thousand_requests_and_goodbye(server: Server, db: hashrange.Database) -> None:
    puts = [
        request_bytes("PutItem", {"TableName": "things", "Item": {"id": {"S": f"k{number}"}}})
        for number in range(1000)
    ]
    with Wire(server) as wire:
        wire.send(b"".join(puts))
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_for(lambda: not server.connections)
    # A beginning of them, in order.
    count = db.table("things").count()
    assert all(db.table("things").get(f"k{number}") for number in range(count))
    with Wire(server) as wire:
        wire.send(b"".join(puts))
        wire.socket.shutdown(socket.SHUT_WR)
        for _ in puts:
            assert wire.read().status == 200
    assert db.table("things").count() == 1000


@pytest.mark.parametrize(
    ("length", "body", "statuses"),
    [
        ("2", b"{}", [200]),
        ("1", b"{}", [400, 400]),           # the rest is no request
        ("0", b"{}", [400, 400]),
        ("2", b"{}GET / HTTP/1.1\r\n\r\n", [200, 200]),
    ],
)
def test_the_stated_length_of_a_body_is_believed(
    server: Server, length: str, body: bytes, statuses: list[int]
) -> None:
    with Wire(server) as wire:
        wire.send(request_bytes("ListTables", body=body, content_length=length))
        assert [wire.read().status for _ in statuses] == statuses
    with Wire(server) as wire:
        wire.send(request_bytes("ListTables", body=b"{}", content_length="9"))
        wait_for(lambda: any(c.fed for c in server.connections))
        after(server, 61)
        assert wire.read().status == 408


def test_who_is_asked_for_a_body_and_sends_none_is_shown_out(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(request_bytes("ListTables", body=b"", content_length="2",
                                expect="100-continue"))  # fmt: skip
        assert wire.read().status == 100
        after(server, 61)
        assert wire.read().status == 408
        assert wire.is_closed()
