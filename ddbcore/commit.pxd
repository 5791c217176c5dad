"""Commits of several records: an item with the entries of its indexes, a batch, a transaction."""

from libc.stdint cimport uint64_t

from ddbcore.buffer cimport Buffer
from ddbcore.engine cimport Engine, TableState
from ddbcore.indexes cimport IndexSet
from ddbcore.record cimport Record

# Log a frame of puts and deletes of any tables and change their indexes, as one. table, tables
# (may be None): whose names may be new. Runs no Python code before the log has it. Raises DiskFull
# and the like, then nothing was changed; a MemoryError in the middle ends the handle.
cdef int frame_commit(Engine engine, Buffer* frame, TableState table, list tables) except -1
# Append the entries that `indexes.change` wrote.
cdef int frame_entries(Buffer* frame, IndexSet indexes) except -1
# The record of a key (header and keys at `key`) in a table's index, or NULL.
cdef const Record* record_find(Engine engine, TableState table, const Record* key,
                               uint64_t* hash) except? NULL
# Append the entries of a frame of base records, which may name a key several times.
cdef int batch_entries(Engine engine, TableState table, Buffer* frame) except -1
