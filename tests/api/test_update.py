"""update: SET, REMOVE, ADD, DELETE through the table (the language has its own tests in core/)."""

from __future__ import annotations

from decimal import Decimal

import pytest

import hashrange


# UpdateItem makes the item where there is none: key and attributes set.
def test_update_makes_a_missing_item(ranges: hashrange.Table) -> None:
    ranges.update("a", 1, "SET v = :v", values={":v": "x"})
    assert ranges.get("a", 1) == {"h": "a", "r": 1, "v": "x"}
    assert ranges.count() == 1


# The issue's own example.
def test_the_example_of_the_issue_works(db: hashrange.Database) -> None:
    orders = db.create_table("orders", hash_key=("customer", "S"), range_key=("ts", "N"))
    orders.put({"customer": "ada", "ts": 1, "total": Decimal("9.99"), "tags": {"new", "gift"}})
    call = {"names": {"#s": "status"}, "values": {":s": "paid", ":n": 1}, "condition": "#s <> :s"}
    orders.update("ada", 1, "SET #s = :s ADD qty :n", **call)
    assert orders.get("ada", 1) == {
        "customer": "ada",
        "ts": 1,
        "total": Decimal("9.99"),
        "tags": {"new", "gift"},
        "status": "paid",
        "qty": 1,
    }
    with pytest.raises(hashrange.ConditionalCheckFailed):
        orders.update("ada", 1, "SET #s = :s ADD qty :n", **call)
    assert orders.get("ada", 1)["qty"] == 1


# Every clause at once; other attributes stay.
def test_all_clauses_work_together(hashes: hashrange.Table) -> None:
    hashes.put({"id": "a", "n": 1, "gone": 1, "set": {"x", "y"}, "stays": [1]})
    hashes.update(
        "a",
        "SET s = :s REMOVE gone ADD n :n DELETE #set :x",
        names={"#set": "set"},
        values={":s": "new", ":n": Decimal("0.5"), ":x": {"x"}},
    )
    assert hashes.get("a") == {
        "id": "a",
        "n": Decimal("1.5"),
        "s": "new",
        "set": {"y"},
        "stays": [1],
    }


# Key attributes cannot be updated; the item stays as it was.
@pytest.mark.parametrize("expression", ["SET r = :v", "REMOVE h", "ADD r :v"])
def test_key_attributes_cannot_be_changed(ranges: hashrange.Table, expression: str) -> None:
    ranges.put({"h": "a", "r": 1, "v": 1})
    values = {":v": 2} if ":v" in expression else None
    with pytest.raises(hashrange.ValidationError, match=r"(?i)key"):
        ranges.update("a", 1, expression, values=values)
    assert ranges.get("a", 1) == {"h": "a", "r": 1, "v": 1}


# An update that would make the item too large is refused whole.
def test_an_update_cannot_make_an_item_too_large(hashes: hashrange.Table) -> None:
    hashes.put({"id": "a", "v": "x" * 300000})
    with pytest.raises(hashrange.ItemTooLarge):
        hashes.update("a", "SET w = :w", values={":w": "y" * 120000})
    assert "w" not in hashes.get("a")


# Wrong expressions and wrong values are refused before anything is changed.
@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("", {}),
        ("SET", {}),
        ("SET v = :v", {}),
        ("SET v = :v", {":v": 1.5}),
        ("SET v = :v, v = :v", {":v": 1}),
        ("FROB v", {}),
        ("ADD v :v", {":v": "text"}),
        ("SET v = :v", {":v": {1, "a"}}),
    ],
)
def test_wrong_updates_are_refused(
    hashes: hashrange.Table, expression: str, values: dict[str, object]
) -> None:
    hashes.put({"id": "a", "v": 1})
    with pytest.raises(hashrange.ValidationError):
        hashes.update("a", expression, values=values)
    assert hashes.get("a") == {"id": "a", "v": 1}


# The key and the expression are positional: too few or too many of them are a TypeError.
def test_update_takes_key_and_expression(hashes: hashrange.Table, ranges: hashrange.Table) -> None:
    with pytest.raises(TypeError):
        hashes.update("a")
    with pytest.raises(TypeError):
        ranges.update("a", 1, "SET v = :v", "more")
    with pytest.raises(hashrange.ValidationError):
        ranges.update("a", "SET v = :v", values={":v": 1})


# 10,000 increments are exact.
def test_counters_count(hashes: hashrange.Table) -> None:
    for _ in range(10000):
        hashes.update("counter", "ADD n :one", values={":one": 1})
    assert hashes.get("counter") == {"id": "counter", "n": 10000}
    assert hashes.count() == 1
