"""A control plane over tables that are dicts, and a clock that stands still until it is set."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ops.plain import ACCOUNT

from hashrange.ops import requests
from hashrange.ops.arn import Identity
from hashrange.ops.tables import Tables


class DictCatalog:
    """Tables in a dict; meta goes through JSON, as it has to."""

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
