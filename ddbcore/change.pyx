"""What updates compute: sums, joined lists, set unions and differences, and the new record.

Theory of operation
    An update reads operands where they lie and makes new encoded values in a `Room`, whose
    addresses stay put until the update ends. Sets are sorted and without duplicates, so union and
    difference are merges. The new record is the old one with some attributes replaced in place, cut
    out, or appended; everything between two changes is copied as one run.

Invariants
    1. What is written is canonical: shortest numbers, varints and size fields, ascending set
       members.
    2. record_change writes only after it knows the exact size, so a failure leaves `out` as it was.

Threads
    Kernels on memory of one caller. numbers_add needs the GIL, for its errors.

Format
    FORMAT.md, sections "Items" and "Records".
"""

from libc.stdint cimport int8_t, int16_t, int32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from ddbcore.buffer cimport buffer_reserve, store_u16, store_u32, store_u64
from ddbcore.number cimport Number, number_add, number_decode, number_encode, number_key_decode
from ddbcore.operand cimport (
    FORM_KEY, TYPE_ABSENT, TYPE_B, TYPE_N, TYPE_S, operand_integer, operand_read,
)
from ddbcore.record cimport RECORD_HEADER_BYTES, RECORD_PUT, RECORD_SIZE_MAX, Record
from ddbcore.status cimport ERR_CORRUPT, ERR_MEMORY
from ddbcore.value cimport (
    CONTAINER_HEAD_MAX, TAG_ASCII, TAG_BINARY, TAG_INT16, TAG_INT32, TAG_INT64, TAG_INT8,
    TAG_SMALL_INT, TAG_UTF8, TEXT_ASCII, member_compare, text_check, value_skip, varint_read,
    varint_write,
)

from ddbcore.errors import CorruptError

cdef enum:
    CHUNK_BYTES = 2048                    # kept between updates
    NUMBER_BYTES_MAX = 24                 # of an encoded number
    STRING_LENGTH_SHORT = 64              # ASCII strings below this length have it in the tag


# two integers below it never overflow when added
cdef int64_t INTEGER_MAGNITUDE_SAFE = <int64_t>1 << 62


cdef uint8_t* room_take(Room* room, size_t size) noexcept nogil:
    cdef Chunk* chunk = room.chunks
    cdef size_t wanted
    size = (size + 7) & ~<size_t>7
    if chunk == NULL or chunk.size - room.used < size:
        wanted = size if size > CHUNK_BYTES else CHUNK_BYTES
        chunk = <Chunk*>malloc(sizeof(Chunk) + wanted)
        if chunk == NULL:
            return NULL
        chunk.next = room.chunks
        chunk.size = wanted
        room.chunks = chunk
        room.used = 0
        room.total += wanted
    room.used += size
    return <uint8_t*>(chunk + 1) + room.used - size


cdef void room_clear(Room* room) noexcept nogil:
    cdef Chunk* chunk
    while room.chunks != NULL and (room.chunks.next != NULL or room.chunks.size > CHUNK_BYTES):
        chunk = room.chunks
        room.chunks = chunk.next
        free(chunk)
    room.used = 0
    room.total = room.chunks.size if room.chunks != NULL else 0


cdef void room_free(Room* room) noexcept nogil:
    cdef Chunk* chunk
    while room.chunks != NULL:
        chunk = room.chunks
        room.chunks = chunk.next
        free(chunk)


cdef int integer_encode(int64_t value, uint8_t* target) noexcept nogil:
    if 0 <= value < 64:
        target[0] = <uint8_t>(TAG_SMALL_INT + value)
        return 1
    if <int8_t>value == value:
        target[0] = TAG_INT8
        target[1] = <uint8_t>value
        return 2
    if <int16_t>value == value:
        target[0] = TAG_INT16
        store_u16(target + 1, <uint16_t>value)
        return 3
    if <int32_t>value == value:
        target[0] = TAG_INT32
        store_u32(target + 1, <uint32_t>value)
        return 5
    target[0] = TAG_INT64
    store_u64(target + 1, <uint64_t>value)
    return 9


cdef int operand_encode(Operand* operand, Room* room) noexcept nogil:
    cdef uint8_t* target
    cdef bint ascii
    cdef Number number
    cdef int length = 1
    target = room_take(room, operand.size + NUMBER_BYTES_MAX)
    if target == NULL:
        return ERR_MEMORY
    if operand.type == TYPE_N:
        if number_key_decode(operand.data, operand.size, &number) != 0:
            return ERR_CORRUPT
        length = number_encode(&number, target)
    else:
        ascii = operand.type == TYPE_S and text_check(operand.data, operand.size) == TEXT_ASCII
        if ascii and operand.size < STRING_LENGTH_SHORT:
            target[0] = <uint8_t>operand.size
        else:
            target[0] = TAG_BINARY if operand.type == TYPE_B else TAG_ASCII if ascii else TAG_UTF8
            length += varint_write(target + 1, operand.size)
        memcpy(target + length, operand.data, operand.size)
        length += <int>operand.size
    return 0 if operand_read(target, target + length, operand) > 0 else ERR_CORRUPT


cdef inline int number_load(const Operand* source, Number* out) noexcept nogil:
    if source.form == FORM_KEY:
        return number_key_decode(source.data, source.size, out)
    return 0 if number_decode(source.data, source.data + source.size, out) >= 0 else ERR_CORRUPT


cdef int numbers_add(
    const Operand* left, const Operand* right, bint subtract, Room* room, Operand* out,
) except -1:
    cdef uint8_t* target = room_take(room, NUMBER_BYTES_MAX)
    cdef int64_t first, second
    cdef Number a, b, total
    cdef int length
    if target == NULL:
        raise MemoryError
    if (
        operand_integer(left, &first) and operand_integer(right, &second)
        and -INTEGER_MAGNITUDE_SAFE < first < INTEGER_MAGNITUDE_SAFE
        and -INTEGER_MAGNITUDE_SAFE < second < INTEGER_MAGNITUDE_SAFE
    ):
        length = integer_encode(first - second if subtract else first + second, target)
    else:
        if number_load(left, &a) < 0 or number_load(right, &b) < 0:
            raise CorruptError("a number in the item is damaged")
        number_add(&a, &b, subtract, &total)
        length = number_encode(&total, target)
    operand_read(target, target + length, out)
    return 0


cdef int head_write(
    uint8_t* target, uint8_t tag, uint64_t count, size_t content_size,
) noexcept nogil:
    cdef uint8_t varint[5]
    cdef int length = varint_write(varint, count)
    cdef size_t size = content_size + length
    cdef int head = 2
    target[0] = tag
    if size < 0xFF:
        target[1] = <uint8_t>size
    else:
        target[1] = 0xFF
        store_u32(target + 2, <uint32_t>size)
        head = 6
    memcpy(target + head, varint, length)
    return head + length


# Room for a container of at most `content_size` bytes of elements; they go to CONTAINER_HEAD_MAX
# bytes behind the start.
cdef uint8_t* container_take(size_t content_size, Room* room, int* status) noexcept nogil:
    cdef uint8_t* start
    status[0] = ERR_TOO_LARGE
    if content_size > RECORD_SIZE_MAX or room.total + content_size > ROOM_BYTES_MAX:
        return NULL
    start = room_take(room, CONTAINER_HEAD_MAX + content_size)
    status[0] = ERR_MEMORY if start == NULL else 0
    return start


# Write the head right ahead of the elements and view the whole.
cdef int container_close(
    uint8_t* start, uint8_t tag, uint64_t count, size_t content_size, Operand* out,
) noexcept nogil:
    cdef uint8_t head[16]
    cdef int length = head_write(head, tag, count, content_size)
    cdef uint8_t* target = start + CONTAINER_HEAD_MAX - length
    memcpy(target, head, length)
    if operand_read(target, start + CONTAINER_HEAD_MAX + content_size, out) < 0:
        return ERR_CORRUPT
    return 0


cdef int lists_join(
    const Operand* left, const Operand* right, Room* room, Operand* out,
) noexcept nogil:
    cdef int status = 0
    cdef uint8_t tag = left.raw[0]
    cdef uint64_t count = <uint64_t>left.count + right.count
    cdef size_t size = left.size + right.size
    cdef uint8_t* start = container_take(size, room, &status)
    if start == NULL:
        return status
    memcpy(start + CONTAINER_HEAD_MAX, left.data, left.size)
    memcpy(start + CONTAINER_HEAD_MAX + left.size, right.data, right.size)
    return container_close(start, tag, count, size, out)


cdef int sets_unite(
    const Operand* left, const Operand* right, Room* room, Operand* out,
) noexcept nogil:
    return sets_merge(left, right, 1, room, out)


cdef int sets_subtract(
    const Operand* left, const Operand* right, Room* room, Operand* out,
) noexcept nogil:
    return sets_merge(left, right, 0, room, out)


cdef int sets_merge(
    const Operand* left, const Operand* right, bint unite, Room* room, Operand* out,
) noexcept nogil:
    cdef int status = 0, order
    cdef uint8_t tag = left.raw[0]
    cdef const uint8_t* first = left.data
    cdef const uint8_t* second = right.data
    cdef const uint8_t* first_end = first + left.size
    cdef const uint8_t* second_end = second + right.size
    cdef uint64_t count = 0
    cdef int64_t first_size = 0, second_size = 0
    cdef uint8_t* start = container_take(left.size + right.size, room, &status)
    cdef uint8_t* target
    if start == NULL:
        return status
    target = start + CONTAINER_HEAD_MAX
    while first < first_end or second < second_end:
        if first < first_end:
            first_size = value_skip(first, first_end)
        if second < second_end:
            second_size = value_skip(second, second_end)
        if first_size < 0 or second_size < 0:
            return ERR_CORRUPT
        order = -1 if second == second_end else 1
        if first < first_end and second < second_end:
            order = member_compare(first, first_size, second, second_size)
        if order < 0 or (order == 0 and unite):
            memcpy(target, first, first_size)
            target += first_size
            count += 1
        elif order > 0 and unite:
            memcpy(target, second, second_size)
            target += second_size
            count += 1
        if order <= 0:
            first += first_size
        if order >= 0:
            second += second_size
    if count == 0:
        out.type = TYPE_ABSENT
        return 0
    return container_close(start, tag, count, target - start - CONTAINER_HEAD_MAX, out)


# Bytes that the name of a new attribute takes.
cdef inline size_t name_length(const Change* change) noexcept nogil:
    cdef uint8_t varint[5]
    if change.name_id >= 0:
        return varint_write(varint, change.name_id + 1)
    return 1 + varint_write(varint, change.text_size) + change.text_size


cdef inline uint8_t* name_write(const Change* change, uint8_t* target) noexcept nogil:
    if change.name_id >= 0:
        return target + varint_write(target, change.name_id + 1)
    target[0] = 0
    target += 1
    target += varint_write(target, change.text_size)
    memcpy(target, change.text, change.text_size)
    return target + change.text_size


# Order changes by place in the old record, new attributes last, as given. Insertion: nearly always
# one to three.
cdef void changes_sort(Change* changes, uint32_t count) noexcept nogil:
    cdef uint32_t index, place
    cdef Change moving
    for index in range(1, count):
        moving = changes[index]
        place = index
        while place > 0 and moving.name != NULL and (
            changes[place - 1].name == NULL or changes[place - 1].name > moving.name
        ):
            changes[place] = changes[place - 1]
            place -= 1
        changes[place] = moving


cdef int64_t record_change(
    const uint8_t* old, const uint8_t* key, Change* changes, uint32_t count, uint32_t item_size,
    Buffer* out,
) noexcept nogil:
    cdef Record header
    cdef const uint8_t* here = NULL
    cdef const uint8_t* limit = NULL
    cdef Change* change
    cdef uint8_t* target
    cdef uint64_t attribute_count = 0
    cdef uint8_t varint[5]
    cdef size_t keys_end, size
    cdef uint32_t index
    cdef int length = 0
    memcpy(&header, key, sizeof(Record))
    keys_end = RECORD_HEADER_BYTES + <size_t>header.hash_size + header.range_size
    if old != NULL:
        memcpy(&header, old, sizeof(Record))
        limit = old + header.size_bytes
        here = old + RECORD_HEADER_BYTES + header.hash_size + header.range_size
        attribute_count = varint_read(here, limit, &length)
        if length == 0:
            return ERR_CORRUPT
        here += length
    size = limit - here
    for index in range(count):
        change = &changes[index]
        if change.name == NULL:
            attribute_count += 1
            size += name_length(change) + change.size
        elif change.kind == CHANGE_SET:
            size += change.size - change.value_size
        else:
            attribute_count -= 1
            size -= change.value + change.value_size - change.name
    length = varint_write(varint, attribute_count)
    size += keys_end + length
    if size > RECORD_SIZE_MAX:
        return ERR_TOO_LARGE
    if buffer_reserve(out, size) < 0:
        return ERR_MEMORY
    changes_sort(changes, count)
    target = out.data + out.size
    memcpy(target, key, keys_end)
    memcpy(target + keys_end, varint, length)
    target += keys_end + length
    for index in range(count):
        change = &changes[index]
        if change.name == NULL:
            break
        if change.kind == CHANGE_SET:
            memcpy(target, here, change.value - here)
            target += change.value - here
            memcpy(target, change.data, change.size)
            target += change.size
        else:
            memcpy(target, here, change.name - here)
            target += change.name - here
        here = change.value + change.value_size
    if limit > here:
        memcpy(target, here, limit - here)
        target += limit - here
    for index in range(count):
        change = &changes[index]
        if change.name == NULL:
            target = name_write(change, target)
            memcpy(target, change.data, change.size)
            target += change.size
    target = out.data + out.size
    memcpy(&header, key, sizeof(Record))
    header.size_bytes = <uint32_t>size
    header.kind = RECORD_PUT
    header.keyspace_id = 0
    header.item_size = item_size
    memcpy(target, &header, sizeof(Record))
    out.size += size
    return <int64_t>size
