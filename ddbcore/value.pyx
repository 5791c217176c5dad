"""Encoded values: skip, measure and check them as bytes.

Theory of operation
    A value is a tag byte and what the tag says. Containers carry the byte count of their content,
    so that every value is skipped in constant time and the end of each container is known before
    its members are read. All readers take a limit and compare with it before they read; whatever
    does not add up is ERR_CORRUPT, never a read beyond the limit.

Invariants
    1. record_check accepts canonical bytes only: the shortest tag for each number and string, the
       shortest varint, the short size field below 255 bytes, set members strictly ascending. So two
       values are equal exactly when their bytes are.
    2. What record_check accepts (with the check of the keys in key.pyx), decoding accepts.
    3. Recursion ends at level DEPTH_MAX.

Threads
    Kernels on bytes that the caller keeps alive; no state.

Format
    FORMAT.md, section "Items".
"""

from libc.string cimport memcmp, memcpy

from ddbcore.buffer cimport load_u64
from ddbcore.number cimport Number, number_decode, number_size
from ddbcore.record cimport (
    DEPTH_MAX, ITEM_SIZE_MAX, RECORD_DELETE, RECORD_HASH_ASCII,
    RECORD_HEADER_BYTES, RECORD_MOVE, RECORD_PUT, RECORD_RANGE_ASCII, RECORD_SIZE_MAX, Record,
)

cdef enum:
    STRING_LENGTH_SHORT = 0x40            # strings below this length have it in the tag
    CONTAINER_OVERHEAD = 3                # DynamoDB's bytes for a list or map
    ELEMENT_OVERHEAD = 1                  # and for each element in it

cdef uint64_t HIGH_BITS = 0x8080808080808080


cdef uint64_t varint_read_long(
    const uint8_t* data, const uint8_t* limit, int* length,
) noexcept nogil:
    cdef uint64_t value = 0
    cdef int index = 0
    while index < 5 and data + index < limit:
        value |= <uint64_t>(data[index] & 0x7F) << (7 * index)
        if data[index] < 0x80:
            # A last byte of zero says nothing: the same number has a shorter form.
            length[0] = index + 1 if index == 0 or data[index] != 0 else 0
            return value
        index += 1
    length[0] = 0
    return 0


cdef int text_check(const uint8_t* text, size_t size) noexcept nogil:
    cdef size_t index = 0
    cdef int kind = TEXT_ASCII
    cdef uint8_t lead, second
    while index < size:
        if index + 8 <= size and not load_u64(text + index) & HIGH_BITS:
            index += 8
            continue
        lead = text[index]
        if lead < 0x80:
            index += 1
            continue
        kind = TEXT_UTF8
        if index + 1 >= size:
            return TEXT_INVALID
        second = text[index + 1]
        if second & 0xC0 != 0x80:
            return TEXT_INVALID
        if lead < 0xC2:                   # a continuation byte, or an overlong form of ASCII
            return TEXT_INVALID
        if lead < 0xE0:
            index += 2
            continue
        if index + 2 >= size or text[index + 2] & 0xC0 != 0x80:
            return TEXT_INVALID
        if lead < 0xF0:
            if (lead == 0xE0 and second < 0xA0) or (lead == 0xED and second >= 0xA0):
                return TEXT_INVALID       # overlong, or a surrogate
            index += 3
            continue
        if index + 3 >= size or text[index + 3] & 0xC0 != 0x80:
            return TEXT_INVALID
        if lead > 0xF4 or (lead == 0xF0 and second < 0x90) or (lead == 0xF4 and second >= 0x90):
            return TEXT_INVALID           # overlong, or above U+10FFFF
        index += 4
    return kind


cdef int integer_size(int64_t value) noexcept nogil:
    cdef uint64_t rest = <uint64_t>value
    cdef int size = 1
    if value < 0:
        rest = 0 - rest
        size = 2
    if rest == 0:
        return 1
    while rest % 10 == 0:
        rest //= 10
    while rest:
        rest //= 100
        size += 1
    return size


cdef int member_compare(
    const uint8_t* left, size_t left_size, const uint8_t* right, size_t right_size,
) noexcept nogil:
    cdef int order = memcmp(left, right, left_size if left_size < right_size else right_size)
    if order != 0:
        return order
    return (left_size > right_size) - (left_size < right_size)


# Where the bytes of a string or binary start and end. Returns the end, or NULL when damaged.
cdef inline const uint8_t* bytes_read(
    const uint8_t* data, const uint8_t* limit, const uint8_t** content,
) noexcept nogil:
    cdef int length
    cdef uint64_t size
    if data[0] < STRING_LENGTH_SHORT:
        size = data[0]
        data += 1
    else:
        size = varint_read(data + 1, limit, &length)
        if length == 0:
            return NULL
        data += 1 + length
    if <uint64_t>(limit - data) < size:
        return NULL
    content[0] = data
    return data + size


# Bytes of a number, null or boolean at data, tag included; ERR_CORRUPT for other tags.
cdef inline int64_t scalar_skip(const uint8_t* data, const uint8_t* limit) noexcept nogil:
    cdef uint8_t tag = data[0]
    if tag <= TAG_FALSE:
        return 1
    if tag == TAG_INT8:
        return 2
    if tag == TAG_INT16:
        return 3
    if tag == TAG_INT32:
        return 5
    if tag == TAG_INT64:
        return 9
    if tag == TAG_DECIMAL16:
        return 4
    if tag == TAG_DECIMAL32:
        return 6
    if tag == TAG_DECIMAL64:
        return 10
    if tag == TAG_NUMBER and limit - data >= 2:
        return 2 + <int64_t>data[1]
    return ERR_CORRUPT


cdef int64_t value_skip(const uint8_t* data, const uint8_t* limit) noexcept nogil:
    cdef const uint8_t* content
    cdef const uint8_t* end
    cdef int64_t size
    cdef uint8_t tag
    if data >= limit:
        return ERR_CORRUPT
    tag = data[0]
    if tag < STRING_LENGTH_SHORT or (TAG_ASCII <= tag <= TAG_BINARY):
        end = bytes_read(data, limit, &content)
    elif tag < TAG_LIST:
        size = scalar_skip(data, limit)
        return size if size <= limit - data else ERR_CORRUPT
    elif tag <= TAG_BINARY_SET:
        end = content_read(data + 1, limit, &content)
    else:
        return ERR_CORRUPT
    return end - data if end != NULL else ERR_CORRUPT


# Read the name of an attribute: its DynamoDB size to *size, 0 or ERR_CORRUPT. Returns the bytes it
# takes.
cdef inline int64_t name_size(
    const uint8_t* data, const uint8_t* limit, const uint16_t* name_sizes, uint32_t name_count,
    int64_t* size,
) noexcept nogil:
    cdef int length, inline_length
    cdef uint64_t number = varint_read(data, limit, &length)
    if length == 0:
        return ERR_CORRUPT
    if number > 0:
        if number > name_count:
            return ERR_CORRUPT
        size[0] = name_sizes[number - 1]
        return length
    number = varint_read(data + length, limit, &inline_length)
    length += inline_length
    if inline_length == 0 or number > ATTRIBUTE_NAME_MAX:
        return ERR_CORRUPT
    if <uint64_t>(limit - data) < length + number:
        return ERR_CORRUPT
    size[0] = <int64_t>number
    return length + <int64_t>number


cdef int64_t scalar_size(const uint8_t* data, const uint8_t* limit) noexcept nogil:
    cdef Number number
    if data[0] < TAG_NULL:
        return integer_size(data[0] - TAG_SMALL_INT)
    if data[0] <= TAG_FALSE:
        return 1
    if number_decode(data, limit, &number) < 0:
        return ERR_CORRUPT
    return number_size(&number)


# Size of the value at *data, which moves behind it.
cdef int64_t value_measure(
    const uint8_t** data, const uint8_t* limit, const uint16_t* name_sizes, uint32_t name_count,
    int level,
) noexcept nogil:
    cdef const uint8_t* here = data[0]
    cdef const uint8_t* content = here
    cdef const uint8_t* end
    cdef int64_t total, size
    cdef uint64_t count
    cdef int length
    cdef uint8_t tag
    if here >= limit or level > DEPTH_MAX:
        return ERR_CORRUPT
    tag = here[0]
    size = value_skip(here, limit)
    if size < 0:
        return ERR_CORRUPT
    data[0] = here + size
    if tag < STRING_LENGTH_SHORT or (TAG_ASCII <= tag <= TAG_BINARY):
        end = bytes_read(here, limit, &content)
        return end - content
    if tag < TAG_LIST:
        return scalar_size(here, limit)
    end = content_read(here + 1, limit, &content)
    count = varint_read(content, end, &length)
    if length == 0 or count > <uint64_t>(end - content):
        return ERR_CORRUPT
    content += length
    total = 0
    if tag <= TAG_MAP:
        total = CONTAINER_OVERHEAD + <int64_t>count * ELEMENT_OVERHEAD
        level += 1
    while count > 0:
        if tag == TAG_MAP:
            size = 0
            length = <int>name_size(content, end, name_sizes, name_count, &size)
            if length < 0:
                return ERR_CORRUPT
            content += length
            total += size
        size = value_measure(&content, end, name_sizes, name_count, level)
        if size < 0:
            return ERR_CORRUPT
        total += size
        count -= 1
    return total if content == end else ERR_CORRUPT


cdef int64_t value_size(
    const uint8_t* data, const uint8_t* limit, const uint16_t* name_sizes, uint32_t name_count,
) noexcept nogil:
    return value_measure(&data, limit, name_sizes, name_count, 1)


cdef int64_t string_check(const uint8_t* data, const uint8_t* limit) noexcept nogil:
    cdef const uint8_t* content = NULL
    cdef const uint8_t* end = bytes_read(data, limit, &content)
    cdef size_t size
    cdef int kind
    if end == NULL:
        return ERR_CORRUPT
    size = end - content
    if data[0] == TAG_BINARY:
        return end - data
    kind = text_check(content, size)
    if data[0] == TAG_UTF8:
        return end - data if kind == TEXT_UTF8 else ERR_CORRUPT
    if kind != TEXT_ASCII or (data[0] == TAG_ASCII and size < STRING_LENGTH_SHORT):
        return ERR_CORRUPT
    return end - data


# The set that a value with this tag may be a member of, or 0.
cdef inline uint8_t member_set(uint8_t tag) noexcept nogil:
    if tag < STRING_LENGTH_SHORT or tag == TAG_ASCII or tag == TAG_UTF8:
        return TAG_STRING_SET
    if tag < TAG_NULL or (TAG_INT8 <= tag <= TAG_NUMBER):
        return TAG_NUMBER_SET
    return TAG_BINARY_SET if tag == TAG_BINARY else 0


cdef int set_check(
    const uint8_t* data, const uint8_t* end, uint64_t count, uint8_t tag,
) noexcept nogil:
    cdef const uint8_t* before = NULL
    cdef int64_t size, before_size = 0
    if count == 0:
        return ERR_CORRUPT
    while count > 0:
        if data >= end or member_set(data[0]) != tag:
            return ERR_CORRUPT
        size = value_check(data, end, 0, DEPTH_MAX)
        if size < 0 or (before != NULL and member_compare(before, before_size, data, size) >= 0):
            return ERR_CORRUPT
        before = data
        before_size = size
        data += size
        count -= 1
    return 0 if data == end else ERR_CORRUPT


# Bytes of the name at data when it is sound, or ERR_CORRUPT.
cdef int64_t name_check(
    const uint8_t* data, const uint8_t* limit, uint32_t name_count,
) noexcept nogil:
    cdef int length, inline_length
    cdef uint64_t number = varint_read(data, limit, &length)
    if length == 0:
        return ERR_CORRUPT
    if number > 0:
        return length if number <= name_count else ERR_CORRUPT
    number = varint_read(data + length, limit, &inline_length)
    length += inline_length
    if inline_length == 0 or number == 0 or number > ATTRIBUTE_NAME_MAX:
        return ERR_CORRUPT
    if <uint64_t>(limit - data) < length + number:
        return ERR_CORRUPT
    if text_check(data + length, number) == TEXT_INVALID:
        return ERR_CORRUPT
    return length + <int64_t>number


# `count` values, each behind a name when `named`, must fill data..end.
cdef int elements_check(
    const uint8_t* data, const uint8_t* end, uint64_t count, bint named, uint32_t name_count,
    int level,
) noexcept nogil:
    cdef int64_t size
    if count > <uint64_t>(end - data):
        return ERR_CORRUPT
    while count > 0:
        if named:
            size = name_check(data, end, name_count)
            if size < 0:
                return ERR_CORRUPT
            data += size
        size = value_check(data, end, name_count, level)
        if size < 0:
            return ERR_CORRUPT
        data += size
        count -= 1
    return 0 if data == end else ERR_CORRUPT


cdef int64_t value_check(
    const uint8_t* data, const uint8_t* limit, uint32_t name_count, int level,
) noexcept nogil:
    cdef const uint8_t* content
    cdef const uint8_t* end
    cdef Number number
    cdef uint64_t count
    cdef int length, status
    cdef uint8_t tag
    if data >= limit or level > DEPTH_MAX:
        return ERR_CORRUPT
    tag = data[0]
    if tag < STRING_LENGTH_SHORT or (TAG_ASCII <= tag <= TAG_BINARY):
        return string_check(data, limit)
    if tag <= TAG_FALSE:
        return 1
    if tag <= TAG_NUMBER:
        return number_decode(data, limit, &number)
    if tag > TAG_BINARY_SET:
        return ERR_CORRUPT
    end = content_read(data + 1, limit, &content)
    if end == NULL:
        return ERR_CORRUPT
    count = varint_read(content, end, &length)
    if length == 0:
        return ERR_CORRUPT
    content += length
    if tag <= TAG_MAP:
        status = elements_check(content, end, count, tag == TAG_MAP, name_count, level + 1)
    else:
        status = set_check(content, end, count, tag)
    return end - data if status == 0 else ERR_CORRUPT


cdef int record_check(const uint8_t* record, size_t size, uint32_t name_count) noexcept nogil:
    cdef const uint8_t* data = record + RECORD_HEADER_BYTES
    cdef const uint8_t* end
    cdef Record header
    cdef uint64_t count
    cdef int length
    if size < RECORD_HEADER_BYTES:
        return ERR_CORRUPT
    memcpy(&header, record, sizeof(Record))
    if header.size_bytes > size or header.size_bytes > RECORD_SIZE_MAX:
        return ERR_CORRUPT
    # How long keys may be depends on the table, see check_keys: those of index entries are wide.
    if header.hash_size == 0:
        return ERR_CORRUPT
    # The keys are of 16 bits each, so the sum does not overflow.
    if header.size_bytes < <uint32_t>RECORD_HEADER_BYTES + header.hash_size + header.range_size:
        return ERR_CORRUPT
    if header.flags & ~(RECORD_HASH_ASCII | RECORD_RANGE_ASCII):
        return ERR_CORRUPT
    if header.flags & RECORD_HASH_ASCII and text_check(data, header.hash_size) != TEXT_ASCII:
        return ERR_CORRUPT
    data += header.hash_size
    if header.flags & RECORD_RANGE_ASCII:
        if header.range_size == 0 or text_check(data, header.range_size) != TEXT_ASCII:
            return ERR_CORRUPT
    data += header.range_size
    end = record + header.size_bytes
    if header.kind == RECORD_DELETE:
        return 0 if data == end else ERR_CORRUPT
    if header.kind != RECORD_PUT and header.kind != RECORD_MOVE:
        return ERR_CORRUPT
    if header.item_size > ITEM_SIZE_MAX:
        return ERR_CORRUPT
    count = varint_read(data, end, &length)
    if length == 0:
        return ERR_CORRUPT
    return elements_check(data + length, end, count, True, name_count, 1)
