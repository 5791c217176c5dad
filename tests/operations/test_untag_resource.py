"""UntagResource: what is taken away, what is refused. Which ARNs: see test_tag_resource.py.

Texts as observed on the service in 2026.
"""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Control, Refused
from operations.requests import ARN, LEAST, broken, invalid, listed, missing
from ops.plain import table

from hashrange.errors import ResourceInUse

ABC = ARN + "abc"


@pytest.fixture(autouse=True)
def tagged(control: Control) -> Control:
    """Make a table with three tags."""
    control("CreateTable", **table(Tags=[{"Key": key, "Value": key * 2} for key in "abc"]))
    control.table()
    return control


# A key that is no tag is nothing to complain of, nor is one that is given twice.
def test_tags_are_taken_away(control: Control) -> None:
    keys = ["a", "absent", "c", "a"]
    assert control("UntagResource", ResourceArn=ABC, TagKeys=keys) == {}
    left = control("ListTagsOfResource", ResourceArn=ABC)
    assert left == {"Tags": [{"Key": "b", "Value": "bb"}]}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([], "Atleast one Tag Key needs to be provided as Input."),
        (["a", ""], "The Tag Key provided is invalid, Key: "),
        (["k" * 129], f"The Tag Key provided is invalid, Key: {'k' * 129}"),
        (["aws:x"], "Tag Key cannot be prefixed with aws:, Key: aws:x"),
        (
            [str(number) for number in range(51)],
            "Number of Tags exceed the current limit for the provided ResourceArn",
        ),
    ],
)
def test_bad_keys_take_nothing_away(refused: Refused, keys: Any, words: str) -> None:
    assert refused("UntagResource", ResourceArn=ABC, TagKeys=keys) == invalid(words)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("resourceArn", "tagKeys")),
        ({"ResourceArn": ABC}, missing("tagKeys")),
        ({"ResourceArn": "", "TagKeys": []}, listed(broken("", "resourceArn", LEAST + "1"))),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("UntagResource", **request_) == answer


def test_a_table_that_goes_keeps_its_tags(slow_control: Control) -> None:
    slow_control("DeleteTable", TableName="abc")
    request = {"ResourceArn": ABC, "TagKeys": ["a"]}
    assert slow_control.refusal("UntagResource", ResourceInUse, **request) == (
        "Attempt to change a resource which is still in use: Table is being deleted: abc"
    )
