"""UpdateItem: each member of the request, what is changed, what it costs, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from operations.conftest import Refused, Run
from operations.requests import (
    ARN,
    CAPACITY_VALUES,
    EMPTY_VALUE,
    FAILED,
    INVALID,
    KB,
    METRICS_VALUES,
    MIXED,
    NO_MATCH,
    NOT_FOUND,
    NOT_VALID,
    broken,
    enveloped,
    equals,
    invalid,
    listed,
    missing,
    note,
    shown,
    sized,
    song,
    values,
)

import hashrange

pytestmark = pytest.mark.usefixtures("made")
ABSENT = "The provided expression refers to an attribute that does not exist in the item"
OPERAND = "An operand in the update expression has an incorrect data type"
PATH = "The document path provided in the update expression is invalid for update"
MISMATCH = "Type mismatch for attribute to update"
OVERFLOW = (
    "Number overflow. Attempting to store a number with magnitude larger than supported range"
)


def put(run: Run, item: Any) -> None:
    run("PutItem", TableName="songs", Item=item)


def request_of(text: str | None, given: dict[str, Any] | None = None, **members: Any) -> Any:
    """Return an UpdateItem request. given: its values by their tokens without colon."""
    request = {"TableName": "songs", "Key": song(), **members}
    if text is not None:
        request["UpdateExpression"] = text
    if given:
        request["ExpressionAttributeValues"] = values(**given)
    return request


def update(run: Run, text: str | None, given: Any = None, **members: Any) -> dict[str, Any]:
    return run("UpdateItem", **request_of(text, given, **members))


def found(run: Run) -> Any:
    return run("GetItem", TableName="songs", Key=song()).get("Item")


# ---- UpdateExpression ----------------------------------------------------------------------------

OLD = song(
    n=5, s="text", l={"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]},
    m={"M": {"a": {"N": "1"}, "d": {"M": {"e": {"N": "2"}}}}},
    ss={"SS": ["a", "b"]}, ns={"NS": ["1", "2"]},
)


# Guide: the four sections; reads see the item as it was before the update.
@pytest.mark.parametrize(
    ("text", "given", "changed"),
    [
        ("SET n = :v", {"v": 6}, {"n": 6}),
        ("SET fresh = :v", {"v": "x"}, {"fresh": "x"}),
        ("SET n = s, s = n", None, {"n": "text", "s": 5}),
        ("SET n = n + :v", {"v": 1}, {"n": 6}),
        ("SET n = n - :v", {"v": {"N": "0.5"}}, {"n": {"N": "4.5"}}),
        ("SET n = :v - n", {"v": 1}, {"n": -4}),
        ("SET n = m.a + l[2]", None, {"n": 4}),
        ("SET n = if_not_exists(n, :v)", {"v": 9}, {}),
        ("SET w = if_not_exists(absent, :v)", {"v": 9}, {"w": 9}),
        ("SET w = if_not_exists(absent, :v) + :v", {"v": 9}, {"w": 18}),
        ("SET w = if_not_exists(absent, n)", None, {"w": 5}),
        (
            "SET w = list_append(l, :v)",
            {"v": {"L": [{"S": "x"}]}},
            {"w": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}, {"S": "x"}]}},
        ),
        (
            "SET w = list_append(:v, l)",
            {"v": {"L": [{"S": "x"}]}},
            {"w": {"L": [{"S": "x"}, {"N": "1"}, {"N": "2"}, {"N": "3"}]}},
        ),
        (
            "SET w = list_append(if_not_exists(absent, :e), :v)",
            {"e": {"L": []}, "v": {"L": [{"S": "x"}]}},
            {"w": {"L": [{"S": "x"}]}},
        ),
        ("SET l[1] = :v", {"v": "x"}, {"l": {"L": [{"N": "1"}, {"S": "x"}, {"N": "3"}]}}),
        # Beyond its end a list grows by one.
        (
            "SET l[9] = :v",
            {"v": "x"},
            {"l": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}, {"S": "x"}]}},
        ),
        (
            "SET l[9] = :w, l[7] = :v",
            {"v": "x", "w": "y"},
            {"l": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}, {"S": "x"}, {"S": "y"}]}},
        ),
        (
            "SET m.d.e = :v, m.b = :v",
            {"v": 7},
            {"m": {"M": {"a": {"N": "1"}, "d": {"M": {"e": {"N": "7"}}}, "b": {"N": "7"}}}},
        ),
        ("REMOVE n, absent", None, {"n": None}),
        ("REMOVE m.d", None, {"m": {"M": {"a": {"N": "1"}}}}),
        ("REMOVE m.absent", None, {}),
        # Elements that follow a removed one move up; all are removed as they were before.
        ("REMOVE l[0], l[1]", None, {"l": {"L": [{"N": "3"}]}}),
        ("REMOVE l[7]", None, {}),
        ("ADD n :v", {"v": 2}, {"n": 7}),
        ("ADD n :v", {"v": -5}, {"n": 0}),
        ("ADD fresh :v", {"v": 2}, {"fresh": 2}),
        ("ADD fresh :v", {"v": {"SS": ["x"]}}, {"fresh": {"SS": ["x"]}}),
        ("ADD ss :v", {"v": {"SS": ["b", "c"]}}, {"ss": {"SS": ["a", "b", "c"]}}),
        ("ADD ns :v", {"v": {"NS": ["2.0", "3"]}}, {"ns": {"NS": ["1", "2", "3"]}}),
        ("ADD m.a :v", {"v": 1}, {"m": {"M": {"a": {"N": "2"}, "d": {"M": {"e": {"N": "2"}}}}}}),
        ("DELETE ss :v", {"v": {"SS": ["a", "x"]}}, {"ss": {"SS": ["b"]}}),
        # A set that would be empty goes.
        ("DELETE ss :v", {"v": {"SS": ["a", "b"]}}, {"ss": None}),
        ("DELETE absent :v", {"v": {"SS": ["a"]}}, {}),
        ("SET n = :v REMOVE s ADD fresh :v DELETE ns :d", {"v": 1, "d": {"NS": ["1"]}},
         {"n": 1, "s": None, "fresh": 1, "ns": {"NS": ["2"]}}),
        ("set n = :v remove s", {"v": 1}, {"n": 1, "s": None}),
    ],
)
def test_an_update_changes_what_it_names(run: Run, text: str, given: Any, changed: Any) -> None:
    put(run, OLD)
    update(run, text, given)
    wanted = {**OLD, **song(**changed)}
    wanted = {name: value for name, value in wanted.items() if changed.get(name, 0) is not None}
    assert ordered(found(run)) == ordered(wanted)


def ordered(item: Any) -> Any:
    """Return an item with its sets in order."""
    return {
        name: {kind: sorted(inner) if kind in ("SS", "NS") else inner}
        for name, value in item.items()
        for kind, inner in value.items()
    }


@pytest.mark.parametrize(
    ("text", "given", "words"),
    [
        ("SET n = absent", None, ABSENT),
        ("SET n = absent + :v", {"v": 1}, ABSENT),
        ("SET n = list_append(absent, :v)", {"v": {"L": []}}, ABSENT),
        ("SET n = m.absent", None, ABSENT),
        ("SET n = n + s", None, OPERAND),
        ("SET n = s - :v", {"v": 1}, OPERAND),
        ("SET n = list_append(n, :v)", {"v": {"L": []}}, OPERAND),
        ("ADD s :v", {"v": 1}, OPERAND),
        ("ADD n :v", {"v": {"SS": ["x"]}}, OPERAND),
        ("ADD ss :v", {"v": {"NS": ["1"]}}, OPERAND),
        ("ADD l :v", {"v": 1}, OPERAND),
        ("DELETE n :v", {"v": {"SS": ["x"]}}, OPERAND),
        ("DELETE ss :v", {"v": {"NS": ["1"]}}, OPERAND),
        ("SET absent.a = :v", {"v": 1}, PATH),
        ("SET n.a = :v", {"v": 1}, PATH),
        ("SET m[0] = :v", {"v": 1}, PATH),
        ("SET l.a = :v", {"v": 1}, PATH),
        ("SET absent[0] = :v", {"v": 1}, PATH),
        ("REMOVE absent.a", None, PATH),
        ("REMOVE m[0]", None, PATH),
        ("ADD absent.a :v", {"v": 1}, PATH),
        ("SET n = n + :v", {"v": {"N": "9.9e125"}}, None),
        ("SET artist = :v", {"v": "x"}, None),
        ("REMOVE track", None, None),
        ("ADD track :v", {"v": 1}, None),
        ("SET artist = artist", None, None),
    ],
)
def test_an_update_that_does_not_fit_the_item_is_refused(
    run: Run, refused: Refused, text: str, given: Any, words: str | None
) -> None:
    put(run, {**OLD, "n": {"N": "9e125"}} if words is None else OLD)
    name = "artist" if "artist" in text else "track"
    if words is None and "n = n" in text:
        words = OVERFLOW
    elif words is None:
        words = f"{INVALID}Cannot update attribute {name}. This attribute is part of the key"
    assert refused("UpdateItem", **request_of(text, given)) == invalid(words)


LINE = "Invalid UpdateExpression: "
OVERLAP = (
    "Two document paths overlap with each other; must remove or rewrite one of these paths; path "
    "one: [%s], path two: [%s]"
)
TYPES = "Incorrect operand type for operator or function; "


# Before the table is looked for.
@pytest.mark.parametrize(
    ("text", "given", "words"),
    [
        ("", None, "The expression can not be empty;"),
        ("SET", None, 'Syntax error; token: "<EOF>", near: "SET"'),
        ("SET a", None, 'Syntax error; token: "<EOF>", near: "a"'),
        ("PUT a = b", None, 'Syntax error; token: "PUT", near: "PUT a"'),
        ("SET a = b,", None, 'Syntax error; token: "<EOF>", near: ","'),
        ("SET a = b + c + d", None, 'Syntax error; token: "+", near: "c + d"'),
        ("SET a = b SET c = d", None,
         'The "SET" section can only be used once in an update expression;'),
        ("REMOVE a REMOVE b", None,
         'The "REMOVE" section can only be used once in an update expression;'),
        ("SET a = b, a = c", None, OVERLAP % ("a", "a")),
        ("SET a = b REMOVE a.c", None, OVERLAP % ("a", "a, c")),
        ("SET a[0] = b, a[0].c = d", None, OVERLAP % ("a, [0]", "a, [0], c")),
        ("SET a.b = c, a[0] = d", None,
         "Two document paths conflict with each other; must remove or rewrite one of these paths; "
         "path one: [a, b], path two: [a, [0]]"),
        ("SET name = a", None, "Attribute name is a reserved keyword; reserved keyword: name"),
        ("SET a = :v", None,
         "An expression attribute value used in expression is not defined; attribute value: :v"),
        ("SET #a = b", None,
         "An expression attribute name used in the document path is not defined; attribute name: "
         "#a"),
        ("SET a = size(b)", None, "Invalid function name; function: size"),
        ("SET a = attribute_exists(b)", None,
         "Invalid function name; function: attribute_exists"),
        ("SET a = if_not_exists(b)", None,
         "Incorrect number of operands for operator or function; operator or function: "
         "if_not_exists, number of operands: 1"),
        ("SET a = if_not_exists(:v, :v)", {"v": 1},
         "Operator or function requires a document path; operator or function: if_not_exists"),
        ("SET a = list_append(b, :v)", {"v": 1},
         TYPES + "operator or function: list_append, operand type: N"),
        ("SET a = b + :v", {"v": "x"}, TYPES + "operator or function: +, operand type: S"),
        ("SET a = :v - b", {"v": {"NULL": True}},
         TYPES + "operator or function: -, operand type: NULL"),
        ("ADD a :v", {"v": "x"},
         TYPES + "operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"),
        ("ADD a :v", {"v": {"L": []}},
         TYPES + "operator: ADD, operand type: LIST, typeSet: ALLOWED_FOR_ADD_OPERAND"),
        ("DELETE a :v", {"v": 1},
         TYPES + "operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"),
        ("DELETE a :v", {"v": {"M": {}}},
         TYPES + "operator: DELETE, operand type: MAP, typeSet: ALLOWED_FOR_DELETE_OPERAND"),
        ("SET a = b" + " " * 4088, None,
         "Expression size has exceeded the maximum allowed size;"),
    ],
)
def test_an_update_that_is_none_is_refused(
    refused: Refused, text: str, given: Any, words: str
) -> None:
    for name in ("songs", "nowhere"):
        request = request_of(text, given, TableName=name)
        assert refused("UpdateItem", **request) == enveloped(LINE + words)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"ExpressionAttributeValues": values(v=1)},
            "ExpressionAttributeValues can only be specified when using expressions",
        ),
        (
            {"ExpressionAttributeNames": {"#v": "v"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            {"UpdateExpression": "SET a = b", "ExpressionAttributeNames": {"#v": "v"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#v}",
        ),
        (
            {"UpdateExpression": "SET a = b", "ExpressionAttributeValues": values(v=1)},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}",
        ),
        (
            {"UpdateExpression": "SET a = :v", "ExpressionAttributeValues": {":v": {}}},
            EMPTY_VALUE,
        ),
        (
            {"UpdateExpression": "SET a = :v", "ExpressionAttributeValues": {":v": {"SS": []}}},
            INVALID + "An string set  may not be empty",
        ),
        (
            {"UpdateExpression": "SET a = b", "AttributeUpdates": {}},
            MIXED % ("AttributeUpdates", "UpdateExpression"),
        ),
        (
            {"ConditionExpression": "a = b", "AttributeUpdates": {}, "Expected": {}},
            MIXED % ("AttributeUpdates, Expected", "ConditionExpression"),
        ),
        (
            {"UpdateExpression": "SET a = b", "ConditionExpression": "a ="},
            'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="',
        ),
    ],
)
def test_members_that_do_not_go_together_are_refused(
    refused: Refused, members: Any, words: str
) -> None:
    for name in ("songs", "nowhere"):
        request = {"TableName": name, "Key": song(), **members}
        assert refused("UpdateItem", **request) == enveloped(words)


# ---- Key -----------------------------------------------------------------------------------------


# API: adds a new item if there is none; without any update it has nothing but its key.
def test_an_item_is_made_when_there_is_none(run: Run) -> None:
    assert update(run, None) == {}
    assert found(run) == song()
    assert update(run, "SET a = :v", {"v": 1}, Key=song(track=2)) == {}
    assert update(run, "REMOVE a", Key=song(track=3)) == {}
    items = run("Query", **request_query())["Items"]
    assert items == [song(), song(track=2, a=1), song(track=3)]


def request_query() -> dict[str, Any]:
    return {
        "TableName": "songs",
        "KeyConditionExpression": "artist = :a",
        "ExpressionAttributeValues": values(a="ada"),
    }


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ({}, NO_MATCH),
        ({"track": {"N": "1"}}, NO_MATCH),
        (song(x=1), NO_MATCH),
        (song(track="1"), NO_MATCH),
        (
            song(""),
            NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string "
            "value. Key: artist",
        ),
        (
            song("a" * 2049),
            INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
    ],
)
def test_a_key_is_that_of_the_table(refused: Refused, key: Any, words: str) -> None:
    assert refused("UpdateItem", **request_of("SET a = b", Key=key)) == invalid(words)


# Guide: what is in an index has the types of its key, and is not empty.
@pytest.mark.parametrize(
    ("text", "given", "words"),
    [
        ("SET title = :v", {"v": 1},
         INVALID + "Type mismatch for Index Key title Expected: S Actual: N IndexName: by_title"),
        ("SET title = n", None,
         "The update expression attempted to update the secondary index key to unsupported type"),
        ("SET title = :v", {"v": ""},
         NOT_VALID + "The update expression attempted to update a secondary index key to a value "
         "that is not supported. The AttributeValue for a key attribute cannot contain an empty "
         "string value."),
        ("SET label = :v", {"v": b""},
         NOT_VALID + "The update expression attempted to update a secondary index key to a value "
         "that is not supported. The AttributeValue for a key attribute cannot contain an empty "
         "binary value."),
    ],
)
def test_index_keys_keep_their_types(
    run: Run, refused: Refused, text: str, given: Any, words: str
) -> None:
    put(run, song(n=1))
    assert refused("UpdateItem", **request_of(text, given)) == invalid(words)


def test_indexes_follow_an_update(run: Run) -> None:
    put(run, song(title="old"))
    update(run, "SET title = :t, genre = :g, released = :y", {"t": "new", "g": "g", "y": 1})
    for index, shown_item in (
        ("by_title", song(title="new")), ("by_genre", song(genre="g", released=1)),
    ):
        assert run("Scan", TableName="songs", IndexName=index)["Items"] == [shown_item]
    update(run, "REMOVE title, genre")
    for index in ("by_title", "by_genre"):
        assert run("Scan", TableName="songs", IndexName=index)["Items"] == []


# ---- the form of the request ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({}, missing("tableName", "key")),
        (
            {
                "TableName": "songs",
                "Key": song(),
                "ReturnConsumedCapacity": "x",
                "ReturnItemCollectionMetrics": "x",
                "ReturnValues": "x",
                "ReturnValuesOnConditionCheckFailure": "x",
                "ConditionalOperator": "x",
                "AttributeUpdates": {"a": {"Action": "SET"}},
            },
            listed(
                broken("x", "returnConsumedCapacity", CAPACITY_VALUES),
                broken("x", "returnItemCollectionMetrics", METRICS_VALUES),
                broken(
                    "x",
                    "returnValues",
                    "Member must satisfy enum value set: "
                    "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]",
                ),
                broken("x", "conditionalOperator", "Member must satisfy enum value set: [OR, AND]"),
                broken(
                    "SET",
                    "attributeUpdates.a.member.action",
                    "Member must satisfy enum value set: [ADD, PUT, DELETE]",
                ),
                broken(
                    "x",
                    "returnValuesOnConditionCheckFailure",
                    "Member must satisfy enum value set: [ALL_OLD, NONE]",
                ),
            ),
        ),
    ],
)
def test_every_broken_constraint_is_listed(refused: Refused, request_: Any, answer: Any) -> None:
    assert refused("UpdateItem", **request_) == answer


def test_a_table_is_named_by_its_name_or_arn(run: Run, refused: Refused) -> None:
    answer = update(run, None, TableName=ARN + "songs", ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == {"TableName": ARN + "songs", "CapacityUnits": 1.0}
    assert refused("UpdateItem", TableName="nowhere", Key=song()) == NOT_FOUND


# ---- ReturnValues --------------------------------------------------------------------------------


# API: images before and after, whole or only what was updated; in documents only what was updated
# there. Attributes that are not there any more, or were not yet, are left out.
@pytest.mark.parametrize(
    ("text", "given", "old", "new"),
    [
        ("SET n = :v", {"v": 6}, {"n": 5}, {"n": 6}),
        ("SET w = :v", {"v": 6}, None, {"w": 6}),
        ("REMOVE n", None, {"n": 5}, None),
        ("SET n = n, w = :v REMOVE s", {"v": 6}, {"n": 5, "s": "text"}, {"n": 5, "w": 6}),
        (
            "SET m.a = :v, l[1] = :v",
            {"v": 6},
            {"m": {"M": {"a": {"N": "1"}}}, "l": {"L": [{"N": "2"}]}},
            {"m": {"M": {"a": {"N": "6"}}}, "l": {"L": [{"N": "6"}]}},
        ),
        (
            "SET m.d.e = :v",
            {"v": 6},
            {"m": {"M": {"d": {"M": {"e": {"N": "2"}}}}}},
            {"m": {"M": {"d": {"M": {"e": {"N": "6"}}}}}},
        ),
        ("SET m.w = :v", {"v": 6}, None, {"m": {"M": {"w": {"N": "6"}}}}),
        ("REMOVE m.a", None, {"m": {"M": {"a": {"N": "1"}}}}, None),
        ("ADD n :v", {"v": 1}, {"n": 5}, {"n": 6}),
        ("DELETE ss :v", {"v": {"SS": ["a"]}}, {"ss": {"SS": ["a", "b"]}}, {"ss": {"SS": ["b"]}}),
        ("DELETE ss :v", {"v": {"SS": ["a", "b"]}}, {"ss": {"SS": ["a", "b"]}}, None),
        ("REMOVE absent", None, None, None),
    ],
)
def test_images_are_returned_as_asked_for(
    run: Run, text: str, given: Any, old: Any, new: Any
) -> None:
    images = {}
    for asked in (None, "NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"):
        put(run, OLD)
        images[asked] = update(run, text, given, ReturnValues=asked)
    assert images[None] == images["NONE"] == {}
    assert ordered(images["ALL_OLD"]["Attributes"]) == ordered(OLD)
    assert images["ALL_NEW"]["Attributes"] == found(run)
    for asked, attributes in (("UPDATED_OLD", old), ("UPDATED_NEW", new)):
        key = set(song())
        wanted = {name: v for name, v in song(**(attributes or {})).items() if name not in key}
        answer = images[asked].get("Attributes", {})
        assert ordered(answer) == ordered(wanted)
        assert ("Attributes" in images[asked]) == (attributes is not None)


def test_a_new_item_has_no_image_before(run: Run) -> None:
    for asked, attributes in (
        ("ALL_OLD", None), ("UPDATED_OLD", None), ("ALL_NEW", song(n=1)),
        ("UPDATED_NEW", {"n": {"N": "1"}}),
    ):
        answer = update(run, "SET n = :v", {"v": 1}, ReturnValues=asked)
        assert answer == ({} if attributes is None else {"Attributes": attributes})
        run("DeleteItem", TableName="songs", Key=song())


# ---- conditions ----------------------------------------------------------------------------------


def test_a_condition_decides_whether_the_item_is_updated(run: Run, refused: Refused) -> None:
    put(run, song(n=1))
    request = request_of("SET n = n + :one", {"one": 1, "most": 2}, ConditionExpression="n < :most")
    run("UpdateItem", **request)
    assert refused("UpdateItem", **request) == FAILED
    assert found(run) == song(n=2)
    # Of an item that is not there nothing is less than anything.
    other = {**request, "Key": song(track=2)}
    assert refused("UpdateItem", **other) == FAILED
    assert run("Scan", TableName="songs")["Count"] == 1


@pytest.mark.parametrize(("asked", "item"), [(None, None), ("NONE", None), ("ALL_OLD", song(n=1))])
def test_a_failure_shows_the_item_if_asked(run: Run, asked: Any, item: Any) -> None:
    put(run, song(n=1))
    with pytest.raises(hashrange.ConditionalCheckFailed) as caught:
        update(
            run, "SET n = :n", {"n": 2}, ConditionExpression="n = :n",
            ReturnValuesOnConditionCheckFailure=asked,
        )
    assert caught.value.item == item
    assert found(run) == song(n=1)


# ---- AttributeUpdates, Expected, ConditionalOperator ---------------------------------------------


# Guide, legacy parameters: PUT is what is done by default; ADD of a list appends; DELETE without a
# value takes the attribute away, with one members of a set.
@pytest.mark.parametrize(
    ("updates", "changed"),
    [
        ({}, {}),
        ({"n": {"Value": {"N": "1"}}}, {"n": 1}),
        ({"n": {"Action": "PUT", "Value": {"S": "x"}}}, {"n": "x"}),
        ({"n": {"Action": "ADD", "Value": {"N": "1"}}}, {"n": 6}),
        ({"w": {"Action": "ADD", "Value": {"N": "1"}}}, {"w": 1}),
        ({"ss": {"Action": "ADD", "Value": {"SS": ["c"]}}}, {"ss": {"SS": ["a", "b", "c"]}}),
        (
            {"l": {"Action": "ADD", "Value": {"L": [{"S": "x"}]}}},
            {"l": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}, {"S": "x"}]}},
        ),
        ({"n": {"Action": "DELETE"}, "absent": {"Action": "DELETE"}}, {"n": None}),
        ({"ss": {"Action": "DELETE", "Value": {"SS": ["a"]}}}, {"ss": {"SS": ["b"]}}),
        ({"ss": {"Action": "DELETE", "Value": {"SS": ["a", "b"]}}}, {"ss": None}),
    ],
)
def test_old_updates_change_attributes(run: Run, updates: Any, changed: Any) -> None:
    put(run, OLD)
    answer = update(run, None, AttributeUpdates=updates, ReturnValues="ALL_NEW")
    wanted = {**OLD, **song(**changed)}
    wanted = {name: value for name, value in wanted.items() if changed.get(name, 0) is not None}
    assert ordered(answer["Attributes"]) == ordered(wanted) == ordered(found(run))


@pytest.mark.parametrize(
    ("updates", "answer"),
    [
        (
            {"n": {}},
            enveloped(INVALID + "Only DELETE action is allowed when no attribute value is "
                      "specified"),
        ),
        (
            {"n": {"Action": "ADD"}},
            enveloped(INVALID + "Only DELETE action is allowed when no attribute value is "
                      "specified"),
        ),
        (
            {"n": {"Action": "ADD", "Value": {"S": "x"}}},
            enveloped(INVALID + "ADD action is not supported for the type S"),
        ),
        (
            {"n": {"Action": "DELETE", "Value": {"N": "5"}}},
            enveloped(INVALID + "DELETE action with value is not supported for the type N"),
        ),
        ({"n": {"Value": {}}}, enveloped(EMPTY_VALUE)),
        (
            {"": {"Value": {"N": "1"}}},
            enveloped(INVALID + "An attribute name cannot be empty"),
        ),
        (
            {"artist": {"Value": {"S": "x"}}},
            invalid(INVALID + "Cannot update attribute artist. This attribute is part of the key"),
        ),
        (
            {"track": {"Action": "DELETE"}},
            invalid(INVALID + "Cannot update attribute track. This attribute is part of the key"),
        ),
        ({"s": {"Action": "ADD", "Value": {"N": "1"}}}, invalid(MISMATCH)),
        ({"n": {"Action": "DELETE", "Value": {"SS": ["a"]}}}, invalid(MISMATCH)),
        (
            {"title": {"Value": {"N": "1"}}},
            invalid(INVALID + "Type mismatch for Index Key title Expected: S Actual: N IndexName: "
                    "by_title"),
        ),
    ],
)
def test_an_old_update_that_is_none_is_refused(
    run: Run, refused: Refused, updates: Any, answer: Any
) -> None:
    put(run, OLD)
    assert refused("UpdateItem", **request_of(None, AttributeUpdates=updates)) == answer


def test_old_conditions_go_with_old_updates(run: Run, refused: Refused) -> None:
    put(run, OLD)
    updates = {"n": {"Action": "ADD", "Value": {"N": "1"}}}
    wrong = {"n": equals(6), "s": equals("x")}
    request = request_of(None, AttributeUpdates=updates, Expected=wrong)
    assert refused("UpdateItem", **request) == FAILED
    assert refused("UpdateItem", **request, ConditionalOperator="OR") == FAILED
    right = {**wrong, "s": equals("t", operator="BEGINS_WITH")}
    run("UpdateItem", **{**request, "Expected": right}, ConditionalOperator="OR")
    assert found(run)["n"] == {"N": "6"}
    assert refused("UpdateItem", **request, ConditionalOperator="NOT")[0] == "ValidationException"


# ---- sizes ---------------------------------------------------------------------------------------


def test_an_item_grows_to_400_kb(run: Run, refused: Refused) -> None:
    put(run, sized(400 * KB - 3, song()))
    update(run, "SET a = :v", {"v": "x"})
    update(run, "SET a = :v", {"v": "xy"})
    assert refused("UpdateItem", **request_of("SET a = :v", {"v": "xyz"})) == invalid(
        "Item size to update has exceeded the maximum allowed size"
    )


# ---- ReturnConsumedCapacity, ReturnItemCollectionMetrics -----------------------------------------


# Guide: the whole item counts, the larger of before and after, even for one attribute.
@pytest.mark.parametrize(
    ("before", "text", "given", "table", "arms"),
    [
        (None, "SET a = :v", {"v": 1}, 1.0, {}),
        (sized(5 * KB, song()), "SET a = :v", {"v": 1}, 6.0, {}),
        (sized(5 * KB, song()), "REMOVE x", None, 5.0, {}),
        (song(), "SET x = :v", {"v": "x" * 3 * KB}, 4.0, {}),
        (song(), "SET title = :v", {"v": "t"}, 1.0, {"by_title": 1.0}),
        (song(title="t"), "SET title = :v", {"v": "u"}, 1.0, {"by_title": 2.0}),
        (song(title="t"), "SET title = :v", {"v": "t"}, 1.0, {}),
        (song(title="t"), "REMOVE title", None, 1.0, {"by_title": 1.0}),
        (song(title="t"), "SET a = :v", {"v": 1}, 1.0, {}),
        (song(genre="g", released=1), "SET stars = :v", {"v": 1}, 1.0, {"by_genre": 1.0}),
        (song(genre="g", released=1), "SET a = :v", {"v": 1}, 1.0, {}),
        (song(label=b"l"), "SET a = :v", {"v": 1}, 1.0, {"by_label": 1.0}),
        (song(label=b"l"), "SET label = :v, x = :x", {"v": b"m", "x": "x" * 3 * KB}, 4.0,
         {"by_label": 5.0}),
    ],
)
def test_an_update_costs_the_whole_item(
    run: Run, before: Any, text: str, given: Any, table: float, arms: Any
) -> None:
    for mode in ("TOTAL", "INDEXES", "NONE"):
        run("DeleteItem", TableName="songs", Key=song())
        if before is not None:
            put(run, before)
        answer = update(run, text, given, ReturnConsumedCapacity=mode)
        total = table + sum(arms.values())
        if mode == "NONE":
            assert answer == {}
        else:
            wanted = shown(total) if mode == "TOTAL" else shown(total, table, **arms)
            assert answer == {"ConsumedCapacity": wanted}


def test_metrics_are_of_tables_with_local_indexes(run: Run) -> None:
    assert update(run, None, ReturnItemCollectionMetrics="SIZE") == {
        "ItemCollectionMetrics": {
            "ItemCollectionKey": {"artist": {"S": "ada"}},
            "SizeEstimateRangeGB": [0.0, 1.0],
        }
    }
    request = {"TableName": "notes", "Key": note("a"), "ReturnItemCollectionMetrics": "SIZE"}
    assert run("UpdateItem", **request) == {}
