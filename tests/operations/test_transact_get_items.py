"""TransactGetItems: each member of the request, what is read, what it costs, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Refused, Run
from operations.requests import (
    ARN,
    CAPACITY_VALUES,
    EMPTY_VALUE,
    KB,
    LEAST,
    MOST,
    NO_MATCH,
    NOT_FOUND,
    SERIALIZATION,
    broken,
    invalid,
    listed,
    missing,
    note,
    sized,
    song,
)

from hashrange.errors import TransactionCanceled

pytestmark = pytest.mark.usefixtures("made")


@pytest.fixture(autouse=True)
def filled(made: Run) -> None:
    """Put two songs and a note."""
    for item in (song(v=1), sized(9 * KB, song(track=2))):
        made("PutItem", TableName="songs", Item=item)
    made("PutItem", TableName="notes", Item=note("a", v=2))


def get(key: Any, name: str = "songs", **members: Any) -> dict[str, Any]:
    return {"Get": {"TableName": name, "Key": key, **members}}


def read(run: Run, *gets: Any, **members: Any) -> dict[str, Any]:
    return run("TransactGetItems", TransactItems=[*gets], **members)


# API: responses in the order of the requests; one that found no item is empty.
def test_items_are_read_in_order(run: Run) -> None:
    answer = read(run, get(note("a"), "notes"), get(song("nobody")), get(song()))
    assert answer == {"Responses": [{"Item": note("a", v=2)}, {}, {"Item": song(v=1)}]}


def test_each_item_is_projected_by_itself(run: Run) -> None:
    answer = read(
        run,
        get(song(), ProjectionExpression="#v, absent", ExpressionAttributeNames={"#v": "v"}),
        get(note("a"), "notes", ProjectionExpression="id"),
        get(song(track=2), ProjectionExpression="absent"),
    )
    assert answer["Responses"] == [{"Item": {"v": {"N": "1"}}}, {"Item": note("a")}, {}]


@pytest.mark.parametrize(
    ("gets", "words"),
    [
        (
            [get(song()), get(song(track={"N": "1.0"}))],
            "Transaction request cannot include multiple operations on one item",
        ),
        ([get(song(track={}))], EMPTY_VALUE),
        ([get(song(track={"N": "x"}))], "The parameter cannot be converted to a numeric value: x"),
        (
            [get(song(), ProjectionExpression="")],
            "Invalid ProjectionExpression: The expression can not be empty;",
        ),
        (
            [get(song(), ProjectionExpression="v, v")],
            "Invalid ProjectionExpression: Two document paths overlap with each other; must remove "
            "or rewrite one of these paths; path one: [v], path two: [v]",
        ),
        (
            [get(song(), ProjectionExpression="v", ExpressionAttributeNames={"#a": "v"})],
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}",
        ),
    ],
)
def test_a_fault_of_the_request_is_told_alone(refused: Refused, gets: Any, words: str) -> None:
    assert refused("TransactGetItems", TransactItems=gets) == invalid(words)


# A key that does not fit cancels, and stands in its reason.
@pytest.mark.parametrize("key", [{}, {"artist": {"S": "ada"}}, song(track="1"), song(x=1)])
def test_a_key_that_does_not_fit_cancels(run: Run, key: Any) -> None:
    with pytest.raises(TransactionCanceled) as caught:
        read(run, get(song()), get(key))
    assert caught.value.reasons == [
        {"Code": "None"}, {"Code": "ValidationError", "Message": NO_MATCH}
    ]
    assert str(caught.value) == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[None, ValidationError]"
    )


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("transactItems")),
        ({"TransactItems": []}, listed(broken("[]", "transactItems", LEAST + "1"))),
        ({"TransactItems": [{}]}, missing("transactItems.1.member.get")),
        (
            {"TransactItems": [{"Get": {}}]},
            missing("transactItems.1.member.get.key", "transactItems.1.member.get.tableName"),
        ),
        (
            {"TransactItems": [get(song())], "ReturnConsumedCapacity": "x"},
            listed(broken("x", "returnConsumedCapacity", CAPACITY_VALUES)),
        ),
        ({"TransactItems": "x"}, (SERIALIZATION, "Unexpected field type")),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("TransactGetItems", **request_) == answer


@pytest.mark.parametrize("count", [100, 101])
def test_a_transaction_has_100_items(run: Run, refused: Refused, count: int) -> None:
    gets = [get(song(track=number)) for number in range(count)]
    if count == 100:
        found = [answer for answer in read(run, *gets)["Responses"] if answer]
        assert len(found) == 2
    else:
        code, words = refused("TransactGetItems", TransactItems=gets)
        assert code == "ValidationException"
        assert words.endswith(f"' at 'transactItems' failed to satisfy constraint: {MOST}100")


def test_a_table_that_is_not_there(run: Run, refused: Refused) -> None:
    request = [get(song()), get(song(), "nowhere")]
    assert refused("TransactGetItems", TransactItems=request) == NOT_FOUND
    answer = read(run, get(song(), ARN + "songs"), ReturnConsumedCapacity="TOTAL")
    assert answer["Responses"] == [{"Item": song(v=1)}]
    assert answer["ConsumedCapacity"][0]["TableName"] == ARN + "songs"


# Guide: twice the cost of a consistent read, each item rounded by itself; two units for none.
def test_a_read_costs_twice_a_consistent_one(run: Run) -> None:
    gets = [get(song()), get(note("a"), "notes"), get(song(track=2)), get(song("nobody"))]
    answer = read(run, *gets, ReturnConsumedCapacity="INDEXES")
    assert answer["ConsumedCapacity"] == [
        {
            "TableName": name, "CapacityUnits": units, "ReadCapacityUnits": units,
            "Table": {"CapacityUnits": units, "ReadCapacityUnits": units},
        }
        for name, units in (("songs", 2.0 + 6.0 + 2.0), ("notes", 2.0))
    ]
    answer = read(run, *gets, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"][1] == {
        "TableName": "notes", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0
    }
    assert "ConsumedCapacity" not in read(run, *gets, ReturnConsumedCapacity="NONE")
