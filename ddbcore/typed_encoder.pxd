"""The typed form to encoded bytes. Texts of errors are the service's."""

from libc.stdint cimport uint8_t, uint32_t

from ddbcore.encoder cimport Encoder
from ddbcore.names cimport NameTable
from ddbcore.number cimport Number
from ddbcore.pyapi cimport PyObject

cdef enum Tag:
    # The characters of a tag, the first one lowest.
    S = 0x53
    N = 0x4E
    B = 0x42
    L = 0x4C
    M = 0x4D
    SS = 0x5353
    NS = 0x534E
    BS = 0x5342
    BOOL = 0x4C4F4F42
    NULL_TAG = 0x4C4C554E


# The functions below raise ValidationError, ItemTooLarge, SerializationError or MemoryError.
# Append one attribute value, which the caller holds; adds to item_size.
cdef int typed_value(Encoder* encoder, NameTable names, PyObject* value) except -1
# Append the attribute block of a dict of attribute values, as encoder_block does: 0, or 1 when a
# name is an instance of a subclass of str.
cdef int typed_block(
    Encoder* encoder, NameTable names, PyObject* items, PyObject* hash_name, PyObject* range_name,
    Py_ssize_t key_count,
) except -1
# Parse the content of an N.
cdef int typed_number(PyObject* text, Number* number) except -1
# The content of a B: bytes, what can be looked at as bytes, or base64 text.
cdef bytes typed_blob(PyObject* value)
# The tag that a name is, or another number.
cdef uint32_t tag_of(PyObject* name) noexcept
cdef int refuse(str message) except -1
# Refuse a value that has not the wanted JSON type: see misfits.py.
cdef int refuse_misfit(PyObject* value, str wanted) except -1
cdef int refuse_empty() except -1
