"""What the demo shows: steps, a progress bar and tables; with rich, or in plain lines without."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

Row = tuple[str, ...]


class Progress(Protocol):
    """Takes how much is done, in the unit of the total."""

    def __call__(self, done: float) -> None: ...


class PlainScreen:
    """Lines of text, for a terminal without rich and for logs."""

    def step(self, text: str) -> None:
        """Show one thing done."""
        print(f"  {text}", flush=True)

    def fail(self, text: str) -> None:
        """Show what went wrong."""
        print(f"FAILED: {text}", file=sys.stderr, flush=True)

    @contextmanager
    def progress(self, label: str, total: float) -> Iterator[Progress]:
        """Show how far a long step has come."""
        shown = 0

        def advance(done: float) -> None:
            nonlocal shown
            tenth = int(10 * done / total) if total else 10
            if tenth > shown:
                shown = tenth
                print(f"  {label}: {10 * tenth} %", flush=True)

        yield advance

    def table(self, title: str, columns: Row, rows: list[Row]) -> None:
        """Show rows below a title; all columns but the first are aligned to the right."""
        widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
        print(f"\n{title}")
        for row in (columns, tuple("-" * width for width in widths), *rows):
            first, *rest = (
                cell.ljust(width) if index == 0 else cell.rjust(width)
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            print("  ".join([first, *rest]).rstrip())


class RichScreen(PlainScreen):
    """The same with rich."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console: Any = Console(highlight=False)

    def step(self, text: str) -> None:
        self.console.print("✓", style="green", end=" ")
        self.console.print(text, markup=False, soft_wrap=True)

    def fail(self, text: str) -> None:
        self.console.print("FAILED:", style="bold red", end=" ")
        self.console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def progress(self, label: str, total: float) -> Iterator[Progress]:
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        columns = (TextColumn("  {task.description}"), BarColumn(), TaskProgressColumn(),
                   TimeElapsedColumn())
        shown = self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=not shown) as bar:
            task = bar.add_task(label, total=total)
            yield lambda done: bar.update(task, completed=done)

    def table(self, title: str, columns: Row, rows: list[Row]) -> None:
        from rich.table import Table

        table = Table(title=title, title_justify="left", title_style="bold")
        for index, column in enumerate(columns):
            table.add_column(column, justify="left" if index == 0 else "right")
        for row in rows:
            table.add_row(*row)
        self.console.print()
        self.console.print(table)


def open_screen() -> PlainScreen:
    """Return a screen with rich if it is installed."""
    try:
        return RichScreen()
    except ImportError:
        return PlainScreen()
