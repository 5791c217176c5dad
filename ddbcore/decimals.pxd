"""Python's Decimal, read and made through its memory where the layout is proved at import."""

from cpython.object cimport PyObject, PyTypeObject
from libc.stdint cimport uint8_t, uint64_t

cdef extern from *:
    """
    #ifndef DDBCORE_DECIMALS
    #define DDBCORE_DECIMALS
    /* A Decimal of CPython's Modules/_decimal on 64-bit machines: PyDecObject, libmpdec's mpd_t. */
    typedef struct {
        PyObject ob_base;
        Py_hash_t hash;
        struct {
            uint8_t flags;
            Py_ssize_t exp;
            Py_ssize_t digits;
            Py_ssize_t len;
            Py_ssize_t alloc;
            uint64_t *data;
        } dec;
        uint64_t data[4];
    } DecimalsObject;
    #endif
    """
    ctypedef struct DecimalFields:
        uint8_t flags                     # DecimalFlag
        Py_ssize_t exp                    # of the last digit
        Py_ssize_t digits
        Py_ssize_t len                    # words in use, at least 1 unless special
        Py_ssize_t alloc
        uint64_t* data                    # in radix 10**19, lowest first

    ctypedef struct DecimalObject "DecimalsObject":
        Py_hash_t hash                    # -1: not computed yet
        DecimalFields dec
        uint64_t data[4]                  # where dec.data points unless the coefficient is longer

cdef enum DecimalFlag:
    # libmpdec's mpdecimal.h.
    DECIMAL_NEGATIVE = 1
    DECIMAL_INFINITE = 2
    DECIMAL_NAN = 4
    DECIMAL_SIGNALING = 8
    DECIMAL_SPECIAL = 14
    DECIMAL_STATIC = 16                   # the struct is not to be freed
    DECIMAL_STATIC_DATA = 32              # nor are its words


# The type whose exact instances may be read as DecimalObject; NULL where the layout is not proved.
cdef PyTypeObject* DECIMAL_PROVED
# A new Decimal: (high * 10**19 + low) * 10**exponent, with these digits and this exponent. Both
# words below 10**19.
cdef object decimal_make(uint64_t high, uint64_t low, int exponent, bint negative)
# The same through text, whatever is proved.
cdef object decimal_make_slowly(uint64_t high, uint64_t low, int exponent, bint negative)
# The Decimal class `value` is an instance of, or None. Both implementations may live in one
# process.
cdef object decimal_class_of(object value)
