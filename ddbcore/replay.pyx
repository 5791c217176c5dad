"""Replay: frames of the log applied to the index, in order.

Theory of operation
    Opening a database, following a live one and verifying are one walk: from a position, frame by
    frame, each proven by its checksum, each LSN one more than the last. Puts and deletes wait in a
    small window, so that the cache lines of their index entries are on their way while the next
    frames are proven.

    At opening, old records whose keys are written again are relied on without a proof (segments).
    Following a writer, they are proven.

    Where the walk ends, `durable_proof` tells a torn tail from damage: each frame says which LSN
    was durable when it was written, so a valid frame further on may prove that the place was
    durable once.

Invariants
    1. Nothing of a frame is applied before all of it is proven.
    2. The names of a frame are applied before its items.

Threads
    Under the GIL.

Format: FORMAT.md, sections "Frames", "Records" and "Recovery".
"""

import os

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from ddbcore.buffer cimport load_u32, load_u64
from ddbcore.engine cimport Engine, LogPosition, TableState
from ddbcore.keyspace cimport (
    Keyspace,
    keyspace_hash,
    keyspace_replay,
)
from ddbcore.io cimport FILE_READ
from ddbcore.log cimport (
    FRAME_BYTES_MAX,
    FRAME_HEADER_BYTES,
    ROLL_DURABLE,
    FrameHeader,
    NewSegment,
    frame_checksum,
    segment_name,
)
from ddbcore.partition cimport partition_prefetch
from ddbcore.record cimport (
    RECORD_DELETE,
    RECORD_DROP,
    RECORD_HEADER_BYTES,
    RECORD_MOVE,
    RECORD_NAME,
    RECORD_OPEN,
    RECORD_PUT,
    RECORD_ROLL,
    RECORD_TABLE,
    Record,
)
from ddbcore.segments cimport SEGMENT_START, SLOT_COUNT_MAX, LogSlot, address_make, padded
from ddbcore.status cimport ERR_CORRUPT, ERR_IO, FOUND, OK

cdef extern from "errno.h":
    enum: ENOENT

from ddbcore.errors import CorruptError, StorageError

cdef enum:
    WINDOW_COUNT = 64
    PROOF_ZEROS_MAX = 1048576             # this many zero bytes end the search for a proof
    PROOF_BYTES_MAX = 67108864
    PROOF_WINDOW_BYTES = 65536

cdef struct Waiting:
    Keyspace* space
    const Record* record
    uint64_t address
    uint64_t hash


cdef int frame_at(Engine engine, const LogPosition* position,
                  const FrameHeader** frame) noexcept nogil:
    cdef LogSlot* slot = &engine.log.view.slots[position.slot]
    cdef const FrameHeader* header
    cdef uint32_t size
    if position.offset + FRAME_HEADER_BYTES > slot.size:
        return OK
    header = <const FrameHeader*>(slot.base + position.offset)
    size = header.size_bytes
    if size == 0:
        return OK
    if (size & 7 or size < FRAME_HEADER_BYTES + RECORD_HEADER_BYTES
            or position.offset + size > slot.size or header.lsn != position.lsn
            or frame_checksum(slot.base + position.offset, size, position.frame_seed)
            != header.checksum):
        return ERR_CORRUPT
    frame[0] = header
    return FOUND


cdef class Replayer:
    """One walk. Holds the window of records that wait."""

    cdef Engine engine
    cdef TableState table                 # of the last item
    cdef Waiting window[WINDOW_COUNT]
    cdef uint32_t waiting

    cdef int flush(self) except -1:
        cdef uint32_t index
        cdef int status = OK
        cdef Waiting* entry
        for index in range(self.waiting):
            entry = &self.window[index]
            status = keyspace_replay(entry.space, entry.hash, entry.record, entry.address)
            if status < 0:
                self.waiting = 0
                self.engine.fail(status, "replaying the log")
        self.waiting = 0
        return 0

    cdef int wait(self, TableState table, const Record* record, uint64_t address) except -1:
        cdef Waiting* entry
        if self.waiting == WINDOW_COUNT:
            self.flush()
        entry = &self.window[self.waiting]
        entry.space = &table.space
        entry.record = record
        entry.address = address
        entry.hash = keyspace_hash(&table.space, <const uint8_t*>record + RECORD_HEADER_BYTES,
                                   record.hash_size)
        partition_prefetch(&table.space.partition, entry.hash)
        self.waiting += 1
        return 0

    cdef int apply_schema(self, const Record* record) except -1:
        """Records that are rare: names, tables."""
        cdef TableState table
        cdef const uint8_t* body = <const uint8_t*>record + RECORD_HEADER_BYTES
        self.flush()
        table = self.engine.table_by_id(record.keyspace_id)
        if record.kind == RECORD_TABLE:
            schema = (<const char*>body)[:record.size_bytes - RECORD_HEADER_BYTES]
            if table is None:
                self.engine.table_add(schema)
            else:
                self.engine.table_alter(table, schema)
        elif table is None:
            raise CorruptError(f"{self.engine.path}: the log speaks of table {record.keyspace_id}, "
                               "which does not exist")
        elif record.kind == RECORD_DROP:
            self.engine.table_drop(table)
        else:
            table.codec.names.restore(record.item_size, body, record.hash_size)
        return 0

    cdef int apply_frame(self, const FrameHeader* frame, const LogPosition* position) except -1:
        cdef const uint8_t* start = <const uint8_t*>frame
        cdef const Record* record
        cdef uint64_t offset = FRAME_HEADER_BYTES
        cdef bint names = False
        while offset < frame.size_bytes:
            record = <const Record*>(start + offset)
            if (offset + RECORD_HEADER_BYTES > frame.size_bytes
                    or record.size_bytes < RECORD_HEADER_BYTES
                    or offset + padded(record.size_bytes) > frame.size_bytes
                    or <uint32_t>RECORD_HEADER_BYTES + record.hash_size + record.range_size
                    > record.size_bytes):
                raise CorruptError(f"{self.engine.path}: a record of the frame at LSN {frame.lsn} "
                                   "has impossible sizes")
            names = names or record.kind == RECORD_NAME
            offset += padded(record.size_bytes)
        offset = FRAME_HEADER_BYTES
        while names and offset < frame.size_bytes:
            record = <const Record*>(start + offset)
            if record.kind == RECORD_NAME:
                self.apply_schema(record)
            offset += padded(record.size_bytes)
        offset = FRAME_HEADER_BYTES
        while offset < frame.size_bytes:
            record = <const Record*>(start + offset)
            if (record.kind == RECORD_PUT or record.kind == RECORD_MOVE
                    or record.kind == RECORD_DELETE):
                if self.table is None or self.table.keyspace_id != record.keyspace_id:
                    self.table = self.engine.table_by_id(record.keyspace_id)
                if self.table is None:
                    raise CorruptError(f"{self.engine.path}: the log has items of table "
                                       f"{record.keyspace_id}, which does not exist")
                self.wait(self.table, record, address_make(position.slot, position.offset + offset))
            elif record.kind == RECORD_TABLE or record.kind == RECORD_DROP:
                self.table = None
                self.apply_schema(record)
            elif record.kind != RECORD_NAME:
                raise CorruptError(f"{self.engine.path}: unknown record kind {record.kind} at LSN "
                                   f"{frame.lsn}")
            offset += padded(record.size_bytes)
        return 0

    cdef int roll(self, LogPosition* position, const Record* record) except -1:
        """Follow a segment's last frame to the next segment: 1, or 0 when that is lost or damaged.
        """
        cdef const uint8_t* body = <const uint8_t*>record + RECORD_HEADER_BYTES
        cdef Engine engine = self.engine
        cdef NewSegment segment
        cdef uint64_t first_lsn = 0
        cdef uint32_t number, slot
        cdef int status
        if record.size_bytes < RECORD_HEADER_BYTES + 24:
            raise CorruptError(f"{engine.path}: a roll record is too short")
        number = load_u32(body)
        slot = load_u32(body + 4)
        if slot >= SLOT_COUNT_MAX or slot == position.slot:
            raise CorruptError(f"{engine.path}: a roll record names slot {slot}")
        self.flush()
        status = engine.log.segment_open(number, engine.writable, not record.flags & ROLL_DURABLE,
                                         &segment, &first_lsn)
        if status == ERR_IO and engine.log.last_errno != ENOENT:
            raise StorageError(engine.log.last_errno,
                               f"cannot open log-{number:08x} of {engine.path}: "
                               f"{os.strerror(engine.log.last_errno)}")
        if status != OK:
            return 0
        if segment.seed != load_u64(body + 16):
            engine.disk.unmap(segment.base, segment.size)
            engine.disk.close_file(segment.fd)
            return 0
        if engine.log.view.slots[slot].base != NULL:
            # The writer retired what was in this slot; every record of it was moved by frames that
            # are applied, or are now. What was relied on there is proven as long as it can be.
            engine.prove_relied("replaying the log")
            engine.log.segment_drop(slot, False)
        if not engine.writable:
            engine.disk.close_file(segment.fd)
            segment.fd = -1
        engine.log.view.slots[position.slot].used = position.offset
        engine.log.adopt(slot, &segment, position.lsn)
        position.slot = slot
        position.number = number
        position.offset = SEGMENT_START
        position.frame_seed = segment.seed
        return 1

    cdef int run(self) except -1:
        cdef Engine engine = self.engine
        cdef LogPosition position = engine.position
        cdef LogPosition here
        cdef const FrameHeader* frame = NULL
        cdef const Record* first
        cdef int status
        cdef int end = REPLAY_END
        while True:
            if engine.limit_lsn != 0 and position.lsn >= engine.limit_lsn:
                end = REPLAY_LIMIT
                break
            status = frame_at(engine, &position, &frame)
            if status != FOUND:
                end = REPLAY_END if status == OK else REPLAY_BAD
                break
            here = position
            first = <const Record*>(<const uint8_t*>frame + FRAME_HEADER_BYTES)
            if <uint64_t>first.size_bytes + FRAME_HEADER_BYTES > frame.size_bytes:
                raise CorruptError(f"{engine.path}: a record of the frame at LSN {frame.lsn} has "
                                   "impossible sizes")
            position.offset += frame.size_bytes
            position.lsn += 1
            position.timestamp = frame.timestamp
            if first.kind == RECORD_ROLL:
                if not self.roll(&position, first):
                    position = here
                    end = REPLAY_GONE
                    break
            elif first.kind == RECORD_OPEN and first.size_bytes >= RECORD_HEADER_BYTES + 8:
                position.frame_seed = load_u64(<const uint8_t*>first + RECORD_HEADER_BYTES)
            else:
                self.apply_frame(frame, &here)
            engine.position = position
            engine.recovered_bytes += frame.size_bytes
            engine.recovered_frames += 1
        self.flush()
        return end


cdef int replay(Engine engine, bint trusting=False) except -1:
    cdef Replayer replayer = Replayer.__new__(Replayer)
    cdef int end
    replayer.engine = engine
    engine.log.view.trusting = trusting
    try:
        end = replayer.run()
    finally:
        engine.log.view.trusting = False
    engine.log.lsn = engine.position.lsn
    return end


cdef bint header_proves(const FrameHeader* header, uint64_t room, uint64_t lsn) noexcept nogil:
    """Whether this may be the head of a frame that was written when `lsn` was durable already."""
    cdef uint32_t size = header.size_bytes
    if (size & 7 or size < FRAME_HEADER_BYTES + RECORD_HEADER_BYTES or size > room
            or size > FRAME_BYTES_MAX or header.lsn <= lsn or header.lsn - lsn > <uint64_t>1 << 40):
        return False
    return header.durable_lag != ~<uint32_t>0 and header.lsn - header.durable_lag > lsn


cdef bint frame_holds(const uint8_t* frame, uint64_t got, uint64_t seed) noexcept nogil:
    cdef const FrameHeader* header = <const FrameHeader*>frame
    return (header.size_bytes <= got
            and frame_checksum(frame, header.size_bytes, seed) == header.checksum)


cdef int durable_proof(Engine engine, const LogPosition* position, uint64_t size) noexcept nogil:
    cdef char name[16]
    cdef int fd, proven
    segment_name(position.number, name)
    fd = engine.disk.open_file(name, FILE_READ)
    if fd < 0:
        return 0
    proven = file_proves(engine, fd, size, position)
    engine.disk.close_file(fd)
    return proven


cdef int file_proves(Engine engine, int fd, uint64_t size,
                     const LogPosition* position) noexcept nogil:
    """Look for the proof in a file.

    Not through a map: touching the hole that a clean close leaves could need space.
    """
    cdef uint64_t offset = position.offset
    cdef uint64_t zeros = 0
    cdef uint64_t window = 0
    cdef uint64_t end = size if size < offset + PROOF_BYTES_MAX else offset + PROOF_BYTES_MAX
    cdef uint8_t* data = <uint8_t*>malloc(PROOF_WINDOW_BYTES + FRAME_BYTES_MAX)
    cdef int64_t got = 0
    cdef int proven = 0
    if data == NULL:
        return 0
    while offset + FRAME_HEADER_BYTES + RECORD_HEADER_BYTES <= end and zeros <= PROOF_ZEROS_MAX:
        if offset + FRAME_HEADER_BYTES > window + <uint64_t>got:
            window = offset
            got = engine.disk.read_at(fd, data, PROOF_WINDOW_BYTES, window)
            if got < FRAME_HEADER_BYTES:
                break
        if load_u64(data + offset - window) == 0:
            zeros += 8
        else:
            zeros = 0
            if header_proves(<const FrameHeader*>(data + offset - window), size - offset,
                             position.lsn):
                # The whole frame, for its checksum; it may be longer than the window.
                window = offset
                got = engine.disk.read_at(fd, data, PROOF_WINDOW_BYTES + FRAME_BYTES_MAX, window)
                if got < FRAME_HEADER_BYTES:
                    break
                if frame_holds(data, <uint64_t>got, position.frame_seed):
                    proven = 1
                    break
        offset += 8
    free(data)
    return proven
