"""The door down for items: what the operations ask of the engine, and what it answers.

Everything is in typed form. The engine compiles expressions (and keeps them by their text), encodes
what it is given and refuses what it cannot encode; it evaluates conditions and writes in one step.
`Expression` carries either a text or what the language made of old members, `tree`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from hashrange.errors import ConditionalCheckFailed, Error
from hashrange.ops.keys import Index, KeyShape
from hashrange.ops.values import TypedItem, TypedValue

# Whether the items of pages are wanted as JSON text: by a caller that only writes them down.
AS_TEXT: ContextVar[bool] = ContextVar("hashrange_as_text", default=False)
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


class Expression(NamedTuple):
    """A condition, update or projection. One of text and tree is None.

    old: it was made of an old member, and its errors are in the words of those.
    """

    text: str | None
    names: dict[str, str] | None = None
    values: dict[str, TypedValue] | None = None
    tree: Any = None
    old: bool = False


class Write(NamedTuple):
    """One write of one item. The want_ flags say which images the answer needs."""

    kind: str                      # PUT, UPDATE, DELETE or CHECK
    item: TypedItem                # the whole item of a put, else the key
    condition: Expression | None = None
    update: Expression | None = None
    want_before: bool = False
    want_after: bool = False
    want_touched: bool = False     # only what the update's paths lead to, in both images
    want_failed: bool = False      # the item that failed the condition, in the error
    want_arms: bool = True         # what the write did to each index


class Arm(NamedTuple):
    """What a write did to one index: the sizes of its projected entries, None for no entry."""

    index_name: str
    is_global: bool
    before_bytes: int | None
    after_bytes: int | None
    same_key: bool = False
    same_entry: bool = False


class Written(NamedTuple):
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


class Walk(NamedTuple):
    """One page of a Query or Scan to be read. source: an index, None for the table itself.

    keys: the key condition of a Query, None for a Scan. limit: items evaluated at most. count_only:
    the items themselves are not wanted. fetch: whole items, also those that a local index does not
    have. filters_keys: the condition of a query may be about key attributes, as in PartiQL.
    """

    source: Index | None
    keys: Expression | None
    condition: Expression | None
    projection: Expression | None
    start: TypedItem | None
    limit: int | None
    forward: bool = True
    consistent: bool = False
    count_only: bool = False
    fetch: bool = False
    segment: tuple[int, int] | None = None
    filters_keys: bool = False


class Page(NamedTuple):
    """What a walk found.

    items: those that passed the filter, projected; None when only their number was wanted; text
    (JsonItems) where AS_TEXT says so. matched: how many those are, scanned: how many were
    evaluated. read_bytes: the sizes of all items or entries evaluated, summed. fetched_bytes: the
    sizes of whole items fetched through a local index. last_key: where the next page goes on, None
    at the end.
    """

    items: list[TypedItem] | None
    matched: int
    scanned: int
    read_bytes: int
    fetched_bytes: Sequence[int] = ()
    last_key: TypedItem | None = None


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

    def get_plain(self, request: dict[str, Any]) -> tuple[TypedItem | None, int] | None:
        """Read the whole item of a GetItem, of a shape that was checked, if all is plain.

        Return it and its size, as `read` does; None: it takes a closer look.
        """

    def write(self, table: Table, write: Write) -> Written:
        """Make one write. Raises ConditionalCheckFailed, ItemTooLarge, ValidationError."""

    def write_plain(self, kind: str, request: dict[str, Any]) -> bool:
        """Make the write of a request, of a shape that was checked, if all is plain.

        False, and nothing done: it takes a closer look. Raises ConditionalCheckFailed.
        """

    def write_all(self, writes: Sequence[tuple[Table, Write]]) -> list[Written]:
        """Make unconditional writes in any order; none of them when one is refused."""

    def transact(
        self,
        writes: Sequence[tuple[Table, Write]],
        token: str | None,
        digest: bytes,
        *,
        distinct: bool = False,
    ) -> Transaction | None:
        """Make writes as one, or none of them.

        token: ClientRequestToken, remembered for ten minutes with the digest of the request.
        distinct: nobody has looked at the keys; None, and nothing done, when two writes are of one
        item or a key does not fit. Raises IdempotentParameterMismatch, TransactionInProgress.
        """

    def read_all(
        self,
        reads: Sequence[tuple[Table, TypedItem, Expression | None]],
        *,
        distinct: bool = False,
    ) -> list[tuple[TypedItem | None, int]] | None:
        """Read several items at one moment; each as `read` does.

        distinct: return None when two are of one item.
        """

    def read_plain(self, parts: list[Any]) -> list[tuple[TypedItem | None, int]] | None:
        """Read the items of TransactItems, of a shape that was checked, if all is plain.

        None: it takes a closer look, as with `transact_plain`.
        """

    def read_keys(
        self, table: Table, keys: list[TypedItem], projection: Expression | None
    ) -> tuple[list[TypedItem | None], list[int]] | None:
        """Read items of one table at one moment; return them and their sizes, as `read` does each.

        None: two keys are equal. Raises ValidationError for a key that does not fit the table's.
        """

    def transact_plain(
        self, parts: list[Any], token: str | None, digest_of: Callable[[list[Any]], bytes]
    ) -> list[ConditionalCheckFailed | None] | None:
        """Make the writes of TransactItems, of a shape that was checked, if all is plain.

        Return None when any of it takes a closer look, a known token among that, and then nothing
        was done; else what became of each action. With one that failed nothing was written.
        """

    def walk(self, table: Table, walk: Walk) -> Page:
        """Read one page: up to the item that passes 1 MB.

        Raises ValidationError for key conditions that do not fit the key, for filters on key
        attributes unless they may be, and for a start outside of the query.
        """

    def check_expressions(
        self,
        expressions: Mapping[str, str],
        names: Mapping[str, str] | None,
        values: Mapping[str, TypedValue] | None,
    ) -> None:
        """Raise ValidationError for what is wrong with a request's expressions by themselves.

        expressions: by the names of the members, in the order of checking. That is their syntax,
        and placeholders that are not defined or not used. Called only for requests that failed.
        """

    def top_names(self, projection: Expression) -> set[str]:
        """Return the top-level attributes that a projection names. Raises ValidationError."""

    def collection_bytes(self, table: Table, hash_key: TypedItem) -> int:
        """Return the size of an item collection, entries of local indexes included."""

    def expected(self, expected: dict[str, Any], operator: str | None) -> Expression:
        """Return the condition that Expected means. Raises ValidationError."""

    def updates(self, updates: dict[str, Any]) -> Expression:
        """Return the update that AttributeUpdates means. Raises ValidationError."""

    def key_conditions(self, conditions: dict[str, Any]) -> Expression:
        """Return the key condition that KeyConditions means. Raises ValidationError."""

    def filters(self, conditions: dict[str, Any], operator: str | None) -> Expression:
        """Return the filter that QueryFilter or ScanFilter means. Raises ValidationError."""

    def attributes(self, names: list[str]) -> Expression:
        """Return the projection that AttributesToGet means."""
