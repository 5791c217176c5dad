"""Requests that are plain: from DynamoDB's own form to the engine at once.

Theory of operation
    Most requests are plain: a table that is known by its name, expressions that were compiled
    before, and nothing asked for that takes a closer look. Those become actions and reads in one
    walk over the request. All others are left alone, and so is what turns out to be wrong with a
    plain one: whoever asked looks again, completely and in the service's order.

Invariants
    1. What returns that it takes a closer look has done nothing.
    2. Walking a request runs no Python code but that of `programs`: dicts are searched only when
       all of their keys are exact str.

Threads
    Under the GIL; a durable write releases it while it syncs.
"""

from ddbcore.engine cimport Engine
from ddbcore.pyapi cimport (
    Py_None,
    Py_TYPE,
    PyDict_GET_SIZE,
    PyDict_GetItemWithError,
    PyDict_Next,
    PyDict_Type,
    PyObject,
    PyUnicode_GET_LENGTH,
    hr_is_exact_text,
)
from ddbcore.table cimport CoreTable
from ddbcore.writes cimport (
    ACTION_CHECK,
    ACTION_DELETE,
    ACTION_PUT,
    ACTION_UPDATE,
    SHOW_FAILED,
    Action,
    actions_run,
)

from ddbcore.errors import ConditionalCheckFailed, Error
from ddbcore.writes import read_item

cdef enum:
    SHORT_LENGTH_MAX = 256                # characters of what surely_short looks at

cdef dict ACTION_KINDS = {
    "Put": ACTION_PUT, "Update": ACTION_UPDATE, "Delete": ACTION_DELETE,
    "ConditionCheck": ACTION_CHECK,
}


cdef inline PyObject* member_of(PyObject* action, str name) noexcept:
    """A member of a dict with exact str for keys; NULL when it is absent or None."""
    cdef PyObject* found = PyDict_GetItemWithError(action, <PyObject*>name)
    return NULL if found == Py_None else found


cdef bint plainly_named(PyObject* action) noexcept:
    """Tell whether all keys of a dict are exact str, so that looking one up runs no Python code."""
    cdef Py_ssize_t pos = 0
    cdef PyObject* name
    cdef PyObject* value
    while PyDict_Next(action, &pos, &name, &value):
        if not hr_is_exact_text(name):
            return False
    return True


cdef Action plain_action(PyObject* part, dict tables, object programs):
    """The action of one part, or None when it takes a closer look."""
    cdef PyObject* name = NULL
    cdef PyObject* found = NULL
    cdef PyObject* kind
    cdef Py_ssize_t pos = 0
    cdef object held
    if (PyDict_GET_SIZE(part) != 1 or not PyDict_Next(part, &pos, &name, &found)
            or not hr_is_exact_text(name) or Py_TYPE(found) != &PyDict_Type):
        return None
    held = <object>found
    kind = PyDict_GetItemWithError(<PyObject*>ACTION_KINDS, name)
    if kind == NULL:
        return None
    return plain_body(<PyObject*>held, <int><object>kind, tables, programs)


cdef Action plain_body(PyObject* body, int kind, dict tables, object programs):
    """The action that a dict describes, or None when it takes a closer look."""
    cdef PyObject* found
    cdef object update, condition
    cdef Action action
    if not plainly_named(body):
        return None
    found = member_of(body, "TableName")
    if found == NULL or not hr_is_exact_text(found):
        return None
    found = PyDict_GetItemWithError(<PyObject*>tables, found)
    if found == NULL:
        return None
    action = Action.__new__(Action)
    action.kind = kind
    action.table = <CoreTable?>(<tuple?><object>found)[1]
    found = member_of(body, "Item" if action.kind == ACTION_PUT else "Key")
    if found == NULL or (action.kind == ACTION_PUT and action.table.state.index_list):
        return None
    action.item = <object>found
    found = member_of(body, "ExpressionAttributeNames")
    action.names = <object>found if found != NULL else None
    found = member_of(body, "ExpressionAttributeValues")
    action.values = <object>found if found != NULL else None
    if ((action.names is not None and not action.names)
            or (action.values is not None and not action.values)):
        return None
    found = member_of(body, "ConditionExpression")
    condition = <object>found if found != NULL else None
    found = member_of(body, "UpdateExpression") if action.kind == ACTION_UPDATE else NULL
    update = <object>found if found != NULL else None
    found = member_of(body, "ReturnValuesOnConditionCheckFailure")
    if found != NULL and <object>found == "ALL_OLD":
        action.wants = SHOW_FAILED
    if condition is not None or update is not None:
        action.program = programs(update, condition)
    elif action.names is not None or action.values is not None:
        return None
    return action


def plain_actions(list parts not None, dict tables not None, programs not None):
    """Return the actions of TransactItems, or None when one of them takes a closer look.

    parts: of the right JSON types; what is said of the items is left to write_all. tables:
    (anything, CoreTable) by name; a put into one with indexes is not plain. programs: called with
    the texts of an update and a condition, or None; what it raises is raised.
    """
    cdef list actions = []
    cdef Action action
    for part in list(parts):
        if type(part) is not dict:
            return None
        action = plain_action(<PyObject*>part, tables, programs)
        if action is None:
            return None
        actions.append(action)
    return actions


cdef frozenset PLAIN_MEMBERS = frozenset((
    "TableName", "Item", "Key", "ConditionExpression", "UpdateExpression",
    "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValuesOnConditionCheckFailure"))


def plain_write(Engine engine not None, int kind, dict request not None, dict tables not None,
                programs not None):
    """Make the write of a PutItem, UpdateItem or DeleteItem request that asks for no answer.

    request: of the right JSON types. tables, programs: as of plain_actions. True: it is made;
    False, and nothing was done: it takes a closer look. Raises ConditionalCheckFailed.
    """
    cdef Action action
    cdef list outcomes
    if not PLAIN_MEMBERS.issuperset(request):
        return False
    try:
        action = plain_body(<PyObject*>request, kind, tables, programs)
        if action is None:
            return False
        outcomes = actions_run(engine, [action], None, None, False)
    except Error:
        return False
    if type(outcomes[0]) is tuple:
        return True
    if isinstance(outcomes[0], ConditionalCheckFailed):
        raise outcomes[0]
    return False


cdef frozenset GET_MEMBERS = frozenset(("TableName", "Key", "ConsistentRead"))


def plain_get(dict request not None, dict tables not None):
    """Read the item of a GetItem request that asks for the whole of it.

    request: of the right JSON types. tables: as of plain_actions. Returns what read_item does, or
    None when it takes a closer look.
    """
    cdef PyObject* body = <PyObject*>request
    cdef PyObject* name
    cdef PyObject* key
    cdef PyObject* found
    if not GET_MEMBERS.issuperset(request) or not plainly_named(body):
        return None
    name, key = member_of(body, "TableName"), member_of(body, "Key")
    if name == NULL or key == NULL or not hr_is_exact_text(name):
        return None
    found = PyDict_GetItemWithError(<PyObject*>tables, name)
    if found == NULL:
        return None
    try:
        return read_item((<tuple?><object>found)[1], <object>key)
    except Error:
        return None


def plain_reads(list parts not None, dict tables not None):
    """Return what TransactItems of gets read, as read_all takes it; None: it takes a closer look.

    parts, tables: as of plain_actions. Plain is a part of a table's name and a key.
    """
    cdef list reads = []
    cdef PyObject* get
    cdef PyObject* name
    cdef PyObject* key
    cdef PyObject* found
    for part in list(parts):
        if type(part) is not dict or not plainly_named(<PyObject*>part):
            return None
        get = member_of(<PyObject*>part, "Get")
        if get == NULL or Py_TYPE(get) != &PyDict_Type:
            return None
        if PyDict_GET_SIZE(get) != 2 or not plainly_named(get):
            return None
        name, key = member_of(get, "TableName"), member_of(get, "Key")
        if name == NULL or key == NULL or not hr_is_exact_text(name):
            return None
        found = PyDict_GetItemWithError(<PyObject*>tables, name)
        if found == NULL:
            return None
        reads.append(((<tuple?><object>found)[1], <object>key, None, None))
    return reads


cdef bint is_short(PyObject* text) noexcept:
    return hr_is_exact_text(text) and PyUnicode_GET_LENGTH(text) <= SHORT_LENGTH_MAX


def surely_short(text, names, values):
    """Tell whether a text, all names, and all values of placeholders have at most 256 characters.

    values: in typed form; only strings and numbers are short.
    """
    cdef Py_ssize_t pos = 0
    cdef Py_ssize_t place
    cdef PyObject* name
    cdef PyObject* value
    cdef PyObject* inner
    if not is_short(<PyObject*>text):
        return False
    if names is not None:
        if type(names) is not dict:
            return False
        while PyDict_Next(<PyObject*>names, &pos, &name, &value):
            if not is_short(value):
                return False
    pos = 0
    if values is not None:
        if type(values) is not dict:
            return False
        while PyDict_Next(<PyObject*>values, &pos, &name, &value):
            place = 0
            if (Py_TYPE(value) != &PyDict_Type or PyDict_GET_SIZE(value) != 1
                    or not PyDict_Next(value, &place, &name, &inner)
                    or not hr_is_exact_text(name) or PyUnicode_GET_LENGTH(name) > 4
                    or not is_short(inner)):
                return False
    return True
