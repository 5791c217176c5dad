"""What the planner must know of a table: its keys and its indexes.

A description in DynamoDB's terms, made by whoever knows the table; nothing here reads an engine.
Hash and range are tuples of names, because a global index may have up to four of each; tables and
local indexes have one hash name and one range name or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class IndexSchema:
    """A secondary index.

    hash_names, range_names: 1 to 4 and 0 to 4 attributes for a global index; 1 and 1 for a local.
    projection: "ALL", "KEYS_ONLY" or "INCLUDE"; included: the attributes that INCLUDE names.
    """

    name: str
    hash_names: tuple[str, ...]
    range_names: tuple[str, ...] = ()
    is_global: bool = True
    projection: str = "ALL"
    included: frozenset[str] = frozenset()

    @property
    def key_names(self) -> tuple[str, ...]:
        return self.hash_names + self.range_names


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table.

    key_types: "S", "N" or "B" for every key attribute, of the table and of its indexes.
    indexes: by name.
    """

    name: str
    hash_names: tuple[str, ...]
    range_names: tuple[str, ...]
    key_types: Mapping[str, str]
    indexes: Mapping[str, IndexSchema] = field(default_factory=dict)

    @property
    def key_names(self) -> tuple[str, ...]:
        return self.hash_names + self.range_names

    def projected_names(self, index: IndexSchema) -> frozenset[str] | None:
        """Return the attributes that an index holds; None: all of them."""
        if index.projection == "ALL":
            return None
        return frozenset(self.key_names) | frozenset(index.key_names) | index.included
