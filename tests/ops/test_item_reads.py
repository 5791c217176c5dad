"""Reads of items over a door of dicts; what each operation does is tested by tests/operations."""

from __future__ import annotations

import pytest

from hashrange.ops import item_reads

KB = 1024


def key(pk, sk="b"):
    return {"pk": {"S": pk}, "sk": {"S": sk}}


@pytest.fixture
def filled(service):
    """Return the service with items a (5 KB) and b (small) in abc."""
    for pk, size in (("a", 5 * KB), ("b", 10)):
        item = {**key(pk), "x": {"S": "x" * size}}
        service.execute("PutItem", {"TableName": "abc", "Item": item})
    return service


def batch(service, tables, **members):
    return service.execute("BatchGetItem", {"RequestItems": tables, **members})


def test_what_passes_the_bound_comes_back_unprocessed(filled, monkeypatch):
    monkeypatch.setattr(item_reads, "BATCH_BYTES_MAX", 5 * KB)
    wanted = {"Keys": [key("b"), key("a"), key("none")], "ConsistentRead": True}
    other = {"Keys": [key("none")]}
    answer = batch(filled, {"abc": wanted, "xyz": other})
    assert [item["pk"] for item in answer["Responses"]["abc"]] == [{"S": "b"}]
    assert answer["UnprocessedKeys"] == {
        "abc": {"Keys": [key("a"), key("none")], "ConsistentRead": True},
        "xyz": other,
    }


def test_equal_numbers_are_one_key():
    one, two = ({"pk": {"N": text}} for text in ("1.0", "10E-1"))
    assert item_reads.key_mark(one) == item_reads.key_mark(two)
