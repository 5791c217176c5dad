"""Forms: whether a request certainly has the JSON types and bounds of its operation.

Theory of operation
    A form is a small tree, made once from a shape of `hashrange.ops`. `accepts` walks it and the
    request side by side. It knows no words: what it does not accept is looked at again by whoever
    asked, completely and in the service's order. So it may refuse what is fine but unusual, a
    subclass of dict or of str, and must never accept what is not fine.

Invariants
    1. Walking runs no Python code: exact dicts are searched for exact strings only. So nothing
       changes under it.

Threads
    Any, with the GIL.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN

from ddbcore.pyapi cimport *

cdef tuple KINDS = ("text", "whole", "flag", "blob", "list", "map", "object")


# A member of a dict of forms, or NULL.
cdef inline PyObject* form_find(dict forms, PyObject* name) noexcept:
    # Names are exact str, so that nothing can be raised.
    return PyDict_GetItemWithError(<PyObject*>forms, name)


cdef class Form:

    def __init__(self, str kind not None, least=None, most=None, *, tuple values=None,
                 str characters=None, Form key=None, Form element=None, dict needed=None,
                 dict members=None):
        self.kind = KINDS.index(kind)
        if self.kind == FORM_MAP and key is None:
            raise ValueError("a map has a form of its keys")
        self.least = (INT64_MIN if self.kind == FORM_WHOLE else 0) if least is None else least
        self.most = INT64_MAX if most is None else most
        self.values = None if values is None else frozenset(values)
        self.patterned = characters is not None
        for character in characters or "":
            self.characters[ord(character)] = 1
        self.key = key
        self.element = element
        self.needed = {}
        self.members = {}
        for target, source in ((self.needed, needed), (self.members, members)):
            for name, form in (source or {}).items():
                if type(name) is not str or not isinstance(form, Form):
                    raise TypeError("members are forms by name")
                target[name] = form

    def accepts(self, value):
        """Tell whether a value certainly has this form; False: look closely."""
        return self.holds(<PyObject*>value)

    cdef bint holds(self, PyObject* value) noexcept:
        cdef Py_ssize_t index, count
        cdef int overflow = 0
        cdef long long number
        if self.kind == FORM_TEXT:
            return hr_is_exact_text(value) and self.text_holds(value)
        if self.kind == FORM_OBJECT:
            return Py_TYPE(value) == &PyDict_Type and self.object_holds(value)
        if self.kind == FORM_MAP:
            return Py_TYPE(value) == &PyDict_Type and self.map_holds(value)
        if self.kind == FORM_FLAG:
            return value == Py_True or value == Py_False
        if self.kind == FORM_BLOB:
            return Py_TYPE(value) == &PyBytes_Type
        if self.kind == FORM_WHOLE:
            if Py_TYPE(value) != &PyLong_Type:
                return False
            number = PyLong_AsLongLongAndOverflow(value, &overflow)
            return overflow == 0 and self.least <= number <= self.most
        if Py_TYPE(value) != &PyList_Type:
            return False
        count = PyList_GET_SIZE(value)
        if not self.least <= count <= self.most:
            return False
        if self.element is not None:
            for index in range(count):
                if not self.element.holds(PyList_GET_ITEM(value, index)):
                    return False
        return True

    cdef bint text_holds(self, PyObject* value) noexcept:
        cdef Py_ssize_t index
        cdef Py_ssize_t length = PyUnicode_GET_LENGTH(value)
        cdef uint8_t* data
        if not self.least <= length <= self.most:
            return False
        if self.values is not None:
            return <str>value in self.values
        if self.patterned:
            if not hr_text_ascii(value):
                return False
            data = hr_text_data(value)
            for index in range(length):
                if not self.characters[data[index]]:
                    return False
        return True

    cdef bint map_holds(self, PyObject* value) noexcept:
        cdef Py_ssize_t pos = 0
        cdef PyObject* name
        cdef PyObject* inner
        if not self.least <= PyDict_GET_SIZE(value) <= self.most:
            return False
        if self.element is not None:
            while PyDict_Next(value, &pos, &name, &inner):
                if not (self.key.holds(name) and self.element.holds(inner)):
                    return False
        return True

    cdef bint object_holds(self, PyObject* value) noexcept:
        cdef Py_ssize_t pos = 0
        cdef Py_ssize_t missing = PyDict_GET_SIZE(<PyObject*>self.needed)
        cdef PyObject* name
        cdef PyObject* inner
        cdef PyObject* form
        while PyDict_Next(value, &pos, &name, &inner):
            if not hr_is_exact_text(name):
                return False
            if inner == Py_None:
                continue
            form = form_find(self.needed, name)
            if form != NULL:
                missing -= 1
            else:
                form = form_find(self.members, name)
                if form == NULL:
                    continue
            if not (<Form>form).holds(inner):
                return False
        return missing == 0
