"""The bodies of plain requests: from JSON text to the record of a key, without objects.

Theory of operation
    Nearly every GetItem is {"TableName": a, "Key": {b: {"S": c}}}, in this order and with strings
    of plain ASCII. Such a text is walked over once, and the key's bytes are appended where they are
    met. Whatever else the text is, it is left to those who can read all of JSON: nothing is refused
    here.

Invariants
    1. Every read is behind a comparison with the end.
    2. What is appended is what typed_key_append appends for the same key.

Threads
    With the GIL; the kernels without.

Format
    FORMAT.md, section "Keys".
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t
from libc.string cimport memcmp, memcpy, memset

from ddbcore.buffer cimport buffer_free, buffer_reserve
from ddbcore.json_text cimport PlainText, base64_read, blanks_skip, letter_take, text_take
from ddbcore.key cimport KeyPart
from ddbcore.number cimport (
    NUMBER_KEY_BYTES_MAX, Number, number_key_encode, number_parse, number_size,
)
from ddbcore.pyapi cimport *
from ddbcore.record cimport (
    RECORD_DELETE, RECORD_HASH_ASCII, RECORD_HEADER_BYTES, RECORD_RANGE_ASCII, Record,
)


# -- requests --------------------------------------------------------------------------------------


# Behind a plain string that is this one; NULL as above.
cdef inline const uint8_t* word_take(
    const uint8_t* here, const uint8_t* end, const char* word, Py_ssize_t size,
) noexcept nogil:
    cdef PlainText text
    here = text_take(here, end, &text)
    if here == NULL or text.size != size or memcmp(text.data, word, size) != 0:
        return NULL
    return here


# Behind {"TableName": table, member:
cdef const uint8_t* plain_read(
    const uint8_t* text, Py_ssize_t size, const char* member, Py_ssize_t member_size,
    PlainText* table,
) noexcept nogil:
    cdef const uint8_t* end = text + size
    cdef const uint8_t* here = letter_take(text, end, 0x7B)
    here = word_take(here, end, "TableName", 9)
    here = letter_take(here, end, 0x3A)
    here = text_take(here, end, table)
    here = letter_take(here, end, 0x2C)
    here = word_take(here, end, member, member_size)
    return letter_take(here, end, 0x3A)


cdef const uint8_t* plain_get_read(
    const uint8_t* text, Py_ssize_t size, PlainText* table,
) noexcept nogil:
    return plain_read(text, size, "Key", 3, table)


cdef const uint8_t* plain_put_read(
    const uint8_t* text, Py_ssize_t size, PlainText* table,
) noexcept nogil:
    return plain_read(text, size, "Item", 4, table)


# Whether nothing but an end of the object follows, or a ConsistentRead and that.
cdef bint is_last(const uint8_t* here, const uint8_t* end) noexcept nogil:
    cdef const uint8_t* more = letter_take(here, end, 0x2C)
    if more != NULL:
        more = word_take(more, end, "ConsistentRead", 14)
        more = letter_take(more, end, 0x3A)
        if more == NULL:
            return False
        more = blanks_skip(more, end)
        if end - more > 4 and memcmp(more, <const char*>"true", 4) == 0:
            here = more + 4
        elif end - more > 5 and memcmp(more, <const char*>"false", 5) == 0:
            here = more + 5
        else:
            return False
    here = letter_take(here, end, 0x7D)
    return here != NULL and blanks_skip(here, end) == end


# -- the key ---------------------------------------------------------------------------------------


cdef bint part_is_called(const KeyPart* part, const PlainText* name) noexcept:
    return (part.name != NULL and hr_text_ascii(part.name) and name.size == part.name_size
            and memcmp(hr_text_data(part.name), name.data, name.size) == 0)


cdef int part_append(
    const KeyPart* part, const PlainText* text, Buffer* out, int64_t* added,
) except -1:
    cdef Py_ssize_t size = text.size
    cdef Number number
    if buffer_reserve(out, size + NUMBER_KEY_BYTES_MAX) != 0:
        raise MemoryError()
    if part.kind == 0x4E:
        number_parse(text.data, size, &number)
        out.size += number_key_encode(&number, out.data + out.size)
        added[0] += number_size(&number)
        return 0
    if part.kind == 0x42:
        size = base64_read(text.data, size, out.data + out.size)
    else:
        memcpy(out.data + out.size, text.data, size)
    if not 0 < size <= part.size_max:
        return -2
    out.size += size
    added[0] += size
    return part.kind == 0x53


cdef int parts_append(
    ItemCodec codec, const PlainText* values, Buffer* out, Record* header, int64_t* added,
) except -1:
    cdef size_t before
    cdef int status
    memset(header, 0, sizeof(Record))
    if buffer_reserve(out, RECORD_HEADER_BYTES) != 0:
        raise MemoryError()
    out.size += RECORD_HEADER_BYTES
    before = out.size
    status = part_append(&codec.hash_part, &values[0], out, added)
    if status == -2:
        return 0
    header.hash_size = <uint16_t>(out.size - before)
    header.flags = RECORD_HASH_ASCII if status == 1 else 0
    if codec.range_part.name != NULL:
        before = out.size
        status = part_append(&codec.range_part, &values[1], out, added)
        if status == -2:
            return 0
        header.range_size = <uint16_t>(out.size - before)
        if status == 1:
            header.flags |= RECORD_RANGE_ASCII
    return 1


cdef int plain_key_append(
    ItemCodec codec, const uint8_t* text, const uint8_t* end, Buffer* out,
) except -1:
    cdef const KeyPart* parts[2]
    cdef PlainText values[2]
    cdef PlainText name
    cdef PlainText kind
    cdef Record header
    cdef size_t start = out.size
    cdef int64_t size = 0
    cdef int count = 2 if codec.range_part.name != NULL else 1
    cdef int taken = 0
    cdef int index
    parts[0] = &codec.hash_part
    parts[1] = &codec.range_part
    values[0].data = values[1].data = NULL
    text = letter_take(text, end, 0x7B)
    while taken < count:
        if taken > 0:
            text = letter_take(text, end, 0x2C)
        text = text_take(text, end, &name)
        if text == NULL:
            return 0
        index = 0 if part_is_called(parts[0], &name) else 1
        if (index == 1 and not part_is_called(parts[1], &name)) or values[index].data != NULL:
            return 0
        text = letter_take(text, end, 0x3A)
        text = letter_take(text, end, 0x7B)
        text = text_take(text, end, &kind)
        text = letter_take(text, end, 0x3A)
        text = text_take(text, end, &values[index])
        text = letter_take(text, end, 0x7D)
        if text == NULL or kind.size != 1 or kind.data[0] != parts[index].kind:
            return 0
        taken += 1
    text = letter_take(text, end, 0x7D)
    if text == NULL or not is_last(text, end):
        return 0
    if parts_append(codec, values, out, &header, &size) == 0:
        return 0
    header.size_bytes = <uint32_t>(out.size - start)
    header.kind = RECORD_DELETE
    memcpy(out.data + start, &header, sizeof(Record))
    return 1


def get_key(ItemCodec codec not None, bytes text not None):
    """Return (table name, record of the key) of a plain GetItem request, or None. For tests."""
    cdef Buffer out
    cdef PlainText table
    cdef const uint8_t* start = <const uint8_t*>PyBytes_AS_STRING(<PyObject*>text)
    cdef const uint8_t* here = plain_get_read(start, len(text), &table)
    if here == NULL:
        return None
    memset(&out, 0, sizeof(Buffer))
    try:
        if not plain_key_append(codec, here, start + len(text), &out):
            return None
        return (<const char*>table.data)[:table.size], (<const char*>out.data)[:out.size]
    finally:
        buffer_free(&out)
