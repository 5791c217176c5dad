"""The attribute-name dictionary of one keyspace: name <-> small integer.

Theory of operation
    Items of a table share their attribute names, so a record holds small integers in their place. A
    name gets the next id when an item that has it is first encoded; the id never changes and never
    goes away. Decoding hands out the same interned str each time, whose hash is known. Encoding
    finds the id in a hash table of its own: the key of a dict has its hash already, and the names
    in Python code are interned, so that the first probe nearly always meets the very same object.

Invariants
    1. names[i] is an exact, interned str of 1..NAME_INTERNED_BYTES_MAX UTF-8 bytes; ids[names[i]]
       == i; sizes[i] are its bytes.
    2. At most NAME_COUNT_MAX names. The slots are at most half full, so that every probe ends.
    3. Between choosing an id and having it in all three tables no Python code runs.

Threads
    With the GIL. `sizes` may be read without it for ids that a record in the log uses.

Format
    FORMAT.md, section "Names".
"""

from libc.stdlib cimport calloc, free, malloc

import sys

from ddbcore.errors import CorruptError, ValidationError

cdef enum:
    SLOT_COUNT_START = 64


cdef class NameTable:

    def __cinit__(self):
        self.names = []
        self.ids = {}
        self.sizes = <uint16_t*>malloc(NAME_COUNT_MAX * sizeof(uint16_t))
        self.slots = <NameSlot*>calloc(SLOT_COUNT_START, sizeof(NameSlot))
        self.slot_mask = SLOT_COUNT_START - 1
        if self.sizes == NULL or self.slots == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.sizes)
        free(self.slots)

    cdef int64_t intern(self, str name) except -2:
        cdef int64_t name_id = name_find(self, <PyObject*>name)
        cdef Py_ssize_t size
        cdef bytes text
        if name_id >= 0 or len(self.names) >= NAME_COUNT_MAX:
            return name_id
        if len(name) > NAME_INTERNED_BYTES_MAX:
            return -1
        try:
            text = name.encode("utf-8")
        except UnicodeEncodeError:
            raise ValidationError(
                f"attribute name {ascii(name)} has a lone surrogate, so it is not Unicode text"
            ) from None
        size = len(text)
        if size == 0:
            raise ValidationError("an attribute name cannot be empty")
        if size > NAME_INTERNED_BYTES_MAX:
            return -1
        self.append(name, size)
        return name_find(self, <PyObject*>name)

    cdef int restore(self, uint32_t name_id, const uint8_t* text, size_t size) except -1:
        cdef str name
        if name_id != <size_t>len(self.names) or name_id >= NAME_COUNT_MAX:
            raise CorruptError(
                f"attribute name with id {name_id} where {len(self.names)} comes next"
            )
        if size == 0 or size > NAME_INTERNED_BYTES_MAX:
            raise CorruptError(f"attribute name {name_id} has {size} bytes")
        try:
            name = (<const char*>text)[:size].decode("utf-8")
        except UnicodeDecodeError:
            raise CorruptError(f"attribute name {name_id} is not UTF-8") from None
        if name in self.ids:
            raise CorruptError(
                f"attribute name {name!r} has the ids {self.ids[name]} and {name_id}"
            )
        self.append(name, <Py_ssize_t>size)
        self.logged = name_id + 1
        return 0

    cdef object name_of(self, uint64_t name_id):
        if name_id >= <uint64_t>len(self.names):
            raise CorruptError(f"no attribute name has the id {name_id}")
        return self.names[name_id]

    cdef int append(self, str name, Py_ssize_t size) except -1:
        cdef PyObject* text
        cdef object interned
        cdef uint32_t name_id
        cdef Py_hash_t hash
        cdef size_t index
        if (<size_t>len(self.names) + 1) * 2 > self.slot_mask:
            self.grow()
        interned = sys.intern(name)
        text = <PyObject*>interned
        hash = hr_text_hash(text)
        name_id = <uint32_t>len(self.names)
        self.names.append(interned)
        self.ids[interned] = name_id
        self.sizes[name_id] = <uint16_t>size
        index = <size_t>hash & self.slot_mask
        while self.slots[index].name != NULL:
            index = (index + 1) & self.slot_mask
        self.slots[index].hash = hash
        self.slots[index].name_id = name_id
        self.slots[index].name = text
        return 0

    cdef int grow(self) except -1:
        cdef size_t mask = self.slot_mask * 2 + 1
        cdef NameSlot* slots = <NameSlot*>calloc(mask + 1, sizeof(NameSlot))
        cdef size_t index, target
        if slots == NULL:
            raise MemoryError
        for index in range(self.slot_mask + 1):
            if self.slots[index].name != NULL:
                target = <size_t>self.slots[index].hash & mask
                while slots[target].name != NULL:
                    target = (target + 1) & mask
                slots[target] = self.slots[index]
        free(self.slots)
        self.slots = slots
        self.slot_mask = mask
        return 0
