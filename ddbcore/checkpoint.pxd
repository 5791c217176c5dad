"""Checkpoints: the index saved while writers go on."""

from libc.stdint cimport uint64_t

from ddbcore.engine cimport Engine

cdef enum:
    MANIFEST_UNIT_BYTES = 24              # granules and owner (4+4), position, checksum

# Save the index as of now and make it the place where opening starts. Returns 1, or 0 when one is
# running already. Raises StorageError; then the database is as it was.
cdef int checkpoint(Engine engine) except -1
# Wait until no other thread's checkpoint is under way. Hands over the GIL.
cdef int checkpoint_wait(Engine engine) except -1
# Write the superblock for engine.base. Raises StorageError.
cdef int superblock_flip(Engine engine, uint64_t meta_pos, uint64_t meta_size,
                         uint64_t meta_checksum, bint durable) except -1
cdef void checkpoint_name(unsigned int number, char* out) noexcept nogil
