"""The service model, as far as programs ask a client for it: the names of things.

`client.meta.service_model` and the `model` that handlers of events get. Shapes are not there:
whoever needs them needs botocore, which has them without a client.

Threads: any; nothing changes.
"""

from __future__ import annotations

from typing import Any

from hashrange.client import shapes

__all__ = ["OperationModel", "ServiceModel"]

API_VERSION = "2012-08-10"
METADATA = {
    "apiVersion": API_VERSION,
    "endpointPrefix": "dynamodb",
    "jsonVersion": "1.0",
    "protocol": "json",
    "protocols": ["json"],
    "serviceAbbreviation": "DynamoDB",
    "serviceFullName": "Amazon DynamoDB",
    "serviceId": "DynamoDB",
    "signatureVersion": "v4",
    "targetPrefix": "DynamoDB_20120810",
    "uid": f"dynamodb-{API_VERSION}",
}


class ServiceId(str):
    """The service's id."""

    __slots__ = ()

    def hyphenize(self) -> str:
        """Return the id as names of events have it."""
        return self.replace(" ", "-").lower()


class Partial:
    """What has some of the attributes that botocore's class has, and says so of the others."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"a hashrange client's {type(self).__name__} has no {name}: it has names, no shapes "
            "(botocore.session.Session().get_service_model('dynamodb') has)"
        )


class ServiceModel(Partial):
    """DynamoDB's names: operations, API version, metadata."""

    def __init__(self) -> None:
        self.service_name = self.endpoint_prefix = self.signing_name = "dynamodb"
        self.service_id = ServiceId("DynamoDB")
        self.api_version = API_VERSION
        self.protocol = "json"
        self.signature_version = "v4"
        self.metadata = dict(METADATA)
        self.operation_names = list(shapes.operations())

    def operation_model(self, operation_name: str) -> OperationModel:
        """Return the model of an operation, "PutItem". Raises KeyError for an unknown one."""
        if operation_name not in shapes.operations():
            raise KeyError(operation_name)
        return OperationModel(operation_name, self)

    def __repr__(self) -> str:
        return "ServiceModel(dynamodb)"


class OperationModel(Partial):
    """An operation's names."""

    def __init__(self, name: str, service_model: ServiceModel) -> None:
        self.name = self.wire_name = name
        self.service_model = service_model
        self.metadata = service_model.metadata
        self.http = {"method": "POST", "requestUri": "/"}

    def __repr__(self) -> str:
        return f"OperationModel(name={self.name})"
