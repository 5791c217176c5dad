"""Shapes: dicts of the same names in the same order, made by copying a template.

Theory of operation
    Most items of a table have the same attributes in the same order. Inserting a name into a dict
    costs a search for its place; copying a dict whose names are in place already costs little more
    than copying its memory. So a shape keeps a template, a dict of the names with placeholders for
    values, and a new dict is a copy of it whose values are then put in their slots. Where the slots
    are is not documented by CPython: at the making of each shape they are searched for in the
    template's own memory (sys.getsizeof says how far it reaches), and checked in a copy. Where they
    are not found as expected, or the interpreter is newer than the newest that was tested, dicts
    are built entry by entry.

    In CPython 3.11 and 3.12 the copy is made here (`hr_dict_clone`), and compared with what
    PyDict_Copy makes whenever a shape gets its template. Elsewhere PyDict_Copy makes it; then a
    placeholder is not dropped when a value takes its slot: its count of references grows by one
    with each copy, which 2**62 copies would exhaust.

    A shape gets its template when it comes again and few others that belong to the same slots came
    in between: templates that nobody uses cost nothing, and shapes that meet all have theirs.

Invariants
    1. A template is never handed out and never changes. Its names are distinct.
    2. Nobody else has seen a copy while its values are put in; each slot holds its placeholder.
    3. A dict that holds containers is tracked by the garbage collector, as if they had been
       inserted.

Threads
    With the GIL. Allocations may start the garbage collector and so any Python code, decoding too:
    templates are held while they are copied, and a shape is replaced in one go.
"""

from libc.string cimport memcmp, memcpy

from ddbcore.pyapi cimport *

cdef extern from *:
    """
    /* Tested with 3.11 to 3.13: values stand at a stride of two words, as plain references. */
    #if PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED) && !defined(PYPY_VERSION)
    #define HR_SHAPES 1
    #define hr_dict_keys(dict) ((char*)((PyDictObject*)(dict))->ma_keys)
    #define hr_dict_split(dict) (((PyDictObject*)(dict))->ma_values != NULL)
    #else
    #define HR_SHAPES 0
    #define hr_dict_keys(dict) ((char*)NULL)
    #define hr_dict_split(dict) 1
    #endif

    /* PyDict_Copy counts up every placeholder that is replaced at once. Where it is known how it
       makes the keys object, in one piece from PyObject_Malloc, that is done here. */
    #if HR_SHAPES && PY_VERSION_HEX < 0x030D0000 && !defined(Py_REF_DEBUG)
    static int hr_clones = 1;
    static size_t hr_keys_bytes(PyObject* dict, size_t offset) {
        /* Behind the count of references: the logarithm of the number of slots, two thirds of
           which can be used. */
        int slots_log = *(unsigned char*)(hr_dict_keys(dict) + sizeof(Py_ssize_t));
        return offset - sizeof(PyObject*)
            + 2 * sizeof(PyObject*) * ((((size_t)1 << slots_log) << 1) / 3);
    }
    static PyObject* hr_dict_clone(PyObject* source, size_t offset, PyObject** values,
                                   unsigned int count) {
        size_t size = hr_keys_bytes(source, offset);
        PyObject* made = PyDict_New();
        PyObject** slot;
        Py_ssize_t index;
        char* keys;
        if (made == NULL) return NULL;
        keys = (char*)PyObject_Malloc(size);
        if (keys == NULL) {
            Py_DECREF(made);
            return PyErr_NoMemory();
        }
        memcpy(keys, hr_dict_keys(source), size);
        slot = (PyObject**)(keys + offset);
        for (index = 0; index < (Py_ssize_t)count; index++) {
            Py_INCREF(slot[2 * index - 1]);
            slot[2 * index] = values[index];
        }
        ((PyDictObject*)made)->ma_keys = (PyDictKeysObject*)keys;
        ((PyDictObject*)made)->ma_used = count;
        return made;
    }
    #else
    #define hr_clones 0
    #define hr_keys_bytes(dict, offset) ((size_t)0)
    #define hr_dict_clone(source, offset, values, count) ((PyObject*)NULL)
    #endif
    static void hr_clones_end(void) {
    #if HR_SHAPES && PY_VERSION_HEX < 0x030D0000 && !defined(Py_REF_DEBUG)
        hr_clones = 0;
    #endif
    }
    """
    const bint HR_SHAPES
    char* hr_dict_keys(PyObject* value) noexcept
    bint hr_dict_split(PyObject* value) noexcept
    bint hr_clones                        # hr_dict_clone works
    void hr_clones_end() noexcept
    size_t hr_keys_bytes(PyObject* value, size_t offset) noexcept
    PyObject* hr_dict_clone(
        PyObject* source, size_t offset, PyObject** values, unsigned int count,
    ) noexcept


cdef enum:
    NEIGHBOURS = 4                        # slots that a shape may take; a power of two


cdef struct Entry:
    PyObject* name
    PyObject* value


cdef list placeholders = [object() for _ in range(SHAPE_NAMES_MAX)]


# Bytes from the keys object to the first value, or 0 when the slots are not where they are
# expected.
cdef size_t values_find(PyObject* template, PyObject** names, uint32_t count) except? 0:
    cdef size_t size = dict.__sizeof__(<object>template) - dict.__basicsize__
    cdef char* keys = hr_dict_keys(template)
    cdef size_t offset = 0
    cdef Entry* entries
    cdef uint32_t index
    while offset + count * sizeof(Entry) <= size:
        entries = <Entry*>(keys + offset)
        index = 0
        while index < count and entries[index].name == names[index]:
            if entries[index].value != PyList_GET_ITEM(<PyObject*>placeholders, index):
                break
            index += 1
        if index == count:
            return offset + sizeof(PyObject*)
        offset += sizeof(PyObject*)
    return 0


# Whether hr_dict_clone makes of a template what PyDict_Copy makes of it, to the byte.
cdef bint clone_is_copy(
    PyObject* template, PyObject* copy, size_t offset, uint32_t count,
) except -1:
    cdef PyObject* values[SHAPE_NAMES_MAX]
    cdef PyObject* made
    cdef size_t size = hr_keys_bytes(template, offset)
    cdef uint32_t index
    cdef bint same
    if size != <size_t>(dict.__sizeof__(<object>template) - dict.__basicsize__):
        return 0
    for index in range(count):
        values[index] = PyList_GET_ITEM(<PyObject*>placeholders, index)
        Py_INCREF(values[index])
    made = hr_dict_clone(template, offset, values, count)
    if made == NULL:
        values_drop(values, count)
        return error_raise()
    same = (memcmp(hr_dict_keys(made), hr_dict_keys(copy), size) == 0
            and <dict>made == <dict>copy and len(<dict>made) == <Py_ssize_t>count)
    Py_DECREF(made)
    return same


cdef int shape_make(
    Shape* shape, uint64_t hash, PyObject** names, uint32_t count,
) except -1:
    cdef dict template = {}
    cdef dict copy
    cdef PyObject* old
    cdef size_t offset
    cdef uint32_t index
    for index in range(count):
        template[<object>names[index]] = placeholders[index]
    if len(template) != <Py_ssize_t>count or hr_dict_split(<PyObject*>template):
        return 0
    offset = values_find(<PyObject*>template, names, count)
    copy = template.copy()
    if offset == 0 or hr_dict_split(<PyObject*>copy):
        return 0
    if values_find(<PyObject*>copy, names, count) != offset:
        return 0
    if hr_dict_keys(<PyObject*>copy) == hr_dict_keys(<PyObject*>template):
        return 0
    if hr_clones and not clone_is_copy(<PyObject*>template, <PyObject*>copy, offset, count):
        hr_clones_end()
    old = shape.template
    Py_INCREF(<PyObject*>template)
    shape.template = <PyObject*>template
    shape.offset_bytes = offset
    shape.hash = hash
    shape.count = count
    memcpy(shape.names, names, count * sizeof(PyObject*))
    Py_XDECREF(old)
    return 0


cdef void values_drop(PyObject** values, uint32_t count) noexcept:
    cdef uint32_t index
    for index in range(count):
        Py_DECREF(values[index])


cdef PyObject* entries_insert(PyObject** names, PyObject** values, uint32_t count) noexcept:
    cdef PyObject* made = hr_dict_presized(count)
    cdef uint32_t index
    if made != NULL:
        for index in range(count):
            if PyDict_SetItem(made, names[index], values[index]) < 0:
                Py_DECREF(made)
                made = NULL
                break
    values_drop(values, count)
    return made


cdef PyObject* template_copy(
    PyObject* template, size_t offset_bytes, PyObject** values, uint32_t count, bint nested,
) noexcept:
    cdef PyObject* made
    cdef PyObject** slot
    cdef uint32_t index
    # Held, for the allocation may start the garbage collector, and that a call that drops it.
    Py_INCREF(template)
    if hr_clones:
        made = hr_dict_clone(template, offset_bytes, values, count)
    else:
        made = PyDict_Copy(template)
    Py_DECREF(template)
    if made == NULL:
        values_drop(values, count)
        return NULL
    if not hr_clones:
        slot = <PyObject**>(hr_dict_keys(made) + offset_bytes)
        for index in range(count):
            slot[2 * index] = values[index]
    if nested and not PyObject_GC_IsTracked(made):
        PyObject_GC_Track(made)
    return made


# The slot of a shape that has a template, or NULL. Any of its hash's few neighbours may be it, so
# that the shapes of one table seldom drive each other out.
cdef inline Shape* slot_of(
    const Shape* shapes, uint64_t hash, PyObject** names, uint32_t count,
) noexcept:
    cdef size_t place = hash >> (64 - SHAPE_SLOT_BITS)
    cdef const Shape* shape
    cdef size_t turn
    for turn in range(NEIGHBOURS):
        shape = shapes + (place ^ turn)
        if shape.hash == hash and shape.count == count and shape.template != NULL and (
            memcmp(shape.names, names, count * sizeof(PyObject*)) == 0
        ):
            return <Shape*>shape
    return NULL


cdef PyObject* shape_find(
    const Shape* shapes, PyObject** names, uint32_t count, size_t* offset_bytes,
) noexcept:
    cdef const Shape* shape
    cdef uint64_t hash = 0
    cdef uint32_t index
    if count == 0 or count > SHAPE_NAMES_MAX:
        return NULL
    for index in range(count):
        hash = shape_mix(hash, names[index])
    shape = slot_of(shapes, hash, names, count)
    if shape == NULL:
        return NULL
    offset_bytes[0] = shape.offset_bytes
    return shape.template


# Note that a shape without a template came; the second time it gets one. The neighbours remember
# the last that came to any of them, the latest first.
cdef void shape_learn(Shape* shapes, uint64_t hash, PyObject** names, uint32_t count) noexcept:
    cdef size_t place = hash >> (64 - SHAPE_SLOT_BITS)
    cdef Shape* first = shapes + (place & ~<size_t>(NEIGHBOURS - 1))
    cdef size_t turn
    for turn in range(NEIGHBOURS):
        if first[turn].candidate == hash:
            break
    else:
        for turn in range(NEIGHBOURS - 1, 0, -1):
            first[turn].candidate = first[turn - 1].candidate
        first.candidate = hash
        return
    for turn in range(NEIGHBOURS):
        if shapes[place ^ turn].template == NULL:
            place ^= turn
            break
    try:
        shape_make(shapes + place, hash, names, count)
    except Exception:
        pass                              # out of memory, most likely: the dict will tell


cdef PyObject* shape_dict(
    Shape* shapes, uint64_t hash, PyObject** names, PyObject** values, uint32_t count, bint nested,
) noexcept:
    cdef Shape* shape = slot_of(shapes, hash, names, count)
    if shape != NULL:
        return template_copy(shape.template, shape.offset_bytes, values, count, nested)
    if HR_SHAPES and count > 0:
        shape_learn(shapes, hash, names, count)
    return entries_insert(names, values, count)


cdef void shapes_clear(Shape* shapes) noexcept:
    cdef size_t index
    for index in range(<size_t>SHAPE_SLOT_COUNT):
        Py_XDECREF(shapes[index].template)
        shapes[index].template = NULL
