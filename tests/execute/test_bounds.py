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
