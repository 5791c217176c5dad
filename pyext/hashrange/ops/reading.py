"""Query and Scan: the rules of Select, segments, indexes and starting keys.

Theory of operation. `check_query` and `check_scan` look at what goes together in the request,
`check_access` at the index that it reads, `check_start` and `check_restart` at the key at which it
goes on, `check_condition_values` at what it compares the key with. When a request has failed,
`explain_query` and `explain_scan` look at all of it, values too.

Sources: messages as observed on the service, those of 2026 where they differ from older ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ddbcore import number
from hashrange.errors import ValidationError, constraints_failed, invalid_parameter, java_list
from hashrange.expr import KeyCondition
from hashrange.ops.door import Door
from hashrange.ops.keys import (
    HASH_BYTES_MAX,
    PLAIN_LENGTH_MAX,
    RANGE_BYTES_MAX,
    Index,
    KeyShape,
    check_key,
    does_not_match,
    empty_key,
    hash_too_long,
    key_size_bytes,
    range_too_long,
)
from hashrange.ops.parameters import (
    check_attributes_to_get,
    check_company,
    check_expressions,
)
from hashrange.ops.values import (
    TypedItem,
    TypedValue,
    bytes_of_blob,
    check_item,
    check_values,
    type_of,
)

Request = Mapping[str, Any]


def check_query(request: Request) -> None:
    """Check a Query request by itself: what goes together, not yet the values."""
    check_company("Query", request)
    check_attributes_to_get(request)
    check_key_condition(request)
    check_query_select(request)


def explain_query(door: Door, request: Request) -> None:
    """Check a Query request completely, in the service's order."""
    check_company("Query", request)
    check_conditions(door, request, "QueryFilter")
    check_attributes_to_get(request)
    check_item(request.get("ExclusiveStartKey") or {})
    check_key_condition(request)
    check_query_select(request)
    check_expressions("Query", request, door)
    check_conditions(door, request, "KeyConditions")


def check_conditions(door: Door, request: Request, member: str) -> None:
    """Check conditions of the old form by themselves: values, then their number and types."""
    conditions = request.get(member) or {}
    for condition in conditions.values():
        check_values(condition.get("AttributeValueList") or (), older=member == "ScanFilter")
        door.filters({"": condition}, None)


def check_key_condition(request: Request) -> None:
    """Refuse a Query without a key condition."""
    if request.get("KeyConditions") is None and request.get("KeyConditionExpression") is None:
        raise ValidationError(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
            "request."
        )


def check_query_select(request: Request) -> None:
    """Check Select, in the form in which Query complains of it."""
    try:
        check_select(request)
    except ValidationError as error:
        raise constraints_failed([str(error)]) from None


def check_scan(request: Request) -> None:
    """Check a Scan request by itself: what goes together, not yet the values."""
    check_company("Scan", request)
    check_attributes_to_get(request)
    check_segments(request.get("Segment"), request.get("TotalSegments"))
    check_select(request)


def explain_scan(door: Door, request: Request) -> None:
    """Check a Scan request completely, in the service's order."""
    check_company("Scan", request)
    check_attributes_to_get(request)
    check_conditions(door, request, "ScanFilter")
    check_start_values(request)
    check_segments(request.get("Segment"), request.get("TotalSegments"))
    check_select(request)
    check_expressions("Scan", request, door)


def check_select(request: Request) -> None:
    """Check Select against what is projected."""
    select = request.get("Select")
    if select is None:
        return
    projection = next(
        (
            member
            for member in ("ProjectionExpression", "AttributesToGet")
            if request.get(member) is not None
        ),
        None,
    )
    if select == "SPECIFIC_ATTRIBUTES":
        if projection is None:
            raise ValidationError(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
                "SPECIFIC_ATTRIBUTES"
            )
        return
    if projection is not None:
        what = "only the Count" if select == "COUNT" else select
        raise ValidationError(f"Cannot specify the {projection} when choosing to get {what}")
    if select == "ALL_PROJECTED_ATTRIBUTES" and request.get("IndexName") is None:
        raise ValidationError(
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
        )


def check_segments(segment: int | None, total: int | None) -> None:
    """Check Segment and TotalSegments against each other."""
    if segment is not None and total is None:
        raise ValidationError(
            "The TotalSegments parameter is required but was not present in the request when "
            "Segment parameter is present"
        )
    if total is not None and segment is None:
        raise ValidationError(
            "The Segment parameter is required but was not present in the request when parameter "
            "TotalSegments is present"
        )
    if segment is not None and total is not None and segment >= total:
        raise ValidationError(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )


def check_consistency(request: Request, index: Index | None) -> None:
    """Refuse a consistent read of a global index."""
    if index is not None and index.is_global and request.get("ConsistentRead"):
        raise ValidationError("Consistent reads are not supported on global secondary indexes")


def check_access(
    request: Request, index: Index | None, table: KeyShape, attributes: set[str] | None
) -> None:
    """Check what is read against the index it is read from.

    attributes: top-level names that the request projects; None when it projects nothing. A local
    index fetches what it lacks, a global one cannot.
    """
    if index is None or not index.is_global or index.projected is None:
        return
    if request.get("Select") == "ALL_ATTRIBUTES":
        raise invalid_parameter(
            "Select type ALL_ATTRIBUTES is not supported for global secondary index "
            f"{index.name} because its projection type is not ALL"
        )
    held = {*index.projected, *index.key.names, *table.names}
    lacking = sorted((attributes or set()) - held)
    if lacking:
        raise invalid_parameter(
            f"Global secondary index {index.name} does not project {java_list(lacking)}"
        )


# ---- starting keys -------------------------------------------------------------------------------


def invalid_start(detail: str | None = None) -> ValidationError:
    """Make the error of a starting key that is none."""
    words = "The provided starting key is invalid"
    return ValidationError(words if detail is None else f"{words}: {detail}")


def check_start_values(request: Request) -> None:
    """Check the values of Scan's ExclusiveStartKey by themselves."""
    start: TypedItem | None = request.get("ExclusiveStartKey")
    if start is None:
        return
    try:
        check_item(start, older=True)
    except ValidationError as error:
        raise invalid_start(str(error)) from None


def check_start(start: TypedItem, table: KeyShape, index: Index | None, *, query: bool) -> None:
    """Check that ExclusiveStartKey has the attributes of the table's key and of the index's.

    Only a Scan of the table itself says what does not fit.
    """
    attributes = dict(table.attributes)
    if index is not None:
        attributes.update(index.key.attributes)
    for name, kind in attributes.items():
        if len(start) != len(attributes) or name not in start or type_of(start[name]) != kind:
            told = None if query or index is not None else str(does_not_match())
            raise invalid_start(told)
    try:
        check_key({name: start[name] for name in table.names}, table)
    except ValidationError as error:
        raise invalid_start(str(error)) from None


def check_restart(
    start: TypedItem, shape: KeyShape, keys: KeyCondition, values: Mapping[str, TypedValue]
) -> None:
    """Check that a query may go on behind a key: it lies in what the query reads.

    start: an ExclusiveStartKey that `check_start` has passed; shape: the key of what is read.
    Source: messages as observed on the service.
    """
    kinds = dict(shape.attributes)
    for condition in keys.range:
        kind = kinds[condition.name]
        place = order_mark(start[condition.name], kind)
        if not holds(condition.operator, place, [
            order_mark(values[token], kind) for token in condition.values
        ]):
            raise ValidationError(
                "The provided starting key does not match the range key predicate"
            )
    for name, token in keys.hash:
        if order_mark(start[name], kinds[name]) != order_mark(values[token], kinds[name]):
            raise start_outside(bounded=bool(keys.range))


def order_mark(value: TypedValue, kind: str) -> Any:
    """Return what orders key values of a type as the service does."""
    inner: Any = value[kind]
    if kind == "N":
        return number.parse(inner)
    return inner.encode("utf-8", "surrogatepass") if kind == "S" else bytes_of_blob(inner)


def holds(operator: str, place: Any, bounds: list[Any]) -> bool:
    """Tell whether a condition on a range key holds at a place."""
    match operator:
        case "=":
            return bool(place == bounds[0])
        case "<":
            return bool(place < bounds[0])
        case "<=":
            return bool(place <= bounds[0])
        case ">":
            return bool(place > bounds[0])
        case ">=":
            return bool(place >= bounds[0])
        case "BETWEEN":
            return bool(bounds[0] <= place <= bounds[1])
    return bool(place.startswith(bounds[0]))


def start_outside(*, bounded: bool) -> ValidationError:
    """Make the error of a starting key with another hash key than the query's.

    bounded: the query has a condition on the range key too.
    """
    return ValidationError(
        "The query can return at most one row and cannot be restarted"
        if bounded
        else "The provided starting key is outside query boundaries based on provided conditions"
    )


def start_of_another_segment(segment: int, total: int) -> ValidationError:
    """Make the error of a starting key that lies in another segment than the one scanned."""
    return invalid_start(
        "Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. "
        f"TotalSegments: {total} Segment: {segment}"
    )


# ---- key conditions ------------------------------------------------------------------------------


def check_condition_values(
    keys: KeyCondition, shape: KeyShape, values: Mapping[str, TypedValue], index: str | None
) -> None:
    """Check the values that a query compares key attributes with: types, not empty, not too long.

    index: its name when the query is of one.
    """
    kinds = dict(shape.attributes)
    for name, token in keys.hash:
        check_condition_value(name, values[token], kinds[name], index, HASH_BYTES_MAX)
    for condition in keys.range:
        for token in condition.values:
            kind = kinds[condition.name]
            check_condition_value(condition.name, values[token], kind, index, RANGE_BYTES_MAX)


def check_condition_value(
    name: str, value: TypedValue, kind: str, index: str | None, most_bytes: int
) -> None:
    """Check one value of a key condition."""
    # Members of a value that are null, or that the service does not know, are not there.
    if kind not in value or (len(value) != 1 and type_of(value) != kind):
        raise invalid_parameter("Condition parameter type does not match schema type")
    if kind == "N" or 0 < len(value[kind]) <= PLAIN_LENGTH_MAX:
        return
    size = key_size_bytes(value, kind)
    if size == 0:
        raise empty_key(name, kind, index)
    if size > most_bytes:
        raise hash_too_long() if most_bytes == HASH_BYTES_MAX else range_too_long()
