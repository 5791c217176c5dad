"""Updates inside documents, through a table: written, found again, there after reopening."""

from __future__ import annotations

import pytest

import hashrange
from ddbcore.errors import ConditionalCheckFailed, ValidationError


def test_names_that_an_update_brings_survive_reopening(tmp_path):
    with hashrange.open(tmp_path) as db:
        table = db.create_table("orders", ("id", "S"))
        table.put({"id": "a", "doc": {"rows1": [1, 2], "m": {}}})
        table.update(
            "a", "SET doc.m.fresh = :v, doc.rows1[5] = :v REMOVE doc.rows1[0]", values={":v": 3}
        )
        # A refused update may have given ids to names: they must not get in the way.
        with pytest.raises(ValidationError):
            table.update("a", "SET doc.other1 = :v, doc.none1.x = :v", values={":v": 3})
        table.update("a", "SET doc.m.later = :v", values={":v": 4})
        expected = {"id": "a", "doc": {"rows1": [2, 3], "m": {"fresh": 3, "later": 4}}}
        assert table.get("a") == expected
    assert hashrange.verify(tmp_path).ok
    with hashrange.open(tmp_path) as db:
        table = db.table("orders")
        assert table.get("a") == expected
        table.update("a", "ADD doc.m.fresh :v REMOVE doc.rows1", values={":v": 1})
        assert table.get("a") == {"id": "a", "doc": {"m": {"fresh": 4, "later": 4}}}


def test_conditions_see_inside_documents():
    with hashrange.open() as db:
        table = db.create_table("orders", ("id", "S"))
        table.put({"id": "a", "doc": {"version": [7]}})
        table.put({"id": "a", "doc": {"version": [8]}}, condition="doc.version[0] = :v",
                  values={":v": 7})
        with pytest.raises(ConditionalCheckFailed):
            table.delete("a", condition="doc.version[0] = :v", values={":v": 7})
        table.update("a", "SET doc.version[0] = doc.version[0] + :one",
                     condition="size(doc.version) = :one", values={":one": 1})
        assert table.get("a") == {"id": "a", "doc": {"version": [9]}}


def test_a_document_that_grows_too_large_stays_as_it_was():
    with hashrange.open() as db:
        table = db.create_table("orders", ("id", "S"))
        item = {"id": "a", "doc": {"words": "x" * 200_000}}
        table.put(item)
        with pytest.raises(hashrange.ItemTooLarge):
            table.update("a", "SET doc.copy1 = doc.words, doc.copy2 = doc.words")
        table.update("a", "SET doc.copy1 = doc.words")
        assert table.get("a")["doc"]["copy1"] == "x" * 200_000
