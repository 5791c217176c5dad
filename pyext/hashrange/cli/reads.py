"""Commands that read many items: query and scan.

Theory of operation. The options become one request of Query or Scan, with placeholders of its own
for the names and values of keys and for projected names, and its pages are gone through until
--limit items have been shown. --limit counts items shown, behind the filter.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

import click

import hashrange
from hashrange.cli.access import key_names, path_argument, reading, table_argument, table_of
from hashrange.cli.command import command
from hashrange.cli.inspection import indexes_of
from hashrange.cli.items import placeholder_options
from hashrange.cli.output import ROWS_SHOWN, Output, note, output_options, typed_option
from hashrange.cli.values import Keys, key_part, parse_names, parse_values, typed_values
from hashrange.exchange.typed import Item, typed_value

Function = TypeVar("Function", bound=Callable[..., Any])
Request = dict[str, Any]

PATH_PART = re.compile(r"(#?[^.\[\]]+)((?:\[\d+\])*)\Z")
PAGE_ITEMS_MAX = 1 << 31


def reading_options(function: Function) -> Function:
    """Add what query and scan have in common."""
    for option in reversed((
        click.option("--index", metavar="NAME", help="Read this secondary index."),
        click.option("--filter", "condition", metavar="EXPRESSION",
                     help="Show only items for which this is true; with --name and --value."),
        click.option("--project", metavar="PATHS", help="Show only these attributes: a,b.c[0]"),
        click.option("--limit", type=click.IntRange(min=0), metavar="N",
                     help=f"Show at most N items; 0: all. Default: all; {ROWS_SHOWN} in a table."),
        click.option("--count", "only_count", is_flag=True, help="Show only how many there are."),
    )):
        function = option(function)
    return placeholder_options(typed_option(output_options(function)))


@command("query", """
hashrange query shop.db orders ada
hashrange query shop.db orders ada --ge 5 --reverse --limit 10
hashrange query shop.db orders ada --between 5 9 --project ts,total
hashrange query shop.db orders paid --index by_status
hashrange query shop.db orders ada --filter 'amount > :a' --value :a=100
hashrange query shop.db orders ada --filter '#s = :s' --name '#s=status' --value :s=paid
""")
@path_argument
@table_argument
@click.argument("hash", nargs=-1, required=True, metavar="HASH")
@click.option("--eq", "equals", multiple=True, metavar="KEY", help="Range key equal to; once more "
              "for the next range attribute of an index that has several.")
@click.option("--ge", metavar="KEY", help="Range key at least.")
@click.option("--gt", metavar="KEY", help="Range key above.")
@click.option("--le", metavar="KEY", help="Range key at most.")
@click.option("--lt", metavar="KEY", help="Range key below.")
@click.option("--between", nargs=2, metavar="KEY KEY", help="Range key from, to, both included.")
@click.option("--begins-with", metavar="PREFIX", help="Range key begins with.")
@click.option("--reverse", is_flag=True, help="From the highest range key to the lowest.")
@reading_options
def query(path: str, name: str, hash: tuple[str, ...], reverse: bool, **options: Any) -> None:
    """Show the items of one hash key, in the order of their range key.

    Keys are given by the table's types, binary in base64. An index with several hash attributes
    takes a HASH for each.
    """
    with reading(path) as database:
        keys, hash_count = source_keys(database, name, options["index"])
        request = read_request(name, options)
        request["KeyConditionExpression"] = key_condition(
            keys, hash_count, hash, range_condition(options), options["equals"], request
        )
        request["ScanIndexForward"] = not reverse
        show(database, "Query", request, keys, options)


@command("scan", """
hashrange scan shop.db orders --limit 5
hashrange scan shop.db orders --filter 'attribute_exists(coupon)' --count
hashrange scan shop.db orders --segment 0/4 > quarter.json
""")
@path_argument
@table_argument
@click.option("--segment", metavar="I/N", help="Only part I of N, from 0 to N-1.")
@reading_options
def scan(path: str, name: str, segment: str | None, **options: Any) -> None:
    """Show all items of a table or index, in no particular order."""
    with reading(path) as database:
        keys, _ = source_keys(database, name, options["index"])
        request = read_request(name, options)
        if segment is not None:
            request["Segment"], request["TotalSegments"] = parse_segment(segment)
        show(database, "Scan", request, keys, options)


# ---- the request ---------------------------------------------------------------------------------


def source_keys(
    database: hashrange.Database, name: str, index: str | None
) -> tuple[Keys, int]:
    """Return name and type of each key of a table or index, and how many are hash keys."""
    table = table_of(database, name)
    if index is None:
        return key_names(table), 1
    described = database.execute("DescribeTable", {"TableName": name})["Table"]
    kinds = {
        part["AttributeName"]: part["AttributeType"] for part in described["AttributeDefinitions"]
    }
    for entry in indexes_of(described):
        if entry["IndexName"] == index:
            schema = entry["KeySchema"]
            keys = [(part["AttributeName"], kinds[part["AttributeName"]]) for part in schema]
            return keys, sum(part["KeyType"] == "HASH" for part in schema)
    there = ", ".join(entry["IndexName"] for entry in indexes_of(described)) or "none"
    raise hashrange.errors.ResourceNotFound(f"{name} has no index {index!r}; there are: {there}")


def read_request(name: str, options: dict[str, Any]) -> Request:
    """Return the members that query and scan have in common."""
    request: Request = {
        "TableName": name,
        "ExpressionAttributeNames": parse_names(options["names"]),
        "ExpressionAttributeValues": typed_values(parse_values(options["values"])),
    }
    if options["index"] is not None:
        request["IndexName"] = options["index"]
    if options["condition"] is not None:
        request["FilterExpression"] = options["condition"]
    if options["only_count"]:
        request["Select"] = "COUNT"
    elif options["project"] is not None:
        request["ProjectionExpression"] = ", ".join(
            projected(path, request) for path in options["project"].split(",")
        )
    return request


def projected(path: str, request: Request) -> str:
    """Return a path with a placeholder for each name, since a name may be a reserved word."""
    parts = []
    for part in path.strip().split("."):
        match = PATH_PART.match(part.strip())
        if match is None:
            raise click.UsageError(f"--project takes paths such as a,b.c[0], not {path!r}")
        name, indexes = match.groups()
        parts.append((name if name.startswith("#") else token_of(name, request)) + indexes)
    return ".".join(parts)


def token_of(name: str, request: Request) -> str:
    """Return a placeholder for a name."""
    names = request["ExpressionAttributeNames"]
    token = next((token for token, known in names.items() if known == name), None)
    if token is None:
        token = f"#_n{len(names)}"
        names[token] = name
    return token


def range_condition(options: dict[str, Any]) -> tuple[str, list[str]] | None:
    """Return the operator and the operands of the condition on the range key; None for none."""
    given = {
        name: options[name]
        for name in ("ge", "gt", "le", "lt", "between", "begins_with")
        if options[name] is not None
    }
    if not given:
        return None
    if set(given) == {"ge", "le"}:
        return "between", [given["ge"], given["le"]]
    if len(given) > 1:
        raise click.UsageError("one condition on the range key, or --ge with --le")
    [(operator, operand)] = given.items()
    return operator, list(operand) if operator == "between" else [operand]


def key_condition(
    keys: Keys, hash_count: int, hashes: tuple[str, ...],
    condition: tuple[str, list[str]] | None, equals: tuple[str, ...], request: Request,
) -> str:
    """Return the KeyConditionExpression; its placeholders go into the request."""
    if len(hashes) != hash_count:
        wanted = ", ".join(f"{name} ({kind})" for name, kind in keys[:hash_count])
        raise click.UsageError(f"HASH is {wanted}; {len(hashes)} given")
    if len(keys) - hash_count < len(equals) + (condition is not None):
        raise click.UsageError("more conditions than the table or index has range keys")
    operands = [*hashes, *equals]
    terms = [
        f"{token_of(key[0], request)} = {value_token(text, key, request)}"
        for key, text in zip(keys, operands, strict=False)
    ]
    if condition is not None:
        operator, texts = condition
        key = keys[len(operands)]
        name = token_of(key[0], request)
        tokens = [value_token(text, key, request) for text in texts]
        signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
        if operator == "between":
            terms.append(f"{name} BETWEEN {tokens[0]} AND {tokens[1]}")
        elif operator == "begins_with":
            terms.append(f"begins_with({name}, {tokens[0]})")
        else:
            terms.append(f"{name} {signs[operator]} {tokens[0]}")
    return " AND ".join(terms)


def value_token(text: str, key: tuple[str, str], request: Request) -> str:
    """Return a placeholder for the value of a key."""
    values = request["ExpressionAttributeValues"]
    token = f":_v{len(values)}"
    values[token] = typed_value(key_part(text, key))
    return token


def parse_segment(text: str) -> tuple[int, int]:
    """Return I and N of "I/N". UsageError."""
    match = re.match(r"(\d{1,7})/(\d{1,7})\Z", text)
    if match is None:
        raise click.UsageError(f"--segment takes I/N, such as 0/4, not {text!r}")
    return int(match.group(1)), int(match.group(2))


# ---- the pages -----------------------------------------------------------------------------------


def show(
    database: hashrange.Database, operation: str, request: Request, keys: Keys,
    options: dict[str, Any],
) -> None:
    """Run the request, page by page, and show what it finds."""
    for member in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        if not request[member]:
            del request[member]
    output = Output(options["as_json"], options["typed"])
    if options["only_count"]:
        show_count(output, pages(database, operation, request))
        return
    limit, hint = limit_of(output, options["limit"])
    if limit is not None and options["condition"] is None:
        request["Limit"] = min(limit + hint, PAGE_ITEMS_MAX - 1)
    items = (item for page in pages(database, operation, request) for item in page["Items"])
    first = [] if options["project"] else [name for name, _ in keys]
    if not show_items(output, items, first, limit, hint) and not output.as_json:
        note("no items")


def limit_of(output: Output, limit: int | None) -> tuple[int | None, bool]:
    """Return how many items to show, None for all, and whether to say that there are more."""
    if limit is None and not output.as_json and sys.stdout.isatty():
        return ROWS_SHOWN, True
    return limit or None, False


def show_items(
    output: Output, items: Iterator[Item], keys: list[str], limit: int | None, hint: bool
) -> int:
    """Show at most `limit` items and return how many they were. hint: say that there are more."""
    count = output.items(islice(items, limit), keys)
    if hint and count == limit and next(items, None) is not None:
        note(f"the first {count} are shown; --limit N shows more, --limit 0 all")
    return count


def pages(database: hashrange.Database, operation: str, request: Request) -> Iterator[Request]:
    """Yield the response for each page."""
    while True:
        page = database.execute(operation, request)
        yield page
        if not page.get("LastEvaluatedKey"):
            return
        request = {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]}


def show_count(output: Output, found: Iterator[Request]) -> None:
    """Show how many items there are, and how many were looked at."""
    count = scanned = 0
    for page in found:
        count += page["Count"]
        scanned += page["ScannedCount"]
    if output.as_json:
        output.record({"count": count, "scanned": scanned})
    else:
        click.echo(f"{count:,}")


COMMANDS = (query, scan)
