"""The mapped segments of the log, and the way from an address to a record.

Theory of operation
    An address is 36 bits: 13 bits of slot and 23 bits of offset in units of 8 bytes. A slot is a
    place in a table; it names the segment that lies there now and is used again when its segment is
    retired, so addresses stay small for ever.

    Records are verified by their frame's checksum when the log is replayed. What lies before the
    checkpoint is not replayed: for that part the checkpoint keeps a checksum of every 64 KiB block,
    and the first read of a block after opening proves it. A flipped bit on the disk is found before
    its value is returned, and opening stays flat in the size of the database.

    A replay at opening relies on old records that agree with the new one in its key, and notes
    their blocks (DESIGN.md). If one lied, another key may be lost and counts be wrong: before
    anything is called absent, walked over, counted, moved or saved, those blocks are proven
    (view_settled). What is found and returned is proven anyway.

Invariants
    1. slot.base != NULL exactly for slots in use; [base, base + size) is mapped until the slot is
       freed.
    2. A record returned by record_at lies inside of its segment, keys included.
    3. relied_blocks is the number of blocks marked BLOCK_RELIED.

Threads
    Slots change under the GIL only; what lies below the tail never changes and may be read without
    it.

Format: FORMAT.md, sections "Segments" and "Block sums".
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from ddbcore.hashing cimport hash_bytes
from ddbcore.status cimport ERR_CORRUPT, ERR_MEMORY, OK


cdef int view_init(LogView* view) noexcept nogil:
    memset(view, 0, sizeof(LogView))
    # Tables grow their live counts by 16 slots at a time, so they may end behind the last slot.
    view.slots = <LogSlot*>calloc(SLOT_COUNT_MAX + SLOT_GROWTH, sizeof(LogSlot))
    return OK if view.slots != NULL else ERR_MEMORY


cdef void view_free(LogView* view) noexcept nogil:
    cdef uint32_t index
    if view.slots != NULL:
        for index in range(view.slot_count):
            slot_clear(view, &view.slots[index])
        free(view.slots)
    view.slots = NULL
    view.slot_count = 0


cdef void slot_clear(LogView* view, LogSlot* slot) noexcept nogil:
    cdef uint64_t block
    if slot.unproven != NULL:
        for block in range((slot.summed_bytes + BLOCK_BYTES - 1) >> BLOCK_SHIFT):
            view.unproven_blocks -= slot.unproven[block] != BLOCK_PROVEN
            view.relied_blocks -= slot.unproven[block] == BLOCK_RELIED
    free(slot.sums)
    free(slot.unproven)
    slot.sums = NULL
    slot.unproven = NULL
    slot.summed_bytes = 0


cdef int slot_sums_set(LogView* view, LogSlot* slot, uint64_t* sums,
                       uint64_t summed_bytes) noexcept nogil:
    cdef uint64_t blocks = (summed_bytes + BLOCK_BYTES - 1) >> BLOCK_SHIFT
    slot_clear(view, slot)
    slot.sums = sums
    slot.summed_bytes = summed_bytes
    if blocks == 0:
        return OK
    # One byte more than there are blocks: records behind summed_bytes were proven by the replay.
    if blocks < (slot.size >> BLOCK_SHIFT) + 1:
        slot.unproven = <uint8_t*>calloc((slot.size >> BLOCK_SHIFT) + 2, 1)
    else:
        slot.unproven = <uint8_t*>calloc(blocks + 2, 1)
    if slot.unproven == NULL:
        return ERR_MEMORY
    memset(slot.unproven, BLOCK_UNPROVEN, blocks)
    view.unproven_blocks += blocks
    return OK


cdef int slot_prove(LogView* view, LogSlot* slot, uint64_t offset, uint64_t size) noexcept nogil:
    cdef uint64_t block = offset >> BLOCK_SHIFT
    cdef uint64_t last = (offset + size - 1) >> BLOCK_SHIFT
    cdef uint64_t start, end
    while block <= last:
        if slot.unproven[block] != BLOCK_PROVEN:
            start = block << BLOCK_SHIFT
            end = start + BLOCK_BYTES
            if end > slot.summed_bytes:
                end = slot.summed_bytes
            if (end > slot.size
                    or hash_bytes(slot.base + start, end - start,
                                  slot.seed ^ start) != slot.sums[block]):
                return ERR_CORRUPT
            view.relied_blocks -= slot.unproven[block] == BLOCK_RELIED
            view.unproven_blocks -= 1
            slot.unproven[block] = BLOCK_PROVEN
        block += 1
    return OK


cdef void slot_rely(LogView* view, LogSlot* slot, uint64_t offset, uint64_t size) noexcept nogil:
    cdef uint64_t block
    for block in range(offset >> BLOCK_SHIFT, ((offset + size - 1) >> BLOCK_SHIFT) + 1):
        if slot.unproven[block] == BLOCK_UNPROVEN:
            slot.unproven[block] = BLOCK_RELIED
            view.relied_blocks += 1


cdef int view_settle(LogView* view, uint64_t count_max) noexcept nogil:
    cdef LogSlot* slot
    cdef uint32_t index
    cdef uint64_t block
    for index in range(view.slot_count):
        slot = &view.slots[index]
        if slot.unproven == NULL:
            continue
        for block in range((slot.summed_bytes + BLOCK_BYTES - 1) >> BLOCK_SHIFT):
            if view.relied_blocks == 0 or count_max == 0:
                return OK
            if slot.unproven[block] == BLOCK_RELIED:
                if slot_prove(view, slot, block << BLOCK_SHIFT, 1) != OK:
                    view.refuted = True
                    return ERR_CORRUPT
                count_max -= 1
    return OK


cdef int slot_sums_extend(const LogSlot* slot, uint64_t end, uint64_t** sums) noexcept nogil:
    cdef uint64_t blocks = (end + BLOCK_BYTES - 1) >> BLOCK_SHIFT
    cdef uint64_t block, start, stop
    sums[0] = <uint64_t*>malloc((blocks + 1) * 8)
    if sums[0] == NULL:
        return ERR_MEMORY
    for block in range(blocks):
        start = block << BLOCK_SHIFT
        stop = start + BLOCK_BYTES
        if stop > end:
            stop = end
        if stop <= slot.summed_bytes and slot.sums != NULL:
            sums[0][block] = slot.sums[block]
        else:
            sums[0][block] = hash_bytes(slot.base + start, stop - start, slot.seed ^ start)
    return OK
