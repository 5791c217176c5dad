"""Shapes of items: those that come often get a template, wherever their hashes lie.

Where a shape belongs depends on where its names lie in memory, so many tables are asked: that an
item and the map in it meet at one place is seen in one table of 64.
"""

from __future__ import annotations

import sys

import pytest

import hashrange
from ddbcore.probe import template_count

TABLES = 400
READS = 4


# From 3.14 on shape.pyx makes no templates (HR_SHAPES): where a dict's values lie is not tested.
@pytest.mark.skipif(sys.version_info >= (3, 14), reason="dicts are built entry by entry there")
def test_an_item_and_a_map_in_it_both_get_a_template() -> None:
    lacking = []
    with hashrange.open(cache_bytes=0) as db:
        for number in range(TABLES):
            name = f"table-{number}"
            table = db.create_table(name, ("id", "S"))
            item = {"id": "a", f"first-{number}": {f"second-{number}": 1}}
            table.put(item)
            for _ in range(READS):
                assert table.get("a") == item
            if template_count(table) != 2:
                lacking.append(name)
            db.drop_table(name)
    assert lacking == []
