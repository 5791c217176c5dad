"""PartiQL tokens to a statement's tree.

Theory of operation. The grammar is PartiQL's, larger than what DynamoDB runs: expressions are
parsed by operator precedence, and SELECT, UPDATE, DELETE and INSERT are terms of an expression,
because the service parses them so and its error texts show it (`SLECT * FROM t` is a product whose
right side is a FROM without data manipulation: "Expected data manipulation"). What the grammar
allows and DynamoDB does not run is refused here when the text alone shows it, and by the planner
when it takes a schema or parameters.

Invariants: (1) every step consumes a token or ends, so time is linear in the text; (2) recursion is
counted: no tree is deeper than a small multiple of NESTING_MAX, so those who walk it may recurse;
(3) nothing but ValidationError is raised.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

from hashrange.partiql import faults, lexer, tree
from hashrange.partiql.keywords import FUNCTION_KEYWORDS

NESTING_MAX = 64
LIST_INDEX_MAX = 2**31 - 1

_OPERATORS = {
    "union": 5, "intersect": 5, "except": 5,
    "or": 10, "and": 20,
    "=": 40, "<>": 40, "is": 40, "in": 40, "not in": 40,
    "<": 50, "<=": 50, ">": 50, ">=": 50,
    "between": 50, "not between": 50, "like": 50, "not like": 50,
    "+": 60, "-": 60, "||": 60,
    "*": 70, "/": 70, "%": 70,
}  # fmt: skip
_NOT_PRECEDENCE = 30
_SELECT_PRECEDENCE = 6
_SYMBOLS = frozenset(("=", "<>", "<", "<=", ">", ">=", "+", "-", "||", "*", "/", "%"))
_OPERATOR_WORDS = frozenset(word for word in _OPERATORS if word.isalpha())
_NEGATED = frozenset(("in", "between", "like"))
_JOINS = frozenset(("join", "cross", "inner", "left", "right", "outer", "full"))
_TYPE_NAMES = """
    missing null boolean bool smallint int2 integer2 integer4 int4 integer8 int8 bigint integer int
    float real decimal dec numeric timestamp date time character char varchar string symbol clob
    blob struct tuple list sexp bag any
"""
_TYPES = frozenset(_TYPE_NAMES.split())
_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_CLOSING = {
    ")": "RIGHT_PAREN",
    "]": "RIGHT_BRACKET",
    "}": "RIGHT_CURLY",
    ">>": "RIGHT_DOUBLE_ANGLE_BRACKET",
    ":": "COLON",
}

# A term ahead of an ending is a whole expression: most of what long statements are made of.
_ATOMS = frozenset((lexer.IDENTIFIER, lexer.QUOTED, lexer.STRING, lexer.NUMBER, "?"))
_ENDINGS = frozenset((",", ")", "]", "}", ">>", ":", ";", lexer.END))

_Node = tree.Expression | tree.Statement
_STATEMENTS = (tree.Select, tree.Insert, tree.Update, tree.Delete, tree.Exists)


class _Parser:
    """One pass over one statement."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = lexer.tokenize(text)
        self.token = self.tokens[0]
        self.position = 0
        self.depth = 0
        self.links = 0  # operations that stand left of an operator as strong
        self.parameter_count = 0
        self.line_starts: list[int] | None = None

    # ---- tokens ----

    def advance(self) -> lexer.Token:
        token = self.token
        if token.kind is not lexer.END:
            self.position += 1
            self.token = self.tokens[self.position]
        return token

    def peek(self) -> lexer.Token:
        return self.tokens[min(self.position + 1, len(self.tokens) - 1)]

    def at(self, word: str) -> bool:
        """Tell whether a keyword, in small letters, comes next."""
        return self.token.kind is lexer.KEYWORD and self.token.text == word

    def take(self, word: str) -> bool:
        found = self.at(word)
        if found:
            self.advance()
        return found

    def at_name(self) -> bool:
        return self.token.kind in (lexer.IDENTIFIER, lexer.QUOTED)

    def close(self, kind: str) -> None:
        if self.token.kind != kind:
            raise faults.not_well_formed(f"Expected {_CLOSING[kind]}")
        self.advance()

    def mark(self, token: lexer.Token) -> str:
        """Return a token's place: line:column:length."""
        if self.line_starts is None:
            self.line_starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        line = bisect_right(self.line_starts, token.start)
        column = token.start - self.line_starts[line - 1] + 1
        return f"{line}:{column}:{token.end - token.start}"

    # ---- statements ----

    def statement(self) -> tree.Statement:
        node = self.expression(-1)
        if self.token.kind == ";":
            self.advance()
            if self.token.kind is not lexer.END:
                raise faults.not_well_formed(
                    "Unexpected token after semicolon. (Only one query is allowed.)"
                )
        if self.token.kind is not lexer.END:
            raise faults.not_well_formed("Unexpected token after expression")
        if not isinstance(node, _STATEMENTS):
            raise faults.unsupported_statement()
        return node

    def select(self) -> tree.Select:
        if self.take("distinct"):
            raise faults.unsupported_clause("DISTINCT")
        self.take("all")
        if self.at("value"):
            raise faults.value_or_pivot()
        columns = self.columns()
        if not self.take("from"):
            raise faults.not_well_formed("Expected FROM after SELECT list")
        source = self.from_source(self.expression(_SELECT_PRECEDENCE))
        where = self.where(_SELECT_PRECEDENCE)
        order = self.order() if self.take("order") else ()
        for word, clause in (
            ("let", "LET"),
            ("group", "GROUP BY"),
            ("having", "HAVING"),
            ("limit", "LIMIT"),
            ("offset", "OFFSET"),
        ):
            if self.at(word):
                raise faults.unsupported_clause(clause)
        return tree.Select(source, columns, where, order, parameter_count=self.parameter_count)

    def columns(self) -> tuple[tree.Path, ...] | None:
        columns: list[tree.Path] = []
        names: set[str] = set()
        star = False
        while True:
            if self.token.kind == "*":
                self.advance()
                star = True
            else:
                column = self.expression(-1)
                self.refuse_alias()
                if not isinstance(column, tree.Path):
                    raise faults.unsupported_expression("SELECT", type(column).__name__)
                name = column_name(column)
                if name in names:
                    raise faults.duplicate_column(name)
                names.add(name)
                columns.append(column)
            if self.token.kind != ",":
                break
            self.advance()
        if star and columns:
            raise faults.not_well_formed(
                "Other expressions may not be present in the select list when '*' is used "
                "without dot notation."
            )
        return None if star else tuple(columns)

    def order(self) -> tuple[tree.OrderKey, ...]:
        if not self.take("by"):
            raise faults.not_well_formed("Expected BY")
        keys = []
        while True:
            key = self.expression(-1)
            if not isinstance(key, tree.Path) or len(key.elements) > 1:
                raise faults.order_by_expression()
            descending = self.take("desc")
            if not descending:
                self.take("asc")
            keys.append(tree.OrderKey(str(key.elements[0]), descending))
            if self.token.kind != ",":
                return tuple(keys)
            self.advance()

    def where(self, precedence: int = -1) -> tree.Expression | None:
        if not self.take("where"):
            return None
        return self.operand(precedence)

    def update(self) -> tree.Update:
        source = self.write_source()
        return self.update_of(source, None)

    def update_of(self, source: tree.Source, where: tree.Expression | None) -> tree.Update:
        """Take the rest of an update; `where` is known when the statement began with FROM."""
        actions: list[tree.Assignment | tree.Removal] = []
        while True:
            if self.take("set"):
                actions.append(self.assignment())
                while self.token.kind == ",":
                    self.advance()
                    actions.append(self.assignment())
            elif self.take("remove"):
                actions.append(tree.Removal(self.simple_path()))
            else:
                break
        if not actions:
            raise faults.not_well_formed("Expected data manipulation")
        where = where if where is not None else self.where()
        return tree.Update(
            source,
            tuple(actions),
            where,
            self.returning(),
            parameter_count=self.parameter_count,
        )

    def assignment(self) -> tree.Assignment:
        path = self.simple_path()
        if self.token.kind != "=":
            raise faults.not_well_formed("Expected '='")
        self.advance()
        return tree.Assignment(path, self.operand())

    def delete(self) -> tree.Delete:
        if not self.take("from"):
            raise faults.not_well_formed("Expected FROM after DELETE")
        source = self.write_source()
        where = self.where()
        returning = self.returning()
        return tree.Delete(source, where, returning, parameter_count=self.parameter_count)

    def insert(self) -> tree.Insert:
        path = self.simple_path()
        if not self.take("value"):
            self.expression(-1)
            raise faults.not_well_formed("Expected VALUE")
        item = self.operand()
        if self.at("returning"):
            raise faults.returning_in_insert()
        if len(path.elements) > 1:
            raise faults.index_in_insert()
        return tree.Insert(source_of(path), item, parameter_count=self.parameter_count)

    def returning(self) -> str | None:
        if not self.take("returning"):
            return None
        scope = self.advance()
        state = self.advance()
        words = (scope.text, state.text)
        keywords = scope.kind is lexer.KEYWORD and state.kind is lexer.KEYWORD
        if not keywords or words[0] not in ("all", "modified") or words[1] not in ("old", "new"):
            raise faults.not_well_formed(
                "Expected ( MODIFIED | ALL ) ( NEW | OLD ) in each returning element."
            )
        if self.token.kind != "*":
            raise faults.not_well_formed("Unsupported syntax in RETURNING columns.")
        self.advance()
        return " ".join(words).upper()

    def from_first(self) -> tree.Update:
        """Take FROM source [WHERE condition] SET ...: an UPDATE in another order."""
        source = self.from_source(self.expression(-1))
        where = self.where()
        update = self.update_of(source, where)
        if source.index is not None:
            raise faults.index_in_write()
        return update

    def write_source(self) -> tree.Source:
        source = source_of(self.simple_path())
        self.refuse_alias()
        if source.index is not None:
            raise faults.index_in_write()
        return source

    def from_source(self, node: _Node) -> tree.Source:
        self.refuse_alias()
        joined = self.token.kind is lexer.KEYWORD and self.token.text in _JOINS
        if self.token.kind == "," or joined or not isinstance(node, tree.Path):
            raise faults.unexpected_source()
        return source_of(node)

    def refuse_alias(self) -> None:
        if self.at_name():
            raise faults.aliasing()
        for word in ("as", "at", "by"):
            if self.take(word):
                if not self.at_name():
                    raise faults.not_well_formed(f"Expected identifier for {word.upper()}-alias")
                raise faults.aliasing()

    # ---- expressions ----

    def operand(self, precedence: int = -1) -> tree.Expression:
        """Take an expression that is no statement."""
        node = self.expression(precedence)
        if isinstance(node, _STATEMENTS):
            raise faults.unsupported_expression("WHERE", type(node).__name__.upper())
        return node

    def expression(self, precedence: int) -> _Node:
        if self.token.kind in _ATOMS and self.tokens[self.position + 1].kind in _ENDINGS:
            return self.term()
        self.depth += 1
        if self.depth > NESTING_MAX:
            raise faults.nested_too_deeply(NESTING_MAX)
        left = self.unary()
        wrapped = False
        while True:
            operator = self.operator()
            if _OPERATORS.get(operator, 0) <= precedence or not operator:
                break
            if isinstance(left, _STATEMENTS):
                raise faults.unsupported_operator(operator.upper())
            if operator in ("and", "or"):
                left = self.chain(operator, left)
                continue
            if wrapped:
                self.links += 1
                if self.links > NESTING_MAX:
                    raise faults.nested_too_deeply(NESTING_MAX)
            wrapped = True
            left = self.infix(operator, left)
        self.depth -= 1
        return left

    def operator(self) -> str:
        """Return the infix operator that comes next, or ""."""
        token = self.token
        if token.kind is lexer.KEYWORD:
            if token.text in _OPERATOR_WORDS:
                return token.text
            if token.text == "not":
                after = self.peek()
                if after.kind is lexer.KEYWORD and after.text in _NEGATED:
                    return f"not {after.text}"
            return ""
        return token.kind if token.kind in _SYMBOLS else ""

    def right(self, precedence: int) -> tree.Expression:
        if self.token.kind is lexer.END:
            raise faults.not_well_formed("Missing right-hand side expression of infix operator")
        return self.operand(precedence)

    def chain(self, operator: str, left: tree.Expression) -> tree.Expression:
        """Take all that AND, or OR, joins at this level."""
        parts: list[tree.Expression] = []
        part = left
        while True:
            same = isinstance(part, tree.Chain) and part.operator == operator
            parts += part.parts if same and isinstance(part, tree.Chain) else (part,)
            if not self.take(operator):
                return tree.Chain(operator, tuple(parts))
            part = self.right(_OPERATORS[operator])

    def infix(self, operator: str, left: tree.Expression) -> tree.Expression:
        precedence = _OPERATORS[operator]
        self.advance()
        negated = operator.startswith("not ")
        if negated:
            self.advance()
            operator = operator[4:]
        node: tree.Expression
        if operator == "is":
            negated = self.take("not")
            node = tree.Is(left, self.type_name())
        elif operator == "in":
            node = tree.In(left, self.candidates(precedence))
        elif operator == "between":
            lower = self.right(precedence)
            if not self.take("and"):
                raise faults.not_well_formed("Expected AND")
            if self.token.kind is lexer.END:
                raise faults.not_well_formed("Expected expression after AND")
            node = tree.Between(left, lower, self.operand(precedence))
        else:
            node = tree.Operation(operator, left, self.right(precedence))
        return tree.Not(node) if negated else node

    def type_name(self) -> str:
        token = self.token
        if token.kind is not lexer.KEYWORD or token.text not in _TYPES:
            raise faults.not_well_formed("Expected type name")
        return self.advance().text

    def candidates(self, precedence: int) -> tree.Expression:
        if self.token.kind != "(":
            return self.right(precedence)
        self.advance()
        items = self.arguments()
        self.close(")")
        return tree.Array(items)

    def unary(self) -> _Node:
        sign = None
        negative = False
        while self.token.kind in ("+", "-"):
            sign = self.advance().kind
            negative ^= sign == "-"
        if self.token.text == "not" and self.take("not"):
            part = self.operand(_NOT_PRECEDENCE)
            return tree.Sign(sign, part) if sign else tree.Not(part)
        node = self.path_term()
        if sign is None or isinstance(node, _STATEMENTS):
            return node
        if isinstance(node, tree.Literal) and "N" in node.value:
            return tree.Literal({"N": "-" + node.value["N"]}) if negative else node
        return tree.Sign(sign, node)

    def path_term(self) -> _Node:
        node = self.term()
        if self.token.kind not in (".", "["):
            return node
        if not isinstance(node, tree.Path):
            raise faults.unexpected_component()
        return self.path_after(node, "Invalid path dot component")

    def simple_path(self) -> tree.Path:
        if not self.at_name():
            raise faults.not_well_formed("Expected identifier for simple path")
        root = tree.Path((self.name(),))
        return self.path_after(root, "Invalid path dot component for simple path")

    def name(self) -> str:
        text = self.advance().text
        if not text:
            raise faults.empty_component()
        return text

    def path_after(self, root: tree.Path, words: str) -> tree.Path:
        """Take the components that follow a path's root."""
        elements = list(root.elements)
        while True:
            if self.token.kind == ".":
                self.advance()
                if self.token.kind == "*":
                    raise faults.unexpected_component()
                if not self.at_name():
                    raise faults.not_well_formed(words)
                elements.append(self.name())
            elif self.token.kind == "[":
                self.advance()
                elements.append(self.list_index())
            else:
                return tree.Path(tuple(elements))

    def list_index(self) -> int:
        if self.token.kind == "*":
            raise faults.not_well_formed("Invalid use of * in select list")
        digits = self.peek() if self.token.kind == "-" else self.token
        index = self.expression(-1)
        self.close("]")
        number = index.value.get("N", "") if isinstance(index, tree.Literal) else ""
        if not number.removeprefix("-").isdecimal():
            raise faults.unexpected_component()
        if len(number) > 11 or not 0 <= int(number) <= LIST_INDEX_MAX:
            raise faults.list_index(number, self.mark(digits))
        return int(number)

    def term(self) -> _Node:
        token = self.token
        kind = token.kind
        if kind is lexer.KEYWORD:
            return self.keyword_term()
        if kind in (lexer.IDENTIFIER, lexer.QUOTED):
            if self.peek().kind == "(":
                return self.call()
            return tree.Path((self.name(),))
        if kind is lexer.STRING:
            return tree.Literal({"S": self.advance().text})
        if kind is lexer.NUMBER:
            return tree.Literal({"N": self.advance().text})
        if kind == "?":
            self.advance()
            self.parameter_count += 1
            return tree.Parameter(self.parameter_count - 1, self.mark(token))
        if kind in ("(", "[", "<<", "{"):
            return self.collection()
        if kind == "@":
            raise faults.not_well_formed("Identifier must follow @-operator")
        if kind in _SYMBOLS and kind != "*":
            raise faults.not_well_formed("Unexpected operator")
        raise faults.not_well_formed("Unexpected term")

    def keyword_term(self) -> _Node:
        word = self.token.text
        if word in ("true", "false"):
            self.advance()
            return tree.Literal({"BOOL": word == "true"})
        if word == "null":
            self.advance()
            return tree.Literal({"NULL": True})
        if word == "missing":
            self.advance()
            return tree.Missing()
        statements: dict[str, Callable[[], tree.Statement]] = {
            "select": self.select,
            "update": self.update,
            "delete": self.delete,
            "insert_into": self.insert,
            "from": self.from_first,
        }
        if word in statements:
            self.advance()
            return statements[word]()
        if word in ("set", "remove", "create", "drop", "exec"):
            raise faults.unsupported_statement()
        if word == "pivot":
            raise faults.value_or_pivot()
        if word == "values" and self.peek().kind != "(":
            raise faults.not_well_formed("Expected LEFT_PAREN for row value constructor")
        if word in ("date", "time") and self.peek().kind is lexer.STRING:
            raise faults.unknown_data()
        if word in FUNCTION_KEYWORDS and self.peek().kind == "(":
            return self.call()
        raise faults.not_well_formed("Unexpected keyword")

    def call(self) -> tree.Call | tree.Exists:
        function = self.advance()
        self.advance()
        name = function.text.lower()
        first = self.token
        if first.kind == "*":
            raise faults.not_well_formed(f"{name}(*) is not allowed")
        if name == "exists":
            return self.exists()
        arguments = self.arguments() if first.kind != ")" else ()
        self.close(")")
        return tree.Call(name, arguments, self.mark(function), self.mark(first))

    def exists(self) -> tree.Exists:
        select = self.expression(-1)
        self.close(")")
        if not isinstance(select, tree.Select):
            raise faults.exists_form()
        return tree.Exists(select, parameter_count=self.parameter_count)

    def arguments(self) -> tuple[tree.Expression, ...]:
        items = [self.operand()]
        while self.token.kind == ",":
            self.advance()
            items.append(self.operand())
        return tuple(items)

    def collection(self) -> _Node:
        """Take what parentheses, brackets, braces or double angles enclose."""
        opening = self.advance().kind
        if opening == "(":
            if self.at("select"):
                node = self.expression(-1)
                self.close(")")
                return node
            items = self.arguments()
            self.close(")")
            return items[0] if len(items) == 1 else tree.Array(items)
        if opening == "{":
            return tree.Struct(self.fields())
        closing = "]" if opening == "[" else ">>"
        items = self.arguments() if self.token.kind != closing else ()
        self.close(closing)
        return tree.Array(items) if opening == "[" else tree.Bag(items)

    def fields(self) -> tuple[tuple[tree.Expression, tree.Expression], ...]:
        fields: list[tuple[tree.Expression, tree.Expression]] = []
        while self.token.kind != "}" or fields:
            name = self.operand()
            self.close(":")
            fields.append((name, self.operand()))
            if self.token.kind != ",":
                break
            self.advance()
        self.close("}")
        return tuple(fields)


def source_of(path: tree.Path) -> tree.Source:
    """Turn the path that names a table, or an index, into a source. Raises ValidationError."""
    if any(isinstance(element, int) for element in path.elements):
        raise faults.list_in_source()
    if len(path.elements) > 2:
        raise faults.long_source_path()
    table, *rest = (str(element) for element in path.elements)
    if not _TABLE_NAME.fullmatch(table):
        raise faults.table_name()
    return tree.Source(table, rest[0] if rest else None)


def column_name(path: tree.Path) -> str:
    """Return the name under which a column comes back: its last name, with indexes after it.

    `a.b[0]` comes back as `b[0]`. Source: observed on the service.
    """
    last = max(at for at, element in enumerate(path.elements) if isinstance(element, str))
    return str(path.elements[last]) + "".join(f"[{index}]" for index in path.elements[last + 1 :])


def parse_statement(text: str) -> tree.Statement:
    """Parse a statement of 1 to 8,192 characters.

    The caller caches: equal texts make equal trees. Raises ValidationError.
    """
    try:
        return _Parser(text).statement()
    except RecursionError:  # the caller left fewer frames than NESTING_MAX levels take
        raise faults.nested_too_deeply(NESTING_MAX) from None
