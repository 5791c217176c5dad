"""Sieves: what a filter lets through of a table, found in one pass through the log."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ddbcore.cursor cimport Scan
from ddbcore.engine cimport TableState
from ddbcore.filter cimport Filter
from ddbcore.segments cimport SLOT_COUNT_MAX, LogView
from ddbcore.table cimport CoreTable

cdef enum:
    SIFT_BYTES = 16777216                 # between two looks at the GIL; some milliseconds
    LATE_BYTES = 4194304                  # read before a window is filled, with the GIL
    SIFT_BYTES_HELD = 262144              # the same where the GIL is kept
    FOUND_MAX = 1048576                   # records that a sieve holds; 16 MiB
    SIFTER_COUNT_MAX = 4                  # threads of one pass
    SIFTER_BYTES_MIN = 16777216           # that there are for each of them to read
    LATE_MAX = 4096                       # of those found after the pass
    SIEVE_ITEMS_MIN = 16384               # smaller tables are walked in their order


cdef struct Found:
    uint64_t hash                         # of its hash key
    uint64_t address


cdef struct Part:
    # What is left to be read of a segment: frames from `offset` to `end`.
    uint32_t slot
    uint32_t number                       # of the segment
    uint64_t offset
    uint64_t end
    uint64_t proven                       # bytes below are proven


cdef struct Sift:
    # One step of a pass: in, and below the line out.
    const uint8_t* base                   # of the segment
    uint64_t size                         # mapped
    uint64_t end
    uint64_t stop                         # no frame is begun from here on
    uint64_t hash_seed
    uint64_t hash_lower
    uint64_t hash_upper                   # exclusive; 0: no bound
    uint32_t slot
    uint32_t keyspace_id
    Found* found                          # room for one more than `capacity`
    uint64_t capacity
    # ----
    uint64_t offset                       # the next frame
    uint64_t record                       # of the frame, where to go on; 0: at its start
    uint64_t count                        # of `found`
    uint64_t seen                         # records of the table, dead ones too


cdef class Sifter:
    # What one thread reads, and what it found.
    cdef Sift sift
    cdef Part part                        # being read
    cdef bint taken                       # there is one
    cdef Found* found                     # of a Sieve: sorted, behind the pass
    cdef uint64_t count
    cdef uint64_t capacity

    cdef int reserve(self, uint64_t count) except -1
    # Read on in the part; lets the GIL go, unless `held`. 0 when there is no going on.
    cdef bint read(self, LogView* view, Filter condition, bint held) except -1


cdef class Sieve(Sifter):
    cdef CoreTable table
    cdef TableState state                 # it was begun for
    cdef list helpers                     # (Sifter, thread) of the pass
    cdef bint stopping                    # they are to stop
    cdef bint failed                      # one of them could not go on
    cdef Part* parts                      # still to be read, the last first
    cdef uint32_t part_count
    cdef uint32_t part_capacity
    cdef uint32_t numbers[SLOT_COUNT_MAX]  # of the segments read, by slot; 0: none
    cdef uint32_t slot_count              # in use in it
    cdef uint64_t next                    # the first that may lie ahead
    cdef Found late[LATE_MAX]             # what was written behind the pass, sorted
    cdef uint32_t late_count
    cdef uint32_t late_next
    cdef uint32_t tail_slot               # where the log ended at the last look
    cdef uint32_t tail_number
    cdef uint64_t tail_offset
    cdef uint64_t lsn
    cdef bint sorted                      # the pass is done

    # Note what is to be read of the log for a scan. 0 when that would not pay.
    cdef bint begin(self, CoreTable table, Scan scan) except -1
    # Note what was written since the last look. 0 when there is no going on: the table was loaded
    # anew.
    cdef bint look(self) except -1
    # Bytes of the log that are noted and not read.
    cdef uint64_t left(self) noexcept
    # Have other threads read parts too, where there are processors and bytes enough.
    cdef int start_helpers(self, Filter condition) except -1
    cdef void sort_parts(self) noexcept
    # Wait for them, and take what they found. 0 when there is no going on.
    cdef bint join_helpers(self) except -1
    # Whether a part is left, or one was taken just now.
    cdef bint take(self, Sifter sifter) noexcept
    # Read on: 0 when there is no going on. Lets the GIL go, unless `held`.
    cdef bint step(self, Filter condition, bint held) except -1
    # Put what was found in order.
    cdef int sort(self, bint held) except -1
    # Take what was written since the last look, with the GIL. 0 when there is no going on.
    cdef bint catch_up(self, Scan scan, Filter condition) except -1
    # Fill the scan's window with what lies ahead of it and is live. 0 when there is no going on.
    cdef bint fill(self, Scan scan) except -1

    cdef void note_tail(self) noexcept
    cdef int part_add(self, uint32_t slot, uint64_t offset, uint64_t end) except -1
    cdef int purge(self) except -1
    cdef bint late_add(self, Found* found, uint64_t count) noexcept
    cdef int live(self, const Found* found) noexcept
    cdef bint ahead(self, Scan scan, const Found* found, uint64_t last_hash) noexcept
