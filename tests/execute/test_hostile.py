"""Requests with the right names and wrong values, through execute and the engine.

Nothing but the service's errors may come out, each with its code; and what was refused has changed
nothing. HASHRANGE_EXAMPLES sets the number of examples (make fuzz).
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from typing import Any

import pytest
from execute.agreement import check_indexes
from execute.conftest import table, thing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hashrange

EXAMPLES = int(os.environ.get("HASHRANGE_EXAMPLES", "0"))

ITEM = thing("p", 1, a="x", g="y", v=5)
EXPRESSION = {
    "ExpressionAttributeNames": {"#v": "v"}, "ExpressionAttributeValues": {":v": {"N": "1"}},
}
# One good request of each operation; hypothesis spoils a part of it.
GOOD: list[tuple[str, dict[str, Any]]] = [
    ("PutItem", {"TableName": "things", "Item": ITEM, "ConditionExpression": "#v <> :v",
                 "ReturnValues": "ALL_OLD", "ReturnConsumedCapacity": "INDEXES", **EXPRESSION}),
    ("PutItem", {"TableName": "things", "Item": ITEM}),
    ("GetItem", {"TableName": "things", "Key": thing("p", 1), "ConsistentRead": True,
                 "ProjectionExpression": "#v, m.x[1]",
                 "ExpressionAttributeNames": {"#v": "v"}}),
    ("GetItem", {"TableName": "things", "Key": thing("p", 1)}),
    ("UpdateItem", {"TableName": "things", "Key": thing("p", 1), "ReturnValues": "UPDATED_NEW",
                    "UpdateExpression": "SET #v = if_not_exists(#v, :v) + :v REMOVE l[2]",
                    "ConditionExpression": "attribute_exists(pk) OR size(g) > :v", **EXPRESSION}),
    ("UpdateItem", {"TableName": "things", "Key": thing("p", 1),
                    "AttributeUpdates": {"v": {"Action": "ADD", "Value": {"N": "1"}}},
                    "Expected": {"g": {"ComparisonOperator": "NOT_NULL"}}}),
    ("DeleteItem", {"TableName": "things", "Key": thing("q", 1), "ConditionExpression": "#v = :v",
                    **EXPRESSION}),
    ("Query", {"TableName": "things", "IndexName": "by_g_sk", "Limit": 3,
               "KeyConditionExpression": "g = :g AND sk BETWEEN :a AND :b",
               "FilterExpression": "v <> :a", "Select": "ALL_PROJECTED_ATTRIBUTES",
               "ExclusiveStartKey": {"g": {"S": "y"}, **thing("p", 1)},
               "ExpressionAttributeValues": {
                   ":g": {"S": "y"}, ":a": {"N": "0"}, ":b": {"N": "9"}}}),
    ("Query", {"TableName": "things", "ScanIndexForward": False,
               "KeyConditions": {"pk": {"ComparisonOperator": "EQ",
                                        "AttributeValueList": [{"S": "p"}]}}}),
    ("Scan", {"TableName": "things", "IndexName": "by_a", "Segment": 0, "TotalSegments": 2,
              "Select": "COUNT", "ExclusiveStartKey": {"a": {"S": "x"}, **thing("p", 1)}}),
    ("Scan", {"TableName": "things", "FilterExpression": "contains(#v, :v)",
              "ProjectionExpression": "g, #v", **EXPRESSION}),
    ("BatchGetItem", {"RequestItems": {"things": {"Keys": [thing("p", 1), thing("p", 2)],
                                                  "ProjectionExpression": "v"}}}),
    ("BatchWriteItem", {"RequestItems": {"things": [
        {"PutRequest": {"Item": ITEM}}, {"DeleteRequest": {"Key": thing("q", 3)}}]}}),
    ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "things",
                                                     "Key": thing("p", 1)}}]}),
    ("TransactWriteItems", {"ClientRequestToken": "t", "TransactItems": [
        {"Put": {"TableName": "things", "Item": ITEM}},
        {"Update": {"TableName": "things", "Key": thing("q", 1),
                    "UpdateExpression": "SET #v = :v", **EXPRESSION}},
        {"ConditionCheck": {"TableName": "things", "Key": thing("q", 2),
                            "ConditionExpression": "attribute_not_exists(pk)"}},
        {"Delete": {"TableName": "things", "Key": thing("q", 3)}}]}),
    ("UpdateTable", {"TableName": "things",
                     "AttributeDefinitions": [{"AttributeName": "v", "AttributeType": "N"}],
                     "GlobalSecondaryIndexUpdates": [{"Create": {
                         "IndexName": "late", "Projection": {"ProjectionType": "ALL"},
                         "KeySchema": [{"AttributeName": "v", "KeyType": "HASH"}]}}]}),
    ("CreateTable", table(TableName="others")),
    ("Query", {"TableName": "things", "ConditionalOperator": "OR",
               "KeyConditions": {"pk": {"ComparisonOperator": "EQ",
                                        "AttributeValueList": [{"S": "p"}]},
                                 "sk": {"ComparisonOperator": "BETWEEN",
                                        "AttributeValueList": [{"N": "0"}, {"N": "9"}]}},
               "QueryFilter": {"v": {"ComparisonOperator": "IN",
                                     "AttributeValueList": [{"N": "5"}, {"N": "6"}]},
                               "a": {"ComparisonOperator": "NULL"}},
               "ExclusiveStartKey": thing("p", 1), "Limit": 2}),
    ("Query", {"TableName": "things", "IndexName": "by_a", "Select": "ALL_ATTRIBUTES", "Limit": 2,
               "KeyConditionExpression": "pk = :p AND begins_with(a, :a)",
               "FilterExpression": "v = :v", "ExpressionAttributeValues": {
                   ":p": {"S": "p"}, ":a": {"S": "x"}, ":v": {"N": "5"}}}),
    ("ExecuteStatement", {"Statement": "SELECT v FROM things WHERE pk = ? AND sk > ?",
                          "Parameters": [{"S": "p"}, {"N": "0"}], "Limit": 1}),
    ("ExecuteStatement", {"Statement": "UPDATE things SET v = ? WHERE pk = ? AND sk = ?",
                          "Parameters": [{"N": "1"}, {"S": "p"}, {"N": "1"}]}),
    ("BatchExecuteStatement", {"Statements": [
        {"Statement": "DELETE FROM things WHERE pk = ? AND sk = 1", "Parameters": [{"S": "q"}]}]}),
    ("ExecuteTransaction", {"ClientRequestToken": "e", "TransactStatements": [
        {"Statement": "INSERT INTO things VALUE {'pk': ?, 'sk': 1}",
         "Parameters": [{"S": "n"}]}]}),
    ("UpdateTable", {"TableName": "things",
                     "AttributeDefinitions": [{"AttributeName": "v", "AttributeType": "N"}],
                     "GlobalSecondaryIndexUpdates": [{"Create": {
                         "IndexName": "late", "KeySchema": [
                             {"AttributeName": "v", "KeyType": "HASH"}],
                         "Projection": {"ProjectionType": "INCLUDE",
                                        "NonKeyAttributes": ["w", "x"]}}}]}),
    ("TagResource", {"ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/things",
                     "Tags": [{"Key": "k", "Value": "v"}]}),
    ("ListTables", {"Limit": 1, "ExclusiveStartTableName": "abc"}),
]

texts = st.one_of(
    st.sampled_from([
        "", "a", "things", "by_a", "by_g", "#v", ":v", "NULL", "p", "x" * 1025, "x" * 2049,
        "\ud800",
        "1", "-0", "1e126", "1e-131", "NaN", "Infinity", "0x1", "1_0", " 1", "٣", "9" * 39, "\0",
        "a.b[0]", "a[99999999999]", "SET a = :v", "a = :v AND", "size(a)", "((a = :v))", "[0]",
        "SET g = :v", "SET pk = :v", "REMOVE pk", "ADD g :v", "DELETE v :v", "pk = :v", "BETWEEN",
    ]),
    st.text(max_size=6),
)
scalars = st.one_of(
    texts, st.none(), st.booleans(), st.integers(-2, 3), st.integers(), st.floats(),
    st.sampled_from([10**30, -(10**30), 1 << 63, 1 << 31]), st.binary(max_size=4),
)
kinds = st.sampled_from(["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS", "X", "s"])
typed = st.recursive(
    st.dictionaries(kinds, st.one_of(scalars, st.lists(scalars, max_size=3)), max_size=2),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda members: {"L": members}),
        st.dictionaries(texts, inner, max_size=3).map(lambda members: {"M": members}),
    ),
    max_leaves=4,
)
wrong = st.one_of(
    scalars,
    typed,
    st.lists(st.one_of(scalars, typed), max_size=3),
    st.dictionaries(texts, st.one_of(scalars, typed), max_size=3),
    st.just(object()),
    st.just({1: 2}),
    st.just({None: {"S": "a"}}),
    st.just(()),
    st.just({"S"}),
    st.just(bytearray(b"a")),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of everything in a request."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in members:
        yield (*path, name)
        if isinstance(member, (dict, list)):
            yield from places(member, (*path, name))


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, Any]:
    """Draw a request with one to three parts replaced or taken away."""
    operation, good = draw(st.sampled_from(GOOD))
    request = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(request))
        if not found:
            break
        *way, last = draw(st.sampled_from(found))
        holder: Any = request
        for name in way:
            holder = holder[name]
        if draw(st.integers(0, 5)) == 0:
            del holder[last]
        else:
            holder[last] = copy.deepcopy(draw(wrong))
    return operation, request


@pytest.fixture(scope="module")
def holder() -> Iterator[dict[str, Any]]:
    """Hold one database for all examples; a test that changed its data makes it anew."""
    kept: dict[str, Any] = {}
    yield kept
    if "db" in kept:
        kept["db"].close()


def fresh() -> hashrange.Database:
    db = hashrange.open(None)
    db.execute("CreateTable", table())
    for sk in range(3):
        db.execute("PutItem", {"TableName": "things", "Item": {**ITEM, "sk": {"N": str(sk)}}})
    return db


def state(db: hashrange.Database) -> Any:
    """Return all that may not change."""
    return db.execute("Scan", {"TableName": "things"})["Items"], db.tables()


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES or 3000, deadline=None, print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(spoiled=spoiled())
def test_only_the_services_errors_come_out(
    holder: dict[str, Any], spoiled: tuple[str, Any]
) -> None:
    operation, request = spoiled
    if "db" not in holder:
        holder["db"] = fresh()
        holder["state"] = state(holder["db"])
    db = holder["db"]
    try:
        db.execute(operation, request)
    except hashrange.Error as error:
        assert isinstance(error.code, str)
        assert error.code
        assert error.code != "InternalServerError", error
        assert state(db) == holder["state"]
    else:
        if state(db) != holder["state"] or operation == "UpdateTable":
            check_indexes(db, "things")
            db.close()
            del holder["db"]


@pytest.mark.parametrize("request_", [None, [], "x", 1, {1: 2}, object()])
def test_a_request_that_is_no_dict_is_refused(db: hashrange.Database, request_: Any) -> None:
    for operation in ("PutItem", "Query", "CreateTable", "NoSuch", "", None, 5):
        with pytest.raises(hashrange.Error) as caught:
            db.execute(operation, request_)          # type: ignore[arg-type]
        assert caught.value.code


# A null among the values of a member of the old form is an empty value, as it is in an item.
@pytest.mark.parametrize("condition", [
    {"ComparisonOperator": "EQ", "AttributeValueList": [None]},
    {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"S": "a"}, {}]},
])
def test_a_null_in_an_old_condition_is_an_empty_value(
    db: hashrange.Database, condition: dict[str, Any]
) -> None:
    db.execute("CreateTable", table())
    for member in ("KeyConditions", "QueryFilter"):
        request = {**copy.deepcopy(GOOD[8][1]), member: {"v": condition}}
        if member == "KeyConditions":
            request[member] = {"pk": condition}
        with pytest.raises(hashrange.ValidationError, match="AttributeValue"):
            db.execute("Query", request)
