"""Recovery: opening what is there."""

from ddbcore.engine cimport Engine

# Create an empty database on the engine's disk. Raises StorageError.
cdef int database_create(Engine engine) except -1
# Load the newest checkpoint and replay the log. Returns 0 when there is no database, else 1.
# `salvage`: stop at damage in the log instead of refusing. Raises CorruptError, StorageError.
cdef int database_load(Engine engine, bint salvage) except -1
# Make the recovered tail the place to write, after a sync. Raises StorageError.
cdef int database_resume(Engine engine) except -1
# Reader: apply what the writer appended since the last call. Raises CorruptError, StorageError.
cdef int follow(Engine engine) except -1
# Writer, after a failed sync: show the durable state only.
cdef int roll_back(Engine engine) except -1
