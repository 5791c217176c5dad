"""The Python C API as the codecs use it: on `PyObject*`, without the reference counting and checks
Cython would add.

Nothing here raises by itself: a function that returns NULL or -1 has set an exception, which the
caller passes on (error_raise) or clears. Everything here is documented API of CPython 3.11 and
later, or has a documented substitute chosen by the version macros.
"""

from cpython.object cimport PyObject, PyTypeObject
from libc.stdint cimport int64_t, uint8_t, uint32_t


cdef extern from *:
    """
    #if PY_VERSION_HEX < 0x030D0000
    #define hr_dict_presized(count) _PyDict_NewPresized(count)
    #define HR_SET_ENTRIES 1
    #else
    #define hr_dict_presized(count) PyDict_New()
    #define _PySet_NextEntry(set, pos, key, hash) 0
    #define HR_SET_ENTRIES 0
    #endif
    /* The hash of an exact str; computing it runs no Python code and cannot fail. */
    static CYTHON_INLINE Py_hash_t hr_text_hash(PyObject* text) {
        Py_hash_t hash = ((PyASCIIObject*)text)->hash;
        return hash != -1 ? hash : PyObject_Hash(text);
    }
    static CYTHON_INLINE int hr_text_equal(PyObject* left, PyObject* right) {
        Py_ssize_t length = PyUnicode_GET_LENGTH(left);
        int kind = PyUnicode_KIND(left);
        return length == PyUnicode_GET_LENGTH(right) && kind == (int)PyUnicode_KIND(right)
            && memcmp(PyUnicode_DATA(left), PyUnicode_DATA(right), (size_t)length * kind) == 0;
    }
    #define hr_text_ascii(text) PyUnicode_IS_ASCII(text)
    #define hr_text_kind(text) ((int)PyUnicode_KIND(text))
    #define hr_text_data(text) ((uint8_t*)PyUnicode_DATA(text))
    #define hr_is_exact_text(value) (Py_TYPE(value) == &PyUnicode_Type)
    #define hr_error_raise() (-1)
    """
    # A dict with room for `count` entries where the interpreter offers it.
    PyObject* hr_dict_presized(Py_ssize_t count) noexcept
    const bint HR_SET_ENTRIES              # _PySet_NextEntry works
    int _PySet_NextEntry(
        PyObject* collection, Py_ssize_t* pos, PyObject** member, Py_hash_t* hash,
    ) noexcept
    Py_hash_t hr_text_hash(PyObject* text) noexcept
    bint hr_text_equal(PyObject* left, PyObject* right) noexcept
    bint hr_text_ascii(PyObject* text) noexcept
    int hr_text_kind(PyObject* text) noexcept
    uint8_t* hr_text_data(PyObject* text) noexcept
    bint hr_is_exact_text(PyObject* value) noexcept
    # Go on with the exception that a function above has set.
    int error_raise "hr_error_raise"() except -1


cdef extern from "Python.h":
    PyTypeObject PyUnicode_Type
    PyTypeObject PyLong_Type
    PyTypeObject PyBytes_Type
    PyTypeObject PyList_Type
    PyTypeObject PyDict_Type
    PyTypeObject PySet_Type
    PyObject* Py_None
    PyObject* Py_True
    PyObject* Py_False

    PyTypeObject* Py_TYPE(PyObject* value) noexcept
    bint PyObject_TypeCheck(PyObject* value, PyTypeObject* kind) noexcept
    void Py_INCREF(PyObject* value) noexcept
    void Py_DECREF(PyObject* value) noexcept
    void Py_XDECREF(PyObject* value) noexcept

    bint PyUnicode_Check(PyObject* value) noexcept
    Py_ssize_t PyUnicode_GET_LENGTH(PyObject* text) noexcept
    PyObject* PyUnicode_New(Py_ssize_t size, Py_UCS4 maxchar) noexcept
    PyObject* PyUnicode_DecodeUTF8(const char* text, Py_ssize_t size, const char* errors) noexcept
    const char* PyUnicode_AsUTF8AndSize(PyObject* text, Py_ssize_t* size) noexcept

    bint PyLong_Check(PyObject* value) noexcept
    PyObject* PyLong_FromLongLong(long long value) noexcept
    long long PyLong_AsLongLongAndOverflow(PyObject* value, int* overflow) noexcept
    bint PyFloat_Check(PyObject* value) noexcept

    bint PyBytes_Check(PyObject* value) noexcept
    Py_ssize_t PyBytes_GET_SIZE(PyObject* value) noexcept
    char* PyBytes_AS_STRING(PyObject* value) noexcept
    PyObject* PyBytes_FromStringAndSize(const char* data, Py_ssize_t size) noexcept
    bint PyByteArray_Check(PyObject* value) noexcept
    Py_ssize_t PyByteArray_GET_SIZE(PyObject* value) noexcept
    char* PyByteArray_AS_STRING(PyObject* value) noexcept
    bint PyMemoryView_Check(PyObject* value) noexcept

    bint PyList_Check(PyObject* value) noexcept
    PyObject* PyList_New(Py_ssize_t count) noexcept
    Py_ssize_t PyList_GET_SIZE(PyObject* value) noexcept
    PyObject* PyList_GET_ITEM(PyObject* value, Py_ssize_t index) noexcept
    void PyList_SET_ITEM(PyObject* value, Py_ssize_t index, PyObject* element) noexcept
    PyObject* PyList_GetSlice(PyObject* value, Py_ssize_t start, Py_ssize_t end) noexcept
    bint PyTuple_Check(PyObject* value) noexcept
    Py_ssize_t PyTuple_GET_SIZE(PyObject* value) noexcept
    PyObject* PyTuple_GET_ITEM(PyObject* value, Py_ssize_t index) noexcept

    bint PyDict_Check(PyObject* value) noexcept
    PyObject* PyDict_New() noexcept
    PyObject* PyDict_Copy(PyObject* value) noexcept
    Py_ssize_t PyDict_GET_SIZE(PyObject* value) noexcept
    int PyDict_SetItem(PyObject* target, PyObject* key, PyObject* value) noexcept
    PyObject* PyDict_GetItemWithError(PyObject* source, PyObject* key) noexcept
    bint PyDict_Next(PyObject* source, Py_ssize_t* pos, PyObject** key, PyObject** value) noexcept

    bint PyAnySet_Check(PyObject* value) noexcept
    Py_ssize_t PySet_GET_SIZE(PyObject* value) noexcept
    PyObject* PySet_New(PyObject* iterable) noexcept
    int PySet_Add(PyObject* target, PyObject* member) noexcept
    PyObject* PyIter_Next(PyObject* iterator) noexcept
    bint PyObject_GC_IsTracked(PyObject* value) noexcept
    void PyObject_GC_Track(PyObject* value) noexcept
    PyObject* PyErr_Occurred() noexcept
    bint PyErr_ExceptionMatches(PyObject* kind) noexcept
    void PyErr_Clear() noexcept
    void PyErr_SetString(PyObject* kind, const char* text) noexcept
    PyObject* PyExc_ValueError
    PyObject* PyExc_UnicodeDecodeError
