"""Leads: the first comparison of a condition, which most records fail, decided in some nanoseconds.

Theory of operation
    A condition that is one comparison of an attribute with a value, or begins with one that must
    hold, fails where that comparison does. `lead_rejects` looks at nothing else: it walks the names
    of the record up to the attribute and compares bytes, with no operands made and no steps run. It
    only ever says that a record fails. Whatever is not plain (a decimal among integers, a long
    string, a name that stands as text, damage) is left to `steps.condition_eval`, which decides
    over every record that is not rejected.

    The walk knows by a value's tag how long it is. `sizes` has, by tag, the bytes of values whose
    tag says it; of the others the bytes before their content, and 256 times the length byte that
    means something else than a length.

Invariants
    1. A record that lead_rejects names fails its condition, or is damaged.
    2. Nothing is read behind a record's end but LEAD_ROOM_BYTES that are known to be there.

Threads
    Kernels on bytes that the caller keeps alive; a lead is constant, and threads may share it.

Format: FORMAT.md, section "Items".
"""

from libc.stdint cimport uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from ddbcore.operand cimport (
    ROLE_ATTRIBUTE, TYPE_L, TYPE_M, TYPE_N, TYPE_S, Field, Operand, operand_integer,
)
from ddbcore.steps cimport (
    OPERAND_KIND, OPERAND_NUMBER, OPERAND_VALUE, STEP_JUMP_IF_FALSE, Step,
)
from ddbcore.value cimport (
    TAG_BINARY, TAG_BINARY_SET, TAG_DECIMAL32, TAG_DECIMAL64, TAG_FALSE,
)

cdef uint16_t SIZES[256]


cdef void sizes_fill() noexcept:
    cdef int tag
    memset(SIZES, 0, sizeof(SIZES))
    for tag in range(TAG_FALSE + 1):
        SIZES[tag] = <uint16_t>(tag + 1) if tag < TAG_SMALL_INT else 1
    for tag in range(TAG_ASCII, TAG_BINARY + 1):
        SIZES[tag] = 0x8002               # the length is a varint
    SIZES[<int>TAG_INT8] = 2
    SIZES[<int>TAG_INT16] = 3
    SIZES[<int>TAG_INT32] = 5
    SIZES[<int>TAG_INT64] = 9
    SIZES[<int>TAG_DECIMAL16] = 4
    SIZES[<int>TAG_DECIMAL32] = 6
    SIZES[<int>TAG_DECIMAL64] = 10
    for tag in range(TAG_NUMBER, TAG_BINARY_SET + 1):
        SIZES[tag] = 0xFF02               # the size field is a byte, or 0xFF and four


sizes_fill()


cdef bint step_leads(const Bound* bound) noexcept:
    """Whether the condition is false where its first step is."""
    cdef uint32_t place = 1
    while place < bound.step_count and bound.steps[place].code == STEP_JUMP_IF_FALSE:
        place = bound.steps[place].a
    return place == bound.step_count


cdef void lead_make(Lead* lead, const Bound* bound) noexcept:
    cdef const Step* step = &bound.steps[0]
    cdef const Field* field
    cdef const Operand* value
    cdef uint32_t index
    memset(lead, 0, sizeof(Lead))
    if bound.step_count == 0 or not step_leads(bound):
        return
    if not (STEP_EQ <= step.code <= STEP_GE or step.code == STEP_BEGINS_WITH):
        return
    if step.a > OPERAND_NUMBER or step.b & OPERAND_KIND != OPERAND_VALUE:
        return
    field = &bound.table.fields[bound.field_of[step.a]]
    value = &bound.values[step.b & OPERAND_NUMBER]
    if field.role != ROLE_ATTRIBUTE or field.name_id < 0 or value.raw == NULL:
        return
    lead.code = step.code
    lead.name = <uint64_t>field.name_id + 1
    if step.code <= STEP_NE:
        if value.type == TYPE_L or value.type == TYPE_M:
            return                        # maps are equal in any order of their entries
        lead.data = value.raw
        lead.size = value.raw_size
        for index in range(8 if lead.size > 8 else <uint32_t>lead.size):
            lead.word |= <uint64_t>lead.data[index] << 8 * index
            lead.mask |= <uint64_t>0xFF << 8 * index
    elif value.type == TYPE_S:
        lead.data = value.data
        lead.size = value.size
    elif value.type == TYPE_N and step.code <= STEP_GE and operand_integer(value, &lead.integer):
        lead.numeric = 1
    else:
        return
    lead.sizes = SIZES
