"""Shapes: dicts of the same names in the same order, made by copying a template."""

from libc.stdint cimport uint32_t, uint64_t

from ddbcore.pyapi cimport PyObject

cdef enum:
    SHAPE_NAMES_MAX = 32                  # dicts of more entries are built entry by entry
    SHAPE_SLOT_COUNT = 64                 # a power of two


cdef struct Shape:
    PyObject* template                    # owned: a dict of the names with None values, or NULL
    size_t offset_bytes                   # from the dict's keys object to its first value
    uint64_t hash
    uint64_t candidate                    # hash that came last: twice in a row gets a template
    uint32_t count                        # names
    uint32_t name_ids[SHAPE_NAMES_MAX]


# Mix one more name id into a hash of name ids.
cdef inline uint64_t shape_mix(uint64_t hash, uint32_t name_id) noexcept:
    return (hash ^ name_id) * <uint64_t>0x9E3779B97F4A7C15


# A new dict of `count` names and values: always takes over the references in `values`. NULL with an
# exception.
cdef PyObject* shape_dict(
    Shape* shapes, uint64_t hash, const uint32_t* name_ids, PyObject** names, PyObject** values,
    uint32_t count, bint nested,
) noexcept
cdef void shapes_clear(Shape* shapes) noexcept
