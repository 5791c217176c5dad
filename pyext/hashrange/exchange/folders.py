"""An export of DynamoDB to S3, as a folder: its manifest, and the data files that it names.

Theory of operation. Such a folder is `AWSDynamoDB/<export id>/` with `manifest-summary.json`,
`manifest-files.json` (one object a data file, a line each) and `data/`. The manifest says how many
items each file has and its MD5; both are checked. Of the names in it only the last part is used,
and looked for in `data/`: a manifest cannot lead anywhere else.

Source: developer guide, DynamoDB table export output format.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from hashrange.exchange.typed import parse_json

FILES = "manifest-files.json"
SUMMARY = "manifest-summary.json"
MANIFEST_BYTES_MAX = 64 << 20


@dataclass(frozen=True)
class DataFile:
    """One data file of an export. md5: base64 text, or None when the manifest has none."""

    path: Path
    item_count: int
    md5: str | None

    def check_md5(self) -> None:
        """Read the file and compare. ValueError when it is not the file that was exported."""
        if self.md5 is None:
            return
        with self.path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest()
        if base64.b64encode(digest).decode() != self.md5:
            raise ValueError(f"{self.path} is damaged: its MD5 is not the one in the manifest")


def data_files(folder: Path) -> list[DataFile]:
    """Return the data files of the one export in a folder. ValueError when there is not one."""
    home = export_home(folder)
    check_summary(home / SUMMARY)
    manifest = home / FILES
    files = []
    for number, line in enumerate(read_text(manifest).splitlines(), 1):
        if not line.strip():
            continue
        try:
            files.append(data_file(home, parse_json(line)))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{manifest}, line {number}: no data file: {error}") from None
    return files


def export_home(folder: Path) -> Path:
    """Return the folder with the manifest: the one given, or one below AWSDynamoDB/."""
    for pattern in (FILES, f"*/{FILES}", f"AWSDynamoDB/*/{FILES}"):
        found = sorted(folder.glob(pattern))
        if len(found) > 1:
            names = ", ".join(str(path.parent) for path in found[:5])
            raise ValueError(f"{folder} holds {len(found)} exports, name one of them: {names}")
        if found:
            return found[0].parent
    raise ValueError(f"{folder} is no export: there is no {FILES} in it")


def check_summary(path: Path) -> None:
    """Refuse an export in a form that cannot be read; a summary that is missing says nothing."""
    if not path.exists():
        return
    try:
        summary = parse_json(read_text(path))
        layout = summary.get("outputFormat", "DYNAMODB_JSON")
        kind = summary.get("exportType") or "FULL_EXPORT"
    except (AttributeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    if layout != "DYNAMODB_JSON":
        raise ValueError(f"the export is in {layout}; DYNAMODB_JSON is what can be read")
    if kind != "FULL_EXPORT":
        raise ValueError(f"this is an export of type {kind}; a full one is needed")


def data_file(home: Path, entry: Any) -> DataFile:
    """Return the data file of one line of the manifest."""
    path = home / "data" / PurePosixPath(entry["dataFileS3Key"]).name
    if not path.is_file():
        raise ValueError(f"{path} is missing")
    return DataFile(path, int(entry["itemCount"]), entry.get("md5Checksum"))


def read_text(path: Path) -> str:
    if path.stat().st_size > MANIFEST_BYTES_MAX:
        raise ValueError(f"{path} is larger than {MANIFEST_BYTES_MAX:,} bytes")
    return path.read_text("utf-8")
