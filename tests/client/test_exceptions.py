"""Exceptions: botocore's where botocore is loaded, and nothing of it where it is not."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
from typing import Any

import boto3.exceptions
import botocore.exceptions
import pytest
from client.conftest import outcome

import hashrange
from hashrange.client import ClientError, ParamValidationError, WaiterError, exceptions

KEY = {"pk": {"S": "a"}, "sk": {"N": "1"}}
EXISTS = {"TableName": "things", "Key": KEY, "ConditionExpression": "attribute_exists(pk)"}


def test_an_error_is_botocores_and_ours(client: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        client.delete_item(**EXISTS)
    error = caught.value
    assert isinstance(error, client.exceptions.ConditionalCheckFailedException)
    assert isinstance(error, ClientError)
    assert isinstance(error, hashrange.Error)
    assert (error.operation_name, error.code, error.status) == (
        "DeleteItem", "ConditionalCheckFailedException", 400
    )
    assert str(error) == (
        "An error occurred (ConditionalCheckFailedException) when calling the DeleteItem "
        "operation: The conditional request failed"
    )
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error.__cause__ is None
    assert error.__suppress_context__


# ValidationException has no class in the service model: boto3 raises the plain ClientError.
def test_an_error_without_a_class_is_a_client_error(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        client.get_item(TableName="things", Key={"pk": {"S": "a"}})
    assert type(caught.value) is ClientError
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_every_error_of_the_model_has_a_class(client: Any, boto_client: Any) -> None:
    for name in exceptions.modeled():
        ours = getattr(client.exceptions, name)
        assert ours.__name__ == getattr(boto_client.exceptions, name).__name__
        assert client.exceptions.from_code(name) is ours
        assert issubclass(ours, botocore.exceptions.ClientError)
    assert client.exceptions.from_code("Other") is client.exceptions.ClientError is ClientError
    assert client.exceptions.from_code(None) is ClientError
    assert "TransactionCanceledException" in dir(client.exceptions)


def test_an_unknown_exception_is_refused_with_the_names_there_are(client: Any) -> None:
    with pytest.raises(AttributeError, match=r"Wrong\. Valid exceptions are: Back"):
        getattr(client.exceptions, "Wrong")  # noqa: B009


def test_a_canceled_transaction_carries_its_reasons(client: Any) -> None:
    with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
        client.transact_write_items(TransactItems=[{"ConditionCheck": EXISTS}])
    assert caught.value.response["CancellationReasons"] == [
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    ]


def test_the_other_exceptions_are_boto3s_too(client: Any, resource: Any) -> None:
    with pytest.raises(botocore.exceptions.ParamValidationError) as refused:
        client.get_item()
    assert isinstance(refused.value, ParamValidationError)
    assert isinstance(refused.value, ValueError)
    assert refused.value.kwargs["report"].startswith("Missing required parameter in input")
    with pytest.raises(botocore.exceptions.OperationNotPageableError) as unpaged:
        client.get_paginator("get_item")
    assert str(unpaged.value) == "Operation cannot be paginated: get_item"
    with pytest.raises(botocore.exceptions.WaiterError) as waited:
        client.get_waiter("table_exists").wait(
            TableName="nothing", WaiterConfig={"MaxAttempts": 1}
        )
    assert isinstance(waited.value, WaiterError)
    assert waited.value.last_response["Error"]["Code"] == "ResourceNotFoundException"
    assert issubclass(
        exceptions.NeedsKeyConditionError, boto3.exceptions.DynamoDBNeedsKeyConditionError
    )


@pytest.mark.parametrize("operation", ["get_item", "delete_item"])
def test_exceptions_survive_pickling(operation: str, client: Any) -> None:
    wrong = {"get_item": {}, "delete_item": EXISTS}[operation]
    with pytest.raises(hashrange.Error) as caught:
        getattr(client, operation)(**wrong)
    copied = pickle.loads(pickle.dumps(caught.value))
    assert type(copied) is type(caught.value)
    assert str(copied) == str(caught.value)
    assert vars(copied) == vars(caught.value)


def test_a_waiters_error_survives_pickling() -> None:
    error = WaiterError("TableExists", "Max attempts exceeded", {"a": 1})
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), copied.last_response) == (str(error), {"a": 1})


def test_errors_read_the_same_through_boto3(client: Any, boto_client: Any) -> None:
    assert outcome(lambda: client.delete_item(**EXISTS)) == outcome(
        lambda: boto_client.delete_item(**EXISTS)
    )


# In a process of its own: this one has botocore loaded.
def in_new_process(source: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_of_boto3_is_imported() -> None:
    in_new_process(
        """
        import sys, hashrange
        with hashrange.open() as db:
            client, resource = db.client(), db.resource()
            try:
                client.describe_table(TableName="nothing")
            except client.exceptions.ResourceNotFoundException as error:
                assert type(error).__mro__[1:3] == (client.exceptions.ClientError, hashrange.Error)
            try:
                resource.Table("nothing").item_count
            except hashrange.Error as error:
                assert error.response["Error"]["Code"] == "ResourceNotFoundException"
        for name in ("botocore", "boto3", "jmespath", "urllib3", "socket", "mypy_boto3_dynamodb"):
            assert name not in sys.modules, name
        """
    )


# Code imports botocore before it names its classes; hashrange may have raised before that.
def test_botocore_may_be_loaded_late() -> None:
    in_new_process(
        """
        import hashrange
        with hashrange.open() as db:
            client = db.client()
            try:
                client.get_item(TableName="nothing", Key={"a": {"S": "b"}})
            except client.exceptions.ClientError:
                pass
            from botocore.exceptions import ClientError
            try:
                client.get_item(TableName="nothing", Key={"a": {"S": "b"}})
            except ClientError as error:
                assert isinstance(error, client.exceptions.ResourceNotFoundException)
        """
    )
