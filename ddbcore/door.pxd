"""Disks as Python sees them: the door through which tests open, write, map and sync."""

from libc.stdint cimport uint8_t, uint64_t

from ddbcore.io cimport Disk


cdef class DiskMap:
    """One map of a file, as a buffer: for tests."""

    cdef readonly Disk disk
    cdef uint8_t* data                    # NULL once unmapped
    cdef uint64_t size
    cdef bint writable
    cdef int exports                      # buffers handed out


cdef class DiskDoor:
    """The methods of a Disk for Python: for tests."""

    cdef readonly Disk disk
