"""The expression language: text to a compiled `Program`."""

from __future__ import annotations

from hashrange.expr.compiler import compile_program

__all__ = ["compile_program"]
