"""The door for HTTP: the plainest requests for items, from bytes to bytes.

Theory of operation
    Most requests of a busy client look the same: one POST in one packet, GetItem with a key or
    PutItem with an item, nothing else in it. Those are answered here: the head is looked at where
    it lies, the body becomes the dict that the codec wants, and the response's text is written from
    the record. Everything else gets None for an answer, and goes the long way: whatever is wrong
    with a request, or merely unusual, is found out and put into words there. So nothing here raises
    for a request, and a request is read here only as the long way would have read it.

Invariants
    1. What plain_request_read takes, an HTTP parser takes too, with the same meaning: it knows the
       headers that change what a message is, and takes none of them.
    2. A write is refused before anything is written, or done; one that went the long way after all
       has changed nothing, or is the same put again.
    3. The tables are those of one version of the schemas, and have no indexes.

Threads
    One: that of the connections.
"""

from libc.string cimport memcmp, memcpy, memset

from ddbcore.buffer cimport buffer_free, load_u64
from ddbcore.commit cimport record_find
from ddbcore.engine cimport DURABILITY_COMMIT
from ddbcore.item cimport ItemCodec
from ddbcore.json_encoder cimport plain_item_append
from ddbcore.json_items cimport json_item_append
from ddbcore.json_text cimport ONES, PlainText
from ddbcore.json_keys cimport plain_get_read, plain_key_append, plain_put_read
from ddbcore.json_writer cimport json_raw_write
from ddbcore.keyspace cimport keyspace_hash
from ddbcore.log cimport FRAME_HEADER_BYTES
from ddbcore.pyapi cimport *
from ddbcore.record cimport RECORD_HEADER_BYTES, Record
from ddbcore.table cimport CoreTable
from ddbcore.typed cimport typed_item_append, typed_key_append

cdef extern from *:
    """
    #include <string.h>
    static uint32_t json_crc_table[8][256];
    static void json_crc_fill(void) {
        uint32_t value;
        int index, bit;
        for (index = 0; index < 256; index++) {
            value = (uint32_t)index;
            for (bit = 0; bit < 8; bit++)
                value = value & 1 ? value >> 1 ^ 0xEDB88320U : value >> 1;
            json_crc_table[0][index] = value;
        }
        for (index = 0; index < 256; index++)
            for (bit = 1; bit < 8; bit++)
                json_crc_table[bit][index] = json_crc_table[bit - 1][index] >> 8
                    ^ json_crc_table[0][json_crc_table[bit - 1][index] & 255];
    }
    /* Eight bytes at a step, each through a table of its own. */
    static uint32_t json_crc(const unsigned char* data, Py_ssize_t size) {
        uint32_t crc = 0xFFFFFFFFU;
        uint64_t word;
        while (size >= 8) {
            memcpy(&word, data, 8);
            word ^= crc;
            crc = json_crc_table[7][word & 255] ^ json_crc_table[6][word >> 8 & 255]
                ^ json_crc_table[5][word >> 16 & 255] ^ json_crc_table[4][word >> 24 & 255]
                ^ json_crc_table[3][word >> 32 & 255] ^ json_crc_table[2][word >> 40 & 255]
                ^ json_crc_table[1][word >> 48 & 255] ^ json_crc_table[0][word >> 56];
            data += 8;
            size -= 8;
        }
        while (size-- > 0)
            crc = crc >> 8 ^ json_crc_table[0][(crc ^ *data++) & 255];
        return ~crc;
    }
    """
    void crc_fill "json_crc_fill"() noexcept nogil
    uint32_t crc_of "json_crc"(const uint8_t* data, Py_ssize_t size) noexcept nogil

cdef enum:
    NUMBER_DIGITS = 12
    BODY_DIGITS_MAX = 8

cdef enum HeaderMeaning:
    HEADER_PLAIN = 0                      # changes nothing here
    HEADER_LENGTH
    HEADER_TYPE
    HEADER_TARGET
    HEADER_ENCODINGS
    HEADER_CONNECTION
    HEADER_SIGNATURE
    HEADER_FOREIGN                        # changes what the message is: not for here

cdef bytes JSON_1_0 = b"application/x-amz-json-1.0"

crc_fill()


cdef uint32_t crc32(const uint8_t* data, Py_ssize_t size) noexcept nogil:
    return crc_of(data, size)


# -- heads -----------------------------------------------------------------------------------------


# Compare with a name in lower case.
cdef inline bint is_name(const uint8_t* name, const char* wanted, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t index
    for index in range(size):
        if (name[index] | 0x20) != <uint8_t>wanted[index]:
            return False
    return True


cdef int header_meaning(const uint8_t* name, Py_ssize_t size) noexcept nogil:
    if size == 12:
        if is_name(name, "x-amz-target", 12):
            return HEADER_TARGET
        if is_name(name, "content-type", 12):
            return HEADER_TYPE
    elif size == 13:
        if is_name(name, "authorization", 13):
            return HEADER_SIGNATURE
    elif size == 14:
        if is_name(name, "content-length", 14):
            return HEADER_LENGTH
    elif size == 15:
        if is_name(name, "accept-encoding", 15):
            return HEADER_ENCODINGS
    elif size == 10:
        if is_name(name, "connection", 10):
            return HEADER_CONNECTION
        if is_name(name, "keep-alive", 10):
            return HEADER_FOREIGN
    elif size == 16:
        if is_name(name, "content-encoding", 16) or is_name(name, "proxy-connection", 16):
            return HEADER_FOREIGN
    elif size == 17:
        if is_name(name, "transfer-encoding", 17):
            return HEADER_FOREIGN
    elif size == 6:
        if is_name(name, "expect", 6) or is_name(name, "origin", 6):
            return HEADER_FOREIGN
    elif size == 7:
        if is_name(name, "upgrade", 7) or is_name(name, "trailer", 7):
            return HEADER_FOREIGN
    elif size == 2 and is_name(name, "te", 2):
        return HEADER_FOREIGN
    return HEADER_PLAIN


# A number of a few digits, or -1.
cdef Py_ssize_t length_read(const uint8_t* text, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t value = 0
    cdef Py_ssize_t index
    if not 0 < size <= BODY_DIGITS_MAX:
        return -1
    for index in range(size):
        if not 0x30 <= text[index] <= 0x39:
            return -1
        value = value * 10 + (text[index] - 0x30)
    return value


# Take one header into account; -1 when the request is not for here.
cdef int header_take(
    PlainRequest* request, const uint8_t* name, Py_ssize_t name_size, const uint8_t* value,
    Py_ssize_t size, bint* typed,
) noexcept nogil:
    cdef int meaning = header_meaning(name, name_size)
    if meaning == HEADER_PLAIN:
        return 0
    if meaning == HEADER_TARGET and request.target == NULL:
        request.target = value
        request.target_size = size
        return 0
    if meaning == HEADER_SIGNATURE and request.signature == NULL:
        request.signature = value
        request.signature_size = size
        return 0
    if meaning == HEADER_LENGTH and request.body_size < 0:
        request.body_size = length_read(value, size)
        return 0 if request.body_size > 0 else -1
    if meaning == HEADER_TYPE and size == 26 and not typed[0]:
        typed[0] = True
        return 0 if memcmp(value, <const char*>"application/x-amz-json-1.0", 26) == 0 else -1
    if meaning == HEADER_ENCODINGS:
        if size != 8 or not is_name(value, "identity", 8):
            request.bare = False
        return 0
    if meaning == HEADER_CONNECTION and size == 10 and is_name(value, "keep-alive", 10):
        return 0
    return -1


# The first byte that is no blank and no visible character of ASCII, or `end`.
cdef inline const uint8_t* visible_skip(const uint8_t* here, const uint8_t* end) noexcept nogil:
    cdef uint64_t word
    while end - here >= 8:
        word = load_u64(here)
        # The top bit of a byte that is too small or too large; see plain_skip.
        if ((word - ONES * 0x20) | (word + ONES) | word) & (ONES * 0x80):
            break
        here += 8
    while here < end and 0x20 <= here[0] < 0x7F:
        here += 1
    return here


cdef int plain_request_read(
    const uint8_t* data, Py_ssize_t size, PlainRequest* request,
) noexcept nogil:
    cdef const uint8_t* here = data
    cdef const uint8_t* end = data + size
    cdef const uint8_t* name
    cdef const uint8_t* value
    cdef Py_ssize_t name_size
    cdef bint typed = False
    cdef int count = 0
    request.target = NULL
    request.signature = NULL
    request.body_size = -1
    request.bare = True
    if size < 17 or memcmp(here, <const char*>"POST / HTTP/1.1\r\n", 17) != 0:
        return -1
    here += 17
    while True:
        if end - here < 2:
            return -1
        if here[0] == 0x0D:
            break
        name = here
        while here < end and (0x61 <= (here[0] | 0x20) <= 0x7A or here[0] == 0x2D
                              or 0x30 <= here[0] <= 0x39):
            here += 1
        name_size = here - name
        if here == end or here[0] != 0x3A or name_size == 0:
            return -1
        here += 1
        while here < end and here[0] == 0x20:
            here += 1
        value = here
        here = visible_skip(here, end)
        # A blank before the end of the line is none of the value: let others see to it.
        if (end - here < 2 or here[0] != 0x0D or here[1] != 0x0A
                or (here > value and (here - 1)[0] == 0x20)):
            return -1
        count += 1
        if count > HEAD_HEADERS_MAX or header_take(
                request, name, name_size, value, here - value, &typed) != 0:
            return -1
        here += 2
    if here[1] != 0x0A or request.target == NULL or not typed:
        return -1
    request.body = here + 2
    return 0 if end - request.body == request.body_size else -1


# -- the door --------------------------------------------------------------------------------------


cdef class JsonDoor:
    """Answers what it can; see the head of the file."""

    def __cinit__(self, Engine engine not None, JsonReader reader not None):
        self.engine = engine
        self.reader = reader
        self.tables = {}
        self.version = 0
        self.head = None
        self.number = 0
        memset(&self.body, 0, sizeof(Buffer))

    def __dealloc__(self):
        buffer_free(&self.body)

    def learn(self, version, dict tables not None):
        """Take over the tables without indexes, by name, as of a version of the schemas."""
        self.tables = tables
        self.version = version
        self.last_name = None

    def begin_with(self, bytes head not None):
        """Set the head of responses: all lines down to the request id, where twelve digits follow.
        """
        self.head = head

    def answer(self, bytes data not None):
        """Return the response to a plain request; None when it is to go the long way.

        data: what a connection received, at the beginning of a request. When it is one whole
        request that only this door has no answer to, (headers, body) are returned: the headers
        that anybody looks at, by their names in lower case.
        """
        cdef PlainRequest request
        cdef object response
        cdef dict headers
        if plain_request_read(
                <const uint8_t*>PyBytes_AS_STRING(<PyObject*>data), len(data), &request) != 0:
            return None
        response = self.answer_plain(&request)
        if response is not None or not request.bare:
            return response
        headers = {
            b"content-type": JSON_1_0,
            b"x-amz-target": (<const char*>request.target)[:request.target_size],
        }
        if request.signature != NULL:
            headers[b"authorization"] = (
                (<const char*>request.signature)[:request.signature_size])
        return headers, (<const char*>request.body)[:request.body_size]

    cdef object answer_plain(self, const PlainRequest* request):
        """The response, or None."""
        cdef object parsed
        cdef object response
        cdef bint is_put
        if self.engine.refused or self.engine.following or request.target_size != 25 or (
                self.version != self.engine.schema_version or self.head is None):
            return None
        if memcmp(request.target, <const char*>"DynamoDB_20120810.GetItem", 25) == 0:
            is_put = False
        elif memcmp(request.target, <const char*>"DynamoDB_20120810.PutItem", 25) == 0:
            if self.engine.durability == DURABILITY_COMMIT:
                return None               # it waits for the disk: not in this thread
            is_put = True
        else:
            return None
        try:
            if is_put:
                response = self.put_plain_item(request)
            else:
                response = self.get_plain_item(request)
            if response is not None:
                return response
            parsed = self.reader.read_text(request.body, request.body_size)
            if type(parsed) is not dict:
                return None
            if is_put:
                return self.put_item(<dict>parsed)
            return self.get_item(<dict>parsed, request.bare)
        except Exception:
            return None                   # the long way meets it again, and has the words for it

    cdef CoreTable table_of(self, const PlainText* name):
        """The table of a name, or None."""
        if (self.last_name is None or len(self.last_name) != name.size
                or memcmp(PyBytes_AS_STRING(<PyObject*>self.last_name), name.data,
                          name.size) != 0):
            # In this order: what fails in between must not leave a name with another's table.
            self.last_name = None
            self.last_table = self.tables.get((<const char*>name.data)[:name.size].decode("ascii"))
            self.last_name = (<const char*>name.data)[:name.size]
        return self.last_table

    cdef object get_plain_item(self, const PlainRequest* request):
        """The response to a GetItem whose body is as they usually are, or None."""
        cdef Engine engine = self.engine
        cdef CoreTable table
        cdef PlainText name
        cdef Buffer* key
        cdef const uint8_t* here = plain_get_read(request.body, request.body_size, &name)
        if here == NULL:
            return None
        table = self.table_of(&name)
        if table is None:
            return None
        table.enter()
        key = engine.scratch_take()
        try:
            if not plain_key_append(
                    table.codec, here, request.body + request.body_size, key):
                return None
            return self.item_response(table, key, request.bare)
        finally:
            engine.scratch_give(key)

    cdef object put_plain_item(self, const PlainRequest* request):
        """The response to a PutItem whose body is as they usually are, or None."""
        cdef Engine engine = self.engine
        cdef CoreTable table
        cdef PlainText name
        cdef Buffer* frame
        cdef Buffer* block = NULL
        cdef const Record* record
        cdef uint64_t hash
        cdef const uint8_t* here = plain_put_read(request.body, request.body_size, &name)
        if here == NULL:
            return None
        table = self.table_of(&name)
        if table is None:
            return None
        table.enter_write()
        frame = engine.scratch_take()
        try:
            block = engine.scratch_take()
            frame.size = FRAME_HEADER_BYTES
            if not plain_item_append(table.codec, self.reader, here,
                                     request.body + request.body_size, frame, block):
                return None
            record = <const Record*>(frame.data + FRAME_HEADER_BYTES)
            hash = keyspace_hash(table.space, <const uint8_t*>record + RECORD_HEADER_BYTES,
                                 record.hash_size)
            table.commit(frame, hash)
        finally:
            engine.scratch_give(frame)
            if block != NULL:
                engine.scratch_give(block)
        table.settle(None)
        return self.response(b"{}", 2)

    cdef object item_response(self, CoreTable table, Buffer* key, bint bare):
        """The response with the item of a key; None when it is not for here."""
        cdef const Record* record
        cdef uint64_t hash = 0
        record = record_find(self.engine, table.state, <const Record*>key.data, &hash)
        if record == NULL:
            return self.response(b"{}", 2)
        self.body.size = 0
        append(&self.body, '{"Item":', 8)
        json_item_append(table.codec, <const uint8_t*>record, record.size_bytes, &self.body)
        append(&self.body, "}", 1)
        if not bare and self.body.size >= GZIP_BYTES_MIN:
            return None
        return self.response(self.body.data, self.body.size)

    cdef object get_item(self, dict request, bint bare):
        cdef Engine engine = self.engine
        cdef CoreTable table
        cdef ItemCodec codec
        cdef Buffer* key
        if len(request) != 2 and (len(request) != 3
                                  or type(request.get("ConsistentRead")) is not bool):
            return None
        found = self.tables.get(request.get("TableName"))
        if found is None:
            return None
        table = <CoreTable>found
        table.enter()
        codec = table.codec
        key = engine.scratch_take()
        try:
            typed_key_append(codec, request["Key"], key)
            # That may have run any Python code.
            table.enter()
            if table.codec is not codec or self.version != engine.schema_version:
                return None
            return self.item_response(table, key, bare)
        finally:
            engine.scratch_give(key)

    cdef object put_item(self, dict request):
        cdef Engine engine = self.engine
        cdef CoreTable table
        cdef ItemCodec codec
        cdef Buffer* frame
        cdef const Record* record
        cdef uint64_t hash
        if len(request) != 2:
            return None
        found = self.tables.get(request.get("TableName"))
        if found is None:
            return None
        table = <CoreTable>found
        table.enter_write()
        codec = table.codec
        frame = engine.scratch_take()
        try:
            frame.size = FRAME_HEADER_BYTES
            typed_item_append(codec, request["Item"], frame)
            table.enter_write()
            if table.codec is not codec or self.version != engine.schema_version:
                return None
            record = <const Record*>(frame.data + FRAME_HEADER_BYTES)
            hash = keyspace_hash(table.space, <const uint8_t*>record + RECORD_HEADER_BYTES,
                                 record.hash_size)
            table.commit(frame, hash)
        finally:
            engine.scratch_give(frame)
        table.settle(None)
        return self.response(b"{}", 2)

    cdef object response(self, const uint8_t* body, Py_ssize_t size):
        """A whole response."""
        cdef Buffer* head = self.engine.scratch_take()
        cdef PyObject* made
        cdef object answer
        cdef char* target
        try:
            head.size = 0
            self.number += 1
            append(head, PyBytes_AS_STRING(<PyObject*>self.head), len(self.head))
            number_append(head, self.number, NUMBER_DIGITS)
            append(head, "\r\nx-amz-crc32: ", 15)
            number_append(head, crc_of(body, size), 1)
            append(head, "\r\nContent-Length: ", 18)
            number_append(head, size, 1)
            append(head, "\r\n\r\n", 4)
            made = PyBytes_FromStringAndSize(NULL, head.size + size)
            if made == NULL:
                error_raise()
            target = PyBytes_AS_STRING(made)
            memcpy(target, head.data, head.size)
            memcpy(target + head.size, body, size)
            answer = <object>made
            Py_DECREF(made)
            return answer
        finally:
            self.engine.scratch_give(head)


cdef inline int append(Buffer* out, const char* text, Py_ssize_t size) except -1:
    if json_raw_write(out, text, size) != 0:
        raise MemoryError()
    return 0


# Append a number of at least `width` digits.
cdef int number_append(Buffer* out, uint64_t value, int width) except -1:
    cdef char digits[20]
    cdef int start = 20
    while value > 0 or 20 - start < width:
        start -= 1
        digits[start] = <char>(0x30 + value % 10)
        value //= 10
    return append(out, digits + start, 20 - start)


def checksum(bytes data not None):
    """Return the CRC-32 of bytes, as zlib.crc32 does."""
    return crc_of(<const uint8_t*>PyBytes_AS_STRING(<PyObject*>data), len(data))
