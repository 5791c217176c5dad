"""Items from a file or from standard input, in any of the forms that they come in.

Theory of operation. A JSON file has one object a line: `{"Item": {...}}` with typed values, as
DynamoDB exports it; a typed item by itself; or a plain one. Which of them a line is shows in its
key: a key is never an object, except in typed form. A CSV file begins with the names of its
columns; the table's key columns are read by their types, all others are strings, and an empty field
is no attribute.

Threads: one at a time.
Source: developer guide, S3 import formats and DynamoDB export output format.
"""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hashrange.exchange.packing import bare_name, lines_of, unpacked
from hashrange.exchange.typed import Item, is_typed, native_item, parse_json, read_key

LAYOUTS = ("json", "csv")
STDIN = "-"
EXCERPT_CHARACTERS = 80


class ItemFile:
    """One file of items, read once from the beginning to the end.

    path: a file, or "-" for standard input, whose `size_bytes` is 0. keys: name and type of the
    table's hash key, then of its range key if it has one. layout: "json" or "csv"; None: by the
    file's name. delimiter: of CSV.
    """

    def __init__(
        self,
        path: str | Path,
        keys: list[tuple[str, str]],
        layout: str | None = None,
        delimiter: str = ",",
    ) -> None:
        self.name = "standard input" if str(path) == STDIN else str(path)
        self.keys = keys
        csv_name = bare_name(self.name).endswith(".csv")
        self.layout = layout or ("csv" if csv_name else "json")
        self.delimiter = delimiter
        self.owned = str(path) != STDIN
        self.raw = open(path, "rb") if self.owned else standard_input()  # noqa: SIM115 - see close
        self.size_bytes = Path(path).stat().st_size if self.owned else 0
        self.line_number = 0

    def position_bytes(self) -> int:
        """Return how much of the file, as it stands on the disk, has been read."""
        return self.raw.tell() if self.owned else 0

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self.owned:
            self.raw.close()

    def items(self) -> Iterator[Item]:
        """Yield the items as native ones. ValueError names the file and the line that is none."""
        self.line_number = 0
        try:
            content = unpacked(self.raw)
            yield from self.csv_items(content) if self.layout == "csv" else self.json_items(content)
        except (ValueError, csv.Error) as error:
            place = f", line {self.line_number}" if self.line_number else ""
            raise ValueError(f"{self.name}{place}: {error}") from None

    def chunks(self, count: int) -> Iterator[list[Item]]:
        """Yield lists of at most `count` items. ValueError as `items`."""
        chunk: list[Item] = []
        for item in self.items():
            chunk.append(item)
            if len(chunk) == count:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    # ---- JSON ------------------------------------------------------------------------------------

    def json_items(self, content: BinaryIO) -> Iterator[Item]:
        for self.line_number, line in enumerate(lines_of(content), 1):
            if self.line_number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)  # noqa: PLW2901 - what editors put there
            if not line.isspace():
                yield self.json_item(line)

    def json_item(self, line: bytes) -> Item:
        """Return the item of one line, typed or plain."""
        hash_name = self.keys[0][0]
        try:
            value = parse_json(line)
        except ValueError as error:
            shown = line[:EXCERPT_CHARACTERS].decode("utf-8", "replace").strip()
            raise ValueError(f"not a JSON object a line ({error}): {shown!r}") from None
        if not isinstance(value, dict):
            raise ValueError("not a JSON object")
        wrapped = value.get("Item")
        if isinstance(wrapped, dict) and len(value) == 1 and hash_name != "Item":
            return native_item(wrapped)
        if "Keys" in value and "Metadata" in value:
            raise ValueError("this is an incremental export; a full one is needed")
        return native_item(value) if is_typed(value, hash_name) else self.plain_item(value)

    def plain_item(self, item: Item) -> Item:
        """Return a plain item with its binary keys as bytes."""
        for name, kind in self.keys:
            if kind == "B" and isinstance(item.get(name), str):
                item[name] = read_key(item[name], kind)
        return item

    # ---- CSV -------------------------------------------------------------------------------------

    def csv_items(self, content: BinaryIO) -> Iterator[Item]:
        reader = csv.reader(self.csv_lines(content), delimiter=self.delimiter, strict=True)
        names = next(reader, [])
        missing = [name for name, _ in self.keys if name not in names]
        if missing:
            raise ValueError(f"the first line names no column {missing[0]!r}")
        if len(set(names)) != len(names) or "" in names:
            raise ValueError("the first line has a column twice, or one without a name")
        kinds = dict(self.keys)
        for row in reader:
            if row:
                yield csv_item(names, row, kinds)

    def csv_lines(self, content: BinaryIO) -> Iterator[str]:
        for self.line_number, line in enumerate(lines_of(content), 1):
            yield line.decode("utf-8-sig" if self.line_number == 1 else "utf-8")


def csv_item(names: list[str], row: list[str], kinds: dict[str, str]) -> Item:
    """Return the item of one row; a field that is empty is no attribute."""
    if len(row) != len(names):
        raise ValueError(f"{len(row)} fields for {len(names)} columns")
    item: Item = {}
    for name, field in zip(names, row, strict=True):
        kind = kinds.get(name, "S")
        if field:
            try:
                item[name] = read_key(field, kind)
            except ValueError as error:
                raise ValueError(f"column {name} ({kind}): {error}") from None
    return item


def standard_input() -> io.BufferedReader:
    """Return standard input as bytes that can be looked at before they are read."""
    stream: Any = sys.stdin.buffer
    return stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)
