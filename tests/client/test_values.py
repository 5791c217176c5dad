"""Values against boto3's own serializer and deserializer."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import Any

import boto3.dynamodb.types as theirs
import pytest
from client.conftest import outcome
from hypothesis import given, settings
from hypothesis import strategies as st

from hashrange.client import Binary, TypeDeserializer, TypeSerializer
from hashrange.client.values import join_boto3


class Int(int):
    pass


class Str(str):
    pass


VALUES: list[Any] = [
    None, True, False, 0, -1, 10**37, Decimal("1.5"), Decimal("-0"), Decimal("1E+3"), Int(7),
    10**37 - 1, 10**37 + 1, -(10**37), 1 - 10**37, 10**38 - 1, 10**38, 10**38 + 1,
    Decimal("1E-130"), Decimal("1E-129"), Decimal("1E+127"), Decimal("NaN"),
    Decimal("Infinity"), Decimal("-Infinity"), Decimal("1." + "1" * 38), 1.5, float("nan"),
    "", "a", Str("b"), b"", b"a", bytearray(b"b"), memoryview(b"c"),
    set(), {1, 2}, {Decimal("1.5"), 2}, {"a"}, {b"a"}, frozenset({"b"}), {1, "a"}, {1.5}, {True},
    {None}, {"a", b"b"},
    [], [1, "a", None], (1, 2), {}, {"a": [1, {"b": {b"c"}}]}, MappingProxyType({"a": 1}),
    object, [1.5], {"a": {"b": 1.5}}, range(3),
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_value_is_written_as_boto3_writes_it(value: Any) -> None:
    assert outcome(lambda: TypeSerializer().serialize(value)) == outcome(
        lambda: theirs.TypeSerializer().serialize(value)
    )


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.binary(max_size=3)
    | st.decimals(allow_nan=True, allow_infinity=True).filter(lambda value: not value.is_snan())
    | st.floats()
    | st.just(object) | st.builds(bytearray, st.binary(max_size=2)) | st.just(Str("s"))
)
ANYTHING = st.recursive(
    SCALARS | st.sets(SCALARS.filter(lambda value: type(value) is not bytearray), max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(value=ANYTHING)
def test_anything_is_written_as_boto3_writes_it(value: Any) -> None:
    ours = outcome(lambda: TypeSerializer().serialize(value))
    assert ours == outcome(lambda: theirs.TypeSerializer().serialize(value))
    if isinstance(ours, dict):
        assert repr(TypeDeserializer().deserialize(ours)) == repr(
            theirs.TypeDeserializer().deserialize(ours)
        )


TYPED: list[Any] = [
    {"S": "a"}, {"N": "1"}, {"N": "1.50"}, {"N": "1E+3"}, {"B": b"a"}, {"BOOL": True},
    {"NULL": True}, {"SS": ["a", "b"]}, {"NS": ["1", "2"]}, {"BS": [b"a"]},
    {"L": [{"S": "a"}, {"L": []}]}, {"M": {"a": {"M": {"b": {"B": b"c"}}}}},
    {}, None, {"X": 1}, {"s": "a"},
]


@pytest.mark.parametrize("value", TYPED, ids=repr)
def test_a_value_is_read_as_boto3_reads_it(value: Any) -> None:
    ours = outcome(lambda: TypeDeserializer().deserialize(value))
    their = outcome(lambda: theirs.TypeDeserializer().deserialize(value))
    if value == {"s": "a"}:
        # boto3 finds its method for "S" by the lower-case name; the service sends no such type.
        assert their == "a"
        assert ours == ("TypeError", "Dynamodb type s is not supported", None)
        return
    assert ours == their
    assert type(ours) is type(their) or isinstance(their, theirs.Binary)


def test_a_number_of_any_size_comes_back_as_decimal() -> None:
    value = TypeDeserializer().deserialize({"N": "3"})
    assert (type(value), value) == (Decimal, 3)


# Binary: equal to its bytes and to any other Binary with the same, hashed like them.
def test_a_binary_is_equal_to_what_it_holds() -> None:
    assert Binary(b"a") == b"a"
    assert Binary(b"a") == Binary(b"a")
    assert Binary(b"a") != Binary(b"b")
    assert Binary(b"a") != "a"
    assert hash(Binary(b"a")) == hash(b"a")
    assert bytes(Binary(b"a")) == b"a"
    assert bytes(Binary(bytearray(b"a"))) == b"a"
    assert repr(Binary(b"a")) == "Binary(b'a')"
    assert Binary(b"a").value == b"a"
    assert {Binary(b"a")} == {b"a"}


def test_a_binary_holds_bytes_only() -> None:
    assert outcome(lambda: Binary("a")) == outcome(lambda: theirs.Binary("a"))


def test_boto3s_binary_and_ours_stand_for_each_other() -> None:
    join_boto3()
    assert isinstance(Binary(b"a"), theirs.Binary)
    assert Binary(b"a") == theirs.Binary(b"a")
    assert theirs.Binary(b"a") == Binary(b"a")
    assert TypeSerializer().serialize(theirs.Binary(b"a")) == {"B": b"a"}
    assert TypeSerializer().serialize([{theirs.Binary(b"a")}]) == {"L": [{"BS": [b"a"]}]}
    assert theirs.TypeSerializer().serialize(Binary(b"a")) == {"B": b"a"}
