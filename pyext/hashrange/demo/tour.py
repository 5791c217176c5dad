"""The steps of the demo over one database of orders; each checks what it reads, and takes its time.

The tour knows every key it has put, and every SAMPLE_STEP-th item whole. It compares single items
by value, collections by their keys in order, and the whole table by its count and the sum of its
keys' hashes.
"""

from __future__ import annotations

import gc
import time
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import hashrange
from hashrange.exchange.sources import ItemFile
from hashrange.exchange.typed import Item

from . import crash
from .crash import LossError
from .orders import make_orders
from .screen import PlainScreen, Row

Key = tuple[str, Any]

KEYS = [("customer", "S"), ("ts", "N")]
CHUNK_ITEMS = 1000          # items converted, then put, at a time
SAMPLE_STEP = 10            # one item in so many is kept to compare with
GET_COUNT = 50_000
NO_TS = -(10**20)           # no order has this time stamp
GET_MANY_KEYS = 100
QUERY_COUNT = 2000
PUT_COUNT = 10_000
DURABLE_PUT_COUNT = 300
BATCH_COUNT = 5000

UPDATE = "SET #status = :shipped ADD #revision :one"
UPDATE_NAMES = {"#status": "status", "#revision": "demo_revision"}
UPDATE_VALUES = {":shipped": "shipped", ":paid": "paid", ":one": 1}
UPDATE_CONDITION = "#status = :paid"


class Tour:
    """One database, what must be in it, and how long each step took."""

    def __init__(self, path: Path, screen: PlainScreen, seed: int) -> None:
        self.path = path
        self.screen = screen
        self.chance = Random(seed)
        self.keys: set[Key] = set()
        self.sample: dict[Key, Item] = {}
        self.collections: dict[str, list[Any]] = {}     # range keys in order, by hash key
        self.rates: list[Row] = []
        self.rounds: dict[str, list[crash.Round]] = {}

    # ---- what must be there ----------------------------------------------------------------------

    def expect(self, item: Item) -> None:
        """Note that this item was put."""
        key = (item["customer"], item["ts"])
        if key not in self.keys:
            self.keys.add(key)
            insort(self.collections.setdefault(key[0], []), key[1])
            if len(self.keys) % SAMPLE_STEP == 1:
                self.sample[key] = item
        elif key in self.sample:
            self.sample[key] = item

    def forget(self, key: Key) -> None:
        """Note that this item was deleted."""
        self.keys.remove(key)
        self.sample.pop(key, None)
        self.collections[key[0]].remove(key[1])

    def check_item(self, key: Key, found: Item | None) -> None:
        if found != self.sample[key]:
            raise LossError(f"order {key}: put {self.sample[key]!r}, found {found!r}")

    def check_all(self, orders: Any) -> None:
        """Compare the table with everything that must be in it."""
        if orders.count() != len(self.keys):
            raise LossError(f"{len(self.keys):,} orders put, count() is {orders.count():,}")
        for key in self.sample:
            self.check_item(key, orders.get(*key))
        self.check_keys((order["customer"], order["ts"]) for order in orders.scan())

    def check_keys(self, found: Iterable[Key]) -> None:
        count = total = 0
        for key in found:
            count += 1
            total += hash(key)
        if (count, total) != (len(self.keys), sum(map(hash, self.keys))):
            raise LossError(f"{len(self.keys):,} orders put; scan returned {count:,}, or others")

    # ---- timing ----------------------------------------------------------------------------------

    def rate(self, name: str, count: int, seconds: float, unit: str = "") -> None:
        """Add a row to the table of rates."""
        each_us = 1e6 * seconds / count if count else 0.0
        per_second = count / seconds if seconds else 0.0
        self.rates.append((name + unit, f"{count:,}", f"{per_second:,.0f}", f"{each_us:,.2f}"))

    @contextmanager
    def timed(self, name: str, count: int) -> Iterator[None]:
        gc.collect()
        gc.freeze()     # what the tour itself keeps is no garbage collector's work during the step
        start = time.perf_counter()
        yield
        self.rate(name, count, time.perf_counter() - start)

    # ---- the steps -------------------------------------------------------------------------------

    def load(self, orders: Any, source: ItemFile) -> None:
        """Put every order of the file, in batches."""
        count = 0
        start = time.perf_counter()
        putting = 0.0
        with self.screen.progress("loading", source.size_bytes) as advance:
            for chunk in source.chunks(CHUNK_ITEMS):
                self.check_fields(chunk, source.name)
                put_start = time.perf_counter()
                with orders.batch() as batch:
                    for item in chunk:
                        batch.put(item)
                putting += time.perf_counter() - put_start
                for item in chunk:
                    self.expect(item)
                count += len(chunk)
                advance(source.position_bytes())
        if not count:
            raise ValueError(f"{source.name} has no orders in it")
        seconds = time.perf_counter() - start
        self.rate("load, batches of 1,000", count, putting)
        self.screen.step(
            f"loaded {count:,} orders of {len(self.collections):,} customers in {seconds:.1f} s, "
            f"of which {putting:.2f} s in hashrange and the rest reading JSON"
        )

    def check_fields(self, chunk: list[Item], name: str) -> None:
        for item in chunk:
            customer, ts = item.get("customer"), item.get("ts")
            if not isinstance(customer, str) or not isinstance(ts, int | Decimal):
                raise ValueError(f"{name}: an order needs customer (S) and ts (N), unlike this: "
                                 f"{str(item)[:200]}")

    def get(self, orders: Any) -> None:
        """Read single orders, at random and in groups, and some that are not there."""
        sample = list(self.sample)
        every = [(customer, ts) for customer, times in self.collections.items() for ts in times]
        keys = self.chance.choices(every, k=GET_COUNT)
        with self.timed("get", len(keys)):
            for customer, ts in keys:
                orders.get(customer, ts)
        groups = [self.chance.choices(sample, k=GET_MANY_KEYS) for _ in range(100)]
        with self.timed(f"get_many, {GET_MANY_KEYS} keys a call, per item", 100 * GET_MANY_KEYS):
            for group in groups:
                orders.get_many(group)
        for group in groups:
            for key, item in zip(group, orders.get_many(group), strict=True):
                self.check_item(key, item)
        for key in sample:
            self.check_item(key, orders.get(*key))
            if orders.get(key[0], NO_TS) is not None:
                raise LossError(f"an order that was never put was found: {(key[0], NO_TS)}")
        self.screen.step(f"got {GET_COUNT:,} orders; {len(sample):,} compared value by value")

    def query(self, orders: Any) -> None:
        """Read collections: the newest ten, and ranges."""
        customers = self.chance.choices(list(self.collections), k=QUERY_COUNT)
        with self.timed("query, newest 10", len(customers)):
            for customer in customers:
                for _ in orders.query(customer, reverse=True, limit=10):
                    pass
        for customer in customers:
            found = [order["ts"] for order in orders.query(customer, reverse=True, limit=10)]
            self.check_range(customer, found, self.collections[customer][:-11:-1])
        largest = max(self.collections, key=lambda name: len(self.collections[name]))
        times = self.collections[largest]
        lower, upper = times[len(times) // 4], times[3 * len(times) // 4]
        self.check_range(largest, [order["ts"] for order in orders.query(largest)], times)
        found = [o["ts"] for o in orders.query(largest, between=(lower, upper))]
        first, last = bisect_left(times, lower), bisect_left(times, upper)
        self.check_range(largest, found, times[first:last + 1])
        self.check_range(largest, [o["ts"] for o in orders.query(largest, lt=lower)], times[:first])
        with self.timed(f"query, all {len(times):,} of one customer, per item", len(times)):
            for _ in orders.query(largest):
                pass
        self.screen.step(f"ran {len(customers):,} queries; order and completeness compared")

    def check_range(self, customer: str, found: list[Any], expected: list[Any]) -> None:
        if found != expected:
            raise LossError(f"a query of {customer} returned {len(found)} orders, not the "
                            f"{len(expected)} that were put: {found[:5]} instead of {expected[:5]}")

    def scan(self, orders: Any) -> None:
        """Read everything once."""
        with self.timed("scan, per item", len(self.keys)):
            for _ in orders.scan():
                pass
        self.check_keys((order["customer"], order["ts"]) for order in orders.scan())
        self.screen.step(f"scanned {len(self.keys):,} orders; all keys found, none twice")

    def update(self, orders: Any) -> None:
        """Mark orders as shipped that are paid; the others must be refused."""
        refused = 0
        with self.timed("update with a condition", len(self.sample)):
            for customer, ts in self.sample:
                try:
                    orders.update(customer, ts, UPDATE, names=UPDATE_NAMES, values=UPDATE_VALUES,
                                  condition=UPDATE_CONDITION)
                except hashrange.ConditionalCheckFailed:
                    refused += 1
        due = 0
        for key, item in self.sample.items():
            if item.get("status") == "paid":
                revision = item.get("demo_revision", 0) + 1
                self.sample[key] = {**item, "status": "shipped", "demo_revision": revision}
            else:
                due += 1
            self.check_item(key, orders.get(*key))
        if refused != due:
            raise LossError(f"{due:,} updates had to fail their condition, {refused:,} did")
        self.screen.step(f"updated {len(self.sample) - refused:,} orders that were paid; "
                         f"{refused:,} that were not were refused")

    def put(self, orders: Any) -> None:
        """Put one order per commit."""
        items = [{**item, "customer": "single.orders"} for item in make_orders(PUT_COUNT, 31)]
        with self.timed("put", len(items)):
            for item in items:
                orders.put(item)
        for item in items:
            self.expect(item)
        self.screen.step(f"put {len(items):,} orders one by one")

    def batch(self, orders: Any) -> None:
        """Put a batch and take half of it back."""
        items = [{**item, "customer": "batch.orders"} for item in make_orders(BATCH_COUNT, 32)]
        with orders.batch() as batch:
            for item in items:
                batch.put(item)
        for item in items:
            self.expect(item)
        gone = [("batch.orders", item["ts"]) for item in items[::2]]
        with self.timed("delete, in batches", len(gone)), orders.batch() as batch:
            for customer, ts in gone:
                batch.delete(customer, ts)
        for key in gone:
            self.forget(key)
        orders.delete("batch.orders", items[1]["ts"])
        self.forget(("batch.orders", items[1]["ts"]))
        self.check_range("batch.orders", [order["ts"] for order in orders.query("batch.orders")],
                         self.collections["batch.orders"])
        self.screen.step(f"put {len(items):,} orders in batches and deleted {len(gone) + 1:,}")

    def put_durably(self, orders: Any) -> None:
        """Put orders that are on the disk when put returns; the database is open for that."""
        items = [{**item, "customer": "safe.orders"} for item in make_orders(DURABLE_PUT_COUNT, 33)]
        with self.timed('put, durability="commit"', len(items)):
            for item in items:
                orders.put(item)
        for item in items:
            self.expect(item)
        self.screen.step(f"put {len(items):,} orders, each synced to the disk before put returned")

    def crash(self, durability: str, count: int) -> None:
        """Kill `count` writers of a closed database, one after the other, and check after each."""
        rounds = self.rounds[durability] = []
        with self.screen.progress(f'killing writers, durability="{durability}"', count) as advance:
            for index in range(count):
                customer = f"killed.{durability}.{index}"
                result = crash.run_round(self.path, durability, customer, self.chance)
                self.keys.update((customer, ts) for ts in range(result.present))
                rounds.append(result)
                advance(index + 1)
        acknowledged = sum(result.acknowledged for result in rounds)
        self.screen.step(f'killed {count} writers, durability="{durability}": '
                         f"{acknowledged:,} puts acknowledged, none missing")

    def verify(self) -> None:
        """Let the verifier walk the closed database."""
        start = time.perf_counter()
        report = hashrange.verify(str(self.path))
        if not report.ok:
            raise LossError("verify found damage: " + "; ".join(map(str, report.errors[:5])))
        checked = ", ".join(f"{count:,} {name}" for name, count in report.checked.items())
        self.screen.step(f"verify is clean in {time.perf_counter() - start:.2f} s ({checked})")

    # ---- what came of it -------------------------------------------------------------------------

    def show(self, stats: dict[str, Any], file_bytes: int) -> None:
        """Print rates, sizes and crashes as tables."""
        self.screen.table("Rates (one thread)", ("step", "count", "per second", "us each"),
                          self.rates)
        self.screen.table("Killed writers", ("durability", "killed", "acknowledged", "missing",
                                             "longest reopen, ms"), self.crash_rows())
        self.screen.table("Sizes", ("what", "value"), self.size_rows(stats, file_bytes))

    def crash_rows(self) -> list[Row]:
        return [
            (durability, str(len(rounds)), f"{sum(r.acknowledged for r in rounds):,}",
             f"{sum(max(0, r.acknowledged - r.present) for r in rounds):,}",
             f"{max((r.open_ms for r in rounds), default=0):.1f}")
            for durability, rounds in self.rounds.items()
        ]

    def size_rows(self, stats: dict[str, Any], file_bytes: int) -> list[Row]:
        names = ("live_bytes", "dead_bytes", "log_bytes", "index_bytes", "cache_bytes")
        rows: list[Row] = [("orders", f"{len(self.keys):,}"),
                           ("orders file", megabytes(file_bytes)),
                           ("database on disk", megabytes(directory_bytes(self.path)))]
        rows += [(name.replace("_", " "), megabytes(stats[name])) for name in names
                 if name in stats]
        if "segments" in stats:
            rows.append(("segments", f"{stats['segments']}"))
        if "live_bytes" in stats and self.keys:
            rows.append(("live bytes an order", f"{stats['live_bytes'] / len(self.keys):.0f}"))
        return rows


def megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"


def directory_bytes(path: Path) -> int:
    """Return what the files of a directory take on the disk; space granted ahead counts."""
    stats = [file.stat() for file in path.rglob("*") if file.is_file()]
    return sum(512 * getattr(stat, "st_blocks", stat.st_size // 512) for stat in stats)


def run(path: Path, source: ItemFile, screen: PlainScreen, *, rounds: int, seed: int) -> None:
    """Take the whole tour. LossError when anything acknowledged is missing or anything is wrong."""
    tour = Tour(path, screen, seed)
    with hashrange.open(str(path)) as database:
        orders = database.create_table("orders", hash_key=("customer", "S"), range_key=("ts", "N"))
        tour.load(orders, source)
        tour.get(orders)
        tour.query(orders)
        tour.scan(orders)
        tour.update(orders)
        tour.put(orders)
        tour.batch(orders)
    with hashrange.open(str(path), durability="commit") as database:
        tour.put_durably(database.table("orders"))
    for durability in ("interval", "commit"):
        tour.crash(durability, rounds)
    tour.verify()
    with hashrange.open(str(path)) as database:
        tour.check_all(database.table("orders"))
        screen.step(f"all {len(tour.keys):,} orders are there after everything")
        tour.show(database.stats(), source.size_bytes)
