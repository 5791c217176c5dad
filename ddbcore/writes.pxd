"""Writes and reads of items in DynamoDB's own form."""

from ddbcore.buffer cimport Buffer
from ddbcore.engine cimport Engine
from ddbcore.item cimport ItemCodec
from ddbcore.program cimport Program
from ddbcore.projection cimport Projection
from ddbcore.record cimport Record
from ddbcore.table cimport CoreTable
from libc.stdint cimport uint32_t, uint64_t

# A key that is looked for.
cdef struct Wanted:
    void* table                           # whose it is: a TableState, to compare
    size_t start                          # of the encoded key in its buffer
    uint64_t hash
    const Record* record                  # what was found, or NULL

cdef class Action:
    cdef readonly CoreTable table
    cdef ItemCodec codec                  # of the table when the item was encoded
    cdef int kind
    cdef object item
    cdef Program program                  # condition and update, or None
    cdef object names
    cdef object values
    cdef bint partial                     # names and values may hold more than the program uses
    cdef int wants
    cdef Projection touched               # what images show, or None for all
    cdef bint native                      # plain Python values, in and out
    cdef size_t start                     # of its record among the encoded ones

    cdef int encode(self, Buffer* out) except -1
    cdef object image(self, const Record* record)
    cdef object whole(self, const Record* record)
    cdef int decide(self, const Record* old) except -1
    cdef const Record* write(
        self, const Record* key, const Record* old, Buffer* frame,
    ) except? NULL
    cdef uint32_t key_bytes(self, const Record* key) except? 0xFFFFFFFF
    cdef tuple perform(self, Engine engine, const Record* key, Buffer* frame)
