"""The shapes of requests: equal to the service's own model, and its words for what breaks them.

The model is botocore's. Where the service is stricter than its model, the difference is listed
here, so that a new one is noticed.
"""

from __future__ import annotations

import re
import timeit
from typing import Any

import pytest

from hashrange import errors
from hashrange.ops import requests
from hashrange.ops.shape import Blob, Flag, Mapping, Sequence, Shape, Structure, Text, Whole

# What 1.44.5 brought; an older botocore does not know it.
NEW_MEMBERS = {
    "CreateTableInput.VectorIndexes",
    "UpdateTableInput.VectorIndexUpdates",
    "UpdateTableInput.DisassociationProtectionEnabled",
    "ReplicationGroupUpdate.Disassociate",
}

# The service is stricter than its model: path -> constraint that only we state.
STRICTER = {
    "CreateTableInput.KeySchema": ("most", 2),
    "LocalSecondaryIndex.KeySchema": ("most", 2),
    "SSESpecification.KMSMasterKeyId": ("least", 1),
    "CreateReplicationGroupMemberAction.KMSMasterKeyId": ("least", 1),
    "UpdateReplicationGroupMemberAction.KMSMasterKeyId": ("least", 1),
}

STRICTER_REQUIRED = {"CreateTableInput": {"KeySchema", "AttributeDefinitions"}}


@pytest.fixture(scope="module")
def model() -> Any:
    """Return botocore's model of the service."""
    pytest.importorskip("botocore", reason="the service model comes with botocore")
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("dynamodb", "service-2"))


def bounds_differ(path: str, ours: Any, theirs: Any) -> list[str]:
    stated = {"least": theirs.metadata.get("min"), "most": theirs.metadata.get("max")}
    if path in STRICTER:
        name, bound = STRICTER[path]
        stated[name] = bound
    return [
        f"{path}: {name} is {getattr(ours, name)}, the model says {bound}"
        for name, bound in stated.items()
        if getattr(ours, name) != bound and not (bound == 0 and getattr(ours, name) is None)
    ]


def differences(path: str, ours: Shape, theirs: Any, seen: set[int]) -> list[str]:
    """Return how a shape differs from the model's, all the way down."""
    if id(ours) in seen and isinstance(ours, Structure):
        return []
    seen.add(id(ours))
    kinds = {
        "string": Text,
        "integer": Whole,
        "long": Whole,
        "boolean": Flag,
        "blob": Blob,
        "list": Sequence,
        "map": Mapping,
        "structure": Structure,
    }
    if not isinstance(ours, kinds[theirs.type_name]):
        return [f"{path}: {type(ours).__name__}, the model says {theirs.type_name}"]
    found: list[str] = []
    if isinstance(ours, Text | Whole | Sequence | Mapping):
        found += bounds_differ(path, ours, theirs)
    if isinstance(ours, Text):
        if set(ours.enum or ()) != set(theirs.enum):
            found.append(f"{path}: values {ours.enum}, the model says {theirs.enum}")
        if ours.pattern != theirs.metadata.get("pattern"):
            found.append(f"{path}: pattern {ours.pattern}")
    elif isinstance(ours, Whole):
        if ours.java.lower() != theirs.type_name:
            found.append(f"{path}: {ours.java}, the model says {theirs.type_name}")
    elif isinstance(ours, Sequence):
        found += differences(f"{path}[]", ours.element, theirs.member, seen)
    elif isinstance(ours, Mapping):
        found += differences(f"{path}{{key}}", ours.key, theirs.key, seen)
        found += differences(f"{path}{{}}", ours.value, theirs.value, seen)
    elif isinstance(ours, Structure):
        found += structure_differences(path, ours, theirs, seen)
    return found


def structure_differences(path: str, ours: Structure, theirs: Any, seen: set[int]) -> list[str]:
    if ours.name != theirs.name:
        return [f"{path}: {ours.name}, the model says {theirs.name}"]
    found = []
    required = set(ours.required) | set(ours.late)
    if required != set(theirs.required_members) | STRICTER_REQUIRED.get(ours.name, set()):
        found.append(f"{path}: required {sorted(required)}")
    for name in theirs.members:
        if name not in ours.members:
            found.append(f"{theirs.name}.{name} is missing")
    for name, shape in ours.members.items():
        where = f"{theirs.name}.{name}"
        if name in theirs.members:
            found += differences(where, shape, theirs.members[name], seen)
        elif where not in NEW_MEMBERS:
            found.append(f"{where} is not in the model")
    return found


@pytest.mark.parametrize("operation", sorted(requests.SHAPES))
def test_requests_have_the_form_that_the_service_model_gives_them(operation, model):
    theirs = model.operation_model(operation).input_shape
    assert differences(operation, requests.SHAPES[operation], theirs, set()) == []


def test_every_exception_of_the_service_model_has_a_class(model):
    codes = {getattr(errors, name).code for name in errors.__all__}
    shapes = [model.shape_for(name) for name in model.shape_names]
    theirs = {shape.name for shape in shapes if shape.metadata.get("exception")}
    assert theirs - codes == set()


def test_a_difference_from_the_model_is_found(model):
    theirs = model.operation_model("ListTables").input_shape
    wrong = Structure("ListTablesInput", {"Limit": Whole("Integer", 1, 99), "Extra": Flag()})
    assert differences("ListTables", wrong, theirs, set()) == [
        "ListTablesInput.ExclusiveStartTableName is missing",
        "ListTablesInput.Limit: most is 99, the model says 100",
        "ListTablesInput.Extra is not in the model",
    ]


# ---- words ---------------------------------------------------------------------------------------


def refusal(operation: str, request: Any) -> str:
    with pytest.raises(errors.ValidationError) as caught:
        requests.check(operation, request)
    return str(caught.value)


def type_refusal(operation: str, request: Any) -> str:
    with pytest.raises(errors.SerializationError) as caught:
        requests.examine(operation, request)
    assert (caught.value.code, caught.value.status) == ("SerializationException", 400)
    return str(caught.value)


# Order and words as observed on the service: capacity before the name, the name before the item.
def test_failures_are_listed_in_the_services_order():
    assert refusal(
        "PutItem",
        {
            "TableName": "a;",
            "ReturnConsumedCapacity": "x",
            "ReturnValues": "hi",
            "ReturnItemCollectionMetrics": "hi",
        },
    ) == (
        "5 validation errors detected: "
        "Value 'x' at 'returnConsumedCapacity' failed to satisfy constraint: "
        "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; "
        "Value 'a;' at 'tableName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; "
        "Value null at 'item' failed to satisfy constraint: Member must not be null; "
        "Value 'hi' at 'returnValues' failed to satisfy constraint: "
        "Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; "
        "Value 'hi' at 'returnItemCollectionMetrics' failed to satisfy constraint: "
        "Member must satisfy enum value set: [SIZE, NONE]"
    )


def test_no_more_than_ten_failures_are_listed():
    keys = {f"abc{number}": {"Keys": []} for number in range(12)}
    message = refusal("BatchGetItem", {"RequestItems": keys})
    assert message.startswith("10 validation errors detected: ")
    assert message.count("; ") == 9


# Measured: BatchGetItem is spoken of in the newer form, and so is an empty BatchWriteItem.
@pytest.mark.parametrize(
    ("operation", "tables", "where", "rule"),
    [
        ("BatchGetItem", {}, "RequestItems", "greater than or equal to 1"),
        ("BatchWriteItem", {}, "RequestItems", "greater than or equal to 1"),
        (
            "BatchGetItem",
            {"a.c": {"Keys": []}},
            "RequestItems.a.c.member.Keys",
            "greater than or equal to 1",
        ),
        (
            "BatchGetItem",
            {"abc": {"Keys": [{}] * 101}},
            "RequestItems.abc.member.Keys",
            "less than or equal to 100",
        ),
    ],
)
def test_the_newer_form_names_no_value(operation, tables, where, rule):
    assert refusal(operation, {"RequestItems": tables}) == (
        f"1 validation error detected: Value at '{where}' failed to satisfy constraint: "
        f"Member must have length {rule}"
    )


# Measured in eu-west-2 and us-east-1, 2026-10.
@pytest.mark.parametrize(
    ("operation", "request_", "places"),
    [
        (
            "UpdateItem",
            {"TableName": "", "ReturnConsumedCapacity": "x", "ReturnValues": "x"},
            ["returnConsumedCapacity", "tableName", "returnValues", "key"],
        ),
        (
            "UpdateItem",
            {"TableName": "abc", "ConditionalOperator": "XOR"},
            ["conditionalOperator", "key"],
        ),
        (
            "BatchGetItem",
            {"RequestItems": {"a!c": {"Keys": [{}]}}, "ReturnConsumedCapacity": "x"},
            ["requestItems", "returnConsumedCapacity"],
        ),
        (
            "BatchWriteItem",
            {"RequestItems": {"a!c": [{}]}, "ReturnConsumedCapacity": "x"},
            ["returnConsumedCapacity"],
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [{}],
                "ReturnItemCollectionMetrics": "x",
                "ReturnConsumedCapacity": "x",
                "ClientRequestToken": "x" * 37,
            },
            ["clientRequestToken", "returnConsumedCapacity", "returnItemCollectionMetrics"],
        ),
    ],
)
def test_members_are_spoken_of_in_the_service_s_order(operation, request_, places):
    assert re.findall(r"' at '(\w+)'|null at '(\w+)'", refusal(operation, request_)) == [
        ("", place) if place == "key" else (place, "") for place in places
    ]


# Measured: whatever the order of the request.
def test_global_indexes_are_spoken_of_before_local_ones():
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}]
    index = {"IndexName": "i", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
    message = refusal(
        "CreateTable",
        {
            "TableName": "abc",
            "KeySchema": keys,
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "LocalSecondaryIndexes": [index],
            "GlobalSecondaryIndexes": [index],
        },
    )
    assert re.findall(r"at '(\w+)\.1\.member", message) == [
        "globalSecondaryIndexes",
        "localSecondaryIndexes",
    ]


# Observed on the service: DescribeTable names the length first, ListTables the pattern.
def test_an_empty_table_name_breaks_two_rules_in_the_control_plane():
    length = "Member must have length greater than or equal to 3"
    pattern = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    prefix = "2 validation errors detected: "
    value = "Value '' at '{}' failed to satisfy constraint: "
    name = value.format("tableName")
    start = value.format("exclusiveStartTableName")
    assert refusal("DescribeTable", {"TableName": ""}) == f"{prefix}{name}{length}; {name}{pattern}"
    new = {"TableName": "", "KeySchema": [], "AttributeDefinitions": []}
    assert f"{name}{pattern}; {name}{length}" in refusal("CreateTable", new)
    assert refusal("ListTables", {"ExclusiveStartTableName": ""}) == (
        f"{prefix}{start}{pattern}; {start}{length}"
    )


@pytest.mark.parametrize(
    ("operation", "request_", "value", "path", "rule"),
    [
        ("GetItem", {"Key": {}}, None, "tableName", "Member must not be null"),
        (
            "GetItem",
            {"TableName": "", "Key": {}},
            "",
            "tableName",
            "Member must have length greater than or equal to 1",
        ),
        (
            "GetItem",
            {"TableName": "a" * 256, "Key": {}},
            "a" * 256,
            "tableName",
            "Member must have length less than or equal to 255",
        ),
        (
            "GetItem",
            {"TableName": "abc", "Key": {}, "AttributesToGet": []},
            "[]",
            "attributesToGet",
            "Member must have length greater than or equal to 1",
        ),
        (
            "UpdateTable",
            {"TableName": "ab"},
            "ab",
            "tableName",
            "Member must have length greater than or equal to 3",
        ),
        (
            "Query",
            {"TableName": "abc", "Limit": 0},
            "0",
            "limit",
            "Member must have value greater than or equal to 1",
        ),
        (
            "ListTables",
            {"Limit": 101},
            "101",
            "limit",
            "Member must have value less than or equal to 100",
        ),
        (
            "BatchWriteItem",
            {"RequestItems": {"abc": []}},
            "{abc=[]}",
            "requestItems",
            "Map value must satisfy constraint: [Member must have length less than or equal to 25,"
            " Member must have length greater than or equal to 1]",
        ),
        (
            "BatchGetItem",
            {"RequestItems": {"a!c": {"Keys": [{}]}}},
            '{"a!c":{"Keys":[{}]}}',
            "requestItems",
            "Map keys must satisfy constraint: [Member must have length less than or equal to 255,"
            " Member must have length greater than or equal to 3,"
            " Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]",
        ),
        (
            "TransactWriteItems",
            {"TransactItems": [None]},
            None,
            "transactItems.1.member",
            "Member must not be null",
        ),
        (
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "abc"}}]},
            None,
            "transactItems.1.member.put.item",
            "Member must not be null",
        ),
        (
            "UpdateTable",
            {"TableName": "abc", "SSESpecification": {"KMSMasterKeyId": ""}},
            "",
            "sSESpecification.kMSMasterKeyId",
            "Member must have length greater than or equal to 1",
        ),
        (
            "UpdateTable",
            {
                "TableName": "abc",
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "new_image"},
            },
            "new_image",
            "streamSpecification.streamViewType",
            "Member must satisfy enum value set: "
            "[OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]",
        ),
    ],
)
def test_a_broken_constraint_is_named_with_path_and_rule(operation, request_, value, path, rule):
    shown = "null" if value is None else f"'{value}'"
    assert refusal(operation, request_) == (
        f"1 validation error detected: Value {shown} at '{path}' failed to satisfy constraint: "
        f"{rule}"
    )


@pytest.mark.parametrize("length", [1, 2, 3, 254, 255])
def test_names_up_to_the_bounds_pass_in_the_data_plane(length):
    requests.check("GetItem", {"TableName": "a" * length, "Key": {}})


def test_an_arn_is_a_table_name_of_up_to_1024_characters():
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/"
    requests.check("GetItem", {"TableName": arn + "abc", "Key": {}})
    assert "less than or equal to 1024" in refusal(
        "GetItem", {"TableName": arn + "a" * 1000, "Key": {}}
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5, "NUMBER_VALUE cannot be converted to String"),
        (5.5, "DECIMAL_VALUE cannot be converted to String"),
        (True, "TRUE_VALUE cannot be converted to String"),
        (False, "FALSE_VALUE cannot be converted to String"),
        ([], "Unrecognized collection type class java.lang.String"),
        ({}, "Start of structure or map found where not expected"),
    ],
)
def test_what_is_no_string_is_named(value, words):
    assert type_refusal("GetItem", {"TableName": value, "Key": {}}) == words
    assert type_refusal("PutItem", {"TableName": "abc", "Item": {"a": {"S": value}}}) == words
    nested = {"a": {"M": {"b": {"L": [{"N": value}]}}}}
    assert type_refusal("PutItem", {"TableName": "abc", "Item": nested}) == words


@pytest.mark.parametrize(
    ("operation", "member", "value", "words"),
    [
        ("Query", "Limit", "5", "STRING_VALUE cannot be converted to Integer"),
        ("Query", "Limit", True, "TRUE_VALUE cannot be converted to Integer"),
        ("Query", "Limit", [], "Unrecognized collection type class java.lang.Integer"),
        ("Query", "ConsistentRead", "maybe", "Unexpected token received from parser"),
        ("Query", "ConsistentRead", 1, "NUMBER_VALUE cannot be converted to Boolean"),
        ("GetItem", "Key", "x", "Unexpected field type"),
        (
            "GetItem",
            "Key",
            [],
            "Unrecognized collection type java.util.Map<java.lang.String, "
            "com.amazonaws.dynamodb.v20120810.AttributeValue>",
        ),
        ("GetItem", "Key", {"a": "x"}, "Unexpected value type in payload"),
        (
            "GetItem",
            "Key",
            {"a": []},
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue",
        ),
        ("GetItem", "AttributesToGet", "x", "Unexpected field type"),
        ("GetItem", "AttributesToGet", {}, "Start of structure or map found where not expected"),
        ("CreateTable", "ProvisionedThroughput", "x", "Unexpected field type"),
        (
            "CreateTable",
            "ProvisionedThroughput",
            {"ReadCapacityUnits": "1"},
            "STRING_VALUE cannot be converted to Long",
        ),
        ("CreateTable", "KeySchema", ["x"], "Unexpected value type in payload"),
        (
            "BatchWriteItem",
            "RequestItems",
            [],
            "Unrecognized collection type java.util.Map<java.lang.String, "
            "java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>>",
        ),
    ],
)
def test_a_wrong_type_is_named_in_the_services_words(operation, member, value, words):
    assert type_refusal(operation, {member: value}) == words


def test_binaries_are_bytes():
    requests.examine("PutItem", {"TableName": "abc", "Item": {"a": {"B": b"x"}}})
    assert type_refusal("PutItem", {"Item": {"a": {"B": 5}}}) == (
        "only base-64-encoded strings are convertible to bytes"
    )


def test_types_come_before_constraints():
    assert type_refusal("GetItem", {"TableName": "", "ConsistentRead": 1}) == (
        "NUMBER_VALUE cannot be converted to Boolean"
    )


def test_unknown_members_and_nulls_are_ignored():
    requests.check("GetItem", {"TableName": "abc", "Key": {}, "Bogus": 5, "ConsistentRead": None})


def test_an_unknown_operation_is_refused():
    with pytest.raises(errors.UnknownOperation) as caught:
        requests.check("EatItem", {})
    assert errors.type_of(caught.value) == ("com.amazon.coral.service#UnknownOperationException")


# The bound is what the operations can afford, with room for a slow machine.
def test_the_check_of_a_plain_request_is_fast():
    request = {"TableName": "orders", "Key": {"pk": {"S": "a"}, "sk": {"N": "1"}}}
    best = min(timeit.repeat(lambda: requests.check("GetItem", request), number=2000, repeat=5))
    assert best / 2000 < 20e-6
