"""Documents: what an update makes of a list or map when its actions point into it."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.change cimport Room
from ddbcore.operand cimport Field, Operand
from ddbcore.steps cimport PathElement

cdef enum:
    ERR_PATH = -21                        # a path leads through what is not there, or no container
    ERR_DEPTH = -22                       # a value would be nested deeper than DEPTH_MAX
    OVERLAP = 1                           # of targets_meet: one path is the start of the other
    CONFLICT = 2                          # one path sees a map where the other sees a list


cdef struct Target:
    # One action's place, and what it puts there.
    const PathElement* elements           # below the attribute
    uint32_t count                        # of them; 0: the attribute itself
    uint32_t field                        # of the attribute
    uint32_t order                        # of the action in the update
    bint met                              # seen while its container is walked
    int64_t name_id                       # where the last element is a name: its id, or -1
    Operand value                         # absent: removed


# Order targets by attribute and path, so that those below one container stand together.
cdef void targets_sort(Target** targets, uint32_t count) noexcept nogil
# 0, OVERLAP or CONFLICT.
cdef int targets_meet(const Target* left, const Target* right) noexcept nogil
# How many of the targets, sorted, share the first one's element at this depth.
cdef uint32_t group_count(Target** targets, uint32_t count, uint32_t depth) noexcept nogil
# The first of the targets, sorted, that names the entry of this name at this depth, or `count`.
# number: the name's id plus 1, or 0 and it is `text`.
cdef uint32_t group_find(
    const Field* fields, Target** targets, uint32_t count, uint32_t depth, uint64_t number,
    const uint8_t* text, size_t size,
) noexcept nogil
# Make the new value of an attribute: `count` sorted targets below it. *size_change: by how much the
# DynamoDB size grows. 0, ERR_PATH, ERR_DEPTH, ERR_TOO_LARGE, ERR_CORRUPT or ERR_MEMORY.
cdef int document_change(
    const Operand* old, Target** targets, uint32_t count, const Field* fields,
    const uint16_t* name_sizes, uint32_t name_count, Room* room, Operand* out, int64_t* size_change,
) noexcept nogil
