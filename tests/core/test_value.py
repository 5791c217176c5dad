"""Hostile bytes: the check and the readers agree, and nothing but an error comes of damage."""

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddbcore.errors import CorruptError
from ddbcore.item import ItemCodec

HEADER_BYTES = 16


@pytest.fixture
def codec():
    return ItemCodec("id", "S")


def hostile_records(codec):
    tags = {"new", "vip"}
    yield codec.encode(
        {
            "id": "k",
            "at": 5,
            "tags": tags,
            "m": {"a": [1, Decimal("2.5"), None, {"b": b"xyz"}]},
            "n": {1, 300},
        }
    )
    yield codec.encode(
        {
            "id": "é",
            "at": Decimal("-1.5"),
            "text": "größe" * 20,
            "long": "x" * 300,
            "b": {b"a", b"bc"},
        }
    )
    yield codec.encode(
        {
            "id": "k",
            "at": 0,
            **{f"n{i}": i * 1000 for i in range(40)},
            "x" * 300: {"é" * 200: [[], {}]},
        }
    )
    yield codec.encode(
        {"id": "k", "at": 10**30, "list": list(range(200)), "big": 10**37 + 1, "e": "", "t": True}
    )


def assert_agreement(codec, record):
    """Compare check and decoding of a record: what the one accepts the other must accept."""
    accepted = codec.check(record)
    try:
        item = codec.decode(record)
    except CorruptError:
        assert not accepted or record[4] == 2, record
        return accepted
    if accepted:
        assert codec.decode_record_key(record) == (item["id"], item["at"])
        assert codec.copy(item) == item
    return accepted


@pytest.fixture
def table():
    return ItemCodec("id", "S", "at", "N")


def test_every_flipped_bit_is_survived(table):
    for record in hostile_records(table):
        assert assert_agreement(table, record)
        for index in range(len(record)):
            for bit in range(8):
                assert_agreement(
                    table, record[:index] + bytes([record[index] ^ 1 << bit]) + record[index + 1 :]
                )


def test_every_byte_set_to_an_extreme_is_survived(table):
    for record in hostile_records(table):
        for index in range(len(record)):
            for byte in (
                0,
                1,
                0x3F,
                0x7F,
                0x80,
                0x83,
                0x8D,
                0x8E,
                0x8F,
                0x90,
                0x92,
                0x93,
                0xFE,
                0xFF,
            ):
                assert_agreement(table, record[:index] + bytes([byte]) + record[index + 1 :])


def test_no_truncated_record_is_accepted(table):
    for record in hostile_records(table):
        for size in range(len(record)):
            assert not assert_agreement(table, record[:size])
            # With a header that says so, too.
            shorter = size.to_bytes(4, "little") + record[4:size]
            if size >= HEADER_BYTES:
                assert not assert_agreement(table, shorter)


@settings(max_examples=500)
@given(
    st.binary(max_size=200),
    st.integers(1, 3),
    st.integers(0, 3),
    st.integers(0, 8),
    st.integers(0, 8),
)
def test_random_bytes_behind_a_sound_header_are_survived(body, kind, flags, hash_size, range_size):
    codec = ItemCodec("id", "S", "at", "N")
    for number in range(5):
        codec.intern_name(f"n{number}")
    header = (
        (HEADER_BYTES + len(body)).to_bytes(4, "little")
        + bytes([kind, flags])
        + hash_size.to_bytes(2, "little")
    )
    header += range_size.to_bytes(2, "little") + bytes(6)
    assert_agreement(codec, header + body)


@settings(max_examples=500)
@given(st.binary(max_size=100))
def test_random_bytes_as_values_are_survived(data):
    codec = ItemCodec("id", "S")
    codec.intern_name("a")
    codec.skip(data)
    size = codec.size(data)
    try:
        value = codec.decode_bytes(data)
    except CorruptError:
        return
    assert codec.skip(data) > 0
    assert size < 0 or size >= 0
    codec.copy({"v": value})


# Seeded mutations of sound records: several damages at once, pieces of one record in another.
def test_mutated_records_are_survived(table):
    rng = random.Random(20261122)
    records = list(hostile_records(table))
    accepted = 0
    for _ in range(20000):
        record = bytearray(rng.choice(records))
        for _ in range(rng.choice([1, 2, 3, 8])):
            start = rng.randrange(len(record))
            if rng.random() < 0.5:
                record[start] = rng.choice([rng.randrange(256), *b"\x00\x01\x80\x8e\x8f\x90\xff"])
            else:
                other = rng.choice(records)
                size = rng.randrange(1, 9)
                at = rng.randrange(len(other))
                record[start : start + size] = other[at : at + size]
        if rng.random() < 0.5:
            record[:4] = len(record).to_bytes(4, "little")
        accepted += assert_agreement(table, bytes(record))
    assert accepted > 100


# One number, one set, one length have one form; others are damage to the check, so that bytes can
# be compared.
@pytest.mark.parametrize(
    "value",
    [
        b"\x83\x01a",  # short string with a long tag
        b"\x84\x01a",  # ASCII marked as UTF-8
        b"\x84\x02\xed\xa0",  # cut surrogate
        b"\x84\x03\xed\xa0\x80",  # surrogate
        b"\x84\x02\xc0\x80",  # overlong
        b"\x01\x80",  # not ASCII
        b"\x86\x05",  # 5 has the tag 0x45
        b"\x87\x70\x00",  # fits one byte
        b"\x8a\x00\x05\x00",  # exponent 0
        b"\x8a\xff\x0a\x00",  # ends in a zero digit
        b"\x8a\x01\x05\x00",  # the integer 50
        b"\x8e\xff\x01\x00\x00\x00\x00",  # long size field
        b"\x8e\x02\x80\x00",  # long count
        b"\x8e\x03\x01\x80\x80",  # more content than elements
        b"\x8e\x02\x02\x80",  # more elements than content
        b"\x90\x01\x00",  # empty set
        b"\x90\x05\x02\x01b\x01a",  # not sorted
        b"\x90\x05\x02\x01a\x01a",  # twice the same
        b"\x90\x04\x02\x01a\x41",  # a number among strings
        b"\x91\x02\x01\x81",  # a boolean
        b"\x92\x03\x01\x01a",  # a string in a binary set
        b"\x8f\x03\x01\x09\x80",  # no such name
        b"\x8f\x04\x01\x00\x00\x80",  # name of no bytes
        b"\x93",
        b"\xff",
    ],
)
def test_what_is_not_canonical_is_damage(codec, value):
    sound = codec.encode({"id": "k", "v": None})
    record = sound[:-1] + value
    record = len(record).to_bytes(4, "little") + record[4:]
    assert codec.check(sound)
    assert not codec.check(record)


# Counts are compared with the bytes there are before anything is made of them.
@pytest.mark.parametrize("tag", [0x8E, 0x8F, 0x90, 0x91, 0x92])
def test_huge_counts_are_refused_at_once(codec, tag):
    for count in (b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\xff\x7f", b"\xff\x01"):
        data = bytes([tag, len(count) + 4]) + count + bytes(4)
        with pytest.raises(CorruptError):
            codec.decode_bytes(data)
        assert codec.size(data) < 0


def test_unknown_names_are_damage(codec):
    record = codec.encode({"id": "k", "a": 1})
    assert codec.check(record)
    assert not codec.check(record, 0)
    with pytest.raises(CorruptError, match="name"):
        ItemCodec("id", "S").decode(record)
