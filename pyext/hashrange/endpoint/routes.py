"""Routes: from the X-Amz-Target header to an operation, and where it is carried out.

Theory of operation. The server has one thread for its connections, and carries out in it what takes
microseconds: operations on single items, and small queries. What may take milliseconds, or waits
for a disk, goes to a pool of threads, so that other connections do not wait with it.

Invariants. (1) There is a route for the names of operations, and for nothing else.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hashrange.ops import requests

DATA_TARGET = b"DynamoDB_20120810."
STREAM_TARGET = b"DynamoDBStreams_20120810."
STREAM_OPERATIONS = frozenset(
    {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"}
)
SHORT_READS = frozenset({"GetItem", "DescribeTable", "DescribeLimits", "DescribeEndpoints"})
SHORT_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
PLAIN = frozenset({"GetItem", "PutItem"})
PAGED = frozenset({"Query", "Scan"})
SHORT_QUERY_ITEMS_MAX = 25      # Limit of a Query that is carried out at once
SHORT_BODY_BYTES_MAX = 64 << 10


class Route(NamedTuple):
    """One operation.

    at_once: it is short. limited: it is when its Limit is small. is_plain: the door knows it.
    is_paged: its items may be text.
    """

    operation: str
    at_once: bool
    limited: bool = False
    is_plain: bool = False
    is_paged: bool = False

    def is_short(self, request: Any) -> bool:
        """Tell whether a request may be carried out in the thread of the connections."""
        if self.at_once or not self.limited:
            return self.at_once
        limit = request.get("Limit") if isinstance(request, dict) else None
        return type(limit) is int and limit <= SHORT_QUERY_ITEMS_MAX


def routes(*, durable: bool) -> dict[bytes, Route]:
    """Return the routes by the header's text. durable: writes wait for the disk."""
    short = SHORT_READS if durable else SHORT_READS | SHORT_WRITES
    found = {}
    for operation in requests.SHAPES:
        target = STREAM_TARGET if operation in STREAM_OPERATIONS else DATA_TARGET
        found[target + operation.encode("ascii")] = Route(
            operation,
            operation in short,
            operation == "Query",
            operation in PLAIN,
            operation in PAGED,
        )
    return found
