"""The command demo: the tour of `hashrange.demo`, as `make demo` takes it."""

from __future__ import annotations

import time
from pathlib import Path

import click

from hashrange.cli.command import command
from hashrange.demo.__main__ import DIRECTORY, ITEMS, ROUNDS, Options, run


@command("demo", """
hashrange demo
hashrange demo --items 10000 --rounds 1
hashrange demo --file orders.json.gz
""")
@click.option("--file", type=click.Path(path_type=Path), help="Orders in DynamoDB's export format, "
              "with customer (S) and ts (N). Default: made-up orders.")
@click.option("--items", default=ITEMS, show_default=True, type=click.IntRange(min=1),
              help="Orders to make when there is no file.")
@click.option("--rounds", default=ROUNDS, show_default=True, type=click.IntRange(min=0),
              help="Writers to kill in each durability mode.")
@click.option("--seed", type=int, help="Of what is read and when writers are killed. "
              "Default: the time.")
@click.option("--dir", "folder", default=DIRECTORY, show_default=True,
              type=click.Path(path_type=Path), help="Where to work; what is there is replaced.")
def demo(file: Path | None, items: int, rounds: int, seed: int | None, folder: Path) -> int:
    """Load orders, use them in every way, kill writers, prove that nothing is missing.

    Exit status 1: something that was acknowledged is missing or wrong.
    """
    chosen = int(time.time()) if seed is None else seed
    return run(Options(file, items, rounds, chosen, folder))


COMMANDS = (demo,)
