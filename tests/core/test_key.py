"""Key bytes order as DynamoDB orders keys; what breaks a rule is refused with its words."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbcore.errors import CorruptError, ValidationError
from ddbcore.item import ItemCodec

HASH_KEY_MAX = 2048
RANGE_KEY_MAX = 1024
HEADER_BYTES = 16
CODECS = {kind: ItemCodec("id", kind, "at", kind) for kind in "SNB"}

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
numbers = st.one_of(
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent),
        st.integers(-(10**28) + 1, 10**28 - 1),
        st.integers(-130, 97),
    ),
)


def key_bytes(kind, value):
    return CODECS[kind].key_value(value)[0]


# DynamoDB sorts strings by their UTF-8 bytes, which is the order of code points: Python's own.
@given(texts, texts)
def test_string_keys_order_as_utf_8(left, right):
    left_bytes, right_bytes = key_bytes("S", left), key_bytes("S", right)
    assert (left_bytes < right_bytes) == (left < right)
    assert left_bytes == left.encode()


@given(st.binary(min_size=1, max_size=20), st.binary(min_size=1, max_size=20))
def test_binary_keys_order_as_unsigned_bytes(left, right):
    assert (key_bytes("B", left) < key_bytes("B", right)) == (left < right)
    assert key_bytes("B", left) == left


@given(numbers, numbers)
def test_number_keys_order_as_numbers(left, right):
    left_bytes, right_bytes = key_bytes("N", left), key_bytes("N", right)
    assert (left_bytes < right_bytes) == (left < right)
    assert (left_bytes == right_bytes) == (left == right)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("S", "a"),
        ("S", "é"),
        ("S", "漢😀"),
        ("S", "x" * 1024),
        ("N", 0),
        ("N", -5),
        ("N", Decimal("1.5")),
        ("N", 10**30),
        ("B", b"\x00"),
        ("B", b"\xff" * 1024),
    ],
)
def test_a_key_comes_back_from_its_record(kind, value):
    codec = CODECS[kind]
    record = codec.key(value, value)
    assert codec.check(record)
    assert codec.decode_record_key(record) == (value, value)


def test_a_key_record_is_a_header_and_the_key_bytes():
    codec = ItemCodec("id", "S")
    record = codec.key("abc")
    assert record[HEADER_BYTES:] == b"abc"
    assert int.from_bytes(record[:4], "little") == len(record) == HEADER_BYTES + 3
    assert codec.decode_record_key(record) == "abc"


# begins_with("") asks for an empty prefix; a key itself is never empty.
@pytest.mark.parametrize(("kind", "empty"), [("S", ""), ("B", b"")])
def test_an_empty_key_is_refused_unless_it_is_a_prefix(kind, empty):
    codec = CODECS[kind]
    words = "cannot contain an empty (string|binary) value. Key: id"
    with pytest.raises(ValidationError, match=words):
        codec.key_value(empty)
    assert codec.key_value(empty, allow_empty=True) == (b"", False)


@pytest.mark.parametrize("is_range", [False, True])
@pytest.mark.parametrize(("kind", "unit"), [("S", "x"), ("B", b"x")])
def test_keys_end_at_2048_and_1024_bytes(kind, unit, is_range):
    codec = CODECS[kind]
    size_max = RANGE_KEY_MAX if is_range else HASH_KEY_MAX
    for size in (size_max - 1, size_max):
        assert len(codec.key_value(unit * size, is_range)[0]) == size
    with pytest.raises(ValidationError, match=f"size limit of {size_max} bytes. Key: "):
        codec.key_value(unit * (size_max + 1), is_range)


# The limit counts bytes, not characters.
def test_key_sizes_are_counted_in_utf_8():
    codec = CODECS["S"]
    assert len(codec.key_value("é" * 1024)[0]) == HASH_KEY_MAX
    with pytest.raises(ValidationError, match="size limit"):
        codec.key_value("é" * 1024 + "x")


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("S", 1, r"key id: expected S \(str\), got int"),
        ("S", b"a", r"expected S \(str\), got bytes"),
        ("S", None, r"expected S \(str\), got NoneType"),
        ("N", "1", r"expected N \(int or Decimal\), got str"),
        ("N", True, r"expected N \(int or Decimal\), got bool"),
        ("N", 1.5, r"got float: use Decimal"),
        ("B", "a", r"expected B \(bytes\), got str"),
        ("B", [1], r"expected B \(bytes\), got list"),
        ("N", Decimal("NaN"), "key attribute 'id': NaN"),
        ("N", 10**126, "key attribute 'id': Number overflow"),
        ("N", 10**40 + 1, "key attribute 'id': .*38 significant digits"),
        ("S", "\ud800", "lone surrogate"),
        ("B", memoryview(b"abcd").cast("I"), "key attribute 'id': .*cast"),
    ],
)
def test_a_key_of_the_wrong_type_is_refused(kind, value, words):
    with pytest.raises(ValidationError, match=words):
        CODECS[kind].key_value(value)


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_binary_keys_may_be_any_bytes_like_object(make):
    assert CODECS["B"].key_value(make(b"abc")) == (b"abc", False)


def test_a_released_memoryview_is_refused():
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(ValidationError, match="released"):
        CODECS["B"].key_value(view)


def test_the_range_key_must_be_given_exactly_where_there_is_one():
    with pytest.raises(ValidationError, match="range key 'at'"):
        CODECS["S"].key("a")
    with pytest.raises(ValidationError, match="no range key"):
        ItemCodec("id", "S").key("a", "b")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (("", "S"), "1 to 255 bytes, not 0"),
        (("x" * 256, "S"), "not 256"),
        (("é" * 128, "S"), "not 256"),
        (("id", "M"), "'S', 'N' or 'B'"),
        (("id", "S", "id", "S"), "two attributes"),
        (("id", "S", "at"), "neither"),
        (("\ud800", "S"), "surrogate"),
    ],
)
def test_a_key_schema_that_breaks_a_rule_is_refused(schema, words):
    with pytest.raises(ValidationError, match=words):
        ItemCodec(*schema)


def test_key_names_of_255_bytes_are_accepted():
    name = "x" * 255
    codec = ItemCodec(name, "S")
    assert codec.decode(codec.encode({name: "a"})) == {name: "a"}


# A string key flagged as ASCII that is not, a key of no bytes, number bytes that no number has.
@pytest.mark.parametrize(
    ("kind", "record_of"),
    [
        ("S", lambda record: record[:16] + b"\xff" + record[17:]),
        ("S", lambda record: record[:6] + b"\x00\x00" + record[8:]),
        ("N", lambda record: record[:16] + b"\x09" + record[17:]),
        ("S", lambda record: record[:15]),
        ("S", lambda record: record[:-1]),
    ],
)
def test_damaged_keys_are_refused(kind, record_of):
    codec = CODECS[kind]
    value = "a" if kind == "S" else 5
    damaged = record_of(codec.key(value, value))
    assert not codec.check(damaged)
    with pytest.raises(CorruptError):
        codec.decode_record_key(damaged)
