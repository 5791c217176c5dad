"""Query: each member of the request, what is found and in which order, costs, refusals."""

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
    NOT_FOUND,
    NOT_VALID,
    PATTERN,
    SERIALIZATION,
    broken,
    enveloped,
    equals,
    invalid,
    keys,
    listed,
    missing,
    shown,
    sized,
    song,
    values,
)

SELECTS = (
    "Member must satisfy enum value set: "
    "[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]"
)
BAD_START = "The provided starting key is invalid"
UNSUPPORTED = "Query key condition not supported"
TYPE_MISMATCH = INVALID + "Condition parameter type does not match schema type"
BETWEEN = "The BETWEEN operator requires "
ADA = [song(track=n, title=f"t{n % 3}", genre="pop", released=n % 2, v=n) for n in range(6)]


@pytest.fixture(autouse=True)
def filled(made: Run) -> None:
    """Put six songs of ada, two of bob."""
    for item in (*ADA, song("bob", 1, genre="pop", released=7), song("bob", 2)):
        made("PutItem", TableName="songs", Item=item)


def request_of(
    condition: str | None = "artist = :a", given: Any = None, **members: Any
) -> dict[str, Any]:
    """Return a Query of songs; :a is ada when `given` does not say."""
    request: dict[str, Any] = {"TableName": "songs", **members}
    if condition is not None:
        request["KeyConditionExpression"] = condition
        request["ExpressionAttributeValues"] = values(**(given or {"a": "ada"}))
    return request


def query(run: Run, *arguments: Any, **members: Any) -> dict[str, Any]:
    return run("Query", **request_of(*arguments, **members))


def tracks(answer: dict[str, Any]) -> list[int]:
    return [int(item["track"]["N"]) for item in answer["Items"]]


# ---- KeyConditionExpression ----------------------------------------------------------------------


# API: one partition key value, and at most one comparison of the sort key; in its order.
@pytest.mark.parametrize(
    ("condition", "given", "found"),
    [
        ("artist = :a", {}, [0, 1, 2, 3, 4, 5]),
        ("(artist = :a)", {}, [0, 1, 2, 3, 4, 5]),
        (":a = artist", {}, [0, 1, 2, 3, 4, 5]),
        ("artist = :a AND track = :n", {"n": 3}, [3]),
        ("artist = :a AND track = :n", {"n": 9}, []),
        ("artist = :a AND track < :n", {"n": 3}, [0, 1, 2]),
        ("artist = :a AND track <= :n", {"n": 3}, [0, 1, 2, 3]),
        ("artist = :a AND track > :n", {"n": 3}, [4, 5]),
        ("artist = :a AND track >= :n", {"n": 3}, [3, 4, 5]),
        ("artist = :a AND :n >= track", {"n": 1}, [0, 1]),
        ("artist = :a AND track BETWEEN :n AND :m", {"n": 2, "m": 4}, [2, 3, 4]),
        ("artist = :a AND track BETWEEN :n AND :m", {"n": 2, "m": {"N": "2.0"}}, [2]),
        ("track > :n AND artist = :a", {"n": 4}, [5]),
        ("(artist = :a) AND (track > :n)", {"n": 4}, [5]),
        ("artist = :a AND track > :n", {"n": {"N": "4.5"}}, [5]),
    ],
)
def test_items_of_a_partition_are_found_in_order(
    run: Run, condition: str, given: Any, found: list[int]
) -> None:
    given = {"a": "ada", **given}
    answer = query(run, condition, given)
    assert answer == {
        "Items": [ADA[n] for n in found], "Count": len(found), "ScannedCount": len(found)
    }
    assert tracks(query(run, condition, given, ScanIndexForward=True)) == found
    for backward in (False, "false"):
        answer = query(run, condition, given, ScanIndexForward=backward)
        assert tracks(answer) == found[::-1]


def test_a_partition_without_items_is_empty(run: Run) -> None:
    answer = query(run, "artist = :a", {"a": "nobody"}, ReturnConsumedCapacity="TOTAL")
    assert answer == {"Items": [], "Count": 0, "ScannedCount": 0, "ConsumedCapacity": shown(0.5)}


# Numbers are ordered as numbers, strings by their UTF-8 bytes, binaries as unsigned bytes.
@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("N", ["-1e100", "-2", "-1.5", "0", "1e-100", "2", "10", "1e100"]),
        ("S", ["A", "B", "a", "ab", "b", "é", "\uffff", "\U00010000"]),
        ("B", [b"\x00", b"\x00\x00", b"\x01", b"\x7f", b"\x80", b"\xff"]),
    ],
)
def test_sort_keys_have_the_order_of_their_type(run: Run, kind: str, given: list[Any]) -> None:
    definitions = [
        {"AttributeName": "h", "AttributeType": "S"}, {"AttributeName": "r", "AttributeType": kind},
    ]
    run(
        "CreateTable", TableName="order", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=definitions, KeySchema=keys("h", "r"),
    )
    for value in reversed(given):
        run("PutItem", TableName="order", Item={"h": {"S": "x"}, "r": {kind: value}})
    request = {
        "TableName": "order", "KeyConditionExpression": "h = :h",
        "ExpressionAttributeValues": values(h="x"),
    }
    found = [item["r"][kind] for item in run("Query", **request)["Items"]]
    assert found == (
        [format_number(text) for text in given] if kind == "N" else given
    )
    if kind != "N":
        request["KeyConditionExpression"] = "h = :h AND begins_with(r, :r)"
        request["ExpressionAttributeValues"][":r"] = {kind: given[0]}
        found = [item["r"][kind] for item in run("Query", **request)["Items"]]
        assert found == [value for value in given if value.startswith(given[0])]


def format_number(text: str) -> str:
    if text == "1e-100":
        return "0." + "0" * 99 + "1"
    return text.replace("1e100", "1" + "0" * 100)


@pytest.mark.parametrize(
    ("condition", "given", "words"),
    [
        ("artist > :a", {}, UNSUPPORTED),
        ("begins_with(artist, :a)", {}, UNSUPPORTED),
        ("artist BETWEEN :a AND :b", {"b": "b"}, UNSUPPORTED),
        ("artist <> :a", {}, "Invalid operator used in KeyConditionExpression: <>"),
        ("artist = :a OR track = :n", {"n": 1},
         "Invalid operator used in KeyConditionExpression: OR"),
        ("NOT artist = :a", {}, "Invalid operator used in KeyConditionExpression: NOT"),
        ("artist IN (:a)", {}, "Invalid operator used in KeyConditionExpression: IN"),
        ("artist = :a AND attribute_exists(track)", {},
         "Invalid operator used in KeyConditionExpression: attribute_exists"),
        ("artist = :a AND contains(track, :a)", {},
         "Invalid operator used in KeyConditionExpression: contains"),
        ("artist = :a AND size(track) = :n", {"n": 1},
         "KeyConditionExpressions cannot contain nested operations"),
        ("artist = :a AND track = v", {},
         "Invalid condition in KeyConditionExpression: Multiple attribute names used in one "
         "condition"),
        (":a = :b", {"b": "x"},
         "Invalid condition in KeyConditionExpression: No key attribute specified"),
        ("artist.x = :a", {},
         "KeyConditionExpressions cannot have conditions on nested attributes"),
        ("artist = :a AND artist = :a", {},
         "KeyConditionExpressions must only contain one condition per key"),
        ("artist = :a AND track > :n AND track < :m", {"n": 1, "m": 3},
         "KeyConditionExpressions must only contain one condition per key"),
        ("artist = :a AND track = :n AND v = :m", {"n": 1, "m": 3},
         "Conditions can be of length 1 or 2 only"),
        ("track = :n", {"a": None, "n": 1}, "Query condition missed key schema element: artist"),
        ("artist = :a AND v = :n", {"n": 1}, "Query condition missed key schema element: track"),
        ("artist = :a", {"a": 1}, TYPE_MISMATCH),
        ("artist = :a", {"a": {"SS": ["ada"]}}, TYPE_MISMATCH),
        ("artist = :a AND track = :n", {"n": "1"}, TYPE_MISMATCH),
        ("artist = :a AND track BETWEEN :n AND :m", {"n": "1", "m": "2"}, TYPE_MISMATCH),
        ("artist = :a", {"a": ""},
         NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string value. "
         "Key: artist"),
        ("artist = :a", {"a": "a" * 2049},
         INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
    ],
)
def test_a_condition_that_does_not_fit_the_key_is_refused(
    refused: Refused, condition: str, given: Any, words: str
) -> None:
    given = {name: v for name, v in {"a": "ada", **given}.items() if v is not None}
    assert refused("Query", **request_of(condition, given)) == invalid(words)


LINE = "Invalid KeyConditionExpression: "


# Before the table is looked for.
@pytest.mark.parametrize(
    ("members", "words"),
    [
        (request_of(""), LINE + "The expression can not be empty;"),
        (request_of("artist"), LINE + 'Syntax error; token: "<EOF>", near: "artist"'),
        (request_of("artist == :a"), LINE + 'Syntax error; token: "=", near: "== :a"'),
        (request_of("((artist = :a))"), LINE + "The expression has redundant parentheses;"),
        (
            request_of("artist = :b"),
            LINE + "An expression attribute value used in expression is not defined; attribute "
            "value: :b",
        ),
        (
            request_of("#x = :a"),
            LINE + "An expression attribute name used in the document path is not defined; "
            "attribute name: #x",
        ),
        (
            request_of("year = :a"),
            LINE + "Attribute name is a reserved keyword; reserved keyword: year",
        ),
        (
            request_of("artist = :a AND begins_with(track, :n)", {"a": "ada", "n": 1}),
            LINE + "Incorrect operand type for operator or function; operator or function: "
            "begins_with, operand type: N",
        ),
        (
            request_of("artist = :a AND track BETWEEN :n AND :m", {"a": "ada", "n": 3, "m": 1}),
            LINE + BETWEEN + "upper bound to be greater than or equal to lower bound; lower bound "
            "operand: AttributeValue: {N:3}, upper bound operand: AttributeValue: {N:1}",
        ),
        (
            request_of("artist = :a AND track BETWEEN :n AND :m", {"a": "ada", "n": 3, "m": "4"}),
            LINE + BETWEEN + "same data type for lower and upper bounds; lower bound operand: "
            "AttributeValue: {N:3}, upper bound operand: AttributeValue: {S:4}",
        ),
        (
            request_of(None),
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
            "request.",
        ),
        (
            request_of(FilterExpression=""),
            "Invalid FilterExpression: The expression can not be empty;",
        ),
        (
            request_of(ProjectionExpression="v,"),
            'Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: ","',
        ),
        (request_of(given={"a": {}}), EMPTY_VALUE),
        (
            request_of(given={"a": "ada", "b": "x"}),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}",
        ),
        (
            request_of(ExpressionAttributeNames={"#x": "x"}),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}",
        ),
        (
            {"ExpressionAttributeNames": {"#x": "x"}, "KeyConditions": {}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"ExpressionAttributeValues": values(x=1), "KeyConditions": {}},
            "ExpressionAttributeValues can only be specified when using expressions: "
            "FilterExpression and KeyConditionExpression are null",
        ),
        (
            request_of(KeyConditions={}),
            MIXED % ("KeyConditions", "KeyConditionExpression"),
        ),
        (
            request_of(AttributesToGet=["v"], QueryFilter={}, FilterExpression="v = :a"),
            MIXED
            % ("AttributesToGet, QueryFilter", "FilterExpression, KeyConditionExpression"),
        ),
    ],
)
def test_expressions_are_checked_before_the_table_is_looked_for(
    refused: Refused, members: Any, words: str
) -> None:
    for name in ("songs", "nowhere"):
        assert refused("Query", **{**members, "TableName": name}) == invalid(words)


# ---- the form of the request ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("tableName")),
        (
            {
                "TableName": "a;b",
                "IndexName": "a",
                "Limit": 0,
                "Select": "ALL",
                "ConditionalOperator": "NOT",
                "AttributesToGet": [],
                "ReturnConsumedCapacity": "ALL",
                "KeyConditions": {"a": {"ComparisonOperator": "LIKE"}},
                "QueryFilter": {"b": {}},
            },
            listed(
                broken("0", "limit", "Member must have value greater than or equal to 1"),
                broken("ALL", "returnConsumedCapacity", CAPACITY_VALUES),
                broken("[]", "attributesToGet", LEAST + "1"),
                broken(None, "queryFilter.b.member.comparisonOperator", "Member must not be null"),
                broken("ALL", "select", SELECTS),
                broken(
                    "NOT", "conditionalOperator", "Member must satisfy enum value set: [OR, AND]"
                ),
                broken(
                    "LIKE",
                    "keyConditions.a.member.comparisonOperator",
                    "Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, "
                    "GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]",
                ),
                broken("a;b", "tableName", PATTERN),
                broken("a", "indexName", LEAST + "3"),
            ),
        ),
        (
            {"TableName": "songs", "Limit": "1"},
            (SERIALIZATION, "STRING_VALUE cannot be converted to Integer"),
        ),
        (
            {"TableName": "songs", "ScanIndexForward": "backwards"},
            (SERIALIZATION, "Unexpected token received from parser"),
        ),
        (
            {"TableName": "songs", "ExclusiveStartKey": "x"},
            (SERIALIZATION, "Unexpected field type"),
        ),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("Query", **request_) == answer


def test_a_table_is_named_by_its_name_or_arn(run: Run, refused: Refused) -> None:
    answer = query(run, TableName=ARN + "songs", Limit=1, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == {"TableName": ARN + "songs", "CapacityUnits": 0.5}
    assert refused("Query", **request_of(TableName="nowhere")) == NOT_FOUND


# ---- IndexName -----------------------------------------------------------------------------------


# API: an index shows what it projects; items without its key are not in it.
def test_indexes_are_queried_by_their_own_keys(run: Run) -> None:
    answer = query(run, "artist = :a AND begins_with(title, :t)", {"a": "ada", "t": "t1"},
                   IndexName="by_title")
    assert answer["Items"] == [song(track=n, title="t1") for n in (1, 4)]
    answer = query(run, "genre = :g AND released >= :y", {"g": "pop", "y": 1}, IndexName="by_genre")
    assert sorted(tracks(answer)) == [1, 1, 3, 5]
    assert answer["Items"][-1] == song("bob", 1, genre="pop", released=7)
    assert query(run, "label = :l", {"l": b"x"}, IndexName="by_label")["Items"] == []
    run("PutItem", TableName="songs", Item=song("cyd", 1, label=b"x", v=1))
    answer = query(run, "label = :l", {"l": b"x"}, IndexName="by_label")
    assert answer["Items"] == [song("cyd", 1, label=b"x", v=1)]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (
            request_of(IndexName="by_nothing"),
            "The table does not have the specified index: by_nothing",
        ),
        (
            request_of(IndexName="by_genre"),
            "Query condition missed key schema element: genre",
        ),
        (
            request_of("genre = :a AND track = :n", {"a": "pop", "n": 1}, IndexName="by_genre"),
            "Query condition missed key schema element: released",
        ),
        (
            request_of("label = :a AND track = :n", {"a": b"x", "n": 1}, IndexName="by_label"),
            UNSUPPORTED,
        ),
        (
            request_of("label = :a", {"a": b""}, IndexName="by_label"),
            NOT_VALID + "A value specified for a secondary index key is not supported. The "
            "AttributeValue for a key attribute cannot contain an empty binary value. IndexName: "
            "by_label, IndexKey: label",
        ),
        (
            request_of("genre = :a", {"a": "pop"}, IndexName="by_genre", ConsistentRead=True),
            "Consistent reads are not supported on global secondary indexes",
        ),
        (
            request_of("genre = :a", {"a": "x"}, IndexName="by_genre", Select="ALL_ATTRIBUTES"),
            INVALID + "Select type ALL_ATTRIBUTES is not supported for global secondary index "
            "by_genre because its projection type is not ALL",
        ),
        (
            request_of("genre = :a", {"a": "x"}, IndexName="by_genre", ProjectionExpression="v, w"),
            INVALID + "Global secondary index by_genre does not project [v, w]",
        ),
    ],
)
def test_an_index_that_cannot_answer_is_told_of(
    refused: Refused, request_: Any, words: str
) -> None:
    assert refused("Query", **request_) == invalid(words)


# ---- Select, projections -------------------------------------------------------------------------


def test_select_says_what_is_returned(run: Run) -> None:
    assert query(run, Select="COUNT") == {"Count": 6, "ScannedCount": 6}
    assert query(run, Select="ALL_ATTRIBUTES")["Items"] == ADA
    some = query(run, Select="SPECIFIC_ATTRIBUTES", ProjectionExpression="v")
    assert some["Items"] == [{"v": item["v"]} for item in ADA]
    local = {"IndexName": "by_title", "Limit": 1}
    assert query(run, **local)["Items"] == [song(track=0, title="t0")]
    assert query(run, **local, Select="ALL_PROJECTED_ATTRIBUTES")["Items"] == [
        song(track=0, title="t0")
    ]
    # API: a local index fetches what it does not have.
    assert query(run, **local, Select="ALL_ATTRIBUTES")["Items"] == [ADA[0]]
    assert query(run, **local, ProjectionExpression="v")["Items"] == [{"v": {"N": "0"}}]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"Select": "SPECIFIC_ATTRIBUTES"},
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
            "SPECIFIC_ATTRIBUTES",
        ),
        (
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
        (
            {"Select": "COUNT", "ProjectionExpression": "v"},
            "Cannot specify the ProjectionExpression when choosing to get only the Count",
        ),
        (
            {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "v"},
            "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
        ),
        (
            {
                "Select": "ALL_PROJECTED_ATTRIBUTES",
                "ProjectionExpression": "v",
                "IndexName": "by_title",
            },
            "Cannot specify the ProjectionExpression when choosing to get ALL_PROJECTED_ATTRIBUTES",
        ),
    ],
)
def test_select_fits_the_projection(refused: Refused, members: Any, words: str) -> None:
    for name in ("songs", "nowhere"):
        request = request_of(**{**members, "TableName": name})
        assert refused("Query", **request) == enveloped(words)


# ---- FilterExpression ----------------------------------------------------------------------------


# API: applied after the query finishes; it changes Count, not ScannedCount, nor the cost.
def test_a_filter_is_applied_behind_the_limit(run: Run) -> None:
    given = {"a": "ada", "v": 3}
    answer = query(run, "artist = :a", given, FilterExpression="v >= :v")
    assert (tracks(answer), answer["Count"], answer["ScannedCount"]) == ([3, 4, 5], 3, 6)
    page = query(run, "artist = :a", given, FilterExpression="v >= :v", Limit=3)
    assert page == {
        "Items": [], "Count": 0, "ScannedCount": 3, "LastEvaluatedKey": song(track=2)
    }
    counted = query(run, "artist = :a", given, FilterExpression="v >= :v", Select="COUNT")
    assert counted == {"Count": 3, "ScannedCount": 6}


# A filter sees what is read: of an index its entries, or the items that a local one fetches.
@pytest.mark.parametrize(
    ("members", "count"),
    [
        ({}, 0),
        ({"Select": "ALL_PROJECTED_ATTRIBUTES"}, 0),
        ({"Select": "COUNT"}, 0),
        ({"ProjectionExpression": "title"}, 0),
        ({"Select": "ALL_ATTRIBUTES"}, 2),
        ({"ProjectionExpression": "genre"}, 2),
    ],
)
def test_a_filter_sees_what_is_read(run: Run, members: Any, count: int) -> None:
    answer = query(run, "artist = :a", {"a": "ada", "v": 4}, IndexName="by_title",
                   FilterExpression="v >= :v", **members)
    assert (answer["Count"], answer["ScannedCount"]) == (count, 6)


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"FilterExpression": "track = :a"}, "track"),
        ({"FilterExpression": "attribute_exists(artist)"}, "artist"),
        (
            {"FilterExpression": "#t = :a", "ExpressionAttributeNames": {"#t": "title"},
             "IndexName": "by_title"},
            "title",
        ),
    ],
)
def test_a_filter_is_not_about_the_key(refused: Refused, members: Any, name: str) -> None:
    assert refused("Query", **request_of(**members)) == invalid(
        f"Filter Expression can only contain non-primary key attributes: Primary key attribute: "
        f"{name}"
    )


# ---- Limit, ExclusiveStartKey --------------------------------------------------------------------


# API: when Limit is reached there is a LastEvaluatedKey, whether more follows or not.
@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize(("limit", "pages"), [(1, 7), (2, 4), (4, 2), (5, 2), (6, 2), (7, 1)])
@pytest.mark.parametrize(
    ("members", "condition", "given", "names"),
    [
        ({}, "artist = :a", {"a": "ada"}, ("artist", "track")),
        ({"IndexName": "by_title"}, "artist = :a", {"a": "ada"}, ("artist", "track", "title")),
        (
            {"IndexName": "by_genre"},
            "genre = :a AND released < :y",
            {"a": "pop", "y": 5},
            ("artist", "track", "genre", "released"),
        ),
    ],
)
def test_pages_add_up(
    run: Run, members: Any, condition: str, given: Any, names: Any, limit: int, pages: int,
    forward: bool,
) -> None:
    members = {**members, "ScanIndexForward": forward}
    whole = query(run, condition, given, **members)["Items"]
    found: list[Any] = []
    start: dict[str, Any] = {}
    for number in range(pages):
        page = query(run, condition, given, Limit=limit, **members, **start)
        assert page["Count"] == page["ScannedCount"] == len(page["Items"])
        found += page["Items"]
        assert ("LastEvaluatedKey" in page) == (number < pages - 1)
        if number < pages - 1:
            last = page["LastEvaluatedKey"]
            assert last == {name: found[-1][name] for name in names}
            start = {"ExclusiveStartKey": last}
    assert found == whole
    assert len(found) == 6


# API: if what was read exceeds 1 MB, the page ends, before the filter. The item that passes 1 MB is
# on it: full pages of small items are told to cost 128.5 units, not 128.
def test_a_page_ends_behind_1_mb(run: Run) -> None:
    for number in range(10, 15):
        run("PutItem", TableName="songs", Item=sized(300 * KB, song("eve", number)))
    page = query(run, "artist = :a", {"a": "eve"}, ReturnConsumedCapacity="TOTAL")
    assert tracks(page) == [10, 11, 12, 13]
    assert page["LastEvaluatedKey"] == song("eve", 13)
    assert page["ConsumedCapacity"] == shown(4 * 300 / 4 / 2)
    rest = query(run, "artist = :a", {"a": "eve", "x": "y"}, FilterExpression="x = :x",
                 ExclusiveStartKey=page["LastEvaluatedKey"])
    assert rest == {"Items": [], "Count": 0, "ScannedCount": 1}


def test_a_full_page_holds_just_more_than_1_mb(run: Run) -> None:
    for number in range(10, 99, 25):
        batch = [sized(20_000, song("eve", n)) for n in range(number, min(number + 25, 99))]
        parts = [{"PutRequest": {"Item": item}} for item in batch]
        run("BatchWriteItem", RequestItems={"songs": parts})
    page = query(run, "artist = :a", {"a": "eve"}, ReturnConsumedCapacity="TOTAL")
    # 53 items are 1,060,000 bytes, 52 are 1,040,000.
    assert (page["Count"], page["ConsumedCapacity"]) == (53, shown(259 / 2))
    exact = sized((1 << 20) - 50 * 20_000, song("eve", 60))
    run("PutItem", TableName="songs", Item=exact)
    # Exactly 1 MB does not exceed it: one more is read.
    assert query(run, "artist = :a", {"a": "eve"})["Count"] == 52


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (request_of(ExclusiveStartKey={}), BAD_START),
        (request_of(ExclusiveStartKey={"artist": {"S": "ada"}}), BAD_START),
        (request_of(ExclusiveStartKey=song(track="1")), BAD_START),
        (request_of(ExclusiveStartKey=song(x=1)), BAD_START),
        (request_of(ExclusiveStartKey=song(), IndexName="by_title"), BAD_START),
        (request_of(ExclusiveStartKey=song(title=1), IndexName="by_title"), BAD_START),
        (
            request_of(ExclusiveStartKey=song("bob")),
            "The provided starting key is outside query boundaries based on provided conditions",
        ),
        (
            request_of("artist = :a AND track > :n", {"a": "ada", "n": 3},
                       ExclusiveStartKey=song(track=2)),
            "The provided starting key does not match the range key predicate",
        ),
        (
            request_of("artist = :a AND track = :n", {"a": "ada", "n": 3},
                       ExclusiveStartKey=song("bob", track=3)),
            "The query can return at most one row and cannot be restarted",
        ),
        (request_of(ExclusiveStartKey={**song(), "track": {}}), EMPTY_VALUE),
        (
            request_of(ExclusiveStartKey=song(track={"N": "x"})),
            "The parameter cannot be converted to a numeric value: x",
        ),
    ],
)
def test_a_start_that_is_none_is_refused(refused: Refused, request_: Any, words: str) -> None:
    assert refused("Query", **request_) == invalid(words)


def test_a_start_needs_no_item(run: Run) -> None:
    assert tracks(query(run, ExclusiveStartKey=song(track={"N": "2.5"}))) == [3, 4, 5]
    assert tracks(query(run, ExclusiveStartKey=song(track=99))) == []
    back = query(run, ExclusiveStartKey=song(track=99), ScanIndexForward=False)
    assert tracks(back) == [5, 4, 3, 2, 1, 0]


# ---- ReturnConsumedCapacity, ConsistentRead ------------------------------------------------------


# Guide: all that was read, summed and rounded once to blocks of 4 KB; a query of an index costs the
# index, and what a local one fetches costs the table, each item by itself.
@pytest.mark.parametrize(
    ("members", "consistent", "wanted"),
    [
        ({}, False, shown(3.0, 3.0)),
        ({}, True, shown(6.0, 6.0)),
        ({"Select": "COUNT"}, True, shown(6.0, 6.0)),
        ({"ProjectionExpression": "track"}, True, shown(6.0, 6.0)),
        ({"FilterExpression": "attribute_exists(nothing)"}, True, shown(6.0, 6.0)),
        ({"Limit": 1}, True, shown(2.0, 2.0)),
        ({"IndexName": "by_title"}, False, shown(0.5, 0.0, by_title=0.5)),
        ({"IndexName": "by_title"}, True, shown(1.0, 0.0, by_title=1.0)),
        (
            {"IndexName": "by_title", "Select": "ALL_ATTRIBUTES"},
            True,
            shown(9.0, 8.0, by_title=1.0),
        ),
        (
            {"IndexName": "by_title", "ProjectionExpression": "x"},
            False,
            shown(4.5, 4.0, by_title=0.5),
        ),
    ],
)
def test_a_query_costs_what_it_reads(
    run: Run, members: Any, consistent: bool, wanted: dict[str, Any]
) -> None:
    for number in range(4):
        item = {**sized(6 * KB - 6, song("eve", number)), "title": {"S": "t"}}
        run("PutItem", TableName="songs", Item=item)
    request = {"ConsistentRead": consistent, **members}
    answer = query(run, "artist = :a", {"a": "eve"}, ReturnConsumedCapacity="INDEXES", **request)
    assert answer["ConsumedCapacity"] == wanted
    answer = query(run, "artist = :a", {"a": "eve"}, ReturnConsumedCapacity="TOTAL", **request)
    assert answer["ConsumedCapacity"] == shown(wanted["CapacityUnits"])
    answer = query(run, "artist = :a", {"a": "eve"}, ReturnConsumedCapacity="NONE", **request)
    assert "ConsumedCapacity" not in answer


def test_a_query_of_a_global_index_costs_the_index(run: Run) -> None:
    answer = query(run, "genre = :g", {"g": "pop"}, IndexName="by_genre",
                   ReturnConsumedCapacity="INDEXES")
    assert answer["ConsumedCapacity"] == shown(0.5, 0.0, by_genre=0.5)


# ---- KeyConditions, QueryFilter, AttributesToGet, ConditionalOperator ----------------------------


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({"artist": equals("ada")}, [0, 1, 2, 3, 4, 5]),
        ({"artist": equals("ada"), "track": equals(2)}, [2]),
        ({"artist": equals("ada"), "track": equals(2, operator="LT")}, [0, 1]),
        ({"artist": equals("ada"), "track": equals(2, operator="LE")}, [0, 1, 2]),
        ({"artist": equals("ada"), "track": equals(3, operator="GT")}, [4, 5]),
        ({"artist": equals("ada"), "track": equals(3, operator="GE")}, [3, 4, 5]),
        ({"artist": equals("ada"), "track": equals(2, 3, operator="BETWEEN")}, [2, 3]),
    ],
)
def test_old_conditions_find_items_too(run: Run, conditions: Any, found: list[int]) -> None:
    request = {"TableName": "songs", "KeyConditions": conditions}
    assert tracks(run("Query", **request)) == found
    assert tracks(run("Query", **request, ScanIndexForward=False)) == found[::-1]


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({}, "Query condition missed key schema element: artist"),
        ({"track": equals(1)}, "Query condition missed key schema element: artist"),
        ({"artist": equals("a"), "v": equals(1)},
         "Query condition missed key schema element: track"),
        ({"artist": equals("a"), "track": equals(1), "v": equals(1)},
         "Conditions can be of length 1 or 2 only"),
        ({"artist": equals("a", operator="GT")}, UNSUPPORTED),
        ({"artist": equals("a"), "track": equals(1, operator="NE")},
         "Attempted conditional constraint is not an indexable operation"),
        ({"artist": equals("a"), "track": equals(1, operator="IN")},
         "Attempted conditional constraint is not an indexable operation"),
        ({"artist": equals("a"), "track": equals(operator="NOT_NULL")},
         "Attempted conditional constraint is not an indexable operation"),
        ({"artist": equals(1)}, TYPE_MISMATCH),
        ({"artist": equals("a"), "track": equals("1")}, TYPE_MISMATCH),
        ({"artist": equals()}, INVALID + "Invalid number of argument(s) for the EQ "
                                         "ComparisonOperator"),
        ({"artist": equals("a", "b")}, INVALID + "Invalid number of argument(s) for the EQ "
                                                 "ComparisonOperator"),
        ({"artist": equals("a"), "track": equals(2, 1, operator="BETWEEN")},
         "The BETWEEN condition was provided a range where the lower bound is greater than the "
         "upper bound"),
        ({"artist": equals("a"), "track": equals(1, operator="BEGINS_WITH")},
         INVALID + "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type"),
        ({"artist": equals({"M": {}})},
         INVALID + "ComparisonOperator EQ is not valid for M AttributeValue type"),
    ],
)
def test_an_old_condition_that_is_none_is_refused(
    refused: Refused, conditions: Any, words: str
) -> None:
    answer = refused("Query", TableName="songs", KeyConditions=conditions)
    assert answer == invalid(words)


# Members of a value that are null, or that nobody knows, are not there.
def test_a_value_may_have_members_that_are_not_there(run: Run) -> None:
    ada = {"N": None, "S": "ada", "X": "y"}
    assert len(query(run, "artist = :a", {"a": ada})["Items"]) == 6
    two = {"S": None, "N": "2"}
    answer = query(run, "artist = :a AND track >= :n", {"a": "ada", "n": two},
                   ExclusiveStartKey={**song(), "track": {"N": "3", "S": None}})
    assert tracks(answer) == [4, 5]
    conditions = {"artist": equals(ada), "track": equals(two)}
    assert tracks(run("Query", TableName="songs", KeyConditions=conditions)) == [2]


# What is of no sense at all is refused too, by what it is first.
@pytest.mark.parametrize(
    ("members", "answer"),
    [
        (
            {"KeyConditions": {"track": equals({"N": (1, 2)}, {"N": "3"}, operator="BETWEEN")}},
            (SERIALIZATION, "Unrecognized collection type class java.lang.String"),
        ),
        (
            {"KeyConditions": {"track": equals({"N": float("nan")}, {"N": "3"},
                                               operator="BETWEEN")}},
            (SERIALIZATION, "DECIMAL_VALUE cannot be converted to String"),
        ),
        (
            {"KeyConditions": {"artist": equals("ada")},
             "ExclusiveStartKey": song(track={"N": "\ud800"})},
            invalid("The parameter cannot be converted to a numeric value: \ud800"),
        ),
    ],
)
def test_what_makes_no_sense_is_refused(refused: Refused, members: Any, answer: Any) -> None:
    assert refused("Query", TableName="songs", **members) == answer


def test_old_filters_and_projections(run: Run, refused: Refused) -> None:
    request = {"TableName": "songs", "KeyConditions": {"artist": equals("ada")}}
    both = {"v": equals(3, operator="GT"), "title": equals("t1")}
    for operator, found in ((None, [4]), ("AND", [4]), ("OR", [1, 4, 5])):
        answer = run("Query", **request, QueryFilter=both, ConditionalOperator=operator)
        assert (tracks(answer), answer["ScannedCount"]) == (found, 6)
    answer = run("Query", **request, AttributesToGet=["v", "absent"], Limit=1)
    assert answer["Items"] == [{"v": {"N": "0"}}]
    assert refused("Query", **request, AttributesToGet=["v", "v"]) == invalid(
        INVALID + "Duplicate value in attribute name: v"
    )
    assert refused("Query", **request, QueryFilter={"track": equals(1)}) == invalid(
        "QueryFilter can only contain non-primary key attributes: Primary key attribute: track"
    )
    assert refused("Query", **request, ConditionalOperator="AND") == invalid(
        "ConditionalOperator cannot be used without Filter or Expected"
    )
