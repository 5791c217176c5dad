"""Workspaces: the memory of one run of a program.

Theory of operation
    Running a program needs a dozen small arrays whose lengths the program knows. A workspace holds
    them all and is kept between runs, so that a run allocates nothing. It also remembers the names
    of the last run and the codec they were bound to, which makes the next binding cheap.

Invariants
    1. fields, field_of, field_names and the tables in `bound` describe name_objects on `codec`, or
       codec is NULL.
    2. name_objects and codec are strong references; dropping them runs no Python code.

Threads
    With the GIL; one run at a time has it.
"""

from libc.stdlib cimport calloc, free, malloc

from ddbcore.buffer cimport buffer_free
from ddbcore.change cimport room_clear, room_free
from ddbcore.pyapi cimport PyObject, Py_XDECREF

cdef enum:
    SCRATCH_BYTES_KEPT = 65536            # between runs


# Forget the keyspace that the fields belong to.
cdef void workspace_forget(Workspace* workspace) noexcept:
    cdef PyObject* codec = <PyObject*>workspace.codec
    workspace.codec = NULL
    Py_XDECREF(codec)


cdef void workspace_free(Workspace* workspace, uint32_t name_count) noexcept:
    cdef uint32_t index
    if workspace == NULL:
        return
    workspace_forget(workspace)
    if workspace.name_objects != NULL:
        for index in range(name_count):
            Py_XDECREF(<PyObject*>workspace.name_objects[index])
    free(workspace.field_names)
    free(workspace.fields)
    free(workspace.field_of)
    free(workspace.elements)
    free(workspace.targets)
    free(workspace.sorted)
    free(workspace.values)
    free(workspace.found)
    free(workspace.stack)
    free(workspace.changes)
    free(workspace.value_offsets)
    free(workspace.name_objects)
    buffer_free(&workspace.scratch)
    room_free(&workspace.room)
    free(workspace)


cdef Workspace* workspace_make(const Sizes* sizes) noexcept:
    cdef Workspace* workspace = <Workspace*>calloc(1, sizeof(Workspace))
    cdef size_t names = sizes.names + 1
    cdef size_t values = sizes.values + 1
    cdef size_t actions = sizes.actions + 1
    if workspace == NULL:
        return NULL
    workspace.fields = <Field*>malloc(names * sizeof(Field))
    workspace.field_of = <uint16_t*>malloc(names * sizeof(uint16_t))
    workspace.elements = <PathElement*>malloc((sizes.elements + 1) * sizeof(PathElement))
    workspace.targets = <Target*>malloc(actions * sizeof(Target))
    workspace.sorted = <Target**>malloc(actions * sizeof(Target*))
    workspace.values = <Operand*>malloc(values * sizeof(Operand))
    workspace.found = <Operand*>malloc(names * sizeof(Operand))
    workspace.stack = <Operand*>malloc((sizes.stack + 1) * sizeof(Operand))
    workspace.changes = <Change*>malloc(actions * sizeof(Change))
    workspace.value_offsets = <size_t*>malloc(values * sizeof(size_t))
    workspace.name_objects = <void**>calloc(names, sizeof(void*))
    workspace.field_names = <void**>calloc(names, sizeof(void*))
    if (
        workspace.fields == NULL or workspace.field_of == NULL or workspace.elements == NULL
        or workspace.targets == NULL or workspace.sorted == NULL
        or workspace.values == NULL or workspace.found == NULL or workspace.stack == NULL
        or workspace.changes == NULL or workspace.value_offsets == NULL
        or workspace.name_objects == NULL or workspace.field_names == NULL
    ):
        workspace_free(workspace, sizes.names)
        return NULL
    return workspace


cdef void workspace_clear(Workspace* workspace) noexcept:
    room_clear(&workspace.room)
    if workspace.scratch.capacity > SCRATCH_BYTES_KEPT:
        buffer_free(&workspace.scratch)
