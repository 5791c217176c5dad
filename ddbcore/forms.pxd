"""Forms: whether a request certainly has the JSON types and bounds of its operation."""

from libc.stdint cimport int64_t, uint8_t

from ddbcore.pyapi cimport PyObject

cdef enum FormKind:
    FORM_TEXT = 0
    FORM_WHOLE = 1
    FORM_FLAG = 2
    FORM_BLOB = 3
    FORM_LIST = 4
    FORM_MAP = 5
    FORM_OBJECT = 6

cdef class Form:
    """One node of a tree that says what a value must look like. It never changes."""
    cdef int kind                         # FormKind
    cdef int64_t least                    # of a length, or of the number itself
    cdef int64_t most
    cdef frozenset values                 # the only ones that a text may have, or None
    cdef bint patterned                   # a text is of `characters` alone
    cdef uint8_t characters[128]          # 1 for each ASCII character that is allowed
    cdef Form key                         # of a map
    cdef Form element                     # of a list or a map; None: not looked at
    cdef dict needed                      # members that must be there, by name
    cdef dict members                     # those that may be

    # Whether a value certainly has this form. Runs no Python code.
    cdef bint holds(self, PyObject* value) noexcept
    cdef bint object_holds(self, PyObject* value) noexcept
    cdef bint map_holds(self, PyObject* value) noexcept
    cdef bint text_holds(self, PyObject* value) noexcept
