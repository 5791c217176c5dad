"""query: every condition both ways, limits, after=, and walks over a table that changes."""

from __future__ import annotations

import itertools
import random
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import hashrange

# Range keys in DynamoDB's order, with the neighbours that break an order by prefix or by sign.
KEYS: dict[str, list[Any]] = {
    "N": [
        -(10**37),
        -100,
        Decimal("-99.5"),
        -10,
        -9,
        Decimal("-0.11"),
        Decimal("-0.1"),
        Decimal("-1E-130"),
        0,
        Decimal("1E-130"),
        Decimal("0.1"),
        Decimal("0.11"),
        1,
        2,
        9,
        10,
        11,
        Decimal("11.5"),
        99,
        100,
        10**37,
    ],
    "S": [
        "\0",
        "\0\0",
        "a",
        "a\0",
        "a\0\0",
        "aa",
        "ab",
        "b",
        "b" * 24,
        "b" * 24 + "c",
        "b" * 40,
        "b" * 40 + "\0",
        "z",
        "z~",
        "é",
        "ü",
        "\uffff",
        "\U0001f600",
        "\U0010ffff",
        "\U0010ffff" * 2,
    ],
    "B": [
        b"\0",
        b"\0\0",
        b"\0\xff",
        b"a",
        b"a\0",
        b"a\xff",
        b"a\xff\xff",
        b"b",
        b"\xfe\xff",
        b"\xff",
        b"\xff\0",
        b"\xff\xff",
        b"\xff\xff\0",
        b"\xff\xff\xff",
        b"\xff" * 40,
    ],
}
KEYS["S"].sort(key=str.encode)
KEYS["B"].sort()
BETWEEN_KEYS: dict[str, list[Any]] = {
    "N": [Decimal("-1000.5"), Decimal("-0.05"), Decimal("0.05"), 5, 10**37 * 2],
    "S": ["A", "a!", "b" * 30, "zz"],
    "B": [b"a\1", b"\xfe", b"\xff\1"],
}


@pytest.fixture(params=["S", "N", "B"])
def typed(
    request: pytest.FixtureRequest, db: hashrange.Database
) -> tuple[hashrange.Table, list[Any], list[Any]]:
    """A table of one range key type, its keys in order, and these with some it does not have."""
    table = db.create_table("typed", ("h", "S"), ("r", request.param))
    keys = KEYS[request.param]
    shuffled = list(enumerate(keys))
    random.Random(7).shuffle(shuffled)
    for place, key in shuffled:
        table.put({"h": "x", "r": key, "place": place})
    table.put({"h": "w", "r": keys[0]})
    table.put({"h": "y", "r": keys[-1]})
    return table, keys, keys + BETWEEN_KEYS[request.param]


def order(key: Any) -> Any:
    return key.encode() if isinstance(key, str) else key


def matches(key: Any, conditions: dict[str, Any]) -> bool:
    """Whether a key fulfils all conditions: the reference."""
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "ge": lambda k, v: order(k) >= order(v),
        "gt": lambda k, v: order(k) > order(v),
        "le": lambda k, v: order(k) <= order(v),
        "lt": lambda k, v: order(k) < order(v),
        "eq": lambda k, v: order(k) == order(v),
        "between": lambda k, v: order(v[0]) <= order(k) <= order(v[1]),
        "begins_with": lambda k, v: order(k).startswith(order(v)),
    }
    return all(tests[name](key, value) for name, value in conditions.items())


def check_all_forms(table: hashrange.Table, keys: list[Any], conditions: dict[str, Any]) -> None:
    """Compare a query with the reference: both ways, some limits, after some keys."""
    expected = [key for key in keys if matches(key, conditions)]
    for reverse in (False, True):
        way = expected[::-1] if reverse else expected
        assert [item["r"] for item in table.query("x", reverse=reverse, **conditions)] == way, (
            conditions,
            reverse,
        )
        for limit in (1, 2, len(way), len(way) + 1):
            if limit:
                got = [
                    item["r"]
                    for item in table.query("x", reverse=reverse, limit=limit, **conditions)
                ]
                assert got == way[:limit], (conditions, reverse, limit)


# Every single condition, and every pair of a lower with an upper one, against every key and some
# that are not there.
def test_every_condition_finds_what_it_says(
    typed: tuple[hashrange.Table, list[Any], list[Any]],
) -> None:
    table, keys, values = typed
    check_all_forms(table, keys, {})
    for value in values:
        for name in ("eq", "ge", "gt", "le", "lt"):
            check_all_forms(table, keys, {name: value})
    for lower, upper in itertools.product(values[::2], values[1::2]):
        check_all_forms(table, keys, {"between": (lower, upper)})
        for names in itertools.product(("ge", "gt"), ("le", "lt")):
            check_all_forms(table, keys, dict(zip(names, (lower, upper), strict=True)))


# begins_with against each prefix of each key: tails of 0xFF and prefixes of them are where an
# upper bound goes wrong.
@pytest.mark.parametrize("kind", ["S", "B"])
def test_begins_with_finds_all_with_the_prefix(db: hashrange.Database, kind: str) -> None:
    table = db.create_table("typed", ("h", "S"), ("r", kind))
    for key in KEYS[kind]:
        table.put({"h": "x", "r": key})
    prefixes = {key[:size] for key in KEYS[kind] for size in range(4)} | set(KEYS[kind])
    for prefix in prefixes:
        check_all_forms(table, KEYS[kind], {"begins_with": prefix})


# after= goes on behind a key, existing or not, within any bounds; the bound itself is not given
# twice.
def test_after_goes_on_behind_any_key(typed: tuple[hashrange.Table, list[Any], list[Any]]) -> None:
    table, keys, values = typed
    for after, low, high in itertools.product(values, [None, *values[::4]], [None, *values[1::4]]):
        conditions = {
            name: value for name, value in (("ge", low), ("le", high)) if value is not None
        }
        found = [key for key in keys if matches(key, conditions)]
        forward = [key for key in found if order(key) > order(after)]
        backward = [key for key in found if order(key) < order(after)][::-1]
        assert [item["r"] for item in table.query("x", after=after, **conditions)] == forward
        assert [
            item["r"] for item in table.query("x", after=after, reverse=True, **conditions)
        ] == backward


# An empty bound is one that every key is above.
@pytest.mark.parametrize(("kind", "empty"), [("S", ""), ("B", b"")])
def test_an_empty_bound_is_below_all_keys(db: hashrange.Database, kind: str, empty: Any) -> None:
    table = db.create_table("typed", ("h", "S"), ("r", kind))
    for key in KEYS[kind]:
        table.put({"h": "x", "r": key})
    for name in ("ge", "gt", "le", "lt", "begins_with"):
        check_all_forms(table, KEYS[kind], {name: empty})


# after= takes what there is at hand: the range value, the pair, the item, or last_key.
def test_after_takes_value_pair_and_item(ranges: hashrange.Table) -> None:
    for number in range(6):
        ranges.put({"h": "a", "r": number})
    query = ranges.query("a", limit=3)
    assert query.last_key is None
    assert [item["r"] for item in query] == [0, 1, 2]
    assert query.last_key == ("a", 2)
    for after in (2, ("a", 2), ["a", 2], {"h": "a", "r": 2, "x": 1}, query.last_key):
        assert [item["r"] for item in ranges.query("a", after=after)] == [3, 4, 5]


# A key of another collection is a mistake, and not a place in this one.
@pytest.mark.parametrize(
    "after", [("b", 2), {"h": "b", "r": 2}, {"h": "a"}, (1, 2), ("a", "x"), ("a", 1, 2), "x"]
)
def test_after_of_another_collection_is_refused(ranges: hashrange.Table, after: Any) -> None:
    ranges.put({"h": "a", "r": 3})
    with pytest.raises(hashrange.ValidationError):
        list(ranges.query("a", after=after))


WRONG = [
    {"eq": 1, "ge": 1},
    {"ge": 1, "gt": 1},
    {"le": 1, "lt": 1},
    {"between": (1, 2), "le": 3},
    {"between": (1, 2), "eq": 1},
    {"begins_with": 1},
    {"between": 1},
    {"between": (1,)},
    {"between": (1, 2, 3)},
    {"eq": "a"},
    {"ge": 1.5},
    {"limit": 0},
    {"limit": -1},
    {"limit": 1.0},
    {"limit": True},
    {"limit": "1"},
    {"lt": b"a"},
    {"gt": True},
    {"eq": 10**39 + 1},
]


# Conditions that exclude or do not fit one another, or the key's type, are refused when the query
# is made.
@pytest.mark.parametrize("conditions", WRONG, ids=str)
def test_wrong_conditions_are_refused(ranges: hashrange.Table, conditions: dict[str, Any]) -> None:
    ranges.put({"h": "a", "r": 1})
    with pytest.raises(hashrange.ValidationError):
        ranges.query("a", **conditions)
    with pytest.raises(TypeError):
        ranges.query("a", like="b")


# A table without range key: one item or none, and no conditions.
def test_a_table_without_range_key_has_one_item_a_key(hashes: hashrange.Table) -> None:
    hashes.put({"id": "a", "v": 1})
    assert list(hashes.query("a")) == list(hashes.query("a", reverse=True)) == [{"id": "a", "v": 1}]
    assert list(hashes.query("b")) == list(hashes.query("a", after="a")) == []
    with pytest.raises(hashrange.ValidationError, match="no range key"):
        hashes.query("a", ge=1)


# A hash key that is missing or wrong.
def test_the_hash_key_is_checked(ranges: hashrange.Table) -> None:
    assert list(ranges.query("nothing")) == []
    for wrong in (1, "", None, 1.5, b"a"):
        with pytest.raises(hashrange.ValidationError):
            ranges.query(wrong)


# Collections of every size around the capacities of leaves (6, 14, 34, 82, 124) and nodes (254).
@pytest.mark.parametrize(
    "sizes",
    [range(18), range(30, 40), range(78, 86), range(120, 130), range(250, 262), [1000, 5000]],
    ids=str,
)
def test_collections_of_every_size_are_walked(db: hashrange.Database, sizes: range) -> None:
    table = db.create_table("sizes", ("h", "N"), ("r", "N"))
    for size in sizes:
        numbers = list(range(size))
        random.Random(size).shuffle(numbers)
        for number in numbers:
            table.put({"h": size, "r": number})
        assert [item["r"] for item in table.query(size)] == list(range(size))
        assert [item["r"] for item in table.query(size, reverse=True)] == list(range(size))[::-1]
        middle = size // 2
        assert [item["r"] for item in table.query(size, ge=middle, limit=3)] == list(range(size))[
            middle : middle + 3
        ]
        assert [item["r"] for item in table.query(size, lt=middle, reverse=True, limit=3)] == list(
            range(middle)
        )[::-1][:3]


# Iteration never holds the collection: 60,000 items of 1 KB pass by in a megabyte.
def test_iteration_streams(db: hashrange.Database, ranges: hashrange.Table) -> None:
    with ranges.batch() as batch:
        for number in range(60000):
            batch.put({"h": "a", "r": number, "v": "x" * 1000})
    tracemalloc.start()
    try:
        count = sum(1 for _ in ranges.query("a"))
        count += sum(1 for _ in ranges.query("a", reverse=True))
        count += sum(1 for _ in ranges.scan())
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert count == 180000


# The first item of a large collection costs the same as that of a small one: nothing is gathered
# ahead of need.
def test_a_query_reads_no_more_than_it_returns(ranges: hashrange.Table) -> None:
    with ranges.batch() as batch:
        for number in range(20000):
            batch.put({"h": "a", "r": number})
    assert [item["r"] for item in ranges.query("a", reverse=True, limit=3)] == [19999, 19998, 19997]
    query = ranges.query("a")
    assert next(query)["r"] == 0


@pytest.fixture
def hundred(ranges: hashrange.Table) -> hashrange.Table:
    for number in range(0, 1000, 10):
        ranges.put({"h": "a", "r": number, "v": 0})
    return ranges


# A walk sees what lies ahead as it is when it comes there, returns each key at most once, and in
# order.
@pytest.mark.parametrize("reverse", [False, True])
def test_a_walk_sees_changes_ahead_and_none_behind(hundred: hashrange.Table, reverse: bool) -> None:
    seen = []
    step = -1 if reverse else 1
    for item in hundred.query("a", reverse=reverse):
        here = item["r"]
        seen.append((here, item["v"]))
        if here % 100 == 50:
            hundred.delete("a", here)  # itself
            hundred.delete("a", here + step * 10)  # next one
            hundred.put({"h": "a", "r": here + step * 15, "v": 1})  # new ahead
            hundred.put({"h": "a", "r": here - step * 5, "v": 2})  # new behind
            hundred.update("a", here + step * 20, "SET v = :v", values={":v": 3})
    walked = [key for key, _ in seen]
    assert walked == sorted(set(walked), reverse=reverse)
    assert all(value != 2 for _, value in seen)
    for start in range(50, 950, 100):
        if not 0 <= start + step * 20 < 1000:
            continue
        assert (start + step * 10, 0) not in seen
        assert (start + step * 15, 1) in seen
        assert (start + step * 20, 3) in seen


# Writing to the item just returned does not give it again, even where it is the bound (le= walked
# in reverse).
@pytest.mark.parametrize(
    "conditions", [{"le": 500}, {"between": (100, 500)}, {"ge": 100, "le": 500}, {"lt": 501}]
)
@pytest.mark.parametrize("reverse", [False, True])
def test_no_item_comes_twice(
    hundred: hashrange.Table, conditions: dict[str, Any], reverse: bool
) -> None:
    seen = []
    for item in hundred.query("a", reverse=reverse, **conditions):
        seen.append(item["r"])
        hundred.put({**item, "v": 1})
        assert len(seen) <= 100
    assert seen == sorted(set(seen), reverse=reverse)
    assert 500 in seen


# Everything deleted, then filled again, while a walk stands in the middle.
def test_a_walk_survives_the_deletion_of_everything(hundred: hashrange.Table) -> None:
    query = hundred.query("a")
    assert [next(query)["r"] for _ in range(30)][-1] == 290
    for number in range(0, 1000, 10):
        hundred.delete("a", number)
    for number in (5, 295, 300, 2000):
        hundred.put({"h": "a", "r": number})
    assert [item["r"] for item in query] == [295, 300, 2000]
    assert list(query) == []


# Dropping the table ends a walk with an error; so does closing the database.
@pytest.mark.parametrize("walk", ["query", "scan"])
def test_a_walk_ends_clearly_with_its_table(
    db: hashrange.Database, hundred: hashrange.Table, walk: str
) -> None:
    cursor = hundred.query("a") if walk == "query" else hundred.scan()
    next(cursor)
    db.drop_table("ranges")
    with pytest.raises(hashrange.TableNotFound, match="ranges"):
        next(cursor)
    db.create_table("ranges", ("h", "N"))
    with pytest.raises(hashrange.TableNotFound, match="ranges"):
        next(cursor)


@pytest.mark.parametrize("walk", ["query", "scan"])
def test_a_walk_ends_clearly_with_the_database(
    db: hashrange.Database, hundred: hashrange.Table, walk: str
) -> None:
    cursor = hundred.query("a") if walk == "query" else hundred.scan()
    next(cursor)
    db.close()
    with pytest.raises(hashrange.DatabaseClosed, match="closed"):
        next(cursor)
    with pytest.raises(hashrange.DatabaseClosed):
        hundred.query("a")


# A cursor that was never initialised is exhausted, not a crash.
def test_a_bare_cursor_is_empty() -> None:
    assert list(hashrange.Query.__new__(hashrange.Query)) == []
    assert list(hashrange.Scan.__new__(hashrange.Scan)) == []
