"""Real clients: each creates tables, writes, reads, pages, and fails on purpose.

What each does stands in stories/, one script a client, which asserts for itself and prints one
line at its end.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clients.conftest import CREDENTIALS, STORIES, Run, node_with, python_with

pytestmark = pytest.mark.clients


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("boto3", ["boto3"]),
        ("aiobotocore", ["aiobotocore"]),
        ("pynamodb", ["pynamodb"]),
        ("pydynamodb", ["pydynamodb"]),
        ("awscli", ["awscli"]),
    ],
)
def test_python_client(name: str, packages: list[str], story: Run) -> None:
    programs = python_with(name, packages)
    said = story([str(programs / "python"), str(STORIES / f"{name}_story.py")])
    assert said.splitlines()[-1] == f"{name}: all is well"


def test_javascript_sdk(story: Run) -> None:
    if shutil.which("npm") is None:
        pytest.skip("no npm here")
    folder = node_with("javascript", ["@aws-sdk/client-dynamodb", "@aws-sdk/lib-dynamodb"])
    # Modules are found from the script's own place.
    script = shutil.copy(STORIES / "sdk_story.mjs", folder)
    assert story(["node", str(script)], folder).splitlines()[-1] == "javascript: all is well"


# Pages for people: the admin interface lists the tables, and shows what is in one.
def test_dynamodb_admin_shows_tables_and_items(endpoint: str, story: Run) -> None:
    if shutil.which("npm") is None:
        pytest.skip("no npm here")
    folder = node_with("admin", ["dynamodb-admin"])
    programs = python_with("boto3", ["boto3"])
    story([str(programs / "python"), str(STORIES / "admin_fill.py")])
    with admin(folder / "node_modules" / ".bin" / "dynamodb-admin", endpoint) as url:
        assert "admin-orders" in page(f"{url}/")
        assert '"customer": "ada"' in page(f"{url}/tables/admin-orders/items")
        assert "ada" in page(f"{url}/tables/admin-orders/items/ada")


@contextmanager
def admin(program: Path, endpoint: str) -> Iterator[str]:
    """Run the admin interface; the URL of it, once it listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [str(program), "--port", str(port)],
        env={**os.environ, **CREDENTIALS, "DYNAMO_ENDPOINT": endpoint},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            assert any("listening" in line for line in server.stdout), "it ended too early"
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def page(url: str) -> str:
    """Return a page."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())
