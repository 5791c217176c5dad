"""Verification: everything stored, walked and checked."""

from libc.stdint cimport uint64_t

from ddbcore.engine cimport Engine, TableState
from ddbcore.partition cimport HashSegment
from ddbcore.record cimport Record
from ddbcore.segments cimport LogSlot

cdef class WholeFrames:
    cdef uint64_t* starts                 # offsets of the frames, ascending; owned
    cdef uint64_t count
    cdef uint64_t capacity
    cdef uint64_t end                     # of the last whole frame
    cdef uint64_t lsn                     # behind it, 0 before the first
    cdef uint64_t budget                  # bytes that the search may still hash

    cdef int add(self, uint64_t offset) except -1
    cdef bint holds(self, const LogSlot* slot, uint64_t offset, uint64_t seed) noexcept nogil
    cdef int collect(self, const LogSlot* slot) except -1
    cdef const Record* record(self, const LogSlot* slot, uint64_t offset) noexcept nogil

cdef class Inspector:
    cdef readonly object database
    cdef Engine engine
    cdef readonly list errors
    cdef uint64_t* addresses
    cdef uint64_t capacity
    cdef dict frames                      # WholeFrames by slot, of segments with damaged blocks

    cdef int gather(self, TableState table, uint64_t ref, uint64_t* count) except -1
    cdef list segment_refs(self, HashSegment* segment)
    cdef const Record* whole_record(self, uint64_t address) except? NULL
