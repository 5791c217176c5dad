"""The superblock: where a database begins.

Theory of operation
    A file of two slots of 4 KiB, written in turn; a slot is valid when its checksum is right, and
    the valid one of greater sequence counts. A write that is torn leaves the other slot. Whatever a
    slot names (checkpoint, segments) is durable before the slot is written, and removed only after
    a newer slot is durable.

Invariants
    1. At least one slot is valid at any time after creation.

Format: FORMAT.md, section "Superblock".
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memset

from ddbcore.hashing cimport hash_bytes
from ddbcore.io cimport FILE_CREATE, FILE_READ, FILE_WRITE, Disk
from ddbcore.log cimport FORMAT_VERSION
from ddbcore.status cimport ERR_CORRUPT, FOUND, OK

cdef extern from "errno.h":
    enum: ENOENT

cdef uint64_t SUPERBLOCK_MAGIC = 0x3130424452524148
cdef const char* SUPERBLOCK_NAME = "superblock"
cdef const char* SUPERBLOCK_NEW = "superblock.new"


cdef uint64_t superblock_sum(const Superblock* superblock) noexcept nogil:
    return hash_bytes(<const uint8_t*>superblock, sizeof(Superblock) - 8, SUPERBLOCK_MAGIC)


cdef bint superblock_valid(const Superblock* superblock) noexcept nogil:
    return (superblock.magic == SUPERBLOCK_MAGIC and superblock.version == FORMAT_VERSION
            and superblock.checksum == superblock_sum(superblock))


cdef int superblock_read(Disk disk, Superblock* out) noexcept nogil:
    cdef uint8_t both[2 * SUPERBLOCK_SLOT_BYTES]
    cdef Superblock second
    cdef int fd = disk.open_file(SUPERBLOCK_NAME, FILE_READ)
    cdef int64_t size
    if fd < 0:
        return OK if fd == -ENOENT else fd - 1000
    memset(both, 0, sizeof(both))
    size = disk.read_at(fd, both, sizeof(both), 0)
    disk.close_file(fd)
    if size < 0:
        return <int>size - 1000
    memcpy(out, both, sizeof(Superblock))
    memcpy(&second, both + SUPERBLOCK_SLOT_BYTES, sizeof(Superblock))
    if superblock_valid(&second) and (not superblock_valid(out) or second.sequence > out.sequence):
        out[0] = second
    return FOUND if superblock_valid(out) else ERR_CORRUPT


cdef int superblock_store(Disk disk, Superblock* superblock, int fd, uint64_t slot) noexcept nogil:
    cdef uint8_t page[SUPERBLOCK_SLOT_BYTES]
    cdef int64_t done
    superblock.magic = SUPERBLOCK_MAGIC
    superblock.version = FORMAT_VERSION
    superblock.checksum = superblock_sum(superblock)
    memset(page, 0, sizeof(page))
    memcpy(page, superblock, sizeof(Superblock))
    done = disk.write_at(fd, page, sizeof(page), slot * SUPERBLOCK_SLOT_BYTES)
    return <int>done if done < 0 else OK


cdef int superblock_write(Disk disk, Superblock* superblock, bint durable,
                          bint* doubtful) noexcept nogil:
    cdef int fd = disk.open_file(SUPERBLOCK_NAME, FILE_WRITE)
    cdef Superblock found
    cdef int status
    doubtful[0] = False
    if fd < 0:
        return fd
    status = superblock_store(disk, superblock, fd, superblock.sequence & 1)
    if status < 0:
        # A write that changed nothing (no room, say) is no reason for doubt; one that went through
        # half is.
        doubtful[0] = (superblock_read(disk, &found) != FOUND
                       or found.sequence == superblock.sequence)
    elif durable:
        status = disk.sync_file(fd)
        doubtful[0] = status < 0
    disk.close_file(fd)
    return status if status < 0 else OK


cdef int superblock_create(Disk disk, Superblock* superblock) noexcept nogil:
    cdef int fd = disk.open_file(SUPERBLOCK_NEW, FILE_WRITE | FILE_CREATE)
    cdef int status
    if fd < 0:
        return fd
    status = superblock_store(disk, superblock, fd, 0)
    if status >= 0:
        status = superblock_store(disk, superblock, fd, 1)
    if status >= 0:
        status = disk.sync_file(fd)
    disk.close_file(fd)
    if status >= 0:
        status = disk.rename(SUPERBLOCK_NEW, SUPERBLOCK_NAME)
    if status >= 0:
        status = disk.sync_root()
    return status if status < 0 else OK
