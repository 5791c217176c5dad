"""Commands that move many items: import and export.

Theory of operation. Import reads native items from files (`hashrange.exchange`) and puts them in
batches, which become a commit at each MiB and when a line is bad or Ctrl-C ends the command: all
items before that are there then, and none after. Export writes what a Scan finds, to a file that
gets its name when it is complete.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

import hashrange
from hashrange.cli.access import (
    directory,
    durability_option,
    key_names,
    path_argument,
    plural,
    reading,
    room_for_database,
    table_argument,
    table_of,
)
from hashrange.cli.command import command
from hashrange.cli.output import note, progress
from hashrange.cli.reads import pages
from hashrange.cli.values import parse_key_schema
from hashrange.exchange.folders import DataFile, data_files
from hashrange.exchange.packing import open_packed
from hashrange.exchange.sources import LAYOUTS, STDIN, ItemFile
from hashrange.exchange.typed import plain_text, typed_text

ADVANCE_ITEMS = 1000    # put between two movements of the progress bar


# ---- import --------------------------------------------------------------------------------------


@command("import", """
hashrange import shop.db orders orders.json.gz
hashrange import shop.db orders orders.json --hash-key customer --range-key ts:N
hashrange import shop.db people people.csv --hash-key id:N
hashrange import shop.db orders AWSDynamoDB/01700000000000-0a1b2c3d
hashrange scan old.db orders --typed | hashrange import new.db orders -
""")
@path_argument
@table_argument
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--format", "layout", type=click.Choice(LAYOUTS),
              help="What is in the files. Default: csv for a .csv, else json.")
@click.option("--delimiter", default=",", show_default=True, help="Between the fields of CSV.")
@click.option("--hash-key", metavar="NAME[:TYPE]",
              help="Make the table, and the database, if there is none. Type S (default), N or B.")
@click.option("--range-key", metavar="NAME[:TYPE]", help="The sort key of the table to make.")
@durability_option
def import_items(path: str, name: str, files: tuple[str, ...], layout: str | None, delimiter: str,
                 hash_key: str | None, range_key: str | None, durability: str) -> None:
    """Put all items of files into a table, in place of those with their keys.

    A FILE has one JSON object a line: DynamoDB's export format, typed or plain items; or it is CSV:
    the first line names the columns, key columns have the table's types, all others are strings, an
    empty field is no attribute. Gzip and zstd are recognised. A folder is an export to S3, with its
    manifest, and is checked against it. - is standard input.
    """
    if hash_key is None:
        directory(path)
    room_for_database(path)
    wanted = [parse_key_schema(key) for key in (hash_key, range_key) if key is not None]
    sources = [source for file in files for source in sources_of(file)]
    with hashrange.open(path, durability=durability) as database:
        loader = Loader(table_to_fill(database, name, wanted))
        try:
            for source in sources:
                loader.load(source, layout, delimiter)
        except BaseException:
            if loader.count:
                note(f"{plural(loader.count, 'item')} came before that, now in {name}")
            raise
        finally:
            database.sync()
    note(f"imported {plural(loader.count, 'item')} into {name}")


class Loader:
    """A table that files are put into; `count` items so far."""

    def __init__(self, table: hashrange.Table) -> None:
        self.table = table
        self.keys = key_names(table)
        self.count = 0

    def load(self, source: DataFile | str, layout: str | None, delimiter: str) -> None:
        """Put all items of a file. ValueError names the line that is bad."""
        before = self.count
        path: str | Path
        if isinstance(source, DataFile):
            source.check_md5()
            path, expected = source.path, source.item_count
        else:
            path, expected = source, None
        item_file = ItemFile(path, self.keys, layout, delimiter)
        try:
            self.put_all(item_file)
        finally:
            item_file.close()
        added = self.count - before
        if expected not in (None, added):
            raise ValueError(f"{path} has {added:,} items, its manifest says {expected:,}")

    def put_all(self, item_file: ItemFile) -> None:
        label = f"importing {Path(item_file.name).name}"
        with progress(label, item_file.size_bytes or None) as advance, self.table.batch() as batch:
            try:
                for item in item_file.items():
                    batch.put(item)
                    self.count += 1
                    if self.count % ADVANCE_ITEMS == 0:
                        advance(item_file.position_bytes())
            except hashrange.ValidationError as error:
                batch.flush()
                raise ValueError(
                    f"{item_file.name}, line {item_file.line_number}: {error}"
                ) from None
            except BaseException:
                batch.flush()
                raise


def sources_of(file: str) -> list[DataFile | str]:
    """Return what a FILE stands for: itself, or the data files of an export."""
    path = Path(file)
    if file != STDIN and path.is_dir():
        return list(data_files(path))
    if file != STDIN and not path.exists():
        raise ValueError(f"{file} does not exist")
    return [file]


def table_to_fill(
    database: hashrange.Database, name: str, wanted: list[tuple[str, str]]
) -> hashrange.Table:
    """Return the table, made if it is to be. ValueError when it has other keys than wanted."""
    if not wanted:
        return table_of(database, name)
    if name not in database.tables():
        return database.create_table(name, *wanted)
    table = database.table(name)
    if key_names(table) != wanted:
        there = ", ".join(f"{key}:{kind}" for key, kind in key_names(table))
        raise ValueError(f"{name} is there and has other keys: {there}")
    return table


# ---- export --------------------------------------------------------------------------------------


@command("export", """
hashrange export shop.db orders orders.json.gz
hashrange export shop.db orders > orders.json
hashrange export shop.db orders --plain | jq .total
""")
@path_argument
@table_argument
@click.argument("file", default="-")
@click.option("--plain", is_flag=True, help="Plain JSON; sets become lists, binary base64.")
def export(path: str, name: str, file: str, plain: bool) -> None:
    """Write all items of a table in DynamoDB's export format, one a line.

    FILE ends in .gz or .zst to be compressed; without FILE the lines go to standard output. Other
    processes may go on writing: each item is as it was when it was reached.
    """
    with reading(path) as database:
        table = table_of(database, name)
        lines = item_lines(database, name, plain)
        # A progress bar would stand between lines that go to the same terminal.
        quiet = file == "-" and sys.stdout.isatty()
        with progress(f"exporting {name}", table.count(), quiet) as advance:
            if file == "-":
                count = write_lines(sys.stdout.buffer, lines, advance)
            else:
                count = write_file(Path(file), lines, advance)
    note(f"exported {plural(count, 'item')} of {name}")


def item_lines(database: hashrange.Database, name: str, plain: bool) -> Iterator[list[str]]:
    """Yield the lines of each page of a scan."""
    for page in pages(database, "Scan", {"TableName": name}):
        if plain:
            yield [plain_text(item) for item in page["Items"]]
        else:
            yield [typed_text({"Item": item}) for item in page["Items"]]


def write_lines(target: BinaryIO | Any, pages_of_lines: Iterator[list[str]], advance: Any) -> int:
    """Write lines and return their number."""
    count = 0
    for lines in pages_of_lines:
        if lines:
            target.write(("\n".join(lines) + "\n").encode("utf-8"))
        count += len(lines)
        advance(count)
    target.flush()
    return count


def write_file(path: Path, pages_of_lines: Iterator[list[str]], advance: Any) -> int:
    """Write a file that is there when it is complete; what had its name is replaced then."""
    partial = path.with_name(path.name + ".partial")
    try:
        with open_packed(partial, path.name) as target:
            count = write_lines(target, pages_of_lines, advance)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return count


COMMANDS = (import_items, export)
