"""A keyspace: the index of one table, and its counters."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.arena cimport Arena
from ddbcore.btree cimport Forest, Span
from ddbcore.partition cimport Partition, Slot
from ddbcore.record cimport Record
from ddbcore.segments cimport LogView

cdef struct Keyspace:
    Partition partition
    Forest forest                         # item collections, where there is a range key
    LogView* view                         # borrowed
    uint64_t hash_seed                    # secret of the database
    uint64_t item_count
    uint64_t item_bytes                   # DynamoDB sizes summed
    uint64_t version                      # grows with each change and each move
    int64_t* slot_live                    # live bytes by slot; owned
    uint32_t slot_live_count
    uint32_t id
    bint has_range
    bint dropped

cdef struct Found:
    const Record* record                  # borrowed; NULL: there is none
    uint64_t address
    uint64_t version                      # of the keyspace when it was found
    Slot slot                             # its entry

cdef int keyspace_init(Keyspace* space, Arena* arena, LogView* view, uint32_t keyspace_id,
                       bint has_range, uint64_t hash_seed, uint32_t generation) noexcept nogil
cdef void keyspace_free(Keyspace* space) noexcept nogil
# Free all units of a dropped keyspace and take its bytes off the slots' live counts.
cdef void keyspace_clear(Keyspace* space) noexcept nogil
cdef uint64_t keyspace_hash(const Keyspace* space, const uint8_t* key, uint32_t size) noexcept nogil
# Find the record of a key: FOUND with *address and *record, OK (absent) or an error.
cdef int keyspace_find(Keyspace* space, uint64_t hash, Span hash_key, Span range_key,
                       uint64_t* address, const Record** record) noexcept nogil
# The same, with what keyspace_replace needs.
cdef int keyspace_locate(Keyspace* space, uint64_t hash, Span hash_key, Span range_key,
                         Found* found) noexcept nogil
# Point the entry of a record that was found at its key's new record, without a look-up: only in a
# keyspace without range keys that is at found.version still. FOUND, or an error and nothing
# changed.
cdef int keyspace_replace(Keyspace* space, Found* found, const Record* record,
                          uint64_t address) noexcept nogil
# Find the entry of an item collection (or single item): FOUND with *slot, OK or an error.
cdef int keyspace_entry(Keyspace* space, uint64_t hash, Span hash_key, Slot* slot) noexcept nogil
# Point a key at a new record. FOUND: replaced; OK: added; or an error and nothing changed.
cdef int keyspace_put(Keyspace* space, uint64_t hash, const Record* record,
                      uint64_t address) noexcept nogil
# Put or remove a replayed record: at once, or when its place in the index is loaded. OK, FOUND, or
# an error.
cdef int keyspace_replay(Keyspace* space, uint64_t hash, const Record* record,
                         uint64_t address) noexcept nogil
# Apply puts and deletes that lie one behind the other, `address` being the first one's. OK or an
# error.
cdef int keyspace_apply(Keyspace* space, const uint8_t* records, uint64_t size,
                        uint64_t address) noexcept nogil
# Take a key out. FOUND, OK (absent) or an error.
cdef int keyspace_remove(Keyspace* space, uint64_t hash, Span hash_key,
                         Span range_key) noexcept nogil
# Count bytes of a record as live (or, negative, as dead).
cdef int keyspace_account(Keyspace* space, uint64_t address, int64_t size_bytes) noexcept nogil
# Check the whole index against the records. OK or an error.
cdef int keyspace_verify(Keyspace* space, uint64_t* items) noexcept nogil


cdef inline Span record_hash_span(const Record* record) noexcept nogil:
    cdef Span span
    span.data = <const uint8_t*>record + 16
    span.size = record.hash_size
    return span


cdef inline Span record_range_span(const Record* record) noexcept nogil:
    cdef Span span
    span.data = <const uint8_t*>record + 16 + record.hash_size
    span.size = record.range_size
    return span
