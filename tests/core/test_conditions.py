"""Condition objects, ours and boto3's: the same text, names and values."""

from __future__ import annotations

import sys

import pytest
from core.programs import holds, refusal

from hashrange import conditions
from hashrange.conditions import Attr, Key, condition_arguments, condition_expression
from hashrange.expr import compile_key_condition, parser

MODULES = [conditions]
try:
    import boto3.dynamodb.conditions as boto3_conditions
except ImportError:
    boto3_conditions = None
else:
    MODULES.append(boto3_conditions)


@pytest.fixture(params=MODULES, ids=lambda module: module.__name__)
def module(request):
    return request.param


def written(condition):
    made = condition_expression(condition)
    return made.text, made.names, made.values


@pytest.mark.parametrize(
    ("make", "text", "values"),
    [
        (lambda a: a.eq(1), "#n0 = :v0", [1]),
        (lambda a: a.ne(1), "#n0 <> :v0", [1]),
        (lambda a: a.lt(1), "#n0 < :v0", [1]),
        (lambda a: a.lte(1), "#n0 <= :v0", [1]),
        (lambda a: a.gt(1), "#n0 > :v0", [1]),
        (lambda a: a.gte(1), "#n0 >= :v0", [1]),
        (lambda a: a.begins_with("x"), "begins_with(#n0, :v0)", ["x"]),
        (lambda a: a.between(1, 2), "#n0 BETWEEN :v0 AND :v1", [1, 2]),
        (lambda a: a.is_in([1, 2, 3]), "#n0 IN (:v0, :v1, :v2)", [1, 2, 3]),
        (lambda a: a.exists(), "attribute_exists(#n0)", []),
        (lambda a: a.not_exists(), "attribute_not_exists(#n0)", []),
        (lambda a: a.contains("x"), "contains(#n0, :v0)", ["x"]),
        (lambda a: a.attribute_type("S"), "attribute_type(#n0, :v0)", ["S"]),
        (lambda a: a.size().gte(2), "size(#n0) >= :v0", [2]),
        (lambda a: a.size().between(2, 3), "size(#n0) BETWEEN :v0 AND :v1", [2, 3]),
        (lambda a: ~a.eq(1), "NOT #n0 = :v0", [1]),
        (lambda a: ~(a.eq(1) & a.exists()), "NOT (#n0 = :v0 AND attribute_exists(#n0))", [1]),
    ],
)
def test_every_method_has_its_expression(module, make, text, values):
    made = condition_expression(make(module.Attr("status")))
    assert made.text == text
    assert made.names == {"#n0": "status"}
    assert list(made.values.values()) == values
    parser.parse_condition(text)


def test_conditions_combine(module):
    a, b = module.Attr("a"), module.Attr("b")
    made = condition_expression((a.eq(1) | b.eq(2) & a.gt(3) | ~b.exists()) & b.lt(4))
    assert made.text == (
        "(#n0 = :v0 OR (#n1 = :v1 AND #n0 > :v2) OR NOT attribute_exists(#n1)) AND #n1 < :v3"
    )
    assert made.values == {":v0": 1, ":v1": 2, ":v2": 3, ":v3": 4}
    assert written(a.eq(1) & b.eq(2) & a.eq(3))[0] == "#n0 = :v0 AND #n1 = :v1 AND #n0 = :v2"


def test_names_are_document_paths(module):
    made = condition_expression(module.Attr("a-b.c[0].status[12]").eq(1))
    assert made.text == "#n0.#n1[0].#n2[12] = :v0"
    assert made.names == {"#n0": "a-b", "#n1": "c", "#n2": "status"}
    assert holds({"a-b": {"c": [{"status": [0, 1]}]}},
                 *[written(module.Attr("a-b.c[0].status[1]").eq(1))[i] for i in (0, 2, 1)])


def test_key_conditions_are_read_as_such(module):
    made = condition_expression(module.Key("id").eq("x") & module.Key("ts").between(1, 2))
    key = compile_key_condition(made.text).resolve(made.names, ("id",), ("ts",))
    assert key.hash == (("id", ":v0"),)
    assert key.range[0].values == (":v1", ":v2")


def test_attributes_may_be_compared_with_attributes():
    assert written(Attr("a").lt(Attr("b"))) == ("#n0 < #n1", {"#n0": "a", "#n1": "b"}, {})


@pytest.mark.skipif(boto3_conditions is None, reason="boto3 is not installed")
def test_ours_and_boto3s_mix():
    theirs = boto3_conditions.Attr("a").eq(1)
    assert written(Attr("b").eq(2) & theirs)[0] == "#n0 = :v0 AND #n1 = :v1"


def test_texts_are_the_same_for_all_values():
    assert written(Attr("a").eq(1))[0] == written(Attr("a").eq("x"))[0]


def test_placeholders_of_the_request_are_left_alone():
    made = condition_expression(Attr("a").eq(1), {"#n0": "q"}, {":v0": 5, ":v0_": 6})
    assert made.text == "#n0_ = :v0__"


def test_text_and_objects_serve_the_same_calls():
    names, values = {"#q": "q"}, {":v0": 1}
    assert condition_arguments("#q = :v0", names, values) == ("#q = :v0", names, values)
    assert condition_arguments(None, None, None) == (None, None, None)
    assert condition_arguments(Attr("a").eq(2), names, values) == (
        "#n0 = :v0_", {"#q": "q", "#n0": "a"}, {":v0": 1, ":v0_": 2}
    )
    assert condition_arguments(Attr("a").exists(), None, None) == (
        "attribute_exists(#n0)", {"#n0": "a"}, None
    )
    assert names == {"#q": "q"}


def test_what_is_no_condition_is_refused():
    for value in (5, "a = :v", None, Attr("a")):
        assert refusal(condition_expression, value).startswith("a condition is needed, such as ")
    assert refusal(Attr("a").eq(1).__and__, True).startswith("a condition is needed")
    for name in ("", 5):
        refusal(Attr, name)


def test_long_chains_are_flat_and_deep_nesting_is_refused():
    chain = Attr("a").eq(0)
    for _ in range(2000):
        chain &= Attr("a").eq(0)
    assert condition_expression(chain).text.count("AND") == 2000
    deep = Attr("a").eq(0)
    for index in range(148):
        deep = Attr("a").eq(0) | deep if index % 2 else Attr("a").eq(0) & deep
    parser.parse_condition(condition_expression(deep).text)
    for _ in range(10):
        deep = ~~deep
    assert refusal(condition_expression, deep) == "conditions are nested deeper than 150"


def test_conditions_compare_by_content():
    assert Attr("a").eq(1) & Key("b").lt(2) == Attr("a").eq(1) & Key("b").lt(2)
    assert Attr("a").eq(1) != Attr("a").eq(2)
    assert repr(Attr("a").size().gt(1)) == "Condition('>', Attr('a').size(), 1)"


def test_boto3_is_never_imported():
    source = sys.modules["hashrange.conditions"].__file__
    with open(source) as file:
        assert "import boto3" not in file.read()
