"""Shapes: the form of a request as data, and what the service says of a value that breaks it.

Theory of operation. A shape is a small tree of the classes below. Four readers walk it: `form`
compiles it to a `ddbcore.forms.Form`, which tells whether a value is certainly fine, in a fraction
of a microsecond; `check_types` raises the service's SerializationException for the first member of
a wrong JSON type, in the order of the request; `failures` lists the broken constraints in the
service's order, which is that of the members here, at most ten of them. `settled` returns the value
with what the service converts: words for booleans, and numbers with a fraction for whole ones.

A shape marked `deferred` (attribute values) is not entered by the form: the codec meets every
attribute value anyway, and `examine` enters it when an operation has failed, because the service
looks at types before all else.

Invariants. (1) What the form accepts has no `failures` and is settled; `check_types` raises nothing
but for what lies inside deferred shapes. (2) None is an absent member; unknown members are ignored.

Threads: shapes never change after import.
"""

# ruff: noqa: ARG002  (the methods of all shapes have the same parameters)
from __future__ import annotations

import base64
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ddbcore import misfits
from ddbcore.forms import Form
from hashrange.errors import SerializationError, constraint, constraints_failed, java_list

FAILURES_MAX = 10
INTEGER_MAX = (1 << 31) - 1
LONG_MAX = (1 << 63) - 1
JAVA_PACKAGE = "com.amazonaws.dynamodb.v20120810."
NULL_RULE = "Member must not be null"
# The service lets this cast of its own shine through for a list or map inside a list or map.
CAST_WORDS = (
    "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class "
    "java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and "
    "java.lang.Class are in module java.base of loader 'bootstrap')"
)


class Shape(ABC):
    """Base: `deferred` shapes are left to the codec by the compiled check."""

    deferred = False

    @abstractmethod
    def form(self) -> Form:
        """Return the compiled check, which accepts only what is certainly fine."""

    @abstractmethod
    def check_types(self, value: Any, *, nested: bool) -> None:
        """Raise SerializationError for a wrong type. nested: an element of a list or a map."""

    @abstractmethod
    def failures(self, value: Any, path: str) -> Iterator[str]:
        """Yield what the service says of each broken constraint."""

    @abstractmethod
    def java_type(self) -> str:
        """Return the service's name of the type, as its messages spell it."""

    def shown(self, value: Any) -> str:
        """Render a value as the service's messages do."""
        return str(value)

    def settled(self, value: Any) -> Any:
        """Return a value without failures as the service takes it."""
        return value


class Text(Shape):
    """A string: length in characters, pattern and allowed values, each None when unbounded.

    A pattern is one class of characters, repeated: "[...]+". pattern_first: the service names a
    broken pattern before a broken length. late: the operation refuses what breaks these constraints
    in words of its own; here they are only on record.
    """

    def __init__(
        self,
        least: int | None = None,
        most: int | None = None,
        *,
        pattern: str | None = None,
        enum: tuple[str, ...] | None = None,
        pattern_first: bool = False,
        late: bool = False,
    ) -> None:
        self.late = late
        self.least = least
        self.most = most
        self.pattern = pattern
        self.enum = enum
        self.pattern_first = pattern_first
        self.match = re.compile(pattern).fullmatch if pattern else None

    def java_type(self) -> str:
        """Return the service's name of the type."""
        return "java.lang.String"

    def form(self) -> Form:
        """Return the compiled check."""
        if self.late:
            return Form("text")
        characters = None
        if self.match is not None:
            characters = "".join(filter(self.match, map(chr, range(128))))
        return Form("text", self.least, self.most, values=self.enum, characters=characters)

    def check_types(self, value: Any, *, nested: bool) -> None:
        """Raise for anything but a string."""
        if not isinstance(value, str):
            raise SerializationError(scalar_words(value, "String", self.java_type()))

    def failures(self, value: Any, path: str) -> Iterator[str]:
        """Yield broken constraints: values, then length and pattern in this shape's order."""
        if self.late:
            return
        if self.enum is not None:
            if value not in self.enum:
                yield constraint(value, path, enum_rule(self.enum))
            return
        rules = list(length_rules(len(value), self.least, self.most))
        if self.match is not None and not self.match(value):
            rules.insert(0 if self.pattern_first else len(rules), pattern_rule(self.pattern or ""))
        for rule in rules:
            yield constraint(value, path, rule)


class TableText(Text):
    """A table's name or its ARN. The model says 1 to 1024; names have rules of their own.

    name_least: 3 in the control plane, 1 in the data plane, where a short name is just unknown.
    """

    PATTERN = "[a-zA-Z0-9_.-]+"
    NAME_MOST = 255

    def __init__(self, name_least: int, *, pattern_first: bool = False) -> None:
        super().__init__(1, 1024, pattern_first=pattern_first)
        self.name = Text(
            name_least, self.NAME_MOST, pattern=self.PATTERN, pattern_first=pattern_first
        )

    def form(self) -> Form:
        """Return the compiled check; ARNs take the slow way."""
        return self.name.form()

    def failures(self, value: Any, path: str) -> Iterator[str]:
        """Yield the broken constraints of a name, or of an ARN."""
        if value.startswith("arn:"):
            yield from super().failures(value, path)
        elif not value and self.name.least == 1:
            yield constraint("", path, least_rule(1))
        else:
            yield from self.name.failures(value, path)


class Whole(Shape):
    """A whole number; `java` is the service's type, Integer or Long.

    The service cuts off a fraction. What does not fit into its type is as much as that holds.
    """

    def __init__(
        self, java: str = "Integer", least: int | None = None, most: int | None = None
    ) -> None:
        self.java = java
        self.bound = INTEGER_MAX if java == "Integer" else LONG_MAX
        self.least = least
        self.most = most

    def java_type(self) -> str:
        """Return the service's name of the type."""
        return f"java.lang.{self.java}"

    def form(self) -> Form:
        """Return the compiled check."""
        return Form(
            "whole",
            -self.bound if self.least is None else self.least,
            self.bound if self.most is None else self.most,
        )

    def check_types(self, value: Any, *, nested: bool) -> None:
        """Raise for anything but a number."""
        if (isinstance(value, float) and math.isfinite(value)) or (
            isinstance(value, Decimal) and value.is_finite()
        ):
            return
        if isinstance(value, bool) or not isinstance(value, int):
            raise SerializationError(scalar_words(value, self.java, self.java_type()))

    def failures(self, value: Any, path: str) -> Iterator[str]:
        """Yield broken bounds."""
        number = whole_of(value)
        if self.least is not None and number < self.least:
            rule = f"Member must have value greater than or equal to {self.least}"
            yield constraint(str(number), path, rule)
        if self.most is not None and number > self.most:
            rule = f"Member must have value less than or equal to {self.most}"
            yield constraint(str(number), path, rule)

    def settled(self, value: Any) -> Any:
        """Return a whole number that fits into the type."""
        return max(-self.bound, min(whole_of(value), self.bound))


class Flag(Shape):
    """A boolean."""

    def java_type(self) -> str:
        """Return the service's name of the type."""
        return "java.lang.Boolean"

    def form(self) -> Form:
        """Return the compiled check."""
        return Form("flag")

    def check_types(self, value: Any, *, nested: bool) -> None:
        """Raise for anything but a boolean, or a word for one."""
        if isinstance(value, str):
            misfits.boolean(value)
        elif not isinstance(value, bool):
            raise SerializationError(scalar_words(value, "Boolean", self.java_type()))

    def failures(self, value: Any, path: str) -> Iterator[str]:
        """Yield nothing: there are no constraints on booleans."""
        return iter(())

    def shown(self, value: Any) -> str:
        """Render as Java does."""
        return "true" if misfits.boolean(value) else "false"

    def settled(self, value: Any) -> Any:
        """Return the boolean."""
        return misfits.boolean(value)


class Blob(Shape):
    """Bytes."""

    def java_type(self) -> str:
        """Return the service's name of the type."""
        return "java.nio.ByteBuffer"

    def form(self) -> Form:
        """Return the compiled check."""
        return Form("blob")

    def check_types(self, value: Any, *, nested: bool) -> None:
        """Raise for anything but bytes, or base64 text that stands for them."""
        if isinstance(value, bytes | bytearray | memoryview):
            return
        if isinstance(value, str):
            misfits.blob(value)
            return
        if isinstance(value, list):
            raise SerializationError(f"Unrecognized collection type class {self.java_type()}")
        if isinstance(value, dict):
            raise SerializationError("Start of structure or map found where not expected")
        raise SerializationError(misfits.NOT_BASE64)

    def failures(self, value: Any, path: str) -> Iterator[str]:
        """Yield nothing: there are no constraints on bytes."""
        return iter(())


class Sequence(Shape):
    """A list of one shape. newer: its length is spoken of in the newer form."""

    def __init__(
        self,
        element: Shape,
        least: int | None = None,
        most: int | None = None,
        *,
        newer: bool = False,
    ) -> None:
        self.element = element
        self.least = least
        self.most = most
        self.newer = newer

    def java_type(self) -> str:
        """Return the service's name of the type."""
        return f"java.util.List<{self.element.java_type()}>"

    def form(self) -> Form:
        """Return the compiled check."""
        element = None if self.element.deferred else self.element.form()
        return Form("list", self.least, self.most, element=element)

    def check_types(self, value: Any, *, nested: bool) -> None:
        """Raise for anything but a list of such elements."""
        if not isinstance(value, list):
            if nested:
                raise SerializationError(CAST_WORDS)
            if isinstance(value, dict):
                raise SerializationError("Start of structure or map found where not expected")
            raise SerializationError("Unexpected field type")
        for element in value:
            if element is not None:
                self.element.check_types(element, nested=True)

    def failures(self, value: Any, path: str) -> Iterator[str]:
        """Yield broken lengths, then those of the elements; counted from 1 in paths."""
        for rule in length_rules(len(value), self.least, self.most):
            if self.newer:
                yield newer_words(path, rule)
            else:
                yield constraint(self.shown(value), path, rule)
        yield from self.element_failures(value, path)

    def element_failures(self, value: Any, path: str) -> Iterator[str]:
        """Yield those of the elements; attribute values that are null are the codec's affair."""
        for number, element in enumerate(value, 1):
            where = f"{path}.{number}.member"
            if element is not None:
                yield from self.element.failures(element, where)
            elif not self.element.deferred:
                yield constraint(None, where, NULL_RULE)

    def shown(self, value: Any) -> str:
        """Render as Java does."""
        return java_list(shown_element(self.element, element) for element in value)

    def settled(self, value: Any) -> Any:
        """Return the list with its elements settled."""
        return [settled_element(self.element, element) for element in value]


class Mapping(Shape):
    """A map from strings to one shape.

    tables: the keys are tables; the service then states all rules of its keys in one failure.
    newer: its length is spoken of in the newer form. as_json: it is shown as JSON.
    """

    def __init__(
        self,
        key: Text,
        value: Shape,
        least: int | None = None,
        most: int | None = None,
        *,
        tables: bool = False,
        newer: bool = False,
        as_json: bool = False,
    ) -> None:
        self.key = key
        self.value = value
        self.least = least
        self.most = most
        self.tables = tables
        self.newer = newer
        self.as_json = as_json

    def java_type(self) -> str:
        """Return the service's name of the type."""
        return f"java.util.Map<java.lang.String, {self.value.java_type()}>"

    def form(self) -> Form:
        """Return the compiled check."""
        element = None if self.value.deferred else self.value.form()
        return Form("map", self.least, self.most, key=self.key.form(), element=element)

    def check_types(self, value: Any, *, nested: bool) -> None:
        """Raise for anything but a map of such values."""
        if not isinstance(value, dict):
            if nested:
                raise SerializationError(CAST_WORDS)
            if isinstance(value, list):
                raise SerializationError(f"Unrecognized collection type {self.java_type()}")
            raise SerializationError("Unexpected field type")
        for key, inner in value.items():
            self.key.check_types(key, nested=True)
            if inner is not None:
                self.value.check_types(inner, nested=True)

    def failures(self, value: Any, path: str) -> Iterator[str]:
        """Yield broken sizes, then those of keys and values."""
        for rule in length_rules(len(value), self.least, self.most):
            if self.newer:
                yield newer_words(path, rule)
            else:
                yield constraint(self.shown(value), path, rule)
        keys = self.key.name if isinstance(self.key, TableText) else self.key
        for key in value:
            if any(self.key.failures(key, path)):
                rules = java_list(text_rules(keys))
                words = f"Map keys must satisfy constraint: {rules}"
                yield constraint(self.shown(value), path, words)
        if isinstance(self.value, Sequence) and self.tables:
            for inner in value.values():
                if inner is not None and any(
                    length_rules(len(inner), self.value.least, self.value.most)
                ):
                    rules = java_list(bound_rules(self.value.least, self.value.most))
                    words = f"Map value must satisfy constraint: {rules}"
                    yield constraint(self.shown(value), path, words)
                    break
        for key, inner in value.items():
            if inner is not None:
                yield from self.inner_failures(inner, f"{path}.{key}.member")
            elif not self.value.deferred:
                yield constraint(None, f"{path}.{key}.member", NULL_RULE)

    def inner_failures(self, value: Any, path: str) -> Iterator[str]:
        """Yield those of one value; where keys are tables its length is stated for the map."""
        if isinstance(self.value, Sequence) and self.tables:
            yield from self.value.element_failures(value, path)
        else:
            yield from self.value.failures(value, path)

    def shown(self, value: Any) -> str:
        """Render as Java does, or as JSON."""
        if self.as_json:
            return json.dumps(
                value,
                separators=(",", ":"),
                ensure_ascii=False,
                default=lambda binary: base64.b64encode(binary).decode(),
            )
        pairs = (f"{key}={shown_element(self.value, inner)}" for key, inner in value.items())
        return "{" + ", ".join(pairs) + "}"

    def settled(self, value: Any) -> Any:
        """Return the map with its values settled."""
        return {key: settled_element(self.value, inner) for key, inner in value.items()}


class Structure(Shape):
    """Named members, in the order in which the service lists their failures.

    A name in `required` must be there. `late` names are required by the model, and the service
    says so in words of its own: the operation does that. `alone` names are spoken of only when
    nothing is wrong with the others.
    """

    def __init__(
        self,
        name: str,
        members: dict[str, Shape],
        required: tuple[str, ...] = (),
        *,
        late: tuple[str, ...] = (),
        alone: tuple[str, ...] = (),
        deferred: bool = False,
    ) -> None:
        self.name = name
        self.members = members
        self.required = required
        self.late = late
        self.alone = alone
        self.deferred = deferred

    def java_type(self) -> str:
        """Return the service's name of the type."""
        return JAVA_PACKAGE + self.name

    def form(self) -> Form:
        """Return the compiled check."""
        if self.deferred:
            return Form("object")
        needed: dict[str, Form] = {}
        members: dict[str, Form] = {}
        for name, shape in self.members.items():
            (needed if name in self.required else members)[name] = shape.form()
        return Form("object", needed=needed, members=members)

    def check_types(self, value: Any, *, nested: bool) -> None:
        """Raise for anything but an object, then for its members in the order of the request."""
        if not isinstance(value, dict):
            if isinstance(value, list):
                raise SerializationError(f"Unrecognized collection type class {self.java_type()}")
            raise SerializationError(
                "Unexpected value type in payload" if nested else "Unexpected field type"
            )
        for name, inner in value.items():
            shape = self.members.get(name)
            if shape is not None and inner is not None:
                shape.check_types(inner, nested=False)

    def failures(self, value: Any, path: str) -> Iterator[str]:
        """Yield those of the members, absent ones among them."""
        fine = True
        for name in self.members:
            if name not in self.alone:
                for words in self.member_failures(value, name, path):
                    fine = False
                    yield words
        if fine:
            for name in self.alone:
                yield from self.member_failures(value, name, path)

    def member_failures(self, value: Any, name: str, path: str) -> Iterator[str]:
        """Yield those of one member."""
        inner = value.get(name)
        where = member_path(path, name)
        if inner is not None:
            yield from self.members[name].failures(inner, where)
        elif name in self.required:
            yield constraint(None, where, NULL_RULE)

    def shown(self, value: Any) -> str:
        """Render as Java does, absent members left out."""
        pairs = (
            f"{name[0].lower()}{name[1:]}={shape.shown(value[name])}"
            for name, shape in self.members.items()
            if value.get(name) is not None
        )
        return f"{self.name}({', '.join(pairs)})"

    def settled(self, value: Any) -> Any:
        """Return the members settled; those that the shape does not know as they are."""
        return {
            name: settled_element(self.members[name], inner) if name in self.members else inner
            for name, inner in value.items()
        }


# ---- checks --------------------------------------------------------------------------------------


def examine(shape: Structure, request: Any) -> None:
    """Raise what the service says of a request that breaks its shape; nothing when it does not.

    Raises SerializationError for a wrong type anywhere, else ValidationError for constraints.
    """
    shape.check_types(request, nested=False)
    failures = []
    for failure in shape.failures(request, ""):
        failures.append(failure)
        if len(failures) == FAILURES_MAX:
            break
    if failures:
        raise constraints_failed(failures)


# ---- words ---------------------------------------------------------------------------------------


def member_path(path: str, name: str) -> str:
    """Return the path of a member: the first letter is small, whatever follows it."""
    member = name[0].lower() + name[1:]
    return f"{path}.{member}" if path else member


def newer_words(path: str, rule: str) -> str:
    """State a rule in the newer form: without the value, members spelled as in the request."""
    path = path[0].upper() + path[1:]
    before, dot, last = path.rpartition(".")
    if dot:
        path = f"{before}.{last[0].upper()}{last[1:]}"
    return f"Value at '{path}' failed to satisfy constraint: {rule}"


def shown_element(shape: Shape, value: Any) -> str:
    """Render an element of a list or map as Java does."""
    return "null" if value is None else shape.shown(value)


def whole_of(number: int | float | Decimal) -> int:
    """Return a number without its fraction; one that no Long holds as the largest or least."""
    if not -LONG_MAX < number < LONG_MAX:
        return LONG_MAX if number > 0 else -LONG_MAX
    return int(number)


def settled_element(shape: Shape, value: Any) -> Any:
    """Return a value settled; null, and what is left to the codec, as it is."""
    return value if value is None or shape.deferred else shape.settled(value)


def scalar_words(value: Any, target: str, java: str) -> str:
    """Say that a JSON value is no `target`."""
    if isinstance(value, dict):
        return "Start of structure or map found where not expected"
    if isinstance(value, list | tuple | set | frozenset):
        return f"Unrecognized collection type class {java}"
    if value is True:
        token = "TRUE_VALUE"
    elif value is False:
        token = "FALSE_VALUE"
    elif isinstance(value, int):
        token = "NUMBER_VALUE"
    elif isinstance(value, str | bytes | bytearray | memoryview):
        token = "STRING_VALUE"
    else:
        token = "DECIMAL_VALUE"
    return f"{token} cannot be converted to {target}"


def least_rule(least: int) -> str:
    """State a least length."""
    return f"Member must have length greater than or equal to {least}"


def most_rule(most: int) -> str:
    """State a greatest length."""
    return f"Member must have length less than or equal to {most}"


def pattern_rule(pattern: str) -> str:
    """State a pattern."""
    return f"Member must satisfy regular expression pattern: {pattern}"


def enum_rule(values: tuple[str, ...]) -> str:
    """State the allowed values."""
    return f"Member must satisfy enum value set: {java_list(values)}"


def length_rules(length: int, least: int | None, most: int | None) -> Iterator[str]:
    """Yield the length rules that a length breaks."""
    if least is not None and length < least:
        yield least_rule(least)
    if most is not None and length > most:
        yield most_rule(most)


def bound_rules(least: int | None, most: int | None) -> Iterator[str]:
    """Yield the length rules of a map's keys or values, the greatest first as the service does."""
    if most is not None:
        yield most_rule(most)
    if least is not None:
        yield least_rule(least)


def text_rules(text: Text) -> Iterator[str]:
    """Yield every rule of a string, as they stand in a failure about map keys."""
    yield from bound_rules(text.least, text.most)
    if text.pattern is not None:
        yield pattern_rule(text.pattern)
