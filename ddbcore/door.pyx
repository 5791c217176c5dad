"""Disks as Python sees them: the door through which tests open, write, map and sync.

*Theory of operation*. The methods of Disk are C. DiskDoor calls them as the engine does, without
the GIL where that may wait, and turns -errno into OSError. Nothing in the engine uses it.

*Invariants*. (1) A DiskMap keeps its disk, and its memory while a memoryview of it is open.

*Threads*. Any; one map belongs to one thread at a time.
"""

import os

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int64_t, uint8_t, uint64_t

from ddbcore.io cimport Disk, FILE_CREATE, FILE_READ, FILE_WRITE
from ddbcore.platform cimport EWOULDBLOCK


@cython.no_gc_clear
cdef class DiskMap:
    """One map of a file, as a buffer. Unmapped by unmap(), or with the object."""

    def __getbuffer__(self, Py_buffer* view, int flags):
        if self.data == NULL:
            raise ValueError("the file is unmapped")
        PyBuffer_FillInfo(view, self, self.data, <Py_ssize_t>self.size, not self.writable, flags)
        self.exports += 1

    def __releasebuffer__(self, Py_buffer* view):
        self.exports -= 1

    def __dealloc__(self):
        if self.data != NULL:
            self.disk.unmap(self.data, self.size)

    def populate(self):
        """Fault all pages in."""
        raise_status(self.disk.populate(self.data, self.size, self.writable), None)

    def unmap(self):
        """Unmap now. Raises BufferError while a memoryview is open."""
        if self.exports > 0:
            raise BufferError("a memoryview of the map is open")
        if self.data != NULL:
            raise_status(self.disk.unmap(self.data, self.size), None)
            self.data = NULL


cdef int64_t raise_status(int64_t status, str name) except -1:
    if status < 0:
        raise OSError(-status, os.strerror(-status), name)
    return status


cdef class DiskDoor:
    """The methods of a Disk for Python: a door for tests. Failures raise OSError."""

    def __init__(self, Disk disk not None):
        """Wrap `disk`."""
        self.disk = disk

    def open(self, str name not None, *, bint write=False, bint create=False):
        """Return the fd of file `name`. create: create or truncate (and write)."""
        cdef bytes text = os.fsencode(name)
        cdef const char* c_name = PyBytes_AS_STRING(text)
        cdef int mode = FILE_WRITE | FILE_CREATE if create else FILE_WRITE if write else FILE_READ
        cdef int fd
        with nogil:
            fd = self.disk.open_file(c_name, mode)
        return raise_status(fd, name)

    def close(self, int fd):
        """Close a file."""
        cdef int rc
        with nogil:
            rc = self.disk.close_file(fd)
        raise_status(rc, None)

    def size(self, int fd):
        """Return the size of a file, in bytes."""
        return raise_status(self.disk.file_size(fd), None)

    def allocate(self, int fd, uint64_t size):
        """Grant space for the first `size` bytes."""
        cdef int rc
        with nogil:
            rc = self.disk.allocate(fd, size)
        raise_status(rc, None)

    def read(self, int fd, Py_ssize_t size, uint64_t offset=0):
        """Return at most `size` bytes from `offset`."""
        cdef bytearray data = bytearray(size)
        cdef char* target = data
        cdef int64_t count
        with nogil:
            count = self.disk.read_at(fd, target, <uint64_t>size, offset)
        return bytes(data[: raise_status(count, None)])

    def write(self, int fd, data, uint64_t offset=0):
        """Write `data` at `offset`; return the number of bytes."""
        cdef Py_buffer view
        cdef int64_t count
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            with nogil:
                count = self.disk.write_at(fd, view.buf, <uint64_t>view.len, offset)
        finally:
            PyBuffer_Release(&view)
        return raise_status(count, None)

    def truncate(self, int fd, uint64_t size):
        """Set the size of a file."""
        cdef int rc
        with nogil:
            rc = self.disk.truncate(fd, size)
        raise_status(rc, None)

    def sync(self, int fd):
        """Make a file durable."""
        cdef int rc
        with nogil:
            rc = self.disk.sync_file(fd)
        raise_status(rc, None)

    def sync_root(self):
        """Make the names durable."""
        cdef int rc
        with nogil:
            rc = self.disk.sync_root()
        raise_status(rc, None)

    def rename(self, str source not None, str target not None):
        """Rename a file, replacing `target`."""
        cdef bytes source_text = os.fsencode(source)
        cdef bytes target_text = os.fsencode(target)
        cdef const char* c_source = PyBytes_AS_STRING(source_text)
        cdef const char* c_target = PyBytes_AS_STRING(target_text)
        cdef int rc
        with nogil:
            rc = self.disk.rename(c_source, c_target)
        raise_status(rc, source)

    def remove(self, str name not None):
        """Remove a file."""
        cdef bytes text = os.fsencode(name)
        cdef const char* c_name = PyBytes_AS_STRING(text)
        cdef int rc
        with nogil:
            rc = self.disk.remove(c_name)
        raise_status(rc, name)

    def map(self, int fd, uint64_t size, *, bint writable=True):
        """Return a DiskMap of the first `size` bytes."""
        cdef DiskMap result = DiskMap.__new__(DiskMap)
        cdef uint8_t* data = NULL
        cdef int rc
        with nogil:
            rc = self.disk.map_file(fd, size, writable, &data)
        raise_status(rc, None)
        result.disk = self.disk
        result.data = data
        result.size = size
        result.writable = writable
        return result

    def lock(self, str name not None):
        """Return (fd, None), or (None, pid of the holder) when another has the lock."""
        cdef bytes text = os.fsencode(name)
        cdef const char* c_name = PyBytes_AS_STRING(text)
        cdef int64_t holder_pid = 0
        cdef int fd
        with nogil:
            fd = self.disk.lock(c_name, &holder_pid)
        if fd == -EWOULDBLOCK:
            return None, holder_pid
        return raise_status(fd, name), None

    def wall_ms(self):
        """Return Unix time in ms."""
        return self.disk.wall_ms()

    def monotonic_ns(self):
        """Return the monotonic clock in ns."""
        return self.disk.monotonic_ns()

    def random(self, Py_ssize_t size):
        """Return random bytes."""
        cdef bytearray data = bytearray(size)
        cdef char* target = data
        raise_status(self.disk.random(target, <size_t>size), None)
        return bytes(data)

    def pause(self, uint64_t duration_ns):
        """Sleep."""
        cdef int rc
        with nogil:
            rc = self.disk.pause_ns(duration_ns)
        raise_status(rc, None)
