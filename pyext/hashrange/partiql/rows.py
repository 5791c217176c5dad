"""The results of a SELECT: which attributes of an item come back, and under which names.

Items are in typed form, as a read hands them out, and so are rows. A row is made of an item by its
columns' paths; PartiQL does not keep the shape that led to a value, unlike a ProjectionExpression:
`a.b` comes back as {"b": ...}, not {"a": {"b": ...}}.
"""

from __future__ import annotations

from collections.abc import Iterable

from hashrange.partiql.parser import column_name
from hashrange.partiql.tree import Path, Typed


def value_at(item: dict[str, Typed], path: Path) -> Typed | None:
    """Return the value that a path leads to in an item in typed form; None: there is none."""
    root, *rest = path.elements
    value = item.get(str(root))
    for element in rest:
        if value is None:
            return None
        if isinstance(element, str):
            value = value.get("M", {}).get(element)
        else:
            members = value.get("L", ())
            value = members[element] if element < len(members) else None
    return value


def select_columns(item: dict[str, Typed], columns: Iterable[Path] | None) -> dict[str, Typed]:
    """Return what SELECT returns of an item: each path's value under its last name.

    columns: None for `*`, which returns the item itself. A path that leads nowhere is left out; an
    item that has none of them is an empty row, not none.
    Source: observed on the service; SELECT a.b[0] answers {"b[0]": ...}.
    """
    if columns is None:
        return item
    row = {}
    for path in columns:
        value = value_at(item, path)
        if value is not None:
            row[column_name(path)] = value
    return row
