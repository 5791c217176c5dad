"""JSON text to Python values, in one pass: the bodies of requests."""

from libc.stdint cimport uint8_t

from ddbcore.pyapi cimport PyObject

cdef enum:
    NAME_SLOTS = 1024                     # remembered names; a power of two
    NAME_WAYS = 4                         # slots that a name may be in
    NAME_BYTES_MAX = 48                   # longer names are not remembered
    NUMBER_BYTES_MAX = 4096               # longer numbers are refused
    WHOLE_DIGITS_MAX = 400                # longer whole numbers become a float


cdef struct Reader:
    const uint8_t* start
    const uint8_t* here
    const uint8_t* end
    PyObject** names                      # of the JsonReader
    const char* fault                     # what is wrong with the text, or NULL
    bint blobs                            # members B and BS are binaries
    bint documents                        # inside a member M: names are those of attributes


cdef class JsonReader:
    cdef PyObject* names[NAME_SLOTS]      # owned, or NULL

    # The value of a whole text. Raises SerializationError; MemoryError.
    cdef object read_text(self, const uint8_t* text, Py_ssize_t size)


# A name of plain ASCII that was read before and is still remembered, borrowed; or NULL.
cdef PyObject* json_name_known(
    JsonReader reader, const uint8_t* text, Py_ssize_t size,
) noexcept
