"""Scan: each member of the request, segments, pages, filters, costs, refusals."""

from __future__ import annotations

from decimal import Decimal
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
    PATTERN,
    SERIALIZATION,
    broken,
    equals,
    invalid,
    listed,
    missing,
    shown,
    sized,
    song,
    values,
)

BAD_START = "The provided starting key is invalid"
ITEMS = [
    song(f"artist {n}", n, v=n, genre="pop", released=n, **({"title": "t"} if n % 2 else {}))
    for n in range(12)
]


@pytest.fixture(autouse=True)
def filled(made: Run) -> None:
    """Put twelve songs of as many artists, half of them with a title."""
    for item in ITEMS:
        made("PutItem", TableName="songs", Item=item)


def scan(run: Run, **members: Any) -> dict[str, Any]:
    return run("Scan", **{"TableName": "songs", **members})


def tracks(answer: dict[str, Any]) -> list[int]:
    return sorted(int(item["track"]["N"]) for item in answer["Items"])


# ---- what is found -------------------------------------------------------------------------------


# API: every item of a table, or every entry of an index, as it projects them.
def test_a_scan_finds_every_item(run: Run) -> None:
    answer = scan(run)
    assert (answer["Count"], answer["ScannedCount"]) == (12, 12)
    assert "LastEvaluatedKey" not in answer
    assert sorted(answer["Items"], key=repr) == sorted(ITEMS, key=repr)
    local = scan(run, IndexName="by_title")
    assert tracks(local) == [1, 3, 5, 7, 9, 11]
    assert all(set(item) == {"artist", "track", "title"} for item in local["Items"])
    assert tracks(scan(run, IndexName="by_genre")) == list(range(12))
    assert scan(run, IndexName="by_label")["Items"] == []
    assert run("Scan", TableName="notes") == {"Items": [], "Count": 0, "ScannedCount": 0}


# The order is no one's to choose, but the same for every page.
def test_items_of_one_partition_stand_together_in_order(run: Run) -> None:
    for number in (3, 1, 2):
        run("PutItem", TableName="songs", Item=song("zoe", number))
    found = [item for item in scan(run)["Items"] if item["artist"] == {"S": "zoe"}]
    assert found == [song("zoe", number) for number in (1, 2, 3)]
    order = [item["artist"]["S"] for item in scan(run)["Items"]]
    first = order.index("zoe")
    assert order[first : first + 3] == ["zoe"] * 3


# ---- the form of the request ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("tableName")),
        # Ten are listed at most: not that the index's name has another pattern.
        (
            {
                "TableName": "a;b",
                "IndexName": "a;",
                "Limit": -1,
                "Select": "ALL",
                "Segment": -1,
                "TotalSegments": 0,
                "ConditionalOperator": "NOT",
                "AttributesToGet": [],
                "ReturnConsumedCapacity": "ALL",
                "ScanFilter": {"b": {}},
            },
            listed(
                broken("-1", "limit", "Member must have value greater than or equal to 1"),
                broken("ALL", "returnConsumedCapacity", CAPACITY_VALUES),
                broken("[]", "attributesToGet", LEAST + "1"),
                broken("-1", "segment", "Member must have value greater than or equal to 0"),
                broken(
                    "ALL",
                    "select",
                    "Member must satisfy enum value set: "
                    "[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]",
                ),
                broken(None, "scanFilter.b.member.comparisonOperator", "Member must not be null"),
                broken(
                    "NOT", "conditionalOperator", "Member must satisfy enum value set: [OR, AND]"
                ),
                broken("0", "totalSegments", "Member must have value greater than or equal to 1"),
                broken("a;b", "tableName", PATTERN),
                broken("a;", "indexName", LEAST + "3"),
            ),
        ),
        (
            {"TableName": "songs", "Segment": 1_000_000, "TotalSegments": 1_000_001},
            listed(
                broken("1000000", "segment", "Member must have value less than or equal to 999999"),
                broken(
                    "1000001", "totalSegments", "Member must have value less than or equal to "
                    "1000000",
                ),
            ),
        ),
        (
            {"TableName": "songs", "Limit": "5"},
            (SERIALIZATION, "STRING_VALUE cannot be converted to Integer"),
        ),
        (
            {"TableName": "songs", "Limit": float("nan")},
            (SERIALIZATION, "DECIMAL_VALUE cannot be converted to Integer"),
        ),
        # A fraction is cut off.
        (
            {"TableName": "songs", "Limit": 0.9, "Segment": Decimal("-1.5"), "TotalSegments": 1},
            listed(
                broken("0", "limit", "Member must have value greater than or equal to 1"),
                broken("-1", "segment", "Member must have value greater than or equal to 0"),
            ),
        ),
        (
            {"TableName": "songs", "ScanFilter": []},
            (
                SERIALIZATION,
                "Unrecognized collection type java.util.Map<java.lang.String, "
                "com.amazonaws.dynamodb.v20120810.Condition>",
            ),
        ),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("Scan", **request_) == answer


def test_a_table_is_named_by_its_name_or_arn(run: Run, refused: Refused) -> None:
    answer = scan(run, TableName=ARN + "songs", ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == {"TableName": ARN + "songs", "CapacityUnits": 0.5}
    assert refused("Scan", TableName="nowhere") == NOT_FOUND


# ---- Segment, TotalSegments ----------------------------------------------------------------------


# API: segments divide the table; together they are all of it, nothing twice.
@pytest.mark.parametrize("index", [None, "by_title", "by_genre"])
@pytest.mark.parametrize("total", [1, 2, 5, 1_000_000])
def test_segments_add_up(run: Run, index: str | None, total: int) -> None:
    members = {"TotalSegments": total, **({} if index is None else {"IndexName": index})}
    whole = tracks(scan(run, **({} if index is None else {"IndexName": index})))
    if total == 1_000_000:
        answer = scan(run, Segment=999_999, **members)
        assert answer["Count"] <= 12
        return
    found = [n for s in range(total) for n in tracks(scan(run, Segment=s, **members))]
    assert sorted(found) == whole


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"Segment": 0},
            "The TotalSegments parameter is required but was not present in the request when "
            "Segment parameter is present",
        ),
        (
            {"TotalSegments": 2},
            "The Segment parameter is required but was not present in the request when parameter "
            "TotalSegments is present",
        ),
        (
            {"Segment": 2, "TotalSegments": 2},
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            "Segment: 2 is not less than TotalSegments: 2",
        ),
    ],
)
def test_segments_come_in_pairs(refused: Refused, members: Any, words: str) -> None:
    for name in ("songs", "nowhere"):
        assert refused("Scan", TableName=name, **members) == invalid(words)


# ---- Limit, ExclusiveStartKey --------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "pages"), [(1, 13), (5, 3), (6, 3), (12, 2), (13, 1)])
@pytest.mark.parametrize(
    ("index", "names"),
    [(None, {"artist", "track"}), ("by_genre", {"artist", "track", "genre", "released"})],
)
def test_pages_add_up(
    run: Run, index: str | None, names: set[str], limit: int, pages: int
) -> None:
    members = {} if index is None else {"IndexName": index}
    whole = scan(run, **members)["Items"]
    found: list[Any] = []
    start: dict[str, Any] = {}
    for number in range(pages):
        page = scan(run, Limit=limit, **members, **start)
        found += page["Items"]
        assert page["Count"] == page["ScannedCount"] == len(page["Items"])
        assert ("LastEvaluatedKey" in page) == (number < pages - 1)
        if number < pages - 1:
            assert page["LastEvaluatedKey"] == {name: found[-1][name] for name in names}
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert found == whole


# What no Java integer holds is as good as no limit.
@pytest.mark.parametrize(
    ("limit", "count"),
    [(2.0, 2), (2.9, 2), (Decimal("2.5"), 2), (1 << 31, 12), (10**30, 12), (Decimal("1e999"), 12)],
)
def test_a_limit_is_a_number_of_any_kind(run: Run, limit: Any, count: int) -> None:
    assert scan(run, Limit=limit)["Count"] == count


def test_pages_of_segments_add_up(run: Run) -> None:
    found = []
    for segment in range(3):
        start: dict[str, Any] = {}
        while True:
            page = scan(run, Segment=segment, TotalSegments=3, Limit=2, **start)
            found += tracks(page)
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert sorted(found) == list(range(12))


# API: if what was read exceeds 1 MB the scan ends; the item that passes 1 MB is on the page.
def test_a_page_ends_behind_1_mb(run: Run) -> None:
    for number in range(10, 15):
        run("PutItem", TableName="songs", Item=sized(300 * KB, song("eve", number)))
    start: dict[str, Any] = {}
    counts = []
    while True:
        page = scan(run, FilterExpression="attribute_exists(nothing)", **start)
        assert (page["Items"], page["Count"]) == ([], 0)
        counts.append(page["ScannedCount"])
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert sum(counts) == 17
    assert len(counts) == 2


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"ExclusiveStartKey": {}}, f"{BAD_START}: {NO_MATCH}"),
        ({"ExclusiveStartKey": {"artist": {"S": "a"}}}, f"{BAD_START}: {NO_MATCH}"),
        ({"ExclusiveStartKey": song(track="1")}, f"{BAD_START}: {NO_MATCH}"),
        ({"ExclusiveStartKey": song(x=1)}, f"{BAD_START}: {NO_MATCH}"),
        ({"ExclusiveStartKey": song(), "IndexName": "by_title"}, BAD_START),
        ({"ExclusiveStartKey": {**song(), "track": {}}}, f"{BAD_START}: {EMPTY_VALUE}"),
        (
            {"ExclusiveStartKey": song(track={"N": "x"})},
            f"{BAD_START}: The parameter cannot be converted to a numeric value: x",
        ),
    ],
)
def test_a_start_that_is_none_is_refused(refused: Refused, members: Any, words: str) -> None:
    assert refused("Scan", TableName="songs", **members) == invalid(words)


# ---- Select, ProjectionExpression, AttributesToGet -----------------------------------------------


def test_select_says_what_is_returned(run: Run) -> None:
    assert scan(run, Select="COUNT") == {"Count": 12, "ScannedCount": 12}
    assert tracks(scan(run, Select="ALL_ATTRIBUTES")) == list(range(12))
    for members in (
        {"Select": "SPECIFIC_ATTRIBUTES", "ProjectionExpression": "v, absent"},
        {"ProjectionExpression": "#v", "ExpressionAttributeNames": {"#v": "v"}},
        {"AttributesToGet": ["v"]},
        {"Select": "SPECIFIC_ATTRIBUTES", "AttributesToGet": ["v"]},
    ):
        found = [item["v"]["N"] for item in scan(run, **members)["Items"] if set(item) == {"v"}]
        assert sorted(map(int, found)) == list(range(12))
    whole = scan(run, IndexName="by_title", Select="ALL_ATTRIBUTES")["Items"]
    assert sorted(whole, key=repr) == sorted((i for i in ITEMS if "title" in i), key=repr)
    plain = scan(run, IndexName="by_title", Select="ALL_PROJECTED_ATTRIBUTES")["Items"]
    assert all(set(item) == {"artist", "track", "title"} for item in plain)


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
            {"Select": "COUNT", "AttributesToGet": ["v"]},
            "Cannot specify the AttributesToGet when choosing to get only the Count",
        ),
        (
            {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "v"},
            "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
        ),
        ({"IndexName": "by_nothing"}, "The table does not have the specified index: by_nothing"),
        (
            {"IndexName": "by_genre", "ConsistentRead": True},
            "Consistent reads are not supported on global secondary indexes",
        ),
        (
            {"IndexName": "by_genre", "Select": "ALL_ATTRIBUTES"},
            INVALID + "Select type ALL_ATTRIBUTES is not supported for global secondary index "
            "by_genre because its projection type is not ALL",
        ),
        (
            {"IndexName": "by_genre", "AttributesToGet": ["v"]},
            INVALID + "Global secondary index by_genre does not project [v]",
        ),
        (
            {"AttributesToGet": ["v", "v"]},
            INVALID + "Duplicate value in attribute name: v",
        ),
        (
            {"ProjectionExpression": "v, v"},
            "Invalid ProjectionExpression: Two document paths overlap with each other; must remove "
            "or rewrite one of these paths; path one: [v], path two: [v]",
        ),
    ],
)
def test_what_is_selected_has_to_be_there(refused: Refused, members: Any, words: str) -> None:
    assert refused("Scan", TableName="songs", **members) == invalid(words)


# ---- FilterExpression, ScanFilter ----------------------------------------------------------------


# API: a filter decides what is returned, not what is read; it may be about keys.
@pytest.mark.parametrize(
    ("text", "given", "found"),
    [
        ("v < :n", {"n": 3}, [0, 1, 2]),
        ("track >= :n AND attribute_exists(title)", {"n": 8}, [9, 11]),
        ("artist = :n", {"n": "artist 3"}, [3]),
        ("begins_with(artist, :n)", {"n": "artist 1"}, [1, 10, 11]),
        ("contains(artist, :n)", {"n": "1"}, [1, 10, 11]),
        ("v IN (:n, :m)", {"n": 3, "m": 5}, [3, 5]),
        ("v BETWEEN :n AND :m", {"n": 3, "m": 5}, [3, 4, 5]),
        ("NOT v < :n", {"n": 10}, [10, 11]),
        ("v = :n OR v = :m", {"n": 1, "m": 2}, [1, 2]),
        ("v <> :n AND v < :m", {"n": 1, "m": 3}, [0, 2]),
        ("size(artist) > :n", {"n": 8}, [10, 11]),
        ("attribute_type(v, :n) AND v < :m", {"n": "N", "m": 2}, [0, 1]),
        ("v = :n", {"n": "3"}, []),
        ("absent <> :n", {"n": "3"}, list(range(12))),
        ("absent = :n", {"n": "3"}, []),
    ],
)
def test_a_filter_decides_what_is_returned(
    run: Run, text: str, given: Any, found: list[int]
) -> None:
    answer = scan(run, FilterExpression=text, ExpressionAttributeValues=values(**given))
    assert (tracks(answer), answer["Count"], answer["ScannedCount"]) == (found, len(found), 12)


# A filter sees what is read: of an index its entries, or the items that a local one fetches.
def test_a_filter_sees_what_is_read(run: Run) -> None:
    request = {"FilterExpression": "v > :v", "ExpressionAttributeValues": values(v=8)}
    assert scan(run, IndexName="by_title", **request)["Count"] == 0
    whole = scan(run, IndexName="by_title", Select="ALL_ATTRIBUTES", **request)
    assert tracks(whole) == [9, 11]
    old = {"ScanFilter": {"v": equals(8, operator="GT")}}
    whole = scan(run, IndexName="by_title", Select="ALL_ATTRIBUTES", **old)
    assert tracks(whole) == [9, 11]


@pytest.mark.parametrize(
    ("conditions", "operator", "found"),
    [
        ({}, None, list(range(12))),
        ({"v": equals(3)}, None, [3]),
        ({"v": equals(3, operator="NE")}, None, [n for n in range(12) if n != 3]),
        ({"v": equals(3, operator="LT")}, None, [0, 1, 2]),
        ({"v": equals(3, operator="LE")}, None, [0, 1, 2, 3]),
        ({"v": equals(9, operator="GT")}, None, [10, 11]),
        ({"v": equals(9, operator="GE")}, None, [9, 10, 11]),
        ({"v": equals(3, 4, operator="BETWEEN")}, None, [3, 4]),
        ({"v": equals(3, 9, operator="IN")}, None, [3, 9]),
        ({"artist": equals("artist 1", operator="BEGINS_WITH")}, None, [1, 10, 11]),
        ({"artist": equals("1", operator="CONTAINS")}, None, [1, 10, 11]),
        ({"artist": equals("artist", operator="NOT_CONTAINS")}, None, []),
        ({"title": equals(operator="NULL")}, None, [0, 2, 4, 6, 8, 10]),
        ({"title": equals(operator="NOT_NULL")}, None, [1, 3, 5, 7, 9, 11]),
        ({"v": equals(3), "title": equals("t")}, "AND", [3]),
        ({"v": equals(4), "title": equals("t")}, "AND", []),
        ({"v": equals(4), "title": equals("t")}, "OR", [1, 3, 4, 5, 7, 9, 11]),
    ],
)
def test_an_old_filter_decides_too(
    run: Run, conditions: Any, operator: Any, found: list[int]
) -> None:
    answer = scan(run, ScanFilter=conditions, ConditionalOperator=operator)
    assert (tracks(answer), answer["ScannedCount"]) == (found, 12)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"FilterExpression": ""}, "Invalid FilterExpression: The expression can not be empty;"),
        (
            {"FilterExpression": "v = :v"},
            "Invalid FilterExpression: An expression attribute value used in expression is not "
            "defined; attribute value: :v",
        ),
        (
            {"FilterExpression": "v = v"},
            "Invalid FilterExpression: The first operand must be distinct from the remaining "
            "operands for this operator or function; operator: =, first operand: [v]",
        ),
        (
            {"FilterExpression": "attribute_exists(:v)", "ExpressionAttributeValues": values(v=1)},
            "Invalid FilterExpression: Operator or function requires a document path; operator or "
            "function: attribute_exists",
        ),
        (
            {
                "FilterExpression": "attribute_type(v, :v)",
                "ExpressionAttributeValues": values(v="STRING"),
            },
            "Invalid FilterExpression: Invalid attribute type name found; type: STRING, valid "
            "types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
        (
            {"FilterExpression": "begins_with(v)"},
            "Invalid FilterExpression: Incorrect number of operands for operator or function; "
            "operator or function: begins_with, number of operands: 1",
        ),
        (
            {
                "FilterExpression": "v = :v",
                "ExpressionAttributeValues": {":v": {"N": "x"}},
            },
            "ExpressionAttributeValues contains invalid value: The parameter cannot be converted "
            "to a numeric value: x for key :v",
        ),
        (
            {"ExpressionAttributeValues": values(v=1)},
            "ExpressionAttributeValues can only be specified when using expressions: "
            "FilterExpression is null",
        ),
        (
            {"FilterExpression": "v = w", "ScanFilter": {}},
            MIXED % ("ScanFilter", "FilterExpression"),
        ),
        (
            {"FilterExpression": "v = w", "ConditionalOperator": "OR"},
            MIXED % ("ConditionalOperator", "FilterExpression"),
        ),
        (
            {"ConditionalOperator": "OR", "ScanFilter": {"v": equals(1)}},
            "ConditionalOperator can only be used when Filter or Expected has two or more elements",
        ),
        ({"ScanFilter": {"": equals(1)}}, INVALID + "An attribute name cannot be empty"),
        (
            {"ScanFilter": {"v": equals(1, "2", operator="IN")}},
            INVALID + "AttributeValues inside AttributeValueList must be of same type",
        ),
        (
            {"ScanFilter": {"v": equals({"L": []})}},
            INVALID + "ComparisonOperator EQ is not valid for L AttributeValue type",
        ),
        (
            {"ScanFilter": {"v": equals({"N": "x"})}},
            "The parameter cannot be converted to a numeric value: x",
        ),
    ],
)
def test_a_filter_that_is_none_is_refused(refused: Refused, members: Any, words: str) -> None:
    for name in ("songs", "nowhere"):
        assert refused("Scan", TableName=name, **members) == invalid(words)


# ---- ReturnConsumedCapacity, ConsistentRead ------------------------------------------------------


# Guide: what was evaluated, summed and rounded once.
@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        ({}, shown(3.0, 3.0)),
        ({"ConsistentRead": True}, shown(6.0, 6.0)),
        ({"ConsistentRead": True, "Select": "COUNT"}, shown(6.0, 6.0)),
        ({"ConsistentRead": True, "ProjectionExpression": "track"}, shown(6.0, 6.0)),
        ({"FilterExpression": "attribute_exists(nothing)"}, shown(3.0, 3.0)),
        ({"IndexName": "by_title"}, shown(0.5, 0.0, by_title=0.5)),
        ({"IndexName": "by_title", "ConsistentRead": True}, shown(1.0, 0.0, by_title=1.0)),
        ({"IndexName": "by_genre"}, shown(0.5, 0.0, by_genre=0.5)),
        (
            {"IndexName": "by_title", "Select": "ALL_ATTRIBUTES", "ConsistentRead": True},
            shown(7.0, 6.0, by_title=1.0),
        ),
    ],
)
def test_a_scan_costs_what_it_reads(run: Run, members: Any, wanted: Any) -> None:
    run("PutItem", TableName="songs", Item=sized(22 * KB, song("eve", 20)))
    answer = scan(run, ReturnConsumedCapacity="INDEXES", **members)
    assert answer["ConsumedCapacity"] == wanted
    answer = scan(run, ReturnConsumedCapacity="TOTAL", **members)
    assert answer["ConsumedCapacity"] == shown(wanted["CapacityUnits"])
    assert "ConsumedCapacity" not in scan(run, ReturnConsumedCapacity="NONE", **members)
