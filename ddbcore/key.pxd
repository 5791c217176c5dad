"""Key attributes: Python values to key bytes, whose memcmp order is DynamoDB's order, and back."""

from libc.stdint cimport int64_t, uint8_t

from ddbcore.buffer cimport Buffer
from ddbcore.decoder cimport Decoder
from ddbcore.pyapi cimport PyObject


cdef struct KeyPart:
    PyObject* name                        # borrowed str; NULL: the table has no such key
    int64_t name_size                     # UTF-8 bytes
    Py_ssize_t size_max                   # bytes of a value
    uint8_t kind                          # ord of "S", "N" or "B"; 0 without a name
    bint is_range


# Set up a part. The caller keeps `name` alive. Raises ValidationError for names and types that no
# key attribute has.
cdef int key_open(KeyPart* part, str name, str kind, bint is_range) except -1
# Append the bytes of one key value; *size grows by its DynamoDB size. Returns 1 when it is an ASCII
# string, else 0. Prefixes may be empty. Raises ValidationError; `out` may have grown then.
cdef int key_encode(
    const KeyPart* part, object value, bint allow_empty, Buffer* out, int64_t* size,
) except -1
# The value of key bytes: a new reference, or NULL (then decoder_raise tells).
cdef PyObject* key_decode(
    Decoder* decoder, const KeyPart* part, bint is_ascii, const uint8_t* data, size_t size,
) noexcept
# Check key bytes: 0, or ERR_CORRUPT.
cdef int key_check(
    const KeyPart* part, bint is_ascii, const uint8_t* data, size_t size,
) noexcept nogil
