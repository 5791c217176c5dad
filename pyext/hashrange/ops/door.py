"""The door down for items: what the operations ask of the engine, and what it answers.

Everything is in typed form. The engine compiles expressions (and keeps them by their text), encodes
what it is given and refuses what it cannot encode; it evaluates conditions and writes in one step.
`Expression` carries either a text or what the language made of old members, `tree`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hashrange.errors import Error
from hashrange.ops.keys import Index, KeyShape
from hashrange.ops.values import TypedItem, TypedValue

PUT, UPDATE, DELETE, CHECK = "Put", "Update", "Delete", "ConditionCheck"


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the operations see it; the engine makes one when its meta changes."""

    name: str
    key: KeyShape
    indexes: dict[str, Index]

    @property
    def has_local_indexes(self) -> bool:
        """Whether the table has item collections that are measured."""
        return any(not index.is_global for index in self.indexes.values())


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition, update or projection. One of text and tree is None."""

    text: str | None
    names: dict[str, str] | None = None
    values: dict[str, TypedValue] | None = None
    tree: Any = None


@dataclass(frozen=True, slots=True)
class Write:
    """One write of one item. The want_ flags say which images the answer needs."""

    kind: str                      # PUT, UPDATE, DELETE or CHECK
    item: TypedItem                # the whole item of a put, else the key
    condition: Expression | None = None
    update: Expression | None = None
    want_before: bool = False
    want_after: bool = False
    want_touched: bool = False     # only what the update's paths lead to, in both images
    want_failed: bool = False      # the item that failed the condition, in the error


@dataclass(frozen=True, slots=True)
class Arm:
    """What a write did to one index: the sizes of its projected entries, None for no entry."""

    index: str
    is_global: bool
    before_bytes: int | None
    after_bytes: int | None
    same_key: bool = False
    same_entry: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What a write found and left. Sizes are DynamoDB's, 0 for no item."""

    before_bytes: int
    after_bytes: int
    arms: Sequence[Arm] = ()
    before: TypedItem | None = None
    after: TypedItem | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """What became of a transaction's actions, in their order.

    With an Error among the outcomes nothing was written. replayed: the token was known, and the
    outcomes are those of the first call.
    """

    outcomes: Sequence[Written | Error]
    replayed: bool = False


class Door(Protocol):
    """What the engine offers to the operations."""

    def table(self, name: str) -> Table | None:
        """Return a table that is ready for reads and writes, or None."""

    def table_name(self, name_or_arn: str) -> str:
        """Return the table's name for a TableName. Raises ValidationError, AccessDenied."""

    def read(
        self, table: Table, key: TypedItem, projection: Expression | None
    ) -> tuple[TypedItem | None, int]:
        """Return an item, projected, and its whole size in bytes; (None, 0) when absent."""

    def write(self, table: Table, write: Write) -> Written:
        """Make one write. Raises ConditionalCheckFailed, ItemTooLarge, ValidationError."""

    def write_all(self, writes: Sequence[tuple[Table, Write]]) -> list[Written]:
        """Make unconditional writes in any order, not as one."""

    def transact(
        self, writes: Sequence[tuple[Table, Write]], token: str | None, digest: bytes
    ) -> Transaction:
        """Make writes as one, or none of them.

        token: ClientRequestToken, remembered for ten minutes with the digest of the request.
        Raises IdempotentParameterMismatch, TransactionInProgress.
        """

    def read_all(
        self, reads: Sequence[tuple[Table, TypedItem, Expression | None]]
    ) -> list[tuple[TypedItem | None, int]]:
        """Read several items at one moment; each as `read` does."""

    def collection_bytes(self, table: Table, hash_key: TypedItem) -> int:
        """Return the size of an item collection, entries of local indexes included."""

    def expected(self, expected: dict[str, Any], operator: str | None) -> Expression:
        """Return the condition that Expected means. Raises ValidationError."""

    def updates(self, updates: dict[str, Any]) -> Expression:
        """Return the update that AttributeUpdates means. Raises ValidationError."""

    def attributes(self, names: list[str]) -> Expression:
        """Return the projection that AttributesToGet means."""
