"""What was refused leaves nothing behind, whatever part of a request was at fault."""

from __future__ import annotations

import pytest
from execute.conftest import Execute, table, thing

import hashrange


# The service refuses a batch before it writes any of it. A key of an index that is too long is seen
# only when the entry is made, when items before it have been dealt with.
@pytest.mark.parametrize("operation", ["batch", "transaction"])
def test_a_refused_batch_writes_nothing(run: Execute, operation: str) -> None:
    run("CreateTable", **table())
    items = [thing("p", 1, v=1), thing("p", 2, a="x" * 1025)]
    with pytest.raises(hashrange.Error) as caught:
        if operation == "batch":
            run("BatchWriteItem", RequestItems={
                "things": [{"PutRequest": {"Item": item}} for item in items]
            })
        else:
            run("TransactWriteItems", TransactItems=[
                {"Put": {"TableName": "things", "Item": item}} for item in items
            ])
    assert caught.value.code in ("ValidationException", "TransactionCanceledException")
    assert run("Scan", TableName="things")["Items"] == []
