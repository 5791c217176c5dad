"""Typed attribute values: what is wrong with one, in the service's words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashrange.errors import ValidationError
from hashrange.ops import values

PREFIX = "One or more parameter values were invalid: "
OVERFLOW = (
    "Number overflow. Attempting to store a number with magnitude larger than supported range"
)
NO_NUMBER = "The parameter cannot be converted to a numeric value"
UNDERFLOW = (
    "Number underflow. Attempting to store a number with magnitude smaller than supported range"
)


def refusal(value) -> str:
    with pytest.raises(ValidationError) as caught:
        values.check_value(value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            {},
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        (
            {"S": None},
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        # Members that the service does not know are not there.
        (
            {"XX": "a", "s": "b"},
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        ({"M": {"": {"S": "x"}}}, PREFIX + "An attribute name cannot be empty"),
        (
            {"SS": [None]},
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        (
            {"S": "a", "N": "1"},
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes",
        ),
        ({"NULL": False}, PREFIX + "Null attribute value types must have the value of true"),
        ({"SS": []}, PREFIX + "An string set  may not be empty"),
        ({"NS": []}, PREFIX + "An number set  may not be empty"),
        ({"BS": []}, PREFIX + "Binary sets should not be empty"),
        (
            {"SS": ["a", "b", "a"]},
            PREFIX + 'Input collection ["a", "b", "a"] contains duplicates.',
        ),
        (
            {"SS": ["b", "a", "b", "0"]},
            PREFIX + 'Input collection ["a", "b", "b", "0"] contains duplicates.',
        ),
        ({"NS": ["1", "1.0"]}, PREFIX + "Input collection contains duplicates."),
        (
            {"BS": [b"\xff", b"\0", b"\0"]},
            PREFIX + 'Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.',
        ),
        ({"N": ""}, NO_NUMBER + ": "),
        ({"N": "1x"}, NO_NUMBER + ": 1x"),
        ({"N": " 1"}, NO_NUMBER + ":  1"),
        ({"N": "0x10"}, NO_NUMBER + ": 0x10"),
        ({"N": "1e"}, NO_NUMBER + ": 1e"),
        ({"N": "\u0661"}, NO_NUMBER + ": \u0661"),
        ({"N": "NaN"}, NO_NUMBER + ": NaN"),
        ({"N": "1e2147483647"}, OVERFLOW),
        ({"N": "-1e99999999999"}, OVERFLOW),
        ({"N": "1e-99999999999"}, UNDERFLOW),
        ({"N": "1e9223372036854775808"}, NO_NUMBER + ": 1e9223372036854775808"),
        ({"N": "0e126"}, OVERFLOW),
        ({"N": "0e-131"}, UNDERFLOW),
        ({"N": "1E126"}, OVERFLOW),
        ({"N": "-10E125"}, OVERFLOW),
        ({"N": "1E-131"}, UNDERFLOW),
        (
            {"N": "1" * 39},
            "Attempting to store more than 38 significant digits in a Number",
        ),
        ({"L": [{"S": "a"}, {"M": {"x": {"SS": []}}}]}, PREFIX + "An string set  may not be empty"),
    ],
)
def test_a_bad_value_is_refused_wherever_it_is(value, words):
    assert refusal(value) == words
    assert refusal({"L": [{"M": {"deep": value}}]}) == words


@pytest.mark.parametrize(
    "value",
    [
        {"S": ""},
        {"B": b""},
        {"N": "-0"},
        {"N": "9.9999999999999999999999999999999999999E+125"},
        {"N": "-1E-130"},
        {"N": "0.10"},
        {"N": "0e125"},
        {"N": "0.000"},
        {"N": ".5"},
        {"N": "0" * 100 + "1" + "0" * 100},
        {"NULL": True},
        {"BOOL": False},
        {"L": []},
        {"M": {}},
        {"S": "a", "N": None},
        {"S": "a", "XX": "b"},
    ],
)
def test_a_good_value_passes(value):
    values.check_value(value)


# Guide: 32 levels, the value itself being the first.
@pytest.mark.parametrize("depth", [32, 33])
def test_values_nest_32_levels(depth):
    value = {"S": "leaf"}
    for _ in range(depth - 1):
        value = {"L": [value]}
    if depth == 32:
        values.check_value(value)
    else:
        assert refusal(value) == (
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
            "levels beyond supported limit"
        )


@given(
    st.decimals(min_value=Decimal("-1E15"), max_value=Decimal("1E15"), allow_nan=False, places=10),
    st.integers(0, 5),
)
def test_equal_numbers_have_equal_keys_however_written(number, zeros):
    text = str(number)
    padded = text + "0" * zeros if "." in text and "E" not in text else text
    scientific = format(number, "E")
    assert values.number_key(text) == values.number_key(padded) == values.number_key(scientific)
    negative, digits, exponent = values.number_key(text)
    sign = -1 if negative else 1
    assert sign * Decimal(f"0.{digits or '0'}").scaleb(exponent) == number


def test_a_hostile_number_is_refused_at_once():
    assert refusal({"N": "1" * 5000}).startswith(NO_NUMBER)
    assert refusal({"N": "1E" + "9" * 4000}).startswith(NO_NUMBER)


# Both layers, measured with the same values (eu-west-2, us-east-1, 2026-10).
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"N": "abc"}, NO_NUMBER + ": abc"),
        ({"N": ""}, NO_NUMBER),
        ({"N": "1e126"}, OVERFLOW),
        ({"N": "1e2147483647"}, UNDERFLOW),
        ({"N": "1e2147483648"}, NO_NUMBER + ": 1e2147483648"),
        ({"SS": ["b", "a", "b"]}, PREFIX + "Input collection [b, a, b] contains duplicates."),
        (
            {"BS": [b"\xff", b"\0", b"\0"]},
            PREFIX + "Input collection [/w==, AA==, AA==]of type BS contains duplicates.",
        ),
        ({"L": [{"NS": ["2", "1", "2"]}]}, "Input collection contains duplicates"),
    ],
)
def test_the_older_layer_has_other_words(value, words):
    with pytest.raises(ValidationError) as caught:
        values.check_value(value, older=True)
    assert str(caught.value) == words
