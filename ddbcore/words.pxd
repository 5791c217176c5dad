"""Words of 19 decimal digits: the arithmetic under numbers.

A coefficient is an array of words in radix 10**19, lowest first: the largest power of ten that fits
64 bits, and the radix of CPython's own decimal module on 64-bit machines. Nothing here needs a
128-bit type: a word is shifted by splitting it with a division, a sum that might not fit is
compared with the room left first.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef extern from *:
    """
    #define WORDS_RADIX 10000000000000000000ULL

    static const unsigned long long words_powers[20] = {
        1ULL, 10ULL, 100ULL, 1000ULL, 10000ULL, 100000ULL, 1000000ULL, 10000000ULL, 100000000ULL,
        1000000000ULL, 10000000000ULL, 100000000000ULL, 1000000000000ULL, 10000000000000ULL,
        100000000000000ULL, 1000000000000000ULL, 10000000000000000ULL, 100000000000000000ULL,
        1000000000000000000ULL, WORDS_RADIX};

    /* Beyond what the digits of any text in memory can undo, and far from the ends of int64. */
    #define WORDS_TEXT_EXPONENT_MAX 1000000000000000LL

    #if defined(__GNUC__) || defined(__clang__)
    #define words_bit_count(value) (64 - __builtin_clzll(value))
    #elif defined(_MSC_VER) && defined(_WIN64)
    #include <intrin.h>
    static __inline int words_bit_count(unsigned long long value) {
        unsigned long index;
        _BitScanReverse64(&index, value);
        return (int)index + 1;
    }
    #else
    static int words_bit_count(unsigned long long value) {
        int count = 0;
        while (value) { value >>= 1; count++; }
        return count;
    }
    #endif
    """
    const uint64_t RADIX "WORDS_RADIX"
    const int64_t TEXT_EXPONENT_MAX "WORDS_TEXT_EXPONENT_MAX"
    # Powers of ten, 10**0 .. 10**19.
    const unsigned long long* POWERS "words_powers"
    # Bits of a value that is not 0.
    int bit_count "words_bit_count"(uint64_t value) noexcept nogil

cdef enum:
    WORD_DIGITS = 19
    TEXT_DIGITS_MAX = 38
    # 38 digits whose first stands 130 places behind the point, with "0." and a sign in front.
    TEXT_BYTES_MAX = 176

cdef enum WordsStatus:
    WORDS_SYNTAX = -30                    # no number
    WORDS_LONG = -31                      # more than TEXT_DIGITS_MAX significant digits


# Read decimal text, all of it: a sign, digits with a point among them or at either end, an
# exponent; all but one digit are optional. value = (-1)**negative * words[0:2] * 10**exponent. OK
# or a WordsStatus. Exponents beyond TEXT_EXPONENT_MAX come back as some value beyond it.
cdef int words_parse(const uint8_t* text, size_t size, uint64_t* words, int64_t* exponent,
                     int* negative) noexcept nogil


# Write a number as plain decimal text: no exponent, digits on both sides of a point. `negative` is
# 0 for zero; the exponent is one of a Number, which bounds the text to TEXT_BYTES_MAX bytes.
# Returns its length.
cdef int words_print(uint64_t high, uint64_t low, int exponent, bint negative,
                     uint8_t* out) noexcept nogil


# Number of decimal digits of a value that is not 0.
cdef inline int digit_count(uint64_t value) noexcept nogil:
    # 1233 / 4096 is log10(2) from below; the table corrects the last step.
    cdef int estimate = (bit_count(value) * 1233) >> 12
    return estimate + (value >= POWERS[estimate])


# Divide a value that is not 0 by ten while it ends in a zero digit; *count gets the number of
# divisions.
cdef inline uint64_t zeros_trim(uint64_t value, int* count) noexcept nogil:
    cdef int zeros = 0
    if value % 10 == 0:
        while value % 10000 == 0:
            value //= 10000
            zeros += 4
        while value % 10 == 0:
            value //= 10
            zeros += 1
    count[0] = zeros
    return value


# Absolute value of any int64, the least one too.
cdef inline uint64_t magnitude_of(int64_t value) noexcept nogil:
    return 0 - <uint64_t>value if value < 0 else <uint64_t>value


# (high * RADIX + low) * 10**places as three words; the caller keeps its digits + places <= 57.
cdef inline void words_shift(uint64_t high, uint64_t low, int places, uint64_t* out) noexcept nogil:
    cdef int whole = places // WORD_DIGITS
    cdef uint64_t scale = POWERS[places % WORD_DIGITS]
    cdef uint64_t rest = POWERS[WORD_DIGITS - places % WORD_DIGITS]
    cdef uint64_t shifted[3]
    cdef int index
    shifted[0] = low % rest * scale
    shifted[1] = low // rest + high % rest * scale
    shifted[2] = high // rest
    for index in range(3):
        out[index] = shifted[index - whole] if index >= whole else 0


# Order of two arrays of three words: -1, 0 or 1.
cdef inline int words_compare(const uint64_t* left, const uint64_t* right) noexcept nogil:
    cdef int index
    for index in range(2, -1, -1):
        if left[index] != right[index]:
            return 1 if left[index] > right[index] else -1
    return 0


# target += source; three words never overflow here, as both are below 10**56.
cdef inline void words_add(uint64_t* target, const uint64_t* source) noexcept nogil:
    cdef uint64_t carry = 0
    cdef uint64_t room
    cdef int index
    for index in range(3):
        # The sum of two words may not fit 64 bits; what is left up to the radix does.
        room = RADIX - target[index]
        if source[index] + carry >= room:
            target[index] = source[index] + carry - room
            carry = 1
        else:
            target[index] += source[index] + carry
            carry = 0


# target -= source, which is not larger.
cdef inline void words_subtract(uint64_t* target, const uint64_t* source) noexcept nogil:
    cdef uint64_t borrow = 0
    cdef uint64_t taken
    cdef int index
    for index in range(3):
        taken = source[index] + borrow
        if target[index] >= taken:
            target[index] -= taken
            borrow = 0
        else:
            target[index] += RADIX - taken
            borrow = 1
