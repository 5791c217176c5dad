"""The command bench: how fast this machine is at the common calls, in a few seconds.

What it measures: one thread, the demo's made-up orders with fifteen attributes of all ten types, in
memory and in a directory, each step once. A rate is the number of calls by the time of the whole
loop, Python's loop included. What it does not: other engines, spread, cold disks; the project's
bench/ does that.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from random import Random
from typing import Any

import click

import hashrange
from hashrange.cli.command import command
from hashrange.cli.output import Output, output_options, progress
from hashrange.demo.orders import make_orders

ITEMS = 20_000
DURABLE_PUTS = 200
GROUP_KEYS = 100
SEED = 7

Step = tuple[str, int, Callable[[], Any]]
Rates = dict[str, float]


@command("bench", """
hashrange bench
hashrange bench --items 100000 --dir /mnt/disk
hashrange bench --json | jq '."on disk"."put"'
""")
@click.option("--items", default=ITEMS, show_default=True, type=click.IntRange(100, 10_000_000),
              help="Orders to work with.")
@click.option("--dir", "folder", type=click.Path(exists=True, file_okay=False),
              help="Make the database on disk below this directory. Default: that for temporary "
              "files.")
@output_options
def bench(items: int, folder: str | None, as_json: bool | None) -> None:
    """Measure this machine for a few seconds: microseconds for each of the common calls.

    JSON has microseconds a call, too.
    """
    output = Output(as_json)
    orders = make_orders(items, SEED)
    in_memory = measure(None, orders)
    with tempfile.TemporaryDirectory(prefix="hashrange-bench-", dir=folder) as path:
        on_disk = measure(path, orders)
    if output.as_json:
        output.record({"items": items, "in memory": in_memory, "on disk": on_disk})
        return
    output.table(
        f"microseconds a call, {items:,} orders, one thread",
        ("step", "in memory", "on disk", "on disk, a second"),
        [
            (name, f"{in_memory[name]:,.2f}" if name in in_memory else "", f"{each:,.2f}",
             f"{1e6 / each:,.0f}")
            for name, each in on_disk.items()
        ],
        right="123",
    )


def measure(path: str | None, orders: list[dict[str, Any]]) -> Rates:
    """Return the microseconds of each step in a database at `path`, or in memory."""
    rates: Rates = {}
    with hashrange.open(path) as database:
        table = database.create_table("orders", ("customer", "S"), ("ts", "N"))
        steps = Steps(table, orders).listed(durable=path is not None)
        where = "in memory" if path is None else "on disk"
        with progress(f"measuring {where}", len(steps)) as advance:
            for number, (name, count, step) in enumerate(steps):
                gc.collect()
                start = time.perf_counter()
                step()
                rates[name] = round(1e6 * (time.perf_counter() - start) / count, 3)
                advance(number + 1)
    return rates


class Steps:
    """The calls that are measured, over one table; each method is one step."""

    def __init__(self, table: hashrange.Table, orders: list[dict[str, Any]]) -> None:
        chance = Random(SEED)
        every = [(order["customer"], order["ts"]) for order in orders]
        self.table = table
        self.orders = orders
        self.keys = chance.choices(every, k=len(every))
        self.groups = [
            self.keys[start : start + GROUP_KEYS] for start in range(0, len(every), GROUP_KEYS)
        ]
        self.customers = [customer for customer, _ in self.keys[: max(1, len(every) // 10)]]
        self.durable = [{**order, "customer": "durable"} for order in orders[:DURABLE_PUTS]]

    def listed(self, durable: bool) -> list[Step]:
        """Return the steps in order: name, number of calls, what makes them."""
        count = len(self.orders)
        steps: list[Step] = [
            ("put in batches", count, self.load),
            ("put", count, self.put),
            ("get", count, self.get),
            (f"get_many of {GROUP_KEYS}, an item", count, self.get_many),
            ("update with a condition", count, self.update),
            ("query, newest 10", len(self.customers), self.newest),
            ("scan, an item", count, self.scan),
        ]
        if durable:
            steps.append(("put, on the disk", len(self.durable), self.put_durably))
        return steps

    def load(self) -> None:
        with self.table.batch() as batch:
            for order in self.orders:
                batch.put(order)

    def put(self) -> None:
        for order in self.orders:
            self.table.put(order)

    def get(self) -> None:
        for customer, ts in self.keys:
            self.table.get(customer, ts)

    def get_many(self) -> None:
        for group in self.groups:
            self.table.get_many(group)

    def update(self) -> None:
        for customer, ts in self.keys:
            self.table.update(customer, ts, "ADD seen :one", values={":one": 1, ":low": 0},
                              condition="weight_kg >= :low")

    def newest(self) -> None:
        for customer in self.customers:
            for _ in self.table.query(customer, reverse=True, limit=10):
                pass

    def scan(self) -> None:
        for _ in self.table.scan():
            pass

    def put_durably(self) -> None:
        for order in self.durable:
            self.table.put(order, durability="commit")


COMMANDS = (bench,)
