"""Attribute names get ids once, and are handed out as the same object."""

import sys

import pytest

from ddbcore.errors import CorruptError, ValidationError
from ddbcore.item import ItemCodec

NAME_COUNT_MAX = 8192


def stored_size(record):
    return int.from_bytes(record[12:16], "little")


@pytest.fixture
def codec():
    return ItemCodec("id", "S")


def test_names_are_handed_out_as_the_same_object(codec):
    built = "".join(["sta", "tus"])
    first = codec.decode(codec.encode({"id": "k", built: {built: 1}}))
    second = codec.decode(codec.encode({"id": "k", "status": 2}))
    key_first, key_second = list(first)[1], list(second)[1]
    assert key_first is key_second is next(iter(first["status"])) is sys.intern(built)


def test_an_attribute_named_like_the_key_may_stand_in_a_nested_map(codec):
    item = {"id": "k", "m": {"id": 1, "x": 2}, "x": {"id": {"id": 3}}}
    for _ in range(4):
        assert codec.decode(codec.encode(item)) == item
    # A name built at run time is the key attribute all the same, also once it has an id.
    assert codec.decode(codec.encode({"".join(["i", "d"]): "k"})) == {"id": "k"}


def test_names_over_255_bytes_and_beyond_8192_names_are_stored_inline(codec):
    long = {"id": "k", "x" * 255: 1, "x" * 256: 2, "é" * 128: 3, "x" * 65535: {"é" * 32767: 4}}
    record = codec.encode(long)
    assert codec.decode(record) == long
    assert codec.check(record)
    assert stored_size(record) == 3 + 257 + 258 + 258 + 65535 + (3 + 1 + 65534 + 2)
    assert codec.names.names == ["x" * 255]
    for number in range(NAME_COUNT_MAX - 1):
        assert codec.intern_name(f"name {number}") == number + 1
    assert codec.intern_name("one more") == -1
    item = {"id": "k", "one more": {"and another": 1}, "name 8190": 2}
    record = codec.encode(item)
    for _ in range(4):
        assert codec.decode(record) == item
    assert codec.check(record)
    assert stored_size(record) == 3 + 8 + (3 + 1 + 11 + 2) + (9 + 2)
    assert len(codec.names.names) == len(codec.names.ids) == NAME_COUNT_MAX
    assert all(codec.names.ids[name] == index for index, name in enumerate(codec.names.names))


@pytest.mark.parametrize("where", ["top", "nested"])
def test_a_name_over_65535_bytes_is_refused(codec, where):
    for name in ("x" * 65536, "é" * 32768):
        item = {"id": "k", name: 1} if where == "top" else {"id": "k", "m": [{name: 1}]}
        with pytest.raises(ValidationError, match="more than 65535 bytes"):
            codec.encode(item)


def test_restored_names_take_the_next_id_only(codec):
    codec.restore_name(0, "größe".encode())
    assert codec.names.names == ["größe"]
    assert codec.names.logged == 1
    for name_id, text in [
        (0, b"a"),
        (2, b"a"),
        (1, b""),
        (1, b"\xff"),
        (1, b"x" * 256),
        (1, "größe".encode()),
    ]:
        with pytest.raises(CorruptError):
            codec.restore_name(name_id, text)
    assert codec.intern_name("größe") == 0


def test_equal_names_of_a_subclass_are_refused(codec):
    class Odd(str):
        __slots__ = ()
        __hash__ = object.__hash__

        def __eq__(self, other):
            return self is other

    assert codec.decode(codec.encode({Odd("id"): "k", Odd("a"): {Odd("b"): 1}})) == {
        "id": "k",
        "a": {"b": 1},
    }
    with pytest.raises(ValidationError, match="same text"):
        codec.encode({"id": "k", "a": 1, Odd("a"): 2})
