"""Columns: attributes of many items as arrays."""

from __future__ import annotations

import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hashrange
from ddbcore.columns import ColumnReader
from ddbcore.cursor import Scan
from hashrange.arrays import path_elements
from hashrange.conditions import Attr, Key

NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20),
    st.integers(-(10**37), 10**37),
    st.decimals(-(10**15), 10**15, places=4, allow_nan=False),
    st.builds(Decimal, st.from_regex(r"\A-?[1-9][0-9]{0,36}E-?[0-9]{1,2}\Z")),
)
SCALARS = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "number": NUMBERS,
    "text": st.text(max_size=70),
    "binary": st.binary(max_size=70),
    "bool": st.booleans(),
    "list": st.lists(st.one_of(st.integers(0, 300), st.text(max_size=3), st.none()), max_size=4),
    "map": st.dictionaries(st.text(min_size=1, max_size=3), NUMBERS, max_size=3),
    "set": st.sets(st.text(min_size=1, max_size=4), min_size=1, max_size=4),
}


def cells(columns: hashrange.arrays.Columns, name: str) -> list[Any]:
    """Return a column as a list, None where there is no value."""
    array = columns[name]
    valid = columns.valid(name)
    assert len(array) == len(valid) == columns.count
    assert isinstance(array, np.ma.MaskedArray) == (not valid.all())
    if isinstance(array, np.ma.MaskedArray):
        assert (np.ma.getmaskarray(array) == ~valid).all()
        array = array.data
    return [
        (value.item() if isinstance(value, np.generic) else value) if is_valid else None
        for value, is_valid in zip(array, valid, strict=True)
    ]


def fill(table: hashrange.Table, items: list[dict[str, Any]]) -> None:
    with table.batch() as batch:
        for number, item in enumerate(items):
            batch.put({"id": f"k{number}", **item})


def by_key(columns: hashrange.arrays.Columns, *names: str) -> dict[Any, Any]:
    keys = cells(columns, "id")
    values = list(zip(*(cells(columns, name) for name in names), strict=True))
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, values, strict=True))


# ---- what a column is ----------------------------------------------------------------------------


# A column's type follows from its values: whole numbers of 64 bits are int64, others float64.
@pytest.mark.parametrize(
    ("values", "kind", "dtype"),
    [
        ([1, -(2**63), 2**63 - 1], "int64", "int64"),
        ([1, 2**63], "float64", "float64"),
        ([1, Decimal("0.5")], "float64", "float64"),
        ([Decimal("1E+3"), 7], "int64", "int64"),
        ([True, False], "bool", "bool"),
        (["a", "", "Zoë" * 40], "text", "object"),
        ([b"a", b"", b"\xff" * 300], "binary", "object"),
        ([[1, "a"], []], "object", "object"),
        ([{"a": {"b": 1}}, {}], "object", "object"),
        ([{"x", "y"}, {"z"}], "object", "object"),
        ([None, None], "null", "object"),
    ],
)
def test_a_column_has_the_type_of_its_values(
    hashes: hashrange.Table, values: list[Any], kind: str, dtype: str
) -> None:
    fill(hashes, [{"a": value} for value in values])
    columns = hashes.columns(["id", "a"])
    assert columns.kind("a") == kind
    assert columns["a"].dtype == dtype
    assert by_key(columns, "a") == {f"k{n}": (value,) for n, value in enumerate(values)}


# NULL and an absent attribute are both no value; the first values may come late.
def test_missing_and_null_cells_are_masked(hashes: hashrange.Table) -> None:
    items = [{}, {"n": None}, {"n": 1, "f": Decimal("0.5"), "s": "x", "b": True, "l": [1]}] * 50
    fill(hashes, items)
    columns = hashes.columns(["id", "n", "f", "s", "b", "l", "nowhere"])
    assert columns.count == 150
    found = by_key(columns, "n", "f", "s", "b", "l", "nowhere")
    for number, item in enumerate(items):
        want = tuple([item.get(name) for name in ("n", "f", "s", "b", "l", "nowhere")])
        assert found[f"k{number}"] == want
    assert columns.kind("nowhere") == "null"
    assert columns["n"].sum() == 50
    assert np.isnan(columns["f"].data[~columns.valid("f")]).all()


# Each value is the double nearest to the stored decimal, however many digits it has.
@given(numbers=st.lists(NUMBERS, min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_a_float_is_the_nearest_double(numbers: list[Any]) -> None:
    with hashrange.open() as db:
        table = db.create_table("numbers", ("id", "S"))
        fill(table, [{"a": number} for number in [*numbers, Decimal("0.5")]])
        columns = table.columns(["id", "a"])
        found = by_key(columns, "a")
        for place, number in enumerate(numbers):
            assert found[f"k{place}"] == (float(number),)
        exact = table.columns(["id", "a"], exact=True)
        assert exact.kind("a") == "number"
        for place, number in enumerate(numbers):
            assert by_key(exact, "a")[f"k{place}"] == (number,)


def test_key_numbers_are_columns_too() -> None:
    with hashrange.open() as db:
        table = db.create_table("numbers", ("id", "N"), ("r", "N"))
        keys = [0, -1, 10**15, -(2**63), 2**63 - 1, 1200, Decimal("-1.5"), Decimal("1E-7")]
        for number, key in enumerate(keys):
            table.put({"id": number, "r": key})
        columns = table.columns(["id", "r"])
        assert columns.kind("id") == "int64"
        assert columns.kind("r") == "float64"
        assert by_key(columns, "r") == {n: (float(key),) for n, key in enumerate(keys)}
        whole = table.columns(["id", "r"], "r > :r", None, {":r": 9})
        assert whole.kind("r") == "int64"
        assert by_key(whole, "r") == {2: (10**15,), 4: (2**63 - 1,), 5: (1200,)}


def test_a_column_of_several_types_is_refused_or_has_objects(hashes: hashrange.Table) -> None:
    values = [1, "x", None, b"y", [1], True, Decimal("1.5")]
    fill(hashes, [{"a": value, "b": {"c": value}} for value in values])
    with pytest.raises(hashrange.ValidationError, match=r"column 'a' has values of types .* and "):
        hashes.columns(["a"])
    with pytest.raises(hashrange.ValidationError, match=r"column 'b\.c' has"):
        hashes.columns(["id", "b.c"])
    columns = hashes.columns(["id", "a", "b.c"], mixed="object")
    want = {f"k{n}": (value, value) for n, value in enumerate(values)}
    assert by_key(columns, "a", "b.c") == want
    numbers = hashes.columns(["id", "a"], "attribute_type(a, :t)", None, {":t": "N"})
    assert by_key(numbers, "a") == {"k0": (1,), "k6": (1.5,)}


# ---- the same as a comprehension over scan -------------------------------------------------------


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_columns_are_what_a_comprehension_over_scan_gives(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(sorted(SCALARS)), min_size=1, max_size=4))
    names = [f"{kind}{place}" for place, kind in enumerate(chosen)]
    item = st.fixed_dictionaries(
        {},
        optional={
            name: st.one_of(st.none(), SCALARS[kind])
            for name, kind in zip(names, chosen, strict=True)
        },
    )
    items = data.draw(st.lists(item, max_size=40))
    with hashrange.open() as db:
        table = db.create_table("model", ("id", "S"))
        fill(table, items)
        columns = table.columns(["id", *names], exact=True)
        want = {i["id"]: tuple([i.get(name) for name in names]) for i in table.scan()}
        assert by_key(columns, *names) == want
        limit = data.draw(st.integers(1, 50))
        # With a limit rows come in the scan's order.
        some = table.columns(["id", *names], exact=True, limit=limit)
        assert list(by_key(some, *names).items()) == list(want.items())[:limit]


def test_batches_windows_and_writers_meet(hashes: hashrange.Table) -> None:
    fill(hashes, [{"n": n, "s": f"s{n % 11}"} for n in range(5000)])
    for _ in range(3):
        found = by_key(hashes.columns(["id", "n", "s"]), "n", "s")
        assert found == {f"k{n}": (n, f"s{n % 11}") for n in range(5000)}
        for n in range(0, 5000, 7):
            hashes.update(f"k{n}", "SET n = n", condition="attribute_exists(id)")
    for n in range(0, 5000, 2):
        hashes.delete(f"k{n}")
    found = by_key(hashes.columns(["id", "n"]), "n")
    assert found == {f"k{n}": (n,) for n in range(1, 5000, 2)}


# More than are gathered with the GIL in one go, and more than one buffer's first size.
def test_many_rows_are_read(hashes: hashrange.Table) -> None:
    count = 40_000
    hashes.load({"id": [f"k{n}" for n in range(count)], "n": np.arange(count)})
    columns = hashes.columns(["id", "n"])
    assert sorted(columns["n"].tolist()) == list(range(count))
    assert [f"k{n}" for n in columns["n"].tolist()] == columns["id"].tolist()


def test_an_opened_database_is_proven_as_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with hashrange.open(path) as db:
        table = db.create_table("rows", ("id", "S"))
        table.load({"id": [f"k{n}" for n in range(5000)], "n": np.arange(5000)})
        db.checkpoint()
    for mode in ("rw", "r"):
        with hashrange.open(path, mode=mode) as db:
            found = by_key(db.table("rows").columns(["id", "n"]), "n")
            assert found == {f"k{n}": (n,) for n in range(5000)}
    log = path / "log-00000001"
    data = bytearray(log.read_bytes())
    data[30_000] ^= 1
    log.write_bytes(data)
    with hashrange.open(path, mode="r") as db, pytest.raises(hashrange.CorruptError):
        db.table("rows").columns(["id", "n"])


def test_a_reader_sees_what_the_writer_writes(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("rows", ("id", "S"))
        with hashrange.open(tmp_path / "db", mode="r") as reader:
            for count in (10, 2000, 5000):
                table.load({"id": [f"k{n}" for n in range(count)], f"n{count}": np.arange(count)})
                columns = reader.table("rows").columns(["id", f"n{count}"])
                assert by_key(columns, f"n{count}") == {f"k{n}": (n,) for n in range(count)}


def test_a_dropped_table_has_no_columns(hashes: hashrange.Table) -> None:
    fill(hashes, [{"n": 1}])
    hashes.database.drop_table("hashes")
    with pytest.raises(hashrange.TableNotFound):
        hashes.columns(["n"])


def test_an_empty_table_has_empty_columns(hashes: hashrange.Table) -> None:
    columns = hashes.columns(["id", "a"])
    assert (columns.count, columns.last_key) == (0, None)
    assert list(columns["a"]) == list(columns.valid("a")) == []


# ---- filters, limits, walks ----------------------------------------------------------------------


def test_a_filter_is_an_expression_or_a_condition(hashes: hashrange.Table) -> None:
    fill(hashes, [{"n": n, "status": "odd" if n % 2 else "even"} for n in range(100)])
    want = {f"k{n}": (n,) for n in range(51, 100, 2)}
    found = hashes.columns(
        ["id", "n"], "#s = :s AND n > :n", {"#s": "status"}, {":s": "odd", ":n": 50}
    )
    assert by_key(found, "n") == want
    found = hashes.columns(["id", "n"], Attr("status").eq("odd") & Attr("n").gt(50))
    assert by_key(found, "n") == want
    with pytest.raises(hashrange.ValidationError, match="unused in expressions"):
        hashes.columns(["n"], "n > :n", {"#s": "status"}, {":n": 1})
    with pytest.raises(hashrange.ValidationError, match="Invalid FilterExpression"):
        hashes.columns(["n"], "n >")
    with pytest.raises(hashrange.ValidationError, match="not defined"):
        hashes.columns(["n"], "n > :n")


def test_a_limit_counts_rows_and_its_last_key_goes_on(hashes: hashrange.Table) -> None:
    fill(hashes, [{"n": n} for n in range(3000)])
    order = [item["n"] for item in hashes.scan()]
    even = [n for n in order if n % 2 == 0]
    for wanted, filter in ((order, None), (even, Attr("n").is_in(range(0, 200, 2)))):
        if filter is not None:
            wanted = [n for n in even if n < 200]
        got: list[int] = []
        after = None
        while True:
            page = hashes.columns(["n"], filter, limit=37, after=after)
            got += page["n"].tolist() if page.count else []
            after = page.last_key
            if page.count < 37:
                break
        assert got == wanted


def test_one_hash_key_is_read_as_query_reads_it(ranges: hashrange.Table) -> None:
    for n in range(2000):
        ranges.put({"h": "a", "r": n, "v": n * 2})
        if n % 3 == 0:
            ranges.put({"h": "b", "r": n, "v": -n})
    assert ranges.columns(["v"], hash="a")["v"].tolist() == list(range(0, 4000, 2))
    page = ranges.columns(["r"], hash="a", between=(1500, 1600), reverse=True, limit=5)
    assert page["r"].tolist() == [1600, 1599, 1598, 1597, 1596]
    assert page.last_key == ("a", 1596)
    page = ranges.columns(["r"], hash="a", ge=1500, after=1990)
    assert page["r"].tolist() == list(range(1991, 2000))
    page = ranges.columns(["v"], "v > :v", None, {":v": -10}, hash="b")
    assert page["v"].tolist() == [0, -3, -6, -9]
    assert ranges.columns(["v"], hash="nobody").count == 0
    with pytest.raises(hashrange.ValidationError, match="give hash= too"):
        ranges.columns(["v"], ge=1)
    with pytest.raises(hashrange.ValidationError, match="without hash="):
        ranges.columns(["v"], hash="a", segment=0, total_segments=2)


def test_segments_are_all_of_a_table(hashes: hashrange.Table) -> None:
    fill(hashes, [{"n": n} for n in range(1000)])
    parts = [hashes.columns(["n"], segment=part, total_segments=3)["n"] for part in range(3)]
    assert sorted(np.concatenate(parts).tolist()) == list(range(1000))


# Without an order to keep, the index is read as it lies; keys are looked at only where
# a segment begins or ends within a tag, and in item collections that are trees. Segments of 1 to 7
# parts begin anywhere; collections of 1, some and thousands of items are records, leaves and trees.
@pytest.mark.parametrize("hash_count", [0, 1, 2, 3, 700])
def test_segments_of_collections_are_all_of_a_table(
    ranges: hashrange.Table, hash_count: int
) -> None:
    sizes = [1, 5, 120, 3000]
    with ranges.batch() as batch:
        for number in range(hash_count):
            # Few large ones.
            for ts in range(sizes[number % 4 if number < 12 else number % 2]):
                batch.put({"h": f"k{number}", "r": ts})
    expected = sorted((item["h"], item["r"]) for item in ranges.scan())
    for total in range(1, 8):
        found: list[tuple[str, int]] = []
        for segment in range(total):
            columns = ranges.columns(["h", "r"], segment=segment, total_segments=total)
            rows = list(zip(columns["h"], columns["r"].tolist(), strict=True))
            last = [
                (item["h"], item["r"])
                for item in ranges.scan(segment=segment, total_segments=total)
            ][-1:]
            assert columns.last_key == (last[0] if last else None)
            found += rows
        assert sorted(found) == expected


@pytest.mark.parametrize("limit", [0, -1, True, "1", 1.5])
def test_a_limit_is_a_positive_int(hashes: hashrange.Table, limit: Any) -> None:
    for filter in (None, Attr("n").exists()):
        with pytest.raises(hashrange.ValidationError, match="limit"):
            hashes.columns(["n"], filter, limit=limit)


# An array of objects is filled in place; what is none, or is of another length, is left alone.
def test_only_arrays_of_objects_are_filled(hashes: hashrange.Table) -> None:
    fill(hashes, [{"v": text} for text in ("a", "b\u00e4", "c")])
    (data,) = ColumnReader(Scan(hashes), ((-1,),), ("v",), (False,)).read()
    array = np.empty(3, dtype=object)
    array[:] = [object(), 1000, "old"]
    data.fill(array)
    assert sorted(array) == ["a", "b\u00e4", "c"]
    for wrong in (np.zeros(3), np.empty(2, dtype=object), bytearray(24), np.zeros(3, dtype="V8")):
        with pytest.raises(ValueError, match="an array of objects"):
            data.fill(wrong)


# ---- through an index ----------------------------------------------------------------------------


@pytest.fixture
def orders(db: hashrange.Database) -> hashrange.Table:
    """Orders by customer, with indexes by status, by city and day, of keys, and a local one."""
    table = db.create_table(
        "orders",
        ("customer", "S"),
        ("ts", "N"),
        indexes={
            "by_status": hashrange.Index(("status", "S"), ("total", "N")),
            "by_place": hashrange.Index(
                [("country", "S"), ("city", "S")], [("day", "N"), ("total", "N")]
            ),
            "keys": hashrange.Index(("status", "S"), project="keys"),
            "local": hashrange.Index(None, ("total", "N"), project=["city"]),
        },
    )
    with table.batch() as batch:
        for number in range(900):
            item = {
                "customer": f"c{number % 7}",
                "ts": number,
                "status": ("open", "paid", "sent")[number % 3],
                "total": Decimal(number * 37 % 1000) / 4,
                "country": "no" if number % 2 else "se",
                "city": f"city {number % 4}",
                "day": number % 5,
            }
            if number % 10 == 9:
                del item["status"]  # in no index by status
            batch.put(item)
    return table


READ = ["customer", "ts", "total", "day"]


def rows_of(columns: hashrange.arrays.Columns) -> list[tuple[Any, ...]]:
    return list(zip(*(cells(columns, name) for name in columns), strict=True))


def rows_by(cursor: Any, names: list[str]) -> list[tuple[Any, ...]]:
    exact = [tuple(item.get(name) for name in names) for item in cursor]
    return [
        tuple(float(value) if isinstance(value, Decimal) else value for value in row)
        for row in exact
    ]


# What query and scan give through an index, columns give: the same rows in the same order, with the
# conditions that query has.
@pytest.mark.parametrize(
    "walk",
    [
        {"index": "by_status", "hash": "paid"},
        {"index": "by_status", "hash": "paid", "reverse": True},
        {"index": "by_status", "hash": "paid", "between": (50, Decimal("100.5"))},
        {"index": "by_status", "hash": "open", "gt": 200, "reverse": True, "limit": 7},
        {"index": "by_status", "hash": "nothing"},
        {"index": "by_status", "key": "#s = :s AND #t < :t",
         "names": {"#s": "status", "#t": "total"}, "values": {":s": "sent", ":t": 20}},
        {"index": "by_status", "hash": Key("status").eq("sent") & Key("total").gte(240)},
        {"index": "by_place", "hash": ("no", "city 1"), "eq": (2,)},
        {"index": "by_place", "hash": ("no", "city 1"), "ge": (2, 100), "le": (3, 5)},
        {"index": "by_place", "hash": Key("country").eq("se") & Key("city").eq("city 2")
         & Key("day").eq(3) & Key("total").lt(90)},
        {"index": "local", "hash": "c3", "le": 30},
        {"hash": Key("customer").eq("c3") & Key("ts").between(100, 300)},
        {"key": "customer = :c AND ts > :t", "values": {":c": "c3", ":t": 700}},
    ],
)  # fmt: skip
def test_columns_through_an_index_are_what_query_gives(
    orders: hashrange.Table, walk: dict[str, Any]
) -> None:
    expected = rows_by(orders.query(**walk), READ)
    if "local" not in walk.values():
        assert rows_of(orders.columns(READ, **walk)) == expected
    names = ["customer", "ts"]
    assert rows_of(orders.columns(names, **walk)) == [row[:2] for row in expected]


def test_all_of_an_index_has_the_items_that_are_in_it(orders: hashrange.Table) -> None:
    expected = rows_by(orders.scan(index="by_status"), READ)
    assert len(expected) == 810
    assert sorted(rows_of(orders.columns(READ, index="by_status"))) == sorted(expected)
    # With a limit in the order of the scan; with a filter the reader counts.
    assert rows_of(orders.columns(READ, index="by_status", limit=100)) == expected[:100]
    many = [row for row in expected if row[3] == 2]
    found = orders.columns(READ, "#d = :d", {"#d": "day"}, {":d": 2}, index="by_status", limit=50)
    assert rows_of(found) == many[:50]
    segments = [
        row
        for segment in range(3)
        for row in rows_of(
            orders.columns(READ, index="by_status", segment=segment, total_segments=3)
        )
    ]
    assert sorted(segments) == sorted(expected)


# The last key is that of the last row's entry, and after= goes on behind it.
@pytest.mark.parametrize("filtered", [False, True])
def test_pages_of_an_index_make_the_whole(orders: hashrange.Table, filtered: bool) -> None:
    filter = ("#d > :d", {"#d": "day"}, {":d": 1}) if filtered else ()
    for walk in ({"hash": "paid"}, {"hash": "paid", "reverse": True}, {}):
        whole = rows_by(orders.scan(index="by_status"), READ)
        if walk:
            whole = rows_by(orders.query(**walk, index="by_status"), READ)
        found: list[tuple[Any, ...]] = []
        after = None
        while True:
            page = orders.columns(READ, *filter, index="by_status", limit=37, after=after, **walk)
            if page.count == 0:
                break
            after = page.last_key
            found += rows_of(page)
            assert after["ts"] == found[-1][1] or page.count < 37
        assert found == [row for row in whole if not filtered or row[3] > 1]


# A global index that projects a part refuses columns outside of it, and a filter sees nothing
# there; a local one fetches the item.
def test_columns_of_an_index_are_those_it_projects(orders: hashrange.Table) -> None:
    columns = orders.columns(["status", "ts"], index="keys", hash="paid")
    assert set(cells(columns, "status")) == {"paid"}
    with pytest.raises(hashrange.ValidationError, match=r"keys does not project \[day, total\]"):
        orders.columns(["total", "day", "ts"], index="keys")
    assert orders.columns(["ts"], "attribute_exists(city)", index="keys").count == 0
    assert orders.columns(["ts"], "attribute_exists(city)", index="local").count == 900
    first = orders.columns(["ts", "day"], index="local", hash="c1", limit=1)
    assert rows_of(first) == [(t := cells(first, "ts")[0], orders.get("c1", t)["day"])]


def test_what_is_wrong_with_an_index_is_said(orders: hashrange.Table) -> None:
    for arguments, words in [
        ({"index": "nowhere"}, "does not have the specified index: nowhere"),
        ({"index": "by_status", "eq": 1}, "give hash= too"),
        ({"index": "by_status", "hash": "paid", "segment": 0, "total_segments": 2}, "for a scan"),
        ({"index": "by_status", "hash": "paid", "eq": 1, "gt": 2}, "exclude each other"),
        ({"index": "by_status", "hash": "paid", "after": 5}, "after= of index by_status"),
        ({"key": "customer = :c", "hash": "c1", "values": {":c": "c1"}}, "takes the place"),
        ({"key": "customer = :c", "values": {":c": "c1", ":d": 1}}, "unused"),
        ({"hash": Key("customer").eq("c1"), "key": "customer = :c"}, "key condition once"),
    ]:
        with pytest.raises(hashrange.ValidationError, match=words):
            orders.columns(["ts"], **arguments)


def test_an_index_is_read_while_others_write(orders: hashrange.Table) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            orders.update(f"c{number % 7}", number % 900, "SET #d = :d", names={"#d": "day"},
                          values={":d": number % 5})  # fmt: skip

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(20):
            assert orders.columns(["ts", "day"], index="by_status", hash="paid").count == 270
    finally:
        stop.set()
        writer.join()


# A reading has state that two threads would mix up; each call of columns has its own.
def test_a_reading_is_for_one_thread_at_a_time(hashes: hashrange.Table) -> None:
    fill(hashes, [{"v": number} for number in range(3000)])
    reader = ColumnReader(Scan(hashes), ((-1,),), ("v",), (False,))
    refused: list[str] = []
    rows: list[int] = []

    def read() -> None:
        try:
            rows.append(reader.read()[0].count)
        except hashrange.ValidationError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(rows) == 3000
    assert set(refused) <= {"the reader of columns is in use in another thread"}


# ---- paths ---------------------------------------------------------------------------------------


def test_columns_lead_into_documents(hashes: hashrange.Table) -> None:
    fill(
        hashes,
        [
            {"address": {"city": "Oslo", "zip": [1, 2]}, "tags": [{"a": 1}, {"a": 2}]},
            {"address": {"zip": [3]}, "tags": []},
            {"address": 5, "tags": {"x": 1}},
        ],
    )
    columns = hashes.columns(
        {"id": "id", "city": "address.city", "zip": "address.zip[1]", "a": "tags[1].a"}
    )
    assert by_key(columns, "city", "zip", "a") == {
        "k0": ("Oslo", 2, 2),
        "k1": (None, None, None),
        "k2": (None, None, None),
    }
    # Overlapping paths are columns like any others.
    both = hashes.columns(["id", "address", "address.city"], mixed="object")
    assert by_key(both, "address", "address.city")["k0"] == (
        {"city": "Oslo", "zip": [1, 2]},
        "Oslo",
    )


def test_names_that_are_no_path_have_placeholders(hashes: hashrange.Table) -> None:
    fill(hashes, [{"a.b": 1, "c[0]": {"#": 2}, "status": 3}])
    columns = hashes.columns(
        {"one": "#a", "two": "#c.#h", "three": "status"},
        names={"#a": "a.b", "#c": "c[0]", "#h": "#"},
    )
    assert [columns[name].tolist() for name in columns] == [[1], [2], [3]]
    with pytest.raises(hashrange.ValidationError, match="does not say"):
        hashes.columns(["#a"])


@pytest.mark.parametrize(
    ("path", "elements"),
    [
        ("a", ["a"]),
        ("a.b", ["a", "b"]),
        ("a[0][12].é c", ["a", 0, 12, "é c"]),
        ("#a.b", ["#a", "b"]),
    ],
)
def test_a_path_has_names_and_indexes(path: str, elements: list[Any]) -> None:
    assert path_elements(path) == elements


@pytest.mark.parametrize(
    "path", ["", ".", "a.", ".a", "a..b", "[0]", "a[0", "a[]", "a[-1]", "a[0]b", "a.[0]", "a]", 5]
)
def test_what_is_no_path_is_refused(hashes: hashrange.Table, path: Any) -> None:
    with pytest.raises(hashrange.ValidationError):
        hashes.columns({"x": path})


def test_what_is_no_list_of_columns_is_refused(hashes: hashrange.Table) -> None:
    for columns in ("a", [], {}, None, ["a", "a"], [1], {"a"}, ["a" * 70000]):
        with pytest.raises(hashrange.ValidationError):
            hashes.columns(columns)  # type: ignore[arg-type]
    with pytest.raises(hashrange.ValidationError, match="mixed"):
        hashes.columns(["a"], mixed="ignore")
    assert len(hashes.columns([f"a{n}" for n in range(4096)])) == 4096
    with pytest.raises(hashrange.ValidationError, match="4097"):
        hashes.columns([f"a{n}" for n in range(4097)])


# A name that the table learns after the reading was bound stands in records by its new id.
def test_names_learnt_during_a_reading_are_found(hashes: hashrange.Table) -> None:
    fill(hashes, [{"n": n} for n in range(10)])
    reader = ColumnReader(Scan(hashes), ((-1,), (-2, -1)), ("late", "deep"), (False, False))
    fill(hashes, [{"late": n, "deep": {"late": "x"}} for n in range(10)])
    late, deep = reader.read()
    assert (late.count, late.absent_count, late.kind) == (10, 0, "int64")
    assert deep.objects() == ["x"] * 10


def test_long_names_and_many_names_are_found(hashes: hashrange.Table) -> None:
    long = "n" * 300
    fill(hashes, [{long: 1, "m": {long: 2}}])
    columns = hashes.columns({"a": long, "b": f"m.{long}"})
    assert columns["a"].tolist() == [1]
    assert columns["b"].tolist() == [2]


# ---- others --------------------------------------------------------------------------------------


def test_columns_are_a_mapping(hashes: hashrange.Table) -> None:
    fill(hashes, [{"n": 1}])
    columns = hashes.columns(["n", "id"])
    assert list(columns) == ["n", "id"]
    assert len(columns) == 2
    assert columns["n"] is columns["n"]
    assert "x" not in columns
    assert dict(columns).keys() == dict(columns.items()).keys() == columns.keys()
    assert columns.values()[0] is columns["n"]
    with pytest.raises(KeyError):
        columns["x"]
    assert repr(columns) == "<hashrange.Columns of 1 rows, {'n': int64, 'id': text}>"


def test_arrays_outlive_the_database(hashes: hashrange.Table) -> None:
    fill(hashes, [{"n": n, "s": f"text {n}"} for n in range(100)])
    columns = hashes.columns(["n", "s"])
    hashes.database.close()
    numbers = columns["n"]
    texts = columns["s"]
    del columns
    assert sorted(numbers.tolist()) == list(range(100))
    assert sorted(texts.tolist()) == sorted(f"text {n}" for n in range(100))
    with pytest.raises(hashrange.DatabaseClosed):
        hashes.columns(["n"])


def test_threads_read_and_write_at_once(hashes: hashrange.Table) -> None:
    fill(hashes, [{"n": n, "twice": 2 * n} for n in range(4000)])
    stop = threading.Event()
    errors: list[BaseException] = []

    def write() -> None:
        count = 0
        while not stop.is_set():
            hashes.put({"id": f"k{count % 4000}", "n": count, "twice": 2 * count})
            hashes.put(
                {"id": f"new{count % 100}", "n": count, "twice": 2 * count, f"x{count % 50}": 1}
            )
            count += 1

    def read() -> None:
        try:
            for _ in range(15):
                columns = hashes.columns(["id", "n", "twice"])
                assert (columns["twice"] == 2 * columns["n"]).all()
                assert 4000 <= columns.count <= 4100
                assert len(set(columns["id"].tolist())) == columns.count
        except BaseException as error:
            errors.append(error)

    writer = threading.Thread(target=write)
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in [writer, *readers]:
        thread.start()
    for thread in readers:
        thread.join()
    stop.set()
    writer.join()
    assert errors == []


# NumPy is an extra: importing, loading and reading do without; arrays say what is missing.
def test_numpy_is_imported_for_arrays_only() -> None:
    code = """if True:
        import sys
        sys.modules["numpy"] = None
        import hashrange
        with hashrange.open() as db:
            table = db.create_table("rows", ("id", "S"))
            assert table.load({"id": ["a", "b"], "n": [1, None]}) == 2
            columns = table.columns(["id", "n"])
            assert (columns.count, columns.kind("n")) == (2, "int64")
            copy = db.create_table("copy", ("id", "S"))
            assert copy.load(columns) == 2
            assert copy.get("a") == {"id": "a", "n": 1}
            try:
                columns["n"]
            except ImportError as error:
                assert "hashrange[arrays]" in str(error)
            else:
                raise AssertionError
    """
    subprocess.run([sys.executable, "-c", code], check=True)
