"""Columns: attributes of many items, read from item bytes."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from ddbcore.column cimport Column
from ddbcore.cursor cimport Cursor
from ddbcore.filter cimport Filter
from ddbcore.item cimport ItemCodec
from ddbcore.operand cimport Field, FieldTable, Operand
from ddbcore.pages cimport Reader
from ddbcore.record cimport Record
from ddbcore.segments cimport LogView, address_offset, address_slot
from ddbcore.steps cimport Bound, Path, PathElement
from ddbcore.sweep cimport Sweep
from ddbcore.table cimport CoreTable

cdef enum:
    BATCH_ORDERED = 1024                  # records read between two looks at the index, in order
    BATCH_SORTED = 1048576                # the same where the order of rows is free
    COLUMN_COUNT_MAX = 4096


cdef class ColumnReader:
    """One reading of columns."""
    cdef Cursor cursor
    cdef CoreTable items                  # what the columns are of
    cdef Reader reader                    # of the index that the cursor is over, or None
    cdef uint64_t schema_version          # when `reader.index` was looked up
    cdef object visible                   # what the condition may see; None: all
    cdef bint busy                        # a call is under way
    cdef bint is_scan
    cdef Sweep sweep                      # of the cursor, or None
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
    cdef LogView* view                    # while the engine is pinned
    cdef uint64_t* batch                  # addresses
    cdef uint64_t* sorted                 # room to sort them; NULL: rows keep the cursor's order
    cdef uint64_t* entries                # the index entries of the batch, where their order counts
    cdef uint32_t batch_max
    cdef uint32_t batch_count
    cdef uint32_t batch_next              # the first that was not read
    cdef int64_t wanted                   # rows still to take; -1: all
    cdef readonly uint64_t count          # rows taken
    # (number of the column, type so far, type met, key) when its types differ, else None
    cdef readonly tuple conflict
    cdef uint32_t conflict_column
    cdef uint8_t conflict_type

    # Bind fields, and the filter, to the names that the keyspace has now.
    cdef int bind(self) except -1
    # Fill the batch with the addresses that follow; how many. The engine must be pinned.
    cdef int64_t gather(self) except -1
    # The sweep's next addresses, or the cursor's next window of them.
    cdef int gather_sweep(self) except -1
    cdef int gather_window(self) except -1
    # Put the items in the place of the index entries that the batch has from `start` on.
    cdef int follow(self, uint32_t start) except -1
    cdef int enter(self) except -1
    cdef list read_batches(self)
    # Add an address to the batch; 0 when the walk ends before it.
    cdef bint gather_address(self, LogView* view, uint64_t address) except -1
    # Put neighbours in the log together: into thousands of buckets, in the order of addresses.
    cdef void sort(self) noexcept nogil
    # Take what the batch holds. 0, ERR_MIXED, ERR_CORRUPT or ERR_MEMORY; batch_next says how far.
    cdef int take(self) noexcept nogil
    cdef int take_record(self, const Record* record) noexcept nogil
    cdef inline const uint8_t* start_of(self, uint64_t address) noexcept nogil:
        return self.view.slots[address_slot(address)].base + address_offset(address)
    # The record of an address that gather_address saw, or NULL when its sizes are damaged.
    cdef const Record* record_of(self, uint64_t address) noexcept nogil
