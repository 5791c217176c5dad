"""The log: frames appended to mapped segments, and made durable together.

Theory of operation
    A commit is one frame. It is copied into the mapped tail, its checksum is set, and at last its
    size is stored with release order: the size is what makes it exist. The kernel has the bytes
    from then on, so a killed process loses nothing; no system call was made. Space was granted when
    the segment was created: a full disk is an error there, and never a SIGBUS. Name, size and head
    of a segment are durable before the frame that leads to it is written (the flag ROLL_DURABLE
    says so; not with durability "none"), so recovery knows a lost segment from one that never was.

    Durability is fdatasync on the files behind the maps. One thread syncs at a time; what others
    appended meanwhile is covered by the next sync, which one of them leads for all (group commit).
    The first failure poisons the log: the system may call clean what it could not write.

    A background thread prepares the next segment and faults in pages ahead of the tail, large ones
    while writes are fast. The last frame of a segment (RECORD_ROLL) names the next one, the first
    of a writer is a RECORD_OPEN.

Invariants
    1. Frames of a segment are contiguous; consecutive LSNs differ by one, across segments too.
    2. Bytes below the tail never change.
    3. Where the next frame begins, the size word is 0 (a torn tail's is cleared first).
    4. durable_lsn only grows; a frame below it was synced, and so was its file's directory entry.

Threads
    create, roll, place, publish, slots: under the GIL. sync and prepare: any thread, without the
    GIL; the mutex guards what they share. Nobody waits for the GIL while holding the mutex.

Format: FORMAT.md, sections "Segments" and "Frames".
"""

from libc.errno cimport EFBIG, ENOMEM, ENOSPC
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from ddbcore.buffer cimport load_u32, store_u32, store_u64
from ddbcore.hashing cimport hash_bytes
from ddbcore.io cimport FILE_CREATE, FILE_READ, FILE_WRITE, Disk
from ddbcore.record cimport RECORD_OPEN, RECORD_ROLL, Record
from ddbcore.segments cimport (
    SEGMENT_BYTES_MAX,
    SEGMENT_BYTES_MIN,
    SEGMENT_START,
    SLOT_COUNT_MAX,
    SLOT_FREE,
    SLOT_LIVE,
    LogSlot,
    address_make,
    slot_clear,
    view_free,
    view_init,
)
from ddbcore.status cimport ERR_CORRUPT, ERR_FULL, ERR_IO, OK

cdef extern from *:
    """
    #include <stdlib.h>
    #if defined(_WIN32)
    #include <windows.h>
    typedef struct { SRWLOCK mutex; CONDITION_VARIABLE done; } log_lock;
    static void* log_lock_new(void) {
        log_lock* lock = (log_lock*)calloc(1, sizeof(log_lock));
        if (lock) { InitializeSRWLock(&lock->mutex); InitializeConditionVariable(&lock->done); }
        return lock;
    }
    static void log_lock_free(void* lock) { free(lock); }
    #define log_lock_take(l) AcquireSRWLockExclusive(&((log_lock*)(l))->mutex)
    #define log_lock_give(l) ReleaseSRWLockExclusive(&((log_lock*)(l))->mutex)
    #define log_lock_wait(l) \\
        SleepConditionVariableSRW(&((log_lock*)(l))->done, &((log_lock*)(l))->mutex, INFINITE, 0)
    #define log_lock_wake(l) WakeAllConditionVariable(&((log_lock*)(l))->done)
    #define word_publish(p, v) (MemoryBarrier(), *(volatile unsigned int*)(p) = (v))
    #define lsn_load(p) (*(volatile unsigned long long*)(p))
    #define lsn_store(p, v) (*(volatile unsigned long long*)(p) = (v))
    #else
    #include <pthread.h>
    typedef struct { pthread_mutex_t mutex; pthread_cond_t done; } log_lock;
    static void* log_lock_new(void) {
        log_lock* lock = (log_lock*)calloc(1, sizeof(log_lock));
        if (lock) { pthread_mutex_init(&lock->mutex, NULL); pthread_cond_init(&lock->done, NULL); }
        return lock;
    }
    static void log_lock_free(void* lock) {
        if (lock) { pthread_cond_destroy(&((log_lock*)lock)->done);
                    pthread_mutex_destroy(&((log_lock*)lock)->mutex); free(lock); }
    }
    #define log_lock_take(l) pthread_mutex_lock(&((log_lock*)(l))->mutex)
    #define log_lock_give(l) pthread_mutex_unlock(&((log_lock*)(l))->mutex)
    #define log_lock_wait(l) pthread_cond_wait(&((log_lock*)(l))->done, &((log_lock*)(l))->mutex)
    #define log_lock_wake(l) pthread_cond_broadcast(&((log_lock*)(l))->done)
    #define word_publish(p, v) __atomic_store_n((uint32_t*)(p), (uint32_t)(v), __ATOMIC_RELEASE)
    #define lsn_load(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
    #define lsn_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
    #endif
    """
    void* log_lock_new() noexcept nogil
    void log_lock_free(void* lock) noexcept nogil
    void log_lock_take(void* lock) noexcept nogil
    void log_lock_give(void* lock) noexcept nogil
    void log_lock_wait(void* lock) noexcept nogil
    void log_lock_wake(void* lock) noexcept nogil
    void word_publish(void* target, uint32_t value) noexcept nogil
    uint64_t lsn_load(uint64_t* source) noexcept nogil
    void lsn_store(uint64_t* target, uint64_t value) noexcept nogil

cdef enum:
    POPULATE_AHEAD_BYTES = 2097152        # about 7 ms of writing at 300 MB/s
    UNLOAD_STEP_BYTES = 4194304
    UNLOAD_PAUSE_NS = 100000
    POPULATE_STEP_BYTES = 524288          # at a look of the keeper: others want its processor
    # The page cache keeps what one call wrote as one unit where the file system can, and a store
    # through the map makes the whole unit dirty: a durable put of 200 bytes would write 1 MiB.
    ZERO_CHUNK_BYTES = 16384
    REWRITE_CHUNK_BYTES = 1048576
    UNMAP_BYTES_MIN = 65536               # written pages that are let go together
    LARGE_PAGE_BYTES = 2097152
    LARGE_AHEAD_BYTES = 16777216          # 50 ms at 300 MB/s: a sync keeps the keeper that long
    ROLL_FRAME_BYTES = 72                 # headers 32 + 16, number 4, slot 4, size 8, seed 8
    ROLL_WASTE_BYTES = 65536              # left behind a roll, this is worth a call to give back
    TRIM_KEPT_BYTES = 8192                # behind the tail: room for OPEN and ROLL
    OPEN_FRAME_BYTES = 56                 # header 32, record header 16, seed 8
    STEADY_BYTES = 16777216               # log that grows to segments of this size whatever lives

cdef uint64_t SEGMENT_MAGIC = 0x47534C4552485241
cdef const char* SUSPECT_NAME = "suspect"


cdef void segment_name(uint32_t number, char* out) noexcept nogil:
    snprintf(out, 16, "log-%08x", number)


cdef uint64_t frame_checksum(const uint8_t* frame, uint32_t size_bytes,
                             uint64_t seed) noexcept nogil:
    """Checksum of a frame: size and lag go into the seed, the rest is hashed."""
    cdef uint64_t front = (<uint64_t>load_u32(frame + 4) << 32) | size_bytes
    return hash_bytes(frame + 16, size_bytes - 16, seed ^ (front * <uint64_t>0x9E3779B97F4A7C15))


cdef class Log:
    """The log of one database. Owned by its engine."""

    def __cinit__(self):
        self.ready.base = NULL
        self.ready.fd = -1
        self.lock = log_lock_new()
        if self.lock == NULL or view_init(&self.view) != OK:
            raise MemoryError()

    def __init__(self, Disk disk, uint64_t database_id):
        self.disk = disk
        self.database_id = database_id
        self.lsn = 1
        self.durable_lsn = 1
        self.next_number = 1

    def __dealloc__(self):
        view_free(&self.view)
        log_lock_free(self.lock)

    cdef int create(self) except -1:
        cdef NewSegment segment
        cdef int status
        with nogil:
            status = self.segment_create(SEGMENT_BYTES_MIN, self.next_number, self.lsn, &segment)
        if status != OK:
            raise OSError(self.last_errno, "cannot create the first segment of the log")
        self.next_number += 1
        self.view.slot_count = 1
        self.adopt(0, &segment, self.lsn)
        self.resume(0, SEGMENT_START, segment.seed, self.lsn, 0)
        self.large = False
        self.announced = True
        self.root_dirty = True
        return 0

    cdef void adopt(self, uint32_t slot, NewSegment* segment, uint64_t first_lsn) noexcept nogil:
        cdef LogSlot* place = &self.view.slots[slot]
        slot_clear(&self.view, place)
        place.base = segment.base
        place.size = segment.size
        place.seed = segment.seed
        place.number = segment.number
        place.fd = segment.fd
        place.first_lsn = first_lsn
        place.used = segment.size
        place.live_bytes = 0
        place.state = SLOT_LIVE
        if slot >= self.view.slot_count:
            self.view.slot_count = slot + 1
        self.total_bytes += segment.size

    cdef void resume(self, uint32_t slot, uint64_t pos, uint64_t frame_seed, uint64_t lsn,
                     uint64_t timestamp) noexcept nogil:
        self.tail_slot = slot
        self.tail_base = self.view.slots[slot].base
        self.tail_size = self.view.slots[slot].size
        self.tail_pos = pos
        self.populated = pos
        self.unmapped = pos
        self.enlarged = 0
        self.large = True
        # The room ahead holds nothing: reading around a fault would clear megabytes of it at once.
        self.disk.read_ahead(self.tail_base + pos, self.tail_size - pos, False)
        if pos + 4 <= self.tail_size and load_u32(self.tail_base + pos) != 0:
            store_u32(self.tail_base + pos, 0)
        self.frame_seed = frame_seed
        lsn_store(&self.lsn, lsn)
        self.last_timestamp = timestamp

    cdef int segment_create(self, uint64_t size, uint32_t number, uint64_t first_lsn,
                            NewSegment* out) noexcept nogil:
        cdef char name[16]
        cdef SegmentHeader header
        cdef int status
        segment_name(number, name)
        out.base = NULL
        out.enlarged = 0
        out.fd = self.disk.open_file(name, FILE_WRITE | FILE_CREATE)
        if out.fd < 0:
            self.last_errno = -out.fd
            return ERR_IO
        out.durable = False
        status = self.disk.allocate(out.fd, size)
        if status >= 0 and self.zero_ahead:
            status = self.write_zeros(out.fd, size)
        if status >= 0:
            status = self.disk.random(&out.seed, 8)
        if status >= 0:
            memset(&header, 0, sizeof(header))
            header.magic = SEGMENT_MAGIC
            header.version = FORMAT_VERSION
            header.number = number
            header.size = size
            header.seed = out.seed
            header.first_lsn = first_lsn
            header.database_id = self.database_id
            header.checksum = hash_bytes(<uint8_t*>&header, 56, self.database_id)
            status = <int>self.disk.write_at(out.fd, &header, sizeof(header), 0)
        if status >= 0 and not self.lazy and not self.disk.volatile_storage:
            status = self.disk.sync_file(out.fd)
            if status >= 0:
                status = self.disk.sync_root()
            out.durable = status >= 0
        if status >= 0:
            status = self.disk.map_file(out.fd, size, True, &out.base)
        if status < 0:
            self.last_errno = -status
            self.disk.close_file(out.fd)
            self.disk.remove(name)
            out.base = NULL
            out.fd = -1
            return ERR_IO
        out.size = size
        out.number = number
        return OK

    cdef int write_zeros(self, int fd, uint64_t size) noexcept nogil:
        """Write a new segment once, so that later syncs have no extents to convert."""
        cdef void* zeros = calloc(1, ZERO_CHUNK_BYTES)
        cdef uint64_t offset = 0
        cdef uint64_t chunk
        cdef int64_t done = 0
        if zeros == NULL:
            return OK
        while offset < size and done >= 0:
            chunk = size - offset if size - offset < ZERO_CHUNK_BYTES else ZERO_CHUNK_BYTES
            done = self.disk.write_at(fd, zeros, chunk, offset)
            offset += chunk
        free(zeros)
        if done >= 0:
            done = self.disk.sync_file(fd)
        return <int>done if done < 0 else OK

    cdef int segment_open(self, uint32_t number, bint writable, bint mend, NewSegment* out,
                          uint64_t* first_lsn) noexcept nogil:
        cdef char name[16]
        cdef SegmentHeader header
        cdef int64_t size
        cdef int status
        segment_name(number, name)
        out.base = NULL
        out.fd = self.disk.open_file(name, FILE_WRITE if writable else FILE_READ)
        if out.fd < 0:
            self.last_errno = -out.fd
            return ERR_IO
        size = self.disk.read_at(out.fd, &header, sizeof(header), 0)
        if size < 0:
            self.last_errno = <int>-size
            self.disk.close_file(out.fd)
            return ERR_IO
        if (size != sizeof(header) or header.magic != SEGMENT_MAGIC
                or header.version != FORMAT_VERSION or header.number != number
                or header.database_id != self.database_id
                or header.checksum != hash_bytes(<uint8_t*>&header, 56, self.database_id)
                or header.size < SEGMENT_BYTES_MIN or header.size > SEGMENT_BYTES_MAX):
            self.disk.close_file(out.fd)
            return ERR_CORRUPT
        size = self.disk.file_size(out.fd)
        status = OK
        if size >= 0 and <uint64_t>size < header.size:
            if not mend:
                self.disk.close_file(out.fd)
                return ERR_CORRUPT
            if writable:
                status = self.disk.allocate(out.fd, header.size)
            else:
                header.size = <uint64_t>size & ~<uint64_t>7
        elif size < 0:
            status = <int>size
        if status >= 0:
            status = self.disk.map_file(out.fd, header.size, writable, &out.base)
        if status < 0:
            self.last_errno = -status
            self.disk.close_file(out.fd)
            return ERR_IO
        out.size = header.size
        out.seed = header.seed
        out.number = number
        first_lsn[0] = header.first_lsn
        return OK

    cdef void segment_drop(self, uint32_t slot, bint remove) noexcept nogil:
        cdef LogSlot* place = &self.view.slots[slot]
        cdef char name[16]
        if place.base == NULL:
            return
        self.disk.unmap(place.base, place.size)
        if place.fd >= 0:
            self.disk.close_file(place.fd)
        if remove and not self.disowned:
            segment_name(place.number, name)
            self.disk.remove(name)
        self.total_bytes -= place.size
        slot_clear(&self.view, place)
        memset(place, 0, sizeof(LogSlot))
        place.fd = -1

    cdef void segment_detach(self, uint32_t slot, NewSegment* out) noexcept nogil:
        cdef LogSlot* place = &self.view.slots[slot]
        out.base = place.base
        out.size = place.size
        out.fd = place.fd
        out.number = place.number
        self.total_bytes -= place.size
        slot_clear(&self.view, place)
        memset(place, 0, sizeof(LogSlot))
        place.fd = -1

    cdef uint32_t slot_take(self) noexcept nogil:
        """The first free slot, or SLOT_COUNT_MAX."""
        cdef uint32_t slot
        for slot in range(self.view.slot_count):
            if self.view.slots[slot].state == SLOT_FREE:
                return slot
        return self.view.slot_count

    cdef uint64_t next_size(self, uint64_t least) noexcept nogil:
        """The next segment's size: as large as all that lives, so that space stays in proportion.

        From 256 KiB to 64 MiB, doubling with the log. A small set written over and over fills a
        segment soon: STEADY_BYTES let the background thread keep up with it.
        """
        cdef uint64_t size = SEGMENT_BYTES_MIN
        cdef uint64_t wanted = 0
        cdef int64_t live
        cdef uint32_t slot
        for slot in range(self.view.slot_count):
            live = self.view.slots[slot].live_bytes
            wanted += <uint64_t>live if live > 0 else 0
        if wanted < STEADY_BYTES:
            wanted = STEADY_BYTES
        if wanted > self.total_bytes:
            wanted = self.total_bytes
        while size < SEGMENT_BYTES_MAX and (size < wanted or size < least):
            size <<= 1
        return size

    cdef int roll(self, uint64_t size) noexcept nogil:
        cdef uint64_t least = size + SEGMENT_START + ROLL_RESERVE_BYTES + OPEN_FRAME_BYTES
        cdef NewSegment segment
        cdef uint32_t slot
        if not self.announced:
            if self.tail_pos + OPEN_FRAME_BYTES + ROLL_RESERVE_BYTES <= self.tail_size:
                self.write_open()
                self.announced = True
            if self.announced and self.tail_pos + size + ROLL_RESERVE_BYTES <= self.tail_size:
                return OK
        if least > SEGMENT_BYTES_MAX:
            self.last_errno = EFBIG
            return ERR_FULL
        log_lock_take(self.lock)
        segment = self.ready
        self.ready.base = NULL
        self.ready.fd = -1
        log_lock_give(self.lock)
        if segment.base != NULL and segment.size < least:
            self.discard(&segment)
        slot = self.slot_take()
        if slot >= SLOT_COUNT_MAX:
            if segment.base != NULL:
                self.discard(&segment)
            self.last_errno = ENOSPC
            return ERR_IO
        # Sixty segments without a sync (durability "none"): catch up.
        if self.dirty_count >= DIRTY_FILES_MAX - 1 and self.sync(self.lsn) != OK:
            if segment.base != NULL:
                self.discard(&segment)
            self.last_errno = self.sync_errno
            return ERR_IO
        if segment.base == NULL and self.roll_create(least, &segment) != OK:
            return ERR_IO
        self.write_roll(&segment, slot)
        if self.tail_size - self.tail_pos > ROLL_WASTE_BYTES:
            self.trim()
        log_lock_take(self.lock)
        # The next sync lets go of what was written, unless there may be none for long.
        self.dirty_files[self.dirty_count].written = self.written_take(
            &self.dirty_files[self.dirty_count].written_bytes)
        if self.lazy:
            self.disk.unmap_pages(self.dirty_files[self.dirty_count].written,
                                  self.dirty_files[self.dirty_count].written_bytes)
            self.dirty_files[self.dirty_count].written_bytes = 0
        self.dirty_files[self.dirty_count].fd = self.view.slots[self.tail_slot].fd
        self.dirty_count += 1
        self.view.slots[self.tail_slot].fd = -1
        self.view.slots[self.tail_slot].used = self.tail_pos
        self.disk.read_ahead(self.tail_base, self.tail_size, True)
        self.adopt(slot, &segment, self.lsn)
        self.resume(slot, SEGMENT_START, segment.seed, self.lsn, self.last_timestamp)
        self.enlarged = segment.enlarged
        self.large = segment.enlarged != 0
        if not segment.durable:
            self.root_dirty = True
        # A new segment has a seed of its own, and so announces this writer as well as RECORD_OPEN
        # does.
        self.announced = True
        log_lock_give(self.lock)
        return OK

    cdef int roll_create(self, uint64_t least, NewSegment* segment) noexcept nogil:
        cdef uint64_t wanted = self.next_size(least)
        cdef uint32_t number
        log_lock_take(self.lock)
        number = self.next_number
        self.next_number += 1
        log_lock_give(self.lock)
        while self.segment_create(wanted, number, self.lsn + 1, segment) != OK:
            # Near the end of the disk a smaller segment may still fit.
            wanted //= 2
            if ((self.last_errno != ENOSPC and self.last_errno != EFBIG) or wanted < least
                    or wanted < SEGMENT_BYTES_MIN):
                return ERR_IO
        return OK

    cdef void unload(self, const NewSegment* segment) noexcept nogil:
        """Let go of a segment's pages in steps: all at once keeps a processor busy for 3 ms."""
        cdef uint64_t offset = 0
        cdef uint64_t size
        while offset < segment.size:
            size = segment.size - offset
            if size > UNLOAD_STEP_BYTES:
                size = UNLOAD_STEP_BYTES
            self.disk.unmap_pages(segment.base + offset, size)
            self.disk.pause_ns(UNLOAD_PAUSE_NS)
            offset += size

    cdef void discard(self, NewSegment* segment) noexcept nogil:
        cdef char name[16]
        segment_name(segment.number, name)
        self.disk.unmap(segment.base, segment.size)
        if segment.fd >= 0:
            self.disk.close_file(segment.fd)
        if not self.disowned:
            self.disk.remove(name)
        segment.base = NULL
        segment.fd = -1

    cdef void write_roll(self, NewSegment* segment, uint32_t slot) noexcept nogil:
        cdef uint8_t frame[ROLL_FRAME_BYTES]
        cdef Record* record = <Record*>(frame + FRAME_HEADER_BYTES)
        memset(frame, 0, ROLL_FRAME_BYTES)
        record.size_bytes = ROLL_FRAME_BYTES - FRAME_HEADER_BYTES
        record.kind = RECORD_ROLL
        record.flags = ROLL_DURABLE if segment.durable else 0
        store_u32(frame + 48, segment.number)
        store_u32(frame + 52, slot)
        store_u64(frame + 56, segment.size)
        store_u64(frame + 64, segment.seed)
        self.place(frame, ROLL_FRAME_BYTES)
        self.publish(ROLL_FRAME_BYTES)

    cdef void write_open(self) noexcept nogil:
        """Write the first frame of a writer, which changes the seed of the checksums behind it.

        Leftovers of a torn tail, which may lie right where new frames end, never look valid then.
        """
        cdef uint8_t frame[OPEN_FRAME_BYTES]
        cdef Record* record = <Record*>(frame + FRAME_HEADER_BYTES)
        cdef uint64_t seed = 0
        memset(frame, 0, OPEN_FRAME_BYTES)
        self.disk.random(&seed, 8)
        record.size_bytes = OPEN_FRAME_BYTES - FRAME_HEADER_BYTES
        record.kind = RECORD_OPEN
        store_u64(frame + 48, seed)
        self.place(frame, OPEN_FRAME_BYTES)
        self.publish(OPEN_FRAME_BYTES)
        self.frame_seed = seed

    cdef uint64_t place(self, uint8_t* frame, uint64_t size) noexcept nogil:
        cdef FrameHeader* header = <FrameHeader*>frame
        cdef uint64_t timestamp = self.disk.wall_ms() << 16
        cdef uint8_t* target = self.tail_base + self.tail_pos
        cdef uint64_t lag = self.lsn - self.durable_lsn
        if timestamp <= self.last_timestamp:
            timestamp = self.last_timestamp + 1
        header.size_bytes = 0
        header.durable_lag = <uint32_t>(lag if lag < <uint64_t>0xFFFFFFFF else <uint64_t>0xFFFFFFFF)
        header.lsn = self.lsn
        header.timestamp = timestamp
        header.checksum = frame_checksum(frame, <uint32_t>size, self.frame_seed)
        self.last_timestamp = timestamp
        memcpy(target + 4, frame + 4, size - 4)
        # Invariant 3, before the frame exists.
        store_u32(target + size, 0)
        return address_make(self.tail_slot, self.tail_pos)

    cdef void publish(self, uint64_t size) noexcept nogil:
        word_publish(self.tail_base + self.tail_pos, <uint32_t>size)
        self.tail_pos += size
        self.appended_bytes += size
        lsn_store(&self.lsn, self.lsn + 1)

    cdef int sync(self, uint64_t lsn) noexcept nogil:
        cdef DirtyFile files[DIRTY_FILES_MAX]
        cdef uint32_t count, index
        cdef uint64_t target
        cdef bint root
        cdef int status
        log_lock_take(self.lock)
        while self.durable_lsn < lsn and self.sync_errno == 0:
            if self.syncing:
                self.sync_waiters += 1
                log_lock_wait(self.lock)
                self.sync_waiters -= 1
                continue
            self.syncing = True
            count = self.dirty_count
            for index in range(count):
                files[index] = self.dirty_files[index]
                self.dirty_files[index].written_bytes = 0
            files[count].fd = self.view.slots[self.tail_slot].fd
            files[count].written = self.written_take(&files[count].written_bytes)
            root = self.root_dirty
            target = lsn_load(&self.lsn)
            log_lock_give(self.lock)
            status = OK
            for index in range(count + 1):
                # Without the mutex: a roll need not wait. The maps stay while `syncing` is set,
                # since no segment goes without a sync that comes after this one.
                if files[index].written_bytes != 0:
                    self.disk.unmap_pages(files[index].written, files[index].written_bytes)
                if status >= 0:
                    status = self.disk.sync_file(files[index].fd)
            if status >= 0 and root:
                status = self.disk.sync_root()
            log_lock_take(self.lock)
            self.syncing = False
            self.sync_count += 1
            if status < 0:
                self.poison(-status)
            else:
                self.durable_lsn = target
                self.dirty_done(count)
                if root:
                    self.root_dirty = False
            log_lock_wake(self.lock)
        status = OK if self.durable_lsn >= lsn else ERR_IO
        log_lock_give(self.lock)
        return status

    cdef uint8_t* written_take(self, uint64_t* size) noexcept nogil:
        """The tail's written pages are let go, so that a sync need not stop the writers for each.

        Under the mutex, so that the tail stays the tail.
        """
        cdef uint64_t start = self.unmapped
        cdef uint64_t end = self.tail_pos & ~<uint64_t>4095
        size[0] = 0
        if end >= start + UNMAP_BYTES_MIN:
            size[0] = end - start
            self.unmapped = end
        return self.tail_base + start

    cdef void dirty_done(self, uint32_t count) noexcept nogil:
        """Close the synced, finished segments; those finished meanwhile stay on the list."""
        cdef uint32_t index
        if count > self.dirty_count:
            count = self.dirty_count
        for index in range(count):
            self.disk.close_file(self.dirty_files[index].fd)
        for index in range(count, self.dirty_count):
            self.dirty_files[index - count] = self.dirty_files[index]
        self.dirty_count -= count

    cdef void poison(self, int error) noexcept nogil:
        """Refuse to go on after a failed sync.

        The file `suspect` tells the next opening, in this process or another, to write those bytes
        again; it need not outlive the system's cache, so it needs no sync.
        """
        cdef int fd
        self.sync_errno = error
        if not self.disk.volatile_storage:
            fd = self.disk.open_file(SUSPECT_NAME, FILE_WRITE | FILE_CREATE)
            if fd >= 0:
                self.disk.close_file(fd)

    cdef int rewrite(self, uint32_t slot, uint64_t start, uint64_t end) noexcept nogil:
        cdef LogSlot* place = &self.view.slots[slot]
        cdef uint8_t* copy = <uint8_t*>malloc(REWRITE_CHUNK_BYTES)
        cdef uint64_t chunk
        cdef int64_t done = 0
        if copy == NULL:
            return -ENOMEM
        while start < end and done >= 0:
            chunk = end - start if end - start < REWRITE_CHUNK_BYTES else REWRITE_CHUNK_BYTES
            # Written from a copy: a file written from its own map would lock one page twice.
            memcpy(copy, place.base + start, chunk)
            done = self.disk.write_at(place.fd, copy, chunk, start)
            start += chunk
        free(copy)
        return <int>done if done < 0 else OK

    cdef void enlarge(self) noexcept nogil:
        """Have one more page large, ahead of the tail or in the segment that comes next.

        One at a time, since a sync may wait for the keeper. Had the tail moved on and the file been
        closed just now, another file would be read ahead, and nothing else happen.
        """
        cdef uint64_t start, end
        cdef uint32_t number
        cdef int fd
        if self.zero_ahead:
            return                        # all of a segment is cached, by the zeros written to it
        log_lock_take(self.lock)
        number = self.view.slots[self.tail_slot].number
        fd = self.view.slots[self.tail_slot].fd
        start = (self.tail_pos + LARGE_PAGE_BYTES - 1) & ~<uint64_t>(LARGE_PAGE_BYTES - 1)
        end = self.tail_pos + LARGE_AHEAD_BYTES
        if end > self.tail_size:
            end = self.tail_size
        if self.enlarged > start:
            start = self.enlarged
        if start + LARGE_PAGE_BYTES <= end:
            self.large = True
        elif self.ready.base != NULL:
            number = self.ready.number
            fd = self.ready.fd
            start = self.ready.enlarged
            end = self.ready.size if self.ready.size < LARGE_AHEAD_BYTES else LARGE_AHEAD_BYTES
        log_lock_give(self.lock)
        if start + LARGE_PAGE_BYTES > end:
            return
        if start == 0:
            # The page with the segment's head is there already, a small one.
            self.disk.cache_drop(fd, 0, LARGE_PAGE_BYTES)
        self.disk.cache_large(fd, start, LARGE_PAGE_BYTES)
        log_lock_take(self.lock)
        if self.ready.base != NULL and self.ready.number == number:
            self.ready.enlarged = start + LARGE_PAGE_BYTES
        elif self.view.slots[self.tail_slot].number == number:
            self.enlarged = start + LARGE_PAGE_BYTES
        log_lock_give(self.lock)

    cdef void shrink(self) noexcept nogil:
        cdef uint64_t lsn = lsn_load(&self.lsn)
        cdef uint64_t start, end
        cdef uint8_t* base
        cdef int fd
        if self.sync(lsn) != OK:
            return
        log_lock_take(self.lock)
        if self.syncing:
            log_lock_give(self.lock)
            return
        # As in a sync: the map stays.
        self.syncing = True
        fd = self.view.slots[self.tail_slot].fd
        base = self.tail_base
        start = self.tail_pos & ~<uint64_t>(LARGE_PAGE_BYTES - 1)
        end = self.enlarged if self.enlarged > start else start + LARGE_PAGE_BYTES
        if end > self.tail_size:
            end = self.tail_size
        self.enlarged = 0
        self.populated = self.tail_pos
        log_lock_give(self.lock)
        self.disk.unmap_pages(base + start, end - start)
        self.disk.cache_drop(fd, start, end - start)
        log_lock_take(self.lock)
        self.syncing = False
        # What was written meanwhile has kept its page: once more, then.
        self.large = lsn_load(&self.lsn) != lsn
        log_lock_wake(self.lock)
        log_lock_give(self.lock)

    cdef void prepare(self, bint fast) noexcept nogil:
        cdef NewSegment segment
        cdef uint64_t pos, size, ahead
        cdef uint8_t* base
        cdef uint32_t number = 0
        cdef uint32_t tail_number
        cdef bint wanted
        log_lock_take(self.lock)
        base = self.tail_base
        pos = self.tail_pos
        size = self.tail_size
        ahead = self.populated if self.populated > pos else pos
        # Small segments are made when they are needed: a test's database stays small.
        tail_number = self.view.slots[self.tail_slot].number
        wanted = (self.ready.base == NULL and size >= 4194304 and pos > size // 2
                  and self.sync_errno == 0 and self.refused_number != tail_number)
        if wanted:
            number = self.next_number
            self.next_number += 1
        log_lock_give(self.lock)
        if fast:
            self.enlarge()
        if ahead < pos + POPULATE_AHEAD_BYTES and ahead < self.tail_size:
            size = (self.tail_size if self.tail_size < ahead + POPULATE_STEP_BYTES
                    else ahead + POPULATE_STEP_BYTES)
            if base == self.tail_base:
                self.disk.populate(base + (ahead & ~<uint64_t>4095),
                                   size - (ahead & ~<uint64_t>4095), True)
                self.populated = size
        if wanted:
            # The header's first LSN is not known yet; a segment's frames carry theirs.
            if self.segment_create(self.next_size(0), number, 0, &segment) == OK:
                # Or the first fault would clear 8 MiB around it.
                self.disk.read_ahead(segment.base, segment.size, False)
                if not fast:
                    self.disk.populate(segment.base, POPULATE_STEP_BYTES, True)
                log_lock_take(self.lock)
                self.ready = segment
                log_lock_give(self.lock)
            else:
                self.refused_number = tail_number

    cdef void trim(self) noexcept nogil:
        cdef uint64_t kept = (self.tail_pos + TRIM_KEPT_BYTES + 4095) & ~<uint64_t>4095
        if self.tail_base != NULL and kept < self.tail_size and not self.zero_ahead:
            self.disk.release(self.view.slots[self.tail_slot].fd, kept)

    cdef void regrant(self) noexcept nogil:
        if self.disk.allocate(self.view.slots[self.tail_slot].fd, self.tail_size) < 0:
            # No frame goes here any more but the one that leads to the next segment: trim kept
            # room for that behind the tail.
            self.tail_size = self.tail_pos

    cdef void close(self) noexcept nogil:
        cdef uint32_t slot
        if not self.disowned:
            # A sync under way lets go of pages of the maps. A forked child has no such thread.
            log_lock_take(self.lock)
            while self.syncing:
                self.sync_waiters += 1
                log_lock_wait(self.lock)
                self.sync_waiters -= 1
            log_lock_give(self.lock)
        if self.ready.base != NULL:
            self.discard(&self.ready)
        for slot in range(self.dirty_count):
            self.disk.close_file(self.dirty_files[slot].fd)
        self.dirty_count = 0
        for slot in range(self.view.slot_count):
            self.segment_drop(slot, False)
        self.view.slot_count = 0
        self.tail_base = NULL
        self.tail_pos = 0
        self.tail_size = 0
