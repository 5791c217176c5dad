"""Every error of the API, and the words of those that several operations share.

Theory of operation. The classes that the core raises come from `ddbcore.errors`; the rest of the
service's exceptions stand here, one class each, with the service's name in `code` and its HTTP
status in `status`. A text that the service sends is made by one function, here when more than one
module needs it, otherwise beside the rule that it belongs to (`hashrange.ops`).

`type_of` gives the `__type` of an error's JSON body, for the HTTP endpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ddbcore.errors import (
    ConditionalCheckFailed,
    CorruptError,
    DatabaseClosed,
    DatabaseLocked,
    DiskFull,
    Error,
    ItemTooLarge,
    PoisonedError,
    ReadOnlyError,
    ResourceInUse,
    ResourceNotFound,
    SerializationError,
    StorageError,
    TableExists,
    TableNotFound,
    ValidationError,
)

__all__ = [
    "AccessDenied",
    "BackupInUse",
    "BackupNotFound",
    "ConditionalCheckFailed",
    "ContinuousBackupsUnavailable",
    "CorruptError",
    "DatabaseClosed",
    "DatabaseLocked",
    "DiskFull",
    "DuplicateItem",
    "Error",
    "ExpiredIterator",
    "ExportConflict",
    "ExportNotFound",
    "GlobalTableExists",
    "GlobalTableNotFound",
    "IdempotentParameterMismatch",
    "ImportConflict",
    "ImportNotFound",
    "IncompleteSignature",
    "IndexNotFound",
    "InternalServerError",
    "InvalidExportTime",
    "InvalidRestoreTime",
    "InvalidSignature",
    "ItemCollectionSizeLimitExceeded",
    "ItemTooLarge",
    "LimitExceeded",
    "MissingAuthenticationToken",
    "PointInTimeRecoveryUnavailable",
    "PoisonedError",
    "PolicyNotFound",
    "ProvisionedThroughputExceeded",
    "ReadOnlyError",
    "ReplicaExists",
    "ReplicaNotFound",
    "ReplicatedWriteConflict",
    "RequestLimitExceeded",
    "ResourceInUse",
    "ResourceNotFound",
    "SerializationError",
    "SourceTableNotFound",
    "StorageError",
    "TableExists",
    "TableInUse",
    "TableNotFound",
    "TargetTableExists",
    "Throttling",
    "TransactionCanceled",
    "TransactionConflict",
    "TransactionInProgress",
    "TrimmedDataAccess",
    "UnknownOperation",
    "UnrecognizedClient",
    "ValidationError",
]

NAMESPACE = "com.amazonaws.dynamodb.v20120810#"
FRAMEWORK_NAMESPACES = {
    "ValidationException": "com.amazon.coral.validate#",
    "ThrottlingException": "com.amazon.coral.availability#",
    "SerializationException": "com.amazon.coral.service#",
    "UnknownOperationException": "com.amazon.coral.service#",
    "AccessDeniedException": "com.amazon.coral.service#",
    "MissingAuthenticationTokenException": "com.amazon.coral.service#",
    "IncompleteSignatureException": "com.amazon.coral.service#",
    "InvalidSignatureException": "com.amazon.coral.service#",
    "UnrecognizedClientException": "com.amazon.coral.service#",
}


class ServiceError(Error):
    """Base of the errors that only operations raise; each stands for a refused request."""

    status = 400


class InternalServerError(Error):
    """The request could not be served, by no fault of its own."""


class LimitExceeded(ServiceError):
    """Too many tables, index changes or capacity decreases at once."""

    code = "LimitExceededException"


class TransactionCanceled(ServiceError):
    """A transaction did nothing.

    `reasons` has one dict for each action of the request, in its order: Code ("None" for those
    that would have passed), Message and Item where there is one.
    """

    code = "TransactionCanceledException"

    def __init__(self, message: str, reasons: Sequence[dict[str, Any]]) -> None:
        super().__init__(message)
        self.reasons = list(reasons)


class TransactionConflict(ServiceError):
    """The item is part of a transaction under way."""

    code = "TransactionConflictException"


class TransactionInProgress(ServiceError):
    """The transaction with this token is still running."""

    code = "TransactionInProgressException"


class IdempotentParameterMismatch(ServiceError):
    """The token was used for a request with other parameters."""

    code = "IdempotentParameterMismatchException"


class ItemCollectionSizeLimitExceeded(ServiceError):
    """An item collection of a table with local indexes would pass 10 GB."""

    code = "ItemCollectionSizeLimitExceededException"


class DuplicateItem(ServiceError):
    """A PartiQL INSERT met an item with its key."""

    code = "DuplicateItemException"


class _Throttled(ServiceError):
    """Base of the three throttling errors; `reasons` as in the member ThrottlingReasons."""

    def __init__(self, message: str, reasons: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(message)
        self.reasons = list(reasons)


class ProvisionedThroughputExceeded(_Throttled):
    """The table or index has no capacity left."""

    code = "ProvisionedThroughputExceededException"


class RequestLimitExceeded(_Throttled):
    """The account's throughput is used up."""

    code = "RequestLimitExceeded"


class Throttling(_Throttled):
    """Too many control operations, or a table's capacity under on-demand billing."""

    code = "ThrottlingException"


class IndexNotFound(ServiceError):
    """The operation names an index that does not exist (settings of global tables)."""

    code = "IndexNotFoundException"


class TableInUse(ServiceError):
    """The target table of a backup operation is being made or dropped."""

    code = "TableInUseException"


class SourceTableNotFound(ServiceError):
    """The source table of a backup operation does not exist."""

    code = "TableNotFoundException"


class TargetTableExists(ServiceError):
    """The target table of a restore exists."""

    code = "TableAlreadyExistsException"


class BackupInUse(ServiceError):
    """The backup is being made, deleted or restored."""

    code = "BackupInUseException"


class BackupNotFound(ServiceError):
    """No backup has this ARN."""

    code = "BackupNotFoundException"


class ContinuousBackupsUnavailable(ServiceError):
    """Backups are not yet enabled for the table."""

    code = "ContinuousBackupsUnavailableException"


class PointInTimeRecoveryUnavailable(ServiceError):
    """Point-in-time recovery is not enabled for the table."""

    code = "PointInTimeRecoveryUnavailableException"


class InvalidRestoreTime(ServiceError):
    """The time lies outside the recovery period."""

    code = "InvalidRestoreTimeException"


class InvalidExportTime(ServiceError):
    """The export's time lies outside the recovery period."""

    code = "InvalidExportTimeException"


class ExportConflict(ServiceError):
    """The token was used for another export."""

    code = "ExportConflictException"


class ExportNotFound(ServiceError):
    """No export has this ARN."""

    code = "ExportNotFoundException"


class ImportConflict(ServiceError):
    """The token was used for another import."""

    code = "ImportConflictException"


class ImportNotFound(ServiceError):
    """No import has this ARN."""

    code = "ImportNotFoundException"


class GlobalTableExists(ServiceError):
    """The global table exists."""

    code = "GlobalTableAlreadyExistsException"


class GlobalTableNotFound(ServiceError):
    """No global table has this name."""

    code = "GlobalTableNotFoundException"


class ReplicaExists(ServiceError):
    """The replica is part of the global table already."""

    code = "ReplicaAlreadyExistsException"


class ReplicaNotFound(ServiceError):
    """The replica is not part of the global table."""

    code = "ReplicaNotFoundException"


class ReplicatedWriteConflict(ServiceError):
    """Another Region wrote the same item at the same time (strong global tables)."""

    code = "ReplicatedWriteConflictException"


class PolicyNotFound(ServiceError):
    """The resource has no policy, or not this revision of it."""

    code = "PolicyNotFoundException"


class TrimmedDataAccess(ServiceError):
    """The stream's records at this place are past their 24 hours."""

    code = "TrimmedDataAccessException"


class ExpiredIterator(ServiceError):
    """The shard iterator is older than 15 minutes."""

    code = "ExpiredIteratorException"


class UnknownOperation(ServiceError):
    """There is no such operation."""

    code = "UnknownOperationException"


class AccessDenied(ServiceError):
    """The caller may not do this, or the ARN belongs to another account."""

    code = "AccessDeniedException"


class MissingAuthenticationToken(ServiceError):
    """The HTTP request is not signed."""

    code = "MissingAuthenticationTokenException"


class IncompleteSignature(ServiceError):
    """The signature of the HTTP request lacks a part."""

    code = "IncompleteSignatureException"


class InvalidSignature(ServiceError):
    """The signature of the HTTP request does not fit it."""

    code = "InvalidSignatureException"


class UnrecognizedClient(ServiceError):
    """The HTTP request is signed with an unknown key."""

    code = "UnrecognizedClientException"


def type_of(error: Error) -> str:
    """Return the `__type` that the service's JSON body carries for this error."""
    return FRAMEWORK_NAMESPACES.get(error.code, NAMESPACE) + error.code


# ---- the words that several operations share -----------------------------------------------------


def invalid_parameter(detail: str) -> ValidationError:
    """Make the error of most rules that join several members."""
    return ValidationError(f"One or more parameter values were invalid: {detail}")


def constraints_failed(failures: Sequence[str]) -> ValidationError:
    """Make the error of broken constraints of single members, all in one."""
    count = len(failures)
    noun = "error" if count == 1 else "errors"
    return ValidationError(f"{count} validation {noun} detected: {'; '.join(failures)}")


def constraint(value: str | None, path: str, rule: str) -> str:
    """Say that the member at `path` breaks a constraint; value None for one that is absent."""
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def table_not_found(name: str) -> TableNotFound:
    """Make the control plane's error for an unknown table."""
    return TableNotFound(f"Requested resource not found: Table: {name} not found")


def item_table_not_found() -> TableNotFound:
    """Make the data plane's error for an unknown table, which does not name it."""
    return TableNotFound("Requested resource not found")


def arn_not_found(arn: str) -> ResourceNotFound:
    """Make the tagging operations' error for an unknown table."""
    return ResourceNotFound(f"Requested resource not found: ResourceArn: {arn} not found")


def index_not_found(index: str, table: str) -> ResourceNotFound:
    """Make UpdateTable's error for an unknown index."""
    return ResourceNotFound(f"Requested resource not found: Index {index} for table {table}")


def in_use(detail: str) -> ResourceInUse:
    """Make the error of a table or index that cannot be changed in its present state."""
    return ResourceInUse(f"Attempt to change a resource which is still in use: {detail}")


def item_index_not_found(index: str) -> ValidationError:
    """Make Query's and Scan's error for an unknown index."""
    return ValidationError(f"The table does not have the specified index: {index}")


def unknown_operation() -> UnknownOperation:
    """Make the error for an operation that the service does not have; it has no words."""
    return UnknownOperation("")


def conditional_check_failed(item: dict[str, Any] | None = None) -> ConditionalCheckFailed:
    """Make the error of a condition that was false. item: the old image, if asked for."""
    error = ConditionalCheckFailed("The conditional request failed")
    error.item = item
    return error


def transaction_canceled(reasons: Sequence[dict[str, Any]]) -> TransactionCanceled:
    """Make the error of a canceled transaction from one reason for each of its actions."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    return TransactionCanceled(
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        f"[{codes}]",
        reasons,
    )


def java_list(names: Iterable[str]) -> str:
    """Render names as the service does in its messages: [a, b]."""
    return f"[{', '.join(names)}]"
