"""project= in get, query and scan: expressions and lists of names; nothing else is decoded."""

from __future__ import annotations

from typing import Any

import pytest

import hashrange

ITEM = {
    "h": "a", "r": 1, "name": "x", "size": 3, "a.b": "dotted",
    "doc": {"list": [1, 2, {"deep": True}], "rest": None},
}


@pytest.fixture
def table(ranges: hashrange.Table) -> hashrange.Table:
    ranges.put(ITEM)
    return ranges


# A list has attribute names as they are: no paths, no placeholders, reserved words welcome.
@pytest.mark.parametrize(
    ("project", "names", "wanted"),
    [
        (["name"], None, {"name": "x"}),
        (["size", "h"], None, {"size": 3, "h": "a"}),
        (["a.b", "missing"], None, {"a.b": "dotted"}),
        (["missing"], None, {}),
        (["name", "name"], None, {"name": "x"}),
        (("r",), None, {"r": 1}),
        ("h, r", None, {"h": "a", "r": 1}),
        ("doc.#l[2], #s", {"#l": "list", "#s": "size"}, {"doc": {"list": [{"deep": True}]},
                                                         "size": 3}),
        ("doc.rest", None, {"doc": {"rest": None}}),
    ],
)
def test_a_projection_is_the_same_in_every_read(
    table: hashrange.Table, project: Any, names: Any, wanted: dict[str, Any]
) -> None:
    assert table.get("a", 1, project=project, names=names) == wanted
    assert list(table.query("a", project=project, names=names)) == [wanted]
    assert list(table.scan(project=project, names=names)) == [wanted]


def test_an_absent_item_is_none(table: hashrange.Table) -> None:
    assert table.get("a", 2, project=["name"]) is None
    assert list(table.query("b", project=["name"])) == []


# The cache keeps whole items: a projection neither takes its part of one nor leaves it there.
def test_a_projection_leaves_the_cache_alone(table: hashrange.Table) -> None:
    for _ in range(3):
        assert table.get("a", 1, project=["name"]) == {"name": "x"}
        assert table.get("a", 1) == ITEM


def test_a_projection_with_limit_and_last_key(ranges: hashrange.Table) -> None:
    for number in range(20):
        ranges.put({"h": "a", "r": number, "v": number * 2, "pad": "x" * 50})
    cursor = ranges.query("a", project=["v"], limit=5)
    assert [item["v"] for item in cursor] == [0, 2, 4, 6, 8]
    assert cursor.last_key == ("a", 4)
    rest = ranges.query("a", project=["v"], after=cursor.last_key)
    assert list(rest) == [{"v": number * 2} for number in range(5, 20)]


def test_a_filter_sees_what_a_projection_leaves_out(table: hashrange.Table) -> None:
    found = table.scan(
        filter="#s > :n", project="#n", names={"#s": "size", "#n": "name"}, values={":n": 2}
    )
    assert list(found) == [{"name": "x"}]


@pytest.mark.parametrize(
    ("project", "names", "words"),
    [
        ([], None, "project="),
        ([""], None, "project="),
        ([1], None, "project="),
        (5, None, "project="),
        ({"h": 1}, None, "project="),
        (["h"], {"#n": "name"}, "names= is for expressions"),
        ("h,", None, "Invalid ProjectionExpression"),
        ("#x", None, "attribute name: #x"),
        ("h", {"#x": "x"}, "unused in expressions"),
        ("doc, doc.rest", None, "overlap"),
        ("size", None, "reserved keyword"),
    ],
)
def test_a_bad_projection_is_refused(
    table: hashrange.Table, project: Any, names: Any, words: str
) -> None:
    with pytest.raises(hashrange.ValidationError, match=words):
        table.get("a", 1, project=project, names=names)


# names= belongs to an expression: alone it is a slip.
def test_names_without_a_projection_are_refused(table: hashrange.Table) -> None:
    with pytest.raises(hashrange.ValidationError):
        table.get("a", 1, names={"#n": "name"})
