"""Copies of decoded items: deep ones, and the frozen form that the item cache keeps.

Theory of operation
    Copying a dict that was not used for a while costs one cache miss for each object it reaches:
    the dict, its table, each value, each container below and what is in those. The frozen form is
    one array of words in place of the containers: pointers to immutable values, in the order of the
    item, and between them words that say which container begins. A dict is made from its shape's
    template, which is in the processor's cache because every item of the table is made from it; a
    small set from its members. So a copy reads the array, all of it at once, and counts up the
    values, which were fetched ahead (frozen_fetch).

    A word is a pointer with a tag in its low bits, which are free in CPython's objects:
        WORD_VALUE   an immutable value
        WORD_COPY    a container that is copied as it is (lists, large sets, dicts without a shape)
        WORD_DICT    a template; the next word has offset << 16 | count, then come the values
        WORD_SET     not a pointer: count << TAG_BITS; then come the members

Invariants
    1. Containers in words are nobody else's and never handed out.
    2. Words hold one reference to each pointer, templates and members included.

Threads
    With the GIL. Making containers may start the garbage collector, and with it any Python code.
"""

from ddbcore.pyapi cimport *
from ddbcore.record cimport DEPTH_MAX
from ddbcore.sets cimport set_copy, set_of
from ddbcore.shape cimport SHAPE_NAMES_MAX, shape_find, template_copy

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define value_prefetch(p) __builtin_prefetch((const void*)(p), 1)
    #else
    #define value_prefetch(p) ((void)(p))
    #endif
    """
    void value_prefetch(const void* address) noexcept

cdef enum:
    WORD_VALUE = 0
    WORD_COPY = 1
    WORD_DICT = 2
    WORD_SET = 3
    TAG_BITS = 3
    TAG_MASK = 7
    SET_MEMBERS_MAX = 8                   # larger sets are copied faster than built
    FETCH_WORDS_MAX = 32
    # Estimates of what the decoder charges for a container (decoder.pyx).
    DICT_BYTES = 80
    ENTRY_BYTES = 28
    SET_BYTES = 224


# -- deep copies -----------------------------------------------------------------------------------


cdef inline bint is_mutable(PyObject* value) noexcept:
    cdef PyTypeObject* kind = Py_TYPE(value)
    return kind == &PyDict_Type or kind == &PyList_Type or kind == &PySet_Type


cdef PyObject* list_copy(PyObject* source, int level) noexcept:
    cdef Py_ssize_t count = PyList_GET_SIZE(source)
    cdef Py_ssize_t index
    cdef PyObject* made = PyList_GetSlice(source, 0, count)
    cdef PyObject* value
    if made == NULL:
        return NULL
    # The new list belongs to us alone, unlike the source.
    for index in range(PyList_GET_SIZE(made)):
        value = PyList_GET_ITEM(made, index)
        if is_mutable(value):
            value = value_copy(value, level + 1)
            if value == NULL:
                Py_DECREF(made)
                return NULL
            Py_DECREF(PyList_GET_ITEM(made, index))
            PyList_SET_ITEM(made, index, value)
    return made


cdef PyObject* dict_copy(PyObject* source, int level) noexcept:
    cdef PyObject* made = PyDict_Copy(source)
    cdef PyObject* name
    cdef PyObject* value
    cdef Py_ssize_t pos = 0
    cdef int status
    # The garbage collector does not track a dict that holds no containers: nothing in it is
    # mutable.
    if made == NULL or not PyObject_GC_IsTracked(made):
        return made
    # Walking the copy, whose entries nobody else changes; setting the value of a name that is there
    # moves no entries.
    while PyDict_Next(made, &pos, &name, &value):
        if is_mutable(value):
            value = value_copy(value, level + 1)
            status = -1
            if value != NULL:
                status = PyDict_SetItem(made, name, value)
                Py_DECREF(value)
            if status < 0:
                Py_DECREF(made)
                return NULL
    return made


# A new reference, or NULL with an exception.
cdef PyObject* value_copy(PyObject* source, int level) noexcept:
    cdef PyTypeObject* kind = Py_TYPE(source)
    if level > DEPTH_MAX + 1:
        return too_deep()
    if kind == &PyDict_Type:
        return dict_copy(source, level)
    if kind == &PySet_Type:
        return set_copy(source)
    return list_copy(source, level)


cdef PyObject* too_deep() noexcept:
    PyErr_SetString(PyExc_ValueError, b"the item to copy is nested too deeply")
    return NULL


cdef dict item_copy(dict item):
    cdef PyObject* made = dict_copy(<PyObject*>item, 1)
    cdef dict copy
    if made == NULL:
        error_raise()
    copy = <dict>made
    Py_DECREF(made)
    return copy


# -- the frozen form -------------------------------------------------------------------------------


cdef struct Freezer:
    const Shape* shapes
    uint64_t* words
    uint32_t count
    size_t saved_bytes


# Add a word; 0, or -1 when there is no room.
cdef inline int word_add(Freezer* freezer, uint64_t word) noexcept:
    if freezer.count >= FROZEN_WORDS_MAX:
        return -1
    freezer.words[freezer.count] = word
    freezer.count += 1
    return 0


# Add a container as it is. 0, or -1 with an exception or without room.
cdef int freeze_copy(Freezer* freezer, PyObject* value, int level) noexcept:
    cdef PyObject* copy
    if freezer.count >= FROZEN_WORDS_MAX:
        return -1
    copy = value_copy(value, level)
    if copy == NULL:
        return -1
    return word_add(freezer, <uint64_t>copy | WORD_COPY)


cdef int freeze_dict(Freezer* freezer, PyObject* source, int level) noexcept:
    cdef PyObject* names[SHAPE_NAMES_MAX]
    cdef PyObject* values[SHAPE_NAMES_MAX]
    cdef PyObject* template = NULL
    cdef uint32_t count = 0
    cdef uint32_t index
    cdef Py_ssize_t pos = 0
    cdef size_t offset = 0
    cdef int status = 0
    if PyDict_GET_SIZE(source) <= SHAPE_NAMES_MAX:
        while PyDict_Next(source, &pos, names + count, values + count):
            count += 1
            if count == SHAPE_NAMES_MAX:
                break
        template = shape_find(freezer.shapes, names, count, &offset)
    if template == NULL or offset >= (1 << 30):
        return freeze_copy(freezer, source, level)
    if word_add(freezer, <uint64_t>template | WORD_DICT) < 0:
        return -1
    Py_INCREF(template)
    if word_add(freezer, <uint64_t>offset << 16 | count) < 0:
        # A template without its second word is of no use.
        freezer.count -= 1
        Py_DECREF(template)
        return -1
    freezer.saved_bytes += DICT_BYTES + ENTRY_BYTES * count
    # Copying a container may run Python code, which may change the source.
    for index in range(count):
        Py_INCREF(values[index])
    for index in range(count):
        if status == 0:
            status = freeze_value(freezer, values[index], level)
        Py_DECREF(values[index])
    return status


cdef int freeze_set(Freezer* freezer, PyObject* source, int level) noexcept:
    cdef PyObject* member = NULL
    cdef Py_ssize_t pos = 0
    cdef Py_hash_t hash
    cdef Py_ssize_t count = PySet_GET_SIZE(source)
    if not HR_SET_ENTRIES or count > SET_MEMBERS_MAX:
        return freeze_copy(freezer, source, level)
    if freezer.count + count + 1 > FROZEN_WORDS_MAX:
        return -1
    word_add(freezer, <uint64_t>count << TAG_BITS | WORD_SET)
    while _PySet_NextEntry(source, &pos, &member, &hash):
        Py_INCREF(member)
        word_add(freezer, <uint64_t>member)
    freezer.saved_bytes += SET_BYTES
    return 0


cdef int freeze_value(Freezer* freezer, PyObject* value, int level) noexcept:
    cdef PyTypeObject* kind = Py_TYPE(value)
    if kind == &PyDict_Type:
        return freeze_dict(freezer, value, level + 1)
    if kind == &PySet_Type:
        return freeze_set(freezer, value, level + 1)
    if kind == &PyList_Type:
        return freeze_copy(freezer, value, level + 1)
    if word_add(freezer, <uint64_t>value) < 0:
        return -1
    Py_INCREF(value)
    return 0


cdef int frozen_make(
    dict item, const Shape* shapes, uint64_t* words, size_t* saved_bytes,
) except -1:
    cdef Freezer freezer
    cdef PyObject* copy
    freezer.shapes = shapes
    freezer.words = words
    freezer.count = 0
    freezer.saved_bytes = 0
    saved_bytes[0] = 0
    if freeze_dict(&freezer, <PyObject*>item, 1) == 0:
        saved_bytes[0] = freezer.saved_bytes
        return freezer.count
    frozen_drop(words, freezer.count)
    if PyErr_Occurred() != NULL:
        return error_raise()
    # Too many words for the array: the dict as a whole.
    copy = value_copy(<PyObject*>item, 1)
    if copy == NULL:
        return error_raise()
    words[0] = <uint64_t>copy | WORD_COPY
    return 1


cdef PyObject* thaw_set(const uint64_t** place, uint32_t count) noexcept:
    cdef PyObject** members = <PyObject**>place[0]
    place[0] += count
    return set_of(members, count)


cdef PyObject* thaw_dict(const uint64_t** place, PyObject* template) noexcept:
    cdef PyObject* values[SHAPE_NAMES_MAX]
    cdef uint32_t count = <uint32_t>(place[0][0] & 0xFFFF)
    cdef size_t offset = <size_t>(place[0][0] >> 16)
    cdef uint32_t index, other
    cdef bint nested = False
    place[0] += 1
    for index in range(count):
        nested |= (place[0][0] & TAG_MASK) != WORD_VALUE
        values[index] = thaw(place)
        if values[index] == NULL:
            for other in range(index):
                Py_DECREF(values[other])
            return NULL
    return template_copy(template, offset, values, count, nested)


# The value at *place, which moves behind it.
cdef PyObject* thaw(const uint64_t** place) noexcept:
    cdef uint64_t word = place[0][0]
    cdef uint64_t tag = word & TAG_MASK
    cdef PyObject* value = <PyObject*>(word & ~<uint64_t>TAG_MASK)
    place[0] += 1
    if tag == WORD_VALUE:
        Py_INCREF(value)
        return value
    if tag == WORD_DICT:
        return thaw_dict(place, value)
    if tag == WORD_SET:
        return thaw_set(place, <uint32_t>(word >> TAG_BITS))
    return value_copy(value, 1)


cdef PyObject* frozen_item(const uint64_t* words) noexcept:
    return thaw(&words)


cdef void frozen_fetch(const uint64_t* words, uint32_t count) noexcept:
    cdef uint32_t index = 0
    # A large item's copy is busy for longer than its misses take.
    if count > FETCH_WORDS_MAX:
        count = FETCH_WORDS_MAX
    while index < count:
        if words[index] & TAG_MASK == WORD_VALUE:
            value_prefetch(<const void*>words[index])
            index += 1
        else:
            index += 2 if words[index] & TAG_MASK == WORD_DICT else 1


cdef void frozen_drop(const uint64_t* words, uint32_t count) noexcept:
    cdef uint32_t index = 0
    cdef uint64_t tag
    while index < count:
        tag = words[index] & TAG_MASK
        if tag != WORD_SET:
            Py_DECREF(<PyObject*>(words[index] & ~<uint64_t>TAG_MASK))
        index += 2 if tag == WORD_DICT else 1
