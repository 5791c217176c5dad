"""Memory in large pieces, which the kernel is asked to back with pages of 2 MiB.

What is read at random places of many MiB waits for the tables of small pages as much as for the
memory itself. Smaller pieces are aligned to 4 KiB and get no such pages.
"""

cdef extern from *:
    """
    #include <stdlib.h>
    #if defined(_WIN32)
    #include <malloc.h>
    static inline void* span_alloc(size_t size) {
        return _aligned_malloc(size, 4096);
    }
    static inline void span_free(void* span) { _aligned_free(span); }
    #else
    #include <sys/mman.h>
    static inline void* span_alloc(size_t size) {
        void* span = NULL;
        size_t align = size >= (2u << 20) ? (2u << 20) : 4096;
        if (posix_memalign(&span, align, size) != 0) return NULL;
    #ifdef MADV_HUGEPAGE
        if (size >= (2u << 20)) madvise(span, size, MADV_HUGEPAGE);
    #endif
        return span;
    }
    static inline void span_free(void* span) { free(span); }
    #endif
    """
    # Uninitialised memory, or NULL.
    void* span_alloc(size_t size) noexcept nogil
    void span_free(void* span) noexcept nogil
