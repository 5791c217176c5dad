"""Requests: what an operation's request may look like, by the operation's name.

`check` is called with every request and costs a fraction of a microsecond for one that is fine.
`examine` is the slow, complete check with the service's words. An operation that fails with any
other error examines its request before it raises that: the service looks at the types of all
members before it does anything, whereas `check` leaves attribute values to the codec.
"""

from __future__ import annotations

from typing import Any

from hashrange.errors import unknown_operation
from hashrange.ops import item_requests, table_requests
from hashrange.ops.shape import Structure
from hashrange.ops.shape import examine as examine_shape

SHAPES: dict[str, Structure] = {
    "PutItem": item_requests.PUT_ITEM,
    "GetItem": item_requests.GET_ITEM,
    "UpdateItem": item_requests.UPDATE_ITEM,
    "DeleteItem": item_requests.DELETE_ITEM,
    "Query": item_requests.QUERY,
    "Scan": item_requests.SCAN,
    "BatchGetItem": item_requests.BATCH_GET_ITEM,
    "BatchWriteItem": item_requests.BATCH_WRITE_ITEM,
    "TransactGetItems": item_requests.TRANSACT_GET_ITEMS,
    "TransactWriteItems": item_requests.TRANSACT_WRITE_ITEMS,
    "ExecuteStatement": item_requests.EXECUTE_STATEMENT,
    "BatchExecuteStatement": item_requests.BATCH_EXECUTE_STATEMENT,
    "ExecuteTransaction": item_requests.EXECUTE_TRANSACTION,
    "CreateTable": table_requests.CREATE_TABLE,
    "DescribeTable": table_requests.DESCRIBE_TABLE,
    "UpdateTable": table_requests.UPDATE_TABLE,
    "DeleteTable": table_requests.DELETE_TABLE,
    "ListTables": table_requests.LIST_TABLES,
    "TagResource": table_requests.TAG_RESOURCE,
    "UntagResource": table_requests.UNTAG_RESOURCE,
    "ListTagsOfResource": table_requests.LIST_TAGS_OF_RESOURCE,
    "DescribeLimits": table_requests.DESCRIBE_LIMITS,
    "DescribeEndpoints": table_requests.DESCRIBE_ENDPOINTS,
}

ACCEPTS = {operation: shape.form().accepts for operation, shape in SHAPES.items()}


def check(operation: str, request: Any) -> Any:
    """Return a request as the service takes it; refuse one that breaks the operation's shape.

    Raises SerializationError, ValidationError; UnknownOperation for a name that is none.
    """
    accepts = ACCEPTS.get(operation)
    if accepts is None:
        raise unknown_operation()
    if accepts(request):
        return request
    examine_shape(SHAPES[operation], request)
    return SHAPES[operation].settled(request)


def examine(operation: str, request: Any) -> None:
    """Check a request completely, attribute values included. Raises as `check` does."""
    examine_shape(SHAPES[operation], request)
