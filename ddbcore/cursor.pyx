"""Cursors: lazy walks over an item collection (Query) or a whole table (Scan).

Theory of operation
    A cursor gathers a window of record addresses in order, fetches the records' memory ahead, and
    makes one item per step. It knows where it is by the key of the last item it returned, nothing
    else: when the table changed since the window was gathered, or the window is used up, it gathers
    again behind that key. So a cursor is valid for ever, sees each change that lies ahead of it,
    and never holds a collection in memory.

    A query walks sort keys of one collection, either way. A scan walks hash order; entries with
    equal tags (the 26 top bits of the hash) are put in order of hash and key, so that a scan
    resumes behind any key, existing or not.

Invariants
    1. Items come in strictly growing (or, in reverse, falling) order; none twice.
    2. A window is used only while the keyspace's version is the one it was gathered at.

Threads
    Under the GIL; a cursor is for one thread at a time.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memcpy

from ddbcore.btree cimport Span, collection_any, collection_gather
from ddbcore.buffer cimport Buffer, buffer_free, buffer_reserve
from ddbcore.engine cimport Engine
from ddbcore.item cimport ItemCodec
from ddbcore.keyspace cimport Keyspace, keyspace_entry, keyspace_hash
from ddbcore.partition cimport (
    REF_RECORD,
    Slot,
    hash_tag,
    partition_seek,
    partition_step,
    ref_address,
    ref_kind,
    slot_ref,
)
from ddbcore.record cimport RECORD_HEADER_BYTES, Record
from ddbcore.segments cimport address_offset, address_slot, record_at
from ddbcore.status cimport ERR_CORRUPT, FOUND, OK
from ddbcore.table cimport CoreTable

from ddbcore.errors import TableNotFound, ValidationError

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define line_prefetch(p) __builtin_prefetch((const void*)(p))
    #else
    #define line_prefetch(p) ((void)(p))
    #endif
    """
    void line_prefetch(const void* address) noexcept nogil

cdef enum:
    WINDOW_LIMITED = 32                   # a limit up to this is gathered at once
    PREFETCH_AHEAD = 6                    # records; one's decoding covers about one cache miss


cdef inline int compare(const uint8_t* left, uint32_t left_size, const uint8_t* right,
                        uint32_t right_size) noexcept:
    cdef int order = memcmp(left, right, left_size if left_size < right_size else right_size)
    if order != 0:
        return order
    return (left_size > right_size) - (left_size < right_size)


def limit_parse(limit):
    """A limit: None or a positive int, as a count; -1 for none."""
    if limit is None:
        return -1
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ValidationError(f"limit must be a positive int, not {limit!r}")
    return min(limit, 1 << 62)


cdef class Cursor:
    """Base of Query and Scan: an iterator of items."""

    def __cinit__(self):
        self.finished = True              # until __init__ has run
        self.window = self.small
        self.window_capacity = self.wanted_max = WINDOW_MAX

    def __dealloc__(self):
        buffer_free(&self.last)
        if self.window != self.small:
            free(self.window)

    def __iter__(self):
        return self

    cdef int widen(self, uint32_t count) except -1:
        cdef uint64_t* window
        if count <= self.window_capacity:
            return 0
        window = <uint64_t*>realloc(NULL if self.window == self.small else self.window,
                                    count * sizeof(uint64_t))
        if window == NULL:
            raise MemoryError()
        # What the window held is gathered anew.
        self.window_count = self.window_next = 0
        self.window = window
        self.window_capacity = count
        return 0

    cdef int fill(self) except -1:
        return 0

    cdef int renew(self) except -1:
        """The table was loaded anew, or dropped and made again: go on where keys mean the same."""
        cdef ItemCodec codec = self.table.codec
        schema = (codec.hash_name, codec.hash_type, codec.range_name, codec.range_type)
        if self.schema is None:
            self.schema = schema
        elif self.schema != schema:
            raise TableNotFound(f"table {self.table.name!r} was dropped; the new one of this name "
                                "has other keys")
        self.space = self.table.space
        return 0

    cdef bint inside(self, const Record* record) noexcept:
        return True

    cdef int remember(self, const Record* record) except -1:
        cdef uint32_t size = <uint32_t>record.hash_size + record.range_size
        if self.last.capacity < size and buffer_reserve(&self.last, size) != 0:
            raise MemoryError()
        memcpy(self.last.data, <const uint8_t*>record + RECORD_HEADER_BYTES, size)
        self.last.size = size
        self.last_hash_size = record.hash_size
        self.started = True
        return 0

    cdef bint ahead(self, const Record* record) noexcept:
        return True

    cdef void prefetch(self, uint32_t index) noexcept:
        cdef uint64_t address = self.window[index]
        cdef const uint8_t* start
        if address_slot(address) < self.table.engine.log.view.slot_count:
            start = (self.table.engine.log.view.slots[address_slot(address)].base
                     + address_offset(address))
            line_prefetch(start)
            line_prefetch(start + 64)
            line_prefetch(start + 128)
            line_prefetch(start + 192)

    def __next__(self):
        cdef const Record* record = self.advance()
        cdef Engine engine
        cdef object item
        if record == NULL:
            raise StopIteration
        engine = self.table.engine
        engine.pins += 1
        try:
            item = self.table.codec.decode_item(<const uint8_t*>record, record.size_bytes, NULL,
                                                NULL)
        finally:
            engine.unpin()
        return item

    cdef const Record* advance(self) except? NULL:
        cdef CoreTable table
        cdef Engine engine
        cdef const Record* record
        cdef uint32_t index
        if self.finished or self.remaining == 0:
            return NULL
        table = self.table
        engine = table.engine
        table.enter()
        if (self.window_next >= self.window_count or self.space != table.space
                or self.version != table.space.version):
            if self.at_end() or not self.regather():
                self.finished = True
                return NULL
            for index in range(PREFETCH_AHEAD):
                if index < self.window_count:
                    self.prefetch(index)
        if self.window_next + PREFETCH_AHEAD < self.window_count:
            self.prefetch(self.window_next + PREFETCH_AHEAD)
        record = record_at(&engine.log.view, self.window[self.window_next])
        if record == NULL:
            engine.fail(ERR_CORRUPT, f"walking table {table.name}")
        if not self.inside(record):
            self.finished = True
            return NULL
        self.window_next += 1
        self.remember(record)
        if self.remaining > 0:
            self.remaining -= 1
        return record

    cdef bint at_end(self) noexcept:
        return (self.exhausted and self.window_next >= self.window_count
                and self.space == self.table.space and self.version == self.table.space.version)

    cdef bint regather(self) except -1:
        """Gather a window anew; whether there is anything in it."""
        cdef CoreTable table = self.table
        cdef const Record* record
        if self.window_next < self.window_count:
            # The table changes while it is walked: large windows would be gathered in vain.
            self.wanted = WINDOW_FIRST
        if self.space != table.space:
            self.renew()
        if table.engine.log.view.relied_blocks != 0 or table.engine.arena.late_count != 0:
            table.engine.prove_relied(f"walking table {table.name}")
        self.window_count = 0
        self.window_next = 0
        self.fill()
        self.exhausted = self.window_count < self.wanted
        self.version = table.space.version
        self.wanted = self.wanted * 2 if self.wanted < self.wanted_max // 2 else self.wanted_max
        if self.window_count == 0:
            return False
        # In a sound index always so; a forged one must not lead a walk in circles.
        record = record_at(&table.engine.log.view, self.window[self.window_count - 1])
        if record == NULL or (self.started and not self.ahead(record)):
            table.engine.fail(ERR_CORRUPT, f"walking table {table.name}")
        return True

    @property
    def last_key(self):
        """Key of the last item returned, hash value or (hash, range): after= goes on behind it.

        None before the first.
        """
        cdef Buffer* buffer
        cdef Record* record
        if not self.started:
            return None
        buffer = self.table.engine.scratch_take()
        try:
            if buffer_reserve(buffer, RECORD_HEADER_BYTES + self.last.size) != 0:
                raise MemoryError()
            record = <Record*>buffer.data
            record.size_bytes = <uint32_t>(RECORD_HEADER_BYTES + self.last.size)
            record.kind = 2
            record.flags = 0
            record.hash_size = <uint16_t>self.last_hash_size
            record.range_size = <uint16_t>(self.last.size - self.last_hash_size)
            record.keyspace_id = 0
            record.item_size = 0
            memcpy(buffer.data + RECORD_HEADER_BYTES, self.last.data, self.last.size)
            return self.table.codec.decode_key(buffer.data, record.size_bytes)
        finally:
            self.table.engine.scratch_give(buffer)


def key_parts(CoreTable table not None, after):
    """The hash value and range value of a key given as value, pair or item."""
    if isinstance(after, dict):
        try:
            if table.codec.range_name is None:
                return after[table.codec.hash_name], None
            return after[table.codec.hash_name], after[table.codec.range_name]
        except KeyError as error:
            raise ValidationError(f"after= lacks the key attribute {error.args[0]!r}") from None
    if table.codec.range_name is None:
        return after, None
    if isinstance(after, (tuple, list)) and len(after) == 2:
        return after[0], after[1]
    raise ValidationError(f"after= of table {table.name} is a (hash, range) pair or an item, "
                          f"not {after!r:.100}")


cdef class Query(Cursor):
    """The items of one partition key, in sort key order. Made by Table.query."""

    # Arguments by place are faster than by name, which counts for a query of one item.
    def __init__(self, CoreTable table not None, hash, between=None, ge=None, gt=None, le=None,
                 lt=None, eq=None, begins_with=None, reverse=False, limit=None, after=None):
        self.table = table
        self.reverse = reverse
        self.wanted = WINDOW_FIRST
        self.remaining = limit_parse(limit)
        table.enter()
        self.renew()
        self.finished = False
        table.codec.encode_key_value(hash, False, False, &self.key)
        self.hash = keyspace_hash(table.space, self.key.data, <uint32_t>self.key.size)
        if 0 < self.remaining <= WINDOW_LIMITED:
            self.wanted = <uint32_t>self.remaining
        # Most queries have no condition, and need not be asked for each.
        if not (between is None and ge is None and gt is None and le is None and lt is None
                and eq is None and begins_with is None):
            self.conditions(between, ge, gt, le, lt, eq, begins_with)
        if after is not None:
            self.resume(after)

    cdef int conditions(self, object between, object ge, object gt, object le, object lt, object eq,
                        object begins_with) except -1:
        """Set the bounds of the walk. Raises ValidationError."""
        if self.table.codec.range_name is None:
            raise ValidationError(f"table {self.table.name} has no range key to set conditions on")
        if ((between is not None) + (eq is not None) + (begins_with is not None)
                + ((ge is not None or gt is not None or le is not None or lt is not None)) > 1
                or (ge is not None and gt is not None) or (le is not None and lt is not None)):
            raise ValidationError("conditions on the range key exclude each other: give eq, "
                                  "between, begins_with, or at most one of ge/gt with at most one "
                                  "of le/lt")
        if between is not None:
            try:
                ge, le = between
            except (TypeError, ValueError):
                raise ValidationError(
                    f"between is a pair of bounds, not {between!r:.100}") from None
        if eq is not None:
            ge = le = eq
        if ge is not None or gt is not None:
            self.bound(ge if ge is not None else gt, True, ge is not None)
        if le is not None or lt is not None:
            self.bound(le if le is not None else lt, False, le is not None)
        if begins_with is not None:
            self.prefixed(begins_with)
        return 0

    def __dealloc__(self):
        buffer_free(&self.key)
        buffer_free(&self.lower)
        buffer_free(&self.upper)

    cdef int bound(self, object value, bint is_lower, bint inclusive) except -1:
        # An empty bound has memory too: a walk takes NULL for no bound.
        if buffer_reserve(&self.lower, 1) != 0 or buffer_reserve(&self.upper, 1) != 0:
            raise MemoryError()
        if is_lower:
            self.table.codec.encode_key_value(value, True, True, &self.lower)
            self.has_lower = True
            self.lower_inclusive = inclusive
        else:
            self.table.codec.encode_key_value(value, True, True, &self.upper)
            self.has_upper = True
            self.upper_inclusive = inclusive
        return 0

    cdef int prefixed(self, object prefix) except -1:
        """Bound the walk to range keys that begin with a string or bytes."""
        cdef Py_ssize_t index
        if self.table.codec.range_type == "N":
            raise ValidationError("begins_with is for range keys of type S or B")
        self.bound(prefix, True, True)
        # The least key above all with the prefix: its last byte that is not 0xFF, plus one.
        self.table.codec.encode_key_value(prefix, True, True, &self.upper)
        # (In a string that makes bytes that are no UTF-8, which is fine for a bound.)
        index = <Py_ssize_t>self.upper.size - 1
        while index >= 0 and self.upper.data[index] == 255:
            index -= 1
        if index >= 0:
            self.upper.data[index] += 1
            self.upper.size = index + 1
            self.has_upper = True
            self.upper_inclusive = False
        return 0

    cdef int resume(self, object after) except -1:
        """Start behind a range key, given as value, pair or item."""
        cdef ItemCodec codec = self.table.codec
        cdef Buffer start
        start.data = NULL
        start.size = start.capacity = 0
        try:
            if codec.range_name is None or isinstance(after, (tuple, list, dict)):
                hash, after = key_parts(self.table, after)
                codec.encode_key_value(hash, False, False, &start)
                if compare(start.data, <uint32_t>start.size, self.key.data,
                           <uint32_t>self.key.size) != 0:
                    raise ValidationError("after= is a key of another item collection, of the hash "
                                          f"key {hash!r:.100}")
                start.size = 0
            if codec.range_name is None:
                self.finished = True
                return 0
            codec.encode_key_value(after, True, False, &start)
            if buffer_reserve(&self.last, self.key.size + start.size) != 0:
                raise MemoryError()
            memcpy(self.last.data, self.key.data, self.key.size)
            memcpy(self.last.data + self.key.size, start.data, start.size)
            self.last.size = self.key.size + start.size
            self.last_hash_size = <uint32_t>self.key.size
            self.started = True
        finally:
            buffer_free(&start)
        return 0

    cdef int fill(self) except -1:
        cdef CoreTable table = self.table
        cdef Slot slot
        cdef Span key, start
        cdef bint inclusive = False
        cdef uint32_t wanted = self.wanted
        cdef int order, status
        cdef Buffer* edge = &self.upper if self.reverse else &self.lower
        cdef bint has_edge = self.has_upper if self.reverse else self.has_lower
        if self.remaining >= 0 and self.remaining < wanted:
            wanted = <uint32_t>self.remaining
        key.data = self.key.data
        key.size = <uint32_t>self.key.size
        start.data = NULL
        start.size = 0
        if self.started:
            start.data = self.last.data + self.last_hash_size
            start.size = <uint32_t>(self.last.size - self.last_hash_size)
        if has_edge:
            # The bound counts only where it lies behind the last key: equal to it, it would give
            # that item again.
            order = 1
            if self.started:
                order = compare(edge.data, <uint32_t>edge.size, start.data, start.size)
                order = -order if self.reverse else order
            if order > 0:
                start.data = edge.data
                start.size = <uint32_t>edge.size
                inclusive = self.upper_inclusive if self.reverse else self.lower_inclusive
        if self.started and table.codec.range_name is None:
            return 0
        status = keyspace_entry(table.space, self.hash, key, &slot)
        if status == FOUND:
            status = collection_gather(&table.space.forest, slot_ref(&slot), start, inclusive,
                                       self.reverse, self.window, wanted, &self.window_count)
        if status < 0:
            table.engine.fail(status, f"querying table {table.name}")
        return 0

    cdef bint ahead(self, const Record* record) noexcept:
        cdef int order = compare(
            <const uint8_t*>record + RECORD_HEADER_BYTES + record.hash_size, record.range_size,
            self.last.data + self.last_hash_size, <uint32_t>self.last.size - self.last_hash_size)
        return order < 0 if self.reverse else order > 0

    cdef bint inside(self, const Record* record) noexcept:
        cdef const uint8_t* key = <const uint8_t*>record + RECORD_HEADER_BYTES + record.hash_size
        cdef int order
        if self.reverse:
            if not self.has_lower:
                return True
            order = compare(key, record.range_size, self.lower.data, <uint32_t>self.lower.size)
            return order > 0 or (order == 0 and self.lower_inclusive)
        if not self.has_upper:
            return True
        order = compare(key, record.range_size, self.upper.data, <uint32_t>self.upper.size)
        return order < 0 or (order == 0 and self.upper_inclusive)


cdef struct GroupEntry:
    uint64_t hash
    uint64_t ref
    const uint8_t* key
    uint32_t key_size


cdef class Scan(Cursor):
    """All items of a table in hash order, or one segment of them. Made by Table.scan."""

    def __init__(self, CoreTable table not None, *, segment=None, total_segments=None, limit=None,
                 after=None):
        cdef Buffer* buffer
        cdef uint64_t hash
        self.table = table
        self.wanted = WINDOW_FIRST
        self.remaining = limit_parse(limit)
        table.enter()
        self.renew()
        self.finished = False
        if (segment is None) != (total_segments is None):
            raise ValidationError("segment and total_segments go together")
        if segment is not None:
            if not (isinstance(total_segments, int) and 1 <= total_segments <= 1000000):
                raise ValidationError(f"total_segments is 1 to 1,000,000, not {total_segments!r}")
            if not (isinstance(segment, int) and 0 <= segment < total_segments):
                raise ValidationError(f"segment is 0 to total_segments - 1, not {segment!r}")
            self.hash_lower = (segment << 64) // total_segments
            upper = ((segment + 1) << 64) // total_segments
            self.hash_upper = 0 if upper >> 64 else upper
        if after is not None:
            hash_value, range_value = key_parts(table, after)
            buffer = table.engine.scratch_take()
            try:
                table.codec.encode_key(hash_value, range_value, buffer)
                self.remember(<const Record*>buffer.data)
            finally:
                table.engine.scratch_give(buffer)
            hash = keyspace_hash(table.space, self.last.data, self.last_hash_size)
            if hash < self.hash_lower or (self.hash_upper != 0 and hash >= self.hash_upper):
                raise ValidationError("after= is a key of another segment")

    cdef bint ahead(self, const Record* record) noexcept:
        cdef const uint8_t* key = <const uint8_t*>record + RECORD_HEADER_BYTES
        cdef Keyspace* space = self.table.space
        cdef uint64_t hash = keyspace_hash(space, key, record.hash_size)
        cdef uint64_t last_hash = keyspace_hash(space, self.last.data, self.last_hash_size)
        cdef int order = (hash > last_hash) - (hash < last_hash)
        if order == 0:
            order = compare(key, record.hash_size, self.last.data, self.last_hash_size)
        if order == 0:
            order = compare(key + record.hash_size, record.range_size,
                            self.last.data + self.last_hash_size,
                            <uint32_t>self.last.size - self.last_hash_size)
        return order > 0

    cdef int add_entry(self, uint64_t ref, bint is_last) except -1:
        """Add what an entry refers to; of the last returned item's collection, what follows."""
        cdef CoreTable table = self.table
        cdef Span start
        cdef uint32_t count = 0
        cdef int status
        start.data = NULL
        start.size = 0
        if is_last:
            if not table.space.has_range:
                return 0
            start.data = self.last.data + self.last_hash_size
            start.size = <uint32_t>(self.last.size - self.last_hash_size)
        if ref_kind(ref) == REF_RECORD and not is_last:
            self.window[self.window_count] = ref_address(ref)
            self.window_count += 1
        else:
            status = collection_gather(&table.space.forest, ref, start, False, False,
                                       self.window + self.window_count,
                                       self.wanted - self.window_count, &count)
            if status < 0:
                table.engine.fail(status, f"scanning table {table.name}")
            self.window_count += count
        return self.window_count >= self.wanted

    cdef int add_group(self, uint64_t* refs, uint32_t count, uint64_t last_hash) except -1:
        """Add entries of one tag, in order of hash and key.

        1 when the window is full or the segment ends.
        """
        cdef CoreTable table = self.table
        cdef Keyspace* space = table.space
        cdef GroupEntry* entries = NULL
        cdef GroupEntry entry
        cdef uint64_t address = 0
        cdef const Record* record
        cdef uint32_t index, place
        cdef int order, status
        entries = <GroupEntry*>realloc(NULL, count * sizeof(GroupEntry))
        if entries == NULL:
            raise MemoryError()
        try:
            for index in range(count):
                status = collection_any(&space.forest, refs[index], &address)
                record = record_at(&table.engine.log.view, address) if status == OK else NULL
                if record == NULL:
                    table.engine.fail(ERR_CORRUPT, f"scanning table {table.name}")
                entry.ref = refs[index]
                entry.key = <const uint8_t*>record + RECORD_HEADER_BYTES
                entry.key_size = record.hash_size
                entry.hash = keyspace_hash(space, entry.key, entry.key_size)
                place = index
                while place > 0 and (entries[place - 1].hash > entry.hash or (
                        entries[place - 1].hash == entry.hash
                        and compare(entries[place - 1].key, entries[place - 1].key_size,
                                    entry.key, entry.key_size) > 0)):
                    entries[place] = entries[place - 1]
                    place -= 1
                entries[place] = entry
            for index in range(count):
                entry = entries[index]
                if entry.hash < self.hash_lower:
                    continue
                if self.hash_upper != 0 and entry.hash >= self.hash_upper:
                    return 1
                order = 1
                if self.started:
                    order = (entry.hash > last_hash) - (entry.hash < last_hash)
                    if order == 0:
                        order = compare(entry.key, entry.key_size, self.last.data,
                                        self.last_hash_size)
                if order >= 0 and self.add_entry(entry.ref, order == 0):
                    return 1
        finally:
            free(entries)
        return 0

    cdef int fill(self) except -1:
        cdef CoreTable table = self.table
        cdef Keyspace* space = table.space
        cdef uint64_t last_hash = self.hash_lower
        cdef uint64_t small[64]
        cdef uint64_t* refs = small
        cdef uint32_t capacity = 64
        cdef uint32_t count, tag
        cdef uint32_t upper_tag = 0xFFFFFFFF
        cdef uint32_t first_tag
        cdef uint64_t* grown
        cdef Slot slot
        cdef int status
        cdef bint full = False
        if self.started:
            last_hash = keyspace_hash(space, self.last.data, self.last_hash_size)
            if last_hash < self.hash_lower:
                raise ValidationError("after= is a key of another segment")
        if self.hash_upper != 0:
            upper_tag = hash_tag(self.hash_upper)
        first_tag = hash_tag(last_hash)
        status = partition_seek(&space.partition, first_tag, &slot)
        try:
            while status == FOUND and not full and slot.tag <= upper_tag:
                tag = slot.tag
                count = 0
                while status == FOUND and slot.tag == tag:
                    if count == capacity:
                        grown = <uint64_t*>realloc(NULL if refs == small else refs,
                                                   <size_t>capacity * 16)
                        if grown == NULL:
                            raise MemoryError()
                        if refs == small:
                            memcpy(grown, small, sizeof(small))
                        refs = grown
                        capacity *= 2
                    refs[count] = slot_ref(&slot)
                    count += 1
                    status = partition_step(&space.partition, &slot)
                if count == 1 and tag != first_tag and tag != upper_tag:
                    full = self.add_entry(refs[0], False)
                else:
                    full = self.add_group(refs, count, last_hash)
        finally:
            if refs != small:
                free(refs)
        if status < 0:
            table.engine.fail(status, f"scanning table {table.name}")
        return 0
