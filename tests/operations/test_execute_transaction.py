"""ExecuteTransaction: each member of the request, all or nothing, tokens, costs, refusals."""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Refused, Run
from operations.requests import (
    CAPACITY_VALUES,
    LEAST,
    MOST,
    NOT_FOUND,
    broken,
    invalid,
    listed,
    missing,
    note,
    song,
)

from hashrange.errors import TransactionCanceled

pytestmark = pytest.mark.usefixtures("made")


@pytest.fixture(autouse=True)
def filled(made: Run) -> None:
    """Put two songs and a note."""
    for number in (1, 2):
        made("PutItem", TableName="songs", Item=song(track=number, v=number))
    made("PutItem", TableName="notes", Item=note("a"))


def statements(*texts: Any) -> list[dict[str, Any]]:
    return [{"Statement": text} if isinstance(text, str) else text for text in texts]


def transact(run: Run, *texts: Any, **members: Any) -> dict[str, Any]:
    return run("ExecuteTransaction", TransactStatements=statements(*texts), **members)


def read(number: int) -> str:
    return f"SELECT * FROM songs WHERE artist = 'ada' AND track = {number}"


ADD = "INSERT INTO songs VALUE {'artist': 'bob', 'track': 1}"
CHANGE = "UPDATE songs SET v = v + 1 WHERE artist = 'ada' AND track = 2"


# API: responses in the order of the statements.
def test_reads_are_answered_in_order(run: Run) -> None:
    by_parameter = {"Statement": "SELECT id FROM notes WHERE id = ?", "Parameters": [{"S": "a"}]}
    assert transact(run, read(2), read(9), by_parameter) == {
        "Responses": [{"Item": song(track=2, v=2)}, {}, {"Item": note("a")}]
    }


def test_writes_are_carried_out_together(run: Run) -> None:
    exists = "EXISTS(SELECT * FROM songs WHERE artist = 'ada' AND track = 1 AND v = 1)"
    answer = transact(run, ADD, CHANGE, "DELETE FROM notes WHERE id = 'a'", exists)
    assert answer == {"Responses": [{}, {}, {}, {}]}
    found = sorted(run("Scan", TableName="songs")["Items"], key=repr)
    assert found == [song(track=1, v=1), song(track=2, v=3), song("bob", 1)]
    assert run("Scan", TableName="notes")["Count"] == 0


# API: one reason for each statement; nothing is changed.
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "INSERT INTO songs VALUE {'artist': 'ada', 'track': 1}",
            {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"},
        ),
        (
            "UPDATE songs SET v = 9 WHERE artist = 'ada' AND track = 1 AND v = 5",
            {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        ),
        (
            "UPDATE songs SET v = 9 WHERE artist = 'nobody' AND track = 1",
            {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        ),
        (
            {
                "Statement": "DELETE FROM songs WHERE artist = 'ada' AND track = 1 AND v = 5",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
            {
                "Code": "ConditionalCheckFailed",
                "Message": "The conditional request failed",
                "Item": song(track=1, v=1),
            },
        ),
        (
            "EXISTS(SELECT * FROM songs WHERE artist = 'ada' AND track = 1 AND v = 5)",
            {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        ),
    ],
)
def test_one_failure_cancels_all(run: Run, text: Any, reason: dict[str, Any]) -> None:
    with pytest.raises(TransactionCanceled) as caught:
        transact(run, ADD, text)
    assert caught.value.reasons == [{"Code": "None"}, reason]
    found = sorted(run("Scan", TableName="songs")["Items"], key=repr)
    assert found == [song(track=1, v=1), song(track=2, v=2)]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (
            [read(1), "DELETE FROM notes WHERE id = 'a'"],
            "ExecuteTransaction API does not support both read and write operations in the same "
            "request.",
        ),
        (
            [CHANGE, "DELETE FROM songs WHERE artist = 'ada' AND track = 2"],
            "Transaction request cannot include multiple operations on one item",
        ),
        (
            ["SELECT * FROM songs WHERE artist = 'ada'"],
            "Select statements within ExecuteTransaction must specify the primary key in the where "
            "clause.",
        ),
        (
            ["EXISTS(SELECT * FROM songs WHERE artist = 'ada' AND track = 1)"],
            "EXISTS() must contain a single item read with additional condition",
        ),
        (
            ["rubbish"],
            "Statement wasn't well formed, can't be processed: Expected data manipulation",
        ),
    ],
)
def test_a_fault_of_the_request_is_told_alone(refused: Refused, texts: Any, words: str) -> None:
    request = {"TransactStatements": statements(*texts)}
    assert refused("ExecuteTransaction", **request) == invalid(words)


def test_a_table_that_is_not_there(refused: Refused) -> None:
    texts = statements(ADD, "DELETE FROM nowhere WHERE id = 'a'")
    assert refused("ExecuteTransaction", TransactStatements=texts) == NOT_FOUND


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("transactStatements")),
        ({"TransactStatements": []}, listed(broken("[]", "transactStatements", LEAST + "1"))),
        ({"TransactStatements": [{}]}, missing("transactStatements.1.member.statement")),
        (
            {
                "TransactStatements": [{"Statement": "x" * 8193, "Parameters": []}],
                "ClientRequestToken": "x" * 37,
                "ReturnConsumedCapacity": "x",
            },
            listed(
                broken("x" * 8193, "transactStatements.1.member.statement", MOST + "8192"),
                broken("[]", "transactStatements.1.member.parameters", LEAST + "1"),
                broken("x" * 37, "clientRequestToken", MOST + "36"),
                broken("x", "returnConsumedCapacity", CAPACITY_VALUES),
            ),
        ),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("ExecuteTransaction", **request_) == answer


@pytest.mark.parametrize("count", [100, 101])
def test_a_transaction_has_100_statements(run: Run, refused: Refused, count: int) -> None:
    texts = [read(number) for number in range(count)]
    if count == 100:
        assert len(transact(run, *texts)["Responses"]) == 100
    else:
        code, words = refused("ExecuteTransaction", TransactStatements=statements(*texts))
        assert code == "ValidationException"
        assert words.endswith(
            f"' at 'transactStatements' failed to satisfy constraint: {MOST}100"
        )


# API: a known token stands for what was done; another request with it is refused.
def test_a_token_is_good_for_one_request(run: Run, refused: Refused) -> None:
    request = {"ClientRequestToken": "once", "ReturnConsumedCapacity": "TOTAL"}
    for kind in ("Write", "Read"):
        assert transact(run, CHANGE, **request)["ConsumedCapacity"] == [
            {"TableName": "songs", "CapacityUnits": 2.0, f"{kind}CapacityUnits": 2.0}
        ]
    found = run("GetItem", TableName="songs", Key=song(track=2))["Item"]
    assert found == song(track=2, v=3)
    other = {"TransactStatements": statements(ADD), "ClientRequestToken": "once"}
    code, _ = refused("ExecuteTransaction", **other)
    assert code == "IdempotentParameterMismatchException"


# Guide: twice what each statement costs alone.
def test_a_transaction_costs_twice(run: Run) -> None:
    for texts, kind, units in (((read(1), read(9)), "Read", 4.0), ((ADD, CHANGE), "Write", 4.0)):
        answer = transact(run, *texts, ReturnConsumedCapacity="INDEXES")
        assert answer["ConsumedCapacity"] == [
            {
                "TableName": "songs", "CapacityUnits": units, f"{kind}CapacityUnits": units,
                "Table": {"CapacityUnits": units, f"{kind}CapacityUnits": units},
            }
        ]
    assert "ConsumedCapacity" not in transact(run, read(1), ReturnConsumedCapacity="NONE")
