"""Small sets are made without asking the interpreter; nobody may be able to tell.

Items are read twice, from the log and from the cache: both ways make sets. Compared is what CPython
lets one see of a set: members, size, growth, removal, the garbage collector's view.
Environment: HASHRANGE_SETS_SEED.
"""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from crash.oracle import seed_of

import hashrange
from ddbcore.sets import small_sets

ROUNDS = 400
COUNT_MAX = 12                # members: below and above what a small set holds


@pytest.fixture
def table() -> Iterator[hashrange.Table]:
    with hashrange.open() as db:
        yield db.create_table("table", ("id", "S"))


def dice_of(variable: str) -> random.Random:
    seed = seed_of(variable)
    print(f"{variable}={seed}")
    return random.Random(seed)


def members_of(dice: random.Random, count: int) -> set[Any]:
    """Return a set of `count` members of one kind; small integers' hashes end alike."""
    makers = (
        lambda: f"{dice.choice('abc')}{dice.randrange(10**dice.randrange(1, 9))}",
        lambda: 8 * dice.randrange(50),
        lambda: dice.randrange(-(10**37), 10**37),
        lambda: Decimal(dice.randrange(1, 10**6) * 10 + 1).scaleb(-3),
        lambda: dice.randbytes(dice.randrange(1, 9)),
    )
    maker = dice.choice(makers)
    members: set[Any] = set()
    while len(members) < count:
        members.add(maker())
    return members


def both(table: hashrange.Table, members: set[Any]) -> tuple[set[Any], set[Any], set[Any]]:
    """Put a set; return it as read from the log, as copied for the cache's sake, and as cached."""
    table.put({"id": "a", "set": members})
    first, second, third = (table.get("a")["set"] for _ in range(3))
    return first, second, third


def test_the_tested_interpreters_make_small_sets_here() -> None:
    assert small_sets() == (
        sys.implementation.name == "cpython" and sys.version_info < (3, 14)
    )


# Each member must be found where CPython looks for it: integers whose hashes end alike are among
# them, so that places taken by others are met.
def test_sets_read_are_as_if_their_members_had_been_added(table: hashrange.Table) -> None:
    dice = dice_of("HASHRANGE_SETS_SEED")
    for _ in range(ROUNDS):
        members = members_of(dice, dice.randrange(1, COUNT_MAX))
        for made in both(table, members):
            assert made == members
            assert type(made) is set
            assert len(made) == len(members)
            assert all(member in made for member in members)
            assert set(made) == members
            assert gc.is_tracked(made)
            assert sys.getsizeof(made) in (sys.getsizeof(members), sys.getsizeof(set(members)))


# What the caller does with its set decides on the table behind it: growth, holes, emptiness.
def test_sets_read_can_be_changed_like_any_other(table: hashrange.Table) -> None:
    dice = dice_of("HASHRANGE_SETS_SEED")
    for _ in range(ROUNDS):
        members = members_of(dice, dice.randrange(1, 7))
        for made in both(table, members):
            expected = set(members)
            for _ in range(dice.randrange(1, 40)):
                other = dice.choice([*members, *range(20), "more", b"bytes"])
                if dice.random() < 0.6:
                    made.add(other)
                    expected.add(other)
                else:
                    made.discard(other)
                    expected.discard(other)
                assert (other in made) == (other in expected)
                assert made == expected
            while expected:
                expected.remove(made.pop())
            assert not made
        assert table.get("a")["set"] == members


def test_a_cycle_through_a_set_read_is_collected(table: hashrange.Table) -> None:
    class Holder:
        def __init__(self) -> None:
            self.held: Any = None

    sets = list(both(table, {"a", "b"}))
    while sets:
        holder, made = Holder(), sets.pop()
        holder.held = made
        made.add(holder)
        before = sum(type(one) is Holder for one in gc.get_objects())
        del holder, made
        gc.collect()
        assert sum(type(one) is Holder for one in gc.get_objects()) < before
