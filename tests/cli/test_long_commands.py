"""serve, bench and demo: that they start what they should, and end well."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from cli.conftest import Run, start

import hashrange


def test_serve_hands_the_database_to_the_endpoint(
    shop: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Any] = []

    def serve_forever(
        database: hashrange.Database, *, host: str, port: int, ready: Callable[[Any], None]
    ) -> None:
        ready(SimpleNamespace(url=f"http://{host}:{port}"))
        served.append((database.tables(), host, port))

    endpoint: Any = SimpleNamespace(serve_forever=serve_forever)
    monkeypatch.setitem(sys.modules, "hashrange.endpoint", endpoint)
    result = run("serve", shop, "--port", "9000")
    assert result == (0, "", f"serving {shop} at http://127.0.0.1:9000 until Ctrl-C\nclosed\n")
    assert run("serve", "--memory", "--host", "::1").status == 0
    assert served == [
        (["blobs", "old_orders", "orders", "readings", "stock"], "127.0.0.1", 9000),
        ([], "::1", 8000),
    ]


def test_serve_wants_a_path_or_memory(shop: str, run: Run) -> None:
    assert run("serve").status == 2
    assert run("serve", shop, "--memory").status == 2
    assert run("serve", shop, "--port", "65536").status == 2


def test_serve_says_what_to_install(
    shop: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing: ModuleType | None = None
    monkeypatch.setitem(sys.modules, "hashrange.endpoint", missing)
    result = run("serve", shop)
    assert result.status == 2
    assert "pip install 'hashrange[server]'" in result.err


# A request over HTTP reads what the command serves; Ctrl-C closes the database properly.
def test_serve_answers_until_ctrl_c(shop: str) -> None:
    pytest.importorskip("hashrange.endpoint")
    pytest.importorskip("httptools")
    process = start("serve", shop, "--port", "0", stderr=subprocess.PIPE)
    assert process.stderr is not None
    line = process.stderr.readline().decode()
    url = re.search(r"http://\S+", line)
    assert url, line
    request = urllib.request.Request(url.group(), b"{}", {
        "X-Amz-Target": "DynamoDB_20120810.ListTables",
        "Content-Type": "application/x-amz-json-1.0",
    })
    with urllib.request.urlopen(request) as response:
        assert "readings" in json.load(response)["TableNames"]
    process.send_signal(signal.SIGINT)
    assert process.stderr.read() == b"closed\n"
    assert process.wait() == 0
    process.stderr.close()
    assert hashrange.verify(shop).ok


def test_bench_measures_memory_and_disk(run: Run, tmp_path: Path) -> None:
    result = run("bench", "--items", "100", "--dir", str(tmp_path))
    assert result.status == 0, result.err
    answer = json.loads(result.out)
    assert set(answer["in memory"]) < set(answer["on disk"])
    assert all(value > 0 for value in answer["on disk"].values())
    assert not list(tmp_path.iterdir())


def test_demo_takes_the_tour(run: Run, tmp_path: Path) -> None:
    result = run("demo", "--items", "200", "--rounds", "1", "--dir", str(tmp_path), "--seed", "1")
    assert result.status == 0, result.err
    assert "nothing acknowledged is missing" in result.out
