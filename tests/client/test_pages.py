"""Paginators beside botocore's, over the same database."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from client.conftest import without_metadata

import hashrange
from hashrange.client import exceptions
from hashrange.client.facts import Pages
from hashrange.client.pages import Paginator, token_of, token_text

QUERY = {
    "TableName": "things",
    "KeyConditionExpression": "pk = :p",
    "ExpressionAttributeValues": {":p": {"S": "a"}},
}


@pytest.fixture
def full(client: Any) -> None:
    """Fill the table with ten items of one key, and some more tables."""
    for number in range(10):
        client.put_item(
            TableName="things", Item={"pk": {"S": "a"}, "sk": {"N": str(number)}}
        )
    for name in ("abc", "def", "xyz"):
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "B"}],
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        )
        for letter in b"ABCDE":
            client.put_item(TableName=name, Item={"k": {"B": bytes([letter, 255])}})


CONFIGS: list[dict[str, Any]] = [
    {},
    {"PageSize": 3},
    {"PageSize": "4"},
    {"MaxItems": 4},
    {"MaxItems": 4, "PageSize": 3},
    {"MaxItems": 6, "PageSize": 3},
    {"MaxItems": 10, "PageSize": 5},
    {"MaxItems": 100, "PageSize": 1},
    {"MaxItems": "5", "PageSize": 2},
]
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("query", {**QUERY, "ReturnConsumedCapacity": "TOTAL"}),
    ("query", {**QUERY, "ScanIndexForward": False}),
    ("query", {**QUERY, "ExclusiveStartKey": {"pk": {"S": "a"}, "sk": {"N": "5"}}}),
    ("scan", {"TableName": "abc"}),
    ("scan", {"TableName": "abc", "Select": "COUNT"}),
    ("list_tables", {}),
    ("list_tables", {"ExclusiveStartTableName": "abc"}),
]


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("config", CONFIGS, ids=repr)
@pytest.mark.parametrize(("operation", "request_"), CALLS)
def test_pages_are_those_of_botocore(
    operation: str, request_: Any, config: Any, client: Any, boto_client: Any
) -> None:
    mine, theirs = (
        each.get_paginator(operation).paginate(**request_, PaginationConfig=config)
        for each in (client, boto_client)
    )
    assert list(map(without_metadata, mine)) == list(map(without_metadata, theirs))
    assert mine.resume_token == theirs.resume_token
    assert mine.non_aggregate_part == theirs.non_aggregate_part


# A token of one is taken by the other, wherever it was cut off, until nothing is left.
@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("size", [1, 3, 4])
@pytest.mark.parametrize(("operation", "request_"), [CALLS[0], CALLS[3], CALLS[5]])
def test_a_token_leads_on_in_either(
    operation: str, request_: Any, size: int, client: Any, boto_client: Any
) -> None:
    token, seen, clients = None, 0, [client, boto_client]
    for step in range(20):
        config = {"MaxItems": size, "PageSize": 2, "StartingToken": token}
        results = [
            each.get_paginator(operation).paginate(**request_, PaginationConfig=config)
            for each in clients
        ]
        mine, theirs = (each.build_full_result() for each in results)
        assert mine == theirs
        first = results[0].result_keys[0]
        seen += len(mine[first])
        token = (mine, theirs)[step % 2].get("NextToken")
        if token is None:
            break
    assert seen == {"query": 10, "scan": 5, "list_tables": 4}[operation]


@pytest.mark.usefixtures("full")
def test_a_whole_result_is_botocores(client: Any, boto_client: Any) -> None:
    for operation, request in CALLS:
        config = {"PageSize": 2}
        mine, theirs = (
            each.get_paginator(operation)
            .paginate(**request, PaginationConfig=config)
            .build_full_result()
            for each in (client, boto_client)
        )
        assert mine == theirs


@pytest.mark.usefixtures("full")
def test_pages_are_searched_with_jmespath(client: Any) -> None:
    pages = client.get_paginator("query").paginate(**QUERY, PaginationConfig={"PageSize": 3})
    assert list(pages.search("Items[].sk.N")) == [str(number) for number in range(10)]
    assert list(pages.search("Count")) == [3, 3, 3, 1]


@pytest.mark.usefixtures("full")
def test_results_are_iterated_by_member(client: Any) -> None:
    pages = client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 1})
    (names,) = pages.result_key_iters()
    assert list(names) == ["abc", "def", "things", "xyz"]


def test_a_page_iterator_can_be_iterated_again(client: Any) -> None:
    pages = client.get_paginator("list_tables").paginate()
    assert [page["TableNames"] for page in pages] == [page["TableNames"] for page in pages]


def test_only_some_operations_have_pages(client: Any, boto_client: Any) -> None:
    for method in client.meta.method_to_api_mapping:
        assert client.can_paginate(method) == boto_client.can_paginate(method)
    with pytest.raises(KeyError):
        client.can_paginate("nothing")


def test_a_page_size_is_refused_where_there_is_none(client: Any) -> None:
    paginator = client.get_paginator("list_tags_of_resource")
    with pytest.raises(exceptions.PaginationError, match="PageSize parameter is not supported"):
        paginator.paginate(PaginationConfig={"PageSize": 1})


def test_going_in_circles_is_noticed() -> None:
    pages = Pages("T", "T", None, ("R",))
    paginator = Paginator("Turn", lambda **_: {"R": [1], "T": "same"}, pages)
    with pytest.raises(exceptions.PaginationError, match="same next token was received twice"):
        list(paginator.paginate())


def test_the_oldest_form_of_tokens_is_taken(client: Any, db: hashrange.Database) -> None:
    def names(token: str) -> Any:
        config = {"StartingToken": token}
        return client.get_paginator("list_tables").paginate(PaginationConfig=config)

    assert names("aaa").build_full_result()["TableNames"] == ["things"]
    assert names("zzz").build_full_result()["TableNames"] == []
    assert names("None___1").build_full_result()["TableNames"] == []


@pytest.mark.parametrize("token", [{"a": 1}, {}, "x", {"ExclusiveStartTableName": "a", "b": 1}])
def test_what_is_no_token_cannot_be_resumed_from(token: Any, client: Any) -> None:
    pages = client.get_paginator("list_tables").paginate()
    with pytest.raises(ValueError, match="Bad starting token"):
        pages.resume_token = token


@pytest.mark.parametrize(
    "token",
    [
        {"T": None},
        {"T": {"a": {"S": "b"}}, "boto_truncate_amount": 3},
        {"T": {"a": {"B": b"\xff"}, "l": [{"B": b""}, "text"]}},
    ],
)
def test_a_token_is_text_and_comes_back(token: Any) -> None:
    assert token_of(token_text(token)) == token
    json.loads(base64.b64decode(token_text(token)))
