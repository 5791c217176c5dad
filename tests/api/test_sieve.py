"""Long filtered scans, whose rest is found by a pass through the log: the same items in the same
order as in any other walk, whatever is written meanwhile."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import pytest

import hashrange
from ddbcore import sieve

COUNT = 20_000                    # above SIEVE_ITEMS_MIN of ddbcore.sieve
FILTER: dict[str, Any] = {"filter": "n = :n", "values": {":n": 7}}


def item_of(number: int, n: int) -> dict[str, Any]:
    """Return an item; tables with a range key have collections of 1 to 50 items."""
    return {"id": f"i{number}", "h": f"h{number % 97 if number % 3 else number}", "r": number,
            "filler": "x" * (number % 40), "n": n, "more": {"deep": [number]}}


def fill(table: hashrange.Table, count: int = COUNT, start: int = 0) -> None:
    """Put items of which one in 40 passes FILTER."""
    with table.batch() as batch:
        for number in range(start, start + count):
            batch.put(item_of(number, number % 40))


def shuffle(table: hashrange.Table, choose: random.Random, count: int) -> None:
    """Overwrite, change, delete and make again some items; some pass by then, others no more."""
    for _ in range(count):
        number = choose.randrange(COUNT + 50)
        item = item_of(number, choose.choice([7, 7, 8, number % 40]))
        key = key_of(table, item)
        what = choose.randrange(4)
        if what == 0:
            table.put(item)
        elif what == 1:
            table.delete(*key)
        elif what == 2:
            table.update(*key, "SET n = :n", values={":n": choose.choice([7, 9])})
        else:
            table.delete(*key)
            table.put(item)


def key_of(table: hashrange.Table, item: dict[str, Any]) -> tuple[Any, ...]:
    hash_key, range_key = table.key_schema()
    return (item[hash_key[0]],) if range_key is None else (item[hash_key[0]], item[range_key[0]])


def naive(table: hashrange.Table, **arguments: Any) -> list[dict[str, Any]]:
    return [item for item in table.scan(**arguments) if item.get("n") == 7]


def begun(table: hashrange.Table, **arguments: Any) -> Any:
    """Return a walk that has come to its pass, and what it returned before."""
    walk = table.scan(**FILTER, **arguments)
    seen = []
    while not walk.sieving:
        seen.append(next(walk))
    return walk, seen


@pytest.fixture(params=["hashes", "ranges"])
def table(request: pytest.FixtureRequest, db: hashrange.Database) -> hashrange.Table:
    if request.param == "hashes":
        return db.create_table("hashes", ("id", "S"))
    return db.create_table("ranges", ("h", "S"), ("r", "N"))


def test_a_long_scan_is_sieved_and_keeps_its_order(table: hashrange.Table) -> None:
    seed = random.randrange(1 << 32)
    fill(table)
    shuffle(table, random.Random(seed), 800)
    wanted = naive(table)
    walk, seen = begun(table)
    assert [*seen, *walk] == wanted, seed
    assert walk.sieving


# Nothing passes: the pass finds nothing, and the walk ends.
def test_a_filter_that_nothing_passes(table: hashrange.Table) -> None:
    fill(table)
    for condition in ("n = :n", "n = :n OR n = :m", "contains(filler, :n)", "more.deep[0] < :n"):
        values = {":n": -1, ":m": -2} if ":m" in condition else {":n": -1}
        walk = table.scan(filter=condition, values=values)
        assert list(walk) == []
        assert walk.sieving


# The next item is at each moment what another walk finds behind the last key: what is written ahead
# is seen, what is gone is not returned, nothing comes twice.
def test_a_sieved_scan_sees_what_changes_ahead(table: hashrange.Table) -> None:
    seed = random.randrange(1 << 32)
    choose = random.Random(seed)
    fill(table)
    walk, seen = begun(table)
    last = seen[-1]
    while True:
        shuffle(table, choose, choose.choice([0, 0, 1, 3, 20]))
        wanted = list(table.scan(**FILTER, limit=1, after=last))
        found = next(walk, None)
        assert [found] == (wanted or [None]), seed
        if found is None:
            break
        last = found
    assert walk.sieving


@pytest.mark.parametrize("whole", [False, True])
def test_a_sieved_scan_goes_on_through_compaction(tmp_path: Path, whole: bool) -> None:
    seed = random.randrange(1 << 32)
    choose = random.Random(seed)
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("ranges", ("h", "S"), ("r", "N"))
        fill(table)
        walk, seen = begun(table)
        for _ in range(8):
            seen.extend(next(walk) for _ in range(5))
            shuffle(table, choose, 500)
            db.compact(whole=whole)
            db.checkpoint()               # what was emptied is let go, and its slots used again
            rest = naive(table, after=seen[-1])
            assert next(walk) == rest[0], seed
            seen.append(rest[0])
        assert list(walk) == rest[1:], seed


# Names that are new when the pass is done, in the filter and in items.
def test_a_sieved_scan_knows_names_that_are_new(table: hashrange.Table) -> None:
    fill(table)
    walk = table.scan(filter="attribute_exists(fresh) OR n = :n", values={":n": 7})
    seen = [next(walk)]
    while not walk.sieving:
        seen.append(next(walk))
    ahead = list(table.scan(after=seen[-1]))[50]
    table.update(*key_of(table, ahead), "SET fresh = :v", values={":v": 1})
    assert sum("fresh" in item for item in walk) == 1


# LATE_MAX records written behind the pass are held; with more of them the scan goes its own way,
# as it does when much was written that it would have to read first.
@pytest.mark.parametrize(
    ("late", "padding", "sieving"),
    [(4095, 10, True), (4096, 10, True), (4097, 10, False), (200, 30_000, False)],
)
def test_what_is_written_behind_the_pass_is_bounded(
    hashes: hashrange.Table, late: int, padding: int, sieving: bool
) -> None:
    fill(hashes)
    walk, seen = begun(hashes)
    ahead = [item["id"] for item in hashes.scan(after=seen[-1])][:late]
    with hashes.batch() as batch:
        for id in ahead:
            batch.put({"id": id, "n": 7, "filler": "y" * padding})
    rest = naive(hashes, after=seen[-1])
    assert [next(walk), *walk] == rest
    assert walk.sieving == sieving


def test_where_much_passes_the_scan_keeps_its_way(hashes: hashrange.Table) -> None:
    fill(hashes)
    for condition, values in (("n < :n", {":n": 7}), ("n >= :n", {":n": 7})):
        walk = hashes.scan(filter=condition, values=values)
        found = sum(1 for _ in walk)
        assert found == COUNT * (7 if condition == "n < :n" else 33) // 40
        assert not walk.sieving


# n - 1 of SIEVE_ITEMS_MIN, and a limit; without either there is a pass.
def test_few_items_and_those_limited_are_walked_in_order(hashes: hashrange.Table) -> None:
    fill(hashes, 16_383)
    for arguments in ({}, {"limit": 1000}):
        walk = hashes.scan(**FILTER, **arguments)
        assert len(list(walk)) == 410
        assert not walk.sieving
        fill(hashes, 1, 16_400)


@pytest.mark.parametrize(("total", "sieved"), [(2, True), (3, False), (50, False)])
def test_segments_make_up_the_whole(
    hashes: hashrange.Table, total: int, sieved: bool
) -> None:
    fill(hashes)
    fill(hashes, 20_000, COUNT)
    wanted = naive(hashes)
    found = []
    for segment in range(total):
        walk = hashes.scan(**FILTER, segment=segment, total_segments=total)
        found += list(walk)
        assert walk.sieving == sieved
    assert found == wanted


def test_after_a_key_and_to_the_end(table: hashrange.Table) -> None:
    fill(table)
    wanted = naive(table)
    walk = table.scan(**FILTER, after=wanted[99])
    assert list(walk) == wanted[100:]
    assert walk.sieving
    assert list(table.scan(**FILTER, after=walk.last_key)) == []


# The pass is over the log, which other tables share, and dead records make it longer: with too many
# of either it does not pay.
def test_other_tables_and_dead_records_are_passed_over(db: hashrange.Database) -> None:
    one = db.create_table("one", ("id", "S"))
    two = db.create_table("two", ("id", "S"))
    for start in range(0, COUNT, 1000):
        fill(one, 1000, start)
        fill(two, 500, start)
    for table, sieved in ((one, True), (two, False)):
        walk = table.scan(**FILTER)
        assert list(walk) == naive(table)
        assert walk.sieving == sieved     # two has 10,000 items
    choose = random.Random(1)
    for _ in range(6):
        with one.batch() as batch:
            for number in choose.sample(range(COUNT), COUNT * 3 // 5):
                batch.put(item_of(number, number % 40))
    walk = one.scan(**FILTER)
    assert list(walk) == naive(one)
    assert not walk.sieving


def test_a_table_dropped_meanwhile(db: hashrange.Database) -> None:
    table = db.create_table("gone", ("id", "S"))
    fill(table)
    walk, _ = begun(table)
    db.drop_table("gone")
    with pytest.raises(hashrange.TableNotFound):
        next(walk)
    fill(db.create_table("gone", ("id", "S")))
    with pytest.raises(hashrange.TableNotFound):
        next(walk)


def test_a_scan_beside_writers_is_sieved(hashes: hashrange.Table) -> None:
    fill(hashes)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            hashes.put({"id": f"other{number % 997}", "n": number % 7, "filler": "z" * 50})
            if number % 3 == 0:
                hashes.delete(f"other{number % 997}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            found = list(hashes.scan(**FILTER))
            assert sorted(item["r"] for item in found) == list(range(7, COUNT, 40))
    finally:
        stop.set()
        writer.join()


def test_threads_sieve_at_once_and_closing_stops_them(tmp_path: Path) -> None:
    db = hashrange.open(tmp_path / "db")
    table = db.create_table("hashes", ("id", "S"))
    fill(table)
    wanted = naive(table)
    ready = threading.Barrier(4)
    rounds = []

    def work() -> None:
        ready.wait()
        try:
            while True:
                found = list(table.scan(**FILTER))
                rounds.append(found == wanted)
                if len(rounds) > 30:
                    return
        except hashrange.DatabaseClosed:
            return

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    ready.wait()
    while len(rounds) < 10 and any(thread.is_alive() for thread in threads):
        threads[0].join(0.01)
    db.close()
    for thread in threads:
        thread.join()
    assert len(rounds) >= 10
    assert all(rounds)


# A process that reads beside the writer keeps the GIL, step by step, and sees what is written.
def test_a_reader_sieves_and_follows(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    choose = random.Random(seed)
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("ranges", ("h", "S"), ("r", "N"))
        fill(table)
        db.checkpoint()
        shuffle(table, choose, 300)
        with hashrange.open(tmp_path / "db", mode="r") as reader:
            other = reader.table("ranges")
            walk, seen = begun(other)
            for _ in range(30):
                shuffle(table, choose, 20)
                if choose.random() < 0.1:
                    db.compact()
                rest = naive(table, after=seen[-1])
                assert next(walk) == rest[0], seed
                seen.append(rest[0])
            assert list(walk) == rest[1:]


# After opening, what lies before the checkpoint is proven before it is read. A block that is
# damaged, and holds nothing live, is no reason to fail: the scan goes round it.
@pytest.mark.parametrize("live", [False, True])
def test_damage_counts_where_something_lives(tmp_path: Path, live: bool) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("hashes", ("id", "S"))
        fill(table, 2000)
        for number in range(2000):
            if not live:
                table.put(item_of(number, number % 40))
        fill(table, COUNT, 2000)
        wanted = naive(table)
        db.checkpoint()
    log = tmp_path / "db" / "log-00000001"
    data = bytearray(log.read_bytes())
    data[50_000] ^= 1                     # in the first block of 64 KiB
    with hashrange.open(tmp_path / "db", mode="r") as db:
        walk = db.table("hashes").scan(**FILTER)
        assert list(walk) == wanted
        assert walk.sieving
    log.write_bytes(data)
    with hashrange.open(tmp_path / "db", mode="r") as db:
        walk = db.table("hashes").scan(**FILTER)
        if live:
            with pytest.raises(hashrange.CorruptError):
                list(walk)
        else:
            assert list(walk) == wanted
        assert not walk.sieving


# ---- several threads -----------------------------------------------------------------------------

LARGE_COUNT = 80_000              # of 470 bytes: more than SIFTER_BYTES_MIN for each of two threads


def large(db: hashrange.Database) -> hashrange.Table:
    table = db.create_table("large", ("id", "S"))
    with table.batch() as batch:
        for number in range(LARGE_COUNT):
            batch.put({"id": f"i{number}", "n": number % 40, "filler": "x" * 430})
    return table


def test_threads_share_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    class Counted(threading.Thread):
        def start(self) -> None:
            started.append(self)
            super().start()

    class Refused(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    with hashrange.open() as db:
        table = large(db)
        wanted = naive(table)
        monkeypatch.setattr(sieve, "processor_count", lambda: 2)
        for kind, count in ((Counted, 1), (Refused, 0)):
            monkeypatch.setattr(sieve, "Thread", kind)
            started.clear()
            walk = table.scan(**FILTER)
            assert list(walk) == wanted
            assert walk.sieving
            assert len(started) == count
            assert not any(thread.is_alive() for thread in started)


# While threads read, others write, and at last close: what stays is found, and nothing is unmapped
# under them.
def test_threads_beside_writers_and_closing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sieve, "processor_count", lambda: 2)
    db = hashrange.open(tmp_path / "db")
    table = large(db)
    wanted = [f"i{number}" for number in range(7, LARGE_COUNT, 40)]
    rounds = []

    def write() -> None:
        try:
            number = 0
            while True:
                number += 1
                table.put({"id": f"i{number * 40 % LARGE_COUNT}", "n": 8, "filler": "y" * 300})
        except hashrange.DatabaseClosed:
            return

    def read() -> None:
        try:
            while True:
                rounds.append(sorted(item["id"] for item in table.scan(**FILTER)))
        except hashrange.DatabaseClosed:
            return

    threads = [threading.Thread(target=work) for work in (write, read, read)]
    for thread in threads:
        thread.start()
    while len(rounds) < 6 and all(thread.is_alive() for thread in threads):
        threads[1].join(0.01)
    db.close()
    for thread in threads:
        thread.join()
    assert len(rounds) >= 6
    assert all(found == sorted(wanted) for found in rounds)
