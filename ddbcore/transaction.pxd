"""Transactions of the native API: writes of several items in one commit, reads of one moment."""

from ddbcore.buffer cimport Buffer
from ddbcore.engine cimport Engine
from ddbcore.table cimport CoreTable

cdef class CoreTransaction:
    cdef readonly Engine engine
    cdef readonly object database
    cdef readonly str token               # or None
    cdef list texts                       # what a token stands for; None without one
    cdef list actions                     # ddbcore.writes.Action
    cdef Buffer encoded                   # their items and keys
    cdef int durability
    cdef bint busy                        # an action is being added
    cdef bint done                        # committed, or dropped

    cdef CoreTable table(self, object table)
    cdef CoreTable named(self, str name)
    cdef int add(self, object table, int kind, object item, object hash, object range,
                 object update, object condition, object names, object values) except -1
    cdef int add_encoded(self, CoreTable table, int kind, object item, object hash, object range,
                         object update, object condition, object names, object values) except -1
    cdef list carry_out(self, object finish)
