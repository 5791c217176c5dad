"""Batches: puts and deletes of one table, written together.

Theory of operation
    Records are encoded one behind the other into a frame of the batch's own, which is placed in the
    log as it is; then they are applied to the index, with the index lines fetched ahead.

Invariants
    1. Between two calls the frame holds whole records only, `count` of them.

Threads
    Any thread, under the GIL. Encoding an item may run Python code, and so may making the entries
    of indexes: `busy` says that one of them is under way, and other calls are refused meanwhile.
"""

from libc.stdint cimport uint16_t, uint32_t, uint64_t

from ddbcore.buffer cimport buffer_free, buffer_reserve
from ddbcore.commit cimport batch_entries, frame_commit
from ddbcore.engine cimport Engine, durability_parse
from ddbcore.item cimport ItemCodec
from ddbcore.keyspace cimport keyspace_apply
from ddbcore.log cimport FRAME_BYTES_MAX, FRAME_HEADER_BYTES, log_room
from ddbcore.record cimport Record
from ddbcore.status cimport ERR_FULL, OK

from ddbcore.errors import ValidationError

cdef enum:
    BATCH_BYTES_MAX = 1048576             # a batch is written when its frame has grown to this

# The table of a batch that has none yet: it refuses all calls.
cdef CoreTable NO_TABLE = CoreTable.__new__(CoreTable)


cdef class Batch:
    """Puts and deletes written together: one commit per flush, which is all there or not at all.

    A batch is flushed when the `with` block ends, when it has grown to 1 MiB, and by flush(). When
    the block ends by an exception, what was not flushed is dropped.
    """

    def __cinit__(self):
        self.table = NO_TABLE

    def __init__(self, CoreTable table not None, durability=None):
        if self.busy:
            raise ValidationError("the batch is encoding an item")
        table.enter_write()
        self.table = table
        self.durability = (table.engine.durability if durability is None
                           else durability_parse(durability))
        self.frame.size = 0

    def __dealloc__(self):
        buffer_free(&self.frame)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.flush()
        elif not self.busy:
            self.frame.size = 0
            self.count = 0
        return False

    cdef int begin(self) except -1:
        if self.busy:
            raise ValidationError("the batch is encoding another item")
        self.table.enter_write()
        if self.frame.size == 0:
            if buffer_reserve(&self.frame, 4096) != 0:
                raise MemoryError()
            self.frame.size = FRAME_HEADER_BYTES
        self.busy = True
        return 0

    cdef int end(self, size_t start) except -1:
        cdef Record* record = <Record*>(self.frame.data + start)
        record.keyspace_id = <uint16_t>self.table.state.keyspace_id
        if buffer_reserve(&self.frame, 8) != 0:
            self.frame.size = start
            raise MemoryError()
        while self.frame.size & 7:
            self.frame.data[self.frame.size] = 0
            self.frame.size += 1
        self.count += 1
        if self.frame.size >= BATCH_BYTES_MAX:
            self.flush()
        return 0

    def put(self, item):
        """Add a put of an item.

        Raises ValidationError, ItemTooLarge; the batch is as before then.
        """
        cdef ItemCodec codec = self.table.codec
        cdef size_t start
        self.begin()
        start = self.frame.size
        try:
            codec.encode_item(item, &self.frame)
        finally:
            self.busy = False
        self.end(start)

    def delete(self, hash, range=None):
        """Add a delete of a key."""
        cdef ItemCodec codec = self.table.codec
        cdef size_t start
        self.begin()
        start = self.frame.size
        try:
            codec.encode_key(hash, range, &self.frame)
        finally:
            self.busy = False
        self.end(start)

    def flush(self):
        """Write what was added, in one commit."""
        cdef CoreTable table = self.table
        cdef Engine engine = table.engine
        cdef uint64_t size = self.frame.size
        cdef uint64_t address
        cdef int status
        if self.busy:
            raise ValidationError("the batch is encoding an item")
        if size <= FRAME_HEADER_BYTES:
            return
        table.enter_write()
        if table.state.index_list:
            self.busy = True
            try:
                engine.pins += 1
                try:
                    batch_entries(engine, table.state, &self.frame)
                finally:
                    engine.unpin()
                # Making them may have run Python code.
                table.enter_write()
                frame_commit(engine, &self.frame, table.state, None)
            except BaseException:
                self.frame.size = size
                raise
            finally:
                self.busy = False
            self.frame.size = FRAME_HEADER_BYTES
            self.count = 0
            table.settle_as(self.durability)
            return
        if table.codec.names.logged != <uint32_t>len(table.codec.names.names):
            engine.frame_names(table.state, &self.frame)
        status = (ERR_FULL if self.frame.size > FRAME_BYTES_MAX
                  else log_room(engine.log, self.frame.size))
        if status != OK:
            self.frame.size = size
            engine.fail(status, f"writing to table {table.name}")
        address = engine.log.place(self.frame.data, self.frame.size) + FRAME_HEADER_BYTES // 8
        status = keyspace_apply(table.space, self.frame.data + FRAME_HEADER_BYTES,
                                size - FRAME_HEADER_BYTES, address)
        if status < 0:
            # Part of it is in the index, none in the log: this handle ends, the database is as it
            # was.
            engine.refuse("a batch failed half way, and nothing of it was written: open the "
                          "database again")
            engine.fail(status, f"writing to table {table.name}")
        engine.log.publish(self.frame.size)
        table.codec.names.logged = <uint32_t>len(table.codec.names.names)
        self.frame.size = FRAME_HEADER_BYTES
        self.count = 0
        engine.cache.clear()
        table.settle_as(self.durability)
