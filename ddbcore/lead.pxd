"""Leads: the first comparison of a condition, which most records fail, decided in some nanoseconds.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp

from ddbcore.buffer cimport load_u16, load_u32, load_u64
from ddbcore.record cimport RECORD_HEADER_BYTES, Record
from ddbcore.steps cimport (
    STEP_BEGINS_WITH, STEP_EQ, STEP_GE, STEP_GT, STEP_LE, STEP_LT, STEP_NE, Bound,
)
from ddbcore.value cimport (
    TAG_ASCII, TAG_DECIMAL16, TAG_INT16, TAG_INT32, TAG_INT64, TAG_INT8, TAG_NULL, TAG_NUMBER,
    TAG_SMALL_INT, TAG_UTF8, value_skip,
)

cdef enum:
    LEAD_ROOM_BYTES = 16                  # that may be read behind a record


cdef struct Lead:
    # What the condition asks of one attribute before all else. Borrows from its Bound.
    const uint16_t* sizes                 # by tag; see lead.pyx. NULL: there is no lead
    uint64_t name                         # id of the attribute's name, plus 1
    const uint8_t* data                   # encoded value; of an S that is ordered: its bytes
    size_t size                           # bytes there
    uint64_t word                         # the first of them
    uint64_t mask                         # of those of the word that count
    int64_t integer                       # of an N that is ordered
    uint8_t code                          # StepCode
    uint8_t numeric


# Make the lead of a condition; lead.sizes stays NULL when it has none.
cdef void lead_make(Lead* lead, const Bound* bound) noexcept


# Whether a value is known to fail the lead.
cdef inline bint lead_refuses(
    const Lead* lead, const uint8_t* value, const uint8_t* limit,
) noexcept nogil:
    cdef uint8_t tag = value[0]
    cdef int64_t number
    cdef size_t size
    cdef int order
    if lead.code <= STEP_NE:
        # Values that are equal have equal bytes, and no encoding is the beginning of another.
        if (load_u64(value) & lead.mask) != lead.word:
            return lead.code == STEP_EQ
        if lead.size <= 8:
            return lead.code == STEP_NE
        if <size_t>(limit - value) < lead.size:
            return False
        return (memcmp(value, lead.data, lead.size) == 0) == (lead.code == STEP_NE)
    if lead.numeric:
        if tag < TAG_SMALL_INT:
            return True
        if tag < TAG_NULL:
            number = tag - TAG_SMALL_INT
        elif tag == TAG_INT8:
            number = <signed char>value[1]
        elif tag == TAG_INT16:
            number = <short>load_u16(value + 1)
        elif tag == TAG_INT32:
            number = <int>load_u32(value + 1)
        elif tag == TAG_INT64:
            number = <int64_t>load_u64(value + 1)
        else:
            return tag < TAG_DECIMAL16 or tag > TAG_NUMBER
        order = (number > lead.integer) - (number < lead.integer)
    else:
        if tag >= TAG_SMALL_INT:
            return tag != TAG_ASCII and tag != TAG_UTF8
        size = tag
        if <size_t>(limit - value) <= size:
            return False
        if lead.code == STEP_BEGINS_WITH:
            return size < lead.size or memcmp(value + 1, lead.data, lead.size) != 0
        order = memcmp(value + 1, lead.data, size if size < lead.size else lead.size)
        if order == 0:
            order = (size > lead.size) - (size < lead.size)
    if lead.code == STEP_LT:
        return order >= 0
    if lead.code == STEP_LE:
        return order > 0
    if lead.code == STEP_GT:
        return order <= 0
    if lead.code == STEP_GE:
        return order < 0
    return False


# Whether a record is known to fail the condition. False says nothing: condition_eval decides, and
# tells damage. `room`: bytes mapped from its start on, its header among them.
cdef inline bint lead_rejects(
    const Lead* lead, const uint8_t* record, uint64_t room,
) noexcept nogil:
    cdef const Record* header = <const Record*>record
    cdef const uint8_t* limit = record + header.size_bytes
    cdef const uint8_t* data = (record + RECORD_HEADER_BYTES + header.hash_size
                                + header.range_size)
    cdef uint64_t name
    cdef uint32_t size, count
    cdef int64_t skipped
    if <uint64_t>header.size_bytes + LEAD_ROOM_BYTES > room or data >= limit or data[0] >= 0x80:
        return False
    count = data[0]
    data += 1
    while count > 0:
        count -= 1
        if data >= limit:
            return False
        name = data[0]
        data += 1
        if name >= 0x80:
            if data[0] >= 0x80:
                return False
            name = (name & 0x7F) | <uint64_t>data[0] << 7
            data += 1
        if name == lead.name:
            return data < limit and lead_refuses(lead, data, limit)
        if name == 0:
            return False                  # a name as text
        size = lead.sizes[data[0]]
        if size < 0x100:
            if size == 0:
                return False
            data += size
        elif data[1] < size >> 8:
            data += (size & 0xFF) + data[1]
        else:
            skipped = value_skip(data, limit)
            if skipped < 0:
                return False
            data += skipped
    return data <= limit and lead.code != STEP_NE
