"""TagResource: what a tag may be, how many there are, what is refused.

Texts as observed on the service in 2026.
"""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Control, Refused
from operations.requests import (
    ACCOUNT,
    ARN,
    INVALID,
    LEAST,
    MOST,
    broken,
    invalid,
    listed,
    missing,
)
from ops.plain import table

from hashrange.errors import ResourceInUse

ABC = ARN + "abc"


@pytest.fixture(autouse=True)
def tagged(control: Control) -> Control:
    """Make a table with one tag."""
    control("CreateTable", **table(Tags=[{"Key": "a", "Value": "1"}]))
    control.table()
    return control


def tags(control: Control) -> dict[str, str]:
    answer = control("ListTagsOfResource", ResourceArn=ABC)
    return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}


def test_tags_are_added_and_replaced(control: Control) -> None:
    new = [{"Key": "a", "Value": "2"}, {"Key": "ключ 表", "Value": "a+b-c=d.e_f:g/h@i"}]
    assert control("TagResource", ResourceArn=ABC, Tags=new) == {}
    assert tags(control) == {"a": "2", "ключ 表": "a+b-c=d.e_f:g/h@i"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "Atleast one Tag needs to be provided as Input."),
        ([{"Key": "", "Value": ""}], "The Tag Key provided is invalid, Key: "),
        ([{"Value": "x"}], "The Tag Key provided is invalid, Key: null"),
        ([{"Key": "x"}], "The Tag Value provided is invalid, Value: null"),
        (
            [{"Key": "k" * 129, "Value": ""}],
            f"The Tag Key provided is invalid, Key: {'k' * 129}",
        ),
        (
            [{"Key": "k", "Value": "v" * 257}],
            f"The Tag Value provided is invalid, Value: {'v' * 257}",
        ),
        ([{"Key": "k", "Value": "100%"}], "The Tag Value provided is invalid, Value: 100%"),
        ([{"Key": "#", "Value": ""}], "The Tag Key provided is invalid, Key: #"),
        (
            [{"Key": "good", "Value": ""}, {"Key": "aws:zzz", "Value": ""}],
            "Tag Key cannot be prefixed with aws:, Key: aws:zzz",
        ),
        (
            [{"Key": "dup", "Value": ""}, {"Key": "dup", "Value": ""}],
            "Duplicate Tag Keys provided as input: Duplicate Tag Key found dup",
        ),
    ],
)
def test_a_bad_tag_refuses_them_all(refused: Refused, given: Any, words: str) -> None:
    assert refused("TagResource", ResourceArn=ABC, Tags=given) == invalid(words)


def test_keys_and_values_have_bounds(control: Control) -> None:
    new = [{"Key": "k" * 128, "Value": "v" * 256}, {"Key": "empty", "Value": ""}]
    control("TagResource", ResourceArn=ABC, Tags=new)
    assert tags(control) == {"a": "1", "k" * 128: "v" * 256, "empty": ""}


# API: 50 tags a resource; the bound is on what the table has afterwards.
@pytest.mark.parametrize("count", [49, 50])
def test_a_table_has_50_tags_at_most(control: Control, refused: Refused, count: int) -> None:
    new = [{"Key": f"k{number}", "Value": ""} for number in range(count)]
    if count == 49:
        control("TagResource", ResourceArn=ABC, Tags=new)
        control("TagResource", ResourceArn=ABC, Tags=new)
    else:
        assert refused("TagResource", ResourceArn=ABC, Tags=new) == invalid(
            "Number of Tags exceed the current limit for the provided ResourceArn"
        )


OTHER_REGION = ABC.replace("eu-west-1", "us-east-1")


# The three operations on tags name a table in one way.
@pytest.mark.parametrize(
    ("arn", "answer"),
    [
        ("abc", invalid(INVALID + "ARNs must start with 'arn:': abc")),
        (
            "arn:aws:s3:::bucket",
            invalid(INVALID + "Provided Arn is not a DynamoDB resource arn: arn:aws:s3:::bucket"),
        ),
        (
            ABC + "/index/gsi",
            invalid(
                INVALID + "Invalid resource arn provided, only table or stream is accepted. "
                f"Provided resource arn: {ABC}/index/gsi"
            ),
        ),
        (
            OTHER_REGION,
            invalid(f"Invalid TableArn: Invalid ResourceArn provided as input {OTHER_REGION}"),
        ),
        (
            ABC.replace(ACCOUNT, "999999999999"),
            ("AccessDeniedException", "Access is denied"),
        ),
        (
            ARN + "xyz",
            (
                "ResourceNotFoundException",
                f"Requested resource not found: ResourceArn: {ARN}xyz not found",
            ),
        ),
    ],
)
@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("TagResource", {"Tags": [{"Key": "k", "Value": ""}]}),
        ("UntagResource", {"TagKeys": ["k"]}),
        ("ListTagsOfResource", {}),
    ],
)
def test_an_arn_that_names_no_table_is_refused(
    refused: Refused, operation: str, members: Any, arn: str, answer: Any
) -> None:
    assert refused(operation, ResourceArn=arn, **members) == answer


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("resourceArn", "tags")),
        ({"ResourceArn": ABC}, missing("tags")),
        (
            {"ResourceArn": "", "Tags": []},
            listed(broken("", "resourceArn", LEAST + "1")),
        ),
        (
            {"ResourceArn": "a" * 1284, "Tags": []},
            listed(broken("a" * 1284, "resourceArn", MOST + "1283")),
        ),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("TagResource", **request_) == answer


# API: ResourceInUseException while the table comes or goes.
def test_a_table_that_comes_or_goes_is_not_tagged(slow_control: Control) -> None:
    control = slow_control
    control("DeleteTable", TableName="abc")
    control.time += 10
    control("CreateTable", **table())
    request = {"ResourceArn": ABC, "Tags": [{"Key": "k", "Value": ""}]}
    prefix = "Attempt to change a resource which is still in use: "
    assert control.refusal("TagResource", ResourceInUse, **request) == (
        prefix + "Table is being created: abc"
    )
    control.time += 10
    control("TagResource", **request)
    control("DeleteTable", TableName="abc")
    assert control.refusal("TagResource", ResourceInUse, **request) == (
        prefix + "Table is being deleted: abc"
    )
