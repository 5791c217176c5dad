"""Answers: tables to a terminal, one JSON object a line to a pipe or a file.

Theory of operation. An `Output` is made from the options --json and --table; without them it looks
at standard output. Items arrive one after the other. JSON is written at once; a table needs widths,
so rows are gathered up to ROWS_TABLE and a long answer becomes several tables. The columns are the
keys and then as many attributes as fit; what does not fit is named below.

What is stored is hostile to a terminal: in tables and in JSON, characters that do not print are
escaped as JSON does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from hashrange.exchange.typed import Item, base64_text, plain_text, plain_value, typed_text

Function = TypeVar("Function", bound=Callable[..., Any])
Row = Sequence[str]
Advance = Callable[[float], None]

ROWS_TABLE = 500
ROWS_SHOWN = 100                # of a query on a terminal, without --limit
CELL_CHARACTERS_MAX = 40
VALUE_CHARACTERS_MAX = 2000     # of one attribute in the table of one item
NAMED_MAX = 12                  # attributes without a column that are named


def output_options(function: Function) -> Function:
    """Add --json and --table."""
    return click.option(
        "--json/--table", "as_json", default=None,
        help="One JSON object a line, or a table. Default: a table on a terminal, else JSON.",
    )(function)


def typed_option(function: Function) -> Function:
    """Add --typed."""
    return click.option(
        "--typed", is_flag=True, help='JSON as DynamoDB has it, with types: {"id": {"S": "a"}}.'
    )(function)


class Output:
    """Standard output in one of its two forms."""

    def __init__(self, as_json: bool | None, typed: bool = False) -> None:
        self.as_json = (typed or not sys.stdout.isatty()) if as_json is None else as_json
        self.text_of = typed_text if typed else plain_text

    # ---- answers that are no items ---------------------------------------------------------------

    def record(self, answer: dict[str, Any]) -> None:
        """Write an answer as one JSON object."""
        click.echo(escaped(json.dumps(answer, ensure_ascii=False, default=readable)))

    def table(self, title: str, columns: Row, rows: Iterable[Row], right: str = "") -> None:
        """Show a table. right: numbers of the columns to be aligned to the right, "12"."""
        from rich.table import Table
        from rich.text import Text

        shown = Table(title=title or None, title_justify="left", title_style="bold")
        for number, column in enumerate(columns):
            shown.add_column(
                Text(printable(column)),
                justify="right" if str(number) in right else "left",
                overflow="fold",
            )
        for row in rows:
            shown.add_row(*(Text(printable(cell)) for cell in row))
        make_console().print(shown)

    def pairs(self, title: str, rows: Iterable[tuple[str, Any]]) -> None:
        """Show names and values."""
        self.table(title, ("what", "value"), [(name, shown_value(value)) for name, value in rows])

    # ---- items -----------------------------------------------------------------------------------

    def items(self, items: Iterable[Item], keys: Sequence[str] = ()) -> int:
        """Show typed items, the attributes `keys` first, and return their number."""
        count = 0
        if self.as_json:
            for item in items:
                click.echo(escaped(self.text_of(item)))
                count += 1
            return count
        block: list[Item] = []
        for item in items:
            count += 1
            block.append(item)
            if len(block) == ROWS_TABLE:
                self.item_rows(block, keys)
                block = []
        if block:
            self.item_rows(block, keys)
        return count

    def item(self, item: Item) -> None:
        """Show one typed item."""
        if self.as_json:
            click.echo(escaped(self.text_of(item)))
            return
        rows = []
        for name, value in item.items():
            [letters] = value
            rows.append((name, letters, shortened(cell_text(value), VALUE_CHARACTERS_MAX)))
        self.table("", ("attribute", "type", "value"), rows)

    def item_rows(self, items: list[Item], keys: Sequence[str]) -> None:
        """Show items as rows, in as many columns as fit."""
        names = list(dict.fromkeys([*keys, *(name for item in items for name in item)]))
        cells = {
            name: [
                shortened(cell_text(item[name]), CELL_CHARACTERS_MAX) if name in item else ""
                for item in items
            ]
            for name in names
        }
        fitting = fitting_columns(cells, max(1, len(keys)), make_console().width)
        right = "".join(
            str(number) for number, name in enumerate(fitting[:10])
            if all("N" in item[name] for item in items if name in item)
        )
        rows = zip(*(cells[name] for name in fitting), strict=True)
        self.table("", fitting, list(rows), right)
        hidden = names[len(fitting) :]
        if hidden:
            named = ", ".join(map(printable, hidden[:NAMED_MAX]))
            more = f" and {len(hidden) - NAMED_MAX} more" if len(hidden) > NAMED_MAX else ""
            note(f"not shown: {named}{more} (--json shows all; or choose with --project)")


def fitting_columns(cells: dict[str, list[str]], least: int, width: int) -> list[str]:
    """Return the first columns that fit the width of a terminal, at least so many."""
    from rich.cells import cell_len

    fitting: list[str] = []
    used = 1
    for name, column in cells.items():
        used += max(cell_len(name), *(cell_len(text) for text in column)) + 3
        if used > width and len(fitting) >= least:
            break
        fitting.append(name)
    return fitting


# ---- texts ---------------------------------------------------------------------------------------


def cell_text(value: Item) -> str:
    """Return a typed value as a cell has it: strings bare, all else as JSON."""
    text = value.get("S")
    return text if isinstance(text, str) else plain_value(value)


def printable(text: str) -> str:
    """Return a text that does nothing to a terminal but show."""
    return text if text.isprintable() else json.dumps(text)


def escaped(text: str) -> str:
    """Return JSON text with escapes for what does not print; it stands in strings only."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def shortened(text: str, characters_max: int) -> str:
    return text if len(text) <= characters_max else text[: characters_max - 1] + "…"


def shown_value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown_value(inner)}" for name, inner in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


def readable(value: Any) -> str:
    return base64_text(value) if isinstance(value, bytes) else str(value)


# ---- standard error ------------------------------------------------------------------------------


def note(text: str) -> None:
    """Say something that is no answer, on standard error."""
    click.echo(text, err=True)


def make_console(error: bool = False) -> Any:
    """Return rich's console over standard output, or standard error, as they are now."""
    from rich.console import Console

    return Console(stderr=error, highlight=False)


@contextmanager
def progress(label: str, total: float | None, quiet: bool = False) -> Iterator[Advance]:
    """Show on a terminal how far a long step has come; `advance` takes how much is done.

    total: in the same unit; None when it is not known. quiet: show nothing.
    """
    console = make_console(error=True)
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
               TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)
