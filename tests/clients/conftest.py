"""Real clients against the endpoint: one server, and for each client an environment of its own.

Environments stand in build/clients/ and are made once. What cannot be installed here (no network,
no Node.js) skips its test with the reason. `make test-clients` runs this folder; `make test` does
not. HASHRANGE_ENDPOINT names a server that runs already, to compare with.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import hashrange

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / "build" / "clients"
STORIES = Path(__file__).parent / "stories"
INSTALL_S = 600
STORY_S = 180

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "AWS_PAGER": "",
    "AWS_EC2_METADATA_DISABLED": "true",
}

Run = Callable[..., str]


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The URL of a server over a database in memory."""
    given = os.environ.get("HASHRANGE_ENDPOINT")
    if given:
        yield given
        return
    with hashrange.serve(hashrange.open()) as server:
        yield server.url


def install(ready: Path, command: list[str], folder: Path) -> None:
    """Run an installer once; skip the test when it fails."""
    if ready.exists():
        return
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"cannot be installed here: {error}")
    if done.returncode != 0:
        pytest.skip(f"cannot be installed here: {(done.stderr or done.stdout)[-300:]}")
    ready.touch()


def python_with(name: str, packages: list[str]) -> Path:
    """Return the bin/ of an environment that has the packages."""
    folder = ENVIRONMENTS / name
    if not (folder / "bin" / "python").exists():
        venv.create(folder, with_pip=True)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", *packages]
    install(folder / "ready", command, folder)
    return folder / "bin"


def node_with(name: str, packages: list[str]) -> Path:
    """Return a folder whose node_modules/ has the packages."""
    folder = ENVIRONMENTS / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
    install(folder / "ready", ["npm", "install", "--silent", "--no-audit", *packages], folder)
    return folder


@pytest.fixture
def story(endpoint: str) -> Run:
    """A function that runs a story with the endpoint's URL and returns what it printed."""

    def run(command: list[str], folder: Path | None = None) -> str:
        environment = {**os.environ, **CREDENTIALS}
        environment.pop("PYTHONPATH", None)
        environment.pop("PYTHONSAFEPATH", None)
        done = subprocess.run(
            [*command, endpoint],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=STORY_S,
            check=False,
        )
        sys.stdout.write(done.stdout)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    return run
