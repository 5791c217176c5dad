"""Plain GetItem requests: the key is the one that the codec makes, or it is left to others."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbcore import typed
from ddbcore.errors import ValidationError
from ddbcore.item import ItemCodec
from ddbcore.json_keys import get_key

CODECS = [
    ItemCodec("pk", "S"), ItemCodec("pk", "N"), ItemCodec("pk", "B"),
    ItemCodec("pk", "S", "sk", "N"), ItemCodec("pk", "N", "sk", "S"),
    ItemCodec("pk", "B", "sk", "B"),
]
TEXTS = {
    "S": st.text(max_size=30),
    "N": st.one_of(st.integers(), st.decimals(allow_nan=False)).map(str),
    "B": st.binary(max_size=30).map(lambda data: base64.b64encode(data).decode()),
}


def as_others_do(codec: ItemCodec, text: bytes) -> bytes | None:
    """Return the record by way of the dict, None when the text is refused."""
    try:
        request = json.loads(text)
        key = {
            name: {kind: base64.b64decode(inner, validate=True) if kind == "B" else inner}
            for name, value in request["Key"].items()
            for kind, inner in value.items()
        }
        return typed.encode_key(codec, key)
    except (ValueError, ValidationError, KeyError, AttributeError, TypeError):
        return None


def key_of(codec: ItemCodec, text: bytes) -> tuple[bytes, bytes] | None:
    try:
        return get_key(codec, text)
    except ValidationError:
        return None


@given(st.sampled_from(CODECS), st.data(), st.booleans(), st.sampled_from([None, 1]))
def test_the_record_is_that_of_the_typed_form(
    codec: ItemCodec, data: st.DataObject, turned: bool, indent: int | None
) -> None:
    key = {"pk": {codec.hash_type: data.draw(TEXTS[codec.hash_type])}}
    if codec.range_name is not None:
        key["sk"] = {codec.range_type: data.draw(TEXTS[codec.range_type])}
    if turned:
        key = dict(reversed(key.items()))
    request: dict[str, Any] = {"TableName": "things", "Key": key}
    if data.draw(st.booleans()):
        request["ConsistentRead"] = data.draw(st.booleans())
    text = json.dumps(request, indent=indent, ensure_ascii=data.draw(st.booleans())).encode()
    found = key_of(codec, text)
    expected = as_others_do(codec, text)
    if found is not None:
        assert found == (b"things", expected)
    elif expected is not None:
        assert any("\\" in word or not word.isascii() for word in [text.decode()])


@pytest.mark.parametrize("codec", CODECS, ids=range(len(CODECS)))
def test_a_plain_key_is_read(codec: ItemCodec) -> None:
    values = {"S": "a", "N": "-1.5e3", "B": "AAEC"}
    key = {"pk": {codec.hash_type: values[codec.hash_type]}}
    if codec.range_name is not None:
        key["sk"] = {codec.range_type: values[codec.range_type]}
    text = json.dumps({"TableName": "things", "Key": key}).encode()
    assert get_key(codec, text) == (b"things", as_others_do(codec, text))


@pytest.mark.parametrize("size", [1, 2047, 2048, 2049])
def test_the_size_of_a_key_is_bounded(size: int) -> None:
    text = json.dumps({"TableName": "t", "Key": {"pk": {"S": "x" * size}}}).encode()
    assert (get_key(CODECS[0], text) is None) == (size > 2048)


def test_what_is_changed_is_read_as_others_do_or_not_at_all() -> None:
    rng = random.Random(5)
    codec = ItemCodec("pk", "S", "sk", "N")
    text = (b'{"TableName": "things", "Key": {"pk": {"S": "user-17"}, "sk": {"N": "170"}}, '
            b'"ConsistentRead": true}')
    read = 0
    for _ in range(30_000):
        changed = bytearray(text)
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(changed))
            if rng.random() < 0.3:
                del changed[place]
            else:
                changed[place] = rng.choice(b' ":{},abkpS1e.-\\\x00\xff\n')
        found = key_of(codec, bytes(changed))
        if found is not None:
            read += 1
            assert found[1] == as_others_do(codec, bytes(changed)), bytes(changed)
    assert read > 1000
    for size in range(len(text)):
        assert get_key(codec, text[:size]) is None
    assert get_key(codec, text + b" ") is not None
    assert get_key(codec, text + b"x") is None
