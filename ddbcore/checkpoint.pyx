"""Checkpoints: the index saved while writers go on.

Theory of operation
    Begin (GIL, microseconds): raise the arena's epoch, so that the units changed before belong to
    this checkpoint; note the log's position and copy the small state (tables, directories, the unit
    table). Write (no GIL): append the image of each changed unit to the checkpoint file, then the
    manifest: head, directories, unit table, block sums of the log. A unit's image is taken by
    compare-and-swap (arena.pyx): the writer never waits. Flip: sync the file and the log up to the
    position, write the next superblock slot, sync it. Finish (GIL): note where the images lie, drop
    shadows, remove what only the old checkpoint needed.

    When more than half of the file would be old images, the checkpoint goes whole into a new file
    and the old one is removed after the flip.

Invariants
    1. Until the superblock is durable, everything the old one names is in place.
    2. A failed checkpoint leaves all its units marked as changed.
    3. The manifest describes exactly the state at `base`, the position where replay will start.

Threads
    One checkpoint at a time (engine.checkpoint_running); begin and finish under the GIL, the middle
    without.

Format: FORMAT.md, section "Checkpoint".
"""

import json
import os

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.pythread cimport PyThread_get_thread_ident
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from ddbcore.arena cimport GRANULE_BYTES, GRANULES_MAX, Arena, Unit, block_drop, unit_at
from ddbcore.buffer cimport Buffer, buffer_free, buffer_reserve, store_u32, store_u64
from ddbcore.engine cimport Engine, LogPosition, TableState
from ddbcore.hashing cimport hash_bytes
from ddbcore.io cimport FILE_CREATE, FILE_WRITE, Disk
from ddbcore.log cimport Log, NewSegment
from ddbcore.segments cimport SLOT_LIVE, SLOT_RETIRED, LogSlot, slot_sums_extend
from ddbcore.status cimport ERR_IO, OK
from ddbcore.superblock cimport Superblock, superblock_write

from ddbcore.errors import DiskFull, StorageError

cdef extern from "errno.h":
    enum: EDQUOT
    enum: EFBIG
    enum: ENOSPC
    enum: ENOMEM

cdef extern from *:
    """
    #if defined(_WIN32)
    #include <windows.h>
    #define image_state(p) (*(volatile unsigned int*)(p))
    #define image_claim(p, old) \
        (InterlockedCompareExchange((volatile long*)(p), 0, (long)(old)) == (long)(old))
    #else
    #define image_state(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
    static int image_claim(uint32_t* p, uint32_t old) {
        return __atomic_compare_exchange_n(p, &old, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    }
    #endif
    """
    uint32_t image_state(uint32_t* state) noexcept nogil
    int image_claim(uint32_t* state, uint32_t old) noexcept nogil

cdef enum:
    WRITE_CHUNK_BYTES = 1048576
    WAIT_NS = 100000                      # between two looks whether another thread is done
    SLACK_BYTES = 1048576                 # old images below this never make a new file worth while

cdef struct UnitRow:
    uint8_t* data                         # block when the checkpoint began; NULL: only on file
    uint64_t file_pos
    uint64_t checksum
    uint32_t unit
    uint32_t owner
    uint8_t granules
    bint save                             # its image goes into the file now

cdef struct SlotRow:
    LogSlot slot                          # as it was when the checkpoint began
    uint32_t index
    uint64_t end                          # bytes that the sums cover
    uint64_t* sums                        # result


cdef void checkpoint_name(unsigned int number, char* out) noexcept nogil:
    snprintf(out, 24, "checkpoint-%08x", number)


cdef bytes padding(uint64_t size):
    """Zeros up to the next multiple of 8."""
    return b"\0" * ((8 - size % 8) % 8)


cdef bytes head_encode(list state):
    """The part of the manifest before the unit table."""
    head = json.dumps(state[0]).encode()
    parts = [len(head).to_bytes(8, "little"), head, padding(len(head))]
    for blob in state[1:]:
        parts += [blob, padding(len(blob))]
    return b"".join(parts)


cdef class Job:
    """One checkpoint under way."""

    cdef Engine engine
    cdef UnitRow* rows
    cdef uint32_t row_count               # rows: one per unit id
    cdef SlotRow* slots
    cdef uint32_t slot_count
    cdef list retired                     # (slot, number) of segments that go with this checkpoint
    cdef int old_fd                       # the file that a whole checkpoint replaced, or -1
    cdef uint32_t old_number
    cdef bytes head                       # manifest up to the unit table
    cdef uint32_t epoch                   # being saved
    cdef bint whole                       # into a new file
    cdef uint32_t number
    cdef int fd
    cdef uint64_t file_pos                # of the next byte
    cdef uint64_t meta_pos
    cdef uint64_t meta_size
    cdef uint64_t meta_checksum
    cdef Buffer chunk                     # images on their way to the file
    cdef int error                        # errno

    def __cinit__(self):
        self.fd = -1
        self.old_fd = -1

    def __dealloc__(self):
        cdef uint32_t index
        if self.slots != NULL:
            for index in range(self.slot_count):
                free(self.slots[index].sums)
        free(self.rows)
        free(self.slots)
        buffer_free(&self.chunk)

    cdef int begin(self) except -1:
        cdef Engine engine = self.engine
        cdef Arena* arena = &engine.arena
        cdef Log log = engine.log
        cdef uint64_t changed = 0
        cdef uint64_t lsn
        cdef uint32_t unit
        cdef Unit* entry
        cdef list state
        engine.prove_relied("saving the index")
        for unit in range(arena.unit_count):
            entry = unit_at(arena, unit)
            if entry.granules != 0 and entry.state == arena.epoch:
                changed += <uint64_t>entry.granules * GRANULE_BYTES
        self.whole = (engine.checkpoint_number == 0
                      or engine.checkpoint_file_bytes + changed
                      > 2 * arena.bytes_used + SLACK_BYTES)
        self.open_file()
        while True:
            # Making objects may collect garbage, and so run code that writes: then all of it once
            # more.
            lsn = log.lsn
            self.collect_units()
            self.collect_slots()
            state = self.collect_tables()
            if lsn == log.lsn:
                break
        engine.base.slot = log.tail_slot
        engine.base.number = log.view.slots[log.tail_slot].number
        engine.base.offset = log.tail_pos
        engine.base.frame_seed = log.frame_seed
        engine.base.lsn = log.lsn
        engine.base.timestamp = log.last_timestamp
        self.epoch = arena.epoch
        arena.saving = arena.epoch
        arena.epoch += 1
        engine.checkpoint_log_bytes = log.appended_bytes
        # From here on other threads may write: json runs Python code, which hands over the GIL.
        self.head = head_encode(state)
        return 0

    cdef int collect_units(self) except -1:
        cdef Arena* arena = &self.engine.arena
        cdef uint32_t unit
        cdef Unit* entry
        cdef UnitRow* row
        free(self.rows)
        self.row_count = arena.unit_count
        self.rows = <UnitRow*>calloc(self.row_count + 1, sizeof(UnitRow))
        if self.rows == NULL:
            raise MemoryError()
        for unit in range(self.row_count):
            entry = unit_at(arena, unit)
            row = &self.rows[unit]
            row.unit = unit
            row.granules = entry.granules
            if entry.granules == 0:
                continue
            row.owner = entry.owner
            row.data = entry.data
            row.file_pos = entry.file_pos
            row.checksum = entry.checksum
            row.save = self.whole or entry.state == arena.epoch
            if self.whole and entry.data != NULL:
                entry.state = arena.epoch
        return 0

    cdef int open_file(self) except -1:
        cdef char name[24]
        cdef Engine engine = self.engine
        if not self.whole:
            self.number = engine.checkpoint_number
            self.fd = engine.checkpoint_fd
            self.file_pos = engine.checkpoint_file_bytes
            return 0
        self.number = engine.checkpoint_number + 1
        checkpoint_name(self.number, name)
        self.fd = engine.disk.open_file(name, FILE_WRITE | FILE_CREATE)
        if self.fd < 0:
            kind = DiskFull if -self.fd in (ENOSPC, EDQUOT, EFBIG) else StorageError
            raise kind(-self.fd, f"cannot create a checkpoint in {engine.path}: "
                       f"{os.strerror(-self.fd)}; the database is as it was")
        self.file_pos = GRANULE_BYTES
        return 0

    cdef int collect_slots(self) except -1:
        cdef Log log = self.engine.log
        cdef uint32_t index
        cdef SlotRow* row
        free(self.slots)
        self.slot_count = 0
        self.retired = []
        self.slots = <SlotRow*>calloc(log.view.slot_count + 1, sizeof(SlotRow))
        if self.slots == NULL:
            raise MemoryError()
        for index in range(log.view.slot_count):
            if log.view.slots[index].state == SLOT_RETIRED:
                self.retired.append((index, log.view.slots[index].number))
            if log.view.slots[index].state != SLOT_LIVE:
                continue
            row = &self.slots[self.slot_count]
            row.slot = log.view.slots[index]
            row.index = index
            row.end = log.tail_pos if index == log.tail_slot else row.slot.used
            self.slot_count += 1
        return 0

    cdef list collect_tables(self):
        """What the head of the manifest is made of: a dict, then blobs."""
        cdef Engine engine = self.engine
        cdef TableState table
        cdef list tables = []
        cdef list blobs = []
        cdef list slots = []
        cdef uint32_t index
        for table in engine.tables:
            if table is None:
                continue
            tables.append({
                "schema": table.schema.decode(),
                "names": table.codec.names.names[:table.codec.names.logged],
                "depth": table.space.partition.depth,
                "entries": table.space.partition.count,
                "items": table.space.item_count,
                "bytes": table.space.item_bytes,
                "slots": table.space.slot_live_count,
                "slabs": [table.space.forest.slabs[index] for index in range(5)],
            })
            blobs.append((<char*>table.space.partition.directory)[
                :<size_t>4 << table.space.partition.depth])
            blobs.append((<char*>table.space.slot_live)[:<size_t>table.space.slot_live_count * 8]
                         if table.space.slot_live_count else b"")
        for index in range(self.slot_count):
            slots.append([self.slots[index].index, self.slots[index].slot.number,
                          self.slots[index].end])
        return [{"tables": tables, "slots": slots, "units": self.row_count,
                 "next_number": engine.log.next_number}, *blobs]

    cdef int drain(self) noexcept nogil:
        cdef int64_t done
        if self.chunk.size == 0:
            return OK
        done = self.engine.disk.write_at(self.fd, self.chunk.data, self.chunk.size, self.file_pos)
        if done < 0:
            self.error = <int>-done
            return ERR_IO
        self.file_pos += self.chunk.size
        self.chunk.size = 0
        return OK

    cdef int save_unit(self, UnitRow* row) noexcept nogil:
        """Take the image of a unit as of the checkpoint's beginning, into the chunk."""
        cdef Unit* entry = unit_at(&self.engine.arena, row.unit)
        cdef uint64_t size = <uint64_t>row.granules * GRANULE_BYTES
        cdef uint8_t* target
        cdef int64_t done
        if self.chunk.size + size > WRITE_CHUNK_BYTES and self.drain() != OK:
            return ERR_IO
        target = self.chunk.data + self.chunk.size
        if row.data == NULL:
            done = self.engine.disk.read_at(self.engine.checkpoint_fd, target, size, row.file_pos)
            if done != <int64_t>size or hash_bytes(target, size, row.file_pos) != row.checksum:
                self.error = <int>-done if done < 0 else 5
                return ERR_IO
        else:
            memcpy(target, row.data, size)
            # Whoever moves `state` away first decides: on failure the writer left the old image as
            # shadow.
            if image_state(&entry.state) != self.epoch or not image_claim(&entry.state, self.epoch):
                memcpy(target, entry.shadow, size)
        row.file_pos = self.file_pos + self.chunk.size
        row.checksum = hash_bytes(target, size, row.file_pos)
        self.chunk.size += size
        return OK

    cdef int append(self, const void* data, uint64_t size) noexcept nogil:
        """Add bytes of the manifest; its checksum is over all of them, so they stay in one buffer.
        """
        if buffer_reserve(&self.chunk, size) != 0:
            self.error = ENOMEM
            return ERR_IO
        memcpy(self.chunk.data + self.chunk.size, data, size)
        self.chunk.size += size
        return OK

    cdef int save_manifest(self, const char* head, uint64_t head_size) noexcept nogil:
        cdef uint8_t cells[MANIFEST_UNIT_BYTES]
        cdef uint32_t index
        cdef UnitRow* row
        cdef SlotRow* slot
        if self.drain() != OK or self.append(head, head_size) != OK:
            return ERR_IO
        for index in range(self.row_count):
            row = &self.rows[index]
            store_u32(cells, row.granules)
            store_u32(cells + 4, row.owner)
            store_u64(cells + 8, row.file_pos)
            store_u64(cells + 16, row.checksum)
            if self.append(cells, MANIFEST_UNIT_BYTES) != OK:
                return ERR_IO
        for index in range(self.slot_count):
            slot = &self.slots[index]
            if slot_sums_extend(&slot.slot, slot.end, &slot.sums) != OK:
                self.error = ENOMEM
                return ERR_IO
            if self.append(slot.sums, ((slot.end + 65535) >> 16) * 8) != OK:
                return ERR_IO
        self.meta_pos = self.file_pos
        self.meta_size = self.chunk.size
        self.meta_checksum = hash_bytes(self.chunk.data, self.chunk.size, self.meta_pos)
        return self.drain()

    cdef int save(self, const char* head, uint64_t head_size) noexcept nogil:
        """Everything between begin and flip; no GIL."""
        cdef uint32_t index
        cdef int status
        if buffer_reserve(&self.chunk, WRITE_CHUNK_BYTES + GRANULES_MAX * GRANULE_BYTES) != 0:
            self.error = ENOMEM
            return ERR_IO
        for index in range(self.row_count):
            if self.rows[index].save and self.save_unit(&self.rows[index]) != OK:
                return ERR_IO
        if self.save_manifest(head, head_size) != OK:
            return ERR_IO
        status = self.engine.disk.sync_file(self.fd)
        if status >= 0 and self.whole:
            status = self.engine.disk.sync_root()
        if status < 0:
            self.error = -status
            return ERR_IO
        if self.engine.log.sync(self.engine.base.lsn) != OK:
            self.error = self.engine.log.sync_errno
            return ERR_IO
        return OK

    cdef void end(self, bint saved) noexcept:
        """Settle the units: where their images lie, or that they still have to be saved."""
        cdef Arena* arena = &self.engine.arena
        cdef uint32_t index
        cdef Unit* entry
        for index in range(self.row_count):
            if not self.rows[index].save:
                continue
            entry = unit_at(arena, index)
            if entry.shadow != NULL:
                block_drop(arena, entry.shadow, entry.shadow_granules)
                entry.shadow = NULL
            if saved:
                entry.file_pos = self.rows[index].file_pos
                entry.checksum = self.rows[index].checksum
            elif entry.data != NULL:
                entry.state = arena.epoch
        arena.saving = 0

    cdef int finish(self) except -1:
        """The new checkpoint counts: forget what only the old one needed."""
        cdef Engine engine = self.engine
        cdef uint32_t index
        cdef LogSlot* slot
        if self.whole:
            self.old_fd = engine.checkpoint_fd
            self.old_number = engine.checkpoint_number
            engine.checkpoint_fd = self.fd
            engine.arena.fd = self.fd
            engine.checkpoint_number = self.number
            self.fd = -1
        engine.checkpoint_file_bytes = (self.file_pos + 4095) & ~<uint64_t>4095
        engine.checkpoint_count += 1
        engine.checkpoint_at_ms = engine.disk.wall_ms()
        for index in range(self.slot_count):
            slot = &engine.log.view.slots[self.slots[index].index]
            if slot.number == self.slots[index].slot.number and slot.base != NULL:
                free(slot.sums)
                slot.sums = self.slots[index].sums
                slot.summed_bytes = self.slots[index].end
                self.slots[index].sums = NULL
        return 0

    cdef int clear_away(self) except -1:
        """Remove the files that only the old checkpoint needed.

        A file system may take 20 ms to remove a segment: others have the GIL then.
        """
        cdef Engine engine = self.engine
        cdef Disk disk = engine.disk
        cdef Log log = engine.log
        cdef NewSegment segment
        cdef char name[24]
        cdef uint32_t slot
        if self.old_fd >= 0:
            checkpoint_name(self.old_number, name)
            with nogil:
                disk.close_file(self.old_fd)
                disk.remove(name)
            self.old_fd = -1
        for slot, number in self.retired:
            # Once a finalizer has closed the database, the files are another writer's.
            if (engine.pins == 0 and not engine.release_pending and engine.log is log
                    and slot < log.view.slot_count and log.view.slots[slot].number == number):
                log.segment_detach(slot, &segment)
                with nogil:
                    log.unload(&segment)
                    log.discard(&segment)
        return 0

    cdef int discard(self) except -1:
        cdef char name[24]
        if self.whole and self.fd >= 0:
            self.engine.disk.close_file(self.fd)
            checkpoint_name(self.number, name)
            self.engine.disk.remove(name)
            self.fd = -1
        return 0


cdef int superblock_flip(Engine engine, uint64_t meta_pos, uint64_t meta_size,
                         uint64_t meta_checksum, bint durable) except -1:
    cdef Superblock superblock
    cdef int status
    cdef bint doubtful = False
    memset(&superblock, 0, sizeof(superblock))
    superblock.sequence = engine.superblock_sequence + 1
    superblock.database_id = engine.database_id
    superblock.hash_seed = engine.hash_seed
    superblock.created_ms = engine.created_ms
    superblock.checkpoint_number = engine.checkpoint_number
    superblock.meta_pos = meta_pos
    superblock.meta_size = meta_size
    superblock.meta_checksum = meta_checksum
    superblock.log_number = engine.base.number
    superblock.log_slot = engine.base.slot
    superblock.log_offset = engine.base.offset
    superblock.log_frame_seed = engine.base.frame_seed
    superblock.log_lsn = engine.base.lsn
    superblock.log_timestamp = engine.base.timestamp
    superblock.clean_lsn = engine.clean_lsn
    with nogil:
        status = superblock_write(engine.disk, &superblock, durable, &doubtful)
    if status < 0 and doubtful:
        # Which of the two slots will be found is unknown now, as after any failed sync.
        engine.log.poison(-status)
        raise StorageError(
            -status, f"cannot write the superblock of {engine.path}: {os.strerror(-status)}; "
            "the handle refuses writes from here on: open the database again")
    if status < 0:
        kind = DiskFull if -status in (ENOSPC, EDQUOT, EFBIG) else StorageError
        raise kind(-status, f"cannot write the superblock of {engine.path}: "
                   f"{os.strerror(-status)}; the database is as it was")
    engine.superblock_sequence += 1
    engine.meta_pos = meta_pos
    engine.meta_size = meta_size
    engine.meta_checksum = meta_checksum
    return 0


cdef int checkpoint_wait(Engine engine) except -1:
    while engine.checkpoint_running and engine.checkpoint_thread != PyThread_get_thread_ident():
        with nogil:
            engine.disk.pause_ns(WAIT_NS)
    return 0


cdef int checkpoint(Engine engine) except -1:
    cdef Job job
    cdef const char* head
    cdef uint64_t head_size
    cdef int status
    cdef uint32_t old_number = engine.checkpoint_number
    cdef LogPosition old_base = engine.base
    cdef uint64_t old_log_bytes = engine.checkpoint_log_bytes
    if engine.checkpoint_running:
        return 0
    engine.checkpoint_running = True
    engine.checkpoint_thread = PyThread_get_thread_ident()
    job = Job()
    job.engine = engine
    try:
        job.begin()
        head = PyBytes_AS_STRING(job.head)
        head_size = len(job.head)
        with nogil:
            status = job.save(head, head_size)
        if status != OK:
            if job.error in (ENOSPC, EDQUOT, EFBIG):
                raise DiskFull(job.error,
                               f"no room for a checkpoint of {engine.path}; free some space: the "
                               "database is as it was")
            raise StorageError(job.error,
                               f"a checkpoint of {engine.path} failed: {os.strerror(job.error)}")
        if engine.clean_lsn < engine.base.lsn:
            engine.clean_lsn = engine.base.lsn
        engine.checkpoint_number = job.number
        superblock_flip(engine, job.meta_pos, job.meta_size, job.meta_checksum, True)
        engine.checkpoint_number = old_number
        job.end(True)
        job.finish()
        job.clear_away()
    except BaseException:
        engine.checkpoint_number = old_number
        engine.base = old_base
        engine.checkpoint_log_bytes = old_log_bytes
        if engine.arena.saving != 0:
            job.end(False)
        if engine.log.sync_errno == 0:
            job.discard()
        raise
    finally:
        engine.checkpoint_running = False
        # Closed meanwhile, by a finalizer that ran in here: unmap now.
        engine.release_late()
    return 1
