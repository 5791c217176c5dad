"""64-bit xxHash (XXH64): the hash of partition keys and the checksum of everything stored.

*Theory of operation*. The algorithm is Yann Collet's XXH64 (xxHash specification 0.1.1, "XXH64
algorithm description"), written out here so that a four-byte key costs no call through a library.
Input of 32 bytes and more runs through four independent lanes of eight bytes each (the lanes hide
the latency of the multiplication); what is left, and every short input, is folded in by eight, four
and one bytes; three shift-multiply rounds spread the result. The lanes live in local variables, so
that the compiler keeps them in registers.

*Invariants*. (1) The result equals that of every other XXH64: stored checksums stay valid when this
code changes. (2) Nothing outside data[0:size] is read; data may start at any address, and may be
NULL when size is 0.

*Threads*. Pure functions: any thread, no GIL.

*Format*. FORMAT.md, section "Checksums". Loads are little-endian, as everything in ddbcore is.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint64_t

from ddbcore.buffer cimport load_u32, load_u64

# Macros, so that the constants are 64-bit immediates in the loop.
cdef extern from *:
    """
    #define HASHING_PRIME_1 0x9E3779B185EBCA87ULL
    #define HASHING_PRIME_2 0xC2B2AE3D27D4EB4FULL
    #define HASHING_PRIME_3 0x165667B19E3779F9ULL
    #define HASHING_PRIME_4 0x85EBCA77C2B2AE63ULL
    #define HASHING_PRIME_5 0x27D4EB2F165667C5ULL
    """
    const uint64_t PRIME_1 "HASHING_PRIME_1"
    const uint64_t PRIME_2 "HASHING_PRIME_2"
    const uint64_t PRIME_3 "HASHING_PRIME_3"
    const uint64_t PRIME_4 "HASHING_PRIME_4"
    const uint64_t PRIME_5 "HASHING_PRIME_5"


# Compilers turn the pair of shifts into one rotate instruction.
cdef inline uint64_t rotate_left(uint64_t value, int count) noexcept nogil:
    return (value << count) | (value >> (64 - count))


cdef inline uint64_t lane_round(uint64_t lane, uint64_t input_word) noexcept nogil:
    return rotate_left(lane + input_word * PRIME_2, 31) * PRIME_1


cdef inline uint64_t lane_merge(uint64_t total, uint64_t lane) noexcept nogil:
    return (total ^ lane_round(0, lane)) * PRIME_1 + PRIME_4


cdef uint64_t hash_bytes(const uint8_t* data, size_t size, uint64_t seed) noexcept nogil:
    cdef size_t left = size
    cdef uint64_t total, lane_1, lane_2, lane_3, lane_4
    if left >= 32:
        lane_1 = seed + PRIME_1 + PRIME_2
        lane_2 = seed + PRIME_2
        lane_3 = seed
        lane_4 = seed - PRIME_1
        while left >= 32:
            lane_1 = lane_round(lane_1, load_u64(data))
            lane_2 = lane_round(lane_2, load_u64(data + 8))
            lane_3 = lane_round(lane_3, load_u64(data + 16))
            lane_4 = lane_round(lane_4, load_u64(data + 24))
            data += 32
            left -= 32
        total = (rotate_left(lane_1, 1) + rotate_left(lane_2, 7)
                 + rotate_left(lane_3, 12) + rotate_left(lane_4, 18))
        total = lane_merge(total, lane_1)
        total = lane_merge(total, lane_2)
        total = lane_merge(total, lane_3)
        total = lane_merge(total, lane_4)
    else:
        total = seed + PRIME_5
    total += <uint64_t>size
    while left >= 8:
        total = rotate_left(total ^ lane_round(0, load_u64(data)), 27) * PRIME_1 + PRIME_4
        data += 8
        left -= 8
    if left >= 4:
        total = rotate_left(total ^ (<uint64_t>load_u32(data) * PRIME_1), 23) * PRIME_2 + PRIME_3
        data += 4
        left -= 4
    while left > 0:
        total = rotate_left(total ^ (<uint64_t>data[0] * PRIME_5), 11) * PRIME_1
        data += 1
        left -= 1
    total = (total ^ (total >> 33)) * PRIME_2
    total = (total ^ (total >> 29)) * PRIME_3
    return total ^ (total >> 32)


def xxh64(data, uint64_t seed=0):
    """Return the XXH64 of the bytes of `data` (any contiguous bytes-like object) as an int.

    A door for tests and tools; compiled code calls hash_bytes.
    """
    cdef Py_buffer view
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        return hash_bytes(<const uint8_t*>view.buf, <size_t>view.len, seed)
    finally:
        PyBuffer_Release(&view)


def xxh64_chain(data, uint64_t rounds, uint64_t seed=0):
    """Hash `data` `rounds` times, each hash seeded with the one before, and return the last.

    A door for bench/: no Python work between the hashes, and none of them can be left out.
    """
    cdef Py_buffer view
    cdef uint64_t _round
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        for _round in range(rounds):
            seed = hash_bytes(<const uint8_t*>view.buf, <size_t>view.len, seed)
        return seed
    finally:
        PyBuffer_Release(&view)
