"""Replay: frames of the log applied to the index, in order."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ddbcore.engine cimport Engine, LogPosition
from ddbcore.log cimport FrameHeader

cdef enum ReplayEnd:
    REPLAY_END = 0                        # a zero size word: nothing more yet
    REPLAY_BAD = 1                        # something that is no valid frame
    REPLAY_GONE = 2                       # the next segment cannot be opened
    REPLAY_LIMIT = 3                      # the limit LSN is reached

# The frame at a position: FOUND, OK when its size word is zero, ERR_CORRUPT when it is not valid.
cdef int frame_at(Engine engine, const LogPosition* position,
                  const FrameHeader** frame) noexcept nogil
# Apply frames from engine.position on; leaves the position behind the last one. Returns a
# ReplayEnd; raises CorruptError when a valid frame makes no sense.
# trusting: old records may be relied on (segments).
cdef int replay(Engine engine, bint trusting=*) except -1
# Look in the file behind a place where replay stopped, up to `size`, for a frame that proves that
# the place was durable once. 1 or 0.
cdef int durable_proof(Engine engine, const LogPosition* position, uint64_t size) noexcept nogil
