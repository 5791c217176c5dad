"""A table's hot calls: put, get, update, delete.

Theory of operation
    Each call encodes what it was given into a scratch frame, which may run Python code; then it
    looks at the index, appends the frame and changes the index without running any. A read pins the
    engine while it makes objects of a record's bytes.

    hashrange.Table inherits from CoreTable: a user's call enters C at once. It brings what turns
    the language's forms into compiled ones: _condition_arguments, _projection_arguments, _touched.

Invariants
    1. Between find and commit of one write no Python code runs, or the write starts over.

Threads
    Any thread, under the GIL; a durable write releases it while it syncs.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from ddbcore.btree cimport Span
from ddbcore.buffer cimport Buffer, buffer_reserve
from ddbcore.commit cimport frame_commit, frame_entries, record_find
from ddbcore.compaction cimport COMPACTION_ASSIST, compaction_check, compaction_step
from ddbcore.engine cimport (
    DURABILITY_COMMIT,
    Engine,
    TableState,
    durability_parse,
    engine_stir,
    program_of,
)
from ddbcore.hashing cimport hash_bytes
from ddbcore.indexes cimport IndexSet, index_set
from ddbcore.item cimport ItemCodec
from ddbcore.keyspace cimport (
    Found,
    Keyspace,
    keyspace_find,
    keyspace_hash,
    keyspace_locate,
    keyspace_put,
    keyspace_remove,
    keyspace_replace,
    record_hash_span,
    record_range_span,
)
from ddbcore.log cimport FRAME_HEADER_BYTES, log_room
from ddbcore.lru cimport ItemCache
from ddbcore.number cimport NUMBER_KEY_BYTES_MAX, Number, number_key_encode, number_read
from ddbcore.partition cimport (
    REF_RECORD,
    Slot,
    partition_find,
    partition_prefetch,
    ref_address,
    ref_kind,
    slot_ref,
)
from ddbcore.program cimport Program
from ddbcore.projection cimport Projection, Selection
from ddbcore.pyapi cimport (
    Py_None,
    Py_TYPE,
    PyLong_AsLongLongAndOverflow,
    PyLong_Type,
    PyObject,
    PyUnicode_GET_LENGTH,
    hr_is_exact_text,
    hr_text_ascii,
    hr_text_data,
)
from ddbcore.record cimport (
    HASH_KEY_MAX,
    RANGE_KEY_MAX,
    RECORD_HEADER_BYTES,
    RECORD_PUT,
    Record,
)
from ddbcore.recovery cimport follow, roll_back
from ddbcore.segments cimport address_offset, address_slot
from ddbcore.status cimport FOUND, OK

from ddbcore.errors import ConditionalCheckFailed, Error, TableNotFound, ValidationError

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define record_prefetch(p) \\
        (__builtin_prefetch((const void*)(p)), __builtin_prefetch((const char*)(p) + 64))
    #else
    #define record_prefetch(p) ((void)(p))
    #endif
    """
    void record_prefetch(const void* address) noexcept nogil

cdef enum:
    MANY_KEYS_MAX = 4096                  # keys that get_many looks up together
    RETURN_OLD = 1                        # what a write returns: the item as it was,
    RETURN_NEW = 2                        # as it is,
    RETURN_TOUCHED = 4                    # or only what the update's paths lead to, in that one

# An argument that was not given.
cdef object UNSET = object()

cdef dict RETURNS = {
    "NONE": 0,
    "OLD": RETURN_OLD,
    "ALL_OLD": RETURN_OLD,
    "NEW": RETURN_NEW,
    "ALL_NEW": RETURN_NEW,
    "UPDATED_OLD": RETURN_OLD | RETURN_TOUCHED,
    "UPDATED_NEW": RETURN_NEW | RETURN_TOUCHED,
}


cdef int returning_parse(object returning, bint updating) except -1:
    """What a write shall return, as bits of RETURN_..."""
    cdef object found = RETURNS.get(returning.upper()) if isinstance(returning, str) else None
    if found is None or (not updating and found > RETURN_OLD):
        raise ValidationError(
            'returning= is "old", "new", "updated_old" or "updated_new"' if updating
            else 'returning= of put and delete is "old"')
    return found


cdef bint failure_parse(object returning) except -1:
    """Tell whether the item that fails a condition shall be shown."""
    cdef object found = RETURNS.get(returning.upper()) if isinstance(returning, str) else None
    if found is None or found > RETURN_OLD:
        raise ValidationError('returning_on_failure= is "old"')
    return found


cdef inline uint64_t cache_hash(uint64_t hash, Span range_key) noexcept:
    """The hash of a whole key, from its partition key's."""
    return hash if range_key.size == 0 else hash_bytes(range_key.data, range_key.size, hash)


cdef inline bint plain_text(PyObject* value, Span* key, Py_ssize_t size_max) noexcept:
    """Point at the bytes of an exact ASCII str of legal length: they are the key.

    0: not such a str.
    """
    if not hr_is_exact_text(value) or not hr_text_ascii(value):
        return False
    key.data = hr_text_data(value)
    key.size = <uint32_t>PyUnicode_GET_LENGTH(value)
    return 0 < PyUnicode_GET_LENGTH(value) <= size_max


cdef inline int plain_key(ItemCodec codec, PyObject* hash, PyObject* range, Span* hash_key,
                          Span* range_key, uint8_t* number) except -1:
    """Encode the keys that most calls have, without a buffer. 0: take the long way.

    They are ASCII strings and ints of 64 bits.
    """
    cdef Number parsed
    cdef int overflow = 0
    if codec.hash_part.kind != c"S" or not plain_text(hash, hash_key, HASH_KEY_MAX):
        return False
    if codec.range_part.name == NULL:
        range_key.data = number
        range_key.size = 0
        return range == Py_None
    if codec.range_part.kind == c"S":
        return plain_text(range, range_key, RANGE_KEY_MAX)
    if codec.range_part.kind != c"N" or Py_TYPE(range) != &PyLong_Type:
        return False
    PyLong_AsLongLongAndOverflow(range, &overflow)
    if overflow != 0 or number_read(<object>range, &parsed) != 0:
        return False
    range_key.data = number
    range_key.size = number_key_encode(&parsed, number)
    return True


cdef void key_fetch(void* space, const uint8_t* key, size_t size) noexcept:
    """Start loading the index line of a hash key."""
    cdef Keyspace* keyspace = <Keyspace*>space
    if not keyspace.dropped:
        partition_prefetch(&keyspace.partition, keyspace_hash(keyspace, key, <uint32_t>size))


# The engine of a table that has none yet: it refuses all calls.
cdef Engine NO_ENGINE = Engine.__new__(Engine)
NO_ENGINE.refuse("this table is of no database: its __init__ has not run")


cdef class CoreTable:
    """A table of an open database. Made by the database."""

    def __cinit__(self):
        self.engine = NO_ENGINE

    def __init__(self, Engine engine not None, str name not None):
        if name not in engine.names:
            raise TableNotFound(f"no table {name!r} in this database")
        self.engine = engine
        self.name = name
        self.state = engine.tables[engine.names[name]]
        self.space = &self.state.space
        self.codec = self.state.codec

    cdef int renew(self) except -1:
        # A writer's tables are loaded anew only after a failed sync; otherwise one of the same name
        # is another table.
        if (self.name not in self.engine.names
                or (self.engine.writable and not self.engine.rolled_back)):
            table, slash, index = self.name.partition("/")
            raise TableNotFound(f"index {index!r} of table {table!r} was dropped" if slash
                                else f"table {table!r} was dropped")
        self.state = self.engine.tables[self.engine.names[self.name]]
        self.space = &self.state.space
        self.codec = self.state.codec
        return 0

    cdef int enter(self) except -1:
        cdef Engine engine = self.engine
        if engine.refused:
            engine.require_open()
        if engine.following:
            follow(engine)
        elif engine.log.sync_errno != 0 or engine.loader != 0:
            roll_back(engine)
        if self.space.dropped:
            self.renew()
        return 0

    cdef int enter_write(self) except -1:
        cdef Engine engine = self.engine
        engine.require_writable()
        if self.space.dropped:
            self.renew()
        # What a write needs to know of the indexes is made here, since that may run Python code:
        # when it is asked for, between find and commit, it is there.
        while self.state.index_list and self.state.indexes_version != engine.schema_version:
            index_set(engine, self.state)
            engine.require_writable()
            if self.space.dropped:
                self.renew()
        return 0

    cdef const Record* find(self, const Record* key, uint64_t* hash,
                            uint64_t* address) except? NULL:
        cdef const Record* record = NULL
        cdef int status
        hash[0] = keyspace_hash(self.space, <const uint8_t*>key + RECORD_HEADER_BYTES,
                                key.hash_size)
        status = keyspace_find(self.space, hash[0], record_hash_span(key), record_range_span(key),
                               address, &record)
        if status < 0:
            self.engine.fail(status, f"reading table {self.name}")
        return record if status == FOUND else NULL

    cdef int locate(self, const Record* key, uint64_t* hash, Found* found) except -1:
        """As find, for a commit that follows."""
        cdef int status
        hash[0] = keyspace_hash(self.space, <const uint8_t*>key + RECORD_HEADER_BYTES,
                                key.hash_size)
        status = keyspace_locate(self.space, hash[0], record_hash_span(key), record_range_span(key),
                                 found)
        if status < 0:
            self.engine.fail(status, f"reading table {self.name}")
        if status != FOUND:
            found.record = NULL
        return 0

    cdef int commit_indexed(self, Buffer* frame, bint updating) except -1:
        """Commit the record in a frame, a put or a delete, with the entries of its indexes."""
        cdef Engine engine = self.engine
        cdef IndexSet indexes = index_set(engine, self.state)
        cdef const Record* record = <const Record*>(frame.data + FRAME_HEADER_BYTES)
        cdef uint64_t hash = 0
        indexes.change(record_find(engine, self.state, record, &hash),
                       record if record.kind == RECORD_PUT else NULL, NULL, updating)
        frame_entries(frame, indexes)
        return frame_commit(engine, frame, self.state, None)

    cdef int commit(self, Buffer* frame, uint64_t hash, Found* updated=NULL) except -1:
        cdef Engine engine = self.engine
        cdef Record* record = <Record*>(frame.data + FRAME_HEADER_BYTES)
        cdef uint64_t address
        cdef int status
        record.keyspace_id = <uint16_t>self.state.keyspace_id
        while frame.size & 7:
            frame.data[frame.size] = 0
            frame.size += 1
        if self.state.index_list:
            return self.commit_indexed(frame, updated != NULL)
        if self.codec.names.logged != <uint32_t>len(self.codec.names.names):
            engine.frame_names(self.state, frame)
            record = <Record*>(frame.data + FRAME_HEADER_BYTES)
        status = log_room(engine.log, frame.size)
        if status != OK:
            engine.fail(status, f"writing to table {self.name}")
        address = engine.log.place(frame.data, frame.size) + FRAME_HEADER_BYTES // 8
        if (updated != NULL and updated.record != NULL and not self.space.has_range
                and updated.version == self.space.version):
            status = keyspace_replace(self.space, updated, record, address)
        else:
            status = keyspace_put(self.space, hash, record, address)
        if status < 0:
            engine.fail(status, f"writing to table {self.name}")
        engine.log.publish(frame.size)
        self.codec.names.logged = <uint32_t>len(self.codec.names.names)
        self.forget(record, hash)
        return 0

    cdef int commit_delete(self, Buffer* frame, uint64_t hash) except -1:
        """Log the delete in a frame and take its key out of the index."""
        cdef Engine engine = self.engine
        cdef const Record* key = <const Record*>(frame.data + FRAME_HEADER_BYTES)
        cdef int status
        while frame.size & 7:
            frame.data[frame.size] = 0
            frame.size += 1
        if self.state.index_list:
            return self.commit_indexed(frame, False)
        status = log_room(engine.log, frame.size)
        if status != OK:
            engine.fail(status, f"writing to table {self.name}")
        engine.log.place(frame.data, frame.size)
        status = keyspace_remove(self.space, hash, record_hash_span(key), record_range_span(key))
        if status < 0:
            engine.fail(status, f"writing to table {self.name}")
        engine.log.publish(frame.size)
        return self.forget(key, hash)

    cdef int forget(self, const Record* record, uint64_t hash) except -1:
        """Take a written item out of the cache."""
        if self.engine.cache.entry_count != 0:
            self.engine.cache.forget(self.state.keyspace_id,
                                     cache_hash(hash, record_range_span(record)),
                                     record_hash_span(record), record_range_span(record))
        return 0

    cdef int settle(self, object durability) except -1:
        return self.settle_as(self.durability_of(durability))

    cdef int durability_of(self, object durability) except -1:
        return self.engine.durability if durability is None else durability_parse(durability)

    cdef int settle_as(self, int wanted) except -1:
        """Finish a write: background work, durability."""
        cdef Engine engine = self.engine
        if engine.assist:
            self.assist()
        if engine.checked_segments != engine.log.next_number:
            engine.checked_segments = engine.log.next_number
            compaction_check(engine)
        if wanted == DURABILITY_COMMIT:
            engine.settle(wanted)
        else:
            engine_stir(engine)
        return 0

    cdef int assist(self) except -1:
        """Move a few records for the compaction. A failure is not the write's, which is done."""
        try:
            compaction_step(self.engine, COMPACTION_ASSIST)
        except Error as error:
            self.engine.background_error = str(error)
            self.engine.assist = False
        return 0

    cdef int condition_check(self, const Record* old, object condition, object names,
                             object values, bint shown) except -1:
        """Raise ConditionalCheckFailed unless a condition holds, with the item if it is shown."""
        cdef Program program = program_of(self.engine, None, condition)
        cdef object error
        if not program.check(self.codec, <const uint8_t*>old, old.size_bytes if old != NULL else 0,
                             names, values):
            error = ConditionalCheckFailed("The conditional request failed")
            if shown:
                error.item = self.image(old)
            raise error
        return 0

    cdef object image(self, const Record* record):
        """The item of a record; None when there is none."""
        if record == NULL:
            return None
        return self.codec.decode_item(<const uint8_t*>record, record.size_bytes, NULL, NULL)

    cdef object examine(self, const Record* old, object condition, object names, object values,
                        bint shown, bint shown_failed):
        """Decide a condition, if there is one; the item as it is, if it is to be shown."""
        cdef object image = None
        self.engine.pins += 1
        try:
            if condition is not None:
                self.condition_check(old, condition, names, values, shown_failed)
            if shown:
                image = self.image(old)
        finally:
            self.engine.unpin()
        return image

    cdef object update_image(self, int wanted, const Record* record, Program program,
                             object names):
        """What an update shows of the item before or after it; None where there is none."""
        cdef Projection touched
        cdef Selection selection
        if record == NULL or not wanted & RETURN_TOUCHED:
            return self.image(record)
        touched = self._touched(program)
        selection = touched.bind(self.codec, names, True)
        return selection.decode(<const uint8_t*>record, record.size_bytes)

    def get(self, hash, range=None, *, project=None, names=None):
        """Return the item of a key: a new dict, or None.

        hash, range: the key's values; range only where the table has a range key. project: what
        is wanted of the item: a projection expression (names: what its "#name" stand for), or a
        list of attribute names. Raises ValidationError, CorruptError.
        """
        cdef Engine engine = self.engine
        cdef Buffer* buffer
        cdef const Record* key
        cdef Span hash_key, range_key
        cdef uint8_t number[NUMBER_KEY_BYTES_MAX]
        cdef ItemCodec codec = None
        if project is not None or names is not None:
            return self.get_projected(hash, range, project, names)
        self.enter()
        if plain_key(self.codec, <PyObject*>hash, <PyObject*>range, &hash_key, &range_key, number):
            return self.fetch(hash_key, range_key)
        # The table may take another codec while this one runs Python code.
        codec = self.codec
        buffer = engine.scratch_take()
        try:
            codec.encode_key(hash, range, buffer)
            self.enter()
            key = <const Record*>buffer.data
            return self.fetch(record_hash_span(key), record_range_span(key))
        finally:
            engine.scratch_give(buffer)

    cdef object get_projected(self, object hash, object range, object project, object names):
        cdef Engine engine = self.engine
        cdef Projection projection
        cdef Selection selection
        cdef const Record* record
        cdef uint64_t hash_value = 0
        cdef uint64_t address = 0
        cdef ItemCodec codec
        cdef Buffer* buffer
        projection, names = self._projection_arguments(project, names)
        self.enter()
        codec = self.codec
        buffer = engine.scratch_take()
        try:
            codec.encode_key(hash, range, buffer)
            selection = projection.bind(codec, names)
            self.enter()
            record = self.find(<const Record*>buffer.data, &hash_value, &address)
            if record == NULL:
                return None
            engine.pins += 1
            try:
                if self.codec is not codec:
                    selection = projection.bind(self.codec, names)
                return selection.decode(<const uint8_t*>record, record.size_bytes)
            finally:
                engine.unpin()
        finally:
            engine.scratch_give(buffer)

    cdef object fetch(self, Span hash_key, Span range_key):
        """The item of an encoded key, from the cache or the log; None when there is none."""
        cdef Engine engine = self.engine
        cdef ItemCache cache = engine.cache
        cdef const Record* record = NULL
        cdef uint64_t hash = keyspace_hash(self.space, hash_key.data, hash_key.size)
        cdef uint64_t mixed = 0
        cdef uint64_t address = 0
        cdef uint64_t lsn
        cdef size_t weight = 0
        cdef int status
        cdef object item
        cdef ItemCodec codec
        if cache.bytes_max != 0:
            mixed = cache_hash(hash, range_key)
            item = cache.fetch(self.state.keyspace_id, mixed, hash_key, range_key)
            if item is not None:
                return item
        status = keyspace_find(self.space, hash, hash_key, range_key, &address, &record)
        if status != FOUND:
            if status < 0:
                engine.fail(status, f"reading table {self.name}")
            return None
        lsn = engine.log.lsn
        codec = self.codec
        engine.pins += 1
        try:
            item = codec.decode_item(<const uint8_t*>record, record.size_bytes, &weight, NULL)
        finally:
            engine.unpin()
        if cache.bytes_max != 0 and lsn == engine.log.lsn and not engine.refused:
            cache.keep(self.state.keyspace_id, mixed, hash_key, range_key, item,
                       codec.memory.shapes, weight, &engine.log.lsn)
        return item

    def put(self, item, *, condition=None, names=None, values=None, returning=None,
            returning_on_failure=None, durability=None):
        """Write an item, in place of the one with the same key.

        item: a dict with the key attributes; at most 400 KB. condition: an expression or an object
        such as Attr("n").eq(1) that must hold for the item that is there (or for its absence).
        names, values: what "#name" and ":value" in it stand for. returning: "old" to get the item
        that was there, or None. returning_on_failure: "old" to find it as `item` of the
        ConditionalCheckFailed. durability: "interval", "commit" or "none" for this call. Raises
        ValidationError, ItemTooLarge, ConditionalCheckFailed, DiskFull, PoisonedError.
        """
        cdef Engine engine = self.engine
        cdef Buffer* frame
        cdef const Record* record
        cdef const Record* old
        cdef uint64_t hash_value = 0
        cdef uint64_t address = 0
        cdef uint64_t lsn
        cdef ItemCodec codec = self.codec
        cdef TableState state = self.state    # held: encoding may run Python code
        cdef bint shown = returning is not None and returning_parse(returning, False) != 0
        cdef bint shown_failed = (returning_on_failure is not None
                                  and failure_parse(returning_on_failure))
        cdef int wanted = self.durability_of(durability)
        cdef object image = None
        if condition is not None and type(condition) is not str:
            condition, names, values = self._condition_arguments(condition, names, values)
        self.enter_write()
        frame = engine.scratch_take()
        try:
            frame.size = FRAME_HEADER_BYTES
            codec.encode_item(item, frame, key_fetch, <void*>&state.space)
            # Encoding may have run other Python code.
            self.enter_write()
            while shown or condition is not None:
                lsn = engine.log.lsn
                old = self.find(<const Record*>(frame.data + FRAME_HEADER_BYTES), &hash_value,
                                &address)
                image = self.examine(old, condition, names, values, shown,
                                     shown_failed)
                self.enter_write()
                if lsn == engine.log.lsn:
                    break
            record = <const Record*>(frame.data + FRAME_HEADER_BYTES)
            hash_value = keyspace_hash(self.space, <const uint8_t*>record + RECORD_HEADER_BYTES,
                                       record.hash_size)
            self.commit(frame, hash_value)
        finally:
            engine.scratch_give(frame)
        self.settle_as(wanted)
        return image

    def delete(self, hash, range=None, *, condition=None, names=None, values=None, returning=None,
               returning_on_failure=None, durability=None):
        """Remove the item of a key; nothing happens when there is none.

        Arguments and errors as in put.
        """
        cdef Engine engine = self.engine
        cdef Buffer* frame
        cdef Record* key
        cdef const Record* old
        cdef uint64_t hash_value = 0
        cdef uint64_t address = 0
        cdef uint64_t lsn
        cdef ItemCodec codec = self.codec
        cdef bint shown = returning is not None and returning_parse(returning, False) != 0
        cdef bint shown_failed = (returning_on_failure is not None
                                  and failure_parse(returning_on_failure))
        cdef int wanted = self.durability_of(durability)
        cdef object image = None
        if condition is not None and type(condition) is not str:
            condition, names, values = self._condition_arguments(condition, names, values)
        self.enter_write()
        frame = engine.scratch_take()
        try:
            frame.size = FRAME_HEADER_BYTES
            codec.encode_key(hash, range, frame)
            self.enter_write()
            key = <Record*>(frame.data + FRAME_HEADER_BYTES)
            key.keyspace_id = <uint16_t>self.state.keyspace_id
            while True:
                lsn = engine.log.lsn
                old = self.find(key, &hash_value, &address)
                if condition is None and not shown:
                    break
                image = self.examine(old, condition, names, values, shown,
                                     shown_failed)
                self.enter_write()
                if lsn == engine.log.lsn:
                    break
            if old == NULL:
                return None
            self.commit_delete(frame, hash_value)
        finally:
            engine.scratch_give(frame)
        self.settle_as(wanted)
        return image

    def update(self, hash, second=UNSET, third=UNSET, /, *, names=None, values=None,
               condition=None, returning=None, returning_on_failure=None, durability=None):
        """Change attributes of an item, or make it: update(hash, [range,] expression, ...).

        expression: SET, REMOVE, ADD and DELETE clauses. names, values: what "#name" and ":value"
        stand for. condition: an expression or a condition object that must hold. returning: "old"
        or "new" for the item before or after the update, "updated_old" or "updated_new" for what
        the update's paths lead to in it; None where there is no such item. returning_on_failure:
        "old" to find the item as `item` of the ConditionalCheckFailed. Raises
        ValidationError, ItemTooLarge, ConditionalCheckFailed, DiskFull, PoisonedError.
        """
        cdef Engine engine = self.engine
        cdef object range = None
        cdef object expression
        cdef Program program
        cdef Buffer* key_buffer
        cdef Buffer* frame = NULL
        cdef const Record* key
        cdef const Record* old
        cdef Found found
        cdef uint64_t hash_value = 0
        cdef uint64_t lsn
        cdef int changed
        cdef int wanted = self.durability_of(durability)
        cdef int shown = 0
        cdef bint shown_failed = (returning_on_failure is not None
                                  and failure_parse(returning_on_failure))
        cdef object image = None
        cdef ItemCodec codec = self.codec
        if returning is not None:
            shown = returning_parse(returning, True)
        if condition is not None and type(condition) is not str:
            condition, names, values = self._condition_arguments(condition, names, values)
        if third is not UNSET:
            range, expression = second, third
        elif second is not UNSET:
            expression = second
        else:
            raise TypeError("update() takes the key's values and one update expression")
        self.enter_write()
        # Most programs are called with the same two strings again and again.
        if (self.last_program is not None and expression is self.last_update
                and condition is self.last_condition):
            program = self.last_program
        else:
            program = program_of(engine, expression, condition)
            self.last_update, self.last_condition = expression, condition
            self.last_program = program
        key_buffer = engine.scratch_take()
        try:
            codec.encode_key(hash, range, key_buffer)
            frame = engine.scratch_take()
            while True:
                self.enter_write()
                frame.size = FRAME_HEADER_BYTES
                key = <const Record*>key_buffer.data
                lsn = engine.log.lsn
                self.locate(key, &hash_value, &found)
                old = found.record
                engine.pins += 1
                try:
                    changed = program.run(self.codec, <const uint8_t*>old,
                                          old.size_bytes if old != NULL else 0, <const uint8_t*>key,
                                          key.size_bytes, names, values, frame)
                    if shown & RETURN_NEW and changed:
                        image = self.update_image(
                            shown, <const Record*>(frame.data + FRAME_HEADER_BYTES), program,
                            names)
                    elif shown:
                        image = self.update_image(shown, old, program, names)
                except ConditionalCheckFailed as error:
                    if shown_failed:
                        error.item = self.image(old)
                    raise
                finally:
                    engine.unpin()
                if lsn == engine.log.lsn and not engine.refused and not self.space.dropped:
                    break
            if changed:
                self.commit(frame, hash_value, &found)
        finally:
            engine.scratch_give(key_buffer)
            if frame != NULL:
                engine.scratch_give(frame)
        self.settle_as(wanted)
        return image

    def get_many(self, keys):
        """Return the items of many keys, in their order; None for those that are absent.

        keys: an iterable of hash values, or of (hash, range) pairs where the table has a range key.
        Faster than as many calls of get, because what they need of memory is fetched ahead.
        """
        cdef list wanted = list(keys)
        cdef list items = []
        cdef Py_ssize_t start
        self.enter()
        for start in range(0, len(wanted), MANY_KEYS_MAX):
            self.get_some(wanted[start:start + MANY_KEYS_MAX], items)
        return items

    cdef int get_some(self, list keys, list items) except -1:
        cdef Engine engine = self.engine
        cdef Py_ssize_t count = len(keys)
        cdef Py_ssize_t index
        cdef Buffer* buffer = NULL
        cdef size_t* offsets = <size_t*>malloc((count + 1) * sizeof(size_t))
        cdef uint64_t* hashes = <uint64_t*>malloc((count + 1) * sizeof(uint64_t))
        cdef const Record** records = <const Record**>malloc((count + 1) * sizeof(Record*))
        cdef uint64_t address = 0
        cdef const Record* key
        cdef object hash_value, range_value
        cdef ItemCodec codec = self.codec
        try:
            if offsets == NULL or hashes == NULL or records == NULL:
                raise MemoryError()
            buffer = engine.scratch_take()
            for index in range(count):
                if self.codec.range_name is None:
                    hash_value, range_value = keys[index], None
                else:
                    try:
                        hash_value, range_value = keys[index]
                    except (TypeError, ValueError):
                        raise ValidationError(
                            f"get_many of table {self.name} takes (hash, range) pairs, "
                            f"not {keys[index]!r:.100}") from None
                while buffer.size & 7:
                    buffer_reserve(buffer, 1)
                    buffer.size += 1
                offsets[index] = buffer.size
                codec.encode_key(hash_value, range_value, buffer)
            self.enter()
            for index in range(count):
                key = <const Record*>(buffer.data + offsets[index])
                hashes[index] = keyspace_hash(self.space, <const uint8_t*>key + RECORD_HEADER_BYTES,
                                              key.hash_size)
                partition_prefetch(&self.space.partition, hashes[index])
            for index in range(count):
                self.prefetch_record(hashes[index])
            engine.pins += 1
            try:
                for index in range(count):
                    key = <const Record*>(buffer.data + offsets[index])
                    records[index] = self.find(key, &hashes[index], &address)
                for index in range(count):
                    if records[index] == NULL:
                        items.append(None)
                    else:
                        items.append(self.codec.decode_item(<const uint8_t*>records[index],
                                                            records[index].size_bytes, NULL, NULL))
            finally:
                engine.unpin()
        finally:
            if buffer != NULL:
                engine.scratch_give(buffer)
            free(offsets)
            free(hashes)
            free(records)
        return 0

    cdef uint64_t prefetch_record(self, uint64_t hash) noexcept:
        cdef Slot slot
        cdef uint64_t ref
        if partition_find(&self.space.partition, hash, &slot) != FOUND:
            return 0
        ref = slot_ref(&slot)
        if (ref_kind(ref) != REF_RECORD
                or address_slot(ref_address(ref)) >= self.engine.log.view.slot_count):
            return 0
        record_prefetch(self.engine.log.view.slots[address_slot(ref_address(ref))].base
                        + address_offset(ref_address(ref)))
        return ref_address(ref)

    def count(self):
        """Return the exact number of items, at once."""
        self.enter()
        self.engine.prove_relied("counting")
        return self.space.item_count

    def key_schema(self):
        """Return ((name, type) of the hash key, the same of the range key or None)."""
        codec = self.codec
        if codec is None:
            self.engine.require_open()
        return ((codec.hash_name, codec.hash_type),
                None if codec.range_name is None else (codec.range_name, codec.range_type))

    def size_bytes(self):
        """Return the sum of the items' DynamoDB sizes in bytes, at once."""
        self.enter()
        self.engine.prove_relied("counting")
        return self.space.item_bytes
