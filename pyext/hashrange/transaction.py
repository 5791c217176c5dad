"""Transactions of the native API: what ddbcore's part of them asks of the layers above.

Theory of operation. `ddbcore.transaction` collects the actions of a block and commits them as one
frame of the log. Here are: conditions given as objects, the reasons of a transaction that was
canceled, and tokens. A token is remembered in the commit of its transaction, for ten minutes, by
the machinery of TransactWriteItems; the two share their tokens.

Threads: a transaction is for one thread at a time.

Source: developer guide, "Amazon DynamoDB transactions: how it works" (100 actions, one an item).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ddbcore.errors import Error
from ddbcore.transaction import ACTIONS_MAX, CoreTransaction, transact_get
from hashrange.conditions import condition_arguments
from hashrange.errors import transaction_canceled

if TYPE_CHECKING:
    from hashrange.database import Database

__all__ = ["ACTIONS_MAX", "Transaction", "transact_get"]

Names = dict[str, str] | None
Values = dict[str, Any] | None


class Transaction(CoreTransaction):
    """Puts, updates, deletes and checks that are committed together. Made by Database.transact.

    put, update, delete, check, commit and count are inherited. Nothing happens until the block
    ends; an exception in it leaves nothing behind.
    """

    database: Database

    def _condition_arguments(
        self, condition: Any, names: Names, values: Values
    ) -> tuple[Any, Names, Values]:
        return condition_arguments(condition, names, values)

    def _text(self, action: tuple[Any, ...]) -> str:
        """Return what tells an action apart from others: its part of a token's digest."""
        return "".join(f"{len(piece)}:{piece}" for piece in pieces(action))

    def _once(self, texts: list[str]) -> None:
        """Commit, unless a transaction with the same token and actions was lately."""
        assert self.token is not None
        tokens = self.database._door().tokens
        digest = hashlib.blake2b(
            "".join(texts).encode("utf-8", "surrogatepass"), digest_size=16
        ).digest()
        with tokens.lock:
            if tokens.known(self.token, digest) is None:
                self.write(tokens.remembering(self.token, digest))
                tokens.forget()

    def _cancel(self, outcomes: list[Any]) -> None:
        """Raise why nothing was written."""
        # Imported when needed: the operations take longer to import than all the rest.
        from hashrange.ops.transactions import reason_of

        raise transaction_canceled([
            reason_of(outcome) if isinstance(outcome, Error) else {"Code": "None"}
            for outcome in outcomes
        ])


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
