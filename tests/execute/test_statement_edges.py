"""PartiQL through `execute` at its edges: wide keys, big pages, made-up tokens, sizes."""

from __future__ import annotations

import random
from typing import Any

import pytest
from execute.conftest import Execute, table, thing

import hashrange
from hashrange.errors import Error, ItemTooLarge, SerializationError, ValidationError
from hashrange.ops.sizes import item_bytes
from hashrange.ops.statements import STATEMENTS_KEPT_MAX, Statements
from hashrange.partiql import Position, encode_token, statement_binding

NAME = "things"
SEED = 20261126


def execute(run: Execute, text: str, *parameters: Any, **members: Any) -> dict[str, Any]:
    if parameters:
        members["Parameters"] = list(parameters)
    return run("ExecuteStatement", Statement=text, **members)


def attribute(name: str, kind: str) -> dict[str, str]:
    return {"AttributeName": name, "AttributeType": kind}


def part(name: str, role: str) -> dict[str, str]:
    return {"AttributeName": name, "KeyType": role}


# A global index may have several hash and several range attributes: a read needs all of the first.
def test_select_reads_an_index_with_a_wide_key(run: Execute) -> None:
    run(
        "CreateTable",
        TableName="wide",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            attribute("pk", "B"), attribute("h", "S"), attribute("i", "N"),
            attribute("r", "S"), attribute("s", "N"),
        ],
        KeySchema=[part("pk", "HASH")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "all",
                "KeySchema": [
                    part("h", "HASH"), part("i", "HASH"), part("r", "RANGE"), part("s", "RANGE"),
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    for number in range(40):
        execute(
            run,
            "INSERT INTO wide VALUE {'pk': ?, 'h': ?, 'i': ?, 'r': ?, 's': ?}",
            {"B": bytes([number])},
            {"S": "xy"[number % 2]},
            {"N": str(number % 3)},
            {"S": f"r{number % 4}"},
            {"N": str(number)},
        )

    def found(where: str) -> list[int]:
        rows = execute(run, f'SELECT s FROM "wide"."all" WHERE {where}')["Items"]
        return [int(row["s"]["N"]) for row in rows]

    assert found("h = 'x' AND i = 0") == [0, 12, 24, 36, 6, 18, 30]
    assert found("h = 'x' AND i = 0 AND r = 'r2' AND s > 10 ORDER BY r DESC") == [30, 18]
    assert found("h = 'x' AND i IN [0, 1] AND r > 'r0'") == [6, 18, 30, 10, 22, 34]
    assert found("h = 'x' AND s = 4") == [4]
    (row,) = execute(run, "SELECT s FROM wide WHERE pk = ? AND s = 7", {"B": "Bw=="})["Items"]
    assert row == {"s": {"N": "7"}}                       # binaries may be base64 text


# What passes one megabyte ends a page whether it comes from one item collection or from several.
@pytest.mark.parametrize("where", ["pk IN ['a', 'b', 'c']", "begins_with(pk, 'a') OR sk >= 0"])
def test_a_page_ends_behind_1_mb(run: Execute, where: str) -> None:
    run("CreateTable", **table())
    for pk in "abc":
        for sk in (1, 2):
            run("PutItem", TableName=NAME, Item=thing(pk, sk, v="z" * 300_000))
    text = f"SELECT pk, sk FROM things WHERE {where}"
    answer = execute(run, text, ReturnConsumedCapacity="TOTAL")
    rows = answer["Items"]
    assert len(rows) == 4
    assert answer["ConsumedCapacity"]["CapacityUnits"] >= 4 * 300_000 // 8192
    rows += execute(run, text, NextToken=answer["NextToken"])["Items"]
    assert sorted(map(str, rows)) == sorted(str(thing(pk, sk)) for pk in "abc" for sk in (1, 2))


# A token is not signed: what it says is checked like a request's.
@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("SELECT * FROM things", Position(1, None)),
        ("SELECT * FROM things", Position(0, {"pk": {"S": "a"}})),
        ("SELECT * FROM things", Position(0, {"pk": {"N": "1"}, "sk": {"N": "1"}})),
        ("SELECT * FROM things", Position(0, {"pk": {"S": ""}, "sk": {"N": "1"}})),
        ("SELECT * FROM things", Position(0, {"pk": {"S": "a"}, "sk": {"N": "x"}})),
        ("SELECT * FROM things WHERE pk = 'a'", Position(0, thing("b", 1))),
        ("SELECT * FROM things WHERE pk = 'a' AND sk = 1", Position(0, None)),
        ('SELECT * FROM things."by_g"', Position(0, thing("b", 1))),
    ],
)
def test_positions_that_are_none_are_refused(
    run: Execute, text: str, position: Position
) -> None:
    run("CreateTable", **table())
    run("PutItem", TableName=NAME, Item=thing("a", 1))
    token = encode_token(position, statement_binding(text, []))
    with pytest.raises(ValidationError):
        execute(run, text, NextToken=token)


def test_a_malformed_parameter_refuses_the_batch(run: Execute) -> None:
    run("CreateTable", **table())
    with pytest.raises(SerializationError):
        run(
            "BatchExecuteStatement",
            Statements=[
                {
                    "Statement": "INSERT INTO things VALUE {'pk': ?, 'sk': 1}",
                    "Parameters": [{"S": 5}],
                }
            ],
        )


# The size that a failed INSERT is charged by is the one that the engine counts.
def test_item_bytes_is_the_engines_size(db: hashrange.Database, run: Execute) -> None:
    run("CreateTable", **table())
    chance = random.Random(SEED)

    def value(depth: int) -> dict[str, Any]:
        kind = chance.choice(["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"])
        number = f"{chance.randrange(-(10 ** 20), 10 ** 20)}E{chance.randrange(-60, 60)}"
        texts = [f"é{n}" * chance.randrange(1, 4) for n in range(3)]
        simple: dict[str, Any] = {
            "S": texts[0], "N": number, "B": b"x" * chance.randrange(9), "BOOL": True,
            "NULL": True, "SS": texts, "NS": ["1", "-2.5", number.replace("E", "7E")],
            "BS": [b"", b"ab"],
        }
        if kind in simple or depth == 0:
            kind = kind if kind in simple else "S"
            return {kind: simple[kind]}
        inner = [value(depth - 1) for _ in range(3)]
        return {kind: inner if kind == "L" else dict(zip("abc", inner, strict=True))}

    assert db.service is not None
    door = db.service.door
    for number in range(100):
        item = {**thing("a", number), "v": value(3), "w": value(2)}
        run("PutItem", TableName=NAME, Item=item)
        known = door.table(NAME)
        assert known is not None
        _, size_bytes = door.read(known, thing("a", number), None)
        assert item_bytes(item) == size_bytes, (SEED, item)


def test_parsed_statements_are_kept_up_to_a_bound(db: hashrange.Database, run: Execute) -> None:
    run("CreateTable", **table())
    assert db.service is not None
    statements = Statements(db.service.door)
    for number in range(STATEMENTS_KEPT_MAX + 1):
        statements.execute_statement({"Statement": f"SELECT a{number} FROM things"})
    statements.execute_statement({"Statement": f"SELECT a{number} FROM things"})
    kept = statements.parse.cache_info()
    assert (kept.hits, kept.currsize) == (1, STATEMENTS_KEPT_MAX)


# Statements put together at random are run or refused: nothing else comes out.
def test_random_statements_raise_nothing_but_errors_of_the_service(run: Execute) -> None:
    run("CreateTable", **table())
    run("PutItem", TableName=NAME, Item=thing("a", 1, v=1, g="x"))
    chance = random.Random(SEED)
    vocabulary = (
        "SELECT * FROM things WHERE pk = 'a' AND sk = 1 OR NOT IN [1, 2] ( ) ? v.l[0] , UPDATE "
        "SET REMOVE DELETE INSERT INTO VALUE {'pk': 'a', 'sk': 1} IS MISSING BETWEEN "
        "ORDER BY DESC RETURNING ALL OLD * set_add <<1>> things.by_g begins_with size < <> ''"
    )
    words = vocabulary.split()
    starts = [
        "SELECT * FROM things WHERE",
        "UPDATE things SET v =",
        "DELETE FROM things WHERE pk = 'a' AND sk = 1 AND",
        "INSERT INTO things VALUE",
        "EXISTS(SELECT * FROM things WHERE pk = 'a' AND",
        'SELECT v FROM things."by_g" WHERE g = \'x\' AND',
    ]
    parameters = [{"S": "a"}, {"N": "1"}, {"L": []}, {"NULL": True}, {"B": b"x"}, {"S": ""}]
    for _ in range(1500):
        text = " ".join([chance.choice(starts), *chance.choices(words, k=chance.randrange(1, 7))])
        request = {"Statement": text, "Parameters": chance.choices(parameters, k=4)}
        for operation, made in (
            ("ExecuteStatement", request),
            ("BatchExecuteStatement", {"Statements": [request]}),
            ("ExecuteTransaction", {"TransactStatements": [request]}),
        ):
            try:
                run(operation, **made)
            except Error as error:
                assert error.status == 400, (SEED, text)


# One value that is too large alone is told of as UpdateItem tells of it, not by a placeholder.
def test_an_update_with_a_value_too_large_is_refused(run: Execute) -> None:
    run("CreateTable", **table())
    run("PutItem", TableName=NAME, Item=thing("a", 1))
    text = "UPDATE things SET v = ? WHERE pk = 'a' AND sk = 1"
    for _ in range(3):                        # from the text, and prepared
        with pytest.raises(ItemTooLarge) as caught:
            execute(run, text, {"S": "x" * (400 << 10)})
        assert str(caught.value) == "Item size to update has exceeded the maximum allowed size"


# Developer guide, PartiQL operators: IS is true "if the operand is a given PartiQL data type".
@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("NULL", "e"), ("BOOL", "f"), ("BOOLEAN", "f"), ("STRING", "k"), ("DECIMAL", "a"),
        ("numeric", "a"), ("BLOB", "b"), ("LIST", "c"), ("STRUCT", "d"), ("TUPLE", "d"),
        ("BAG", "ghi"),
    ],
)  # fmt: skip
def test_is_tells_the_type_of_an_attribute(kind: str, names: str) -> None:
    item = {
        "k": {"S": "x"}, "a": {"N": "1"}, "b": {"B": b"x"}, "c": {"L": []}, "d": {"M": {}},
        "e": {"NULL": True}, "f": {"BOOL": False}, "g": {"SS": ["x"]}, "h": {"NS": ["1"]},
        "i": {"BS": [b"x"]},
    }  # fmt: skip
    with hashrange.open() as db:
        db.create_table("Kinds", ("k", "S"))
        db.execute("PutItem", {"TableName": "Kinds", "Item": item})
        for name in [*item, "absent"]:
            for word, expected in (("IS", name in names), ("IS NOT", name not in names)):
                for where in (f"{name} {word} {kind}", f"k = 'x' AND {name} {word} {kind}"):
                    statement = {"Statement": f"SELECT * FROM Kinds WHERE {where}"}
                    for _ in range(3):    # prepared, the third time
                        found = db.execute("ExecuteStatement", statement)["Items"]
                        assert found == ([item] if expected else []), where
        with pytest.raises(hashrange.ValidationError, match=r"Operator: IS INT$"):
            db.execute("ExecuteStatement", {"Statement": "SELECT * FROM Kinds WHERE a IS INT"})
