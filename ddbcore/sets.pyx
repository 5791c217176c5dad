"""Small sets, made without a search for each member's place.

Theory of operation
    A set of up to four members keeps them in a table of eight places in the object itself. CPython
    makes an empty one through its general allocator, which clears it, and adds each member with a
    call of its own. Here the object is made in one piece: its struct and the size of its table are
    in CPython's headers; the order in which places are tried is not, so it is checked once, when
    this module is loaded, against sets that the interpreter made. Where they differ, in
    interpreters that were not tested, and for larger sets, the interpreter makes them.

Invariants
    1. A set made here equals, byte for byte of its table, the one made by adding its members in
       the same order.
    2. It is shown to the garbage collector when it is complete.

Threads
    With the GIL. Allocations may start the garbage collector and so any Python code.
"""

from ddbcore.pyapi cimport *

cdef extern from *:
    """
    /* Tested with 3.11 to 3.13. */
    #if PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED) && !defined(PYPY_VERSION)
    static int hr_small_sets = 1;
    static PySetObject* hr_set_begin(void) {
        PySetObject* made = PyObject_GC_New(PySetObject, &PySet_Type);
        if (made == NULL) return NULL;
        made->fill = made->used = 0;
        made->mask = PySet_MINSIZE - 1;
        made->table = made->smalltable;
        made->hash = -1;
        made->finger = 0;
        memset(made->smalltable, 0, sizeof made->smalltable);
        made->weakreflist = NULL;
        return made;
    }
    static PyObject* hr_set_of(PyObject** members, unsigned int count) {
        PySetObject* made = hr_set_begin();
        unsigned int index;
        if (made == NULL) return NULL;
        for (index = 0; index < count; index++) {
            PyObject* member = members[index];
            Py_hash_t hash = PyUnicode_CheckExact(member) ? hr_text_hash(member)
                                                          : PyObject_Hash(member);
            size_t rest = (size_t)hash;
            size_t place = rest & (PySet_MINSIZE - 1);
            if (hash == -1) {
                Py_DECREF(made);
                return NULL;
            }
            while (made->smalltable[place].key != NULL) {
                if (made->smalltable[place].hash == hash) {
                    /* Equal, perhaps: the interpreter compares them. */
                    if (PySet_Add((PyObject*)made, member) < 0) {
                        Py_DECREF(made);
                        return NULL;
                    }
                    goto added;
                }
                rest >>= 5;
                place = (place * 5 + 1 + rest) & (PySet_MINSIZE - 1);
            }
            Py_INCREF(member);
            made->smalltable[place].key = member;
            made->smalltable[place].hash = hash;
            made->fill++;
            made->used++;
          added:;
        }
        PyObject_GC_Track(made);
        return (PyObject*)made;
    }
    static PyObject* hr_set_copy(PyObject* source) {
        PySetObject* from = (PySetObject*)source;
        PySetObject* made;
        int place;
        if (from->table != from->smalltable || from->fill != from->used)
            return PySet_New(source);
        made = hr_set_begin();
        if (made == NULL) return NULL;
        made->fill = made->used = from->used;
        memcpy(made->smalltable, from->smalltable, sizeof made->smalltable);
        for (place = 0; place < PySet_MINSIZE; place++) Py_XINCREF(made->smalltable[place].key);
        PyObject_GC_Track(made);
        return (PyObject*)made;
    }
    static int hr_set_same(PyObject* left, PyObject* right) {
        PySetObject* a = (PySetObject*)left;
        PySetObject* b = (PySetObject*)right;
        return a->table == a->smalltable && b->table == b->smalltable && a->mask == b->mask
            && a->fill == b->fill && a->used == b->used && a->hash == b->hash
            && memcmp(a->table, b->table, sizeof a->smalltable) == 0;
    }
    #else
    #define hr_small_sets 0
    #define hr_set_of(members, count) ((PyObject*)NULL)
    #define hr_set_copy(source) PySet_New(source)
    #define hr_set_same(left, right) 1
    #endif
    static void hr_small_sets_end(void) {
    #if !defined(hr_small_sets)
        hr_small_sets = 0;
    #endif
    }
    """
    bint hr_small_sets                    # the interpreter's small sets are as expected
    void hr_small_sets_end() noexcept
    PyObject* hr_set_of(PyObject** members, unsigned int count) noexcept
    PyObject* hr_set_copy(PyObject* source) noexcept
    bint hr_set_same(PyObject* left, PyObject* right) noexcept


cdef enum:
    CHECK_COUNT = 64


cdef PyObject* set_of(PyObject** members, uint32_t count) noexcept:
    cdef PyObject* made
    cdef uint32_t index
    if hr_small_sets and count <= SMALL_SET_MAX:
        return hr_set_of(members, count)
    made = PySet_New(NULL)
    if made == NULL:
        return NULL
    for index in range(count):
        if PySet_Add(made, members[index]) < 0:
            Py_DECREF(made)
            return NULL
    return made


cdef PyObject* set_copy(PyObject* source) noexcept:
    cdef PyObject* made
    # Held, for the allocation may run other Python code.
    Py_INCREF(source)
    made = hr_set_copy(source) if hr_small_sets else PySet_New(source)
    Py_DECREF(source)
    return made


# Sets of integers, whose hashes are themselves, meet at every place, and go on from there.
cdef int small_sets_check() except -1:
    cdef PyObject* members[SMALL_SET_MAX]
    cdef PyObject* made
    cdef list held
    cdef set expected
    cdef uint32_t count, index
    for number in range(CHECK_COUNT):
        count = number % (SMALL_SET_MAX + 1)
        held = [number * 0x9E3779B97F4A7 % (1 << 50) + index * (8 << number % 40)
                for index in range(count)]
        expected = set()
        for index in range(count):
            members[index] = PyList_GET_ITEM(<PyObject*>held, index)
            expected.add(held[index])
        made = hr_set_of(members, count)
        if made == NULL:
            return error_raise()
        if not hr_set_same(made, <PyObject*>expected):
            hr_small_sets_end()
        Py_DECREF(made)
    return 0


def small_sets() -> bool:
    """Return whether small sets are made here."""
    return hr_small_sets


if hr_small_sets:
    small_sets_check()
