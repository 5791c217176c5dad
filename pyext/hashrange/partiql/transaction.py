"""The rules of ExecuteTransaction: all reads or all writes, one action an item, no RETURNING.

EXISTS(SELECT ...) is a condition check and counts as a write. Two kinds of fault: those that refuse
the whole request, and a member's key that does not fit its table (KeyFault), which cancels the
transaction and is that member's reason. The order of calls: `check_statements`, `plan_member` for
each, `refuse_repeated_items`.

Source: API reference and developer guide, "Performing transactions with PartiQL"; texts as observed
on the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hashrange.partiql import faults, tree
from hashrange.partiql.batch import refuse_mixture
from hashrange.partiql.binder import type_of
from hashrange.partiql.keys import order_of
from hashrange.partiql.plan import InsertPlan, Plan, SelectPlan
from hashrange.partiql.planner import plan_statement
from hashrange.partiql.schema import TableSchema
from hashrange.partiql.tree import Typed

OPERATION = "ExecuteTransaction"
STATEMENTS_MAX = 100


def check_statements(statements: Iterable[tree.Statement]) -> bool:
    """Return True when all statements are reads, False when all are writes or checks.

    Raises ValidationError when they are mixed, and for what no table's schema is needed to see.
    """
    statements = list(statements)
    reading = refuse_mixture(statements, OPERATION)
    for statement in statements:
        if isinstance(statement, tree.Select) and statement.source.index is not None:
            raise faults.select_on_index()
        if isinstance(statement, tree.Update | tree.Delete) and statement.returning:
            raise faults.returning_in_transaction()
    return reading


def check_plan(plan: Plan) -> None:
    """Refuse a SELECT that says anything but the primary key. Raises ValidationError."""
    if isinstance(plan, SelectPlan) and (plan.kind != "get" or plan.reads[0].filter is not None):
        raise faults.select_without_key(OPERATION)


def plan_member(
    statement: tree.Statement, table: TableSchema, parameters: Sequence[Typed] = ()
) -> Plan:
    """Plan one statement of a transaction.

    Raises KeyFault when its key does not fit the schema: the member's cancellation reason, code
    ValidationError. Raises ValidationError for what refuses the whole request.
    """
    try:
        plan = plan_statement(statement, table, parameters)
    except faults.KeyFault:
        raise faults.key_schema() from None
    check_plan(plan)
    return plan


def key_of(plan: Plan, key_names: tuple[str, ...]) -> tuple[object, ...] | None:
    """Return an item's identity: table and key, numbers by value.

    None when a plan does not name one item, or a put lacks its key or has it of a type that no key
    has: the put itself refuses that.
    """
    key: dict[str, Typed] = {}
    if not isinstance(plan, SelectPlan):
        key = plan.item if isinstance(plan, InsertPlan) else plan.key
    elif plan.kind == "get":
        key = plan.key
    values = [key[name] for name in key_names if name in key]
    if len(values) < len(key_names) or any(
        type_of(value) not in ("S", "N", "B") for value in values
    ):
        return None
    return (plan.table, *map(order_of, values))


def refuse_repeated_items(identities: Iterable[tuple[object, ...] | None]) -> None:
    """Refuse two actions on one item; `identities` as `key_of` returns them.

    Raises ValidationError.
    """
    seen = set()
    for identity in identities:
        if identity is not None and identity in seen:
            raise faults.one_item_twice()
        seen.add(identity)
