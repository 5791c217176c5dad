"""The members of an encoded set: ordered by their bytes, without duplicates."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from ddbcore.buffer cimport Buffer

cdef enum:
    MEMBER_COUNT_SMALL = 32               # sorted by insertion, on the stack


cdef struct Member:
    const uint8_t* data
    uint32_t size


# The members stand one after another from `start` to the end of `out`; their sizes are in
# `members`, which has room for twice `count`; `scratch` has room for their bytes, and `out` for
# CONTAINER_HEAD_MAX more. Order them, drop duplicates and put the head of the set in front. Returns
# the DynamoDB size of what was dropped.
cdef int64_t members_close(
    Buffer* out, uint8_t tag, size_t start, Member* members, size_t count, uint8_t* scratch,
) noexcept nogil
