"""The AWS command line: create, wait, write, read, pages, statements, refusals.

Run as: python awscli_story.py URL, by the Python of the environment that has `aws`.
"""

import json
import os
import subprocess
import sys

AWS = os.path.join(os.path.dirname(sys.executable), "aws")


def aws(*words, fails=None):
    """Run `aws dynamodb ...`; return its JSON, or check the error it must end with."""
    done = subprocess.run(
        [sys.executable, AWS, "--endpoint-url", sys.argv[1], "--output", "json", "dynamodb",
         *words],
        capture_output=True, text=True, check=False,
    )
    if fails is not None:
        assert done.returncode in (254, 255), (words, done.returncode, done.stderr)
        assert fails in done.stderr, done.stderr
        return None
    assert done.returncode == 0, (words, done.stderr)
    return json.loads(done.stdout) if done.stdout.strip() else None


TABLE = ("--table-name", "cli-orders")
aws("create-table", *TABLE, "--billing-mode", "PAY_PER_REQUEST",
    "--attribute-definitions", "AttributeName=id,AttributeType=S",
    "--key-schema", "AttributeName=id,KeyType=HASH")
aws("wait", "table-exists", *TABLE)
described = aws("describe-table", *TABLE)["Table"]
assert described["TableStatus"] == "ACTIVE"
aws("put-item", *TABLE, "--item", '{"id": {"S": "a"}, "n": {"N": "1.50"}, "b": {"B": "AAH/"}}')
# This version of the command takes text for B and encodes it.
got = aws("get-item", *TABLE, "--key", '{"id": {"S": "a"}}', "--consistent-read")["Item"]
assert got == {"id": {"S": "a"}, "n": {"N": "1.5"}, "b": {"B": "QUFILw=="}}, got
requests = {"cli-orders": [{"PutRequest": {"Item": {"id": {"S": f"x{n}"}, "n": {"N": str(n)}}}}
                           for n in range(20)]}
assert aws("batch-write-item", "--request-items", json.dumps(requests))["UnprocessedItems"] == {}
assert aws("scan", *TABLE, "--page-size", "3")["Count"] == 21
first = aws("scan", *TABLE, "--max-items", "4")
assert len(first["Items"]) == 4
rest = aws("scan", *TABLE, "--starting-token", first["NextToken"])
assert len(rest["Items"]) == 17
updated = aws("update-item", *TABLE, "--key", '{"id": {"S": "a"}}', "--update-expression",
              "SET n = n + :one", "--expression-attribute-values", '{":one": {"N": "1"}}',
              "--return-values", "ALL_NEW")
assert updated["Attributes"]["n"] == {"N": "2.5"}
rows = aws("execute-statement", "--statement", "SELECT * FROM \"cli-orders\" WHERE id = 'x7'")
assert rows["Items"] == [{"id": {"S": "x7"}, "n": {"N": "7"}}]
aws("put-item", *TABLE, "--item", '{"id": {"S": "a"}}', "--condition-expression",
    "attribute_not_exists(id)", fails="ConditionalCheckFailedException")
aws("put-item", *TABLE, "--item", '{"no": {"S": "a"}}', fails="ValidationException")
aws("get-item", "--table-name", "cli-nothing", "--key", '{"id": {"S": "a"}}',
    fails="ResourceNotFoundException")
assert "cli-orders" in aws("list-tables")["TableNames"]
aws("delete-table", *TABLE)
aws("wait", "table-not-exists", *TABLE)
print("awscli: all is well")
