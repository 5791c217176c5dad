"""Item collections: the records of one partition key in sort key order.

Theory of operation
    A collection of one item is nothing but the index entry's own reference. From two items on it is a sorted leaf in a slab,
    128 bytes at first and up to 2 KiB, then a B+tree of 4 KiB nodes. A leaf maps keys to addresses without storing the
    keys: per entry it has 8 bytes of key (the head) behind a prefix that all its keys share, and the address of the record. Searching
    compares heads; only equal heads cost a look at records.

    An inner node has the same shape: heads and child units. Its separators have no text of their own: when a searched key ties
    with the head of a child, it is compared with the child's first key, found in the record of its left-most entry. So
    nothing in the index goes stale when records move.

    Right-most splits leave the old leaf full (time-ordered keys); others split in halves. A leaf that empties is taken out of its
    parent; neighbours merge when both fit in three quarters of a node.

Invariants
    1. Heads are sorted; among equal heads the records' keys are.
    2. Every key in a leaf begins with its prefix.
    3. For a child i >= 1 of an inner node: every key left of it is < its keys, and has a head <= heads[i]; its own keys
       have heads >= heads[i]. heads[0] stands for minus infinity.
    4. A tree's root has at least two children or is a leaf; all leaves have the same depth.
    5. A slab is in its class's list exactly when it has a free block.

Threads
    Under the GIL.

Format: FORMAT.md, sections "Nodes" and "Slabs".
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memmove, memset

from ddbcore.arena cimport (
    GRANULE_BYTES,
    UNIT_NODE,
    UNIT_NONE,
    UNIT_SLAB,
    Arena,
    unit_data,
    unit_free,
    unit_new,
    unit_touch,
)
from ddbcore.partition cimport REF_LEAF, REF_RECORD, REF_TREE, ref_address, ref_kind, ref_make
from ddbcore.record cimport Record
from ddbcore.segments cimport LogView, record_at, record_range_key
from ddbcore.status cimport ERR_CORRUPT, ERR_FULL, FOUND, OK

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define head_swap(x) __builtin_bswap64(x)
    #else
    #define head_swap(x) _byteswap_uint64(x)
    #endif
    static const unsigned short SLAB_BLOCK_BYTES[5] = {128, 256, 576, 1344, 2016};
    static const unsigned char SLAB_BLOCK_COUNT[5] = {31, 15, 7, 3, 2};
    """
    uint64_t head_swap(uint64_t value) noexcept nogil
    uint16_t SLAB_BLOCK_BYTES[5]
    uint8_t SLAB_BLOCK_COUNT[5]

cdef enum:
    NODE_CAPACITY = 254                   # (4096 - 32) / 16
    MERGE_COUNT_MAX = 190                 # three quarters of it
    WASTED_HEAD_BYTES = 4                 # shared bytes that make new heads worth reading the records

cdef struct Step:
    uint32_t unit
    uint32_t index

cdef struct Path:
    Step steps[TREE_HEIGHT_MAX]
    uint32_t height                       # inner nodes on the way
    uint32_t leaf                         # unit of the leaf


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


cdef uint32_t span_common(Span left, Span right, uint32_t most) noexcept nogil:
    cdef uint32_t size = 0
    while size < most and size < left.size and size < right.size and left.data[size] == right.data[size]:
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
    if (node.count > node.capacity or node.level != 0 or node.skip > NODE_PREFIX_MAX or node.count == 0
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
    while (slab.used >> block) & 1:
        block += 1
    if block >= SLAB_BLOCK_COUNT[size_class]:
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
    cdef Span other
    if order != 0:
        index[0] = 0 if order < 0 else node.count
        return OK
    lower = heads_lower(heads, node.count, head)
    upper = lower
    if upper < node.count and heads[upper] == head:
        upper = node.count if head == ~<uint64_t>0 else heads_lower(heads, node.count, head + 1)
    while lower < upper:
        middle = (lower + upper) >> 1
        if key_at(forest, refs[middle], &other) != OK:
            return ERR_CORRUPT
        order = span_compare(key, other)
        if order == 0:
            index[0] = middle
            return FOUND
        if order < 0:
            upper = middle
        else:
            lower = middle + 1
    index[0] = lower
    return OK


cdef int first_key(Forest* forest, uint32_t unit, Span* key) noexcept nogil:
    """The key of the left-most record below a node."""
    cdef Node* node
    cdef int height
    for height in range(TREE_HEIGHT_MAX):
        node = node_at(forest, unit)
        if node == NULL:
            return forest.arena.error
        if node.count == 0:
            return ERR_CORRUPT
        if node.level == 0:
            return key_at(forest, node_refs(node)[0], key)
        unit = <uint32_t>node_refs(node)[0]
    return ERR_CORRUPT


cdef int inner_find(Forest* forest, Node* node, Span key, uint32_t* index) noexcept nogil:
    """Set *index to the child that a key belongs to (invariant 3)."""
    cdef uint64_t* heads = node_heads(node)
    cdef uint64_t* refs = node_refs(node)
    cdef uint64_t head = 0
    cdef uint32_t lower, upper, middle
    cdef int order = node_place(node, key, &head)
    cdef int status
    cdef Span other
    if order != 0:
        index[0] = 0 if order < 0 else node.count - 1
        return OK
    lower = heads_lower(heads, node.count, head)
    upper = lower
    if upper < node.count and heads[upper] == head:
        upper = node.count if head == ~<uint64_t>0 else heads_lower(heads, node.count, head + 1)
    while lower < upper:
        middle = (lower + upper) >> 1
        status = first_key(forest, <uint32_t>refs[middle], &other)
        if status != OK:
            return status
        if span_compare(key, other) < 0:
            upper = middle
        else:
            lower = middle + 1
    index[0] = lower - 1 if lower > 0 else 0
    return OK


cdef int tree_descend(Forest* forest, uint32_t root, Span key, Path* path, Node** leaf) noexcept nogil:
    """Walk from the root to the leaf of a key (key.data NULL: the left-most)."""
    cdef uint32_t unit = root
    cdef uint32_t index = 0
    cdef Node* node
    cdef int status, level = -1
    path.height = 0
    while True:
        node = node_at(forest, unit)
        if node == NULL:
            return forest.arena.error
        if node.count == 0 or (level >= 0 and node.level != level - 1):
            return ERR_CORRUPT
        level = node.level
        if level == 0:
            path.leaf = unit
            leaf[0] = node
            return OK
        if path.height >= TREE_HEIGHT_MAX:
            return ERR_CORRUPT
        if key.data == NULL:
            index = 0
        else:
            status = inner_find(forest, node, key, &index)
            if status != OK:
                return status
        path.steps[path.height].unit = unit
        path.steps[path.height].index = index
        path.height += 1
        unit = <uint32_t>node_refs(node)[index]


cdef void node_reskip(Node* node, uint32_t skip) noexcept nogil:
    """Shorten the prefix: its end goes in front of the heads, which stay the 8 bytes behind the prefix."""
    cdef uint64_t* heads = node_heads(node)
    cdef uint32_t lost = node.skip - skip
    cdef uint64_t front = head_make(node.prefix + skip, lost)
    cdef uint32_t index
    for index in range(node.count):
        if lost >= 8:
            heads[index] = front
        else:
            heads[index] = front | (heads[index] >> (lost * 8))
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


cdef int leaf_sharpen(Forest* forest, Node* node) noexcept nogil:
    """Lengthen a leaf's prefix where its heads have too much in common, reading the records for new heads."""
    cdef uint64_t* heads = node_heads(node)
    cdef uint64_t* refs = node_refs(node)
    cdef Span first, last
    cdef uint32_t common, index
    if node.count < 2 or (heads[0] ^ heads[node.count - 1]) >> (64 - WASTED_HEAD_BYTES * 8) != 0:
        return OK
    if key_at(forest, refs[0], &first) != OK or key_at(forest, refs[node.count - 1], &last) != OK:
        return ERR_CORRUPT
    common = span_common(first, last, NODE_PREFIX_MAX)
    if common <= node.skip:
        return OK
    memcpy(node.prefix, first.data, common)
    node.skip = <uint8_t>common
    for index in range(node.count):
        if key_at(forest, refs[index], &first) != OK:
            return ERR_CORRUPT
        heads[index] = key_head(first, common)
    return OK


cdef uint32_t node_new(Forest* forest, uint8_t level, Node** out) noexcept nogil:
    cdef uint32_t unit = unit_new(forest.arena, 1, forest.owner)
    if unit == UNIT_NONE:
        return UNIT_NONE
    out[0] = <Node*>unit_data(forest.arena, unit)
    out[0].kind = UNIT_NODE
    out[0].level = level
    out[0].capacity = NODE_CAPACITY
    return unit


cdef int root_grow(Forest* forest, uint32_t left, uint32_t right, uint8_t level, uint64_t* result) noexcept nogil:
    """A new root above two nodes."""
    cdef Node* node
    cdef Span key
    cdef uint32_t unit = node_new(forest, level, &node)
    cdef int status
    if unit == UNIT_NONE:
        return forest.arena.error
    status = first_key(forest, right, &key)
    if status != OK:
        return status
    node_admit(node, key)
    node_add(node, 0, 0, left)
    node_add(node, 1, key_head(key, node.skip), right)
    result[0] = ref_make(REF_TREE, unit)
    return OK


cdef int node_split(Forest* forest, uint32_t unit, bint at_end, uint32_t* right) noexcept nogil:
    """Move the upper part of a full node to a new one."""
    cdef Node* node = node_at(forest, unit)
    cdef Node* target
    cdef uint32_t keep = node.count // 2
    cdef int status
    if at_end:
        keep = node.count - node.count // 10
    status = unit_touch(forest.arena, unit)
    if status != OK:
        return status
    right[0] = node_new(forest, node.level, &target)
    if right[0] == UNIT_NONE:
        return forest.arena.error
    node_copy(target, node, keep, node.count - keep)
    node.count = <uint16_t>keep
    if node.level == 0:
        status = leaf_sharpen(forest, target)
        if status == OK:
            status = leaf_sharpen(forest, node)
    return status


cdef int tree_spread(Forest* forest, Path* path, uint32_t root, uint32_t left, uint32_t right,
                     uint64_t* result) noexcept nogil:
    """Enter a new right neighbour of `left` in the inner nodes above, splitting as far as needed."""
    cdef uint32_t height = path.height
    cdef uint32_t unit, index, upper, level = 0
    cdef Node* node
    cdef Span key
    cdef int status
    while height > 0:
        height -= 1
        level += 1
        unit = path.steps[height].unit
        index = path.steps[height].index + 1
        upper = UNIT_NONE
        node = node_at(forest, unit)
        if node.count == node.capacity:
            status = node_split(forest, unit, index == node.count, &upper)
            if status != OK:
                return status
            if index > node.count:
                index -= node.count
                node = node_at(forest, upper)
            elif unit_touch(forest.arena, unit) != OK:
                return forest.arena.error
        elif unit_touch(forest.arena, unit) != OK:
            return forest.arena.error
        status = first_key(forest, right, &key)
        if status != OK:
            return status
        node_admit(node, key)
        node_add(node, index, key_head(key, node.skip), right)
        if upper == UNIT_NONE:
            return OK
        left = unit
        right = upper
    if level + 1 >= TREE_HEIGHT_MAX:
        return ERR_FULL
    return root_grow(forest, left, right, <uint8_t>(level + 1), result)


cdef int tree_put(Forest* forest, uint64_t ref, Span key, uint64_t address, uint64_t* result,
                  uint64_t* old) noexcept nogil:
    cdef uint32_t root = <uint32_t>ref_address(ref)
    cdef Path path
    cdef Node* leaf
    cdef uint32_t index = 0
    cdef uint32_t target, right
    cdef int found, status
    status = tree_descend(forest, root, key, &path, &leaf)
    if status != OK:
        return status
    found = leaf_find(forest, leaf, key, &index)
    if found < 0:
        return found
    status = unit_touch(forest.arena, path.leaf)
    if status != OK:
        return status
    if found == FOUND:
        old[0] = node_refs(leaf)[index]
        node_refs(leaf)[index] = address
        return FOUND
    if leaf.count < leaf.capacity:
        node_admit(leaf, key)
        node_add(leaf, index, key_head(key, leaf.skip), address)
        return OK
    status = node_split(forest, path.leaf, index == leaf.count, &right)
    if status != OK:
        return status
    target = path.leaf
    if index > leaf.count:
        index -= leaf.count
        leaf = node_at(forest, right)
    node_admit(leaf, key)
    node_add(leaf, index, key_head(key, leaf.skip), address)
    return tree_spread(forest, &path, root, target, right, result)


cdef int leaf_put(Forest* forest, uint64_t ref, Span key, uint64_t address, uint64_t* result,
                  uint64_t* old) noexcept nogil:
    cdef Node* leaf = leaf_at(forest, ref)
    cdef Node* grown
    cdef uint32_t index = 0
    cdef uint32_t unit = <uint32_t>(ref_address(ref) >> 5)
    cdef int found, size_class, status
    if leaf == NULL:
        return forest.arena.error
    found = leaf_find(forest, leaf, key, &index)
    if found < 0:
        return found
    if found == FOUND or leaf.count < leaf.capacity:
        status = unit_touch(forest.arena, unit)
        if status != OK:
            return status
        if found == FOUND:
            old[0] = node_refs(leaf)[index]
            node_refs(leaf)[index] = address
            return FOUND
        node_admit(leaf, key)
        node_add(leaf, index, key_head(key, leaf.skip), address)
        return OK
    size_class = slab_at(forest, unit).size_class + 1
    if size_class < SLAB_CLASS_COUNT:
        status = leaf_new(forest, size_class, result, &grown)
        if status != OK:
            return status
    else:
        unit = node_new(forest, 0, &grown)
        if unit == UNIT_NONE:
            return forest.arena.error
        result[0] = ref_make(REF_TREE, unit)
    node_copy(grown, leaf, 0, leaf.count)
    node_admit(grown, key)
    node_add(grown, index, key_head(key, grown.skip), address)
    return leaf_free(forest, ref)


cdef int single_put(Forest* forest, uint64_t ref, Span key, uint64_t address, uint64_t* result,
                    uint64_t* old) noexcept nogil:
    cdef Span other
    cdef Node* leaf
    cdef int order, status
    if key_at(forest, ref_address(ref), &other) != OK:
        return ERR_CORRUPT
    order = span_compare(key, other)
    if order == 0:
        old[0] = ref_address(ref)
        result[0] = ref_make(REF_RECORD, address)
        return FOUND
    status = leaf_new(forest, 0, result, &leaf)
    if status != OK:
        return status
    node_admit(leaf, other)
    node_add(leaf, 0, key_head(other, leaf.skip), ref_address(ref))
    node_admit(leaf, key)
    node_add(leaf, 0 if order < 0 else 1, key_head(key, leaf.skip), address)
    return OK


cdef int collection_find(Forest* forest, uint64_t ref, Span key, uint64_t* address) noexcept nogil:
    cdef uint32_t kind = ref_kind(ref)
    cdef Span other
    cdef Path path
    cdef Node* leaf
    cdef uint32_t index = 0
    cdef int status
    if kind == REF_RECORD:
        address[0] = ref_address(ref)
        if key_at(forest, address[0], &other) != OK:
            return ERR_CORRUPT
        return FOUND if span_compare(key, other) == 0 else OK
    if kind == REF_LEAF:
        leaf = leaf_at(forest, ref)
        if leaf == NULL:
            return forest.arena.error
    else:
        status = tree_descend(forest, <uint32_t>ref_address(ref), key, &path, &leaf)
        if status != OK:
            return status
    status = leaf_find(forest, leaf, key, &index)
    if status == FOUND:
        address[0] = node_refs(leaf)[index]
    return status


cdef int collection_put(Forest* forest, uint64_t ref, Span key, uint64_t address, uint64_t* result,
                        uint64_t* old) noexcept nogil:
    cdef uint32_t kind = ref_kind(ref)
    result[0] = ref
    if kind == REF_RECORD:
        return single_put(forest, ref, key, address, result, old)
    if kind == REF_LEAF:
        return leaf_put(forest, ref, key, address, result, old)
    return tree_put(forest, ref, key, address, result, old)


cdef int inner_drop(Forest* forest, Path* path, uint64_t* result) noexcept nogil:
    """Take the child at the end of the path out of its parents; empty ones go too, a root with one child goes down."""
    cdef uint32_t height = path.height
    cdef uint32_t unit
    cdef Node* node
    while height > 0:
        height -= 1
        unit = path.steps[height].unit
        node = node_at(forest, unit)
        if node == NULL or unit_touch(forest.arena, unit) != OK:
            return forest.arena.error
        node_cut(node, path.steps[height].index)
        if node.count > 0:
            break
        unit_free(forest.arena, unit)
        if height == 0:
            result[0] = 0
            return OK
    # The root: path.steps[0]
    unit = path.steps[0].unit
    node = node_at(forest, unit)
    while node != NULL and node.level > 0 and node.count == 1:
        result[0] = ref_make(REF_TREE, node_refs(node)[0])
        unit_free(forest.arena, unit)
        unit = <uint32_t>ref_address(result[0])
        node = node_at(forest, unit)
    return OK if node != NULL else forest.arena.error


cdef int leaf_merge(Forest* forest, Path* path, uint64_t* result) noexcept nogil:
    """Move a thin leaf's entries into its left neighbour below the same parent, where there is room."""
    cdef Step* step = &path.steps[path.height - 1]
    cdef Node* parent = node_at(forest, step.unit)
    cdef Node* left
    cdef Node* right
    cdef uint32_t left_unit, right_unit, index, skip
    cdef Span key
    if parent == NULL:
        return forest.arena.error
    if step.index == 0:
        if parent.count < 2:
            return OK
        step.index = 1
    left_unit = <uint32_t>node_refs(parent)[step.index - 1]
    right_unit = <uint32_t>node_refs(parent)[step.index]
    left = node_at(forest, left_unit)
    right = node_at(forest, right_unit)
    if left == NULL or right == NULL:
        return forest.arena.error
    if left.count + right.count > MERGE_COUNT_MAX:
        return OK
    if unit_touch(forest.arena, left_unit) != OK or unit_touch(forest.arena, right_unit) != OK:
        return forest.arena.error
    key.data = right.prefix
    key.size = right.skip
    node_admit(left, key)
    # Both get the shorter prefix, so that heads compare.
    skip = left.skip
    if right.skip > skip:
        node_reskip(right, skip)
    for index in range(right.count):
        node_add(left, left.count, node_heads(right)[index], node_refs(right)[index])
    unit_free(forest.arena, right_unit)
    return inner_drop(forest, path, result)


cdef int collection_remove(Forest* forest, uint64_t ref, Span key, uint64_t* result, uint64_t* old) noexcept nogil:
    cdef uint32_t kind = ref_kind(ref)
    cdef Path path
    cdef Node* leaf
    cdef uint32_t index = 0
    cdef uint32_t unit
    cdef int status
    result[0] = ref
    if kind == REF_RECORD:
        status = collection_find(forest, ref, key, old)
        if status == FOUND:
            result[0] = 0
        return status
    if kind == REF_LEAF:
        leaf = leaf_at(forest, ref)
        if leaf == NULL:
            return forest.arena.error
        unit = <uint32_t>(ref_address(ref) >> 5)
    else:
        status = tree_descend(forest, <uint32_t>ref_address(ref), key, &path, &leaf)
        if status != OK:
            return status
        unit = path.leaf
    status = leaf_find(forest, leaf, key, &index)
    if status != FOUND:
        return status
    status = unit_touch(forest.arena, unit)
    if status != OK:
        return status
    old[0] = node_refs(leaf)[index]
    node_cut(leaf, index)
    if kind == REF_LEAF:
        if leaf.count == 1:
            result[0] = ref_make(REF_RECORD, node_refs(leaf)[0])
        elif leaf.count == 0:
            result[0] = 0
        else:
            return FOUND
        status = leaf_free(forest, ref)
        return FOUND if status == OK else status
    if path.height == 0:
        if leaf.count == 0:
            result[0] = 0
            unit_free(forest.arena, unit)
        return FOUND
    if leaf.count == 0:
        unit_free(forest.arena, unit)
        status = inner_drop(forest, &path, result)
    elif leaf.count < NODE_CAPACITY // 4:
        status = leaf_merge(forest, &path, result)
    return FOUND if status == OK else status


cdef int path_turn(Forest* forest, Path* path, bint reverse, Node** leaf) noexcept nogil:
    """Move a path to the next (or previous) leaf: FOUND, OK at the end, or an error."""
    cdef uint32_t height = path.height
    cdef uint32_t unit, index
    cdef Node* node
    while height > 0:
        height -= 1
        node = node_at(forest, path.steps[height].unit)
        if node == NULL:
            return forest.arena.error
        index = path.steps[height].index
        if reverse and index > 0:
            path.steps[height].index = index - 1
            break
        if not reverse and index + 1 < node.count:
            path.steps[height].index = index + 1
            break
        if height == 0:
            return OK
    else:
        return OK
    unit = <uint32_t>node_refs(node)[path.steps[height].index]
    while True:
        node = node_at(forest, unit)
        if node == NULL:
            return forest.arena.error
        if node.count == 0:
            return ERR_CORRUPT
        if node.level == 0:
            path.leaf = unit
            leaf[0] = node
            return FOUND
        height += 1
        if height >= path.height:
            return ERR_CORRUPT
        index = node.count - 1 if reverse else 0
        path.steps[height].unit = unit
        path.steps[height].index = index
        unit = <uint32_t>node_refs(node)[index]


cdef int tree_edge(Forest* forest, uint32_t root, Path* path, Node** leaf) noexcept nogil:
    """Walk to the right-most leaf."""
    cdef uint32_t unit = root
    cdef Node* node
    path.height = 0
    while True:
        node = node_at(forest, unit)
        if node == NULL:
            return forest.arena.error
        if node.count == 0 or path.height >= TREE_HEIGHT_MAX:
            return ERR_CORRUPT
        if node.level == 0:
            path.leaf = unit
            leaf[0] = node
            return OK
        path.steps[path.height].unit = unit
        path.steps[path.height].index = node.count - 1
        path.height += 1
        unit = <uint32_t>node_refs(node)[node.count - 1]


cdef int collection_gather(Forest* forest, uint64_t ref, Span start, bint inclusive, bint reverse,
                           uint64_t* out, uint32_t wanted, uint32_t* count) noexcept nogil:
    cdef uint32_t kind = ref_kind(ref)
    cdef Path path
    cdef Node* leaf
    cdef Span other
    cdef uint32_t index = 0
    cdef int order
    cdef int status = OK
    count[0] = 0
    path.height = 0
    if wanted == 0:
        return OK
    if kind == REF_RECORD:
        if start.data != NULL:
            if key_at(forest, ref_address(ref), &other) != OK:
                return ERR_CORRUPT
            order = span_compare(other, start)
            if (order == 0 and not inclusive) or (order < 0 and not reverse) or (order > 0 and reverse):
                return OK
        out[0] = ref_address(ref)
        count[0] = 1
        return OK
    if kind == REF_LEAF:
        leaf = leaf_at(forest, ref)
        if leaf == NULL:
            return forest.arena.error
    elif start.data == NULL and reverse:
        status = tree_edge(forest, <uint32_t>ref_address(ref), &path, &leaf)
    else:
        status = tree_descend(forest, <uint32_t>ref_address(ref), start, &path, &leaf)
    if status != OK:
        return status
    # `index` is the next entry to take going forward, one above the next going backward.
    if start.data == NULL:
        index = leaf.count if reverse else 0
    else:
        status = leaf_find(forest, leaf, start, &index)
        if status < 0:
            return status
        if status == FOUND and inclusive == reverse:
            index += 1
    while count[0] < wanted:
        if reverse and index > 0:
            index -= 1
            out[count[0]] = node_refs(leaf)[index]
            count[0] += 1
        elif not reverse and index < leaf.count:
            out[count[0]] = node_refs(leaf)[index]
            count[0] += 1
            index += 1
        else:
            status = path_turn(forest, &path, reverse, &leaf)
            if status != FOUND:
                return status
            index = leaf.count if reverse else 0
    return OK


cdef int collection_any(Forest* forest, uint64_t ref, uint64_t* address) noexcept nogil:
    cdef Span nothing
    cdef uint32_t count = 0
    cdef int status
    nothing.data = NULL
    nothing.size = 0
    if ref_kind(ref) == REF_RECORD:
        address[0] = ref_address(ref)
        return OK
    status = collection_gather(forest, ref, nothing, True, False, address, 1, &count)
    if status != OK:
        return status
    return OK if count == 1 else ERR_CORRUPT


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


cdef int collection_verify(Forest* forest, uint64_t ref, uint64_t* items) noexcept nogil:
    cdef uint32_t kind = ref_kind(ref)
    cdef Path path
    cdef Node* leaf
    cdef Span last
    cdef int status
    last.data = NULL
    last.size = 0
    items[0] = 0
    path.height = 0
    if kind == REF_RECORD:
        items[0] = 1
        return key_at(forest, ref_address(ref), &last)
    if kind == REF_LEAF:
        leaf = leaf_at(forest, ref)
        if leaf == NULL:
            return forest.arena.error
    elif kind == REF_TREE:
        status = tree_descend(forest, <uint32_t>ref_address(ref), last, &path, &leaf)
        if status != OK:
            return status
    else:
        return ERR_CORRUPT
    while True:
        status = leaf_verify(forest, leaf, &last)
        if status != OK:
            return status
        items[0] += leaf.count
        status = path_turn(forest, &path, False, &leaf)
        if status != FOUND:
            return status


cdef int node_check(const uint8_t* data, uint32_t size_bytes) noexcept nogil:
    cdef const Node* node = <const Node*>data
    if (size_bytes != GRANULE_BYTES or node.capacity != NODE_CAPACITY or node.count > NODE_CAPACITY
            or node.skip > NODE_PREFIX_MAX or node.level >= TREE_HEIGHT_MAX):
        return ERR_CORRUPT
    return OK


cdef int slab_check(const uint8_t* data, uint32_t size_bytes) noexcept nogil:
    cdef const Slab* slab = <const Slab*>data
    if size_bytes != GRANULE_BYTES or slab.size_class >= SLAB_CLASS_COUNT:
        return ERR_CORRUPT
    return OK
