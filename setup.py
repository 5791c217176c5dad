"""Build ddbcore's extension modules: every ddbcore/*.pyx becomes one.

Everything that is not about compiling stands in pyproject.toml. The Cython directives stand here
and nowhere else. Environment variables:

HASHRANGE_DEBUG=1      bounds checks, invariants, -O1 -g, annotated HTML under build/
HASHRANGE_SANITIZE=1   AddressSanitizer and UndefinedBehaviorSanitizer (implies HASHRANGE_DEBUG)
HASHRANGE_JOBS=n       processes to compile with; default: one per CPU

Generated C lives under build/<mode>/, so that modes do not overwrite one another's. A module is
translated again when its .pyx or a .pxd it cimports is newer, and compiled again when its C is; a
changed mode, flag, directive or Cython version compiles everything again.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from filecmp import cmp
from pathlib import Path
from zlib import crc32

import Cython
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
SANITIZE = os.environ.get("HASHRANGE_SANITIZE", "0") not in {"", "0"}
DEBUG = SANITIZE or os.environ.get("HASHRANGE_DEBUG", "0") not in {"", "0"}
MODE = "sanitize" if SANITIZE else "debug" if DEBUG else "release"
JOBS = int(os.environ.get("HASHRANGE_JOBS", "0")) or os.cpu_count() or 1
TAG = sys.implementation.cache_tag
WINDOWS = sys.platform == "win32"

# wraparound and cdivision change what code means, so they are the same in both builds; nonecheck
# does not compile in nogil functions (`self.size += 1` may raise, which takes the GIL).
DIRECTIVES = {
    "language_level": "3",
    "boundscheck": DEBUG,
    "wraparound": False,
    "initializedcheck": DEBUG,
    "cdivision": True,
    "nonecheck": False,
    "embedsignature": True,
    "freethreading_compatible": False,
}


def compile_args() -> list[str]:
    if WINDOWS:
        return ["/Od", "/Zi", "/UNDEBUG"] if DEBUG else ["/O2"]
    args = ["-fno-strict-aliasing", "-fwrapv"]
    args += ["-O1", "-g", "-UNDEBUG", "-fno-omit-frame-pointer"] if DEBUG else ["-O3"]
    if sys.platform == "linux":
        # Calls of libpython go through a pointer, not a stub: 3 % of a scan that decodes.
        args += ["-fno-plt", "-fno-semantic-interposition"]
    if SANITIZE:
        args.append("-fsanitize=address,undefined")
    return args


def link_args() -> list[str]:
    return ["-fsanitize=address,undefined"] if SANITIZE else []


def extensions() -> list[Extension]:
    """Return one extension per .pyx file of ddbcore/."""
    macros: list[tuple[str, str | None]] = [("HASHRANGE_DEBUG", "1")] if DEBUG else []
    return [
        Extension(
            f"ddbcore.{path.stem}",
            [f"ddbcore/{path.name}"],
            include_dirs=["ddbcore"],
            define_macros=macros,
            libraries=[] if WINDOWS else ["pthread"],
            extra_compile_args=compile_args(),
            extra_link_args=link_args(),
        )
        for path in sorted((ROOT / "ddbcore").glob("*.pyx"))
    ]


class BuildExtensions(build_ext):
    """Translate with all CPUs, just before compiling: sdist and metadata never run Cython."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.build_temp = str(Path("build", MODE, f"temp-{TAG}"))
        if self.inplace:   # modules are linked here, then copied next to their sources
            self.build_lib = str(Path("build", MODE, f"lib-{TAG}"))
        if self.parallel is None:
            self.parallel = JOBS

    def build_extensions(self) -> None:
        settings = self.settings()
        stamp = self.stamp_path()
        if not stamp.exists() or stamp.read_text() != settings:
            self.force = True
            stamp.unlink(missing_ok=True)   # a build that stops half way starts again
        self.translate()
        super().build_extensions()
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(settings)

    def copy_extensions_to_source(self) -> None:
        # By date alone, a release module would not replace a debug module that was made later.
        build_py = self.get_finalized_command("build_py")
        for extension in self.extensions:
            target, source = map(Path, self._get_inplace_equivalent(build_py, extension))
            if target.exists() and not cmp(source, target, shallow=False):
                target.unlink()   # never written over: a running process may have it mapped
        super().copy_extensions_to_source()

    def settings(self) -> str:
        """Return what a compiled module depends on besides its sources, as text."""
        compiler = [os.environ.get(name) for name in ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS")]
        return json.dumps([MODE, sys.version, Cython.__version__, DIRECTIVES, compile_args(),
                           link_args(), compiler])

    def stamp_path(self) -> Path:
        """Return the file that says how the modules in build_lib were built."""
        target = Path(self.build_lib).resolve()
        return Path(self.build_temp, f"modules-{crc32(bytes(target)):08x}.json")

    def translate(self) -> None:
        # A forked worker needs no import of this file; spawned ones (macOS, Windows) do not pay.
        forks = sys.platform == "linux" and "fork" in multiprocessing.get_all_start_methods()
        translated = cythonize(
            self.extensions,
            build_dir=str(Path("build", MODE, "c")),
            compiler_directives=DIRECTIVES,
            annotate=DEBUG,
            force=self.force,
            nthreads=JOBS if forks and JOBS > 1 else 0,
        )
        sources = {extension.name: extension for extension in translated}
        for extension in self.extensions:
            extension.sources = sources[extension.name].sources
            extension.depends = sources[extension.name].depends


if __name__ == "__main__":
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExtensions})
