"""Steps: the bytecode of conditions and updates.

Made by hashrange.expr, private to it and ddbcore.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from ddbcore.operand cimport FieldTable, Operand

cpdef enum:
    # A step of a condition sets or reads the truth register. a and b are operands, but for jumps: a
    # is the next step.
    STEP_EQ = 1
    STEP_NE = 2
    STEP_LT = 3
    STEP_LE = 4
    STEP_GT = 5
    STEP_GE = 6
    STEP_EXISTS = 7
    STEP_NOT = 8
    STEP_JUMP_IF_FALSE = 9                # forward only
    STEP_JUMP_IF_TRUE = 10
    STEP_BEGINS_WITH = 11
    STEP_CONTAINS = 12
    STEP_TYPE = 13                        # b: a string such as "NS"
    # A step of an update works on a stack of operands. a is an operand.
    STEP_PUSH = 32
    STEP_DEFAULT = 33                     # a, when it exists, takes the place of the top
    STEP_APPEND = 34                      # two lists become one
    STEP_PLUS = 35
    STEP_MINUS = 36
    # These change an attribute: a is a name's number, b a value's. c is 0, or the number plus 1 of
    # the path below the attribute.
    STEP_SET = 48                         # to the top, which is popped
    STEP_REMOVE = 49
    STEP_ADD_TO = 50
    STEP_DELETE_FROM = 51

cdef enum:
    # An operand in a step: kind in the top three bits, number of the name or value below.
    OPERAND_ATTRIBUTE = 0x0000
    OPERAND_VALUE = 0x2000
    OPERAND_SIZE = 0x4000                 # size() of an attribute
    OPERAND_VALUE_SIZE = 0x6000           # size() of a value
    OPERAND_PATH = 0x8000                 # what a path leads to
    OPERAND_PATH_SIZE = 0xC000
    OPERAND_KIND = 0xE000
    OPERAND_NUMBER = 0x1FFF


cdef struct Step:
    uint8_t code
    uint8_t zero
    uint16_t a
    uint16_t b
    uint16_t c


cdef struct SymbolCounts:
    # What the numbers in steps may refer to.
    uint32_t names
    uint32_t values
    uint32_t paths


cdef struct PathElement:
    # A step down into a document: into the map's entry of this name, or to the list's element.
    int64_t key                           # the index; of a name its id, -1 without one
    uint32_t number                       # of the name; of its field, once bound
    uint8_t indexed                       # 1: of a list


cdef struct Path:
    uint32_t start                        # of its elements
    uint16_t count
    uint16_t name                         # number of the name of the attribute it starts at


cdef struct Bound:
    # A condition with its names and values filled in. Constant while it is evaluated: threads may
    # share it.
    const Step* steps                     # borrowed from the program
    uint32_t step_count
    FieldTable table
    const uint16_t* field_of              # by number of the name
    const Operand* values                 # by number of the value
    const Path* paths                     # borrowed from the program
    const PathElement* elements


# Evaluate over one record (NULL: absent item): 1, 0, ERR_CORRUPT or ERR_MEMORY.
cdef int condition_eval(const Bound* bound, const uint8_t* record, size_t size) noexcept nogil
# Run a condition on attributes already found: 1, 0, ERR_CORRUPT or ERR_MEMORY.
cdef int steps_run(const Bound* bound, const Operand* found) noexcept nogil
# What a path leads to: *out, absent when there is nothing. 0 or ERR_CORRUPT.
cdef int path_find(
    const Bound* bound, const Operand* found, uint32_t number, Operand* out,
) noexcept nogil
# The operand that a step names; sizes and what paths lead to are put into *made. NULL: damage.
cdef const Operand* operand_of(
    const Bound* bound, const Operand* found, uint16_t operand, Operand* made,
) noexcept nogil
# Copy steps from bytes; NULL for None. The caller frees them. Raises ValueError.
cdef Step* steps_load(bytes code, uint32_t* count) except? NULL
# 1 when the steps of a condition are sound, else 0.
cdef bint condition_check(
    const Step* steps, uint32_t count, const SymbolCounts* counts,
) noexcept nogil
# The deepest stack of an update, or -1 when its steps are not sound. *actions: how many attributes
# or parts of them it changes.
cdef int64_t update_check(
    const Step* steps, uint32_t count, const SymbolCounts* counts, const Path* paths,
    uint32_t* actions,
) noexcept nogil
