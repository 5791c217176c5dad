"""A node of the sort part: an array of key heads and references, in key order."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from ddbcore.arena cimport Arena
from ddbcore.record cimport Record
from ddbcore.segments cimport LogView, record_at, record_range_key, record_rely, record_unproven
from ddbcore.status cimport ERR_CORRUPT, OK

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define head_swap(x) __builtin_bswap64(x)
    #else
    #define head_swap(x) _byteswap_uint64(x)
    #endif
    """
    uint64_t head_swap(uint64_t value) noexcept nogil

cdef enum:
    NODE_HEADER_BYTES = 32
    NODE_PREFIX_MAX = 24
    NODE_CAPACITY = 254                   # of a 4 KiB node: (4096 - 32) / 16
    TREE_HEIGHT_MAX = 12
    SLAB_CLASS_COUNT = 5

cdef struct Node:
    uint8_t kind                          # UNIT_NODE
    uint8_t level                         # 0: leaf, its references are addresses; else units
    uint16_t count                        # entries in use
    uint16_t capacity
    uint8_t skip                          # bytes of `prefix` in use: all keys begin with them
    uint8_t reserved
    uint8_t prefix[NODE_PREFIX_MAX]
    # uint64_t heads[capacity], then uint64_t refs[capacity] follow

cdef struct Forest:
    Arena* arena                          # borrowed
    LogView* view                         # borrowed
    uint32_t owner                        # keyspace id
    uint32_t slabs[SLAB_CLASS_COUNT]      # heads of lists of slabs with free blocks; UNIT_NONE ends

cdef struct Span:
    const uint8_t* data
    uint32_t size

cdef void forest_init(Forest* forest, Arena* arena, LogView* view, uint32_t owner) noexcept nogil
# Bytes two keys begin with in common, at most `most`.
cdef uint32_t span_common(Span left, Span right, uint32_t most) noexcept nogil
# The node in a unit; NULL with arena.error.
cdef Node* node_at(Forest* forest, uint32_t unit) noexcept nogil
# A new empty node; its unit, or UNIT_NONE with arena.error.
cdef uint32_t node_new(Forest* forest, uint8_t level, Node** out) noexcept nogil
# Index of the first head >= head.
cdef uint32_t heads_lower(const uint64_t* heads, uint32_t count, uint64_t head) noexcept nogil
# Compare a key with the node's prefix: -1 below all, 1 above all, 0 with *head.
cdef int node_place(Node* node, Span key, uint64_t* head) noexcept nogil
# Set *index to the first entry of a leaf >= key (count if none). FOUND when it equals the key.
cdef int leaf_find(Forest* forest, Node* node, Span key, uint32_t* index) noexcept nogil
# Shorten the prefix to `skip` bytes.
cdef void node_reskip(Node* node, uint32_t skip) noexcept nogil
# Shorten the prefix so far that a key shares it.
cdef void node_admit(Node* node, Span key) noexcept nogil
cdef void node_add(Node* node, uint32_t index, uint64_t head, uint64_t ref) noexcept nogil
cdef void node_cut(Node* node, uint32_t index) noexcept nogil
# Fill an empty node with a range of another one's entries.
cdef void node_copy(Node* target, Node* source, uint32_t first, uint32_t count) noexcept nogil
# Lengthen a leaf's prefix where its heads have too much in common. Records that cannot be read
# leave the leaf as it is.
cdef void leaf_sharpen(Forest* forest, Node* node) noexcept nogil
# Check a leaf's entries, all of them above *last, which moves on. OK or ERR_CORRUPT.
cdef int leaf_verify(Forest* forest, Node* node, Span* last) noexcept nogil
# UnitCheck of a node.
cdef int node_check(const uint8_t* data, uint32_t size_bytes) noexcept nogil


cdef inline uint64_t* node_heads(Node* node) noexcept nogil:
    return <uint64_t*>(<uint8_t*>node + NODE_HEADER_BYTES)


cdef inline uint64_t* node_refs(Node* node) noexcept nogil:
    return <uint64_t*>(<uint8_t*>node + NODE_HEADER_BYTES) + node.capacity


cdef inline uint64_t head_make(const uint8_t* data, uint32_t size) noexcept nogil:
    cdef uint64_t head = 0
    memcpy(&head, data, 8 if size >= 8 else size)
    return head_swap(head)


cdef inline uint64_t key_head(Span key, uint32_t skip) noexcept nogil:
    if key.size <= skip:
        return 0
    return head_make(key.data + skip, key.size - skip)


cdef inline int span_compare(Span left, Span right) noexcept nogil:
    cdef uint32_t size = left.size if left.size < right.size else right.size
    cdef int order = memcmp(left.data, right.data, size)
    if order != 0:
        return order
    return (left.size > right.size) - (left.size < right.size)


cdef inline int key_at(Forest* forest, uint64_t address, Span* key) noexcept nogil:
    cdef const Record* record = record_at(forest.view, address)
    if record == NULL:
        return ERR_CORRUPT
    key.data = record_range_key(record)
    key.size = record.range_size
    return OK


# Compare a key with the range key of a record: OK with *order, or ERR_CORRUPT. alone: no other
# record of the collection could have the key (its head is the only one like it).
cdef inline int key_order(Forest* forest, Span key, uint64_t address, bint alone,
                          int* order) noexcept nogil:
    cdef const Record* record
    cdef Span other
    if alone and forest.view.trusting:
        record = record_unproven(forest.view, address)
        if record != NULL:
            other.data = record_range_key(record)
            other.size = record.range_size
            if span_compare(key, other) == 0:
                record_rely(forest.view, address, record)
                order[0] = 0
                return OK
    if key_at(forest, address, &other) != OK:
        return ERR_CORRUPT
    order[0] = span_compare(key, other)
    return OK
