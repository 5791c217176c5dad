"""DescribeTable: what is shown of a table, in every state, and what is refused.

What CreateTable and UpdateTable put into a description is tested with them.
"""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Control, Hands, Refused, Run
from operations.requests import (
    ACCOUNT,
    ARN,
    LEAST,
    MOST,
    NOT_FOUND,
    ONE,
    PATTERN,
    SERIALIZATION,
    broken,
    invalid,
    keys,
    listed,
    missing,
    song,
    songs,
)
from ops.plain import provisioned_table, table


# API: name, keys, times, state, throughput, figures, and each index with its own.
def test_a_table_is_described_in_full(control: Control) -> None:
    control("CreateTable", **songs())
    control("PutItem", TableName="songs", Item=song(title="t"))
    control("PutItem", TableName="songs", Item=song(track=2))
    warm = {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE"}
    units = {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    types = {"artist": "S", "genre": "S", "label": "B", "released": "N", "title": "S", "track": "N"}
    shown = control("DescribeTable", TableName="songs")
    assert shown == {
        "Table": {
            "TableName": "songs",
            "TableArn": ARN + "songs",
            "TableId": "id-1",
            "TableStatus": "ACTIVE",
            "CreationDateTime": control.time,
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": kind} for name, kind in types.items()
            ],
            "KeySchema": keys("artist", "track"),
            "BillingModeSummary": {
                "BillingMode": "PAY_PER_REQUEST",
                "LastUpdateToPayPerRequestDateTime": control.time,
            },
            "ProvisionedThroughput": units,
            "WarmThroughput": warm,
            "DeletionProtectionEnabled": False,
            "ItemCount": 2,
            "TableSizeBytes": 2 * (6 + 3 + 5 + 2) + 5 + 1,
            "LocalSecondaryIndexes": [
                {
                    "IndexName": "by_title",
                    "IndexArn": ARN + "songs/index/by_title",
                    "KeySchema": keys("artist", "title"),
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                    "ItemCount": 1,
                    "IndexSizeBytes": 6 + 3 + 5 + 2 + 5 + 1,
                }
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": name,
                    "IndexArn": f"{ARN}songs/index/{name}",
                    "IndexStatus": "ACTIVE",
                    "KeySchema": keys(*names),
                    "Projection": projection,
                    "ProvisionedThroughput": units,
                    "WarmThroughput": warm,
                    "ItemCount": 0,
                    "IndexSizeBytes": 0,
                }
                for name, names, projection in (
                    (
                        "by_genre",
                        ("genre", "released"),
                        {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["stars"]},
                    ),
                    ("by_label", ("label",), {"ProjectionType": "ALL"}),
                )
            ],
        }
    }


def test_a_provisioned_table_shows_its_units(control: Control) -> None:
    control("CreateTable", **provisioned_table())
    shown = control.table()
    assert "BillingModeSummary" not in shown
    assert shown["ProvisionedThroughput"] == {
        "NumberOfDecreasesToday": 0, "ReadCapacityUnits": 5, "WriteCapacityUnits": 5
    }


# API: CREATING, UPDATING, DELETING, ACTIVE; a table that is gone is not found.
def test_a_table_is_seen_to_come_and_go(run: Run, hands: Hands, refused: Refused) -> None:
    def status() -> str:
        shown: str = run("DescribeTable", TableName="abc")["Table"]["TableStatus"]
        return shown

    hands.slow_down()
    run("CreateTable", **table())
    assert status() == "CREATING"
    item = {"TableName": "abc", "Item": {"pk": {"S": "p"}, "sk": {"S": "s"}}}
    assert refused("PutItem", **item) == NOT_FOUND
    hands.wait()
    assert status() == "ACTIVE"
    run("PutItem", **item)
    change = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    run("UpdateTable", TableName="abc", StreamSpecification=change)
    assert status() == "UPDATING"
    run("PutItem", **item)
    hands.wait()
    assert status() == "ACTIVE"
    run("DeleteTable", TableName="abc")
    assert status() == "DELETING"
    assert refused("PutItem", **item) == NOT_FOUND
    hands.wait()
    assert refused("DescribeTable", TableName="abc") == (
        "ResourceNotFoundException", "Requested resource not found: Table: abc not found"
    )


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("tableName")),
        ({"TableName": "ab"}, listed(broken("ab", "tableName", LEAST + "3"))),
        ({"TableName": "a b"}, listed(broken("a b", "tableName", PATTERN))),
        (
            {"TableName": ""},
            listed(broken("", "tableName", LEAST + "3"), broken("", "tableName", PATTERN)),
        ),
        (
            {"TableName": "a" * 256},
            listed(broken("a" * 256, "tableName", MOST + "255")),
        ),
        ({"TableName": 5}, (SERIALIZATION, "NUMBER_VALUE cannot be converted to String")),
    ],
)
def test_a_name_that_is_none_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("DescribeTable", **request_) == answer


# API: the name may be an ARN; an index's or another account's names no table of ours.
@pytest.mark.parametrize(
    ("arn", "answer"),
    [
        (ARN + "songs", None),
        (
            ARN + "nowhere",
            (
                "ResourceNotFoundException",
                "Requested resource not found: Table: nowhere not found",
            ),
        ),
        (
            ARN.replace("eu-west-1", "us-east-1") + "songs",
            invalid(
                f"{ONE}Invalid AWS region in '{ARN.replace('eu-west-1', 'us-east-1')}songs'"
            ),
        ),
        (
            ARN + "songs/index/by_title",
            invalid(f"{ONE}Invalid resource type in '{ARN}songs/index/by_title'"),
        ),
        (
            ARN.replace(ACCOUNT, "999999999999") + "songs",
            ("AccessDeniedException", "Access is denied"),
        ),
    ],
)
def test_a_table_is_named_by_its_arn(made: Run, refused: Refused, arn: str, answer: Any) -> None:
    if answer is None:
        assert made("DescribeTable", TableName=arn) == made("DescribeTable", TableName="songs")
    else:
        assert refused("DescribeTable", TableName=arn) == answer
