"""JSON text to Python values, in one pass.

Theory of operation
    A recursive walk over the bytes. A string without escapes is copied as it stands; names of
    members are looked up among those seen before, so that a request's dicts share their keys, which
    have their hashes already. Whole numbers are int, others float: the service's JSON has its
    exact numbers in strings. Of two members with the same name the last one counts.

    A string in a member called B, and those in a list called BS, are binaries: base64 becomes bytes
    here. What is no base64 stays text, for the engine to refuse in its words. The members of
    ExpressionAttributeNames are names, whatever they are called; but where it is the name of an
    attribute of somebody's item, it is no more than that.

Invariants
    1. Every read is behind a comparison with the end.
    2. Recursion ends at JSON_DEPTH_MAX, and what is allocated is bounded by the size of the text.
    3. No str has a lone surrogate: text that is not UTF-8, and escapes that are not UTF-16, are
       refused.

Threads
    With the GIL. Allocations may start the garbage collector, and with it any Python code, even a
    read with the same JsonReader: a remembered name is held before anything else is allocated.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from ddbcore.json_text cimport JSON_DEPTH_MAX, base64_read, plain_skip
from ddbcore.pyapi cimport *

from ddbcore.errors import SerializationError

cdef extern from "Python.h":
    PyObject* PyErr_NoMemory() noexcept
    int _PyBytes_Resize(PyObject** value, Py_ssize_t size) noexcept
    int PyList_Append(PyObject* target, PyObject* element) noexcept
    int PyList_SetItem(PyObject* target, Py_ssize_t index, PyObject* element) noexcept
    PyObject* PyLong_FromString(const char* text, char** end, int base) noexcept
    PyObject* PyFloat_FromDouble(double value) noexcept
    double PyOS_string_to_double(const char* text, char** end, PyObject* overflow) except? -1.0

cdef extern from *:
    """
    #define JSON_MIX 0x9E3779B97F4A7C15ULL
    """
    const uint64_t MIX "JSON_MIX"         # odd, and its bits are well spread

cdef enum:
    QUOTE = 0x22
    BACKSLASH = 0x5C
    # Where requests have ExpressionAttributeNames: of a whole one, of a table in RequestItems, of
    # an action in TransactItems. The attributes of items are one level deeper or more, but those
    # in a member M.
    LEVEL_REQUEST = 1
    LEVEL_TABLE = 3
    LEVEL_ACTION = 4


# -- errors and blanks -----------------------------------------------------------------------------


cdef PyObject* fail(Reader* reader, const char* fault) noexcept:
    reader.fault = fault
    return NULL


cdef inline void blanks_skip(Reader* reader) noexcept:
    cdef uint8_t letter
    while reader.here < reader.end:
        letter = reader.here[0]
        if letter != 0x20 and letter != 0x0A and letter != 0x0D and letter != 0x09:
            return
        reader.here += 1


# The next byte that is no blank, not taken; 0 at the end.
cdef inline uint8_t next_byte(Reader* reader) noexcept:
    if reader.here < reader.end and reader.here[0] <= 0x20:
        blanks_skip(reader)
    return reader.here[0] if reader.here < reader.end else 0


# -- strings ---------------------------------------------------------------------------------------


cdef PyObject* ascii_make(const uint8_t* text, Py_ssize_t size) noexcept:
    cdef PyObject* made = PyUnicode_New(size, 127)
    if made != NULL:
        memcpy(hr_text_data(made), text, size)
    return made


# Text of UTF-8 that may be anything.
cdef PyObject* utf8_make(Reader* reader, const uint8_t* text, Py_ssize_t size) noexcept:
    cdef PyObject* made = PyUnicode_DecodeUTF8(<const char*>text, size, NULL)
    if made == NULL and PyErr_ExceptionMatches(PyExc_UnicodeDecodeError):
        PyErr_Clear()
        return fail(reader, "text that is not UTF-8")
    return made


# Four hexadecimal digits, or -1.
cdef int hex_read(const uint8_t* text) noexcept nogil:
    cdef int value = 0
    cdef int index
    cdef uint8_t letter
    for index in range(4):
        letter = text[index]
        if 0x30 <= letter <= 0x39:
            letter -= 0x30
        elif 0x41 <= letter <= 0x46:
            letter -= 0x41 - 10
        elif 0x61 <= letter <= 0x66:
            letter -= 0x61 - 10
        else:
            return -1
        value = value << 4 | letter
    return value


cdef int utf8_write(uint32_t code, uint8_t* target) noexcept nogil:
    if code < 0x80:
        target[0] = <uint8_t>code
        return 1
    if code < 0x800:
        target[0] = <uint8_t>(0xC0 | code >> 6)
        target[1] = <uint8_t>(0x80 | (code & 63))
        return 2
    if code < 0x10000:
        target[0] = <uint8_t>(0xE0 | code >> 12)
        target[1] = <uint8_t>(0x80 | (code >> 6 & 63))
        target[2] = <uint8_t>(0x80 | (code & 63))
        return 3
    target[0] = <uint8_t>(0xF0 | code >> 18)
    target[1] = <uint8_t>(0x80 | (code >> 12 & 63))
    target[2] = <uint8_t>(0x80 | (code >> 6 & 63))
    target[3] = <uint8_t>(0x80 | (code & 63))
    return 4


# The code point of a \u escape whose digits stand at *text, which moves behind it (and behind the
# second half of a pair); -1 when there is none.
cdef int64_t escape_read(const uint8_t** text, const uint8_t* end) noexcept nogil:
    cdef const uint8_t* here = text[0]
    cdef int code, low
    if end - here < 4:
        return -1
    code = hex_read(here)
    here += 4
    if 0xD800 <= code < 0xDC00:
        if end - here < 6 or here[0] != BACKSLASH or here[1] != 0x75:
            return -1
        low = hex_read(here + 2)
        if not 0xDC00 <= low < 0xE000:
            return -1
        here += 6
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
    elif 0xDC00 <= code < 0xE000:
        return -1
    text[0] = here
    return code


# What follows a backslash, but u, stands for; 0 for nothing.
cdef inline uint8_t escaped_byte(uint8_t letter) noexcept nogil:
    if letter == QUOTE or letter == BACKSLASH or letter == 0x2F:
        return letter
    if letter == 0x6E:
        return 0x0A
    if letter == 0x74:
        return 0x09
    if letter == 0x72:
        return 0x0D
    if letter == 0x62:
        return 0x08
    return 0x0C if letter == 0x66 else 0


# Undo the escapes of a string; the bytes written, at most as many as read, or -1.
cdef Py_ssize_t escapes_undo(
    const uint8_t* text, const uint8_t* end, uint8_t* target,
) noexcept nogil:
    cdef uint8_t* out = target
    cdef int64_t code
    while text < end:
        if text[0] != BACKSLASH:
            out[0] = text[0]
            out += 1
            text += 1
            continue
        if text[1] != 0x75:
            out[0] = escaped_byte(text[1])
            if out[0] == 0:
                return -1
            out += 1
            text += 2
            continue
        text += 2
        code = escape_read(&text, end)
        if code < 0:
            return -1
        out += utf8_write(<uint32_t>code, out)
    return out - target


# A string with escapes or longer characters: its text from `start`, looked at as far as `here`.
cdef PyObject* long_string_read(
    Reader* reader, const uint8_t* start, const uint8_t* here,
) noexcept:
    cdef const uint8_t* end = reader.end
    cdef uint8_t* plain
    cdef PyObject* made
    cdef Py_ssize_t size
    cdef bint escaped = False
    while here < end and here[0] != QUOTE:
        if here[0] < 0x20:
            return fail(reader, "a control character in a string")
        if here[0] == BACKSLASH:
            escaped = True
            here += 1
            if here == end:
                break
            here += 1
        elif here[0] >= 0x80:
            here += 1
        else:
            here = plain_skip(here, end)
    if here >= end:
        return fail(reader, "a string without an end")
    reader.here = here + 1
    if not escaped:
        return utf8_make(reader, start, here - start)
    plain = <uint8_t*>malloc(here - start)
    if plain == NULL:
        PyErr_NoMemory()
        return NULL
    size = escapes_undo(start, here, plain)
    made = utf8_make(reader, plain, size) if size >= 0 else fail(reader, "an escape")
    free(plain)
    return made


# The string behind an opening quote.
cdef inline PyObject* string_read(Reader* reader) noexcept:
    cdef const uint8_t* start = reader.here
    cdef const uint8_t* here = plain_skip(start, reader.end)
    if here < reader.end and here[0] == QUOTE:
        reader.here = here + 1
        return ascii_make(start, here - start)
    return long_string_read(reader, start, here)


# Where a name of up to NAME_BYTES_MAX bytes is remembered: the first of NAME_WAYS slots.
cdef inline PyObject** name_slots(PyObject** names, const uint8_t* text, Py_ssize_t size) noexcept:
    cdef uint64_t mix = size
    cdef Py_ssize_t index
    for index in range(size):
        mix = (mix ^ text[index]) * MIX
    return &names[(mix >> 40) & (NAME_SLOTS - NAME_WAYS)]


cdef inline bint name_is(PyObject* known, const uint8_t* text, Py_ssize_t size) noexcept:
    return (known != NULL and PyUnicode_GET_LENGTH(known) == size
            and memcmp(hr_text_data(known), text, size) == 0)


cdef PyObject* json_name_known(
    JsonReader reader, const uint8_t* text, Py_ssize_t size,
) noexcept:
    cdef PyObject** slots
    cdef int way
    if size > NAME_BYTES_MAX:
        return NULL
    slots = name_slots(reader.names, text, size)
    for way in range(NAME_WAYS):
        if name_is(slots[way], text, size):
            return slots[way]
    return NULL


# The name behind an opening quote: one that was seen before when it can be found.
cdef PyObject* name_read(Reader* reader) noexcept:
    cdef const uint8_t* start = reader.here
    cdef const uint8_t* here = plain_skip(start, reader.end)
    cdef Py_ssize_t size = here - start
    cdef PyObject** slots
    cdef PyObject* known
    cdef int way
    if here == reader.end or here[0] != QUOTE or size > NAME_BYTES_MAX:
        return string_read(reader)
    reader.here = here + 1
    slots = name_slots(reader.names, start, size)
    for way in range(NAME_WAYS):
        known = slots[way]
        if name_is(known, start, size):
            Py_INCREF(known)
            return known
    known = ascii_make(start, size)
    if known != NULL:
        hr_text_hash(known)
        Py_INCREF(known)
        # The oldest of its slots goes.
        Py_XDECREF(slots[NAME_WAYS - 1])
        for way in range(NAME_WAYS - 1, 0, -1):
            slots[way] = slots[way - 1]
        slots[0] = known
    return known


# -- binaries --------------------------------------------------------------------------------------


# The bytes that a str holds as base64, or NULL when it does not, or with an exception set. Takes
# over the reference when it returns bytes.
cdef PyObject* blob_make(PyObject* text) noexcept:
    cdef PyObject* made
    cdef Py_ssize_t size, filled
    if not hr_is_exact_text(text) or not hr_text_ascii(text):
        return NULL
    size = PyUnicode_GET_LENGTH(text)
    made = PyBytes_FromStringAndSize(NULL, size // 4 * 3)
    if made == NULL:
        return NULL
    filled = base64_read(hr_text_data(text), size, <uint8_t*>PyBytes_AS_STRING(made))
    if filled < 0:
        Py_DECREF(made)
        return NULL
    if filled != size // 4 * 3:
        if _PyBytes_Resize(&made, filled) < 0:
            return NULL
    Py_DECREF(text)
    return made


# Replace the texts of a list by the bytes they stand for. 0, or -1 with an exception set.
cdef int blobs_make(PyObject* texts) noexcept:
    cdef Py_ssize_t index
    cdef PyObject* text
    cdef PyObject* made
    for index in range(PyList_GET_SIZE(texts)):
        text = PyList_GET_ITEM(texts, index)
        Py_INCREF(text)
        made = blob_make(text)
        if made == NULL:
            Py_DECREF(text)
            if PyErr_Occurred() != NULL:
                return -1
        elif PyList_SetItem(texts, index, made) < 0:
            return -1
    return 0


# -- numbers ---------------------------------------------------------------------------------------


cdef inline const uint8_t* digits_skip(const uint8_t* here, const uint8_t* end) noexcept nogil:
    while here < end and 0x30 <= here[0] <= 0x39:
        here += 1
    return here


cdef PyObject* whole_make(const uint8_t* text, Py_ssize_t size) noexcept:
    cdef char copy[WHOLE_DIGITS_MAX + 2]
    cdef int64_t value = 0
    cdef Py_ssize_t index
    cdef bint negative = text[0] == 0x2D
    if size - negative <= 18:
        for index in range(negative, size):
            value = value * 10 + (text[index] - 0x30)
        return PyLong_FromLongLong(-value if negative else value)
    memcpy(copy, text, size)
    copy[size] = 0
    return PyLong_FromString(copy, NULL, 10)


cdef PyObject* float_make(const uint8_t* text, Py_ssize_t size) noexcept:
    cdef char copy[NUMBER_BYTES_MAX + 1]
    memcpy(copy, text, size)
    copy[size] = 0
    try:
        # What is too large becomes infinite, as the service's own parser has it.
        return PyFloat_FromDouble(PyOS_string_to_double(copy, NULL, NULL))
    except MemoryError:
        PyErr_NoMemory()
        return NULL


cdef PyObject* number_read(Reader* reader) noexcept:
    cdef const uint8_t* start = reader.here
    cdef const uint8_t* here = start
    cdef const uint8_t* end = reader.end
    cdef const uint8_t* digits
    cdef bint whole = True
    if here[0] == 0x2D:
        here += 1
    digits = here
    here = digits_skip(here, end)
    if here == digits or (digits[0] == 0x30 and here - digits > 1):
        return fail(reader, "a number")
    if here < end and here[0] == 0x2E:
        whole = False
        digits = here + 1
        here = digits_skip(digits, end)
        if here == digits:
            return fail(reader, "a number")
    if here < end and (here[0] | 0x20) == 0x65:
        whole = False
        here += 1
        if here < end and (here[0] == 0x2B or here[0] == 0x2D):
            here += 1
        digits = here
        here = digits_skip(here, end)
        if here == digits:
            return fail(reader, "a number")
    if here - start > NUMBER_BYTES_MAX:
        return fail(reader, "a number that is too long")
    reader.here = here
    if whole and here - start <= WHOLE_DIGITS_MAX:
        return whole_make(start, here - start)
    return float_make(start, here - start)


# -- arrays and objects ----------------------------------------------------------------------------


cdef PyObject* array_read(Reader* reader, int level) noexcept:
    cdef PyObject* made
    cdef PyObject* value
    cdef uint8_t letter
    cdef int status
    if level >= JSON_DEPTH_MAX:
        return fail(reader, "nesting that is too deep")
    made = PyList_New(0)
    if made == NULL:
        return NULL
    if next_byte(reader) == 0x5D:
        reader.here += 1
        return made
    while True:
        value = value_read(reader, level + 1)
        if value == NULL:
            break
        status = PyList_Append(made, value)
        Py_DECREF(value)
        if status < 0:
            break
        letter = next_byte(reader)
        if letter == 0x5D:
            reader.here += 1
            return made
        if letter != 0x2C:
            fail(reader, "an array")
            break
        reader.here += 1
    Py_DECREF(made)
    return NULL


# The value of a member, with binaries made of what is called B or BS.
cdef PyObject* member_read(Reader* reader, PyObject* name, int level) noexcept:
    cdef const uint8_t* letters = hr_text_data(name)
    cdef Py_ssize_t size = PyUnicode_GET_LENGTH(name)
    cdef bint blobs = reader.blobs
    cdef PyObject* value
    cdef PyObject* made
    cdef bint documents = reader.documents
    if not hr_text_ascii(name):
        return value_read(reader, level)
    if size == 1 and letters[0] == 0x4D:
        reader.documents = True
        value = value_read(reader, level)
        reader.documents = documents
        return value
    if size == 24 and not documents and (
        level == LEVEL_REQUEST or level == LEVEL_TABLE or level == LEVEL_ACTION
    ) and memcmp(letters, b"ExpressionAttributeNames", 24) == 0:
        reader.blobs = False
        value = value_read(reader, level)
        reader.blobs = blobs
        return value
    value = value_read(reader, level)
    if value == NULL or not blobs or size == 0 or letters[0] != 0x42 or size > 2:
        return value
    if size == 1:
        made = blob_make(value)
        if made != NULL:
            return made
    elif letters[1] != 0x53 or not PyList_Check(value) or blobs_make(value) == 0:
        return value
    if PyErr_Occurred() != NULL:
        Py_DECREF(value)
        return NULL
    return value


cdef PyObject* object_read(Reader* reader, int level) noexcept:
    cdef PyObject* made
    cdef PyObject* name
    cdef PyObject* value
    cdef uint8_t letter
    cdef int status
    if level >= JSON_DEPTH_MAX:
        return fail(reader, "nesting that is too deep")
    made = PyDict_New()
    if made == NULL:
        return NULL
    letter = next_byte(reader)
    if letter == 0x7D:
        reader.here += 1
        return made
    while True:
        if letter != QUOTE:
            fail(reader, "an object")
            break
        reader.here += 1
        name = name_read(reader)
        if name == NULL:
            break
        if next_byte(reader) != 0x3A:
            Py_DECREF(name)
            fail(reader, "an object")
            break
        reader.here += 1
        value = member_read(reader, name, level + 1)
        if value == NULL:
            Py_DECREF(name)
            break
        status = PyDict_SetItem(made, name, value)
        Py_DECREF(name)
        Py_DECREF(value)
        if status < 0:
            break
        letter = next_byte(reader)
        if letter == 0x7D:
            reader.here += 1
            return made
        if letter != 0x2C:
            fail(reader, "an object")
            break
        reader.here += 1
        letter = next_byte(reader)
    Py_DECREF(made)
    return NULL


# -- values ----------------------------------------------------------------------------------------


cdef PyObject* word_read(
    Reader* reader, const char* word, Py_ssize_t size, PyObject* value,
) noexcept:
    if reader.end - reader.here < size or memcmp(reader.here, word, size) != 0:
        return fail(reader, "a value")
    reader.here += size
    Py_INCREF(value)
    return value


# A new reference to the value that comes next, or NULL: the fault is noted, or an exception set.
cdef PyObject* value_read(Reader* reader, int level) noexcept:
    cdef uint8_t letter = next_byte(reader)
    if letter == QUOTE:
        reader.here += 1
        return string_read(reader)
    if letter == 0x7B:
        reader.here += 1
        return object_read(reader, level)
    if letter == 0x5B:
        reader.here += 1
        return array_read(reader, level)
    if letter == 0x2D or 0x30 <= letter <= 0x39:
        return number_read(reader)
    if letter == 0x74:
        return word_read(reader, b"true", 4, Py_True)
    if letter == 0x66:
        return word_read(reader, b"false", 5, Py_False)
    if letter == 0x6E:
        return word_read(reader, b"null", 4, Py_None)
    return fail(reader, "a value")


cdef class JsonReader:
    """Reads texts and remembers the names in them."""

    def __cinit__(self):
        memset(self.names, 0, sizeof(self.names))

    def __dealloc__(self):
        cdef int index
        for index in range(NAME_SLOTS):
            Py_XDECREF(self.names[index])

    def read(self, bytes text not None):
        """Return the value of a JSON text in UTF-8.

        Objects are dicts, arrays lists, numbers int or float; members B and BS are bytes when they
        are base64. Raises SerializationError for what is no JSON, or nested more than 256 deep.
        """
        return self.read_text(<const uint8_t*>PyBytes_AS_STRING(<PyObject*>text), len(text))

    cdef object read_text(self, const uint8_t* text, Py_ssize_t size):
        cdef Reader reader
        cdef PyObject* value
        cdef object made
        reader.start = reader.here = text
        reader.end = text + size
        reader.names = self.names
        reader.fault = NULL
        reader.blobs = True
        reader.documents = False
        value = value_read(&reader, 0)
        if value != NULL:
            made = <object>value
            Py_DECREF(value)
            if next_byte(&reader) == 0 and reader.here == reader.end:
                return made
            reader.fault = "an end"
        if reader.fault == NULL:
            error_raise()
        raise SerializationError(
            f"the JSON text is damaged at byte {reader.here - reader.start}: "
            f"{reader.fault.decode('ascii')}"
        )
