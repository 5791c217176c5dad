"""NextToken: a position and back, and tokens that are refused."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbcore.errors import ValidationError
from hashrange.partiql import (
    Position,
    decode_token,
    encode_token,
    next_position,
    statement_binding,
)
from hashrange.partiql.page_token import TOKEN_MAX
from hashrange.partiql.plan import KeyRead, SelectPlan

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
    st.integers(0, 49),
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


# Anyone can make a token with a right checksum: what is in it is not trusted either.
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"5",
        b"[0]",
        b'["0",null]',
        b"[true,null]",
        b"[-1,null]",
        b"[50,null]",
        b"[0,5]",
        b'[0,{"a":5}]',
        b'[0,{"a":{}}]',
        b'[0,{"a":{"b":5}}]',
        b'[0,{"a":{"b":"!"}}]',
        b"[" * 20_000,
        b"\xff",
    ],
)
def test_a_token_that_someone_made_up_is_refused(content: bytes):
    body = BINDING + content
    checksum = hashlib.blake2b(body, digest_size=16).digest()
    assert refusal(base64.b64encode(b"\x01" + checksum + body).decode()) == "Invalid NextToken"


def test_a_plan_goes_on_in_its_read_then_in_the_next():
    key = {"a": {"S": "x"}}
    plan = SelectPlan("Tab", None, "query", (KeyRead({}), KeyRead({})))
    assert next_position(plan, 0, key) == Position(0, key)
    assert next_position(plan, 0, None) == Position(1, None)
    assert next_position(plan, 1, key) == Position(1, key)
    assert next_position(plan, 1, None) is None
    scan = SelectPlan("Tab", None, "scan")
    assert next_position(scan, 0, key) == Position(0, key)
    assert next_position(scan, 0, None) is None


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
