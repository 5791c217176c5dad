"""Python values to encoded bytes.

Theory of operation
    One recursive walk writes the bytes and adds up DynamoDB's size. Types are told apart by
    comparing the type's pointer; subclasses take a slower road to the same functions. The size
    field of a container is one byte until its content turns out longer. Set members are encoded,
    then sorted by their bytes.

Invariants
    1. Encoding may run Python code: an allocation can start the garbage collector, and a __del__
       can do anything, also to the dict in hand. So names and values are held while they are used,
       containers are read again at each step (a small dict all at once, before the first), and a
       container whose count has changed is an error.
       The path for messages names only what is held. Nobody but the caller knows `out`.
    2. More than ITEM_SIZE_MAX bytes of DynamoDB's size are never encoded: the walk stops, so memory
       is bounded.
    3. On an exception `out` may have grown; the doors in item.pyx cut it back.

Threads
    With the GIL.

Format
    FORMAT.md, section "Items".
"""

from libc.stdint cimport int16_t, int32_t, int8_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove

from ddbcore.buffer cimport buffer_reserve, store_u32, store_u64
from ddbcore.members cimport MEMBER_COUNT_SMALL, Member, members_close
from ddbcore.number cimport Number, number_encode, number_read, number_size
from ddbcore.pyapi cimport *
from ddbcore.record cimport ITEM_SIZE_MAX
from ddbcore.value cimport *

from decimal import Decimal

from ddbcore.errors import ItemTooLarge, ValidationError

cdef enum:
    SCRATCH_BYTES = 512
    NUMBER_BYTES_MAX = 32
    SNAPSHOT_COUNT_MAX = 32               # entries of a dict that are taken at once

# number_read without a check for exceptions after the call: -1 says that one is set.
ctypedef int (*NumberReader)(PyObject* value, Number* out) noexcept

cdef PyTypeObject* DECIMAL_TYPE = <PyTypeObject*>Decimal


cdef void encoder_open(Encoder* encoder, Buffer* out) noexcept:
    encoder.out = out
    encoder.item_size = 0
    encoder.level = 1
    encoder.path[1] = NULL
    encoder.index[1] = -1


cdef int reserve_more(Buffer* out, size_t extra) except -1:
    if buffer_reserve(out, extra) < 0:
        raise MemoryError
    return 0


# -- errors ----------------------------------------------------------------------------------------


cdef str path_of(Encoder* encoder):
    cdef str path = ""
    cdef int level
    cdef int last = encoder.level if encoder.level <= DEPTH_MAX + 1 else DEPTH_MAX + 1
    for level in range(1, last + 1):
        if encoder.path[level] != NULL:
            path += ("." if path else "") + str(<object>encoder.path[level])
        elif encoder.index[level] >= 0:
            path += f"[{encoder.index[level]}]"
    return path


cdef str subject_of(Encoder* encoder):
    cdef str path = path_of(encoder)
    # ascii() of a name with lone surrogates, so that the message itself can be printed.
    if encoder.path[1] == NULL:
        return f"value{path}"
    return f"attribute '{path}'" if path.isprintable() else f"attribute {ascii(path)}"


cdef int refuse(Encoder* encoder, str what) except -1:
    raise ValidationError(f"{subject_of(encoder)}: {what}")


cdef int refuse_size(Encoder* encoder) except -1:
    raise ItemTooLarge(
        f"Item size has exceeded the maximum allowed size: {ITEM_SIZE_MAX} bytes are reached at"
        f" {subject_of(encoder)}"
    )


cdef int refuse_type(Encoder* encoder, PyObject* value) except -1:
    cdef object kind = type(<object>value)
    cdef str name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    if PyFloat_Check(value):
        return refuse(
            encoder,
            f"{name} is not supported, because it is not exact: use Decimal(str(x)) or int(x)",
        )
    return refuse(
        encoder,
        f"type {name} is not supported: use str, int, Decimal, bytes, bool, None, list, dict"
        " or set",
    )


cdef int refuse_cause(Encoder* encoder, object error) except -1:
    raise ValidationError(f"{subject_of(encoder)}: {error}") from None


# The same with the exception that number_read has set.
cdef int refuse_pending(Encoder* encoder) except -1:
    try:
        error_raise()
    except ValidationError as error:
        return refuse_cause(encoder, error)
    return -1


cdef int refuse_change(Encoder* encoder) except -1:
    return refuse(encoder, "the value was changed while it was being stored")


# -- text and binary -------------------------------------------------------------------------------


# Write `length` characters of a str's memory as UTF-8; returns the bytes, or -1 at a lone
# surrogate. Needs 4 bytes for each character of kind 4, 3 for kind 2, 2 for kind 1.
cdef Py_ssize_t utf8_write(
    uint8_t* target, const uint8_t* data, int kind, Py_ssize_t length,
) noexcept:
    cdef uint8_t* start = target
    cdef Py_ssize_t index
    cdef uint32_t char
    for index in range(length):
        if kind == 1:
            char = data[index]
        elif kind == 2:
            char = (<const uint16_t*>data)[index]
        else:
            char = (<const uint32_t*>data)[index]
        if char < 0x80:
            target[0] = <uint8_t>char
            target += 1
        elif char < 0x800:
            target[0] = <uint8_t>(0xC0 | char >> 6)
            target[1] = <uint8_t>(0x80 | char & 0x3F)
            target += 2
        elif char < 0x10000:
            if 0xD800 <= char < 0xE000:
                return -1
            target[0] = <uint8_t>(0xE0 | char >> 12)
            target[1] = <uint8_t>(0x80 | char >> 6 & 0x3F)
            target[2] = <uint8_t>(0x80 | char & 0x3F)
            target += 3
        else:
            target[0] = <uint8_t>(0xF0 | char >> 18)
            target[1] = <uint8_t>(0x80 | char >> 12 & 0x3F)
            target[2] = <uint8_t>(0x80 | char >> 6 & 0x3F)
            target[3] = <uint8_t>(0x80 | char & 0x3F)
            target += 4
    return target - start


cdef int utf8_width(int kind) noexcept:
    return 2 if kind == 1 else 3 if kind == 2 else 4


cdef Py_ssize_t encoder_text(Buffer* out, PyObject* text, str subject) except -1:
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(text)
    cdef int kind = hr_text_kind(text)
    if hr_text_ascii(text):
        reserve(out, length)
        memcpy(out.data + out.size, hr_text_data(text), length)
    else:
        reserve(out, length * utf8_width(kind))
        length = utf8_write(out.data + out.size, hr_text_data(text), kind, length)
        if length < 0:
            raise ValidationError(f"{subject} has a lone surrogate, so it is not Unicode text")
    out.size += length
    return length


cdef int text_encode(Encoder* encoder, PyObject* text) except -1:
    cdef Buffer* out = encoder.out
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(text)
    cdef uint8_t* target
    cdef Py_ssize_t size, head
    cdef int kind
    if encoder.item_size + length > ITEM_SIZE_MAX:
        return refuse_size(encoder)
    if hr_text_ascii(text):
        reserve(out, length + 6)
        target = out.data + out.size
        if length < TAG_SMALL_INT:
            target[0] = <uint8_t>length
            head = 1
        else:
            target[0] = TAG_ASCII
            head = 1 + varint_write(target + 1, length)
        memcpy(target + head, hr_text_data(text), length)
        out.size += head + length
        encoder.item_size += length
        return 0
    kind = hr_text_kind(text)
    reserve(out, length * utf8_width(kind) + 6)
    target = out.data + out.size
    # The length is written in front once it is known; most often it takes one byte.
    size = utf8_write(target + 6, hr_text_data(text), kind, length)
    if size < 0:
        return refuse(encoder, "the string has a lone surrogate, so it is not Unicode text")
    target[0] = TAG_UTF8
    head = 1 + varint_write(target + 1, size)
    memmove(target + head, target + 6, size)
    out.size += head + size
    encoder.item_size += size
    return 0


cdef int binary_encode(Encoder* encoder, const char* data, Py_ssize_t size) except -1:
    cdef Buffer* out = encoder.out
    cdef uint8_t* target
    if encoder.item_size + size > ITEM_SIZE_MAX:
        return refuse_size(encoder)
    reserve(out, size + 6)
    target = out.data + out.size
    target[0] = TAG_BINARY
    target += 1 + varint_write(target + 1, size)
    memcpy(target, data, size)
    out.size = target + size - out.data
    encoder.item_size += size
    return 0


cdef bytes encoder_view(object view):
    if view.itemsize != 1:
        raise ValidationError("a memoryview must be one of bytes (format 'B'): use view.cast('B')")
    return view.tobytes()


cdef int view_encode(Encoder* encoder, PyObject* value) except -1:
    cdef bytes copy
    try:
        copy = encoder_view(<object>value)
    except ValueError as error:           # a released view, too
        return refuse_cause(encoder, error)
    return binary_encode(
        encoder, PyBytes_AS_STRING(<PyObject*>copy), PyBytes_GET_SIZE(<PyObject*>copy),
    )


# -- numbers ---------------------------------------------------------------------------------------


cdef int number_write(Encoder* encoder, PyObject* value) except -1:
    cdef Number number
    cdef Buffer* out = encoder.out
    if (<NumberReader>number_read)(value, &number) < 0:
        return refuse_pending(encoder)
    reserve(out, NUMBER_BYTES_MAX)
    out.size += number_encode(&number, out.data + out.size)
    encoder.item_size += number_size(&number)
    return 0


cdef inline int integer_write(Encoder* encoder, PyObject* value) except -1:
    cdef Buffer* out = encoder.out
    cdef int overflow = 0
    cdef int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow)
    cdef uint8_t* target
    if overflow:
        return number_write(encoder, value)
    reserve(out, NUMBER_BYTES_MAX)
    target = out.data + out.size
    encoder.item_size += integer_size(number)
    if 0 <= number < TAG_NULL - TAG_SMALL_INT:
        target[0] = <uint8_t>(TAG_SMALL_INT + number)
        out.size += 1
        return 0
    store_u64(target + 1, <uint64_t>number)
    if number == <int8_t>number:
        target[0] = TAG_INT8
        out.size += 2
    elif number == <int16_t>number:
        target[0] = TAG_INT16
        out.size += 3
    elif number == <int32_t>number:
        target[0] = TAG_INT32
        out.size += 5
    else:
        target[0] = TAG_INT64
        out.size += 9
    return 0


# -- containers ------------------------------------------------------------------------------------


cdef size_t container_open(Encoder* encoder, uint8_t tag, Py_ssize_t count) except? 0:
    cdef Buffer* out = encoder.out
    cdef size_t start
    if encoder.item_size + count > ITEM_SIZE_MAX:
        refuse_size(encoder)
    reserve(out, CONTAINER_HEAD_MAX)
    out.data[out.size] = tag
    start = out.size + 1
    out.size = start + 1 + varint_write(out.data + start + 1, count)
    encoder.item_size += 3 + count
    encoder.level += 1
    if encoder.level > DEPTH_MAX and count > 0:
        encoder.level -= 1
        refuse(
            encoder,
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested"
            f" levels beyond supported limit ({DEPTH_MAX})",
        )
    return start


cdef int container_close(Encoder* encoder, size_t start) except -1:
    cdef Buffer* out = encoder.out
    cdef size_t size = out.size - start - 1
    encoder.level -= 1
    if size < 0xFF:
        out.data[start] = <uint8_t>size
        return 0
    reserve(out, 4)
    memmove(out.data + start + 5, out.data + start + 1, size)
    out.data[start] = 0xFF
    store_u32(out.data + start + 1, <uint32_t>size)
    out.size += 4
    return 0


cdef int list_encode(Encoder* encoder, NameTable names, PyObject* items) except -1:
    cdef bint is_list = PyList_Check(items)
    cdef Py_ssize_t count = PyList_GET_SIZE(items) if is_list else PyTuple_GET_SIZE(items)
    cdef size_t start = container_open(encoder, TAG_LIST, count)
    cdef Py_ssize_t index = 0
    cdef PyObject* value
    encoder.path[encoder.level] = NULL
    while index < count:
        if is_list:
            if index >= PyList_GET_SIZE(items):
                break
            value = PyList_GET_ITEM(items, index)
        else:
            value = PyTuple_GET_ITEM(items, index)
        encoder.index[encoder.level] = index
        Py_INCREF(value)
        try:
            encoder_value(encoder, names, value)
        finally:
            Py_DECREF(value)
        index += 1
    if index < count or (is_list and PyList_GET_SIZE(items) != count):
        encoder.level -= 1
        return refuse_change(encoder)
    return container_close(encoder, start)


cdef int map_encode(Encoder* encoder, NameTable names, PyObject* items) except -1:
    cdef Buffer* out = encoder.out
    cdef size_t before = out.size
    cdef int64_t size_before = encoder.item_size
    cdef size_t start
    cdef dict plain
    start = container_open(encoder, TAG_MAP, PyDict_GET_SIZE(items))
    # The block writes the count itself: go back to where it starts.
    out.size = start + 1
    if encoder_block(encoder, names, items, NULL, NULL, 0) != 0:
        encoder.level -= 1
        plain = encoder_plain(encoder, <object>items)
        out.size = before
        encoder.item_size = size_before
        return map_encode(encoder, names, <PyObject*>plain)
    return container_close(encoder, start)


cdef int name_encode(Encoder* encoder, NameTable names, PyObject* name) except -1:
    cdef Buffer* out = encoder.out
    cdef int64_t name_id = names.intern(<str>name)
    cdef Py_ssize_t size
    cdef size_t start
    cdef int head
    if name_id >= 0:
        reserve(out, 5)
        out.size += varint_write(out.data + out.size, name_id + 1)
        encoder.item_size += names.sizes[name_id]
        return 0
    start = out.size
    if PyUnicode_GET_LENGTH(name) <= ATTRIBUTE_NAME_MAX:
        reserve(out, 6)
        out.size += 6
        size = encoder_text(out, name, "an attribute name")
    else:
        size = ATTRIBUTE_NAME_MAX + 1
    if size == 0:
        return refuse(encoder, "an attribute name cannot be empty")
    if size > ATTRIBUTE_NAME_MAX:
        raise ValidationError(
            f"an attribute name has more than {ATTRIBUTE_NAME_MAX} bytes; it begins with"
            f" {(<str>name)[:40]!r}"
        )
    out.data[start] = 0
    head = 1 + varint_write(out.data + start + 1, size)
    memmove(out.data + start + head, out.data + start + 6, size)
    out.size = start + head + size
    encoder.item_size += size
    return 0


cdef inline int entry_encode(
    Encoder* encoder, NameTable names, PyObject* name, PyObject* value,
) except -1:
    encoder_name(encoder, names, name)
    return encoder_value(encoder, names, value)


# Drop the references of a snapshot.
cdef inline void snapshot_drop(PyObject** names, PyObject** values, Py_ssize_t count) noexcept:
    cdef Py_ssize_t index
    for index in range(count):
        Py_DECREF(names[index])
        Py_DECREF(values[index])


# Hold the names and values of a small dict; their number, or -1 when a name is no exact str. Taking
# all of them first also starts loading them all: encoding one at a time would wait for each.
cdef inline Py_ssize_t snapshot_take(
    PyObject* items, PyObject** names, PyObject** values,
) noexcept:
    cdef Py_ssize_t pos = 0
    cdef Py_ssize_t count = 0
    while PyDict_Next(items, &pos, names + count, values + count):
        if not hr_is_exact_text(names[count]):
            snapshot_drop(names, values, count)
            return -1
        Py_INCREF(names[count])
        Py_INCREF(values[count])
        count += 1
    return count


cdef inline int attribute_encode(
    Encoder* encoder, NameTable names, PyObject* name, PyObject* value, PyObject* hash_name,
    PyObject* range_name,
) except -1:
    """Encode one attribute that the caller holds. 1, or 0 for a key attribute."""
    if hash_name != NULL and (is_name(name, hash_name) or is_name(name, range_name)):
        return 0
    entry_encode(encoder, names, name, value)
    if encoder.item_size > ITEM_SIZE_MAX:
        refuse_size(encoder)
    return 1


# The attributes of a large dict, one at a time. Their number, or -2 when a name is no exact str.
cdef Py_ssize_t attributes_encode(
    Encoder* encoder, NameTable names, PyObject* items, PyObject* hash_name, PyObject* range_name,
) except -1:
    cdef Py_ssize_t encoded = 0
    cdef Py_ssize_t pos = 0
    cdef PyObject* name
    cdef PyObject* value
    while PyDict_Next(items, &pos, &name, &value):
        if not hr_is_exact_text(name):
            return -2
        Py_INCREF(name)
        Py_INCREF(value)
        try:
            encoded += attribute_encode(encoder, names, name, value, hash_name, range_name)
        finally:
            Py_DECREF(name)
            Py_DECREF(value)
    return encoded


cdef int encoder_block(
    Encoder* encoder, NameTable names, PyObject* items, PyObject* hash_name, PyObject* range_name,
    Py_ssize_t key_count,
) except -1:
    cdef PyObject* held_names[SNAPSHOT_COUNT_MAX]
    cdef PyObject* held_values[SNAPSHOT_COUNT_MAX]
    cdef Buffer* out = encoder.out
    cdef Py_ssize_t count = PyDict_GET_SIZE(items) - key_count
    cdef Py_ssize_t encoded = 0
    cdef Py_ssize_t held, index
    if count < 0:                         # the keys were there, and are not any more
        return refuse_change(encoder)
    reserve(out, 5)
    out.size += varint_write(out.data + out.size, count)
    if PyDict_GET_SIZE(items) <= SNAPSHOT_COUNT_MAX:
        held = snapshot_take(items, held_names, held_values)
        if held < 0:
            return 1
        try:
            for index in range(held):
                encoded += attribute_encode(
                    encoder, names, held_names[index], held_values[index],
                    hash_name if key_count > 0 else NULL, range_name,
                )
        finally:
            snapshot_drop(held_names, held_values, held)
    else:
        encoded = attributes_encode(
            encoder, names, items, hash_name if key_count > 0 else NULL, range_name,
        )
        if encoded == -2:
            return 1
    # The last name is not held any more: messages must not look at it.
    encoder.path[encoder.level] = NULL
    encoder.index[encoder.level] = -1
    if encoded != count or PyDict_GET_SIZE(items) - key_count != count:
        return refuse_change(encoder)
    return 0


cdef dict encoder_plain(Encoder* encoder, object items):
    cdef dict plain = {}
    cdef list names = list(items)
    cdef object name
    cdef str where
    for name in names:
        if not isinstance(name, str):
            where = f"{subject_of(encoder)}: " if encoder != NULL else ""
            raise ValidationError(f"{where}attribute names are str, not {type(name).__name__}")
        plain[str.__str__(name)] = items[name]
    if len(plain) != len(names):
        raise ValidationError("two attribute names have the same text")
    return plain


# -- sets ------------------------------------------------------------------------------------------


# The set tag that fits a member, or 0.
cdef inline uint8_t set_tag_of(PyObject* member):
    cdef PyTypeObject* kind = Py_TYPE(member)
    if kind == &PyUnicode_Type:
        return TAG_STRING_SET
    if kind == &PyLong_Type or kind == DECIMAL_TYPE:
        return TAG_NUMBER_SET
    if PyUnicode_Check(member):
        return TAG_STRING_SET
    if PyBytes_Check(member) or PyMemoryView_Check(member):
        return TAG_BINARY_SET
    if member == Py_True or member == Py_False:
        return 0
    return TAG_NUMBER_SET if PyLong_Check(member) or PyObject_TypeCheck(member, DECIMAL_TYPE) else 0


# Refuse a member that does not go with the set's tag.
cdef int refuse_member(Encoder* encoder, PyObject* member) except -1:
    cdef str kind = type(<object>member).__name__
    if PyFloat_Check(member):
        return refuse_type(encoder, member)
    if set_tag_of(member) == 0:
        return refuse(
            encoder, f"a set has members of str, of int and Decimal, or of bytes, not of {kind}"
        )
    return refuse(
        encoder,
        f"the members of a set are all str, all numbers or all bytes; one of them is {kind}",
    )


# Encode one member, its size to *size. The first sets the tag.
cdef inline int member_encode(
    Encoder* encoder, NameTable names, PyObject* member, uint8_t* tag, uint32_t* size,
) except -1:
    cdef size_t before = encoder.out.size
    cdef uint8_t wanted = set_tag_of(member)
    if tag[0] == 0:
        tag[0] = wanted
    if tag[0] != wanted or wanted == 0:
        return refuse_member(encoder, member)
    encoder_value(encoder, names, member)
    size[0] = <uint32_t>(encoder.out.size - before)
    return 0


# Encode the members into `out`, their sizes into `members`. Returns how many there were; at most
# `count`.
cdef Py_ssize_t members_encode(
    Encoder* encoder, NameTable names, PyObject* items, Member* members, Py_ssize_t count,
    uint8_t* tag,
) except -1:
    cdef PyObject* member = NULL
    cdef Py_ssize_t pos = 0
    cdef Py_ssize_t encoded = 0
    cdef Py_hash_t hash
    cdef object iterator = None
    if not HR_SET_ENTRIES:
        iterator = iter(<object>items)
    while True:
        if HR_SET_ENTRIES:
            if not _PySet_NextEntry(items, &pos, &member, &hash):
                return encoded
            Py_INCREF(member)
        else:
            member = PyIter_Next(<PyObject*>iterator)
            if member == NULL:
                if PyErr_Occurred() != NULL:
                    error_raise()
                return encoded
        try:
            if encoded == count:
                refuse_change(encoder)
            member_encode(encoder, names, member, tag, &members[encoded].size)
        finally:
            Py_DECREF(member)
        encoded += 1


cdef int set_encode(Encoder* encoder, NameTable names, PyObject* items) except -1:
    cdef Py_ssize_t count = PySet_GET_SIZE(items)
    cdef size_t start = encoder.out.size
    cdef Member members_small[2 * MEMBER_COUNT_SMALL]
    cdef uint8_t scratch_small[SCRATCH_BYTES]
    cdef Member* members = members_small
    cdef uint8_t* scratch = scratch_small
    cdef uint8_t tag = 0
    if count == 0:
        return refuse(encoder, "a set cannot be empty: leave the attribute out, or use None")
    # Each member but an empty string has a size of one byte at least.
    if encoder.item_size + count - 1 > ITEM_SIZE_MAX:
        return refuse_size(encoder)
    try:
        if count > MEMBER_COUNT_SMALL:
            members = <Member*>malloc(2 * count * sizeof(Member))
            if members == NULL:
                raise MemoryError
        if members_encode(encoder, names, items, members, count, &tag) != count:
            return refuse_change(encoder)
        if encoder.out.size - start > SCRATCH_BYTES:
            scratch = <uint8_t*>malloc(encoder.out.size - start)
            if scratch == NULL:
                raise MemoryError
        reserve(encoder.out, CONTAINER_HEAD_MAX)
        encoder.item_size -= members_close(
            encoder.out, tag, start, members, count, scratch,
        )
    finally:
        if members != members_small:
            free(members)
        if scratch != scratch_small:
            free(scratch)
    return 0


# -- values ----------------------------------------------------------------------------------------


cdef int encoder_value(Encoder* encoder, NameTable names, PyObject* value) except -1:
    cdef PyTypeObject* kind = Py_TYPE(value)
    cdef Buffer* out
    if kind == &PyUnicode_Type:
        return text_encode(encoder, value)
    if kind == &PyLong_Type:
        return integer_write(encoder, value)
    if value == Py_True or value == Py_False or value == Py_None:
        out = encoder.out
        reserve(out, 1)
        out.data[out.size] = (
            TAG_TRUE if value == Py_True else TAG_FALSE if value == Py_False else TAG_NULL
        )
        out.size += 1
        encoder.item_size += 1
        return 0
    if kind == DECIMAL_TYPE:
        return number_write(encoder, value)
    if kind == &PyDict_Type:
        return map_encode(encoder, names, value)
    if kind == &PyList_Type:
        return list_encode(encoder, names, value)
    if kind == &PySet_Type:
        return set_encode(encoder, names, value)
    if kind == &PyBytes_Type:
        return binary_encode(encoder, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    return other_encode(encoder, names, value)


# What is not of the commonest types: subclasses and the rarer ones.
cdef int other_encode(Encoder* encoder, NameTable names, PyObject* value) except -1:
    if PyUnicode_Check(value):
        return text_encode(encoder, value)
    if PyLong_Check(value):
        return integer_write(encoder, value)
    if PyObject_TypeCheck(value, DECIMAL_TYPE):
        return number_write(encoder, value)
    if PyBytes_Check(value):
        return binary_encode(encoder, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    if PyByteArray_Check(value):
        return binary_encode(encoder, PyByteArray_AS_STRING(value), PyByteArray_GET_SIZE(value))
    if PyMemoryView_Check(value):
        return view_encode(encoder, value)
    if PyList_Check(value) or PyTuple_Check(value):
        return list_encode(encoder, names, value)
    if PyDict_Check(value):
        return map_encode(encoder, names, value)
    if PyAnySet_Check(value):
        return set_encode(encoder, names, value)
    return refuse_type(encoder, value)
