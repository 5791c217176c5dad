"""Faults on order: which calls of a disk are to fail, and a real disk that obeys."""

from cpython.pythread cimport PyThread_type_lock
from libc.stdint cimport int64_t

from ddbcore.io cimport Disk


# The operations that can fail, in the order of FAULT_OPERATIONS in faults.pyx.
cdef enum FaultOperation:
    FAULT_OPEN
    FAULT_ALLOCATE
    FAULT_READ
    FAULT_WRITE
    FAULT_TRUNCATE
    FAULT_SYNC
    FAULT_SYNC_ROOT
    FAULT_RENAME
    FAULT_REMOVE
    FAULT_MAP
    FAULT_POPULATE
    FAULT_LOCK
    FAULT_OPERATION_COUNT


cdef enum:
    NAME_BYTES_MAX = 255


cdef struct FaultRule:
    int operation
    int status                            # -errno
    int64_t after                         # matching calls still let through
    int64_t times                         # failures left; -1 without end
    char name[NAME_BYTES_MAX + 1]         # empty: any file


cdef class FaultPlan:
    """Which calls of a disk are to fail, how many there were, and the hook."""

    cdef PyThread_type_lock lock          # over the fields below, hook excepted
    cdef FaultRule* rules                 # owned
    cdef int rule_count
    cdef int64_t[FAULT_OPERATION_COUNT] counts
    cdef char** names                     # owned, and each name; index is the fd, NULL: not open
    cdef int name_count
    cdef object hook_call                 # None or a callable; the GIL guards it
    cdef bint hooked                      # hook_call is not None, for those who have no GIL

    # Count the call; 0, or -errno when it is to fail. name may be NULL. `other` (may be NULL)
    # matches rules as well.
    cdef int check(self, int operation, const char* name, const char* other) noexcept nogil
    cdef int check_fd(self, int operation, int fd) noexcept nogil
    cdef int hook_run(self, int operation, const char* name) noexcept with gil
    cdef void name_set(self, int fd, const char* name) noexcept nogil
    cdef void name_drop(self, int fd) noexcept nogil
    cdef void name_move(self, const char* source, const char* target) noexcept nogil


cdef class FaultDisk(Disk):
    """The real file system, with faults on order."""

    cdef readonly FaultPlan faults
