"""Leads: what a filter's first comparison rejects, the whole condition rejects too."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from core.programs import codec_make, record_of

from ddbcore.filter import Filter
from hashrange.expr import compile_program

PADDING = bytes(16)               # LEAD_ROOM_BYTES
VALUES: list[Any] = [
    0, 1, 63, 64, -1, -128, 127, 128, 32767, -40000, 1 << 31, -(1 << 40), (1 << 63) - 1, 1 << 70,
    Decimal("0.5"), Decimal("63.25"), Decimal("1e40"), Decimal("-7.5"), "", "a", "ab", "b",
    "a" * 63, "a" * 64, "a" * 200, "\xe9", "a\xe9", b"", b"a", b"b" * 300, True, False, None,
    [], [1, "a"], {}, {"a": 1}, {"b": 1, "a": 2}, {"x", "y"}, {1, 2}, {b"z"},
    ["long" * 20] * 9,
]
COMPARED = [value for value in VALUES if type(value) not in (bool, type(None), list, dict, set)]


def filter_of(codec: Any, text: str, value: Any) -> Filter:
    return Filter(compile_program(None, text, "FilterExpression"), codec, None, {":v": value})


def item_of(choose: random.Random) -> dict[str, Any]:
    names = [f"n{number}" for number in range(choose.randrange(9))]
    choose.shuffle(names)
    return {name: choose.choice(VALUES) for name in names}


# Invariant 1. Each value is compared with each, of its type and of the others.
@pytest.mark.parametrize("operator", ["=", "<>", "<", "<=", ">", ">="])
def test_what_a_lead_rejects_fails(operator):
    codec = codec_make()
    compared = VALUES if operator in ("=", "<>") else COMPARED
    records = [record_of(codec, {"n0": value, "last": 1}) for value in VALUES]
    rejected = 0
    for value in compared:
        chosen = filter_of(codec, f"n0 {operator} :v", value)
        for record in records:
            held, rejects = chosen.test(record), chosen.rejects(record + PADDING)
            assert not (held and rejects), (value, record)
            rejected += rejects
    assert rejected >= len(compared) - 9  # it is of use; maps, lists, decimals are left alone


def test_prefixes_and_absent_attributes():
    codec = codec_make()
    record_of(codec, {"n0": 1, "n1": 2})  # the names have ids
    for prefix in ("a", "ab", "a" * 63, "a" * 64, "\xe9"):
        chosen = filter_of(codec, "begins_with(n0, :v)", prefix)
        for value in VALUES:
            record = record_of(codec, {"n0": value})
            assert not (chosen.test(record) and chosen.rejects(record + PADDING))
        assert chosen.rejects(record_of(codec, {"n1": prefix}) + PADDING)
        assert chosen.rejects(record_of(codec, {"n0": "zz", "n1": prefix}) + PADDING)
    record = record_of(codec, {"n1": 3})
    assert filter_of(codec, "n0 = :v", 3).rejects(record + PADDING)
    assert not filter_of(codec, "n0 <> :v", 3).rejects(record + PADDING)


# Of a condition with AND its first part leads; with OR or NOT nothing does.
def test_conjunctions_lead_and_alternatives_do_not():
    codec = codec_make()
    record = record_of(codec, {"n0": 1, "n1": 2}) + PADDING
    assert filter_of(codec, "n0 = :v AND n1 = n0", 5).rejects(record)
    assert filter_of(codec, "(n0 = :v AND n1 = n0) AND n1 > n0", 5).rejects(record)
    assert filter_of(codec, "n0 BETWEEN :v AND n1", 5).rejects(record)
    for text in ("n0 = :v OR n1 > n0", "NOT n0 = :v", "(n0 = :v OR n1 = n0) AND n1 > n0",
                 "n1 IN (n0, :v)", "size(n0) = :v", "n0.deep = :v", "sk = :v"):
        assert not filter_of(codec, text, 5).rejects(record), text


def test_random_items_agree_with_the_whole_evaluation():
    seed = random.randrange(1 << 32)
    choose = random.Random(seed)
    codec = codec_make()
    for number in range(200):             # ids of two bytes, which the walk has to read
        record_of(codec, {f"other{number}": 1})
    records = [record_of(codec, {**item_of(choose), f"other{choose.randrange(200)}": 7})
               for _ in range(300)]
    rejected = 0
    for _ in range(60):
        name = choose.choice(["n0", "n1", "n5", "other5", "other190"])
        operator = choose.choice(["=", "<>", "<", "<=", ">", ">="])
        chosen = filter_of(codec, f"{name} {operator} :v", choose.choice(COMPARED))
        for record in records:
            rejects = chosen.rejects(record + PADDING)
            assert not (rejects and chosen.test(record)), seed
            rejected += rejects
    assert rejected > 500, seed


# A record cut short, or with bytes turned, is never read beyond its end; what is said of it counts
# for nothing. Run under a sanitizer, this is the test of invariant 2.
def test_damaged_records_are_survived():
    seed = random.randrange(1 << 32)
    choose = random.Random(seed)
    codec = codec_make()
    record_of(codec, {f"n{number}": 1 for number in range(9)})
    rejected = 0
    chosen = [filter_of(codec, text, value) for text, value in (
        ("n0 = :v", 5), ("n1 < :v", "abc"), ("n2 <> :v", "a" * 90), ("begins_with(n3, :v)", "a"))]
    for _ in range(2000):
        record = bytearray(record_of(codec, item_of(choose)))
        for _ in range(choose.randrange(4)):
            record[choose.randrange(len(record))] = choose.randrange(256)
        cut = record[: choose.randrange(16, len(record) + 1)]
        if choose.random() < 0.8:
            cut[:4] = len(cut).to_bytes(4, "little")  # the record's own size
        for one in chosen:
            rejected += one.rejects(bytes(cut) + PADDING)
    assert rejected > 500, seed
