"""BatchWriteItem: puts and deletes without conditions, each for itself.

Source: order and words as observed on the service.
"""

from __future__ import annotations

from typing import Any

from hashrange.errors import ItemTooLarge, ValidationError, item_table_not_found
from hashrange.ops import capacity
from hashrange.ops.capacity import Bill
from hashrange.ops.door import DELETE, PUT, Door, Table, Write
from hashrange.ops.item_reads import key_mark
from hashrange.ops.item_requests import BATCH_WRITES_MAX
from hashrange.ops.item_writes import bill_of, metrics_of
from hashrange.ops.keys import check_index_keys, check_item_key, check_key, does_not_match
from hashrange.ops.sizes import ITEM_BYTES_MAX, item_bytes
from hashrange.ops.values import check_item, type_of

Request = dict[str, Any]
Response = dict[str, Any]


def batch_write_item(door: Door, request: Request) -> Response:
    """Run BatchWriteItem. Raises ItemTooLarge, TableNotFound, ValidationError."""
    check_batch(request["RequestItems"])
    writes: list[tuple[Table, Write]] = []
    names: list[str] = []
    for name, parts in request["RequestItems"].items():
        table = door.table(door.table_name(name))
        if table is None:
            raise item_table_not_found()
        writes += [(table, batch_write(table, part)) for part in parts]
        names += [name] * len(parts)
    check_distinct(writes)
    outcomes = door.write_all(writes)
    bills: dict[str, Bill] = {}
    for name, outcome in zip(names, outcomes, strict=True):
        bills.setdefault(name, Bill()).add(bill_of(outcome))
    answer: Response = {"UnprocessedItems": {}}
    used = capacity.consumed_list(bills, request.get("ReturnConsumedCapacity"))
    if used is not None:
        answer["ConsumedCapacity"] = used
    if request.get("ReturnItemCollectionMetrics") == "SIZE":
        metrics = collection_metrics(door, names, writes)
        if metrics:
            answer["ItemCollectionMetrics"] = metrics
    return answer


def check_batch(tables: dict[str, list[Request]]) -> None:
    """Check a batch by itself: one action each, 25 in all."""
    count = 0
    for parts in tables.values():
        count += len(parts)
        for part in parts:
            if (part.get("PutRequest") is None) == (part.get("DeleteRequest") is None):
                # The service's words, though there is no attribute value to speak of.
                raise ValidationError(
                    "Supplied AttributeValue has more than one datatypes set, must contain "
                    "exactly one of the supported datatypes"
                )
    if count > BATCH_WRITES_MAX:
        raise ValidationError("Too many items requested for the BatchWriteItem call")


def batch_write(table: Table, part: Request) -> Write:
    """Return one write of a batch, its key checked."""
    put = part.get("PutRequest")
    if put is None:
        key = part["DeleteRequest"]["Key"]
        check_key(key, table.key)
        return Write(DELETE, key)
    item = put["Item"]
    for name, kind in table.key.attributes:
        # Of a batch the service says this as it does of a key alone.
        if name not in item or type_of(item[name]) != kind:
            raise does_not_match()
    check_item_key(item, table.key)
    check_index_keys(item, table.indexes)
    return Write(PUT, item)


def check_distinct(writes: list[tuple[Table, Write]]) -> None:
    """Refuse two writes of one item."""
    seen = set()
    for table, write in writes:
        mark = table.name, key_mark({name: write.item[name] for name in table.key.names})
        if mark in seen:
            raise ValidationError("Provided list of item keys contains duplicates")
        seen.add(mark)


def collection_metrics(
    door: Door, names: list[str], writes: list[tuple[Table, Write]]
) -> dict[str, list[dict[str, Any]]]:
    """Return the metrics of each item collection that was written, by table."""
    metrics: dict[str, list[dict[str, Any]]] = {}
    seen = set()
    for name, (table, write) in zip(names, writes, strict=True):
        hash_name = table.key.names[0]
        mark = name, key_mark({hash_name: write.item[hash_name]})
        if table.has_local_indexes and mark not in seen:
            seen.add(mark)
            metrics.setdefault(name, []).append(metrics_of(door, table, write.item))
    return metrics


def explain_batch_write(_door: Door, request: Request) -> None:
    """Raise what the service says first of a BatchWriteItem request that failed, if anything."""
    check_batch(request["RequestItems"])
    for parts in request["RequestItems"].values():
        for part in parts:
            put = part.get("PutRequest")
            values = part["DeleteRequest"]["Key"] if put is None else put["Item"]
            check_item(values, older=True)
            if put is not None and item_bytes(values) > ITEM_BYTES_MAX:
                raise ItemTooLarge("Item size has exceeded the maximum allowed size")
