"""Prepared statements of PartiQL: kept by their text, carried out without a plan.

Theory of operation. A statement is prepared when it comes for the second time with parameters of
the same types. What is kept belongs to one state of its table: after a change of the table it is
prepared anew. Two generations of dicts are a coarse order of use: what was not used while as many
others came is dropped.

What is wrong with a request that is prepared is not said here. `run` then returns None, having done
nothing, and the statement is carried out from its text.

Threads: any. Dicts are changed one operation at a time; two threads may prepare the same twice.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hashrange.errors import ValidationError
from hashrange.ops import capacity, statement_writes
from hashrange.ops.capacity import Bill
from hashrange.ops.door import DELETE, PUT, UPDATE, Door, Expression, Table, Write
from hashrange.ops.item_writes import IMAGES, bill_of
from hashrange.partiql import (
    Prepared,
    PreparedGet,
    PreparedWrite,
    TableSchema,
    filled,
    kinds_of,
    prepare,
)
from hashrange.partiql.plan import DeletePlan, InsertPlan, UpdatePlan
from hashrange.partiql.tree import Statement

GENERATION_COUNT_MAX = 512
# What is raised for a value of another type than it may have.
STUMBLES = (KeyError, TypeError, StopIteration, AttributeError)
KINDS = {InsertPlan: PUT, UpdatePlan: UPDATE, DeletePlan: DELETE}

Request = dict[str, Any]
Response = dict[str, Any]
Mark = tuple[str, tuple[str, ...]]


class Ready(NamedTuple):
    """A statement for one state of its table; prepared is None when it came once, or cannot be."""

    table: Table
    prepared: Prepared | None = None
    projection: Expression | None = None
    tried: bool = False


class PreparedStatements:
    """The prepared statements of one door."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.young: dict[Mark, Ready] = {}
        self.old: dict[Mark, Ready] = {}

    def run(self, request: Request) -> Response | None:
        """Carry out an ExecuteStatement request; None, and nothing done: it takes a plan.

        Raises ConditionalCheckFailed, DuplicateItem, TableNotFound.
        """
        parameters = request.get("Parameters") or ()
        kinds = kinds_of(parameters)
        if kinds is None:
            return None
        mark = request["Statement"], kinds
        ready = self.young.get(mark)
        if ready is None:
            ready = self.old.pop(mark, None)
            if ready is None:
                return None
            self.keep(mark, ready)
        table, prepared = ready.table, ready.prepared
        if prepared is None or request.get("NextToken") is not None:
            return None
        if self.door.table(table.name) is not table:
            return None
        try:
            if isinstance(prepared, PreparedGet):
                return self.get(request, table, prepared, ready.projection, parameters)
            return self.write(request, table, prepared, parameters)
        except (ValidationError, *STUMBLES):
            return None

    def get(
        self,
        request: Request,
        table: Table,
        prepared: PreparedGet,
        projection: Expression | None,
        parameters: Any,
    ) -> Response:
        """Read the item of a SELECT."""
        item, size_bytes = self.door.read(table, filled(prepared.key, parameters), projection)
        if item is not None and prepared.columns is not None:
            item = {name: item[root] for root, name in prepared.columns if root in item}
        answer: Response = {"Items": [] if item is None else [item]}
        mode = request.get("ReturnConsumedCapacity")
        if mode is not None:
            consistent = bool(request.get("ConsistentRead"))
            bill = Bill(capacity.read_half_units(size_bytes, consistent=consistent))
            charge(answer, table, bill, mode)
        return answer

    def write(
        self, request: Request, table: Table, prepared: PreparedWrite, parameters: Any
    ) -> Response:
        """Make the write of an INSERT, UPDATE or DELETE."""
        names, values = prepared.names, filled(prepared.values, parameters)
        condition = update = None
        if prepared.condition is not None:
            condition = Expression(None, names, values, prepared.condition)
        if prepared.actions is not None:
            update = Expression(None, names, values, prepared.actions)
        image, touched = IMAGES.get(prepared.returning, (None, False))
        mode = request.get("ReturnConsumedCapacity")
        write = Write(
            KINDS[prepared.kind],
            filled(prepared.item, parameters),
            condition,
            update,
            image == "before",
            image == "after",
            touched,
            request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD",
            mode is not None,
        )
        outcome, shown = statement_writes.run(self.door, table, write)
        answer: Response = {"Items": [] if shown is None else [shown]}
        if mode is not None:
            charge(answer, table, bill_of(outcome), mode)
        return answer

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


def projection_of(prepared: Prepared | None) -> Expression | None:
    """Return the attributes that a SELECT's columns begin with, as a projection."""
    if not isinstance(prepared, PreparedGet) or prepared.columns is None:
        return None
    roots = dict.fromkeys(root for root, _ in prepared.columns)
    names = {f"#get{number}": root for number, root in enumerate(roots)}
    return Expression(", ".join(names), names)


def charge(answer: Response, table: Table, bill: Bill, mode: str) -> None:
    """Put the cost of a statement into its response, if it is asked for."""
    used = capacity.consumed(table.name, bill, mode)
    if used is not None:
        answer["ConsumedCapacity"] = used
