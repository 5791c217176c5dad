"""Writes and reads of items in DynamoDB's own form, one or many at one moment.

Theory of operation
    First everything that may run Python code is done: items and keys are encoded. Then each action
    in turn finds its item, has its condition decided, and leaves its record and the entries of its
    indexes in one frame. What the caller wants to see of the items is decoded on the way, which may
    run Python code again; so in the end the log must be where it was at the beginning, or the
    second part is done anew. Then the frame is committed. An action that fails leaves its error in
    its place among the outcomes, and then nothing is written.

Invariants
    1. The outcomes describe the state that the frame was made for, and nothing came in between.

Threads
    Under the GIL; a durable write releases it while it syncs.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from ddbcore.buffer cimport Buffer, buffer_free, buffer_reserve
from ddbcore.commit cimport frame_commit, frame_entries, record_find
from ddbcore.engine cimport Engine
from ddbcore.indexes cimport INDEX_COUNT_MAX, IndexArm, IndexSet, IndexState, index_set
from ddbcore.log cimport FRAME_HEADER_BYTES
from ddbcore.program cimport Program
from ddbcore.projection cimport Projection, Selection
from ddbcore.record cimport RECORD_DELETE, RECORD_PUT, Record
from ddbcore.table cimport CoreTable
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

cdef enum:
    ACTION_PUT = 0
    ACTION_UPDATE = 1
    ACTION_DELETE = 2
    ACTION_CHECK = 3
    SHOW_BEFORE = 1
    SHOW_AFTER = 2
    SHOW_FAILED = 4
    SHOW_ARMS = 8


cdef class Action:
    """One write: what to do with which item of which table, under which condition."""

    def __cinit__(self, CoreTable table not None, int kind, item, Program program=None, names=None,
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
        while out.size & 7:
            buffer_reserve(out, 1)
            out.size += 1
        self.start = out.size
        self.codec = self.table.codec
        if self.kind != ACTION_PUT:
            typed_key_append(self.codec, self.item, out)
        elif self.native:
            self.codec.encode_item(self.item, out)
        else:
            typed_item_append(self.codec, self.item, out)
        return 0

    cdef object image(self, const Record* record):
        """What the caller sees of a record; None when there is none."""
        cdef Selection selection
        if record == NULL:
            return None
        if self.touched is not None:
            selection = self.touched.bind(self.codec, self.names, True)
            return selection.decode(<const uint8_t*>record, record.size_bytes, True)
        return typed_item_decode(self.codec, <const uint8_t*>record, record.size_bytes)

    cdef int decide(self, const Record* old) except -1:
        """Raise ConditionalCheckFailed unless the condition holds."""
        if (self.program is None or not self.program.has_condition
                or self.program.check(self.codec, <const uint8_t*>old,
                                      old.size_bytes if old != NULL else 0, self.names, self.values,
                                      True, self.partial)):
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
                                    key.size_bytes, self.names, self.values, frame, True,
                                    self.partial):
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
                error.item = typed_item_decode(self.codec, <const uint8_t*>old, old.size_bytes)
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
    cdef Buffer* encoded
    cdef Buffer* frame = NULL
    cdef Action action
    cdef list outcomes
    cdef list tables
    cdef list everything = actions
    cdef uint64_t lsn, version
    cdef bint failed = False
    if not actions:
        return []
    for action in actions:
        if action.table.engine is not engine:
            raise ValidationError("all tables of a transaction are of one database")
        action.table.enter_write()
    encoded = engine.scratch_take()
    try:
        faults = encode_all(actions, encoded)
        frame = engine.scratch_take()
        while True:
            for action in actions:
                action.table.enter_write()
            lsn, version = engine.log.lsn, engine.schema_version
            frame.size = FRAME_HEADER_BYTES
            outcomes = perform_all(engine, actions, faults, encoded, frame)
            failed = False
            for outcome in outcomes:
                failed = failed or isinstance(outcome, Error)
            everything = actions
            if finish is not None and not failed:
                everything = [*actions, last_action(engine, finish(outcomes), encoded, frame)]
            tables = list({id(action.table.state): action.table.state
                           for action in everything}.values())
            # Nothing is allocated from here on until the frame is in the log.
            if lsn == engine.log.lsn and version == engine.schema_version:
                break
        if not failed and frame.size > FRAME_HEADER_BYTES:
            frame_commit(engine, frame, None, tables)
    finally:
        engine.scratch_give(encoded)
        if frame != NULL:
            engine.scratch_give(frame)
    if not failed:
        (<Action>actions[0]).table.settle(durability)
    return outcomes


cdef Action last_action(Engine engine, Action action, Buffer* encoded, Buffer* frame):
    """Carry out one more action, which has no right to fail."""
    action.table.enter_write()
    action.encode(encoded)
    action.perform(engine, <const Record*>(encoded.data + action.start), frame)
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


def read_all(Engine engine not None, list reads not None):
    """Read items at one moment: a list of (item or None, its size in bytes).

    reads: (table, key, Projection or None, names). Raises ValidationError.
    """
    cdef Buffer* buffer = engine.scratch_take()
    cdef CoreTable table
    cdef const Record* record
    cdef list found
    cdef uint64_t lsn, hash
    try:
        while True:
            # A reader follows the writer here, and not in between.
            for table, _, _, _ in reads:
                table.enter()
            lsn = engine.log.lsn
            found = []
            for table, key, projection, names in reads:
                if table.space.dropped:
                    table.renew()
                buffer.size = 0
                codec = table.codec
                typed_key_append(codec, key, buffer)
                record = record_find(engine, table.state, <const Record*>buffer.data, &hash)
                if record == NULL:
                    found.append((None, 0))
                    continue
                engine.pins += 1
                try:
                    found.append((shown(table, record, projection, names), record.item_size))
                finally:
                    engine.unpin()
            if lsn == engine.log.lsn or len(reads) == 1:
                return found
    finally:
        engine.scratch_give(buffer)


cdef object shown(CoreTable table, const Record* record, Projection projection, object names):
    """A record's item, or what a projection leaves of it."""
    cdef Selection selection
    if projection is None:
        return typed_item_decode(table.codec, <const uint8_t*>record, record.size_bytes)
    selection = projection.bind(table.codec, names, True)
    return selection.decode(<const uint8_t*>record, record.size_bytes, True)
