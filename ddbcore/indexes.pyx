"""Secondary indexes: which entry an item has in each, and under which key.

Theory of operation
    An index is a hidden table ("orders/by_status"), written in the frame of the item it belongs to,
    so it is never stale, and replay, checkpoint, compaction and verify know nothing of it. An entry
    has a key and nothing else: its hash key holds the index's hash attributes, its range key the
    index's range attributes and behind them the item's own key, which makes it unique and leads
    back to the item. Projections are applied on read. An update that moves no key writes nothing
    here, unless the entry's size in DynamoDB's counting changes, which the entry's header carries.

    Parts of a key stand one behind the other, each with its zero bytes written as 00 FF and 00 00
    at its end. So keys are ordered as the tuples of their values, and a prefix of parts is a range
    of keys.

Invariants
    1. An item has an entry exactly when it has all key attributes of the index, of its types.
    2. The fields of a set are those of its codec as of interned_count names; `refresh` sees to it.

Threads
    Under the GIL. `change` and what it calls run no Python code.

Format: FORMAT.md, section "Indexes".
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memchr, memcmp, memcpy, memset

from ddbcore.buffer cimport Buffer, buffer_free, buffer_reserve
from ddbcore.names cimport NAME_COUNT_MAX, name_find
from ddbcore.number cimport (
    NUMBER_KEY_BYTES_MAX,
    Number,
    number_decode,
    number_key_decode,
    number_key_encode,
    number_size,
)
from ddbcore.operand cimport (
    FORM_KEY,
    FORM_TAGGED,
    ROLE_ATTRIBUTE,
    ROLE_HASH,
    ROLE_RANGE,
    TYPE_ABSENT,
    TYPE_N,
    fields_find,
    fields_index,
    operand_equal,
    type_by_name,
)
from ddbcore.pyapi cimport (
    PyErr_Clear,
    PyObject,
    PyUnicode_AsUTF8AndSize,
    hr_text_data,
    hr_text_equal,
)
from ddbcore.record cimport (
    HASH_KEY_MAX,
    RANGE_KEY_MAX,
    RECORD_DELETE,
    RECORD_HEADER_BYTES,
    RECORD_PUT,
)
from ddbcore.segments cimport padded
from ddbcore.status cimport ERR_CORRUPT, ERR_MEMORY, OK
from ddbcore.value cimport value_size

from ddbcore.errors import CorruptError, ValidationError

cdef enum:
    PART_WRONG = 0                        # absent, or not what a key may be

TYPE_NAMES = ("", "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")


cdef int corrupt_raise() except -1:
    raise CorruptError("the stored item is damaged: its bytes do not follow the item format")


cdef int part_append(const uint8_t* data, size_t size, Buffer* out) noexcept nogil:
    cdef uint8_t* target
    cdef size_t index
    if buffer_reserve(out, 2 * size + 2) != 0:
        return ERR_MEMORY
    target = out.data + out.size
    for index in range(size):
        target[0] = data[index]
        target += 1
        if data[index] == 0:
            target[0] = 0xFF
            target += 1
    target[0] = 0
    target[1] = 0
    out.size = target + 2 - out.data
    return OK


cdef const uint8_t* part_skip(const uint8_t* data, const uint8_t* end) noexcept nogil:
    """The end of the part at `data`, or NULL."""
    while end - data >= 2:
        if data[0] == 0:
            if data[1] == 0:
                return data + 2
            data += 1
        data += 1
    return NULL


cdef const uint8_t* part_read(const uint8_t* data, const uint8_t* end, Buffer* out) noexcept nogil:
    """Append the bytes of the part at `data`; its end, or NULL."""
    cdef const uint8_t* zero
    cdef size_t size
    while end - data >= 2:
        zero = <const uint8_t*>memchr(data, 0, <size_t>(end - data) - 1)
        if zero == NULL:
            return NULL
        size = <size_t>(zero - data) + (zero[1] != 0)
        if buffer_reserve(out, size) != 0:
            return NULL
        memcpy(out.data + out.size, data, size)
        out.size += size
        data = zero + 2
        if zero[1] == 0:
            return data
    return NULL


cdef int base_key_append(IndexState index, const Record* entry, Buffer* out,
                         uint32_t* hash_size) noexcept:
    cdef const uint8_t* data = <const uint8_t*>entry + RECORD_HEADER_BYTES + entry.hash_size
    cdef const uint8_t* end = data + entry.range_size
    cdef size_t start = out.size
    cdef uint32_t _part
    for _part in range(index.part_count - index.hash_count):
        data = part_skip(data, end)
        if data == NULL:
            return ERR_CORRUPT
    data = part_read(data, end, out)
    if data == NULL:
        return ERR_CORRUPT
    hash_size[0] = <uint32_t>(out.size - start)
    if data == end:
        return OK
    return OK if part_read(data, end, out) == end else ERR_CORRUPT


cdef int operand_append(const Operand* value, uint8_t type, size_t size_max,
                        Buffer* out) noexcept nogil:
    """Append an attribute as a part of a key: OK, 1 + PART_WRONG when it cannot be one."""
    cdef uint8_t key[NUMBER_KEY_BYTES_MAX]
    cdef Number number
    if value.type != type:
        return 1
    if type == TYPE_N and value.form == FORM_TAGGED:
        if number_decode(value.data, value.data + value.size, &number) < 0:
            return ERR_CORRUPT
        return part_append(key, number_key_encode(&number, key), out)
    if value.size == 0 or value.size > size_max:
        return 1
    return part_append(value.data, value.size, out)


cdef int64_t operand_bytes(const Operand* value, ItemCodec codec) noexcept:
    """DynamoDB's size of an attribute's value, or ERR_CORRUPT."""
    cdef Number number
    if value.raw != NULL:
        return value_size(value.raw, value.raw + value.raw_size, codec.names.sizes,
                          <uint32_t>len(codec.names.names))
    if value.type == TYPE_N and value.form == FORM_KEY:
        if number_key_decode(value.data, value.size, &number) != 0:
            return ERR_CORRUPT
        return number_size(&number)
    return value.size


cdef class IndexState:

    def __dealloc__(self):
        free(self.projected)


cdef class IndexSet:

    def __cinit__(self):
        self.states = []
        self.names = []
        memset(&self.old_key, 0, sizeof(Buffer))
        memset(&self.new_key, 0, sizeof(Buffer))
        memset(&self.records, 0, sizeof(Buffer))

    def __dealloc__(self):
        free(self.fields)
        free(self.found)
        buffer_free(&self.old_key)
        buffer_free(&self.new_key)
        buffer_free(&self.records)

    cdef uint32_t field_of(self, str name) except? 0xFFFFFFFF:
        if name not in self.names:
            self.names.append(name)
        return <uint32_t>self.names.index(name)

    cdef int define(self, Engine engine, TableState table, dict index) except -1:
        cdef IndexState state = IndexState.__new__(IndexState)
        cdef uint32_t number
        hidden = f"{table.name}/{index['name']}"
        if hidden not in engine.names:
            raise CorruptError(f"index {index['name']!r} of table {table.name!r} has no entries")
        state.name = index["name"]
        state.is_global = index["global"]
        state.projection = index["projection"]
        state.whole = state.projection == "ALL"
        state.hash_parts = tuple([tuple(part) for part in index["hash"]])
        state.range_parts = tuple([tuple(part) for part in index["range"]])
        state.included = tuple(index["include"])
        state.entries = engine.tables[engine.names[hidden]]
        state.hash_count = <uint32_t>len(state.hash_parts)
        parts = state.hash_parts + state.range_parts
        state.part_count = <uint32_t>len(parts)
        for number, (name, kind) in enumerate(parts):
            state.fields[number] = self.field_of(name)
            state.types[number] = <uint8_t>type_by_name(hr_text_data(<PyObject*>kind), 1)
        wanted = [table.codec.hash_name]
        if table.codec.range_name is not None:
            wanted.append(table.codec.range_name)
        wanted += [name for name, _ in parts]
        if state.projection == "INCLUDE":
            wanted += state.included
        numbers = sorted({self.field_of(name) for name in wanted})
        state.projected = <uint32_t*>calloc(len(numbers), sizeof(uint32_t))
        if state.projected == NULL:
            raise MemoryError()
        for number in numbers:
            state.projected[state.projected_count] = number
            state.projected_count += 1
        self.states.append(state)
        return 0

    cdef int refresh(self) except -1:
        """Bind the fields to the names that the codec has by now."""
        cdef uint32_t count = <uint32_t>len(self.names)
        cdef uint32_t index
        cdef Py_ssize_t size = 0
        cdef Field* field
        cdef PyObject* name
        if self.fields != NULL and self.interned_count == <uint32_t>len(self.codec.names.names):
            return 0
        if self.fields == NULL:
            self.fields = <Field*>calloc(count, sizeof(Field))
            self.found = <Operand*>calloc(2 * count, sizeof(Operand))
            if self.fields == NULL or self.found == NULL:
                raise MemoryError()
        for index in range(count):
            field = &self.fields[index]
            name = <PyObject*>self.names[index]
            field.text = <const uint8_t*>PyUnicode_AsUTF8AndSize(name, &size)
            if field.text == NULL:
                PyErr_Clear()
                raise CorruptError("a table's schema names an attribute that is no Unicode text")
            field.text_size = <uint32_t>size
            field.name_id = name_find(self.codec.names, name)
            field.role = ROLE_ATTRIBUTE
            if hr_text_equal(name, <PyObject*>self.codec.hash_name):
                field.role = ROLE_HASH
            elif (self.codec.range_name is not None
                    and hr_text_equal(name, <PyObject*>self.codec.range_name)):
                field.role = ROLE_RANGE
        self.table.fields = self.fields
        self.table.count = count
        self.table.hash_type = <uint8_t>type_by_name(hr_text_data(<PyObject*>self.codec.hash_type),
                                                     1)
        self.table.range_type = TYPE_ABSENT
        if self.codec.range_name is not None:
            self.table.range_type = <uint8_t>type_by_name(
                hr_text_data(<PyObject*>self.codec.range_type), 1)
        fields_index(&self.table, len(self.codec.names.names) >= NAME_COUNT_MAX)
        self.interned_count = <uint32_t>len(self.codec.names.names)
        return 0

    cdef int refuse_part(self, IndexState index, uint32_t part, const Operand* value,
                         bint updating) except -1:
        name, kind = (index.hash_parts + index.range_parts)[part]
        if value.type != index.types[part]:
            if updating:
                raise ValidationError(
                    "The update expression attempted to update the secondary index key to "
                    "unsupported type")
            raise ValidationError(
                f"One or more parameter values were invalid: Type mismatch for Index Key {name} "
                f"Expected: {kind} Actual: {TYPE_NAMES[value.type]} IndexName: {index.name}")
        if value.size == 0:
            what = "string" if kind == "S" else "binary"
            if updating:
                raise ValidationError(
                    "One or more parameter values are not valid. The update expression attempted "
                    "to update a secondary index key to a value that is not supported. The "
                    f"AttributeValue for a key attribute cannot contain an empty {what} value.")
            raise ValidationError(
                "One or more parameter values are not valid. A value specified for a secondary "
                "index key is not supported. The AttributeValue for a key attribute cannot contain "
                f"an empty {what} value. IndexName: {index.name}, IndexKey: {name}")
        if updating:
            raise ValidationError(
                "The update expression attempted to update the secondary index key beyond allowed "
                "size limits")
        size_max = HASH_KEY_MAX if part < index.hash_count else RANGE_KEY_MAX
        raise ValidationError(
            f"One or more parameter values were invalid: Size limit exceeded for Index Key {name} "
            f"Actual Size: {value.size} bytes Max Size: {size_max} bytes IndexName: {index.name}")

    cdef int entry_key(self, IndexState index, const Record* record, const Operand* found,
                       const Operand* before, Buffer* out, uint32_t* hash_size, bint strict,
                       bint updating) except -1:
        cdef const uint8_t* key = <const uint8_t*>record + RECORD_HEADER_BYTES
        cdef const Operand* value
        cdef bint complete = True
        cdef uint32_t part
        cdef int status
        out.size = 0
        hash_size[0] = 0
        for part in range(index.part_count):
            if part == index.hash_count:
                hash_size[0] = <uint32_t>out.size
            value = &found[index.fields[part]]
            if value.type == TYPE_ABSENT:
                complete = False
                continue
            status = operand_append(
                value, index.types[part],
                HASH_KEY_MAX if part < index.hash_count else RANGE_KEY_MAX, out)
            if status == ERR_MEMORY:
                raise MemoryError()
            if status < 0:
                corrupt_raise()
            if status > 0:
                if strict and not (
                        before != NULL
                        and operand_equal(&before[index.fields[part]], value) == 1):
                    self.refuse_part(index, part, value, updating)
                complete = False
        if not complete:
            return 0
        if index.part_count == index.hash_count:
            hash_size[0] = <uint32_t>out.size
        status = part_append(key, record.hash_size, out)
        if status == OK and record.range_size > 0:
            status = part_append(key + record.hash_size, record.range_size, out)
        if status != OK:
            raise MemoryError()
        return 1

    cdef int64_t entry_bytes(self, IndexState index, const Record* record,
                             const Operand* found) noexcept:
        cdef int64_t total = 0
        cdef int64_t size
        cdef uint32_t number
        cdef const Operand* value
        if index.whole:
            return record.item_size
        for number in range(index.projected_count):
            value = &found[index.projected[number]]
            if value.type != TYPE_ABSENT:
                size = operand_bytes(value, self.codec)
                if size > 0:
                    total += size
                total += self.fields[index.projected[number]].text_size
        return total

    cdef bint entry_same(self, IndexState index, const Record* old, const Record* new) noexcept:
        """Whether what an index shows of two items with the same entry key is the same."""
        cdef size_t skip = RECORD_HEADER_BYTES + <size_t>old.hash_size + old.range_size
        cdef uint32_t count = self.table.count
        cdef uint32_t number, field
        if index.whole:
            return (old == new
                    or (old.size_bytes == new.size_bytes
                        and memcmp(<const uint8_t*>old + skip, <const uint8_t*>new + skip,
                                   old.size_bytes - skip) == 0))
        for number in range(index.projected_count):
            field = index.projected[number]
            if self.found[field].type == TYPE_ABSENT and (
                    self.found[count + field].type == TYPE_ABSENT):
                continue
            if operand_equal(&self.found[field], &self.found[count + field]) != 1:
                return False
        return True

    cdef int entry(self, IndexState index, const Record* record) except -1:
        cdef Operand* found
        cdef uint32_t hash_size = 0
        self.records.size = 0
        self.refresh()
        found = self.found
        if fields_find(&self.table, <const uint8_t*>record, record.size_bytes, found) < 0:
            corrupt_raise()
        if self.entry_key(index, record, found, NULL, &self.new_key, &hash_size, False, False):
            entry_write(&self.records, index, RECORD_PUT, &self.new_key, hash_size,
                        <uint32_t>self.entry_bytes(index, record, found))
        return 0

    cdef int change(self, const Record* old, const Record* new, IndexArm* arms,
                    bint updating) except -1:
        cdef uint32_t count, number
        cdef uint32_t old_hash = 0
        cdef uint32_t new_hash = 0
        cdef Operand* found_old
        cdef Operand* found_new
        cdef IndexState index
        cdef IndexArm arm
        cdef bint same
        self.records.size = 0
        self.refresh()
        count = self.table.count
        found_old, found_new = self.found, self.found + count
        if (fields_find(&self.table, <const uint8_t*>old, old.size_bytes if old != NULL else 0,
                        found_old) < 0
                or fields_find(&self.table, <const uint8_t*>new,
                               new.size_bytes if new != NULL else 0, found_new) < 0):
            corrupt_raise()
        for number in range(<uint32_t>len(self.states)):
            index = <IndexState>self.states[number]
            arm.before = arm.after = -1
            if old != NULL and self.entry_key(index, old, found_old, NULL, &self.old_key,
                                              &old_hash, False, False):
                arm.before = self.entry_bytes(index, old, found_old)
            if new != NULL and self.entry_key(index, new, found_new,
                                              found_old if updating else NULL, &self.new_key,
                                              &new_hash, True, updating):
                arm.after = self.entry_bytes(index, new, found_new)
            same = (arm.before >= 0 and arm.after >= 0 and old_hash == new_hash
                    and self.old_key.size == self.new_key.size
                    and memcmp(self.old_key.data, self.new_key.data, self.new_key.size) == 0)
            arm.same_key = same
            arm.same_entry = same and arm.before == arm.after and (
                arms == NULL or self.entry_same(index, old, new))
            if arm.before >= 0 and not same:
                entry_write(&self.records, index, RECORD_DELETE, &self.old_key, old_hash, 0)
            if arm.after >= 0 and not (same and arm.before == arm.after):
                entry_write(&self.records, index, RECORD_PUT, &self.new_key, new_hash,
                            <uint32_t>arm.after)
            if arms != NULL:
                arms[number] = arm
        return 0


cdef int entry_write(Buffer* out, IndexState index, uint8_t kind, const Buffer* key,
                     uint32_t hash_size, uint32_t item_size) except -1:
    """Append the record of an entry."""
    # A put ends with its count of attributes: 0.
    cdef size_t size = RECORD_HEADER_BYTES + key.size + (kind == RECORD_PUT)
    cdef Record* record
    if key.size - hash_size > 0xFFFF or hash_size > 0xFFFF:
        raise ValidationError(
            f"the key of an entry of index {index.name} has {key.size} bytes, of at most 65,535")
    if buffer_reserve(out, padded(size)) != 0:
        raise MemoryError()
    record = <Record*>(out.data + out.size)
    memset(<uint8_t*>record + size - 1, 0, padded(size) - size + 1)
    record.size_bytes = <uint32_t>size
    record.kind = kind
    record.flags = 0
    record.hash_size = <uint16_t>hash_size
    record.range_size = <uint16_t>(key.size - hash_size)
    record.keyspace_id = <uint16_t>index.entries.keyspace_id
    record.item_size = item_size
    memcpy(<uint8_t*>record + RECORD_HEADER_BYTES, key.data, key.size)
    out.size += padded(size)
    return 0


cdef IndexSet index_set(Engine engine, TableState table):
    cdef IndexSet made
    cdef uint64_t version = engine.schema_version
    if not table.index_list:
        return None
    if table.indexes is not None and table.indexes_version == engine.schema_version:
        return <IndexSet>table.indexes
    if len(table.index_list) > INDEX_COUNT_MAX:
        raise CorruptError(f"table {table.name!r} has more indexes than a table can have")
    made = IndexSet.__new__(IndexSet)
    made.codec = table.codec
    for definition in table.index_list:
        made.define(engine, table, definition)
    # Making it may have run Python code: it is of the version that it was begun with.
    table.indexes = made
    table.indexes_version = version
    return made
