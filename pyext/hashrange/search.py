"""Queries and scans: what the caller gives to a cursor, and on to a walk that filters.

Theory of operation. Expressions are compiled once (by their text, in the database's cache) and
bound to the table. A key condition becomes a hash key and bounds of the range key, the same that
the keyword arguments give. Through an index both become bytes of its entries' keys. A cursor
without filter, projection and index is used as it is; any other is wrapped in a `Walk`.

Rules and words are the service's: a filter of a query may not name key attributes, a projection
through a global index only what the index has, and no placeholder is given in vain.

Threads: any.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ddbcore.cursor import Query, Scan
from ddbcore.errors import ValidationError
from ddbcore.filter import Filter
from ddbcore.program import Program
from ddbcore.projection import Projection
from ddbcore.walk import Walk
from hashrange.conditions import condition_arguments, is_condition
from hashrange.errors import item_index_not_found
from hashrange.expr import ExpressionCache, KeyCondition, refuse_key_attributes, refuse_unused, tree

if TYPE_CHECKING:
    from hashrange.indexes import IndexView
    from hashrange.table import Table

__all__ = ["Expressions", "query", "query_index", "scan"]

NAME_LISTS_MAX = 1024  # projections by list of names that are kept
WORDS = {"=": "eq", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
EXCLUSIVE = ("eq", "between", "begins_with")

Names = dict[str, str] | None
Values = dict[str, Any] | None


class Expressions(ExpressionCache):
    """The compiled expressions of a database's native calls."""

    def __init__(self) -> None:
        super().__init__()
        self.named = lru_cache(NAME_LISTS_MAX)(self.compile_names)

    def compile_names(self, names: tuple[str, ...]) -> tuple[Projection, dict[str, str]]:
        """Return the projection of some attributes, and what its placeholders stand for."""
        tokens = {f"#_{place}": name for place, name in enumerate(names)}
        return self.projection(tuple([tree.Path((token,)) for token in tokens])), tokens

    def projection_arguments(
        self, project: str | Sequence[str] | None, names: Names
    ) -> tuple[Projection, Names]:
        """Return what project= means, and the names it is bound with.

        project: an expression, or a list of attribute names, each taken as it is. Raises
        ValidationError.
        """
        if isinstance(project, str):
            return self.projection(project), names
        wanted = tuple(dict.fromkeys(project)) if isinstance(project, (list, tuple, set)) else ()
        if not wanted or not all(isinstance(name, str) and name for name in wanted):
            raise ValidationError(
                "project= is an expression or a list of attribute names (names= is for "
                f"expressions), not {project!r:.100}"
            )
        if names:
            raise ValidationError("names= is for expressions: project= is a list of names as such")
        return self.named(wanted)


# ---- query ---------------------------------------------------------------------------------------


def query(
    table: Table,
    *,
    hash: Any,
    key: Any,
    bounds: dict[str, Any],
    reverse: bool,
    limit: int | None,
    after: Any,
    filter: Any,
    project: str | Sequence[str] | None,
    names: Names,
    values: Values,
    index: str | None,
) -> Query | Walk:
    """Return the cursor of a query; arguments as those of Table.query."""
    view = None if index is None else view_of(table, index)
    if is_condition(hash):
        if key is not None:
            raise ValidationError("give the key condition once: key= is for expressions")
        hash, key = None, hash
    bounds = {word: bound for word, bound in bounds.items() if bound is not None}
    used: list[Any] = []
    if key is not None:
        if hash is not None or bounds:
            raise ValidationError("a key condition takes the place of the hash key and all bounds")
        hash, bounds, names, values = resolved(table, view, key, names, values, used)
    elif hash is None:
        raise ValidationError("a query needs a hash key, or a key condition")
    key_names = own_names(table) if view is None else view.key_names
    parts = selection(table, view, filter, project, names, values, used, key_names)
    source: Query
    if view is None:
        plain = filter is None and project is None
        source = Query(
            table, hash, reverse=reverse, limit=limit if plain else None, after=after, **bounds
        )
        if plain:
            return source
    else:
        source = view_query(view, hash, bounds, reverse, after)
    return walk(table, view, source, limit, parts)


def query_index(
    table: Table,
    hash: Any,
    index: str,
    bounds: dict[str, Any] | None,
    reverse: bool,
    limit: int | None,
    after: Any,
) -> Walk:
    """Return the cursor of a query of an index that has a hash key's value and no expressions."""
    view = view_of(table, index)
    if bounds is not None:
        bounds = {word: bound for word, bound in bounds.items() if bound is not None}
    projection, names = None, None
    if view.projected is not None:
        projection, names = table.database.expressions.named(view.projected)
    source = view_query(view, hash, bounds, reverse, after)
    return walk(table, view, source, limit, (None, projection, names))


def view_query(
    view: IndexView, hash: Any, bounds: dict[str, Any] | None, reverse: bool, after: Any
) -> Query:
    """Return the cursor over the entries of a hash key in an index."""
    encoded: dict[str, Any] = {}
    if bounds:
        refuse_bounds(bounds)
        encoded = view.bounds(bounds)
    return Query(
        view.entries,
        view.hash_bytes(hash),
        reverse=reverse,
        after=None if after is None else view.position(after),
        **encoded,
    )


def resolved(
    table: Table, view: IndexView | None, key: Any, names: Names, values: Values, used: list[Any]
) -> tuple[Any, dict[str, Any], Names, Values]:
    """Return hash and bounds of a key condition, and all placeholders there are by now."""
    text, names, values = condition_arguments(key, names, values)
    expression = table.database.expressions.key_condition(text)
    used.append(expression)
    if view is None:
        schema = table.key_schema()
        hash_names = [schema[0][0]]
        range_names = [] if schema[1] is None else [schema[1][0]]
    else:
        hash_names = [name for name, _ in view.hash_parts]
        range_names = [name for name, _ in view.range_parts]
    condition = expression.resolve(names, hash_names, range_names)
    # Binding it checks the values: that they are there, that BETWEEN's are in order.
    Filter(expression.program, table.codec, names, values, False, True)
    given = values or {}
    hashes = tuple([given[token] for _, token in condition.hash])
    return (
        hashes if len(hashes) > 1 else hashes[0],
        condition_bounds(condition, given, tuples=view is not None),
        names,
        values,
    )


def condition_bounds(
    condition: KeyCondition, values: dict[str, Any], *, tuples: bool
) -> dict[str, Any]:
    """Return the bounds that a key condition sets.

    tuples: of an index, whose range key has several values: all but the last are equal to
    something, and stand before it in each bound.
    """
    if not condition.range:
        return {}
    *before, last = condition.range
    start = tuple([values[part.values[0]] for part in before])
    given = [values[token] for token in last.values]
    bounds = [(*start, value) for value in given] if tuples else given
    if last.operator == "BETWEEN":
        return {"between": tuple(bounds)}
    word = WORDS.get(last.operator, "begins_with")
    found = {word: bounds[0]}
    if start and word in ("gt", "ge"):
        found["le"] = start
    elif start and word in ("lt", "le"):
        found["ge"] = start
    return found


def refuse_bounds(bounds: dict[str, Any]) -> None:
    """Refuse bounds that exclude each other, as the core does for a table's own key."""
    exclusive = sum(word in bounds for word in EXCLUSIVE)
    others = len(bounds) - exclusive
    if (
        exclusive > 1
        or (exclusive and others)
        or {"ge", "gt"} <= bounds.keys()
        or {"le", "lt"} <= bounds.keys()
    ):
        raise ValidationError(
            "conditions on the range key exclude each other: give eq, between, begins_with, or at "
            "most one of ge/gt with at most one of le/lt"
        )
    between = bounds.get("between")
    if between is not None and not (isinstance(between, (tuple, list)) and len(between) == 2):
        raise ValidationError(f"between is a pair of bounds, not {between!r:.100}")


# ---- scan ----------------------------------------------------------------------------------------


def scan(
    table: Table,
    *,
    segment: int | None,
    total_segments: int | None,
    limit: int | None,
    after: Any,
    filter: Any,
    project: str | Sequence[str] | None,
    names: Names,
    values: Values,
    index: str | None,
) -> Scan | Walk:
    """Return the cursor of a scan; arguments as those of Table.scan."""
    view = None if index is None else view_of(table, index)
    parts = selection(table, view, filter, project, names, values, [], ())
    if view is None:
        source = Scan(table, segment=segment, total_segments=total_segments, after=after)
    else:
        source = Scan(
            view.entries,
            segment=segment,
            total_segments=total_segments,
            after=None if after is None else view.position(after),
        )
    return walk(table, view, source, limit, parts)


# ---- what both have ------------------------------------------------------------------------------


def view_of(table: Table, index: str) -> IndexView:
    """Return an index that can be read. Raises ValidationError."""
    views = table._views()
    if index not in views:
        raise item_index_not_found(index)
    if views[index].building:
        raise ValidationError(f"Cannot read from backfilling global secondary index: {index}")
    return views[index]


def own_names(table: Table) -> list[str]:
    """Return the names of a table's key attributes."""
    return [part[0] for part in table.key_schema() if part is not None]


def selection(
    table: Table,
    view: IndexView | None,
    filter: Any,
    project: str | Sequence[str] | None,
    names: Names,
    values: Values,
    used: list[Any],
    key_names: Sequence[str],
) -> tuple[Filter | None, Projection | None, Names]:
    """Return filter and projection, with the projection's names.

    used: expressions that share the placeholders. key_names: attributes that the filter must not
    name.
    """
    expressions = table.database.expressions
    condition: Program | None = None
    text, names, values = condition_arguments(filter, names, values)
    if text is not None:
        condition = expressions.program(None, text, "FilterExpression")
    projection: Projection | None = None
    shown = names
    if isinstance(project, str):
        projection = expressions.projection(project)
    elif project is not None:
        projection, shown = expressions.projection_arguments(project, None)
    if names or values:
        expression = projection if shown is names else None
        refuse_unused(names, values, *used, condition, expression)
    if condition is not None and key_names:
        refuse_key_attributes(condition, names, key_names)
    visible: frozenset[str] | None = None
    if view is not None and view.projected is not None:
        visible = frozenset(view.projected)
        if projection is None:
            projection, shown = expressions.named(view.projected)
        elif view.is_global:
            refuse_lacking(view, projection, shown)
    bound = None
    if condition is not None:
        bound = Filter(condition, table.codec, names, values, False, True, visible=visible)
    return bound, projection, shown


def refuse_lacking(view: IndexView, projection: Projection, names: Names) -> None:
    """Refuse a projection of what a global index does not have. Raises ValidationError."""
    given = names or {}
    firsts = {projection.names[-1 - path[0]] for path in projection.paths}
    lacking = sorted({given.get(name, name) for name in firsts} - set(view.projected or ()))
    if lacking:
        raise lacking_error(view, lacking)


def lacking_error(view: IndexView, lacking: Sequence[str]) -> ValidationError:
    """Return the error of asking a global index for attributes that it does not have."""
    return ValidationError(
        "One or more parameter values were invalid: Global secondary index "
        f"{view.name} does not project [{', '.join(lacking)}]"
    )


def walk(
    table: Table,
    view: IndexView | None,
    source: Query | Scan,
    limit: int | None,
    parts: tuple[Filter | None, Projection | None, Names],
) -> Walk:
    """Return the walk of a cursor."""
    condition, projection, names = parts
    return Walk(
        source,
        table,
        None if view is None else view.name,
        condition=condition,
        projection=projection,
        names=names,
        limit=limit,
        key_of=None if view is None else view.key_of,
    )
