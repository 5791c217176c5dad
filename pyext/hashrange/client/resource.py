"""The resource: boto3's `resource("dynamodb")`, served by a database in this process.

Theory of operation. A resource has a client of its own kind, that takes and returns Python objects
where the service has attribute values (`transformation`), and hands out tables that call it. A
Table's attributes are those of the service's TableDescription; they are loaded when the first of
them is looked at, and stay as they are until `load`.

Threads: a client may be shared; a Table's attributes are loaded by whoever looks first, twice at
worst.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hashrange.client import shapes
from hashrange.client.batch_writer import BatchWriter
from hashrange.client.client import Client, Operation
from hashrange.client.shapes import snake_case, structure
from hashrange.client.transformation import Change, incoming, outgoing
from hashrange.client.values import join_boto3

Response = dict[str, Any]


@cache
def changes_of(operation: str) -> tuple[Change | None, Change | None]:
    """Return what is changed in an operation's request and response."""
    request, response = shapes.operations()[operation]
    return (
        incoming(structure(request)),
        None if response is None else outgoing(structure(response)),
    )


class ResourceClient(Client):
    """A client with Python objects in place of attribute values, and conditions as objects."""

    # Some of its methods, for type checkers: they are made from the facts.
    create_table: Callable[..., Response]
    describe_table: Callable[..., Response]
    update_table: Callable[..., Response]
    batch_get_item: Callable[..., Response]
    batch_write_item: Callable[..., Response]

    def _call(
        self, operation: Operation, given: Response, context: dict[str, Any] | None = None
    ) -> Response:
        arrive, leave = changes_of(operation.name)
        answer = super()._call(operation, given if arrive is None else arrive(given), context)
        if leave is None:
            return answer
        changed: Response = leave(answer)
        return changed


@dataclass
class ResourceMeta:
    """What a resource says of itself. data: a table's description, None before it is loaded."""

    service_name: str
    client: ResourceClient
    identifiers: list[str] = field(default_factory=list)
    data: dict[str, Any] | None = None

    def copy(self) -> ResourceMeta:
        """Return a copy."""
        return copy.copy(self)


class _Resource:
    """What all resources have."""

    meta: ResourceMeta

    def _identity(self) -> tuple[str, ...]:
        return (type(self).__name__, *(getattr(self, name) for name in self.meta.identifiers))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Resource) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.meta.identifiers)
        return f"dynamodb.{type(self).__name__}({shown})"


class Table(_Resource):
    """A table as a resource. Its attributes are loaded when the first of them is looked at.

    Methods take keyword arguments (those of the operation without TableName) and return the
    operation's response, with Python objects in place of attribute values.
    """

    put_item: Callable[..., Response]
    get_item: Callable[..., Response]
    update_item: Callable[..., Response]
    delete_item: Callable[..., Response]
    query: Callable[..., Response]
    scan: Callable[..., Response]
    delete: Callable[..., Response]

    def __init__(
        self, name: str, client: ResourceClient, data: dict[str, Any] | None = None
    ) -> None:
        if name is None:
            raise ValueError("Required parameter name not set")
        self._name = name
        self.meta = ResourceMeta("dynamodb", client, ["name"], data)

    @property
    def name(self) -> str:
        """Return the table's name."""
        return self._name

    @property
    def table_name(self) -> str:
        """Return the table's name."""
        return self._name

    def load(self) -> None:
        """Load the attributes anew."""
        client = self.meta.client
        self.meta.data = client.describe_table(TableName=self._name)["Table"]

    reload = load

    def update(self, **parameters: Any) -> Table:
        """Run UpdateTable and return the table as it is described by the response."""
        client = self.meta.client
        made = client.update_table(**{"TableName": self._name, **parameters})
        return Table(self._name, client, made["TableDescription"])

    def batch_writer(self, overwrite_by_pkeys: list[str] | None = None) -> BatchWriter:
        """Return a context manager with put_item(Item) and delete_item(Key), sent 25 at a time.

        overwrite_by_pkeys: the names of the key's attributes; of several requests for one key in a
        batch only the last is sent then. Without it the service refuses them.
        """
        return BatchWriter(self._name, self.meta.client, overwrite_by_pkeys=overwrite_by_pkeys)

    def wait_until_exists(self, **parameters: Any) -> None:
        """Wait until the table is ACTIVE. Raises WaiterError."""
        waiter = self.meta.client.get_waiter("table_exists")
        waiter.wait(**{"TableName": self._name, **parameters})

    def wait_until_not_exists(self, **parameters: Any) -> None:
        """Wait until there is no such table. Raises WaiterError."""
        waiter = self.meta.client.get_waiter("table_not_exists")
        waiter.wait(**{"TableName": self._name, **parameters})

    def get_available_subresources(self) -> list[str]:
        """Return the kinds of resources that this one makes: none."""
        return []


def action(method: str, operation: str) -> Callable[..., Response]:
    """Return a table's method that runs an operation on it."""

    def run(self: Table, *positional: Any, **parameters: Any) -> Response:
        if "TableName" not in parameters:
            parameters = {"TableName": self._name, **parameters}
        call: Callable[..., Response] = getattr(self.meta.client, operation)
        return call(*positional, **parameters)

    run.__name__ = method
    run.__qualname__ = f"Table.{method}"
    run.__doc__ = f"Run the operation {operation} on this table and return its response."
    return run


def attribute(member: str) -> property:
    """Return a table's attribute: a member of its description, loaded when it is not yet."""

    def value(self: Table) -> Any:
        if self.meta.data is None:
            self.load()
        assert self.meta.data is not None
        return self.meta.data.get(member)

    return property(value, doc=f"{member} of the table's description; None when it has none.")


for _method in ("put_item", "get_item", "update_item", "delete_item", "query", "scan"):
    setattr(Table, _method, action(_method, _method))
# As the others: the class has no such name for a type checker until it is set.
setattr(Table, "delete", action("delete", "delete_table"))  # noqa: B010
for _member in structure("TableDescription").members:
    if _member != "TableName":
        setattr(Table, snake_case(_member), attribute(_member))


class TableCollection:
    """Tables of a resource, listed page by page as one goes through them."""

    def __init__(self, client: ResourceClient, **parameters: Any) -> None:
        self._client = client
        self._parameters = parameters

    def __repr__(self) -> str:
        return "dynamodb.tablesCollection(dynamodb.ServiceResource(), dynamodb.Table)"

    def __iter__(self) -> Iterator[Table]:
        for page in self.pages():
            yield from page

    def _with(self, **parameters: Any) -> TableCollection:
        return TableCollection(self._client, **{**self._parameters, **parameters})

    def all(self) -> TableCollection:
        """Return all tables."""
        return self._with()

    def iterator(self, **parameters: Any) -> TableCollection:
        """Return them with limit, page_size and parameters of ListTables, all at once."""
        return self._with(**parameters)

    def filter(self, **parameters: Any) -> TableCollection:
        """Return them with parameters of ListTables, such as ExclusiveStartTableName."""
        return self._with(**parameters)

    def limit(self, count: int) -> TableCollection:
        """Return this many at most."""
        return self._with(limit=count)

    def page_size(self, count: int) -> TableCollection:
        """Return them, listed this many at a time."""
        return self._with(page_size=count)

    def pages(self) -> Iterator[list[Table]]:
        """Yield lists of tables, one for each call of ListTables."""
        parameters = dict(self._parameters)
        limit = parameters.pop("limit", None)
        config = {"MaxItems": limit, "PageSize": parameters.pop("page_size", None)}
        for page in self._client.get_paginator("list_tables").paginate(
            PaginationConfig=config, **parameters
        ):
            yield [Table(name, self._client) for name in page["TableNames"]]


_Table = Table  # inside ServiceResource the name is its method


class ServiceResource(_Resource):
    """boto3's dynamodb resource over a database. Made by `Database.resource()`."""

    def __init__(self, client: ResourceClient) -> None:
        join_boto3()
        self.meta = ResourceMeta("dynamodb", client)

    def Table(self, name: str) -> _Table:  # noqa: N802  # boto3's name
        """Return a table by its name; whether there is one shows when it is used."""
        return Table(name, self.meta.client)

    @property
    def tables(self) -> TableCollection:
        """Return the tables: a collection with all(), filter(), limit(), page_size(), pages()."""
        return TableCollection(self.meta.client)

    def create_table(self, **parameters: Any) -> _Table:
        """Create a table and return it. Parameters: those of CreateTable."""
        description = self.meta.client.create_table(**parameters)["TableDescription"]
        return Table(description["TableName"], self.meta.client, description)

    def batch_get_item(self, **parameters: Any) -> Response:
        """Run BatchGetItem with Python objects; returns its response."""
        return self.meta.client.batch_get_item(**parameters)

    def batch_write_item(self, **parameters: Any) -> Response:
        """Run BatchWriteItem with Python objects; returns its response."""
        return self.meta.client.batch_write_item(**parameters)

    def get_available_subresources(self) -> list[str]:
        """Return the kinds of resources that this one makes."""
        return ["Table"]
