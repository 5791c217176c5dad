"""UpdateTable: which changes go together, whether each fits the table, and the new meta.

Theory of operation. One call makes one logical change: `check_form` refuses what the request alone
shows to be wrong, before the service even looks for the table. `Update.apply` then checks against
the table's meta and changes it; nothing is kept when it raises. `touch_up` turns the description
into what the service answers, which for some changes shows the old values.

Sources: combinations, order and messages as observed on the service in 2026.
"""

from __future__ import annotations

from typing import Any

from hashrange.errors import (
    LimitExceeded,
    ValidationError,
    in_use,
    index_not_found,
    invalid_parameter,
)
from hashrange.ops import schema, settings, throughput
from hashrange.ops.arn import Identity
from hashrange.ops.catalog import IndexChange, Meta
from hashrange.ops.description import key_attributes, new_global_index, sorted_definitions
from hashrange.ops.throughput import PAY_PER_REQUEST, PROVISIONED, READ, WRITE, Quotas

Request = dict[str, Any]

UNSUPPORTED = (
    "ReplicaUpdates",
    "MultiRegionConsistency",
    "GlobalTableWitnessUpdates",
    "GlobalTableSettingsReplicationMode",
    "DisassociationProtectionEnabled",
    "VectorIndexUpdates",
)
CHANGES = (
    "ProvisionedThroughput",
    "BillingMode",
    "StreamSpecification",
    "GlobalSecondaryIndexUpdates",
    "SSESpecification",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "WarmThroughput",
    "TableClass",
)
# Members that may not have company, in the order in which the service complains of them.
ALONE = {
    "SSESpecification": "Server-Side Encryption modification",
    "TableClass": "TableClass modification",
    "DeletionProtectionEnabled": "DeletionProtection modification",
    "WarmThroughput": "WarmThroughput",
}
ACTIONS = ("Update", "Create", "Delete")


# ---- the request alone ---------------------------------------------------------------------------


def changes_of(request: Request) -> set[str]:
    """Return the members that ask for something; an empty throughput structure does not."""
    asked = {member for member in CHANGES if request.get(member) is not None}
    return {
        member
        for member in asked
        if request[member] != {} or member not in ("OnDemandThroughput", "WarmThroughput")
    }


def check_form(request: Request) -> None:
    """Refuse members that do not go together or contradict themselves."""
    changes = changes_of(request)
    updates = request.get("GlobalSecondaryIndexUpdates")
    if not changes - (set() if updates else {"GlobalSecondaryIndexUpdates"}):
        raise nothing_to_change()
    settings.check_class(request.get("TableClass"))
    check_index_updates(updates)
    check_company(changes, updates or ())
    billing = request.get("BillingMode")
    provisioned = request.get("ProvisionedThroughput")
    if billing == PAY_PER_REQUEST and provisioned is not None:
        raise invalid_parameter(
            "ProvisionedThroughput cannot be specified when BillingMode is PAY_PER_REQUEST"
        )
    if billing == PROVISIONED and provisioned is None:
        raise invalid_parameter(
            "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"
        )
    if request.get("StreamSpecification") is not None:
        settings.check_stream_form(request["StreamSpecification"])
    settings.check_encryption(request.get("SSESpecification"))


def check_company(changes: set[str], updates: Any) -> None:
    """Refuse combinations of members."""
    makes_or_drops = any(update.get("Update") is None for update in updates)
    if makes_or_drops and "WarmThroughput" in changes:
        raise invalid_parameter(
            "Create global secondary index cannot be specified when updating WarmThroughput"
        )
    for member, words in ALONE.items():
        if member in changes and len(changes) > 1:
            raise invalid_parameter(f"{words} must be the only operation in the request")
    if "OnDemandThroughput" in changes and not changes <= {"OnDemandThroughput", "BillingMode"}:
        raise invalid_parameter(
            "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request"
        )
    units = "ProvisionedThroughput" in changes
    if units and "StreamSpecification" in changes:
        raise invalid_parameter("You cannot modify stream status while updating table IOPS")
    if units and makes_or_drops:
        raise invalid_parameter("You cannot create or delete index while updating table IOPS")
    if "StreamSpecification" in changes and makes_or_drops:
        raise invalid_parameter("You cannot create or delete index while changing stream status")


def check_index_updates(updates: list[Request] | None) -> None:
    """Check GlobalSecondaryIndexUpdates: one action an entry, one entry an index."""
    if updates is None:
        return
    if not updates:
        raise invalid_parameter("List of GlobalSecondaryIndexUpdates is empty")
    names: set[str] = set()
    for update in updates:
        actions = [action for action in ACTIONS if update.get(action) is not None]
        if not actions:
            raise invalid_parameter(
                "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
                "GlobalSecondaryIndexUpdate.Delete must not be null"
            )
        if len(actions) > 1:
            raise invalid_parameter(
                "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate "
                "object"
            )
        name = update[actions[0]]["IndexName"]
        if name in names:
            raise invalid_parameter(
                "Only one global secondary index update per index is allowed simultaneously. "
                f"Index: {name}"
            )
        names.add(name)
        if update[actions[0]].get("WarmThroughput") == {} and actions[0] == "Update":
            raise invalid_parameter(
                "WarmThroughput must have at least one of ReadUnitsPerSecond or "
                f"WriteUnitsPerSecond specified for index: {name}"
            )


def nothing_to_change() -> ValidationError:
    """Make the error of a request without a change; it names members that no client knows."""
    return ValidationError(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
        "GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, "
        "ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, "
        "OnDemandThroughput, WarmThroughput or TableClass is required"
    )


# ---- against the table ---------------------------------------------------------------------------


class Update:
    """One UpdateTable: the table's meta, changed in place, and what is asked of the engine."""

    def __init__(
        self,
        name: str,
        meta: Meta,
        now: float,
        delay_s: float,
        identity: Identity,
        quotas: Quotas,
    ) -> None:
        self.name = name
        self.meta = meta
        self.now = now
        self.until = now + delay_s
        self.delay_s = delay_s
        self.identity = identity
        self.quotas = quotas
        self.old_capacity: dict[str | None, throughput.Capacity] = {}
        self.old_class = meta.get("TableClass")

    def apply(self, request: Request) -> IndexChange | None:
        """Check the request against the table and change its meta; return the engine's part."""
        if request.get("DeletionProtectionEnabled") is not None:
            self.meta["DeletionProtectionEnabled"] = request["DeletionProtectionEnabled"]
            return None
        if self.meta.get("Status") == "UPDATING":
            raise in_use(f"Table IOPS are currently being updated. Table: {self.name}")
        updates = request.get("GlobalSecondaryIndexUpdates") or []
        self.check_one_at_a_time(updates)
        self.change_billing(request, updates)
        if request.get("OnDemandThroughput") is not None:
            self.change_maxima(request["OnDemandThroughput"], None, self.meta["Capacity"])
        if request.get("WarmThroughput"):
            throughput.check_warm(self.meta["Capacity"], request["WarmThroughput"])
            throughput.change_warm(self.meta["Capacity"], request["WarmThroughput"])
        if request.get("StreamSpecification") is not None:
            self.change_stream(request["StreamSpecification"])
        if request.get("SSESpecification") is not None:
            self.change_encryption(request["SSESpecification"])
        if request.get("TableClass") is not None:
            self.change_class(request["TableClass"])
        return self.change_indexes(updates, request.get("AttributeDefinitions"))

    def busy(self) -> None:
        """Mark the table as UPDATING."""
        self.meta["Status"], self.meta["Until"] = "UPDATING", self.until

    # -- throughput

    def change_billing(self, request: Request, updates: list[Request]) -> None:
        """Change the billing mode, the table's provisioned units, or both."""
        billing, provisioned = request.get("BillingMode"), request.get("ProvisionedThroughput")
        if billing is None and provisioned is None:
            return
        on_demand = self.meta["OnDemand"]
        if billing is None and on_demand:
            raise throughput.units_under_on_demand()
        if provisioned is not None:
            throughput.check_units(provisioned, self.quotas, self.identity.region, None)
        if billing == PAY_PER_REQUEST:
            if not on_demand:
                self.go_on_demand()
        elif on_demand:
            self.go_provisioned(provisioned or {}, updates)
        else:
            capacity = self.meta["Capacity"]
            throughput.check_change(capacity, provisioned or {}, self.now)
            self.keep_old(None, self.meta)
            throughput.change_units(capacity, provisioned or {}, self.now)
        self.busy()

    def go_on_demand(self) -> None:
        """Switch the table and its global indexes to on-demand billing."""
        self.meta["OnDemand"] = True
        self.meta["LastUpdateToPayPerRequestDateTime"] = self.now
        for holder in (self.meta, *self.meta["GlobalSecondaryIndexes"]):
            throughput.switch_billing(holder["Capacity"], None)

    def go_provisioned(self, provisioned: Request, updates: list[Request]) -> None:
        """Switch to provisioned units; each global index needs its own in the same request."""
        units = {
            update["Update"]["IndexName"]: update["Update"].get("ProvisionedThroughput")
            for update in updates
            if update.get("Update") is not None
        }
        for index in self.meta["GlobalSecondaryIndexes"]:
            if units.get(index["IndexName"]) is None:
                raise invalid_parameter(
                    f"ProvisionedThroughput must be specified for index: {index['IndexName']}"
                )
        self.meta["OnDemand"] = False
        throughput.switch_billing(self.meta["Capacity"], provisioned)

    def change_maxima(
        self, maxima: Request, index: str | None, capacity: throughput.Capacity
    ) -> None:
        """Change on-demand maxima of the table (index None) or of a global index."""
        throughput.check_maxima(
            maxima,
            index,
            on_demand=self.meta["OnDemand"],
            quotas=self.quotas,
            region=self.identity.region,
        )
        throughput.set_maxima(capacity, maxima)

    def keep_old(self, index: str | None, holder: Meta) -> None:
        """Remember throughput as it was: the response shows it, and DescribeTable until done."""
        self.old_capacity[index] = dict(holder["Capacity"])
        if self.delay_s > 0:
            holder["Before"] = self.old_capacity[index]

    # -- settings

    def change_stream(self, stream: Request) -> None:
        """Enable or disable the stream; each enabling makes a new one."""
        enabled = "StreamSpecification" in self.meta
        settings.check_stream_change(stream, self.name, enabled=enabled)
        if stream["StreamEnabled"]:
            self.meta["StreamSpecification"] = stream
            self.meta["LatestStreamLabel"] = settings.stream_label(self.now)
        else:
            del self.meta["StreamSpecification"]
        self.busy()

    def change_encryption(self, sse: Request) -> None:
        """Change the key; going back to the service's own leaves no description."""
        key_arn = self.identity.key_arn(sse.get("KMSMasterKeyId"))
        settings.check_encryption_change(sse, self.meta.get("SSEDescription"), key_arn)
        if settings.check_encryption(sse):
            self.meta["SSEDescription"] = settings.encryption(key_arn, "ENABLED")
        else:
            self.meta.pop("SSEDescription", None)

    def change_class(self, table_class: str) -> None:
        """Change the table class; STANDARD on a table that never had another is no change."""
        if table_class == "STANDARD" and "TableClass" not in self.meta:
            return
        self.meta["TableClass"] = table_class
        self.meta["TableClassDateTime"] = self.now
        self.busy()

    # -- indexes

    def check_one_at_a_time(self, updates: list[Request]) -> None:
        """Refuse to make or drop an index while another comes or goes."""
        count = sum(update.get("Update") is None for update in updates)
        under_way = any(
            index.get("Status") in ("CREATING", "DELETING")
            for index in self.meta["GlobalSecondaryIndexes"]
        )
        if count > 1 or (count and under_way):
            raise LimitExceeded(
                "Subscriber limit exceeded: Only 1 online index can be created or deleted "
                "simultaneously per table"
            )

    def change_indexes(
        self, updates: list[Request], definitions: list[dict[str, str]] | None
    ) -> IndexChange | None:
        """Make all index changes; return that of which the engine has to know."""
        for update in updates:
            for action in ("Update", "Delete"):
                if update.get(action) is not None:
                    self.index(update[action]["IndexName"], action)
        change = None
        for update in updates:
            if update.get("Create") is not None:
                change = self.create_index(update["Create"], definitions)
            elif update.get("Delete") is not None:
                change = self.delete_index(update["Delete"]["IndexName"])
            else:
                self.update_index(update["Update"])
        return change

    def index(self, name: str, action: str) -> Meta:
        """Return a global index's meta. Raises ResourceNotFound, ValidationError for a local."""
        for index in self.meta["GlobalSecondaryIndexes"]:
            if index["IndexName"] == name:
                entry: Meta = index
                return entry
        if any(index["IndexName"] == name for index in self.meta["LocalSecondaryIndexes"]):
            raise ValidationError(
                f"Cannot {action.lower()} an index that is not a GlobalSecondaryIndex: {name}"
            )
        raise index_not_found(name, self.name)

    def create_index(
        self, index: Request, definitions: list[dict[str, str]] | None
    ) -> IndexChange:
        """Add an index that the engine has to fill."""
        name = index["IndexName"]
        schema.check_new_index(index, definitions)
        held = [*self.meta["LocalSecondaryIndexes"], *self.meta["GlobalSecondaryIndexes"]]
        if any(other["IndexName"] == name for other in held):
            raise ValidationError("Attempting to create an index which already exists")
        if len(self.meta["GlobalSecondaryIndexes"]) >= schema.GLOBAL_INDEXES_MAX:
            raise LimitExceeded(
                "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table "
                f"limit of {schema.GLOBAL_INDEXES_MAX}"
            )
        schema.check_projected_count([*held, index])
        self.check_new_index_throughput(index)
        entry = new_global_index(index, on_demand=self.meta["OnDemand"])
        entry.update(Status="CREATING", Until=self.until, Building=True)
        self.meta["GlobalSecondaryIndexes"].append(entry)
        self.define(definitions or [])
        self.busy()
        kinds = {
            definition["AttributeName"]: definition["AttributeType"]
            for definition in self.meta["AttributeDefinitions"]
        }
        key_types = {key: kinds[key] for key in schema.names_of(index["KeySchema"])}
        created = {key: entry[key] for key in ("IndexName", "KeySchema", "Projection")}
        return IndexChange(self.name, create=created, key_types=key_types)

    def check_new_index_throughput(self, index: Request) -> None:
        """Check the throughput members of an index to be added."""
        name, on_demand = index["IndexName"], self.meta["OnDemand"]
        provisioned = index.get("ProvisionedThroughput")
        if on_demand and provisioned is not None:
            raise invalid_parameter(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: "
                f"{name} when BillingMode is PAY_PER_REQUEST"
            )
        if not on_demand and provisioned is None:
            raise invalid_parameter(
                "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: "
                f"{name}"
            )
        throughput.check_new_maxima(index, name, on_demand=on_demand)
        throughput.check_new_warm(index, name, on_demand=on_demand)
        if provisioned is not None:
            throughput.check_units(provisioned, self.quotas, self.identity.region, name)

    def define(self, definitions: list[dict[str, str]]) -> None:
        """Add definitions of new key attributes; a known attribute keeps its type, silently."""
        known = {definition["AttributeName"] for definition in self.meta["AttributeDefinitions"]}
        used = key_attributes(self.meta)
        added = [
            definition
            for definition in definitions
            if definition["AttributeName"] in used - known
        ]
        self.meta["AttributeDefinitions"] = sorted_definitions(
            [*self.meta["AttributeDefinitions"], *added]
        )

    def delete_index(self, name: str) -> IndexChange:
        """Mark an index for the engine to drop."""
        index = self.index(name, "Delete")
        index.update(Status="DELETING", Until=self.until, Dropping=True)
        self.busy()
        return IndexChange(self.name, delete=name)

    def update_index(self, action: Request) -> None:
        """Change an index's throughput."""
        name = action["IndexName"]
        index = self.index(name, "Update")
        if "Status" in index:
            doing = {"CREATING": "created", "UPDATING": "updated", "DELETING": "deleted"}
            raise in_use(
                f"Index is being {doing[index['Status']]}. Table: {self.name} Index: {name}"
            )
        capacity = index["Capacity"]
        provisioned = action.get("ProvisionedThroughput")
        maxima, warm = action.get("OnDemandThroughput"), action.get("WarmThroughput")
        if self.meta["OnDemand"] and (provisioned is not None or not (maxima or warm)):
            raise invalid_parameter(
                f"The only Updates for index: {name} when TableThroughputMode is PAY_PER_REQUEST "
                "can be to OnDemandThroughput, WarmThroughput"
            )
        if maxima:
            self.change_maxima(maxima, name, capacity)
        if warm:
            throughput.check_warm(capacity, warm, name)
            throughput.change_warm(capacity, warm)
        if provisioned is not None:
            self.change_index_units(index, provisioned)
        index["Status"], index["Until"] = "UPDATING", self.until

    def change_index_units(self, index: Meta, provisioned: Request) -> None:
        """Change an index's provisioned units; the first after on-demand billing are free."""
        name, capacity = index["IndexName"], index["Capacity"]
        throughput.check_units(provisioned, self.quotas, self.identity.region, name)
        if capacity[READ] == 0:
            throughput.switch_billing(capacity, provisioned)
            return
        throughput.check_change(capacity, provisioned, self.now, name)
        self.keep_old(name, index)
        throughput.change_units(capacity, provisioned, self.now)

    # -- the response

    def touch_up(self, answer: dict[str, Any], request: Request) -> None:
        """Turn a description into UpdateTable's response, which lags behind for some members."""
        if request.get("BillingMode") is not None and "BillingModeSummary" in answer:
            answer["BillingModeSummary"].pop("LastUpdateToPayPerRequestDateTime")
        if request.get("SSESpecification") is not None and "SSEDescription" in answer:
            answer["SSEDescription"]["Status"] = "UPDATING"
        if request.get("TableClass") is not None and self.old_class is not None:
            answer["TableClassSummary"]["TableClass"] = self.old_class
        if request.get("OnDemandThroughput"):
            cleared = {
                member: value
                for member, value in request["OnDemandThroughput"].items()
                if value == -1
            }
            if cleared:
                answer["OnDemandThroughput"] = {**answer.get("OnDemandThroughput", {}), **cleared}
        holders = [(None, answer)]
        holders += [
            (index["IndexName"], index) for index in answer.get("GlobalSecondaryIndexes", ())
        ]
        for name, holder in holders:
            if name in self.old_capacity:
                old = self.old_capacity[name]
                holder["ProvisionedThroughput"][READ] = old[READ]
                holder["ProvisionedThroughput"][WRITE] = old[WRITE]
