"""A drive in memory that can lose its power: for tests."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

from ddbcore.faults cimport FaultPlan
from ddbcore.io cimport MemoryDisk, MemoryFile

cdef enum:
    SECTOR_BYTES = 512                    # what a drive writes as one


cdef class SimulatedFile:
    """What a simulated drive knows of one file: bytes and size that survive a power loss."""

    cdef MemoryFile* file                 # pinned while the disk lists this object
    cdef uint8_t* durable                 # owned
    cdef uint64_t durable_bytes           # allocated, whole pages
    cdef uint64_t durable_size            # the durable file size
    cdef uint8_t* lost                    # owned: the contents when a sync failed, or NULL
    cdef uint64_t lost_bytes              # allocated, whole pages
    cdef uint8_t* lost_flags              # owned: 1 for each sector that a failed sync dropped

    # These are called with the lock of the MemoryTable held. 0 or -ENOMEM.
    cdef int reserve(self, uint64_t size) noexcept nogil
    cdef int sync_keep(self) noexcept nogil
    cdef int sync_lose(self) noexcept nogil
    cdef int write_back(self, double share, uint64_t* random_state) noexcept nogil
    cdef uint64_t dirty_count(self) noexcept nogil
    cdef int copy_state(self, SimulatedFile source) noexcept nogil
    # Fill target (a new, empty file) with what a crash leaves of this one.
    cdef int crash_into(self, MemoryFile* target, int keep, uint64_t* random_state) noexcept nogil
    cdef const uint8_t* live_at(self, uint64_t offset) noexcept nogil
    cdef const uint8_t* durable_at(self, uint64_t offset) noexcept nogil
    cdef bint dropped_at(self, uint64_t offset) noexcept nogil
    cdef void flag_clear(self, uint64_t offset) noexcept nogil
    cdef int size_keep(self, uint64_t size) noexcept nogil
    cdef uint64_t size_after(self, int keep, uint64_t* random_state) noexcept nogil
    cdef int lost_reserve(self, uint64_t size) noexcept nogil


cdef class SimulatedDisk(MemoryDisk):
    """A drive in memory that can lose its power."""

    cdef readonly FaultPlan faults
    cdef object guard                     # RLock over the fields below
    cdef dict inodes                      # SimulatedFile by the address of its MemoryFile
    cdef dict durable_names               # SimulatedFile by name (bytes), as the drive has them
    cdef list pending                     # names since then: (kind, SimulatedFile, name, new name)
    cdef bint lossy                       # a sync has failed: there may be flags in inodes
    cdef bint clock_fixed
    cdef uint64_t clock_wall_ms
    cdef uint64_t clock_monotonic_ns

    # Create, rename, remove or lock and take note of it, under the guard.
    cdef int names_change(
        self, int kind, const char* source, const char* target, int* status
    ) except -1
    cdef int names_change_nogil(
        self, int kind, const char* source, const char* target
    ) noexcept nogil
    # The directory after a crash.
    cdef dict names_after(self, int keep, uint64_t* random_state)
    cdef int sync_guarded(self, MemoryFile* file, bint failed, int* status) except -1
    cdef int sync_inode(self, int fd, bint failed) noexcept nogil
    # Bytes were written by a call: their sectors are dirty, whatever a failed sync did to them.
    cdef void write_mark(self, int fd, uint64_t offset, uint64_t size) noexcept
    # A new empty file that the drive knows of, pinned; its name is live only.
    cdef SimulatedFile file_add(self, bytes name)
    cdef SimulatedFile file_named(self, const char* name)      # None: no such live name
    cdef void name_drop(self, SimulatedFile inode) noexcept
    cdef int names_keep(self) except -1
    cdef void clock_copy(self, SimulatedDisk source) noexcept
