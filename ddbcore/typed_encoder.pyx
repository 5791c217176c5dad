"""The typed form to encoded bytes: DynamoDB's attribute values as dicts, {"S": "a"}.

Theory of operation
    The walk of encoder.pyx over another tree: what a type is there, a tag is here. A tag is told by
    its one, two or four characters as one integer. Bytes are written by the encoder's own pieces,
    so both forms of an item have the same bytes. Numbers go from text to bytes and never are a
    Decimal.

    Where this differs from the encoder is what it refuses, and the words: they are the service's.
    Members that are null or unknown do not count, as there.

Invariants
    1. Encoding may run Python code (see encoder.pyx): containers, and the values in them that code
       could set free, are held while they are used, and read again at each step.
    2. More than ITEM_SIZE_MAX bytes of DynamoDB's size are never encoded.
    3. On an exception `out` may have grown; the doors in typed.pyx cut it back.

Threads
    With the GIL.

Format
    FORMAT.md, section "Items".
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from ddbcore.buffer cimport Buffer, load_u16, load_u32
from ddbcore.encoder cimport (
    binary_encode, container_close, container_open, encoder_name, encoder_plain, encoder_view,
    is_name, refuse_change, refuse_size, reserve, text_encode,
)
from ddbcore.members cimport MEMBER_COUNT_SMALL, Member, members_close
from ddbcore.number cimport number_encode, number_parse, number_size
from ddbcore.pyapi cimport *
from ddbcore.record cimport DEPTH_MAX, ITEM_SIZE_MAX
from ddbcore.value cimport *

from ddbcore import misfits
from ddbcore.errors import ValidationError

cdef enum:
    SCRATCH_BYTES = 512
    NUMBER_BYTES_MAX = 32

cdef str INVALID = "One or more parameter values were invalid: "


# -- refusals --------------------------------------------------------------------------------------


cdef int refuse(str message) except -1:
    raise ValidationError(message)


# A value whose JSON type is not the wanted one.
cdef int refuse_misfit(PyObject* value, str wanted) except -1:
    cdef object held = <object>value
    misfits.refuse(held, wanted)


cdef int refuse_empty() except -1:
    return refuse(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
    )


cdef int refuse_empty_set(uint8_t tag) except -1:
    if tag == TAG_BINARY_SET:
        return refuse(f"{INVALID}Binary sets should not be empty")
    return refuse(
        f"{INVALID}An {'string' if tag == TAG_STRING_SET else 'number'} set  may not be empty"
    )


# Python-like lists, as the service prints them. Number sets get no list, binary ones no blank.
cdef int refuse_duplicates(uint8_t tag, PyObject* items) except -1:
    cdef list shown
    if tag == TAG_NUMBER_SET:
        return refuse("Input collection contains duplicates")
    if tag == TAG_STRING_SET:
        shown = [str(member) for member in <object>items]
        return refuse(f"{INVALID}Input collection [{', '.join(shown)}] contains duplicates.")
    shown = [
        member if isinstance(member, str) else misfits.base64_text(bytes(member))
        for member in <object>items
    ]
    return refuse(f"{INVALID}Input collection [{', '.join(shown)}]of type BS contains duplicates.")


cdef int refuse_nesting() except -1:
    return refuse(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels"
        " beyond supported limit"
    )


# -- scalars ---------------------------------------------------------------------------------------


# Parse the text of a number.
cdef int typed_number(PyObject* text, Number* number) except -1:
    cdef bytes copy
    if not PyUnicode_Check(text):
        return refuse_misfit(text, "String")
    if hr_text_ascii(text):
        return number_parse(hr_text_data(text), PyUnicode_GET_LENGTH(text), number)
    copy = (<str>text).encode("utf-8", "replace")
    return number_parse(
        <const uint8_t*>PyBytes_AS_STRING(<PyObject*>copy), PyBytes_GET_SIZE(<PyObject*>copy),
        number,
    )


cdef int number_write(Encoder* encoder, PyObject* text) except -1:
    cdef Buffer* out = encoder.out
    cdef Number number
    typed_number(text, &number)
    reserve(out, NUMBER_BYTES_MAX)
    out.size += number_encode(&number, out.data + out.size)
    encoder.item_size += number_size(&number)
    return 0


cdef int text_write(Encoder* encoder, PyObject* text) except -1:
    if not PyUnicode_Check(text):
        return refuse_misfit(text, "String")
    return text_encode(encoder, text)


# The bytes of a binary value: bytes, what can be looked at as bytes, or base64 text.
cdef bytes typed_blob(PyObject* value):
    if PyBytes_Check(value):
        return bytes(<object>value) if type(<object>value) is not bytes else <bytes>value
    if PyUnicode_Check(value):
        return misfits.blob(<object>value)
    if PyByteArray_Check(value):
        return PyByteArray_AS_STRING(value)[:PyByteArray_GET_SIZE(value)]
    if not PyMemoryView_Check(value):
        refuse_misfit(value, "Blob")
    try:
        return encoder_view(<object>value)
    except ValueError as error:           # a released view, too
        raise ValidationError(str(error)) from None


cdef int binary_write(Encoder* encoder, PyObject* value) except -1:
    cdef bytes copy
    if not PyBytes_Check(value):
        copy = typed_blob(value)
        value = <PyObject*>copy
    return binary_encode(encoder, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))


cdef int boolean_write(Encoder* encoder, PyObject* value, bint is_null) except -1:
    cdef Buffer* out = encoder.out
    cdef bint truth
    if value == Py_True or value == Py_False:
        truth = value == Py_True
    else:
        truth = misfits.boolean(<object>value)
    if is_null and not truth:
        return refuse(f"{INVALID}Null attribute value types must have the value of true")
    reserve(out, 1)
    out.data[out.size] = TAG_NULL if is_null else TAG_TRUE if truth else TAG_FALSE
    out.size += 1
    encoder.item_size += 1
    return 0


# -- sets ------------------------------------------------------------------------------------------


cdef inline bint is_array(PyObject* value) noexcept:
    return PyList_Check(value) or PyTuple_Check(value)


cdef inline Py_ssize_t array_count(PyObject* array) noexcept:
    return PyList_GET_SIZE(array) if PyList_Check(array) else PyTuple_GET_SIZE(array)


cdef inline PyObject* array_item(PyObject* array, Py_ssize_t index) noexcept:
    if PyList_Check(array):
        return PyList_GET_ITEM(array, index)
    return PyTuple_GET_ITEM(array, index)


cdef int member_encode(Encoder* encoder, uint8_t tag, PyObject* member) except -1:
    if member == Py_None:
        if tag == TAG_NUMBER_SET:
            return refuse("The parameter cannot be converted to a numeric value")
        if tag == TAG_STRING_SET:
            return refuse(f"{INVALID}An string set may not have a null string as a member")
        return refuse(f"{INVALID}Binary sets may not contain null or empty values")
    if tag == TAG_STRING_SET:
        return text_write(encoder, member)
    if tag == TAG_NUMBER_SET:
        return number_write(encoder, member)
    return binary_write(encoder, member)


# Encode the members into `out`, their sizes into `members`.
cdef int members_encode(
    Encoder* encoder, uint8_t tag, PyObject* items, Member* members, Py_ssize_t count,
) except -1:
    cdef Py_ssize_t index
    cdef PyObject* member
    cdef size_t before
    for index in range(count):
        if index >= array_count(items):
            break
        member = array_item(items, index)
        before = encoder.out.size
        Py_INCREF(member)
        try:
            member_encode(encoder, tag, member)
            if encoder.item_size > ITEM_SIZE_MAX:
                refuse_size(encoder)
        finally:
            Py_DECREF(member)
        members[index].size = <uint32_t>(encoder.out.size - before)
    if array_count(items) != count:
        return refuse_change(encoder)
    return 0


# How many members the set at `start`, which ends with the buffer, has.
cdef inline uint64_t members_count(Buffer* out, size_t start) noexcept:
    cdef const uint8_t* limit = out.data + out.size
    cdef const uint8_t* content = NULL
    cdef int length
    content_read(out.data + start + 1, limit, &content)
    return varint_read(content, limit, &length)


cdef int set_encode(Encoder* encoder, uint8_t tag, PyObject* items) except -1:
    cdef Buffer* out = encoder.out
    cdef size_t start = out.size
    cdef Member members_small[2 * MEMBER_COUNT_SMALL]
    cdef uint8_t scratch_small[SCRATCH_BYTES]
    cdef Member* members = members_small
    cdef uint8_t* scratch = scratch_small
    cdef Py_ssize_t count
    if not is_array(items):
        return refuse_misfit(items, "List")
    count = array_count(items)
    if count == 0:
        return refuse_empty_set(tag)
    # Each member but an empty one has a size of one byte at least.
    if encoder.item_size + count - 1 > ITEM_SIZE_MAX:
        return refuse_size(encoder)
    try:
        if count > MEMBER_COUNT_SMALL:
            members = <Member*>malloc(2 * count * sizeof(Member))
            if members == NULL:
                raise MemoryError
        members_encode(encoder, tag, items, members, count)
        if out.size - start > SCRATCH_BYTES:
            scratch = <uint8_t*>malloc(out.size - start)
            if scratch == NULL:
                raise MemoryError
        reserve(out, CONTAINER_HEAD_MAX)
        members_close(out, tag, start, members, count, scratch)
    finally:
        if members != members_small:
            free(members)
        if scratch != scratch_small:
            free(scratch)
    if members_count(out, start) != <uint64_t>count:
        return refuse_duplicates(tag, items)
    return 0


# -- lists and maps --------------------------------------------------------------------------------


cdef int list_encode(Encoder* encoder, NameTable names, PyObject* items) except -1:
    cdef Py_ssize_t index = 0
    cdef Py_ssize_t count
    cdef PyObject* value
    cdef size_t start
    if not is_array(items):
        return refuse_misfit(items, "List")
    count = array_count(items)
    if encoder.level >= DEPTH_MAX and count > 0:
        return refuse_nesting()
    start = container_open(encoder, TAG_LIST, count)
    encoder.path[encoder.level] = NULL
    while index < count and index < array_count(items):
        value = array_item(items, index)
        encoder.index[encoder.level] = index
        Py_INCREF(value)
        try:
            typed_value(encoder, names, value)
            if encoder.item_size > ITEM_SIZE_MAX:
                refuse_size(encoder)
        finally:
            Py_DECREF(value)
        index += 1
    if array_count(items) != count:
        return refuse_change(encoder)
    return container_close(encoder, start)


cdef int map_encode(Encoder* encoder, NameTable names, PyObject* items) except -1:
    cdef Buffer* out = encoder.out
    cdef size_t before = out.size
    cdef int64_t size_before = encoder.item_size
    cdef size_t start
    cdef dict plain
    if not PyDict_Check(items):
        return refuse_misfit(items, "Map")
    if encoder.level >= DEPTH_MAX and PyDict_GET_SIZE(items) > 0:
        return refuse_nesting()
    start = container_open(encoder, TAG_MAP, PyDict_GET_SIZE(items))
    # The block writes the count itself: go back to where it starts.
    out.size = start + 1
    if typed_block(encoder, names, items, NULL, NULL, 0) != 0:
        encoder.level -= 1
        plain = encoder_plain(encoder, <object>items)
        out.size = before
        encoder.item_size = size_before
        return map_encode(encoder, names, <PyObject*>plain)
    return container_close(encoder, start)


# Refuse an empty name or one that is too long, in the service's words.
cdef int name_check(PyObject* name) except -1:
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(name)
    if length == 0:
        return refuse(f"{INVALID}An attribute name cannot be empty")
    if length > ATTRIBUTE_NAME_MAX or (
        len((<str>name).encode("utf-8", "replace")) > ATTRIBUTE_NAME_MAX
    ):
        return refuse("Attribute name is too large, must be less than 65536 bytes")
    return 0


# Append the attribute block of a map, as encoder_block does.
cdef int typed_block(
    Encoder* encoder, NameTable names, PyObject* items, PyObject* hash_name, PyObject* range_name,
    Py_ssize_t key_count,
) except -1:
    cdef Buffer* out = encoder.out
    cdef Py_ssize_t count = PyDict_GET_SIZE(items) - key_count
    cdef Py_ssize_t encoded = 0
    cdef Py_ssize_t pos = 0
    cdef PyObject* name
    cdef PyObject* value
    if count < 0:                         # the keys were there, and are not any more
        return refuse_change(encoder)
    reserve(out, 5)
    out.size += varint_write(out.data + out.size, count)
    while PyDict_Next(items, &pos, &name, &value):
        if not hr_is_exact_text(name):
            return 1
        if key_count > 0 and (is_name(name, hash_name) or is_name(name, range_name)):
            continue
        Py_INCREF(name)
        Py_INCREF(value)
        try:
            if not 1 <= PyUnicode_GET_LENGTH(name) <= ATTRIBUTE_NAME_MAX // 4:
                name_check(name)
            encoder_name(encoder, names, name)
            typed_value(encoder, names, value)
            if encoder.item_size > ITEM_SIZE_MAX:
                refuse_size(encoder)
        finally:
            Py_DECREF(name)
            Py_DECREF(value)
        encoded += 1
    # The last name is not held any more: messages must not look at it.
    encoder.path[encoder.level] = NULL
    encoder.index[encoder.level] = -1
    if encoded != count or PyDict_GET_SIZE(items) - key_count != count:
        return refuse_change(encoder)
    return 0


# -- values ----------------------------------------------------------------------------------------


cdef uint32_t tag_of(PyObject* name) noexcept:
    cdef const uint8_t* text
    cdef Py_ssize_t length
    if not hr_is_exact_text(name) or not hr_text_ascii(name):
        return 0
    text = hr_text_data(name)
    length = PyUnicode_GET_LENGTH(name)
    if length == 1:
        return text[0]
    if length == 2:
        return load_u16(text)
    return load_u32(text) if length == 4 else 0


cdef inline bint is_tag(uint32_t tag) noexcept:
    return (
        tag == S or tag == N or tag == B or tag == L or tag == M or tag == SS or tag == NS
        or tag == BS or tag == BOOL or tag == NULL_TAG
    )


# Encode what stands behind a tag. Strings and numbers need not be held: nothing that reads them
# runs Python code before it is done with them.
cdef inline int tagged_encode(
    Encoder* encoder, NameTable names, uint32_t tag, PyObject* value,
) except -1:
    if value == Py_None:
        return refuse_empty()
    if tag == S:
        return text_write(encoder, value)
    if tag == N:
        return number_write(encoder, value)
    Py_INCREF(value)
    try:
        return rarer_encode(encoder, names, tag, value)
    finally:
        Py_DECREF(value)


cdef int rarer_encode(
    Encoder* encoder, NameTable names, uint32_t tag, PyObject* value,
) except -1:
    if tag == M:
        return map_encode(encoder, names, value)
    if tag == L:
        return list_encode(encoder, names, value)
    if tag == SS:
        return set_encode(encoder, TAG_STRING_SET, value)
    if tag == NS:
        return set_encode(encoder, TAG_NUMBER_SET, value)
    if tag == BS:
        return set_encode(encoder, TAG_BINARY_SET, value)
    if tag == B:
        return binary_write(encoder, value)
    if tag == BOOL or tag == NULL_TAG:
        return boolean_write(encoder, value, tag == NULL_TAG)
    return refuse_empty()


# A value of no members or several: those that are null or unknown do not count. Each is encoded
# before several are refused, as the service looks at them first.
cdef int several_encode(Encoder* encoder, NameTable names, object value) except -1:
    cdef list members = []
    cdef object tag, content
    # A copy: what is made here may start the garbage collector, and that anything.
    for tag, content in dict.copy(value).items():
        if isinstance(tag, str):
            tag = str.__str__(tag)
            if content is not None and is_tag(tag_of(<PyObject*>tag)):
                members.append((tag, content))
    if not members:
        return refuse_empty()
    for tag, content in members:
        tagged_encode(encoder, names, tag_of(<PyObject*>tag), <PyObject*>content)
    if len(members) > 1:
        return refuse(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of"
            " the supported datatypes"
        )
    return 0


cdef int typed_value(Encoder* encoder, NameTable names, PyObject* value) except -1:
    cdef PyObject* name
    cdef PyObject* content
    cdef Py_ssize_t pos = 0
    if PyDict_Check(value) and PyDict_GET_SIZE(value) == 1:
        if PyDict_Next(value, &pos, &name, &content) and hr_is_exact_text(name):
            return tagged_encode(encoder, names, tag_of(name), content)
    if value == Py_None:
        return refuse_empty()
    if not PyDict_Check(value):
        return refuse_misfit(value, "AttributeValue")
    return several_encode(encoder, names, <object>value)
