"""What a WHERE clause says of keys: the reads that serve a SELECT, the one key of a write.

Theory of operation. A clause is spread into branches, as a disjunctive form, but only where it
names keys: IN and OR over key attributes make branches, everything else stays whole as a filter. If
every branch fixes the hash key, each becomes a read of one item collection; otherwise the statement
is a scan and the clause its filter. Conditions on sort key attributes that a read can follow become
its range; the others, and those that a range says only in part, stay in its filter.

Invariants: (1) the reads' ranges and filters together say exactly what the clause says; (2) no two
reads overlap, so no item comes twice: what overlaps is refused, as the service refuses it; (3)
BRANCHES_MAX bounds the work.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hashrange.partiql import faults, tree
from hashrange.partiql.binder import VALUES, Binder, type_of
from hashrange.partiql.conditions import candidates_of
from hashrange.partiql.plan import RangeCondition
from hashrange.partiql.tree import Typed

BRANCHES_MAX = 1000
READS_MAX = 50
_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPERATORS = {"=": "EQ", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE"}


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """A condition on one attribute that a key can serve; operator as in RangeCondition, or "IN"."""

    name: str
    operator: str
    values: tuple[Typed, ...]
    node: tree.Expression


@dataclass(frozen=True, slots=True)
class Branch:
    """One alternative of a clause: all of `keys` and `filters` hold."""

    keys: tuple[KeyCondition, ...] = ()
    filters: tuple[tree.Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Interval:
    """What a range allows, in the order of keys; None: no bound on that side."""

    lower: Any = None
    upper: Any = None
    lower_open: bool = False
    upper_open: bool = False

    def overlaps(self, other: Interval) -> bool:
        return not (self.ends_before(other) or other.ends_before(self))

    def ends_before(self, other: Interval) -> bool:
        if self.upper is None or other.lower is None:
            return False
        if self.upper == other.lower:
            return self.upper_open or other.lower_open
        return bool(self.upper < other.lower)

    def is_empty(self) -> bool:
        if self.lower is None or self.upper is None:
            return False
        if self.lower == self.upper:
            return self.lower_open or self.upper_open
        return bool(self.lower > self.upper)

    def intersect(self, other: Interval) -> Interval:
        lower = max(
            (bound for bound in ((self.lower, self.lower_open), (other.lower, other.lower_open))
             if bound[0] is not None),
            default=(None, False),
        )  # fmt: skip
        upper = min(
            (bound for bound in ((self.upper, not self.upper_open),
                                 (other.upper, not other.upper_open))
             if bound[0] is not None),
            default=(None, True),
        )  # fmt: skip
        return Interval(lower[0], upper[0], lower[1], not upper[1])


def order_of(value: Typed) -> Any:
    """Return a key value in a form that sorts as keys do: Decimal for N, bytes for S and B."""
    kind, content = next(iter(value.items()))
    if kind == "N":
        return Decimal(content)
    if kind == "S":
        return str(content).encode("utf-8", "surrogatepass")
    return base64.b64decode(content) if isinstance(content, str) else bytes(content)


def interval_of(condition: RangeCondition) -> Interval:
    """Return what a condition allows. Raises ValueError for binaries that are not base64."""
    first = order_of(condition.values[0])
    operator = condition.operator
    if operator == "EQ":
        return Interval(first, first)
    if operator == "BETWEEN":
        return Interval(first, order_of(condition.values[1]))
    if operator == "BEGINS_WITH":
        head = first.rstrip(b"\xff")
        end = head[:-1] + bytes([head[-1] + 1]) if head else None
        return Interval(first, end, upper_open=True)
    if operator in ("LT", "LE"):
        return Interval(None, first, upper_open=operator == "LT")
    return Interval(first, None, lower_open=operator == "GT")


def condition_on_key(node: tree.Expression, binder: Binder) -> KeyCondition | None:
    """Return the condition on one whole attribute that a node is, if it is one."""
    operator = ""
    operand: tree.Expression | None = None
    values: list[tree.Expression | Typed] = []
    if isinstance(node, tree.Operation) and node.operator in _MIRRORED:
        operator, operand, values = node.operator, node.left, [node.right]
        if isinstance(operand, VALUES):
            operator, operand, values = _MIRRORED[operator], node.right, [operand]
        operator = _OPERATORS[operator]
    elif isinstance(node, tree.Between):
        operator, operand, values = "BETWEEN", node.operand, [node.lower, node.upper]
    elif isinstance(node, tree.Call) and node.function == "begins_with":
        if len(node.arguments) == 2:
            operator, operand, values = "BEGINS_WITH", node.arguments[0], [node.arguments[1]]
    elif isinstance(node, tree.In) and isinstance(node.operand, tree.Path):
        operator, operand, values = "IN", node.operand, candidates_of(node, binder)
    if not isinstance(operand, tree.Path) or len(operand.elements) > 1:
        return None
    if not all(isinstance(value, (*VALUES, dict)) for value in values):
        return None
    typed = tuple(value if isinstance(value, dict) else binder.value(value) for value in values)
    return KeyCondition(str(operand.elements[0]), operator, typed, node)


def _equality(name: str, value: Typed) -> KeyCondition:
    """Return the alternative of an IN that one value is."""
    node = tree.Operation("=", tree.Path((name,)), tree.Literal(value))
    return KeyCondition(name, "EQ", (value,), node)


class Spread:
    """The branches of one clause over the key of one table or index."""

    def __init__(
        self,
        hash_names: tuple[str, ...],
        range_names: tuple[str, ...],
        types: Mapping[str, str],
        binder: Binder,
    ) -> None:
        self.hash_names = hash_names
        self.range_names = range_names
        self.types = types
        self.binder = binder
        self.too_many = False
        self.known: dict[int, KeyCondition | None] = {}

    def key_condition(self, node: tree.Expression) -> KeyCondition | None:
        """Return the condition on a key attribute that a node is, types checked."""
        if id(node) not in self.known:
            found = None
            if name_of(node) in self.hash_names + self.range_names:
                found = condition_on_key(node, self.binder)
            if found is not None and found.name in self.hash_names:
                found = found if found.operator in ("EQ", "IN") else None
            if found is not None:
                check_key_types(found, self.types)
            self.known[id(node)] = found
        return self.known[id(node)]

    def branches(self, node: tree.Expression) -> list[Branch]:
        if isinstance(node, tree.Chain) and node.operator == "and":
            found = [Branch()]
            for part in node.parts:
                found = self.product(found, self.branches(part))
            return found
        if isinstance(node, tree.Chain):
            if not self.names_key(node):
                return [Branch(filters=(node,))]
            found = [branch for part in node.parts for branch in self.branches(part)]
            self.too_many |= len(found) > BRANCHES_MAX
            return found[:BRANCHES_MAX]
        key = self.key_condition(node)
        if key is None:
            return [Branch(filters=(node,))]
        if key.operator != "IN":
            return [Branch((key,))]
        return [Branch((_equality(key.name, value),)) for value in key.values]

    def product(self, left: list[Branch], right: list[Branch]) -> list[Branch]:
        if len(left) * len(right) > BRANCHES_MAX:
            self.too_many = True
            return left
        return [Branch(a.keys + b.keys, a.filters + b.filters) for a in left for b in right]

    def names_key(self, node: tree.Expression) -> bool:
        if isinstance(node, tree.Chain):
            return any(self.names_key(part) for part in node.parts)
        return self.key_condition(node) is not None

    def pins_hash(self, node: tree.Expression) -> bool:
        """Tell whether every branch of a clause fixes the first hash attribute."""
        if isinstance(node, tree.Chain):
            test = any if node.operator == "and" else all
            return test(self.pins_hash(part) for part in node.parts)
        key = self.key_condition(node)
        return key is not None and key.name == self.hash_names[0]


def name_of(node: tree.Expression) -> str | None:
    """Return the attribute that a comparison, BETWEEN, IN or begins_with is about."""
    sides: tuple[tree.Expression, ...] = ()
    if isinstance(node, tree.Operation):
        sides = (node.left, node.right)
    elif isinstance(node, tree.Between | tree.In):
        sides = (node.operand,)
    elif isinstance(node, tree.Call):
        sides = node.arguments[:1]
    for side in sides:
        if isinstance(side, tree.Path):
            return str(side.elements[0]) if len(side.elements) == 1 else None
    return None


def check_key_types(condition: KeyCondition, types: Mapping[str, str]) -> None:
    """Refuse values that the key attribute cannot have. Raises ValidationError."""
    for value in condition.values:
        kind = type_of(value)
        if kind not in ("S", "N", "B"):
            raise faults.key_scalar(condition.name, kind)
        if kind != types[condition.name]:
            raise faults.key_type(condition.name)
        if condition.operator == "BEGINS_WITH" and kind == "N":
            raise faults.operand_type("begins_with", kind)


@dataclass(frozen=True, slots=True)
class Read:
    """A branch that fixes the hash key, worked out."""

    hash_key: dict[str, Typed]
    ranges: tuple[RangeCondition, ...]
    filters: tuple[tree.Expression, ...]
    intervals: tuple[Interval, ...]

    def overlaps(self, other: Read) -> bool:
        """Tell whether an item could be in both, which are of one item collection."""
        return all(
            one.overlaps(two) for one, two in zip(self.intervals, other.intervals, strict=True)
        )

    def hash_order(self) -> tuple[Any, ...]:
        return tuple(order_of(value) for value in self.hash_key.values())


def read_of(
    branch: Branch, hash_names: tuple[str, ...], range_names: tuple[str, ...]
) -> Read | None:
    """Return the read that a branch is; None when it does not fix the hash key."""
    hash_key: dict[str, Typed] = {}
    for name in hash_names:
        values = [key.values[0] for key in branch.keys if key.name == name]
        if not values or len({order_of(value) for value in values}) > 1:
            return None
        hash_key[name] = values[0]
    ranges: list[RangeCondition] = []
    intervals: list[Interval] = []
    filters = list(branch.filters)
    open_end = False
    for name in range_names:
        conditions = [
            RangeCondition(name, key.operator, key.values)
            for key in branch.keys
            if key.name == name
        ]
        interval = Interval()
        for condition in conditions:
            interval = interval.intersect(interval_of(condition))
        intervals.append(interval)
        chosen, exact = (None, False) if open_end else _range_of(conditions)
        if chosen is not None:
            ranges.append(chosen)
        if not exact:
            filters += [key.node for key in branch.keys if key.name == name]
        open_end |= chosen is None or chosen.operator != "EQ"
    return Read(hash_key, tuple(ranges), tuple(filters), tuple(intervals))


def _range_of(conditions: list[RangeCondition]) -> tuple[RangeCondition | None, bool]:
    """Return one condition that all these imply, a narrow one; True: it says them all."""
    if len(conditions) < 2:
        return (conditions[0] if conditions else None), True
    for operator in ("EQ", "BEGINS_WITH"):
        for condition in conditions:
            if condition.operator == operator:
                return condition, False
    below, above = ("GT", "GE", "BETWEEN"), ("LT", "LE", "BETWEEN")
    lowers = [(order_of(c.values[0]), c) for c in conditions if c.operator in below]
    uppers = [(order_of(c.values[-1]), c) for c in conditions if c.operator in above]
    if not uppers:
        return max(lowers, key=lambda pair: pair[0])[1], False
    if not lowers:
        return min(uppers, key=lambda pair: pair[0])[1], False
    lower = max(lowers, key=lambda pair: (pair[0], pair[1].operator == "GT"))[1]
    upper = min(uppers, key=lambda pair: (pair[0], pair[1].operator != "LT"))[1]
    if order_of(lower.values[0]) > order_of(upper.values[-1]):
        return lower, False
    exact = lower.operator != "GT" and upper.operator != "LT"
    return RangeCondition(lower.name, "BETWEEN", (lower.values[0], upper.values[-1])), exact


def refuse_overlaps(reads: list[Read]) -> None:
    """Refuse reads that share items. Raises ValidationError."""
    if len(reads) < 2:
        return
    collections: dict[tuple[Any, ...], list[Read]] = {}
    for read in reads:
        if any(interval.is_empty() for interval in read.intervals):
            continue
        others = collections.setdefault(read.hash_order(), [])
        if any(read.overlaps(other) for other in others):
            raise faults.overlapping_reads()
        others.append(read)


def key_of_write(
    where: tree.Expression | None,
    names: tuple[str, ...],
    types: Mapping[str, str],
    binder: Binder,
) -> tuple[dict[str, Typed], list[tree.Expression]]:
    """Return the whole primary key that a clause fixes, and what else it says.

    Raises ValidationError when an attribute of the key is missing, has two values or the wrong
    type.
    """
    if where is None:
        raise faults.key_equality()
    parts = where.parts if isinstance(where, tree.Chain) and where.operator == "and" else (where,)
    found: dict[str, Typed] = {}
    rest: list[tree.Expression] = []
    for part in parts:
        equality = isinstance(part, tree.Operation) and part.operator == "="
        key = condition_on_key(part, binder) if equality and name_of(part) in names else None
        if key is None:
            rest.append(part)
            continue
        check_key_types(key, types)
        if key.name in found and order_of(found[key.name]) != order_of(key.values[0]):
            raise faults.two_values_for_key(key.name)
        found[key.name] = key.values[0]
    if len(found) < len(names):
        raise faults.key_equality()
    return {name: found[name] for name in names}, rest
