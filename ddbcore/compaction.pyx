"""Compaction: live records written again behind the tail, so that old segments can go.

Theory of operation
    A pass chooses victims, segments with enough dead bytes, and walks the index in hash order:
    every reference into a victim has its record copied to the tail (RECORD_MOVE) and is pointed at
    the copy. What the index does not refer to is dead and is not touched. So records end up in the
    order in which queries and scans read them. After the walk nothing refers to the victims: they
    are retired, and removed when the next checkpoint is durable (in memory: at once).

    Steps are small and run under the GIL, from the maintenance thread. When writers outrun it, each
    write moves a few records itself, so space stays bounded and no call ever waits for a whole
    segment.

Invariants
    1. A move changes no item: for replay it is a put of the same value, later in the log.
    2. A retired segment has no live bytes, and no later write refers to it.
    3. Between steps everything may change; the walk goes on at its tag and key.

Threads
    Under the GIL.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy

from ddbcore.btree cimport Span, collection_any, collection_gather
from ddbcore.buffer cimport Buffer, buffer_reserve
from ddbcore.engine cimport Compaction, Engine, TableState
from ddbcore.keyspace cimport keyspace_hash, keyspace_put
from ddbcore.log cimport FRAME_HEADER_BYTES, Log, log_room
from ddbcore.partition cimport (
    REF_RECORD,
    Slot,
    partition_seek,
    partition_step,
    ref_address,
    ref_kind,
    slot_ref,
)
from ddbcore.record cimport RECORD_HEADER_BYTES, RECORD_MOVE, Record
from ddbcore.segments cimport (
    SEGMENT_BYTES_MIN,
    SLOT_COUNT_MAX,
    SLOT_LIVE,
    SLOT_RETIRED,
    LogSlot,
    address_slot,
    padded,
    record_at,
)
from ddbcore.status cimport ERR_CORRUPT, FOUND, OK

cdef enum:
    DEAD_BYTES_MIN = 8388608              # below this compaction is not worth a walk
    ASSIST_BYTES_MIN = 67108864
    VISIT_MAX = 4096                      # entries looked at in one step
    STEP_BYTES_MAX = 262144               # moved in one step
    GATHER_MAX = 512                      # addresses of one step


cdef class Gathering:
    """Addresses of one step's records."""
    cdef uint64_t addresses[GATHER_MAX]
    cdef uint32_t count
    cdef uint64_t size_bytes


cdef void pass_end(Engine engine) noexcept:
    free(engine.compaction.victims)
    engine.compaction.victims = NULL
    engine.compaction.resume.size = 0
    engine.compaction.inside = False


cdef int retire_empty(Engine engine) except -1:
    """Retire every finished segment without live bytes."""
    cdef Log log = engine.log
    cdef LogSlot* slot
    cdef uint32_t index
    for index in range(log.view.slot_count):
        slot = &log.view.slots[index]
        if index == log.tail_slot or slot.state != SLOT_LIVE or slot.live_bytes != 0:
            continue
        if engine.disk.volatile_storage:
            if engine.pins == 0 and slot.fd < 0:
                log.segment_drop(index, True)
        else:
            slot.state = SLOT_RETIRED
    return 0


cdef int tail_roll(Engine engine, bint whole) except -1:
    """Go on in a new segment when the tail has much that is dead: only finished ones are victims.

    whole: when it has anything.
    """
    cdef Log log = engine.log
    cdef uint64_t live = <uint64_t>log.view.slots[log.tail_slot].live_bytes
    cdef uint32_t tail = log.tail_slot
    cdef int status
    if log.tail_pos < live + log.tail_pos // 4 + SEGMENT_BYTES_MIN and not (whole and live != 0):
        return 0
    status = log.roll(0)
    if status == OK and log.tail_slot == tail:
        # Only this writer was announced: it has written nothing before.
        status = log.roll(0)
    if status != OK:
        engine.fail(status, "compacting")
    return 0


cdef int compaction_check(Engine engine, bint forced=False, bint whole=False) except -1:
    cdef Log log = engine.log
    cdef uint64_t used = 0
    cdef uint64_t live = 0
    cdef LogSlot* slot
    cdef uint32_t index
    cdef uint64_t dead
    cdef bint any_victim = False
    engine.prove_relied("compacting")
    if engine.disk.volatile_storage and log.dirty_count > 0:
        # Nothing to sync in memory: this only closes finished segments.
        log.sync(log.lsn)
    retire_empty(engine)
    for index in range(log.view.slot_count):
        slot = &log.view.slots[index]
        if slot.state == SLOT_LIVE:
            used += log.tail_pos if index == log.tail_slot else slot.size
            live += <uint64_t>slot.live_bytes
    dead = used - live if used > live else 0
    engine.assist = dead > live + live // 2 + ASSIST_BYTES_MIN or (
        engine.disk.volatile_storage and dead > live + DEAD_BYTES_MIN)
    if engine.compaction.victims != NULL:
        return 1
    if not forced and dead < live // 2 + live // 4 + DEAD_BYTES_MIN:
        return 0
    if forced:
        tail_roll(engine, whole)
    engine.compaction.victims = <uint8_t*>calloc(SLOT_COUNT_MAX, 1)
    if engine.compaction.victims == NULL:
        raise MemoryError()
    for index in range(log.view.slot_count):
        slot = &log.view.slots[index]
        if (index != log.tail_slot and slot.state == SLOT_LIVE
                and (whole or <uint64_t>slot.live_bytes < slot.size - slot.size // 4)):
            engine.compaction.victims[index] = 1
            any_victim = True
    if not any_victim:
        # All that is dead lies in the tail.
        pass_end(engine)
        return 0
    engine.compaction.keyspace_id = 0
    engine.compaction.tag = 0
    engine.compaction.inside = False
    return 1


cdef inline bint is_victim(Engine engine, uint64_t address) noexcept:
    return engine.compaction.victims[address_slot(address) & (SLOT_COUNT_MAX - 1)] != 0


cdef int gather_one(Engine engine, Gathering out, uint64_t address) except -1:
    cdef const Record* record
    if not is_victim(engine, address):
        return 0
    record = record_at(&engine.log.view, address)
    if record == NULL:
        engine.fail(ERR_CORRUPT, "compacting")
    out.addresses[out.count] = address
    out.count += 1
    out.size_bytes += padded(record.size_bytes)
    return 0


cdef int gather_collection(Engine engine, TableState table, uint64_t ref, uint32_t budget,
                           Gathering out) except -1:
    """Gather from one collection.

    1 when it is done, 0 when the walk must come back to it (compaction.inside).
    """
    cdef Compaction* walk = &engine.compaction
    cdef uint64_t addresses[256]
    cdef uint32_t count = 0
    cdef uint32_t index
    cdef const Record* record
    cdef Span start
    cdef int status
    start.data = NULL
    start.size = 0
    if walk.inside:
        start.data = walk.resume.data + walk.resume_hash_size
        start.size = <uint32_t>(walk.resume.size - walk.resume_hash_size)
    status = collection_gather(&table.space.forest, ref, start, False, False, addresses, 256,
                               &count)
    if status != OK:
        engine.fail(status, "compacting")
    for index in range(count):
        gather_one(engine, out, addresses[index])
        if out.count >= budget or out.size_bytes >= STEP_BYTES_MAX or out.count >= GATHER_MAX - 1:
            count = index + 1
            break
    else:
        if count < 256:
            walk.inside = False
            return 1
    record = record_at(&engine.log.view, addresses[count - 1])
    # In a sound collection the walk has come further; a forged one must not lead it in circles.
    if (record == NULL or not hash_key_same(record, record_at(&engine.log.view, addresses[0]))
            or (walk.inside and not lies_behind(record, start))):
        engine.fail(ERR_CORRUPT, "compacting")
    walk.resume.size = 0
    if buffer_reserve(&walk.resume, record.hash_size + record.range_size) != 0:
        raise MemoryError()
    memcpy(walk.resume.data, <const uint8_t*>record + 16, record.hash_size + record.range_size)
    walk.resume.size = record.hash_size + record.range_size
    walk.resume_hash_size = record.hash_size
    walk.inside = True
    return 0


cdef bint hash_key_same(const Record* left, const Record* right) noexcept:
    return (right != NULL and left.hash_size == right.hash_size
            and memcmp(<const uint8_t*>left + 16, <const uint8_t*>right + 16, left.hash_size) == 0)


cdef bint lies_behind(const Record* record, Span key) noexcept:
    """Whether a record's range key is greater than a key."""
    cdef uint32_t size = record.range_size if record.range_size < key.size else key.size
    cdef int order = memcmp(<const uint8_t*>record + 16 + record.hash_size, key.data, size)
    return order > 0 or (order == 0 and record.range_size > key.size)


cdef bint resumes_here(Engine engine, TableState table, uint64_t ref) except -1:
    """Whether an entry is the collection the walk stopped in."""
    cdef Compaction* walk = &engine.compaction
    cdef uint64_t address = 0
    cdef const Record* record
    cdef int status = collection_any(&table.space.forest, ref, &address)
    if status != OK:
        engine.fail(status, "compacting")
    record = record_at(&engine.log.view, address)
    if record == NULL:
        engine.fail(ERR_CORRUPT, "compacting")
    return (record.hash_size == walk.resume_hash_size
            and memcmp(<const uint8_t*>record + 16, walk.resume.data, walk.resume_hash_size) == 0)


cdef int gather(Engine engine, TableState table, uint32_t budget, Gathering out) except -1:
    """Walk on from the pass's place. 1 when the table is done."""
    cdef Compaction* walk = &engine.compaction
    cdef Slot slot
    cdef uint64_t ref
    cdef uint32_t visited = 0
    cdef int status = partition_seek(&table.space.partition, walk.tag, &slot)
    if walk.inside and status == FOUND and slot.tag == walk.tag:
        while (status == FOUND and slot.tag == walk.tag
                and not resumes_here(engine, table, slot_ref(&slot))):
            status = partition_step(&table.space.partition, &slot)
        if status != FOUND or slot.tag != walk.tag:
            # The collection is gone: its neighbours of the same tag are looked at once more.
            walk.inside = False
            status = partition_seek(&table.space.partition, walk.tag, &slot)
    else:
        walk.inside = False
    while status == FOUND:
        if (slot.tag != walk.tag
                and (visited >= VISIT_MAX or out.count >= budget or out.size_bytes >= STEP_BYTES_MAX
                     or out.count >= GATHER_MAX - 260)):
            walk.tag = slot.tag
            return 0
        if slot.tag < walk.tag:
            engine.fail(ERR_CORRUPT, "compacting")
        walk.tag = slot.tag
        ref = slot_ref(&slot)
        if ref_kind(ref) == REF_RECORD:
            if out.count < GATHER_MAX:
                gather_one(engine, out, ref_address(ref))
        elif not gather_collection(engine, table, ref, budget, out):
            return 0
        visited += 1
        status = partition_step(&table.space.partition, &slot)
    if status < 0:
        engine.fail(status, "compacting")
    return 1


cdef int move(Engine engine, TableState table, Gathering found) except -1:
    """Copy the gathered records behind the tail, in one frame."""
    cdef Buffer* frame
    cdef const Record* record
    cdef uint64_t size, address, hash
    cdef uint64_t offset = FRAME_HEADER_BYTES
    cdef uint32_t index, _
    cdef int status = OK
    if found.count == 0:
        return 0
    frame = engine.scratch_take()
    try:
        if buffer_reserve(frame, FRAME_HEADER_BYTES + found.size_bytes) != 0:
            raise MemoryError()
        for index in range(found.count):
            record = record_at(&engine.log.view, found.addresses[index])
            size = padded(record.size_bytes)
            memcpy(frame.data + offset, record, size)
            (<Record*>(frame.data + offset)).kind = RECORD_MOVE
            offset += size
        frame.size = offset
        status = log_room(engine.log, offset)
        if status != OK:
            engine.fail(status, "compacting")
        address = engine.log.place(frame.data, offset) + FRAME_HEADER_BYTES // 8
        for _ in range(found.count):
            record = record_at(&engine.log.view, address)
            hash = keyspace_hash(&table.space, <const uint8_t*>record + RECORD_HEADER_BYTES,
                                 record.hash_size)
            status = keyspace_put(&table.space, hash, record, address)
            if status < 0:
                break
            address += padded(record.size_bytes) >> 3
        # Published even after a failure: what was moved refers to this frame.
        engine.log.publish(offset)
        engine.moved_bytes += offset
    finally:
        engine.scratch_give(frame)
    if status < 0:
        engine.fail(status, "compacting")
    return 0


cdef int compaction_step(Engine engine, uint32_t budget) except -1:
    cdef Compaction* walk = &engine.compaction
    cdef TableState table = None
    cdef Gathering found
    cdef bint done
    if walk.victims == NULL or engine.log.sync_errno != 0 or engine.refused:
        return 0
    while (walk.keyspace_id < <uint32_t>len(engine.tables)
            and engine.tables[walk.keyspace_id] is None):
        walk.keyspace_id += 1
        walk.tag = 0
        walk.inside = False
    if walk.keyspace_id >= <uint32_t>len(engine.tables):
        pass_end(engine)
        engine.compaction_count += 1
        retire_empty(engine)
        compaction_check(engine)
        return walk.victims != NULL
    table = engine.tables[walk.keyspace_id]
    found = Gathering.__new__(Gathering)
    done = gather(engine, table, budget if budget < 200 else 200, found)
    move(engine, table, found)
    if done:
        walk.keyspace_id += 1
        walk.tag = 0
        walk.inside = False
    return 1
