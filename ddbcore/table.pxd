"""A table's hot calls: put, get, update, delete."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ddbcore.btree cimport Span
from ddbcore.buffer cimport Buffer
from ddbcore.engine cimport Engine, TableState
from ddbcore.item cimport ItemCodec
from ddbcore.keyspace cimport Found, Keyspace
from ddbcore.program cimport Program
from ddbcore.record cimport Record

cdef class CoreTable:
    cdef readonly Engine engine
    cdef readonly str name
    cdef TableState state
    cdef Keyspace* space                  # inside of state
    cdef readonly ItemCodec codec
    cdef object last_update               # texts of last_program
    cdef object last_condition
    cdef Program last_program

    # Raise unless the table may be read; a reader catches up with the writer.
    cdef int enter(self) except -1
    cdef int enter_write(self) except -1
    # The table of this name was dropped, or loaded anew.
    cdef int renew(self) except -1
    # The record of the key encoded in `key` (a header and keys), or NULL.
    cdef const Record* find(self, const Record* key, uint64_t* hash, uint64_t* address) except? NULL
    cdef int locate(self, const Record* key, uint64_t* hash, Found* found) except -1
    # Log and index the record at `start` of a frame buffer, which is the frame's last.
    # updated: the item's record that is replaced, or NULL record.
    cdef int commit(self, Buffer* frame, uint64_t hash, Found* updated=*) except -1
    cdef int commit_indexed(self, Buffer* frame, bint updating) except -1
    cdef int commit_delete(self, Buffer* frame, uint64_t hash) except -1
    cdef object fetch(self, Span hash_key, Span range_key)
    cdef object get_projected(self, object hash, object range, object project, object names)
    cdef int forget(self, const Record* record, uint64_t hash) except -1
    cdef int settle(self, object durability) except -1
    # What a call's durability= means, as one of engine's.
    cdef int durability_of(self, object durability) except -1
    cdef int settle_as(self, int wanted) except -1
    cdef int get_some(self, list keys, list items) except -1
    # Bring the record nearer that the first entry with a hash's tag names; its address, or 0.
    # Whether it is the one that is meant, its key tells.
    cdef uint64_t prefetch_record(self, uint64_t hash) noexcept
    cdef int assist(self) except -1
    cdef int condition_check(self, const Record* old, object condition, object names,
                             object values, bint shown) except -1
    cdef object image(self, const Record* record)
    # The condition of a write, and the item as it was where it is to be `shown`.
    cdef object examine(self, const Record* old, object condition, object names, object values,
                        bint shown, bint shown_failed)
    cdef object update_image(self, int wanted, const Record* record, Program program,
                             object names)
