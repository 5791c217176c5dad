"""The format from outside: find parts of a database's files, change them, correct checksums.

An independent reading of FORMAT.md, in Python and with the xxhash package: what the tests here
agree on with ddbcore is what the document says.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from xxhash import xxh64_intdigest

MASK = (1 << 64) - 1
SUPERBLOCK_SEED = 0x3130424452524148
SUPERBLOCK_BYTES = 152
SUPERBLOCK_SLOT_BYTES = 4096
SUPERBLOCK_FIELDS = ["magic", "version", "reserved", "sequence", "database_id", "hash_seed",
                     "created_ms", "checkpoint_number", "log_number", "meta_pos", "meta_size",
                     "meta_checksum", "log_slot", "log_offset", "log_frame_seed", "log_lsn",
                     "log_timestamp", "clean_lsn", "padding1", "padding2", "checksum"]
SUPERBLOCK = struct.Struct("<QIIQQQQIIQQQQQQQQQQQQ")
SEGMENT_FIELDS = ["magic", "version", "number", "size", "seed", "first_lsn", "database_id",
                  "reserved", "checksum"]
SEGMENT = struct.Struct("<QIIQQQQQQ")
SEGMENT_START = 64
FRAME_HEADER_BYTES = 32
RECORD_HEADER_BYTES = 16
OPEN, ROLL = 8, 7
BLOCK_BYTES = 65536
ROW_BYTES = 24

Files = dict[str, bytearray]


def padded(size: int) -> int:
    return -(-size // 8) * 8


def superblock_read(files: Files) -> dict[str, int]:
    """Return the fields of the newest valid slot, with its place as `slot`."""
    best: dict[str, int] = {}
    for slot in range(2):
        start = slot * SUPERBLOCK_SLOT_BYTES
        raw = bytes(files["superblock"][start:start + SUPERBLOCK_BYTES])
        fields = dict(zip(SUPERBLOCK_FIELDS, SUPERBLOCK.unpack(raw), strict=True))
        valid = fields["checksum"] == xxh64_intdigest(raw[:-8], SUPERBLOCK_SEED)
        if valid and (not best or fields["sequence"] > best["sequence"]):
            best = {**fields, "slot": slot}
    return best


def superblock_write(files: Files, fields: dict[str, int]) -> None:
    """Write both slots with these fields and a right checksum."""
    values = [fields[name] for name in SUPERBLOCK_FIELDS]
    raw = SUPERBLOCK.pack(*values)[:-8]
    raw += struct.pack("<Q", xxh64_intdigest(raw, SUPERBLOCK_SEED))
    for slot in range(2):
        start = slot * SUPERBLOCK_SLOT_BYTES
        files["superblock"][start:start + SUPERBLOCK_BYTES] = raw


def segment_read(data: bytes | bytearray) -> dict[str, int]:
    return dict(zip(SEGMENT_FIELDS, SEGMENT.unpack(bytes(data[:SEGMENT_START])), strict=True))


def segment_write(data: bytearray, fields: dict[str, int]) -> None:
    raw = SEGMENT.pack(*[fields[name] for name in SEGMENT_FIELDS])[:-8]
    data[:SEGMENT_START] = raw + struct.pack("<Q", xxh64_intdigest(raw, fields["database_id"]))


@dataclass
class Frame:
    """A frame of a segment: where it is and what its checksum depends on."""

    offset: int
    size: int
    seed: int
    lsn: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def frame_sum(data: bytes | bytearray, offset: int, size: int, seed: int) -> int:
    lag = struct.unpack_from("<I", data, offset + 4)[0]
    mixed = (((lag << 32) | size) * 0x9E3779B97F4A7C15) & MASK
    return xxh64_intdigest(bytes(data[offset + 16:offset + size]), seed ^ mixed)


def frames(data: bytes | bytearray, seed: int, offset: int = SEGMENT_START) -> Iterator[Frame]:
    """Yield the valid frames of a segment from an offset on."""
    while offset + FRAME_HEADER_BYTES + RECORD_HEADER_BYTES <= len(data):
        size, _, checksum, lsn = struct.unpack_from("<IIQQ", data, offset)
        if size < 48 or offset + size > len(data):
            return
        if frame_sum(data, offset, size, seed) != checksum:
            return
        yield Frame(offset, size, seed, lsn)
        kind = data[offset + FRAME_HEADER_BYTES + 4]
        if kind == OPEN:
            body = offset + FRAME_HEADER_BYTES + RECORD_HEADER_BYTES
            seed = struct.unpack_from("<Q", data, body)[0]
        offset += size


def frame_seal(data: bytearray, frame: Frame) -> None:
    """Make a frame's checksum right for its bytes."""
    size = struct.unpack_from("<I", data, frame.offset)[0]
    end = min(frame.offset + max(size, 48), len(data))
    total = frame_sum(data, frame.offset, end - frame.offset, frame.seed)
    if end - frame.offset != size:
        # The size lies: the sum over what is there, as if the size were right, must do.
        lag = struct.unpack_from("<I", data, frame.offset + 4)[0]
        mixed = (((lag << 32) | size) * 0x9E3779B97F4A7C15) & MASK
        total = xxh64_intdigest(bytes(data[frame.offset + 16:end]), frame.seed ^ mixed)
    struct.pack_into("<Q", data, frame.offset + 8, total)


@dataclass
class Manifest:
    """A manifest taken apart; `build` puts it together."""

    head: dict[str, Any]
    directories: list[bytes]            # two pieces per table: directory, live bytes per slot
    rows: list[list[int]]               # granules, owner, position, checksum
    sums: bytes

    @classmethod
    def parse(cls, raw: bytes) -> Manifest:
        size = struct.unpack_from("<Q", raw)[0]
        head = json.loads(raw[8:8 + size])
        pos = 8 + padded(size)
        directories = []
        for table in head["tables"]:
            for piece in (4 << table["depth"], 8 * table["slots"]):
                directories.append(raw[pos:pos + piece])
                pos += padded(piece)
        rows = []
        for _ in range(head["units"]):
            rows.append(list(struct.unpack_from("<IIQQ", raw, pos)))
            pos += ROW_BYTES
        return cls(head, directories, rows, raw[pos:])

    def build(self, text: bytes | None = None) -> bytes:
        """Return the bytes; `text` replaces the JSON of the head."""
        text = json.dumps(self.head).encode() if text is None else text
        parts = [struct.pack("<Q", len(text)), text.ljust(padded(len(text)), b"\0")]
        parts += [piece.ljust(padded(len(piece)), b"\0") for piece in self.directories]
        parts += [struct.pack("<IIQQ", *(value & limit for value, limit in zip(
            row, (0xFFFFFFFF, 0xFFFFFFFF, MASK, MASK), strict=True))) for row in self.rows]
        return b"".join([*parts, self.sums])


def checkpoint_name(superblock: dict[str, int]) -> str:
    return f"checkpoint-{superblock['checkpoint_number']:08x}"


def manifest_read(files: Files) -> Manifest:
    superblock = superblock_read(files)
    start = superblock["meta_pos"]
    stop = start + superblock["meta_size"]
    return Manifest.parse(bytes(files[checkpoint_name(superblock)][start:stop]))


def manifest_write(files: Files, raw: bytes) -> None:
    """Put a manifest at the end of the checkpoint and make the superblock name it."""
    superblock = superblock_read(files)
    data = files[checkpoint_name(superblock)]
    position = -(-len(data) // 4096) * 4096
    data.extend(bytes(position - len(data)))
    data.extend(raw)
    superblock.update(meta_pos=position, meta_size=len(raw),
                      meta_checksum=xxh64_intdigest(raw, position))
    superblock_write(files, superblock)


def unit_write(files: Files, manifest: Manifest, unit: int, image: bytes) -> None:
    """Replace a unit's image in its place; the manifest's row gets the right checksum."""
    data = files[checkpoint_name(superblock_read(files))]
    position = manifest.rows[unit][2]
    data[position:position + len(image)] = image
    manifest.rows[unit][3] = xxh64_intdigest(image, position)


def blocks_seal(files: Files, manifest: Manifest) -> None:
    """Make the block sums of the log right for its bytes."""
    sums = b""
    for _, number, end in manifest.head["slots"]:
        data = files[f"log-{number:08x}"]
        seed = segment_read(data)["seed"]
        for start in range(0, end, BLOCK_BYTES):
            block = bytes(data[start:min(start + BLOCK_BYTES, end)])
            sums += struct.pack("<Q", xxh64_intdigest(block, seed ^ start))
    manifest.sums = sums
