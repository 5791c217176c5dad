"""Parameters are refused as botocore refuses them, and otherwise mean what they mean there."""

from __future__ import annotations

import io
from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any

import botocore.loaders
import botocore.model
import botocore.validate
import pytest
from client.conftest import outcome
from hypothesis import given, settings
from hypothesis import strategies as st

from hashrange.client import parameters, shapes

MODEL = botocore.model.ServiceModel(
    botocore.loaders.Loader().load_service_model("dynamodb", "service-2"), "dynamodb"
)


def theirs(operation: str, request: Any) -> str:
    """Return botocore's report on a request: empty when there is nothing to report."""
    shape = MODEL.operation_model(operation).input_shape
    report: str = botocore.validate.ParamValidator().validate(request, shape).generate_report()
    return report


def ours(operation: str, request: Any) -> str:
    structure = shapes.structure(shapes.operations()[operation][0])
    return "\n".join(parameters.faults(structure, request, ""))


KEY = {"pk": {"S": "a"}, "sk": {"N": "1"}}
WRONG: list[tuple[str, Any]] = [
    ("PutItem", {}),
    ("PutItem", {"TableName": "things"}),
    ("PutItem", {"TableName": "", "Item": {}}),
    ("PutItem", {"TableName": 7, "Item": []}),
    ("PutItem", {"TableName": "things", "Item": {"a": "b", "c": {"X": "d", "S": 1}}}),
    ("PutItem", {"TableName": "things", "Item": {1: {"S": "a"}}}),
    ("PutItem", {"TableName": "things", "Item": {"a": {"N": 5}, "b": {"BOOL": "x"}}}),
    ("PutItem", {"TableName": "things", "Item": {"a": {"SS": "ab"}, "b": {"SS": ["a", 1, None]}}}),
    ("PutItem", {"TableName": "things", "Item": {"a": {"L": [{"S": 1}, {"M": {"b": 3}}]}}}),
    ("PutItem", {"TableName": "things", "Item": {"a": {"B": 1}, "b": {"BS": [b"", 2]}}}),
    ("PutItem", {"TableName": "things", "Item": {"a": None}}),
    ("PutItem", {"TableName": "things", "Item": {}, "Nothing": 1, "Something": 2}),
    ("GetItem", {"TableName": "things", "Key": KEY, "ConsistentRead": 1}),
    ("GetItem", {"TableName": "things", "Key": KEY, "AttributesToGet": []}),
    ("Query", {"TableName": "things", "Limit": 0}),
    ("Query", {"TableName": "things", "Limit": "1", "Select": 3}),
    ("Scan", {"TableName": "things", "Segment": -1, "TotalSegments": 0}),
    ("BatchGetItem", {"RequestItems": {"things": {"Keys": []}, "": {"Keys": [KEY], "K": 1}}}),
    ("BatchWriteItem", {"RequestItems": {"things": [{"PutRequest": {"Item": 1}}], "other": []}}),
    ("BatchWriteItem", {"RequestItems": [1]}),
    ("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "things"}}, {"P": 1}]}),
    ("TransactWriteItems", {"TransactItems": [], "ClientRequestToken": ""}),
    ("CreateTable", {"TableName": "things", "KeySchema": [{"AttributeName": "a"}]}),
    ("CreateTable", {"TableName": "things", "ProvisionedThroughput": {"ReadCapacityUnits": 0}}),
    ("UpdateTableReplicaAutoScaling", {"TableName": "a", "ReplicaUpdates": [{}]}),
    ("ListBackups", {"TimeRangeLowerBound": [], "TimeRangeUpperBound": "not a time"}),
    ("ExecuteStatement", {"Statement": "", "Parameters": [], "Limit": True}),
    ("StartBulkPutItems", {}),
    ("ImportTable", {"S3BucketSource": {}, "TableCreationParameters": 1}),
]


@pytest.mark.parametrize(("operation", "request_"), WRONG)
def test_a_report_says_what_botocores_says(operation: str, request_: Any) -> None:
    assert theirs(operation, request_)
    assert ours(operation, request_) == theirs(operation, request_)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 1) | st.just("") | st.just("a") | st.just(b"a")
    | st.just(1.5),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["S", "N", "B", "L", "M", "SS", "BOOL", "X"]), inner,
                      max_size=2),
    max_leaves=6,
)


def strategy(shape: shapes.Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Return values that are nearly of a shape."""
    match shape:
        case shapes.Scalar():
            good: st.SearchStrategy[Any] = {
                "str": st.sampled_from(["", "a", "abc"]),
                "int": st.integers(-1, 2),
                "bool": st.booleans(),
                "bytes": st.sampled_from([b"", b"a", bytearray(b"b"), "text"]),
                "float": st.sampled_from([0.5, 1, Decimal("1.5")]),
                "time": st.sampled_from([datetime(2026, 1, 1, tzinfo=UTC), 7, "2026-01-01", True]),
            }[shape.base]
        case shapes.Sequence():
            good = st.lists(strategy(shape.element, depth + 1), max_size=2)
        case shapes.Mapping():
            good = st.dictionaries(
                st.sampled_from(["", "a", "b"]), strategy(shape.value, depth + 1), max_size=2
            )
        case shapes.Structure():
            if depth > 6:
                return JUNK
            members = {name: st.deferred(lambda m=member: strategy(m, depth + 1))
                       for name, member in shape.members.items()}
            needed = {name: members[name] for name in shape.required}
            some = {name: members[name] for name in list(members)[:8]}
            rest = {name: each for name, each in some.items() if name not in needed}
            good = st.fixed_dictionaries(needed, optional=rest) | st.fixed_dictionaries(
                {}, optional=some
            )
    return st.integers(0, 19).flatmap(lambda dice: JUNK if dice == 0 else good)


# The two tiers agree with botocore on requests that are nearly right: what the fast one accepts has
# no faults there, and the exact one finds the same faults in the same order.
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_request_is_judged_as_botocore_judges_it(data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(
        ["PutItem", "Query", "BatchWriteItem", "TransactWriteItems", "BatchGetItem", "CreateTable",
         "UpdateItem", "ListBackups"]
    ))
    structure = shapes.structure(shapes.operations()[operation][0])
    request = data.draw(strategy(structure))
    report = theirs(operation, request)
    assert ours(operation, request) == report
    if parameters.acceptor(structure)(request):
        assert report == ""
        assert parameters.plain(structure, request) == request


def test_all_faults_are_in_one_error(client: Any) -> None:
    with pytest.raises(botocore.exceptions.ParamValidationError) as caught:
        client.get_item(Key={"pk": "a"}, Wrong=1)
    assert str(caught.value).splitlines() == [
        "Parameter validation failed:",
        'Missing required parameter in input: "TableName"',
        'Unknown parameter in input: "Wrong", must be one of: TableName, Key, AttributesToGet, '
        "ConsistentRead, ReturnConsumedCapacity, ProjectionExpression, ExpressionAttributeNames",
        "Invalid type for parameter Key.pk, value: a, type: <class 'str'>, valid types: "
        "<class 'dict'>",
    ]


def test_positional_arguments_are_refused_with_botocores_words(
    client: Any, boto_client: Any
) -> None:
    assert outcome(lambda: client.get_item("things")) == outcome(
        lambda: boto_client.get_item("things")
    )


# ---- what is accepted ----------------------------------------------------------------------------


class Text(str):
    pass


class Color(StrEnum):
    RED = "red"


# boto3 takes dict-likes, tuples and subclasses, and text or files for bytes (text is its UTF-8,
# not base64). Each of them is stored as boto3 stores it.
@pytest.mark.parametrize(
    "value",
    [
        {"B": "text"},
        {"B": bytearray(b"ab")},
        {"BS": ("a", b"b")},
        {"L": ({"B": "é"}, {"S": Text("s")})},
        {"M": OrderedDict(a={"S": Color.RED})},
        {"M": {Text("k"): {"N": Text("1")}}},
        {"SS": ("a", Text("b"))},
    ],
)
def test_a_value_is_stored_as_boto3_stores_it(value: Any, client: Any, boto_client: Any) -> None:
    stored = []
    for each in (client, boto_client):
        each.put_item(TableName="things", Item={**KEY, "v": value})
        stored.append(each.get_item(TableName="things", Key=KEY)["Item"])
    assert stored[0] == stored[1]
    assert client.get_item(TableName="things", Key=KEY)["Item"] == stored[0]


def test_a_file_is_read_for_a_binary(client: Any) -> None:
    client.put_item(TableName="things", Item={**KEY, "v": {"B": io.BytesIO(b"in a file")}})
    assert client.get_item(TableName="things", Key=KEY)["Item"]["v"] == {"B": b"in a file"}


def test_arguments_are_not_changed(client: Any) -> None:
    item = {**KEY, "v": {"L": ({"B": "x"},)}, "w": {"M": OrderedDict(a={"B": bytearray(b"y")})}}
    shown = repr(item)
    client.put_item(TableName="things", Item=item)
    assert repr(item) == shown


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC), 1_767_323_045),
        (datetime(2026, 1, 2, 4, 4, 5, tzinfo=timezone(timedelta(hours=1))), 1_767_323_045),
        ("2026-01-02T03:04:05Z", 1_767_323_045),
        (1_767_323_045, 1_767_323_045),
        (1_767_323_045.7, 1_767_323_045),
        ("1767323045", 1_767_323_045),
        (False, 0),                       # a number to botocore
        ("yesterday", None),
        ([], None),
        (float("nan"), None),
        (1e300, None),
    ],
)
def test_a_time_is_whole_seconds(value: Any, expected: int | None) -> None:
    assert parameters.seconds(value) == expected


def test_a_token_is_made_up_where_there_is_none() -> None:
    structure = shapes.structure("ExportTableToPointInTimeInput")
    first, second = (parameters.with_token(structure, {"TableArn": "a"}) for _ in range(2))
    assert len(first["ClientToken"]) == 36
    assert first["ClientToken"] != second["ClientToken"]
    assert parameters.with_token(structure, {"ClientToken": "mine"}) == {"ClientToken": "mine"}
