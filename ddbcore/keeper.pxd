"""The background threads of a writer: the keeper syncs and prepares, the maintainer checkpoints and compacts."""

from ddbcore.engine cimport Engine

cdef int checkpoint_due(Engine engine) noexcept nogil
