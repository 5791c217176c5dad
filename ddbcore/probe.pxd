"""Doors for tests of the index: a partition of its own, and the check of a table in use."""

from ddbcore.arena cimport Arena
from ddbcore.io cimport Disk
from ddbcore.partition cimport Partition

cdef class PartitionProbe:
    cdef Disk disk
    cdef Arena arena
    cdef Partition partition
    cdef bint ready

    cdef int settle(self, int status) except -1
