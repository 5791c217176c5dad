"""create, drop, get, put, delete."""

from __future__ import annotations

import json

import pytest
from cli.conftest import Run

import hashrange


def stored(path: str, table: str, *key: object) -> object:
    with hashrange.open(path, mode="r") as database:
        return database.table(table).get(*key)


def test_a_key_is_read_by_the_type_of_the_table(shop: str, run: Run) -> None:
    assert json.loads(run("get", shop, "orders", "ada", "3").out)["amount"] == 30
    assert json.loads(run("get", shop, "readings", "--", "-40.0").out)["place"] == "roof"
    assert json.loads(run("get", shop, "blobs", "AP8=").out) == {"id": "AP8=", "name": "first"}


def test_get_gives_plain_or_typed_json(shop: str, run: Run) -> None:
    plain = run("get", shop, "orders", "bob", "1").out
    assert json.loads(plain) == {
        "customer": "bob", "ts": 1, "photo": "AAE=", "tags": ["new"], "nested": {"a": [1]},
    }
    typed = json.loads(run("get", shop, "orders", "bob", "1", "--typed").out)
    assert typed["photo"] == {"B": "AAE="}
    assert typed["tags"] == {"SS": ["new"]}


def test_get_shows_types_in_a_table(shop: str, run: Run) -> None:
    out = run("get", shop, "orders", "bob", "1", "--table").out
    assert "SS" in out
    assert '{"a": [1]}' in out


# A number keeps all of its 38 digits on its way in and out.
def test_numbers_are_exact_both_ways(verified: str, run: Run) -> None:
    digits = "1234567890123456789012345678901234567.8"
    assert run("put", verified, "stock", f'{{"sku": "n", "n": {digits}}}').status == 0
    assert f'"n": {digits}' in run("get", verified, "stock", "n").out


@pytest.mark.parametrize(
    "text",
    [
        '{"sku": "x", "n": 5, "tags": ["a"], "gone": null}',
        '{"sku": {"S": "x"}, "n": {"N": "5"}, "tags": {"L": [{"S": "a"}]}, "gone": {"NULL": true}}',
        '{"Item": {"sku": {"S": "x"}, "n": {"N": "5"}, "tags": {"L": [{"S": "a"}]}, '
        '"gone": {"NULL": true}}}',
    ],
)
def test_put_takes_plain_json_and_dynamodb_json(verified: str, run: Run, text: str) -> None:
    for arguments, stdin in ((text, ""), ("-", text)):
        assert run("put", verified, "stock", arguments, stdin=stdin).status == 0
        assert stored(verified, "stock", "x") == {"sku": "x", "n": 5, "tags": ["a"], "gone": None}


# A plain map that looks like a typed value stays what it is: only the key tells the forms apart.
def test_a_plain_item_keeps_a_map_that_looks_typed(verified: str, run: Run) -> None:
    run("put", verified, "stock", '{"sku": "x", "shape": {"S": "a"}}')
    assert stored(verified, "stock", "x") == {"sku": "x", "shape": {"S": "a"}}


@pytest.mark.parametrize(
    "text",
    ["", "5", "[1]", '{"sku": "x"', '{"sku": {"S": 5}}', '{"sku": {"X": "a"}}', '{"n": 1}',
     '{"sku": "x", "n": NaN}', '{"sku": {"S": "x"}, "n": {"N": "1e999999999"}}',
     '{"sku": {"S": "x"}, "b": {"BOOL": "false"}}', '{"sku": {"S": "x"}, "s": {"SS": []}}',
     '{"sku": "x", "n": ' + "[" * 5000 + "]" * 5000 + "}"],
)
def test_put_refuses_what_is_no_item(verified: str, run: Run, text: str) -> None:
    result = run("put", verified, "stock", "-", stdin=text)
    assert result.status == 2
    assert result.err.startswith("hashrange: ")
    assert stored(verified, "stock", "x") is None


def test_put_with_a_condition(verified: str, run: Run) -> None:
    again = '{"sku": "tea", "n": 9}'
    refused = run("put", verified, "stock", again, "--condition", "attribute_not_exists(sku)")
    assert (refused.status, refused.out) == (1, "")
    assert "The conditional request failed" in refused.err
    passed = run("put", verified, "stock", again, "--condition", "#n = :two", "--name", "#n=n",
                 "--value", ":two=2")
    assert passed.status == 0
    assert stored(verified, "stock", "tea") == {"sku": "tea", "n": 9}


def test_placeholders_are_checked(shop: str, run: Run) -> None:
    for pair in (("--value", "two=2"), ("--value", ":two"), ("--name", "n=n"), ("--name", "#=n")):
        result = run("put", shop, "stock", '{"sku": "x"}', "--condition", "n = :two", *pair)
        assert result.status == 2
        assert "takes" in result.err


def test_delete(verified: str, run: Run) -> None:
    assert run("delete", verified, "stock", "tea").status == 0
    assert stored(verified, "stock", "tea") is None
    assert run("delete", verified, "stock", "tea").status == 0


def test_create_makes_a_table_and_the_database(run: Run, shop: str) -> None:
    made = run("create", "fresh.db", "things", "--hash-key", "id:B", "--range-key", "at:N")
    assert made.status == 0
    with hashrange.open("fresh.db", mode="r") as database:
        assert database.table("things").key_schema() == (("id", "B"), ("at", "N"))
    assert run("create", shop, "orders", "--hash-key", "id").status == 2
    assert run("create", shop, "more", "--hash-key", "id:X").status == 2
    assert run("create", ".", "things", "--hash-key", "id").status == 2


def test_create_makes_indexes(verified: str, run: Run) -> None:
    made = run("create", verified, "sales", "--hash-key", "id", "--index", "by_status=status,at:N",
               "--index", "by_at=at:N")
    assert made.status == 0, made.err
    run("put", verified, "sales", '{"id": "a", "status": "paid", "at": 5}')
    for query in (["paid", "--ge", "5", "--index", "by_status"], ["5", "--index", "by_at"]):
        assert json.loads(run("query", verified, "sales", *query).out)["id"] == "a"
    for index in ("status", "a=b,c,d", "a=b:X", "x=y,z", "by_a=a"):
        again = run("create", verified, "more", "--hash-key", "id", "--index", index,
                    "--index", "by_a=b")
        assert again.status == 2, index


def test_drop_asks_first(verified: str, run: Run) -> None:
    refused = run("drop", verified, "stock", stdin="n\n")
    assert refused.status == 1
    assert "1 item" in refused.err
    assert stored(verified, "stock", "tea") is not None
    assert run("drop", verified, "stock", stdin="y\n").status == 0
    assert run("drop", verified, "stock", "--yes").status == 1
    assert run("drop", verified, "old_orders", "--yes").status == 0
