"""Programs: compiled conditions and updates, run over item bytes without building Python objects.

Theory of operation
    `hashrange.expr` compiles text to steps and symbol tables once. A run binds them: names become
    ids of the keyspace's name table, values are encoded once into scratch. One walk over the record
    then finds the attributes concerned (`operand.fields_find`), the condition is decided on views
    of them, and the update computes new values and has the record written by
    `change.record_change`, untouched attributes copied as runs of bytes. The update's steps are a
    stack machine. All operands are read from the item as it was. A workspace keeps what a run
    needs. It remembers the names of the last run: when they are the same objects again, on the same
    keyspace, their ids and checks hold still.

Invariants
    1. Steps are checked when the program is made (`ddbcore.steps`); running trusts them.
    2. A program does not change after that, but for `spare`, which one run at a time takes under
       the GIL.
    3. Nothing is appended to `out` unless the run succeeds with 1.

Threads
    With the GIL, from any thread. What `bind` returns may be evaluated without it
    (`condition_eval`).

Format
    The steps are private to this module and hashrange.expr; they are never stored.
"""

from cpython.exc cimport PyErr_Clear
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from ddbcore.buffer cimport buffer_free
from ddbcore.change cimport (
    CHANGE_REMOVE, CHANGE_SET, Change, ERR_TOO_LARGE, lists_join, numbers_add, operand_encode,
    record_change, sets_subtract, sets_unite,
)
from ddbcore.names cimport NAME_COUNT_MAX, NameTable, name_find
from ddbcore.number cimport Number, number_key_decode, number_size
from ddbcore.operand cimport (
    Field, FieldTable, ROLE_ATTRIBUTE, ROLE_HASH, ROLE_RANGE, TYPE_ABSENT, TYPE_L, TYPE_N,
    fields_find, fields_index, operand_order, operand_read, type_by_name,
)
from ddbcore.pyapi cimport (
    PyDict_Check, PyDict_GetItemWithError, PyObject, PyTuple_GET_ITEM, PyUnicode_AsUTF8AndSize,
    PyUnicode_Check, Py_INCREF, Py_XDECREF, hr_is_exact_text, hr_text_data, hr_text_equal,
)
from ddbcore.record cimport ITEM_SIZE_MAX, RECORD_HEADER_BYTES, Record
from ddbcore.status cimport ERR_CORRUPT, ERR_MEMORY
from ddbcore.steps cimport (
    Bound, OPERAND_ATTRIBUTE, OPERAND_KIND, OPERAND_NUMBER, OPERAND_VALUE, STEP_ADD_TO, STEP_APPEND,
    STEP_DEFAULT, STEP_MINUS, STEP_PUSH, STEP_REMOVE, STEP_SET, STEP_TYPE, condition_check,
    condition_eval, operand_of, steps_load, steps_run, update_check,
)
from ddbcore.value cimport TAG_SMALL_INT, value_size
from ddbcore.workspace cimport workspace_clear, workspace_forget, workspace_free, workspace_make

from sys import intern

from ddbcore.errors import ConditionalCheckFailed, CorruptError, ItemTooLarge, ValidationError

cdef enum:
    USE_UPDATE = 1                        # bits of name_uses and value_uses
    USE_PLACEHOLDER = 2

TYPE_NAMES = ("", "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")
TYPE_WORDS = (
    "", "STRING", "NUMBER", "BINARY", "BOOLEAN", "NULL", "LIST", "MAP", "STRING_SET", "NUMBER_SET",
    "BINARY_SET",
)


# -- errors ----------------------------------------------------------------------------------------


cdef int raise_status(int64_t status) except -1:
    if status == ERR_TOO_LARGE:
        raise ItemTooLarge("Item size to update has exceeded the maximum allowed size")
    if status == ERR_MEMORY:
        raise MemoryError
    raise CorruptError("the stored item is damaged: its bytes do not follow the item format")


cdef int raise_absent() except -1:
    raise ValidationError(
        "The provided expression refers to an attribute that does not exist in the item"
    )


cdef int raise_operand_type() except -1:
    raise ValidationError("An operand in the update expression has an incorrect data type")


# Refuse the placeholders of `source` that no expression uses.
cdef int raise_unused(str member, dict source, tuple used, str mark) except -1:
    cdef list unused = sorted(
        [str(key) for key in source if key not in used or not str(key).startswith(mark)]
    )
    for key in unused:
        if not key.startswith(mark) or len(key) < 2:
            raise ValidationError(f'{member} contains invalid key: Syntax error; key: "{key}"')
    raise ValidationError(
        f"Value provided in {member} unused in expressions: keys: {{{', '.join(unused)}}}"
    )


# -- binding ---------------------------------------------------------------------------------------


# The text of a name as the caller's dict gives it: an exact str, a new reference.
cdef str name_given(str token, object names, str clause):
    cdef PyObject* given = NULL
    if names is not None:
        given = PyDict_GetItemWithError(<PyObject*>names, <PyObject*>token)
    if given == NULL:
        raise ValidationError(
            f"Invalid {clause}: An expression attribute name used in the document path is not "
            f"defined; attribute name: {token}"
        )
    if hr_is_exact_text(given):
        return <str>given
    if not PyUnicode_Check(given):
        raise ValidationError(
            "ExpressionAttributeNames contains invalid value: "
            f"{type(<object>given).__qualname__} for key {token}, a str is needed"
        )
    return str.__str__(<object>given)


cdef class Program:

    def __cinit__(
        self, bytes update, bytes condition, tuple names not None, tuple values not None,
        str clause not None="ConditionExpression", tuple checks not None=(),
        tuple ranges not None=(), tuple distinct not None=(),
    ):
        for symbol in names + values:
            if type(symbol) is not str:
                raise TypeError("names and values are str")
        # Interned: the keys of a caller's dict are nearly always the very same objects then.
        self.names = tuple([intern(name) for name in names])
        self.values = tuple([intern(value) for value in values])
        self.clause = clause
        self.checks = checks
        self.ranges = ranges
        self.distinct = distinct
        self.has_update = update is not None
        self.has_condition = condition is not None
        self.name_count = <uint32_t>len(names)
        self.value_count = <uint32_t>len(values)
        self.check_count = <uint32_t>len(checks)
        if self.name_count > OPERAND_NUMBER or self.value_count > OPERAND_NUMBER:
            raise ValueError("too many names or values for one program")
        for low, high, _ in ranges:
            if not 0 <= low < self.value_count or not 0 <= high < self.value_count:
                raise ValueError("a range refers to a value that is not there")
        for first, second, _ in distinct:
            if not 0 <= first < self.name_count or not 0 <= second < self.name_count:
                raise ValueError("a pair refers to a name that is not there")
        self.name_uses = <uint8_t*>calloc(self.name_count + 1, 1)
        self.value_uses = <uint8_t*>calloc(self.value_count + 1, 1)
        self.check_masks = <uint16_t*>calloc(self.check_count + 1, sizeof(uint16_t))
        self.check_values = <uint16_t*>calloc(self.check_count + 1, sizeof(uint16_t))
        if not (self.name_uses and self.value_uses and self.check_masks and self.check_values):
            raise MemoryError
        for index, (value, types, _, _) in enumerate(checks):
            if not 0 <= value < self.value_count:
                raise ValueError("a check refers to a value that is not there")
            self.check_values[index] = value
            for name in types:
                self.check_masks[index] |= 1 << TYPE_NAMES.index(name)
        self.update_steps = steps_load(update, &self.update_count)
        self.condition_steps = steps_load(condition, &self.condition_count)
        self.prepare()

    cdef int prepare(self) except -1:
        """Check the steps, and note which symbols the update uses."""
        cdef int64_t deepest = 0
        cdef uint32_t index
        cdef Step* step
        if self.has_condition and not condition_check(
            self.condition_steps, self.condition_count, self.name_count, self.value_count
        ):
            raise ValueError("the steps of the condition are not sound")
        if self.has_update:
            deepest = update_check(
                self.update_steps, self.update_count, self.name_count, self.value_count,
                &self.action_count,
            )
            if deepest < 0:
                raise ValueError("the steps of the update are not sound")
        self.stack_size = <uint32_t>deepest
        for index in range(self.update_count):
            step = &self.update_steps[index]
            if step.code >= STEP_SET:
                self.name_uses[step.a] |= USE_UPDATE
                if step.code >= STEP_ADD_TO:
                    self.value_uses[step.b] |= USE_UPDATE
            elif step.code <= STEP_DEFAULT:
                if step.a & OPERAND_KIND == OPERAND_ATTRIBUTE:
                    self.name_uses[step.a & OPERAND_NUMBER] |= USE_UPDATE
                else:
                    self.value_uses[step.a & OPERAND_NUMBER] |= USE_UPDATE
        for index in range(self.name_count):
            if self.names[index].startswith("#"):
                self.name_uses[index] |= USE_PLACEHOLDER
                self.placeholder_count += 1
        type_values = []
        for index in range(self.condition_count):
            step = &self.condition_steps[index]
            if step.code == STEP_TYPE and step.b & OPERAND_KIND == OPERAND_VALUE:
                type_values.append(step.b & OPERAND_NUMBER)
        self.type_values = tuple(type_values)
        return 0

    def __dealloc__(self):
        workspace_free(self.spare, self.name_count)
        free(self.update_steps)
        free(self.condition_steps)
        free(self.check_masks)
        free(self.check_values)
        free(self.name_uses)
        free(self.value_uses)

    cdef str clause_of(self, uint8_t uses):
        """Name the expression that a symbol's error is about: the update is read first."""
        return "UpdateExpression" if uses & USE_UPDATE else self.clause

    cdef Workspace* take_workspace(self) except NULL:
        cdef Workspace* workspace = self.spare
        self.spare = NULL
        if workspace == NULL:
            workspace = workspace_make(
                self.name_count, self.value_count, self.stack_size, self.action_count
            )
            if workspace == NULL:
                raise MemoryError
        return workspace

    cdef Workspace* bind(self, ItemCodec codec, object names, object values) except NULL:
        cdef Workspace* workspace
        if names is not None and not PyDict_Check(<PyObject*>names):
            names = dict(names)
        if values is not None and not PyDict_Check(<PyObject*>values):
            values = dict(values)
        workspace = self.take_workspace()
        try:
            self.bind_names(codec, names, workspace)
            self.bind_values(codec, values, workspace)
            if names is not None and len(<dict>names) != self.placeholder_count:
                raise_unused("ExpressionAttributeNames", names, self.names, "#")
            if values is not None and len(<dict>values) != self.value_count:
                raise_unused("ExpressionAttributeValues", values, self.values, ":")
            self.check_values_bound(codec, workspace)
            if workspace.codec == NULL:
                if self.has_update:
                    self.refuse_targets(workspace)
                # Only fields that passed every check may serve another run.
                Py_INCREF(<PyObject*>codec)
                workspace.codec = <void*>codec
        except BaseException:
            self.unbind(workspace)
            raise
        workspace.bound.steps = self.condition_steps
        workspace.bound.step_count = self.condition_count
        workspace.bound.field_of = workspace.field_of
        workspace.bound.values = workspace.values
        return workspace

    cdef void unbind(self, Workspace* workspace) noexcept:
        workspace_clear(workspace)
        if self.spare == NULL:
            self.spare = workspace
        else:
            workspace_free(workspace, self.name_count)

    cdef int bind_names(self, ItemCodec codec, object names, Workspace* workspace) except -1:
        """Resolve every name.

        When each is the object it was in the last run, on the same keyspace, the fields of that
        run hold still.
        """
        cdef PyObject* text
        cdef str name
        cdef uint32_t index
        cdef bint same = (
            workspace.codec == <void*>codec
            and workspace.interned_count == <uint32_t>len(codec.names.names)
        )
        if not same:
            workspace_forget(workspace)
        for index in range(self.name_count):
            text = PyTuple_GET_ITEM(<PyObject*>self.names, index)
            if self.name_uses[index] & USE_PLACEHOLDER:
                name = name_given(<str>text, names, self.clause_of(self.name_uses[index]))
                text = <PyObject*>name
            if workspace.name_objects[index] != <void*>text:
                if same:
                    workspace_forget(workspace)
                    same = 0
                Py_INCREF(text)
                # Dropping the last reference to a str runs no Python code.
                Py_XDECREF(<PyObject*>workspace.name_objects[index])
                workspace.name_objects[index] = text
        if not same:
            self.bind_fields(codec, workspace)
        return 0

    cdef int bind_fields(self, ItemCodec codec, Workspace* workspace) except -1:
        """Make the fields of the names at hand: ids, roles, chains; equal names share a field."""
        cdef NameTable table = codec.names
        cdef FieldTable* fields = &workspace.bound.table
        cdef PyObject* text
        cdef uint32_t index, other, count = 0
        cdef int64_t name_id
        fields.fields = workspace.fields
        fields.hash_type = <uint8_t>type_by_name(hr_text_data(<PyObject*>codec.hash_type), 1)
        fields.range_type = TYPE_ABSENT
        if codec.range_name is not None:
            fields.range_type = <uint8_t>type_by_name(hr_text_data(<PyObject*>codec.range_type), 1)
        for index in range(self.name_count):
            text = <PyObject*>workspace.name_objects[index]
            name_id = name_find(table, text)
            for other in range(count):
                if workspace.fields[other].name_id == name_id and (
                    name_id >= 0 or hr_text_equal(<PyObject*>workspace.field_names[other], text)
                ):
                    break
            else:
                other = count
                workspace.field_names[other] = text
                field_make(codec, text, name_id, &workspace.fields[other])
                count += 1
            workspace.field_of[index] = <uint16_t>other
        fields.count = count
        fields_index(fields, len(table.names) >= NAME_COUNT_MAX)
        workspace.interned_count = <uint32_t>len(table.names)
        return 0

    cdef int bind_values(self, ItemCodec codec, object values, Workspace* workspace) except -1:
        cdef Buffer* scratch = &workspace.scratch
        cdef const uint8_t* limit
        cdef const uint8_t* data
        cdef PyObject* token
        cdef PyObject* given
        cdef uint32_t index
        scratch.size = 0
        for index in range(self.value_count):
            token = PyTuple_GET_ITEM(<PyObject*>self.values, index)
            given = NULL
            if values is not None:
                given = PyDict_GetItemWithError(<PyObject*>values, token)
            if given == NULL:
                raise ValidationError(
                    f"Invalid {self.clause_of(self.value_uses[index])}: An expression attribute "
                    f"value used in expression is not defined; attribute value: {<object>token}"
                )
            workspace.value_offsets[index] = scratch.size
            value_encode(codec, <object>token, <object>given, scratch)
        limit = scratch.data + scratch.size
        for index in range(self.value_count):
            data = scratch.data + workspace.value_offsets[index]
            if operand_read(data, limit, &workspace.values[index]) < 0:
                raise_status(ERR_CORRUPT)
        return 0

    cdef int refuse_targets(self, Workspace* workspace) except -1:
        """Refuse actions on key attributes, and two actions on one attribute."""
        cdef uint32_t index, field
        cdef Step* step
        memset(workspace.targeted, 0, workspace.bound.table.count)
        for index in range(self.update_count):
            step = &self.update_steps[index]
            if step.code < STEP_SET:
                continue
            field = workspace.field_of[step.a]
            if workspace.targeted[field]:
                name = <object><PyObject*>workspace.field_names[field]
                raise ValidationError(
                    "Invalid UpdateExpression: Two document paths overlap with each other; must "
                    "remove or rewrite one of these paths; "
                    f"path one: [{name}], path two: [{name}]"
                )
            workspace.targeted[field] = 1
        for index in range(workspace.bound.table.count):
            if workspace.targeted[index] and workspace.fields[index].role != ROLE_ATTRIBUTE:
                name = <object><PyObject*>workspace.field_names[index]
                raise ValidationError(
                    f"One or more parameter values were invalid: Cannot update attribute {name}. "
                    "This attribute is part of the key"
                )
        return 0

    cdef int check_values_bound(self, ItemCodec codec, Workspace* workspace) except -1:
        """Make the checks that the compiler left: types, bounds, operands that must differ."""
        cdef uint32_t index
        cdef Operand* operand
        for index in range(self.check_count):
            operand = &workspace.values[self.check_values[index]]
            if not self.check_masks[index] >> operand.type & 1:
                _, _, prefix, suffix = self.checks[index]
                words = TYPE_WORDS if suffix else TYPE_NAMES
                raise ValidationError(f"{prefix}{words[operand.type]}{suffix}")
        if self.type_values:
            for number in self.type_values:
                operand = &workspace.values[<uint32_t>number]
                if type_by_name(operand.data, operand.size) == TYPE_ABSENT:
                    raise ValidationError(
                        f"Invalid {self.clause}: Invalid attribute type name found; "
                        f"type: {codec.decode_value(operand.raw, operand.raw_size)}, "
                        "valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
                    )
        if self.ranges:
            for low, high, prefix in self.ranges:
                check_range(
                    codec, &workspace.values[<uint32_t>low], &workspace.values[<uint32_t>high],
                    prefix,
                )
        if self.distinct:
            for first, second, message in self.distinct:
                index = workspace.field_of[<uint32_t>first]
                if index == workspace.field_of[<uint32_t>second]:
                    name = <object><PyObject*>workspace.field_names[index]
                    raise ValidationError(f"{message}[{name}]")
        return 0

    cdef int evaluate(
        self, ItemCodec codec, const uint8_t* old, const uint8_t* key, Workspace* workspace,
    ) except -1:
        """Run the update's steps; what really changes is left in workspace.changes."""
        cdef Bound* bound = &workspace.bound
        cdef Operand* stack = workspace.stack
        cdef Operand* found
        cdef Operand* value
        cdef Operand made
        cdef Operand* top = stack - 1
        cdef Step* step
        cdef uint32_t index
        cdef int status
        cdef uint8_t code, wanted
        workspace.change_count = 0
        for index in range(self.update_count):
            step = &self.update_steps[index]
            code = step.code
            if code <= STEP_DEFAULT:
                found = <Operand*>operand_of(bound, workspace.found, step.a, &made)
                if code == STEP_PUSH:
                    top += 1
                    top[0] = found[0]
                elif found.type != TYPE_ABSENT:
                    top[0] = found[0]
                continue
            if code <= STEP_MINUS:
                top -= 1
                if top[0].type == TYPE_ABSENT or top[1].type == TYPE_ABSENT:
                    raise_absent()
                wanted = TYPE_L if code == STEP_APPEND else TYPE_N
                if top[0].type != wanted or top[1].type != wanted:
                    raise_operand_type()
                if code == STEP_APPEND:
                    status = lists_join(top, top + 1, &workspace.room, &made)
                    if status < 0:
                        raise_status(status)
                else:
                    numbers_add(top, top + 1, code == STEP_MINUS, &workspace.room, &made)
                top[0] = made
                continue
            found = &workspace.found[workspace.field_of[step.a]]
            if code == STEP_SET:
                value = top
                top -= 1
                if value.type == TYPE_ABSENT:
                    raise_absent()
                if value.raw == NULL:
                    status = operand_encode(value, &workspace.room)
                    if status < 0:
                        raise_status(status)
            elif code == STEP_REMOVE:
                made.type = TYPE_ABSENT
                value = &made
            else:
                value = &workspace.values[step.b]
                if code == STEP_ADD_TO:
                    value = self.add_to(found, value, workspace, &made)
                else:
                    value = self.delete_from(found, value, workspace, &made)
            change_note(workspace, found, value, workspace.field_of[step.a])
        return 0

    cdef Operand* add_to(
        self, const Operand* found, Operand* value, Workspace* workspace, Operand* made,
    ) except NULL:
        cdef int status
        if found.type == TYPE_ABSENT:
            return value
        if found.type != value.type:
            raise_operand_type()
        if value.type == TYPE_N:
            numbers_add(found, value, 0, &workspace.room, made)
        else:
            status = sets_unite(found, value, &workspace.room, made)
            if status < 0:
                raise_status(status)
        return made

    cdef Operand* delete_from(
        self, const Operand* found, Operand* value, Workspace* workspace, Operand* made,
    ) except NULL:
        cdef int status
        made.type = TYPE_ABSENT
        if found.type == TYPE_ABSENT:
            return made
        if found.type != value.type:
            raise_operand_type()
        status = sets_subtract(found, value, &workspace.room, made)
        if status < 0:
            raise_status(status)
        return made

    cdef int build(
        self, ItemCodec codec, const uint8_t* old, const uint8_t* key, Workspace* workspace, Buffer*
        out,
    ) except -1:
        """Append the new record; 0 when there is nothing to write."""
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
            if change.name != NULL:
                status = size_of(change.value, change.value_size, table)
                if status < 0:
                    raise_status(status)
                size -= status
            if change.kind == CHANGE_SET:
                status = size_of(change.data, change.size, table)
                if status < 0:
                    raise_status(status)
                size += status
                if change.name == NULL:
                    size += change.text_size
            else:
                size -= change.text_size
        if size < 0:
            raise_status(ERR_CORRUPT)
        if size > ITEM_SIZE_MAX:
            raise_status(ERR_TOO_LARGE)
        for index in range(workspace.change_count):
            change = &workspace.changes[index]
            if change.name == NULL and change.name_id < 0:
                change.name_id = table.intern(<str><PyObject*>workspace.field_names[change.field])
        status = record_change(
            old, key, workspace.changes, workspace.change_count, <uint32_t>size, out
        )
        if status < 0:
            raise_status(status)
        return 1

    cdef int run(
        self, ItemCodec codec, const uint8_t* old, size_t old_size, const uint8_t* key, size_t
        key_size, object names,
        object values, Buffer* out,
    ) except -1:
        cdef Workspace* workspace
        cdef int status
        if not key_sound(key, key_size):
            raise_status(ERR_CORRUPT)
        workspace = self.bind(codec, names, values)
        try:
            status = fields_find(&workspace.bound.table, old, old_size, workspace.found)
            if status == 0 and self.has_condition:
                status = steps_run(&workspace.bound, workspace.found)
                if status == 0:
                    raise ConditionalCheckFailed("The conditional request failed")
            if status < 0:
                raise_status(status)
            self.evaluate(codec, old, key, workspace)
            return self.build(codec, old, key, workspace, out)
        finally:
            self.unbind(workspace)

    cdef int check(
        self, ItemCodec codec, const uint8_t* old, size_t old_size, object names, object values,
    ) except -1:
        cdef Workspace* workspace = self.bind(codec, names, values)
        cdef int status = fields_find(&workspace.bound.table, old, old_size, workspace.found)
        if status == 0:
            status = steps_run(&workspace.bound, workspace.found)
        self.unbind(workspace)
        if status < 0:
            raise_status(status)
        return status

    def apply(
        self, ItemCodec codec not None, bytes old, bytes key not None, names=None, values=None,
    ):
        """Return the new record of an item as bytes, or None when the update changes nothing.

        old: the record of the item, or None; key: a record of header and keys. For tests and
        tools: the engine calls `run`.
        """
        cdef Buffer out
        cdef const uint8_t* record = NULL
        cdef size_t size = 0
        memset(&out, 0, sizeof(Buffer))
        if old is not None:
            record = old
            size = len(old)
        try:
            if not self.run(codec, record, size, key, len(key), names, values, &out):
                return None
            return (<const char*>out.data)[:out.size]
        finally:
            buffer_free(&out)

    def test(self, ItemCodec codec not None, bytes old, names=None, values=None):
        """Tell whether the condition holds for the record of an item (None: absent item)."""
        cdef const uint8_t* record = NULL
        cdef size_t size = 0
        if old is not None:
            record = old
            size = len(old)
        return bool(self.check(codec, record, size, names, values))

    def bench(
        self, str what not None, ItemCodec codec not None, bytes old not None, bytes key not None,
        names, values, int count,
    ):
        """Run `count` times: "run" (all of it), "bind", or "eval" (the condition). For bench/."""
        cdef Buffer out
        cdef Workspace* workspace = NULL
        cdef const uint8_t* record = old
        cdef size_t size = len(old)
        cdef int total = 0
        memset(&out, 0, sizeof(Buffer))
        try:
            if what == "eval":
                workspace = self.bind(codec, names, values)
                with nogil:
                    for _ in range(count):
                        total += condition_eval(&workspace.bound, record, size)
                self.unbind(workspace)
            elif what == "bind":
                for _ in range(count):
                    workspace = self.bind(codec, names, values)
                    self.unbind(workspace)
            else:
                for _ in range(count):
                    out.size = 0
                    total += self.run(codec, record, size, key, len(key), names, values, &out)
        finally:
            buffer_free(&out)
        return total


# -- helpers of the class --------------------------------------------------------------------------


cdef int field_make(ItemCodec codec, PyObject* text, int64_t name_id, Field* field) except -1:
    cdef Py_ssize_t size = 0
    field.text = <const uint8_t*>name_text(text, &size)
    field.text_size = <uint32_t>size
    field.name_id = name_id
    field.role = ROLE_ATTRIBUTE
    if hr_text_equal(text, <PyObject*>codec.hash_name):
        field.role = ROLE_HASH
    elif codec.range_name is not None and hr_text_equal(text, <PyObject*>codec.range_name):
        field.role = ROLE_RANGE
    return 0


cdef const char* name_text(PyObject* text, Py_ssize_t* size) except NULL:
    cdef const char* utf8 = PyUnicode_AsUTF8AndSize(text, size)
    if utf8 == NULL:
        PyErr_Clear()
        raise ValidationError(
            f"attribute name {ascii(<object>text)} has a lone surrogate, so it is not Unicode text"
        )
    if not 1 <= size[0] <= 65535:
        raise ValidationError(
            "ExpressionAttributeNames contains invalid value: an attribute name has 1 to 65535 "
            f"bytes, not {size[0]}"
        )
    return utf8


cdef int value_encode(ItemCodec codec, object token, object value, Buffer* scratch) except -1:
    try:
        codec.encode_value(value, scratch)
    except ValidationError as error:
        raise type(error)(
            f"ExpressionAttributeValues contains invalid value: {error} for key {token}"
        ) from None
    return 0


cdef int check_range(
    ItemCodec codec, const Operand* low, const Operand* high, str prefix,
) except -1:
    cdef int order = 0
    cdef str rule
    if low.type != high.type:
        rule = "same data type for lower and upper bounds"
    elif operand_order(low, high, &order) == 1 and order > 0:
        rule = "upper bound to be greater than or equal to lower bound"
    else:
        return 0
    raise ValidationError(
        f"{prefix}{rule}; lower bound operand: AttributeValue: {constant_text(codec, low)}, "
        f"upper bound operand: AttributeValue: {constant_text(codec, high)}"
    )


# A constant as the service's messages show it: {N:1}.
cdef str constant_text(ItemCodec codec, const Operand* constant):
    value = codec.decode_value(constant.raw, constant.raw_size)
    return f"{{{TYPE_NAMES[constant.type]}:{value}}}"


# Note one attribute's new value (absent: removed), unless nothing changes.
cdef inline void change_note(
    Workspace* workspace, const Operand* found, const Operand* value, uint32_t index,
) noexcept:
    cdef const Field* field = &workspace.fields[index]
    cdef Change* change = &workspace.changes[workspace.change_count]
    if value.type == TYPE_ABSENT:
        if found.type == TYPE_ABSENT:
            return
        change.kind = CHANGE_REMOVE
    else:
        if (
            found.type == value.type and found.raw_size == value.raw_size
            and memcmp(found.raw, value.raw, value.raw_size) == 0
        ):
            return
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
    workspace.change_count += 1


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
        raise_status(ERR_CORRUPT)
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
