"""Binding: what a caller's names and values become before a program or projection runs.

Theory of operation
    An expression keeps names as written ("qty", "#q"). Binding looks placeholders up in the
    caller's dict, finds the id that the keyspace has given each name, and makes a field of it.
    Equal names share a field, so that two paths are equal when their fields and indexes are.

Invariants
    1. `objects` holds exact str; the texts of fields are borrowed from them.
    2. A field that only names entries of maps has ROLE_INNER and is not looked for in records.

Threads
    With the GIL.
"""

from cpython.exc cimport PyErr_Clear
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc

from ddbcore.document cimport CONFLICT, targets_meet, targets_sort
from ddbcore.names cimport NAME_COUNT_MAX, NameTable, name_find
from ddbcore.operand cimport (
    ROLE_ATTRIBUTE, ROLE_HASH, ROLE_INNER, ROLE_RANGE, TYPE_ABSENT, fields_index, type_by_name,
)
from ddbcore.pyapi cimport (
    PyDict_GetItemWithError, PyUnicode_AsUTF8AndSize, PyUnicode_Check, hr_is_exact_text,
    hr_text_data, hr_text_equal,
)

from ddbcore.errors import ValidationError


cdef int unused_refuse(str member, object source, tuple used, str mark) except -1:
    cdef list unused = sorted(
        [str(key) for key in source if key not in used or not str(key).startswith(mark)]
    )
    for key in unused:
        if not key.startswith(mark) or len(key) < 2:
            raise ValidationError(f'{member} contains invalid key: Syntax error; key: "{key}"')
    raise ValidationError(
        f"Value provided in {member} unused in expressions: keys: {{{', '.join(unused)}}}"
    )


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


cdef int field_make(
    ItemCodec codec, PyObject* text, int64_t name_id, bint outer, Field* field,
) except -1:
    cdef Py_ssize_t size = 0
    field.text = <const uint8_t*>name_text(text, &size)
    field.text_size = <uint32_t>size
    field.name_id = name_id
    field.role = ROLE_ATTRIBUTE
    if not outer:
        field.role = ROLE_INNER
    elif hr_text_equal(text, <PyObject*>codec.hash_name):
        field.role = ROLE_HASH
    elif codec.range_name is not None and hr_text_equal(text, <PyObject*>codec.range_name):
        field.role = ROLE_RANGE
    return 0


cdef int naming_bind(ItemCodec codec, Naming* naming) except -1:
    cdef NameTable names = codec.names
    cdef FieldTable* table = naming.table
    cdef PyObject* text
    cdef uint32_t index, other, count = 0
    cdef int64_t name_id
    cdef bint outer, placeholders = False
    table.fields = naming.fields
    table.hash_type = <uint8_t>type_by_name(hr_text_data(<PyObject*>codec.hash_type), 1)
    table.range_type = TYPE_ABSENT
    if codec.range_name is not None:
        table.range_type = <uint8_t>type_by_name(hr_text_data(<PyObject*>codec.range_type), 1)
    for index in range(naming.count):
        text = <PyObject*>naming.objects[index]
        outer = naming.uses[index] & USE_OUTER != 0
        name_id = name_find(names, text)
        placeholders = placeholders or naming.uses[index] & USE_PLACEHOLDER != 0
        # The names that an expression spells out differ from one another.
        for other in range(count if placeholders else 0):
            if naming.fields[other].name_id == name_id and (
                name_id >= 0 or hr_text_equal(<PyObject*>naming.field_names[other], text)
            ):
                if outer and naming.fields[other].role == ROLE_INNER:
                    field_make(codec, text, name_id, outer, &naming.fields[other])
                    naming.field_names[other] = text
                break
        else:
            other = count
            naming.field_names[other] = text
            field_make(codec, text, name_id, outer, &naming.fields[other])
            count += 1
        naming.field_of[index] = <uint16_t>other
    table.count = count
    fields_index(table, len(names.names) >= NAME_COUNT_MAX)
    return 0


cdef int elements_bind(
    const PathElement* source, uint32_t count, const Naming* naming, PathElement* target,
) noexcept:
    cdef uint32_t index
    for index in range(count):
        target[index] = source[index]
        if not source[index].indexed:
            target[index].number = naming.field_of[source[index].number]
            target[index].key = naming.fields[target[index].number].name_id
    return 0


cdef str path_text(
    void** field_names, uint32_t field, const PathElement* elements, uint32_t count,
):
    cdef list parts = [<object><PyObject*>field_names[field]]
    cdef uint32_t index
    for index in range(count):
        if elements[index].indexed:
            parts.append(f"[{elements[index].key}]")
        else:
            parts.append(<object><PyObject*>field_names[elements[index].number])
    return f"[{', '.join(parts)}]"


cdef int meeting_raise(
    Target* targets, uint32_t count, void** field_names, str clause,
) except -1:
    cdef uint32_t index, other
    cdef Target* first
    cdef Target* second
    cdef int meeting
    for index in range(1, count):
        for other in range(index):
            first = &targets[other]
            second = &targets[index]
            meeting = targets_meet(first, second)
            if meeting:
                word = "conflict" if meeting == CONFLICT else "overlap"
                one = path_text(field_names, first.field, first.elements, first.count)
                two = path_text(field_names, second.field, second.elements, second.count)
                raise ValidationError(
                    f"Invalid {clause}: Two document paths {word} with each other; must remove or "
                    f"rewrite one of these paths; path one: {one}, path two: {two}"
                )
    return 0


cdef int targets_check(
    Target* targets, Target** sorted, uint32_t count, void** field_names, str clause,
) except -1:
    cdef uint32_t index
    targets_sort(sorted, count)
    # Sorted, paths that meet have neighbours that do.
    for index in range(1, count):
        if targets_meet(sorted[index - 1], sorted[index]):
            meeting_raise(targets, count, field_names, clause)
    return 0


cdef int paths_load(
    tuple source, uint32_t name_count, Path** paths, PathElement** elements,
    uint32_t* element_count,
) except -1:
    cdef Py_ssize_t total = 0
    cdef Path* path
    cdef PathElement* element
    cdef int64_t number
    for item in source:
        if not isinstance(item, tuple) or not 1 <= len(item) <= 0xFFFF:
            raise ValueError("a path is a tuple of 1 to 65,535 elements")
        total += len(item) - 1
    if len(source) > 0x1FFF or total > 0xFFFF:
        raise ValueError("too many paths for one program")
    paths[0] = <Path*>malloc((len(source) + 1) * sizeof(Path))
    elements[0] = <PathElement*>malloc((total + 1) * sizeof(PathElement))
    if paths[0] == NULL or elements[0] == NULL:
        free(paths[0])
        free(elements[0])
        paths[0] = NULL
        elements[0] = NULL
        raise MemoryError
    element_count[0] = 0
    path = paths[0]
    for item in source:
        path.start = element_count[0]
        path.count = <uint16_t>(len(item) - 1)
        number = item[0]
        if not 0 <= -1 - number < name_count:
            raise ValueError("a path starts at a name that is not there")
        path.name = <uint16_t>(-1 - number)
        for number in item[1:]:
            element = &elements[0][element_count[0]]
            element.indexed = number >= 0
            element.key = number
            element.number = 0
            if number < 0:
                if -1 - number >= name_count:
                    raise ValueError("a path has a name that is not there")
                element.number = <uint32_t>(-1 - number)
            element_count[0] += 1
        path += 1
    return 0
