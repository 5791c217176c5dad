"""Encoded bytes to the typed form."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ddbcore.decoder cimport Decoder
from ddbcore.names cimport NameTable
from ddbcore.number cimport Number
from ddbcore.pyapi cimport PyObject

# The functions below return a new reference, or NULL: then decoder_raise tells.
# Decode the attribute value at *data, which moves behind it.
cdef PyObject* typed_decode(
    Decoder* decoder, NameTable names, const uint8_t** data, const uint8_t* limit, int level,
) noexcept
# Decode `count` names and values that fill data..limit. The top level begins with the key
# attributes, attribute values whose references are taken over; NULL elsewhere.
cdef PyObject* typed_entries(
    Decoder* decoder, NameTable names, const uint8_t* data, const uint8_t* limit, int level,
    uint64_t count, PyObject* hash_value, PyObject* range_value,
) noexcept
# The text of a number.
cdef PyObject* typed_digits(Decoder* decoder, const Number* number) noexcept
# {tag: value}: takes over the reference to the value, which may be NULL.
cdef PyObject* tagged(str tag, PyObject* value) noexcept
