"""Recovery: opening what is there.

Theory of operation
    The superblock names a checkpoint (or none yet) and the place in the log where replay starts.
    Loading reads the manifest, maps the segments it lists, and enters the unit table: no unit is
    read before it is needed. Then the frames behind are replayed.

    Replay ends at the first place that is no valid frame. Four proofs can show that this place was
    durable once: the durable LSN noted in the superblock, a later valid frame that says so, such a
    frame in a later segment, or a roll frame whose next segment was durable before. With a proof it
    is damage: refuse. Without, it is a write that was under way: cut.

    A reader loads while a writer goes on: what it misses because the writer was quicker, it loads
    again.

Invariants
    1. The recovered state is the state after a prefix of the frames, in LSN order, that contains
       every durable one.
    2. Loading writes nothing. A writer's resume syncs the tail, and then removes files that no
       durable superblock names.

Format: FORMAT.md, section "Recovery".
"""

import json
import os

from cpython.pythread cimport PyThread_get_thread_ident
from libc.errno cimport EDQUOT, EFBIG, ENOENT, ENOSPC
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from ddbcore.arena cimport (
    CHUNK_COUNT_MAX,
    GRANULE_BYTES,
    GRANULES_MAX,
    UNIT_NONE,
    UNITS_PER_CHUNK,
    arena_reset,
    arena_restored,
    unit_restore,
)
from ddbcore.buffer cimport load_u32, load_u64
from ddbcore.checkpoint cimport MANIFEST_UNIT_BYTES, checkpoint_name, superblock_flip
from ddbcore.engine cimport DURABILITY_NONE, Engine, LogPosition, TableState
from ddbcore.hashing cimport hash_bytes
from ddbcore.io cimport FILE_READ, FILE_WRITE
from ddbcore.log cimport (
    FRAME_HEADER_BYTES,
    ROLL_DURABLE,
    SUSPECT_NAME,
    FrameHeader,
    Log,
    NewSegment,
)
from ddbcore.partition cimport DIRECTORY_DEPTH_MAX, directory_make
from ddbcore.record cimport RECORD_HEADER_BYTES, Record
from ddbcore.replay cimport REPLAY_BAD, REPLAY_GONE, REPLAY_LIMIT, durable_proof, frame_at, replay
from ddbcore.segments cimport (
    SEGMENT_BYTES_MAX,
    SEGMENT_START,
    SLOT_COUNT_MAX,
    SLOT_GROWTH,
    LogSlot,
    slot_prove,
    slot_sums_set,
)
from ddbcore.status cimport ERR_CORRUPT, FOUND, OK
from ddbcore.superblock cimport Superblock, superblock_create, superblock_read

from ddbcore.engine import schema_parse
from ddbcore.errors import CorruptError, DiskFull, StorageError

cdef enum:
    MANIFEST_BYTES_MAX = 2147483647
    RELOADS_MAX = 100                     # loads of a reader that a writer overtakes
    UNITS_MAX = CHUNK_COUNT_MAX * UNITS_PER_CHUNK

# Items and their bytes: far above what 36 bits of address hold.
COUNT_MAX = (1 << 48) - 1


cdef int database_create(Engine engine) except -1:
    cdef Superblock superblock
    cdef int status
    engine.disk.random(&superblock, sizeof(superblock))
    engine.database_id = superblock.database_id
    engine.hash_seed = superblock.hash_seed
    engine.log = Log(engine.disk, engine.database_id)
    engine.superblock_sequence = 1
    # The log first, and durable: a superblock never names a segment that a power loss could take.
    first_segment(engine)
    if engine.disk.volatile_storage:
        return 0
    memset(&superblock, 0, sizeof(superblock))
    superblock.sequence = 1
    superblock.database_id = engine.database_id
    superblock.hash_seed = engine.hash_seed
    superblock.created_ms = engine.created_ms = engine.disk.wall_ms()
    superblock.log_number = 1
    superblock.log_offset = SEGMENT_START
    superblock.log_frame_seed = engine.log.frame_seed
    superblock.log_lsn = 1
    status = superblock_create(engine.disk, &superblock)
    if status < 0:
        storage_error(-status, f"cannot create a database in {engine.path}")
    return 0


cdef int storage_error(int number, str what) except -1:
    """Raise the exception of an errno: DiskFull where room would help."""
    if number in (ENOSPC, EDQUOT, EFBIG):
        raise DiskFull(number,
                       f"{what}: {os.strerror(number)}; free some space and open the database "
                       "again")
    raise StorageError(number, f"{what}: {os.strerror(number)}")


cdef int first_segment(Engine engine) except -1:
    """Make the segment that a new database's superblock is to name, and start there."""
    try:
        engine.log.create()
    except OSError as error:
        storage_error(error.errno, f"cannot create a database in {engine.path}")
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
    cdef uint64_t origin                  # in its file
    cdef Engine engine

    def __dealloc__(self):
        free(self.data)

    cdef int damaged(self, str what) except -1:
        raise CorruptError(f"{self.engine.path}: the checkpoint is damaged ({what}); 'hashrange "
                           "salvage' copies what is whole")

    cdef int read(self, int fd, const Superblock* superblock) except -1:
        cdef int64_t done
        self.size = superblock.meta_size
        self.origin = superblock.meta_pos
        done = self.engine.disk.file_size(fd)
        if (self.size > MANIFEST_BYTES_MAX or self.size < 8
                or (done >= 0 and (self.origin > <uint64_t>done
                                   or self.size > <uint64_t>done - self.origin))):
            self.damaged("impossible size of the manifest")
        self.data = <uint8_t*>malloc(self.size)
        if self.data == NULL:
            raise MemoryError()
        done = self.engine.disk.read_at(fd, self.data, self.size, superblock.meta_pos)
        if done < 0:
            raise StorageError(<int>-done,
                               f"cannot read the checkpoint of {self.engine.path}: "
                               f"{os.strerror(<int>-done)}")
        if (<uint64_t>done != self.size
                or hash_bytes(self.data, self.size, superblock.meta_pos)
                != superblock.meta_checksum):
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
        """The JSON at the front, every field checked."""
        cdef uint64_t size = load_u64(self.take(8))
        cdef const uint8_t* text = self.take(size)
        try:
            head = json.loads((<const char*>text)[:size])
            bounded(head["units"], UNITS_MAX)
            bounded(head["next_number"], 0xFFFFFFFF)
            for table in sequence(head["tables"]):
                table["schema"] = table["schema"].encode()
                table["names"] = [name.encode() for name in sequence(table["names"])]
                table["id"] = schema_parse(table["schema"])["id"]
                bounded(table["depth"], DIRECTORY_DEPTH_MAX)
                bounded(table["slots"], SLOT_COUNT_MAX + SLOT_GROWTH)
                for key in ("entries", "items", "bytes"):
                    bounded(table[key], COUNT_MAX)
                if len(sequence(table["slabs"])) != 5:
                    raise ValueError("slabs")
                for unit in table["slabs"]:
                    bounded(unit, <uint32_t>UNIT_NONE)
            for row in sequence(head["slots"]):
                index, number, end = sequence(row)
                bounded(index, SLOT_COUNT_MAX - 1)
                bounded(number, 0xFFFFFFFF)
                bounded(end, SEGMENT_BYTES_MAX)
            if len({row[0] for row in head["slots"]}) != len(head["slots"]):
                raise ValueError("a slot is listed twice")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            self.damaged(f"head of the manifest: {error}")
        return head


def bounded(value, most):
    """Check that a number of the manifest is an int of 0 to `most`."""
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{value!r:.50} where a number up to {most} belongs")


def sequence(value):
    """Check that a part of the manifest is a list, and return it."""
    if type(value) is not list:
        raise ValueError(f"{value!r:.50} where a list belongs")
    return value


cdef int load_tables(Engine engine, Manifest manifest, dict head) except -1:
    cdef TableState table
    cdef uint32_t index, depth
    cdef bytes text
    cdef const uint8_t* piece
    for entry in head["tables"]:
        table = engine.table_add(entry["schema"])
        for index, name in enumerate(entry["names"]):
            text = name
            table.codec.names.restore(index, <const uint8_t*><const char*>text, len(text))
    # The units that new tables start with make place for the saved ones.
    arena_reset(&engine.arena)
    for entry in head["tables"]:
        table = engine.tables[entry["id"]]
        depth = entry["depth"]
        piece = manifest.take(<uint64_t>4 << depth)
        if directory_make(&table.space.partition, depth) != OK:
            raise MemoryError()
        memcpy(table.space.partition.directory, piece, <size_t>4 << depth)
        table.space.partition.count = entry["entries"]
        table.space.item_count = entry["items"]
        table.space.item_bytes = entry["bytes"]
        for index in range(5):
            table.space.forest.slabs[index] = entry["slabs"][index]
        load_slot_live(engine, table, manifest.take(entry["slots"] * 8), entry["slots"])
    return 0


cdef int load_slot_live(Engine engine, TableState table, const uint8_t* piece,
                        uint32_t count) except -1:
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
    cdef uint64_t index, position
    cdef uint32_t granules
    for index in range(count):
        cells = manifest.take(MANIFEST_UNIT_BYTES)
        granules = load_u32(cells)
        position = load_u64(cells + 8)
        # Images lie ahead of the manifest that lists them.
        if (granules > GRANULES_MAX
                or (granules != 0
                    and (position > manifest.origin
                         or manifest.origin - position
                         < granules * GRANULE_BYTES)) or unit_restore(&engine.arena,
                                                                      <uint32_t>index, granules,
                                                                      load_u32(cells + 4), position,
                                                                      load_u64(cells + 16)) != OK):
            manifest.damaged("unit table")
    arena_restored(&engine.arena)
    return 0


cdef int load_segment(Engine engine, uint32_t slot, uint32_t number, bint salvage) except -1:
    """Map a segment that the superblock or the manifest names, and that therefore was durable as a
    whole.
    """
    cdef NewSegment segment
    cdef uint64_t first_lsn = 0
    cdef int status = engine.log.segment_open(number, engine.writable, salvage, &segment,
                                              &first_lsn)
    if status == ERR_CORRUPT:
        raise CorruptError(f"{engine.path}: the head of segment log-{number:08x} is damaged, or "
                           "its end is missing; 'hashrange salvage' copies what is whole")
    if status != OK:
        if engine.log.last_errno == 2:
            raise CorruptError(f"{engine.path}: segment log-{number:08x} is missing; restore the "
                               "file from a backup, or 'hashrange salvage' what is whole")
        raise StorageError(engine.log.last_errno,
                           f"cannot open log-{number:08x} of {engine.path}: "
                           f"{os.strerror(engine.log.last_errno)}")
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
            load_segment(engine, slot, number, salvage)
        except (CorruptError, StorageError):
            free(sums)
            if salvage:
                continue
            raise
        place = &engine.log.view.slots[slot]
        if not salvage and end > place.size:
            free(sums)
            manifest.damaged("size of a segment")
        place.used = end
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
        if status == ENOENT:
            raise CorruptError(f"{engine.path}: the checkpoint file {name.decode()} is missing; "
                               "restore it from a backup")
        storage_error(status, f"cannot open {name.decode()} of {engine.path}")
    engine.checkpoint_number = superblock.checkpoint_number
    manifest.read(engine.checkpoint_fd, superblock)
    head = manifest.head()
    engine.log.next_number = head["next_number"]
    load_tables(engine, manifest, head)
    load_units(engine, manifest, head["units"])
    load_segments(engine, manifest, head, salvage)
    engine.arena.fd = engine.checkpoint_fd
    engine.checkpoint_file_bytes = (superblock.meta_pos + superblock.meta_size
                                    + 4095) & ~<uint64_t>4095
    engine.meta_pos = superblock.meta_pos
    engine.meta_size = superblock.meta_size
    engine.meta_checksum = superblock.meta_checksum
    tail = &engine.log.view.slots[superblock.log_slot]
    if (tail.base == NULL or tail.number != superblock.log_number
            or superblock.log_offset > tail.size):
        manifest.damaged("the segment where replay starts is not listed")
    # The block in which the next checkpoint's sums go on is proven now, or a flipped bit in it
    # would be summed up.
    if (tail.unproven != NULL and superblock.log_offset > 0
            and slot_prove(&engine.log.view, tail, superblock.log_offset - 1, 1) != OK
            and not salvage):
        raise CorruptError(f"{engine.path}: log-{tail.number:08x} is damaged just below offset "
                           f"{superblock.log_offset}")
    return 0


cdef int database_load(Engine engine, bint salvage) except -1:
    cdef Superblock now
    cdef uint32_t attempts = RELOADS_MAX
    while True:
        engine.superblock_sequence = 0
        try:
            return load_once(engine, salvage)
        except (CorruptError, StorageError):
            # A writer may have put a newer checkpoint in place of the one that was being read, and
            # removed what only the older one needs.
            attempts -= 1
            if (engine.writable or attempts == 0 or engine.superblock_sequence == 0
                    or superblock_read(engine.disk, &now) != FOUND
                    or now.sequence == engine.superblock_sequence):
                raise
        engine.reset()


cdef int load_once(Engine engine, bint salvage) except -1:
    cdef Superblock superblock
    cdef int status = superblock_read(engine.disk, &superblock)
    if status == OK:
        if not unfinished(engine):
            raise CorruptError(f"{engine.path}: there are segments of a log but no superblock; "
                               "restore the file 'superblock' from a backup")
        return 0
    if status == ERR_CORRUPT:
        raise CorruptError(f"{engine.path}: both copies of the superblock are damaged; restore the "
                           "file 'superblock' from a backup")
    if status < 0:
        raise StorageError(-status - 1000,
                           f"cannot read the superblock of {engine.path}: "
                           f"{os.strerror(-status - 1000)}")
    engine.database_id = superblock.database_id
    engine.created_ms = superblock.created_ms
    engine.hash_seed = superblock.hash_seed
    engine.superblock_sequence = superblock.sequence
    if (superblock.log_slot >= SLOT_COUNT_MAX or superblock.log_offset < SEGMENT_START
            or superblock.log_offset > SEGMENT_BYTES_MAX or superblock.log_offset & 7):
        raise CorruptError(f"{engine.path}: the superblock names slot {superblock.log_slot}, "
                           f"offset {superblock.log_offset}")
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
    else:
        load_segment(engine, engine.base.slot, engine.base.number, salvage)
    engine.position = engine.base
    engine.recovered_bytes = 0
    engine.recovered_frames = 0
    # A salvage wants each damage to be met where it is.
    status = replay(engine, not salvage)
    while not salvage and status != REPLAY_LIMIT and refuse_damage(engine, status):
        status = replay(engine, True)
    return 1


cdef bint unfinished(Engine engine) except -1:
    """Whether the creation of a database ended before its superblock was in place: at most an empty
    first segment is there.
    """
    cdef uint8_t head[SEGMENT_START + 4]
    cdef int fd
    cdef int64_t size
    names = [name for name in engine.disk.files() if name.startswith(("log-", "checkpoint-"))]
    if not names:
        return True
    if names != ["log-00000001"]:
        return False
    fd = engine.disk.open_file("log-00000001", FILE_READ)
    if fd < 0:
        return False
    size = engine.disk.read_at(fd, head, sizeof(head), 0)
    engine.disk.close_file(fd)
    return size >= 0 and (size < <int64_t>sizeof(head) or load_u32(head + SEGMENT_START) == 0)


cdef bint refuse_damage(Engine engine, int end) except -1:
    """Raise CorruptError when the place where replay stopped is known to have been durable; True:
    there is a frame now.
    """
    cdef LogSlot* slot = &engine.log.view.slots[engine.position.slot]
    cdef const FrameHeader* frame
    cdef uint64_t lsn = engine.position.lsn
    cdef str where = (f"log-{engine.position.number:08x} at offset {engine.position.offset} "
                      f"(LSN {lsn})")
    if engine.clean_lsn > lsn:
        reason = (f"everything below LSN {engine.clean_lsn} was durable when that was noted in the "
                  "superblock")
    elif end == REPLAY_GONE:
        frame = <const FrameHeader*>(slot.base + engine.position.offset)
        if not (<const Record*>(<const uint8_t*>frame + FRAME_HEADER_BYTES)).flags & ROLL_DURABLE:
            return False
        number = load_u32(<const uint8_t*>frame + FRAME_HEADER_BYTES + RECORD_HEADER_BYTES)
        where = f"log-{number:08x}"
        reason = ("the segment was durable before the log went on in it, and is missing, cut short "
                  "or damaged now")
    elif durable_proof(
            engine, &engine.position, engine.log.view.slots[engine.position.slot].size):
        reason = "a later frame proves that this one was durable"
    else:
        reason = segment_proof(engine)
        if reason is None:
            return False
    # A reader may have looked before the writer was there.
    if end != REPLAY_GONE and frame_at(engine, &engine.position, &frame) == FOUND:
        return True
    raise CorruptError(f"{engine.path}: {where} is damaged: {reason}. Restore the file from a "
                       "backup, or copy what is whole with 'hashrange salvage'")


cdef object segment_proof(Engine engine):
    """A reason, when a segment that is newer than the place where replay stopped holds a frame that
    proves the place; or None.

    What a frame says of the durable LSN stays true for ever, so a left-over segment proves nothing
    wrong.
    """
    for name in engine.disk.files():
        if not name.startswith("log-"):
            continue
        try:
            number = int(name[4:], 16)
        except ValueError:
            continue
        if engine.position.number < number <= 0xFFFFFFFF and segment_proves(engine, number):
            return f"a frame in {name} proves that this one was durable"
    return None


cdef bint segment_proves(Engine engine, uint32_t number) except -1:
    cdef NewSegment segment
    cdef LogPosition there
    cdef uint64_t first_lsn = 0
    # Not writable, so that nothing is mended that is not known to belong here.
    if engine.log.segment_open(number, False, True, &segment, &first_lsn) != OK:
        return False
    engine.disk.close_file(segment.fd)
    engine.disk.unmap(segment.base, segment.size)
    there = engine.position
    there.number = number
    there.offset = SEGMENT_START
    there.frame_seed = segment.seed
    return durable_proof(engine, &there, segment.size)


cdef int database_resume(Engine engine) except -1:
    cdef uint32_t slot
    cdef Log log = engine.log
    cdef int status
    cdef set known = {"superblock", "lock"}
    cdef list strays
    cdef bint suspect
    log.lazy = engine.durability == DURABILITY_NONE
    names = engine.disk.files()
    suspect = (<bytes>SUSPECT_NAME).decode() in names
    if log.tail_base == NULL:
        log.resume(engine.position.slot, engine.position.offset, engine.position.frame_seed,
                   engine.position.lsn, engine.position.timestamp)
    for slot in range(log.view.slot_count):
        if log.view.slots[slot].base == NULL:
            continue
        known.add(f"log-{log.view.slots[slot].number:08x}")
        if log.view.slots[slot].number >= log.next_number:
            log.next_number = log.view.slots[slot].number + 1
        if log.view.slots[slot].fd >= 0:
            sync_segment(engine, slot, suspect)
    if engine.checkpoint_number != 0:
        known.add(f"checkpoint-{engine.checkpoint_number:08x}")
    # What is served must not vanish with the power: sync before the first read.
    log.durable_lsn = engine.base.lsn
    log.root_dirty = True
    with nogil:
        status = log.sync(log.lsn)
    if status != OK:
        storage_error(log.sync_errno, f"cannot sync the log of {engine.path}")
    strays = [name for name in names
              if name not in known and name.startswith(("log-", "checkpoint-", "superblock."))]
    if strays or suspect:
        # The writer before may have been killed between writing the superblock and syncing it: what
        # the drive has may still need what is removed here.
        superblock_flip(engine, engine.meta_pos, engine.meta_size, engine.meta_checksum, True)
    if suspect:
        strays.append((<bytes>SUSPECT_NAME).decode())
    for name in strays:
        text = name.encode()
        engine.disk.remove(text)
    log.regrant()
    return 0


cdef int sync_segment(Engine engine, uint32_t slot, bint suspect) except -1:
    """Sync a segment that was replayed, and close it unless it is the tail; after a failed sync its
    bytes are written again.
    """
    cdef Log log = engine.log
    cdef LogSlot* place = &log.view.slots[slot]
    cdef uint64_t end = log.tail_pos + 4 if slot == log.tail_slot else place.used
    cdef int status = OK
    if suspect:
        status = log.rewrite(slot, 0, end if end < place.size else place.size)
    if status >= 0 and (suspect or slot != log.tail_slot):
        status = engine.disk.sync_file(place.fd)
    if status < 0:
        storage_error(-status, f"cannot sync the log of {engine.path}")
    if slot != log.tail_slot:
        engine.disk.close_file(place.fd)
        place.fd = -1
    return 0


cdef bint load_begin(Engine engine) noexcept:
    """Take the right to load or replay; 0 when this thread has it (and runs a finalizer now).

    Schemas are read by Python code, which hands over the GIL in the middle: other threads wait
    here.
    """
    cdef unsigned long thread = PyThread_get_thread_ident()
    while engine.loader != 0:
        if engine.loader == thread:
            return False
        with nogil:
            engine.disk.pause_ns(50000)
    engine.loader = thread
    # A close in the meantime unmaps when this is done.
    engine.pins += 1
    return True


cdef void load_end(Engine engine) noexcept:
    engine.loader = 0
    engine.unpin()


cdef int follow(Engine engine) except -1:
    cdef LogSlot* slot
    cdef uint64_t frames
    cdef int end
    if engine.loader == 0:
        if engine.pins != 0:
            return 0
        slot = &engine.log.view.slots[engine.position.slot]
        if slot.base != NULL and (engine.position.offset + 4 > slot.size
                                  or load_u32(slot.base + engine.position.offset) == 0):
            return 0
    if not load_begin(engine):
        return 0
    try:
        if engine.refused or engine.pins != 1:
            return 0
        if engine.log.view.slots[engine.position.slot].base == NULL:
            # An earlier reload failed.
            return reload(engine)
        frames = engine.recovered_frames
        end = replay(engine)
        if engine.recovered_frames != frames:
            engine.cache.clear()
        if (end == REPLAY_BAD or end == REPLAY_GONE) and engine.pins == 1:
            # The writer removed segments this reader had not come to, or cut a torn tail: start
            # from its newest checkpoint.
            reload(engine)
    finally:
        load_end(engine)
    return 1


cdef int reload(Engine engine) except -1:
    engine.reset()
    if not database_load(engine, False):
        raise CorruptError(f"{engine.path}: the database vanished while it was being read")
    return 1


cdef int roll_back(Engine engine) except -1:
    """After a failed sync: load the state as of the durable LSN, which is all that reads may show
    now.

    Not while something is decoded or a checkpoint is ending; the next read tries again.
    """
    cdef int number = engine.log.sync_errno
    if engine.rolled_back and engine.loader == 0:
        return 0
    if engine.loader == 0 and (engine.pins != 0 or engine.checkpoint_running):
        return 0
    if not load_begin(engine):
        return 0
    try:
        if not engine.rolled_back and engine.pins == 1 and not engine.refused:
            load_durable(engine, number)
    finally:
        load_end(engine)
    return 0


cdef int load_durable(Engine engine, int number) except -1:
    engine.rolled_back = True
    # The keeper may be looking at the old log: it stays, closed.
    engine.poisoned_log = engine.log
    engine.limit_lsn = engine.log.durable_lsn
    engine.reset()
    try:
        database_load(engine, False)
    except BaseException:
        engine.refuse(f"a sync of {engine.path} failed, and the durable state cannot be loaded")
        raise
    engine.log.lsn = engine.log.durable_lsn = engine.limit_lsn
    engine.log.sync_errno = number
    return 0
