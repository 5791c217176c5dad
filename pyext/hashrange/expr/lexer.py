"""Expression text to tokens, in one linear pass.

Invariants: (1) a token list ends with exactly one token of kind END, and is empty otherwise only
for blank text, which is refused here; (2) kinds are the letters below, and for punctuation the kind
is the text itself; (3) no token is longer than the text. A character that the language does not
know becomes a token of kind OTHER, so that the parser reports it where it stands. Names start with
a letter; "_" may follow but not lead (observed on the service).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ddbcore.errors import ValidationError

EXPRESSION_BYTES_MAX = 4096
PLACEHOLDER_BYTES_MAX = 255

WORD = "word"
NAME = "#"
VALUE = ":"
INDEX = "digits"
OTHER = "other"
END = "<EOF>"

_TOKEN = re.compile(
    r"(?P<word>[A-Za-z][A-Za-z0-9_]*)|(?P<name>#[A-Za-z0-9_]+)"
    r"|(?P<value>:[A-Za-z0-9_]+)|(?P<digits>[0-9]+)"
    r"|(?P<punctuation><>|<=|>=|[=<>+\-()\[\],.])|(?P<other>[^ \t\r\n])"
)
_KINDS = {"word": WORD, "name": NAME, "value": VALUE, "digits": INDEX, "other": OTHER}


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens side by side: kind, text, and where it starts in the expression, in characters."""

    kinds: list[str]
    texts: list[str]
    starts: list[int]


def tokenize(text: str, clause: str) -> Tokens:
    """Split an expression into tokens.

    clause: the request member to name in errors, such as "UpdateExpression".
    Raises ValidationError for blank text, text above 4,096 bytes and placeholders above 255.
    """
    size_bytes = len(text.encode("utf-8", "surrogatepass"))
    if size_bytes > EXPRESSION_BYTES_MAX:
        raise ValidationError(
            f"Invalid {clause}: Expression size has exceeded the maximum allowed size; "
            f"expression size: {size_bytes}"
        )
    kinds: list[str] = []
    texts: list[str] = []
    starts: list[int] = []
    for match in _TOKEN.finditer(text):
        word = match.group()
        kinds.append(_KINDS.get(match.lastgroup or "", word))
        texts.append(word)
        starts.append(match.start())
    if not kinds:
        raise ValidationError(f"Invalid {clause}: The expression can not be empty;")
    for kind, word in zip(kinds, texts, strict=True):
        if len(word) > PLACEHOLDER_BYTES_MAX and kind in (NAME, VALUE):
            raise ValidationError(
                f"Invalid {clause}: a placeholder has {len(word)} bytes, "
                f"{PLACEHOLDER_BYTES_MAX} are allowed: {word[:40]}..."
            )
    kinds.append(END)
    texts.append("<EOF>")
    starts.append(len(text))
    return Tokens(kinds, texts, starts)
