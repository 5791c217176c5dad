"""The Arrow C data interface: streams of columns out to others, and in from them.

The three structs are the interface's own (arrow.apache.org/docs/format/CDataInterface.html).
"""

from libc.stdint cimport int32_t, int64_t, uint8_t

cdef extern from *:
    """
    #ifndef ARROW_C_DATA_INTERFACE
    #define ARROW_C_DATA_INTERFACE
    #include <stdint.h>
    struct ArrowSchema {
        const char* format;
        const char* name;
        const char* metadata;
        int64_t flags;
        int64_t n_children;
        struct ArrowSchema** children;
        struct ArrowSchema* dictionary;
        void (*release)(struct ArrowSchema*);
        void* private_data;
    };
    struct ArrowArray {
        int64_t length;
        int64_t null_count;
        int64_t offset;
        int64_t n_buffers;
        int64_t n_children;
        const void** buffers;
        struct ArrowArray** children;
        struct ArrowArray* dictionary;
        void (*release)(struct ArrowArray*);
        void* private_data;
    };
    #endif
    #ifndef ARROW_C_STREAM_INTERFACE
    #define ARROW_C_STREAM_INTERFACE
    struct ArrowArrayStream {
        int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
        int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
        const char* (*get_last_error)(struct ArrowArrayStream*);
        void (*release)(struct ArrowArrayStream*);
        void* private_data;
    };
    #endif
    """
    struct ArrowSchema:
        const char* format
        const char* name
        const char* metadata
        int64_t flags
        int64_t n_children
        ArrowSchema** children
        ArrowSchema* dictionary
        void (*release)(ArrowSchema*) noexcept nogil
        void* private_data

    struct ArrowArray:
        int64_t length
        int64_t null_count
        int64_t offset
        int64_t n_buffers
        int64_t n_children
        const void** buffers
        ArrowArray** children
        ArrowArray* dictionary
        void (*release)(ArrowArray*) noexcept nogil
        void* private_data

    struct ArrowArrayStream:
        int (*get_schema)(ArrowArrayStream*, ArrowSchema*) noexcept nogil
        int (*get_next)(ArrowArrayStream*, ArrowArray*) noexcept nogil
        const char* (*get_last_error)(ArrowArrayStream*) noexcept nogil
        void (*release)(ArrowArrayStream*) noexcept nogil
        void* private_data

cdef enum FeedKind:
    FEED_NULL = 0
    FEED_BOOL = 1
    FEED_SIGNED = 2
    FEED_UNSIGNED = 3
    FEED_FLOAT = 4
    FEED_TEXT = 5
    FEED_BINARY = 6
    FEED_DECIMAL = 7
    FEED_LIST = 8
    FEED_STRUCT = 9

cdef enum FeedLayout:
    LAYOUT_PLAIN = 0
    LAYOUT_OFFSETS_32 = 1
    LAYOUT_OFFSETS_64 = 2
    LAYOUT_VIEWS = 3                      # 16 bytes a cell: size, then the text or where it is
    LAYOUT_FIXED = 4                      # `width` elements or bytes each


cdef struct Feed:
    # A column that comes in: what its schema says, and where the batch in hand has it.
    uint8_t kind                          # FeedKind
    uint8_t layout                        # FeedLayout
    int64_t width                         # bytes of a number; see LAYOUT_FIXED
    int scale                             # of decimals: digits behind the point
    int64_t child_count
    Feed* children                        # owned
    Feed* dictionary                      # owned; then this is the column of its indexes
    void* name                            # PyObject*: the str of a child, borrowed from the reader
    int64_t length                        # of the batch, from here on
    int64_t offset
    const uint8_t* valid                  # a bit per cell; NULL: all are valid
    const void** buffers                  # behind the validity's
    int64_t buffer_count


cdef class ArrowReader:
    """A stream that comes in: its columns, batch by batch."""
    cdef ArrowArrayStream stream
    cdef ArrowArray array                 # the batch in hand
    cdef Feed root                        # its children are the columns
    cdef readonly tuple names             # of the columns
    cdef list kept                        # names of nested columns
    cdef readonly int64_t count           # rows of the batch in hand

    cdef int stream_fail(self, int number, str doing) except -1
    cdef int shape(self, const ArrowSchema* schema, Feed* feed, str path, int level) except -1
    cdef int shape_children(
        self, const ArrowSchema* schema, Feed* feed, str path, int level,
    ) except -1
    cdef int attach(self, const ArrowArray* array, Feed* feed, str path) except -1
    cdef str name_of(self, const ArrowSchema* schema)
    # Move on to the next batch: 1, or 0 at the end. Raises ValidationError.
    cdef int advance(self) except -1


# Whether a cell has a value; of a dictionary's, that the index has one.
cdef inline bint feed_valid(const Feed* feed, int64_t row) noexcept nogil:
    cdef int64_t place = feed.offset + row
    if feed.kind == FEED_NULL:
        return False
    return feed.valid == NULL or feed.valid[place >> 3] >> (place & 7) & 1


# The integer in a cell of a FEED_SIGNED or FEED_UNSIGNED; unsigned ones of 64 bits as their bits.
cdef int64_t feed_integer(const Feed* feed, int64_t row) noexcept nogil
# The bytes of a FEED_TEXT or FEED_BINARY cell. 0, or -1 when they cannot be where it says.
cdef int feed_bytes(
    const Feed* feed, int64_t row, const uint8_t** data, int64_t* size,
) noexcept nogil
# Where a FEED_LIST cell's elements are in its child. 0, or -1 when they cannot be.
cdef int feed_list(const Feed* feed, int64_t row, int64_t* first, int64_t* count) noexcept nogil
# The decimal of a FEED_DECIMAL as text, at most ARROW_DECIMAL_BYTES; its length.
cdef int feed_decimal(const Feed* feed, int64_t row, char* out) noexcept nogil

cdef enum:
    ARROW_DECIMAL_BYTES = 64
