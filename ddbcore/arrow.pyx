"""The Arrow C data interface: streams of columns out to others, and in from them.

Theory of operation
    The interface is three C structs that carry their own release functions, passed around in
    capsules. Out: a stream of one batch whose buffers are somebody's memory, held by their buffer
    interface until whoever took the batch releases it. In: a stream is moved out of its capsule,
    its schema becomes a tree of feeds, and each batch is attached to that tree after a check of
    all that can be checked: counts, offsets, which buffers there are. How long a buffer is the
    interface does not say; a size beyond an item's bound is refused before it is followed.

    Of what this engine has no type for (dates, times, maps, unions) the format is named and
    refused when the stream is opened, before a row is read.

Invariants
    1. A struct that was released has release NULL, and is not touched again.
    2. No feed refers to a batch that was released.

Threads
    Callbacks that others call take the GIL themselves; the rest is called with it. The kernels on
    feeds need none.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_IsValid, PyCapsule_New
from libc.stdint cimport int8_t, int16_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset, strlen

from ddbcore.pyapi cimport PyObject, Py_DECREF, Py_INCREF

from ddbcore.errors import ValidationError

cdef extern from "Python.h":
    int Py_IsInitialized() noexcept nogil

cdef enum:
    ERRNO_MEMORY = 12                     # ENOMEM
    FLAG_NULLABLE = 2
    EXPORT_BUFFERS_MAX = 3
    COLUMNS_MAX = 4096
    LEVEL_MAX = 32                        # nesting of a schema
    VIEW_INLINE_MAX = 12                  # bytes of a view's text that stands in the view itself

# Of one batch: so that no sum or product of offsets and lengths overflows.
cdef int64_t ROWS_MAX = <int64_t>1 << 40

cdef const char* STREAM_NAME = "arrow_array_stream"


# -- out -------------------------------------------------------------------------------------------


cdef struct ArrayState:
    PyObject* source                      # owned
    const void* buffers[EXPORT_BUFFERS_MAX]


cdef class _Source:
    """What a stream gives: names, formats and buffers, which it holds."""

    cdef list names                       # bytes
    cdef list formats                     # bytes
    cdef list null_counts
    cdef list places                      # by field: numbers of its buffers in views, -1 for none
    cdef Py_buffer* views
    cdef int64_t view_count
    cdef int64_t count

    def __cinit__(self, list fields, int64_t count):
        self.names, self.formats, self.null_counts, self.places = [], [], [], []
        self.count = count
        self.views = <Py_buffer*>calloc(len(fields) * EXPORT_BUFFERS_MAX + 1, sizeof(Py_buffer))
        if self.views == NULL:
            raise MemoryError
        for name, kind, null_count, buffers in fields:
            self.names.append(name.encode())
            self.formats.append(kind.encode())
            self.null_counts.append(null_count)
            places = []
            for buffer in buffers[:EXPORT_BUFFERS_MAX]:
                places.append(-1 if buffer is None else self.view_count)
                if buffer is not None:
                    PyObject_GetBuffer(buffer, &self.views[self.view_count], PyBUF_SIMPLE)
                    self.view_count += 1
            self.places.append(places)

    def __dealloc__(self):
        cdef int64_t index
        for index in range(self.view_count):
            PyBuffer_Release(&self.views[index])
        free(self.views)

    cdef int schema(self, ArrowSchema* out) except -1:
        cdef Py_ssize_t index
        schema_set(out, b"", b"+s")
        children_make(<void***>&out.children, &out.n_children, len(self.names),
                      sizeof(ArrowSchema))
        for index in range(len(self.names)):
            schema_set(out.children[index], self.names[index], self.formats[index])
        return 0

    cdef int array(self, ArrowArray* out) except -1:
        cdef Py_ssize_t index
        cdef int64_t place
        cdef ArrowArray* child
        array_set(out, self, self.count, 0)
        out.n_buffers = 1                 # the validity of a struct: NULL
        children_make(<void***>&out.children, &out.n_children, len(self.names), sizeof(ArrowArray))
        for index in range(len(self.names)):
            child = out.children[index]
            array_set(child, self, self.count, self.null_counts[index])
            for place in self.places[index]:
                if place >= 0:
                    child.buffers[child.n_buffers] = self.views[place].buf
                child.n_buffers += 1
        return 0


# Allocate `count` structs, zeroed, and the pointers to them.
cdef int children_make(void*** children, int64_t* made, Py_ssize_t count, size_t size) except -1:
    children[0] = <void**>calloc(count + 1, sizeof(void*))
    if children[0] == NULL:
        raise MemoryError
    while made[0] < count:
        children[0][made[0]] = calloc(1, size)
        if children[0][made[0]] == NULL:
            raise MemoryError
        made[0] += 1
    return 0


cdef int schema_set(ArrowSchema* out, bytes name, bytes kind) except -1:
    cdef size_t name_size = len(name) + 1
    cdef size_t kind_size = len(kind) + 1
    cdef char* text = <char*>malloc(name_size + kind_size)
    memset(out, 0, sizeof(ArrowSchema))
    if text == NULL:
        raise MemoryError
    memcpy(text, <const char*>name, name_size)
    memcpy(text + name_size, <const char*>kind, kind_size)
    out.name = text
    out.format = text + name_size
    out.flags = FLAG_NULLABLE
    out.private_data = text
    out.release = schema_release
    return 0


cdef void schema_release(ArrowSchema* schema) noexcept nogil:
    cdef int64_t index
    cdef ArrowSchema* child
    for index in range(schema.n_children):
        child = schema.children[index]
        if child.release != NULL:
            child.release(child)
        free(child)
    free(schema.children)
    free(schema.private_data)
    schema.release = NULL


cdef int array_set(ArrowArray* out, _Source source, int64_t count, int64_t null_count) except -1:
    cdef ArrayState* state = <ArrayState*>calloc(1, sizeof(ArrayState))
    memset(out, 0, sizeof(ArrowArray))
    if state == NULL:
        raise MemoryError
    state.source = <PyObject*>source
    Py_INCREF(state.source)
    out.length = count
    out.null_count = null_count
    out.buffers = state.buffers
    out.private_data = state
    out.release = array_release
    return 0


cdef void array_release(ArrowArray* array) noexcept nogil:
    cdef int64_t index
    cdef ArrowArray* child
    for index in range(array.n_children):
        child = array.children[index]
        if child.release != NULL:
            child.release(child)
        free(child)
    free(array.children)
    # An interpreter that has ended takes nothing back.
    if Py_IsInitialized():
        object_release((<ArrayState*>array.private_data).source)
    free(array.private_data)
    array.release = NULL


cdef void object_release(PyObject* held) noexcept with gil:
    Py_DECREF(held)


# The stream's private_data is the Source, or NULL once it has given its batch.
cdef struct StreamState:
    PyObject* source                      # owned
    bint done


cdef int stream_schema(ArrowArrayStream* stream, ArrowSchema* out) noexcept with gil:
    memset(out, 0, sizeof(ArrowSchema))
    try:
        (<_Source>(<StreamState*>stream.private_data).source).schema(out)
    except MemoryError:
        if out.release != NULL:
            out.release(out)
        return ERRNO_MEMORY
    return 0


cdef int stream_next(ArrowArrayStream* stream, ArrowArray* out) noexcept with gil:
    cdef StreamState* state = <StreamState*>stream.private_data
    memset(out, 0, sizeof(ArrowArray))
    if state.done:
        return 0
    try:
        (<_Source>state.source).array(out)
    except MemoryError:
        if out.release != NULL:
            out.release(out)
        return ERRNO_MEMORY
    state.done = True
    return 0


cdef const char* stream_error(ArrowArrayStream* stream) noexcept nogil:
    return "out of memory"


cdef void stream_release(ArrowArrayStream* stream) noexcept nogil:
    if Py_IsInitialized():
        object_release((<StreamState*>stream.private_data).source)
    free(stream.private_data)
    stream.release = NULL


cdef void capsule_free(object capsule) noexcept:
    cdef ArrowArrayStream* stream
    # A capsule that somebody gave another name is theirs.
    if not PyCapsule_IsValid(capsule, STREAM_NAME):
        return
    stream = <ArrowArrayStream*>PyCapsule_GetPointer(capsule, STREAM_NAME)
    if stream.release != NULL:
        stream.release(stream)
    free(stream)


def export_stream(list fields not None, int64_t count):
    """Return a capsule with a stream of one batch.

    fields: (name, format, number of nulls, buffers) of each column; buffers are bytes-like or None
    and stay as they are until the consumer has released them. count: rows.
    """
    cdef _Source source = _Source(fields, count)
    cdef ArrowArrayStream* stream = <ArrowArrayStream*>calloc(1, sizeof(ArrowArrayStream))
    cdef StreamState* state = <StreamState*>calloc(1, sizeof(StreamState))
    if stream == NULL or state == NULL:
        free(stream)
        free(state)
        raise MemoryError
    state.source = <PyObject*>source
    Py_INCREF(state.source)
    stream.get_schema = stream_schema
    stream.get_next = stream_next
    stream.get_last_error = stream_error
    stream.release = stream_release
    stream.private_data = state
    return PyCapsule_New(stream, STREAM_NAME, capsule_free)


# -- in: cells -------------------------------------------------------------------------------------


cdef int64_t feed_integer(const Feed* feed, int64_t row) noexcept nogil:
    cdef const uint8_t* data = <const uint8_t*>feed.buffers[0] + (feed.offset + row) * feed.width
    cdef bint is_signed = feed.kind == FEED_SIGNED
    cdef uint16_t half
    cdef uint32_t word
    cdef int64_t value
    if feed.width == 1:
        return <int8_t>data[0] if is_signed else <int64_t>data[0]
    if feed.width == 2:
        memcpy(&half, data, 2)
        return <int16_t>half if is_signed else <int64_t>half
    if feed.width == 4:
        memcpy(&word, data, 4)
        return <int32_t>word if is_signed else <int64_t>word
    memcpy(&value, data, 8)
    return value


cdef int feed_range(const Feed* feed, int64_t row, int64_t* first, int64_t* end) noexcept nogil:
    cdef int64_t place = feed.offset + row
    cdef int32_t pair[2]
    cdef int64_t wide[2]
    if feed.layout == LAYOUT_OFFSETS_32:
        memcpy(pair, <const uint8_t*>feed.buffers[0] + place * 4, 8)
        first[0] = pair[0]
        end[0] = pair[1]
    elif feed.layout == LAYOUT_OFFSETS_64:
        memcpy(wide, <const uint8_t*>feed.buffers[0] + place * 8, 16)
        first[0] = wide[0]
        end[0] = wide[1]
    else:
        first[0] = place * feed.width
        end[0] = first[0] + feed.width
    return 0 if 0 <= first[0] <= end[0] else -1


cdef int feed_view(
    const Feed* feed, int64_t row, const uint8_t** data, int64_t* size,
) noexcept nogil:
    cdef const uint8_t* view = <const uint8_t*>feed.buffers[0] + (feed.offset + row) * 16
    cdef int32_t words[4]                 # size, first bytes, number of a buffer, offset in it
    cdef const int64_t* sizes
    cdef int64_t variadic = feed.buffer_count - 2
    memcpy(words, view, 16)
    size[0] = words[0]
    if words[0] < 0:
        return -1
    if words[0] <= VIEW_INLINE_MAX:
        data[0] = view + 4
        return 0
    if not 0 <= words[2] < variadic or words[3] < 0:
        return -1
    sizes = <const int64_t*>feed.buffers[1 + variadic]
    if sizes == NULL or sizes[words[2]] - words[3] < size[0]:
        return -1
    data[0] = <const uint8_t*>feed.buffers[1 + words[2]] + words[3]
    return 0 if feed.buffers[1 + words[2]] != NULL else -1


cdef int feed_bytes(
    const Feed* feed, int64_t row, const uint8_t** data, int64_t* size,
) noexcept nogil:
    cdef int64_t first = 0, end = 0
    cdef const uint8_t* start
    if feed.layout == LAYOUT_VIEWS:
        return feed_view(feed, row, data, size)
    if feed_range(feed, row, &first, &end) < 0:
        return -1
    start = <const uint8_t*>feed.buffers[0 if feed.layout == LAYOUT_FIXED else 1]
    size[0] = end - first
    data[0] = start + first
    return 0 if start != NULL or size[0] == 0 else -1


cdef int feed_list(const Feed* feed, int64_t row, int64_t* first, int64_t* count) noexcept nogil:
    cdef int64_t end = 0
    if feed_range(feed, row, first, &end) < 0 or end > feed.children.length:
        return -1
    count[0] = end - first[0]
    return 0


cdef int feed_decimal(const Feed* feed, int64_t row, char* out) noexcept nogil:
    cdef const uint8_t* data = <const uint8_t*>feed.buffers[0] + (feed.offset + row) * 16
    cdef uint32_t limbs[4]                # lowest first
    cdef char digits[48]
    cdef int count = 0, size = 0, index
    cdef uint64_t carry
    cdef bint negative = (data[15] & 0x80) != 0
    memcpy(limbs, data, 16)
    if negative:
        carry = 1
        for index in range(4):
            carry += <uint32_t>~limbs[index]
            limbs[index] = <uint32_t>carry
            carry >>= 32
        out[0] = c'-'
        size = 1
    while limbs[0] | limbs[1] | limbs[2] | limbs[3]:
        carry = 0
        for index in range(3, -1, -1):
            carry = carry << 32 | limbs[index]
            limbs[index] = <uint32_t>(carry // 10)
            carry %= 10
        digits[count] = <char>(c'0' + carry)
        count += 1
    if count == 0:
        out[size] = c'0'
        return size + 1
    while count > 0:
        count -= 1
        out[size] = digits[count]
        size += 1
    # The exponent: scales are bounded when the schema is read.
    out[size] = c'E'
    size += 1
    index = -feed.scale
    if index < 0:
        out[size] = c'-'
        size += 1
        index = -index
    out[size] = <char>(c'0' + index // 100)
    out[size + 1] = <char>(c'0' + index // 10 % 10)
    out[size + 2] = <char>(c'0' + index % 10)
    return size + 3


# -- in: schema and batches ------------------------------------------------------------------------


cdef void feed_free(Feed* feed) noexcept:
    cdef int64_t index
    if feed.children != NULL:
        for index in range(feed.child_count):
            feed_free(&feed.children[index])
    if feed.dictionary != NULL:
        feed_free(feed.dictionary)
    free(feed.children)
    free(feed.dictionary)
    feed.children = feed.dictionary = NULL
    feed.child_count = 0


# By format: kind, layout, bytes of a number.
cdef dict FORMATS = {
    "n": (FEED_NULL, LAYOUT_PLAIN, 0),
    "b": (FEED_BOOL, LAYOUT_PLAIN, 0),
    "c": (FEED_SIGNED, LAYOUT_PLAIN, 1),
    "s": (FEED_SIGNED, LAYOUT_PLAIN, 2),
    "i": (FEED_SIGNED, LAYOUT_PLAIN, 4),
    "l": (FEED_SIGNED, LAYOUT_PLAIN, 8),
    "C": (FEED_UNSIGNED, LAYOUT_PLAIN, 1),
    "S": (FEED_UNSIGNED, LAYOUT_PLAIN, 2),
    "I": (FEED_UNSIGNED, LAYOUT_PLAIN, 4),
    "L": (FEED_UNSIGNED, LAYOUT_PLAIN, 8),
    "f": (FEED_FLOAT, LAYOUT_PLAIN, 4),
    "g": (FEED_FLOAT, LAYOUT_PLAIN, 8),
    "u": (FEED_TEXT, LAYOUT_OFFSETS_32, 0),
    "U": (FEED_TEXT, LAYOUT_OFFSETS_64, 0),
    "vu": (FEED_TEXT, LAYOUT_VIEWS, 0),
    "z": (FEED_BINARY, LAYOUT_OFFSETS_32, 0),
    "Z": (FEED_BINARY, LAYOUT_OFFSETS_64, 0),
    "vz": (FEED_BINARY, LAYOUT_VIEWS, 0),
    "+l": (FEED_LIST, LAYOUT_OFFSETS_32, 0),
    "+L": (FEED_LIST, LAYOUT_OFFSETS_64, 0),
    "+s": (FEED_STRUCT, LAYOUT_PLAIN, 0),
}

# What formats of no use here are called.
cdef tuple FOREIGN = (
    ("td", "a date"), ("tt", "a time of day"), ("ts", "a timestamp"), ("tD", "a duration"),
    ("ti", "an interval"), ("e", "float16"), ("+m", "a map"), ("+u", "a union"),
    ("+r", "run-end encoded"), ("+v", "a list view"), ("d:", "a decimal of another width"),
)


cdef tuple format_parse(str kind, str path):
    """Return kind, layout, width and scale of an Arrow format. Raises ValidationError."""
    cdef str what = "unknown"
    if kind in FORMATS:
        return (*FORMATS[kind], 0)
    head, _, rest = kind.partition(":")
    numbers = rest.split(",")
    digits = [number.removeprefix("-") for number in numbers]
    if all(number.isascii() and number.isdigit() for number in digits):
        values = [int(number) for number in numbers if len(number) <= 10]
        if head == "d" and len(values) in (2, 3) and values[2:] in ([], [128]):
            if -130 <= values[1] <= 130:
                return FEED_DECIMAL, LAYOUT_PLAIN, 16, values[1]
        if head in ("w", "+w") and len(values) == 1 and 0 <= values[0] <= 1 << 30:
            return (FEED_BINARY if head == "w" else FEED_LIST), LAYOUT_FIXED, values[0], 0
    for start, name in FOREIGN:
        if kind.startswith(start):
            what = name
            break
    raise ValidationError(
        f"column {path!r} has the Arrow format {kind[:40]!r}, {what}, which cannot be loaded: cast "
        "it to strings, integers, floats, decimal128, booleans or binary first")


cdef int damage(str path, str what) except -1:
    raise ValidationError(f"the Arrow data of column {path!r} is damaged: {what}")


cdef class ArrowReader:

    def __cinit__(self, source):
        cdef ArrowArrayStream* given
        cdef ArrowSchema schema
        cdef Py_ssize_t index
        cdef int status
        capsule = source if PyCapsule_IsValid(source, STREAM_NAME) else source.__arrow_c_stream__()
        if not PyCapsule_IsValid(capsule, STREAM_NAME):
            raise ValidationError(
                f"__arrow_c_stream__ of {type(source).__qualname__} gave no Arrow stream")
        given = <ArrowArrayStream*>PyCapsule_GetPointer(capsule, STREAM_NAME)
        if given.release == NULL:
            raise ValidationError("the Arrow stream was used up before")
        self.stream = given[0]
        given.release = NULL
        self.kept = []
        memset(&schema, 0, sizeof(ArrowSchema))
        with nogil:
            status = self.stream.get_schema(&self.stream, &schema)
        if status != 0:
            self.stream_fail(status, "its schema")
        try:
            self.shape(&schema, &self.root, "", 0)
            if self.root.kind != FEED_STRUCT or self.root.dictionary != NULL:
                raise ValidationError("an Arrow stream of rows is needed: a table, not one column")
        finally:
            if schema.release != NULL:
                schema.release(&schema)
        self.names = tuple([<object><PyObject*>self.root.children[index].name
                            for index in range(self.root.child_count)])

    def __dealloc__(self):
        if self.array.release != NULL:
            self.array.release(&self.array)
        if self.stream.release != NULL:
            self.stream.release(&self.stream)
        feed_free(&self.root)

    cdef int stream_fail(self, int number, str doing) except -1:
        cdef const char* words = self.stream.get_last_error(&self.stream)
        text = words.decode("utf-8", "replace") if words != NULL else f"error {number}"
        raise ValidationError(f"the Arrow stream failed to give {doing}: {text[:500]}")

    cdef str name_of(self, const ArrowSchema* schema):
        cdef size_t size = strlen(schema.name) if schema.name != NULL else 0
        try:
            name = schema.name[:size].decode("utf-8") if size else ""
        except UnicodeDecodeError:
            raise ValidationError("the name of an Arrow column is not UTF-8") from None
        self.kept.append(name)
        return name

    cdef int shape(self, const ArrowSchema* schema, Feed* feed, str path, int level) except -1:
        """Make a feed of what a schema says."""
        if schema == NULL or schema.release == NULL or schema.format == NULL:
            return damage(path, "its schema is missing")
        if level > LEVEL_MAX:
            raise ValidationError(f"column {path!r} is nested deeper than {LEVEL_MAX} levels")
        kind, layout, width, scale = format_parse(
            schema.format[:strlen(schema.format)].decode("utf-8", "replace"), path)
        feed.kind = kind
        feed.layout = layout
        feed.width = width
        feed.scale = scale
        if feed.kind == FEED_LIST or feed.kind == FEED_STRUCT:
            self.shape_children(schema, feed, path, level)
        elif schema.n_children != 0:
            return damage(path, "a scalar has children")
        if schema.dictionary != NULL:
            if feed.kind != FEED_SIGNED and feed.kind != FEED_UNSIGNED:
                return damage(path, "the indexes of a dictionary are no integers")
            feed.dictionary = <Feed*>calloc(1, sizeof(Feed))
            if feed.dictionary == NULL:
                raise MemoryError
            self.shape(schema.dictionary, feed.dictionary, path, level + 1)
            if feed.dictionary.dictionary != NULL:
                return damage(path, "its dictionary has a dictionary")
        return 0

    cdef int shape_children(
        self, const ArrowSchema* schema, Feed* feed, str path, int level,
    ) except -1:
        cdef int64_t index
        cdef str name, below
        if (not 0 <= schema.n_children <= COLUMNS_MAX or (feed.kind == FEED_LIST
                                                          and schema.n_children != 1)
                or (schema.n_children > 0 and schema.children == NULL)):
            return damage(path, f"it has {schema.n_children} children")
        feed.children = <Feed*>calloc(schema.n_children + 1, sizeof(Feed))
        if feed.children == NULL:
            raise MemoryError
        feed.child_count = schema.n_children
        for index in range(schema.n_children):
            if schema.children[index] == NULL:
                return damage(path, "a child is missing")
            name = self.name_of(schema.children[index])
            below = name if level == 0 else f"{path}.{name}"
            feed.children[index].name = <void*><PyObject*>name
            self.shape(schema.children[index], &feed.children[index], below, level + 1)
        return 0

    cdef int attach(self, const ArrowArray* array, Feed* feed, str path) except -1:
        """Point a feed at a batch, once that is known to fit."""
        cdef int64_t expected = 2
        cdef int64_t index, least
        cdef const ArrowArray* child
        if array == NULL or array.release == NULL:
            return damage(path, "an array is missing or was released")
        if not (0 <= array.length <= ROWS_MAX and 0 <= array.offset <= ROWS_MAX):
            return damage(path, f"length {array.length}, offset {array.offset}")
        if feed.kind == FEED_NULL:
            expected = 0
        elif feed.kind == FEED_STRUCT or (feed.kind == FEED_LIST and feed.layout == LAYOUT_FIXED):
            expected = 1
        elif feed.kind == FEED_TEXT or feed.kind == FEED_BINARY:
            expected = 2 if feed.layout == LAYOUT_FIXED else 3
        if (array.n_buffers < expected
                or (array.n_buffers > expected and feed.layout != LAYOUT_VIEWS
                    and feed.kind != FEED_NULL)
                or array.n_buffers > ROWS_MAX
                or (array.n_buffers > 0 and array.buffers == NULL)):
            return damage(path, f"it has {array.n_buffers} buffers")
        if (array.dictionary == NULL) != (feed.dictionary == NULL):
            return damage(path, "its dictionary is missing")
        if array.n_children != feed.child_count or (feed.child_count > 0
                                                    and array.children == NULL):
            return damage(path, f"it has {array.n_children} children")
        feed.length = array.length
        feed.offset = array.offset
        feed.valid = NULL
        if expected > 0:
            feed.valid = <const uint8_t*>array.buffers[0]
            feed.buffers = array.buffers + 1
            feed.buffer_count = array.n_buffers - 1
            if feed.valid == NULL and array.null_count > 0:
                return damage(path, "it has nulls, and no buffer that says where")
            # Of no rows nothing is read, and of no bytes neither.
            if (expected > 1 and array.length > 0 and feed.buffers[0] == NULL
                    and not (feed.layout == LAYOUT_FIXED and feed.width == 0)):
                return damage(path, "a buffer is missing")
        for index in range(feed.child_count):
            child = array.children[index]
            self.attach(child, &feed.children[index],
                        f"{path}.{<object><PyObject*>feed.children[index].name}" if path
                        else <object><PyObject*>feed.children[index].name)
            least = array.length + array.offset if feed.kind == FEED_STRUCT else 0
            if child.length < least:
                return damage(path, "a child is shorter than its parent")
        if feed.dictionary != NULL:
            self.attach(array.dictionary, feed.dictionary, path)
        return 0

    cdef int advance(self) except -1:
        cdef int status
        cdef int64_t row
        self.count = 0
        if self.array.release != NULL:
            self.array.release(&self.array)
        memset(&self.array, 0, sizeof(ArrowArray))
        with nogil:
            status = self.stream.get_next(&self.stream, &self.array)
        if status != 0:
            self.array.release = NULL
            self.stream_fail(status, "its next rows")
        if self.array.release == NULL:
            return 0
        self.attach(&self.array, &self.root, "")
        if self.root.valid != NULL and self.array.null_count != 0:
            for row in range(self.array.length):
                if not feed_valid(&self.root, row):
                    raise ValidationError(f"row {row} of an Arrow batch is null as a whole")
        self.count = self.array.length
        return 1
