"""The examples of docs/endpoint.md run, one after the other, where their packages are installed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "endpoint.md"


def test_the_examples_of_the_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("httptools", reason="the endpoint needs httptools")
    pytest.importorskip("boto3", reason="the first example uses boto3")
    names: dict[str, Any] = {"__name__": "example"}
    blocks = re.findall(r"^```py\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, names)
    assert capsys.readouterr().out.startswith("http://127.0.0.1:")


# The figures of the page are the ones in the sources.
def test_the_page_gives_the_bounds_of_the_code() -> None:
    pytest.importorskip("httptools", reason="the endpoint needs httptools")
    from hashrange.endpoint import bodies, protocol, routes, server

    text = PAGE.read_text()
    for figure in (
        f"{bodies.BODY_BYTES_MAX >> 20} MiB",
        f"{protocol.HEAD_BYTES_MAX >> 10} KiB, {protocol.HEADERS_MAX} headers",
        f"| {protocol.REQUEST_TIMEOUT_S} s, and a second for each "
        f"{protocol.BODY_BYTES_PER_S >> 10} KiB | 408",
        f"all together | {server.HELD_BYTES_MAX >> 20} MiB | 503",
        f"| {protocol.WAITING_MAX}, or {protocol.WAITING_BYTES_MAX >> 20} MiB |",
        f"| {protocol.IDLE_TIMEOUT_S} s | closed",
        f"| {protocol.STALLED_TIMEOUT_S} s | closed",
        f"| {server.CONNECTIONS_MAX:,}, and {server.FILES_SPARED} fewer than",
        f"{server.POOL_THREADS} threads",
        f"`Limit` up to {routes.SHORT_QUERY_ITEMS_MAX}",
        "ten\nseconds at most",
    ):
        assert figure in text, figure
    assert server.CLOSE_TIMEOUT_S == 10
