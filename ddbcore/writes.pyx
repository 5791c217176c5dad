"""Writes and reads of items in DynamoDB's own form, one or many at one moment.

Theory of operation
    First everything that may run Python code is done: items and keys are encoded. Then each action
    in turn finds its item, has its condition decided, and leaves its record and the entries of its
    indexes in one frame. What the caller wants to see of the items is decoded on the way, which may
    run Python code again; so in the end the log must be where it was at the beginning, or the
    second part is done anew. Then the frame is committed. An action that fails leaves its error in
    its place among the outcomes, and then nothing is written.

    Reads of many keys find all records before they decode one, with the index lines and the records
    fetched ahead; so what they return is of one moment, whatever decoding runs.

Invariants
    1. The outcomes describe the state that the frame was made for, and nothing came in between.

Threads
    Under the GIL; a durable write releases it while it syncs.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memset

from ddbcore.buffer cimport Buffer, buffer_free, buffer_reserve
from ddbcore.commit cimport frame_commit, frame_entries, record_find
from ddbcore.engine cimport Engine, TableState, durability_parse
from ddbcore.hashing cimport hash_bytes
from ddbcore.indexes cimport INDEX_COUNT_MAX, IndexArm, IndexSet, IndexState, index_set
from ddbcore.item cimport ItemCodec
from ddbcore.keyspace cimport (
    keyspace_find,
    keyspace_hash,
    record_hash_span,
    record_range_span,
)
from ddbcore.log cimport FRAME_HEADER_BYTES
from ddbcore.partition cimport partition_prefetch
from ddbcore.program cimport Program
from ddbcore.projection cimport Projection, Selection
from ddbcore.record cimport RECORD_DELETE, RECORD_HEADER_BYTES, RECORD_PUT, Record
from ddbcore.table cimport CoreTable
from ddbcore.status cimport FOUND
from ddbcore.typed cimport (
    typed_item_append,
    typed_item_decode,
    typed_key_append,
    typed_key_decode,
)

from ddbcore.errors import ConditionalCheckFailed, Error, ValidationError

PUT, UPDATE, DELETE, CHECK = range(4)
# What the outcome shows: bits of Action.wants.
WANT_BEFORE, WANT_AFTER, WANT_FAILED, WANT_ARMS = 1, 2, 4, 8


cdef int buffer_align(Buffer* out) except -1:
    """Make the size a multiple of 8."""
    if out.size & 7:
        if buffer_reserve(out, 8) != 0:
            raise MemoryError()
        out.size = (out.size + 7) & ~<size_t>7
    return 0


cdef class Action:
    """One write: what to do with which item of which table, under which condition.

    native: the item, the values and what is shown are plain Python values; the item of all but a
    put is its key, (hash, range or None).
    """

    def __init__(self, CoreTable table not None, int kind, item, Program program=None, names=None,
                 values=None, bint partial=False, int wants=0, Projection touched=None,
                 bint native=False):
        if not ACTION_PUT <= kind <= ACTION_CHECK:
            raise ValueError("kind is PUT, UPDATE, DELETE or CHECK")
        self.table = table
        self.kind = kind
        self.item = item
        self.program = program
        self.names = names
        self.values = values
        self.partial = partial
        self.wants = wants
        self.touched = touched
        self.native = native

    cdef int encode(self, Buffer* out) except -1:
        """Append the item or the key, at a multiple of 8 bytes."""
        buffer_align(out)
        self.start = out.size
        self.codec = self.table.codec
        if self.native:
            if self.kind == ACTION_PUT:
                self.codec.encode_item(self.item, out)
            else:
                self.codec.encode_key(self.item[0], self.item[1], out)
        elif self.kind != ACTION_PUT:
            typed_key_append(self.codec, self.item, out)
        else:
            typed_item_append(self.codec, self.item, out)
        self.mark_key(out.data)
        return 0

    cdef void mark_key(self, const uint8_t* data) noexcept:
        """Note what the encoded key hashes to, and start loading its index line."""
        cdef const Record* key = <const Record*>(data + self.start)
        cdef TableState state = self.table.state
        self.hash = keyspace_hash(&state.space, <const uint8_t*>key + RECORD_HEADER_BYTES,
                                  key.hash_size)
        self.mark = self.hash
        if key.range_size:
            self.mark = hash_bytes(record_range_span(key).data, key.range_size, self.hash)
        if not state.space.dropped:
            partition_prefetch(&state.space.partition, self.hash)

    cdef bint meets(self, Action other, const uint8_t* data) noexcept:
        """Tell whether two encoded actions are of one item."""
        cdef const Record* key
        cdef const Record* known
        if self.mark != other.mark or self.table.state is not other.table.state:
            return False
        key = <const Record*>(data + self.start)
        known = <const Record*>(data + other.start)
        return (key.hash_size == known.hash_size and key.range_size == known.range_size
                and memcmp(<const uint8_t*>key + RECORD_HEADER_BYTES,
                           <const uint8_t*>known + RECORD_HEADER_BYTES,
                           <size_t>key.hash_size + key.range_size) == 0)

    cdef object image(self, const Record* record):
        """What the caller sees of a record; None when there is none."""
        cdef Selection selection
        if record == NULL:
            return None
        if self.touched is not None:
            selection = self.touched.bind(self.codec, self.names, True)
            return selection.decode(<const uint8_t*>record, record.size_bytes, not self.native)
        return self.whole(record)

    cdef object whole(self, const Record* record):
        """The item of a record, in the form of the action."""
        if self.native:
            return self.codec.decode_item(<const uint8_t*>record, record.size_bytes, NULL, NULL)
        return typed_item_decode(self.codec, <const uint8_t*>record, record.size_bytes)

    cdef int decide(self, const Record* old) except -1:
        """Raise ConditionalCheckFailed unless the condition holds."""
        if (self.program is None or not self.program.has_condition
                or self.program.check(self.codec, <const uint8_t*>old,
                                      old.size_bytes if old != NULL else 0, self.names, self.values,
                                      not self.native, self.partial)):
            return 0
        raise ConditionalCheckFailed("The conditional request failed")

    cdef const Record* write(
        self, const Record* key, const Record* old, Buffer* frame,
    ) except? NULL:
        """Append what the action writes; the record in the frame, or NULL when it writes nothing.
        """
        cdef size_t start = frame.size
        cdef Record* record
        if self.kind == ACTION_UPDATE and self.program is not None and self.program.has_update:
            if not self.program.run(self.codec, <const uint8_t*>old,
                                    old.size_bytes if old != NULL else 0, <const uint8_t*>key,
                                    key.size_bytes, self.names, self.values, frame,
                                    not self.native, self.partial):
                return NULL
        else:
            self.decide(old)
            if (self.kind == ACTION_CHECK or (self.kind == ACTION_DELETE and old == NULL)
                    or (self.kind == ACTION_UPDATE and old != NULL)):
                return NULL
            if buffer_reserve(frame, key.size_bytes + 8) != 0:
                raise MemoryError()
            memcpy(frame.data + start, key, key.size_bytes)
            frame.size += key.size_bytes
            if self.kind == ACTION_UPDATE:
                # An item of its key alone.
                record = <Record*>(frame.data + start)
                record.kind = RECORD_PUT
                record.item_size = self.key_bytes(key)
                frame.data[frame.size] = 0
                frame.size += 1
                record.size_bytes += 1
        record = <Record*>(frame.data + start)
        record.keyspace_id = <uint16_t>self.table.state.keyspace_id
        if buffer_reserve(frame, 8) != 0:
            raise MemoryError()
        while frame.size & 7:
            frame.data[frame.size] = 0
            frame.size += 1
        return <const Record*>(frame.data + start)

    cdef uint32_t key_bytes(self, const Record* key) except? 0xFFFFFFFF:
        """DynamoDB's size of an item that has only its key."""
        cdef Buffer scratch
        cdef uint32_t size
        memset(&scratch, 0, sizeof(Buffer))
        try:
            typed_item_append(
                self.codec,
                typed_key_decode(self.codec, <const uint8_t*>key, key.size_bytes), &scratch)
            size = (<Record*>scratch.data).item_size
        finally:
            buffer_free(&scratch)
        return size

    cdef tuple perform(self, Engine engine, const Record* key, Buffer* frame):
        """Do the action as far as the frame; its outcome."""
        cdef IndexArm arms[INDEX_COUNT_MAX]
        cdef IndexSet indexes = index_set(engine, self.table.state)
        cdef const Record* old
        cdef const Record* new
        cdef uint64_t hash = 0
        cdef size_t start = frame.size
        cdef uint32_t before, after
        cdef bint show_arms = (self.wants & SHOW_ARMS) != 0 and indexes is not None
        old = record_find(engine, self.table.state, key, &hash)
        before = old.item_size if old != NULL else 0
        try:
            new = self.write(key, old, frame)
        except ConditionalCheckFailed as error:
            if self.wants & SHOW_FAILED and old != NULL:
                error.item = self.whole(old)
            raise
        if new != NULL and new.kind == RECORD_DELETE:
            after = 0
        else:
            after = new.item_size if new != NULL else before
        if indexes is not None:
            indexes.change(
                old, old if new == NULL else new if new.kind == RECORD_PUT else NULL,
                arms if show_arms else NULL, self.kind == ACTION_UPDATE)
            frame_entries(frame, indexes)
        if new != NULL:
            # Entries behind it may have moved the frame.
            new = <const Record*>(frame.data + start)
        shown_before = self.image(old) if self.wants & SHOW_BEFORE else None
        shown_after = None
        if self.wants & SHOW_AFTER:
            shown_after = self.image(old if new == NULL else new)
        return (before, after, arms_list(indexes, arms) if show_arms else (), shown_before,
                shown_after)


cdef list arms_list(IndexSet indexes, const IndexArm* arms):
    cdef list made = []
    cdef IndexState index
    cdef uint32_t number = 0
    for index in indexes.states:
        made.append((index.name, index.is_global,
                     None if arms[number].before < 0 else arms[number].before,
                     None if arms[number].after < 0 else arms[number].after,
                     bool(arms[number].same_key), bool(arms[number].same_entry)))
        number += 1
    return made


def write_all(Engine engine not None, list actions not None, finish=None, durability=None):
    """Carry out actions as one, or none of them; return their outcomes in order.

    An outcome is (size before, size after, arms, image before, image after), sizes in bytes, 0 for
    no item; or the Error for which nothing was written. arms: (index name, is global, entry's size
    before or None, after or None, same key, same entry). finish: called with the outcomes when all
    are fine, perhaps several times, returns one more Action of the same commit. Raises what is no
    fault of an action: DiskFull, PoisonedError, ...
    """
    return actions_run(engine, list(actions), finish, durability, False)


def write_distinct(Engine engine not None, list actions not None, finish=None, durability=None):
    """Carry out actions as write_all does.

    Does nothing and returns None when two actions are of one item, or an item or a key cannot be
    encoded.
    """
    return actions_run(engine, list(actions), finish, durability, True)


cdef list actions_run(Engine engine, list actions, object finish, object durability, bint distinct):
    """What write_all and write_distinct have in common."""
    cdef int wanted = engine.durability if durability is None else durability_parse(durability)
    cdef Buffer* encoded
    cdef Action action
    cdef dict faults
    if not actions:
        return []
    for action in actions:
        if action.table is None or action.table.engine is not engine:
            raise ValidationError("all tables of a transaction are of one database")
        action.table.enter_write()
    encoded = engine.scratch_take()
    try:
        faults = encode_all(actions, encoded)
        if distinct and (faults or actions_meet(actions, encoded)):
            return None
        return actions_commit(engine, actions, faults, encoded, finish, wanted)
    finally:
        engine.scratch_give(encoded)


cdef list actions_commit(Engine engine, list actions, dict faults, Buffer* encoded, object finish,
                         int durability):
    cdef Buffer* frame = engine.scratch_take()
    cdef Action action
    cdef list outcomes
    cdef list tables
    cdef list everything = actions
    cdef uint64_t lsn, version
    cdef bint failed = False
    try:
        while True:
            lsn, version = engine.log.lsn, engine.schema_version
            for action in actions:
                action.table.enter_write()
                action.table.prefetch_record(action.hash)
            frame.size = FRAME_HEADER_BYTES
            outcomes = perform_all(engine, actions, faults, encoded, frame)
            failed = False
            for outcome in outcomes:
                failed = failed or type(outcome) is not tuple
            everything = actions
            if finish is not None and not failed:
                everything = [*actions, last_action(engine, finish(outcomes), encoded, frame)]
            tables = tables_of(everything)
            # Nothing is allocated from here on until the frame is in the log.
            if (lsn == engine.log.lsn and version == engine.schema_version
                    and not engine.refused):
                break
        if not failed and frame.size > FRAME_HEADER_BYTES:
            frame_commit(engine, frame, None, tables)
    finally:
        engine.scratch_give(frame)
    if not failed:
        (<Action>actions[0]).table.settle_as(durability)
    return outcomes


cdef list tables_of(list actions):
    """The states of the tables, each once."""
    cdef list tables = []
    cdef TableState last = None
    cdef Action action
    for action in actions:
        # Most actions are of the table of the one before.
        if action.table.state is not last:
            last = action.table.state
            if not any_is(tables, last):
                tables.append(last)
    return tables


cdef bint any_is(list tables, TableState wanted) noexcept:
    cdef Py_ssize_t number
    for number in range(len(tables)):
        if tables[number] is wanted:
            return True
    return False


cdef Action last_action(Engine engine, Action action, Buffer* encoded, Buffer* frame):
    """Carry out one more action, which has no right to fail."""
    action.table.enter_write()
    action.encode(encoded)
    engine.pins += 1
    try:
        action.perform(engine, <const Record*>(encoded.data + action.start), frame)
    finally:
        engine.unpin()
    return action


cdef dict encode_all(list actions, Buffer* encoded):
    """Encode all items and keys; the errors of those that cannot be, by number."""
    cdef Action action
    cdef dict faults = {}
    cdef int number = 0
    for action in actions:
        try:
            action.encode(encoded)
        except Error as error:
            faults[number] = error
        number += 1
    return faults


cdef list perform_all(Engine engine, list actions, dict faults, Buffer* encoded, Buffer* frame):
    cdef list outcomes = []
    cdef Action action
    cdef size_t size
    cdef int number = 0
    engine.pins += 1
    try:
        for action in actions:
            size = frame.size
            try:
                if number in faults:
                    raise faults[number]
                outcomes.append(action.perform(
                    engine, <const Record*>(encoded.data + action.start), frame))
            except Error as error:
                frame.size = size
                outcomes.append(error)
            number += 1
    finally:
        engine.unpin()
    return outcomes


# ---- keys ----------------------------------------------------------------------------------------


cdef int keys_meet(
    const uint8_t* data, const Wanted* wanted, uint32_t count,
) except -1:
    """Tell whether two of the encoded keys are equal and of one table."""
    cdef uint32_t size = 16
    cdef uint32_t number, slot
    cdef uint32_t* slots
    cdef const Record* record
    cdef const Record* other
    cdef size_t key_size
    cdef int met = 0
    while size < 2 * count:
        size *= 2
    slots = <uint32_t*>calloc(size, sizeof(uint32_t))
    if slots == NULL:
        raise MemoryError()
    for number in range(count):
        record = <const Record*>(data + wanted[number].start)
        key_size = <size_t>record.hash_size + record.range_size
        slot = <uint32_t>hash_bytes(<const uint8_t*>record + RECORD_HEADER_BYTES, key_size,
                                    <uint64_t>wanted[number].table) & (size - 1)
        while slots[slot] != 0:
            other = <const Record*>(data + wanted[slots[slot] - 1].start)
            if (wanted[slots[slot] - 1].table == wanted[number].table
                    and other.hash_size == record.hash_size
                    and other.range_size == record.range_size
                    and memcmp(<const uint8_t*>record + RECORD_HEADER_BYTES,
                               <const uint8_t*>other + RECORD_HEADER_BYTES, key_size) == 0):
                met = 1
                break
            slot = (slot + 1) & (size - 1)
        if met:
            break
        slots[slot] = number + 1
    free(slots)
    return met


cdef Wanted* wanted_make(Py_ssize_t count) except NULL:
    cdef Wanted* wanted = <Wanted*>malloc((count + 1) * sizeof(Wanted))
    if wanted == NULL:
        raise MemoryError()
    return wanted


cdef bint actions_meet(list actions, const Buffer* encoded) noexcept:
    """Tell whether two encoded actions are of one item."""
    cdef Py_ssize_t number
    for number in range(1, len(actions)):
        if action_meets(<Action>actions[number], actions, number, encoded.data):
            return True
    return False


cdef bint action_meets(Action action, list others, Py_ssize_t count, const uint8_t* data) noexcept:
    cdef Py_ssize_t number
    for number in range(count):
        if action.meets(<Action>others[number], data):
            return True
    return False


# ---- reads ---------------------------------------------------------------------------------------


cdef int key_want(CoreTable table, object key, Buffer* keys, Wanted* wanted) except -1:
    """Encode a key that is wanted of a table."""
    cdef ItemCodec codec = table.codec    # held: encoding may run Python code
    buffer_align(keys)
    wanted.table = <void*>table.state
    wanted.start = keys.size
    wanted.record = NULL
    typed_key_append(codec, key, keys)
    return 0


cdef int wanted_fetch(CoreTable table, const uint8_t* keys, Wanted* wanted) noexcept:
    """Start loading the index line of a wanted key."""
    cdef const Record* key = <const Record*>(keys + wanted.start)
    wanted.hash = keyspace_hash(table.space, <const uint8_t*>key + RECORD_HEADER_BYTES,
                                key.hash_size)
    partition_prefetch(&table.space.partition, wanted.hash)
    return 0


cdef int wanted_find(CoreTable table, const uint8_t* keys, Wanted* wanted) except -1:
    """Find the record of a wanted key."""
    cdef const Record* key = <const Record*>(keys + wanted.start)
    cdef uint64_t address = 0
    cdef int status = keyspace_find(table.space, wanted.hash, record_hash_span(key),
                                    record_range_span(key), &address, &wanted.record)
    if status < 0:
        table.engine.fail(status, f"reading table {table.name}")
    if status != FOUND:
        wanted.record = NULL
    return 0


def read_item(CoreTable table not None, key, Projection projection=None, names=None):
    """Read one item: (item or None, its whole size in bytes). Raises ValidationError."""
    cdef Engine engine = table.engine
    cdef Buffer* buffer = engine.scratch_take()
    cdef const Record* record
    cdef ItemCodec codec
    cdef uint64_t hash = 0
    try:
        table.enter()
        codec = table.codec               # held: encoding may run Python code
        typed_key_append(codec, key, buffer)
        # Encoding may have run Python code.
        table.enter()
        record = record_find(engine, table.state, <const Record*>buffer.data, &hash)
        if record == NULL:
            return None, 0
        engine.pins += 1
        try:
            return shown(table, record, projection, names), record.item_size
        finally:
            engine.unpin()
    finally:
        engine.scratch_give(buffer)


def read_keys(CoreTable table not None, list keys not None, Projection projection=None, names=None):
    """Read items of a table at one moment, by keys that all differ.

    Returns (items, sizes): in the order of the keys, None and 0 for no item, sizes in bytes of the
    whole items; or None when two keys are equal. names: of the projection. Raises ValidationError.
    """
    cdef Engine engine = table.engine
    cdef list wanted_keys = list(keys)
    cdef Py_ssize_t count = len(wanted_keys)
    cdef Py_ssize_t index
    cdef Wanted* wanted = wanted_make(count)
    cdef Buffer* buffer = NULL
    try:
        buffer = engine.scratch_take()
        table.enter()
        for index in range(count):
            key_want(table, wanted_keys[index], buffer, &wanted[index])
        if keys_meet(buffer.data, wanted, <uint32_t>count):
            return None
        # Encoding may have run Python code.
        table.enter()
        for index in range(count):
            wanted_fetch(table, buffer.data, &wanted[index])
        for index in range(count):
            table.prefetch_record(wanted[index].hash)
        engine.pins += 1
        try:
            for index in range(count):
                wanted_find(table, buffer.data, &wanted[index])
            return wanted_shown(table, wanted, count, projection, names)
        finally:
            engine.unpin()
    finally:
        if buffer != NULL:
            engine.scratch_give(buffer)
        free(wanted)


cdef tuple wanted_shown(CoreTable table, const Wanted* wanted, Py_ssize_t count,
                        Projection projection, object names):
    """The items that were found and their sizes, as two lists."""
    cdef ItemCodec codec = table.codec
    cdef Selection selection = None
    cdef const Record* record
    cdef Py_ssize_t index
    cdef list items = []
    cdef list sizes = []
    if projection is not None:
        selection = projection.bind(codec, names, True)
    for index in range(count):
        record = wanted[index].record
        if record == NULL:
            items.append(None)
            sizes.append(0)
            continue
        sizes.append(record.item_size)
        if selection is None:
            items.append(typed_item_decode(codec, <const uint8_t*>record, record.size_bytes))
        else:
            items.append(selection.decode(<const uint8_t*>record, record.size_bytes, True))
    return items, sizes


def read_all(Engine engine not None, list reads not None, bint distinct=False):
    """Read items at one moment: a list of (item or None, its size in bytes).

    reads: (table, key, Projection or None, names). distinct: return None when two are of one item.
    Raises ValidationError.
    """
    cdef list wanted_reads = list(reads)
    cdef Py_ssize_t count = len(wanted_reads)
    cdef Py_ssize_t index
    cdef Wanted* wanted = wanted_make(count)
    cdef Buffer* buffer = NULL
    cdef CoreTable table
    cdef list found = []
    cdef const Record* record
    try:
        buffer = engine.scratch_take()
        for index in range(count):
            table, key, _, _ = wanted_reads[index]
            table.enter()
            key_want(table, key, buffer, &wanted[index])
        if distinct and keys_meet(buffer.data, wanted, <uint32_t>count):
            return None
        # A reader follows the writer here, and not in between.
        for table, _, _, _ in wanted_reads:
            table.enter()
        for index in range(count):
            table = wanted_reads[index][0]
            if table.space.dropped:
                table.renew()
            wanted_fetch(table, buffer.data, &wanted[index])
        for index in range(count):
            (<CoreTable>wanted_reads[index][0]).prefetch_record(wanted[index].hash)
        engine.pins += 1
        try:
            for index in range(count):
                wanted_find(<CoreTable>wanted_reads[index][0], buffer.data, &wanted[index])
            for index in range(count):
                record = wanted[index].record
                if record == NULL:
                    found.append((None, 0))
                    continue
                table, _, projection, names = wanted_reads[index]
                found.append((shown(table, record, projection, names), record.item_size))
        finally:
            engine.unpin()
        return found
    finally:
        if buffer != NULL:
            engine.scratch_give(buffer)
        free(wanted)


cdef object shown(CoreTable table, const Record* record, Projection projection, object names):
    """A record's item, or what a projection leaves of it."""
    cdef Selection selection
    if projection is None:
        return typed_item_decode(table.codec, <const uint8_t*>record, record.size_bytes)
    selection = projection.bind(table.codec, names, True)
    return selection.decode(<const uint8_t*>record, record.size_bytes, True)
