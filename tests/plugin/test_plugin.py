"""The pytest plugin, in pytest processes of their own."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

import pytest

import hashrange

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]
MODULE = "hashrange.pytest_plugin"

HAS_CLIENT = hasattr(hashrange.Database, "client")
HAS_SERVE = hasattr(hashrange, "serve")
HAS_PATCH = hasattr(hashrange, "patch")


@pytest.fixture
def outcome(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> object:
    """Run a test file with the plugin and return how many tests passed, failed, and so on."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))

    def run(source: str, *options: str) -> dict[str, int]:
        pytester.makepyfile(source)
        result = pytester.runpytest_subprocess("-p", MODULE, "-p", "no:cacheprovider", *options)
        return result.parseoutcomes()

    return run


def test_each_test_has_a_fresh_database(outcome) -> None:
    source = """
        import hashrange
        import pytest

        kept = []

        @pytest.mark.parametrize("round", range(3))
        def test_fresh(hashrange_db, round):
            assert isinstance(hashrange_db, hashrange.Database)
            assert hashrange_db.tables() == []
            table = hashrange_db.create_table("items", ("id", "S"))
            table.put({"id": "a"})
            kept.append(hashrange_db)

        def test_closed():
            for database in kept:
                with pytest.raises(hashrange.DatabaseClosed):
                    database.tables()
    """
    assert outcome(source) == {"passed": 4}


# Projects that only have it installed pay for nothing but the package itself.
def test_the_plugin_imports_nothing_heavy(outcome) -> None:
    source = """
        import sys

        def test_light():
            heavy = {"asyncio", "boto3", "botocore", "click", "rich", "hashrange.ops",
                     "hashrange.cli", "hashrange.demo", "hashrange.client", "hashrange.endpoint"}
            assert "hashrange.pytest_plugin" in sys.modules
            assert heavy & set(sys.modules) == set()
    """
    assert outcome(source) == {"passed": 1}


def test_warnings_as_errors_are_fine(outcome) -> None:
    source = """
        def test_it(hashrange_db):
            hashrange_db.execute("ListTables", {})
    """
    assert outcome(source, "-W", "error") == {"passed": 1}


@pytest.mark.skipif(not HAS_CLIENT, reason="needs Database.client")
def test_the_client_and_the_resource_share_the_database(outcome) -> None:
    source = """
        def test_shared(hashrange_db, dynamodb_client, dynamodb_resource):
            hashrange_db.create_table("items", ("id", "S"))
            dynamodb_client.put_item(TableName="items", Item={"id": {"S": "a"}})
            dynamodb_resource.Table("items").put_item(Item={"id": "b"})
            assert hashrange_db.table("items").count() == 2
    """
    assert outcome(source) == {"passed": 1}


@pytest.mark.skipif(not HAS_SERVE, reason="needs hashrange.serve")
def test_the_endpoint_serves_the_database(outcome) -> None:
    pytest.importorskip("httptools")
    source = """
        import json
        import urllib.request

        def test_served(hashrange_db, dynamodb_endpoint):
            hashrange_db.create_table("items", ("id", "S"))
            request = urllib.request.Request(dynamodb_endpoint, b"{}", {
                "X-Amz-Target": "DynamoDB_20120810.ListTables",
                "Content-Type": "application/x-amz-json-1.0",
            })
            with urllib.request.urlopen(request) as response:
                assert json.load(response) == {"TableNames": ["items"]}
    """
    assert outcome(source) == {"passed": 1}


@pytest.mark.skipif(not HAS_PATCH, reason="needs hashrange.patch")
def test_boto3_uses_the_database(outcome) -> None:
    pytest.importorskip("boto3")
    source = """
        import boto3

        def test_patched(hashrange_db, patched_boto3):
            assert patched_boto3 is hashrange_db
            hashrange_db.create_table("items", ("id", "S"))
            client = boto3.client("dynamodb", region_name="eu-west-1")
            client.put_item(TableName="items", Item={"id": {"S": "a"}})
            assert hashrange_db.table("items").get("a") == {"id": "a"}
    """
    assert outcome(source) == {"passed": 1}


# As pip leaves it: pytest finds it without being told, and once, even when it is told.
@pytest.mark.parametrize("options", [(), ("-p", MODULE)])
def test_an_installed_plugin_is_found(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path_factory, options
) -> None:
    site = tmp_path_factory.mktemp("site")
    info = site / "hashrange-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hashrange\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[pytest11]\n{MODULE} = {MODULE}\n")
    (info / "RECORD").write_text("hashrange/__init__.py,,\nhashrange/pytest_plugin.py,,\n")
    path = [str(site), *(path for path in sys.path if path)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    pytester.makepyfile("def test_it(hashrange_db):\n    assert hashrange_db.tables() == []\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error", *options)
    result.assert_outcomes(passed=1)


# Its name is its module's: then `-p` and the entry point are the same plugin, loaded once.
def test_the_entry_point_names_the_module() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {MODULE: MODULE}
    assert project["optional-dependencies"]["test"] == ["pytest>=8.2"]
