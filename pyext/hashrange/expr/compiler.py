"""A tree to a `Program`: the bytecode and symbol tables that `ddbcore.program` runs.

A step is 8 bytes: opcode, a zero, and three little-endian uint16: a, b, c (`ddbcore/steps.pxd`). An
operand is a uint16: kind in the top three bits, index into `names` or `values` below. Conditions
keep one truth register: AND and OR are forward jumps, IN and BETWEEN become comparisons and jumps.
Updates are a stack machine, one action after the other. What depends on the types of values is
written down as checks, which the program makes when it binds.
"""

from __future__ import annotations

import struct
from typing import Any

from ddbcore.program import Program
from ddbcore.projection import Projection
from ddbcore.steps import (
    STEP_ADD_TO,
    STEP_APPEND,
    STEP_BEGINS_WITH,
    STEP_CONTAINS,
    STEP_DEFAULT,
    STEP_DELETE_FROM,
    STEP_EQ,
    STEP_EXISTS,
    STEP_GE,
    STEP_GT,
    STEP_JUMP_IF_FALSE,
    STEP_JUMP_IF_TRUE,
    STEP_LE,
    STEP_LT,
    STEP_MINUS,
    STEP_NE,
    STEP_NOT,
    STEP_PLUS,
    STEP_PUSH,
    STEP_REMOVE,
    STEP_SET,
    STEP_TYPE,
)
from hashrange.expr import parser, tree

_STEP = struct.Struct("<BxHHH")
_COMPARISONS = {
    "=": STEP_EQ,
    "<>": STEP_NE,
    "<": STEP_LT,
    "<=": STEP_LE,
    ">": STEP_GT,
    ">=": STEP_GE,
}
_ATTRIBUTE, _VALUE, _SIZE_ATTRIBUTE, _SIZE_VALUE, _PATH = (kind << 13 for kind in range(5))
_SIZE_PATH = _PATH | _SIZE_ATTRIBUTE

_SCALARS = frozenset("SNB")
_SETS = frozenset(("SS", "NS", "BS"))
_SIZED = frozenset(("S", "B", "SS", "NS", "BS", "L", "M"))


class _Compiler:
    """Steps and symbols of one program."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.values: dict[str, int] = {}
        self.paths: dict[tuple[int, ...], int] = {}
        self.clause = ""
        self.code: list[tuple[int, int, int, int]] = []
        self.checks: list[tuple[int, frozenset[str], str, str]] = []
        self.ranges: list[tuple[int, int, str]] = []
        self.distinct: list[tuple[int, int, str]] = []

    def take_code(self) -> bytes:
        code = b"".join(_STEP.pack(*step) for step in self.code)
        self.code = []
        return code

    def step(self, code: int, a: int = 0, b: int = 0, c: int = 0) -> int:
        self.code.append((code, a, b, c))
        return len(self.code) - 1

    def name(self, name: str) -> int:
        return self.names.setdefault(name, len(self.names))

    def path(self, path: tree.Path) -> tuple[int, ...]:
        """Write a path as programs take it: -1 - n for the name n, and list indexes."""
        return tuple(
            [e if isinstance(e, int) else -1 - self.name(e) for e in path.elements]
        )

    def place(self, path: tree.Path, size: bool = False) -> int:
        """Number an attribute, or what a path below it leads to; or the size() of it."""
        if len(path.elements) == 1:
            kind = _SIZE_ATTRIBUTE if size else _ATTRIBUTE
            return kind | self.name(str(path.elements[0]))
        kind = _SIZE_PATH if size else _PATH
        return kind | self.paths.setdefault(self.path(path), len(self.paths))

    def target(self, path: tree.Path) -> tuple[int, int]:
        """Return what a step that changes something has as `a` and `c`."""
        place = self.place(path)
        below = place - _PATH + 1 if place >= _PATH else 0
        return self.name(str(path.elements[0])), below

    def value(self, value: tree.Value) -> int:
        return self.values.setdefault(value.token, len(self.values))

    def operand(self, operand: tree.Operand) -> int:
        """Number an operand of a condition."""
        if isinstance(operand, tree.Path):
            return self.place(operand)
        if isinstance(operand, tree.Value):
            return _VALUE | self.value(operand)
        inner = operand.arguments[0]
        if isinstance(inner, tree.Path):
            return self.place(inner, size=True)
        assert isinstance(inner, tree.Value)  # the parser refuses size(size(a))
        self.check_type(inner, _SIZED, "operator or function: size")
        return _SIZE_VALUE | self.value(inner)

    def check_type(
        self, operand: tree.Operand, types: frozenset[str], operator: str, suffix: str = ""
    ) -> None:
        """Have the types of a constant checked at bind time."""
        if isinstance(operand, tree.Value):
            prefix = (
                f"Invalid {self.clause}: Incorrect operand type for operator or function; "
                f"{operator}, operand type: "
            )
            self.checks.append((self.value(operand), types, prefix, suffix))

    def check_distinct(self, operator: str, left: tree.Operand, right: tree.Operand) -> None:
        if isinstance(left, tree.Path) and isinstance(right, tree.Path):
            message = (
                f"Invalid {self.clause}: The first operand must be distinct from the remaining "
                f"operands for this operator or function; operator: {operator}, first operand: "
            )
            self.distinct.append((self.place(left), self.place(right), message))

    def condition(self, root: tree.Condition) -> bytes:
        """Emit a condition of any depth: `work` is a stack of nodes to emit and jumps to place."""
        work: list[tuple[str, Any]] = [("emit", root)]
        while work:
            task, what = work.pop()
            if task == "jump":
                code, jumps = what
                jumps.append(self.step(code))
            elif task == "patch":
                self.patch(what)
            elif task == "not":
                self.step(STEP_NOT)
            elif isinstance(what, tree.Not):
                work += (("not", None), ("emit", what.part))
            elif isinstance(what, tree.And | tree.Or):
                every = isinstance(what, tree.And)
                code = STEP_JUMP_IF_FALSE if every else STEP_JUMP_IF_TRUE
                jumps = []
                work.append(("patch", jumps))
                for index in range(len(what.parts) - 1, -1, -1):
                    work.append(("emit", what.parts[index]))
                    if index:
                        work.append(("jump", (code, jumps)))
            else:
                self.predicate(what)
        return self.take_code()

    def patch(self, jumps: list[int]) -> None:
        """Make jumps lead to the next step."""
        for index in jumps:
            code, _, b, c = self.code[index]
            self.code[index] = (code, len(self.code), b, c)

    def predicate(self, node: tree.Condition) -> None:
        if isinstance(node, tree.Comparison):
            self.comparison(node)
        elif isinstance(node, tree.Between):
            self.between(node)
        elif isinstance(node, tree.In):
            self.membership(node)
        elif isinstance(node, tree.Call):
            self.call(node)

    def comparison(self, node: tree.Comparison) -> None:
        self.check_distinct(node.operator, node.left, node.right)
        if node.operator not in ("=", "<>"):
            for side in (node.left, node.right):
                self.check_type(side, _SCALARS, f"operator or function: {node.operator}")
        self.step(_COMPARISONS[node.operator], self.operand(node.left), self.operand(node.right))

    def between(self, node: tree.Between) -> None:
        for side in (node.operand, node.lower, node.upper):
            self.check_type(side, _SCALARS, "operator or function: BETWEEN")
        if isinstance(node.lower, tree.Value) and isinstance(node.upper, tree.Value):
            prefix = f"Invalid {self.clause}: The BETWEEN operator requires "
            self.ranges.append((self.value(node.lower), self.value(node.upper), prefix))
        operand = self.operand(node.operand)
        self.step(STEP_GE, operand, self.operand(node.lower))
        jump = self.step(STEP_JUMP_IF_FALSE)
        self.step(STEP_LE, operand, self.operand(node.upper))
        self.patch([jump])

    def membership(self, node: tree.In) -> None:
        operand = self.operand(node.operand)
        jumps = []
        for index, candidate in enumerate(node.candidates):
            if index:
                jumps.append(self.step(STEP_JUMP_IF_TRUE))
            self.step(STEP_EQ, operand, self.operand(candidate))
        self.patch(jumps)

    def call(self, node: tree.Call) -> None:
        function, arguments = node.function, node.arguments
        first = self.operand(arguments[0])
        if function == "attribute_exists":
            self.step(STEP_EXISTS, first)
            return
        if function == "attribute_not_exists":
            self.step(STEP_EXISTS, first)
            self.step(STEP_NOT)
            return
        self.check_distinct(function, *arguments)
        if function == "begins_with":
            for argument in arguments:
                self.check_type(argument, frozenset("SB"), "operator or function: begins_with")
        elif function == "attribute_type":
            self.check_type(arguments[1], frozenset("S"), "operator or function: attribute_type")
        codes = {
            "begins_with": STEP_BEGINS_WITH,
            "contains": STEP_CONTAINS,
            "attribute_type": STEP_TYPE,
        }
        self.step(codes[function], first, self.operand(arguments[1]))

    def update(self, actions: tuple[tree.Action, ...]) -> bytes:
        for action in actions:
            if isinstance(action, tree.Set):
                self.set_value(action.value)
            name, below = self.target(action.path)
            if isinstance(action, tree.Set):
                self.step(STEP_SET, name, 0, below)
            elif isinstance(action, tree.Remove):
                self.step(STEP_REMOVE, name, 0, below)
            else:
                self.set_operation(action, name, below)
        return self.take_code()

    def set_operation(self, action: tree.Add | tree.Delete, name: int, below: int) -> None:
        adding = isinstance(action, tree.Add)
        operator = "ADD" if adding else "DELETE"
        types = _SETS | {"N"} if adding else _SETS
        suffix = f", typeSet: ALLOWED_FOR_{operator}_OPERAND"
        self.check_type(action.value, types, f"operator: {operator}", suffix)
        code = STEP_ADD_TO if adding else STEP_DELETE_FROM
        self.step(code, name, self.value(action.value), below)

    def set_value(self, value: tree.Operand | tree.Arithmetic) -> None:
        """Leave a SET action's value on the stack; calls nest parser.NESTING_MAX deep at most."""
        if isinstance(value, tree.Arithmetic):
            for side in (value.left, value.right):
                self.check_type(side, frozenset("N"), f"operator or function: {value.operator}")
                self.set_value(side)
            self.step(STEP_PLUS if value.operator == "+" else STEP_MINUS)
        elif isinstance(value, tree.Path):
            self.step(STEP_PUSH, self.place(value))
        elif isinstance(value, tree.Value):
            self.step(STEP_PUSH, _VALUE | self.value(value))
        elif value.function == "if_not_exists" and isinstance(value.arguments[0], tree.Path):
            self.set_value(value.arguments[1])
            self.step(STEP_DEFAULT, self.place(value.arguments[0]))
        else:
            for side in value.arguments:
                self.check_type(side, frozenset("L"), "operator or function: list_append")
                self.set_value(side)
            self.step(STEP_APPEND)


def compile_program(
    update: str | tuple[tree.Action, ...] | None,
    condition: str | tree.Condition | None,
    clause: str = "ConditionExpression",
) -> Program:
    """Compile an update, a condition, or both, to one program.

    update, condition: text, or the tree that the parser would make of it. `clause` names the
    condition in errors. What depends on names and values is checked by the program when it runs.
    Raises ValidationError. The caller caches: equal texts make equal programs.
    """
    compiler = _Compiler()
    update_code = condition_code = None
    if update is not None:
        compiler.clause = "UpdateExpression"
        actions = parser.parse_update(update) if isinstance(update, str) else update
        update_code = compiler.update(actions)
    if condition is not None:
        compiler.clause = clause
        if isinstance(condition, str):
            condition = parser.parse_condition(condition, clause)
        condition_code = compiler.condition(condition)
    return Program(
        update_code,
        condition_code,
        tuple(compiler.names),
        tuple(compiler.values),
        clause,
        tuple(compiler.checks),
        tuple(compiler.ranges),
        tuple(compiler.distinct),
        tuple(compiler.paths),
    )


def compile_projection(
    projection: str | tuple[tree.Path, ...], clause: str = "ProjectionExpression"
) -> Projection:
    """Compile a projection: text, or its paths. Raises ValidationError. The caller caches."""
    if isinstance(projection, str):
        projection = parser.parse_projection(projection, clause)
    compiler = _Compiler()
    paths = tuple([compiler.path(path) for path in projection])
    return Projection(paths, tuple(compiler.names), clause)


def compile_touched(program: Program) -> Projection:
    """Return the paths that a program's update writes, as a projection.

    Of the old record it makes UPDATED_OLD, of the new one UPDATED_NEW. It has the program's names:
    bind it with the same dict, and partial=True.
    """
    return Projection(program.targets, program.names, "UpdateExpression")
