"""A drive in memory that can lose its power: for tests.

*Theory of operation*. SimulatedDisk is a MemoryDisk that holds two states of each file: the live
one (the page cache, which mapped writes change without a call) and the durable one (what the
platters have). They are compared in sectors when the power goes. What was written and not synced
may then be there or not, sector by sector, in any order; a sector may be torn. Every state that a
drive may leave behind is one that crash() can give; code that survives them needs no luck.
write_back() lets a part reach the drive early, as the kernel does, so that a sector can also
survive in a version between its last sync and the crash.

*Names*. The directory is durable at sync_root. Each change since then is there after a crash, or is
not: in half of the random crashes those there are a prefix (a journal), in the others any of them.
A rename is atomic. A synced file whose name is not durable is lost.

*A failed sync* drops what it did not write, as Linux does: the cache keeps the bytes and takes them
for clean, so the next sync succeeds without writing them. Only bytes that change again in a map, or
that are written again by write_at, the same ones too, reach the drive.

*Invariants*. (1) A state is a function of seed, mode and history. (2) crash, snapshot and dump
leave the disk as it is. (3) durable[durable_size : durable_bytes] is zero. (4) Every live or
durable name has a SimulatedFile in inodes, and its MemoryFile is pinned, so that a file removed
without sync_root can come back.

*Threads*. Any. Changes of names and syncs run one at a time under the guard; crash waits for them.
keep="new" is an exact image only while nobody writes to a map. The GIL is taken for hooks, changes
of names and syncs, never under a C lock.
"""

import os
import threading

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING
from cpython.pythread cimport PyThread_acquire_lock, PyThread_release_lock, WAIT_LOCK
from libc.errno cimport EBADF, ENOMEM
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset, strcmp

from ddbcore.faults cimport (
    FAULT_ALLOCATE, FAULT_LOCK, FAULT_MAP, FAULT_OPEN, FAULT_POPULATE, FAULT_READ, FAULT_REMOVE,
    FAULT_RENAME, FAULT_SYNC, FAULT_SYNC_ROOT, FAULT_TRUNCATE, FAULT_WRITE, FaultPlan,
)
from ddbcore.faults import FAULT_OPERATIONS, FaultDisk
from ddbcore.io cimport (
    FILE_CREATE, FILE_READ, FILE_WRITE, MemoryDisk, MemoryFile, MemoryTable, memory_create,
    memory_find, memory_release, memory_resize, pages_drop, pages_take,
)

__all__ = ["FAULT_OPERATIONS", "FaultDisk", "SimulatedDisk"]

cdef enum KeepMode:
    KEEP_RANDOM
    KEEP_OLD
    KEEP_NEW
    KEEP_PREFIX

cdef enum NameChange:
    NAME_CREATE
    NAME_RENAME
    NAME_REMOVE
    NAME_LOCK

cdef enum:
    ROUND_BYTES = 65536                   # allocation unit of images: whole pages on every machine
    TORN_ONE_IN = 8                       # of the surviving sectors of a random crash

cdef uint8_t[SECTOR_BYTES] zero_sector    # static, never written


cdef void table_lock(MemoryTable* table) noexcept nogil:
    PyThread_acquire_lock(table.lock, WAIT_LOCK)


cdef void table_unlock(MemoryTable* table) noexcept nogil:
    PyThread_release_lock(table.lock)


# SplitMix64: good enough to choose sectors, and the same on every machine.
cdef uint64_t random_next(uint64_t* state) noexcept nogil:
    cdef uint64_t value
    state[0] += <uint64_t>0x9E3779B97F4A7C15ULL
    value = state[0]
    value = (value ^ (value >> 30)) * <uint64_t>0xBF58476D1CE4E5B9ULL
    value = (value ^ (value >> 27)) * <uint64_t>0x94D049BB133111EBULL
    return value ^ (value >> 31)


cdef bint random_chance(uint64_t* state, double share) noexcept nogil:
    return <double>(random_next(state) >> 11) * (1.0 / 9007199254740992.0) < share


cdef bint sector_equal(const uint8_t* left, const uint8_t* right) noexcept nogil:
    return memcmp(left, right, SECTOR_BYTES) == 0


cdef uint64_t bytes_round(uint64_t size) noexcept nogil:
    return (size + ROUND_BYTES - 1) & ~(<uint64_t>ROUND_BYTES - 1)


# Make *data at least `size` bytes, the new ones zero. 0 or -ENOMEM.
cdef int image_reserve(uint8_t** data, uint64_t* capacity, uint64_t size) noexcept nogil:
    cdef uint64_t wanted = bytes_round(size)
    cdef uint8_t* grown
    if wanted <= capacity[0]:
        return 0
    # Doubling, so that a file that grows by small appends is not copied at each sync.
    wanted = max(wanted, capacity[0] * 2)
    grown = pages_take(wanted)
    if grown == NULL:
        return -ENOMEM
    image_copy(grown, data[0], capacity[0])
    pages_drop(data[0], capacity[0])
    data[0] = grown
    capacity[0] = wanted
    return 0


# Copy into zero pages without touching those that stay zero; size is whole sectors.
cdef void image_copy(uint8_t* target, const uint8_t* source, uint64_t size) noexcept nogil:
    cdef uint64_t offset = 0
    while offset < size:
        if not sector_equal(source + offset, zero_sector):
            memcpy(target + offset, source + offset, SECTOR_BYTES)
        offset += SECTOR_BYTES


cdef class SimulatedFile:
    """What a simulated drive knows of one file: bytes and size that survive a power loss."""

    def __dealloc__(self):
        pages_drop(self.durable, self.durable_bytes)
        pages_drop(self.lost, self.lost_bytes)
        free(self.lost_flags)

    cdef int reserve(self, uint64_t size) noexcept nogil:
        return image_reserve(&self.durable, &self.durable_bytes, size)

    cdef const uint8_t* live_at(self, uint64_t offset) noexcept nogil:
        return self.file.data + offset if offset < self.file.usable else zero_sector

    cdef const uint8_t* durable_at(self, uint64_t offset) noexcept nogil:
        return self.durable + offset if offset < self.durable_bytes else zero_sector

    # Did a failed sync drop this sector, and has nobody changed it since?
    cdef bint dropped_at(self, uint64_t offset) noexcept nogil:
        if offset >= self.lost_bytes or not self.lost_flags[offset // SECTOR_BYTES]:
            return False
        return sector_equal(self.live_at(offset), self.lost + offset)

    cdef int size_keep(self, uint64_t size) noexcept nogil:
        if self.reserve(size) < 0:
            return -ENOMEM
        if size < self.durable_size:
            memset(self.durable + size, 0, self.durable_size - size)
        self.durable_size = size
        return 0

    cdef int sync_keep(self) noexcept nogil:
        cdef uint64_t offset = 0
        cdef uint64_t size = self.file.size
        if self.size_keep(size) < 0:
            return -ENOMEM
        while offset < size:
            if sector_equal(self.live_at(offset), self.durable + offset):
                self.flag_clear(offset)
            elif not self.dropped_at(offset):
                memcpy(self.durable + offset, self.live_at(offset),
                       min(size - offset, <uint64_t>SECTOR_BYTES))
                self.flag_clear(offset)
            offset += SECTOR_BYTES
        return 0

    cdef void flag_clear(self, uint64_t offset) noexcept nogil:
        if offset < self.lost_bytes:
            self.lost_flags[offset // SECTOR_BYTES] = 0

    cdef int lost_reserve(self, uint64_t size) noexcept nogil:
        cdef uint64_t wanted = bytes_round(size)
        cdef uint8_t* image
        cdef uint8_t* flags
        if wanted <= self.lost_bytes:
            return 0
        image = pages_take(wanted)
        flags = <uint8_t*>calloc(wanted // SECTOR_BYTES, 1)
        if image == NULL or flags == NULL:
            pages_drop(image, wanted)
            free(flags)
            return -ENOMEM
        if self.lost_bytes > 0:
            image_copy(image, self.lost, self.lost_bytes)
            memcpy(flags, self.lost_flags, self.lost_bytes // SECTOR_BYTES)
        pages_drop(self.lost, self.lost_bytes)
        free(self.lost_flags)
        self.lost = image
        self.lost_flags = flags
        self.lost_bytes = wanted
        return 0

    cdef int sync_lose(self) noexcept nogil:
        cdef uint64_t offset = 0
        if self.lost_reserve(self.file.size) < 0:
            return -ENOMEM
        while offset < self.file.size:
            if not sector_equal(self.live_at(offset), self.durable_at(offset)):
                memcpy(self.lost + offset, self.live_at(offset), SECTOR_BYTES)
                self.lost_flags[offset // SECTOR_BYTES] = 1
            offset += SECTOR_BYTES
        return 0

    cdef int write_back(self, double share, uint64_t* random_state) noexcept nogil:
        cdef uint64_t offset = 0
        if self.file.size != self.durable_size and random_chance(random_state, share):
            if self.size_keep(self.file.size) < 0:
                return -ENOMEM
        while offset < self.durable_size:
            if not sector_equal(self.live_at(offset), self.durable + offset):
                if random_chance(random_state, share) and not self.dropped_at(offset):
                    memcpy(self.durable + offset, self.live_at(offset),
                           min(self.durable_size - offset, <uint64_t>SECTOR_BYTES))
                    self.flag_clear(offset)
            offset += SECTOR_BYTES
        return 0

    cdef uint64_t dirty_count(self) noexcept nogil:
        cdef uint64_t count = 0
        cdef uint64_t offset = 0
        while offset < max(self.file.size, self.durable_size):
            count += not sector_equal(self.live_at(offset), self.durable_at(offset))
            offset += SECTOR_BYTES
        return count

    cdef int copy_state(self, SimulatedFile source) noexcept nogil:
        if self.reserve(source.durable_bytes) < 0:
            return -ENOMEM
        image_copy(self.durable, source.durable, source.durable_bytes)
        self.durable_size = source.durable_size
        if self.lost_reserve(source.lost_bytes) < 0:
            return -ENOMEM
        if source.lost_bytes > 0:
            image_copy(self.lost, source.lost, source.lost_bytes)
            memcpy(self.lost_flags, source.lost_flags, source.lost_bytes // SECTOR_BYTES)
        return 0

    # The size after a crash: the durable one, the live one or, when the file has grown, a stop on
    # the way.
    cdef uint64_t size_after(self, int keep, uint64_t* random_state) noexcept nogil:
        cdef uint64_t live_size = self.file.size
        cdef uint64_t dice = random_next(random_state)
        cdef uint64_t between = random_next(random_state)
        if keep == KEEP_OLD or keep == KEEP_NEW or live_size == self.durable_size:
            return self.durable_size if keep == KEEP_OLD else live_size
        if keep == KEEP_RANDOM and dice % 5 == 0 and live_size > self.durable_size:
            between = self.durable_size + between % (live_size - self.durable_size)
            return max(self.durable_size, between - between % SECTOR_BYTES)
        return live_size if dice & 32 else self.durable_size

    # Which unsynced sectors survive: the first `whole` of them, and of the others each by chance
    # `share`.
    cdef int crash_into(self, MemoryFile* target, int keep, uint64_t* random_state) noexcept nogil:
        cdef uint64_t size = self.size_after(keep, random_state)
        cdef uint64_t dirty = self.dirty_count()
        cdef uint64_t whole = 0
        cdef uint64_t offset = 0
        cdef uint64_t index = 0
        cdef uint64_t torn_bytes, count
        cdef double share = 0.0
        cdef const uint8_t* source
        if memory_resize(target, size) < 0:
            return -ENOMEM
        if keep == KEEP_NEW:
            whole = dirty
        elif keep == KEEP_PREFIX:
            whole = random_next(random_state) % (dirty + 1)
        elif keep == KEEP_RANDOM:
            # All-old and all-new files beside mixed ones: the states in which files contradict each
            # other.
            share = <double>(random_next(random_state) % 5) / 4.0
        while offset < size:
            count = min(size - offset, <uint64_t>SECTOR_BYTES)
            source = self.durable_at(offset)
            torn_bytes = 0
            if not sector_equal(source, self.live_at(offset)):
                if index < whole:
                    source = self.live_at(offset)
                elif keep == KEEP_PREFIX and index == whole and random_chance(random_state, 0.5):
                    torn_bytes = 1 + random_next(random_state) % (SECTOR_BYTES - 1)
                elif keep == KEEP_RANDOM and random_chance(random_state, share):
                    if random_next(random_state) % TORN_ONE_IN == 0:
                        torn_bytes = 1 + random_next(random_state) % (SECTOR_BYTES - 1)
                    else:
                        source = self.live_at(offset)
                index += 1
            if not sector_equal(source, zero_sector):
                memcpy(target.data + offset, source, count)
            if torn_bytes > 0:
                memcpy(target.data + offset, self.live_at(offset), min(torn_bytes, count))
            offset += SECTOR_BYTES
        return 0


@cython.no_gc_clear
cdef class SimulatedDisk(MemoryDisk):
    """A drive in memory that can lose its power, with faults on order (see FaultPlan)."""

    def __cinit__(self, *args, **kwargs):
        self.volatile_storage = False
        self.root = ":simulated:"
        self.faults = FaultPlan()
        self.guard = threading.RLock()
        self.inodes = {}
        self.durable_names = {}
        self.pending = []

    def fail(self, operation, errno, *, after=0, times=1, name=None):
        """Order a fault: FaultPlan.fail. A failed sync drops what was unsynced."""
        self.faults.fail(operation, errno, after=after, times=times, name=name)

    @property
    def calls(self):
        """FaultPlan.calls."""
        return self.faults.calls

    @property
    def hook(self):
        """FaultPlan.hook."""
        return self.faults.hook

    @hook.setter
    def hook(self, value):
        self.faults.hook = value

    @property
    def clock(self):
        """(wall clock in ms, monotonic clock in ns).

        Setting it stops both clocks there; setting None lets the real ones run.
        """
        return self.wall_ms(), self.monotonic_ns()

    @clock.setter
    def clock(self, value):
        if value is not None:
            self.clock_wall_ms, self.clock_monotonic_ns = value
        self.clock_fixed = value is not None

    def advance(self, uint64_t ms):
        """Stop the clocks, if they run, and move both on by `ms`."""
        cdef uint64_t wall_ms = self.wall_ms()
        cdef uint64_t monotonic_ns = self.monotonic_ns()
        self.clock = (wall_ms + ms, monotonic_ns + ms * 1000000)

    cdef uint64_t wall_ms(self) noexcept nogil:
        return self.clock_wall_ms if self.clock_fixed else MemoryDisk.wall_ms(self)

    cdef uint64_t monotonic_ns(self) noexcept nogil:
        return self.clock_monotonic_ns if self.clock_fixed else MemoryDisk.monotonic_ns(self)

    def crash(self, seed, *, keep=None):
        """Return a new SimulatedDisk as the drive may be after a power loss now, all of it durable.

        seed: int; the same seed, mode and history give the same state. keep: None or "random";
        "old": nothing unsynced survives; "new": all of it does, as after kill -9; "prefix": of each
        file the changes up to some offset do, and of the names the first changes. Open files,
        locks, rules and hook are not carried over; a stopped clock is.
        """
        cdef SimulatedDisk disk = SimulatedDisk()
        cdef SimulatedFile source, target
        cdef uint64_t random_state = seed & 0xFFFFFFFFFFFFFFFF
        cdef int mode = keep_mode(keep)
        cdef int rc
        with self.guard:
            names = self.names_after(mode, &random_state)
            for name in sorted(names):
                source = names[name]
                target = disk.file_add(name)
                with nogil:
                    table_lock(self.table)
                    rc = source.crash_into(target.file, mode, &random_state)
                    table_unlock(self.table)
                    if rc == 0:
                        rc = target.sync_keep()
                if rc < 0:
                    raise MemoryError()
                disk.durable_names[name] = target
            disk.clock_copy(self)
        return disk

    def snapshot(self):
        """Return a new SimulatedDisk in the same state, live and durable.

        Open files, locks, rules and hook are not copied.
        """
        cdef SimulatedDisk disk = SimulatedDisk()
        cdef SimulatedFile source, target
        cdef uint64_t random_state = 0
        cdef dict targets = {}
        cdef int rc
        with self.guard:
            for source in self.inodes.values():
                # Removed files have no name: they get one until their contents are in place.
                name = <bytes>source.file.name if source.file.name != NULL else b"/"
                target = disk.file_add(name)
                with nogil:
                    table_lock(self.table)
                    rc = source.crash_into(target.file, KEEP_NEW, &random_state)
                    if rc == 0:
                        rc = target.copy_state(source)
                    table_unlock(self.table)
                if rc < 0:
                    raise MemoryError()
                if source.file.name == NULL:
                    disk.name_drop(target)
                targets[source] = target
            for name, source in self.durable_names.items():
                disk.durable_names[name] = targets[source]
            for kind, source, name, new_name in self.pending:
                disk.pending.append((kind, targets[source], name, new_name))
            disk.lossy = self.lossy
            disk.clock_copy(self)
        return disk

    def dump(self, str path not None):
        """Write the live files to the real directory `path`, made if absent; others there stay."""
        os.makedirs(path, exist_ok=True)
        for name in self.files():
            with open(os.path.join(path, name), "wb") as file:
                file.write(self.contents(name))

    @classmethod
    def load(cls, str path not None):
        """Return a SimulatedDisk with the files of the real directory `path`, all durable."""
        cdef SimulatedDisk disk = cls()
        cdef SimulatedFile target
        cdef bytes data
        for entry in sorted(os.scandir(path), key=lambda entry: entry.name):
            if not entry.is_file():
                continue
            with open(entry.path, "rb") as file:
                data = file.read()
            target = disk.file_add(os.fsencode(entry.name))
            if memory_resize(target.file, <uint64_t>len(data)) < 0:
                raise MemoryError()
            if len(data) > 0:
                memcpy(target.file.data, PyBytes_AS_STRING(data), <size_t>len(data))
            if target.sync_keep() < 0:
                raise MemoryError()
            disk.durable_names[os.fsencode(entry.name)] = target
        return disk

    def contents(self, str name not None):
        """Return the live bytes of a file. Counts as no call. Raises FileNotFoundError."""
        cdef bytes text = os.fsencode(name)
        cdef bytes data
        cdef int64_t count
        cdef int fd = MemoryDisk.open_file(self, PyBytes_AS_STRING(text), FILE_READ)
        if fd < 0:
            raise OSError(-fd, os.strerror(-fd), name)
        try:
            data = bytes(MemoryDisk.file_size(self, fd))
            count = MemoryDisk.read_at(self, fd, PyBytes_AS_STRING(data), <uint64_t>len(data), 0)
            return data[:count]
        finally:
            MemoryDisk.close_file(self, fd)

    def unsynced(self):
        """Return how many sectors differ from the drive's, by file name; zeros left out."""
        cdef dict counts = {}
        cdef SimulatedFile inode
        cdef uint64_t count
        with self.guard:
            for inode in self.inodes.values():
                if inode.file.name == NULL:
                    continue
                with nogil:
                    table_lock(self.table)
                    count = inode.dirty_count()
                    table_unlock(self.table)
                if count > 0:
                    counts[os.fsdecode(<bytes>inode.file.name)] = count
        return counts

    def write_back(self, seed, *, double share=0.5):
        """Let each unsynced sector and file size reach the drive with probability `share`."""
        cdef uint64_t random_state = seed & 0xFFFFFFFFFFFFFFFF
        cdef SimulatedFile inode
        cdef int rc
        with self.guard:
            for inode in self.inodes.values():
                with nogil:
                    table_lock(self.table)
                    rc = inode.write_back(share, &random_state)
                    table_unlock(self.table)
                if rc < 0:
                    raise MemoryError()

    cdef void clock_copy(self, SimulatedDisk source) noexcept:
        self.clock_fixed = source.clock_fixed
        self.clock_wall_ms = source.clock_wall_ms
        self.clock_monotonic_ns = source.clock_monotonic_ns

    # A new empty file that the drive knows of, pinned; its name is live only.
    cdef SimulatedFile file_add(self, bytes name):
        cdef SimulatedFile inode = SimulatedFile.__new__(SimulatedFile)
        table_lock(self.table)
        inode.file = memory_create(self.table, PyBytes_AS_STRING(name))
        if inode.file != NULL:
            inode.file.pins = 1
        table_unlock(self.table)
        if inode.file == NULL:
            raise MemoryError()
        self.inodes[<size_t>inode.file] = inode
        return inode

    cdef void name_drop(self, SimulatedFile inode) noexcept:
        table_lock(self.table)
        free(inode.file.name)
        inode.file.name = NULL
        table_unlock(self.table)

    cdef SimulatedFile file_named(self, const char* name):
        cdef MemoryFile* file
        table_lock(self.table)
        file = memory_find(self.table, name)
        table_unlock(self.table)
        return None if file == NULL else self.inodes[<size_t>file]

    cdef int names_change(
        self, int kind, const char* source, const char* target, int* status
    ) except -1:
        cdef SimulatedFile inode
        cdef int64_t holder_pid
        with self.guard:
            inode = self.file_named(source)
            if kind == NAME_RENAME:
                status[0] = MemoryDisk.rename(self, source, target)
                if strcmp(source, target) == 0:
                    return 0
            elif kind == NAME_REMOVE:
                status[0] = MemoryDisk.remove(self, source)
            else:
                # The file is there before it is opened, so that it is pinned before anybody can
                # remove it.
                if inode is None:
                    inode = self.file_add(<bytes>source)
                    self.pending.append((NAME_CREATE, inode, <bytes>source, None))
                if kind == NAME_CREATE:
                    status[0] = MemoryDisk.open_file(self, source, FILE_WRITE | FILE_CREATE)
                else:
                    status[0] = MemoryDisk.lock(self, source, &holder_pid)
                return 0
            if status[0] == 0:
                new_name = <bytes>target if target != NULL else None
                self.pending.append((kind, inode, <bytes>source, new_name))
        return 0

    cdef int names_change_nogil(
        self, int kind, const char* source, const char* target
    ) noexcept nogil:
        cdef int status = -ENOMEM
        with gil:
            try:
                self.names_change(kind, source, target, &status)
            except MemoryError:
                return -ENOMEM
        return status

    # The directory after a crash: the durable one, and some of the changes since.
    cdef dict names_after(self, int keep, uint64_t* random_state):
        cdef dict names = dict(self.durable_names)
        cdef uint64_t count = len(self.pending)
        cdef uint64_t dice = random_next(random_state)
        cdef bint any_of_them = keep == KEEP_RANDOM and dice & 1
        if keep == KEEP_OLD:
            count = 0
        elif keep == KEEP_PREFIX or (keep == KEEP_RANDOM and not any_of_them):
            count = random_next(random_state) % (count + 1)
        for kind, inode, name, new_name in self.pending[:count]:
            if any_of_them and random_next(random_state) & 1:
                continue
            # A change takes effect on its own file only: a skipped rename must not make a later
            # removal hit another.
            for other in [other for other in names if names[other] is inode]:
                del names[other]
            if kind != NAME_REMOVE:
                names[new_name if kind == NAME_RENAME else name] = inode
        return names

    # sync_root has succeeded: the live names are the durable ones, and files without a name need no
    # image any more.
    cdef int names_keep(self) except -1:
        cdef SimulatedFile inode
        with self.guard:
            self.durable_names = {
                <bytes>inode.file.name: inode
                for inode in self.inodes.values()
                if inode.file.name != NULL
            }
            self.pending = []
            for address, inode in list(self.inodes.items()):
                if inode.file.name == NULL:
                    del self.inodes[address]
                    table_lock(self.table)
                    inode.file.pins = 0
                    memory_release(self.table, inode.file)
                    inode.file = NULL
                    table_unlock(self.table)
        return 0

    # A file that is not in inodes has lost its name durably: nothing of it can come back.
    cdef int sync_guarded(self, MemoryFile* file, bint failed, int* status) except -1:
        cdef SimulatedFile inode
        with self.guard:
            inode = self.inodes.get(<size_t>file)
            if inode is None:
                status[0] = 0
                return 0
            with nogil:
                table_lock(self.table)
                status[0] = inode.sync_lose() if failed else inode.sync_keep()
                table_unlock(self.table)
            self.lossy = self.lossy or failed
        return 0

    cdef int sync_inode(self, int fd, bint failed) noexcept nogil:
        cdef MemoryFile* file
        cdef int status = -ENOMEM
        table_lock(self.table)
        file = self.file_of(fd)
        table_unlock(self.table)
        if file == NULL:
            return -EBADF
        with gil:
            try:
                self.sync_guarded(file, failed, &status)
            except MemoryError:
                return -ENOMEM
        return status

    cdef int open_file(self, const char* name, int mode) noexcept nogil:
        cdef int rc = self.faults.check(FAULT_OPEN, name, NULL)
        if rc < 0:
            return rc
        if mode == FILE_WRITE | FILE_CREATE:
            rc = self.names_change_nogil(NAME_CREATE, name, NULL)
        else:
            rc = MemoryDisk.open_file(self, name, mode)
        if rc >= 0:
            self.faults.name_set(rc, name)
        return rc

    cdef int close_file(self, int fd) noexcept nogil:
        self.faults.name_drop(fd)
        return MemoryDisk.close_file(self, fd)

    cdef int allocate(self, int fd, uint64_t size) noexcept nogil:
        cdef int rc = self.faults.check_fd(FAULT_ALLOCATE, fd)
        return rc if rc < 0 else MemoryDisk.allocate(self, fd, size)

    cdef int64_t read_at(self, int fd, void* data, uint64_t size, uint64_t offset) noexcept nogil:
        cdef int rc = self.faults.check_fd(FAULT_READ, fd)
        return rc if rc < 0 else MemoryDisk.read_at(self, fd, data, size, offset)

    cdef int64_t write_at(
        self, int fd, const void* data, uint64_t size, uint64_t offset
    ) noexcept nogil:
        cdef int64_t rc = self.faults.check_fd(FAULT_WRITE, fd)
        if rc == 0:
            rc = MemoryDisk.write_at(self, fd, data, size, offset)
            if rc > 0 and self.lossy:
                with gil:
                    self.write_mark(fd, offset, size)
        return rc

    cdef void write_mark(self, int fd, uint64_t offset, uint64_t size) noexcept:
        cdef SimulatedFile inode
        cdef MemoryFile* file
        cdef uint64_t limit = offset + size
        table_lock(self.table)
        file = self.file_of(fd)
        table_unlock(self.table)
        with self.guard:
            inode = self.inodes.get(<size_t>file)
            while inode is not None and offset < limit:
                inode.flag_clear(offset)
                offset += SECTOR_BYTES - offset % SECTOR_BYTES

    cdef int truncate(self, int fd, uint64_t size) noexcept nogil:
        cdef int rc = self.faults.check_fd(FAULT_TRUNCATE, fd)
        return rc if rc < 0 else MemoryDisk.truncate(self, fd, size)

    cdef int sync_file(self, int fd) noexcept nogil:
        cdef int rc = self.faults.check_fd(FAULT_SYNC, fd)
        if rc < 0:
            self.sync_inode(fd, True)
            return rc
        return self.sync_inode(fd, False)

    cdef int sync_root(self) noexcept nogil:
        cdef int rc = self.faults.check(FAULT_SYNC_ROOT, NULL, NULL)
        if rc < 0:
            return rc
        with gil:
            try:
                self.names_keep()
            except MemoryError:
                rc = -ENOMEM
        return rc

    cdef int rename(self, const char* source, const char* target) noexcept nogil:
        cdef int rc = self.faults.check(FAULT_RENAME, source, target)
        if rc == 0:
            rc = self.names_change_nogil(NAME_RENAME, source, target)
            if rc == 0:
                self.faults.name_move(source, target)
        return rc

    cdef int remove(self, const char* name) noexcept nogil:
        cdef int rc = self.faults.check(FAULT_REMOVE, name, NULL)
        return rc if rc < 0 else self.names_change_nogil(NAME_REMOVE, name, NULL)

    cdef int map_file(self, int fd, uint64_t size, bint writable, uint8_t** out) noexcept nogil:
        cdef int rc = self.faults.check_fd(FAULT_MAP, fd)
        return rc if rc < 0 else MemoryDisk.map_file(self, fd, size, writable, out)

    cdef int populate(self, uint8_t* data, uint64_t size, bint writable) noexcept nogil:
        cdef int rc = self.faults.check(FAULT_POPULATE, NULL, NULL)
        return rc if rc < 0 else MemoryDisk.populate(self, data, size, writable)

    cdef int lock(self, const char* name, int64_t* holder_pid) noexcept nogil:
        cdef int rc = self.faults.check(FAULT_LOCK, name, NULL)
        holder_pid[0] = 0
        if rc == 0:
            rc = self.names_change_nogil(NAME_LOCK, name, NULL)
            if rc >= 0:
                self.faults.name_set(rc, name)
        return rc


cdef int keep_mode(keep) except -1:
    modes = {
        None: KEEP_RANDOM,
        "random": KEEP_RANDOM,
        "old": KEEP_OLD,
        "new": KEEP_NEW,
        "prefix": KEEP_PREFIX,
    }
    if keep not in modes:
        raise ValueError(f"keep {keep!r}: must be None, 'random', 'old', 'new' or 'prefix'")
    return modes[keep]
