"""What updates compute: sums, joined lists, set unions and differences, and the new record."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ddbcore.buffer cimport Buffer
from ddbcore.operand cimport Operand

cdef enum:
    ERR_TOO_LARGE = -20                   # more than an item can hold
    # everything one update may compute: four records of the largest size
    ROOM_BYTES_MAX = 67108864


cdef struct Chunk:
    Chunk* next
    size_t size                           # bytes behind this header


cdef struct Room:
    # Memory for what one update computes. Pointers into it hold until room_clear.
    Chunk* chunks                         # owned; the newest first; only its rest is used
    size_t used                           # bytes of the newest chunk
    size_t total                          # bytes of all chunks


cdef enum ChangeKind:
    CHANGE_SET = 1
    CHANGE_REMOVE = 2


cdef struct Change:
    # One attribute of the new record.
    const uint8_t* data                   # CHANGE_SET: the encoded value
    size_t size
    # where the attribute starts in the old record; NULL: it is new
    const uint8_t* name
    const uint8_t* value                  # its old value
    size_t value_size
    const uint8_t* text                   # the name, UTF-8
    uint32_t text_size
    int64_t name_id                       # of a new attribute; -1: stored as text
    uint32_t field                        # number of the field in its table
    uint8_t kind                          # ChangeKind
    bint sized                            # size_change is known
    int64_t size_change                   # by which DynamoDB's size of the value grows


# Bytes that stay put, or NULL.
cdef uint8_t* room_take(Room* room, size_t size) noexcept nogil
# Give everything back but one chunk.
cdef void room_clear(Room* room) noexcept nogil
cdef void room_free(Room* room) noexcept nogil
# The head of a container with `content_size` bytes of elements: tag, size, count. Returns its
# length.
cdef int head_write(
    uint8_t* target, uint8_t tag, uint64_t count, size_t content_size,
) noexcept nogil
# Write the shortest encoding of an integer; returns its length (1..9).
cdef int integer_encode(int64_t value, uint8_t* target) noexcept nogil
# Make the encoded value of a key operand in the room: operand.raw becomes usable. 0, ERR_CORRUPT or
# ERR_MEMORY.
cdef int operand_encode(Operand* operand, Room* room) noexcept nogil
# left + right or left - right into *out (new encoded value). 0; -1 with ValidationError or
# MemoryError; ERR_CORRUPT.
cdef int numbers_add(
    const Operand* left, const Operand* right, bint subtract, Room* room, Operand* out,
) except -1
# The elements of two lists, one after the other. 0, ERR_CORRUPT, ERR_MEMORY, ERR_TOO_LARGE. Also
# the two below.
cdef int lists_join(
    const Operand* left, const Operand* right, Room* room, Operand* out,
) noexcept nogil
cdef int sets_unite(
    const Operand* left, const Operand* right, Room* room, Operand* out,
) noexcept nogil
# Members of left that are not in right; *out is absent when none is left.
cdef int sets_subtract(
    const Operand* left, const Operand* right, Room* room, Operand* out,
) noexcept nogil
# Append a RECORD_PUT to out: header and keys of `key` (at least a record without block), the block
# of `old` (or NULL) with changes applied. Sorts changes. Returns the record's size in bytes,
# ERR_CORRUPT, ERR_MEMORY or ERR_TOO_LARGE; out is unchanged then.
cdef int64_t record_change(
    const uint8_t* old, const uint8_t* key, Change* changes, uint32_t count, uint32_t item_size,
    Buffer* out,
) noexcept nogil
