"""Projections: the named paths of an item, and nothing else."""

from __future__ import annotations

import copy
from decimal import Decimal

import pytest
from core.programs import KEY, codec_make, record_of, refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from ddbcore.errors import CorruptError, ValidationError
from ddbcore.item import ItemCodec
from hashrange.expr import compile_program, compile_projection, compile_touched, parser

ITEM = {
    "a": {"b": [10, {"c": "x", "d": None}, [1, 2, 3]], "s": {"y"}, "n": Decimal("1.5")},
    "q": 5,
    "status": "open",
    "l": ["p", "q", "r", "s"],
}


def project(text, names=None, item=None, **options):
    codec = codec_make()
    record = record_of(codec, ITEM if item is None else item)
    return compile_projection(text).project(codec, record, names, **options)


def projection_refusal(text, names=None) -> str:
    message = refusal(project, text, names)
    assert message.startswith("Invalid ProjectionExpression: ")
    return message.removeprefix("Invalid ProjectionExpression: ")


def test_whole_attributes_and_keys_are_returned():
    assert project("q, a, sk, pk") == {"q": 5, "a": ITEM["a"], **KEY}
    codec = ItemCodec("id", "B")
    record = codec.encode({"id": b"k", "x": 1})
    assert compile_projection("id").project(codec, record) == {"id": b"k"}


# Developer guide: "the structure of the item is preserved"; elements of lists move together.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.n", {"a": {"n": Decimal("1.5")}}),
        ("a.b[1].c, q, a.s", {"a": {"b": [{"c": "x"}], "s": {"y"}}, "q": 5}),
        ("l[2], l[0]", {"l": ["p", "r"]}),
        ("a.b[2][2], a.b[1].d, a.b[2][0]", {"a": {"b": [{"d": None}, [1, 3]]}}),
        ("a.b[0].x, a.b[9], a.z, zz.y, l[4], q.x, pk.x", {}),
        ("a.b[1].none1, l[1]", {"l": ["q"]}),
        ("#s, #p.#b[0]", {"status": "open", "a": {"b": [10]}}),
    ],
)
def test_paths_lead_into_documents(text, expected):
    names = {"#s": "status", "#p": "a", "#b": "b"} if "#" in text else None
    assert project(text, names) == expected


def test_absent_items_have_nothing():
    assert compile_projection("pk, a.b").project(codec_make(), None) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The expression can not be empty;"),
        ("a,", 'Syntax error; token: "<EOF>", near: ","'),
        ("a b", 'Syntax error; token: "b", near: "a b"'),
        ("a.b[x]", 'Syntax error; token: "x", near: "[x]"'),
        (":v", 'Syntax error; token: ":v", near: ":v"'),
        ("size(a)", 'Syntax error; token: "(", near: "size(a"'),
        ("a.Status", "Attribute name is a reserved keyword; reserved keyword: Status"),
        ("a[2147483648]", "List index is not within the allowable range; index: [2147483648]"),
        (
            "a, b, a.c",
            "Two document paths overlap with each other; must remove or rewrite one of these "
            "paths; path one: [a], path two: [a, c]",
        ),
        (
            "a.b, a[1]",
            "Two document paths conflict with each other; must remove or rewrite one of these "
            "paths; path one: [a, b], path two: [a, [1]]",
        ),
        (
            "#n",
            "An expression attribute name used in the document path is not defined; "
            "attribute name: #n",
        ),
    ],
)
def test_projections_are_refused_in_the_words_of_the_service(text, message):
    assert projection_refusal(text) == message


def test_paths_that_names_make_equal_overlap():
    assert projection_refusal("a, #a", {"#a": "a"}).endswith("path one: [a], path two: [a]")


def test_unused_names_are_refused_unless_the_dict_serves_others_too():
    names = {"#s": "status", "#x": "x"}
    assert refusal(project, "#s", names) == (
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}"
    )
    assert project("#s", names, partial=True) == {"status": "open"}


def test_paths_nest_at_most_32_levels():
    def path(levels: int) -> str:
        return "a" + ".b" * (levels - 1)

    assert compile_projection(path(32))
    assert refusal(compile_projection, path(33)) == (
        "Invalid ProjectionExpression: The document path has too many nesting elements; "
        "nesting level: 33"
    )


def test_typed_values_are_another_decoders():
    with pytest.raises(ValidationError):
        project("q", typed=True)


# A projection remembers its last names; it must notice others, and what the table has learnt.
def test_projections_rebind_when_anything_changes():
    projection = compile_projection("#n.x, q")
    codecs = [codec_make(), ItemCodec("pk", "S"), codec_make()]
    for codec in (*codecs, *codecs):
        base = KEY if codec.range_name else {"pk": "ada"}
        for name in ("a", "b", "a", "q1"):
            record = codec.encode({**base, name: {"x": name, "y": 1}, "q": 2})
            assert projection.project(codec, record, {"#n": name}) == {name: {"x": name}, "q": 2}
            assert projection.project(codec, record, {"#n": "zz"}) == {"q": 2}


# A walk binds once; names that the table learns on the way are found all the same.
def test_a_selection_notices_names_learnt_after_it_was_bound():
    codec = codec_make()
    projection = compile_projection("a.b, c")
    items = [None, {"a": {"x": 0}}, {"a": {"b": 1}}, {"a": {"b": 2}}, {"c": 5}]
    records = (record_of(codec, item) for item in items)
    assert projection.project_all(codec, records) == [
        {}, {}, {"a": {"b": 1}}, {"a": {"b": 2}}, {"c": 5}
    ]


def test_names_stored_as_text_are_found():
    codec = codec_make()
    for index in range(8192):
        codec.intern_name(f"name{index}")
    item = {"late": {"later": 1, "n" * 300: [1, 2]}, "name5": 3}
    record = record_of(codec, item)
    projection = compile_projection("late.later, late.#l[1], name5")
    assert projection.project(codec, record, {"#l": "n" * 300}) == {
        "late": {"later": 1, "n" * 300: [2]}, "name5": 3
    }


def test_many_paths_need_many_fields():
    item = {f"k{index}": {"v": index, "w": 0} for index in range(100)}
    text = ",".join(f"k{index}.v" for index in range(0, 100, 3))
    assert project(text, item=item) == {f"k{i}": {"v": i} for i in range(0, 100, 3)}


names = st.sampled_from("abc")
documents = st.recursive(
    st.integers(0, 99) | st.just("s") | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
steps = st.sampled_from([".a", ".b", ".c", "[0]", "[1]", "[2]"])
path_texts = st.tuples(names, st.lists(steps, max_size=3).map("".join)).map("".join)

GAP = object()


def reference(item, paths):
    """Copy the item, blank out what no path keeps, and close the gaps."""

    def keep(value, tails):
        if () in tails:
            return copy.deepcopy(value)
        if isinstance(value, dict):
            made = {k: keep(v, {t[1:] for t in tails if t[0] == k}) for k, v in value.items()}
            return {k: v for k, v in made.items() if v is not GAP} or GAP
        if isinstance(value, list):
            made = [keep(v, {t[1:] for t in tails if t[0] == k}) for k, v in enumerate(value)]
            return [v for v in made if v is not GAP] or GAP
        return GAP

    return {} if (made := keep(item, set(paths))) is GAP else made


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(names, documents), st.lists(path_texts, min_size=1, max_size=4))
def test_projection_keeps_what_the_reference_keeps(item, texts):
    text = ", ".join(texts)
    paths = [path.elements for path in parser.parse_projection(text)]
    try:
        result = project(text, item=item)
    except ValidationError as error:
        assert "overlap" in str(error) or "conflict" in str(error)
        return
    assert result == reference(item, paths)


def test_damaged_records_are_refused_or_answered():
    codec = codec_make()
    record = record_of(codec, ITEM)
    projection = compile_projection("a.b[1].d, a.b[2][1], a.s, l[3], pk, sk, q")
    refused = 0
    for position in range(len(record) * 8):
        damaged = bytearray(record)
        damaged[position // 8] ^= 1 << position % 8
        try:
            projection.project(codec, bytes(damaged))
        except CorruptError:
            refused += 1
    for size in range(len(record)):
        with pytest.raises(CorruptError):
            projection.project(codec, record[:size])
    assert refused > len(record)


# UPDATED_OLD and UPDATED_NEW: only what the update named, before and after.
def test_an_update_tells_what_it_touches():
    codec = codec_make()
    program = compile_program("SET a.n = :v, #q = :v REMOVE l[1], gone ADD z :v", "q = :w")
    names, values = {"#q": "q"}, {":v": 7, ":w": 5}
    old = record_of(codec, ITEM)
    new = program.apply(codec, old, codec.key("ada", 7), names, values)
    touched = compile_touched(program)
    assert touched.project(codec, old, names, partial=True) == {
        "a": {"n": Decimal("1.5")}, "q": 5, "l": ["q"]
    }
    assert touched.project(codec, new, names, partial=True) == {
        "a": {"n": 7}, "q": 7, "l": ["r"], "z": 7
    }
