"""The command line as a whole: help, exit statuses, pipes, Ctrl-C, a terminal."""

from __future__ import annotations

import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.conftest import Run, fill_shop, start

import hashrange
from hashrange.cli import main
from hashrange.cli.group import root

SHELL = set("|<>")
OWN_PROCESS = {"serve", "demo", "bench"}
PATIENCE = 120.0            # seconds a busy machine gets


def examples() -> Iterator[tuple[str, str]]:
    for name, command in root.commands.items():
        for line in command.examples.strip().splitlines():
            yield name, line


# ---- help ----------------------------------------------------------------------------------------


def test_every_command_teaches_by_example() -> None:
    for name, command in root.commands.items():
        assert f"hashrange {name}" in command.examples, name
        assert command.help


@pytest.mark.parametrize("name", root.commands)
def test_help_shows_the_examples_as_they_stand(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.status == 0
    for line in root.commands[name].examples.strip().splitlines():
        assert f"  {line}\n" in result.out


def prepare_files(folder: Path) -> None:
    """Make what the examples name, beside shop.db."""
    line = '{"Item": {"customer": {"S": "eve"}, "ts": {"N": "1"}}}\n'
    (folder / "orders.json").write_text(line)
    main(["export", "shop.db", "orders", "orders.json.gz"])
    (folder / "people.csv").write_text("id,name\n1,ann\n")
    (folder / "item.json").write_text('{"customer": "kim", "ts": 1}')
    (folder / "statements.sql").write_text("SELECT * FROM orders; SELECT * FROM readings;")
    export = folder / "AWSDynamoDB" / "01700000000000-0a1b2c3d"
    (export / "data").mkdir(parents=True)
    (export / "data" / "a.json").write_text(line)
    (export / "manifest-files.json").write_text('{"itemCount": 1, "dataFileS3Key": "x/a.json"}\n')
    fill_shop(folder / "broken.db")
    fill_shop(folder / "old.db")
    with hashrange.open("new.db") as database:
        database.create_table("orders", ("customer", "S"), ("ts", "N"))


# What a condition refuses is an answer too: statuses 0 and 1 are fine, 2 is a bad example.
@pytest.mark.parametrize(
    "line",
    [line for name, line in examples() if name not in OWN_PROCESS and not SHELL & set(line)
     and not line.endswith("# a prompt") and not line.startswith("hashrange drop")],
)
def test_the_examples_run(
    shop: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    prepare_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    result = run(*shlex.split(line, comments=True)[1:])
    assert result.status in (0, 1), result.err
    assert "hashrange: no table" not in result.err


def test_the_examples_with_pipes_run(shop: str, run: Run, tmp_path: Path) -> None:
    prepare_files(tmp_path)
    shim = tmp_path / "hashrange"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hashrange "$@"\n')
    shim.chmod(0o755)
    lines = [line for name, line in examples() if SHELL & set(line) and "jq" not in line
             and "'" not in line and name != "serve"]
    assert lines
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}",
                   "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run("set -e\n" + "\n".join(lines), shell=True, env=environment,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ---- statuses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["get", "shop.db", "orders", "ada", "1"], 0),
        (["get", "shop.db", "orders", "ada", "77"], 1),
        (["get", "shop.db", "nowhere", "ada"], 1),
        (["query", "shop.db", "orders", "ada", "--index", "by_colour"], 1),
        (["delete", "shop.db", "orders", "ada", "1", "--condition", "amount = :a",
          "--value", ":a=0"], 1),
        (["get", "shop.db", "orders", "ada"], 2),
        (["get", "shop.db", "orders", "ada", "one"], 2),
        (["tables", "no.db"], 2),
        (["tables", "."], 2),
        (["scan", "shop.db", "orders", "--filter", "amount >"], 2),
        (["unknown"], 2),
        (["scan", "--nonsense"], 2),
    ],
)
def test_the_exit_status_says_what_came_of_it(
    shop: str, run: Run, arguments: list[str], status: int
) -> None:
    result = run(*arguments)
    assert result.status == status
    assert bool(result.err) == bool(status)
    assert "Traceback" not in result.err


def test_damage_is_status_1(shop: str, run: Run) -> None:
    path = Path(shop) / "log-00000001"
    data = bytearray(path.read_bytes())
    data[200] ^= 0xFF
    path.write_bytes(data)
    verified = run("verify", shop)
    assert verified.status == 1
    assert '"ok": false' in verified.out
    assert run("tables", shop).status == 1
    assert "damaged" in run("verify", shop, "--table").out


def test_a_locked_database_is_an_error_for_who_writes(shop: str, run: Run) -> None:
    with hashrange.open(shop):
        refused = run("put", shop, "orders", '{"customer": "a", "ts": 1}')
        assert refused.status == 2
        assert "open for writing" in refused.err
        assert run("get", shop, "orders", "ada", "1").status == 0


def test_an_error_is_one_line(shop: str, run: Run) -> None:
    result = run("put", shop, "orders", '{"customer": 5, "ts": 1}')
    assert result.status == 2
    assert result.err.startswith("hashrange: ")
    assert result.err.count("\n") == 1
    assert result.out == ""


def test_no_command_makes_a_database_by_mistake(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("tables", "stats", "verify"):
        assert run(command, "typo.db").status == 2
    for command in (["put", "typo.db", "orders", "{}"], ["import", "typo.db", "orders", "-"],
                    ["drop", "typo.db", "orders", "--yes"], ["sql", "typo.db", "SELECT 1"]):
        assert run(*command).status == 2
    assert not list(tmp_path.iterdir())


def test_without_its_packages_the_command_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    result = run("--help")
    assert result.status == 2
    assert "pip install 'hashrange[cli]'" in result.err


# ---- processes -----------------------------------------------------------------------------------


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database whose output is more than a pipe takes."""
    monkeypatch.chdir(tmp_path)
    with hashrange.open("large.db") as database:
        table = database.create_table("items", ("id", "N"))
        with table.batch() as batch:
            for number in range(20_000):
                batch.put({"id": number, "text": "x" * 200})
    return "large.db"


@pytest.mark.parametrize("command", ["scan", "export"])
def test_a_reader_that_goes_away_ends_the_command_without_a_word(large: str, command: str) -> None:
    process = start(command, large, "items", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"{")
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141
    process.stderr.close()


@pytest.mark.parametrize("command", ["scan", "export"])
def test_ctrl_c_ends_a_command_cleanly(large: str, command: str) -> None:
    process = start(command, large, "items", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err.strip() == b"hashrange: interrupted"


def test_an_import_that_is_interrupted_keeps_what_came_before(shop: str) -> None:
    process = start("import", shop, "orders", "-", "--durability", "none", stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    # More than a pipe holds: when the last of it is written, the import is under way.
    for number in range(10_000):
        process.stdin.write(b'{"customer": "import", "ts": %d, "text": "%s"}\n'
                            % (number, b"x" * 100))
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert b"interrupted" in err
    with hashrange.open(shop) as database:
        found = [item["ts"] for item in database.table("orders").query("import")]
    assert found == list(range(len(found)))
    assert 0 < len(found) < 10_001
    assert f"{len(found):,} items".encode() in err


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        self.process = start(*arguments, terminal=True, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.shown = b""
        self.taken = 0

    def until(self, words: str) -> str:
        """Read what is shown, up to these words, and return what was shown since the last call."""
        while (end := self.shown.find(words.encode(), self.taken)) < 0:
            ready, _, _ = select.select([self.master], [], [], PATIENCE)
            assert ready, f"{words!r} did not come: {self.shown.decode()}"
            try:
                data = os.read(self.master, 4096)
            except OSError:        # the other side is closed
                data = b""
            assert data, f"{words!r} never came: {self.shown.decode()}"
            self.shown += data
        text = self.shown[self.taken : end].decode()
        self.taken = end + len(words)
        return text

    def write(self, text: str) -> None:
        os.write(self.master, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C when the prompt waits for a key.

        Where it comes while Python looks at the key before, Python has it wait for the next one.
        """
        state = Path(f"/proc/{self.process.pid}/stat")
        deadline = time.monotonic() + PATIENCE
        looks = 0
        while looks < 20:
            looks = looks + 1 if state.read_text().rpartition(")")[2].split()[0] == "S" else 0
            assert time.monotonic() < deadline, f"the prompt never waits: {self.shown.decode()}"
            time.sleep(0.01)
        self.write("\x03")

    def end(self) -> int:
        """Read until the command ends, and return its status."""
        try:
            while data := os.read(self.master, 4096):
                self.shown += data
        except OSError:
            pass
        os.close(self.master)
        return self.process.wait()


def test_a_terminal_gets_tables(shop: str) -> None:
    terminal = Terminal("scan", shop, "readings")
    assert terminal.end() == 0
    assert "degrees" in terminal.shown.decode()
    assert "│" in terminal.shown.decode()


def test_a_terminal_gets_the_first_hundred_and_is_told(large: str) -> None:
    terminal = Terminal("scan", large, "items")
    assert terminal.end() == 0
    assert "the first 100 are shown" in terminal.shown.decode()
    assert terminal.shown.decode().count("x…") == 100


def test_the_prompt_runs_statements_and_survives_errors_and_ctrl_c(shop: str) -> None:
    terminal = Terminal("sql", shop)
    terminal.until("hashrange> ")
    terminal.write("SELECT degrees\n")
    terminal.until("...> ")
    terminal.write("FROM readings;\n")
    assert "-40" in terminal.until("hashrange> ")
    terminal.write("SELECT FROM;\n")
    assert "hashrange: " in terminal.until("\r\nhashrange> ")
    terminal.write("SELECT half a state")
    terminal.until("half a state")
    terminal.interrupt()
    terminal.until("hashrange> ")
    terminal.write(".tables\n")
    assert "readings" in terminal.until("hashrange> ")
    terminal.write("INSERT INTO stock VALUE {'sku': 'mug'};\n")
    terminal.until("done")
    terminal.until("hashrange> ")
    terminal.write("\x04")
    assert terminal.end() == 0
    with hashrange.open(shop) as database:
        assert database.table("stock").get("mug") == {"sku": "mug"}
    history = Path("state", "hashrange", "history").read_text()
    assert "FROM readings;" in history
