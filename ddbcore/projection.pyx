"""Projections: some paths of an item as a dict, without decoding the rest.

Theory of operation
    Paths are bound like those of programs: names become fields, and sorting puts the paths below
    one container together. One walk over the record finds the attributes, one walk over each
    container on the way finds its entries; only what a path leads to is decoded. Structure is kept:
    a map holds the entries named, a list the elements named, close together and in the order of
    their indexes. What has nothing in it is left out.

    A projection keeps its last selection: the same names on the same keyspace need no binding. A
    selection that was made before the keyspace learnt other names lets a newer one decode.

Invariants
    1. The paths of a selection neither overlap nor conflict.
    2. A selection is constant, so decoding may run Python code, and other threads, between its
       steps.

Threads
    With the GIL, from any thread. The caller keeps the record where it is.
"""

from libc.stdint cimport int64_t, uint16_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

from ddbcore.binding cimport (
    Naming, USE_OUTER, USE_PLACEHOLDER, elements_bind, name_given, naming_bind, paths_load,
    targets_check, unused_refuse,
)
from ddbcore.decoder cimport Decoder, decoder_open, decoder_raise, decoder_value
from ddbcore.document cimport group_count, group_find
from ddbcore.operand cimport (
    ROLE_ATTRIBUTE, ROLE_HASH, TYPE_ABSENT, TYPE_L, TYPE_M, fields_find, name_read,
    operand_read,
)
from ddbcore.pyapi cimport PyDict_Check, PyObject, PyTuple_GET_ITEM, Py_DECREF
from ddbcore.typed cimport typed_key_decode, typed_value_decode
from ddbcore.value cimport value_skip

from sys import intern

from ddbcore.errors import CorruptError

cdef enum:
    FOUND_ON_STACK = 16                   # attributes of a projection up to here need no allocation

cdef object NOTHING = object()            # a path leads nowhere


cdef int corrupt_raise() except -1:
    raise CorruptError("the stored item is damaged: its bytes do not follow the item format")


# -- values ----------------------------------------------------------------------------------------
#
# The one place where encoded values become what the caller gets.


cdef object value_object(Selection selection, const Operand* found, int level, bint typed):
    cdef Decoder decoder
    cdef const uint8_t* data = found.raw
    cdef PyObject* made
    cdef object value
    if typed:
        return typed_value_decode(selection.codec, data, found.raw_size)
    decoder_open(&decoder, &selection.codec.memory)
    made = decoder_value(
        &decoder, selection.codec.names, &data, found.raw + found.raw_size, level
    )
    if made == NULL:
        decoder_raise(&decoder)
    value = <object>made
    Py_DECREF(made)
    return value


# The values of a record's key attributes.
cdef tuple key_values(ItemCodec codec, const uint8_t* record, size_t size, bint typed):
    cdef dict named
    if typed:
        named = typed_key_decode(codec, record, size)
        return tuple(named.values())
    if codec.range_name is None:
        return (codec.decode_key(record, size),)
    return codec.decode_key(record, size)


# A map or list that holds only what paths name.
cdef object container_object(object made, bint typed):
    if typed:
        return {"L" if type(made) is list else "M": made}
    return made


# -- walking ---------------------------------------------------------------------------------------


cdef object part_object(
    Selection selection, const Operand* found, Target** targets, uint32_t count, uint32_t depth,
    bint typed,
):
    """What the targets name of a value that stands `depth` elements below its attribute."""
    if targets[0].count == depth:
        return value_object(selection, found, <int>depth + 1, typed)
    if found.type != (TYPE_L if targets[0].elements[depth].indexed else TYPE_M):
        return NOTHING
    if found.type == TYPE_L:
        made = list_part(selection, found, targets, count, depth, typed)
    else:
        made = map_part(selection, found, targets, count, depth, typed)
    return container_object(made, typed) if made else NOTHING


cdef list list_part(
    Selection selection, const Operand* found, Target** targets, uint32_t count, uint32_t depth,
    bint typed,
):
    cdef const uint8_t* here = found.data
    cdef const uint8_t* limit = here + found.size
    cdef int64_t index = 0, size
    cdef uint32_t first = 0, together
    cdef Operand child
    cdef list made = []
    while first < count and targets[first].elements[depth].key < found.count:
        together = group_count(targets + first, count - first, depth)
        while index < targets[first].elements[depth].key:
            size = value_skip(here, limit)
            if size < 0:
                corrupt_raise()
            here += size
            index += 1
        if operand_read(here, limit, &child) < 0:
            corrupt_raise()
        value = part_object(selection, &child, targets + first, together, depth + 1, typed)
        if value is not NOTHING:
            made.append(value)
        first += together
    return made


cdef dict map_part(
    Selection selection, const Operand* found, Target** targets, uint32_t count, uint32_t depth,
    bint typed,
):
    cdef const uint8_t* here = found.data
    cdef const uint8_t* limit = here + found.size
    cdef const uint8_t* text = NULL
    cdef uint64_t number
    cdef size_t text_size = 0
    cdef int64_t size
    cdef uint32_t first
    cdef Operand child
    cdef dict made = {}
    for _ in range(found.count):
        size = name_read(here, limit, &number, &text, &text_size)
        if size < 0:
            corrupt_raise()
        here += size
        first = group_find(selection.fields, targets, count, depth, number, text, text_size)
        if first == count:
            size = value_skip(here, limit)
            if size < 0:
                corrupt_raise()
        else:
            size = operand_read(here, limit, &child)
            if size < 0:
                corrupt_raise()
            value = part_object(
                selection, &child, targets + first,
                group_count(targets + first, count - first, depth), depth + 1, typed,
            )
            if value is not NOTHING:
                made[selection.name_of(targets[first].elements[depth].number)] = value
        here += size
    return made


cdef class Selection:

    def __dealloc__(self):
        free(self.fields)
        free(self.targets)
        free(self.sorted)
        free(self.elements)
        free(self.field_names)

    cdef str name_of(self, uint32_t field):
        return <str><PyObject*>self.field_names[field]

    cdef dict decode(self, const uint8_t* record, size_t size, bint typed=False):
        cdef Operand local[FOUND_ON_STACK]
        cdef Operand* found = local
        cdef dict made
        cdef Selection current
        if self.interned_count != <uint32_t>len(self.codec.names.names):
            current = self.projection.selected(self.codec, self.name_objects)
            return current.decode(record, size, typed)
        if self.table.count > FOUND_ON_STACK:
            found = <Operand*>malloc(self.table.count * sizeof(Operand))
            if found == NULL:
                raise MemoryError
        try:
            if fields_find(&self.table, record, size, found) < 0:
                corrupt_raise()
            made = self.collect(record, size, found, typed)
        finally:
            if found != local:
                free(found)
        return made

    cdef dict collect(
        self, const uint8_t* record, size_t size, const Operand* found, bint typed,
    ):
        cdef dict made = {}
        cdef uint32_t first = 0, together, field
        cdef object key = None
        if self.keyed and record != NULL:
            key = key_values(self.codec, record, size, typed)
        while first < self.count:
            field = self.sorted[first].field
            together = 1
            while first + together < self.count and self.sorted[first + together].field == field:
                together += 1
            if found[field].type == TYPE_ABSENT:
                value = NOTHING
            elif self.fields[field].role == ROLE_ATTRIBUTE:
                value = part_object(self, &found[field], self.sorted + first, together, 0, typed)
            elif self.sorted[first].count > 0:
                value = NOTHING
            else:
                value = key[self.fields[field].role != ROLE_HASH]
            if value is not NOTHING:
                made[self.name_of(field)] = value
            first += together
        return made


cdef class Projection:

    def __cinit__(
        self, tuple paths not None, tuple names not None,
        str clause not None="ProjectionExpression",
    ):
        cdef uint32_t index
        for name in names:
            if type(name) is not str:
                raise TypeError("names are str")
        if not paths:
            raise ValueError("a projection has a path")
        self.names = tuple([intern(name) for name in names])
        self.paths = paths
        self.clause = clause
        paths_load(
            paths, <uint32_t>len(names), &self.path_table, &self.elements, &self.element_count
        )
        self.uses = <uint8_t*>calloc(len(names) + 1, 1)
        if self.uses == NULL:
            raise MemoryError
        for index in range(<uint32_t>len(paths)):
            self.uses[self.path_table[index].name] |= USE_OUTER
        for index in range(<uint32_t>len(names)):
            if self.names[index].startswith("#"):
                self.uses[index] |= USE_PLACEHOLDER
                self.placeholder_count += 1

    def __dealloc__(self):
        free(self.path_table)
        free(self.elements)
        free(self.uses)

    cdef Selection bind(self, ItemCodec codec, object names, bint partial=False):
        cdef uint32_t index
        cdef list objects = []
        if names is not None and not PyDict_Check(<PyObject*>names):
            names = dict(names)
        if not partial and names is not None and len(<dict>names) != self.placeholder_count:
            unused_refuse("ExpressionAttributeNames", names, self.names, "#")
        for index in range(<uint32_t>len(self.names)):
            name = <str>PyTuple_GET_ITEM(<PyObject*>self.names, index)
            if self.uses[index] & USE_PLACEHOLDER:
                name = name_given(name, names, self.clause)
            objects.append(name)
        return self.selected(codec, objects)

    cdef Selection selected(self, ItemCodec codec, list objects):
        """Return the last selection if it holds still for these names, or a new one."""
        cdef Selection last = self.last
        cdef uint32_t index
        cdef bint same = (
            last is not None and last.codec is codec
            and last.interned_count == <uint32_t>len(codec.names.names)
        )
        for index in range(<uint32_t>len(self.names)):
            same = same and last.name_objects[index] is objects[index]
        if not same:
            last = self.select(codec, objects)
            self.last = last
        return last

    cdef Selection select(self, ItemCodec codec, list objects):
        cdef Selection made = Selection()
        cdef size_t count = len(self.names)
        cdef size_t path_count = len(self.paths)
        cdef Naming naming
        cdef Target* target
        cdef uint32_t index
        made.projection = self
        made.codec = codec
        made.name_objects = objects
        made.count = <uint32_t>path_count
        made.fields = <Field*>malloc((count + 1) * sizeof(Field))
        made.targets = <Target*>malloc((path_count + 1) * sizeof(Target))
        made.sorted = <Target**>malloc((path_count + 1) * sizeof(Target*))
        made.elements = <PathElement*>malloc((self.element_count + 1) * sizeof(PathElement))
        made.field_names = <void**>malloc((count + 1) * sizeof(void*))
        naming.field_of = <uint16_t*>malloc((count + 1) * sizeof(uint16_t))
        naming.objects = <void**>malloc((count + 1) * sizeof(void*))
        try:
            if (
                made.fields == NULL or made.targets == NULL or made.sorted == NULL
                or made.elements == NULL or made.field_names == NULL or naming.field_of == NULL
                or naming.objects == NULL
            ):
                raise MemoryError
            for index in range(<uint32_t>count):
                naming.objects[index] = <void*><PyObject*>objects[index]
            naming.count = <uint32_t>count
            naming.uses = self.uses
            naming.field_names = made.field_names
            naming.fields = made.fields
            naming.table = &made.table
            naming_bind(codec, &naming)
            elements_bind(self.elements, self.element_count, &naming, made.elements)
            for index in range(made.count):
                target = &made.targets[index]
                target.field = naming.field_of[self.path_table[index].name]
                target.count = self.path_table[index].count
                target.elements = &made.elements[self.path_table[index].start]
                target.order = index
                made.sorted[index] = target
                made.keyed |= made.fields[target.field].role != ROLE_ATTRIBUTE
            targets_check(
                made.targets, made.sorted, made.count, made.field_names, self.clause
            )
        finally:
            free(naming.field_of)
            free(naming.objects)
        made.interned_count = <uint32_t>len(codec.names.names)
        return made

    def project(
        self, ItemCodec codec not None, bytes record, names=None, bint typed=False,
        bint partial=False,
    ):
        """Return the named paths of a record (None: absent item) as a dict. For tests and tools."""
        cdef Selection selection = self.bind(codec, names, partial)
        cdef const uint8_t* data = NULL
        cdef size_t size = 0
        if record is not None:
            data = record
            size = len(record)
        return selection.decode(data, size, typed)

    def project_all(self, ItemCodec codec not None, records, names=None):
        """Return what one selection makes of many records. For tests and tools."""
        cdef Selection selection = self.bind(codec, names)
        cdef bytes record
        cdef const uint8_t* data
        made = []
        for record in records:
            if record is None:
                made.append(selection.decode(NULL, 0))
            else:
                data = record
                made.append(selection.decode(data, len(record)))
        return made

    def bench(self, ItemCodec codec not None, bytes record not None, names, int count):
        """Bind and decode `count` times. For bench/."""
        cdef const uint8_t* data = record
        for _ in range(count):
            self.bind(codec, names).decode(data, len(record))
