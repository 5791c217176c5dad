"""PutItem: each member of the request, what is written, what it costs, what is refused."""

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
    LEAST,
    METRICS_VALUES,
    MIXED,
    MOST,
    NOT_FOUND,
    NOT_VALID,
    PATTERN,
    SERIALIZATION,
    VALIDATION,
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


def put(run: Run, item: Any = None, **members: Any) -> dict[str, Any]:
    return run("PutItem", **{"TableName": "songs", "Item": item or song(), **members})


def get(run: Run, **key: Any) -> Any:
    return run("GetItem", TableName="songs", Key=song(**key), ConsistentRead=True).get("Item")


# ---- Item ----------------------------------------------------------------------------------------


# API: the new item completely replaces the old one; the key is all it needs.
def test_an_item_replaces_the_one_with_its_key(run: Run) -> None:
    assert put(run, song(a="x", b=1)) == {}
    assert put(run, song(c="y")) == {}
    assert get(run) == song(c="y")
    assert put(run, song()) == {}
    assert get(run) == song()
    assert run("DescribeTable", TableName="songs")["Table"]["ItemCount"] == 1


# API: empty strings and binaries are allowed where there is no key; every type comes back.
def test_every_type_comes_back(run: Run) -> None:
    item = song(
        s="", b=b"", t={"BOOL": True}, f={"BOOL": False}, z={"NULL": True},
        l={"L": [{"N": "1.5"}, {"M": {"k": {"S": ""}}}, {"L": []}]}, m={"M": {}},
        ss={"SS": ["b", "a"]}, ns={"NS": ["1", "-2.5"]}, bs={"BS": [b"\x00", b"\xff"]},
    )
    put(run, item)
    found = get(run)
    for name in ("ss", "ns", "bs"):
        ((kind, members),) = item[name].items()
        assert sorted(found[name][kind]) == sorted(members)
    sets = {name: item[name] for name in ("ss", "ns", "bs")}
    assert {**found, **sets} == item


# Guide: numbers have up to 38 digits; leading and trailing zeros are trimmed.
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0", "0"),
        ("-0.0", "0"),
        ("0001.500", "1.5"),
        ("+7", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("1E-3", "0.001"),
        ("-12.30e1", "-123"),
        ("1e125", "1" + "0" * 125),
        ("1e-130", "0." + "0" * 129 + "1"),
        ("9" * 38, "9" * 38),
        ("0." + "9" * 38, "0." + "9" * 38),
        ("9.9999999999999999999999999999999999999E+125", "9" * 38 + "0" * 88),
    ],
)
def test_a_number_comes_back_in_its_plain_form(run: Run, written: str, read: str) -> None:
    put(run, song(n={"N": written}))
    assert get(run)["n"] == {"N": read}
    # In keys too: it is the same item, however its number is written.
    if abs(float(read)) < 100 and "." not in read:
        put(run, song(track={"N": written}))
        assert get(run, track=int(read))["track"] == {"N": read}


LARGE = "Number overflow. Attempting to store a number with magnitude larger than supported range"
SMALL = "Number underflow. Attempting to store a number with magnitude smaller than supported range"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, EMPTY_VALUE),
        ({"X": "y"}, EMPTY_VALUE),
        (None, EMPTY_VALUE),
        (
            {"S": "a", "N": "1"},
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes",
        ),
        ({"SS": []}, INVALID + "An string set  may not be empty"),
        ({"NS": []}, INVALID + "An number set  may not be empty"),
        ({"BS": []}, INVALID + "Binary sets should not be empty"),
        ({"SS": ["a", "a"]}, INVALID + 'Input collection ["a", "a"] contains duplicates.'),
        ({"NS": ["1", "1.0"]}, INVALID + "Input collection contains duplicates."),
        (
            {"BS": [b"a", b"a"]},
            INVALID + 'Input collection ["YQ==","YQ=="]of type BS contains duplicates.',
        ),
        ({"NULL": False}, INVALID + "Null attribute value types must have the value of true"),
        ({"N": ""}, "The parameter cannot be converted to a numeric value: "),
        ({"N": "abc"}, "The parameter cannot be converted to a numeric value: abc"),
        ({"N": "1" * 39}, "Attempting to store more than 38 significant digits in a Number"),
        ({"N": "1e126"}, LARGE),
        ({"N": "-1e126"}, LARGE),
        ({"N": "1e-131"}, SMALL),
        ({"NS": ["1", "x"]}, "The parameter cannot be converted to a numeric value: x"),
        ({"M": {"": {"S": "x"}}}, INVALID + "An attribute name cannot be empty"),
        ({"L": [{"M": {"k": {"SS": []}}}]}, INVALID + "An string set  may not be empty"),
    ],
)
def test_a_value_that_is_none_is_refused(refused: Refused, value: Any, words: str) -> None:
    item = {**song(), "v": value}
    # Before anybody looks for the table.
    for name in ("songs", "nowhere"):
        assert refused("PutItem", TableName=name, Item=item) == enveloped(words)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({}, "Missing the key artist in the item"),
        ({"artist": {"S": "ada"}}, "Missing the key track in the item"),
        ({"track": {"N": "1"}}, "Missing the key artist in the item"),
        (song(track="1"), "Type mismatch for key track expected: N actual: S"),
        (song(artist={"SS": ["ada"]}), "Type mismatch for key artist expected: S actual: SS"),
        (song(artist={"NULL": True}), "Type mismatch for key artist expected: S actual: NULL"),
        (song(title=1), "Type mismatch for Index Key title Expected: S Actual: N IndexName: "
                        "by_title"),
        (song(released="x"), "Type mismatch for Index Key released Expected: N Actual: S "
                             "IndexName: by_genre"),
        (song(label="x"), "Type mismatch for Index Key label Expected: B Actual: S IndexName: "
                          "by_label"),
        (song(label={"NULL": True}), "Type mismatch for Index Key label Expected: B Actual: NULL "
                                     "IndexName: by_label"),
    ],
)
def test_an_item_fits_the_keys_of_table_and_indexes(
    refused: Refused, item: Any, words: str
) -> None:
    assert refused("PutItem", TableName="songs", Item=item) == invalid(INVALID + words)


# API: key attributes of table and indexes have a length greater than zero.
@pytest.mark.parametrize(
    ("item", "words"),
    [
        (
            song(artist=""),
            "The AttributeValue for a key attribute cannot contain an empty string value. "
            "Key: artist",
        ),
        (
            song(title=""),
            "A value specified for a secondary index key is not supported. The AttributeValue for "
            "a key attribute cannot contain an empty string value. IndexName: by_title, IndexKey: "
            "title",
        ),
        (
            song(label=b""),
            "A value specified for a secondary index key is not supported. The AttributeValue for "
            "a key attribute cannot contain an empty binary value. IndexName: by_label, IndexKey: "
            "label",
        ),
    ],
)
def test_a_key_is_not_empty(refused: Refused, item: Any, words: str) -> None:
    assert refused("PutItem", TableName="songs", Item=item) == invalid(NOT_VALID + words)


# Guide: 2,048 bytes of partition key, 1,024 of sort key, in indexes too.
def test_keys_have_a_greatest_length(run: Run, refused: Refused) -> None:
    put(run, song("é" * 1024, title="t" * 1024, label=b"l" * 2048))
    hash_words = INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"
    assert refused("PutItem", TableName="songs", Item=song("é" * 1024 + "e")) == (
        VALIDATION, hash_words
    )
    for item in (song(title="t" * 1025), song(label=b"l" * 2049)):
        code, words = refused("PutItem", TableName="songs", Item=item)
        assert code == VALIDATION
        assert words.startswith(INVALID)


# Guide: 400 KB, names included; the size is told before the table is looked for.
def test_an_item_has_400_kb_at_most(run: Run, refused: Refused) -> None:
    put(run, sized(400 * KB, song()))
    large = sized(400 * KB + 1, song())
    for name in ("songs", "nowhere"):
        assert refused("PutItem", TableName=name, Item=large) == invalid(
            "Item size has exceeded the maximum allowed size"
        )


@pytest.mark.parametrize("depth", [32, 33])
def test_values_nest_32_levels(run: Run, refused: Refused, depth: int) -> None:
    value: Any = {"S": "leaf"}
    for _ in range(depth - 1):
        value = {"M": {"k": value}}
    if depth == 32:
        put(run, song(v=value))
        assert get(run) == song(v=value)
    else:
        assert refused("PutItem", TableName="songs", Item=song(v=value)) == enveloped(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
            "levels beyond supported limit"
        )


# ---- the form of the request ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("tableName", "item")),
        ({"TableName": "songs"}, missing("item")),
        ({"Item": song()}, missing("tableName")),
        ({"TableName": "", "Item": song()}, listed(broken("", "tableName", LEAST + "1"))),
        ({"TableName": "a;b", "Item": song()}, listed(broken("a;b", "tableName", PATTERN))),
        (
            {"TableName": "a" * 256, "Item": song()},
            listed(broken("a" * 256, "tableName", MOST + "255")),
        ),
        (
            {
                "TableName": "songs",
                "Item": song(),
                "ReturnConsumedCapacity": "ALL",
                "ReturnItemCollectionMetrics": "ALL",
                "ReturnValues": "OLD",
                "ReturnValuesOnConditionCheckFailure": "NEW",
                "ConditionalOperator": "XOR",
            },
            listed(
                broken("ALL", "returnConsumedCapacity", CAPACITY_VALUES),
                broken(
                    "OLD",
                    "returnValues",
                    "Member must satisfy enum value set: "
                    "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]",
                ),
                broken("ALL", "returnItemCollectionMetrics", METRICS_VALUES),
                broken(
                    "XOR", "conditionalOperator", "Member must satisfy enum value set: [OR, AND]"
                ),
                broken(
                    "NEW",
                    "returnValuesOnConditionCheckFailure",
                    "Member must satisfy enum value set: [ALL_OLD, NONE]",
                ),
            ),
        ),
    ],
)
def test_every_broken_constraint_is_listed(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("PutItem", **request_) == answer


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"TableName": 1, "Item": song()}, "NUMBER_VALUE cannot be converted to String"),
        ({"TableName": "songs", "Item": {"artist": "ada"}}, "Unexpected value type in payload"),
        ({"TableName": "songs", "Item": "x"}, "Unexpected field type"),
        (
            {"TableName": "songs", "Item": song(n={"N": 1})},
            "NUMBER_VALUE cannot be converted to String",
        ),
        (
            {"TableName": "songs", "Item": song(t={"BOOL": "maybe"})},
            "Unexpected token received from parser",
        ),
        (
            {"TableName": "songs", "Item": song(b={"B": "a"})},
            "Base64 encoded length is expected a multiple of 4 bytes but found: 1",
        ),
        # Before constraints are looked at.
        (
            {"TableName": "", "Item": song(n={"N": True})},
            "TRUE_VALUE cannot be converted to String",
        ),
    ],
)
def test_a_value_of_another_json_type_is_refused(
    refused: Refused, request_: Any, words: str
) -> None:
    assert refused("PutItem", **request_) == (SERIALIZATION, words)


def test_unknown_members_and_null_ones_are_not_there(run: Run) -> None:
    assert put(run, Foo=1, ConditionExpression=None, Expected=None, ReturnValues=None) == {}
    assert get(run) == song()


# ---- TableName -----------------------------------------------------------------------------------


# API: in the response stands what was given, name or ARN.
def test_a_table_is_named_by_its_name_or_arn(run: Run, refused: Refused) -> None:
    for name in ("songs", ARN + "songs"):
        answer = put(run, TableName=name, ReturnConsumedCapacity="TOTAL")
        assert answer == {"ConsumedCapacity": {"TableName": name, "CapacityUnits": 1.0}}
    assert refused("PutItem", TableName="nowhere", Item=song()) == NOT_FOUND
    assert refused("PutItem", TableName="no", Item=song()) == NOT_FOUND
    assert refused("PutItem", TableName=ARN + "nowhere", Item=song()) == NOT_FOUND
    other = ARN.replace("eu-west-1", "us-east-1") + "songs"
    assert refused("PutItem", TableName=other, Item=song()) == enveloped(
        f"Invalid AWS region in '{other}'"
    )


# ---- ReturnValues --------------------------------------------------------------------------------


# API: ALL_OLD returns what was overwritten, if anything was; NONE nothing; others are refused.
def test_what_was_overwritten_is_returned(run: Run, refused: Refused) -> None:
    assert put(run, song(v=1), ReturnValues="ALL_OLD") == {}
    assert put(run, song(v=2), ReturnValues="NONE") == {}
    assert put(run, song(v=3), ReturnValues="ALL_OLD") == {"Attributes": song(v=2)}
    for asked in ("ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"):
        answer = refused("PutItem", TableName="songs", Item=song(), ReturnValues=asked)
        assert answer == enveloped("ReturnValues can only be ALL_OLD or NONE")


# ---- conditions ----------------------------------------------------------------------------------


# API: attribute_not_exists of the partition key keeps a put from replacing an item.
def test_a_condition_decides_whether_the_item_is_put(run: Run, refused: Refused) -> None:
    new = {"ConditionExpression": "attribute_not_exists(artist)"}
    put(run, song(v=1), **new)
    assert refused("PutItem", TableName="songs", Item=song(v=2), **new) == FAILED
    put(
        run, song(v=2), ConditionExpression="#v = :v",
        ExpressionAttributeNames={"#v": "v"}, ExpressionAttributeValues=values(v=1),
    )
    assert get(run) == song(v=2)


# API: ReturnValuesOnConditionCheckFailure hands out the item that was in the way.
@pytest.mark.parametrize(("asked", "item"), [(None, None), ("NONE", None), ("ALL_OLD", song(v=1))])
def test_a_failure_shows_the_item_if_asked(run: Run, asked: Any, item: Any) -> None:
    put(run, song(v=1))
    with pytest.raises(hashrange.ConditionalCheckFailed) as caught:
        put(
            run, song(v=2), ConditionExpression="v = :v", ExpressionAttributeValues=values(v=2),
            ReturnValuesOnConditionCheckFailure=asked,
        )
    assert caught.value.item == item


# API: a condition on an item that is not there fails, and there is nothing to show.
def test_a_failure_without_an_item_shows_none(run: Run) -> None:
    with pytest.raises(hashrange.ConditionalCheckFailed) as caught:
        put(
            run, ConditionExpression="attribute_exists(artist)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert caught.value.item is None


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"ConditionExpression": ""},
            "Invalid ConditionExpression: The expression can not be empty;",
        ),
        (
            {"ConditionExpression": "v = :v"},
            "Invalid ConditionExpression: An expression attribute value used in expression is not "
            "defined; attribute value: :v",
        ),
        (
            {"ConditionExpression": "#v = v"},
            "Invalid ConditionExpression: An expression attribute name used in the document path "
            "is not defined; attribute name: #v",
        ),
        (
            {"ConditionExpression": "attribute_exists(v"},
            'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "v"',
        ),
        (
            {"ConditionExpression": "size = v"},
            "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: "
            "size",
        ),
        (
            {"ConditionExpression": "exists(v)"},
            "Invalid ConditionExpression: Invalid function name; function: exists",
        ),
        (
            {
                "ConditionExpression": "attribute_exists(v)",
                "ExpressionAttributeNames": {"#v": "v"},
            },
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#v}",
        ),
        (
            {
                "ConditionExpression": "attribute_exists(v)",
                "ExpressionAttributeValues": values(v=1),
            },
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}",
        ),
        (
            {"ExpressionAttributeNames": {"#v": "v"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"ExpressionAttributeValues": values(v=1)},
            "ExpressionAttributeValues can only be specified when using expressions",
        ),
        (
            {"ConditionExpression": "v = :v", "ExpressionAttributeValues": {":v": {}}},
            EMPTY_VALUE,
        ),
        (
            {"ConditionExpression": "v = :v", "ExpressionAttributeValues": {}},
            "ExpressionAttributeValues must not be empty",
        ),
        (
            {"ConditionExpression": "v = :v", "ExpressionAttributeValues": {"v": {"S": "x"}}},
            'ExpressionAttributeValues contains invalid key: Syntax error; key: "v"',
        ),
        (
            {"ConditionExpression": "x", "Expected": {}},
            MIXED % ("Expected", "ConditionExpression"),
        ),
        ({"ConditionalOperator": "OR"}, "ConditionalOperator cannot be used without Filter or "
                                        "Expected"),
        (
            {"Expected": {"v": equals(1)}, "ConditionalOperator": "OR"},
            "ConditionalOperator can only be used when Filter or Expected has two or more elements",
        ),
    ],
)
def test_a_condition_that_is_none_is_refused(
    refused: Refused, members: dict[str, Any], words: str
) -> None:
    for name in ("songs", "nowhere"):
        answer = refused("PutItem", TableName=name, Item=song(), **members)
        assert answer == enveloped(words)


# ---- Expected and ConditionalOperator ------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "operator", "passes"),
    [
        ({"v": {"Value": {"N": "1"}}}, None, True),
        ({"v": {"Value": {"N": "1.0"}, "Exists": True}}, None, True),
        ({"v": {"Value": {"N": "2"}}}, None, False),
        ({"v": {"Exists": False}}, None, False),
        ({"w": {"Exists": False}}, None, True),
        ({"v": equals(1, 2, 3, operator="IN")}, None, True),
        ({"v": equals(0, 1, operator="BETWEEN")}, None, True),
        ({"v": equals(1, operator="GT")}, None, False),
        ({"w": equals(1, operator="NE")}, None, True),
        ({"v": equals(operator="NULL")}, None, False),
        ({"v": equals(operator="NOT_NULL")}, None, True),
        ({"s": equals("b", operator="CONTAINS")}, None, True),
        ({"s": equals("x", operator="NOT_CONTAINS")}, None, True),
        ({"t": equals("te", operator="BEGINS_WITH")}, None, True),
        ({"v": equals(1), "t": equals("no")}, None, False),
        ({"v": equals(1), "t": equals("no")}, "AND", False),
        ({"v": equals(1), "t": equals("no")}, "OR", True),
    ],
)
def test_old_conditions_decide_too(run: Run, expected: Any, operator: Any, passes: bool) -> None:
    old, new = song(v=1, t="text", s={"SS": ["a", "b"]}), song(v=9)
    put(run, old)
    request = {"Expected": expected, "ConditionalOperator": operator}
    if passes:
        put(run, new, **request)
    else:
        with pytest.raises(hashrange.ConditionalCheckFailed):
            put(run, new, **request)
    assert get(run) == (new if passes else old)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({}, "Value must be provided when Exists is null for Attribute: v"),
        ({"Exists": True}, "Value must be provided when Exists is true for Attribute: v"),
        (
            {"Exists": False, "Value": {"N": "1"}},
            "Value cannot be used when Exists is false for Attribute: v",
        ),
        (
            {**equals(1), "Value": {"N": "1"}},
            "Value and AttributeValueList cannot be used together for Attribute: v",
        ),
        (
            {"ComparisonOperator": "EQ", "Exists": True},
            "Exists and ComparisonOperator cannot be used together for Attribute: v",
        ),
        (
            {"AttributeValueList": [{"N": "1"}]},
            "AttributeValueList can only be used with a ComparisonOperator for Attribute: v",
        ),
        (
            {"ComparisonOperator": "EQ"},
            "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: v",
        ),
        (equals(1, 2), "Invalid number of argument(s) for the EQ ComparisonOperator"),
        (
            equals(1, operator="BETWEEN"),
            "Invalid number of argument(s) for the BETWEEN ComparisonOperator",
        ),
        (
            equals(1, "a", operator="IN"),
            "AttributeValues inside AttributeValueList must be of same type",
        ),
        (
            equals(1, operator="BEGINS_WITH"),
            "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type",
        ),
        (
            equals({"SS": ["a"]}, operator="LT"),
            "ComparisonOperator LT is not valid for SS AttributeValue type",
        ),
    ],
)
def test_an_old_condition_that_is_none_is_refused(
    refused: Refused, condition: Any, words: str
) -> None:
    request = {"TableName": "songs", "Item": song(), "Expected": {"v": condition}}
    assert refused("PutItem", **request) == enveloped(INVALID + words)


def test_an_old_range_has_its_bounds_in_order(refused: Refused) -> None:
    expected = {"v": equals(2, 1, operator="BETWEEN")}
    assert refused("PutItem", TableName="songs", Item=song(), Expected=expected) == enveloped(
        "The BETWEEN condition was provided a range where the lower bound is greater than the "
        "upper bound"
    )


# ---- ReturnConsumedCapacity ----------------------------------------------------------------------


POP = song(genre="pop", released=1)


# Guide: blocks of 1 KB of the larger image. A new entry of an index costs its blocks, one that
# moves both of its places, one that stays as it is nothing.
@pytest.mark.parametrize(
    ("before", "after", "table", "local", "globals_"),
    [
        (None, song(), 1.0, None, {}),
        (None, sized(KB, song()), 1.0, None, {}),
        (None, sized(KB + 1, song()), 2.0, None, {}),
        (sized(5 * KB, song()), song(), 5.0, None, {}),
        (None, song(title="t"), 1.0, 1.0, {}),
        (song(title="t"), song(title="t", v=1), 1.0, None, {}),
        (song(title="t"), song(title="u"), 1.0, 2.0, {}),
        (song(title="t"), song(), 1.0, 1.0, {}),
        (None, song(genre="g"), 1.0, None, {}),
        (None, POP, 1.0, None, {"by_genre": 1.0}),
        (POP, song(genre="pop", released=1, stars=5), 1.0, None, {"by_genre": 1.0}),
        (POP, song(genre="pop", released=1, v=5), 1.0, None, {}),
        (POP, song(genre="pop", released=2), 1.0, None, {"by_genre": 2.0}),
        (
            None,
            {**sized(3 * KB, song()), **song(label=b"l", genre="g", released=1)},
            4.0,
            None,
            {"by_genre": 1.0, "by_label": 4.0},
        ),
    ],
)
def test_a_put_costs_its_blocks_and_those_of_index_entries(
    run: Run, before: Any, after: Any, table: float, local: Any, globals_: dict[str, float]
) -> None:
    if before is not None:
        put(run, before)
    used = put(run, after, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    arms = {**globals_, **({} if local is None else {"by_title": local})}
    assert used == shown(table + sum(arms.values()), table, **arms)
    total = put(run, after, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert set(total) == {"TableName", "CapacityUnits"}
    assert put(run, after, ReturnConsumedCapacity="NONE") == {}


# ---- ReturnItemCollectionMetrics -----------------------------------------------------------------


# API: only tables with local indexes have them; a range of gigabytes.
def test_metrics_are_of_tables_with_local_indexes(run: Run) -> None:
    answer = put(run, ReturnItemCollectionMetrics="SIZE")
    assert answer == {
        "ItemCollectionMetrics": {
            "ItemCollectionKey": {"artist": {"S": "ada"}},
            "SizeEstimateRangeGB": [0.0, 1.0],
        }
    }
    assert put(run, ReturnItemCollectionMetrics="NONE") == {}
    request = {"TableName": "notes", "Item": note("a"), "ReturnItemCollectionMetrics": "SIZE"}
    assert run("PutItem", **request) == {}
