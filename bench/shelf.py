"""What the cases share: options, workload, loaded tables, and the rows that they return.

*Row*: {"case", "unit", "figures": {peer: figure}, "target": Target or None, "note"}. Figures are
times or sizes: less is better, always. *Target*: either a ratio to a peer (the peer's figure over
hashrange's) or a limit on hashrange's own figure.

Every peer's answers are compared with the workload before it is timed; a wrong answer ends the run.
A peer that fails otherwise is left out from there on, and the result says so.
"""

import gc
import os
import sys
from dataclasses import dataclass, field

from harness import Failed, Stopwatch
from items import (
    COLLECTION_COUNT,
    Workload,
    chunks_of,
    customer_text,
    distinct_indexes,
    pk_text,
    uniform_indexes,
)
from peers import NEWEST_COUNT, PEERS

MANY_COUNT = 100  # keys of one get_many
CHECK_COUNT = 200  # answers compared per peer before timing
WRITE_COUNT = 50_000  # precomputed keys to write
FASTEST = "fastest"  # Target.against: the fastest peer that keeps data on a disk


@dataclass
class Target:
    """What the issue asks for. against: peer or FASTEST for a ratio, "" for a limit on
    hashrange's own figure."""

    least: float
    aim: float
    against: str = ""
    aim_also: tuple = ()  # (peer, factor): aim needs own figure <= factor * its figure


@dataclass
class Bench:
    """Options, workload, and the loaded tables that cases share."""

    directory: str
    names: list[str]
    count: int
    rounds: int = 5
    seconds: float = 0.25
    tail_seconds: float = 20.0
    recovery_bytes: int = 1 << 30
    huge: bool = False
    seed: int = 0
    notes: list[str] = field(default_factory=list)
    _flat: dict = field(default_factory=dict)
    _sizes: dict = field(default_factory=dict)
    _serial: int = 0

    def __post_init__(self) -> None:
        self.workload = Workload(self.count, self.seed)

    def path(self, name: str) -> str:
        """Return a new path in the working directory."""
        self._serial += 1
        return os.path.join(self.directory, f"{self._serial:03d}-{name}")

    def has(self, name: str) -> bool:
        """Tell whether a peer takes part."""
        return name in self.names

    def load(self, peer, table: str, order=None) -> float:
        """Open `peer` in a new directory and load it; return nanoseconds per item. order:
        indexes, None for key order."""
        peer.open(self.path(peer.name), table, count=self.count)
        make = self.workload.flat if table == "flat" else self.workload.ranged
        ranged_count = self.workload.customer_count * COLLECTION_COUNT
        indexes = (
            order if order is not None else range(self.count if table == "flat" else ranged_count)
        )
        gc.collect()
        watch = Stopwatch()
        peer.load(watch.chunks(chunks_of(make, indexes)), ordered=order is None)
        return watch.stop()

    def flat(self, with_dict: bool = True) -> dict:
        """Return {name: peer}, the flat table loaded, closed for its size on disk, opened again,
        settled and checked. with_dict: False for cases that the dict takes no part in."""
        if not with_dict:
            self.clear_memory()
        for name in list(self.names):
            if name in self._flat or (name == "dict" and not with_dict):
                continue
            peer = PEERS[name]()
            try:
                self.load(peer, "flat")
                if name != "dict":
                    peer.close()
                    self._sizes[name] = peer.size()
                    peer._open()
                peer.settle()
                check_flat(peer, self.workload)
            except Failed:
                raise
            except Exception as error:
                self.give_up(name, "loading the flat table", error)
                continue
            self._flat[name] = peer
        return {name: self._flat[name] for name in self.names if name in self._flat}

    def clear_memory(self) -> None:
        """Free the flat dict until it is asked for again.

        Its million objects fill the interpreter's heap, and what other peers make would lie
        scattered among them.
        """
        peer = self._flat.pop("dict", None)
        if peer is not None:
            peer.close()
            gc.collect()

    def sizes(self) -> dict[str, int]:
        """Return {name: bytes on disk} of the flat table after a fresh load and a clean close."""
        self.flat()
        return self._sizes

    def set_cache(self, cache_bytes: int | None) -> None:
        """Open hashrange's flat table again with another item cache."""
        peer = self.flat().get("hashrange")
        if peer is not None:
            peer.cache_bytes = cache_bytes
            peer.reopen()

    def give_up(self, name: str, doing: str, error: Exception) -> None:
        """Go on without a peer, and say so in the result."""
        text = f"{name} failed while {doing}: {type(error).__name__}: {error}"
        print("    " + text, file=sys.stderr)
        self.notes.append(text)
        if name in self.names:
            self.names.remove(name)
        self._flat.pop(name, None)

    def close(self) -> None:
        """Close and delete everything."""
        for peer in self._flat.values():
            peer.close()
            peer.remove()
        self._flat = {}


def check_flat(peer, workload: Workload) -> None:
    """Compare some answers of a loaded flat table with the workload."""
    indexes = uniform_indexes(workload.count, CHECK_COUNT, 1)
    keys = peer.keys([pk_text(index) for index in indexes])
    wanted = workload.flat(indexes)
    with peer.reading() as reads:
        if [reads.get(key) for key in keys] != wanted:
            raise Failed(f"{peer.name}: get returns something else than what was loaded")
        if list(reads.get_many(keys[:MANY_COUNT])) != wanted[:MANY_COUNT]:
            raise Failed(f"{peer.name}: get_many returns something else than what was loaded")
        scanned = sum(1 for _ in reads.scan())
        if scanned != workload.count:
            raise Failed(f"{peer.name}: scan returns {scanned} items of {workload.count}")


def check_ranged(peer, workload: Workload) -> None:
    """Compare some collections of a loaded ranged table with the workload."""
    numbers = [*uniform_indexes(workload.customer_count, 20, 1), 0, workload.customer_count - 1]
    names = peer.collections([customer_text(number) for number in numbers])
    with peer.reading() as reads:
        for number, name in zip(numbers, names, strict=True):
            wanted = workload.ranged(
                range(number * COLLECTION_COUNT, (number + 1) * COLLECTION_COUNT)
            )
            if reads.query(name) != wanted:
                raise Failed(f"{peer.name}: query returns something else than what was loaded")
            if reads.newest(name) != wanted[: -NEWEST_COUNT - 1 : -1]:
                raise Failed(f"{peer.name}: the newest items are wrong")


def row(case: str, unit: str, figures: dict, target: Target | None = None, note: str = "") -> dict:
    """Return one row of the table."""
    return {"case": case, "unit": unit, "figures": figures, "target": target, "note": note}


def scaled(figures: dict, factor: float) -> dict:
    """Return figures in another unit."""
    return {
        name: entry
        if "error" in entry
        else {
            "median": entry["median"] * factor,
            "low": entry["low"] * factor,
            "high": entry["high"] * factor,
            "rounds": [value * factor for value in entry["rounds"]],
        }
        for name, entry in figures.items()
    }


def items_to_write(bench: Bench) -> tuple[list[int], list[dict]]:
    """Return (indexes, items): two new versions of each of WRITE_COUNT items of the flat table.

    One version after the other, so that a loop which starts again always finds the other version:
    sqlite3 skips the write of a value that is there already.
    """
    indexes = distinct_indexes(bench.count, WRITE_COUNT, bench.seed + 1)
    fresh = bench.workload.fresh
    return indexes * 2, fresh(indexes, 1) + fresh(indexes, 2)


def flatten_stats(stats: dict, prefix: str = "") -> dict:
    """Return the numbers of a nested dict under dotted names; a name at the top keeps it."""
    result = {}
    for key, value in stats.items():
        if isinstance(value, dict):
            result.update(flatten_stats(value, f"{prefix}{key}."))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            result[prefix + key] = value
    return result
