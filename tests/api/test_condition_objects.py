"""Key and Attr, ours and boto3's: in conditions of writes, filters and key conditions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import hashrange
from hashrange import Attr, Key


class Foreign:
    """A condition as boto3.dynamodb.conditions makes it, without boto3."""

    class Name:
        __module__ = "boto3.dynamodb.conditions"

        def __init__(self, name: str) -> None:
            self.name = name

    def __init__(self, operator: str, *values: Any) -> None:
        self.operator, self.values = operator, values

    def get_expression(self) -> dict[str, Any]:
        return {"format": "", "operator": self.operator, "values": self.values}


def foreign(name: str, operator: str, value: Any) -> Foreign:
    return Foreign(operator, Foreign.Name(name), value)


@pytest.fixture
def orders(db: hashrange.Database) -> hashrange.Table:
    table = db.create_table("orders", ("customer", "S"), ("ts", "N"))
    for ts in range(20):
        table.put({"customer": "ada", "ts": ts, "status": "paid" if ts % 2 else "open", "v": ts})
    return table


def times(items: Any) -> list[int]:
    return [item["ts"] for item in items]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        (Key("customer").eq("ada"), range(20)),
        (Key("customer").eq("ada") & Key("ts").gt(5), range(6, 20)),
        (Key("ts").lte(5) & Key("customer").eq("ada"), range(6)),
        (Key("customer").eq("ada") & Key("ts").between(3, Decimal("4.5")), range(3, 5)),
        (Key("customer").eq("ada") & Key("ts").eq(7), [7]),
        (Key("customer").eq("bob"), []),
        (Foreign("AND", foreign("customer", "=", "ada"), foreign("ts", "<", 2)), range(2)),
        (foreign("customer", "=", "ada"), range(20)),
    ],
)
def test_a_query_takes_a_key_condition(
    orders: hashrange.Table, condition: Any, wanted: Any
) -> None:
    assert times(orders.query(condition)) == list(wanted)
    assert times(orders.query(condition, reverse=True)) == list(wanted)[::-1]
    assert times(orders.query(condition, filter=Attr("status").eq("paid"))) == [
        ts for ts in wanted if ts % 2
    ]


def test_a_query_takes_a_key_condition_as_text(orders: hashrange.Table) -> None:
    found = orders.query(
        key="customer = :c AND ts >= :t", filter="#s = :s",
        names={"#s": "status"}, values={":c": "ada", ":t": 15, ":s": "open"},
    )
    assert times(found) == [16, 18]
    text = orders.query(key="customer = :c", filter=Attr("v").lt(3), values={":c": "ada"})
    assert times(text) == [0, 1, 2]
    # Objects leave the placeholders of the request alone.
    mixed = orders.query(
        Key("customer").eq("ada"), filter="v < :v0 AND #n0 = :v1",
        names={"#n0": "status"}, values={":v0": 4, ":v1": "open"},
    )
    assert times(mixed) == [0, 2]


def test_begins_with_on_a_string_range_key(db: hashrange.Database) -> None:
    table = db.create_table("days", ("h", "S"), ("day", "S"))
    for day in ("2026-01-30", "2026-02-01", "2026-02-28", "2026-03-01"):
        table.put({"h": "x", "day": day})
    found = table.query(Key("h").eq("x") & Key("day").begins_with("2026-02"))
    assert [item["day"] for item in found] == ["2026-02-01", "2026-02-28"]


def test_writes_take_condition_objects(orders: hashrange.Table) -> None:
    with pytest.raises(hashrange.ConditionalCheckFailed):
        orders.put({"customer": "ada", "ts": 1}, condition=Attr("customer").not_exists())
    orders.put({"customer": "ada", "ts": 99}, condition=Attr("customer").not_exists())
    orders.update(
        "ada", 99, "SET #s = :s", names={"#s": "status"}, values={":s": "new"},
        condition=Attr("status").not_exists() & Attr("ts").eq(99),
    )
    with pytest.raises(hashrange.ConditionalCheckFailed):
        orders.delete("ada", 99, condition=foreign("status", "=", "old"))
    orders.delete("ada", 99, condition=foreign("status", "=", "new"))
    assert orders.get("ada", 99) is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"hash": Key("ts").eq(1)}, "missed key schema element: customer"),
        ({"hash": Key("customer").gt("a")}, "key condition not supported"),
        ({"hash": Key("customer").eq("a") & Key("v").eq(1)}, "missed key schema element: ts"),
        ({"hash": Key("customer").eq("a") | Key("ts").eq(1)}, "Invalid operator used"),
        ({"hash": Key("customer").eq("a"), "gt": 1}, "takes the place"),
        ({"hash": Key("customer").eq("a"), "key": "customer = :c"}, "once"),
        ({"hash": "ada", "key": "customer = :c", "values": {":c": "a"}}, "takes the place"),
        ({"key": "customer = :c"}, "attribute value: :c"),
        ({"key": "customer = :c", "values": {":c": "a", ":d": 1}}, "unused"),
        ({}, "needs a hash key"),
        ({"hash": Key("customer").eq("a") & Key("ts").between(5, 1)}, "upper bound"),
        ({"hash": Key("customer").eq(5)}, "customer"),
        ({"hash": Key("customer").eq("a") & Key("ts").gt("x")}, "ts"),
    ],
)
def test_key_conditions_that_do_not_fit(
    orders: hashrange.Table, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(hashrange.ValidationError, match=words):
        orders.query(**arguments)


def test_what_is_no_condition_is_refused(orders: hashrange.Table) -> None:
    for wrong in (5, ["a"], {"a": 1}, object()):
        with pytest.raises(hashrange.ValidationError, match="condition"):
            orders.put({"customer": "a", "ts": 1}, condition=wrong)


# boto3's own objects, where it is installed.
def test_boto3s_objects_are_taken(orders: hashrange.Table) -> None:
    conditions = pytest.importorskip("boto3.dynamodb.conditions")
    theirs_key, theirs = conditions.Key, conditions.Attr
    found = orders.query(
        theirs_key("customer").eq("ada") & theirs_key("ts").between(2, 9),
        filter=theirs("status").is_in(["paid"])
        & ~theirs("v").eq(5)
        & theirs("status").size().gt(3),
    )
    assert times(found) == [3, 7, 9]
    orders.put({"customer": "bob", "ts": 1}, condition=theirs("customer").not_exists())
    with pytest.raises(hashrange.ConditionalCheckFailed):
        orders.put({"customer": "bob", "ts": 1}, condition=theirs("customer").not_exists())
