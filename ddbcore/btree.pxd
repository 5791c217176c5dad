"""Item collections: the records of one partition key in sort key order."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.arena cimport Arena
from ddbcore.segments cimport LogView

cdef enum:
    NODE_HEADER_BYTES = 32
    NODE_PREFIX_MAX = 24
    TREE_HEIGHT_MAX = 12
    SLAB_CLASS_COUNT = 5
    SLAB_HEADER_BYTES = 64

cdef struct Node:
    uint8_t kind                          # UNIT_NODE
    uint8_t level                         # 0: leaf, its references are addresses; else units of children
    uint16_t count                        # entries in use
    uint16_t capacity
    uint8_t skip                          # bytes of `prefix` in use: all keys begin with them
    uint8_t reserved
    uint8_t prefix[NODE_PREFIX_MAX]
    # uint64_t heads[capacity], then uint64_t refs[capacity] follow

cdef struct Slab:
    uint8_t kind                          # UNIT_SLAB
    uint8_t size_class
    uint16_t used_count
    uint32_t used                         # bit per block
    uint32_t next                         # slabs of this class with a free block, both ways
    uint32_t previous
    uint8_t padding[48]

cdef struct Forest:
    Arena* arena                          # borrowed
    LogView* view                         # borrowed
    uint32_t owner                        # keyspace id
    uint32_t slabs[SLAB_CLASS_COUNT]      # heads of the lists of slabs with free blocks; UNIT_NONE ends

cdef struct Span:
    const uint8_t* data
    uint32_t size

cdef void forest_init(Forest* forest, Arena* arena, LogView* view, uint32_t owner) noexcept nogil
# Find the address of a key: FOUND, OK (absent) or an error. `ref` is the entry's reference.
cdef int collection_find(Forest* forest, uint64_t ref, Span key, uint64_t* address) noexcept nogil
# Set the address of a key. FOUND: replaced, *old is the former address; OK: added. *result is the collection's reference.
cdef int collection_put(Forest* forest, uint64_t ref, Span key, uint64_t address, uint64_t* result,
                        uint64_t* old) noexcept nogil
# Remove a key. FOUND and *old, or OK. *result becomes 0 when the collection is empty.
cdef int collection_remove(Forest* forest, uint64_t ref, Span key, uint64_t* result, uint64_t* old) noexcept nogil
# Collect up to `wanted` addresses from `start` (data NULL: from the end where the walk begins) in the direction given.
# `inclusive`: start itself counts. OK or an error.
cdef int collection_gather(Forest* forest, uint64_t ref, Span start, bint inclusive, bint reverse,
                           uint64_t* out, uint32_t wanted, uint32_t* count) noexcept nogil
# The address of some record of the collection. OK or an error.
cdef int collection_any(Forest* forest, uint64_t ref, uint64_t* address) noexcept nogil
# Check order, heads and structure; *items gets the number of records. OK or ERR_CORRUPT.
cdef int collection_verify(Forest* forest, uint64_t ref, uint64_t* items) noexcept nogil
cdef int node_check(const uint8_t* data, uint32_t size_bytes) noexcept nogil
cdef int slab_check(const uint8_t* data, uint32_t size_bytes) noexcept nogil
