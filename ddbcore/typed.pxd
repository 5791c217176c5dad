"""The typed form: {"S": "a"}, {"N": "1.5"}, ... to records and values, and back, with no native
Python values in between.

Texts of errors are the service's, without what an operation puts in front of them. Errors are
ValidationError, its subclasses ItemTooLarge and SerializationError (a wrong JSON type, which the
service finds before anything else), and MemoryError; `out` then has its old size.
"""

from libc.stdint cimport uint8_t

from ddbcore.buffer cimport Buffer
from ddbcore.item cimport ItemCodec, KeySeen

# Append a whole record (header, keys, block) of kind RECORD_PUT, as ItemCodec.encode_item does;
# `seen` and `context` are as there.
cdef int typed_item_append(
    ItemCodec codec, object item, Buffer* out, KeySeen seen=*, void* context=*,
) except -1
# Append the record of header and keys of a Key map, as ItemCodec.encode_key does.
cdef int typed_key_append(ItemCodec codec, object key, Buffer* out) except -1
# Append one encoded value.
cdef int typed_value_append(ItemCodec codec, object value, Buffer* out) except -1
# The functions below raise CorruptError.
# The item of a record of `size` readable bytes.
cdef object typed_item_decode(ItemCodec codec, const uint8_t* record, size_t size)
# The key attributes of a record.
cdef object typed_key_decode(ItemCodec codec, const uint8_t* record, size_t size)
# The value that the bytes begin with.
cdef object typed_value_decode(ItemCodec codec, const uint8_t* data, size_t size)
