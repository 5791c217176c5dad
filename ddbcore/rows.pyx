"""Rows: columns that come in, as Arrow data or lists, to items of a batch.

Theory of operation
    Each row becomes a record at the end of a batch's frame: header, keys, then the attributes that
    have a value, in the order of the columns. Arrow cells are written as item bytes without an
    object in between; cells of lists take the way of any value. The batch commits itself as it
    grows. An error names row and column, and says how many rows before it are committed.

    A float is written as the decimal of the fewest digits that reads back as the same float, which
    is what its repr shows. Nearly all of them have at most 15 digits, and those are found by trying
    scales: a quotient of two exact doubles is rounded once, so m / 10**k is the float exactly when
    the decimal m * 10**-k reads back as it.

Invariants
    1. A row is in the frame as a whole or not at all.
    2. Text is checked to be UTF-8, and every size against an item's bound before it is copied.

Threads
    With the GIL; encoding lists may run Python code, so the batch is marked busy meanwhile.
"""

from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Free
from libc.stdint cimport uint16_t, uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from ddbcore.arrow cimport (
    ARROW_DECIMAL_BYTES, FEED_BINARY, FEED_BOOL, FEED_DECIMAL, FEED_FLOAT, FEED_LIST, FEED_NULL,
    FEED_SIGNED, FEED_STRUCT, FEED_TEXT, FEED_UNSIGNED, feed_bytes, feed_decimal, feed_integer,
    feed_list, feed_valid,
)
from ddbcore.encoder cimport (
    container_close, container_open, encoder_name, encoder_open, encoder_value, refuse_size,
    reserve,
)
from ddbcore.key cimport key_encode
from ddbcore.number cimport (
    NUMBER_KEY_BYTES_MAX, number_encode, number_key_encode, number_object, number_parse,
    number_size,
)
from ddbcore.pyapi cimport PyFloat_Check, PyList_GET_ITEM, PyObject
from ddbcore.record cimport (
    DEPTH_MAX, ITEM_SIZE_MAX, RECORD_HASH_ASCII, RECORD_HEADER_BYTES, RECORD_PUT,
    RECORD_RANGE_ASCII, RECORD_SIZE_MAX, Record,
)
from ddbcore.value cimport (
    TAG_ASCII, TAG_BINARY, TAG_FALSE, TAG_INT16, TAG_INT32, TAG_INT64, TAG_INT8, TAG_LIST, TAG_MAP,
    TAG_NULL, TAG_SMALL_INT, TAG_TRUE, TAG_UTF8, TEXT_ASCII, TEXT_INVALID, integer_size,
    text_check, varint_write,
)
from ddbcore.words cimport magnitude_of, zeros_trim

from ddbcore.errors import ItemTooLarge, ValidationError

cdef extern from *:
    """
    #include <math.h>
    static const double rows_tens[23] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    """
    const double* TENS "rows_tens"

cdef extern from "math.h":
    double fabs(double value) noexcept nogil
    double floor(double value) noexcept nogil
    double rint(double value) noexcept nogil
    bint isnan(double value) noexcept nogil
    bint isfinite(double value) noexcept nogil

cdef extern from "Python.h":
    char* PyOS_double_to_string(double, char, int, int, int*) except NULL
    double PyOS_string_to_double(const char*, char**, PyObject*) except? -1

cdef enum:
    TENS_MAX = 22
    NUMBER_BYTES_MAX = 32
    TAG_BYTES_MAX = 6                     # of a string or binary, with its length

# Decimals of so many digits are told apart by every double, or float of 32 bits.
cdef double DOUBLE_DIGITS = 1e15
cdef double SINGLE_DIGITS = 1e6


# -- numbers ---------------------------------------------------------------------------------------


cdef inline void number_of_integer(int64_t value, Number* out) noexcept:
    out.high = 0
    out.exponent = 0
    out.negative = value < 0
    out.low = magnitude_of(value)
    if out.low:
        out.low = zeros_trim(out.low, &out.exponent)


cdef int number_of_float(double value, bint single, Number* out) except -1:
    cdef double magnitude = fabs(value)
    cdef double scaled, back
    cdef int places
    if not isfinite(value):
        raise ValidationError(f"{value} is no number that DynamoDB has: leave the cell null, or say"
                              " nan='null' if NaN stands for none")
    if magnitude < DOUBLE_DIGITS and magnitude == floor(magnitude):
        number_of_integer(<int64_t>value, out)
        return 0
    for places in range(1, TENS_MAX + 1):
        scaled = rint(magnitude * TENS[places])
        if scaled >= (SINGLE_DIGITS if single else DOUBLE_DIGITS):
            break
        back = scaled / TENS[places]
        if (<float>back == <float>magnitude) if single else (back == magnitude):
            out.high = 0
            out.low = <uint64_t>scaled
            out.exponent = -places
            out.negative = value < 0
            return 0
    return float_parse(value, single, out)


# The same by way of text.
cdef int float_parse(double value, bint single, Number* out) except -1:
    cdef char* text = NULL
    cdef int digits
    cdef bytes kept
    if not single:
        text = PyOS_double_to_string(value, c'r', 0, 0, NULL)
        kept = text
        PyMem_Free(text)
        return number_parse(<const uint8_t*><const char*>kept, len(kept), out)
    for digits in range(6, 10):
        text = PyOS_double_to_string(value, c'g', digits, 0, NULL)
        kept = text
        PyMem_Free(text)
        if <float>PyOS_string_to_double(kept, NULL, NULL) == <float>value:
            break
    return number_parse(<const uint8_t*><const char*>kept, len(kept), out)


def shortest(double value, bint single=False):
    """Return the int or Decimal that a float is written as. For tests."""
    cdef Number number
    number_of_float(value, single, &number)
    return number_object(&number)


# -- values ----------------------------------------------------------------------------------------


cdef int integer_append(int64_t value, Encoder* encoder) except -1:
    cdef Buffer* out = encoder.out
    cdef uint8_t* target
    reserve(out, NUMBER_BYTES_MAX)
    target = out.data + out.size
    encoder.item_size += integer_size(value)
    if 0 <= value < TAG_NULL - TAG_SMALL_INT:
        target[0] = <uint8_t>(TAG_SMALL_INT + value)
        out.size += 1
        return 0
    memcpy(target + 1, &value, 8)
    if -128 <= value < 128:
        target[0] = TAG_INT8
        out.size += 2
    elif -32768 <= value < 32768:
        target[0] = TAG_INT16
        out.size += 3
    elif -(<int64_t>1 << 31) <= value < <int64_t>1 << 31:
        target[0] = TAG_INT32
        out.size += 5
    else:
        target[0] = TAG_INT64
        out.size += 9
    return 0


cdef int number_append(const Number* number, Encoder* encoder) except -1:
    cdef Buffer* out = encoder.out
    reserve(out, NUMBER_BYTES_MAX)
    out.size += number_encode(number, out.data + out.size)
    encoder.item_size += number_size(number)
    return 0


cdef int tag_append(uint8_t tag, Encoder* encoder) except -1:
    reserve(encoder.out, 1)
    encoder.out.data[encoder.out.size] = tag
    encoder.out.size += 1
    encoder.item_size += 1
    return 0


# Append a string, or binary: tag, length, bytes.
cdef int bytes_append(
    const uint8_t* data, int64_t size, bint binary, Encoder* encoder,
) except -1:
    cdef Buffer* out = encoder.out
    cdef uint8_t* target
    cdef int kind = TEXT_ASCII
    if encoder.item_size + size > ITEM_SIZE_MAX:
        return refuse_size(encoder)
    reserve(out, size + TAG_BYTES_MAX)
    target = out.data + out.size
    if not binary:
        kind = text_check(data, size)
        if kind == TEXT_INVALID:
            raise ValidationError("the string is not UTF-8")
    if not binary and kind == TEXT_ASCII and size < TAG_SMALL_INT:
        target[0] = <uint8_t>size
        target += 1
    else:
        target[0] = TAG_BINARY if binary else TAG_ASCII if kind == TEXT_ASCII else TAG_UTF8
        target += 1 + varint_write(target + 1, size)
    if size > 0:
        memcpy(target, data, size)
    out.size = target + size - out.data
    encoder.item_size += size
    return 0


cdef int bytes_find(
    const Feed* feed, int64_t row, const uint8_t** data, int64_t* size,
) except -1:
    if feed_bytes(feed, row, data, size) < 0:
        raise ValidationError("the Arrow data is damaged: a text lies outside of its buffer")
    if size[0] > ITEM_SIZE_MAX:
        raise ItemTooLarge("Item size has exceeded the maximum allowed size: a value has "
                           f"{size[0]} bytes, an item at most {ITEM_SIZE_MAX}")
    return 0


# Follow a dictionary: the feed and row that hold the value.
cdef int cell_find(const Feed** feed, int64_t* row) except -1:
    cdef int64_t index
    while feed[0].dictionary != NULL:
        index = feed_integer(feed[0], row[0])
        feed[0] = feed[0].dictionary
        if not 0 <= index < feed[0].length:
            raise ValidationError(f"the Arrow data is damaged: its dictionary has "
                                  f"{feed[0].length} values, and number {index} is asked for")
        row[0] = index
    return 0


# -- rows ------------------------------------------------------------------------------------------


cdef class RowWriter:

    def __cinit__(self, Batch batch not None, ArrowReader reader, dict lists not None,
                  bint floats=True, bint nan_null=False):
        cdef Py_ssize_t index
        self.batch = batch
        self.codec = batch.table.codec
        self.reader = reader
        self.names = []
        self.lists = []
        self.floats = floats
        self.nan_null = nan_null
        columns = list(reader.names) if reader is not None else []
        self.cells = <Cell*>calloc(len(columns) + len(lists) + 1, sizeof(Cell))
        if self.cells == NULL:
            raise MemoryError
        for index in range(len(columns)):
            self.place(columns[index], &reader.root.children[index], None)
        for name, values in lists.items():
            self.place(name, NULL, values)
        for name, cell in ((self.codec.hash_name, self.hash_cell.name != NULL),
                           (self.codec.range_name, self.range_cell.name != NULL)):
            if name is not None and not cell:
                raise ValidationError(f"there is no column {name!r}, which is a key of table "
                                      f"{batch.table.name}: there are {', '.join(self.names)}")

    def __dealloc__(self):
        free(self.cells)

    cdef int place(self, str name, const Feed* feed, list values) except -1:
        cdef Cell* cell = &self.cells[self.cell_count]
        if name in self.names:
            raise ValidationError(f"there are two columns {name!r}")
        if not 1 <= len(name.encode("utf-8", "surrogatepass")) <= 65535:
            raise ValidationError("the name of a column has 1 to 65535 bytes, as an attribute's")
        if name == self.codec.hash_name:
            cell = &self.hash_cell
        elif name == self.codec.range_name:
            cell = &self.range_cell
        else:
            self.cell_count += 1
        self.names.append(name)
        cell.name = <void*><PyObject*>name
        cell.feed = feed
        if values is not None:
            if self.lists and len(values) != len(self.lists[0]):
                raise ValidationError(f"column {name!r} has {len(values)} rows, and others have "
                                      f"{len(self.lists[0])}")
            # A copy that nobody else has, and so nobody changes.
            values = list(values)
            self.lists.append(values)
            cell.values = <void*><PyObject*>values
        return 0

    cdef bint missing(self, const Feed* feed, int64_t row) except -1:
        """Whether a cell of a feed has no value."""
        if not feed_valid(feed, row):
            return True
        if feed.dictionary != NULL:
            cell_find(&feed, &row)
            if not feed_valid(feed, row):
                return True
        if self.nan_null and feed.kind == FEED_FLOAT:
            return isnan(float_at(feed, row))
        return False

    cdef bint present(self, const Cell* cell, int64_t row) except -1:
        cdef object value
        cdef double number
        self.at = cell.name
        if cell.feed != NULL:
            return not self.missing(cell.feed, row + self.reader.root.offset)
        value = <object>PyList_GET_ITEM(<PyObject*>cell.values, self.count + row)
        if self.nan_null and PyFloat_Check(<PyObject*>value):
            number = value
            return not isnan(number)
        return value is not None

    cdef object exact(self, object value):
        """A float of a list as int or Decimal; other values as they are."""
        cdef Number number
        if not PyFloat_Check(<PyObject*>value):
            return value
        if not self.floats:
            refuse_float()
        number_of_float(value, False, &number)
        return number_object(&number)

    cdef int number_read(self, const Feed* feed, int64_t row, Number* out) except -1:
        """The number in a cell; 0 when there is none in a column of this kind."""
        cdef char text[ARROW_DECIMAL_BYTES]
        cdef int64_t integer
        cdef int size
        if feed.kind == FEED_SIGNED or feed.kind == FEED_UNSIGNED:
            integer = feed_integer(feed, row)
            if feed.kind == FEED_UNSIGNED and integer < 0:
                out.high = 0
                out.exponent = 0
                out.negative = 0
                # 20 digits: one more than a word.
                size = 0
                out.low = zeros_trim(<uint64_t>integer, &size)
                out.exponent = size
                out.high = out.low // <uint64_t>10000000000000000000u
                out.low %= <uint64_t>10000000000000000000u
            else:
                number_of_integer(integer, out)
        elif feed.kind == FEED_FLOAT:
            if not self.floats:
                refuse_float()
            number_of_float(float_at(feed, row), feed.width == 4, out)
        elif feed.kind == FEED_DECIMAL:
            size = feed_decimal(feed, row, text)
            number_parse(<const uint8_t*>text, size, out)
        else:
            return 0
        return 1

    cdef int key_append(
        self, const Cell* cell, const KeyPart* part, int64_t row, Buffer* out, int64_t* size,
    ) except -1:
        """Append the bytes of a key; 1 when it is an ASCII string, else 0."""
        cdef const Feed* feed = cell.feed
        cdef Number number
        cdef const uint8_t* data = NULL
        cdef int64_t length = 0
        cdef int kind = TEXT_INVALID
        if not self.present(cell, row):
            raise ValidationError("a key attribute cannot be null")
        if feed == NULL:
            value = <object>PyList_GET_ITEM(<PyObject*>cell.values, self.count + row)
            return key_encode(part, self.exact(value), False, out, size)
        row += self.reader.root.offset
        cell_find(&feed, &row)
        if part.kind == c'N' and self.number_read(feed, row, &number):
            reserve(out, NUMBER_KEY_BYTES_MAX)
            out.size += number_key_encode(&number, out.data + out.size)
            size[0] += number_size(&number)
            return 0
        if (feed.kind == FEED_TEXT and part.kind == c'S') or (
                feed.kind == FEED_BINARY and part.kind == c'B'):
            bytes_find(feed, row, &data, &length)
            if length == 0 or length > part.size_max:
                # The usual way has the words for it.
                return key_encode(part, "x" * length if part.kind == c'S' else bytes(length), False,
                                  out, size)
            if part.kind == c'S':
                kind = text_check(data, length)
                if kind == TEXT_INVALID:
                    raise ValidationError("the string is not UTF-8")
            reserve(out, length)
            memcpy(out.data + out.size, data, length)
            out.size += length
            size[0] += length
            return kind == TEXT_ASCII
        raise ValidationError(f"the key is of type {chr(part.kind)}, and the column of another")

    cdef int value_append(self, const Feed* feed, int64_t row, Encoder* encoder) except -1:
        """Append the value in a cell that has one."""
        cdef const uint8_t* data = NULL
        cdef int64_t size = 0
        cdef Number number
        cell_find(&feed, &row)
        if feed.kind == FEED_TEXT or feed.kind == FEED_BINARY:
            bytes_find(feed, row, &data, &size)
            return bytes_append(data, size, feed.kind == FEED_BINARY, encoder)
        if feed.kind == FEED_BOOL:
            size = feed.offset + row
            return tag_append(
                TAG_TRUE if (<const uint8_t*>feed.buffers[0])[size >> 3] >> (size & 7) & 1
                else TAG_FALSE, encoder)
        if feed.kind == FEED_LIST:
            return self.list_append(feed, row, encoder)
        if feed.kind == FEED_STRUCT:
            return self.struct_append(feed, row, encoder)
        if feed.kind == FEED_SIGNED:
            return integer_append(feed_integer(feed, row), encoder)
        self.number_read(feed, row, &number)
        return number_append(&number, encoder)

    cdef int list_append(self, const Feed* feed, int64_t row, Encoder* encoder) except -1:
        cdef int64_t first = 0, count = 0, index
        cdef size_t start
        if feed_list(feed, row, &first, &count) < 0:
            raise ValidationError("the Arrow data is damaged: a list lies outside of its elements")
        start = container_open(encoder, TAG_LIST, count)
        for index in range(count):
            if encoder.level <= DEPTH_MAX:
                encoder.path[encoder.level] = NULL
                encoder.index[encoder.level] = index
            if self.missing(feed.children, first + index):
                tag_append(TAG_NULL, encoder)
            else:
                self.value_append(feed.children, first + index, encoder)
        return container_close(encoder, start)

    cdef int struct_append(self, const Feed* feed, int64_t row, Encoder* encoder) except -1:
        cdef int64_t index, count = 0
        cdef size_t start
        row += feed.offset
        for index in range(feed.child_count):
            count += not self.missing(&feed.children[index], row)
        start = container_open(encoder, TAG_MAP, count)
        for index in range(feed.child_count):
            if not self.missing(&feed.children[index], row):
                encoder_name(encoder, self.codec.names, <PyObject*>feed.children[index].name)
                self.value_append(&feed.children[index], row, encoder)
        return container_close(encoder, start)

    cdef int row_append(self, int64_t row, Buffer* out) except -1:
        """Append the record of a row of the batch in hand."""
        cdef size_t start = out.size
        cdef size_t mark
        cdef int64_t index, count = 0
        cdef Cell* cell
        cdef Record header
        cdef Encoder encoder
        encoder_open(&encoder, out)
        memset(&header, 0, sizeof(Record))
        reserve(out, RECORD_HEADER_BYTES)
        out.size += RECORD_HEADER_BYTES
        mark = out.size
        if self.key_append(&self.hash_cell, &self.codec.hash_part, row, out, &encoder.item_size):
            header.flags = RECORD_HASH_ASCII
        header.hash_size = <uint16_t>(out.size - mark)
        if self.range_cell.name != NULL:
            mark = out.size
            if self.key_append(&self.range_cell, &self.codec.range_part, row, out,
                               &encoder.item_size):
                header.flags |= RECORD_RANGE_ASCII
            header.range_size = <uint16_t>(out.size - mark)
        encoder.item_size += self.codec.hash_part.name_size + self.codec.range_part.name_size
        for index in range(self.cell_count):
            cell = &self.cells[index]
            count += cell.always or self.present(cell, row)
        reserve(out, TAG_BYTES_MAX)
        out.size += varint_write(out.data + out.size, count)
        for index in range(self.cell_count):
            cell = &self.cells[index]
            self.at = cell.name
            if not (cell.always or self.present(cell, row)):
                continue
            count -= 1
            encoder_name(&encoder, self.codec.names, <PyObject*>cell.name)
            if cell.feed != NULL:
                self.value_append(cell.feed, row + self.reader.root.offset, &encoder)
            else:
                value = self.exact(
                    <object>PyList_GET_ITEM(<PyObject*>cell.values, self.count + row))
                encoder_value(&encoder, self.codec.names, <PyObject*>value)
        self.at = NULL
        if count != 0:
            raise ValidationError("the columns were changed while they were being stored")
        if encoder.item_size > ITEM_SIZE_MAX or out.size - start > RECORD_SIZE_MAX:
            raise ItemTooLarge("Item size has exceeded the maximum allowed size: "
                               f"{encoder.item_size} bytes of at most {ITEM_SIZE_MAX}")
        header.size_bytes = <uint32_t>(out.size - start)
        header.kind = RECORD_PUT
        header.item_size = <uint32_t>encoder.item_size
        memcpy(out.data + start, &header, sizeof(Record))
        return 0

    cdef int write_rows(self, int64_t count) except -1:
        """Write the rows of the batch in hand."""
        cdef Batch batch = self.batch
        cdef const Feed* feed
        cdef size_t start = 0
        cdef int64_t row
        for row in range(self.cell_count):
            feed = self.cells[row].feed
            self.cells[row].always = (
                feed != NULL and feed.valid == NULL and feed.kind != FEED_NULL
                and feed.dictionary == NULL and not (self.nan_null and feed.kind == FEED_FLOAT))
        for row in range(count):
            batch.begin()
            start = batch.frame.size
            try:
                self.row_append(row, &batch.frame)
            except ValidationError as error:
                batch.frame.size = start
                where = f"row {self.count + row}"
                if self.at != NULL:
                    where += f", column {<object><PyObject*>self.at!r}"
                raise type(error)(f"{where}: {error} ({self.so_far()})") from None
            except BaseException:
                batch.frame.size = start
                raise
            finally:
                batch.busy = False
            batch.end(start)
            if batch.count == 0:
                self.written = self.count + row + 1
                PyErr_CheckSignals()
        return 0

    cdef str so_far(self):
        if self.written == 0:
            return "no row is written"
        return f"the first {self.written} rows are written"

    cdef bint advance(self) except -1:
        """Move on to the reader's next rows; 0 at the end."""
        try:
            return self.reader.advance()
        except ValidationError as error:
            raise ValidationError(f"{error} ({self.so_far()})") from None

    def write(self):
        """Write all rows; return their number. Raises what Batch.put raises."""
        cdef int64_t rows = len(self.lists[0]) if self.lists else -1
        if self.reader is None:
            self.write_rows(rows)
            self.count = rows
            return rows
        while self.advance():
            if 0 <= rows < self.count + self.reader.count:
                raise ValidationError(f"the columns have {self.count + self.reader.count} rows and "
                                      f"{rows}")
            self.write_rows(self.reader.count)
            self.count += self.reader.count
        if rows > self.count:
            raise ValidationError(f"the columns have {self.count} rows and {rows}")
        return self.count


cdef int refuse_float() except -1:
    raise ValidationError("a float is not exact, and floats='refuse': round it and cast it to a "
                          "decimal, or say floats='decimal' to take the digits that repr shows")


cdef double float_at(const Feed* feed, int64_t row) noexcept:
    cdef const uint8_t* data = <const uint8_t*>feed.buffers[0] + (feed.offset + row) * feed.width
    cdef float single
    cdef double value
    if feed.width == 4:
        memcpy(&single, data, 4)
        return single
    memcpy(&value, data, 8)
    return value
