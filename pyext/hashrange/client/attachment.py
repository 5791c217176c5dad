"""Attachment: boto3's own clients, served by a database in this process.

Theory of operation. botocore lets a handler answer a request in the place of the network
(`before-send`), after it was checked and written, and before the response is parsed: retries,
checksums and errors of botocore do what they always do. `attach` registers such a handler with one
client, or with a session for the clients that it makes from then on. `patch` goes in at the last
step, where botocore hands a request to urllib3, for every client in the process, made before the
block or in it. What is not DynamoDB's goes its way. Requests that do not leave the process are not
signed, so that a client needs no credentials for them.

botocore is imported here, by the functions, and nowhere else in hashrange.

Threads: any may use attached clients. `patch` is for the whole process; blocks may be nested, the
innermost serves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from hashrange.client.answers import Metadata
from hashrange.client.events import Events
from hashrange.client.wire import answered

if TYPE_CHECKING:
    from types import TracebackType

SERVICES = ("dynamodb", "dynamodb-streams")
TARGETS = ("DynamoDB_20120810", "DynamoDBStreams_20120810")
REGION = "us-east-1"
FAKE_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "hashrange", "AWS_SECRET_ACCESS_KEY": "hashrange"}
# Where botocore finds credentials without files; if one is set, the user's own are used.
CREDENTIAL_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
CREDENTIAL_SETTINGS = (
    "aws_access_key_id",
    "credential_process",
    "login_session",
    "role_arn",
    "sso_account_id",
    "sso_session",
    "web_identity_token_file",
)


class Executes(Protocol):
    """A database, as far as it is needed here."""

    def execute(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Run one operation of DynamoDB's API."""


class _Body:
    """A response's body, as botocore reads it from urllib3."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.content

    def read(self, *_: Any, **__: Any) -> bytes:
        return self.content


class Server:
    """Answers botocore's requests from a database."""

    def __init__(self, database: Executes) -> None:
        self.database = database
        self.metadata = Metadata()

    def answer(self, request: Any) -> Any:
        """Return botocore's response to a prepared request; None when it is not DynamoDB's."""
        from botocore.awsrequest import AWSResponse

        target, _, operation = target_of(request).partition(".")
        if target not in TARGETS:
            return None
        status, headers, content = answered(
            self.database.execute, operation, request.body, self.metadata
        )
        return AWSResponse(request.url, status, headers, _Body(content))

    def handle(self, request: Any, **_: Any) -> Any:
        """Answer a `before-send` event."""
        return self.answer(request)

    def choose_signer(self, **_: Any) -> Any:
        """Answer a `choose-signer` event: nobody looks at a signature."""
        from botocore import UNSIGNED

        return UNSIGNED


def target_of(request: Any) -> str:
    """Return what a request is for: version and operation, or "" when it does not say."""
    header = request.headers.get("X-Amz-Target")
    return header.decode("latin-1") if isinstance(header, bytes) else header or ""


class Attachment:
    """What `attach` returns: undone by `detach()`, or by leaving a `with` block."""

    def __init__(self, emitter: Any, server: Server) -> None:
        self._emitter = emitter
        self._handlers = {"before-send": server.handle, "choose-signer": server.choose_signer}
        for event, handler in self._handlers.items():
            for service in SERVICES:
                emitter.register_first(f"{event}.{service}", handler)

    def detach(self) -> None:
        """Let the client send its requests again; clients that a session made stay attached."""
        for event, handler in self._handlers.items():
            for service in SERVICES:
                self._emitter.unregister(f"{event}.{service}", handler)

    def __enter__(self) -> Attachment:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.detach()


def attach(target: Any, database: Executes) -> Attachment:
    """Serve a boto3 client, or the clients that a session makes from now on, from a database.

    target: a client or resource of boto3, a client of botocore, or a session of either. The client
    needs a region, any will do, and no credentials. Other services are not touched. Raises
    TypeError for anything else.
    """
    return Attachment(emitter_of(target), Server(database))


def emitter_of(target: Any) -> Any:
    """Return the event emitter of a client, resource or session. Raises TypeError."""
    if callable(getattr(target, "get_component", None)):          # botocore's session
        return target.get_component("event_emitter")
    if hasattr(target, "events") and hasattr(target, "client"):   # boto3's session
        return target.events
    meta: Any = getattr(target, "meta", None)
    meta = getattr(getattr(meta, "client", None), "meta", meta)   # a resource's client
    if hasattr(meta, "events") and not isinstance(meta.events, Events):
        return meta.events
    raise TypeError(f"a client, resource or session of boto3 is needed, not {type(target)}")


@contextmanager
def patch(database: Executes) -> Iterator[None]:
    """Serve all DynamoDB requests of boto3 and botocore in this process from a database.

    A context manager, or a decorator. It holds for clients made before as well as in it. Where no
    credentials or region are configured, made-up ones are in the environment as long as it lasts.
    Errors that the service does not have (DiskFull, DatabaseClosed) come through as they are.
    """
    from botocore.httpsession import URLLib3Session
    from botocore.signers import RequestSigner

    server = Server(database)
    send: Callable[..., Any] = URLLib3Session.send
    sign: Callable[..., Any] = RequestSigner.sign

    def answer_or_send(self: Any, request: Any) -> Any:
        answer = server.answer(request)
        return send(self, request) if answer is None else answer

    def leave_or_sign(self: Any, operation: str, request: Any, *rest: Any, **named: Any) -> None:
        if target_of(request).partition(".")[0] not in TARGETS:
            sign(self, operation, request, *rest, **named)

    added = {name: value for name, value in settings().items() if name not in os.environ}
    os.environ.update(added)
    URLLib3Session.send = answer_or_send
    RequestSigner.sign = leave_or_sign
    try:
        yield
    finally:
        URLLib3Session.send = send
        RequestSigner.sign = sign
        for name in added:
            os.environ.pop(name, None)


def settings() -> Mapping[str, str]:
    """Return environment variables for the credentials and the region that are not configured."""
    from botocore.session import Session

    session = Session()
    needed: dict[str, str] = {}
    if session.get_config_variable("region") is None:
        needed["AWS_DEFAULT_REGION"] = REGION
    profiles = session.full_config.get("profiles", {}).values()
    configured = any(name in os.environ for name in CREDENTIAL_VARIABLES) or any(
        setting in profile for profile in profiles for setting in CREDENTIAL_SETTINGS
    )
    if not configured:
        needed.update(FAKE_CREDENTIALS)
    return needed
