"""The record: what a frame of the log holds. FORMAT.md, section "Records".

A record is a 16-byte header, the encoded hash key, the encoded range key, and the attribute block.
Records start at multiples of 8 bytes. `size_bytes` has no padding in it.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef enum:
    RECORD_HEADER_BYTES = 16
    RECORD_SIZE_MAX = 16 * 1024 * 1024    # encoded; 400 KB of tiny set members take about 1 MB
    ITEM_SIZE_MAX = 409600                # DynamoDB's 400 KB, in DynamoDB's own counting
    HASH_KEY_MAX = 2048                   # value bytes of a partition key
    RANGE_KEY_MAX = 1024                  # value bytes of a sort key
    DEPTH_MAX = 32                        # nesting levels

cdef enum RecordKind:
    RECORD_PUT = 1
    RECORD_DELETE = 2
    RECORD_MOVE = 3                       # a put that compaction wrote again; no change
    RECORD_NAME = 4                       # attribute name: item_size its id, the key bytes its text
    RECORD_TABLE = 5                      # table created or changed: the body is JSON
    RECORD_DROP = 6                       # table dropped
    RECORD_ROLL = 7                       # the log goes on in another segment
    RECORD_OPEN = 8                       # a writer opened: new checksum seed

cdef enum RecordFlag:
    RECORD_HASH_ASCII = 1                 # the hash key is a string of ASCII only
    RECORD_RANGE_ASCII = 2

cdef struct Record:
    uint32_t size_bytes                   # header and body, without padding
    uint8_t kind                          # RecordKind
    uint8_t flags                         # RecordFlag bits
    uint16_t hash_size                    # bytes of the encoded hash key
    uint16_t range_size                   # bytes of the encoded range key, 0 without one
    uint16_t keyspace_id
    uint32_t item_size                    # DynamoDB's size of the item, bytes
