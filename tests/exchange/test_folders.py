"""The folder that an export to S3 leaves."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from hashrange.exchange.folders import data_files


def make(home: Path, *entries: object, summary: object = None) -> Path:
    (home / "data").mkdir(parents=True)
    (home / "data" / "a.json").write_text("x")
    (home / "manifest-files.json").write_text("\n".join(map(json.dumps, entries)))
    if summary is not None:
        (home / "manifest-summary.json").write_text(json.dumps(summary))
    return home


ENTRY = {"itemCount": 1, "dataFileS3Key": "prefix/AWSDynamoDB/1/data/a.json"}


@pytest.mark.parametrize("above", [".", "1", "AWSDynamoDB/1"])
def test_the_manifest_is_found_below_the_folder(tmp_path: Path, above: str) -> None:
    make(tmp_path / above, ENTRY)
    [file] = data_files(tmp_path)
    assert (file.path.name, file.item_count) == ("a.json", 1)
    file.check_md5()


def test_two_exports_are_one_too_many(tmp_path: Path) -> None:
    make(tmp_path / "1", ENTRY)
    make(tmp_path / "2", ENTRY)
    with pytest.raises(ValueError, match="2 exports"):
        data_files(tmp_path)


def test_a_folder_without_a_manifest_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no export"):
        data_files(tmp_path)


def test_the_md5_is_compared(tmp_path: Path) -> None:
    digest = base64.b64encode(hashlib.md5(b"x").digest()).decode()
    [file] = data_files(make(tmp_path / "a", {**ENTRY, "md5Checksum": digest}))
    file.check_md5()
    [file] = data_files(make(tmp_path / "b", {**ENTRY, "md5Checksum": digest[::-1]}))
    with pytest.raises(ValueError, match="is damaged"):
        file.check_md5()


# The names in a manifest come from outside: they must not lead out of data/.
def test_a_manifest_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    home = make(tmp_path / "export", {**ENTRY, "dataFileS3Key": "../../secret"})
    with pytest.raises(ValueError, match="is missing"):
        data_files(home)
    for name in ("..", "/", "", "data/.."):
        with pytest.raises(ValueError, match="line 1"):
            data_files(make(tmp_path / f"x{len(name)}{ord(name[-1:] or 'x')}",
                            {**ENTRY, "dataFileS3Key": name}))


@pytest.mark.parametrize(
    "entry", [5, [], {}, {"itemCount": 1}, {"itemCount": "x", "dataFileS3Key": "a.json"},
              {"itemCount": 1, "dataFileS3Key": 5}],
)
def test_a_bad_line_of_the_manifest_is_named(tmp_path: Path, entry: object) -> None:
    with pytest.raises(ValueError, match="line 2: no data file"):
        data_files(make(tmp_path, ENTRY, entry))


@pytest.mark.parametrize(
    ("summary", "words"),
    [({"outputFormat": "ION"}, "ION"), ({"exportType": "INCREMENTAL_EXPORT"}, "INCREMENTAL"),
     ([], "manifest-summary")],
)
def test_other_exports_are_refused(tmp_path: Path, summary: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        data_files(make(tmp_path, ENTRY, summary=summary))
