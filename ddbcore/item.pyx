"""Items: Python values to record bytes and back.

Theory of operation
    A record holds the key attributes as key bytes, whose memcmp order is DynamoDB's order, and all
    others as an attribute block. ItemCodec knows the key schema of one keyspace and its names; the
    walks over values are encoder.pyx and decoder.pyx, the kernels over encoded bytes value.pyx.

Invariants
    1. A door that appends leaves the buffer as it was when it raises.
    2. The item_size in the header is DynamoDB's size of the whole item, keys included, and at most
       ITEM_SIZE_MAX.
    3. What record_check and check_keys accept, decode_item decodes.

Threads
    With the GIL, but check_keys and the kernels. Encoding may run Python code (see encoder.pyx), so
    a codec must bear to be entered again while it works; it keeps no state of a call in itself.

Format
    FORMAT.md, sections "Items" and "Keys".
"""

from collections.abc import Mapping
from sys import intern

from libc.stdint cimport UINT16_MAX, UINT32_MAX
from libc.string cimport memcpy, memset

from ddbcore.buffer cimport buffer_free
from ddbcore.copies cimport item_copy
from ddbcore.decoder cimport (
    decoder_entries, decoder_fail, decoder_open, decoder_raise, decoder_value,
    memory_close, memory_open,
)
from ddbcore.encoder cimport (
    Encoder, encoder_block, encoder_open, encoder_plain, encoder_value, reserve,
)
from ddbcore.key cimport key_check, key_decode, key_encode, key_open
from ddbcore.pyapi cimport *
from ddbcore.record cimport (
    ITEM_SIZE_MAX, RECORD_DELETE, RECORD_HASH_ASCII, RECORD_HEADER_BYTES, RECORD_MOVE,
    RECORD_PUT, RECORD_RANGE_ASCII, RECORD_SIZE_MAX,
)

from ddbcore.errors import ItemTooLarge, ValidationError

cdef enum:
    WEIGHT_ITEM = 160                     # dict and cache entry of an item


cdef class ItemCodec:

    # Not __init__, which may be called again: shapes remember the names of the keys.
    def __cinit__(
        self, str hash_name not None, str hash_type not None, str range_name=None,
        str range_type=None, bint wide=False,
    ):
        """Set the key schema. Names are 1..255 bytes of UTF-8, types "S", "N" or "B".

        wide: keys of an index, which hold several values, are as long as a record can say.
        """
        if (range_name is None) != (range_type is None):
            raise ValidationError("a range key has a name and a type, or neither")
        if hash_name == range_name:
            raise ValidationError("hash key and range key are two attributes")
        memory_open(&self.memory)
        self.names = NameTable()
        self.hash_name = intern(hash_name)
        self.hash_type = hash_type
        key_open(&self.hash_part, self.hash_name, hash_type, False)
        self.memory.hash_name = self.hash_part.name
        if range_name is not None:
            self.range_name = intern(range_name)
            self.range_type = range_type
            key_open(&self.range_part, self.range_name, range_type, True)
            self.memory.range_name = self.range_part.name
        if wide:
            self.hash_part.size_max = self.range_part.size_max = UINT16_MAX

    def __dealloc__(self):
        memory_close(&self.memory)

    # -- encoding ----------------------------------------------------------------------------------

    cdef int encode_item(
        self, object item, Buffer* out, KeySeen seen=NULL, void* context=NULL,
    ) except -1:
        cdef size_t start = out.size
        try:
            if not isinstance(item, dict):
                if not isinstance(item, Mapping):
                    raise ValidationError(f"an item is a dict, not {type(item).__name__}")
                item = dict(item)
            if item_append(self, item, out, seen, context) != 0:
                out.size = start
                item_append(self, encoder_plain(NULL, item), out, NULL, NULL)
        except BaseException:
            out.size = start
            raise
        return 0

    cdef int encode_key(self, object hash_value, object range_value, Buffer* out) except -1:
        cdef size_t start = out.size
        cdef int64_t size = 0
        cdef Record header
        try:
            if self.range_part.name != NULL and range_value is None:
                raise ValidationError(
                    f"the key has a range key {self.range_name!r}: give its value too"
                )
            if self.range_part.name == NULL and range_value is not None:
                raise ValidationError(f"the key is {self.hash_name!r} alone: there is no range key")
            keys_append(self, hash_value, range_value, out, &header, &size)
        except BaseException:
            out.size = start
            raise
        header.size_bytes = <uint32_t>(out.size - start)
        header.kind = RECORD_DELETE
        memcpy(out.data + start, &header, sizeof(Record))
        return 0

    cdef int encode_key_value(
        self, object value, bint is_range, bint allow_empty, Buffer* out,
    ) except -1:
        cdef size_t start = out.size
        cdef int64_t size = 0
        if is_range and self.range_part.name == NULL:
            raise ValidationError(f"the key is {self.hash_name!r} alone: there is no range key")
        try:
            return key_encode(
                &self.range_part if is_range else &self.hash_part, value, allow_empty, out, &size,
            )
        except BaseException:
            out.size = start
            raise

    cdef int encode_value(self, object value, Buffer* out) except -1:
        cdef size_t start = out.size
        cdef Encoder encoder
        encoder_open(&encoder, out)
        try:
            encoder_value(&encoder, self.names, <PyObject*>value)
            size_check(encoder.item_size, out.size - start)
        except BaseException:
            out.size = start
            raise
        return 0

    # -- decoding ----------------------------------------------------------------------------------

    cdef dict decode_item(self, const uint8_t* record, size_t size, size_t* weight, int* nested):
        cdef Decoder decoder
        cdef PyObject* made
        cdef object item
        decoder_open(&decoder, &self.memory)
        made = record_decode(self, &decoder, record, size)
        if made == NULL:
            decoder_raise(&decoder)
        item = <object>made
        Py_DECREF(made)
        if weight != NULL:
            weight[0] = decoder.weight + WEIGHT_ITEM
        if nested != NULL:
            nested[0] = decoder.nested
        return <dict>item

    cdef object decode_key(self, const uint8_t* record, size_t size):
        cdef Record header
        cdef Decoder decoder
        cdef PyObject* values[2]
        cdef object hash_value, range_value
        decoder_open(&decoder, &self.memory)
        if header_read(&decoder, record, size, &header) == NULL:
            decoder_raise(&decoder)
        if keys_decode(self, &decoder, record, &header, values) < 0:
            decoder_raise(&decoder)
        hash_value = <object>values[0]
        Py_DECREF(values[0])
        if values[1] == NULL:
            return hash_value
        range_value = <object>values[1]
        Py_DECREF(values[1])
        return hash_value, range_value

    cdef object decode_value(self, const uint8_t* data, size_t size):
        cdef Decoder decoder
        cdef PyObject* made
        cdef object value
        decoder_open(&decoder, &self.memory)
        made = decoder_value(&decoder, self.names, &data, data + size, 1)
        if made == NULL:
            decoder_raise(&decoder)
        value = <object>made
        Py_DECREF(made)
        return value

    cdef int check_keys(self, const uint8_t* record, size_t size) noexcept nogil:
        cdef Record header
        cdef int status
        if size < RECORD_HEADER_BYTES:
            return ERR_CORRUPT
        memcpy(&header, record, sizeof(Record))
        if size < RECORD_HEADER_BYTES + <size_t>header.hash_size + header.range_size:
            return ERR_CORRUPT
        record += RECORD_HEADER_BYTES
        status = key_check(
            &self.hash_part, header.flags & RECORD_HASH_ASCII, record, header.hash_size,
        )
        if status != 0:
            return status
        if self.range_part.name == NULL:
            return ERR_CORRUPT if header.range_size else 0
        record += header.hash_size
        return key_check(
            &self.range_part, header.flags & RECORD_RANGE_ASCII, record, header.range_size,
        )

    # -- doors for tests ---------------------------------------------------------------------------

    def encode(self, item):
        """Return the record of an item."""
        cdef Buffer out
        memset(&out, 0, sizeof(Buffer))
        try:
            self.encode_item(item, &out)
            return out.data[:out.size]
        finally:
            buffer_free(&out)

    def key(self, hash_value, range_value=None):
        """Return the record that holds only this key."""
        cdef Buffer out
        memset(&out, 0, sizeof(Buffer))
        try:
            self.encode_key(hash_value, range_value, &out)
            return out.data[:out.size]
        finally:
            buffer_free(&out)

    def key_value(self, value, bint is_range=False, bint allow_empty=False):
        """Return the bytes of one key value, and whether it is an ASCII string."""
        cdef Buffer out
        cdef int is_ascii
        memset(&out, 0, sizeof(Buffer))
        try:
            is_ascii = self.encode_key_value(value, is_range, allow_empty, &out)
            return out.data[:out.size], bool(is_ascii)
        finally:
            buffer_free(&out)

    def value(self, value):
        """Return the encoded bytes of one value."""
        cdef Buffer out
        memset(&out, 0, sizeof(Buffer))
        try:
            self.encode_value(value, &out)
            return out.data[:out.size]
        finally:
            buffer_free(&out)

    def decode(self, bytes record not None):
        """Return the item of a record."""
        return self.decode_item(bytes_data(record), len(record), NULL, NULL)

    def weigh(self, bytes record not None):
        """Return the estimate of an item's memory in bytes, and 1 when it is nested."""
        cdef size_t weight
        cdef int nested
        self.decode_item(bytes_data(record), len(record), &weight, &nested)
        return weight, nested

    def decode_record_key(self, bytes record not None):
        """Return the key of a record."""
        return self.decode_key(bytes_data(record), len(record))

    def decode_bytes(self, bytes data not None):
        """Return the value that `data` begins with."""
        return self.decode_value(bytes_data(data), len(data))

    def check(self, bytes record not None, uint32_t name_count=UINT32_MAX):
        """Return whether record_check and check_keys accept a record.

        name_count: names that ids may refer to; by default those there are.
        """
        cdef const uint8_t* data = bytes_data(record)
        if name_count == UINT32_MAX:
            name_count = <uint32_t>len(self.names.names)
        if record_check(data, len(record), name_count) != 0:
            return False
        return self.check_keys(data, len(record)) == 0

    def skip(self, bytes data not None):
        """Return value_skip of `data`."""
        cdef const uint8_t* start = bytes_data(data)
        return value_skip(start, start + len(data))

    def size(self, bytes data not None):
        """Return value_size of `data`."""
        cdef const uint8_t* start = bytes_data(data)
        return value_size(
            start, start + len(data), self.names.sizes, <uint32_t>len(self.names.names),
        )

    def intern_name(self, str name not None):
        """Return the id of an attribute name, given one if new; -1 when it is stored inline."""
        return self.names.intern(name)

    def restore_name(self, uint32_t name_id, bytes text not None):
        """Add a name as the log does."""
        self.names.restore(name_id, bytes_data(text), len(text))

    @staticmethod
    def copy(dict item not None):
        """Return item_copy of an item."""
        return item_copy(item)

    def bench(self, str what not None, item, int count):
        """Run one operation `count` times: "encode", "decode", "copy" or "key". For bench/."""
        cdef Buffer out
        cdef int _index
        memset(&out, 0, sizeof(Buffer))
        try:
            self.encode_item(item, &out)
            if what == "decode":
                for _index in range(count):
                    self.decode_item(out.data, out.size, NULL, NULL)
            elif what == "encode":
                for _index in range(count):
                    out.size = 0
                    self.encode_item(item, &out)
            elif what == "copy":
                for _index in range(count):
                    item_copy(item)
            elif what == "key":
                for _index in range(count):
                    self.decode_key(out.data, out.size)
            else:
                raise ValueError(what)
        finally:
            buffer_free(&out)


cdef inline const uint8_t* bytes_data(bytes data) noexcept:
    return <const uint8_t*>PyBytes_AS_STRING(<PyObject*>data)


# -- encoding --------------------------------------------------------------------------------------


cdef int size_check(int64_t item_size, size_t record_size) except -1:
    if item_size > ITEM_SIZE_MAX or record_size > RECORD_SIZE_MAX:
        raise ItemTooLarge(
            f"Item size has exceeded the maximum allowed size: {item_size} bytes of at most"
            f" {ITEM_SIZE_MAX}"
        )
    return 0


# Append room for the header and the key bytes; *header is set up but for kind and sizes of the
# whole.
cdef int keys_append(
    ItemCodec codec, object hash_value, object range_value, Buffer* out, Record* header,
    int64_t* size,
) except -1:
    cdef size_t start
    memset(header, 0, sizeof(Record))
    reserve(out, RECORD_HEADER_BYTES)
    out.size += RECORD_HEADER_BYTES
    start = out.size
    if key_encode(&codec.hash_part, hash_value, False, out, size):
        header.flags = RECORD_HASH_ASCII
    header.hash_size = <uint16_t>(out.size - start)
    if codec.range_part.name != NULL:
        start = out.size
        if key_encode(&codec.range_part, range_value, False, out, size):
            header.flags |= RECORD_RANGE_ASCII
        header.range_size = <uint16_t>(out.size - start)
    return 0


# 0, or 1 when the item has names that are no exact str.
cdef int item_append(
    ItemCodec codec, object item, Buffer* out, KeySeen seen, void* context,
) except -1:
    cdef size_t start = out.size
    cdef bint has_range = codec.range_part.name != NULL
    cdef Encoder encoder
    cdef Record header
    cdef object hash_value = key_of(item, codec.hash_name)
    cdef object range_value = key_of(item, codec.range_name) if has_range else None
    if hash_value is None or (has_range and range_value is None):
        return missing_key(item, codec.hash_name if hash_value is None else codec.range_name)
    encoder_open(&encoder, out)
    keys_append(codec, hash_value, range_value, out, &header, &encoder.item_size)
    encoder.item_size += codec.hash_part.name_size + codec.range_part.name_size
    if seen != NULL:
        seen(context, out.data + start + RECORD_HEADER_BYTES, header.hash_size)
    if encoder_block(
        &encoder, codec.names, <PyObject*>item, codec.hash_part.name, codec.range_part.name,
        1 + has_range,
    ) != 0:
        return 1
    size_check(encoder.item_size, out.size - start)
    header.size_bytes = <uint32_t>(out.size - start)
    header.kind = RECORD_PUT
    header.item_size = <uint32_t>encoder.item_size
    memcpy(out.data + start, &header, sizeof(Record))
    return 0


# The value of a key attribute, or None.
cdef inline object key_of(object item, str name):
    cdef PyObject* found = PyDict_GetItemWithError(<PyObject*>item, <PyObject*>name)
    if found != NULL:
        return <object>found
    if PyErr_Occurred() != NULL:
        error_raise()
    return None


# Refuse an item without a key attribute, or return 1 if names that are no exact str may hide it.
cdef int missing_key(object item, str key_name) except -1:
    cdef Py_ssize_t pos = 0
    cdef PyObject* name
    cdef PyObject* value
    while PyDict_Next(<PyObject*>item, &pos, &name, &value):
        if not hr_is_exact_text(name):
            return 1
    if key_name in item:
        raise ValidationError(
            f"One or more parameter values were invalid: the key {key_name} is None"
        )
    raise ValidationError(
        f"One or more parameter values were invalid: Missing the key {key_name} in the item"
    )


# -- decoding --------------------------------------------------------------------------------------


cdef const uint8_t* header_read(
    Decoder* decoder, const uint8_t* record, size_t size, Record* header,
) noexcept:
    cdef uint64_t keys_end
    if size >= RECORD_HEADER_BYTES:
        memcpy(header, record, sizeof(Record))
        keys_end = RECORD_HEADER_BYTES + <uint64_t>header.hash_size + header.range_size
        if header.size_bytes <= size and keys_end <= header.size_bytes:
            return record + keys_end
    decoder.damage = "the header of the record"
    return NULL


# The values of the keys: new references; values[1] is NULL where the table has no range key.
cdef int keys_decode(
    ItemCodec codec, Decoder* decoder, const uint8_t* record, const Record* header,
    PyObject** values,
) noexcept:
    cdef const uint8_t* data = record + RECORD_HEADER_BYTES
    values[1] = NULL
    if (header.range_size != 0) != (codec.range_part.name != NULL):
        decoder.damage = "the range key"
        return -1
    values[0] = key_decode(
        decoder, &codec.hash_part, header.flags & RECORD_HASH_ASCII, data, header.hash_size,
    )
    if values[0] == NULL:
        return -1
    if header.range_size:
        data += header.hash_size
        values[1] = key_decode(
            decoder, &codec.range_part, header.flags & RECORD_RANGE_ASCII, data, header.range_size,
        )
        if values[1] == NULL:
            Py_DECREF(values[0])
            return -1
    return 0


# A new dict, or NULL.
cdef PyObject* record_decode(
    ItemCodec codec, Decoder* decoder, const uint8_t* record, size_t size,
) noexcept:
    cdef Record header
    cdef PyObject* values[2]
    cdef const uint8_t* data = header_read(decoder, record, size, &header)
    cdef const uint8_t* end
    cdef uint64_t count
    cdef int length
    if data == NULL:
        return NULL
    if header.kind != RECORD_PUT and header.kind != RECORD_MOVE:
        return decoder_fail(decoder, "the kind of the record")
    end = record + header.size_bytes
    count = varint_read(data, end, &length)
    if length == 0 or count > <uint64_t>(end - data) // 2:
        return decoder_fail(decoder, "the count of attributes")
    if keys_decode(codec, decoder, record, &header, values) < 0:
        return NULL
    return decoder_entries(
        decoder, codec.names, data + length, end, 1, count, values[0], values[1],
    )
