"""The requests of the operations on items, as shapes.

Members stand in the order in which the service lists their failures.
"""

from __future__ import annotations

from hashrange.ops.members import (
    ANY_TEXT,
    ATTRIBUTE_UPDATES,
    ATTRIBUTES_TO_GET,
    BATCH_TABLE,
    CONDITIONAL_OPERATOR,
    CONDITIONS,
    EXPECTED,
    EXPRESSION_NAMES,
    EXPRESSION_VALUES,
    INDEX_NAME,
    ITEM,
    ITEM_TABLE,
    KEY,
    LIMIT,
    REQUEST_TOKEN,
    RETURN_CAPACITY,
    RETURN_METRICS,
    RETURN_ON_FAILURE,
    RETURN_VALUES,
    SELECT,
    VALUE_LIST,
)
from hashrange.ops.shape import Flag, Mapping, Sequence, Structure, Text, Whole

BATCH_KEYS_MAX = 100
BATCH_WRITES_MAX = 25
TRANSACTION_ACTIONS_MAX = 100
STATEMENTS_MAX = 25
SEGMENTS_MAX = 1_000_000

# ---- single items --------------------------------------------------------------------------------

PUT_ITEM = Structure(
    "PutItemInput",
    {
        "ReturnConsumedCapacity": RETURN_CAPACITY,
        "TableName": ITEM_TABLE,
        "Item": ITEM,
        "Expected": EXPECTED,
        "ReturnValues": RETURN_VALUES,
        "ReturnItemCollectionMetrics": RETURN_METRICS,
        "ConditionalOperator": CONDITIONAL_OPERATOR,
        "ConditionExpression": ANY_TEXT,
        "ExpressionAttributeValues": EXPRESSION_VALUES,
        "ExpressionAttributeNames": EXPRESSION_NAMES,
        "ReturnValuesOnConditionCheckFailure": RETURN_ON_FAILURE,
    },
    ("TableName", "Item"),
)

GET_ITEM = Structure(
    "GetItemInput",
    {
        "ReturnConsumedCapacity": RETURN_CAPACITY,
        "AttributesToGet": ATTRIBUTES_TO_GET,
        "TableName": ITEM_TABLE,
        "Key": KEY,
        "ConsistentRead": Flag(),
        "ProjectionExpression": ANY_TEXT,
        "ExpressionAttributeNames": EXPRESSION_NAMES,
    },
    ("TableName", "Key"),
)

UPDATE_ITEM = Structure(
    "UpdateItemInput",
    {
        "ReturnConsumedCapacity": RETURN_CAPACITY,
        "TableName": ITEM_TABLE,
        "ReturnItemCollectionMetrics": RETURN_METRICS,
        "ReturnValues": RETURN_VALUES,
        "ConditionalOperator": CONDITIONAL_OPERATOR,
        "Key": KEY,
        "Expected": EXPECTED,
        "AttributeUpdates": ATTRIBUTE_UPDATES,
        "ConditionExpression": ANY_TEXT,
        "UpdateExpression": ANY_TEXT,
        "ExpressionAttributeValues": EXPRESSION_VALUES,
        "ExpressionAttributeNames": EXPRESSION_NAMES,
        "ReturnValuesOnConditionCheckFailure": RETURN_ON_FAILURE,
    },
    ("TableName", "Key"),
)

DELETE_ITEM = Structure(
    "DeleteItemInput",
    {
        "ReturnConsumedCapacity": RETURN_CAPACITY,
        "TableName": ITEM_TABLE,
        "ReturnValues": RETURN_VALUES,
        "ReturnItemCollectionMetrics": RETURN_METRICS,
        "Key": KEY,
        "ConditionalOperator": CONDITIONAL_OPERATOR,
        "Expected": EXPECTED,
        "ConditionExpression": ANY_TEXT,
        "ExpressionAttributeValues": EXPRESSION_VALUES,
        "ExpressionAttributeNames": EXPRESSION_NAMES,
        "ReturnValuesOnConditionCheckFailure": RETURN_ON_FAILURE,
    },
    ("TableName", "Key"),
)

# ---- query and scan ------------------------------------------------------------------------------

QUERY = Structure(
    "QueryInput",
    {
        "Limit": LIMIT,
        "ExclusiveStartKey": KEY,
        "ReturnConsumedCapacity": RETURN_CAPACITY,
        "AttributesToGet": ATTRIBUTES_TO_GET,
        "QueryFilter": CONDITIONS,
        "Select": SELECT,
        "ConditionalOperator": CONDITIONAL_OPERATOR,
        "KeyConditions": CONDITIONS,
        "TableName": ITEM_TABLE,
        "ConsistentRead": Flag(),
        "IndexName": INDEX_NAME,
        "ScanIndexForward": Flag(),
        "KeyConditionExpression": ANY_TEXT,
        "FilterExpression": ANY_TEXT,
        "ProjectionExpression": ANY_TEXT,
        "ExpressionAttributeValues": EXPRESSION_VALUES,
        "ExpressionAttributeNames": EXPRESSION_NAMES,
    },
    ("TableName",),
)

SCAN = Structure(
    "ScanInput",
    {
        "Limit": LIMIT,
        "ReturnConsumedCapacity": RETURN_CAPACITY,
        "AttributesToGet": ATTRIBUTES_TO_GET,
        "Segment": Whole("Integer", 0, SEGMENTS_MAX - 1),
        "Select": SELECT,
        "ScanFilter": CONDITIONS,
        "ConditionalOperator": CONDITIONAL_OPERATOR,
        "TotalSegments": Whole("Integer", 1, SEGMENTS_MAX),
        "TableName": ITEM_TABLE,
        "ExclusiveStartKey": KEY,
        "IndexName": INDEX_NAME,
        "ConsistentRead": Flag(),
        "FilterExpression": ANY_TEXT,
        "ProjectionExpression": ANY_TEXT,
        "ExpressionAttributeValues": EXPRESSION_VALUES,
        "ExpressionAttributeNames": EXPRESSION_NAMES,
    },
    ("TableName",),
)

# ---- batches -------------------------------------------------------------------------------------

BATCH_GET_ITEM = Structure(
    "BatchGetItemInput",
    {
        "RequestItems": Mapping(
            BATCH_TABLE,
            Structure(
                "KeysAndAttributes",
                {
                    "Keys": Sequence(KEY, 1, BATCH_KEYS_MAX, newer=True),
                    "AttributesToGet": ATTRIBUTES_TO_GET,
                    "ConsistentRead": Flag(),
                    "ProjectionExpression": ANY_TEXT,
                    "ExpressionAttributeNames": EXPRESSION_NAMES,
                },
                ("Keys",),
            ),
            1,
            BATCH_KEYS_MAX,
            tables=True,
            newer=True,
            as_json=True,
        ),
        "ReturnConsumedCapacity": RETURN_CAPACITY,
    },
    ("RequestItems",),
)

BATCH_WRITE_ITEM = Structure(
    "BatchWriteItemInput",
    {
        "ReturnConsumedCapacity": RETURN_CAPACITY,
        "ReturnItemCollectionMetrics": RETURN_METRICS,
        "RequestItems": Mapping(
            BATCH_TABLE,
            Sequence(
                Structure(
                    "WriteRequest",
                    {
                        "DeleteRequest": Structure("DeleteRequest", {"Key": KEY}, ("Key",)),
                        "PutRequest": Structure("PutRequest", {"Item": ITEM}, ("Item",)),
                    },
                ),
                1,
                BATCH_WRITES_MAX,
            ),
            1,
            BATCH_WRITES_MAX,
            tables=True,
            newer=True,
        ),
    },
    ("RequestItems",),
    alone=("RequestItems",),
)

# ---- transactions --------------------------------------------------------------------------------


def conditional(name: str, required: tuple[str, ...], **members: Text | Mapping) -> Structure:
    """Return an action of a transaction: what all have in common, and its own members."""
    return Structure(
        name,
        {
            "TableName": ITEM_TABLE,
            "ExpressionAttributeValues": EXPRESSION_VALUES,
            "ExpressionAttributeNames": EXPRESSION_NAMES,
            "ReturnValuesOnConditionCheckFailure": RETURN_ON_FAILURE,
            "ConditionExpression": ANY_TEXT,
            **members,
        },
        required,
    )


TRANSACT_WRITE_ITEMS = Structure(
    "TransactWriteItemsInput",
    {
        "ClientRequestToken": REQUEST_TOKEN,
        "ReturnConsumedCapacity": RETURN_CAPACITY,
        "ReturnItemCollectionMetrics": RETURN_METRICS,
        "TransactItems": Sequence(
            Structure(
                "TransactWriteItem",
                {
                    "Put": conditional("Put", ("TableName", "Item"), Item=ITEM),
                    "Update": conditional(
                        "Update",
                        ("TableName", "Key", "UpdateExpression"),
                        Key=KEY,
                        UpdateExpression=ANY_TEXT,
                    ),
                    "Delete": conditional("Delete", ("TableName", "Key"), Key=KEY),
                    "ConditionCheck": conditional(
                        "ConditionCheck", ("TableName", "Key", "ConditionExpression"), Key=KEY
                    ),
                },
            ),
            1,
            TRANSACTION_ACTIONS_MAX,
        ),
    },
    ("TransactItems",),
)

TRANSACT_GET_ITEMS = Structure(
    "TransactGetItemsInput",
    {
        "ReturnConsumedCapacity": RETURN_CAPACITY,
        "TransactItems": Sequence(
            Structure(
                "TransactGetItem",
                {
                    "Get": Structure(
                        "Get",
                        {
                            "Key": KEY,
                            "TableName": ITEM_TABLE,
                            "ProjectionExpression": ANY_TEXT,
                            "ExpressionAttributeNames": EXPRESSION_NAMES,
                        },
                        ("Key", "TableName"),
                    )
                },
                ("Get",),
            ),
            1,
            TRANSACTION_ACTIONS_MAX,
        ),
    },
    ("TransactItems",),
)

# ---- PartiQL -------------------------------------------------------------------------------------

STATEMENT = Text(1, 8192)
PARAMETERS = Sequence(VALUE_LIST.element, 1)

EXECUTE_STATEMENT = Structure(
    "ExecuteStatementInput",
    {
        "Statement": STATEMENT,
        "Parameters": PARAMETERS,
        "ConsistentRead": Flag(),
        "NextToken": Text(1, 32768),
        "ReturnConsumedCapacity": RETURN_CAPACITY,
        "Limit": LIMIT,
        "ReturnValuesOnConditionCheckFailure": RETURN_ON_FAILURE,
    },
    ("Statement",),
)

BATCH_EXECUTE_STATEMENT = Structure(
    "BatchExecuteStatementInput",
    {
        "Statements": Sequence(
            Structure(
                "BatchStatementRequest",
                {
                    "Statement": STATEMENT,
                    "Parameters": PARAMETERS,
                    "ConsistentRead": Flag(),
                    "ReturnValuesOnConditionCheckFailure": RETURN_ON_FAILURE,
                },
                ("Statement",),
            ),
            1,
            STATEMENTS_MAX,
        ),
        "ReturnConsumedCapacity": RETURN_CAPACITY,
    },
    ("Statements",),
)

EXECUTE_TRANSACTION = Structure(
    "ExecuteTransactionInput",
    {
        "TransactStatements": Sequence(
            Structure(
                "ParameterizedStatement",
                {
                    "Statement": STATEMENT,
                    "Parameters": PARAMETERS,
                    "ReturnValuesOnConditionCheckFailure": RETURN_ON_FAILURE,
                },
                ("Statement",),
            ),
            1,
            TRANSACTION_ACTIONS_MAX,
        ),
        "ClientRequestToken": REQUEST_TOKEN,
        "ReturnConsumedCapacity": RETURN_CAPACITY,
    },
    ("TransactStatements",),
)
