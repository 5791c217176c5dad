"""DescribeLimits: the account's quotas."""

from __future__ import annotations

from operations.conftest import Run


# Guide: 80,000 units an account, 40,000 a table, read and write each, wherever tables are.
def test_the_quotas_of_the_account_are_told(run: Run, made: Run) -> None:
    assert run("DescribeLimits") == made("DescribeLimits", Anything=1) == {
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    }
