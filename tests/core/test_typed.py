"""The typed form and the native one have the same records, and what is wrong with keys is refused.

The texts are the service's; where the documentation has none, as users have quoted its answer.
"""

import gc
import sys
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddbcore import typed
from ddbcore.errors import CorruptError, SerializationError, ValidationError
from ddbcore.item import ItemCodec

ITEM_SIZE_MAX = 409600
WRAPS_MAX = 31                     # with what is in the innermost one, 32 levels
INVALID = "One or more parameter values were invalid: "
SCHEMA = "The provided key element does not match the schema"
EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
SEVERAL = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the"
    " supported datatypes"
)
NOT_A_NUMBER = "The parameter cannot be converted to a numeric value"


# -- the reference: the typed form of native values ------------------------------------------------


def number_text(number):
    """Return a number as the service prints it."""
    text = format(Decimal(number), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def typed_set(members):
    first = next(iter(members))
    if isinstance(first, str):
        return {"SS": sorted(members)}
    if isinstance(first, bytes):
        return {"BS": sorted(members)}
    return {"NS": sorted(map(number_text, members))}


def typed_value(value):
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, (int, Decimal)):
        return {"N": number_text(value)}
    if isinstance(value, list):
        return {"L": [typed_value(member) for member in value]}
    if isinstance(value, dict):
        return {"M": typed_item(value)}
    return typed_set(value)


def typed_item(item):
    return {name: typed_value(value) for name, value in item.items()}


def with_sorted_sets(tree):
    """Return a typed value or map with the members of its sets sorted."""
    if isinstance(tree, list):
        return [with_sorted_sets(member) for member in tree]
    if not isinstance(tree, dict):
        return tree
    return {
        name: sorted(value)
        if name in {"SS", "NS", "BS"} and isinstance(value, list)
        else with_sorted_sets(value)
        for name, value in tree.items()
    }


def size_of(value):
    """Return DynamoDB's size of an attribute value (section 1 of the rules)."""
    ((tag, content),) = value.items()
    if tag in {"NULL", "BOOL"}:
        return 1
    if tag in {"S", "B"}:
        return len(content if tag == "B" else content.encode())
    if tag == "N":
        whole, _, fraction = content.lstrip("-").partition(".")
        whole = whole.lstrip("0")
        if not fraction:
            whole = whole.rstrip("0")
        if not whole:
            fraction = fraction.lstrip("0")
        digits = -(-len(whole) // 2) - (-len(fraction) // 2)
        return 1 + digits + content.startswith("-")
    if tag in {"SS", "NS", "BS"}:
        return sum(size_of({tag[0]: member}) for member in content)
    if tag == "L":
        return 3 + len(content) + sum(map(size_of, content))
    return 3 + len(content) + map_size_of(content)


def map_size_of(items):
    return sum(len(name.encode()) + size_of(value) for name, value in items.items())


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
numbers = st.one_of(
    st.integers(-100, 100),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent),
        st.integers(-(10**28) + 1, 10**28 - 1),
        st.integers(-130, 97),
    ),
)
sets = st.one_of(
    st.sets(texts, min_size=1, max_size=8),
    st.sets(numbers, min_size=1, max_size=8),
    st.sets(st.binary(max_size=40), min_size=1, max_size=8),
)
names = st.one_of(st.sampled_from(["a", "b", "S", "M", "größe"]), texts.filter(bool))
scalars = st.one_of(texts, numbers, st.binary(max_size=80), st.booleans(), st.none())
values = st.recursive(
    st.one_of(scalars, sets),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(names, inner, max_size=5)),
    max_leaves=25,
)
items = st.dictionaries(names.filter(lambda name: name != "pk"), values, max_size=8).map(
    lambda rest: {"pk": "k", **rest}
)


@pytest.fixture
def codec():
    return ItemCodec("pk", "S")


@pytest.fixture
def ranged():
    return ItemCodec("pk", "S", "sk", "N")


def refusal_of(encode, *arguments):
    """Return the class and the text of the error that a door raises."""
    with pytest.raises(ValidationError) as caught:
        encode(*arguments)
    return type(caught.value), str(caught.value)


# -- both ways -------------------------------------------------------------------------------------


# One record for an item, whatever form it came in: everything below the codecs depends on it.
@given(items)
def test_the_typed_form_has_the_native_record(item):
    codec = ItemCodec("pk", "S")
    record = typed.encode(codec, typed_item(item))
    assert record == codec.encode(item)
    assert codec.check(record)
    assert with_sorted_sets(typed.decode(codec, record)) == with_sorted_sets(typed_item(item))
    assert typed.encode(codec, typed.decode(codec, record)) == record


@given(items)
def test_the_size_is_dynamodbs(item):
    record = typed.encode(ItemCodec("pk", "S"), typed_item(item))
    assert int.from_bytes(record[12:16], "little") == map_size_of(typed_item(item))


@given(values)
def test_values_have_the_native_bytes(value):
    codec = ItemCodec("pk", "S")
    data = typed.encode_value(codec, typed_value(value))
    assert data == codec.value(value)
    found = typed.decode_value(codec, data)
    assert with_sorted_sets(found) == with_sorted_sets(typed_value(value))


@pytest.mark.parametrize(
    ("schema", "key", "native"),
    [
        (("pk", "S"), {"pk": {"S": "a"}}, ("a",)),
        (("pk", "S"), {"pk": {"S": "größe"}}, ("größe",)),
        (("pk", "N"), {"pk": {"N": "-1.50"}}, (Decimal("-1.5"),)),
        (("pk", "B"), {"pk": {"B": b"\0\xff"}}, (b"\0\xff",)),
        (("pk", "B"), {"pk": {"B": "AP8="}}, (b"\0\xff",)),
        (("pk", "S", "sk", "N"), {"sk": {"N": "7"}, "pk": {"S": "a"}}, ("a", 7)),
        (("pk", "B", "sk", "S"), {"pk": {"B": b"a"}, "sk": {"S": "é"}}, (b"a", "é")),
        (("pk", "N", "sk", "B"), {"pk": {"N": "0"}, "sk": {"B": b"a"}}, (0, b"a")),
    ],
)
def test_keys_have_the_native_bytes(schema, key, native):
    codec = ItemCodec(*schema)
    record = typed.encode_key(codec, key)
    assert record == codec.key(*native)
    decoded = typed.decode_key(codec, record)
    assert list(decoded) == list(schema[::2])
    assert typed.encode_key(codec, decoded) == record
    item = {**key, "a": {"S": "b"}}
    record = typed.encode(codec, item)
    assert record == codec.encode({**dict(zip(schema[::2], native, strict=True)), "a": "b"})
    assert typed.decode_key(codec, record) == decoded
    assert typed.decode(codec, record) == {**decoded, "a": {"S": "b"}}


# More attributes than a shape has, names without ids, and both.
@pytest.mark.parametrize("count", [1, 30, 31, 32, 33, 200])
@pytest.mark.parametrize("length", [3, 300])
def test_items_of_many_attributes_and_long_names_survive(count, length):
    codec = ItemCodec("pk", "S")
    item = {f"{index:0{length}}": {"N": str(index)} for index in range(count)}
    item |= {"pk": {"S": "k"}, "m": {"M": dict(item)}}
    record = typed.encode(codec, item)
    for _ in range(4):
        assert typed.decode(codec, record) == item


# The items of one table have one shape; each must get its own values, native or typed.
def test_shapes_are_shared_with_the_native_form(codec):
    for index in range(10):
        native = {"pk": f"k{index}", "a": index, "m": {"b": str(index)}}
        record = codec.encode(native)
        assert codec.decode(record) == native
        assert typed.decode(codec, record) == typed_item(native)


# A decoded item belongs to the caller, who may change it.
def test_decoded_items_are_independent(codec):
    record = typed.encode(codec, {"pk": {"S": "k"}, "a": {"L": [{"S": "x"}]}})
    for _ in range(3):
        item = typed.decode(codec, record)
        item["a"]["L"].append({"S": "y"})
        item["pk"]["S"] = "z"
    assert typed.decode(codec, record) == {"pk": {"S": "k"}, "a": {"L": [{"S": "x"}]}}


# The garbage collector must see what can be part of a cycle.
def test_decoded_items_are_tracked(codec):
    record = typed.encode(codec, {"pk": {"S": "k"}, "a": {"L": []}, "m": {"M": {"n": {"N": "1"}}}})
    for _ in range(4):
        item = typed.decode(codec, record)
        assert gc.is_tracked(item)
        assert gc.is_tracked(item["a"])
        assert gc.is_tracked(item["m"])
        assert gc.is_tracked(item["m"]["M"])


# FORMAT.md, "Items": members are sorted by their encoded bytes.
def test_sets_come_back_in_stored_order(codec):
    numbers = typed.encode_value(codec, {"NS": ["-1", "100", "9", "10", "1.50"]})
    assert typed.decode_value(codec, numbers) == {"NS": ["9", "10", "100", "-1", "1.5"]}
    words = typed.encode_value(codec, {"SS": ["b", "ab", "", "é", "a"]})
    assert typed.decode_value(codec, words) == {"SS": ["", "a", "b", "ab", "é"]}


# -- numbers ---------------------------------------------------------------------------------------


# The service stores numbers without leading and trailing zeros and prints them without exponents.
@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0.000", "0"),
        ("0E+125", "0"),
        ("1", "1"),
        ("+1", "1"),
        ("007", "7"),
        ("63", "63"),
        ("64", "64"),
        ("-1", "-1"),
        ("-128", "-128"),
        ("-129", "-129"),
        ("100", "100"),
        ("1E2", "100"),
        ("1.50", "1.5"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("5.", "5"),
        ("12.34", "12.34"),
        ("-12.34e-1", "-1.234"),
        ("0.001", "0.001"),
        ("1e-3", "0.001"),
        ("100.001", "100.001"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775808", "9223372036854775808"),
        ("10000000000000000000", "10000000000000000000"),
        ("1E20", "1" + "0" * 20),
        ("1E125", "1" + "0" * 125),
        ("-9.9E125", "-99" + "0" * 124),
        ("1E-130", "0." + "0" * 129 + "1"),
        ("-" + "1." + "9" * 37 + "E-130", "-0." + "0" * 129 + "1" + "9" * 37),
        ("9" * 38, "9" * 38),
        ("9" * 38 + "000", "9" * 38 + "000"),
        ("1" * 19 + "." + "2" * 19, "1" * 19 + "." + "2" * 19),
        ("1" * 20 + "." + "2" * 18, "1" * 20 + "." + "2" * 18),
        ("1" * 18 + "." + "2" * 20, "1" * 18 + "." + "2" * 20),
        ("0." + "3" * 38, "0." + "3" * 38),
        ("10000000000000000000.5", "10000000000000000000.5"),
        ("100000000000000000000000000000000000.01", "100000000000000000000000000000000000.01"),
    ],
)
def test_numbers_come_back_plain(text, printed):
    codec = ItemCodec("pk", "N")
    data = typed.encode_value(codec, {"N": text})
    assert typed.decode_value(codec, data) == {"N": printed}
    record = typed.encode(codec, {"pk": {"N": text}, "n": {"NS": [text]}})
    assert typed.decode(codec, record) == {"pk": {"N": printed}, "n": {"NS": [printed]}}


@given(numbers)
def test_numbers_print_as_a_naive_reference(number):
    codec = ItemCodec("pk", "N")
    assert typed.decode(codec, codec.encode({"pk": number})) == {"pk": {"N": number_text(number)}}


# -- keys ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({}, f"{INVALID}Missing the key pk in the item"),
        ({"pk": {"S": "a"}}, f"{INVALID}Missing the key sk in the item"),
        ({"sk": {"N": "1"}}, f"{INVALID}Missing the key pk in the item"),
        (
            {"pk": {"N": "1"}, "sk": {"N": "1"}},
            f"{INVALID}Type mismatch for key pk expected: S actual: N",
        ),
        (
            {"pk": {"S": "a"}, "sk": {"M": {}}},
            f"{INVALID}Type mismatch for key sk expected: N actual: M",
        ),
        (
            {"pk": {"S": "a"}, "sk": {"NULL": True}},
            f"{INVALID}Type mismatch for key sk expected: N actual: NULL",
        ),
        (
            {"pk": {"S": ""}, "sk": {"N": "1"}},
            "One or more parameter values are not valid. The AttributeValue for a key attribute"
            " cannot contain an empty string value. Key: pk",
        ),
        ({"pk": {}, "sk": {"N": "1"}}, EMPTY),
        ({"pk": None, "sk": {"N": "1"}}, EMPTY),
        ({"pk": {"S": "a", "N": "1"}, "sk": {"N": "1"}}, SEVERAL),
        ({"pk": {"S": "a"}, "sk": {"N": "x"}}, f"{NOT_A_NUMBER}: x"),
    ],
)
def test_items_without_a_sound_key_are_refused(ranged, item, words):
    assert refusal_of(typed.encode, ranged, item) == (ValidationError, words)


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"pk": {"S": "a"}},
        {"sk": {"N": "1"}},
        {"pk": {"S": "a"}, "xk": {"N": "1"}},
        {"pk": {"S": "a"}, "sk": {"N": "1"}, "a": {"S": "b"}},
        {"pk": {"N": "1"}, "sk": {"N": "1"}},
        {"pk": {"S": "a"}, "sk": {"S": "1"}},
        {"pk": {"S": "a"}, "sk": {"L": []}},
    ],
)
def test_keys_match_the_schema(ranged, key):
    assert refusal_of(typed.encode_key, ranged, key) == (ValidationError, SCHEMA)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ({"pk": {"S": "a"}, "sk": None}, EMPTY),
        ({"pk": {"S": "a"}, "sk": {}}, EMPTY),
        ({"pk": {"S": "a"}, "a": {"N": "x"}}, f"{NOT_A_NUMBER}: x"),
        ({"pk": {"S": "a"}, "sk": {"S": "a", "N": "1"}}, SEVERAL),
        ({"pk": {"S": ""}, "sk": {"N": "1"}}, (
            "One or more parameter values are not valid. The AttributeValue for a key attribute"
            " cannot contain an empty string value. Key: pk"
        )),
    ],
)
def test_values_of_keys_are_looked_at_first(ranged, key, words):
    assert refusal_of(typed.encode_key, ranged, key) == (ValidationError, words)


def test_a_key_may_have_members_that_do_not_count(ranged):
    key = {"pk": {"S": "a", "N": None}, "sk": {"X": 1, "N": "1"}}
    assert typed.encode_key(ranged, key) == ranged.key("a", 1)


def test_an_empty_binary_key_is_refused():
    codec = ItemCodec("pk", "B")
    for empty in (b"", "", bytearray()):
        assert refusal_of(typed.encode, codec, {"pk": {"B": empty}})[1] == (
            "One or more parameter values are not valid. The AttributeValue for a key attribute"
            " cannot contain an empty binary value. Key: pk"
        )


HASH_SIZE = f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes"
RANGE_SIZE = f"{INVALID}Aggregated size of all range keys has exceeded the size limit of 1024 bytes"


# Bytes count, not characters; the blank before 2048 is missing in the service's text.
@pytest.mark.parametrize("char", ["a", "é", "\U0001f600"])
def test_string_keys_have_at_most_2048_and_1024_bytes(char):
    codec = ItemCodec("pk", "S", "sk", "S")
    width = len(char.encode())
    longest = {"pk": {"S": char * (2048 // width)}, "sk": {"S": char * (1024 // width)}}
    for encode in (typed.encode, typed.encode_key):
        encode(codec, longest)
        for name, words in (("pk", HASH_SIZE), ("sk", RANGE_SIZE)):
            longer = {**longest, name: {"S": longest[name]["S"] + char}}
            assert refusal_of(encode, codec, longer) == (ValidationError, words)


def test_binary_keys_have_at_most_2048_and_1024_bytes():
    codec = ItemCodec("pk", "B", "sk", "B")
    longest = {"pk": {"B": bytes(2048)}, "sk": {"B": bytes(1024)}}
    for encode in (typed.encode, typed.encode_key):
        encode(codec, longest)
        for name, words in (("pk", HASH_SIZE), ("sk", RANGE_SIZE)):
            longer = {**longest, name: {"B": longest[name]["B"] + b"a"}}
            assert refusal_of(encode, codec, longer) == (ValidationError, words)


# -- what comes first ------------------------------------------------------------------------------


# The service reads the whole request, then looks at the values, and at the key last.
@pytest.mark.parametrize(
    ("item", "kind", "words"),
    [
        (
            {"pk": {"S": "a"}, "a": {"N": "x"}, "b": {"L": [{"M": {"c": {"S": 5}}}]}},
            SerializationError,
            "NUMBER_VALUE cannot be converted to String",
        ),
        ({"a": {"S": 5}}, SerializationError, "NUMBER_VALUE cannot be converted to String"),
        ({"a": {"M": {"b": {"N": "x"}}}}, ValidationError, f"{NOT_A_NUMBER}: x"),
        ({"pk": {"N": "1"}, "a": {}}, ValidationError, EMPTY),
        ({"pk": {"S": ""}, "a": {"SS": []}}, ValidationError,
         f"{INVALID}An string set  may not be empty"),
        (
            {"pk": {"S": "a"}, "a": {"B": b"x" * ITEM_SIZE_MAX}, "b": {"BOOL": 1}},
            SerializationError,
            "NUMBER_VALUE cannot be converted to Boolean",
        ),
        ({"a": {"S": "x" * (ITEM_SIZE_MAX + 1)}}, ValidationError,
         f"{INVALID}Missing the key pk in the item"),
    ],
)
def test_the_services_order_of_faults(codec, item, kind, words):
    assert refusal_of(typed.encode, codec, item) == (kind, words)


def wrapped(count, value, tag):
    for _ in range(count):
        value = {"L": [value]} if tag == "L" else {"M": {"a": value}}
    return value


# -- hostile bytes ---------------------------------------------------------------------------------


def decoded_or_corrupt(decode, codec, data):
    try:
        return decode(codec, data)
    except CorruptError:
        return None


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_corrupt(data):
    codec = ItemCodec("pk", "S")
    codec.intern_name("a")
    decoded_or_corrupt(typed.decode_value, codec, data)


@settings(max_examples=300)
@given(items, st.data())
def test_changed_records_are_an_item_or_corrupt(item, data):
    codec = ItemCodec("pk", "S")
    record = bytearray(typed.encode(codec, typed_item(item)))
    for _ in range(data.draw(st.integers(1, 3))):
        record[data.draw(st.integers(0, len(record) - 1))] = data.draw(st.integers(0, 255))
    for decode in (typed.decode, typed.decode_key):
        found = decoded_or_corrupt(decode, codec, bytes(record))
        assert found is None or "pk" in found


@given(items)
def test_records_cut_short_are_corrupt(item):
    codec = ItemCodec("pk", "S")
    record = typed.encode(codec, typed_item(item))
    for size in range(len(record)):
        with pytest.raises(CorruptError):
            typed.decode(codec, record[:size])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x05abc",
        b"\x01\xff",
        b"\x83\xff\xff\xff\xff\x0f",
        b"\x84\x02\xff\xff",
        b"\x86",
        b"\x89\1\2",
        b"\x8a\x01",
        b"\x8d\x04\x00\x00\x00\x00",
        b"\x8e\x05\x02\x41",
        b"\x8e\x01\x7f",
        b"\x8f\x03\x01\x09\x41",
        b"\x8f\x04\x01\x00\x00\x41",
        b"\x90\x01\x00",
        b"\x90\x02\x01\x41",
        b"\x91\x02\x01\x00",
        b"\x92\x03\x01\x01\x61",
        b"\x93",
        b"\xff",
    ],
)
def test_damaged_values_are_corrupt(codec, data):
    with pytest.raises(CorruptError):
        typed.decode_value(codec, data)


def test_bytes_nested_too_deeply_are_corrupt(codec):
    data = b"\x40"
    for _ in range(WRAPS_MAX):
        data = b"\x8e" + bytes([len(data) + 1, 1]) + data
    assert typed.decode_value(codec, data) == wrapped(WRAPS_MAX, {"N": "0"}, "L")
    data = b"\x8e" + bytes([len(data) + 1, 1]) + data
    with pytest.raises(CorruptError, match="nesting"):
        typed.decode_value(codec, data)


def test_a_record_of_another_kind_has_no_item(codec):
    record = typed.encode_key(codec, {"pk": {"S": "k"}})
    assert typed.decode_key(codec, record) == {"pk": {"S": "k"}}
    with pytest.raises(CorruptError, match="kind"):
        typed.decode(codec, record)


# -- memory ----------------------------------------------------------------------------------------


ITEM = {
    "pk": {"S": "k"},
    "s": {"S": "some text of more than sixteen bytes"},
    "n": {"N": "12.5"},
    "b": {"B": b"abc"},
    "l": {"L": [{"S": "x" * 30}, {"NULL": True}]},
    "m": {"M": {"inner": {"SS": ["a" * 40, "b"]}, "x" * 300: {"BOOL": True}}},
}


# Each step of a failing call gives back what it took.
def test_nothing_leaks(codec):
    record = typed.encode(codec, ITEM)
    broken = record[:-2] + b"\xff\xff"
    bad = {**ITEM, "z": {"M": {"a": {"L": [{"N": "x"}]}}}}

    def work():
        for _ in range(200):
            typed.encode(codec, ITEM)
            typed.decode(codec, record)
            decoded_or_corrupt(typed.decode, codec, broken)
            for size in range(16, len(record), 5):
                decoded_or_corrupt(typed.decode, codec, record[:size])
            with pytest.raises(ValidationError):
                typed.encode(codec, bad)

    work()
    gc.collect()
    before = sys.getallocatedblocks()
    work()
    gc.collect()
    assert sys.getallocatedblocks() - before < 100


def test_references_are_given_back(codec):
    texts = ["t" * 50, "12.75"]
    item = {"pk": {"S": "k"}, "a": {"S": texts[0]}, "b": {"N": texts[1]}, "c": {"L": [{}]}}
    before = [sys.getrefcount(text) for text in texts]
    for _ in range(10):
        with pytest.raises(ValidationError):
            typed.encode(codec, item)
    assert [sys.getrefcount(text) for text in texts] == before


def test_the_bench_door_runs(codec):
    for what in ("encode", "decode", "key"):
        typed.bench(codec, what, ITEM, 3)
    with pytest.raises(ValueError, match="other"):
        typed.bench(codec, "other", ITEM, 3)
