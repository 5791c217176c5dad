"""tables, describe, stats, verify, salvage."""

from __future__ import annotations

import json
from pathlib import Path

from cli.conftest import Run

import hashrange


def test_tables_has_a_line_for_each(shop: str, run: Run) -> None:
    lines = [json.loads(line) for line in run("tables", shop).out.splitlines()]
    assert [line["name"] for line in lines] == [
        "blobs", "old_orders", "orders", "readings", "stock",
    ]
    orders = lines[2]
    assert orders["items"] == 10
    assert orders["hash_key"] == ["customer", "S"]
    assert orders["indexes"] == ["by_status", "by_place"]
    with hashrange.open(shop, mode="r") as database:
        assert orders["size_bytes"] == database.table("orders").size_bytes()


def test_tables_shows_keys_and_counts_as_a_table(shop: str, run: Run) -> None:
    out = run("tables", shop, "--table").out
    assert "customer (S), ts (N)" in out


def test_describe_is_describe_table(shop: str, run: Run) -> None:
    described = json.loads(run("describe", shop, "orders").out)
    with hashrange.open(shop, mode="r") as database:
        expected = database.execute("DescribeTable", {"TableName": "orders"})["Table"]
    assert described == json.loads(json.dumps(expected, default=str))
    shown = run("describe", shop, "orders", "--table").out
    assert "by_place" in shown
    assert "KEYS_ONLY" in shown


def test_stats_are_those_of_the_database(shop: str, run: Run) -> None:
    stats = json.loads(run("stats", shop).out)
    with hashrange.open(shop, mode="r") as database:
        assert set(stats) == set(database.stats())
    assert stats["items"] == 13
    assert "cache" in run("stats", shop, "--table").out


def test_verify_says_what_it_looked_at(shop: str, run: Run) -> None:
    result = run("verify", shop)
    assert result.status == 0
    answer = json.loads(result.out)
    assert answer["ok"]
    assert answer["checked"]["items"] == 13
    assert "clean" in run("verify", shop, "--table").out


def test_salvage_copies_and_counts(shop: str, run: Run) -> None:
    result = run("salvage", shop, "saved.db")
    assert result.status == 0
    assert json.loads(result.out)["tables"]["orders"] == 10
    assert hashrange.verify("saved.db").ok
    again = run("salvage", shop, "saved.db")
    assert again.status == 2
    assert "is not an empty directory" in again.err


def test_salvage_as_a_table_says_that_nothing_was_lost(shop: str, run: Run) -> None:
    Path("saved.db").mkdir()
    assert "nothing was lost" in run("salvage", shop, "saved.db", "--table").out
