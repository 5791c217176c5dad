"""Every system call, clock and random number of the engine: one class, to be simulated by tests.

Every method returns a value >= 0, or -errno; none raises; all may be called without the GIL. Names
are relative to the root directory, NUL-terminated ASCII without slashes.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t

from cpython.pythread cimport PyThread_type_lock

cdef enum:
    FILE_READ = 0
    FILE_WRITE = 1                        # read and write
    FILE_CREATE = 2                       # with FILE_WRITE: create or truncate


cdef class Disk:
    """The real file system below one directory."""

    cdef readonly str root
    cdef int root_fd
    cdef readonly bint volatile_storage   # True: nothing outlives the process (in-memory databases)

    cdef int open_file(self, const char* name, int mode) noexcept nogil
    cdef int close_file(self, int fd) noexcept nogil
    cdef int64_t file_size(self, int fd) noexcept nogil
    # Grant space for bytes [0, size) and extend the file to size. ENOSPC/EFBIG are reported here,
    # never later. Where fallocate is not supported: write zeros. New bytes are zero, but in a
    # MemoryDisk's files of SPARE_BYTES_MIN and more.
    cdef int allocate(self, int fd, uint64_t size) noexcept nogil
    # Give the space behind `offset` back and keep the file's size: it reads as zeros, and must be
    # granted anew before it is written. Best effort: -EOPNOTSUPP where there is no such call.
    cdef int release(self, int fd, uint64_t offset) noexcept nogil
    # Bytes read; short only at the end of file.
    cdef int64_t read_at(self, int fd, void* data, uint64_t size, uint64_t offset) noexcept nogil
    # Bytes written: all of them, or -errno.
    cdef int64_t write_at(
        self, int fd, const void* data, uint64_t size, uint64_t offset
    ) noexcept nogil
    cdef int truncate(self, int fd, uint64_t size) noexcept nogil
    # Make everything written to the file, through maps too, durable (fdatasync; F_FULLFSYNC on
    # macOS).
    cdef int sync_file(self, int fd) noexcept nogil
    cdef int sync_root(self) noexcept nogil
    cdef int rename(self, const char* source, const char* target) noexcept nogil
    cdef int remove(self, const char* name) noexcept nogil
    # Map [0, size) shared; writable or read-only. The caller keeps size within the file.
    cdef int map_file(self, int fd, uint64_t size, bint writable, uint8_t** out) noexcept nogil
    cdef int unmap(self, uint8_t* data, uint64_t size) noexcept nogil
    # Fault pages in ahead of use (MADV_POPULATE_WRITE / _READ); best effort, page aligned by the
    # callee.
    cdef int populate(self, uint8_t* data, uint64_t size, bint writable) noexcept nogil
    # Let go of whole pages of a file's map that were written, before they are synced: the system
    # would otherwise take each out of use by itself, and stop all threads for it. Nothing is lost,
    # they come back when they are touched.
    cdef void unmap_pages(self, uint8_t* data, uint64_t size) noexcept nogil
    # Whether a fault in whole pages of a file's map may read what lies around it too, as it may at
    # first.
    cdef void read_ahead(self, uint8_t* data, uint64_t size, bint wanted) noexcept nogil
    # Have the system cache 2 MiB of a file, from a multiple of that on, as one large page, where
    # nothing of it is cached yet and the file system can; best effort.
    cdef void cache_large(self, int fd, uint64_t offset, uint64_t size) noexcept nogil
    # Have the system forget what it cached of a range, where that is clean and nobody maps it.
    cdef void cache_drop(self, int fd, uint64_t offset, uint64_t size) noexcept nogil
    # Take the exclusive lock on file `name` and write our pid in it: fd >= 0. Held elsewhere:
    # -EWOULDBLOCK and *holder_pid (0 unknown).
    cdef int lock(self, const char* name, int64_t* holder_pid) noexcept nogil
    cdef uint64_t wall_ms(self) noexcept nogil          # Unix time; the cheap (coarse) clock
    cdef uint64_t monotonic_ns(self) noexcept nogil
    cdef int random(self, void* data, size_t size) noexcept nogil
    cdef int pause_ns(self, uint64_t duration) noexcept nogil
    # Names in the root directory: list of str. Raises OSError. GIL.
    cpdef list files(self)


# The rest of this file is private to io.pyx and simulation.pyx.
cdef struct MemoryFile:
    char* name                            # owned; NULL once removed
    uint8_t* data                         # owned: the start of the reservation, NULL while it is 0
    uint64_t size                         # bytes in the file
    uint64_t usable                       # bytes accessible, whole pages; zero from size on
    uint64_t reserved                     # bytes of address space, whole pages
    int opens                             # handles open
    int maps                              # maps not yet unmapped
    int pins                              # other owners (a simulated disk's durable directory)


cdef struct MemoryHandle:
    MemoryFile* file                      # NULL when free
    int mode


cdef struct MemoryTable:
    PyThread_type_lock lock               # over all of the table, contents in maps excepted
    MemoryFile** files                    # owned, and each file
    int file_count
    int file_capacity
    MemoryHandle* handles                 # owned; the index is the fd
    int handle_capacity
    bint recycles                         # the memory of a large file that went is kept for a next
    uint8_t* spare                        # such memory, or NULL: a start of a reservation
    uint64_t spare_usable
    uint64_t spare_reserved


# All of these are called with the table's lock held.
# The file of that name, or NULL.
cdef MemoryFile* memory_find(const MemoryTable* table, const char* name) noexcept nogil
# A new file, or NULL when memory is out.
cdef MemoryFile* memory_create(MemoryTable* table, const char* name) noexcept nogil
# 0, or -errno with the file as it was.
cdef int memory_resize(MemoryFile* file, uint64_t size) noexcept nogil
# Free the file if nobody has it any more.
cdef void memory_release(MemoryTable* table, MemoryFile* file) noexcept nogil


cdef class MemoryDisk(Disk):
    """Files in anonymous memory; nothing is durable, nothing can fail but memory."""

    cdef MemoryTable* table
    # The open file, or NULL; the table's lock is held.
    cdef MemoryFile* file_of(self, int fd) noexcept nogil
    cdef int resize_file(self, int fd, uint64_t size, bint only_grow) noexcept nogil


# Anonymous memory of `size` bytes (whole pages), zero, readable and writable; NULL when there is
# none. Shared with simulation.pyx.
cdef uint8_t* pages_take(uint64_t size) noexcept nogil
cdef void pages_drop(uint8_t* data, uint64_t size) noexcept nogil
