"""Values and names of one execution: literals checked, parameters put in, placeholders handed out.

A list, tuple or set that is written out may hold literals only; a parameter may stand for it as a
whole. Nesting, duplicates and the digits of numbers are checked here, for literals: the values of
parameters were checked when the request came in.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, DecimalException

from hashrange.expr import tree as expression
from hashrange.partiql import faults, tree
from hashrange.partiql.tree import Typed

LITERAL_LEVELS_MAX = 32
NUMBER_DIGITS_MAX = 38
NUMBER_EXPONENT_MAX = 125
NUMBER_EXPONENT_MIN = -130

VALUES = (tree.Literal, tree.Parameter, tree.Array, tree.Struct, tree.Bag)


def type_of(value: Typed) -> str:
    """Return the type of an attribute value: "S", "N", ..."""
    return next(iter(value))


def checked_number(text: str) -> str:
    """Return a number literal as an attribute value writes it. Raises ValidationError."""
    try:
        number = Decimal(text)
    except DecimalException:
        raise faults.number_overflow() from None
    if number:
        digits = number.as_tuple().digits
        if len("".join(map(str, digits)).strip("0")) > NUMBER_DIGITS_MAX:
            raise faults.number_precision()
        if number.adjusted() > NUMBER_EXPONENT_MAX:
            raise faults.number_overflow()
        if number.adjusted() < NUMBER_EXPONENT_MIN:
            raise faults.number_underflow()
    sign, digits_text = ("-", text[1:]) if text.startswith("-") else ("", text)
    mantissa, mark, exponent = digits_text.upper().partition("E")
    whole, _, fraction = mantissa.partition(".")
    return sign + (whole or "0") + (f".{fraction}" if fraction else "") + mark + exponent


class Binder:
    """The values of one execution of a statement.

    names and values: what the placeholders that were handed out stand for.
    Raises ValidationError when the statement has more question marks than there are parameters;
    those too many are ignored, as DynamoDB Local does.
    """

    def __init__(self, parameters: Sequence[Typed], parameter_count: int) -> None:
        if len(parameters) < parameter_count:
            raise faults.parameter_count()
        self.parameters = parameters
        self.names: dict[str, str] = {}
        self.values: dict[str, Typed] = {}

    def path(self, path: tree.Path) -> expression.Path:
        return expression.Path(
            tuple(
                self.name(element) if isinstance(element, str) else element
                for element in path.elements
            )
        )

    def name(self, name: str) -> str:
        """Return a name as expression trees take it."""
        if not name.startswith("#"):
            return name
        for placeholder, known in self.names.items():
            if known == name:
                return placeholder
        placeholder = f"#n{len(self.names)}"
        self.names[placeholder] = name
        return placeholder

    def place(self, value: Typed) -> expression.Value:
        """Return a placeholder for a value."""
        placeholder = f":p{len(self.values)}"
        self.values[placeholder] = value
        return expression.Value(placeholder)

    def value(self, node: tree.Expression) -> Typed:
        """Return the attribute value that a node stands for. Raises ValidationError."""
        if isinstance(node, tree.Parameter):
            return self.parameters[node.index]
        return self.literal(node, "root", 0)

    def literal(self, node: tree.Expression, key: str, level: int) -> Typed:
        """Return the value of a literal; key: where it stands in the one that encloses it."""
        if level == LITERAL_LEVELS_MAX:
            raise faults.nesting(key)
        if isinstance(node, tree.Literal):
            if "N" in node.value:
                return {"N": checked_number(node.value["N"])}
            return dict(node.value)
        if isinstance(node, tree.Parameter):
            raise faults.unsupported_data("Parameter", key, node.mark)
        if isinstance(node, tree.Array):
            return {
                "L": [
                    self.literal(item, f"{key}[{index}]", level + 1)
                    for index, item in enumerate(node.items)
                ]
            }
        if isinstance(node, tree.Struct):
            return {
                "M": {
                    name: self.literal(item, f"{key}.{name}", level + 1)
                    for name, item in named_fields(node)
                }
            }
        if isinstance(node, tree.Bag):
            return self.bag([self.literal(item, key, level + 1) for item in node.items])
        if isinstance(node, tree.Sign):
            raise faults.unsupported_operator(node.operator)
        raise faults.unsupported_expression("VALUE", type(node).__name__)

    def bag(self, members: list[Typed]) -> Typed:
        if not members:
            raise faults.empty_bag()
        kind = type_of(members[0])
        if kind not in ("S", "N") or any(type_of(member) != kind for member in members):
            raise faults.mixed_bag()
        texts = [member[kind] for member in members]
        distinct = {Decimal(text) for text in texts} if kind == "N" else set(texts)
        if len(distinct) < len(texts):
            raise faults.duplicates_in_bag(texts, kind == "N")
        return {f"{kind}S": texts}

    def item(self, node: tree.Expression) -> dict[str, Typed]:
        """Return the item that INSERT writes; its attributes may be parameters."""
        if not isinstance(node, tree.Struct):
            raise faults.unsupported_expression("VALUE", type(node).__name__)
        return {name: self.value(value) for name, value in named_fields(node)}


def named_fields(node: tree.Struct) -> list[tuple[str, tree.Expression]]:
    """Return a tuple's fields by name, in the order written. Raises ValidationError."""
    fields: dict[str, tree.Expression] = {}
    for key, value in node.fields:
        if isinstance(key, tree.Literal) and "S" in key.value:
            name = key.value["S"]
        elif isinstance(key, tree.Path) and len(key.elements) == 1:
            name = str(key.elements[0])
        else:
            raise faults.unsupported_expression("VALUE", type(key).__name__)
        if name in fields:
            raise faults.duplicate_field(name)
        fields[name] = value
    return list(fields.items())
