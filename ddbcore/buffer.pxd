"""A growable byte buffer owned by one caller at a time, and unaligned loads and stores."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy


cdef struct Buffer:
    uint8_t* data         # owned: malloc'ed, or NULL while capacity is 0
    size_t size           # bytes in use
    size_t capacity       # bytes allocated


# Make room for `extra` more bytes. 0, or -1 when memory is out (no exception set).
cdef inline int buffer_reserve(Buffer* buffer, size_t extra) noexcept nogil:
    cdef size_t wanted = buffer.size + extra
    cdef size_t capacity
    cdef uint8_t* data
    if wanted <= buffer.capacity:
        return 0
    capacity = buffer.capacity * 2
    if capacity < wanted:
        capacity = wanted
    if capacity < 512:
        capacity = 512
    # Whole words: a record is padded with zeros where it lies.
    capacity = (capacity + 7) & ~<size_t>7
    data = <uint8_t*>realloc(buffer.data, capacity)
    if data == NULL:
        return -1
    buffer.data = data
    buffer.capacity = capacity
    return 0


cdef inline void buffer_free(Buffer* buffer) noexcept nogil:
    free(buffer.data)
    buffer.data = NULL
    buffer.size = 0
    buffer.capacity = 0


cdef inline uint16_t load_u16(const uint8_t* source) noexcept nogil:
    cdef uint16_t value
    memcpy(&value, source, 2)
    return value


cdef inline uint32_t load_u32(const uint8_t* source) noexcept nogil:
    cdef uint32_t value
    memcpy(&value, source, 4)
    return value


cdef inline uint64_t load_u64(const uint8_t* source) noexcept nogil:
    cdef uint64_t value
    memcpy(&value, source, 8)
    return value


cdef inline void store_u16(uint8_t* target, uint16_t value) noexcept nogil:
    memcpy(target, &value, 2)


cdef inline void store_u32(uint8_t* target, uint32_t value) noexcept nogil:
    memcpy(target, &value, 4)


cdef inline void store_u64(uint8_t* target, uint64_t value) noexcept nogil:
    memcpy(target, &value, 8)
