"""Commands that look at a database: tables, describe, stats, verify; and salvage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import hashrange
from hashrange.cli.access import (
    directory,
    key_names,
    path_argument,
    plural,
    reading,
    table_argument,
    table_of,
)
from hashrange.cli.command import FINE, NO, command
from hashrange.cli.output import Output, note, output_options

ERRORS_SHOWN = 50       # of a long list, in the table; --json has all


@command("tables", """
hashrange tables shop.db
hashrange tables shop.db --json | jq -r .name
""")
@path_argument
@output_options
def tables(path: str, as_json: bool | None) -> None:
    """List the tables: keys, number of items, size, indexes."""
    output = Output(as_json)
    with reading(path) as database:
        answers = [table_answer(database, name) for name in database.tables()]
    if output.as_json:
        for answer in answers:
            output.record(answer)
    elif answers:
        output.table("", ("table", "keys", "items", "bytes", "indexes"), [
            (answer["name"], shown_keys(answer), f"{answer['items']:,}",
             f"{answer['size_bytes']:,}", ", ".join(answer["indexes"]))
            for answer in answers
        ], right="23")
    else:
        note("no tables")


def table_answer(database: hashrange.Database, name: str) -> dict[str, Any]:
    """Return what `tables` says of one table."""
    described = database.execute("DescribeTable", {"TableName": name})["Table"]
    table = database.table(name)
    return {
        "name": name,
        "hash_key": table.hash_key,
        "range_key": table.range_key,
        "items": table.count(),
        "size_bytes": table.size_bytes(),
        "indexes": [index["IndexName"] for index in indexes_of(described)],
    }


def indexes_of(described: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the indexes of a described table, global ones first."""
    return [
        *described.get("GlobalSecondaryIndexes", ()),
        *described.get("LocalSecondaryIndexes", ()),
    ]


def shown_keys(answer: dict[str, Any]) -> str:
    keys = [answer["hash_key"], answer["range_key"]]
    return ", ".join(f"{name} ({kind})" for name, kind in filter(None, keys))


@command("describe", """
hashrange describe shop.db orders
hashrange describe shop.db orders --json | jq .KeySchema
""")
@path_argument
@table_argument
@output_options
def describe(path: str, name: str, as_json: bool | None) -> None:
    """Show one table: keys, indexes, settings. JSON is DescribeTable's."""
    output = Output(as_json)
    with reading(path) as database:
        table = table_of(database, name)
        described = database.execute("DescribeTable", {"TableName": name})["Table"]
        answer, keys = table_answer(database, name), key_names(table)
    if output.as_json:
        output.record(described)
        return
    billing = described.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    output.pairs(name, [
        *((role, f"{key} ({kind})") for role, (key, kind) in zip(("hash key", "range key"), keys,
                                                                strict=False)),
        ("items", answer["items"]),
        ("size, bytes", answer["size_bytes"]),
        ("billing mode", billing),
        ("ARN", described["TableArn"]),
    ])
    kinds = {part["AttributeName"]: part["AttributeType"]
             for part in described["AttributeDefinitions"]}
    indexes = indexes_of(described)
    local = {index["IndexName"] for index in described.get("LocalSecondaryIndexes", ())}
    if indexes:
        output.table("indexes", ("index", "kind", "keys", "projection", "items"), [
            (index["IndexName"], "local" if index["IndexName"] in local else "global",
             ", ".join(f"{part['AttributeName']} ({kinds[part['AttributeName']]})"
                       for part in index["KeySchema"]),
             index["Projection"]["ProjectionType"], f"{index.get('ItemCount', 0):,}")
            for index in indexes
        ], right="4")


@command("stats", """
hashrange stats shop.db
hashrange stats shop.db --json | jq .dead_bytes
""")
@path_argument
@output_options
def stats(path: str, as_json: bool | None) -> None:
    """Show sizes and counters."""
    output = Output(as_json)
    with reading(path) as database:
        answer = dict(database.stats())
    if output.as_json:
        output.record(answer)
    else:
        output.pairs("", answer.items())


@command("verify", """
hashrange verify shop.db
hashrange verify shop.db --json | jq -r '.errors[]'
""")
@path_argument
@output_options
def verify(path: str, as_json: bool | None) -> int:
    """Check every byte of a database; never writes. A writer may go on meanwhile.

    Exit status 1: damage was found.
    """
    output = Output(as_json)
    report = hashrange.verify(directory(path))
    if output.as_json:
        output.record({"ok": report.ok, "errors": report.errors, "checked": report.checked})
    else:
        if report.checked:
            output.table("checked", ("what", "count"), [
                (what, f"{count:,}") for what, count in report.checked.items()
            ], right="1")
        show_errors(report.errors)
        click.echo("clean" if report.ok else "damaged")
    return FINE if report.ok else NO


@command("salvage", """
hashrange salvage broken.db saved.db
""")
@click.argument("source")
@click.argument("target")
@output_options
def salvage(source: str, target: str, as_json: bool | None) -> int:
    """Copy what is whole of a damaged database SOURCE into a new one, TARGET.

    SOURCE is not changed. Exit status 1: something was lost; what, is listed.
    """
    output = Output(as_json)
    directory(source)
    if Path(target).exists() and (not Path(target).is_dir() or any(Path(target).iterdir())):
        raise ValueError(f"{target} exists and is not an empty directory")
    report = hashrange.salvage(source, target)
    if output.as_json:
        output.record({"tables": report.tables, "errors": report.errors})
    else:
        output.table("saved", ("table", "items"), [
            (name, f"{count:,}") for name, count in report.tables.items()
        ], right="1")
        show_errors(report.errors)
        lost = plural(len(report.errors), "error") if report.errors else "nothing was lost"
        click.echo(lost)
    return NO if report.errors else FINE


def show_errors(errors: list[str]) -> None:
    """Print errors, up to so many."""
    for error in errors[:ERRORS_SHOWN]:
        click.echo(f"error: {error}")
    if len(errors) > ERRORS_SHOWN:
        click.echo(f"error: and {len(errors) - ERRORS_SHOWN:,} more (--json lists all)")


COMMANDS = (tables, describe, stats, verify, salvage)
