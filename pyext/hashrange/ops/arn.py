"""Names and ARNs: who we are, what our resources are called, which table a request means."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass

from hashrange.errors import AccessDenied, Error, ValidationError, arn_not_found, invalid_parameter

TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}").fullmatch


@dataclass(frozen=True, slots=True)
class Identity:
    """The account and Region that ARNs name. They need not exist: nothing is looked up."""

    region: str = "us-east-1"
    account: str = "000000000000"
    partition: str = "aws"

    def table_arn(self, name: str) -> str:
        """Return a table's ARN."""
        return f"arn:{self.partition}:dynamodb:{self.region}:{self.account}:table/{name}"

    def index_arn(self, name: str, index: str) -> str:
        """Return an index's ARN."""
        return f"{self.table_arn(name)}/index/{index}"

    def stream_arn(self, name: str, label: str) -> str:
        """Return a stream's ARN; its label is the time it was enabled."""
        return f"{self.table_arn(name)}/stream/{label}"

    def key_arn(self, key: str | None) -> str:
        """Return the ARN of a KMS key given as ARN, id or alias; None: the service's own alias."""
        if key is not None and key.startswith("arn:"):
            return key
        resource = key or "alias/aws/dynamodb"
        kind = "" if resource.startswith("alias/") else "key/"
        return f"arn:{self.partition}:kms:{self.region}:{self.account}:{kind}{resource}"

    def table_of(self, name_or_arn: str) -> str:
        """Return the table's name for a TableName that is a name or an ARN.

        Raises ValidationError for an ARN of another kind or Region, AccessDenied for another
        account.
        """
        if not name_or_arn.startswith("arn:"):
            return name_or_arn
        parts = name_or_arn.split(":", 5)
        if len(parts) != 6 or parts[2] != "dynamodb":
            raise bad_arn("Valid ARN format is arn:aws:dynamodb:region:account:table/name", None)
        _, partition, _, region, account, resource = parts
        if partition != self.partition:
            raise bad_arn("Invalid AWS partition in", name_or_arn)
        if region != self.region:
            raise bad_arn("Invalid AWS region in", name_or_arn)
        if account != self.account:
            raise access_denied()
        name = resource.removeprefix("table/")
        if name == resource or not TABLE_NAME(name):
            raise bad_arn("Invalid resource type in", name_or_arn)
        return name

    def tagged_table_of(self, arn: str) -> str:
        """Return the table's name for the ResourceArn of a tagging operation."""
        if not arn.startswith("arn:"):
            raise invalid_parameter(f"ARNs must start with 'arn:': {arn}")
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[2] != "dynamodb":
            raise invalid_parameter(f"Provided Arn is not a DynamoDB resource arn: {arn}")
        _, partition, _, region, account, resource = parts
        if account != self.account:
            raise access_denied()
        kind, _, name = resource.partition("/")
        if "/index/" in resource or kind != "table":
            raise invalid_parameter(
                "Invalid resource arn provided, only table or stream is accepted. "
                f"Provided resource arn: {arn}"
            )
        if (partition, region) != (self.partition, self.region) or not TABLE_NAME(name):
            raise ValidationError(f"Invalid TableArn: Invalid ResourceArn provided as input {arn}")
        return name

    def unknown(self, name: str) -> Error:
        """Make the tagging operations' error for a table that does not exist."""
        return arn_not_found(self.table_arn(name))


# For whom the operation under way is run, when its request says so: an HTTP request is signed for a
# Region. None: for whom the tables belong to.
CALLER: ContextVar[Identity | None] = ContextVar("hashrange_caller", default=None)


def bad_arn(words: str, arn: str | None) -> ValidationError:
    """Make the error of an ARN that names no table of ours."""
    suffix = "" if arn is None else f" '{arn}'"
    return ValidationError(f"1 validation error detected: {words}{suffix}")


def access_denied() -> AccessDenied:
    """Make the error of another account's resource."""
    return AccessDenied("Access is denied")
