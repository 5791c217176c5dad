"""The tree of a PartiQL statement: what the parser makes and the planner reads.

Immutable and free of any table's schema or request's parameters: one tree serves every execution of
the same text, in any thread. Literals are typed attribute values already. Names are as meant, with
no quotes and no placeholders.

An expression is a Literal, Parameter, Path, Call, Operation, Chain, Not, Between, In or Is; lists,
tuples and bags stay open (Array, Struct, Bag) until the planner knows what they are for, since the
list of an IN may hold parameters and a list that is a value may not. A `mark` is a place in the
text, line:column:length, for error messages; it does not count when trees are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Typed = dict[str, Any]  # an attribute value in typed form: {"S": "x"}


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, number, boolean or null."""

    value: Typed


@dataclass(frozen=True, slots=True)
class Missing:
    """The literal MISSING."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A question mark; index counts from 0, left to right."""

    index: int
    mark: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: str elements are names, ints are list indexes; the first is a name."""

    elements: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """[a, b], or (a, b) after IN."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Bag:
    """<<a, b>>: a set."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Struct:
    """{'name': value}, in the order written."""

    fields: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; the name is in small letters, arguments are not checked."""

    function: str
    arguments: tuple[Expression, ...]
    mark: str = field(default="", compare=False)
    first_mark: str = field(default="", compare=False)  # of the first argument's first token


@dataclass(frozen=True, slots=True)
class Operation:
    """left operator right, for every binary operator but AND and OR."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Chain:
    """At least two parts joined by "and" or "or"; no part is a chain of the same operator."""

    operator: str
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Sign:
    """A + or - ahead of something that is no number."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Not:
    """NOT part."""

    part: Expression


@dataclass(frozen=True, slots=True)
class Between:
    """operand BETWEEN lower AND upper."""

    operand: Expression
    lower: Expression
    upper: Expression


@dataclass(frozen=True, slots=True)
class In:
    """operand IN candidates: an Array, or whatever stood there."""

    operand: Expression
    candidates: Expression


@dataclass(frozen=True, slots=True)
class Is:
    """operand IS kind; kind is a type name in small letters, such as "missing" or "null"."""

    operand: Expression
    kind: str


@dataclass(frozen=True, slots=True)
class Source:
    """A table, or an index of it."""

    table: str
    index: str | None = None


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One key of ORDER BY."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Select:
    """SELECT; columns is None for `*`, where is None when there is no clause."""

    source: Source
    columns: tuple[Path, ...] | None = None
    where: Expression | None = None
    order: tuple[OrderKey, ...] = ()
    parameter_count: int = field(default=0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Insert:
    """INSERT INTO ... VALUE."""

    source: Source
    item: Expression
    parameter_count: int = field(default=0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Assignment:
    """SET path = value."""

    path: Path
    value: Expression


@dataclass(frozen=True, slots=True)
class Removal:
    """REMOVE path."""

    path: Path


@dataclass(frozen=True, slots=True)
class Update:
    """UPDATE; returning is "ALL OLD", "ALL NEW", "MODIFIED OLD", "MODIFIED NEW" or None."""

    source: Source
    actions: tuple[Assignment | Removal, ...]
    where: Expression | None = None
    returning: str | None = None
    parameter_count: int = field(default=0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE; returning as in Update, the planner refuses all but "ALL OLD"."""

    source: Source
    where: Expression | None = None
    returning: str | None = None
    parameter_count: int = field(default=0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Exists:
    """EXISTS(SELECT ...): the condition check of a transaction."""

    select: Select
    parameter_count: int = field(default=0, kw_only=True)

    @property
    def source(self) -> Source:
        """What the SELECT reads: every statement has a source."""
        return self.select.source


Expression = (
    Literal
    | Missing
    | Parameter
    | Path
    | Array
    | Bag
    | Struct
    | Call
    | Operation
    | Chain
    | Sign
    | Not
    | Between
    | In
    | Is
)
Statement = Select | Insert | Update | Delete | Exists
