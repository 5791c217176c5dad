"""BatchWriteItem: each member of the request, what is written, what it costs, what is refused."""

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
    METRICS_VALUES,
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
TWO_TYPES = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
    "supported datatypes"
)
SIZES = (
    "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member "
    "must have length greater than or equal to 1]"
)


def put(item: Any) -> dict[str, Any]:
    return {"PutRequest": {"Item": item}}


def delete(key: Any) -> dict[str, Any]:
    return {"DeleteRequest": {"Key": key}}


def batch(run: Run, *parts: Any, **members: Any) -> dict[str, Any]:
    return run("BatchWriteItem", RequestItems={"songs": [*parts]}, **members)


def items(run: Run, name: str = "songs") -> list[Any]:
    return sorted(run("Scan", TableName=name)["Items"], key=repr)


# ---- PutRequest, DeleteRequest -------------------------------------------------------------------


# API: puts replace, deletes need no item; of one table or several, at most 25.
def test_items_are_put_and_deleted(run: Run) -> None:
    batch(run, put(song(track=1, v=1)), put(song(track=2, v=1)))
    answer = run(
        "BatchWriteItem",
        RequestItems={
            "songs": [
                put(song(track=1, w=2)), delete(song(track=2)), delete(song(track=3)),
                put(song(track=4)),
            ],
            "notes": [put(note("a"))],
        },
    )
    assert answer == {"UnprocessedItems": {}}
    assert items(run) == [song(track=1, w=2), song(track=4)]
    assert items(run, "notes") == [note("a")]


@pytest.mark.parametrize("count", [25, 26])
def test_a_batch_has_25_requests(run: Run, refused: Refused, count: int) -> None:
    half = {"songs": [put(song(track=n)) for n in range(13)],
            "notes": [put(note(str(n))) for n in range(count - 13)]}
    whole = [put(song(track=n)) for n in range(count)]
    if count == 25:
        run("BatchWriteItem", RequestItems=half)
        batch(run, *whole)
        assert len(items(run)) == 25
    else:
        assert refused("BatchWriteItem", RequestItems=half) == invalid(
            "Too many items requested for the BatchWriteItem call"
        )
        code, words = refused("BatchWriteItem", RequestItems={"songs": whole})
        assert code == "ValidationException"
        assert words.startswith(
            ONE + "Value '{songs=[WriteRequest(putRequest=PutRequest(item={artist=AttributeValue("
            "s=ada), track=AttributeValue(n=0)})), "
        )
        assert words.endswith(f"' at 'requestItems' failed to satisfy constraint: {SIZES}")


DOUBLED = "Provided list of item keys contains duplicates"
TEXT = "The AttributeValue for a key attribute cannot contain an empty string value. "


# API: the whole batch is rejected, whatever else is in it.
@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({}, TWO_TYPES),
        ({**put(song()), **delete(song())}, TWO_TYPES),
        (put(song()), DOUBLED),
        (put(song(track={"N": "1.0"}, v=1)), DOUBLED),
        (delete(song()), DOUBLED),
        (put({}), NO_MATCH),
        (put({"artist": {"S": "ada"}}), NO_MATCH),
        (put(song(track="1")), NO_MATCH),
        (delete({}), NO_MATCH),
        (delete(song(track="1")), NO_MATCH),
        (delete(song(track=2, x=1)), NO_MATCH),
        (put(song("")), NOT_VALID + TEXT + "Key: artist"),
        (delete(song("")), NOT_VALID + TEXT + "Key: artist"),
        (
            put(song(track=2, title="")),
            NOT_VALID + "A value specified for a secondary index key is not supported. " + TEXT
            + "IndexName: by_title, IndexKey: title",
        ),
        (
            put(song(track=2, title=1)),
            INVALID + "Type mismatch for Index Key title Expected: S Actual: N IndexName: by_title",
        ),
        (
            put(song("a" * 2049)),
            INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        (
            delete(song("a" * 2049)),
            INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        (put(song(track=2, v={})), EMPTY_VALUE),
        (put(song(track=2, v={"SS": []})), INVALID + "An string set  may not be empty"),
        (
            put(song(track=2, v={"SS": ["b", "a", "b"]})),
            INVALID + "Input collection [b, a, b] contains duplicates.",
        ),
        (put(song(track=2, v={"NS": ["1", "1"]})), "Input collection contains duplicates"),
        (
            put(song(track=2, v={"N": "x"})),
            "The parameter cannot be converted to a numeric value: x",
        ),
        (
            put(song(track=2, v={"N": ""})),
            "The parameter cannot be converted to a numeric value",
        ),
        (
            put(sized(400 * KB + 1, song(track=2))),
            "Item size has exceeded the maximum allowed size",
        ),
    ],
)
def test_one_bad_request_rejects_the_batch(
    run: Run, refused: Refused, part: Any, words: str
) -> None:
    parts = [put(song()), part, put(song(track=9))]
    assert refused("BatchWriteItem", RequestItems={"songs": parts}) == invalid(words)
    assert items(run) == []


# ---- the form of the request ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("requestItems")),
        (
            {"RequestItems": {}},
            invalid(ONE + "Value at 'RequestItems' failed to satisfy constraint: " + LEAST + "1"),
        ),
        ({"RequestItems": {"songs": []}}, listed(broken("{songs=[]}", "requestItems", SIZES))),
        ({"RequestItems": {"songs": None}}, missing("requestItems.songs.member")),
        ({"RequestItems": {"songs": [None]}}, missing("requestItems.songs.member.1.member")),
        (
            {"RequestItems": {"songs": [put(song()), {"PutRequest": {}}]}},
            missing("requestItems.songs.member.2.member.putRequest.item"),
        ),
        (
            {"RequestItems": {"songs": [{"DeleteRequest": {}}]}},
            missing("requestItems.songs.member.1.member.deleteRequest.key"),
        ),
        (
            {
                "RequestItems": {"songs": [put(song())]},
                "ReturnConsumedCapacity": "x",
                "ReturnItemCollectionMetrics": "x",
            },
            listed(
                broken("x", "returnConsumedCapacity", CAPACITY_VALUES),
                broken("x", "returnItemCollectionMetrics", METRICS_VALUES),
            ),
        ),
        ({"RequestItems": []}, (SERIALIZATION, "Unrecognized collection type java.util.Map<java."
         "lang.String, java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>>")),
        (
            {"RequestItems": {"songs": [put({"artist": "ada"})]}},
            (SERIALIZATION, "Unexpected value type in payload"),
        ),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("BatchWriteItem", **request_) == answer


def test_tables_are_named_by_name_or_arn(run: Run, refused: Refused) -> None:
    parts = [put(song())]
    answer = run(
        "BatchWriteItem", RequestItems={ARN + "songs": parts}, ReturnConsumedCapacity="TOTAL",
        ReturnItemCollectionMetrics="SIZE",
    )
    assert answer["ConsumedCapacity"] == [{"TableName": ARN + "songs", "CapacityUnits": 1.0}]
    assert list(answer["ItemCollectionMetrics"]) == [ARN + "songs"]
    assert items(run) == [song()]
    both = {"songs": [put(song(track=2))], "nowhere": parts}
    assert refused("BatchWriteItem", RequestItems=both) == NOT_FOUND
    twice = {"songs": parts, ARN + "songs": parts}
    assert refused("BatchWriteItem", RequestItems=twice) == invalid(DOUBLED)


# ---- ReturnConsumedCapacity, ReturnItemCollectionMetrics -----------------------------------------


# API: each write costs what it costs alone; a delete of no item one unit.
def test_a_batch_costs_the_sum_of_its_writes(run: Run) -> None:
    batch(run, put(sized(5 * KB, song(track=1))))
    request = {
        "songs": [
            put(song(track=1)), put(song(track=2, title="t")), put(sized(2 * KB, song(track=3))),
            delete(song(track=4)), put(song(track=5, genre="g", released=1)),
        ],
        "notes": [put(note("a"))],
    }
    costs = 5.0 + 1.0 + 2.0 + 1.0 + 1.0
    answer = run("BatchWriteItem", RequestItems=request, ReturnConsumedCapacity="INDEXES")
    assert answer["ConsumedCapacity"] == [
        shown(costs + 2.0, costs, by_title=1.0, by_genre=1.0),
        {"TableName": "notes", "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}},
    ]
    # Entries that stay as they are cost nothing.
    answer = run("BatchWriteItem", RequestItems=request, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == [
        shown(1.0 + 1.0 + 2.0 + 1.0 + 1.0), {"TableName": "notes", "CapacityUnits": 1.0}
    ]
    assert run("BatchWriteItem", RequestItems=request, ReturnConsumedCapacity="NONE") == {
        "UnprocessedItems": {}
    }


# API: one for each item collection that was changed, of tables with local indexes.
def test_metrics_are_of_each_collection(run: Run) -> None:
    request = {
        "songs": [put(song(track=1)), put(song(track=2)), delete(song("bob"))],
        "notes": [put(note("a"))],
    }
    answer = run("BatchWriteItem", RequestItems=request, ReturnItemCollectionMetrics="SIZE")
    assert answer["ItemCollectionMetrics"] == {
        "songs": [
            {"ItemCollectionKey": {"artist": {"S": name}}, "SizeEstimateRangeGB": [0.0, 1.0]}
            for name in ("ada", "bob")
        ]
    }
    answer = run("BatchWriteItem", RequestItems={"notes": [put(note("b"))]},
                 ReturnItemCollectionMetrics="SIZE")
    assert answer == {"UnprocessedItems": {}}
