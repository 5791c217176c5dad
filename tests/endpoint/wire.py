"""A client that is nothing but a socket: requests as bytes, responses taken apart."""

from __future__ import annotations

import json
import socket
import zlib
from typing import Any, NamedTuple

from hashrange.endpoint import Server


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        assert int(self.headers["x-amz-crc32"]) == zlib.crc32(self.body)
        return json.loads(self.body)


def request_bytes(
    operation: str, request: Any = None, *, body: bytes | None = None, **headers: str
) -> bytes:
    """Return a POST. request: becomes the body as JSON. headers: content_type=..., "-" for none."""
    if body is None:
        body = json.dumps({} if request is None else request).encode()
    named = {
        "Host": "localhost",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": str(len(body)),
        **{name.replace("_", "-").title(): value for name, value in headers.items()},
    }
    lines = [f"{name}: {value}" for name, value in named.items() if value != "-"]
    return "\r\n".join(["POST / HTTP/1.1", *lines, "", ""]).encode() + body


class Wire:
    """One connection."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection((server.host, server.port), timeout=120)
        self.rest = b""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def call(self, operation: str, request: Any = None, **options: Any) -> Response:
        self.send(request_bytes(operation, request, **options))
        return self.read()

    def more(self) -> None:
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError(self.rest)
        self.rest += data

    def read(self, *, body: bool = True) -> Response:
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", 0)) if body else 0
        while len(self.rest) < length:
            self.more()
        content, self.rest = self.rest[:length], self.rest[length:]
        assert first.startswith("HTTP/1.1 "), first
        return Response(int(first.split(" ")[1]), headers, content)

    def is_closed(self) -> bool:
        """Read to the end of the connection; False when there is none within the timeout."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True
