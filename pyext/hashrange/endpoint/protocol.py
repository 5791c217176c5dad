"""The protocol of one connection: bytes of HTTP/1.1 in, responses out, in order.

Theory of operation. A packet that is one plain request is answered by the dispatcher's door, which
does all in one call. Everything else is cut into requests by httptools. Each is answered at once,
or by a thread of the pool; while one is away the next ones wait, so responses leave in the order of
the requests. What a packet's requests are answered with is written in one piece. A connection that
does not read its responses, or has sent many requests ahead, is not read from until that has
changed.

`on_header` and `on_body` are methods of a dict and a list, so that the parser's calls for each
header run no Python code; `fed` counts the bytes since the last whole request, which bounds both.

Invariants
  1. At most one request of a connection is carried out at a time, and none is answered twice.
  2. What is held for a connection is bounded: heads, bodies, requests that wait, responses.
  3. After what is no HTTP nothing more is read: responses to what came before are sent, then the
     refusal, then the connection is closed.

Threads: that of the event loop; the pool comes back through it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

import httptools

from hashrange.endpoint import responses
from hashrange.endpoint.bodies import BODY_BYTES_MAX
from hashrange.endpoint.dispatch import HttpRequest

if TYPE_CHECKING:
    from hashrange.endpoint.server import Server

HEAD_BYTES_MAX = 64 << 10
HEADERS_MAX = 100
CHUNKED_EXTRA_BYTES = 1 << 20    # of the framing of a chunked body
WAITING_MAX = 32                 # requests sent ahead, before reading stops
WAITING_BYTES_MAX = 1 << 20      # of their bodies; one more may be on its way
PARTS_MAX = 1024                 # of a body, before they are put together: each costs 50 bytes
OUT_BYTES_MAX = 256 << 10        # responses held back to be written together
REQUEST_TIMEOUT_S = 60           # for a request to arrive as a whole
BODY_BYTES_PER_S = 64 << 10      # that fast a large one must come: it gets the time for that, too
IDLE_TIMEOUT_S = 120
STALLED_TIMEOUT_S = 30           # for a client that does not read
LINGER_S = 5                     # for a client that was refused to stop sending
DROPPED_BYTES_MAX = 64 << 20     # of what it sends meanwhile

logger = logging.getLogger("hashrange.endpoint")


class Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.dispatcher = server.dispatcher
        self.raw_headers: dict[bytes, bytes] = {}
        self.parts: list[bytes] = []
        self.on_header = self.raw_headers.__setitem__
        self.on_body = self.parts.append
        self.parser = httptools.HttpRequestParser(self)
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        self.waiting: deque[HttpRequest | bytes] = deque()
        self.out: list[bytes] = []
        self.out_bytes = 0
        self.door = server.dispatcher.door.answer
        self.fed = 0              # bytes since the last whole request
        self.arriving = 0         # seconds since its first byte
        self.held = 0             # of those bytes, what the server counts as held
        self.whole_parts = 0      # how many of the parts were put together
        self.waiting_bytes = 0    # bodies of the requests that wait
        self.in_message = False
        self.in_body = False
        self.seconds = 0          # since something happened
        self.running = False      # a thread of the pool has a request
        self.blocked = False      # the client does not read
        self.reading = True
        self.quiet = False        # nothing is under way: a packet is the beginning of a request
        self.ended = False        # nothing more is taken in
        self.leaving = False      # close when all is answered
        self.refused = False      # by something that the client may still be sending to
        self.dropped = 0          # bytes since then

    # -- what the transport says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take up a connection."""
        self.transport = transport  # type: ignore[assignment]
        self.quiet = True
        if not self.server.welcome(self):
            self.transport.write(responses.UNAVAILABLE)
            self.end_intake()
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Forget a connection."""
        self.end_intake()
        self.waiting.clear()
        self.parts.clear()
        self.hold(0)
        self.server.connections.discard(self)

    def eof_received(self) -> bool:
        """Answer what came, then close."""
        if self.running or self.waiting:
            self.leave()
            return True
        return False

    def pause_writing(self) -> None:
        """Stop answering: the client does not read."""
        self.blocked = True
        self.quiet = False
        self.seconds = 0
        self.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self.blocked = False
        self.seconds = 0
        self.go_on()

    def data_received(self, data: bytes) -> None:
        """Take in bytes."""
        if self.quiet:
            self.seconds = 0
            answer = self.door(data)
            if isinstance(answer, bytes):
                self.transport.write(answer)
                return
            if answer is not None:
                headers, body = answer
                self.answer(HttpRequest(b"POST", headers, body, True))
                self.flush()
                self.note_quiet()
                return
        if self.ended:
            self.drop(data)
        else:
            self.feed(data)

    def feed(self, data: bytes) -> None:
        """Have bytes cut into requests, and answer those that are whole."""
        self.seconds = 0
        self.fed += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            logger.exception("a connection failed")
            self.transport.abort()
            return
        except httptools.HttpParserError:
            self.refuse(responses.BAD_REQUEST)
        except httptools.HttpParserUpgrade:
            self.refuse(responses.BAD_REQUEST)
        if self.fed > HEAD_BYTES_MAX and not self.ended:
            self.check_size()
            self.check_room()
        if self.out:
            self.flush()
        self.note_quiet()

    def note_quiet(self) -> None:
        """Note whether anything is under way."""
        self.quiet = not (
            self.in_message or self.running or self.waiting or self.blocked or self.ended
        )

    def end_intake(self) -> None:
        """Take nothing more in."""
        self.ended = True
        self.quiet = False

    def check_size(self) -> None:
        """Refuse a request that is too large."""
        if self.in_body and len(self.raw_headers) <= HEADERS_MAX:   # trailers are among them
            if self.fed > BODY_BYTES_MAX + HEAD_BYTES_MAX + CHUNKED_EXTRA_BYTES:
                self.refuse(responses.TOO_LARGE)
        else:
            self.refuse(responses.HEADERS_TOO_LARGE)

    def check_room(self) -> None:
        """Put the parts of a body together; refuse it when all bodies together are too large."""
        if len(self.parts) - self.whole_parts > PARTS_MAX:
            self.parts[self.whole_parts:] = [b"".join(self.parts[self.whole_parts:])]
            self.whole_parts += 1
        if not self.ended and not self.hold(self.fed):
            self.refuse(responses.UNAVAILABLE)

    def hold(self, size: int) -> bool:
        """Have the server count the bytes held for this connection; False when it has no room."""
        self.server.held_bytes += size - self.held
        self.held = size
        return self.server.held_bytes <= self.server.held_bytes_max

    # -- what the parser says

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.raw_headers.clear()
        self.parts.clear()
        self.whole_parts = 0
        self.arriving = 0
        self.in_message = True
        self.in_body = False

    def on_headers_complete(self) -> None:
        """Look at how long the body will be, and whether the client waits to be asked for it."""
        self.in_body = True
        headers = self.raw_headers
        if len(headers) > HEADERS_MAX:
            self.refuse(responses.HEADERS_TOO_LARGE)
            return
        length = headers.get(b"Content-Length") or lowered(headers).get(b"content-length")
        if length is not None and len(length) > 7 and int(length) > BODY_BYTES_MAX:
            self.refuse(responses.TOO_LARGE)
            return
        if len(self.parts) == 0 and b"100-continue" in headers.values():
            self.ask_for_body()

    def ask_for_body(self) -> None:
        """Say that the body may come, unless other responses must go first."""
        if not self.running and not self.waiting and not self.ended:
            self.put(responses.CONTINUE)

    def on_message_complete(self) -> None:
        """Answer a request, or have it wait."""
        self.fed = 0
        if self.held:
            self.hold(0)
        self.in_message = False
        self.in_body = False
        if self.ended:
            return
        if self.parser.should_upgrade():
            self.refuse(responses.BAD_REQUEST)
            return
        parts = self.parts
        request = HttpRequest(
            self.parser.get_method(),
            lowered(self.raw_headers),
            parts[0] if len(parts) == 1 else b"".join(parts),
            self.parser.should_keep_alive(),
        )
        if len(request.body) > BODY_BYTES_MAX:
            self.refuse(responses.TOO_LARGE)
        elif self.running or self.waiting or self.blocked:
            self.waiting.append(request)
            self.waiting_bytes += len(request.body)
            if len(self.waiting) >= WAITING_MAX or self.waiting_bytes > WAITING_BYTES_MAX:
                self.pause_reading()
        else:
            self.answer(request)

    # -- answers

    def answer(self, request: HttpRequest) -> None:
        """Answer a request, or send it away to be answered."""
        answer = self.dispatcher.answer(request)
        if type(answer) is bytes:
            self.put(answer)
            if not request.keep_alive:
                self.waiting.clear()
                self.leave()
        else:
            self.running = True
            self.flush()
            self.server.send_away(self, request, answer)  # type: ignore[arg-type]

    def answered(self, request: HttpRequest, answer: bytes) -> None:
        """Take the answer to a request that was sent away."""
        self.running = False
        self.seconds = 0
        if self.transport.is_closing():
            return
        self.put(answer)
        if not request.keep_alive:
            self.waiting.clear()
            self.leave()
        self.go_on()

    def unanswered(self) -> None:
        """Give up: there is no answer to the request that was sent away."""
        self.running = False
        self.waiting.clear()
        if not self.transport.is_closing():
            self.put(responses.UNAVAILABLE)
            self.leave()

    def go_on(self) -> None:
        """Answer what waits, as far as that goes; then read again."""
        while self.waiting and not self.running and not self.blocked:
            item = self.waiting.popleft()
            if isinstance(item, bytes):
                self.put(item)
                self.leave()
                break
            self.waiting_bytes -= len(item.body)
            self.answer(item)
        self.flush()
        if not (self.running or self.blocked or self.reading or self.transport.is_closing()):
            self.reading = True
            self.transport.resume_reading()
        self.note_quiet()

    def put(self, answer: bytes) -> None:
        """Add to what is written next."""
        self.out.append(answer)
        self.out_bytes += len(answer)
        if self.out_bytes > OUT_BYTES_MAX:
            self.flush()

    def flush(self) -> None:
        """Write what is there; close when that was all."""
        if self.out:
            out, self.out, self.out_bytes = self.out, [], 0
            self.transport.write(out[0] if len(out) == 1 else b"".join(out))
        if self.leaving and not self.running and not self.waiting:
            self.hang_up()

    # -- ends

    def hang_up(self) -> None:
        """Close. A client that is still sending would lose the refusal if it were not read from."""
        if not self.refused or not self.transport.can_write_eof():
            self.transport.close()
        elif not self.transport.is_closing():
            self.transport.write_eof()

    def drop(self, data: bytes) -> None:
        """Read what a refused client is still sending."""
        self.dropped += len(data)
        if self.dropped > DROPPED_BYTES_MAX:
            self.transport.abort()

    def refuse(self, refusal: bytes) -> None:
        """Answer with a refusal when what came before is answered, and close."""
        if self.ended:
            return
        self.end_intake()
        self.refused = True
        self.parts.clear()
        self.hold(0)
        if self.running or self.waiting or self.blocked:
            self.waiting.append(refusal)
        else:
            self.put(refusal)
            self.leave()

    def leave(self) -> None:
        """Close when all is answered; take nothing more in."""
        self.end_intake()
        self.leaving = True
        if not self.running and not self.waiting:
            self.flush()

    def end(self) -> None:
        """Close because the server ends."""
        self.refused = False
        self.leave()

    def pause_reading(self) -> None:
        """Stop reading for a while."""
        if self.reading and not self.transport.is_closing():
            self.reading = False
            self.transport.pause_reading()

    def second(self) -> None:
        """Note that a second went by; close what takes too long."""
        self.seconds += 1
        if self.running:
            return
        if self.blocked or self.leaving:
            if self.seconds > (LINGER_S if self.refused else STALLED_TIMEOUT_S):
                self.transport.abort()
        elif self.fed > 0:
            # Since its beginning: who sends a byte now and then is not waited for for ever.
            self.arriving += 1
            if self.arriving > REQUEST_TIMEOUT_S + self.fed // BODY_BYTES_PER_S:
                self.refuse(responses.REQUEST_TIMEOUT)
        elif self.seconds > IDLE_TIMEOUT_S:
            self.leave()


def lowered(headers: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return headers by their names in lower case."""
    return {name.lower(): value for name, value in headers.items()}
