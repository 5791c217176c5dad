"""Numbers: Python int and Decimal to canonical bytes and back, and the order-preserving key form.

*Theory of operation*. A Number is a coefficient of at most 38 digits, kept as two words of 19
digits (radix 10**19, which is also the radix of CPython's own decimal module on 64-bit machines),
and a decimal exponent. Every way in (int, Decimal, text, stored bytes) ends in number_from_words or
checks the same rules itself, so there is one place that trims zeros and one that knows the range.
words.pxd has the arithmetic of words.

Decimals go through decimals.pyx, which reads and makes them through their memory where it has
proved the layout. Subclasses of Decimal and the pure-Python _pydecimal are read by as_tuple(). No
path asks the thread's decimal context for anything, so its precision and traps cannot change what
is stored.

*Invariants*. (1) A Number is canonical: its coefficient does not end in a zero digit, and zero is
all zeros. (2) Equal numbers have equal bytes in both forms, and different numbers different bytes:
decoders refuse what the encoders would not have written. (3) memcmp of key forms, shorter first on
ties, is the order of the numbers. (4) No conversion is done before its size is known to be bounded:
an int is asked for its bit length first, exponents in text saturate.

*Threads*. Kernels: any thread, no GIL. Boundaries: with the GIL. The module's globals are constant
after import.

*Format*. FORMAT.md, sections "Numbers" (tagged form) and "Keys" (key form).
"""

from cpython.long cimport (
    PyLong_AsLongLongAndOverflow, PyLong_AsUnsignedLongLongMask, PyLong_CheckExact,
)
from cpython.object cimport PyObject, Py_TYPE
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from ddbcore.decimals cimport (
    DECIMAL_INFINITE, DECIMAL_NEGATIVE, DECIMAL_PROVED, DECIMAL_SPECIAL, DecimalObject,
    decimal_class_of, decimal_make, decimal_make_slowly,
)
from ddbcore.status cimport ERR_CORRUPT, OK
from ddbcore.words cimport (
    POWERS, RADIX, TEXT_EXPONENT_MAX, WORD_DIGITS, WORDS_LONG, WORDS_SYNTAX, digit_count,
    magnitude_of, words_add, words_compare, words_parse, words_shift, words_subtract, zeros_trim,
)

from ddbcore.errors import CorruptError, ValidationError

cdef extern from *:
    """
    #define NUMBER_INT64_MAX 9223372036854775807ULL
    """
    const uint64_t INT64_MAGNITUDE "NUMBER_INT64_MAX"

cdef enum:
    EXPONENT_MAX = 125                    # of the first digit: 9.99E+125
    EXPONENT_MIN = -130
    INT_BITS_MAX = 419                    # 10**126 - 1 has 419 bits
    INT_WORDS_MAX = 7                     # 10**126 - 1 has 126 digits
    ECHO_MAX = 1024                       # bytes of refused text that an error repeats

cdef enum NumberStatus:
    ERR_OVERFLOW = -20
    ERR_UNDERFLOW = -21
    ERR_DIGITS = -22
    ERR_SYNTAX = -23

cdef enum NumberTag:
    # The tags of item.pxd that numbers use; that module is above this one.
    SMALL_INT = 0x40
    INT8 = 0x86
    INT16 = 0x87
    INT32 = 0x88
    INT64 = 0x89
    DECIMAL16 = 0x8A
    DECIMAL32 = 0x8B
    DECIMAL64 = 0x8C
    GENERAL = 0x8D

cdef enum KeySign:
    KEY_NEGATIVE = 0
    KEY_ZERO = 1
    KEY_POSITIVE = 2
    KEY_TERMINATOR = 0xFF


# 0 for zero.
cdef inline int number_digits(const Number* number) noexcept nogil:
    if number.high:
        return WORD_DIGITS + digit_count(number.high)
    return digit_count(number.low) if number.low else 0


cdef inline int range_check(int64_t digits, int64_t exponent) noexcept nogil:
    cdef int64_t first = exponent + digits - 1
    if digits > DIGITS_MAX:
        return ERR_DIGITS
    if first > EXPONENT_MAX:
        return ERR_OVERFLOW
    if first < EXPONENT_MIN:
        return ERR_UNDERFLOW
    return OK


cdef inline void number_clear(Number* out) noexcept nogil:
    out.high = 0
    out.low = 0
    out.exponent = 0
    out.negative = 0


# The canonical number of words[0:count] (radix 10**19, lowest first) * 10**exponent; OK or a range
# status.
cdef int number_from_words(const uint64_t* words, int64_t count, int64_t exponent, bint negative,
                           Number* out) noexcept nogil:
    cdef int64_t first = 0
    cdef int64_t digits
    cdef uint64_t lowest, scale, rest
    cdef uint64_t middle = 0
    cdef uint64_t highest = 0
    cdef int zeros = 0
    cdef int status
    while count > 0 and words[count - 1] == 0:
        count -= 1
    if count == 0:
        number_clear(out)
        return OK
    while words[first] == 0:
        first += 1
    exponent += first * WORD_DIGITS
    lowest = zeros_trim(words[first], &zeros)
    exponent += zeros
    count -= first
    if count == 1:
        digits = digit_count(lowest)
    else:
        digits = (count - 1) * WORD_DIGITS - zeros + digit_count(words[first + count - 1])
    status = range_check(digits, exponent)
    if status != OK:
        return status
    out.high = 0
    out.low = lowest
    out.exponent = <int>exponent
    out.negative = negative
    if count > 1:
        # 38 digits above up to 18 trimmed ones reach into a third word at most.
        middle = words[first + 1]
        if count > 2:
            highest = words[first + 2]
        scale = POWERS[zeros]
        rest = POWERS[WORD_DIGITS - zeros]
        out.low = lowest + middle % scale * rest
        out.high = middle // scale + highest % scale * rest
    return OK


# Magnitude must be below 10**19. No check: an integer of 19 digits is always in range.
cdef inline void number_from_integer(uint64_t magnitude, bint negative, Number* out) noexcept nogil:
    out.high = 0
    out.exponent = 0
    out.low = zeros_trim(magnitude, &out.exponent) if magnitude else 0
    out.negative = negative


# Raise the ValidationError of a status; the service's words.
cdef int number_refuse(int status) except -1:
    if status == ERR_OVERFLOW:
        raise ValidationError("Number overflow. Attempting to store a number with magnitude"
                              " larger than supported range")
    if status == ERR_UNDERFLOW:
        raise ValidationError("Number underflow. Attempting to store a number with magnitude"
                              " smaller than supported range")
    raise ValidationError("Attempting to store more than 38 significant digits in a Number")


# ------------------------------------------------------------------------------------------------
# From Python

cdef int number_read(object value, Number* out) except -1:
    cdef int overflow = 0
    cdef int64_t small
    if PyLong_CheckExact(value):
        small = PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow:
            return big_read(value, out)
        number_from_integer(magnitude_of(small), small < 0, out)
        return 0
    if Py_TYPE(value) == DECIMAL_PROVED:
        return decimal_read(<DecimalObject*><PyObject*>value, out)
    return other_read(value, out)


# An int that does not fit 64 bits; subclasses may come here with any value.
cdef int big_read(object value, Number* out) except -1:
    cdef uint64_t words[INT_WORDS_MAX]
    cdef int count = 0
    cdef int status
    cdef bint negative = int.__lt__(value, 0)
    cdef object bits = int.bit_length(value)
    cdef object magnitude, word
    if bits > INT_BITS_MAX:
        return number_refuse(ERR_OVERFLOW)
    if bits <= 64:
        words[0] = PyLong_AsUnsignedLongLongMask(value)
        if negative:
            words[0] = 0 - words[0]
        words[1] = words[0] // RADIX
        words[0] %= RADIX
        count = 2
    else:
        # 2**419 still has no more than 7 words.
        magnitude = int.__abs__(value)
        while magnitude:
            magnitude, word = divmod(magnitude, RADIX_OBJECT)
            words[count] = word
            count += 1
    status = number_from_words(words, count, 0, negative, out)
    return 0 if status == OK else number_refuse(status)


cdef int decimal_read(DecimalObject* source, Number* out) except -1:
    cdef int flags = source.dec.flags
    cdef int status
    if flags & DECIMAL_SPECIAL:
        return special_refuse("Infinity" if flags & DECIMAL_INFINITE else "NaN")
    status = number_from_words(source.dec.data, source.dec.len, source.dec.exp,
                               flags & DECIMAL_NEGATIVE, out)
    return 0 if status == OK else number_refuse(status)


cdef int special_refuse(str name) except -1:
    raise ValidationError(f"{name} is not supported: a Number is finite")


# Subclasses, the pure-Python decimal, and what is no number.
cdef int other_read(object value, Number* out) except -1:
    cdef object decimal_class
    if isinstance(value, int) and not isinstance(value, bool):
        return big_read(value, out)
    decimal_class = decimal_class_of(value)
    if decimal_class is not None:
        return decimal_read_slowly(decimal_class, value, out)
    if isinstance(value, float):
        raise ValidationError("float is not supported: use Decimal(str(x)) or int")
    raise ValidationError(f"{type(value).__name__} is not a Number: use int or Decimal")


# Read by as_tuple() of the base class: needs no context, and nothing that a subclass overrides.
cdef int decimal_read_slowly(object decimal_class, object value, Number* out) except -1:
    cdef bytes text
    cdef const uint8_t* data
    cdef object exponent
    cdef object bound = TEXT_EXPONENT_MAX
    sign, digits, exponent = decimal_class.as_tuple(value)
    if not isinstance(exponent, int):
        return special_refuse("Infinity" if exponent == "F" else "NaN")
    # _pydecimal takes exponents of any length; beyond the bound all of them mean the same.
    exponent = max(-bound, min(exponent, bound))
    if not any(digits):
        number_clear(out)
        return 0
    text = f"{'-' if sign else ''}{''.join(map(str, digits))}E{exponent}".encode("ascii")
    data = text
    return number_parse(data, len(text), out)


# ------------------------------------------------------------------------------------------------
# From text

cdef int text_read(const uint8_t* text, size_t size, Number* out) noexcept nogil:
    cdef uint64_t words[2]
    cdef int64_t exponent
    cdef int negative
    cdef int status = words_parse(text, size, words, &exponent, &negative)
    if status == WORDS_SYNTAX:
        return ERR_SYNTAX
    if status == WORDS_LONG:
        return ERR_DIGITS
    if words[0] == 0 and words[1] == 0:
        # The service looks at how a zero is written: 0e126 is out of range. A Decimal's is not.
        status = range_check(1, exponent)
        if status != OK:
            return status
    return number_from_words(words, 2, exponent, negative, out)


cdef int number_parse(const uint8_t* text, size_t size, Number* out) except -1:
    cdef int status = text_read(text, size, out)
    cdef str shown
    if status == OK:
        return 0
    if status != ERR_SYNTAX:
        return number_refuse(status)
    if size == 0:
        raise ValidationError("The parameter cannot be converted to a numeric value")
    shown = text[:min(size, <size_t>ECHO_MAX)].decode("utf-8", "replace")
    if size > ECHO_MAX:
        shown += "..."
    raise ValidationError(f"The parameter cannot be converted to a numeric value: {shown}")


# ------------------------------------------------------------------------------------------------
# The tagged form

# 1 and *out when the number is an integer that fits 64 bits, else 0.
cdef inline bint number_int64(const Number* number, int64_t* out) noexcept nogil:
    cdef uint64_t magnitude = number.low
    cdef uint64_t bound = INT64_MAGNITUDE + (number.negative != 0)
    if number.high or number.exponent < 0 or number.exponent >= WORD_DIGITS:
        return 0
    if number.exponent:
        if magnitude > bound // POWERS[number.exponent]:
            return 0
        magnitude *= POWERS[number.exponent]
    elif magnitude > bound:
        return 0
    out[0] = <int64_t>(0 - magnitude if number.negative else magnitude)
    return 1


# 1 and *coefficient when the number fits the scaled form (or the integer forms), else 0.
cdef inline bint number_scaled(const Number* number, int64_t* coefficient) noexcept nogil:
    if number.high or number.exponent < -128 or number.exponent > 127:
        return 0
    if number.low > INT64_MAGNITUDE + (number.negative != 0):
        return 0
    coefficient[0] = <int64_t>(0 - number.low if number.negative else number.low)
    return 1


cdef int number_encode(const Number* number, uint8_t* out) noexcept nogil:
    cdef int64_t value
    cdef int size
    if number_int64(number, &value):
        if 0 <= value < 64:
            out[0] = <uint8_t>(SMALL_INT + value)
            return 1
        if value == <int8_t>value:
            out[0] = INT8
            out[1] = <uint8_t>value
            return 2
        if value == <int16_t>value:
            out[0] = INT16
            memcpy(out + 1, &value, 2)
            return 3
        if value == <int32_t>value:
            out[0] = INT32
            memcpy(out + 1, &value, 4)
            return 5
        out[0] = INT64
        memcpy(out + 1, &value, 8)
        return 9
    if number_scaled(number, &value):
        out[1] = <uint8_t>number.exponent
        if value == <int16_t>value:
            out[0] = DECIMAL16
            memcpy(out + 2, &value, 2)
            return 4
        if value == <int32_t>value:
            out[0] = DECIMAL32
            memcpy(out + 2, &value, 4)
            return 6
        out[0] = DECIMAL64
        memcpy(out + 2, &value, 8)
        return 10
    size = number_key_encode(number, out + 2)
    out[0] = GENERAL
    out[1] = <uint8_t>size
    return size + 2


# Read a signed integer of 1, 2, 4 or 8 bytes; 0 unless it needs that many (invariant 2).
cdef inline bint integer_load(const uint8_t* data, int size, int64_t* out) noexcept nogil:
    cdef int16_t value_16
    cdef int32_t value_32
    if size == 1:
        out[0] = <int8_t>data[0]
        return not 0 <= out[0] < 64
    if size == 2:
        memcpy(&value_16, data, 2)
        out[0] = value_16
        return out[0] != <int8_t>out[0]
    if size == 4:
        memcpy(&value_32, data, 4)
        out[0] = value_32
        return out[0] != <int16_t>out[0]
    memcpy(out, data, 8)
    return out[0] != <int32_t>out[0]


cdef int number_decode(const uint8_t* data, const uint8_t* limit, Number* out) noexcept nogil:
    cdef int64_t left = limit - data
    cdef int tag
    if left < 1:
        return ERR_CORRUPT
    tag = data[0]
    if SMALL_INT <= tag < SMALL_INT + 64:
        number_from_integer(tag - SMALL_INT, 0, out)
        return 1
    if INT8 <= tag <= INT64:
        return integer_decode(data, left, 1 << (tag - INT8), out)
    if DECIMAL16 <= tag <= DECIMAL64:
        return scaled_decode(data, left, 2 << (tag - DECIMAL16), out)
    if tag == GENERAL:
        return general_decode(data, left, out)
    return ERR_CORRUPT


cdef inline int integer_decode(const uint8_t* data, int64_t left, int size,
                               Number* out) noexcept nogil:
    cdef int64_t value
    if left < 1 + size or not integer_load(data + 1, size, &value):
        return ERR_CORRUPT
    number_from_integer(magnitude_of(value), value < 0, out)
    return 1 + size


cdef inline int scaled_decode(const uint8_t* data, int64_t left, int size,
                              Number* out) noexcept nogil:
    cdef int64_t value
    if left < 2 + size:
        return ERR_CORRUPT
    if size == 2:
        # The narrowest scaled form has no narrower one to be told from.
        value = <int16_t>(data[2] | data[3] << 8)
    elif size == 4:
        if not integer_load(data + 2, 4, &value):
            return ERR_CORRUPT
    elif not integer_load(data + 2, 8, &value):
        return ERR_CORRUPT
    out.high = 0
    out.low = magnitude_of(value)
    out.exponent = <int8_t>data[1]
    out.negative = value < 0
    # 0 ends in a zero digit too.
    if out.exponent == 0 or out.low % 10 == 0:
        return ERR_CORRUPT
    if range_check(digit_count(out.low), out.exponent) != OK or number_int64(out, &value):
        return ERR_CORRUPT
    return 2 + size


cdef int general_decode(const uint8_t* data, int64_t left, Number* out) noexcept nogil:
    cdef int64_t unused
    cdef int size
    if left < 2 or left - 2 < data[1]:
        return ERR_CORRUPT
    size = data[1]
    if number_key_decode(data + 2, size, out) != OK:
        return ERR_CORRUPT
    # A number that fits 64 bits as an integer fits the scaled form too, but for the form's own
    # rules.
    if number_scaled(out, &unused):
        return ERR_CORRUPT
    return size + 2


# ------------------------------------------------------------------------------------------------
# The key form

cdef int number_key_encode(const Number* number, uint8_t* out) noexcept nogil:
    cdef uint64_t low = number.low
    cdef uint64_t high = number.high
    cdef int digits = number_digits(number)
    cdef int pairs = (digits + 1) >> 1
    cdef int index = pairs + 2            # pairs are written backwards from here
    cdef int _
    cdef uint8_t flip = 0xFF if number.negative else 0
    if digits == 0:
        out[0] = KEY_ZERO
        return 1
    out[0] = KEY_NEGATIVE if number.negative else KEY_POSITIVE
    out[1] = <uint8_t>(number.exponent + digits - 1 - EXPONENT_MIN) ^ flip
    if digits & 1:
        index -= 1
        out[index] = <uint8_t>(low % 10 * 10 + 1) ^ flip
        low //= 10
    if high:
        # The low word has 19 digits here: nine pairs, and one digit before or behind them.
        for _ in range(WORD_DIGITS // 2):
            index -= 1
            out[index] = <uint8_t>(low % 100 + 1) ^ flip
            low //= 100
        if (digits & 1) == 0:
            # Its first digit pairs with the last one of the high word.
            index -= 1
            out[index] = <uint8_t>(high % 10 * 10 + low + 1) ^ flip
            high //= 10
        low = high
    while index > 2:
        index -= 1
        out[index] = <uint8_t>(low % 100 + 1) ^ flip
        low //= 100
    if number.negative:
        out[pairs + 2] = KEY_TERMINATOR
        return pairs + 3
    return pairs + 2


cdef int number_key_decode(const uint8_t* data, size_t size, Number* out) noexcept nogil:
    cdef uint8_t flip = 0
    cdef uint64_t low = 0
    cdef uint64_t high = 0
    cdef int pairs, digits, index
    cdef uint8_t pair
    if size == 1 and data[0] == KEY_ZERO:
        number_clear(out)
        return OK
    if size < 3 or size > NUMBER_KEY_BYTES_MAX:
        return ERR_CORRUPT
    pairs = <int>size - 2
    if data[0] == KEY_NEGATIVE:
        if data[size - 1] != KEY_TERMINATOR:
            return ERR_CORRUPT
        flip = 0xFF
        pairs -= 1
    elif data[0] != KEY_POSITIVE:
        return ERR_CORRUPT
    if pairs < 1 or pairs > DIGITS_MAX // 2:
        return ERR_CORRUPT
    for index in range(pairs):
        # 0 wraps around to 255, which is refused too.
        pair = <uint8_t>((data[2 + index] ^ flip) - 1)
        if pair > 99:
            return ERR_CORRUPT
        if index < WORD_DIGITS // 2:
            low = low * 100 + pair
        else:
            high = high * 100 + low // (RADIX // 100)
            low = low % (RADIX // 100) * 100 + pair
    # The first digit is not 0, and neither is the last pair.
    if (data[2] ^ flip) < 11 or pair == 0:
        return ERR_CORRUPT
    digits = pairs * 2
    if pair % 10 == 0:
        digits -= 1
        low = low // 10 + high % 10 * (RADIX // 10)
        high //= 10
    out.high = high
    out.low = low
    out.exponent = <int>(data[1] ^ flip) + EXPONENT_MIN - (digits - 1)
    out.negative = flip != 0
    return OK


# ------------------------------------------------------------------------------------------------
# To Python

cdef object number_object(const Number* number):
    cdef int64_t value
    if number_int64(number, &value):
        return value
    if number.exponent < 0:
        return decimal_make(number.high, number.low, number.exponent, number.negative != 0)
    return big_object(number)


# An int that does not fit 64 bits.
cdef object big_object(const Number* number):
    cdef object magnitude = number.low
    if number.high:
        magnitude += <object>number.high * RADIX_OBJECT
    magnitude *= INT_POWERS[number.exponent]
    return -magnitude if number.negative else magnitude


cdef object decimal_object(int64_t coefficient, int exponent):
    cdef Number number
    cdef uint64_t magnitude = magnitude_of(coefficient)
    if exponent < 0:
        return decimal_make(0, magnitude, exponent, coefficient < 0)
    number.high = 0
    number.low = magnitude
    number.exponent = exponent
    number.negative = coefficient < 0
    return number_object(&number)


# ------------------------------------------------------------------------------------------------
# Size, arithmetic, order

cdef int number_size(const Number* number) noexcept nogil:
    cdef int digits = number_digits(number)
    cdef int left = digits + number.exponent if number.exponent < 0 else digits
    if digits == 0:
        return 1
    if left < 0:
        left = 0
    return 1 + (left + 1) // 2 + (digits - left + 1) // 2 + (number.negative != 0)


# The sum of two numbers that are not 0, the exponent of `upper` being the larger one or equal.
cdef int sum_words(const Number* upper, bint upper_negative, const Number* lower,
                   bint lower_negative, Number* out) noexcept nogil:
    cdef uint64_t total[3]
    cdef uint64_t other[3]
    cdef int places = upper.exponent - lower.exponent
    cdef int digits = number_digits(upper) + places
    cdef int order
    # The last digit of `lower` stays, so a sum that begins so far above it has too many digits;
    # 10**38 - 1 has not.
    if digits > DIGITS_MAX + 1:
        return ERR_DIGITS
    words_shift(upper.high, upper.low, places, total)
    words_shift(lower.high, lower.low, 0, other)
    if upper_negative == lower_negative:
        words_add(total, other)
        return number_from_words(total, 3, lower.exponent, upper_negative, out)
    order = words_compare(total, other)
    if order >= 0:
        words_subtract(total, other)
        return number_from_words(total, 3, lower.exponent, upper_negative and order, out)
    words_subtract(other, total)
    return number_from_words(other, 3, lower.exponent, lower_negative, out)


# Both coefficients in one word: 1 and *status when that was enough, else 0.
cdef inline bint sum_small(const Number* left, const Number* right, bint right_negative,
                           Number* out, int* status) noexcept nogil:
    cdef int places = left.exponent - right.exponent
    cdef int exponent = right.exponent
    cdef uint64_t left_word = left.low
    cdef uint64_t right_word = right.low
    cdef uint64_t total
    cdef int64_t sum
    # Below 10**18 each, so that the sum fits int64.
    cdef uint64_t bound = POWERS[WORD_DIGITS - 1]
    if left.high or right.high or left_word >= bound or right_word >= bound:
        return 0
    if places > 0:
        if places >= WORD_DIGITS or left_word >= POWERS[WORD_DIGITS - 1 - places]:
            return 0
        left_word *= POWERS[places]
    elif places < 0:
        if -places >= WORD_DIGITS or right_word >= POWERS[WORD_DIGITS - 1 + places]:
            return 0
        right_word *= POWERS[-places]
        exponent = left.exponent
    sum = -<int64_t>left_word if left.negative else <int64_t>left_word
    sum += -<int64_t>right_word if right_negative else <int64_t>right_word
    total = magnitude_of(sum)
    status[0] = number_from_words(&total, 1, exponent, sum < 0, out)
    return 1


cdef int number_add(const Number* left, const Number* right, bint subtract, Number* out) except -1:
    cdef bint right_negative = (right.negative != 0) != subtract
    cdef bint right_zero = right.low == 0 and right.high == 0
    cdef int status = OK
    # `out` may be one of the operands.
    if left.low == 0 and left.high == 0:
        out[0] = right[0]
        out.negative = right_negative and not right_zero
        return 0
    if right_zero:
        out[0] = left[0]
        return 0
    if not sum_small(left, right, right_negative, out, &status):
        if left.exponent >= right.exponent:
            status = sum_words(left, left.negative != 0, right, right_negative, out)
        else:
            status = sum_words(right, right_negative, left, left.negative != 0, out)
    return 0 if status == OK else number_refuse(status)


cdef inline int number_sign(const Number* number) noexcept nogil:
    if number.low == 0 and number.high == 0:
        return 0
    return -1 if number.negative else 1


cdef int number_compare(const Number* left, const Number* right) noexcept nogil:
    cdef int sign = number_sign(left)
    cdef int other_sign = number_sign(right)
    cdef uint64_t left_words[3]
    cdef uint64_t right_words[3]
    cdef int left_first, right_first, places
    if sign != other_sign:
        return 1 if sign > other_sign else -1
    if sign == 0:
        return 0
    left_first = left.exponent + number_digits(left)
    right_first = right.exponent + number_digits(right)
    if left_first != right_first:
        return sign if left_first > right_first else -sign
    # The first digits stand at the same place, so the shift brings both coefficients to the same
    # length.
    places = left.exponent - right.exponent
    words_shift(left.high, left.low, places if places > 0 else 0, left_words)
    words_shift(right.high, right.low, -places if places < 0 else 0, right_words)
    return sign * words_compare(left_words, right_words)


cdef object RADIX_OBJECT = 10 ** 19
cdef tuple INT_POWERS = tuple([10 ** power for power in range(EXPONENT_MAX + 1)])


# ------------------------------------------------------------------------------------------------
# Doors for tests, and for what is written in Python of keys and sizes: the functions above with
# Python values at both ends.

def encode(value):
    """Return the tagged form of an int or Decimal."""
    cdef Number number
    cdef uint8_t out[24]
    number_read(value, &number)
    cdef int size = number_encode(&number, out)
    return (<char*>out)[:size]


def encode_slowly(value):
    """Return the tagged form of a Decimal read by as_tuple()."""
    cdef Number number
    cdef uint8_t out[24]
    decimal_read_slowly(decimal_class_of(value), value, &number)
    cdef int size = number_encode(&number, out)
    return (<char*>out)[:size]


def decode(bytes data not None):
    """Return the value of a tagged form that is all of `data`; CorruptError otherwise."""
    cdef Number number
    cdef const uint8_t* start = data
    if number_decode(start, start + len(data), &number) != len(data):
        raise CorruptError("damaged number")
    return number_object(&number)


def key(value):
    """Return the order-preserving key form of an int or Decimal."""
    cdef Number number
    cdef uint8_t out[NUMBER_KEY_BYTES_MAX]
    number_read(value, &number)
    cdef int size = number_key_encode(&number, out)
    return (<char*>out)[:size]


def key_value(bytes data not None):
    """Return the value of a key form that is all of `data`; CorruptError otherwise."""
    cdef Number number
    if number_key_decode(data, len(data), &number) != OK:
        raise CorruptError("damaged number")
    return number_object(&number)


# The value of a computed number by way of its bytes, so that one that is not canonical raises.
cdef object checked_object(const Number* number):
    cdef uint8_t out[24]
    return decode((<char*>out)[:number_encode(number, out)])


def parse(text):
    """Return the value of DynamoDB's N text, a str or bytes."""
    cdef Number number
    cdef bytes data = text.encode() if isinstance(text, str) else text
    number_parse(data, len(data), &number)
    return checked_object(&number)


def size(value):
    """Return DynamoDB's size of an int or Decimal, in bytes."""
    cdef Number number
    number_read(value, &number)
    return number_size(&number)


def add(left, right, bint subtract=False):
    """Return left + right, or left - right."""
    cdef Number left_number, right_number, total
    number_read(left, &left_number)
    number_read(right, &right_number)
    number_add(&left_number, &right_number, subtract, &total)
    return checked_object(&total)


def compare(left, right):
    """Return -1, 0 or 1."""
    cdef Number left_number, right_number
    number_read(left, &left_number)
    number_read(right, &right_number)
    return number_compare(&left_number, &right_number)


def scaled(int64_t coefficient, int exponent):
    """Return coefficient * 10**exponent as decoding of the scaled form does."""
    return decimal_object(coefficient, exponent)


def scaled_slowly(value):
    """Return a non-integral Decimal read and made again through text."""
    cdef Number number
    number_read(value, &number)
    return decimal_make_slowly(number.high, number.low, number.exponent, number.negative != 0)
