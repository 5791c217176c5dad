"""The arena: the memory of the index, in units that a checkpoint can save while writers go on."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.io cimport Disk

cdef enum:
    GRANULE_BYTES = 4096
    GRANULES_MAX = 64                     # the largest unit: 256 KiB
    UNITS_PER_CHUNK = 4096
    CHUNK_COUNT_MAX = 8192                # 33.5 million units
    UNIT_HEADER_BYTES = 64
    SPAN_COUNT_MAX = 65536
    UNIT_NONE = 0xFFFFFFFF

cdef enum UnitKind:
    UNIT_HASH = 1
    UNIT_NODE = 2
    UNIT_SLAB = 3

ctypedef int64_t (*ReadAt)(void* disk, int fd, void* data, uint64_t size,
                           uint64_t offset) noexcept nogil
ctypedef int (*UnitCheck)(const uint8_t* data, uint32_t size_bytes) noexcept nogil

cdef struct Unit:
    uint8_t* data                         # owned block; NULL: free, or not yet loaded
    uint8_t* shadow                       # the image a running checkpoint still needs, or NULL
    uint64_t file_pos                     # of the saved image
    uint64_t checksum                     # of the saved image
    uint32_t state                        # epoch of the last change; 0 = equal to the saved image
    uint32_t owner                        # keyspace id; next free unit while free
    uint8_t granules                      # size in 4 KiB; 0 = free
    uint8_t shadow_granules
    uint8_t saved_granules                # size of the saved image; 0 = none
    uint32_t late                         # partition: its first late record, from 1; 0 = none

cdef struct Arena:
    Unit* chunks[CHUNK_COUNT_MAX]
    uint32_t unit_count                   # ids in use are below this
    uint32_t free_head                    # list of free ids, UNIT_NONE ends it
    uint32_t epoch                        # current; from 1
    uint32_t saving                       # epoch a checkpoint is saving; 0 = none
    uint64_t bytes_used                   # in blocks of live units
    uint8_t* free_blocks[GRANULES_MAX + 1]
    uint8_t** spans                       # memory of the blocks
    uint32_t span_count
    uint8_t* bump                         # rest of the newest span
    uint64_t bump_bytes
    void* disk                            # borrowed Disk
    ReadAt read_at
    UnitCheck check
    int fd                                # checkpoint file, -1 none
    int error                             # status of the last failed call
    uint64_t late_count                   # records that wait for units to be loaded
    int64_t blocks_left                   # before block_new fails (tests); negative: no bound

cdef int arena_init(Arena* arena, Disk disk) except -1
cdef void arena_free(Arena* arena) noexcept nogil
# Forget all units and keep the memory for reuse.
cdef void arena_reset(Arena* arena) noexcept nogil
# Set memory aside for as many blocks of one granule, and their ids. OK or ERR_MEMORY, ERR_FULL.
cdef int arena_reserve(Arena* arena, uint32_t granules) noexcept nogil
# A new zeroed unit; its id, or UNIT_NONE with arena.error.
cdef uint32_t unit_new(Arena* arena, uint32_t granules, uint32_t owner) noexcept nogil
cdef void unit_free(Arena* arena, uint32_t unit) noexcept nogil
# Give a unit another, zeroed block. The old image is returned for copying; hand it to block_drop
# after.
cdef uint8_t* unit_resize(Arena* arena, uint32_t unit, uint32_t granules,
                          uint8_t** old) noexcept nogil
cdef void block_drop(Arena* arena, uint8_t* block, uint32_t granules) noexcept nogil
cdef uint8_t* block_new(Arena* arena, uint32_t granules) noexcept nogil
# Slow halves of the inline functions below.
cdef uint8_t* unit_load(Arena* arena, uint32_t unit) noexcept nogil
cdef int unit_touch_slow(Arena* arena, Unit* unit) noexcept nogil
# Declare units [unit_count, ...) when a checkpoint is opened.
cdef int unit_restore(Arena* arena, uint32_t unit, uint32_t granules, uint32_t owner,
                      uint64_t file_pos, uint64_t checksum) noexcept nogil
# Rebuild the list of free ids after unit_restore calls.
cdef void arena_restored(Arena* arena) noexcept nogil


cdef inline Unit* unit_at(Arena* arena, uint32_t unit) noexcept nogil:
    return &arena.chunks[unit >> 12][unit & (UNITS_PER_CHUNK - 1)]


# The bytes of a unit, for reading; NULL with arena.error.
cdef inline uint8_t* unit_data(Arena* arena, uint32_t unit) noexcept nogil:
    cdef Unit* entry
    if unit < arena.unit_count:
        entry = unit_at(arena, unit)
        if entry.data != NULL:
            return entry.data
    return unit_load(arena, unit)


# Announce a change to a loaded unit. OK, or ERR_MEMORY.
cdef inline int unit_touch(Arena* arena, uint32_t unit) noexcept nogil:
    cdef Unit* entry = unit_at(arena, unit)
    if entry.state == arena.epoch:
        return 0
    return unit_touch_slow(arena, entry)
