"""Query and Scan: one page of a table or an index.

Theory of operation. The request's own rules stand in `reading`; here they are applied, the page is
read through the door, and its cost is put on the arms: the table's for a table, the index's for the
entries of an index, the table's again for whole items that a local index had to fetch.

Source: order and words as observed on the service; costs: developer guide, as measured.
"""

from __future__ import annotations

from typing import Any

from hashrange.errors import ValidationError
from hashrange.ops import capacity
from hashrange.ops.capacity import Bill
from hashrange.ops.door import Door, Expression, Page, Walk
from hashrange.ops.item_writes import known_table
from hashrange.ops.keys import Index, index_of
from hashrange.ops.parameters import placeholders_of
from hashrange.ops.reading import (
    check_access,
    check_consistency,
    check_query,
    check_scan,
    check_start,
)

Request = dict[str, Any]
Response = dict[str, Any]


def query(door: Door, request: Request) -> Response:
    """Run Query. Raises TableNotFound, ValidationError."""
    check_query(request)
    conditions = request.get("KeyConditions")
    keys = (
        expression_of(request, "KeyConditionExpression")
        if conditions is None
        else door.key_conditions(conditions)
    )
    return page_of(door, request, keys, "QueryFilter")


def scan(door: Door, request: Request) -> Response:
    """Run Scan. Raises TableNotFound, ValidationError."""
    check_scan(request)
    return page_of(door, request, None, "ScanFilter")


def expression_of(request: Request, member: str) -> Expression | None:
    """Return an expression member with the placeholders of the request."""
    text = request.get(member)
    if text is None:
        return None
    return Expression(text, *placeholders_of(request))


def filter_of(door: Door, request: Request, old: str) -> Expression | None:
    """Return the request's filter; `old` is the name of its old form."""
    if request.get(old):
        return door.filters(request[old], request.get("ConditionalOperator"))
    return expression_of(request, "FilterExpression")


def projection_of(door: Door, request: Request) -> Expression | None:
    """Return what the request projects."""
    if request.get("AttributesToGet") is not None:
        return door.attributes(request["AttributesToGet"])
    return expression_of(request, "ProjectionExpression")


def page_of(door: Door, request: Request, keys: Expression | None, old: str) -> Response:
    """Read the page that a checked request asks for, and return the response."""
    condition = filter_of(door, request, old)
    projection = projection_of(door, request)
    table = known_table(door, request)
    name = request.get("IndexName")
    index = None if name is None else index_of(table.indexes, name)
    check_consistency(request, index)
    start = request.get("ExclusiveStartKey")
    if start is not None:
        check_start(start, table.key, index, query=keys is not None)
    total = request.get("TotalSegments")
    walk = Walk(
        index,
        keys,
        condition,
        projection,
        start,
        request.get("Limit"),
        request.get("ScanIndexForward") is not False,
        bool(request.get("ConsistentRead")),
        request.get("Select") == "COUNT",
        request.get("Select") == "ALL_ATTRIBUTES",
        None if total is None else (request["Segment"], total),
    )
    if index is not None:
        names = None if projection is None else door.top_names(projection)
        try:
            check_access(request, index, table.key, names)
        except ValidationError:
            # What is wrong with the walk itself is said first.
            door.walk(table, walk._replace(limit=1, count_only=True))
            raise
    return answer_of(request, index, door.walk(table, walk))


def answer_of(request: Request, index: Index | None, page: Page) -> Response:
    """Return the response for a page."""
    answer: Response = {"Count": page.matched, "ScannedCount": page.scanned}
    if page.items is not None:
        answer["Items"] = page.items
    if page.last_key is not None:
        answer["LastEvaluatedKey"] = page.last_key
    mode = request.get("ReturnConsumedCapacity")
    if mode is not None and mode != "NONE":
        bill = bill_of(index, page, consistent=bool(request.get("ConsistentRead")))
        answer["ConsumedCapacity"] = capacity.consumed(request["TableName"], bill, mode)
    return answer


def bill_of(index: Index | None, page: Page, *, consistent: bool) -> Bill:
    """Return what a page costs, by arm."""
    half_units = capacity.read_half_units(page.read_bytes, consistent=consistent)
    if index is None:
        return Bill(half_units)
    if index.is_global:
        return Bill(0, {}, {index.name: half_units})
    fetched = capacity.fetch_half_units(page.fetched_bytes, consistent=consistent)
    return Bill(fetched, {index.name: half_units})
