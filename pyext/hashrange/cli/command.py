"""Commands that show examples in their help, and what becomes of their errors.

Theory of operation. A command's function returns its exit status. `run` is the only place that
catches: the package's errors, the system's and bad values become one line on standard error and a
status; a mistake in the command line is click's to explain. Ctrl-C ends a command where it stands,
after what it had opened is closed. A reader that goes away (`| head`) ends it without a word.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click

import hashrange
from hashrange import errors

FINE = 0
NO = 1              # damage; no such table or item; a condition that was false
FAILED = 2
INTERRUPTED = 130   # 128 and the signal's number, as a shell reports it
PIPE_CLOSED = 141

ANSWERS_OF_NO = (errors.CorruptError, errors.ResourceNotFound, errors.ConditionalCheckFailed)


class PipeClosedError(Exception):
    """Who read the output has gone."""


class Command(click.Command):
    """A command with examples at the end of its help."""

    def __init__(self, *arguments: Any, examples: str = "", **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they stand."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples.strip().splitlines():
                    formatter.write(f"{'':>{formatter.current_indent}}{line}".rstrip() + "\n")
        super().format_epilog(ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it printed has arrived when this returns."""
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # click would exit with status 1, which means something else here.
            raise PipeClosedError from None
        return status


class Commands(click.Group):
    """The group of all commands, listed in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names."""
        return list(self.commands)


def command(name: str, examples: str = "") -> Callable[[Callable[..., Any]], Command]:
    """Return a decorator that makes a command of a function, its docstring the help."""
    return click.command(name, cls=Command, examples=examples)


def run(root: click.Command, arguments: list[str] | None) -> int:
    """Carry out one command line and return the exit status."""
    try:
        status = root.main(arguments, prog_name="hashrange", standalone_mode=False)
        return status if isinstance(status, int) else FINE
    except click.ClickException as error:
        error.show()
        return FAILED
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        return INTERRUPTED
    except PipeClosedError:
        forget_output()
        return PIPE_CLOSED
    except (hashrange.Error, OSError, ValueError) as error:
        complain(words_of(error))
        return NO if isinstance(error, ANSWERS_OF_NO) else FAILED


def words_of(error: BaseException) -> str:
    """Return what an error says, on one line."""
    if isinstance(error, KeyError) and error.args:
        text = str(error.args[0])
    elif isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    else:
        text = str(error)
    line = " ".join(text.split()) or type(error).__name__
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def complain(text: str) -> None:
    """Write one line to standard error."""
    click.echo(f"hashrange: {text}", err=True)


def forget_output() -> None:
    """Let what Python writes at its exit go nowhere."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        return      # not a file, so nothing is written to it at the exit
