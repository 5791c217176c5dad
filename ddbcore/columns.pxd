"""Columns: attributes of many items as arrays, taken from item bytes."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from ddbcore.buffer cimport Buffer
from ddbcore.cursor cimport Cursor
from ddbcore.filter cimport Filter
from ddbcore.item cimport ItemCodec
from ddbcore.operand cimport Field, FieldTable, Operand
from ddbcore.record cimport Record
from ddbcore.steps cimport Bound, Path, PathElement

cdef enum:
    BATCH_COUNT = 1024                    # records that are read between two looks at the index
    COLUMN_COUNT_MAX = 4096

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
    uint64_t absent_count
    Buffer valid                          # a byte per row: 1 has a value, 0 has none
    Buffer values
    Buffer data


# Append what an item has (TYPE_ABSENT: nothing). 0, ERR_MIXED, ERR_CORRUPT or ERR_MEMORY.
cdef int column_add(Column* column, const Operand* found) noexcept nogil
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

    cdef object number_at(self, uint64_t row)
    cdef object digits_at(self, uint64_t row)
    cdef tuple decimals(self)


cdef class ColumnReader:
    """One reading of columns."""
    cdef Cursor cursor
    cdef ItemCodec codec                  # that fields are bound to
    cdef Filter condition
    cdef const Bound* bound               # the condition's, or NULL
    cdef object program                   # of the condition, with what it was given
    cdef object condition_names
    cdef object condition_values
    cdef list name_objects                # by number of the name
    cdef Column* columns
    cdef uint32_t column_count
    cdef Path* paths
    cdef PathElement* path_elements       # names by number
    cdef uint32_t element_count
    cdef Field* fields                    # bound, as the four below
    cdef PathElement* elements
    cdef void** field_names
    cdef uint8_t* uses
    cdef Operand* found
    cdef FieldTable table
    cdef uint32_t interned_count          # names that the keyspace had at binding
    cdef const Record* batch[BATCH_COUNT]
    cdef uint32_t batch_count
    cdef uint32_t batch_next              # the first that was not read
    cdef int64_t wanted                   # rows still to take; -1: all
    cdef readonly uint64_t count          # rows taken
    # (number of the column, type so far, type met, key) when its types differ, else None
    cdef readonly tuple conflict
    cdef uint32_t conflict_column
    cdef uint8_t conflict_type

    cdef int bind(self) except -1
    cdef int gather(self) except -1
    # Take what the batch holds. 0, ERR_MIXED, ERR_CORRUPT or ERR_MEMORY; batch_next says how far.
    cdef int take(self) noexcept nogil
    cdef int take_record(self, const Record* record) noexcept nogil
    cdef ColumnData finish(self, uint32_t index)
