"""Key conditions: which part of a table or index a Query reads.

A key condition is a condition of a narrow kind: equality on every hash attribute, and on the range
attributes from left to right, of which the last one named may be compared otherwise. The text is
parsed and shaped once (`compile_key_condition`); with the names of the request and a key schema it
becomes a `KeyCondition` (`KeyExpression.resolve`), whose values are still placeholders: the caller
encodes them as keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ddbcore.errors import ValidationError
from ddbcore.program import Program
from hashrange.expr import parser, tree
from hashrange.expr.compiler import compile_program
from hashrange.expr.symbols import resolve

CLAUSE = "KeyConditionExpression"
CONDITIONS_MAX = 2  # of a key of one hash and one range attribute

_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class RangeCondition:
    """One condition on a range attribute.

    operator: = < <= > >= BETWEEN or begins_with; values: its placeholders, two for BETWEEN.
    """

    name: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """What a Query reads: a placeholder for each hash attribute, conditions on range attributes.

    hash: (attribute name, placeholder) in the order of the schema. range: in the order of the
    schema; all but the last are equalities; empty when the whole collection is read.
    """

    hash: tuple[tuple[str, str], ...]
    range: tuple[RangeCondition, ...]


@dataclass(frozen=True, slots=True)
class KeyExpression:
    """A parsed key condition. The program has the same text: binding it checks the values."""

    conditions: tuple[RangeCondition, ...]  # with names as written
    program: Program

    @property
    def names(self) -> tuple[str, ...]:
        """Names and name placeholders as written."""
        return self.program.names

    @property
    def values(self) -> tuple[str, ...]:
        """Value placeholders."""
        return self.program.values

    def resolve(
        self,
        names: Mapping[str, str] | None,
        hash_names: Sequence[str],
        range_names: Sequence[str] = (),
    ) -> KeyCondition:
        """Fit the conditions to a key schema.

        names: ExpressionAttributeNames; hash_names, range_names: the schema's attributes, one to
        four hash and up to four range. Raises ValidationError in the words of the service.
        """
        conditions: dict[str, RangeCondition] = {}
        for condition in self.conditions:
            name = resolve(condition.name, names, CLAUSE)
            if name in conditions:
                raise ValidationError(
                    "KeyConditionExpressions must only contain one condition per key"
                )
            conditions[name] = RangeCondition(name, condition.operator, condition.values)
        return fit(conditions, hash_names, range_names)


def fit(
    conditions: dict[str, RangeCondition], hash_names: Sequence[str], range_names: Sequence[str]
) -> KeyCondition:
    """Fit conditions by attribute name to a key schema. Raises ValidationError."""
    if len(hash_names) + len(range_names) <= CONDITIONS_MAX < len(conditions):
        raise ValidationError("Conditions can be of length 1 or 2 only")
    if not range_names and len(conditions) > len(hash_names) == 1:
        raise not_supported()
    hash_part = []
    for name in hash_names:
        if name not in conditions:
            raise missed(name)
        if conditions[name].operator != "=":
            raise not_supported()
        hash_part.append((name, conditions[name].values[0]))
    range_part: list[RangeCondition] = []
    wanted = len(conditions) - len(hash_names)
    for name in range_names:
        if len(range_part) == wanted:
            break
        if name not in conditions:
            raise missed(name)
        if range_part and range_part[-1].operator != "=":
            raise not_supported()
        range_part.append(conditions[name])
    if len(range_part) < wanted:
        raise not_supported()
    return KeyCondition(tuple(hash_part), tuple(range_part))


def missed(name: str) -> ValidationError:
    return ValidationError(f"Query condition missed key schema element: {name}")


def not_supported() -> ValidationError:
    return ValidationError("Query key condition not supported")


def compile_key_condition(condition: str | tree.Condition) -> KeyExpression:
    """Parse a key condition: text, or its tree. Raises ValidationError. The caller caches."""
    if isinstance(condition, str):
        condition = parser.parse_condition(condition, CLAUSE)
    conditions = tuple([shape(part) for part in parts_of(condition)])
    return KeyExpression(conditions, compile_program(None, condition, CLAUSE))


def parts_of(condition: tree.Condition) -> Iterator[tree.Condition]:
    """Yield what AND joins, at any depth, in the order written."""
    waiting = [condition]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.And):
            waiting += reversed(node.parts)
        else:
            yield node


def shape(node: tree.Condition) -> RangeCondition:
    """Return a condition that compares one attribute with constants, the attribute first."""
    operator, operands = operands_of(node)
    if operator in ("BETWEEN", "begins_with") and not isinstance(operands[0], tree.Path):
        raise ValidationError(
            f"Invalid condition in {CLAUSE}: {operator} operator must have the key attribute as "
            "its first operand"
        )
    path = None
    for operand in operands:
        if isinstance(operand, tree.Path):
            if path is not None:
                raise ValidationError(
                    f"Invalid condition in {CLAUSE}: Multiple attribute names used in one condition"
                )
            if len(operand.elements) > 1:
                raise ValidationError(
                    "KeyConditionExpressions cannot have conditions on nested attributes"
                )
            path = operand
        elif isinstance(operand, tree.Call):
            raise ValidationError("KeyConditionExpressions cannot contain nested operations")
    if path is None:
        raise ValidationError(f"Invalid condition in {CLAUSE}: No key attribute specified")
    if path is not operands[0]:
        operator = _MIRRORED[operator]
    values = tuple([operand.token for operand in operands if isinstance(operand, tree.Value)])
    return RangeCondition(str(path.elements[0]), operator, values)


def operands_of(node: tree.Condition) -> tuple[str, tuple[tree.Operand, ...]]:
    """Return operator and operands of a comparison; refuse what a key condition cannot be."""
    if isinstance(node, tree.Comparison) and node.operator != "<>":
        return node.operator, (node.left, node.right)
    if isinstance(node, tree.Between):
        return "BETWEEN", (node.operand, node.lower, node.upper)
    if isinstance(node, tree.Call) and node.function == "begins_with":
        return "begins_with", node.arguments
    if isinstance(node, tree.Call):
        word = node.function
    elif isinstance(node, tree.Comparison):
        word = node.operator
    else:
        word = type(node).__name__.upper()
    raise ValidationError(f"Invalid operator used in {CLAUSE}: {word}")
