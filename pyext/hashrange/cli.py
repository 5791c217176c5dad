"""The `hashrange` command: look at a database, check it, save what can be saved.

Exit status: 0 when all is well, 1 when damage was found, 2 when the command could not be carried
out (wrong arguments, no such directory, locked, unreadable). With --json the only output on stdout
is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hashrange

CLEAN = 0
DAMAGED = 1
FAILED = 2
ERRORS_SHOWN = 50       # of a long list, on the screen; --json has all

Answer = dict[str, Any]


# ---- the commands: arguments -> (exit status, answer) --------------------------------------------


def run_verify(options: argparse.Namespace) -> tuple[int, Answer]:
    report = hashrange.verify(str(directory(options.path)))
    answer = {"ok": report.ok, "errors": list(report.errors), "checked": dict(report.checked)}
    return CLEAN if report.ok else DAMAGED, answer


def run_stats(options: argparse.Namespace) -> tuple[int, Answer]:
    with hashrange.open(str(directory(options.path)), mode="r") as database:
        return CLEAN, dict(database.stats())


def run_tables(options: argparse.Namespace) -> tuple[int, Answer]:
    with hashrange.open(str(directory(options.path)), mode="r") as database:
        return CLEAN, {name: {"items": database.table(name).count()} for name in database.tables()}


def run_salvage(options: argparse.Namespace) -> tuple[int, Answer]:
    source, target = directory(options.source), Path(options.target)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(f"{target} exists and is not an empty directory")
    report = hashrange.salvage(str(source), str(target))
    answer = {"tables": dict(report.tables), "errors": list(report.errors)}
    return DAMAGED if report.errors else CLEAN, answer


def directory(path: str) -> Path:
    """Return the path of a database; opening must never make one here."""
    if not Path(path).is_dir():
        raise ValueError(f"{path} is not a directory")
    return Path(path)


# ---- their output --------------------------------------------------------------------------------


def show_verify(answer: Answer) -> None:
    for name, count in answer["checked"].items():
        print(f"{count:>14,}  {name}")
    show_errors(answer["errors"])
    print("clean" if answer["ok"] else "damaged")


def show_salvage(answer: Answer) -> None:
    for name, count in answer["tables"].items():
        print(f"{count:>14,}  items of {name}")
    show_errors(answer["errors"])


def show_tables(answer: Answer) -> None:
    for name, table in answer.items():
        print(f"{table['items']:>14,}  {name}")


def show_stats(answer: Answer) -> None:
    width = max(map(len, answer), default=0)
    for name, value in answer.items():
        print(f"{name:<{width}}  {f'{value:,}' if isinstance(value, int) else value}")


def show_errors(errors: list[str]) -> None:
    for error in errors[:ERRORS_SHOWN]:
        print(f"error: {error}")
    if len(errors) > ERRORS_SHOWN:
        print(f"error: and {len(errors) - ERRORS_SHOWN:,} more (--json lists all)")


# ---- the entry -----------------------------------------------------------------------------------

Run = Callable[[argparse.Namespace], tuple[int, Answer]]
Show = Callable[[Answer], None]


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hashrange",
        description="Look at a hashrange database, check it, save what can be saved.",
        epilog="Exit status: 0 all is well, 1 damage was found, 2 could not be carried out.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add(commands, "verify", "check every byte of a database; never writes", run_verify, show_verify)
    add(commands, "stats", "show sizes and counters", run_stats, show_stats)
    add(commands, "tables", "list the tables and their item counts", run_tables, show_tables)
    add(commands, "salvage", "copy what is readable of a damaged database into a new one",
        run_salvage, show_salvage, ("source", "target"))
    return parser


def add(commands: Any, name: str, words: str, run: Run, show: Show,
        arguments: tuple[str, ...] = ("path",)) -> None:
    command = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    for argument in arguments:
        command.add_argument(argument, metavar=argument.upper(), help="a database's directory")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=run, show=show)


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command line and return the exit status."""
    options = make_parser().parse_args(arguments)
    status: int
    try:
        status, answer = options.run(options)
    except (hashrange.Error, OSError, ValueError) as error:
        if options.json:
            print(json.dumps({"error": str(error), "kind": type(error).__name__}))
        else:
            print(f"hashrange: {error}", file=sys.stderr)
        return DAMAGED if isinstance(error, hashrange.CorruptError) else FAILED
    if options.json:
        print(json.dumps(answer, indent=2, default=str))
    else:
        options.show(answer)
    return status


if __name__ == "__main__":
    sys.exit(main())
