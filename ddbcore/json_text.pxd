"""Pieces of JSON that both directions need: plain runs of text, and base64."""

from libc.stdint cimport uint8_t, uint64_t

from ddbcore.buffer cimport load_u64

cdef enum:
    JSON_DEPTH_MAX = 256                  # arrays and objects inside one another

cdef extern from *:
    """
    #define JSON_ONES 0x0101010101010101ULL
    """
    const uint64_t ONES "JSON_ONES"


# The first byte from `here` on that is no plain character of a string: a quote, a backslash, a
# control character or a byte of a longer character; `end` when there is none.
cdef inline const uint8_t* plain_skip(const uint8_t* here, const uint8_t* end) noexcept nogil:
    cdef uint64_t word, quotes, slashes
    while end - here >= 8:
        word = load_u64(here)
        quotes = word ^ (ONES * 0x22)
        slashes = word ^ (ONES * 0x5C)
        # The top bit of a byte that is too small, too large or one of the two; a borrow may set it
        # in bytes behind such a one too, never before.
        if ((word - ONES * 0x20) | (quotes - ONES) | (slashes - ONES) | word) & (ONES * 0x80):
            break
        here += 8
    while here < end and 0x20 <= here[0] < 0x80 and here[0] != 0x22 and here[0] != 0x5C:
        here += 1
    return here


# A string of a JSON text that holds nothing but plain ASCII: what stands between its quotes.
cdef struct PlainText:
    const uint8_t* data
    Py_ssize_t size


cdef inline const uint8_t* blanks_skip(const uint8_t* here, const uint8_t* end) noexcept nogil:
    while here < end and (here[0] == 0x20 or here[0] == 0x0A or here[0] == 0x0D or here[0] == 0x09):
        here += 1
    return here


# Behind `letter`, and the blanks in front of it; NULL when it is not next, or here is NULL.
cdef inline const uint8_t* letter_take(
    const uint8_t* here, const uint8_t* end, uint8_t letter,
) noexcept nogil:
    if here == NULL:
        return NULL
    if here < end and here[0] <= 0x20:
        here = blanks_skip(here, end)
    return here + 1 if here < end and here[0] == letter else NULL


# Behind a plain string; NULL as above.
cdef inline const uint8_t* text_take(
    const uint8_t* here, const uint8_t* end, PlainText* text,
) noexcept nogil:
    cdef const uint8_t* last
    here = letter_take(here, end, 0x22)
    if here == NULL:
        return NULL
    last = plain_skip(here, end)
    if last == end or last[0] != 0x22:
        return NULL
    text.data = here
    text.size = last - here
    return last + 1


# Bytes that `size` bytes of base64 stand for, written to `target`, which has room for
# size / 4 * 3; -1 unless the text is padded, canonical base64.
cdef Py_ssize_t base64_read(const uint8_t* text, Py_ssize_t size, uint8_t* target) noexcept nogil
# Write the base64 of `size` bytes to `target`, which has room for (size + 2) / 3 * 4 bytes;
# returns that.
cdef Py_ssize_t base64_write(const uint8_t* data, Py_ssize_t size, uint8_t* target) noexcept nogil
