"""The service: an operation's name and request to its response.

Theory of operation. The shape of the request is checked first; then the operation runs. When it
fails, the request is gone through once more, completely and in the service's order, because the
service finds what is wrong with a request before it looks at any table; only then is the
operation's own error raised. Two kinds of errors need no second look: a condition that was false,
and trouble that is none of the request's.

Threads: any, as far as the door and the tables allow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hashrange.errors import (
    ConditionalCheckFailed,
    Error,
    TransactionCanceled,
    UnknownOperation,
    ValidationError,
)
from hashrange.ops import (
    batch_writes,
    item_reads,
    item_writes,
    pages,
    reading,
    requests,
    transactions,
)
from hashrange.ops.catalog import IndexChange
from hashrange.ops.door import Door
from hashrange.ops.parameters import in_form
from hashrange.ops.statements import Statements
from hashrange.ops.tables import Tables
from hashrange.ops.values import check_name, check_values

Request = dict[str, Any]
Response = dict[str, Any]

ITEM_OPERATIONS: dict[str, Callable[[Door, Request], Response]] = {
    "PutItem": item_writes.put_item,
    "GetItem": item_reads.get_item,
    "UpdateItem": item_writes.update_item,
    "DeleteItem": item_writes.delete_item,
    "BatchGetItem": item_reads.batch_get_item,
    "BatchWriteItem": batch_writes.batch_write_item,
    "Query": pages.query,
    "Scan": pages.scan,
    "TransactWriteItems": transactions.transact_write_items,
    "TransactGetItems": transactions.transact_get_items,
}
EXPLAIN: dict[str, Callable[[Door, Request], None]] = {
    "Query": reading.explain_query,
    "Scan": reading.explain_scan,
    "GetItem": item_reads.explain_get,
    "BatchGetItem": item_reads.explain_batch_get,
    "BatchWriteItem": batch_writes.explain_batch_write,
    "TransactWriteItems": transactions.explain_transact_write,
    "TransactGetItems": transactions.explain_transact_get,
}

# What an operation raises that meets a value of another type than it may have, or of no sense.
STUMBLES = (KeyError, TypeError, ValueError, ArithmeticError, StopIteration, AttributeError)
OLD_MEMBERS = ("Expected", "AttributeUpdates", "KeyConditions", "QueryFilter", "ScanFilter")


def check_old_values(request: Request) -> None:
    """Check the values in members of the old form. Raises ValidationError."""
    for member in OLD_MEMBERS:
        for name, condition in (request.get(member) or {}).items():
            check_name(name)
            given = condition or {}
            check_values(given.get("AttributeValueList") or ())
            if given.get("Value") is not None:
                check_values([given["Value"]])


class Service:
    """All operations that are there, over a door for items and a control plane.

    index_changed: called with what UpdateTable leaves to the engine, before the response is
    returned.
    """

    def __init__(
        self,
        door: Door,
        tables: Tables,
        index_changed: Callable[[IndexChange], None] | None = None,
    ) -> None:
        self.door = door
        self.tables = tables
        self.index_changed = index_changed
        self.statement_operations = Statements(door).operations()
        self.item_operations: dict[str, Callable[[Request], Response]] = {
            **{name: partial(run, door) for name, run in ITEM_OPERATIONS.items()},
            **self.statement_operations,
        }
        self.table_operations: dict[str, Callable[[Request], Response]] = {
            "CreateTable": tables.create_table,
            "DescribeTable": tables.describe_table,
            "UpdateTable": self.update_table,
            "DeleteTable": tables.delete_table,
            "ListTables": tables.list_tables,
            "TagResource": tables.tag_resource,
            "UntagResource": tables.untag_resource,
            "ListTagsOfResource": tables.list_tags_of_resource,
            "DescribeLimits": tables.describe_limits,
            "DescribeEndpoints": tables.describe_endpoints,
        }

    def execute(self, operation: str, request: Request) -> Response:
        """Run an operation.

        request, response: as in the service's JSON, binaries as bytes, times as epoch seconds.
        Raises the service's errors; UnknownOperation for a name that is none, or not there yet.
        """
        request = requests.check(operation, request)
        run = self.item_operations.get(operation)
        if run is None:
            if operation not in self.table_operations:
                raise UnknownOperation("")
            return self.table_operations[operation](request)
        try:
            return run(request)
        except ConditionalCheckFailed:
            raise
        except TransactionCanceled as error:
            if any(reason["Code"] == "ValidationError" for reason in error.reasons):
                self.explain(operation, request)
            raise
        except Error as error:
            self.explain(operation, request)
            if isinstance(error, ValidationError):
                raise in_form(operation, error) from None
            raise
        except STUMBLES:
            # The operation stumbled over a value whose type nobody had looked at.
            self.explain(operation, request)
            raise

    def explain(self, operation: str, request: Request) -> None:
        """Raise what the service would say of the request before it did anything, if anything."""
        requests.examine(operation, request)
        if operation in self.statement_operations:
            return                        # parameters are checked before anything is done
        try:
            if operation in EXPLAIN:
                EXPLAIN[operation](self.door, request)
            else:
                item_writes.explain(operation, self.door, request)
        except Error:
            raise
        except STUMBLES:
            check_old_values(request)
            raise
        check_old_values(request)

    def update_table(self, request: Request) -> Response:
        """Run UpdateTable and hand the engine its part."""
        answer, change = self.tables.update_table(request)
        if change is not None and self.index_changed is not None:
            self.index_changed(change)
        return answer
