"""import and export."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from cli.conftest import Run

import hashrange


def dump(path: str, table: str) -> list[str]:
    with hashrange.open(path, mode="r") as database:
        return sorted(str(sorted(item.items(), key=str)) for item in database.table(table).scan())


@pytest.mark.parametrize("name", ["orders.json", "orders.json.gz", "orders.json.zst"])
def test_what_is_exported_can_be_imported(shop: str, run: Run, name: str) -> None:
    if name.endswith(".zst"):
        pytest.importorskip("zstandard")
    exported = run("export", shop, "orders", name)
    assert exported.status == 0, exported.err
    assert "exported 10 items" in exported.err
    imported = run("import", "new.db", "copies", name, "--hash-key", "customer",
                   "--range-key", "ts:N")
    assert imported.status == 0, imported.err
    assert "imported 10 items" in imported.err
    assert dump("new.db", "copies") == dump(shop, "orders")
    assert hashrange.verify("new.db").ok


def test_export_to_standard_output_is_the_export_format(shop: str, run: Run) -> None:
    lines = [json.loads(line) for line in run("export", shop, "orders").out.splitlines()]
    assert {"Item": {"customer": {"S": "bob"}, "ts": {"N": "1"}, "photo": {"B": "AAE="},
                     "tags": {"SS": ["new"]}, "nested": {"M": {"a": {"L": [{"N": "1"}]}}}}} in lines
    plain = run("export", shop, "orders", "--plain").out.splitlines()
    assert len(plain) == 10
    assert {"customer": "ada", "ts": 2, "amount": 20, "region": "eu", "status": "open"} in map(
        json.loads, plain
    )


def test_an_export_that_fails_leaves_what_was_there(
    shop: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("out.json").write_text("before")
    monkeypatch.setattr(hashrange.Database, "execute", lambda *_: {"Items": [{"a": {"X": object}}]})
    with pytest.raises(TypeError):
        run("export", shop, "orders", "out.json")
    assert Path("out.json").read_text() == "before"
    assert not Path("out.json.partial").exists()


def test_plain_lines_and_pipes(verified: str, run: Run) -> None:
    scanned = run("scan", verified, "readings").out
    result = run("import", "new.db", "readings", "-", "--hash-key", "degrees:N", stdin=scanned)
    assert result.status == 0, result.err
    assert dump("new.db", "readings") == dump(verified, "readings")
    typed = run("scan", verified, "orders", "--typed").out
    result = run("import", "new.db", "orders", "-", "--hash-key", "customer", "--range-key", "ts:N",
                 stdin=gzip.compress(typed.encode()))
    assert result.status == 0, result.err
    assert dump("new.db", "orders") == dump(verified, "orders")


def test_csv_takes_key_types_from_the_table(verified: str, run: Run) -> None:
    Path("people.csv").write_text(
        'id,name,note\n1,ann,"a, ""quoted""\nnote"\n2,bob,\n', encoding="utf-8-sig"
    )
    result = run("import", verified, "people", "people.csv", "--hash-key", "id:N")
    assert result.status == 0, result.err
    with hashrange.open(verified, mode="r") as database:
        people = database.table("people")
        assert people.get(1) == {"id": 1, "name": "ann", "note": 'a, "quoted"\nnote'}
        assert people.get(2) == {"id": 2, "name": "bob"}


def test_csv_with_another_delimiter_and_name(verified: str, run: Run) -> None:
    Path("people.txt").write_text("id;name\n1;ann\n")
    result = run("import", verified, "people", "people.txt", "--format", "csv", "--delimiter", ";",
                 "--hash-key", "id:N")
    assert result.status == 0, result.err


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", '{"sku": "1"}\n{"sku": 2}\n', "line 2"),
        ("a.json", '{"sku": "1"}\n\n{"sku"\n', "line 3"),
        ("a.json", '{"sku": "1"}\n[]\n', "line 2"),
        ("a.json", '{"sku": "1"}\n{"Keys": {}, "Metadata": {}, "NewImage": {}}\n', "incremental"),
        ("a.csv", "sku,n\n1,2\n3\n", "1 fields for 2 columns"),
        ("a.csv", "sku,n\n1,2\n,2\n", "line 3"),
    ],
)
def test_a_bad_line_is_named_and_what_came_before_is_there(
    verified: str, run: Run, name: str, text: str, words: str
) -> None:
    Path(name).write_text(text)
    result = run("import", verified, "stock", name)
    assert result.status == 2
    assert f"{name}" in result.err
    assert words in result.err
    assert "1 item came before that" in result.err
    with hashrange.open(verified, mode="r") as database:
        assert database.table("stock").get("1") is not None
        assert database.table("stock").count() == 2


def test_a_broken_archive_is_an_error(verified: str, run: Run) -> None:
    data = gzip.compress(b'{"sku": "1"}\n' * 1000)
    Path("a.gz").write_bytes(data[:-20])
    result = run("import", verified, "stock", "a.gz")
    assert result.status == 2
    assert "broken" in result.err
    Path("b.gz").write_bytes(data[:20] + b"\xff" * 20 + data[40:])
    assert run("import", verified, "stock", "b.gz").status == 2


def test_import_says_what_is_missing(verified: str, run: Run) -> None:
    Path("a.json").write_text('{"sku": "1"}\n')
    assert run("import", verified, "nowhere", "a.json").status == 1
    assert run("import", verified, "stock", "b.json").status == 2
    assert run("import", "new.db", "stock", "a.json").status == 2
    assert not Path("new.db").exists()
    other = run("import", verified, "stock", "a.json", "--hash-key", "id")
    assert other.status == 2
    assert "other keys: sku:S" in other.err


def make_export(folder: Path, count: int = 1, **members: object) -> Path:
    """Make an export to S3 of two files."""
    home = folder / "AWSDynamoDB" / "0170"
    (home / "data").mkdir(parents=True)
    for name in ("a", "b"):
        line = json.dumps({"Item": {"sku": {"S": name}}}) + "\n"
        (home / "data" / f"{name}.json.gz").write_bytes(gzip.compress(line.encode()))
    entries = [
        {"itemCount": count, "dataFileS3Key": f"p/AWSDynamoDB/0170/data/{name}.json.gz", **members}
        for name in ("a", "b")
    ]
    (home / "manifest-files.json").write_text("\n".join(map(json.dumps, entries)) + "\n")
    summary = {"outputFormat": "DYNAMODB_JSON", "exportType": "FULL_EXPORT"}
    (home / "manifest-summary.json").write_text(json.dumps(summary))
    return home


def test_a_folder_is_an_export_with_its_manifest(verified: str, run: Run) -> None:
    make_export(Path("export"))
    result = run("import", verified, "stock", "export")
    assert result.status == 0, result.err
    with hashrange.open(verified, mode="r") as database:
        assert database.table("stock").count() == 3


def test_a_file_that_is_not_as_the_manifest_says_is_refused(verified: str, run: Run) -> None:
    make_export(Path("short"), count=2)
    short = run("import", verified, "stock", "short")
    assert short.status == 2
    assert "its manifest says 2" in short.err
    make_export(Path("damaged"), md5Checksum="AAAAAAAAAAAAAAAAAAAAAA==")
    damaged = run("import", verified, "stock", "damaged")
    assert damaged.status == 2
    assert "MD5" in damaged.err
