"""Running programs on one item: what the tests of the expression language share."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from ddbcore.errors import ValidationError
from ddbcore.item import ItemCodec
from hashrange.expr import compile_program

KEY = {"pk": "ada", "sk": 7}


def codec_make() -> ItemCodec:
    return ItemCodec("pk", "S", "sk", "N")


def record_of(codec: ItemCodec, item: dict[str, Any] | None) -> bytes | None:
    return None if item is None else codec.encode({**KEY, **item})


def size_of(record: bytes) -> int:
    """Return the DynamoDB size that a record's header holds."""
    return struct.unpack_from("<I", record, 12)[0]


def update(item, text, values=None, names=None, condition=None, codec=None):
    """Apply an update to an item without its key; None when nothing changes."""
    codec = codec or codec_make()
    old = record_of(codec, item)
    key = codec.key(KEY["pk"], KEY["sk"])
    new = compile_program(text, condition).apply(codec, old, key, names, values)
    if new is None:
        return None
    assert codec.check(new)
    result = codec.decode(new)
    # The size kept up to date in steps is the size of the item encoded afresh.
    assert size_of(new) == size_of(codec.encode(result))
    assert {name: result.pop(name) for name in KEY} == KEY
    return result


def holds(item, text, values=None, names=None):
    codec = codec_make()
    return compile_program(None, text).test(codec, record_of(codec, item), names, values)


def refusal(call, *args, **kwargs) -> str:
    with pytest.raises(ValidationError) as caught:
        call(*args, **kwargs)
    return str(caught.value)
