"""Throughput settings of a table or a global index: what may be asked for, what is kept of it.

Theory of operation. A table's meta and each global index's hold one `Capacity` dict: provisioned
units (0 under on-demand billing), when they last rose and fell, how often they fell on which UTC
day, the warm throughput, which never falls, and on-demand maxima where they are set. The functions
here check a request against it and change it; times are epoch seconds, handed in.

Sources: messages and behaviour as observed on the service in 2026; decreases: developer guide, four
in a UTC day, then one an hour.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from hashrange.errors import LimitExceeded, ValidationError, invalid_parameter

PAY_PER_REQUEST = "PAY_PER_REQUEST"
PROVISIONED = "PROVISIONED"
WARM_READ, WARM_WRITE = 12_000, 4_000       # what an on-demand table starts with
UNITS_MAX = 1_000_000_000_000
DECREASES_FREE = 4                          # in a UTC day
DECREASE_INTERVAL_S = 3600
DAY_S = 86400
READ, WRITE = "ReadCapacityUnits", "WriteCapacityUnits"
MAX_READ, MAX_WRITE = "MaxReadRequestUnits", "MaxWriteRequestUnits"
READ_PER_S, WRITE_PER_S = "ReadUnitsPerSecond", "WriteUnitsPerSecond"
INITIAL_URL = (
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
    "on-demand-capacity-mode.html#on-demand-capacity-mode-initial"
)
LIMITS_WORDS = (
    "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher "
    "limits."
)

Request = dict[str, Any]
Capacity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quotas:
    """What the account may provision, as DescribeLimits reports it; units per second."""

    account_read: int = 80_000
    account_write: int = 80_000
    table_read: int = 40_000
    table_write: int = 40_000


# ---- CreateTable ---------------------------------------------------------------------------------


def check_new(request: Request, quotas: Quotas, region: str) -> None:
    """Check the throughput members of a CreateTable request, the table's first."""
    on_demand = request.get("BillingMode") == PAY_PER_REQUEST
    provisioned = request.get("ProvisionedThroughput")
    if on_demand and provisioned is not None:
        raise units_under_on_demand()
    if not on_demand and provisioned is None:
        raise invalid_parameter(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is "
            "PROVISIONED"
        )
    check_new_maxima(request, None, on_demand=on_demand)
    check_new_warm(request, None, on_demand=on_demand)
    if provisioned is not None:
        check_units(provisioned, quotas, region, None)
    for index in request.get("GlobalSecondaryIndexes") or ():
        check_new_index(index, quotas, region, on_demand=on_demand)


def check_new_index(index: Request, quotas: Quotas, region: str, *, on_demand: bool) -> None:
    """Check the throughput members of a global index in CreateTable."""
    name, provisioned = index["IndexName"], index.get("ProvisionedThroughput")
    if on_demand and provisioned is not None:
        raise invalid_parameter(
            f"ProvisionedThroughput should not be specified for index: {name} when BillingMode is "
            "PAY_PER_REQUEST"
        )
    if not on_demand and provisioned is None:
        raise invalid_parameter(f"ProvisionedThroughput is not specified for index: {name}")
    check_new_maxima(index, name, on_demand=on_demand)
    check_new_warm(index, name, on_demand=on_demand)
    if provisioned is not None:
        check_units(provisioned, quotas, region, name)


def check_new_maxima(settings: Request, index: str | None, *, on_demand: bool) -> None:
    """Check OnDemandThroughput of a new table or index."""
    maxima = settings.get("OnDemandThroughput") or {}
    for member in (MAX_READ, MAX_WRITE):
        if maxima.get(member) is None:
            continue
        if not on_demand:
            target = "" if index is None else f"for index: {index} "
            raise invalid_parameter(
                f"{member} for OnDemandThroughput {target}cannot be specified when table "
                "BillingMode is PROVISIONED."
            )
        if maxima[member] < 1:
            raise maximum_out_of_range(member, index)


def check_new_warm(settings: Request, index: str | None, *, on_demand: bool) -> None:
    """Check WarmThroughput of a new table or index: not below what it starts with anyway."""
    warm = settings.get("WarmThroughput") or {}
    provisioned = settings.get("ProvisionedThroughput") or {}
    for member, units, initial in (
        (READ_PER_S, READ, WARM_READ),
        (WRITE_PER_S, WRITE, WARM_WRITE),
    ):
        least = initial if on_demand else provisioned.get(units, 0)
        if warm.get(member) is None or warm[member] >= least:
            continue
        target = "table" if index is None else f"index {index}"
        floor = (
            f"initial throughput for OnDemand. See: {INITIAL_URL}"
            if on_demand
            else f"{units} of ProvisionedThroughput"
        )
        raise invalid_parameter(
            f"Requested {member} for WarmThroughput for {target} is lower than {floor}"
        )


def check_units(provisioned: Request, quotas: Quotas, region: str, index: str | None) -> None:
    """Check provisioned units against what one table or index may have."""
    for member, most in ((READ, quotas.table_read), (WRITE, quotas.table_write)):
        value = provisioned[member]
        suffix = "" if index is None else f" for index {index}"
        if value > UNITS_MAX:
            raise ValidationError(f"Given value {value} for {member} is out of bounds{suffix}")
        if value > most:
            kind = "table" if index is None else "index"
            raise LimitExceeded(
                f"The requested {member}{suffix}, {value}, is above the per {kind} maximum for "
                f"the account in {region}. Per {kind} maximum: {most}. {LIMITS_WORDS}"
            )


# ---- words ---------------------------------------------------------------------------------------


def units_under_on_demand() -> ValidationError:
    """Make the error of provisioned units where there are none."""
    return invalid_parameter(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
        "PAY_PER_REQUEST"
    )


def maximum_out_of_range(member: str, index: str | None) -> ValidationError:
    """Make the error of an on-demand maximum below 1."""
    target = "table" if index is None else f"index : {index}"
    return invalid_parameter(
        f"Requested {member} for OnDemandThroughput for {target} is outside of valid range"
    )


def will_not_change(capacity: Capacity, provisioned: Request, index: str | None) -> ValidationError:
    """Make the error of units that are what they were."""
    target = "the table" if index is None else f"the index {index}"
    holder = "the table" if index is None else f"index {index}"
    changes = " ".join(
        f"Current {member} provisioned for {holder}: {capacity[member]}. "
        f"Requested {member}: {provisioned[member]}."
        for member in (READ, WRITE)
    )
    return ValidationError(
        f"The provisioned throughput for {target} will not change. The requested value equals the "
        f"current value. {changes} {LIMITS_WORDS}"
    )


def too_many_decreases(capacity: Capacity) -> LimitExceeded:
    """Make the error of a decrease within an hour of the last, after four in a day."""
    last = capacity["LastDecreaseDateTime"]
    return LimitExceeded(
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given "
        f"UTC day. After the first {DECREASES_FREE} decreases, each subsequent decrease in the "
        f"same UTC day can be performed at most once every {DECREASE_INTERVAL_S} seconds. Number "
        f"of decreases today: {capacity['Decreases']}. Last decrease at {long_date(last)}. Next "
        f"decrease can be made at {long_date(last + DECREASE_INTERVAL_S)}"
    )


def long_date(seconds: float) -> str:
    """Write a time as the service does in that message."""
    moment = time.gmtime(seconds)
    hour = moment.tm_hour % 12 or 12
    return (
        time.strftime("%A, %B ", moment)
        + f"{moment.tm_mday}, {moment.tm_year} at {hour}"
        + time.strftime(":%M:%S %p Coordinated Universal Time", moment)
    )


# ---- what is kept --------------------------------------------------------------------------------


def new_capacity(settings: Request, *, on_demand: bool) -> Capacity:
    """Return the Capacity of a new table or global index."""
    provisioned = settings.get("ProvisionedThroughput") or {READ: 0, WRITE: 0}
    warm = settings.get("WarmThroughput") or {}
    initial = (WARM_READ, WARM_WRITE) if on_demand else (provisioned[READ], provisioned[WRITE])
    capacity: Capacity = {
        READ: provisioned[READ],
        WRITE: provisioned[WRITE],
        "Warm": [
            initial[0] if warm.get(READ_PER_S) is None else warm[READ_PER_S],
            initial[1] if warm.get(WRITE_PER_S) is None else warm[WRITE_PER_S],
        ],
    }
    set_maxima(capacity, settings.get("OnDemandThroughput") or {})
    return capacity


def decreases_today(capacity: Capacity, now: float) -> int:
    """Return how often the units fell on the UTC day of `now`."""
    today = int(now // DAY_S)
    return int(capacity.get("Decreases", 0)) if capacity.get("DecreaseDay") == today else 0


def check_change(
    capacity: Capacity, provisioned: Request, now: float, index: str | None = None
) -> None:
    """Refuse units that are no change, or a decrease that is not due yet."""
    if (capacity[READ], capacity[WRITE]) == (provisioned[READ], provisioned[WRITE]):
        raise will_not_change(capacity, provisioned, index)
    falls = provisioned[READ] < capacity[READ] or provisioned[WRITE] < capacity[WRITE]
    if (
        falls
        and decreases_today(capacity, now) >= DECREASES_FREE
        and now < capacity["LastDecreaseDateTime"] + DECREASE_INTERVAL_S
    ):
        raise too_many_decreases(capacity)


def change_units(capacity: Capacity, provisioned: Request, now: float) -> None:
    """Set provisioned units; warm throughput follows a rise and stays at a fall."""
    if provisioned[READ] > capacity[READ] or provisioned[WRITE] > capacity[WRITE]:
        capacity["LastIncreaseDateTime"] = now
    if provisioned[READ] < capacity[READ] or provisioned[WRITE] < capacity[WRITE]:
        capacity["Decreases"] = decreases_today(capacity, now) + 1
        capacity["DecreaseDay"] = int(now // DAY_S)
        capacity["LastDecreaseDateTime"] = now
    capacity[READ], capacity[WRITE] = provisioned[READ], provisioned[WRITE]
    raise_warm(capacity, provisioned[READ], provisioned[WRITE])


def switch_billing(capacity: Capacity, provisioned: Request | None) -> None:
    """Go over to provisioned units, or with None to on-demand; on-demand maxima are dropped."""
    capacity.pop("OnDemand", None)
    if provisioned is None:
        capacity[READ] = capacity[WRITE] = 0
        raise_warm(capacity, WARM_READ, WARM_WRITE)
    else:
        capacity[READ], capacity[WRITE] = provisioned[READ], provisioned[WRITE]
        raise_warm(capacity, provisioned[READ], provisioned[WRITE])


def raise_warm(capacity: Capacity, read: int, write: int) -> None:
    """Raise the warm throughput to at least this; it never falls."""
    warm = capacity["Warm"]
    capacity["Warm"] = [max(warm[0], read), max(warm[1], write)]


def check_warm(capacity: Capacity, warm: Request, index: str | None = None) -> None:
    """Refuse a warm throughput below the present one."""
    for member, current in zip((READ_PER_S, WRITE_PER_S), capacity["Warm"], strict=True):
        if warm.get(member) is not None and warm[member] < current:
            target = "table" if index is None else f"index {index}"
            raise invalid_parameter(
                f"Requested {member} for WarmThroughput for {target} is lower than current "
                "WarmThroughput, decreasing WarmThroughput is not supported"
            )


def change_warm(capacity: Capacity, warm: Request) -> None:
    """Raise the warm throughput to what was asked for; a member left out stays."""
    raise_warm(capacity, warm.get(READ_PER_S) or 0, warm.get(WRITE_PER_S) or 0)


def check_maxima(
    maxima: Request, index: str | None, *, on_demand: bool, quotas: Quotas, region: str
) -> None:
    """Check OnDemandThroughput in UpdateTable; -1 takes a maximum away."""
    for member, most in ((MAX_READ, quotas.table_read), (MAX_WRITE, quotas.table_write)):
        value = maxima.get(member)
        if value is None:
            continue
        if not on_demand:
            target = "" if index is None else f"for index : {index} "
            raise invalid_parameter(
                f"{member} for OnDemandThroughput {target}cannot be specified when the table "
                "BillingMode is PROVISIONED"
            )
        if value != -1 and value < 1:
            raise maximum_out_of_range(member, index)
        if value > most:
            target = "table" if index is None else f"index : {index}"
            quota = f"TableMax{'Read' if member == MAX_READ else 'Write'}CapacityUnits"
            raise LimitExceeded(
                f"Subscriber limit exceeded: Requested {member} for OnDemandThroughput for "
                f"{target} exceeds {quota} of the account in region {region}"
            )


def set_maxima(capacity: Capacity, maxima: Request) -> None:
    """Merge on-demand maxima member by member; -1 takes one away."""
    merged = dict(capacity.get("OnDemand") or {})
    for member in (MAX_READ, MAX_WRITE):
        value = maxima.get(member)
        if value == -1:
            merged.pop(member, None)
        elif value is not None:
            merged[member] = value
    if merged:
        capacity["OnDemand"] = merged
    else:
        capacity.pop("OnDemand", None)


# ---- what is shown -------------------------------------------------------------------------------


def provisioned_shown(capacity: Capacity, now: float) -> dict[str, Any]:
    """Return ProvisionedThroughputDescription."""
    shown: dict[str, Any] = {
        name: capacity[name]
        for name in ("LastIncreaseDateTime", "LastDecreaseDateTime")
        if name in capacity
    }
    shown["NumberOfDecreasesToday"] = decreases_today(capacity, now)
    shown[READ], shown[WRITE] = capacity[READ], capacity[WRITE]
    return shown


def warm_shown(capacity: Capacity, status: str) -> dict[str, Any]:
    """Return WarmThroughput as it is described."""
    read, write = capacity["Warm"]
    return {READ_PER_S: read, WRITE_PER_S: write, "Status": status}

