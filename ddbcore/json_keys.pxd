"""The bodies of plain requests: from JSON text to the record of a key, without objects."""

from libc.stdint cimport int64_t, uint8_t

from ddbcore.buffer cimport Buffer
from ddbcore.item cimport ItemCodec
from ddbcore.json_text cimport PlainText
from ddbcore.key cimport KeyPart
from ddbcore.record cimport Record


# Read {"TableName": table, "Key": and what follows it as far as the first byte of the key. Returns
# where that is, or NULL when the text is another one.
cdef const uint8_t* plain_get_read(
    const uint8_t* text, Py_ssize_t size, PlainText* table,
) noexcept nogil
# The same for {"TableName": table, "Item":
cdef const uint8_t* plain_put_read(
    const uint8_t* text, Py_ssize_t size, PlainText* table,
) noexcept nogil
# Whether a key attribute has this name.
cdef bint part_is_called(const KeyPart* part, const PlainText* name) noexcept
# Append the bytes of a key attribute; *added grows by its DynamoDB size. Returns 1 for an ASCII
# string, 0 for others, -2 when it is not plain or has no right size.
cdef int part_append(
    const KeyPart* part, const PlainText* text, Buffer* out, int64_t* added,
) except -1
# Append room for a record's header, and the key attributes; *header lacks kind and size. Returns 1,
# or 0 when one is not plain.
cdef int parts_append(
    ItemCodec codec, const PlainText* values, Buffer* out, Record* header, int64_t* added,
) except -1
# Append the record of the key that the text goes on with, as typed_key_append would. Returns 1, or
# 0 when the text is not plain, or not at its end behind the key (and a ConsistentRead): `out` may
# have grown then. Raises ValidationError for a number that is none; MemoryError.
cdef int plain_key_append(
    ItemCodec codec, const uint8_t* text, const uint8_t* end, Buffer* out,
) except -1
