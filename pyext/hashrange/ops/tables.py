"""Tables: CreateTable, DescribeTable, UpdateTable, DeleteTable, ListTables, tags and limits.

Theory of operation. Every method takes a request that `requests.check` has passed, applies the
rules that join several members, then those that depend on the table, and changes the catalog. What
takes the service seconds takes `delay_s` here, by default nothing: the response says CREATING,
UPDATING or DELETING as the service's does, and the next DescribeTable finds it done. With a delay
nothing runs in the background: what is over is settled by whoever looks next.

Threads: any; one control operation at a time.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from hashrange.errors import (
    TableExists,
    ValidationError,
    in_use,
    invalid_parameter,
    table_not_found,
)
from hashrange.ops import schema, settings, table_update, throughput
from hashrange.ops.arn import CALLER, Identity
from hashrange.ops.catalog import Catalog, IndexChange, Meta
from hashrange.ops.description import described, gone, new_meta, settled
from hashrange.ops.table_requests import LIST_TABLES_MAX
from hashrange.ops.throughput import Quotas

Request = dict[str, Any]
Response = dict[str, Any]

UNSUPPORTED_AT_CREATION = (
    "VectorIndexes",
    "GlobalTableSourceArn",
    "GlobalTableSettingsReplicationMode",
    "ResourcePolicy",
)
TAGS_PAGE = 10


class Tables:
    """The control plane of one database.

    catalog: where tables are kept. clock: epoch seconds. delay_s: how long tables stay CREATING,
    UPDATING or DELETING. new_id: makes a TableId.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        identity: Identity | None = None,
        quotas: Quotas | None = None,
        clock: Callable[[], float] = time.time,
        delay_s: float = 0.0,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self.catalog = catalog
        self.owner = identity or Identity()
        self.quotas = quotas or Quotas()
        self.clock = clock
        self.delay_s = delay_s
        self.new_id = new_id
        self.lock = threading.RLock()

    @property
    def identity(self) -> Identity:
        """Whom ARNs name: the caller, or the owner when the caller does not say."""
        return CALLER.get() or self.owner

    # -- reading

    def now(self) -> float:
        """Return the time to the millisecond."""
        return round(self.clock(), 3)

    def meta(self, name: str) -> Meta | None:
        """Return a table's meta with what is over settled; None when there is no such table."""
        with self.lock:
            meta = self.catalog.get(name)
            if meta is None:
                return None
            now = self.now()
            if gone(meta, now):
                if self.catalog.writable:
                    self.catalog.remove(name)
                return None
            if settled(meta, now) and self.catalog.writable:
                self.catalog.put(name, meta)
            return meta

    def known(self, name_or_arn: str) -> tuple[str, Meta]:
        """Return name and meta of a table. Raises TableNotFound."""
        name = self.identity.table_of(name_or_arn)
        meta = self.meta(name)
        if meta is None:
            raise table_not_found(name)
        return name, meta

    def describe(self, name: str, meta: Meta) -> Response:
        """Return TableDescription of the meta as it stands."""
        return described(name, meta, self.now(), self.identity, self.catalog)

    def describe_table(self, request: Request) -> Response:
        """Run DescribeTable."""
        with self.lock:
            name, meta = self.known(request["TableName"])
            return {"Table": self.describe(name, meta)}

    def list_tables(self, request: Request) -> Response:
        """Run ListTables: names in the order of their bytes, after ExclusiveStartTableName."""
        start = request.get("ExclusiveStartTableName") or ""
        limit = request.get("Limit") or LIST_TABLES_MAX
        with self.lock:
            # A table whose deletion is over goes when it is looked at.
            later = sorted(name for name in self.catalog.names() if name > start)
            later = [name for name in later if self.meta(name) is not None]
        answer: Response = {"TableNames": later[:limit]}
        if len(later) > limit:
            answer["LastEvaluatedTableName"] = later[limit - 1]
        return answer

    def describe_limits(self, request: Request) -> Response:  # noqa: ARG002  (it has no members)
        """Run DescribeLimits."""
        return {
            "AccountMaxReadCapacityUnits": self.quotas.account_read,
            "AccountMaxWriteCapacityUnits": self.quotas.account_write,
            "TableMaxReadCapacityUnits": self.quotas.table_read,
            "TableMaxWriteCapacityUnits": self.quotas.table_write,
        }

    def describe_endpoints(self, request: Request) -> Response:  # noqa: ARG002
        """Run DescribeEndpoints: the Region's address, as the service gives it."""
        address = f"dynamodb.{self.identity.region}.amazonaws.com"
        return {"Endpoints": [{"Address": address, "CachePeriodInMinutes": 1440}]}

    # -- making and dropping

    def create_table(self, request: Request) -> Response:
        """Run CreateTable. Raises TableExists, ResourceInUse, LimitExceeded, ValidationError."""
        for member in UNSUPPORTED_AT_CREATION:
            if request.get(member) is not None:
                raise unsupported(member)
        name = self.identity.table_of(request["TableName"])
        check_new_table(request, self.quotas, self.identity.region)
        with self.lock:
            self.check_name_is_free(name)
            now = self.now()
            meta = new_meta(request, self.new_id(), now, self.identity)
            meta["Status"], meta["Until"] = "CREATING", now + self.delay_s
            self.catalog.create(name, meta)
            answer = self.describe(name, meta)
        return {"TableDescription": as_created(answer, request)}

    def check_name_is_free(self, name: str) -> None:
        """Refuse a name that a table has, whatever its state."""
        meta = self.meta(name)
        if meta is not None:
            if meta.get("Status") == "CREATING":
                raise in_use(f"Table is being created: {name}")
            raise TableExists(f"Table already exists: {name}")

    def delete_table(self, request: Request) -> Response:
        """Run DeleteTable. Raises TableNotFound, ResourceInUse, ValidationError."""
        with self.lock:
            name, meta = self.known(request["TableName"])
            check_not_busy(name, meta)
            if any("Status" in index for index in meta["GlobalSecondaryIndexes"]):
                raise in_use(
                    "Cannot delete table while indexes are being created, updated, or deleted."
                )
            if meta["DeletionProtectionEnabled"]:
                raise ValidationError(
                    "Resource cannot be deleted as it is currently protected against deletion. "
                    "Disable deletion protection first."
                )
            meta["Status"], meta["Until"] = "DELETING", self.now() + self.delay_s
            answer = self.describe(name, meta)
            if self.delay_s > 0:
                self.catalog.put(name, meta)
            else:
                self.catalog.remove(name)
        kept = (
            "TableName",
            "TableStatus",
            "ProvisionedThroughput",
            "TableSizeBytes",
            "ItemCount",
            "TableArn",
            "TableId",
            "BillingModeSummary",
            "DeletionProtectionEnabled",
        )
        return {"TableDescription": {key: answer[key] for key in kept if key in answer}}

    # -- changing

    def update_table(self, request: Request) -> tuple[Response, IndexChange | None]:
        """Run UpdateTable; return the response and what the engine has to do, None for nothing.

        Raises TableNotFound, ResourceInUse, ResourceNotFound, LimitExceeded, ValidationError.
        """
        for member in table_update.UNSUPPORTED:
            if request.get(member) is not None:
                raise unsupported(member)
        table_update.check_form(request)
        name = self.identity.table_of(request["TableName"])
        with self.lock:
            name, meta = self.known(name)
            if meta.get("Status") in ("CREATING", "DELETING"):
                check_not_busy(name, meta)
            update = table_update.Update(
                name, meta, self.now(), self.delay_s, self.identity, self.quotas
            )
            change = update.apply(request)
            self.catalog.put(name, meta)
            answer = self.describe(name, meta)
            update.touch_up(answer, request)
        return {"TableDescription": answer}, change

    def index_built(self, name: str, index: str) -> None:
        """Note that the engine has filled an index that UpdateTable added."""
        self.index_done(name, index, "Building")

    def index_dropped(self, name: str, index: str) -> None:
        """Note that the engine has dropped an index that UpdateTable took away."""
        self.index_done(name, index, "Dropping")

    def index_done(self, name: str, index: str, work: str) -> None:
        """Take away the mark of the engine's work on an index."""
        with self.lock:
            meta = self.catalog.get(name)
            if meta is None:
                return
            for entry in meta["GlobalSecondaryIndexes"]:
                if entry["IndexName"] == index:
                    entry.pop(work, None)
            settled(meta, self.now())
            self.catalog.put(name, meta)

    # -- tags

    def tagged(self, arn: str) -> tuple[str, Meta]:
        """Return the table that a ResourceArn names. Raises ResourceNotFound, ValidationError."""
        name = self.identity.tagged_table_of(arn)
        meta = self.meta(name)
        if meta is None:
            raise self.identity.unknown(name)
        return name, meta

    def tag_resource(self, request: Request) -> Response:
        """Run TagResource: all of the tags or none."""
        with self.lock:
            name, meta = self.tagged(request["ResourceArn"])
            if not request["Tags"]:
                raise ValidationError("Atleast one Tag needs to be provided as Input.")
            tags = {**meta["Tags"], **settings.checked_tags(request["Tags"])}
            settings.check_tag_count(len(tags))
            check_taggable(name, meta)
            meta["Tags"] = tags
            self.catalog.put(name, meta)
        return {}

    def untag_resource(self, request: Request) -> Response:
        """Run UntagResource; a key that is no tag is nothing to complain of."""
        keys = request["TagKeys"]
        with self.lock:
            name, meta = self.tagged(request["ResourceArn"])
            if not keys:
                raise ValidationError("Atleast one Tag Key needs to be provided as Input.")
            for key in keys:
                settings.check_tag_key(key)
            settings.check_tag_count(len(keys))
            check_taggable(name, meta)
            for key in keys:
                meta["Tags"].pop(key, None)
            self.catalog.put(name, meta)
        return {}

    def list_tags_of_resource(self, request: Request) -> Response:
        """Run ListTagsOfResource: pages of ten, by key; a token that is none is ignored."""
        with self.lock:
            _, meta = self.tagged(request["ResourceArn"])
        keys = sorted(meta["Tags"])
        token = request.get("NextToken")
        if token in meta["Tags"]:
            keys = [key for key in keys if key > token]
        page = keys[:TAGS_PAGE]
        answer: Response = {"Tags": [{"Key": key, "Value": meta["Tags"][key]} for key in page]}
        if len(keys) > TAGS_PAGE:
            answer["NextToken"] = page[-1]
        return answer


# ---- rules ---------------------------------------------------------------------------------------


def check_new_table(request: Request, quotas: Quotas, region: str) -> None:
    """Check a CreateTable request as a whole; keys come first, as in the service."""
    schema.check_new_table(request)
    throughput.check_new(request, quotas, region)
    settings.check_new_stream(request.get("StreamSpecification"))
    settings.check_encryption(request.get("SSESpecification"))
    settings.check_class(request.get("TableClass"))
    settings.checked_tags(request.get("Tags") or ())


def as_created(answer: Response, request: Request) -> Response:
    """Return a description as CreateTable's response has it, before all is known."""
    if request.get("WarmThroughput") is None:
        answer.pop("WarmThroughput", None)
    if "BillingModeSummary" in answer:
        answer["BillingModeSummary"].pop("LastUpdateToPayPerRequestDateTime")
    for index in answer.get("GlobalSecondaryIndexes", ()):
        index.pop("WarmThroughput")
    return answer


def check_not_busy(name: str, meta: Meta) -> None:
    """Refuse to drop or change a table on which something is under way."""
    status = meta.get("Status")
    if status == "CREATING":
        raise in_use(f"Table is being created: {name}")
    if status == "DELETING":
        raise in_use(f"Table is being deleted: {name}")
    if status == "UPDATING":
        raise in_use(f"Table: {name} is in the process of being updated.")


def check_taggable(name: str, meta: Meta) -> None:
    """Refuse to tag a table that comes or goes."""
    if meta.get("Status") in ("CREATING", "DELETING"):
        check_not_busy(name, meta)


def unsupported(member: str) -> ValidationError:
    """Make the error of a member that this engine does not act on; the words are ours."""
    return invalid_parameter(f"{member} is not supported")
