"""The attribute-name dictionary of one keyspace: name <-> small integer."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.pyapi cimport PyObject, hr_text_equal, hr_text_hash

cdef enum:
    NAME_COUNT_MAX = 8192                 # of one keyspace; later names are stored inline
    NAME_INTERNED_BYTES_MAX = 255         # longer names are stored inline


cdef struct NameSlot:
    PyObject* name                        # borrowed from NameTable.names; NULL: free
    Py_hash_t hash
    uint32_t name_id


cdef class NameTable:
    """The attribute-name dictionary of one keyspace: name <-> small integer. Never shrinks.

    A name gets its id when an item that has it is first encoded; `logged` says how many of them the
    log holds already: the commit writes the others (ids logged..count-1) ahead of the record that
    needs them.
    """

    cdef readonly list names              # str by id
    cdef readonly dict ids                # id by str
    cdef readonly uint32_t logged
    cdef uint16_t* sizes                  # UTF-8 bytes by id, for value_size; never moves
    cdef NameSlot* slots                  # open addressing, at most half full
    cdef size_t slot_mask                 # slots - 1

    # Id of a name, given one if new; -1 when it must be stored inline. -2 with an exception.
    cdef int64_t intern(self, str name) except -2
    # Add a name read from the log or a checkpoint; its id must be the next one. Raises CorruptError
    # otherwise.
    cdef int restore(self, uint32_t name_id, const uint8_t* text, size_t size) except -1
    # The str of an id, borrowed; raises CorruptError for an unknown id.
    cdef object name_of(self, uint64_t name_id)
    cdef int append(self, str name, Py_ssize_t size) except -1
    cdef int grow(self) except -1


# Id of an exact str that has one, or -1.
cdef inline int64_t name_find(NameTable table, PyObject* name) noexcept:
    cdef Py_hash_t hash = hr_text_hash(name)
    cdef size_t index = <size_t>hash & table.slot_mask
    cdef NameSlot* slot
    while True:
        slot = table.slots + index
        if slot.name == name:
            return slot.name_id
        if slot.name == NULL:
            return -1
        if slot.hash == hash and hr_text_equal(slot.name, name):
            return slot.name_id
        index = (index + 1) & table.slot_mask
