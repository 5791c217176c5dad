"""The WHERE clause and the SET values as trees of the expression language.

Values are set aside in the binder, so the trees hold placeholders only. What the types of literals
and parameters forbid is refused here, in PartiQL's words: the compiler of expressions would say it
in those of the request member that it thinks it reads. What only an item's types decide is left to
the evaluator.
"""

from __future__ import annotations

from hashrange.expr import tree as expression
from hashrange.partiql import faults, tree
from hashrange.partiql.binder import VALUES, Binder, type_of
from hashrange.partiql.tree import Typed

IN_OPERANDS_MAX = 100
_ORDERED = frozenset(("S", "N", "B"))
_SIZED = frozenset(("S", "B", "SS", "NS", "BS", "L", "M"))
_ORDERINGS = frozenset(("<", "<=", ">", ">="))
_PREDICATES = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
}
_SETS = frozenset(("SS", "NS", "BS"))
# The types of PartiQL that DynamoDB's values can have. The developer guide says that IS takes a
# type, not which; names for numbers of one size, for dates and the like stand for no value here.
_IS_TYPES = {
    "null": ("NULL",),
    "bool": ("BOOL",),
    "boolean": ("BOOL",),
    "string": ("S",),
    "decimal": ("N",),
    "numeric": ("N",),
    "blob": ("B",),
    "list": ("L",),
    "struct": ("M",),
    "tuple": ("M",),
    "bag": ("SS", "NS", "BS"),
}


def condition_of(node: tree.Expression, binder: Binder) -> expression.Condition:
    """Turn an expression of a WHERE clause into a condition. Raises ValidationError."""
    if isinstance(node, tree.Chain):
        kind = expression.And if node.operator == "and" else expression.Or
        return kind(tuple(condition_of(part, binder) for part in node.parts))
    if isinstance(node, tree.Not):
        part = condition_of(node.part, binder)
        if isinstance(part, expression.Call) and part.function == "attribute_not_exists":
            return expression.Call("attribute_exists", part.arguments)
        return expression.Not(part)
    if isinstance(node, tree.Operation):
        return _operation(node, binder)
    if isinstance(node, tree.Between):
        bounds = [_ordered(bound, "BETWEEN", binder) for bound in (node.lower, node.upper)]
        return expression.Between(operand_of(node.operand, binder), *bounds)
    if isinstance(node, tree.In):
        return _membership(node, binder)
    if isinstance(node, tree.Is):
        return _is(node, binder)
    if isinstance(node, tree.Call) and node.function in _PREDICATES:
        return _call(node, binder)
    raise _misplaced(node)


def all_of(nodes: list[tree.Expression], binder: Binder) -> expression.Condition | None:
    """Return the condition that all nodes hold; None for no nodes."""
    conditions = [condition_of(node, binder) for node in nodes]
    if len(conditions) > 1:
        return expression.And(tuple(conditions))
    return conditions[0] if conditions else None


def operand_of(node: tree.Expression, binder: Binder) -> expression.Operand:
    """Turn one side of a comparison into an operand. Raises ValidationError."""
    if isinstance(node, tree.Path):
        return binder.path(node)
    if isinstance(node, VALUES):
        return binder.place(binder.value(node))
    if isinstance(node, tree.Call) and node.function == "size":
        _count(node, 1)
        inner = operand_of(node.arguments[0], binder)
        kind = kind_of(inner, binder)
        if kind is not None and kind not in _SIZED:
            raise faults.operand_type("size", kind)
        return expression.Call("size", (inner,))
    raise _misplaced(node)


def kind_of(operand: expression.Operand, binder: Binder) -> str | None:
    """Return the type of a constant or of a size; None for what the item decides."""
    if isinstance(operand, expression.Value):
        return type_of(binder.values[operand.token])
    return "N" if isinstance(operand, expression.Call) and operand.function == "size" else None


def _misplaced(node: tree.Expression) -> Exception:
    """Make the refusal of an expression that cannot stand where it stands."""
    if isinstance(node, tree.Operation | tree.Sign):
        return faults.unsupported_operator(node.operator.upper())
    if isinstance(node, tree.Call) and node.function not in (*_PREDICATES, "size"):
        return faults.unknown_function(node.function)
    if isinstance(node, tree.Call):
        return faults.unsupported_expression("WHERE", node.function)
    return faults.unsupported_expression("WHERE", type(node).__name__)


def _ordered(node: tree.Expression, operator: str, binder: Binder) -> expression.Operand:
    """Take an operand of a comparison by order: strings, numbers and binaries have one."""
    operand = operand_of(node, binder)
    kind = kind_of(operand, binder)
    if kind is not None and kind not in _ORDERED:
        raise faults.operand_type(operator, kind)
    return operand


def _operation(node: tree.Operation, binder: Binder) -> expression.Condition:
    operator = node.operator
    if operator in _ORDERINGS:
        sides = [_ordered(side, operator, binder) for side in (node.left, node.right)]
        return expression.Comparison(operator, *sides)
    if operator not in ("=", "<>"):
        raise faults.unsupported_operator(operator.upper())
    for one, other in ((node.left, node.right), (node.right, node.left)):
        if isinstance(other, tree.Missing) and isinstance(one, tree.Path):
            function = "attribute_not_exists" if operator == "=" else "attribute_exists"
            return expression.Call(function, (binder.path(one),))
        if _is_predicate(one) and isinstance(other, tree.Literal) and "BOOL" in other.value:
            part = condition_of(one, binder)
            return part if other.value["BOOL"] == (operator == "=") else expression.Not(part)
    return expression.Comparison(
        operator, operand_of(node.left, binder), operand_of(node.right, binder)
    )


def _is_predicate(node: tree.Expression) -> bool:
    if isinstance(node, tree.Call):
        return node.function in _PREDICATES
    kinds = tree.Chain | tree.Not | tree.Operation | tree.Between | tree.In | tree.Is
    return isinstance(node, kinds)


def _membership(node: tree.In, binder: Binder) -> expression.Condition:
    operand = operand_of(node.operand, binder)
    candidates = candidates_of(node, binder)
    if len(candidates) > IN_OPERANDS_MAX:
        raise faults.in_operands(len(candidates))
    return expression.In(
        operand,
        tuple(
            operand_of(candidate, binder)
            if isinstance(candidate, tree.Expression)
            else binder.place(candidate)
            for candidate in candidates
        ),
    )


def candidates_of(node: tree.In, binder: Binder) -> list[tree.Expression | Typed]:
    """Return what IN compares with: expressions, or the values in a parameter that is a list."""
    found: list[tree.Expression | Typed] = []
    if isinstance(node.candidates, tree.Array):
        found += node.candidates.items
    elif isinstance(node.candidates, tree.Parameter):
        value = binder.value(node.candidates)
        if "L" not in value:
            raise faults.operand_type("IN", type_of(value))
        found += value["L"]
    else:
        raise _misplaced(node.candidates)
    if not found:
        raise faults.operand_count("IN", 1)
    return found


def _is(node: tree.Is, binder: Binder) -> expression.Condition:
    if not isinstance(node.operand, tree.Path):
        raise faults.path_required("IS")
    path = binder.path(node.operand)
    if node.kind == "missing":
        return expression.Call("attribute_not_exists", (path,))
    kinds = _IS_TYPES.get(node.kind)
    if kinds is None:
        raise faults.unsupported_operator(f"IS {node.kind.upper()}")
    calls = tuple(
        [expression.Call("attribute_type", (path, binder.place({"S": kind}))) for kind in kinds]
    )
    return calls[0] if len(calls) == 1 else expression.Or(calls)


def _count(node: tree.Call, count: int) -> None:
    if len(node.arguments) != count:
        raise faults.operand_count(node.function, len(node.arguments))


def _call(node: tree.Call, binder: Binder) -> expression.Condition:
    function = node.function
    _count(node, _PREDICATES[function])
    first = node.arguments[0]
    if function.endswith("exists") and not isinstance(first, tree.Path):
        raise faults.path_required(function)
    operands = tuple(operand_of(argument, binder) for argument in node.arguments)
    kinds = [kind_of(operand, binder) for operand in operands]
    if function == "attribute_type":
        second = operands[1]
        if not isinstance(second, expression.Value) or kinds[1] != "S":
            raise faults.operand_type(function, kinds[1] or "PATH")
        name = binder.values[second.token]["S"]
        if name not in faults.ATTRIBUTE_TYPES:
            raise faults.attribute_type_name(name)
    elif function == "begins_with":
        for kind in kinds:
            if kind not in (None, "S", "B"):
                raise faults.operand_type(function, str(kind))
    return expression.Call(function, operands)


# ---- the values of SET ---------------------------------------------------------------------------


def action_of(action: tree.Assignment | tree.Removal, binder: Binder) -> expression.Action:
    """Turn SET path = value, or REMOVE path, into an action. Raises ValidationError."""
    path = binder.path(action.path)
    if isinstance(action, tree.Removal):
        return expression.Remove(path)
    value = action.value
    if isinstance(value, tree.Call) and value.function in ("set_add", "set_delete"):
        kind = expression.Add if value.function == "set_add" else expression.Delete
        return kind(path, _set_members(action.path, value, binder))
    if isinstance(value, tree.Operation) and value.operator in ("+", "-"):
        left, right = (_number(side, value.operator, binder) for side in (value.left, value.right))
        return expression.Set(path, expression.Arithmetic(value.operator, left, right))
    return expression.Set(path, _set_operand(value, binder))


def _set_members(target: tree.Path, call: tree.Call, binder: Binder) -> expression.Value:
    _count(call, 2)
    name = call.function.upper()
    if call.arguments[0] != target:
        raise faults.set_first_argument(name, call.mark)
    members = call.arguments[1]
    value = binder.value(members) if isinstance(members, VALUES) else None
    if value is None or type_of(value) not in _SETS:
        raise faults.set_second_argument(name, call.first_mark)
    return binder.place(value)


def _number(node: tree.Expression, operator: str, binder: Binder) -> expression.Operand:
    operand = _set_operand(node, binder)
    kind = kind_of(operand, binder)
    if kind not in (None, "N"):
        raise faults.operand_type(operator, str(kind))
    return operand


def _set_operand(node: tree.Expression, binder: Binder) -> expression.Operand:
    if isinstance(node, tree.Path):
        return binder.path(node)
    if isinstance(node, VALUES):
        return binder.place(binder.value(node))
    if isinstance(node, tree.Call) and node.function == "list_append":
        _count(node, 2)
        operands = tuple(_set_operand(argument, binder) for argument in node.arguments)
        for operand in operands:
            kind = kind_of(operand, binder)
            if kind not in (None, "L"):
                raise faults.operand_type(node.function, str(kind))
        return expression.Call(node.function, operands)
    if isinstance(node, tree.Call):
        raise faults.unknown_function(node.function)
    if isinstance(node, tree.Operation | tree.Sign):
        raise faults.unsupported_operator(node.operator.upper())
    raise faults.unsupported_expression("SET", type(node).__name__)
