"""ListTagsOfResource: order, pages, and what is refused. Which ARNs: see test_tag_resource.py."""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Control, Refused
from operations.requests import ARN, LEAST, MOST, broken, listed, missing
from ops.plain import table

ABC = ARN + "abc"


def test_a_table_without_tags_has_an_empty_list(control: Control) -> None:
    control("CreateTable", **table())
    assert control("ListTagsOfResource", ResourceArn=ABC) == {"Tags": []}


# The service ignores a token that is none of its own.
@pytest.mark.parametrize(
    ("count", "pages"), [(9, [9]), (10, [10]), (11, [10, 1]), (21, [10, 10, 1])]
)
def test_tags_are_listed_ten_a_page(control: Control, count: int, pages: list[int]) -> None:
    given = [{"Key": f"k{number:02}", "Value": str(number)} for number in range(count)]
    control("CreateTable", **table(Tags=given[::-1]))
    seen, token = [], None
    for size in pages:
        answer = control("ListTagsOfResource", ResourceArn=ABC, NextToken=token)
        assert len(answer["Tags"]) == size
        seen += answer["Tags"]
        token = answer.get("NextToken")
    assert token is None
    assert seen == given
    first = control("ListTagsOfResource", ResourceArn=ABC, NextToken="bogus")
    assert first["Tags"] == given[:10]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("resourceArn")),
        ({"ResourceArn": ""}, listed(broken("", "resourceArn", LEAST + "1"))),
        (
            {"ResourceArn": "a" * 1284},
            listed(broken("a" * 1284, "resourceArn", MOST + "1283")),
        ),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("ListTagsOfResource", **request_) == answer
