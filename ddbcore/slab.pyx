"""Slabs: small sorted leaves of five sizes in 4 KiB units.

Theory of operation
    Item collections of a few items are leaves of 128 to 2,016 bytes. A slab is a unit cut into
    blocks of one size, with a bit per block in use; slabs that have a free block form a list per
    size.

Invariants
    1. A slab is in its class's list exactly when it has a free block.
    2. A slab without a block in use is freed.

Threads
    Under the GIL.

Format: FORMAT.md, section "Slabs".
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from ddbcore.arena cimport (
    GRANULE_BYTES,
    UNIT_NODE,
    UNIT_NONE,
    UNIT_SLAB,
    arena_reserve,
    unit_data,
    unit_free,
    unit_new,
    unit_touch,
)
from ddbcore.node cimport NODE_HEADER_BYTES, NODE_PREFIX_MAX, SLAB_CLASS_COUNT, Forest, Node
from ddbcore.partition cimport REF_LEAF, ref_address, ref_make
from ddbcore.status cimport ERR_CORRUPT, OK

cdef extern from *:
    """
    static const unsigned short SLAB_BLOCK_BYTES[5] = {128, 256, 576, 1344, 2016};
    static const unsigned char SLAB_BLOCK_COUNT[5] = {31, 15, 7, 3, 2};
    """
    uint16_t SLAB_BLOCK_BYTES[5]
    uint8_t SLAB_BLOCK_COUNT[5]


cdef enum:
    # A unit, and the shadows of two slabs and their neighbours in the lists.
    READY_BLOCKS = 8


cdef Slab* slab_at(Forest* forest, uint32_t unit) noexcept nogil:
    cdef Slab* slab = <Slab*>unit_data(forest.arena, unit)
    if slab != NULL and slab.kind != UNIT_SLAB:
        forest.arena.error = ERR_CORRUPT
        return NULL
    return slab


cdef inline Node* slab_block(Slab* slab, uint32_t block) noexcept nogil:
    return <Node*>(<uint8_t*>slab + SLAB_HEADER_BYTES + block * SLAB_BLOCK_BYTES[slab.size_class])


cdef Node* leaf_at(Forest* forest, uint64_t ref) noexcept nogil:
    """The leaf in a slab that a REF_LEAF names; NULL with arena.error."""
    cdef uint64_t address = ref_address(ref)
    cdef uint32_t block = <uint32_t>address & 31
    cdef Slab* slab = slab_at(forest, <uint32_t>(address >> 5))
    cdef Node* node
    if slab == NULL:
        return NULL
    if block >= SLAB_BLOCK_COUNT[slab.size_class]:
        forest.arena.error = ERR_CORRUPT
        return NULL
    node = slab_block(slab, block)
    if (node.count > node.capacity or node.level != 0 or node.skip > NODE_PREFIX_MAX
            or node.count == 0
            or node.capacity != (SLAB_BLOCK_BYTES[slab.size_class] - NODE_HEADER_BYTES) // 16):
        forest.arena.error = ERR_CORRUPT
        return NULL
    return node


cdef int slab_unlink(Forest* forest, Slab* slab, uint32_t unit) noexcept nogil:
    cdef Slab* other
    if slab.previous != UNIT_NONE:
        other = slab_at(forest, slab.previous)
        if other == NULL or unit_touch(forest.arena, slab.previous) != OK:
            return forest.arena.error
        other.next = slab.next
    else:
        forest.slabs[slab.size_class] = slab.next
    if slab.next != UNIT_NONE:
        other = slab_at(forest, slab.next)
        if other == NULL or unit_touch(forest.arena, slab.next) != OK:
            return forest.arena.error
        other.previous = slab.previous
    return OK


cdef int slab_link(Forest* forest, Slab* slab, uint32_t unit) noexcept nogil:
    cdef uint32_t head = forest.slabs[slab.size_class]
    cdef Slab* other
    if head != UNIT_NONE:
        other = slab_at(forest, head)
        if other == NULL or unit_touch(forest.arena, head) != OK:
            return forest.arena.error
        other.previous = unit
    slab.next = head
    slab.previous = UNIT_NONE
    forest.slabs[slab.size_class] = unit
    return OK


cdef int leaf_new(Forest* forest, int size_class, uint64_t* ref, Node** out) noexcept nogil:
    """Take a block of a class: an empty leaf."""
    cdef uint32_t unit = forest.slabs[size_class]
    cdef uint32_t block = 0
    cdef Slab* slab
    cdef Node* node
    cdef int status
    if unit == UNIT_NONE:
        unit = unit_new(forest.arena, 1, forest.owner)
        if unit == UNIT_NONE:
            return forest.arena.error
        slab = <Slab*>unit_data(forest.arena, unit)
        slab.kind = UNIT_SLAB
        slab.size_class = <uint8_t>size_class
        slab.next = UNIT_NONE
        slab.previous = UNIT_NONE
        forest.slabs[size_class] = unit
    slab = slab_at(forest, unit)
    if slab == NULL:
        return forest.arena.error
    status = unit_touch(forest.arena, unit)
    if status != OK:
        return status
    while block < SLAB_BLOCK_COUNT[size_class] and (slab.used >> block) & 1:
        block += 1
    # A slab of another class in this list has blocks of another size.
    if block == SLAB_BLOCK_COUNT[size_class] or slab.size_class != size_class:
        return ERR_CORRUPT
    slab.used |= <uint32_t>1 << block
    slab.used_count += 1
    if slab.used_count == SLAB_BLOCK_COUNT[size_class]:
        status = slab_unlink(forest, slab, unit)
        if status != OK:
            return status
    node = slab_block(slab, block)
    memset(node, 0, NODE_HEADER_BYTES)
    node.kind = UNIT_NODE
    node.capacity = (SLAB_BLOCK_BYTES[size_class] - NODE_HEADER_BYTES) // 16
    ref[0] = ref_make(REF_LEAF, (<uint64_t>unit << 5) | block)
    out[0] = node
    return OK


cdef int leaf_free(Forest* forest, uint64_t ref) noexcept nogil:
    cdef uint32_t unit = <uint32_t>(ref_address(ref) >> 5)
    cdef uint32_t block = <uint32_t>ref_address(ref) & 31
    cdef Slab* slab = slab_at(forest, unit)
    cdef int status
    if slab == NULL:
        return forest.arena.error
    status = unit_touch(forest.arena, unit)
    if status != OK:
        return status
    if slab.used_count == SLAB_BLOCK_COUNT[slab.size_class]:
        status = slab_link(forest, slab, unit)
        if status != OK:
            return status
    slab.used &= ~(<uint32_t>1 << block)
    slab.used_count -= 1
    if slab.used_count == 0:
        status = slab_unlink(forest, slab, unit)
        if status != OK:
            return status
        unit_free(forest.arena, unit)
    return OK


cdef int slab_ready(Forest* forest, uint32_t unit) noexcept nogil:
    if unit != UNIT_NONE and slab_at(forest, unit) == NULL:
        return forest.arena.error
    return OK


cdef int leaves_ready(Forest* forest, int size_class, uint64_t ref) noexcept nogil:
    cdef Slab* slab
    cdef int status = arena_reserve(forest.arena, READY_BLOCKS)
    if status == OK and size_class >= 0 and forest.slabs[size_class] != UNIT_NONE:
        slab = slab_at(forest, forest.slabs[size_class])
        status = forest.arena.error if slab == NULL else slab_ready(forest, slab.next)
    if status == OK and ref != 0:
        slab = slab_at(forest, <uint32_t>(ref_address(ref) >> 5))
        if slab == NULL:
            return forest.arena.error
        status = slab_ready(forest, slab.next)
        if status == OK:
            status = slab_ready(forest, slab.previous)
        if status == OK:
            status = slab_ready(forest, forest.slabs[slab.size_class])
    return status


cdef int slab_check(const uint8_t* data, uint32_t size_bytes) noexcept nogil:
    cdef const Slab* slab = <const Slab*>data
    if size_bytes != GRANULE_BYTES or slab.size_class >= SLAB_CLASS_COUNT:
        return ERR_CORRUPT
    return OK
