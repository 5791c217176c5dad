"""ExecuteStatement: each member of the request, the four statements, costs, refusals."""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Refused, Run
from operations.requests import (
    CAPACITY_VALUES,
    FAILED,
    KB,
    LEAST,
    MOST,
    NOT_FOUND,
    SERIALIZATION,
    broken,
    invalid,
    listed,
    missing,
    shown,
    sized,
    song,
    typed,
)

import hashrange

pytestmark = pytest.mark.usefixtures("made")
WELL_FORMED = "Statement wasn't well formed, can't be processed: "


@pytest.fixture(autouse=True)
def filled(made: Run) -> None:
    """Put four songs of ada."""
    for number in range(4):
        made("PutItem", TableName="songs", Item=song(track=number, v=number, title=f"t{number}"))


def execute(run: Run, text: str, *given: Any, **members: Any) -> dict[str, Any]:
    request: dict[str, Any] = {"Statement": text, **members}
    if given:
        request["Parameters"] = [typed(value) for value in given]
    return run("ExecuteStatement", **request)


def tracks(answer: dict[str, Any]) -> list[int]:
    return [int(item["track"]["N"]) for item in answer["Items"]]


# ---- SELECT --------------------------------------------------------------------------------------


# API: a read returns items; of a key one, of a partition those in their order.
@pytest.mark.parametrize(
    ("where", "given", "found"),
    [
        ("artist = 'ada' AND track = 2", [], [2]),
        ("artist = ? AND track = ?", ["ada", 2], [2]),
        ("artist = ?", ["ada"], [0, 1, 2, 3]),
        ("artist = ? AND track > ?", ["ada", 1], [2, 3]),
        ("artist = ? AND track BETWEEN ? AND ?", ["ada", 1, 2], [1, 2]),
        ("artist = ? AND v < ?", ["ada", 2], [0, 1]),
        ("artist = ? ORDER BY track DESC", ["ada"], [3, 2, 1, 0]),
        ("artist = 'nobody'", [], []),
        ("v = 3", [], [3]),
    ],
)
def test_a_select_finds_items(run: Run, where: str, given: list[Any], found: list[int]) -> None:
    answer = execute(run, f"SELECT * FROM songs WHERE {where}", *given)
    assert tracks(answer) == found
    assert answer["Items"] == [song(track=n, v=n, title=f"t{n}") for n in found]


def test_a_select_shows_its_columns(run: Run) -> None:
    answer = execute(run, "SELECT v FROM songs WHERE artist = 'ada' AND track = 1")
    assert answer == {"Items": [{"v": {"N": "1"}}]}
    answer = execute(run, 'SELECT track FROM "songs"."by_title" WHERE artist = ? AND title > ?',
                     "ada", "t1")
    assert answer == {"Items": [{"track": {"N": "2"}}, {"track": {"N": "3"}}]}


# API: Limit is items evaluated; NextToken goes on where the page ended.
def test_pages_add_up(run: Run) -> None:
    text = "SELECT * FROM songs WHERE artist = 'ada'"
    found, token, pages = [], None, 0
    while pages == 0 or token is not None:
        page = execute(run, text, Limit=3, NextToken=token)
        found += tracks(page)
        token = page.get("NextToken")
        assert ("LastEvaluatedKey" in page) == (token is not None)
        pages += 1
    assert (found, pages) == ([0, 1, 2, 3], 2)


def test_a_token_of_nothing_is_refused(refused: Refused) -> None:
    request = {"Statement": "SELECT * FROM songs", "NextToken": "x"}
    assert refused("ExecuteStatement", **request) == invalid("Invalid NextToken")


# ---- INSERT, UPDATE, DELETE ----------------------------------------------------------------------


def test_an_item_is_inserted_once(run: Run, refused: Refused) -> None:
    text = "INSERT INTO songs VALUE {'artist': 'bob', 'track': ?, 'tags': <<'a'>>}"
    assert execute(run, text, 1) == {"Items": []}
    found = run("GetItem", TableName="songs", Key=song("bob"))["Item"]
    assert found == song("bob", tags={"SS": ["a"]})
    assert refused("ExecuteStatement", Statement=text, Parameters=[{"N": "1"}]) == (
        "DuplicateItemException", "Duplicate primary key exists in table"
    )


@pytest.mark.parametrize(
    ("returning", "item"),
    [
        ("", None),
        (" RETURNING ALL OLD *", song(track=1, v=1, title="t1")),
        (" RETURNING MODIFIED OLD *", {"v": {"N": "1"}}),
        (" RETURNING ALL NEW *", song(track=1, v=9, title="t1")),
        (" RETURNING MODIFIED NEW *", {"v": {"N": "9"}}),
    ],
)
def test_an_update_returns_what_it_is_asked_for(run: Run, returning: str, item: Any) -> None:
    text = "UPDATE songs SET v = ? WHERE artist = 'ada' AND track = 1"
    answer = execute(run, text + returning, 9)
    assert answer == {"Items": [] if item is None else [item]}
    found = run("GetItem", TableName="songs", Key=song())["Item"]
    assert found == song(v=9, title="t1")


def test_an_item_is_deleted(run: Run) -> None:
    text = "DELETE FROM songs WHERE artist = 'ada' AND track = 1"
    assert execute(run, text + " RETURNING ALL OLD *") == {
        "Items": [song(track=1, v=1, title="t1")]
    }
    assert execute(run, text) == {"Items": []}
    assert run("Scan", TableName="songs")["Count"] == 3


# API: ConditionalCheckFailedException; the item in the way, if ALL_OLD asks for it.
def test_a_false_condition_changes_nothing(run: Run, refused: Refused) -> None:
    text = "UPDATE songs SET v = 9 WHERE artist = 'ada' AND track = 1 AND v > 5"
    assert refused("ExecuteStatement", Statement=text) == FAILED
    absent = "UPDATE songs SET v = 9 WHERE artist = 'nobody' AND track = 1"
    assert refused("ExecuteStatement", Statement=absent) == FAILED
    for asked, item in (("ALL_OLD", song(v=1, title="t1")), ("NONE", None), (None, None)):
        with pytest.raises(hashrange.ConditionalCheckFailed) as caught:
            execute(run, text, ReturnValuesOnConditionCheckFailure=asked)
        assert caught.value.item == item


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "given", "words"),
    [
        ("SELECT", None, WELL_FORMED + "Unexpected term"),
        ("CREATE TABLE x", None, WELL_FORMED + "Expected data manipulation"),
        (
            "UPDATE songs SET v = 1 WHERE artist = 'ada'",
            None,
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "DELETE FROM songs WHERE artist = 'ada'",
            None,
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "SELECT * FROM songs WHERE artist = ?",
            None,
            "Number of parameters in request and statement don't match.",
        ),
        (
            'SELECT * FROM "songs"."by_nothing" WHERE x = 1',
            None,
            "The table does not have the specified index",
        ),
    ],
)
def test_a_statement_that_is_none_is_refused(
    refused: Refused, text: str, given: Any, words: str
) -> None:
    request = {"Statement": text, "Parameters": given}
    assert refused("ExecuteStatement", **request) == invalid(words)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("statement")),
        ({"Statement": ""}, listed(broken("", "statement", LEAST + "1"))),
        (
            {"Statement": "x" * 8193},
            listed(broken("x" * 8193, "statement", MOST + "8192")),
        ),
        (
            {
                "Statement": "x", "Parameters": [], "NextToken": "", "Limit": 0,
                "ReturnConsumedCapacity": "x", "ReturnValuesOnConditionCheckFailure": "x",
            },
            listed(
                broken("[]", "parameters", LEAST + "1"),
                broken("", "nextToken", LEAST + "1"),
                broken("x", "returnConsumedCapacity", CAPACITY_VALUES),
                broken("0", "limit", "Member must have value greater than or equal to 1"),
                broken(
                    "x",
                    "returnValuesOnConditionCheckFailure",
                    "Member must satisfy enum value set: [ALL_OLD, NONE]",
                ),
            ),
        ),
        ({"Statement": 1}, (SERIALIZATION, "NUMBER_VALUE cannot be converted to String")),
        ({"Statement": "x", "Parameters": "x"}, (SERIALIZATION, "Unexpected field type")),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("ExecuteStatement", **request_) == answer


def test_a_table_that_is_not_there(refused: Refused) -> None:
    for text in (
        "SELECT * FROM nowhere",
        "INSERT INTO nowhere VALUE {'id': 'a'}",
        "DELETE FROM nowhere WHERE id = 'a'",
    ):
        assert refused("ExecuteStatement", Statement=text) == NOT_FOUND


# ---- ConsistentRead, ReturnConsumedCapacity ------------------------------------------------------


def test_a_statement_costs_what_its_operation_costs(run: Run) -> None:
    run("PutItem", TableName="songs", Item=sized(9 * KB, song("eve")))
    key = "artist = 'eve' AND track = 1"
    for text, members, wanted in (
        (f"SELECT * FROM songs WHERE {key}", {}, shown(1.5, 1.5)),
        (f"SELECT * FROM songs WHERE {key}", {"ConsistentRead": True}, shown(3.0, 3.0)),
        ("SELECT * FROM songs WHERE artist = 'eve'", {"ConsistentRead": True}, shown(3.0, 3.0)),
        (f"UPDATE songs SET title = 't' WHERE {key}", {}, shown(11.0, 10.0, by_title=1.0)),
        (f"DELETE FROM songs WHERE {key}", {}, shown(11.0, 10.0, by_title=1.0)),
        ("INSERT INTO songs VALUE {'artist': 'eve', 'track': 2}", {}, shown(1.0, 1.0)),
    ):
        answer = execute(run, text, ReturnConsumedCapacity="INDEXES", **members)
        assert answer["ConsumedCapacity"] == wanted, text
    answer = execute(run, "SELECT * FROM songs WHERE artist = 'eve'",
                     ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == shown(0.5)
    answer = execute(run, "SELECT * FROM songs", ReturnConsumedCapacity="NONE")
    assert "ConsumedCapacity" not in answer
