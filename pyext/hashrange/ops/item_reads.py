"""GetItem and BatchGetItem.

Source: order and words as observed on the service; limits: developer guide.
"""

from __future__ import annotations

from typing import Any

from hashrange.errors import ValidationError, item_table_not_found
from hashrange.ops import capacity
from hashrange.ops.capacity import Bill
from hashrange.ops.door import Door, Expression, Table
from hashrange.ops.item_requests import BATCH_KEYS_MAX
from hashrange.ops.item_writes import known_table
from hashrange.ops.keys import check_key
from hashrange.ops.parameters import (
    check_attributes_to_get,
    check_company,
    check_expressions,
)
from hashrange.ops.values import check_item, number_key, type_of

BATCH_BYTES_MAX = 16 << 20

Request = dict[str, Any]
Response = dict[str, Any]


def get_item(door: Door, request: Request) -> Response:
    """Run GetItem. Raises TableNotFound, ValidationError."""
    projection = None if len(request) == 2 else projection_of("GetItem", door, request)
    table = known_table(door, request)
    key = request["Key"]
    check_key(key, table.key)
    item, size_bytes = door.read(table, key, projection)
    answer: Response = {} if item is None else {"Item": item}
    mode = request.get("ReturnConsumedCapacity")
    if mode is not None and mode != "NONE":
        half_units = capacity.read_half_units(
            size_bytes, consistent=bool(request.get("ConsistentRead"))
        )
        answer["ConsumedCapacity"] = capacity.consumed(
            request["TableName"], Bill(half_units), mode
        )
    return answer


def projection_of(operation: str, door: Door, request: Request) -> Expression | None:
    """Return what a read projects, after checking what must not go together."""
    check_company(operation, request)
    text = request.get("ProjectionExpression")
    if text is not None:
        return Expression(text, request.get("ExpressionAttributeNames"))
    if request.get("AttributesToGet") is not None:
        check_attributes_to_get(request)
        return door.attributes(request["AttributesToGet"])
    return None


def explain_get(door: Door, request: Request) -> None:
    """Raise what the service says first of a GetItem request that failed, if anything."""
    check_company("GetItem", request)
    check_item(request["Key"])
    check_attributes_to_get(request)
    check_expressions("GetItem", request, door)


# ---- batches -------------------------------------------------------------------------------------


def batch_get_item(door: Door, request: Request) -> Response:
    """Run BatchGetItem: up to 100 keys and 16 MB; what does not fit comes back unprocessed.

    Raises TableNotFound, ValidationError.
    """
    plans = [
        (name, wanted, *batch_plan(door, name, wanted))
        for name, wanted in check_batch(request["RequestItems"]).items()
    ]
    responses: dict[str, list[Any]] = {}
    unprocessed: dict[str, Any] = {}
    bills: dict[str, Bill] = {}
    room_bytes, full = BATCH_BYTES_MAX, False
    for name, wanted, table, projection in plans:
        items, bill = responses.setdefault(name, []), bills.setdefault(name, Bill())
        consistent = bool(wanted.get("ConsistentRead"))
        found = door.read_all([(table, key, projection) for key in wanted["Keys"]])
        for position, (item, size_bytes) in enumerate(found):
            if full or size_bytes > room_bytes:
                unprocessed[name] = {**wanted, "Keys": wanted["Keys"][position:]}
                full = True
                break
            room_bytes -= size_bytes
            bill.table += capacity.read_half_units(size_bytes, consistent=consistent)
            if item is not None:
                items.append(item)
    answer: Response = {"Responses": responses, "UnprocessedKeys": unprocessed}
    used = capacity.consumed_list(bills, request.get("ReturnConsumedCapacity"))
    if used is not None:
        answer["ConsumedCapacity"] = used
    return answer


def batch_plan(door: Door, name: str, wanted: Request) -> tuple[Table, Expression | None]:
    """Return the table and the projection of one table's part of a batch, its keys checked."""
    projection = projection_of("BatchGetItem", door, wanted)
    table = door.table(door.table_name(name))
    if table is None:
        raise item_table_not_found()
    for key in wanted["Keys"]:
        check_key(key, table.key)
    return table, projection


def check_batch(tables: dict[str, Request]) -> dict[str, Request]:
    """Refuse too many keys, and a key that occurs twice; return the tables."""
    count = sum(len(wanted["Keys"]) for wanted in tables.values())
    if count > BATCH_KEYS_MAX:
        raise ValidationError("Too many items requested for the BatchGetItem call")
    for wanted in tables.values():
        seen = set()
        for key in wanted["Keys"]:
            mark = key_mark(key)
            if mark in seen:
                raise ValidationError("Provided list of item keys contains duplicates")
            seen.add(mark)
    return tables


def key_mark(key: dict[str, Any]) -> Any:
    """Return what is equal for equal keys, numbers by value."""
    parts: list[tuple[str, str, Any]] = []
    for name in sorted(key) if len(key) > 1 else key:
        value = key[name]
        text = value.get("S") if value else None
        if text is not None:
            parts.append((name, "S", text))
            continue
        kind = type_of(value) if value else ""
        inner = value.get(kind)
        if kind == "N":
            inner = number_key(inner)
        parts.append((name, kind, inner if kind in ("S", "N") else repr(inner)))
    return tuple(parts)


def explain_batch_get(door: Door, request: Request) -> None:
    """Raise what the service says first of a BatchGetItem request that failed, if anything."""
    for wanted in request["RequestItems"].values():
        check_company("BatchGetItem", wanted)
        check_attributes_to_get(wanted)
        check_expressions("BatchGetItem", wanted, door)
        for key in wanted["Keys"]:
            check_item(key)
    check_batch(request["RequestItems"])
