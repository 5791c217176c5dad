"""The batch writer: puts and deletes of one table, sent 25 at a time.

It is boto3's, with boto3's manners: not one commit, and nothing is sent when the block is left but
the rest, after an exception too. (The native API's `Table.batch` is atomic and faster.)

Threads: one batch writer, one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

FLUSH_COUNT = 25  # what one BatchWriteItem takes

Request = dict[str, Any]


class BatchWriter:
    """Collects requests and sends them. client: a resource's; flush_amount: how many at a time."""

    def __init__(
        self,
        table_name: str,
        client: Any,
        flush_amount: int = FLUSH_COUNT,
        overwrite_by_pkeys: list[str] | None = None,
    ) -> None:
        self._table_name = table_name
        self._client = client
        self._flush_amount = flush_amount
        self._key_names = overwrite_by_pkeys
        self._waiting: list[Request] = []

    def put_item(self, Item: dict[str, Any]) -> None:  # noqa: N803  # boto3's name
        """Put an item, now or later."""
        self._add({"PutRequest": {"Item": Item}})

    def delete_item(self, Key: dict[str, Any]) -> None:  # noqa: N803  # boto3's name
        """Delete the item with a key, now or later."""
        self._add({"DeleteRequest": {"Key": Key}})

    def __enter__(self) -> BatchWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._waiting:
            self._flush()

    def _add(self, request: Request) -> None:
        if self._key_names:
            key = self._key_of(request)
            self._waiting = [each for each in self._waiting if self._key_of(each) != key]
        self._waiting.append(request)
        if len(self._waiting) >= self._flush_amount:
            self._flush()

    def _key_of(self, request: Request) -> list[Any]:
        put = request.get("PutRequest")
        item = put["Item"] if put else request["DeleteRequest"]["Key"]
        return [item[name] for name in self._key_names or ()]

    def _flush(self) -> None:
        sent = self._waiting[: self._flush_amount]
        self._waiting = self._waiting[self._flush_amount :]
        answer = self._client.batch_write_item(RequestItems={self._table_name: sent})
        left = answer.get("UnprocessedItems") or {}
        self._waiting.extend(left.get(self._table_name, ()))
