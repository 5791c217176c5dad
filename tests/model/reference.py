"""A plain reference of the data plane: typed items in dicts, every rule in its naive form.

An item is a dict of attribute and typed value, {"S": "a"}; a table is a dict of items by key. An
index is no structure: its entries are found by looking at all items. Conditions and updates are
trees of tuples that are evaluated here and written out as the service's expressions by `text_of`.
Costs follow the developer guide and what was measured on the service, in whole and half units.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Item = dict[str, Any]


class Refused(Exception):
    """What the service refuses; `code` is its name for that."""

    def __init__(self, code: str, item: Item | None = None) -> None:
        super().__init__(code)
        self.code, self.item = code, item


# ---- values --------------------------------------------------------------------------------------


def kind(value: Item) -> str:
    return next(iter(value))


def plain(value: Item) -> Any:
    """Return a value for comparing: numbers as such, sets without order."""
    (name, inner), = value.items()
    match name:
        case "N":
            return name, Decimal(inner)
        case "NS":
            return name, frozenset(Decimal(n) for n in inner)
        case "SS" | "BS":
            return name, frozenset(inner)
        case "L":
            return name, [plain(v) for v in inner]
        case "M":
            return name, {k: plain(v) for k, v in inner.items()}
    return name, inner


def plain_item(item: Item | None) -> Any:
    return None if item is None else {name: plain(value) for name, value in item.items()}


def order(value: Item) -> Any:
    """Return what a key value is sorted by."""
    name, inner = plain(value)
    return inner.encode() if name == "S" else inner


def number_bytes(text: str) -> int:
    number = Decimal(text).normalize()
    if number == 0:
        return 1
    whole, _, part = f"{abs(number):f}".partition(".")
    whole = whole.lstrip("0").rstrip("0") if not part else whole.lstrip("0")
    part = part if whole else part.lstrip("0")
    return 1 + -(-len(whole) // 2) + -(-len(part) // 2) + (number < 0)


def value_bytes(value: Item) -> int:
    (name, inner), = value.items()
    match name:
        case "S":
            return len(inner.encode())
        case "B":
            return len(inner)
        case "N":
            return number_bytes(inner)
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + value_bytes(v) for v in inner)
        case "M":
            return 3 + sum(1 + len(k.encode()) + value_bytes(v) for k, v in inner.items())
    return sum(value_bytes({name[0]: member}) for member in inner)


def item_bytes(item: Item | None, names: Iterable[str] | None = None) -> int:
    if item is None:
        return 0
    return sum(
        len(name.encode()) + value_bytes(value)
        for name, value in item.items()
        if names is None or name in names
    )


# ---- conditions: trees of tuples -----------------------------------------------------------------


def holds(condition: Any, item: Item) -> bool:
    """Evaluate a condition over an item; {} for none."""
    word, *rest = condition
    match word:
        case "and":
            return all(holds(part, item) for part in rest)
        case "or":
            return any(holds(part, item) for part in rest)
        case "not":
            return not holds(rest[0], item)
        case "attribute_exists":
            return rest[0] in item
        case "attribute_not_exists":
            return rest[0] not in item
        case "attribute_type":
            return rest[0] in item and kind(item[rest[0]]) == rest[1]["S"]
    name, *values = rest
    if name not in item:
        return word == "<>"
    mine, others = item[name], values
    match word:
        case "=":
            return bool(plain(mine) == plain(others[0]))
        case "<>":
            return bool(plain(mine) != plain(others[0]))
        case "IN":
            return plain(mine) in [plain(other) for other in others]
        case "size":
            sized = kind(mine) not in ("N", "BOOL", "NULL")
            return sized and len(next(iter(mine.values()))) > int(others[0]["N"])
        case "contains":
            return contained(mine, others[0])
    if kind(mine) not in ("S", "N", "B") or any(kind(mine) != kind(other) for other in others):
        return False
    match word:
        case "<":
            return bool(order(mine) < order(others[0]))
        case ">=":
            return bool(order(mine) >= order(others[0]))
        case "BETWEEN":
            return bool(order(others[0]) <= order(mine) <= order(others[1]))
        case "begins_with":
            return kind(mine) != "N" and order(mine).startswith(order(others[0]))
    raise AssertionError(word)


def contained(mine: Item, other: Item) -> bool:
    mine_kind, other_kind = kind(mine), kind(other)
    if mine_kind == other_kind and mine_kind in ("S", "B"):
        return plain(other)[1] in plain(mine)[1]
    if mine_kind == "L":
        return plain(other) in plain(mine)[1]
    if mine_kind in ("SS", "NS", "BS") and mine_kind[0] == other_kind:
        return plain(other)[1] in plain(mine)[1]
    return False


class Text:
    """Expressions written out, with the placeholders they need."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: Item = {}

    def name(self, path: str) -> str:
        """Return placeholders for a path: attributes between dots, [0] after one."""
        parts = []
        for part in path.split("."):
            attribute, bracket, index = part.partition("[")
            self.names.setdefault(f"#{attribute}", attribute)
            parts.append(f"#{attribute}{bracket}{index}")
        return ".".join(parts)

    def value(self, value: Item) -> str:
        token = f":v{len(self.values)}"
        self.values[token] = value
        return token

    def condition(self, condition: Any) -> str:
        word, *rest = condition
        if word in ("and", "or"):
            return f" {word.upper()} ".join(f"({self.condition(part)})" for part in rest)
        if word == "not":
            return f"NOT {self.condition(rest[0])}"
        name, values = self.name(rest[0]), [self.value(value) for value in rest[1:]]
        match word:
            case "attribute_exists" | "attribute_not_exists":
                return f"{word}({name})"
            case "attribute_type" | "contains" | "begins_with":
                return f"{word}({name}, {values[0]})"
            case "size":
                return f"size({name}) > {values[0]}"
            case "IN":
                return f"{name} IN ({', '.join(values)})"
            case "BETWEEN":
                return f"{name} BETWEEN {values[0]} AND {values[1]}"
        return f"{name} {word} {values[0]}"

    def update(self, steps: list[Any]) -> str:
        clauses: dict[str, list[str]] = {}
        for word, path, *rest in steps:
            name = self.name(path)
            values = [self.value(value) for value in rest]
            match word:
                case "set":
                    clauses.setdefault("SET", []).append(f"{name} = {values[0]}")
                case "plus":
                    clauses.setdefault("SET", []).append(f"{name} = {name} + {values[0]}")
                case "default":
                    text = f"{name} = if_not_exists({name}, {values[0]})"
                    clauses.setdefault("SET", []).append(text)
                case "append":
                    text = f"{name} = list_append({name}, {values[0]})"
                    clauses.setdefault("SET", []).append(text)
                case "remove":
                    clauses.setdefault("REMOVE", []).append(name)
                case _:
                    clauses.setdefault(word.upper(), []).append(f"{name} {values[0]}")
        return " ".join(f"{clause} {', '.join(parts)}" for clause, parts in clauses.items())

    def members(self) -> dict[str, Any]:
        """Return the members of a request that carry the placeholders."""
        made: dict[str, Any] = {}
        if self.names:
            made["ExpressionAttributeNames"] = self.names
        if self.values:
            made["ExpressionAttributeValues"] = self.values
        return made


def updated(item: Item, steps: list[Any]) -> Item:
    """Return what an update makes of an item. Operands are those of the item before."""
    made = copy.deepcopy(item)
    for word, path, *rest in steps:
        old = item.get(path)
        match word:
            case "set" if "." in path:
                outer, inner = path.split(".")
                if outer not in item or kind(item[outer]) != "M":
                    raise Refused("ValidationException")
                made[outer]["M"][inner] = rest[0]
            case "set":
                made[path] = rest[0]
            case "plus":
                if old is None or kind(old) != "N":
                    raise Refused("ValidationException")
                made[path] = number(Decimal(old["N"]) + Decimal(rest[0]["N"]))
            case "default":
                made[path] = old if old is not None else rest[0]
            case "append":
                if old is None or kind(old) != "L":
                    raise Refused("ValidationException")
                made[path] = {"L": old["L"] + rest[0]["L"]}
            case "remove" if "." in path:
                outer, inner = path.split(".")
                if outer not in item or kind(item[outer]) != "M":
                    raise Refused("ValidationException")
                made[outer]["M"].pop(inner, None)
            case "remove":
                made.pop(path, None)
            case "add" | "delete":
                combine(made, word, path, old, rest[0])
    return made


def combine(made: Item, word: str, path: str, old: Item | None, value: Item) -> None:
    """Carry out ADD or DELETE."""
    if old is None:
        if word == "add":
            made[path] = value
        return
    if kind(old) != kind(value):
        raise Refused("ValidationException")
    if kind(value) == "N":
        made[path] = number(Decimal(old["N"]) + Decimal(value["N"]))
        return
    mine, others = set(next(iter(old.values()))), set(next(iter(value.values())))
    left = sorted(mine | others if word == "add" else mine - others)
    if left:
        made[path] = {kind(old): left}
    else:
        del made[path]


def number(value: Decimal) -> Item:
    return {"N": f"{value.normalize():f}"}


# ---- tables --------------------------------------------------------------------------------------


@dataclass
class Index:
    """An index: its keys, and what it shows."""

    name: str
    is_global: bool
    hash: list[tuple[str, str]]
    range: list[tuple[str, str]]
    projection: str = "ALL"
    include: list[str] = field(default_factory=list)

    @property
    def keys(self) -> list[tuple[str, str]]:
        return self.hash + self.range

    def has(self, item: Item | None) -> bool:
        return item is not None and all(
            name in item and kind(item[name]) == type_ for name, type_ in self.keys
        )


@dataclass
class Table:
    """A table: its key, its indexes, its items."""

    name: str
    keys: list[tuple[str, str]]
    indexes: dict[str, Index] = field(default_factory=dict)
    items: dict[Any, Item] = field(default_factory=dict)

    def key(self, item: Item) -> Any:
        return tuple(order(item[name]) for name, _ in self.keys)

    def key_of(self, item: Item) -> Item:
        return {name: item[name] for name, _ in self.keys}

    def shown(self, index: Index | None) -> set[str] | None:
        """Return the attributes that an index shows; None for all."""
        if index is None or index.projection == "ALL":
            return None
        return {*(name for name, _ in self.keys + index.keys), *index.include}

    def entry_bytes(self, index: Index | None, item: Item) -> int:
        return item_bytes(item, self.shown(index))

    # -- writes

    def check_whole(self, item: Item) -> None:
        """Refuse an item whose index keys have other types, are empty, or too long."""
        self.check(item)
        for index in self.indexes.values():
            for parts, bytes_max in ((index.hash, 2048), (index.range, 1024)):
                for name, type_ in parts:
                    if name in item and type_ != "N" and value_bytes(item[name]) > bytes_max:
                        raise Refused("ValidationException")

    def check(self, item: Item) -> None:
        """Refuse an item whose index keys have other types, or are empty."""
        for index in self.indexes.values():
            for name, type_ in index.keys:
                if name in item and (kind(item[name]) != type_ or item[name][type_] in ("", b"")):
                    raise Refused("ValidationException")

    def plan(self, word: str, item: Item, condition: Any, steps: Any) -> tuple[Any, Any, Any]:
        """Return key, item before and item after of a write. Raises Refused."""
        key = self.key(item)
        old = self.items.get(key)
        if word == "put":
            self.check(item)              # before the condition, as part of the request
        if condition is not None and not holds(condition, old or {}):
            raise Refused("ConditionalCheckFailedException", old)
        match word:
            case "put":
                new: Item | None = item
            case "delete":
                new = None
            case "check":
                return key, old, old
            case _:
                new = updated(old or self.key_of(item), steps)
        if new is not None:
            self.check_whole(new)
        return key, old, new

    def apply(self, plan: tuple[Any, Any, Any]) -> None:
        key, _, new = plan
        if new is None:
            self.items.pop(key, None)
        else:
            self.items[key] = new

    # -- costs, in units

    def write_cost(self, plan: tuple[Any, Any, Any], factor: int = 1) -> dict[str, Any]:
        _, old, new = plan
        costs = {"Table": blocks(max(item_bytes(old), item_bytes(new)), 1024) * factor}
        for index in self.indexes.values():
            costs[index.name] = self.arm(index, old, new)
        return costs

    def arm(self, index: Index, old: Item | None, new: Item | None) -> int:
        before = index.has(old) and blocks(self.entry_bytes(index, old or {}), 1024)
        after = index.has(new) and blocks(self.entry_bytes(index, new or {}), 1024)
        if not before or not after:
            return int(before) + int(after)
        assert old is not None
        assert new is not None
        shown = self.shown(index)
        if all(
            plain(old.get(name, {"": 0})) == plain(new.get(name, {"": 0}))
            for name in (shown if shown is not None else {*old, *new})
        ):
            return 0
        moved = any(plain(old[name]) != plain(new[name]) for name, _ in index.keys)
        return before + after if moved else max(before, after)

    def capacity(self, costs: dict[str, Any], transaction: str | None = None) -> dict[str, Any]:
        """Return ConsumedCapacity in the mode INDEXES."""

        def arm(units: float, split: bool = True) -> dict[str, float]:
            made = {"CapacityUnits": float(units)}
            if transaction is not None and split:
                made[f"{transaction}CapacityUnits"] = float(units)
            return made

        answer: dict[str, Any] = {
            "TableName": self.name, **arm(sum(costs.values())), "Table": arm(costs["Table"])
        }
        for member, is_global in (
            ("LocalSecondaryIndexes", False), ("GlobalSecondaryIndexes", True)
        ):
            arms = {
                name: arm(units, False)
                for name, units in costs.items()
                if name != "Table" and units and self.indexes[name].is_global == is_global
            }
            if arms:
                answer[member] = arms
        return answer

    # -- reads

    def walked(self, index: Index | None, conditions: list[Any]) -> list[Item]:
        """Return the items of a Query in the order of their keys."""
        found = [
            item
            for item in self.items.values()
            if (index is None or index.has(item))
            and all(holds(condition, item) for condition in conditions)
        ]
        return sorted(found, key=lambda item: self.place(index, item))

    def place(self, index: Index | None, item: Item) -> Any:
        parts = [] if index is None else [order(item[name]) for name, _ in index.keys]
        return [*parts, *self.key(item)]

    def last_key(self, index: Index | None, item: Item) -> Item:
        names = [name for name, _ in self.keys + ([] if index is None else index.keys)]
        return {name: item[name] for name in names}

    def view(self, index: Index | None, item: Item) -> Item:
        shown = self.shown(index)
        return {name: value for name, value in item.items() if shown is None or name in shown}


def blocks(size: int, block: int) -> int:
    return max(1, -(-size // block))
