"""The command sql: one PartiQL statement, several from a pipe, or a prompt.

Theory of operation. Statements end with a semicolon outside quotes and comments. A reader's handle
runs SELECTs, beside whatever process writes the database; for a statement that writes the database
is opened for as long as the statement runs, so that a prompt left open locks nobody out.

The prompt uses Python's readline: history in the user's state directory, completion of keywords,
tables and indexes. Lines are gathered until a semicolon. Ctrl-C drops what was typed, Ctrl-D
leaves.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

import hashrange
from hashrange.cli.access import directory, key_names, path_argument, reading, writing
from hashrange.cli.command import FINE, command, complain, words_of
from hashrange.cli.inspection import describe, indexes_of, tables
from hashrange.cli.output import ROWS_SHOWN, Output, note, output_options, typed_option
from hashrange.cli.reads import limit_of, show_items
from hashrange.cli.values import parse_value
from hashrange.exchange.typed import Item, typed_value

SCRIPT_BYTES_MAX = 64 << 20
HISTORY_LINES = 2000
PROMPT = "hashrange> "
PROMPT_MORE = "      ...> "
TABLE_FOLLOWS = ("from", "into", "update")
WORDS = (
    "SELECT", "FROM", "WHERE", "INSERT INTO", "VALUE", "UPDATE", "SET", "REMOVE", "DELETE FROM",
    "AND", "OR", "NOT", "IN", "BETWEEN", "IS", "MISSING", "NULL", "ORDER BY", "ASC", "DESC",
    "RETURNING", "ALL OLD", "ALL NEW", "MODIFIED OLD", "MODIFIED NEW", "begins_with", "contains",
    "attribute_type", "size", "EXISTS",
)
HELP = """A statement ends with a semicolon and may take several lines:
  SELECT * FROM orders WHERE customer = 'ada';
  SELECT ts, total FROM "orders"."by_status" WHERE status = 'paid';
  INSERT INTO orders VALUE {'customer': 'ada', 'ts': 1};
  UPDATE orders SET total = 5 WHERE customer = 'ada' AND ts = 1;
  DELETE FROM orders WHERE customer = 'ada' AND ts = 1;
.tables         the tables
.describe NAME  one table
.help           this
.quit           leave, as does Ctrl-D"""

# What cannot end a statement, or a semicolon.
PIECE = re.compile(
    r"'(?:[^']|'')*(?:'|\Z)|\"(?:[^\"]|\"\")*(?:\"|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)|(?P<end>;)|.",
    re.DOTALL,
)
WRITING = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*+(?:insert|update|delete)\b", re.I | re.DOTALL)


@command("sql", """
hashrange sql shop.db        # a prompt
hashrange sql shop.db "SELECT * FROM orders WHERE customer = 'ada'"
hashrange sql shop.db "SELECT * FROM orders WHERE customer = ? AND ts > ?" -p ada -p 5
hashrange sql shop.db "DELETE FROM orders WHERE customer = 'ada' AND ts = 1"
hashrange sql shop.db < statements.sql
""")
@path_argument
@click.argument("statement", required=False)
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="JSON",
              help="The value of the next question mark: JSON, or a bare string. May be repeated.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N",
              help=f"Show at most N items; 0: all. Default: all; {ROWS_SHOWN} in a table.")
@typed_option
@output_options
def sql(path: str, statement: str | None, parameters: tuple[str, ...], limit: int | None,
        typed: bool, as_json: bool | None) -> int:
    """Run PartiQL statements: SELECT, INSERT, UPDATE, DELETE.

    Without STATEMENT they are read from standard input; on a terminal there is a prompt.
    """
    session = Session(path, Output(as_json, typed), limit)
    with session.reader:
        if statement is not None:
            for text in split(statement):
                session.run(text, [typed_value(parse_value(text)) for text in parameters])
            return FINE
        if parameters:
            raise click.UsageError("-p needs a STATEMENT")
        if sys.stdin.isatty():
            return prompt(session)
        for text in split(read_script()):
            session.run(text)
    return FINE


class Session:
    """A database that statements run on, and where their answers go."""

    def __init__(self, path: str, output: Output, limit: int | None) -> None:
        self.path = directory(path)
        self.output = output
        self.limit = limit
        self.reader = reading(path)

    def run(self, statement: str, parameters: Sequence[Item] = ()) -> None:
        """Run one statement and show its rows. Raises the service's errors."""
        if WRITING.match(statement):
            with writing(self.path) as database:
                count = self.show(database, statement, parameters)
            if not count and not self.output.as_json:
                note("done")
        elif not self.show(self.reader, statement, parameters) and not self.output.as_json:
            note("no items")

    def show(self, database: hashrange.Database, text: str, parameters: Sequence[Item]) -> int:
        request: dict[str, Any] = {"Statement": text}
        if parameters:
            request["Parameters"] = list(parameters)
        limit, hint = limit_of(self.output, self.limit)
        return show_items(self.output, rows(database, request), [], limit, hint)


def rows(database: hashrange.Database, request: dict[str, Any]) -> Iterator[Item]:
    """Yield a statement's rows, page by page."""
    while True:
        page = database.execute("ExecuteStatement", request)
        yield from page.get("Items", ())
        if not page.get("NextToken"):
            return
        request = {**request, "NextToken": page["NextToken"]}


# ---- texts ---------------------------------------------------------------------------------------


def read_script() -> str:
    text = sys.stdin.read(SCRIPT_BYTES_MAX + 1)
    if len(text) > SCRIPT_BYTES_MAX:
        raise ValueError(f"more than {SCRIPT_BYTES_MAX:,} characters of statements")
    return text


def split(text: str) -> list[str]:
    """Return the statements of a text, without what is blank."""
    done, rest = split_open(text)
    return [*done, rest] if rest.strip() else done


def split_open(text: str) -> tuple[list[str], str]:
    """Return the statements that end with a semicolon, and what comes after the last of them."""
    done = []
    start = 0
    for piece in PIECE.finditer(text):
        if piece.lastgroup == "end":
            done.append(text[start : piece.start()])
            start = piece.end()
    return [statement for statement in done if statement.strip()], text[start:]


# ---- the prompt ----------------------------------------------------------------------------------


def prompt(session: Session) -> int:
    """Read statements from the terminal until the end of input."""
    history = open_history(session.reader)
    note(f"hashrange {hashrange.__version__}; .help explains, Ctrl-D leaves")
    typed = ""
    try:
        while True:
            try:
                typed += input(PROMPT_MORE if typed.strip() else PROMPT) + "\n"
                if typed.startswith(".") and not perform(session, typed.split()):
                    return FINE
                done, typed = ([], "") if typed.startswith(".") else split_open(typed)
                for statement in done:
                    attempt(session, statement)
            except KeyboardInterrupt:
                typed = ""
                click.echo(err=True)
            except EOFError:
                click.echo(err=True)
                return FINE
    finally:
        if history is not None:
            save_history(history)


def attempt(session: Session, statement: str) -> None:
    """Run a statement; what is wrong with it is said, and the prompt goes on."""
    try:
        session.run(statement)
    except (hashrange.Error, OSError, ValueError) as error:
        complain(words_of(error))


def perform(session: Session, words: list[str]) -> bool:
    """Carry out a line that begins with a dot; False: leave."""
    try:
        match words:
            case [".quit" | ".exit"]:
                return False
            case [".tables"]:
                assert tables.callback is not None
                tables.callback(session.path, False)
            case [".describe", name]:
                assert describe.callback is not None
                describe.callback(session.path, name, False)
            case [".help"]:
                note(HELP)
            case _:
                complain("lines with a dot are .tables, .describe NAME, .help and .quit")
    except (hashrange.Error, OSError, ValueError) as error:
        complain(words_of(error))
    return True


def history_path() -> Path:
    """Return where the prompt keeps its history."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "hashrange" / "history"


def open_history(database: hashrange.Database) -> Path | None:
    """Prepare line editing; return the history's file, None without readline."""
    try:
        import readline
    except ImportError:
        return None
    path = history_path()
    try:
        readline.read_history_file(path)
    except OSError:
        pass            # there is none yet
    readline.set_history_length(HISTORY_LINES)
    readline.set_completer_delims(" \t\n,;(){}[]=<>+-*")
    readline.set_completer(Completer(database).complete)
    readline.parse_and_bind("tab: complete")
    return path


def save_history(path: Path) -> None:
    import readline

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        readline.write_history_file(path)
    except OSError as error:
        complain(f"the history was not kept: {error}")


class Completer:
    """Completes keywords and names of keys, and where a table is due, tables and indexes."""

    def __init__(self, database: hashrange.Database) -> None:
        self.database = database
        self.matches: list[str] = []

    def complete(self, text: str, state: int) -> str | None:
        """Return the match number `state` of a word, as readline asks; None: no more."""
        if state == 0:
            try:
                import readline

                before = readline.get_line_buffer()[: readline.get_begidx()]
                self.matches = [f"{match} " for match in self.find(text, before)]
            except hashrange.Error:
                self.matches = []
        return self.matches[state] if state < len(self.matches) else None

    def find(self, text: str, before: str) -> list[str]:
        """Return what a word may become that comes after `before`."""
        small = text.lower()
        if before.lower().split()[-1:] and before.lower().split()[-1] in TABLE_FOLLOWS:
            known = self.sources()
        else:
            known = [word.lower() if text.islower() else word for word in WORDS] + self.keys()
        return [
            word for word in known
            if word.lower().startswith(small) or word.lower().startswith(f'"{small}')
        ]

    def sources(self) -> list[str]:
        """Return tables and indexes, as a statement writes them."""
        names = []
        for name in self.database.tables():
            described = self.database.execute("DescribeTable", {"TableName": name})["Table"]
            names.append(written(name))
            names += [f'"{name}"."{index["IndexName"]}"' for index in indexes_of(described)]
        return names

    def keys(self) -> list[str]:
        """Return the names of the tables' keys, as a statement writes them."""
        tables_there = map(self.database.table, self.database.tables())
        keys = (name for table in tables_there for name, _ in key_names(table))
        return [written(name) for name in dict.fromkeys(keys)]


def written(name: str) -> str:
    """Return a name as a statement writes it: in quotes unless it is a plain word."""
    if re.match(r"[A-Za-z_$][\w$]*\Z", name, re.A):
        return name
    return '"' + name.replace('"', '""') + '"'


COMMANDS = (sql,)
