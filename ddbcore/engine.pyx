"""The engine: the state of one open database, and the primitives that change it.

Theory of operation
    One Engine per handle. It owns the disk, the log, the arena and the tables; modules above it
    (recovery, checkpoint, compaction, table, cursor) are functions and classes over it. A write is:
    encode into the scratch frame (Python code may run there), then, without any Python code in
    between, place the frame behind the tail, change the index, publish the frame.

    Decoding makes Python objects, and so may run any Python code (garbage collection), which may
    close the database. Decoders therefore pin the engine; a close in the meantime refuses new calls
    at once and unmaps with the last unpin.

Invariants
    1. The index says what replaying the log up to log.lsn says.
    2. refused is set for ever once set.
    3. The scratch frame has one owner at a time; a nested call gets a buffer of its own.

Threads
    Under the GIL, which is the writer's lock: no Python code runs between looking at the index and
    changing it.
"""

import json
import os
from types import NoneType

from libc.errno cimport EDQUOT, EFBIG, EIO, ENOSPC
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from ddbcore.arena cimport arena_free, arena_init, arena_reset
from ddbcore.buffer cimport Buffer, buffer_free, buffer_reserve
from ddbcore.io cimport Disk
from ddbcore.item cimport ItemCodec
from ddbcore.keyspace cimport keyspace_clear, keyspace_free, keyspace_init
from ddbcore.log cimport FRAME_BYTES_MAX, FRAME_HEADER_BYTES, Log, log_room
from ddbcore.lru cimport ItemCache
from ddbcore.node cimport node_check
from ddbcore.partition cimport partition_catch_up, segment_check
from ddbcore.record cimport RECORD_DROP, RECORD_HEADER_BYTES, RECORD_NAME, RECORD_TABLE, Record
from ddbcore.segments cimport padded, view_settled
from ddbcore.slab cimport slab_check
from ddbcore.status cimport ERR_CORRUPT, ERR_FULL, ERR_MEMORY, OK

from ddbcore.errors import (
    CorruptError,
    DatabaseClosed,
    DiskFull,
    PoisonedError,
    ReadOnlyError,
    StorageError,
    TableExists,
    TableNotFound,
    ValidationError,
)

cdef extern from *:
    """
    #include <stdlib.h>
    #if defined(_WIN32)
    #include <windows.h>
    typedef struct { SRWLOCK mutex; CONDITION_VARIABLE turn; } engine_wake;
    static void* wake_new(void) {
        engine_wake* wake = (engine_wake*)calloc(1, sizeof(engine_wake));
        if (wake) { InitializeSRWLock(&wake->mutex); InitializeConditionVariable(&wake->turn); }
        return wake;
    }
    static void wake_free(void* wake) { free(wake); }
    static void wake_signal(void* p) {
        engine_wake* wake = (engine_wake*)p;
        AcquireSRWLockExclusive(&wake->mutex);
        WakeAllConditionVariable(&wake->turn);
        ReleaseSRWLockExclusive(&wake->mutex);
    }
    static void wake_wait(void* p, int* idle, unsigned int timeout_ms) {
        engine_wake* wake = (engine_wake*)p;
        AcquireSRWLockExclusive(&wake->mutex);
        if (*(volatile int*)idle)
            SleepConditionVariableSRW(&wake->turn, &wake->mutex, timeout_ms, 0);
        ReleaseSRWLockExclusive(&wake->mutex);
    }
    #else
    #include <pthread.h>
    #include <time.h>
    typedef struct { pthread_mutex_t mutex; pthread_cond_t turn; } engine_wake;
    static void* wake_new(void) {
        engine_wake* wake = (engine_wake*)calloc(1, sizeof(engine_wake));
        if (wake) { pthread_mutex_init(&wake->mutex, NULL); pthread_cond_init(&wake->turn, NULL); }
        return wake;
    }
    static void wake_free(void* p) {
        engine_wake* wake = (engine_wake*)p;
        if (wake) {
            pthread_cond_destroy(&wake->turn);
            pthread_mutex_destroy(&wake->mutex);
            free(wake);
        }
    }
    static void wake_signal(void* p) {
        engine_wake* wake = (engine_wake*)p;
        pthread_mutex_lock(&wake->mutex);
        pthread_cond_broadcast(&wake->turn);
        pthread_mutex_unlock(&wake->mutex);
    }
    static void wake_wait(void* p, int* idle, unsigned int timeout_ms) {
        engine_wake* wake = (engine_wake*)p;
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += timeout_ms / 1000;
        until.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
        if (until.tv_nsec >= 1000000000L) { until.tv_sec += 1; until.tv_nsec -= 1000000000L; }
        pthread_mutex_lock(&wake->mutex);
        if (__atomic_load_n(idle, __ATOMIC_ACQUIRE))
            pthread_cond_timedwait(&wake->turn, &wake->mutex, &until);
        pthread_mutex_unlock(&wake->mutex);
    }
    #endif
    """
    void* wake_new() noexcept nogil
    void wake_free(void* wake) noexcept nogil
    void wake_signal(void* wake) noexcept nogil
    void wake_wait(void* wake, int* idle, uint32_t timeout_ms) noexcept nogil


cdef void wake_keeper(void* wake) noexcept nogil:
    wake_signal(wake)


cdef void wait_wake(void* wake, int* idle, uint32_t timeout_ms) noexcept nogil:
    wake_wait(wake, idle, timeout_ms)


cdef int unit_check(const uint8_t* data, uint32_t size_bytes) noexcept nogil:
    """Check a unit read from a checkpoint, whatever its kind."""
    if data[0] == 1:
        return segment_check(data, size_bytes)
    if data[0] == 2:
        return node_check(data, size_bytes)
    if data[0] == 3:
        return slab_check(data, size_bytes)
    return ERR_CORRUPT


cdef int durability_parse(object durability) except -1:
    if durability == "interval":
        return DURABILITY_INTERVAL
    if durability == "commit":
        return DURABILITY_COMMIT
    if durability == "none":
        return DURABILITY_NONE
    raise ValidationError(f"durability must be 'interval', 'commit' or 'none', not {durability!r}")


def schema_parse(bytes schema not None):
    """Read a table's schema: dict with name, id, hash_key, range_key; meta, indexes, wide if given.

    Raises CorruptError.
    """
    try:
        parsed = json.loads(schema)
        name, keyspace_id = parsed["name"], parsed["id"]
        hash_key, range_key = parsed["hash_key"], parsed["range_key"]
        known = (isinstance(name, str) and isinstance(keyspace_id, int)
                 and 0 <= keyspace_id < KEYSPACE_COUNT_MAX and key_known(hash_key)
                 and (range_key is None or key_known(range_key))
                 and isinstance(parsed.get("meta"), (dict, NoneType))
                 and isinstance(parsed.get("wide", False), bool)
                 and all(index_known(index) for index in parsed.get("indexes", ())))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorruptError(f"a table's schema in the log cannot be read: {error}") from error
    if not known:
        raise CorruptError("a table's schema in the log has an unknown form")
    return parsed


def key_known(key):
    """Whether a schema's key is a pair of name and type."""
    return (isinstance(key, list) and len(key) == 2 and isinstance(key[0], str)
            and key[1] in ("S", "N", "B"))


def index_known(index):
    """Whether a schema's index has the form that IndexSet reads."""
    return (isinstance(index["name"], str) and isinstance(index["global"], bool)
            and index["projection"] in ("ALL", "KEYS_ONLY", "INCLUDE")
            and 1 <= len(index["hash"]) <= INDEX_PARTS_MAX
            and len(index["range"]) <= INDEX_PARTS_MAX
            and all(key_known(part) for part in [*index["hash"], *index["range"]])
            and all(isinstance(name, str) for name in index["include"]))


cdef object program_of(Engine engine, object update, object condition):
    """The compiled form of an update and a condition; compiled once, kept by text."""
    cdef object key = (update, condition)
    cdef object program = engine.programs.get(key)
    if program is None:
        program = engine.compiler(update, condition)
        if len(engine.programs) >= PROGRAM_COUNT_MAX:
            engine.programs.clear()
        engine.programs[key] = program
    return program


cdef class TableState:

    def __dealloc__(self):
        keyspace_free(&self.space)

    cdef int describe(self, dict parsed, bytes schema) except -1:
        self.schema = schema
        self.meta = parsed.get("meta")
        self.index_list = parsed.get("indexes") or []
        return 0


cdef class Engine:
    """The state of one database. `disk` is where it lives."""

    def __cinit__(self):
        self.checkpoint_fd = -1
        self.wake = wake_new()
        self.work_wake = wake_new()
        self.work_idle = 1
        if self.wake == NULL or self.work_wake == NULL:
            raise MemoryError()

    def __init__(self, Disk disk, str path, bint writable, str durability, int interval_ms,
                 uint64_t cache_bytes, uint64_t checkpoint_bytes):
        self.disk = disk
        self.path = path
        self.writable = writable
        self.durability = durability_parse(durability)
        self.interval_ms = interval_ms
        self.checkpoint_bytes = checkpoint_bytes
        self.cache = ItemCache(cache_bytes)
        self.tables = []
        self.names = {}
        self.programs = {}
        arena_init(&self.arena, disk)
        self.arena.check = unit_check
        self.arena_ready = True

    def __dealloc__(self):
        cdef int index
        self.release()
        wake_free(self.wake)
        wake_free(self.work_wake)
        for index in range(SCRATCH_COUNT):
            buffer_free(&self.scratch[index])
        buffer_free(&self.compaction.resume)
        free(self.compaction.victims)

    cdef void release(self) noexcept:
        if self.log is not None:
            self.log.close()
        if self.arena_ready:
            arena_free(&self.arena)
            self.arena_ready = False
        if self.checkpoint_fd >= 0:
            self.disk.close_file(self.checkpoint_fd)
            self.checkpoint_fd = -1

    cdef void unpin(self) noexcept:
        self.pins -= 1
        self.release_late()

    cdef void release_late(self) noexcept:
        if (self.release_pending and self.pins == 0 and self.syncing_count == 0
                and not self.checkpoint_running):
            self.release_pending = False
            self.release()

    def refuse(self, str reason not None):
        """Let nothing go any more; every later call raises DatabaseClosed with this reason."""
        if not self.refused:
            self.refusal = reason
            self.refused = True

    def let_go(self):
        """Unmap and free, now or when the last decoding under way is done."""
        self.cache.clear()
        self.release_pending = True
        self.release_late()

    cdef int stir(self) except -1:
        self.keeper_idle = 0
        if self.starter is not None:
            starter, self.starter = self.starter, None
            starter()
        else:
            wake_signal(self.wake)
        return 0

    cdef int require_open(self) except -1:
        if self.refused:
            raise DatabaseClosed(self.refusal)
        return 0

    cdef int require_writable(self) except -1:
        if self.refused:
            raise DatabaseClosed(self.refusal)
        if not self.writable:
            raise ReadOnlyError('the database was opened with mode="r"; open it with mode="rw" to '
                                'write')
        if self.log.view.refuted:
            self.fail(ERR_CORRUPT, "proving what was relied on at opening")
        if self.log.sync_errno != 0 or self.rolled_back:
            raise PoisonedError(
                f"a sync of {self.path} failed ({os.strerror(self.log.sync_errno)}); writes since "
                f"LSN {self.log.durable_lsn} may be lost. Writes are refused: close the database "
                "and open it again")
        return 0

    cdef int catch_up(self, uint64_t segments_max, str doing) except -1:
        cdef TableState table
        cdef int status
        for table in self.tables:
            if table is not None and table.space.partition.late_count != 0:
                status = partition_catch_up(&table.space.partition, segments_max)
                if status == ERR_CORRUPT:
                    self.log.view.refuted = True
                if status < 0:
                    self.fail(status, doing)
        return 0

    cdef int prove_relied(self, str doing) except -1:
        if self.arena.late_count != 0:
            self.catch_up(~<uint64_t>0, doing)
        if view_settled(&self.log.view) != OK:
            self.fail(ERR_CORRUPT, doing)
        return 0

    cdef int fail(self, int status, str doing) except -1:
        cdef int number
        if status == ERR_CORRUPT:
            raise CorruptError(
                f"{self.path or 'memory'}: stored bytes are damaged (found while {doing}); run "
                "'hashrange verify' to see the extent, 'hashrange salvage' to copy what is whole")
        if status == ERR_MEMORY:
            raise MemoryError(f"out of memory while {doing}")
        if status == ERR_FULL:
            raise ValidationError(f"a bound of the index was reached while {doing}: too many keys "
                                  "share one hash, or the batch is larger than 32 MiB")
        number = self.log.last_errno if self.log is not None else 0
        if self.log is not None and self.log.sync_errno != 0:
            self.require_writable()
        if number in (ENOSPC, EDQUOT, EFBIG):
            raise DiskFull(number,
                           f"no room to grow the log of {self.path} ({os.strerror(number)}, while "
                           f"{doing}); free some space and try again: nothing was changed")
        # The index keeps no number of a failed read.
        number = number or EIO
        raise StorageError(number, f"{os.strerror(number)} while {doing} in {self.path}")

    cdef Buffer* scratch_take(self) except NULL:
        cdef Buffer* buffer = NULL
        cdef uint32_t index
        for index in range(SCRATCH_COUNT):
            if not (self.scratch_taken >> index) & 1:
                self.scratch_taken |= <uint32_t>1 << index
                buffer = &self.scratch[index]
                break
        else:
            buffer = <Buffer*>calloc(1, sizeof(Buffer))
            if buffer == NULL:
                raise MemoryError()
        buffer.size = 0
        if buffer_reserve(buffer, 1024) != 0:
            self.scratch_give(buffer)
            raise MemoryError()
        return buffer

    cdef void scratch_give(self, Buffer* buffer) noexcept:
        if buffer >= &self.scratch[0] and buffer < &self.scratch[SCRATCH_COUNT]:
            self.scratch_taken &= ~(<uint32_t>1 << <uint32_t>(buffer - &self.scratch[0]))
            # A frame of megabytes is rare: its memory goes back.
            if buffer.capacity > 1048576:
                buffer_free(buffer)
        else:
            buffer_free(buffer)
            free(buffer)

    cdef int frame_names(self, TableState table, Buffer* frame) except -1:
        cdef uint32_t name_id
        cdef bytes text
        cdef Record* record
        cdef uint64_t size
        for name_id in range(table.codec.names.logged, len(table.codec.names.names)):
            text = table.codec.names.names[name_id].encode()
            size = padded(RECORD_HEADER_BYTES + <uint64_t>len(text))
            if buffer_reserve(frame, size) != 0:
                raise MemoryError()
            record = <Record*>(frame.data + frame.size)
            memset(record, 0, size)
            record.size_bytes = RECORD_HEADER_BYTES + <uint32_t>len(text)
            record.kind = RECORD_NAME
            record.hash_size = <uint16_t>len(text)
            record.keyspace_id = <uint16_t>table.keyspace_id
            record.item_size = name_id
            memcpy(<uint8_t*>record + RECORD_HEADER_BYTES, <const char*>text, len(text))
            frame.size += size
        return 0

    cdef int append_frame(self, Buffer* frame) except -1:
        cdef int status
        if frame.size > FRAME_BYTES_MAX:
            self.fail(ERR_FULL, "writing a frame")
        status = log_room(self.log, frame.size)
        if status != OK:
            self.fail(status, "writing to the log")
        self.log.place(frame.data, frame.size)
        self.log.publish(frame.size)
        return 0

    cdef int settle(self, int durability) except -1:
        cdef uint64_t lsn = self.log.lsn
        cdef Log log = self.log
        cdef int status = OK
        engine_stir(self)
        if durability == DURABILITY_COMMIT:
            # A close in another thread must not unmap the log now.
            self.syncing_count += 1
            with nogil:
                status = log.sync(lsn)
            self.syncing_count -= 1
            self.release_late()
            if status != OK:
                self.require_writable()
        return 0

    cdef TableState table_by_id(self, uint32_t keyspace_id):
        if keyspace_id >= <uint32_t>len(self.tables):
            return None
        return self.tables[keyspace_id]

    cdef TableState table_add(self, bytes schema):
        try:
            return self.table_make(schema_parse(schema), schema)
        except ValidationError as error:
            raise CorruptError(f"a table's schema in the log has an impossible key: {error}"
                               ) from error

    cdef TableState table_make(self, dict parsed, bytes schema):
        cdef TableState table = TableState()
        cdef uint32_t keyspace_id = parsed["id"]
        hash_key, range_key = parsed["hash_key"], parsed["range_key"] or (None, None)
        if parsed["name"] in self.names or self.table_by_id(keyspace_id) is not None:
            raise CorruptError(f"table {parsed['name']!r} is created twice in the log")
        table.name = parsed["name"]
        table.keyspace_id = keyspace_id
        table.describe(parsed, schema)
        table.codec = ItemCodec(hash_key[0], hash_key[1], range_key[0], range_key[1],
                                parsed.get("wide", False))
        self.schema_version += 1
        self.generation += 1
        if keyspace_init(&table.space, &self.arena, &self.log.view, keyspace_id,
                         range_key[0] is not None, self.hash_seed, self.generation) != OK:
            raise MemoryError()
        while <uint32_t>len(self.tables) <= keyspace_id:
            self.tables.append(None)
        self.tables[keyspace_id] = table
        self.names[table.name] = keyspace_id
        return table

    cdef int table_drop(self, TableState table) except -1:
        self.schema_version += 1
        table.space.dropped = True
        keyspace_clear(&table.space)
        self.tables[table.keyspace_id] = None
        del self.names[table.name]
        self.cache.clear()
        return 0

    cdef int table_alter(self, TableState table, bytes schema) except -1:
        cdef dict parsed = schema_parse(schema)
        if parsed["name"] != table.name or parsed["id"] != table.keyspace_id:
            raise CorruptError(f"the log changes table {table.name!r} into another one")
        table.describe(parsed, schema)
        self.schema_version += 1
        return 0

    def change_tables(self, list create not None, dict alter not None, list drop not None,
                      str durability=None):
        """Create, change and drop tables in one commit.

        create: dicts as in a schema, without id; alter: {name: dict of what replaces the schema's
        meta and indexes}; drop: names. The arguments are valid already. Raises TableExists,
        TableNotFound, ValidationError.
        """
        cdef Buffer* frame
        cdef TableState table
        cdef list made = []
        while True:
            # json runs Python code, which hands over the GIL: another thread may have come first.
            version = self.schema_version
            schemas = self.plan_tables(create, alter, drop)
            if version == self.schema_version:
                break
        frame = self.scratch_take()
        try:
            frame.size = FRAME_HEADER_BYTES
            for name in drop:
                self.frame_schema(frame, RECORD_DROP, self.names[name], b"")
            for parsed, schema in schemas:
                if parsed["name"] not in alter:
                    made.append(self.table_make(parsed, schema))
                self.frame_schema(frame, RECORD_TABLE, parsed["id"], schema)
            self.append_frame(frame)
        except BaseException:
            for table in made:
                self.table_drop(table)
            raise
        finally:
            self.scratch_give(frame)
        for parsed, schema in schemas:
            if parsed["name"] in alter:
                (<TableState>self.tables[parsed["id"]]).describe(parsed, schema)
                self.schema_version += 1
        for name in drop:
            self.table_drop(self.tables[self.names[name]])
        self.settle(self.durability if durability is None else durability_parse(durability))

    def plan_tables(self, list create not None, dict alter not None, list drop not None):
        """Return (parsed, schema) of each table to create or change."""
        cdef TableState table
        self.require_writable()
        schemas = []
        keyspace_id = 0
        for wanted in create:
            if wanted["name"] in self.names:
                raise TableExists(f"table {wanted['name']!r} exists already")
            while self.table_by_id(keyspace_id) is not None:
                keyspace_id += 1
            if keyspace_id >= KEYSPACE_COUNT_MAX:
                raise ValidationError(f"a database holds at most {KEYSPACE_COUNT_MAX} tables")
            schema = json.dumps({"name": wanted["name"], "id": keyspace_id, **wanted}).encode()
            schemas.append((schema_parse(schema), schema))
            keyspace_id += 1
        for name in [*alter, *drop]:
            if name not in self.names:
                raise TableNotFound(f"no table {name!r} in this database")
        for name, changes in alter.items():
            table = self.tables[self.names[name]]
            schema = json.dumps({**json.loads(table.schema), **changes}).encode()
            schemas.append((schema_parse(schema), schema))
        return schemas

    def create_table(self, str name not None, tuple hash_key not None, range_key,
                     str durability=None):
        """Create a table and log it. The arguments are valid already."""
        self.change_tables([{"name": name, "hash_key": list(hash_key),
                             "range_key": list(range_key) if range_key else None}],
                           {}, [], durability)

    def drop_table(self, str name not None, str durability=None):
        """Drop a table with its indexes and log it."""
        self.change_tables([], {}, [name, *self.index_tables(name)], durability)

    def index_tables(self, str name not None):
        """Return the names of the hidden tables that hold a table's indexes."""
        return [other for other in self.names if other.startswith(name + "/")]

    def definitions(self, str name not None):
        """Return what change_tables takes to make a table and its hidden ones elsewhere."""
        made = []
        for other in [name, *self.index_tables(name)]:
            parsed = json.loads((<TableState>self.tables[self.names[other]]).schema)
            del parsed["id"]
            made.append(parsed)
        return made

    def meta(self, str name not None):
        """Return a copy of a table's meta, or None. Raises TableNotFound."""
        if name not in self.names:
            raise TableNotFound(f"no table {name!r} in this database")
        return json.loads((<TableState>self.tables[self.names[name]]).schema).get("meta")

    cdef int frame_schema(self, Buffer* frame, int kind, uint32_t keyspace_id,
                          bytes schema) except -1:
        cdef uint64_t size = padded(RECORD_HEADER_BYTES + <uint64_t>len(schema))
        cdef Record* record
        if buffer_reserve(frame, size) != 0:
            raise MemoryError()
        record = <Record*>(frame.data + frame.size)
        memset(record, 0, size)
        record.size_bytes = RECORD_HEADER_BYTES + <uint32_t>len(schema)
        record.kind = <uint8_t>kind
        record.keyspace_id = <uint16_t>keyspace_id
        memcpy(<uint8_t*>record + RECORD_HEADER_BYTES, <const char*>schema, len(schema))
        frame.size += size
        return 0

    cdef int reset(self) except -1:
        cdef TableState table
        for table in self.tables:
            if table is not None:
                table.space.dropped = True
        self.tables = []
        self.names = {}
        self.cache.clear()
        arena_reset(&self.arena)
        if self.log is not None:
            self.log.close()
        if self.checkpoint_fd >= 0:
            self.disk.close_file(self.checkpoint_fd)
            self.checkpoint_fd = -1
        self.arena.fd = -1
        return 0

    cdef uint64_t live_bytes(self) noexcept:
        cdef uint64_t total = 0
        cdef uint32_t slot
        for slot in range(self.log.view.slot_count):
            if self.log.view.slots[slot].live_bytes > 0:
                total += <uint64_t>self.log.view.slots[slot].live_bytes
        return total

    cdef uint64_t used_bytes(self) noexcept:
        """Bytes of all segments, the tail's up to its end."""
        if self.log.tail_base == NULL:
            return self.log.total_bytes
        return self.log.total_bytes - self.log.tail_size + self.log.tail_pos

    cdef uint64_t index_bytes(self) noexcept:
        cdef uint64_t total = self.arena.bytes_used
        cdef TableState table
        for table in self.tables:
            if table is not None:
                total += ((<uint64_t>12 << table.space.partition.depth)
                          + table.space.slot_live_count * 8)
        return total
