"""Capacity: what an operation costs, and how its response says so.

Theory of operation. Everything is counted in half units, as integers: a read unit is two, so that
an eventually consistent read of one block is one. A `Bill` gathers the costs of one table in one
request, split in arms: the table itself, each local index, each global index. `consumed` turns
bills into the member ConsumedCapacity.

Reads are rounded up to blocks of 4 KB, writes to blocks of 1 KB. What is rounded alone and what is
summed first differs by operation: GetItem and BatchGetItem round every item; Query and Scan sum all
sizes and round once; reads of whole items through a local index round each item again. Transactions
double the table's arm, never an index's.

Sources: developer guide, capacity units for reads and writes; index arms, the transactional factor
and the members of the response as measured on the service.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

READ_BLOCK_BYTES = 4096
WRITE_BLOCK_BYTES = 1024
GIGABYTE = 1 << 30

Arms = dict[str, int]


# ---- reads ---------------------------------------------------------------------------------------


def read_half_units(size_bytes: int, *, consistent: bool) -> int:
    """Return the cost of a read, in half units.

    size_bytes: DynamoDB size of one item (0 when it is absent), or the sum over a page of Query
    or Scan; even nothing costs a block.
    """
    blocks = -(-size_bytes // READ_BLOCK_BYTES) or 1
    return blocks * 2 if consistent else blocks


def transact_read_half_units(size_bytes: int) -> int:
    """Return the cost of reading one item in a transaction, in half units; 0 bytes: absent."""
    return 2 * read_half_units(size_bytes, consistent=True)


def fetch_half_units(sizes_bytes: Iterable[int], *, consistent: bool) -> int:
    """Return the table's arm for whole items fetched through a local index: each is rounded."""
    return sum(read_half_units(size, consistent=consistent) for size in sizes_bytes)


# ---- writes --------------------------------------------------------------------------------------


def write_blocks(size_bytes: int) -> int:
    """Return the write units of one image or index entry; at least 1."""
    return -(-size_bytes // WRITE_BLOCK_BYTES) or 1


def write_half_units(before_bytes: int, after_bytes: int, *, transaction: bool = False) -> int:
    """Return the table's arm of one write, in half units: the larger image counts.

    before_bytes, after_bytes: sizes of the images, 0 for none. A delete has no image after; a
    condition check, like a write whose condition failed, has the image it read in both.
    """
    units = write_blocks(max(before_bytes, after_bytes))
    return units * (4 if transaction else 2)


def index_half_units(
    before_bytes: int | None, after_bytes: int | None, *, same_key: bool, same_entry: bool
) -> int:
    """Return an index's arm of one write, in half units; transactions do not change it.

    before_bytes, after_bytes: sizes of the projected entries, None where the item has no entry.
    same_key: both entries lie at one place of the index. same_entry: they are equal, the order of
    sets aside. Both are read only where there are two entries.
    """
    before = 0 if before_bytes is None else write_blocks(before_bytes)
    after = 0 if after_bytes is None else write_blocks(after_bytes)
    if before and after:
        if same_entry:
            return 0
        return 2 * (max(before, after) if same_key else before + after)
    return 2 * (before + after)


# ---- bills ---------------------------------------------------------------------------------------


class Bill:
    """The half units that one request costs on one table, by arm."""

    __slots__ = ("global_indexes", "local_indexes", "table")

    def __init__(
        self, table: int = 0, local_indexes: Arms | None = None, global_indexes: Arms | None = None
    ) -> None:
        self.table = table
        self.local_indexes: Arms = local_indexes or {}
        self.global_indexes: Arms = global_indexes or {}

    def __eq__(self, other: object) -> bool:
        """Compare arm by arm."""
        return isinstance(other, Bill) and (
            (self.table, self.local_indexes, self.global_indexes)
            == (other.table, other.local_indexes, other.global_indexes)
        )

    # A bill is added to, so it is no member of a set.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the arms."""
        return f"Bill({self.table}, {self.local_indexes}, {self.global_indexes})"

    @property
    def total(self) -> int:
        """The sum of the arms, in half units."""
        arms = (*self.local_indexes.values(), *self.global_indexes.values())
        return self.table + sum(arms)

    def add(self, other: Bill) -> None:
        """Add another bill of the same table."""
        self.table += other.table
        for mine, theirs in (
            (self.local_indexes, other.local_indexes),
            (self.global_indexes, other.global_indexes),
        ):
            for name, half_units in theirs.items():
                mine[name] = mine.get(name, 0) + half_units


def consumed(
    table_name: str, bill: Bill, mode: str | None, *, transaction: str | None = None
) -> dict[str, Any] | None:
    """Return ConsumedCapacity for one table, or None when the request does not ask for it.

    mode: ReturnConsumedCapacity. transaction: "Read" or "Write" in transactions, which alone say
    how much of it was for reads or writes.
    """
    if mode is None or mode == "NONE":
        return None
    answer: dict[str, Any] = {"TableName": table_name, **units(bill.total, transaction)}
    if mode == "INDEXES":
        answer["Table"] = units(bill.table, transaction)
        for member, arms in (
            ("LocalSecondaryIndexes", bill.local_indexes),
            ("GlobalSecondaryIndexes", bill.global_indexes),
        ):
            charged = {name: units(half, None) for name, half in arms.items() if half}
            if charged:
                answer[member] = charged
    return answer


def consumed_list(
    bills: dict[str, Bill], mode: str | None, *, transaction: str | None = None
) -> list[dict[str, Any]] | None:
    """Return ConsumedCapacity of a batch or transaction: one entry a table, in request order."""
    if mode is None or mode == "NONE":
        return None
    entries = (consumed(name, bill, mode, transaction=transaction) for name, bill in bills.items())
    return [entry for entry in entries if entry is not None]


def units(half_units: int, transaction: str | None) -> dict[str, float]:
    """Return one arm as the response writes it: CapacityUnits, and the split if asked for."""
    answer = {"CapacityUnits": half_units / 2}
    if transaction is not None:
        answer[f"{transaction}CapacityUnits"] = half_units / 2
    return answer


def collection_metrics(key: dict[str, Any], size_bytes: int) -> dict[str, Any]:
    """Return ItemCollectionMetrics of one item collection.

    key: the hash key as attribute and typed value. size_bytes: of the items and of their entries
    in local indexes. The estimate is a range of whole gigabytes, lower bound included.
    """
    low = size_bytes // GIGABYTE
    return {"ItemCollectionKey": key, "SizeEstimateRangeGB": [float(low), float(low + 1)]}
