"""Python values to JSON text, in one pass and without blanks.

Theory of operation
    A recursive walk that appends to one buffer. Of a string only what JSON demands is escaped:
    quotes, backslashes and control characters; longer characters stand there in UTF-8. Bytes become
    base64, as the service's JSON has them. Numbers of type Decimal are written as they print.

Invariants
    1. Only values of other types than the exact built-in ones run Python code; those are copied
       first. The code may change what is around them all the same, so a list's size is looked at
       again for each element, and what is walked over is held.

Threads
    With the GIL; the kernels without.
"""

from libc.stdint cimport uint64_t
from libc.string cimport memcpy, memset

from decimal import Decimal

from ddbcore.buffer cimport buffer_free, buffer_reserve
from ddbcore.json_text cimport JSON_DEPTH_MAX, base64_write, plain_skip
from ddbcore.pyapi cimport *

cdef extern from *:
    """
    static const char json_digits[] = "0123456789abcdef";
    /* The letter behind the backslash, or 0 for one that is written as \\u00XX. */
    static char json_short_escape(unsigned char letter) {
        switch (letter) {
            case '"': return '"';
            case '\\\\': return '\\\\';
            case '\\n': return 'n';
            case '\\r': return 'r';
            case '\\t': return 't';
            case '\\b': return 'b';
            case '\\f': return 'f';
        }
        return 0;
    }
    """
    const char* hex_digits "json_digits"
    char short_escape "json_short_escape"(uint8_t letter) noexcept nogil


# -- kernels ---------------------------------------------------------------------------------------


# Append the escape of a byte; there is room for six.
cdef void escape_write(Buffer* out, uint8_t letter) noexcept nogil:
    cdef uint8_t* target = out.data + out.size
    cdef char short = short_escape(letter)
    target[0] = 0x5C
    if short != 0:
        target[1] = short
        out.size += 2
        return
    target[1] = 0x75
    target[2] = 0x30
    target[3] = 0x30
    target[4] = hex_digits[letter >> 4]
    target[5] = hex_digits[letter & 15]
    out.size += 6


cdef int json_escaped_write(Buffer* out, const uint8_t* text, Py_ssize_t size) noexcept nogil:
    cdef const uint8_t* end = text + size
    cdef const uint8_t* here
    if buffer_reserve(out, size + 2) != 0:
        return -1
    out.data[out.size] = 0x22
    out.size += 1
    while True:
        here = plain_skip(text, end)
        while here < end and here[0] >= 0x80:
            here = plain_skip(here + 1, end)
        # Room for this run, an escape and the closing quote, whatever was escaped so far.
        if buffer_reserve(out, here - text + 7) != 0:
            return -1
        memcpy(out.data + out.size, text, here - text)
        out.size += here - text
        if here >= end:
            break
        escape_write(out, here[0])
        text = here + 1
    out.data[out.size] = 0x22
    out.size += 1
    return 0


cdef int json_blob_write(Buffer* out, const uint8_t* data, Py_ssize_t size) noexcept nogil:
    if buffer_reserve(out, (size + 2) // 3 * 4 + 2) != 0:
        return -1
    out.data[out.size] = 0x22
    out.size += 1
    out.size += base64_write(data, size, out.data + out.size)
    out.data[out.size] = 0x22
    out.size += 1
    return 0


cdef int json_whole_write(Buffer* out, int64_t value) noexcept nogil:
    cdef char digits[20]
    cdef int start = 20
    cdef uint64_t rest = <uint64_t>value if value >= 0 else <uint64_t>0 - <uint64_t>value
    while True:
        start -= 1
        digits[start] = <char>(0x30 + rest % 10)
        rest //= 10
        if rest == 0:
            break
    if value < 0 and json_raw_write(out, "-", 1) != 0:
        return -1
    return json_raw_write(out, digits + start, 20 - start)


cdef inline int byte_write(Buffer* out, uint8_t letter) noexcept nogil:
    if buffer_reserve(out, 1) != 0:
        return -1
    out.data[out.size] = letter
    out.size += 1
    return 0


# -- values ----------------------------------------------------------------------------------------


cdef inline int checked(int status) except -1:
    if status != 0:
        raise MemoryError()
    return 0


cdef int json_text_append(Buffer* out, PyObject* text) except -1:
    cdef const char* bytes_of_text
    cdef Py_ssize_t size = 0
    if hr_text_ascii(text):
        return checked(json_utf8_write(out, hr_text_data(text), PyUnicode_GET_LENGTH(text)))
    bytes_of_text = PyUnicode_AsUTF8AndSize(text, &size)
    if bytes_of_text == NULL:
        return error_raise()
    return checked(json_utf8_write(out, <const uint8_t*>bytes_of_text, size))


cdef int whole_append(Buffer* out, PyObject* value) except -1:
    cdef int overflow = 0
    cdef int64_t whole = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow == 0:
        return checked(json_whole_write(out, whole))
    return plain_append(out, str(<object>value))


cdef int plain_append(Buffer* out, str text) except -1:
    return checked(json_raw_write(
        out, <const char*>hr_text_data(<PyObject*>text), PyUnicode_GET_LENGTH(<PyObject*>text)))


cdef int object_append(Buffer* out, PyObject* value, int level) except -1:
    cdef Py_ssize_t pos = 0
    cdef PyObject* name
    cdef PyObject* member
    cdef bint first = True
    cdef object held = <object>value
    checked(byte_write(out, 0x7B))
    while PyDict_Next(<PyObject*>held, &pos, &name, &member):
        if not first:
            checked(byte_write(out, 0x2C))
        first = False
        if not hr_is_exact_text(name):
            raise TypeError("the names of members are str")
        json_text_append(out, name)
        checked(byte_write(out, 0x3A))
        json_append(out, member, level + 1)
    return checked(byte_write(out, 0x7D))


cdef int array_append(Buffer* out, PyObject* value, int level) except -1:
    cdef Py_ssize_t index = 0
    cdef object held = <object>value
    checked(byte_write(out, 0x5B))
    while index < PyList_GET_SIZE(<PyObject*>held):
        if index > 0:
            checked(byte_write(out, 0x2C))
        json_append(out, PyList_GET_ITEM(<PyObject*>held, index), level + 1)
        index += 1
    return checked(byte_write(out, 0x5D))


# Values of the rarer types.
cdef int other_append(Buffer* out, object given, int level) except -1:
    cdef JsonItems items
    cdef object value = given             # held: what it is an element of may drop it
    if isinstance(value, JsonItems):
        items = <JsonItems>value
        checked(byte_write(out, 0x5B))
        if items.text.size > 0:
            checked(json_raw_write(out, <const char*>items.text.data, items.text.size))
        return checked(byte_write(out, 0x5D))
    if isinstance(value, float):
        if not -1e308 < value < 1e308:
            raise ValueError("JSON has no infinite numbers")
        return plain_append(out, repr(value))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("JSON has no infinite numbers")
        return plain_append(out, str(value))
    if isinstance(value, (list, tuple)):
        value = list(value)
        return array_append(out, <PyObject*>value, level)
    if isinstance(value, dict):
        value = dict(value)
        return object_append(out, <PyObject*>value, level)
    if isinstance(value, (bytearray, memoryview)):
        value = bytes(value)
        return json_append(out, <PyObject*>value, level)
    raise TypeError(f"{type(value).__name__} is no JSON value")


cdef int json_append(Buffer* out, PyObject* value, int level) except -1:
    cdef PyTypeObject* kind = Py_TYPE(value)
    if kind == &PyUnicode_Type:
        return json_text_append(out, value)
    if level >= JSON_DEPTH_MAX:
        raise ValueError("a JSON value is nested too deep")
    if kind == &PyDict_Type:
        return object_append(out, value, level)
    if kind == &PyList_Type:
        return array_append(out, value, level)
    if kind == &PyBytes_Type:
        return checked(json_blob_write(
            out, <const uint8_t*>PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)))
    if value == Py_True:
        return checked(json_raw_write(out, "true", 4))
    if value == Py_False:
        return checked(json_raw_write(out, "false", 5))
    if value == Py_None:
        return checked(json_raw_write(out, "null", 4))
    if kind == &PyLong_Type:
        return whole_append(out, value)
    return other_append(out, <object>value, level)


cdef class JsonItems:

    def __cinit__(self):
        memset(&self.text, 0, sizeof(Buffer))
        self.count = 0

    def __dealloc__(self):
        buffer_free(&self.text)


def json_write(value):
    """Return the JSON text of a value, in UTF-8.

    Dicts, lists, tuples, str, int, float, Decimal, bool, None, and bytes as base64. Raises
    TypeError for other types, ValueError for what is nested more than 256 deep or infinite.
    """
    cdef Buffer out
    memset(&out, 0, sizeof(Buffer))
    try:
        json_append(&out, <PyObject*>value, 0)
        return bytes_of(&out)
    finally:
        buffer_free(&out)


cdef object bytes_of(const Buffer* out):
    return (<const char*>out.data)[:out.size]
