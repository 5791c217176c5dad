"""Indexes in the native API: made, described, walked, dropped; beside writers and in readers."""

from __future__ import annotations

import random
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import hashrange
from hashrange import Attr, Index, Key


@pytest.fixture
def orders(db: hashrange.Database) -> hashrange.Table:
    table = db.create_table("orders", ("customer", "S"), ("ts", "N"))
    with table.batch() as batch:
        for number in range(300):
            batch.put({
                "customer": f"c{number % 10}", "ts": number, "total": number % 7,
                "status": "paid" if number % 3 else "open", "note": "x" * (number % 5),
            })
    return table


def times(items: Any) -> list[int]:
    return [item["ts"] for item in items]


def test_an_index_is_made_filled_and_walked(orders: hashrange.Table) -> None:
    orders.create_index("by_status", ("status", "S"), ("ts", "N"))
    opened = [ts for ts in range(300) if ts % 3 == 0]
    assert times(orders.query("open", index="by_status")) == opened
    assert times(orders.query("open", index="by_status", reverse=True, limit=3)) == opened[:-4:-1]
    assert times(orders.query("open", index="by_status", between=(10, 20))) == [12, 15, 18]
    assert times(orders.query("open", index="by_status", gt=294)) == [297]
    assert times(orders.query("open", index="by_status", ge=294, lt=297)) == [294]
    assert times(orders.query("open", index="by_status", le=3)) == [0, 3]
    assert times(orders.query("open", index="by_status", eq=9)) == [9]
    assert times(orders.query("nothing", index="by_status")) == []
    assert sorted(times(orders.scan(index="by_status"))) == list(range(300))
    whole = next(orders.query("open", index="by_status", eq=9))
    assert whole == orders.get("c9", 9)


def test_the_index_follows_writes(orders: hashrange.Table) -> None:
    orders.create_index("by_status", ("status", "S"), ("ts", "N"))
    orders.update("c0", 0, "SET #s = :s", names={"#s": "status"}, values={":s": "sent"})
    orders.put({"customer": "new", "ts": -1, "status": "sent"})
    orders.put({"customer": "new", "ts": -2})
    assert times(orders.query("sent", index="by_status")) == [-1, 0]
    orders.delete("new", -1)
    assert times(orders.query("sent", index="by_status")) == [0]
    assert -2 not in times(orders.scan(index="by_status"))


def test_filter_and_projection_through_an_index(orders: hashrange.Table) -> None:
    orders.create_index("by_status", ("status", "S"), ("ts", "N"))
    found = orders.query(
        Key("status").eq("paid") & Key("ts").lt(50), index="by_status",
        filter=Attr("total").eq(3), project=["ts", "total"],
    )
    wanted = [{"ts": ts, "total": 3} for ts in range(50) if ts % 3 and ts % 7 == 3]
    assert list(found) == wanted
    text = orders.query(
        key="#s = :s AND ts < :t", filter="#t = :n", project="ts, #t", index="by_status",
        names={"#s": "status", "#t": "total"}, values={":s": "paid", ":t": 50, ":n": 3},
    )
    assert list(text) == wanted
    scanned = orders.scan(index="by_status", filter=Attr("total").eq(3), limit=5)
    assert [item["total"] for item in scanned] == [3] * 5


# The key of the index and that of the table, as in the service's LastEvaluatedKey: it resumes.
@pytest.mark.parametrize("reverse", [False, True])
def test_last_key_resumes_a_walk_of_an_index(orders: hashrange.Table, reverse: bool) -> None:
    orders.create_index("by_total", ("total", "N"))
    whole = times(orders.query(3, index="by_total", reverse=reverse))
    assert len(whole) == 43
    seen: list[int] = []
    after = None
    while True:
        cursor = orders.query(
            3, index="by_total", after=after, limit=10, reverse=reverse,
            filter=Attr("status").eq("paid"),
        )
        page = list(cursor)
        seen += times(page)
        if not page:
            break
        after = cursor.last_key
        if len(page) == 10:
            assert after == {name: page[-1][name] for name in ("total", "customer", "ts")}
    assert seen == [ts for ts in whole if ts % 3]
    item = orders.get("c3", 3)
    assert times(orders.query(3, index="by_total", after=item, reverse=reverse)) == (
        whole[whole.index(3) + 1:]
    )


def test_a_scan_of_an_index_resumes_and_has_segments(orders: hashrange.Table) -> None:
    orders.create_index("by_ts", ("ts", "N"))
    parts = [
        times(orders.scan(index="by_ts", segment=part, total_segments=3)) for part in range(3)
    ]
    assert sorted(ts for part in parts for ts in part) == list(range(300))
    cursor = orders.scan(index="by_ts", limit=100)
    first = times(cursor)
    rest = times(orders.scan(index="by_ts", after=cursor.last_key))
    assert sorted(first + rest) == list(range(300))


# Keys of every type, with the bytes that the entries' keys escape.
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("S", ["a", "a\0", "a\0\0b", "\0", "b", "é", "\U0001f600"]),
        ("B", [b"\0", b"\0\xff", b"\0\0", b"\xff", b"\xff\xff", b"a"]),
        ("N", [-5, 0, Decimal("0.001"), 1, 10**30, -(10**20), Decimal("-0.5")]),
    ],
)
def test_range_keys_of_an_index_are_in_order(
    db: hashrange.Database, kind: str, values: list[Any]
) -> None:
    table = db.create_table("things", ("id", kind))
    table.create_index("by_v", ("g", "S"), ("v", kind))
    for value in values:
        table.put({"id": value, "g": "g", "v": value})
    ordered = sorted(values, key=lambda v: v.encode() if kind == "S" else v)
    found = [item["v"] for item in table.query("g", index="by_v")]
    assert found == ordered
    for place, value in enumerate(ordered):
        def read(value: Any = value, **given: Any) -> list[Any]:
            return [item["v"] for item in table.query("g", index="by_v", **given)]

        assert read(ge=value) == ordered[place:]
        assert read(gt=value) == ordered[place + 1:]
        assert read(le=value) == ordered[: place + 1]
        assert read(lt=value) == ordered[:place]
        assert read(eq=value) == [value]
        cursor = table.query("g", index="by_v", limit=place + 1)
        list(cursor)
        assert cursor.last_key == {"g": "g", "v": value, "id": value}
        assert read(after=cursor.last_key) == ordered[place + 1:]


# Keys of several attributes: all of the hash, and of the range those from the left.
def test_an_index_of_several_attributes(db: hashrange.Database) -> None:
    table = db.create_table("games", ("id", "S"))
    table.create_index(
        "by_place", [("country", "S"), ("city", "S")], [("year", "N"), ("name", "S")]
    )
    choose = random.Random(5)
    items = [
        {"id": f"{number}", "country": choose.choice("xy"), "city": choose.choice("ab"),
         "year": choose.randrange(2000, 2005), "name": choose.choice(["ann", "andy", "bob"])}
        for number in range(200)
    ]
    for item in items:
        table.put(item)

    def read(*hash: Any, **given: Any) -> list[str]:
        arguments: tuple[Any, ...] = (hash,) if len(hash) > 1 else hash
        return sorted(i["id"] for i in table.query(*arguments, index="by_place", **given))

    def want(holds: Any) -> list[str]:
        return sorted(
            i["id"] for i in items if (i["country"], i["city"]) == ("x", "a") and holds(i)
        )

    assert read("x", "a") == want(lambda i: True)
    assert read("x", "a", eq=2003) == want(lambda i: i["year"] == 2003)
    assert read("x", "a", gt=2003) == want(lambda i: i["year"] > 2003)
    assert read("x", "a", ge=(2003, "b")) == want(lambda i: (i["year"], i["name"]) >= (2003, "b"))
    assert read("x", "a", begins_with=(2003, "an")) == want(
        lambda i: i["year"] == 2003 and i["name"].startswith("an")
    )
    place = Key("country").eq("x") & Key("city").eq("a")
    for condition, holds in (
        (Key("year").eq(2001) & Key("name").gt("andy"),
         lambda i: i["year"] == 2001 and i["name"] > "andy"),
        (Key("year").eq(2001) & Key("name").lte("ann"),
         lambda i: i["year"] == 2001 and i["name"] <= "ann"),
        (Key("year").between(2001, 2002), lambda i: 2001 <= i["year"] <= 2002),
        (Key("year").eq(2001) & Key("name").between("ann", "bob"),
         lambda i: i["year"] == 2001 and "ann" <= i["name"] <= "bob"),
        (Key("year").eq(2001) & Key("name").begins_with("b"),
         lambda i: i["year"] == 2001 and i["name"].startswith("b")),
    ):
        assert read(place & condition) == want(holds)
    for wrong in (("x",), ("x", "a", "b"), "x"):
        with pytest.raises(hashrange.ValidationError, match="hash key of index"):
            table.query(wrong, index="by_place")
    with pytest.raises(hashrange.ValidationError, match="missed key schema element: city"):
        table.query(Key("country").eq("x"), index="by_place")


# What an index does not project its reads do not show, nor do filters see it.
def test_what_an_index_projects(orders: hashrange.Table) -> None:
    orders.create_index("keys", ("status", "S"), project="keys")
    orders.create_index("some", ("status", "S"), ("ts", "N"), project=["total"])
    item = next(orders.query("open", index="keys"))
    assert item.keys() == {"status", "customer", "ts"}
    item = next(orders.query("open", index="some"))
    assert item.keys() == {"status", "customer", "ts", "total"}
    assert list(orders.query("open", index="keys", filter=Attr("total").exists())) == []
    assert len(list(orders.query("open", index="some", filter=Attr("total").exists()))) == 100
    assert list(orders.scan(index="some", filter=Attr("note").exists())) == []
    assert len(list(orders.scan(index="some", filter=Attr("note").not_exists()))) == 300
    found = orders.query("open", index="some", project=["ts", "total"], limit=1)
    assert list(found) == [{"ts": 0, "total": 0}]
    with pytest.raises(hashrange.ValidationError, match=r"does not project \[note\]"):
        orders.query("open", index="some", project=["note", "ts"])


def test_a_table_is_made_with_indexes(db: hashrange.Database) -> None:
    table = db.create_table(
        "things", ("h", "S"), ("r", "N"),
        indexes={
            "local": Index(range_key=("v", "S"), project=["w"]),
            "global": Index(("v", "S")),
        },
    )
    table.put({"h": "a", "r": 1, "v": "z", "w": 1, "x": 2})
    table.put({"h": "a", "r": 2, "v": "y"})
    assert [item["r"] for item in table.query("a", index="local")] == [2, 1]
    assert list(table.query("a", index="local", begins_with="z")) == [
        {"h": "a", "r": 1, "v": "z", "w": 1}
    ]
    # A local index fetches from the table what it does not have, as the service does.
    assert list(table.query("a", index="local", eq="z", project=["x"])) == [{"x": 2}]
    assert [item["r"] for item in table.query("y", index="global")] == [2]
    described = table.indexes()
    assert described["local"] == Index(
        ("h", "S"), ("v", "S"), ["w"], False, "ACTIVE", 2, described["local"].size_bytes
    )
    assert described["global"][:5] == (("v", "S"), None, "all", True, "ACTIVE")
    assert db.table("things").count() == 2


def test_indexes_are_described_and_dropped(orders: hashrange.Table) -> None:
    assert orders.indexes() == {}
    orders.create_index("keys", ("status", "S"), project="keys")
    orders.create_index("many", [("status", "S"), ("customer", "S")], ("total", "N"))
    assert orders.indexes()["keys"][:6] == (("status", "S"), None, "keys", True, "ACTIVE", 300)
    assert orders.indexes()["many"].hash_key == [("status", "S"), ("customer", "S")]
    orders.drop_index("keys")
    assert list(orders.indexes()) == ["many"]
    with pytest.raises(hashrange.ValidationError, match="specified index: keys"):
        orders.query("open", index="keys")
    with pytest.raises(hashrange.Error) as caught:
        orders.drop_index("keys")
    assert caught.value.code == "ResourceNotFoundException"


# The name says which index; a cursor of one that is gone ends with an error, not with its items.
def test_a_cursor_of_a_dropped_index(orders: hashrange.Table) -> None:
    orders.create_index("by_status", ("status", "S"), ("ts", "N"))
    cursor = orders.query("open", index="by_status")
    next(cursor)
    orders.drop_index("by_status")
    with pytest.raises(hashrange.TableNotFound, match="index 'by_status' of table 'orders'"):
        list(cursor)
    orders.create_index("by_status", ("customer", "S"))
    with pytest.raises(hashrange.TableNotFound, match="index 'by_status' of table 'orders'"):
        list(cursor)
    assert len(list(orders.query("c1", index="by_status"))) == 30


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("x", ("status", "S")), "IndexName|length|indexName"),
        (("by_x", ("status", "X")), "hash_key"),
        (("by_x", "status"), "hash_key"),
        (("by_x", []), "hash_key"),
        (("by_x", [("a", "S")] * 5), "hash_key"),
        (("by_x", ("ts", "S")), "ts"),
        (("by_x", ("a", "S"), ("a", "N")), "a"),
    ],
)
def test_a_bad_index_is_refused(
    orders: hashrange.Table, arguments: tuple[Any, ...], words: str
) -> None:
    with pytest.raises(hashrange.ValidationError, match=words):
        orders.create_index(*arguments)
    with pytest.raises(hashrange.ValidationError, match="project="):
        orders.create_index("by_x", ("a", "S"), project="some")
    assert orders.indexes() == {}


def test_bounds_of_an_index_that_exclude_each_other(orders: hashrange.Table) -> None:
    orders.create_index("by_status", ("status", "S"), ("ts", "N"))
    for bounds in ({"eq": 1, "gt": 2}, {"gt": 1, "ge": 2}, {"between": (1, 2), "eq": 1},
                   {"between": 5}, {"begins_with": 5}, {"eq": (1, 2)}, {"gt": "a"}):
        with pytest.raises(hashrange.ValidationError):
            orders.query("open", index="by_status", **bounds)
    with pytest.raises(hashrange.ValidationError, match="after="):
        orders.query("open", index="by_status", after=("c1", 1))
    with pytest.raises(hashrange.ValidationError, match="lacks"):
        orders.query("open", index="by_status", after={"status": "open"})


# Built while threads write: nothing is missing, nothing twice, wherever the item was put.
@pytest.mark.parametrize("wait", [True, False])
def test_an_index_built_beside_writers(db: hashrange.Database, wait: bool) -> None:
    table = db.create_table("things", ("id", "N"))
    with table.batch() as batch:
        for number in range(3000):
            batch.put({"id": number, "g": number % 3})
    stop = threading.Event()
    written: set[int] = set()

    def write() -> None:
        for number in range(3000, 13000):
            if stop.is_set():
                return
            table.put({"id": number, "g": number % 3})
            written.add(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        table.create_index("by_g", ("g", "N"), wait=wait)
        while table.indexes()["by_g"].status != "ACTIVE":
            assert not wait
    finally:
        stop.set()
        writer.join()
    found = sorted(item["id"] for g in range(3) for item in table.query(g, index="by_g"))
    assert found == sorted({*range(3000), *written})


def test_a_reader_walks_indexes_as_they_come(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("things", ("id", "S"))
        for number in range(100):
            table.put({"id": f"{number}", "g": number % 4, "v": number})
        with hashrange.open(tmp_path / "db", mode="r") as reader:
            seen = reader.table("things")
            assert seen.indexes() == {}
            table.create_index("by_g", ("g", "N"), ("v", "N"))
            found = seen.query(2, index="by_g", gt=50, filter=Attr("id").exists(), project=["v"])
            assert [item["v"] for item in found] == list(range(54, 100, 4))
            found = seen.scan(index="by_g", filter=Attr("v").lt(4))
            assert sorted(item["v"] for item in found) == [0, 1, 2, 3]
            cursor = seen.query(2, index="by_g")
            assert next(cursor)["v"] == 2
            table.update("6", "SET v = :v", values={":v": 1000})
            assert [item["v"] for item in cursor][-1] == 1000
            assert seen.indexes()["by_g"].item_count == 100
            with pytest.raises(hashrange.ReadOnlyError):
                seen.create_index("other", ("v", "N"))
            cursor = seen.query(3, index="by_g")
            assert next(cursor)["v"] == 3
            table.drop_index("by_g")
            with pytest.raises(hashrange.ValidationError):
                seen.query(2, index="by_g")
            table.create_index("by_g", ("v", "N"))
            with pytest.raises(hashrange.Error, match="has other keys"):
                list(cursor)


def test_indexes_survive_a_new_opening(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("things", ("id", "S"))
        table.put({"id": "a", "g": 1})
        table.create_index("by_g", ("g", "N"))
    with hashrange.open(tmp_path / "db") as db:
        assert [item["id"] for item in db.table("things").query(1, index="by_g")] == ["a"]
    assert hashrange.verify(tmp_path / "db").ok


# The bound is that of each value: an entry's keys, of several values and with marks between them,
# are longer, and as sound.
def test_values_of_the_greatest_length_are_sound_in_an_index(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("long", ("h", "B"), ("r", "B"))
        table.create_index("by_g", ("g", "B"), ("s", "B"))
        table.create_index("by_all", [("g", "B"), ("a", "B")], [("s", "B"), ("b", "B")])
        long_hash, long_range = b"\0" * 2048, b"\0" * 1024
        item = {"h": long_hash, "r": long_range, "g": long_hash, "a": long_hash,
                "s": long_range, "b": long_range}
        table.put(item)
        assert list(table.query(long_hash, index="by_g")) == [item]
        assert list(table.scan(index="by_all")) == [item]
    report = hashrange.verify(tmp_path / "db")
    assert report.ok, report.errors
    with hashrange.open(tmp_path / "db") as db:
        assert list(db.table("long").query(long_hash, index="by_g")) == [item]
