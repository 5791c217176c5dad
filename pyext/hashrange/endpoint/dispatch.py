"""Dispatch: a whole HTTP request to a whole HTTP response.

Theory of operation. `answer` looks at a request in the service's order: method and content type,
the JSON, the target; then it runs the operation. It returns the response, or a function that will,
for work that would keep other connections waiting: the caller runs that in a thread of its own.

What the service answers to requests that are none of its operations: GET is a health check,
whatever the path; OPTIONS with an Origin is a browser's question before a request; other methods
and other content types get a page of XML and status 404. Signatures are not looked at.

The plainest requests do not come here: the connection asks the door (`ddbcore.json_door`) first,
which answers GetItem and PutItem of tables without indexes from bytes to bytes. It is told of a
table when a request for it has come this way.

Invariants. (1) No request raises: what is unforeseen is logged and becomes an InternalFailure.

Threads: `answer` in one, the functions it returns in any.

Source: order and texts as observed on the service.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ddbcore.errors import Error, SerializationError
from ddbcore.json_door import JsonDoor
from ddbcore.json_reader import JsonReader
from ddbcore.json_writer import json_write
from hashrange.door import EngineDoor
from hashrange.endpoint import bodies
from hashrange.endpoint.credentials import HOME, Callers
from hashrange.endpoint.responses import JSON_1_0, Responses
from hashrange.endpoint.routes import SHORT_BODY_BYTES_MAX, Route, routes
from hashrange.errors import unknown_operation
from hashrange.ops.arn import CALLER
from hashrange.ops.door import AS_TEXT

if TYPE_CHECKING:
    from hashrange.database import Database

JSON = b"application/json"
CONTENT_TYPES = {JSON_1_0: JSON_1_0, JSON: JSON}
GZIP_NAMES = (b"gzip", b"x-gzip")
PREFLIGHT_AGE_S = 172800
EXPOSED = (
    b"Access-Control-Allow-Origin: *\r\n"
    b"Access-Control-Expose-Headers: x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,"
    b"x-amz-crc32,Date\r\n"
)

logger = logging.getLogger("hashrange.endpoint")

Later = Callable[[], bytes]


class HttpRequest(NamedTuple):
    """One request. headers: by their names in lower case."""

    method: bytes
    headers: dict[bytes, bytes]
    body: bytes
    keep_alive: bool


class Dispatcher:
    """Answers the requests of one server."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.routes = routes(durable=database.durability == "commit")
        self.callers = Callers()
        self.responses = Responses()
        self.reader = JsonReader()
        self.door = JsonDoor(database.engine, JsonReader())
        self.known_tables = -1        # how many the door was told of
        self.second()

    def second(self) -> None:
        """Note that a second went by: responses are dated."""
        self.door.begin_with(self.responses.head())

    def answer(self, request: HttpRequest) -> bytes | Later:
        """Return the response, or the function that makes it and may take its time."""
        headers, body = request.headers, request.body
        if request.method != b"POST":
            return self.answer_other(request)
        if body and content_type_of(headers) is None:
            return self.unknown_page(request)
        if len(body) > SHORT_BODY_BYTES_MAX or b"content-encoding" in headers:
            return partial(self.read_and_run, request)
        try:
            data = self.reader.read(body) if body else None
        except SerializationError:
            return self.response(request, 400, bodies.NO_JSON)
        route = self.routes.get(headers.get(b"x-amz-target", b""))
        if route is not None and not route.is_short(data):
            return partial(self.run, request, route, data)
        return self.run(request, route, data)

    def read_and_run(self, request: HttpRequest) -> bytes:
        """Answer a request whose body is large or compressed."""
        headers, body = request.headers, request.body
        encoding = headers.get(b"content-encoding", b"identity").strip().lower()
        if encoding in GZIP_NAMES:
            plain = bodies.expanded(body)
            if plain is None:
                return self.response(request, 400, bodies.NO_JSON)
            body = plain
        elif encoding != b"identity":
            return self.response(request, 400, bodies.NO_JSON)
        try:
            data = self.reader.read(body)
        except SerializationError:
            return self.response(request, 400, bodies.NO_JSON)
        return self.run(request, self.routes.get(headers.get(b"x-amz-target", b"")), data)

    def run(self, request: HttpRequest, route: Route | None, data: Any) -> bytes:
        """Run an operation and return the response."""
        try:
            if route is None:
                raise unknown_operation()
            if not request.body:
                return self.response(request, 400, bodies.NO_JSON)
            made = self.execute(request, route, data)
            if route.is_plain:
                self.introduce_tables()
            return self.response(request, 200, made)
        except Error as error:
            return self.response(request, error.status, bodies.error_body(error))
        except Exception:
            logger.exception("a request was not answered")
            return self.response(request, 500, bodies.INTERNAL_FAILURE)

    def execute(self, request: HttpRequest, route: Route, data: Any) -> dict[str, Any]:
        """Run an operation for whom the request is signed, and as suits a writer of JSON."""
        identity = self.callers.identity(request.headers.get(b"authorization"))
        caller = None if identity is None else CALLER.set(identity)
        as_text = AS_TEXT.set(True) if route.is_paged else None
        try:
            return self.database.execute(route.operation, data)
        finally:
            if as_text is not None:
                AS_TEXT.reset(as_text)
            if caller is not None:
                CALLER.reset(caller)

    def introduce_tables(self) -> None:
        """Tell the door of the tables that were used so far, when it does not know them all."""
        service = self.database.service
        if service is None or not isinstance(service.door, EngineDoor):
            return
        version, known = service.door.known
        if (self.door.version, self.known_tables) != (version, len(known)):
            self.known_tables = len(known)
            plain = {name: core for name, (table, core) in known.items() if not table.indexes}
            self.door.learn(version, plain)

    # -- responses

    def response(self, request: HttpRequest, status: int, made: dict[str, Any]) -> bytes:
        """Return the response with a JSON body."""
        headers = request.headers
        body = json_write(made)
        more = b""
        if b"origin" in headers:
            more = EXPOSED
        if len(body) >= bodies.COMPRESS_BYTES_MIN and bodies.accepts_gzip(
            headers.get(b"accept-encoding")
        ):
            body = bodies.compressed(body)
            more += b"Content-Encoding: gzip\r\n"
        return self.responses.response(
            status,
            body,
            keep_alive=request.keep_alive,
            content_type=content_type_of(headers) or JSON_1_0,
            headers=more,
        )

    def answer_other(self, request: HttpRequest) -> bytes:
        """Answer a request that is no POST."""
        if request.method == b"GET":
            identity = self.callers.identity(request.headers.get(b"authorization"))
            region = HOME if identity is None else identity.region
            return self.responses.response(
                200,
                f"healthy: dynamodb.{region}.amazonaws.com ".encode("ascii"),
                keep_alive=request.keep_alive,
                content_type=b"text/plain",
            )
        if request.method == b"OPTIONS" and b"origin" in request.headers:
            return self.preflight(request)
        return self.unknown_page(request)

    def preflight(self, request: HttpRequest) -> bytes:
        """Allow a browser what it asks for."""
        lines = [b"Access-Control-Allow-Origin: *"]
        for asked in (b"headers", b"method"):
            value = request.headers.get(b"access-control-request-" + asked)
            if value is not None:
                plural = asked if asked.endswith(b"s") else asked + b"s"
                lines.append(b"Access-Control-Allow-%s: %s" % (plural.title(), value))
        lines.append(b"Access-Control-Max-Age: %d\r\n" % PREFLIGHT_AGE_S)
        return self.responses.response(
            200, b"", keep_alive=request.keep_alive, headers=b"\r\n".join(lines)
        )

    def unknown_page(self, request: HttpRequest) -> bytes:
        """Answer what is no request for an operation at all."""
        return self.responses.response(
            404,
            bodies.UNKNOWN_PAGE,
            keep_alive=request.keep_alive,
            content_type=b"text/xml",
            with_body=request.method != b"HEAD",
        )


def content_type_of(headers: dict[bytes, bytes]) -> bytes | None:
    """Return the type of the body, and of the response's; None for one that is not spoken here."""
    given = headers.get(b"content-type")
    if given is None:
        return None
    found = CONTENT_TYPES.get(given)
    if found is None:
        return CONTENT_TYPES.get(given.partition(b";")[0].strip().lower())
    return found
