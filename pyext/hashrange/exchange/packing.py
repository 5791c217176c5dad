"""Files that may be compressed: gzip, and zstd where a module for it is installed.

Theory of operation. A file is recognised by its first bytes, never by its name, so that standard
input works too; what is written is compressed by the name's ending. zstd comes from the standard
library (Python 3.14) or from the package `zstandard`.
"""

from __future__ import annotations

import gzip
import importlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
GZIP_LEVEL = 6
SUFFIXES = (".gz", ".zst")

# An item has 400 KB; escaped and with its types its text is at most some tens of times that.
LINE_BYTES_MAX = 16 << 20


def zstd_module() -> Any:
    """Return the module for zstd. ValueError when none is installed."""
    for name in ("compression.zstd", "zstandard"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ValueError("this is zstd: pip install zstandard (or use Python 3.14)")


def open_zstd(raw: io.BufferedReader) -> BinaryIO:
    """Return what reads all frames of a zstd file."""
    module = zstd_module()
    if module.__name__ == "zstandard":
        reader = module.ZstdDecompressor().stream_reader(
            raw, read_across_frames=True, closefd=False
        )
        return cast(BinaryIO, io.BufferedReader(reader))
    return cast(BinaryIO, module.open(raw, "rb"))


def unpacked(raw: io.BufferedReader) -> BinaryIO:
    """Return what reads a file's content, whether it is compressed or not. ValueError."""
    head = raw.peek(len(ZSTD_MAGIC))[: len(ZSTD_MAGIC)]
    if head.startswith(GZIP_MAGIC):
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    if head == ZSTD_MAGIC:
        return open_zstd(raw)
    return raw


def open_packed(path: Path, name: str) -> BinaryIO:
    """Open a new file for writing, compressed as `name` ends: .gz, .zst, or not at all."""
    if name.endswith(".gz"):
        return cast(BinaryIO, gzip.open(path, "wb", GZIP_LEVEL))
    if name.endswith(".zst"):
        return cast(BinaryIO, zstd_module().open(path, "wb"))
    return path.open("wb")


def bare_name(name: str) -> str:
    """Return a file's name in small letters, without the ending of its compression."""
    name = name.lower()
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def lines_of(content: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file. ValueError for one that is too long, or for a broken file."""
    while line := read_line(content):
        if len(line) > LINE_BYTES_MAX:
            raise ValueError(f"a line of more than {LINE_BYTES_MAX:,} bytes")
        yield line


def read_line(content: BinaryIO) -> bytes:
    try:
        return content.readline(LINE_BYTES_MAX + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"the compressed file is broken: {error}") from None
    except Exception as error:
        if type(error).__name__ == "ZstdError":     # of whichever module there is
            raise ValueError(f"the compressed file is broken: {error}") from None
        raise
