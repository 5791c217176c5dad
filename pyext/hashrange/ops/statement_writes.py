"""INSERT, UPDATE, DELETE and EXISTS: a plan of PartiQL to a write of the engine.

Theory of operation. Each writes, or checks, one item; what WHERE says besides the key is the
write's condition. An INSERT whose condition fails has met an item with its key, and has an error of
its own.

Source: developer guide, PartiQL statements; API reference, DuplicateItemException.
"""

from __future__ import annotations

from hashrange.errors import ConditionalCheckFailed, DuplicateItem, ItemTooLarge
from hashrange.ops.door import CHECK, DELETE, PUT, UPDATE, Door, Expression, Table, Write, Written
from hashrange.ops.item_writes import IMAGES
from hashrange.ops.transactions import write_key_check
from hashrange.ops.values import TypedItem
from hashrange.partiql.faults import DUPLICATE_ITEM
from hashrange.partiql.plan import CheckPlan, DeletePlan, InsertPlan, UpdatePlan, WritePlan


def write_of(plan: WritePlan, *, want_failed: bool) -> Write:
    """Return a plan as a write. want_failed: the item that fails the condition is wanted."""
    condition = None
    if plan.condition is not None:
        condition = Expression(None, plan.names, plan.values, plan.condition)
    if isinstance(plan, InsertPlan):
        return Write(PUT, plan.item, condition, want_failed=want_failed)
    if isinstance(plan, CheckPlan):
        return Write(CHECK, plan.key, condition, want_failed=want_failed)
    image, touched = IMAGES.get(plan.returning, (None, False))
    update = None
    if isinstance(plan, UpdatePlan):
        update = Expression(None, plan.names, plan.values, plan.actions)
    return Write(
        DELETE if isinstance(plan, DeletePlan) else UPDATE,
        plan.key,
        condition,
        update,
        image == "before",
        image == "after",
        touched,
        want_failed,
    )


def run(door: Door, table: Table, write: Write) -> tuple[Written, TypedItem | None]:
    """Make a write; return what became of it, and the image that RETURNING asks for.

    Raises DuplicateItem, ConditionalCheckFailed, ItemTooLarge, ValidationError.
    """
    write_key_check(table, write)()
    try:
        outcome = door.write(table, write)
    except ConditionalCheckFailed as error:
        raise failure_of(write, error) from None
    except ItemTooLarge:
        if write.kind != UPDATE:
            raise
        # One value may be too large alone; the engine then speaks of a placeholder of ours.
        raise ItemTooLarge("Item size to update has exceeded the maximum allowed size") from None
    image = outcome.before if write.want_before else outcome.after if write.want_after else None
    return outcome, image or None


def failure_of(
    write: Write, error: ConditionalCheckFailed
) -> ConditionalCheckFailed | DuplicateItem:
    """Return the error of a write whose condition failed."""
    return DuplicateItem(DUPLICATE_ITEM) if write.kind == PUT else error
