"""Python's Decimal, read and made through its memory where this interpreter's layout is proved.

*Theory of operation*. Making a Decimal of text costs 100-300 ns, asking one for its digits more;
filling or reading its fields costs 5-15 ns. The layout (DecimalObject) is private to CPython's
_decimal module, though the same in every 64-bit release since 3.3. So nothing is believed: at
import, layout_reads() compares all fields of Decimals whose contents are known (zeros, signs,
exponents, one and two words, words on the heap, special values), and layout_makes() compares
Decimals made through the memory with their twins made of text, by everything a program can ask of
them. A difference, an exception, a 32-bit build, PyPy or the pure-Python decimal turn the slow ways
on, which are always right.

*Invariants*. (1) Before the layout is proved, nothing outside an object's tp_basicsize bytes is
read, and nothing is written. (2) Only exact Decimals are read and made so: a subclass may change
what its instances mean. (3) No way asks the thread's decimal context for anything that could change
a digit.

*Threads*. With the GIL. The module's globals are constant after import; Decimals are immutable.
"""

import decimal
import sys

from cpython.object cimport PyObject, PyTypeObject
from libc.stdint cimport uint64_t

from ddbcore.words cimport POWERS, WORD_DIGITS, digit_count

cdef extern from *:
    """
    #define decimals_alloc(type) ((type)->tp_alloc((type), 0))
    """
    object decimals_alloc(PyTypeObject* type)

cdef enum:
    WORDS_INSIDE = 4                      # within the object; longer coefficients are on the heap


cdef object decimal_make(uint64_t high, uint64_t low, int exponent, bint negative):
    if MAKES_LAYOUT:
        return layout_make(high, low, exponent, negative)
    return decimal_make_slowly(high, low, exponent, negative)


# Decimal() converts text exactly, whatever the context.
cdef object decimal_make_slowly(uint64_t high, uint64_t low, int exponent, bint negative):
    cdef object magnitude = low
    if high:
        magnitude += <object>high * RADIX_OBJECT
    return decimal.Decimal(f"{'-' if negative else ''}{magnitude}E{exponent}")


cdef object decimal_class_of(object value):
    cdef object pure
    if isinstance(value, DECIMAL_CLASS):
        return DECIMAL_CLASS
    pure = sys.modules.get("_pydecimal")
    if pure is not None and isinstance(value, pure.Decimal):
        return pure.Decimal
    return None


# A Decimal as _decimal itself makes it. Only when layout_reads() has said yes.
cdef inline object layout_make(uint64_t high, uint64_t low, int exponent, bint negative):
    cdef object made = decimals_alloc(DECIMAL_TYPE)
    cdef DecimalObject* fields = <DecimalObject*><PyObject*>made
    fields.hash = -1                      # not computed yet
    fields.dec.flags = DECIMAL_STATIC | DECIMAL_STATIC_DATA | (DECIMAL_NEGATIVE if negative else 0)
    fields.dec.exp = exponent
    fields.dec.alloc = WORDS_INSIDE
    fields.dec.data = fields.data
    fields.data[0] = low
    if high:
        fields.data[1] = high
        fields.dec.len = 2
        fields.dec.digits = WORD_DIGITS + digit_count(high)
    else:
        fields.dec.len = 1
        fields.dec.digits = digit_count(low) if low else 1
    return made


# Text, flags, exponent, digits, words of Decimals that fit inside their object.
LAYOUT_CASES = (
    ("0", 0, 0, 1, (0,)),
    ("-0", 1, 0, 1, (0,)),
    ("7", 0, 0, 1, (7,)),
    ("-1.50", 1, -2, 3, (150,)),
    ("9999999999999999999", 0, 0, 19, (9999999999999999999,)),
    ("1E+125", 0, 125, 1, (1,)),
    ("1E-130", 0, -130, 1, (1,)),
    ("-1000000000000000000.0", 1, -1, 20, (0, 1)),
    ("-1234567890123456789098765432101234567.8", 1, -1, 38,
     (987654321012345678, 1234567890123456789)),
    ("1E+999999", 0, 999999, 1, (1,)),
)


# A Decimal's memory is what DecimalObject says. Reads inside the object only, until that is known.
cdef bint layout_reads() except -1:
    cdef object value
    cdef DecimalObject* fields
    cdef int index
    try:
        from _decimal import Decimal as compiled
    except ImportError:
        return 0
    if DECIMAL_CLASS is not compiled or sizeof(void*) != 8:
        return 0
    if DECIMAL_TYPE.tp_basicsize != sizeof(DecimalObject) or DECIMAL_TYPE.tp_itemsize != 0:
        return 0
    for text, flags, exponent, digits, words in LAYOUT_CASES:
        value = compiled(text)
        fields = <DecimalObject*><PyObject*>value
        fresh_flags = DECIMAL_STATIC | DECIMAL_STATIC_DATA | flags
        if fields.hash != -1 or fields.dec.flags != fresh_flags or fields.dec.exp != exponent:
            return 0
        if fields.dec.digits != digits or fields.dec.len != len(words):
            return 0
        if fields.dec.alloc != WORDS_INSIDE or fields.dec.data != fields.data:
            return 0
        for index in range(len(words)):
            if fields.data[index] != words[index]:
                return 0
        if hash(value) != fields.hash:
            return 0
    return layout_reads_special(compiled) and layout_reads_long(compiled)


cdef bint layout_reads_special(object compiled) except -1:
    for text, flag in (("Infinity", DECIMAL_INFINITE), ("NaN", DECIMAL_NAN),
                       ("sNaN", DECIMAL_SIGNALING)):
        for prefix, sign in (("", 0), ("-", DECIMAL_NEGATIVE)):
            value = compiled(prefix + text)
            if ((<DecimalObject*><PyObject*>value).dec.flags & (DECIMAL_SPECIAL | DECIMAL_NEGATIVE)
                    != flag | sign):
                return 0
    return 1


# A coefficient of five words: its data are outside, and said to be so.
cdef bint layout_reads_long(object compiled) except -1:
    cdef object value = compiled("1" + "0" * 18 + "7" * 19 * 3 + "0" * 18 + "3E-90")
    cdef DecimalObject* fields = <DecimalObject*><PyObject*>value
    cdef uint64_t inner = 7777777777777777777ULL
    if fields.dec.flags != DECIMAL_STATIC or fields.dec.exp != -90:
        return 0
    if fields.dec.digits != 95 or fields.dec.len != 5 or fields.dec.alloc < 5:
        return 0
    if fields.dec.data == fields.data or fields.dec.data == NULL:
        return 0
    return (fields.dec.data[0] == 3 and fields.dec.data[1] == inner and fields.dec.data[2] == inner
            and fields.dec.data[3] == inner and fields.dec.data[4] == POWERS[18])


# Decimals made through the memory cannot be told from others. Only after layout_reads().
cdef bint layout_makes() except -1:
    cdef object compiled = DECIMAL_CLASS
    cdef object context = decimal.Context(
        prec=60, rounding=decimal.ROUND_HALF_EVEN, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX,
        capitals=1, clamp=0, flags=[], traps=[])
    cdef object made, twin
    cdef uint64_t high
    for text, flags, exponent, _, words in LAYOUT_CASES:
        high = words[1] if len(words) == 2 else 0
        made = layout_make(high, words[0], exponent, flags)
        twin = compiled(text)
        if type(made) is not compiled or not made == twin or hash(made) != hash(twin):
            return 0
        # __reduce__ is what pickle asks.
        if not (str(made) == str(twin) and repr(made) == repr(twin)
                and made.as_tuple() == twin.as_tuple() and made.__reduce__() == twin.__reduce__()
                and made.__sizeof__() == twin.__sizeof__()):
            return 0
        if made.__copy__() != twin or made.__deepcopy__({}) != twin:
            return 0
        for operation in (context.add, context.subtract, context.multiply, context.divide):
            if str(operation(made, compiled("-3.7"))) != str(operation(twin, compiled("-3.7"))):
                return 0
            if str(operation(compiled("11"), made)) != str(operation(compiled("11"), twin)):
                return 0
    return 1


cdef object DECIMAL_CLASS = decimal.Decimal
cdef PyTypeObject* DECIMAL_TYPE = <PyTypeObject*><PyObject*>DECIMAL_CLASS
cdef object RADIX_OBJECT = 10 ** 19
cdef bint MAKES_LAYOUT = False
DECIMAL_PROVED = NULL
# An exception in a proof means that something is not as we know it.
try:
    if layout_reads():
        DECIMAL_PROVED = DECIMAL_TYPE
        MAKES_LAYOUT = layout_makes()
except Exception:
    DECIMAL_PROVED = NULL
    MAKES_LAYOUT = False


# ------------------------------------------------------------------------------------------------
# Doors for tests.

def layout_paths():
    """Return (reads, makes): whether Decimals are read and made through their memory here."""
    return DECIMAL_PROVED != NULL, MAKES_LAYOUT


def make(uint64_t high, uint64_t low, int exponent, bint negative, bint slowly=False):
    """Return the Decimal of two words below 10**19, an exponent and a sign."""
    if slowly:
        return decimal_make_slowly(high, low, exponent, negative)
    return decimal_make(high, low, exponent, negative)
