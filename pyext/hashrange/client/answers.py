"""Answers: what a client adds to the engine's response, and the times in it as datetimes.

The engine answers in the service's JSON, in which a time is a number of seconds. `timed` compiles
the structure of a response to a function that makes datetimes of them, or to None when there are
no times in it, as in all operations on items.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from hashrange.client.shapes import Mapping, Scalar, Sequence, Shape, Structure

Change = Callable[[Any], Any]


def time_of(seconds: float) -> datetime:
    """Return a time as boto3 has it: aware, in the local zone."""
    return datetime.fromtimestamp(seconds, UTC).astimezone()


def timed(shape: Shape, within: tuple[str, ...] = ()) -> Change | None:
    """Return what makes datetimes of a value's times, in a copy; None when it has none.

    within: the structures it is in; what contains itself (attribute values) has no times.
    """
    match shape:
        case Scalar():
            return time_of if shape.kind == "time" else None
        case Sequence():
            return timed_elements(timed(shape.element, within))
        case Mapping():
            return timed_values(timed(shape.value, within))
        case Structure():
            return timed_structure(shape, within)


def timed_elements(change: Change | None) -> Change | None:
    """Return what changes each element of a list; None for nothing to change."""
    return None if change is None else lambda given: [change(element) for element in given]


def timed_values(change: Change | None) -> Change | None:
    """Return what changes each value of a map; None for nothing to change."""
    if change is None:
        return None
    return lambda given: {key: change(inner) for key, inner in given.items()}


def timed_structure(shape: Structure, within: tuple[str, ...]) -> Change | None:
    """Return what makes datetimes of a structure's times, or None when it has none."""
    if shape.name in within:
        return None
    inside = (*within, shape.name)
    changes = {
        name: change
        for name, member in shape.members.items()
        if (change := timed(member, inside)) is not None
    }
    if not changes:
        return None
    return lambda given: {
        name: changes[name](inner) if name in changes else inner for name, inner in given.items()
    }


class Metadata:
    """Makes ResponseMetadata: a request id that no other call has, and the status.

    There are no HTTP headers; what is under HTTPHeaders is what programs look up there.
    """

    def __init__(self) -> None:
        self.start = os.urandom(16).hex().upper()
        self.next = count().__next__

    def __call__(self, status: int = 200) -> dict[str, Any]:
        """Return the metadata of one response."""
        request_id = f"{self.start}{self.next():020d}"
        return {
            "RequestId": request_id,
            "HTTPStatusCode": status,
            "HTTPHeaders": {
                "x-amzn-requestid": request_id,
                "content-type": "application/x-amz-json-1.0",
            },
            "RetryAttempts": 0,
        }
