"""The background threads of a writer: one syncs and prepares, one checkpoints and compacts."""

from ddbcore.engine cimport Engine

cdef int checkpoint_due(Engine engine) noexcept nogil
