"""PartiQL text to tokens, in one linear pass.

Theory of operation. One regular expression, whose repetitions are possessive: no part of the text
is read twice. Words come out in two kinds, IDENTIFIER and KEYWORD; a keyword's `text` is in small
letters, everything else is as meant: quotes are off, doubled quotes are single.

Invariants: (1) a token list ends with exactly one END; (2) for punctuation and operators the kind
is the text itself; (3) `INSERT INTO` is one keyword, `insert_into`, as in PartiQL's own grammar;
(4) `!=` is written `<>`. A character that the language does not know becomes a token of kind OTHER,
so that the parser refuses it where it stands; so does what a quote or a comment leaves open.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hashrange.partiql import faults
from hashrange.partiql.keywords import KEYWORDS

STATEMENT_CHARACTERS_MAX = 8192

IDENTIFIER = "identifier"
QUOTED = "quoted"
KEYWORD = "keyword"
STRING = "string"
NUMBER = "number"
OTHER = "other"
END = "end"

_TOKEN = re.compile(
    r"(?:\s++|--[^\r\n]*+|/\*(?s:.*?)\*/)"
    r"|(?P<word>[A-Za-z_$][A-Za-z0-9_$]*+)"
    r"|(?P<number>(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)"
    r"|(?P<string>'[^']*+(?:''[^']*+)*+')"
    r'|(?P<quoted>"[^"]*+(?:""[^"]*+)*+")'
    r"|(?P<open>/\*|['\"])"
    r"|(?P<sign><<|>>|<>|!=|<=|>=|\|\||[=<>+\-*/%()\[\]{},:;.?@])"
    r"|(?P<other>.)",
    re.DOTALL,
)


class Token(NamedTuple):
    """One token; `start` and `end` are character positions in the text."""

    kind: str
    text: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """Split a statement into tokens.

    Raises ValidationError for a text that is not 1 to 8,192 characters long.
    """
    if not text:
        raise faults.length_not_allowed(text, "greater than or equal to 1")
    if len(text) > STATEMENT_CHARACTERS_MAX:
        raise faults.length_not_allowed(text, f"less than or equal to {STATEMENT_CHARACTERS_MAX}")
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        group = match.lastgroup
        if group is None:
            continue
        start, end = match.span()
        word = match.group()
        if group == "word":
            token = _word(word, start, end)
        elif group == "sign":
            kind = "<>" if word == "!=" else word
            token = Token(kind, kind, start, end)
        elif group == "number":
            token = Token(NUMBER, word, start, end)
        elif group == "string":
            token = Token(STRING, word[1:-1].replace("''", "'"), start, end)
        elif group == "quoted":
            token = Token(QUOTED, word[1:-1].replace('""', '"'), start, end)
        else:
            tokens.append(Token(OTHER, text[start:], start, len(text)))
            break
        if token.text == "into" and token.kind == KEYWORD and tokens:
            before = tokens[-1]
            if before.kind == KEYWORD and before.text == "insert":
                tokens[-1] = Token(KEYWORD, "insert_into", before.start, end)
                continue
        tokens.append(token)
    tokens.append(Token(END, "", len(text), len(text)))
    return tokens


def _word(word: str, start: int, end: int) -> Token:
    small = word.lower()
    if small in KEYWORDS:
        return Token(KEYWORD, small, start, end)
    return Token(IDENTIFIER, word, start, end)
