"""Slabs: small sorted leaves of five sizes in 4 KiB units."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.node cimport Forest, Node

cdef enum:
    SLAB_HEADER_BYTES = 64

cdef struct Slab:
    uint8_t kind                          # UNIT_SLAB
    uint8_t size_class
    uint16_t used_count
    uint32_t used                         # bit per block
    uint32_t next                         # slabs of this class with a free block, both ways
    uint32_t previous
    uint8_t padding[48]

# The slab in a unit; NULL with arena.error.
cdef Slab* slab_at(Forest* forest, uint32_t unit) noexcept nogil
# The leaf that a REF_LEAF names; NULL with arena.error.
cdef Node* leaf_at(Forest* forest, uint64_t ref) noexcept nogil
# Take a block of a class: an empty leaf. OK or an error.
cdef int leaf_new(Forest* forest, int size_class, uint64_t* ref, Node** out) noexcept nogil
cdef int leaf_free(Forest* forest, uint64_t ref) noexcept nogil
# Make sure that taking a leaf of a class (-1: none), or a new node, and freeing the leaf `ref` (0:
# none) cannot fail half way: memory is set aside, and the slabs concerned are loaded.
cdef int leaves_ready(Forest* forest, int size_class, uint64_t ref) noexcept nogil
# UnitCheck of a slab.
cdef int slab_check(const uint8_t* data, uint32_t size_bytes) noexcept nogil
