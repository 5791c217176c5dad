"""JSON: what is read equals what the standard library reads, what is written it reads back."""

from __future__ import annotations

import base64
import gc
import json
import math
import random
from collections.abc import Callable
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


# "ExpressionAttributeNames" is a fine name for an attribute, and its value may be a binary.
@pytest.mark.parametrize(
    "around",
    [
        lambda named: {"Item": named},
        lambda named: {"Item": {"a": {"M": named}}},
        lambda named: {"Item": {"a": {"L": [{"M": named}]}}},
        lambda named: {"Expected": {"ExpressionAttributeNames": {"Value": {"B": "AAEC"}}}},
        lambda named: {"RequestItems": {"things": {"Keys": [named]}}},
        lambda named: {"RequestItems": {"things": [{"PutRequest": {"Item": named}}]}},
        lambda named: {"TransactItems": [{"Put": {"Item": named}}]},
        lambda named: {"ExpressionAttributeValues": {":a": {"M": named}}},
        lambda named: {"Parameters": [{"M": named}]},
    ],
)
def test_an_attribute_may_be_called_what_a_member_is(
    reader: JsonReader, around: Callable[[Any], Any]
) -> None:
    text = json.dumps(around({"ExpressionAttributeNames": {"B": "AAEC"}}))
    assert "'B': b'\\x00\\x01\\x02'" in repr(reader.read(text.encode()))


@pytest.mark.parametrize(
    "around",
    [
        lambda names: names,
        lambda names: {"RequestItems": {"things": names}},
        lambda names: {"TransactItems": [{"Put": names}]},
    ],
)
def test_names_are_names_wherever_requests_have_them(
    reader: JsonReader, around: Callable[[Any], Any]
) -> None:
    value = around({"ExpressionAttributeNames": {"B": "AAEC", "BS": ["AAEC"]}})
    assert reader.read(json.dumps(value).encode()) == value


# ---- any text ------------------------------------------------------------------------------------
# Texts are drawn piece by piece, so that they have what json.dumps never writes: members that occur
# twice, blanks in all places, each way to write a character, numbers in all forms.


BLANKS = st.sampled_from(["", "", "", " ", "\n\t", "\r "])
CHARACTERS = st.one_of(
    st.sampled_from(
        ["a", "B", "\\n", "\\/", "\\u0041", "\\u00e9", "\\u2603", "\\uD83D\\ude00", "\\u0000",
         "é", "☃", "😀", "\x7f", "\uffff", "\\\\", '\\"']),
    st.characters(min_codepoint=0x20, exclude_categories=["Cs"], exclude_characters='"\\'),
)
STRINGS = st.lists(CHARACTERS, max_size=12).map(lambda parts: '"' + "".join(parts) + '"')
MEMBERS = st.one_of(st.sampled_from(['"a"', '"b"', '"\\u0061"', '""', '"é"']), STRINGS)
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
                        fullmatch=True)


def joined(draw: st.DrawFn, opening: str, parts: list[str], closing: str) -> str:
    text = opening + draw(BLANKS)
    for number, part in enumerate(parts):
        text += ("," + draw(BLANKS) if number else "") + part + draw(BLANKS)
    return text + closing


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    return joined(draw, "[", draw(st.lists(inner, max_size=4)), "]")


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    members = draw(st.lists(st.tuples(MEMBERS, inner), max_size=4))
    return joined(draw, "{", [
        name + draw(BLANKS) + ":" + draw(BLANKS) + value for name, value in members], "}")


ANY_TEXT = st.recursive(
    st.one_of(STRINGS, NUMBERS, st.sampled_from(["true", "false", "null"])),
    lambda inner: st.one_of(arrays(inner), objects(inner)),
    max_leaves=12,
)


@given(ANY_TEXT)
def test_any_text_has_the_value_that_the_standard_library_gives_it(text: str) -> None:
    expected = json.loads(text)
    found = JsonReader().read(text.encode())
    assert repr(found) == repr(binaries(expected))


def binaries(value: Any) -> Any:
    """Return a value with what members B and BS hold made binaries."""
    if isinstance(value, list):
        return [binaries(element) for element in value]
    if not isinstance(value, dict):
        return value
    made = {name: binaries(element) for name, element in value.items()}
    if isinstance(made.get("B"), str):
        made["B"] = binary(made["B"])
    if isinstance(made.get("BS"), list):
        made["BS"] = [binary(element) for element in made["BS"]]
    return made


def binary(text: Any) -> Any:
    try:
        data = base64.b64decode(text, validate=True)
        return data if base64.b64encode(data).decode() == text else text
    except (ValueError, TypeError):
        return text


@given(ANY_TEXT, st.data())
def test_any_damaged_text_is_refused_or_still_json(text: str, data: st.DataObject) -> None:
    damaged = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(0, len(damaged) - 1))
        if data.draw(st.booleans()):
            damaged[where] ^= 1 << data.draw(st.integers(0, 7))
        else:
            damaged[where:] = damaged[where + 1:]
        if not damaged:
            break
    try:
        JsonReader().read(bytes(damaged))
    except SerializationError:
        assert not is_json(bytes(damaged))
    else:
        assert is_json(bytes(damaged))


# ---- texts that mean harm ------------------------------------------------------------------------


MIB = 1 << 20


@pytest.mark.parametrize(
    "text",
    [
        b"[" * (16 * MIB),
        b'{"a":' * (3 * MIB),
        b'[{"a":' * (2 * MIB),
        b"[[]," * (4 * MIB),
        b'"' + b"a" * (16 * MIB),
        b'"' + b"\\" * (16 * MIB - 1),
        b'"' + b"\xc3" * MIB + b'"',
        b'"' + b"\\u" * MIB + b'"',
        b"1" * MIB,
        b"-" + b"9" * MIB + b".5",
        b"1." + b"0" * MIB,
        b"1e" + b"9" * MIB,
        b"-" * MIB,
        b" " * MIB,
        b"{" + b'"":1,' * MIB,
        b"\xef\xbb\xbf{}",
    ],
    ids=lambda text: repr(text[:6])[2:-1] + f" {len(text)}",
)
def test_large_texts_that_are_no_json_are_refused(reader: JsonReader, text: bytes) -> None:
    with pytest.raises(SerializationError):
        reader.read(text)


# Overlong forms, halves of pairs in UTF-8 and as escapes, code points above the last one.
@pytest.mark.parametrize(
    "inside",
    [
        b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xf0\x80\x80\x80",
        b"\xf0\x8f\xbf\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80",
        b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xff", b"\x80", b"\xe2\x98",
        b"\\ud800", b"\\udc00", b"\\ud83d\\u0041", b"\\ud83d\\ud83d", b"\\ud83dx", b"\\ud83d\\n",
        b"\\ude00\\ud83d", b"\\ud83d\\ude0", b"\\u12", b"\\u 123", b"\\u+123", b"\\U0041", b"\\x41",
        b"\\'", b"\\\xc3\xa9", b"\\\n", b"\n", b"\0", b"\x1f",
    ],
)
@pytest.mark.parametrize("form", [b'"%s"', b'"a%s', b'{"%s": 1}', b'["ab%szz\xe2\x98\x83"]'])
def test_text_that_is_no_unicode_is_refused(
    reader: JsonReader, form: bytes, inside: bytes
) -> None:
    with pytest.raises(SerializationError):
        reader.read(form % inside)


@pytest.mark.parametrize("size", [47, 48, 49, 65_535, 65_536, MIB])
def test_names_of_any_length_are_read(reader: JsonReader, size: int) -> None:
    for letter in ("x", "é"):
        name = letter * size
        for _ in range(3):
            assert reader.read(json.dumps({name: 1}, ensure_ascii=False).encode()) == {name: 1}


def test_of_members_of_one_name_the_last_one_counts(reader: JsonReader) -> None:
    text = b"{" + b",".join(b'"a":[%d]' % number for number in range(10_000)) + b"}"
    assert reader.read(text) == {"a": [9999]}
    assert reader.read(b'{"B": "AAEC", "\\u0042": 1}') == {"B": 1}


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


# A value of another type runs code, which may empty what is being written.
@pytest.mark.parametrize("method", ["__iter__", "__len__", "keys", "__repr__"])
def test_what_is_written_may_be_changed_meanwhile(method: str) -> None:
    outer: dict[str, Any] = {}

    def meddle(*ignored: Any) -> Any:
        for inner in list(outer.values()):
            inner.clear()
        outer.clear()
        outer.update({str(number): [number] for number in range(100)})
        raise RuntimeError("meddled") if method == "__len__" else TypeError

    evil: Any
    if method == "__repr__":
        evil = type("Evil", (float,), {"__repr__": lambda self: outer.clear() or "1.5"})(1.5)
    else:
        evil = type("Evil", (list if method == "__iter__" else dict,), {method: meddle})()
    for place in (0, 1, 9):
        outer.clear()
        outer["list"] = [[text] for text in "abcdefghij"]
        outer["list"][place] = evil
        outer["dict"] = {text: {text: text} for text in "abcdefghij"}
        outer["dict"]["c"] = evil
        try:
            json.loads(json_write(outer))
        except (TypeError, RuntimeError):
            pass


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
