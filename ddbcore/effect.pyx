"""Effects: what one run of an update changes, and the new record.

Theory of operation
    The program computes values; what really changes is noted here (`change_note`), attribute by
    attribute. Actions that point into a list or map are kept until all are computed, and make one
    new value of their attribute (`documents_change`). Then the item's DynamoDB size is brought up
    to date from the changes alone, and the record is written once (`record_build`).

Invariants
    1. Nothing is noted that leaves the attribute's bytes as they were.
    2. Nothing is appended to `out` unless everything succeeds.

Threads
    With the GIL, on a workspace that one run has.
"""

from libc.string cimport memcpy

from ddbcore.binding cimport name_text
from ddbcore.change cimport (
    CHANGE_SET, Change, ERR_TOO_LARGE, numbers_add, record_change, sets_subtract,
    sets_unite,
)
from ddbcore.document cimport ERR_DEPTH, ERR_PATH, Target, document_change
from ddbcore.names cimport NameTable
from ddbcore.number cimport Number, number_key_decode, number_size
from ddbcore.operand cimport TYPE_ABSENT, TYPE_N
from ddbcore.pyapi cimport PyObject, hr_text_data
from ddbcore.record cimport ITEM_SIZE_MAX, RECORD_HEADER_BYTES, Record
from ddbcore.status cimport ERR_CORRUPT, ERR_MEMORY
from ddbcore.steps cimport PathElement
from ddbcore.value cimport TAG_SMALL_INT, value_size

from ddbcore.errors import CorruptError, ItemTooLarge, ValidationError


# -- errors ----------------------------------------------------------------------------------------


cdef int status_raise(int64_t status) except -1:
    if status == ERR_PATH:
        raise ValidationError(
            "The document path provided in the update expression is invalid for update"
        )
    if status == ERR_DEPTH:
        raise ValidationError(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
            "levels beyond supported limit"
        )
    if status == ERR_TOO_LARGE:
        raise ItemTooLarge("Item size to update has exceeded the maximum allowed size")
    if status == ERR_MEMORY:
        raise MemoryError
    raise CorruptError("the stored item is damaged: its bytes do not follow the item format")


cdef int absent_raise() except -1:
    raise ValidationError(
        "The provided expression refers to an attribute that does not exist in the item"
    )


cdef int operand_type_raise() except -1:
    raise ValidationError("An operand in the update expression has an incorrect data type")


# -- what actions compute --------------------------------------------------------------------------


cdef Operand* operand_add(
    const Operand* found, Operand* value, Workspace* workspace, Operand* made,
) except NULL:
    cdef int status
    if found.type == TYPE_ABSENT:
        return value
    if found.type != value.type:
        operand_type_raise()
    if value.type == TYPE_N:
        numbers_add(found, value, 0, &workspace.room, made)
    else:
        status = sets_unite(found, value, &workspace.room, made)
        if status < 0:
            status_raise(status)
    return made


cdef Operand* operand_delete(
    const Operand* found, Operand* value, Workspace* workspace, Operand* made,
) except NULL:
    cdef int status
    made.type = TYPE_ABSENT
    if found.type == TYPE_ABSENT:
        return made
    if found.type != value.type:
        operand_type_raise()
    status = sets_subtract(found, value, &workspace.room, made)
    if status < 0:
        status_raise(status)
    return made


# Give ids to the names of entries that may be new, as encoding an item would.
cdef int intern_new(
    NameTable table, Target** targets, uint32_t count, Workspace* workspace,
) except -1:
    cdef const PathElement* element
    cdef uint32_t index
    for index in range(count):
        element = &targets[index].elements[targets[index].count - 1]
        targets[index].name_id = element.key
        if not element.indexed and element.key < 0 and targets[index].value.type != TYPE_ABSENT:
            targets[index].name_id = table.intern(
                <str><PyObject*>workspace.field_names[element.number]
            )
    return 0


cdef int documents_change(ItemCodec codec, Workspace* workspace, uint32_t count) except -1:
    cdef NameTable table = codec.names
    cdef Target** first = workspace.sorted
    cdef Target** last = workspace.sorted + count
    cdef const Operand* found
    cdef Operand made
    cdef uint32_t together, field
    cdef int64_t size_change = 0
    cdef int status
    while first < last:
        field = first[0].field
        together = 1
        while first + together < last and first[together].field == field:
            together += 1
        if first[0].count > 0:
            intern_new(table, first, together, workspace)
            found = &workspace.found[field]
            status = document_change(
                found, first, together, workspace.fields, table.sizes,
                <uint32_t>len(table.names), &workspace.room, &made, &size_change,
            )
            if status < 0:
                status_raise(status)
            if change_note(workspace, found, &made, field):
                workspace.changes[workspace.change_count - 1].sized = 1
                workspace.changes[workspace.change_count - 1].size_change = size_change
        first += together
    return 0


# -- the new record --------------------------------------------------------------------------------


# DynamoDB's size of an encoded value; short strings without a call.
cdef inline int64_t size_of(const uint8_t* data, size_t size, NameTable table) noexcept:
    if data[0] < TAG_SMALL_INT:
        return data[0]
    return value_size(data, data + size, table.sizes, <uint32_t>len(table.names))


cdef bint key_sound(const uint8_t* key, size_t size) noexcept:
    cdef Record header
    if size < RECORD_HEADER_BYTES:
        return 0
    memcpy(&header, key, sizeof(Record))
    return size >= RECORD_HEADER_BYTES + <size_t>header.hash_size + header.range_size


# DynamoDB's size of one key attribute's value.
cdef int64_t key_value_size(const uint8_t* data, size_t size, str kind) except -1:
    cdef Number number
    if hr_text_data(<PyObject*>kind)[0] != c'N':
        return <int64_t>size
    if number_key_decode(data, size, &number) != 0:
        status_raise(ERR_CORRUPT)
    return number_size(&number)


# DynamoDB's size of an item that has only its key.
cdef int64_t key_measure(ItemCodec codec, const uint8_t* key) except -1:
    cdef Record header
    cdef Py_ssize_t size
    cdef int64_t total
    memcpy(&header, key, sizeof(Record))
    name_text(<PyObject*>codec.hash_name, &size)
    total = size + key_value_size(key + RECORD_HEADER_BYTES, header.hash_size, codec.hash_type)
    if codec.range_name is not None:
        name_text(<PyObject*>codec.range_name, &size)
        total += size + key_value_size(
            key + RECORD_HEADER_BYTES + header.hash_size, header.range_size, codec.range_type
        )
    return total


cdef int record_build(
    ItemCodec codec, const uint8_t* old, const uint8_t* key, Workspace* workspace, Buffer* out,
) except -1:
    cdef NameTable table = codec.names
    cdef Record header
    cdef Change* change
    cdef uint32_t index
    cdef int64_t size, status
    if old != NULL:
        if workspace.change_count == 0:
            return 0
        memcpy(&header, old, sizeof(Record))
        size = header.item_size
    else:
        size = key_measure(codec, key)
    for index in range(workspace.change_count):
        change = &workspace.changes[index]
        if change.sized:
            size += change.size_change
            continue
        if change.name != NULL:
            status = size_of(change.value, change.value_size, table)
            if status < 0:
                status_raise(status)
            size -= status
        if change.kind == CHANGE_SET:
            status = size_of(change.data, change.size, table)
            if status < 0:
                status_raise(status)
            size += status
            if change.name == NULL:
                size += change.text_size
        else:
            size -= change.text_size
    if size < 0:
        status_raise(ERR_CORRUPT)
    if size > ITEM_SIZE_MAX:
        status_raise(ERR_TOO_LARGE)
    for index in range(workspace.change_count):
        change = &workspace.changes[index]
        if change.name == NULL and change.name_id < 0:
            change.name_id = table.intern(<str><PyObject*>workspace.field_names[change.field])
    status = record_change(
        old, key, workspace.changes, workspace.change_count, <uint32_t>size, out
    )
    if status < 0:
        status_raise(status)
    return 1
