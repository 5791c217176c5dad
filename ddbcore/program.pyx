"""Programs: compiled conditions and updates, run over item bytes without building Python objects.

Theory of operation
    `hashrange.expr` compiles text to steps and symbol tables once. A run binds them: names become
    ids of the keyspace's name table, values are encoded once into scratch. One walk over the record
    then finds the attributes concerned (`operand.fields_find`), the condition is decided on views
    of them, and the update computes new values and has the record written (`ddbcore.effect`),
    untouched attributes copied as runs of bytes. The update's steps are a stack machine. All
    operands are read from the item as it was. A workspace keeps what a run needs. It remembers the
    names of the last run: when they are the same objects again, on the same keyspace, their ids and
    checks hold still.

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

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from ddbcore.binding cimport (
    Naming, USE_OUTER, USE_PLACEHOLDER, USE_UPDATE, elements_bind, name_given, naming_bind,
    path_text, paths_load, targets_check, unused_refuse,
)
from ddbcore.buffer cimport buffer_free, buffer_reserve
from ddbcore.change cimport lists_join, numbers_add, operand_encode
from ddbcore.document cimport OVERLAP, Target, targets_meet
from ddbcore.effect cimport (
    absent_raise, change_note, documents_change, key_sound, operand_add, operand_delete,
    operand_type_raise, record_build, status_raise,
)
from ddbcore.names cimport NameTable
from ddbcore.operand cimport (
    Operand, ROLE_HASH, ROLE_RANGE, TYPE_ABSENT, TYPE_L, TYPE_N, fields_find, operand_order,
    operand_read, type_by_name,
)
from ddbcore.pyapi cimport (
    PyDict_Check, PyDict_GetItemWithError, PyDict_Next, PyObject, PyTuple_GET_ITEM,
    PyUnicode_GET_LENGTH, Py_INCREF, Py_XDECREF, hr_is_exact_text, hr_text_ascii, hr_text_data,
    hr_text_equal,
)
from ddbcore.status cimport ERR_CORRUPT
from ddbcore.steps cimport (
    Bound, OPERAND_ATTRIBUTE, OPERAND_KIND, OPERAND_NUMBER, OPERAND_PATH, OPERAND_SIZE,
    OPERAND_VALUE, OPERAND_VALUE_SIZE, Path, STEP_ADD_TO, STEP_APPEND, STEP_DEFAULT, STEP_EXISTS,
    STEP_JUMP_IF_FALSE, STEP_JUMP_IF_TRUE, STEP_MINUS, STEP_NOT, STEP_PUSH, STEP_REMOVE, STEP_SET,
    STEP_TYPE, SymbolCounts, condition_check, condition_eval, operand_of, path_find, steps_load,
    steps_run, update_check,
)
from ddbcore.typed cimport typed_value_append
from ddbcore.value cimport TAG_SMALL_INT
from ddbcore.workspace cimport (
    Sizes, workspace_clear, workspace_forget, workspace_free, workspace_make,
)

from sys import intern

from ddbcore.errors import ConditionalCheckFailed, ValidationError

cdef enum:
    SUBSTITUTION_BYTES_MAX = 2097152      # of all values of one expression

TYPE_NAMES = ("", "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")
TYPE_WORDS = (
    "", "STRING", "NUMBER", "BINARY", "BOOLEAN", "NULL", "LIST", "MAP", "STRING_SET", "NUMBER_SET",
    "BINARY_SET",
)


# -- the class -------------------------------------------------------------------------------------


cdef class Program:

    def __cinit__(
        self, bytes update, bytes condition, tuple names not None, tuple values not None,
        str clause not None="ConditionExpression", tuple checks not None=(),
        tuple ranges not None=(), tuple distinct not None=(), tuple paths not None=(),
    ):
        cdef SymbolCounts counts
        for symbol in names + values:
            if type(symbol) is not str:
                raise TypeError("names and values are str")
        # Interned: the keys of a caller's dict are then the very same objects, if they look like
        # identifiers.
        self.names = tuple([intern(name) for name in names])
        self.values = tuple([intern(value) for value in values])
        self.clause = clause
        self.paths = paths
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
        paths_load(
            paths, self.name_count, &self.path_table, &self.elements, &self.element_count,
        )
        counts.names = self.name_count
        counts.values = self.value_count
        counts.paths = <uint32_t>len(paths)
        self.check_steps(&counts)
        for first, second, _ in distinct:
            for operand in (first, second):
                if not operand_named(operand, &counts):
                    raise ValueError("a pair refers to a name that is not there")
        self.note_uses()

    cdef int check_steps(self, const SymbolCounts* counts) except -1:
        cdef int64_t deepest = 0
        if self.has_condition and not condition_check(
            self.condition_steps, self.condition_count, counts
        ):
            raise ValueError("the steps of the condition are not sound")
        if self.has_update:
            deepest = update_check(
                self.update_steps, self.update_count, counts, self.path_table, &self.action_count,
            )
            if deepest < 0:
                raise ValueError("the steps of the update are not sound")
        self.stack_size = <uint32_t>deepest
        return 0

    cdef int note_uses(self) except -1:
        """Note which symbols the update uses, which names are attributes', and the targets."""
        cdef uint32_t index
        cdef Step* step
        targets = []
        for index in range(self.update_count):
            step = &self.update_steps[index]
            if step.code >= STEP_SET:
                self.note_use(step.a, USE_UPDATE)
                if step.code >= STEP_ADD_TO:
                    self.note_use(OPERAND_VALUE | step.b, USE_UPDATE)
                if step.c != 0:
                    self.note_use(OPERAND_PATH | (step.c - 1), USE_UPDATE)
                    self.nested = 1
                targets.append(self.paths[step.c - 1] if step.c != 0 else (-1 - <int>step.a,))
            elif step.code <= STEP_DEFAULT:
                self.note_use(step.a, USE_UPDATE)
        self.targets = tuple(targets)
        for index in range(self.name_count):
            if self.names[index].startswith("#"):
                self.name_uses[index] |= USE_PLACEHOLDER
                self.placeholder_count += 1
        type_values = []
        for index in range(self.condition_count):
            step = &self.condition_steps[index]
            if step.code in (STEP_NOT, STEP_JUMP_IF_FALSE, STEP_JUMP_IF_TRUE):
                continue
            self.note_use(step.a, 0)
            if step.code != STEP_EXISTS:
                self.note_use(step.b, 0)
            if step.code == STEP_TYPE and step.b & OPERAND_KIND == OPERAND_VALUE:
                type_values.append(step.b & OPERAND_NUMBER)
        self.type_values = tuple(type_values)
        return 0

    cdef void note_use(self, uint16_t operand, uint8_t use) noexcept:
        cdef uint16_t kind = operand & OPERAND_KIND
        cdef uint16_t number = operand & OPERAND_NUMBER
        cdef Path* path
        cdef uint32_t index
        if kind == OPERAND_ATTRIBUTE or kind == OPERAND_SIZE:
            self.name_uses[number] |= use | USE_OUTER
        elif kind == OPERAND_VALUE or kind == OPERAND_VALUE_SIZE:
            self.value_uses[number] |= use
        else:
            path = &self.path_table[number]
            self.name_uses[path.name] |= use | USE_OUTER
            for index in range(path.start, path.start + path.count):
                if not self.elements[index].indexed:
                    self.name_uses[self.elements[index].number] |= use

    def __dealloc__(self):
        workspace_free(self.spare, self.name_count)
        free(self.update_steps)
        free(self.condition_steps)
        free(self.check_masks)
        free(self.check_values)
        free(self.name_uses)
        free(self.value_uses)
        free(self.path_table)
        free(self.elements)

    cdef str clause_of(self, uint8_t uses):
        """Name the expression that a symbol's error is about: the update is read first."""
        return "UpdateExpression" if uses & USE_UPDATE else self.clause

    cdef Workspace* take_workspace(self) except NULL:
        cdef Workspace* workspace = self.spare
        self.spare = NULL
        return workspace if workspace != NULL else self.make_workspace()

    cdef Workspace* make_workspace(self) except NULL:
        cdef Sizes sizes
        cdef Workspace* workspace
        cdef Bound* bound
        sizes.names = self.name_count
        sizes.values = self.value_count
        sizes.stack = self.stack_size
        sizes.actions = self.action_count
        sizes.elements = self.element_count
        workspace = workspace_make(&sizes)
        if workspace == NULL:
            raise MemoryError
        bound = &workspace.bound
        bound.steps = self.condition_steps
        bound.step_count = self.condition_count
        bound.field_of = workspace.field_of
        bound.values = workspace.values
        bound.paths = self.path_table
        bound.elements = workspace.elements
        return workspace

    cdef Workspace* bind(
        self, ItemCodec codec, object names, object values, bint typed=False, bint partial=False,
    ) except NULL:
        cdef Workspace* workspace
        if names is not None and not PyDict_Check(<PyObject*>names):
            names = dict(names)
        if values is not None and not PyDict_Check(<PyObject*>values):
            values = dict(values)
        workspace = self.take_workspace()
        try:
            self.bind_names(codec, names, workspace)
            self.bind_values(codec, values, workspace, typed)
            if not partial:
                if names is not None and len(<dict>names) != self.placeholder_count:
                    unused_refuse("ExpressionAttributeNames", names, self.names, "#")
                if values is not None and len(<dict>values) != self.value_count:
                    unused_refuse("ExpressionAttributeValues", values, self.values, ":")
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
        return workspace

    cdef Workspace* bind_again(self, ItemCodec codec, Workspace* source) except NULL:
        cdef uint32_t index
        cdef Workspace* workspace = self.make_workspace()
        try:
            for index in range(self.name_count):
                Py_INCREF(<PyObject*>source.name_objects[index])
                workspace.name_objects[index] = source.name_objects[index]
            if buffer_reserve(&workspace.scratch, source.scratch.size) < 0:
                raise MemoryError
            memcpy(workspace.scratch.data, source.scratch.data, source.scratch.size)
            workspace.scratch.size = source.scratch.size
            memcpy(
                workspace.value_offsets, source.value_offsets, self.value_count * sizeof(size_t)
            )
            self.read_values(workspace)
            self.bind_fields(codec, workspace)
        except BaseException:
            workspace_free(workspace, self.name_count)
            raise
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
        cdef PyObject* given
        cdef str name
        cdef uint32_t index
        cdef Py_ssize_t place = 0
        cdef bint same = (
            workspace.codec == <void*>codec
            and workspace.interned_count == <uint32_t>len(codec.names.names)
        )
        if not same:
            workspace_forget(workspace)
        for index in range(self.name_count):
            text = PyTuple_GET_ITEM(<PyObject*>self.names, index)
            if self.name_uses[index] & USE_PLACEHOLDER:
                given = NULL
                if names is not None:
                    given = symbol_next(<PyObject*>names, text, &place)
                if given != NULL and workspace.name_objects[index] == <void*>given:
                    continue
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
        """Make the fields of the names at hand, and what refers to them."""
        cdef NameTable table = codec.names
        cdef Naming naming
        naming.count = self.name_count
        naming.uses = self.name_uses
        naming.objects = workspace.name_objects
        naming.field_names = workspace.field_names
        naming.fields = workspace.fields
        naming.field_of = workspace.field_of
        naming.table = &workspace.bound.table
        naming_bind(codec, &naming)
        elements_bind(self.elements, self.element_count, &naming, workspace.elements)
        workspace.interned_count = <uint32_t>len(table.names)
        return 0

    cdef int bind_values(
        self, ItemCodec codec, object values, Workspace* workspace, bint typed,
    ) except -1:
        cdef Buffer* scratch = &workspace.scratch
        cdef PyObject* token
        cdef PyObject* given
        cdef uint32_t index
        cdef Py_ssize_t place = 0
        scratch.size = 0
        for index in range(self.value_count):
            token = PyTuple_GET_ITEM(<PyObject*>self.values, index)
            given = NULL
            if values is not None:
                given = symbol_next(<PyObject*>values, token, &place)
                if given == NULL:
                    given = PyDict_GetItemWithError(<PyObject*>values, token)
            if given == NULL:
                raise ValidationError(
                    f"Invalid {self.clause_of(self.value_uses[index])}: An expression attribute "
                    f"value used in expression is not defined; attribute value: {<object>token}"
                )
            workspace.value_offsets[index] = scratch.size
            if not typed and short_text_encode(given, scratch):
                continue
            value_encode(codec, <object>token, <object>given, scratch, typed)
        if scratch.size > SUBSTITUTION_BYTES_MAX:
            # Our own words: nobody has told what the service says.
            raise ValidationError(
                "ExpressionAttributeValues exceed the maximum size of substitutions, "
                f"{SUBSTITUTION_BYTES_MAX} bytes"
            )
        self.read_values(workspace)
        return 0

    cdef int read_values(self, Workspace* workspace) except -1:
        """Make the operands of the values in the workspace's scratch."""
        cdef const uint8_t* start = workspace.scratch.data
        cdef uint32_t index
        for index in range(self.value_count):
            if operand_read(
                start + workspace.value_offsets[index], start + workspace.scratch.size,
                &workspace.values[index],
            ) < 0:
                status_raise(ERR_CORRUPT)
        return 0

    cdef int refuse_targets(self, Workspace* workspace) except -1:
        """Refuse actions on key attributes, and paths that do not go together."""
        cdef uint32_t index, count = 0
        cdef Target* target
        cdef Step* step
        for index in range(self.update_count):
            step = &self.update_steps[index]
            if step.code < STEP_SET:
                continue
            target = &workspace.targets[count]
            self.place_of(workspace, OPERAND_PATH | (step.c - 1) if step.c else step.a, target)
            target.order = count
            workspace.sorted[count] = target
            count += 1
        targets_check(
            workspace.targets, workspace.sorted, count, workspace.field_names, "UpdateExpression"
        )
        for index in range(count):
            target = workspace.sorted[index]
            if workspace.fields[target.field].role in (ROLE_HASH, ROLE_RANGE):
                name = <object><PyObject*>workspace.field_names[target.field]
                raise ValidationError(
                    f"One or more parameter values were invalid: Cannot update attribute {name}. "
                    "This attribute is part of the key"
                )
        return 0

    cdef void place_of(self, Workspace* workspace, uint16_t operand, Target* out) noexcept:
        """Tell what attribute or path an operand names."""
        cdef Path* path
        out.count = 0
        out.elements = NULL
        if operand & OPERAND_KIND == OPERAND_ATTRIBUTE:
            out.field = workspace.field_of[operand]
        else:
            path = &self.path_table[operand & OPERAND_NUMBER]
            out.field = workspace.field_of[path.name]
            out.count = path.count
            out.elements = &workspace.elements[path.start]

    cdef int check_values_bound(self, ItemCodec codec, Workspace* workspace) except -1:
        """Make the checks that the compiler left: types, bounds, operands that must differ."""
        cdef uint32_t index
        cdef Operand* operand
        cdef Target left, right
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
                self.place_of(workspace, first, &left)
                self.place_of(workspace, second, &right)
                if left.count == right.count and targets_meet(&left, &right) == OVERLAP:
                    raise ValidationError(
                        message
                        + path_text(workspace.field_names, left.field, left.elements, left.count)
                    )
        return 0

    cdef int evaluate(
        self, ItemCodec codec, const uint8_t* old, const uint8_t* key, Workspace* workspace,
    ) except -1:
        """Run the update's steps; what really changes is left in workspace.changes."""
        cdef Bound* bound = &workspace.bound
        cdef Operand* stack = workspace.stack
        cdef Operand* found
        cdef Operand* value
        cdef Operand made, here
        cdef Operand* top = stack - 1
        cdef Step* step
        cdef uint32_t index, field, action = 0
        cdef int status
        cdef uint8_t code, wanted
        workspace.change_count = 0
        for index in range(self.update_count):
            step = &self.update_steps[index]
            code = step.code
            if code <= STEP_DEFAULT:
                found = <Operand*>operand_of(bound, workspace.found, step.a, &made)
                if found == NULL:
                    status_raise(ERR_CORRUPT)
                if code == STEP_PUSH:
                    top += 1
                    top[0] = found[0]
                elif found.type != TYPE_ABSENT:
                    top[0] = found[0]
                continue
            if code <= STEP_MINUS:
                top -= 1
                if top[0].type == TYPE_ABSENT or top[1].type == TYPE_ABSENT:
                    absent_raise()
                wanted = TYPE_L if code == STEP_APPEND else TYPE_N
                if top[0].type != wanted or top[1].type != wanted:
                    operand_type_raise()
                if code == STEP_APPEND:
                    status = lists_join(top, top + 1, &workspace.room, &made)
                    if status < 0:
                        status_raise(status)
                else:
                    numbers_add(top, top + 1, code == STEP_MINUS, &workspace.room, &made)
                top[0] = made
                continue
            field = workspace.field_of[step.a]
            found = &workspace.found[field]
            if step.c != 0:
                found = &here
                if path_find(bound, workspace.found, step.c - 1, found) < 0:
                    status_raise(ERR_CORRUPT)
            if code == STEP_SET:
                value = top
                top -= 1
                if value.type == TYPE_ABSENT:
                    absent_raise()
                if value.raw == NULL:
                    status = operand_encode(value, &workspace.room)
                    if status < 0:
                        status_raise(status)
            elif code == STEP_REMOVE:
                made.type = TYPE_ABSENT
                value = &made
            else:
                value = &workspace.values[step.b]
                if code == STEP_ADD_TO:
                    value = operand_add(found, value, workspace, &made)
                else:
                    value = operand_delete(found, value, workspace, &made)
            if step.c == 0:
                change_note(workspace, found, value, field)
            else:
                workspace.targets[action].value = value[0]
            action += 1
        if self.nested:
            documents_change(codec, workspace, self.action_count)
        return 0

    cdef int run(
        self, ItemCodec codec, const uint8_t* old, size_t old_size, const uint8_t* key, size_t
        key_size, object names,
        object values, Buffer* out, bint typed=False, bint partial=False,
    ) except -1:
        cdef Workspace* workspace
        cdef int status
        if not key_sound(key, key_size):
            status_raise(ERR_CORRUPT)
        workspace = self.bind(codec, names, values, typed, partial)
        try:
            status = fields_find(&workspace.bound.table, old, old_size, workspace.found)
            if status == 0 and self.has_condition:
                status = steps_run(&workspace.bound, workspace.found)
                if status == 0:
                    raise ConditionalCheckFailed("The conditional request failed")
            if status < 0:
                status_raise(status)
            self.evaluate(codec, old, key, workspace)
            return record_build(codec, old, key, workspace, out)
        finally:
            self.unbind(workspace)

    cdef int check(
        self, ItemCodec codec, const uint8_t* old, size_t old_size, object names, object values,
        bint typed=False, bint partial=False,
    ) except -1:
        cdef Workspace* workspace = self.bind(codec, names, values, typed, partial)
        cdef int status = fields_find(&workspace.bound.table, old, old_size, workspace.found)
        if status == 0:
            status = steps_run(&workspace.bound, workspace.found)
        self.unbind(workspace)
        if status < 0:
            status_raise(status)
        return status

    @property
    def outer_names(self):
        """Names and placeholders of attributes; the others only stand inside documents."""
        cdef uint32_t index
        return tuple(
            [self.names[index] for index in range(self.name_count)
             if self.name_uses[index] & USE_OUTER]
        )

    def apply(
        self, ItemCodec codec not None, bytes old, bytes key not None, names=None, values=None,
        bint typed=False, bint partial=False,
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
            if not self.run(
                codec, record, size, key, len(key), names, values, &out, typed, partial
            ):
                return None
            return (<const char*>out.data)[:out.size]
        finally:
            buffer_free(&out)

    def test(
        self, ItemCodec codec not None, bytes old, names=None, values=None, bint typed=False,
        bint partial=False,
    ):
        """Tell whether the condition holds for the record of an item (None: absent item)."""
        cdef const uint8_t* record = NULL
        cdef size_t size = 0
        if old is not None:
            record = old
            size = len(old)
        return bool(self.check(codec, record, size, names, values, typed, partial))

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


# What a caller's dict has for a symbol, when its next entry has that key, which nearly always
# holds; else NULL, and the dict has to be asked. Comparing costs a third of asking.
cdef inline PyObject* symbol_next(
    PyObject* source, PyObject* token, Py_ssize_t* place,
) noexcept:
    cdef PyObject* key
    cdef PyObject* value
    if PyDict_Next(source, place, &key, &value) and (
        key == token or (hr_is_exact_text(key) and hr_text_equal(key, token))
    ):
        return value
    return NULL


# Encode a value that is a short str of ASCII, without the ways of a longer one. Whether it was one.
cdef inline bint short_text_encode(PyObject* value, Buffer* out) noexcept:
    cdef Py_ssize_t length
    if not hr_is_exact_text(value) or not hr_text_ascii(value):
        return False
    length = PyUnicode_GET_LENGTH(value)
    if length >= TAG_SMALL_INT or buffer_reserve(out, length + 1) != 0:
        return False
    out.data[out.size] = <uint8_t>length
    memcpy(out.data + out.size + 1, hr_text_data(value), length)
    out.size += length + 1
    return True


cdef int value_encode(
    ItemCodec codec, object token, object value, Buffer* scratch, bint typed,
) except -1:
    try:
        if typed:
            typed_value_append(codec, value, scratch)
        else:
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


# Whether a number is an operand that names an attribute or a path.
cdef bint operand_named(uint32_t operand, const SymbolCounts* counts) noexcept:
    if operand & OPERAND_KIND == OPERAND_ATTRIBUTE:
        return operand < counts.names
    return (
        operand <= 0xFFFF and operand & OPERAND_KIND == OPERAND_PATH
        and operand & OPERAND_NUMBER < counts.paths
    )
