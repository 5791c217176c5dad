"""Encoded bytes to the typed form, DynamoDB's attribute values as dicts.

Theory of operation
    The walk of decoder.pyx, with its short strings and its shapes, that puts each value into a dict
    of one entry. Numbers go from bytes to text: plain decimals without an exponent and without
    trailing zeros. A set is a list in the order it is stored in, that of its members' encoded
    bytes: numbers by the size of their form first, strings of up to 63 ASCII characters by length.

Invariants
    As in decoder.pyx: every read is behind a comparison with the limit, counts are compared with
    the bytes that remain, recursion ends at DEPTH_MAX, and a str is made as ASCII only when it is.

Threads
    With the GIL. Allocations may start the garbage collector, and with it any Python code.

Format
    FORMAT.md, section "Items".
"""

from libc.stdint cimport int16_t, int32_t, int64_t, int8_t

from ddbcore.buffer cimport load_u16, load_u32, load_u64
from ddbcore.decoder cimport decoder_ascii, decoder_fail, decoder_utf8, name_decode
from ddbcore.number cimport Number, number_decode
from ddbcore.pyapi cimport *
from ddbcore.record cimport DEPTH_MAX
from ddbcore.shape cimport SHAPE_NAMES_MAX, shape_dict, shape_mix
from ddbcore.value cimport *
from ddbcore.words cimport TEXT_BYTES_MAX, magnitude_of, words_print

cdef str TEXT_S = "S"
cdef str TEXT_N = "N"
cdef str TEXT_B = "B"
cdef str TEXT_L = "L"
cdef str TEXT_M = "M"
cdef str TEXT_SS = "SS"
cdef str TEXT_NS = "NS"
cdef str TEXT_BS = "BS"
cdef str TEXT_BOOL = "BOOL"
cdef str TEXT_NULL = "NULL"


# -- scalars ---------------------------------------------------------------------------------------


# {tag: value}: takes over the reference to the value, which may be NULL. A dict of one entry costs
# about 30 ns however it is made: filled, copied from a template, or presized.
cdef PyObject* tagged(str tag, PyObject* value) noexcept:
    cdef PyObject* made
    if value == NULL:
        return NULL
    made = PyDict_New()
    if made != NULL and PyDict_SetItem(made, <PyObject*>tag, value) < 0:
        Py_DECREF(made)
        made = NULL
    Py_DECREF(value)
    return made


cdef PyObject* typed_digits(Decoder* decoder, const Number* number) noexcept:
    cdef uint8_t text[TEXT_BYTES_MAX]
    cdef int size = words_print(
        number.high, number.low, number.exponent, number.negative != 0, text,
    )
    return decoder_ascii(decoder, text, size)


# The text of the number at *data, which moves behind it.
cdef PyObject* number_text_decode(
    Decoder* decoder, const uint8_t** data, const uint8_t* limit,
) noexcept:
    cdef const uint8_t* here = data[0]
    cdef uint8_t text[TEXT_BYTES_MAX]
    cdef Number number
    cdef int64_t value
    cdef int size
    if here[0] < TAG_NULL:
        value = here[0] - TAG_SMALL_INT
        size = 0
    elif here[0] <= TAG_INT64:
        size = 1 << (here[0] - TAG_INT8)
        if limit - here <= size:
            return decoder_fail(decoder, "a number")
        if size == 1:
            value = <int8_t>here[1]
        elif size == 2:
            value = <int16_t>load_u16(here + 1)
        elif size == 4:
            value = <int32_t>load_u32(here + 1)
        else:
            value = <int64_t>load_u64(here + 1)
    else:
        size = number_decode(here, limit, &number)
        if size < 0:
            return decoder_fail(decoder, "a number")
        data[0] = here + size
        return typed_digits(decoder, &number)
    data[0] = here + 1 + size
    size = words_print(0, magnitude_of(value), 0, value < 0, text)
    return decoder_ascii(decoder, text, size)


cdef inline bint is_text(uint8_t tag) noexcept:
    return tag < TAG_SMALL_INT or tag == TAG_ASCII or tag == TAG_UTF8


cdef inline bint is_number(uint8_t tag) noexcept:
    return TAG_SMALL_INT <= tag < TAG_NULL or TAG_INT8 <= tag <= TAG_NUMBER


# The str or bytes at *data, which moves behind it.
cdef PyObject* text_decode(Decoder* decoder, const uint8_t** data, const uint8_t* limit) noexcept:
    cdef const uint8_t* here = data[0]
    cdef uint8_t tag = here[0]
    cdef uint64_t size = tag
    cdef int length = 0
    if tag >= TAG_SMALL_INT:
        size = varint_read(here + 1, limit, &length)
        if length == 0:
            return decoder_fail(decoder, "the length of a string or binary")
    here += 1 + length
    if size > <uint64_t>(limit - here):
        return decoder_fail(decoder, "a string or binary ends after its surroundings")
    data[0] = here + size
    if tag == TAG_UTF8:
        return decoder_utf8(decoder, here, size)
    if tag == TAG_BINARY:
        return PyBytes_FromStringAndSize(<const char*>here, size)
    return decoder_ascii(decoder, here, size)


# -- lists and sets --------------------------------------------------------------------------------


cdef PyObject* list_decode(
    Decoder* decoder, NameTable names, const uint8_t* data, const uint8_t* end, int level,
    uint64_t count,
) noexcept:
    cdef PyObject* made
    cdef PyObject* value
    cdef uint64_t index
    if count > <uint64_t>(end - data):
        return decoder_fail(decoder, "the count of a list")
    made = PyList_New(count)
    if made == NULL:
        return NULL
    for index in range(count):
        value = typed_decode(decoder, names, &data, end, level)
        if value == NULL:
            Py_DECREF(made)
            return NULL
        PyList_SET_ITEM(made, index, value)
    if data != end:
        Py_DECREF(made)
        return decoder_fail(decoder, "a list ends before its surroundings")
    return made


# One member of a set with this tag.
cdef PyObject* member_decode(
    Decoder* decoder, const uint8_t** data, const uint8_t* end, uint8_t tag,
) noexcept:
    cdef uint8_t kind = TAG_NULL if data[0] >= end else data[0][0]
    if tag == TAG_NUMBER_SET and is_number(kind):
        return number_text_decode(decoder, data, end)
    if (tag == TAG_STRING_SET and is_text(kind)) or (
        tag == TAG_BINARY_SET and kind == TAG_BINARY
    ):
        return text_decode(decoder, data, end)
    return decoder_fail(decoder, "a member of a set")


cdef PyObject* set_decode(
    Decoder* decoder, const uint8_t* data, const uint8_t* end, uint8_t tag, uint64_t count,
) noexcept:
    cdef PyObject* made
    cdef PyObject* member
    cdef uint64_t index
    if count == 0 or count > <uint64_t>(end - data):
        return decoder_fail(decoder, "the count of a set")
    made = PyList_New(count)
    if made == NULL:
        return NULL
    for index in range(count):
        member = member_decode(decoder, &data, end, tag)
        if member == NULL:
            Py_DECREF(made)
            return NULL
        PyList_SET_ITEM(made, index, member)
    if data != end:
        Py_DECREF(made)
        return decoder_fail(decoder, "a set ends before its surroundings")
    return made


cdef PyObject* container_decode(
    Decoder* decoder, NameTable names, const uint8_t** data, const uint8_t* limit, int level,
) noexcept:
    cdef uint8_t tag = data[0][0]
    cdef const uint8_t* content = NULL
    cdef const uint8_t* end = content_read(data[0] + 1, limit, &content)
    cdef uint64_t count
    cdef int length
    if end == NULL:
        return decoder_fail(decoder, "a container ends after its surroundings")
    count = varint_read(content, end, &length)
    if length == 0:
        return decoder_fail(decoder, "the count of a container")
    content += length
    data[0] = end
    if tag == TAG_STRING_SET:
        return tagged(TEXT_SS, set_decode(decoder, content, end, tag, count))
    if tag == TAG_NUMBER_SET:
        return tagged(TEXT_NS, set_decode(decoder, content, end, tag, count))
    if tag == TAG_BINARY_SET:
        return tagged(TEXT_BS, set_decode(decoder, content, end, tag, count))
    if level >= DEPTH_MAX and count > 0:
        return decoder_fail(decoder, "nesting is too deep")
    if tag == TAG_LIST:
        return tagged(TEXT_L, list_decode(decoder, names, content, end, level + 1, count))
    return tagged(
        TEXT_M, typed_entries(decoder, names, content, end, level + 1, count, NULL, NULL),
    )


# -- maps ------------------------------------------------------------------------------------------


# Names and values on their way into a dict. Names with ids live as long as the table; others are
# held here.
cdef struct Entries:
    uint32_t count
    uint32_t held_count                   # names that are held
    uint64_t hash                         # of the names, as shape_dict wants it
    PyObject* names[SHAPE_NAMES_MAX]
    PyObject* values[SHAPE_NAMES_MAX]
    bint held[SHAPE_NAMES_MAX]


cdef inline void entries_add(
    Entries* entries, PyObject* name, PyObject* value, bint held,
) noexcept:
    cdef uint32_t index = entries.count
    entries.names[index] = name
    entries.values[index] = value
    entries.held[index] = held
    entries.held_count += held
    entries.hash = shape_mix(entries.hash, name)
    entries.count = index + 1


cdef void entries_drop(Entries* entries) noexcept:
    cdef uint32_t index
    for index in range(entries.count):
        if entries.held[index]:
            Py_DECREF(entries.names[index])
        Py_DECREF(entries.values[index])


# A dict of all of them, made one by one; the references are still the caller's.
cdef PyObject* entries_insert(const Entries* entries) noexcept:
    cdef PyObject* made = hr_dict_presized(entries.count)
    cdef uint32_t index
    if made == NULL:
        return NULL
    for index in range(entries.count):
        if PyDict_SetItem(made, entries.names[index], entries.values[index]) < 0:
            Py_DECREF(made)
            return NULL
    return made


# Read `count` names and values at *data, as far as there is room for them. 0, or -1.
cdef int entries_read(
    Decoder* decoder, NameTable names, const uint8_t** data, const uint8_t* limit, int level,
    uint64_t count, Entries* entries,
) noexcept:
    cdef PyObject* name
    cdef PyObject* value
    cdef uint32_t name_id
    while count > 0 and entries.count < SHAPE_NAMES_MAX:
        # Names below 127, which is nearly all, are one byte.
        if data[0] < limit and 0 < data[0][0] < 0x80 and (
            data[0][0] <= PyList_GET_SIZE(<PyObject*>names.names)
        ):
            name_id = data[0][0]
            name = PyList_GET_ITEM(<PyObject*>names.names, name_id - 1)
            data[0] += 1
        else:
            name = name_decode(decoder, names, data, limit, &name_id)
            if name == NULL:
                return -1
            if name_id > 0:
                Py_DECREF(name)
        value = typed_decode(decoder, names, data, limit, level)
        if value == NULL:
            if name_id == 0:
                Py_DECREF(name)
            return -1
        entries_add(entries, name, value, name_id == 0)
        count -= 1
    return 0


# Read `count` more names and values into a dict.
cdef int entries_append(
    Decoder* decoder, NameTable names, const uint8_t** data, const uint8_t* limit, int level,
    uint64_t count, PyObject* target,
) noexcept:
    cdef PyObject* name
    cdef PyObject* value
    cdef uint32_t name_id
    cdef int status = 0
    while count > 0 and status == 0:
        name = name_decode(decoder, names, data, limit, &name_id)
        if name == NULL:
            return -1
        value = typed_decode(decoder, names, data, limit, level)
        status = -1
        if value != NULL:
            status = PyDict_SetItem(target, name, value)
            Py_DECREF(value)
        Py_DECREF(name)
        count -= 1
    return status


cdef PyObject* typed_entries(
    Decoder* decoder, NameTable names, const uint8_t* data, const uint8_t* limit, int level,
    uint64_t count, PyObject* hash_value, PyObject* range_value,
) noexcept:
    cdef Entries entries
    cdef PyObject* made
    cdef uint64_t rest
    entries.count = 0
    entries.held_count = 0
    entries.hash = 0
    if hash_value != NULL:
        entries_add(&entries, decoder.memory.hash_name, hash_value, False)
    if range_value != NULL:
        entries_add(&entries, decoder.memory.range_name, range_value, False)
    rest = count + entries.count
    if entries_read(decoder, names, &data, limit, level, count, &entries) < 0:
        entries_drop(&entries)
        return NULL
    rest -= entries.count
    if data == limit and rest == 0 and entries.held_count == 0:
        return shape_dict(
            decoder.memory.shapes, entries.hash, entries.names, entries.values, entries.count,
            entries.count > 0,
        )
    made = entries_insert(&entries)
    entries_drop(&entries)
    if made != NULL and (
        entries_append(decoder, names, &data, limit, level, rest, made) < 0
    ):
        Py_DECREF(made)
        return NULL
    if made != NULL and data != limit:
        Py_DECREF(made)
        return decoder_fail(decoder, "attributes end before their surroundings")
    return made


# -- values ----------------------------------------------------------------------------------------


cdef inline PyObject* constant(PyObject* value) noexcept:
    Py_INCREF(value)
    return value


# The attribute value at *data, which moves behind it: a new reference, or NULL.
cdef PyObject* typed_decode(
    Decoder* decoder, NameTable names, const uint8_t** data, const uint8_t* limit, int level,
) noexcept:
    cdef uint8_t tag
    if data[0] >= limit:
        return decoder_fail(decoder, "a value is missing")
    tag = data[0][0]
    if is_text(tag):
        return tagged(TEXT_S, text_decode(decoder, data, limit))
    if is_number(tag):
        return tagged(TEXT_N, number_text_decode(decoder, data, limit))
    if tag == TAG_BINARY:
        return tagged(TEXT_B, text_decode(decoder, data, limit))
    if tag <= TAG_FALSE:
        data[0] += 1
        if tag == TAG_NULL:
            return tagged(TEXT_NULL, constant(Py_True))
        return tagged(TEXT_BOOL, constant(Py_True if tag == TAG_TRUE else Py_False))
    if tag <= TAG_BINARY_SET:
        return container_decode(decoder, names, data, limit, level)
    return decoder_fail(decoder, "a tag that no value has")
