"""The house rules that a machine can check: layers, names, sizes, words.

The layer table is the one place where the order of the modules is written down; the README shows it
(`python tests/test_tidy.py` prints it for pasting). Each rule collects every breach before it
fails, so that one run shows them all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]


class Layer(NamedTuple):
    """One row: its modules import rows above it in this list, which are lower layers."""

    name: str
    modules: str               # blank-separated; a package stands for everything in it
    siblings: bool = False     # True: modules of this row may import one another


# Bottom first. A module that is in no row fails the test: give it a place here.
LAYERS = [
    Layer("errors", "ddbcore.errors ddbcore.status"),
    Layer("bytes", "ddbcore.buffer ddbcore.record ddbcore.pyapi ddbcore.platform ddbcore.memory"),
    Layer("JSON text", "ddbcore.json_text"),
    Layer("JSON", "ddbcore.json_reader ddbcore.json_writer"),
    Layer("base", "ddbcore.hashing ddbcore.io"),
    Layer("disks", "ddbcore.faults ddbcore.door"),
    Layer("simulation", "ddbcore.simulation"),
    Layer("forms", "ddbcore.forms"),
    Layer("words", "ddbcore.words ddbcore.names ddbcore.shape ddbcore.sets"),
    Layer("copies", "ddbcore.copies"),
    Layer("decimals", "ddbcore.decimals"),
    Layer("numbers", "ddbcore.number"),
    Layer("values", "ddbcore.value"),
    Layer("sets", "ddbcore.members"),
    Layer("codecs", "ddbcore.decoder ddbcore.encoder ddbcore.operand"),
    Layer("keys", "ddbcore.key"),
    Layer("misfits", "ddbcore.misfits"),
    Layer("typed values", "ddbcore.typed_encoder ddbcore.typed_decoder"),
    Layer("items", "ddbcore.item ddbcore.change ddbcore.steps"),
    Layer("typed items", "ddbcore.typed"),
    Layer("JSON keys", "ddbcore.json_keys"),
    Layer("JSON items", "ddbcore.json_items ddbcore.json_encoder"),
    Layer("documents", "ddbcore.document"),
    Layer("binding", "ddbcore.binding"),
    Layer("workspace", "ddbcore.workspace"),
    Layer("effects", "ddbcore.effect"),
    Layer("program", "ddbcore.program ddbcore.projection"),
    Layer("leads", "ddbcore.lead"),
    Layer("filter", "ddbcore.filter"),
    Layer("segments", "ddbcore.segments"),
    Layer("log", "ddbcore.log"),
    Layer("arena", "ddbcore.arena ddbcore.superblock"),
    Layer("hash index", "ddbcore.partition"),
    Layer("nodes", "ddbcore.node"),
    Layer("slabs", "ddbcore.slab"),
    Layer("trees", "ddbcore.btree"),
    Layer("cache", "ddbcore.lru"),
    Layer("keyspace", "ddbcore.keyspace"),
    Layer("engine", "ddbcore.engine"),
    Layer("indexes", "ddbcore.indexes"),
    Layer("commits", "ddbcore.commit"),
    Layer("background", "ddbcore.checkpoint ddbcore.compaction ddbcore.replay"),
    Layer("recovery", "ddbcore.recovery ddbcore.keeper"),
    Layer("doors", "ddbcore.database ddbcore.table"),
    Layer("walks", "ddbcore.batch ddbcore.cursor ddbcore.verify ddbcore.probe ddbcore"),
    Layer("typed doors", "ddbcore.writes ddbcore.pages ddbcore.backfill ddbcore.json_door"),
    Layer("sieves", "ddbcore.sieve"),
    Layer("transactions", "ddbcore.transaction ddbcore.requests"),
    Layer("filtered walks", "ddbcore.walk"),
    Layer("table reads", "ddbcore.reading"),
    Layer("column", "ddbcore.arrow ddbcore.column ddbcore.sweep"),
    Layer("arrays", "ddbcore.columns ddbcore.rows"),
    Layer("errors (Python)", "hashrange.errors"),
    Layer("exchange", "hashrange.exchange"),
    Layer("language", "hashrange.expr"),
    Layer("PartiQL", "hashrange.partiql"),
    Layer("conditions", "hashrange.conditions"),
    Layer("operations", "hashrange.ops"),
    Layer("clients", "hashrange.client"),
    Layer(
        "database",
        "hashrange.arrays hashrange.catalog hashrange.database hashrange.door hashrange.indexes "
        "hashrange.native hashrange.search hashrange.table hashrange.tokens "
        "hashrange.transaction",
        siblings=True,
    ),
    Layer("endpoint", "hashrange.endpoint"),
    Layer("verification", "hashrange.verification"),
    Layer("package", "hashrange"),
    Layer(
        "faces",
        "hashrange.cli hashrange.demo hashrange.pytest_plugin hashrange.__main__",
        siblings=True,
    ),
]

RANKS = {module: rank for rank, layer in enumerate(LAYERS) for module in layer.modules.split()}
ROOTS = {"ddbcore": ROOT / "ddbcore", "hashrange": ROOT / "pyext" / "hashrange"}
FORBIDDEN_STEMS = {"utils", "util", "helpers", "helper", "common", "misc"}
LINES_MAX = 800
COLUMNS_MAX = 100
DOCSTRING_LINES = range(5, 31)
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b")
PRINTING = ("hashrange.cli", "hashrange.demo")

STRINGS_AND_COMMENTS = re.compile(
    r'"""(?:\\.|.)*?"""'
    r"|'''(?:\\.|.)*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])*'"
    r"|#[^\n]*",
    re.DOTALL,
)
FROM_IMPORT = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+c?import[ \t]+(\([^)]*\)|[^\n;]+)", re.M)
PLAIN_IMPORT = re.compile(r"^[ \t]*c?import[ \t]+([^\n;]+)", re.M)
VOID_FUNCTION = re.compile(r"^[ \t]*c(?:p)?def[ \t]+(?:inline[ \t]+)?void[ \t]+\w+[ \t]*\(", re.M)


# ---- reading sources -----------------------------------------------------------------------------


def library_files(*suffixes: str) -> list[Path]:
    return sorted(
        path
        for root in ROOTS.values()
        for path in root.rglob("*")
        if path.suffix in suffixes and "__pycache__" not in path.parts
    )


def all_files() -> list[Path]:
    """Return every source file the project wrote, tests and benches too."""
    others = [
        path
        for folder in ("tests", "bench")
        for path in (ROOT / folder).rglob("*.py*")
        if path.suffix in {".py", ".pyx", ".pxd", ".pyi"}
    ]
    return [*library_files(".py", ".pyx", ".pxd", ".pyi"), *sorted(others), ROOT / "setup.py"]


def module_of(path: Path) -> str:
    for package, root in ROOTS.items():
        if path.is_relative_to(root):
            parts = [package, *path.relative_to(root).with_suffix("").parts]
            return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    raise AssertionError(path)


def shown(path: Path, line: int | None = None) -> str:
    name = path.relative_to(ROOT).as_posix()
    return name if line is None else f"{name}:{line}"


def blanked(text: str) -> str:
    """Return the source with strings and comments blanked out; lines keep their numbers."""
    return STRINGS_AND_COMMENTS.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def absolute(target: str, module: str, is_package: bool) -> str:
    """Return the module that `from target import ...` names when it stands in `module`."""
    dots = len(target) - len(target.lstrip("."))
    if dots == 0:
        return target
    base = module.split(".")[: None if is_package and dots == 1 else -(dots - is_package)]
    return ".".join([*base, *filter(None, [target[dots:]])])


def imports_of(text: str, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) for each name that a source imports or cimports."""
    code = blanked(text)
    for match in FROM_IMPORT.finditer(code):
        base = absolute(match.group(1), module, is_package)
        line = line_of(code, match.start())
        for part in match.group(2).strip("() \t\n").split(","):
            if part.strip():
                yield line, f"{base}.{part.split()[0]}"
    for match in PLAIN_IMPORT.finditer(code):
        for part in match.group(1).split(","):
            yield line_of(code, match.start()), part.split()[0]


def unit_of(name: str) -> str | None:
    """Return the table's entry for a dotted name: its longest prefix in the table.

    None when a module comes first that has no entry: `ddbcore` stands for what its `__init__`
    exports, never for a module that nobody has given a place.
    """
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        prefix = ".".join(parts[:count])
        if prefix in RANKS:
            return prefix
        if is_module(prefix) and ".".join(parts[: count - 1]) in ROOTS:
            return None
    return None


def is_module(name: str) -> bool:
    package, *rest = name.split(".")
    path = ROOTS[package].joinpath(*rest)
    suffixes = (".py", ".pyx", ".pxd")
    return path.is_dir() or any(path.with_suffix(suffix).exists() for suffix in suffixes)


def layer_breaches(text: str, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Yield (line, words) for each import that does not go down."""
    unit = unit_of(module)
    if unit is None or (unit in ROOTS and unit != module):
        yield 1, f"{module} is in no layer: add it to LAYERS"
        return
    layer = LAYERS[RANKS[unit]]
    for line, name in imports_of(text, module, is_package):
        if name.split(".")[0] not in ROOTS:
            continue
        target = unit_of(name)
        if target is None:
            yield line, f"{name} is in no layer: add it to LAYERS"
        elif target == unit or (layer.siblings and RANKS[target] == RANKS[unit]):
            continue
        elif RANKS[target] >= RANKS[unit]:
            yield line, f"{module} ({layer.name}) imports {target} ({LAYERS[RANKS[target]].name})"


def void_breaches(text: str) -> Iterator[int]:
    """Yield the line of each `cdef void` function that does not say noexcept."""
    code = blanked(text)
    for match in VOID_FUNCTION.finditer(code):
        depth, position = 1, match.end()
        while depth and position < len(code):
            depth += {"(": 1, ")": -1}.get(code[position], 0)
            position += 1
        if not re.match(r"[ \t]*noexcept\b", code[position:]):
            yield line_of(code, match.start())


def layer_table() -> str:
    """Return the layers as the README shows them, top first."""
    width = max(len(layer.name) for layer in LAYERS)
    return "\n".join(
        f"{layer.name:<{width}}  {' '.join(names_written(layer))}"
        for layer in reversed(LAYERS)
        if names_written(layer)
    )


def names_written(layer: Layer) -> list[str]:
    """Return the modules of a layer that exist."""
    return [name for name in layer.modules.split() if is_module(name)]


def fail_with(breaches: list[str]) -> None:
    if breaches:
        pytest.fail("\n" + "\n".join(breaches), pytrace=False)


# ---- the rules -----------------------------------------------------------------------------------


def test_modules_import_only_from_lower_layers() -> None:
    fail_with(
        [
            f"{shown(path, line)}: {words}"
            for path in library_files(".py", ".pyx", ".pxd", ".pyi")
            for line, words in dict.fromkeys(
                layer_breaches(path.read_text(), module_of(path), path.stem == "__init__")
            )
        ]
    )


def test_no_file_is_named_after_nothing() -> None:
    fail_with([shown(path) for path in all_files() if path.stem in FORBIDDEN_STEMS])


def test_every_pyx_has_a_pxd() -> None:
    fail_with([shown(p) for p in library_files(".pyx") if not p.with_suffix(".pxd").exists()])


def test_every_pyx_opens_with_a_docstring_of_5_to_30_lines() -> None:
    breaches = []
    for path in library_files(".pyx"):
        match = re.match(r'r?"""(.*?)"""', path.read_text(), re.DOTALL)
        count = match.group().count("\n") + 1 if match else 0
        if count not in DOCSTRING_LINES:
            breaches.append(f"{shown(path)}: {count} lines")
    fail_with(breaches)


def test_every_python_module_opens_with_a_docstring() -> None:
    fail_with(
        [
            shown(path)
            for path in library_files(".py", ".pyi")
            if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
        ]
    )


def test_no_file_is_longer_than_800_lines() -> None:
    counts = {path: len(path.read_text().splitlines()) for path in all_files()}
    fail_with([f"{shown(p)}: {count} lines" for p, count in counts.items() if count > LINES_MAX])


def test_no_line_is_wider_than_100_columns() -> None:
    fail_with(
        [
            f"{shown(path, number)}: {len(line)} columns"
            for path in all_files()
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if len(line) > COLUMNS_MAX
        ]
    )


def test_nothing_is_marked_as_unfinished() -> None:
    fail_with(
        [
            f"{shown(path, number)}: {line.strip()}"
            for path in all_files()
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if UNFINISHED.search(line)
        ]
    )


# `except *` and a raising `cdef void` make every caller ask for the GIL: 120 ns in nogil code.
def test_no_function_is_declared_except_star() -> None:
    fail_with(
        [
            f"{shown(path, number)}: {line.strip()}"
            for path in library_files(".pyx", ".pxd")
            for number, line in enumerate(blanked(path.read_text()).splitlines(), 1)
            if re.search(r"\)\s*except\s*\*", line)
        ]
    )


def test_every_cdef_void_function_is_noexcept() -> None:
    fail_with(
        [
            shown(path, line)
            for path in library_files(".pyx", ".pxd")
            for line in void_breaches(path.read_text())
        ]
    )


def test_the_library_never_prints() -> None:
    fail_with(
        [
            shown(path, number)
            for path in library_files(".py", ".pyx", ".pxd")
            if not module_of(path).startswith(PRINTING)
            for number, line in enumerate(blanked(path.read_text()).splitlines(), 1)
            if re.search(r"(?<![\w.])print\s*\(", line)
        ]
    )


def test_the_readme_shows_the_layer_table() -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("no README.md yet")
    if layer_table() not in readme.read_text():
        fail_with(["README.md lacks this table, word for word:", "", layer_table()])


# ---- the checks themselves -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("ddbcore.number", "from ddbcore.item cimport ItemCodec"),
        ("ddbcore.number", "cimport ddbcore.item as item"),
        ("ddbcore.number", "from ddbcore cimport errors, item"),
        ("ddbcore.number", "    from ddbcore import (\n    errors,\n    item,\n)"),
        ("ddbcore.number", "from . cimport item"),
        ("ddbcore.number", "from .item cimport ItemCodec"),
        ("ddbcore.buffer", "from ddbcore.record cimport Record"),
        ("ddbcore.engine", "import hashrange.expr"),
        ("ddbcore.engine", "from hashrange import open"),
        ("hashrange.expr.parser", "from ..table import Table"),
        ("ddbcore.nowhere", ""),
    ],
)
def test_an_import_that_goes_up_is_found(module: str, line: str) -> None:
    assert list(layer_breaches(line, module))


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("ddbcore.item", "from ddbcore.number cimport Number, number_read"),
        ("ddbcore.item", "from libc.stdint cimport int64_t\nimport decimal, json"),
        ("ddbcore.item", '"""\nimport ddbcore.engine\n"""\n# import ddbcore.engine'),
        ("ddbcore.checkpoint", "from ddbcore.keyspace cimport Keyspace"),
        ("hashrange.expr.parser", "from .lexer import tokens\nfrom ddbcore.errors import Error"),
        ("hashrange.table", "from hashrange.database import Database"),
        ("hashrange.cli", "import hashrange"),
    ],
)
def test_an_import_that_goes_down_is_allowed(module: str, line: str) -> None:
    assert list(layer_breaches(line, module)) == []


def test_a_cdef_void_that_may_raise_is_found() -> None:
    source = "cdef void f(int a):\n    pass\ncdef inline void g(void (*h)(int),\n   int b) nogil:\n"
    assert list(void_breaches(source)) == [1, 3]
    assert list(void_breaches("cdef void f(int a) noexcept nogil:\ncdef void* g(int a)\n")) == []


if __name__ == "__main__":
    print(layer_table())
