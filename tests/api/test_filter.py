"""filter= in query and scan: what passes is what the condition says; limits, places, threads."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import hashrange
from hashrange import Attr, Key


def fill(table: hashrange.Table, count: int) -> list[dict[str, Any]]:
    """Put `count` items in collections of 50, and return them."""
    items = [
        {"h": f"h{number // 50}", "r": number % 50, "n": number, "kind": "abc"[number % 3],
         "tags": {"x", f"t{number % 7}"}, "doc": {"deep": [number % 5]}}
        for number in range(count)
    ]
    with table.batch() as batch:
        for item in items:
            batch.put(item)
    return items


def marks(items: Any) -> list[int]:
    return sorted(item["n"] for item in items)


CASES: list[tuple[Any, dict[str, Any] | None, Callable[[dict[str, Any]], bool]]] = [
    ("n < :n", {":n": 100}, lambda item: item["n"] < 100),
    ("kind = :k AND n >= :n", {":k": "b", ":n": 2000},
     lambda item: item["kind"] == "b" and item["n"] >= 2000),
    ("contains(tags, :t)", {":t": "t3"}, lambda item: "t3" in item["tags"]),
    ("doc.deep[0] = :d", {":d": 4}, lambda item: item["doc"]["deep"][0] == 4),
    ("attribute_exists(nothing)", None, lambda item: False),
    ("attribute_not_exists(nothing)", None, lambda item: True),
    ("begins_with(h, :h)", {":h": "h1"}, lambda item: item["h"].startswith("h1")),
    ("r BETWEEN :a AND :b", {":a": 3, ":b": 4}, lambda item: 3 <= item["r"] <= 4),
    (Attr("n").lt(100), None, lambda item: item["n"] < 100),
    (Attr("kind").is_in(["a", "c"]) & ~Attr("n").gte(Decimal("1000.5")), None,
     lambda item: item["kind"] in "ac" and item["n"] < 1000.5),
]


# A filter is decided over the stored bytes; the naive answer is a Python test of each item. The
# windows grow, so that 3,000 items are several of them.
@pytest.mark.parametrize(("condition", "values", "holds"), CASES)
def test_a_scan_returns_what_passes(
    ranges: hashrange.Table, condition: Any, values: Any, holds: Any
) -> None:
    items = fill(ranges, 3000)
    found = list(ranges.scan(filter=condition, values=values))
    assert marks(found) == marks(filter(holds, items))
    by_key = {(item["h"], item["r"]): item for item in items}
    assert all(item == by_key[item["h"], item["r"]] for item in found)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_query_filters_within_its_bounds_and_in_order(
    ranges: hashrange.Table, reverse: bool
) -> None:
    items = fill(ranges, 200)
    found = list(ranges.query(
        "h1", between=(5, 45), filter="kind = :k", values={":k": "b"}, reverse=reverse
    ))
    wanted = [i for i in items if i["h"] == "h1" and 5 <= i["r"] <= 45 and i["kind"] == "b"]
    assert found == (wanted[::-1] if reverse else wanted)


# limit bounds what is returned, not what is looked at (as DynamoDB's Limit does): n - 1, n and
# n + 1 of what there is.
def test_limit_bounds_the_number_returned(ranges: hashrange.Table) -> None:
    fill(ranges, 1000)
    for limit in (1, 9, 10, 11):
        found = list(ranges.scan(filter="n < :n", values={":n": 10}, limit=limit))
        assert len(found) == min(limit, 10)


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_last_key_resumes_a_filtered_walk(ranges: hashrange.Table, limit: int) -> None:
    items = fill(ranges, 1000)
    whole = marks(i for i in items if i["kind"] == "a")
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        cursor = ranges.scan(filter=Attr("kind").eq("a"), limit=limit, after=after)
        page = list(cursor)
        seen += page
        if not page:
            break
        assert cursor.last_key == (page[-1]["h"], page[-1]["r"]) or len(page) < limit
        after = cursor.last_key
    assert marks(seen) == whole


# What an item is compared with is taken at the call: changing the dict later changes nothing.
def test_a_filter_keeps_its_values(ranges: hashrange.Table) -> None:
    fill(ranges, 500)
    values = {":n": 100}
    cursor = ranges.scan(filter="n < :n", values=values)
    first = next(cursor)
    values[":n"] = 0
    assert len([first, *cursor]) == 100


# Invariant 2 of ddbcore.walk: a walk sees what changes ahead of it, and never what is gone.
def test_a_filtered_walk_sees_changes_ahead(ranges: hashrange.Table) -> None:
    fill(ranges, 50)
    cursor = ranges.query("h0", filter="kind = :k", values={":k": "a"})
    assert next(cursor)["r"] == 0
    ranges.delete("h0", 3)
    ranges.put({"h": "h0", "r": Decimal("4.5"), "n": -1, "kind": "a"})
    ranges.update("h0", 6, "SET kind = :k", values={":k": "z"})
    assert [item["r"] for item in cursor][:3] == [Decimal("4.5"), 9, 12]


# A name that the table learns while a walk is under way is known to its filter.
def test_a_filter_knows_names_that_are_new(ranges: hashrange.Table) -> None:
    fill(ranges, 50)
    cursor = ranges.query("h0", filter="attribute_exists(fresh) OR n = :n", values={":n": 0})
    assert next(cursor)["n"] == 0
    ranges.update("h0", 20, "SET fresh = :v", values={":v": 1})
    assert [item["r"] for item in cursor] == [20]


def test_random_conditions_agree_with_python(ranges: hashrange.Table) -> None:
    seed = random.randrange(1 << 32)
    choose = random.Random(seed)
    items = fill(ranges, 600)
    for _ in range(40):
        low, kind = choose.randrange(600), choose.choice("abcd")
        condition = Attr("n").gt(low) | (Attr("kind").eq(kind) & Attr("r").lt(choose.randrange(50)))
        bound = condition.operands[1].operands[1].operands[1]
        wanted = [
            i for i in items if i["n"] > low or (i["kind"] == kind and i["r"] < bound)
        ]
        assert marks(ranges.scan(filter=condition)) == marks(wanted), seed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"filter": "n <"}, "Invalid FilterExpression"),
        ({"filter": "n < :n"}, "attribute value: :n"),
        ({"filter": "#n < :n", "values": {":n": 1}}, "attribute name: #n"),
        ({"filter": "n < :n", "values": {":n": 1, ":m": 2}}, "unused in expressions"),
        ({"values": {":n": 1}}, "unused in expressions"),
        ({"filter": 7}, "a condition is needed"),
        ({"filter": "n < :n", "values": {":n": 1.5}}, "float"),
    ],
)
def test_a_bad_filter_is_refused_at_once(
    ranges: hashrange.Table, arguments: dict[str, Any], words: str
) -> None:
    for walk in (ranges.scan, lambda **given: ranges.query("h0", **given)):
        with pytest.raises(hashrange.ValidationError, match=words) as caught:
            walk(**arguments)
        assert caught.value.code == "ValidationException"


# DynamoDB's rule: what the key condition can say, the filter may not.
def test_a_querys_filter_may_not_name_key_attributes(ranges: hashrange.Table) -> None:
    with pytest.raises(hashrange.ValidationError, match="Primary key attribute: r"):
        ranges.query("h0", filter=Attr("r").gt(1))
    assert list(ranges.scan(filter=Attr("r").gt(1))) == []


# ---- threads -------------------------------------------------------------------------------------


def test_segments_scanned_by_threads_are_the_table(ranges: hashrange.Table) -> None:
    items = fill(ranges, 20000)
    found: list[list[dict[str, Any]]] = [[] for _ in range(4)]

    def work(segment: int) -> None:
        found[segment] = list(ranges.scan(
            filter="n > :n AND kind = :k", values={":n": 100, ":k": "c"},
            segment=segment, total_segments=4,
        ))

    threads = [threading.Thread(target=work, args=(segment,)) for segment in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wanted = marks(i for i in items if i["n"] > 100 and i["kind"] == "c")
    assert marks(item for part in found for item in part) == wanted


# Items that stay are found exactly once, whatever other threads write between the windows.
def test_a_scan_beside_writers_finds_what_stays(ranges: hashrange.Table) -> None:
    fill(ranges, 5000)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            ranges.put({"h": f"other{number % 97}", "r": number, "n": -number, "kind": "z"})
            if number % 3 == 0:
                ranges.delete(f"other{number % 97}", number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            found = list(ranges.scan(filter=Attr("kind").eq("b")))
            assert marks(found) == [n for n in range(5000) if n % 3 == 1]
    finally:
        stop.set()
        writer.join()


# A window is decided without the GIL: closing meanwhile must not unmap what is read.
def test_closing_while_threads_filter(tmp_path: Path) -> None:
    db = hashrange.open(tmp_path / "db")
    table = db.create_table("ranges", ("h", "S"), ("r", "N"))
    fill(table, 5000)
    ready = threading.Barrier(4)

    def work() -> None:
        ready.wait()
        with pytest.raises(hashrange.DatabaseClosed):
            while True:
                list(table.scan(filter="n = :n", values={":n": -1}))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    ready.wait()
    db.close()
    for thread in threads:
        thread.join()


# A cursor is for one thread at a time; another one is told so, and nothing breaks.
def test_one_walk_in_two_threads_is_refused_or_served(ranges: hashrange.Table) -> None:
    fill(ranges, 20000)
    cursor = ranges.scan(filter="n >= :n AND kind <> :z", values={":n": 0, ":z": "z"})
    seen: list[int] = []
    refused = []

    def work() -> None:
        while True:
            try:
                seen.append(next(cursor)["n"])
            except StopIteration:
                return
            except hashrange.ValidationError as error:
                refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(20000))


def test_a_walk_goes_on_through_compaction(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("ranges", ("h", "S"), ("r", "N"))
        fill(table, 3000)
        cursor = table.scan(filter=Attr("kind").eq("a"))
        seen = [next(cursor) for _ in range(100)]
        for number in range(0, 3000, 2):
            key = f"h{number // 50}", number % 50
            table.update(*key, "SET filler = :p", values={":p": "x" * 500})
        db.compact()
        db.checkpoint()
        seen += list(cursor)
        assert marks(seen) == list(range(0, 3000, 3))


def test_a_reader_filters_what_the_writer_has_written(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("ranges", ("h", "S"), ("r", "N"))
        fill(table, 1000)
        with hashrange.open(tmp_path / "db", mode="r") as reader:
            seen = reader.table("ranges")
            cursor = seen.query("h3", filter="kind = :k", values={":k": "a"})
            assert next(cursor)["r"] == 0
            table.put({"h": "h3", "r": 1, "n": -5, "kind": "a", "new": 1})
            assert next(cursor)["n"] == -5
            assert len(list(seen.scan(filter="attribute_exists(#n)", names={"#n": "new"}))) == 1
            assert next(seen.query(Key("h").eq("h3"), filter=Attr("new").eq(1)))["r"] == 1


# Of a database opened from its files a walk looks at the proofs of eight blocks of 64 KiB: 130,000
# members of three characters are 390 KB in DynamoDB's counting, and longer than that in the log.
@pytest.mark.parametrize("arguments", [{"filter": Attr("z").eq(1)}, {"project": ["id", "z"]}])
def test_long_records_of_a_new_opening(tmp_path: Path, arguments: dict[str, Any]) -> None:
    letters = [chr(code) for code in range(48, 123)]
    members = {a + b + c for a in letters[:24] for b in letters for c in letters[:73]}
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("things", ("id", "S"))
        for number in range(6):
            table.put({"id": f"{number}", "long": members, "z": number % 2})
            for small in range(200):
                table.put({"id": f"{number}-{small}", "pad": "x" * 3000})
        assert len(table.codec.encode({"id": "x", "long": members})) > 7 << 16
        db.checkpoint()
    with hashrange.open(tmp_path / "db") as db:
        for _ in range(2):
            found = [item for item in db.table("things").scan(**arguments) if item.get("z") == 1]
            assert sorted(item["id"] for item in found) == ["1", "3", "5"]


# What a damaged block holds is unknown: the walk says so each time it comes there, and does not
# pass over the items that it could not look at.
@pytest.mark.parametrize(
    "arguments", [{"filter": "n >= :n", "values": {":n": 0}}, {"project": "n"}])
def test_a_walk_does_not_pass_over_what_is_damaged(
    tmp_path: Path, arguments: dict[str, Any]
) -> None:
    with hashrange.open(tmp_path / "db") as db:
        fill(db.create_table("ranges", ("h", "S"), ("r", "N")), 5000)
        db.checkpoint()
    with hashrange.open(tmp_path / "db", mode="r") as db:
        whole = list(db.table("ranges").scan(**arguments))
    log = tmp_path / "db" / "log-00000001"
    data = bytearray(log.read_bytes())
    data[30_000] ^= 1
    log.write_bytes(data)
    found: list[dict[str, Any]] = []
    with hashrange.open(tmp_path / "db", mode="r") as db:
        walk = db.table("ranges").scan(**arguments)
        for _ in range(5):
            with pytest.raises(hashrange.CorruptError):
                for item in walk:
                    found.append(item)
    assert found == whole[:len(found)]
