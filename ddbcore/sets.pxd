"""Small sets, made without a search for each member's place."""

from libc.stdint cimport uint32_t

from ddbcore.pyapi cimport PyObject

cdef enum:
    SMALL_SET_MAX = 4                     # members that a set has in itself, before it grows


# A new set of `count` hashable members, which it takes references to. NULL with an exception.
cdef PyObject* set_of(PyObject** members, uint32_t count) noexcept
# A copy of an exact set, which does not change meanwhile. NULL with an exception.
cdef PyObject* set_copy(PyObject* source) noexcept
