"""query and scan."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cli.conftest import Run

import hashrange
from hashrange.cli.output import fitting_columns, printable


def items(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def times(run: Run, *arguments: str) -> list[int]:
    result = run("query", "shop.db", "orders", *arguments)
    assert result.status == 0, result.err
    return [item["ts"] for item in items(result.out)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ([], [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (["--eq", "4"], [4]),
        (["--ge", "8"], [8, 9]),
        (["--gt", "8"], [9]),
        (["--le", "2"], [1, 2]),
        (["--lt", "2"], [1]),
        (["--ge", "3", "--le", "4"], [3, 4]),
        (["--between", "3", "4"], [3, 4]),
        (["--reverse", "--limit", "2"], [9, 8]),
        (["--limit", "0"], [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (["--filter", "amount > :a", "--value", ":a=70"], [8, 9]),
        (["--filter", "#s = :s", "--name", "#s=status", "--value", ":s=open"], [2, 4, 6, 8]),
        (["--filter", "amount > :a", "--value", ":a=20", "--limit", "3"], [3, 4, 5]),
        (["--filter", "contains(:s, amount)", "--value", ':s={"NS": ["20", "30"]}'], [2, 3]),
    ],
)
def test_query(shop: str, run: Run, condition: list[str], expected: list[int]) -> None:
    assert times(run, "ada", *condition) == expected


def test_query_of_an_index(shop: str, run: Run) -> None:
    assert times(run, "open", "--index", "by_status") == [2, 4, 6, 8]
    assert times(run, "open", "--index", "by_status", "--gt", "4") == [6, 8]


# Its hash key has two attributes, its range key two: --eq fills the first ones.
def test_query_of_an_index_with_keys_of_several_attributes(shop: str, run: Run) -> None:
    by_place = ["--index", "by_place"]
    assert times(run, "paid", "ada", *by_place) == [1, 3, 5, 7, 9]
    assert times(run, "paid", "ada", *by_place, "--eq", "eu", "--lt", "5") == [1, 3]
    assert times(run, "paid", "ada", *by_place, "--eq", "eu", "--eq", "7") == [7]
    assert times(run, "paid", "ada", *by_place, "--begins-with", "e") == [1, 3, 5, 7, 9]
    result = run("query", shop, "orders", "paid", *by_place)
    assert result.status == 2
    assert "HASH is status (S), customer (S); 1 given" in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["ada", "--gt", "1", "--lt", "5"],
        ["ada", "--eq", "1", "--lt", "5"],
        ["ada", "bob"],
        ["ada", "--ge", "x"],
        ["ada", "--begins-with", "1"],
        ["ada", "--project", "a..b"],
        ["ada", "--limit", "-1"],
        ["ada", "--between", "1"],
    ],
)
def test_query_refuses_what_makes_no_sense(shop: str, run: Run, arguments: list[str]) -> None:
    result = run("query", shop, "orders", *arguments)
    assert result.status == 2
    assert result.out == ""
    assert result.err


def test_projection_takes_reserved_words_and_paths(shop: str, run: Run) -> None:
    result = run("query", shop, "orders", "bob", "--project", "ts, nested.a[0],status")
    assert items(result.out) == [{"ts": 1, "nested": {"a": [1]}}]


def test_count(shop: str, run: Run) -> None:
    counted = run("query", shop, "orders", "ada", "--filter", "amount > :a", "--value", ":a=70",
                  "--count")
    assert items(counted.out) == [{"count": 2, "scanned": 9}]
    assert run("scan", shop, "orders", "--count", "--table").out == "10\n"


def test_scan_finds_everything_once_in_segments(shop: str, run: Run) -> None:
    whole = items(run("scan", shop, "orders").out)
    assert len(whole) == 10
    parts = [item for part in range(3)
             for item in items(run("scan", shop, "orders", "--segment", f"{part}/3").out)]
    assert sorted(map(str, parts)) == sorted(map(str, whole))
    assert run("scan", shop, "orders", "--segment", "3/3").status == 2
    assert run("scan", shop, "orders", "--segment", "third").status == 2


def test_scan_of_an_index(shop: str, run: Run) -> None:
    assert len(items(run("scan", shop, "orders", "--index", "by_status").out)) == 9


# A page of the service ends at 1 MB; a reading goes on over its end.
def test_reading_goes_on_over_pages(shop: str, run: Run) -> None:
    with hashrange.open(shop) as database:
        table = database.table("orders")
        with table.batch() as batch:
            for ts in range(40):
                batch.put({"customer": "large", "ts": ts, "text": "x" * 100_000})
    assert times(run, "large", "--project", "ts") == list(range(40))
    assert times(run, "large", "--project", "ts", "--limit", "25") == list(range(25))


def test_a_table_shows_what_fits_and_names_the_rest(
    shop: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    result = run("query", shop, "orders", "ada", "--table")
    assert "customer" in result.out
    assert "not shown: " in result.err
    assert "status" in result.err
    assert max(map(len, result.out.splitlines())) <= 40


def test_no_items_is_said_to_people(shop: str, run: Run) -> None:
    assert run("query", shop, "orders", "zoe", "--table").err == "no items\n"
    assert run("query", shop, "orders", "zoe") == (0, "", "")


# Stored text must not move the cursor, colour the screen or turn the line around.
@pytest.mark.parametrize("text", ["\x1b[31mred", "a\rb", "\x07", "\u202eabc", "\x9b1m"])
def test_stored_text_cannot_drive_the_terminal(shop: str, run: Run, text: str) -> None:
    assert printable(text).isascii()
    with hashrange.open(shop) as database:
        database.table("stock").put({"sku": text, text: {text: 1}})
    for command in (["scan", shop, "stock"], ["get", shop, "stock", text]):
        for form in ("--table", "--json", "--typed"):
            result = run(*command, form)
            assert result.status == 0
            assert text not in result.out + result.err
            assert (result.out + result.err).replace("\n", "").isprintable()
        if command[0] == "get":
            assert json.loads(run(*command).out) == {"sku": text, text: {text: 1}}
    refused = run("get", shop, text, "x")
    assert refused.err.rstrip("\n").isprintable()


def test_columns_fit_at_n_minus_1_n_and_n_plus_1() -> None:
    cells = {"id": ["a"], "name": ["abcdef"]}
    width = 1 + (2 + 3) + (6 + 3)
    assert fitting_columns(cells, 1, width - 1) == ["id"]
    assert fitting_columns(cells, 1, width) == ["id", "name"]
    assert fitting_columns(cells, 1, width + 1) == ["id", "name"]
    assert fitting_columns(cells, 2, 3) == ["id", "name"]
