"""Doors for tests of the index: a partition of its own, and the check of a table in use.

*Theory of operation*. A PartitionProbe owns an arena and a partition and takes hashes as they are,
so that tests choose them: equal tags, full segments, the ends of the hash space. `table_check`
walks the index of a table of an open database as `hashrange verify` does; `engine_check` adds up
what the counters say; `memory_limit` makes memory run out; `template_count` looks into the
decoder's memory; `catch_up` does what any count does first, and no more. Nothing in the engine uses
any of them.

*Invariants*. (1) table_check changes nothing.

*Threads*. Under the GIL.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from ddbcore.arena cimport Unit, arena_free, arena_init, unit_at
from ddbcore.engine cimport Engine, TableState
from ddbcore.io cimport MemoryDisk
from ddbcore.keyspace cimport Keyspace, keyspace_verify
from ddbcore.partition cimport (
    REF_RECORD,
    Slot,
    partition_find,
    partition_free,
    partition_init,
    partition_insert,
    partition_next,
    partition_remove,
    partition_seek,
    partition_step,
    partition_verify,
    ref_address,
    ref_make,
    slot_ref,
)
from ddbcore.segments cimport SLOT_FREE
from ddbcore.shape cimport SHAPE_SLOT_COUNT, Shape
from ddbcore.status cimport ERR_FULL, ERR_MEMORY, FOUND, OK
from ddbcore.table cimport CoreTable


cdef class PartitionProbe:
    """A partition in memory whose entries a test chooses."""

    def __cinit__(self):
        self.disk = MemoryDisk()
        arena_init(&self.arena, self.disk)
        self.ready = True
        self.settle(partition_init(&self.partition, &self.arena, 7))

    def __dealloc__(self):
        if self.ready:
            partition_free(&self.partition)
            arena_free(&self.arena)

    cdef int settle(self, int status) except -1:
        if status >= 0:
            return status
        if status == ERR_FULL:
            raise OverflowError("ERR_FULL")
        if status == ERR_MEMORY:
            raise MemoryError("ERR_MEMORY")
        raise RuntimeError(f"status {status}")

    def insert(self, uint64_t hash, uint64_t address):
        """Add an entry. Raises OverflowError at the bound of a segment."""
        self.settle(partition_insert(&self.partition, hash, ref_make(REF_RECORD, address), NULL))

    def addresses(self, uint64_t hash):
        """Return the addresses of the entries with the hash's tag, as they lie."""
        cdef Slot slot
        cdef int status = self.settle(partition_find(&self.partition, hash, &slot))
        cdef list found = []
        while status == FOUND:
            found.append(ref_address(slot_ref(&slot)))
            status = partition_next(&slot)
        return found

    def remove(self, uint64_t hash, uint64_t address):
        """Remove an entry; whether it was there."""
        cdef Slot slot
        cdef int status = self.settle(partition_find(&self.partition, hash, &slot))
        while status == FOUND:
            if ref_address(slot_ref(&slot)) == address:
                self.settle(partition_remove(&self.partition, &slot))
                return True
            status = partition_next(&slot)
        return False

    def walk(self, uint32_t tag=0):
        """Return (tag, address) of all entries from a tag on, in order."""
        cdef Slot slot
        cdef list found = []
        cdef int status = self.settle(partition_seek(&self.partition, tag, &slot))
        while status == FOUND:
            found.append((slot.tag, ref_address(slot_ref(&slot))))
            status = self.settle(partition_step(&self.partition, &slot))
        return found

    def verify(self):
        """Check the structure and return the number of its segments."""
        cdef uint32_t segments = 0
        self.settle(partition_verify(&self.partition, &segments))
        return segments

    @property
    def depth(self):
        """Bits of the directory."""
        return self.partition.depth

    @property
    def count(self):
        """Entries."""
        return self.partition.count

    @property
    def bytes_used(self):
        """Bytes of all segments."""
        return self.arena.bytes_used


def table_check(CoreTable table not None):
    """Check the index of a table against its records, and its counters.

    Returns a dict of counts. Raises AssertionError where something is wrong.
    """
    cdef Keyspace* space
    cdef Engine engine = table.engine
    cdef uint64_t items = 0
    cdef uint32_t unit
    cdef uint32_t units = 0
    cdef Unit* entry
    cdef int status
    table.enter()
    space = table.space
    status = keyspace_verify(space, &items)
    if status != OK:
        raise AssertionError(
            f"table {table.name}: the index is inconsistent ({status}) after {items} items")
    for unit in range(engine.arena.unit_count):
        entry = unit_at(&engine.arena, unit)
        if entry.granules != 0 and entry.owner == space.id:
            units += 1
    if items != space.item_count:
        raise AssertionError(f"table {table.name}: {items} items, {space.item_count} counted")
    return {"items": items, "units": units, "entries": space.partition.count,
            "depth": space.partition.depth}


def memory_limit(Engine engine not None, blocks):
    """Let the arena hand out so many more blocks, then fail as if memory were out; None: no bound.
    """
    engine.arena.blocks_left = -1 if blocks is None else blocks


def relied_blocks(Engine engine not None):
    """Blocks of the log that the opening relied on and that are not proven yet."""
    return engine.log.view.relied_blocks


def late_records(Engine engine not None):
    """Records of the log that wait for their segments of the index to be loaded."""
    return engine.arena.late_count


def catch_up(Engine engine not None):
    """Put late records into the indexes, and prove nothing. Raises what Engine.catch_up does."""
    engine.catch_up(~<uint64_t>0, "catching up")


def template_count(CoreTable table not None):
    """Shapes of the table's items, and of the maps in them, that have a template."""
    cdef const Shape* shapes = table.codec.memory.shapes
    cdef uint32_t index
    return sum(shapes[index].template != NULL for index in range(SHAPE_SLOT_COUNT))


def engine_check(Engine engine not None):
    """Check that the tables' live bytes add up to the segments'. Raises AssertionError."""
    cdef TableState table
    cdef uint32_t slot
    cdef int64_t total
    for slot in range(engine.log.view.slot_count):
        total = 0
        for table in engine.tables:
            if table is not None and slot < table.space.slot_live_count:
                total += table.space.slot_live[slot]
        if total != engine.log.view.slots[slot].live_bytes or total < 0:
            raise AssertionError(
                f"slot {slot}: {engine.log.view.slots[slot].live_bytes} live, tables say {total}")
        if engine.log.view.slots[slot].state == SLOT_FREE and total != 0:
            raise AssertionError(f"slot {slot} is free and has {total} live bytes")


def database_check(Engine engine not None):
    """Check the index of every table, and engine_check. Raises AssertionError."""
    for name in sorted(engine.names):
        table_check(CoreTable(engine, name))
    engine_check(engine)
