"""Python values to JSON text: the bodies of responses.

All functions append to `out`, which may have grown when they raise.
"""

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy

from ddbcore.buffer cimport Buffer, buffer_reserve
from ddbcore.json_text cimport plain_skip
from ddbcore.pyapi cimport PyObject


cdef class JsonItems:
    """An array of items that is text already; in a value to be written it stands for a list."""

    cdef Buffer text                      # the items, with commas between them
    cdef readonly Py_ssize_t count


# Append a value: dict, list, tuple, str, bytes (as base64), int, float, bool, None, Decimal.
# Raises TypeError for others, ValueError for a tree deeper than JSON_DEPTH_MAX or infinite numbers.
cdef int json_append(Buffer* out, PyObject* value, int level) except -1
# Append a str as a JSON string.
cdef int json_text_append(Buffer* out, PyObject* text) except -1
# The functions below return 0, or -1 when memory is out.
# Append bytes as a string of base64.
cdef int json_blob_write(Buffer* out, const uint8_t* data, Py_ssize_t size) noexcept nogil
# Append a whole number.
cdef int json_whole_write(Buffer* out, int64_t value) noexcept nogil
# Append a string of UTF-8 in which something may have to be escaped, quoted.
cdef int json_escaped_write(Buffer* out, const uint8_t* text, Py_ssize_t size) noexcept nogil


# Append bytes as they stand.
cdef inline int json_raw_write(Buffer* out, const char* text, Py_ssize_t size) noexcept nogil:
    if buffer_reserve(out, size) != 0:
        return -1
    memcpy(out.data + out.size, text, size)
    out.size += size
    return 0


# Append a string of UTF-8, quoted.
cdef inline int json_utf8_write(
    Buffer* out, const uint8_t* text, Py_ssize_t size,
) noexcept nogil:
    cdef uint8_t* target
    if plain_skip(text, text + size) != text + size:
        return json_escaped_write(out, text, size)
    if buffer_reserve(out, size + 2) != 0:
        return -1
    target = out.data + out.size
    target[0] = 0x22
    memcpy(target + 1, text, size)
    target[size + 1] = 0x22
    out.size += size + 2
    return 0
