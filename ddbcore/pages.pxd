"""Pages of a Query or Scan in DynamoDB's own form."""

from libc.stdint cimport uint64_t

from ddbcore.buffer cimport Buffer
from ddbcore.filter cimport Filter
from ddbcore.indexes cimport IndexState
from ddbcore.json_writer cimport JsonItems
from ddbcore.projection cimport Selection
from ddbcore.record cimport Record
from ddbcore.table cimport CoreTable

cdef class Reader:
    """What one page is read with."""
    cdef CoreTable table
    cdef IndexState index                 # that is read, or None
    cdef Buffer key
    cdef uint64_t address                 # of the item that `base` found

    # Look the index up again: the tables' schemas changed.
    cdef int renew(self) except -1
    # Bring what `base` of an entry looks at first nearer; the hash of the item's key.
    cdef uint64_t fetch(self, const Record* entry) noexcept
    # The item that an index entry leads to.
    cdef const Record* base(self, const Record* entry) except NULL
    # Decide the filter; over what an index shows of the item when `shown` is given.
    cdef bint passes(self, Filter condition, const Record* record, Selection shown) except -1
    cdef object item(self, const Record* record, Selection selection)
    # Add an item to those that are text.
    cdef int write(self, const Record* record, Selection selection, JsonItems items) except -1
    # The LastEvaluatedKey of an item: its key, and the index's.
    cdef dict last_key(self, const Record* record)

# An index of a table by its name. Raises ValidationError.
cdef IndexState index_named(CoreTable table, str name)
