"""PutItem, UpdateItem, DeleteItem.

Theory of operation. An operation does on its way only what the engine cannot: members that must not
go together, keys, the form of the answer. When anything fails, `explain` goes through the request
again in the service's order, and what it finds first is raised instead; so a request that is fine
pays for no check twice.

Source: order and words as observed on the service.
"""

from __future__ import annotations

from typing import Any

from hashrange.errors import ItemTooLarge, ValidationError, item_table_not_found
from hashrange.expr import lexer, parser, tree
from hashrange.ops import capacity
from hashrange.ops.capacity import Bill
from hashrange.ops.door import (
    CHECK,
    DELETE,
    PUT,
    UPDATE,
    Door,
    Expression,
    Table,
    Write,
    Written,
)
from hashrange.ops.keys import check_index_keys, check_index_types, check_item_key, check_key
from hashrange.ops.parameters import (
    check_company,
    check_expressions,
    check_return_values,
    enveloped,
    placeholders_of,
)
from hashrange.ops.sizes import (
    ITEM_BYTES_MAX,
    item_bytes,
    path_of,
    surely_small,
    update_bytes,
    update_gate_bytes,
)
from hashrange.ops.values import check_item, check_name, check_values

Request = dict[str, Any]
Response = dict[str, Any]

UNSUPPORTED_INDEX_KEY = (
    "The update expression attempted to update the secondary index key to unsupported type"
)
# What ReturnValues asks for: the image, and whether only what was updated.
IMAGES = {
    "ALL_OLD": ("before", False),
    "ALL_NEW": ("after", False),
    "UPDATED_OLD": ("before", True),
    "UPDATED_NEW": ("after", True),
}


def put_item(door: Door, request: Request) -> Response:
    """Run PutItem. Raises ConditionalCheckFailed, ItemTooLarge, TableNotFound, ValidationError."""
    if door.write_plain(PUT, request):
        return {}
    condition = condition_of("PutItem", door, request)
    table = known_table(door, request)
    item = request["Item"]
    check_item_key(item, table.key)
    if table.indexes:
        check_index_keys(item, table.indexes)
    return written(door, table, request, write_of(PUT, item, request, condition))


def delete_item(door: Door, request: Request) -> Response:
    """Run DeleteItem. Raises ConditionalCheckFailed, TableNotFound, ValidationError."""
    if door.write_plain(DELETE, request):
        return {}
    condition = condition_of("DeleteItem", door, request)
    table = known_table(door, request)
    check_key(request["Key"], table.key)
    return written(door, table, request, write_of(DELETE, request["Key"], request, condition))


def update_item(door: Door, request: Request) -> Response:
    """Run UpdateItem. Raises ConditionalCheckFailed, ItemTooLarge, TableNotFound, ValidationError.

    Without any update it makes the item, if there is none.
    """
    text = request.get("UpdateExpression")
    small = text is not None and surely_small(
        text, request.get("ExpressionAttributeNames"), request.get("ExpressionAttributeValues")
    )
    if small and door.write_plain(UPDATE, request):
        return {}
    condition = condition_of("UpdateItem", door, request)
    update = update_of(door, request)
    table = known_table(door, request)
    check_key(request["Key"], table.key)
    write = write_of(UPDATE, request["Key"], request, condition, update)
    if text is not None and not small:
        check_charge(door, table, request, write)
    try:
        return written(door, table, request, write)
    except ValidationError as error:
        if update is not None and str(error) == UNSUPPORTED_INDEX_KEY:
            check_constants(table, update)
        raise


def check_constants(table: Table, update: Expression) -> None:
    """Refuse an update that sets an index key to a constant of another type.

    The service sees that without the item; only computed values are told of as such.
    """
    actions = update.tree if update.text is None else parser.parse_update(update.text)
    given: dict[str, Any] = {}
    for action in actions:
        value = None if isinstance(action, tree.Remove) else action.value
        if isinstance(value, tree.Value) and update.values is not None:
            path = path_of(action.path, update.names)
            if len(path) == 1:
                given[str(path[0])] = update.values[value.token]
    check_index_types(given, table.indexes)


def check_charge(door: Door, table: Table, request: Request, write: Write) -> None:
    """Refuse an update that is charged for more than an item may have; its condition goes first.

    Raises ItemTooLarge, and what the update would raise anyway.
    """
    check_expressions("UpdateItem", request, door)
    names, values = placeholders_of(request)
    costs = update_bytes(parser.parse_update(request["UpdateExpression"]), names, values)
    if update_gate_bytes(0, costs) <= ITEM_BYTES_MAX:
        return
    if write.condition is not None:
        alone = Write(CHECK, write.item, alone_of(write.condition), want_failed=write.want_failed)
        door.write(table, alone)
    raise ItemTooLarge("Item size to update has exceeded the maximum allowed size")


def alone_of(condition: Expression) -> Expression:
    """Return a condition with those placeholders of its request that it uses."""
    if condition.text is None:
        return condition
    used = set(lexer.tokenize(condition.text, "ConditionExpression").texts)
    names, values = condition.names or {}, condition.values or {}
    return Expression(
        condition.text,
        {token: names[token] for token in names if token in used} or None,
        {token: values[token] for token in values if token in used} or None,
    )


# ---- the request ---------------------------------------------------------------------------------


def known_table(door: Door, request: Request) -> Table:
    """Return the request's table. Raises TableNotFound."""
    table = door.table(door.table_name(request["TableName"]))
    if table is None:
        raise item_table_not_found()
    return table


def condition_of(operation: str, door: Door, request: Request) -> Expression | None:
    """Return the request's condition after checking what must not go together."""
    if len(request) == 2:
        return None
    check_company(operation, request)
    check_return_values(operation, request)
    text = request.get("ConditionExpression")
    if text is not None:
        return Expression(text, *placeholders_of(request))
    if request.get("Expected"):
        return door.expected(request["Expected"], request.get("ConditionalOperator"))
    return None


def update_of(door: Door, request: Request) -> Expression | None:
    """Return the request's update; with a condition it shares the placeholders."""
    text = request.get("UpdateExpression")
    if text is not None:
        return Expression(text, *placeholders_of(request))
    if request.get("AttributeUpdates"):
        return door.updates(request["AttributeUpdates"])
    return None


def write_of(
    kind: str,
    item: dict[str, Any],
    request: Request,
    condition: Expression | None,
    update: Expression | None = None,
) -> Write:
    """Return the write, with the images that the answer needs."""
    if len(request) == 2:
        # Nothing is wanted; by position, which is faster.
        return Write(kind, item, None, None, False, False, False, False, False)
    image, touched = IMAGES.get(request.get("ReturnValues") or "NONE", (None, False))
    failed = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    charged = request.get("ReturnConsumedCapacity") is not None
    return Write(
        kind, item, condition, update, image == "before", image == "after", touched, failed, charged
    )


# ---- the answer ----------------------------------------------------------------------------------


def written(door: Door, table: Table, request: Request, write: Write) -> Response:
    """Make a write and return the operation's response."""
    outcome = door.write(table, write)
    answer: Response = {}
    if len(request) == 2:
        return answer
    image = outcome.before if write.want_before else outcome.after if write.want_after else None
    if image:
        answer["Attributes"] = image
    mode = request.get("ReturnConsumedCapacity")
    if mode is not None and mode != "NONE":
        answer["ConsumedCapacity"] = capacity.consumed(
            request["TableName"], bill_of(outcome), mode
        )
    if request.get("ReturnItemCollectionMetrics") == "SIZE" and table.has_local_indexes:
        answer["ItemCollectionMetrics"] = metrics_of(door, table, write.item)
    return answer


def bill_of(outcome: Written, *, transaction: bool = False) -> Bill:
    """Return what a write costs, index by index."""
    bill = Bill(
        capacity.write_half_units(
            outcome.before_bytes, outcome.after_bytes, transaction=transaction
        )
    )
    for arm in outcome.arms:
        arms = bill.global_indexes if arm.is_global else bill.local_indexes
        arms[arm.index_name] = capacity.index_half_units(
            arm.before_bytes,
            arm.after_bytes,
            same_key=arm.same_key,
            same_entry=arm.same_entry,
        )
    return bill


def metrics_of(door: Door, table: Table, item: dict[str, Any]) -> dict[str, Any]:
    """Return ItemCollectionMetrics of the collection that an item or key belongs to."""
    hash_name = table.key.names[0]
    hash_key = {hash_name: item[hash_name]}
    return capacity.collection_metrics(hash_key, door.collection_bytes(table, hash_key))


# ---- what is wrong with a request ----------------------------------------------------------------


def explain(operation: str, door: Door, request: Request) -> None:
    """Raise what the service says first of a request of ours that failed, if the request says it.

    Called with one whose shape is fine.
    """
    with enveloped(operation):
        check_company(operation, request)
        check_item(request["Item" if operation == "PutItem" else "Key"])
        check_return_values(operation, request)
    if operation == "PutItem" and item_bytes(request["Item"]) > ITEM_BYTES_MAX:
        raise ItemTooLarge("Item size has exceeded the maximum allowed size")
    with enveloped(operation):
        updates = request.get("AttributeUpdates") or {}
        for name in (*updates, *(request.get("Expected") or ())):
            check_name(name)
        check_values(
            update["Value"] for update in updates.values() if update.get("Value") is not None
        )
        door.updates(updates)
        for condition in (request.get("Expected") or {}).values():
            check_values(condition.get("AttributeValueList") or ())
            check_values([condition["Value"]] if condition.get("Value") is not None else ())
        if request.get("Expected"):
            door.expected(request["Expected"], request.get("ConditionalOperator"))
        check_expressions(operation, request, door)
