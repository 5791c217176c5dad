"""Programs: conditions and updates over item bytes, against a reference of plain dicts.

The reference reads the same trees (`hashrange.expr.parser`) and does what the developer guide
says, on Python values. Where a rule was observed on the service rather than read in the guide,
the comment above the test says so.
"""

from __future__ import annotations

import struct
import threading
from decimal import Context, Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ddbcore.errors import (
    ConditionalCheckFailed,
    CorruptError,
    ItemTooLarge,
    ValidationError,
)
from ddbcore.item import ItemCodec
from ddbcore.program import Program
from hashrange.expr import compile_program, parser, tree

ITEM_SIZE_MAX = 409_600
EXACT = Context(prec=400)
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


# ---- the reference -------------------------------------------------------------------------------


ABSENT = object()


def type_of(value: Any) -> str:
    if value is ABSENT:
        return ""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "BOOL"
    if isinstance(value, set):
        return type_of(next(iter(value))) + "S"
    kinds = {str: "S", int: "N", Decimal: "N", bytes: "B", list: "L", dict: "M"}
    return kinds[type(value)]


def equal(left: Any, right: Any) -> bool:
    kind = type_of(left)
    if not kind or kind != type_of(right):
        return False
    if kind == "L":
        return len(left) == len(right) and all(map(equal, left, right))
    if kind == "M":
        return left.keys() == right.keys() and all(equal(left[k], right[k]) for k in left)
    return left == right


def order_key(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def size_function(value: Any) -> Any:
    kind = type_of(value)
    if kind == "S":
        return len(value.encode("utf-16-le")) // 2
    return len(value) if kind in ("B", "L", "M", "SS", "NS", "BS") else ABSENT


class Reference:
    """The expression language on a dict."""

    def __init__(self, item: dict[str, Any] | None, values: dict[str, Any]) -> None:
        self.old = {} if item is None else {**KEY, **item}
        self.values = values

    def operand(self, node):
        if isinstance(node, tree.Path):
            return self.old.get(node.elements[0], ABSENT)
        if isinstance(node, tree.Value):
            return self.values[node.token]
        arguments = [self.operand(argument) for argument in node.arguments]
        if node.function == "size":
            return size_function(arguments[0])
        if node.function == "if_not_exists":
            return arguments[1] if arguments[0] is ABSENT else arguments[0]
        return self.joined(*arguments)

    def joined(self, left, right):
        if left is ABSENT or right is ABSENT or type_of(left) != "L" or type_of(right) != "L":
            raise ValidationError("list_append")
        return left + right

    def holds(self, node) -> bool:
        if isinstance(node, tree.And):
            return all(map(self.holds, node.parts))
        if isinstance(node, tree.Or):
            return any(map(self.holds, node.parts))
        if isinstance(node, tree.Not):
            return not self.holds(node.part)
        if isinstance(node, tree.Between):
            operand, lower, upper = map(self.operand, (node.operand, node.lower, node.upper))
            return compare(">=", operand, lower) and compare("<=", operand, upper)
        if isinstance(node, tree.In):
            operand = self.operand(node.operand)
            return any(equal(operand, self.operand(candidate)) for candidate in node.candidates)
        if isinstance(node, tree.Call):
            return function(node.function, [self.operand(a) for a in node.arguments])
        return compare(node.operator, self.operand(node.left), self.operand(node.right))

    def apply(self, actions):
        new = dict(KEY, **self.old)
        for action in actions:
            name = action.path.elements[0]
            value = self.result(action, self.old.get(name, ABSENT))
            if value is ABSENT:
                new.pop(name, None)
            else:
                new[name] = value
        return new

    def result(self, action, old):
        if isinstance(action, tree.Remove):
            return ABSENT
        if isinstance(action, tree.Set):
            value = self.set_value(action.value)
            if value is ABSENT:
                raise ValidationError("absent")
            return value
        value = self.values[action.value.token]
        if old is ABSENT:
            return value if isinstance(action, tree.Add) else ABSENT
        if type_of(old) != type_of(value):
            raise ValidationError("types")
        if isinstance(action, tree.Delete):
            return old - value or ABSENT
        return old | value if isinstance(value, set) else total(old, value, "+")

    def set_value(self, node):
        if not isinstance(node, tree.Arithmetic):
            return self.operand(node)
        left, right = self.operand(node.left), self.operand(node.right)
        if type_of(left) != "N" or type_of(right) != "N":
            raise ValidationError("arithmetic")
        return total(left, right, node.operator)


def compare(operator, left, right) -> bool:
    if operator in ("=", "<>"):
        return equal(left, right) == (operator == "=")
    if type_of(left) != type_of(right) or type_of(left) not in ("S", "N", "B"):
        return False
    left, right = order_key(left), order_key(right)
    order = (left > right) - (left < right)
    return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[operator]


def function(name, arguments) -> bool:
    first = arguments[0]
    if name == "attribute_exists":
        return first is not ABSENT
    if name == "attribute_not_exists":
        return first is ABSENT
    second = arguments[1]
    kinds = type_of(first), type_of(second)
    if name == "attribute_type":
        return kinds[0] == second
    if name == "begins_with":
        return kinds in (("S", "S"), ("B", "B")) and first.startswith(second)
    if kinds in (("S", "S"), ("B", "B")):
        return second in first
    if kinds in (("SS", "S"), ("NS", "N"), ("BS", "B")):
        return second in first
    return kinds[0] == "L" and any(equal(element, second) for element in first)


def total(left, right, operator):
    left, right = Decimal(left), Decimal(right)
    result = EXACT.add(left, right) if operator == "+" else EXACT.subtract(left, right)
    if len(result.normalize(EXACT).as_tuple().digits) > 38:
        raise ValidationError("digits")
    if result and result.adjusted() > 125:
        raise ValidationError("overflow")
    return result


# ---- strategies ----------------------------------------------------------------------------------


numbers = st.one_of(
    st.integers(-70, 70),
    st.integers(-(2**63) - 2, 2**63 + 2),
    st.decimals(-1000, 1000, places=2),
    st.decimals(allow_nan=False, allow_infinity=False, places=30, min_value=-999, max_value=999),
    st.sampled_from([10**30, Decimal("1E-130"), Decimal("9.9E+125"), 2**62, -(2**62)]),
)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=6) | st.sampled_from(
    ["", "a", "ab", "abc", "b", "é", "\U0001f600", "x" * 63, "x" * 64, "x" * 300]
)
binaries = st.binary(max_size=5)
scalars = numbers | texts | binaries | st.booleans() | st.none()
sets = st.one_of(
    st.sets(st.sampled_from(["a", "b", "c", "é", "dd"]), min_size=1),
    st.sets(st.integers(-2, 3) | st.sampled_from([Decimal("0.5"), 300]), min_size=1),
    st.sets(st.binary(max_size=2), min_size=1, max_size=4),
)
documents = st.recursive(
    scalars | sets,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["a", "q", "w"]), inner, max_size=3),
    max_leaves=5,
)
lists = st.lists(scalars, max_size=3)
# Each attribute has a type it usually has, so that most updates fit.
items = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "a": numbers,
        "b": lists,
        "c": sets,
        "d": documents | lists | numbers,
        "e": documents | sets | numbers,
    },
)
paths = st.sampled_from(["a", "b", "c", "d", "e", "pk", "sk"])
value_tokens = st.sampled_from([":u", ":v", ":w", ":x"])
operands = paths | value_tokens
sized = operands | paths.map("size({})".format)


def predicates():
    comparison = st.tuples(sized, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), sized)
    return st.one_of(
        comparison.map(" ".join),
        st.tuples(sized, paths, paths).map("{0[0]} BETWEEN {0[1]} AND {0[2]}".format),
        st.tuples(sized, st.lists(operands, min_size=1, max_size=4).map(", ".join)).map(
            "{0[0]} IN ({0[1]})".format
        ),
        paths.map("attribute_exists({})".format),
        paths.map("attribute_not_exists({})".format),
        st.tuples(paths, operands).map("begins_with({0[0]}, {0[1]})".format),
        st.tuples(operands, operands).map("contains({0[0]}, {0[1]})".format),
        paths.map("attribute_type({}, :type)".format),
    )


conditions = st.recursive(
    predicates(),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(" ".join),
        inner.map("NOT {}".format),
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(
            "NOT ({0[0]} {0[1]} {0[2]})".format
        ),
    ),
    max_leaves=8,
)

number_operands = st.sampled_from(["a", "d", "e", "sk", ":u", ":u"])
list_operands = st.recursive(
    st.sampled_from(["b", "d", ":w", ":w"]),
    lambda inner: st.tuples(paths, inner).map("if_not_exists({0[0]}, {0[1]})".format)
    | st.tuples(inner, inner).map("list_append({0[0]}, {0[1]})".format),
    max_leaves=4,
)
set_values = st.one_of(
    operands,
    list_operands,
    st.tuples(paths, operands).map("if_not_exists({0[0]}, {0[1]})".format),
    st.tuples(number_operands, st.sampled_from("+-"), number_operands).map(" ".join),
    st.tuples(paths, number_operands).map("if_not_exists({0[0]}, {0[1]}) + :u".format),
)


@st.composite
def updates(draw):
    names = draw(st.permutations(["a", "b", "c", "d", "e"]))[: draw(st.integers(1, 4))]
    clauses: dict[str, list[str]] = {}
    for name in names:
        kind = draw(st.sampled_from(["SET", "SET", "REMOVE", "ADD", "DELETE"]))
        action = name
        if kind == "SET":
            action = f"{name} = {draw(set_values)}"
        elif kind != "REMOVE":
            operand = ":v" if kind == "DELETE" else draw(st.sampled_from([":u", ":v"]))
            action = f"{name} {operand}"
        clauses.setdefault(kind, []).append(action)
    return " ".join(f"{kind} {', '.join(actions)}" for kind, actions in clauses.items())


VALUE_SET = st.fixed_dictionaries(
    {
        ":u": numbers,
        ":v": sets,
        ":w": lists,
        ":x": documents,
        ":type": st.sampled_from(["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"]),
    }
)


def used(values, *expressions):
    """Return the values that an expression uses; the service refuses the others."""
    whole = " ".join(filter(None, expressions))
    return {token: value for token, value in values.items() if token in whole}


def accepted(program: Program, codec: ItemCodec, values) -> bool:
    """Tell whether the constants have types that the expression takes; others: see below."""
    try:
        program.apply(codec, None, codec.key(KEY["pk"], KEY["sk"]), None, values)
    except ConditionalCheckFailed:
        return True
    except ItemTooLarge:
        return True
    except ValidationError as error:
        return not str(error).startswith("Invalid ")
    return True


# ---- properties ----------------------------------------------------------------------------------


# Every form of update on every mix of types: the same item as the reference's, or both refuse.
@settings(max_examples=600, deadline=None)
@given(items, updates(), VALUE_SET)
@example({"a": 1}, "SET a = a + :u", {":u": 2**63})
@example({"a": [1]}, "SET a = list_append(a, a)", {})
def test_update_makes_the_item_that_the_reference_makes(item, text, values):
    values = used(values, text)
    codec = codec_make()
    program = compile_program(text, None)
    if not accepted(program, codec, values):
        return
    reference = Reference(item, values)
    try:
        expected = reference.apply(parser.parse_update(text))
    except ValidationError:
        with pytest.raises(ValidationError):
            update(item, text, values)
        return
    for name in KEY:
        expected.pop(name)
    result = update(item, text, values, codec=codec)
    if result is None:
        assert item is not None
        result = item
    assert equal(result, expected)


# A condition of any depth over any types.
@settings(max_examples=600, deadline=None)
@given(items, conditions, VALUE_SET)
def test_condition_decides_as_the_reference_does(item, text, values):
    values = used(values, text)
    codec = codec_make()
    try:
        program = compile_program(None, text)
        result = program.test(codec, record_of(codec, item), None, values)
    except ValidationError as error:
        # Operands that the service refuses before it looks at the item.
        result = str(error)
    if isinstance(result, str):
        assert "operand" in result or "bounds" in result
        return
    assert result == Reference(item, values).holds(parser.parse_condition(text))


# Damaged records: every bit of one flipped, and every truncation. An answer or CorruptError, never
# a crash; under ASan this test also proves that nothing is read beyond the record.
def test_damaged_records_are_refused_or_answered():
    codec = codec_make()
    item = {"a": "text", "b": {1, 2}, "c": [1, {"q": "w"}], "d": Decimal("1.5"), "e": b"x" * 300}
    record = record_of(codec, item)
    key = codec.key(KEY["pk"], KEY["sk"])
    program = compile_program(
        "SET a = if_not_exists(zz, a), c = list_append(c, :l) ADD b :b, d :d REMOVE e",
        "size(e) > :d OR contains(c, :l) OR c = :l OR pk = a OR sk < d",
    )
    values = {":l": [{"w": 1, "q": 2}], ":b": {3}, ":d": 1}
    outcomes = {"answered": 0, "refused": 0}
    damaged = [record[:size] for size in range(len(record))]
    for position in range(len(record) * 8):
        copy = bytearray(record)
        copy[position // 8] ^= 1 << position % 8
        damaged.append(bytes(copy))
    for copy in damaged:
        try:
            program.apply(codec, copy, key, None, values)
            outcomes["answered"] += 1
        except (CorruptError, ValidationError, ConditionalCheckFailed):
            outcomes["refused"] += 1
    assert outcomes["refused"] > len(record)


# Steps come from the compiler, but a Program must not be a way to crash: random bytes as steps.
@settings(max_examples=1000, deadline=None)
@given(st.binary(min_size=8, max_size=48), st.binary(min_size=8, max_size=48))
def test_unsound_steps_are_refused(update_code, condition_code):
    codec = codec_make()
    update_code = update_code[: len(update_code) // 8 * 8]
    condition_code = bytes(b % 14 if i % 8 == 0 else b % 3 for i, b in enumerate(condition_code))
    condition_code = condition_code[: len(condition_code) // 8 * 8]
    for steps in ((update_code, None), (None, condition_code)):
        try:
            program = Program(*steps, ("a", "b"), (":v",))
        except ValueError:
            continue
        record = record_of(codec, {"a": 1})
        try:
            program.apply(codec, record, codec.key("ada", 7), None, {":v": "x"})
        except (ValidationError, ConditionalCheckFailed):
            pass


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
