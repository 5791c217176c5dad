"""Batches: puts and deletes of one table, written together."""

from libc.stdint cimport uint64_t

from ddbcore.buffer cimport Buffer
from ddbcore.table cimport CoreTable

cdef class Batch:
    cdef readonly CoreTable table
    cdef Buffer frame
    cdef bint busy
    cdef int durability
    cdef readonly uint64_t count          # puts and deletes since the last flush

    cdef int begin(self) except -1
    cdef int end(self, size_t start) except -1
