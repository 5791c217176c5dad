"""Workspaces: the memory of one run of a program."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from ddbcore.buffer cimport Buffer
from ddbcore.change cimport Change, Room
from ddbcore.document cimport Target
from ddbcore.operand cimport Field, Operand
from ddbcore.steps cimport Bound, PathElement

cdef struct Sizes:
    # How many of each a program has.
    uint32_t names
    uint32_t values
    uint32_t stack
    uint32_t actions
    uint32_t elements                     # of all paths


cdef struct Workspace:
    # What one run needs; kept by the program between runs.
    Bound bound
    Field* fields
    uint16_t* field_of
    PathElement* elements                 # of all paths, with the numbers of fields
    Target* targets                       # by action
    Target** sorted
    Operand* values
    Operand* found                        # by field
    Operand* stack
    Change* changes
    size_t* value_offsets
    # by number of the name: the str it stands for, strong references
    void** name_objects
    void** field_names                    # by field: one of name_objects, borrowed
    # strong reference to the keyspace's codec that the fields belong to, or NULL
    void* codec
    uint32_t interned_count               # names that the keyspace had then
    uint32_t change_count
    Buffer scratch                        # encoded values
    Room room


# A workspace for a program of this size, or NULL.
cdef Workspace* workspace_make(const Sizes* sizes) noexcept
cdef void workspace_free(Workspace* workspace, uint32_t name_count) noexcept
# Forget the keyspace that the fields belong to.
cdef void workspace_forget(Workspace* workspace) noexcept
# Drop what one run computed, keep the memory for the next.
cdef void workspace_clear(Workspace* workspace) noexcept
