"""Programs: conditions and updates over item bytes, rule by rule.

Where a rule was observed on the service rather than read in the guide, the comment above the test
says so.
"""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from core.programs import KEY, codec_make, holds, record_of, refusal, size_of, update

from ddbcore.errors import ConditionalCheckFailed, ItemTooLarge, ValidationError
from ddbcore.item import ItemCodec
from hashrange.expr import compile_program

ITEM_SIZE_MAX = 409_600


# ---- updates -------------------------------------------------------------------------------------


def test_update_of_an_absent_item_creates_it():
    assert update(None, "SET a = :v", {":v": 1}) == {"a": 1}
    assert update(None, "ADD a :v", {":v": {"x"}}) == {"a": {"x"}}


def test_update_that_changes_nothing_writes_nothing():
    item = {"a": 1, "tags": {"x"}, "l": [1]}
    for text, values in [
        ("REMOVE nope", None),
        ("SET a = :v", {":v": 1}),
        ("SET a = a", None),
        ("SET a = if_not_exists(a, :v)", {":v": 5}),
        ("ADD tags :v", {":v": {"x"}}),
        ("DELETE tags :v", {":v": {"y"}}),
        ("DELETE nope :v", {":v": {"y"}}),
        ("ADD a :v", {":v": 0}),
    ]:
        assert update(item, text, values) is None, text


# Observed on the service: SET a = :v, b = a reads the old a.
def test_operands_are_read_from_the_item_as_it_was():
    assert update({"a": 1, "b": 2}, "SET a = b, b = a") == {"a": 2, "b": 1}
    message = refusal(update, {"c": 1}, "SET a = :v, b = a", {":v": 1})
    assert message == (
        "The provided expression refers to an attribute that does not exist in the item"
    )


def test_attributes_keep_their_places_and_new_ones_come_last():
    codec = codec_make()
    item = {"a": 1, "b": "x" * 70, "c": 3, "d": 4}
    key = codec.key("ada", 7)
    program = compile_program("SET z = :v, c = :w, a = :w REMOVE b", None)
    new = program.apply(codec, record_of(codec, item), key, None, {":v": "new", ":w": 10**12})
    expected = {**KEY, "a": 10**12, "c": 10**12, "d": 4, "z": "new"}
    assert list(codec.decode(new)) == list(expected)
    assert new == codec.encode(expected)


def test_key_attributes_can_be_read_but_not_written():
    assert update({"a": 1}, "SET b = pk, c = sk + :v", {":v": 1}) == {"a": 1, "b": "ada", "c": 8}
    assert holds({"a": 1}, "pk = :p AND sk BETWEEN :a AND :b", {":p": "ada", ":a": 7, ":b": 7})
    assert holds({"a": 1}, "begins_with(pk, :p) AND size(pk) = :n", {":p": "ad", ":n": 3})
    for text in ("SET pk = :v", "ADD sk :v", "SET #k = :v"):
        names = {"#k": "sk"} if "#k" in text else None
        name = "pk" if "pk" in text else "sk"
        assert refusal(update, {"a": 1}, text, {":v": 1}, names) == (
            f"One or more parameter values were invalid: Cannot update attribute {name}. "
            "This attribute is part of the key"
        )


@pytest.mark.parametrize("kind", ["S", "N", "B"])
def test_keys_of_every_type_become_values(kind):
    keys = {
        "S": ["a", "é", "x" * 63, "x" * 64, "x" * 2048],
        "N": [0, 63, 64, -1, 10**30, Decimal("-0.5"), Decimal("1E-130"), 2**63 - 1],
        "B": [b"a", b"\x00" * 64, b"\xff" * 2048],
    }
    for value in keys[kind]:
        codec = ItemCodec("k", kind)
        program = compile_program("SET twin = k", "k = :v AND k <= :v AND NOT k <> :v")
        record = codec.encode({"k": value})
        new = program.apply(codec, record, codec.key(value), None, {":v": value})
        assert new == codec.encode({"k": value, "twin": value})


def test_a_set_that_becomes_empty_is_removed():
    assert update({"a": {1, 2}, "b": 1}, "DELETE a :v", {":v": {1, 2, 3}}) == {"b": 1}


def test_arithmetic_is_exact_at_the_limits_of_int64():
    for start, step in [(2**63 - 1, 1), (-(2**63), -1), (2**62, 2**62), (10**37, 1)]:
        assert update({"a": start}, "ADD a :v", {":v": step}) == {"a": start + step}
        assert update({"a": start}, "SET a = a - :v", {":v": -step}) == {"a": start + step}
    cents = Decimal("0.1")
    assert update({"a": cents}, "ADD a :v", {":v": Decimal("0.2")}) == {"a": Decimal("0.3")}
    refusal(update, {"a": 10**37}, "ADD a :v", {":v": Decimal("0.01")})


def test_operands_of_wrong_types_in_the_item_are_refused():
    for text, values in [
        ("SET z = a + b", None),
        ("SET z = list_append(l, a)", None),
        ("ADD b :v", {":v": 1}),
        ("ADD tags :v", {":v": {1}}),
        ("DELETE tags :v", {":v": {1}}),
        ("ADD a :v", {":v": {1}}),
    ]:
        message = refusal(update, {"a": 1, "b": "s", "l": [], "tags": {"x"}}, text, values)
        assert message == "An operand in the update expression has an incorrect data type"


def test_constants_of_wrong_types_are_refused_before_the_item_is_read():
    prefix = "Invalid UpdateExpression: Incorrect operand type for operator or function; "
    for text, value, rest in [
        ("ADD a :v", "s", "operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"),
        ("ADD a :v", [1], "operator: ADD, operand type: LIST, typeSet: ALLOWED_FOR_ADD_OPERAND"),
        ("DELETE a :v", 1, "operator: DELETE, operand type: NUMBER, typeSet: "
         "ALLOWED_FOR_DELETE_OPERAND"),
        ("SET a = a + :v", "s", "operator or function: +, operand type: S"),
        ("SET a = :v - a", {1}, "operator or function: -, operand type: NS"),
        ("SET a = list_append(a, :v)", {}, "operator or function: list_append, operand type: M"),
    ]:
        assert refusal(update, None, text, {":v": value}) == prefix + rest


def test_paths_that_meet_through_placeholders_overlap():
    message = refusal(update, {"a": 1}, "SET a = :v REMOVE #x", {":v": 1}, {"#x": "a"})
    assert message == (
        "Invalid UpdateExpression: Two document paths overlap with each other; must remove or "
        "rewrite one of these paths; path one: [a], path two: [a]"
    )


# 409,600 bytes of name and value fit, one more does not; names of three bytes, key of ten.
def test_item_size_limit_is_exact():
    room = ITEM_SIZE_MAX - len("pkadask") - 2 - len("abc")
    codec = codec_make()
    assert size_of(codec.encode({**KEY, "abc": "x" * room})) == ITEM_SIZE_MAX
    update({"abc": "x"}, "SET abc = :v", {":v": "x" * room})
    with pytest.raises(ItemTooLarge, match="Item size to update has exceeded the maximum allowed"):
        update({"abc": "x" * room}, "SET b = :v", {":v": ""})
    with pytest.raises(ItemTooLarge):
        update({"abc": ["x" * 300_000]}, "SET abc = list_append(abc, abc)")


def test_names_beyond_the_table_and_the_intern_limit_are_stored_as_text():
    codec = codec_make()
    for index in range(8192):
        codec.intern_name(f"name{index}")
    item = {"outside": 1, "name5": 2, "n" * 300: 3}
    for _ in range(2):
        result = update(item, "SET #l = #l + :v, fresh = outside ADD outside :v REMOVE name5",
                        {":v": 1}, {"#l": "n" * 300}, codec=codec)
        assert result == {"outside": 2, "n" * 300: 4, "fresh": 1}


# ---- conditions ----------------------------------------------------------------------------------


def test_failed_condition_raises_and_writes_nothing():
    with pytest.raises(ConditionalCheckFailed, match=r"^The conditional request failed$"):
        update({"a": 1}, "SET a = :v", {":v": 2}, condition="a = :v")
    with pytest.raises(ConditionalCheckFailed):
        update(None, "SET a = :v", {":v": 2}, condition="attribute_exists(pk)")


# Absent: every comparison is false but <>.
def test_comparisons_with_absent_attributes():
    values = {":v": 1}
    assert holds({}, "nope <> :v", values)
    for operator in ("=", "<", "<=", ">", ">="):
        assert not holds({}, f"nope {operator} :v", values)
        assert not holds(None, f"pk {operator} :v", values)
    assert not holds({}, "nope = nix")
    assert holds({}, "nope <> nix")


def test_values_of_different_types_are_unequal_and_unordered():
    for left in (1, "1", b"1"):
        for right in (1, "1", b"1"):
            same = left == right
            assert holds({"a": left}, "a = :v", {":v": right}) == same
            assert holds({"a": left}, "a <> :v", {":v": right}) != same
            assert holds({"a": left}, "a <= :v", {":v": right}) == same


def test_maps_are_equal_in_any_order_and_sets_too():
    a = {"x": 1, "y": [{"p": 1, "q": {"s", "t"}}], "w": None}
    b = {"w": None, "y": [{"q": {"t", "s"}, "p": 1}], "x": Decimal("1.0")}
    assert holds({"m": a}, "m = :v", {":v": b})
    assert not holds({"m": a}, "m = :v", {":v": {**b, "x": 2}})
    assert not holds({"m": a}, "m = :v", {":v": {"x": 1}})
    assert holds({"l": [a, 1]}, "contains(l, :v)", {":v": b})


# Measured on the service: size() of a string counts UTF-16 code units.
def test_size_counts_utf16_code_units():
    for text, size in [("", 0), ("abc", 3), ("é", 1), ("\U0001f600", 2), ("x" * 300, 300)]:
        assert holds({"a": text}, "size(a) = :n", {":n": size})
    assert holds({"a": b"\xf0\x9f"}, "size(a) = :n", {":n": 2})
    assert holds({"a": {"k": 1}, "b": [1, 2]}, "size(a) < size(b)")
    assert not holds({"a": 5}, "size(a) >= :n", {":n": 0})


def test_between_refuses_bounds_of_two_types_or_in_the_wrong_order():
    prefix = "Invalid ConditionExpression: The BETWEEN operator requires "
    assert refusal(holds, {}, "a BETWEEN :x AND :y", {":x": 1, ":y": "a"}) == (
        prefix + "same data type for lower and upper bounds; lower bound operand: "
        "AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:a}"
    )
    assert refusal(holds, {}, "a BETWEEN :x AND :y", {":x": "b", ":y": "a"}) == (
        prefix + "upper bound to be greater than or equal to lower bound; lower bound operand: "
        "AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}"
    )


def test_operands_that_must_differ_are_compared_after_binding():
    assert refusal(holds, {}, "a = #b", None, {"#b": "a"}) == (
        "Invalid ConditionExpression: The first operand must be distinct from the remaining "
        "operands for this operator or function; operator: =, first operand: [a]"
    )


def test_attribute_type_takes_the_name_of_a_type():
    assert holds({"a": {1}}, "attribute_type(a, :t)", {":t": "NS"})
    assert "Invalid attribute type name found; type: XX" in refusal(
        holds, {}, "attribute_type(a, :t)", {":t": "XX"}
    )


# ---- binding -------------------------------------------------------------------------------------


def test_placeholders_must_be_defined_and_used():
    undefined_value = (
        "An expression attribute value used in expression is not defined; attribute value: :v"
    )
    undefined_name = (
        "An expression attribute name used in the document path is not defined; attribute name: #n"
    )
    for values in (None, {}, {":x": 1}):
        assert refusal(update, {}, "SET a = :v", values) == (
            "Invalid UpdateExpression: " + undefined_value
        )
        assert refusal(holds, {}, "a = :v", values) == (
            "Invalid ConditionExpression: " + undefined_value
        )
    assert refusal(update, {}, "REMOVE #n") == "Invalid UpdateExpression: " + undefined_name
    assert refusal(update, {}, "SET a = :v", {":v": 1, ":x": 1, ":w": 2}) == (
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w, :x}"
    )
    assert refusal(update, {}, "REMOVE a", None, {"#n": "a"}) == (
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}"
    )
    assert refusal(update, {}, "REMOVE a", None, {"a": "a"}) == (
        'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"'
    )


def test_values_have_at_most_2_mb_together():
    values = {f":v{index}": "x" * 400_000 for index in range(6)}
    text = " AND ".join(f"a <> {token}" for token in values)
    assert "2097152 bytes" in refusal(holds, {}, text, values)
    del values[":v5"]
    assert holds({}, text.removesuffix(" AND a <> :v5"), values)


def test_values_that_cannot_be_stored_name_their_placeholder():
    message = refusal(update, {}, "SET a = :v", {":v": {"x": [1.5]}})
    assert message.startswith("ExpressionAttributeValues contains invalid value: ")
    assert message.endswith("for key :v")
    for name in ("", "\ud800", 5, "x" * 65_536):
        refusal(update, {}, "REMOVE #n", None, {"#n": name})


class Text(str):
    """A subclass, as callers have them."""


def test_names_and_values_may_be_subclasses_and_other_mappings():
    from types import MappingProxyType

    names = MappingProxyType({"#n": Text("a")})
    values = MappingProxyType({":v": Text("new")})
    assert update({"a": "old"}, "SET #n = :v", values, names) == {"a": "new"}


# A program remembers the fields of its last run; it must notice other names, other tables, a failed
# run in between, and names that the table has learnt since.
def test_programs_rebind_when_anything_changes():
    program = compile_program("SET #n = :v", "attribute_exists(#m)")
    codecs = [codec_make(), ItemCodec("other", "S"), codec_make()]
    for codec in (*codecs, *codecs):
        key = codec.key("ada") if codec.range_name is None else codec.key("ada", 7)
        base = codec.decode_record_key(key)
        base = {"other": base} if codec.range_name is None else dict(KEY)
        for name in ("a", "b", "a", "c"):
            item = {**base, "c": 0, "z": 5}
            arguments = ({"#n": name, "#m": "z"}, {":v": 1})
            new = program.apply(codec, codec.encode(item), key, *arguments)
            assert codec.decode(new) == {**item, name: 1}
            with pytest.raises(ValidationError):
                program.apply(codec, codec.encode(item), key, {"#n": "q"}, {":v": 1})
            with pytest.raises(ValidationError):
                program.apply(codec, codec.encode(item), key, {"#n": "z", "#m": "z"}, {})
            with pytest.raises(ConditionalCheckFailed):
                program.apply(codec, codec.encode(item), key, {"#n": "z", "#m": "none"}, {":v": 1})
            hash_name = codec.hash_name
            with pytest.raises(ValidationError):
                program.apply(codec, None, key, {"#n": hash_name, "#m": "z"}, {":v": 1})


def test_one_program_serves_many_threads():
    codec = codec_make()
    program = compile_program("SET #n = :v ADD qty :one", "qty >= :zero")
    record = record_of(codec, {"qty": 1, "name0": 0})
    key = codec.key("ada", 7)
    failures = []

    def work(number: int) -> None:
        name = f"name{number}"
        values = {":v": number, ":one": 1, ":zero": 0}
        for _ in range(2000):
            new = codec.decode(program.apply(codec, record, key, {"#n": name}, values))
            if new["qty"] != 2 or new[name] != number:
                failures.append(new)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
