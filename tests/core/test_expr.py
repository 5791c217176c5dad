"""The expression language: text to trees, and the service's words for texts it refuses."""

from __future__ import annotations

import time

import pytest
from core.programs import KEY, codec_make
from hypothesis import given, settings
from hypothesis import strategies as st

from ddbcore.errors import ValidationError
from hashrange.expr import (
    compile_key_condition,
    compile_program,
    compile_projection,
    parser,
    tree,
)
from hashrange.expr.reserved import RESERVED_WORDS

PATH_A = tree.Path(("a",))
PATH_B = tree.Path(("b",))
VALUE = tree.Value(":v")
EQUAL = tree.Comparison("=", PATH_A, VALUE)


def refusal(call, *args) -> str:
    with pytest.raises(ValidationError) as caught:
        call(*args)
    return str(caught.value)


def update_refusal(text: str) -> str:
    message = refusal(compile_program, text, None)
    assert message.startswith("Invalid UpdateExpression: ")
    return message.removeprefix("Invalid UpdateExpression: ")


def condition_refusal(text: str) -> str:
    message = refusal(compile_program, None, text)
    assert message.startswith("Invalid ConditionExpression: ")
    return message.removeprefix("Invalid ConditionExpression: ")


# ---- updates -------------------------------------------------------------------------------------


def test_update_clauses_come_in_any_order_and_case():
    assert parser.parse_update("remove b sEt a = :v, #n=b ADD c :v delete d :w") == (
        tree.Remove(PATH_B),
        tree.Set(PATH_A, VALUE),
        tree.Set(tree.Path(("#n",)), PATH_B),
        tree.Add(tree.Path(("c",)), VALUE),
        tree.Delete(tree.Path(("d",)), tree.Value(":w")),
    )


def test_set_takes_operands_functions_and_one_operation():
    default = tree.Call("if_not_exists", (PATH_A, VALUE))
    for text, value in [
        ("a - :v", tree.Arithmetic("-", PATH_A, VALUE)),
        ("(a + :v)", tree.Arithmetic("+", PATH_A, VALUE)),
        ("(a) + (:v)", tree.Arithmetic("+", PATH_A, VALUE)),
        ("((a) + (:v))", tree.Arithmetic("+", PATH_A, VALUE)),
        ("((a))", PATH_A),
        ("if_not_exists(a, :v) + :v", tree.Arithmetic("+", default, VALUE)),
        (
            "list_append(if_not_exists(a, :v), b)",
            tree.Call("list_append", (default, PATH_B)),
        ),
    ]:
        assert parser.parse_update(f"SET b = {text}") == (tree.Set(PATH_B, value),)


def test_nested_paths_are_names_and_indexes():
    (action,) = parser.parse_update("REMOVE a.#b[12].c[0]")
    assert action.path == tree.Path(("a", "#b", 12, "c", 0))
    assert str(action.path) == "[a, #b, [12], c, [0]]"
    program = compile_program("SET a.b[1] = c.a", "size(a.b[1]) > :v")
    assert program.names == ("c", "a", "b")
    assert program.paths == ((-1, -2), (-2, -3, 1))
    assert program.targets == ((-2, -3, 1),)


# Observed on the service (and by dynalite's tests against it).
@pytest.mark.parametrize(
    "text",
    [
        "whatever", "set a", "add a", "delete a", "set a=set", "remove a = b", "add a = b",
        "delete a b", "delete a if_not_exist(b)", "add abort b", "remove a b", "set a b",
        "set :a = b", "add :a b", "remove :a", "set a = b / c", "set a = b * c",
        'set a[1] = "eight"', "set a[1] = 1", "SET a = if_not_exist(a, 100)",
        "SET if_not_exist(a, b) = a", "set (a = (b + c))", "set a = (b.c).d + e",
        "set a = b + c + d", "SET _a = :v", "SET 1a = :v", "SET hi-there = :v", "SET # = :v",
        "SET a = :", "SET a = :v,", "SET a = :v SET", "SET a = (b", "SET a = f(", "SET a = f(b",
        "SET a = :v REMOVE", "SET", ",", "SET a[b] = :v", "SET a[0 = :v", "SET a. = :v",
    ],
)  # fmt: skip
def test_update_syntax_errors(text):
    assert update_refusal(text).startswith("Syntax error; token: ")


def test_syntax_errors_show_the_token_and_its_neighbours():
    assert update_refusal("SET a  b") == 'Syntax error; token: "b", near: "a  b"'
    assert update_refusal("SET _123 = :v") == 'Syntax error; token: "_", near: "SET _123"'
    assert update_refusal("SET a = :v,") == 'Syntax error; token: "<EOF>", near: ","'
    assert condition_refusal("foo") == 'Syntax error; token: "<EOF>", near: "foo"'
    assert condition_refusal("attribute_exists(") == 'Syntax error; token: "<EOF>", near: "("'
    assert condition_refusal("a = :v )") == 'Syntax error; token: ")", near: ":v )"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The expression can not be empty;"),
        (" \t\n", "The expression can not be empty;"),
        (
            "SET #c = :c REMOVE abOrt",
            "Attribute name is a reserved keyword; reserved keyword: abOrt",
        ),
        (
            "SET a = :v REMOVE b set c = :v",
            'The "SET" section can only be used once in an update expression;',
        ),
        ("SET a = if_not_exist(:c)", "Invalid function name; function: if_not_exist"),
        ("SET a = size(b)", "Invalid function name; function: size"),
        (
            "SET a = if_not_exists(c)",
            "Incorrect number of operands for operator or function; "
            "operator or function: if_not_exists, number of operands: 1",
        ),
        (
            "SET a = if_not_exists(:a, c)",
            "Operator or function requires a document path; operator or function: if_not_exists",
        ),
    ],
)
def test_update_faults_in_the_words_of_the_service(text, message):
    assert update_refusal(text) == message


# ---- conditions ----------------------------------------------------------------------------------


def test_precedence_is_not_then_and_then_or():
    b = tree.Comparison("<>", PATH_B, VALUE)
    assert parser.parse_condition("NOT a = :v AND b <> :v OR a = :v") == tree.Or(
        (tree.And((tree.Not(EQUAL), b)), EQUAL)
    )
    assert parser.parse_condition("a = :v or a = :v and (a = :v or b <> :v)") == tree.Or(
        (EQUAL, tree.And((EQUAL, tree.Or((EQUAL, b)))))
    )
    assert parser.parse_condition("not not a = :v") == tree.Not(tree.Not(EQUAL))


def test_parentheses_may_enclose_operands_and_conditions():
    for text in ("(a) = :v", "a = (:v)", "(a = :v)", "((a) = (:v))"):
        assert parser.parse_condition(text) == EQUAL
    exists = tree.Call("attribute_exists", (PATH_A,))
    assert parser.parse_condition("NOT (attribute_exists(a))") == tree.Not(exists)
    assert parser.parse_condition("(attribute_exists(a)) AND ((a = :v) AND a = :v)") == tree.And(
        (exists, tree.And((EQUAL, EQUAL)))
    )


def test_between_and_in_take_operands():
    assert parser.parse_condition("a between :v and b AND a = :v") == tree.And(
        (tree.Between(PATH_A, VALUE, PATH_B), EQUAL)
    )
    assert parser.parse_condition("size(a) IN (:v, b)") == tree.In(
        tree.Call("size", (PATH_A,)), (VALUE, PATH_B)
    )


@pytest.mark.parametrize(
    "text",
    [
        "whatever", "a", ":v", "(a)", "a AND b", "a = :v AND", "a = :v AND b", "NOT a", "a = ",
        "= :v", "a == :v", "a != :v", "a = b = :v", "(a = :v) = :v", "a = :v b = :v", "(a = :v",
        "a = :v)", "()", "a BETWEEN :v", "a BETWEEN :v OR :w", "a IN :v", "a IN ()", "a IN (:v",
        "a IN (:v,)", "attribute_exists a", "attribute_exists()", "a = :v OR OR a = :v",
        "a..b = :v",
        "a[x] = :v", "a = 1", "a = 'x'", "NOT", "in = :v", "a = :v, b = :v", "a + b = :v",
    ],
)  # fmt: skip
def test_condition_syntax_errors(text):
    assert condition_refusal(text).startswith("Syntax error; token: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The expression can not be empty;"),
        ("((a = :v))", "The expression has redundant parentheses;"),
        ("a = ((:v))", "The expression has redundant parentheses;"),
        ("((a)) = :v", "The expression has redundant parentheses;"),
        ("begins(a, :v)", "Invalid function name; function: begins"),
        ("ATTRIBUTE_EXISTS(a)", "Invalid function name; function: ATTRIBUTE_EXISTS"),
        ("status = :v", "Attribute name is a reserved keyword; reserved keyword: status"),
        (
            "size(a)",
            "The function is not allowed to be used this way in an expression; function: size",
        ),
        (
            "contains(a, :v) = :w",
            "The function is not allowed to be used this way in an expression; function: contains",
        ),
        (
            "attribute_exists(:v)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "begins_with(a)",
            "Incorrect number of operands for operator or function; operator or function: "
            "begins_with, number of operands: 1",
        ),
        (
            "attribute_type(a, b)",
            "Incorrect operand type for operator or function; operator or function: "
            "attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}",
        ),
    ],
)
def test_condition_faults_in_the_words_of_the_service(text, message):
    assert condition_refusal(text) == message


def test_errors_name_the_clause_that_the_caller_gives():
    message = refusal(compile_program, None, "a", "FilterExpression")
    assert message.startswith("Invalid FilterExpression: Syntax error")


# ---- limits --------------------------------------------------------------------------------------


def test_expressions_have_at_most_4096_bytes():
    text = "SET a = :v"
    assert compile_program(text.ljust(4096), None)
    assert update_refusal(text.ljust(4097)) == (
        "Expression size has exceeded the maximum allowed size; expression size: 4097"
    )
    assert "expression size: 4098" in condition_refusal("é" * 2049)


def test_paths_nest_at_most_32_levels():
    def path(levels: int) -> str:
        return "a" + "[0]" * (levels - 1)

    assert compile_program(f"REMOVE {path(32)}", f"attribute_exists({path(32)})")
    message = (
        "The document path has too many nesting elements; nesting level: 33"
    )
    assert update_refusal(f"REMOVE {path(33)}") == message
    assert condition_refusal(f"attribute_exists({path(33)})") == message


def test_list_indexes_are_int32():
    assert compile_program("REMOVE a[2147483647], b[1]", None)
    for index in ("2147483648", "9" * 30):
        assert condition_refusal(f"a[{index}] = :v") == (
            f"List index is not within the allowable range; index: [{index}]"
        )


def test_placeholders_have_at_most_255_bytes():
    assert compile_program("SET #" + "n" * 254 + " = :" + "v" * 254, None)
    assert "255 are allowed" in update_refusal("REMOVE #" + "n" * 255)
    assert "255 are allowed" in update_refusal("SET a = :" + "v" * 255)


def test_expressions_have_at_most_300_operators():
    def chain(count: int) -> str:
        return " OR ".join(["a=:v"] * count)

    assert compile_program(None, chain(150))
    assert compile_program(None, f"NOT {chain(150)}")
    assert condition_refusal(f"NOT {chain(150)} OR a=:v") == (
        "The expression contains too many operators; operator count: 302"
    )


def test_in_takes_at_most_100_operands():
    assert compile_program(None, f"a IN ({', '.join([':v'] * 100)})")
    assert condition_refusal(f"a IN ({', '.join([':v'] * 101)})") == (
        "The IN operator is provided with too many operands; number of operands: 101"
    )


def test_functions_nest_32_deep():
    def nested(depth: int) -> str:
        return "SET a = " + "if_not_exists(b, " * depth + ":v" + ")" * depth

    assert compile_program(nested(32), None)
    assert "nested too deeply" in update_refusal(nested(33))


# Depth costs no recursion: 299 levels are far more than Python's stack would bear at several frames
# a level, and compile too.
def test_conditions_may_be_as_deep_as_they_have_operators():
    depth = 149
    text = "NOT (a=:v AND " * depth + "a=:v" + ")" * depth
    message = condition_refusal(text)
    assert "too many operators; operator count: 448" in message
    depth = 99
    assert compile_program(None, "NOT (a=:v OR " * depth + "a=:v" + ")" * depth)
    assert compile_program(None, "NOT (" * 299 + "a=:v" + ")" * 299)


def test_reserved_words_are_the_guides_573():
    assert len(RESERVED_WORDS) == 573
    assert {"STATUS", "SIZE", "NAME", "ABORT", "ZONE"} <= RESERVED_WORDS
    assert all(word.isupper() and word.isascii() for word in RESERVED_WORDS)


# ---- hostile text --------------------------------------------------------------------------------


COMPILERS = (
    lambda text: compile_program(text, None),
    lambda text: compile_program(None, text),
    compile_projection,
    compile_key_condition,
)

fragments = st.sampled_from(
    ["SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN", "(", ")", "[", "]", ".",
     ",", "=", "<>", "<", ">=", "+", "-", "a", "b", "#n", ":v", "0", "9" * 30, "size", "contains",
     "if_not_exists", "list_append", "attribute_exists", "é", "\x00", "\ud800", "'", "_"]
)  # fmt: skip
hostile = st.text(max_size=200) | st.lists(fragments, max_size=80).map(" ".join)


@settings(max_examples=1500, deadline=None)
@given(hostile)
def test_any_text_compiles_or_is_refused(text):
    for compile_text in COMPILERS:
        try:
            compile_text(text)
        except ValidationError:
            pass


# 4 KB of anything in under 10 ms: what it takes on a quiet machine. The bound here leaves room for
# a busy one, and would still catch quadratic time.
@pytest.mark.parametrize(
    "unit",
    ["(", "NOT ", "NOT(", "a=:v AND ", "(a=:v AND ", "a.", "a[0]", "size(", "f((", "a IN (", ":v,",
     "a BETWEEN ", "((a))=:v OR ", "SET a=", "REMOVE a,", "ADD a :v,", "\ud800", "a", "9", " ",
     "if_not_exists(a,", "a,", ")", "not not(a=:v)or ", "a.b,", "a[1],", "#a.", "h=:h and ",
     "a,b.c[1],"],
)  # fmt: skip
def test_four_kilobytes_of_anything_take_milliseconds(unit):
    text = (unit * 4096)[:4096]
    for start in ("", "SET a=", "REMOVE ", "a IN ("):
        for compile_text in COMPILERS:
            best = 1.0
            for _ in range(3):
                before = time.thread_time()
                try:
                    compile_text((start + text)[:4096])
                except ValidationError:
                    pass
                best = min(best, time.thread_time() - before)
            assert best < 0.04


# Binding, too: a thousand paths, sorted and checked for overlaps.
def test_updates_of_a_thousand_paths_bind_in_milliseconds():
    codec = codec_make()
    names = [f"a.{x}{y}" for x in "abcdefghijklmnopqrstuvwxyz" for y in "0123456789"]
    elements = [f"a[{index}]" for index in range(500)]
    for paths in (names[::-1], elements[::-1], [*elements, "a[499]"], [*names, "a[1]"]):
        program = compile_program("REMOVE " + ",".join(paths), None)
        best = 1.0
        for _ in range(3):
            before = time.thread_time()
            try:
                program.apply(codec, codec.encode({**KEY, "a": {}}), codec.key("ada", 7))
            except ValidationError:
                pass
            best = min(best, time.thread_time() - before)
        assert best < 0.04
