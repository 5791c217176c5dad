"""A node of the sort part: an array of key heads and references, in key order.

Theory of operation
    A leaf maps keys to addresses without storing the keys: per entry it has 8 bytes of key (the
    head) behind a prefix that all its keys share, and the address of the record. Searching compares
    heads; only equal heads cost a look at records. Inner nodes have the same shape (btree.pyx).

Invariants
    1. Heads are sorted; among equal heads the records' keys are.
    2. Every key in a leaf begins with its prefix; a head is exactly the 8 bytes behind it, with
       zeros where the key is shorter.

Threads
    Under the GIL.

Format: FORMAT.md, section "Nodes".
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memmove

from ddbcore.arena cimport (
    GRANULE_BYTES,
    UNIT_NODE,
    UNIT_NONE,
    Arena,
    unit_data,
    unit_new,
)
from ddbcore.segments cimport LogView
from ddbcore.status cimport ERR_CORRUPT, FOUND, OK

cdef enum:
    WASTED_HEAD_BYTES = 4                 # shared bytes that make it worth to read records


cdef uint32_t span_common(Span left, Span right, uint32_t most) noexcept nogil:
    cdef uint32_t size = 0
    while (size < most and size < left.size and size < right.size
            and left.data[size] == right.data[size]):
        size += 1
    return size


cdef void forest_init(Forest* forest, Arena* arena, LogView* view, uint32_t owner) noexcept nogil:
    cdef int size_class
    forest.arena = arena
    forest.view = view
    forest.owner = owner
    for size_class in range(SLAB_CLASS_COUNT):
        forest.slabs[size_class] = UNIT_NONE


cdef Node* node_at(Forest* forest, uint32_t unit) noexcept nogil:
    cdef Node* node = <Node*>unit_data(forest.arena, unit)
    if node != NULL and node.kind != UNIT_NODE:
        forest.arena.error = ERR_CORRUPT
        return NULL
    return node


cdef uint32_t heads_lower(const uint64_t* heads, uint32_t count, uint64_t head) noexcept nogil:
    """Index of the first head >= head."""
    cdef uint32_t base = 0
    cdef uint32_t half
    while count > 0:
        half = count >> 1
        if heads[base + half] < head:
            base += half + 1
            count -= half + 1
        else:
            count = half
    return base


cdef int node_place(Node* node, Span key, uint64_t* head) noexcept nogil:
    """Compare a key with the node's prefix: -1 below all, 1 above all, 0 with *head."""
    cdef uint32_t size = key.size if key.size < node.skip else node.skip
    cdef int order = memcmp(key.data, node.prefix, size)
    if order != 0:
        return -1 if order < 0 else 1
    if key.size < node.skip:
        return -1
    head[0] = key_head(key, node.skip)
    return 0


cdef int leaf_find(Forest* forest, Node* node, Span key, uint32_t* index) noexcept nogil:
    """Set *index to the first entry >= key (count if none). FOUND when it equals the key."""
    cdef uint64_t* heads = node_heads(node)
    cdef uint64_t* refs = node_refs(node)
    cdef uint64_t head = 0
    cdef uint32_t lower, upper, middle
    cdef int order = node_place(node, key, &head)
    cdef bint alone
    if order != 0:
        index[0] = 0 if order < 0 else node.count
        return OK
    lower = heads_lower(heads, node.count, head)
    upper = lower
    if upper < node.count and heads[upper] == head:
        upper = node.count if head == ~<uint64_t>0 else heads_lower(heads, node.count, head + 1)
    alone = upper - lower == 1
    while lower < upper:
        middle = (lower + upper) >> 1
        if key_order(forest, key, refs[middle], alone, &order) != OK:
            return ERR_CORRUPT
        if order == 0:
            index[0] = middle
            return FOUND
        if order < 0:
            upper = middle
        else:
            lower = middle + 1
    index[0] = lower
    return OK


cdef void node_reskip(Node* node, uint32_t skip) noexcept nogil:
    """Shorten the prefix: its end goes in front of the heads, which stay the 8 bytes behind it."""
    cdef uint64_t* heads = node_heads(node)
    cdef uint32_t lost = node.skip - skip
    cdef uint64_t front = head_make(node.prefix + skip, lost)
    cdef uint32_t index
    for index in range(node.count):
        if lost >= 8:
            heads[index] = front
        else:
            heads[index] = front | (heads[index] >> (lost * 8))
    if node.level > 0:
        heads[0] = 0
    node.skip = <uint8_t>skip


cdef void node_admit(Node* node, Span key) noexcept nogil:
    """Shorten the prefix so far that a key shares it."""
    cdef Span prefix
    cdef uint32_t common
    if node.count == 0:
        node.skip = <uint8_t>(key.size if key.size < NODE_PREFIX_MAX else NODE_PREFIX_MAX)
        memcpy(node.prefix, key.data, node.skip)
        return
    prefix.data = node.prefix
    prefix.size = node.skip
    common = span_common(prefix, key, node.skip)
    if common < node.skip:
        node_reskip(node, common)


cdef void node_add(Node* node, uint32_t index, uint64_t head, uint64_t ref) noexcept nogil:
    cdef uint64_t* heads = node_heads(node)
    cdef uint64_t* refs = node_refs(node)
    cdef size_t behind = <size_t>(node.count - index) * 8
    memmove(heads + index + 1, heads + index, behind)
    memmove(refs + index + 1, refs + index, behind)
    heads[index] = head
    refs[index] = ref
    node.count += 1


cdef void node_cut(Node* node, uint32_t index) noexcept nogil:
    cdef uint64_t* heads = node_heads(node)
    cdef uint64_t* refs = node_refs(node)
    cdef size_t behind = <size_t>(node.count - index - 1) * 8
    memmove(heads + index, heads + index + 1, behind)
    memmove(refs + index, refs + index + 1, behind)
    node.count -= 1


cdef void node_copy(Node* target, Node* source, uint32_t first, uint32_t count) noexcept nogil:
    """Fill an empty node with a range of another one's entries."""
    memcpy(node_heads(target), node_heads(source) + first, <size_t>count * 8)
    memcpy(node_refs(target), node_refs(source) + first, <size_t>count * 8)
    memcpy(target.prefix, source.prefix, NODE_PREFIX_MAX)
    target.skip = source.skip
    target.level = source.level
    target.count = <uint16_t>count


cdef void leaf_sharpen(Forest* forest, Node* node) noexcept nogil:
    cdef uint64_t* heads = node_heads(node)
    cdef uint64_t* refs = node_refs(node)
    cdef uint64_t sharper[NODE_CAPACITY]
    cdef Span first, last, key
    cdef uint32_t common, index
    if (node.count < 2 or node.count > NODE_CAPACITY
            or (heads[0] ^ heads[node.count - 1]) >> (64 - WASTED_HEAD_BYTES * 8) != 0):
        return
    if (key_at(forest, refs[0], &first) != OK
            or key_at(forest, refs[node.count - 1], &last) != OK):
        return
    common = span_common(first, last, NODE_PREFIX_MAX)
    if common <= node.skip:
        return
    for index in range(node.count):
        if key_at(forest, refs[index], &key) != OK:
            return
        sharper[index] = key_head(key, common)
    memcpy(node.prefix, first.data, common)
    memcpy(heads, sharper, <size_t>node.count * 8)
    node.skip = <uint8_t>common


cdef uint32_t node_new(Forest* forest, uint8_t level, Node** out) noexcept nogil:
    cdef uint32_t unit = unit_new(forest.arena, 1, forest.owner)
    if unit == UNIT_NONE:
        return UNIT_NONE
    out[0] = <Node*>unit_data(forest.arena, unit)
    out[0].kind = UNIT_NODE
    out[0].level = level
    out[0].capacity = NODE_CAPACITY
    return unit


cdef int leaf_verify(Forest* forest, Node* node, Span* last) noexcept nogil:
    cdef uint64_t* heads = node_heads(node)
    cdef uint32_t index
    cdef Span key
    for index in range(node.count):
        if key_at(forest, node_refs(node)[index], &key) != OK:
            return ERR_CORRUPT
        if last.data != NULL and span_compare(last[0], key) >= 0:
            return ERR_CORRUPT
        if key.size < node.skip or memcmp(key.data, node.prefix, node.skip) != 0:
            return ERR_CORRUPT
        if heads[index] != key_head(key, node.skip):
            return ERR_CORRUPT
        last[0] = key
    return OK


cdef int node_check(const uint8_t* data, uint32_t size_bytes) noexcept nogil:
    cdef const Node* node = <const Node*>data
    if (size_bytes != GRANULE_BYTES or node.capacity != NODE_CAPACITY or node.count > NODE_CAPACITY
            or node.skip > NODE_PREFIX_MAX or node.level >= TREE_HEIGHT_MAX):
        return ERR_CORRUPT
    return OK
