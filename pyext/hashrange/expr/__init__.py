"""The expression language: text, condition objects and legacy members to compiled forms."""

from __future__ import annotations

from hashrange.expr.cache import ExpressionCache
from hashrange.expr.compiler import compile_program, compile_projection, compile_touched
from hashrange.expr.keys import KeyCondition, KeyExpression, RangeCondition, compile_key_condition
from hashrange.expr.symbols import refuse_key_attributes, refuse_nested_keys, refuse_unused

__all__ = [
    "ExpressionCache",
    "KeyCondition",
    "KeyExpression",
    "RangeCondition",
    "compile_key_condition",
    "compile_program",
    "compile_projection",
    "compile_touched",
    "refuse_key_attributes",
    "refuse_nested_keys",
    "refuse_unused",
]
