"""The tree of an expression: what the parser makes and the compiler reads.

Immutable. Names and values are kept as written ("qty", "#q", ":v"): one tree serves every call with
the same text, and the placeholders are resolved at bind time. An operand is a Path, a Value or a
Call of `size`; a condition is a Comparison, Between, In, And, Or, Not or a Call of another
function. `Arithmetic` occurs only as the whole value of a SET action.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: str elements are names ("#n": a placeholder), ints are list indexes."""

    elements: tuple[str | int, ...]

    def __str__(self) -> str:
        """Render the path as the service's messages do: [a, [1], b]."""
        return "[" + ", ".join(f"[{e}]" if isinstance(e, int) else e for e in self.elements) + "]"


@dataclass(frozen=True, slots=True)
class Value:
    """A value placeholder, ":v"."""

    token: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; the parser has checked the name and the number of arguments."""

    function: str
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """left + right, or left - right."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Comparison:
    """left = <> < <= > >= right."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    """lower <= operand <= upper."""

    operand: Operand
    lower: Operand
    upper: Operand


@dataclass(frozen=True, slots=True)
class In:
    """operand equals one of the candidates (1..100)."""

    operand: Operand
    candidates: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All parts, at least two, left to right."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any part, at least two, left to right."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary of a condition."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Set:
    """SET path = value."""

    path: Path
    value: Operand | Arithmetic


@dataclass(frozen=True, slots=True)
class Remove:
    """REMOVE path."""

    path: Path


@dataclass(frozen=True, slots=True)
class Add:
    """ADD path :v."""

    path: Path
    value: Value


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE path :v."""

    path: Path
    value: Value


Operand = Path | Value | Call
Condition = Comparison | Between | In | And | Or | Not | Call
Action = Set | Remove | Add | Delete
