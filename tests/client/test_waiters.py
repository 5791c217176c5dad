"""Waiters beside botocore's, over responses that are laid out."""

from __future__ import annotations

from typing import Any

import botocore.waiter
import pytest
from botocore.client import BaseClient

import hashrange
from hashrange.client import Client, WaiterError, facts
from hashrange.errors import ResourceNotFound, ValidationError, unknown_operation


def statuses(*names: str) -> list[dict[str, Any]]:
    return [{"Table": {"TableStatus": name}} for name in names]


def streams(*names: str) -> dict[str, Any]:
    return {"KinesisDataStreamDestinations": [{"DestinationStatus": name} for name in names]}


MISSING = ResourceNotFound("Requested resource not found: Table: x not found")
WAITS: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("table_exists", statuses("ACTIVE"), {}),
    ("table_exists", [MISSING, *statuses("CREATING", "ACTIVE")], {}),
    ("table_exists", [MISSING, *statuses("CREATING")], {"MaxAttempts": 2}),
    ("table_exists", statuses("CREATING", "CREATING", "ACTIVE"), {"MaxAttempts": 2}),
    ("table_exists", [MISSING, MISSING], {"MaxAttempts": 2, "Delay": 1}),
    ("table_exists", [ValidationError("no")], {}),
    ("table_exists", [{}, {"Table": {}}, *statuses("ACTIVE")], {"Delay": 0.5}),
    ("table_not_exists", [*statuses("DELETING"), MISSING], {}),
    ("table_not_exists", [unknown_operation()], {}),
    ("export_completed", [{"ExportDescription": {"ExportStatus": "FAILED"}}], {}),
    ("export_completed", [{"ExportDescription": {"ExportStatus": "IN_PROGRESS"}},
                          {"ExportDescription": {"ExportStatus": "COMPLETED"}}], {}),
    ("import_completed", [{"ImportTableDescription": {"ImportStatus": "CANCELLED"}}], {}),
    ("contributor_insights_enabled", [{"ContributorInsightsStatus": "ENABLED"}], {}),
    ("kinesis_streaming_destination_active", [streams(), streams("ENABLING", "ACTIVE")], {}),
    ("kinesis_streaming_destination_active",
     [streams("ENABLING", "DISABLED"), streams("DISABLED", "ENABLE_FAILED")], {}),
]


def ours(name: str, answers: list[Any], config: Any) -> Any:
    waiting, slept = list(answers), []

    def execute(operation: str, request: Any) -> Any:
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    waiter = Client(execute, sleep=slept.append).get_waiter(name)
    return ended(lambda: waiter.wait(**parameters(name), WaiterConfig=config)), slept


def theirs(
    client: Any, name: str, answers: list[Any], config: Any, monkeypatch: pytest.MonkeyPatch
) -> Any:
    waiting, slept = list(answers), []

    def call(self: Any, operation: str, request: Any) -> Any:
        answer = waiting.pop(0)
        if isinstance(answer, hashrange.Error):
            response = {"Error": {"Code": answer.code, "Message": str(answer)}}
            raise client.exceptions.ClientError(response, operation)
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    monkeypatch.setattr(botocore.waiter.time, "sleep", slept.append)
    waiter = client.get_waiter(name)
    return ended(lambda: waiter.wait(**parameters(name), WaiterConfig=config)), slept


def parameters(name: str) -> dict[str, str]:
    return {
        "export_completed": {"ExportArn": "e" * 37}, "import_completed": {"ImportArn": "i" * 37}
    }.get(name, {"TableName": "x"})


def ended(wait: Any) -> Any:
    try:
        return wait()
    except Exception as error:
        response: Any = getattr(error, "last_response", {})
        last = {key: value for key, value in response.items()
                if key not in ("ResponseMetadata", "message")}
        return type(error).__name__, str(error), last


# What it waits for, how often it asks, how long it sleeps, and what it says when it gives up.
@pytest.mark.parametrize(("name", "answers", "config"), WAITS)
def test_a_waiter_does_as_botocores(
    name: str, answers: list[Any], config: Any, boto: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = ours(name, answers, config)
    assert mine == theirs(boto[0], name, answers, config, monkeypatch)


def test_waiters_are_named_as_in_botocore(client: Any, boto_client: Any) -> None:
    assert client.waiter_names == boto_client.waiter_names
    for name in client.waiter_names:
        mine, their = client.get_waiter(name), boto_client.get_waiter(name)
        assert mine.name == their.name
        for member in ("operation", "delay", "max_attempts"):
            assert getattr(mine.config, member) == getattr(their.config, member)
    with pytest.raises(ValueError, match="Waiter does not exist: nothing"):
        client.get_waiter("nothing")
    assert len(client.waiter_names) == len(facts.WAITERS)


def test_a_table_exists_at_once(client: Any) -> None:
    client.get_waiter("table_exists").wait(TableName="things")
    client.get_waiter("table_not_exists").wait(TableName="nothing")
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        client.get_waiter("table_not_exists").wait(
            TableName="things", WaiterConfig={"MaxAttempts": 1}
        )
