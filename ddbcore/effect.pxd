"""Effects: what one run of an update changes, and the new record."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from ddbcore.buffer cimport Buffer
from ddbcore.item cimport ItemCodec
from ddbcore.operand cimport Operand
from ddbcore.workspace cimport Workspace


# Raise what a kernel's status means for an update.
cdef int status_raise(int64_t status) except -1
cdef int absent_raise() except -1
cdef int operand_type_raise() except -1
# What ADD and DELETE make of what is there: *value or *made, absent when nothing is left. Raise
# ValidationError.
cdef Operand* operand_add(
    const Operand* found, Operand* value, Workspace* workspace, Operand* made,
) except NULL
cdef Operand* operand_delete(
    const Operand* found, Operand* value, Workspace* workspace, Operand* made,
) except NULL
# Note the new value of the attribute of a field (absent: removed), unless nothing changes: then 0.
cdef bint change_note(
    Workspace* workspace, const Operand* found, const Operand* value, uint32_t index,
) noexcept
# Note the new values of the attributes that some of the `count` targets point into. Raises
# ValidationError, ItemTooLarge, CorruptError, MemoryError.
cdef int documents_change(ItemCodec codec, Workspace* workspace, uint32_t count) except -1
# Whether a record holds a header and the keys it tells of.
cdef bint key_sound(const uint8_t* key, size_t size) noexcept
# Append the new record; 0 when there is nothing to write. Raises as documents_change does.
cdef int record_build(
    ItemCodec codec, const uint8_t* old, const uint8_t* key, Workspace* workspace, Buffer* out,
) except -1
