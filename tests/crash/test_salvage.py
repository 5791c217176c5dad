"""Salvage: one damaged byte costs the frame it lies in, and nothing else.

Below the checkpoint a block of 64 KiB is refused when a byte of it is wrong; salvage proves its
frames one by one. The frames are found by an independent reading of the format. Environment:
HASHRANGE_SALVAGE_SEED.
"""

from __future__ import annotations

import random
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
from crash.oracle import seed_of
from format import layout

import hashrange

Items = dict[tuple[str, Any], dict[str, Any]]
LOG = "log-00000001"
PUT = 1
SEED_BYTES = range(48, 56)    # of an open frame: the seed of all frames behind it


def item(number: int, turn: int) -> dict[str, Any]:
    return {"h": f"h{number % 7}", "r": number, "turn": turn, "text": "x" * (number % 50)}


def write(path: Path) -> Items:
    """Write three lives of a database, so that open frames stand between the others; one segment,
    and a checkpoint over all of it.
    """
    items: Items = {}
    for turn in range(3):
        with hashrange.open(path) as db:
            if turn == 0:
                db.create_table("ranged", ("h", "S"), ("r", "N"))
                db.create_table("hashed", ("r", "N"))
            for number in range(turn * 40, turn * 40 + 60):
                for table in ("ranged", "hashed"):
                    db.table(table).put(item(number, turn))
                    items[table, number] = item(number, turn)
            with db.table("ranged").batch() as batch:
                for number in range(1000 + turn * 10, 1010 + turn * 10):
                    batch.put(item(number, turn))
                    items["ranged", number] = item(number, turn)
            db.checkpoint()
            assert db.stats()["segments"] == 1
    return items


def salvaged(path: Path) -> tuple[Items, list[str]]:
    """Return what salvage saves, and what it says was lost."""
    target = path.with_name("salvaged")
    report = hashrange.salvage(path, target)
    with hashrange.open(target, mode="r") as db:
        found = {(name, item["r"]): item for name in db.tables() for item in db.table(name).scan()}
    shutil.rmtree(target)
    return found, report.errors


def keys_in(data: bytes, frame: layout.Frame) -> set[tuple[int, bytes]]:
    """Return the keys that have a record in a frame, as keyspace id and key bytes."""
    found = set()
    offset = frame.offset + 32
    while offset < frame.end:
        size, kind, _, hash_size, range_size, keyspace = struct.unpack_from("<IBBHHH", data, offset)
        if kind == PUT:
            found.add((keyspace, data[offset + 16:offset + 16 + hash_size + range_size]))
        offset += layout.padded(size)
    return found


def owners(data: bytes, frames: list[layout.Frame]) -> dict[int, int]:
    """Return for each frame, by offset, how many keys have their newest record in it."""
    newest: dict[tuple[int, bytes], int] = {}
    for frame in frames:
        for key in keys_in(data, frame):
            newest[key] = frame.offset
    return {frame.offset: list(newest.values()).count(frame.offset) for frame in frames}


@pytest.mark.timeout(0)
def test_salvage_loses_only_the_frame_with_the_damaged_byte(tmp_path: Path) -> None:
    seed = seed_of("HASHRANGE_SALVAGE_SEED")
    print(f"HASHRANGE_SALVAGE_SEED={seed}")
    dice = random.Random(seed)
    path = tmp_path / "db"
    items = write(path)
    whole = (path / LOG).read_bytes()
    frames = list(layout.frames(whole, layout.segment_read(whole)["seed"]))
    owned = owners(whole, frames)
    assert sum(owned.values()) == len(items)
    places = [frame.offset + part for frame in frames for part in (0, 1, 3, 4, 8, 17, 25)]
    opens = [frame for frame in frames if whole[frame.offset + 36] == layout.OPEN]
    assert len(opens) == 2
    chosen = [frame.offset + part for frame in opens for part in range(56)]
    chosen += dice.sample(places, 60)
    chosen += [dice.randrange(layout.SEGMENT_START, frames[-1].end) for _ in range(60)]
    lost = 0
    for offset in chosen:
        frame = next(frame for frame in reversed(frames) if frame.offset <= offset)
        if whole[frame.offset + 36] == layout.OPEN and offset - frame.offset in SEED_BYTES:
            continue
        damaged = bytearray(whole)
        damaged[offset] ^= 1 << dice.randrange(8)
        (path / LOG).write_bytes(damaged)
        found, errors = salvaged(path)
        assert all(items[key] == value for key, value in found.items()), offset
        assert len(items) - len(found) == len(errors) == owned[frame.offset], (offset, errors)
        lost += len(errors)
    print(f"{len(chosen)} damages, {lost} of {len(items)} items lost in all")


# Many damaged places in one block, size words and LSNs among them: each costs its own frame.
def test_salvage_finds_its_way_between_many_damages(tmp_path: Path) -> None:
    seed = seed_of("HASHRANGE_SALVAGE_SEED")
    print(f"HASHRANGE_SALVAGE_SEED={seed}")
    dice = random.Random(seed)
    path = tmp_path / "db"
    items = write(path)
    whole = (path / LOG).read_bytes()
    frames = list(layout.frames(whole, layout.segment_read(whole)["seed"]))
    owned = owners(whole, frames)
    usual = [frame for frame in frames if whole[frame.offset + 36] != layout.OPEN]
    for count in (2, 5, 20, 60, len(usual)):
        damaged = bytearray(whole)
        hit = dice.sample(usual, count)
        for frame in hit:
            offset = frame.offset + dice.choice((0, 1, 2, 3, 8, 16, 20, dice.randrange(frame.size)))
            damaged[offset] ^= 1 << dice.randrange(8)
        (path / LOG).write_bytes(damaged)
        found, errors = salvaged(path)
        assert all(items[key] == value for key, value in found.items())
        assert len(items) - len(found) == len(errors) == sum(owned[frame.offset] for frame in hit)
