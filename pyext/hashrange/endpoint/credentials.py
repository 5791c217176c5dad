"""Credentials: for which Region a request is signed.

Theory of operation. Nothing is checked: whoever reaches the port may use the database, and requests
that are not signed at all are welcome. Of a signature only the scope of its credential is read,
KEY/date/region/service/aws4_request, because ARNs in responses name the caller's Region. A client
signs all its requests for one Region, so the scope is cut out once for each text that comes.

Invariants. (1) The cache is bounded; a scope is at most SCOPE_BYTES_MAX long.
"""

from __future__ import annotations

import re

from hashrange.ops.arn import Identity

SCOPE_BYTES_MAX = 256
SCOPES_MAX = 64
SCOPE = re.compile(rb"Credential=[^/,\s]*/[0-9]{8}/([a-z]{2,8}(?:-[a-z0-9]{1,16}){1,4})/").search
HOME = Identity().region
PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov"}


class Callers:
    """Finds the Identity that a request's Authorization header names."""

    def __init__(self) -> None:
        self.known: dict[bytes, Identity | None] = {}

    def identity(self, authorization: bytes | None) -> Identity | None:
        """Return whom a request is signed for; None for the default Region, or when it is not."""
        if authorization is None:
            return None
        # What is in front of the first comma is the credential; signatures differ each time.
        scope = authorization[: authorization.find(b",") % SCOPE_BYTES_MAX]
        try:
            return self.known[scope]
        except KeyError:
            identity = identity_of(scope)
            if len(self.known) >= SCOPES_MAX:
                self.known.clear()
            self.known[scope] = identity
            return identity


def identity_of(scope: bytes) -> Identity | None:
    """Return whom a credential scope names; None for the default Region and for what is none."""
    match = SCOPE(scope + b"/")
    if match is None:
        return None
    region = match[1].decode("ascii")
    if region == HOME:
        return None
    partition = next((name for start, name in PARTITIONS.items() if region.startswith(start + "-")),
                     "aws")
    return Identity(region, partition=partition)
