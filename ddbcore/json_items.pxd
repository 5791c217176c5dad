"""Records of items to JSON text: what typed.pyx and json_writer.pyx make in two steps, in one."""

from libc.stdint cimport uint8_t

from ddbcore.buffer cimport Buffer
from ddbcore.item cimport ItemCodec

# Append the JSON of the item of a record of `size` readable bytes. Raises CorruptError and
# MemoryError; `out` may have grown then. Runs no Python code.
cdef int json_item_append(
    ItemCodec codec, const uint8_t* record, size_t size, Buffer* out,
) except -1
