"""Responses: bytes of HTTP/1.1, with the headers that the service sends.

Theory of operation. Nearly every response differs from others in its length, its checksum and its
number alone, so it is one template that is filled in. The date is made once a second. Request ids
are 52 letters and digits, as the service's: a random part for the process, then a counter.

Threads: one Responses may be used by any; an id is taken in one step.
"""

from __future__ import annotations

import itertools
import random
import string
import time
from email.utils import formatdate
from http import HTTPStatus
from zlib import crc32

ID_LETTERS = 40
ID_DIGITS = 12
JSON_1_0 = b"application/x-amz-json-1.0"
TEMPLATE = (
    b"HTTP/1.1 %s\r\nServer: hashrange\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
    b"Connection: %s\r\nx-amzn-RequestId: %s%012d\r\nx-amz-crc32: %d\r\n%s\r\n%s"
)
# The same for a status of 200, as far as the number.
HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: hashrange\r\nDate: %s\r\n"
    b"Content-Type: application/x-amz-json-1.0\r\nConnection: keep-alive\r\nx-amzn-RequestId: %s"
)
BARE = b"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
STATUS_LINES = {
    status.value: f"{status.value} {status.phrase}".encode("ascii") for status in HTTPStatus
}
BAD_REQUEST = BARE % STATUS_LINES[400]
REQUEST_TIMEOUT = BARE % STATUS_LINES[408]
TOO_LARGE = BARE % STATUS_LINES[413]
HEADERS_TOO_LARGE = BARE % STATUS_LINES[431]
UNAVAILABLE = BARE % STATUS_LINES[503]


class Responses:
    """Makes responses."""

    def __init__(self) -> None:
        self.prefix = id_prefix()
        self.head_prefix = id_prefix()
        self.numbers = itertools.count(1)
        self.date = (0, b"")

    def response(
        self,
        status: int,
        body: bytes,
        *,
        keep_alive: bool = True,
        content_type: bytes = JSON_1_0,
        headers: bytes = b"",
        with_body: bool = True,
    ) -> bytes:
        """Return a whole response.

        headers: more of them, each line with its end. with_body: False for HEAD, which is told of
        the body and does not get it.
        """
        return TEMPLATE % (
            STATUS_LINES[status],
            self.date_now(),
            content_type,
            len(body),
            b"keep-alive" if keep_alive else b"close",
            self.prefix,
            next(self.numbers),
            crc32(body),
            headers,
            body if with_body else b"",
        )

    def head(self) -> bytes:
        """Return the head of a response of status 200, down to the number of its request id.

        What is made of it has ids of its own.
        """
        return HEAD % (self.date_now(), self.head_prefix)

    def date_now(self) -> bytes:
        """Return the Date header."""
        now = int(time.time())
        second, date = self.date
        if second != now:
            date = formatdate(now, usegmt=True).encode("ascii")
            self.date = now, date
        return date


def id_prefix() -> bytes:
    """Return what a process's request ids begin with."""
    letters = string.ascii_uppercase + string.digits
    return "".join(random.SystemRandom().choices(letters, k=ID_LETTERS)).encode("ascii")
