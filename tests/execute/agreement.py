"""The checker of indexes: what an index holds must follow from its table, item by item.

It looks only at `execute`'s answers: the table is scanned, each item's entry in each index is
worked out from the index's description, and that must be what a scan of the index shows and counts.
"""

from __future__ import annotations

from typing import Any

import hashrange

Item = dict[str, Any]


def scanned(db: hashrange.Database, request: Item) -> list[Item]:
    """Return all items of a Scan, page by page."""
    found: list[Item] = []
    while True:
        answer = db.execute("Scan", request)
        found += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return found
        request = {**request, "ExclusiveStartKey": answer["LastEvaluatedKey"]}


def check_indexes(db: hashrange.Database, name: str) -> int:
    """Compare every index of a table with its items; return the number of entries."""
    table = db.execute("DescribeTable", {"TableName": name})["Table"]
    types = {d["AttributeName"]: d["AttributeType"] for d in table["AttributeDefinitions"]}
    items = scanned(db, {"TableName": name})
    assert table["ItemCount"] == len(items)
    entries = 0
    members = ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
    for index in (index for member in members for index in table.get(member, ())):
        keys = [part["AttributeName"] for part in index["KeySchema"]]
        base = [part["AttributeName"] for part in table["KeySchema"]]
        projection = index["Projection"]
        whole = projection["ProjectionType"] == "ALL"
        shown = {*base, *keys, *projection.get("NonKeyAttributes", ())}
        wanted = [
            {key: value for key, value in item.items() if whole or key in shown}
            for item in items
            if all(key in item and types[key] in item[key] for key in keys)
        ]
        found = scanned(db, {"TableName": name, "IndexName": index["IndexName"]})
        assert by_key(found, base) == by_key(wanted, base), index["IndexName"]
        assert len(found) == len(wanted) == index["ItemCount"], index["IndexName"]
        entries += len(found)
    return entries


def by_key(items: list[Item], key: list[str]) -> dict[str, Item]:
    """Return items by their keys."""
    return {repr([item[name] for name in key]): item for item in items}
