"""The item cache: decoded items, least recently used first out, bounded in bytes."""

from libc.stdint cimport uint16_t, uint32_t, uint64_t

from ddbcore.btree cimport Span

cdef struct CacheEntry:
    CacheEntry* chain                     # next in the bucket
    CacheEntry* newer                     # towards the most recently used
    CacheEntry* older
    void* item                            # owned reference to a dict
    uint64_t hash                         # of the whole key and the keyspace
    uint32_t weight                       # bytes charged
    uint32_t keyspace_id
    uint16_t hash_size
    uint16_t range_size
    bint nested                           # the dict holds mutable values

cdef class ItemCache:
    cdef CacheEntry** buckets
    cdef uint32_t bucket_count            # a power of two
    cdef uint32_t entry_count
    cdef CacheEntry* newest
    cdef CacheEntry* oldest
    cdef readonly uint64_t bytes_max      # 0: no cache
    cdef readonly uint64_t bytes_used
    cdef readonly uint64_t hits
    cdef readonly uint64_t misses
    cdef uint32_t* doorkeeper             # marks of keys seen once while full

    cdef CacheEntry* find(self, uint32_t keyspace_id, uint64_t hash, Span hash_key,
                          Span range_key) noexcept
    cdef void list_take(self, CacheEntry* entry) noexcept
    cdef void list_add(self, CacheEntry* entry) noexcept
    cdef int remove(self, CacheEntry* entry) except -1
    cdef bint admit(self, uint64_t hash) noexcept
    cdef int grow(self) noexcept
    # A copy of the cached item, or None.
    cdef object fetch(self, uint32_t keyspace_id, uint64_t hash, Span hash_key, Span range_key)
    # Keep a copy of an item, unless *clock moves while it is made.
    cdef int keep(self, uint32_t keyspace_id, uint64_t hash, Span hash_key, Span range_key,
                  dict item, size_t weight, bint nested, const uint64_t* clock) except -1
    # Forget an item.
    cdef int forget(self, uint32_t keyspace_id, uint64_t hash, Span hash_key,
                    Span range_key) except -1
    cdef int clear(self) except -1
