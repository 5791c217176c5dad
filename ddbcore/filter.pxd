"""Filters: a condition bound once and evaluated over many records, without the GIL."""

from libc.stdint cimport uint32_t

from ddbcore.item cimport ItemCodec
from ddbcore.lead cimport Lead
from ddbcore.program cimport Program
from ddbcore.steps cimport Bound
from ddbcore.workspace cimport Workspace


cdef class Filter:
    """A bound condition: constant until it is freed; threads may share it.

    `lead_rejects(&filter.lead, record, room)` and `condition_eval(filter.bound, record, size)` need
    no GIL; the caller keeps the filter.
    """

    cdef const Bound* bound
    cdef Lead lead                        # what rejects most records; see there
    cdef Workspace* workspace
    cdef uint32_t name_count
    cdef Program program                  # `bound` borrows from it
    cdef ItemCodec codec
    cdef dict names                       # as given, or None; the caller's may change
    cdef dict values
    cdef bint typed
    cdef object visible                   # names of the attributes it may see; None: all

    # The filter for the names that the keyspace has by now: this one, or another. Ask under the
    # GIL, between finding records and evaluating over them: a record may have names that were new
    # after this filter was bound, and it would take their attributes for absent.
    cdef Filter fresh(self)
    # The filter for a keyspace that may have been loaded anew, under another codec.
    cdef Filter bound_to(self, ItemCodec codec)
    # Make the attributes that are not visible absent.
    cdef int hide(self) except -1
