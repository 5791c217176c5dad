"""The data plane in lockstep with a plain reference: random operations, reopenings, kills.

Two tables, one with a range key and local indexes, both with global ones (sparse, and with a key of
2 + 2 attributes), are written through `execute` and through the native API. Every response is
compared as a whole: items, images, counts, last keys, costs by index, errors by their codes. In
between the database is closed, killed (its directory is copied while it lives), compacted, and
indexes come and go by UpdateTable.

HASHRANGE_PLANE_SEED repeats a run, whose number is printed when it fails; HASHRANGE_ROUNDS scales
the number of runs.
"""

from __future__ import annotations

import copy
import os
import random
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from crash.oracle import rounds_of, seed_of
from execute.agreement import check_indexes
from model.reference import (
    Index,
    Refused,
    Table,
    Text,
    blocks,
    holds,
    item_bytes,
    kind,
    number,
    plain_item,
)

import hashrange
from hashrange.errors import TransactionCanceled

Item = dict[str, Any]
SEED = 20261125
STEPS = 350

WORDS = ["a", "b", "c", "a\0", "a\0b", "é", "ab", "\uffff", "z" * 40]
BYTES = [b"\0", b"\0\xff", b"\xff", b"\xff\xff", b"a", b"a\0"]
KEY_KINDS = {"g": "S", "a": "S", "n": "N", "b": "B", "c": "N", "d": "S", "e": "N", "f": "S"}
REST = ["v", "w", "m", "l", "t"]
LATE = [
    Index("late", True, [("a", "S")], [], "ALL"),
    Index("late", True, [("n", "N"), ("g", "S")], [("a", "S")], "KEYS_ONLY"),
    Index("late", True, [("b", "B")], [("n", "N")], "INCLUDE", ["v", "l"]),
]


def tables() -> list[Table]:
    single = Table("single-key", [("pk", "S")])
    double = Table("double-key", [("pk", "S"), ("sk", "N")])
    for table, indexes in (
        (single, [
            Index("by_g", True, [("g", "S")], []),
            Index("two_two", True, [("c", "N"), ("d", "S")], [("e", "N"), ("f", "S")], "INCLUDE",
                  ["v", "m"]),
        ]),
        (double, [
            Index("local_keys", False, [("pk", "S")], [("a", "S")], "KEYS_ONLY"),
            Index("local_some", False, [("pk", "S")], [("n", "N")], "INCLUDE", ["v", "w"]),
            Index("by_g_sk", True, [("g", "S")], [("sk", "N")], "KEYS_ONLY"),
            Index("by_b", True, [("b", "B")], [("g", "S")]),
        ]),
    ):
        table.indexes = {index.name: index for index in indexes}
    return [single, double]


def schema_of(index: Index) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": index.projection}
    if index.include:
        projection["NonKeyAttributes"] = index.include
    return {
        "IndexName": index.name,
        "KeySchema": [{"AttributeName": name, "KeyType": "HASH"} for name, _ in index.hash]
        + [{"AttributeName": name, "KeyType": "RANGE"} for name, _ in index.range],
        "Projection": projection,
    }


def definitions_of(*keys: list[tuple[str, str]]) -> list[dict[str, str]]:
    pairs = dict(pair for part in keys for pair in part)
    return [{"AttributeName": name, "AttributeType": type_} for name, type_ in pairs.items()]


def creation_of(table: Table) -> dict[str, Any]:
    members = {
        "TableName": table.name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions_of(
            table.keys, *(index.keys for index in table.indexes.values())
        ),
        "KeySchema": [
            {"AttributeName": name, "KeyType": role}
            for (name, _), role in zip(table.keys, ("HASH", "RANGE"), strict=False)
        ],
    }
    for member, is_global in (("LocalSecondaryIndexes", False), ("GlobalSecondaryIndexes", True)):
        made = [schema_of(i) for i in table.indexes.values() if i.is_global == is_global]
        if made:
            members[member] = made
    return members


def native(value: Item) -> Any:
    """Return a typed value as the native API has it."""
    (name, inner), = value.items()
    match name:
        case "N":
            return Decimal(inner)
        case "NULL":
            return None
        case "L":
            return [native(member) for member in inner]
        case "M":
            return {key: native(member) for key, member in inner.items()}
        case "SS" | "BS":
            return set(inner)
        case "NS":
            return {Decimal(member) for member in inner}
    return inner


class Draw:
    """Random values, items, conditions and updates."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.one_of = self.random.choice
        self.maybe = lambda share: self.random.random() < share

    def key_value(self, type_: str) -> Item:
        match type_:
            case "S":
                return {"S": self.one_of(WORDS)}
            case "B":
                return {"B": self.one_of(BYTES)}
        return number(Decimal(self.random.randint(-40, 40)) / self.one_of([1, 1, 4]))

    def value(self, depth: int = 1) -> Item:
        kinds = ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "BIG"] + ["L", "M"] * depth
        match self.one_of(kinds):
            case "BIG":
                return {"S": "x" * self.one_of([900, 1100, 2500, 5000])}
            case "BOOL":
                return {"BOOL": self.maybe(0.5)}
            case "NULL":
                return {"NULL": True}
            case "SS":
                return {"SS": sorted(set(self.random.choices(WORDS, k=3)))}
            case "BS":
                return {"BS": sorted(set(self.random.choices(BYTES, k=3)))}
            case "NS":
                return {"NS": [str(n) for n in sorted(self.random.sample(range(9), 3))]}
            case "L":
                return {"L": [self.value(0) for _ in range(self.random.randint(0, 3))]}
            case "M":
                return {"M": {self.one_of("xyz"): self.value(0) for _ in range(2)}}
            case other:
                return self.key_value(other)

    def key(self, table: Table) -> Item:
        if table.items and self.maybe(0.6):
            return table.key_of(self.one_of(list(table.items.values())))
        key = {"pk": {"S": self.one_of(WORDS[:6])}}
        if len(table.keys) > 1:
            key["sk"] = self.key_value("N")
        return key

    def item(self, table: Table) -> Item:
        item = self.key(table)
        for name, type_ in KEY_KINDS.items():
            if self.maybe(0.7):
                item[name] = self.key_value(type_)
                if self.maybe(0.01):
                    item[name] = self.value()
        for name in REST:
            if self.maybe(0.4):
                item[name] = self.value()
        return item

    def condition(self, names: list[str], depth: int = 1) -> Any:
        name = self.one_of(names)
        if depth and self.maybe(0.4):
            word = self.one_of(["and", "or", "not"])
            count = 1 if word == "not" else 2
            return (word, *(self.condition(names, depth - 1) for _ in range(count)))
        word = self.one_of([
            "=", "<>", "<", ">=", "IN", "BETWEEN", "begins_with", "contains", "size",
            "attribute_exists", "attribute_not_exists", "attribute_type",
        ])
        match word:
            case "attribute_exists" | "attribute_not_exists":
                return word, name
            case "attribute_type":
                return word, name, {"S": self.one_of(["S", "N", "B", "L", "M", "SS"])}
            case "size":
                return word, name, {"N": self.one_of(["0", "2", "1000"])}
            case "IN":
                return word, name, self.operand(name), self.operand(name)
            case "BETWEEN":
                pair = [self.key_value(KEY_KINDS.get(name, "N")) for _ in range(2)]
                return word, name, *sorted(pair, key=lambda v: Decimal(v["N"]) if "N" in v
                                           else next(iter(v.values())))
            case "begins_with":
                return word, name, self.key_value(self.one_of("SB"))
            case "<" | ">=":
                return word, name, self.key_value(KEY_KINDS.get(name, "N"))
            case "contains":
                return word, name, self.key_value(self.one_of("SNB"))
        return word, name, self.operand(name)

    def operand(self, name: str) -> Item:
        return self.key_value(KEY_KINDS[name]) if name in KEY_KINDS else self.value()

    def update(self) -> list[Any]:
        names = self.random.sample([*KEY_KINDS, *REST], self.random.randint(1, 3))
        return [self.step(name) for name in names]

    def step(self, name: str) -> Any:
        if name in KEY_KINDS:
            if self.maybe(0.3):
                return "remove", name
            if KEY_KINDS[name] == "N" and self.maybe(0.4):
                return self.one_of(["plus", "add"]), name, self.key_value("N")
            return self.one_of(["set", "set", "default"]), name, self.key_value(KEY_KINDS[name])
        if name == "m" and self.maybe(0.5):
            if self.maybe(0.5):
                return "remove", f"m.{self.one_of('xyz')}"
            return "set", f"m.{self.one_of('xyz')}", self.value(0)
        match self.one_of(["set", "set", "remove", "default", "add", "delete", "plus", "append"]):
            case "remove":
                return "remove", name
            case "add" if self.maybe(0.5):
                return "add", name, self.key_value("N")
            case "add" | "delete" as word:
                return word, name, {"SS": sorted(set(self.random.choices(WORDS, k=2)))}
            case "plus":
                return "plus", name, self.key_value("N")
            case "append":
                return "append", name, {"L": [self.value(0)]}
            case word:
                return word, name, self.value()


class Lockstep:
    """One database and its reference."""

    def __init__(self, seed: int, path: Path | None) -> None:
        self.draw = Draw(seed)
        self.path = path
        self.copies = 0
        self.tables = tables()
        self.db = self.open()
        for table in self.tables:
            self.db.execute("CreateTable", creation_of(table))

    def open(self) -> hashrange.Database:
        return hashrange.open(self.path, checkpoint_bytes=65536, cache_bytes=30000)

    def run(self, steps: int) -> None:
        actions = (
            [self.put, self.update, self.delete] * 6
            + [self.native_write] * 4
            + [self.get, self.query, self.query, self.scan] * 3
            + [self.transact, self.transact, self.batch, self.batch_get, self.transact_get]
        )
        for number_ in range(steps):
            self.draw.one_of(actions)(self.draw.one_of(self.tables))
            if self.draw.maybe(0.03):
                self.disturb()
            if number_ % 50 == 49:
                self.compare()
        self.compare()
        self.db.close()
        if self.path is not None:
            report = hashrange.verify(self.path)
            assert report.ok, report.errors

    # -- around the data

    def disturb(self) -> None:
        what = self.draw.one_of(["reopen", "kill", "compact", "index", "index"])
        if what == "compact":
            self.db.compact(whole=self.draw.maybe(0.5))
        elif what == "index":
            self.change_index(self.draw.one_of(self.tables))
        elif self.path is not None:
            if what == "kill":
                self.kill()
            else:
                self.db.close()
                self.db = self.open()

    def kill(self) -> None:
        """Go on with a copy of the live directory, taken while nothing moved."""
        assert self.path is not None
        self.copies += 1
        taken = self.path.with_name(f"copy{self.copies}")
        while True:
            before = self.db.stats()
            try:
                shutil.copytree(self.path, taken)
            except shutil.Error:
                shutil.rmtree(taken)
                continue
            after = self.db.stats()
            quiet = ("checkpoints", "segments", "lsn", "log_bytes", "index_file_bytes")
            if all(before[name] == after[name] for name in quiet):
                self.db.checkpoint()
                if self.db.stats()["checkpoints"] == after["checkpoints"] + 1:
                    break
            shutil.rmtree(taken)
        self.db.close()
        shutil.rmtree(self.path)
        taken.rename(self.path)
        self.db = self.open()

    def change_index(self, table: Table) -> None:
        if "late" in table.indexes:
            del table.indexes["late"]
            update: dict[str, Any] = {"Delete": {"IndexName": "late"}}
        else:
            index = self.draw.one_of(LATE)
            if any(
                name in item and kind(item[name]) != type_
                for item in table.items.values()
                for name, type_ in index.keys
            ):
                return
            table.indexes["late"] = index
            update = {"Create": schema_of(index)}
        keys = (table.keys, *(index.keys for index in table.indexes.values()))
        self.db.execute("UpdateTable", {
            "TableName": table.name,
            "AttributeDefinitions": definitions_of(*keys),
            "GlobalSecondaryIndexUpdates": [update],
        })

    def compare(self) -> None:
        """Compare all items of all tables and indexes."""
        for table in self.tables:
            check_indexes(self.db, table.name)
            for index in (None, *table.indexes.values()):
                members = {} if index is None else {"IndexName": index.name}
                answer = self.db.execute("Scan", {"TableName": table.name, **members})
                wanted = [table.view(index, item) for item in table.walked(index, [])]
                assert canonical(answer["Items"]) == canonical(wanted)

    def same(self, operation: str, request: Item, wanted: Item | Refused) -> None:
        """Run an operation; it must answer as wanted, or fail as wanted."""
        try:
            answer = self.db.execute(operation, copy.deepcopy(request))
        except hashrange.Error as error:
            assert isinstance(wanted, Refused), (operation, request, error, wanted)
            assert error.code == wanted.code, (operation, request, error)
            if wanted.code == "ConditionalCheckFailedException":
                wanted_item = (
                    wanted.item if request.get("ReturnValuesOnConditionCheckFailure") else None
                )
                assert plain_item(error.item) == plain_item(wanted_item)
            return
        assert not isinstance(wanted, Refused), (operation, request, answer, wanted.code)
        assert comparable(answer) == comparable(wanted), (operation, request)

    # -- writes

    def conditioned(self, text: Text, request: Item) -> Any:
        if not self.draw.maybe(0.4):
            return None
        condition = self.draw.condition([*KEY_KINDS, *REST, "pk"])
        if any(part == "pk" for part in condition):
            condition = (self.draw.one_of(["attribute_exists", "attribute_not_exists"]), "pk")
        request["ConditionExpression"] = text.condition(condition)
        if self.draw.maybe(0.3):
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return condition

    def write(self, table: Table, operation: str, request: Item, item: Item, condition: Any,
              steps: Any = None) -> None:
        word = operation.removesuffix("Item").lower()
        request["TableName"] = table.name
        request["ReturnConsumedCapacity"] = "INDEXES"
        images = ["NONE", "ALL_OLD"]
        if word == "update":
            images += ["ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"]
        request["ReturnValues"] = self.draw.one_of(images)
        wanted: Item | Refused
        try:
            plan = table.plan(word, item, condition, steps)
        except Refused as refused:
            wanted = refused
        else:
            wanted = {"ConsumedCapacity": table.capacity(table.write_cost(plan))}
            image = image_of(request["ReturnValues"], plan, steps)
            if image:
                wanted["Attributes"] = image
            table.apply(copy.deepcopy(plan))
        self.same(operation, request, wanted)

    def put(self, table: Table) -> None:
        text, request, item = Text(), {}, self.draw.item(table)
        condition = self.conditioned(text, request)
        self.write(table, "PutItem", {**request, "Item": item, **text.members()}, item, condition)

    def delete(self, table: Table) -> None:
        text, request, key = Text(), {}, self.draw.key(table)
        condition = self.conditioned(text, request)
        request = {**request, "Key": key, **text.members()}
        self.write(table, "DeleteItem", request, key, condition)

    def update(self, table: Table) -> None:
        text, request, key = Text(), {}, self.draw.key(table)
        condition, steps = self.conditioned(text, request), self.draw.update()
        request["UpdateExpression"] = text.update(steps)
        request = {**request, "Key": key, **text.members()}
        self.write(table, "UpdateItem", request, key, condition, steps)

    def native_write(self, table: Table) -> None:
        engine = self.db.table(table.name)
        what = self.draw.one_of(["put", "delete", "update", "batch"])
        key = self.draw.key(table)
        parts = [native(value) for value in key.values()]
        if what == "batch":
            chosen = [self.draw.item(table) for _ in range(6)]
            gone = [self.draw.key(table) for _ in range(2)]
            plans = []
            try:
                for item in chosen:
                    table.check_whole(item)
            except Refused:
                return
            with engine.batch() as batch:
                for item in chosen:
                    batch.put({name: native(value) for name, value in item.items()})
                    plans.append((table.key(item), None, item))
                for key in gone:
                    batch.delete(*(native(value) for value in key.values()))
                    plans.append((table.key(key), None, None))
            for plan in plans:
                table.apply(plan)
            return
        item, steps = self.draw.item(table), self.draw.update()
        try:
            plan = table.plan(what, item if what == "put" else key, None, steps)
            refused = None
        except Refused as error:
            refused = error
        try:
            if what == "put":
                engine.put({name: native(value) for name, value in item.items()})
            elif what == "delete":
                engine.delete(*parts)
            else:
                text = Text()
                expression = text.update(steps)
                values = {token: native(value) for token, value in text.values.items()}
                engine.update(*parts, expression, names=text.names, values=values or None)
        except hashrange.Error as error:
            assert refused is not None, (what, item, key, steps, error)
            assert error.code == refused.code
            return
        assert refused is None, (what, item, key, steps)
        table.apply(plan)

    def transact(self, _: Table) -> None:
        request, plans, reasons, seen = [], [], [], set()
        for _ in range(self.draw.random.randint(1, 5)):
            table = self.draw.one_of(self.tables)
            word = self.draw.one_of(["put", "update", "delete", "check"])
            item = self.draw.item(table) if word == "put" else self.draw.key(table)
            if (table.name, table.key(item)) in seen:
                continue
            seen.add((table.name, table.key(item)))
            text, members, steps = Text(), {"TableName": table.name}, self.draw.update()
            condition = self.conditioned(text, members)
            if word == "check" and condition is None:
                condition = ("attribute_exists", "pk")
                members["ConditionExpression"] = text.condition(condition)
            if word == "update":
                members["UpdateExpression"] = text.update(steps)
            members = {**members, "Item" if word == "put" else "Key": item, **text.members()}
            request.append({{"check": "ConditionCheck"}.get(word, word.title()): members})
            try:
                plans.append((table, table.plan(word, item, condition, steps)))
                reasons.append("None")
            except Refused as refused:
                reasons.append(refused.code.removesuffix("Exception").replace(
                    "Validation", "ValidationError"))
        whole = {"TransactItems": request, "ReturnConsumedCapacity": "INDEXES"}
        if self.draw.maybe(0.3):
            whole["ClientRequestToken"] = f"token {self.draw.random.random()}"
        try:
            answer = self.db.execute("TransactWriteItems", whole)
        except hashrange.Error as error:
            assert set(reasons) != {"None"}, (request, error)
            if isinstance(error, TransactionCanceled):
                found = [reason["Code"] for reason in error.reasons]
                # Puts that fit no index are found before anything else is looked at.
                early = "ValidationError" in reasons and set(found) == {"None", "ValidationError"}
                assert found == reasons or early
            else:
                assert error.code == "ValidationException"
                assert "ValidationError" in reasons
            return
        assert set(reasons) == {"None"}, (request, reasons)
        costs: dict[str, Any] = {}
        for table, plan in plans:
            sums = costs.setdefault(table.name, (table, {}))[1]
            for arm, units in table.write_cost(plan, 2).items():
                sums[arm] = sums.get(arm, 0) + units
            table.apply(plan)
        wanted = [table.capacity(sums, "Write") for table, sums in costs.values()]
        assert answer["ConsumedCapacity"] == wanted, request

    def batch(self, _: Table) -> None:
        requests: dict[str, Any] = {}
        plans: dict[str, Any] = {}
        for table in self.tables:
            seen: dict[Any, Any] = {}
            for _ in range(self.draw.random.randint(1, 8)):
                item = self.draw.item(table)
                word = self.draw.one_of(["put", "delete"])
                seen.setdefault(table.key(item), (word, item))
            requests[table.name] = [
                {"PutRequest": {"Item": item}} if word == "put"
                else {"DeleteRequest": {"Key": table.key_of(item)}}
                for word, item in seen.values()
            ]
            plans[table.name] = [
                (table.key(item), table.items.get(table.key(item)), item if word == "put" else None)
                for word, item in seen.values()
            ]
        request = {"RequestItems": requests, "ReturnConsumedCapacity": "INDEXES"}
        wanted: Item | Refused
        try:
            for table in self.tables:
                for _, _, new in plans[table.name]:
                    table.check_whole(new or {})
        except Refused as refused:
            wanted = refused
        else:
            capacity = []
            for table in self.tables:
                sums: dict[str, int] = {}
                for plan in plans[table.name]:
                    for arm, units in table.write_cost(plan).items():
                        sums[arm] = sums.get(arm, 0) + units
                    table.apply(plan)
                capacity.append(table.capacity(sums))
            wanted = {"UnprocessedItems": {}, "ConsumedCapacity": capacity}
        self.same("BatchWriteItem", request, wanted)

    # -- reads

    def get(self, table: Table) -> None:
        key, consistent = self.draw.key(table), self.draw.maybe(0.5)
        item = table.items.get(table.key(key))
        request = {
            "TableName": table.name, "Key": key, "ConsistentRead": consistent,
            "ReturnConsumedCapacity": "TOTAL",
        }
        if self.draw.maybe(0.4):
            names = self.draw.random.sample(["pk", "g", "v", "m", "l"], 3)
            request["ProjectionExpression"] = ", ".join(names)
            item_shown = item and {name: item[name] for name in names if name in item}
        else:
            item_shown = item
        units = blocks(item_bytes(item), 4096) * (1 if consistent else 0.5)
        wanted: Item = {"ConsumedCapacity": {"TableName": table.name, "CapacityUnits": units}}
        if item is not None:
            wanted["Item"] = item_shown
        self.same("GetItem", request, wanted)

    def batch_get(self, _: Table) -> None:
        keys = {
            table.name: list({table.key(k): k for k in (self.draw.key(table) for _ in range(6))}
                             .values())
            for table in self.tables
        }
        request = {"RequestItems": {name: {"Keys": found} for name, found in keys.items()},
                   "ReturnConsumedCapacity": "TOTAL"}
        answer = self.db.execute("BatchGetItem", request)
        for table, capacity in zip(self.tables, answer["ConsumedCapacity"], strict=True):
            items = [table.items.get(table.key(key)) for key in keys[table.name]]
            found = [item for item in items if item is not None]
            assert canonical(answer["Responses"][table.name]) == canonical(found)
            units = sum(blocks(item_bytes(item), 4096) * 0.5 for item in items)
            assert capacity == {"TableName": table.name, "CapacityUnits": units}

    def transact_get(self, _: Table) -> None:
        chosen = [self.draw.one_of(self.tables) for _ in range(5)]
        pairs = {}
        for table in chosen:
            key = self.draw.key(table)
            pairs[table.name, table.key(key)] = (table, key)
        answer = self.db.execute("TransactGetItems", {"TransactItems": [
            {"Get": {"TableName": table.name, "Key": key}} for table, key in pairs.values()
        ]})
        wanted = [table.items.get(table.key(key)) for table, key in pairs.values()]
        found = [response.get("Item") for response in answer["Responses"]]
        assert [plain_item(item) for item in found] == [plain_item(item) for item in wanted]

    def walk_of(self, table: Table) -> tuple[Index | None, Text, Item, Any]:
        """Return what queries and scans have in common: index, placeholders, request, filter."""
        index = self.draw.one_of([None, *table.indexes.values()])
        text = Text()
        request: Item = {"TableName": table.name, "ReturnConsumedCapacity": "INDEXES"}
        if index is not None:
            request["IndexName"] = index.name
        condition = None
        if self.draw.maybe(0.4):
            shown = table.shown(index)
            keys = {name for name, _ in (table.keys if index is None else index.keys)}
            names = [n for n in [*KEY_KINDS, *REST] if n not in keys and (not shown or n in shown)]
            if names:
                condition = self.draw.condition(names)
                request["FilterExpression"] = text.condition(condition)
        return index, text, request, condition

    def query(self, table: Table) -> None:
        index, text, request, condition = self.walk_of(table)
        hash_keys = table.keys[:1] if index is None else index.hash
        range_keys = table.keys[1:] if index is None else index.range
        like = self.draw.one_of([*table.items.values(), {}])
        conditions: list[Any] = [
            ("=", name, like.get(name) if kind(like.get(name, {"": 0})) == type_
             else self.draw.key_value(type_))
            for name, type_ in hash_keys
        ]
        for name, type_ in range_keys[: self.draw.random.randint(0, len(range_keys))]:
            word = self.draw.one_of(["=", "<", ">=", "BETWEEN", "begins_with"])
            if word == "begins_with" and type_ == "N":
                word = "<"
            values = [self.draw.key_value(type_) for _ in range(1 + (word == "BETWEEN"))]
            if word == "=" and kind(like.get(name, {"": 0})) == type_:
                values = [like[name]]
            values.sort(key=lambda v: Decimal(v["N"]) if "N" in v
                        else v["S"].encode() if "S" in v else v["B"])
            conditions.append((word, name, *values))
            if word != "=":
                break
        forward = self.draw.maybe(0.6)
        request["KeyConditionExpression"] = " AND ".join(map(text.condition, conditions))
        request["ScanIndexForward"] = forward
        limit = self.draw.one_of([None, None, 1, 2, 3, 5])
        if limit:
            request["Limit"] = limit
        request.update(text.members())
        consistent = (index is None or not index.is_global) and self.draw.maybe(0.3)
        if consistent:
            request["ConsistentRead"] = True
        found = table.walked(index, conditions)[:: 1 if forward else -1]
        start = 0
        while True:
            page = found[start:][:limit]
            self.page(table, index, request, page, condition, consistent,
                      limit is not None and len(page) == limit)
            if limit is None or len(page) < limit:
                return
            request["ExclusiveStartKey"] = table.last_key(index, page[-1])
            start += limit

    def page(self, table: Table, index: Index | None, request: Item, page: list[Item],
             condition: Any, consistent: bool, more: bool) -> None:
        """Compare one page of a query with what it must be."""
        passed = [
            item for item in page
            if condition is None or holds(condition, table.view(index, item))
        ]
        whole = index is not None and not index.is_global and self.draw.maybe(0.3)
        request = {**request, "Select": "ALL_ATTRIBUTES"} if whole else request
        if index is None and self.draw.maybe(0.2):
            request = {**request, "Select": "COUNT"}
        factor = 1 if consistent else 0.5
        read = blocks(sum(table.entry_bytes(index, item) for item in page), 4096) * factor
        costs: dict[str, Any] = {"Table": read}
        if index is not None:
            costs = {"Table": 0, index.name: read}
            if whole and table.shown(index) is not None:
                costs["Table"] = sum(blocks(item_bytes(item), 4096) for item in page) * factor
        wanted: Item = {
            "Count": len(passed),
            "ScannedCount": len(page),
            "ConsumedCapacity": table.capacity(costs),
        }
        if request.get("Select") != "COUNT":
            wanted["Items"] = [item if whole else table.view(index, item) for item in passed]
        if more:
            wanted["LastEvaluatedKey"] = table.last_key(index, page[-1])
        self.same("Query", request, wanted)

    def scan(self, table: Table) -> None:
        index, text, request, condition = self.walk_of(table)
        request.update(text.members())
        found: list[Item] = []
        scanned = 0
        total = self.draw.one_of([1, 1, 3])
        limit = self.draw.one_of([None, None, 1, 4])
        for segment in range(total):
            part = {**request, "TotalSegments": total, "Segment": segment}
            if limit:
                part["Limit"] = limit
            while True:
                answer = self.db.execute("Scan", part)
                found += answer["Items"]
                scanned += answer["ScannedCount"]
                if "LastEvaluatedKey" not in answer:
                    break
                part["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        items = [table.view(index, item) for item in table.walked(index, [])]
        passed = [item for item in items if condition is None or holds(condition, item)]
        assert scanned == len(items)
        assert canonical(found) == canonical(passed)


def image_of(wanted: str, plan: tuple[Any, Any, Any], steps: Any) -> Item | None:
    """Return the Attributes of a write's response."""
    _, old, new = plan
    match wanted:
        case "NONE":
            return None
        case "ALL_OLD":
            return old
        case "ALL_NEW":
            return new
    item = (old if wanted == "UPDATED_OLD" else new) or {}
    made: Item = {}
    for _, path, *_ in steps:
        outer, _, inner = path.partition(".")
        if not inner:
            if outer in item:
                made[outer] = item[outer]
        elif outer in item and "M" in item[outer] and inner in item[outer]["M"]:
            made.setdefault(outer, {"M": {}})["M"][inner] = item[outer]["M"][inner]
    return made


def comparable(answer: Item) -> Item:
    made = dict(answer)
    for member in ("Item", "Attributes", "LastEvaluatedKey"):
        if member in made:
            made[member] = plain_item(made[member])
    if "Items" in made:
        made["Items"] = [plain_item(item) for item in made["Items"]]
    return made


def canonical(items: list[Item]) -> list[str]:
    """Return items in an order that says nothing, for comparing."""
    return sorted(repr(sorted(plain_text(item).items())) for item in items)


def plain_text(item: Item) -> Item:
    return {name: repr(sorted_sets(value)) for name, value in item.items()}


def sorted_sets(value: Item) -> Any:
    (name, inner), = value.items()
    match name:
        case "SS" | "NS" | "BS":
            return name, sorted(inner)
        case "L":
            return name, [sorted_sets(member) for member in inner]
        case "M":
            return name, sorted((key, sorted_sets(member)) for key, member in inner.items())
    return name, inner


def lockstep(seed: int, path: Path | None) -> None:
    try:
        Lockstep(seed, path).run(STEPS)
    except BaseException:
        print(f"HASHRANGE_PLANE_SEED={seed}")
        raise


@pytest.mark.slow
@pytest.mark.parametrize("where", ["memory", "disk"])
def test_the_data_plane_agrees_with_the_reference(where: str, tmp_path: Path) -> None:
    # One seed in `make test`; others with HASHRANGE_PLANE_SEED, or in `make soak` and `make fuzz`.
    seed = SEED
    if os.environ.get("HASHRANGE_ROUNDS") or os.environ.get("HASHRANGE_PLANE_SEED"):
        seed = seed_of("HASHRANGE_PLANE_SEED")
    for number_ in range(rounds_of(40)):
        lockstep(seed + number_, None if where == "memory" else tmp_path / f"db{number_}")
