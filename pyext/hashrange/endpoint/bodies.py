"""Bodies: what errors look like in JSON, and compression in both directions.

Theory of operation. An error's body has `__type`, its name with a namespace, and its words in a
member that is `message` for most, `Message` for those that the service's framework raises and a few
others. Some have members of their own: the reasons of a canceled transaction, the item that failed
a condition. An error that has no words has no such member.

What is compressed expands to BODY_BYTES_MAX at most. The checksum x-amz-crc32 is that of the bytes
on the wire, as the service's is.

Sources: members: service model; namespaces: as observed on the service.
"""

from __future__ import annotations

import zlib
from typing import Any

from hashrange.errors import (
    ConditionalCheckFailed,
    Error,
    TransactionCanceled,
    type_of,
)

BODY_BYTES_MAX = 16 << 20
COMPRESS_BYTES_MIN = 1024       # smaller responses are sent as they are
COMPRESS_LEVEL = 1
GZIP_WINDOW = 31                # zlib's way of saying: with a gzip header
GZIP_OR_ZLIB_WINDOW = 47
CAPITAL_MESSAGE = frozenset(
    {
        "AccessDeniedException",
        "IdempotentParameterMismatchException",
        "SerializationException",
        "TransactionCanceledException",
        "TransactionInProgressException",
    }
)
UNKNOWN_PAGE = b"<UnknownOperationException/>\n"
INTERNAL_FAILURE = {"__type": "com.amazon.coral.service#InternalFailure"}
NO_JSON = {"__type": "com.amazon.coral.service#SerializationException"}


def error_body(error: Error) -> dict[str, Any]:
    """Return what an error's body holds."""
    body: dict[str, Any] = {"__type": type_of(error)}
    if isinstance(error, TransactionCanceled):
        body["CancellationReasons"] = error.reasons
    elif isinstance(error, ConditionalCheckFailed):
        if error.item is not None:
            body["Item"] = error.item
    else:
        reasons = getattr(error, "reasons", None)
        if reasons:
            first = "t" if error.code == "ThrottlingException" else "T"
            body[first + "hrottlingReasons"] = reasons
    words = str(error)
    if words:
        body["Message" if error.code in CAPITAL_MESSAGE else "message"] = words
    return body


def expanded(body: bytes) -> bytes | None:
    """Return what a gzip body holds; None when it is damaged or more than BODY_BYTES_MAX."""
    machine = zlib.decompressobj(GZIP_OR_ZLIB_WINDOW)
    try:
        made = machine.decompress(body, BODY_BYTES_MAX + 1)
    except zlib.error:
        return None
    if not machine.eof or len(made) > BODY_BYTES_MAX:
        return None
    return made


def compressed(body: bytes) -> bytes:
    """Return a body as gzip."""
    return zlib.compress(body, COMPRESS_LEVEL, GZIP_WINDOW)


def accepts_gzip(header: bytes | None) -> bool:
    """Tell whether an Accept-Encoding header wants gzip."""
    if header is None or b"gzip" not in header.lower():
        return False
    for part in header.lower().split(b","):
        name, *parameters = part.strip().split(b";")
        if name.strip() == b"gzip":
            return not any(weight_is_zero(parameter) for parameter in parameters)
    return False


def weight_is_zero(parameter: bytes) -> bool:
    """Tell whether a parameter says q=0."""
    name, _, weight = parameter.strip().partition(b"=")
    return name == b"q" and weight.strip().rstrip(b"0").rstrip(b".") in (b"", b"0")
