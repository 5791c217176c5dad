"""TagResource, UntagResource, ListTagsOfResource. Texts as observed on the service in 2026."""

from __future__ import annotations

import pytest
from ops.plain import ACCOUNT, ARN, table

from hashrange.errors import AccessDenied, ResourceInUse, ResourceNotFound
from hashrange.errors import ValidationError as Invalid

PREFIX = "One or more parameter values were invalid: "
ABC = ARN + "abc"


@pytest.fixture
def tagged(control):
    control("CreateTable", **table(Tags=[{"Key": "a", "Value": "1"}]))
    return control


def tags(control):
    answer = control("ListTagsOfResource", ResourceArn=ABC)
    return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}


def test_tags_are_added_replaced_and_taken_away(tagged):
    new = [{"Key": "a", "Value": "2"}, {"Key": "ключ 表", "Value": "a+b-c=d.e_f:g/h@i"}]
    assert tagged("TagResource", ResourceArn=ABC, Tags=new) == {}
    assert tags(tagged) == {"a": "2", "ключ 表": "a+b-c=d.e_f:g/h@i"}
    assert tagged("UntagResource", ResourceArn=ABC, TagKeys=["a", "absent"]) == {}
    assert tags(tagged) == {"ключ 表": "a+b-c=d.e_f:g/h@i"}


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
def test_a_bad_tag_refuses_them_all(tagged, given, words):
    assert tagged.refusal("TagResource", Invalid, ResourceArn=ABC, Tags=given) == words
    assert tags(tagged) == {"a": "1"}


def test_keys_and_values_have_bounds(tagged):
    new = [{"Key": "k" * 128, "Value": "v" * 256}, {"Key": "empty", "Value": ""}]
    tagged("TagResource", ResourceArn=ABC, Tags=new)
    assert len(tags(tagged)) == 3


# The bound is on what the table has afterwards.
@pytest.mark.parametrize("count", [49, 50])
def test_a_table_has_50_tags_at_most(tagged, count):
    new = [{"Key": f"k{number}", "Value": ""} for number in range(count)]
    if count == 49:
        tagged("TagResource", ResourceArn=ABC, Tags=new)
    else:
        assert tagged.refusal("TagResource", Invalid, ResourceArn=ABC, Tags=new) == (
            "Number of Tags exceed the current limit for the provided ResourceArn"
        )


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([], "Atleast one Tag Key needs to be provided as Input."),
        ([""], "The Tag Key provided is invalid, Key: "),
        (
            [str(number) for number in range(51)],
            "Number of Tags exceed the current limit for the provided ResourceArn",
        ),
    ],
)
def test_bad_keys_take_nothing_away(tagged, keys, words):
    assert tagged.refusal("UntagResource", Invalid, ResourceArn=ABC, TagKeys=keys) == words


@pytest.mark.parametrize(
    ("kind", "arn", "words"),
    [
        (Invalid, "abc", PREFIX + "ARNs must start with 'arn:': abc"),
        (
            Invalid,
            "arn:aws:s3:::bucket",
            PREFIX + "Provided Arn is not a DynamoDB resource arn: arn:aws:s3:::bucket",
        ),
        (
            Invalid,
            ABC + "/index/gsi",
            PREFIX + "Invalid resource arn provided, only table or stream is accepted. Provided "
            f"resource arn: {ABC}/index/gsi",
        ),
        (
            Invalid,
            ABC.replace("eu-west-1", "us-east-1"),
            "Invalid TableArn: Invalid ResourceArn provided as input "
            + ABC.replace("eu-west-1", "us-east-1"),
        ),
        (AccessDenied, ABC.replace(ACCOUNT, "999999999999"), "Access is denied"),
        (
            ResourceNotFound,
            ARN + "xyz",
            f"Requested resource not found: ResourceArn: {ARN}xyz not found",
        ),
    ],
)
def test_an_arn_that_names_no_table_is_refused(tagged, kind, arn, words):
    for operation, members in (
        ("ListTagsOfResource", {}),
        ("TagResource", {"Tags": [{"Key": "k", "Value": ""}]}),
        ("UntagResource", {"TagKeys": ["k"]}),
    ):
        assert tagged.refusal(operation, kind, ResourceArn=arn, **members) == words


# The service ignores a token that is none of its own.
def test_tags_are_listed_ten_a_page(control):
    all_tags = [{"Key": f"k{number:02}", "Value": ""} for number in range(21)]
    control("CreateTable", **table(Tags=all_tags))
    seen, token = [], None
    for size in (10, 10, 1):
        answer = control("ListTagsOfResource", ResourceArn=ABC, NextToken=token)
        assert len(answer["Tags"]) == size
        seen += answer["Tags"]
        token = answer.get("NextToken")
    assert token is None
    assert seen == all_tags
    first = control("ListTagsOfResource", ResourceArn=ABC, NextToken="bogus")
    assert first["Tags"] == all_tags[:10]


def test_a_table_that_comes_or_goes_is_not_tagged(slow_control):
    control = slow_control
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
