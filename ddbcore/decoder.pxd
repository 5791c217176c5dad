"""Encoded bytes to Python values. FORMAT.md, section "Items"."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.names cimport NameTable
from ddbcore.pyapi cimport PyObject
from ddbcore.shape cimport Shape

cdef enum:
    TEXT_CACHE_BYTES = 64                 # longer strings are not kept
    TEXT_WHOLE_BYTES = 16                 # up to here head and tail are the whole of a string
    TEXT_SLOT_BITS = 11
    TEXT_SLOT_COUNT = 2048                # 2**TEXT_SLOT_BITS
    FRESH_COUNT = 128                     # names that are watched; the first stands for the keys
    SET_CACHE_BYTES = 44                  # encoded members of a set that is kept
    SET_SLOT_BITS = 6
    SET_SLOT_COUNT = 64                   # 2**SET_SLOT_BITS


# A short string seen before. `head` and `tail` are its first and last 8 bytes (overlapping).
cdef struct TextSlot:
    uint64_t head
    uint64_t tail
    uint32_t size
    uint32_t heat                         # misses it outlives before another takes the slot
    PyObject* text                        # owned, or NULL


# A small set seen before, by its encoded members.
cdef struct SetSlot:
    PyObject* template                    # owned: a set that nobody else has, or NULL
    uint64_t hash
    uint16_t size                         # bytes
    uint8_t tag
    uint8_t heat                          # as in TextSlot
    uint8_t members[SET_CACHE_BYTES]


# What decoders of one keyspace share.
cdef struct Memory:
    TextSlot* texts                       # TEXT_SLOT_COUNT
    SetSlot* sets                         # SET_SLOT_COUNT
    uint8_t fresh[FRESH_COUNT]            # by name id: strings since one of its was found again
    Shape* shapes                         # SHAPE_SLOT_COUNT
    PyObject* hash_name                   # borrowed from the codec
    PyObject* range_name                  # NULL without a range key


cdef struct Decoder:
    Memory* memory
    uint8_t* fresh                        # of the attribute in hand
    const char* damage                    # what is damaged, or NULL: an exception is set
    size_t weight                         # estimate of the bytes of memory that the values take
    int nested                            # 1: one of them is mutable


cdef int memory_open(Memory* memory) except -1
cdef void memory_close(Memory* memory) noexcept
cdef void decoder_open(Decoder* decoder, Memory* memory) noexcept
# Raise what made a decoder function return NULL.
cdef int decoder_raise(const Decoder* decoder) except -1
# The functions below return a new reference, or NULL: then decoder_raise tells.
# Decode the value at *data, which moves behind it.
cdef PyObject* decoder_value(
    Decoder* decoder, NameTable names, const uint8_t** data, const uint8_t* limit, int level,
) noexcept
# Decode `count` names and values that fill data..limit. The top level begins with the key
# attributes: takes over their references; NULL elsewhere.
cdef PyObject* decoder_entries(
    Decoder* decoder, NameTable names, const uint8_t* data, const uint8_t* limit, int level,
    uint64_t count,
    PyObject* hash_value, PyObject* range_value,
) noexcept
cdef PyObject* decoder_ascii(Decoder* decoder, const uint8_t* text, size_t size) noexcept
cdef PyObject* decoder_utf8(Decoder* decoder, const uint8_t* text, size_t size) noexcept
cdef PyObject* decoder_fail(Decoder* decoder, const char* damage) noexcept
# Read the name at *data, which moves behind it. *name_id is 0 for a name that has no id, else its
# id plus 1.
cdef PyObject* name_decode(
    Decoder* decoder, NameTable names, const uint8_t** data, const uint8_t* limit,
    uint32_t* name_id,
) noexcept
