"""Steps: the bytecode of conditions and updates, checked when it is made; conditions run here.

Theory of operation
    A condition is a list of steps with one truth register: comparisons and functions set it, NOT
    turns it, AND and OR are jumps over what no longer matters. Jumps only go forward, so every run
    ends. An update is a stack machine, which `ddbcore.program` runs, because its arithmetic can
    raise. A nested path is walked when a step needs what it leads to.

Invariants
    1. Steps are checked once (`condition_check`, `update_check`): numbers in range, jumps forward,
       stack balanced. Running trusts them.
    2. A Bound is constant while it is evaluated.

Threads
    Kernels without state or GIL; threads may share a Bound.

Format
    Private to ddbcore and hashrange.expr; steps are never stored.
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from ddbcore.operand cimport (
    TYPE_ABSENT, TYPE_S, fields_find, list_find, map_find, operand_begins_with, operand_contains,
    operand_equal, operand_length, operand_order, type_by_name,
)
from ddbcore.status cimport ERR_CORRUPT, ERR_MEMORY

cdef enum:
    FOUND_ON_STACK = 16                   # attributes of a condition up to here need no allocation


cdef Step* steps_load(bytes code, uint32_t* count) except? NULL:
    cdef Step* steps
    cdef size_t size
    count[0] = 0
    if code is None:
        return NULL
    size = len(code)
    if size == 0 or size % sizeof(Step) != 0 or size // sizeof(Step) > 0xFFFF:
        raise ValueError("steps have 8 bytes each, and there are 1 to 65,535")
    steps = <Step*>malloc(size)
    if steps == NULL:
        raise MemoryError
    memcpy(steps, <const char*>code, size)
    count[0] = <uint32_t>(size // sizeof(Step))
    return steps


# -- evaluation ------------------------------------------------------------------------------------


cdef int path_find(
    const Bound* bound, const Operand* found, uint32_t number, Operand* out,
) noexcept nogil:
    cdef const Path* path = &bound.paths[number]
    cdef const PathElement* element
    cdef Operand parent = found[bound.field_of[path.name]]
    cdef uint32_t index
    cdef int status
    out.type = TYPE_ABSENT
    for index in range(path.start, path.start + path.count):
        element = &bound.elements[index]
        if element.indexed:
            status = list_find(&parent, element.key, out)
        else:
            status = map_find(&parent, &bound.table.fields[element.number], out)
        if status < 0 or out.type == TYPE_ABSENT:
            return status
        parent = out[0]
    return 0


# Operands that take work.
cdef const Operand* operand_make(
    const Bound* bound, const Operand* found, uint16_t operand, Operand* made,
) noexcept nogil:
    cdef uint16_t kind = operand & OPERAND_KIND
    cdef uint16_t number = operand & OPERAND_NUMBER
    cdef Operand part
    if kind == OPERAND_SIZE:
        operand_length(&found[bound.field_of[number]], made)
    elif kind == OPERAND_VALUE_SIZE:
        operand_length(&bound.values[number], made)
    elif kind == OPERAND_PATH:
        if path_find(bound, found, number, made) < 0:
            return NULL
    else:
        if path_find(bound, found, number, &part) < 0:
            return NULL
        operand_length(&part, made)
    return made


cdef inline const Operand* operand_pick(
    const Bound* bound, const Operand* found, uint16_t operand, Operand* made,
) noexcept nogil:
    if operand <= OPERAND_NUMBER:
        return &found[bound.field_of[operand]]
    if operand & OPERAND_KIND == OPERAND_VALUE:
        return &bound.values[operand & OPERAND_NUMBER]
    return operand_make(bound, found, operand, made)


cdef const Operand* operand_of(
    const Bound* bound, const Operand* found, uint16_t operand, Operand* made,
) noexcept nogil:
    return operand_pick(bound, found, operand, made)


cdef int steps_run(const Bound* bound, const Operand* found) noexcept nogil:
    cdef const Step* step
    cdef const Operand* left = NULL
    cdef const Operand* right
    cdef Operand made_left, made_right
    cdef uint32_t place = 0
    cdef uint16_t before = 0
    cdef int truth = 1, order = 0
    cdef uint8_t code
    while place < bound.step_count:
        step = &bound.steps[place]
        place += 1
        code = step.code
        if code == STEP_JUMP_IF_FALSE:
            if not truth:
                place = step.a
            continue
        if code == STEP_JUMP_IF_TRUE:
            if truth:
                place = step.a
            continue
        if code == STEP_NOT:
            truth = not truth
            continue
        # BETWEEN and IN name one operand again and again.
        if left != &made_left or step.a != before:
            left = operand_pick(bound, found, step.a, &made_left)
            before = step.a
        if left == NULL:
            return ERR_CORRUPT
        if code == STEP_EXISTS:
            truth = left.type != TYPE_ABSENT
            continue
        right = operand_pick(bound, found, step.b, &made_right)
        if right == NULL:
            return ERR_CORRUPT
        if code <= STEP_NE:
            truth = operand_equal(left, right)
            if truth < 0:
                return truth
            if code == STEP_NE:
                truth = not truth
        elif code <= STEP_GE:
            truth = operand_order(left, right, &order)
            if truth < 0:
                return truth
            if truth:
                if code == STEP_LT:
                    truth = order < 0
                elif code == STEP_LE:
                    truth = order <= 0
                elif code == STEP_GT:
                    truth = order > 0
                else:
                    truth = order >= 0
        elif code == STEP_BEGINS_WITH:
            truth = operand_begins_with(left, right)
        elif code == STEP_CONTAINS:
            truth = operand_contains(left, right)
            if truth < 0:
                return truth
        else:
            truth = right.type == TYPE_S and left.type != TYPE_ABSENT
            truth = truth and type_by_name(right.data, right.size) == left.type
    return truth


cdef int condition_eval(const Bound* bound, const uint8_t* record, size_t size) noexcept nogil:
    cdef Operand local[FOUND_ON_STACK]
    cdef Operand* found = local
    cdef int status
    if bound.table.count > FOUND_ON_STACK:
        found = <Operand*>malloc(bound.table.count * sizeof(Operand))
        if found == NULL:
            return ERR_MEMORY
    status = fields_find(&bound.table, record, size, found)
    if status == 0:
        status = steps_run(bound, found)
    if found != local:
        free(found)
    return status


# -- checking steps --------------------------------------------------------------------------------


cdef bint operand_valid(uint16_t operand, const SymbolCounts* counts) noexcept nogil:
    cdef uint16_t kind = operand & OPERAND_KIND
    cdef uint16_t number = operand & OPERAND_NUMBER
    if kind == OPERAND_ATTRIBUTE or kind == OPERAND_SIZE:
        return number < counts.names
    if kind == OPERAND_VALUE or kind == OPERAND_VALUE_SIZE:
        return number < counts.values
    return number < counts.paths and (kind == OPERAND_PATH or kind == OPERAND_PATH_SIZE)


cdef bint condition_check(
    const Step* steps, uint32_t count, const SymbolCounts* counts,
) noexcept nogil:
    cdef const Step* step
    cdef uint32_t place
    for place in range(count):
        step = &steps[place]
        if step.code == STEP_NOT:
            continue
        if step.code == STEP_JUMP_IF_FALSE or step.code == STEP_JUMP_IF_TRUE:
            if step.a <= place or step.a > count:
                return 0
            continue
        if step.code < STEP_EQ or step.code > STEP_TYPE:
            return 0
        if not operand_valid(step.a, counts):
            return 0
        if step.code != STEP_EXISTS and not operand_valid(step.b, counts):
            return 0
    return count > 0


# Whether a step that changes something says what, and with what.
cdef bint action_check(
    const Step* step, const SymbolCounts* counts, const Path* paths,
) noexcept nogil:
    if step.a >= counts.names or (step.code >= STEP_ADD_TO and step.b >= counts.values):
        return 0
    return step.c == 0 or (step.c <= counts.paths and paths[step.c - 1].name == step.a)


cdef int64_t update_check(
    const Step* steps, uint32_t count, const SymbolCounts* counts, const Path* paths,
    uint32_t* actions,
) noexcept nogil:
    cdef const Step* step
    cdef uint32_t place
    cdef int64_t depth = 0, deepest = 1
    actions[0] = 0
    for place in range(count):
        step = &steps[place]
        if step.code == STEP_PUSH or step.code == STEP_DEFAULT:
            if step.a & OPERAND_SIZE or not operand_valid(step.a, counts):
                return -1
            if step.code == STEP_PUSH:
                depth += 1
            elif depth < 1:
                return -1
        elif STEP_APPEND <= step.code <= STEP_MINUS:
            depth -= 1
            if depth < 1:
                return -1
        elif STEP_SET <= step.code <= STEP_DELETE_FROM:
            if step.code == STEP_SET:
                depth -= 1
            if depth != 0 or not action_check(step, counts, paths):
                return -1
            actions[0] += 1
        else:
            return -1
        if depth > deepest:
            deepest = depth
    return deepest if depth == 0 and actions[0] > 0 else -1
