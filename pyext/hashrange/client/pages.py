"""Pages: paginators, as boto3's client has them.

Theory of operation. A paginator calls its operation again with the token that the last response
gave, until there is none, or until MaxItems results were seen. Where it stopped is in
`resume_token`, which the next paginator takes as StartingToken: base64 of JSON, in the form of
botocore's, so that tokens may be exchanged with it; binary key values stand in it as base64 with
their places noted.

Threads: a PageIterator may be iterated several times, each by one thread at a time.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from itertools import tee
from typing import Any

from hashrange.client.exceptions import PaginationError, join_botocore
from hashrange.client.facts import Pages
from hashrange.client.shapes import snake_case

Response = dict[str, Any]
Token = dict[str, Any]

CUT = "boto_truncate_amount"       # results of the page at the token that were seen already
BINARY_PLACES = "boto_encoded_keys"


class Paginator:
    """The pages of one operation. method: the client's method; pages: how they hang together."""

    def __init__(self, operation: str, method: Callable[..., Response], pages: Pages) -> None:
        self.operation = operation
        self.method = method
        self.pages = pages

    def __repr__(self) -> str:
        return f"<hashrange.client.Paginator {snake_case(self.operation)}>"

    @property
    def result_keys(self) -> list[str]:
        """Return the names of the members that hold results."""
        return list(self.pages.results)

    def paginate(self, **parameters: Any) -> PageIterator:
        """Return an iterable over the responses.

        PaginationConfig: MaxItems, PageSize and StartingToken, each optional; everything else is
        the operation's. Raises PaginationError for a PageSize where pages have no size.
        """
        config = parameters.pop("PaginationConfig", {})
        most, size = config.get("MaxItems"), config.get("PageSize")
        if size is not None:
            if self.pages.limit is None:
                join_botocore()
                raise PaginationError(
                    "PageSize parameter is not supported for the pagination interface for this "
                    "operation."
                )
            parameters[self.pages.limit] = int(size)
        return PageIterator(
            self, parameters, None if most is None else int(most), config.get("StartingToken")
        )


class PageIterator:
    """Responses, page by page; see Paginator.paginate. `resume_token` is set at its end."""

    def __init__(
        self, paginator: Paginator, parameters: Token, most: int | None, start: str | None
    ) -> None:
        self.method = paginator.method
        self.pages = paginator.pages
        self.parameters = parameters
        self.most = most
        self.start = start
        self.non_aggregate_part: dict[str, Any] = {}
        self._resume_token: str | None = None

    @property
    def result_keys(self) -> list[str]:
        """Return the names of the members that hold results."""
        return list(self.pages.results)

    @property
    def resume_token(self) -> str | None:
        """Return where to go on, as a StartingToken; None when there is nothing left."""
        return self._resume_token

    @resume_token.setter
    def resume_token(self, token: Token) -> None:
        if not isinstance(token, dict) or set(token) - {CUT} != {self.pages.token_in}:
            raise ValueError(f"Bad starting token: {token}")
        self._resume_token = token_text(token)

    def __iter__(self) -> Iterator[Response]:
        first, seen, skipped = self.pages.results[0], 0, 0
        token, last = None, None
        parameters = dict(self.parameters)
        if self.start is not None:
            token, skipped = self.parsed_start()
        starting = True
        while True:
            self.put_token(parameters, token)
            page = self.method(**parameters)
            if starting:
                self.note_first(page, skipped)
                starting = False
            else:
                skipped = 0
            results = page.get(first) or []
            excess = 0 if self.most is None else seen + len(results) - self.most
            if excess > 0:
                kept = len(results) - excess
                page[first] = results[:kept]
                self.resume_token = {self.pages.token_in: token, CUT: kept + skipped}
                yield page
                return
            yield page
            seen += len(results)
            token = page.get(self.pages.token_out) or None
            if token is None:
                return
            if seen == self.most:
                self.resume_token = {self.pages.token_in: token}
                return
            if token == last:
                join_botocore()
                shown = {self.pages.token_in: token}
                raise PaginationError(f"The same next token was received twice: {shown}")
            last = token

    def put_token(self, parameters: Token, token: Any) -> None:
        """Put a token into the parameters of the next call; without one the caller's stays."""
        if token is not None and token != "None":
            parameters[self.pages.token_in] = token

    def note_first(self, page: Response, skipped: int) -> None:
        """Take from the first page what is not summed up, and off it what was seen before."""
        if self.start is not None:
            for name in self.pages.results:
                if isinstance(page.get(name), list):
                    page[name] = page[name][skipped:] if name == self.pages.results[0] else []
        self.non_aggregate_part = {name: page.get(name) for name in self.pages.others}

    def parsed_start(self) -> tuple[Any, int]:
        """Return the token that StartingToken holds, and the results to skip behind it."""
        assert self.start is not None
        try:
            token = token_of(self.start)
            return token.get(self.pages.token_in), token.get(CUT, 0)
        except (ValueError, TypeError, AttributeError):
            # The oldest form: the token itself, with "___" and a number of results behind it.
            text, mark, number = self.start.rpartition("___")
            if mark and number.isdecimal():
                return None if text == "None" else text, int(number)
            return self.start, 0

    def search(self, expression: str) -> Iterator[Any]:
        """Yield what a JMESPath expression finds in each page; lists one by one.

        It takes the package jmespath, which boto3 brings with it. Raises ImportError.
        """
        import jmespath

        compiled = jmespath.compile(expression)
        for page in self:
            found = compiled.search(page)
            if isinstance(found, list):
                yield from found
            else:
                yield found

    def result_key_iters(self) -> list[Iterator[Any]]:
        """Return one iterator over the results for each member that holds some."""
        return [
            (result for page in pages for result in page.get(name) or [])
            for pages, name in zip(tee(self, len(self.pages.results)), self.pages.results,
                                   strict=True)
        ]

    def build_full_result(self) -> Response:
        """Return all pages as one response: lists joined, counts summed, NextToken if cut off."""
        whole: Response = {}
        for page in self:
            for name in self.pages.results:
                part = page.get(name)
                if part is None:
                    continue
                whole[name] = whole[name] + part if name in whole else part
        whole.update(self.non_aggregate_part)
        if self.resume_token is not None:
            whole["NextToken"] = self.resume_token
        return whole


# ---- tokens as text ------------------------------------------------------------------------------


def token_text(token: Token) -> str:
    """Return a token as text."""
    places: list[list[Any]] = []
    written = without_binaries(token, [], places)
    if places:
        written[BINARY_PLACES] = places
    return base64.b64encode(json.dumps(written).encode()).decode()


def without_binaries(value: Any, place: list[Any], places: list[list[Any]]) -> Any:
    """Return a copy with base64 text for binaries; their places are noted."""
    if isinstance(value, dict):
        return {k: without_binaries(v, [*place, k], places) for k, v in value.items()}
    if isinstance(value, list):
        return [without_binaries(v, [*place, i], places) for i, v in enumerate(value)]
    if isinstance(value, bytes):
        places.append(place)
        return base64.b64encode(value).decode()
    return value


def token_of(text: str) -> Token:
    """Return the token that a text stands for. Raises ValueError, TypeError."""
    try:
        token = json.loads(base64.b64decode(text.encode()).decode())
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if not isinstance(token, dict):
        raise ValueError("no token")
    for place in token.pop(BINARY_PLACES, ()):
        holder: Any = token
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = base64.b64decode(holder[place[-1]])
    return token
