"""Programs: compiled conditions and updates, run over item bytes.

Made by hashrange.expr; the bytecode is private to both.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from ddbcore.buffer cimport Buffer
from ddbcore.item cimport ItemCodec
from ddbcore.operand cimport Operand
from ddbcore.steps cimport Step
from ddbcore.workspace cimport Workspace


cdef class Program:
    """A compiled update, condition, or both: immutable, usable from any thread with the GIL."""

    cdef readonly tuple names             # attribute names and placeholders, by number
    cdef readonly tuple values            # value placeholders, by number
    cdef readonly str clause              # what errors call the condition
    cdef readonly bint has_update
    cdef readonly bint has_condition
    cdef tuple checks
    cdef tuple ranges
    cdef tuple distinct
    cdef tuple type_values                # numbers of the values that must name a type
    cdef Step* update_steps
    cdef Step* condition_steps
    cdef uint16_t* check_masks
    cdef uint16_t* check_values
    cdef uint8_t* name_uses               # by number: 1 in the update
    cdef uint8_t* value_uses
    cdef uint32_t update_count
    cdef uint32_t condition_count
    cdef uint32_t name_count
    cdef uint32_t value_count
    cdef uint32_t check_count
    cdef uint32_t placeholder_count       # names that start with "#"
    cdef uint32_t stack_size
    cdef uint32_t action_count
    cdef Workspace* spare                 # NULL while a run has it

    # Check the condition, apply the update, append the new record (RECORD_PUT) to out. `old`: the
    # record of the item, or NULL; `key`: a record of header and keys, as encode_key makes it.
    # names, values: the caller's dicts, or None. 1; 0 when nothing changes, then nothing is
    # appended. Raises ConditionalCheckFailed, ValidationError, ItemTooLarge, CorruptError,
    # MemoryError.
    cdef int run(
        self, ItemCodec codec, const uint8_t* old, size_t old_size, const uint8_t* key, size_t
        key_size, object names,
        object values, Buffer* out,
    ) except -1
    # The condition alone: 1 or 0.
    cdef int check(
        self, ItemCodec codec, const uint8_t* old, size_t old_size, object names, object values,
    ) except -1
    # Fill in names and values for many evaluations; the workspace is the caller's until `unbind`.
    cdef Workspace* bind(self, ItemCodec codec, object names, object values) except NULL
    cdef void unbind(self, Workspace* workspace) noexcept

    cdef int prepare(self) except -1
    cdef str clause_of(self, uint8_t uses)
    cdef Workspace* take_workspace(self) except NULL
    cdef Operand* add_to(
        self, const Operand* found, Operand* value, Workspace* workspace, Operand* made,
    ) except NULL
    cdef Operand* delete_from(
        self, const Operand* found, Operand* value, Workspace* workspace, Operand* made,
    ) except NULL
    cdef int bind_names(self, ItemCodec codec, object names, Workspace* workspace) except -1
    cdef int bind_values(self, ItemCodec codec, object values, Workspace* workspace) except -1
    cdef int bind_fields(self, ItemCodec codec, Workspace* workspace) except -1
    cdef int refuse_targets(self, Workspace* workspace) except -1
    cdef int check_values_bound(self, ItemCodec codec, Workspace* workspace) except -1
    cdef int evaluate(
        self, ItemCodec codec, const uint8_t* old, const uint8_t* key, Workspace* workspace,
    ) except -1
    cdef int build(
        self, ItemCodec codec, const uint8_t* old, const uint8_t* key, Workspace* workspace, Buffer*
        out,
    ) except -1
