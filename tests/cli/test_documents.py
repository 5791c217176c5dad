"""docs/cli.md: its commands run, one after the other, and it names every command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from hashrange.cli.group import root

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text()


def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    shim = tmp_path / "hashrange"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hashrange "$@"\n')
    shim.chmod(0o755)
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S))
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}",
                   "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(["sh", "-ec", script], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "imported 2 items into people" in done.stderr


def test_the_page_names_every_command() -> None:
    table = PAGE[PAGE.index("| command |") :].split("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in table.splitlines())))
    assert named == set(root.commands)


def test_the_options_that_the_page_names_exist() -> None:
    known = {name for command in root.commands.values() for parameter in command.params
             for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    assert set(re.findall(r"(--[a-z][a-z-]+)", PAGE)) - known == set()
