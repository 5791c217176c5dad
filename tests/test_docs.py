"""The documents against the code: examples run, names exist, figures are the ones in the sources.

README.md, docs/ and ddbcore/FORMAT.md are read as data. A Python block is run where it stands, all
blocks of a file one after the other in an empty directory; tables are compared with what the
package exports. A test that fails here names the document and the line, and mostly means that the
code moved on and the document did not.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import hashrange
from ddbcore import errors
from hashrange.cli.group import root

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "COMPATIBILITY.md", *sorted((ROOT / "docs").glob("*.md"))]
CORE_PAGES = [ROOT / "ddbcore" / "DESIGN.md", ROOT / "ddbcore" / "FORMAT.md"]
README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
FORMAT = (ROOT / "ddbcore" / "FORMAT.md").read_text()
DESIGN = (ROOT / "ddbcore" / "DESIGN.md").read_text()

CODE_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CALL = re.compile(r"`(\w+)\(([^`]*)\)`")
DUMP_LINE = re.compile(r"^    ([0-9a-f]{8})  ((?:[0-9a-f]{2} {1,2}){1,16})", re.M)

# Names of the classes that are no part of the API: hooks of the core and arguments kept.
PRIVATE = {
    "Database": {
        "directory", "engine", "finish", "forked", "load", "make_service", "start", "unlock",
    },
    "Table": {"after", "begins_with", "codec", "database", "engine", "table"},
}


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    start = text.index(f"\n{heading}\n") + len(heading) + 2
    end = re.search(rf"^#{{1,{level}}} ", text[start:], re.M)
    return text[start : start + end.start()] if end else text[start:]


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def api_rows(first_cell: str) -> str:
    """Return the rows of the README's API table that begins with `first_cell`."""
    lines = section(README, "## The API on one page").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first_cell} |"))
    end = next((i for i in range(start, len(lines)) if not lines[i].startswith("|")), len(lines))
    return "\n".join(lines[start + 2 : end])


# ---- examples run --------------------------------------------------------------------------------


# One file's blocks are one program, as a reader would type them.
@pytest.mark.parametrize("page", [page for page in PAGES if CODE_BLOCK.search(page.read_text())],
                         ids=lambda page: page.name)
def test_the_examples_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = page.read_text()
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "example"}
    for block in CODE_BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1))
        exec(compile("\n" * line + block.group(1), str(page), "exec"), names)
    open_still = [value for value in names.values() if isinstance(value, hashrange.Database)]
    for database in open_still:
        database.close()


# The dump in FORMAT.md is one run's: random seeds and ids, times, and checksums over them differ.
# Masks are offsets in the log: the header's, then those of the four frames.
def test_the_worked_example_is_what_the_code_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = section(FORMAT, "## Worked example")
    lines = text.splitlines()
    last = lines.index('    dump("checkpoint-00000001", 8192, 8752)')
    code = [line[4:] for line in lines[:last]]
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec("\n".join(code), names)
    capsys.readouterr()
    log = Path("pets.db/log-00000001").read_bytes()
    checkpoint = Path("pets.db/checkpoint-00000001").read_bytes()
    names["db"].close()
    varying = [(24, 32), (40, 48), (56, 64)]
    for frame in (64, 192, 344, 432):
        varying += [(frame + 8, frame + 16), (frame + 24, frame + 32)]
    varies = {offset for start, end in varying for offset in range(start, end)}
    documented = text[text.index("**log-00000001**") : text.index("**After `db.checkpoint()`**")]
    seen = set()
    for line in DUMP_LINE.finditer(documented):
        start = int(line.group(1), 16)
        for offset, byte in enumerate(bytes.fromhex(line.group(2)), start):
            assert offset in varies or log[offset] == byte, f"offset {offset:#x} of the log"
            seen.add(offset)
    assert seen == set(range(488))
    assert log[488:492] == bytes(4)
    head = checkpoint[4096:4128]
    for line in DUMP_LINE.finditer(text[text.index("**checkpoint-00000001**") :]):
        start = int(line.group(1), 16) - 4096
        if start < 32:
            assert head[start : start + 16] == bytes.fromhex(line.group(2))


# ---- names exist ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "classes"),
    [
        ("Database", [hashrange.Database]),
        ("Table", [hashrange.Table, hashrange.Batch, hashrange.Query]),
    ],
)
def test_the_api_page_names_every_method_and_no_other(cell: str, classes: list[type]) -> None:
    rows = api_rows(cell)
    cells = [row if "batch(" in row else row.split("|")[1] for row in rows.splitlines()]
    documented = {name for text in cells for name in re.findall(r"`(\w+)[(`]", text)}
    public = {name for cls in classes for name in dir(cls) if not name.startswith("_")}
    assert public - documented - PRIVATE[cell] == {"last_key"} & public
    assert "last_key" in rows or cell == "Database"
    assert documented - public == {"with"} & documented | {"len"} & documented


def test_the_api_page_gives_the_arguments_of_the_methods() -> None:
    rows = api_rows("Table")
    for name in ("put", "get", "delete", "batch", "get_many"):
        documented = next(m.group(2) for m in CALL.finditer(rows) if m.group(1) == name)
        signature = inspect.signature(getattr(hashrange.Table, name))
        bare = inspect.Signature.empty
        parameters = [p.replace(annotation=bare) for p in signature.parameters.values()][1:]
        shown = signature.replace(parameters=parameters, return_annotation=bare)
        assert documented == str(shown)[1:-1], name
    opening = next(m.group(2) for m in re.finditer(r"`hashrange\.(open)\((.*?)\)`", README)
                   if "durability" in m.group(2))
    for name, parameter in inspect.signature(hashrange.open).parameters.items():
        if parameter.kind is not parameter.VAR_KEYWORD:
            assert f"{name}={parameter.default!r}".replace("'", '"') in opening


def test_the_keywords_of_query_and_scan_are_taken() -> None:
    with hashrange.open() as database:
        table = database.create_table("events", ("id", "S"), ("at", "N"))
        documented = {m.group(1): m.group(2) for m in CALL.finditer(api_rows("Table"))}
        values: dict[str, Any] = {
            "between": (1, 2), "ge": 1, "gt": 1, "le": 1, "lt": 1, "eq": 1, "reverse": True,
            "limit": 1, "after": ("a", 1), "segment": 0, "total_segments": 1, "project": ["at"],
            "filter": "#a > :a", "names": {"#a": "n"}, "values": {":a": 1}, "index": None,
        }
        # One by one, but what belongs together; begins_with is for strings and binary only.
        filtered = {keyword: values[keyword] for keyword in ("filter", "names", "values")}
        for keyword in re.findall(r"(\w+)=", documented["query"]):
            if keyword not in {"begins_with", "hash", "key", *filtered}:
                table.query("a", **{keyword: values[keyword]})
        table.query("a", **filtered)
        table.query(hash="a")
        table.query(key="id = :id", values={":id": "a"})
        keywords = re.findall(r"(\w+)=", documented["scan"])
        table.scan(**{keyword: values[keyword] for keyword in keywords})


def test_every_error_is_in_the_readme() -> None:
    rows = README[README.index("| error | also a | when |") :].split("\n\n")[0]
    first_cells = " ".join(row.split("|")[1] for row in rows.splitlines())
    classes = {**vars(errors), "TransactionCanceled": hashrange.TransactionCanceled}
    exported = {name for name in hashrange.__all__ if name in classes}
    assert set(re.findall(r"`(\w+)`", first_cells)) == exported - {"Error"}


def test_every_statistic_is_explained() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section(OPERATIONS, "## Stats"), re.M)
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    with hashrange.open() as database:
        stats = database.stats()
    assert documented == set(stats)
    cache = next(line for line in OPERATIONS.splitlines() if line.startswith("| `cache` |"))
    assert {name for name in stats["cache"] if f"`{name}`" not in cache} == set()


def test_what_verify_counts_is_explained(tmp_path: Path) -> None:
    hashrange.open(tmp_path / "empty.db").close()
    report = hashrange.verify(tmp_path / "empty.db")
    text = section(OPERATIONS, "## Verify")
    assert {name for name in report.checked if name not in text} == set()


def test_the_command_line_is_in_the_readme() -> None:
    documented = set(re.findall(r"^hashrange (\w+) ", section(README, "## Command line"), re.M))
    assert documented == set(root.commands)


def test_the_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^(\w+):", makefile, re.M))
    documented = set(re.findall(r"^make (\w+)|`make (\w+)`", README, re.M))
    assert {name for pair in documented for name in pair if name} <= targets


# ---- the core's documents ------------------------------------------------------------------------


def test_the_design_places_every_module() -> None:
    layers = DESIGN[DESIGN.index("\n    doors ") : DESIGN.index("\nA module imports only")]
    named = set(re.findall(r"\b[a-z_]+\b", "".join(line[15:] for line in layers.splitlines())))
    modules = {path.stem for suffix in ("pyx", "pxd", "py")
               for path in (ROOT / "ddbcore").glob(f"*.{suffix}")} - {"__init__", "pyapi"}
    assert modules - named == set()


# Functions, classes and fields that the design names, in backticks.
def test_the_design_names_what_exists() -> None:
    sources = "\n".join(
        path.read_text() for suffix in ("pyx", "pxd", "py")
        for path in (ROOT / "ddbcore").glob(f"*.{suffix}")
    )
    words = set(re.findall(r"\w+", sources)) | set(re.findall(r"\w+", str(dir(hashrange))))
    words |= {path.stem for path in (ROOT / "ddbcore").glob("*.pyx")}
    named = re.findall(r"`([A-Za-z]\w*(?:\.[A-Za-z]\w*)*)(?:\([^`]*\))?`", DESIGN)
    parts = {part for name in named if not name.endswith((".md", ".pyx", ".pxd", ".py"))
             for part in name.split(".") if "_" in part or "." in name}
    known = {"register_at_fork", "MAP_PRIVATE", "tests", "os"}
    assert parts - words - known == set()


# A constant, where it is defined, and the document that must have its value in these words.
@pytest.mark.parametrize(
    ("source", "constant", "document", "words"),
    [
        ("segments.pxd", "SLOT_COUNT_MAX", FORMAT, "below {:,}"),
        ("segments.pxd", "SEGMENT_START", FORMAT, "{} bytes of header"),
        ("segments.pxd", "BLOCK_BYTES", FORMAT, "end / {:,}"),
        ("log.pxd", "FORMAT_VERSION", FORMAT, "on disk, version {}"),
        ("log.pxd", "ROLL_RESERVE_BYTES", FORMAT, "The last {} bytes of a segment"),
        ("log.pyx", "ROLL_FRAME_BYTES", FORMAT, "roll frame ({} bytes)"),
        ("log.pyx", "OPEN_FRAME_BYTES", FORMAT, "open frame ({} bytes)"),
        ("engine.pxd", "KEYSPACE_COUNT_MAX", FORMAT, "{:,} tables"),
        ("names.pxd", "NAME_COUNT_MAX", FORMAT, "{:,} interned names"),
        ("names.pxd", "NAME_INTERNED_BYTES_MAX", FORMAT, "more than {} bytes of UTF-8"),
        ("record.pxd", "ITEM_SIZE_MAX", FORMAT, "({:,} bytes) an item"),
        ("record.pxd", "DEPTH_MAX", FORMAT, "Nesting ends at {} levels"),
        ("partition.pxd", "TAG_BITS", FORMAT, "tag of {} bits"),
        ("partition.pxd", "HOME_PAD", FORMAT, "homes = slots - {}"),
        ("partition.pxd", "DIRECTORY_DEPTH_MAX", FORMAT, "directory depth {}"),
        ("node.pxd", "NODE_CAPACITY", FORMAT, "capacity {}"),
        ("node.pxd", "TREE_HEIGHT_MAX", FORMAT, "{} levels, "),
        ("cursor.pxd", "WINDOW_MAX", DESIGN, "up to {} addresses"),
        ("lru.pyx", "DOORKEEPER_MARKS", DESIGN, "{:,} marks"),
        ("compaction.pxd", "COMPACTION_BATCH", DESIGN, "about {} records"),
    ],
)
def test_a_figure_is_the_one_in_the_code(
    source: str, constant: str, document: str, words: str
) -> None:
    text = (ROOT / "ddbcore" / source).read_text()
    found = re.search(rf"^\s+{constant} = (\d+)", text, re.M)
    assert found, f"{constant} is not in {source} any more"
    assert words.format(int(found.group(1))) in " ".join(document.split())


# ---- links ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [*PAGES, *CORE_PAGES], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.M)
            assert anchor in {slug(heading) for heading in headings}, target
