"""Every system call, clock and random number of the engine.

*Theory of operation*. Disk is the file system below one directory: thin methods over the system
calls, relative to a directory descriptor, so that renaming it or changing the working directory
does no harm. MemoryDisk keeps the same promises with anonymous memory. Both are classes with
virtual methods, so that simulation.pyx can put faults and power losses in between. What differs
between systems is in platform.pxd.

Space is granted before it is written (allocate), because a store into a mapped hole of a full disk
is a SIGBUS, and because an error after fdatasync is too late.

*Memory files*. A file reserves address space (four times what it first needs, 64 MiB at least) and
makes only its pages usable. So it grows in place under its maps, an empty one costs nothing, and a
256 KiB one never gets a 2 MiB page zeroed for it.

*Invariants*. (1) No method raises; a failure is -errno. (2) EINTR never leaves a method. (3) A
failed allocate leaves the file at its old size. (4) Memory files: the bytes [size, usable) are
zero; data does not move while maps > 0; a file is freed when name is NULL and opens, maps and pins
are 0. (5) A descriptor is 3 or more: 0, 1 and 2 would receive what somebody prints to a closed
standard stream.

*Threads*. Any thread, with or without the GIL. The table of a MemoryDisk has a lock; nothing that
needs the GIL happens under it. Contents are not locked: as with mapped files, the callers agree on
who writes where.
"""

import os

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.pythread cimport (
    PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock, PyThread_release_lock,
    WAIT_LOCK,
)
from libc.errno cimport (
    EBADF, EFBIG, EINVAL, EIO, ENOENT, ENOMEM, ENOSYS, EOPNOTSUPP,
)
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset, strcmp, strlen

from ddbcore.platform cimport (
    EWOULDBLOCK, O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, platform_allocate, platform_cache_drop,
    platform_cache_large, platform_close, platform_enable, platform_lock, platform_map,
    platform_monotonic_ns, platform_open, platform_page_bytes, platform_pause, platform_populate,
    platform_random, platform_read, platform_read_ahead, platform_read_pid, platform_release,
    platform_remove, platform_rename, platform_reserve, platform_size, platform_sync,
    platform_sync_directory, platform_truncate, platform_unmap, platform_unmap_pages,
    platform_wall_ms, platform_write, platform_write_pid, platform_zero_pages,
)

cdef enum:
    ZERO_BYTES = 65536                    # one write where space is granted by writing zeros
    MEMORY_RESERVE_MIN = 64 << 20         # the size of a log segment
    MEMORY_HANDLES_MAX = 1 << 20
    SPARE_BYTES_MIN = 4 << 20             # below that, memory is as well made anew

# Larger memory files are refused; leaves room for rounding and for the reservation's factor of
# four.
cdef uint64_t MEMORY_SIZE_MAX = <uint64_t>1 << 45
cdef uint8_t[ZERO_BYTES] zeros            # static, never written


cdef int zeros_write(int fd, uint64_t offset, uint64_t limit) noexcept nogil:
    cdef int64_t count
    cdef size_t size
    while offset < limit:
        size = min(limit - offset, <uint64_t>ZERO_BYTES)
        count = platform_write(fd, zeros, size, <int64_t>offset)
        if count < 0:
            return <int>count
        if count == 0:
            return -EIO
        offset += <uint64_t>count
    return 0


cdef class Disk:
    """The real file system below one directory."""

    def __cinit__(self, *args, **kwargs):
        self.root_fd = -1
        self.volatile_storage = False

    def __init__(self, str root not None):
        """Open the directory `root`, which must exist. Raises OSError with the path."""
        cdef int root_fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.close()
        self.root_fd = root_fd
        self.root = root

    def __dealloc__(self):
        if self.root_fd >= 0:
            platform_close(self.root_fd)

    def close(self):
        """Close the directory: names are EBADF from now on; open files and maps stay."""
        if self.root_fd >= 0:
            platform_close(self.root_fd)
            self.root_fd = -1

    cdef int open_file(self, const char* name, int mode) noexcept nogil:
        if mode == FILE_READ:
            return platform_open(self.root_fd, name, O_RDONLY)
        if mode == FILE_WRITE:
            return platform_open(self.root_fd, name, O_RDWR)
        if mode == FILE_WRITE | FILE_CREATE:
            return platform_open(self.root_fd, name, O_RDWR | O_CREAT | O_TRUNC)
        return -EINVAL

    cdef int close_file(self, int fd) noexcept nogil:
        return platform_close(fd)

    cdef int64_t file_size(self, int fd) noexcept nogil:
        return platform_size(fd)

    # Where zeros are written, bytes below the old size count as granted: files grow here by
    # allocate and write_at only.
    cdef int allocate(self, int fd, uint64_t size) noexcept nogil:
        cdef int64_t old_size = platform_size(fd)
        cdef int rc
        if old_size < 0:
            return <int>old_size
        if size > <uint64_t>INT64_MAX:
            return -EFBIG
        if size == 0:
            return 0
        rc = platform_allocate(fd, <int64_t>size)
        if rc == -EOPNOTSUPP or rc == -ENOSYS:
            rc = zeros_write(fd, <uint64_t>old_size, size)
            if rc == 0:
                # Network file systems tell that they are full only when the data leaves the cache.
                rc = platform_sync(fd)
        if rc < 0:
            # Give back what was granted before space ran out. If even that fails, the first error
            # still says it best.
            platform_truncate(fd, old_size)
        return rc

    cdef int release(self, int fd, uint64_t offset) noexcept nogil:
        cdef int64_t size = platform_size(fd)
        if size < 0:
            return <int>size
        if <uint64_t>size <= offset:
            return 0
        return platform_release(fd, <int64_t>offset, size - <int64_t>offset)

    cdef int64_t read_at(self, int fd, void* data, uint64_t size, uint64_t offset) noexcept nogil:
        cdef uint64_t done = 0
        cdef int64_t count
        if size > <uint64_t>INT64_MAX or offset > <uint64_t>INT64_MAX - size:
            return -EINVAL
        while done < size:
            count = platform_read(fd, <uint8_t*>data + done, size - done, <int64_t>(offset + done))
            if count < 0:
                return count
            if count == 0:
                break
            done += <uint64_t>count
        return <int64_t>done

    cdef int64_t write_at(
        self, int fd, const void* data, uint64_t size, uint64_t offset
    ) noexcept nogil:
        cdef uint64_t done = 0
        cdef int64_t count
        if size > <uint64_t>INT64_MAX or offset > <uint64_t>INT64_MAX - size:
            return -EFBIG
        while done < size:
            count = platform_write(
                fd, <const uint8_t*>data + done, size - done, <int64_t>(offset + done)
            )
            if count < 0:
                return count
            if count == 0:
                return -EIO
            done += <uint64_t>count
        return <int64_t>done

    cdef int truncate(self, int fd, uint64_t size) noexcept nogil:
        if size > <uint64_t>INT64_MAX:
            return -EFBIG
        return platform_truncate(fd, <int64_t>size)

    cdef int sync_file(self, int fd) noexcept nogil:
        return platform_sync(fd)

    cdef int sync_root(self) noexcept nogil:
        return platform_sync_directory(self.root_fd)

    cdef int rename(self, const char* source, const char* target) noexcept nogil:
        return platform_rename(self.root_fd, source, target)

    cdef int remove(self, const char* name) noexcept nogil:
        return platform_remove(self.root_fd, name)

    cdef int map_file(self, int fd, uint64_t size, bint writable, uint8_t** out) noexcept nogil:
        return platform_map(fd, size, writable, <void**>out)

    cdef int unmap(self, uint8_t* data, uint64_t size) noexcept nogil:
        return platform_unmap(data, size)

    cdef int populate(self, uint8_t* data, uint64_t size, bint writable) noexcept nogil:
        cdef uint64_t mask = platform_page_bytes() - 1
        cdef uint64_t start = <uint64_t>data & ~mask
        cdef uint64_t limit = (<uint64_t>data + size + mask) & ~mask
        if limit <= start:
            return 0
        return platform_populate(<void*>start, limit - start, writable)

    cdef void unmap_pages(self, uint8_t* data, uint64_t size) noexcept nogil:
        cdef uint64_t mask = platform_page_bytes() - 1
        cdef uint64_t start = <uint64_t>data & ~mask
        cdef uint64_t limit = (<uint64_t>data + size) & ~mask
        if limit > start:
            platform_unmap_pages(<void*>start, limit - start)

    cdef void read_ahead(self, uint8_t* data, uint64_t size, bint wanted) noexcept nogil:
        cdef uint64_t mask = platform_page_bytes() - 1
        cdef uint64_t start = (<uint64_t>data + mask) & ~mask
        cdef uint64_t limit = (<uint64_t>data + size) & ~mask
        if limit > start:
            platform_read_ahead(<void*>start, limit - start, wanted)

    cdef void cache_large(self, int fd, uint64_t offset, uint64_t size) noexcept nogil:
        platform_cache_large(fd, <int64_t>offset, size)

    cdef void cache_drop(self, int fd, uint64_t offset, uint64_t size) noexcept nogil:
        platform_cache_drop(fd, <int64_t>offset, size)

    # The lock belongs to the open file: it goes when the last copy of the descriptor, in forked
    # children too, is closed.
    cdef int lock(self, const char* name, int64_t* holder_pid) noexcept nogil:
        cdef int fd = platform_open(self.root_fd, name, O_RDWR | O_CREAT)
        cdef int rc
        holder_pid[0] = 0
        if fd < 0:
            return fd
        rc = platform_lock(fd)
        if rc == 0:
            # The pid only serves the other's error text: a full disk must not keep anybody out.
            platform_write_pid(fd)
            return fd
        if rc == -EWOULDBLOCK:
            holder_pid[0] = platform_read_pid(fd)
        platform_close(fd)
        return rc

    cdef uint64_t wall_ms(self) noexcept nogil:
        return platform_wall_ms()

    cdef uint64_t monotonic_ns(self) noexcept nogil:
        return platform_monotonic_ns()

    cdef int random(self, void* data, size_t size) noexcept nogil:
        return platform_random(<unsigned char*>data, size)

    cdef int pause_ns(self, uint64_t duration) noexcept nogil:
        return platform_pause(duration)

    cpdef list files(self):
        """Return the names in the root directory, sorted. Raises OSError."""
        if self.root_fd < 0:
            raise OSError(EBADF, os.strerror(EBADF), self.root)
        return sorted(os.listdir(self.root_fd))


cdef uint64_t pages_round(uint64_t size) noexcept nogil:
    cdef uint64_t mask = platform_page_bytes() - 1
    return (size + mask) & ~mask


cdef uint8_t* pages_take(uint64_t size) noexcept nogil:
    return <uint8_t*>platform_zero_pages(NULL, size)


cdef void pages_drop(uint8_t* data, uint64_t size) noexcept nogil:
    if data != NULL:
        platform_unmap(data, size)


cdef MemoryFile* memory_find(const MemoryTable* table, const char* name) noexcept nogil:
    cdef int index
    for index in range(table.file_count):
        if table.files[index].name != NULL and strcmp(table.files[index].name, name) == 0:
            return table.files[index]
    return NULL


cdef char* name_copy(const char* name) noexcept nogil:
    cdef size_t size = strlen(name) + 1
    cdef char* copy = <char*>malloc(size)
    if copy != NULL:
        memcpy(copy, name, size)
    return copy


cdef MemoryFile* memory_create(MemoryTable* table, const char* name) noexcept nogil:
    cdef MemoryFile** files
    cdef MemoryFile* file
    cdef int capacity = table.file_capacity * 2 + 8
    if table.file_count == table.file_capacity:
        files = <MemoryFile**>realloc(table.files, capacity * sizeof(MemoryFile*))
        if files == NULL:
            return NULL
        table.files = files
        table.file_capacity = capacity
    file = <MemoryFile*>calloc(1, sizeof(MemoryFile))
    if file == NULL:
        return NULL
    file.name = name_copy(name)
    if file.name == NULL:
        free(file)
        return NULL
    table.files[table.file_count] = file
    table.file_count += 1
    return file


# More address space for a file: behind what it has, or elsewhere if nobody has it mapped.
cdef int memory_reserve(MemoryFile* file, uint64_t needed) noexcept nogil:
    cdef uint64_t reserved = max(needed * 4, <uint64_t>MEMORY_RESERVE_MIN)
    cdef uint8_t* data
    if file.data != NULL:
        data = <uint8_t*>platform_reserve(file.data + file.reserved, reserved - file.reserved)
        if data != NULL:
            file.reserved = reserved
            return 0
        if file.maps > 0:
            return -ENOMEM
    data = <uint8_t*>platform_reserve(NULL, reserved)
    if data == NULL:
        # Address space is short (ulimit -v): be content with what is needed now.
        reserved = needed
        data = <uint8_t*>platform_reserve(NULL, reserved)
    if data == NULL:
        return -ENOMEM
    if file.usable > 0:
        if platform_enable(data, file.usable) < 0:
            platform_unmap(data, reserved)
            return -ENOMEM
        memcpy(data, file.data, file.size)
    if file.data != NULL:
        platform_unmap(file.data, file.reserved)
    file.data = data
    file.reserved = reserved
    return 0


cdef int memory_resize(MemoryFile* file, uint64_t size) noexcept nogil:
    cdef uint64_t pages, kept
    cdef int rc
    if size > MEMORY_SIZE_MAX:
        return -EFBIG
    pages = pages_round(size)
    if pages > file.reserved:
        rc = memory_reserve(file, pages)
        if rc < 0:
            return rc
    if pages > file.usable:
        if platform_enable(file.data + file.usable, pages - file.usable) < 0:
            return -ENOMEM
        file.usable = pages
    if size < file.size:
        kept = pages
        if pages_round(file.size) > kept:
            if platform_zero_pages(file.data + kept, pages_round(file.size) - kept) == NULL:
                return -ENOMEM
        memset(file.data + size, 0, kept - size)
    file.size = size
    return 0


cdef void memory_destroy(MemoryFile* file) noexcept nogil:
    pages_drop(file.data, file.reserved)
    free(file.name)
    free(file)


# A log that is written over and over gives up segments as it takes new ones. To give that memory to
# the system and ask for other costs a fault for each page, and stops other processors, in virtual
# machines even for milliseconds. So one large file's is kept, while what lives is not smaller.
cdef void memory_keep(MemoryTable* table, MemoryFile* file) noexcept nogil:
    cdef uint64_t others = 0
    cdef int index
    if not table.recycles or file.usable < SPARE_BYTES_MIN or file.usable <= table.spare_usable:
        return
    for index in range(table.file_count):
        others += table.files[index].usable
    if others < file.usable:
        return
    pages_drop(table.spare, table.spare_reserved)
    table.spare = file.data
    table.spare_usable = file.usable
    table.spare_reserved = file.reserved
    file.data = NULL
    file.usable = file.reserved = 0


cdef bint memory_reuse(MemoryTable* table, MemoryFile* file, uint64_t size) noexcept nogil:
    if file.data != NULL or table.spare == NULL or size != table.spare_usable:
        return False
    file.data = table.spare
    file.usable = table.spare_usable
    file.reserved = table.spare_reserved
    file.size = size
    table.spare = NULL
    table.spare_usable = table.spare_reserved = 0
    return True


cdef void memory_release(MemoryTable* table, MemoryFile* file) noexcept nogil:
    cdef int index
    if file.name != NULL or file.opens > 0 or file.maps > 0 or file.pins > 0:
        return
    for index in range(table.file_count):
        if table.files[index] == file:
            table.file_count -= 1
            table.files[index] = table.files[table.file_count]
            break
    memory_keep(table, file)
    memory_destroy(file)


# A handle on the file: the lowest free index, as the system does it.
cdef int memory_open(MemoryTable* table, MemoryFile* file, int mode) noexcept nogil:
    cdef MemoryHandle* handles
    cdef int capacity = table.handle_capacity
    cdef int fd = 0
    while fd < capacity and table.handles[fd].file != NULL:
        fd += 1
    if fd == capacity:
        if capacity >= MEMORY_HANDLES_MAX:
            return -ENOMEM
        handles = <MemoryHandle*>realloc(table.handles, (capacity * 2 + 8) * sizeof(MemoryHandle))
        if handles == NULL:
            return -ENOMEM
        memset(&handles[capacity], 0, (capacity + 8) * sizeof(MemoryHandle))
        table.handles = handles
        table.handle_capacity = capacity * 2 + 8
    table.handles[fd].file = file
    table.handles[fd].mode = mode
    file.opens += 1
    return fd


# Take the name from a file; it lives on while it is open or mapped.
cdef void memory_forget(MemoryTable* table, MemoryFile* file) noexcept nogil:
    free(file.name)
    file.name = NULL
    memory_release(table, file)


cdef void table_lock(MemoryTable* table) noexcept nogil:
    PyThread_acquire_lock(table.lock, WAIT_LOCK)


cdef void table_unlock(MemoryTable* table) noexcept nogil:
    PyThread_release_lock(table.lock)


cdef class MemoryDisk(Disk):
    """Files in anonymous memory; nothing is durable, nothing can fail but memory.

    All of it is freed with the object: whoever has a map keeps the disk.
    """

    def __cinit__(self, *args, **kwargs):
        self.volatile_storage = True
        self.root = ":memory:"
        self.table = <MemoryTable*>calloc(1, sizeof(MemoryTable))
        if self.table == NULL:
            raise MemoryError()
        self.table.lock = PyThread_allocate_lock()
        if self.table.lock == NULL:
            raise MemoryError()
        self.table.recycles = type(self) is MemoryDisk

    def __init__(self):
        """Make an empty disk."""

    def __dealloc__(self):
        cdef int index
        if self.table == NULL:
            return
        for index in range(self.table.file_count):
            memory_destroy(self.table.files[index])
        pages_drop(self.table.spare, self.table.spare_reserved)
        free(self.table.files)
        free(self.table.handles)
        if self.table.lock != NULL:
            PyThread_free_lock(self.table.lock)
        free(self.table)

    cdef MemoryFile* file_of(self, int fd) noexcept nogil:
        if fd < 0 or fd >= self.table.handle_capacity:
            return NULL
        return self.table.handles[fd].file

    cdef int open_file(self, const char* name, int mode) noexcept nogil:
        cdef MemoryFile* file
        cdef int rc = 0
        if mode != FILE_READ and mode != FILE_WRITE and mode != (FILE_WRITE | FILE_CREATE):
            return -EINVAL
        table_lock(self.table)
        file = memory_find(self.table, name)
        if file != NULL and mode & FILE_CREATE:
            rc = memory_resize(file, 0)
        elif file == NULL and mode & FILE_CREATE:
            file = memory_create(self.table, name)
            rc = 0 if file != NULL else -ENOMEM
        elif file == NULL:
            rc = -ENOENT
        if rc == 0:
            rc = memory_open(self.table, file, mode)
        table_unlock(self.table)
        return rc

    cdef int close_file(self, int fd) noexcept nogil:
        cdef MemoryFile* file
        table_lock(self.table)
        file = self.file_of(fd)
        if file != NULL:
            self.table.handles[fd].file = NULL
            file.opens -= 1
            memory_release(self.table, file)
        table_unlock(self.table)
        return 0 if file != NULL else -EBADF

    cdef int64_t file_size(self, int fd) noexcept nogil:
        cdef MemoryFile* file
        cdef int64_t size
        table_lock(self.table)
        file = self.file_of(fd)
        size = <int64_t>file.size if file != NULL else -EBADF
        table_unlock(self.table)
        return size

    cdef int allocate(self, int fd, uint64_t size) noexcept nogil:
        return self.resize_file(fd, size, True)

    cdef int release(self, int fd, uint64_t offset) noexcept nogil:
        return 0

    cdef int truncate(self, int fd, uint64_t size) noexcept nogil:
        return self.resize_file(fd, size, False)

    cdef int resize_file(self, int fd, uint64_t size, bint only_grow) noexcept nogil:
        cdef MemoryFile* file
        cdef int rc = 0
        table_lock(self.table)
        file = self.file_of(fd)
        if file == NULL or not self.table.handles[fd].mode & FILE_WRITE:
            rc = -EBADF
        elif only_grow and memory_reuse(self.table, file, size):
            rc = 0
        elif size > file.size or not only_grow:
            rc = memory_resize(file, size)
        table_unlock(self.table)
        return rc

    cdef int64_t read_at(self, int fd, void* data, uint64_t size, uint64_t offset) noexcept nogil:
        cdef MemoryFile* file
        cdef int64_t count = 0
        table_lock(self.table)
        file = self.file_of(fd)
        if file == NULL:
            count = -EBADF
        elif offset < file.size:
            count = <int64_t>min(size, file.size - offset)
            memcpy(data, file.data + offset, <size_t>count)
        table_unlock(self.table)
        return count

    cdef int64_t write_at(
        self, int fd, const void* data, uint64_t size, uint64_t offset
    ) noexcept nogil:
        cdef MemoryFile* file
        cdef int64_t rc = 0
        if size > MEMORY_SIZE_MAX or offset > MEMORY_SIZE_MAX:
            return -EFBIG
        table_lock(self.table)
        file = self.file_of(fd)
        if file == NULL or not self.table.handles[fd].mode & FILE_WRITE:
            rc = -EBADF
        elif size > 0:
            if offset + size > file.size:
                rc = memory_resize(file, offset + size)
            if rc == 0:
                memcpy(file.data + offset, data, size)
                rc = <int64_t>size
        table_unlock(self.table)
        return rc

    cdef int sync_file(self, int fd) noexcept nogil:
        return 0

    cdef int sync_root(self) noexcept nogil:
        return 0

    cdef int rename(self, const char* source, const char* target) noexcept nogil:
        cdef MemoryFile* file
        cdef MemoryFile* replaced
        cdef char* name
        cdef int rc = 0
        table_lock(self.table)
        file = memory_find(self.table, source)
        replaced = memory_find(self.table, target)
        if file == NULL:
            rc = -ENOENT
        elif file != replaced:
            name = name_copy(target)
            if name == NULL:
                rc = -ENOMEM
            else:
                free(file.name)
                file.name = name
                if replaced != NULL:
                    memory_forget(self.table, replaced)
        table_unlock(self.table)
        return rc

    cdef int remove(self, const char* name) noexcept nogil:
        cdef MemoryFile* file
        table_lock(self.table)
        file = memory_find(self.table, name)
        if file != NULL:
            memory_forget(self.table, file)
        table_unlock(self.table)
        return 0 if file != NULL else -ENOENT

    cdef int map_file(self, int fd, uint64_t size, bint writable, uint8_t** out) noexcept nogil:
        cdef MemoryFile* file
        cdef int rc = 0
        out[0] = NULL
        table_lock(self.table)
        file = self.file_of(fd)
        if file == NULL:
            rc = -EBADF
        elif size == 0 or size > file.size:
            rc = -EINVAL
        else:
            file.maps += 1
            out[0] = file.data
        table_unlock(self.table)
        return rc

    cdef void unmap_pages(self, uint8_t* data, uint64_t size) noexcept nogil:
        pass                              # its maps are its memory

    cdef void read_ahead(self, uint8_t* data, uint64_t size, bint wanted) noexcept nogil:
        pass

    cdef void cache_large(self, int fd, uint64_t offset, uint64_t size) noexcept nogil:
        pass

    cdef void cache_drop(self, int fd, uint64_t offset, uint64_t size) noexcept nogil:
        pass

    cdef int unmap(self, uint8_t* data, uint64_t size) noexcept nogil:
        cdef int index
        cdef int rc = -EINVAL
        table_lock(self.table)
        for index in range(self.table.file_count):
            if self.table.files[index].data == data and self.table.files[index].maps > 0:
                self.table.files[index].maps -= 1
                memory_release(self.table, self.table.files[index])
                rc = 0
                break
        table_unlock(self.table)
        return rc

    cdef int lock(self, const char* name, int64_t* holder_pid) noexcept nogil:
        cdef MemoryFile* file
        cdef int rc = -ENOMEM
        holder_pid[0] = 0
        table_lock(self.table)
        file = memory_find(self.table, name)
        if file == NULL:
            file = memory_create(self.table, name)
        if file != NULL:
            rc = memory_open(self.table, file, FILE_WRITE)
        table_unlock(self.table)
        return rc

    # The names are copied out first: making Python objects can run the collector and so, in another
    # thread, anything.
    cpdef list files(self):
        """Return the names of the files, sorted."""
        cdef size_t size = 0
        cdef char* names
        cdef bytes joined
        cdef int index
        table_lock(self.table)
        for index in range(self.table.file_count):
            if self.table.files[index].name != NULL:
                size += strlen(self.table.files[index].name) + 1
        names = <char*>malloc(size + 1)
        size = 0
        if names != NULL:
            for index in range(self.table.file_count):
                if self.table.files[index].name != NULL:
                    memcpy(names + size, self.table.files[index].name,
                           strlen(self.table.files[index].name) + 1)
                    size += strlen(self.table.files[index].name) + 1
        table_unlock(self.table)
        if names == NULL:
            raise MemoryError()
        try:
            joined = PyBytes_FromStringAndSize(names, <Py_ssize_t>size)
        finally:
            free(names)
        # Every name ends with a zero byte, so the last piece is empty.
        return sorted([os.fsdecode(name) for name in joined.split(b"\0") if name])
