"""Run the demo: `python -m hashrange.demo`, `hashrange demo` or `make demo`."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import hashrange
from hashrange.exchange.sources import ItemFile

from . import crash, orders, tour
from .screen import PlainScreen, open_screen

ITEMS = 100_000
ROUNDS = 5
DIRECTORY = Path("demo-data")


@dataclass(frozen=True)
class Options:
    """What to run the demo on. file: orders in DynamoDB's export format; None: made-up ones."""

    file: Path | None
    items: int
    rounds: int
    seed: int
    dir: Path


def parse_arguments(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="hashrange.demo",
        description="Load orders, use them in every way, kill writers, and prove that nothing "
        "acknowledged is missing.",
    )
    parser.add_argument("--file", type=Path, metavar="FILE",
                        help="orders in DynamoDB export format, .gz too (default: made-up orders)")
    parser.add_argument("--items", type=int, default=ITEMS, metavar="N",
                        help=f"orders to make when there is no file (default: {ITEMS})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N",
                        help=f"writers to kill in each durability mode (default: {ROUNDS})")
    parser.add_argument("--seed", type=int, default=int(time.time()), metavar="N",
                        help="of what is read and when writers are killed (default: the time)")
    parser.add_argument("--dir", type=Path, default=DIRECTORY, metavar="DIR",
                        help=f"where to work (default: {DIRECTORY})")
    return Options(**vars(parser.parse_args(arguments)))


def open_orders(options: Options, screen: PlainScreen) -> ItemFile:
    """Open the file given, or make one; the orders do not depend on --seed."""
    if options.file is not None:
        return ItemFile(options.file, tour.KEYS, "json")
    path = options.dir / f"orders-{options.items}.json"
    start = time.perf_counter()
    with screen.progress("making orders", options.items) as advance:
        for written in orders.write_orders(path, options.items, seed=1):
            advance(written)
    size = tour.megabytes(path.stat().st_size)
    screen.step(f"made {options.items:,} orders, {size}, in {time.perf_counter() - start:.1f} s: "
                f"{path}")
    return ItemFile(path, tour.KEYS, "json")


def main(arguments: list[str] | None = None) -> int:
    """Return 0, or 1 when anything was missing or wrong, or 2 when the demo could not run."""
    return run(parse_arguments(arguments))


def run(options: Options) -> int:
    """Run the demo; the result is main's."""
    screen = open_screen()
    start = time.perf_counter()
    path = options.dir / "orders.db"
    try:
        options.dir.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(path, ignore_errors=True)
        source = open_orders(options, screen)
        try:
            tour.run(path, source, screen, rounds=options.rounds, seed=options.seed)
        finally:
            source.close()
    except (crash.LossError, hashrange.CorruptError) as error:
        screen.fail(f"{error}\nThe database is left in {path}; seed {options.seed}.")
        return 1
    except (hashrange.Error, OSError, ValueError) as error:
        screen.fail(f"{type(error).__name__}: {error}")
        return 2
    screen.step(f"nothing acknowledged is missing; {time.perf_counter() - start:.0f} s in all "
                f"(seed {options.seed})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
