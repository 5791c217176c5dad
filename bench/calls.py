"""The cases that are loops of calls: load, get, zipf, scan, put, update, query, in-memory
databases.

Keys, items and collection names are made beforehand; a loop is a plain for over them, the same for
every peer.
"""

import sqlite3
import time
from contextlib import ExitStack

from codec import decode, encode
from harness import Failed, Loop, interleave
from items import customer_text, distinct_indexes, pk_text, uniform_indexes, zipf_indexes
from peers import PEERS, Hashrange, Lmdb, consume
from shelf import (
    FASTEST,
    MANY_COUNT,
    WRITE_COUNT,
    Bench,
    Target,
    check_ranged,
    flatten_stats,
    items_to_write,
    row,
    scaled,
)

DRAW_COUNT = 200_000  # precomputed keys of a sequence
CALIBRATION_COUNT = 1000  # updates that size a round
CACHE_BYTES_PER_ITEM = 256  # zipf: the item cache holds about a tenth of the decoded items


def _reads(bench: Bench, stack: ExitStack) -> dict:
    """Return {name: reads} of the flat tables."""
    return {name: stack.enter_context(peer.reading()) for name, peer in bench.flat().items()}


def case_load(bench: Bench) -> list[dict]:
    """Batch load of the flat table in key order, from Python dicts: encoding counts, making the
    dicts does not."""

    bench.clear_memory()

    def loader(name):
        def run():
            peer = PEERS[name]()
            nanoseconds = bench.load(peer, "flat")
            peer.close()
            peer.remove()
            return nanoseconds

        return run

    figures = interleave(
        {name: loader(name) for name in bench.names}, min(3, bench.rounds), warm_up=False
    )
    return [
        row(
            "batch load, per item",
            "us",
            scaled(figures, 1e-3),
            Target(3, 6, FASTEST),
            "no sync at the end, any peer; the dict keeps nothing and is no peer here",
        )
    ]


def case_get(bench: Bench) -> list[dict]:
    """Point reads with uniform keys, item cache off: one by one, and get_many of 100."""
    bench.set_cache(0)
    texts = [pk_text(index) for index in uniform_indexes(bench.count, DRAW_COUNT, bench.seed)]
    with ExitStack() as stack:
        reads = _reads(bench, stack)
        runs, many = {}, {}
        for name, peer in bench.flat().items():
            keys = peer.keys(texts)
            runs[name] = Loop(reads[name].get, keys, bench.seconds)
            groups = [keys[start : start + MANY_COUNT] for start in range(0, len(keys), MANY_COUNT)]
            many[name] = Loop(reads[name].get_many, groups, bench.seconds)
        single = scaled(interleave(runs, bench.rounds), 1e-3)
        grouped = scaled(interleave(many, bench.rounds), 1e-3 / MANY_COUNT)
    return [
        row("get, uniform", "us", single, Target(3, 5, "lmdb", (("dict", 1.0),)), "item cache off"),
        row(
            "get_many(100), uniform, per item",
            "us",
            grouped,
            Target(3, 5, "lmdb", (("dict", 1.0),)),
            "item cache off; target of get",
        ),
    ]


def case_zipf(bench: Bench) -> list[dict]:
    """Point reads with zipf 0.99 keys, item cache on and warm; dict.copy() of decoded items
    beside it."""
    cache_bytes = max(1 << 20, bench.count * CACHE_BYTES_PER_ITEM)
    bench.set_cache(cache_bytes)
    indexes = zipf_indexes(bench.count, 2 * DRAW_COUNT, bench.seed)
    warm, timed = indexes[:DRAW_COUNT], indexes[DRAW_COUNT:]
    texts = [pk_text(index) for index in timed]
    distinct = sorted(set(timed))
    decoded = {item["pk"]: item for item in bench.workload.flat(distinct)}

    def copy(key):
        return decoded[key].copy()

    with ExitStack() as stack:
        reads = _reads(bench, stack)
        if (
            "hashrange" in reads
        ):  # the peers keep no decoded items; the warm-up round is enough there
            for index in warm:
                reads["hashrange"].get(pk_text(index))
        runs = {
            name: Loop(reads[name].get, peer.keys(texts), bench.seconds)
            for name, peer in bench.flat().items()
        }
        figures = scaled(
            interleave({**runs, "dict.copy()": Loop(copy, texts, bench.seconds)}, bench.rounds),
            1e-3,
        )
    note = (
        f"cache_bytes={cache_bytes >> 20} MiB; dict.copy(): a dict of decoded items, shallow copy"
    )
    peer = bench.flat().get("hashrange")
    if peer is not None:
        cache = {
            key: value for key, value in flatten_stats(peer.db.stats()).items() if "cache" in key
        }
        note += "; " + ", ".join(f"{key}={value}" for key, value in sorted(cache.items()))
    bench.set_cache(None)
    return [
        row(
            "get, zipf 0.99, cache on",
            "us",
            figures,
            Target(5, 10, "lmdb", (("dict.copy()", 2.5),)),
            note,
        )
    ]


def case_scan(bench: Bench) -> list[dict]:
    """One pass over the flat table, every item decoded."""
    with ExitStack() as stack:
        reads = _reads(bench, stack)

        def scanner(name):
            scan, count, clock = reads[name].scan, bench.count, time.perf_counter_ns
            passes = max(1, int(bench.seconds * 1e9 / (count * 4000)))

            def run():
                start = clock()
                for _ in range(passes):
                    consume(scan())
                return (clock() - start) / (count * passes)

            return run

        figures = interleave({name: scanner(name) for name in reads}, min(3, bench.rounds))
    return [
        row(
            "scan, decoding all, per item",
            "us",
            scaled(figures, 1e-3),
            Target(3, 5, FASTEST),
            "the dict does not count as a peer here: it has no order and no disk",
        )
    ]


def case_put(bench: Bench) -> list[dict]:
    """Overwrite items with uniform keys, one transaction each, surviving kill -9, not synced."""
    _, items = items_to_write(bench)
    peers, beside = dict(bench.flat()), _write_variants(bench)
    peers.update(beside)
    figures = interleave(
        {name: Loop(peer.put, items, bench.seconds) for name, peer in peers.items()}, bench.rounds
    )
    _drop(beside)
    return [
        row(
            "put (survives kill -9)",
            "us",
            scaled(figures, 1e-3),
            Target(4, 7, "lmdb"),
            'hashrange with durability="interval": synced in the background, the peers are not; '
            '"none" is shown too, and lmdb with write() instead of writemap',
        )
    ]


def _write_variants(bench: Bench) -> dict:
    """Return {name: peer}, loaded: other settings worth a figure beside the fastest fair ones."""
    variants = {}
    if bench.has("hashrange"):
        variants["hashrange, none"] = Hashrange(durability="none")
    if bench.has("lmdb"):
        variants["lmdb, write()"] = Lmdb(writemap=False)
    for peer in variants.values():
        bench.load(peer, "flat")
    return variants


def _drop(peers: dict) -> None:
    for peer in peers.values():
        peer.close()
        peer.remove()


class _Updates:
    """Rounds of a conditional update. Keys are distinct and each pass writes a status never used
    before, so that the condition holds every time."""

    def __init__(self, update, keys: list, seconds: float) -> None:
        self._update, self._keys, self._position, self._serial = update, keys, 0, 0
        self._slice(CALIBRATION_COUNT)
        spent = self._slice(CALIBRATION_COUNT)
        self._count = max(
            CALIBRATION_COUNT, int(seconds * 1e9 * min(CALIBRATION_COUNT, len(keys)) / spent)
        )

    def _slice(self, count: int) -> int:
        """Update the next `count` keys at most; return nanoseconds."""
        part = self._keys[self._position : self._position + count]
        self._position = (self._position + len(part)) % len(self._keys)
        self._serial += 1
        update, status, clock = self._update, f"status-{self._serial}", time.perf_counter_ns
        start = clock()
        for key in part:
            update(key, status)
        return clock() - start

    def __call__(self) -> float:
        spent = done = 0
        while done < self._count:
            count = min(self._count - done, len(self._keys) - self._position)
            spent += self._slice(count)
            done += count
        return spent / done


def case_update(bench: Bench) -> list[dict]:
    """Set one attribute if it differs, uniform keys; the condition always holds. Peers: read,
    decode, compare, encode, write."""
    texts = [pk_text(index) for index in distinct_indexes(bench.count, WRITE_COUNT, bench.seed + 2)]
    peers, beside = dict(bench.flat()), _write_variants(bench)
    peers.update(beside)
    runs = {
        name: _Updates(peer.update, peer.keys(texts), bench.seconds) for name, peer in peers.items()
    }
    figures = scaled(interleave(runs, bench.rounds), 1e-3)
    _drop(beside)
    return [
        row(
            "conditional update of one attribute",
            "us",
            figures,
            Target(6, 12, "lmdb"),
            "rocksdict, plyvel: get, then put, not atomic among threads; the rest as for put",
        )
    ]


def case_query(bench: Bench) -> list[dict]:
    """Collections of 100 items: all of one, and its newest 10; loaded in key order, then in
    arrival order."""
    rows = []
    numbers = uniform_indexes(bench.workload.customer_count, DRAW_COUNT // 20, bench.seed + 3)
    customers = [customer_text(number) for number in numbers]
    for title, order in (("", None), (", arrived in time order", bench.workload.arrival_order())):
        peers = {}
        for name in list(bench.names):
            peer = PEERS[name]()
            try:
                bench.load(peer, "ranged", order)
                peer.settle()
                check_ranged(peer, bench.workload)
            except Failed:
                raise
            except Exception as error:
                bench.give_up(name, "loading the ranged table", error)
                continue
            peers[name] = peer
        with ExitStack() as stack:
            reads = {name: stack.enter_context(peer.reading()) for name, peer in peers.items()}
            names = {name: peer.collections(customers) for name, peer in peers.items()}
            whole = interleave(
                {name: Loop(reads[name].query, names[name], bench.seconds) for name in peers},
                bench.rounds,
            )
            newest = interleave(
                {name: Loop(reads[name].newest, names[name], bench.seconds) for name in peers},
                bench.rounds,
            )
        _drop(peers)
        note = (
            "ordered peers store the items of a customer together in any case"
            if order is not None
            else ""
        )
        rows.append(
            row("query of 100" + title, "us", scaled(whole, 1e-3), Target(3, 5, "lmdb"), note)
        )
        rows.append(
            row("newest 10 of 100" + title, "us", scaled(newest, 1e-3), Target(3, 5, "lmdb"), note)
        )
    return rows


def case_memory(bench: Bench) -> list[dict]:
    """Make an in-memory database and a table, put and get one item, drop all."""
    item = bench.workload.flat([0])[0]
    runs = {}
    if bench.has("hashrange"):
        import hashrange

        def use_hashrange(_):
            db = hashrange.open()
            table = db.create_table("items", hash_key=("pk", "S"))
            table.put(item)
            table.get(item["pk"])
            db.drop_table("items")
            db.close()

        runs["hashrange"] = Loop(use_hashrange, [None] * 1000, bench.seconds)
    if bench.has("sqlite3"):

        def use_sqlite(_):
            db = sqlite3.connect(":memory:", isolation_level=None)
            db.execute("CREATE TABLE items(pk TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
            db.execute("INSERT INTO items VALUES(?,?)", (item["pk"], encode(item)))
            decode(db.execute("SELECT value FROM items WHERE pk=?", (item["pk"],)).fetchone()[0])
            db.execute("DROP TABLE items")
            db.close()

        runs["sqlite3"] = Loop(use_sqlite, [None] * 1000, bench.seconds)
    if not runs:
        return []
    figures = scaled(interleave(runs, bench.rounds), 1e-6)
    return [row("create, use, drop an in-memory database", "ms", figures, Target(1, 0.2), "")]
