"""Query and Scan through `execute`: tables and indexes, bounds, filters, projections, pages."""

from __future__ import annotations

import random
from typing import Any

import pytest
from execute.conftest import Execute, table, thing

import hashrange

NAME = "things"
COUNT = 60


@pytest.fixture(autouse=True)
def made(run: Execute) -> None:
    run("CreateTable", **table())
    for number in range(COUNT):
        item = thing(f"p{number % 3}", number, g="even" if number % 2 == 0 else "odd", v=number)
        if number % 5 == 0:
            item["a"] = {"S": f"a\x00{number:03d}"}
        run("PutItem", TableName=NAME, Item=item)


def query(run: Execute, keys: str, values: dict[str, Any], **members: Any) -> dict[str, Any]:
    typed = {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in values.items()
    }
    return run(
        "Query", TableName=NAME, KeyConditionExpression=keys, ExpressionAttributeValues=typed,
        **members,
    )


def numbers(answer: dict[str, Any]) -> list[int]:
    return [int(item["sk"]["N"]) for item in answer["Items"]]


# The same bounds through a global index with a range key: keys there are parts in one.
@pytest.mark.parametrize(
    ("condition", "values", "wanted"),
    [
        ("g = :g", {}, range(0, 60, 2)),
        ("g = :g AND sk = :x", {":x": 30}, [30]),
        ("g = :g AND sk < :x", {":x": 10}, range(0, 10, 2)),
        ("g = :g AND sk <= :x", {":x": 10}, range(0, 11, 2)),
        ("g = :g AND sk > :x", {":x": 50}, range(52, 60, 2)),
        ("g = :g AND sk >= :x", {":x": 50}, range(50, 60, 2)),
        ("g = :g AND sk BETWEEN :x AND :y", {":x": 7, ":y": 12}, [8, 10, 12]),
    ],
)
def test_query_of_an_index_keeps_to_its_bounds(
    run: Execute, condition: str, values: dict[str, Any], wanted: Any
) -> None:
    answer = query(run, condition, {":g": "even", **values}, IndexName="by_g_sk")
    assert numbers(answer) == list(wanted)
    back = query(
        run, condition, {":g": "even", **values}, IndexName="by_g_sk", ScanIndexForward=False
    )
    assert numbers(back) == list(wanted)[::-1]


# Pages of any size, on table and indexes, add up to the whole, in order, nothing twice.
@pytest.mark.parametrize("limit", [1, 2, 7, 60, 61])
@pytest.mark.parametrize("index", [None, "by_g", "by_g_sk"])
@pytest.mark.parametrize("forward", [True, False])
def test_pages_add_up(run: Execute, limit: int, index: str | None, forward: bool) -> None:
    members: dict[str, Any] = {"ScanIndexForward": forward}
    condition, values = "pk = :p", {":p": "p1"}
    if index is not None:
        members["IndexName"] = index
        condition, values = "g = :p", {":p": "odd"}
    whole = numbers(query(run, condition, values, **members))
    found: list[int] = []
    start: dict[str, Any] = {}
    while True:
        page = query(run, condition, values, Limit=limit, **members, **start)
        assert page["ScannedCount"] == page["Count"] <= limit
        found += numbers(page)
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert found == whole
    assert len(whole) == len(set(whole)) > 0


@pytest.mark.parametrize("index", [None, "by_a", "by_g", "by_g_sk"])
def test_scans_in_segments_add_up(run: Execute, index: str | None) -> None:
    members = {} if index is None else {"IndexName": index}
    whole = run("Scan", TableName=NAME, **members)
    assert whole["Count"] == (12 if index == "by_a" else 60)
    found = []
    for segment in range(4):
        start: dict[str, Any] = {}
        while True:
            page = run(
                "Scan", TableName=NAME, Segment=segment, TotalSegments=4, Limit=3,
                **members, **start,
            )
            found += numbers(page)
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert sorted(found) == sorted(numbers(whole))


# A filter of an index sees what the index projects: v in by_g_sk, and not a.
def test_a_filter_sees_what_the_index_projects(run: Execute) -> None:
    answer = query(
        run, "g = :g", {":g": "even", ":v": 4}, IndexName="by_g_sk",
        FilterExpression="attribute_not_exists(a) AND v = :v",
    )
    assert numbers(answer) == [4]
    absent = query(
        run, "g = :g", {":g": "even"}, IndexName="by_g_sk",
        FilterExpression="attribute_exists(a)",
    )
    assert (absent["Count"], absent["ScannedCount"]) == (0, 30)


# What a page counts, and where it ends, does not depend on the filter: 3 MB of items, of sizes that
# end pages at odd places, read by pages and by limits.
@pytest.mark.parametrize("limit", [None, 1, 700, 5000])
@pytest.mark.parametrize("condition", ["v = :v", "v < :v", "v >= :v", "contains(w, :v)"])
def test_filtered_pages_count_what_is_there(
    run: Execute, condition: str, limit: int | None
) -> None:
    seed = random.randrange(1 << 32)
    choose = random.Random(seed)
    for start in range(0, 4000, 25):
        run("BatchWriteItem", RequestItems={NAME: [
            {"PutRequest": {"Item": {**thing(f"q{number % 501}", number, v=number % 50),
                                     "w": {"S": "w" * choose.randrange(1500)}}}}
            for number in range(start, start + 25)
        ]})
    members: dict[str, Any] = {} if limit is None else {"Limit": limit}
    starts: list[dict[str, Any]] = [{}]
    for _ in range(12):
        plain = run("Scan", TableName=NAME, **members, **starts[-1])
        found = run("Scan", TableName=NAME, FilterExpression=condition,
                    ExpressionAttributeValues={":v": {"N": "7"}}, **members, **starts[-1])
        assert found["ScannedCount"] == plain["Count"], seed
        assert found.get("LastEvaluatedKey") == plain.get("LastEvaluatedKey"), seed
        wanted = [item for item in plain["Items"] if {
            "v = :v": int(item["v"]["N"]) == 7, "v < :v": int(item["v"]["N"]) < 7,
            "v >= :v": int(item["v"]["N"]) >= 7,
        }.get(condition, False)]
        assert found["Items"] == wanted, seed
        if "LastEvaluatedKey" not in plain:
            break
        starts.append({"ExclusiveStartKey": plain["LastEvaluatedKey"]})


# Every index says what the table says, after any writes; so it does after a reopening.
def test_indexes_follow_the_table(db: hashrange.Database, run: Execute) -> None:
    dice = random.Random(7)
    items: dict[tuple[str, int], dict[str, Any]] = {}
    for answer in (run("Scan", TableName=NAME),):
        for item in answer["Items"]:
            items[item["pk"]["S"], int(item["sk"]["N"])] = item
    native = db.table(NAME)
    for turn in range(400):
        pk, sk = f"p{dice.randrange(3)}", dice.randrange(40)
        item = thing(pk, sk, v=turn)
        for name in ("a", "g"):
            if dice.random() < 0.6:
                item[name] = {"S": dice.choice(("x", "y", "\x00", "x\x00y", "xy"))}
        choice = dice.random()
        if choice < 0.4:
            run("PutItem", TableName=NAME, Item=item)
            items[pk, sk] = item
        elif choice < 0.55:
            run("DeleteItem", TableName=NAME, Key=thing(pk, sk))
            items.pop((pk, sk), None)
        elif choice < 0.7:
            value = dice.choice(("x", "z"))
            run(
                "UpdateItem", TableName=NAME, Key=thing(pk, sk), UpdateExpression="SET g = :g",
                ExpressionAttributeValues={":g": {"S": value}},
            )
            items[pk, sk] = {**items.get((pk, sk), thing(pk, sk)), "g": {"S": value}}
        elif choice < 0.85:
            native.put({"pk": pk, "sk": sk, "g": "native", "a": "n"})
            items[pk, sk] = thing(pk, sk, g="native", a="n")
        else:
            with native.batch() as batch:
                for number in range(3):
                    batch.put({"pk": pk, "sk": number, "g": f"batch{number}"})
                    items[pk, number] = thing(pk, number, g=f"batch{number}")
                batch.put({"pk": pk, "sk": 1, "a": "twice"})
                batch.delete(pk, 0)
            items[pk, 1] = thing(pk, 1, a="twice")
            items.pop((pk, 0), None)
    check_indexes(run, items)
    path = db.engine.path
    if path is not None:
        db.close()
        with hashrange.open(path) as again:
            check_indexes(lambda operation, **request: again.execute(operation, request), items)


def check_indexes(run: Execute, items: dict[tuple[str, int], dict[str, Any]]) -> None:
    for index, names in (("by_a", ("a",)), ("by_g", ("g",)), ("by_g_sk", ("g",))):
        wanted = {where for where, item in items.items() if all(name in item for name in names)}
        answer = run("Scan", TableName=NAME, IndexName=index)
        found = [(item["pk"]["S"], int(item["sk"]["N"])) for item in answer["Items"]]
        assert sorted(found) == sorted(wanted)
        if index == "by_g":
            assert all(
                items[where] == item for where, item in zip(found, answer["Items"], strict=True)
            )


# An index that is added gets the entries of what is there, and goes with all of them.
def test_an_index_is_added_and_dropped(run: Execute) -> None:
    run(
        "UpdateTable", TableName=NAME,
        AttributeDefinitions=[{"AttributeName": "v", "AttributeType": "N"}],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "by_v",
                    "KeySchema": [{"AttributeName": "v", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            }
        ],
    )
    described = run("DescribeTable", TableName=NAME)["Table"]["GlobalSecondaryIndexes"]
    (new,) = [index for index in described if index["IndexName"] == "by_v"]
    assert (new["IndexStatus"], new["ItemCount"]) == ("ACTIVE", 60)
    answer = query(run, "v = :v", {":v": 33}, IndexName="by_v")
    assert numbers(answer) == [33]
    run(
        "UpdateTable", TableName=NAME,
        GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by_v"}}],
    )
    with pytest.raises(hashrange.ValidationError):
        query(run, "v = :v", {":v": 33}, IndexName="by_v")


# An item that was there before the index, with an attribute of another type, has no entry and can
# be updated; only a change of that attribute is refused.
def test_an_item_that_cannot_be_indexed_can_be_updated(run: Execute) -> None:
    run("PutItem", TableName=NAME, Item=thing("odd", 1, late="text"))
    run(
        "UpdateTable", TableName=NAME,
        AttributeDefinitions=[{"AttributeName": "late", "AttributeType": "N"}],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "by_late",
                    "KeySchema": [{"AttributeName": "late", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            }
        ],
    )

    def update(expression: str, value: dict[str, str]) -> None:
        run(
            "UpdateItem", TableName=NAME, Key=thing("odd", 1), UpdateExpression=expression,
            ExpressionAttributeValues={":v": value},
        )

    update("SET v = :v", {"N": "1"})
    with pytest.raises(hashrange.ValidationError, match="Type mismatch for Index Key late"):
        update("SET late = :v", {"S": "other"})
    update("SET late = :v", {"N": "7"})
    assert query(run, "late = :v", {":v": 7}, IndexName="by_late")["Count"] == 1
