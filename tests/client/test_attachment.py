"""boto3's own clients, served in process."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse

import hashrange
from hashrange.client import attachment, wire
from hashrange.errors import InternalServerError, ProvisionedThroughputExceeded

KEY = {"pk": {"S": "a"}, "sk": {"N": "1"}}
NEVER = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=60, read_timeout=60)
NOWHERE = "http://127.0.0.1:9"


def session() -> Any:
    return boto3.Session("a", "b", region_name="us-east-1")


def tables(client: Any) -> Any:
    return client.list_tables()["TableNames"]


@pytest.mark.parametrize("kind", ["client", "resource", "session", "botocore client",
                                  "botocore session"])
def test_whatever_makes_requests_can_be_attached(kind: str, db: hashrange.Database) -> None:
    own = session()
    core = botocore.session.Session()
    core.set_credentials("a", "b")
    target: Any = {
        "client": lambda: own.client("dynamodb"),
        "resource": lambda: own.resource("dynamodb"),
        "session": lambda: own,
        "botocore client": lambda: core.create_client("dynamodb", region_name="us-east-1"),
        "botocore session": lambda: core,
    }[kind]()
    hashrange.attach(target, db)
    client = {
        "resource": lambda: target.meta.client,
        "session": lambda: own.client("dynamodb"),
        "botocore session": lambda: core.create_client("dynamodb", region_name="us-east-1"),
    }.get(kind, lambda: target)()
    assert tables(client) == ["things"]


def test_a_detached_client_is_on_its_own_again(db: hashrange.Database) -> None:
    client = session().client("dynamodb", endpoint_url=NOWHERE, config=NEVER)
    with hashrange.attach(client, db):
        assert tables(client) == ["things"]
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        tables(client)
    attached = hashrange.attach(client, db)
    assert tables(client) == ["things"]
    attached.detach()
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        tables(client)


@pytest.mark.parametrize("target", [None, "dynamodb", object()])
def test_nothing_else_can_be_attached(target: Any, db: hashrange.Database) -> None:
    with pytest.raises(TypeError, match="a client, resource or session of boto3 is needed"):
        hashrange.attach(target, db)


# ---- patch ---------------------------------------------------------------------------------------


def test_clients_made_before_and_within_the_block_are_served(db: hashrange.Database) -> None:
    before = session().client("dynamodb", endpoint_url=NOWHERE, config=NEVER)
    with hashrange.patch(db):
        assert tables(before) == ["things"]
        within = session().client("dynamodb", endpoint_url=NOWHERE, config=NEVER)
        assert tables(within) == ["things"]
        assert [table.name for table in session().resource("dynamodb").tables.all()] == ["things"]
    for client in (before, within):
        with pytest.raises(botocore.exceptions.EndpointConnectionError):
            tables(client)


def test_the_innermost_block_serves(db: hashrange.Database) -> None:
    client = session().client("dynamodb")
    with hashrange.open() as second, hashrange.patch(db):
        with hashrange.patch(second):
            assert tables(client) == []
        assert tables(client) == ["things"]


def test_a_block_ends_with_an_exception_too(db: hashrange.Database) -> None:
    client = session().client("dynamodb", endpoint_url=NOWHERE, config=NEVER)
    with pytest.raises(RuntimeError), hashrange.patch(db):
        raise RuntimeError
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        tables(client)


def test_patch_decorates_functions(db: hashrange.Database) -> None:
    @hashrange.patch(db)
    def names() -> Any:
        return tables(session().client("dynamodb"))

    assert names() == ["things"]
    assert names() == ["things"]


def test_other_services_go_their_way(db: hashrange.Database) -> None:
    with hashrange.patch(db):
        other = session().client("sqs", endpoint_url=NOWHERE, config=NEVER)
        with pytest.raises(botocore.exceptions.EndpointConnectionError):
            other.list_queues()


# As on a machine where AWS was never configured: no variables, no files.
@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("bare")
def test_nothing_need_be_configured(db: hashrange.Database) -> None:
    with hashrange.patch(db):
        client = boto3.Session().client("dynamodb")
        assert tables(client) == ["things"]
        assert client.meta.region_name == "us-east-1"
    assert not [name for name in attachment.FAKE_CREDENTIALS if name in os.environ]
    with pytest.raises(botocore.exceptions.NoRegionError):
        boto3.Session().client("dynamodb")


@pytest.mark.usefixtures("bare")
def test_a_client_without_credentials_is_served(db: hashrange.Database) -> None:
    client = boto3.Session(region_name="us-east-1").client("dynamodb")
    with hashrange.patch(db):
        assert tables(client) == ["things"]
    with pytest.raises(botocore.exceptions.NoCredentialsError):
        tables(client)
    with hashrange.attach(client, db):
        assert tables(client) == ["things"]
    with pytest.raises(botocore.exceptions.NoCredentialsError):
        tables(client)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    "text", ["[default]\naws_access_key_id = k\naws_secret_access_key = s\nregion = eu-west-1\n"]
)
def test_what_is_configured_is_kept(
    text: str, db: hashrange.Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(text)
    with hashrange.patch(db):
        own = boto3.Session()
        assert own.get_credentials().access_key == "k"
        assert own.region_name == "eu-west-1"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    with hashrange.patch(db):
        assert boto3.Session().get_credentials().access_key == "mine"
        assert boto3.Session().client("dynamodb").meta.region_name == "us-west-2"


def test_threads_share_a_patched_client(db: hashrange.Database) -> None:
    with hashrange.patch(db):
        client = session().client("dynamodb")

        def put(number: int) -> None:
            for step in range(5):
                key = {"pk": {"S": str(number)}, "sk": {"N": str(step)}}
                client.put_item(TableName="things", Item=key)

        threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.describe_table(TableName="things")["Table"]["ItemCount"] == 20


# ---- what botocore does with responses -----------------------------------------------------------


class Failing:
    """A database that fails some times first."""

    def __init__(self, database: hashrange.Database, *errors: Exception) -> None:
        self.database = database
        self.errors = list(errors)
        self.calls = 0

    def execute(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.database.execute(operation, request)


@pytest.fixture
def _no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)


@pytest.mark.usefixtures("_no_sleep")
def test_botocore_tries_again(db: hashrange.Database) -> None:
    failing = Failing(db, ProvisionedThroughputExceeded("slow"), InternalServerError("oh"))
    with hashrange.patch(failing):
        answer = session().client("dynamodb").list_tables()
    assert answer["TableNames"] == ["things"]
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert failing.calls == 3


# DynamoDB's responses carry a checksum, and botocore asks again when it does not fit.
@pytest.mark.usefixtures("_no_sleep")
def test_botocore_checks_the_checksum(
    db: hashrange.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []

    def damaged(url: str, status: int, headers: dict[str, str], raw: Any) -> Any:
        answers.append(headers["x-amz-crc32"])
        if len(answers) == 1:
            headers = {**headers, "x-amz-crc32": "1"}
        return AWSResponse(url, status, headers, raw)

    with hashrange.patch(db):
        client = session().client("dynamodb")
        monkeypatch.setattr("botocore.awsrequest.AWSResponse", damaged)
        assert tables(client) == ["things"]
    assert len(answers) == 2


# Trouble of this process is not the service's: botocore neither retries it nor makes it its own.
def test_trouble_of_this_process_comes_through(db: hashrange.Database) -> None:
    failing = Failing(db, hashrange.DiskFull("full"))
    with hashrange.patch(failing), pytest.raises(hashrange.DiskFull):
        tables(session().client("dynamodb"))
    assert failing.calls == 1


def test_errors_are_botocores_own(db: hashrange.Database) -> None:
    with hashrange.patch(db):
        client = session().client("dynamodb")
        with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
            client.transact_write_items(TransactItems=[{"ConditionCheck": {
                "TableName": "things", "Key": KEY, "ConditionExpression": "attribute_exists(pk)"
            }}])
    assert caught.value.response["CancellationReasons"][0]["Code"] == "ConditionalCheckFailed"
    assert not isinstance(caught.value, hashrange.Error)


def test_every_content_survives_the_wire(db: hashrange.Database, client: Any) -> None:
    value = {"M": {
        "b": {"B": bytes(range(256))}, "l": {"L": [{"BS": [b"", b"\xff"]}, {"B": b""}]},
        "s": {"S": "é\ud7ff\u2028\x00\U0001f600"}, "n": {"N": "1" * 38}, "e": {"M": {}},
    }}
    with hashrange.patch(db):
        boto = session().client("dynamodb")
        boto.put_item(TableName="things", Item={**KEY, "v": value})
        assert boto.get_item(TableName="things", Key=KEY)["Item"]["v"] == value
    assert client.get_item(TableName="things", Key=KEY)["Item"]["v"] == value


@pytest.mark.parametrize("body", [b"[]", b"{", b"1", b'{"TableName": "things", "Item": []}',
                                  b'{"TableName": "things", "Item": {"a": {"B": "*"}}}'])
def test_a_bad_body_is_a_serialization_error(body: bytes, db: hashrange.Database) -> None:
    metadata = attachment.Server(db).metadata
    status, headers, content = wire.answered(db.execute, "PutItem", body, metadata)
    assert status == 400
    assert b"com.amazon.coral.service#SerializationException" in content
    assert headers["Content-Length"] == str(len(content))
