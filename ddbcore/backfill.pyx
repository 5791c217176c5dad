"""Backfill: the entries of an index that was added to a table with items.

Theory of operation
    From the moment the index is in the schema, each write keeps its entries. The items that were
    there before are walked in hash order, some at a time, and get theirs: what an item's entry is
    follows from the item alone, so it does not matter who writes it, or twice. An item that cannot
    have an entry (an attribute of another type) gets none.

Threads
    Under the GIL, in steps; writes go on between them.
"""

from libc.stdint cimport uint32_t

from ddbcore.buffer cimport Buffer
from ddbcore.commit cimport frame_commit, frame_entries
from ddbcore.cursor cimport Cursor
from ddbcore.engine cimport Engine
from ddbcore.indexes cimport IndexSet, IndexState, index_set
from ddbcore.log cimport FRAME_HEADER_BYTES
from ddbcore.record cimport Record
from ddbcore.table cimport CoreTable

from ddbcore.errors import ValidationError

cdef enum:
    STEP_BYTES_MAX = 262144


def fill(CoreTable table not None, str name not None, Cursor cursor not None, uint32_t count):
    """Add entries for up to `count` items of a cursor over the table; False when it has ended.

    Raises ValidationError when there is no such index, DiskFull and the like.
    """
    cdef Engine engine = table.engine
    cdef IndexSet indexes
    cdef IndexState index
    cdef IndexState wanted = None
    cdef const Record* record
    cdef Buffer* frame
    cdef bint more = True
    table.enter_write()
    indexes = index_set(engine, table.state)
    if indexes is not None:
        for index in indexes.states:
            if index.name == name:
                wanted = index
    if wanted is None:
        raise ValidationError(f"The table does not have the specified index: {name}")
    frame = engine.scratch_take()
    try:
        frame.size = FRAME_HEADER_BYTES
        while count > 0 and frame.size < STEP_BYTES_MAX:
            record = cursor.advance()
            if record == NULL:
                more = False
                break
            indexes.entry(wanted, record)
            frame_entries(frame, indexes)
            count -= 1
        if frame.size > FRAME_HEADER_BYTES:
            frame_commit(engine, frame, table.state, None)
    finally:
        engine.scratch_give(frame)
    table.settle(None)
    return more
