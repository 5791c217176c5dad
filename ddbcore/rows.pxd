"""Rows: columns that come in, as Arrow data or lists, to items of a batch."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

from ddbcore.arrow cimport ArrowReader, Feed
from ddbcore.buffer cimport Buffer
from ddbcore.encoder cimport Encoder
from ddbcore.item cimport ItemCodec
from ddbcore.key cimport KeyPart
from ddbcore.number cimport Number
from ddbcore.batch cimport Batch

cdef struct Cell:
    # Where a column's values come from: a feed, or a list.
    const Feed* feed
    void* values                          # PyObject*: a list, or NULL
    void* name                            # PyObject*: the str
    bint always                           # every row of the batch in hand has a value


# The number that a double, or a float of 32 bits, is written as: the one of the fewest digits that
# reads back as it. 0, or -1 with ValidationError (NaN, infinity, range).
cdef int number_of_float(double value, bint single, Number* out) except -1


cdef class RowWriter:
    """Writes rows to a batch."""
    cdef Batch batch
    cdef ItemCodec codec
    cdef ArrowReader reader               # None: lists only
    cdef list names                       # of the columns, str
    cdef list lists
    cdef Cell* cells                      # those that are no key
    cdef int64_t cell_count
    cdef Cell hash_cell
    cdef Cell range_cell
    cdef bint floats                      # floats are taken
    cdef bint nan_null                    # NaN leaves the attribute out
    cdef readonly int64_t count           # rows so far
    cdef readonly int64_t written         # of them committed
    cdef void* at                         # PyObject*: name of the column in hand, or NULL

    cdef int place(self, str name, const Feed* feed, list values) except -1
    cdef int row_append(self, int64_t row, Buffer* out) except -1
    cdef bint present(self, const Cell* cell, int64_t row) except -1
    cdef int key_append(
        self, const Cell* cell, const KeyPart* part, int64_t row, Buffer* out, int64_t* size,
    ) except -1
    cdef int value_append(self, const Feed* feed, int64_t row, Encoder* encoder) except -1
    cdef int list_append(self, const Feed* feed, int64_t row, Encoder* encoder) except -1
    cdef int struct_append(self, const Feed* feed, int64_t row, Encoder* encoder) except -1
    cdef bint missing(self, const Feed* feed, int64_t row) except -1
    cdef object exact(self, object value)
    cdef int number_read(self, const Feed* feed, int64_t row, Number* out) except -1
    cdef int write_rows(self, int64_t count) except -1
    # How many rows are written, in words for errors.
    cdef str so_far(self)
    cdef bint advance(self) except -1
