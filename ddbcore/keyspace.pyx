"""A keyspace: the index of one table, and its counters.

Theory of operation
    The partition maps the hash of a partition key to an entry: the address of a record, or the
    reference of an item collection (btree). The record itself proves a match. Each change keeps
    three counts exact: items, their DynamoDB bytes, and the live bytes per segment, by which
    compaction chooses.

Invariants
    1. Each live item has exactly one reference in the index.
    2. slot_live[s] is the padded size of this keyspace's live records in slot s; over all keyspaces
       they sum up to the slot's live_bytes.
    3. Collections of two or more items are leaves or trees; they exist only where the table has a
       range key.

Threads
    Under the GIL.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memset

from ddbcore.arena cimport Arena, Unit, unit_at, unit_free, unit_touch
from ddbcore.btree cimport (
    Span,
    collection_any,
    collection_find,
    collection_put,
    collection_remove,
    collection_verify,
    forest_init,
)
from ddbcore.hashing cimport hash_bytes
from ddbcore.partition cimport (
    REF_RECORD,
    Slot,
    hash_tag,
    late_clear,
    partition_catch_up,
    partition_defer,
    partition_find,
    partition_free,
    partition_init,
    partition_insert,
    partition_next,
    partition_prefetch,
    partition_remove,
    partition_seek,
    partition_set,
    partition_step,
    partition_verify,
    ref_address,
    ref_kind,
    ref_make,
    routes_clear,
    slot_ref,
)
from ddbcore.record cimport RECORD_DELETE, Record
from ddbcore.segments cimport (
    SLOT_GROWTH,
    LogView,
    address_offset,
    address_slot,
    padded,
    record_at,
    record_rely,
    record_unproven,
    view_settled,
)
from ddbcore.status cimport ERR_CORRUPT, ERR_MEMORY, FOUND, OK

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define lines_prefetch(p) \\
        (__builtin_prefetch((const char*)(p) + 64), __builtin_prefetch((const char*)(p) + 128), \\
         __builtin_prefetch((const char*)(p) + 192))
    #else
    #define lines_prefetch(p) ((void)(p))
    #endif
    """
    void lines_prefetch(const void* address) noexcept nogil

cdef enum:
    APPLY_AHEAD = 16


cdef inline void record_fetch(LogView* view, uint64_t address) noexcept nogil:
    """Start loading a record's second to fourth cache line.

    Its first will miss, and the misses overlap.
    """
    if address_slot(address) < view.slot_count:
        lines_prefetch(view.slots[address_slot(address)].base + address_offset(address))


cdef int keyspace_init(Keyspace* space, Arena* arena, LogView* view, uint32_t keyspace_id,
                       bint has_range, uint64_t hash_seed, uint32_t generation) noexcept nogil:
    memset(space, 0, sizeof(Keyspace))
    # A cursor that outlives its keyspace must not take another one's version for its own.
    space.version = <uint64_t>generation << 40
    space.view = view
    space.id = keyspace_id
    space.has_range = has_range
    space.hash_seed = hash_seed
    forest_init(&space.forest, arena, view, keyspace_id)
    space.partition.late_apply = late_record_apply
    space.partition.late_space = space
    return partition_init(&space.partition, arena, keyspace_id)


cdef void keyspace_free(Keyspace* space) noexcept nogil:
    partition_free(&space.partition)
    free(space.slot_live)
    space.slot_live = NULL
    space.slot_live_count = 0


cdef void keyspace_clear(Keyspace* space) noexcept nogil:
    cdef Arena* arena = space.partition.arena
    cdef uint32_t index
    cdef Unit* unit
    for index in range(arena.unit_count):
        unit = unit_at(arena, index)
        if unit.granules != 0 and unit.owner == space.id:
            unit_free(arena, index)
    routes_clear(&space.partition)
    late_clear(&space.partition)
    for index in range(space.slot_live_count):
        space.view.slots[index].live_bytes -= space.slot_live[index]
        space.slot_live[index] = 0
    space.item_count = 0
    space.item_bytes = 0
    space.version += 1


cdef uint64_t keyspace_hash(const Keyspace* space, const uint8_t* key,
                            uint32_t size) noexcept nogil:
    return hash_bytes(key, size, space.hash_seed)


cdef int keyspace_account(Keyspace* space, uint64_t address, int64_t size_bytes) noexcept nogil:
    cdef uint32_t slot = address_slot(address)
    cdef uint32_t count
    cdef int64_t* grown
    if slot >= space.slot_live_count:
        count = slot + SLOT_GROWTH
        grown = <int64_t*>realloc(space.slot_live, <size_t>count * sizeof(int64_t))
        if grown == NULL:
            return ERR_MEMORY
        memset(grown + space.slot_live_count, 0,
               <size_t>(count - space.slot_live_count) * sizeof(int64_t))
        space.slot_live = grown
        space.slot_live_count = count
    space.slot_live[slot] += size_bytes
    space.view.slots[slot].live_bytes += size_bytes
    return OK


cdef inline bint hash_key_equal(const Record* record, Span key) noexcept nogil:
    return (record.hash_size == key.size
            and memcmp(<const uint8_t*>record + 16, key.data, key.size) == 0)


cdef bint entry_relied(Keyspace* space, uint64_t address, Span hash_key,
                       const Slot* slot) noexcept nogil:
    """Whether an entry, the first of its tag, can be taken for the key's without a proof.

    Not when there is another of that tag: if this one's record lied, that might be the key's.
    """
    cdef const Record* record = record_unproven(space.view, address)
    cdef Slot other = slot[0]
    if (record == NULL or not hash_key_equal(record, hash_key)
            or partition_next(&other) == FOUND):
        return False
    record_rely(space.view, address, record)
    return True


cdef int keyspace_entry(Keyspace* space, uint64_t hash, Span hash_key, Slot* slot) noexcept nogil:
    cdef int status = partition_find(&space.partition, hash, slot)
    cdef uint32_t first = slot.index
    cdef uint64_t address = 0
    cdef const Record* record
    cdef int other
    while status == FOUND:
        other = collection_any(&space.forest, slot_ref(slot), &address)
        if other != OK:
            return other
        if (space.view.trusting and slot.index == first
                and entry_relied(space, address, hash_key, slot)):
            return FOUND
        record = record_at(space.view, address)
        if record == NULL:
            return ERR_CORRUPT
        if hash_key_equal(record, hash_key):
            return FOUND
        status = partition_next(slot)
    return status


cdef inline int record_find(Keyspace* space, uint64_t hash, Span hash_key, Span range_key,
                            Slot* slot, uint64_t* address, const Record** record) noexcept nogil:
    cdef int status = partition_find(&space.partition, hash, slot)
    cdef int found
    cdef uint64_t ref
    while status == FOUND:
        ref = slot_ref(slot)
        found = FOUND
        if ref_kind(ref) == REF_RECORD:
            address[0] = ref_address(ref)
        else:
            found = collection_find(&space.forest, ref, range_key, address)
        if found < 0:
            return found
        if found == FOUND:
            record_fetch(space.view, address[0])
            record[0] = record_at(space.view, address[0])
            if record[0] == NULL:
                return ERR_CORRUPT
            if hash_key_equal(record[0], hash_key):
                if (record[0].range_size == range_key.size
                        and memcmp(<const uint8_t*>record[0] + 16 + hash_key.size, range_key.data,
                                   range_key.size) == 0):
                    return FOUND
                return view_settled(space.view)
        # A miss in another key's collection, or in this one's: both go on, and end with the tag.
        status = partition_next(slot)
    return status if status < 0 else view_settled(space.view)


cdef int keyspace_find(Keyspace* space, uint64_t hash, Span hash_key, Span range_key,
                       uint64_t* address, const Record** record) noexcept nogil:
    cdef Slot slot
    return record_find(space, hash, hash_key, range_key, &slot, address, record)


cdef int keyspace_locate(Keyspace* space, uint64_t hash, Span hash_key, Span range_key,
                         Found* found) noexcept nogil:
    found.record = NULL
    found.version = space.version
    return record_find(space, hash, hash_key, range_key, &found.slot, &found.address, &found.record)


cdef const Record* former_record(Keyspace* space, uint64_t address) noexcept nogil:
    """The record that a key pointed at, for its sizes; NULL when it is damaged."""
    cdef const Record* record = record_unproven(space.view, address)
    if record == NULL:
        return record_at(space.view, address)
    record_rely(space.view, address, record)
    return record


cdef inline int slot_ready(Keyspace* space, const Slot* slot) noexcept nogil:
    """Make sure that the entry can be set after its collection was changed.

    It can always be unless a checkpoint wants a copy of its segment first.
    """
    if space.partition.arena.saving == 0:
        return OK
    return unit_touch(space.partition.arena, slot.unit)


cdef int keyspace_put(Keyspace* space, uint64_t hash, const Record* record,
                      uint64_t address) noexcept nogil:
    cdef Slot slot
    cdef uint64_t ref, result
    cdef uint64_t old = 0
    cdef const Record* former
    cdef int64_t size = <int64_t>padded(record.size_bytes)
    # Room in the live counts first, so that nothing fails behind the change.
    cdef int status = keyspace_account(space, address, 0)
    if status != OK:
        return status
    status = keyspace_entry(space, hash, record_hash_span(record), &slot)
    if status == OK:
        status = partition_insert(&space.partition, hash, ref_make(REF_RECORD, address), &slot)
        if status != OK:
            return status
    elif status == FOUND:
        ref = slot_ref(&slot)
        if slot_ready(space, &slot) != OK:
            return ERR_MEMORY
        if space.has_range:
            status = collection_put(&space.forest, ref, record_range_span(record), address, &result,
                                    &old)
        else:
            old = ref_address(ref)
            result = ref_make(REF_RECORD, address)
        if status < 0:
            return status
        if result != ref:
            if partition_set(&space.partition, &slot, result) != OK:
                return ERR_MEMORY
        if status == FOUND:
            former = former_record(space, old)
            if former == NULL:
                return ERR_CORRUPT
            keyspace_account(space, old, -<int64_t>padded(former.size_bytes))
            space.item_bytes -= former.item_size
            space.item_count -= 1
    else:
        return status
    keyspace_account(space, address, size)
    space.item_bytes += record.item_size
    space.item_count += 1
    space.version += 1
    return status


cdef int record_apply(Keyspace* space, uint64_t hash, const Record* record,
                      uint64_t address) noexcept nogil:
    if record.kind == RECORD_DELETE:
        return keyspace_remove(space, hash, record_hash_span(record), record_range_span(record))
    return keyspace_put(space, hash, record, address)


cdef int late_record_apply(void* context, uint64_t hash, uint64_t address) noexcept nogil:
    """Apply a record that waited, and rely on what it replaces as a replay does."""
    cdef Keyspace* space = <Keyspace*>context
    cdef LogView* view = space.view
    cdef bint trusting = view.trusting
    cdef int status
    view.trusting = True
    # Replaying its frame proved it.
    status = record_apply(space, hash,
                          <const Record*>(view.slots[address_slot(address)].base
                                          + address_offset(address)), address)
    view.trusting = trusting
    return status


cdef int keyspace_replay(Keyspace* space, uint64_t hash, const Record* record,
                         uint64_t address) noexcept nogil:
    if space.view.trusting and partition_defer(&space.partition, hash, address) == FOUND:
        return OK
    return record_apply(space, hash, record, address)


cdef int keyspace_replace(Keyspace* space, Found* found, const Record* record,
                          uint64_t address) noexcept nogil:
    cdef int status = keyspace_account(space, address, 0)
    if status == OK:
        status = partition_set(&space.partition, &found.slot, ref_make(REF_RECORD, address))
    if status != OK:
        return ERR_MEMORY
    keyspace_account(space, found.address, -<int64_t>padded(found.record.size_bytes))
    keyspace_account(space, address, <int64_t>padded(record.size_bytes))
    space.item_bytes += record.item_size
    space.item_bytes -= found.record.item_size
    space.version += 1
    return FOUND


cdef int keyspace_remove(Keyspace* space, uint64_t hash, Span hash_key,
                         Span range_key) noexcept nogil:
    cdef Slot slot
    cdef uint64_t ref
    cdef uint64_t result = 0
    cdef uint64_t old = 0
    cdef const Record* former
    cdef int status = keyspace_entry(space, hash, hash_key, &slot)
    if status != FOUND:
        return status
    ref = slot_ref(&slot)
    if slot_ready(space, &slot) != OK:
        return ERR_MEMORY
    if space.has_range:
        status = collection_remove(&space.forest, ref, range_key, &result, &old)
        if status != FOUND:
            return status
    else:
        old = ref_address(ref)
    former = former_record(space, old)
    if former == NULL:
        return ERR_CORRUPT
    if result == 0:
        status = partition_remove(&space.partition, &slot)
    elif result != ref:
        status = partition_set(&space.partition, &slot, result)
    if status < 0:
        return status
    keyspace_account(space, old, -<int64_t>padded(former.size_bytes))
    space.item_bytes -= former.item_size
    space.item_count -= 1
    space.version += 1
    return FOUND


cdef int keyspace_apply(Keyspace* space, const uint8_t* records, uint64_t size,
                        uint64_t address) noexcept nogil:
    cdef uint64_t hashes[APPLY_AHEAD]
    cdef uint64_t front = 0
    cdef uint64_t offset = 0
    cdef uint32_t read = 0
    cdef uint32_t written = 0
    cdef const Record* record
    cdef int status
    while offset < size:
        # Hashes run ahead, so that the index lines they lead to are on their way.
        while front < size and written - read < APPLY_AHEAD:
            record = <const Record*>(records + front)
            hashes[written % APPLY_AHEAD] = keyspace_hash(space, <const uint8_t*>record + 16,
                                                          record.hash_size)
            partition_prefetch(&space.partition, hashes[written % APPLY_AHEAD])
            written += 1
            front += padded(record.size_bytes)
        record = <const Record*>(records + offset)
        if record.kind == RECORD_DELETE:
            status = keyspace_remove(space, hashes[read % APPLY_AHEAD], record_hash_span(record),
                                     record_range_span(record))
        else:
            status = keyspace_put(space, hashes[read % APPLY_AHEAD], record,
                                  address + (offset >> 3))
        if status < 0:
            return status
        read += 1
        offset += padded(record.size_bytes)
    return OK


cdef int entry_verify(Keyspace* space, Slot* slot, uint64_t* items) noexcept nogil:
    """Check one entry: its records exist, belong there, and are in order."""
    cdef uint64_t ref = slot_ref(slot)
    cdef uint64_t address = 0
    cdef const Record* record
    cdef Span key
    cdef int status
    if ref_kind(ref) != REF_RECORD and not space.has_range:
        return ERR_CORRUPT
    status = collection_any(&space.forest, ref, &address)
    if status != OK:
        return status
    record = record_at(space.view, address)
    if record == NULL or record.keyspace_id != space.id:
        return ERR_CORRUPT
    key = record_hash_span(record)
    if hash_tag(keyspace_hash(space, key.data, key.size)) != slot.tag:
        return ERR_CORRUPT
    return collection_verify(&space.forest, ref, items)


cdef int keyspace_verify(Keyspace* space, uint64_t* items) noexcept nogil:
    cdef Slot slot
    cdef uint32_t segments = 0
    cdef uint64_t entry_items = 0
    cdef int status = partition_catch_up(&space.partition, ~<uint64_t>0)
    items[0] = 0
    if status == OK:
        status = partition_verify(&space.partition, &segments)
    if status != OK:
        return status
    status = partition_seek(&space.partition, 0, &slot)
    while status == FOUND:
        status = entry_verify(space, &slot, &entry_items)
        if status != OK:
            return status
        items[0] += entry_items
        status = partition_step(&space.partition, &slot)
    if status < 0:
        return status
    return OK if items[0] == space.item_count else ERR_CORRUPT
