"""Prepared statements: plans in which parameters are places, to be filled in at each execution.

Theory of operation. Of most statements the parameters say nothing but values: the plan is the same
whatever they are, as long as they have the same types. Such a statement is straight: its WHERE
clause is a conjunction of plain comparisons and of IS, no two of them about one attribute. It is
planned once with parameters that are objects of their own, and where those are found in the plan
are the places. A statement whose plan depends on values (IN, OR, two conditions on one attribute)
is not straight.

A prepared statement is an INSERT, UPDATE, DELETE, an EXISTS, or a SELECT of one item by its whole
key.

Invariants. (1) Filled in, a prepared statement is what `plan_statement` makes of the same
parameters. (2) Whether the values themselves are fine is left to whoever executes it.

Threads: immutable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hashrange.expr import tree as expression
from hashrange.partiql import tree
from hashrange.partiql.parser import column_name
from hashrange.partiql.plan import (
    DeletePlan,
    InsertPlan,
    Returning,
    SelectPlan,
    UpdatePlan,
    WritePlan,
)
from hashrange.partiql.planner import plan_statement
from hashrange.partiql.schema import TableSchema
from hashrange.partiql.tree import Typed

PLACES_MAX = 100  # attributes of an INSERT, or comparisons, that are worth preparing
_COMPARISONS = frozenset(("=", "<>", "<", "<=", ">", ">="))


class Place(NamedTuple):
    """An attribute or a placeholder: the number of its parameter, or None and a literal."""

    name: str
    number: int | None
    literal: Typed


class PreparedGet(NamedTuple):
    """A SELECT of one item. columns: (attribute, name in the row); None: the item itself."""

    key: tuple[Place, ...]
    columns: tuple[tuple[str, str], ...] | None


class PreparedWrite(NamedTuple):
    """An INSERT, UPDATE, DELETE or EXISTS. item: of an INSERT all attributes, else the key."""

    kind: type[WritePlan]
    item: tuple[Place, ...]
    values: tuple[Place, ...]
    names: dict[str, str]
    condition: expression.Condition | None
    actions: tuple[expression.Action, ...] | None
    returning: Returning


Prepared = PreparedGet | PreparedWrite


def kinds_of(parameters: Sequence[Any]) -> tuple[str, ...] | None:
    """Return the types of parameters, or None where one is not of one type."""
    kinds: list[str] = []
    for parameter in parameters:
        if type(parameter) is not dict or len(parameter) != 1:
            return None
        kinds += parameter
    return tuple(kinds)


def filled(places: Iterable[Place], parameters: Sequence[Typed]) -> dict[str, Typed]:
    """Return the values of places by name."""
    return {
        name: literal if number is None else parameters[number] for name, number, literal in places
    }


def prepare(
    statement: tree.Statement, table: TableSchema, parameters: Sequence[Typed]
) -> Prepared | None:
    """Return a statement prepared for parameters of these types; None when it cannot be.

    Raises what `plan_statement` raises.
    """
    if len(parameters) != statement.parameter_count or not is_straight(statement):
        return None
    probes = [dict(parameter) for parameter in parameters]
    plan = plan_statement(statement, table, probes)
    numbers = {id(probe): number for number, probe in enumerate(probes)}

    def places(values: Mapping[str, Typed]) -> tuple[Place, ...]:
        return tuple([Place(name, numbers.get(id(v)), v) for name, v in values.items()])

    if isinstance(plan, SelectPlan):
        if plan.kind != "get" or plan.reads[0].filter is not None:
            return None
        columns = None
        if plan.columns is not None:
            if any(len(path.elements) > 1 for path in plan.columns):
                return None
            columns = tuple([(str(path.elements[0]), column_name(path)) for path in plan.columns])
        return PreparedGet(places(plan.key), columns)
    item = places(plan.item if isinstance(plan, InsertPlan) else plan.key)
    values = places(plan.values)
    if len(item) + len(values) > PLACES_MAX:
        return None
    actions = plan.actions if isinstance(plan, UpdatePlan) else None
    returning = plan.returning if isinstance(plan, UpdatePlan | DeletePlan) else "NONE"
    return PreparedWrite(type(plan), item, values, plan.names, plan.condition, actions, returning)


def is_straight(statement: tree.Statement) -> bool:
    """Tell whether a statement's plan depends on its parameters' types alone."""
    if isinstance(statement, tree.Insert):
        return True
    where = (statement.select if isinstance(statement, tree.Exists) else statement).where
    if where is None:
        return False
    parts = where.parts if isinstance(where, tree.Chain) and where.operator == "and" else (where,)
    named: set[str | int] = set()
    for part in parts:
        if isinstance(part, tree.Is):
            sides: tuple[tree.Expression, ...] = (part.operand,)
        elif isinstance(part, tree.Operation) and part.operator in _COMPARISONS:
            sides = (part.left, part.right)
        else:
            return False
        paths = [side for side in sides if isinstance(side, tree.Path)]
        if len(paths) != 1 or not all(
            isinstance(side, tree.Path | tree.Parameter | tree.Literal) for side in sides
        ):
            return False
        root = paths[0].elements[0]
        if root in named:
            return False
        named.add(root)
    return True
