"""Each stub of a compiled module says what the module has: names, parameters, their kinds.

A stub is compared with the imported module. Only constructors are read from the source, because a
compiled class does not tell the parameters of its `__init__` or `__cinit__`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "ddbcore"
STUBS = sorted(path.stem for path in CORE.glob("*.pyi"))
FOLDERS = ("pyext", "bench", "tests")
CONSTANTS = (int, str, tuple, frozenset)

KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "",
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_KEYWORD: "**",
}


class Parameter(NamedTuple):
    name: str
    kind: str
    has_default: bool


# ---- what a stub says ----------------------------------------------------------------------------


def stub_of(module: str) -> ast.Module:
    return ast.parse((CORE / f"{module}.pyi").read_text())


def stub_names(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Return the public names a stub's body declares. `import x as x` declares x."""
    names: dict[str, ast.stmt] = {}
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names[name] = node
            case ast.AnnAssign(target=ast.Name(id=name)):
                names[name] = node
            case ast.ImportFrom(names=imported):
                names |= {part.asname: node for part in imported if part.asname}
    return {name: node for name, node in names.items() if not name.startswith("_")}


def parameters_of(function: ast.FunctionDef) -> list[Parameter]:
    """Return the parameters of a definition, without self or cls."""
    arguments = function.args
    plain = [*arguments.posonlyargs, *arguments.args]
    without = len(plain) - len(arguments.defaults)
    found = [
        Parameter(each.arg, "" if each in arguments.args else "positional", place >= without)
        for place, each in enumerate(plain)
    ]
    if arguments.vararg:
        found.append(Parameter(arguments.vararg.arg, "*", False))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append(Parameter(argument.arg, "keyword", default is not None))
    if arguments.kwarg:
        found.append(Parameter(arguments.kwarg.arg, "**", False))
    return [parameter for parameter in found if parameter.name not in {"self", "cls"}]


# ---- what the module has -------------------------------------------------------------------------


def parameters_real(function: Any) -> list[Parameter]:
    return [
        Parameter(name, KINDS[each.kind], each.default is not inspect.Parameter.empty)
        for name, each in inspect.signature(function).parameters.items()
        if name not in {"self", "cls"}
    ]


def module_names(module: Any) -> set[str]:
    """Return the public functions, classes and constants that a module defines itself."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (
            getattr(value, "__module__", None) == module.__name__
            if callable(value)
            else isinstance(value, CONSTANTS)
        )
    }


def class_names(cls: type) -> set[str]:
    return {name for name in vars(cls) if not name.startswith("_")}


def constructor_real(module: str, name: str) -> list[Parameter]:
    """Return the parameters of a compiled class's constructor, read from its source."""
    source = (CORE / f"{module}.pyx").read_text()
    body = re.split(rf"^cdef class {name}\b.*:\n", source, maxsplit=1, flags=re.M)[1]
    body = re.split(r"^\S", body, maxsplit=1, flags=re.M)[0]
    for method in ("__init__", "__cinit__"):
        match = re.search(rf"^    def {method}\((.*?)\):\n", body, flags=re.M | re.S)
        if match and "*args" not in match.group(1):
            # `str name not None="x"` -> `name="x"`
            bare = re.sub(r" not None", "", match.group(1))
            bare = re.sub(r"(^|[,(]\s*)[A-Za-z_][\w.]*[ *]+(?=[A-Za-z_])", r"\1", bare)
            function = ast.parse(f"def constructor({bare}): pass").body[0]
            assert isinstance(function, ast.FunctionDef)
            return parameters_of(function)
    return []


# ---- the comparison ------------------------------------------------------------------------------


def breaches_of_class(module: str, cls: type, node: ast.ClassDef) -> Iterator[str]:
    where = f"{module}.{cls.__name__}"
    members = stub_names(node.body)
    yield from (f"{where} lacks {name}" for name in members.keys() - class_names(cls))
    yield from (f"{where}: the stub lacks {name}" for name in class_names(cls) - members.keys())
    for name in members.keys() & class_names(cls):
        yield from breaches_of_member(f"{where}.{name}", vars(cls)[name], members[name])
    said: list[Parameter] = []
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            said = parameters_of(each)
    real = constructor_real(module, cls.__name__)
    if said != real:
        yield f"{where}.__init__: {real}, not {said}"


def breaches_of_member(where: str, real: Any, node: ast.stmt) -> Iterator[str]:
    decorators = {ast.unparse(each) for each in getattr(node, "decorator_list", [])}
    is_attribute = isinstance(node, ast.AnnAssign) or "property" in decorators
    is_attribute |= any(name.endswith(".setter") for name in decorators)
    if is_attribute != inspect.isdatadescriptor(real):
        yield f"{where}: attribute in one, method in the other"
    elif isinstance(node, ast.FunctionDef) and not is_attribute:
        for kind in (staticmethod, classmethod):
            if (kind.__name__ in decorators) != isinstance(real, kind):
                yield f"{where}: {kind.__name__} in one only"
        function = getattr(real, "__func__", real)
        if parameters_real(function) != parameters_of(node):
            yield f"{where}: {parameters_real(function)}, not {parameters_of(node)}"


def breaches_of_module(module: str) -> Iterator[str]:
    real = importlib.import_module(f"ddbcore.{module}")
    said = stub_names(stub_of(module).body)
    yield from (f"{module} lacks {name}" for name in said if not hasattr(real, name))
    yield from (f"{module}: the stub lacks {name}" for name in module_names(real) - said.keys())
    for name, node in said.items():
        if isinstance(node, ast.ClassDef) and hasattr(real, name):
            yield from breaches_of_class(module, getattr(real, name), node)
        elif isinstance(node, ast.FunctionDef) and hasattr(real, name):
            yield from breaches_of_member(f"{module}.{name}", getattr(real, name), node)


@pytest.mark.parametrize("module", STUBS)
def test_a_stub_says_what_the_module_has(module: str) -> None:
    breaches = sorted(breaches_of_module(module))
    if breaches:
        pytest.fail("\n" + "\n".join(breaches), pytrace=False)


def test_every_compiled_module_that_python_code_imports_has_a_stub() -> None:
    compiled = {path.stem for path in CORE.glob("*.pyx")}
    imported = {
        module
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for module in imported_by(node)
    }
    assert sorted((imported & compiled) - set(STUBS)) == []


def imported_by(node: ast.AST) -> Iterator[str]:
    """Yield the modules of ddbcore that a statement imports."""
    match node:
        case ast.ImportFrom(module="ddbcore", names=names):
            yield from (each.name for each in names)
        case ast.ImportFrom(module=str(name)) if name.startswith("ddbcore."):
            yield name.split(".")[1]
        case ast.Import(names=names):
            yield from (n.name.split(".")[1] for n in names if n.name.startswith("ddbcore."))


# Cython writes keyword-only arguments, defaults and C types in several ways.
def test_a_constructor_is_read_from_its_source() -> None:
    assert constructor_real("database", "CoreDatabase")[0] == Parameter("path", "", True)
    assert constructor_real("database", "CoreDatabase")[1] == Parameter("mode", "keyword", True)
    assert constructor_real("program", "Program")[2] == Parameter("names", "", False)
    assert constructor_real("program", "Program")[4] == Parameter("clause", "", True)
