"""The item cache: decoded items, least recently used first out, bounded in bytes."""

from libc.stdint cimport uint16_t, uint32_t, uint64_t

from ddbcore.btree cimport Span
from ddbcore.shape cimport Shape

cdef struct CacheEntry:
    CacheEntry* newer                     # towards the most recently used
    CacheEntry* older
    uint64_t hash                         # of the whole key and the keyspace
    uint64_t moved                        # ItemCache.moves when it came to the front
    uint32_t weight                       # bytes charged
    uint32_t keyspace_id
    uint16_t hash_size
    uint16_t range_size
    uint16_t word_count                   # of the frozen item; key and words stand behind this
    uint16_t readers                      # copies under way: it is not freed
    bint unlinked                         # not in the cache any more: the last reader frees it

cdef struct CacheSlot:
    uint64_t hash                         # the entry's
    CacheEntry* entry                     # NULL: free

cdef class ItemCache:
    cdef CacheSlot* slots
    cdef uint32_t slot_count              # a power of two, and a quarter of them free
    cdef uint32_t entry_count
    cdef CacheEntry* newest
    cdef CacheEntry* oldest
    cdef readonly uint64_t bytes_max      # 0: no cache
    cdef readonly uint64_t bytes_used
    cdef uint64_t moves                   # entries put at the front so far
    cdef readonly uint64_t hits
    cdef readonly uint64_t misses
    cdef uint32_t* doorkeeper             # marks of keys seen once while full

    cdef CacheEntry* find(self, uint32_t keyspace_id, uint64_t hash, Span hash_key,
                          Span range_key) noexcept
    cdef void slot_free(self, CacheEntry* entry) noexcept
    cdef void list_take(self, CacheEntry* entry) noexcept
    cdef void list_add(self, CacheEntry* entry) noexcept
    cdef int remove(self, CacheEntry* entry) except -1
    cdef bint admit(self, uint64_t hash) noexcept
    cdef void slot_take(self, uint64_t hash, CacheEntry* entry) noexcept
    cdef bint grow(self) noexcept
    # A copy of the cached item, or None.
    cdef object fetch(self, uint32_t keyspace_id, uint64_t hash, Span hash_key, Span range_key)
    # Keep a copy of an item, unless *clock moves while it is made.
    cdef int keep(self, uint32_t keyspace_id, uint64_t hash, Span hash_key, Span range_key,
                  dict item, const Shape* shapes, size_t weight, const uint64_t* clock) except -1
    cdef int make_room(self, CacheEntry* former, size_t weight) except -1
    # Forget an item.
    cdef int forget(self, uint32_t keyspace_id, uint64_t hash, Span hash_key,
                    Span range_key) except -1
    cdef int clear(self) except -1
