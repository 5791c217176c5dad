"""Python values to encoded bytes. FORMAT.md, section "Items"."""

from libc.stdint cimport int64_t, uint8_t

from ddbcore.buffer cimport Buffer
from ddbcore.names cimport NameTable, name_find
from ddbcore.pyapi cimport PyObject, hr_text_equal, hr_text_hash
from ddbcore.record cimport DEPTH_MAX
from ddbcore.value cimport varint_write


cdef struct Encoder:
    Buffer* out                           # the caller's; nobody else appends while we run
    int64_t item_size                     # DynamoDB's size of what was encoded so far
    int level                             # nesting level of the value in hand, 1 on top
    # Where we are, for messages: at each level the name (held by the frame that set it, and cleared
    # when it lets go), or NULL and the index in a list.
    PyObject* path[DEPTH_MAX + 2]
    Py_ssize_t index[DEPTH_MAX + 2]


cdef void encoder_open(Encoder* encoder, Buffer* out) noexcept
# Append one value; adds to item_size. Raises ValidationError, ItemTooLarge, MemoryError.
cdef int encoder_value(Encoder* encoder, NameTable names, PyObject* value) except -1
# Append the attribute block of a dict: count, then name and value of each but the one or two key
# attributes. 0, or 1 when a name is an instance of a subclass of str: call again with
# encoder_plain(items).
cdef int encoder_block(
    Encoder* encoder, NameTable names, PyObject* items, PyObject* hash_name, PyObject* range_name,
    Py_ssize_t key_count,
) except -1
# A dict with the same entries whose names are exact str. Raises ValidationError for names that are
# no str, or become equal.
cdef dict encoder_plain(Encoder* encoder, object items)
# Append UTF-8 without a tag; returns its length. Raises ValidationError for lone surrogates, naming
# `subject`.
cdef Py_ssize_t encoder_text(Buffer* out, PyObject* text, str subject) except -1
# The bytes of a memoryview. Raises ValueError for a released one, ValidationError (which is one)
# for elements of several bytes.
cdef bytes encoder_view(object view)
# The pieces of a value; they raise as encoder_value does.
cdef int text_encode(Encoder* encoder, PyObject* text) except -1
cdef int binary_encode(Encoder* encoder, const char* data, Py_ssize_t size) except -1
# Write the tag, room for a size of one byte, and the count. Returns where the size stands.
cdef size_t container_open(Encoder* encoder, uint8_t tag, Py_ssize_t count) except? 0
cdef int container_close(Encoder* encoder, size_t start) except -1
# Write the name of an attribute that no id was found for.
cdef int name_encode(Encoder* encoder, NameTable names, PyObject* name) except -1
cdef int refuse_change(Encoder* encoder) except -1
cdef int refuse_size(Encoder* encoder) except -1
cdef int reserve_more(Buffer* out, size_t extra) except -1


# Make room for `extra` more bytes. Raises MemoryError.
cdef inline int reserve(Buffer* out, size_t extra) except -1:
    if out.capacity - out.size >= extra:
        return 0
    return reserve_more(out, extra)


# Write the name of an attribute, an exact str that the caller holds.
cdef inline int encoder_name(Encoder* encoder, NameTable names, PyObject* name) except -1:
    cdef Buffer* out = encoder.out
    cdef int64_t name_id = name_find(names, name)
    encoder.path[encoder.level] = name
    if name_id < 0:
        return name_encode(encoder, names, name)
    reserve(out, 5)
    if name_id < 0x7F:
        out.data[out.size] = <uint8_t>(name_id + 1)
        out.size += 1
    else:
        out.size += varint_write(out.data + out.size, name_id + 1)
    encoder.item_size += names.sizes[name_id]
    return 0


# Whether an exact str is the wanted one, which may be NULL.
cdef inline bint is_name(PyObject* name, PyObject* wanted) noexcept:
    if name == wanted:
        return True
    if wanted == NULL or hr_text_hash(name) != hr_text_hash(wanted):
        return False
    return hr_text_equal(name, wanted)
