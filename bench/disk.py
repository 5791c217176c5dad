"""The cases about the disk and about time: sizes, synced writes, opening, recovery, and the
slowest calls."""

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from array import array
from contextlib import ExitStack
from pathlib import Path

from codec import encode
from harness import figure, interleave, percentile
from items import chunks_of, pk_text
from peers import PEERS
from shelf import Bench, Target, flatten_stats, items_to_write, row, scaled

THREAD_COUNT = 16
PAUSE_NS = 1_000_000  # what the issue calls a pause
DISK_NOTE = (
    "allocated blocks of all files, no compression; at least: the smaller of lmdb and sqlite3, "
    "aim: 75 % of msgpack"
)


class _RawFile:
    """The yardstick of durable writes: append one encoded item, fdatasync, in the same directory
    as the databases."""

    def __init__(self, path: str, payload: bytes, written_bytes: int = 0) -> None:
        self._fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o644)
        os.write(self._fd, bytes(written_bytes))
        os.fsync(self._fd)
        os.lseek(self._fd, 0, os.SEEK_SET)
        self._payload = payload

    def put(self, item) -> None:
        """Append and sync; the item is ignored, encoding it is no part of the yardstick."""
        os.write(self._fd, self._payload)
        os.fdatasync(self._fd)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def case_durable(bench: Bench) -> list[dict]:
    """Synced puts, by one thread and by 16, against the raw append + fdatasync loop of one
    thread."""
    _, items = items_to_write(bench)
    payload = encode(items[0])
    os.sync()  # a journal commit writes what other cases left dirty; let that be over
    peers = {
        "raw append": _RawFile(bench.path("raw"), payload),
        "raw overwrite": _RawFile(bench.path("raw-written"), payload, 64 << 20),
    }
    for name in list(bench.names):
        if name == "dict":
            continue
        peer = PEERS[name]()
        try:
            peer.open(bench.path(name + "-durable"), "flat", durable=True, count=bench.count)
        except Exception as error:
            bench.give_up(name, "opening with synced writes", error)
            continue
        peers[name] = peer
    lone = {name: _timed_puts(peer.put, items, bench.seconds * 2) for name, peer in peers.items()}
    single = interleave(lone, bench.rounds)
    crowd = {name: peer for name, peer in peers.items() if getattr(peer, "threads_write", False)}
    runs = {
        name: _timed_threads(peer.put, items, bench.seconds * 2) for name, peer in crowd.items()
    }
    many = interleave({"raw append": lone["raw append"], **runs}, bench.rounds)
    for peer in peers.values():
        peer.close()
    note = (
        "raw append: the file grows, so each sync writes metadata too; raw overwrite: into 64 MiB "
        "written before; neither encodes"
    )
    return [
        row(
            "durable put, 1 thread",
            "us",
            scaled(single, 1e-3),
            Target(0.9, 0.95, "raw append"),
            note,
        ),
        row(
            f"durable put, {THREAD_COUNT} threads, per put",
            "us",
            scaled(many, 1e-3),
            Target(9, 12, "raw append"),
            "wall time over all puts; the raw loop has one thread here too",
        ),
    ]


def _timed_puts(put, items, seconds: float):
    """Return a round that puts until `seconds` are over. Reading the clock is nothing beside a
    sync."""

    position = (
        0  # goes on from round to round: sqlite3 does not write a value that is there already
    )

    def run():
        nonlocal position
        clock = time.perf_counter_ns
        start, done, limit = clock(), 0, int(seconds * 1e9)
        while clock() - start < limit:
            put(items[(position + done) % len(items)])
            done += 1
        position += done
        return (clock() - start) / done

    return run


def _timed_threads(put, items, seconds: float):
    """Return a round in which THREAD_COUNT threads put until `seconds` are over; wall
    nanoseconds per put."""

    position = 0

    def run():
        nonlocal position
        clock = time.perf_counter_ns
        barrier = threading.Barrier(THREAD_COUNT + 1)
        done = [0] * THREAD_COUNT
        failures = []

        def work(number):
            count = 0
            barrier.wait()
            limit = clock() + int(seconds * 1e9)
            try:
                while clock() < limit:
                    put(items[(position + number * 1009 + count) % len(items)])
                    count += 1
            except Exception as error:  # raised again below, in the thread that reports
                failures.append(error)
            done[number] = count

        threads = [threading.Thread(target=work, args=(number,)) for number in range(THREAD_COUNT)]
        for thread in threads:
            thread.start()
        barrier.wait()
        start = clock()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        position += max(done)
        return (clock() - start) / max(1, sum(done))

    return run


def _child(*arguments, killed: bool = False) -> dict:
    """Run bench/child.py; return the JSON that it prints. killed: it ends by SIGKILL, anything
    else is a failure."""
    script = Path(__file__).with_name("child.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode != (-signal.SIGKILL if killed else 0):
        lines = done.stderr.strip().splitlines()
        raise RuntimeError(
            f"child {arguments[0]} ended with {done.returncode}: {lines[-1] if lines else ''}"
        )
    return json.loads(done.stdout) if done.stdout.strip() else {}


def case_open(bench: Bench) -> list[dict]:
    """Open and first get in a new process: after a clean close, and after SIGKILL with 1000 puts
    behind it; several sizes."""
    rows, medians = [], {}
    counts = [max(1000, bench.count // 10), bench.count] + (
        [bench.count * 10] if bench.huge else []
    )
    names = [name for name in bench.names if name != "dict"]
    for count in counts:
        taking_part = (
            names if count == bench.count else [name for name in names if name == "hashrange"]
        )
        directories = {}
        for name in taking_part:
            directories[name] = bench.path(name + "-open")
            try:
                _child("fill", name, directories[name], count)
            except RuntimeError as error:
                bench.notes.append(f"open: {name}: {error}")
                del directories[name]
        if not directories:
            continue

        def opener(name, killed, count=count, directories=directories):
            def run():
                if killed:
                    _child("kill", name, directories[name], count, 1000, killed=True)
                took = _child("open", name, directories[name], count)
                return took["open_ms"] + took["first_get_ms"]

            return run

        for title, killed in (("after a clean close", False), ("after a kill", True)):
            figures = interleave({name: opener(name, killed) for name in directories}, bench.rounds)
            target = Target(20, 5) if not killed else None
            rows.append(
                row(
                    f"open, {count:,} items, {title}",
                    "ms",
                    figures,
                    target,
                    "open and first get, new process, files in the page cache",
                )
            )
            if "median" in figures.get("hashrange", {}):
                medians[count, killed] = figures["hashrange"]["median"]
        for directory in directories.values():
            shutil.rmtree(directory, ignore_errors=True)
    for killed, title in ((False, "clean"), (True, "killed")):
        values = [medians[count, killed] for count in counts if (count, killed) in medians]
        if len(values) == len(counts):
            rows.append(
                row(
                    f"open, {title}: {counts[-1]:,} items over {counts[0]:,}",
                    "times",
                    {"hashrange": figure([values[-1] / values[0]])},
                    Target(2, 1.2),
                    "flat, said as a number: twice the time at most",
                )
            )
    return rows


def case_recovery(bench: Bench) -> list[dict]:
    """Open after SIGKILL with a long log and no checkpoint; scaled to one GiB by the bytes that
    recovery reports."""
    if not bench.has("hashrange"):
        return []
    directory, values, note = bench.path("recovery"), [], ""
    try:
        _child("log", directory, bench.recovery_bytes, killed=True)
        for _ in range(min(3, bench.rounds)):
            shutil.rmtree(directory + "-copy", ignore_errors=True)
            shutil.copytree(directory, directory + "-copy")
            took = _redo(directory + "-copy")
            values.append(took["open_ms"] / 1e3 * (1 << 30) / max(1, took["recovered_bytes"]))
            replayed_mib = took["recovered_bytes"] / (1 << 20)
            note = f"{replayed_mib:.0f} MiB replayed, {took['count']:,} items, one put a frame"
    except (RuntimeError, KeyError, ValueError) as error:
        bench.notes.append(f"recovery: {error}")
    for path in (directory, directory + "-copy"):
        shutil.rmtree(path, ignore_errors=True)
    return (
        [row("recovery, per GiB of log", "s", {"hashrange": figure(values)}, Target(2, 0.5), note)]
        if values
        else []
    )


def _redo(directory: str) -> dict:
    return _child("redo", directory, killed=True)


def case_index(bench: Bench) -> list[dict]:
    """Memory of the index of the flat table, as the engine counts it."""
    peer = bench.flat().get("hashrange")
    if peer is None:
        return []
    stats = flatten_stats(peer.db.stats())
    if "index_bytes" not in stats:
        bench.notes.append('index: db.stats() has no "index_bytes"')
        return []
    return [
        row(
            "index memory, hash-only table, per key",
            "bytes",
            {"hashrange": figure([stats["index_bytes"] / peer.items.count()])},
            Target(16, 11),
            'db.stats()["index_bytes"] over count()',
        )
    ]


def case_disk(bench: Bench) -> list[dict]:
    """Bytes on disk per item after a fresh load and a clean close, against the msgpack size of
    the same items."""
    encoded = sum(
        len(encode(item))
        for part in chunks_of(bench.workload.flat, range(bench.count))
        for item in part
    )
    mean = encoded / bench.count
    figures = {name: figure([size / bench.count]) for name, size in bench.sizes().items()}
    figures["msgpack"] = figure([mean])
    limits = [figures[name]["median"] for name in ("lmdb", "sqlite3") if name in figures]
    target = Target(round(min(limits), 1), round(0.75 * mean, 1)) if limits else None
    return [
        row(
            "bytes on disk, fresh load, per item",
            "bytes",
            figures,
            target,
            DISK_NOTE,
        )
    ]


def case_tail(bench: Bench) -> list[dict]:
    """Each put and get of a steady overwriting load timed by itself, for long enough that
    checkpoint and compaction run."""
    indexes, items = items_to_write(bench)
    peers = {
        name: peer
        for name, peer in bench.flat(with_dict=False).items()
        if name in ("lmdb", "rocksdict", "plyvel", "hashrange")
    }
    samples, note = {"no call": _tail(None, None, items, bench.tail_seconds / 4)}, ""
    for name, peer in peers.items():
        keys = peer.keys([pk_text(index) for index in indexes])
        own = name == "hashrange"
        before = flatten_stats(peer.db.stats()) if own else {}
        try:
            samples[name] = _tail(
                peer, keys, items, bench.tail_seconds if own else bench.tail_seconds / 4
            )
        except Exception as error:
            bench.notes.append(f"tail: {name}: {type(error).__name__}: {error}")
            continue
        if own:
            after = flatten_stats(peer.db.stats())
            moved = [
                f"{key} {before.get(key, 0)} -> {value}"
                for key, value in sorted(after.items())
                if value != before.get(key, 0)
                and any(
                    word in key for word in ("checkpoint", "compact", "segment", "dead", "sync")
                )
            ]
            note = "; hashrange's statistics: " + ", ".join(moved) if moved else ""
    limits = {
        ("get", "p99.9"): Target(100, 10),
        ("put", "p99.9"): Target(100, 50),
        ("get", "max"): Target(float("inf"), 1000),
        ("put", "max"): Target(float("inf"), 1000),
    }
    rows = []
    for kind in ("get", "put"):
        for title, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)):
            figures = {
                name: figure([percentile(pair[kind], share) / 1e3])
                for name, pair in samples.items()
            }
            rows.append(
                row(
                    f"{kind} {title} under overwriting load",
                    "us",
                    figures,
                    limits.get((kind, title)),
                    note if kind == "get" and title == "p50" else "",
                )
            )
    counts = ", ".join(f"{name} {len(pair['put']):,}" for name, pair in samples.items())
    for kind in ("get", "put"):
        figures = {
            name: figure(
                [sum(1 for value in pair[kind] if value > PAUSE_NS) * 1e6 / len(pair[kind])]
            )
            for name, pair in samples.items()
        }
        rows.append(row(f"{kind} calls above 1 ms", "per million", figures))
    rows[0]["note"] = (
        f"'no call' is the loop with nothing in it; calls of each kind: {counts}{rows[0]['note']}"
    )
    return rows


def _tail(peer, keys, items, seconds: float) -> dict:
    """Return {"get": sorted ns, "put": sorted ns} of a put and a get in turn for `seconds`; peer
    None: of nothing."""
    clock = time.perf_counter_ns
    puts, gets = array("q"), array("q")
    add_put, add_get = puts.append, gets.append
    deadline = clock() + int(seconds * 1e9)
    gc.collect()
    gc.freeze()
    while clock() < deadline:
        with ExitStack() as stack:
            if peer is None:
                put = get = id
                keys = items
            else:
                put, get = peer.put, peer.tail_get(stack)
            for key, item in zip(keys, items, strict=True):
                start = clock()
                put(item)
                middle = clock()
                get(key)
                end = clock()
                add_put(middle - start)
                add_get(end - middle)
    gc.unfreeze()
    return {"get": sorted(gets), "put": sorted(puts)}
