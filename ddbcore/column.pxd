"""A column: one attribute of many items, as it grows from item bytes and when it is done."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ddbcore.buffer cimport Buffer
from ddbcore.decoder cimport Decoder
from ddbcore.item cimport ItemCodec
from ddbcore.operand cimport Operand
from ddbcore.steps cimport PathElement

cdef enum:
    ERR_MIXED = -20                       # a value of another type than the column's

cdef class ColumnData

cdef enum ColumnKind:
    KIND_NONE = 0                         # no item has had it yet
    KIND_INTEGER = 1                      # values: int64
    KIND_FLOAT = 2                        # values: double
    KIND_NUMBER = 3                       # values: Number
    KIND_BOOL = 4                         # values: a byte each
    KIND_TEXT = 5                         # values: int64 offsets into data, one more than rows
    KIND_BINARY = 6                       # the same
    KIND_OBJECT = 7                       # the same; data: encoded values


cdef struct Column:
    # One column while it grows. A row without a value has valid 0, and 0, NaN or no bytes.
    const PathElement* elements           # below the attribute
    uint32_t element_count
    uint32_t field
    uint8_t kind                          # ColumnKind
    uint8_t type                          # OperandType of its values
    bint exact                            # numbers that are no int64 stay what they are
    bint untyped                          # values of all types, as KIND_OBJECT
    uint64_t expected                     # rows, a guess
    uint64_t absent_count
    Buffer valid                          # a byte per row: 1 has a value, 0 has none
    Buffer values
    Buffer data


# Append what an item has (TYPE_ABSENT: nothing). 0, ERR_MIXED, ERR_CORRUPT or ERR_MEMORY.
cdef int column_add(Column* column, const Operand* found) noexcept nogil
# Wish for large pages in a block of memory, if it is large.
cdef void memory_enlarge(uint8_t* data, size_t size) noexcept nogil
cdef void column_free(Column* column) noexcept
# The column as it is now; its buffers go into it. codec: what its values are decoded with.
cdef ColumnData column_finish(Column* column, ItemCodec codec)
# The double nearest to a number.
cdef double number_float(uint64_t high, uint64_t low, int exponent, bint negative) noexcept nogil


cdef class Block:
    """Bytes that others may view; freed with the last view."""
    cdef Buffer bytes
    cdef Py_ssize_t shape[1]
    cdef Py_ssize_t strides[1]


cdef class ColumnData:
    """A finished column."""
    cdef ItemCodec codec
    cdef readonly uint64_t count          # rows
    cdef readonly uint64_t absent_count   # rows without a value
    cdef readonly Block valid
    cdef readonly Block values
    cdef readonly Block data
    cdef uint8_t kind_number              # ColumnKind

    # Set up a decoder for `object_at`; whether all text is ASCII.
    cdef bint begin(self, Decoder* decoder, uint8_t* fresh) noexcept
    cdef object object_at(self, uint64_t row, Decoder* decoder, bint is_ascii)
    cdef object number_at(self, uint64_t row)
    cdef object digits_at(self, uint64_t row)
    cdef tuple decimals(self)
