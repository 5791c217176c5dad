"""Items: Python values to record bytes and back. The format is FORMAT.md, section "Items".

Boundary functions raise; kernels return a status (0 or ERR_CORRUPT). All of them run with the GIL
held unless marked nogil. The kernels live in value.pxd, the dictionary of names in names.pxd; both
are importable from here.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.buffer cimport Buffer
from ddbcore.decoder cimport Decoder, Memory
from ddbcore.key cimport KeyPart
from ddbcore.names cimport NAME_COUNT_MAX, NAME_INTERNED_BYTES_MAX, NameTable
from ddbcore.pyapi cimport PyObject
from ddbcore.record cimport Record
from ddbcore.status cimport ERR_CORRUPT
from ddbcore.value cimport (
    TAG_ASCII, TAG_BINARY, TAG_BINARY_SET, TAG_DECIMAL16, TAG_DECIMAL32, TAG_DECIMAL64, TAG_FALSE,
    TAG_INT16, TAG_INT32, TAG_INT64, TAG_INT8, TAG_LIST, TAG_MAP, TAG_NULL, TAG_NUMBER,
    TAG_NUMBER_SET, TAG_SMALL_INT, TAG_STRING_SET, TAG_TRUE, TAG_UTF8, ValueTag, record_check,
    value_size, value_skip, varint_read,
)

ctypedef void (*KeySeen)(void* context, const uint8_t* key, size_t size) noexcept


cdef class ItemCodec:
    """Encodes and decodes the items of one keyspace: its key schema and its names."""

    cdef readonly str hash_name
    cdef readonly str hash_type           # "S", "N" or "B"
    cdef readonly str range_name          # None without a range key
    cdef readonly str range_type          # None without a range key
    cdef readonly NameTable names
    cdef KeyPart hash_part
    cdef KeyPart range_part               # its name is NULL without a range key
    cdef Memory memory                    # what decoding remembers

    # Append a whole record (header, keys, block) of kind RECORD_PUT to `out`; keyspace_id is left
    # 0. Raises ValidationError, ItemTooLarge, MemoryError; `out` then has its old size.
    # seen (may be NULL) is called with `context` and the hash key as soon as it is encoded, so that
    # what it leads to is on its way while the attributes are encoded.
    cdef int encode_item(
        self, object item, Buffer* out, KeySeen seen=*, void* context=*,
    ) except -1
    # Append a record of header and keys only (empty attribute block is NOT written; kind
    # RECORD_DELETE). range_value is None exactly when the table has no range key.
    cdef int encode_key(self, object hash_value, object range_value, Buffer* out) except -1
    # Append only the encoded bytes of one key value (hash key when is_range == 0). Returns 1 when
    # it is an ASCII string, else 0. Ranges of prefixes (begins_with) use it too: `allow_empty`
    # accepts "" and b"".
    cdef int encode_key_value(
        self, object value, bint is_range, bint allow_empty, Buffer* out,
    ) except -1
    # The item of a record of `size` readable bytes: a new dict. Raises CorruptError. `weight` (may
    # be NULL) gets an estimate of the memory the dict takes, in bytes, for the item cache, and
    # `nested` (may be NULL) 1 when a value is mutable (list, dict, set), else 0.
    cdef dict decode_item(self, const uint8_t* record, size_t size, size_t* weight, int* nested)
    # The key of a record: hash value, or (hash value, range value).
    cdef object decode_key(self, const uint8_t* record, size_t size)
    # Append one encoded value (operand of an expression).
    cdef int encode_value(self, object value, Buffer* out) except -1
    # Decode one value of at most `size` bytes.
    cdef object decode_value(self, const uint8_t* data, size_t size)
    # Check what record_check cannot: that the keys are of the types and sizes of this table. 0 or
    # ERR_CORRUPT. No GIL needed.
    cdef int check_keys(self, const uint8_t* record, size_t size) noexcept nogil


# Copy the header, and return where the attribute block starts; NULL when it does not fit the bytes.
cdef const uint8_t* header_read(
    Decoder* decoder, const uint8_t* record, size_t size, Record* header,
) noexcept
