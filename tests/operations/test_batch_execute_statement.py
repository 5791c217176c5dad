"""BatchExecuteStatement: each member of the request, answers one by one, costs, refusals."""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Refused, Run
from operations.requests import (
    CAPACITY_VALUES,
    LEAST,
    MOST,
    broken,
    invalid,
    listed,
    missing,
    note,
    song,
)

pytestmark = pytest.mark.usefixtures("made")


@pytest.fixture(autouse=True)
def filled(made: Run) -> None:
    """Put two songs and a note."""
    for number in (1, 2):
        made("PutItem", TableName="songs", Item=song(track=number, v=number))
    made("PutItem", TableName="notes", Item=note("a"))


def batch(run: Run, *texts: Any, **members: Any) -> dict[str, Any]:
    statements = [{"Statement": text} if isinstance(text, str) else text for text in texts]
    return run("BatchExecuteStatement", Statements=statements, **members)


def read(number: int) -> str:
    return f"SELECT * FROM songs WHERE artist = 'ada' AND track = {number}"


# API: responses in the order of the statements; one that found nothing has no Item.
def test_reads_are_answered_in_order(run: Run) -> None:
    by_parameter = {
        "Statement": "SELECT id FROM notes WHERE id = ?", "Parameters": [{"S": "a"}],
        "ConsistentRead": True,
    }
    answer = batch(run, read(2), read(9), by_parameter, read(1))
    assert answer == {
        "Responses": [
            {"TableName": "songs", "Item": song(track=2, v=2)},
            {"TableName": "songs"},
            {"TableName": "notes", "Item": note("a")},
            {"TableName": "songs", "Item": song(track=1, v=1)},
        ]
    }


# API: each statement is for itself; one that fails says why, the others are carried out.
def test_a_write_that_fails_stops_no_other(run: Run) -> None:
    answer = batch(
        run,
        "INSERT INTO songs VALUE {'artist': 'bob', 'track': 1}",
        "INSERT INTO songs VALUE {'artist': 'ada', 'track': 1}",
        "UPDATE songs SET v = 9 WHERE artist = 'ada' AND track = 2 AND v > 5",
        "DELETE FROM songs WHERE artist = 'ada' AND track = 1",
        "DELETE FROM nowhere WHERE id = 'a'",
        "UPDATE songs SET v = 9 WHERE artist = 'ada'",
        "rubbish",
    )
    assert answer["Responses"] == [
        {"TableName": "songs"},
        {
            "TableName": "songs",
            "Error": {
                "Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"
            },
        },
        {
            "TableName": "songs",
            "Error": {
                "Code": "ConditionalCheckFailed", "Message": "The conditional request failed"
            },
        },
        {"TableName": "songs"},
        {
            "TableName": "nowhere",
            "Error": {"Code": "ResourceNotFound", "Message": "Requested resource not found"},
        },
        {
            "TableName": "songs",
            "Error": {
                "Code": "ValidationError",
                "Message": "Where clause does not contain a mandatory equality on all key "
                "attributes",
            },
        },
        {
            "Error": {
                "Code": "ValidationError",
                "Message": "Statement wasn't well formed, can't be processed: Expected data "
                "manipulation",
            }
        },
    ]
    found = sorted(run("Scan", TableName="songs")["Items"], key=repr)
    assert found == [song("ada", 2, v=2), song("bob", 1)]


def test_a_select_names_one_item(run: Run) -> None:
    answer = batch(run, "SELECT * FROM songs WHERE artist = 'ada'")
    assert answer["Responses"] == [
        {
            "TableName": "songs",
            "Error": {
                "Code": "ValidationError",
                "Message": "Select statements within BatchExecuteStatement must specify the "
                "primary key in the where clause.",
            },
        }
    ]


# API: all reads or all writes; 25 of them.
def test_reads_and_writes_do_not_mix(refused: Refused) -> None:
    statements = [
        {"Statement": read(1)}, {"Statement": "DELETE FROM notes WHERE id = 'a'"}
    ]
    assert refused("BatchExecuteStatement", Statements=statements) == invalid(
        "BatchExecuteStatement API does not support both read and write operations in the same "
        "request."
    )


@pytest.mark.parametrize("count", [25, 26])
def test_a_batch_has_25_statements(run: Run, refused: Refused, count: int) -> None:
    texts = [read(number) for number in range(count)]
    if count == 25:
        assert len(batch(run, *texts)["Responses"]) == 25
    else:
        statements = [{"Statement": text} for text in texts]
        code, words = refused("BatchExecuteStatement", Statements=statements)
        assert code == "ValidationException"
        assert words.endswith(f"' at 'statements' failed to satisfy constraint: {MOST}25")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("statements")),
        ({"Statements": []}, listed(broken("[]", "statements", LEAST + "1"))),
        ({"Statements": [{}]}, missing("statements.1.member.statement")),
        (
            {
                "Statements": [
                    {
                        "Statement": "", "Parameters": [],
                        "ReturnValuesOnConditionCheckFailure": "x",
                    }
                ],
                "ReturnConsumedCapacity": "x",
            },
            listed(
                broken("", "statements.1.member.statement", LEAST + "1"),
                broken("[]", "statements.1.member.parameters", LEAST + "1"),
                broken(
                    "x",
                    "statements.1.member.returnValuesOnConditionCheckFailure",
                    "Member must satisfy enum value set: [ALL_OLD, NONE]",
                ),
                broken("x", "returnConsumedCapacity", CAPACITY_VALUES),
            ),
        ),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("BatchExecuteStatement", **request_) == answer


# Guide: each statement costs what it costs alone; a failed write what it attempted.
def test_a_batch_costs_its_statements(run: Run) -> None:
    consistent = {"Statement": read(2), "ConsistentRead": True}
    answer = batch(run, read(1), consistent, read(9), "SELECT * FROM notes WHERE id = 'a'",
                   ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == [
        {"TableName": "songs", "CapacityUnits": 2.0}, {"TableName": "notes", "CapacityUnits": 0.5}
    ]
    answer = batch(
        run, "INSERT INTO songs VALUE {'artist': 'bob', 'track': 1, 'title': 't'}",
        "INSERT INTO songs VALUE {'artist': 'ada', 'track': 1}", ReturnConsumedCapacity="INDEXES",
    )
    assert answer["ConsumedCapacity"] == [
        {
            "TableName": "songs", "CapacityUnits": 3.0, "Table": {"CapacityUnits": 2.0},
            "LocalSecondaryIndexes": {"by_title": {"CapacityUnits": 1.0}},
        }
    ]
    assert "ConsumedCapacity" not in batch(run, read(1), ReturnConsumedCapacity="NONE")
