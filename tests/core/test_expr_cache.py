"""The cache of compiled expressions: by text, bounded, the least recently used go first."""

from __future__ import annotations

import pytest

from ddbcore.errors import ValidationError
from hashrange.expr import ExpressionCache, legacy


def test_equal_texts_are_compiled_once():
    cache = ExpressionCache()
    program = cache.program("SET a.b = :v", "a.c = :w")
    assert cache.program("SET a.b = :v", "a.c = :w") is program
    assert cache.program(None, "a.c = :w") is not cache.program(None, "a.c = :w", "Filter")
    assert cache.projection("a, b[0]") is cache.projection("a, b[0]")
    assert cache.key_condition("h = :h") is cache.key_condition("h = :h")
    assert cache.touched(program) is cache.touched(program)


def test_equal_legacy_members_are_compiled_once():
    cache = ExpressionCache()

    def program(value):
        condition = {"a": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": value}]}}
        return cache.program(None, legacy.filter_condition(condition, None, legacy.Symbols()))

    assert program("x") is program("y")


def test_the_least_recently_used_go_first():
    cache = ExpressionCache(2)
    a, b = cache.projection("a"), cache.projection("b")
    assert cache.projection("a") is a
    cache.projection("c")
    assert cache.projection("a") is a
    assert cache.projection("b") is not b


def test_what_is_refused_is_not_kept():
    cache = ExpressionCache()
    for _ in range(2):
        with pytest.raises(ValidationError, match="Syntax error"):
            cache.projection("a,")
