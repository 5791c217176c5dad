"""DeleteItem: each member of the request, what is deleted, what it costs, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Refused, Run
from operations.requests import (
    ARN,
    CAPACITY_VALUES,
    EMPTY_VALUE,
    FAILED,
    INVALID,
    KB,
    METRICS_VALUES,
    MIXED,
    NO_MATCH,
    NOT_FOUND,
    NOT_VALID,
    broken,
    enveloped,
    equals,
    invalid,
    listed,
    missing,
    note,
    shown,
    sized,
    song,
    values,
)

import hashrange

pytestmark = pytest.mark.usefixtures("made")


def put(run: Run, item: Any) -> None:
    run("PutItem", TableName="songs", Item=item)


def delete(run: Run, **members: Any) -> dict[str, Any]:
    return run("DeleteItem", **{"TableName": "songs", "Key": song(), **members})


def found(run: Run) -> Any:
    return run("GetItem", TableName="songs", Key=song()).get("Item")


# ---- Key -----------------------------------------------------------------------------------------


# API: idempotent without a condition; running it again is no error. Index entries go along.
def test_an_item_is_deleted_with_its_index_entries(run: Run) -> None:
    put(run, song(title="t", genre="g", released=1))
    put(run, song(track=2))
    for _ in range(2):
        assert delete(run) == {}
        assert found(run) is None
    assert run("Scan", TableName="songs")["Items"] == [song(track=2)]
    for index in ("by_title", "by_genre"):
        assert run("Scan", TableName="songs", IndexName=index)["Count"] == 0


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ({}, NO_MATCH),
        ({"artist": {"S": "ada"}}, NO_MATCH),
        (song(x=1), NO_MATCH),
        (song(track="1"), NO_MATCH),
        (
            song(""),
            NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string "
            "value. Key: artist",
        ),
        (
            song("a" * 2049),
            INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
    ],
)
def test_a_key_is_that_of_the_table(refused: Refused, key: Any, words: str) -> None:
    assert refused("DeleteItem", TableName="songs", Key=key) == invalid(words)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, EMPTY_VALUE),
        ({"N": "1e-131"}, "Number underflow. Attempting to store a number with magnitude smaller "
                          "than supported range"),
        ({"NS": []}, INVALID + "An number set  may not be empty"),
    ],
)
def test_a_value_that_is_none_is_refused(refused: Refused, value: Any, words: str) -> None:
    for name in ("songs", "nowhere"):
        request = {"TableName": name, "Key": {**song(), "track": value}}
        assert refused("DeleteItem", **request) == enveloped(words)


# ---- the form of the request ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("tableName", "key")),
        ({"TableName": "songs"}, missing("key")),
        (
            {
                "TableName": "songs",
                "Key": song(),
                "ReturnConsumedCapacity": "x",
                "ReturnItemCollectionMetrics": "x",
                "ReturnValues": "x",
                "ReturnValuesOnConditionCheckFailure": "x",
                "ConditionalOperator": "x",
            },
            listed(
                broken("x", "returnConsumedCapacity", CAPACITY_VALUES),
                broken(
                    "x",
                    "returnValues",
                    "Member must satisfy enum value set: "
                    "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]",
                ),
                broken("x", "returnItemCollectionMetrics", METRICS_VALUES),
                broken("x", "conditionalOperator", "Member must satisfy enum value set: [OR, AND]"),
                broken(
                    "x",
                    "returnValuesOnConditionCheckFailure",
                    "Member must satisfy enum value set: [ALL_OLD, NONE]",
                ),
            ),
        ),
        (
            {"TableName": "songs", "Key": song(), "Expected": {"v": {"ComparisonOperator": "=="}}},
            listed(
                broken(
                    "==",
                    "expected.v.member.comparisonOperator",
                    "Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, "
                    "GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]",
                )
            ),
        ),
    ],
)
def test_every_broken_constraint_is_listed(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("DeleteItem", **request_) == answer


def test_a_table_is_named_by_its_name_or_arn(run: Run, refused: Refused) -> None:
    put(run, song())
    answer = delete(run, TableName=ARN + "songs", ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == {"TableName": ARN + "songs", "CapacityUnits": 1.0}
    assert found(run) is None
    assert refused("DeleteItem", TableName="nowhere", Key=song()) == NOT_FOUND


# ---- ReturnValues --------------------------------------------------------------------------------


# API: ALL_OLD returns the item as it was before; of no item, nothing.
def test_what_was_deleted_is_returned(run: Run, refused: Refused) -> None:
    put(run, song(v=1))
    assert delete(run, ReturnValues="ALL_OLD") == {"Attributes": song(v=1)}
    assert delete(run, ReturnValues="ALL_OLD") == {}
    put(run, song(v=1))
    assert delete(run, ReturnValues="NONE") == {}
    for asked in ("ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"):
        answer = refused("DeleteItem", TableName="songs", Key=song(), ReturnValues=asked)
        assert answer == enveloped("ReturnValues can only be ALL_OLD or NONE")


# ---- conditions ----------------------------------------------------------------------------------


# API: if the condition is not met, the item is not deleted.
def test_a_condition_decides_whether_the_item_goes(run: Run, refused: Refused) -> None:
    put(run, song(v=1))
    condition = {"ConditionExpression": "#v > :v", "ExpressionAttributeNames": {"#v": "v"}}
    small, large = values(v=0), values(v=1)
    request = {"TableName": "songs", "Key": song(), **condition}
    assert refused("DeleteItem", **request, ExpressionAttributeValues=large) == FAILED
    assert delete(run, **condition, ExpressionAttributeValues=small) == {}
    exists = {"ConditionExpression": "attribute_exists(artist)"}
    assert refused("DeleteItem", TableName="songs", Key=song(), **exists) == FAILED
    assert delete(run, ConditionExpression="attribute_not_exists(artist)") == {}


@pytest.mark.parametrize(("asked", "item"), [(None, None), ("NONE", None), ("ALL_OLD", song(v=1))])
def test_a_failure_shows_the_item_if_asked(run: Run, asked: Any, item: Any) -> None:
    put(run, song(v=1))
    with pytest.raises(hashrange.ConditionalCheckFailed) as caught:
        delete(
            run, ConditionExpression="attribute_not_exists(v)",
            ReturnValuesOnConditionCheckFailure=asked,
        )
    assert caught.value.item == item
    assert found(run) == song(v=1)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"ConditionExpression": "v = :v"},
            "Invalid ConditionExpression: An expression attribute value used in expression is not "
            "defined; attribute value: :v",
        ),
        (
            {"ConditionExpression": "v"},
            'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "v"',
        ),
        (
            {"ConditionExpression": "v = w", "ExpressionAttributeValues": values(v=1)},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}",
        ),
        (
            {"ExpressionAttributeValues": values(v=1)},
            "ExpressionAttributeValues can only be specified when using expressions",
        ),
        (
            {"ExpressionAttributeNames": {"#v": "v"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"ConditionExpression": "x", "Expected": {"v": equals(1)}},
            MIXED % ("Expected", "ConditionExpression"),
        ),
        (
            {"ConditionalOperator": "AND"},
            "ConditionalOperator cannot be used without Filter or Expected",
        ),
        (
            {"Expected": {"v": {"Exists": True}}},
            INVALID + "Value must be provided when Exists is true for Attribute: v",
        ),
    ],
)
def test_a_condition_that_is_none_is_refused(refused: Refused, members: Any, words: str) -> None:
    for name in ("songs", "nowhere"):
        answer = refused("DeleteItem", TableName=name, Key=song(), **members)
        assert answer == enveloped(words)


# Legacy: Expected with both forms, and ConditionalOperator.
@pytest.mark.parametrize(
    ("expected", "operator", "passes"),
    [
        ({}, None, True),
        ({"v": {"Value": {"N": "1"}}}, None, True),
        ({"v": {"Exists": False}}, None, False),
        ({"v": equals(1), "w": equals(2)}, "OR", True),
        ({"v": equals(1), "w": equals(2)}, "AND", False),
        ({"v": equals(1), "w": equals(2)}, None, False),
    ],
)
def test_old_conditions_decide_too(run: Run, expected: Any, operator: Any, passes: bool) -> None:
    put(run, song(v=1))
    request = {"Expected": expected, "ConditionalOperator": operator}
    if passes:
        assert delete(run, **request) == {}
    else:
        with pytest.raises(hashrange.ConditionalCheckFailed):
            delete(run, **request)
    assert found(run) == (None if passes else song(v=1))


# ---- ReturnConsumedCapacity, ReturnItemCollectionMetrics -----------------------------------------


# Guide: a delete costs the item that it deletes, one unit when there is none; the entries of
# indexes cost theirs.
@pytest.mark.parametrize(
    ("item", "table", "arms"),
    [
        (None, 1.0, {}),
        (song(), 1.0, {}),
        (sized(KB + 1, song()), 2.0, {}),
        (sized(400 * KB, song()), 400.0, {}),
        (song(title="t"), 1.0, {"by_title": 1.0}),
        ({**sized(3 * KB, song()), **song(label=b"l")}, 4.0, {"by_label": 4.0}),
        (song(genre="g", released=1, title="t"), 1.0, {"by_title": 1.0, "by_genre": 1.0}),
        (song(genre="g"), 1.0, {}),
    ],
)
def test_a_delete_costs_what_it_deletes(
    run: Run, item: Any, table: float, arms: dict[str, float]
) -> None:
    for mode in ("TOTAL", "INDEXES", "NONE"):
        if item is not None:
            put(run, item)
        answer = delete(run, ReturnConsumedCapacity=mode)
        total = table + sum(arms.values())
        if mode == "NONE":
            assert answer == {}
        else:
            wanted = shown(total) if mode == "TOTAL" else shown(total, table, **arms)
            assert answer == {"ConsumedCapacity": wanted}


def test_metrics_are_of_tables_with_local_indexes(run: Run) -> None:
    assert delete(run, ReturnItemCollectionMetrics="SIZE") == {
        "ItemCollectionMetrics": {
            "ItemCollectionKey": {"artist": {"S": "ada"}},
            "SizeEstimateRangeGB": [0.0, 1.0],
        }
    }
    assert delete(run, ReturnItemCollectionMetrics="NONE") == {}
    request = {"TableName": "notes", "Key": note("a"), "ReturnItemCollectionMetrics": "SIZE"}
    assert run("DeleteItem", **request) == {}
