"""Programs against a reference of plain dicts: any update, any condition, any bytes.

The reference reads the same trees (`hashrange.expr.parser`) and does what the developer guide
says, on Python values.
"""

from __future__ import annotations

import copy
from decimal import Context, Decimal
from typing import Any

import pytest
from core.programs import KEY, codec_make, record_of, update
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

EXACT = Context(prec=400)


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
            return find(self.old, node.elements)
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
        new = copy.deepcopy(dict(KEY, **self.old))
        removed = []
        for action in actions:
            *way, last = action.path.elements
            value = self.result(action, find(self.old, action.path.elements))
            parent = find(new, way)
            if type(parent) is not (dict if isinstance(last, str) else list):
                raise ValidationError("path")
            if isinstance(last, int):
                # A gap keeps later indexes where they were; all gaps are closed at the end.
                parent.extend([ABSENT] * (last + 1 - len(parent)))
                parent[last] = value
                removed.append(parent)
            elif value is ABSENT:
                parent.pop(last, None)
            else:
                parent[last] = value
        for parent in removed:
            parent[:] = [value for value in parent if value is not ABSENT]
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


def find(document, elements):
    for element in elements:
        if type(document) is not (dict if isinstance(element, str) else list):
            return ABSENT
        if isinstance(element, str):
            document = document.get(element, ABSENT)
        else:
            document = document[element] if element < len(document) else ABSENT
    return document


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
        "m": st.fixed_dictionaries(
            {},
            optional={
                "a": numbers | documents,
                "l": st.lists(scalars | st.fixed_dictionaries({"x": numbers}), max_size=4),
                "m": st.fixed_dictionaries({"n": numbers}, optional={"s": sets, "long": texts}),
            },
        ),
    },
)
nested = st.sampled_from(
    ["d.a", "d.q", "d.w", "d[0]", "d[1]", "d.a.q", "d.q[0]", "d.w.a", "d[1].q", "b[0]", "b[2]",
     "m.a", "m.l[0]", "m.l[1].x", "m.m.n", "m.m.s", "pk.a", "zz.a", "zz[0]"]
)  # fmt: skip
plain = st.sampled_from(["a", "b", "c", "d", "e", "pk", "sk"])
paths = plain | nested
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

number_operands = st.sampled_from(["a", "d", "e", "sk", "m.a", "m.m.n", "m.l[0]", ":u", ":u"])
list_operands = st.recursive(
    st.sampled_from(["b", "d", "m.l", ":w", ":w"]),
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


# Targets of one update neither overlap nor conflict.
target_sets = st.sampled_from(
    [
        ["a", "b", "c", "d", "e", "m.a", "m.l", "m.m"],
        ["d.a", "d.q.w", "d.w[0]", "b[0]", "b[1]", "b[7]", "b[5]", "m.m.n", "m.m.s", "m.m.fresh"],
        ["d[0]", "d[1].a", "d[2]", "m.l[0]", "m.l[1].x", "m.l[1].y", "m.l[2]", "m.l[9]", "m.b"],
        ["m.l[3]", "m.l[2]", "m.l[8]", "m.new1", "m.new2", "m.a", "e.a", "e.q", "c", "zz.a"],
    ]
)


@st.composite
def updates(draw):
    names = draw(target_sets.flatmap(st.permutations))[: draw(st.integers(1, 5))]
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
    item = {
        "a": "text", "b": {1, 2}, "c": [1, {"q": "w"}], "d": Decimal("1.5"), "e": b"x" * 300,
        "m": {"l": [1, {"x": 2}], "s": {"y", "z"}, "t": "u"},
    }
    record = record_of(codec, item)
    key = codec.key(KEY["pk"], KEY["sk"])
    program = compile_program(
        "SET a = if_not_exists(zz, a), c = list_append(c, :l), m.l[1].x = d, m.fresh = m.t "
        "ADD b :b, d :d REMOVE e, m.s, m.l[0]",
        "size(e) > :d OR contains(c, :l) OR c = :l OR m.l[1].x = a OR pk = a OR sk < d",
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
    kinds = (0, 0x20, 0x80, 0xC0)
    condition_code = bytes(
        b % 14 if i % 8 == 0 else kinds[b % 4] if i % 2 else b % 3
        for i, b in enumerate(condition_code)
    )
    condition_code = condition_code[: len(condition_code) // 8 * 8]
    for steps in ((update_code, None), (None, condition_code)):
        try:
            program = Program(*steps, ("a", "b"), (":v",), paths=((-1, -2), (-1, 0, -1)))
        except ValueError:
            continue
        record = record_of(codec, {"a": 1})
        try:
            program.apply(codec, record, codec.key("ada", 7), None, {":v": "x"})
        except (ValidationError, ConditionalCheckFailed):
            pass
