"""The client: boto3's `client("dynamodb")`, served by a database in this process.

Theory of operation. One method an operation, made from the facts. A call looks at its parameters
(`parameters`), hands them to the database's `execute`, and gives back the response with times as
datetimes and ResponseMetadata. Nothing is encoded: values go to the engine as they are, in typed
form, binaries as bytes.

Handlers of `meta.events` see a call's parameters before anything else does, and what it returns;
a client without handlers pays one look at a tuple. What a real client has to do with the network
is not here: the other events, signatures, URLs.

Threads: any number may share a client.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Any

from hashrange.client import facts, parameters, shapes
from hashrange.client.answers import Change, Metadata, timed
from hashrange.client.events import AFTER, BUILD, PROVIDE, Events
from hashrange.client.exceptions import (
    ClientExceptions,
    OperationNotPageableError,
    join_botocore,
    raise_response,
    refusal_of,
)
from hashrange.client.pages import Paginator
from hashrange.client.service_model import ServiceModel
from hashrange.client.shapes import Structure, snake_case
from hashrange.client.waiters import Waiter
from hashrange.errors import Error, ValidationError

Execute = Callable[[str, dict[str, Any]], dict[str, Any]]

# Transactions take a token only to survive a lost response, and nothing is lost in one process.
TOKENS_UNNEEDED = ("TransactWriteItems", "ExecuteTransaction")


class Operation:
    """One operation of the service: what its calls are checked against."""

    def __init__(self, name: str, request: str, response: str | None) -> None:
        self.name = name
        self.method = snake_case(name)
        self.request = shapes.structure(request)
        self.response: Structure | None = None if response is None else shapes.structure(response)

    @cached_property
    def accepts(self) -> parameters.Accepts:
        """Return the function that says of a request that it is certainly fine."""
        return parameters.acceptor(self.request)

    @cached_property
    def timed(self) -> Change | None:
        """Return what makes datetimes of the times in a response; None when it has none."""
        return None if self.response is None else timed(self.response)

    @cached_property
    def has_token(self) -> bool:
        """Tell whether a request gets a token of our making when it has none."""
        return ":token" in self.request.text and self.name not in TOKENS_UNNEEDED


@cache
def operations() -> dict[str, Operation]:
    """Return all operations, by name."""
    return {name: Operation(name, *names) for name, names in shapes.operations().items()}


class ClientMeta:
    """What a client says of itself."""

    def __init__(self, region: str, partition: str) -> None:
        self.region_name = region
        self.partition = partition
        self.endpoint_url = f"https://dynamodb.{region}.amazonaws.com"
        self.config = SimpleNamespace(
            region_name=region,
            signature_version="v4",
            retries=None,
            user_agent="hashrange",
            user_agent_extra=None,
            connect_timeout=60,
            read_timeout=60,
            max_pool_connections=10,
            parameter_validation=True,
            proxies=None,
            endpoint_discovery_enabled=None,
        )
        self.method_to_api_mapping = {each.method: name for name, each in operations().items()}
        self.events = Events()

    @cached_property
    def service_model(self) -> ServiceModel:
        """The names of the service and its operations; no shapes."""
        return ServiceModel()


class Client:
    """boto3's dynamodb client over a database. Made by `Database.client()`.

    It has a method for each operation of the service (`client.put_item(...)`), which takes keyword
    arguments only and returns a dict: values in typed form ({"S": "a"}, binaries as bytes), times
    as datetimes. Raises ParamValidationError, and `client.exceptions`.
    """

    def __init__(
        self,
        execute: Execute,
        *,
        region: str = "us-east-1",
        partition: str = "aws",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._execute = execute
        self._metadata = Metadata()
        self._sleep = sleep
        self.meta = ClientMeta(region, partition)
        self._events = self.meta.events
        self.exceptions = ClientExceptions()

    def __repr__(self) -> str:
        return f"<hashrange.client.{type(self).__name__} {self.meta.region_name}>"

    def _call(
        self, operation: Operation, given: dict[str, Any], context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        if not operation.accepts(given):
            given = parameters.exact(operation.request, given)
        if operation.has_token:
            given = parameters.with_token(operation.request, given)
        try:
            answer = self._execute(operation.name, given)
        except Error as error:
            response = refusal_of(error, self._metadata)
            if self._events.registered:
                self._tell(operation, response, context)
            raise_response(response, operation.name)
        change = operation.timed
        if change is not None:
            answer = change(answer)
        answer["ResponseMetadata"] = self._metadata()
        if self._events.registered:
            self._tell(operation, answer, context)
        return answer

    def _offer(
        self, operation: Operation, given: dict[str, Any], context: dict[str, Any]
    ) -> dict[str, Any]:
        """Have handlers look at the parameters of a call, and change them; return them."""
        name = f"dynamodb.{operation.name}"
        told = {"model": self.meta.service_model.operation_model(operation.name),
                "context": context}
        for _, response in self._events.emit(f"{PROVIDE}.{name}", params=given, **told):
            if response is not None:
                given = response
                break
        self._events.emit(f"{BUILD}.{name}", params=given, **told)
        return given

    def _tell(
        self, operation: Operation, parsed: dict[str, Any], context: dict[str, Any] | None
    ) -> None:
        """Have handlers look at a response, or a refusal, and change it."""
        metadata = parsed["ResponseMetadata"]
        self._events.emit(
            f"{AFTER}.dynamodb.{operation.name}",
            http_response=SimpleNamespace(
                status_code=metadata["HTTPStatusCode"], headers=metadata["HTTPHeaders"]
            ),
            parsed=parsed,
            model=self.meta.service_model.operation_model(operation.name),
            context={} if context is None else context,
        )

    def generate_presigned_url(self, *_: Any, **__: Any) -> str:
        """Refuse: there is no URL to sign."""
        raise ValidationError(
            "a hashrange client has no URLs, and so none to sign: hashrange.serve(db) has one, "
            "boto3's client can sign for it, and nobody asks for signatures there"
        )

    def close(self) -> None:
        """Do nothing: there is no connection, and the database stays open."""

    def can_paginate(self, operation_name: str) -> bool:
        """Tell whether an operation, given by its method's name, has a paginator."""
        return self.meta.method_to_api_mapping[operation_name] in facts.PAGINATORS

    def get_paginator(self, operation_name: str) -> Paginator:
        """Return the paginator of an operation, given by its method's name.

        Raises OperationNotPageableError; KeyError for a name that is none.
        """
        if not self.can_paginate(operation_name):
            join_botocore()
            raise OperationNotPageableError(operation_name)
        operation = self.meta.method_to_api_mapping[operation_name]
        return Paginator(operation, getattr(self, operation_name), facts.PAGINATORS[operation])

    @property
    def waiter_names(self) -> list[str]:
        """Return the names of the waiters."""
        return [snake_case(name) for name in facts.WAITERS]

    def get_waiter(self, waiter_name: str) -> Waiter:
        """Return a waiter by its name: "table_exists". Raises ValueError for an unknown name."""
        names = {snake_case(name): name for name in facts.WAITERS}
        if waiter_name not in names:
            raise ValueError(f"Waiter does not exist: {waiter_name}")
        wait = facts.WAITERS[names[waiter_name]]
        method = getattr(self, snake_case(wait.operation))
        return Waiter(names[waiter_name], wait, method, self._sleep)


def method_of(operation: str) -> Callable[..., dict[str, Any]]:
    """Return the method of a client that runs an operation."""
    name = snake_case(operation)
    found: Operation | None = None

    def method(self: Client, *positional: Any, **given: Any) -> dict[str, Any]:
        nonlocal found
        if positional:
            raise TypeError(f"{name}() only accepts keyword arguments.")
        if found is None:
            found = operations()[operation]
        if self._events.registered:
            context: dict[str, Any] = {}
            return self._call(found, self._offer(found, given, context), context)
        return self._call(found, given)

    method.__name__ = name
    method.__qualname__ = f"Client.{name}"
    method.__doc__ = f"Run {operation}: takes and returns what boto3's client does."
    return method


for _operation in shapes.operations():
    setattr(Client, snake_case(_operation), method_of(_operation))
