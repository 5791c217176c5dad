"""The background threads of a writer: one syncs and prepares, one checkpoints and compacts.

Theory of operation
    Both start with the first write. The keeper never takes the GIL: while there are writes it looks
    once a millisecond, prepares the next segment, faults in pages ahead of the tail, and syncs when
    the interval has passed. Of fast writes it has the pages large, and when they get slow it lets
    these go (DESIGN.md, "Large pages of the log"). When nothing was written for a while and all is
    durable, it sleeps until a writer wakes it. When the log has grown enough it wakes the
    maintainer.

    The maintainer first puts late records into the index and proves what the opening relied on. It
    works under the GIL in steps of some ten to some hundred microseconds and lets go in between;
    the long parts of a checkpoint run without the GIL. A background checkpoint that fails (a full
    disk) is tried again after more writes, and shown in stats().

Invariants
    1. Neither thread touches the engine after `stop` has returned.
"""

import threading

from libc.stdint cimport uint64_t

from ddbcore.checkpoint cimport checkpoint
from ddbcore.compaction cimport COMPACTION_BATCH, compaction_check, compaction_step, pass_end
from ddbcore.engine cimport DURABILITY_NONE, Engine, wait_wake, wake_keeper
from ddbcore.segments cimport view_settle
from ddbcore.status cimport OK

from ddbcore.errors import Error

cdef enum:
    ACTIVE_NS = 100000000                 # 0.1 s without writes, then sleep
    LOOK_NS = 1000000
    SLEEP_MS = 1000
    # Appended between two syncs. A sync writes a large page whole: slow writes would cost the disk
    # many times their bytes.
    FAST_BYTES = 1048576
    SLOW_BYTES = 262144
    CATCH_UP_SEGMENTS = 16                # loaded in a step: some ten microseconds each
    SETTLE_COUNT = 2                      # blocks proven in a step: some ten microseconds each


cdef int checkpoint_due(Engine engine) noexcept nogil:
    return engine.log.appended_bytes - engine.checkpoint_log_bytes >= engine.checkpoint_bytes


cdef void keep(Engine engine) noexcept nogil:
    cdef uint64_t seen = 0
    cdef uint64_t lsn
    cdef uint64_t now = engine.disk.monotonic_ns()
    cdef uint64_t synced = now
    cdef uint64_t active = now
    cdef uint64_t interval = <uint64_t>engine.interval_ms * 1000000
    cdef uint64_t appended = engine.log.appended_bytes      # when the interval began
    cdef uint64_t began = now
    cdef uint64_t written
    cdef bint fast = False
    cdef bint pending
    while not engine.stopping:
        now = engine.disk.monotonic_ns()
        lsn = engine.log.lsn
        written = engine.log.appended_bytes - appended
        if lsn != seen:
            seen = lsn
            active = now
            fast = fast or written >= FAST_BYTES
            engine.log.prepare(fast)
        pending = (engine.durability != DURABILITY_NONE and engine.log.durable_lsn < lsn
                   and engine.log.sync_errno == 0)
        if pending and now - synced >= interval:
            engine.log.sync(lsn)
            synced = engine.disk.monotonic_ns()
            pending = False
        if now - began >= interval:
            if (engine.log.large and 0 < written < SLOW_BYTES
                    and engine.durability != DURABILITY_NONE):
                engine.log.shrink()
            fast = written >= FAST_BYTES
            appended += written
            began = now
        if engine.work_idle and (checkpoint_due(engine) or engine.compaction.victims != NULL):
            engine.work_idle = 0
            wake_keeper(engine.work_wake)
        if not pending and now - active > ACTIVE_NS:
            engine.keeper_idle = 1
            if engine.log.lsn == seen and not engine.stopping:
                wait_wake(engine.wake, &engine.keeper_idle, SLEEP_MS)
            engine.keeper_idle = 0
            appended = engine.log.appended_bytes
            began = engine.disk.monotonic_ns()
        else:
            engine.disk.pause_ns(LOOK_NS)


def run_keeper(Engine engine not None):
    """Body of the keeper thread."""
    with nogil:
        keep(engine)


def run_maintainer(Engine engine not None):
    """Body of the maintenance thread."""
    while not engine.stopping:
        with nogil:
            if engine.work_idle:
                wait_wake(engine.work_wake, &engine.work_idle, SLEEP_MS)
        try:
            maintain(engine)
        except (Error, MemoryError) as error:
            engine.background_error = str(error) or type(error).__name__
            # Not at once again: after as many bytes as between two checkpoints, and a new look at
            # what is dead.
            pass_end(engine)
            engine.checkpoint_log_bytes = engine.log.appended_bytes
        engine.work_idle = 1


cdef int maintain(Engine engine) except -1:
    cdef uint64_t passes = engine.compaction_count
    while engine.arena.late_count != 0 and not engine.stopping and not engine.refused:
        engine.catch_up(CATCH_UP_SEGMENTS, "replaying the log")
        with nogil:
            engine.disk.pause_ns(1000)
    while engine.log.view.relied_blocks != 0 and not engine.stopping and not engine.refused:
        if view_settle(&engine.log.view, SETTLE_COUNT) != OK:
            engine.prove_relied("proving what was relied on at opening")
        with nogil:
            engine.disk.pause_ns(1000)
    if engine.refused or engine.log.sync_errno != 0:
        return 0
    if checkpoint_due(engine):
        checkpoint(engine)
        engine.background_error = None
        if engine.refused:
            return 0
        compaction_check(engine)
    while not engine.stopping and compaction_step(engine, COMPACTION_BATCH):
        with nogil:
            engine.disk.pause_ns(1000)
        if checkpoint_due(engine):
            return 0
    if engine.compaction_count != passes and not engine.stopping:
        # The emptied segments go with the next checkpoint: now.
        checkpoint(engine)
    return 0


def stop(Engine engine not None, list threads not None):
    """End the threads and wait for them."""
    engine.stopping = 1
    engine.keeper_idle = 0
    engine.work_idle = 0
    wake_keeper(engine.wake)
    wake_keeper(engine.work_wake)
    for thread in threads:
        # A finalizer may close the database from the maintenance thread itself.
        if thread is not threading.current_thread():
            thread.join()
