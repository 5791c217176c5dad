"""Faults on order: which calls of a disk are to fail, and a real disk that obeys.

*Theory of operation*. FaultPlan counts the calls of a disk, lets a test's hook look at each, and
fails those for which a rule is due. FaultDisk is a Disk that asks its plan before each operation;
simulation.pyx does the same in memory. A failed call has done nothing.

*Invariants*. (1) Without a hook no call takes the GIL. (2) A call that the hook failed uses up no
rule.

*Threads*. Any; rules and counters are under a lock of their own, the hook runs under none.
"""

import os

cimport cython
from cpython.exc cimport PyErr_WriteUnraisable
from cpython.pythread cimport (
    PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock, PyThread_release_lock,
    PyThread_type_lock, WAIT_LOCK,
)
from libc.errno cimport EIO
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset, strcmp, strlen

from ddbcore.io cimport Disk

FAULT_OPERATIONS = (
    "open", "allocate", "read", "write", "truncate", "sync", "sync_root", "rename", "remove", "map",
    "populate", "lock",
)


cdef void lock_take(PyThread_type_lock lock) noexcept nogil:
    PyThread_acquire_lock(lock, WAIT_LOCK)


@cython.no_gc_clear
cdef class FaultPlan:
    """Which calls of a disk are to fail, how many there were, and the hook."""

    def __cinit__(self):
        self.lock = PyThread_allocate_lock()
        if self.lock == NULL:
            raise MemoryError()

    def __dealloc__(self):
        cdef int fd
        for fd in range(self.name_count):
            free(self.names[fd])
        free(self.names)
        free(self.rules)
        if self.lock != NULL:
            PyThread_free_lock(self.lock)

    def fail(self, str operation not None, int errno, *, int64_t after=0, times=1, str name=None):
        """Fail calls of `operation` (one of FAULT_OPERATIONS) with `errno`, a positive number.

        after: matching calls that succeed first. times: failures, None without end. name: only for
        this file (for rename, either name); populate and sync_root have none. Rules add up; the
        first that matches and is due decides.
        """
        cdef int kind, count
        cdef int64_t left = -1 if times is None else times
        cdef bytes text = os.fsencode(name or "")
        cdef FaultRule* rules
        cdef FaultRule* rule
        cdef const char* c_name = text
        if operation not in FAULT_OPERATIONS:
            raise ValueError(f"operation {operation!r}: not one of {', '.join(FAULT_OPERATIONS)}")
        if errno <= 0 or after < 0 or (times is not None and left < 1):
            raise ValueError("errno and times are at least 1, after at least 0")
        if len(text) > NAME_BYTES_MAX or (text and operation in ("populate", "sync_root")):
            raise ValueError(f"name {name!r}: too long, or the operation has no name")
        kind = FAULT_OPERATIONS.index(operation)
        lock_take(self.lock)
        count = self.rule_count
        rules = <FaultRule*>realloc(self.rules, (count + 1) * sizeof(FaultRule))
        if rules != NULL:
            self.rules = rules
            rule = &rules[count]
            rule.operation = kind
            rule.status = -errno
            rule.after = after
            rule.times = left
            memcpy(rule.name, c_name, strlen(c_name) + 1)
            self.rule_count = count + 1
        PyThread_release_lock(self.lock)
        if rules == NULL:
            raise MemoryError()

    def clear(self):
        """Forget all rules; the counters and the hook stay."""
        lock_take(self.lock)
        self.rule_count = 0
        PyThread_release_lock(self.lock)

    @property
    def calls(self):
        """The number of calls of each operation so far, failed ones included: a new dict."""
        cdef dict result = {}
        cdef int index
        for index in range(<int>FAULT_OPERATION_COUNT):
            result[FAULT_OPERATIONS[index]] = self.counts[index]
        return result

    @property
    def hook(self):
        """A callable (operation, name or None), run before each operation; None for none.

        It has the GIL and returns None or 0 to go on, or a negative errno. What it raises goes to
        sys.unraisablehook, and the call fails with EIO.
        """
        return self.hook_call

    @hook.setter
    def hook(self, value):
        self.hook_call = value
        self.hooked = value is not None

    cdef int check(self, int operation, const char* name, const char* other) noexcept nogil:
        cdef FaultRule* rule
        cdef int index
        cdef int status = 0
        if self.hooked:
            status = self.hook_run(operation, name)
        lock_take(self.lock)
        self.counts[operation] += 1
        if status == 0:
            for index in range(self.rule_count):
                rule = &self.rules[index]
                if rule.operation != operation or rule.times == 0:
                    continue
                if rule.name[0] != 0 and (name == NULL or strcmp(rule.name, name) != 0):
                    if other == NULL or strcmp(rule.name, other) != 0:
                        continue
                if rule.after > 0:
                    rule.after -= 1
                    continue
                if rule.times > 0:
                    rule.times -= 1
                status = rule.status
                break
        PyThread_release_lock(self.lock)
        return status

    cdef int check_fd(self, int operation, int fd) noexcept nogil:
        cdef char name[NAME_BYTES_MAX + 1]
        name[0] = 0
        if self.hooked or self.rule_count > 0:
            lock_take(self.lock)
            if 0 <= fd < self.name_count and self.names[fd] != NULL:
                memcpy(name, self.names[fd], strlen(self.names[fd]) + 1)
            PyThread_release_lock(self.lock)
        return self.check(operation, name if name[0] != 0 else NULL, NULL)

    cdef int hook_run(self, int operation, const char* name) noexcept with gil:
        try:
            if self.hook_call is None:
                return 0
            text = os.fsdecode(<bytes>name) if name != NULL else None
            answer = self.hook_call(FAULT_OPERATIONS[operation], text)
            if answer is None:
                return 0
            if answer > 0:
                raise ValueError("a hook returns None, 0 or a negative errno")
            return answer
        except BaseException:
            PyErr_WriteUnraisable(self.hook_call)
            return -EIO

    # Names only serve rules and hooks: without memory for one, its file counts as nameless.
    cdef void name_set(self, int fd, const char* name) noexcept nogil:
        cdef char** names
        cdef size_t size = strlen(name) + 1
        if size > NAME_BYTES_MAX + 1:
            return
        lock_take(self.lock)
        if fd >= self.name_count:
            names = <char**>realloc(self.names, (fd + 8) * sizeof(char*))
            if names != NULL:
                memset(&names[self.name_count], 0, (fd + 8 - self.name_count) * sizeof(char*))
                self.names = names
                self.name_count = fd + 8
        if fd < self.name_count:
            free(self.names[fd])
            self.names[fd] = <char*>malloc(size)
            if self.names[fd] != NULL:
                memcpy(self.names[fd], name, size)
        PyThread_release_lock(self.lock)

    cdef void name_drop(self, int fd) noexcept nogil:
        lock_take(self.lock)
        if 0 <= fd < self.name_count:
            free(self.names[fd])
            self.names[fd] = NULL
        PyThread_release_lock(self.lock)

    cdef void name_move(self, const char* source, const char* target) noexcept nogil:
        cdef size_t size = strlen(target) + 1
        cdef char* copy
        cdef int fd
        lock_take(self.lock)
        for fd in range(self.name_count):
            if self.names[fd] != NULL and strcmp(self.names[fd], source) == 0:
                copy = <char*>malloc(size)
                if copy != NULL:
                    memcpy(copy, target, size)
                free(self.names[fd])
                self.names[fd] = copy
        PyThread_release_lock(self.lock)


@cython.no_gc_clear
cdef class FaultDisk(Disk):
    """The real file system below `root`, with faults on order (fail, calls, hook: FaultPlan)."""

    def __cinit__(self, *args, **kwargs):
        self.faults = FaultPlan()

    def fail(self, operation, errno, *, after=0, times=1, name=None):
        """Order a fault: FaultPlan.fail."""
        self.faults.fail(operation, errno, after=after, times=times, name=name)

    @property
    def calls(self):
        """FaultPlan.calls."""
        return self.faults.calls

    @property
    def hook(self):
        """FaultPlan.hook."""
        return self.faults.hook

    @hook.setter
    def hook(self, value):
        self.faults.hook = value

    cdef int open_file(self, const char* name, int mode) noexcept nogil:
        cdef int rc = self.faults.check(FAULT_OPEN, name, NULL)
        if rc == 0:
            rc = Disk.open_file(self, name, mode)
            if rc >= 0:
                self.faults.name_set(rc, name)
        return rc

    # The name goes first: once closed, the number may be somebody else's.
    cdef int close_file(self, int fd) noexcept nogil:
        self.faults.name_drop(fd)
        return Disk.close_file(self, fd)

    cdef int allocate(self, int fd, uint64_t size) noexcept nogil:
        cdef int rc = self.faults.check_fd(FAULT_ALLOCATE, fd)
        return rc if rc < 0 else Disk.allocate(self, fd, size)

    cdef int64_t read_at(self, int fd, void* data, uint64_t size, uint64_t offset) noexcept nogil:
        cdef int rc = self.faults.check_fd(FAULT_READ, fd)
        return rc if rc < 0 else Disk.read_at(self, fd, data, size, offset)

    cdef int64_t write_at(
        self, int fd, const void* data, uint64_t size, uint64_t offset
    ) noexcept nogil:
        cdef int rc = self.faults.check_fd(FAULT_WRITE, fd)
        return rc if rc < 0 else Disk.write_at(self, fd, data, size, offset)

    cdef int truncate(self, int fd, uint64_t size) noexcept nogil:
        cdef int rc = self.faults.check_fd(FAULT_TRUNCATE, fd)
        return rc if rc < 0 else Disk.truncate(self, fd, size)

    cdef int sync_file(self, int fd) noexcept nogil:
        cdef int rc = self.faults.check_fd(FAULT_SYNC, fd)
        return rc if rc < 0 else Disk.sync_file(self, fd)

    cdef int sync_root(self) noexcept nogil:
        cdef int rc = self.faults.check(FAULT_SYNC_ROOT, NULL, NULL)
        return rc if rc < 0 else Disk.sync_root(self)

    cdef int rename(self, const char* source, const char* target) noexcept nogil:
        cdef int rc = self.faults.check(FAULT_RENAME, source, target)
        if rc == 0:
            rc = Disk.rename(self, source, target)
            if rc == 0:
                self.faults.name_move(source, target)
        return rc

    cdef int remove(self, const char* name) noexcept nogil:
        cdef int rc = self.faults.check(FAULT_REMOVE, name, NULL)
        return rc if rc < 0 else Disk.remove(self, name)

    cdef int map_file(self, int fd, uint64_t size, bint writable, uint8_t** out) noexcept nogil:
        cdef int rc = self.faults.check_fd(FAULT_MAP, fd)
        return rc if rc < 0 else Disk.map_file(self, fd, size, writable, out)

    cdef int populate(self, uint8_t* data, uint64_t size, bint writable) noexcept nogil:
        cdef int rc = self.faults.check(FAULT_POPULATE, NULL, NULL)
        return rc if rc < 0 else Disk.populate(self, data, size, writable)

    cdef int lock(self, const char* name, int64_t* holder_pid) noexcept nogil:
        cdef int rc = self.faults.check(FAULT_LOCK, name, NULL)
        holder_pid[0] = 0
        if rc == 0:
            rc = Disk.lock(self, name, holder_pid)
            if rc >= 0:
                self.faults.name_set(rc, name)
        return rc
