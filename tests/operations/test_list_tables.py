"""ListTables: order, pages, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Control, Refused
from operations.requests import (
    LEAST,
    MOST,
    PATTERN,
    SERIALIZATION,
    broken,
    listed,
)
from ops.plain import table


# Byte order: capitals first. The last page has no LastEvaluatedTableName, even when it is full.
def test_tables_are_listed_in_the_order_of_their_bytes(control: Control) -> None:
    assert control("ListTables") == {"TableNames": []}
    for name in ("bbb", "Bbb", "aaa", "b-b", "b.b", "b_b", "b1b"):
        control("CreateTable", **table(TableName=name))
    names = ["Bbb", "aaa", "b-b", "b.b", "b1b", "b_b", "bbb"]
    assert control("ListTables") == {"TableNames": names}
    assert control("ListTables", Limit=2) == {
        "TableNames": ["Bbb", "aaa"], "LastEvaluatedTableName": "aaa"
    }
    assert control("ListTables", Limit=5, ExclusiveStartTableName="aaa") == {
        "TableNames": names[2:]
    }


# API: the name at which the next page starts, exclusively.
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_add_up(control: Control, limit: int) -> None:
    names = [f"table{number}" for number in range(7)]
    for name in names:
        control("CreateTable", **table(TableName=name))
    found: list[str] = []
    start: dict[str, str] = {}
    while True:
        page = control("ListTables", Limit=limit, **start)
        found += page["TableNames"]
        if "LastEvaluatedTableName" not in page:
            break
        assert page["LastEvaluatedTableName"] == found[-1]
        start = {"ExclusiveStartTableName": found[-1]}
    assert found == names


def test_a_start_that_is_no_table_is_fine(control: Control) -> None:
    control("CreateTable", **table())
    assert control("ListTables", ExclusiveStartTableName="aaa") == {"TableNames": ["abc"]}
    assert control("ListTables", ExclusiveStartTableName="zzz") == {"TableNames": []}


# API: 100 names when Limit does not say.
@pytest.mark.parametrize("count", [100, 101])
def test_a_page_has_100_names(control: Control, count: int) -> None:
    for number in range(count):
        control("CreateTable", **table(TableName=f"t{number:03}"))
    answer = control("ListTables")
    assert len(answer["TableNames"]) == 100
    assert ("LastEvaluatedTableName" in answer) == (count > 100)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (
            {"Limit": 0},
            listed(broken("0", "limit", "Member must have value greater than or equal to 1")),
        ),
        (
            {"Limit": 101},
            listed(broken("101", "limit", "Member must have value less than or equal to 100")),
        ),
        (
            {"ExclusiveStartTableName": "ab"},
            listed(broken("ab", "exclusiveStartTableName", LEAST + "3")),
        ),
        (
            {"ExclusiveStartTableName": "a" * 256},
            listed(broken("a" * 256, "exclusiveStartTableName", MOST + "255")),
        ),
        (
            {"ExclusiveStartTableName": "", "Limit": -1},
            listed(
                broken("-1", "limit", "Member must have value greater than or equal to 1"),
                broken("", "exclusiveStartTableName", PATTERN),
                broken("", "exclusiveStartTableName", LEAST + "3"),
            ),
        ),
        ({"Limit": "x"}, (SERIALIZATION, "STRING_VALUE cannot be converted to Integer")),
        (
            {"ExclusiveStartTableName": ["abc"]},
            (SERIALIZATION, "Unrecognized collection type class java.lang.String"),
        ),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("ListTables", **request_) == answer
