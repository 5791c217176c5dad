"""Walks: a cursor with a filter, a projection, an index on its way."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from ddbcore.cursor cimport Cursor
from ddbcore.filter cimport Filter
from ddbcore.keyspace cimport Keyspace
from ddbcore.pages cimport Reader
from ddbcore.projection cimport Projection, Selection
from ddbcore.record cimport Record
from ddbcore.sieve cimport Sieve
from ddbcore.table cimport CoreTable

cdef enum:
    BATCH_MAX = 4096                      # records that one evaluation decides
    BATCH_FREE_MIN = 32                   # fewer are decided with the GIL
    WALKED_MIN = 4096                     # records decided before a sieve is thought of
    WALKED_SHARE = 256                    # and one in so many of the table
    PASSED_SHARE_MAX = 16                 # at most one in so many passed
    PREFETCH_AHEAD = 12                   # records; deciding one covers a tenth of a cache miss


cdef struct Place:
    # A record that is known to be mapped, and the bytes from its start to the end of its segment.
    const uint8_t* record
    uint64_t room


cdef class Walk:
    cdef Cursor source                    # over the table, or over the entries of an index
    cdef readonly CoreTable table         # that the items are of
    cdef Reader reader                    # of the index, or None
    cdef uint64_t schema_version          # when `reader.index` was looked up
    cdef Filter condition
    cdef Projection projection
    cdef object names                     # of the projection
    cdef Selection selection              # of the projection, for the table's codec
    cdef object key_of                    # or None
    cdef Sieve sieve                      # that fills the cursor's windows, or None
    cdef bint sieve_tried
    cdef uint64_t walked                  # records decided
    cdef uint64_t passed                  # of them
    cdef Place* places                    # of the records of the cursor's window
    cdef uint32_t* hits                   # the places that passed
    cdef uint32_t capacity
    cdef uint32_t place_count
    cdef uint32_t hit_count
    cdef uint32_t hit_next
    cdef uint64_t version                 # of the table's keyspace when they were found
    cdef Keyspace* space
    cdef int64_t remaining                # items still to return; -1: no limit
    cdef bint ended                       # nothing follows the window
    cdef bint finished
    cdef bint busy                        # a call is under way

    cdef object step(self)
    # Catch up with the writer, and with what became of the tables. Pins are let go meanwhile.
    cdef int enter(self) except -1
    cdef int rebind(self) except -1
    # Whether what the last batch found may still be used.
    cdef bint fresh(self) noexcept
    # Find and decide what follows. 0 at the end of the walk.
    cdef int gather(self) except -1
    cdef int reserve(self, uint32_t count) except -1
    # Come to a moment at which nobody writes, with everything bound to what the table is then.
    cdef int settle(self) except -1
    # Whether the rest of a scan is better found in the log, and doing so.
    cdef bint sievable(self)
    cdef Sieve sift(self)
    # Fill the cursor's window from the sieve. 0 when there is no going on with it.
    cdef bint sieve_fill(self) except -1
    # The entries of the window that lie in the cursor's bounds.
    cdef uint32_t inside_count(self) except? 0xFFFFFFFF
    cdef int find_records(self, uint32_t count) except -1
    cdef int find_items(self, uint32_t count) except -1
    cdef int decide(self) except -1
    cdef bint widen_place(self, uint32_t index) except -1
    cdef const Record* entry(self, uint32_t index) except NULL
    cdef object item(self, const Place* place)
