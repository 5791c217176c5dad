"""Copies of decoded items: deep ones, and the frozen form that the item cache keeps."""

from libc.stdint cimport uint32_t, uint64_t

from ddbcore.pyapi cimport PyObject
from ddbcore.shape cimport Shape

cdef enum:
    FROZEN_WORDS_MAX = 512                # larger items are kept as one dict


# A copy of a decoded item that shares only immutable values (dict, list and set are copied, nested
# ones too).
cdef dict item_copy(dict item)
# Write the frozen form of an item to `words`, which has room for FROZEN_WORDS_MAX. Returns the
# words written; *saved_bytes: estimated memory of the containers that it does without. References
# are owned by the words: frozen_drop gives them back. Raises MemoryError, ValueError.
cdef int frozen_make(
    dict item, const Shape* shapes, uint64_t* words, size_t* saved_bytes,
) except -1
# The item of a frozen form: a new reference, or NULL with an exception. The words must outlive the
# call, which may run Python code.
cdef PyObject* frozen_item(const uint64_t* words) noexcept
# Start loading what frozen_item will read.
cdef void frozen_fetch(const uint64_t* words, uint32_t count) noexcept
cdef void frozen_drop(const uint64_t* words, uint32_t count) noexcept
