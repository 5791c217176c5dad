"""boto3's client and resource: tables, items, indexes, pages, transactions, PartiQL, failures.

Run as: python boto3_story.py URL. Credentials and region come from the environment.
"""

import sys
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

client = boto3.client("dynamodb", endpoint_url=sys.argv[1])
resource = boto3.resource("dynamodb", endpoint_url=sys.argv[1])


def refused(code, call, **members):
    """Call, and return the error it must raise."""
    try:
        call(**members)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error
    raise AssertionError(f"{code} was not raised")


table = resource.create_table(
    TableName="boto3-orders",
    KeySchema=[
        {"AttributeName": "customer", "KeyType": "HASH"},
        {"AttributeName": "ts", "KeyType": "RANGE"},
    ],
    AttributeDefinitions=[
        {"AttributeName": "customer", "AttributeType": "S"},
        {"AttributeName": "ts", "AttributeType": "N"},
        {"AttributeName": "status", "AttributeType": "S"},
    ],
    GlobalSecondaryIndexes=[
        {
            "IndexName": "by_status",
            "KeySchema": [
                {"AttributeName": "status", "KeyType": "HASH"},
                {"AttributeName": "ts", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    BillingMode="PAY_PER_REQUEST",
)
table.wait_until_exists()
table.reload()
assert table.table_status == "ACTIVE"
assert table.table_arn.startswith("arn:aws:dynamodb:eu-west-1:")
assert table.creation_date_time.tzinfo is not None
refused("ResourceInUseException", client.create_table, TableName="boto3-orders",
        KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}])

item = {
    "customer": "ada", "ts": 1, "status": "new", "total": Decimal("9.99"), "tags": {"a", "b"},
    "codes": {1, 2}, "raw": b"\x00\xff", "raws": {b"a", b"b"}, "none": None, "yes": True,
    "list": [1, "two", {"three": 3}], "map": {"inner": {"deep": [True]}}, "text": "é€😀",
}
table.put_item(Item=item)
found = table.get_item(Key={"customer": "ada", "ts": 1}, ConsistentRead=True)["Item"]
assert found == {**item, "raw": found["raw"], "raws": found["raws"]}, found
assert found["raw"].value == b"\x00\xff"
assert "Item" not in table.get_item(Key={"customer": "nobody", "ts": 1})

with table.batch_writer(overwrite_by_pkeys=["customer", "ts"]) as batch:
    for number in range(2, 80):
        batch.put_item(Item={"customer": "ada", "ts": number, "status": "paid" if number % 2
                             else "new", "filler": "x" * 20_000})
pages = list(client.get_paginator("query").paginate(
    TableName="boto3-orders", KeyConditionExpression="customer = :c",
    ExpressionAttributeValues={":c": {"S": "ada"}}, ReturnConsumedCapacity="TOTAL",
))
assert len(pages) == 2
assert [int(row["ts"]["N"]) for page in pages for row in page["Items"]] == list(range(1, 80))
assert pages[0]["ConsumedCapacity"]["CapacityUnits"] > 100
newest = table.query(KeyConditionExpression=Key("customer").eq("ada") & Key("ts").between(70, 90),
                     FilterExpression=Attr("status").eq("paid"), ScanIndexForward=False, Limit=5)
assert [row["ts"] for row in newest["Items"]] == [79, 77, 75]
assert newest["LastEvaluatedKey"] == {"customer": "ada", "ts": 75}
by_status = table.query(IndexName="by_status", KeyConditionExpression=Key("status").eq("paid"),
                        Select="COUNT")
assert by_status["Count"] == 39
scanned = [row for page in client.get_paginator("scan").paginate(
    TableName="boto3-orders", PaginationConfig={"PageSize": 7}) for row in page["Items"]]
assert len(scanned) == 79

updated = table.update_item(
    Key={"customer": "ada", "ts": 1}, ReturnValues="UPDATED_NEW",
    UpdateExpression="SET #s = :paid, #m.#i = :v ADD amount :one REMOVE #l[0]",
    ConditionExpression=Attr("status").eq("new") & Attr("tags").contains("a"),
    ExpressionAttributeNames={"#s": "status", "#m": "map", "#i": "inner", "#l": "list"},
    ExpressionAttributeValues={":paid": "paid", ":v": "flat", ":one": 1},
)
assert updated["Attributes"]["amount"] == 1
assert updated["Attributes"]["status"] == "paid"
error = refused(
    "ConditionalCheckFailedException", table.put_item, Item={"customer": "ada", "ts": 1},
    ConditionExpression="attribute_not_exists(customer)",
    ReturnValuesOnConditionCheckFailure="ALL_OLD",
)
assert error.response["Error"]["Message"] == "The conditional request failed"
assert error.response["Item"]["status"] == {"S": "paid"}
refused("ValidationException", table.get_item, Key={"customer": "ada"})
refused("ResourceNotFoundException", client.get_item, TableName="boto3-nothing",
        Key={"a": {"S": "b"}})

key = {"customer": {"S": "ada"}, "ts": {"N": "1"}}
client.transact_write_items(TransactItems=[
    {"Put": {"TableName": "boto3-orders", "Item": {"customer": {"S": "bob"}, "ts": {"N": "1"}}}},
    {"Delete": {"TableName": "boto3-orders", "Key": key}},
])
error = refused("TransactionCanceledException", client.transact_write_items, TransactItems=[
    {"Update": {"TableName": "boto3-orders", "Key": key, "UpdateExpression": "SET a = :a",
                "ExpressionAttributeValues": {":a": {"N": "1"}}}},
    {"ConditionCheck": {"TableName": "boto3-orders", "Key": {**key, "ts": {"N": "-1"}},
                        "ConditionExpression": "attribute_exists(customer)"}},
])
assert [r["Code"] for r in error.response["CancellationReasons"]] == [
    "None", "ConditionalCheckFailed"]
both = client.transact_get_items(TransactItems=[
    {"Get": {"TableName": "boto3-orders", "Key": key}},
    {"Get": {"TableName": "boto3-orders", "Key": {"customer": {"S": "bob"}, "ts": {"N": "1"}}}},
])["Responses"]
assert "Item" not in both[0]
assert both[1]["Item"]["customer"] == {"S": "bob"}
rows = client.execute_statement(
    Statement='SELECT ts FROM "boto3-orders" WHERE customer = ? AND ts > ?',
    Parameters=[{"S": "ada"}, {"N": "77"}])["Items"]
assert rows == [{"ts": {"N": "78"}}, {"ts": {"N": "79"}}]
got = resource.batch_get_item(RequestItems={
    "boto3-orders": {"Keys": [{"customer": "ada", "ts": n} for n in range(1, 50)]}})
assert len(got["Responses"]["boto3-orders"]) == 48

names = [name for page in client.get_paginator("list_tables").paginate(
    PaginationConfig={"PageSize": 1}) for name in page["TableNames"]]
assert "boto3-orders" in names
table.delete()
table.wait_until_not_exists()
refused("ResourceNotFoundException", client.describe_table, TableName="boto3-orders")
print("boto3: all is well")
