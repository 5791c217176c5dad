"""Updates that point into documents: where values go, what is refused, what stays as it was."""

from __future__ import annotations

import pytest
from core.programs import KEY, codec_make, holds, record_of, refusal, update

from hashrange.expr import compile_program

INVALID = "The document path provided in the update expression is invalid for update"
DEEP = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
    "beyond supported limit"
)


def nest(levels: int, core="x"):
    """Wrap a value in that many maps: it stands `levels` below the outermost."""
    for _ in range(levels):
        core = {"a": core}
    return core


def test_paths_lead_through_maps_and_lists_in_conditions():
    item = {"a": {"b": [{"c": 1}, [10, 20]], "s": {"x"}, "t": "text"}}
    for text, values in [
        ("a.b[0].c = :v", {":v": 1}),
        ("a.b[1][1] BETWEEN :v AND :w", {":v": 20, ":w": 21}),
        ("a.b[0].c IN (:v, :w)", {":v": 7, ":w": 1}),
        ("size(a.b[1]) = :v AND size(a.t) = :w", {":v": 2, ":w": 4}),
        ("contains(a.s, :v) AND contains(a.b, :w)", {":v": "x", ":w": [10, 20]}),
        ("begins_with(a.t, :v)", {":v": "te"}),
        ("attribute_type(a.b, :v)", {":v": "L"}),
        ("attribute_exists(a.b[1][0]) AND attribute_not_exists(a.b[2])", None),
        ("attribute_not_exists(a.t.x) AND attribute_not_exists(a[0])", None),
        ("attribute_not_exists(a.b.c) AND attribute_not_exists(pk.x)", None),
        ("a.b[0].c < a.b[1][0]", None),
    ]:
        assert holds(item, text, values), text


def test_placeholders_stand_for_any_name_on_the_way():
    names = {"#p": "a.b", "#q": "status"}
    item = {"a.b": {"status": [1, 2]}}
    assert holds(item, "#p.#q[1] = :v", {":v": 2}, names)
    assert update(item, "SET #p.#q[0] = :v", {":v": 5}, names) == {"a.b": {"status": [5, 2]}}


# Several actions below one attribute make one new value; each reads the item as it was.
def test_actions_below_one_attribute_compose():
    item = {"m": {"a": 1, "b": [1, 2, 3], "c": {"d": "x", "e": {"s"}}, "rest": "y" * 300}}
    assert update(
        item,
        "SET m.a = m.b[2], m.b[0] = m.a, m.c.d = m.rest, m.fresh = m.c "
        "REMOVE m.b[1] ADD m.c.n :one, m.c.e :set",
        {":one": 1, ":set": {"t"}},
    ) == {
        "m": {
            "a": 3,
            "b": [1, 3],
            "c": {"d": "y" * 300, "e": {"s", "t"}, "n": 1},
            "rest": "y" * 300,
            "fresh": {"d": "x", "e": {"s"}},
        }
    }


# Developer guide: "the new element is appended to the end of the list"; several are sorted.
def test_set_beyond_the_end_of_a_list_appends_in_order_of_index():
    assert update({"l": [1]}, "SET l[10] = :a, l[5] = :b, l[1] = :c",
                  {":a": "a", ":b": "b", ":c": "c"}) == {"l": [1, "c", "b", "a"]}
    assert update({"l": []}, "ADD l[3] :n", {":n": 4}) == {"l": [4]}


def test_indexes_mean_the_elements_as_they_were():
    item = {"l": ["a", "b", "c", "d", "e"]}
    assert update(item, "REMOVE l[0], l[3], l[1]") == {"l": ["c", "e"]}
    assert update(item, "REMOVE l[1], l[9] SET l[2] = :v, l[7] = :v", {":v": "V"}) == {
        "l": ["a", "V", "d", "e", "V"]
    }
    assert update(item, "REMOVE l[9]") is None
    assert update({"l": [1]}, "REMOVE l[0]") == {"l": []}


def test_add_and_delete_work_on_what_a_path_leads_to():
    item = {"m": {"n": 5, "s": {"x", "y"}, "l": [{"q": 1}]}}
    assert update(item, "ADD m.n :n, m.l[0].q :n DELETE m.s :s", {":n": 2, ":s": {"x"}}) == {
        "m": {"n": 7, "s": {"y"}, "l": [{"q": 3}]}
    }
    assert update(item, "DELETE m.s :s", {":s": {"x", "y"}}) == {
        "m": {"n": 5, "l": [{"q": 1}]}
    }
    assert update(item, "DELETE m.nope :s", {":s": {"x"}}) is None
    message = refusal(update, item, "ADD m.s :n", {":n": 1})
    assert message == "An operand in the update expression has an incorrect data type"


def test_if_not_exists_and_list_append_take_paths():
    item = {"m": {"l": [1], "n": 2}}
    assert update(
        item,
        "SET m.l = list_append(m.l, :l), m.k = if_not_exists(m.n, :n), "
        "m.j = if_not_exists(m.x[0], :n) + m.n",
        {":l": [2], ":n": 9},
    ) == {"m": {"l": [1, 2], "n": 2, "k": 2, "j": 11}}


@pytest.mark.parametrize(
    "text",
    [
        "SET nope.a = :v", "SET nope[0] = :v", "SET m.nope.a = :v", "SET m.n.a = :v",
        "SET m[0] = :v", "SET l.a = :v", "SET l[0].a = :v", "SET l[5].a = :v", "SET m.n[0] = :v",
        "REMOVE nope.a", "REMOVE m.nope.a", "REMOVE l[5].a", "ADD m.nope.a :v", "ADD s[0] :v",
        "SET m.fresh = :v, m.nope.a = :v",
    ],
)  # fmt: skip
def test_a_parent_that_is_missing_or_of_another_kind_is_refused(text):
    values = {":v": 1} if ":v" in text else None
    item = {"m": {"n": 1}, "l": [1], "s": {"x"}}
    assert refusal(update, item, text, values) == INVALID
    if "m.fresh" not in text:
        assert refusal(update, None, text, values) == INVALID


def test_keys_have_no_parts():
    assert refusal(update, {}, "SET pk.a = :v", {":v": 1}) == (
        "One or more parameter values were invalid: Cannot update attribute pk. "
        "This attribute is part of the key"
    )


def overlap(one: str, two: str) -> str:
    return (
        "Invalid UpdateExpression: Two document paths overlap with each other; must remove or "
        f"rewrite one of these paths; path one: {one}, path two: {two}"
    )


def test_paths_that_overlap_are_refused_in_the_order_written():
    for text, names, one, two in [
        ("SET a = :v REMOVE a", None, "[a]", "[a]"),
        ("SET a.b = :v REMOVE a", None, "[a, b]", "[a]"),
        ("REMOVE a.#b[0] SET a.c[0].d = :v", {"#b": "c"}, "[a, c, [0]]", "[a, c, [0], d]"),
        ("REMOVE z, a[1], y SET a[1] = :v", None, "[a, [1]]", "[a, [1]]"),
    ]:
        values = {":v": 1} if ":v" in text else None
        assert refusal(update, {}, text, values, names) == overlap(one, two)


def test_paths_that_conflict_are_refused():
    for text, one, two in [
        ("REMOVE a.b, a[0]", "[a, b]", "[a, [0]]"),
        ("REMOVE a.b[1].c, z, a.b.x", "[a, b, [1], c]", "[a, b, x]"),
    ]:
        assert refusal(update, {}, text) == (
            "Invalid UpdateExpression: Two document paths conflict with each other; must remove "
            f"or rewrite one of these paths; path one: {one}, path two: {two}"
        )


def test_results_nest_at_most_32_levels():
    path = ".".join("a" * 31)
    value = nest(1)
    assert update({"a": nest(30)}, f"SET {path} = :v", {":v": value}) == {"a": nest(31)}
    assert refusal(update, {"a": nest(30)}, f"SET {path} = :v", {":v": nest(2)}) == DEEP
    assert update({"a": [0], "b": nest(30)}, "SET a[0] = b") == {"a": [nest(30)], "b": nest(30)}
    assert refusal(update, {"a": [0], "b": nest(31)}, "SET a[0] = b") == DEEP


# Names of new entries get ids, or are stored as text; so do values that are copied.
def test_new_entries_have_names_of_any_kind():
    codec = codec_make()
    long = "n" * 300
    item = {"m": {"x": 1, long: {"y": 2}}}
    names = {"#l": long, "#e": "é"}
    assert update(item, "SET m.#e = :v, m.#l.#l = :v", {":v": 1}, names, codec=codec) == {
        "m": {"x": 1, long: {"y": 2, long: 1}, "é": 1}
    }
    for index in range(8192):
        codec.intern_name(f"name{index}")
    result = update(item, "SET m.late = :v, m.x = m.#l REMOVE m.#l.y", {":v": 1}, {"#l": long},
                    codec=codec)
    assert result == {"m": {"x": {"y": 2}, long: {}, "late": 1}}
    assert update(result, "SET m.late = :v", {":v": 2}, codec=codec)["m"]["late"] == 2


def test_names_used_only_inside_documents_are_not_looked_for_outside():
    item = {"b": 1, "a": {"b": 2}}
    assert holds(item, "a.b = :v", {":v": 2})
    assert holds(item, "a.b = :v AND b < a.b", {":v": 2})
    assert update(item, "SET a.b = b") == {"b": 1, "a": {"b": 1}}


def test_untouched_neighbours_keep_their_bytes_and_places():
    codec = codec_make()
    item = {"p": "before", "m": {"a": 1, "b": "x" * 500, "c": [1, {"z": 2}]}, "q": "after"}
    key = codec.key(KEY["pk"], KEY["sk"])
    program = compile_program("SET m.c[1].z = :v", None)
    new = program.apply(codec, record_of(codec, item), key, None, {":v": 10**6})
    item["m"]["c"][1]["z"] = 10**6
    assert new == record_of(codec, item)


# Heads of containers change their form at 255 bytes, in both directions and at every level.
@pytest.mark.parametrize("size", [200, 240, 244, 245, 246, 250, 255, 260, 300])
def test_heads_grow_and_shrink_with_their_content(size):
    for old in (0, size):
        item = {"m": {"a": {"b": ["x" * old]}}}
        assert update(item, "SET m.a.b[0] = :v", {":v": "y" * size}) == {
            "m": {"a": {"b": ["y" * size]}}
        }
    item = {"m": {"a": {"b": ["x" * size, 1]}}}
    assert update(item, "REMOVE m.a.b[0]") == {"m": {"a": {"b": [1]}}}


def test_many_actions_on_one_large_map():
    item = {"m": {f"k{index}": index for index in range(2000)}}
    names = {f"#{index}": f"k{index * 3}" for index in range(200)}
    text = "SET " + ",".join(f"m.#{index}=:v" for index in range(200))
    result = update(item, text, {":v": "new"}, names)
    assert sum(value == "new" for value in result["m"].values()) == 200
    assert len(result["m"]) == 2000
