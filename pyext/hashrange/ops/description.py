"""Descriptions: a table's meta as the service describes it, and the meta of a new table.

Theory of operation. Meta holds what was asked for and what is under way. `Status` (CREATING,
UPDATING, DELETING) with `Until`, the time at which it ends, is there only while something is under
way; so it is in each global index, where `Building` and `Dropping` say that the engine is at it.
`Before` holds the throughput that is shown until a change of it is done. `settled` turns what is
over into what is; `described` shows the meta as it stands.

Format: meta is JSON, read by this package only; see `new_meta` for its members.
"""

from __future__ import annotations

from typing import Any

from hashrange.ops import settings, throughput
from hashrange.ops.arn import Identity
from hashrange.ops.catalog import Catalog, Meta

Request = dict[str, Any]


def new_meta(request: Request, table_id: str, now: float, identity: Identity) -> Meta:
    """Return the meta of a new table from a request that was checked."""
    on_demand = request.get("BillingMode") == throughput.PAY_PER_REQUEST
    meta: Meta = {
        "TableId": table_id,
        "CreationDateTime": now,
        "AttributeDefinitions": sorted_definitions(request["AttributeDefinitions"]),
        "KeySchema": request["KeySchema"],
        "OnDemand": on_demand,
        "Capacity": throughput.new_capacity(request, on_demand=on_demand),
        "DeletionProtectionEnabled": bool(request.get("DeletionProtectionEnabled")),
        "Tags": settings.checked_tags(request.get("Tags") or ()),
        "LocalSecondaryIndexes": [
            new_index(index) for index in request.get("LocalSecondaryIndexes") or ()
        ],
        "GlobalSecondaryIndexes": [
            new_global_index(index, on_demand=on_demand)
            for index in request.get("GlobalSecondaryIndexes") or ()
        ],
    }
    if on_demand:
        meta["LastUpdateToPayPerRequestDateTime"] = now
    stream = request.get("StreamSpecification")
    if stream is not None and stream["StreamEnabled"]:
        meta["StreamSpecification"] = stream
        meta["LatestStreamLabel"] = settings.stream_label(now)
    sse = request.get("SSESpecification")
    if sse is not None and settings.check_encryption(sse):
        key_arn = identity.key_arn(sse.get("KMSMasterKeyId"))
        meta["SSEDescription"] = settings.encryption(key_arn, "ENABLED")
    if request.get("TableClass") is not None:
        meta["TableClass"] = request["TableClass"]
    return meta


def sorted_definitions(definitions: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return attribute definitions as they are described: by name."""
    return sorted(definitions, key=lambda definition: definition["AttributeName"])


def new_index(index: Request) -> Meta:
    """Return the meta of an index: name, key and projection, its attributes by name."""
    projection = dict(index["Projection"])
    if projection.get("NonKeyAttributes") is None:
        projection.pop("NonKeyAttributes", None)
    else:
        projection["NonKeyAttributes"] = sorted(projection["NonKeyAttributes"])
    return {
        "IndexName": index["IndexName"],
        "KeySchema": index["KeySchema"],
        "Projection": projection,
    }


def new_global_index(index: Request, *, on_demand: bool) -> Meta:
    """Return the meta of a global index."""
    return {**new_index(index), "Capacity": throughput.new_capacity(index, on_demand=on_demand)}


def key_attributes(meta: Meta) -> set[str]:
    """Return the names of all key attributes, those of indexes too."""
    holders = [meta, *meta["LocalSecondaryIndexes"], *meta["GlobalSecondaryIndexes"]]
    return {element["AttributeName"] for holder in holders for element in holder["KeySchema"]}


# ---- what is under way ---------------------------------------------------------------------------


def settled(meta: Meta, now: float) -> bool:
    """Turn what is over into what is; return whether that changed the meta.

    A table that was being deleted stays as it is: the caller removes it when `gone`.
    """
    changed = False
    if meta.get("Status") in ("CREATING", "UPDATING") and now >= meta["Until"]:
        for member in ("Status", "Until", "Before"):
            meta.pop(member, None)
        changed = True
    kept = []
    for index in meta["GlobalSecondaryIndexes"]:
        over = "Status" in index and now >= index["Until"]
        if over and index["Status"] == "DELETING" and not index.get("Dropping"):
            changed = True
            continue
        if over and index["Status"] != "DELETING" and not index.get("Building"):
            for member in ("Status", "Until", "Before", "Building"):
                index.pop(member, None)
            changed = True
        kept.append(index)
    if len(kept) != len(meta["GlobalSecondaryIndexes"]):
        meta["GlobalSecondaryIndexes"] = kept
        used = key_attributes(meta)
        meta["AttributeDefinitions"] = [
            definition
            for definition in meta["AttributeDefinitions"]
            if definition["AttributeName"] in used
        ]
    return changed


def gone(meta: Meta, now: float) -> bool:
    """Tell whether the table's deletion is over."""
    return meta.get("Status") == "DELETING" and now >= meta["Until"]


# ---- what is shown -------------------------------------------------------------------------------


def described(
    name: str, meta: Meta, now: float, identity: Identity, catalog: Catalog
) -> dict[str, Any]:
    """Return TableDescription of a table as its meta stands."""
    status = meta.get("Status", "ACTIVE")
    answer: dict[str, Any] = {
        "AttributeDefinitions": meta["AttributeDefinitions"],
        "TableName": name,
        "KeySchema": meta["KeySchema"],
        "TableStatus": status,
        "CreationDateTime": meta["CreationDateTime"],
        "ProvisionedThroughput": throughput.provisioned_shown(shown_capacity(meta), now),
        "TableSizeBytes": catalog.size_bytes(name),
        "ItemCount": catalog.item_count(name),
        "TableArn": identity.table_arn(name),
        "TableId": meta["TableId"],
        **billing_shown(meta),
        **local_indexes_shown(name, meta, identity, catalog),
        **global_indexes_shown(name, meta, now, identity, catalog),
        **stream_shown(name, meta, identity),
        "DeletionProtectionEnabled": meta["DeletionProtectionEnabled"],
        "WarmThroughput": throughput.warm_shown(
            meta["Capacity"], "UPDATING" if status == "CREATING" else "ACTIVE"
        ),
    }
    if "SSEDescription" in meta:
        answer["SSEDescription"] = dict(meta["SSEDescription"])
    if "TableClass" in meta:
        answer["TableClassSummary"] = class_shown(meta)
    if "OnDemand" in meta["Capacity"]:
        answer["OnDemandThroughput"] = meta["Capacity"]["OnDemand"]
    return answer


def shown_capacity(holder: Meta) -> throughput.Capacity:
    """Return the throughput that is shown: the old one while a change is under way."""
    capacity: throughput.Capacity = holder.get("Before") or holder["Capacity"]
    return capacity


def billing_shown(meta: Meta) -> dict[str, Any]:
    """Return BillingModeSummary, which a table has that ever was on demand."""
    if "LastUpdateToPayPerRequestDateTime" not in meta:
        return {}
    mode = throughput.PAY_PER_REQUEST if meta["OnDemand"] else throughput.PROVISIONED
    return {
        "BillingModeSummary": {
            "BillingMode": mode,
            "LastUpdateToPayPerRequestDateTime": meta["LastUpdateToPayPerRequestDateTime"],
        }
    }


def class_shown(meta: Meta) -> dict[str, Any]:
    """Return TableClassSummary."""
    shown = {"TableClass": meta["TableClass"]}
    if "TableClassDateTime" in meta:
        shown["LastUpdateDateTime"] = meta["TableClassDateTime"]
    return shown


def stream_shown(name: str, meta: Meta, identity: Identity) -> dict[str, Any]:
    """Return the stream's members; label and ARN of the latest outlive it."""
    shown: dict[str, Any] = {}
    if "StreamSpecification" in meta:
        shown["StreamSpecification"] = meta["StreamSpecification"]
    if "LatestStreamLabel" in meta:
        label = meta["LatestStreamLabel"]
        shown["LatestStreamLabel"] = label
        shown["LatestStreamArn"] = identity.stream_arn(name, label)
    return shown


def local_indexes_shown(
    name: str, meta: Meta, identity: Identity, catalog: Catalog
) -> dict[str, Any]:
    """Return LocalSecondaryIndexes, if the table has any."""
    shown = [
        {**index, **index_figures(name, index["IndexName"], identity, catalog)}
        for index in meta["LocalSecondaryIndexes"]
    ]
    return {"LocalSecondaryIndexes": shown} if shown else {}


def index_figures(name: str, index: str, identity: Identity, catalog: Catalog) -> dict[str, Any]:
    """Return what both kinds of indexes show besides their definition."""
    return {
        "IndexSizeBytes": catalog.size_bytes(name, index),
        "ItemCount": catalog.item_count(name, index),
        "IndexArn": identity.index_arn(name, index),
    }


def global_indexes_shown(
    name: str, meta: Meta, now: float, identity: Identity, catalog: Catalog
) -> dict[str, Any]:
    """Return GlobalSecondaryIndexes, if the table has any."""
    shown = []
    for index in meta["GlobalSecondaryIndexes"]:
        status = index.get("Status") or (
            "CREATING" if meta.get("Status") == "CREATING" else "ACTIVE"
        )
        entry = {
            "IndexName": index["IndexName"],
            "KeySchema": index["KeySchema"],
            "Projection": index["Projection"],
            "IndexStatus": status,
            "ProvisionedThroughput": throughput.provisioned_shown(shown_capacity(index), now),
            **index_figures(name, index["IndexName"], identity, catalog),
            "WarmThroughput": throughput.warm_shown(
                index["Capacity"], "UPDATING" if status == "CREATING" else "ACTIVE"
            ),
        }
        if index.get("Building"):
            entry["Backfilling"] = meta.get("Status") != "UPDATING"
        if "OnDemand" in index["Capacity"]:
            entry["OnDemandThroughput"] = index["Capacity"]["OnDemand"]
        shown.append(entry)
    return {"GlobalSecondaryIndexes": shown} if shown else {}
