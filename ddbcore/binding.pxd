"""Binding: what a caller's names and values become before a program or projection runs."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from ddbcore.document cimport Target
from ddbcore.item cimport ItemCodec
from ddbcore.operand cimport Field, FieldTable
from ddbcore.pyapi cimport PyObject
from ddbcore.steps cimport Path, PathElement

cdef enum:
    USE_UPDATE = 1                        # the update has it
    USE_PLACEHOLDER = 2                   # it starts with "#"
    USE_OUTER = 4                         # it names an attribute, not only entries of maps


# Names of one expression on one keyspace: equal names share a field.
cdef struct Naming:
    uint32_t count                        # names
    const uint8_t* uses                   # by number of the name
    void** objects                        # by number of the name: the exact str it stands for
    void** field_names                    # by field: one of objects, borrowed
    Field* fields
    uint16_t* field_of                    # by number of the name
    FieldTable* table


# Make the fields of the names in `objects`. Raises ValidationError.
cdef int naming_bind(ItemCodec codec, Naming* naming) except -1
# Copy the elements of paths: the numbers of names become numbers of fields, keys become ids.
cdef int elements_bind(
    const PathElement* source, uint32_t count, const Naming* naming, PathElement* target,
) noexcept
# A path as the service's messages show it: [a, [0], b].
cdef str path_text(
    void** field_names, uint32_t field, const PathElement* elements, uint32_t count,
)
# Sort targets; refuse two that overlap or conflict: raises ValidationError, naming the first two in
# the order of the expression.
cdef int targets_check(
    Target* targets, Target** sorted, uint32_t count, void** field_names, str clause,
) except -1
# The text of a name as the caller's dict gives it: an exact str, a new reference. Raises
# ValidationError.
cdef str name_given(str token, object names, str clause)
# The UTF-8 of a name, 1 to 65,535 bytes. Raises ValidationError.
cdef const char* name_text(PyObject* text, Py_ssize_t* size) except NULL
# Refuse the placeholders of `source` that no expression uses: raises ValidationError.
cdef int unused_refuse(str member, object source, tuple used, str mark) except -1
# Read paths as the compiler writes them: tuples of -1 - n for the name n, and of list indexes, a
# name first. The caller frees both arrays. Raises ValueError.
cdef int paths_load(
    tuple source, uint32_t name_count, Path** paths, PathElement** elements,
    uint32_t* element_count,
) except -1
