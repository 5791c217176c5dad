"""Verification: everything stored, walked and checked.

Theory of operation
    An Inspector works on a database opened for reading. It goes through the directory of each
    table, segment by segment, and from there to collections and records, so that damage in one
    place does not hide the rest: what cannot be read is noted in `errors` and passed over. The same
    walk serves `verify` (check everything) and `salvage` (copy what is whole).

    A damaged byte makes the proof of its 64 KiB block fail. Salvage then looks closer: WholeFrames
    walks the segment from its start and keeps the frames whose own checksums are right, so that
    only the record in the damaged frame is lost. Behind a damaged frame it goes on at the next
    place where a frame with a right checksum and a fitting LSN begins.

Invariants
    1. Nothing is written.
    2. A record that salvage returns lies in a proven block or in a frame whose checksum is right.

Threads
    Under the GIL.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc

from ddbcore.arena cimport unit_at, unit_data
from ddbcore.btree cimport Span, collection_gather
from ddbcore.buffer cimport load_u64
from ddbcore.database cimport CoreDatabase
from ddbcore.engine cimport TableState
from ddbcore.keyspace cimport keyspace_verify
from ddbcore.log cimport FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FrameHeader, frame_checksum
from ddbcore.partition cimport (
    REF_BITS,
    REF_RECORD,
    HashSegment,
    ref_address,
    ref_kind,
    segment_entries,
)
from ddbcore.record cimport RECORD_HEADER_BYTES, RECORD_OPEN, Record
from ddbcore.segments cimport (
    BLOCK_BYTES,
    SEGMENT_START,
    LogSlot,
    address_offset,
    address_slot,
    padded,
    record_at,
    slot_prove,
)
from ddbcore.status cimport OK
from ddbcore.value cimport record_check

from ddbcore.errors import CorruptError

cdef enum:
    ERRORS_MAX = 1000                     # kept; further ones are not listed
    OPEN_FRAME_BYTES = 56                 # header 32, record header 16, seed 8
    SEARCH_FACTOR = 16                    # bytes hashed per byte of segment in search of frames


cdef class WholeFrames:
    """The frames of one segment whose checksums are right."""

    def __cinit__(self):
        self.capacity = 1024
        self.starts = <uint64_t*>malloc(self.capacity * 8)
        if self.starts == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.starts)

    cdef int add(self, uint64_t offset) except -1:
        cdef uint64_t* grown
        if self.count == self.capacity:
            grown = <uint64_t*>realloc(self.starts, self.capacity * 16)
            if grown == NULL:
                raise MemoryError()
            self.starts = grown
            self.capacity *= 2
        self.starts[self.count] = offset
        self.count += 1
        return 0

    cdef bint holds(self, const LogSlot* slot, uint64_t offset, uint64_t seed) noexcept nogil:
        """Whether a frame begins here: sizes, an LSN that fits, checksum."""
        cdef const FrameHeader* header = <const FrameHeader*>(slot.base + offset)
        cdef uint64_t size = header.size_bytes
        cdef uint64_t lost = (offset - self.end) // (FRAME_HEADER_BYTES + RECORD_HEADER_BYTES)
        if (size & 7 or size < FRAME_HEADER_BYTES + RECORD_HEADER_BYTES or size > FRAME_BYTES_MAX
                or size > slot.size - offset or size > self.budget):
            return False
        # Behind a damaged place LSNs are missing: at most as many as frames fit there.
        if self.lsn != 0 and (header.lsn < self.lsn or header.lsn > self.lsn + lost):
            return False
        self.budget -= size
        return frame_checksum(slot.base + offset, <uint32_t>size, seed) == header.checksum

    cdef int collect(self, const LogSlot* slot) except -1:
        """Walk the segment."""
        cdef uint64_t seed = slot.seed
        cdef uint64_t other = 0           # seed behind a damaged open frame, should that be whole
        cdef uint64_t offset = SEGMENT_START
        cdef const Record* record
        self.end = offset
        self.budget = slot.size * SEARCH_FACTOR
        while offset + FRAME_HEADER_BYTES + RECORD_HEADER_BYTES <= slot.size:
            record = <const Record*>(slot.base + offset + FRAME_HEADER_BYTES)
            if not self.holds(slot, offset, seed):
                if other == 0 or not self.holds(slot, offset, other):
                    # The first damaged frame may be an open frame whatever it says; a later one
                    # has to look like it.
                    if (offset + OPEN_FRAME_BYTES <= slot.size
                            and (offset == self.end
                                 or (record.kind == RECORD_OPEN
                                     and record.size_bytes == RECORD_HEADER_BYTES + 8))):
                        other = load_u64(<const uint8_t*>(record + 1))
                    offset += 8
                    continue
                seed = other
            self.add(offset)
            if record.kind == RECORD_OPEN and record.size_bytes >= RECORD_HEADER_BYTES + 8:
                seed = load_u64(<const uint8_t*>(record + 1))
            self.lsn = (<const FrameHeader*>(slot.base + offset)).lsn + 1
            offset += (<const FrameHeader*>(slot.base + offset)).size_bytes
            self.end = offset
        return 0

    cdef const Record* record(self, const LogSlot* slot, uint64_t offset) noexcept nogil:
        """The record at an offset, or NULL when no whole frame has one there."""
        cdef uint64_t lower = 0
        cdef uint64_t upper = self.count
        cdef uint64_t middle, place, end
        cdef const Record* record
        while lower < upper:
            middle = (lower + upper) // 2
            if self.starts[middle] <= offset:
                lower = middle + 1
            else:
                upper = middle
        if lower == 0:
            return NULL
        place = self.starts[lower - 1]
        end = place + (<const FrameHeader*>(slot.base + place)).size_bytes
        place += FRAME_HEADER_BYTES
        while place <= offset and place + RECORD_HEADER_BYTES <= end:
            record = <const Record*>(slot.base + place)
            if (record.size_bytes < RECORD_HEADER_BYTES
                    or place + padded(record.size_bytes) > end
                    or <uint32_t>RECORD_HEADER_BYTES + record.hash_size + record.range_size
                    > record.size_bytes):
                return NULL
            if place == offset:
                return record
            place += padded(record.size_bytes)
        return NULL


cdef class Inspector:
    """Walks a database opened with mode="r"."""

    def __init__(self, CoreDatabase database not None):
        self.database = database
        self.engine = database.engine
        self.errors = []
        self.frames = {}

    def __dealloc__(self):
        free(self.addresses)

    def note(self, str error not None):
        """Keep an error."""
        if len(self.errors) < ERRORS_MAX:
            self.errors.append(error)

    def units(self):
        """Read every unit of the index; returns their number."""
        cdef uint32_t unit
        cdef uint64_t count = 0
        for unit in range(self.engine.arena.unit_count):
            if unit_at(&self.engine.arena, unit).granules == 0:
                continue
            count += 1
            if unit_data(&self.engine.arena, unit) == NULL:
                self.note(f"index: unit {unit} of the checkpoint cannot be read or has a wrong "
                          "checksum")
        return count

    def blocks(self):
        """Prove every block of the log below the checkpoint; returns their number."""
        cdef LogSlot* slot
        cdef uint64_t count = 0
        cdef uint64_t offset
        cdef uint32_t index
        for index in range(self.engine.log.view.slot_count):
            slot = &self.engine.log.view.slots[index]
            if slot.base == NULL:
                continue
            offset = 0
            while offset < slot.summed_bytes:
                count += 1
                if (slot.unproven != NULL
                        and slot_prove(&self.engine.log.view, slot, offset, 1) != OK):
                    end = min(offset + BLOCK_BYTES, slot.summed_bytes)
                    self.note(f"log-{slot.number:08x}: bytes {offset} to {end} have a wrong "
                              "checksum")
                offset += BLOCK_BYTES
        return count

    def structure(self, str name not None):
        """Check order, places and counts of a table's index; returns the number of items."""
        cdef TableState table = self.engine.tables[self.engine.names[name]]
        cdef uint64_t items = 0
        if keyspace_verify(&table.space, &items) != OK:
            self.note(f"table {name}: the index is inconsistent (found after {items} of "
                      f"{table.space.item_count} items)")
        return items

    cdef int gather(self, TableState table, uint64_t ref, uint64_t* count) except -1:
        """All addresses of a collection, in self.addresses. 0 when it cannot be read."""
        cdef Span nothing
        cdef uint32_t found = 0
        cdef uint64_t* grown
        # The counts of a damaged manifest are not to be trusted: there is a smallest record.
        cdef uint64_t records_max = self.engine.log.total_bytes // RECORD_HEADER_BYTES
        cdef uint64_t wanted = min(table.space.item_count, records_max) + 1
        nothing.data = NULL
        nothing.size = 0
        if self.capacity < wanted:
            grown = <uint64_t*>realloc(self.addresses, wanted * 8)
            if grown == NULL:
                raise MemoryError()
            self.addresses = grown
            self.capacity = wanted
        if collection_gather(&table.space.forest, ref, nothing, True, False, self.addresses,
                             <uint32_t>min(self.capacity, 0xFFFFFFFF), &found) != OK:
            return 0
        count[0] = found
        return 1

    cdef list segment_refs(self, HashSegment* segment):
        cdef list refs = []
        cdef uint64_t* entries = segment_entries(segment)
        cdef uint32_t index
        for index in range(segment.slots):
            if entries[index] != 0:
                refs.append(entries[index] & ((<uint64_t>1 << REF_BITS) - 1))
        return refs

    def addresses_of(self, str name not None):
        """Yield the address of each record that the index of a table refers to."""
        cdef TableState table = self.engine.tables[self.engine.names[name]]
        cdef uint32_t index
        cdef uint32_t last = 0xFFFFFFFF
        cdef uint64_t count = 0
        cdef uint64_t place
        cdef HashSegment* segment
        for index in range(<uint32_t>1 << table.space.partition.depth):
            if table.space.partition.directory[index] == last:
                continue
            last = table.space.partition.directory[index]
            segment = <HashSegment*>unit_data(&self.engine.arena, last)
            if segment == NULL or segment.kind != 1:
                self.note(f"table {name}: a segment of the hash index is lost (unit {last})")
                continue
            for ref in self.segment_refs(segment):
                if ref_kind(ref) == REF_RECORD:
                    yield ref_address(ref)
                elif not self.gather(table, ref, &count):
                    self.note(f"table {name}: an item collection cannot be walked")
                else:
                    for place in range(count):
                        yield self.addresses[place]

    def item(self, str name not None, uint64_t address):
        """The item of a record, though other bytes of its block are damaged. Raises CorruptError.
        """
        cdef TableState table = self.engine.tables[self.engine.names[name]]
        cdef const Record* record = record_at(&self.engine.log.view, address)
        if record == NULL:
            record = self.whole_record(address)
        if record == NULL:
            raise CorruptError(f"table {name}: the record at address {address:#x} cannot be read")
        return table.codec.decode_item(<const uint8_t*>record, record.size_bytes, NULL, NULL)

    cdef const Record* whole_record(self, uint64_t address) except? NULL:
        """The record at an address in a damaged block, when its own frame is whole."""
        cdef uint32_t index = address_slot(address)
        cdef LogSlot* slot = &self.engine.log.view.slots[index]
        cdef WholeFrames frames
        if index >= self.engine.log.view.slot_count or slot.base == NULL:
            return NULL
        frames = self.frames.get(index)
        if frames is None:
            frames = self.frames[index] = WholeFrames()
            frames.collect(slot)
        return frames.record(slot, address_offset(address))

    def check(self, str name not None, uint64_t address):
        """Check the bytes of a record: keys, names, values, nesting. True when all is well."""
        cdef TableState table = self.engine.tables[self.engine.names[name]]
        cdef const Record* record = record_at(&self.engine.log.view, address)
        if record == NULL:
            return False
        return (record.keyspace_id == table.keyspace_id
                and table.codec.check_keys(<const uint8_t*>record, record.size_bytes) == OK
                and record_check(<const uint8_t*>record, record.size_bytes,
                                 <uint32_t>len(table.codec.names.names)) == OK)
