"""A statement's tree, a table's schema and a request's parameters to a plan.

Theory of operation. SELECT: `keys` spreads the WHERE clause into reads, or finds that only a scan
will do; then the rules for indexes, order and projection are checked. INSERT, UPDATE and DELETE
name one item; what WHERE says besides its key is the write's condition. The service's own order of
checks is known in parts only; where it is not, a fault of the text comes before one of the schema.

Threads: functions of their arguments; nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hashrange.expr import tree as expression
from hashrange.partiql import faults, keys, tree
from hashrange.partiql.binder import Binder
from hashrange.partiql.conditions import action_of, all_of, condition_of
from hashrange.partiql.keys import Read, Spread
from hashrange.partiql.plan import (
    CheckPlan,
    DeletePlan,
    InsertPlan,
    KeyRead,
    Plan,
    Returning,
    SelectPlan,
    UpdatePlan,
)
from hashrange.partiql.schema import IndexSchema, TableSchema
from hashrange.partiql.tree import Typed

# Source: developer guide, PartiQL operators: results of IN come in pages of up to 10 items.
PAGE_ITEMS_MAX = 10
_RETURNING: dict[str | None, Returning] = {
    None: "NONE",
    "ALL OLD": "ALL_OLD",
    "ALL NEW": "ALL_NEW",
    "MODIFIED OLD": "UPDATED_OLD",
    "MODIFIED NEW": "UPDATED_NEW",
}


def plan_statement(
    statement: tree.Statement,
    table: TableSchema,
    parameters: Sequence[Typed] = (),
    *,
    consistent_read: bool = False,
) -> Plan:
    """Plan a statement against the table that its source names.

    parameters: attribute values in typed form, checked before; one for each question mark.
    Raises ValidationError. The rules of batches and transactions are in `batch` and `transaction`.
    """
    binder = Binder(parameters, statement.parameter_count)
    if isinstance(statement, tree.Select):
        return _Selection(statement, table, binder, consistent_read).plan()
    if isinstance(statement, tree.Insert):
        item = binder.item(statement.item)
        condition = _item_exists(table, binder, False)
        return InsertPlan(table.name, item, condition, binder.names, binder.values)
    if isinstance(statement, tree.Update):
        return _update(statement, table, binder)
    if isinstance(statement, tree.Delete):
        return _delete(statement, table, binder)
    return _check(statement.select, table, binder)


def _item_exists(table: TableSchema, binder: Binder, exists: bool) -> expression.Call:
    """Make the condition that there is an item with the key, or that there is none."""
    function = "attribute_exists" if exists else "attribute_not_exists"
    return expression.Call(function, (expression.Path((binder.name(table.hash_names[0]),)),))


def _update(statement: tree.Update, table: TableSchema, binder: Binder) -> UpdatePlan:
    key, rest = keys.key_of_write(statement.where, table.key_names, table.key_types, binder)
    actions = tuple(action_of(action, binder) for action in statement.actions)
    condition = _joined("and", _item_exists(table, binder, True), all_of(rest, binder))
    returning = _RETURNING[statement.returning]
    return UpdatePlan(table.name, key, actions, condition, returning, binder.names, binder.values)


def _delete(statement: tree.Delete, table: TableSchema, binder: Binder) -> DeletePlan:
    if statement.returning not in (None, "ALL OLD"):
        raise faults.returning_in_delete(str(statement.returning))
    key, rest = keys.key_of_write(statement.where, table.key_names, table.key_types, binder)
    condition = all_of(rest, binder)
    if condition is not None:
        condition = _joined("or", _item_exists(table, binder, False), condition)
    returning = _RETURNING[statement.returning]
    return DeletePlan(table.name, key, condition, returning, binder.names, binder.values)


def _check(select: tree.Select, table: TableSchema, binder: Binder) -> CheckPlan:
    if select.source.index is not None:
        raise faults.exists_on_index()
    try:
        key, rest = keys.key_of_write(select.where, table.key_names, table.key_types, binder)
    except faults.KeyEqualityMissing:
        raise faults.exists_form() from None
    condition = all_of(rest, binder)
    if condition is None:
        raise faults.exists_form()
    return CheckPlan(table.name, key, condition, binder.names, binder.values)


def _joined(
    operator: str, left: expression.Condition, right: expression.Condition | None
) -> expression.Condition:
    if right is None:
        return left
    kind = expression.And if operator == "and" else expression.Or
    parts = right.parts if isinstance(right, kind) else (right,)
    return kind((left, *parts))


class _Selection:
    """The planning of one SELECT."""

    def __init__(
        self, select: tree.Select, table: TableSchema, binder: Binder, consistent_read: bool
    ) -> None:
        self.select = select
        self.table = table
        self.binder = binder
        self.consistent_read = consistent_read
        self.index: IndexSchema | None = None
        source: TableSchema | IndexSchema = table
        if select.source.index is not None:
            self.index = table.indexes.get(select.source.index)
            if self.index is None:
                raise faults.no_index()
            source = self.index
        self.hash_names = source.hash_names
        self.range_names = source.range_names

    def plan(self) -> SelectPlan:
        self.check_index()
        reads, too_many = self.reads()
        self.check_order(reads)
        if reads is not None:
            keys.refuse_overlaps(reads)
            if too_many or len(reads) > keys.READS_MAX:
                raise faults.too_many_reads()
            self.check_filters(reads)
        forward = self.sort(reads) if reads else True
        condition = None
        if reads is None and self.select.where is not None:
            condition = condition_of(self.select.where, self.binder)
        key_reads = tuple(self.key_reads(reads or ()))
        several = len(key_reads) > 1
        return SelectPlan(
            table=self.table.name,
            index=self.index.name if self.index else None,
            kind="scan" if reads is None else "get" if self.names_item(reads) else "query",
            reads=key_reads,
            filter=condition,
            columns=self.select.columns,
            forward=forward,
            consistent_read=self.consistent_read,
            page_items_max=PAGE_ITEMS_MAX if several else None,
            names=self.binder.names,
            values=self.binder.values,
        )

    def check_index(self) -> None:
        """Refuse what a global index cannot give."""
        index = self.index
        if index is None or not index.is_global:
            return
        if self.consistent_read:
            raise faults.consistent_index()
        projected = self.table.projected_names(index)
        if projected is not None:
            roots = dict.fromkeys(str(path.elements[0]) for path in self.select.columns or ())
            absent = [name for name in roots if name not in projected]
            if absent:
                raise faults.not_projected(index.name, absent)

    def reads(self) -> tuple[list[Read] | None, bool]:
        """Return the reads, None for a scan; True: there were more branches than are looked at."""
        where = self.select.where
        if where is None:
            return None, False
        spread = Spread(self.hash_names, self.range_names, self.table.key_types, self.binder)
        branches = spread.branches(where)
        if spread.too_many:
            return ([], True) if spread.pins_hash(where) else (None, False)
        reads = []
        for branch in branches:
            read = keys.read_of(branch, self.hash_names, self.range_names)
            if read is None:
                return None, False
            reads.append(read)
        return reads, False

    def check_order(self, reads: list[Read] | None) -> None:
        order = self.select.order
        if not order:
            return
        if self.select.where is None:
            raise faults.order_without_where()
        for key in order:
            if key.name not in self.hash_names + self.range_names:
                raise faults.order_by_attribute(key.name)
        if reads is None:
            raise faults.order_without_hash()
        collections = {read.hash_order() for read in reads}
        if len(collections) > 1 and not any(key.name in self.hash_names for key in order):
            raise faults.order_needs_hash()

    def check_filters(self, reads: list[Read]) -> None:
        """Refuse filters on attributes that the index lacks."""
        if self.index is None:
            return
        projected = self.table.projected_names(self.index)
        if projected is None:
            return
        roots = dict.fromkeys(
            root for read in reads for node in read.filters for root in roots_of(node)
        )
        absent = [name for name in roots if name not in projected]
        if absent:
            raise faults.filter_not_projected(self.index.name, absent)

    def sort(self, reads: list[Read]) -> bool:
        """Put the reads in the order that ORDER BY asks for; True: each goes forward."""
        order = {key.name: key.descending for key in reversed(self.select.order)}
        if not order:
            return True
        hash_descending = any(order.get(name, False) for name in self.hash_names)
        named = [order[name] for name in self.range_names if name in order]
        descending = named[0] if named else hash_descending
        reads.sort(key=_lower_of, reverse=descending)
        reads.sort(key=Read.hash_order, reverse=hash_descending)
        return not descending

    def names_item(self, reads: list[Read]) -> bool:
        """Tell whether one read names the whole primary key of the table."""
        if self.index is not None or len(reads) != 1:
            return False
        ranges = reads[0].ranges
        return len(ranges) == len(self.range_names) and all(r.operator == "EQ" for r in ranges)

    def key_reads(self, reads: Sequence[Read]) -> Iterator[KeyRead]:
        filters: dict[tuple[int, ...], expression.Condition | None] = {}
        for read in reads:
            nodes = tuple(map(id, read.filters))
            if nodes not in filters:
                filters[nodes] = all_of(list(read.filters), self.binder)
            yield KeyRead(read.hash_key, read.ranges, filters[nodes])


def _lower_of(read: Read) -> tuple[tuple[object, ...], ...]:
    return tuple(
        (0,) if part.lower is None else (1, part.lower, part.lower_open) for part in read.intervals
    )


def roots_of(node: object) -> Iterator[str]:
    """Yield the attribute names at the roots of all paths in an expression."""
    if isinstance(node, tree.Path):
        yield str(node.elements[0])
    elif isinstance(node, tuple):
        for part in node:
            yield from roots_of(part)
    elif isinstance(node, tree.Expression) and not isinstance(node, tree.Literal):
        for name in node.__slots__:
            yield from roots_of(getattr(node, name))
