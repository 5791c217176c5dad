"""Small commits behind a burst: they write small pages, and nothing is lost when pages are let go.

While writes are fast, the log ahead of its tail lies in large pages of the system's cache, which a
sync writes whole. When they get slow, the tail's are dropped, under readers and writers.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

import hashrange
from hashrange.verification import verify

PATIENCE_S = 120
BURST_COUNT = 60_000          # items of 400 bytes: several large pages
SLOW_COUNT = 20
SMALL_BYTES = 65536           # a small commit dirties some pages of 4 KiB; a large page has 2 MiB


def item_of(number: int, text: str = "x") -> dict[str, Any]:
    return {"id": f"item {number:06d}", "text": text * 350}


def burst(table: hashrange.Table, start: int) -> None:
    with table.batch() as batch:
        for number in range(start, start + BURST_COUNT):
            batch.put(item_of(number))


def dirtied_bytes() -> int:
    """Return the bytes of file pages that this process made dirty. Skips where nobody counts."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        pytest.skip("no /proc/self/io")
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


@pytest.mark.parametrize("durability", ["interval", "commit"])
def test_small_commits_behind_a_burst_write_little(tmp_path: Path, durability: str) -> None:
    """Slow writes reach small pages soon, whatever the burst left behind."""
    with hashrange.open(tmp_path / "db", durability=durability) as db:
        table = db.create_table("table", ("id", "S"))
        burst(table, 0)
        db.sync()
        end = time.monotonic() + PATIENCE_S
        dirtied = SMALL_BYTES
        while dirtied >= SMALL_BYTES:
            assert time.monotonic() < end, f"{dirtied} bytes are written for each commit"
            before = dirtied_bytes()
            for number in range(SLOW_COUNT):
                table.put(item_of(number, "y"))
                db.sync()
            dirtied = (dirtied_bytes() - before) // SLOW_COUNT


# Bursts and slow writes in turns, so that pages are made large and let go again and again, while
# another thread reads what lies in them.
def test_pages_come_and_go_under_readers_and_writers(tmp_path: Path) -> None:
    path = tmp_path / "db"
    stopping = threading.Event()
    wrong: list[Any] = []
    with hashrange.open(path, interval_ms=20, cache_bytes=0) as db:
        table = db.create_table("table", ("id", "S"))
        table.put(item_of(0))

        def read() -> None:
            number = 0
            while not stopping.is_set():
                number = (number + 7919) % max(1, table.count())
                found = table.get(f"item {number:06d}")
                if found is not None and found["text"] not in ("x" * 350, "y" * 350):
                    wrong.append(found)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for turn in range(4):
                burst(table, turn * BURST_COUNT)
                for number in range(30):
                    table.put(item_of(number, "y"))
                    db.sync()
        finally:
            stopping.set()
            reader.join()
        assert not wrong
        assert table.count() == 4 * BURST_COUNT
    assert verify(path).ok
    with hashrange.open(path) as db:
        table = db.table("table")
        assert table.count() == 4 * BURST_COUNT
        for number, found in enumerate(table.get_many([f"item {n:06d}" for n in range(1000)])):
            assert found == item_of(number, "y" if number < 30 else "x")
