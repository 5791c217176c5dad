"""Keys of requests and items against those of tables and indexes. Words of the service."""

from __future__ import annotations

import pytest

from hashrange.errors import ValidationError
from hashrange.ops import keys, reading
from hashrange.ops.keys import Index, KeyShape

PREFIX = "One or more parameter values were invalid: "
NOT_VALID = "One or more parameter values are not valid. "
PAIR = KeyShape((("pk", "S"), ("sk", "N")))
BINARY = KeyShape((("pk", "B"),))
GLOBAL = Index("gsi", KeyShape((("a", "N"), ("b", "S"))), True, frozenset("x"))
LOCAL = Index("lsi", KeyShape((("pk", "S"), ("a", "N"))), False, frozenset())
NO_MATCH = "The provided key element does not match the schema"


def refusal(check, *arguments, **members) -> str:
    with pytest.raises(ValidationError) as caught:
        check(*arguments, **members)
    return str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"pk": {"S": "a"}},
        {"pk": {"S": "a"}, "sk": {"N": "1"}, "x": {"S": "a"}},
        {"pk": {"S": "a"}, "other": {"N": "1"}},
        {"pk": {"S": "a"}, "sk": {"S": "1"}},
    ],
)
def test_a_key_names_exactly_the_key_attributes(key):
    assert refusal(keys.check_key, key, PAIR) == NO_MATCH


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"sk": {"N": "1"}}, PREFIX + "Missing the key pk in the item"),
        ({"pk": {"S": "a"}, "x": {"S": "a"}}, PREFIX + "Missing the key sk in the item"),
        (
            {"pk": {"S": "a"}, "sk": {"S": "1"}},
            PREFIX + "Type mismatch for key sk expected: N actual: S",
        ),
        (
            {"pk": {"S": ""}, "sk": {"N": "1"}},
            NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string "
            "value. Key: pk",
        ),
    ],
)
def test_an_item_has_its_key(item, words):
    assert refusal(keys.check_item_key, item, PAIR) == words


def test_an_empty_binary_key_is_refused():
    assert refusal(keys.check_key, {"pk": {"B": b""}}, BINARY) == (
        NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty binary value. "
        "Key: pk"
    )


@pytest.mark.parametrize(("size", "fits"), [(2048, True), (2049, False)])
def test_a_hash_key_has_2048_bytes_at_most(size, fits):
    key = {"pk": {"S": "a" * size}, "sk": {"N": "1"}}
    if fits:
        keys.check_key(key, PAIR)
    else:
        assert refusal(keys.check_key, key, PAIR) == (
            PREFIX + "Size of hashkey has exceeded the maximum size limit of2048 bytes"
        )


@pytest.mark.parametrize(("size", "fits"), [(512, True), (513, False)])
def test_a_range_key_has_1024_bytes_at_most(size, fits):
    shape = KeyShape((("pk", "S"), ("sk", "S")))
    item = {"pk": {"S": "a"}, "sk": {"S": "é" * size}}
    if fits:
        keys.check_item_key(item, shape)
    else:
        assert refusal(keys.check_item_key, item, shape) == (
            PREFIX + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
        )


# An item without a key attribute of an index is just not in it.
@pytest.mark.parametrize(
    ("item", "words"),
    [
        (
            {"a": {"S": "x"}},
            PREFIX + "Type mismatch for Index Key a Expected: N Actual: S IndexName: gsi",
        ),
        (
            {"a": {"NULL": True}},
            PREFIX + "Type mismatch for Index Key a Expected: N Actual: NULL IndexName: gsi",
        ),
        (
            {"b": {"S": ""}},
            NOT_VALID + "A value specified for a secondary index key is not supported. The "
            "AttributeValue for a key attribute cannot contain an empty string value. IndexName: "
            "gsi, IndexKey: b",
        ),
    ],
)
def test_an_item_fits_the_indexes_it_comes_into(item, words):
    assert refusal(keys.check_index_keys, item, {"gsi": GLOBAL}) == words
    keys.check_index_keys({"c": {"S": ""}}, {"gsi": GLOBAL})


def test_indexes_are_read_from_a_tables_meta(control):
    from ops.plain import index, table, types

    control(
        "CreateTable",
        **table(
            AttributeDefinitions=types("pk", "sk", "a"),
            LocalSecondaryIndexes=[index("lsi", "pk", "a")],
            GlobalSecondaryIndexes=[
                {
                    **index("gsi", "a", "sk", "pk", kinds="HHR"),
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]},
                }
            ],
        ),
    )
    meta = control.tables.meta("abc")
    indexes = keys.indexes_of(meta)
    assert list(indexes) == ["lsi", "gsi"]
    assert indexes["lsi"] == Index("lsi", KeyShape((("pk", "S"), ("a", "S"))), False, None)
    shape = KeyShape((("a", "S"), ("sk", "S"), ("pk", "S")), 2)
    assert keys.index_of(indexes, "gsi") == Index("gsi", shape, True, frozenset("x"))
    assert refusal(keys.index_of, indexes, "nope") == (
        "The table does not have the specified index: nope"
    )


# ---- Query and Scan ------------------------------------------------------------------------------

COUNT = "Cannot specify the {} when choosing to get {}"
QUERY = {"KeyConditionExpression": "a = :a"}
PROJECTION = {"ProjectionExpression": "a"}


# Observed on the service in 2026: Query envelopes this, Scan does not.
@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"Select": "COUNT", **PROJECTION},
            COUNT.format("ProjectionExpression", "only the Count"),
        ),
        (
            {"Select": "ALL_ATTRIBUTES", **PROJECTION},
            COUNT.format("ProjectionExpression", "ALL_ATTRIBUTES"),
        ),
        (
            {"Select": "ALL_PROJECTED_ATTRIBUTES", **PROJECTION},
            COUNT.format("ProjectionExpression", "ALL_PROJECTED_ATTRIBUTES"),
        ),
        (
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
        (
            {"Select": "SPECIFIC_ATTRIBUTES"},
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
            "SPECIFIC_ATTRIBUTES",
        ),
    ],
)
def test_select_fits_what_is_projected(members, words):
    assert refusal(reading.check_scan, members) == words
    assert refusal(reading.check_query, {**QUERY, **members}) == (
        "1 validation error detected: " + words
    )


def test_old_attributes_are_named_as_such():
    request = {"Select": "COUNT", "AttributesToGet": ["a"]}
    assert refusal(reading.check_scan, request) == COUNT.format("AttributesToGet", "only the Count")


def test_a_query_has_a_key_condition():
    assert refusal(reading.check_query, {}) == (
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
        "request."
    )


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"Segment": 0},
            "The TotalSegments parameter is required but was not present in the request when "
            "Segment parameter is present",
        ),
        (
            {"TotalSegments": 4},
            "The Segment parameter is required but was not present in the request when parameter "
            "TotalSegments is present",
        ),
        (
            {"Segment": 5, "TotalSegments": 5},
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            "Segment: 5 is not less than TotalSegments: 5",
        ),
    ],
)
def test_segments_come_in_pairs(members, words):
    assert refusal(reading.check_scan, members) == words
    reading.check_scan({"Segment": 4, "TotalSegments": 5})


def test_a_global_index_gives_what_it_has():
    def check(members, attributes=None):
        return refusal(reading.check_access, members, GLOBAL, PAIR, attributes)

    assert refusal(reading.check_consistency, {"ConsistentRead": True}, GLOBAL) == (
        "Consistent reads are not supported on global secondary indexes"
    )
    reading.check_consistency({"ConsistentRead": True}, LOCAL)
    assert check({"Select": "ALL_ATTRIBUTES"}) == (
        PREFIX + "Select type ALL_ATTRIBUTES is not supported for global secondary index gsi "
        "because its projection type is not ALL"
    )
    assert check({}, {"x", "y", "pk", "a"}) == (
        PREFIX + "Global secondary index gsi does not project [y]"
    )
    reading.check_access({"ConsistentRead": True}, LOCAL, PAIR, {"y"})


@pytest.mark.parametrize(
    ("start", "index", "query", "words"),
    [
        (
            {"pk": {"S": "a"}},
            None,
            True,
            "The provided starting key is invalid",
        ),
        (
            {"pk": {"S": "a"}},
            None,
            False,
            f"The provided starting key is invalid: {NO_MATCH}",
        ),
        (
            {"pk": {"S": "a"}, "x": {"N": "1"}},
            None,
            True,
            "The provided starting key is invalid",
        ),
        (
            {"pk": {"S": "a"}, "sk": {"N": "1"}},
            GLOBAL,
            True,
            "The provided starting key is invalid",
        ),
        (
            {"pk": {"S": "a"}, "sk": {"N": "1"}, "a": {"S": "1"}, "b": {"S": "x"}},
            GLOBAL,
            True,
            "The provided starting key is invalid",
        ),
        (
            {"pk": {"S": "a"}, "sk": {"S": "1"}, "a": {"N": "1"}, "b": {"S": "x"}},
            GLOBAL,
            False,
            "The provided starting key is invalid",
        ),
        (
            {"pk": {"S": "a"}, "sk": {"S": "1"}},
            None,
            False,
            f"The provided starting key is invalid: {NO_MATCH}",
        ),
    ],
)
def test_a_starting_key_has_the_keys_of_table_and_index(start, index, query, words):
    assert refusal(reading.check_start, start, PAIR, index, query=query) == words


def test_the_values_of_a_starting_key_come_first():
    request = {"ExclusiveStartKey": {"a": {"NS": []}}}
    assert refusal(reading.explain_scan, None, request) == (
        "The provided starting key is invalid: " + PREFIX + "An number set  may not be empty"
    )
