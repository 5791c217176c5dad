"""The requests of the control plane, as shapes.

Members stand in the order in which the service lists their failures. Where the service is stricter
than its model, the bound is the service's: a table's and a local index's key schema has at most two
elements, a KMS key id at least one character; a new table needs its key and definitions (the model
lets them come from a global table, which this engine does not join).
"""

from __future__ import annotations

from hashrange.ops.members import ANY_TEXT, INDEX_NAME, NEW_TABLE, TABLE, TABLE_PATTERN
from hashrange.ops.shape import Flag, Sequence, Shape, Structure, Text, Whole

KEY_ATTRIBUTE_NAME = Text(1, 255)
LIST_TABLES_MAX = 100

# ---- keys and projections ------------------------------------------------------------------------

ATTRIBUTE_DEFINITIONS = Sequence(
    Structure(
        "AttributeDefinition",
        {"AttributeType": Text(enum=("B", "N", "S")), "AttributeName": KEY_ATTRIBUTE_NAME},
        ("AttributeName", "AttributeType"),
    )
)
KEY_ELEMENT = Structure(
    "KeySchemaElement",
    {"AttributeName": KEY_ATTRIBUTE_NAME, "KeyType": Text(enum=("HASH", "RANGE"))},
    ("AttributeName", "KeyType"),
)
KEY_SCHEMA = Sequence(KEY_ELEMENT, 1, 2)
GLOBAL_KEY_SCHEMA = Sequence(KEY_ELEMENT, 1)
PROJECTION = Structure(
    "Projection",
    {
        "ProjectionType": Text(enum=("ALL", "INCLUDE", "KEYS_ONLY")),
        "NonKeyAttributes": Sequence(KEY_ATTRIBUTE_NAME, 1, 20),
    },
)

# ---- capacity ------------------------------------------------------------------------------------

UNITS = Whole("Long", 1)
ANY_UNITS = Whole("Long")
BILLING_MODE = Text(enum=("PROVISIONED", "PAY_PER_REQUEST"))
PROVISIONED = Structure(
    "ProvisionedThroughput",
    {"WriteCapacityUnits": UNITS, "ReadCapacityUnits": UNITS},
    ("ReadCapacityUnits", "WriteCapacityUnits"),
)
ON_DEMAND = Structure(
    "OnDemandThroughput", {"MaxReadRequestUnits": ANY_UNITS, "MaxWriteRequestUnits": ANY_UNITS}
)
WARM = Structure(
    "WarmThroughput", {"ReadUnitsPerSecond": ANY_UNITS, "WriteUnitsPerSecond": ANY_UNITS}
)
CAPACITY: dict[str, Shape] = {
    "ProvisionedThroughput": PROVISIONED,
    "OnDemandThroughput": ON_DEMAND,
    "WarmThroughput": WARM,
}

# ---- settings ------------------------------------------------------------------------------------

STREAM = Structure(
    "StreamSpecification",
    {
        "StreamEnabled": Flag(),
        "StreamViewType": Text(
            enum=("OLD_IMAGE", "KEYS_ONLY", "NEW_AND_OLD_IMAGES", "NEW_IMAGE")
        ),
    },
    ("StreamEnabled",),
)
SSE = Structure(
    "SSESpecification",
    {
        "Enabled": Flag(),
        "SSEType": Text(enum=("AES256", "KMS")),
        "KMSMasterKeyId": Text(1),
    },
)
TABLE_CLASS = Text(enum=("STANDARD", "STANDARD_INFREQUENT_ACCESS"), late=True)
TAGS = Sequence(
    Structure(
        "Tag",
        {"Key": Text(1, 128, late=True), "Value": Text(0, 256, late=True)},
        late=("Key", "Value"),
    )
)
RESOURCE_ARN = Text(1, 1283)
REPLICATION_MODE = Text(enum=("ENABLED", "DISABLED", "ENABLED_WITH_OVERRIDES"))

# ---- indexes -------------------------------------------------------------------------------------

INDEX_REQUIRED = ("IndexName", "KeySchema", "Projection")
LOCAL_INDEX = Structure(
    "LocalSecondaryIndex",
    {"IndexName": INDEX_NAME, "KeySchema": KEY_SCHEMA, "Projection": PROJECTION},
    INDEX_REQUIRED,
)
GLOBAL_INDEX: dict[str, Shape] = {
    "IndexName": INDEX_NAME,
    "KeySchema": GLOBAL_KEY_SCHEMA,
    "Projection": PROJECTION,
    **CAPACITY,
}
GLOBAL_INDEX_UPDATE = Structure(
    "GlobalSecondaryIndexUpdate",
    {
        "Update": Structure(
            "UpdateGlobalSecondaryIndexAction",
            {"IndexName": INDEX_NAME, **CAPACITY},
            ("IndexName",),
        ),
        "Create": Structure("CreateGlobalSecondaryIndexAction", GLOBAL_INDEX, INDEX_REQUIRED),
        "Delete": Structure(
            "DeleteGlobalSecondaryIndexAction", {"IndexName": INDEX_NAME}, ("IndexName",)
        ),
    },
)
VECTOR_INDEX: dict[str, Shape] = {
    "IndexName": INDEX_NAME,
    "VectorAttribute": Structure(
        "VectorAttributeDefinition", {"AttributeName": KEY_ATTRIBUTE_NAME}, ("AttributeName",)
    ),
    "SearchSchema": Sequence(
        Structure(
            "SearchSchemaElement",
            {
                "AttributeName": Text(None, 65535),
                "SearchSchemaElementType": Text(enum=("HASH", "INLINE_FILTER")),
            },
            ("AttributeName", "SearchSchemaElementType"),
        ),
        1,
    ),
    "Projection": PROJECTION,
    "Dimensions": UNITS,
    "DistanceFunction": Text(enum=("COSINE", "DOT_PRODUCT", "EUCLIDEAN")),
}
VECTOR_REQUIRED = (
    "IndexName",
    "VectorAttribute",
    "Projection",
    "Dimensions",
    "DistanceFunction",
)

# ---- replicas, which this engine refuses in words ------------------------------------------------

REGION: dict[str, Shape] = {"RegionName": ANY_TEXT}
REPLICA: dict[str, Shape] = {
    **REGION,
    "KMSMasterKeyId": Text(1),
    "ProvisionedThroughputOverride": Structure(
        "ProvisionedThroughputOverride", {"ReadCapacityUnits": UNITS}
    ),
    "OnDemandThroughputOverride": Structure(
        "OnDemandThroughputOverride", {"MaxReadRequestUnits": ANY_UNITS}
    ),
    "GlobalSecondaryIndexes": Sequence(
        Structure(
            "ReplicaGlobalSecondaryIndex",
            {
                "IndexName": INDEX_NAME,
                "ProvisionedThroughputOverride": Structure(
                    "ProvisionedThroughputOverride", {"ReadCapacityUnits": UNITS}
                ),
                "OnDemandThroughputOverride": Structure(
                    "OnDemandThroughputOverride", {"MaxReadRequestUnits": ANY_UNITS}
                ),
            },
            ("IndexName",),
        ),
        1,
    ),
    "TableClassOverride": TABLE_CLASS,
}
REPLICA_UPDATES = Sequence(
    Structure(
        "ReplicationGroupUpdate",
        {
            "Create": Structure("CreateReplicationGroupMemberAction", REPLICA, ("RegionName",)),
            "Update": Structure("UpdateReplicationGroupMemberAction", REPLICA, ("RegionName",)),
            "Delete": Structure("DeleteReplicationGroupMemberAction", REGION, ("RegionName",)),
            "Disassociate": Structure(
                "DisassociateReplicationGroupMemberAction",
                {**REGION, "DisassociationMode": Text(enum=("WAIT_FOR_REPLICATION",))},
                ("RegionName", "DisassociationMode"),
            ),
        },
    ),
    1,
)
WITNESS_UPDATES = Sequence(
    Structure(
        "GlobalTableWitnessGroupUpdate",
        {
            "Create": Structure(
                "CreateGlobalTableWitnessGroupMemberAction", REGION, ("RegionName",)
            ),
            "Delete": Structure(
                "DeleteGlobalTableWitnessGroupMemberAction", REGION, ("RegionName",)
            ),
        },
    ),
    1,
    1,
)

# ---- operations ----------------------------------------------------------------------------------

CREATE_TABLE = Structure(
    "CreateTableInput",
    {
        "AttributeDefinitions": ATTRIBUTE_DEFINITIONS,
        "TableName": NEW_TABLE,
        "BillingMode": BILLING_MODE,
        "ProvisionedThroughput": PROVISIONED,
        "KeySchema": KEY_SCHEMA,
        "GlobalSecondaryIndexes": Sequence(
            Structure("GlobalSecondaryIndex", GLOBAL_INDEX, INDEX_REQUIRED)
        ),
        "LocalSecondaryIndexes": Sequence(LOCAL_INDEX),
        "StreamSpecification": STREAM,
        "SSESpecification": SSE,
        "Tags": TAGS,
        "TableClass": TABLE_CLASS,
        "DeletionProtectionEnabled": Flag(),
        "WarmThroughput": WARM,
        "ResourcePolicy": ANY_TEXT,
        "OnDemandThroughput": ON_DEMAND,
        "GlobalTableSourceArn": Text(1, 1024),
        "GlobalTableSettingsReplicationMode": REPLICATION_MODE,
        "VectorIndexes": Sequence(Structure("VectorIndex", VECTOR_INDEX, VECTOR_REQUIRED)),
    },
    ("TableName", "KeySchema", "AttributeDefinitions"),
)

UPDATE_TABLE = Structure(
    "UpdateTableInput",
    {
        "AttributeDefinitions": ATTRIBUTE_DEFINITIONS,
        "TableName": TABLE,
        "BillingMode": BILLING_MODE,
        "ProvisionedThroughput": PROVISIONED,
        "GlobalSecondaryIndexUpdates": Sequence(GLOBAL_INDEX_UPDATE),
        "StreamSpecification": STREAM,
        "SSESpecification": SSE,
        "ReplicaUpdates": REPLICA_UPDATES,
        "TableClass": TABLE_CLASS,
        "DeletionProtectionEnabled": Flag(),
        "MultiRegionConsistency": Text(enum=("EVENTUAL", "STRONG")),
        "GlobalTableWitnessUpdates": WITNESS_UPDATES,
        "OnDemandThroughput": ON_DEMAND,
        "WarmThroughput": WARM,
        "GlobalTableSettingsReplicationMode": REPLICATION_MODE,
        "DisassociationProtectionEnabled": Flag(),
        "VectorIndexUpdates": Sequence(
            Structure(
                "VectorIndexUpdate",
                {
                    "Create": Structure("CreateVectorIndexAction", VECTOR_INDEX, VECTOR_REQUIRED),
                    "Delete": Structure(
                        "DeleteVectorIndexAction", {"IndexName": INDEX_NAME}, ("IndexName",)
                    ),
                },
            )
        ),
    },
    ("TableName",),
)

DESCRIBE_TABLE = Structure("DescribeTableInput", {"TableName": TABLE}, ("TableName",))
DELETE_TABLE = Structure("DeleteTableInput", {"TableName": TABLE}, ("TableName",))
LIST_TABLES = Structure(
    "ListTablesInput",
    {
        "Limit": Whole("Integer", 1, LIST_TABLES_MAX),
        "ExclusiveStartTableName": Text(3, 255, pattern=TABLE_PATTERN, pattern_first=True),
    },
)
TAG_RESOURCE = Structure(
    "TagResourceInput", {"ResourceArn": RESOURCE_ARN, "Tags": TAGS}, ("ResourceArn", "Tags")
)
UNTAG_RESOURCE = Structure(
    "UntagResourceInput",
    {"ResourceArn": RESOURCE_ARN, "TagKeys": Sequence(Text(1, 128, late=True))},
    ("ResourceArn", "TagKeys"),
)
LIST_TAGS_OF_RESOURCE = Structure(
    "ListTagsOfResourceInput",
    {"ResourceArn": RESOURCE_ARN, "NextToken": ANY_TEXT},
    ("ResourceArn",),
)
DESCRIBE_LIMITS = Structure("DescribeLimitsInput", {})
DESCRIBE_ENDPOINTS = Structure("DescribeEndpointsRequest", {})
