"""SELECT: a plan of PartiQL to pages of the engine, and their items to rows.

Theory of operation. A plan that names one item and nothing else is a read of it. Any other is a
walk, or several: one for each item collection that IN or OR names, one after the other, until the
page is full. A page ends at Limit, at 1 MB, and with several walks after the plan's page_items_max,
all counted in items evaluated. Of an item only the attributes are read that columns begin with;
rows are made of those, since a projection by paths would move the elements of lists.

Each walk is rounded to read units by itself, as Query is.

Source: developer guide, PartiQL SELECT; capacity as measured on the service.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hashrange.errors import ValidationError
from hashrange.ops import capacity
from hashrange.ops.capacity import Bill
from hashrange.ops.door import Door, Expression, Page, Table, Walk
from hashrange.ops.keys import check_key, check_key_contents
from hashrange.ops.pages import bill_of
from hashrange.ops.reading import check_start
from hashrange.ops.values import TypedItem, check_values
from hashrange.partiql import Position, faults, next_position, select_columns
from hashrange.partiql.keys import order_of
from hashrange.partiql.plan import KeyRead, SelectPlan

PAGE_BYTES_MAX = 1 << 20


class Rows(NamedTuple):
    """One page of a SELECT.

    position: where the next one goes on, None at the end. last_key: the key of the last item
    evaluated, None at the end and between two item collections.
    """

    rows: list[TypedItem]
    bill: Bill
    position: Position | None = None
    last_key: TypedItem | None = None


def select(
    door: Door, table: Table, plan: SelectPlan, limit: int | None, position: Position | None
) -> Rows:
    """Read one page. limit: items evaluated at most. Raises ValidationError."""
    for read in plan.reads:
        check_read(table, plan, read)
    if position is not None:
        check_position(table, plan, position)
    if plan.kind == "get" and plan.reads[0].filter is None:
        return select_item(door, table, plan)
    items, bill, position, last_key = pages(door, table, plan, limit, position or Position(0, None))
    if plan.kind == "get":
        position = last_key = None
    rows = [select_columns(item, plan.columns) for item in items]
    return Rows(rows, bill, position, last_key)


def select_item(door: Door, table: Table, plan: SelectPlan) -> Rows:
    """Read the one item that a plan names."""
    check_item(table, plan)
    item, size_bytes = door.read(table, plan.key, roots_of(door, plan))
    half_units = capacity.read_half_units(size_bytes, consistent=plan.consistent_read)
    rows = [] if item is None else [select_columns(item, plan.columns)]
    return Rows(rows, Bill(half_units))


def pages(
    door: Door, table: Table, plan: SelectPlan, limit: int | None, start: Position
) -> tuple[list[TypedItem], Bill, Position | None, TypedItem | None]:
    """Walk a plan's reads, or the whole source, until the page is full."""
    room = min(bound for bound in (limit, plan.page_items_max, 1 << 31) if bound is not None)
    items: list[TypedItem] = []
    bill = Bill()
    read_bytes = 0
    at, key = start
    while True:
        page = walk(door, table, plan, at, key, room)
        index = None if plan.index is None else table.indexes[plan.index]
        bill.add(bill_of(index, page, consistent=plan.consistent_read))
        items += page.items or ()
        room -= page.scanned
        read_bytes += page.read_bytes
        position = next_position(plan, at, page.last_key)
        full = room <= 0 or read_bytes >= PAGE_BYTES_MAX
        if position is None or page.last_key is not None or full:
            return items, bill, position, page.last_key
        at, key = position


def walk(
    door: Door, table: Table, plan: SelectPlan, at: int, start: TypedItem | None, room: int
) -> Page:
    """Read a page of one of a plan's reads."""
    keys, condition = None, plan.filter
    if plan.reads:
        keys = door.key_conditions(key_conditions(plan.reads[at]))
        condition = plan.reads[at].filter
    return door.walk(
        table,
        Walk(
            None if plan.index is None else table.indexes[plan.index],
            keys,
            None if condition is None else Expression(None, plan.names, plan.values, condition),
            roots_of(door, plan),
            start,
            room if room < 1 << 31 else None,
            plan.forward,
            plan.consistent_read,
            filters_keys=True,
        ),
    )


def key_conditions(read: KeyRead) -> dict[str, Any]:
    """Return the key condition of a read, in the form of KeyConditions."""
    conditions = {
        name: {"ComparisonOperator": "EQ", "AttributeValueList": [value]}
        for name, value in read.hash_key.items()
    }
    for part in read.ranges:
        conditions[part.name] = {
            "ComparisonOperator": part.operator,
            "AttributeValueList": list(part.values),
        }
    return conditions


def roots_of(door: Door, plan: SelectPlan) -> Expression | None:
    """Return the attributes that a plan's columns begin with, as a projection."""
    if plan.columns is None:
        return None
    return door.attributes(list(dict.fromkeys(str(path.elements[0]) for path in plan.columns)))


# ---- what cannot be read -------------------------------------------------------------------------


def check_item(table: Table, plan: SelectPlan) -> None:
    """Refuse the key of a read of one item that no item can have. Raises ValidationError."""
    check_key(plan.key, table.key)


def check_read(table: Table, plan: SelectPlan, read: KeyRead) -> None:
    """Refuse a hash key that no item can have. Raises ValidationError."""
    shape = table.key if plan.index is None else table.indexes[plan.index].key
    for name, kind in shape.attributes[: shape.hash_count]:
        single = type(shape)(((name, kind),))
        check_key_contents({name: read.hash_key[name]}, single)


def check_position(table: Table, plan: SelectPlan, position: Position) -> None:
    """Refuse a position that is none of this plan's. Raises ValidationError."""
    count = len(plan.reads) or 1
    if plan.kind == "get" or position.read >= count:
        raise faults.token_damaged()
    start = position.key
    if start is None:
        return
    index = None if plan.index is None else table.indexes[plan.index]
    try:
        check_values(start.values())
        check_start(start, table.key, index, query=bool(plan.reads))
    except (ValidationError, StopIteration, TypeError, AttributeError):
        raise faults.token_damaged() from None
    if plan.reads:
        for name, value in plan.reads[position.read].hash_key.items():
            if order_of(start[name]) != order_of(value):
                raise faults.token_damaged()
