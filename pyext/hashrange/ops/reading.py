"""Query and Scan: the rules of Select, segments, indexes and starting keys.

Theory of operation. `check_query` and `check_scan` look at what goes together in the request,
`check_access` at the index that it reads, `check_start` at the key at which it goes on. When a
request has failed, `explain_query` and `explain_scan` look at all of it, values too.

Sources: messages as observed on the service, those of 2026 where they differ from older ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hashrange.errors import ValidationError, constraints_failed, invalid_parameter, java_list
from hashrange.ops.door import Door
from hashrange.ops.keys import Index, KeyShape, check_key, does_not_match
from hashrange.ops.parameters import (
    check_attributes_to_get,
    check_company,
    check_expressions,
)
from hashrange.ops.values import TypedItem, check_values, type_of

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
    check_attributes_to_get(request)
    check_values((request.get("ExclusiveStartKey") or {}).values())
    check_key_condition(request)
    check_query_select(request)
    check_expressions("Query", request, door)


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


def check_access(
    request: Request, index: Index | None, table: KeyShape, attributes: set[str] | None
) -> None:
    """Check what is read against the index it is read from.

    attributes: top-level names that the request projects; None when it projects nothing. A local
    index fetches what it lacks, a global one cannot.
    """
    if index is None or not index.is_global:
        return
    if request.get("ConsistentRead"):
        raise ValidationError("Consistent reads are not supported on global secondary indexes")
    if index.projected is None:
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
        check_values(start.values(), older=True)
    except ValidationError as error:
        raise invalid_start(str(error)) from None


def check_start(start: TypedItem, table: KeyShape, index: Index | None, *, query: bool) -> None:
    """Check that ExclusiveStartKey has the attributes of the table's key and of the index's."""
    names = set(table.names) | (set(index.key.names) if index is not None else set())
    if len(start) != len(names):
        if index is not None:
            raise invalid_start()
        if query:
            raise ValidationError("Exclusive Start Key must have same size as table's key schema")
        raise invalid_start(str(does_not_match()))
    if index is not None:
        for name, kind in index.key.attributes:
            if name not in start or type_of(start[name]) != kind:
                raise invalid_start()
    try:
        check_key({name: start[name] for name in table.names if name in start}, table)
    except ValidationError as error:
        raise invalid_start(str(error)) from None


def start_outside() -> ValidationError:
    """Make the error of a starting key with another hash key than the query's."""
    return ValidationError(
        "The provided starting key is outside query boundaries based on provided conditions"
    )


def start_beyond_range() -> ValidationError:
    """Make the error of a starting key whose range key breaks the query's condition on it."""
    return ValidationError("The provided starting key does not match the range key predicate")
