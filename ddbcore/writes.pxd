"""Writes and reads of items in DynamoDB's own form."""

from ddbcore.buffer cimport Buffer
from ddbcore.engine cimport Engine
from ddbcore.item cimport ItemCodec
from ddbcore.program cimport Program
from ddbcore.projection cimport Projection
from ddbcore.record cimport Record
from ddbcore.table cimport CoreTable
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef enum:
    ACTION_PUT = 0                        # Action.kind
    ACTION_UPDATE = 1
    ACTION_DELETE = 2
    ACTION_CHECK = 3
    SHOW_BEFORE = 1                       # bits of Action.wants: what the outcome shows
    SHOW_AFTER = 2
    SHOW_FAILED = 4
    SHOW_ARMS = 8

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
    cdef uint64_t hash                    # of its hash key
    cdef uint64_t mark                    # of its whole key

    cdef int encode(self, Buffer* out) except -1
    cdef void mark_key(self, const uint8_t* data) noexcept
    cdef bint meets(self, Action other, const uint8_t* data) noexcept
    cdef object image(self, const Record* record)
    cdef object whole(self, const Record* record)
    cdef int decide(self, const Record* old) except -1
    cdef const Record* write(
        self, const Record* key, const Record* old, Buffer* frame,
    ) except? NULL
    cdef uint32_t key_bytes(self, const Record* key) except? 0xFFFFFFFF
    cdef tuple perform(self, Engine engine, const Record* key, Buffer* frame)


# What write_all (not distinct) and write_distinct do.
cdef list actions_run(Engine engine, list actions, object finish, object durability, bint distinct)
# Carry out actions whose items and keys are encoded, as write_all does; durability is one of
# engine's. faults: the errors of those that could not be encoded, by number.
cdef list actions_commit(Engine engine, list actions, dict faults, Buffer* encoded, object finish,
                         int durability)
# Tell whether an encoded action is of the item of one of the first `count` others.
cdef bint action_meets(Action action, list others, Py_ssize_t count, const uint8_t* data) noexcept
