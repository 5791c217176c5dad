"""Columns: attributes of many items as arrays, taken from item bytes.

Theory of operation
    A reading goes batch by batch. With the GIL it lets its cursor gather addresses, looks up the
    records and pins the engine, so that they stay where they are; records never change. Without
    the GIL it then decides the filter over each, finds the attributes wanted in one walk and
    appends their values to buffers. No object is made of an item.

    What a column is follows from the values met: it begins as nothing, becomes what its first value
    is, and goes from int64 to double (or, when exact, to Number) at the first number that asks for
    it, with the rows it has. Lists, maps and sets stay encoded, and are decoded when asked for.

Invariants
    1. All columns have the same number of rows; `valid` has a byte for each.
    2. Text in a column is UTF-8, whatever the record says: others are handed it as such.
    3. Fields are bound to all names that the records of a batch can have.

Threads
    A reading belongs to one thread. Finished columns are constant; their bytes belong to whoever
    views them.
"""

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBUF_STRIDES
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int8_t, int16_t, int32_t, uint16_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from ddbcore.binding cimport (
    Naming, USE_OUTER, elements_bind, naming_bind, paths_load,
)
from ddbcore.buffer cimport buffer_free, buffer_reserve, load_u16, load_u32
from ddbcore.decoder cimport Decoder, decoder_ascii, decoder_open, decoder_raise, decoder_utf8
from ddbcore.engine cimport Engine
from ddbcore.number cimport Number, number_decode, number_key_decode, number_object
from ddbcore.operand cimport (
    FORM_KEY, FORM_TAGGED, TYPE_ABSENT, TYPE_B, TYPE_BOOL, TYPE_N, TYPE_NULL, TYPE_S, fields_find,
    list_find, map_find, operand_integer,
)
from ddbcore.pyapi cimport PyObject, Py_DECREF
from ddbcore.segments cimport record_at
from ddbcore.status cimport ERR_CORRUPT, ERR_MEMORY
from ddbcore.steps cimport condition_eval
from ddbcore.table cimport CoreTable
from ddbcore.value cimport (
    TAG_DECIMAL16, TAG_DECIMAL32, TAG_TRUE, TEXT_ASCII, TEXT_INVALID, text_check,
)
from ddbcore.words cimport POWERS, WORD_DIGITS, magnitude_of, zeros_trim

from sys import intern

from ddbcore.errors import ValidationError

cdef extern from *:
    """
    #include <math.h>
    #include <stdio.h>
    #include <stdlib.h>
    /* The powers of ten that a double holds exactly. */
    static const double columns_tens[23] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    /* Digits and exponent only: no point, so no locale has a say. */
    static double columns_parse(unsigned long long high, unsigned long long low, int exponent) {
        char text[64];
        if (high) snprintf(text, sizeof text, "%llu%019lluE%d", high, low, exponent);
        else snprintf(text, sizeof text, "%lluE%d", low, exponent);
        return strtod(text, NULL);
    }
    static char columns_byte[] = "B";
    #define COLUMNS_NAN NAN
    #define COLUMNS_EXACT (1ULL << 53)
    """
    const double* TENS "columns_tens"
    char* BYTE_FORMAT "columns_byte"
    double columns_parse(uint64_t high, uint64_t low, int exponent) noexcept nogil
    const double NOT_A_NUMBER "COLUMNS_NAN"
    const uint64_t EXACT_MAX "COLUMNS_EXACT"       # integers up to here are doubles

cdef enum:
    ERR_MIXED = -20                       # a value of another type than the column's
    TENS_MAX = 22
    DECIMAL_DIGITS = 38

cdef object TEN = 10
cdef object RADIX_OBJECT = TEN ** <object>WORD_DIGITS
cdef tuple TYPE_NAMES = ("", "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")
cdef tuple KIND_NAMES = ("null", "int64", "float64", "number", "bool", "text", "binary", "object")


# -- numbers ---------------------------------------------------------------------------------------


cdef double number_float(uint64_t high, uint64_t low, int exponent, bint negative) noexcept nogil:
    cdef double value
    # Both sides are exact doubles, so one division or product rounds once: to the nearest.
    if high == 0 and low <= EXACT_MAX and -TENS_MAX <= exponent <= TENS_MAX:
        value = <double>low
        value = value / TENS[-exponent] if exponent < 0 else value * TENS[exponent]
    else:
        value = columns_parse(high, low, exponent)
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
    if buffer_reserve(&column.values, size + 8) != 0:
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
    if buffer_reserve(&column.valid, 1) != 0 or buffer_reserve(&column.values, width) != 0:
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
    if not -TENS_MAX <= exponent < 0 or buffer_reserve(&column.values, 8) != 0:
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
    if buffer_reserve(&column.values, sizeof(Number)) != 0:
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
    if buffer_reserve(&column.data, size + 1) != 0 or buffer_reserve(&column.values, 8) != 0:
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
    if buffer_reserve(&column.valid, 1) != 0:
        return ERR_MEMORY
    if column.kind <= KIND_NUMBER:
        status = column_add_number(column, found)
    elif column.kind == KIND_BOOL:
        if buffer_reserve(&column.values, 1) != 0:
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
        cdef const int64_t* offsets = <const int64_t*>self.values.bytes.data
        cdef const uint8_t* data = self.data.bytes.data
        cdef uint64_t row
        cdef size_t size
        cdef bint is_ascii = False
        cdef Decoder decoder
        cdef uint8_t fresh = 0
        cdef PyObject* text
        decoder_open(&decoder, &self.codec.memory)
        decoder.fresh = &fresh
        if self.kind_number == KIND_TEXT:
            is_ascii = text_check(data, self.data.bytes.size) == TEXT_ASCII
        for row in range(self.count):
            if not self.valid.bytes.data[row]:
                made.append(None)
                continue
            if self.kind_number == KIND_NUMBER:
                made.append(self.number_at(row))
                continue
            size = offsets[row + 1] - offsets[row]
            if self.kind_number == KIND_OBJECT:
                made.append(self.codec.decode_value(data + offsets[row], size))
                continue
            if self.kind_number == KIND_BINARY:
                made.append((<const char*>data)[offsets[row]:offsets[row + 1]])
                continue
            if is_ascii:
                text = decoder_ascii(&decoder, data + offsets[row], size)
            else:
                text = decoder_utf8(&decoder, data + offsets[row], size)
            if text == NULL:
                decoder_raise(&decoder)
            made.append(<object>text)
            Py_DECREF(text)
        return made

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


# -- reading ---------------------------------------------------------------------------------------


cdef class ColumnReader:
    """One reading of columns from a cursor, which it uses up.

    paths: as the compiler writes them, with numbers of `names`, which are distinct. untyped: by
    column, whether it takes values of all types. program: the condition, with its names and values.
    limit: rows to take at most.
    """

    def __cinit__(self, Cursor cursor not None, tuple paths not None, tuple names not None,
                  tuple untyped not None, *, bint exact=False, program=None, condition_names=None,
                  condition_values=None, limit=None):
        cdef uint32_t index
        if not 0 < len(paths) <= COLUMN_COUNT_MAX or len(untyped) != len(paths):
            raise ValidationError(f"1 to {COLUMN_COUNT_MAX} columns are read at a time, "
                                  f"not {len(paths)}")
        self.cursor = cursor
        self.program = program
        self.condition_names = condition_names
        self.condition_values = condition_values
        self.wanted = -1 if limit is None else limit
        self.name_objects = [intern(name) for name in names]
        paths_load(paths, <uint32_t>len(names), &self.paths, &self.path_elements,
                   &self.element_count)
        self.column_count = <uint32_t>len(paths)
        self.columns = <Column*>calloc(self.column_count, sizeof(Column))
        self.uses = <uint8_t*>calloc(len(names) + 1, 1)
        self.fields = <Field*>malloc((len(names) + 1) * sizeof(Field))
        self.field_names = <void**>malloc((len(names) + 1) * sizeof(void*))
        self.elements = <PathElement*>malloc((self.element_count + 1) * sizeof(PathElement))
        self.found = <Operand*>malloc((len(names) + 1) * sizeof(Operand))
        if (self.columns == NULL or self.uses == NULL or self.fields == NULL
                or self.field_names == NULL or self.elements == NULL or self.found == NULL):
            raise MemoryError
        for index in range(self.column_count):
            self.columns[index].exact = exact
            self.columns[index].untyped = untyped[index]
            self.uses[self.paths[index].name] |= USE_OUTER
        self.bind()

    def __dealloc__(self):
        cdef uint32_t index
        if self.columns != NULL:
            for index in range(self.column_count):
                column_free(&self.columns[index])
        free(self.columns)
        free(self.paths)
        free(self.path_elements)
        free(self.fields)
        free(self.elements)
        free(self.field_names)
        free(self.uses)
        free(self.found)

    cdef int bind(self) except -1:
        """Bind fields, and the filter, to the names that the keyspace has now."""
        cdef ItemCodec codec = self.cursor.table.codec
        cdef Naming naming
        cdef Column* column
        cdef uint32_t index
        cdef uint32_t interned = <uint32_t>len(codec.names.names)
        cdef uint32_t count = <uint32_t>len(self.name_objects)
        if self.program is not None:
            if self.condition is None or codec is not self.codec:
                self.condition = Filter(self.program, codec, self.condition_names,
                                        self.condition_values, partial=True)
            self.condition = self.condition.fresh()
            self.bound = self.condition.bound
        naming.count = count
        naming.uses = self.uses
        naming.field_names = self.field_names
        naming.fields = self.fields
        naming.table = &self.table
        naming.field_of = <uint16_t*>malloc((count + 1) * sizeof(uint16_t))
        naming.objects = <void**>malloc((count + 1) * sizeof(void*))
        try:
            if naming.field_of == NULL or naming.objects == NULL:
                raise MemoryError
            for index in range(count):
                naming.objects[index] = <void*><PyObject*>self.name_objects[index]
            naming_bind(codec, &naming)
            elements_bind(self.path_elements, self.element_count, &naming, self.elements)
            for index in range(self.column_count):
                column = &self.columns[index]
                column.field = naming.field_of[self.paths[index].name]
                column.elements = &self.elements[self.paths[index].start]
                column.element_count = self.paths[index].count
        finally:
            free(naming.field_of)
            free(naming.objects)
        self.codec = codec
        self.interned_count = interned
        return 0

    cdef int gather(self) except -1:
        """Fill the batch with the records that follow. The engine must be pinned."""
        cdef Cursor cursor = self.cursor
        cdef CoreTable table = cursor.table
        cdef const Record* record
        cdef uint32_t index, count
        self.batch_count = self.batch_next = 0
        while (self.batch_count + 128 <= BATCH_COUNT and not cursor.finished
               and cursor.remaining != 0):
            if not cursor.regather():
                cursor.finished = True
                break
            count = cursor.window_count
            if 0 <= cursor.remaining < count:
                count = <uint32_t>cursor.remaining
            for index in range(count):
                cursor.prefetch(index)
            for index in range(count):
                record = record_at(&table.engine.log.view, cursor.window[index])
                if record == NULL:
                    table.engine.fail(ERR_CORRUPT, f"walking table {table.name}")
                if not cursor.inside(record):
                    cursor.finished = True
                    break
                self.batch[self.batch_count] = record
                self.batch_count += 1
                if cursor.remaining > 0:
                    cursor.remaining -= 1
            cursor.window_next = cursor.window_count
            if self.batch_count > 0:
                cursor.remember(self.batch[self.batch_count - 1])
        return self.batch_count

    cdef int take_record(self, const Record* record) noexcept nogil:
        cdef const uint8_t* data = <const uint8_t*>record
        cdef Column* column
        cdef Operand inner, next
        cdef const Operand* value
        cdef const PathElement* element
        cdef uint32_t index, depth
        cdef int status
        if fields_find(&self.table, data, record.size_bytes, self.found) < 0:
            return ERR_CORRUPT
        for index in range(self.column_count):
            column = &self.columns[index]
            value = &self.found[column.field]
            if column.element_count:
                inner = value[0]
                for depth in range(column.element_count):
                    element = &column.elements[depth]
                    if element.indexed:
                        status = list_find(&inner, element.key, &next)
                    else:
                        status = map_find(&inner, &self.fields[element.number], &next)
                    if status < 0:
                        return status
                    inner = next
                value = &inner
            status = column_add(column, value)
            if status < 0:
                self.conflict_column = index
                self.conflict_type = value.type
                return status
        return 0

    cdef int take(self) noexcept nogil:
        cdef const Record* record
        cdef int status
        while self.batch_next < self.batch_count and self.wanted != 0:
            record = self.batch[self.batch_next]
            if self.bound != NULL:
                status = condition_eval(self.bound, <const uint8_t*>record, record.size_bytes)
                if status <= 0:
                    if status < 0:
                        return status
                    self.batch_next += 1
                    continue
            status = self.take_record(record)
            if status < 0:
                return status
            self.batch_next += 1
            self.count += 1
            if self.wanted > 0:
                self.wanted -= 1
        return 0

    def read(self):
        """Read to the end, or the limit; return a list of ColumnData.

        None when the types of a column's values differ: `conflict` tells. Raises CorruptError,
        MemoryError, DatabaseClosed, TableNotFound.
        """
        cdef CoreTable table = self.cursor.table
        cdef Engine engine = table.engine
        cdef const Record* record
        cdef int status = 0
        while self.wanted != 0:
            table.enter()
            engine.pins += 1
            try:
                if self.gather() == 0:
                    break
                if (self.codec is not table.codec
                        or self.interned_count != <uint32_t>len(table.codec.names.names)):
                    self.bind()
                with nogil:
                    status = self.take()
                if status == ERR_MIXED:
                    record = self.batch[self.batch_next]
                    self.conflict = (
                        self.conflict_column,
                        TYPE_NAMES[self.columns[self.conflict_column].type],
                        TYPE_NAMES[self.conflict_type],
                        table.codec.decode_key(<const uint8_t*>record, record.size_bytes))
                    return None
                if status < 0:
                    engine.fail(status, f"reading columns of table {table.name}")
                if self.batch_next < self.batch_count:
                    # The limit is reached: the cursor's place is behind the last row.
                    self.cursor.remember(self.batch[self.batch_next - 1])
            finally:
                engine.unpin()
            PyErr_CheckSignals()
        return [self.finish(index) for index in range(self.column_count)]

    cdef ColumnData finish(self, uint32_t index):
        """Return a column as it is now, and begin it anew."""
        cdef ColumnData made = ColumnData.__new__(ColumnData)
        cdef Column* column = &self.columns[index]
        made.codec = self.codec
        made.count = column.valid.size
        made.absent_count = column.absent_count
        made.kind_number = column.kind
        made.valid = block_take(&column.valid)
        made.values = block_take(&column.values)
        made.data = block_take(&column.data)
        column.absent_count = 0
        column.kind = KIND_NONE
        return made
