"""The wire: requests and responses as boto3 sends and gets them, without a network.

The body is the service's JSON, binaries as base64 text. `answered` runs one request and returns
status, headers and body, as the service would; the checksum in `x-amz-crc32` is the body's.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from hashrange.client.answers import Metadata
from hashrange.client.exceptions import fields, is_of_service
from hashrange.client.shapes import operations, structure
from hashrange.client.transformation import Change, compiled
from hashrange.errors import Error, SerializationError, type_of

Execute = Callable[[str, dict[str, Any]], dict[str, Any]]

CONTENT_TYPE = "application/x-amz-json-1.0"


def request_of(operation: str, body: bytes | str) -> dict[str, Any]:
    """Return the request that a body holds, its binaries as bytes. Raises SerializationError."""
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise SerializationError(str(error)) from None
    if not isinstance(request, dict):
        raise SerializationError("Start of list found where not expected")
    change = binaries_of(operation)
    made: dict[str, Any] = request if change is None else change(request)
    return made


@cache
def binaries_of(operation: str) -> Change | None:
    """Return what makes bytes of the base64 text in an operation's request; None if it has none."""
    names = operations().get(operation)
    return None if names is None else compiled(structure(names[0]), with_bytes, None, {})


def with_bytes(value: Any) -> Any:
    """Return an attribute value with its binaries as bytes; what is none stays as it is."""
    if not isinstance(value, dict):
        return value
    changed = dict(value)
    for kind, inner in value.items():
        if kind == "B":
            changed[kind] = decoded(inner)
        elif isinstance(inner, list) and kind in ("BS", "L"):
            changed[kind] = [(decoded if kind == "BS" else with_bytes)(each) for each in inner]
        elif isinstance(inner, dict) and kind == "M":
            changed[kind] = {name: with_bytes(each) for name, each in inner.items()}
    return changed


def decoded(text: Any) -> Any:
    """Return the bytes of base64 text; what is none is left for the service to refuse."""
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else text
    except ValueError:
        return text


def body_of(answer: dict[str, Any]) -> bytes:
    """Return a response as JSON."""
    return json.dumps(answer, default=base64_text, separators=(",", ":")).encode()


def base64_text(value: Any) -> str:
    """Return a binary as base64 text."""
    return base64.b64encode(value).decode()


def answered(
    execute: Execute, operation: str, body: bytes | str, metadata: Metadata
) -> tuple[int, dict[str, str], bytes]:
    """Run a request; return status, headers and body of the response.

    Raises what is no error of the service, such as DiskFull.
    """
    status = 200
    try:
        content = body_of(execute(operation, request_of(operation, body)))
    except Error as error:
        if not is_of_service(error):
            raise
        status = error.status
        carried = fields(error) or {"message": str(error)}
        content = body_of({"__type": type_of(error), **carried})
    headers = {
        "x-amzn-RequestId": metadata()["RequestId"],
        "x-amz-crc32": str(binascii.crc32(content)),
        "Content-Type": CONTENT_TYPE,
        "Content-Length": str(len(content)),
    }
    return status, headers, content
