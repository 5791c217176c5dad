"""Items of plain PutItem requests: from JSON text to a record, without objects."""

from libc.stdint cimport int64_t, uint8_t

from ddbcore.buffer cimport Buffer
from ddbcore.item cimport ItemCodec
from ddbcore.json_reader cimport JsonReader
from ddbcore.names cimport NameTable

cdef enum:
    PLAIN_LEVELS_MAX = 16                 # deeper values are left to others
    PLAIN_ENTRIES_MAX = 127               # so are larger lists and maps: their count is one byte
    PLAIN_MEMBERS_MAX = 32                # of a set
    PLAIN_SET_BYTES_MAX = 512


# A text that is being encoded.
cdef struct Plain:
    const uint8_t* here
    const uint8_t* end
    Buffer* out
    int64_t item_size                     # DynamoDB's size of what was encoded


# Append the record of the item that the text goes on with, as typed_item_append would; `block` is
# for the attributes meanwhile. Returns 1, or 0 when the text is not plain, or not at its end behind
# the item: both buffers may have grown then. Raises ValidationError for numbers; MemoryError.
cdef int plain_item_append(
    ItemCodec codec, JsonReader reader, const uint8_t* text, const uint8_t* end, Buffer* out,
    Buffer* block,
) except -1
