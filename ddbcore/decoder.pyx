"""Encoded bytes to Python values.

Theory of operation
    One recursive walk builds the objects. Short strings that come again and again (states, tags,
    country codes) are found in a direct-mapped table by their bytes and handed out as the same
    object, with its hash; a slot's heat keeps strings that come only once from driving out those
    that come often. An attribute whose strings never come again is not looked up for a while, and
    then tried anew. Small sets are found in the same way, and copied. Attribute names are the
    NameTable's. Values are collected first, and the dict is made of all of them at once, from a
    template where its shape is known (shape.pyx).

    Functions on the way return NULL for failure and say in the Decoder what is damaged;
    decoder_raise makes the exception.

Invariants
    1. Every read is behind a comparison with the limit. Counts are compared with the bytes that
       remain before anything of that many elements is made.
    2. A str is made as ASCII only when all its bytes are below 0x80.
    3. Recursion ends at level DEPTH_MAX.
    4. Of a name that comes twice in a map the last value holds (no encoder writes that).

Threads
    With the GIL. Allocations may start the garbage collector, and with it any Python code: what
    `Memory` holds may have changed after one, so it is read again.

Format
    FORMAT.md, section "Items".
"""

from libc.stdint cimport int16_t, int32_t, int8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from ddbcore.buffer cimport load_u16, load_u32, load_u64
from ddbcore.number cimport Number, decimal_object, number_decode, number_object
from ddbcore.pyapi cimport *
from ddbcore.record cimport DEPTH_MAX
from ddbcore.sets cimport set_copy
from ddbcore.shape cimport SHAPE_NAMES_MAX, SHAPE_SLOT_COUNT, shape_dict, shape_mix, shapes_clear
from ddbcore.value cimport *

from ddbcore.errors import CorruptError

cdef enum:
    # Memory that objects take in CPython, rounded to 16 bytes as the allocator does: estimates for
    # the cache's budget.
    WEIGHT_TEXT = 56
    WEIGHT_BINARY = 40
    WEIGHT_NUMBER = 32
    WEIGHT_DECIMAL = 112
    WEIGHT_LIST = 72
    WEIGHT_DICT = 80
    WEIGHT_ENTRY = 28
    WEIGHT_SET = 224
    WEIGHT_MEMBER = 40
    # Heat of a string that is new, and of one that is hot.
    HEAT_START = 2
    HEAT_MAX = 16
    FRESH_MAX = 64
    FRESH_TRIES = 16

cdef extern from *:
    """
    /* A str of ASCII characters. Up to the newest version that was tested, its head is copied from
       one that PyUnicode_New made: only the length differs. hr_ascii_open tries that. */
    #if PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED) && !defined(PYPY_VERSION) \\
        && !defined(Py_TRACE_REFS) && !defined(Py_REF_DEBUG)
    static PyASCIIObject hr_ascii_head;
    static int hr_ascii_known = 0;
    static PyObject* hr_ascii_copy(Py_ssize_t size) {
        PyASCIIObject* made = (PyASCIIObject*)PyObject_Malloc(sizeof(PyASCIIObject) + size + 1);
        if (made == NULL) return PyErr_NoMemory();
        *made = hr_ascii_head;
        made->length = size;
        ((char*)(made + 1))[size] = 0;
        return (PyObject*)made;
    }
    static int hr_ascii_open(void) {
        PyObject* text = PyUnicode_New(2, 0x7F);
        PyObject* other = PyUnicode_New(300, 0x7F);
        PyObject* copy = NULL;
        if (text != NULL && other != NULL) {
            hr_ascii_head = *(PyASCIIObject*)text;
            copy = hr_ascii_copy(300);
        }
        if (copy != NULL) {
            memset(PyUnicode_DATA(other), 'x', 300);
            memset((char*)copy + sizeof(PyASCIIObject), 'x', 300);
            hr_ascii_known = PyUnicode_IS_COMPACT_ASCII(copy) && Py_REFCNT(copy) == 1
                && Py_TYPE(copy) == &PyUnicode_Type && PyUnicode_GET_LENGTH(copy) == 300
                && (char*)PyUnicode_DATA(copy) == (char*)copy + sizeof(PyASCIIObject)
                && PyUnicode_Compare(copy, other) == 0
                && PyObject_Hash(copy) == PyObject_Hash(other);
        }
        Py_XDECREF(text);
        Py_XDECREF(other);
        Py_XDECREF(copy);
        return PyErr_Occurred() ? -1 : 0;
    }
    #define hr_ascii_new(size) \\
        (hr_ascii_known && (size) > 1 ? hr_ascii_copy(size) : PyUnicode_New((size), 0x7F))
    #else
    #define hr_ascii_open() 0
    #define hr_ascii_new(size) PyUnicode_New((size), 0x7F)
    #endif
    """
    int hr_ascii_open() except -1
    PyObject* hr_ascii_new(Py_ssize_t size) noexcept

cdef uint64_t HIGH_BITS = 0x8080808080808080

# The same functions without a check for exceptions after the call: they return NULL then, which the
# callers here pass on.
ctypedef PyObject* (*DecimalFunction)(int64_t coefficient, int exponent) noexcept
ctypedef PyObject* (*NumberFunction)(const Number* number) noexcept


cdef int memory_open(Memory* memory) except -1:
    memory.texts = <TextSlot*>calloc(TEXT_SLOT_COUNT, sizeof(TextSlot))
    memory.sets = <SetSlot*>calloc(SET_SLOT_COUNT, sizeof(SetSlot))
    memory.shapes = <Shape*>calloc(SHAPE_SLOT_COUNT, sizeof(Shape))
    memset(memory.fresh, 0, FRESH_COUNT)
    memory.hash_name = NULL
    memory.range_name = NULL
    if memory.texts == NULL or memory.sets == NULL or memory.shapes == NULL:
        raise MemoryError
    return 0


cdef void memory_close(Memory* memory) noexcept:
    cdef size_t index
    if memory.texts != NULL:
        for index in range(<size_t>TEXT_SLOT_COUNT):
            Py_XDECREF(memory.texts[index].text)
        free(memory.texts)
        memory.texts = NULL
    if memory.sets != NULL:
        for index in range(<size_t>SET_SLOT_COUNT):
            Py_XDECREF(memory.sets[index].template)
        free(memory.sets)
        memory.sets = NULL
    if memory.shapes != NULL:
        shapes_clear(memory.shapes)
        free(memory.shapes)
        memory.shapes = NULL


cdef void decoder_open(Decoder* decoder, Memory* memory) noexcept:
    decoder.memory = memory
    decoder.fresh = memory.fresh
    decoder.damage = NULL
    decoder.weight = 0
    decoder.nested = 0


cdef int decoder_raise(const Decoder* decoder) except -1:
    if decoder.damage == NULL:
        return error_raise()
    raise CorruptError(f"item bytes are damaged: {decoder.damage.decode()}")


cdef PyObject* decoder_fail(Decoder* decoder, const char* damage) noexcept:
    decoder.damage = damage
    return NULL


# -- text ------------------------------------------------------------------------------------------


# Nonzero when a byte is above 0x7F.
cdef inline uint64_t high_bits(const uint8_t* text, size_t size) noexcept:
    cdef uint64_t seen = 0
    cdef size_t index = 0
    if size >= 8:
        while index + 8 <= size:
            seen |= load_u64(text + index)
            index += 8
        seen |= load_u64(text + size - 8)
    else:
        while index < size:
            seen |= text[index]
            index += 1
    return seen & HIGH_BITS


cdef inline PyObject* ascii_make(Decoder* decoder, const uint8_t* text, size_t size) noexcept:
    cdef PyObject* made
    if high_bits(text, size):
        return decoder_fail(decoder, "a string marked as ASCII is not")
    made = hr_ascii_new(size)
    # The empty str is shared; nothing may be written to it.
    if made != NULL and size > 0:
        memcpy(hr_text_data(made), text, size)
    return made


# A string of at most TEXT_CACHE_BYTES. Strings that agree in size, head and tail share a slot.
cdef inline PyObject* ascii_cached(Decoder* decoder, const uint8_t* text, size_t size) noexcept:
    cdef uint64_t head, tail, mixed
    cdef TextSlot* slot
    cdef PyObject* made
    if size >= 8:
        head = load_u64(text)
        tail = load_u64(text + size - 8)
    elif size >= 4:
        head = load_u32(text)
        tail = load_u32(text + size - 4)
    elif size > 0:
        head = text[0] | <uint64_t>text[size >> 1] << 8
        tail = text[size - 1]
    else:
        head = 0
        tail = 0
    mixed = (head ^ (tail << 23 | tail >> 41) ^ size) * <uint64_t>0x9E3779B97F4A7C15
    slot = decoder.memory.texts + (mixed >> (64 - TEXT_SLOT_BITS))
    if slot.head == head and slot.tail == tail and slot.size == size and slot.text != NULL and (
        size <= TEXT_WHOLE_BYTES or memcmp(hr_text_data(slot.text), text, size) == 0
    ):
        if slot.heat < HEAT_MAX:
            slot.heat += 1
        decoder.fresh[0] = 0
        Py_INCREF(slot.text)
        return slot.text
    decoder.fresh[0] += 1
    made = ascii_make(decoder, text, size)
    if slot.heat > 0 or made == NULL:
        slot.heat -= slot.heat > 0
        return made
    # Freeing an exact str runs no Python code, so the slot is ours until the end.
    Py_XDECREF(slot.text)
    Py_INCREF(made)
    slot.text = made
    slot.head = head
    slot.tail = tail
    slot.size = <uint32_t>size
    slot.heat = HEAT_START
    return made


cdef PyObject* decoder_ascii(Decoder* decoder, const uint8_t* text, size_t size) noexcept:
    decoder.weight += WEIGHT_TEXT + size
    if size > TEXT_CACHE_BYTES:
        return ascii_make(decoder, text, size)
    if decoder.fresh[0] < FRESH_MAX:
        return ascii_cached(decoder, text, size)
    # Sixteen tries after each two hundred strings that were not looked for.
    decoder.fresh[0] = FRESH_MAX - FRESH_TRIES if decoder.fresh[0] == 255 else decoder.fresh[0] + 1
    return ascii_make(decoder, text, size)


cdef PyObject* decoder_utf8(Decoder* decoder, const uint8_t* text, size_t size) noexcept:
    cdef PyObject* made = PyUnicode_DecodeUTF8(<const char*>text, size, NULL)
    decoder.weight += WEIGHT_TEXT + 2 * size
    if made == NULL and PyErr_ExceptionMatches(PyExc_UnicodeDecodeError):
        PyErr_Clear()
        return decoder_fail(decoder, "a string is not UTF-8")
    return made


# -- maps ------------------------------------------------------------------------------------------


# Read the name at *data, which moves behind it: a new reference. *name_id is 0 for a name that has
# no id, else its id plus 1.
cdef PyObject* name_decode(
    Decoder* decoder, NameTable names, const uint8_t** data, const uint8_t* limit,
    uint32_t* name_id,
) noexcept:
    cdef const uint8_t* here = data[0]
    cdef PyObject* name
    cdef int length
    cdef uint64_t number = varint_read(here, limit, &length)
    if length == 0 or number > <uint64_t>PyList_GET_SIZE(<PyObject*>names.names):
        return decoder_fail(decoder, "the name of an attribute")
    here += length
    name_id[0] = <uint32_t>number
    if number > 0:
        data[0] = here
        name = PyList_GET_ITEM(<PyObject*>names.names, number - 1)
        Py_INCREF(name)
        return name
    number = varint_read(here, limit, &length)
    here += length
    if length == 0 or number == 0 or number > <uint64_t>(limit - here):
        return decoder_fail(decoder, "the name of an attribute")
    data[0] = here + number
    return decoder_utf8(decoder, here, number)


# Fill a dict entry by entry: many entries, or names without ids.
cdef int entries_insert(
    Decoder* decoder, NameTable names, const uint8_t* data, const uint8_t* limit, int level,
    uint64_t count, PyObject* target,
) noexcept:
    cdef PyObject* name
    cdef PyObject* value
    cdef uint32_t name_id
    cdef int status
    while count > 0:
        name = name_decode(decoder, names, &data, limit, &name_id)
        if name == NULL:
            return -1
        value = decoder_value(decoder, names, &data, limit, level)
        if value == NULL:
            Py_DECREF(name)
            return -1
        status = PyDict_SetItem(target, name, value)
        Py_DECREF(name)
        Py_DECREF(value)
        if status < 0:
            return -1
        count -= 1
    if data != limit:
        decoder_fail(decoder, "attributes end before their surroundings")
        return -1
    return 0


cdef inline void references_drop(PyObject** references, uint32_t count) noexcept:
    cdef uint32_t index
    for index in range(count):
        Py_DECREF(references[index])


# A dict of the entries collected so far, and of the rest read one by one.
cdef PyObject* entries_rest(
    Decoder* decoder, NameTable names, const uint8_t* data, const uint8_t* limit, int level,
    uint64_t rest,
    PyObject** found, PyObject** values, uint32_t count,
) noexcept:
    cdef PyObject* made = hr_dict_presized(count + rest)
    cdef uint32_t index
    cdef int status = 0 if made != NULL else -1
    for index in range(count):
        if status == 0:
            status = PyDict_SetItem(made, found[index], values[index])
    references_drop(values, count)
    if status == 0:
        status = entries_insert(decoder, names, data, limit, level, rest, made)
    if status < 0:
        Py_XDECREF(made)
        return NULL
    return made


cdef PyObject* decoder_entries(
    Decoder* decoder, NameTable names, const uint8_t* data, const uint8_t* limit, int level,
    uint64_t count,
    PyObject* hash_value, PyObject* range_value,
) noexcept:
    cdef PyObject* found[SHAPE_NAMES_MAX]   # borrowed: names with ids live as long as the table
    cdef PyObject* values[SHAPE_NAMES_MAX]
    cdef const uint8_t* start
    cdef PyObject* name
    cdef uint64_t hash = 0
    cdef uint32_t name_id
    cdef uint32_t index = 0
    cdef bint nested = False
    decoder.weight += WEIGHT_DICT + WEIGHT_ENTRY * count
    if hash_value != NULL:
        found[0] = decoder.memory.hash_name
        values[0] = hash_value
        hash = shape_mix(hash, found[0])
        index = 1
        if range_value != NULL:
            found[1] = decoder.memory.range_name
            values[1] = range_value
            hash = shape_mix(hash, found[1])
            index = 2
    count += index
    while index < count:
        start = data
        name = NULL
        # Names below 127, which is nearly all, are one byte and are not counted up and down.
        if index < SHAPE_NAMES_MAX and data < limit and 0 < data[0] < 0x80 and (
            data[0] <= PyList_GET_SIZE(<PyObject*>names.names)
        ):
            name = PyList_GET_ITEM(<PyObject*>names.names, data[0] - 1)
            decoder.fresh = decoder.memory.fresh + data[0]
            data += 1
        elif index < SHAPE_NAMES_MAX:
            name = name_decode(decoder, names, &data, limit, &name_id)
            if name == NULL:
                references_drop(values, index)
                return NULL
            Py_DECREF(name)
            if name_id == 0:
                name = NULL
        if name == NULL:
            return entries_rest(
                decoder, names, start, limit, level, count - index, found, values, index,
            )
        found[index] = name
        hash = shape_mix(hash, name)
        nested |= data < limit and data[0] >= TAG_LIST
        values[index] = decoder_value(decoder, names, &data, limit, level)
        if values[index] == NULL:
            references_drop(values, index)
            return NULL
        index += 1
    if data != limit:
        references_drop(values, index)
        return decoder_fail(decoder, "attributes end before their surroundings")
    return shape_dict(decoder.memory.shapes, hash, found, values, index, nested)


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
    decoder.weight += WEIGHT_LIST + 8 * count
    made = PyList_New(count)
    if made == NULL:
        return NULL
    for index in range(count):
        value = decoder_value(decoder, names, &data, end, level)
        if value == NULL:
            Py_DECREF(made)
            return NULL
        PyList_SET_ITEM(made, index, value)
    if data != end:
        Py_DECREF(made)
        return decoder_fail(decoder, "a list ends before its surroundings")
    return made


# The set that a value with this tag may be a member of, or 0.
cdef inline uint8_t member_set(uint8_t tag) noexcept:
    if tag < TAG_SMALL_INT or tag == TAG_ASCII or tag == TAG_UTF8:
        return TAG_STRING_SET
    if tag < TAG_NULL or (TAG_INT8 <= tag <= TAG_NUMBER):
        return TAG_NUMBER_SET
    return TAG_BINARY_SET if tag == TAG_BINARY else 0


cdef int members_decode(
    Decoder* decoder, NameTable names, const uint8_t* data, const uint8_t* end, uint8_t tag,
    uint64_t count, PyObject* target,
) noexcept:
    cdef PyObject* member
    cdef int status
    while count > 0:
        if data >= end or member_set(data[0]) != tag:
            decoder_fail(decoder, "a member of a set")
            return -1
        member = decoder_value(decoder, names, &data, end, DEPTH_MAX)
        if member == NULL:
            return -1
        status = PySet_Add(target, member)
        Py_DECREF(member)
        if status < 0:
            return -1
        count -= 1
    if data != end:
        decoder_fail(decoder, "a set ends before its surroundings")
        return -1
    return 0


cdef PyObject* set_make(
    Decoder* decoder, NameTable names, const uint8_t* data, const uint8_t* end, uint8_t tag,
    uint64_t count,
) noexcept:
    cdef PyObject* made = PySet_New(NULL)
    if made != NULL and members_decode(decoder, names, data, end, tag, count, made) < 0:
        Py_DECREF(made)
        return NULL
    return made


# A set of at most SET_CACHE_BYTES of members, data..end.
cdef PyObject* set_cached(
    Decoder* decoder, NameTable names, const uint8_t* data, const uint8_t* end, uint8_t tag,
    uint64_t count,
) noexcept:
    cdef size_t size = end - data
    cdef uint64_t hash = tag + size
    cdef const uint8_t* here = data
    cdef SetSlot* slot
    cdef PyObject* made
    cdef PyObject* template
    while end - here >= 8:
        hash = (hash ^ load_u64(here)) * <uint64_t>0x9E3779B97F4A7C15
        hash ^= hash >> 29
        here += 8
    while here < end:
        hash = (hash ^ here[0]) * <uint64_t>0x9E3779B97F4A7C15
        here += 1
    slot = decoder.memory.sets + (hash >> (64 - SET_SLOT_BITS))
    template = slot.template
    if slot.hash == hash and slot.size == size and slot.tag == tag and template != NULL and (
        memcmp(slot.members, data, size) == 0
    ):
        if slot.heat < HEAT_MAX:
            slot.heat += 1
        return set_copy(template)
    made = set_make(decoder, names, data, end, tag, count)
    if slot.heat > 0 or made == NULL:
        slot.heat -= slot.heat > 0
        return made
    template = set_copy(made)
    if template == NULL:
        PyErr_Clear()                     # one copy less to hand out: the set itself is there
        return made
    # Dropping a set of str, numbers or bytes runs no Python code.
    Py_XDECREF(slot.template)
    slot.template = template
    slot.hash = hash
    slot.size = <uint16_t>size
    slot.tag = tag
    slot.heat = HEAT_START
    memcpy(slot.members, data, size)
    return made


cdef PyObject* set_decode(
    Decoder* decoder, NameTable names, const uint8_t* data, const uint8_t* end, uint8_t tag,
    uint64_t count,
) noexcept:
    if count == 0 or count > <uint64_t>(end - data):
        return decoder_fail(decoder, "the count of a set")
    decoder.weight += WEIGHT_SET
    if count > 4:
        decoder.weight += WEIGHT_MEMBER * count
    if end - data <= SET_CACHE_BYTES:
        return set_cached(decoder, names, data, end, tag, count)
    return set_make(decoder, names, data, end, tag, count)


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
    decoder.nested = 1
    if tag > TAG_MAP:
        return set_decode(decoder, names, content, end, tag, count)
    if level >= DEPTH_MAX and count > 0:
        return decoder_fail(decoder, "nesting is too deep")
    if tag == TAG_LIST:
        return list_decode(decoder, names, content, end, level + 1, count)
    if count > <uint64_t>(end - content) // 2:
        return decoder_fail(decoder, "the count of a map")
    return decoder_entries(decoder, names, content, end, level + 1, count, NULL, NULL)


# -- values ----------------------------------------------------------------------------------------


cdef PyObject* integer_decode(
    Decoder* decoder, const uint8_t** data, const uint8_t* limit,
) noexcept:
    cdef const uint8_t* here = data[0]
    cdef int size = 1 << (here[0] - TAG_INT8)
    cdef int64_t value
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
    data[0] = here + 1 + size
    decoder.weight += WEIGHT_NUMBER
    return PyLong_FromLongLong(value)


cdef PyObject* number_make(Decoder* decoder, const uint8_t** data, const uint8_t* limit) noexcept:
    cdef const uint8_t* here = data[0]
    cdef Number number
    cdef int64_t coefficient
    cdef int size, exponent
    decoder.weight += WEIGHT_DECIMAL
    if here[0] <= TAG_DECIMAL64:
        size = 2 << (here[0] - TAG_DECIMAL16)
        if limit - here < 2 + size:
            return decoder_fail(decoder, "a number")
        exponent = <int8_t>here[1]
        # Positive exponents are rare, and mean an int.
        if exponent < 0:
            if size == 2:
                coefficient = <int16_t>load_u16(here + 2)
            elif size == 4:
                coefficient = <int32_t>load_u32(here + 2)
            else:
                coefficient = <int64_t>load_u64(here + 2)
            data[0] = here + 2 + size
            return (<DecimalFunction>decimal_object)(coefficient, exponent)
    size = number_decode(here, limit, &number)
    if size < 0:
        return decoder_fail(decoder, "a number")
    data[0] = here + size
    return (<NumberFunction>number_object)(&number)


cdef PyObject* bytes_decode(Decoder* decoder, const uint8_t** data, const uint8_t* limit) noexcept:
    cdef const uint8_t* here = data[0]
    cdef int length
    cdef uint64_t size = varint_read(here + 1, limit, &length)
    cdef uint8_t tag = here[0]
    here += 1 + length
    if length == 0 or size > <uint64_t>(limit - here):
        return decoder_fail(decoder, "a string or binary ends after its surroundings")
    data[0] = here + size
    if tag == TAG_ASCII:
        return decoder_ascii(decoder, here, size)
    if tag == TAG_UTF8:
        return decoder_utf8(decoder, here, size)
    decoder.weight += WEIGHT_BINARY + size
    return PyBytes_FromStringAndSize(<const char*>here, size)


cdef PyObject* decoder_value(
    Decoder* decoder, NameTable names, const uint8_t** data, const uint8_t* limit, int level,
) noexcept:
    cdef const uint8_t* here = data[0]
    cdef PyObject* constant
    cdef uint8_t tag
    if here >= limit:
        return decoder_fail(decoder, "a value is missing")
    tag = here[0]
    if tag < TAG_SMALL_INT:
        here += 1
        if tag > limit - here:
            return decoder_fail(decoder, "a string ends after its surroundings")
        data[0] = here + tag
        return decoder_ascii(decoder, here, tag)
    if tag < TAG_NULL:
        data[0] = here + 1
        return PyLong_FromLongLong(tag - TAG_SMALL_INT)
    if tag <= TAG_FALSE:
        data[0] = here + 1
        constant = Py_None if tag == TAG_NULL else Py_True if tag == TAG_TRUE else Py_False
        Py_INCREF(constant)
        return constant
    if tag <= TAG_BINARY:
        return bytes_decode(decoder, data, limit)
    if tag <= TAG_INT64:
        return integer_decode(decoder, data, limit)
    if tag <= TAG_NUMBER:
        return number_make(decoder, data, limit)
    if tag <= TAG_BINARY_SET:
        return container_decode(decoder, names, data, limit, level)
    return decoder_fail(decoder, "a tag that no value has")


hr_ascii_open()
