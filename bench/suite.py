"""A suite of small tests as users have them, on moto's mock and on hashrange: how long each takes.

    python bench/suite.py                     # needs pytest, boto3 and moto[dynamodb]
    python bench/suite.py --backs moto,patch --tests 200 --rounds 3

*What it measures*: `pytest` from start to end, in a process of its own, over the same generated
file of tests. Each test makes a table of its own and puts, reads, queries, updates or is refused by
a condition, through a boto3 client; the fixture that gives the client is all that differs:

    moto      mock_aws() around each test, boto3.client
    patch     the fixture patched_boto3, boto3.client: the same code on hashrange
    client    the fixture dynamodb_client: hashrange's own client, without boto3

*What it does not*: large tables, several processes, other services. Making a boto3 client for each
test is part of it, as it is in such suites.

Rounds are interleaved; the figure is the median, with smallest and largest.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

FIXTURES = {
    "moto": '''
import boto3
import pytest
from moto import mock_aws


@pytest.fixture
def dynamodb():
    with mock_aws():
        yield boto3.client("dynamodb", region_name="us-east-1")
''',
    "patch": '''
import boto3
import pytest


@pytest.fixture
def dynamodb(patched_boto3):
    return boto3.client("dynamodb", region_name="us-east-1")
''',
    "client": '''
import pytest


@pytest.fixture
def dynamodb(dynamodb_client):
    return dynamodb_client
''',
}

HEAD = '''
import pytest

TABLE = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
}


def make_table(dynamodb):
    dynamodb.create_table(TableName="orders", **TABLE)


def order(sk, **attributes):
    return {"pk": {"S": "ada"}, "sk": {"N": str(sk)}, "total": {"N": "9.99"}, **attributes}
'''

TESTS = (
    '''
def test_put_and_get_{number}(dynamodb):
    make_table(dynamodb)
    item = order({number}, tags={{"SS": ["gift", "new"]}})
    dynamodb.put_item(TableName="orders", Item=item)
    key = {{"pk": item["pk"], "sk": item["sk"]}}
    assert dynamodb.get_item(TableName="orders", Key=key)["Item"]["total"] == {{"N": "9.99"}}
''',
    '''
def test_query_{number}(dynamodb):
    make_table(dynamodb)
    for sk in range(10):
        dynamodb.put_item(TableName="orders", Item=order(sk))
    page = dynamodb.query(
        TableName="orders", KeyConditionExpression="pk = :p AND sk BETWEEN :a AND :b",
        ExpressionAttributeValues={{":p": {{"S": "ada"}}, ":a": {{"N": "3"}}, ":b": {{"N": "6"}}}},
    )
    assert [item["sk"]["N"] for item in page["Items"]] == ["3", "4", "5", "6"]
''',
    '''
def test_condition_{number}(dynamodb):
    make_table(dynamodb)
    for _ in range(2):
        try:
            dynamodb.put_item(TableName="orders", Item=order({number}),
                              ConditionExpression="attribute_not_exists(pk)")
            refused = False
        except dynamodb.exceptions.ConditionalCheckFailedException:
            refused = True
    assert refused
''',
    '''
def test_update_{number}(dynamodb):
    make_table(dynamodb)
    dynamodb.put_item(TableName="orders", Item=order({number}))
    answer = dynamodb.update_item(
        TableName="orders", Key={{"pk": {{"S": "ada"}}, "sk": {{"N": "{number}"}}}},
        UpdateExpression="ADD qty :one", ExpressionAttributeValues={{":one": {{"N": "1"}}}},
        ReturnValues="ALL_NEW",
    )
    assert answer["Attributes"]["qty"] == {{"N": "1"}}
''',
)


def write_suite(folder: Path, back: str, count: int) -> None:
    """Write conftest.py and test_orders.py."""
    tests = "\n".join(TESTS[number % len(TESTS)].format(number=number) for number in range(count))
    (folder / "conftest.py").write_text(FIXTURES[back].lstrip())
    (folder / "test_orders.py").write_text(f"{HEAD.lstrip()}\n{tests}")


def run_suite(folder: Path, back: str, count: int) -> float:
    """Run the suite and return the seconds it took; all tests must pass."""
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "pyext"))),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    plugin = [] if back == "moto" else ["-p", "hashrange.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, str(folder)]
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True,
                          check=False)
    seconds = time.perf_counter() - start
    if not re.search(rf"^{count} passed", done.stdout, re.M):
        raise SystemExit(f"{back}: not all passed\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return seconds


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backs", default=",".join(FIXTURES), help="of moto, patch, client")
    parser.add_argument("--tests", type=int, default=200, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all rounds there")
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    backs = options.backs.split(",")
    seconds: dict[str, list[float]] = {back: [] for back in backs}
    with tempfile.TemporaryDirectory(prefix="suite-") as name:
        folders = {back: Path(name, back) for back in backs}
        for back, folder in folders.items():
            folder.mkdir()
            write_suite(folder, back, options.tests)
            run_suite(folder, back, options.tests)     # compiles, fills caches; not counted
        for number in range(options.rounds):
            for back in backs[number % len(backs) :] + backs[: number % len(backs)]:
                seconds[back].append(run_suite(folders[back], back, options.tests))
    versions = {package: version_of(package) for package in ("moto", "boto3", "pytest")}
    print(f"{options.tests} tests, median of {options.rounds} rounds, Python "
          f"{sys.version.split()[0]}, {versions}")
    slowest = max(statistics.median(values) for values in seconds.values())
    for back, values in seconds.items():
        median = statistics.median(values)
        print(f"{back:8} {median:7.2f} s  ({min(values):.2f} to {max(values):.2f})  "
              f"{1e3 * median / options.tests:6.1f} ms a test  {slowest / median:5.1f}x")
    if options.json is not None:
        options.json.write_text(json.dumps({"seconds": seconds, "versions": versions}, indent=2))


def version_of(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


if __name__ == "__main__":
    main()
