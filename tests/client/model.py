"""What botocore's service model says, in the form of `hashrange.client.facts`.

`python tests/client/model.py` prints the texts of that module anew, for the botocore that is
installed: paste them when the service has grown.
"""

from __future__ import annotations

import textwrap
from typing import Any

import botocore
import botocore.loaders

COLUMNS = 98
INDENT = " "
SCALARS = {
    "string": "str",
    "integer": "int",
    "long": "int",
    "boolean": "bool",
    "double": "float",
    "float": "float",
    "blob": "bytes",
    "timestamp": "time",
}
MARKED = {"ConditionExpression": "condition", "KeyExpression": "keycondition"}


def load(kind: str) -> dict[str, Any]:
    """Return one of botocore's data files of DynamoDB."""
    loaded: dict[str, Any] = botocore.loaders.Loader().load_service_model("dynamodb", kind)
    return loaded


class Model:
    """The service model, read as facts."""

    def __init__(self) -> None:
        self.model = load("service-2")
        self.shapes: dict[str, Any] = self.model["shapes"]
        self.operations: dict[str, Any] = self.model["operations"]

    def structures(self) -> dict[str, str]:
        """Return the members of each structure that is in a request, response or error."""
        names: dict[str, None] = {}
        for operation in self.operations.values():
            for role in ("input", "output"):
                if role in operation:
                    self.kind(operation[role], names)
        for name, shape in self.shapes.items():
            if shape.get("exception"):
                names.setdefault(name)
        texts: dict[str, str] = {}
        while len(texts) < len(names):
            for name in list(names)[len(texts) :]:
                texts[name] = self.members(name, names)
        return texts

    def members(self, name: str, names: dict[str, None]) -> str:
        """Return the members of a structure as text."""
        shape = self.shapes[name]
        required = shape.get("required", ())
        return " ".join(
            f"{member}{'!' if member in required else ''}:{self.kind(reference, names)}"
            for member, reference in shape["members"].items()
        )

    def kind(self, reference: dict[str, Any], names: dict[str, None]) -> str:
        """Return a member's type as text; structures are noted in `names`."""
        name = reference["shape"]
        shape = self.shapes[name]
        least = str(shape["min"]) if "min" in shape else ""
        if shape["type"] in SCALARS:
            if reference.get("idempotencyToken"):
                return f"token{least}"
            return MARKED.get(name, SCALARS[shape["type"]]) + least
        if shape["type"] == "list":
            return f"[{self.kind(shape['member'], names)}]{least}"
        if shape["type"] == "map":
            return f"<{self.kind(shape['key'], names)}:{self.kind(shape['value'], names)}>"
        names.setdefault(name)
        return name

    def plain_operations(self) -> dict[str, tuple[str, str | None]]:
        """Return the structures of each operation's request and response."""
        return {
            name: (operation["input"]["shape"], operation.get("output", {}).get("shape"))
            for name, operation in sorted(self.operations.items())
        }

    def errors(self) -> list[str]:
        """Return the names of the errors."""
        return sorted(name for name, shape in self.shapes.items() if shape.get("exception"))


def paginators() -> dict[str, tuple[Any, ...]]:
    """Return (token in, token out, limit, results, others) of each operation with pages."""
    return {
        name: (
            page["input_token"],
            page["output_token"],
            page.get("limit_key"),
            tuple(results) if isinstance(results := page["result_key"], list) else (results,),
            tuple(page.get("non_aggregate_keys", ())),
        )
        for name, page in sorted(load("paginators-1")["pagination"].items())
    }


def waiters() -> dict[str, tuple[Any, ...]]:
    """Return (operation, seconds, attempts, ((matcher, argument, expected, state), ...))."""
    return {
        name: (
            waiter["operation"],
            waiter["delay"],
            waiter["maxAttempts"],
            tuple(
                (part["matcher"], part.get("argument"), part["expected"], part["state"])
                for part in waiter["acceptors"]
            ),
        )
        for name, waiter in sorted(load("waiters-2")["waiters"].items())
    }


def wrapped(line: str) -> str:
    """Return a line in the width of a source file; a member too long for one is cut behind `:`."""
    words = [word if len(word) < COLUMNS else word.replace(":", ": ") for word in line.split(" ")]
    line = " ".join(words)
    return textwrap.fill(
        line, COLUMNS, subsequent_indent=INDENT, break_long_words=False, break_on_hyphens=False
    )


def main() -> None:
    """Print the texts of `hashrange.client.facts`."""
    model = Model()
    print(f'BOTOCORE_VERSION = "{botocore.__version__}"\n')
    print('STRUCTURES = """\\')
    for name, members in model.structures().items():
        print(wrapped(f"{name} = {members}".rstrip()))
    print('"""\n')
    print('OPERATIONS = """\\')
    for name, (request, response) in model.plain_operations().items():
        usual = (f"{name}Input", f"{name}Output")
        line = f"{name} {request} {response or '-'}"
        print(name if (request, response) == usual else wrapped(line))
    print('"""\n')
    print('ERRORS = """\\')
    print(textwrap.fill(" ".join(model.errors()), COLUMNS))
    print('"""\n')
    print(f"PAGINATORS = {paginators()!r}\n")
    print(f"WAITERS = {waiters()!r}")


if __name__ == "__main__":
    main()
