"""Compiled expressions, kept by their text.

A database keeps one cache: compiled forms remember the names of the keyspace they last ran on, so
they should not outlive it. Each kind has a bound of its own; the least recently used go first.
Trees, as the legacy members make them, are kept by what they say. Threads: any.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from ddbcore.program import Program
from ddbcore.projection import Projection
from hashrange.expr import tree
from hashrange.expr.compiler import compile_program, compile_projection, compile_touched
from hashrange.expr.keys import KeyExpression, compile_key_condition

EXPRESSIONS_MAX = 1024  # of each kind; a compiled form takes 1 to 50 KB


class ExpressionCache:
    """The compiled forms of one database."""

    def __init__(self, count_max: int = EXPRESSIONS_MAX) -> None:
        self._program = lru_cache(count_max)(compile_program)
        # The program of the texts of an update and a condition, for C to call.
        self.texts: Callable[[str | None, str | None], Program] = self._program
        self._projection = lru_cache(count_max)(compile_projection)
        self._key_condition = lru_cache(count_max)(compile_key_condition)
        self._touched = lru_cache(count_max)(compile_touched)

    def program(
        self,
        update: str | tuple[tree.Action, ...] | None,
        condition: str | tree.Condition | None,
        clause: str = "ConditionExpression",
    ) -> Program:
        """Return what compile_program makes. Raises ValidationError."""
        return self._program(update, condition, clause)

    def projection(self, projection: str | tuple[tree.Path, ...]) -> Projection:
        """Return what compile_projection makes. Raises ValidationError."""
        return self._projection(projection)

    def key_condition(self, condition: str | tree.Condition) -> KeyExpression:
        """Return what compile_key_condition makes. Raises ValidationError."""
        return self._key_condition(condition)

    def touched(self, program: Program) -> Projection:
        """Return what compile_touched makes."""
        return self._touched(program)
