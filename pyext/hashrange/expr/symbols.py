"""Rules about the names and values of a request that has several expressions.

One dict of names and one of values serve all expressions of a request, so that only the whole
request tells which placeholders nobody uses. Programs and projections are then bound with
partial=True.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from ddbcore.errors import ValidationError
from ddbcore.program import Program

_KEYS = {"#": re.compile(r"#[0-9A-Za-z_]+\Z"), ":": re.compile(r":[0-9A-Za-z_]+\Z")}


class _Named(Protocol):
    @property
    def names(self) -> tuple[str, ...]: ...


class _Pathed(_Named, Protocol):
    @property
    def paths(self) -> tuple[tuple[int, ...], ...]: ...


def refuse_unused(
    names: Mapping[str, str] | None, values: Mapping[str, Any] | None, *expressions: _Named | None
) -> None:
    """Refuse placeholders that none of the expressions uses.

    expressions: programs, projections and key expressions; None is passed over. Raises
    ValidationError in the words of the service.
    """
    used_names: set[str] = set()
    used_values: set[str] = set()
    for expression in expressions:
        if expression is not None:
            used_names.update(expression.names)
            used_values.update(getattr(expression, "values", ()))
    _refuse("ExpressionAttributeNames", names, used_names, "#")
    _refuse("ExpressionAttributeValues", values, used_values, ":")


def _refuse(
    member: str, given: Mapping[str, Any] | None, used: Collection[str], mark: str
) -> None:
    if given is None:
        return
    for key in given:
        if not _KEYS[mark].match(key):
            raise ValidationError(f'{member} contains invalid key: Syntax error; key: "{key}"')
    unused = sorted([key for key in given if key not in used])
    if unused:
        raise ValidationError(
            f"Value provided in {member} unused in expressions: keys: {{{', '.join(unused)}}}"
        )


def resolve(name: str, names: Mapping[str, str] | None, clause: str) -> str:
    """Return what a name stands for. Raises ValidationError for an undefined placeholder."""
    if not name.startswith("#"):
        return name
    if names is None or name not in names:
        raise ValidationError(
            f"Invalid {clause}: An expression attribute name used in the document path is not "
            f"defined; attribute name: {name}"
        )
    return names[name]


def refuse_key_attributes(
    program: Program,
    names: Mapping[str, str] | None,
    key_names: Collection[str],
    member: str = "Filter Expression",
) -> None:
    """Refuse a filter of Query that names a key attribute of what is queried.

    key_names: hash and range attributes of the table or index, the first to be reported first;
    member: "QueryFilter" for the legacy one. Raises ValidationError.
    """
    used = {resolve(name, names, program.clause) for name in program.outer_names}
    for name in key_names:
        if name in used:
            raise ValidationError(
                f"{member} can only contain non-primary key attributes: "
                f"Primary key attribute: {name}"
            )


def refuse_nested_keys(
    expression: _Pathed,
    names: Mapping[str, str] | None,
    key_names: Collection[str],
    index_key_names: Collection[str],
) -> None:
    """Refuse a projection or filter that looks into a key attribute, which is never a document.

    key_names: of the table's key; index_key_names: of the keys of all its indexes. Raises
    ValidationError.
    """
    tops = {expression.names[-1 - path[0]] for path in expression.paths if len(path) > 1}
    if not tops:
        return
    used = {(names or {}).get(name, name) for name in tops}
    for what, candidates in (("Key", key_names), ("IndexKey", index_key_names)):
        for name in candidates:
            if name in used:
                raise ValidationError(
                    "Key attributes must be scalars; list random access '[]' and map lookup '.' "
                    f"are not allowed: {what}: {name}"
                )
