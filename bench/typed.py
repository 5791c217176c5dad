"""DynamoDB's own form for the bench: items with typed values, requests, and moto.

moto answers boto3's client in the caller's process: what is measured there is boto3 (serializing,
signing, parsing) and moto together, which is what a test suite pays for each call today.
"""

from contextlib import contextmanager
from decimal import Decimal

TABLE = "items"
COUNTER = "ADD quantity :one"
ONE = {":one": {"N": "1"}}


def typed_value(value) -> dict:
    """Return a value of the workload in typed form."""
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | Decimal):
        return {"N": str(value)}
    if isinstance(value, set):
        return {"SS": sorted(value)}
    return {"M": typed_item(value)}


def typed_item(item: dict) -> dict:
    """Return an item in typed form."""
    return {name: typed_value(value) for name, value in item.items()}


def typed_key(text: str) -> dict:
    """Return the Key of the flat table."""
    return {"pk": {"S": text}}


def transaction_of(first: dict, second: dict, counted: str, checked: str) -> dict:
    """Return TransactWriteItems of two puts, a counter and a condition check."""
    return {
        "TransactItems": [
            {"Put": {"TableName": TABLE, "Item": typed_item(first)}},
            {"Put": {"TableName": TABLE, "Item": typed_item(second)}},
            {
                "Update": {
                    "TableName": TABLE,
                    "Key": typed_key(counted),
                    "UpdateExpression": COUNTER,
                    "ExpressionAttributeValues": ONE,
                }
            },
            {
                "ConditionCheck": {
                    "TableName": TABLE,
                    "Key": typed_key(checked),
                    "ConditionExpression": "attribute_exists(pk)",
                }
            },
        ]
    }


def moto_missing() -> str:
    """Return "" if moto and boto3 can be imported, else why not."""
    try:
        # Only whether they are there.
        import boto3  # noqa: F401
        import moto  # noqa: F401
    except ImportError as error:
        return f"moto: {type(error).__name__}: {error}"
    return ""


@contextmanager
def moto_client():
    """Yield a client of boto3 that moto answers in this process, with an empty table."""
    import boto3
    from moto import mock_aws

    with mock_aws():
        client = boto3.client(
            "dynamodb",
            region_name="us-east-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",
        )
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        yield client
