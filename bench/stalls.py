"""What keeps the endpoint's thread from working: `python bench/stalls.py [--seconds 8] [--memory]`.

One thread answers PutItem requests through the endpoint's door, as the event loop does, without
sockets: 64 of them, then it lets go of the GIL once, as the loop does when it asks for events. A
round that takes longer than --above is taken apart by the kernel's account of the thread: time on
the CPU (its own work: a fault of a new page, a roll of the log), time ready to run without a CPU
(others had it: this process's background threads, other processes), and the rest, blocked (the GIL,
the disk). Pin it to one core (taskset -c 0) to see what the benchmark of the endpoint sees.

*Measures*: where stalls come from, which a latency does not say. *Does not measure*: the network,
nor, on a machine that is not quiet, anything but the first and the last of the three.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from endpoint import ATTRIBUTES, KEYS, TABLE

import hashrange
from hashrange.endpoint.dispatch import Dispatcher, HttpRequest

BATCH = 64
HEADERS = {
    b"content-type": b"application/x-amz-json-1.0",
    b"x-amz-target": b"DynamoDB_20120810.PutItem",
}


def body_of(number: int) -> bytes:
    """Return the body of a PutItem."""
    key = f'"pk":{{"S":"user-{number // 10}"}},"sk":{{"N":"{number % 10}"}}'
    return f'{{"TableName":"bench","Item":{{{key},{ATTRIBUTES}}}}}'.encode()


def request_of(body: bytes) -> bytes:
    """Return a request as a connection receives it."""
    head = (
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"X-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Account:
    """The kernel's account of this thread."""

    def __init__(self) -> None:
        self.path = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")

    def waited_ns(self) -> int:
        """Return how long the thread has been ready without a CPU."""
        return int(self.path.read_bytes().split()[1])


def stalls(door: Any, requests: list[bytes], seconds: float, above_ns: int) -> dict[str, Any]:
    """Answer requests; return how many, and the long rounds as (all, CPU, waiting) in ns."""
    account, pick = Account(), random.Random(1).randrange
    clock, cpu = time.perf_counter_ns, time.thread_time_ns
    end = clock() + int(seconds * 1e9)
    rounds = 0
    long = []
    while True:
        began, cpu_began, waited = clock(), cpu(), account.waited_ns()
        if began > end:
            return {"requests": rounds * BATCH, "long": long}
        for _ in range(BATCH):
            door(requests[pick(len(requests))])
        time.sleep(0)                     # the turn of threads that wait for the GIL
        taken = clock() - began
        rounds += 1
        if taken > above_ns:
            long.append((taken, cpu() - cpu_began, account.waited_ns() - waited))


def show(found: dict[str, Any], seconds: float) -> None:
    """Print the rate and the stalls, by what they were spent on."""
    print(f"{found['requests'] / seconds:,.0f} requests a second, "
          f"{len(found['long']) / seconds:.1f} stalls a second")
    kinds = {
        "on the CPU": [cpu for _, cpu, _ in found["long"]],
        "without a CPU": [waited for _, _, waited in found["long"]],
        "blocked": [max(0, taken - cpu - waited) for taken, cpu, waited in found["long"]],
    }
    for kind, times in kinds.items():
        if times:
            print(f"{kind:<14} {sum(times) / 1e6:8.1f} ms, median "
                  f"{statistics.median(times) / 1e6:.2f}, longest {max(times) / 1e6:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--above", type=float, default=1.5, help="ms")
    parser.add_argument("--durability", default="interval")
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = None if options.memory else f"{folder}/db"
        with hashrange.open(path, durability=options.durability) as db:
            db.execute("CreateTable", TABLE)
            dispatcher = Dispatcher(db)
            bodies = [body_of(number) for number in range(KEYS)]
            for body in bodies:
                dispatcher.answer(HttpRequest(b"POST", HEADERS, body, True))
            requests = [request_of(body) for body in bodies]
            assert isinstance(dispatcher.door.answer(requests[0]), bytes)
            found = stalls(
                dispatcher.door.answer, requests, options.seconds, int(options.above * 1e6)
            )
            show(found, options.seconds)
            counters = db.stats()
            print({name: counters[name] for name in ("syncs", "checkpoints", "compactions")})


if __name__ == "__main__":
    main()
