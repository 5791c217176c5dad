"""Operands: typed views of values where they lie, and how DynamoDB compares them.

Theory of operation
    A condition over millions of items must not copy or decode. An `Operand` is a view: type,
    payload, and the whole encoded value. Values are canonical, so two scalars or sets of one form
    are equal exactly when their bytes are. Numbers come in three forms (encoded value, key, plain
    integer); only mixed or ordered comparisons unpack them. Maps are equal whatever the order of
    their entries: entries are compared pairwise, and sorted first only when the orders differ.

Invariants
    1. Every read is checked against a limit; whatever does not add up is ERR_CORRUPT.
    2. Recursion (lists and maps) ends at DEPTH_MAX.
    3. An absent operand equals nothing, has no order, contains nothing.

Threads
    Kernels on bytes that the caller keeps alive; no state.

Format
    FORMAT.md, sections "Items", "Numbers" and "Keys".
"""

from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memcmp, memcpy, memset

from ddbcore.buffer cimport load_u16, load_u32, load_u64
from ddbcore.number cimport Number, number_compare, number_decode, number_key_decode
from ddbcore.record cimport DEPTH_MAX, RECORD_HEADER_BYTES, Record
from ddbcore.status cimport ERR_CORRUPT, ERR_MEMORY
from ddbcore.value cimport (
    TAG_BINARY, TAG_BINARY_SET, TAG_DECIMAL16, TAG_DECIMAL32, TAG_DECIMAL64, TAG_FALSE, TAG_INT16,
    TAG_INT32, TAG_INT64, TAG_INT8, TAG_LIST, TAG_NULL, TAG_NUMBER, TAG_SMALL_INT, content_read,
    value_skip, varint_read,
)

cdef extern from *:
    """
    #include <string.h>
    #if defined(__GLIBC__) || defined(__APPLE__) || defined(__FreeBSD__)
    #ifdef __cplusplus
    extern "C"
    #endif
    void* memmem(const void*, size_t, const void*, size_t);
    #define hr_find(whole, whole_size, part, part_size) memmem(whole, whole_size, part, part_size)
    #else
    static const void* hr_find(
        const void* whole, size_t whole_size, const void* part, size_t part_size
    ) {
        const char* here = (const char*)whole;
        const char* last;
        if (part_size == 0) return whole;
        if (part_size > whole_size) return NULL;
        last = here + (whole_size - part_size);
        while (here <= last) {
            here = (const char*)memchr(here, *(const char*)part, (size_t)(last - here) + 1);
            if (here == NULL) return NULL;
            if (memcmp(here, part, part_size) == 0) return here;
            here++;
        }
        return NULL;
    }
    #endif
    """
    const void* hr_find(
        const void* whole, size_t whole_size, const void* part, size_t part_size,
    ) noexcept nogil


# By tag: bytes of values whose tag alone says it; 0 for the others.
cdef uint8_t SKIP[256]


cdef void skip_fill() noexcept:
    cdef int tag
    for tag in range(256):
        SKIP[tag] = 0
        if tag < TAG_SMALL_INT:
            SKIP[tag] = <uint8_t>(tag + 1)
        elif tag <= TAG_FALSE:
            SKIP[tag] = 1
    SKIP[<int>TAG_INT8] = 2
    SKIP[<int>TAG_INT16] = 3
    SKIP[<int>TAG_INT32] = 5
    SKIP[<int>TAG_INT64] = 9
    SKIP[<int>TAG_DECIMAL16] = 4
    SKIP[<int>TAG_DECIMAL32] = 6
    SKIP[<int>TAG_DECIMAL64] = 10


skip_fill()


# value_skip without a call for the common types.
cdef inline int64_t skip(const uint8_t* data, const uint8_t* limit) noexcept nogil:
    cdef int64_t size
    if data < limit:
        size = SKIP[data[0]]
        if size != 0:
            return size if size <= limit - data else ERR_CORRUPT
        if data[0] >= TAG_LIST and limit - data >= 2 and data[1] != 0xFF:
            size = 2 + <int64_t>data[1]
            return size if size <= limit - data and data[0] <= TAG_BINARY_SET else ERR_CORRUPT
    return value_skip(data, limit)


cdef struct Entry:
    # An entry of a map: name as encoded, value.
    const uint8_t* name
    const uint8_t* value
    size_t name_size
    size_t value_size


cdef int64_t operand_read(const uint8_t* data, const uint8_t* limit, Operand* out) noexcept nogil:
    cdef const uint8_t* content
    cdef const uint8_t* end
    cdef int64_t size = skip(data, limit)
    cdef uint8_t tag
    cdef int length
    out.type = TYPE_ABSENT
    if size < 0:
        return ERR_CORRUPT
    tag = data[0]
    end = data + size
    out.name = NULL
    out.raw = data
    out.raw_size = size
    out.form = FORM_TAGGED
    if tag < TAG_SMALL_INT:
        out.type = TYPE_S
        out.data = data + 1
        out.size = size - 1
        return size
    if tag < TAG_NULL or (TAG_INT8 <= tag <= TAG_NUMBER):
        out.type = TYPE_N
        out.data = data
        out.size = size
        return size
    if tag <= TAG_FALSE:
        out.type = TYPE_NULL if tag == TAG_NULL else TYPE_BOOL
        out.data = data
        out.size = 1
        return size
    if tag <= TAG_BINARY:
        out.type = TYPE_B if tag == TAG_BINARY else TYPE_S
        varint_read(data + 1, limit, &length)
        out.data = data + 1 + length
        out.size = end - out.data
        return size
    if content_read(data + 1, limit, &content) == NULL:
        return ERR_CORRUPT
    out.count = <uint32_t>varint_read(content, end, &length)
    if length == 0:
        return ERR_CORRUPT
    out.type = <uint8_t>(TYPE_L + (tag - TAG_LIST))
    out.data = content + length
    out.size = end - out.data
    return size


cdef int operand_read_key(
    const uint8_t* data, size_t size, uint8_t type, Operand* out,
) noexcept nogil:
    cdef Number number
    out.name = NULL
    out.raw = NULL
    out.raw_size = 0
    out.data = data
    out.size = size
    out.form = FORM_KEY
    out.type = type
    if type == TYPE_N and number_key_decode(data, size, &number) != 0:
        return ERR_CORRUPT
    return 0


cdef inline int number_unpack(const Operand* source, Number* out) noexcept nogil:
    cdef uint64_t magnitude
    if source.form == FORM_TAGGED:
        return 0 if number_decode(source.data, source.data + source.size, out) >= 0 else ERR_CORRUPT
    if source.form == FORM_KEY:
        return number_key_decode(source.data, source.size, out)
    magnitude = <uint64_t>source.integer
    if source.integer < 0:
        magnitude = 0 - magnitude
    out.high = 0
    out.exponent = 0
    out.negative = source.integer < 0
    while magnitude != 0 and magnitude % 10 == 0:
        magnitude //= 10
        out.exponent += 1
    out.low = magnitude
    return 0


cdef int operand_integer(const Operand* source, int64_t* out) noexcept nogil:
    cdef uint8_t tag
    if source.type != TYPE_N or source.form == FORM_KEY:
        return 0
    if source.form == FORM_INTEGER:
        out[0] = source.integer
        return 1
    tag = source.data[0]
    if tag < TAG_NULL:
        out[0] = tag - TAG_SMALL_INT
    elif tag == TAG_INT8:
        out[0] = <signed char>source.data[1]
    elif tag == TAG_INT16:
        out[0] = <short>load_u16(source.data + 1)
    elif tag == TAG_INT32:
        out[0] = <int>load_u32(source.data + 1)
    elif tag == TAG_INT64:
        out[0] = <int64_t>load_u64(source.data + 1)
    else:
        return 0
    return 1


cdef int number_order(const Operand* left, const Operand* right, int* order) noexcept nogil:
    cdef int64_t small, large
    cdef Number first, second
    if operand_integer(left, &small) and operand_integer(right, &large):
        order[0] = (small > large) - (small < large)
        return 1
    if number_unpack(left, &first) < 0 or number_unpack(right, &second) < 0:
        return ERR_CORRUPT
    order[0] = number_compare(&first, &second)
    return 1


cdef inline int bytes_order(const Operand* left, const Operand* right) noexcept nogil:
    cdef int order = memcmp(
        left.data, right.data, left.size if left.size < right.size else right.size,
    )
    if order == 0:
        return (left.size > right.size) - (left.size < right.size)
    return order


cdef int operand_order(const Operand* left, const Operand* right, int* order) noexcept nogil:
    if left.type != right.type or left.type == TYPE_ABSENT or left.type > TYPE_B:
        return 0
    if left.type == TYPE_N:
        return number_order(left, right, order)
    order[0] = bytes_order(left, right)
    return 1


cdef int operand_equal(const Operand* left, const Operand* right) noexcept nogil:
    return equal_at(left, right, 1)


cdef int equal_at(const Operand* left, const Operand* right, int level) noexcept nogil:
    cdef int order = 0, status
    if left.type != right.type or left.type == TYPE_ABSENT:
        return 0
    if left.raw != NULL and right.raw != NULL:
        if left.raw_size == right.raw_size and memcmp(left.raw, right.raw, left.raw_size) == 0:
            return 1
        # Scalars and sets have one encoding each; a list may hold a map whose entries stand in
        # another order.
        if left.type == TYPE_L:
            return lists_equal(left, right, level)
        if left.type == TYPE_M:
            return maps_equal(left, right, level)
        return 0
    if left.type == TYPE_N:
        status = number_order(left, right, &order)
        return status if status < 0 else order == 0
    return left.size == right.size and memcmp(left.data, right.data, left.size) == 0


# Compare the values at left and right, which have the lengths given.
cdef int values_equal(
    const uint8_t* left, size_t left_size, const uint8_t* right, size_t right_size, int level,
) noexcept nogil:
    cdef Operand first, second
    if level > DEPTH_MAX:
        return ERR_CORRUPT
    if operand_read(left, left + left_size, &first) < 0:
        return ERR_CORRUPT
    if operand_read(right, right + right_size, &second) < 0:
        return ERR_CORRUPT
    return equal_at(&first, &second, level)


cdef int lists_equal(const Operand* left, const Operand* right, int level) noexcept nogil:
    cdef const uint8_t* first = left.data
    cdef const uint8_t* second = right.data
    cdef const uint8_t* first_end = left.data + left.size
    cdef const uint8_t* second_end = right.data + right.size
    cdef int64_t first_size, second_size
    cdef int status
    if left.count != right.count:
        return 0
    for _ in range(left.count):
        first_size = value_skip(first, first_end)
        second_size = value_skip(second, second_end)
        if first_size < 0 or second_size < 0:
            return ERR_CORRUPT
        status = values_equal(first, first_size, second, second_size, level + 1)
        if status != 1:
            return status
        first += first_size
        second += second_size
    return 1


cdef int64_t name_read(
    const uint8_t* data, const uint8_t* limit, uint64_t* number, const uint8_t** text, size_t* size,
) noexcept nogil:
    cdef const uint8_t* here = data
    cdef uint64_t text_size
    cdef int length
    number[0] = varint_read(here, limit, &length)
    if length == 0:
        return ERR_CORRUPT
    if number[0] > 0:
        return length
    here += length
    text_size = varint_read(here, limit, &length)
    if length == 0 or text_size > <uint64_t>(limit - here - length):
        return ERR_CORRUPT
    text[0] = here + length
    size[0] = text_size
    return here + length + text_size - data


cdef int map_find(const Operand* map, const Field* field, Operand* out) noexcept nogil:
    cdef const uint8_t* here = map.data
    cdef const uint8_t* limit
    cdef const uint8_t* text = NULL
    cdef uint64_t number
    cdef size_t size = 0
    cdef int64_t length
    cdef bint same
    out.type = TYPE_ABSENT
    if map.type != TYPE_M:
        return 0
    limit = here + map.size
    for _ in range(map.count):
        length = name_read(here, limit, &number, &text, &size)
        if length < 0:
            return ERR_CORRUPT
        if number > 0:
            same = field.name_id == <int64_t>number - 1
        else:
            same = size == field.text_size and memcmp(text, field.text, size) == 0
        if same:
            if operand_read(here + length, limit, out) < 0:
                return ERR_CORRUPT
            out.name = here
            return 0
        here += length
        length = skip(here, limit)
        if length < 0:
            return ERR_CORRUPT
        here += length
    return 0


cdef int list_find(const Operand* list, int64_t index, Operand* out) noexcept nogil:
    cdef const uint8_t* here = list.data
    cdef const uint8_t* limit
    cdef int64_t length
    out.type = TYPE_ABSENT
    if list.type != TYPE_L or index >= list.count:
        return 0
    limit = here + list.size
    for _ in range(index):
        length = skip(here, limit)
        if length < 0:
            return ERR_CORRUPT
        here += length
    return 0 if operand_read(here, limit, out) >= 0 else ERR_CORRUPT


# Read the map entry at *data, which moves behind it. 0 or ERR_CORRUPT.
cdef int entry_read(const uint8_t** data, const uint8_t* limit, Entry* out) noexcept nogil:
    cdef const uint8_t* here = data[0]
    cdef const uint8_t* text
    cdef uint64_t number
    cdef size_t size
    cdef int64_t skipped = name_read(here, limit, &number, &text, &size)
    if skipped < 0:
        return ERR_CORRUPT
    out.name = here
    out.name_size = skipped
    here += skipped
    out.value = here
    skipped = value_skip(here, limit)
    if skipped < 0:
        return ERR_CORRUPT
    out.value_size = skipped
    data[0] = here + skipped
    return 0


cdef int entry_compare(const void* left, const void* right) noexcept nogil:
    cdef const Entry* first = <const Entry*>left
    cdef const Entry* second = <const Entry*>right
    cdef size_t size = first.name_size if first.name_size < second.name_size else second.name_size
    cdef int order = memcmp(first.name, second.name, size)
    if order != 0:
        return order
    return (first.name_size > second.name_size) - (first.name_size < second.name_size)


cdef int maps_equal(const Operand* left, const Operand* right, int level) noexcept nogil:
    cdef const uint8_t* first = left.data
    cdef const uint8_t* second = right.data
    cdef Entry* entries
    cdef Entry* others
    cdef uint32_t index, count = left.count
    cdef int status = 1
    if count != right.count:
        return 0
    # An entry takes two bytes at least: a larger count is damage, and would cost memory.
    if count > left.size // 2 or count > right.size // 2:
        return ERR_CORRUPT
    if count == 0:
        return 1
    entries = <Entry*>malloc(2 * <size_t>count * sizeof(Entry))
    if entries == NULL:
        return ERR_MEMORY
    others = entries + count
    for index in range(count):
        if entry_read(&first, left.data + left.size, &entries[index]) < 0:
            status = ERR_CORRUPT
        elif entry_read(&second, right.data + right.size, &others[index]) < 0:
            status = ERR_CORRUPT
        if status < 0:
            break
    if status == 1:
        qsort(entries, count, sizeof(Entry), entry_compare)
        qsort(others, count, sizeof(Entry), entry_compare)
        for index in range(count):
            status = entry_compare(&entries[index], &others[index]) == 0
            if status == 1:
                status = values_equal(
                    entries[index].value, entries[index].value_size,
                    others[index].value, others[index].value_size, level + 1,
                )
            if status != 1:
                break
    free(entries)
    return status


cdef int operand_begins_with(const Operand* whole, const Operand* start) noexcept nogil:
    if whole.type != start.type or (whole.type != TYPE_S and whole.type != TYPE_B):
        return 0
    return whole.size >= start.size and memcmp(whole.data, start.data, start.size) == 0


cdef int operand_contains(const Operand* whole, const Operand* part) noexcept nogil:
    cdef const uint8_t* here = whole.data
    cdef const uint8_t* end
    cdef Operand element
    cdef int64_t size
    cdef int status
    if part.type == TYPE_ABSENT:
        return 0
    if whole.type == TYPE_S or whole.type == TYPE_B:
        if part.type != whole.type:
            return 0
        return hr_find(whole.data, whole.size, part.data, part.size) != NULL
    if whole.type < TYPE_L or whole.type == TYPE_M:
        return 0
    # The types of sets stand in the order of the types of their members.
    if whole.type >= TYPE_SS and part.type != whole.type - TYPE_SS + TYPE_S:
        return 0
    end = whole.data + whole.size
    for _ in range(whole.count):
        size = operand_read(here, end, &element)
        if size < 0:
            return ERR_CORRUPT
        status = operand_equal(&element, part)
        if status != 0:
            return status
        here += size
    return 0


cdef int operand_length(const Operand* source, Operand* out) noexcept nogil:
    cdef size_t index
    out.type = TYPE_N
    out.form = FORM_INTEGER
    out.name = NULL
    out.raw = NULL
    out.data = NULL
    out.raw_size = out.size = 0
    if source.type == TYPE_B:
        out.integer = <int64_t>source.size
    elif source.type == TYPE_S:
        out.integer = 0
        for index in range(source.size):
            # A character is counted at its first byte; those beyond U+FFFF (lead F0 and above) take
            # two units.
            out.integer += ((source.data[index] & 0xC0) != 0x80) + (source.data[index] >= 0xF0)
    elif source.type >= TYPE_L:
        out.integer = source.count
    else:
        out.type = TYPE_ABSENT
    return 0


cdef int type_by_name(const uint8_t* text, size_t size) noexcept nogil:
    if size == 1:
        if text[0] == c'S':
            return TYPE_S
        if text[0] == c'N':
            return TYPE_N
        if text[0] == c'B':
            return TYPE_B
        if text[0] == c'L':
            return TYPE_L
        if text[0] == c'M':
            return TYPE_M
    elif size == 2 and text[1] == c'S':
        if text[0] == c'S':
            return TYPE_SS
        if text[0] == c'N':
            return TYPE_NS
        if text[0] == c'B':
            return TYPE_BS
    elif size == 4:
        if memcmp(text, b"BOOL", 4) == 0:
            return TYPE_BOOL
        if memcmp(text, b"NULL", 4) == 0:
            return TYPE_NULL
    return TYPE_ABSENT


cdef void fields_index(FieldTable* table, bint inlined) noexcept nogil:
    cdef uint32_t index
    cdef Field* field
    cdef size_t head
    memset(table.heads, 0, sizeof(table.heads))
    table.wanted = 0
    for index in range(table.count):
        field = &table.fields[index]
        field.next = 0
        if field.role != ROLE_ATTRIBUTE:
            continue
        if field.name_id >= 0:
            head = <size_t>field.name_id & (FIELD_HEADS - 1)
            field.next = table.heads[head]
            table.heads[head] = <uint16_t>(index + 1)
            table.wanted += 1
        elif inlined or field.text_size > 255:
            table.wanted += 1


cdef inline int64_t field_by_text(
    const FieldTable* table, const uint8_t* text, size_t size,
) noexcept nogil:
    cdef uint32_t index
    for index in range(table.count):
        if table.fields[index].text_size == size and table.fields[index].role != ROLE_INNER:
            if memcmp(table.fields[index].text, text, size) == 0:
                return index
    return -1


cdef int fields_find(
    const FieldTable* table, const uint8_t* record, size_t size, Operand* found,
) noexcept nogil:
    cdef const uint8_t* data
    cdef const uint8_t* name
    cdef const uint8_t* limit
    cdef const uint8_t* range_key
    cdef Record header
    cdef uint64_t count, number
    cdef uint32_t index, wanted = table.wanted
    cdef int64_t field, skipped
    cdef int length
    for index in range(table.count):
        found[index].type = TYPE_ABSENT
    if record == NULL:
        return 0
    if size < RECORD_HEADER_BYTES:
        return ERR_CORRUPT
    memcpy(&header, record, sizeof(Record))
    data = record + RECORD_HEADER_BYTES
    if header.size_bytes > size:
        return ERR_CORRUPT
    if header.size_bytes < RECORD_HEADER_BYTES + <size_t>header.hash_size + header.range_size:
        return ERR_CORRUPT
    limit = record + header.size_bytes
    range_key = data + header.hash_size
    if wanted < table.count:
        for index in range(table.count):
            if table.fields[index].role == ROLE_HASH:
                if operand_read_key(data, header.hash_size, table.hash_type, &found[index]) < 0:
                    return ERR_CORRUPT
            elif table.fields[index].role == ROLE_RANGE:
                if operand_read_key(
                    range_key, header.range_size, table.range_type, &found[index]
                ) < 0:
                    return ERR_CORRUPT
    data = range_key + header.range_size
    if wanted == 0:
        return 0
    count = varint_read(data, limit, &length)
    if length == 0:
        return ERR_CORRUPT
    data += length
    while count > 0:
        count -= 1
        name = data
        number = varint_read(data, limit, &length)
        if length == 0:
            return ERR_CORRUPT
        data += length
        field = -1
        if number > 0:
            index = table.heads[(number - 1) & (FIELD_HEADS - 1)]
            while index != 0:
                if <uint64_t>table.fields[index - 1].name_id == number - 1:
                    field = <int64_t>index - 1
                    break
                index = table.fields[index - 1].next
        else:
            number = varint_read(data, limit, &length)
            if length == 0 or number > <uint64_t>(limit - data - length):
                return ERR_CORRUPT
            field = field_by_text(table, data + length, number)
            data += length + number
        if field >= 0:
            skipped = operand_read(data, limit, &found[field])
            if skipped < 0:
                return ERR_CORRUPT
            found[field].name = name
            data += skipped
            wanted -= 1
            if wanted == 0:
                return 0
        else:
            skipped = skip(data, limit)
            if skipped < 0:
                return ERR_CORRUPT
            data += skipped
    return 0
