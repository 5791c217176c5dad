"""JSON: what is read equals what the standard library reads, what is written it reads back."""

from __future__ import annotations

import base64
import gc
import json
import math
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbcore.errors import SerializationError
from ddbcore.json_reader import JsonReader
from ddbcore.json_writer import json_write

DEPTH_MAX = 256
NAMES = st.text(max_size=12).filter(lambda name: name not in {"B", "BS"})
TEXTS = st.text()
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), TEXTS,
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(NAMES, inner)),
    max_leaves=30,
)


@pytest.fixture
def reader() -> JsonReader:
    return JsonReader()


def is_json(text: bytes) -> bool:
    """Tell whether the standard library takes a text, without what it takes beyond JSON."""
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=lambda word: 1 / 0)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError, ZeroDivisionError):
        return False
    return True


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_what_json_dumps_is_read(value: Any, escaped: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=escaped, indent=indent).encode("utf-8")
    assert JsonReader().read(text) == value


@given(VALUES)
def test_what_is_written_json_reads(value: Any) -> None:
    written = json_write(value)
    assert json.loads(written) == value
    assert JsonReader().read(written) == value


# Jackson escapes what JSON demands, and nothing else; nor does anything here.
def test_only_what_must_be_is_escaped() -> None:
    text = "".join(map(chr, range(128))) + "\x7f\u2028\u2603\U0001f600"
    written = json_write(text).decode("utf-8")
    assert json.loads(written) == text
    assert "\u2028\u2603\U0001f600" in written
    assert written.startswith('"\\u0000\\u0001')
    assert '\\b\\t\\n\\u000b\\f\\r\\u000e' in written
    assert '!\\"#' in written
    assert '[\\\\]' in written
    assert "~\x7f" in written


@given(st.binary(max_size=40))
def test_bytes_are_base64_in_both_directions(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    written = json_write({"B": data, "BS": [data, data]})
    assert written == f'{{"B":"{text}","BS":["{text}","{text}"]}}'.encode()
    assert JsonReader().read(written) == {"B": data, "BS": [data, data]}


@given(st.text(st.sampled_from("AQgw/+=-_ \n\u00e9"), max_size=12))
def test_what_is_no_canonical_base64_stays_text(text: str) -> None:
    try:
        data = base64.b64decode(text, validate=True)
        canonical = base64.b64encode(data).decode() == text
    except ValueError:
        canonical = False
    expected: Any = data if canonical else text
    written = json.dumps({"B": text, "BS": [text]}).encode()
    assert JsonReader().read(written) == {"B": expected, "BS": [expected]}


def test_other_members_and_names_are_never_binaries(reader: JsonReader) -> None:
    value = {"S": "AAEC", "BOOL": "AAEC", "Bx": ["AAEC"], "SS": ["AAEC"], "": "AAEC",
             "ExpressionAttributeNames": {"B": "AAEC", "BS": ["AAEC"]}}
    assert reader.read(json.dumps(value).encode()) == value
    mixed = {"B": {"S": "a"}, "BS": ["AA==", 1, None, "x"], "b": {"B": None}}
    assert reader.read(json.dumps(mixed).encode()) == {**mixed, "BS": [b"\0", 1, None, "x"]}


# ---- texts that are damaged ----------------------------------------------------------------------


PIECES = [
    b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b'"a"', b'"B"', b'"AA=="', b"1", b"-", b"0",
    b".5", b"e9", b"true", b"fals", b"null", b" ", b"\n", b"\0", b"\xff", b"\xc3", b"\xc3\xa9",
    b"\\u00e9", b"\\ud83d", b"\\ude00", b"\\n", b"\\x", b"NaN", b"Infinity", b"'",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
def test_a_text_is_read_exactly_when_it_is_json(text: bytes) -> None:
    try:
        value = JsonReader().read(text)
    except SerializationError:
        assert not is_json(text)
        return
    assert is_json(text)
    json_write(value)


def test_a_text_cut_short_or_changed_in_a_byte_is_read_or_refused(reader: JsonReader) -> None:
    text = json.dumps({
        "TableName": "things", "Item": {"id": {"S": "a\u2603"}, "b": {"B": "AAEC"},
        "l": {"L": [{"N": "1"}, {"BOOL": True}, {"NULL": True}]}}, "Limit": -12, "f": 1.5e-3,
    }).encode()
    for end in range(len(text)):
        with pytest.raises(SerializationError):
            reader.read(text[:end])
    rng = random.Random(1)
    for _ in range(5000):
        changed = bytearray(text)
        for _ in range(rng.randrange(1, 4)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        try:
            reader.read(bytes(changed))
        except SerializationError:
            assert not is_json(bytes(changed))
        else:
            assert is_json(bytes(changed))


def test_the_place_of_the_damage_is_named(reader: JsonReader) -> None:
    with pytest.raises(SerializationError, match="at byte 6: a value"):
        reader.read(b'{"a": }')


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_is_counted(reader: JsonReader, opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    for depth in (1, DEPTH_MAX):
        reader.read(opening * depth + b"1" + closing * depth)
    for depth in (DEPTH_MAX + 1, 100_000):
        with pytest.raises(SerializationError, match="too deep"):
            reader.read(opening * depth + b"1" + closing * depth)


def test_numbers_keep_to_their_bounds(reader: JsonReader) -> None:
    for text in ("0", "-0", "9" * 18, "-" + "9" * 18, "9" * 19, "9" * 400, "-" + "1" * 399):
        assert reader.read(text.encode()) == int(text)
        assert type(reader.read(text.encode())) is int
    assert reader.read(b"9" * 401) == math.inf
    assert reader.read(b"1e400") == math.inf
    assert reader.read(b"1" + b"." + b"3" * 4094) == 4 / 3
    with pytest.raises(SerializationError, match="too long"):
        reader.read(b"1" + b"." + b"3" * 4095)
    for text in ("01", "-", "+1", "1.", ".1", "1e", "1e+", "0x1", "1_0"):
        with pytest.raises(SerializationError):
            reader.read(text.encode())


# ---- what is written -----------------------------------------------------------------------------


def test_values_of_other_types_are_written_or_refused() -> None:
    assert json_write((1, Decimal("1.50"), bytearray(b"\0"))) == b'[1,1.50,"AA=="]'
    assert json_write([2**63, -(2**63), -(2**70)]) == f"[{2**63},{-2**63},{-2**70}]".encode()
    for value in (object(), {1: 2}, {"a": {1}}):
        with pytest.raises(TypeError):
            json_write(value)
    for value in (math.inf, math.nan, Decimal("NaN")):
        with pytest.raises(ValueError):
            json_write(value)
    with pytest.raises(UnicodeEncodeError):
        json_write("\ud800")
    deep: Any = 1
    for _ in range(DEPTH_MAX):
        deep = [deep]
    with pytest.raises(ValueError, match="too deep"):
        json_write([deep])


def test_names_are_shared_between_texts(reader: JsonReader) -> None:
    first = reader.read(b'{"TableName": 1}')
    second = reader.read(b'[{"TableName": 2}]')[0]
    assert next(iter(first)) is next(iter(second))
    long_name = "x" * 49
    reader.read(json.dumps({long_name: 1, "\u2603": 2}).encode())


def test_many_names_do_not_pile_up(reader: JsonReader) -> None:
    for number in range(5000):
        assert reader.read(b'{"name-%d": %d}' % (number, number)) == {f"name-{number}": number}
    del reader
    gc.collect()
