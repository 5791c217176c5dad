"""Item collections: the records of one partition key in sort key order."""

from libc.stdint cimport uint32_t, uint64_t

from ddbcore.node cimport Forest, Span, forest_init

# Find the address of a key: FOUND, OK (absent) or an error. `ref` is the entry's reference.
cdef int collection_find(Forest* forest, uint64_t ref, Span key, uint64_t* address) noexcept nogil
# Set the address of a key. FOUND: replaced, *old is the former address; OK: added. *result is the collection's reference.
cdef int collection_put(Forest* forest, uint64_t ref, Span key, uint64_t address, uint64_t* result,
                        uint64_t* old) noexcept nogil
# Remove a key. FOUND and *old, or OK. *result becomes 0 when the collection is empty.
cdef int collection_remove(Forest* forest, uint64_t ref, Span key, uint64_t* result, uint64_t* old) noexcept nogil
# Collect up to `wanted` addresses from `start` (data NULL: from the end where the walk begins) in the direction given.
# `inclusive`: start itself counts. OK or an error.
cdef int collection_gather(Forest* forest, uint64_t ref, Span start, bint inclusive, bint reverse,
                           uint64_t* out, uint32_t wanted, uint32_t* count) noexcept nogil
# The address of some record of the collection. OK or an error.
cdef int collection_any(Forest* forest, uint64_t ref, uint64_t* address) noexcept nogil
# Check order, heads and structure; *items gets the number of records. OK or ERR_CORRUPT.
cdef int collection_verify(Forest* forest, uint64_t ref, uint64_t* items) noexcept nogil
