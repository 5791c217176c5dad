"""Items from files: forms, compression, bounds."""

from __future__ import annotations

import gzip
import io
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from hashrange.exchange import packing
from hashrange.exchange.packing import LINE_BYTES_MAX, bare_name, lines_of, open_packed
from hashrange.exchange.sources import ItemFile

KEYS = [("id", "B"), ("at", "N")]
PLAIN = b'{"id": "AAE=", "at": 1, "n": 1.5}\n'
TYPED = b'{"id": {"B": "AAE="}, "at": {"N": "1"}, "n": {"N": "1.5"}}\n'
WRAPPED = b'{"Item": ' + TYPED.strip() + b"}\n"


def read(path: Path, data: bytes, **options: Any) -> list[dict[str, Any]]:
    path.write_bytes(data)
    file = ItemFile(path, KEYS, **options)
    try:
        return list(file.items())
    finally:
        file.close()


def test_all_forms_of_a_line_are_the_same_item(tmp_path: Path) -> None:
    bom = b"\xef\xbb\xbf"
    items = read(tmp_path / "a", bom + PLAIN + b"\n" + TYPED + b"  \n" + WRAPPED.strip())
    assert len(items) == 3
    assert items[0] == items[1] == items[2]
    assert items[0]["id"] == b"\x00\x01"


def test_gzip_is_known_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    assert read(tmp_path / "a.json", gzip.compress(PLAIN)) == read(tmp_path / "b.gz", PLAIN)
    assert read(tmp_path / "c", gzip.compress(PLAIN) + gzip.compress(TYPED)) == 2 * read(
        tmp_path / "d", PLAIN
    )


def test_zstd_without_a_module_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    with pytest.raises(ValueError, match="pip install zstandard"):
        read(tmp_path / "a", packing.ZSTD_MAGIC + b"rest")
    with pytest.raises(ValueError, match="pip install zstandard"):
        open_packed(tmp_path / "b", "b.zst")


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "a.json.zst"])
def test_what_is_written_packed_is_read_again(tmp_path: Path, name: str) -> None:
    if name.endswith("zst"):
        pytest.importorskip("zstandard")
    with open_packed(tmp_path / name, name) as target:
        target.write(PLAIN)
    file = ItemFile(tmp_path / name, KEYS)
    assert len(list(file.items())) == 1
    file.close()


def test_an_empty_file_has_no_items(tmp_path: Path) -> None:
    assert read(tmp_path / "a", b"") == []
    assert read(tmp_path / "b", gzip.compress(b"")) == []


def test_a_line_is_bounded_at_n_and_n_plus_1() -> None:
    for count in (LINE_BYTES_MAX - 1, LINE_BYTES_MAX):
        assert len(list(lines_of(io.BytesIO(b"x" * (count - 1) + b"\n" + b"y")))) == 2
    with pytest.raises(ValueError, match="more than"):
        list(lines_of(io.BytesIO(b"x" * (LINE_BYTES_MAX + 1))))


# A megabyte of zeros packs into a kilobyte: the line's bound must hold behind the unpacking.
def test_a_packed_line_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="more than"):
        read(tmp_path / "a", gzip.compress(b" " * (LINE_BYTES_MAX + 10)))


def test_chunks_are_full_but_the_last(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(PLAIN * 5)
    file = ItemFile(tmp_path / "a", KEYS)
    assert [len(chunk) for chunk in file.chunks(2)] == [2, 2, 1]
    assert file.position_bytes() == file.size_bytes
    file.close()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "names no column 'id'"),
        (b"id,n\n", "names no column 'at'"),
        (b"id,at,n,n\n", "a column twice"),
        (b"id,at,\n", "one without a name"),
        (b"id,at\nAAE=,x\n", r"line 2: column at \(N\)"),
        (b"id,at\nAAE=\n", "line 2: 1 fields"),
        (b'id,at\nAAE=,1\n"AAE=,1\n', "line 3"),
        (b"id,at\n\xff,1\n", "line 2"),
    ],
)
def test_bad_csv_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(tmp_path / "a.csv", data)


def test_names_without_their_compression() -> None:
    assert bare_name("A.CSV.GZ") == "a.csv"
    assert bare_name("a.csv.zst") == "a.csv"
    assert bare_name("a.json") == "a.json"


# Whatever is in a file, reading it yields items or a ValueError.
@pytest.mark.parametrize("layout", ["json", "csv"])
def test_garbage_is_a_value_error(tmp_path: Path, layout: str) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    good = {"json": PLAIN + TYPED + WRAPPED, "csv": b"id,at,n\nAAE=,1,x\n"}[layout]
    for data in (good, gzip.compress(good)):
        for _ in range(200):
            broken = bytearray(data)
            for _ in range(chance.randrange(1, 4)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            try:
                read(tmp_path / "a", bytes(broken), layout=layout)
            except ValueError:
                pass
            except Exception as error:
                raise AssertionError(f"seed {seed}: {bytes(broken)!r}") from error
