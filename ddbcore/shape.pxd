"""Shapes: dicts of the same names in the same order, made by copying a template."""

from libc.stdint cimport uint32_t, uint64_t

from ddbcore.pyapi cimport PyObject

cdef enum:
    SHAPE_NAMES_MAX = 32                  # dicts of more entries are built entry by entry
    SHAPE_SLOT_BITS = 6
    SHAPE_SLOT_COUNT = 64                 # 2**SHAPE_SLOT_BITS


cdef struct Shape:
    PyObject* template                    # owned: a dict of the names, or NULL
    size_t offset_bytes                   # from the dict's keys object to its first value
    uint64_t hash
    uint64_t candidate                    # hash that came to one of its neighbours
    uint32_t count                        # names
    PyObject* names[SHAPE_NAMES_MAX]      # borrowed: the template holds them


# Mix one more name into a hash of names. Names are told apart by their objects.
cdef inline uint64_t shape_mix(uint64_t hash, const PyObject* name) noexcept nogil:
    return (hash ^ (<uint64_t>name >> 4)) * <uint64_t>0x9E3779B97F4A7C15


# A new dict of `count` distinct names and values: always takes over the references in `values`.
# NULL with an exception.
cdef PyObject* shape_dict(
    Shape* shapes, uint64_t hash, PyObject** names, PyObject** values, uint32_t count, bint nested,
) noexcept
# The template for a dict of these names, borrowed, with *offset_bytes, or NULL.
cdef PyObject* shape_find(
    const Shape* shapes, PyObject** names, uint32_t count, size_t* offset_bytes,
) noexcept
# A copy of a template with other values: always takes over the references in `values`. NULL with
# an exception.
cdef PyObject* template_copy(
    PyObject* template, size_t offset_bytes, PyObject** values, uint32_t count, bint nested,
) noexcept
cdef void shapes_clear(Shape* shapes) noexcept
