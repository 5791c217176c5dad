"""A random statement, written out and parsed, is the same statement."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ddbcore.errors import ValidationError
from hashrange.partiql import (
    IndexSchema,
    TableSchema,
    batch,
    parse_statement,
    plan_statement,
    transaction,
    tree,
)

NAMES = st.one_of(
    st.from_regex(r"[a-z$_][A-Za-z0-9_$]{0,8}", fullmatch=True),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=6),
)
TABLES = st.from_regex(r"[A-Za-z0-9_.-]{3,20}", fullmatch=True)
INDEXES = st.integers(0, 2**31 - 1)
PATHS = st.builds(
    lambda root, rest: tree.Path((root, *rest)), NAMES, st.lists(NAMES | INDEXES, max_size=3)
)
NUMBERS = st.from_regex(r"-?[0-9]{1,5}(\.[0-9]{0,3})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
LITERALS = st.one_of(
    st.builds(lambda text: tree.Literal({"S": text}), st.text(max_size=8)),
    st.builds(lambda text: tree.Literal({"N": text}), NUMBERS),
    st.builds(lambda truth: tree.Literal({"BOOL": truth}), st.booleans()),
    st.just(tree.Literal({"NULL": True})),
    st.just(tree.Missing()),
    st.just(tree.Parameter(0)),
)


def collections(values: Any) -> Any:
    lists = st.lists(values, max_size=3).map(tuple)
    fields = st.tuples(st.builds(lambda key: tree.Literal({"S": key}), NAMES), values)
    return st.one_of(
        st.builds(tree.Array, lists),
        st.builds(tree.Bag, lists),
        st.builds(tree.Struct, st.lists(fields, max_size=3).map(tuple)),
    )


VALUES = st.recursive(LITERALS, collections, max_leaves=5)
OPERANDS = st.one_of(
    PATHS,
    VALUES,
    st.builds(lambda path: tree.Call("size", (path,)), PATHS),
    st.builds(tree.Operation, st.sampled_from("+-"), PATHS, PATHS),
)
OPERATORS = st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "like"])
FUNCTIONS = st.sampled_from(["begins_with", "contains", "attribute_type", "f"])
TESTS = st.one_of(
    st.builds(tree.Operation, OPERATORS, OPERANDS, OPERANDS),
    st.builds(tree.Between, OPERANDS, OPERANDS, OPERANDS),
    st.builds(tree.In, PATHS, st.builds(tree.Array, st.lists(OPERANDS, min_size=1).map(tuple))),
    st.builds(tree.Is, PATHS, st.sampled_from(["missing", "null", "string"])),
    st.builds(lambda name, *arguments: tree.Call(name, arguments), FUNCTIONS, OPERANDS, OPERANDS),
)


def chain(operator: str, parts: list[tree.Expression]) -> tree.Chain:
    """Join parts as the parser does: chains of one operator are one."""
    flat: list[tree.Expression] = []
    for part in parts:
        same = isinstance(part, tree.Chain) and part.operator == operator
        flat += part.parts if same and isinstance(part, tree.Chain) else (part,)
    return tree.Chain(operator, tuple(flat))


CONDITIONS = st.recursive(
    TESTS,
    lambda conditions: st.one_of(
        st.builds(
            chain, st.sampled_from(["and", "or"]), st.lists(conditions, min_size=2, max_size=3)
        ),
        st.builds(tree.Not, conditions),
    ),
    max_leaves=6,
)
WHERE = st.none() | CONDITIONS
RETURNING = st.sampled_from([None, "ALL OLD", "ALL NEW", "MODIFIED OLD", "MODIFIED NEW"])
SOURCES = st.builds(tree.Source, TABLES, st.none() | NAMES)
TABLE_SOURCES = st.builds(tree.Source, TABLES)
COLUMNS = st.none() | st.lists(
    NAMES.map(lambda name: tree.Path((name,))), min_size=1, max_size=3, unique=True
).map(tuple)
ORDERS = st.lists(st.builds(tree.OrderKey, NAMES, st.booleans()), max_size=2).map(tuple)
SET_VALUES = st.one_of(
    OPERANDS, st.builds(lambda *each: tree.Call("list_append", each), PATHS, VALUES)
)
ACTIONS = st.lists(
    st.builds(tree.Assignment, PATHS, SET_VALUES) | st.builds(tree.Removal, PATHS),
    min_size=1,
    max_size=4,
).map(tuple)
SELECTS = st.builds(tree.Select, SOURCES, COLUMNS, WHERE, ORDERS)
STATEMENTS = st.one_of(
    SELECTS,
    st.builds(
        tree.Insert, TABLE_SOURCES, VALUES.filter(lambda node: isinstance(node, tree.Struct))
    ),
    st.builds(tree.Update, TABLE_SOURCES, ACTIONS, WHERE, RETURNING),
    st.builds(tree.Delete, TABLE_SOURCES, WHERE, RETURNING),
    st.builds(tree.Exists, SELECTS),
)


class Printer:
    """Write a statement out, spaces and the case of keywords chosen by chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.parameter_count = 0

    def word(self, text: str) -> str:
        return self.chance.choice((text.upper(), text.lower(), text.title()))

    def name(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def path(self, path: tree.Path) -> str:
        root, *rest = path.elements
        return self.name(str(root)) + "".join(
            f"[{element}]" if isinstance(element, int) else f".{self.name(element)}"
            for element in rest
        )

    def literal(self, node: tree.Literal) -> str:
        kind, content = next(iter(node.value.items()))
        if kind == "S":
            return "'" + content.replace("'", "''") + "'"
        if kind == "N":
            return content
        return self.word(str(content)) if kind == "BOOL" else self.word("null")

    def all(self, nodes: tuple[Any, ...]) -> str:
        return self.chance.choice((",", " , ", ",\n")).join(map(self.expression, nodes))

    def inner(self, node: Any) -> str:
        """Write what may not be taken apart by the operators around it."""
        text = self.expression(node)
        simple = isinstance(node, tree.Path | tree.Literal | tree.Parameter | tree.Missing)
        return text if simple and self.chance.random() < 0.9 else f"({text})"

    def expression(self, node: Any) -> str:
        match node:
            case tree.Literal():
                return self.literal(node)
            case tree.Missing():
                return self.word("missing")
            case tree.Parameter():
                self.parameter_count += 1
                return "?"
            case tree.Path():
                return self.path(node)
            case tree.Array():
                return f"[{self.all(node.items)}]"
            case tree.Bag():
                return f"<< {self.all(node.items)} >>"
            case tree.Struct():
                pairs = [(self.expression(key), self.expression(each)) for key, each in node.fields]
                fields = (f"{key}: {value}" for key, value in pairs)
                return "{" + ", ".join(fields) + "}"
            case tree.Call():
                return f"{self.word(node.function)}({self.all(node.arguments)})"
            case tree.Operation():
                sides = self.inner(node.left), self.inner(node.right)
                operator = f" {self.word(node.operator)} "
                return operator.join(sides)
            case tree.Chain():
                return f" {self.word(node.operator)} ".join(map(self.inner, node.parts))
            case tree.Not():
                return f"{self.word('not')} {self.inner(node.part)}"
            case tree.Between():
                bounds = self.inner(node.operand), self.inner(node.lower), self.inner(node.upper)
                return "{} between {} and {}".format(*bounds)
            case tree.In():
                opening, closing = self.chance.choice(("[]", "()"))
                candidates = self.all(node.candidates.items)
                return f"{self.inner(node.operand)} in {opening}{candidates}{closing}"
            case tree.Is():
                return f"{self.inner(node.operand)} is {self.word(node.kind)}"
        raise AssertionError(node)

    def source(self, source: tree.Source) -> str:
        table = self.name(source.table)
        return table if source.index is None else f"{table}.{self.name(source.index)}"

    def where(self, node: Any) -> str:
        return "" if node is None else f" {self.word('where')} {self.expression(node)}"

    def statement(self, node: Any) -> str:
        match node:
            case tree.Select():
                columns = "*" if node.columns is None else ", ".join(map(self.path, node.columns))
                order = ", ".join(
                    self.name(key.name)
                    + (" DESC" if key.descending else self.chance.choice(("", " asc")))
                    for key in node.order
                )
                head = f"SELECT {columns} FROM {self.source(node.source)}{self.where(node.where)}"
                return head + (f" ORDER BY {order}" if order else "")
            case tree.Insert():
                return f"INSERT INTO {self.source(node.source)} VALUE {self.expression(node.item)}"
            case tree.Exists():
                return f"EXISTS({self.statement(node.select)})"
            case tree.Delete():
                text = f"DELETE FROM {self.source(node.source)}"
            case tree.Update():
                text = f"UPDATE {self.source(node.source)}"
                for action in node.actions:
                    text += (
                        f" REMOVE {self.path(action.path)}"
                        if isinstance(action, tree.Removal)
                        else f" SET {self.path(action.path)} = {self.expression(action.value)}"
                    )
        text += self.where(node.where)
        return text + (f" RETURNING {node.returning} *" if node.returning else "")


@settings(max_examples=250, deadline=None)
@given(STATEMENTS, st.integers(0, 2**32))
def test_a_statement_written_out_is_parsed_as_it_was(statement: tree.Statement, seed: int):
    printer = Printer(seed)
    text = printer.statement(statement)
    parsed = parse_statement(text)
    assert parsed.parameter_count == printer.parameter_count, text
    assert renumbered(parsed) == renumbered(statement), text


def renumbered(node: Any) -> Any:
    """Return a tree as nested tuples, with every parameter's number and count taken off."""
    if isinstance(node, tuple):
        return tuple(map(renumbered, node))
    if isinstance(node, tree.Parameter):
        return ("Parameter",)
    slots = getattr(node, "__slots__", None)
    if slots is None or isinstance(node, str | int | dict):
        return node
    skipped = ("mark", "first_mark", "parameter_count")
    return (
        type(node).__name__,
        *(renumbered(getattr(node, slot)) for slot in slots if slot not in skipped),
    )


# Few names, so that keys are met; what the schema does not say is the planner's to refuse.
TABLE = TableSchema(
    "Tab",
    ("a",),
    ("b",),
    {"a": "S", "b": "N", "c": "S"},
    {"ix": IndexSchema("ix", ("c",), ("b",), projection="KEYS_ONLY")},
)
FEW = st.sampled_from("abcd").map(lambda name: tree.Path((name,)))
PARAMETERS = [
    {"S": "x"},
    {"N": "1"},
    {"L": [{"S": "x"}, {"N": "2"}]},
    {"B": "eA=="},
    {"NULL": True},
]


def with_few_names(node: Any, draw: Any) -> Any:
    """Return a tree whose paths are a, b, c or d."""
    if isinstance(node, tree.Path):
        return draw(FEW)
    if isinstance(node, tree.Source):
        return tree.Source("Tab", draw(st.sampled_from([None, None, "ix"])))
    if isinstance(node, tuple):
        return tuple(with_few_names(part, draw) for part in node)
    if isinstance(node, tree.OrderKey):
        return tree.OrderKey(draw(st.sampled_from("ab")), node.descending)
    if not hasattr(node, "__slots__") or isinstance(node, str | int | dict):
        return node
    fields = {slot: with_few_names(getattr(node, slot), draw) for slot in node.__slots__}
    return type(node)(**fields)


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_a_statement_is_planned_or_refused(data: Any):
    statement = with_few_names(data.draw(STATEMENTS), data.draw)
    try:
        parsed = parse_statement(Printer(data.draw(st.integers(0, 99))).statement(statement))
        assert parsed.source.table == "Tab"
        parameters = data.draw(
            st.lists(st.sampled_from(PARAMETERS), max_size=parsed.parameter_count + 1)
        )
        plan = plan_statement(parsed, TABLE, parameters)
        transaction.key_of(plan, TABLE.key_names)
        batch.check_plan(plan)
        transaction.check_statements([parsed])
        transaction.check_plan(plan)
    except ValidationError:
        pass
