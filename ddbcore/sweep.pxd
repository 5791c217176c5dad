"""Sweeps: the addresses of a scan, in no order."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from ddbcore.cursor cimport Scan
from ddbcore.keyspace cimport Keyspace
from ddbcore.record cimport Record

cdef enum:
    ROOM_MIN = 1024                       # addresses; the fullest leaf has fewer

cdef enum SweepEnd:
    SWEEP_DONE = 0                        # nothing follows
    SWEEP_FULL = 1                        # the entries of the next tag have no room left
    SWEEP_LARGE = 2                       # the next tag's are more than one may take at once

cdef struct SweepPlace:
    # Where a sweep is: all entries of smaller tags were taken.
    uint64_t tag
    uint64_t stop                         # the first tag that is not the sweep's
    uint64_t last                         # the last tag that was taken
    uint32_t group                        # where its addresses start


# Take the addresses of whole tags: SweepEnd with *count of them, or an error.
cdef int sweep_entries(Keyspace* space, SweepPlace* place, uint64_t* out, uint32_t room,
                       uint32_t* count) noexcept nogil


cdef class Sweep:
    cdef Scan scan                        # what is swept; its last_key is kept up to date
    cdef Scan part                        # walks the tags that need a look at keys
    cdef SweepPlace place
    cdef bint in_part                     # `part` is under way
    cdef bint ending                      # and nothing comes behind it

    # Start to walk hashes from lower up to upper (0: to the end) in order.
    cdef int begin_part(self, uint64_t lower, uint64_t upper) noexcept
    # Gather what follows, at most room (ROOM_MIN or more) addresses; 0 at the end. The engine must
    # be pinned. Runs no Python code unless it raises or the table was loaded anew.
    cdef int64_t take(self, uint64_t* out, uint32_t room) except -1
    cdef int64_t take_part(self, uint64_t* out, uint32_t room) except -1
    cdef const Record* record_of(self, uint64_t address) except NULL
