"""The client and the resource of boto3, in this process.

`Database.client()` and `Database.resource()` make them; they need neither boto3 nor botocore.
`attach` and `patch` serve boto3's own clients from a database. See docs/client.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hashrange.client.attachment import attach, patch
from hashrange.client.client import Client
from hashrange.client.exceptions import ClientError, ParamValidationError, WaiterError
from hashrange.client.resource import ResourceClient, ServiceResource
from hashrange.client.values import Binary, TypeDeserializer, TypeSerializer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient, DynamoDBServiceResource

    from hashrange.client.client import Execute

__all__ = [
    "Binary",
    "Client",
    "ClientError",
    "ParamValidationError",
    "ServiceResource",
    "TypeDeserializer",
    "TypeSerializer",
    "WaiterError",
    "attach",
    "client_of",
    "patch",
    "resource_of",
]


def client_of(execute: Execute) -> DynamoDBClient:
    """Return a client. execute: what runs an operation, as `Database.execute` does."""
    return cast("DynamoDBClient", Client(execute))


def resource_of(execute: Execute) -> DynamoDBServiceResource:
    """Return a resource. execute: what runs an operation, as `Database.execute` does."""
    return cast("DynamoDBServiceResource", ServiceResource(ResourceClient(execute)))
