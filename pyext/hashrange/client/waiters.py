"""Waiters: ask until something is so, as boto3's client does.

What a waiter looks for are the acceptors of `facts.WAITERS`. Their paths are of three forms: names
with dots between them; one list and a name in its elements; and the one expression of
KinesisStreamingDestinationActive, that every stream is off.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hashrange.client import facts
from hashrange.client.exceptions import ClientError, WaiterError, join_botocore
from hashrange.client.facts import Acceptor, Wait

Response = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WaiterConfig:
    """What a waiter does unless it is told otherwise. delay: seconds between two calls."""

    operation: str
    delay: int
    max_attempts: int
    acceptors: tuple[Acceptor, ...]
    description: str = ""


class Waiter:
    """Waits for one thing. method: the client's method; sleep: how it waits."""

    def __init__(
        self,
        name: str,
        wait: Wait,
        method: Callable[..., Response],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.config = WaiterConfig(wait.operation, wait.delay_s, wait.attempts_max, wait.acceptors)
        self._method = method
        self._sleep = sleep

    def wait(self, **parameters: Any) -> None:
        """Wait until it is so. WaiterConfig: Delay (seconds) and MaxAttempts, each optional.

        Everything else is the operation's. Raises WaiterError when it gives up or meets a state
        that leads nowhere.
        """
        config = parameters.pop("WaiterConfig", {})
        delay_s = config.get("Delay", self.config.delay)
        attempts_max = config.get("MaxAttempts", self.config.max_attempts)
        attempts, accepted = 0, None
        while True:
            response = self.asked(parameters)
            attempts += 1
            match = next((a for a in self.config.acceptors if matches(a, response)), None)
            if match is None and "Error" in response:
                error = response["Error"]
                words = f"{error.get('Code', 'Unknown')}): {error.get('Message', 'Unknown')}"
                raise self.failed(f"An error occurred ({words}", response)
            accepted = match or accepted
            if match is not None and match.state == "success":
                return
            if match is not None and match.state == "failure":
                words = explained(match)
                raise self.failed(f"Waiter encountered a terminal failure state: {words}", response)
            if attempts >= attempts_max:
                words = "Max attempts exceeded"
                if accepted is not None:
                    words += f". Previously accepted state: {explained(accepted)}"
                raise self.failed(words, response)
            self._sleep(delay_s)

    def asked(self, parameters: dict[str, Any]) -> Response:
        """Return the response, an error of the service as a response too."""
        try:
            return self._method(**parameters)
        except ClientError as error:
            return error.response

    def failed(self, reason: str, response: Response) -> WaiterError:
        """Make the error of a wait that has failed."""
        join_botocore()
        return WaiterError(self.name, reason, response)


def matches(acceptor: Acceptor, response: Response) -> bool:
    """Tell whether an acceptor takes a response."""
    if acceptor.matcher == "error":
        return bool(response.get("Error", {}).get("Code", "") == acceptor.expected)
    if "Error" in response:
        return False
    assert acceptor.argument is not None
    if acceptor.argument == facts.NO_STREAM_IS_ACTIVE:
        return no_stream_is_active(response)
    listed, _, member = acceptor.argument.partition("[].")
    if acceptor.matcher == "pathAny":
        elements = response.get(listed) or []
        return any(element.get(member) == acceptor.expected for element in elements)
    value: Any = response
    for name in acceptor.argument.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return bool(value == acceptor.expected)


def no_stream_is_active(response: Response) -> bool:
    """Tell whether there are Kinesis streams, all of them disabled or failed."""
    streams = response.get("KinesisDataStreamDestinations") or []
    return bool(streams) and all(
        stream.get("DestinationStatus") in ("DISABLED", "ENABLE_FAILED") for stream in streams
    )


def explained(acceptor: Acceptor) -> str:
    """Say what an acceptor has found."""
    if acceptor.matcher == "error":
        return f"Matched expected service error code: {acceptor.expected}"
    words = f'For expression "{acceptor.argument}" we matched expected path: "{acceptor.expected}"'
    return f"{words} at least once" if acceptor.matcher == "pathAny" else words
