"""scan: everything once, in an order that holds; segments that partition; resumption."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import hashrange


def keys_of(items: Any) -> list[Any]:
    return [(item["h"], item.get("r")) for item in items]


@pytest.fixture(params=["hash", "range"])
def filled(request: pytest.FixtureRequest, db: hashrange.Database) -> hashrange.Table:
    """5,000 items: one of each hash key, or in collections of 1 to 300."""
    ranged = request.param == "range"
    table = db.create_table("filled", ("h", "S"), ("r", "N") if ranged else None)
    with table.batch() as batch:
        number = 0
        while number < 5000:
            size = random.Random(number).choice([1, 1, 2, 10, 300]) if ranged else 1
            for place in range(size):
                batch.put({"h": f"h{number}", **({"r": place} if ranged else {})})
            number += size
    return table


# Each item once; collections together, in the order of their range keys.
def test_a_scan_returns_everything_once(filled: hashrange.Table) -> None:
    keys = keys_of(filled.scan())
    assert len(keys) == len(set(keys)) == filled.count()
    groups = [key for place, (key, _) in enumerate(keys) if place == 0 or keys[place - 1][0] != key]
    assert len(groups) == len(set(groups))
    if filled.range_key:
        for place in range(1, len(keys)):
            if keys[place][0] == keys[place - 1][0]:
                assert keys[place][1] > keys[place - 1][1]


# The order of a scan is the order of hashes: growth, deletions, compaction and reopening do not
# change it.
def test_the_order_holds_across_growth_compaction_and_reopening(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("table", ("h", "N"), ("r", "N"))
        for number in range(300):
            table.put({"h": number, "r": number % 3})
        first = keys_of(table.scan())
        with table.batch() as batch:
            for number in range(300, 30000):
                batch.put({"h": number, "r": 0, "v": "x" * 300})
        assert [key for key in keys_of(table.scan()) if key[0] < 300] == first
        for number in range(300, 30000):
            table.delete(number, 0)
        db.compact()
        assert keys_of(table.scan()) == first
        db.checkpoint()
    for mode in ("rw", "r"):
        with hashrange.open(tmp_path / "db", mode=mode) as db:
            assert keys_of(db.table("table").scan()) == first


# Segments partition the table: each item is in exactly one, whatever their number, and together
# they keep the order.
@pytest.mark.parametrize("total", [1, 2, 3, 7, 64, 1000, 1000000])
def test_segments_partition_the_table(filled: hashrange.Table, total: int) -> None:
    if total <= 1000:
        parts = [
            key
            for segment in range(total)
            for key in keys_of(filled.scan(segment=segment, total_segments=total))
        ]
        assert parts == keys_of(filled.scan())
    else:
        assert (
            keys_of(filled.scan(segment=0, total_segments=total))
            == keys_of(filled.scan())[: len(keys_of(filled.scan(segment=0, total_segments=total)))]
        )


# A segment is resumed like a whole scan, behind a key of its own and no other.
def test_a_segment_is_resumed_behind_a_key(filled: hashrange.Table) -> None:
    whole = list(filled.scan(segment=1, total_segments=3))
    for place in range(0, len(whole), 97):
        assert (
            list(filled.scan(segment=1, total_segments=3, after=whole[place])) == whole[place + 1 :]
        )
    for segment in (0, 2):
        with pytest.raises(hashrange.ValidationError, match="another segment"):
            list(filled.scan(segment=segment, total_segments=3, after=whole[0]))


# after= with the key of an item: the rest, exactly; in pages of any size.
@pytest.mark.parametrize("page", [1, 2, 7, 8, 9, 128, 1000])
def test_pages_make_up_the_whole(filled: hashrange.Table, page: int) -> None:
    whole = keys_of(filled.scan())[: 700 if page < 7 else None]
    got: list[Any] = []
    after = None
    while len(got) < len(whole):
        scan = filled.scan(limit=page, after=after)
        items = keys_of(scan)
        assert 0 < len(items) <= page
        got += items
        after = scan.last_key
        assert after == (items[-1] if filled.range_key else items[-1][0])
    assert got[: len(whole)] == whole


# after= with a key that is not there any more, or never was: what lies behind its place.
def test_a_scan_goes_on_behind_a_missing_key(filled: hashrange.Table) -> None:
    whole = list(filled.scan())
    for place in (0, 1, 100, len(whole) - 2):
        key = [whole[place]["h"], whole[place]["r"]] if filled.range_key else [whole[place]["h"]]
        filled.delete(*key)
        assert list(filled.scan(after=whole[place])) == whole[place + 1 :]
        filled.put(whole[place])
    rest = list(filled.scan(after={"h": "never there", "r": 5}))
    assert rest == whole[len(whole) - len(rest) :]


# Wrong arguments are refused when the scan is made.
@pytest.mark.parametrize(
    "arguments",
    [
        {"segment": 0},
        {"total_segments": 2},
        {"segment": 2, "total_segments": 2},
        {"segment": -1, "total_segments": 2},
        {"segment": 0, "total_segments": 0},
        {"segment": 0, "total_segments": 1000001},
        {"segment": 0.0, "total_segments": 2},
        {"segment": "0", "total_segments": 2},
        {"limit": 0},
        {"limit": "x"},
        {"after": 1},
        {"after": {"x": 1}},
        {"after": ("a", "b", "c")},
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(filled: hashrange.Table, arguments: dict[str, Any]) -> None:
    with pytest.raises(hashrange.ValidationError):
        filled.scan(**arguments)


# A scan goes on while the table grows to many times its size (segments split under it): all old
# items, each once.
def test_a_scan_survives_growth(filled: hashrange.Table) -> None:
    old = set(keys_of(filled.scan()))
    seen = []
    for place, item in enumerate(filled.scan()):
        seen.append((item["h"], item.get("r")))
        if place % 100 == 0 and filled.count() < 40000:
            with filled.batch() as batch:
                for number in range(1500):
                    batch.put(
                        {"h": f"new{place}-{number}", **({"r": 0} if filled.range_key else {})}
                    )
    assert old <= set(seen)
    assert len(seen) == len(set(seen))


# A scan that deletes each item it gets empties the table.
def test_a_scan_may_delete_what_it_returns(filled: hashrange.Table) -> None:
    for item in filled.scan():
        filled.delete(*([item["h"], item["r"]] if filled.range_key else [item["h"]]))
    assert filled.count() == 0
    assert list(filled.scan()) == []
