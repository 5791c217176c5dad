"""A writer killed in the middle of its work, and the proof that it lost nothing.

The child puts order after order and, when a put has returned, writes its number to a pipe: that is
the acknowledgement. The parent kills it with SIGKILL at a random moment and opens the database.
Every order acknowledged must be there with its values. The one put after it may be there, whole, or
not; nothing else may.

Run as `python -m hashrange.demo.crash PATH DURABILITY CUSTOMER` this module is the child.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import hashrange
from hashrange.exchange.typed import Item

from .orders import make_orders

POOL_COUNT = 500            # different orders; the child goes round them
POOL_SEED = 20
ACK_BYTES = 8               # one number, little-endian: written whole, since it is below PIPE_BUF
START_TIMEOUT_S = 30.0
LIFE_S = (0.02, 0.4)        # between the first acknowledgement and the kill, drawn evenly


class LossError(Exception):
    """Something acknowledged is missing or wrong, or something is there that must not be."""


@dataclass
class Round:
    """What one killed writer came to."""

    acknowledged: int
    present: int            # acknowledged, or one more
    life_s: float           # from the first acknowledgement to the kill
    open_ms: float          # time to open the database after the kill


def numbered_order(pool: list[Item], customer: str, index: int) -> Item:
    """Return the order the child puts as number `index`; the parent makes it again to compare."""
    return {**pool[index % len(pool)], "customer": customer, "ts": index,
            "order_id": f"{customer}-{index}"}


def write_until_killed(path: str, durability: str, customer: str) -> None:
    """Put numbered orders for ever, writing each number to the standard output once it is put."""
    pool = make_orders(POOL_COUNT, POOL_SEED)
    out = sys.stdout.fileno()
    orders = hashrange.open(path, durability=durability).table("orders")
    index = 0
    while True:
        orders.put(numbered_order(pool, customer, index))
        os.write(out, index.to_bytes(ACK_BYTES, "little"))
        index += 1


def kill_writer(path: Path, durability: str, customer: str, chance: Random) -> tuple[int, float]:
    """Run a writer, kill it, and return how many puts it acknowledged and how long it lived, in s.

    The database must be closed meanwhile: there is one writer at a time.
    """
    command = [sys.executable, "-m", "hashrange.demo.crash", str(path), durability, customer]
    life_s = chance.uniform(*LIFE_S)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            size = read_until(child.stdout.fileno(), life_s)
        finally:
            child.send_signal(signal.SIGKILL)
        rest = child.stdout.read()
    if child.returncode != -signal.SIGKILL:
        raise LossError(f"the writer ended by itself, with status {child.returncode}")
    return (size + len(rest)) // ACK_BYTES, life_s


def read_until(pipe: int, life_s: float) -> int:
    """Read acknowledgements until `life_s` after the first, and return their size in bytes."""
    size = 0
    deadline = time.monotonic() + START_TIMEOUT_S
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0 and selector.select(left):
            data = os.read(pipe, 1 << 16)
            if not data:
                break
            if size == 0:
                deadline = time.monotonic() + life_s
            size += len(data)
    if size == 0:
        raise LossError("the writer acknowledged nothing (it may have said why, above)")
    return size


def check_round(orders: Any, customer: str, acknowledged: int) -> int:
    """Return how many orders of the killed writer are there. LossError names what is wrong."""
    pool = make_orders(POOL_COUNT, POOL_SEED)
    present = 0
    for found in orders.query(customer):
        if found["ts"] != present:
            raise LossError(f"order {customer}-{present} is missing: after it comes {found['ts']}")
        if found != numbered_order(pool, customer, present):
            raise LossError(f"order {customer}-{present} has other values than were put")
        present += 1
    if present < acknowledged:
        raise LossError(f"{acknowledged} orders of {customer} acknowledged, {present} found")
    if present > acknowledged + 1:
        raise LossError(f"{acknowledged} orders of {customer} acknowledged, yet {present} found")
    for index in range(0, acknowledged, max(1, acknowledged // 1000)):
        if orders.get(customer, index) != numbered_order(pool, customer, index):
            raise LossError(f"order {customer}-{index} is found by query but not by get")
    return present


def run_round(path: Path, durability: str, customer: str, chance: Random) -> Round:
    """Kill one writer, open the database and check. LossError when anything is missing."""
    acknowledged, life_s = kill_writer(path, durability, customer, chance)
    start = time.perf_counter()
    with hashrange.open(str(path), durability=durability) as database:
        open_ms = 1000 * (time.perf_counter() - start)
        present = check_round(database.table("orders"), customer, acknowledged)
    return Round(acknowledged, present, life_s, open_ms)


if __name__ == "__main__":
    write_until_killed(*sys.argv[1:])
