"""Pages of a Query or Scan in DynamoDB's own form: sizes, filter, projection.

Theory of operation
    A cursor gives records one after the other. Each is counted with its size, or its index entry's
    size, until the page has as many as wanted or more than 1 MB: the record that passes 1 MB is
    the last one. What passes the filter, decided over the record's bytes, is decoded. Through an
    index the cursor walks the hidden table of its entries, and each leads to the item by its key.

Invariants
    1. What is counted does not depend on filter and projection.

Threads
    Under the GIL. Decoding may run any code; the cursor goes on by key, whatever it changes.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from ddbcore.buffer cimport Buffer, buffer_free
from ddbcore.cursor cimport Cursor, Scan
from ddbcore.engine cimport Engine
from ddbcore.filter cimport Filter
from ddbcore.indexes cimport (
    IndexSet,
    IndexState,
    base_key_append,
    index_set,
    operand_append,
    part_append,
)
from ddbcore.item cimport ItemCodec
from ddbcore.json_items cimport json_item_append
from ddbcore.json_writer cimport JsonItems, json_append, json_raw_write
from ddbcore.keyspace cimport Keyspace, keyspace_find, keyspace_hash
from ddbcore.lead cimport Lead, lead_rejects
from ddbcore.btree cimport Span
from ddbcore.operand cimport Operand, operand_read
from ddbcore.partition cimport partition_prefetch
from ddbcore.pyapi cimport PyObject
from ddbcore.projection cimport Projection, Selection
from ddbcore.record cimport HASH_KEY_MAX, RANGE_KEY_MAX, RECORD_HEADER_BYTES, Record
from ddbcore.segments cimport LogView, address_offset, address_slot, record_at
from ddbcore.status cimport ERR_CORRUPT, FOUND
from ddbcore.steps cimport condition_eval
from ddbcore.table cimport CoreTable
from ddbcore.typed cimport (
    typed_item_append,
    typed_item_decode,
    typed_key_append,
    typed_key_decode,
    typed_value_append,
)

from ddbcore.errors import ValidationError

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define page_fetch(p) \\
        (__builtin_prefetch((const char*)(p)), __builtin_prefetch((const char*)(p) + 64))
    #else
    #define page_fetch(p) ((void)(p))
    #endif
    """
    void page_fetch(const void* address) noexcept nogil

cdef enum:
    PAGE_BYTES = 1048576
    WINDOW_SWEPT = 1024                   # addresses gathered at a time where most fail a filter
    FETCH_AHEAD = 12                      # records whose memory is on its way

PAGE_BYTES_MAX = PAGE_BYTES


cdef IndexState index_named(CoreTable table, str name):
    cdef IndexSet indexes = index_set(table.engine, table.state)
    cdef IndexState index
    if indexes is not None:
        for index in indexes.states:
            if index.name == name:
                return index
    raise ValidationError(f"The table does not have the specified index: {name}")


def index_part(CoreTable table not None, value, bint is_range):
    """Return a typed value as a part of an index's key: bytes that end with 00 00."""
    cdef Buffer buffer, out
    cdef Operand operand
    cdef ItemCodec codec = table.codec    # held: encoding may run Python code
    cdef int status
    memset(&buffer, 0, sizeof(Buffer))
    memset(&out, 0, sizeof(Buffer))
    try:
        typed_value_append(codec, value, &buffer)
        if operand_read(buffer.data, buffer.data + buffer.size, &operand) < 0:
            raise ValidationError("a key value cannot be read")
        status = operand_append(&operand, operand.type,
                                RANGE_KEY_MAX if is_range else HASH_KEY_MAX, &out)
        if status < 0:
            raise MemoryError()
        if status > 0:
            raise ValidationError(
                "One or more parameter values were invalid: Condition parameter type does not "
                "match schema type")
        return out.data[:out.size]
    finally:
        buffer_free(&buffer)
        buffer_free(&out)


def index_position(CoreTable table not None, str name not None, key):
    """Return (hash key, range key) of the entry that an ExclusiveStartKey names."""
    cdef IndexState index = index_named(table, name)
    cdef Buffer buffer, out
    cdef const Record* record
    cdef ItemCodec codec = table.codec
    memset(&buffer, 0, sizeof(Buffer))
    memset(&out, 0, sizeof(Buffer))
    base = {codec.hash_name: key[codec.hash_name]}
    if codec.range_name is not None:
        base[codec.range_name] = key[codec.range_name]
    hash_key = b"".join([index_part(table, key[part], False) for part, _ in index.hash_parts])
    range_key = b"".join([index_part(table, key[part], True) for part, _ in index.range_parts])
    try:
        typed_key_append(codec, base, &buffer)
        record = <const Record*>buffer.data
        part_append(<const uint8_t*>record + RECORD_HEADER_BYTES, record.hash_size, &out)
        if record.range_size > 0:
            part_append(<const uint8_t*>record + RECORD_HEADER_BYTES + record.hash_size,
                        record.range_size, &out)
        return hash_key, range_key + out.data[:out.size]
    finally:
        buffer_free(&buffer)
        buffer_free(&out)


cdef class Reader:

    def __dealloc__(self):
        buffer_free(&self.key)

    cdef int renew(self) except -1:
        """Look the index up again. Raises ValidationError when one with other keys has its name."""
        cdef IndexState index = index_named(self.table, self.index.name)
        if (index.hash_parts != self.index.hash_parts
                or index.range_parts != self.index.range_parts):
            raise ValidationError(f"index {index.name} was dropped; the new one of this name has "
                                  "other keys")
        self.index = index
        return 0

    cdef const Record* base(self, const Record* entry) except NULL:
        """The item that an index entry leads to."""
        cdef CoreTable table = self.table
        cdef const Record* record = NULL
        cdef uint32_t hash_size = 0
        cdef uint64_t address = 0
        cdef Span hash_key, range_key
        cdef int status
        self.key.size = 0
        status = base_key_append(self.index, entry, &self.key, &hash_size)
        if status == 0:
            hash_key.data = self.key.data
            hash_key.size = hash_size
            range_key.data = self.key.data + hash_size
            range_key.size = <uint32_t>(self.key.size - hash_size)
            status = keyspace_find(table.space, keyspace_hash(table.space, hash_key.data,
                                                              hash_key.size),
                                   hash_key, range_key, &address, &record)
        if status != FOUND:
            table.engine.fail(ERR_CORRUPT if status >= 0 else status,
                              f"following index {self.index.name}")
        self.address = address
        return record

    cdef uint64_t fetch(self, const Record* entry) noexcept:
        cdef Keyspace* space = self.table.space
        cdef uint32_t hash_size = 0
        cdef uint64_t hash
        self.key.size = 0
        if entry == NULL or base_key_append(self.index, entry, &self.key, &hash_size) != 0:
            return 0                      # `base` will say so
        hash = keyspace_hash(space, self.key.data, hash_size)
        partition_prefetch(&space.partition, hash)
        return hash

    cdef bint passes(self, Filter condition, const Record* record, Selection shown) except -1:
        """Decide the filter; over what an index shows of the item when `shown` is given."""
        cdef Buffer scratch
        cdef int status
        if shown is None:
            status = condition_eval(condition.bound, <const uint8_t*>record, record.size_bytes)
        else:
            memset(&scratch, 0, sizeof(Buffer))
            try:
                typed_item_append(
                    self.table.codec,
                    shown.decode(<const uint8_t*>record, record.size_bytes, True), &scratch)
                condition = condition.fresh()
                status = condition_eval(condition.bound, scratch.data, scratch.size)
            finally:
                buffer_free(&scratch)
        if status < 0:
            self.table.engine.fail(status, "evaluating a filter")
        return status

    cdef object item(self, const Record* record, Selection selection):
        if selection is None:
            return typed_item_decode(self.table.codec, <const uint8_t*>record, record.size_bytes)
        return selection.decode(<const uint8_t*>record, record.size_bytes, True)

    cdef int write(self, const Record* record, Selection selection, JsonItems items) except -1:
        """Add an item to those that are text."""
        cdef object shown
        if items.count > 0 and json_raw_write(&items.text, ",", 1) != 0:
            raise MemoryError()
        items.count += 1
        if selection is None:
            return json_item_append(self.table.codec, <const uint8_t*>record, record.size_bytes,
                                    &items.text)
        shown = self.item(record, selection)
        return json_append(&items.text, <PyObject*>shown, 0)

    cdef dict last_key(self, const Record* record):
        """The LastEvaluatedKey of an item: its key, and the index's."""
        cdef dict made = typed_key_decode(self.table.codec, <const uint8_t*>record,
                                          record.size_bytes)
        cdef dict item
        if self.index is not None:
            item = typed_item_decode(self.table.codec, <const uint8_t*>record, record.size_bytes)
            for name, _ in self.index.hash_parts + self.index.range_parts:
                made[name] = item[name]
        return made


cdef struct Count:
    # What a page has so far.
    uint64_t scanned
    uint64_t read_bytes
    int64_t remaining                     # entries it may still count; -1: no limit
    const Record* before                  # the last one counted; there while the engine is pinned


cdef int sweep(Cursor cursor, Filter condition, Count* page) except -1:
    """Count the entries of the cursor's window that fail the filter, up to one that may not.

    Nothing runs meanwhile that could change the table.
    """
    cdef CoreTable table = cursor.table
    cdef LogView* view = &table.engine.log.view
    cdef const Lead* lead = &condition.lead
    cdef const Record* record
    cdef const Record* last = NULL
    cdef uint64_t address
    if (cursor.space != table.space or cursor.version != table.space.version
            or cursor.remaining >= 0):
        return 0
    while (cursor.window_next < cursor.window_count and page.remaining != 0
            and page.read_bytes <= PAGE_BYTES):
        if cursor.window_next + FETCH_AHEAD < cursor.window_count:
            address = cursor.window[cursor.window_next + FETCH_AHEAD]
            if address_slot(address) < view.slot_count:
                page_fetch(view.slots[address_slot(address)].base + address_offset(address))
        address = cursor.window[cursor.window_next]
        record = record_at(view, address)
        # What is damaged, or passes, is the caller's.
        if record == NULL:
            break
        if lead.sizes == NULL or not lead_rejects(
                lead, <const uint8_t*>record,
                view.slots[address_slot(address)].size - address_offset(address)):
            if condition_eval(condition.bound, <const uint8_t*>record, record.size_bytes) != 0:
                break
        page.scanned += 1
        page.read_bytes += record.item_size
        if page.remaining > 0:
            page.remaining -= 1
        cursor.window_next += 1
        last = record
    if last != NULL:
        page.before = last
        cursor.remember(last)
    return 0


def read_page(Cursor cursor not None, CoreTable table not None, index=None, *,
              Filter condition=None, Projection projection=None, names=None, limit=None,
              bint count_only=False, bint fetch=False, Projection visible=None,
              visible_names=None, bint as_text=False):
    """Read what follows in a cursor, up to `limit` items, or the one that passes 1 MB.

    cursor: over the table, or over the hidden table of the index named. condition: the filter;
    visible: what it may see of an item (an index that does not project all), with its names.
    projection: what is returned of an item, with `names`. fetch: note the sizes of whole items.
    as_text: items are JsonItems, not a list. Returns (items or None, matched, scanned, bytes read,
    sizes fetched, LastEvaluatedKey or None).
    """
    cdef Reader reader = Reader.__new__(Reader)
    cdef Engine engine = table.engine
    cdef const Record* entry
    cdef const Record* record
    cdef Selection selection = None
    cdef Selection shown = None
    cdef Count page
    cdef uint64_t matched = 0
    cdef bint sweeps = condition is not None and index is None and not fetch and visible is None
    cdef JsonItems texts = JsonItems() if as_text and not count_only else None
    cdef object items = None if count_only else [] if texts is None else texts
    cdef list fetched = []
    reader.table = table
    page.scanned = page.read_bytes = 0
    page.remaining = -1 if limit is None else limit
    page.before = NULL
    if index is not None:
        reader.index = index_named(table, index)
    if projection is not None:
        selection = projection.bind(table.codec, names, True)
    if visible is not None:
        shown = visible.bind(table.codec, visible_names, True)
    if sweeps:
        sweeps = isinstance(cursor, Scan) # a query's window may reach beyond its bounds
    if sweeps:
        cursor.widen(WINDOW_SWEPT)
        cursor.wanted_max = WINDOW_SWEPT
    engine.pins += 1
    try:
        while page.remaining != 0 and page.read_bytes <= PAGE_BYTES:
            entry = cursor.advance()
            if entry == NULL:
                return items, matched, page.scanned, page.read_bytes, fetched, None
            if table.space.dropped:
                table.renew()
            record = entry if reader.index is None else reader.base(entry)
            page.scanned += 1
            page.read_bytes += entry.item_size
            page.before = record
            if fetch:
                fetched.append(record.item_size)
            if page.remaining > 0:
                page.remaining -= 1
            if condition is not None:
                condition = condition.fresh()
                if not reader.passes(condition, record, shown):
                    if sweeps:
                        sweep(cursor, condition, &page)
                    continue
            matched += 1
            if texts is not None:
                reader.write(record, selection, texts)
            elif not count_only:
                (<list>items).append(reader.item(record, selection))
        return (items, matched, page.scanned, page.read_bytes, fetched,
                None if page.before == NULL else reader.last_key(page.before))
    finally:
        engine.unpin()
