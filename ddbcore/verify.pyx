"""Verification: everything stored, walked and checked.

Theory of operation
    An Inspector works on a database opened for reading. It goes through the directory of each
    table, segment by segment, and from there to collections and records, so that damage in one
    place does not hide the rest: what cannot be read is noted in `errors` and passed over. The same
    walk serves `verify` (check everything) and `salvage` (copy what is whole).

Invariants
    1. Nothing is written.

Threads
    Under the GIL.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc

from ddbcore.arena cimport unit_at, unit_data
from ddbcore.btree cimport Span, collection_gather
from ddbcore.database cimport CoreDatabase
from ddbcore.engine cimport TableState
from ddbcore.keyspace cimport keyspace_verify
from ddbcore.partition cimport (
    REF_BITS,
    REF_RECORD,
    HashSegment,
    ref_address,
    ref_kind,
    segment_entries,
)
from ddbcore.record cimport RECORD_HEADER_BYTES, Record
from ddbcore.segments cimport BLOCK_BYTES, LogSlot, record_at, slot_prove
from ddbcore.status cimport OK
from ddbcore.value cimport record_check

from ddbcore.errors import CorruptError

cdef enum:
    ERRORS_MAX = 1000                     # kept; further ones are not listed


cdef class Inspector:
    """Walks a database opened with mode="r"."""

    def __init__(self, CoreDatabase database not None):
        self.database = database
        self.engine = database.engine
        self.errors = []

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
        """The item of a record. Raises CorruptError."""
        cdef TableState table = self.engine.tables[self.engine.names[name]]
        cdef const Record* record = record_at(&self.engine.log.view, address)
        if record == NULL:
            raise CorruptError(f"table {name}: the record at address {address:#x} cannot be read")
        return table.codec.decode_item(<const uint8_t*>record, record.size_bytes, NULL, NULL)

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
