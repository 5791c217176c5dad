"""Hostile files: databases whose checksums are right and whose contents lie.

Each mutant changes a part of a sound database as FORMAT.md describes it and makes every checksum
above
it right again, as somebody who forges files would. Opening, reading, verify and salvage must answer
with data or CorruptError; writing may refuse with any of hashrange's errors. Never a crash, never a
hang, never another exception. Batches run in forked children, so a crash is seen; under `make asan`
a read beside its memory is one. Environment: HASHRANGE_HOSTILE_SEED; HASHRANGE_EXAMPLES (make
fuzz).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crash.children import batches, in_child_with_progress
from crash.oracle import seed_of
from format import layout

import hashrange

EXAMPLES = int(os.environ.get("HASHRANGE_EXAMPLES") or 150)
BATCH = 50
MUTANT_S = 60  # a mutant that takes longer hangs
NUMBERS_32 = (
    0,
    1,
    2,
    3,
    7,
    15,
    16,
    17,
    255,
    256,
    4095,
    4096,
    65535,
    65536,
    1 << 24,
    1 << 31,
    (1 << 32) - 1,
)
NUMBERS_64 = (
    *NUMBERS_32,
    1 << 36,
    1 << 40,
    1 << 47,
    1 << 62,
    1 << 63,
    (1 << 64) - 8,
    (1 << 64) - 1,
)
JSON_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    22,
    23,
    255,
    1 << 31,
    1 << 32,
    1 << 63,
    1 << 64,
    -(1 << 63),
    10**400,
    1.5,
    1e308,
    float("inf"),
    float("nan"),
    "",
    "x",
    "\ud800",
    "x" * 70_000,
    [],
    [1],
    [[]],
    {},
    {"name": 1},
)


def build(path: Path) -> layout.Files:
    """Make a database with every kind of structure; return its files."""
    database = hashrange.open(path, cache_bytes=0)
    database.engine.starter = None
    ranged = database.create_table("ranged", ("pk", "S"), ("sk", "N"))
    plain = database.create_table("plain", ("pk", "B"))
    words = database.create_table("words", ("pk", "S"), ("sk", "S"))
    with ranged.batch() as batch:
        for number in range(700):
            batch.put({"pk": "tree", "sk": number, "n": number})
        for number in range(300):
            batch.put({"pk": f"leaf{number % 12}", "sk": number, "text": "x" * (number % 20)})
        for number in range(40):
            batch.put(
                {"pk": f"one{number}", "sk": 1, "tags": {"a", "b"}, "deep": {"l": [1, {"m": None}]}}
            )
    with plain.batch() as batch:
        for number in range(1300):
            batch.put({"pk": b"%d" % number, "n": number})
    with words.batch() as batch:
        for number in range(300):
            batch.put({"pk": "w", "sk": f"common-prefix-{number:05}", "n": number})
    for number in range(0, 300, 7):
        ranged.delete("tree", number)
    database.checkpoint()
    for number in range(12):
        ranged.put({"pk": "tail", "sk": number, "new-name": number})
        plain.update(b"%d" % number, "SET n = :n", values={":n": -number})
        words.delete("w", f"common-prefix-{number:05}")
    database.create_table("late", ("pk", "S")).put({"pk": "x"})
    database.drop_table("late")
    with ranged.batch() as batch:
        for number in range(20):
            batch.put({"pk": "tail", "sk": -number, "bytes": b"\x00" * number})
    database.close()
    return {
        entry.name: bytearray(entry.read_bytes())
        for entry in path.iterdir()
        if entry.name != "lock"
    }


class Mutant:
    """One copy of the files, changed by one of the methods below."""

    def __init__(self, original: layout.Files, dice: random.Random) -> None:
        self.files = {name: bytearray(data) for name, data in original.items()}
        self.dice = dice
        self.words = "unchanged"

    @property
    def log(self) -> bytearray:
        return self.files["log-00000001"]

    def number_into(self, data: bytearray, offset: int, width: int) -> int:
        """Write an interesting number: an extreme, or near the one that is there."""
        form = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}[width]
        old = struct.unpack_from(form, data, offset)[0]
        limit = (1 << 8 * width) - 1
        new = self.dice.choice(
            (
                self.dice.choice(NUMBERS_64) & limit,
                (old + self.dice.choice((-8, -2, -1, 1, 2, 8, 16, 4096))) & limit,
                old ^ (1 << self.dice.randrange(8 * width)),
                self.dice.randrange(limit + 1),
            )
        )
        struct.pack_into(form, data, offset, new)
        return int(new)

    def frame(self) -> None:
        """A frame behind the checkpoint: header, record headers, bodies."""
        base = layout.superblock_read(self.files)
        found = list(layout.frames(self.log, base["log_frame_seed"], base["log_offset"]))
        frame = self.dice.choice(found)
        records = []
        offset = frame.offset + layout.FRAME_HEADER_BYTES
        while offset < frame.end:
            records.append(offset)
            offset += layout.padded(struct.unpack_from("<I", self.log, offset)[0])
        for _ in range(self.dice.choice((1, 1, 2, 5))):
            record = self.dice.choice(records)
            shift, width = self.dice.choice(
                ((0, 4), (4, 1), (5, 1), (6, 2), (8, 2), (10, 2), (12, 4))
            )
            if self.dice.random() < 0.4:
                shift, width = (
                    self.dice.randrange(16, max(17, frame.end - record - 8)),
                    self.dice.choice((1, 2)),
                )
            if record + shift + width <= frame.end:
                self.number_into(self.log, record + shift, width)
            self.words = f"frame {frame.lsn}, record at {record - frame.offset}, byte {shift}"
        if self.dice.random() < 0.2:
            self.number_into(self.log, frame.offset + self.dice.choice((0, 4, 16, 24)), 4)
            self.words += " and its header"
        layout.frame_seal(self.log, frame)

    def old_record(self) -> None:
        """Bytes of the log below the checkpoint, with block sums made right."""
        manifest = layout.manifest_read(self.files)
        base = layout.superblock_read(self.files)
        frame = self.dice.choice(
            [
                frame
                for frame in layout.frames(self.log, layout.segment_read(self.log)["seed"])
                if frame.offset < base["log_offset"]
            ]
        )
        for _ in range(self.dice.choice((1, 3, 40))):
            offset = self.dice.randrange(frame.offset + layout.FRAME_HEADER_BYTES, frame.end - 4)
            self.number_into(self.log, offset, self.dice.choice((1, 2, 4)))
            self.words = f"old frame {frame.lsn}, byte {offset - frame.offset}"
        layout.blocks_seal(self.files, manifest)
        layout.manifest_write(self.files, manifest.build())

    def head(self) -> None:
        """The JSON of the manifest: values of every kind in every place, keys missing, no JSON at
        all."""
        manifest = layout.manifest_read(self.files)
        if self.dice.random() < 0.1:
            text = self.dice.choice(
                (
                    b"",
                    b"null",
                    b"[" * 100_000,
                    b"\xff\xfe",
                    b'{"tables": []}',
                    b"{}",
                    b"1" * 5000,
                    manifest.build()[8:200],
                )
            )
            self.words = f"head is {text[:20]!r}"
            layout.manifest_write(self.files, manifest.build(text))
            return
        place: Any = manifest.head
        path: list[Any] = []
        while True:
            keys: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = self.dice.choice(keys)
            path.append(key)
            if isinstance(place[key], dict | list) and place[key] and self.dice.random() < 0.9:
                place = place[key]
                continue
            break
        if isinstance(place, dict) and self.dice.random() < 0.1:
            del place[key]
        elif isinstance(place, list) and self.dice.random() < 0.2:
            place.insert(0, place[key])
        elif key == "schema":
            place[key] = self.schema(place[key])
        else:
            place[key] = self.dice.choice((*JSON_VALUES, self.dice.randrange(1 << 40)))
        self.words = f"head {path}: {str(place)[:60]}"
        layout.manifest_write(self.files, manifest.build())

    def schema(self, schema: str) -> Any:
        old = self.dice.choice(('"S"', '"N"', "0", "1", "2", '"name"', '"id"', "pk", "[", ":"))
        new = self.dice.choice(
            ('"B"', '"X"', "65534", "65535", "-1", "null", "{}", '"pk"', "1e9", "[" * 2000)
        )
        return schema.replace(old, new, 1)

    def rows(self) -> None:
        """Unit table, directories, live counts, block sums."""
        manifest = layout.manifest_read(self.files)
        part = self.dice.choice(("row", "row", "directory", "sums"))
        if part == "row":
            row = self.dice.choice(manifest.rows)
            row[self.dice.randrange(4)] = self.dice.choice(
                (*NUMBERS_64, *self.dice.choice(manifest.rows))
            )
        elif part == "directory":
            index = self.dice.choice(
                [index for index, piece in enumerate(manifest.directories) if piece]
            )
            piece = bytearray(manifest.directories[index])
            self.number_into(piece, self.dice.randrange(len(piece) // 4) * 4, 4)
            manifest.directories[index] = bytes(piece)
        else:
            manifest.sums = manifest.sums[: self.dice.randrange(len(manifest.sums) + 1)]
        self.words = f"manifest {part}"
        layout.manifest_write(self.files, manifest.build())

    def unit(self) -> None:
        """The image of an index unit: its header, entries, heads and references."""
        manifest = layout.manifest_read(self.files)
        units = [index for index, row in enumerate(manifest.rows) if row[0]]
        unit = self.dice.choice(units)
        granules, _, position, _ = manifest.rows[unit]
        name = layout.checkpoint_name(layout.superblock_read(self.files))
        image = bytearray(self.files[name][position : position + granules * 4096])
        if self.dice.random() < 0.1:
            # Another unit's image, sound in itself.
            other = self.dice.choice(units)
            size, start = manifest.rows[other][0] * 4096, manifest.rows[other][2]
            image = bytearray(self.files[name][start : start + size])[: len(image)].ljust(
                len(image), b"\0"
            )
            self.words = f"unit {unit} is unit {other}"
        else:
            used = [offset for offset in range(0, len(image), 4) if any(image[offset : offset + 4])]
            for _ in range(self.dice.choice((1, 1, 2, 10))):
                width = self.dice.choice((1, 2, 4, 8))
                near = self.dice.random()
                offset = self.dice.randrange(64) if near < 0.4 else self.dice.choice(used)
                if near > 0.9:
                    offset = self.dice.randrange(len(image))
                offset = min(offset // width * width, len(image) - width)
                self.number_into(image, offset, width)
                self.words = f"unit {unit} of kind {image[0]}, byte {offset}"
        layout.unit_write(self.files, manifest, unit, bytes(image))
        layout.manifest_write(self.files, manifest.build())

    def superblock(self) -> None:
        fields = layout.superblock_read(self.files)
        name = self.dice.choice(layout.SUPERBLOCK_FIELDS[2:-1])
        limit = (
            0xFFFFFFFF if name in ("reserved", "checkpoint_number", "log_number") else layout.MASK
        )
        fields[name] = self.dice.choice((*NUMBERS_64, fields[name] + 1, fields[name] + 8)) & limit
        self.words = f"superblock {name} = {fields[name]}"
        layout.superblock_write(self.files, fields)

    def segment(self) -> None:
        fields = layout.segment_read(self.log)
        name = self.dice.choice(layout.SEGMENT_FIELDS[2:-1])
        limit = 0xFFFFFFFF if name == "number" else layout.MASK
        fields[name] = self.dice.choice((*NUMBERS_64, 1 << 18, 1 << 19, 1 << 26, 1 << 27)) & limit
        self.words = f"segment {name} = {fields[name]}"
        layout.segment_write(self.log, fields)


KINDS = ("frame", "old_record", "head", "rows", "unit", "superblock", "segment")


def reads(database: hashrange.Database) -> None:
    for name in database.tables():
        table = database.table(name)
        table.count()
        for item in table.scan():
            assert isinstance(item, dict)
        for key in (
            ("tree", 5),
            ("leaf1", 13),
            ("w", "common-prefix-00007"),
            (b"7",),
            ("tail", -3),
        ):
            try:
                table.get(*key)
                for walk in (table.query(key[0]), table.query(key[0], reverse=True, limit=300)):
                    for item in walk:
                        assert isinstance(item, dict)
            except (hashrange.ValidationError, TypeError):
                pass  # the key does not fit this table


def writes(database: hashrange.Database, dice: random.Random) -> None:
    """Change the structures all over: inserts, splits, merges, moves, a new checkpoint."""
    for name in database.tables():
        table = database.table(name)
        ranged = table.range_key is not None
        for number in range(150):
            text = (
                f"common-prefix-{dice.randrange(400):05}"
                if name == "words"
                else dice.randrange(-50, 900)
            )
            hash_value: Any = dice.choice(("tree", "w", f"leaf{number % 12}", f"new{number}"))
            if not ranged:
                hash_value = b"%d" % dice.randrange(2000)
            key = (hash_value, text) if ranged else (hash_value,)
            try:
                if dice.random() < 0.5:
                    table.delete(*key)
                else:
                    table.put({"pk": key[0], **({"sk": key[1]} if ranged else {}), "n": number})
            except hashrange.Error:
                continue
    for call in (database.compact, database.checkpoint, database.sync):
        try:
            call()
        except hashrange.Error:
            continue


def tried(kind: str, call: Callable[[], None], count: Counter[str]) -> None:
    try:
        call()
        count[f"{kind} answered"] += 1
    except hashrange.CorruptError:
        count[f"{kind} refused"] += 1


def examine(mutant: Mutant, path: Path, count: Counter[str]) -> None:
    def reader() -> None:
        with hashrange.open(path, mode="r", cache_bytes=0) as database:
            reads(database)

    def check() -> None:
        report = hashrange.verify(path)
        count["found by verify"] += not report.ok

    def salvage() -> None:
        target = path.with_name(path.name + "-salvaged")
        try:
            hashrange.salvage(path, target)
        finally:
            shutil.rmtree(target, ignore_errors=True)

    def writer() -> None:
        with hashrange.open(path) as database:
            database.engine.starter = None
            try:
                reads(database)
            finally:
                writes(database, mutant.dice)

    path.mkdir()
    for name, data in mutant.files.items():
        (path / name).write_bytes(data)
    for kind, call in (
        ("reader", reader),
        ("verify", check),
        ("salvage", salvage),
        ("writer", writer),
    ):
        try:
            tried(kind, call, count)
        except hashrange.Error as error:
            # A write, or the close behind it, may be refused for other reasons: a bound of the
            # index.
            if kind != "writer":
                raise AssertionError(f"{kind}: {error!r}") from error
            count["writer refused otherwise"] += 1
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> layout.Files:
    return build(tmp_path_factory.mktemp("hostile") / "original")


# A schema may be JSON of the right form and still name what no key can be: that is damage too.
@pytest.mark.parametrize(
    "change",
    [
        {"hash_key": ["x" * 256, "S"]},
        {"hash_key": ["", "S"]},
        {"hash_key": ["\ud800", "S"]},
        {"hash_key": ["same", "S"], "range_key": ["same", "N"]},
    ],
)
def test_a_schema_with_an_impossible_key_is_damage(
    change: dict[str, Any], original: layout.Files, tmp_path: Path
) -> None:
    files = {name: bytearray(data) for name, data in original.items()}
    manifest = layout.manifest_read(files)
    table = manifest.head["tables"][0]
    table["schema"] = json.dumps({**json.loads(table["schema"]), **change})
    layout.manifest_write(files, manifest.build())
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert not hashrange.verify(tmp_path).ok
    for mode in ("r", "rw"):
        with pytest.raises(hashrange.CorruptError, match="impossible key"):
            hashrange.open(tmp_path, mode=mode)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(0)
def test_a_forged_database_never_crashes_its_reader(
    kind: str, original: layout.Files, tmp_path: Path
) -> None:
    seed = seed_of("HASHRANGE_HOSTILE_SEED")
    total: Counter[str] = Counter()
    count = EXAMPLES if kind in ("frame", "unit", "head") else EXAMPLES // 2
    for batch in batches(range(count), BATCH):

        def work(note: Callable[[int], None], batch: Any = batch) -> Counter[str]:
            found: Counter[str] = Counter()
            for number in batch:
                note(number)
                signal.alarm(MUTANT_S)
                mutant = Mutant(original, random.Random(f"{seed} {kind} {number}"))
                getattr(mutant, kind)()
                try:
                    examine(mutant, tmp_path / f"{number}", found)
                except BaseException as error:
                    raise AssertionError(f"{kind} {number}: {mutant.words}") from error
            return found

        try:
            total += in_child_with_progress(work)
        except BaseException:
            print(f"HASHRANGE_HOSTILE_SEED={seed}, {kind}")
            raise
    print(f"{count} mutants of kind {kind}: {dict(total)}; seed {seed}")


def test_the_layout_here_and_the_code_agree(original: layout.Files, tmp_path: Path) -> None:
    # Taken apart and put together without a change, everything is as it was: the mutants are what
    # they say.
    manifest = layout.manifest_read(original)
    files = {name: bytearray(data) for name, data in original.items()}
    layout.blocks_seal(files, manifest)
    for unit, row in enumerate(manifest.rows):
        if row[0]:
            start = row[2]
            name = layout.checkpoint_name(layout.superblock_read(files))
            layout.unit_write(
                files, manifest, unit, bytes(files[name][start : start + row[0] * 4096])
            )
    layout.manifest_write(files, manifest.build())
    layout.segment_write(files["log-00000001"], layout.segment_read(files["log-00000001"]))
    base = layout.superblock_read(files)
    tail = list(layout.frames(files["log-00000001"], base["log_frame_seed"], base["log_offset"]))
    assert len(tail) > 30
    for frame in tail:
        layout.frame_seal(files["log-00000001"], frame)
    assert files["log-00000001"] == original["log-00000001"]
    path = tmp_path / "same"
    path.mkdir()
    for name, data in files.items():
        (path / name).write_bytes(data)
    report = hashrange.verify(path)
    assert report.ok, report.errors
    assert report.checked["items"] > 2000
    with hashrange.open(path, mode="r") as database:
        kinds = {data[0] for data in unit_images(files)}
        assert kinds == {1, 2, 3}, "the sample lacks a kind of unit"
        reads(database)


def unit_images(files: layout.Files) -> Iterator[bytes]:
    data = files[layout.checkpoint_name(layout.superblock_read(files))]
    for granules, _, position, _ in layout.manifest_read(files).rows:
        if granules:
            yield bytes(data[position : position + granules * 4096])
