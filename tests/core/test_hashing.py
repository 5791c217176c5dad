"""XXH64 equals the package xxhash, whatever the length, alignment and seed."""

import random

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from ddbcore.hashing import xxh64, xxh64_chain

SEEDS = (0, 1, 0x9E3779B185EBCA87, 2**63, 2**64 - 1)
SOURCE = random.Random(20240501).randbytes(1 << 20)


# Constants, so that a wrong reference package could not hide a wrong hash.
def test_xxh64_gives_the_known_values():
    assert xxh64(b"") == 0xEF46DB3751D8E999
    assert xxh64(b"a") == 0xD24EC4F1A98C6E5B
    assert xxh64(b"abc") == 0x44BC2CF5AD770999


# 0..31 bytes take the short path, 32 and up the lanes; every remainder of 32, 8 and 4 occurs below
# 300.
@pytest.mark.parametrize("seed", SEEDS)
def test_xxh64_equals_the_reference_for_every_length_to_300(seed):
    for size in range(301):
        data = SOURCE[size : 2 * size]
        assert xxh64(data, seed) == xxhash.xxh64_intdigest(data, seed), size


# Loads must not depend on the address: a record starts at any byte of a buffer when it comes from a
# file.
def test_xxh64_reads_from_unaligned_starts():
    view = memoryview(SOURCE)
    for start in range(17):
        for size in (0, 1, 3, 4, 7, 8, 15, 31, 32, 33, 63, 64, 100, 255, 300, 4097):
            piece = view[start : start + size]
            assert xxh64(piece, 7) == xxhash.xxh64_intdigest(bytes(piece), 7), (start, size)


@pytest.mark.parametrize("size", [4096, 65536, 65537, (1 << 20) - 1, 1 << 20])
def test_xxh64_equals_the_reference_for_large_input(size):
    for seed in SEEDS:
        assert xxh64(SOURCE[:size], seed) == xxhash.xxh64_intdigest(SOURCE[:size], seed)


@given(st.binary(max_size=400), st.integers(0, 2**64 - 1))
def test_xxh64_equals_the_reference_for_any_data_and_seed(data, seed):
    assert xxh64(data, seed) == xxhash.xxh64_intdigest(data, seed)


def test_xxh64_takes_every_kind_of_bytes():
    expected = xxh64(b"partition key")
    assert xxh64(bytearray(b"partition key")) == expected
    assert xxh64(memoryview(b"partition key")) == expected


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_xxh64_refuses_a_seed_outside_64_bits(seed):
    with pytest.raises(OverflowError):
        xxh64(b"", seed)


def test_xxh64_refuses_text():
    with pytest.raises(TypeError):
        xxh64("text")


def test_xxh64_chain_feeds_each_hash_to_the_next():
    assert xxh64_chain(b"key", 0, 5) == 5
    assert xxh64_chain(b"key", 3) == xxh64(b"key", xxh64(b"key", xxh64(b"key")))
