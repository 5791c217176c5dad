"""Values between DynamoDB's JSON, plain JSON and native ones."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hashrange
from hashrange.exchange.typed import (
    NUMBER_CHARACTERS_MAX,
    is_typed,
    native_item,
    parse_json,
    plain_text,
    read_key,
    typed_text,
    typed_value,
)

PAIRS: list[tuple[dict[str, Any], Any, str]] = [
    ({"S": "a"}, "a", '"a"'),
    ({"S": 'q"\n é'}, 'q"\n é', '"q\\"\\n é"'),
    ({"N": "5"}, 5, "5"),
    ({"N": "-40"}, -40, "-40"),
    ({"N": "1.50"}, Decimal("1.5"), "1.50"),
    ({"N": "12345678901234567890123456789012345678"},
     12345678901234567890123456789012345678, "12345678901234567890123456789012345678"),
    ({"B": "AAE="}, b"\x00\x01", '"AAE="'),
    ({"BOOL": True}, True, "true"),
    ({"BOOL": False}, False, "false"),
    ({"NULL": True}, None, "null"),
    ({"L": [{"N": "1"}, {"S": "a"}]}, [1, "a"], '[1, "a"]'),
    ({"M": {"k": {"L": []}}}, {"k": []}, '{"k": []}'),
    ({"SS": ["a"]}, {"a"}, '["a"]'),
    ({"NS": ["1.5"]}, {Decimal("1.5")}, "[1.5]"),
    ({"BS": ["AAE="]}, {b"\x00\x01"}, '["AAE="]'),
]


@pytest.mark.parametrize(("typed", "native", "plain"), PAIRS)
def test_the_three_forms_of_a_value(typed: dict[str, Any], native: Any, plain: str) -> None:
    read = native_item({"a": typed})["a"]
    assert (read, type(read) is bool) == (native, type(native) is bool)
    assert plain_text({"a": typed}) == f'{{"a": {plain}}}'
    again = json.loads(typed_text({"a": typed_value(native)}))["a"]
    assert native_item({"a": again})["a"] == native


# What the database gives back has binary as bytes.
def test_bytes_are_written_as_base64() -> None:
    item = {"b": {"B": b"\x00"}, "bs": {"BS": [b"\x01"]}, "m": {"M": {"b": {"B": b"\x02"}}}}
    assert plain_text(item) == '{"b": "AA==", "bs": ["AQ=="], "m": {"b": "Ag=="}}'
    assert json.loads(typed_text(item))["m"] == {"M": {"b": {"B": "Ag=="}}}


@pytest.mark.parametrize(
    "value",
    [
        "a", 5, None, [], {}, {"S": 5}, {"S": None}, {"N": 5}, {"N": ""}, {"N": "five"},
        {"N": "1" * (NUMBER_CHARACTERS_MAX + 1)}, {"B": "not base64!"}, {"B": 5}, {"BOOL": "true"},
        {"BOOL": 1}, {"NULL": False}, {"NULL": None}, {"L": {}}, {"L": "ab"}, {"L": [5]},
        {"M": []}, {"M": {"a": 5}}, {"SS": []}, {"SS": "ab"}, {"SS": ["a", "a"]}, {"SS": [1]},
        {"NS": ["1", "1.0"]}, {"BS": ["AA==", "AA=="]}, {"X": "a"}, {"S": "a", "N": "1"},
    ],
)
def test_what_is_no_typed_value_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="attribute 'bad'"):
        native_item({"good": {"S": "x"}, "bad": value})


def test_numbers_are_bounded_at_n_minus_1_n_and_n_plus_1() -> None:
    for count in (NUMBER_CHARACTERS_MAX - 1, NUMBER_CHARACTERS_MAX):
        assert native_item({"a": {"N": "1".rjust(count, "0")}}) == {"a": 1}
    with pytest.raises(ValueError):
        native_item({"a": {"N": "1".rjust(NUMBER_CHARACTERS_MAX + 1, "0")}})


# An exponent must not become a number of a billion digits on its way to being refused.
def test_an_absurd_exponent_stays_small_and_the_database_refuses_it() -> None:
    item = native_item({"id": {"S": "a"}, "n": {"N": "1e999999999"}})
    with hashrange.open() as database, pytest.raises(hashrange.ValidationError):
        database.create_table("items", ("id", "S")).put(item)


def test_nesting_without_end_is_refused() -> None:
    deep: Any = {"S": "x"}
    for _ in range(5000):
        deep = {"L": [deep]}
    with pytest.raises(ValueError, match="nested too deeply"):
        native_item({"a": deep})
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json("[" * 100_000 + "]" * 100_000)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[1,]", "", "1" * 5000])
def test_plain_json_is_strict(text: str) -> None:
    with pytest.raises(ValueError):
        parse_json(text)


def test_only_the_key_tells_typed_items_from_plain_ones() -> None:
    assert is_typed({"id": {"S": "a"}}, "id")
    assert not is_typed({"id": "a", "other": {"S": "a"}}, "id")
    assert not is_typed({"other": {"S": "a"}}, "id")


def test_keys_are_read_by_type() -> None:
    assert read_key("5", "S") == "5"
    assert read_key("5.0", "N") == 5
    assert read_key("AAE=", "B") == b"\x00\x01"
    for text, kind in (("five", "N"), ("", "N"), ("!", "B")):
        with pytest.raises(ValueError, match="is not"):
            read_key(text, kind)


NUMBERS = st.integers(-(10**37), 10**37) | st.decimals(
    allow_nan=False, allow_infinity=False, places=5, min_value=-(10**20), max_value=10**20
)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text() | st.binary()
VALUES = st.recursive(
    SCALARS | st.sets(st.text(), min_size=1) | st.sets(st.binary(), min_size=1)
    | st.sets(NUMBERS, min_size=1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_typed_text_comes_back_as_it_was(item: dict[str, Any]) -> None:
    text = typed_text({name: typed_value(value) for name, value in item.items()})
    assert native_item(json.loads(text)) == item


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_plain_text_is_json(item: dict[str, Any]) -> None:
    text = plain_text({name: typed_value(value) for name, value in item.items()})
    assert set(parse_json(text)) == set(item)
