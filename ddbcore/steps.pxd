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
    # These change an attribute: a is a name's number, b a value's.
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
    OPERAND_KIND = 0xE000
    OPERAND_NUMBER = 0x1FFF


cdef struct Step:
    uint8_t code
    uint8_t zero
    uint16_t a
    uint16_t b
    uint16_t c


cdef struct Bound:
    # A condition with its names and values filled in. Constant while it is evaluated: threads may
    # share it.
    const Step* steps                     # borrowed from the program
    uint32_t step_count
    FieldTable table
    const uint16_t* field_of              # by number of the name
    const Operand* values                 # by number of the value


# Evaluate over one record (NULL: absent item): 1, 0, ERR_CORRUPT or ERR_MEMORY.
cdef int condition_eval(const Bound* bound, const uint8_t* record, size_t size) noexcept nogil
# Run a condition on attributes already found: 1, 0, ERR_CORRUPT or ERR_MEMORY.
cdef int steps_run(const Bound* bound, const Operand* found) noexcept nogil
# The operand that a step names; sizes are computed into *made.
cdef const Operand* operand_of(
    const Bound* bound, const Operand* found, uint16_t operand, Operand* made,
) noexcept nogil
# Copy steps from bytes; NULL for None. The caller frees them. Raises ValueError.
cdef Step* steps_load(bytes code, uint32_t* count) except? NULL
# 1 when the steps of a condition are sound, else 0.
cdef bint condition_check(
    const Step* steps, uint32_t count, uint32_t name_count, uint32_t value_count,
) noexcept nogil
# The deepest stack of an update, or -1 when its steps are not sound. *actions: how many attributes
# it changes.
cdef int64_t update_check(
    const Step* steps, uint32_t count, uint32_t name_count, uint32_t value_count, uint32_t* actions,
) noexcept nogil
