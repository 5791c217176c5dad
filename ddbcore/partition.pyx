"""The hash index of one keyspace: from the hash of a partition key to 38 bits of reference.

Theory of operation
    Extendible hashing on the top bits of the hash: a directory of 1 << depth unit ids, each naming
    a segment. A segment is an array of 8-byte entries kept in hash order by linear probing: an
    entry's home is its hash's fraction of the segment, entries lie at their home or after it, and
    never out of order. So a look-up reads one cache line, now and then the next, and a walk over
    segments and slots is a walk in hash order: a scan resumes anywhere.

    An entry holds the top 26 bits of the hash (the tag), 2 bits of kind and a 36-bit address: no
    key, who asks compares the record. The tag alone gives its home in segments of any size.

    A segment grows by 4 KiB steps from 4 to 16 KiB and then splits in two of 8 or 12; the load
    stays between 0.6 and 0.9, about 10.7 bytes a key. The limit differs from segment to segment, or
    all would split together. Keys that share so many bits that splitting is useless (an attack)
    make their segment grow up to 256 KiB; then ERR_FULL.

    At opening, records of the log wait (late records), in lists, for the units that are only in the
    checkpoint file. Who asks for such a segment gets it with them applied.

Invariants
    1. Entries of a segment are sorted by tag; none is before its home; no empty slot between.
    2. Every directory slot whose top `segment.depth` bits equal segment.prefix names that segment.
    3. segment.count entries are non-zero; slots at the end beyond the last entry are zero.
    4. A route is 0 or right: whoever gives a unit another block clears the routes that lead there.
    5. Nobody gets a segment whose unit has late records.

Threads
    Under the GIL. Format: FORMAT.md, section "Hash segments".
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memmove, memset

from ddbcore.arena cimport (
    GRANULE_BYTES,
    GRANULES_MAX,
    UNIT_HASH,
    UNIT_NONE,
    Arena,
    Unit,
    block_drop,
    unit_at,
    unit_data,
    unit_free,
    unit_new,
    unit_resize,
    unit_touch,
)
from ddbcore.status cimport ERR_CORRUPT, ERR_FULL, ERR_MEMORY, FOUND, OK

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define memory_prefetch(p) __builtin_prefetch((const void*)(p))
    #else
    #define memory_prefetch(p) ((void)(p))
    #endif
    """
    void memory_prefetch(const void* address) noexcept nogil

cdef enum:
    SPLIT_GRANULES = 4                    # a segment this large splits rather than grows
    ROUTE_GRANULES = 127
    ROUTE_DEPTH_SHIFT = 7
    ROUTE_DEPTH = 31
    LATE_MAX = 65536                      # more are applied at once: they fill the segments
    LATE_MIN = 1024


cdef inline uint32_t entry_tag(uint64_t entry) noexcept nogil:
    return <uint32_t>(entry >> REF_BITS)


cdef inline uint32_t home_in(uint32_t homes, uint32_t depth, uint32_t tag) noexcept nogil:
    cdef uint64_t fraction = <uint64_t>tag << (32 - TAG_BITS) << depth
    fraction &= <uint64_t>0xFFFFFFFF
    return <uint32_t>((fraction * homes) >> 32)


cdef inline uint32_t tag_home(const HashSegment* segment, uint32_t tag) noexcept nogil:
    return home_in(segment.homes, segment.depth, tag)


cdef inline uint32_t slots_in(uint32_t granules) noexcept nogil:
    return (granules * GRANULE_BYTES - SEGMENT_HEADER_BYTES) // 8


cdef uint32_t granules_for(uint64_t count) noexcept nogil:
    """The size of a segment that is to hold `count` entries with room to grow."""
    cdef uint32_t granules = 1
    while granules < GRANULES_MAX and count * 10 > <uint64_t>granules * 512 * 8:
        granules = granules + 1 if granules < 4 else granules * 2
    return granules


cdef void segment_setup(HashSegment* segment, uint32_t granules, uint32_t depth, uint64_t prefix,
                        uint32_t unit) noexcept nogil:
    cdef uint32_t jitter = ((unit * 2654435761u) ^ (depth * 40503u)) >> 16
    segment.kind = UNIT_HASH
    segment.depth = <uint8_t>depth
    segment.slots = slots_in(granules)
    segment.homes = segment.slots - HOME_PAD
    # 0.86 to 0.92 of the homes: see the module's head.
    segment.limit = segment.homes * (860 + jitter % 60) // 1000
    segment.unit = unit
    segment.prefix = prefix
    segment.count = 0


cdef inline uint32_t unit_of(const Partition* partition, uint64_t hash) noexcept nogil:
    return partition.directory[(hash >> 32) >> (32 - partition.depth)]


cdef inline uint32_t* late_of(const Partition* partition, uint32_t unit) noexcept nogil:
    """Where the first late record of a unit is noted; NULL: the unit is not this partition's."""
    cdef Unit* entry
    if unit >= partition.arena.unit_count:
        return NULL
    entry = unit_at(partition.arena, unit)
    return &entry.late if entry.owner == partition.owner else NULL


cdef HashSegment* segment_settled(Partition* partition, uint64_t hash,
                                  uint32_t* unit) noexcept nogil:
    """As segment_of, where something may be wrong or late."""
    cdef HashSegment* segment
    cdef uint32_t* noted
    cdef int status
    while True:
        unit[0] = unit_of(partition, hash)
        segment = <HashSegment*>unit_data(partition.arena, unit[0])
        if segment != NULL and segment.kind != UNIT_HASH:
            partition.arena.error = ERR_CORRUPT
            return NULL
        if segment == NULL or partition.late_count == 0:
            return segment
        noted = late_of(partition, unit[0])
        if noted == NULL or noted[0] == 0:
            return segment
        status = late_apply(partition, unit[0])
        if status < 0:
            partition.arena.error = status
            return NULL


cdef inline HashSegment* segment_of(Partition* partition, uint64_t hash,
                                    uint32_t* unit) noexcept nogil:
    cdef HashSegment* segment
    unit[0] = unit_of(partition, hash)
    segment = <HashSegment*>unit_data(partition.arena, unit[0])
    if segment == NULL or segment.kind != UNIT_HASH or partition.late_count != 0:
        return segment_settled(partition, hash, unit)
    return segment


cdef void late_add(Partition* partition, uint32_t number) noexcept nogil:
    """Let a late record wait for the unit that its hash leads to, behind those that do already."""
    cdef Late* late = &partition.late[number - 1]
    cdef uint32_t* noted = late_of(partition, unit_of(partition, late.hash))
    cdef Late* first
    late.next = 0
    late.last = number
    if noted == NULL:
        return                            # a forged directory: late_count will never be 0
    if noted[0] == 0:
        noted[0] = number
    else:
        first = &partition.late[noted[0] - 1]
        partition.late[first.last - 1].next = number
        first.last = number


cdef int late_apply(Partition* partition, uint32_t unit) noexcept nogil:
    """Apply the records that wait for a unit, which is loaded. It may be split by them."""
    cdef uint32_t number = unit_at(partition.arena, unit).late
    cdef uint32_t following
    cdef Late* late
    cdef int status
    unit_at(partition.arena, unit).late = 0
    while number != 0:
        late = &partition.late[number - 1]
        following = late.next
        status = partition.late_apply(partition.late_space, late.hash, late.address)
        if status < 0:
            # This one and the rest wait on. Looking for the entry may have found a route.
            routes_clear(partition)
            while number != 0:
                following = partition.late[number - 1].next
                late_add(partition, number)
                number = following
            return status
        number = following
        partition.late_count -= 1
        partition.arena.late_count -= 1
    return OK


cdef int partition_defer(Partition* partition, uint64_t hash, uint64_t address) noexcept nogil:
    cdef uint32_t unit = unit_of(partition, hash)
    cdef uint32_t capacity = partition.late_capacity
    cdef Late* late
    if partition.routes[(hash >> 32) >> (32 - partition.depth)] != 0:
        return OK                         # loaded, and its route is at hand
    if (late_of(partition, unit) == NULL or unit_at(partition.arena, unit).data != NULL
            or partition.arena.late_count >= LATE_MAX):
        return OK
    if partition.late_used == capacity:
        capacity = LATE_MIN if capacity == 0 else capacity * 2
        late = <Late*>realloc(partition.late, capacity * sizeof(Late))
        if late == NULL:
            return OK
        partition.late = late
        partition.late_capacity = capacity
    partition.late[partition.late_used].hash = hash
    partition.late[partition.late_used].address = address
    partition.late_used += 1
    partition.late_count += 1
    partition.arena.late_count += 1
    late_add(partition, partition.late_used)
    return FOUND


cdef int partition_catch_up(Partition* partition, uint64_t segments_max) noexcept nogil:
    cdef uint64_t hash
    cdef uint32_t* noted
    cdef uint32_t unit
    while partition.late_next < partition.late_used and segments_max != 0:
        hash = partition.late[partition.late_next].hash
        noted = late_of(partition, unit_of(partition, hash))
        if noted != NULL and noted[0] != 0:
            if segment_of(partition, hash, &unit) == NULL:
                return partition.arena.error
            segments_max -= 1
        partition.late_next += 1
    if partition.late_count == 0:
        late_clear(partition)
    elif partition.late_next == partition.late_used:
        return ERR_CORRUPT
    return OK


cdef void late_clear(Partition* partition) noexcept nogil:
    partition.arena.late_count -= partition.late_count
    free(partition.late)
    partition.late = NULL
    partition.late_used = partition.late_capacity = 0
    partition.late_next = partition.late_count = 0


# A look-up would go from the directory to the table of units, to the segment's head, to the entry,
# each a cache miss in a large index. What it needs of the first two fits in a word beside the
# directory, the route: the segment's address, whose low 12 bits are zero, its size in granules (7
# bits) and its depth (5 bits).
cdef inline uint64_t route_of(Partition* partition, uint64_t hash, uint32_t* unit) noexcept nogil:
    """The route of a hash, and its unit; 0 with partition.arena.error."""
    cdef uint32_t index = <uint32_t>((hash >> 32) >> (32 - partition.depth))
    cdef HashSegment* segment
    unit[0] = partition.directory[index]
    if partition.routes[index] == 0:
        segment = segment_of(partition, hash, unit)
        # Late records may have doubled the directory.
        index = <uint32_t>((hash >> 32) >> (32 - partition.depth))
        if segment != NULL:
            partition.routes[index] = (
                <uint64_t>segment | <uint64_t>segment.depth << ROUTE_DEPTH_SHIFT
                | (segment.slots + SEGMENT_HEADER_BYTES // 8) // (GRANULE_BYTES // 8))
    return partition.routes[index]


cdef void routes_clear(Partition* partition) noexcept nogil:
    memset(partition.routes, 0, <size_t>8 << partition.depth)


cdef int directory_make(Partition* partition, uint32_t depth) noexcept nogil:
    cdef uint32_t* directory = <uint32_t*>malloc(<size_t>4 << depth)
    cdef uint64_t* routes = <uint64_t*>calloc(<size_t>1 << depth, 8)
    if directory == NULL or routes == NULL:
        free(directory)
        free(routes)
        return ERR_MEMORY
    free(partition.directory)
    free(partition.routes)
    partition.directory = directory
    partition.routes = routes
    partition.depth = depth
    return OK


cdef int partition_init(Partition* partition, Arena* arena, uint32_t owner) noexcept nogil:
    cdef uint32_t unit
    partition.arena = arena
    partition.owner = owner
    partition.directory = NULL
    partition.routes = NULL
    partition.count = 0
    partition.late = NULL
    partition.late_used = partition.late_capacity = 0
    partition.late_next = partition.late_count = 0
    if directory_make(partition, 0) != OK:
        return ERR_MEMORY
    unit = unit_new(arena, 1, owner)
    if unit == UNIT_NONE:
        partition_free(partition)
        return arena.error
    segment_setup(<HashSegment*>unit_data(arena, unit), 1, 0, 0, unit)
    partition.directory[0] = unit
    return OK


cdef void partition_free(Partition* partition) noexcept nogil:
    free(partition.directory)
    free(partition.routes)
    partition.directory = NULL
    partition.routes = NULL
    partition.count = 0
    # The arena may be gone: its count is not touched.
    free(partition.late)
    partition.late = NULL
    partition.late_count = 0


cdef int partition_find(Partition* partition, uint64_t hash, Slot* slot) noexcept nogil:
    cdef uint64_t route = route_of(partition, hash, &slot.unit)
    cdef uint32_t slots = slots_in(route & ROUTE_GRANULES)
    cdef uint32_t tag = hash_tag(hash)
    cdef uint32_t index, found
    cdef uint64_t* entries
    if route == 0:
        return partition.arena.error
    slot.segment = <HashSegment*>(route & ~<uint64_t>(GRANULE_BYTES - 1))
    slot.tag = tag
    entries = segment_entries(slot.segment)
    index = home_in(slots - HOME_PAD, <uint32_t>(route >> ROUTE_DEPTH_SHIFT) & ROUTE_DEPTH, tag)
    while index < slots:
        found = entry_tag(entries[index])
        if entries[index] == 0 or found > tag:
            break
        if found == tag:
            slot.index = index
            return FOUND
        index += 1
    slot.index = index
    return OK


cdef int partition_next(Slot* slot) noexcept nogil:
    cdef uint64_t* entries = segment_entries(slot.segment)
    slot.index += 1
    if (slot.index < slot.segment.slots and entries[slot.index] != 0
            and entry_tag(entries[slot.index]) == slot.tag):
        return FOUND
    return OK


cdef void partition_prefetch(Partition* partition, uint64_t hash) noexcept nogil:
    cdef uint64_t route = partition.routes[(hash >> 32) >> (32 - partition.depth)]
    if route != 0:
        memory_prefetch(segment_entries(<HashSegment*>(route & ~<uint64_t>(GRANULE_BYTES - 1)))
                        + home_in(slots_in(route & ROUTE_GRANULES) - HOME_PAD,
                                  <uint32_t>(route >> ROUTE_DEPTH_SHIFT) & ROUTE_DEPTH,
                                  hash_tag(hash)))


cdef void segment_place(HashSegment* target, const uint64_t* entries,
                        uint32_t count) noexcept nogil:
    """Fill an empty segment with sorted entries that fit it."""
    cdef uint64_t* slots = segment_entries(target)
    cdef uint32_t next_free = 0
    cdef uint32_t index, home
    for index in range(count):
        home = tag_home(target, entry_tag(entries[index]))
        if home > next_free:
            next_free = home
        slots[next_free] = entries[index]
        next_free += 1
    target.count = count


cdef uint32_t segment_gather(HashSegment* segment, uint64_t* out) noexcept nogil:
    cdef uint64_t* slots = segment_entries(segment)
    cdef uint32_t count = 0
    cdef uint32_t index
    for index in range(segment.slots):
        if slots[index] != 0:
            out[count] = slots[index]
            count += 1
    return count


cdef uint32_t granules_fitting(uint32_t granules, uint32_t depth, const uint64_t* entries,
                               uint32_t count) noexcept nogil:
    """The first size from `granules` on at which entries do not run over the end; 0 for none."""
    cdef HashSegment shape
    cdef uint32_t next_free, index, home
    while True:
        segment_setup(&shape, granules, depth, 0, 0)
        next_free = 0
        for index in range(count):
            home = tag_home(&shape, entry_tag(entries[index]))
            next_free = home + 1 if home > next_free else next_free + 1
        if next_free <= shape.slots:
            return granules
        if granules >= GRANULES_MAX:
            return 0
        granules = granules + 1 if granules < SPLIT_GRANULES else granules * 2


cdef int segment_refill(Partition* partition, uint32_t unit, uint32_t granules, uint32_t depth,
                        uint64_t prefix, const uint64_t* entries, uint32_t count) noexcept nogil:
    """Give a unit a block of exactly these entries, which fit it. ERR_MEMORY: nothing changed."""
    cdef uint8_t* old
    cdef uint32_t old_granules = unit_at(partition.arena, unit).granules
    cdef uint8_t* data = unit_resize(partition.arena, unit, granules, &old)
    if data == NULL:
        return ERR_MEMORY
    block_drop(partition.arena, old, old_granules)
    segment_setup(<HashSegment*>data, granules, depth, prefix, unit)
    segment_place(<HashSegment*>data, entries, count)
    return OK


cdef int directory_double(Partition* partition) noexcept nogil:
    cdef uint32_t size = <uint32_t>1 << partition.depth
    cdef uint32_t* grown = <uint32_t*>malloc(<size_t>size * 2 * sizeof(uint32_t))
    cdef uint64_t* routes = <uint64_t*>malloc(<size_t>size * 2 * sizeof(uint64_t))
    cdef uint32_t index
    if grown == NULL or routes == NULL:
        free(grown)
        free(routes)
        return ERR_MEMORY
    for index in range(size * 2):
        grown[index] = partition.directory[index >> 1]
        routes[index] = partition.routes[index >> 1]
    free(partition.directory)
    free(partition.routes)
    partition.directory = grown
    partition.routes = routes
    partition.depth += 1
    return OK


cdef void routes_forget(Partition* partition, uint32_t depth, uint64_t prefix) noexcept nogil:
    """Clear the routes of all hashes that begin with `depth` bits of `prefix`."""
    cdef uint32_t first = <uint32_t>((prefix >> 32) >> (32 - partition.depth))
    memset(partition.routes + first, 0, <size_t>8 << (partition.depth - depth))


cdef int segment_split(Partition* partition, HashSegment* segment, const uint64_t* entries,
                       uint32_t count) noexcept nogil:
    """Split a segment on its next hash bit: the lower half keeps the unit, the upper gets one."""
    cdef uint32_t depth = segment.depth
    cdef uint64_t prefix = segment.prefix
    cdef uint32_t unit = segment.unit
    cdef uint64_t bit = <uint64_t>1 << (63 - depth)
    cdef uint32_t middle = 0
    cdef uint32_t upper, first, width, index, lower_granules, upper_granules
    cdef int status
    while middle < count and (entries[middle] & bit) == 0:
        middle += 1
    # What may fail comes first: a half that fits no segment, memory.
    lower_granules = granules_fitting(granules_for(middle), depth + 1, entries, middle)
    upper_granules = granules_fitting(granules_for(count - middle), depth + 1, entries + middle,
                                      count - middle)
    if lower_granules == 0 or upper_granules == 0:
        return ERR_FULL
    if depth == partition.depth:
        status = directory_double(partition)
        if status != OK:
            return status
    upper = unit_new(partition.arena, 1, partition.owner)
    if upper == UNIT_NONE:
        return ERR_MEMORY
    status = segment_refill(partition, upper, upper_granules, depth + 1, prefix | bit,
                            entries + middle, count - middle)
    if status == OK:
        status = segment_refill(partition, unit, lower_granules, depth + 1, prefix, entries, middle)
    if status != OK:
        unit_free(partition.arena, upper)
        return status
    width = <uint32_t>1 << (partition.depth - depth - 1)
    first = <uint32_t>(((prefix | bit) >> 32) >> (32 - partition.depth))
    for index in range(first, first + width):
        partition.directory[index] = upper
    return OK


cdef bint segment_belongs(Partition* partition, const HashSegment* segment, uint32_t unit,
                          uint64_t hash) noexcept nogil:
    """Whether a segment is what the directory takes it for (invariant 2).

    Growing believes the header's depth, prefix and unit, which a forged file may set as it likes.
    """
    cdef uint32_t width, first, index
    if segment.unit != unit or segment.depth > partition.depth:
        return False
    if segment.depth == 0:
        width = <uint32_t>1 << partition.depth
        first = 0
        if segment.prefix != 0:
            return False
    else:
        width = <uint32_t>1 << (partition.depth - segment.depth)
        if segment.prefix != hash >> (64 - segment.depth) << (64 - segment.depth):
            return False
        first = <uint32_t>((segment.prefix >> 32) >> (32 - partition.depth))
    for index in range(first, first + width):
        if partition.directory[index] != unit:
            return False
    return True


cdef int segment_grow(Partition* partition, HashSegment* segment, uint32_t unit,
                      uint64_t hash) noexcept nogil:
    """Make room in a full segment: a larger block, or two segments."""
    cdef uint32_t granules = unit_at(partition.arena, unit).granules
    cdef uint64_t* entries
    cdef uint64_t prefix = segment.prefix
    cdef uint32_t count
    cdef uint32_t depth = segment.depth
    cdef int status
    cdef bint may_split = depth < DIRECTORY_DEPTH_MAX
    if not segment_belongs(partition, segment, unit, hash):
        return ERR_CORRUPT
    entries = <uint64_t*>malloc(<size_t>segment.slots * 8)
    if entries == NULL:
        return ERR_MEMORY
    count = segment_gather(segment, entries)
    # Keys that agree in more bits than their number explains would double the directory for
    # nothing.
    if (segment.depth == partition.depth
            and (<uint64_t>1 << partition.depth) > partition.count // 64 + 16):
        may_split = False
    status = ERR_FULL
    if granules >= SPLIT_GRANULES and may_split:
        status = segment_split(partition, segment, entries, count)
    if status == ERR_FULL and granules < GRANULES_MAX:
        granules = granules + 1 if granules < SPLIT_GRANULES else granules * 2
        granules = granules_fitting(granules, segment.depth, entries, count)
        if granules != 0:
            status = segment_refill(partition, unit, granules, depth, prefix, entries, count)
    # After a failure half way, too: one of two halves may have moved.
    routes_forget(partition, depth, prefix)
    free(entries)
    return status


cdef int partition_insert(Partition* partition, uint64_t hash, uint64_t ref,
                          const Slot* ended) noexcept nogil:
    cdef uint64_t entry = (<uint64_t>hash_tag(hash) << REF_BITS) | ref
    cdef uint32_t tag = hash_tag(hash)
    cdef uint32_t unit, index, end
    cdef uint64_t* entries
    cdef HashSegment* segment
    cdef int status
    while True:
        segment = segment_of(partition, hash, &unit)
        if segment == NULL:
            return partition.arena.error
        if segment.count < segment.limit:
            entries = segment_entries(segment)
            index = tag_home(segment, tag)
            if ended != NULL:
                # A search for this hash ended where the entry belongs.
                index = ended.index
            while (index < segment.slots and entries[index] != 0
                    and entry_tag(entries[index]) <= tag):
                index += 1
            end = index
            while end < segment.slots and entries[end] != 0:
                end += 1
            if end < segment.slots:
                break
        ended = NULL
        status = segment_grow(partition, segment, unit, hash)
        if status != OK:
            return status
    status = unit_touch(partition.arena, unit)
    if status != OK:
        return status
    memmove(entries + index + 1, entries + index, <size_t>(end - index) * 8)
    entries[index] = entry
    segment.count += 1
    partition.count += 1
    return OK


cdef int partition_set(Partition* partition, Slot* slot, uint64_t ref) noexcept nogil:
    cdef int status = unit_touch(partition.arena, slot.unit)
    cdef uint64_t* entries
    if status != OK:
        return status
    entries = segment_entries(slot.segment)
    entries[slot.index] = (<uint64_t>entry_tag(entries[slot.index]) << REF_BITS) | ref
    return OK


cdef int partition_remove(Partition* partition, Slot* slot) noexcept nogil:
    cdef HashSegment* segment = slot.segment
    cdef uint64_t* entries = segment_entries(segment)
    cdef uint32_t index = slot.index
    cdef int status = unit_touch(partition.arena, slot.unit)
    if status != OK:
        return status
    # Entries behind that are not at their home move one back (invariant 1).
    while (index + 1 < segment.slots and entries[index + 1] != 0
            and tag_home(segment, entry_tag(entries[index + 1])) <= index):
        entries[index] = entries[index + 1]
        index += 1
    entries[index] = 0
    segment.count -= 1
    partition.count -= 1
    return OK


cdef int partition_settle(Partition* partition, Slot* slot) noexcept nogil:
    """Go forward from slot to the first used entry, through the segments that follow."""
    cdef uint64_t* entries
    cdef uint64_t next_prefix
    cdef HashSegment* segment
    while True:
        entries = segment_entries(slot.segment)
        while slot.index < slot.segment.slots:
            if entries[slot.index] != 0:
                slot.tag = entry_tag(entries[slot.index])
                return FOUND
            slot.index += 1
        if slot.segment.depth == 0:
            return OK
        next_prefix = slot.segment.prefix + (<uint64_t>1 << (64 - slot.segment.depth))
        if next_prefix == 0:
            return OK
        segment = segment_of(partition, next_prefix, &slot.unit)
        if segment == NULL:
            return partition.arena.error
        if segment.prefix != next_prefix:
            partition.arena.error = ERR_CORRUPT
            return ERR_CORRUPT
        slot.segment = segment
        slot.index = 0


cdef int partition_seek(Partition* partition, uint32_t tag, Slot* slot) noexcept nogil:
    cdef uint64_t hash = <uint64_t>tag << (64 - TAG_BITS)
    cdef HashSegment* segment = segment_of(partition, hash, &slot.unit)
    cdef uint64_t* entries
    if segment == NULL:
        return partition.arena.error
    entries = segment_entries(segment)
    slot.segment = segment
    slot.index = tag_home(segment, tag)
    while (slot.index < segment.slots
            and (entries[slot.index] == 0 or entry_tag(entries[slot.index]) < tag)):
        slot.index += 1
    return partition_settle(partition, slot)


cdef int partition_step(Partition* partition, Slot* slot) noexcept nogil:
    slot.index += 1
    return partition_settle(partition, slot)


cdef int segment_check(const uint8_t* data, uint32_t size_bytes) noexcept nogil:
    cdef const HashSegment* segment = <const HashSegment*>data
    if (segment.kind != UNIT_HASH or segment.slots != (size_bytes - SEGMENT_HEADER_BYTES) // 8
            or segment.homes != segment.slots - HOME_PAD or segment.limit > segment.slots
            or segment.count > segment.slots or segment.depth > DIRECTORY_DEPTH_MAX):
        return ERR_CORRUPT
    return OK


cdef int segment_verify(HashSegment* segment) noexcept nogil:
    cdef uint64_t* entries = segment_entries(segment)
    cdef uint32_t index, home, tag
    cdef uint32_t count = 0
    cdef uint32_t run_start = 0
    cdef uint32_t last_tag = 0
    for index in range(segment.slots):
        if entries[index] == 0:
            run_start = index + 1
            continue
        tag = entry_tag(entries[index])
        home = tag_home(segment, tag)
        if (tag < last_tag or home > index or home < run_start
                or (entries[index] >> 36) & 3 == 0
                or (segment.depth != 0
                    and (<uint64_t>tag << (64 - TAG_BITS)) >> (64 - segment.depth)
                    != segment.prefix >> (64 - segment.depth))):
            return ERR_CORRUPT
        last_tag = tag
        count += 1
    return OK if count == segment.count else ERR_CORRUPT


cdef int partition_verify(Partition* partition, uint32_t* segments) noexcept nogil:
    cdef uint32_t index = 0
    cdef uint32_t size = <uint32_t>1 << partition.depth
    cdef uint32_t width, unit, inner
    cdef uint64_t count = 0
    cdef HashSegment* segment
    segments[0] = 0
    while index < size:
        unit = partition.directory[index]
        segment = <HashSegment*>unit_data(partition.arena, unit)
        if segment == NULL:
            return partition.arena.error
        if segment.kind != UNIT_HASH or segment.unit != unit or segment.depth > partition.depth:
            return ERR_CORRUPT
        width = <uint32_t>1 << (partition.depth - segment.depth)
        if (index & (width - 1)) != 0 or (segment.prefix >> 32) >> (32 - partition.depth) != index:
            return ERR_CORRUPT
        for inner in range(index, index + width):
            if partition.directory[inner] != unit:
                return ERR_CORRUPT
        if segment_verify(segment) != OK:
            return ERR_CORRUPT
        count += segment.count
        segments[0] += 1
        index += width
    return OK if count == partition.count else ERR_CORRUPT
