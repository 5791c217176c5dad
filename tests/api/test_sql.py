"""sql: PartiQL with native parameters and rows."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import hashrange

VALUES: dict[str, Any] = {
    "text": "x", "int": 5, "big": 10**37, "decimal": Decimal("-1.25"), "binary": b"\0\xff",
    "yes": True, "no": False, "null": None, "list": [1, "a", [Decimal("0.5")]],
    "map": {"k": {"deep": b"x"}}, "words": {"a", "b"}, "numbers": {1, Decimal("2.5")},
    "blobs": {b"a", b"\0"},
}


@pytest.fixture
def filled(ranges: hashrange.Table) -> hashrange.Table:
    with ranges.batch() as batch:
        for number in range(100):
            batch.put({"h": "a", "r": number, "v": number % 7, "pad": "x" * 20000})
    return ranges


# Every type goes in as a parameter and comes back in a row as get gives it.
def test_values_of_every_type_make_the_round_trip(
    db: hashrange.Database, ranges: hashrange.Table
) -> None:
    for number, (name, value) in enumerate(VALUES.items()):
        statement = f"INSERT INTO ranges VALUE {{'h': ?, 'r': ?, '{name}': ?}}"
        assert db.sql(statement, ["a", number, value]) == []
        stored = ranges.get("a", number)
        assert stored is not None
        assert stored[name] == value
        assert type(stored[name]) is type(value)
        rows = list(db.sql("SELECT * FROM ranges WHERE h = ? AND r = ?", ["a", number]))
        assert rows == [stored]
        assert type(rows[0][name]) is type(value)


# 100 items of 20 KB are two pages of 1 MB: the second is read when its rows are asked for.
def test_a_select_is_lazy_and_goes_through_its_pages(
    db: hashrange.Database, filled: hashrange.Table
) -> None:
    rows = db.sql("SELECT r, v FROM ranges WHERE h = ? AND v = ?", ["a", 3])
    assert next(rows) == {"r": 3, "v": 3}
    filled.delete("a", 94)
    assert [row["r"] for row in rows] == list(range(10, 94, 7))
    assert len(list(db.sql("select h from ranges"))) == 99


def test_writes_return_what_they_are_asked_for(
    db: hashrange.Database, filled: hashrange.Table
) -> None:
    where = "WHERE h = 'a' AND r = ?"
    assert db.sql(f"UPDATE ranges SET v = ? {where}", [50, 1]) == []
    assert db.sql(
        f"UPDATE ranges SET v = v + ? {where} RETURNING MODIFIED NEW *", [Decimal("0.5"), 1]
    ) == [{"v": Decimal("50.5")}]
    ((old,)) = db.sql(f"DELETE FROM ranges {where} RETURNING ALL OLD *", [1])
    assert old["v"] == Decimal("50.5")
    assert filled.get("a", 1) is None


def test_an_index_is_read_by_name(db: hashrange.Database, filled: hashrange.Table) -> None:
    filled.create_index("by_v", ("v", "N"), ("r", "N"))
    rows = db.sql('SELECT r FROM "ranges"."by_v" WHERE v = ? AND r > ?', [2, 50])
    assert [row["r"] for row in rows] == list(range(51, 100, 7))


@pytest.mark.parametrize(
    ("statement", "parameters", "kind", "code"),
    [
        ("SELECT", [], hashrange.ValidationError, "ValidationException"),
        ("SELECT * FROM nowhere", [], hashrange.TableNotFound, "ResourceNotFoundException"),
        ("SELECT * FROM ranges WHERE h = ?", [], hashrange.ValidationError, "ValidationException"),
        ("SELECT * FROM ranges WHERE h = ?", [1.5], hashrange.ValidationError,
         "ValidationException"),
        ("SELECT * FROM ranges WHERE h = ?", [set()], hashrange.ValidationError,
         "ValidationException"),
        ("SELECT * FROM ranges WHERE h = ?", [object()], hashrange.ValidationError,
         "ValidationException"),
        ("SELECT * FROM ranges WHERE h = ?", "a", hashrange.ValidationError,
         "ValidationException"),
        ("INSERT INTO ranges VALUE {'h': 'a', 'r': 5}", [], hashrange.Error,
         "DuplicateItemException"),
        ("DELETE FROM ranges WHERE h = 'a' AND r = 5 AND v = 100", [],
         hashrange.ConditionalCheckFailed, "ConditionalCheckFailedException"),
    ],
)
def test_errors_carry_the_services_code(
    db: hashrange.Database, filled: hashrange.Table, statement: str, parameters: list[Any],
    kind: type[hashrange.Error], code: str,
) -> None:
    with pytest.raises(kind) as caught:
        db.sql(statement, parameters)
    assert caught.value.code == code


def test_a_reader_selects(tmp_path: Path) -> None:
    with hashrange.open(tmp_path / "db") as db:
        table = db.create_table("things", ("id", "S"))
        table.put({"id": "a", "set": {1}})
        with hashrange.open(tmp_path / "db", mode="r") as reader:
            assert list(reader.sql("SELECT * FROM things")) == [{"id": "a", "set": {1}}]
            with pytest.raises(hashrange.ReadOnlyError):
                reader.sql("DELETE FROM things WHERE id = 'a'")
