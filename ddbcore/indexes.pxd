"""Secondary indexes: which entry an item has in each, and under which key."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from ddbcore.buffer cimport Buffer
from ddbcore.engine cimport Engine, TableState
from ddbcore.item cimport ItemCodec
from ddbcore.operand cimport Field, FieldTable, Operand
from ddbcore.record cimport Record

cdef enum:
    INDEX_COUNT_MAX = 32                  # of one table: 20 global and 5 local ones, and some room
    PART_COUNT_MAX = 8                    # 4 hash and 4 range attributes

# What a write did to one index.
cdef struct IndexArm:
    int64_t before                        # bytes of the entry; -1: there was none
    int64_t after
    bint same_key
    bint same_entry                       # nothing of what the index shows has changed

cdef class IndexState:
    """One index: its definition, and the hidden table that holds its entries."""
    cdef readonly str name
    cdef readonly bint is_global
    cdef readonly str projection          # ALL, KEYS_ONLY or INCLUDE
    cdef bint whole                       # ALL
    cdef readonly tuple hash_parts        # (name, type)
    cdef readonly tuple range_parts
    cdef readonly tuple included
    cdef readonly TableState entries
    cdef uint32_t fields[PART_COUNT_MAX]  # of IndexSet.fields, hash parts first
    cdef uint8_t types[PART_COUNT_MAX]    # OperandType
    cdef uint32_t hash_count
    cdef uint32_t part_count
    cdef uint32_t* projected              # fields whose sizes make up an entry's; owned
    cdef uint32_t projected_count

cdef class IndexSet:
    """The indexes of one table."""
    cdef readonly list states
    cdef ItemCodec codec
    cdef list names                       # by field
    cdef Field* fields
    cdef FieldTable table
    cdef Operand* found                   # of the old item and, behind them, of the new one
    cdef uint32_t interned_count          # names of the codec when the fields were bound
    cdef Buffer old_key
    cdef Buffer new_key
    cdef Buffer records                   # what the last `change` wrote

    cdef int define(self, Engine engine, TableState table, dict index) except -1
    cdef uint32_t field_of(self, str name) except? 0xFFFFFFFF
    cdef int refresh(self) except -1
    # Write to self.records the records that turn the entries of `old` into those of `new` (either
    # may be NULL); each names its table. arms, one for each index, may be NULL. updating: for the
    # words of an error. Runs no Python code unless it raises: ValidationError, MemoryError.
    cdef int change(self, const Record* old, const Record* new, IndexArm* arms,
                    bint updating) except -1
    # Write to self.records the entry of an item in one index, if it has one.
    cdef int entry(self, IndexState index, const Record* record) except -1
    # The key of an item's entry in one index: 1 with the bytes appended, 0 when it has none.
    # strict: refuse an attribute that cannot be a key, unless it is as it was in `before` (NULL: no
    # item).
    cdef int entry_key(self, IndexState index, const Record* record, const Operand* found,
                       const Operand* before, Buffer* out, uint32_t* hash_size, bint strict,
                       bint updating) except -1
    cdef int64_t entry_bytes(self, IndexState index, const Record* record,
                             const Operand* found) noexcept
    cdef bint entry_same(self, IndexState index, const Record* old, const Record* new) noexcept
    cdef int refuse_part(self, IndexState index, uint32_t part, const Operand* value,
                         bint updating) except -1

# The set of a table, or None when it has no index.
cdef IndexSet index_set(Engine engine, TableState table)
# Append one part of a key, so that parts one behind the other are ordered as their values.
cdef int part_append(const uint8_t* data, size_t size, Buffer* out) noexcept nogil
# Append an attribute as a part of a key. OK; 1: it cannot be one; ERR_CORRUPT, ERR_MEMORY.
cdef int operand_append(const Operand* value, uint8_t type, size_t size_max,
                        Buffer* out) noexcept nogil
# Append the base key in an entry's range key: hash key, then range key. OK or ERR_CORRUPT.
cdef int base_key_append(IndexState index, const Record* entry, Buffer* out,
                         uint32_t* hash_size) noexcept
