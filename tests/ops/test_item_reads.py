"""GetItem and BatchGetItem over a door of dicts. Order and words as observed on the service."""

from __future__ import annotations

import pytest

from hashrange.errors import TableNotFound, ValidationError
from hashrange.ops import item_reads

PREFIX = "One or more parameter values were invalid: "
KB = 1024


def key(pk, sk="b"):
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def refusal(service, operation, kind=ValidationError, **request) -> str:
    with pytest.raises(kind) as caught:
        service.execute(operation, request)
    return str(caught.value)


@pytest.fixture
def filled(service):
    """Return the service with items a (5 KB) and b (small) in abc."""
    for pk, size in (("a", 5 * KB), ("b", 10)):
        item = {**key(pk), "x": {"S": "x" * size}}
        service.execute("PutItem", {"TableName": "abc", "Item": item})
    return service


def get(service, pk, **members):
    return service.execute("GetItem", {"TableName": "abc", "Key": key(pk), **members})


# Guide: blocks of 4 KB, halves for eventual consistency, one block for a missing item.
def test_a_get_costs_blocks_even_of_nothing(filled):
    for pk, consistent, units in (
        ("a", True, 2.0),
        ("a", False, 1.0),
        ("b", True, 1.0),
        ("none", True, 1.0),
        ("none", False, 0.5),
    ):
        answer = get(filled, pk, ConsistentRead=consistent, ReturnConsumedCapacity="TOTAL")
        assert answer["ConsumedCapacity"] == {"TableName": "abc", "CapacityUnits": units}
        assert ("Item" in answer) == (pk != "none")


def test_a_get_projects_old_attributes(filled):
    assert get(filled, "b", AttributesToGet=["pk"]) == {"Item": {"pk": {"S": "b"}}}
    request = {"TableName": "abc", "Key": key("b"), "AttributesToGet": ["pk", "pk"]}
    assert refusal(filled, "GetItem", **request) == (
        PREFIX + "Duplicate value in attribute name: pk"
    )


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"AttributesToGet": ["a"], "ProjectionExpression": ""},
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {AttributesToGet} Expression parameters: "
            "{ProjectionExpression}",
        ),
        ({"Key": {"pk": {"S": "a"}}}, "The provided key element does not match the schema"),
        ({"Key": {**key("a"), "sk": {"SS": []}}}, PREFIX + "An string set  may not be empty"),
    ],
)
def test_a_get_is_refused_without_envelope(filled, members, words):
    assert refusal(filled, "GetItem", **{"TableName": "abc", "Key": key("a"), **members}) == words


# ---- batches -------------------------------------------------------------------------------------


def batch(service, tables, **members):
    return service.execute("BatchGetItem", {"RequestItems": tables, **members})


# Each item is rounded alone, then summed; missing keys are charged; consistency is per table.
def test_a_batch_costs_the_sum_of_its_gets(filled):
    keys = [key("a"), key("b"), key("none")]
    answer = batch(filled, {"abc": {"Keys": keys}}, ReturnConsumedCapacity="TOTAL")
    assert [item["pk"] for item in answer["Responses"]["abc"]] == [{"S": "a"}, {"S": "b"}]
    assert answer["UnprocessedKeys"] == {}
    assert answer["ConsumedCapacity"] == [{"TableName": "abc", "CapacityUnits": 2.0}]
    answer = batch(
        filled, {"abc": {"Keys": keys, "ConsistentRead": True}}, ReturnConsumedCapacity="TOTAL"
    )
    assert answer["ConsumedCapacity"][0]["CapacityUnits"] == 4.0


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


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        (
            {"abc": {"Keys": [key("a"), key("b"), key("a")]}},
            "Provided list of item keys contains duplicates",
        ),
        (
            {
                "abc": {"Keys": [key(str(number)) for number in range(60)]},
                "xyz": {"Keys": [key(str(number)) for number in range(41)]},
            },
            "Too many items requested for the BatchGetItem call",
        ),
        (
            {"abc": {"Keys": [{"pk": {"S": "a"}}]}},
            "The provided key element does not match the schema",
        ),
    ],
)
def test_a_batch_that_breaks_a_rule_is_refused(filled, tables, words):
    assert refusal(filled, "BatchGetItem", RequestItems=tables) == words


def test_equal_numbers_are_one_key():
    one, two = ({"pk": {"N": text}} for text in ("1.0", "10E-1"))
    assert item_reads.key_mark(one) == item_reads.key_mark(two)


def test_a_batch_of_100_keys_passes(filled):
    tables = {"abc": {"Keys": [key(str(number)) for number in range(100)]}}
    assert batch(filled, tables)["Responses"] == {"abc": []}


def test_an_unknown_table_refuses_the_batch(filled):
    tables = {"abc": {"Keys": [key("a")]}, "nope": {"Keys": [key("a")]}}
    assert refusal(filled, "BatchGetItem", TableNotFound, RequestItems=tables) == (
        "Requested resource not found"
    )
