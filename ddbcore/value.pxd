"""Encoded values: skip, measure and check them as bytes. FORMAT.md, section "Items"; no Python
objects, no GIL."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.buffer cimport load_u32
from ddbcore.status cimport ERR_CORRUPT

cdef enum ValueTag:
    TAG_SMALL_INT = 0x40
    TAG_NULL = 0x80
    TAG_TRUE = 0x81
    TAG_FALSE = 0x82
    TAG_ASCII = 0x83
    TAG_UTF8 = 0x84
    TAG_BINARY = 0x85
    TAG_INT8 = 0x86
    TAG_INT16 = 0x87
    TAG_INT32 = 0x88
    TAG_INT64 = 0x89
    TAG_DECIMAL16 = 0x8A
    TAG_DECIMAL32 = 0x8B
    TAG_DECIMAL64 = 0x8C
    TAG_NUMBER = 0x8D
    TAG_LIST = 0x8E
    TAG_MAP = 0x8F
    TAG_STRING_SET = 0x90
    TAG_NUMBER_SET = 0x91
    TAG_BINARY_SET = 0x92

cdef enum:
    ATTRIBUTE_NAME_MAX = 65535            # bytes
    CONTAINER_HEAD_MAX = 11               # tag, size field, count
    TEXT_INVALID = -1                     # of text_check
    TEXT_ASCII = 0
    TEXT_UTF8 = 1


# Length in bytes of the encoded value at `data` (tag included), or ERR_CORRUPT when it does not end
# before `limit`. O(1).
cdef int64_t value_skip(const uint8_t* data, const uint8_t* limit) noexcept nogil
# DynamoDB size in bytes of an encoded value, or ERR_CORRUPT. name_sizes[id] is the UTF-8 length of
# an interned name.
cdef int64_t value_size(
    const uint8_t* data, const uint8_t* limit, const uint16_t* name_sizes, uint32_t name_count,
) noexcept nogil
# Length in bytes of the encoded value at `data` when it is sound in every detail, or ERR_CORRUPT.
# `level` is its nesting level, 1 on top.
cdef int64_t value_check(
    const uint8_t* data, const uint8_t* limit, uint32_t name_count, int level,
) noexcept nogil
# Check everything in a put, move or delete record except what needs the key schema: types and
# sizes of the keys. 0 or ERR_CORRUPT.
cdef int record_check(const uint8_t* record, size_t size, uint32_t name_count) noexcept nogil
# TEXT_ASCII, TEXT_UTF8 (valid, not only ASCII) or TEXT_INVALID. The same judgement as Python's
# strict decoder.
cdef int text_check(const uint8_t* text, size_t size) noexcept nogil
# DynamoDB size of an integer: 1, a byte for each two digits left after trailing zeros, 1 for a
# sign.
cdef int integer_size(int64_t value) noexcept nogil
# Order of two encoded values as set members: memcmp, the shorter first on ties.
cdef int member_compare(
    const uint8_t* left, size_t left_size, const uint8_t* right, size_t right_size,
) noexcept nogil
cdef uint64_t varint_read_long(
    const uint8_t* data, const uint8_t* limit, int* length,
) noexcept nogil


# Bytes of the varint at data written to *length; its value is returned; *length is 0 when damaged.
cdef inline uint64_t varint_read(
    const uint8_t* data, const uint8_t* limit, int* length,
) noexcept nogil:
    if data < limit and data[0] < 0x80:
        length[0] = 1
        return data[0]
    return varint_read_long(data, limit, length)


# Write a varint; returns its length (1..5).
cdef inline int varint_write(uint8_t* target, uint64_t value) noexcept nogil:
    cdef int length = 0
    while value >= 0x80:
        target[length] = <uint8_t>(value | 0x80)
        value >>= 7
        length += 1
    target[length] = <uint8_t>value
    return length + 1


# Read the size field at `data`: *content is where the content starts. Returns its end, or NULL when
# damaged.
cdef inline const uint8_t* content_read(
    const uint8_t* data, const uint8_t* limit, const uint8_t** content,
) noexcept nogil:
    cdef uint64_t size
    if limit - data < 1:
        return NULL
    size = data[0]
    data += 1
    if size == 0xFF:
        if limit - data < 4:
            return NULL
        size = load_u32(data)
        data += 4
        if size < 0xFF:
            return NULL
    if <uint64_t>(limit - data) < size:
        return NULL
    content[0] = data
    return data + size
