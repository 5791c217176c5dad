"""Numbers: Python int and Decimal to canonical bytes and back, and the order-preserving key form.

FORMAT.md, sections "Numbers" and "Keys". Decimal objects are read and made through their memory
where a check at import time proves the layout of this interpreter's decimal module (290 ns
otherwise); through text elsewhere.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef enum:
    NUMBER_KEY_BYTES_MAX = 22             # sign, exponent, 19 pairs, terminator
    DIGITS_MAX = 38


cdef struct Number:
    # value = (-1)**negative * digits * 10**exponent; canonical: no trailing zero digit, zero is
    # high=low=0, exponent=0, negative=0
    uint64_t high                         # digits // 10**19
    uint64_t low                          # digits % 10**19
    int exponent
    int negative


# Read a Python int or Decimal. 0, or -1 with ValidationError (range, digits, NaN, infinity).
cdef int number_read(object value, Number* out) except -1
# Parse text such as "-12.50E+3" (DynamoDB's N on the wire). 0, or -1 with ValidationError.
cdef int number_parse(const uint8_t* text, size_t size, Number* out) except -1
# Write the tagged value form (at most 24 bytes); returns its length.
cdef int number_encode(const Number* number, uint8_t* out) noexcept nogil
# Read the tagged value form; returns its length or ERR_CORRUPT (-2).
cdef int number_decode(const uint8_t* data, const uint8_t* limit, Number* out) noexcept nogil
# Write the order-preserving key form; returns its length (1..22).
cdef int number_key_encode(const Number* number, uint8_t* out) noexcept nogil
# Read a whole key form of exactly `size` bytes; 0 or ERR_CORRUPT.
cdef int number_key_decode(const uint8_t* data, size_t size, Number* out) noexcept nogil
# The Python value: int when integral, else Decimal.
cdef object number_object(const Number* number)
# The Python value of a small scaled decimal, without passing through Number (hot path of decoding).
cdef object decimal_object(int64_t coefficient, int exponent)
# DynamoDB size in bytes (1 + half the digits left of the point + half right of it + sign).
cdef int number_size(const Number* number) noexcept nogil
# left + right (or left - right when subtract); 0, or -1 with ValidationError on overflow or more
# than 38 digits.
cdef int number_add(const Number* left, const Number* right, bint subtract, Number* out) except -1
# Compare: -1, 0, 1.
cdef int number_compare(const Number* left, const Number* right) noexcept nogil
