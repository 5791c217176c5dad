"""Pieces of JSON that both directions need.

Theory of operation
    Base64 is the standard alphabet with padding, and there is one text for given bytes: the bits
    that belong to no byte are zero. The service refuses everything else, and so does base64_read.

Threads
    Any; nothing here needs the GIL.
"""

from libc.stdint cimport uint32_t, int8_t

cdef extern from *:
    """
    static const char json_alphabet[65] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    /* The six bits of a character of the alphabet, or -1. */
    static signed char json_sextet(unsigned char letter) {
        if (letter >= 'A' && letter <= 'Z') return (signed char)(letter - 'A');
        if (letter >= 'a' && letter <= 'z') return (signed char)(letter - 'a' + 26);
        if (letter >= '0' && letter <= '9') return (signed char)(letter - '0' + 52);
        return letter == '+' ? 62 : letter == '/' ? 63 : -1;
    }
    """
    const char* alphabet "json_alphabet"
    int8_t sextet "json_sextet"(uint8_t letter) noexcept nogil


cdef Py_ssize_t base64_read(const uint8_t* text, Py_ssize_t size, uint8_t* target) noexcept nogil:
    cdef const uint8_t* end = text + size
    cdef uint8_t* out = target
    cdef uint32_t bits
    cdef int padding = 0
    cdef int8_t first, second, third, fourth
    if size & 3:
        return -1
    if size > 0 and text[size - 1] == 0x3D:
        padding = 2 if text[size - 2] == 0x3D else 1
    while text < end:
        first = sextet(text[0])
        second = sextet(text[1])
        third = sextet(text[2])
        fourth = sextet(text[3])
        text += 4
        if text == end and padding > 0:
            fourth = 0
            if padding == 2:
                third = 0
        if (first | second | third | fourth) < 0:
            return -1
        bits = <uint32_t>first << 18 | <uint32_t>second << 12 | <uint32_t>third << 6 | fourth
        out[0] = <uint8_t>(bits >> 16)
        if text == end and padding == 2:
            return -1 if bits & 0xFFFF else out + 1 - target
        out[1] = <uint8_t>(bits >> 8)
        if text == end and padding == 1:
            return -1 if bits & 0xFF else out + 2 - target
        out[2] = <uint8_t>bits
        out += 3
    return out - target


cdef Py_ssize_t base64_write(const uint8_t* data, Py_ssize_t size, uint8_t* target) noexcept nogil:
    cdef uint8_t* out = target
    cdef uint32_t bits
    while size > 0:
        bits = <uint32_t>data[0] << 16
        if size > 1:
            bits |= <uint32_t>data[1] << 8
        if size > 2:
            bits |= data[2]
        out[0] = alphabet[bits >> 18]
        out[1] = alphabet[bits >> 12 & 63]
        out[2] = alphabet[bits >> 6 & 63] if size > 1 else 0x3D
        out[3] = alphabet[bits & 63] if size > 2 else 0x3D
        out += 4
        data += 3
        size -= 3
    return out - target
