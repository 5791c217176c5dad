"""GetItem: each member of the request, what is read, what it costs, what is refused."""

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
    NO_MATCH,
    NOT_FOUND,
    NOT_VALID,
    PATTERN,
    SERIALIZATION,
    broken,
    invalid,
    listed,
    missing,
    shown,
    sized,
    song,
)

pytestmark = pytest.mark.usefixtures("made")


def put(run: Run, item: Any) -> None:
    run("PutItem", TableName="songs", Item=item)


def get(run: Run, **members: Any) -> dict[str, Any]:
    return run("GetItem", **{"TableName": "songs", "Key": song(), **members})


# ---- Key -----------------------------------------------------------------------------------------


# API: without a matching item there is no Item element in the response.
def test_an_item_is_found_by_its_key_or_not_at_all(run: Run) -> None:
    put(run, song(v=1))
    assert get(run) == {"Item": song(v=1)}
    assert get(run, Key=song(track={"N": "1.0"})) == {"Item": song(v=1)}
    assert get(run, Key=song(track=2)) == {}
    assert get(run, Key=song("bob")) == {}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ({}, NO_MATCH),
        ({"artist": {"S": "ada"}}, NO_MATCH),
        (song(x=1), NO_MATCH),
        ({"artist": {"S": "ada"}, "x": {"N": "1"}}, NO_MATCH),
        (song(track="1"), NO_MATCH),
        (song(artist={"SS": ["ada"]}), NO_MATCH),
        (song(artist={"B": b"ada"}), NO_MATCH),
        (
            song(""),
            NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string "
            "value. Key: artist",
        ),
        (
            song("é" * 1024 + "e"),
            INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
    ],
)
def test_a_key_is_that_of_the_table(refused: Refused, key: Any, words: str) -> None:
    assert refused("GetItem", TableName="songs", Key=key) == invalid(words)


# What is no value is refused before the table is looked for.
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, EMPTY_VALUE),
        (None, EMPTY_VALUE),
        ({"N": "x"}, "The parameter cannot be converted to a numeric value: x"),
        ({"N": ""}, "The parameter cannot be converted to a numeric value: "),
        ({"SS": []}, INVALID + "An string set  may not be empty"),
        (
            {"N": "1e126"},
            "Number overflow. Attempting to store a number with magnitude larger than supported "
            "range",
        ),
    ],
)
def test_a_value_that_is_none_is_refused(refused: Refused, value: Any, words: str) -> None:
    for name in ("songs", "nowhere"):
        key = {**song(), "track": value}
        assert refused("GetItem", TableName=name, Key=key) == invalid(words)


# ---- the form of the request ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("tableName", "key")),
        ({"TableName": "songs"}, missing("key")),
        ({"Key": song()}, missing("tableName")),
        ({"TableName": "", "Key": song()}, listed(broken("", "tableName", LEAST + "1"))),
        (
            {"TableName": "a b", "Key": song(), "ReturnConsumedCapacity": "total"},
            listed(
                broken("total", "returnConsumedCapacity", CAPACITY_VALUES),
                broken("a b", "tableName", PATTERN),
            ),
        ),
        (
            {"TableName": "songs", "Key": song(), "AttributesToGet": []},
            listed(broken("[]", "attributesToGet", LEAST + "1")),
        ),
        (
            {"TableName": "songs", "Key": ["x"]},
            (
                SERIALIZATION,
                "Unrecognized collection type java.util.Map<java.lang.String, "
                "com.amazonaws.dynamodb.v20120810.AttributeValue>",
            ),
        ),
        (
            {"TableName": "songs", "Key": song(), "ConsistentRead": "maybe"},
            (SERIALIZATION, "Unexpected token received from parser"),
        ),
        (
            {"TableName": "songs", "Key": song(), "ConsistentRead": 1},
            (SERIALIZATION, "NUMBER_VALUE cannot be converted to Boolean"),
        ),
        (
            {"TableName": "songs", "Key": song(), "AttributesToGet": "v"},
            (SERIALIZATION, "Unexpected field type"),
        ),
        (
            {"TableName": "songs", "Key": song(), "ProjectionExpression": ["v"]},
            (SERIALIZATION, "Unrecognized collection type class java.lang.String"),
        ),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("GetItem", **request_) == answer


# ---- TableName -----------------------------------------------------------------------------------


def test_a_table_is_named_by_its_name_or_arn(run: Run, refused: Refused) -> None:
    put(run, song(v=1))
    answer = get(run, TableName=ARN + "songs", ReturnConsumedCapacity="TOTAL")
    assert answer == {
        "Item": song(v=1),
        "ConsumedCapacity": {"TableName": ARN + "songs", "CapacityUnits": 0.5},
    }
    for name in ("nowhere", "no", ARN + "nowhere"):
        assert refused("GetItem", TableName=name, Key=song()) == NOT_FOUND


# ---- ProjectionExpression, AttributesToGet -------------------------------------------------------


# API: attributes that are not found do not appear in the result; elements of documents do so in
# their place.
@pytest.mark.parametrize(
    ("text", "names", "item"),
    [
        ("v", None, {"v": {"N": "1"}}),
        ("v, absent", None, {"v": {"N": "1"}}),
        ("absent", None, {}),
        ("m.a", None, {"m": {"M": {"a": {"S": "x"}}}}),
        ("m.a, m.b[1]", None, {"m": {"M": {"a": {"S": "x"}, "b": {"L": [{"N": "8"}]}}}}),
        ("m.#a", {"#a": "a"}, {"m": {"M": {"a": {"S": "x"}}}}),
        ("#d", {"#d": "dot.ted"}, {"dot.ted": {"S": "y"}}),
        ("m.b[2], m.b[0]", None, {"m": {"M": {"b": {"L": [{"N": "7"}, {"N": "9"}]}}}}),
        ("m.b[5]", None, {}),
        ("v.a", None, {}),
    ],
)
def test_a_projection_shows_what_it_names(run: Run, text: str, names: Any, item: Any) -> None:
    numbers = {"L": [{"N": "7"}, {"N": "8"}, {"N": "9"}]}
    put(run, song(v=1, m={"M": {"a": {"S": "x"}, "b": numbers}}, **{"dot.ted": "y"}))
    request = {"ProjectionExpression": text, "ExpressionAttributeNames": names}
    assert get(run, **request) == {"Item": item}
    assert get(run, Key=song("bob"), **request) == {}


# API: AttributesToGet retrieves whole attributes, never what is inside of them.
def test_old_projections_name_whole_attributes(run: Run, refused: Refused) -> None:
    put(run, song(v=1, m={"M": {"a": {"S": "x"}}}, **{"m.a": "dotted"}))
    assert get(run, AttributesToGet=["v", "absent"]) == {"Item": {"v": {"N": "1"}}}
    assert get(run, AttributesToGet=["m.a"]) == {"Item": {"m.a": {"S": "dotted"}}}
    assert get(run, AttributesToGet=["absent"]) == {"Item": {}}
    request = {"TableName": "songs", "Key": song(), "AttributesToGet": ["v", "v"]}
    assert refused("GetItem", **request) == invalid(
        INVALID + "Duplicate value in attribute name: v"
    )


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"ProjectionExpression": ""},
            "Invalid ProjectionExpression: The expression can not be empty;",
        ),
        (
            {"ProjectionExpression": "a,"},
            'Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: ","',
        ),
        (
            {"ProjectionExpression": "a, a.b"},
            "Invalid ProjectionExpression: Two document paths overlap with each other; must remove "
            "or rewrite one of these paths; path one: [a], path two: [a, b]",
        ),
        (
            {"ProjectionExpression": "a.b, a[0]"},
            "Invalid ProjectionExpression: Two document paths conflict with each other; must "
            "remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]",
        ),
        (
            {"ProjectionExpression": "date"},
            "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: "
            "date",
        ),
        (
            {"ProjectionExpression": "#a"},
            "Invalid ProjectionExpression: An expression attribute name used in the document path "
            "is not defined; attribute name: #a",
        ),
        (
            {"ProjectionExpression": "a", "ExpressionAttributeNames": {"#a": "a"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}",
        ),
        (
            {"ExpressionAttributeNames": {"#a": "a"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"ProjectionExpression": "#a", "ExpressionAttributeNames": {"a": "a"}},
            'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"',
        ),
        (
            {"ProjectionExpression": "a", "AttributesToGet": ["a"]},
            MIXED % ("AttributesToGet", "ProjectionExpression"),
        ),
        (
            {"ProjectionExpression": "a" * 4097},
            "Invalid ProjectionExpression: Expression size has exceeded the maximum allowed size;",
        ),
    ],
)
def test_a_projection_that_is_none_is_refused(refused: Refused, members: Any, words: str) -> None:
    for name in ("songs", "nowhere"):
        assert refused("GetItem", TableName=name, Key=song(), **members) == invalid(words)


# ---- ConsistentRead, ReturnConsumedCapacity ------------------------------------------------------


# Guide: blocks of 4 KB of the whole item, half a unit each when the read is eventual; an absent
# item costs one. What is projected does not matter.
@pytest.mark.parametrize(
    ("size", "blocks"), [(None, 1), (100, 1), (4 * KB, 1), (4 * KB + 1, 2), (400 * KB, 100)]
)
def test_a_read_costs_its_blocks(run: Run, size: int | None, blocks: int) -> None:
    if size is not None:
        put(run, sized(size, song()))
    for consistent, units in ((True, blocks), (False, blocks / 2), (None, blocks / 2)):
        for more in ({}, {"ProjectionExpression": "artist"}, {"AttributesToGet": ["artist"]}):
            request = {"ConsistentRead": consistent, **more}
            answer = get(run, ReturnConsumedCapacity="TOTAL", **request)
            assert answer["ConsumedCapacity"] == shown(units)
            answer = get(run, ReturnConsumedCapacity="INDEXES", **request)
            assert answer["ConsumedCapacity"] == shown(units, units)
            assert ("Item" in answer) == (size is not None)
    assert "ConsumedCapacity" not in get(run, ReturnConsumedCapacity="NONE")


# The service takes these words, in any case, where a boolean belongs.
@pytest.mark.parametrize(
    ("word", "units"),
    [("true", 1.0), ("True", 1.0), ("YES", 1.0), ("1", 1.0), ("false", 0.5), ("No", 0.5),
     ("0", 0.5)],
)
def test_a_word_may_stand_for_a_boolean(run: Run, word: str, units: float) -> None:
    answer = get(run, ConsistentRead=word, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == shown(units)
