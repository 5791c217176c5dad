"""Plain PutItem requests: the record is the one that the codec makes, or it is left to others."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbcore import typed
from ddbcore.errors import ValidationError
from ddbcore.item import ItemCodec
from ddbcore.json_encoder import put_item
from ddbcore.json_reader import JsonReader
from ddbcore.json_writer import json_write

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
NUMBERS = st.one_of(st.integers(-(10**38) + 1, 10**38 - 1), st.sampled_from([0, 1, -128, 10**30]),
                    st.builds(Decimal.scaleb, st.integers(-999, 999).map(Decimal),
                              st.integers(-100, 100))).map(str)
NAMES = st.sampled_from(["a", "name", "B", "M", "x" * 40, "größe"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        TEXTS.map(lambda text: {"S": text}),
        NUMBERS.map(lambda number: {"N": number}),
        st.binary(max_size=70).map(lambda data: {"B": data}),
        st.booleans().map(lambda truth: {"BOOL": truth}),
        st.just({"NULL": True}),
        st.lists(TEXTS, max_size=5).map(lambda members: {"SS": members}),
        st.lists(NUMBERS, max_size=5).map(lambda members: {"NS": members}),
        st.lists(st.binary(max_size=9), max_size=5).map(lambda members: {"BS": members}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda values: {"L": values}),
        st.dictionaries(NAMES, inner, max_size=4).map(lambda values: {"M": values}),
    ),
    max_leaves=10,
)
ITEMS = st.dictionaries(NAMES, VALUES, max_size=6)


def as_others_do(codec: ItemCodec, text: bytes) -> bytes | None:
    """Return the record by way of dicts, None when the text is refused."""
    try:
        return typed.encode(codec, JsonReader().read(text)["Item"])
    except (ValueError, KeyError, TypeError):
        return None


def put(codec: ItemCodec, reader: JsonReader, text: bytes) -> bytes | None:
    try:
        found = put_item(codec, reader, text)
    except ValidationError:
        return None
    assert found is None or found[0] == b"things"
    return None if found is None else found[1]


def text_of(item: Any) -> bytes:
    return json_write({"TableName": "things", "Item": item})


@given(ITEMS, st.booleans())
def test_the_record_is_that_of_the_typed_form(item: dict[str, Any], ranged: bool) -> None:
    codec = ItemCodec("pk", "S", "sk", "N") if ranged else ItemCodec("pk", "S")
    item = {"sk": {"N": "17"}, **item, "pk": {"S": "user-1"}}
    text = text_of(item)
    reader = JsonReader()
    expected = as_others_do(codec, text)         # gives names their ids
    reader.read(text)
    found = put(codec, reader, text)
    if expected is None:
        assert found is None
    elif found is None:
        assert b"\\" in text or "größe".encode() in text
    else:
        assert found == expected


@pytest.mark.parametrize("kind", ["S", "N", "B"])
def test_a_plain_item_is_read(kind: str) -> None:
    codec = ItemCodec("pk", kind)
    item = {
        "text": {"S": "☃ text"}, "n": {"N": "-1.50"}, "b": {"B": b"\0\1"}, "yes": {"BOOL": True},
        "no": {"BOOL": False}, "none": {"NULL": True}, "ss": {"SS": ["b", "a"]},
        "ns": {"NS": ["10", "2"]}, "bs": {"BS": [b"b", b"a"]}, "l": {"L": [{"L": []}, {"M": {}}]},
        "pk": {kind: b"key" if kind == "B" else "12"},
        "m": {"M": {"text": {"S": "y" * 300}, "m": {"M": {"n": {"N": "1"}}}}},
    }
    text = text_of(item)
    reader = JsonReader()
    expected = as_others_do(codec, text)
    assert put(codec, reader, text) is None       # names that were not read before
    reader.read(text)
    assert put(codec, reader, text) == expected is not None
    spaced = json.dumps(json.loads(text), indent=1, ensure_ascii=False).encode()
    assert put(codec, reader, spaced) == expected


def sized(codec: ItemCodec, reader: JsonReader, item: Any) -> bool:
    text = text_of({"pk": {"S": "a"}, **item})
    expected = as_others_do(codec, text)
    reader.read(text)
    found = put(codec, reader, text)
    assert found is None or found == expected
    return found is not None


def test_bounds_are_kept() -> None:
    codec, reader = ItemCodec("pk", "S"), JsonReader()

    def deep(levels: int) -> Any:
        value: Any = {"N": "1"}
        for _ in range(levels):
            value = {"L": [value]}
        return {"deep": value}

    for count, plain in ((126, True), (127, True), (128, False)):
        assert sized(codec, reader, {"l": {"L": [{"N": "1"}] * count}}) is plain
        entries = {f"n{number}": {"N": "1"} for number in range(count)}
        # A few of so many names may have been forgotten again.
        assert sized(codec, reader, {"m": {"M": entries}}) <= plain
        assert sized(codec, reader, entries) <= plain
    for count, plain in ((31, True), (32, True), (33, False)):
        assert sized(codec, reader, {"s": {"NS": [str(n) for n in range(count)]}}) is plain
    for levels, plain in ((14, True), (15, True), (16, False), (31, False)):
        assert sized(codec, reader, deep(levels)) is plain
    for size, plain in ((63, True), (64, True), (253, True), (254, True), (255, True), (256, True),
                        (70_000, True), (409_590, True), (409_600, False)):
        assert sized(codec, reader, {"s": {"S": "x" * size}}) is plain
        if size < 400_000:
            assert sized(codec, reader, {"m": {"M": {"s": {"S": "x" * size}}}}) is plain
    assert sized(codec, reader, {"s": {"SS": ["x" * 250, "y" * 250]}})
    assert not sized(codec, reader, {"s": {"SS": ["x" * 260, "y" * 260]}})


@pytest.mark.parametrize(
    "item",
    [
        '{"pk": {"S": "a"}, "a": {"S": "1"}, "a": {"S": "2"}}',
        '{"pk": {"S": "a"}, "pk": {"S": "b"}}',
        '{"pk": {"S": "a"}, "m": {"M": {"a": {"S": "1"}, "a": {"S": "2"}}}}',
        '{"pk": {"S": "a"}, "a": {"SS": ["x", "x"]}}',
        '{"pk": {"S": "a"}, "a": {"SS": ["", ""]}}',
        '{"pk": {"S": "a"}, "a": {"NS": ["1", "1.0"]}}',
        '{"pk": {"S": "a"}, "a": {"SS": []}}',
        '{"pk": {"S": "a"}, "a": {"S": "1", "N": "1"}}',
        '{"pk": {"S": "a"}, "a": {}}',
        '{"pk": {"S": "a"}, "a": {"NULL": false}}',
        '{"pk": {"S": "a"}, "a": {"BOOL": "true"}}',
        '{"pk": {"S": "a"}, "a": {"N": "x"}}',
        '{"pk": {"S": "a"}, "a": {"B": "x"}}',
        '{"pk": {"S": "a"}, "a": {"S": 1}}',
        '{"pk": {"S": "a"}, "a": null}',
        '{"pk": {"S": ""}}', '{"pk": {"N": "1"}}', '{"a": {"S": "1"}}', "{}",
        '{"pk": {"S": "a"}, "": {"S": "1"}}',
        '{"pk": {"S": "a"},}', '{"pk": {"S": "a"}}, "ReturnValues": "NONE"',
    ],
)
def test_what_has_rules_of_its_own_is_left_to_others(item: str) -> None:
    codec, reader = ItemCodec("pk", "S"), JsonReader()
    for known in ("a", "m", "pk"):
        codec.intern_name(known)
        reader.read(json.dumps({known: 1}).encode())
    assert put(codec, reader, b'{"TableName": "things", "Item": %s}' % item.encode()) is None


def test_what_is_changed_is_read_as_others_do_or_not_at_all() -> None:
    codec, reader = ItemCodec("pk", "S", "sk", "N"), JsonReader()
    text = text_of({
        "pk": {"S": "user-17"}, "sk": {"N": "170"}, "a": {"S": "1é"}, "b": {"N": "12"},
        "l": {"L": [{"BOOL": True}, {"NULL": True}, {"M": {"a": {"S": ""}, "b": {"B": b"\0\1"}}}]},
        "s": {"SS": ["a", "b"]}, "n": {"NS": ["1", "2"]},
    })
    rng = random.Random(9)
    as_others_do(codec, text)
    reader.read(text)
    read = 0
    for _ in range(30_000):
        changed = bytearray(text)
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(changed))
            if rng.random() < 0.3:
                del changed[place]
            else:
                changed[place] = rng.choice(b' ":{}[],abkpslSNBLM12e.-\\\x00\xff\xc3\n')
        found = put(codec, reader, bytes(changed)) if b"things" in changed else None
        if found is not None:
            read += 1
            assert found == as_others_do(codec, bytes(changed)), bytes(changed)
    assert read > 500
    for size in range(len(text)):
        assert put(codec, reader, text[:size]) is None
