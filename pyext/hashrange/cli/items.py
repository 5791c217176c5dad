"""Commands for tables and single items: create, drop, get, put, delete."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

import hashrange
from hashrange.cli.access import (
    durability_option,
    key_names,
    path_argument,
    plural,
    reading,
    room_for_database,
    table_argument,
    table_of,
    writing,
)
from hashrange.cli.command import FINE, NO, command, complain
from hashrange.cli.output import Output, note, output_options, typed_option
from hashrange.cli.values import (
    Keys,
    key_of,
    parse_item,
    parse_key_schema,
    parse_names,
    parse_values,
)
from hashrange.exchange.typed import typed_value

Function = TypeVar("Function", bound=Callable[..., Any])

ITEM_TEXT_BYTES_MAX = 16 << 20


def placeholder_options(function: Function) -> Function:
    """Add --name and --value."""
    function = click.option(
        "--value", "values", multiple=True, metavar=":V=JSON",
        help="A placeholder's value: JSON, or a bare string. May be repeated.",
    )(function)
    return click.option(
        "--name", "names", multiple=True, metavar="#N=NAME",
        help="A placeholder's attribute name. May be repeated.",
    )(function)


def condition_options(function: Function) -> Function:
    """Add --condition, --name and --value."""
    return click.option("--condition", help="Write only if this expression is true.")(
        placeholder_options(function)
    )


@command("create", """
hashrange create shop.db carts --hash-key customer
hashrange create shop.db visits --hash-key customer --range-key ts:N
hashrange create shop.db sales --hash-key id --index by_status=status,ts:N --index by_day=day
""")
@path_argument
@table_argument
@click.option("--hash-key", required=True, metavar="NAME[:TYPE]", help="Type S (default), N or B.")
@click.option("--range-key", metavar="NAME[:TYPE]", help="The sort key, if there is to be one.")
@click.option("--index", "indexes", multiple=True, metavar="NAME=HASH[:TYPE][,RANGE[:TYPE]]",
              help="A global secondary index with all attributes. May be repeated.")
def create(path: str, name: str, hash_key: str, range_key: str | None,
           indexes: tuple[str, ...]) -> None:
    """Create a table, and the database if there is none."""
    room_for_database(path)
    keys = [parse_key_schema(key) for key in (hash_key, range_key) if key is not None]
    views = dict(map(parse_index, indexes))
    if len(views) < len(indexes):
        raise click.UsageError("an index is named twice")
    kinds = {part for parts in (keys, *views.values()) for part in parts}
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": key, "AttributeType": kind} for key, kind in sorted(kinds)
        ],
        "KeySchema": key_schema(keys),
    }
    if views:
        request["GlobalSecondaryIndexes"] = [
            {"IndexName": index, "KeySchema": key_schema(parts),
             "Projection": {"ProjectionType": "ALL"}}
            for index, parts in views.items()
        ]
    with hashrange.open(path) as database:
        database.execute("CreateTable", request)
    note(f"created {name}")


def parse_index(text: str) -> tuple[str, Keys]:
    """Return name and keys of "by_status=status,ts:N". UsageError."""
    name, equals, keys = text.partition("=")
    parts = [parse_key_schema(key) for key in keys.split(",")]
    if not equals or len(parts) > 2:
        raise click.UsageError(f"--index takes NAME=HASH[:TYPE][,RANGE[:TYPE]], not {text!r}")
    return name, parts


def key_schema(keys: Keys) -> list[dict[str, str]]:
    """Return the KeySchema of a hash key and perhaps a range key."""
    return [
        {"AttributeName": key, "KeyType": role}
        for (key, _), role in zip(keys, ("HASH", "RANGE"), strict=False)
    ]


@command("drop", """
hashrange drop shop.db old_orders
hashrange drop shop.db old_orders --yes
""")
@path_argument
@table_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop(path: str, name: str, yes: bool) -> int:
    """Drop a table with all its items and indexes. Asks before it does."""
    with writing(path) as database:
        table = table_of(database, name)
        question = f"Drop {name} with {plural(table.count(), 'item')}?"
        if not yes and not click.confirm(question, err=True):
            note("nothing was dropped")
            return NO
        database.drop_table(name)
    note(f"dropped {name}")
    return FINE


@command("get", """
hashrange get shop.db orders ada 1
hashrange get shop.db orders ada 1 --typed
hashrange get shop.db readings -- -40       # behind -- a key may begin with a dash
""")
@path_argument
@table_argument
@click.argument("key", nargs=-1, required=True, metavar="HASH [RANGE]")
@typed_option
@output_options
def get(path: str, name: str, key: tuple[str, ...], typed: bool, as_json: bool | None) -> int:
    """Show one item. A binary key is given in base64.

    Exit status 1: there is no such item.
    """
    output = Output(as_json, typed)
    with reading(path) as database:
        keys = key_names(table_of(database, name))
        parts = zip(keys, key_of(key, keys), strict=True)
        wanted = {part: typed_value(value) for (part, _), value in parts}
        item = database.execute("GetItem", {"TableName": name, "Key": wanted}).get("Item")
    if item is None:
        complain(f"no item {', '.join(key)} in {name}")
        return NO
    output.item(item)
    return FINE


@command("put", """
hashrange put shop.db orders '{"customer": "ada", "ts": 1, "amount": 9.99}'
hashrange put shop.db orders '{"customer": {"S": "ada"}, "ts": {"N": "1"}}'
hashrange put shop.db orders - < item.json
hashrange put shop.db orders '{"customer": "ada", "ts": 1}' --condition 'attribute_not_exists(ts)'
hashrange put shop.db stock '{"sku": "tea", "n": 3}' --condition 'n < :n' --value :n=3
""")
@path_argument
@table_argument
@click.argument("item")
@click.option("--typed", is_flag=True, help="ITEM is DynamoDB JSON. Default: found out.")
@condition_options
@durability_option
def put(path: str, name: str, item: str, typed: bool, condition: str | None,
        names: tuple[str, ...], values: tuple[str, ...], durability: str) -> None:
    """Write one item in place of the one with its key.

    ITEM is a JSON object, plain or DynamoDB's, or - to read it from standard input. Many items:
    `hashrange import`. Exit status 1: the condition was false.
    """
    with writing(path, durability) as database:
        table = table_of(database, name)
        text = sys.stdin.read(ITEM_TEXT_BYTES_MAX) if item == "-" else item
        table.put(
            parse_item(text, key_names(table), typed),
            condition=condition,
            names=parse_names(names) or None,
            values=parse_values(values) or None,
        )


@command("delete", """
hashrange delete shop.db orders ada 1
hashrange delete shop.db orders ada 1 --condition 'amount = :a' --value :a=0
""")
@path_argument
@table_argument
@click.argument("key", nargs=-1, required=True, metavar="HASH [RANGE]")
@condition_options
@durability_option
def delete(path: str, name: str, key: tuple[str, ...], condition: str | None,
           names: tuple[str, ...], values: tuple[str, ...], durability: str) -> None:
    """Delete one item; nothing happens when there is none.

    Exit status 1: the condition was false.
    """
    with writing(path, durability) as database:
        table = table_of(database, name)
        table.delete(
            *key_of(key, key_names(table)),
            condition=condition,
            names=parse_names(names) or None,
            values=parse_values(values) or None,
        )


COMMANDS = (create, drop, get, put, delete)
