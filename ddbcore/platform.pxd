"""The system calls of io.pyx, as C functions that return a value >= 0 or -errno and never EINTR.

All that differs between systems is here, in C that every module which cimports it gets a copy of.
Linux is what the tests run on; macOS differs at F_FULLFSYNC, in having no fallocate, no coarse
clock and no MADV_POPULATE_*. A Windows version is a second body for each of these functions.
"""

from libc.stdint cimport int64_t, uint64_t

cdef extern from *:
    """
    #if defined(_WIN32)
    #error "ddbcore/platform.pxd has no Windows version yet"
    #endif
    #include <errno.h>
    #include <fcntl.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <sys/file.h>
    #include <sys/mman.h>
    #include <sys/stat.h>
    #include <time.h>
    #include <unistd.h>
    #if defined(__linux__)
    #include <sched.h>
    #include <sys/syscall.h>
    #endif

    /* "inline" keeps compilers from warning of the functions that one module does not call. */
    #define PLATFORM_FUNCTION static inline
    #define PLATFORM_RETRY(rc, call) do { (rc) = (call); } while ((rc) == -1 && errno == EINTR)

    /* One transfer moves 2 GiB less a page on Linux and INT_MAX bytes on macOS: stay below both. */
    #define PLATFORM_TRANSFER_MAX ((size_t)1 << 30)

    #if !defined(MAP_ANONYMOUS)
    #define MAP_ANONYMOUS MAP_ANON
    #endif
    #if !defined(MAP_NORESERVE)
    #define MAP_NORESERVE 0
    #endif

    PLATFORM_FUNCTION int platform_open(int root_fd, const char* name, int flags) {
        int fd, moved;
        PLATFORM_RETRY(fd, openat(root_fd, name, flags | O_CLOEXEC, 0666));
        if (fd < 0) return -errno;
        if (fd > 2) return fd;
        moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (moved < 0) moved = -errno;
        close(fd);
        return moved;
    }

    /* An interrupted close has closed the descriptor on Linux: a second may hit another file. */
    PLATFORM_FUNCTION int platform_close(int fd) {
        return close(fd) == 0 || errno == EINTR ? 0 : -errno;
    }

    PLATFORM_FUNCTION int64_t platform_size(int fd) {
        struct stat status;
        int rc;
        PLATFORM_RETRY(rc, fstat(fd, &status));
        return rc == 0 ? (int64_t)status.st_size : -errno;
    }

    /* Blocks for [0, size), all or an error; -EOPNOTSUPP where system or file system cannot. */
    PLATFORM_FUNCTION int platform_allocate(int fd, int64_t size) {
    #if defined(__linux__)
        int rc;
        PLATFORM_RETRY(rc, fallocate(fd, 0, 0, (off_t)size));
        return rc == 0 ? 0 : -errno;
    #else
        (void)fd; (void)size;
        return -EOPNOTSUPP;
    #endif
    }

    PLATFORM_FUNCTION int platform_release(int fd, int64_t offset, int64_t size) {
    #if defined(__linux__) && defined(FALLOC_FL_PUNCH_HOLE)
        int rc;
        PLATFORM_RETRY(rc, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                                     (off_t)size));
        return rc == 0 ? 0 : -errno;
    #else
        (void)fd; (void)offset; (void)size;
        return -EOPNOTSUPP;
    #endif
    }

    PLATFORM_FUNCTION int64_t platform_read(int fd, void* data, size_t size, int64_t offset) {
        ssize_t count;
        if (size > PLATFORM_TRANSFER_MAX) size = PLATFORM_TRANSFER_MAX;
        PLATFORM_RETRY(count, pread(fd, data, size, (off_t)offset));
        return count >= 0 ? (int64_t)count : -errno;
    }

    PLATFORM_FUNCTION int64_t platform_write(
            int fd, const void* data, size_t size, int64_t offset) {
        ssize_t count;
        if (size > PLATFORM_TRANSFER_MAX) size = PLATFORM_TRANSFER_MAX;
        PLATFORM_RETRY(count, pwrite(fd, data, size, (off_t)offset));
        return count >= 0 ? (int64_t)count : -errno;
    }

    PLATFORM_FUNCTION int platform_truncate(int fd, int64_t size) {
        int rc;
        PLATFORM_RETRY(rc, ftruncate(fd, (off_t)size));
        return rc == 0 ? 0 : -errno;
    }

    /* fsync on macOS stops at the drive's cache; F_FULLFSYNC does not; some lack it. */
    PLATFORM_FUNCTION int platform_sync(int fd) {
        int rc;
    #if defined(F_FULLFSYNC)
        PLATFORM_RETRY(rc, fcntl(fd, F_FULLFSYNC));
        if (rc == -1 && (errno == ENOTSUP || errno == EINVAL || errno == ENOTTY))
            PLATFORM_RETRY(rc, fsync(fd));
    #elif defined(__linux__)
        PLATFORM_RETRY(rc, fdatasync(fd));
    #else
        PLATFORM_RETRY(rc, fsync(fd));
    #endif
        return rc == -1 ? -errno : 0;
    }

    /* Some file systems cannot sync a directory (EINVAL, EBADF): there is nothing to wait for. */
    PLATFORM_FUNCTION int platform_sync_directory(int fd) {
        int rc;
        if (fd < 0) return -EBADF;
        PLATFORM_RETRY(rc, fsync(fd));
        return rc == 0 || errno == EINVAL || errno == EBADF ? 0 : -errno;
    }

    PLATFORM_FUNCTION int platform_rename(int root_fd, const char* source, const char* target) {
        int rc;
        PLATFORM_RETRY(rc, renameat(root_fd, source, root_fd, target));
        return rc == 0 ? 0 : -errno;
    }

    PLATFORM_FUNCTION int platform_remove(int root_fd, const char* name) {
        int rc;
        PLATFORM_RETRY(rc, unlinkat(root_fd, name, 0));
        return rc == 0 ? 0 : -errno;
    }

    PLATFORM_FUNCTION int platform_map(int fd, size_t size, int writable, void** out) {
        *out = mmap(NULL, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
        if (*out != MAP_FAILED) return 0;
        *out = NULL;
        return -errno;
    }

    PLATFORM_FUNCTION int platform_unmap(void* data, size_t size) {
        return munmap(data, size) == 0 ? 0 : -errno;
    }

    PLATFORM_FUNCTION size_t platform_page_bytes(void) {
        static size_t bytes = 0;
        if (bytes == 0) bytes = (size_t)sysconf(_SC_PAGESIZE);
        return bytes;
    }

    /* 22 and 23 are Linux's MADV_POPULATE_READ and _WRITE: headers are often older than the kernel,
       which answers EINVAL when it is the older one. [data, data + size) are whole pages. */
    PLATFORM_FUNCTION int platform_populate(void* data, size_t size, int writable) {
        int rc = -1;
    #if defined(__linux__)
        PLATFORM_RETRY(rc, madvise(data, size, writable ? 23 : 22));
        if (rc == 0) return 0;
        if (errno != EINVAL) return -errno;
    #endif
        (void)writable;
        rc = madvise(data, size, MADV_WILLNEED);
        return rc == 0 ? 0 : -errno;
    }

    /* The advice belongs to a map, and says that misses are read in large pages: a map of its own
       has it, so that reads through the other maps stay small. */
    PLATFORM_FUNCTION void platform_cache_large(int fd, int64_t offset, size_t size) {
    #if defined(__linux__) && defined(MADV_HUGEPAGE)
        size_t page = platform_page_bytes();
        void* data;
        cpu_set_t processors;
        /* With larger pages the large ones are larger too, up to 512 MiB. */
        if (page != 4096) return;
        /* Zeros for 2 MiB are written in one go: the only processor would be away for that long. */
        if (sched_getaffinity(0, sizeof processors, &processors) == 0
            && CPU_COUNT(&processors) == 1) return;
        data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)offset);
        if (data == MAP_FAILED) return;
        /* The first small page brings the large one that it lies in. */
        if (madvise(data, size, MADV_HUGEPAGE) == 0 && madvise(data, size, MADV_RANDOM) == 0)
            platform_populate(data, page, 0);
        munmap(data, size);
    #else
        (void)fd; (void)offset; (void)size;
    #endif
    }

    PLATFORM_FUNCTION void platform_read_ahead(void* data, size_t size, int wanted) {
        madvise(data, size, wanted ? MADV_NORMAL : MADV_RANDOM);
    }

    PLATFORM_FUNCTION void platform_cache_drop(int fd, int64_t offset, size_t size) {
    #if defined(__linux__)
        posix_fadvise(fd, (off_t)offset, (off_t)size, POSIX_FADV_DONTNEED);
    #else
        (void)fd; (void)offset; (void)size;
    #endif
    }

    /* Take the pages of a shared map of a file out of the process's page table, all at once. They
       stay in the system's cache, dirty ones as dirty, and come back when they are touched. */
    PLATFORM_FUNCTION void platform_unmap_pages(void* data, size_t size) {
    #if defined(__linux__)
        madvise(data, size, MADV_DONTNEED);
    #else
        (void)data; (void)size;
    #endif
    }

    /* Address space without memory; at `place` if not NULL, or nowhere. */
    PLATFORM_FUNCTION void* platform_reserve(void* place, size_t size) {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        void* data = mmap(place, size, PROT_NONE, flags, -1, 0);
        if (data == MAP_FAILED) return NULL;
        if (place == NULL || data == place) return data;
        munmap(data, size);
        return NULL;
    }

    PLATFORM_FUNCTION int platform_enable(void* data, size_t size) {
        return mprotect(data, size, PROT_READ | PROT_WRITE) == 0 ? 0 : -errno;
    }

    /* Fresh zero pages in the place of those at data (NULL: anywhere). */
    PLATFORM_FUNCTION void* platform_zero_pages(void* data, size_t size) {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | (data != NULL ? MAP_FIXED : 0);
        data = mmap(data, size, PROT_READ | PROT_WRITE, flags, -1, 0);
        return data == MAP_FAILED ? NULL : data;
    }

    PLATFORM_FUNCTION int platform_lock(int fd) {
        int rc;
        PLATFORM_RETRY(rc, flock(fd, LOCK_EX | LOCK_NB));
        return rc == 0 ? 0 : -errno;
    }

    PLATFORM_FUNCTION void platform_write_pid(int fd) {
        char text[24];
        int size = snprintf(text, sizeof text, "%lld\\n", (long long)getpid());
        if (platform_truncate(fd, 0) == 0) (void)platform_write(fd, text, (size_t)size, 0);
    }

    PLATFORM_FUNCTION int64_t platform_read_pid(int fd) {
        char text[24];
        long long pid;
        int64_t size = platform_read(fd, text, sizeof text - 1, 0);
        if (size <= 0) return 0;
        text[size] = 0;
        pid = strtoll(text, NULL, 10);
        return pid > 0 ? (int64_t)pid : 0;
    }

    /* The coarse clock is a load from the vDSO page (5 ns; ticks every 1 to 4 ms). */
    PLATFORM_FUNCTION uint64_t platform_wall_ms(void) {
        struct timespec now;
    #if defined(CLOCK_REALTIME_COARSE)
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
    #else
        clock_gettime(CLOCK_REALTIME, &now);
    #endif
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    }

    PLATFORM_FUNCTION uint64_t platform_monotonic_ns(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    }

    /* getrandom by number: its C function is younger than the oldest C library we build for. */
    PLATFORM_FUNCTION int platform_random(unsigned char* data, size_t size) {
        int fd;
        ssize_t count = 0;
    #if defined(SYS_getrandom)
        while (size > 0) {
            PLATFORM_RETRY(count, syscall(SYS_getrandom, data, size, 0));
            if (count <= 0) break;
            data += count;
            size -= (size_t)count;
        }
        if (size == 0) return 0;
        if (count == -1 && errno != ENOSYS && errno != EPERM) return -errno;
    #endif
        PLATFORM_RETRY(fd, open("/dev/urandom", O_RDONLY | O_CLOEXEC));
        if (fd < 0) return -errno;
        while (size > 0) {
            PLATFORM_RETRY(count, read(fd, data, size));
            if (count <= 0) break;
            data += count;
            size -= (size_t)count;
        }
        count = count < 0 ? -errno : size > 0 ? -EIO : 0;
        close(fd);
        return (int)count;
    }

    PLATFORM_FUNCTION int platform_pause(uint64_t duration) {
        struct timespec left;
        left.tv_sec = (time_t)(duration / 1000000000);
        left.tv_nsec = (long)(duration % 1000000000);
        while (nanosleep(&left, &left) == -1)
            if (errno != EINTR) return -errno;
        return 0;
    }
    """
    int EWOULDBLOCK
    int O_RDONLY, O_RDWR, O_CREAT, O_TRUNC
    int platform_open(int root_fd, const char* name, int flags) noexcept nogil
    int platform_close(int fd) noexcept nogil
    int64_t platform_size(int fd) noexcept nogil
    int platform_allocate(int fd, int64_t size) noexcept nogil
    int platform_release(int fd, int64_t offset, int64_t size) noexcept nogil
    int64_t platform_read(int fd, void* data, size_t size, int64_t offset) noexcept nogil
    int64_t platform_write(int fd, const void* data, size_t size, int64_t offset) noexcept nogil
    int platform_truncate(int fd, int64_t size) noexcept nogil
    int platform_sync(int fd) noexcept nogil
    int platform_sync_directory(int fd) noexcept nogil
    int platform_rename(int root_fd, const char* source, const char* target) noexcept nogil
    int platform_remove(int root_fd, const char* name) noexcept nogil
    int platform_map(int fd, size_t size, int writable, void** out) noexcept nogil
    int platform_unmap(void* data, size_t size) noexcept nogil
    size_t platform_page_bytes() noexcept nogil
    int platform_populate(void* data, size_t size, int writable) noexcept nogil
    void platform_unmap_pages(void* data, size_t size) noexcept nogil
    void platform_cache_large(int fd, int64_t offset, size_t size) noexcept nogil
    void platform_read_ahead(void* data, size_t size, int wanted) noexcept nogil
    void platform_cache_drop(int fd, int64_t offset, size_t size) noexcept nogil
    void* platform_reserve(void* place, size_t size) noexcept nogil
    int platform_enable(void* data, size_t size) noexcept nogil
    void* platform_zero_pages(void* data, size_t size) noexcept nogil
    int platform_lock(int fd) noexcept nogil
    void platform_write_pid(int fd) noexcept nogil
    int64_t platform_read_pid(int fd) noexcept nogil
    uint64_t platform_wall_ms() noexcept nogil
    uint64_t platform_monotonic_ns() noexcept nogil
    int platform_random(unsigned char* data, size_t size) noexcept nogil
    int platform_pause(uint64_t duration) noexcept nogil
