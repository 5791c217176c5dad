"""HTTP as the service speaks it, over a bare socket."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
from endpoint.wire import Response, Wire, request_bytes

import hashrange
from hashrange.endpoint import Server

ITEM = {"id": {"S": "a"}, "n": {"N": "1.50"}, "b": {"B": "AAEC"}, "s": {"SS": ["x", "y"]}}


def put(wire: Wire, item: dict[str, Any], **options: Any) -> Response:
    return wire.call("PutItem", {"TableName": "things", "Item": item}, **options)


def get(wire: Wire, key: str, **options: Any) -> Response:
    return wire.call("GetItem", {"TableName": "things", "Key": {"id": {"S": key}}}, **options)


# ---- what goes well ------------------------------------------------------------------------------


# The headers that the service sends: SDKs check the checksum and log the request id.
def test_an_item_travels_there_and_back(wire: Wire) -> None:
    response = put(wire, ITEM)
    assert (response.status, response.body) == (200, b"{}")
    assert response.headers["x-amz-crc32"] == "2745614147"
    assert response.headers["content-type"] == "application/x-amz-json-1.0"
    assert len(response.headers["x-amzn-requestid"]) == 52
    response = get(wire, "a")
    assert response.json() == {"Item": {**ITEM, "n": {"N": "1.5"}}}


def test_each_response_has_its_own_request_id(wire: Wire) -> None:
    assert len({get(wire, "a").headers["x-amzn-requestid"] for _ in range(5)}) == 5


def test_responses_to_pipelined_requests_come_in_order(wire: Wire) -> None:
    # Scan and Query go to a thread of the pool; the others are answered at once.
    pieces = []
    for number in range(40):
        item = {"id": {"S": f"k{number}"}, "n": {"N": str(number)}}
        pieces.append(request_bytes("PutItem", {"TableName": "things", "Item": item}))
        pieces.append(request_bytes("Scan", {"TableName": "things", "Select": "COUNT"}))
        pieces.append(
            request_bytes("GetItem", {"TableName": "things", "Key": {"id": {"S": f"k{number}"}}})
        )
    wire.send(b"".join(pieces))
    for number in range(40):
        assert wire.read().json() == {}
        assert wire.read().json()["Count"] == number + 1
        assert wire.read().json()["Item"]["n"] == {"N": str(number)}


def test_a_request_may_come_byte_by_byte(wire: Wire) -> None:
    for byte in request_bytes("ListTables", {}):
        wire.send(bytes([byte]))
    assert wire.read().json() == {"TableNames": ["things"]}


def test_a_chunked_body_is_put_together(wire: Wire) -> None:
    head = request_bytes("ListTables", body=b"", content_length="-", transfer_encoding="chunked")
    wire.send(head + b"1\r\n{\r\n4;note=1\r\n    \r\n1\r\n}\r\n0\r\n\r\n")
    assert wire.read().json() == {"TableNames": ["things"]}


def test_a_client_that_expects_100_continue_is_asked_for_the_body(wire: Wire) -> None:
    data = request_bytes("ListTables", {}, expect="100-continue")
    wire.send(data[:-2])
    assert wire.read().status == 100
    wire.send(data[-2:])
    assert wire.read().json() == {"TableNames": ["things"]}


@pytest.mark.parametrize("name", ["X-Amz-Target", "x-amz-target", "X-AMZ-TARGET"])
def test_header_names_have_no_case(wire: Wire, name: str) -> None:
    data = request_bytes("ListTables", {}).replace(b"X-Amz-Target", name.encode())
    wire.send(data)
    assert wire.read().status == 200


def test_http_1_0_and_connection_close_end_the_connection(server: Server) -> None:
    for change in (
        lambda data: data.replace(b"HTTP/1.1", b"HTTP/1.0"),
        lambda data: data.replace(b"Host: localhost", b"Connection: close"),
    ):
        with Wire(server) as wire:
            wire.send(change(request_bytes("ListTables", {})))
            response = wire.read()
            assert response.status == 200
            assert response.headers["connection"] == "close"
            assert wire.is_closed()


def test_application_json_is_answered_in_kind(wire: Wire) -> None:
    for given, answered in [
        ("application/json", "application/json"),
        ("application/x-amz-json-1.0; charset=utf-8", "application/x-amz-json-1.0"),
    ]:
        response = wire.call("ListTables", {}, content_type=given)
        assert (response.status, response.headers["content-type"]) == (200, answered)


# ---- compression ---------------------------------------------------------------------------------


def test_a_request_may_be_compressed(wire: Wire) -> None:
    body = json.dumps({"TableName": "things", "Item": ITEM}).encode()
    response = wire.call("PutItem", body=gzip.compress(body), content_encoding="gzip")
    assert response.status == 200
    assert get(wire, "a").json()["Item"]["id"] == {"S": "a"}


def test_a_large_response_is_compressed_for_who_wants_it(wire: Wire) -> None:
    put(wire, {"id": {"S": "a"}, "text": {"S": "x" * 5000}})
    response = get(wire, "a", accept_encoding="deflate, gzip")
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["x-amz-crc32"]) == zlib.crc32(response.body)
    assert json.loads(gzip.decompress(response.body))["Item"]["text"] == {"S": "x" * 5000}
    for header in ("identity", "gzip;q=0", "br"):
        response = get(wire, "a", accept_encoding=header)
        assert "content-encoding" not in response.headers
        assert len(response.json()["Item"]["text"]["S"]) == 5000


# What expands to more than a request may have must not fill the memory first.
@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"x" * (17 << 20)), b""])
def test_a_compressed_body_that_is_none_is_refused(wire: Wire, body: bytes) -> None:
    response = wire.call("ListTables", body=body, content_encoding="gzip")
    assert response.status == 400
    assert response.json()["__type"] == "com.amazon.coral.service#SerializationException"


# ---- what is no operation ------------------------------------------------------------------------


def test_get_is_a_health_check(wire: Wire) -> None:
    wire.send(b"GET /whatever HTTP/1.1\r\nHost: x\r\n\r\n")
    response = wire.read()
    assert response.body == b"healthy: dynamodb.us-east-1.amazonaws.com "
    assert (response.status, response.headers["x-amz-crc32"]) == (200, "3128867991")


def test_other_methods_and_content_types_get_the_page_of_the_service(wire: Wire) -> None:
    for data in (
        b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n",
        request_bytes("ListTables", {}, content_type="text/plain"),
        request_bytes("ListTables", {}, content_type="-"),
    ):
        wire.send(data)
        response = wire.read()
        assert response.status == 404
        assert response.body == b"<UnknownOperationException/>\n"
        assert response.headers["x-amz-crc32"] == "3552371480"


def test_head_gets_no_body(wire: Wire) -> None:
    wire.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert wire.read(body=False).status == 404
    assert wire.call("ListTables", {}).status == 200


def test_a_browser_may_ask_first(wire: Wire) -> None:
    wire.send(
        b"OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: http://page\r\n"
        b"Access-Control-Request-Method: POST\r\n"
        b"Access-Control-Request-Headers: x-amz-target,content-type\r\n\r\n"
    )
    response = wire.read()
    assert (response.status, response.body) == (200, b"")
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-allow-methods"] == "POST"
    assert response.headers["access-control-allow-headers"] == "x-amz-target,content-type"
    assert response.headers["access-control-max-age"] == "172800"
    response = wire.call("ListTables", {}, origin="http://page")
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "target",
    ["", "-", "ListTables", "DynamoDB_20120810.", "DynamoDB_20120810.NoSuch",
     "DynamoDB_20111205.ListTables", "DynamoDBStreams_20120810.ListTables", "\xff"],
)
def test_an_unknown_target_is_an_unknown_operation(wire: Wire, target: str) -> None:
    data = request_bytes("ListTables", {}, x_amz_target=target).decode().encode("latin-1")
    wire.send(data)
    response = wire.read()
    assert response.status == 400
    assert response.json() == {"__type": "com.amazon.coral.service#UnknownOperationException"}


# ---- for whom ------------------------------------------------------------------------------------


# ARNs name the Region that a request is signed for; nothing else of a signature is looked at.
@pytest.mark.parametrize(
    ("authorization", "start"),
    [
        ("AWS4-HMAC-SHA256 Credential=K/20260101/eu-west-1/dynamodb/aws4_request, "
         "SignedHeaders=host, Signature=00", "arn:aws:dynamodb:eu-west-1:000000000000:"),
        ("AWS4-HMAC-SHA256 Credential=K/20260101/cn-north-1/dynamodb/aws4_request,Signature=0",
         "arn:aws-cn:dynamodb:cn-north-1:"),
        ("AWS4-HMAC-SHA256 Credential=K/20260101/us-gov-west-1/dynamodb/aws4_request,Signature=0",
         "arn:aws-us-gov:dynamodb:us-gov-west-1:"),
        ("AWS4-HMAC-SHA256 Credential=K/20260101/../dynamodb/aws4_request,x",
         "arn:aws:dynamodb:us-east-1:"),
        ("nonsense", "arn:aws:dynamodb:us-east-1:"),
        ("-", "arn:aws:dynamodb:us-east-1:"),
    ],
)
def test_arns_name_the_region_of_the_signature(
    wire: Wire, authorization: str, start: str
) -> None:
    for _ in range(2):
        response = wire.call("DescribeTable", {"TableName": "things"}, authorization=authorization)
        assert response.json()["Table"]["TableArn"].startswith(start)
    # A table may be called by the ARN that was answered.
    arn = response.json()["Table"]["TableArn"]
    again = wire.call("DescribeTable", {"TableName": arn}, authorization=authorization)
    assert again.json()["Table"]["TableArn"] == arn


def test_the_region_of_one_request_is_not_that_of_the_next(
    wire: Wire, db: hashrange.Database
) -> None:
    scope = "AWS4-HMAC-SHA256 Credential=K/20260101/eu-west-1/dynamodb/aws4_request, S=0"
    wire.call("DescribeTable", {"TableName": "things"}, authorization=scope)
    response = wire.call("DescribeTable", {"TableName": "things"})
    assert ":us-east-1:" in response.json()["Table"]["TableArn"]
    described = db.execute("DescribeTable", {"TableName": "things"})["Table"]
    assert ":us-east-1:" in described["TableArn"]
