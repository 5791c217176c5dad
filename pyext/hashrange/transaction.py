"""Transactions of the native API: writes of several items and tables in one commit, or none.

Theory of operation. A `Transaction` collects actions; when its block ends they are carried out as
one frame of the log (`ddbcore.writes`), so that they are there together or not at all, in this
process, in readers, and after a crash. Nobody sees a state in between, and nothing is locked: an
action's condition is decided on the state that the commit changes. A token is remembered in that
same commit, for ten minutes, by the machinery of TransactWriteItems; the two share their tokens.

Invariants. (1) An exception in the block leaves nothing behind. (2) No item has two actions.

Threads: a transaction is for one thread at a time.

Source: developer guide, "Amazon DynamoDB transactions: how it works" (100 actions, one an item).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ddbcore.errors import Error, TableNotFound, ValidationError
from ddbcore.program import Program
from ddbcore.writes import CHECK, DELETE, PUT, UPDATE, WANT_FAILED, Action, get_all, write_all
from hashrange.conditions import condition_arguments
from hashrange.errors import transaction_canceled
from hashrange.table import Table

if TYPE_CHECKING:
    from types import TracebackType

    from hashrange.database import Database

__all__ = ["ACTIONS_MAX", "Transaction", "transact_get"]

ACTIONS_MAX = 100  # of one transaction, writes or reads
TOKEN_LENGTH_MAX = 36

Names = dict[str, str] | None
Values = dict[str, Any] | None


class Transaction:
    """Puts, updates, deletes and checks that are committed together. Made by Database.transact."""

    def __init__(
        self, database: Database, token: str | None = None, durability: str | None = None
    ) -> None:
        if token is not None and not (
            isinstance(token, str) and 1 <= len(token) <= TOKEN_LENGTH_MAX
        ):
            raise ValidationError(f"token= is a str of 1 to {TOKEN_LENGTH_MAX} characters")
        self.database = database
        self.token = token
        self.durability = durability
        self.actions: list[Action] = []
        self.marks: set[tuple[str, bytes]] = set()
        self.texts: list[Any] = []  # what the token stands for
        self.done = False

    def __enter__(self) -> Transaction:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.commit()
        self.done = True

    @property
    def count(self) -> int:
        """Number of actions so far."""
        return len(self.actions)

    def put(
        self,
        table: str | Table,
        item: dict[str, Any],
        *,
        condition: Any = None,
        names: Names = None,
        values: Values = None,
    ) -> None:
        """Add a put of an item, in place of the one with its key.

        Arguments as those of Table.put. The item is taken as it is when the block ends. Raises
        ValidationError.
        """
        found = self.table(table)
        schema = found.key_schema()
        try:
            key = [item[part[0]] for part in schema if part is not None]
        except KeyError as error:
            raise ValidationError(
                "One or more parameter values were invalid: "
                f"Missing the key {error.args[0]} in the item"
            ) from None
        self.add(found, PUT, item, key, None, condition, names, values)

    def update(
        self,
        table: str | Table,
        hash: Any,
        *arguments: Any,
        condition: Any = None,
        names: Names = None,
        values: Values = None,
    ) -> None:
        """Add an update; its arguments are the table and those of Table.update.

        Raises ValidationError.
        """
        if not 1 <= len(arguments) <= 2:
            raise TypeError("update() takes a table, the key's values and one update expression")
        *rest, expression = arguments
        if not isinstance(expression, str):
            raise ValidationError(f"an update expression is a str, not {expression!r:.100}")
        self.change(table, UPDATE, [hash, *rest], expression, condition, names, values)

    def delete(
        self,
        table: str | Table,
        hash: Any,
        range: Any = None,
        *,
        condition: Any = None,
        names: Names = None,
        values: Values = None,
    ) -> None:
        """Add a delete of a key; it does nothing when there is no such item.

        Raises ValidationError.
        """
        self.change(table, DELETE, [hash, range], None, condition, names, values)

    def check(
        self,
        table: str | Table,
        hash: Any,
        range: Any = None,
        *,
        condition: Any,
        names: Names = None,
        values: Values = None,
    ) -> None:
        """Add a condition that an item without other actions must meet (or its absence).

        Raises ValidationError.
        """
        if condition is None:
            raise ValidationError("a check needs a condition")
        self.change(table, CHECK, [hash, range], None, condition, names, values)

    # -- on the way

    def table(self, table: str | Table) -> Table:
        """Return a table given by name or as such. Raises TableNotFound, ValidationError."""
        if isinstance(table, str):
            return self.database.table(table)
        if not isinstance(table, Table) or table.engine is not self.database.engine:
            raise ValidationError("all tables of a transaction are of one database")
        return table

    def change(
        self,
        table: str | Table,
        kind: int,
        key: list[Any],
        update: str | None,
        condition: Any,
        names: Names,
        values: Values,
    ) -> None:
        """Add an action on a key."""
        hash, range = key if len(key) == 2 else (key[0], None)
        found = self.table(table)
        self.add(found, kind, (hash, range), [hash, range], update, condition, names, values)

    def add(
        self,
        table: Table,
        kind: int,
        item: Any,
        key: list[Any],
        update: str | None,
        condition: Any,
        names: Names,
        values: Values,
    ) -> None:
        """Add an action, its expressions compiled."""
        if self.done:
            raise ValidationError("the transaction is over")
        if len(self.actions) >= ACTIONS_MAX:
            raise ValidationError(f"a transaction has at most {ACTIONS_MAX} actions")
        mark = table.name, table.codec.key(*key)
        if mark in self.marks:
            raise ValidationError(
                "Transaction request cannot include multiple operations on one item"
            )
        text = condition
        if condition is not None and type(condition) is not str:
            text, names, values = condition_arguments(condition, names, values)
        program: Program | None = None
        if update is not None or text is not None:
            program = self.database.expressions.program(update, text)
        action = Action(
            table, kind, item, program, names, values, False, WANT_FAILED, None, native=True
        )
        self.actions.append(action)
        self.marks.add(mark)
        if self.token is not None:
            self.texts.append((kind, table.name, item, update, text, names, values))

    def commit(self) -> None:
        """Write everything, or nothing. The end of the block does it.

        Raises TransactionCanceled with `reasons`, one for each action; IdempotentParameterMismatch
        for a token that was used for other actions; DiskFull, PoisonedError.
        """
        if self.done:
            raise ValidationError("the transaction is over")
        self.done = True
        engine = self.database.engine
        if self.token is None:
            outcomes = write_all(engine, self.actions, None, self.durability)
        else:
            door = self.database._door()
            digest = digest_of(self.texts)
            with door.token_lock:
                if door.known_token(self.token, digest) is not None:
                    return
                remember = door.remembering(self.token, digest)
                outcomes = write_all(engine, self.actions, remember, self.durability)
                door.forget_tokens()
        raise_failures(outcomes)


def raise_failures(outcomes: list[Any]) -> None:
    """Raise why nothing was written, if so."""
    for failed in outcomes:
        if isinstance(failed, Error):
            # Imported when needed: the operations take longer to import than all the rest.
            from hashrange.ops.transactions import reason_of

            raise transaction_canceled([
                reason_of(outcome) if isinstance(outcome, Error) else {"Code": "None"}
                for outcome in outcomes
            ])


def digest_of(texts: list[Any]) -> bytes:
    """Return what tells transactions with the same token apart: equal values, equal digests."""
    import hashlib

    digest = hashlib.blake2b(digest_size=16)
    for text in pieces(texts):
        digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))
    return digest.digest()


def pieces(value: Any) -> Iterator[str]:
    """Yield texts that describe a value, whatever the order of its entries and members."""
    if isinstance(value, Mapping):
        yield f"M{len(value)}"
        for name in sorted(value):
            yield name
            yield from pieces(value[name])
    elif isinstance(value, (set, frozenset)):
        yield f"E{len(value)}"
        yield from sorted("".join(pieces(member)) for member in value)
    elif isinstance(value, (list, tuple)):
        yield f"L{len(value)}"
        for inner in value:
            yield from pieces(inner)
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        yield f"N{Decimal(value).normalize()}"
    elif isinstance(value, (bytes, bytearray, memoryview)):
        yield f"B{bytes(value).hex()}"
    else:
        yield f"{type(value).__name__} {value}"


def transact_get(database: Database, keys: list[Any]) -> list[dict[str, Any] | None]:
    """Return the items of keys at one moment; see Database.transact_get."""
    if len(keys) > ACTIONS_MAX:
        raise ValidationError(f"a transaction has at most {ACTIONS_MAX} actions")
    wanted = []
    tables: dict[str, Table] = {}
    for key in keys:
        if not isinstance(key, (tuple, list)) or not 2 <= len(key) <= 3:
            raise ValidationError(f"a key is (table, hash) or (table, hash, range), not {key!r}")
        name, *values = key
        if isinstance(name, Table):
            if name.engine is not database.engine:
                raise ValidationError("all tables of a transaction are of one database")
            table = name
        elif isinstance(name, str):
            if name not in tables:
                tables[name] = database.table(name)
            table = tables[name]
        else:
            raise TableNotFound(f"no table {name!r} in this database")
        wanted.append((table, values[0], values[1] if len(values) > 1 else None))
    return get_all(database.engine, wanted)
