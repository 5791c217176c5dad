"""The superblock: where a database begins."""

from libc.stdint cimport uint32_t, uint64_t

from ddbcore.io cimport Disk

cdef enum:
    SUPERBLOCK_SLOT_BYTES = 4096

cdef struct Superblock:
    uint64_t magic
    uint32_t version
    uint32_t reserved
    uint64_t sequence                     # grows with each write: the greater one holds
    uint64_t database_id
    uint64_t hash_seed
    uint64_t created_ms
    uint32_t checkpoint_number            # file; 0: no checkpoint yet
    uint32_t log_number                   # segment where replay starts
    uint64_t meta_pos                     # of the checkpoint's tables, in its file
    uint64_t meta_size
    uint64_t meta_checksum
    uint64_t log_slot
    uint64_t log_offset
    uint64_t log_frame_seed
    uint64_t log_lsn
    uint64_t log_timestamp
    uint64_t clean_lsn                    # frames below were durable when this was written
    uint64_t padding[2]
    uint64_t checksum                     # of all before

# Read the newest valid slot. FOUND; OK when the file does not exist; ERR_CORRUPT; -errno of the
# system below -1000.
cdef int superblock_read(Disk disk, Superblock* out) noexcept nogil
# Write slot sequence % 2 and make it durable. 0 or -errno; then *doubtful tells whether the new one
# may be found in place of the old one.
cdef int superblock_write(Disk disk, Superblock* superblock, bint durable,
                          bint* doubtful) noexcept nogil
# Make the file of a new database: durable, then visible by rename. 0 or -errno.
cdef int superblock_create(Disk disk, Superblock* superblock) noexcept nogil
