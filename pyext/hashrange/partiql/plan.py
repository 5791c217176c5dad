"""Plans: what a statement does to a table, as data for the operations to carry out.

Conditions, filters and update actions are trees of `hashrange.expr.tree`, so that one compiler and
one evaluator serve both languages. As there, a tree holds placeholders: `values` has a typed
attribute value for each ":p0", `names` an attribute name for each "#n0" (only names that begin with
"#" need one; all others stand in the tree as they are, reserved or not). Trees can be hashed and do
not hold values: one statement makes equal trees for nearly all parameters (not where their number
or their equality counts, in an IN), so what is compiled from a tree can be cached by the tree.

IS MISSING becomes attribute_not_exists, IS NULL attribute_type "NULL", set_add the action ADD and
set_delete the action DELETE; nothing of PartiQL needs a node that the trees lack.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hashrange.expr import tree as expression
from hashrange.partiql.tree import Path, Typed

Returning = Literal["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"]


@dataclass(frozen=True, slots=True)
class RangeCondition:
    """A condition on a sort key attribute that an ordered read can follow.

    operator: "EQ", "LT", "LE", "GT", "GE", "BETWEEN" (two values) or "BEGINS_WITH".
    """

    name: str
    operator: str
    values: tuple[Typed, ...]


@dataclass(frozen=True, slots=True)
class KeyRead:
    """One item collection, or a part of it.

    hash_key: a value for every hash attribute, in the key's order. ranges: conditions on the first
    sort key attributes, all but the last with EQ. filter: what an item must meet besides.
    """

    hash_key: dict[str, Typed]
    ranges: tuple[RangeCondition, ...] = ()
    filter: expression.Condition | None = None


@dataclass(frozen=True, slots=True)
class SelectPlan:
    """A read.

    kind: "get": one read that names the whole primary key; "query": the `reads`, one after the
    other, each in the order of the sort key (backwards unless `forward`); "scan": all of the table
    or index, with `filter`.
    columns: paths to return; None: every attribute (of an index: those it projects).
    page_items_max: with several reads, a page ends after so many items; None: no such bound.
    """

    table: str
    index: str | None
    kind: Literal["get", "query", "scan"]
    reads: tuple[KeyRead, ...] = ()
    filter: expression.Condition | None = None
    columns: tuple[Path, ...] | None = None
    forward: bool = True
    consistent_read: bool = False
    page_items_max: int | None = None
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Typed] = field(default_factory=dict)

    @property
    def key(self) -> dict[str, Typed]:
        """The primary key that a "get" reads."""
        (read,) = self.reads
        return {**read.hash_key, **{part.name: part.values[0] for part in read.ranges}}


@dataclass(frozen=True, slots=True)
class InsertPlan:
    """A put whose `condition` says that there is no item yet.

    When it fails: DuplicateItemException with `faults.DUPLICATE_ITEM`.
    """

    table: str
    item: dict[str, Typed]
    condition: expression.Condition
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Typed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UpdatePlan:
    """An update of the item with this key, which must exist: `condition` says so too."""

    table: str
    key: dict[str, Typed]
    actions: tuple[expression.Action, ...]
    condition: expression.Condition
    returning: Returning = "NONE"
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Typed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeletePlan:
    """A delete; the condition holds when there is no item. returning: "NONE" or "ALL_OLD"."""

    table: str
    key: dict[str, Typed]
    condition: expression.Condition | None = None
    returning: Returning = "NONE"
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Typed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """EXISTS: the condition check of a transaction."""

    table: str
    key: dict[str, Typed]
    condition: expression.Condition
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Typed] = field(default_factory=dict)


WritePlan = InsertPlan | UpdatePlan | DeletePlan | CheckPlan
Plan = SelectPlan | WritePlan
