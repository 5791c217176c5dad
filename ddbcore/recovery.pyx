"""Recovery: opening what is there.

Theory of operation
    The superblock names a checkpoint (or none yet) and the place in the log where replay starts. Loading reads the manifest, maps the segments
    it lists, and enters the unit table: no unit is read before it is needed. Then the frames behind are replayed.

    Replay ends at the first place that is no valid frame. Three proofs can show that this place was durable once: the LSN
    of the last clean close in the superblock, a later valid frame that says so, or a valid frame in the segment that the
    place should lead to. With a proof it is damage: refuse. Without, it is a write that was under way: cut.

Invariants
    1. The recovered state is the state after a prefix of the frames, in LSN order, that contains every durable one.
    2. Loading writes nothing. A writer's resume removes files that nothing names, and syncs the tail.

Format: FORMAT.md, section "Recovery".
"""

import json
import os

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from ddbcore.arena cimport GRANULE_BYTES, GRANULES_MAX, UNIT_NONE, arena_reset, arena_restored, unit_restore
from ddbcore.buffer cimport load_u32, load_u64
from ddbcore.checkpoint cimport MANIFEST_UNIT_BYTES, checkpoint_name, superblock_flip
from ddbcore.engine cimport Engine, LogPosition, TableState
from ddbcore.hashing cimport hash_bytes
from ddbcore.io cimport FILE_READ, FILE_WRITE
from ddbcore.log cimport Log, NewSegment, segment_name
from ddbcore.partition cimport DIRECTORY_DEPTH_MAX
from ddbcore.replay cimport REPLAY_BAD, REPLAY_GONE, REPLAY_LIMIT, durable_proof, replay
from ddbcore.segments cimport (
    SEGMENT_START,
    SLOT_COUNT_MAX,
    LogSlot,
    slot_prove,
    slot_sums_set,
)
from ddbcore.status cimport ERR_CORRUPT, ERR_IO, FOUND, OK
from ddbcore.superblock cimport Superblock, superblock_create, superblock_read

from ddbcore.errors import CorruptError, StorageError

cdef enum:
    MANIFEST_BYTES_MAX = 2147483647


cdef int database_create(Engine engine) except -1:
    cdef Superblock superblock
    cdef int status
    engine.disk.random(&superblock, sizeof(superblock))
    engine.database_id = superblock.database_id
    engine.hash_seed = superblock.hash_seed
    engine.log = Log(engine.disk, engine.database_id)
    engine.superblock_sequence = 1
    if not engine.disk.volatile_storage:
        superblock.sequence = 1
        superblock.reserved = 0
        superblock.created_ms = engine.disk.wall_ms()
        superblock.checkpoint_number = 0
        superblock.log_number = 1
        superblock.meta_pos = superblock.meta_size = superblock.meta_checksum = 0
        superblock.log_slot = 0
        superblock.log_offset = SEGMENT_START
        superblock.log_frame_seed = superblock.log_timestamp = 0
        superblock.log_lsn = 1
        superblock.clean_lsn = 0
        superblock.padding[0] = superblock.padding[1] = 0
        status = superblock_create(engine.disk, &superblock)
        if status < 0:
            raise StorageError(-status, f"cannot create a database in {engine.path}: {os.strerror(-status)}")
    first_segment(engine)
    return 0


cdef int first_segment(Engine engine) except -1:
    """Make the segment that a new database's superblock names, and start there."""
    try:
        engine.log.create()
    except OSError as error:
        engine.fail(ERR_IO, "creating the log")
    engine.base.slot = 0
    engine.base.number = 1
    engine.base.offset = SEGMENT_START
    engine.base.frame_seed = engine.log.frame_seed
    engine.base.lsn = 1
    engine.position = engine.base
    return 0


cdef class Manifest:
    """A manifest in memory, read piece by piece with every piece checked."""

    cdef uint8_t* data
    cdef uint64_t size
    cdef uint64_t pos
    cdef Engine engine

    def __dealloc__(self):
        free(self.data)

    cdef int damaged(self, str what) except -1:
        raise CorruptError(f"{self.engine.path}: the checkpoint is damaged ({what}); 'hashrange salvage' copies what is whole")

    cdef int read(self, int fd, const Superblock* superblock) except -1:
        cdef int64_t done
        self.size = superblock.meta_size
        if self.size > MANIFEST_BYTES_MAX or self.size < 8:
            self.damaged("impossible size of the manifest")
        self.data = <uint8_t*>malloc(self.size)
        if self.data == NULL:
            raise MemoryError()
        done = self.engine.disk.read_at(fd, self.data, self.size, superblock.meta_pos)
        if done < 0:
            raise StorageError(<int>-done, f"cannot read the checkpoint of {self.engine.path}: {os.strerror(<int>-done)}")
        if (<uint64_t>done != self.size
                or hash_bytes(self.data, self.size, superblock.meta_pos) != superblock.meta_checksum):
            self.damaged("checksum of the manifest")
        return 0

    cdef const uint8_t* take(self, uint64_t size) except NULL:
        """The next `size` bytes; the position goes on to a multiple of 8."""
        cdef const uint8_t* piece = self.data + self.pos
        if size > self.size - self.pos:
            self.damaged("the manifest is too short")
        self.pos += (size + 7) & ~<uint64_t>7
        if self.pos > self.size:
            self.pos = self.size
        return piece

    cdef dict head(self):
        cdef uint64_t size = load_u64(self.take(8))
        cdef const uint8_t* text = self.take(size)
        try:
            head = json.loads((<const char*>text)[:size])
            tables, slots = head["tables"], head["slots"]
            int(head["units"]), int(head["next_number"])
            for table in tables:
                table["schema"].encode()
                for key in ("depth", "entries", "items", "bytes", "slots"):
                    if not 0 <= int(table[key]) < 1 << 62:
                        raise ValueError(key)
                if len(table["slabs"]) != 5 or not isinstance(table["names"], list):
                    raise ValueError("slabs")
            for index, number, end in slots:
                if not (0 <= index < SLOT_COUNT_MAX and 0 <= number < 1 << 32 and 0 <= end <= 1 << 26):
                    raise ValueError("slots")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.damaged(f"head of the manifest: {error}")
        return head


cdef int load_tables(Engine engine, Manifest manifest, dict head) except -1:
    cdef TableState table
    cdef uint32_t index
    cdef bytes text
    cdef const uint8_t* piece
    for entry in head["tables"]:
        table = engine.table_add(entry["schema"].encode())
        for index, name in enumerate(entry["names"]):
            text = name.encode()
            table.codec.names.restore(index, <const uint8_t*><const char*>text, len(text))
    # The units that new tables start with make place for the saved ones.
    arena_reset(&engine.arena)
    for entry in head["tables"]:
        table = engine.tables[json.loads(entry["schema"])["id"]]
        depth = entry["depth"]
        if depth > DIRECTORY_DEPTH_MAX or entry["slots"] > SLOT_COUNT_MAX + 16:
            manifest.damaged("size of a directory")
        free(table.space.partition.directory)
        table.space.partition.depth = depth
        table.space.partition.directory = <uint32_t*>malloc(<size_t>4 << depth)
        if table.space.partition.directory == NULL:
            raise MemoryError()
        piece = manifest.take(<uint64_t>4 << depth)
        memcpy(table.space.partition.directory, piece, <size_t>4 << depth)
        table.space.partition.count = entry["entries"]
        table.space.item_count = entry["items"]
        table.space.item_bytes = entry["bytes"]
        for index in range(5):
            table.space.forest.slabs[index] = entry["slabs"][index]
        load_slot_live(engine, table, manifest.take(entry["slots"] * 8), entry["slots"])
    return 0


cdef int load_slot_live(Engine engine, TableState table, const uint8_t* piece, uint32_t count) except -1:
    if count == 0:
        return 0
    table.space.slot_live = <int64_t*>malloc(<size_t>count * 8)
    if table.space.slot_live == NULL:
        raise MemoryError()
    memcpy(table.space.slot_live, piece, <size_t>count * 8)
    table.space.slot_live_count = count
    return 0


cdef int load_units(Engine engine, Manifest manifest, uint64_t count) except -1:
    cdef const uint8_t* cells
    cdef uint64_t index
    cdef uint32_t granules
    for index in range(count):
        cells = manifest.take(MANIFEST_UNIT_BYTES)
        granules = load_u32(cells)
        if (granules > GRANULES_MAX
                or unit_restore(&engine.arena, <uint32_t>index, granules, load_u32(cells + 4), load_u64(cells + 8),
                                load_u64(cells + 16)) != OK):
            manifest.damaged("unit table")
    arena_restored(&engine.arena)
    return 0


cdef int load_segment(Engine engine, uint32_t slot, uint32_t number) except -1:
    cdef NewSegment segment
    cdef uint64_t first_lsn = 0
    cdef int status = engine.log.segment_open(number, engine.writable, &segment, &first_lsn)
    if status == ERR_CORRUPT:
        raise CorruptError(f"{engine.path}: the head of segment log-{number:08x} is damaged; 'hashrange salvage' copies what is whole")
    if status != OK:
        if engine.log.last_errno == 2:
            raise CorruptError(f"{engine.path}: segment log-{number:08x} is missing; restore the file from a backup, or "
                               "'hashrange salvage' what is whole")
        raise StorageError(engine.log.last_errno,
                           f"cannot open log-{number:08x} of {engine.path}: {os.strerror(engine.log.last_errno)}")
    # A map needs no open file; only the tail will be synced again.
    if not engine.writable or slot != engine.base.slot:
        engine.disk.close_file(segment.fd)
        segment.fd = -1
    engine.log.adopt(slot, &segment, first_lsn)
    return 0


cdef int load_segments(Engine engine, Manifest manifest, dict head, bint salvage) except -1:
    cdef TableState table
    cdef uint64_t* sums
    cdef uint64_t size
    cdef uint32_t slot
    cdef LogSlot* place
    for slot, number, end in head["slots"]:
        size = ((end + 65535) >> 16) * 8
        sums = <uint64_t*>malloc(size + 8)
        if sums == NULL:
            raise MemoryError()
        memcpy(sums, manifest.take(size), size)
        try:
            load_segment(engine, slot, number)
        except (CorruptError, StorageError):
            free(sums)
            if salvage:
                continue
            raise
        place = &engine.log.view.slots[slot]
        if slot_sums_set(&engine.log.view, place, sums, end) != OK:
            raise MemoryError()
    for table in engine.tables:
        if table is None:
            continue
        for slot in range(table.space.slot_live_count):
            engine.log.view.slots[slot].live_bytes += table.space.slot_live[slot]
    return 0


cdef int load_checkpoint(Engine engine, const Superblock* superblock, bint salvage) except -1:
    cdef Manifest manifest = Manifest()
    cdef char name[24]
    cdef dict head
    cdef LogSlot* tail
    manifest.engine = engine
    checkpoint_name(superblock.checkpoint_number, name)
    engine.checkpoint_fd = engine.disk.open_file(name, FILE_WRITE if engine.writable else FILE_READ)
    if engine.checkpoint_fd < 0:
        status = -engine.checkpoint_fd
        engine.checkpoint_fd = -1
        raise CorruptError(f"{engine.path}: the checkpoint file {name.decode()} cannot be opened: {os.strerror(status)}")
    engine.checkpoint_number = superblock.checkpoint_number
    manifest.read(engine.checkpoint_fd, superblock)
    head = manifest.head()
    engine.log.next_number = head["next_number"]
    load_tables(engine, manifest, head)
    load_units(engine, manifest, head["units"])
    load_segments(engine, manifest, head, salvage)
    engine.arena.fd = engine.checkpoint_fd
    engine.checkpoint_file_bytes = (superblock.meta_pos + superblock.meta_size + 4095) & ~<uint64_t>4095
    engine.meta_pos = superblock.meta_pos
    engine.meta_size = superblock.meta_size
    engine.meta_checksum = superblock.meta_checksum
    tail = &engine.log.view.slots[superblock.log_slot]
    if tail.base == NULL or tail.number != superblock.log_number or superblock.log_offset > tail.size:
        manifest.damaged("the segment where replay starts is not listed")
    # The block in which the next checkpoint's sums go on is proven now, or a flipped bit in it would be summed up.
    if (tail.unproven != NULL and superblock.log_offset > 0
            and slot_prove(&engine.log.view, tail, superblock.log_offset - 1, 1) != OK and not salvage):
        raise CorruptError(f"{engine.path}: log-{tail.number:08x} is damaged just below offset {superblock.log_offset}")
    return 0


cdef int database_load(Engine engine, bint salvage) except -1:
    cdef Superblock superblock
    cdef int status = superblock_read(engine.disk, &superblock)
    cdef int end
    if status == OK:
        if any(name.startswith(("log-", "checkpoint-")) for name in engine.disk.files()):
            raise CorruptError(f"{engine.path}: there are segments of a log but no superblock; restore the file 'superblock' "
                               "from a backup")
        return 0
    if status == ERR_CORRUPT:
        raise CorruptError(f"{engine.path}: both copies of the superblock are damaged; restore the file 'superblock' from "
                           "a backup")
    if status < 0:
        raise StorageError(-status - 1000, f"cannot read the superblock of {engine.path}: {os.strerror(-status - 1000)}")
    if superblock.log_slot >= SLOT_COUNT_MAX:
        raise CorruptError(f"{engine.path}: the superblock names slot {superblock.log_slot}")
    engine.database_id = superblock.database_id
    engine.hash_seed = superblock.hash_seed
    engine.superblock_sequence = superblock.sequence
    engine.clean_lsn = superblock.clean_lsn
    engine.log = Log(engine.disk, engine.database_id)
    engine.base.slot = <uint32_t>superblock.log_slot
    engine.base.number = superblock.log_number
    engine.base.offset = superblock.log_offset
    engine.base.frame_seed = superblock.log_frame_seed
    engine.base.lsn = superblock.log_lsn
    engine.base.timestamp = superblock.log_timestamp
    engine.checkpoint_at_ms = engine.disk.wall_ms()
    if superblock.checkpoint_number != 0:
        load_checkpoint(engine, &superblock, salvage)
    elif not load_first(engine):
        return 1
    engine.position = engine.base
    engine.recovered_bytes = 0
    engine.recovered_frames = 0
    end = replay(engine)
    if not salvage and end != REPLAY_LIMIT:
        refuse_damage(engine, end)
    return 1


cdef int load_first(Engine engine) except -1:
    """Map the first segment of a database that has no checkpoint yet. 0 when it was never finished."""
    cdef char[16] name
    try:
        load_segment(engine, 0, engine.base.number)
    except CorruptError:
        # Creation was cut short between superblock and log; or the log is lost.
        if engine.clean_lsn > 1 or engine.base.number != 1 or not unfinished(engine):
            raise
        if engine.writable:
            first_segment(engine)
        return 0
    if engine.base.number == 1 and engine.base.lsn == 1:
        engine.base.frame_seed = engine.log.view.slots[0].seed
    return 1


cdef bint unfinished(Engine engine) except -1:
    """Whether the only segment is missing or holds no frame at all."""
    path = [name for name in engine.disk.files() if name.startswith(("log-", "checkpoint-"))]
    if not path:
        return True
    cdef uint8_t page[4096]
    cdef int fd
    cdef int64_t size
    cdef int64_t index
    if path != ["log-00000001"]:
        return False
    fd = engine.disk.open_file("log-00000001", FILE_READ)
    if fd < 0:
        return False
    size = engine.disk.read_at(fd, page, 4096, 0)
    engine.disk.close_file(fd)
    # A head that was written makes the segment finished, whatever else happened to it.
    for index in range(size):
        if page[index] != 0:
            return False
    return True


cdef int refuse_damage(Engine engine, int end) except -1:
    """Raise CorruptError when the place where replay stopped is known to have been durable."""
    cdef uint64_t lsn = engine.position.lsn
    cdef str where = f"log-{engine.position.number:08x} at offset {engine.position.offset} (LSN {lsn})"
    if engine.clean_lsn > lsn:
        reason = f"everything below LSN {engine.clean_lsn} was durable when the database was closed"
    elif durable_proof(engine, &engine.position):
        reason = "a later frame proves that this one was durable"
    elif end == REPLAY_GONE and segment_proof(engine):
        reason = "the segment that follows was durable, and cannot be read"
    else:
        return 0
    raise CorruptError(f"{engine.path}: {where} is damaged: {reason}. Restore the file from a backup, or copy what is "
                       "whole with 'hashrange salvage'")


cdef bint segment_proof(Engine engine) except -1:
    """Whether the unreadable segment behind the roll frame at engine.position holds a frame that proves durability."""
    cdef LogSlot* slot = &engine.log.view.slots[engine.position.slot]
    cdef const uint8_t* body = slot.base + engine.position.offset + 48
    cdef uint32_t number = load_u32(body)
    cdef LogPosition there
    cdef LogSlot saved
    cdef char name[16]
    cdef int fd
    cdef int64_t size
    cdef uint8_t* base = NULL
    cdef bint proven
    segment_name(number, name)
    fd = engine.disk.open_file(name, FILE_READ)
    if fd < 0:
        return False
    size = engine.disk.file_size(fd)
    if size <= SEGMENT_START or engine.disk.map_file(fd, <uint64_t>size, False, &base) < 0:
        engine.disk.close_file(fd)
        return False
    # durable_proof looks into a slot: lend it the tail's.
    saved = slot[0]
    slot.base = base
    slot.size = <uint64_t>size & ~<uint64_t>7
    there = engine.position
    there.offset = SEGMENT_START
    there.frame_seed = load_u64(body + 16)
    proven = durable_proof(engine, &there)
    slot[0] = saved
    engine.disk.unmap(base, <uint64_t>size)
    engine.disk.close_file(fd)
    return proven


cdef int database_resume(Engine engine) except -1:
    cdef uint32_t slot
    cdef uint32_t number
    cdef set known = {"superblock", "lock"}
    cdef Log log = engine.log
    cdef int status
    if log.tail_base == NULL:
        log.resume(engine.position.slot, engine.position.offset, engine.position.frame_seed, engine.position.lsn,
                   engine.position.timestamp)
    for slot in range(log.view.slot_count):
        if log.view.slots[slot].base != NULL:
            known.add(f"log-{log.view.slots[slot].number:08x}")
            if log.view.slots[slot].number >= log.next_number:
                log.next_number = log.view.slots[slot].number + 1
            if slot != log.tail_slot and log.view.slots[slot].fd >= 0:
                status = engine.disk.sync_file(log.view.slots[slot].fd)
                if status < 0:
                    raise StorageError(-status, f"cannot sync the log of {engine.path}: {os.strerror(-status)}")
                engine.disk.close_file(log.view.slots[slot].fd)
                log.view.slots[slot].fd = -1
    if engine.checkpoint_number != 0:
        known.add(f"checkpoint-{engine.checkpoint_number:08x}")
    for name in engine.disk.files():
        if name not in known and name.startswith(("log-", "checkpoint-", "superblock.")):
            text = name.encode()
            engine.disk.remove(text)
    log.regrant()
    log.durable_lsn = engine.base.lsn
    log.root_dirty = True
    # What is served must not vanish with the power: sync before the first read.
    with nogil:
        status = log.sync(log.lsn)
    if status != OK:
        raise StorageError(log.sync_errno, f"cannot sync the log of {engine.path}: {os.strerror(log.sync_errno)}")
    return 0


cdef int follow(Engine engine) except -1:
    cdef LogSlot* slot = &engine.log.view.slots[engine.position.slot]
    cdef uint64_t frames = engine.recovered_frames
    cdef int end
    if (engine.pins != 0 or slot.base == NULL or engine.position.offset + 4 > slot.size
            or load_u32(slot.base + engine.position.offset) == 0):
        return 0
    end = replay(engine)
    if engine.recovered_frames != frames:
        engine.cache.clear()
    if end == REPLAY_BAD or end == REPLAY_GONE:
        # The writer removed segments this reader had not come to, or cut a torn tail: start from its newest checkpoint.
        reload(engine)
    return 1


cdef int reload(Engine engine) except -1:
    engine.reset()
    if not database_load(engine, False):
        raise CorruptError(f"{engine.path}: the database vanished while it was being read")
    return 1


cdef int roll_back(Engine engine) except -1:
    """After a failed sync: load the state as of the durable LSN, which is all that reads may show now.

    Not while something is decoded or a checkpoint is ending; the next read tries again.
    """
    cdef int number = engine.log.sync_errno
    if engine.rolled_back or engine.pins != 0 or engine.checkpoint_running:
        return 0
    engine.rolled_back = True
    # The keeper may be looking at the old log: it stays, closed.
    engine.poisoned_log = engine.log
    engine.limit_lsn = engine.log.durable_lsn
    engine.reset()
    database_load(engine, False)
    engine.log.lsn = engine.log.durable_lsn = engine.limit_lsn
    engine.log.sync_errno = number
    return 0
