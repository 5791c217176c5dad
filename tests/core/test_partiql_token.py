"""NextToken: a position and back, and tokens that are refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbcore.errors import ValidationError
from hashrange.partiql import Position, decode_token, encode_token, statement_binding
from hashrange.partiql.page_token import TOKEN_MAX

TEXT = "SELECT * FROM Music WHERE Artist = ?"
BINDING = statement_binding(TEXT, [{"S": "Ada"}])
POSITION = Position(3, {"Artist": {"S": "Ada"}, "Year": {"N": "1.50"}, "Id": {"B": b"\x00\xff"}})


def refusal(token: str, binding: bytes = BINDING) -> str:
    with pytest.raises(ValidationError) as caught:
        decode_token(token, binding)
    return str(caught.value)


KEY_VALUES = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(st.characters(codec="utf-8"), max_size=50)),
    st.builds(lambda number: {"N": str(number)}, st.integers()),
    st.builds(lambda content: {"B": content}, st.binary(max_size=50)),
    st.builds(lambda content: {"B": base64.b64encode(content).decode()}, st.binary(max_size=50)),
)


@given(
    st.integers(0, 50),
    st.none() | st.dictionaries(st.text(st.characters(codec="utf-8")), KEY_VALUES, max_size=10),
)
def test_a_position_comes_back_as_it_went(read: int, key: dict[str, dict[str, object]] | None):
    position = Position(read, key)
    assert decode_token(encode_token(position, BINDING), BINDING) == position


# The text: observed on the service. Limit and ConsistentRead may change from page to page.
def test_the_token_of_another_statement_is_refused():
    token = encode_token(POSITION, BINDING)
    for other in (
        statement_binding(TEXT, [{"S": "Bob"}]),
        statement_binding(TEXT, []),
        statement_binding(TEXT + " ", [{"S": "Ada"}]),
    ):
        assert refusal(token, other) == "NextToken does not match request"


def test_parameters_of_every_type_bind():
    parameters = [{"B": b"x"}, {"BS": [b"x", b"y"]}, {"L": [{"M": {"k": {"NULL": True}}}]}]
    assert statement_binding(TEXT, parameters) == statement_binding(TEXT, list(parameters))
    assert statement_binding(TEXT, [{"B": b"x"}]) != statement_binding(TEXT, [{"B": b"y"}])


def test_a_damaged_token_is_refused():
    token = encode_token(POSITION, BINDING)
    raw = base64.b64decode(token)
    for at in range(len(raw)):
        damaged = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        assert refusal(base64.b64encode(damaged).decode()) == "Invalid NextToken"
    for length in range(0, len(token), 7):
        assert refusal(token[:length]) == "Invalid NextToken"


@given(st.text(max_size=200))
def test_no_text_is_a_token(text: str):
    assert refusal(text) == "Invalid NextToken"


# The largest keys: 4 + 4 attributes of an index, 2 of the table, at their limits.
def test_the_largest_key_fits():
    names = [letter * 255 for letter in "abcdefghij"]
    sizes = [2048] * 5 + [1024] * 5
    key = {name: {"B": b"\xff" * size} for name, size in zip(names, sizes, strict=True)}
    token = encode_token(Position(49, key), BINDING)
    assert len(token) <= TOKEN_MAX
    assert decode_token(token, BINDING).key == key
    with pytest.raises(ValueError, match="does not fit"):
        encode_token(Position(0, {"a": {"S": "x" * TOKEN_MAX}}), BINDING)
