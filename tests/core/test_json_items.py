"""Records to JSON text: the same text as by way of the typed form, and the same refusals."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbcore import typed
from ddbcore.errors import CorruptError
from ddbcore.item import ItemCodec
from ddbcore.json_items import item_text
from ddbcore.json_writer import json_write

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=70)
NUMBERS = st.one_of(
    st.integers(-200, 200),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.builds(Decimal.scaleb, st.integers(-(10**28) + 1, 10**28 - 1).map(Decimal),
              st.integers(-130, 97)),
)
SETS = st.one_of(
    st.sets(TEXTS, min_size=1, max_size=5),
    st.sets(NUMBERS, min_size=1, max_size=5),
    st.sets(st.binary(max_size=20), min_size=1, max_size=5),
)
NAMES = st.one_of(st.sampled_from(["a", "B", 'quo"te', "größe", "x" * 300]), TEXTS.filter(bool))
VALUES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.binary(max_size=80), st.booleans(), st.none(), SETS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)
ITEMS = st.dictionaries(NAMES.filter(lambda name: name not in {"pk", "sk"}), VALUES, max_size=6)


@given(ITEMS, st.one_of(TEXTS, st.binary(max_size=30), NUMBERS), NUMBERS)
def test_the_text_is_that_of_the_typed_form(item, hash_key, range_key) -> None:
    kind = {str: "S", bytes: "B"}.get(type(hash_key), "N")
    item = {**item, "pk": hash_key or 1 if kind == "N" else hash_key or type(hash_key)(b"x", *(
        ["ascii"] if kind == "S" else [])), "sk": range_key}
    for codec in (ItemCodec("pk", kind), ItemCodec("pk", kind, "sk", "N")):
        record = codec.encode(item)
        assert item_text(codec, record) == json_write(typed.decode(codec, record))


def test_many_attributes_and_deep_ones() -> None:
    codec = ItemCodec("pk", "S")
    deep = 1
    for _ in range(31):
        deep = [deep]
    item = {"pk": "a", "deep": deep, **{f"attribute-{number}": number for number in range(300)}}
    record = codec.encode(item)
    assert item_text(codec, record) == json_write(typed.decode(codec, record))


def test_an_item_of_its_key_alone() -> None:
    codec = ItemCodec("pk", "S", "sk", "B")
    assert item_text(codec, codec.encode({"pk": "a", "sk": b"\0"})) == (
        b'{"pk":{"S":"a"},"sk":{"B":"AA=="}}'
    )


# Text that is not UTF-8 any more is copied; checksums are there to find that.
def test_a_damaged_record_is_refused_or_read() -> None:
    codec = ItemCodec("pk", "S", "sk", "N")
    record = codec.encode({
        "pk": "a", "sk": 1.0 and 7, "n": Decimal("1.25"), "s": "text", "l": [1, "x", None, True],
        "m": {"a": b"\0\1", "other": -5}, "set": {"a", "b"}, "numbers": {1, 1000, 10**30},
    })
    rng = random.Random(3)
    refused = 0
    for _ in range(20_000):
        changed = bytearray(record)
        for _ in range(rng.randrange(1, 4)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        try:
            typed.decode(codec, bytes(changed))
        except CorruptError as error:
            if "UTF-8" in str(error) or "ASCII" in str(error) or "text" in str(error):
                continue
            with pytest.raises(CorruptError):
                item_text(codec, bytes(changed))
            refused += 1
        else:
            item_text(codec, bytes(changed))
    assert refused > 1000
    for size in range(len(record)):
        with pytest.raises(CorruptError):
            item_text(codec, record[:size])
