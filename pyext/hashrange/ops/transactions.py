"""TransactWriteItems and TransactGetItems.

Theory of operation. What is wrong with a request as a whole is a ValidationException; what is wrong
with one action, its key among it, cancels the transaction and stands in that action's reason.

Source: order and words as observed on the service; capacity as measured.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from hashrange.errors import (
    ConditionalCheckFailed,
    DuplicateItem,
    Error,
    ItemCollectionSizeLimitExceeded,
    ItemTooLarge,
    ProvisionedThroughputExceeded,
    Throttling,
    TransactionConflict,
    ValidationError,
    item_table_not_found,
    transaction_canceled,
)
from hashrange.ops import capacity
from hashrange.ops.batch_writes import collection_metrics
from hashrange.ops.capacity import Bill
from hashrange.ops.door import (
    CHECK,
    DELETE,
    PUT,
    UPDATE,
    Door,
    Expression,
    Table,
    Transaction,
    Write,
    Written,
)
from hashrange.ops.item_reads import key_mark
from hashrange.ops.item_writes import bill_of
from hashrange.ops.keys import EMPTY_KEY, check_index_keys, check_item_key, check_key
from hashrange.ops.parameters import (
    OF_EXPRESSIONS,
    check_company,
    check_expressions,
    check_placeholders,
    placeholders_of,
)
from hashrange.ops.sizes import bytes_at_most, item_bytes
from hashrange.ops.values import NESTING, TypedItem, check_item

ACTIONS = (CHECK, PUT, DELETE, UPDATE)
TRANSACTION_BYTES_MAX = 4 << 20
SMALL_ITEMS = 10  # of 400 KB each are less than that
# The codes that stand in CancellationReasons, by the class of the error.
CODES: tuple[tuple[type[Error], str], ...] = (
    (ConditionalCheckFailed, "ConditionalCheckFailed"),
    (DuplicateItem, "DuplicateItem"),
    (ItemCollectionSizeLimitExceeded, "ItemCollectionSizeLimitExceeded"),
    (TransactionConflict, "TransactionConflict"),
    (ProvisionedThroughputExceeded, "ProvisionedThroughputExceeded"),
    (Throttling, "ThrottlingError"),
    (ValidationError, "ValidationError"),
)
CANONICAL = json.JSONEncoder(sort_keys=True, default=lambda binary: bytes(binary).hex())

Request = dict[str, Any]
Response = dict[str, Any]


# ---- writes --------------------------------------------------------------------------------------


def transact_write_items(door: Door, request: Request) -> Response:
    """Run TransactWriteItems. Raises TransactionCanceled and what its parts raise alone."""
    token = request.get("ClientRequestToken")
    plain = len(request) == 1 + (token is not None)
    if plain and len(request["TransactItems"]) <= SMALL_ITEMS:
        failures = door.transact_plain(request["TransactItems"], token, digest_of)
        if failures is not None:
            return plain_answer(failures)
    actions = [action_of(part) for part in request["TransactItems"]]
    for kind, action in actions:
        check_company(kind, action)
    tables = [known(door, action["TableName"]) for _, action in actions]
    writes = [
        (table, write_of(kind, action))
        for table, (kind, action) in zip(tables, actions, strict=True)
    ]
    check_keys([write_key_check(table, write) for table, write in writes])
    check_one_action_an_item([(table, write.item) for table, write in writes])
    if len(writes) > SMALL_ITEMS:
        check_items_together([write.item for _, write in writes])
    digest = b"" if token is None else digest_of(request["TransactItems"])
    outcome = door.transact(writes, token, digest)
    assert outcome is not None
    done = raise_failures(outcome, writes)
    names = [action["TableName"] for _, action in actions]
    answer: Response = {}
    used = transaction_capacity(names, done, outcome, request.get("ReturnConsumedCapacity"))
    if used is not None:
        answer["ConsumedCapacity"] = used
    if request.get("ReturnItemCollectionMetrics") == "SIZE":
        metrics = collection_metrics(door, names, writes)
        if metrics:
            answer["ItemCollectionMetrics"] = metrics
    return answer


def plain_answer(failures: list[ConditionalCheckFailed | None]) -> Response:
    """Return the response of a plain transaction, or raise why nothing was written."""
    if any(failures):
        raise transaction_canceled(
            [{"Code": "None"} if error is None else reason_of(error) for error in failures]
        )
    return {}


def action_of(part: Request) -> tuple[str, Request]:
    """Return the one action of an element of TransactItems."""
    given = [kind for kind in ACTIONS if part.get(kind) is not None]
    if not given:
        raise ValidationError(
            "The action or operation requested is invalid. Verify that the action is typed "
            "correctly."
        )
    if len(given) > 1:
        raise ValidationError(
            "TransactItems can only contain one of Check, Put, Update or Delete"
        )
    return given[0], part[given[0]]


def known(door: Door, name_or_arn: str) -> Table:
    """Return a table. Raises TableNotFound."""
    table = door.table(door.table_name(name_or_arn))
    if table is None:
        raise item_table_not_found()
    return table


def write_of(kind: str, action: Request) -> Write:
    """Return an action as a write."""
    names, values = placeholders_of(action)
    condition, update = action.get("ConditionExpression"), action.get("UpdateExpression")
    if condition is None and update is None and (names or values):
        check_placeholders(kind, action)  # nothing else looks at what nothing uses
    return Write(
        kind,
        action["Item"] if kind == PUT else action["Key"],
        None if condition is None else Expression(condition, names, values),
        None if update is None else Expression(update, names, values),
        want_failed=action.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD",
    )


def write_key_check(table: Table, write: Write) -> Callable[[], None]:
    """Return the check of a write's key."""

    def check() -> None:
        if write.kind == PUT:
            check_item_key(write.item, table.key)
            check_index_keys(write.item, table.indexes)
        else:
            check_key(write.item, table.key)

    return check


def check_keys(checks: Sequence[Callable[[], None]], *, reading: bool = False) -> None:
    """Run the checks of all actions' keys; a bad one cancels the transaction.

    An empty key value is a fault of the request, but of a read.
    """
    reasons: list[dict[str, Any]] = []
    for check in checks:
        try:
            check()
            reasons.append({"Code": "None"})
        except ValidationError as error:
            if str(error).startswith(EMPTY_KEY) and not reading:
                raise
            reasons.append(reason_of(error))
    if any(reason["Code"] != "None" for reason in reasons):
        raise transaction_canceled(reasons)


def check_items_together(items: Sequence[TypedItem]) -> None:
    """Refuse items and keys of more than 4 MB together."""
    if sum(bytes_at_most(item) for item in items) > TRANSACTION_BYTES_MAX:
        for item in items:
            check_item(item, older=True)
        check_aggregate(sum(item_bytes(item) for item in items))


def check_aggregate(size_bytes: int) -> None:
    """Refuse a transaction of more than 4 MB; the words are the API reference's."""
    if size_bytes > TRANSACTION_BYTES_MAX:
        raise ValidationError(
            "The aggregate size of the items in the transaction exceeds 4 MB"
        )


def check_one_action_an_item(items: Sequence[tuple[Table, TypedItem]]) -> None:
    """Refuse two actions on one item."""
    seen = set()
    for table, item in items:
        mark = table.name, key_mark({name: item[name] for name in table.key.names})
        if mark in seen:
            raise ValidationError(
                "Transaction request cannot include multiple operations on one item"
            )
        seen.add(mark)


def digest_of(actions: list[Request]) -> bytes:
    """Return what tells requests with the same token apart."""
    text = CANONICAL.encode(actions).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()


def raise_failures(
    outcome: Transaction, writes: Sequence[tuple[Table, Write]]
) -> list[Written]:
    """Return what was written, or raise why nothing was.

    An expression that cannot be read is a fault of the request; so is an item too large when it was
    put, whereas an update that makes it too large, or a value of it that nests too deep, is a fault
    of the action.
    """
    done: list[Written] = []
    reasons: list[dict[str, Any]] = []
    for found, (_, write) in zip(outcome.outcomes, writes, strict=True):
        too_deep = isinstance(found, ValidationError) and NESTING in str(found)
        result = ValidationError(NESTING) if too_deep else found
        if isinstance(result, Error):
            of_request = str(result).startswith(OF_EXPRESSIONS)
            if of_request or (isinstance(result, ItemTooLarge) and write.kind == PUT):
                raise result
            reasons.append(reason_of(result))
        else:
            done.append(result)
            reasons.append({"Code": "None"})
    if len(done) < len(reasons):
        raise transaction_canceled(reasons)
    return done


def reason_of(error: Error) -> dict[str, Any]:
    """Return an error as a cancellation reason; one that is none is raised."""
    for kind, code in CODES:
        if isinstance(error, kind):
            reason: dict[str, Any] = {"Code": code, "Message": str(error)}
            if isinstance(error, ConditionalCheckFailed) and error.item is not None:
                reason["Item"] = error.item
            return reason
    raise error


def transaction_capacity(
    names: list[str], done: list[Written], outcome: Transaction, mode: str | None
) -> list[dict[str, Any]] | None:
    """Return ConsumedCapacity: of writes, or of the reads that a known token costs."""
    if mode is None or mode == "NONE":
        return None
    bills: dict[str, Bill] = {}
    for name, written in zip(names, done, strict=True):
        bill = bills.setdefault(name, Bill())
        if outcome.replayed:
            size_bytes = max(written.before_bytes, written.after_bytes)
            bill.table += capacity.transact_read_half_units(size_bytes)
        else:
            bill.add(bill_of(written, transaction=True))
    kind = "Read" if outcome.replayed else "Write"
    return capacity.consumed_list(bills, mode, transaction=kind)


# ---- reads ---------------------------------------------------------------------------------------


def transact_get_items(door: Door, request: Request) -> Response:
    """Run TransactGetItems. Raises TransactionCanceled, TableNotFound, ValidationError."""
    parts = request["TransactItems"]
    found = door.read_plain(parts)
    if found is None:
        found = read_closely(door, [part["Get"] for part in parts])
    check_aggregate(sum([size_bytes for _, size_bytes in found]))
    # An item of which nothing is projected is not shown.
    answer: Response = {"Responses": [{"Item": item} if item else {} for item, _ in found]}
    mode = request.get("ReturnConsumedCapacity")
    if mode is not None:
        bills: dict[str, Bill] = {}
        for part, (_, size_bytes) in zip(parts, found, strict=True):
            bill = bills.setdefault(part["Get"]["TableName"], Bill())
            bill.table += capacity.transact_read_half_units(size_bytes)
        used = capacity.consumed_list(bills, mode, transaction="Read")
        if used is not None:
            answer["ConsumedCapacity"] = used
    return answer


def read_closely(door: Door, gets: list[Request]) -> list[tuple[TypedItem | None, int]]:
    """Read items and their sizes, checking everything in the service's order."""
    for get in gets:
        check_company("Get", get)
    tables = [known(door, get["TableName"]) for get in gets]
    pairs = list(zip(tables, gets, strict=True))
    check_keys([read_key_check(table, get["Key"]) for table, get in pairs], reading=True)
    check_one_action_an_item([(table, get["Key"]) for table, get in pairs])
    found = door.read_all([(table, get["Key"], projection_of(get)) for table, get in pairs])
    assert found is not None
    for get, (item, _) in zip(gets, found, strict=True):
        if item is None and "ProjectionExpression" in get:
            check_expressions("Get", get, door)  # nobody has looked at its names
    return found


def read_key_check(table: Table, key: TypedItem) -> Callable[[], None]:
    """Return the check of a read's key."""
    return lambda: check_key(key, table.key)


def projection_of(get: Request) -> Expression | None:
    """Return what a Get projects."""
    text = get.get("ProjectionExpression")
    names, _ = placeholders_of(get)
    if text is None:
        if names:
            check_placeholders("Get", get)
        return None
    return Expression(text, names)


# ---- what is wrong with a request ----------------------------------------------------------------


def explain_transact_write(door: Door, request: Request) -> None:
    """Raise what the service says first of a TransactWriteItems request, if anything."""
    for part in request["TransactItems"]:
        kind, action = action_of(part)
        item = action["Item"] if kind == PUT else action["Key"]
        check_item(item, older=True)
        check_company(kind, action)
        check_expressions(kind, action, door)


def explain_transact_get(door: Door, request: Request) -> None:
    """Raise what the service says first of a TransactGetItems request, if anything."""
    for part in request["TransactItems"]:
        get = part["Get"]
        check_item(get["Key"], older=True)
        check_company("Get", get)
        check_expressions("Get", get, door)
