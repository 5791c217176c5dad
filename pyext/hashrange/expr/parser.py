"""Expression tokens to a tree.

Theory of operation. Conditions: an operator stack for parentheses, NOT, AND and OR, so depth costs
no recursion; a comparison, BETWEEN or IN is taken whole, its operands are bounded. Updates: clause
by clause. Only functions inside functions recurse, at most NESTING_MAX deep. Every step consumes a
token or ends: time is linear in the text.

Faults. A syntax error is raised at once. The others are collected while the text is read, and the
one that the service would name first is raised at the end: the ranks below, lowest first (observed
on the service). The ranks of "index" and "nesting" are our own guess.
"""

from __future__ import annotations

from ddbcore.errors import ValidationError
from hashrange.expr import lexer, tree
from hashrange.expr.reserved import is_reserved

OPERATORS_MAX = 300
IN_OPERANDS_MAX = 100
NESTING_MAX = 32
INDEX_MAX = 2**31 - 1
INDEX_DIGITS_MAX = 10

CONDITION_FUNCTIONS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
UPDATE_FUNCTIONS = {"if_not_exists": 2, "list_append": 2}
PATH_FUNCTIONS = frozenset(("attribute_exists", "attribute_not_exists", "if_not_exists"))
CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")
COMPARATORS = frozenset(("=", "<>", "<", "<=", ">", ">="))
_CONDITION_WORDS = frozenset(("AND", "OR", "NOT", "BETWEEN", "IN"))
_PRECEDENCE = {"(": 0, "OR": 1, "AND": 2, "NOT": 3}

_CONDITION_RANKS = (
    "parentheses",
    "function",
    "misuse",
    "reserved",
    "index",
    "nesting",
    "count",
    "operands",
    "distinct",
    "path",
)
_UPDATE_RANKS = (
    "reserved", "index", "nesting", "function", "section", "count", "operands", "path"
)
_PROJECTION_RANKS = ("reserved", "index", "nesting")


class _Parser:
    """One pass over one expression: position, operator count and the faults seen so far."""

    def __init__(
        self, text: str, clause: str, functions: dict[str, int], keywords: frozenset[str]
    ) -> None:
        self.text = text
        self.clause = clause
        self.functions = functions
        self.keywords = keywords
        tokens = lexer.tokenize(text, clause)
        self.kinds, self.texts, self.starts = tokens.kinds, tokens.texts, tokens.starts
        self.position = 0
        self.kind = self.kinds[0]  # of the token at this position
        self.operator_count = 0
        self.faults: dict[str, str] = {}

    def advance(self) -> str:
        """Go on to the next token; return the text of this one."""
        position = self.position
        if self.kind is not lexer.END:
            self.position = position + 1
            self.kind = self.kinds[position + 1]
        return self.texts[position]

    def keyword(self) -> str:
        """Return the keyword at this position in capitals, or ""."""
        if self.kind is lexer.WORD:
            word = self.texts[self.position].upper()
            if word in self.keywords:
                return word
        return ""

    def expect(self, kind: str) -> str:
        if self.kind != kind:
            raise self.syntax_error()
        return self.advance()

    def error(self, message: str) -> ValidationError:
        return ValidationError(f"Invalid {self.clause}: {message}")

    def syntax_error(self) -> ValidationError:
        """Make the service's syntax error: a token, and the text with those beside it."""
        before = max(self.position - 1, 0)
        after = min(self.position + 1, len(self.kinds) - 1)
        end = len(self.text)
        if after < len(self.kinds) - 1:
            end = self.starts[after] + len(self.texts[after])
        near = self.text[self.starts[before] : end].rstrip()
        return self.error(f'Syntax error; token: "{self.texts[self.position]}", near: "{near}"')

    def fault(self, rank: str, message: str) -> None:
        self.faults.setdefault(rank, message)

    def count_operator(self) -> None:
        self.operator_count += 1

    def finish(self, ranks: tuple[str, ...]) -> None:
        """Raise the fault of the lowest rank, if any."""
        if self.operator_count > OPERATORS_MAX:
            self.fault(
                "count",
                "The expression contains too many operators; "
                f"operator count: {self.operator_count}",
            )
        for rank in ranks:
            if rank in self.faults:
                raise self.error(self.faults[rank])

    def path(self) -> tree.Path:
        elements: list[str | int] = [self.path_name()]
        while self.kind in (".", "["):
            if self.advance() == ".":
                elements.append(self.path_name())
            else:
                elements.append(self.path_index())
                self.expect("]")
        if len(elements) > NESTING_MAX:
            self.fault(
                "nesting",
                "The document path has too many nesting elements; "
                f"nesting level: {len(elements)}",
            )
        return tree.Path(tuple(elements))

    def path_index(self) -> int:
        digits = self.expect(lexer.INDEX)
        index = int(digits) if len(digits) <= INDEX_DIGITS_MAX else INDEX_MAX + 1
        if index > INDEX_MAX:
            self.fault(
                "index", f"List index is not within the allowable range; index: [{digits}]"
            )
        return min(index, INDEX_MAX)

    def path_name(self) -> str:
        if self.kind is lexer.WORD:
            word = self.texts[self.position]
            if self.keyword():
                raise self.syntax_error()
            if is_reserved(word):
                self.fault(
                    "reserved",
                    f"Attribute name is a reserved keyword; reserved keyword: {word}",
                )
        elif self.kind is not lexer.NAME:
            raise self.syntax_error()
        return self.advance()

    def operand(self, depth: int = 0) -> tree.Operand:
        """Take an operand, in parentheses or not."""
        opened = 0
        while self.kind == "(":
            self.advance()
            opened += 1
        if opened > 1:
            self.fault("parentheses", "The expression has redundant parentheses;")
        operand = self.bare_operand(depth)
        for _ in range(opened):
            self.expect(")")
        return operand

    def bare_operand(self, depth: int = 0) -> tree.Operand:
        if self.kind is lexer.VALUE:
            return tree.Value(self.advance())
        called = self.kind is lexer.WORD and self.kinds[self.position + 1] == "("
        if called and not self.keyword():
            return self.call(depth + 1)
        return self.path()

    def call(self, depth: int) -> tree.Call:
        if depth > NESTING_MAX:
            raise self.error(f"The expression is nested too deeply; levels allowed: {NESTING_MAX}")
        self.count_operator()
        function = self.advance()
        self.expect("(")
        arguments = [self.operand(depth)]
        while self.kind == ",":
            self.advance()
            arguments.append(self.operand(depth))
        self.expect(")")
        call = tree.Call(function, tuple(arguments))
        self.check_call(call)
        return call

    def check_call(self, call: tree.Call) -> None:
        """Collect the faults of a call that the text alone shows."""
        function, arguments = call.function, call.arguments
        if function not in self.functions:
            self.fault("function", f"Invalid function name; function: {function}")
            return
        if len(arguments) != self.functions[function]:
            self.fault(
                "operands",
                "Incorrect number of operands for operator or function; "
                f"operator or function: {function}, number of operands: {len(arguments)}",
            )
            return
        if function in PATH_FUNCTIONS and not isinstance(arguments[0], tree.Path):
            self.fault(
                "path",
                f"Operator or function requires a document path; operator or function: {function}",
            )
        if self.functions is CONDITION_FUNCTIONS:
            self.check_misuse(*arguments)
            self.check_condition_types(call)

    def check_misuse(self, *operands: tree.Operand) -> None:
        for operand in operands:
            if isinstance(operand, tree.Call) and operand.function != "size":
                self.fault(
                    "misuse",
                    "The function is not allowed to be used this way in an expression; "
                    f"function: {operand.function}",
                )

    def check_condition_types(self, call: tree.Call) -> None:
        """Refuse `size`, a number, where a function takes none; attribute_type wants a constant."""
        found = None
        sizes = any(isinstance(argument, tree.Call) for argument in call.arguments)
        if call.function == "attribute_type" and not isinstance(call.arguments[1], tree.Value):
            any_type = isinstance(call.arguments[1], tree.Path)
            found = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}" if any_type else "N"
        elif call.function in ("begins_with", "size") and sizes:
            found = "N"
        if found:
            self.fault(
                "path",
                "Incorrect operand type for operator or function; "
                f"operator or function: {call.function}, operand type: {found}",
            )


class _ConditionParser(_Parser):
    """The stack machine of conditions."""

    def __init__(self, text: str, clause: str) -> None:
        super().__init__(text, clause, CONDITION_FUNCTIONS, _CONDITION_WORDS)
        self.nodes: list[tree.Condition] = []
        self.operators: list[str] = []
        self.open_count = 0  # parentheses among the operators

    def parse(self) -> tree.Condition:
        while True:
            self.prefixes()
            node = self.suffixes(self.bare_operand())
            word = self.keyword()
            if word in ("AND", "OR"):
                self.nodes.append(self.checked(node))
                self.reduce(word)
                self.operators.append(word)
                self.count_operator()
                self.advance()
            elif self.kind is lexer.END:
                self.nodes.append(self.checked(node))
                self.reduce("OR")
                if self.operators:
                    raise self.syntax_error()
                self.finish(_CONDITION_RANKS)
                return self.nodes[0]
            else:
                raise self.syntax_error()

    def prefixes(self) -> None:
        """Stack the opening parentheses and NOTs ahead of an operand."""
        while True:
            if self.kind == "(":
                self.operators.append("(")
                self.open_count += 1
            elif self.keyword() == "NOT":
                self.operators.append("NOT")
                self.count_operator()
            else:
                return
            self.advance()

    def suffixes(self, node: tree.Operand | tree.Condition) -> tree.Operand | tree.Condition:
        """Take what may follow an operand: a comparison, and closing parentheses."""
        grouped = False  # the token before was a closing parenthesis
        while True:
            if self.kind in COMPARATORS or self.keyword() in ("BETWEEN", "IN"):
                if not isinstance(node, tree.Path | tree.Value | tree.Call):
                    raise self.syntax_error()
                node, grouped = self.comparison(node), False
            elif self.kind == ")" and self.open_count:
                node, alone = self.close(node)
                if grouped and alone:
                    self.fault("parentheses", "The expression has redundant parentheses;")
                grouped = True
            else:
                return node

    def close(
        self, node: tree.Operand | tree.Condition
    ) -> tuple[tree.Operand | tree.Condition, bool]:
        """Close one parenthesis; True when nothing but `node` stood in it."""
        alone = self.operators[-1] == "("
        if not alone:
            self.nodes.append(self.checked(node))
            self.reduce("OR")
            node = self.nodes.pop()
        self.operators.pop()
        self.open_count -= 1
        self.advance()
        return node, alone

    def comparison(self, left: tree.Operand) -> tree.Condition:
        self.count_operator()
        operator = self.advance().upper()
        if operator == "IN":
            return self.membership(left)
        right = self.operand()
        if operator == "BETWEEN":
            if self.keyword() != "AND":
                raise self.syntax_error()
            self.advance()
            upper = self.operand()
            self.check_misuse(left, right, upper)
            return tree.Between(left, right, upper)
        self.check_misuse(left, right)
        return tree.Comparison(operator, left, right)

    def membership(self, left: tree.Operand) -> tree.Condition:
        self.expect("(")
        candidates = [self.operand()]
        while self.kind == ",":
            self.advance()
            candidates.append(self.operand())
        self.expect(")")
        self.check_misuse(left, *candidates)
        if len(candidates) > IN_OPERANDS_MAX:
            self.fault(
                "operands",
                "The IN operator is provided with too many operands; "
                f"number of operands: {len(candidates)}",
            )
        return tree.In(left, tuple(candidates))

    def checked(self, node: tree.Operand | tree.Condition) -> tree.Condition:
        """Refuse an operand where a condition must stand."""
        if isinstance(node, tree.Path | tree.Value):
            raise self.syntax_error()
        if isinstance(node, tree.Call) and node.function == "size":
            self.fault(
                "misuse",
                "The function is not allowed to be used this way in an expression; function: size",
            )
        return node

    def reduce(self, word: str) -> None:
        """Apply the stacked operators that bind as tightly as `word`, down to a parenthesis."""
        while self.operators and _PRECEDENCE[self.operators[-1]] >= _PRECEDENCE[word]:
            operator = self.operators.pop()
            right = self.nodes.pop()
            if operator == "NOT":
                self.nodes.append(tree.Not(right))
                continue
            kind = tree.And if operator == "AND" else tree.Or
            left = self.nodes.pop()
            parts = left.parts if isinstance(left, kind) else (left,)
            self.nodes.append(kind((*parts, right)))


class _UpdateParser(_Parser):
    """SET, REMOVE, ADD and DELETE clauses, in any order, each once."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "UpdateExpression", UPDATE_FUNCTIONS, frozenset(CLAUSES))
        self.actions: list[tree.Action] = []

    def parse(self) -> tuple[tree.Action, ...]:
        seen = set()
        while self.kind is not lexer.END:
            word = self.keyword()
            if not word:
                raise self.syntax_error()
            if word in seen:
                self.fault(
                    "section",
                    f'The "{word}" section can only be used once in an update expression;',
                )
            seen.add(word)
            self.advance()
            self.action(word)
            while self.kind == ",":
                self.advance()
                self.action(word)
        self.finish(_UPDATE_RANKS)
        return tuple(self.actions)

    def action(self, word: str) -> None:
        path = self.path()
        if word == "SET":
            self.expect("=")
            self.actions.append(tree.Set(path, self.set_value()))
        elif word == "REMOVE":
            self.actions.append(tree.Remove(path))
        else:
            value = tree.Value(self.expect(lexer.VALUE))
            kind = tree.Add if word == "ADD" else tree.Delete
            self.actions.append(kind(path, value))

    def set_value(self) -> tree.Operand | tree.Arithmetic:
        """Take the value of a SET action; parentheses may enclose the whole, or each operand."""
        enclosed = self.kind == "("
        if enclosed:
            self.advance()
        left = self.operand()
        if enclosed and self.kind == ")":
            self.advance()
            enclosed = False
        value = self.arithmetic(left) if self.kind in ("+", "-") else left
        if enclosed:
            self.expect(")")
        return value

    def arithmetic(self, left: tree.Operand) -> tree.Arithmetic:
        self.count_operator()
        operator = self.advance()
        return tree.Arithmetic(operator, left, self.operand())


class _ProjectionParser(_Parser):
    """Document paths, separated by commas."""

    def __init__(self, text: str, clause: str) -> None:
        super().__init__(text, clause, {}, frozenset())

    def parse(self) -> tuple[tree.Path, ...]:
        paths = [self.path()]
        while self.kind == ",":
            self.advance()
            paths.append(self.path())
        if self.kind is not lexer.END:
            raise self.syntax_error()
        self.finish(_PROJECTION_RANKS)
        return tuple(paths)


def parse_projection(text: str, clause: str = "ProjectionExpression") -> tuple[tree.Path, ...]:
    """Parse a projection: its paths in the order written. Raises ValidationError."""
    return _ProjectionParser(text, clause).parse()


def parse_update(text: str) -> tuple[tree.Action, ...]:
    """Parse an update expression: its actions in the order written. Raises ValidationError."""
    return _UpdateParser(text).parse()


def parse_condition(text: str, clause: str = "ConditionExpression") -> tree.Condition:
    """Parse a condition; `clause` is the request member named in errors. Raises ValidationError."""
    return _ConditionParser(text, clause).parse()
