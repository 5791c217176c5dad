"""Exceptions: boto3's, as classes of our own that become boto3's where boto3 is loaded.

Theory of operation. Code written for boto3 catches `botocore.exceptions.ClientError`, so that an
error of ours has to be one, and yet botocore must not be needed, nor imported just to raise. A
program that names botocore's class has imported it: before anything is raised, `join_botocore`
looks whether the module is loaded, and if so makes botocore's classes bases of ours, once and for
all. Classes stay the same objects before and after, so both `except` clauses hold all the time.

An error of the service becomes a ClientError: of the class that the client's `exceptions` has for
its code, or ClientError itself when it has none (ValidationException), as in boto3. Trouble that
the service does not have (the disk, a closed handle) stays what it is, a `hashrange.Error`.

Threads: any. Two threads that join at once do the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn

from hashrange.client import facts
from hashrange.client.shapes import structure
from hashrange.errors import Error, InternalServerError, ValidationError

__all__ = [
    "ClientError",
    "ClientExceptions",
    "NeedsKeyConditionError",
    "OperationNotPageableError",
    "PaginationError",
    "ParamValidationError",
    "WaiterError",
    "join_botocore",
]

Metadata = Callable[[int], dict[str, Any]]


class ClientError(Error):
    """The service refused a request.

    response: {"Error": {"Code", "Message"}, "ResponseMetadata", ...} and what the error carries,
    such as Item or CancellationReasons. operation_name: "PutItem".
    """

    def __init__(self, error_response: dict[str, Any], operation_name: str) -> None:
        error = error_response.get("Error", {})
        self.code = error.get("Code", "Unknown")
        Exception.__init__(
            self,
            f"An error occurred ({self.code}) when calling the {operation_name} operation: "
            f"{error.get('Message', 'Unknown')}",
        )
        self.response = error_response
        self.operation_name = operation_name
        self.status = error_response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.code, self.response, self.operation_name)


class ParamValidationError(ValidationError):
    """A call's parameters are of a wrong type, unknown or missing; nothing was sent.

    The text lists all that is wrong, `kwargs["report"]` without the heading.
    """

    def __init__(self, *, report: str) -> None:
        Exception.__init__(self, f"Parameter validation failed:\n{report}")
        self.kwargs = {"report": report}

    def __reduce__(self) -> tuple[Any, ...]:
        return parameters_refused, (self.kwargs["report"],)


class WaiterError(Error):
    """A waiter gave up, or met what it does not wait for. last_response: the last one it got."""

    def __init__(self, name: str, reason: str, last_response: dict[str, Any]) -> None:
        Exception.__init__(self, f"Waiter {name} failed: {reason}")
        self.kwargs = {"name": name, "reason": reason}
        self.last_response = last_response

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.kwargs["name"], self.kwargs["reason"], self.last_response)


class PaginationError(Error):
    """A paginator was asked for what it cannot do, or is going in circles."""

    def __init__(self, message: str) -> None:
        Exception.__init__(self, f"Error during pagination: {message}")
        self.kwargs = {"message": message}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.kwargs["message"],)


class OperationNotPageableError(Error):
    """The operation has no paginator."""

    def __init__(self, operation_name: str) -> None:
        Exception.__init__(self, f"Operation cannot be paginated: {operation_name}")
        self.kwargs = {"operation_name": operation_name}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.kwargs["operation_name"],)


class NeedsKeyConditionError(Error):
    """A key condition is made of Key objects; this one has an Attr."""

    def __init__(self, name: str, kind: type) -> None:
        Exception.__init__(
            self,
            f"Attribute object {name} is of type {kind}. KeyConditionExpression only supports "
            "Attribute objects of type Key",
        )


# ---- boto3's names for them ----------------------------------------------------------------------

# module of botocore's or boto3's, its class, ours
RELATIVES: tuple[tuple[str, str, type[Error]], ...] = (
    ("botocore.exceptions", "ClientError", ClientError),
    ("botocore.exceptions", "ParamValidationError", ParamValidationError),
    ("botocore.exceptions", "WaiterError", WaiterError),
    ("botocore.exceptions", "PaginationError", PaginationError),
    ("botocore.exceptions", "OperationNotPageableError", OperationNotPageableError),
    ("boto3.exceptions", "DynamoDBNeedsKeyConditionError", NeedsKeyConditionError),
)


def join_botocore() -> None:
    """Make the classes above subclasses of boto3's, of those that are loaded by now."""
    if "botocore.exceptions" in sys.modules:
        for module, name, ours in RELATIVES:
            theirs = getattr(sys.modules.get(module), name, None)
            if theirs is not None and theirs not in ours.__mro__:
                ours.__bases__ = (*ours.__bases__, theirs)


@cache
def modeled() -> dict[str, type[ClientError]]:
    """Return the class of each error that has one, by its code."""
    return {
        name: type(name, (ClientError,), {"__module__": __name__, "__doc__": f"{name}."})
        for name in facts.ERRORS.split()
    }


def _restored(code: str, response: dict[str, Any], operation: str) -> ClientError:
    join_botocore()
    return modeled().get(code, ClientError)(response, operation)


def parameters_refused(report: str) -> ParamValidationError:
    """Make the error of parameters that break their shape."""
    join_botocore()
    return ParamValidationError(report=report)


class ClientExceptions:
    """The errors of the service as attributes: client.exceptions.ResourceNotFoundException."""

    def __init__(self) -> None:
        self.ClientError = ClientError

    def __getattr__(self, name: str) -> type[ClientError]:
        join_botocore()
        found = modeled().get(name)
        if found is None:
            raise AttributeError(
                f"{self} object has no attribute {name}. Valid exceptions are: "
                f"{', '.join(modeled())}"
            )
        return found

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *modeled()]

    def from_code(self, error_code: str | None) -> type[ClientError]:
        """Return the class for an error's code; ClientError for a code that has none."""
        join_botocore()
        return ClientError if error_code is None else modeled().get(error_code, ClientError)


# ---- errors of the service -----------------------------------------------------------------------


def is_of_service(error: Error) -> bool:
    """Tell whether the service has such an error; the others are this process's own."""
    return error.status < 500 or isinstance(error, InternalServerError)


def fields(error: Error) -> dict[str, Any]:
    """Return what an error carries beside its text, by the names of the service's members."""
    given: dict[str, Any] = {}
    reasons = getattr(error, "reasons", None)
    for member in members(error.code):
        if member.lower() == "message":
            given[member] = str(error)
        elif member == "Item" and getattr(error, "item", None) is not None:
            given[member] = getattr(error, "item", None)
        elif member.endswith("Reasons") and reasons:
            given[member] = reasons
    return given


def members(code: str) -> tuple[str, ...]:
    """Return the members of an error; none for one that is not in the model."""
    return tuple(structure(code).members) if code in modeled() else ()


def refusal_of(error: Error, metadata: Metadata) -> dict[str, Any]:
    """Return an error of the service as a response; raise any other as it is.

    metadata: makes a response's ResponseMetadata for an HTTP status.
    """
    if isinstance(error, ClientError | ParamValidationError) or not is_of_service(error):
        raise error
    return {
        "Error": {"Message": str(error), "Code": error.code},
        "ResponseMetadata": metadata(error.status),
        **fields(error),
    }


def raise_response(response: dict[str, Any], operation: str) -> NoReturn:
    """Raise the response of a refusal, as boto3's client does."""
    join_botocore()
    kind = modeled().get(response.get("Error", {}).get("Code"), ClientError)
    raise kind(response, operation) from None
