"""What the typed form refuses, in the service's words and in no other way.

Where the documentation has no text, it is as users have quoted the service's answer.
"""

import base64
import gc
from collections import OrderedDict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbcore import misfits, typed
from ddbcore.errors import ItemTooLarge, SerializationError, ValidationError
from ddbcore.item import ItemCodec

ITEM_SIZE_MAX = 409600
NAME_MAX = 65535
WRAPS_MAX = 31                     # with what is in the innermost one, 32 levels
INVALID = "One or more parameter values were invalid: "
EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
SEVERAL = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the"
    " supported datatypes"
)
NOT_A_NUMBER = "The parameter cannot be converted to a numeric value"
DIGITS = "Attempting to store more than 38 significant digits in a Number"
OVERFLOW = (
    "Number overflow. Attempting to store a number with magnitude larger than supported range"
)
UNDERFLOW = (
    "Number underflow. Attempting to store a number with magnitude smaller than supported range"
)
NESTING = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels"
    " beyond supported limit"
)
TOO_LARGE = "Item size has exceeded the maximum allowed size"
STRUCTURE = "Start of structure or map found where not expected"


@pytest.fixture
def codec():
    return ItemCodec("pk", "S")


def refusal_of(encode, *arguments):
    """Return the class and the text of the error that a door raises."""
    with pytest.raises(ValidationError) as caught:
        encode(*arguments)
    return type(caught.value), str(caught.value)


def value_refusal(value):
    """Return the text that refuses a value, alone, in an item and in an item's list and map."""
    codec = ItemCodec("pk", "S")
    kind, text = refusal_of(typed.encode_value, codec, value)
    for wrapped in (value, {"L": [value]}, {"M": {"b": value}}):
        item = {"pk": {"S": "k"}, "a": wrapped}
        assert refusal_of(typed.encode, codec, item) == (kind, text)
    return text


# -- bad numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", NOT_A_NUMBER),
        ("abc", f"{NOT_A_NUMBER}: abc"),
        ("1 ", f"{NOT_A_NUMBER}: 1 "),
        ("1,5", f"{NOT_A_NUMBER}: 1,5"),
        ("--1", f"{NOT_A_NUMBER}: --1"),
        ("1e", f"{NOT_A_NUMBER}: 1e"),
        (".", f"{NOT_A_NUMBER}: ."),
        ("NaN", f"{NOT_A_NUMBER}: NaN"),
        ("Infinity", f"{NOT_A_NUMBER}: Infinity"),
        ("0x10", f"{NOT_A_NUMBER}: 0x10"),
        ("1_0", f"{NOT_A_NUMBER}: 1_0"),
        ("\u0661", f"{NOT_A_NUMBER}: \u0661"),
        ("1" * 39, DIGITS),
        ("-1." + "2" * 38, DIGITS),
        ("1E126", OVERFLOW),
        ("-1E126", OVERFLOW),
        ("1E-131", UNDERFLOW),
        ("-1E-131", UNDERFLOW),
        ("1E999999999999999999999", OVERFLOW),
    ],
)
def test_bad_numbers_are_refused(text, words):
    assert value_refusal({"N": text}) == words
    assert value_refusal({"NS": ["1", text]}) == words
    codec = ItemCodec("pk", "N")
    assert refusal_of(typed.encode, codec, {"pk": {"N": text}}) == (ValidationError, words)
    assert refusal_of(typed.encode_key, codec, {"pk": {"N": text}}) == (ValidationError, words)


# -- one type exactly ------------------------------------------------------------------------------


# A member that is null is absent, and one that the service does not know is ignored.
@pytest.mark.parametrize("value", [{}, None, {"S": None}, {"X": 1}, {"a": ""}, {"s": "a"}, {1: 2}])
def test_a_value_without_a_type_is_refused(value):
    assert value_refusal(value) == EMPTY


@pytest.mark.parametrize(
    ("value", "equal"),
    [
        ({"S": "a", "N": None}, {"S": "a"}),
        ({"X": 1, "N": "1", "Y": None}, {"N": "1"}),
        ({"S": "a", "é": 1, 5: 1}, {"S": "a"}),
    ],
)
def test_members_that_are_null_or_unknown_do_not_count(codec, value, equal):
    assert typed.encode_value(codec, value) == typed.encode_value(codec, equal)


# The values themselves are looked at first.
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"S": "a", "N": "1"}, SEVERAL),
        ({"L": [], "M": {}}, SEVERAL),
        ({"S": "", "N": ""}, NOT_A_NUMBER),
        ({"S": "a", "N": "b"}, f"{NOT_A_NUMBER}: b"),
        ({"S": "a", "SS": []}, f"{INVALID}An string set  may not be empty"),
    ],
)
def test_several_types_are_refused(value, words):
    assert value_refusal(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"SS": []}, "An string set  may not be empty"),
        ({"NS": []}, "An number set  may not be empty"),
        ({"BS": []}, "Binary sets should not be empty"),
        ({"SS": ["a", "b", "a"]}, "Input collection [a, b, a] contains duplicates."),
        ({"SS": ["", ""]}, "Input collection [, ] contains duplicates."),
        ({"BS": [b"b", b"b"]}, "Input collection [Yg==, Yg==]of type BS contains duplicates."),
        ({"BS": ["Yg==", b"b"]}, "Input collection [Yg==, Yg==]of type BS contains duplicates."),
        ({"SS": [None]}, "An string set may not have a null string as a member"),
        ({"BS": [None]}, "Binary sets may not contain null or empty values"),
        ({"NULL": False}, "Null attribute value types must have the value of true"),
        ({"NULL": "no"}, "Null attribute value types must have the value of true"),
    ],
)
def test_invalid_values_are_refused(value, words):
    assert value_refusal(value) == INVALID + words


# Equal by value, not by text. The service has no list here, and no prefix.
@pytest.mark.parametrize("members", [["1", "1"], ["1", "1.0"], ["100", "1E2"], ["0", "-0"]])
def test_number_sets_compare_by_value(members):
    assert value_refusal({"NS": members}) == "Input collection contains duplicates"


def test_large_sets_find_their_duplicates(codec):
    members = [str(index) for index in range(2000)]
    data = typed.encode_value(codec, {"NS": members})
    assert sorted(typed.decode_value(codec, data)["NS"]) == sorted(members)
    assert value_refusal({"NS": [*members, "17"]}) == "Input collection contains duplicates"


# Allowed since 2020 for values, and within sets too.
def test_empty_strings_and_binaries_are_values(codec):
    for value in ({"S": ""}, {"B": b""}, {"B": ""}, {"SS": [""]}, {"BS": [b"", b"a"]}, {"L": []}):
        data = typed.encode_value(codec, value)
        expected = {"B": b""} if value == {"B": ""} else value
        assert typed.decode_value(codec, data) == expected


# -- JSON types ------------------------------------------------------------------------------------


def collection(name):
    return f"Unrecognized collection type {name}"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"S": 5}, "NUMBER_VALUE cannot be converted to String"),
        ({"S": 5.5}, "DECIMAL_VALUE cannot be converted to String"),
        ({"S": True}, "TRUE_VALUE cannot be converted to String"),
        ({"S": False}, "FALSE_VALUE cannot be converted to String"),
        ({"S": []}, collection("class java.lang.String")),
        ({"S": {}}, STRUCTURE),
        ({"S": b"a"}, "bytes cannot be converted to String"),
        ({"N": 5}, "NUMBER_VALUE cannot be converted to String"),
        ({"N": Decimal("1.5")}, "DECIMAL_VALUE cannot be converted to String"),
        ({"N": {"N": "1"}}, STRUCTURE),
        ({"SS": [5]}, "NUMBER_VALUE cannot be converted to String"),
        ({"NS": [5]}, "NUMBER_VALUE cannot be converted to String"),
        ({"NS": [["1"]]}, collection("class java.lang.String")),
        ({"SS": "a"}, "Unexpected field type"),
        ({"SS": {"a": 1}}, STRUCTURE),
        ({"BS": 1}, "Unexpected field type"),
        ({"L": "a"}, "Unexpected field type"),
        ({"L": {"S": "a"}}, STRUCTURE),
        ({"M": "a"}, "Unexpected field type"),
        ({"M": []}, collection(misfits.COLLECTIONS["Map"])),
        ({"M": {"a": 5}}, "Unexpected value type in payload"),
        ({"M": {"a": []}}, collection(misfits.COLLECTIONS["AttributeValue"])),
        ({"L": ["a"]}, "Unexpected value type in payload"),
        ({"L": [["a"]]}, collection(misfits.COLLECTIONS["AttributeValue"])),
        ("a", "Unexpected value type in payload"),
        (5, "Unexpected value type in payload"),
        ([], collection(misfits.COLLECTIONS["AttributeValue"])),
        ({"BOOL": "x"}, "Unexpected token received from parser"),
        ({"BOOL": 1}, "NUMBER_VALUE cannot be converted to Boolean"),
        ({"BOOL": 1.5}, "DECIMAL_VALUE cannot be converted to Boolean"),
        ({"BOOL": []}, collection("class java.lang.Boolean")),
        ({"NULL": {}}, STRUCTURE),
        ({"B": 5}, "only base-64-encoded strings are convertible to bytes"),
        ({"B": True}, "only base-64-encoded strings are convertible to bytes"),
        ({"B": []}, collection("class java.nio.ByteBuffer")),
        ({"B": {}}, STRUCTURE),
        ({"B": "23456"}, "Base64 encoded length is expected a multiple of 4 bytes but found: 5"),
        ({"B": "=+/="}, "Invalid last non-pad Base64 character dectected"),
        ({"B": "+/+="}, "Invalid last non-pad Base64 character dectected"),
        ({"B": "YR=="}, "Invalid last non-pad Base64 character dectected"),
        ({"B": "a!bc"}, "Unexpected value type in payload"),
        ({"B": "===="}, "Unexpected value type in payload"),
        ({"B": "YQ==YQ=="}, "Unexpected value type in payload"),
        ({"B": "YWJ\n"}, "Unexpected value type in payload"),
        ({"B": "YWJé"}, "Unexpected value type in payload"),
        ({"BS": ["YQ"]}, "Base64 encoded length is expected a multiple of 4 bytes but found: 2"),
    ],
)
def test_wrong_json_types_are_serialization_errors(value, words):
    assert value_refusal(value) == words
    codec = ItemCodec("pk", "S")
    assert refusal_of(typed.encode_value, codec, value)[0] is SerializationError
    assert SerializationError.code == "SerializationException"


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("a", "Unexpected field type"),
        (None, "Unexpected field type"),
        ([], collection(misfits.COLLECTIONS["Map"])),
    ],
)
def test_items_and_keys_are_dicts(codec, item, words):
    for encode in (typed.encode, typed.encode_key):
        assert refusal_of(encode, codec, item) == (SerializationError, words)


# The service takes a few words for booleans.
@pytest.mark.parametrize("word", ["true", "TRUE", "yes", "1"])
def test_words_for_true(codec, word):
    assert typed.decode_value(codec, typed.encode_value(codec, {"BOOL": word})) == {"BOOL": True}
    assert typed.decode_value(codec, typed.encode_value(codec, {"NULL": word})) == {"NULL": True}


@given(st.binary(max_size=100))
def test_base64_text_is_the_bytes(data):
    codec = ItemCodec("pk", "S")
    text = base64.b64encode(data).decode()
    expected = typed.encode_value(codec, {"B": data})
    for value in (text, bytearray(data), memoryview(data)):
        assert typed.encode_value(codec, {"B": value}) == expected
    assert typed.decode_value(codec, expected) == {"B": data}


def test_memoryviews_of_other_elements_are_refused(codec):
    view = memoryview(b"abcdefgh").cast("I")
    with pytest.raises(ValidationError, match="memoryview"):
        typed.encode_value(codec, {"B": view})
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(ValidationError, match="released"):
        typed.encode_value(codec, {"B": view})


# -- limits ----------------------------------------------------------------------------------------


def wrapped(count, value, tag):
    for _ in range(count):
        value = {"L": [value]} if tag == "L" else {"M": {"a": value}}
    return value


# Measured by others against the service: 31 maps around a scalar pass, 32 do not.
@pytest.mark.parametrize("tag", ["L", "M"])
def test_values_nest_32_levels(codec, tag):
    deepest = wrapped(WRAPS_MAX, {"S": "x"}, tag)
    assert typed.decode_value(codec, typed.encode_value(codec, deepest)) == deepest
    for inner in ({"S": "x"}, wrapped(1, {"S": "x"}, tag), wrapped(5000, {"S": "x"}, tag)):
        too_deep = wrapped(WRAPS_MAX + 1, inner, tag)
        item = {"pk": {"S": "k"}, "a": too_deep}
        assert refusal_of(typed.encode_value, codec, too_deep) == (ValidationError, NESTING)
        assert refusal_of(typed.encode, codec, item) == (ValidationError, NESTING)


def test_items_have_at_most_400_kb(codec):
    item = {"pk": {"S": "k"}, "a": {"S": "x" * (ITEM_SIZE_MAX - 4)}}
    record = typed.encode(codec, item)
    assert int.from_bytes(record[12:16], "little") == ITEM_SIZE_MAX
    assert typed.decode(codec, record) == item
    for more in (1, ITEM_SIZE_MAX):
        for tag, filler in (("S", "x"), ("B", b"x")):
            larger = {"pk": {"S": "k"}, "a": {tag: filler * (ITEM_SIZE_MAX - 4 + more)}}
            assert refusal_of(typed.encode, codec, larger) == (ItemTooLarge, TOO_LARGE)


# Whatever they are made of: the encoder stops before it has written much more than 400 KB.
@pytest.mark.parametrize(
    "value",
    [
        {"L": [{"NULL": True}] * ITEM_SIZE_MAX},
        {"SS": [str(index) for index in range(ITEM_SIZE_MAX)]},
        {"NS": [str(index) for index in range(ITEM_SIZE_MAX)]},
        {"BS": [index.to_bytes(4, "big") for index in range(ITEM_SIZE_MAX)]},
        {"M": {str(index): {"S": ""} for index in range(ITEM_SIZE_MAX // 4)}},
        {"L": [{"S": "x" * 1000}] * 410},
    ],
    ids=["L", "SS", "NS", "BS", "M", "strings"],
)
def test_large_containers_are_refused(codec, value):
    for encode, argument in (
        (typed.encode, {"pk": {"S": "k"}, "a": value}), (typed.encode_value, value)
    ):
        assert refusal_of(encode, codec, argument) == (ItemTooLarge, TOO_LARGE)


@pytest.mark.parametrize("char", ["a", "é", "\U0001f600"])
def test_names_have_at_most_65535_bytes(codec, char):
    name = char * (NAME_MAX // len(char.encode()))
    item = {"pk": {"S": "k"}, name: {"S": "x"}, "m": {"M": {name: {"S": "y"}}}}
    assert typed.decode(codec, typed.encode(codec, item)) == item
    for longer in ({name + char: {"S": "x"}}, {"m": {"M": {name + char: {"S": "x"}}}}):
        assert refusal_of(typed.encode, codec, {"pk": {"S": "k"}, **longer})[1] == (
            "Attribute name is too large, must be less than 65536 bytes"
        )


def test_names_are_not_empty(codec):
    for item in ({"": {"S": "x"}}, {"m": {"M": {"": {"S": "x"}}}}):
        assert refusal_of(typed.encode, codec, {"pk": {"S": "k"}, **item})[1] == (
            f"{INVALID}An attribute name cannot be empty"
        )


def test_lone_surrogates_are_refused(codec):
    for item in (
        {"pk": {"S": "k"}, "a": {"S": "\ud800"}},
        {"pk": {"S": "k"}, "a": {"SS": ["\ud800"]}},
        {"pk": {"S": "k"}, "\ud800": {"S": "a"}},
        {"pk": {"S": "\ud800"}},
    ):
        with pytest.raises(ValidationError, match="surrogate"):
            typed.encode(codec, item)
    with pytest.raises(ValidationError, match="numeric"):
        typed.encode_value(codec, {"N": "\ud800"})


# -- hostile objects -------------------------------------------------------------------------------


class Text(str):
    """A str of another type, as numpy has one."""

    __slots__ = ()


class Moody(dict):
    """A dict whose methods lie and change it."""

    def items(self):
        self.clear()
        return [("S", 5)]

    def __iter__(self):
        self.clear()
        return iter(())

    __getitem__ = get = keys = values = __iter__


def test_subclasses_of_str_are_text(codec):
    item = {
        Text("pk"): {Text("S"): Text("k")},
        Text("a"): {Text("N"): Text("1.50")},
        "m": {"M": {Text("b"): {"SS": [Text("x")]}}},
    }
    plain = {"pk": {"S": "k"}, "a": {"N": "1.5"}, "m": {"M": {"b": {"SS": ["x"]}}}}
    record = typed.encode(codec, item)
    assert record == typed.encode(codec, plain)
    assert typed.decode(codec, record) == plain
    assert typed.encode_key(codec, {Text("pk"): {Text("S"): Text("k")}}) == codec.key("k")


def test_subclasses_of_dict_list_and_bytes_are_read_as_they_are(codec):
    class Sequence(list):
        def __iter__(self):
            raise AssertionError

    class Bytes(bytes):
        def __len__(self):
            return 10**9

    item = OrderedDict(pk=Moody(S="k"), a=Moody(M=Moody(b=Moody(L=Sequence([{"NULL": True}])))))
    item["c"] = {"B": Bytes(b"xy")}
    item["d"] = {"BS": (Bytes(b"xy"), b"z")}
    plain = {
        "pk": {"S": "k"},
        "a": {"M": {"b": {"L": [{"NULL": True}]}}},
        "c": {"B": b"xy"},
        "d": {"BS": [b"xy", b"z"]},
    }
    assert typed.encode(codec, item) == typed.encode(codec, plain)
    binary = ItemCodec("pk", "B")
    assert typed.encode_key(binary, {"pk": {"B": Bytes(b"xy")}}) == binary.key(b"xy")


class Name(str):
    """A name that empties a container when it is compared or hashed."""

    __slots__ = ("victim",)

    def __hash__(self):
        if getattr(self, "victim", None) is not None:
            self.victim.clear()
        return str.__hash__(self)

    def __eq__(self, other):
        if getattr(self, "victim", None) is not None:
            self.victim.clear()
        return str.__eq__(self, other)


# Whatever such names do, the answer is a record or an error.
def test_names_that_change_the_item_do_no_harm(codec):
    for place in ("item", "value", "map"):
        name = Name("S" if place == "value" else "pk")
        inner = {name: {"S": "x"}} if place != "value" else {name: "x"}
        item = {
            "item": inner, "value": {"pk": inner}, "map": {"pk": {"S": "k"}, "a": {"M": inner}}
        }[place]
        name.victim = inner
        for encode in (typed.encode, typed.encode_key):
            try:
                encode(codec, item)
            except (ValidationError, RuntimeError, KeyError):
                pass


# Encoding runs Python code where it reads base64 text, and wherever the garbage collector starts.
@pytest.mark.parametrize("victim", ["item", "value", "map", "inner", "list", "set", "key"])
@pytest.mark.parametrize("calls", [1, 2, 3, 4, 5, 6])
def test_values_may_vanish_while_they_are_encoded(monkeypatch, victim, calls):
    codec = ItemCodec("pk", "B")
    inner = {"B": "".join(["YQ", "=="])}
    mapping = {f"n{index}": {"S": f"text {index}" * 9} for index in range(9)} | {"b": inner}
    mapping |= {f"o{index}": {"N": f"1{index}"} for index in range(9)}
    array = [{"S": "text" * 9}, {"B": "YQ=="}, {"M": {"a": {"S": "t" * 99}}}, {"S": "s" * 99}]
    members = [f"{index:04}" for index in range(9)]
    item = {
        "pk": {"B": "YQ=="}, "m": {"M": mapping}, "l": {"L": array}, "s": {"BS": members},
        "x": {"S": "x" * 99},
    }
    target = {
        "item": item, "value": item["m"], "map": mapping, "inner": inner, "list": array,
        "set": members, "key": item["pk"],
    }[victim]
    blob = misfits.blob
    count = 0

    def disturbing(text):
        nonlocal count
        count += 1
        if count == calls:
            target.clear()
            gc.collect()
        return blob(text)

    monkeypatch.setattr(misfits, "blob", disturbing)
    for _ in range(3):
        try:
            typed.encode(codec, item)
        except ValidationError:
            pass
    assert count >= calls or not target


# A key that takes the whole item with it: less than no attributes are left, and the buffer, which
# is full at one of these sizes, is not written beyond.
def test_an_item_that_vanishes_with_its_key_is_refused(monkeypatch):
    codec = ItemCodec("pk", "B")
    for size in range(440, 1040):
        item = {"pk": {"B": "YQ=="}}

        def emptying(text, item=item, size=size):
            item.clear()
            return b"x" * size

        monkeypatch.setattr(misfits, "blob", emptying)
        with pytest.raises(ValidationError):
            typed.encode(codec, item)


# What was there at the start is not what is stored: refused, not stored in part.
@pytest.mark.parametrize("tag", ["L", "BS", "M"])
def test_containers_that_change_are_refused(monkeypatch, codec, tag):
    content: Any = {"L": [{"B": "YQ=="}], "BS": ["YQ=="], "M": {"a": {"B": "YQ=="}}}[tag]

    def growing(text):
        if tag == "M":
            content["b"] = {"S": "x"}
        else:
            content.append({"S": "x"} if tag == "L" else b"x")
        return b"a"

    monkeypatch.setattr(misfits, "blob", growing)
    with pytest.raises(ValidationError, match="changed while it was being stored"):
        typed.encode_value(codec, {tag: content})


def test_values_that_contain_themselves_are_refused(codec):
    cycle: dict = {"M": {}}
    cycle["M"] |= {"a": cycle, "b": cycle}
    loop: dict = {"L": []}
    loop["L"] += [loop, loop]
    for value in (cycle, loop):
        assert refusal_of(typed.encode_value, codec, value) == (ValidationError, NESTING)
        item = {"pk": {"S": "k"}, "a": value}
        assert refusal_of(typed.encode, codec, item) == (ValidationError, NESTING)
        assert refusal_of(typed.encode, codec, {"a": value}) == (ValidationError, NESTING)
