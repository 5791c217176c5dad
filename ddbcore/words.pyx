"""Words of 19 decimal digits: from text and to text. words.pxd has the arithmetic.

*Theory of operation*. Reading is one pass over the text. Zeros are held back until another digit
follows them, so that those at either end cost no digit: "1000.000" is one digit and an exponent.
The first 19 significant digits go to one accumulator, the next 19 to another, and both are brought
to words at the end; later digits are only counted. Writing puts the digits of the coefficient down,
two at a time, then moves those behind the point.

*Invariants*. (1) Nothing is computed with an exponent before it is bounded: its digits saturate.
(2) No digit is lost unless WORDS_LONG is returned.

*Threads*. Pure functions: any thread, no GIL.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memmove, memset

from ddbcore.status cimport OK

cdef struct Digits:
    uint64_t leading                      # value of the first 19 significant digits
    uint64_t following                    # and of the next 19
    int64_t count                         # significant digits, those in `zeros` left out
    int64_t zeros                         # zeros since the last other digit
    int64_t fraction                      # digits of any kind behind the point
    int64_t seen                          # digits of any kind


# Append the zeros held back and one other digit.
cdef inline void digits_append(Digits* digits, unsigned int digit) noexcept nogil:
    cdef int64_t count = digits.count + digits.zeros
    cdef int64_t index
    if count < TEXT_DIGITS_MAX:
        for index in range(digits.count, count):
            if index < WORD_DIGITS:
                digits.leading *= 10
            else:
                digits.following *= 10
        if count < WORD_DIGITS:
            digits.leading = digits.leading * 10 + digit
        else:
            digits.following = digits.following * 10 + digit
    digits.count = count + 1
    digits.zeros = 0


# Read digits and at most one point; returns where they end.
cdef const uint8_t* digits_read(const uint8_t* text, const uint8_t* limit,
                                Digits* digits) noexcept nogil:
    cdef bint in_fraction = 0
    cdef unsigned int digit
    while text < limit:
        # Whatever is below "0" wraps around to a large number.
        digit = <unsigned int>text[0] - 48
        if digit <= 9:
            digits.seen += 1
            digits.fraction += in_fraction
            if digit:
                digits_append(digits, digit)
            elif digits.count:
                digits.zeros += 1
        elif text[0] == c"." and not in_fraction:
            in_fraction = 1
        else:
            break
        text += 1
    return text


# Read what follows the "e" up to the limit; OK or WORDS_SYNTAX.
cdef int exponent_read(const uint8_t* text, const uint8_t* limit, int64_t* out) noexcept nogil:
    cdef bint negative = 0
    cdef int64_t exponent = 0
    cdef unsigned int digit
    if text < limit and (text[0] == c"-" or text[0] == c"+"):
        negative = text[0] == c"-"
        text += 1
    if text == limit:
        return WORDS_SYNTAX
    while text < limit:
        digit = <unsigned int>text[0] - 48
        if digit > 9:
            return WORDS_SYNTAX
        if exponent <= TEXT_EXPONENT_MAX:
            exponent = exponent * 10 + digit
        text += 1
    out[0] = -exponent if negative else exponent
    return OK


cdef int words_parse(const uint8_t* text, size_t size, uint64_t* words, int64_t* exponent,
                     int* negative) noexcept nogil:
    cdef const uint8_t* limit = text + size
    cdef Digits digits
    cdef int64_t behind
    digits.leading = digits.following = 0
    digits.count = digits.zeros = digits.fraction = digits.seen = 0
    exponent[0] = 0
    negative[0] = 0
    if text < limit and (text[0] == c"-" or text[0] == c"+"):
        negative[0] = text[0] == c"-"
        text += 1
    text = digits_read(text, limit, &digits)
    if digits.seen == 0:
        return WORDS_SYNTAX
    if text < limit:
        if text[0] != c"e" and text[0] != c"E":
            return WORDS_SYNTAX
        if exponent_read(text + 1, limit, exponent) != OK:
            return WORDS_SYNTAX
    if digits.count > TEXT_DIGITS_MAX:
        return WORDS_LONG
    words[0] = digits.leading
    words[1] = 0
    if digits.count > WORD_DIGITS:
        behind = digits.count - WORD_DIGITS
        words[1] = digits.leading // POWERS[WORD_DIGITS - behind]
        words[0] = digits.leading % POWERS[WORD_DIGITS - behind] * POWERS[behind] + digits.following
    exponent[0] += digits.zeros - digits.fraction
    return OK


cdef extern from *:
    """
    static const char words_pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    """
    const char* PAIRS "words_pairs"


# Write exactly `count` digits, the last ones of a value.
cdef inline void digits_write(uint64_t value, int count, uint8_t* out) noexcept nogil:
    while count >= 2:
        count -= 2
        memcpy(out + count, PAIRS + value % 100 * 2, 2)
        value //= 100
    if count:
        out[0] = <uint8_t>(48 + value % 10)


cdef int words_print(uint64_t high, uint64_t low, int exponent, bint negative,
                     uint8_t* out) noexcept nogil:
    cdef uint8_t* target = out
    cdef int digits, zeros
    if negative:
        target[0] = c"-"
        target += 1
    if high:
        digits = digit_count(high)
        digits_write(high, digits, target)
        digits_write(low, WORD_DIGITS, target + digits)
        digits += WORD_DIGITS
    else:
        digits = digit_count(low) if low else 1
        digits_write(low, digits, target)
    if exponent >= 0:
        memset(target + digits, 48, exponent)
        target += digits + exponent
    elif digits + exponent > 0:
        # The point goes in among the digits.
        memmove(target + digits + exponent + 1, target + digits + exponent, -exponent)
        target[digits + exponent] = c"."
        target += digits + 1
    else:
        zeros = 2 - exponent - digits
        memmove(target + zeros, target, digits)
        memset(target, 48, zeros)
        target[1] = c"."
        target += zeros + digits
    return <int>(target - out)
