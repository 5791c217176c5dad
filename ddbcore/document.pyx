"""Documents: what an update makes of a list or map when its actions point into it.

Theory of operation
    Actions are sorted by path, so that those below one container are neighbours, and the path's
    elements at one depth lead through the containers as a tree would. One walk over a container
    notes the new value as pieces: runs of old bytes, new values, new names, and for each container
    on the way a head, which is made when the size of its content is known. At the end all pieces
    are copied once. What no path names is copied as it is.

    Indexes mean the elements as they were. Those beyond the end are appended, in their order.

Invariants
    1. Targets neither overlap nor conflict (`targets_meet`): no target is above another, and all
       those below one container name entries, or all name elements.
    2. A path of n elements below the attribute puts its value at level n + 1.
    3. Recursion ends with the paths, at DEPTH_MAX.

Threads
    Kernels on memory of one caller.

Format
    FORMAT.md, section "Items".
"""

from libc.stdlib cimport qsort
from libc.string cimport memcmp, memcpy

from ddbcore.change cimport ERR_TOO_LARGE, ROOM_BYTES_MAX, head_write, room_take
from ddbcore.operand cimport TYPE_ABSENT, TYPE_L, TYPE_M, name_read, operand_read
from ddbcore.record cimport DEPTH_MAX, RECORD_SIZE_MAX
from ddbcore.status cimport ERR_CORRUPT, ERR_MEMORY
from ddbcore.value cimport (
    TAG_LIST, TAG_MAP, content_read, value_size, value_skip, varint_read, varint_write,
)

cdef enum:
    HEAD_BYTES = 16                       # of a container, or of a name without its text
    PIECES_PER_ELEMENT = 6                # head, run, name, text, value, last run


cdef struct Piece:
    const uint8_t* data
    size_t size


cdef struct Work:
    # One attribute on its way to its new value.
    Piece* pieces
    uint32_t count
    size_t size                           # bytes of all pieces
    int64_t grown                         # DynamoDB's size of the new value less that of the old
    const Field* fields
    const uint16_t* name_sizes
    uint32_t name_count
    Room* room


# -- the order of targets --------------------------------------------------------------------------


cdef int element_compare(const PathElement* left, const PathElement* right) noexcept nogil:
    if left.indexed != right.indexed:
        return 1 if left.indexed else -1
    if left.key != right.key:
        return -1 if left.key < right.key else 1
    if left.indexed or left.number == right.number:
        return 0
    return -1 if left.number < right.number else 1


cdef int target_compare(const void* left, const void* right) noexcept nogil:
    cdef const Target* first = (<const Target**>left)[0]
    cdef const Target* second = (<const Target**>right)[0]
    cdef uint32_t index
    cdef int order
    if first.field != second.field:
        return -1 if first.field < second.field else 1
    for index in range(first.count if first.count < second.count else second.count):
        order = element_compare(&first.elements[index], &second.elements[index])
        if order != 0:
            return order
    if first.count != second.count:
        return -1 if first.count < second.count else 1
    return -1 if first.order < second.order else first.order > second.order


cdef void targets_sort(Target** targets, uint32_t count) noexcept nogil:
    qsort(targets, count, sizeof(Target*), target_compare)


cdef int targets_meet(const Target* left, const Target* right) noexcept nogil:
    cdef const PathElement* first
    cdef const PathElement* second
    cdef uint32_t index
    if left.field != right.field:
        return 0
    for index in range(left.count if left.count < right.count else right.count):
        first = &left.elements[index]
        second = &right.elements[index]
        if first.indexed != second.indexed:
            return CONFLICT
        if element_compare(first, second) != 0:
            return 0
    return OVERLAP


# -- pieces ----------------------------------------------------------------------------------------


cdef inline void piece_add(Work* work, const uint8_t* data, size_t size) noexcept nogil:
    if size > 0:
        work.pieces[work.count].data = data
        work.pieces[work.count].size = size
        work.count += 1
        work.size += size


# The name of a new entry.
cdef int name_add(Work* work, const Target* target, const Field* field) noexcept nogil:
    cdef uint8_t* head = room_take(work.room, HEAD_BYTES)
    if head == NULL:
        return ERR_MEMORY
    if target.name_id >= 0:
        piece_add(work, head, varint_write(head, target.name_id + 1))
        return 0
    head[0] = 0
    piece_add(work, head, 1 + varint_write(head + 1, field.text_size))
    piece_add(work, field.text, field.text_size)
    return 0


# DynamoDB's size of the bytes at data, which are one value.
cdef inline int64_t weigh(const Work* work, const uint8_t* data, size_t size) noexcept nogil:
    return value_size(data, data + size, work.name_sizes, work.name_count)


# Refuse a value whose nesting would go beyond DEPTH_MAX when it stands at `level`.
cdef int depth_check(const uint8_t* data, const uint8_t* limit, int level) noexcept nogil:
    cdef const uint8_t* content
    cdef const uint8_t* text
    cdef const uint8_t* end
    cdef uint64_t count, number
    cdef size_t size
    cdef int64_t skipped
    cdef int length, status
    cdef uint8_t tag
    if data >= limit:
        return ERR_CORRUPT
    tag = data[0]
    if tag != TAG_LIST and tag != TAG_MAP:
        return 0
    end = content_read(data + 1, limit, &content)
    if end == NULL:
        return ERR_CORRUPT
    count = varint_read(content, end, &length)
    if length == 0:
        return ERR_CORRUPT
    content += length
    if count > 0 and level >= DEPTH_MAX:
        return ERR_DEPTH
    while count > 0:
        count -= 1
        if tag == TAG_MAP:
            skipped = name_read(content, end, &number, &text, &size)
            if skipped < 0:
                return ERR_CORRUPT
            content += skipped
        status = depth_check(content, end, level + 1)
        skipped = value_skip(content, end)
        if status < 0 or skipped < 0:
            return status if status < 0 else ERR_CORRUPT
        content += skipped
    return 0


# Add a target's value, which takes the place of `replaced` (NULL: of nothing).
cdef int value_add(Work* work, const Target* target, const Operand* replaced) noexcept nogil:
    cdef const Operand* value = &target.value
    cdef int64_t new_size = weigh(work, value.raw, value.raw_size)
    cdef int64_t old_size = 0
    cdef int status = depth_check(value.raw, value.raw + value.raw_size, <int>target.count + 1)
    if status < 0:
        return status
    if replaced != NULL:
        old_size = weigh(work, replaced.raw, replaced.raw_size)
    if new_size < 0 or old_size < 0:
        return ERR_CORRUPT
    work.grown += new_size - old_size
    piece_add(work, value.raw, value.raw_size)
    return 0


# -- containers ------------------------------------------------------------------------------------


cdef uint32_t group_count(Target** targets, uint32_t count, uint32_t depth) noexcept nogil:
    cdef uint32_t index = 1
    while index < count and element_compare(
        &targets[0].elements[depth], &targets[index].elements[depth]
    ) == 0:
        index += 1
    return index


cdef uint32_t group_find(
    const Field* fields, Target** targets, uint32_t count, uint32_t depth, uint64_t number,
    const uint8_t* text, size_t size,
) noexcept nogil:
    cdef uint32_t low = 0, high = count, middle
    cdef int64_t key = <int64_t>number - 1
    cdef const Field* field
    while low < high:
        middle = (low + high) // 2
        if targets[middle].elements[depth].key < key:
            low = middle + 1
        else:
            high = middle
    if number > 0:
        return low if low < count and targets[low].elements[depth].key == key else count
    # Names without an id stand first, and names that are stored as text are rare.
    for middle in range(count):
        field = &fields[targets[middle].elements[depth].number]
        if field.text_size == size and memcmp(field.text, text, size) == 0:
            return middle
    return count


cdef int container_change(
    Work* work, const Operand* old, Target** targets, uint32_t count, uint32_t depth,
) noexcept nogil:
    cdef uint8_t* head = room_take(work.room, HEAD_BYTES)
    cdef uint32_t slot = work.count
    cdef size_t before = work.size
    cdef int64_t kept
    if head == NULL:
        return ERR_MEMORY
    if old.type != (TYPE_L if targets[0].elements[depth].indexed else TYPE_M):
        return ERR_PATH
    work.count += 1
    if old.type == TYPE_L:
        kept = list_change(work, old, targets, count, depth)
    else:
        kept = map_change(work, old, targets, count, depth)
    if kept < 0:
        return <int>kept
    if work.size - before > RECORD_SIZE_MAX:
        return ERR_TOO_LARGE
    work.pieces[slot].data = head
    work.pieces[slot].size = head_write(head, old.raw[0], kept, work.size - before)
    work.size += work.pieces[slot].size
    return 0


# What becomes of one entry or element that is there: from..child.raw is its name. *run is moved
# behind it. 1 when it stays, 0 when it goes.
cdef int child_change(
    Work* work, const Operand* child, const uint8_t* start, Target** targets, uint32_t count,
    uint32_t depth, int64_t name_weight, const uint8_t** run,
) noexcept nogil:
    cdef Target* target = targets[0]
    cdef int64_t size
    cdef int status
    if target.count == depth + 1 and target.value.type == TYPE_ABSENT:
        size = weigh(work, child.raw, child.raw_size)
        if size < 0:
            return ERR_CORRUPT
        piece_add(work, run[0], start - run[0])
        work.grown -= size + 1 + name_weight
        run[0] = child.raw + child.raw_size
        return 0
    piece_add(work, run[0], child.raw - run[0])
    run[0] = child.raw + child.raw_size
    if target.count == depth + 1:
        status = value_add(work, target, child)
    else:
        status = container_change(work, child, targets, count, depth + 1)
    return status if status < 0 else 1


# Append what no entry or element is there for. 1 when something was, 0 when nothing is to be done.
cdef int child_append(Work* work, Target* target, uint32_t depth) noexcept nogil:
    cdef const Field* field
    cdef int status = 0
    if target.count != depth + 1:
        return ERR_PATH
    if target.value.type == TYPE_ABSENT:
        return 0
    if not target.elements[depth].indexed:
        field = &work.fields[target.elements[depth].number]
        work.grown += field.text_size
        status = name_add(work, target, field)
    if status == 0:
        status = value_add(work, target, NULL)
    work.grown += 1
    return status if status < 0 else 1


# The number of elements that the list has then.
cdef int64_t list_change(
    Work* work, const Operand* old, Target** targets, uint32_t count, uint32_t depth,
) noexcept nogil:
    cdef const uint8_t* here = old.data
    cdef const uint8_t* run = here
    cdef const uint8_t* limit = here + old.size
    cdef int64_t kept = old.count, index = 0, size, key
    cdef uint32_t first = 0, together
    cdef Operand child
    cdef int status
    while first < count:
        together = group_count(targets + first, count - first, depth)
        key = targets[first].elements[depth].key
        if key >= old.count:
            break
        while index < key:
            size = value_skip(here, limit)
            if size < 0:
                return ERR_CORRUPT
            here += size
            index += 1
        if operand_read(here, limit, &child) < 0:
            return ERR_CORRUPT
        status = child_change(work, &child, here, targets + first, together, depth, 0, &run)
        if status < 0:
            return status
        kept -= 1 - status
        first += together
    piece_add(work, run, limit - run)
    while first < count:
        status = child_append(work, targets[first], depth)
        if status < 0:
            return status
        kept += status
        first += 1
    return kept


# The number of entries that the map has then.
cdef int64_t map_change(
    Work* work, const Operand* old, Target** targets, uint32_t count, uint32_t depth,
) noexcept nogil:
    cdef const uint8_t* here = old.data
    cdef const uint8_t* run = here
    cdef const uint8_t* limit = here + old.size
    cdef const uint8_t* text = NULL
    cdef int64_t kept = old.count, length
    cdef uint64_t number
    cdef uint32_t first, together
    cdef size_t size = 0
    cdef Operand child
    cdef int status
    for first in range(count):
        targets[first].met = 0
    for _ in range(old.count):
        length = name_read(here, limit, &number, &text, &size)
        if length < 0:
            return ERR_CORRUPT
        first = group_find(work.fields, targets, count, depth, number, text, size)
        if first == count or targets[first].met:
            here += length
            length = value_skip(here, limit)
            if length < 0:
                return ERR_CORRUPT
            here += length
            continue
        if operand_read(here + length, limit, &child) < 0:
            return ERR_CORRUPT
        together = group_count(targets + first, count - first, depth)
        # Below this entry the flags are set anew: they are set here after that.
        status = child_change(
            work, &child, here, targets + first, together, depth,
            work.fields[targets[first].elements[depth].number].text_size, &run,
        )
        if status < 0:
            return status
        targets[first].met = 1
        kept -= 1 - status
        here = child.raw + child.raw_size
    piece_add(work, run, limit - run)
    first = 0
    while first < count:
        together = group_count(targets + first, count - first, depth)
        if not targets[first].met:
            status = child_append(work, targets[first], depth)
            if status < 0:
                return status
            kept += status
        first += together
    return kept


cdef int document_change(
    const Operand* old, Target** targets, uint32_t count, const Field* fields,
    const uint16_t* name_sizes, uint32_t name_count, Room* room, Operand* out, int64_t* size_change,
) noexcept nogil:
    cdef Work work
    cdef uint8_t* target
    cdef uint32_t index
    cdef size_t bound = 1
    cdef int status
    for index in range(count):
        bound += PIECES_PER_ELEMENT * <size_t>targets[index].count
    work.pieces = <Piece*>room_take(room, bound * sizeof(Piece))
    if work.pieces == NULL:
        return ERR_MEMORY
    work.count = 0
    work.size = 0
    work.grown = 0
    work.fields = fields
    work.name_sizes = name_sizes
    work.name_count = name_count
    work.room = room
    status = container_change(&work, old, targets, count, 0)
    if status < 0:
        return status
    if room.total + work.size > ROOM_BYTES_MAX:
        return ERR_TOO_LARGE
    target = room_take(room, work.size)
    if target == NULL:
        return ERR_MEMORY
    size_change[0] = work.grown
    for index in range(work.count):
        memcpy(target, work.pieces[index].data, work.pieces[index].size)
        target += work.pieces[index].size
    return 0 if operand_read(target - work.size, target, out) > 0 else ERR_CORRUPT
