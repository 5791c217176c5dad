"""Records of items to JSON text, with no Python values in between.

Theory of operation
    The walk of typed_decoder.pyx, that appends text where that one makes objects. The text is the
    one that json_writer.pyx makes of the item in typed form.

Invariants
    1. Every read is behind a comparison with the limit, counts are compared with the bytes that
       remain, recursion ends at DEPTH_MAX.
    2. No Python code runs, so what the record lies in stays where it is.
    3. Text is copied as it stands: that it is UTF-8 was checked when it was written, and the
       checksums since.

Threads
    With the GIL: names are Python strings.

Format
    FORMAT.md, section "Items".
"""

from libc.stdint cimport int16_t, int32_t, int64_t, int8_t, uint64_t
from libc.string cimport memset

from ddbcore.buffer cimport buffer_free, load_u16, load_u32, load_u64
from ddbcore.decoder cimport Decoder, decoder_open, decoder_raise
from ddbcore.item cimport header_read
from ddbcore.json_writer cimport (
    json_blob_write, json_raw_write, json_text_append, json_utf8_write,
)
from ddbcore.key cimport KeyPart
from ddbcore.names cimport NameTable
from ddbcore.number cimport Number, number_decode, number_key_decode
from ddbcore.pyapi cimport *
from ddbcore.record cimport (
    DEPTH_MAX, RECORD_HEADER_BYTES, RECORD_MOVE, RECORD_PUT, Record,
)
from ddbcore.value cimport *
from ddbcore.words cimport TEXT_BYTES_MAX, magnitude_of, words_print


cdef int fail(const char* damage) except -1:
    cdef Decoder decoder
    decoder.damage = damage
    return decoder_raise(&decoder)


cdef inline int raw(Buffer* out, const char* text, Py_ssize_t size) except -1:
    if json_raw_write(out, text, size) != 0:
        raise MemoryError()
    return 0


# -- scalars ---------------------------------------------------------------------------------------


cdef int digits_append(
    Buffer* out, uint64_t high, uint64_t low, int exponent, bint negative,
) except -1:
    cdef uint8_t text[TEXT_BYTES_MAX + 2]
    cdef int size = words_print(high, low, exponent, negative, text + 1)
    text[0] = 0x22
    text[size + 1] = 0x22
    return raw(out, <const char*>text, size + 2)


# Append the number at *data as a string, and move behind it.
cdef int number_append(Buffer* out, const uint8_t** data, const uint8_t* limit) except -1:
    cdef const uint8_t* here = data[0]
    cdef Number number
    cdef int64_t value
    cdef int size = 0
    if here[0] < TAG_NULL:
        value = here[0] - TAG_SMALL_INT
    elif here[0] <= TAG_INT64:
        size = 1 << (here[0] - TAG_INT8)
        if limit - here <= size:
            return fail("a number")
        if size == 1:
            value = <int8_t>here[1]
        elif size == 2:
            value = <int16_t>load_u16(here + 1)
        elif size == 4:
            value = <int32_t>load_u32(here + 1)
        else:
            value = <int64_t>load_u64(here + 1)
    else:
        size = number_decode(here, limit, &number)
        if size < 0:
            return fail("a number")
        data[0] = here + size
        return digits_append(
            out, number.high, number.low, number.exponent, number.negative != 0)
    data[0] = here + 1 + size
    return digits_append(out, 0, magnitude_of(value), 0, value < 0)


cdef inline bint is_text(uint8_t tag) noexcept:
    return tag < TAG_SMALL_INT or tag == TAG_ASCII or tag == TAG_UTF8


cdef inline bint is_number(uint8_t tag) noexcept:
    return TAG_SMALL_INT <= tag < TAG_NULL or TAG_INT8 <= tag <= TAG_NUMBER


# Append the string or binary at *data, and move behind it.
cdef int text_append(Buffer* out, const uint8_t** data, const uint8_t* limit) except -1:
    cdef const uint8_t* here = data[0]
    cdef uint8_t tag = here[0]
    cdef uint64_t size = tag
    cdef int length = 0
    cdef int status
    if tag >= TAG_SMALL_INT:
        size = varint_read(here + 1, limit, &length)
        if length == 0:
            return fail("the length of a string or binary")
    here += 1 + length
    if size > <uint64_t>(limit - here):
        return fail("a string or binary ends after its surroundings")
    data[0] = here + size
    if tag == TAG_BINARY:
        status = json_blob_write(out, here, size)
    else:
        status = json_utf8_write(out, here, size)
    if status != 0:
        raise MemoryError()
    return 0


# -- lists, sets and maps --------------------------------------------------------------------------


cdef int list_append(
    Buffer* out, NameTable names, const uint8_t* data, const uint8_t* end, int level,
    uint64_t count,
) except -1:
    cdef uint64_t index
    if count > <uint64_t>(end - data):
        return fail("the count of a list")
    raw(out, '{"L":[', 6)
    for index in range(count):
        if index > 0:
            raw(out, ",", 1)
        value_append(out, names, &data, end, level)
    if data != end:
        return fail("a list ends before its surroundings")
    return raw(out, "]}", 2)


cdef int set_append(
    Buffer* out, const uint8_t* data, const uint8_t* end, uint8_t tag, uint64_t count,
) except -1:
    cdef uint64_t index
    cdef uint8_t kind
    if count == 0 or count > <uint64_t>(end - data):
        return fail("the count of a set")
    raw(out, '{"SS":[' if tag == TAG_STRING_SET else '{"NS":[' if tag == TAG_NUMBER_SET
        else '{"BS":[', 7)
    for index in range(count):
        if index > 0:
            raw(out, ",", 1)
        kind = TAG_NULL if data >= end else data[0]
        if tag == TAG_NUMBER_SET and is_number(kind):
            number_append(out, &data, end)
        elif (tag == TAG_STRING_SET and is_text(kind)) or (
            tag == TAG_BINARY_SET and kind == TAG_BINARY
        ):
            text_append(out, &data, end)
        else:
            return fail("a member of a set")
    if data != end:
        return fail("a set ends before its surroundings")
    return raw(out, "]}", 2)


# Append the name at *data and a colon, and move behind it.
cdef int name_append(
    Buffer* out, NameTable names, const uint8_t** data, const uint8_t* limit,
) except -1:
    cdef const uint8_t* here = data[0]
    cdef int length = 0
    cdef uint64_t number = varint_read(here, limit, &length)
    if length == 0 or number > <uint64_t>PyList_GET_SIZE(<PyObject*>names.names):
        return fail("the name of an attribute")
    here += length
    if number > 0:
        data[0] = here
        json_text_append(out, PyList_GET_ITEM(<PyObject*>names.names, number - 1))
        return raw(out, ":", 1)
    number = varint_read(here, limit, &length)
    here += length
    if length == 0 or number == 0 or number > <uint64_t>(limit - here):
        return fail("the name of an attribute")
    data[0] = here + number
    if json_utf8_write(out, here, number) != 0:
        raise MemoryError()
    return raw(out, ":", 1)


# Append `count` names and values that fill data..limit, with commas between them.
cdef int entries_append(
    Buffer* out, NameTable names, const uint8_t* data, const uint8_t* limit, int level,
    uint64_t count,
) except -1:
    cdef uint64_t index
    for index in range(count):
        if index > 0:
            raw(out, ",", 1)
        name_append(out, names, &data, limit)
        value_append(out, names, &data, limit, level)
    if data != limit:
        return fail("attributes end before their surroundings")
    return 0


cdef int container_append(
    Buffer* out, NameTable names, const uint8_t** data, const uint8_t* limit, int level,
) except -1:
    cdef uint8_t tag = data[0][0]
    cdef const uint8_t* content = NULL
    cdef const uint8_t* end = content_read(data[0] + 1, limit, &content)
    cdef uint64_t count
    cdef int length
    if end == NULL:
        return fail("a container ends after its surroundings")
    count = varint_read(content, end, &length)
    if length == 0:
        return fail("the count of a container")
    content += length
    data[0] = end
    if tag >= TAG_STRING_SET:
        return set_append(out, content, end, tag, count)
    if level >= DEPTH_MAX and count > 0:
        return fail("nesting is too deep")
    if tag == TAG_LIST:
        return list_append(out, names, content, end, level + 1, count)
    raw(out, '{"M":{', 6)
    entries_append(out, names, content, end, level + 1, count)
    return raw(out, "}}", 2)


# Append the attribute value at *data, and move behind it.
cdef int value_append(
    Buffer* out, NameTable names, const uint8_t** data, const uint8_t* limit, int level,
) except -1:
    cdef uint8_t tag
    if data[0] >= limit:
        return fail("a value is missing")
    tag = data[0][0]
    if is_text(tag):
        raw(out, '{"S":', 5)
        text_append(out, data, limit)
    elif is_number(tag):
        raw(out, '{"N":', 5)
        number_append(out, data, limit)
    elif tag == TAG_BINARY:
        raw(out, '{"B":', 5)
        text_append(out, data, limit)
    elif tag == TAG_NULL:
        data[0] += 1
        raw(out, '{"NULL":true', 12)
    elif tag <= TAG_FALSE:
        data[0] += 1
        if tag == TAG_TRUE:
            raw(out, '{"BOOL":true', 12)
        else:
            raw(out, '{"BOOL":false', 13)
    elif tag <= TAG_BINARY_SET:
        return container_append(out, names, data, limit, level)
    else:
        return fail("a tag that no value has")
    return raw(out, "}", 1)


# -- records ---------------------------------------------------------------------------------------


# Append a key attribute: its name and its value.
cdef int key_append(
    Buffer* out, const KeyPart* part, const uint8_t* data, size_t size,
) except -1:
    cdef Number number
    cdef int status = 0
    if size == 0:
        return fail("a key is missing")
    json_text_append(out, part.name)
    if part.kind == 0x53:
        raw(out, ':{"S":', 6)
        status = json_utf8_write(out, data, size)
    elif part.kind == 0x42:
        raw(out, ':{"B":', 6)
        status = json_blob_write(out, data, size)
    else:
        if number_key_decode(data, size, &number) != 0:
            return fail("a number in a key")
        raw(out, ':{"N":', 6)
        digits_append(out, number.high, number.low, number.exponent, number.negative != 0)
    if status != 0:
        raise MemoryError()
    return raw(out, "}", 1)


cdef int json_item_append(
    ItemCodec codec, const uint8_t* record, size_t size, Buffer* out,
) except -1:
    cdef Decoder decoder
    cdef Record header
    cdef const uint8_t* data
    cdef const uint8_t* end
    cdef uint64_t count
    cdef int length = 0
    decoder_open(&decoder, &codec.memory)
    data = header_read(&decoder, record, size, &header)
    if data == NULL:
        return decoder_raise(&decoder)
    end = record + header.size_bytes
    if header.kind != RECORD_PUT and header.kind != RECORD_MOVE:
        return fail("the kind of the record")
    count = varint_read(data, end, &length)
    if length == 0 or count > <uint64_t>(end - data) // 2:
        return fail("the count of attributes")
    if (header.range_size != 0) != (codec.range_part.name != NULL):
        return fail("the range key")
    raw(out, "{", 1)
    key_append(out, &codec.hash_part, record + RECORD_HEADER_BYTES, header.hash_size)
    if header.range_size:
        raw(out, ",", 1)
        key_append(out, &codec.range_part, record + RECORD_HEADER_BYTES + header.hash_size,
                   header.range_size)
    if count > 0:
        raw(out, ",", 1)
    entries_append(out, codec.names, data + length, end, 1, count)
    return raw(out, "}", 1)


def item_text(ItemCodec codec not None, bytes record not None):
    """Return the JSON text of a record's item."""
    cdef Buffer out
    memset(&out, 0, sizeof(Buffer))
    try:
        json_item_append(
            codec, <const uint8_t*>PyBytes_AS_STRING(<PyObject*>record), len(record), &out)
        return (<const char*>out.data)[:out.size]
    finally:
        buffer_free(&out)
