"""Verify and salvage know of indexes: hidden tables are checked, and made anew."""

from __future__ import annotations

from pathlib import Path

from execute.conftest import table, thing

import hashrange
from ddbcore.table import CoreTable


def filled(path: Path) -> None:
    with hashrange.open(path) as db:
        db.execute("CreateTable", table())
        for number in range(50):
            item = thing("a", number, g=f"g{number % 3}")
            db.execute("PutItem", {"TableName": "things", "Item": item})


def test_verify_checks_the_entries_of_indexes(tmp_path: Path) -> None:
    filled(tmp_path / "db")
    report = hashrange.verify(tmp_path / "db")
    assert report.ok, report.errors
    assert (report.checked["tables"], report.checked["items"]) == (1, 50)


def test_salvage_makes_the_indexes_anew(tmp_path: Path) -> None:
    filled(tmp_path / "db")
    report = hashrange.salvage(tmp_path / "db", tmp_path / "saved")
    assert report.tables == {"things": 50}
    with hashrange.open(tmp_path / "saved") as db:
        assert CoreTable(db.engine, "things/by_g").count() == 50
        answer = db.execute(
            "Query",
            {
                "TableName": "things", "IndexName": "by_g_sk",
                "KeyConditionExpression": "g = :g",
                "ExpressionAttributeValues": {":g": {"S": "g1"}},
            },
        )
        assert answer["Count"] == 17
        assert db.execute("DescribeTable", {"TableName": "things"})["Table"]["ItemCount"] == 50
