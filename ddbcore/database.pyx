"""A database handle: open, close, tables, statistics.

Theory of operation
    Opening takes the directory's lock (writers), loads what is there (recovery), and starts
    nothing: the background threads come with the first write. Closing stops them, syncs, writes a
    checkpoint when replaying the log would take long, and notes in the superblock that everything
    below the log's end is durable.

Invariants
    1. After close the engine refuses every call; its memory goes when nothing is pinned.
    2. A forked child's handle refuses every call and never writes, syncs or unlocks.

Threads
    Under the GIL; close waits for the background threads.
"""

import os
import threading

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint32_t, uint64_t

from ddbcore.checkpoint cimport checkpoint, checkpoint_wait, superblock_flip
from ddbcore.compaction cimport COMPACTION_BATCH, compaction_check, compaction_step, pass_end
from ddbcore.engine cimport DURABILITY_NONE, Engine, TableState
from ddbcore.io cimport Disk, MemoryDisk
from ddbcore.log cimport Log
from ddbcore.recovery cimport database_create, database_load, database_resume, follow, roll_back
from ddbcore.segments cimport SLOT_FREE

from ddbcore.errors import (
    DatabaseLocked,
    PoisonedError,
    StorageError,
    TableExists,
    ValidationError,
)
from ddbcore.keeper import run_keeper, run_maintainer, stop

cdef extern from "errno.h":
    enum: EWOULDBLOCK

cdef enum:
    REPLAY_BYTES_MAX = 1048576            # log that a close leaves to be replayed: 1 to 2 ms


# The engine of a database that was not opened: it refuses all calls.
cdef Engine NO_ENGINE = Engine.__new__(Engine)
NO_ENGINE.refuse("the database was not opened: its __init__ has not run")


cdef class CoreDatabase:
    """An open database. See hashrange.open for the arguments."""

    def __cinit__(self):
        self.lock_fd = -1
        self.closed = True                # until __init__ has run: there is nothing to close yet
        self.engine = NO_ENGINE

    def __init__(self, str path=None, *, str mode="rw", str durability="interval",
                 int interval_ms=50, cache_bytes=67108864, checkpoint_bytes=67108864,
                 Disk disk=None, bint salvage=False):
        self.threads = []
        if mode not in ("rw", "r"):
            raise ValidationError(f'mode is "rw" or "r", not {mode!r}')
        if not 1 <= interval_ms <= 60000:
            raise ValidationError(f"interval_ms is 1 to 60,000, not {interval_ms}")
        if not 0 <= cache_bytes < 1 << 50 or not 65536 <= checkpoint_bytes < 1 << 50:
            raise ValidationError("cache_bytes is 0 or more, checkpoint_bytes 64 KiB or more")
        if path is None and disk is None:
            if mode == "r":
                raise ValidationError('a database in memory cannot be opened with mode="r"')
            disk = MemoryDisk()
        elif disk is None:
            disk = self.directory(path, mode)
        self.disk = disk
        self.engine = Engine(disk, path, mode == "rw", durability, interval_ms, cache_bytes,
                             checkpoint_bytes)
        try:
            self.load(mode, salvage)
        except BaseException:
            self.engine.refuse("the database could not be opened")
            self.engine.let_go()
            self.unlock()
            raise
        self.closed = False

    def directory(self, str path not None, str mode not None):
        """The Disk of a path; a writer makes the directory."""
        if mode == "rw":
            try:
                os.makedirs(path, exist_ok=True)
            except FileExistsError:
                raise StorageError(17, f"{path} is a file; a database is a directory") from None
            except OSError as error:
                raise StorageError(error.errno,
                                   f"cannot create {path}: {error.strerror}") from error
        elif not os.path.isfile(os.path.join(path, "superblock")):
            raise StorageError(
                2, f'there is no database at {path}; open it with mode="rw" to create one')
        try:
            return Disk(path)
        except OSError as error:
            raise StorageError(error.errno, f"cannot open {path}: {error.strerror}") from error

    def load(self, str mode not None, bint salvage):
        """Lock, load or create."""
        cdef int64_t holder = 0
        cdef Engine engine = self.engine
        engine.require_open()
        if mode == "r":
            if (not database_load(engine, salvage)
                    or engine.log.view.slots[engine.position.slot].base == NULL):
                raise StorageError(2, f"there is no finished database at {engine.path}")
            engine.following = not salvage
            return
        self.lock_fd = self.disk.lock("lock", &holder)
        if self.lock_fd == -EWOULDBLOCK:
            who = ("this process" if holder == os.getpid()
                   else f"process {holder}" if holder else "another process")
            raise DatabaseLocked(
                f"{engine.path} is open for writing in {who}: close it there, or open it here with "
                'mode="r"', holder or None)
        if self.lock_fd < 0:
            raise StorageError(-self.lock_fd,
                               f"cannot lock {engine.path}: {os.strerror(-self.lock_fd)}")
        if not database_load(engine, salvage):
            database_create(engine)
        database_resume(engine)
        engine.log.zero_ahead = engine.durability == 2 and not self.disk.volatile_storage
        if not self.disk.volatile_storage:
            engine.starter = self.start
            engine.keeper_idle = 1

    def start(self):
        """Start the background threads (at the first write)."""
        for body, name in ((run_keeper, "hashrange-keeper"),
                           (run_maintainer, "hashrange-maintainer")):
            thread = threading.Thread(target=body, args=(self.engine,), name=name, daemon=True)
            thread.start()
            self.threads.append(thread)

    def create_table(self, str name not None, tuple hash_key not None, range_key=None):
        """Create a table; the arguments are valid already. Raises TableExists."""
        self.engine.require_open()
        if name in self.engine.names:
            raise TableExists(f"table {name!r} exists already")
        self.engine.create_table(name, hash_key, range_key)

    def drop_table(self, str name not None):
        """Drop a table with all its items. Raises TableNotFound."""
        self.engine.require_open()
        self.engine.drop_table(name)

    def tables(self):
        """Return the names of the tables, sorted."""
        self.engine.require_open()
        if self.engine.following:
            follow(self.engine)
        elif self.engine.log.sync_errno != 0 or self.engine.loader != 0:
            roll_back(self.engine)
        # What has a slash in its name holds the entries of an index, or tokens.
        return sorted([name for name in self.engine.names if "/" not in name])

    def sync(self):
        """Make everything written so far durable. Raises PoisonedError when the disk refuses."""
        cdef Engine engine = self.engine
        cdef Log log
        cdef uint64_t lsn
        engine.require_writable()
        log = engine.log
        lsn = log.lsn
        # A close in another thread must not unmap the log now.
        engine.syncing_count += 1
        with nogil:
            log.sync(lsn)
        engine.syncing_count -= 1
        engine.release_late()
        engine.require_writable()

    def checkpoint(self):
        """Write a checkpoint now, so that the next opening replays nothing. Raises StorageError."""
        self.engine.require_writable()
        if not self.disk.volatile_storage:
            checkpoint_now(self.engine)

    def compact(self, *, bint whole=False):
        """Rewrite what is live in segments with dead bytes, and remove them.

        What was dead at the call is gone at the return, but for a quarter of a segment at most;
        what other threads write over meanwhile is not waited for. whole: rewrite everything that
        is live, in the order in which scans and queries read it, so that they read the disk and
        the memory in one go; it takes the space of the live items once more meanwhile. Raises
        DiskFull.
        """
        self.engine.require_writable()
        compact_all(self.engine, whole)

    def close(self):
        """Close: stop the threads, sync, let go.

        Further calls raise DatabaseClosed; closing again does nothing.
        """
        cdef Engine engine = self.engine
        if self.closed:
            return
        self.closed = True
        engine.starter = None
        stop(engine, self.threads)
        checkpoint_wait(engine)
        engine.refuse(f"the database {engine.path or 'in memory'} was closed")
        try:
            if engine.writable and not self.disk.volatile_storage and engine.log.sync_errno == 0:
                self.finish()
                if engine.log.sync_errno == 0:
                    engine.log.trim()
        finally:
            engine.let_go()
            self.unlock()

    def finish(self):
        """Make the next opening quick: sync, perhaps write a checkpoint, mark a clean end."""
        cdef Engine engine = self.engine
        cdef uint64_t lsn
        cdef int status = 0
        cdef uint64_t replay_bytes
        cdef bint durable = engine.durability != DURABILITY_NONE
        if engine is NO_ENGINE:
            engine.require_open()
        lsn = engine.log.lsn
        if (engine.log.appended_bytes == 0 and engine.recovered_bytes < REPLAY_BYTES_MAX
                and engine.clean_lsn == lsn):
            return
        if durable:
            with nogil:
                status = engine.log.sync(lsn)
            if status != 0:
                raise PoisonedError(
                    f"the last sync of {engine.path} failed: {os.strerror(engine.log.sync_errno)}; "
                    f"writes since LSN {engine.log.durable_lsn} may be lost")
        replay_bytes = (engine.log.appended_bytes - engine.checkpoint_log_bytes
                        + engine.recovered_bytes)
        if replay_bytes > REPLAY_BYTES_MAX and (durable or engine.log.appended_bytes > 0):
            try:
                checkpoint(engine)
                return
            except StorageError:
                # A full disk: the log has everything, the next opening replays it.
                if engine.log.sync_errno != 0:
                    raise
        if durable:
            engine.clean_lsn = lsn
            try:
                superblock_flip(engine, engine.meta_pos, engine.meta_size, engine.meta_checksum,
                                True)
            except StorageError:
                # Everything is synced; only the mark that says so is missing.
                if engine.log.sync_errno != 0:
                    raise

    def unlock(self):
        """Give the directory's lock back."""
        if self.lock_fd >= 0:
            self.disk.close_file(self.lock_fd)
            self.lock_fd = -1

    def forked(self):
        """In a forked child: this handle is the parent's.

        Nothing is written, synced or unlocked.
        """
        if not self.closed:
            self.closed = True
            self.engine.refuse(
                "this handle belongs to the parent process; open the database again in the child "
                '(with mode="r" while the parent writes)')
            self.threads = []
            if self.engine.log is not None:
                self.engine.log.disowned = True
            if self.lock_fd >= 0:
                # The parent's descriptor keeps the lock.
                self.disk.close_file(self.lock_fd)
                self.lock_fd = -1

    def stats(self):
        """Return sizes in bytes, counters, and the state of log, index, cache and checkpoints."""
        cdef Engine engine = self.engine
        cdef TableState table
        cdef uint64_t items = 0
        cdef uint32_t slot
        cdef uint32_t segments = 0
        engine.require_open()
        if engine.following:
            follow(engine)
        elif engine.log.sync_errno != 0 or engine.loader != 0:
            roll_back(engine)
        engine.prove_relied("counting")
        for table in engine.tables:
            if table is not None and "/" not in table.name:
                items += table.space.item_count
        for slot in range(engine.log.view.slot_count):
            segments += engine.log.view.slots[slot].state != SLOT_FREE
        live, used = engine.live_bytes(), engine.used_bytes()
        age_s = None
        if engine.checkpoint_at_ms:
            age_s = max(0, self.disk.wall_ms() - engine.checkpoint_at_ms) / 1000
        return {
            "tables": len([name for name in engine.names if "/" not in name]),
            "items": items,
            "live_bytes": live,
            "dead_bytes": max(0, used - live),
            "log_bytes": engine.log.total_bytes,
            "segments": segments,
            "index_bytes": engine.index_bytes(),
            "index_file_bytes": engine.checkpoint_file_bytes,
            "lsn": engine.log.lsn,
            "durable_lsn": engine.log.durable_lsn,
            "syncs": engine.log.sync_count,
            "cache": {
                "bytes": engine.cache.bytes_used,
                "bytes_max": engine.cache.bytes_max,
                "items": engine.cache.entry_count,
                "hits": engine.cache.hits,
                "misses": engine.cache.misses,
            },
            "checkpoints": engine.checkpoint_count,
            "checkpoint_age_s": age_s,
            "compactions": engine.compaction_count,
            "moved_bytes": engine.moved_bytes,
            "recovered_bytes": engine.recovered_bytes,
            "recovered_frames": engine.recovered_frames,
            "background_error": engine.background_error,
        }


cdef int compact_all(Engine engine, bint whole) except -1:
    cdef uint64_t before
    while True:
        # A pass under way chose its victims earlier and spares what died since: a new one.
        pass_end(engine)
        before = engine.compaction_count
        if not compaction_check(engine, True, whole):
            break
        while engine.compaction.victims != NULL and engine.compaction_count == before:
            compaction_step(engine, COMPACTION_BATCH)
            # Other threads may go on; they may take steps as well. The keeper, busy with syncs,
            # cannot have large pages ready at this speed.
            with nogil:
                engine.log.enlarge()
            PyErr_CheckSignals()
            engine.require_writable()
        if engine.compaction_count != before:
            break
        # Given up by a background step that failed: here the error is raised.
    if not engine.disk.volatile_storage:
        checkpoint_now(engine)
    return 0


cdef int checkpoint_now(Engine engine) except -1:
    """Write a checkpoint that covers everything so far; one under way covers less."""
    checkpoint_wait(engine)
    engine.require_writable()
    return checkpoint(engine)
