"""Damage: bits flipped and files cut, one at a time, all over a small database.

Whatever one bit or one cut does, a reader, a writer, verify and salvage either show exactly what
was durable or refuse with CorruptError; they never show a wrong value and never end the process
(each batch runs in a forked child). Two databases: one closed cleanly, of which everything was
durable and is known to be; one killed with durability "commit", whose very last frame nothing later
proves. Environment: HASHRANGE_DAMAGE_SEED.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crash.children import batches, in_child_with_progress
from crash.oracle import State, abandon, applied, content, perform, seed_of
from format import layout

import hashrange

BATCH = 4000
ZERO_SHARE = 40               # of the bytes that hold nothing, one in so many is flipped
SALVAGE_SHARE = 50

# File, offset, xor mask; or length to cut at with mask 0.
Damage = tuple[str, int, int]


def small_operations() -> Iterator[tuple[Any, ...]]:
    """Twenty items, with a checkpoint in the middle."""
    yield ("create", "ranged")
    for number in range(10):
        yield ("put", "ranged",
               {"pk": f"h{number % 3}", "sk": number, "n": number, "text": "a" * number})
    yield ("checkpoint",)
    yield ("create", "plain")
    for number in range(8):
        yield ("put", "plain", {"pk": f"h{number}", "n": number, "tags": {"x", "y"}})
    yield ("batch", "ranged", [("put", {"pk": "h0", "sk": 30 + n, "n": n}) for n in range(2)])
    yield ("update", "ranged", ("h0", 3), 7, "new")
    yield ("delete", "ranged", ("h1", 1))


def rolled_operations() -> Iterator[tuple[Any, ...]]:
    """Several segments, a checkpoint in the second."""
    yield ("create", "plain")
    for number in range(9):
        yield ("put", "plain", {"pk": f"h{number}", "text": f"{number}" * 90_000})
        yield ("put", "plain", {"pk": f"small{number}", "n": number})
        if number == 3:
            yield ("checkpoint",)


class Original:
    """A database's files, and the states that damage may leave."""

    def __init__(self, path: Path, operations: Iterator[tuple[Any, ...]], closed: bool) -> None:
        database = hashrange.open(path / "original", durability="interval" if closed else "commit")
        database.engine.starter = None
        states: list[State] = [{}]
        for operation in operations:
            perform(database, operation)
            states.append(applied(states[-1], operation))
        if closed:
            database.close()
        else:
            # What a kill leaves; the last frame is durable, but nothing says so yet.
            shutil.copytree(path / "original", path / "killed")
            abandon(database)
        source = path / ("original" if closed else "killed")
        self.states_known = states
        self.allowed = states[-1:] if closed else states[-2:]
        self.files = {
            entry.name: entry.read_bytes() for entry in source.iterdir() if entry.name != "lock"
        }
        self.path = path
        assert hashrange.verify(source).ok

    def tail(self) -> tuple[str, int]:
        """Return the last segment and the end of its last frame."""
        name = max(name for name in self.files if name.startswith("log-"))
        return name, self.used(name)

    def used(self, name: str) -> int:
        data = self.files[name]
        return len(data.rstrip(b"\0")) // 8 * 8 + 8 if name.startswith("log-") else len(data)

    def flips(self, dice: random.Random) -> list[Damage]:
        """Every bit that says something, and some of those that are zero around them."""
        found = []
        for name, data in sorted(self.files.items()):
            for offset in range(len(data)):
                near = any(data[max(0, offset - 8):offset + 8])
                if near or offset < 160 or dice.randrange(ZERO_SHARE * 8) == 0:
                    found += [(name, offset, 1 << bit) for bit in range(8)]
        return found


class Copy:
    """A directory that holds the original's files, changed and set right again."""

    def __init__(self, original: Original, name: str) -> None:
        self.original = original
        self.path = original.path / name
        self.path.mkdir()
        for file in original.files:
            self.restore(file)

    def restore(self, name: str) -> None:
        (self.path / name).write_bytes(self.original.files[name])

    def change(self, damage: Damage) -> None:
        name, offset, mask = damage
        if mask == 0:
            os.truncate(self.path / name, offset)
            return
        with open(self.path / name, "r+b") as file:
            file.seek(offset)
            file.write(bytes([self.original.files[name][offset] ^ mask]))

    def repair(self, damage: Damage) -> None:
        name, offset, mask = damage
        if mask == 0:
            self.restore(name)
            return
        with open(self.path / name, "r+b") as file:
            file.seek(offset)
            file.write(self.original.files[name][offset:offset + 1])

    def repair_all(self) -> None:
        for entry in self.path.iterdir():
            if entry.name not in self.original.files:
                entry.unlink()
        for name in self.original.files:
            self.restore(name)


def seen(open_database: Callable[[], hashrange.Database], allowed: list[State]) -> str:
    """Open and read everything: "whole", or "refused" by a CorruptError; else it fails."""
    try:
        with open_database() as database:
            found = content(database)
    except hashrange.CorruptError as error:
        assert len(str(error)) > 20, error
        return "refused"
    assert found in allowed, "a wrong content was shown"
    return "whole"


def examine(copy: Copy, damage: Damage, number: int) -> Counter[str]:
    """Look at a damaged database in every way."""
    path, allowed = copy.path, copy.original.allowed
    count: Counter[str] = Counter()
    reader = seen(lambda: hashrange.open(path, mode="r"), allowed)
    count[f"reader {reader}"] += 1
    report = hashrange.verify(path)
    count["verify clean" if report.ok else "verify damaged"] += 1
    assert report.ok or report.errors
    assert not (report.ok and reader == "refused"), "verify found nothing, and the reader refused"
    if number % SALVAGE_SHARE == 0:
        count[salvaged(copy, number)] += 1
    # A writer changes files, so it looks at one bit of each byte (another one in the next byte).
    if damage[2] == 0 or damage[2] == 1 << (damage[1] % 8):
        count["writer " + seen(lambda: hashrange.open(path), allowed)] += 1
        copy.repair_all()
    else:
        copy.repair(damage)
    return count


def salvaged(copy: Copy, number: int) -> str:
    target = copy.path.parent / f"{copy.path.name}-salvaged-{number}"
    try:
        hashrange.salvage(copy.path, target)
    except hashrange.CorruptError:
        return "salvage refused"
    with hashrange.open(target, mode="r") as database:
        found = content(database)
    shutil.rmtree(target)
    newest = copy.original.allowed[-1]
    for name, items in found.items():
        for key, item in items.items():
            known = [state.get(name, {}).get(key) for state in copy.original.states_known]
            assert item in known, (
                f"salvage made up {name}{key}"
            )
    return "salvage whole" if found == newest else "salvage partly"


def run(original: Original, damages: list[Damage], words: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for index, batch in enumerate(batches(damages, BATCH)):
        def work(
            note: Callable[[int], None], batch: Any = batch, index: int = index
        ) -> Counter[str]:
            copy = Copy(original, f"copy{words}{index}")
            count: Counter[str] = Counter()
            for number, damage in enumerate(batch):
                note(number)
                copy.change(damage)
                try:
                    count += examine(copy, damage, number)
                except BaseException:
                    print(f"{words}: (file, offset, bits) = {damage}", flush=True)
                    raise
            shutil.rmtree(copy.path)
            return count

        total += in_child_with_progress(work)
    print(f"{words}: {len(damages)} damages, {dict(total)}")
    return total


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where there is one: these tests are about bytes, and write many."""
    shared = Path("/dev/shm")
    if not shared.is_dir():
        yield tmp_path
        return
    path = shared / f"hashrange-{os.getpid()}-{tmp_path.name}"
    path.mkdir()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
@pytest.mark.timeout(0)
def test_every_flipped_bit_is_refused_or_harmless(memory_path: Path, closed: bool) -> None:
    seed = seed_of("HASHRANGE_DAMAGE_SEED")
    original = Original(memory_path, small_operations(), closed)
    print(f"HASHRANGE_DAMAGE_SEED={seed}")
    total = run(original, original.flips(random.Random(seed)), "flips")
    assert total["reader refused"] > total["reader whole"] / 10


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
@pytest.mark.timeout(0)
def test_files_cut_at_every_byte_are_refused_or_harmless(memory_path: Path, closed: bool) -> None:
    original = Original(memory_path, small_operations(), closed)
    damages: list[Damage] = []
    for name, data in original.files.items():
        # Every byte of the log's used part and a little more; of the zeros in the other files,
        # some.
        used = original.used(name)
        for length in range(len(data)):
            if name.startswith("log-"):
                wanted = length < used + 200 or length % 4099 == 0
            else:
                wanted = any(data[max(0, length - 8):length + 8]) or length % 97 == 0
            damages += [(name, length, 0)] * wanted
    run(original, damages, "cuts")


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
@pytest.mark.timeout(0)
def test_damage_across_segments_is_refused_or_harmless(memory_path: Path, closed: bool) -> None:
    seed = seed_of("HASHRANGE_DAMAGE_SEED")
    dice = random.Random(seed)
    original = Original(memory_path, rolled_operations(), closed)
    damages: list[Damage] = []
    segments = sorted(name for name in original.files if name.startswith("log-"))
    assert len(segments) >= 3
    for name in segments:
        data = original.files[name]
        fields = layout.segment_read(data)
        edges = [(0, layout.SEGMENT_START)]
        edges += [(frame.offset, frame.offset + 72)
                  for frame in layout.frames(data, fields["seed"])]
        for start, stop in edges:
            damages += [
                (name, offset, 1 << bit) for offset in range(start, stop) for bit in range(8)
            ]
        damages += [(name, dice.randrange(len(data)), 1 << dice.randrange(8)) for _ in range(400)]
        damages += [(name, dice.randrange(len(data)), 0) for _ in range(40)]
    print(f"HASHRANGE_DAMAGE_SEED={seed}, {len(segments)} segments")
    run(original, dice.sample(damages, min(len(damages), 4000)), "segments")
