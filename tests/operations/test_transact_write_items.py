"""TransactWriteItems: each action and member, all or nothing, tokens, costs, refusals."""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Hands, Refused, Run
from operations.requests import (
    ARN,
    CAPACITY_VALUES,
    EMPTY_VALUE,
    INVALID,
    KB,
    LEAST,
    METRICS_VALUES,
    MOST,
    NO_MATCH,
    NOT_FOUND,
    NOT_VALID,
    SERIALIZATION,
    broken,
    invalid,
    listed,
    missing,
    note,
    sized,
    song,
    values,
)

from hashrange.errors import TransactionCanceled

pytestmark = pytest.mark.usefixtures("made")
CANCELED = "Transaction cancelled, please refer cancellation reasons for specific reasons "
NONE = {"Code": "None"}
FALSE = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
EXISTS = "attribute_exists(artist)"
ABSENT = "attribute_not_exists(artist)"


def put(item: Any, **members: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "songs", "Item": item, **members}}


def update(key: Any, text: str = "SET v = :v", given: Any = None, **members: Any) -> dict[str, Any]:
    action = {"TableName": "songs", "Key": key, "UpdateExpression": text, **members}
    if given is None and ":v" in text:
        given = {"v": 1}
    if given:
        action["ExpressionAttributeValues"] = values(**given)
    return {"Update": action}


def delete(key: Any, **members: Any) -> dict[str, Any]:
    return {"Delete": {"TableName": "songs", "Key": key, **members}}


def check(key: Any, text: str = EXISTS, **members: Any) -> dict[str, Any]:
    action = {"TableName": "songs", "Key": key, "ConditionExpression": text, **members}
    return {"ConditionCheck": action}


def transact(run: Run, *actions: Any, **members: Any) -> dict[str, Any]:
    return run("TransactWriteItems", TransactItems=[*actions], **members)


def canceled(run: Run, *actions: Any) -> list[dict[str, Any]]:
    """Return the reasons of a transaction that is canceled and changes nothing."""
    before = items(run)
    with pytest.raises(TransactionCanceled) as caught:
        transact(run, *actions)
    reasons = caught.value.reasons
    assert str(caught.value) == f"{CANCELED}[{', '.join(reason['Code'] for reason in reasons)}]"
    assert caught.value.code == "TransactionCanceledException"
    assert items(run) == before
    return reasons


def items(run: Run) -> list[Any]:
    return sorted(run("Scan", TableName="songs")["Items"], key=repr)


# ---- the actions ---------------------------------------------------------------------------------


# API: Put, Update, Delete and ConditionCheck, of several tables, in one go.
def test_all_actions_are_carried_out(run: Run) -> None:
    transact(run, put(song(track=1, v=1)), put(song(track=2)), put(song(track=3)))
    answer = transact(
        run,
        put(song(track=4), ConditionExpression=ABSENT),
        update(song(track=1), "SET v = v + :v", ConditionExpression="v = :v"),
        delete(song(track=2), ConditionExpression=EXISTS),
        check(song(track=3)),
        update(song(track=5), "SET title = :t", {"t": "new"}),
        {"Put": {"TableName": "notes", "Item": note("a")}},
    )
    assert answer == {}
    assert items(run) == [
        song(track=1, v=2), song(track=3), song(track=4), song(track=5, title="new")
    ]
    assert run("Scan", TableName="notes")["Items"] == [note("a")]
    assert run("Scan", TableName="songs", IndexName="by_title")["Count"] == 1


# API: one reason for each action, in their order; those that would have passed have the code None.
def test_one_false_condition_cancels_all(run: Run) -> None:
    transact(run, put(song(track=1, v=1)))
    reasons = canceled(
        run,
        put(song(track=2)),
        put(song(track=1), ConditionExpression=ABSENT),
        check(song(track=3)),
        update(song(track=4), ConditionExpression=EXISTS),
        delete(song(track=5), ConditionExpression=EXISTS),
    )
    assert reasons == [NONE, FALSE, FALSE, FALSE, FALSE]


# API: ReturnValuesOnConditionCheckFailure shows the item, if there is one.
@pytest.mark.parametrize("asked", [None, "NONE", "ALL_OLD"])
def test_a_reason_shows_the_item_if_asked(run: Run, asked: Any) -> None:
    transact(run, put(song(track=1, v=1)))
    members = {"ReturnValuesOnConditionCheckFailure": asked}
    shown = {**FALSE, "Item": song(track=1, v=1)} if asked == "ALL_OLD" else FALSE
    for action in (
        put(song(track=1), ConditionExpression=ABSENT, **members),
        update(song(track=1), ConditionExpression=ABSENT, **members),
        delete(song(track=1), ConditionExpression=ABSENT, **members),
        check(song(track=1), ABSENT, **members),
    ):
        assert canceled(run, action, check(song(track=9), EXISTS, **members)) == [shown, FALSE]


# A fault of an action, not of the request, stands in its reason.
@pytest.mark.parametrize(
    ("action", "words"),
    [
        (put({"artist": {"S": "ada"}}), INVALID + "Missing the key track in the item"),
        (
            put(song(track="1")),
            INVALID + "Type mismatch for key track expected: N actual: S",
        ),
        (
            put(song(title=1)),
            INVALID + "Type mismatch for Index Key title Expected: S Actual: N IndexName: by_title",
        ),
        (update(song(x=1)), NO_MATCH),
        (delete({"artist": {"S": "ada"}}), NO_MATCH),
        (check(song(track="1")), NO_MATCH),
        (
            update(song(), "SET v = absent"),
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            update(song(), "SET absent.v = :v"),
            "The document path provided in the update expression is invalid for update",
        ),
        (
            update(song(), "ADD artist :v"),
            INVALID + "Cannot update attribute artist. This attribute is part of the key",
        ),
        (
            update(song("big"), "SET v = :v", {"v": "x" * 2 * KB}),
            "Item size to update has exceeded the maximum allowed size",
        ),
    ],
)
def test_a_fault_of_an_action_cancels(run: Run, action: Any, words: str) -> None:
    run("PutItem", TableName="songs", Item=sized(399 * KB, song("big")))
    reason = {"Code": "ValidationError", "Message": words}
    assert canceled(run, put(song("other")), action) == [NONE, reason]


# What is wrong with the request is no reason.
@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (
            [{}],
            "The action or operation requested is invalid. Verify that the action is typed "
            "correctly.",
        ),
        (
            [{**put(song()), **delete(song(track=2))}],
            "TransactItems can only contain one of Check, Put, Update or Delete",
        ),
        (
            [put(song()), delete(song(track={"N": "1.0"}))],
            "Transaction request cannot include multiple operations on one item",
        ),
        (
            [check(song()), update(song())],
            "Transaction request cannot include multiple operations on one item",
        ),
        (
            [put(song(""))],
            NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string "
            "value. Key: artist",
        ),
        ([put(song(v={}))], EMPTY_VALUE),
        ([put(song(v={"SS": []}))], INVALID + "An string set  may not be empty"),
        (
            [put(song(v={"N": "x"}))],
            "The parameter cannot be converted to a numeric value: x",
        ),
        ([put(sized(400 * KB + 1, song()))], "Item size has exceeded the maximum allowed size"),
        (
            [put(song(), ConditionExpression="")],
            "Invalid ConditionExpression: The expression can not be empty;",
        ),
        (
            [update(song(), "SET")],
            'Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "SET"',
        ),
        (
            [update(song(), "SET a = :a")],
            "Invalid UpdateExpression: An expression attribute value used in expression is not "
            "defined; attribute value: :a",
        ),
        (
            [check(song(), EXISTS, ExpressionAttributeValues=values(v=1))],
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}",
        ),
    ],
)
def test_a_fault_of_the_request_is_told_alone(
    refused: Refused, actions: Any, words: str
) -> None:
    request = [put(song("other")), *actions]
    assert refused("TransactWriteItems", TransactItems=request) == invalid(words)


def test_a_table_that_is_not_there(run: Run, refused: Refused) -> None:
    actions = [put(song()), {"Delete": {"TableName": "nowhere", "Key": song()}}]
    assert refused("TransactWriteItems", TransactItems=actions) == NOT_FOUND
    answer = transact(run, put(song(), TableName=ARN + "songs"), ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == [
        {"TableName": ARN + "songs", "CapacityUnits": 2.0, "WriteCapacityUnits": 2.0}
    ]


# ---- the form of the request ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("transactItems")),
        ({"TransactItems": []}, listed(broken("[]", "transactItems", LEAST + "1"))),
        ({"TransactItems": [None]}, missing("transactItems.1.member")),
        (
            {"TransactItems": [{"Put": {}}]},
            missing("transactItems.1.member.put.tableName", "transactItems.1.member.put.item"),
        ),
        (
            {"TransactItems": [{"Update": {}}]},
            missing(
                "transactItems.1.member.update.tableName",
                "transactItems.1.member.update.key",
                "transactItems.1.member.update.updateExpression",
            ),
        ),
        (
            {"TransactItems": [{"Delete": {"TableName": "songs"}}]},
            missing("transactItems.1.member.delete.key"),
        ),
        (
            {"TransactItems": [{"ConditionCheck": {"TableName": "songs", "Key": song()}}]},
            missing("transactItems.1.member.conditionCheck.conditionExpression"),
        ),
        (
            {
                "TransactItems": [put(song(), ReturnValuesOnConditionCheckFailure="x")],
                "ClientRequestToken": "x" * 37,
                "ReturnConsumedCapacity": "x",
                "ReturnItemCollectionMetrics": "x",
            },
            listed(
                broken("x" * 37, "clientRequestToken", MOST + "36"),
                broken("x", "returnConsumedCapacity", CAPACITY_VALUES),
                broken("x", "returnItemCollectionMetrics", METRICS_VALUES),
                broken(
                    "x",
                    "transactItems.1.member.put.returnValuesOnConditionCheckFailure",
                    "Member must satisfy enum value set: [ALL_OLD, NONE]",
                ),
            ),
        ),
        (
            {"TransactItems": [put(song())], "ClientRequestToken": ""},
            listed(broken("", "clientRequestToken", LEAST + "1")),
        ),
        ({"TransactItems": {}}, (SERIALIZATION, "Start of structure or map found where not "
                                                "expected")),
        (
            {"TransactItems": [put({"artist": 1})]},
            (SERIALIZATION, "Unexpected value type in payload"),
        ),
    ],
)
def test_a_request_of_another_form_is_refused(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("TransactWriteItems", **request_) == answer


@pytest.mark.parametrize("count", [100, 101])
def test_a_transaction_has_100_actions(run: Run, refused: Refused, count: int) -> None:
    actions = [put(song("a", number)) for number in range(count)]
    if count == 100:
        transact(run, *actions)
        assert len(items(run)) == 100
    else:
        code, words = refused("TransactWriteItems", TransactItems=actions)
        assert code == "ValidationException"
        assert words.endswith(
            f"' at 'transactItems' failed to satisfy constraint: {MOST}100"
        )


# ---- ClientRequestToken --------------------------------------------------------------------------


# API: within ten minutes a request with a known token is not carried out again; with another
# request it is refused. A replay costs what reading costs.
def test_a_token_is_good_for_one_request(run: Run, refused: Refused, hands: Hands) -> None:
    def once(text: str) -> dict[str, Any]:
        return transact(
            run, update(song(), text), ClientRequestToken="t" * 36, ReturnConsumedCapacity="TOTAL"
        )

    for kind in ("Write", "Read", "Read"):
        assert once("ADD v :v")["ConsumedCapacity"] == [
            {"TableName": "songs", "CapacityUnits": 2.0, f"{kind}CapacityUnits": 2.0}
        ]
    assert items(run) == [song(v=1)]
    other = {"TransactItems": [delete(song())], "ClientRequestToken": "t" * 36}
    code, _ = refused("TransactWriteItems", **other)
    assert code == "IdempotentParameterMismatchException"
    hands.wait(599)
    once("ADD v :v")
    assert items(run) == [song(v=1)]
    hands.wait(2)
    once("ADD v :v")
    assert items(run) == [song(v=2)]


# A canceled transaction has done nothing that a token could stand for.
def test_a_canceled_transaction_may_be_tried_again(run: Run) -> None:
    request = {"TransactItems": [check(song()), put(song(track=2))], "ClientRequestToken": "t"}
    with pytest.raises(TransactionCanceled):
        run("TransactWriteItems", **request)
    run("PutItem", TableName="songs", Item=song())
    run("TransactWriteItems", **request)
    assert items(run) == [song(), song(track=2)]


# ---- ReturnConsumedCapacity, ReturnItemCollectionMetrics -----------------------------------------


def used(table: float, name: str = "songs", **arms: float) -> dict[str, Any]:
    """Return an entry of ConsumedCapacity, as INDEXES has it."""
    total = table + sum(arms.values())
    answer: dict[str, Any] = {
        "TableName": name, "CapacityUnits": total, "WriteCapacityUnits": total,
        "Table": {"CapacityUnits": table, "WriteCapacityUnits": table},
    }
    for index, cost in arms.items():
        member = "LocalSecondaryIndexes" if index == "by_title" else "GlobalSecondaryIndexes"
        answer.setdefault(member, {})[index] = {"CapacityUnits": cost}
    return answer


# Guide: twice what each write costs alone; entries of indexes cost the same in a transaction.
@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        (put(song(track=2)), used(2.0)),
        (put(sized(KB + 1, song(track=2))), used(4.0)),
        (put(song(track=1)), used(6.0)),
        (put(song(track=2, title="t", genre="g", released=1)),
         used(2.0, by_title=1.0, by_genre=1.0)),
        (update(song(track=1)), used(8.0)),
        (update(song(track=2)), used(2.0)),
        (delete(song(track=1)), used(6.0)),
        (delete(song(track=2)), used(2.0)),
        (check(song(track=1)), used(6.0)),
        (check(song(track=2), ABSENT), used(2.0)),
    ],
)
def test_an_action_costs_twice_the_write(run: Run, action: Any, wanted: Any) -> None:
    run("PutItem", TableName="songs", Item=sized(3 * KB, song(track=1)))
    answer = transact(run, action, ReturnConsumedCapacity="INDEXES")
    assert answer == {"ConsumedCapacity": [wanted]}


def test_tables_are_charged_apart(run: Run) -> None:
    actions = [put(song()), {"Put": {"TableName": "notes", "Item": note("a")}}, put(song("bob"))]
    answer = transact(run, *actions, ReturnConsumedCapacity="INDEXES")
    assert answer["ConsumedCapacity"] == [used(4.0), used(2.0, "notes")]
    assert transact(run, *actions, ReturnConsumedCapacity="NONE") == {}


def test_metrics_are_of_each_collection(run: Run) -> None:
    actions = [
        put(song()), delete(song(track=2)), update(song("bob")),
        {"Put": {"TableName": "notes", "Item": note("a")}},
    ]
    answer = transact(run, *actions, ReturnItemCollectionMetrics="SIZE")
    assert answer == {
        "ItemCollectionMetrics": {
            "songs": [
                {"ItemCollectionKey": {"artist": {"S": name}}, "SizeEstimateRangeGB": [0.0, 1.0]}
                for name in ("ada", "bob")
            ]
        }
    }
