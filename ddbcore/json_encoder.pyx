"""Items of plain PutItem requests: from JSON text to a record, without objects.

Theory of operation
    The walk of typed_encoder.pyx over JSON text instead of dicts: values are encoded where they are
    met, into a block that is put behind the keys at the end. It knows what most items are made of:
    strings without escapes, numbers, small sets, lists and maps, under names that the table has
    seen before. Whatever else the text is, it is left to those who can read all of JSON and have
    words for what is wrong: nothing is refused here.

Invariants
    1. Every read is behind a comparison with the end; recursion ends at PLAIN_LEVELS_MAX.
    2. What is appended is what typed_item_append appends for the same item.
    3. No Python code runs, but for an exception.

Threads
    With the GIL.

Format
    FORMAT.md, section "Items".
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memmove, memset

from ddbcore.buffer cimport buffer_free, buffer_reserve, store_u32
from ddbcore.json_keys cimport part_is_called, parts_append, plain_put_read
from ddbcore.json_reader cimport json_name_known
from ddbcore.json_text cimport (
    PlainText, base64_read, blanks_skip, letter_take, plain_skip, text_take,
)
from ddbcore.key cimport KeyPart
from ddbcore.members cimport Member, members_close
from ddbcore.names cimport name_find
from ddbcore.number cimport Number, number_encode, number_parse, number_size
from ddbcore.pyapi cimport *
from ddbcore.record cimport ITEM_SIZE_MAX, RECORD_PUT, RECORD_SIZE_MAX, Record
from ddbcore.value cimport *

cdef enum:
    NUMBER_BYTES_MAX = 24
    HEAD_BYTES_MAX = 8                    # of a string: tag and length


cdef inline int room(Buffer* out, size_t extra) except -1:
    if buffer_reserve(out, extra) != 0:
        raise MemoryError()
    return 0


cdef inline bint take(Plain* plain, uint8_t letter) noexcept nogil:
    cdef const uint8_t* here = letter_take(plain.here, plain.end, letter)
    if here == NULL:
        return False
    plain.here = here
    return True


# Whether `letter` comes next, which is not taken.
cdef inline bint is_next(Plain* plain, uint8_t letter) noexcept nogil:
    plain.here = blanks_skip(plain.here, plain.end)
    return plain.here < plain.end and plain.here[0] == letter


cdef inline bint take_text(Plain* plain, PlainText* text) noexcept nogil:
    cdef const uint8_t* here = text_take(plain.here, plain.end, text)
    if here == NULL:
        return False
    plain.here = here
    return True


cdef inline bint take_word(Plain* plain, const char* word, Py_ssize_t size) noexcept nogil:
    plain.here = blanks_skip(plain.here, plain.end)
    if plain.end - plain.here < size or memcmp(plain.here, word, size) != 0:
        return False
    plain.here += size
    return True


# -- scalars ---------------------------------------------------------------------------------------
# The functions below return 1, or 0 when the text is not plain.


cdef int string_put(Plain* plain) except -1:
    cdef const uint8_t* text = letter_take(plain.here, plain.end, 0x22)
    cdef const uint8_t* last
    cdef uint8_t* target
    cdef Py_ssize_t size
    cdef bint is_ascii = True
    if text == NULL:
        return 0
    last = plain_skip(text, plain.end)
    while last < plain.end and last[0] >= 0x80:
        is_ascii = False
        last = plain_skip(last + 1, plain.end)
    if last == plain.end or last[0] != 0x22:
        return 0
    size = last - text
    if not is_ascii and text_check(text, size) != TEXT_UTF8:
        return 0
    room(plain.out, size + HEAD_BYTES_MAX)
    target = plain.out.data + plain.out.size
    if is_ascii and size < TAG_SMALL_INT:
        target[0] = <uint8_t>size
        target += 1
    else:
        target[0] = TAG_ASCII if is_ascii else TAG_UTF8
        target += 1 + varint_write(target + 1, size)
    memcpy(target, text, size)
    plain.out.size = target + size - plain.out.data
    plain.item_size += size
    plain.here = last + 1
    return 1


cdef int number_put(Plain* plain) except -1:
    cdef PlainText text
    cdef Number number
    if not take_text(plain, &text):
        return 0
    number_parse(text.data, text.size, &number)
    room(plain.out, NUMBER_BYTES_MAX)
    plain.out.size += number_encode(&number, plain.out.data + plain.out.size)
    plain.item_size += number_size(&number)
    return 1


cdef int binary_put(Plain* plain) except -1:
    cdef PlainText text
    cdef uint8_t* target
    cdef Py_ssize_t size
    cdef int head
    if not take_text(plain, &text):
        return 0
    room(plain.out, text.size + HEAD_BYTES_MAX)
    target = plain.out.data + plain.out.size
    size = base64_read(text.data, text.size, target + HEAD_BYTES_MAX)
    if size < 0:
        return 0
    target[0] = TAG_BINARY
    head = 1 + varint_write(target + 1, size)
    memmove(target + head, target + HEAD_BYTES_MAX, size)
    plain.out.size += head + size
    plain.item_size += size
    return 1


cdef int tag_put(Plain* plain, uint8_t tag) except -1:
    room(plain.out, 1)
    plain.out.data[plain.out.size] = tag
    plain.out.size += 1
    plain.item_size += 1
    return 1


# -- sets, lists and maps --------------------------------------------------------------------------


cdef int set_put(Plain* plain, uint8_t tag) except -1:
    cdef Member members[2 * PLAIN_MEMBERS_MAX]
    cdef uint8_t scratch[PLAIN_SET_BYTES_MAX]
    cdef Buffer* out = plain.out
    cdef size_t start = out.size
    cdef size_t before
    cdef size_t count = 0
    cdef int status
    if not take(plain, 0x5B):
        return 0
    while True:
        if count == PLAIN_MEMBERS_MAX:
            return 0
        before = out.size
        if tag == TAG_STRING_SET:
            status = string_put(plain)
        elif tag == TAG_NUMBER_SET:
            status = number_put(plain)
        else:
            status = binary_put(plain)
        if status == 0:
            return 0
        members[count].size = <uint32_t>(out.size - before)
        count += 1
        if not take(plain, 0x2C):
            break
    if not take(plain, 0x5D) or out.size - start > PLAIN_SET_BYTES_MAX:
        return 0
    room(out, CONTAINER_HEAD_MAX)
    if members_close(out, tag, start, members, count, scratch) != 0:
        return 0
    return members_left(out, start) == count


# How many members the set at `start`, which ends with the buffer, has.
cdef inline uint64_t members_left(Buffer* out, size_t start) noexcept:
    cdef const uint8_t* limit = out.data + out.size
    cdef const uint8_t* content = NULL
    cdef int length
    content_read(out.data + start + 1, limit, &content)
    return varint_read(content, limit, &length)


# Begin a list or map: its tag, and room for a size and a count of one byte each.
cdef size_t container_begin(Plain* plain, uint8_t tag) except? 0:
    cdef Buffer* out = plain.out
    room(out, CONTAINER_HEAD_MAX)
    out.data[out.size] = tag
    out.size += 3
    return out.size - 2


# End it: `start` is where the size stands.
cdef int container_end(Plain* plain, size_t start, int count) except -1:
    cdef Buffer* out = plain.out
    cdef size_t size = out.size - start - 1
    out.data[start + 1] = <uint8_t>count
    plain.item_size += 3 + count
    if size < 0xFF:
        out.data[start] = <uint8_t>size
        return 1
    room(out, 4)
    memmove(out.data + start + 5, out.data + start + 1, size)
    out.data[start] = 0xFF
    store_u32(out.data + start + 1, <uint32_t>size)
    out.size += 4
    return 1


cdef int list_put(Plain* plain, NameTable names, JsonReader reader, int level) except -1:
    cdef size_t start
    cdef int count = 0
    if not take(plain, 0x5B):
        return 0
    start = container_begin(plain, TAG_LIST)
    if is_next(plain, 0x5D):
        plain.here += 1
        return container_end(plain, start, 0)
    while count < PLAIN_ENTRIES_MAX:
        if value_put(plain, names, reader, level) == 0:
            return 0
        count += 1
        if not take(plain, 0x2C):
            return container_end(plain, start, count) if take(plain, 0x5D) else 0
    return 0


# Append the name that comes next; its id goes among the `count` ones that were there. 0 also for
# one that was.
cdef int name_put(
    Plain* plain, NameTable names, JsonReader reader, const PlainText* text, uint32_t* ids,
    int count,
) except -1:
    cdef PyObject* name = json_name_known(reader, text.data, text.size)
    cdef int64_t name_id
    cdef int index
    if name == NULL or text.size == 0:
        return 0
    name_id = name_find(names, name)
    if name_id < 0:
        return 0
    for index in range(count):
        if ids[index] == <uint32_t>name_id:
            return 0
    ids[count] = <uint32_t>name_id
    room(plain.out, 5)
    plain.out.size += varint_write(plain.out.data + plain.out.size, name_id + 1)
    plain.item_size += names.sizes[name_id]
    return 1


cdef int map_put(Plain* plain, NameTable names, JsonReader reader, int level) except -1:
    cdef uint32_t ids[PLAIN_ENTRIES_MAX]
    cdef PlainText name
    cdef size_t start
    cdef int count = 0
    if not take(plain, 0x7B):
        return 0
    start = container_begin(plain, TAG_MAP)
    if is_next(plain, 0x7D):
        plain.here += 1
        return container_end(plain, start, 0)
    while count < PLAIN_ENTRIES_MAX:
        if (not take_text(plain, &name) or not take(plain, 0x3A)
                or name_put(plain, names, reader, &name, ids, count) == 0
                or value_put(plain, names, reader, level) == 0):
            return 0
        count += 1
        if not take(plain, 0x2C):
            return container_end(plain, start, count) if take(plain, 0x7D) else 0
    return 0


# -- values and items ------------------------------------------------------------------------------


# Append what stands behind the tag of an attribute value.
cdef int content_put(
    Plain* plain, NameTable names, JsonReader reader, const PlainText* tag, int level,
) except -1:
    cdef uint8_t letter = tag.data[0]
    if tag.size == 1:
        if letter == 0x53:
            return string_put(plain)
        if letter == 0x4E:
            return number_put(plain)
        if letter == 0x42:
            return binary_put(plain)
        if level >= PLAIN_LEVELS_MAX:
            return 0
        if letter == 0x4D:
            return map_put(plain, names, reader, level + 1)
        return list_put(plain, names, reader, level + 1) if letter == 0x4C else 0
    if tag.size == 2 and tag.data[1] == 0x53:
        if letter == 0x53:
            return set_put(plain, TAG_STRING_SET)
        if letter == 0x4E:
            return set_put(plain, TAG_NUMBER_SET)
        return set_put(plain, TAG_BINARY_SET) if letter == 0x42 else 0
    if tag.size == 4 and memcmp(tag.data, <const char*>"BOOL", 4) == 0:
        if take_word(plain, "true", 4):
            return tag_put(plain, TAG_TRUE)
        return tag_put(plain, TAG_FALSE) if take_word(plain, "false", 5) else 0
    if tag.size == 4 and memcmp(tag.data, <const char*>"NULL", 4) == 0:
        return tag_put(plain, TAG_NULL) if take_word(plain, "true", 4) else 0
    return 0


# Append the attribute value that comes next.
cdef int value_put(Plain* plain, NameTable names, JsonReader reader, int level) except -1:
    cdef PlainText tag
    if (not take(plain, 0x7B) or not take_text(plain, &tag) or tag.size == 0
            or not take(plain, 0x3A)
            or content_put(plain, names, reader, &tag, level) == 0):
        return 0
    return take(plain, 0x7D)


# The value of a key attribute: {"S": text}.
cdef bint key_take(Plain* plain, const KeyPart* part, PlainText* text) noexcept nogil:
    cdef PlainText tag
    return (text.data == NULL and take(plain, 0x7B) and take_text(plain, &tag) and tag.size == 1
            and tag.data[0] == part.kind and take(plain, 0x3A) and take_text(plain, text)
            and take(plain, 0x7D))


# Append the attributes that are no keys, and find those that are. Returns how many were appended,
# or -2 when the text is not plain.
cdef int attributes_put(
    Plain* plain, ItemCodec codec, JsonReader reader, PlainText* values,
) except -1:
    cdef uint32_t ids[PLAIN_ENTRIES_MAX]
    cdef PlainText name
    cdef int count = 0
    if not take(plain, 0x7B):
        return -2
    while count < PLAIN_ENTRIES_MAX:
        if not take_text(plain, &name) or not take(plain, 0x3A):
            return -2
        if part_is_called(&codec.hash_part, &name):
            if not key_take(plain, &codec.hash_part, &values[0]):
                return -2
        elif part_is_called(&codec.range_part, &name):
            if not key_take(plain, &codec.range_part, &values[1]):
                return -2
        elif (name_put(plain, codec.names, reader, &name, ids, count) == 0
                or value_put(plain, codec.names, reader, 1) == 0):
            return -2
        else:
            count += 1
        if not take(plain, 0x2C):
            return count if take(plain, 0x7D) else -2
    return -2


cdef int plain_item_append(
    ItemCodec codec, JsonReader reader, const uint8_t* text, const uint8_t* end, Buffer* out,
    Buffer* block,
) except -1:
    cdef PlainText values[2]
    cdef Plain plain
    cdef Record header
    cdef size_t start = out.size
    cdef int count
    values[0].data = values[1].data = NULL
    block.size = 0
    plain.here = text
    plain.end = end
    plain.out = block
    plain.item_size = codec.hash_part.name_size + codec.range_part.name_size
    count = attributes_put(&plain, codec, reader, values)
    if count < 0 or not take(&plain, 0x7D) or blanks_skip(plain.here, end) != end:
        return 0
    if values[0].data == NULL or (codec.range_part.name != NULL and values[1].data == NULL):
        return 0
    if parts_append(codec, values, out, &header, &plain.item_size) == 0:
        return 0
    room(out, block.size + 8)
    out.data[out.size] = <uint8_t>count
    if block.size > 0:                    # of a fresh buffer there is nothing to copy from
        memcpy(out.data + out.size + 1, block.data, block.size)
    out.size += 1 + block.size
    if plain.item_size > ITEM_SIZE_MAX or out.size - start > RECORD_SIZE_MAX:
        return 0
    header.size_bytes = <uint32_t>(out.size - start)
    header.kind = RECORD_PUT
    header.item_size = <uint32_t>plain.item_size
    memcpy(out.data + start, &header, sizeof(Record))
    return 1


def put_item(ItemCodec codec not None, JsonReader reader not None, bytes text not None):
    """Return (table name, record of the item) of a plain PutItem request, or None. For tests."""
    cdef Buffer out, block
    cdef PlainText table
    cdef const uint8_t* start = <const uint8_t*>PyBytes_AS_STRING(<PyObject*>text)
    cdef const uint8_t* here = plain_put_read(start, len(text), &table)
    if here == NULL:
        return None
    memset(&out, 0, sizeof(Buffer))
    memset(&block, 0, sizeof(Buffer))
    try:
        if not plain_item_append(codec, reader, here, start + len(text), &out, &block):
            return None
        return (<const char*>table.data)[:table.size], (<const char*>out.data)[:out.size]
    finally:
        buffer_free(&out)
        buffer_free(&block)
