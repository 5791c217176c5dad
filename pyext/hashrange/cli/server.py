"""The command serve: DynamoDB's HTTP interface to a database, by `hashrange.endpoint`."""

from __future__ import annotations

import importlib
from typing import Any

import click

import hashrange
from hashrange.cli.access import durability_option, room_for_database
from hashrange.cli.command import command
from hashrange.cli.output import note

PORT = 8000


@command("serve", """
hashrange serve shop.db
hashrange serve --memory --port 9000
aws dynamodb list-tables --endpoint-url http://127.0.0.1:8000
""")
@click.argument("path", required=False)
@click.option("--memory", is_flag=True, help="A database in memory, gone when the server ends.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65535),
              help="Port to listen on; 0: any that is free.")
@durability_option
@click.option("--interval-ms", default=50, show_default=True, type=click.IntRange(min=1),
              help='Milliseconds between syncs, with durability "interval".')
def serve(path: str | None, memory: bool, host: str, port: int, durability: str,
          interval_ms: int) -> None:
    """Serve a database over HTTP to any DynamoDB client, until Ctrl-C.

    The database is made if there is none at PATH. Requests need no signature: whoever can reach
    the port can read and write everything.
    """
    if (path is None) != memory:
        raise click.UsageError("give PATH, or --memory")
    if path is not None:
        room_for_database(path)
    what = path or "a database in memory"

    def ready(server: Any) -> None:
        note(f"serving {what} at {server.url} until Ctrl-C")

    try:
        endpoint: Any = importlib.import_module("hashrange.endpoint")
        with hashrange.open(path, durability=durability, interval_ms=interval_ms) as database:
            endpoint.serve_forever(database, host=host, port=port, ready=ready)
    except ImportError as error:
        raise ValueError(
            f"the HTTP endpoint is not installed ({error}): pip install 'hashrange[server]'"
        ) from None
    note("closed")


COMMANDS = (serve,)
