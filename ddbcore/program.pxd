"""Programs: compiled conditions and updates, run over item bytes.

Made by hashrange.expr; the bytecode is private to both.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from ddbcore.buffer cimport Buffer
from ddbcore.document cimport Target
from ddbcore.item cimport ItemCodec
from ddbcore.steps cimport Path, PathElement, Step, SymbolCounts
from ddbcore.workspace cimport Workspace


cdef class Program:
    """A compiled update, condition, or both: immutable, usable from any thread with the GIL."""

    cdef readonly tuple names             # attribute names and placeholders, by number
    cdef readonly tuple values            # value placeholders, by number
    cdef readonly str clause              # what errors call the condition
    cdef readonly tuple paths             # nested ones: -1 - n for the name n, and list indexes
    cdef readonly tuple targets           # of the update's actions, written like paths
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
    cdef Path* path_table                 # by number: `paths`
    cdef PathElement* elements            # of all paths
    cdef uint32_t element_count
    cdef bint nested                      # an action points into a document
    cdef uint8_t* name_uses               # by number: bits of binding.USE_...
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
    # names, values: the caller's dicts, or None; typed: values are in DynamoDB's form, {"S": "x"};
    # partial: the dicts may hold what other expressions of the request use. 1; 0 when nothing
    # changes, then nothing is appended. Raises ConditionalCheckFailed, ValidationError,
    # ItemTooLarge, CorruptError, MemoryError.
    cdef int run(
        self, ItemCodec codec, const uint8_t* old, size_t old_size, const uint8_t* key, size_t
        key_size, object names,
        object values, Buffer* out, bint typed=*, bint partial=*,
    ) except -1
    # The condition alone: 1 or 0.
    cdef int check(
        self, ItemCodec codec, const uint8_t* old, size_t old_size, object names, object values,
        bint typed=*, bint partial=*,
    ) except -1
    # Fill in names and values for many evaluations; the workspace is the caller's until `unbind`.
    cdef Workspace* bind(
        self, ItemCodec codec, object names, object values, bint typed=*, bint partial=*,
    ) except NULL
    cdef void unbind(self, Workspace* workspace) noexcept
    # A new workspace with the names and values of another, for the names the keyspace has now. Give
    # it to workspace_free.
    cdef Workspace* bind_again(self, ItemCodec codec, Workspace* source) except NULL

    cdef int check_steps(self, const SymbolCounts* counts) except -1
    cdef int note_uses(self) except -1
    cdef void note_use(self, uint16_t operand, uint8_t use) noexcept
    cdef void place_of(self, Workspace* workspace, uint16_t operand, Target* out) noexcept
    cdef str clause_of(self, uint8_t uses)
    cdef Workspace* take_workspace(self) except NULL
    cdef Workspace* make_workspace(self) except NULL
    cdef int read_values(self, Workspace* workspace) except -1
    cdef int bind_names(self, ItemCodec codec, object names, Workspace* workspace) except -1
    cdef int bind_values(
        self, ItemCodec codec, object values, Workspace* workspace, bint typed,
    ) except -1
    cdef int bind_fields(self, ItemCodec codec, Workspace* workspace) except -1
    cdef int refuse_targets(self, Workspace* workspace) except -1
    cdef int check_values_bound(self, ItemCodec codec, Workspace* workspace) except -1
    cdef int evaluate(
        self, ItemCodec codec, const uint8_t* old, const uint8_t* key, Workspace* workspace,
    ) except -1
