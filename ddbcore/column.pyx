"""A column: one attribute of many items, as it grows from item bytes and when it is done.

Theory of operation
    What a column is follows from the values met: it begins as nothing, becomes what its first value
    is, and goes from int64 to double (or, when exact, to Number) at the first number that asks for
    it, with the rows it has. A value of another type is refused with ERR_MIXED. Lists, maps and
    sets, and all values of a column that may be mixed, stay encoded and are decoded when asked for.

    A finished column is three blocks of bytes that others may view: NumPy makes arrays of them, and
    they are laid out as Arrow wants them, but for the bits that Arrow packs.

Invariants
    1. `valid` has a byte for each row, `values` an element (offsets: one more).
    2. Text in a column is UTF-8, whatever the record says: others are handed it as such.

Threads
    The kernels need no GIL; a growing column belongs to one thread. Finished columns are constant,
    and their bytes belong to whoever views them.
"""

from cpython.buffer cimport (
    PyBUF_FORMAT, PyBUF_ND, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer,
)
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t
from libc.string cimport memcpy, memset

from ddbcore.buffer cimport buffer_free, buffer_reserve, load_u16, load_u32
from ddbcore.decoder cimport Decoder, decoder_ascii, decoder_open, decoder_raise, decoder_utf8
from ddbcore.number cimport Number, number_decode, number_key_decode, number_object
from ddbcore.operand cimport (
    FORM_KEY, FORM_TAGGED, TYPE_ABSENT, TYPE_B, TYPE_BOOL, TYPE_N, TYPE_NULL, TYPE_S,
    operand_integer,
)
from ddbcore.pyapi cimport PyObject, Py_DECREF
from ddbcore.status cimport ERR_CORRUPT, ERR_MEMORY
from ddbcore.value cimport (
    TAG_DECIMAL16, TAG_DECIMAL32, TAG_TRUE, TEXT_ASCII, TEXT_INVALID, text_check,
)
from ddbcore.words cimport POWERS, WORD_DIGITS, magnitude_of, zeros_trim

from ddbcore.errors import ValidationError

cdef extern from *:
    """
    #include <math.h>
    #include <stdio.h>
    #include <stdlib.h>
    /* The powers of ten that a double holds exactly. */
    static const double column_tens[23] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    /* Digits and exponent only: no point, so no locale has a say. */
    static double column_parse(unsigned long long high, unsigned long long low, int exponent) {
        char text[64];
        if (high) snprintf(text, sizeof text, "%llu%019lluE%d", high, low, exponent);
        else snprintf(text, sizeof text, "%lluE%d", low, exponent);
        return strtod(text, NULL);
    }
    static char column_byte[] = "B";
    #define COLUMN_NAN NAN
    #define COLUMN_EXACT (1ULL << 53)
    #if defined(__linux__)
    #include <sys/mman.h>
    /* Pages of 2 MiB for the part of a buffer that can have them; a wish, no more. */
    static void column_enlarge(unsigned char* data, size_t size) {
        size_t page = 2097152, skip = (page - (size_t)data % page) % page;
        if (size >= skip + page) madvise(data + skip, (size - skip) / page * page, MADV_HUGEPAGE);
    }
    #else
    #define column_enlarge(data, size) ((void)0)
    #endif
    """
    const double* TENS "column_tens"
    char* BYTE_FORMAT "column_byte"
    void column_enlarge(uint8_t* data, size_t size) noexcept nogil
    double column_parse(uint64_t high, uint64_t low, int exponent) noexcept nogil
    const double NOT_A_NUMBER "COLUMN_NAN"
    const uint64_t EXACT_MAX "COLUMN_EXACT"       # integers up to here are doubles

cdef enum:
    TENS_MAX = 22
    DECIMAL_DIGITS = 38
    LARGE_BYTES = 4194304                 # a buffer from here on asks for large pages

cdef object TEN = 10
cdef object RADIX_OBJECT = TEN ** <object>WORD_DIGITS
cdef tuple KIND_NAMES = ("null", "int64", "float64", "number", "bool", "text", "binary", "object")


# -- numbers ---------------------------------------------------------------------------------------


cdef double number_float(uint64_t high, uint64_t low, int exponent, bint negative) noexcept nogil:
    cdef double value
    # Both sides are exact doubles, so one division or product rounds once: to the nearest.
    if high == 0 and low <= EXACT_MAX and -TENS_MAX <= exponent <= TENS_MAX:
        value = <double>low
        value = value / TENS[-exponent] if exponent < 0 else value * TENS[exponent]
    else:
        value = column_parse(high, low, exponent)
    return -value if negative else value


cdef inline int operand_number(const Operand* found, Number* out) noexcept nogil:
    if found.form == FORM_KEY:
        return number_key_decode(found.data, found.size, out)
    return 0 if number_decode(found.data, found.data + found.size, out) >= 0 else ERR_CORRUPT


# 1 and *out when the number is an int64, else 0.
cdef inline bint number_integer(const Number* number, int64_t* out) noexcept nogil:
    cdef uint64_t bound = (<uint64_t>1 << 63) - (number.negative == 0)
    if number.high or number.exponent < 0 or number.exponent >= WORD_DIGITS:
        return False
    if number.low > bound // POWERS[number.exponent]:
        return False
    out[0] = <int64_t>(number.low * POWERS[number.exponent])
    if number.negative:
        out[0] = <int64_t>(0 - <uint64_t>out[0])
    return True


cdef inline void number_of_integer(int64_t value, Number* out) noexcept nogil:
    out.high = 0
    out.exponent = 0
    out.negative = value < 0
    out.low = magnitude_of(value)
    if out.low:
        out.low = zeros_trim(out.low, &out.exponent)


# -- kernels ---------------------------------------------------------------------------------------


cdef void memory_enlarge(uint8_t* data, size_t size) noexcept nogil:
    if size >= LARGE_BYTES:
        column_enlarge(data, size)


cdef int room_grow(Buffer* buffer, size_t extra) noexcept nogil:
    if buffer_reserve(buffer, extra) != 0:
        return ERR_MEMORY
    memory_enlarge(buffer.data, buffer.capacity)
    return 0


# Make room for `extra` more bytes.
cdef inline int room(Buffer* buffer, size_t extra) noexcept nogil:
    return 0 if buffer.capacity - buffer.size >= extra else room_grow(buffer, extra)


cdef inline size_t kind_width(uint8_t kind) noexcept nogil:
    if kind == KIND_NONE:
        return 0
    if kind == KIND_NUMBER:
        return sizeof(Number)
    return 1 if kind == KIND_BOOL else 8


# Set up a column that had no value so far; its rows get none.
cdef int column_open(Column* column, uint8_t type) noexcept nogil:
    cdef size_t rows = column.valid.size
    cdef size_t size
    column.type = type
    if column.untyped:
        column.kind = KIND_OBJECT
    elif type == TYPE_N:
        column.kind = KIND_INTEGER
    elif type == TYPE_S:
        column.kind = KIND_TEXT
    elif type == TYPE_B:
        column.kind = KIND_BINARY
    else:
        column.kind = KIND_BOOL if type == TYPE_BOOL else KIND_OBJECT
    size = rows * kind_width(column.kind)
    if column.kind >= KIND_TEXT:
        size += 8
    if (room(&column.values, size + 8) != 0
            or room(&column.values, column.expected * kind_width(column.kind)) != 0):
        return ERR_MEMORY
    memset(column.values.data, 0, size)
    column.values.size = size
    return 0


# From int64 to double or Number, with the rows there are.
cdef int column_widen(Column* column) noexcept nogil:
    cdef size_t rows = column.values.size // 8
    cdef size_t row
    cdef Buffer wide
    cdef int64_t* source = <int64_t*>column.values.data
    memset(&wide, 0, sizeof(Buffer))
    if not column.exact:
        for row in range(rows):
            if column.valid.data[row]:
                (<double*>source)[row] = <double>source[row]
            else:
                (<double*>source)[row] = NOT_A_NUMBER
        column.kind = KIND_FLOAT
        return 0
    if buffer_reserve(&wide, (rows + 1) * sizeof(Number)) != 0:
        return ERR_MEMORY
    for row in range(rows):
        number_of_integer(source[row], &(<Number*>wide.data)[row])
    wide.size = rows * sizeof(Number)
    buffer_free(&column.values)
    column.values = wide
    column.kind = KIND_NUMBER
    return 0


cdef int column_skip(Column* column) noexcept nogil:
    cdef size_t width = kind_width(column.kind)
    if room(&column.valid, 1) != 0 or room(&column.values, width) != 0:
        return ERR_MEMORY
    column.valid.data[column.valid.size] = 0
    column.valid.size += 1
    column.absent_count += 1
    if column.kind == KIND_NONE:
        return 0
    if column.kind >= KIND_TEXT:
        memcpy(column.values.data + column.values.size, &column.data.size, 8)
    elif column.kind == KIND_FLOAT:
        (<double*>(column.values.data + column.values.size))[0] = NOT_A_NUMBER
    else:
        memset(column.values.data + column.values.size, 0, width)
    column.values.size += width
    return 0


# The usual case: a small scaled decimal for a column of doubles. 1, or 0 when it is another.
cdef inline bint scaled_add(Column* column, const Operand* found) noexcept nogil:
    cdef const uint8_t* data = found.data
    cdef int exponent
    cdef double value
    if column.kind != KIND_FLOAT or found.form != FORM_TAGGED:
        return False
    if data[0] == TAG_DECIMAL32:
        value = <double><int32_t>load_u32(data + 2)
    elif data[0] == TAG_DECIMAL16:
        value = <double><int16_t>load_u16(data + 2)
    else:
        return False
    exponent = <int8_t>data[1]
    if not -TENS_MAX <= exponent < 0 or room(&column.values, 8) != 0:
        return False
    (<double*>(column.values.data + column.values.size))[0] = value / TENS[-exponent]
    column.values.size += 8
    return True


cdef int column_add_number(Column* column, const Operand* found) noexcept nogil:
    cdef Number number
    cdef int64_t integer = 0
    cdef bint whole
    if scaled_add(column, found):
        return 0
    whole = operand_integer(found, &integer)
    if not whole:
        if operand_number(found, &number) < 0:
            return ERR_CORRUPT
        if column.kind == KIND_INTEGER:
            whole = number_integer(&number, &integer)
            if not whole and column_widen(column) < 0:
                return ERR_MEMORY
    elif column.kind == KIND_NUMBER:
        number_of_integer(integer, &number)
    if room(&column.values, sizeof(Number)) != 0:
        return ERR_MEMORY
    if column.kind == KIND_INTEGER:
        (<int64_t*>(column.values.data + column.values.size))[0] = integer
        column.values.size += 8
    elif column.kind == KIND_NUMBER:
        (<Number*>(column.values.data + column.values.size))[0] = number
        column.values.size += sizeof(Number)
    else:
        (<double*>(column.values.data + column.values.size))[0] = <double>integer if whole else (
            number_float(number.high, number.low, number.exponent, number.negative != 0))
        column.values.size += 8
    return 0


cdef int column_add_bytes(Column* column, const uint8_t* data, size_t size) noexcept nogil:
    # Some room, so that no bytes are not copied to nowhere.
    if room(&column.data, size + 1) != 0 or room(&column.values, 8) != 0:
        return ERR_MEMORY
    memcpy(column.data.data + column.data.size, data, size)
    column.data.size += size
    memcpy(column.values.data + column.values.size, &column.data.size, 8)
    column.values.size += 8
    return 0


cdef int column_add(Column* column, const Operand* found) noexcept nogil:
    cdef int status = 0
    if found.type == TYPE_ABSENT or found.type == TYPE_NULL:
        return column_skip(column)
    if column.kind == KIND_NONE:
        status = column_open(column, found.type)
        if status < 0:
            return status
    elif found.type != column.type and not column.untyped:
        return ERR_MIXED
    if room(&column.valid, 1) != 0:
        return ERR_MEMORY
    if column.kind <= KIND_NUMBER:
        status = column_add_number(column, found)
    elif column.kind == KIND_BOOL:
        if room(&column.values, 1) != 0:
            return ERR_MEMORY
        column.values.data[column.values.size] = found.data[0] == TAG_TRUE
        column.values.size += 1
    elif column.kind == KIND_OBJECT:
        # Keys have one type, and no encoded value.
        if found.raw == NULL:
            return ERR_MIXED
        status = column_add_bytes(column, found.raw, found.raw_size)
    else:
        if column.kind == KIND_TEXT and text_check(found.data, found.size) == TEXT_INVALID:
            return ERR_CORRUPT
        status = column_add_bytes(column, found.data, found.size)
    if status == 0:
        column.valid.data[column.valid.size] = 1
        column.valid.size += 1
    return status


cdef void column_free(Column* column) noexcept:
    buffer_free(&column.valid)
    buffer_free(&column.values)
    buffer_free(&column.data)


# -- finished columns ------------------------------------------------------------------------------


cdef Block block_take(Buffer* source):
    cdef Block made = Block.__new__(Block)
    made.bytes = source[0]
    memset(source, 0, sizeof(Buffer))
    return made


cdef Block block_make(size_t size):
    cdef Buffer zeros
    memset(&zeros, 0, sizeof(Buffer))
    if buffer_reserve(&zeros, size + 1) != 0:
        raise MemoryError
    memset(zeros.data, 0, size)
    zeros.size = size
    return block_take(&zeros)


cdef Block bits_make(Block source, uint64_t count):
    """Pack bytes of 0 and 1 into bits, lowest first."""
    cdef Block made = block_make((count + 7) // 8)
    cdef uint64_t row
    for row in range(count):
        made.bytes.data[row >> 3] |= <uint8_t>(source.bytes.data[row] << (row & 7))
    return made


cdef ColumnData column_finish(Column* column, ItemCodec codec):
    cdef ColumnData made = ColumnData.__new__(ColumnData)
    made.codec = codec
    made.count = column.valid.size
    made.absent_count = column.absent_count
    made.kind_number = column.kind
    made.valid = block_take(&column.valid)
    made.values = block_take(&column.values)
    made.data = block_take(&column.data)
    column.absent_count = 0
    column.kind = KIND_NONE
    return made


cdef class Block:

    def __dealloc__(self):
        buffer_free(&self.bytes)

    def __len__(self):
        return self.bytes.size

    def __getbuffer__(self, Py_buffer* view, int flags):
        self.shape[0] = self.bytes.size
        self.strides[0] = 1
        view.buf = self.bytes.data if self.bytes.data != NULL else <void*>self.shape
        view.obj = self
        view.len = self.bytes.size
        view.readonly = 0
        view.itemsize = 1
        view.format = BYTE_FORMAT if flags & PyBUF_FORMAT else NULL
        view.ndim = 1
        view.shape = self.shape if flags & PyBUF_ND else NULL
        view.strides = self.strides if flags & PyBUF_STRIDES == PyBUF_STRIDES else NULL
        view.suboffsets = NULL
        view.internal = NULL


cdef class ColumnData:

    @property
    def kind(self):
        """One of KIND_NAMES."""
        return KIND_NAMES[self.kind_number]

    cdef object number_at(self, uint64_t row):
        return number_object(&(<const Number*>self.values.bytes.data)[row])

    cdef object digits_at(self, uint64_t row):
        """The coefficient of a number, as int."""
        cdef const Number* number = &(<const Number*>self.values.bytes.data)[row]
        return <object>number.high * RADIX_OBJECT + <object>number.low

    def objects(self):
        """Return the values as a new list of Python objects, None where there is none.

        For the kinds text, binary, number and object. Raises CorruptError.
        """
        cdef list made = []
        cdef Decoder decoder
        cdef uint8_t fresh = 0
        cdef uint64_t row
        cdef bint is_ascii = self.begin(&decoder, &fresh)
        for row in range(self.count):
            made.append(self.object_at(row, &decoder, is_ascii))
        return made

    def fill(self, array):
        """Put the values into an array of objects with as many elements as there are rows.

        array: a NumPy array of dtype object, contiguous. Raises CorruptError, ValueError.
        """
        cdef Decoder decoder
        cdef Py_buffer view
        cdef PyObject** slots
        cdef PyObject* old
        cdef uint8_t fresh = 0
        cdef uint64_t row
        cdef object value
        cdef bint is_ascii = self.begin(&decoder, &fresh)
        PyObject_GetBuffer(array, &view, PyBUF_WRITABLE | PyBUF_FORMAT | PyBUF_ND)
        try:
            if view.format == NULL or view.format[0] != c'O' or view.format[1] != 0 or (
                    view.len != <Py_ssize_t>(self.count * sizeof(PyObject*))):
                raise ValueError("fill needs an array of objects of the column's length")
            slots = <PyObject**>view.buf
            for row in range(self.count):
                value = self.object_at(row, &decoder, is_ascii)
                Py_INCREF(value)
                old = slots[row]
                slots[row] = <PyObject*>value
                if old != NULL:
                    Py_DECREF(old)
        finally:
            PyBuffer_Release(&view)

    cdef bint begin(self, Decoder* decoder, uint8_t* fresh) noexcept:
        decoder_open(decoder, &self.codec.memory)
        decoder.fresh = fresh
        return self.kind_number == KIND_TEXT and text_check(
            self.data.bytes.data, self.data.bytes.size) == TEXT_ASCII

    cdef object object_at(self, uint64_t row, Decoder* decoder, bint is_ascii):
        cdef const int64_t* offsets = <const int64_t*>self.values.bytes.data
        cdef const uint8_t* data = self.data.bytes.data
        cdef object value
        cdef PyObject* text
        cdef size_t size
        if not self.valid.bytes.data[row]:
            return None
        if self.kind_number == KIND_NUMBER:
            return self.number_at(row)
        size = offsets[row + 1] - offsets[row]
        if self.kind_number == KIND_OBJECT:
            return self.codec.decode_value(data + offsets[row], size)
        if self.kind_number == KIND_BINARY:
            return (<const char*>data)[offsets[row]:offsets[row + 1]]
        if is_ascii:
            text = decoder_ascii(decoder, data + offsets[row], size)
        else:
            text = decoder_utf8(decoder, data + offsets[row], size)
        if text == NULL:
            decoder_raise(decoder)
        value = <object>text
        Py_DECREF(text)
        return value

    cdef tuple decimals(self):
        """The numbers as Arrow has them: format and buffer."""
        cdef const Number* numbers = <const Number*>self.values.bytes.data
        cdef uint64_t row
        cdef int scale = 0, whole = 0, digits
        for row in range(self.count):
            if not self.valid.bytes.data[row]:
                continue
            digits = len(str(self.digits_at(row)))
            scale = max(scale, -numbers[row].exponent)
            whole = max(whole, digits + numbers[row].exponent)
        if scale + whole > DECIMAL_DIGITS:
            raise ValidationError(
                f"its numbers need {scale + whole} digits in one decimal type, and decimal128 has "
                f"{DECIMAL_DIGITS}: read it without exact=True")
        made = bytearray()
        for row in range(self.count):
            value = self.digits_at(row)
            if value:
                value *= TEN ** (numbers[row].exponent + scale)
            made += (-value if numbers[row].negative else value).to_bytes(16, "little", signed=True)
        return f"d:{DECIMAL_DIGITS},{scale}", made

    def arrow(self):
        """Return the column as the Arrow C data interface has it: its format, and its buffers.

        The first buffer is the validity bitmap, None when all rows are valid. Raises
        ValidationError for a column of objects.
        """
        cdef Block valid = bits_make(self.valid, self.count) if self.absent_count else None
        if self.kind_number == KIND_NONE:
            return "n", ()
        if self.kind_number == KIND_INTEGER:
            return "l", (valid, self.values)
        if self.kind_number == KIND_FLOAT:
            return "g", (valid, self.values)
        if self.kind_number == KIND_BOOL:
            return "b", (valid, bits_make(self.values, self.count))
        if self.kind_number == KIND_NUMBER:
            kind, values = self.decimals()
            return kind, (valid, values)
        if self.kind_number == KIND_OBJECT:
            raise ValidationError("its values are lists, maps, sets, or of several types, which "
                                  "have no Arrow type here: read what is inside, or leave it out")
        return "U" if self.kind_number == KIND_TEXT else "Z", (valid, self.values, self.data)
