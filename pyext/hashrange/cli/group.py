"""The group that all commands belong to, in the order in which its help lists them."""

from __future__ import annotations

import click

import hashrange
from hashrange.cli import (
    demonstration,
    inspection,
    items,
    rates,
    reads,
    server,
    statements,
    transfer,
)
from hashrange.cli.command import Commands

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(
    cls=Commands,
    context_settings=SETTINGS,
    epilog="PATH is a database's directory. `hashrange COMMAND --help` has examples. "
    "Exit status: 0 all is well, 1 the answer is no (damage, no such table or item, a condition "
    "that was false), 2 the command could not be carried out.",
)
@click.version_option(hashrange.__version__, prog_name="hashrange")
def root() -> None:
    """An embedded engine with DynamoDB's data model: look into its databases, and use them."""


for module in (inspection, items, reads, statements, transfer, server, rates, demonstration):
    for command in module.COMMANDS:
        root.add_command(command)
