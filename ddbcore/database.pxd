"""A database handle: open, close, tables, statistics."""

from ddbcore.engine cimport Engine
from ddbcore.io cimport Disk

cdef class CoreDatabase:
    cdef readonly Engine engine
    cdef Disk disk
    cdef int lock_fd
    cdef list threads
    cdef bint closed
    cdef object __weakref__
