"""sql: one statement, a script, and how texts are split. The prompt is in test_command."""

from __future__ import annotations

import json

import pytest
from cli.conftest import Run

import hashrange
from hashrange.cli.statements import WRITING, Completer, split, split_open, written


def test_select_shows_rows_of_all_pages(shop: str, run: Run) -> None:
    result = run("sql", shop, "SELECT ts FROM orders WHERE customer = 'ada'")
    assert [json.loads(line)["ts"] for line in result.out.splitlines()] == list(range(1, 10))
    limited = run("sql", shop, "SELECT ts FROM orders WHERE customer = 'ada'", "--limit", "2")
    assert len(limited.out.splitlines()) == 2


def test_select_goes_on_over_pages(shop: str, run: Run) -> None:
    with hashrange.open(shop) as database, database.table("orders").batch() as batch:
        for ts in range(40):
            batch.put({"customer": "large", "ts": ts, "text": "x" * 100_000})
    result = run("sql", shop, "SELECT ts FROM orders WHERE customer = 'large'")
    assert [json.loads(line)["ts"] for line in result.out.splitlines()] == list(range(40))


def test_parameters_are_json_or_words(shop: str, run: Run) -> None:
    result = run("sql", shop, "SELECT ts FROM orders WHERE customer = ? AND ts > ?",
                 "-p", "ada", "-p", "7")
    assert [json.loads(line)["ts"] for line in result.out.splitlines()] == [8, 9]
    typed = run("sql", shop, "SELECT * FROM readings WHERE degrees = ?", "-p", '{"N": "-40"}',
                "--typed")
    assert json.loads(typed.out) == {"degrees": {"N": "-40"}, "place": {"S": "roof"}}


def test_writes_open_the_database_for_themselves(verified: str, run: Run) -> None:
    script = """
        -- a comment; with a semicolon
        INSERT INTO stock VALUE {'sku': 'mug; blue', 'n': 1};
        UPDATE stock SET n = 5 WHERE sku = 'mug; blue' RETURNING ALL NEW *;
        DELETE FROM stock WHERE sku = 'tea';
        SELECT * FROM stock
    """
    result = run("sql", verified, stdin=script)
    assert result.status == 0, result.err
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert rows == [{"sku": "mug; blue", "n": 5}] * 2


def test_reading_goes_beside_a_writer_and_writing_does_not(shop: str, run: Run) -> None:
    with hashrange.open(shop):
        assert run("sql", shop, "SELECT * FROM stock").status == 0
        assert run("sql", shop, "DELETE FROM stock WHERE sku = 'tea'").status == 2


def test_the_first_statement_that_fails_ends_a_script(verified: str, run: Run) -> None:
    script = "SELECT * FROM nowhere; DELETE FROM stock WHERE sku = 'tea';"
    result = run("sql", verified, stdin=script)
    assert result.status == 1
    with hashrange.open(verified, mode="r") as database:
        assert database.table("stock").get("tea") is not None


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", []),
        (" ;; \n", []),
        ("a;b", ["a", "b"]),
        ("a 'x;y' \";\";b;", ["a 'x;y' \";\"", "b"]),
        ("a 'it''s;';b", ["a 'it''s;'", "b"]),
        ("a -- c; d\n;b", ["a -- c; d\n", "b"]),
        ("a /* ; */;b", ["a /* ; */", "b"]),
        ("a 'open; b", ["a 'open; b"]),
        ("a /* open; b", ["a /* open; b"]),
    ],
)
def test_semicolons_in_quotes_and_comments_end_nothing(text: str, statements: list[str]) -> None:
    assert split(text) == statements


def test_a_long_text_is_split_in_linear_time() -> None:
    assert len(split("a;" * 100_000)) == 100_000
    assert split_open("'" + "x;" * 500_000) == ([], "'" + "x;" * 500_000)


def test_statements_that_write_are_known_by_their_first_word() -> None:
    for text in ("insert into t", "  -- c\n UPDATE t", "/* select */ Delete from t"):
        assert WRITING.match(text), text
    for text in ("select * from insert", "updates", "-- insert\n select 1", ""):
        assert not WRITING.match(text), text


def test_completion_knows_words_tables_and_keys(shop: str) -> None:
    with hashrange.open(shop, mode="r") as database:
        completer = Completer(database)
        assert completer.find("sel", "") == ["select"]
        assert completer.find("ORD", "SELECT * FROM orders ") == ["ORDER BY"]
        assert completer.find("ord", "SELECT * FROM ") == [
            "orders", '"orders"."by_status"', '"orders"."by_place"',
        ]
        assert completer.find("cus", "SELECT * FROM orders WHERE ") == ["customer"]
        assert completer.complete("deg", 0) == "degrees "
        assert completer.complete("deg", 1) is None


def test_names_are_quoted_when_they_must_be() -> None:
    assert written("orders") == "orders"
    assert written("my-orders") == '"my-orders"'
    assert written('a"b') == '"a""b"'


def test_parameters_need_a_statement(shop: str, run: Run) -> None:
    assert run("sql", shop, "-p", "1").status == 2
