"""Walks: a cursor with a filter, a projection, an index on its way.

Theory of operation
    A walk takes its cursor's window as a batch: with the GIL it finds the records (through an
    index: the items that the entries lead to), without the GIL it decides the filter over their
    bytes, fetching ahead; then it makes items of those that passed, one a call. Nothing is made of
    the others. Windows grow to BATCH_MAX records as long as the table is at rest, so that a scan
    hands over the GIL once in a hundred microseconds.

    A long scan of which little passes has its windows filled by a sieve (`sieve`), which has found
    in one pass through the log what passes.

    Where the walk is, the cursor says: behind the last item returned, or, when a batch is used up,
    behind its last record. When the table has changed since a batch was decided, the next call
    gathers again behind that.

Invariants
    1. From gathering to the end of deciding the engine is pinned, and no Python code runs before
       the records are found: what the places point at is mapped, and never changes.
    2. An item that a call returns was there, and passed, at a moment within the call, or nothing
       has changed since that moment.
    3. A filter is bound to the names that the keyspace had when the batch was gathered.

Threads
    A walk is for one thread at a time, and says so. In a process that follows a writer the GIL is
    kept: while an engine is pinned it cannot follow.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memcpy

from ddbcore.btree cimport Span
from ddbcore.cursor cimport WINDOW_FIRST, Scan
from ddbcore.engine cimport Engine
from ddbcore.indexes cimport base_key_append
from ddbcore.item cimport ItemCodec
from ddbcore.keyspace cimport Keyspace, keyspace_find, keyspace_hash
from ddbcore.lead cimport Lead, lead_rejects
from ddbcore.pages cimport index_named
from ddbcore.partition cimport partition_prefetch
from ddbcore.projection cimport Projection
from ddbcore.record cimport RECORD_HEADER_BYTES
from ddbcore.segments cimport (
    BLOCK_BYTES,
    BLOCK_SHIFT,
    LogSlot,
    LogView,
    address_offset,
    address_slot,
    record_at,
)
from ddbcore.sieve cimport SIFT_BYTES_HELD, Sieve
from ddbcore.status cimport ERR_CORRUPT, FOUND
from ddbcore.steps cimport Bound, condition_eval

from ddbcore.cursor import limit_parse
from ddbcore.errors import ValidationError

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define place_prefetch(p) \\
        (__builtin_prefetch((const char*)(p)), __builtin_prefetch((const char*)(p) + 64))
    #define item_prefetch(p) \\
        (place_prefetch(p), place_prefetch((const char*)(p) + 128))
    #else
    #define place_prefetch(p) ((void)(p))
    #define item_prefetch(p) ((void)(p))
    #endif
    """
    void place_prefetch(const void* address) noexcept nogil
    void item_prefetch(const void* address) noexcept nogil

cdef enum:
    ITEMS_AHEAD = 4                       # records; making an item covers several cache misses
    WINDOW_SIEVED = 512                   # what is fetched while it is filled stays in the cache
    ITEM_STAGE = 16                       # entries whose items are looked up together
    PROVEN_BLOCKS = 8                     # read at once; nearly all records are shorter
    PROVEN_BYTES = PROVEN_BLOCKS * BLOCK_BYTES


cdef int places_decide(const Bound* bound, const Lead* lead, const Place* places, uint32_t start,
                       uint32_t count, uint32_t* hits, uint32_t* hit_count,
                       uint32_t* failed) noexcept nogil:
    """Note which places pass: 0, or the status of the first that cannot be decided."""
    cdef uint32_t index
    cdef uint32_t found = hit_count[0]
    cdef bint leads = lead.sizes != NULL
    cdef int status
    for index in range(start, count):
        if index + PREFETCH_AHEAD < count:
            place_prefetch(places[index + PREFETCH_AHEAD].record)
        if leads and lead_rejects(lead, places[index].record, places[index].room):
            continue
        status = condition_eval(bound, places[index].record, places[index].room)
        if status < 0:
            hit_count[0] = found
            failed[0] = index
            return status
        hits[found] = index
        found += <uint32_t>status
    hit_count[0] = found
    return 0


cdef inline bint blocks_proven(const uint8_t* unproven) noexcept nogil:
    cdef uint64_t flags
    memcpy(&flags, unproven, PROVEN_BLOCKS)
    return flags == 0


cdef int place_find(LogView* view, uint64_t address, Place* place) noexcept nogil:
    """The place of an address: 0 or ERR_CORRUPT. Reads the record only where it is unproven.

    Its room may end before a record that is longer than that; see Walk.decide.
    """
    cdef LogSlot* slot
    cdef uint64_t offset = address_offset(address)
    if address_slot(address) >= view.slot_count:
        return ERR_CORRUPT
    slot = &view.slots[address_slot(address)]
    if slot.base == NULL or offset + 16 > slot.size:
        return ERR_CORRUPT
    place.record = slot.base + offset
    place.room = slot.size - offset
    if slot.unproven == NULL or offset + PROVEN_BYTES > slot.size:
        if slot.unproven != NULL and record_at(view, address) == NULL:
            return ERR_CORRUPT
        return 0
    # Without reading the record: whatever its size, it lies in blocks that are proven.
    if blocks_proven(slot.unproven + (offset >> BLOCK_SHIFT)):
        place.room = PROVEN_BYTES - BLOCK_BYTES
    elif record_at(view, address) == NULL:
        return ERR_CORRUPT
    return 0


cdef struct Pointer:
    # What an index entry leads to.
    uint64_t hash                         # of the item's hash key
    uint64_t address                      # named by the first entry of that tag, or 0; then its own
    size_t key                            # where the item's key stands
    uint32_t hash_size
    uint32_t range_size


cdef inline int item_find(Keyspace* space, const uint8_t* key, Pointer* pointer,
                          const uint8_t** out) noexcept nogil:
    """Find an item by its key: FOUND, OK or an error."""
    cdef const Record* record = NULL
    cdef Span hash_key, range_key
    cdef int status
    # Nearly always the first entry of the tag names the item itself.
    if pointer.address != 0:
        record = record_at(space.view, pointer.address)
        if (record != NULL and record.hash_size == pointer.hash_size
                and record.range_size == pointer.range_size
                and memcmp(<const uint8_t*>record + RECORD_HEADER_BYTES, key,
                           pointer.hash_size + pointer.range_size) == 0):
            out[0] = <const uint8_t*>record
            return FOUND
    hash_key.data = key
    hash_key.size = pointer.hash_size
    range_key.data = key + pointer.hash_size
    range_key.size = pointer.range_size
    status = keyspace_find(space, pointer.hash, hash_key, range_key, &pointer.address, &record)
    out[0] = <const uint8_t*>record
    return status


cdef class Walk:
    """A lazy iterator over items of a table, directly or through an index. Made by Table.

    source: the cursor, over the table or over the entries of the index named. condition: what an
    item must pass. projection, names: what is returned of it; None for all. limit: the number of
    items returned. key_of: makes the last key of hash and range key of an entry.
    """

    def __cinit__(self, Cursor source not None, CoreTable table not None, str index=None, *,
                  Filter condition=None, Projection projection=None, names=None, limit=None,
                  key_of=None):
        self.source = source
        self.table = table
        self.condition = condition
        self.key_of = key_of
        self.remaining = limit_parse(limit)
        if index is not None:
            self.reader = Reader.__new__(Reader)
            self.reader.table = table
            self.reader.index = index_named(table, index)
            self.schema_version = table.engine.schema_version
        if projection is not None:
            self.projection = projection
            self.names = names
            self.selection = projection.bind(table.codec, names, True)
        source.wanted_max = BATCH_MAX
        if condition is None and 0 < self.remaining <= BATCH_MAX:
            source.wanted = <uint32_t>self.remaining

    def __dealloc__(self):
        free(self.places)
        free(self.hits)

    def __iter__(self):
        return self

    @property
    def last_key(self):
        """Key of the last item (of an index: entry) gone over; after= goes on behind it.

        None before the first.
        """
        key = self.source.last_key
        return key if key is None or self.key_of is None else self.key_of(*key)

    @property
    def sieving(self):
        """Whether the rest is found by a pass through the log. For tests and the curious."""
        return self.sieve is not None

    def __next__(self):
        if self.busy:
            raise ValidationError("the cursor is in use in another thread")
        self.busy = True
        self.table.engine.pins += 1
        try:
            item = self.step()
        finally:
            self.busy = False
            self.table.engine.unpin()
        if item is None:
            raise StopIteration
        return item

    cdef object step(self):
        """The next item, or None at the end."""
        cdef const Record* record
        cdef uint32_t index
        if self.finished or self.remaining == 0:
            return None
        self.enter()
        if not self.fresh():
            self.hit_next = self.hit_count = self.place_count = 0
        while self.hit_next == self.hit_count:
            if self.place_count != 0:
                self.source.window_next = self.source.window_count
                self.source.remember(self.entry(self.place_count - 1))
            if self.place_count != 0 and self.ended or not self.gather():
                self.finished = True
                return None
        index = self.hits[self.hit_next]
        self.hit_next += 1
        if self.hit_next + ITEMS_AHEAD <= self.hit_count:
            item_prefetch(self.places[self.hits[self.hit_next + ITEMS_AHEAD - 1]].record)
        self.source.window_next = index + 1
        self.source.remember(self.entry(index))
        if self.remaining > 0:
            self.remaining -= 1
        record = <const Record*>self.places[index].record
        if self.reader is None and self.places[index].room < record.size_bytes:
            # Without a filter nobody has looked.
            self.widen_place(index)
        return self.item(&self.places[index])

    cdef int enter(self) except -1:
        cdef Engine engine = self.table.engine
        # What CoreTable.enter asks of both tables; nearly always there is nothing to do.
        if not (engine.refused or engine.following or engine.log.sync_errno != 0
                or engine.loader != 0 or self.source.table.space.dropped
                or self.table.space.dropped):
            return 0
        engine.unpin()
        try:
            self.source.table.enter()
            self.table.enter()
        finally:
            engine.pins += 1
        return 0

    cdef int rebind(self) except -1:
        """Fit filter, projection and index to what the table is by now. May run Python code."""
        cdef Engine engine = self.table.engine
        cdef ItemCodec codec = self.table.codec
        if self.condition is not None:
            self.condition = self.condition.bound_to(codec)
        if self.selection is not None and self.selection.codec is not codec:
            self.selection = self.projection.bind(codec, self.names, True)
        if self.reader is not None and self.schema_version != engine.schema_version:
            self.schema_version = engine.schema_version
            self.reader.renew()
        return 0

    cdef bint fresh(self) noexcept:
        cdef Cursor source = self.source
        return (source.space == source.table.space and source.version == source.table.space.version
                and self.space == self.table.space and self.version == self.table.space.version)

    cdef const Record* entry(self, uint32_t index) except NULL:
        cdef const Record* record = record_at(&self.table.engine.log.view,
                                              self.source.window[index])
        if record == NULL:
            self.table.engine.fail(ERR_CORRUPT, f"walking table {self.table.name}")
        return record

    cdef int reserve(self, uint32_t count) except -1:
        cdef void* memory
        if count > self.capacity:
            self.source.widen(count)
            memory = realloc(self.places, count * sizeof(Place))
            if memory == NULL:
                raise MemoryError()
            self.places = <Place*>memory
            memory = realloc(self.hits, count * sizeof(uint32_t))
            if memory == NULL:
                raise MemoryError()
            self.hits = <uint32_t*>memory
            self.capacity = count
        return 0

    cdef int gather(self) except -1:
        cdef Cursor source = self.source
        cdef uint64_t version
        self.hit_next = self.hit_count = self.place_count = 0
        self.space = NULL                 # until all went well: what fails is tried again
        if source.finished:
            return 0
        if not self.sieve_tried and self.sievable():
            self.sieve_tried = True
            self.sieve = self.sift()
        self.settle()
        if self.sieve is not None and not self.sieve_fill():
            self.sieve = None
        if self.sieve is None:
            if source.at_end() or not source.regather():
                return 0
        elif source.window_count == 0:
            return 0
        version = self.table.space.version
        self.place_count = self.inside_count()
        self.ended = self.place_count < source.window_count
        if self.place_count == 0:
            return 0
        if self.reader is None:
            self.find_records(self.place_count)
        else:
            self.find_items(self.place_count)
        self.decide()
        self.space = self.table.space
        self.version = version
        return 1

    cdef int settle(self) except -1:
        cdef Engine engine = self.table.engine
        cdef uint32_t wanted
        cdef uint64_t lsn, version
        if engine.following:
            # Others have their turn here, since they have none while a batch is decided; and not
            # while the engine is pinned, or they could not follow.
            engine.unpin()
            with nogil:
                pass
            engine.pins += 1
        while True:
            self.enter()
            lsn, version = engine.log.lsn, engine.schema_version
            wanted = self.source.wanted
            self.reserve(wanted if wanted > WINDOW_FIRST else WINDOW_FIRST)
            self.rebind()
            # Making objects may have run finalizers, and those may have written.
            if lsn == engine.log.lsn and version == engine.schema_version and not engine.refused:
                return 0

    cdef bint sievable(self):
        return (self.reader is None and self.condition is not None and self.remaining < 0
                and isinstance(self.source, Scan) and self.walked >= WALKED_MIN
                and self.walked * WALKED_SHARE >= self.table.space.item_count
                and self.passed * PASSED_SHARE_MAX <= self.walked)

    cdef Sieve sift(self):
        cdef Engine engine = self.table.engine
        cdef Sieve sieve = Sieve.__new__(Sieve)
        self.settle()
        if not sieve.begin(self.table, <Scan>self.source):
            return None
        try:
            if not engine.following:
                sieve.start_helpers(self.condition)
            while not sieve.failed and sieve.take(sieve):
                if not sieve.step(self.condition, engine.following):
                    sieve.stopping = sieve.failed = True
                PyErr_CheckSignals()
                self.settle()
        except BaseException:
            sieve.stopping = True
            raise
        finally:
            joined = sieve.join_helpers()
        if not joined:
            return None
        while True:
            self.settle()
            if not sieve.look():
                return None
            # The last ones are read when a window is filled.
            if sieve.left() <= SIFT_BYTES_HELD:
                break
            while sieve.take(sieve):
                if not sieve.step(self.condition, engine.following):
                    return None
                PyErr_CheckSignals()
                self.settle()
        sieve.sort(engine.following)
        return sieve

    cdef bint sieve_fill(self) except -1:
        cdef Cursor source = self.source
        if source.window_next < source.window_count:
            source.wanted = WINDOW_FIRST  # the table changes; see Cursor.regather
        if not (self.sieve.catch_up(<Scan>source, self.condition)
                and self.sieve.fill(<Scan>source)):
            # As when nothing was gathered yet, behind the last key.
            source.window_count = source.window_next = 0
            return False
        source.exhausted = False
        source.version = source.table.space.version
        source.wanted = (source.wanted * 2 if source.wanted < WINDOW_SIEVED // 2
                         else WINDOW_SIEVED)
        return True

    cdef uint32_t inside_count(self) except? 0xFFFFFFFF:
        cdef uint32_t lower = 0
        cdef uint32_t upper = self.source.window_count
        cdef uint32_t middle
        if self.source.inside(self.entry(upper - 1)):
            return upper
        upper -= 1
        while lower < upper:
            middle = (lower + upper) // 2
            if self.source.inside(self.entry(middle)):
                lower = middle + 1
            else:
                upper = middle
        return lower

    cdef int find_records(self, uint32_t count) except -1:
        cdef Engine engine = self.table.engine
        cdef uint32_t index
        for index in range(count):
            if place_find(&engine.log.view, self.source.window[index], &self.places[index]) != 0:
                engine.fail(ERR_CORRUPT, f"walking table {self.table.name}")
        return 0

    cdef int find_items(self, uint32_t count) except -1:
        """Find what the entries lead to; the steps of many look-ups are taken together."""
        cdef Reader reader = self.reader
        cdef CoreTable table = self.table
        cdef Engine engine = table.engine
        cdef LogView* view = &engine.log.view
        cdef Pointer pointers[ITEM_STAGE]
        cdef Pointer* pointer
        cdef uint32_t start, index, stop
        cdef int status
        for start in range(0, count, ITEM_STAGE):
            stop = start + ITEM_STAGE if start + ITEM_STAGE < count else count
            reader.key.size = 0
            for index in range(start, stop):
                self.source.prefetch(index)
            for index in range(start, stop):
                pointer = &pointers[index - start]
                pointer.key = reader.key.size
                if base_key_append(reader.index, self.entry(index), &reader.key,
                                   &pointer.hash_size) != 0:
                    engine.fail(ERR_CORRUPT, f"following index {reader.index.name}")
                pointer.range_size = <uint32_t>(reader.key.size - pointer.key) - pointer.hash_size
                pointer.hash = keyspace_hash(table.space, reader.key.data + pointer.key,
                                             pointer.hash_size)
                partition_prefetch(&table.space.partition, pointer.hash)
            for index in range(start, stop):
                pointer = &pointers[index - start]
                pointer.address = table.prefetch_record(pointer.hash)
            for index in range(start, stop):
                pointer = &pointers[index - start]
                status = item_find(table.space, reader.key.data + pointer.key, pointer,
                                   &self.places[index].record)
                if status != FOUND:
                    engine.fail(ERR_CORRUPT if status >= 0 else status,
                                f"following index {reader.index.name}")
                self.places[index].room = (view.slots[address_slot(pointer.address)].size
                                           - address_offset(pointer.address))
        return 0

    cdef int decide(self) except -1:
        cdef Engine engine = self.table.engine
        cdef const Bound* bound
        cdef const Lead* lead
        cdef uint32_t index
        cdef uint32_t count = self.place_count
        cdef uint32_t start = 0
        cdef uint32_t failed = 0
        cdef uint32_t found = 0
        cdef int status = 0
        if self.condition is None or self.sieve is not None:
            for index in range(count):
                self.hits[index] = index
            self.hit_count = count
            return 0
        bound = self.condition.bound
        lead = &self.condition.lead
        while True:
            if count < BATCH_FREE_MIN or engine.following:
                status = places_decide(bound, lead, self.places, start, count, self.hits, &found,
                                       &failed)
            else:
                with nogil:
                    status = places_decide(bound, lead, self.places, start, count, self.hits,
                                           &found, &failed)
            if status == 0:
                self.hit_count = found
                self.walked += count
                self.passed += found
                return 0
            # Perhaps it is only longer than its room: once more, with its own size.
            if status != ERR_CORRUPT or self.reader is not None or not self.widen_place(failed):
                engine.fail(status, "evaluating a filter")
            start = failed

    cdef bint widen_place(self, uint32_t index) except -1:
        """Give a long record its room; 0 when it had it."""
        cdef const Record* record = self.entry(index)
        if self.places[index].room >= record.size_bytes:
            return False
        self.places[index].room = record.size_bytes
        return True

    cdef object item(self, const Place* place):
        cdef ItemCodec codec = self.table.codec
        cdef size_t size = (<const Record*>place.record).size_bytes
        if self.selection is not None:
            return self.selection.decode(place.record, size)
        return codec.decode_item(place.record, size, NULL, NULL)
