"""UpdateTable: one change a call, what it answers, what is left to the engine.

Texts, combinations and order as observed on the service in 2026.
"""

from __future__ import annotations

import pytest
from ops.plain import index, indexed_table, keys, provisioned_table, table, types, units

from hashrange.errors import LimitExceeded, ResourceInUse, ResourceNotFound, TableNotFound
from hashrange.errors import ValidationError as Invalid

PREFIX = "One or more parameter values were invalid: "
REQUIRED = (
    "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
    "GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, "
    "ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, "
    "OnDemandThroughput, WarmThroughput or TableClass is required"
)
LIMITS = (
    "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher "
    "limits."
)
STREAM = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
CREATE = [{"Create": index("new", "a")}]


def update(control, **request):
    return control("UpdateTable", TableName="abc", **request)["TableDescription"]


def refusal(control, kind=Invalid, **request):
    return control.refusal("UpdateTable", kind, TableName="abc", **request)


@pytest.fixture
def on_demand(control):
    control("CreateTable", **table())
    return control


@pytest.fixture
def provisioned(control):
    control("CreateTable", **provisioned_table())
    return control


@pytest.fixture
def indexed(control):
    control("CreateTable", **indexed_table())
    return control


# ---- the request alone ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, REQUIRED),
        ({"AttributeDefinitions": types("pk")}, REQUIRED),
        ({"GlobalSecondaryIndexUpdates": []}, REQUIRED),
        (
            {"GlobalSecondaryIndexUpdates": [], "DeletionProtectionEnabled": True},
            PREFIX + "List of GlobalSecondaryIndexUpdates is empty",
        ),
        (
            {"GlobalSecondaryIndexUpdates": [{}]},
            PREFIX + "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create,"
            " GlobalSecondaryIndexUpdate.Delete must not be null",
        ),
        (
            {
                "GlobalSecondaryIndexUpdates": [
                    {"Update": {"IndexName": "gsi"}, "Delete": {"IndexName": "gsi"}}
                ]
            },
            PREFIX + "Only one global secondary index action is allowed per "
            "GlobalSecondaryIndexUpdate object",
        ),
        (
            {
                "GlobalSecondaryIndexUpdates": [
                    {"Delete": {"IndexName": "gsi"}},
                    {"Update": {"IndexName": "gsi"}},
                ]
            },
            PREFIX + "Only one global secondary index update per index is allowed simultaneously. "
            "Index: gsi",
        ),
        (
            {
                "GlobalSecondaryIndexUpdates": [
                    {"Update": {"IndexName": "ghost", "WarmThroughput": {}}}
                ]
            },
            PREFIX + "WarmThroughput must have at least one of ReadUnitsPerSecond or "
            "WriteUnitsPerSecond specified for index: ghost",
        ),
        (
            {"BillingMode": "PROVISIONED"},
            PREFIX + "ProvisionedThroughput must be specified when BillingMode is PROVISIONED",
        ),
        (
            {"BillingMode": "PAY_PER_REQUEST", "ProvisionedThroughput": units(1, 1)},
            PREFIX + "ProvisionedThroughput cannot be specified when BillingMode is "
            "PAY_PER_REQUEST",
        ),
        (
            {"StreamSpecification": {"StreamEnabled": True}},
            PREFIX + "If stream is being enabled then UpdateViewType is required",
        ),
        (
            {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}},
            PREFIX + "If stream is being disabled, then UpdateViewType must not be specified",
        ),
        (
            {"ReplicaUpdates": [{"Create": {"RegionName": "x"}}]},
            PREFIX + "ReplicaUpdates is not supported",
        ),
    ],
)
def test_a_request_that_is_wrong_by_itself_is_refused_before_the_table_is_looked_for(
    control, members, words
):
    assert refusal(control, **members) == words


SSE = {"SSESpecification": {"Enabled": True}}
CLASS = {"TableClass": "STANDARD"}
PROTECTION = {"DeletionProtectionEnabled": True}
WARM = {"WarmThroughput": {"ReadUnitsPerSecond": 20_000}}
MAXIMA = {"OnDemandThroughput": {"MaxReadRequestUnits": 5}}
STREAMS = {"StreamSpecification": STREAM}
UNITS = {"ProvisionedThroughput": units(9, 9)}
INDEX = {"GlobalSecondaryIndexUpdates": CREATE}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {**SSE, **CLASS},
            "Server-Side Encryption modification must be the only operation in the request",
        ),
        (
            {**PROTECTION, **SSE},
            "Server-Side Encryption modification must be the only operation in the request",
        ),
        (
            {**PROTECTION, **CLASS},
            "TableClass modification must be the only operation in the request",
        ),
        (
            {**PROTECTION, **WARM},
            "DeletionProtection modification must be the only operation in the request",
        ),
        (
            {**PROTECTION, **INDEX},
            "DeletionProtection modification must be the only operation in the request",
        ),
        ({**STREAMS, **WARM}, "WarmThroughput must be the only operation in the request"),
        (
            {**INDEX, **WARM},
            "Create global secondary index cannot be specified when updating WarmThroughput",
        ),
        (
            {**STREAMS, **MAXIMA},
            "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request",
        ),
        ({**STREAMS, **UNITS}, "You cannot modify stream status while updating table IOPS"),
        ({**INDEX, **UNITS}, "You cannot create or delete index while updating table IOPS"),
        ({**INDEX, **STREAMS}, "You cannot create or delete index while changing stream status"),
    ],
)
def test_changes_that_do_not_go_together_are_refused(control, members, words):
    assert refusal(control, **members) == PREFIX + words


def test_an_empty_throughput_member_is_no_company(on_demand):
    update(on_demand, WarmThroughput={}, DeletionProtectionEnabled=True)
    assert on_demand.table()["DeletionProtectionEnabled"] is True


def test_billing_on_demand_goes_with_a_stream_or_with_maxima(provisioned):
    update(provisioned, BillingMode="PAY_PER_REQUEST", StreamSpecification=STREAM)
    assert provisioned.table()["StreamSpecification"] == STREAM
    update(provisioned, BillingMode="PAY_PER_REQUEST", **MAXIMA)
    assert provisioned.table()["OnDemandThroughput"] == {"MaxReadRequestUnits": 5}


def test_an_unknown_table_is_named(control):
    assert refusal(control, TableNotFound, **PROTECTION) == (
        "Requested resource not found: Table: abc not found"
    )


# ---- throughput ----------------------------------------------------------------------------------


# The service answers with the old units, UPDATING and the new date.
def test_a_change_of_units_answers_with_the_old_ones(provisioned):
    provisioned.time += 60
    answer = update(provisioned, ProvisionedThroughput=units(6, 5))
    assert answer["TableStatus"] == "UPDATING"
    shown = {"LastIncreaseDateTime": 1_800_000_060.0, "NumberOfDecreasesToday": 0}
    assert answer["ProvisionedThroughput"] == {**shown, **units(5, 5)}
    after = provisioned.table()
    assert after["TableStatus"] == "ACTIVE"
    assert after["ProvisionedThroughput"] == {**shown, **units(6, 5)}
    assert after["WarmThroughput"]["ReadUnitsPerSecond"] == 6


def test_warm_throughput_stays_when_units_fall(provisioned):
    update(provisioned, ProvisionedThroughput=units(1, 1))
    warm = provisioned.table()["WarmThroughput"]
    assert (warm["ReadUnitsPerSecond"], warm["WriteUnitsPerSecond"]) == (5, 5)


def test_units_that_do_not_change_are_refused(provisioned):
    words = (
        "The provisioned throughput for the table will not change. The requested value equals the "
        "current value. Current ReadCapacityUnits provisioned for the table: 5. Requested "
        "ReadCapacityUnits: 5. Current WriteCapacityUnits provisioned for the table: 5. Requested "
        "WriteCapacityUnits: 5. " + LIMITS
    )
    assert refusal(provisioned, ProvisionedThroughput=units(5, 5)) == words
    request = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 5)}
    assert refusal(provisioned, **request) == words


# Guide: four decreases in a UTC day, then one an hour after the last; a mixed change counts once.
# 1,800,000,000 is 8:00 UTC.
def test_units_fall_four_times_a_day_then_once_an_hour(provisioned):
    for read in (4, 3, 2, 1):
        update(provisioned, ProvisionedThroughput=units(read, 5))
    assert provisioned.table()["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 4
    provisioned.time += 3599
    words = refusal(provisioned, LimitExceeded, ProvisionedThroughput=units(9, 4))
    assert words == (
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given "
        "UTC day. After the first 4 decreases, each subsequent decrease in the same UTC day can be "
        "performed at most once every 3600 seconds. Number of decreases today: 4. Last decrease at "
        "Friday, January 15, 2027 at 8:00:00 AM Coordinated Universal Time. Next decrease can be "
        "made at Friday, January 15, 2027 at 9:00:00 AM Coordinated Universal Time"
    )
    update(provisioned, ProvisionedThroughput=units(2, 5))
    provisioned.time += 1
    update(provisioned, ProvisionedThroughput=units(1, 5))
    assert provisioned.table()["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 5
    provisioned.time += 15 * 3600
    assert provisioned.table()["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 0
    update(provisioned, ProvisionedThroughput=units(1, 4))


def test_an_on_demand_table_has_no_units(on_demand):
    assert refusal(on_demand, ProvisionedThroughput=units(1, 1)) == (
        PREFIX + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
        "BillingMode is PAY_PER_REQUEST"
    )


def test_going_on_demand_keeps_the_dates_and_raises_warm_throughput(indexed):
    answer = update(indexed, BillingMode="PAY_PER_REQUEST")
    assert answer["TableStatus"] == "UPDATING"
    assert answer["BillingModeSummary"] == {"BillingMode": "PAY_PER_REQUEST"}
    after = indexed.table()
    assert after["BillingModeSummary"] == {
        "BillingMode": "PAY_PER_REQUEST",
        "LastUpdateToPayPerRequestDateTime": indexed.time,
    }
    for holder in (after, after["GlobalSecondaryIndexes"][0]):
        assert holder["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
        assert holder["WarmThroughput"]["ReadUnitsPerSecond"] == 12_000


def test_going_back_needs_units_for_each_index(indexed):
    update(indexed, BillingMode="PAY_PER_REQUEST")
    back = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(50, 50)}
    assert refusal(indexed, **back) == (
        PREFIX + "ProvisionedThroughput must be specified for index: gsi"
    )
    change = {"IndexName": "gsi", "ProvisionedThroughput": units(40, 40)}
    answer = update(indexed, **back, GlobalSecondaryIndexUpdates=[{"Update": change}])
    assert answer["ProvisionedThroughput"]["ReadCapacityUnits"] == 50
    after = indexed.table()
    assert after["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert after["ProvisionedThroughput"]["ReadCapacityUnits"] == 50
    entry = after["GlobalSecondaryIndexes"][0]
    assert entry["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units(40, 40)}


def test_on_demand_maxima_are_merged_and_cleared_by_minus_1(on_demand):
    both = {"MaxReadRequestUnits": 1000, "MaxWriteRequestUnits": 500}
    answer = update(on_demand, OnDemandThroughput=both)
    assert (answer["TableStatus"], answer["OnDemandThroughput"]) == ("ACTIVE", both)
    answer = update(on_demand, OnDemandThroughput={"MaxReadRequestUnits": -1})
    assert answer["OnDemandThroughput"] == {
        "MaxReadRequestUnits": -1,
        "MaxWriteRequestUnits": 500,
    }
    assert on_demand.table()["OnDemandThroughput"] == {"MaxWriteRequestUnits": 500}
    answer = update(on_demand, OnDemandThroughput={"MaxWriteRequestUnits": -1})
    assert answer["OnDemandThroughput"] == {"MaxWriteRequestUnits": -1}
    assert "OnDemandThroughput" not in on_demand.table()


@pytest.mark.parametrize("value", [0, -2])
def test_an_on_demand_maximum_is_at_least_1(on_demand, value):
    assert refusal(on_demand, OnDemandThroughput={"MaxReadRequestUnits": value}) == (
        PREFIX + "Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of "
        "valid range"
    )


def test_a_provisioned_table_has_no_on_demand_maxima(provisioned):
    assert refusal(provisioned, **MAXIMA) == (
        PREFIX + "MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table "
        "BillingMode is PROVISIONED"
    )


def test_warm_throughput_only_rises(on_demand):
    assert refusal(on_demand, WarmThroughput={"WriteUnitsPerSecond": 3999}) == (
        PREFIX + "Requested WriteUnitsPerSecond for WarmThroughput for table is lower than current "
        "WarmThroughput, decreasing WarmThroughput is not supported"
    )
    assert update(on_demand, WarmThroughput={"WriteUnitsPerSecond": 4000})
    update(on_demand, WarmThroughput={"WriteUnitsPerSecond": 4001})
    warm = on_demand.table()["WarmThroughput"]
    assert (warm["ReadUnitsPerSecond"], warm["WriteUnitsPerSecond"]) == (12_000, 4001)


# ---- settings ------------------------------------------------------------------------------------


def test_a_stream_is_enabled_once_and_disabled_once(on_demand):
    assert update(on_demand, StreamSpecification=STREAM)["TableStatus"] == "UPDATING"
    first = on_demand.table()["LatestStreamArn"]
    assert refusal(on_demand, StreamSpecification=STREAM) == (
        "Table already has an enabled stream: TableName: abc"
    )
    update(on_demand, StreamSpecification={"StreamEnabled": False})
    after = on_demand.table()
    assert "StreamSpecification" not in after
    assert after["LatestStreamArn"] == first
    assert refusal(on_demand, StreamSpecification={"StreamEnabled": False}) == (
        "Table has no stream to disable: TableName: abc"
    )
    on_demand.time += 1
    update(on_demand, StreamSpecification=STREAM)
    assert on_demand.table()["LatestStreamArn"] != first


def test_encryption_changes_without_the_table_being_busy(on_demand):
    assert refusal(on_demand, SSESpecification={"Enabled": False}) == (
        PREFIX + "Table is already encrypted by default"
    )
    key = "arn:aws:kms:eu-west-1:123456789012:key/k"
    change = {"SSEType": "KMS", "KMSMasterKeyId": key}
    answer = update(on_demand, SSESpecification=change)
    assert answer["TableStatus"] == "ACTIVE"
    assert answer["SSEDescription"]["Status"] == "UPDATING"
    assert on_demand.table()["SSEDescription"] == {
        "Status": "ENABLED",
        "SSEType": "KMS",
        "KMSMasterKeyArn": key,
    }
    assert "Table is already encrypted with given KMSMasterKeyId" in refusal(
        on_demand, SSESpecification=change
    )
    update(on_demand, SSESpecification={"Enabled": False})
    assert "SSEDescription" not in on_demand.table()


def test_the_class_answers_with_the_old_one(on_demand):
    update(on_demand, TableClass="STANDARD")
    assert "TableClassSummary" not in on_demand.table()
    update(on_demand, TableClass="STANDARD_INFREQUENT_ACCESS")
    answer = update(on_demand, TableClass="STANDARD")
    assert answer["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    assert on_demand.table()["TableClassSummary"] == {
        "TableClass": "STANDARD",
        "LastUpdateDateTime": on_demand.time,
    }


def test_deletion_protection_is_set_again_without_complaint(on_demand):
    for value in (True, True, False):
        answer = update(on_demand, DeletionProtectionEnabled=value)
        assert (answer["TableStatus"], answer["DeletionProtectionEnabled"]) == ("ACTIVE", value)


# ---- indexes -------------------------------------------------------------------------------------


# The response shows the index without entries; what the engine does is done when it returns.
def test_a_new_index_gets_the_items_that_are_there(on_demand):
    item = {"pk": {"S": "p"}, "sk": {"S": "s"}, "a": {"S": "x"}}
    on_demand("PutItem", TableName="abc", Item=item)
    on_demand("PutItem", TableName="abc", Item={**item, "sk": {"S": "t"}, "a": {"N": "1"}})
    answer = update(on_demand, AttributeDefinitions=types("a"), GlobalSecondaryIndexUpdates=CREATE)
    assert answer["TableStatus"] == "UPDATING"
    (entry,) = answer["GlobalSecondaryIndexes"]
    assert (entry["IndexStatus"], entry["Backfilling"]) == ("CREATING", False)
    assert entry["ItemCount"] == 0
    after = on_demand.table()
    assert (after["TableStatus"], after["AttributeDefinitions"]) == (
        "ACTIVE", types("a", "pk", "sk")
    )
    (entry,) = after["GlobalSecondaryIndexes"]
    assert entry["KeySchema"] == keys("a")
    assert (entry["IndexStatus"], entry["ItemCount"]) == ("ACTIVE", 1)
    assert "Backfilling" not in entry
    assert on_demand("Scan", TableName="abc", IndexName="new")["Items"] == [item]


# The last use of an attribute takes its definition along.
def test_a_dropped_index_is_gone(indexed):
    answer = update(indexed, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "gsi"}}])
    assert answer["TableStatus"] == "UPDATING"
    assert answer["GlobalSecondaryIndexes"][0]["IndexStatus"] == "DELETING"
    after = indexed.table()
    assert "GlobalSecondaryIndexes" not in after
    # The local index needs the attribute still.
    assert after["AttributeDefinitions"] == types("a", "pk", "sk")
    scan = {"TableName": "abc", "IndexName": "gsi"}
    assert indexed.refusal("Scan", Invalid, **scan) == (
        "The table does not have the specified index: gsi"
    )


def test_definitions_are_needed_even_for_known_attributes_and_change_nothing(indexed):
    new = index("new", "a", ProvisionedThroughput=units(1, 1))
    updates = [{"Create": new}]
    assert refusal(indexed, GlobalSecondaryIndexUpdates=updates) == (
        PREFIX + "AttributeDefinitions is not specified for index: new"
    )
    other = [
        {"AttributeName": "a", "AttributeType": "N"},
        {"AttributeName": "stale", "AttributeType": "N"},
    ]
    update(indexed, AttributeDefinitions=other, GlobalSecondaryIndexUpdates=updates)
    assert indexed.table()["AttributeDefinitions"] == types("a", "pk", "sk")
    item = {"pk": {"S": "p"}, "sk": {"S": "s"}, "a": {"S": "x"}}
    indexed("PutItem", TableName="abc", Item=item)
    assert indexed("Scan", TableName="abc", IndexName="new")["Items"] == [item]


@pytest.mark.parametrize(
    ("kind", "updates", "words"),
    [
        (
            ResourceNotFound,
            [{"Delete": {"IndexName": "ghost"}}],
            "Requested resource not found: Index ghost for table abc",
        ),
        (
            ResourceNotFound,
            [{"Update": {"IndexName": "ghost", "ProvisionedThroughput": units(1, 1)}}],
            "Requested resource not found: Index ghost for table abc",
        ),
        (
            Invalid,
            [{"Delete": {"IndexName": "lsi"}}],
            "Cannot delete an index that is not a GlobalSecondaryIndex: lsi",
        ),
        (
            Invalid,
            [{"Create": index("gsi", "a", ProvisionedThroughput=units(1, 1))}],
            "Attempting to create an index which already exists",
        ),
        (
            Invalid,
            [{"Create": index("new", "a")}],
            PREFIX + "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: "
            "new",
        ),
        (
            Invalid,
            [{"Create": index("new", "a", "z")}],
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            Invalid,
            [{"Update": {"IndexName": "gsi", "ProvisionedThroughput": units(2, 2)}}],
            "The provisioned throughput for the index gsi will not change. The requested value "
            "equals the current value. Current ReadCapacityUnits provisioned for index gsi: 2. "
            "Requested ReadCapacityUnits: 2. Current WriteCapacityUnits provisioned for index gsi: "
            "2. Requested WriteCapacityUnits: 2. " + LIMITS,
        ),
        (
            LimitExceeded,
            [{"Create": index("one", "a")}, {"Delete": {"IndexName": "gsi"}}],
            "Subscriber limit exceeded: Only 1 online index can be created or deleted "
            "simultaneously per table",
        ),
    ],
)
def test_an_index_change_that_does_not_fit_is_refused(indexed, kind, updates, words):
    request = {"AttributeDefinitions": types("a"), "GlobalSecondaryIndexUpdates": updates}
    assert refusal(indexed, kind, **request) == words


def test_one_index_is_made_or_dropped_at_a_time(slow_control):
    control = slow_control
    control("CreateTable", **table())
    control.time += 10
    request = {"AttributeDefinitions": types("a"), "GlobalSecondaryIndexUpdates": CREATE}
    update(control, **request)
    assert refusal(control, ResourceInUse, **request) == (
        "Attempt to change a resource which is still in use: Table IOPS are currently being "
        "updated. Table: abc"
    )


def test_the_21st_index_passes_a_limit(control):
    indexes = [index(f"gsi{number}", "sk") for number in range(20)]
    control("CreateTable", **table(GlobalSecondaryIndexes=indexes))
    assert refusal(
        control,
        LimitExceeded,
        AttributeDefinitions=types("a"),
        GlobalSecondaryIndexUpdates=CREATE,
    ) == (
        "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of "
        "20"
    )


def test_an_index_of_an_on_demand_table_takes_no_units(control):
    control("CreateTable", **table(GlobalSecondaryIndexes=[index("gsi", "sk")]))
    for change in ({"ProvisionedThroughput": units(1, 1)}, {}, {"OnDemandThroughput": {}}):
        assert refusal(
            control, GlobalSecondaryIndexUpdates=[{"Update": {"IndexName": "gsi", **change}}]
        ) == (
            PREFIX + "The only Updates for index: gsi when TableThroughputMode is PAY_PER_REQUEST "
            "can be to OnDemandThroughput, WarmThroughput"
        )
    new = index("new", "sk", ProvisionedThroughput=units(1, 1))
    assert refusal(
        control,
        AttributeDefinitions=types("sk"),
        GlobalSecondaryIndexUpdates=[{"Create": new}],
    ) == (
        PREFIX + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: new "
        "when BillingMode is PAY_PER_REQUEST"
    )


# The index is UPDATING and shows its old units; the table stays ACTIVE.
def test_a_change_of_an_indexs_units_answers_with_the_old_ones(indexed):
    change = {"IndexName": "gsi", "ProvisionedThroughput": units(3, 3)}
    answer = update(indexed, GlobalSecondaryIndexUpdates=[{"Update": change}])
    (entry,) = answer["GlobalSecondaryIndexes"]
    assert (answer["TableStatus"], entry["IndexStatus"]) == ("ACTIVE", "UPDATING")
    assert entry["ProvisionedThroughput"]["ReadCapacityUnits"] == 2
    (entry,) = indexed.table()["GlobalSecondaryIndexes"]
    assert entry["IndexStatus"] == "ACTIVE"
    assert entry["ProvisionedThroughput"]["ReadCapacityUnits"] == 3


# ---- states --------------------------------------------------------------------------------------


def test_a_slow_table_shows_what_is_under_way(slow_control):
    control = slow_control
    control("CreateTable", **provisioned_table())
    assert control.table()["TableStatus"] == "CREATING"
    assert control.table()["WarmThroughput"]["Status"] == "UPDATING"
    assert refusal(control, ResourceInUse, **PROTECTION) == (
        "Attempt to change a resource which is still in use: Table is being created: abc"
    )
    control.time += 10
    assert control.table()["TableStatus"] == "ACTIVE"
    update(control, ProvisionedThroughput=units(9, 9))
    shown = control.table()
    assert shown["TableStatus"] == "UPDATING"
    assert shown["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert refusal(control, ResourceInUse, ProvisionedThroughput=units(8, 8)) == (
        "Attempt to change a resource which is still in use: Table IOPS are currently being "
        "updated. Table: abc"
    )
    update(control, **PROTECTION)
    control.time += 10
    shown = control.table()
    assert shown["TableStatus"] == "ACTIVE"
    assert shown["ProvisionedThroughput"]["ReadCapacityUnits"] == 9


