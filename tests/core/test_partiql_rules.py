"""PartiQL: what batches and transactions may hold, and the rows that a SELECT returns."""

from __future__ import annotations

from typing import Any

import pytest

from ddbcore.errors import ValidationError
from hashrange.partiql import (
    TableSchema,
    batch,
    column_name,
    faults,
    parse_statement,
    plan_statement,
    select_columns,
    transaction,
)
from hashrange.partiql.tree import Path

TABLE = TableSchema("Orders", ("pk",), ("sk",), {"pk": "S", "sk": "N"})
READ = "SELECT * FROM Orders WHERE pk = 'a' AND sk = 1"
WRITE = "DELETE FROM Orders WHERE pk = 'a' AND sk = 1"
PUT = "INSERT INTO Orders VALUE {'pk': 'a', 'sk': 1.0}"
CHECK = "EXISTS(SELECT * FROM Orders WHERE pk = 'a' AND sk = 1 AND x = 1)"


def refusal(call: Any, *arguments: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        call(*arguments)
    return str(caught.value)


def plan(text: str) -> Any:
    return plan_statement(parse_statement(text), TABLE)


# ---- batches -------------------------------------------------------------------------------------


def test_a_batch_reads_or_writes():
    assert batch.check_statements([parse_statement(READ), None]) is True
    assert batch.check_statements([parse_statement(WRITE), None, parse_statement(PUT)]) is False
    assert "does not support both read and write operations in the same request." in refusal(
        batch.check_statements, [parse_statement(READ), parse_statement(WRITE)]
    )


def test_a_read_in_a_batch_names_one_item():
    batch.check_plan(plan(READ))
    batch.check_plan(plan(WRITE))
    for text in ("SELECT * FROM Orders WHERE pk = 'a'", "SELECT * FROM Orders"):
        assert refusal(batch.check_plan, plan(text)) == (
            "Select statements within BatchExecuteStatement must specify the primary key in the "
            "where clause."
        )


def test_exists_is_for_transactions_only():
    assert "EXISTS" in refusal(batch.check_plan, plan(CHECK))


# ---- transactions --------------------------------------------------------------------------------


def test_a_transaction_reads_or_writes_and_a_check_is_a_write():
    assert transaction.check_statements([parse_statement(READ)]) is True
    assert transaction.check_statements([parse_statement(CHECK), parse_statement(PUT)]) is False
    for other in (WRITE, CHECK):
        assert refusal(
            transaction.check_statements, [parse_statement(READ), parse_statement(other)]
        ) == (
            "ExecuteTransaction API does not support both read and write operations in the same "
            "request."
        )


def test_a_read_in_a_transaction_says_the_primary_key_and_nothing_else():
    transaction.check_plan(plan(READ))
    for text in (f"{READ} AND x = 1", "SELECT * FROM Orders WHERE pk = 'a'"):
        assert refusal(transaction.check_plan, plan(text)) == (
            "Select statements within ExecuteTransaction must specify the primary key in the "
            "where clause."
        )


def test_a_transaction_reads_no_index_and_returns_nothing():
    assert (
        refusal(
            transaction.check_statements, [parse_statement("SELECT * FROM Orders.mine WHERE a = 1")]
        )
        == "Reads on indices are not supported within transactions."
    )
    assert (
        refusal(transaction.check_statements, [parse_statement(f"{WRITE} RETURNING ALL OLD *")])
        == "RETURNING clause is not supported in ExecuteTransaction."
    )


# Observed on the service: such a fault cancels the transaction, with this as the member's reason.
@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM Orders WHERE pk = 'a'",
        "DELETE FROM Orders WHERE pk = 'a' AND sk = 'x'",
        "UPDATE Orders SET x = 1 WHERE pk = 'a' AND sk = 1 AND sk = 2",
        "SELECT * FROM Orders WHERE pk = 1 AND sk = 1",
    ],
)
def test_a_key_that_does_not_fit_is_a_cancellation_reason(text: str):
    with pytest.raises(faults.KeyFault) as caught:
        transaction.plan_member(parse_statement(text), TABLE)
    assert str(caught.value) == "The provided key element does not match the schema"


def test_a_member_is_planned_and_checked():
    assert transaction.plan_member(parse_statement(READ), TABLE) == plan(READ)
    assert transaction.plan_member(parse_statement(CHECK), TABLE) == plan(CHECK)
    message = refusal(
        transaction.plan_member, parse_statement("SELECT * FROM Orders WHERE pk = 'a'"), TABLE
    )
    assert message.startswith("Select statements within ExecuteTransaction must specify")


# Numbers are one key when they are equal.
def test_a_transaction_has_one_action_an_item():
    identities = [transaction.key_of(plan(text), ("pk", "sk")) for text in (PUT, WRITE)]
    assert identities[0] == identities[1]
    assert refusal(transaction.refuse_repeated_items, identities) == (
        "Transaction request cannot include multiple operations on one item"
    )
    assert transaction.key_of(plan(READ), ("pk", "sk")) == identities[0]
    assert transaction.key_of(plan(CHECK), ("pk", "sk")) == identities[0]
    other = transaction.key_of(plan(WRITE.replace("1", "2")), ("pk", "sk"))
    transaction.refuse_repeated_items([identities[0], other, None, None])


def test_a_put_without_its_key_has_no_identity():
    assert transaction.key_of(plan("INSERT INTO Orders VALUE {'pk': 'a'}"), ("pk", "sk")) is None


# ---- rows ----------------------------------------------------------------------------------------

ITEM = {
    "a": {"M": {"b": {"L": [{"S": "x"}, {"M": {"c": {"N": "1"}}}]}, "z": {"BOOL": True}}},
    "l": {"L": [{"S": "y"}]},
}


# Observed on the service: a path comes back under its last name, with the indexes after it.
@pytest.mark.parametrize(
    ("elements", "name"),
    [
        (("a",), "a"),
        (("a", "b"), "b"),
        (("a", "b", 0), "b[0]"),
        (("a", 0, 1), "a[0][1]"),
        (("a", "b", 1, "c"), "c"),
    ],
)
def test_a_column_is_named_after_the_end_of_its_path(elements: tuple[str | int, ...], name: str):
    assert column_name(Path(elements)) == name


def test_a_row_has_what_its_columns_find():
    columns = [Path(("a", "b", 1, "c")), Path(("l", 0)), Path(("a", "z")), Path(("none",))]
    assert select_columns(ITEM, columns) == {
        "c": {"N": "1"},
        "l[0]": {"S": "y"},
        "z": {"BOOL": True},
    }
    assert select_columns(ITEM, None) is ITEM


@pytest.mark.parametrize(
    "elements", [("a", 0), ("l", "b"), ("l", 1), ("l", 0, "s"), ("n",), ("l", 0, 0), ("n", "m", 0)]
)
def test_a_path_that_leads_nowhere_leaves_an_empty_row(elements: tuple[str | int, ...]):
    assert select_columns(ITEM, [Path(elements)]) == {}
