"""get: what is there, None for what is not, and clear words for keys that cannot be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import hashrange


# GetItem of a missing key answers with no item.
def test_a_missing_item_is_none(hashes: hashrange.Table, ranges: hashrange.Table) -> None:
    assert hashes.get("nothing") is None
    ranges.put({"h": "a", "r": 1})
    assert ranges.get("a", 2) is None
    assert ranges.get("b", 1) is None


# Whoever changes what get returned changes nothing but his own copy.
def test_each_get_returns_a_new_item(hashes: hashrange.Table) -> None:
    hashes.put({"id": "a", "list": [1], "map": {"k": [{"s"}]}, "set": {"x"}})
    for _ in range(3):
        got = hashes.get("a")
        assert got == {"id": "a", "list": [1], "map": {"k": [{"s"}]}, "set": {"x"}}
        got["list"].append(2)
        got["map"]["k"][0].add("t")
        got["set"].clear()
        got["new"] = 1


# The key of a call has exactly the parts of the table's key.
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("a",), "give its value too"),
        (("a", None), "give its value too"),
        ((None, 1), "h"),
        (("", 1), "empty"),
        (("a", "1"), "Type mismatch"),
        ((1, 1), "Type mismatch"),
        (("a", 1.0), "Decimal"),
        (("x" * 2049, 1), "2048"),
        (("a", 10**39 + 1), "38 significant"),
    ],
)
def test_wrong_keys_are_refused(ranges: hashrange.Table, keys: tuple[Any, ...], words: str) -> None:
    ranges.put({"h": "a", "r": 1})
    with pytest.raises(hashrange.ValidationError, match=words):
        ranges.get(*keys)
    with pytest.raises(hashrange.ValidationError, match=words):
        ranges.delete(*keys)
    assert ranges.count() == 1


# A table without range key takes none.
def test_a_range_key_is_refused_where_there_is_none(hashes: hashrange.Table) -> None:
    with pytest.raises(hashrange.ValidationError, match="no range key"):
        hashes.get("a", 1)


# The short way for plain keys (ASCII strings, ints) and the long way find the same items.
@pytest.mark.parametrize("kind", ["S", "N", "B"])
def test_all_key_types_find_their_items(db: hashrange.Database, kind: str) -> None:
    values: dict[str, list[Any]] = {
        "S": ["a", "é", "a" * 1024, "\0", "日本", "a\0"],
        "N": [
            0,
            1,
            -1,
            2**63 - 1,
            -(2**63),
            2**63,
            -(2**64),
            10**37,
            Decimal("0.1"),
            Decimal("1E-130"),
            Decimal("9E+125"),
        ],
        "B": [b"a", b"\0", b"\xff" * 1024, b"a\0"],
    }
    table = db.create_table("typed", ("h", kind), ("r", kind))
    alone = db.create_table("alone", ("h", kind))
    for hash_value in values[kind]:
        alone.put({"h": hash_value, "v": 1})
        for range_value in values[kind]:
            table.put({"h": hash_value, "r": range_value})
    assert table.count() == len(values[kind]) ** 2
    for hash_value in values[kind]:
        assert alone.get(hash_value) == {"h": hash_value, "v": 1}
        for range_value in values[kind]:
            assert table.get(hash_value, range_value) == {"h": hash_value, "r": range_value}


# One number, one key: however it is written.
def test_equal_numbers_are_one_key(db: hashrange.Database) -> None:
    table = db.create_table("numbers", ("id", "N"))
    for number in (10, Decimal("10"), Decimal("10.0"), Decimal("1E+1"), Decimal("100E-1")):
        table.put({"id": number})
        assert table.get(Decimal("1.0E1")) == {"id": 10}
    assert table.count() == 1
    table.put({"id": Decimal("-0.0")})
    assert table.get(0) == {"id": 0}
