"""The hash index of one keyspace: from the hash of a partition key to 38 bits of reference."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.arena cimport Arena

cdef enum:
    TAG_BITS = 26                         # top bits of the hash kept in an entry
    REF_BITS = 38                         # kind (2 bits) and address (36 bits)
    DIRECTORY_DEPTH_MAX = 22
    SEGMENT_HEADER_BYTES = 64
    HOME_PAD = 40                         # slots behind the last home

cdef enum RefKind:
    REF_RECORD = 1                        # address of a record in the log
    REF_LEAF = 2                          # a sorted leaf in a slab: unit * 32 + block
    REF_TREE = 3                          # root unit of a B+tree

cdef struct HashSegment:
    uint8_t kind                          # UNIT_HASH
    uint8_t depth                         # hash bits all its entries share
    uint16_t reserved
    uint32_t count                        # entries in use
    uint32_t slots                        # capacity in entries
    uint32_t homes                        # slots that are a home
    uint32_t limit                        # grow above this count
    uint32_t unit                         # own id
    uint64_t prefix                       # the shared bits, at the top
    uint64_t padding[4]

# A record of the log that waits for its segment to be loaded.
cdef struct Late:
    uint64_t hash
    uint64_t address
    uint32_t next                         # of the same unit, from 1; 0: none
    uint32_t last                         # in a unit's first: its last

# Put a record into the index; a status.
ctypedef int (*LateApply)(void* space, uint64_t hash, uint64_t address) noexcept nogil

cdef struct Partition:
    Arena* arena                          # borrowed
    uint32_t* directory                   # unit ids, 1 << depth of them; owned
    uint64_t* routes                      # where those units lie, as far as known; owned
    uint32_t depth
    uint32_t owner                        # keyspace id
    uint64_t count                        # entries
    Late* late                            # owned
    uint32_t late_used                    # of `late`
    uint32_t late_capacity
    uint32_t late_next                    # those before it are applied
    uint32_t late_count                   # not applied yet
    LateApply late_apply
    void* late_space                      # for late_apply; borrowed

cdef struct Slot:
    HashSegment* segment                  # borrowed: valid until the next change of the partition
    uint32_t unit
    uint32_t index
    uint32_t tag

cdef int partition_init(Partition* partition, Arena* arena, uint32_t owner) noexcept nogil
cdef void partition_free(Partition* partition) noexcept nogil
# Make the directory one of 1 << depth unit ids, which the caller fills in. OK or ERR_MEMORY.
cdef int directory_make(Partition* partition, uint32_t depth) noexcept nogil
# Forget where units lie: they were freed.
cdef void routes_clear(Partition* partition) noexcept nogil
# Find the first entry whose tag equals the hash's: FOUND with *slot on it, OK when there is none
# (slot then marks where the search ended), or an error.
cdef int partition_find(Partition* partition, uint64_t hash, Slot* slot) noexcept nogil
# Move to the next entry of the same tag: FOUND or OK.
cdef int partition_next(Slot* slot) noexcept nogil
# Add an entry (no check for duplicates). `ended`: where a search for this hash ended just now, or
# NULL. OK or an error; slots are invalid afterwards.
cdef int partition_insert(Partition* partition, uint64_t hash, uint64_t ref,
                          const Slot* ended) noexcept nogil
# Replace the reference under a slot.
cdef int partition_set(Partition* partition, Slot* slot, uint64_t ref) noexcept nogil
cdef int partition_remove(Partition* partition, Slot* slot) noexcept nogil
# Let a record wait until its segment is loaded: FOUND; OK when it need not or should not wait.
cdef int partition_defer(Partition* partition, uint64_t hash, uint64_t address) noexcept nogil
# Load up to so many segments that records wait for. OK or an error.
cdef int partition_catch_up(Partition* partition, uint64_t segments_max) noexcept nogil
# Forget the records that wait: their segments were freed.
cdef void late_clear(Partition* partition) noexcept nogil
# Bring the cache line of a hash's home nearer.
cdef void partition_prefetch(Partition* partition, uint64_t hash) noexcept nogil
# Point at the first entry with tag >= `tag`: FOUND, OK at the end, or an error.
cdef int partition_seek(Partition* partition, uint32_t tag, Slot* slot) noexcept nogil
# Move to the next entry in hash order: FOUND, OK at the end, or an error.
cdef int partition_step(Partition* partition, Slot* slot) noexcept nogil
# Check the structure of a segment's bytes (UnitCheck).
cdef int segment_check(const uint8_t* data, uint32_t size_bytes) noexcept nogil
# Check a segment in its place: order, homes, count. OK or ERR_CORRUPT.
cdef int partition_verify(Partition* partition, uint32_t* segments) noexcept nogil


cdef inline uint64_t* segment_entries(HashSegment* segment) noexcept nogil:
    return <uint64_t*>(<uint8_t*>segment + SEGMENT_HEADER_BYTES)


cdef inline uint64_t slot_ref(const Slot* slot) noexcept nogil:
    return segment_entries(slot.segment)[slot.index] & ((<uint64_t>1 << REF_BITS) - 1)


cdef inline uint64_t ref_make(uint64_t kind, uint64_t address) noexcept nogil:
    return (kind << 36) | address


cdef inline uint32_t ref_kind(uint64_t ref) noexcept nogil:
    return <uint32_t>(ref >> 36) & 3


cdef inline uint64_t ref_address(uint64_t ref) noexcept nogil:
    return ref & ((<uint64_t>1 << 36) - 1)


cdef inline uint32_t hash_tag(uint64_t hash) noexcept nogil:
    return <uint32_t>(hash >> (64 - TAG_BITS))
