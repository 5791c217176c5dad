"""Tokens: what was done under a ClientRequestToken, kept for ten minutes.

Theory of operation. A token is an item of a hidden table, written in the commit of its transaction:
either both are there or neither. It holds a digest of the request, which tells a repetition from
another request, and the sizes of the items, which tell what a repetition costs. Those that are too
old are deleted by the calls that add new ones.

Threads: of two calls with one token the second must find what the first did: hold `lock` from
`known` to the commit.

Source: API reference, TransactWriteItems; capacity as measured.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ddbcore.cursor import Scan
from ddbcore.engine import Engine
from ddbcore.table import CoreTable
from ddbcore.writes import PUT, Action
from hashrange.errors import IdempotentParameterMismatch
from hashrange.ops import door
from hashrange.ops.tables import Tables

TABLE = "/tokens"
LOOKED_AT = 4                        # two would do to remove them as fast as they come
LIFE_S = 600.0


class Tokens:
    """The tokens of a database."""

    def __init__(self, engine: Engine, tables: Tables) -> None:
        self.engine = engine
        self.tables = tables
        self.lock = threading.Lock()
        self.table: tuple[int, CoreTable | None] = (-1, None)
        self.place: str | None = None    # where `forget` goes on

    def kept(self) -> CoreTable:
        """Return the hidden table."""
        version, table = self.table
        if table is None or version != self.engine.schema_version:
            if TABLE not in self.engine.names:
                self.engine.change_tables(
                    [{"name": TABLE, "hash_key": ["token", "S"], "range_key": None}], {}, []
                )
            table = CoreTable(self.engine, TABLE)
            self.table = self.engine.schema_version, table
        return table

    def known(self, token: str, digest: bytes) -> door.Transaction | None:
        """Return what the first call with a token did; None when there was none lately."""
        known = self.kept().get(token)
        if known is None or float(known["until"]) <= self.tables.now():
            return None
        if known["digest"] != digest:
            raise IdempotentParameterMismatch(
                "An error occurred: The request uses the same client token as a previous, but "
                "non-identical request. Do not reuse a client token with different requests, "
                "unless the requests are identical"
            )
        sizes = json.loads(known["sizes"])
        return door.Transaction(
            [door.Written(before, after) for before, after in sizes], replayed=True
        )

    def remembering(self, token: str, digest: bytes) -> Callable[[list[Any]], Action]:
        """Return what writes a token in the commit of its transaction."""
        tokens = self.kept()
        until = Decimal(str(self.tables.now() + LIFE_S))

        def remember(outcomes: list[Any]) -> Action:
            sizes = json.dumps([outcome[:2] for outcome in outcomes])
            item = {"token": token, "digest": digest, "until": until, "sizes": sizes}
            return Action(tokens, PUT, item, native=True)

        return remember

    def forget(self) -> None:
        """Delete some of the tokens that are too old; each call that adds one looks at some."""
        tokens, now = self.kept(), self.tables.now()
        looked = list(Scan(tokens, limit=LOOKED_AT, after=self.place))
        for old in looked:
            if float(old["until"]) <= now:
                tokens.delete(old["token"])
        self.place = looked[-1]["token"] if len(looked) == LOOKED_AT else None
