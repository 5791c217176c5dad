"""The rules of BatchExecuteStatement: all reads or all writes, and a read names one item.

A member's fault, a text that does not parse too, is that member's Error (code ValidationError), and
the others are carried out; only a mixed batch is refused as a whole. A SELECT may say more than the
primary key: what is left is its filter.

Source: API reference, BatchExecuteStatement.
"""

from __future__ import annotations

from collections.abc import Iterable

from hashrange.partiql import faults, tree
from hashrange.partiql.plan import CheckPlan, Plan, SelectPlan

OPERATION = "BatchExecuteStatement"
STATEMENTS_MAX = 25


def check_statements(statements: Iterable[tree.Statement | None]) -> bool:
    """Return True when all statements are reads; None stands for one that does not parse.

    Raises ValidationError when reads and writes are mixed.
    """
    return refuse_mixture(statements, OPERATION)


def refuse_mixture(statements: Iterable[tree.Statement | None], operation: str) -> bool:
    """Return True when all statements are reads, False when none is. Raises ValidationError."""
    kinds = {isinstance(each, tree.Select) for each in statements if each is not None}
    if len(kinds) > 1:
        raise faults.mixed(operation)
    return True in kinds


def check_plan(plan: Plan) -> None:
    """Refuse a member that a batch cannot have. Raises ValidationError."""
    if isinstance(plan, CheckPlan):
        raise faults.exists_outside()
    if isinstance(plan, SelectPlan) and plan.kind != "get":
        raise faults.select_without_key(OPERATION)
