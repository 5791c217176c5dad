"""Compaction: live records written again behind the tail, so that old segments can go."""

from libc.stdint cimport uint32_t, uint64_t

from ddbcore.engine cimport Engine

cdef enum:
    COMPACTION_BATCH = 128                # records of one background step: about 30 us of GIL
    COMPACTION_ASSIST = 4                 # records each write moves when writers must help

# Look at dead bytes; start a pass when there are enough (forced: when there is any segment to gain
# from; whole: over all segments), and tell writers whether to help. 1 when a pass runs.
cdef int compaction_check(Engine engine, bint forced=*, bint whole=*) except -1
# Move up to `budget` records. 1 while there is more to do, 0 when no pass runs.
cdef int compaction_step(Engine engine, uint32_t budget) except -1
# Give up the pass that runs, if one does; what was moved is moved.
cdef void pass_end(Engine engine) noexcept
