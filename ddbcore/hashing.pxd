"""64-bit xxHash (XXH64): the hash of partition keys and the checksum of everything stored."""

from libc.stdint cimport uint8_t, uint64_t


# XXH64 of `size` bytes; equals xxhash.xxh64_intdigest(data, seed).
cdef uint64_t hash_bytes(const uint8_t* data, size_t size, uint64_t seed) noexcept nogil
