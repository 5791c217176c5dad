"""Cursors: lazy walks over an item collection (Query) or a whole table (Scan)."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from ddbcore.btree cimport Span
from ddbcore.buffer cimport Buffer
from ddbcore.keyspace cimport Keyspace
from ddbcore.record cimport Record
from ddbcore.table cimport CoreTable

cdef enum:
    WINDOW_MAX = 128                      # addresses gathered at a time, unless widened
    WINDOW_FIRST = 8                      # of the first time: most queries are short

cdef class Cursor:
    cdef readonly CoreTable table
    cdef uint64_t* window                 # `small`, or memory of its own
    cdef uint64_t small[WINDOW_MAX]
    cdef uint32_t window_capacity
    cdef uint32_t window_count
    cdef uint32_t window_next             # entry of the window to return next
    cdef uint32_t wanted                  # size of the next window
    cdef uint32_t wanted_max              # windows grow up to this; see widen
    cdef uint64_t version                 # of the keyspace when the window was gathered
    cdef Keyspace* space                  # it was gathered from
    cdef tuple schema                     # names and types of the keys
    cdef int64_t remaining                # items still to return; -1: no limit
    cdef bint started                     # `last` holds a key
    cdef bint finished
    cdef bint exhausted                   # nothing lay behind the window when it was gathered
    cdef Buffer last                      # hash key and range key of the last item returned
    cdef uint32_t last_hash_size

    # The next record, or NULL at the end. Pin the engine before any Python code may run.
    cdef const Record* advance(self) except? NULL
    # Gather the window that follows `last`; whether there is anything in it. Runs no Python code
    # unless it raises or the table was loaded anew.
    cdef bint regather(self) except -1
    # Whether the window is used up and nothing lies behind it, as long as the table is at rest.
    cdef bint at_end(self) noexcept
    # Make room for windows of `count` addresses.
    cdef int widen(self, uint32_t count) except -1
    # Gather the addresses that follow `last` (or the start). Raises.
    cdef int fill(self) except -1
    # The table's keyspace is another one. Raises TableNotFound when its keys are others.
    cdef int renew(self) except -1
    # Whether a record is still in bounds.
    cdef bint inside(self, const Record* record) noexcept
    cdef int remember(self, const Record* record) except -1
    # Whether a record lies behind the last one returned, in the direction of the walk.
    cdef bint ahead(self, const Record* record) noexcept
    cdef void prefetch(self, uint32_t index) noexcept

cdef class Query(Cursor):
    cdef Buffer key                       # encoded hash key
    cdef uint64_t hash
    cdef bint reverse
    cdef Buffer lower                     # encoded bounds of the range key
    cdef Buffer upper
    cdef bint has_lower
    cdef bint has_upper
    cdef bint lower_inclusive
    cdef bint upper_inclusive
    cdef int conditions(self, object between, object ge, object gt, object le, object lt, object eq,
                        object begins_with) except -1
    cdef int bound(self, object value, bint is_lower, bint inclusive) except -1
    cdef int prefixed(self, object prefix) except -1
    cdef int resume(self, object after) except -1

cdef class Scan(Cursor):
    cdef uint64_t hash_lower
    cdef uint64_t hash_upper              # exclusive; 0: no bound
    # Add what one entry refers to; 1 when the window is full.
    cdef int add_entry(self, uint64_t ref, bint is_last) except -1
    cdef int add_group(self, uint64_t* refs, uint32_t count, uint64_t last_hash) except -1
