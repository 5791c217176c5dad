"""Load: columns to items."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hashrange
from ddbcore.arrow import export_stream
from ddbcore.rows import shortest

ARRAYS = {
    "int8": st.integers(-128, 127),
    "uint8": st.integers(0, 255),
    "int16": st.integers(-(2**15), 2**15 - 1),
    "uint16": st.integers(0, 2**16 - 1),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "uint32": st.integers(0, 2**32 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "bool": st.booleans(),
}
VALUES = st.one_of(
    st.none(),
    st.integers(-(10**30), 10**30),
    st.decimals(-1000, 1000, places=3),
    st.text(max_size=80),
    st.binary(max_size=80),
    st.booleans(),
    st.lists(st.integers(0, 9), max_size=3),
    st.dictionaries(st.text(min_size=1, max_size=3), st.text(max_size=3), max_size=3),
)


def items_of(table: hashrange.Table) -> dict[Any, dict[str, Any]]:
    return {item["id"]: item for item in table.scan()}


def refusal(table: hashrange.Table, source: Any, **options: Any) -> str:
    with pytest.raises(hashrange.ValidationError) as caught:
        table.load(source, **options)
    return str(caught.value)


class Stream:
    """Something with an Arrow stream."""

    def __init__(self, capsule: object) -> None:
        self.capsule = capsule

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.capsule


def texts(*values: str) -> tuple[None, bytes, bytes]:
    """Return the buffers of a column of format "u"."""
    data = [value.encode() for value in values]
    ends = [sum(map(len, data[:n])) for n in range(len(data) + 1)]
    return None, struct.pack(f"<{len(ends)}i", *ends), b"".join(data)


# ---- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ARRAYS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_arrays_of_integers_and_booleans_are_loaded(dtype: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(ARRAYS[dtype], max_size=20))
    mask = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    array = np.ma.MaskedArray(np.array(values, dtype=dtype), mask=mask)
    with hashrange.open() as db:
        table = db.create_table("load", ("id", "N"))
        assert table.load({"id": np.arange(len(values)), "a": array}) == len(values)
        want = {
            n: {"id": n} if mask[n] else {"id": n, "a": value} for n, value in enumerate(values)
        }
        assert items_of(table) == want
        # The records are those that put makes, byte for byte: sizes and conditions agree.
        other = db.create_table("other", ("id", "N"))
        for item in want.values():
            other.put(item)
        assert other.size_bytes() == table.size_bytes()


@given(rows=st.lists(st.tuples(VALUES, VALUES), max_size=20))
@settings(max_examples=60, deadline=None)
def test_lists_of_values_are_loaded(rows: list[tuple[Any, Any]]) -> None:
    with hashrange.open() as db:
        table = db.create_table("load", ("id", "S"))
        keys = [f"k{n}" for n in range(len(rows))]
        source = {"id": keys, "a": [a for a, _ in rows], "b": [b for _, b in rows]}
        assert table.load(source) == len(rows)
        assert items_of(table) == {
            key: {"id": key, **{n: v for n, v in zip("ab", row, strict=True) if v is not None}}
            for key, row in zip(keys, rows, strict=True)
        }


# A float is stored as its repr says; one of 32 bits as the shortest decimal that gives it.
@given(value=st.floats(-1e120, 1e120, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-120))
@settings(max_examples=1000, deadline=None)
def test_a_float_becomes_the_decimal_that_repr_shows(value: float) -> None:
    assert shortest(value) == Decimal(repr(value))


@given(value=st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False))
@settings(max_examples=1000, deadline=None)
def test_a_single_becomes_the_decimal_that_gives_it_back(value: float) -> None:
    found = shortest(value, True)
    assert np.float32(str(found)) == np.float32(value)
    # Whole numbers are stored as they are, all others with as few digits as will do.
    if value != int(value):
        assert Decimal(found) == Decimal(str(np.float32(value)))


@given(digits=st.integers(1, 10**15 - 1), places=st.integers(0, 12))
@settings(max_examples=1000, deadline=None)
def test_short_decimals_come_back_from_floats(digits: int, places: int) -> None:
    number = Decimal(digits).scaleb(-places)
    assert shortest(float(number)) == number


def test_floats_are_loaded_refused_or_null(hashes: hashrange.Table) -> None:
    floats = [0.1, 1.0, -2.5e-7, 1e22, 1 / 3]
    keys = [f"k{n}" for n in range(5)]
    hashes.load({"id": keys, "a": np.array(floats), "b": floats})
    for key, value in zip(keys, floats, strict=True):
        want = Decimal(repr(value))
        assert hashes.get(key) == {"id": key, "a": want, "b": want}
    for column in (np.array(floats), floats):
        words = refusal(hashes, {"id": keys, "a": column}, floats="refuse")
        assert words.startswith("row 0, column 'a': a float is not exact")
    nans = [1.5, float("nan"), 2.0]
    for column in (np.array(nans), np.array(nans, dtype="f4"), nans):
        words = refusal(hashes, {"id": keys[:3], "a": column})
        assert words.startswith("row 1, column 'a': nan is no number that DynamoDB has")
        hashes.load({"id": keys[:3], "a": column}, nan="null")
        assert [hashes.get(key) for key in keys[:3]] == [
            {"id": "k0", "a": Decimal("1.5")}, {"id": "k1"}, {"id": "k2", "a": 2}
        ]  # fmt: skip
    for bad in (float("inf"), 1e126, 1e-140):
        assert "row 0, column 'a'" in refusal(hashes, {"id": ["x"], "a": [bad]})
        assert "row 0, column 'a'" in refusal(hashes, {"id": ["x"], "a": np.array([bad])})
    assert hashes.get("x") is None


def test_other_arrays_are_loaded_as_their_values(hashes: hashrange.Table) -> None:
    keys = np.array(["k0", "k1"])
    hashes.load(
        {
            "id": keys,
            "bytes": np.array([b"ab", b"c"]),
            "object": np.array(["x", None], dtype=object),
            "big": np.array([1, 2], dtype=">i4"),
            "every second": np.arange(4)[::2],
            "text": np.array(["Zoë", "x"], dtype=np.dtypes.StringDType()),
        }
    )
    assert hashes.get("k0") == {
        "id": "k0", "bytes": b"ab", "object": "x", "big": 1, "every second": 0, "text": "Zoë"
    }  # fmt: skip
    assert hashes.get("k1") == {
        "id": "k1", "bytes": b"c", "big": 2, "every second": 2, "text": "x"
    }  # fmt: skip
    for array in (
        np.array(["2020-01-01"], dtype="M8[s]"),
        np.array([1j]),
        np.array([1.5], dtype="f2"),
        np.zeros((1, 2)),
    ):
        assert "column 'a'" in refusal(hashes, {"id": ["k"], "a": array})


def test_columns_come_back_as_they_were(hashes: hashrange.Table) -> None:
    items = {
        f"k{n}": {
            "id": f"k{n}",
            "n": n,
            **({"f": Decimal(n) / 8, "s": f"text {n} Zoë"} if n % 3 else {}),
            **(
                {"d": Decimal(n).scaleb(-30), "l": [n, {"x": None}], "b": n % 2 == 0}
                if n % 5
                else {}
            ),
            "raw": bytes([n % 256]) * (n % 4),
        }
        for n in range(1, 400)
    }
    with hashes.batch() as batch:
        for item in items.values():
            batch.put(item)
    copy = hashes.database.create_table("copy", ("id", "S"))
    names = ["id", "n", "f", "s", "d", "l", "b", "raw"]
    assert copy.load(hashes.columns(names, exact=True)) == len(items)
    assert items_of(copy) == items
    assert copy.size_bytes() == hashes.size_bytes()


# ---- keys ----------------------------------------------------------------------------------------


def test_keys_of_all_types_are_loaded() -> None:
    with hashrange.open() as db:
        pair = db.create_table("pair", ("h", "B"), ("r", "N"))
        assert pair.load({"h": [b"a", b"b"], "r": np.array([1.5, 2.0]), "x": [1, 2]}) == 2
        assert pair.get(b"a", Decimal("1.5")) == {"h": b"a", "r": Decimal("1.5"), "x": 1}
        pair.load({"h": [b"a"], "r": [-3]})
        pair.load({"h": np.array([b"a"]), "r": np.array([2**64 - 1], dtype="u8")})
        assert [item["r"] for item in pair.query(b"a")] == [-3, Decimal("1.5"), 2**64 - 1]


def test_a_key_that_is_missing_or_wrong_is_refused(hashes: hashrange.Table) -> None:
    ranges = hashes.database.create_table("pair", ("id", "S"), ("r", "N"))
    assert "no column 'id'" in refusal(hashes, {"a": [1]})
    assert "no column 'r'" in refusal(ranges, {"id": ["a"]})
    for column in ([None], np.ma.MaskedArray([1], mask=[True])):
        assert refusal(ranges, {"id": ["a"], "r": column}).startswith(
            "row 0, column 'r': a key attribute cannot be null"
        )
    assert "row 0, column 'id'" in refusal(hashes, {"id": [1]})
    assert "row 0, column 'id'" in refusal(hashes, {"id": np.array([1])})
    assert "row 1, column 'id'" in refusal(hashes, {"id": ["a", ""]})
    assert "row 0, column 'id'" in refusal(hashes, {"id": ["a" * 2049]})
    assert "row 0, column 'r'" in refusal(ranges, {"id": ["a"], "r": [True]})
    assert "row 0, column 'r'" in refusal(ranges, {"id": ["a"], "r": np.array([True])})
    for table in (hashes, ranges):
        assert table.count() == 0


# ---- batches and errors --------------------------------------------------------------------------


def test_rows_before_an_error_are_committed_by_the_mebibyte(hashes: hashrange.Table) -> None:
    count = 5000
    source = {"id": [f"k{n}" for n in range(count)], "a": ["x" * 500] * (count - 1) + [{1.5}]}
    words = refusal(hashes, source)
    assert words.startswith(f"row {count - 1}, column 'a': ")
    written = int(words.split("(the first ")[1].split(" ")[0])
    assert 0 < written < count
    assert hashes.count() == written
    assert set(items_of(hashes)) == {f"k{n}" for n in range(written)}


def test_an_item_that_is_too_large_is_refused(hashes: hashrange.Table) -> None:
    for value in ("x" * 409600, b"x" * 409600):
        with pytest.raises(hashrange.ItemTooLarge, match="row 1"):
            hashes.load({"id": ["a", "b"], "v": ["", value]})
    half = "x" * 205000
    capsule = export_stream(
        [("id", "u", 0, texts("a")), ("x", "u", 0, texts(half)), ("y", "u", 0, texts(half))], 1
    )
    with pytest.raises(hashrange.ItemTooLarge, match="row 0"):
        hashes.load(Stream(capsule))
    assert hashes.count() == 0


def test_what_is_no_columns_is_refused(hashes: hashrange.Table) -> None:
    for source in (None, 5, "text", [{"id": "a"}], {"id": "abc"}, {"id": 5}, {1: ["a"]}):
        refusal(hashes, source)
    refusal(hashes, {"id": ["a"], "b": [1, 2]})
    refusal(hashes, {"id": ["a"], "b": np.arange(2)})
    refusal(hashes, {"id": ["a"], "": [1]})
    assert "floats" in refusal(hashes, {"id": ["a"]}, floats="round")
    assert "nan" in refusal(hashes, {"id": ["a"]}, nan="drop")
    assert hashes.load({"id": []}) == 0


def test_indexes_follow_what_is_loaded(db: hashrange.Database) -> None:
    db.execute(
        "CreateTable",
        {
            "TableName": "indexed",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "n", "AttributeType": "N"},
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "by-n",
                    "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        },
    )
    db.table("indexed").load({"id": [f"k{n}" for n in range(50)], "n": np.arange(50) % 5})
    page = db.execute(
        "Query",
        {
            "TableName": "indexed",
            "IndexName": "by-n",
            "KeyConditionExpression": "n = :n",
            "ExpressionAttributeValues": {":n": {"N": "3"}},
        },
    )
    assert sorted(item["id"]["S"] for item in page["Items"]) == sorted(
        f"k{n}" for n in range(50) if n % 5 == 3
    )


def test_loaded_rows_survive_reopening(tmp_path: Any) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("rows", ("id", "S"))
        table.load(
            {"id": [f"k{n}" for n in range(20000)], "value": np.arange(20000) / 4},
            durability="commit",
        )
    with hashrange.open(tmp_path / "db", mode="r") as db:
        values = db.table("rows").columns(["value"])["value"]
        assert sorted(values.tolist()) == [n / 4 for n in range(20000)]
    assert hashrange.verify(tmp_path / "db").ok


# ---- Arrow data, sound and not -------------------------------------------------------------------


def load_fields(table: hashrange.Table, *fields: Any, count: int = 1) -> int:
    capsule = export_stream(
        [("id", "u", 0, texts(*[f"k{n}" for n in range(count)])), *fields], count
    )
    return table.load(Stream(capsule))


def test_a_stream_is_used_once(hashes: hashrange.Table) -> None:
    source = Stream(export_stream([("id", "u", 0, texts("a"))], 1))
    assert hashes.load(source) == 1
    assert "used up" in refusal(hashes, source)
    assert "no Arrow stream" in refusal(hashes, Stream(5))


@pytest.mark.parametrize(
    "format",
    [
        "", "x", "tdD", "tsu:UTC", "tDs", "tin", "e", "+m", "+us:0,1", "+r", "+vl", "d:10,2,256",
        "d:10", "d:10,500", "d:1,x", "w:-1", "w:x", "w:99999999999999999999", "+w:2", "+l",
        "\udcff",
    ],
)  # fmt: skip
def test_formats_without_a_type_are_named_and_refused(hashes: hashrange.Table, format: str) -> None:
    if format == "\udcff":
        with pytest.raises(UnicodeEncodeError):
            load_fields(hashes, ("a", format, 0, (None, bytes(64))))
        return
    with pytest.raises(hashrange.ValidationError, match="column 'a'"):
        load_fields(hashes, ("a", format, 0, (None, bytes(64))))
    assert hashes.count() == 0


@pytest.mark.parametrize(
    ("format", "buffers"),
    [
        ("u", (None, struct.pack("<2i", -1, 1), b"abc")),
        ("u", (None, struct.pack("<2i", 3, 1), b"abc")),
        ("u", (None, struct.pack("<2i", 0, 2**31 - 1), b"abc")),
        ("u", (None, struct.pack("<2i", 0, 3), None)),
        ("u", (None, None, b"abc")),
        ("u", (None, struct.pack("<2i", 0, 3))),
        ("u", (None, struct.pack("<2i", 0, 2), b"\xc3\x28")),
        ("U", (None, struct.pack("<2q", -(2**62), 2**62), b"abc")),
        ("U", (None, struct.pack("<2q", 0, 2**62), b"abc")),
        ("z", (None, struct.pack("<2i", 5, 4), b"abc")),
        ("vu", (None, struct.pack("<4i", 20, 0, 5, 0), b"")),
        ("vu", (None, struct.pack("<4i", -20, 0, 0, 0), b"")),
        ("vu", (None, struct.pack("<4i", 20, 0, -1, 0), b"")),
        ("vu", (None,)),
        ("l", (None, None)),
        ("l", (None,)),
        ("l", (None, bytes(8), bytes(8))),
        ("l", ()),
        ("d:--5,3", (None, bytes(16))),
        ("d:-", (None, bytes(16))),
        ("w:--1", (None, bytes(16))),
    ],
)
def test_damaged_arrow_data_is_refused(
    hashes: hashrange.Table, format: str, buffers: tuple[Any, ...]
) -> None:
    with pytest.raises(hashrange.ValidationError):
        load_fields(hashes, ("a", format, 0, buffers))
    with pytest.raises(hashrange.ValidationError):
        load_fields(hashes, ("a", "l", 1, (None, bytes(8))))
    assert hashes.count() == 0


def test_views_and_fixed_binary_are_loaded(hashes: hashrange.Table) -> None:
    views = struct.pack("<i12s", 12, b"twelve bytes") + struct.pack("<i12s", 0, b"")
    load_fields(
        hashes,
        ("view", "vu", 0, (None, views, b"")),
        ("fixed", "w:3", 1, (b"\x01", b"abcdef")),
        ("nothing", "n", 2, ()),
        count=2,
    )
    assert hashes.get("k0") == {"id": "k0", "view": "twelve bytes", "fixed": b"abc"}
    assert hashes.get("k1") == {"id": "k1", "view": ""}


class ArrowArray(ctypes.Structure):
    pass


ArrowArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.c_void_p),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowArray))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]


class ArrowStream(ctypes.Structure):
    _fields_ = [
        ("get_schema", ctypes.c_void_p),
        ("get_next", ctypes.c_void_p),
        ("get_last_error", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    ]


GET_NEXT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ArrowArray))


def forged(capsule: object, change: Callable[[Any], None], number: int = 0) -> tuple[Stream, Any]:
    """Return a stream whose batch is changed, or whose get_next fails with a number."""
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype = ctypes.c_void_p
    pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]
    stream = ArrowStream.from_address(pointer_of(capsule, b"arrow_array_stream"))
    genuine = GET_NEXT(stream.get_next)

    @GET_NEXT
    def get_next(source: Any, out: Any) -> int:
        if number:
            return number
        status = genuine(source, out)
        if out.contents.release:
            change(out.contents)
        return status

    stream.get_next = ctypes.cast(get_next, ctypes.c_void_p).value
    return Stream(capsule), get_next


def child_set(**fields: Any) -> Callable[[Any], None]:
    def change(array: Any) -> None:
        for name, value in fields.items():
            setattr(array.children[1].contents, name, value)

    return change


def parent_set(**fields: Any) -> Callable[[Any], None]:
    def change(array: Any) -> None:
        for name, value in fields.items():
            setattr(array, name, value)

    return change


@pytest.mark.parametrize(
    "change",
    [
        child_set(length=-1),
        child_set(length=0),
        child_set(offset=-1),
        child_set(length=2**62),
        child_set(offset=2**62),
        child_set(n_buffers=0),
        child_set(n_buffers=7),
        child_set(n_buffers=-1),
        child_set(buffers=None),
        child_set(null_count=1),
        child_set(release=None),
        child_set(dictionary=8),
        parent_set(length=2),
        parent_set(length=-5),
        parent_set(offset=1),
        parent_set(n_buffers=0),
    ],
)
def test_forged_arrays_are_refused(hashes: hashrange.Table, change: Callable[[Any], None]) -> None:
    capsule = export_stream([("id", "u", 0, texts("a")), ("n", "l", 0, (None, bytes(8)))], 1)
    source, callback = forged(capsule, change)
    assert "damaged" in refusal(hashes, source)
    assert hashes.count() == 0
    assert callback is not None


def test_a_stream_that_fails_is_an_error(hashes: hashrange.Table) -> None:
    capsule = export_stream([("id", "u", 0, texts("a"))], 1)
    source, callback = forged(capsule, lambda array: None, 5)
    assert "failed to give its next rows" in refusal(hashes, source)
    assert callback is not None


# ---- with others ---------------------------------------------------------------------------------


@pytest.fixture
def filled(hashes: hashrange.Table) -> hashrange.Table:
    hashes.load(
        {
            "id": [f"k{n}" for n in range(500)],
            "n": np.ma.MaskedArray(np.arange(500), mask=np.arange(500) % 3 == 0),
            "f": np.arange(500) / 8,
            "s": [f"Zoë {n}" if n % 4 else None for n in range(500)],
            "b": np.arange(500) % 2 == 0,
            "raw": [bytes([n % 256]) * (n % 3) for n in range(500)],
        }
    )
    return hashes


NAMES = ["id", "n", "f", "s", "b", "raw"]


def copy_of(table: hashrange.Table, source: Any) -> dict[Any, dict[str, Any]]:
    copy = table.database.create_table("copy", ("id", "S"))
    copy.load(source)
    found = items_of(copy)
    table.database.drop_table("copy")
    return found


def test_pyarrow_takes_columns_and_gives_them_back(filled: hashrange.Table) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = filled.columns([*NAMES, "nowhere"]).to_arrow()
    table.validate(full=True)
    assert [str(kind) for kind in table.schema.types] == [
        "large_string", "int64", "double", "large_string", "bool", "large_binary", "null"
    ]  # fmt: skip
    assert copy_of(filled, table) == items_of(filled)
    assert copy_of(filled, table.slice(100, 50)).keys() == set(table["id"][100:150].to_pylist())
    coded = table.set_column(3, "s", table["s"].dictionary_encode())
    assert copy_of(filled, coded) == items_of(filled)
    assert copy_of(filled, table.to_batches()[0]) == items_of(filled)
    parts = pyarrow.concat_tables([table.slice(0, 7), table.slice(7, 0), table.slice(7)])
    assert copy_of(filled, parts) == items_of(filled)
    with pytest.raises(hashrange.ValidationError, match="a table, not one column"):
        filled.load(table["id"])


def test_exact_numbers_are_decimal128(hashes: hashrange.Table) -> None:
    pytest.importorskip("pyarrow")
    numbers = [Decimal("1.5"), 10**20, Decimal("-0.001"), 0, None]
    hashes.load({"id": [f"k{n}" for n in range(5)], "a": numbers})
    columns = hashes.columns(["id", "a"], exact=True)
    table = columns.to_arrow()
    assert str(table.schema.field("a").type) == "decimal128(38, 3)"
    assert copy_of(hashes, table) == items_of(hashes)
    hashes.put({"id": "far", "a": Decimal("1E-37")})
    with pytest.raises(hashrange.ValidationError, match="column 'a': its numbers need 58 digits"):
        hashes.columns(["a"], exact=True).to_arrow()


# A null takes hardly any memory in Arrow, so a list may have very many of them.
@pytest.mark.parametrize("width", [32, 64])
def test_a_list_of_very_many_nulls_is_too_large(hashes: hashrange.Table, width: int) -> None:
    pa = pytest.importorskip("pyarrow")
    count = 1 << 26
    kind = pa.ListArray if width == 32 else pa.LargeListArray
    offsets = pa.array([0, count], pa.int32() if width == 32 else pa.int64())
    nulls = kind.from_arrays(offsets, pa.nulls(count))
    for column in (nulls, pa.StructArray.from_arrays([nulls], ["inside"])):
        with pytest.raises(hashrange.ItemTooLarge, match="row 0, column 'list'"):
            hashes.load(pa.table({"id": ["a"], "list": column}))
    # Lists of lists may have as many below a few hundred.
    ends = pa.array(range(0, 200_001, 50_000), offsets.type)
    inner = kind.from_arrays(ends, pa.nulls(200_000))
    outer = kind.from_arrays(pa.array([0, 4], offsets.type), inner)
    hashes.load(pa.table({"id": ["a"], "list": outer.slice(0, 1)}))
    assert [len(element) for element in hashes.get("a")["list"]] == [50_000] * 4
    ends = pa.array(range(0, 500_001, 50_000), offsets.type)
    inner = kind.from_arrays(ends, pa.nulls(500_000))
    with pytest.raises(hashrange.ItemTooLarge, match="row 0, column 'list'"):
        hashes.load(pa.table({
            "id": ["b"], "list": kind.from_arrays(pa.array([0, 10], offsets.type), inner)}))
    assert hashes.count() == 1


def test_nested_arrow_values_are_documents(hashes: hashrange.Table) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(
        {
            "id": ["a", "b", "c"],
            "list": [[1, None, 3], None, []],
            "map": [{"x": 1, "y": None}, None, {"x": 2, "y": "z"}],
            "fixed": pyarrow.array([[1, 2], [3, 4], [5, 6]], pyarrow.list_(pyarrow.int8(), 2)),
            "deep": [[{"q": ["u", "v"]}], [], [{"q": None}]],
        }
    )
    assert hashes.load(table) == 3
    assert items_of(hashes) == {
        "a": {
            "id": "a", "list": [1, None, 3], "map": {"x": 1}, "fixed": [1, 2],
            "deep": [{"q": ["u", "v"]}],
        },
        "b": {"id": "b", "fixed": [3, 4], "deep": []},
        "c": {"id": "c", "list": [], "map": {"x": 2, "y": "z"}, "fixed": [5, 6], "deep": [{}]},
    }  # fmt: skip
    assert items_of(hashes).keys() == {"a", "b", "c"}
    sliced = hashes.database.create_table("sliced", ("id", "S"))
    sliced.load(table.slice(2, 1))
    assert sliced.get("c") == hashes.get("c")
    for kind in (pyarrow.timestamp("us"), pyarrow.date32(), pyarrow.float16()):
        words = refusal(hashes, pyarrow.table({"id": ["a"], "t": pyarrow.nulls(1, kind)}))
        assert "column 't' has the Arrow format" in words


def test_pandas_takes_columns_and_gives_them_back(filled: hashrange.Table) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = filled.columns(NAMES).to_pandas()
    assert frame["n"].dtype == "Int64"
    assert frame["f"].dtype == "float64"
    assert len(frame) == 500
    assert frame["n"].isna().sum() == 167
    assert copy_of(filled, frame) == items_of(filled)
    assert isinstance(frame, pandas.DataFrame)


def test_polars_takes_columns_and_gives_them_back(filled: hashrange.Table) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(filled.columns(NAMES))
    assert frame.shape == (500, 6)
    assert copy_of(filled, frame) == items_of(filled)
    coded = frame.with_columns(polars.col("s").cast(polars.Categorical))
    assert copy_of(filled, coded) == items_of(filled)


def test_duckdb_takes_columns(filled: hashrange.Table) -> None:
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    columns = filled.columns(NAMES)
    found = duckdb.from_arrow(columns).aggregate("count(*), sum(n), count(s)").fetchall()
    assert found == [(500, sum(n for n in range(500) if n % 3), 375)]
