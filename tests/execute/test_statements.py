"""PartiQL through `execute`: statements, batches and transactions, their errors and costs."""

from __future__ import annotations

import random
from typing import Any

import pytest
from execute.conftest import Execute, table, thing

from hashrange.errors import (
    ConditionalCheckFailed,
    DuplicateItem,
    Error,
    IdempotentParameterMismatch,
    TableNotFound,
    TransactionCanceled,
    ValidationError,
)

NAME = "things"
COUNT = 30
SEED = 20261125


@pytest.fixture(autouse=True)
def made(run: Execute) -> None:
    run("CreateTable", **table())


@pytest.fixture
def filled(run: Execute) -> None:
    for number in range(COUNT):
        item = thing(f"p{number % 3}", number, g="even" if number % 2 == 0 else "odd", v=number)
        if number % 5 == 0:
            item["a"] = {"S": f"a{number:03d}"}
        run("PutItem", TableName=NAME, Item=item)


def typed(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else thing("", 0, x=value)["x"]


def execute(run: Execute, text: str, *parameters: Any, **members: Any) -> dict[str, Any]:
    if parameters:
        members["Parameters"] = [typed(parameter) for parameter in parameters]
    return run("ExecuteStatement", Statement=text, **members)


def rows(run: Execute, text: str, *parameters: Any, **members: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = execute(run, text, *parameters, **members)["Items"]
    return found


def numbers(items: list[dict[str, Any]]) -> list[int]:
    return [int(item["sk"]["N"]) for item in items]


def units(answer: dict[str, Any]) -> float:
    return float(answer["ConsumedCapacity"]["CapacityUnits"])


# ---- SELECT --------------------------------------------------------------------------------------


# One item, item collections in both directions, and ranges that become BETWEEN.
@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("pk = 'p0' AND sk = 3", [3]),
        ("pk = 'p0' AND sk = 4", []),
        ("pk = 'p0' AND sk = 3 AND v = 3", [3]),
        ("pk = 'p0' AND sk = 3 AND v = 4", []),
        ("pk = 'p0' AND sk < 9", [0, 3, 6]),
        ("pk = 'p0' AND sk >= 20", [21, 24, 27]),
        ("pk = 'p0' AND sk BETWEEN 3 AND 9", [3, 6, 9]),
        ("pk = 'p0' AND sk > 3 AND sk <= 9", [6, 9]),
        ("pk = 'p0' AND sk IN [6, 27, 4]", [6, 27]),
        ("pk = 'p0' AND (sk < 3 OR sk > 24)", [0, 27]),
        ("pk = 'p0' AND sk <> 0 AND sk < 9", [3, 6]),
        ("pk = 'p0' AND v > 20 AND a IS MISSING", [21, 24, 27]),
        ("pk = 'p0' AND begins_with(a, 'a0')", [0, 15]),
        ("pk = 'p0' AND sk < 9 ORDER BY sk DESC", [6, 3, 0]),
        ("pk IN ['p1', 'p0'] AND sk < 5 ORDER BY pk", [0, 3, 1, 4]),
        ("pk IN ['p1', 'p0'] AND sk < 5 ORDER BY pk DESC, sk ASC", [1, 4, 0, 3]),
    ],
)
def test_select_reads_what_where_says(run: Execute, where: str, wanted: list[int]) -> None:
    assert numbers(rows(run, f"SELECT * FROM things WHERE {where}")) == wanted


# An index is read in its own order; it gives what it projects, a local one the rest too.
@pytest.mark.usefixtures("filled")
def test_select_reads_indexes(run: Execute) -> None:
    found = rows(run, 'SELECT sk FROM things."by_g_sk" WHERE g = ? AND sk > ? ORDER BY sk DESC',
                 "odd", 24)
    assert numbers(found) == [29, 27, 25]
    found = rows(run, 'SELECT * FROM "things"."by_a" WHERE pk = \'p0\' AND a >= \'a015\'')
    assert found == [{"pk": {"S": "p0"}, "sk": {"N": "15"}, "a": {"S": "a015"}}]
    found = rows(run, 'SELECT v, a FROM "things"."by_a" WHERE pk = \'p0\' AND a = \'a015\'')
    assert found == [{"v": {"N": "15"}, "a": {"S": "a015"}}]


# The name of a column is the last name of its path, with the indexes behind it.
def test_select_returns_values_under_their_last_names(run: Execute) -> None:
    execute(run, "INSERT INTO things VALUE {'pk': 'x', 'sk': 1, 'd': {'l': [1, {'k': 'z'}]}}")
    found = rows(run, "SELECT d.l[1].k, d.l[0], none FROM things WHERE pk = 'x' AND sk = 1")
    assert found == [{"k": {"S": "z"}, "l[0]": {"N": "1"}}]
    assert rows(run, "SELECT none FROM things") == [{}]


# NextToken goes on where the page ended, inside of an item collection and between two.
@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("limit", [1, 2, 3, 10, 11, 100])
@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM things",
        "SELECT * FROM things WHERE pk = 'p1' AND sk < 20",
        "SELECT * FROM things WHERE pk IN ['p2', 'none', 'p0'] AND v > 4 ORDER BY pk DESC",
        'SELECT * FROM things."by_g" WHERE g = \'odd\'',
        'SELECT * FROM things."by_a"',
    ],
)
def test_pages_make_the_whole(run: Execute, text: str, limit: int) -> None:
    def all_pages(**members: Any) -> list[int]:
        found, token = [], None
        while True:
            more = {} if token is None else {"NextToken": token}
            answer = execute(run, text, **members, **more)
            assert len(answer["Items"]) <= limit
            found += numbers(answer["Items"])
            token = answer.get("NextToken")
            if token is None:
                assert "LastEvaluatedKey" not in answer
                return found

    whole = numbers(rows(run, text))
    paged = all_pages(Limit=limit)
    assert paged[: len(whole)] == whole
    assert len(set(paged)) == len(paged)
    if " IN " not in text:                # with IN the first page has 10 items at most
        assert paged == whole


@pytest.mark.usefixtures("filled")
def test_a_page_says_where_it_ended(run: Execute) -> None:
    answer = execute(run, "SELECT v FROM things WHERE pk = 'p1'", Limit=2)
    assert answer["Items"] == [{"v": {"N": "1"}}, {"v": {"N": "4"}}]
    assert answer["LastEvaluatedKey"] == {"pk": {"S": "p1"}, "sk": {"N": "4"}}


# A token is good for its statement, with its parameters, only.
@pytest.mark.usefixtures("filled")
def test_tokens_of_other_statements_are_refused(run: Execute) -> None:
    text = "SELECT * FROM things WHERE pk = ?"
    token = execute(run, text, "p1", Limit=2)["NextToken"]
    with pytest.raises(ValidationError, match=r"^NextToken does not match request$"):
        execute(run, text, "p2", NextToken=token)
    with pytest.raises(ValidationError, match=r"^Invalid NextToken$"):
        execute(run, text, "p1", NextToken=token[:-8])


# Source: capacity of Query, Scan and GetItem; an index has its own arm.
@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("text", "eventual", "consistent"),
    [
        ("SELECT * FROM things WHERE pk = 'p0' AND sk = 3", 0.5, 1.0),
        ("SELECT * FROM things WHERE pk = 'p0' AND sk = 4", 0.5, 1.0),
        ("SELECT v FROM things WHERE pk = 'p0' AND v = 1000", 0.5, 1.0),
        ("SELECT v FROM things", 0.5, 1.0),
        ("SELECT * FROM things WHERE pk IN ['p0', 'none'] AND sk < 9", 1.0, 2.0),
    ],
)
def test_select_costs_what_it_reads(
    run: Execute, text: str, eventual: float, consistent: float
) -> None:
    asked = {"ReturnConsumedCapacity": "TOTAL"}
    assert units(execute(run, text, **asked)) == eventual
    assert units(execute(run, text, **asked, ConsistentRead=True)) == consistent


@pytest.mark.usefixtures("filled")
def test_select_of_an_index_is_charged_to_it(run: Execute) -> None:
    text = 'SELECT * FROM things."by_g" WHERE g = \'odd\''
    answer = execute(run, text, ReturnConsumedCapacity="INDEXES")
    assert answer["ConsumedCapacity"] == {
        "TableName": NAME,
        "CapacityUnits": 0.5,
        "Table": {"CapacityUnits": 0.0},
        "GlobalSecondaryIndexes": {"by_g": {"CapacityUnits": 0.5}},
    }


# SELECT and the same question put to Scan and Python, on data and clauses made at random.
@pytest.mark.parametrize("round_number", range(3))
def test_select_agrees_with_a_scan_and_a_filter(run: Execute, round_number: int) -> None:
    seed = SEED + round_number
    chance = random.Random(seed)
    for _ in range(60):
        item = thing(f"p{chance.randrange(4)}", chance.randrange(12), g=chance.choice("xyz"))
        if chance.random() < 0.7:
            item["v"] = chance.choice([{"N": str(chance.randrange(6))}, {"S": "five"}])
        if chance.random() < 0.5:
            item["a"] = {"S": f"a{chance.randrange(5)}"}
        run("PutItem", TableName=NAME, Item=item)
    everything = run("Scan", TableName=NAME)["Items"]
    for _ in range(60):
        text, holds = clause(chance, 3)
        wanted = sorted(str(item) for item in everything if holds(item))
        found: list[Any] = []
        token: dict[str, Any] = {}
        try:
            while True:
                answer = execute(run, f"SELECT * FROM things WHERE {text}", **token)
                found += answer["Items"]
                if "NextToken" not in answer:
                    break
                token = {"NextToken": answer["NextToken"]}
        except ValidationError as error:
            # The service refuses reads that overlap, and too many of them.
            assert str(error).startswith(("Overlapping conditions", "Too many")), (seed, text)
            continue
        assert sorted(map(str, found)) == wanted, (seed, text)


def clause(chance: random.Random, depth: int) -> tuple[str, Any]:
    """Return a random condition, as text and as a Python function of an item."""
    if depth and chance.random() < 0.6:
        left, left_holds = clause(chance, depth - 1)
        right, right_holds = clause(chance, depth - 1)
        kind = chance.choice(["AND", "AND", "OR", "NOT"])
        if kind == "AND":
            return f"({left} AND {right})", lambda i: left_holds(i) and right_holds(i)
        if kind == "OR":
            return f"({left} OR {right})", lambda i: left_holds(i) or right_holds(i)
        return f"(NOT {left})", lambda i: not left_holds(i)
    return leaf(chance)


def leaf(chance: random.Random) -> tuple[str, Any]:
    """Return a random condition on one attribute."""
    name = chance.choice(["pk", "pk", "sk", "sk", "v", "a", "g"])
    kind = chance.choice(["=", "<", "<=", ">", ">=", "<>", "IN", "BETWEEN", "IS MISSING"])
    number = name in ("sk", "v")

    def value() -> Any:
        if number:
            return chance.randrange(8)
        return {"pk": "p", "a": "a", "g": ""}[name] + (
            chance.choice("xyz") if name == "g" else str(chance.randrange(5))
        )

    def held(item: dict[str, Any]) -> Any:
        got = item.get(name, {})
        if number:
            return int(got["N"]) if "N" in got else None
        return got.get("S")

    if kind == "IS MISSING":
        return f"{name} IS MISSING", lambda item: name not in item
    if kind == "IN":
        several = sorted({value(), value()}, key=str)
        listed = ", ".join(map(repr, several))
        return f"{name} IN [{listed}]", lambda item: held(item) in several
    if kind == "BETWEEN":
        low, high = sorted((value(), value()))
        return f"{name} BETWEEN {low!r} AND {high!r}", lambda item: (
            held(item) is not None and low <= held(item) <= high
        )
    constant = value()
    compare = {
        "=": lambda got: got == constant,
        "<>": lambda got: got != constant,  # also of no value, as in expressions
        "<": lambda got: got is not None and got < constant,
        "<=": lambda got: got is not None and got <= constant,
        ">": lambda got: got is not None and got > constant,
        ">=": lambda got: got is not None and got >= constant,
    }[kind]
    return f"{name} {kind} {constant!r}", lambda item: compare(held(item))


# ---- INSERT, UPDATE, DELETE ----------------------------------------------------------------------


def test_insert_makes_an_item_once(run: Execute) -> None:
    text = "INSERT INTO things VALUE {'pk': ?, 'sk': 1, 'tags': <<'x', 'y'>>}"
    answer = execute(run, text, "q", ReturnConsumedCapacity="TOTAL")
    assert answer == {"Items": [], "ConsumedCapacity": {"TableName": NAME, "CapacityUnits": 1.0}}
    assert run("GetItem", TableName=NAME, Key=thing("q", 1))["Item"]["tags"] == {"SS": ["x", "y"]}
    with pytest.raises(DuplicateItem, match=r"^Duplicate primary key exists in table$") as caught:
        execute(run, text, "q")
    assert caught.value.code == "DuplicateItemException"


# RETURNING gives the images that ReturnValues gives.
@pytest.mark.parametrize(
    ("returning", "wanted"),
    [
        ("", []),
        (" RETURNING ALL OLD *", [thing("q", 1, v=1, w=5)]),
        (" RETURNING ALL NEW *", [thing("q", 1, v=3, w=5)]),
        (" RETURNING MODIFIED OLD *", [{"v": {"N": "1"}}]),
        (" RETURNING MODIFIED NEW *", [{"v": {"N": "3"}}]),
    ],
)
def test_update_returns_the_image_asked_for(
    run: Execute, returning: str, wanted: list[Any]
) -> None:
    run("PutItem", TableName=NAME, Item=thing("q", 1, v=1, w=5))
    text = f"UPDATE things SET v = v + 2 WHERE pk = 'q' AND sk = 1 AND w = 5{returning}"
    assert rows(run, text) == wanted
    assert run("GetItem", TableName=NAME, Key=thing("q", 1))["Item"] == thing("q", 1, v=3, w=5)


# An update changes what is there: it does not make the item.
def test_update_needs_the_item(run: Execute) -> None:
    with pytest.raises(ConditionalCheckFailed, match=r"^The conditional request failed$"):
        execute(run, "UPDATE things SET v = 1 WHERE pk = 'q' AND sk = 1")
    run("PutItem", TableName=NAME, Item=thing("q", 1, v=1))
    text = "UPDATE things SET v = 2 WHERE pk = 'q' AND sk = 1 AND v > 5"
    with pytest.raises(ConditionalCheckFailed) as caught:
        execute(run, text, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert caught.value.item == thing("q", 1, v=1)


def test_update_changes_sets_lists_and_nested_values(run: Execute) -> None:
    execute(run, "INSERT INTO things VALUE {'pk': 'q', 'sk': 1, 'l': [1, 2], 'm': {'x': 1}, "
                 "'s': <<1, 2>>}")
    execute(run, "UPDATE things SET l = list_append(l, [3]) SET s = set_add(s, <<3>>) "
                 "SET m.y = ? REMOVE m.x WHERE pk = 'q' AND sk = 1", {"BOOL": True})
    execute(run, "UPDATE things REMOVE l[0] WHERE pk = 'q' AND sk = 1")
    (item,) = rows(run, "SELECT l, s, m FROM things WHERE pk = 'q' AND sk = 1")
    assert item["m"] == {"M": {"y": {"BOOL": True}}}
    assert sorted(item["s"]["NS"]) == ["1", "2", "3"]
    assert item["l"] == {"L": [{"N": "2"}, {"N": "3"}]}


# A delete of nothing succeeds, even with a condition.
def test_delete_takes_the_item_away(run: Execute) -> None:
    run("PutItem", TableName=NAME, Item=thing("q", 1, v=1))
    with pytest.raises(ConditionalCheckFailed):
        execute(run, "DELETE FROM things WHERE pk = 'q' AND sk = 1 AND v = 2")
    text = "DELETE FROM things WHERE pk = 'q' AND sk = 1 AND v = 1 RETURNING ALL OLD *"
    assert rows(run, text) == [thing("q", 1, v=1)]
    assert rows(run, text) == []
    assert rows(run, "SELECT * FROM things") == []


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parameters", "error", "words"),
    [
        ("SELECT * FROM absent", (), TableNotFound, "Requested resource not found"),
        ('SELECT * FROM things."no"', (), ValidationError,
         "The table does not have the specified index"),
        ("SELECT * FROM things WHERE pk = ?", (), ValidationError,
         "Number of parameters in request and statement don't match."),
        ("SELECT * FROM things WHERE pk = ?", ({"N": "x"},), ValidationError,
         "The parameter cannot be converted to a numeric value: x"),
        ("SELECT * FROM things WHERE pk = ''", (), ValidationError,
         "One or more parameter values are not valid. The AttributeValue for a key attribute "
         "cannot contain an empty string value. Key: pk"),
        ("SELECT * FROM things WHERE pk = 1", (), ValidationError,
         "Key attribute's data type should match its data type in table's schema: Key pk"),
        ("INSERT INTO things VALUE {'pk': 'q'}", (), ValidationError,
         "One or more parameter values were invalid: Missing the key sk in the item"),
        ("INSERT INTO things VALUE {'pk': 'q', 'sk': 1, 'g': 5}", (), ValidationError,
         "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S "
         "Actual: N IndexName: by_g"),
        ("UPDATE things SET v = 1 WHERE pk = 'q'", (), ValidationError,
         "Where clause does not contain a mandatory equality on all key attributes"),
        ("UPDATE things SET sk = 1 WHERE pk = 'q' AND sk = 1", (), ValidationError,
         "One or more parameter values were invalid: Cannot update attribute sk. This attribute "
         "is part of the key"),
    ],
)
def test_faults_have_the_services_words(
    run: Execute, text: str, parameters: tuple[Any, ...], error: type[Error], words: str
) -> None:
    run("PutItem", TableName=NAME, Item=thing("q", 1, v="text"))
    with pytest.raises(error) as caught:
        execute(run, text, *parameters)
    assert str(caught.value) == words


def test_a_wrong_operand_in_an_item_is_named(run: Execute) -> None:
    run("PutItem", TableName=NAME, Item=thing("q", 1, v="text"))
    with pytest.raises(ValidationError) as caught:
        execute(run, "UPDATE things SET v = v + 1 WHERE pk = 'q' AND sk = 1")
    assert str(caught.value) == "An operand in the update expression has an incorrect data type"


# ---- batches -------------------------------------------------------------------------------------


def member(text: str, *parameters: Any, **members: Any) -> dict[str, Any]:
    if parameters:
        members["Parameters"] = [typed(parameter) for parameter in parameters]
    return {"Statement": text, **members}


@pytest.mark.usefixtures("filled")
def test_a_batch_reads_items(run: Execute) -> None:
    answer = run(
        "BatchExecuteStatement",
        Statements=[
            member("SELECT v FROM things WHERE pk = 'p0' AND sk = ?", 3),
            member("SELECT v FROM things WHERE pk = 'p0' AND sk = 4", ConsistentRead=True),
            member("SELECT v FROM things WHERE pk = 'p0'"),
            member("SELECT v FROM absent WHERE pk = 'p0'"),
            member("SELECT v FRM things"),
        ],
        ReturnConsumedCapacity="TOTAL",
    )
    words = (
        "Select statements within BatchExecuteStatement must specify the primary key in the where "
        "clause."
    )
    responses = answer["Responses"]
    assert responses[:4] == [
        {"Item": {"v": {"N": "3"}}, "TableName": NAME},
        {"TableName": NAME},
        {"Error": {"Code": "ValidationError", "Message": words}, "TableName": NAME},
        {
            "Error": {"Code": "ResourceNotFound", "Message": "Requested resource not found"},
            "TableName": "absent",
        },
    ]
    assert responses[4]["Error"]["Code"] == "ValidationError"
    assert answer["ConsumedCapacity"] == [{"TableName": NAME, "CapacityUnits": 1.5}]


# A member whose condition fails costs the write it attempted, on the larger of the two images. That
# it asks for the item does nothing on the service.
def test_a_batch_writes_what_it_can(run: Execute) -> None:
    run("PutItem", TableName=NAME, Item=thing("q", 1, v=1))
    answer = run(
        "BatchExecuteStatement",
        Statements=[
            member("INSERT INTO things VALUE {'pk': 'q', 'sk': 2}"),
            member("INSERT INTO things VALUE {'pk': 'q', 'sk': 1, 'w': ?}", "x" * 2000),
            member(
                "UPDATE things SET v = 2 WHERE pk = 'q' AND sk = 1 AND v = 5",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ),
            member("DELETE FROM things WHERE pk = 'q' AND sk = 1 RETURNING ALL OLD *"),
        ],
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["Responses"] == [
        {"TableName": NAME},
        {
            "Error": {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"},
            "TableName": NAME,
        },
        {
            "Error": {
                "Code": "ConditionalCheckFailed",
                "Message": "The conditional request failed",
            },
            "TableName": NAME,
        },
        {"Item": thing("q", 1, v=1), "TableName": NAME},
    ]
    assert answer["ConsumedCapacity"] == [{"TableName": NAME, "CapacityUnits": 5.0}]
    assert rows(run, "SELECT * FROM things") == [thing("q", 2)]


def test_a_batch_without_success_has_no_capacity(run: Execute) -> None:
    text = "UPDATE things SET v = 1 WHERE pk = 'q' AND sk = 1"
    answer = run("BatchExecuteStatement", Statements=[member(text)],
                 ReturnConsumedCapacity="TOTAL")
    assert set(answer) == {"Responses"}


def test_a_batch_does_not_mix_reads_and_writes(run: Execute) -> None:
    with pytest.raises(ValidationError, match="both read and write operations"):
        run(
            "BatchExecuteStatement",
            Statements=[
                member("INSERT INTO things VALUE {'pk': 'q', 'sk': 2}"),
                member("SELECT * FROM things WHERE pk = 'q' AND sk = 2"),
            ],
        )
    assert rows(run, "SELECT * FROM things") == []


# ---- transactions --------------------------------------------------------------------------------


def test_a_transaction_writes_all_or_nothing(run: Execute) -> None:
    run("PutItem", TableName=NAME, Item=thing("q", 1, v=1))
    writes = [
        member("INSERT INTO things VALUE {'pk': 'q', 'sk': 2}"),
        member("UPDATE things SET w = 2 WHERE pk = 'q' AND sk = 1 AND v = ?", 1),
        member("EXISTS(SELECT * FROM things WHERE pk = 'q' AND sk = 3 AND v IS MISSING)"),
        member("DELETE FROM things WHERE pk = 'q' AND sk = 4"),
    ]
    answer = run("ExecuteTransaction", TransactStatements=writes, ReturnConsumedCapacity="TOTAL")
    assert answer == {
        "Responses": [{}, {}, {}, {}],
        "ConsumedCapacity": [
            {"TableName": NAME, "CapacityUnits": 8.0, "WriteCapacityUnits": 8.0}
        ],
    }
    assert rows(run, "SELECT * FROM things") == [thing("q", 1, v=1, w=2), thing("q", 2)]
    writes[1] = member(
        "UPDATE things SET w = 3 WHERE pk = 'q' AND sk = 1 AND v = 9",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    with pytest.raises(TransactionCanceled) as caught:
        run("ExecuteTransaction", TransactStatements=writes)
    assert str(caught.value) == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[DuplicateItem, ConditionalCheckFailed, None, None]"
    )
    assert caught.value.reasons == [
        {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"},
        {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": thing("q", 1, v=1, w=2),
        },
        {"Code": "None"},
        {"Code": "None"},
    ]
    assert rows(run, "SELECT w FROM things WHERE pk = 'q' AND sk = 1") == [{"w": {"N": "2"}}]


# A key that does not fit its table is the member's reason.
def test_a_bad_key_cancels_a_transaction(run: Execute) -> None:
    with pytest.raises(TransactionCanceled) as caught:
        run(
            "ExecuteTransaction",
            TransactStatements=[
                member("INSERT INTO things VALUE {'pk': 'q', 'sk': 2}"),
                member("UPDATE things SET v = 1 WHERE pk = 'q' AND sk = 'x'"),
            ],
        )
    assert caught.value.reasons == [
        {"Code": "None"},
        {
            "Code": "ValidationError",
            "Message": "The provided key element does not match the schema",
        },
    ]
    assert rows(run, "SELECT * FROM things") == []


def test_a_transaction_takes_an_item_once(run: Execute) -> None:
    words = "^Transaction request cannot include multiple operations on one item$"
    with pytest.raises(ValidationError, match=words):
        run(
            "ExecuteTransaction",
            TransactStatements=[
                member("INSERT INTO things VALUE {'pk': 'q', 'sk': 2}"),
                member("DELETE FROM things WHERE pk = 'q' AND sk = ?", {"N": "2.0"}),
            ],
        )


# A token seen before gives the first answer again, for the price of a read.
def test_a_transaction_with_a_known_token_is_not_done_again(run: Execute) -> None:
    run("PutItem", TableName=NAME, Item=thing("q", 1, v=1))
    request = {
        "TransactStatements": [
            member("UPDATE things SET v = v + 1 WHERE pk = 'q' AND sk = 1"),
        ],
        "ClientRequestToken": "once",
        "ReturnConsumedCapacity": "TOTAL",
    }
    first, second = run("ExecuteTransaction", **request), run("ExecuteTransaction", **request)
    assert rows(run, "SELECT v FROM things") == [{"v": {"N": "2"}}]
    assert first["ConsumedCapacity"][0]["WriteCapacityUnits"] == 2.0
    assert second["ConsumedCapacity"][0]["ReadCapacityUnits"] == 2.0
    request["TransactStatements"] = [member("DELETE FROM things WHERE pk = 'q' AND sk = 1")]
    with pytest.raises(IdempotentParameterMismatch):
        run("ExecuteTransaction", **request)


@pytest.mark.usefixtures("filled")
def test_a_transaction_reads_items(run: Execute) -> None:
    answer = run(
        "ExecuteTransaction",
        TransactStatements=[
            member("SELECT v FROM things WHERE pk = 'p0' AND sk = ?", 3),
            member("SELECT * FROM things WHERE pk = 'p0' AND sk = 4"),
        ],
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer == {
        "Responses": [{"Item": {"v": {"N": "3"}}}, {}],
        "ConsumedCapacity": [{"TableName": NAME, "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}],
    }
