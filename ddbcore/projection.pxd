"""Projections: some paths of an item as a dict, without decoding the rest."""

from libc.stdint cimport uint8_t, uint32_t

from ddbcore.document cimport Target
from ddbcore.item cimport ItemCodec
from ddbcore.operand cimport Field, FieldTable, Operand
from ddbcore.steps cimport Path, PathElement


cdef class Projection


cdef class Selection:
    """A projection bound to a keyspace: constant, usable from any thread with the GIL."""

    cdef Projection projection
    cdef ItemCodec codec
    cdef list name_objects                # by number of the name: the str it stands for
    cdef FieldTable table
    cdef Field* fields
    cdef Target* targets                  # by path
    cdef Target** sorted
    cdef void** field_names               # by field: one of name_objects, borrowed
    cdef PathElement* elements
    cdef uint32_t count                   # paths
    cdef uint32_t interned_count          # names that the keyspace had at binding
    cdef bint keyed                       # a path is a key attribute

    # The named paths of a record (NULL: absent item) as a new dict; absent paths are absent.
    # typed: values in DynamoDB's form, {"S": "x"}. Raises CorruptError, MemoryError.
    cdef dict decode(self, const uint8_t* record, size_t size, bint typed=*)
    cdef dict collect(
        self, const uint8_t* record, size_t size, const Operand* found, bint typed,
    )
    cdef str name_of(self, uint32_t field)


cdef class Projection:
    """Compiled paths: immutable but for the last selection, which it keeps."""

    cdef readonly tuple names             # attribute names and placeholders, by number
    cdef readonly tuple paths             # as Program.paths
    cdef readonly str clause              # what errors call it
    cdef Path* path_table
    cdef PathElement* elements
    cdef uint8_t* uses
    cdef uint32_t element_count
    cdef uint32_t placeholder_count
    cdef Selection last

    # Fill in names. partial: `names` may hold what other expressions of the request use. Raises
    # ValidationError.
    cdef Selection bind(self, ItemCodec codec, object names, bint partial=*)
    cdef Selection selected(self, ItemCodec codec, list objects)
    cdef Selection select(self, ItemCodec codec, list objects)
