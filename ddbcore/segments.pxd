"""The mapped segments of the log, and the way from an address to a record."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.record cimport Record

cdef enum:
    SLOT_COUNT_MAX = 8192                 # 13 bits of an address
    SLOT_GROWTH = 16                      # steps in which a table's live counts grow
    SEGMENT_BYTES_MIN = 262144            # the first segment: 256 KiB
    SEGMENT_BYTES_MAX = 67108864          # 64 MiB: 23 bits of an address in units of 8 bytes
    SEGMENT_START = 64                    # bytes of the segment's header
    BLOCK_BYTES = 65536                   # unit of the proof of old segments
    BLOCK_SHIFT = 16

cdef enum SlotState:
    SLOT_FREE = 0
    SLOT_LIVE = 1
    SLOT_RETIRED = 2                      # nothing live in it; kept until a checkpoint is durable

cdef enum BlockState:
    BLOCK_PROVEN = 0
    BLOCK_UNPROVEN = 1
    BLOCK_RELIED = 2                      # unproven, and the index relies on what it says

cdef struct LogSlot:
    uint8_t* base                         # start of the map, or NULL
    uint64_t size                         # bytes mapped
    uint8_t* unproven                     # a byte per block, a BlockState; NULL: all are proven
    uint64_t* sums                        # checksum of each block below summed_bytes; owned
    uint64_t summed_bytes
    uint64_t seed                         # of the checksums of its frames; RECORD_OPEN changes it
    uint64_t used                         # end of the last frame, once another segment follows
    uint64_t first_lsn
    int64_t live_bytes                    # padded sizes of the records the index points at
    uint32_t number                       # names the file
    int fd                                # open while it may need a sync, else -1
    int state                             # SlotState

cdef struct LogView:
    LogSlot* slots                        # SLOT_COUNT_MAX of them; owned
    uint32_t slot_count                   # slots in use are below this
    uint64_t unproven_blocks              # over all slots, the relied ones included
    uint64_t relied_blocks
    bint trusting                         # a replay at opening: old records may be relied on
    bint refuted                          # a relied block failed its proof: the index may be wrong

cdef int view_init(LogView* view) noexcept nogil
cdef void view_free(LogView* view) noexcept nogil
# Prove the blocks of [offset, offset + size) of a slot by their checksums. OK or ERR_CORRUPT.
cdef int slot_prove(LogView* view, LogSlot* slot, uint64_t offset, uint64_t size) noexcept nogil
# Prove up to `count_max` relied blocks. OK or ERR_CORRUPT (for ever, and view.refuted is set).
cdef int view_settle(LogView* view, uint64_t count_max) noexcept nogil
# Rely on the blocks of [offset, offset + size) of a slot until they are proven.
cdef void slot_rely(LogView* view, LogSlot* slot, uint64_t offset, uint64_t size) noexcept nogil
# Forget the sums and proofs of a slot.
cdef void slot_clear(LogView* view, LogSlot* slot) noexcept nogil
# Set the checksums of a slot's first blocks (from a checkpoint); they are all unproven then. Takes
# ownership of sums.
cdef int slot_sums_set(LogView* view, LogSlot* slot, uint64_t* sums,
                       uint64_t summed_bytes) noexcept nogil
# Compute checksums of the bytes in [0, end) that slot.sums does not cover; result in a new array.
# OK or ERR_MEMORY.
cdef int slot_sums_extend(const LogSlot* slot, uint64_t end, uint64_t** sums) noexcept nogil


cdef inline uint64_t address_make(uint32_t slot, uint64_t offset) noexcept nogil:
    return (<uint64_t>slot << 23) | (offset >> 3)


cdef inline uint32_t address_slot(uint64_t address) noexcept nogil:
    return <uint32_t>(address >> 23)


cdef inline uint64_t address_offset(uint64_t address) noexcept nogil:
    return (address & 0x7FFFFF) << 3


cdef inline uint64_t padded(uint64_t size) noexcept nogil:
    return (size + 7) & ~<uint64_t>7


# The record at an address, or NULL when the address or the record's own sizes lead outside of the
# log, or its block fails its proof.
cdef inline const Record* record_at(LogView* view, uint64_t address) noexcept nogil:
    cdef uint64_t offset = address_offset(address)
    cdef LogSlot* slot
    cdef const Record* record
    if address_slot(address) >= view.slot_count:
        return NULL
    slot = &view.slots[address_slot(address)]
    if slot.base == NULL or offset + 16 > slot.size:
        return NULL
    if slot.unproven != NULL and slot_prove(view, slot, offset, 16) != 0:
        return NULL
    record = <const Record*>(slot.base + offset)
    if (offset + record.size_bytes > slot.size
            or <uint32_t>16 + record.hash_size + record.range_size > record.size_bytes):
        return NULL
    if slot.unproven != NULL and slot_prove(view, slot, offset, record.size_bytes) != 0:
        return NULL
    return record


# The record at an address whose block is not proven yet and that lies inside of the log, whatever
# it says; else NULL. Only while the view is trusting.
cdef inline const Record* record_unproven(LogView* view, uint64_t address) noexcept nogil:
    cdef uint64_t offset = address_offset(address)
    cdef LogSlot* slot
    cdef const Record* record
    if not view.trusting or address_slot(address) >= view.slot_count:
        return NULL
    slot = &view.slots[address_slot(address)]
    if (slot.base == NULL or offset + 16 > slot.size or slot.unproven == NULL
            or slot.unproven[offset >> BLOCK_SHIFT] == BLOCK_PROVEN):
        return NULL
    record = <const Record*>(slot.base + offset)
    if (offset + record.size_bytes > slot.size
            or <uint32_t>16 + record.hash_size + record.range_size > record.size_bytes):
        return NULL
    return record


cdef inline void record_rely(LogView* view, uint64_t address, const Record* record) noexcept nogil:
    slot_rely(view, &view.slots[address_slot(address)], address_offset(address), record.size_bytes)


# All relied blocks proven: OK or ERR_CORRUPT. Whoever concludes from the index that something is
# not there, or uses its counters, asks this first.
cdef inline int view_settled(LogView* view) noexcept nogil:
    if view.relied_blocks == 0:
        return 0
    return view_settle(view, ~<uint64_t>0)


cdef inline const uint8_t* record_hash_key(const Record* record) noexcept nogil:
    return <const uint8_t*>record + 16


cdef inline const uint8_t* record_range_key(const Record* record) noexcept nogil:
    return <const uint8_t*>record + 16 + record.hash_size
