"""What must happen in another process: filling, dying by SIGKILL, opening cold handles, leaving a
long log.

    child.py fill PEER DIRECTORY COUNT          load the flat table, close cleanly
    child.py kill PEER DIRECTORY COUNT PUTS     open, put, die by SIGKILL without closing
    child.py open PEER DIRECTORY COUNT          time the open and the first get, close, print JSON
    child.py log  DIRECTORY BYTES               hashrange: write BYTES with no checkpoint, die
    child.py redo DIRECTORY                     hashrange: time the open of that, print JSON
"""

import json
import os
import signal
import sys
import time

from items import SEED, Workload, chunks_of, pk_text, uniform_indexes
from peers import PEERS, Hashrange

CHECKPOINT_NEVER = 1 << 40  # checkpoint_bytes: hold checkpoints back
LOG_BYTES_PER_PUT = 200  # a low estimate, so that the log is not shorter than asked for


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fill(name: str, directory: str, count: int) -> None:
    """Load `count` items into the flat table of peer `name` and close."""
    peer = PEERS[name]()
    peer.open(directory, "flat", count=count)
    workload = Workload(count, SEED)
    peer.load(chunks_of(workload.flat, range(count)))
    peer.settle()
    peer.close()


def kill(name: str, directory: str, count: int, puts: int) -> None:
    """Overwrite `puts` items and die."""
    peer = PEERS[name]()
    peer.open(directory, "flat", count=count)
    for item in Workload(count, SEED).fresh(uniform_indexes(count, puts, os.getpid()), 0):
        peer.put(item)
    _die()


def open_once(name: str, directory: str, count: int) -> None:
    """Print {"open_ms", "first_get_ms"}; the module is imported and the Python heap warm before
    the clock starts."""
    peer = PEERS[name]()
    key = peer.keys([pk_text(count // 2)])[0]
    problem = peer.missing()
    if problem:
        raise SystemExit(problem)
    start = time.perf_counter_ns()
    peer.open(directory, "flat", count=count)
    opened = time.perf_counter_ns()
    with peer.reading() as reads:
        item = reads.get(key)
        read = time.perf_counter_ns()
    if not item or item["pk"] != pk_text(count // 2):
        raise SystemExit(f"{name}: the item is not there after open")
    peer.close()
    print(json.dumps({"open_ms": (opened - start) / 1e6, "first_get_ms": (read - opened) / 1e6}))


def log(directory: str, log_bytes: int) -> None:
    """Put new items one by one until the log holds about `log_bytes`, then die."""
    peer = Hashrange(checkpoint_bytes=CHECKPOINT_NEVER)
    peer.open(directory, "flat")
    puts = log_bytes // LOG_BYTES_PER_PUT
    batch = Workload(10_000, SEED).flat(range(10_000))
    put, written = peer.put, 0
    while written < puts:
        for item in batch:
            item["pk"] = pk_text(written)
            put(item)
            written += 1
    _die()


def redo(directory: str) -> None:
    """Print {"open_ms", "recovered_bytes", "count"} of an open that replays the log."""
    peer = Hashrange(checkpoint_bytes=CHECKPOINT_NEVER)
    problem = peer.missing()
    if problem:
        raise SystemExit(problem)
    start = time.perf_counter_ns()
    peer.open(directory, "flat")
    opened = time.perf_counter_ns()
    recovered = peer.db.stats()["recovered_bytes"]
    count = peer.items.count()
    print(
        json.dumps(
            {"open_ms": (opened - start) / 1e6, "recovered_bytes": recovered, "count": count}
        ),
        flush=True,
    )
    _die()  # no close: a checkpoint here would make the next round's log short


def main(arguments: list[str]) -> None:
    """Run one command; see the top of the file."""
    command, rest = arguments[0], arguments[1:]
    if command == "fill":
        fill(rest[0], rest[1], int(rest[2]))
    elif command == "kill":
        kill(rest[0], rest[1], int(rest[2]), int(rest[3]))
    elif command == "open":
        open_once(rest[0], rest[1], int(rest[2]))
    elif command == "log":
        log(rest[0], int(rest[1]))
    elif command == "redo":
        redo(rest[0])
    else:
        raise SystemExit(f"child.py: no command {command!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
