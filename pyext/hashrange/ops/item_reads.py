"""GetItem and BatchGetItem.

Source: order and words as observed on the service; limits: developer guide.
"""

from __future__ import annotations

from typing import Any

from hashrange.errors import Error, ValidationError, item_table_not_found
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
    placeholders_of,
)
from hashrange.ops.values import TypedItem, check_item, number_key, type_of

BATCH_BYTES_MAX = 16 << 20

Request = dict[str, Any]
Response = dict[str, Any]
Found = tuple[list[TypedItem | None], list[int]]


def get_item(door: Door, request: Request) -> Response:
    """Run GetItem. Raises TableNotFound, ValidationError."""
    plain = door.get_plain(request)
    if plain is not None:
        return {} if plain[0] is None else {"Item": plain[0]}
    projection = None if len(request) == 2 else projection_of("GetItem", door, request)
    table = known_table(door, request)
    key = request["Key"]
    check_key(key, table.key)
    item, size_bytes = door.read(table, key, projection)
    if item is None and projection is not None:
        check_expressions("GetItem", request, door)  # nobody has looked at its names
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
        return Expression(text, placeholders_of(request)[0])
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
    tables: dict[str, Request] = request["RequestItems"]
    found = batch_found(door, tables)
    mode = request.get("ReturnConsumedCapacity")
    responses: dict[str, list[Any]] = {}
    unprocessed: dict[str, Any] = {}
    bills: dict[str, Bill] = {}
    room_bytes = BATCH_BYTES_MAX
    for name, (items, all_sizes) in found.items():
        wanted = tables[name]
        count = 0 if unprocessed else fitting(all_sizes, room_bytes)
        sizes = all_sizes[:count]
        room_bytes -= sum(sizes)
        responses[name] = [item for item in items[:count] if item is not None]
        if count < len(all_sizes):
            unprocessed[name] = {**wanted, "Keys": wanted["Keys"][count:]}
        if mode is not None:
            consistent = bool(wanted.get("ConsistentRead"))
            half_units = [capacity.read_half_units(size, consistent=consistent) for size in sizes]
            bills[name] = Bill(sum(half_units))
    answer: Response = {"Responses": responses, "UnprocessedKeys": unprocessed}
    used = capacity.consumed_list(bills, mode)
    if used is not None:
        answer["ConsumedCapacity"] = used
    return answer


def batch_found(door: Door, tables: dict[str, Request]) -> dict[str, Found]:
    """Return the items of a batch and their sizes, by table, in the order of the keys.

    The door finds what is wrong with a key, and keys that occur twice; then all is looked at again
    in the service's order.
    """
    check_count(tables)
    try:
        found = {}
        plans = [(name, *batch_plan(door, name, wanted)) for name, wanted in tables.items()]
        for name, table, projection in plans:
            read = door.read_keys(table, tables[name]["Keys"], projection)
            if read is None:
                raise keys_repeat()
            found[name] = read
        return found
    except Error:
        check_batch(tables)
        for name, wanted in tables.items():
            table, _ = batch_plan(door, name, wanted)
            for key in wanted["Keys"]:
                check_key(key, table.key)
        raise


def batch_plan(door: Door, name: str, wanted: Request) -> tuple[Table, Expression | None]:
    """Return the table and the projection of one table's part of a batch."""
    projection = None if len(wanted) == 1 else projection_of("BatchGetItem", door, wanted)
    table = door.table(door.table_name(name))
    if table is None:
        raise item_table_not_found()
    return table, projection


def fitting(sizes_bytes: list[int], room_bytes: int) -> int:
    """Return how many items fit, one after the other, up to the first that does not."""
    if sum(sizes_bytes) <= room_bytes:
        return len(sizes_bytes)
    for count, size_bytes in enumerate(sizes_bytes):
        room_bytes -= size_bytes
        if room_bytes < 0:
            return count
    return len(sizes_bytes)


def check_count(tables: dict[str, Request]) -> None:
    """Refuse too many keys."""
    if sum([len(wanted["Keys"]) for wanted in tables.values()]) > BATCH_KEYS_MAX:
        raise ValidationError("Too many items requested for the BatchGetItem call")


def check_batch(tables: dict[str, Request]) -> None:
    """Refuse too many keys, and a key that occurs twice."""
    check_count(tables)
    for wanted in tables.values():
        marks = [key_mark(key) for key in wanted["Keys"]]
        if len(set(marks)) < len(marks):
            raise keys_repeat()


def keys_repeat() -> ValidationError:
    """Make the error of a key that occurs twice."""
    return ValidationError("Provided list of item keys contains duplicates")


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
