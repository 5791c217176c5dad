"""Effects: what one run of an update changes, and the new record."""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memcmp

from ddbcore.buffer cimport Buffer
from ddbcore.change cimport CHANGE_REMOVE, CHANGE_SET, Change
from ddbcore.item cimport ItemCodec
from ddbcore.operand cimport Field, Operand, TYPE_ABSENT
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
# Note the new values of the attributes that some of the `count` targets point into. Raises
# ValidationError, ItemTooLarge, CorruptError, MemoryError.
cdef int documents_change(ItemCodec codec, Workspace* workspace, uint32_t count) except -1
# Whether a record holds a header and the keys it tells of.
cdef bint key_sound(const uint8_t* key, size_t size) noexcept
# Append the new record; 0 when there is nothing to write. Raises as documents_change does.
cdef int record_build(
    ItemCodec codec, const uint8_t* old, const uint8_t* key, Workspace* workspace, Buffer* out,
) except -1


# Note the new value of the attribute of a field (absent: removed), unless nothing changes: then 0.
cdef inline bint change_note(
    Workspace* workspace, const Operand* found, const Operand* value, uint32_t index,
) noexcept:
    cdef const Field* field = &workspace.fields[index]
    cdef Change* change = &workspace.changes[workspace.change_count]
    if value.type == TYPE_ABSENT:
        if found.type == TYPE_ABSENT:
            return 0
        change.kind = CHANGE_REMOVE
    else:
        if (
            found.type == value.type and found.raw_size == value.raw_size
            and memcmp(found.raw, value.raw, value.raw_size) == 0
        ):
            return 0
        change.kind = CHANGE_SET
        change.data = value.raw
        change.size = value.raw_size
    change.name = NULL
    if found.type != TYPE_ABSENT:
        change.name = found.name
        change.value = found.raw
        change.value_size = found.raw_size
    change.text = field.text
    change.text_size = field.text_size
    change.name_id = field.name_id
    change.field = index
    change.sized = 0
    workspace.change_count += 1
    return 1
