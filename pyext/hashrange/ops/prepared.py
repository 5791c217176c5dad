"""Prepared statements of PartiQL: kept by their text, carried out without a plan.

Theory of operation. A statement is prepared when it comes for the second time with parameters of
the same types. What is kept belongs to one state of its table: after a change of the table it is
prepared anew. Two generations of dicts are a coarse order of use: what was not used while as many
others came is dropped.

What is wrong with a request that is prepared is not said here. `run` then returns None, having done
nothing, and the statement is carried out from its text. Batches and transactions use what is
prepared when all of their members are.

Threads: any. Dicts are changed one operation at a time; two threads may prepare the same twice.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hashrange.errors import ValidationError
from hashrange.ops import capacity, statement_writes
from hashrange.ops.capacity import Bill
from hashrange.ops.door import CHECK, DELETE, PUT, UPDATE, Door, Expression, Table, Write
from hashrange.ops.item_writes import IMAGES, bill_of
from hashrange.ops.values import TypedItem
from hashrange.partiql import (
    Prepared,
    PreparedGet,
    PreparedWrite,
    TableSchema,
    filled,
    kinds_of,
    prepare,
)
from hashrange.partiql.plan import CheckPlan, DeletePlan, InsertPlan, UpdatePlan
from hashrange.partiql.tree import Statement

GENERATION_COUNT_MAX = 512
# What is raised for a value of another type than it may have.
STUMBLES = (KeyError, TypeError, StopIteration, AttributeError)
KINDS = {InsertPlan: PUT, UpdatePlan: UPDATE, DeletePlan: DELETE, CheckPlan: CHECK}

Request = dict[str, Any]
Response = dict[str, Any]
Mark = tuple[str, tuple[str, ...]]


class Ready(NamedTuple):
    """A statement for one state of its table; prepared is None when it came once, or cannot be."""

    table: Table
    prepared: Prepared | None = None
    projection: Expression | None = None
    tried: bool = False

    @property
    def kind(self) -> str:
        """What a prepared write does."""
        assert isinstance(self.prepared, PreparedWrite)
        return KINDS[self.prepared.kind]

    @property
    def returns(self) -> bool:
        """Tell whether a prepared write has RETURNING."""
        assert isinstance(self.prepared, PreparedWrite)
        return self.prepared.returning != "NONE"


class PreparedStatements:
    """The prepared statements of one door."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.young: dict[Mark, Ready] = {}
        self.old: dict[Mark, Ready] = {}

    def ready(self, request: Request) -> Ready | None:
        """Return what is prepared for a statement and its parameters; None: it takes a plan."""
        kinds = kinds_of(request.get("Parameters") or ())
        if kinds is None:
            return None
        mark = request["Statement"], kinds
        ready = self.young.get(mark)
        if ready is None:
            ready = self.old.pop(mark, None)
            if ready is None:
                return None
            self.keep(mark, ready)
        if ready.prepared is None or self.door.table(ready.table.name) is not ready.table:
            return None
        return ready

    def all_ready(self, requests: list[Request]) -> list[Ready] | None:
        """Return what is prepared, all reads or all writes; None: it takes a closer look."""
        found = []
        for request in requests:
            ready = self.ready(request)
            if ready is None:
                return None
            found.append(ready)
        reading = isinstance(found[0].prepared, PreparedGet)
        if any(isinstance(ready.prepared, PreparedGet) is not reading for ready in found):
            return None
        return found

    def run(self, request: Request) -> Response | None:
        """Carry out an ExecuteStatement request; None, and nothing done: it takes a plan.

        Raises ConditionalCheckFailed, DuplicateItem, TableNotFound.
        """
        ready = self.ready(request)
        if ready is None or request.get("NextToken") is not None:
            return None
        answer: Response
        try:
            if isinstance(ready.prepared, PreparedGet):
                row, bill = self.get(request, ready)
            elif ready.kind != CHECK:
                row, bill = self.write(request, ready)
            else:
                return None               # it is for transactions
        except (ValidationError, *STUMBLES):
            return None
        answer = {"Items": [] if row is None else [row]}
        mode = request.get("ReturnConsumedCapacity")
        if mode is not None:
            used = capacity.consumed(ready.table.name, bill, mode)
            if used is not None:
                answer["ConsumedCapacity"] = used
        return answer

    def get(self, request: Request, ready: Ready) -> tuple[TypedItem | None, Bill]:
        """Read the item of a SELECT; return its row and the cost."""
        table, key, projection = read_of(request, ready)
        item, size_bytes = self.door.read(table, key, projection)
        consistent = bool(request.get("ConsistentRead"))
        bill = Bill(capacity.read_half_units(size_bytes, consistent=consistent))
        return row_of(ready, item), bill

    def write(self, request: Request, ready: Ready) -> tuple[TypedItem | None, Bill]:
        """Make the write of an INSERT, UPDATE or DELETE; return its image and the cost."""
        wanted = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        priced = request.get("ReturnConsumedCapacity") is not None
        write = write_of(request, ready, want_failed=wanted, want_arms=priced)
        outcome, shown = statement_writes.run(self.door, ready.table, write)
        return shown, bill_of(outcome)

    def add(
        self, statement: Statement, table: Table, schema: TableSchema, request: Request
    ) -> None:
        """Note a statement that was planned; prepare it when it was noted before."""
        parameters = request.get("Parameters") or ()
        kinds = kinds_of(parameters)
        if kinds is None:
            return
        mark = request["Statement"], kinds
        known = self.young.get(mark)
        if known is None:
            self.keep(mark, Ready(table))
        elif known.table is not table or not known.tried:
            prepared = prepare(statement, schema, parameters)
            self.keep(mark, Ready(table, prepared, projection_of(prepared), True))

    def keep(self, mark: Mark, ready: Ready) -> None:
        """Keep a statement among the youngest."""
        self.young[mark] = ready
        if len(self.young) > GENERATION_COUNT_MAX:
            self.young, self.old = {mark: ready}, self.young


def read_of(request: Request, ready: Ready) -> tuple[Table, TypedItem, Expression | None]:
    """Return the read of a prepared SELECT. Raises ValidationError, STUMBLES."""
    assert isinstance(ready.prepared, PreparedGet)
    parameters = request.get("Parameters") or ()
    return ready.table, filled(ready.prepared.key, parameters), ready.projection


def row_of(ready: Ready, item: TypedItem | None) -> TypedItem | None:
    """Return the row that a prepared SELECT makes of an item."""
    assert isinstance(ready.prepared, PreparedGet)
    if item is None or ready.prepared.columns is None:
        return item
    return {name: item[root] for root, name in ready.prepared.columns if root in item}


def write_of(
    request: Request, ready: Ready, *, want_failed: bool, want_arms: bool = True
) -> Write:
    """Return the write of a prepared statement. Raises ValidationError, STUMBLES."""
    prepared, parameters = ready.prepared, request.get("Parameters") or ()
    assert isinstance(prepared, PreparedWrite)
    names, values = prepared.names, filled(prepared.values, parameters)
    condition = update = None
    if prepared.condition is not None:
        condition = Expression(None, names, values, prepared.condition)
    if prepared.actions is not None:
        update = Expression(None, names, values, prepared.actions)
    image, touched = IMAGES.get(prepared.returning, (None, False))
    return Write(
        ready.kind,
        filled(prepared.item, parameters),
        condition,
        update,
        image == "before",
        image == "after",
        touched,
        want_failed,
        want_arms,
    )


def projection_of(prepared: Prepared | None) -> Expression | None:
    """Return the attributes that a SELECT's columns begin with, as a projection."""
    if not isinstance(prepared, PreparedGet) or prepared.columns is None:
        return None
    roots = dict.fromkeys(root for root, _ in prepared.columns)
    names = {f"#get{number}": root for number, root in enumerate(roots)}
    return Expression(", ".join(names), names)
