"""put: values of every type come back, limits hold at n-1, n and n+1, refusals change nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import numpy
import pytest

import hashrange

ITEM_MAX = 409600


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels - 1):
        value = [value] if level % 2 else {"k": value}
    return value


# The ten types of DynamoDB, each with its corner values; an int and a Decimal of one value are one
# number.
EVERY_TYPE = {
    "text": ["", "a", "x" * 63, "x" * 64, "é", "日本", "\U0001f600", "\0", "a\0b", "x" * 70000],
    "number": [
        0,
        1,
        63,
        64,
        -1,
        -128,
        127,
        128,
        2**31,
        -(2**31),
        2**63 - 1,
        -(2**63),
        2**63,
        10**37,
        10**38 - 1,
        Decimal("0.1"),
        Decimal("-0.1"),
        Decimal("1E-130"),
        Decimal("9." + "9" * 37 + "E+125"),
        Decimal("-9." + "9" * 37 + "E+125"),
        Decimal("1." + "0" * 36 + "1"),
        10**125,
    ],
    "binary": [b"", b"\0", b"\xff" * 300, bytes(range(256))],
    "bool": [True, False],
    "null": [None],
    "list": [[], [1, "a", None, [b""]], [[]] * 10],
    "map": [{}, {"a": 1}, {"a": {"b": {"c": [1]}}}, {"é" * 200: 1}],
    "string set": [{"a"}, {"a", "b", "é"}, {""}],
    "number set": [{1}, {1, 2, Decimal("0.5")}, {-1, 0, 10**30}],
    "binary set": [{b""}, {b"a", b"b"}],
}


# All values of a type come back equal and of the same Python type: what is read is what was
# written.
@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_every_type_comes_back_as_it_was(hashes: hashrange.Table, kind: str) -> None:
    for index, value in enumerate(EVERY_TYPE[kind]):
        hashes.put({"id": f"{kind}{index}", "v": value})
        got = hashes.get(f"{kind}{index}")
        assert got == {"id": f"{kind}{index}", "v": value}
        assert type(got["v"]) is type(value) or isinstance(value, Decimal)


# Numbers are numbers: 9.90, 9.9 and Decimal("99E-1") are one; an integral Decimal comes back as
# int.
def test_equal_numbers_come_back_in_one_form(hashes: hashrange.Table) -> None:
    hashes.put(
        {
            "id": "n",
            "a": Decimal("9.90"),
            "b": Decimal("5.0"),
            "c": Decimal("1E+3"),
            "d": Decimal("-0"),
        }
    )
    got = hashes.get("n")
    assert str(got["a"]) == "9.9"
    assert [(type(got[k]), got[k]) for k in "bcd"] == [(int, 5), (int, 1000), (int, 0)]


# Bytes-like objects are binary, tuples are lists, frozensets are sets.
def test_relatives_of_the_types_are_taken(hashes: hashrange.Table) -> None:
    class Text(str):
        __slots__ = ()

    hashes.put(
        {
            Text("id"): Text("k"),
            "b": bytearray(b"ab"),
            "m": memoryview(b"cd"),
            "t": (1, (2,)),
            "f": frozenset({1}),
            "o": OrderedDict(z=1),
        }
    )
    assert hashes.get("k") == {
        "id": "k",
        "b": b"ab",
        "m": b"cd",
        "t": [1, [2]],
        "f": {1},
        "o": {"z": 1},
    }


# Any Mapping is an item.
def test_a_mapping_is_an_item(hashes: hashrange.Table) -> None:
    class Row(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            return {"id": "m", "a": 1}[key]

        def __iter__(self) -> Iterator[str]:
            return iter(("id", "a"))

        def __len__(self) -> int:
            return 2

    hashes.put(Row())
    assert hashes.get("m") == {"id": "m", "a": 1}


# PutItem replaces the whole item: attributes of the old one do not stay.
def test_put_replaces_the_whole_item(hashes: hashrange.Table) -> None:
    hashes.put({"id": "a", "x": 1, "y": 2})
    hashes.put({"id": "a", "z": 3})
    assert hashes.get("a") == {"id": "a", "z": 3}
    assert hashes.count() == 1


# What the caller does with its dict after the call is no business of the database.
def test_the_stored_item_is_a_copy(hashes: hashrange.Table) -> None:
    item = {"id": "a", "list": [1], "map": {"k": {"s"}}}
    hashes.put(item)
    item["list"].append(2)
    item["map"]["k"].add("t")
    assert hashes.get("a") == {"id": "a", "list": [1], "map": {"k": {"s"}}}


# 400 KB by DynamoDB's own count: names and values; "id" + "k" are 3 bytes, "v" is 1.
@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_an_item_has_at_most_409600_bytes(hashes: hashrange.Table, excess: int) -> None:
    item = {"id": "k", "v": "x" * (ITEM_MAX - 4 + excess)}
    if excess > 0:
        with pytest.raises(
            hashrange.ItemTooLarge, match="Item size has exceeded the maximum allowed size"
        ):
            hashes.put(item)
        assert hashes.get("k") is None
        assert hashes.count() == 0
    else:
        hashes.put(item)
        assert hashes.get("k") == item
        assert hashes.size_bytes() == ITEM_MAX + excess


# DynamoDB's bounds of key values: 2,048 bytes of hash key, 1,024 of range key, UTF-8 bytes.
@pytest.mark.parametrize("kind", ["S", "B", "é"])
@pytest.mark.parametrize(("part", "most"), [("h", 2048), ("r", 1024)])
def test_keys_are_bounded_in_bytes(db: hashrange.Database, kind: str, part: str, most: int) -> None:
    unit = {"S": "x", "B": b"x", "é": "é"}[kind]
    size = 2 if kind == "é" else 1
    name = "B" if kind == "B" else "S"
    table = db.create_table("keys", ("h", name), ("r", name))
    for count in (most // size - 1, most // size):
        item = {"h": unit, "r": unit, part: unit * count}
        table.put(item)
        assert table.get(item["h"], item["r"]) == item
    with pytest.raises(hashrange.ValidationError, match=f"size limit of {most} bytes"):
        table.put({"h": unit, "r": unit, part: unit * (most // size + 1)})
    assert table.count() == 2


# Nesting: 32 levels, of lists and maps.
@pytest.mark.parametrize("levels", [31, 32, 33])
def test_values_nest_32_levels(hashes: hashrange.Table, levels: int) -> None:
    value = nested(levels)
    if levels > 32:
        with pytest.raises(hashrange.ValidationError, match=r"(?i)nest"):
            hashes.put({"id": "a", "v": value})
        assert hashes.count() == 0
    else:
        hashes.put({"id": "a", "v": value})
        assert hashes.get("a") == {"id": "a", "v": value}


# 38 significant digits, exactly; the 39th is refused and never rounded away.
@pytest.mark.parametrize("digits", [37, 38, 39])
@pytest.mark.parametrize("form", ["int", "decimal", "key", "set"])
def test_numbers_have_at_most_38_digits(db: hashrange.Database, digits: int, form: str) -> None:
    table = db.create_table("numbers", ("id", "N"))
    number: Any = int("7" * digits) if form in {"int", "key"} else Decimal("0." + "7" * digits)
    item = {"id": number if form == "key" else 1, "v": {number} if form == "set" else number}
    if digits > 38:
        with pytest.raises(hashrange.ValidationError, match="more than 38 significant digits"):
            table.put(item)
        assert table.count() == 0
    else:
        table.put(item)
        assert table.get(item["id"]) == item


# Magnitudes: 1E-130 to 9.99..E+125, in the service's words.
@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("1E+126", "Number overflow"),
        ("-1E+126", "Number overflow"),
        ("1E-131", "Number underflow"),
        ("-9E-131", "Number underflow"),
    ],
)
def test_numbers_out_of_range_are_refused(hashes: hashrange.Table, number: str, words: str) -> None:
    with pytest.raises(hashrange.ValidationError, match=words):
        hashes.put({"id": "a", "v": Decimal(number)})
    assert hashes.get("a") is None


REFUSED = {
    "float": (1.5, r"attribute 'v.deep\[1\]'.*float.*Decimal\(str\(x\)\)"),
    "nan": (Decimal("NaN"), r"attribute 'v.deep\[1\]'"),
    "infinity": (Decimal("-Infinity"), r"attribute 'v.deep\[1\]'"),
    "numpy int": (numpy.int64(1), r"attribute 'v.deep\[1\]'.*numpy"),
    "numpy float": (numpy.float64(1), r"attribute 'v.deep\[1\]'.*float"),
    "object": (object(), r"attribute 'v.deep\[1\]'.*object"),
    "empty set": (set(), r"attribute 'v.deep\[1\]'.*empty"),
    "mixed set": ({1, "a"}, r"attribute 'v.deep\[1\]'"),
    "set of bools": ({True}, r"attribute 'v.deep\[1\]'"),
    "set of tuples": ({(1, 2)}, r"attribute 'v.deep\[1\]'"),
    "surrogate": ("\ud800", r"attribute 'v.deep\[1\]'"),
    "empty name": ({"": 1}, "name cannot be empty"),
    "name that is no string": ({1: 2}, r"attribute 'v.deep\[1\]"),
    "function": (len, r"attribute 'v.deep\[1\]'"),
    "complex": (1j, r"attribute 'v.deep\[1\]'"),
}


# A value that DynamoDB has no type for is refused, with the path that leads to it, and the item
# there stays.
@pytest.mark.parametrize("what", REFUSED)
def test_other_values_are_refused_with_their_path(hashes: hashrange.Table, what: str) -> None:
    value, words = REFUSED[what]
    hashes.put({"id": "a", "old": 1})
    with pytest.raises(hashrange.ValidationError, match=words):
        hashes.put({"id": "a", "v": {"deep": [0, value]}})
    assert hashes.get("a") == {"id": "a", "old": 1}
    assert hashes.count() == 1


KEYLESS = [
    ({}, "Missing the key"),
    ({"h": "a"}, "Missing the key r"),
    ({"r": 1}, "Missing the key h"),
    ({"h": None, "r": 1}, "h is None"),
    ({"h": "", "r": 1}, "empty string"),
    ({"h": 1, "r": 1}, "Type mismatch for key h"),
    ({"h": b"a", "r": 1}, "Type mismatch for key h"),
    ({"h": "a", "r": "1"}, "Type mismatch for key r"),
    ({"h": "a", "r": True}, "Type mismatch for key r"),
    ({"h": "a", "r": 1.0}, r"Type mismatch for key r.*Decimal\(str\(x\)\)"),
    ({"h": "a", "r": Decimal("NaN")}, "key attribute 'r'"),
    ({"h": ["a"], "r": 1}, "Type mismatch for key h"),
    ({"h": {"a"}, "r": 1}, "Type mismatch for key h"),
]


# Every item has its key attributes, of the declared type, and not empty.
@pytest.mark.parametrize(("item", "words"), KEYLESS)
def test_items_without_proper_keys_are_refused(
    ranges: hashrange.Table, item: dict[str, Any], words: str
) -> None:
    with pytest.raises(hashrange.ValidationError, match=words):
        ranges.put(item)
    assert ranges.count() == 0


# What is no dict is no item.
@pytest.mark.parametrize("item", [None, 1, "a", [("id", "a")], {"id"}])
def test_an_item_is_a_mapping(hashes: hashrange.Table, item: Any) -> None:
    with pytest.raises((hashrange.ValidationError, TypeError)):
        hashes.put(item)
    assert hashes.count() == 0


# Errors of arguments are both hashrange's and Python's: code that knows only ValueError goes on
# working.
def test_a_validation_error_is_a_value_error(hashes: hashrange.Table) -> None:
    with pytest.raises(ValueError):
        hashes.put({"id": 1.5})
    with pytest.raises(hashrange.Error):
        hashes.put({"id": 1.5})


# PutItem with a condition writes only where it holds for the item there.
def test_a_condition_decides_on_the_old_item(hashes: hashrange.Table) -> None:
    hashes.put({"id": "a", "n": 1}, condition="attribute_not_exists(id)")
    with pytest.raises(hashrange.ConditionalCheckFailed, match="conditional request failed"):
        hashes.put({"id": "a", "n": 2}, condition="attribute_not_exists(id)")
    assert hashes.get("a") == {"id": "a", "n": 1}
    hashes.put({"id": "a", "n": 3}, condition="#n = :one", names={"#n": "n"}, values={":one": 1})
    assert hashes.get("a") == {"id": "a", "n": 3}


# Each of the three modes is known, and no other.
def test_durability_is_one_of_three_words(hashes: hashrange.Table) -> None:
    for durability in ("interval", "commit", "none"):
        hashes.put({"id": durability}, durability=durability)
    with pytest.raises(hashrange.ValidationError, match="durability"):
        hashes.put({"id": "x"}, durability="maybe")


# Items of one hash key and many: each key is one item, whatever the order of the writes.
def test_keys_are_independent(ranges: hashrange.Table) -> None:
    for hash_key in "abc":
        for number in (3, -1, Decimal("0.5"), 0, 10**20):
            ranges.put({"h": hash_key, "r": number, "v": f"{hash_key}{number}"})
    assert ranges.count() == 15
    assert ranges.get("b", Decimal("0.50"))["v"] == "b0.5"
    assert ranges.get("b", Decimal("3.0"))["v"] == "b3"


# More attribute names than the table of names holds (each is stored inline from then on).
def test_any_number_of_attribute_names_is_stored(hashes: hashrange.Table) -> None:
    for start in range(0, 70000, 500):
        hashes.put({"id": str(start), **{f"n{number}": 1 for number in range(start, start + 500)}})
    for start in range(0, 70000, 500):
        assert len(hashes.get(str(start))) == 501


# A frame is padded to eight bytes behind its record: sizes that end everywhere in a word, and near
# a buffer's end.
def test_items_of_every_size_are_stored(hashes: hashrange.Table) -> None:
    for size in [*range(900, 1100), *range(4000, 4110), *range(65500, 65560)]:
        hashes.put({"id": "a", "b": b"x" * size})
        assert len(hashes.get("a")["b"]) == size
