"""Filters: a condition bound once and evaluated over many records, without the GIL.

Theory of operation
    A run of a program binds, evaluates and gives its workspace back. A walk over many records binds
    once and keeps the workspace: this class owns it. What it holds after binding never changes, so
    that several threads can evaluate it at once, each with the attributes it found on its stack.
    When the keyspace learns names, the walk goes on with another filter of the same condition
    (`fresh`); when a table is loaded anew, with one bound from the start (`bound_to`).

    What an index does not show of its items, its filters must not see (`visible`): a name that is
    none of those shown is treated as if it stood inside documents only.

Invariants
    1. `bound` and `lead` are valid as long as the filter is; they never change.

Threads
    Making and freeing with the GIL; evaluating (`steps.condition_eval`) without, from any thread.
"""

from libc.stdint cimport uint8_t, uint32_t

from ddbcore.effect cimport status_raise
from ddbcore.lead cimport LEAD_ROOM_BYTES, lead_make, lead_rejects
from ddbcore.names cimport NAME_COUNT_MAX
from ddbcore.operand cimport FieldTable, ROLE_ATTRIBUTE, ROLE_INNER, fields_index
from ddbcore.pyapi cimport PyObject
from ddbcore.record cimport RECORD_HEADER_BYTES
from ddbcore.steps cimport condition_eval
from ddbcore.workspace cimport workspace_free


cdef class Filter:

    def __cinit__(
        self, Program program not None, ItemCodec codec not None, names=None, values=None,
        bint typed=False, bint partial=False, Filter source=None, visible=None,
    ):
        if not program.has_condition:
            raise ValueError("a filter needs a program with a condition")
        self.program = program
        self.codec = codec
        self.name_count = program.name_count
        if source is None:
            self.names = None if names is None else dict(names)
            self.values = None if values is None else dict(values)
            self.typed = typed
            self.visible = visible
            self.workspace = program.bind(codec, self.names, self.values, typed, partial)
        else:
            self.names = source.names
            self.values = source.values
            self.typed = source.typed
            self.visible = source.visible
            self.workspace = program.bind_again(codec, source.workspace)
        if self.visible is not None:
            self.hide()
        self.bound = &self.workspace.bound
        lead_make(&self.lead, self.bound)

    def __dealloc__(self):
        workspace_free(self.workspace, self.name_count)

    cdef int hide(self) except -1:
        cdef Workspace* workspace = self.workspace
        cdef FieldTable* table = &workspace.bound.table
        cdef uint32_t index
        for index in range(table.count):
            if (table.fields[index].role == ROLE_ATTRIBUTE
                    and <object><PyObject*>workspace.field_names[index] not in self.visible):
                table.fields[index].role = ROLE_INNER
        fields_index(table, len(self.codec.names.names) >= NAME_COUNT_MAX)
        return 0

    cdef Filter bound_to(self, ItemCodec codec):
        if codec is self.codec:
            return self.fresh()
        return Filter(self.program, codec, self.names, self.values, self.typed, True,
                      visible=self.visible)

    cdef Filter fresh(self):
        if self.workspace.interned_count == <uint32_t>len(self.codec.names.names):
            return self
        return Filter(self.program, self.codec, source=self)

    def test(self, bytes record):
        """Tell whether the condition holds for a record (None: absent item)."""
        cdef Filter current = self.fresh()
        cdef const uint8_t* data = NULL
        cdef size_t size = 0
        cdef int status
        if record is not None:
            data = record
            size = len(record)
        with nogil:
            status = condition_eval(current.bound, data, size)
        if status < 0:
            status_raise(status)
        return bool(status)

    def rejects(self, bytes padded not None):
        """Tell whether the lead rejects a record, which any 16 bytes follow. For tests."""
        cdef const uint8_t* data = padded
        if len(padded) < RECORD_HEADER_BYTES + LEAD_ROOM_BYTES:
            raise ValueError("a record has a header, and 16 bytes behind it here")
        return self.lead.sizes != NULL and lead_rejects(&self.lead, data, len(padded))

    def bench(self, bytes record not None, int count):
        """Evaluate `count` times without the GIL; return how often it held. For bench/.

        The lead is asked too when 16 bytes follow the record.
        """
        cdef Filter current = self.fresh()
        cdef const uint8_t* data = record
        cdef size_t size = len(record)
        cdef int total = 0
        with nogil:
            for _ in range(count):
                if current.lead.sizes == NULL or not lead_rejects(&current.lead, data, size):
                    total += condition_eval(current.bound, data, size)
        return total
