"""Sieves: what a filter lets through of a table, found in one pass through the log.

Theory of operation
    A scan in hash order reads records that lie anywhere: each is a miss of the cache and of the
    page tables, several times what deciding the filter costs. The log holds the same records one
    behind the other. So a sieve reads it from front to back and decides the filter over every
    record of the table, dead or live: whether the index still names a record is asked only of
    those that pass, which are few, when their turn comes. They are sorted into the scan's order,
    and fill its windows.

    What is written meanwhile stands behind the end that the log had, and is read when windows are
    filled: a put and what compaction moved are new records there, and what they overtook is no
    longer in the index. So a sieve is at every moment as true as the index.

    It gives up, and the scan goes on in its own order behind its last key, when that is cheaper
    (much passes, too much is written, too many dead records) or when anything about the log is
    odd: then the scan finds out whether what lives is damaged.

Invariants
    1. When `look` has found nothing new and no part is left, `found` and `late` hold every live
       record of the table that passes, in the bounds of the scan and ahead of it.
    2. Each of them lies in a segment that is mapped, with the number it had when it was read.
    3. A record is read under a filter bound to all names it can have.

Threads
    Under the GIL, with the engine pinned, but for the reading itself: nothing in the log changes.
    Of a long log each of several threads reads some segments; what they share, the parts that are
    left, is taken under the GIL.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memmove, memset

from ddbcore.engine cimport Engine
from ddbcore.hashing cimport hash_bytes
from ddbcore.keyspace cimport (
    Keyspace, keyspace_find, keyspace_hash, record_hash_span, record_range_span,
)
from ddbcore.lead cimport Lead, lead_rejects
from ddbcore.log cimport FRAME_HEADER_BYTES, FrameHeader, Log
from ddbcore.partition cimport partition_prefetch
from ddbcore.record cimport RECORD_HEADER_BYTES, RECORD_MOVE, RECORD_PUT, Record
from ddbcore.segments cimport (
    SEGMENT_START, SLOT_LIVE, LogSlot, LogView, address_make, address_offset, address_slot, padded,
    record_at, slot_prove,
)
from ddbcore.status cimport ERR_CORRUPT, ERR_MEMORY, FOUND
from ddbcore.steps cimport Bound, condition_eval

import os
from threading import Thread

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define sieve_prefetch(p) __builtin_prefetch((const char*)(p))
    #define record_prefetch(p) \\
        (__builtin_prefetch((const char*)(p)), __builtin_prefetch((const char*)(p) + 64), \\
         __builtin_prefetch((const char*)(p) + 128), __builtin_prefetch((const char*)(p) + 192))
    #else
    #define sieve_prefetch(p) ((void)(p))
    #define record_prefetch(p) ((void)(p))
    #endif
    """
    void sieve_prefetch(const void* address) noexcept nogil
    # Its first lines: it is made an item soon.
    void record_prefetch(const void* address) noexcept nogil

cdef enum:
    LINE_BYTES = 64
    FETCH_BYTES = 2048                    # ahead; fetching does not stop at pages as the CPU's does
    PROVE_BYTES = 1048576                 # proven in one go, with the GIL
    RECORD_BYTES_MAX = 512                # on average: of larger ones a pass reads too much
    PASS_RATIO = 5                        # a pass over 2.5 times what lives still pays
    SHARE_MAX = 16                        # one in so many records may pass
    SHARE_COUNT_MIN = 65536               # records read before that is asked
    FILL_AHEAD = 8
    SORTED_PARTS_MAX = 256                # of more, the last ones weigh little
    FOUND_STEP = 4096                     # by which `found` grows, at first
    SIFT_FULL = 1                         # of log_sift: no room for more


cdef int log_sift(Sift* sift, const Bound* bound, const Lead* lead) noexcept nogil:
    """Decide the records of the frames that begin below `stop`: 0, SIFT_FULL or an error."""
    cdef const uint8_t* frame
    cdef const uint8_t* frame_end
    cdef const uint8_t* here
    cdef const uint8_t* fetched = sift.base + sift.offset
    cdef const Record* record
    cdef uint64_t hash, map_end = <uint64_t>sift.base + sift.size
    cdef uint32_t size
    cdef int status
    cdef bint leads = lead.sizes != NULL
    while sift.offset < sift.stop:
        frame = sift.base + sift.offset
        if sift.end - sift.offset < FRAME_HEADER_BYTES + RECORD_HEADER_BYTES:
            return ERR_CORRUPT
        size = (<const FrameHeader*>frame).size_bytes
        if (size & 7 or size < FRAME_HEADER_BYTES + RECORD_HEADER_BYTES
                or size > sift.end - sift.offset):
            return ERR_CORRUPT
        frame_end = frame + size
        here = frame + (sift.record if sift.record != 0 else FRAME_HEADER_BYTES)
        while here < frame_end:
            while fetched < here + FETCH_BYTES:
                sieve_prefetch(fetched)
                fetched += LINE_BYTES
            record = <const Record*>here
            if (frame_end - here < RECORD_HEADER_BYTES or record.size_bytes < RECORD_HEADER_BYTES
                    or padded(record.size_bytes) > <uint64_t>(frame_end - here)):
                return ERR_CORRUPT
            if (record.keyspace_id == sift.keyspace_id
                    and (record.kind == RECORD_PUT or record.kind == RECORD_MOVE)):
                sift.seen += 1
                if not leads or not lead_rejects(lead, here, map_end - <uint64_t>here):
                    status = condition_eval(bound, here, record.size_bytes)
                    if status < 0:
                        return status
                    if status:
                        hash = hash_bytes(here + RECORD_HEADER_BYTES, record.hash_size,
                                          sift.hash_seed)
                        if (hash >= sift.hash_lower
                                and (sift.hash_upper == 0 or hash < sift.hash_upper)):
                            if sift.count == sift.capacity:
                                sift.record = <uint64_t>(here - frame)
                                sift.seen -= 1
                                return SIFT_FULL
                            sift.found[sift.count].hash = hash
                            sift.found[sift.count].address = address_make(
                                sift.slot, <uint64_t>(here - sift.base))
                            sift.count += 1
            here += padded(record.size_bytes)
        sift.record = 0
        sift.offset += size
    return 0


# -- order -----------------------------------------------------------------------------------------


cdef inline const Record* found_record(const LogView* view, const Found* found) noexcept nogil:
    return <const Record*>(view.slots[address_slot(found.address)].base
                           + address_offset(found.address))


cdef int bytes_order(const uint8_t* left, uint32_t left_size, const uint8_t* right,
                     uint32_t right_size) noexcept nogil:
    cdef int order = memcmp(left, right, left_size if left_size < right_size else right_size)
    return order if order != 0 else (left_size > right_size) - (left_size < right_size)


cdef int keys_order(const Record* left, const Record* right) noexcept nogil:
    cdef const uint8_t* first = <const uint8_t*>left + RECORD_HEADER_BYTES
    cdef const uint8_t* second = <const uint8_t*>right + RECORD_HEADER_BYTES
    cdef int order = bytes_order(first, left.hash_size, second, right.hash_size)
    if order != 0:
        return order
    return bytes_order(first + left.hash_size, left.range_size, second + right.hash_size,
                       right.range_size)


cdef inline int found_order(const LogView* view, const Found* left,
                            const Found* right) noexcept nogil:
    if left.hash != right.hash:
        return 1 if left.hash > right.hash else -1
    return keys_order(found_record(view, left), found_record(view, right))


cdef int found_sort(const LogView* view, Found* found, uint64_t count) noexcept nogil:
    """Sort into the order of a scan: runs of growing length are merged. 0 or ERR_MEMORY."""
    cdef Found* room
    cdef Found* source = found
    cdef Found* target
    cdef uint64_t run = 1
    cdef uint64_t start, middle, end, left, right, place
    if count < 2:
        return 0
    room = <Found*>malloc(count * sizeof(Found))
    if room == NULL:
        return ERR_MEMORY
    target = room
    while run < count:
        start = 0
        while start < count:
            middle = start + run if start + run < count else count
            end = middle + run if middle + run < count else count
            left = start
            right = middle
            for place in range(start, end):
                if right == end or (left < middle and found_order(view, &source[left],
                                                                  &source[right]) <= 0):
                    target[place] = source[left]
                    left += 1
                else:
                    target[place] = source[right]
                    right += 1
            start = end
        source, target = target, source
        run *= 2
    if source != found:
        memcpy(found, source, count * sizeof(Found))
    free(room)
    return 0


# -- the class -------------------------------------------------------------------------------------


cdef class Sifter:
    """A reader of parts of the log."""

    def __dealloc__(self):
        free(self.found)

    cdef int reserve(self, uint64_t count) except -1:
        cdef void* memory
        if count > self.capacity:
            memory = realloc(self.found, count * sizeof(Found))
            if memory == NULL:
                raise MemoryError()
            self.found = <Found*>memory
            self.capacity = count
        return 0

    cdef bint read(self, LogView* view, Filter condition, bint held) except -1:
        cdef Sift* sift = &self.sift
        cdef Part* part = &self.part
        cdef LogSlot* slot = &view.slots[part.slot]
        cdef const Bound* bound = condition.bound
        cdef const Lead* lead = &condition.lead
        cdef uint64_t size
        cdef int status
        if slot.base == NULL or slot.number != part.number:
            # It is retired: what lived in it was moved behind the tail.
            self.taken = False
            return True
        if part.end > slot.size:
            return False
        if slot.unproven == NULL:
            part.proven = part.end
        elif part.proven < part.end:
            size = part.end - part.proven
            size = size if size < PROVE_BYTES else PROVE_BYTES
            if slot_prove(view, slot, part.proven, size) != 0:
                return False
            part.proven += size
            return True
        self.reserve(FOUND_STEP)
        sift.base = slot.base
        sift.size = slot.size
        sift.slot = part.slot
        sift.end = part.end
        sift.offset = part.offset
        sift.stop = part.offset + (SIFT_BYTES_HELD if held else SIFT_BYTES)
        if sift.stop > part.end:
            sift.stop = part.end
        sift.found = self.found
        sift.capacity = self.capacity
        sift.count = self.count
        if held:
            status = log_sift(sift, bound, lead)
        else:
            with nogil:
                status = log_sift(sift, bound, lead)
        self.count = sift.count
        part.offset = sift.offset
        if status == SIFT_FULL:
            if self.count >= FOUND_MAX:
                return False
            self.reserve(self.capacity * 2 if self.capacity * 2 < FOUND_MAX else FOUND_MAX)
        elif status == ERR_MEMORY:
            raise MemoryError()
        elif status < 0:
            return False
        elif part.offset >= part.end:
            self.taken = False
        return sift.seen < SHARE_COUNT_MIN or self.count * SHARE_MAX < sift.seen


def help_sieve(Sieve sieve not None, Sifter sifter not None, Filter condition not None):
    """Read parts of a sieve's log in a thread of one's own, until there are none."""
    cdef Engine engine = sieve.table.engine
    cdef bint done = False
    if sieve.stopping:
        return
    # A pin of its own: what it reads stays mapped when the walk's is let go for a moment.
    engine.pins += 1
    try:
        while not (sieve.stopping or sieve.failed or engine.refused):
            if not sieve.take(sifter):
                done = True
                break
            if not sifter.read(&engine.log.view, condition, False):
                break
    finally:
        if not done:
            sieve.failed = True
        engine.unpin()


def processor_count() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


cdef class Sieve(Sifter):
    """The records of a table that pass a filter. Made by a Walk, for itself."""

    def __dealloc__(self):
        free(self.parts)

    cdef bint begin(self, CoreTable table, Scan scan) except -1:
        cdef LogView* view = &table.engine.log.view
        cdef Keyspace* space = table.space
        cdef LogSlot* slot
        cdef uint32_t index
        cdef uint64_t read = 0
        cdef uint64_t live = 0
        cdef uint64_t end, width, share = 1
        if space.item_count < SIEVE_ITEMS_MIN or table.engine.rolled_back:
            return False
        self.table = table
        self.state = table.state
        self.helpers = []
        self.note_tail()
        for index in range(view.slot_count):
            slot = &view.slots[index]
            if (index >= space.slot_live_count or space.slot_live[index] <= 0 or slot.base == NULL
                    or slot.state != SLOT_LIVE):
                continue
            end = self.tail_offset if index == self.tail_slot else slot.used
            if end > slot.size or end < SEGMENT_START:
                return False
            live += <uint64_t>space.slot_live[index]
            read += end - SEGMENT_START
            self.part_add(index, SEGMENT_START, end)
        if scan.hash_lower != 0 or scan.hash_upper != 0:
            width = scan.hash_upper - scan.hash_lower
            share = ~<uint64_t>0 // (width if width != 0 else 1) + 1
        if (share > PASS_RATIO or 2 * share * read > PASS_RATIO * live
                or live > <uint64_t>RECORD_BYTES_MAX * space.item_count):
            return False
        memset(&self.sift, 0, sizeof(Sift))
        self.sift.hash_seed = space.hash_seed
        self.sift.hash_lower = scan.hash_lower
        self.sift.hash_upper = scan.hash_upper
        self.sift.keyspace_id = space.id
        return True

    cdef void note_tail(self) noexcept:
        cdef Engine engine = self.table.engine
        if engine.following:
            self.tail_slot = engine.position.slot
            self.tail_offset = engine.position.offset
        else:
            self.tail_slot = engine.log.tail_slot
            self.tail_offset = engine.log.tail_pos
        self.tail_number = engine.log.view.slots[self.tail_slot].number
        self.lsn = engine.log.lsn

    cdef int part_add(self, uint32_t slot, uint64_t offset, uint64_t end) except -1:
        cdef Part* part
        cdef void* memory
        if offset >= end:
            return 0
        if self.part_count == self.part_capacity:
            memory = realloc(self.parts, (self.part_capacity + 16) * sizeof(Part))
            if memory == NULL:
                raise MemoryError()
            self.parts = <Part*>memory
            self.part_capacity += 16
        part = &self.parts[self.part_count]
        part.slot = slot
        part.number = self.table.engine.log.view.slots[slot].number
        part.offset = part.proven = offset
        part.end = end
        self.part_count += 1
        self.numbers[slot] = part.number
        if slot >= self.slot_count:
            self.slot_count = slot + 1
        return 0

    cdef int purge(self) except -1:
        """Forget what lies in segments that are gone; what lived there was moved."""
        cdef LogView* view = &self.table.engine.log.view
        cdef uint32_t index
        cdef uint64_t place, kept = 0
        cdef bint gone = False
        for index in range(self.slot_count):
            if self.numbers[index] != 0 and (view.slots[index].base == NULL
                                             or view.slots[index].number != self.numbers[index]):
                self.numbers[index] = 0
                gone = True
        if not gone:
            return 0
        for place in range(self.count):
            if self.numbers[address_slot(self.found[place].address)] != 0:
                self.found[kept] = self.found[place]
                kept += 1
        self.count = kept
        # What is behind the scan is passed over again.
        self.next = 0
        kept = 0
        for place in range(self.late_count):
            if self.numbers[address_slot(self.late[place].address)] != 0:
                self.late[kept] = self.late[place]
                kept += 1
        self.late_next = 0
        self.late_count = <uint32_t>kept
        return 0

    cdef uint64_t left(self) noexcept:
        cdef uint64_t total = self.part.end - self.part.offset if self.taken else 0
        cdef uint32_t index
        for index in range(self.part_count):
            total += self.parts[index].end - self.parts[index].offset
        return total

    cdef bint look(self) except -1:
        cdef CoreTable table = self.table
        cdef Log log = table.engine.log
        cdef LogSlot* slot
        cdef uint32_t index, old_slot = self.tail_slot
        cdef uint32_t old_number = self.tail_number
        cdef uint64_t old_offset = self.tail_offset
        cdef uint64_t lsn = self.lsn
        cdef uint64_t end
        if table.state is not self.state or table.engine.rolled_back:
            return False
        self.purge()
        if lsn == log.lsn:
            return True
        self.note_tail()
        for index in range(log.view.slot_count):
            slot = &log.view.slots[index]
            if slot.base == NULL:
                continue
            end = self.tail_offset if index == self.tail_slot else slot.used
            if end > slot.size:
                return False
            if index == old_slot and slot.number == old_number:
                self.part_add(index, old_offset, end)
            elif slot.first_lsn >= lsn:
                self.part_add(index, SEGMENT_START, end)
        return True

    cdef int start_helpers(self, Filter condition) except -1:
        cdef uint64_t count = self.left() // SIFTER_BYTES_MIN
        cdef Sifter sifter
        cdef uint64_t processors = processor_count()
        if self.sift.hash_lower != 0 or self.sift.hash_upper != 0:
            return 0                      # a segment: its caller has threads of its own
        count = min(count, <uint64_t>SIFTER_COUNT_MAX, processors, <uint64_t>self.part_count)
        if count > 1 and self.part_count <= SORTED_PARTS_MAX:
            self.sort_parts()
        while <uint64_t>len(self.helpers) + 1 < count:
            sifter = Sifter.__new__(Sifter)
            sifter.sift = self.sift
            thread = Thread(target=help_sieve, args=(self, sifter, condition), daemon=True,
                            name="hashrange-sifter")
            try:
                thread.start()
            except RuntimeError:
                return 0                  # no more threads: then without
            self.helpers.append((sifter, thread))
        return 0

    cdef void sort_parts(self) noexcept:
        """The longest last: it is taken first, and the threads end at about the same time."""
        cdef Part part
        cdef uint32_t index, place
        for index in range(1, self.part_count):
            part = self.parts[index]
            place = index
            while place > 0 and (self.parts[place - 1].end - self.parts[place - 1].offset
                                 > part.end - part.offset):
                self.parts[place] = self.parts[place - 1]
                place -= 1
            self.parts[place] = part

    cdef bint join_helpers(self) except -1:
        cdef Sifter sifter
        for sifter, thread in self.helpers:
            try:
                thread.join()
            except BaseException:
                self.stopping = True      # the others end by themselves
                raise
            if self.count + sifter.count > FOUND_MAX:
                self.failed = True
            if not self.failed and sifter.count != 0:
                self.reserve(self.count + sifter.count)
                memcpy(self.found + self.count, sifter.found, sifter.count * sizeof(Found))
                self.count += sifter.count
                self.sift.seen += sifter.sift.seen
        self.helpers = []
        return not self.failed

    cdef bint take(self, Sifter sifter) noexcept:
        if not sifter.taken and self.part_count != 0:
            self.part_count -= 1
            sifter.part = self.parts[self.part_count]
            sifter.taken = True
        return sifter.taken

    cdef bint step(self, Filter condition, bint held) except -1:
        return self.take(self) and self.read(&self.table.engine.log.view, condition, held)

    cdef int sort(self, bint held) except -1:
        cdef const LogView* view = &self.table.engine.log.view
        cdef int status
        self.purge()
        if held:
            status = found_sort(view, self.found, self.count)
        else:
            with nogil:
                status = found_sort(view, self.found, self.count)
        if status != 0:
            raise MemoryError()
        self.sorted = True
        return 0

    cdef bint late_add(self, Found* found, uint64_t count) noexcept:
        """Put into `late` what was found behind the pass; 0 when it is full."""
        cdef const LogView* view = &self.table.engine.log.view
        cdef uint32_t lower, upper, middle
        cdef uint64_t index
        for index in range(count):
            if self.late_count == LATE_MAX:
                return False
            lower = 0
            upper = self.late_count
            while lower < upper:
                middle = (lower + upper) // 2
                if found_order(view, &self.late[middle], &found[index]) <= 0:
                    lower = middle + 1
                else:
                    upper = middle
            memmove(&self.late[lower + 1], &self.late[lower],
                    (self.late_count - lower) * sizeof(Found))
            self.late[lower] = found[index]
            self.late_count += 1
        return True

    cdef bint catch_up(self, Scan scan, Filter condition) except -1:
        cdef uint64_t first, index, kept, last_hash = 0
        if not self.look():
            return False
        if self.left() > LATE_BYTES:
            return False
        # Behind the sorted ones, for a moment.
        first = self.count
        while self.take(self):
            if not self.step(condition, True):
                self.count = first
                return False
        kept = first
        if scan.started:
            last_hash = keyspace_hash(self.table.space, scan.last.data, scan.last_hash_size)
        for index in range(first, self.count):
            if self.ahead(scan, &self.found[index], last_hash):
                self.found[kept] = self.found[index]
                kept += 1
        self.count = first
        # Of the late ones too, what is behind the scan is of no use any more.
        self.late_count -= self.late_next
        memmove(self.late, self.late + self.late_next, self.late_count * sizeof(Found))
        self.late_next = 0
        return self.late_add(self.found + first, kept - first)

    cdef int live(self, const Found* found) noexcept:
        """Whether the index names a record: 1, 0 or an error."""
        cdef Keyspace* space = self.table.space
        cdef const Record* record = record_at(&self.table.engine.log.view, found.address)
        cdef const Record* named = NULL
        cdef uint64_t address = 0
        cdef int status
        if record == NULL:
            return ERR_CORRUPT
        status = keyspace_find(space, found.hash, record_hash_span(record),
                               record_range_span(record), &address, &named)
        if status < 0:
            return status
        return status == FOUND and address == found.address

    cdef bint ahead(self, Scan scan, const Found* found, uint64_t last_hash) noexcept:
        cdef const Record* record
        cdef const uint8_t* key
        cdef int order
        if not scan.started or found.hash > last_hash:
            return True
        if found.hash < last_hash:
            return False
        record = found_record(&self.table.engine.log.view, found)
        key = <const uint8_t*>record + RECORD_HEADER_BYTES
        order = bytes_order(key, record.hash_size, scan.last.data, scan.last_hash_size)
        if order == 0:
            order = bytes_order(key + record.hash_size, record.range_size,
                                scan.last.data + scan.last_hash_size,
                                <uint32_t>scan.last.size - scan.last_hash_size)
        return order > 0

    cdef bint fill(self, Scan scan) except -1:
        cdef const LogView* view = &self.table.engine.log.view
        cdef Keyspace* space = self.table.space
        cdef const Found* one
        cdef uint64_t main, last_hash = 0
        cdef uint32_t late
        cdef int status
        if scan.started:
            last_hash = keyspace_hash(space, scan.last.data, scan.last_hash_size)
        while self.next < self.count and not self.ahead(scan, &self.found[self.next], last_hash):
            self.next += 1
        while (self.late_next < self.late_count
                and not self.ahead(scan, &self.late[self.late_next], last_hash)):
            self.late_next += 1
        main = self.next
        late = self.late_next
        scan.window_count = scan.window_next = 0
        while scan.window_count < scan.wanted and (main < self.count or late < self.late_count):
            if late == self.late_count or (main < self.count and found_order(
                    view, &self.found[main], &self.late[late]) <= 0):
                one = &self.found[main]
                main += 1
                if main + FILL_AHEAD < self.count:
                    partition_prefetch(&space.partition, self.found[main + FILL_AHEAD].hash)
                    record_prefetch(found_record(view, &self.found[main + FILL_AHEAD]))
            else:
                one = &self.late[late]
                late += 1
            status = self.live(one)
            if status < 0:
                return False
            if status:
                scan.window[scan.window_count] = one.address
                scan.window_count += 1
        return True
