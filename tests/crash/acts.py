"""Calls that need all of the index, for tests of what an opening puts off.

They are for a database with the tables "plain" (with a number, n) and "ranged" (with a collection
"g1").
"""

from __future__ import annotations

from collections.abc import Callable

import hashrange

WHOLE_INDEX: list[Callable[[hashrange.Database], object]] = [
    lambda database: next(iter(database.table("plain").scan())),
    lambda database: list(database.table("plain").scan(filter="n > :n", values={":n": 0})),
    lambda database: database.table("plain").columns(["n"]),
    lambda database: database.table("plain").columns(["n"], filter="n > :n", values={":n": 9}),
    lambda database: next(iter(database.table("ranged").query("g1"))),
    lambda database: database.table("plain").count(),
    lambda database: database.table("plain").size_bytes(),
    lambda database: database.stats(),
    lambda database: database.checkpoint(),
    lambda database: database.compact(),
]
