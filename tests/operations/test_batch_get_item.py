"""BatchGetItem: each member of the request, what is read, what it costs, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Refused, Run
from operations.requests import (
    ARN,
    CAPACITY_VALUES,
    EMPTY_VALUE,
    INVALID,
    KB,
    LEAST,
    MIXED,
    MOST,
    NO_MATCH,
    NOT_FOUND,
    NOT_VALID,
    ONE,
    SERIALIZATION,
    broken,
    invalid,
    listed,
    missing,
    note,
    shown,
    sized,
    song,
)

pytestmark = pytest.mark.usefixtures("made")
AT = "Value at '%s' failed to satisfy constraint: "


@pytest.fixture(autouse=True)
def filled(made: Run) -> None:
    """Put three songs and a note."""
    for number in range(3):
        made("PutItem", TableName="songs", Item=song(track=number, v=number))
    made("PutItem", TableName="notes", Item=note("a", v=1))


def batch(run: Run, **tables: Any) -> dict[str, Any]:
    return run("BatchGetItem", RequestItems=tables)


# ---- Keys ----------------------------------------------------------------------------------------


# API: items of one or more tables; one that does not exist is not in the result.
def test_items_of_several_tables_are_read(run: Run) -> None:
    answer = batch(
        run,
        songs={"Keys": [song(track=n) for n in (2, 9, 0)]},
        notes={"Keys": [note("a"), note("b")]},
    )
    assert answer == {
        "Responses": {"songs": [song(track=2, v=2), song(track=0, v=0)], "notes": [note("a", v=1)]},
        "UnprocessedKeys": {},
    }
    assert batch(run, songs={"Keys": [song("bob")]})["Responses"] == {"songs": []}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([{}], NO_MATCH),
        ([song(), {"artist": {"S": "ada"}}], NO_MATCH),
        ([song(track="1")], NO_MATCH),
        ([song(x=1)], NO_MATCH),
        ([song(), song()], "Provided list of item keys contains duplicates"),
        (
            [song(track={"N": "1.0"}), song(track={"N": "10e-1"})],
            "Provided list of item keys contains duplicates",
        ),
        (
            [song("")],
            NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string "
            "value. Key: artist",
        ),
        (
            [song("a" * 2049)],
            INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        ([song(track={})], EMPTY_VALUE),
        ([song(track={"N": "x"})], "The parameter cannot be converted to a numeric value: x"),
        ([song(track={"SS": []})], INVALID + "An string set  may not be empty"),
    ],
)
def test_a_key_that_is_none_is_refused(refused: Refused, keys: Any, words: str) -> None:
    request = {"notes": {"Keys": [note("a")]}, "songs": {"Keys": keys}}
    assert refused("BatchGetItem", RequestItems=request) == invalid(words)


# API: 100 items at most, over all tables.
@pytest.mark.parametrize(("songs_", "notes_"), [(100, 0), (50, 50), (101, 0), (51, 50)])
def test_a_batch_has_100_keys(run: Run, refused: Refused, songs_: int, notes_: int) -> None:
    tables = {
        "songs": {"Keys": [song(track=n) for n in range(songs_)]},
        "notes": {"Keys": [note(str(n)) for n in range(notes_)]},
    }
    tables = {name: wanted for name, wanted in tables.items() if wanted["Keys"]}
    if songs_ + notes_ == 100:
        assert len(batch(run, **tables)["Responses"]["songs"]) == 3
    elif notes_:
        answer = refused("BatchGetItem", RequestItems=tables)
        assert answer == invalid("Too many items requested for the BatchGetItem call")
    else:
        answer = refused("BatchGetItem", RequestItems=tables)
        assert answer == invalid(ONE + AT % "RequestItems.songs.member.Keys" + MOST + "100")


# API: 16 MB at most; what is not read is unprocessed, in the form of the request.
def test_what_passes_16_mb_is_unprocessed(run: Run) -> None:
    for number in range(45):
        run("PutItem", TableName="songs", Item=sized(400 * KB, song("eve", number + 10)))
    wanted = {
        "Keys": [song("eve", number + 10) for number in range(45)],
        "ConsistentRead": True,
        "ProjectionExpression": "#t",
        "ExpressionAttributeNames": {"#t": "track"},
    }
    other = {"Keys": [note("a")]}
    answer = batch(run, songs=wanted, notes=other)
    read = len(answer["Responses"]["songs"])
    assert read == (16 << 20) // (400 * KB)
    assert answer["UnprocessedKeys"] == {
        "songs": {**wanted, "Keys": wanted["Keys"][read:]}, "notes": other
    }
    rest = run("BatchGetItem", RequestItems=answer["UnprocessedKeys"])
    assert len(rest["Responses"]["songs"]) == 45 - read
    assert rest["Responses"]["notes"] == [note("a", v=1)]
    assert rest["UnprocessedKeys"] == {}


# ---- the form of the request ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("requestItems")),
        ({"RequestItems": {}}, invalid(ONE + AT % "RequestItems" + LEAST + "1")),
        ({"RequestItems": {"songs": {}}}, missing("requestItems.songs.member.keys")),
        ({"RequestItems": {"songs": None}}, missing("requestItems.songs.member")),
        (
            {"RequestItems": {"songs": {"Keys": []}}},
            invalid(ONE + AT % "RequestItems.songs.member.Keys" + LEAST + "1"),
        ),
        (
            {"RequestItems": {"songs": {"Keys": [song()], "AttributesToGet": []}}},
            listed(broken("[]", "requestItems.songs.member.attributesToGet", LEAST + "1")),
        ),
        (
            {"RequestItems": {"songs": {"Keys": [song()]}}, "ReturnConsumedCapacity": "x"},
            listed(broken("x", "returnConsumedCapacity", CAPACITY_VALUES)),
        ),
        (
            {"RequestItems": {"no": {"Keys": [{}]}}},
            listed(
                broken(
                    '{"no":{"Keys":[{}]}}',
                    "requestItems",
                    "Map keys must satisfy constraint: [Member must have length less than or equal "
                    "to 255, Member must have length greater than or equal to 3, Member must "
                    "satisfy regular expression pattern: [a-zA-Z0-9_.-]+]",
                )
            ),
        ),
        ({"RequestItems": "x"}, (SERIALIZATION, "Unexpected field type")),
        (
            {"RequestItems": {"songs": {"Keys": [song()], "ConsistentRead": 1}}},
            (SERIALIZATION, "NUMBER_VALUE cannot be converted to Boolean"),
        ),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("BatchGetItem", **request_) == answer


# API: a table is named, in the response too, as in the request.
def test_tables_are_named_by_name_or_arn(run: Run, refused: Refused) -> None:
    request = {ARN + "songs": {"Keys": [song()]}}
    answer = run("BatchGetItem", RequestItems=request, ReturnConsumedCapacity="TOTAL")
    assert answer == {
        "Responses": {ARN + "songs": [song(v=1)]},
        "UnprocessedKeys": {},
        "ConsumedCapacity": [{"TableName": ARN + "songs", "CapacityUnits": 0.5}],
    }
    request = {"songs": {"Keys": [song()]}, "nowhere": {"Keys": [song()]}}
    assert refused("BatchGetItem", RequestItems=request) == NOT_FOUND


# ---- projections ---------------------------------------------------------------------------------


# Each table has its own.
def test_each_table_is_projected_by_itself(run: Run) -> None:
    answer = batch(
        run,
        songs={"Keys": [song(), song(track=2)], "ProjectionExpression": "#v",
               "ExpressionAttributeNames": {"#v": "v"}},
        notes={"Keys": [note("a")], "AttributesToGet": ["id", "absent"]},
    )
    assert answer["Responses"] == {
        "songs": [{"v": {"N": "1"}}, {"v": {"N": "2"}}], "notes": [note("a")]
    }


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"ProjectionExpression": ""},
            "Invalid ProjectionExpression: The expression can not be empty;",
        ),
        (
            {"ProjectionExpression": "v", "AttributesToGet": ["v"]},
            MIXED % ("AttributesToGet", "ProjectionExpression"),
        ),
        ({"AttributesToGet": ["v", "v"]}, INVALID + "Duplicate value in attribute name: v"),
        (
            {"ExpressionAttributeNames": {"#v": "v"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"ProjectionExpression": "v", "ExpressionAttributeNames": {"#v": "v"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#v}",
        ),
        (
            {"ProjectionExpression": "#v"},
            "Invalid ProjectionExpression: An expression attribute name used in the document path "
            "is not defined; attribute name: #v",
        ),
    ],
)
def test_a_projection_that_is_none_is_refused(refused: Refused, members: Any, words: str) -> None:
    for name in ("songs", "nowhere"):
        request = {name: {"Keys": [song()], **members}}
        assert refused("BatchGetItem", RequestItems=request) == invalid(words)


# ---- ReturnConsumedCapacity, ConsistentRead ------------------------------------------------------


# Guide: each item is rounded by itself; absent ones cost a block; consistency is each table's own.
def test_a_batch_costs_the_sum_of_its_items(run: Run) -> None:
    run("PutItem", TableName="songs", Item=sized(9 * KB, song("eve", 10)))
    request = {
        "songs": {"Keys": [song(), song("eve", 10), song("nobody")]},
        "notes": {"Keys": [note("a"), note("b")], "ConsistentRead": "true"},
    }
    used = run("BatchGetItem", RequestItems=request, ReturnConsumedCapacity="TOTAL")
    assert used["ConsumedCapacity"] == [
        shown(0.5 + 1.5 + 0.5), {"TableName": "notes", "CapacityUnits": 2.0}
    ]
    used = run("BatchGetItem", RequestItems=request, ReturnConsumedCapacity="INDEXES")
    assert used["ConsumedCapacity"] == [
        shown(2.5, 2.5),
        {"TableName": "notes", "CapacityUnits": 2.0, "Table": {"CapacityUnits": 2.0}},
    ]
    used = run("BatchGetItem", RequestItems=request, ReturnConsumedCapacity="NONE")
    assert "ConsumedCapacity" not in used
