"""Sweeps: the addresses of a scan, in no order.

Theory of operation
    A scan has an order, hash and key, which takes a look at the records of entries with equal tags
    and a key to go on behind. Who asks for no order needs neither: a sweep reads the entries of the
    hash index as they lie, and goes on at a tag. It takes the entries of a tag together or not at
    all, so no record is taken twice, and none is passed over that stays where it is.

    Where keys do count a scan helps out: at the first and the last tag, of which the hashes may be
    another segment's, and at item collections that are trees. It also ends the sweep, and so has
    the key that a scan would end with.

Invariants
    1. All entries of tags below the place's were taken, none of the others.
    2. Between two calls nothing but tags is kept: the index may be another by then.

Threads
    Under the GIL, as cursors; the kernel runs without, if nobody else changes the index meanwhile.
"""

from libc.string cimport memcpy

from ddbcore.btree cimport Span, collection_gather
from ddbcore.cursor cimport WINDOW_FIRST, WINDOW_MAX
from ddbcore.partition cimport (
    HashSegment, REF_BITS, REF_RECORD, REF_TREE, Slot, TAG_BITS, partition_seek, partition_step,
    ref_address, ref_kind, segment_entries,
)
from ddbcore.record cimport Record
from ddbcore.segments cimport record_at
from ddbcore.status cimport ERR_CORRUPT, FOUND
from ddbcore.table cimport CoreTable

cdef enum:
    HASH_SHIFT = 64 - TAG_BITS
    TAG_COUNT = 1 << TAG_BITS
    TAKE_COUNT = 16384                    # addresses taken at a time: 100 microseconds of work


cdef int sweep_entries(Keyspace* space, SweepPlace* place, uint64_t* out, uint32_t room,
                       uint32_t* count) noexcept nogil:
    cdef Slot slot
    cdef Span nothing
    cdef HashSegment* segment
    cdef uint64_t* entries
    cdef uint64_t tag = place.tag
    cdef uint64_t ref
    cdef uint32_t index, added
    cdef uint32_t filled = 0
    cdef bint is_first = True
    cdef int status
    nothing.data = NULL
    nothing.size = 0
    count[0] = 0
    place.group = 0
    if tag >= place.stop:
        return SWEEP_DONE
    status = partition_seek(&space.partition, <uint32_t>tag, &slot)
    while status == FOUND:
        segment = slot.segment
        entries = segment_entries(segment)
        for index in range(slot.index, segment.slots):
            if entries[index] == 0:
                continue
            if entries[index] >> REF_BITS != tag or is_first:
                is_first = False
                tag = entries[index] >> REF_BITS
                if tag >= place.stop:
                    place.tag = place.stop
                    count[0] = filled
                    return SWEEP_DONE
                place.tag = place.last = tag
                place.group = filled
            ref = entries[index] & ((<uint64_t>1 << REF_BITS) - 1)
            added = 1
            if ref_kind(ref) == REF_RECORD and filled < room:
                out[filled] = ref_address(ref)
            elif ref_kind(ref) != REF_TREE and filled < room:
                status = collection_gather(&space.forest, ref, nothing, False, False,
                                           out + filled, room - filled, &added)
                if status < 0:
                    return status
            else:
                added = room
            # One place stays free: a leaf that fills all the room may have had more.
            if filled + added >= room:
                count[0] = place.group
                if place.group != 0 and ref_kind(ref) != REF_TREE:
                    return SWEEP_FULL
                return SWEEP_LARGE
            filled += added
        slot.index = segment.slots - 1
        status = partition_step(&space.partition, &slot)
    if status < 0:
        return status
    place.tag = place.stop
    count[0] = filled
    return SWEEP_DONE


cdef class Sweep:
    """Takes over a scan that has not begun. Not for Python."""

    def __cinit__(self, Scan scan not None):
        self.scan = scan
        self.part = Scan(scan.table)
        self.place.tag = scan.hash_lower >> HASH_SHIFT
        self.place.stop = scan.hash_upper >> HASH_SHIFT if scan.hash_upper != 0 else TAG_COUNT
        if self.place.tag << HASH_SHIFT != scan.hash_lower:
            if self.place.tag == self.place.stop:
                self.ending = True
                self.begin_part(scan.hash_lower, scan.hash_upper)
            else:
                self.begin_part(scan.hash_lower, (self.place.tag + 1) << HASH_SHIFT)
                self.place.tag += 1

    cdef int begin_part(self, uint64_t lower, uint64_t upper) noexcept:
        self.part.hash_lower = lower
        self.part.hash_upper = upper
        self.part.started = self.part.finished = False
        self.part.window_count = self.part.window_next = 0
        self.part.wanted = WINDOW_FIRST
        self.in_part = True
        return 0

    cdef int64_t take(self, uint64_t* out, uint32_t room) except -1:
        cdef Scan scan = self.scan
        cdef CoreTable table = scan.table
        cdef uint64_t tag
        cdef uint32_t count = 0
        cdef int64_t found
        cdef int end
        if room > <uint32_t>TAKE_COUNT:
            room = TAKE_COUNT
        if scan.space != table.space:
            scan.renew()
        while True:
            if self.in_part:
                found = self.take_part(out, room)
                if found != 0:
                    return found
                self.in_part = False
            if self.ending:
                return 0
            end = sweep_entries(table.space, &self.place, out, room, &count)
            if end < 0:
                table.engine.fail(end, f"scanning table {table.name}")
            if end == SWEEP_LARGE:
                tag = self.place.tag
                self.place.tag += 1
                self.begin_part(tag << HASH_SHIFT, self.place.tag << HASH_SHIFT)
            elif end == SWEEP_DONE:
                # The last tag's once more, in order, and of the next those that are inside.
                self.ending = True
                tag = self.place.stop
                if count != 0:
                    tag = self.place.last
                    count = self.place.group
                elif tag == TAG_COUNT:
                    return 0
                self.begin_part(tag << HASH_SHIFT, scan.hash_upper)
            if count != 0:
                scan.remember(self.record_of(out[count - 1]))
                return count

    cdef int64_t take_part(self, uint64_t* out, uint32_t room) except -1:
        cdef Scan part = self.part
        cdef const Record* record
        cdef uint32_t count = 0
        while count + <uint32_t>WINDOW_MAX <= room and not part.finished:
            if not part.regather():
                part.finished = True
                break
            memcpy(out + count, part.window, part.window_count * sizeof(uint64_t))
            count += part.window_count
            part.window_next = part.window_count
            record = self.record_of(out[count - 1])
            part.remember(record)
            self.scan.remember(record)
        return count

    cdef const Record* record_of(self, uint64_t address) except NULL:
        cdef CoreTable table = self.scan.table
        cdef const Record* record = record_at(&table.engine.log.view, address)
        if record == NULL:
            table.engine.fail(ERR_CORRUPT, f"scanning table {table.name}")
        return record
