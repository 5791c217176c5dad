"""The engine: the state of one open database, and the primitives that change it."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ddbcore.arena cimport Arena
from ddbcore.buffer cimport Buffer
from ddbcore.io cimport Disk
from ddbcore.item cimport ItemCodec
from ddbcore.keyspace cimport Keyspace
from ddbcore.log cimport Log
from ddbcore.lru cimport ItemCache

cdef enum:
    KEYSPACE_COUNT_MAX = 65535            # ids are 16 bits in a record
    SCRATCH_COUNT = 4
    PROGRAM_COUNT_MAX = 1024              # compiled expressions kept
    INDEX_PARTS_MAX = 4                   # attributes of an index's hash key, and of its range key

cdef enum Durability:
    DURABILITY_NONE = 0
    DURABILITY_INTERVAL = 1
    DURABILITY_COMMIT = 2

cdef struct LogPosition:
    uint32_t slot
    uint32_t number                       # of the segment
    uint64_t offset
    uint64_t frame_seed
    uint64_t lsn                          # of the frame there
    uint64_t timestamp                    # of the frame before

cdef struct Compaction:
    uint8_t* victims                      # a byte per slot: 1 = to be emptied; NULL: no pass
    uint32_t keyspace_id                  # where the walk is
    uint32_t tag
    bint inside                           # in the middle of the collection whose key `resume` holds
    Buffer resume                         # hash key, range key of the last record seen there
    uint32_t resume_hash_size

cdef class TableState:
    """What the engine knows of one table besides its index."""
    cdef readonly str name
    cdef readonly uint32_t keyspace_id
    cdef readonly ItemCodec codec
    cdef Keyspace space
    cdef readonly bytes schema            # JSON, as in the log
    cdef readonly dict meta               # what the schema carries for the layers above, or None
    cdef readonly list index_list         # definitions of its indexes, as in the schema
    cdef object indexes                   # IndexSet made of them, or None
    cdef uint64_t indexes_version         # engine.schema_version then

    # Take a schema's parts over.
    cdef int describe(self, dict parsed, bytes schema) except -1

cdef class Engine:
    cdef readonly str path                # None in memory
    cdef Disk disk
    cdef Log log
    cdef Arena arena
    cdef bint arena_ready
    cdef readonly list tables             # TableState or None, by keyspace id
    cdef readonly dict names              # keyspace id by table name
    cdef uint32_t generation              # keyspaces made so far
    cdef readonly uint64_t schema_version # counts changes of schemas
    cdef ItemCache cache
    cdef readonly uint64_t database_id
    cdef readonly uint64_t hash_seed
    cdef readonly bint writable
    cdef readonly str refusal             # why nothing goes any more (closed, forked)
    cdef bint refused                     # refusal is set
    cdef readonly bint following          # reader: apply what the writer appends
    cdef readonly bint rolled_back        # a sync failed, and reads show the durable state
    cdef Log poisoned_log                 # the log that was written to before that
    cdef int durability
    cdef readonly int interval_ms
    cdef uint32_t pins                    # decodings under way: maps must stay
    cdef uint32_t syncing_count           # threads that sync, without the GIL
    cdef bint release_pending             # closed while pinned, syncing or in a checkpoint
    cdef Buffer scratch[SCRATCH_COUNT]
    cdef uint32_t scratch_taken           # a bit per buffer
    cdef public object compiler           # (update or None, condition or None) -> Program
    cdef dict programs                    # compiled ones by that pair
    cdef LogPosition base                 # what the newest checkpoint covers; replay starts there
    cdef LogPosition position             # reader: next frame to apply
    cdef uint64_t limit_lsn               # replay stops before it; 0 = no limit
    cdef readonly uint64_t recovered_bytes
    cdef readonly uint64_t recovered_frames
    # Checkpoints
    cdef uint64_t superblock_sequence
    cdef uint64_t created_ms
    cdef uint32_t checkpoint_number       # of the file, 0 none
    cdef int checkpoint_fd
    cdef uint64_t checkpoint_file_bytes   # written so far
    cdef uint64_t meta_pos                # of the newest manifest
    cdef uint64_t meta_size
    cdef uint64_t meta_checksum
    cdef uint64_t checkpoint_log_bytes    # log.appended_bytes when the last one began
    cdef readonly uint64_t checkpoint_bytes   # log between checkpoints
    cdef readonly uint64_t checkpoint_count
    cdef uint64_t checkpoint_at_ms
    cdef bint checkpoint_running
    cdef unsigned long checkpoint_thread  # that runs it
    cdef unsigned long loader             # thread that loads or replays just now, 0 none
    cdef uint64_t clean_lsn               # everything below was durable at the last clean close
    # Compaction
    cdef Compaction compaction
    cdef readonly uint64_t compaction_count
    cdef readonly uint64_t moved_bytes
    cdef bint assist                      # writers help: dead bytes are above the high mark
    cdef uint32_t checked_segments        # of the last look at dead bytes
    # Background threads
    cdef void* wake                       # what the keeper sleeps on
    cdef int keeper_idle                  # the keeper sleeps, or was never started
    cdef int stopping
    cdef void* work_wake                  # what the maintenance thread sleeps on
    cdef int work_idle
    cdef public object starter            # starts the threads; None once they run
    cdef readonly str background_error    # of the last background checkpoint, None when it was fine

    cdef int stir(self) except -1
    cdef int require_open(self) except -1
    # Refuse writes to readers, closed and poisoned engines.
    cdef int require_writable(self) except -1
    # Put late records into the indexes of all tables, up to so many segments of each; raises
    # CorruptError (partition, "late records").
    cdef int catch_up(self, uint64_t segments_max, str doing) except -1
    # The same, all of them; and prove what the opening relied on (segments, "relied").
    cdef int prove_relied(self, str doing) except -1
    # Raise the exception of a kernel's status.
    cdef int fail(self, int status, str doing) except -1
    cdef Buffer* scratch_take(self) except NULL
    cdef void scratch_give(self, Buffer* buffer) noexcept
    cdef void unpin(self) noexcept
    # Unmap and free, when that is pending and nothing is in the way.
    cdef void release_late(self) noexcept
    # Unmap and free everything (when nothing is pinned).
    cdef void release(self) noexcept
    # Append the names a table has not logged yet to a frame.
    cdef int frame_names(self, TableState table, Buffer* frame) except -1
    # Append one frame that changes nothing in an index (schemas). Raises.
    cdef int append_frame(self, Buffer* frame) except -1
    # Finish a write: durability, background work.
    cdef int settle(self, int durability) except -1
    cdef TableState table_by_id(self, uint32_t keyspace_id)
    cdef TableState table_add(self, bytes schema)
    # The same with the schema parsed. Runs no Python code behind its check.
    cdef TableState table_make(self, dict parsed, bytes schema)
    cdef int table_drop(self, TableState table) except -1
    # The schema of a table that is there was replaced.
    cdef int table_alter(self, TableState table, bytes schema) except -1
    # Append a schema record to a frame.
    cdef int frame_schema(self, Buffer* frame, int kind, uint32_t keyspace_id,
                          bytes schema) except -1
    # Forget tables, index and segments, to load anew.
    cdef int reset(self) except -1
    cdef uint64_t live_bytes(self) noexcept
    cdef uint64_t used_bytes(self) noexcept
    cdef uint64_t index_bytes(self) noexcept

cdef object program_of(Engine engine, object update, object condition)
cdef int durability_parse(object durability) except -1
cdef void wake_keeper(void* wake) noexcept nogil
# Sleep until woken or `timeout_ms` passed.
cdef void wait_wake(void* wake, int* idle, uint32_t timeout_ms) noexcept nogil


# A write happened: start the background threads' clock when they sleep.
cdef inline int engine_stir(Engine engine) except -1:
    if engine.keeper_idle:
        engine.stir()
    return 0
