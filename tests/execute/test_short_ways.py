"""The short ways of the hot operations answer as the long ways do.

A transaction that is plain, a statement that is prepared, a batch's keys together: each has a way
with fewer steps. The same random requests, good and bad, are run on a database that may take
the short ways and on one that may not; all answers, errors and items must be equal.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

import hashrange
from hashrange.door import service_of
from hashrange.ops.item_reads import key_mark
from hashrange.ops.prepared import GENERATION_COUNT_MAX

Item = dict[str, Any]
ROUNDS = int(os.environ.get("HASHRANGE_EXAMPLES", "1000"))
SEED = 20260101
TABLE = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
}
INDEXED = {
    **TABLE,
    "AttributeDefinitions": [
        *TABLE["AttributeDefinitions"],
        {"AttributeName": "g", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
ODD_VALUES: tuple[Any, ...] = (
    {"S": ""}, {"N": "1e999"}, {"N": "x"}, {"S": 5}, {"S": None}, {}, None, 7, {"S": "a", "N": "1"},
    {"SS": []}, {"L": [{"S": "q"}]}, {"B": b"x"}, {"S": "k" * 3000}, {"NULL": True},
)  # fmt: skip
STATEMENTS = (
    ("SELECT * FROM \"plain\" WHERE pk = ? AND sk = ?", "kn"),
    ("SELECT v, g FROM \"plain\" WHERE sk = ? AND pk = ?", "nk"),
    ("SELECT g.x, v FROM \"plain\" WHERE pk = ? AND sk = 1", "k"),
    ("SELECT * FROM \"plain\" WHERE pk = ? AND sk = ? AND v > ?", "knn"),
    ("SELECT * FROM \"plain\" WHERE pk = ? AND sk = ? AND pk = ?", "knk"),
    ("SELECT * FROM \"plain\" WHERE pk IN ? AND sk = 1", "l"),
    ("SELECT * FROM \"plain\" WHERE pk = 'a' AND sk = 1", ""),
    ("SELECT * FROM \"gone\" WHERE pk = ? AND sk = ?", "kn"),
    ("INSERT INTO \"plain\" VALUE {'pk': ?, 'sk': ?, 'v': ?, 'w': 'x'}", "knv"),
    ("INSERT INTO \"indexed\" VALUE {'pk': ?, 'sk': ?, 'g': ?}", "knv"),
    ("UPDATE \"plain\" SET v = v + ? WHERE pk = ? AND sk = ?", "nkn"),
    ("UPDATE \"plain\" SET v = ? SET w = 'y' WHERE pk = ? AND sk = ? RETURNING ALL NEW *", "vkn"),
    ("UPDATE \"plain\" SET u = set_add(u, ?) WHERE pk = ? AND sk = ?", "vkn"),
    ("UPDATE \"indexed\" SET g = ? WHERE pk = ? AND sk = ? RETURNING MODIFIED OLD *", "vkn"),
    ("DELETE FROM \"plain\" WHERE pk = ? AND sk = ? AND v = ? RETURNING ALL OLD *", "knv"),
    ("DELETE FROM \"indexed\" WHERE pk = ? AND sk = ?", "kn"),
    ("EXISTS(SELECT * FROM \"plain\" WHERE pk = ? AND sk = ? AND v = ?)", "knv"),
    ("EXISTS(SELECT * FROM \"indexed\" WHERE pk = ? AND sk = ? AND g IS MISSING)", "kn"),
)
READS = tuple(each for each in STATEMENTS if each[0].startswith("SELECT"))
WAYS = ("single", "transaction", "get", "gets", "batch", "statement", "several", "together")
WRITES = tuple(each for each in STATEMENTS if not each[0].startswith("SELECT"))


class Requests:
    """Random requests: mostly fine, some of them wrong in one place or two."""

    def __init__(self, seed: int) -> None:
        self.choose = random.Random(seed)
        self.token = 0
        self.sent: list[Item] = []
        self.asked: list[Item] = []

    def chance(self, share: float) -> bool:
        return self.choose.random() < share

    def value(self) -> Any:
        if self.chance(0.03):
            return self.choose.choice(ODD_VALUES)
        return self.choose.choice([{"S": "a"}, {"N": "2"}, {"SS": ["a"]}, {"M": {"x": {"N": "1"}}}])

    def hash_value(self) -> Any:
        odd = self.chance(0.02)
        return self.choose.choice(ODD_VALUES) if odd else {"S": self.choose.choice("abcdef")}

    def number(self) -> Any:
        if self.chance(0.02):
            return self.choose.choice(ODD_VALUES)
        return {"N": self.choose.choice(["1", "2", "3", "1.0"])}

    def key(self) -> Item:
        key = {"pk": self.hash_value(), "sk": self.number()}
        if self.chance(0.01):
            key.pop(self.choose.choice(["pk", "sk"]))
        if self.chance(0.01):
            key["other"] = {"S": "x"}
        return key

    def item(self) -> Item:
        names = self.choose.sample(["g", "v", "w"], self.choose.randrange(4))
        return {**self.key(), **{name: self.value() for name in names}}

    def name(self) -> str:
        if self.chance(0.02):
            return self.choose.choice(["gone", "x", "arn:aws:dynamodb:us-east-1:1:table/plain", ""])
        return self.choose.choice(["plain", "plain", "indexed"])

    def expressions(self, kind: str) -> Item:
        made: Item = {}
        if kind == "Update" and not self.chance(0.02):
            made["UpdateExpression"] = self.choose.choice(
                ["SET v = :v", "ADD #v :v", "REMOVE v", "SET pk = :v", "SET v =", "SET g = :v"]
            )
        if kind == "ConditionCheck" or self.chance(0.3):
            made["ConditionExpression"] = self.choose.choice(
                ["attribute_exists(pk)", "attribute_not_exists(#v)", "v = :v", "v <", "#v < :v"]
            )
        text = "".join(made.values())
        if ":v" in text or self.chance(0.02):
            made["ExpressionAttributeValues"] = {":v": self.value()}
        if "#v" in text or self.chance(0.02):
            made["ExpressionAttributeNames"] = {"#v": "v"} if not self.chance(0.02) else {}
        if self.chance(0.1):
            made["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return made

    def action(self) -> Item:
        kind = self.choose.choice(["Put", "Update", "Delete", "ConditionCheck"])
        body = {"TableName": self.name(), **self.expressions(kind)}
        body["Item" if kind == "Put" else "Key"] = self.item() if kind == "Put" else self.key()
        if self.chance(0.01):
            body.pop(self.choose.choice(list(body)))
        part = {kind: body}
        if self.chance(0.01):
            part["Delete"] = body
        return part

    def transaction(self) -> tuple[str, Item]:
        request: Item = {
            "TransactItems": [self.action() for _ in range(self.choose.randrange(1, 4))]
        }
        if self.chance(0.1):
            request["ReturnConsumedCapacity"] = "INDEXES"
        if self.chance(0.3):
            self.token += 1
            request["ClientRequestToken"] = f"t{self.token}"
        if self.sent and self.chance(0.1):
            request = self.choose.choice(self.sent)
            if self.chance(0.3) and "ClientRequestToken" in request:
                request = {**request, "TransactItems": request["TransactItems"][:1]}
        self.sent = [*self.sent[-20:], request]
        return "TransactWriteItems", request

    def batch(self) -> tuple[str, Item]:
        tables: Item = {}
        for _ in range(self.choose.randrange(1, 3)):
            wanted: Item = {"Keys": [self.key() for _ in range(self.choose.randrange(1, 6))]}
            if self.chance(0.2):
                wanted["ProjectionExpression"] = self.choose.choice(["v", "#v, pk", "v,", "g.x"])
            if "#v" in wanted.get("ProjectionExpression", "") or self.chance(0.03):
                wanted["ExpressionAttributeNames"] = {"#v": "w"}
            tables[self.name()] = wanted
        request: Item = {"RequestItems": tables}
        if self.chance(0.3):
            request["ReturnConsumedCapacity"] = "TOTAL"
        return "BatchGetItem", request

    def single(self) -> tuple[str, Item]:
        part = self.action()
        kind = next(iter(part))
        request: Item = part[kind]
        for share, name, value in (
            (0.05, "ReturnValues", "ALL_OLD"),
            (0.05, "ReturnConsumedCapacity", "TOTAL"),
            (0.02, "Expected", {"v": {"Exists": False}}),
            (0.02, "AttributeUpdates", {"v": {"Action": "DELETE"}}),
            (0.02, "ConditionExpression", None),
            (0.01, "Unknown", 1),
        ):
            if self.chance(share):
                request[name] = value
        operation = {"Put": "PutItem", "Update": "UpdateItem"}.get(kind, "DeleteItem")
        return operation, request

    def get(self) -> tuple[str, Item]:
        request: Item = {"TableName": self.name(), "Key": self.key()}
        for share, name, value in (
            (0.3, "ConsistentRead", True),
            (0.05, "ReturnConsumedCapacity", "TOTAL"),
            (0.05, "ProjectionExpression", "v"),
            (0.02, "AttributesToGet", ["v"]),
            (0.02, "ProjectionExpression", None),
            (0.01, "Unknown", 1),
        ):
            if self.chance(share):
                request[name] = value
        return "GetItem", request

    def gets(self) -> tuple[str, Item]:
        parts: list[Item] = []
        for _ in range(self.choose.randrange(1, 5)):
            get: Item = {"TableName": self.name(), "Key": self.key()}
            if self.chance(0.1):
                get["ProjectionExpression"] = self.choose.choice(["v", "#v, pk", "v,", "g.x"])
            if "#v" in get.get("ProjectionExpression", "") or self.chance(0.03):
                get["ExpressionAttributeNames"] = {"#v": "w"}
            parts.append({"Get": get})
        request: Item = {"TransactItems": parts}
        if self.chance(0.3):
            request["ReturnConsumedCapacity"] = self.choose.choice(["TOTAL", "NONE", "INDEXES"])
        return "TransactGetItems", request

    def stated(self, statements: tuple[tuple[str, str], ...]) -> tuple[str, Item]:
        """Return a statement's text, and it with parameters."""
        text, places = self.choose.choice(statements)
        makers = {
            "k": self.hash_value,
            "n": self.number,
            "v": self.value,
            "l": lambda: {"L": [{"S": "a"}, {"S": "b"}]},
        }
        request: Item = {"Statement": text}
        if places:
            request["Parameters"] = [makers[place]() for place in places]
        if self.chance(0.01) and places:
            request["Parameters"].pop()
        if self.chance(0.02) and places:
            request["Parameters"].append({"S": "more"})
        if self.chance(0.1):
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return text, request

    def members(self) -> list[Item]:
        """Return statements that are all reads or all writes, mostly."""
        kind = STATEMENTS if self.chance(0.05) else self.choose.choice([READS, WRITES])
        # Most of the time few texts, as a program has.
        kind = tuple(self.choose.sample(kind, 2))
        return [self.stated(kind)[1] for _ in range(self.choose.randrange(1, 5))]

    def several(self) -> tuple[str, Item]:
        members = self.members()
        for member in members:
            if self.chance(0.1):
                member["ConsistentRead"] = True
        request: Item = {"Statements": members}
        if self.chance(0.3):
            request["ReturnConsumedCapacity"] = self.choose.choice(["TOTAL", "NONE", "INDEXES"])
        return "BatchExecuteStatement", request

    def together(self) -> tuple[str, Item]:
        request: Item = {"TransactStatements": self.members()}
        if self.chance(0.3):
            request["ReturnConsumedCapacity"] = self.choose.choice(["TOTAL", "NONE", "INDEXES"])
        if self.chance(0.2):
            self.token += 1
            request["ClientRequestToken"] = f"s{self.token}"
        if self.asked and self.chance(0.1):
            request = self.choose.choice(self.asked)
            if self.chance(0.3) and "ClientRequestToken" in request:
                request = {**request, "TransactStatements": request["TransactStatements"][:1]}
        self.asked = [*self.asked[-20:], request]
        return "ExecuteTransaction", request

    def statement(self) -> tuple[str, Item]:
        text, request = self.stated(STATEMENTS)
        # What a scan finds first depends on the database's secret seed.
        limited = 0.05 if "AND pk = ?" not in text else 0.0
        for share, name, value in (
            (0.2, "ReturnConsumedCapacity", "INDEXES"),
            (0.2, "ConsistentRead", True),
            (limited, "Limit", 1),
            (0.02, "NextToken", "x"),
        ):
            if self.chance(share):
                request[name] = value
        return "ExecuteStatement", request

    def next(self) -> tuple[str, Item]:
        ways = [getattr(self, way) for way in WAYS]
        return self.choose.choice(ways)()


def long_way(db: hashrange.Database) -> None:
    """Make a database's service take no short way."""
    service = db.service = service_of(db)
    read = service.door.read

    def read_keys(table: Any, keys: list[Item], projection: Any) -> Any:
        found = [read(table, key, projection) for key in keys]
        if len({key_mark(key) for key in keys}) < len(keys):
            return None
        return [item for item, _ in found], [size for _, size in found]

    door: Any = service.door
    door.read_keys = read_keys
    door.transact_plain = lambda *_: None
    door.read_plain = lambda _: None
    door.write_plain = lambda *_: False
    door.get_plain = lambda _: None
    prepared_of(db).ready = lambda _: None


def prepared_of(db: hashrange.Database) -> Any:
    """Return the prepared statements of a database."""
    assert db.service is not None
    run: Any = db.service.item_operations["ExecuteStatement"]
    return run.__self__.prepared


def outcome(db: hashrange.Database, operation: str, request: Item) -> Any:
    """Return an answer, or an error as what a caller sees of it."""
    try:
        return db.execute(operation, request)
    except hashrange.Error as error:
        return error.code, str(error), getattr(error, "reasons", None), getattr(error, "item", 0)


@pytest.mark.parametrize("way", [*WAYS, "next"])
def test_short_ways_answer_as_the_long_ones(way: str) -> None:
    print(f"seed {SEED}")
    requests = Requests(SEED)
    with hashrange.open() as short, hashrange.open() as long:
        long_way(long)
        for db in (short, long):
            db.execute("CreateTable", {"TableName": "plain", **TABLE})
            db.execute("CreateTable", {"TableName": "indexed", **INDEXED})
            for hash_key in "abc":
                item = {"pk": {"S": hash_key}, "sk": {"N": "1"}, "v": {"N": "1"}}
                for name in ("plain", "indexed"):
                    db.execute("PutItem", {"TableName": name, "Item": item})
        for number in range(ROUNDS):
            operation, request = getattr(requests, way)()
            given = repr(request)
            seen = outcome(short, operation, request)
            assert seen == outcome(long, operation, request), (number, request)
            assert repr(request) == given, "the request was changed"
        for name in ("plain", "indexed"):
            items = [sorted(map(repr, db.table(name).scan())) for db in (short, long)]
            assert items[0] == items[1]


# Short ways are no use if nobody takes them.
def test_the_short_ways_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with hashrange.open() as db:
        db.execute("CreateTable", {"TableName": "plain", **TABLE})
        key = {"pk": {"S": "a"}, "sk": {"N": "1"}}
        part = {"Put": {"TableName": "plain", "Item": key}}
        statement = {"Statement": STATEMENTS[0][0], "Parameters": [{"S": "a"}, {"N": "1"}]}
        write = {
            "Statement": "UPDATE \"plain\" SET v = ? WHERE pk = ? AND sk = ?",
            "Parameters": [{"S": "x"}, {"S": "a"}, {"N": "2"}],
        }
        where = "pk = 'a' AND sk = 1 AND v IS MISSING"
        check = {"Statement": f"EXISTS(SELECT * FROM \"plain\" WHERE {where})"}
        written = {"TableName": "plain"}
        insert = {"Statement": "INSERT INTO \"plain\" VALUE {'pk': 'a', 'sk': 2}"}
        db.execute("ExecuteStatement", insert)
        requests = [
            ("TransactWriteItems", {"TransactItems": [part]}, {}),
            ("ExecuteStatement", statement, {"Items": [key]}),
            (
                "BatchExecuteStatement",
                {"Statements": [statement, statement]},
                {"Responses": [{"Item": key, "TableName": "plain"}] * 2},
            ),
            ("BatchExecuteStatement", {"Statements": [write]}, {"Responses": [written]}),
            (
                "ExecuteTransaction",
                {"TransactStatements": [statement]},
                {"Responses": [{"Item": key}]},
            ),
            ("ExecuteTransaction", {"TransactStatements": [write, check]}, {"Responses": [{}, {}]}),
            (
                "TransactGetItems",
                {"TransactItems": [{"Get": {"TableName": "plain", "Key": key}}]},
                {"Responses": [{"Item": key}]},
            ),
        ]
        for _ in range(3):
            for operation, request, answer in requests:
                assert db.execute(operation, request) == answer
        singles = [
            ("PutItem", {"TableName": "plain", "Item": key}, {}),
            ("DeleteItem", {"TableName": "plain", "Key": {**key, "sk": {"N": "9"}}}, {}),
            ("GetItem", {"TableName": "plain", "Key": key}, {"Item": key}),
            (
                "UpdateItem",
                {"TableName": "plain", "Key": key, "UpdateExpression": "REMOVE v"},
                {},
            ),
        ]
        for operation, request, answer in singles:
            assert db.execute(operation, request) == answer
        requests += singles
        monkeypatch.setattr("hashrange.ops.item_writes.condition_of", None)
        monkeypatch.setattr("hashrange.ops.item_reads.known_table", None)
        monkeypatch.setattr("hashrange.ops.transactions.action_of", None)
        monkeypatch.setattr("hashrange.ops.transactions.check_keys", None)
        monkeypatch.setattr("hashrange.ops.statements.plan_statement", None)
        monkeypatch.setattr("hashrange.ops.statements.transaction", None)
        for operation, request, answer in requests:
            assert db.execute(operation, request) == answer


# A prepared statement belongs to its table as it was: a key of another type is another plan.
def test_a_statement_is_prepared_anew_when_its_table_is_another_one() -> None:
    statement = {"Statement": "SELECT * FROM \"swap\" WHERE pk = ?", "Parameters": [{"S": "a"}]}
    with hashrange.open() as db:
        for kind, value in (("S", "a"), ("N", "1"), ("S", "b")):
            db.execute(
                "CreateTable",
                {
                    "TableName": "swap",
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": kind}],
                    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                },
            )
            item = {"pk": {kind: value}}
            db.execute("PutItem", {"TableName": "swap", "Item": item})
            for _ in range(4):
                seen = outcome(db, "ExecuteStatement", statement)
                if kind == "N":
                    assert seen[0] == "ValidationException"
                else:
                    assert seen == {"Items": [item] if value == "a" else []}
            db.execute("DeleteTable", {"TableName": "swap"})


# Only so many statements are kept, those that were used lately among them.
def test_prepared_statements_are_bounded() -> None:
    with hashrange.open() as db:
        db.execute("CreateTable", {"TableName": "plain", **TABLE})
        for number in range(3 * GENERATION_COUNT_MAX):
            text = f"SELECT * FROM \"plain\" WHERE pk = '{number}' AND sk = 1"
            for _ in range(2):
                assert db.execute("ExecuteStatement", {"Statement": text}) == {"Items": []}
        kept = prepared_of(db)
        assert len(kept.young) <= GENERATION_COUNT_MAX
        assert len(kept.old) <= GENERATION_COUNT_MAX + 1


# Looking into a key may run the caller's code, which may take the request apart meanwhile.
@pytest.mark.parametrize("operation", ["BatchGetItem", "TransactWriteItems"])
def test_a_request_that_changes_while_it_is_read_does_no_harm(operation: str) -> None:
    waiting: list[Any] = []

    class Name(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            for victim in waiting:
                victim.clear()
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    with hashrange.open() as db:
        db.execute("CreateTable", {"TableName": "plain", **TABLE})
        for number in range(20):
            item = {"pk": {"S": "a"}, "sk": {"N": str(number)}}
            db.execute("PutItem", {"TableName": "plain", "Item": item})
        for place in range(10):
            keys = [{"pk": {"S": "a"}, "sk": {"N": str(number)}} for number in range(10)]
            keys[place] = {Name("pk"): {"S": "a"}, Name("sk"): {"N": str(place)}}
            parts = [{"Delete": {"TableName": "plain", "Key": key}} for key in keys]
            waiting[:] = []
            if operation == "BatchGetItem":
                request: Item = {"RequestItems": {"plain": {"Keys": keys}}}
                waiting.append(keys)
            else:
                request = {"TransactItems": parts}
                waiting += [parts, *[part["Delete"] for part in parts], *parts]
            try:
                outcome(db, operation, request)
            except (KeyError, IndexError, ValueError, TypeError, RuntimeError):
                pass                      # it is the caller's own doing
