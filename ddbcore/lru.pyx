"""The item cache: decoded items, least recently used first out, bounded in bytes.

Theory of operation
    A chained hash table of entries that also form a list in order of use. An entry holds the
    encoded key, to compare, and the decoded dict; `fetch` returns a copy, so the caller may change
    what it got. Writes forget the item they touch.

    While there is room, every item read is kept. In a full cache an item must be read a second
    time, within the last few thousand distinct reads, before it pushes another one out (a
    doorkeeper): a scan of reads over everything then costs no copies and leaves the cache as it is.

Invariants
    1. bytes_used is the sum of the entries' weights and never above bytes_max after a call.
    2. Every entry is in one bucket and once in the list.

Threads
    Under the GIL. Dropping a dict may run other Python code, so an entry is unlinked wholly before
    its item is released.
"""

from cpython.dict cimport PyDict_Copy
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy

from ddbcore.btree cimport Span
from ddbcore.item cimport item_copy

cdef enum:
    BUCKET_COUNT_MIN = 64
    DOORKEEPER_MARKS = 65536
    ENTRY_OVERHEAD_BYTES = 160            # entry, key and allocator


cdef inline uint8_t* entry_key(CacheEntry* entry) noexcept:
    return <uint8_t*>entry + sizeof(CacheEntry)


cdef class ItemCache:
    """LRU of decoded items. bytes_max: bound of the estimated memory in bytes; 0: no cache."""

    def __cinit__(self, uint64_t bytes_max):
        self.bytes_max = bytes_max
        if bytes_max != 0:
            self.buckets = <CacheEntry**>calloc(BUCKET_COUNT_MIN, sizeof(CacheEntry*))
            if self.buckets == NULL:
                raise MemoryError()
            self.bucket_count = BUCKET_COUNT_MIN

    def __dealloc__(self):
        cdef CacheEntry* entry = self.oldest
        cdef CacheEntry* newer
        while entry != NULL:
            newer = entry.newer
            Py_DECREF(<object>entry.item)
            free(entry)
            entry = newer
        free(self.buckets)
        free(self.doorkeeper)

    cdef CacheEntry* find(self, uint32_t keyspace_id, uint64_t hash, Span hash_key,
                          Span range_key) noexcept:
        cdef CacheEntry* entry = self.buckets[hash & (self.bucket_count - 1)]
        while entry != NULL:
            if (entry.hash == hash and entry.keyspace_id == keyspace_id
                    and entry.hash_size == hash_key.size and entry.range_size == range_key.size
                    and memcmp(entry_key(entry), hash_key.data, hash_key.size) == 0
                    and memcmp(entry_key(entry) + hash_key.size, range_key.data,
                               range_key.size) == 0):
                return entry
            entry = entry.chain
        return NULL

    cdef void list_take(self, CacheEntry* entry) noexcept:
        if entry.newer != NULL:
            entry.newer.older = entry.older
        else:
            self.newest = entry.older
        if entry.older != NULL:
            entry.older.newer = entry.newer
        else:
            self.oldest = entry.newer

    cdef void list_add(self, CacheEntry* entry) noexcept:
        entry.older = self.newest
        entry.newer = NULL
        if self.newest != NULL:
            self.newest.newer = entry
        else:
            self.oldest = entry
        self.newest = entry

    cdef int remove(self, CacheEntry* entry) except -1:
        cdef CacheEntry** link = &self.buckets[entry.hash & (self.bucket_count - 1)]
        cdef object item = <object>entry.item
        while link[0] != entry:
            link = &link[0].chain
        link[0] = entry.chain
        self.list_take(entry)
        self.entry_count -= 1
        self.bytes_used -= entry.weight
        free(entry)
        Py_DECREF(item)
        return 0

    cdef object fetch(self, uint32_t keyspace_id, uint64_t hash, Span hash_key, Span range_key):
        cdef CacheEntry* entry = self.find(keyspace_id, hash, hash_key, range_key)
        if entry == NULL:
            self.misses += 1
            return None
        self.hits += 1
        if entry != self.newest:
            self.list_take(entry)
            self.list_add(entry)
        if entry.nested:
            return item_copy(<dict>entry.item)
        return PyDict_Copy(<dict>entry.item)

    cdef bint admit(self, uint64_t hash) noexcept:
        cdef uint32_t mark = <uint32_t>(hash >> 32) | 1
        cdef uint32_t place = <uint32_t>hash & (DOORKEEPER_MARKS - 1)
        if self.doorkeeper == NULL:
            self.doorkeeper = <uint32_t*>calloc(DOORKEEPER_MARKS, sizeof(uint32_t))
            if self.doorkeeper == NULL:
                return True
        if self.doorkeeper[place] == mark:
            self.doorkeeper[place] = 0
            return True
        self.doorkeeper[place] = mark
        return False

    cdef int grow(self) noexcept:
        cdef uint32_t count = self.bucket_count * 2
        cdef CacheEntry** buckets = <CacheEntry**>calloc(count, sizeof(CacheEntry*))
        cdef CacheEntry* entry
        cdef CacheEntry* chain
        cdef uint32_t index
        if buckets == NULL:
            return 0
        for index in range(self.bucket_count):
            entry = self.buckets[index]
            while entry != NULL:
                chain = entry.chain
                entry.chain = buckets[entry.hash & (count - 1)]
                buckets[entry.hash & (count - 1)] = entry
                entry = chain
        free(self.buckets)
        self.buckets = buckets
        self.bucket_count = count
        return 1

    cdef int keep(self, uint32_t keyspace_id, uint64_t hash, Span hash_key, Span range_key,
                  dict item, size_t weight, bint nested, const uint64_t* clock) except -1:
        cdef CacheEntry* entry
        cdef dict copy
        cdef uint64_t now = clock[0]
        weight += ENTRY_OVERHEAD_BYTES + hash_key.size + range_key.size
        if weight > self.bytes_max // 8:
            return 0
        if self.bytes_used + weight > self.bytes_max and not self.admit(hash):
            return 0
        copy = item_copy(item) if nested else PyDict_Copy(item)
        # Copying may have run Python code (a collection of garbage) that wrote this item.
        if clock[0] != now:
            return 0
        entry = self.find(keyspace_id, hash, hash_key, range_key)
        if entry != NULL:
            self.remove(entry)
        while self.bytes_used + weight > self.bytes_max and self.oldest != NULL:
            self.remove(self.oldest)
        entry = <CacheEntry*>malloc(sizeof(CacheEntry) + hash_key.size + range_key.size)
        if entry == NULL:
            return 0
        if self.entry_count >= self.bucket_count:
            self.grow()
        entry.hash = hash
        entry.keyspace_id = keyspace_id
        entry.hash_size = <uint16_t>hash_key.size
        entry.range_size = <uint16_t>range_key.size
        entry.weight = <uint32_t>weight
        entry.nested = nested
        memcpy(entry_key(entry), hash_key.data, hash_key.size)
        memcpy(entry_key(entry) + hash_key.size, range_key.data, range_key.size)
        Py_INCREF(copy)
        entry.item = <void*>copy
        entry.chain = self.buckets[hash & (self.bucket_count - 1)]
        self.buckets[hash & (self.bucket_count - 1)] = entry
        self.list_add(entry)
        self.entry_count += 1
        self.bytes_used += weight
        return 1

    cdef int forget(self, uint32_t keyspace_id, uint64_t hash, Span hash_key,
                    Span range_key) except -1:
        cdef CacheEntry* entry
        if self.entry_count == 0:
            return 0
        entry = self.find(keyspace_id, hash, hash_key, range_key)
        if entry != NULL:
            self.remove(entry)
        return 0

    cdef int clear(self) except -1:
        while self.oldest != NULL:
            self.remove(self.oldest)
        return 0
