"""Verification: everything stored, walked and checked."""

from libc.stdint cimport uint64_t

from ddbcore.engine cimport Engine, TableState
from ddbcore.partition cimport HashSegment

cdef class Inspector:
    cdef readonly object database
    cdef Engine engine
    cdef readonly list errors
    cdef uint64_t* addresses
    cdef uint64_t capacity

    cdef int gather(self, TableState table, uint64_t ref, uint64_t* count) except -1
    cdef list segment_refs(self, HashSegment* segment)
