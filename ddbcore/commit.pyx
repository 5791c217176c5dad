"""Commits of several records: an item with the entries of its indexes, a batch, a transaction.

Theory of operation
    A frame is filled with records, then placed, then each record changes the index of the table
    that its header names, then the frame is published. What can fail for want of anything but
    memory comes before the first change of an index.

Invariants
    1. A frame is in the log and in all indexes, or in none; where an index ran out of memory half
       way, the handle ends, and the log is without the frame.

Threads
    Under the GIL.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from ddbcore.buffer cimport Buffer, buffer_reserve
from ddbcore.engine cimport Engine, TableState
from ddbcore.hashing cimport hash_bytes
from ddbcore.indexes cimport IndexSet, index_set
from ddbcore.keyspace cimport (
    keyspace_find,
    keyspace_hash,
    keyspace_put,
    keyspace_remove,
    record_hash_span,
    record_range_span,
)
from ddbcore.log cimport FRAME_BYTES_MAX, FRAME_HEADER_BYTES, log_room
from ddbcore.record cimport RECORD_DELETE, RECORD_HEADER_BYTES, RECORD_PUT, Record
from ddbcore.segments cimport padded
from ddbcore.status cimport ERR_FULL, FOUND, OK


cdef const Record* record_find(Engine engine, TableState table, const Record* key,
                               uint64_t* hash) except? NULL:
    cdef const Record* record = NULL
    cdef uint64_t address = 0
    cdef int status
    hash[0] = keyspace_hash(&table.space, <const uint8_t*>key + RECORD_HEADER_BYTES, key.hash_size)
    status = keyspace_find(&table.space, hash[0], record_hash_span(key), record_range_span(key),
                           &address, &record)
    if status < 0:
        engine.fail(status, f"reading table {table.name}")
    return record if status == FOUND else NULL


cdef int frame_entries(Buffer* frame, IndexSet indexes) except -1:
    if indexes.records.size == 0:
        return 0
    if buffer_reserve(frame, indexes.records.size) != 0:
        raise MemoryError()
    memcpy(frame.data + frame.size, indexes.records.data, indexes.records.size)
    frame.size += indexes.records.size
    return 0


cdef int record_apply(Engine engine, const Record* record, uint64_t address) except -100:
    """Change the index that a record belongs to. A status."""
    cdef TableState table = engine.tables[record.keyspace_id]
    cdef uint64_t hash = keyspace_hash(
        &table.space, <const uint8_t*>record + RECORD_HEADER_BYTES, record.hash_size)
    cdef int status
    if record.kind == RECORD_PUT:
        status = keyspace_put(&table.space, hash, record, address)
    else:
        status = keyspace_remove(&table.space, hash, record_hash_span(record),
                                 record_range_span(record))
    if engine.cache.entry_count != 0:
        if record.range_size != 0:
            hash = hash_bytes(<const uint8_t*>record + RECORD_HEADER_BYTES + record.hash_size,
                              record.range_size, hash)
        engine.cache.forget(record.keyspace_id, hash, record_hash_span(record),
                            record_range_span(record))
    return status


cdef int frame_commit(Engine engine, Buffer* frame, TableState table, list tables) except -1:
    cdef uint64_t end = frame.size
    cdef uint64_t offset = FRAME_HEADER_BYTES
    cdef uint64_t address
    cdef const Record* record
    cdef TableState other
    cdef int status
    if table is not None and table.codec.names.logged != <uint32_t>len(table.codec.names.names):
        engine.frame_names(table, frame)
    if tables is not None:
        for other in tables:
            if other.codec.names.logged != <uint32_t>len(other.codec.names.names):
                engine.frame_names(other, frame)
    status = ERR_FULL if frame.size > FRAME_BYTES_MAX else log_room(engine.log, frame.size)
    if status != OK:
        engine.fail(status, "writing to the log")
    address = engine.log.place(frame.data, frame.size)
    while offset < end:
        record = <const Record*>(frame.data + offset)
        status = record_apply(engine, record, address + (offset >> 3))
        if status < 0:
            if offset != FRAME_HEADER_BYTES:
                engine.refuse("a commit failed half way, and nothing of it was written: open the "
                              "database again")
            engine.fail(status, "changing an index")
        offset += padded(record.size_bytes)
    engine.log.publish(frame.size)
    if table is not None:
        table.codec.names.logged = <uint32_t>len(table.codec.names.names)
    if tables is not None:
        for other in tables:
            other.codec.names.logged = <uint32_t>len(other.codec.names.names)
    return 0


cdef int batch_entries(Engine engine, TableState table, Buffer* frame) except -1:
    cdef IndexSet indexes
    cdef uint64_t end = frame.size
    cdef uint64_t offset, lsn, hash
    cdef const Record* record
    cdef const Record* old
    cdef dict seen
    cdef object key
    while True:
        # An index may have come or gone since the last round.
        indexes = index_set(engine, table)
        lsn = engine.log.lsn
        seen = {}
        frame.size = end
        if indexes is None or table.space.dropped or engine.refused:
            return 0
        offset = FRAME_HEADER_BYTES
        while offset < end:
            record = <const Record*>(frame.data + offset)
            key = (record.hash_size, (<const char*>record + RECORD_HEADER_BYTES)[
                :record.hash_size + record.range_size])
            if key in seen:
                # The item that an earlier record of this batch left, if it left one.
                old = <const Record*>(frame.data + <uint64_t>seen[key])
                if old.kind == RECORD_DELETE:
                    old = NULL
            else:
                old = record_find(engine, table, record, &hash)
            seen[key] = offset
            indexes.change(old, record if record.kind == RECORD_PUT else NULL, NULL, False)
            frame_entries(frame, indexes)
            offset += padded((<const Record*>(frame.data + offset)).size_bytes)
        # Making keys may have run other Python code, which may have written.
        if lsn == engine.log.lsn:
            return 0
