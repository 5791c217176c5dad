"""Tables with cursors: query and scan as hot calls."""

from ddbcore.table cimport CoreTable


cdef class ReadTable(CoreTable):
    pass
