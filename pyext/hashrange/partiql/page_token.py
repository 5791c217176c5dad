"""NextToken: the place where a SELECT goes on, in a form that says nothing to those who hold it.

A token belongs to the statement, parameters included, that it was made for: another statement's is
refused, and so is one that was damaged. It is not a secret and not signed: a position that someone
makes up shows nothing that a SELECT of theirs would not show.

Format, before base64: version (1 byte), checksum of all that follows (16 bytes), binding (16
bytes), then JSON: [read, key], binary values marked "b" where bytes were given. Sizes are bounded
by those of keys: 8 attributes of an index's key and 2 of the table's make less than TOKEN_MAX.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

from hashrange.partiql import faults
from hashrange.partiql.keys import READS_MAX
from hashrange.partiql.plan import SelectPlan
from hashrange.partiql.tree import Typed

TOKEN_MAX = 32_768  # characters; source: service model, PartiQLNextToken
_VERSION = b"\x01"
_DIGEST_BYTES = 16
_HEAD_BYTES = 1 + 2 * _DIGEST_BYTES


class Position(NamedTuple):
    """Where to go on: in which of the plan's reads (0 for a scan), and after which key.

    Whoever carries the plan out checks the key as an ExclusiveStartKey, and the read against the
    plan: tokens are not signed.

    key: as LastEvaluatedKey; None: at the read's beginning.
    """

    read: int
    key: dict[str, Typed] | None


def statement_binding(text: str, parameters: Sequence[Typed]) -> bytes:
    """Return what ties a token to a statement: 16 bytes."""
    content = json.dumps([text, list(parameters)], default=_tagged, sort_keys=True)
    return _digest(content.encode())


def encode_token(position: Position, binding: bytes) -> str:
    """Return the token for a position, at most 32,768 characters."""
    key = position.key
    tagged = None if key is None else {name: _outward(value) for name, value in key.items()}
    content = json.dumps([position.read, tagged], separators=(",", ":"))
    body = binding + content.encode()
    token = base64.b64encode(_VERSION + _digest(body) + body).decode()
    if len(token) > TOKEN_MAX:
        raise ValueError(f"a key of {len(content)} bytes does not fit into a NextToken")
    return token


def decode_token(token: str, binding: bytes) -> Position:
    """Return the position in a token.

    Raises ValidationError: "Invalid NextToken" for what is none or is damaged, "NextToken does not
    match request" for the token of another statement.
    """
    try:
        raw = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        raise faults.token_damaged() from None
    body = raw[1 + _DIGEST_BYTES :]
    if len(raw) <= _HEAD_BYTES or raw[:1] != _VERSION or raw[1:17] != _digest(body):
        raise faults.token_damaged()
    if body[:_DIGEST_BYTES] != binding:
        raise faults.token_of_another()
    try:
        read, key = json.loads(body[_DIGEST_BYTES:])
        inward = None if key is None else {name: _inward(value) for name, value in key.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise faults.token_damaged() from None
    if type(read) is not int or not 0 <= read < READS_MAX:
        raise faults.token_damaged()
    return Position(read, inward)


def next_position(
    plan: SelectPlan, read: int, last_key: dict[str, Typed] | None
) -> Position | None:
    """Return where to go on after a page that ended in a read of a plan; None: that was all.

    last_key: the LastEvaluatedKey of that read (of the scan), None when it came to its end.
    """
    if last_key is not None:
        return Position(read, last_key)
    return Position(read + 1, None) if read + 1 < len(plan.reads) else None


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()


def _outward(value: Typed) -> Typed:
    kind, content = next(iter(value.items()))
    return _tagged(content) if isinstance(content, bytes) else {kind: content}


def _inward(value: Typed) -> Typed:
    ((kind, content),) = value.items()
    if kind == "b":
        return {"B": base64.b64decode(content, validate=True)}
    return {kind: content}


def _tagged(content: object) -> Typed:
    """Write bytes, of any kind, as JSON can."""
    return {"b": base64.b64encode(bytes(content)).decode()}  # type: ignore[call-overload]
