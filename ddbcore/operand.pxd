"""Operands: typed views of values where they lie, in records, keys or scratch, and how DynamoDB
compares them."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum OperandType:
    TYPE_ABSENT = 0                       # no such attribute
    TYPE_S = 1
    TYPE_N = 2
    TYPE_B = 3
    TYPE_BOOL = 4
    TYPE_NULL = 5
    TYPE_L = 6
    TYPE_M = 7
    TYPE_SS = 8
    TYPE_NS = 9
    TYPE_BS = 10

cdef enum NumberForm:
    FORM_TAGGED = 0                       # data is an encoded value
    FORM_KEY = 1                          # data is the order-preserving key form
    FORM_INTEGER = 2                      # `integer` is the value; data is NULL


cdef struct Operand:
    # where the attribute starts in its record; NULL for keys and constants
    const uint8_t* name
    const uint8_t* raw                    # the encoded value; NULL when there is none (keys, sizes)
    # S, B: the bytes; N: see NumberForm; L, M and sets: the first element
    const uint8_t* data
    size_t raw_size                       # bytes at raw
    size_t size                           # bytes at data
    int64_t integer                       # FORM_INTEGER only
    uint32_t count                        # elements of L, M and sets
    uint8_t type                          # OperandType
    uint8_t form                          # NumberForm


cdef enum FieldRole:
    ROLE_ATTRIBUTE = 0
    ROLE_HASH = 1
    ROLE_RANGE = 2
    ROLE_INNER = 3                        # named only inside documents


cdef struct Field:
    # A name that an expression has, bound to one keyspace: of an attribute, or inside documents.
    int64_t name_id                       # -1: the keyspace has not interned the name
    const uint8_t* text                   # UTF-8, borrowed
    uint32_t text_size                    # bytes
    # another field with the same low bits of name_id, plus 1; 0 ends the chain
    uint16_t next
    uint8_t role                          # FieldRole


cdef enum:
    FIELD_HEADS = 64


cdef struct FieldTable:
    # The fields of one bound expression. Fill fields, then call fields_index.
    Field* fields                         # owned by the caller
    uint32_t count
    uint32_t wanted                       # fields that a record may hold in its block
    uint8_t hash_type                     # OperandType of the keys
    uint8_t range_type
    uint16_t heads[FIELD_HEADS]           # by low bits of name_id: a field plus 1, or 0


# Build the chains. `inlined`: the name table is full, so that names without an id may stand in
# records as text.
cdef void fields_index(FieldTable* table, bint inlined) noexcept nogil
# Find the fields in a record (NULL: absent item); found[i] belongs to fields[i]. 0 or ERR_CORRUPT.
cdef int fields_find(
    const FieldTable* table, const uint8_t* record, size_t size, Operand* found,
) noexcept nogil
# Find an entry of a map, an element of a list; *out is absent when there is none, or no container
# of that kind. out.name is where the entry starts. 0 or ERR_CORRUPT.
cdef int map_find(const Operand* map, const Field* field, Operand* out) noexcept nogil
cdef int list_find(const Operand* list, int64_t index, Operand* out) noexcept nogil
# Read the name of an entry: its id plus 1, or 0 and the text. Its length in bytes, or ERR_CORRUPT.
cdef int64_t name_read(
    const uint8_t* data, const uint8_t* limit, uint64_t* number, const uint8_t** text, size_t* size,
) noexcept nogil
# Read the encoded value at data. Its length in bytes, or ERR_CORRUPT.
cdef int64_t operand_read(const uint8_t* data, const uint8_t* limit, Operand* out) noexcept nogil
# View an encoded key. 0 or ERR_CORRUPT.
cdef int operand_read_key(
    const uint8_t* data, size_t size, uint8_t type, Operand* out,
) noexcept nogil
# 1 equal, 0 not (absent equals nothing), ERR_CORRUPT, ERR_MEMORY.
cdef int operand_equal(const Operand* left, const Operand* right) noexcept nogil
# 1 when both are S, N or B of one type, with *order < 0, 0 or > 0; 0 when they have no order;
# ERR_CORRUPT.
cdef int operand_order(const Operand* left, const Operand* right, int* order) noexcept nogil
cdef int operand_begins_with(const Operand* whole, const Operand* start) noexcept nogil
# Substring, or member of a set, or element of a list. 1, 0, ERR_CORRUPT or ERR_MEMORY.
cdef int operand_contains(const Operand* whole, const Operand* part) noexcept nogil
# The function size(): a number, or absent for types without one. S counts UTF-16 code units.
cdef int operand_length(const Operand* source, Operand* out) noexcept nogil
# 1 and *out when the operand is a number that is an int64.
cdef int operand_integer(const Operand* source, int64_t* out) noexcept nogil
# Type of a name such as "NS"; TYPE_ABSENT when there is none.
cdef int type_by_name(const uint8_t* text, size_t size) noexcept nogil
