"""What a forged schema may ask for is bounded."""

from __future__ import annotations

import pytest

import hashrange


# A table has 32 indexes at most, whatever its schema says: a write notes what it does to each.
@pytest.mark.parametrize("count", [31, 32, 33])
def test_a_table_has_32_indexes_at_most(count: int) -> None:
    definitions = [
        {"name": f"i{n}", "global": True, "hash": [["g", "S"]], "range": [],
         "projection": "ALL", "include": []}
        for n in range(count)
    ]
    hidden = [
        {"name": f"many/i{n}", "hash_key": ["h", "B"], "range_key": ["r", "B"], "wide": True}
        for n in range(count)
    ]
    base = {"name": "many", "hash_key": ["id", "S"], "range_key": None, "indexes": definitions}
    with hashrange.open() as db:
        db.engine.change_tables([base, *hidden], {}, [])
        table = db.table("many")
        if count <= 32:
            table.put({"id": "a", "g": "x"})
            assert table.count() == 1
        else:
            with pytest.raises(hashrange.CorruptError, match="more indexes"):
                table.put({"id": "a", "g": "x"})


# The key of an index entry holds several values of 2,048 bytes, so it is longer than a table's may
# be; it is none the less whole.
@pytest.mark.parametrize("length", [1023, 1024, 2048])
def test_entries_with_long_keys_are_whole(length: int) -> None:
    with hashrange.open() as db:
        indexes = {"by_label": hashrange.Index(("label", "S"))}
        table = db.create_table("long", ("id", "S"), indexes=indexes)
        table.put({"id": "i" * length, "label": "l" * length})
        assert [item["label"] for item in table.query("l" * length, index="by_label")] == [
            "l" * length
        ]
        report = hashrange.verification.inspect(db)
        assert report.ok, report.errors
