"""Columns: attributes of many items, read from item bytes.

Theory of operation
    A reading goes batch by batch. With the GIL it lets its cursor gather addresses and pins the
    engine, so that the records stay where they are; records never change. Without the GIL it then
    decides the filter over each, finds the attributes wanted in one walk and appends their values
    to the columns. No object is made of an item.

    In a scan neighbours are strangers: each record is a miss of the cache and of the table of
    pages. So where the order of rows is free, batches are large and read in the order of addresses,
    which is one walk through the log.

    Through an index the cursor is over its entries, each of which is followed to its item while the
    batch is gathered.

Invariants
    1. All columns have the same number of rows.
    2. Fields are bound to all names that the records of a batch can have.
    3. With a limit, rows are in the cursor's order, so that its key is that of the last row.

Threads
    A reading belongs to one thread at a time, and says so.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport uint16_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from ddbcore.binding cimport Naming, USE_OUTER, elements_bind, naming_bind, paths_load
from ddbcore.column cimport ERR_MIXED, column_add, column_finish, column_free, memory_enlarge
from ddbcore.cursor cimport WINDOW_MAX, Scan
from ddbcore.engine cimport Engine
from ddbcore.operand cimport fields_find, list_find, map_find
from ddbcore.pages cimport Reader, index_named
from ddbcore.pyapi cimport PyObject
from ddbcore.record cimport RECORD_HEADER_BYTES
from ddbcore.segments cimport LogSlot, address_offset, address_slot, record_at
from ddbcore.status cimport ERR_CORRUPT
from ddbcore.steps cimport condition_eval
from ddbcore.sweep cimport ROOM_MIN, Sweep
from ddbcore.table cimport CoreTable

from sys import intern

from ddbcore.errors import ValidationError

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define columns_fetch(p) (__builtin_prefetch((const char*)(p)), \\
        __builtin_prefetch((const char*)(p) + 64), __builtin_prefetch((const char*)(p) + 128), \\
        __builtin_prefetch((const char*)(p) + 192))
    #else
    #define columns_fetch(p) ((void)(p))
    #endif
    """
    void columns_fetch(const void* record) noexcept nogil

cdef enum:
    FETCH_AHEAD = 12                      # records whose memory is on its way
    PAUSE_COUNT = 16384                   # addresses gathered with the GIL in one go
    BUCKET_COUNT = 4096                   # of a batch, by address
    FOLLOW_STAGE = 16                     # entries whose items are looked up together

cdef tuple TYPE_NAMES = ("", "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")


# Whether a record's header may be read at an address. Proves the blocks of old log.
cdef inline bint address_sound(LogView* view, uint64_t address) noexcept:
    cdef LogSlot* slot = &view.slots[address_slot(address)]
    if (address_slot(address) < view.slot_count and slot.base != NULL and slot.unproven == NULL
            and address_offset(address) + RECORD_HEADER_BYTES <= slot.size):
        return True
    return record_at(view, address) != NULL


# Room for addresses; much of it in large pages, whose first touch costs less.
cdef uint64_t* addresses_make(uint32_t count) noexcept:
    cdef uint64_t* made = <uint64_t*>malloc(count * sizeof(uint64_t))
    if made != NULL:
        memory_enlarge(<uint8_t*>made, count * sizeof(uint64_t))
    return made


cdef class ColumnReader:
    """One reading of columns from a cursor, which it uses up.

    paths: as the compiler writes them, with numbers of `names`, which are distinct. untyped: by
    column, whether it takes values of all types. program: the condition, with its names and values.
    limit: rows to take at most. table, index: the cursor is over the entries of this index of the
    table, and the columns are of the items they lead to; visible: what the condition sees of them.
    """

    def __cinit__(self, Cursor cursor not None, tuple paths not None, tuple names not None,
                  tuple untyped not None, *, bint exact=False, program=None, condition_names=None,
                  condition_values=None, limit=None, CoreTable table=None, str index=None,
                  visible=None):
        cdef uint32_t number
        if not 0 < len(paths) <= COLUMN_COUNT_MAX or len(untyped) != len(paths):
            raise ValidationError(f"1 to {COLUMN_COUNT_MAX} columns are read at a time, "
                                  f"not {len(paths)}")
        self.cursor = cursor
        self.items = cursor.table
        self.is_scan = isinstance(cursor, Scan)
        if index is not None:
            self.items = table
            self.reader = Reader.__new__(Reader)
            self.reader.table = table
            self.reader.index = index_named(table, index)
            self.schema_version = table.engine.schema_version
            self.visible = visible
        self.program = program
        self.condition_names = condition_names
        self.condition_values = condition_values
        self.wanted = -1 if limit is None else limit
        self.name_objects = [intern(name) for name in names]
        paths_load(paths, <uint32_t>len(names), &self.paths, &self.path_elements,
                   &self.element_count)
        self.column_count = <uint32_t>len(paths)
        self.columns = <Column*>calloc(self.column_count, sizeof(Column))
        self.uses = <uint8_t*>calloc(len(names) + 1, 1)
        self.fields = <Field*>malloc((len(names) + 1) * sizeof(Field))
        self.field_names = <void**>malloc((len(names) + 1) * sizeof(void*))
        self.elements = <PathElement*>malloc((self.element_count + 1) * sizeof(PathElement))
        self.found = <Operand*>malloc((len(names) + 1) * sizeof(Operand))
        self.batch_max = BATCH_ORDERED
        if self.is_scan and limit is None and cursor.remaining < 0:
            # Small tables need less, and their columns' sizes can be guessed.
            self.batch_max = <uint32_t>min(<uint64_t>BATCH_SORTED,
                                           cursor.table.space.item_count + ROOM_MIN)
            self.sorted = addresses_make(self.batch_max)
            if not cursor.started and index is None:
                self.sweep = Sweep(cursor)
            if self.sorted == NULL:
                raise MemoryError
        self.batch = addresses_make(self.batch_max)
        if index is not None and self.sorted == NULL:
            self.entries = addresses_make(self.batch_max)
            if self.entries == NULL:
                raise MemoryError
        if (self.columns == NULL or self.uses == NULL or self.fields == NULL
                or self.field_names == NULL or self.elements == NULL or self.found == NULL
                or self.batch == NULL):
            raise MemoryError
        for number in range(self.column_count):
            self.columns[number].exact = exact
            self.columns[number].untyped = untyped[number]
            if self.sorted != NULL and program is None and (<Scan>cursor).hash_lower == 0 and (
                    (<Scan>cursor).hash_upper == 0) and not cursor.started:
                self.columns[number].expected = cursor.table.space.item_count
            self.uses[self.paths[number].name] |= USE_OUTER
        self.bind()

    def __dealloc__(self):
        cdef uint32_t index
        if self.columns != NULL:
            for index in range(self.column_count):
                column_free(&self.columns[index])
        free(self.columns)
        free(self.paths)
        free(self.path_elements)
        free(self.fields)
        free(self.elements)
        free(self.field_names)
        free(self.uses)
        free(self.found)
        free(self.batch)
        free(self.sorted)
        free(self.entries)

    cdef int bind(self) except -1:
        cdef ItemCodec codec = self.items.codec
        cdef Naming naming
        cdef Column* column
        cdef uint32_t index
        cdef uint32_t interned = <uint32_t>len(codec.names.names)
        cdef uint32_t count = <uint32_t>len(self.name_objects)
        if self.program is not None:
            if self.condition is None or codec is not self.codec:
                self.condition = Filter(self.program, codec, self.condition_names,
                                        self.condition_values, partial=True,
                                        visible=self.visible)
            self.condition = self.condition.fresh()
            self.bound = self.condition.bound
        naming.count = count
        naming.uses = self.uses
        naming.field_names = self.field_names
        naming.fields = self.fields
        naming.table = &self.table
        naming.field_of = <uint16_t*>malloc((count + 1) * sizeof(uint16_t))
        naming.objects = <void**>malloc((count + 1) * sizeof(void*))
        try:
            if naming.field_of == NULL or naming.objects == NULL:
                raise MemoryError
            for index in range(count):
                naming.objects[index] = <void*><PyObject*>self.name_objects[index]
            naming_bind(codec, &naming)
            elements_bind(self.path_elements, self.element_count, &naming, self.elements)
            for index in range(self.column_count):
                column = &self.columns[index]
                column.field = naming.field_of[self.paths[index].name]
                column.elements = &self.elements[self.paths[index].start]
                column.element_count = self.paths[index].count
        finally:
            free(naming.field_of)
            free(naming.objects)
        self.codec = codec
        self.interned_count = interned
        return 0

    cdef int64_t gather(self) except -1:
        cdef Cursor cursor = self.cursor
        cdef CoreTable table = cursor.table
        cdef Engine engine = table.engine
        cdef uint32_t pause = PAUSE_COUNT
        cdef uint32_t space = ROOM_MIN if self.sweep is not None else WINDOW_MAX
        self.batch_count = self.batch_next = 0
        while (self.batch_count + space <= self.batch_max and not cursor.finished
               and cursor.remaining != 0):
            if self.sweep is not None:
                self.gather_sweep()
            else:
                self.gather_window()
            if self.batch_count >= pause:
                pause += PAUSE_COUNT
                with nogil:
                    pass                  # others may have the GIL
                if (engine.refused or table.space.dropped or engine.loader != 0
                        or self.items.space.dropped or engine.log.sync_errno != 0):
                    # The next batch begins with a look at what that means.
                    break
        return self.batch_count

    cdef int gather_sweep(self) except -1:
        cdef LogView* view = &self.cursor.table.engine.log.view
        cdef uint64_t* taken = self.batch + self.batch_count
        cdef int64_t count = self.sweep.take(taken, self.batch_max - self.batch_count)
        cdef int64_t index
        if count == 0:
            self.cursor.finished = True
        for index in range(count):
            if not address_sound(view, taken[index]):
                self.cursor.table.engine.fail(
                    ERR_CORRUPT, f"walking table {self.cursor.table.name}")
        self.batch_count += <uint32_t>count
        return 0

    cdef int gather_window(self) except -1:
        cdef Cursor cursor = self.cursor
        cdef CoreTable table = cursor.table
        cdef LogView* view = &table.engine.log.view
        cdef const Record* record
        cdef uint64_t last = 0
        cdef uint32_t index
        cdef uint32_t count
        cdef uint32_t before = self.batch_count
        if not cursor.regather():
            cursor.finished = True
            return 0
        count = cursor.window_count
        if 0 <= cursor.remaining < count:
            count = <uint32_t>cursor.remaining
        if self.reader is not None:
            for index in range(count):
                cursor.prefetch(index)
        for index in range(count):
            if not self.gather_address(view, cursor.window[index]):
                cursor.finished = True
                break
            last = cursor.window[index]
            if cursor.remaining > 0:
                cursor.remaining -= 1
        cursor.window_next = cursor.window_count
        if self.batch_count > before:
            record = record_at(view, last)
            if record == NULL:
                table.engine.fail(ERR_CORRUPT, f"walking table {table.name}")
            cursor.remember(record)
            if self.reader is not None:
                self.follow(before)
        return 0

    cdef int follow(self, uint32_t start) except -1:
        cdef LogView* view = &self.items.engine.log.view
        cdef uint64_t hashes[FOLLOW_STAGE]
        cdef uint32_t first, index, stop
        for first in range(start, self.batch_count, FOLLOW_STAGE):
            stop = min(first + <uint32_t>FOLLOW_STAGE, self.batch_count)
            for index in range(first, stop):
                if self.entries != NULL:
                    self.entries[index] = self.batch[index]
                hashes[index - first] = self.reader.fetch(record_at(view, self.batch[index]))
            for index in range(stop - first):
                self.items.prefetch_record(hashes[index])
            for index in range(first, stop):
                self.reader.base(record_at(view, self.batch[index]))
                self.batch[index] = self.reader.address
        return 0

    cdef bint gather_address(self, LogView* view, uint64_t address) except -1:
        cdef CoreTable table = self.cursor.table
        cdef const Record* record
        if self.is_scan and self.reader is None:
            # The record is looked at when it has been fetched.
            if not address_sound(view, address):
                table.engine.fail(ERR_CORRUPT, f"walking table {table.name}")
        else:
            record = record_at(view, address)
            if record == NULL:
                table.engine.fail(ERR_CORRUPT, f"walking table {table.name}")
            if not self.cursor.inside(record):
                return False
        self.batch[self.batch_count] = address
        self.batch_count += 1
        return True

    cdef const Record* record_of(self, uint64_t address) noexcept nogil:
        cdef LogSlot* slot = &self.view.slots[address_slot(address)]
        cdef const Record* record = <const Record*>(slot.base + address_offset(address))
        if record.size_bytes > slot.size - address_offset(address):
            return NULL
        return record

    cdef void sort(self) noexcept nogil:
        cdef uint32_t starts[BUCKET_COUNT]
        cdef uint64_t lowest = self.batch[0]
        cdef uint64_t highest = lowest
        cdef uint64_t* swapped
        cdef uint64_t address
        cdef uint32_t index, start, count
        cdef int shift = 0
        for index in range(self.batch_count):
            address = self.batch[index]
            lowest = address if address < lowest else lowest
            highest = address if address > highest else highest
        while (highest - lowest) >> shift >= BUCKET_COUNT:
            shift += 1
        memset(starts, 0, sizeof(starts))
        for index in range(self.batch_count):
            starts[(self.batch[index] - lowest) >> shift] += 1
        start = 0
        for index in range(<uint32_t>BUCKET_COUNT):
            count = starts[index]
            starts[index] = start
            start += count
        for index in range(self.batch_count):
            address = self.batch[index]
            count = <uint32_t>((address - lowest) >> shift)
            self.sorted[starts[count]] = address
            starts[count] += 1
        swapped = self.batch
        self.batch = self.sorted
        self.sorted = swapped

    cdef int take_record(self, const Record* record) noexcept nogil:
        cdef const uint8_t* data = <const uint8_t*>record
        cdef Column* column
        cdef Operand inner, next
        cdef const Operand* value
        cdef const PathElement* element
        cdef uint32_t index, depth
        cdef int status
        if fields_find(&self.table, data, record.size_bytes, self.found) < 0:
            return ERR_CORRUPT
        for index in range(self.column_count):
            column = &self.columns[index]
            value = &self.found[column.field]
            if column.element_count:
                inner = value[0]
                for depth in range(column.element_count):
                    element = &column.elements[depth]
                    if element.indexed:
                        status = list_find(&inner, element.key, &next)
                    else:
                        status = map_find(&inner, &self.fields[element.number], &next)
                    if status < 0:
                        return status
                    inner = next
                value = &inner
            status = column_add(column, value)
            if status < 0:
                self.conflict_column = index
                self.conflict_type = value.type
                return status
        return 0

    cdef int take(self) noexcept nogil:
        cdef const Record* record
        cdef uint32_t index, ahead
        cdef int status
        if self.sorted != NULL:
            self.sort()
        for index in range(<uint32_t>FETCH_AHEAD):
            if index < self.batch_count:
                columns_fetch(self.start_of(self.batch[index]))
        while self.batch_next < self.batch_count and self.wanted != 0:
            ahead = self.batch_next + FETCH_AHEAD
            if ahead < self.batch_count:
                columns_fetch(self.start_of(self.batch[ahead]))
            record = self.record_of(self.batch[self.batch_next])
            if record == NULL:
                return ERR_CORRUPT
            if self.bound != NULL:
                status = condition_eval(self.bound, <const uint8_t*>record, record.size_bytes)
                if status <= 0:
                    if status < 0:
                        return status
                    self.batch_next += 1
                    continue
            status = self.take_record(record)
            if status < 0:
                return status
            self.batch_next += 1
            self.count += 1
            if self.wanted > 0:
                self.wanted -= 1
        return 0

    def read(self):
        """Read to the end, or the limit; return a list of ColumnData.

        None when the types of a column's values differ: `conflict` tells. Raises CorruptError,
        MemoryError, DatabaseClosed, TableNotFound.
        """
        if self.busy:
            raise ValidationError("the reader of columns is in use in another thread")
        self.busy = True
        try:
            return self.read_batches()
        finally:
            self.busy = False

    cdef int enter(self) except -1:
        cdef Engine engine = self.items.engine
        self.items.enter()
        engine.prove_relied(f"reading columns of table {self.items.name}")
        if self.reader is None:
            return 0
        self.cursor.table.enter()
        if self.schema_version != engine.schema_version:
            self.schema_version = engine.schema_version
            self.reader.renew()
        return 0

    cdef list read_batches(self):
        cdef CoreTable table = self.items
        cdef Engine engine = table.engine
        cdef const Record* record
        cdef int status = 0
        while self.wanted != 0:
            self.enter()
            engine.pins += 1
            try:
                self.view = &engine.log.view
                if self.gather() == 0:
                    break
                if (self.codec is not table.codec
                        or self.interned_count != <uint32_t>len(table.codec.names.names)):
                    self.bind()
                with nogil:
                    status = self.take()
                if status == ERR_MIXED:
                    record = self.record_of(self.batch[self.batch_next])
                    self.conflict = (
                        self.conflict_column,
                        TYPE_NAMES[self.columns[self.conflict_column].type],
                        TYPE_NAMES[self.conflict_type],
                        table.codec.decode_key(<const uint8_t*>record, record.size_bytes))
                    return None
                if status < 0:
                    engine.fail(status, f"reading columns of table {table.name}")
                if self.batch_next < self.batch_count:
                    # The limit is reached: the cursor's place is behind the last row.
                    self.cursor.remember(self.record_of(
                        (self.batch if self.entries == NULL else self.entries)[
                            self.batch_next - 1]))
            finally:
                engine.unpin()
            PyErr_CheckSignals()
        return [column_finish(&self.columns[index], self.codec)
                for index in range(self.column_count)]
