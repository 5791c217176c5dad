"""A control plane and a door over dicts, and a clock that stands still until it is set."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ops.plain import ACCOUNT, index, types
from ops.plain import table as table_request

from hashrange.errors import (
    Error,
    IdempotentParameterMismatch,
    ItemTooLarge,
    ValidationError,
    conditional_check_failed,
)
from hashrange.ops import requests
from hashrange.ops.arn import Identity
from hashrange.ops.door import (
    CHECK,
    DELETE,
    PUT,
    Arm,
    Expression,
    Page,
    Table,
    Transaction,
    Walk,
    Write,
    Written,
)
from hashrange.ops.keys import check_key, indexes_of, key_shape
from hashrange.ops.service import Service
from hashrange.ops.tables import Tables
from hashrange.ops.values import check_value


class DictCatalog:
    """Tables in a dict; meta goes through JSON, as it has to."""

    writable = True

    def __init__(self) -> None:
        self.tables: dict[str, str] = {}

    def names(self) -> list[str]:
        return list(self.tables)

    def get(self, name: str) -> Any:
        return json.loads(self.tables[name]) if name in self.tables else None

    def create(self, name: str, meta: Any) -> None:
        assert name not in self.tables
        self.put(name, meta)

    def put(self, name: str, meta: Any) -> None:
        self.tables[name] = json.dumps(meta)

    def remove(self, name: str) -> None:
        del self.tables[name]

    def item_count(self, name: str, index: str | None = None) -> int:
        return 3 if index is None else 2

    def size_bytes(self, name: str, index: str | None = None) -> int:
        return 300 if index is None else 200


class Control:
    """Operations by name, checked as `execute` does it."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self.time = 1_800_000_000.0
        self.catalog = DictCatalog()
        self.change: Any = None
        self.tables = Tables(
            self.catalog,
            identity=Identity("eu-west-1", ACCOUNT),
            clock=lambda: self.time,
            delay_s=delay_s,
            new_id=lambda: "id-1",
        )

    def __call__(self, operation: str, **request: Any) -> Any:
        requests.check(operation, request)
        methods = {
            "CreateTable": self.tables.create_table,
            "DescribeTable": self.tables.describe_table,
            "DeleteTable": self.tables.delete_table,
            "ListTables": self.tables.list_tables,
            "TagResource": self.tables.tag_resource,
            "UntagResource": self.tables.untag_resource,
            "ListTagsOfResource": self.tables.list_tags_of_resource,
            "DescribeLimits": self.tables.describe_limits,
            "DescribeEndpoints": self.tables.describe_endpoints,
        }
        if operation == "UpdateTable":
            answer, self.change = self.tables.update_table(request)
            return answer
        return methods[operation](request)

    def table(self, name: str = "abc") -> Any:
        return self("DescribeTable", TableName=name)["Table"]

    def refusal(self, operation: str, kind: type[Exception], **request: Any) -> str:
        for name in self.catalog.names():
            self.tables.meta(name)  # what is over is settled now
        before = dict(self.catalog.tables)
        with pytest.raises(kind) as caught:
            self(operation, **request)
        assert type(caught.value) is kind
        assert self.catalog.tables == before
        return str(caught.value)


@pytest.fixture
def control() -> Control:
    return Control()


@pytest.fixture
def slow_control() -> Control:
    """Return one whose tables take ten seconds for everything."""
    return Control(delay_s=10.0)


class DictDoor:
    """Items in dicts. Conditions and updates are Python functions, found by their text."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self.items: dict[str, dict[str, Any]] = {}
        self.conditions: dict[str, Any] = {"attribute_not_exists(pk)": lambda item: item is None}
        self.effects: dict[str, Any] = {}
        self.arms: list[Arm] = []
        self.tokens: dict[str, Any] = {}
        self.page: Page | None = None
        self.walked: Walk | None = None

    def table(self, name: str) -> Table | None:
        meta = self.control.tables.meta(name)
        if meta is None:
            return None
        return Table(name, key_shape(meta, meta["AttributeDefinitions"]), indexes_of(meta))

    def table_name(self, name_or_arn: str) -> str:
        return self.control.tables.identity.table_of(name_or_arn)

    def place(self, table: Table, item: Any) -> tuple[dict[str, Any], str]:
        for value in item.values():
            check_value(value)
        key = json.dumps([item[name] for name in table.key.names], default=repr)
        return self.items.setdefault(table.name, {}), key

    def read(self, table: Table, key: Any, projection: Expression | None) -> Any:
        rows, mark = self.place(table, key)
        item = rows.get(mark)
        if item is None:
            return None, 0
        names = (projection.names or {}).values() if projection else item
        return {name: item[name] for name in names if name in item}, item_bytes(item)

    def read_all(self, reads: Any) -> Any:
        return [self.read(*read) for read in reads]

    def read_keys(self, table: Table, keys: Any, projection: Expression | None) -> Any:
        for key in keys:
            check_key(key, table.key)
        if len({self.place(table, key)[1] for key in keys}) < len(keys):
            return None
        found = [self.read(table, key, projection) for key in keys]
        return [item for item, _ in found], [size for _, size in found]

    def transact_plain(self, *_: Any) -> None:
        """Leave every transaction to `transact`."""

    def get_plain(self, _: Any) -> None:
        """Leave every GetItem to `read`."""

    def write_plain(self, *_: Any) -> bool:
        return False

    def read_plain(self, _: Any) -> None:
        """Leave every transaction to `read_all`."""

    def write(self, table: Table, write: Write) -> Written:
        rows, mark = self.place(table, write.item)
        before = rows.get(mark)
        if write.condition is not None:
            if write.condition.text not in self.conditions:
                raise ValidationError("Invalid ConditionExpression: Syntax error; token: ...")
            if not self.conditions[write.condition.text](before):
                raise conditional_check_failed(before if write.want_failed else None)
        if write.kind == DELETE:
            after = None
            rows.pop(mark, None)
        elif write.kind == CHECK:
            after = before
        else:
            after = dict(write.item if write.kind == PUT else before or write.item)
            if write.update is not None:
                after.update(self.effects[write.update.text])
            if item_bytes(after) > 400 << 10:
                raise ItemTooLarge("Item size has exceeded the maximum allowed size")
            rows[mark] = after
        touched = set(self.effects[write.update.text]) if write.want_touched else None
        return Written(
            item_bytes(before),
            item_bytes(after),
            self.arms,
            cut(before, touched),
            cut(after, touched),
        )

    def write_all(self, writes: Any) -> list[Written]:
        return [self.write(table, write) for table, write in writes]

    def transact(self, writes: Any, token: str | None, digest: bytes) -> Transaction:
        if token in self.tokens:
            known, done = self.tokens[token]
            if known != digest:
                raise IdempotentParameterMismatch("")
            return Transaction(done, replayed=True)
        saved, outcomes = copy.deepcopy(self.items), []
        for table, write in writes:
            try:
                outcomes.append(self.write(table, write))
            except Error as error:
                outcomes.append(error)
        if any(isinstance(outcome, Error) for outcome in outcomes):
            self.items = saved
        elif token is not None:
            self.tokens[token] = digest, outcomes
        return Transaction(outcomes)

    def walk(self, table: Table, walk: Walk) -> Page:
        """Return all items of the table, or the page that a test has laid out."""
        self.walked = walk
        if walk.keys is not None and walk.keys.text == "":
            raise ValidationError("Invalid KeyConditionExpression: ...")
        if self.page is not None:
            return self.page
        rows = list(self.items.get(table.name, {}).values())
        return Page(
            None if walk.count_only else rows, len(rows), len(rows), sum(map(item_bytes, rows))
        )

    def check_expressions(self, expressions: Any, names: Any, values: Any) -> None:
        for member, text in expressions.items():
            if text.endswith("?"):
                raise ValidationError(f"Invalid {member}: Syntax error; token: ...")

    def top_names(self, projection: Expression) -> set[str]:
        return set((projection.names or {}).values())

    def collection_bytes(self, table: Table, hash_key: Any) -> int:
        ((name, value),) = hash_key.items()
        rows = self.items.get(table.name, {}).values()
        return sum(item_bytes(item) for item in rows if item[name] == value)

    def expected(self, expected: Any, operator: str | None) -> Expression:
        return Expression(f"expected {sorted(expected)} {operator}")

    def updates(self, updates: Any) -> Expression:
        return Expression(f"updates {sorted(updates)}")

    def key_conditions(self, conditions: Any) -> Expression:
        return Expression(f"keys {sorted(conditions)}")

    def filters(self, conditions: Any, operator: str | None) -> Expression:
        return Expression(f"filter {sorted(conditions)} {operator}")

    def attributes(self, names: list[str]) -> Expression:
        return Expression(None, {f"#{name}": name for name in names})


def cut(item: Any, names: set[str] | None) -> Any:
    """Return the attributes of an item that are in `names`; all of them for None."""
    if item is None or names is None:
        return item
    return {name: value for name, value in item.items() if name in names}


def item_bytes(item: Any) -> int:
    """Return the DynamoDB size of an item of strings, small integers and binaries."""
    return sum(
        len(name) + (2 if "N" in value else len(next(iter(value.values()))))
        for name, value in (item or {}).items()
    )


@pytest.fixture
def door(control: Control) -> DictDoor:
    return DictDoor(control)


@pytest.fixture
def service(control: Control, door: DictDoor) -> Any:
    """Return `execute` over a table abc (pk, sk) and xyz (pk, with indexes on a)."""
    control("CreateTable", **table_request())
    control(
        "CreateTable",
        **table_request(
            TableName="xyz",
            AttributeDefinitions=types("pk", "sk", "a"),
            LocalSecondaryIndexes=[index("lsi", "pk", "a")],
            GlobalSecondaryIndexes=[index("gsi", "a")],
        ),
    )
    return Service(door, control.tables)
