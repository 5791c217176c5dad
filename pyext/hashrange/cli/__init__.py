"""The `hashrange` command: look at a database, read, write, import, export, serve and measure it.

Theory of operation. One module a family of commands, each command a function that is given its
arguments and returns an exit status (None is 0). `command` runs them and is the one place where an
error becomes a line of text and a status. `output` shows answers: tables to people on a terminal,
one JSON object a line to everything else. What is no answer (errors, progress, hints) goes to
standard error.

Exit status: 0 all is well; 1 the answer is no (damage, no such table or item, a condition that was
false); 2 the command could not be carried out. 130 and 141: ended by Ctrl-C or a closed pipe.

The package `click` and, for tables, `rich` are needed: the extra `cli`. Nothing else here is.
"""

from __future__ import annotations

import sys

MISSING = """hashrange: the command line needs the packages click and rich.
Install them: pip install 'hashrange[cli]'"""


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command line and return the exit status."""
    try:
        # Only whether they are there.
        import click  # noqa: F401
        import rich  # noqa: F401
    except ImportError:
        print(MISSING, file=sys.stderr)
        return 2
    from hashrange.cli.command import run
    from hashrange.cli.group import root

    return run(root, arguments)
