"""Item collections: the records of one partition key in sort key order.

Theory of operation
    A collection of one item is nothing but the index entry's own reference. From two items on it is
    a sorted leaf in a slab, 128 bytes at first and up to 2 KiB, then a B+tree of 4 KiB nodes.

    An inner node has the shape of a leaf: heads, and child units for addresses. Its separators have
    no text of their own: when a searched key ties with the head of a child, it is compared with the
    child's first key, found in the record of its left-most entry. So nothing in the index goes
    stale when records move.

    Right-most splits leave the old leaf full (time-ordered keys); others split in halves. A split
    sets its memory aside and reads the records it needs before it changes anything. A leaf that
    empties is taken out of its parent; neighbours merge when both fit in three quarters of a node.

Invariants
    1. For a child i >= 1 of an inner node: every key left of it is < its keys, and has a head <=
       heads[i]; its own keys have heads >= heads[i]. heads[0] is 0, which stands for minus
       infinity.
    2. A tree's root has at least two children or is a leaf; all leaves have the same depth.
    3. A put or remove that fails has changed nothing.

Threads
    Under the GIL.

Format: FORMAT.md, sections "Nodes" and "Slabs".
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.arena cimport UNIT_NONE, arena_reserve, unit_free, unit_touch
from ddbcore.node cimport (
    NODE_CAPACITY,
    SLAB_CLASS_COUNT,
    TREE_HEIGHT_MAX,
    Forest,
    Node,
    Span,
    heads_lower,
    key_at,
    key_order,
    key_head,
    leaf_find,
    leaf_sharpen,
    leaf_verify,
    node_add,
    node_admit,
    node_at,
    node_copy,
    node_cut,
    node_heads,
    node_new,
    node_place,
    node_refs,
    node_reskip,
    span_compare,
)
from ddbcore.partition cimport REF_LEAF, REF_RECORD, REF_TREE, ref_address, ref_kind, ref_make
from ddbcore.slab cimport leaf_at, leaf_free, leaf_new, leaves_ready, slab_at
from ddbcore.status cimport ERR_CORRUPT, ERR_FULL, FOUND, OK

cdef enum:
    MERGE_COUNT_MAX = 190                 # three quarters of a node's capacity

cdef struct Step:
    uint32_t unit
    uint32_t index

cdef struct Path:
    Step steps[TREE_HEIGHT_MAX]
    uint32_t height                       # inner nodes on the way
    uint32_t leaf                         # unit of the leaf


cdef int first_key(Forest* forest, uint32_t unit, Span* key) noexcept nogil:
    """The key of the left-most record below a node."""
    cdef Node* node
    cdef int _
    for _ in range(TREE_HEIGHT_MAX):
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
    """Set *index to the child that a key belongs to (invariant 1)."""
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


cdef int tree_descend(Forest* forest, uint32_t root, Span key, Path* path,
                      Node** leaf) noexcept nogil:
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


cdef int root_grow(Forest* forest, uint32_t left, uint32_t right, uint8_t level,
                   uint64_t* result) noexcept nogil:
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


cdef uint32_t split_keep(const Node* node, bint at_end) noexcept nogil:
    """Entries that stay on the left when a full node splits."""
    return node.count - node.count // 10 if at_end else node.count // 2


cdef int node_split(Forest* forest, uint32_t unit, bint at_end, uint32_t* right) noexcept nogil:
    """Move the upper part of a full node to a new one."""
    cdef Node* node = node_at(forest, unit)
    cdef Node* target
    cdef uint32_t keep = split_keep(node, at_end)
    cdef int status = unit_touch(forest.arena, unit)
    if status != OK:
        return status
    right[0] = node_new(forest, node.level, &target)
    if right[0] == UNIT_NONE:
        return forest.arena.error
    node_copy(target, node, keep, node.count - keep)
    node.count = <uint16_t>keep
    if node.level > 0:
        node_heads(target)[0] = 0
        return OK
    leaf_sharpen(forest, target)
    leaf_sharpen(forest, node)
    return OK


cdef int split_ready(Forest* forest, Path* path, Node* leaf, uint32_t index) noexcept nogil:
    """Make sure that splitting a full leaf, and what is full above it, cannot fail half way.

    The memory is set aside, and the records that give the new separators are read.
    """
    cdef uint32_t height = path.height
    cdef Node* node = leaf
    cdef uint32_t keep = split_keep(leaf, index == leaf.count)
    cdef Span key
    cdef int status
    status = arena_reserve(forest.arena, 3 * (path.height + 2))
    if status == OK:
        status = key_at(forest, node_refs(leaf)[keep if keep < leaf.count else 0], &key)
    while status == OK and height > 0:
        height -= 1
        node = node_at(forest, path.steps[height].unit)
        if node == NULL:
            return forest.arena.error
        if node.count < node.capacity:
            break
        keep = split_keep(node, path.steps[height].index + 1 == node.count)
        status = first_key(forest, <uint32_t>node_refs(node)[keep], &key)
    return status


cdef int tree_spread(Forest* forest, Path* path, uint32_t root, uint32_t left, uint32_t right,
                     uint64_t* result) noexcept nogil:
    """Enter a new right neighbour of `left` in the inner nodes above, splitting as needed."""
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
    status = split_ready(forest, &path, leaf, index)
    if status != OK:
        return status
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
    status = leaves_ready(forest, size_class if size_class < SLAB_CLASS_COUNT else -1, ref)
    if status != OK:
        return status
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
    if key_order(forest, key, ref_address(ref), True, &order) != OK:
        return ERR_CORRUPT
    if order == 0:
        old[0] = ref_address(ref)
        result[0] = ref_make(REF_RECORD, address)
        return FOUND
    if key_at(forest, ref_address(ref), &other) != OK:
        return ERR_CORRUPT
    status = leaves_ready(forest, 0, 0)
    if status == OK:
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
    """Take the child at the end of the path out of its parents.

    Empty ones go too, a root with one child goes down.
    """
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
            node_heads(node)[0] = 0
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
    # A root that cannot be read now keeps its height.
    return OK


cdef int leaf_merge(Forest* forest, Path* path, uint64_t* result) noexcept nogil:
    """Move a thin leaf's entries into its left neighbour below the same parent, if they fit."""
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
        # What cannot be read now stays apart: nothing depends on it.
        return OK
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


cdef int collection_remove(Forest* forest, uint64_t ref, Span key, uint64_t* result,
                           uint64_t* old) noexcept nogil:
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
    # What may fail comes first: the memory that freeing and merging leaves can need.
    if kind == REF_LEAF:
        status = leaves_ready(forest, -1, ref) if leaf.count <= 2 else OK
    elif leaf.count <= NODE_CAPACITY // 4:
        status = arena_reserve(forest.arena, path.height + 3)
    if status >= 0:
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
            if ((order == 0 and not inclusive) or (order < 0 and not reverse)
                    or (order > 0 and reverse)):
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
