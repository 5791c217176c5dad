"""Key attributes: Python values to key bytes, whose memcmp order is DynamoDB's order, and back.

Theory of operation
    Strings are their UTF-8 bytes, binaries their own, numbers the order-preserving form of
    number.pyx. The type comes from the key schema, so the bytes have no tag. That a string is ASCII
    stands in the flags of its record.

Invariants
    1. Key bytes are never empty, and at most HASH_KEY_MAX or RANGE_KEY_MAX.
    2. What key_check accepts, key_decode decodes.

Threads
    With the GIL, but key_check.

Format
    FORMAT.md, section "Keys".
"""

from libc.string cimport memcpy

from decimal import Decimal

from ddbcore.decoder cimport decoder_ascii, decoder_fail, decoder_utf8
from ddbcore.encoder cimport encoder_text, encoder_view, reserve
from ddbcore.number cimport (
    NUMBER_KEY_BYTES_MAX, Number, number_key_decode, number_key_encode, number_object, number_read,
    number_size,
)
from ddbcore.pyapi cimport *
from ddbcore.record cimport HASH_KEY_MAX, RANGE_KEY_MAX
from ddbcore.status cimport ERR_CORRUPT
from ddbcore.value cimport TEXT_ASCII, TEXT_UTF8, text_check

from ddbcore.errors import ValidationError

cdef enum:
    KEY_NAME_MAX = 255                    # bytes
    KIND_STRING = 0x53
    KIND_NUMBER = 0x4E
    KIND_BINARY = 0x42

# The same functions without a check for exceptions after the call: -1 or NULL says that one is set.
ctypedef int (*NumberReader)(PyObject* value, Number* out) noexcept
ctypedef PyObject* (*NumberFunction)(const Number* number) noexcept

cdef PyTypeObject* DECIMAL_TYPE = <PyTypeObject*>Decimal
cdef dict KEY_TYPES = {"S": "S (str)", "N": "N (int or Decimal)", "B": "B (bytes)"}
cdef str INVALID = "One or more parameter values were invalid: "


cdef int key_open(KeyPart* part, str name, str kind, bint is_range) except -1:
    cdef bytes text
    try:
        text = name.encode("utf-8")
    except UnicodeEncodeError:
        raise ValidationError(
            f"key attribute name {ascii(name)} has a lone surrogate, so it is not Unicode text"
        ) from None
    if not 1 <= len(text) <= KEY_NAME_MAX:
        raise ValidationError(
            f"a key attribute name has 1 to {KEY_NAME_MAX} bytes, not {len(text)}"
        )
    if kind not in KEY_TYPES:
        raise ValidationError(f"a key attribute has the type 'S', 'N' or 'B', not {kind!r}")
    part.name = <PyObject*>name
    part.name_size = len(text)
    part.size_max = RANGE_KEY_MAX if is_range else HASH_KEY_MAX
    part.kind = <uint8_t>ord(kind)
    part.is_range = is_range
    return 0


# -- refusals --------------------------------------------------------------------------------------


cdef int refuse_type(const KeyPart* part, object value) except -1:
    cdef str advice = ""
    if part.kind == KIND_NUMBER and isinstance(value, float):
        advice = ": use Decimal(str(x)) or int(x)"
    raise ValidationError(
        f"{INVALID}Type mismatch for key {<str>part.name}: expected {KEY_TYPES[chr(part.kind)]},"
        f" got {type(value).__name__}{advice}"
    )


cdef int refuse_size(const KeyPart* part) except -1:
    cdef str what = "Size of hashkey has exceeded the maximum size limit of"
    if part.is_range:
        what = "Aggregated size of all range keys has exceeded the size limit of"
    raise ValidationError(f"{INVALID}{what} {part.size_max} bytes. Key: {<str>part.name}")


cdef int refuse_empty(const KeyPart* part) except -1:
    raise ValidationError(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot"
        f" contain an empty {'string' if part.kind == KIND_STRING else 'binary'} value."
        f" Key: {<str>part.name}"
    )


cdef int refuse_cause(const KeyPart* part, object error) except -1:
    raise ValidationError(f"key attribute '{<str>part.name}': {error}") from None


# The same with the exception that number_read has set.
cdef int refuse_pending(const KeyPart* part) except -1:
    try:
        error_raise()
    except ValidationError as error:
        return refuse_cause(part, error)
    return -1


# -- encoding --------------------------------------------------------------------------------------


# A copy of the bytes of a bytes-like object, or None when it is none.
cdef bytes bytes_of(const KeyPart* part, object value):
    if type(value) is bytes:
        return value
    if isinstance(value, (bytes, bytearray)):
        return bytes(memoryview(value))
    if not isinstance(value, memoryview):
        return None
    try:
        return encoder_view(value)
    except ValueError as error:           # a released view, too
        refuse_cause(part, error)


cdef int number_append(
    const KeyPart* part, PyObject* value, Buffer* out, int64_t* size,
) except -1:
    cdef Number number
    if value == Py_True or value == Py_False:
        return refuse_type(part, <object>value)
    if not PyLong_Check(value) and not PyObject_TypeCheck(value, DECIMAL_TYPE):
        return refuse_type(part, <object>value)
    if (<NumberReader>number_read)(value, &number) < 0:
        return refuse_pending(part)
    reserve(out, NUMBER_KEY_BYTES_MAX)
    out.size += number_key_encode(&number, out.data + out.size)
    size[0] += number_size(&number)
    return 0


cdef int key_encode(
    const KeyPart* part, object value, bint allow_empty, Buffer* out, int64_t* size,
) except -1:
    cdef PyObject* source = <PyObject*>value
    cdef Py_ssize_t added
    cdef bint is_ascii = False
    cdef bytes copy
    if part.kind == KIND_NUMBER:
        return number_append(part, source, out, size)
    # Of an empty value nothing is copied, but not to nowhere: the buffer may be fresh.
    reserve(out, 1)
    if part.kind == KIND_STRING:
        if not PyUnicode_Check(source):
            return refuse_type(part, value)
        # A character is a byte at least: what is too long is not copied.
        if PyUnicode_GET_LENGTH(source) > part.size_max:
            return refuse_size(part)
        is_ascii = hr_text_ascii(source)
        added = encoder_text(out, source, "a key attribute")
    else:
        copy = bytes_of(part, value)
        if copy is None:
            return refuse_type(part, value)
        added = len(copy)
        if added > part.size_max:
            return refuse_size(part)
        reserve(out, added)
        memcpy(out.data + out.size, PyBytes_AS_STRING(<PyObject*>copy), added)
        out.size += added
    if added > part.size_max:
        return refuse_size(part)
    if added == 0 and not allow_empty:
        return refuse_empty(part)
    size[0] += added
    return is_ascii and added > 0


# -- decoding --------------------------------------------------------------------------------------


cdef PyObject* key_decode(
    Decoder* decoder, const KeyPart* part, bint is_ascii, const uint8_t* data, size_t size,
) noexcept:
    cdef Number number
    if size == 0:
        return decoder_fail(decoder, "a key is missing")
    if part.kind == KIND_STRING:
        if is_ascii:
            return decoder_ascii(decoder, data, size)
        return decoder_utf8(decoder, data, size)
    if part.kind == KIND_BINARY:
        return PyBytes_FromStringAndSize(<const char*>data, size)
    if number_key_decode(data, size, &number) != 0:
        return decoder_fail(decoder, "a number in a key")
    return (<NumberFunction>number_object)(&number)


cdef int key_check(
    const KeyPart* part, bint is_ascii, const uint8_t* data, size_t size,
) noexcept nogil:
    cdef Number number
    if size == 0 or size > <size_t>part.size_max:
        return ERR_CORRUPT
    if part.kind == KIND_STRING:
        if text_check(data, size) == (TEXT_ASCII if is_ascii else TEXT_UTF8):
            return 0
        return ERR_CORRUPT
    if is_ascii:
        return ERR_CORRUPT
    if part.kind == KIND_NUMBER:
        return number_key_decode(data, size, &number)
    return 0
