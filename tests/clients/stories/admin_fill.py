"""A table with one item for the admin interface to show.

Run as: python admin_fill.py URL. Credentials and region come from the environment.
"""

import sys

import boto3

table = boto3.resource("dynamodb", endpoint_url=sys.argv[1]).create_table(
    TableName="admin-orders",
    KeySchema=[{"AttributeName": "customer", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "customer", "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
)
table.wait_until_exists()
table.put_item(Item={"customer": "ada", "total": 3})
print("admin: filled")
