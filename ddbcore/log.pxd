"""The log: frames appended to mapped segments, and made durable together."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.io cimport Disk
from ddbcore.segments cimport LogView

cdef enum:
    FRAME_HEADER_BYTES = 32
    FRAME_BYTES_MAX = 33554432            # 32 MiB: half a segment
    ROLL_RESERVE_BYTES = 128              # kept free at the end of a segment for its last frame
    FORMAT_VERSION = 1
    DIRTY_FILES_MAX = 64
    ROLL_DURABLE = 1                      # flag of a RECORD_ROLL: the next segment was durable then

cdef struct FrameHeader:
    uint32_t size_bytes                   # header and records, a multiple of 8; stored last
    uint32_t durable_lag                  # lsn minus the first LSN not known durable at its writing
    uint64_t checksum                     # of everything else in the frame
    uint64_t lsn
    uint64_t timestamp                    # hybrid logical clock: Unix ms << 16 | counter

cdef struct SegmentHeader:
    uint64_t magic
    uint32_t version
    uint32_t number
    uint64_t size
    uint64_t seed
    uint64_t first_lsn
    uint64_t database_id
    uint64_t reserved
    uint64_t checksum                     # of the 56 bytes before

cdef struct NewSegment:
    uint8_t* base
    uint64_t size
    uint64_t seed
    uint32_t number
    int fd
    bint durable                          # name, size and head were synced
    uint64_t enlarged                     # bytes at its start that lie in large pages

cdef struct DirtyFile:
    int fd                                # of a finished segment; closed when synced
    uint8_t* written                      # pages of its map that were not let go yet
    uint64_t written_bytes

cdef class Log:
    cdef Disk disk
    cdef LogView view
    cdef readonly uint64_t database_id
    cdef uint32_t tail_slot
    cdef uint8_t* tail_base
    cdef uint64_t tail_pos                # where the next frame goes
    cdef uint64_t tail_size
    cdef uint64_t frame_seed              # of the checksums of frames written now
    cdef readonly uint64_t lsn            # of the next frame
    cdef readonly uint64_t durable_lsn    # frames below are durable
    cdef uint64_t last_timestamp
    cdef readonly uint64_t appended_bytes # since opening
    cdef uint64_t total_bytes             # size of all live segments
    cdef uint32_t next_number
    cdef bint zero_ahead                  # write zeros over new segments (durable commits)
    cdef bint announced                   # RECORD_OPEN was written since opening
    cdef bint lazy                        # segments are not synced when made (durability "none")
    cdef bint disowned                    # a forked child's: files are not touched any more
    cdef readonly int sync_errno          # errno of the first failed sync, 0 none: poisoned
    cdef int last_errno                   # of the last ERR_IO
    cdef readonly uint64_t sync_count
    # Shared with the threads that sync, under the mutex:
    cdef void* lock
    cdef bint syncing
    cdef bint root_dirty
    cdef DirtyFile dirty_files[DIRTY_FILES_MAX]
    cdef uint32_t dirty_count
    cdef uint32_t sync_waiters
    cdef NewSegment ready                 # prepared ahead; base NULL when none
    cdef uint32_t refused_number          # preparing the next one failed: its end tries again
    cdef uint64_t populated               # bytes of the tail faulted in
    cdef uint64_t unmapped                # bytes of it whose pages were let go
    cdef uint64_t enlarged                # the end of its large pages, as far as asked for
    cdef bint large                       # the tail may lie in large pages

    # Start the log of a new database. Raises StorageError.
    cdef int create(self) except -1
    # Put a mapped segment in a slot.
    cdef void adopt(self, uint32_t slot, NewSegment* segment, uint64_t first_lsn) noexcept nogil
    # Go on writing at a position (after recovery).
    cdef void resume(self, uint32_t slot, uint64_t pos, uint64_t frame_seed, uint64_t lsn,
                     uint64_t timestamp) noexcept nogil
    # Start the next segment, which must hold `size` more bytes. OK or ERR_IO with last_errno; then
    # nothing changed.
    cdef int roll(self, uint64_t size) noexcept nogil
    # Copy a frame (its header space included) behind the tail, unpublished. Returns its address.
    # Room must be there.
    cdef uint64_t place(self, uint8_t* frame, uint64_t size) noexcept nogil
    # Make the placed frame valid.
    cdef void publish(self, uint64_t size) noexcept nogil
    # Make all frames below `lsn` durable, together with other callers. OK or ERR_IO (poisoned).
    cdef int sync(self, uint64_t lsn) noexcept nogil
    # Background work: prepare the next segment and fault in pages ahead of the tail; large ones
    # when writes are `fast`.
    cdef void prepare(self, bint fast) noexcept nogil
    # A part of that for whoever writes faster still: any thread.
    cdef void enlarge(self) noexcept nogil
    # Background work: make the tail durable and let its large pages go.
    cdef void shrink(self) noexcept nogil
    cdef int roll_create(self, uint64_t least, NewSegment* segment) noexcept nogil
    cdef int write_zeros(self, int fd, uint64_t size) noexcept nogil
    cdef uint64_t next_size(self, uint64_t least) noexcept nogil
    # Take a segment out of its slot; what is left of it is for `discard`.
    cdef void segment_detach(self, uint32_t slot, NewSegment* out) noexcept nogil
    # The slow part of it, with pauses for others.
    cdef void unload(self, const NewSegment* segment) noexcept nogil
    # Unmap, close and remove a segment that is in no slot. The file system may take 20 ms for it.
    cdef void discard(self, NewSegment* segment) noexcept nogil
    cdef void write_roll(self, NewSegment* segment, uint32_t slot) noexcept nogil
    cdef void write_open(self) noexcept nogil
    # Take the tail's written pages that are to be let go: their start, and *size (0: not worth it).
    cdef uint8_t* written_take(self, uint64_t* size) noexcept nogil
    cdef void dirty_done(self, uint32_t count) noexcept nogil
    # Refuse writes from now on, and leave word for the next opening (see SUSPECT_NAME).
    cdef void poison(self, int error) noexcept nogil
    # Write the bytes [start, end) of a slot's file once more. 0 or -errno.
    cdef int rewrite(self, uint32_t slot, uint64_t start, uint64_t end) noexcept nogil
    # Create, grant, map and head a segment file. OK or ERR_IO.
    cdef int segment_create(self, uint64_t size, uint32_t number, uint64_t first_lsn,
                            NewSegment* out) noexcept nogil
    # Open and map an existing segment; checks its header. OK, ERR_IO or ERR_CORRUPT. A file that
    # was cut short is ERR_CORRUPT unless `mend`: then a writer restores its length, and a reader
    # maps what is there.
    cdef int segment_open(self, uint32_t number, bint writable, bint mend, NewSegment* out,
                          uint64_t* first_lsn) noexcept nogil
    # Unmap a slot's segment, close it, and remove its file when asked.
    cdef void segment_drop(self, uint32_t slot, bint remove) noexcept nogil
    cdef uint32_t slot_take(self) noexcept nogil
    # Give the unused space of the tail back to the file system (a clean close, a roll).
    cdef void trim(self) noexcept nogil
    # Grant that space again. Without room, the next write starts a new segment, or says that the
    # disk is full.
    cdef void regrant(self) noexcept nogil
    cdef void close(self) noexcept nogil

# The file that says: a sync failed, so the system's cache may hold bytes that it takes for written
# and that the drive does not have.
cdef const char* SUSPECT_NAME

# Name of a segment's file: "log-" and 8 hexadecimal digits; `out` has room for 16 bytes.
cdef void segment_name(uint32_t number, char* out) noexcept nogil
cdef uint64_t frame_checksum(const uint8_t* frame, uint32_t size_bytes,
                             uint64_t seed) noexcept nogil


# Room for a frame in the tail segment, or a new segment. OK or ERR_IO.
cdef inline int log_room(Log log, uint64_t size) noexcept nogil:
    if log.tail_pos + size + ROLL_RESERVE_BYTES <= log.tail_size and log.announced:
        return 0
    return log.roll(size)
