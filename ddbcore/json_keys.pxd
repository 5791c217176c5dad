"""The bodies of plain GetItem requests: from JSON text to the record of a key, without objects."""

from libc.stdint cimport uint8_t

from ddbcore.buffer cimport Buffer
from ddbcore.item cimport ItemCodec


# A string of a JSON text that holds nothing but plain ASCII: what stands between its quotes.
cdef struct PlainText:
    const uint8_t* data
    Py_ssize_t size


# Read {"TableName": table, "Key": and what follows it as far as the first byte of the key. Returns
# where that is, or NULL when the text is another one.
cdef const uint8_t* plain_get_read(
    const uint8_t* text, Py_ssize_t size, PlainText* table,
) noexcept nogil
# Append the record of the key that the text goes on with, as typed_key_append would. Returns 1, or
# 0 when the text is not plain, or not at its end behind the key (and a ConsistentRead): `out` may
# have grown then. Raises ValidationError for a number that is none; MemoryError.
cdef int plain_key_append(
    ItemCodec codec, const uint8_t* text, const uint8_t* end, Buffer* out,
) except -1
