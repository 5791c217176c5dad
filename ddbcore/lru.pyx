"""The item cache: decoded items, least recently used first out, bounded in bytes.

Theory of operation
    A hash table of entries that also form a list in order of use. An entry holds the encoded key,
    to compare, and the item in frozen form (copies.pyx); `fetch` makes a dict of it, so the caller
    may change what it got. Writes forget the item they touch.

    The slots of the table hold whole hashes beside the entries, so that a search reads no entry in
    vain and growing reads none at all: entries are cold. An entry lies in the first free slot from
    its hash on (linear probing); one that goes lets those behind it move up.

    Putting an entry at the front of the list touches its neighbours, which are cold. So an entry
    stays where it is while few others were put in front of it since it came there (an eighth of
    all): the order of use is exact for small caches, and nearly so for large ones.

    While there is room, every item read is kept. In a full cache an item must be read a second
    time, within the last few thousand distinct reads, before it pushes another one out (a
    doorkeeper): a scan of reads over everything then costs no copies and leaves the cache as it is.

Invariants
    1. bytes_used is the sum of the entries' weights and never above bytes_max after a call.
    2. Every entry is in one slot and once in the list; no slot between its own and the one that
       its hash names is free.

Threads
    Under the GIL. Making and dropping values may run other Python code, which may remove an entry:
    entries are unlinked wholly before their values are dropped, and freed when nobody reads them.
"""

from cpython.ref cimport Py_DECREF
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memset

from ddbcore.btree cimport Span
from ddbcore.copies cimport (
    FROZEN_WORDS_MAX,
    frozen_drop,
    frozen_fetch,
    frozen_item,
    frozen_make,
)
from ddbcore.memory cimport span_alloc, span_free
from ddbcore.pyapi cimport PyObject, error_raise

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define entry_prefetch(p) (__builtin_prefetch((const char*)(p) + 64), \\
        __builtin_prefetch((const char*)(p) + 128), __builtin_prefetch((const char*)(p) + 192))
    #else
    #define entry_prefetch(p) ((void)(p))
    #endif
    """
    # Start loading what follows an entry's first line, which is about to be read.
    void entry_prefetch(const void* entry) noexcept

cdef enum:
    SLOT_COUNT_MIN = 64
    DOORKEEPER_MARKS = 65536
    ENTRY_OVERHEAD_BYTES = 96             # entry, slot and allocator


cdef inline uint8_t* entry_key(CacheEntry* entry) noexcept:
    return <uint8_t*>entry + sizeof(CacheEntry)


cdef inline uint64_t* entry_words(CacheEntry* entry) noexcept:
    return <uint64_t*>(entry_key(entry)
                       + ((<size_t>entry.hash_size + entry.range_size + 7) & ~<size_t>7))


cdef void entry_free(CacheEntry* entry) noexcept:
    """Drop what an unlinked entry holds."""
    frozen_drop(entry_words(entry), entry.word_count)
    free(entry)


cdef CacheSlot* slots_new(uint32_t count) noexcept:
    cdef CacheSlot* slots = <CacheSlot*>span_alloc(count * sizeof(CacheSlot))
    if slots != NULL:
        memset(slots, 0, count * sizeof(CacheSlot))
    return slots


cdef class ItemCache:
    """LRU of decoded items. bytes_max: bound of the estimated memory in bytes; 0: no cache."""

    def __cinit__(self, uint64_t bytes_max):
        self.bytes_max = bytes_max
        if bytes_max != 0:
            self.slots = slots_new(SLOT_COUNT_MIN)
            if self.slots == NULL:
                raise MemoryError()
            self.slot_count = SLOT_COUNT_MIN

    def __dealloc__(self):
        cdef CacheEntry* entry = self.oldest
        cdef CacheEntry* newer
        while entry != NULL:
            newer = entry.newer
            entry_free(entry)
            entry = newer
        span_free(self.slots)
        free(self.doorkeeper)

    cdef CacheEntry* find(self, uint32_t keyspace_id, uint64_t hash, Span hash_key,
                          Span range_key) noexcept:
        cdef uint32_t last = self.slot_count - 1
        cdef uint32_t place = <uint32_t>hash & last
        cdef CacheEntry* entry = self.slots[place].entry
        while entry != NULL:
            if self.slots[place].hash == hash:
                entry_prefetch(entry)
                if (entry.keyspace_id == keyspace_id
                        and entry.hash_size == hash_key.size
                        and entry.range_size == range_key.size
                        and memcmp(entry_key(entry), hash_key.data, hash_key.size) == 0
                        and memcmp(entry_key(entry) + hash_key.size, range_key.data,
                                   range_key.size) == 0):
                    return entry
            place = (place + 1) & last
            entry = self.slots[place].entry
        return NULL

    cdef void slot_free(self, CacheEntry* entry) noexcept:
        """Free the slot of an entry; those behind it move up as far as their hashes let them."""
        cdef uint32_t last = self.slot_count - 1
        cdef uint32_t gap = <uint32_t>entry.hash & last
        cdef uint32_t place, home
        while self.slots[gap].entry != entry:
            gap = (gap + 1) & last
        place = gap
        while True:
            place = (place + 1) & last
            if self.slots[place].entry == NULL:
                break
            home = <uint32_t>self.slots[place].hash & last
            if ((place - home) & last) >= ((place - gap) & last):
                self.slots[gap] = self.slots[place]
                gap = place
        self.slots[gap].entry = NULL

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
        self.moves += 1
        entry.moved = self.moves

    cdef int remove(self, CacheEntry* entry) except -1:
        self.slot_free(entry)
        self.list_take(entry)
        self.entry_count -= 1
        self.bytes_used -= entry.weight
        entry.unlinked = True
        if entry.readers == 0:
            entry_free(entry)
        return 0

    cdef object fetch(self, uint32_t keyspace_id, uint64_t hash, Span hash_key, Span range_key):
        cdef CacheEntry* entry = self.find(keyspace_id, hash, hash_key, range_key)
        cdef PyObject* made
        cdef object item
        if entry == NULL:
            self.misses += 1
            return None
        self.hits += 1
        frozen_fetch(entry_words(entry), entry.word_count)
        if self.moves - entry.moved > self.entry_count >> 3 and entry != self.newest:
            self.list_take(entry)
            self.list_add(entry)
        entry.readers += 1
        made = frozen_item(entry_words(entry))
        entry.readers -= 1
        if entry.unlinked and entry.readers == 0:
            entry_free(entry)
        if made == NULL:
            error_raise()
        item = <object>made
        Py_DECREF(item)
        return item

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

    cdef void slot_take(self, uint64_t hash, CacheEntry* entry) noexcept:
        cdef uint32_t place = <uint32_t>hash & (self.slot_count - 1)
        while self.slots[place].entry != NULL:
            place = (place + 1) & (self.slot_count - 1)
        self.slots[place].hash = hash
        self.slots[place].entry = entry

    cdef bint grow(self) noexcept:
        """Twice the slots; False when there is no memory for them."""
        cdef CacheSlot* former = self.slots
        cdef uint32_t count = self.slot_count
        cdef uint32_t index
        cdef CacheSlot* slots = slots_new(count * 2)
        if slots == NULL:
            return False
        self.slots = slots
        self.slot_count = count * 2
        for index in range(count):
            if former[index].entry != NULL:
                self.slot_take(former[index].hash, former[index].entry)
        span_free(former)
        return True

    cdef int keep(self, uint32_t keyspace_id, uint64_t hash, Span hash_key, Span range_key,
                  dict item, const Shape* shapes, size_t weight, const uint64_t* clock) except -1:
        cdef uint64_t words[FROZEN_WORDS_MAX]
        cdef CacheEntry* entry
        cdef uint64_t now = clock[0]
        cdef size_t saved = 0
        cdef int count
        weight += ENTRY_OVERHEAD_BYTES + hash_key.size + range_key.size
        if weight > self.bytes_max // 8:
            return 0
        if self.bytes_used + weight > self.bytes_max and not self.admit(hash):
            return 0
        count = frozen_make(item, shapes, words, &saved)
        weight = weight - saved + count * sizeof(uint64_t)
        entry = <CacheEntry*>malloc(sizeof(CacheEntry) + count * sizeof(uint64_t)
                                    + hash_key.size + range_key.size + 8)
        # Copying may have run Python code (a collection of garbage) that wrote this item.
        if entry == NULL or clock[0] != now:
            free(entry)
            frozen_drop(words, count)
            return 0
        entry.hash = hash
        entry.keyspace_id = keyspace_id
        entry.hash_size = <uint16_t>hash_key.size
        entry.range_size = <uint16_t>range_key.size
        entry.weight = <uint32_t>weight
        entry.word_count = <uint16_t>count
        entry.readers = 0
        entry.unlinked = False
        memcpy(entry_words(entry), words, count * sizeof(uint64_t))
        memcpy(entry_key(entry), hash_key.data, hash_key.size)
        memcpy(entry_key(entry) + hash_key.size, range_key.data, range_key.size)
        self.make_room(self.find(keyspace_id, hash, hash_key, range_key), weight)
        if self.entry_count >= self.slot_count - (self.slot_count >> 2) and not self.grow():
            entry_free(entry)
            return 0
        self.slot_take(hash, entry)
        self.list_add(entry)
        self.entry_count += 1
        self.bytes_used += weight
        return 1

    cdef int make_room(self, CacheEntry* former, size_t weight) except -1:
        """Remove an entry (or NULL), and the oldest ones until there is room."""
        if former != NULL:
            self.remove(former)
        while self.bytes_used + weight > self.bytes_max and self.oldest != NULL:
            self.remove(self.oldest)
        return 0

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
