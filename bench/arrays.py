"""Columns against comprehensions: `python bench/arrays.py [--items N] [--rounds N]`.

*Measures*: reading one or several attributes of all items of the flat table, in memory, with the
item cache off, as arrays and as what one would write without: a comprehension over `scan()`, and
the NumPy arrays made of it. Loading rows as items, from arrays and from dicts that are made
already. Rounds are interleaved; a ratio is of medians, its range of single rounds.

*Does not measure*: a cold disk, several threads, pyarrow's own work (`to_arrow` shares buffers).
What both sides return is compared before anything is timed.
"""

import argparse
import time

import numpy
from harness import Failed, interleave
from items import Workload, chunks_of

import hashrange

LOADED = ("pk", "ts", "total", "quantity", "status", "note")


def per_item(call, count: int) -> float:
    """Return nanoseconds per item of one call."""
    start = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - start) / count


def numbers(table, *names: str) -> list[numpy.ndarray]:
    """Return numeric attributes as arrays, by way of scan."""
    rows = [[item[name] for name in names] for item in table.scan()]
    return [numpy.array(column, dtype="float64") for column in zip(*rows, strict=True)]


def reading_cases(table) -> dict:
    """Return {case: (baseline, by columns)}."""
    over = {":q": 100}
    every = ["pk", "ts", "order", "status", "total", "quantity", "note"]
    return {
        "quantity, as a list": (
            lambda: [item["quantity"] for item in table.scan()],
            lambda: table.columns(["quantity"]),
        ),
        "quantity and total, as a list": (
            lambda: [(item["quantity"], item["total"]) for item in table.scan()],
            lambda: table.columns(["quantity", "total"]),
        ),
        "quantity and total, as arrays": (
            lambda: numbers(table, "quantity", "total"),
            lambda: table.columns(["quantity", "total"]).values(),
        ),
        "total where quantity > 100": (
            lambda: [item["total"] for item in table.scan() if item["quantity"] > 100],
            lambda: table.columns(["total"], "quantity > :q", None, over),
        ),
        "status, in Arrow's form": (
            lambda: [item["status"] for item in table.scan()],
            lambda: table.columns(["status"]),
        ),
        "status, as objects": (
            lambda: [item["status"] for item in table.scan()],
            lambda: table.columns(["status"])["status"],
        ),
        "address.city, in Arrow's form": (
            lambda: [item["address"]["city"] for item in table.scan()],
            lambda: table.columns(["address.city"]),
        ),
        "seven attributes, in Arrow's form": (
            lambda: [[item[name] for name in every] for item in table.scan()],
            lambda: table.columns(every),
        ),
    }


def check(table) -> None:
    """Compare what both ways give."""
    columns = table.columns(["quantity", "total", "status"], "quantity > :q", None, {":q": 100})
    rows = [item for item in table.scan() if item["quantity"] > 100]
    same = (
        columns.count == len(rows)
        and int(columns["quantity"].sum()) == sum(row["quantity"] for row in rows)
        and sorted(columns["total"].tolist()) == sorted(float(row["total"]) for row in rows)
        and sorted(columns["status"].tolist()) == sorted(row["status"] for row in rows)
    )
    if not same:
        raise Failed("columns and scan differ")


def loading_cases(rows: list[dict]) -> dict:
    """Return {case: function that returns nanoseconds per row}."""
    source = {name: [row[name] for row in rows] for name in LOADED}
    for name in ("ts", "quantity"):
        source[name] = numpy.array(source[name])
    source["total"] = numpy.array(source["total"], dtype="float64")
    with hashrange.open() as db:
        table = db.create_table("flat", hash_key=("pk", "S"))
        table.load(source)
        columns = table.columns(list(LOADED))
    dicts = [{name: row[name] for name in LOADED} for row in rows]

    def put_all(table) -> None:
        with table.batch() as batch:
            for item in dicts:
                batch.put(item)

    def timed(fill) -> float:
        with hashrange.open() as db:
            table = db.create_table("flat", hash_key=("pk", "S"))
            taken = per_item(lambda: fill(table), len(rows))
            if table.count() != len(rows):
                raise Failed("rows are missing")
            return taken

    return {
        "dicts, by batch.put": lambda: timed(put_all),
        "arrays and lists": lambda: timed(lambda table: table.load(source)),
        "Columns, by Arrow": lambda: timed(lambda table: table.load(columns)),
    }


def show(name: str, figures: dict, base: str) -> None:
    """Print a line for each figure but the baseline's."""
    against = figures[base]
    for other, figure in figures.items():
        if "error" in figure:
            print(f"{name:36} {other:20} {figure['error']}")
            continue
        ratios = [
            slow / fast for slow, fast in zip(against["rounds"], figure["rounds"], strict=True)
        ]
        print(
            f"{name:36} {other:20} {figure['median']:8.1f} ns  "
            f"{against['median'] / figure['median']:5.1f}x [{min(ratios):.1f}, {max(ratios):.1f}]"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    workload = Workload(options.items)
    with hashrange.open(cache_bytes=0) as db:
        table = db.create_table("flat", hash_key=("pk", "S"))
        for chunk in chunks_of(workload.flat, range(options.items)):
            with table.batch() as batch:
                for item in chunk:
                    batch.put(item)
        check(table)
        for name, (by_scan, by_columns) in reading_cases(table).items():
            runs = {
                "scan": lambda call=by_scan: per_item(call, options.items),
                "columns": lambda call=by_columns: per_item(call, options.items),
            }
            show(name, interleave(runs, options.rounds), "scan")
    rows = workload.flat(range(min(options.items, 200_000)))
    show("load", interleave(loading_cases(rows), options.rounds), "dicts, by batch.put")


if __name__ == "__main__":
    main()
