"""Opening databases and finding tables for commands, with errors that say what to do.

A command that reads opens the database as a reader, beside whatever process writes it. No command
makes a database by mistake: only those that say so create a directory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

import hashrange
from hashrange.errors import TableNotFound

Function = TypeVar("Function", bound=Callable[..., Any])

DURABILITIES = ("interval", "commit", "none")

path_argument = click.argument("path", metavar="PATH")
table_argument = click.argument("name", metavar="TABLE")


def durability_option(function: Function) -> Function:
    """Add --durability."""
    return click.option(
        "--durability", type=click.Choice(DURABILITIES), default="interval", show_default=True,
        help="When a write counts as done; see the documentation.",
    )(function)


def directory(path: str) -> str:
    """Return the path of a database that is there. ValueError when there is none."""
    if not os.path.isdir(path):
        raise ValueError(f"{path} is not a directory; a database is one")
    if not os.path.exists(os.path.join(path, "superblock")):
        raise ValueError(f"{path} holds no database")
    return path


def room_for_database(path: str) -> str:
    """Return the path of a database that is there or can be made. ValueError for another folder."""
    if os.path.isdir(path) and os.listdir(path):
        return directory(path)
    return path


def reading(path: str) -> hashrange.Database:
    """Open a database for reading; a writer may have it open meanwhile."""
    return hashrange.open(directory(path), mode="r")


def writing(path: str, durability: str = "interval") -> hashrange.Database:
    """Open a database that is there for writing. Raises DatabaseLocked."""
    return hashrange.open(directory(path), durability=durability)


def table_of(database: hashrange.Database, name: str) -> hashrange.Table:
    """Return a table. TableNotFound says which there are."""
    try:
        return database.table(name)
    except TableNotFound:
        there = database.tables()
        shown = ", ".join(there[:20]) + (", ..." if len(there) > 20 else "")
        raise TableNotFound(
            f"no table {name!r}; there are: {shown}" if there else
            f"no table {name!r}; the database has no tables"
        ) from None


def key_names(table: hashrange.Table) -> list[tuple[str, str]]:
    """Return name and type of a table's hash key, and of its range key if there is one."""
    return [key for key in table.key_schema() if key is not None]


def plural(count: int, noun: str) -> str:
    """Return "1 item", "2 items"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
