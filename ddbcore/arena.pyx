"""The arena: the memory of the index, in units that a checkpoint can save while writers go on.

Theory of operation
    A unit is an id and a block of 1 to 64 granules of 4 KiB. Structures hold ids and never
    pointers, so a unit may lie in memory, or only in the checkpoint file: its first use reads it
    and proves its checksum. Opening a database therefore costs the unit table and not the index.
    Blocks are cut from spans that double from 64 KiB to 2 MiB; the large ones are offered to the
    kernel as huge pages.

    A checkpoint is a snapshot taken without copying: it raises the epoch. A writer announces each
    change with `unit_touch`; the first change of a unit in the new epoch, while the checkpoint has
    not saved it yet, leaves a copy of the old image in `shadow`. Writer and checkpoint agree
    through one compare-and-swap on `state`: whoever moves it away from the saving epoch first
    decides whose image counts.

Invariants
    1. unit.state == arena.epoch exactly when the unit changed since the last checkpoint began.
    2. unit.state == arena.saving: the block is the image the running checkpoint must save.
    3. unit.state == 0: the block, where there is one, equals the saved image at file_pos.
    4. A shadow exists only while arena.saving != 0, and is dropped by the checkpoint's end.

Threads
    Everything under the GIL, except the checkpoint's reading of `state`, `data` and `shadow`
    (checkpoint.pyx).

Format: FORMAT.md, section "Checkpoint".
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from ddbcore.hashing cimport hash_bytes
from ddbcore.io cimport Disk
from ddbcore.memory cimport span_alloc, span_free
from ddbcore.status cimport ERR_CORRUPT, ERR_FULL, ERR_IO, ERR_MEMORY, OK

cdef extern from *:
    """
    #if defined(_WIN32)
    #define state_swap(target, old, new_) \\
        (_InterlockedCompareExchange((volatile long*)(target), (long)(new_), (long)(old)) \\
         == (long)(old))
    #else
    static int state_swap(uint32_t* target, uint32_t old, uint32_t value) {
        return __atomic_compare_exchange_n(target, &old, value, 0, __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE);
    }
    #endif
    """
    int state_swap(uint32_t* target, uint32_t old, uint32_t value) noexcept nogil

cdef enum:
    SPAN_BYTES_MIN = 65536
    SPAN_BYTES_MAX = 2097152


cdef int64_t disk_read_at(Disk disk, int fd, void* data, uint64_t size,
                          uint64_t offset) noexcept nogil:
    return disk.read_at(fd, data, size, offset)


cdef int arena_init(Arena* arena, Disk disk) except -1:
    """Make an empty arena. `disk` must outlive it."""
    memset(arena, 0, sizeof(Arena))
    arena.spans = <uint8_t**>calloc(SPAN_COUNT_MAX // 64, sizeof(uint8_t*))
    if arena.spans == NULL:
        raise MemoryError()
    arena.free_head = UNIT_NONE
    arena.epoch = 1
    arena.blocks_left = -1
    arena.fd = -1
    arena.disk = <void*>disk
    arena.read_at = <ReadAt>disk_read_at
    return 0


cdef void arena_free(Arena* arena) noexcept nogil:
    cdef uint32_t index
    for index in range(arena.span_count):
        span_free(arena.spans[index])
    free(arena.spans)
    arena.spans = NULL
    arena.span_count = 0
    for index in range(CHUNK_COUNT_MAX):
        if arena.chunks[index] == NULL:
            break
        free(arena.chunks[index])
        arena.chunks[index] = NULL
    arena.unit_count = 0


cdef void arena_reset(Arena* arena) noexcept nogil:
    cdef uint32_t unit
    cdef Unit* entry
    for unit in range(arena.unit_count):
        entry = unit_at(arena, unit)
        if entry.data != NULL:
            block_drop(arena, entry.data, entry.granules)
        if entry.shadow != NULL:
            block_drop(arena, entry.shadow, entry.shadow_granules)
        memset(entry, 0, sizeof(Unit))
    arena.unit_count = 0
    arena.free_head = UNIT_NONE
    arena.bytes_used = 0
    arena.late_count = 0
    arena.epoch = 1
    arena.saving = 0
    arena.error = OK


cdef int span_add(Arena* arena, uint64_t wanted) noexcept nogil:
    """Start a new span of at least `wanted` bytes; the old one's rest becomes single granules."""
    cdef uint64_t size = SPAN_BYTES_MIN
    cdef uint8_t* span
    cdef uint8_t** spans
    cdef uint32_t doublings = arena.span_count
    while arena.bump_bytes >= GRANULE_BYTES:
        block_drop(arena, arena.bump, 1)
        arena.bump += GRANULE_BYTES
        arena.bump_bytes -= GRANULE_BYTES
    if doublings > 5:
        doublings = 5
    size <<= doublings
    while size < wanted:
        size <<= 1
    if arena.span_count >= SPAN_COUNT_MAX // 64:
        # The list of spans doubles by its own count: powers of two from the first allocation.
        if (arena.span_count & (arena.span_count - 1)) == 0:
            spans = <uint8_t**>calloc(<size_t>arena.span_count * 2, sizeof(uint8_t*))
            if spans == NULL:
                return ERR_MEMORY
            memcpy(spans, arena.spans, <size_t>arena.span_count * sizeof(uint8_t*))
            free(arena.spans)
            arena.spans = spans
    span = <uint8_t*>span_alloc(size)
    if span == NULL:
        return ERR_MEMORY
    arena.spans[arena.span_count] = span
    arena.span_count += 1
    arena.bump = span
    arena.bump_bytes = size
    return OK


cdef uint8_t* block_new(Arena* arena, uint32_t granules) noexcept nogil:
    """Return an uninitialised block, or NULL."""
    cdef uint64_t size = <uint64_t>granules * GRANULE_BYTES
    cdef uint8_t* block = arena.free_blocks[granules]
    if arena.blocks_left >= 0:
        if arena.blocks_left == 0:
            return NULL
        arena.blocks_left -= 1
    if block != NULL:
        memcpy(&arena.free_blocks[granules], block, sizeof(uint8_t*))
        return block
    if arena.bump_bytes < size and span_add(arena, size) != OK:
        return NULL
    block = arena.bump
    arena.bump += size
    arena.bump_bytes -= size
    return block


cdef void block_drop(Arena* arena, uint8_t* block, uint32_t granules) noexcept nogil:
    if block == NULL:
        return
    memcpy(block, &arena.free_blocks[granules], sizeof(uint8_t*))
    arena.free_blocks[granules] = block


cdef int chunk_ensure(Arena* arena, uint32_t unit) noexcept nogil:
    cdef uint32_t chunk = unit >> 12
    if chunk >= CHUNK_COUNT_MAX:
        return ERR_FULL
    if arena.chunks[chunk] == NULL:
        arena.chunks[chunk] = <Unit*>calloc(UNITS_PER_CHUNK, sizeof(Unit))
        if arena.chunks[chunk] == NULL:
            return ERR_MEMORY
    return OK


cdef int arena_reserve(Arena* arena, uint32_t granules) noexcept nogil:
    """Set memory aside so that the next units and shadows of one granule cannot fail."""
    cdef uint8_t* chain = NULL
    cdef uint8_t* block
    cdef uint32_t _
    cdef int64_t left = arena.blocks_left
    cdef int status = chunk_ensure(arena, arena.unit_count + granules)
    if status == OK:
        status = chunk_ensure(arena, arena.unit_count)
    if status == OK and arena.bump_bytes >= <uint64_t>granules * GRANULE_BYTES and left < 0:
        return OK
    for _ in range(granules):
        if status != OK:
            break
        block = block_new(arena, 1)
        if block == NULL:
            status = ERR_MEMORY
            break
        memcpy(block, &chain, sizeof(uint8_t*))
        chain = block
    while chain != NULL:
        block = chain
        memcpy(&chain, block, sizeof(uint8_t*))
        block_drop(arena, block, 1)
    # None of them is in use yet.
    arena.blocks_left = left
    if status != OK:
        arena.error = status
    return status


cdef uint32_t unit_new(Arena* arena, uint32_t granules, uint32_t owner) noexcept nogil:
    cdef uint32_t unit = arena.free_head
    cdef Unit* entry
    cdef int status
    cdef uint8_t* block
    if unit == UNIT_NONE:
        unit = arena.unit_count
        status = chunk_ensure(arena, unit)
        if status != OK:
            arena.error = status
            return UNIT_NONE
    block = block_new(arena, granules)
    if block == NULL:
        arena.error = ERR_MEMORY
        return UNIT_NONE
    entry = unit_at(arena, unit)
    if unit == arena.free_head:
        arena.free_head = entry.owner
    else:
        arena.unit_count += 1
    memset(block, 0, <size_t>granules * GRANULE_BYTES)
    entry.data = block
    entry.granules = <uint8_t>granules
    entry.owner = owner
    entry.state = arena.epoch
    arena.bytes_used += <uint64_t>granules * GRANULE_BYTES
    return unit


cdef int image_release(Arena* arena, Unit* entry, uint8_t* block, uint32_t granules) noexcept nogil:
    """Give up the block of a unit that changes; 1 when a checkpoint takes it as shadow, else 0."""
    if arena.saving != 0 and entry.state == arena.saving:
        entry.shadow = block
        entry.shadow_granules = <uint8_t>granules
        if state_swap(&entry.state, arena.saving, arena.epoch):
            return 1
        entry.shadow = NULL
    entry.state = arena.epoch
    return 0


cdef void unit_free(Arena* arena, uint32_t unit) noexcept nogil:
    cdef Unit* entry = unit_at(arena, unit)
    arena.bytes_used -= <uint64_t>entry.granules * GRANULE_BYTES
    if entry.data != NULL and not image_release(arena, entry, entry.data, entry.granules):
        block_drop(arena, entry.data, entry.granules)
    entry.state = arena.epoch
    entry.data = NULL
    entry.granules = 0
    entry.late = 0
    entry.owner = arena.free_head
    arena.free_head = unit


cdef uint8_t* unit_resize(Arena* arena, uint32_t unit, uint32_t granules,
                          uint8_t** old) noexcept nogil:
    cdef Unit* entry = unit_at(arena, unit)
    cdef uint8_t* block = block_new(arena, granules)
    if block == NULL:
        arena.error = ERR_MEMORY
        return NULL
    memset(block, 0, <size_t>granules * GRANULE_BYTES)
    old[0] = entry.data
    if image_release(arena, entry, entry.data, entry.granules):
        # The checkpoint owns the old image now; the caller copies from an image that stays until
        # the checkpoint ends, which needs the GIL, and gets nothing to drop.
        old[0] = NULL
    arena.bytes_used += (<uint64_t>granules - entry.granules) * GRANULE_BYTES
    entry.data = block
    entry.granules = <uint8_t>granules
    return block


cdef uint8_t* unit_load(Arena* arena, uint32_t unit) noexcept nogil:
    cdef Unit* entry
    cdef int64_t got
    cdef uint8_t* block
    cdef uint64_t size
    if unit >= arena.unit_count:
        arena.error = ERR_CORRUPT
        return NULL
    entry = unit_at(arena, unit)
    if entry.granules == 0 or arena.fd < 0:
        arena.error = ERR_CORRUPT
        return NULL
    size = <uint64_t>entry.granules * GRANULE_BYTES
    block = block_new(arena, entry.granules)
    if block == NULL:
        arena.error = ERR_MEMORY
        return NULL
    got = arena.read_at(arena.disk, arena.fd, block, size, entry.file_pos)
    if got != <int64_t>size:
        block_drop(arena, block, entry.granules)
        arena.error = ERR_IO if got < 0 else ERR_CORRUPT
        return NULL
    if (hash_bytes(block, size, entry.file_pos) != entry.checksum
            or (arena.check != NULL and arena.check(block, <uint32_t>size) != OK)):
        block_drop(arena, block, entry.granules)
        arena.error = ERR_CORRUPT
        return NULL
    entry.data = block
    return block


cdef int unit_touch_slow(Arena* arena, Unit* unit) noexcept nogil:
    cdef uint8_t* copy
    if arena.saving != 0 and unit.state == arena.saving:
        copy = block_new(arena, unit.granules)
        if copy == NULL:
            arena.error = ERR_MEMORY
            return ERR_MEMORY
        memcpy(copy, unit.data, <size_t>unit.granules * GRANULE_BYTES)
        if image_release(arena, unit, copy, unit.granules):
            return OK
        block_drop(arena, copy, unit.granules)
    unit.state = arena.epoch
    return OK


cdef int unit_restore(Arena* arena, uint32_t unit, uint32_t granules, uint32_t owner,
                      uint64_t file_pos, uint64_t checksum) noexcept nogil:
    cdef int status = chunk_ensure(arena, unit)
    cdef Unit* entry
    if status != OK:
        return status
    if granules > GRANULES_MAX:
        return ERR_CORRUPT
    entry = unit_at(arena, unit)
    entry.granules = <uint8_t>granules
    entry.saved_granules = <uint8_t>granules
    entry.owner = owner
    entry.file_pos = file_pos
    entry.checksum = checksum
    if unit >= arena.unit_count:
        arena.unit_count = unit + 1
    arena.bytes_used += <uint64_t>granules * GRANULE_BYTES
    return OK


cdef void arena_restored(Arena* arena) noexcept nogil:
    cdef uint32_t unit = arena.unit_count
    cdef Unit* entry
    arena.free_head = UNIT_NONE
    while unit > 0:
        unit -= 1
        entry = unit_at(arena, unit)
        if entry.granules == 0:
            entry.owner = arena.free_head
            arena.free_head = unit
