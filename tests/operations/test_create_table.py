"""CreateTable: what it returns, what it refuses, and which of several faults comes first.

Texts and order as observed on the service in 2026 unless a comment says otherwise.
"""

from __future__ import annotations

import pytest
from ops.plain import ACCOUNT, ARN, index, keys, provisioned_table, table, types, units

from hashrange.errors import AccessDenied, LimitExceeded, ResourceInUse, TableExists
from hashrange.errors import ValidationError as Invalid

PREFIX = "One or more parameter values were invalid: "
INITIAL = (
    "initial throughput for OnDemand. See: https://docs.aws.amazon.com/amazondynamodb/latest/"
    "developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial"
)


# The response of the service lacks WarmThroughput and the time of the billing mode; DescribeTable
# has them.
def test_a_new_table_is_described_as_being_created(control):
    created = control("CreateTable", **table())["TableDescription"]
    assert created == {
        "AttributeDefinitions": types("pk", "sk"),
        "TableName": "abc",
        "KeySchema": keys("pk", "sk"),
        "TableStatus": "CREATING",
        "CreationDateTime": 1_800_000_000.0,
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": 0,
            "WriteCapacityUnits": 0,
        },
        "TableSizeBytes": 0,
        "ItemCount": 0,
        "TableArn": ARN + "abc",
        "TableId": "id-1",
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "DeletionProtectionEnabled": False,
    }
    assert control.table() == {
        **created,
        "TableStatus": "ACTIVE",
        "BillingModeSummary": {
            "BillingMode": "PAY_PER_REQUEST",
            "LastUpdateToPayPerRequestDateTime": 1_800_000_000.0,
        },
        "WarmThroughput": {
            "ReadUnitsPerSecond": 12000,
            "WriteUnitsPerSecond": 4000,
            "Status": "ACTIVE",
        },
    }


# A provisioned table has no BillingModeSummary; its warm throughput is what is provisioned.
def test_a_provisioned_table_shows_its_units_and_no_billing_mode(control):
    control("CreateTable", **provisioned_table())
    shown = control.table()
    assert "BillingModeSummary" not in shown
    assert shown["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units(5, 5)}
    assert shown["WarmThroughput"] == {
        "ReadUnitsPerSecond": 5,
        "WriteUnitsPerSecond": 5,
        "Status": "ACTIVE",
    }


# Definitions and projected attributes come back by name, indexes in the order of the request.
def test_indexes_are_described_with_arn_status_and_figures(control):
    control(
        "CreateTable",
        **table(
            AttributeDefinitions=types("sk", "pk", "b", "a"),
            LocalSecondaryIndexes=[index("lsi", "pk", "a")],
            GlobalSecondaryIndexes=[
                index("z-gsi", "b"),
                {
                    "IndexName": "a-gsi",
                    "KeySchema": keys("a", "b"),
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["y", "x"]},
                    "OnDemandThroughput": {"MaxReadRequestUnits": 50},
                },
            ],
        ),
    )
    shown = control.table()
    assert [entry["AttributeName"] for entry in shown["AttributeDefinitions"]] == [
        "a",
        "b",
        "pk",
        "sk",
    ]
    assert shown["LocalSecondaryIndexes"] == [
        {
            "IndexName": "lsi",
            "KeySchema": keys("pk", "a"),
            "Projection": {"ProjectionType": "ALL"},
            "IndexSizeBytes": 0,
            "ItemCount": 0,
            "IndexArn": ARN + "abc/index/lsi",
        }
    ]
    first, second = shown["GlobalSecondaryIndexes"]
    assert first["IndexName"] == "z-gsi"
    assert second == {
        "IndexName": "a-gsi",
        "KeySchema": keys("a", "b"),
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x", "y"]},
        "IndexStatus": "ACTIVE",
        "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, **units(0, 0)},
        "IndexSizeBytes": 0,
        "ItemCount": 0,
        "IndexArn": ARN + "abc/index/a-gsi",
        "WarmThroughput": {
            "ReadUnitsPerSecond": 12000,
            "WriteUnitsPerSecond": 4000,
            "Status": "ACTIVE",
        },
        "OnDemandThroughput": {"MaxReadRequestUnits": 50},
    }


def test_the_indexes_of_a_new_table_are_creating_without_backfilling(control):
    request = table(
        AttributeDefinitions=types("pk", "sk", "a"), GlobalSecondaryIndexes=[index("gsi", "a")]
    )
    (entry,) = control("CreateTable", **request)["TableDescription"]["GlobalSecondaryIndexes"]
    assert entry["IndexStatus"] == "CREATING"
    assert "Backfilling" not in entry
    assert "WarmThroughput" not in entry


def test_settings_are_carried(control):
    control(
        "CreateTable",
        **table(
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
            SSESpecification={"Enabled": True},
            TableClass="STANDARD_INFREQUENT_ACCESS",
            DeletionProtectionEnabled=True,
            WarmThroughput={"ReadUnitsPerSecond": 12001},
            OnDemandThroughput={"MaxWriteRequestUnits": 7},
            Tags=[{"Key": "a", "Value": "b"}],
        ),
    )
    shown = control.table()
    assert shown["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert shown["LatestStreamLabel"] == "2027-01-15T08:00:00.000"
    assert shown["LatestStreamArn"] == ARN + "abc/stream/2027-01-15T08:00:00.000"
    assert shown["SSEDescription"] == {
        "Status": "ENABLED",
        "SSEType": "KMS",
        "KMSMasterKeyArn": f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/aws/dynamodb",
    }
    assert shown["TableClassSummary"] == {"TableClass": "STANDARD_INFREQUENT_ACCESS"}
    assert shown["DeletionProtectionEnabled"] is True
    assert shown["WarmThroughput"]["ReadUnitsPerSecond"] == 12001
    assert shown["WarmThroughput"]["WriteUnitsPerSecond"] == 4000
    assert shown["OnDemandThroughput"] == {"MaxWriteRequestUnits": 7}
    assert "Tags" not in shown


# Accepted: a local index on the table's own range key, a global index with the table's key, an
# index named as the table, attributes projected that are keys anyway, up to 4 and 4 key attributes.
def test_odd_but_allowed_tables_are_made(control):
    names = ["h1", "h2", "h3", "h4", "r1", "r2", "r3", "r4"]
    control(
        "CreateTable",
        **table(
            AttributeDefinitions=types("pk", "sk", *names),
            LocalSecondaryIndexes=[index("lsi", "pk", "sk")],
            GlobalSecondaryIndexes=[
                index("abc", "pk", "sk"),
                index("wide", *names, kinds="HHHHRRRR"),
                {
                    **index("keys", "pk"),
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["pk"]},
                },
            ],
        ),
    )
    wide = control.table()["GlobalSecondaryIndexes"][1]
    assert [element["AttributeName"] for element in wide["KeySchema"]] == names


# ---- names ---------------------------------------------------------------------------------------


def test_a_name_is_taken_once(control):
    control("CreateTable", **table())
    assert control.refusal("CreateTable", TableExists, **table()) == "Table already exists: abc"


def test_a_table_that_is_being_created_cannot_be_created(slow_control):
    slow_control("CreateTable", **table())
    assert slow_control.refusal("CreateTable", ResourceInUse, **table()) == (
        "Attempt to change a resource which is still in use: Table is being created: abc"
    )
    slow_control.time += 10
    assert slow_control.refusal("CreateTable", TableExists, **table()) == (
        "Table already exists: abc"
    )


def test_a_table_may_be_named_by_its_arn(control):
    control("CreateTable", **table(TableName=ARN + "abc"))
    assert control.table(ARN + "abc")["TableName"] == "abc"


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        (ARN.replace("eu-west-1", "us-east-1") + "abc", "Invalid AWS region in"),
        (ARN.replace("arn:aws:", "arn:aws-cn:") + "abc", "Invalid AWS partition in"),
        (ARN + "abc/index/gsi", "Invalid resource type in"),
    ],
)
def test_an_arn_of_something_else_is_refused(control, arn, words):
    assert control.refusal("DescribeTable", Invalid, TableName=arn) == (
        f"1 validation error detected: {words} '{arn}'"
    )


def test_another_accounts_table_is_out_of_reach(control):
    arn = ARN.replace(ACCOUNT, "999999999999") + "abc"
    assert control.refusal("DescribeTable", AccessDenied, TableName=arn) == "Access is denied"


# ---- keys ----------------------------------------------------------------------------------------

UNUSED = "Number of attributes in KeySchema does not exactly match number of attributes defined in "


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"KeySchema": keys("sk", "pk", kinds="RH")},
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            {"KeySchema": keys("pk", "sk", kinds="HH")},
            "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
        ),
        (
            {"AttributeDefinitions": types("pk", "sk"), "KeySchema": keys("pk", "pk")},
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ),
        (
            {"AttributeDefinitions": types("pk", "pk")},
            "Attribute Name is duplicated: pk",
        ),
        (
            {"AttributeDefinitions": [], "KeySchema": keys("pk")},
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            {"AttributeDefinitions": types("pk")},
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            {"AttributeDefinitions": types("other"), "KeySchema": keys("pk")},
            PREFIX + "Some index key attributes are not defined in AttributeDefinitions. "
            "Keys: [pk], AttributeDefinitions: [other]",
        ),
        (
            {"AttributeDefinitions": types("pk", "extra"), "KeySchema": keys("pk")},
            PREFIX + UNUSED + "AttributeDefinitions",
        ),
        (
            {
                "AttributeDefinitions": types("pk", "sk"),
                "GlobalSecondaryIndexes": [index("gsi", "q")],
            },
            PREFIX + "Some index key attributes are not defined in AttributeDefinitions. "
            "Keys: [q], AttributeDefinitions: [sk, pk]",
        ),
        (
            {
                "AttributeDefinitions": types("pk", "sk", "a", "b", "c"),
                "GlobalSecondaryIndexes": [index("gsi", "a")],
            },
            PREFIX + "Some AttributeDefinitions are not used. "
            "AttributeDefinitions: [sk, a, b, pk, c], keys used: [a, sk, pk]",
        ),
    ],
)
def test_a_key_that_does_not_fit_its_attributes_is_refused(control, members, words):
    assert control.refusal("CreateTable", Invalid, **table(**members)) == words


# Also a message seen in the wild, whose names stand in the order of a Java set.
def test_names_are_listed_in_the_order_of_a_java_set(control):
    request = table(
        AttributeDefinitions=types("my-hash", "my-string", "my-int"),
        KeySchema=keys("my-hash"),
        GlobalSecondaryIndexes=[index("gsi", "my-string")],
    )
    assert control.refusal("CreateTable", Invalid, **request) == (
        PREFIX + "Some AttributeDefinitions are not used. AttributeDefinitions: "
        "[my-string, my-int, my-hash], keys used: [my-hash, my-string]"
    )


def test_a_table_and_a_local_index_have_two_key_attributes_at_most(control):
    words = "failed to satisfy constraint: Member must have length less than or equal to 2"
    wide = keys("pk", "sk", "a", kinds="HRR")
    definitions = types("pk", "sk", "a")
    request = table(AttributeDefinitions=definitions, KeySchema=wide)
    assert words in control.refusal("CreateTable", Invalid, **request)
    local = table(
        AttributeDefinitions=definitions,
        LocalSecondaryIndexes=[index("lsi", "pk", "sk", "a", kinds="HRR")],
    )
    assert words in control.refusal("CreateTable", Invalid, **local)


def test_a_missing_key_is_null(control):
    assert control.refusal("CreateTable", Invalid, TableName="abc") == (
        "2 validation errors detected: Value null at 'attributeDefinitions' failed to satisfy "
        "constraint: Member must not be null; Value null at 'keySchema' failed to satisfy "
        "constraint: Member must not be null"
    )


# ---- indexes -------------------------------------------------------------------------------------


def with_global(*indexes, names=("a", "b")):
    return table(AttributeDefinitions=types("pk", "sk", *names), GlobalSecondaryIndexes=[*indexes])


def with_local(*indexes, names=("a",), **members):
    return table(
        AttributeDefinitions=types("pk", "sk", *names),
        LocalSecondaryIndexes=[*indexes],
        **members,
    )


def projected(**projection):
    return {**index("gsi", "a", "b"), "Projection": projection}


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (table(GlobalSecondaryIndexes=[]), PREFIX + "List of GlobalSecondaryIndexes is empty"),
        (table(LocalSecondaryIndexes=[]), PREFIX + "List of LocalSecondaryIndexes is empty"),
        (
            with_global(index("gsi", "a", "b", kinds="RH")),
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            with_global(index("gsi", "a", "b", "pk", kinds="HRH")),
            PREFIX + "All HASH key attributes must precede RANGE key attributes in the KeySchema",
        ),
        (
            with_global(index("gsi", "a", "b", "a", kinds="HRR")),
            "The KeySchema contains multiple key attributes with the same name",
        ),
        (
            with_global(index("gsi", *"abcde", kinds="HHHHH"), names=tuple("abcde")),
            PREFIX + "The KeySchema exceeds the maximum allowed number of HASH key attributes",
        ),
        (
            with_global(index("gsi", *"abcdef", kinds="HRRRRR"), names=tuple("abcdef")),
            PREFIX + "The KeySchema exceeds the maximum allowed number of RANGE key attributes",
        ),
        (with_global(projected()), PREFIX + "Unknown ProjectionType: null"),
        (
            with_global(projected(ProjectionType="ALL", NonKeyAttributes=["x"])),
            PREFIX + "ProjectionType is ALL, but NonKeyAttributes is specified",
        ),
        (
            with_global(projected(ProjectionType="KEYS_ONLY", NonKeyAttributes=["x"])),
            PREFIX + "ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified",
        ),
        (
            with_global(projected(ProjectionType="INCLUDE")),
            PREFIX + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        ),
        (
            with_global(projected(ProjectionType="INCLUDE", NonKeyAttributes=["x", "x"])),
            PREFIX + "Duplicate element in NonKeyAttributes: x",
        ),
        (
            with_global(index("dup", "a"), index("dup", "b")),
            PREFIX + "Duplicate index name: dup",
        ),
        (
            with_local(index("dup", "pk", "a"), GlobalSecondaryIndexes=[index("dup", "a")]),
            PREFIX + "Duplicate index name: dup",
        ),
        (
            table(
                AttributeDefinitions=types("pk", "a"),
                KeySchema=keys("pk"),
                LocalSecondaryIndexes=[index("lsi", "pk", "a")],
            ),
            PREFIX + "Table KeySchema does not have a range key, which is required when "
            "specifying a LocalSecondaryIndex",
        ),
        (
            with_local(index("l-a", "a", "sk")),
            PREFIX + "Index KeySchema does not have the same leading hash key as table KeySchema "
            "for index: l-a. index hash key: a, table hash key: pk",
        ),
        (
            with_local(index("l-a", "pk"), names=()),
            PREFIX + "Index KeySchema does not have a range key for index: l-a",
        ),
    ],
)
def test_an_index_that_breaks_a_rule_is_refused(control, request_, words):
    assert control.refusal("CreateTable", Invalid, **request_) == words


@pytest.mark.parametrize("count", [20, 21])
def test_a_table_has_20_global_indexes_at_most(control, count):
    indexes = [index(f"gsi{number}", "a") for number in range(count)]
    request = with_global(*indexes, names=("a",))
    if count == 20:
        control("CreateTable", **request)
        assert len(control.table()["GlobalSecondaryIndexes"]) == 20
    else:
        assert control.refusal("CreateTable", Invalid, **request) == (
            PREFIX + "GlobalSecondaryIndex count exceeds the per-table limit of 20"
        )


@pytest.mark.parametrize("count", [5, 6])
def test_a_table_has_5_local_indexes_at_most(control, count):
    request = with_local(*(index(f"lsi{number}", "pk", "a") for number in range(count)))
    if count == 5:
        control("CreateTable", **request)
    else:
        assert control.refusal("CreateTable", Invalid, **request) == (
            PREFIX + "Number of LocalSecondaryIndexes exceeds per-table limit of 5"
        )


# Guide: 20 an index, 100 over all of them, counted again in each index. The words are ours.
@pytest.mark.parametrize("last", [20, 21])
def test_indexes_project_100_attributes_at_most(control, last):
    def names(count):
        return [f"x{number}" for number in range(count)]

    def include(name, count):
        projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": names(count)}
        return {**index(name, "a"), "Projection": projection}

    four = [include(f"gsi{number}", 20) for number in range(4)]
    rest = [include("half", 10), include("more", last - 10)]
    request = with_global(*four, *rest, names=("a",))
    if last == 20:
        control("CreateTable", **request)
    else:
        assert "exceeds the limit of 100" in control.refusal("CreateTable", Invalid, **request)


# An attribute too many hides every other fault of the indexes.
def test_unused_attributes_come_before_faults_of_indexes(control):
    request = with_global(index("gsi", "a", "b", kinds="RH"), names=("a", "b", "c"))
    assert "Some AttributeDefinitions are not used" in control.refusal(
        "CreateTable", Invalid, **request
    )


# Over HTTP there is no such text; the words are ours. A schema with it would be of no use.
@pytest.mark.parametrize(
    "request_",
    [
        table(AttributeDefinitions=types("\ud800"), KeySchema=keys("\ud800")),
        with_global(index("gsi", "\ud800"), names=("\ud800",)),
        with_global(projected(ProjectionType="INCLUDE", NonKeyAttributes=["\ud800"])),
    ],
)
def test_an_attribute_name_is_text(control, request_):
    assert control.refusal("CreateTable", Invalid, **request_) == (
        "attribute name '\\ud800' has a lone surrogate, so it is not Unicode text"
    )


# ---- throughput ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (
            table(ProvisionedThroughput=units(1, 1)),
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
            "PAY_PER_REQUEST",
        ),
        (
            table(BillingMode=None),
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is "
            "PROVISIONED",
        ),
        (
            with_global(index("g-a", "a", "b", ProvisionedThroughput=units(1, 1))),
            "ProvisionedThroughput should not be specified for index: g-a when BillingMode is "
            "PAY_PER_REQUEST",
        ),
        (
            {
                **with_global(index("g-a", "a", "b")),
                "BillingMode": "PROVISIONED",
                "ProvisionedThroughput": units(1, 1),
            },
            "ProvisionedThroughput is not specified for index: g-a",
        ),
        (
            provisioned_table(OnDemandThroughput={"MaxReadRequestUnits": 1}),
            "MaxReadRequestUnits for OnDemandThroughput cannot be specified when table BillingMode "
            "is PROVISIONED.",
        ),
        (
            table(OnDemandThroughput={"MaxReadRequestUnits": 0}),
            "Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid "
            "range",
        ),
        (
            with_global(index("g-a", "a", "b", OnDemandThroughput={"MaxWriteRequestUnits": -1})),
            "Requested MaxWriteRequestUnits for OnDemandThroughput for index : g-a is outside of "
            "valid range",
        ),
        (
            table(WarmThroughput={"ReadUnitsPerSecond": 11999}),
            "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than " + INITIAL,
        ),
        (
            with_global(index("g-a", "a", "b", WarmThroughput={"WriteUnitsPerSecond": 1})),
            "Requested WriteUnitsPerSecond for WarmThroughput for index g-a is lower than "
            + INITIAL,
        ),
        (
            provisioned_table(WarmThroughput={"ReadUnitsPerSecond": 4}),
            "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than "
            "ReadCapacityUnits of ProvisionedThroughput",
        ),
    ],
)
def test_throughput_that_does_not_fit_the_billing_mode_is_refused(control, request_, words):
    assert control.refusal("CreateTable", Invalid, **request_) == PREFIX + words


def test_throughput_has_no_zero(control):
    assert control.refusal("CreateTable", Invalid, **table(ProvisionedThroughput=units(0, 0))) == (
        "2 validation errors detected: Value '0' at 'provisionedThroughput.writeCapacityUnits' "
        "failed to satisfy constraint: Member must have value greater than or equal to 1; "
        "Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1"
    )


def test_the_account_has_a_maximum_a_table(control):
    request = table(BillingMode=None, ProvisionedThroughput=units(40_000, 40_001))
    assert control.refusal("CreateTable", LimitExceeded, **request) == (
        "The requested WriteCapacityUnits, 40001, is above the per table maximum for the account "
        "in eu-west-1. Per table maximum: 40000. Refer to the Amazon DynamoDB Developer Guide for "
        "current limits and how to request higher limits."
    )


def test_empty_throughput_members_are_nothing(control):
    control("CreateTable", **table(OnDemandThroughput={}, WarmThroughput={}))
    assert "OnDemandThroughput" not in control.table()


# ---- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"StreamSpecification": {"StreamEnabled": True}},
            PREFIX + "Table is being created with a stream enabled, UpdateViewType is required",
        ),
        (
            {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}},
            PREFIX + "Table is being created with a stream disabled, UpdateViewType should not be "
            "specified",
        ),
        (
            {"SSESpecification": {"Enabled": False, "SSEType": "KMS"}},
            PREFIX + "SSEType can not be specified if Enabled is false",
        ),
        (
            {"SSESpecification": {"Enabled": False, "KMSMasterKeyId": "x"}},
            PREFIX + "KMSMasterKeyId can not be specified if Enabled is false",
        ),
        (
            {"SSESpecification": {"Enabled": True, "KMSMasterKeyId": "x"}},
            PREFIX + "SSEType KMS is required if KMSMasterKeyId is specified",
        ),
        (
            {"SSESpecification": {"SSEType": "AES256"}},
            PREFIX + "SSEType AES256 is not supported",
        ),
        (
            {"TableClass": "GOLD"},
            "Invalid table-class parameter provided. Please try again with a valid table-class "
            "value: [STANDARD, STANDARD_INFREQUENT_ACCESS].",
        ),
        ({"Tags": [{}]}, "The Tag Key provided is invalid, Key: null"),
        ({"Tags": [{"Key": "a"}]}, "The Tag Value provided is invalid, Value: null"),
        (
            {"Tags": [{"Key": "aws:foo", "Value": ""}]},
            "Tag Key cannot be prefixed with aws:, Key: aws:foo",
        ),
        (
            {"Tags": [{"Key": str(number), "Value": ""} for number in range(51)]},
            "Number of Tags exceed the current limit for the provided ResourceArn",
        ),
        (
            {"VectorIndexes": []},
            PREFIX + "VectorIndexes is not supported",
        ),
    ],
)
def test_a_setting_that_breaks_a_rule_is_refused(control, members, words):
    assert control.refusal("CreateTable", Invalid, **table(**members)) == words


def test_settings_that_ask_for_nothing_leave_nothing(control):
    control(
        "CreateTable",
        **table(SSESpecification={}, StreamSpecification={"StreamEnabled": False}, Tags=[]),
    )
    assert not {"SSEDescription", "StreamSpecification", "TableClassSummary"} & set(control.table())
