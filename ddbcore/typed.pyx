"""The typed form, DynamoDB's attribute values as dicts, to records and values and back.

Theory of operation
    As item.pyx, over typed_encoder.pyx and typed_decoder.pyx. The records are the same.

    The happy path stops at the first fault it meets, which need not be the one the service reports:
    there a wrong JSON type anywhere comes before an invalid value, and that before what is wrong
    with a key. So a refusal is looked at again before it leaves (first_fault).

Invariants
    1. A door that appends leaves the buffer as it was when it raises.
    2. What is appended is what item.pyx appends for the same item in native values.

Threads
    With the GIL. Encoding may run Python code (see encoder.pyx).

Format
    FORMAT.md, sections "Items" and "Keys".
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from ddbcore.buffer cimport buffer_free
from ddbcore.decoder cimport Decoder, decoder_fail, decoder_open, decoder_raise
from ddbcore.encoder cimport Encoder, encoder_open, encoder_plain, encoder_text, reserve
from ddbcore.item cimport header_read
from ddbcore.key cimport KeyPart, key_decode
from ddbcore.number cimport (
    NUMBER_KEY_BYTES_MAX, Number, number_key_decode, number_key_encode, number_size,
)
from ddbcore.pyapi cimport *
from ddbcore.record cimport (
    ITEM_SIZE_MAX, RECORD_DELETE, RECORD_HASH_ASCII, RECORD_HEADER_BYTES, RECORD_MOVE, RECORD_PUT,
    RECORD_RANGE_ASCII, RECORD_SIZE_MAX, Record,
)
from ddbcore.typed_decoder cimport tagged, typed_decode, typed_digits, typed_entries
from ddbcore.typed_encoder cimport (
    N, S, refuse, refuse_empty, refuse_misfit, tag_of, typed_blob, typed_block, typed_number,
    typed_value,
)
from ddbcore.value cimport varint_read

from ddbcore import misfits
from ddbcore.errors import ItemTooLarge, SerializationError, ValidationError

cdef str INVALID = "One or more parameter values were invalid: "
cdef dict TAGS = {0x53: "S", 0x4E: "N", 0x42: "B"}


# -- refusals --------------------------------------------------------------------------------------


# Raise what the service finds first, when that is not the error in hand: see the head of the file.
# `fault` was raised while `items`, a map of attributes, was encoded.
cdef int first_fault(ItemCodec codec, object items, object fault) except -1:
    cdef Buffer scratch
    cdef Encoder encoder
    if isinstance(fault, SerializationError):
        return 0
    misfits.check(items)
    if isinstance(fault, ItemTooLarge):
        return 0
    memset(&scratch, 0, sizeof(Buffer))
    encoder_open(&encoder, &scratch)
    try:
        typed_block(&encoder, codec.names, <PyObject*>items, NULL, NULL, 0)
    except ItemTooLarge:
        return 0                          # its size is looked at last
    finally:
        buffer_free(&scratch)
    return 0


cdef object too_large():
    return ItemTooLarge("Item size has exceeded the maximum allowed size")


# -- keys ------------------------------------------------------------------------------------------


# The one member of an attribute value as (tag, content), or (None, None).
cdef tuple member_of(object value):
    cdef list members
    if not isinstance(value, dict):
        return None, None
    members = [
        (tag, content) for tag, content in dict.copy(value).items()
        if content is not None and isinstance(tag, str) and tag in misfits.MEMBERS
    ]
    return members[0] if len(members) == 1 else (None, None)


cdef int refuse_key_type(const KeyPart* part, object value, bint is_schema) except -1:
    cdef object tag = member_of(value)[0]
    # Encoding the value has its own words for what is no attribute value at all.
    if is_schema or tag is None:
        return refuse("The provided key element does not match the schema")
    return refuse(
        f"{INVALID}Type mismatch for key {<str>part.name} expected: {TAGS[part.kind]} actual: {tag}"
    )


cdef int refuse_key_size(const KeyPart* part) except -1:
    if part.is_range:
        return refuse(
            f"{INVALID}Aggregated size of all range keys has exceeded the size limit of"
            f" {part.size_max} bytes"
        )
    # The service has no blank here.
    return refuse(
        f"{INVALID}Size of hashkey has exceeded the maximum size limit of{part.size_max} bytes"
    )


cdef int refuse_key_empty(const KeyPart* part) except -1:
    return refuse(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot"
        f" contain an empty {'string' if part.kind == S else 'binary'} value."
        f" Key: {<str>part.name}"
    )


# Append the bytes of a key attribute, an attribute value that the caller holds; *size grows by its
# DynamoDB size. Returns 1 when it is an ASCII string, else 0. is_schema: a wrong type is a Key that
# does not match the schema.
cdef int key_append(
    const KeyPart* part, PyObject* value, bint is_schema, Buffer* out, int64_t* size,
) except -1:
    cdef PyObject* name = NULL
    cdef PyObject* content = NULL
    cdef Py_ssize_t pos = 0
    cdef tuple member
    if not (
        PyDict_Check(value) and PyDict_GET_SIZE(value) == 1
        and PyDict_Next(value, &pos, &name, &content) and hr_is_exact_text(name)
        and tag_of(name) == part.kind
    ):
        member = member_of(<object>value)
        if member[0] != TAGS[part.kind]:
            return refuse_key_type(part, <object>value, is_schema)
        content = <PyObject*>member[1]
    Py_INCREF(content)
    try:
        return key_content_append(part, content, out, size)
    finally:
        Py_DECREF(content)


cdef int key_content_append(
    const KeyPart* part, PyObject* content, Buffer* out, int64_t* size,
) except -1:
    cdef Py_ssize_t added
    cdef Number number
    cdef bint is_ascii = False
    cdef bytes copy
    if part.kind == N:
        typed_number(content, &number)
        reserve(out, NUMBER_KEY_BYTES_MAX)
        out.size += number_key_encode(&number, out.data + out.size)
        size[0] += number_size(&number)
        return 0
    if part.kind == S:
        if not PyUnicode_Check(content):
            return refuse_misfit(content, "String")
        # A character is a byte at least: what is too long is not copied.
        if PyUnicode_GET_LENGTH(content) > part.size_max:
            return refuse_key_size(part)
        is_ascii = hr_text_ascii(content)
        added = encoder_text(out, content, "a key attribute")
    else:
        copy = typed_blob(content)
        added = len(copy)
        if added > part.size_max:
            return refuse_key_size(part)
        reserve(out, added)
        memcpy(out.data + out.size, PyBytes_AS_STRING(<PyObject*>copy), added)
        out.size += added
    if added > part.size_max:
        return refuse_key_size(part)
    if added == 0:
        return refuse_key_empty(part)
    size[0] += added
    return is_ascii


# The value of a key attribute, or None.
cdef inline object attribute_of(object items, str name):
    cdef PyObject* found = PyDict_GetItemWithError(<PyObject*>items, <PyObject*>name)
    if found != NULL:
        return <object>found
    if PyErr_Occurred() != NULL:
        error_raise()
    return None


# Append room for the header, and the key bytes; *header lacks kind and size of the whole.
cdef int keys_append(
    ItemCodec codec, object hash_value, object range_value, bint is_schema, Buffer* out,
    Record* header, int64_t* size,
) except -1:
    cdef size_t start
    memset(header, 0, sizeof(Record))
    reserve(out, RECORD_HEADER_BYTES)
    out.size += RECORD_HEADER_BYTES
    start = out.size
    if key_append(&codec.hash_part, <PyObject*>hash_value, is_schema, out, size):
        header.flags = RECORD_HASH_ASCII
    header.hash_size = <uint16_t>(out.size - start)
    if codec.range_part.name != NULL:
        start = out.size
        if key_append(&codec.range_part, <PyObject*>range_value, is_schema, out, size):
            header.flags |= RECORD_RANGE_ASCII
        header.range_size = <uint16_t>(out.size - start)
    return 0


# -- doors: encoding -------------------------------------------------------------------------------


# 0, or 1 when the item has names that are no exact str.
cdef int item_append(
    ItemCodec codec, object item, Buffer* out, KeySeen seen, void* context,
) except -1:
    cdef size_t start = out.size
    cdef bint has_range = codec.range_part.name != NULL
    cdef Encoder encoder
    cdef Record header
    cdef object hash_value = attribute_of(item, codec.hash_name)
    cdef object range_value = attribute_of(item, codec.range_name) if has_range else None
    if hash_value is None or (has_range and range_value is None):
        return missing_key(item, codec.hash_name if hash_value is None else codec.range_name)
    encoder_open(&encoder, out)
    keys_append(codec, hash_value, range_value, False, out, &header, &encoder.item_size)
    encoder.item_size += codec.hash_part.name_size + codec.range_part.name_size
    if seen != NULL:
        seen(context, out.data + start + RECORD_HEADER_BYTES, header.hash_size)
    if typed_block(
        &encoder, codec.names, <PyObject*>item, codec.hash_part.name, codec.range_part.name,
        1 + has_range,
    ) != 0:
        return 1
    if encoder.item_size > ITEM_SIZE_MAX or out.size - start > RECORD_SIZE_MAX:
        raise too_large()
    header.size_bytes = <uint32_t>(out.size - start)
    header.kind = RECORD_PUT
    header.item_size = <uint32_t>encoder.item_size
    memcpy(out.data + start, &header, sizeof(Record))
    return 0


# Refuse an item without a key attribute, or return 1 if names that are no exact str may hide it.
cdef int missing_key(object item, str key_name) except -1:
    cdef Py_ssize_t pos = 0
    cdef PyObject* name
    cdef PyObject* value
    while PyDict_Next(<PyObject*>item, &pos, &name, &value):
        if not hr_is_exact_text(name):
            return 1
    if key_name in item:
        return refuse_empty()
    return refuse(f"{INVALID}Missing the key {key_name} in the item")


cdef int typed_item_append(
    ItemCodec codec, object item, Buffer* out, KeySeen seen=NULL, void* context=NULL,
) except -1:
    cdef size_t start = out.size
    try:
        if not isinstance(item, dict):
            refuse_misfit(<PyObject*>item, "Map")
        if item_append(codec, item, out, seen, context) != 0:
            out.size = start
            item = encoder_plain(NULL, item)
            item_append(codec, item, out, NULL, NULL)
    except ValidationError as fault:
        out.size = start
        first_fault(codec, item, fault)
        if isinstance(fault, ItemTooLarge):
            raise too_large() from None
        raise
    except BaseException:
        out.size = start
        raise
    return 0


cdef int key_record_append(ItemCodec codec, object key, Buffer* out) except -1:
    cdef size_t start = out.size
    cdef bint has_range = codec.range_part.name != NULL
    cdef int64_t size = 0
    cdef Record header
    cdef object hash_value = attribute_of(key, codec.hash_name)
    cdef object range_value = attribute_of(key, codec.range_name) if has_range else None
    if (
        hash_value is None or (has_range and range_value is None)
        or PyDict_GET_SIZE(<PyObject*>key) != 1 + has_range
    ):
        return refuse("The provided key element does not match the schema")
    keys_append(codec, hash_value, range_value, True, out, &header, &size)
    header.size_bytes = <uint32_t>(out.size - start)
    header.kind = RECORD_DELETE
    memcpy(out.data + start, &header, sizeof(Record))
    return 0


cdef int typed_key_append(ItemCodec codec, object key, Buffer* out) except -1:
    cdef size_t start = out.size
    try:
        if not isinstance(key, dict):
            refuse_misfit(<PyObject*>key, "Map")
        key_record_append(codec, key, out)
    except ValidationError as fault:
        out.size = start
        first_fault(codec, key, fault)
        raise
    except BaseException:
        out.size = start
        raise
    return 0


cdef int typed_value_append(ItemCodec codec, object value, Buffer* out) except -1:
    cdef size_t start = out.size
    cdef Encoder encoder
    encoder_open(&encoder, out)
    try:
        typed_value(&encoder, codec.names, <PyObject*>value)
        if encoder.item_size > ITEM_SIZE_MAX or out.size - start > RECORD_SIZE_MAX:
            raise too_large()
    except ValidationError as fault:
        out.size = start
        if not isinstance(fault, SerializationError):
            misfits.check(value, "AttributeValue")
        if isinstance(fault, ItemTooLarge):
            raise too_large() from None
        raise
    except BaseException:
        out.size = start
        raise
    return 0


# -- decoding --------------------------------------------------------------------------------------


# The key attribute of key bytes as an attribute value: a new reference, or NULL.
cdef PyObject* key_value_decode(
    Decoder* decoder, const KeyPart* part, bint is_ascii, const uint8_t* data, size_t size,
) noexcept:
    cdef Number number
    if part.kind == S:
        return tagged("S", key_decode(decoder, part, is_ascii, data, size))
    if part.kind != N:
        return tagged("B", key_decode(decoder, part, is_ascii, data, size))
    if number_key_decode(data, size, &number) != 0:
        return decoder_fail(decoder, "a number in a key")
    return tagged("N", typed_digits(decoder, &number))


# The key attributes of a record: new references; values[1] is NULL where the table has no range
# key. 0, or -1.
cdef int keys_decode(
    ItemCodec codec, Decoder* decoder, const uint8_t* record, const Record* header,
    PyObject** values,
) noexcept:
    cdef const uint8_t* data = record + RECORD_HEADER_BYTES
    values[1] = NULL
    if (header.range_size != 0) != (codec.range_part.name != NULL):
        decoder.damage = "the range key"
        return -1
    values[0] = key_value_decode(
        decoder, &codec.hash_part, header.flags & RECORD_HASH_ASCII, data, header.hash_size,
    )
    if values[0] == NULL:
        return -1
    if header.range_size:
        data += header.hash_size
        values[1] = key_value_decode(
            decoder, &codec.range_part, header.flags & RECORD_RANGE_ASCII, data, header.range_size,
        )
        if values[1] == NULL:
            Py_DECREF(values[0])
            return -1
    return 0


cdef PyObject* record_decode(
    ItemCodec codec, Decoder* decoder, const uint8_t* record, size_t size, bint key_only,
) noexcept:
    cdef Record header
    cdef PyObject* values[2]
    cdef const uint8_t* data = header_read(decoder, record, size, &header)
    cdef const uint8_t* end
    cdef uint64_t count = 0
    cdef int length = 0
    if data == NULL:
        return NULL
    end = record + header.size_bytes
    if key_only:
        end = data
    else:
        if header.kind != RECORD_PUT and header.kind != RECORD_MOVE:
            return decoder_fail(decoder, "the kind of the record")
        count = varint_read(data, end, &length)
        if length == 0 or count > <uint64_t>(end - data) // 2:
            return decoder_fail(decoder, "the count of attributes")
    if keys_decode(codec, decoder, record, &header, values) < 0:
        return NULL
    return typed_entries(
        decoder, codec.names, data + length, end, 1, count, values[0], values[1],
    )


# Take over a reference, or raise what kept it from being made.
cdef inline object taken(Decoder* decoder, PyObject* made):
    cdef object value
    if made == NULL:
        decoder_raise(decoder)
    value = <object>made
    Py_DECREF(made)
    return value


cdef object typed_item_decode(ItemCodec codec, const uint8_t* record, size_t size):
    cdef Decoder decoder
    decoder_open(&decoder, &codec.memory)
    return taken(&decoder, record_decode(codec, &decoder, record, size, False))


cdef object typed_key_decode(ItemCodec codec, const uint8_t* record, size_t size):
    cdef Decoder decoder
    decoder_open(&decoder, &codec.memory)
    return taken(&decoder, record_decode(codec, &decoder, record, size, True))


cdef object typed_value_decode(ItemCodec codec, const uint8_t* data, size_t size):
    cdef Decoder decoder
    decoder_open(&decoder, &codec.memory)
    return taken(&decoder, typed_decode(&decoder, codec.names, &data, data + size, 1))


# -- doors for Python ------------------------------------------------------------------------------


cdef inline const uint8_t* bytes_data(bytes data) noexcept:
    return <const uint8_t*>PyBytes_AS_STRING(<PyObject*>data)


def encode(ItemCodec codec not None, item):
    """Return the record of an item in typed form."""
    cdef Buffer out
    memset(&out, 0, sizeof(Buffer))
    try:
        typed_item_append(codec, item, &out)
        return out.data[:out.size]
    finally:
        buffer_free(&out)


def encode_key(ItemCodec codec not None, key):
    """Return the record that holds only this Key."""
    cdef Buffer out
    memset(&out, 0, sizeof(Buffer))
    try:
        typed_key_append(codec, key, &out)
        return out.data[:out.size]
    finally:
        buffer_free(&out)


def encode_value(ItemCodec codec not None, value):
    """Return the encoded bytes of one attribute value."""
    cdef Buffer out
    memset(&out, 0, sizeof(Buffer))
    try:
        typed_value_append(codec, value, &out)
        return out.data[:out.size]
    finally:
        buffer_free(&out)


def decode(ItemCodec codec not None, bytes record not None):
    """Return the item of a record in typed form."""
    return typed_item_decode(codec, bytes_data(record), len(record))


def decode_key(ItemCodec codec not None, bytes record not None):
    """Return the key attributes of a record in typed form."""
    return typed_key_decode(codec, bytes_data(record), len(record))


def decode_value(ItemCodec codec not None, bytes data not None):
    """Return the attribute value that `data` begins with."""
    return typed_value_decode(codec, bytes_data(data), len(data))


def bench(ItemCodec codec not None, str what not None, item, int count):
    """Run one operation `count` times: "encode", "decode" or "key". For bench/."""
    cdef Buffer out
    cdef int _index
    memset(&out, 0, sizeof(Buffer))
    try:
        typed_item_append(codec, item, &out)
        if what == "decode":
            for _index in range(count):
                typed_item_decode(codec, out.data, out.size)
        elif what == "encode":
            for _index in range(count):
                out.size = 0
                typed_item_append(codec, item, &out)
        elif what == "key":
            for _index in range(count):
                typed_key_decode(codec, out.data, out.size)
        else:
            raise ValueError(what)
    finally:
        buffer_free(&out)
