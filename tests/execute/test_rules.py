"""Rules of single operations that only the engine behind them can show: limits, keys, order.

Words and order are the service's, as observed on it by others unless a comment says otherwise.
"""

from __future__ import annotations

from typing import Any

import pytest
from execute.conftest import Execute, table, thing

import hashrange
from hashrange.errors import (
    ConditionalCheckFailed,
    ItemTooLarge,
    TransactionCanceled,
    ValidationError,
)

KB = 1024
INVALID = "One or more parameter values were invalid: "
BAD_START = "The provided starting key is invalid"


def refusal(
    run: Execute, operation: str, kind: type[Exception] = ValidationError, **request: Any
) -> str:
    with pytest.raises(kind) as caught:
        run(operation, TableName="things", **request)
    assert type(caught.value) is kind
    return str(caught.value)


def update(text: str, pk: str = "p", **members: Any) -> dict[str, Any]:
    """Return an UpdateItem request; what is no member is a value."""
    request: dict[str, Any] = {"Key": thing(pk, 1), "UpdateExpression": text}
    values = {f":{name}": value for name, value in members.items() if name[0].islower()}
    if values:
        request["ExpressionAttributeValues"] = values
    request.update({name: value for name, value in members.items() if name[0].isupper()})
    return request


# ---- what an update is charged -------------------------------------------------------------------


# Measured: UpdateItem's own bound is on what it writes, 3 bytes and 19 for each SET with its target
# and its value; what it leaves alone, and the key, do not count.
def test_an_update_is_charged_for_what_it_writes(run: Execute) -> None:
    run("CreateTable", **table())
    room = 400 * KB - 3 - 19 - 1
    request = update("SET b = if_not_exists(c, :v)", v={"S": "x" * (room - 39 - 1 - 15)})
    run("UpdateItem", TableName="things", **update("SET c = :c", c={"S": "here"}))
    run("UpdateItem", TableName="things", **request)
    request["ExpressionAttributeValues"][":v"]["S"] += "x"
    words = "Item size to update has exceeded the maximum allowed size"
    assert refusal(run, "UpdateItem", ItemTooLarge, **request) == words
    # The item is not what is too large: a transaction has no such charge.
    run("TransactWriteItems", TransactItems=[{"Update": {"TableName": "things", **request}}])
    item = run("GetItem", TableName="things", Key=thing("p", 1))["Item"]
    assert item["b"] == {"S": "here"}


# A condition that is false is told before the charge is; what the request has wrong, before both.
def test_the_condition_goes_before_the_charge(run: Execute) -> None:
    run("CreateTable", **table())
    large = {"S": "x" * 400 * KB}
    request = update(
        "SET b = if_not_exists(pk, :v)", v=large, w={"S": "w"},
        ConditionExpression="pk = :w", ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert refusal(run, "UpdateItem", ConditionalCheckFailed, **request) == (
        "The conditional request failed"
    )
    request["ConditionExpression"] = "pk <> :w"
    refusal(run, "UpdateItem", ItemTooLarge, **request)
    request["ConditionExpression"] = "pk <> :x"
    assert "attribute value: :x" in refusal(run, "UpdateItem", **request)


# The size of a new item is told before anybody looks for the table.
def test_an_item_too_large_for_no_table(run: Execute) -> None:
    item = thing("p", 1, v="x" * 400 * KB)
    words = "Item size has exceeded the maximum allowed size"
    assert refusal(run, "PutItem", ItemTooLarge, Item=item) == words
    with pytest.raises(ItemTooLarge, match=words):
        run("BatchWriteItem", RequestItems={"nowhere": [{"PutRequest": {"Item": item}}]})


# ---- 4 MB ----------------------------------------------------------------------------------------


# API reference: the items of a transaction have 4 MB together, whether written or read.
@pytest.mark.parametrize("excess", [0, 1])
def test_a_transaction_has_4_mb_at_most(run: Execute, excess: int) -> None:
    run("CreateTable", **table(LocalSecondaryIndexes=None, GlobalSecondaryIndexes=None,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"},
                              {"AttributeName": "sk", "AttributeType": "N"}]))
    size = (4 << 20) // 16 - len("pk" "sk" "v" "p") - 2
    items = [thing("p", number, v="x" * size) for number in range(1, 17)]
    items[0]["v"]["S"] += "x" * excess
    puts = [{"Put": {"TableName": "things", "Item": item}} for item in items]
    gets = [{"Get": {"TableName": "things", "Key": thing("p", number)}} for number in range(1, 17)]
    words = "The aggregate size of the items in the transaction exceeds 4 MB"
    if not excess:
        run("TransactWriteItems", TransactItems=puts)
        assert len(run("TransactGetItems", TransactItems=gets)["Responses"]) == 16
        return
    with pytest.raises(ValidationError, match=words):
        run("TransactWriteItems", TransactItems=puts)
    assert run("Scan", TableName="things")["Count"] == 0
    for item in items:
        run("PutItem", TableName="things", Item=item)
    with pytest.raises(ValidationError, match=words):
        run("TransactGetItems", TransactItems=gets)


# ---- names ---------------------------------------------------------------------------------------


# Measured in 2026: 65,535 bytes are allowed, at any level; the words are right about that.
def test_a_name_has_65535_bytes_at_most(run: Execute) -> None:
    run("CreateTable", **table())
    words = (
        "1 validation error detected: Attribute name is too large, must be less than 65536 bytes"
    )
    good, bad = "é" * 32767 + "x", "é" * 32768
    run("PutItem", TableName="things", Item=thing("p", 1, m={"M": {good: {"NULL": True}}}))
    for item in (
        thing("p", 1, m={"L": [{"M": {bad: {"NULL": True}}}]}),
        thing("p", 1, **{bad: "x"}),
    ):
        assert refusal(run, "PutItem", Item=item) == words
    request = update("SET m = :m", m={"M": {bad: {"NULL": True}}})
    assert refusal(run, "UpdateItem", **request) == words
    request = update("SET #n = :n", n={"S": ""}, ExpressionAttributeNames={"#n": bad})
    assert refusal(run, "UpdateItem", **request) == words


# ---- numbers -------------------------------------------------------------------------------------


# A zero has the range of a digit at its place, wherever it is written.
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0e126", "Number overflow. Attempting to store a number with magnitude larger than "
                  "supported range"),
        ("0e-131", "Number underflow. Attempting to store a number with magnitude smaller than "
                   "supported range"),
        ("0e9223372036854775808", "The parameter cannot be converted to a numeric value: "
                                  "0e9223372036854775808"),
        (" 1", "The parameter cannot be converted to a numeric value:  1"),
        ("1_0", "The parameter cannot be converted to a numeric value: 1_0"),
    ],
)
def test_a_number_is_read_as_the_service_reads_it(run: Execute, text: str, words: str) -> None:
    run("CreateTable", **table())
    bad = {"N": text}
    start = {"pk": {"S": "p"}, "sk": bad}
    assert refusal(run, "PutItem", Item=thing("p", 1, v=bad)).endswith(words)
    assert refusal(run, "GetItem", Key=start) == words
    conditions = {
        "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "p"}]},
        "sk": {"ComparisonOperator": "GE", "AttributeValueList": [bad]},
    }
    assert refusal(run, "Query", KeyConditions=conditions) == words
    del conditions["sk"]
    assert refusal(run, "Query", KeyConditions=conditions, ExclusiveStartKey=start) == words
    assert refusal(run, "Scan", ExclusiveStartKey=start) == f"{BAD_START}: {words}"


# ---- key conditions ------------------------------------------------------------------------------


def query(condition: str, **values: Any) -> dict[str, Any]:
    return {
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
    }


def test_a_key_condition_compares_with_what_a_key_may_be(run: Execute) -> None:
    run("CreateTable", **table())
    empty = "The AttributeValue for a key attribute cannot contain an empty string value. "
    request = query("pk = :p", p={"S": ""})
    assert refusal(run, "Query", **request) == (
        f"One or more parameter values are not valid. {empty}Key: pk"
    )
    assert refusal(run, "Query", IndexName="by_g", **query("g = :g", g={"S": ""})) == (
        "One or more parameter values are not valid. A value specified for a secondary index key "
        f"is not supported. {empty}IndexName: by_g, IndexKey: g"
    )
    assert refusal(run, "Query", **query("pk = :p", p={"S": "é" * 1025})) == (
        f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes"
    )
    request = query("pk = :p AND a > :a", p={"S": "p"}, a={"S": "x" * 1025})
    assert refusal(run, "Query", IndexName="by_a", **request) == (
        f"{INVALID}Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
    )
    assert refusal(run, "Query", **query("pk = :p", p={"N": "1"})) == (
        f"{INVALID}Condition parameter type does not match schema type"
    )


# A put names the index and both sizes, as told by several users of the service; the words of an
# update stand in the API reference, TransactionCanceledException.
@pytest.mark.parametrize(
    ("name", "index", "size_max"), [("g", "by_g", 2048), ("a", "by_a", 1024)]
)
def test_a_key_of_an_index_is_bounded_too(
    run: Execute, name: str, index: str, size_max: int
) -> None:
    run("CreateTable", **table())
    key = thing("p", 1)
    for size in (size_max - 1, size_max):
        run("PutItem", TableName="things", Item={**key, name: {"S": "x" * size}})
    words = (
        f"{INVALID}Size limit exceeded for Index Key {name} Actual Size: {size_max + 1} bytes "
        f"Max Size: {size_max} bytes IndexName: {index}"
    )
    large = {"S": "x" * (size_max + 1)}
    assert refusal(run, "PutItem", Item={**key, name: large}) == words
    with pytest.raises(ValidationError) as caught:
        run(
            "BatchWriteItem",
            RequestItems={"things": [{"PutRequest": {"Item": {**key, name: large}}}]},
        )
    assert str(caught.value) == words
    words = (
        "The update expression attempted to update the secondary index key beyond allowed size "
        "limits"
    )
    update = {
        "Key": key,
        "UpdateExpression": f"SET {name} = :v",
        "ExpressionAttributeValues": {":v": large},
    }
    assert refusal(run, "UpdateItem", **update) == words
    with pytest.raises(TransactionCanceled) as canceled:
        run("TransactWriteItems", TransactItems=[{"Update": {"TableName": "things", **update}}])
    assert canceled.value.reasons == [{"Code": "ValidationError", "Message": words}]


# A query goes on only behind a key that it might have returned.
@pytest.mark.parametrize(
    ("condition", "start", "words"),
    [
        ("pk = :p", ("q", 1), "The provided starting key is outside query boundaries based on "
                              "provided conditions"),
        ("pk = :p AND sk < :n", ("p", 5), "The provided starting key does not match the range key "
                                          "predicate"),
        ("pk = :p AND sk BETWEEN :n AND :n", ("p", 6), "The provided starting key does not match "
                                                       "the range key predicate"),
        ("pk = :p AND sk = :n", ("q", 5), "The query can return at most one row and cannot be "
                                          "restarted"),
        ("pk = :p AND sk >= :n", ("p", 5), None),
        ("pk = :p AND sk = :n", ("p", 5), None),
    ],
)
def test_a_query_goes_on_inside_of_what_it_reads(
    run: Execute, condition: str, start: tuple[str, int], words: str | None
) -> None:
    run("CreateTable", **table())
    values = {"p": {"S": "p"}, "n": {"N": "5"}}
    request = query(condition, **{name: values[name] for name in values if f":{name}" in condition})
    request["ExclusiveStartKey"] = thing(*start)
    if words is None:
        assert run("Query", TableName="things", **request)["Items"] == []
    else:
        assert refusal(run, "Query", **request) == words


# Real service, as told by others: a scan goes on only in the segment in which it was.
def test_a_scan_goes_on_in_its_own_segment(run: Execute) -> None:
    run("CreateTable", **table())
    homes = set()
    for name in "abcdefgh":
        fits = []
        for segment in range(4):
            request = {"Segment": segment, "TotalSegments": 4, "ExclusiveStartKey": thing(name, 1)}
            try:
                run("Scan", TableName="things", **request)
                fits.append(segment)
            except ValidationError as error:
                assert str(error) == (
                    f"{BAD_START}: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with "
                    f"correct Segment. TotalSegments: 4 Segment: {segment}"
                )
        assert len(fits) == 1
        homes.update(fits)
    assert len(homes) > 1


# Keys are scalars, so nothing can be looked for inside of them.
def test_no_path_leads_into_a_key(run: Execute) -> None:
    run("CreateTable", **table())
    scalars = (
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
        "allowed: "
    )
    assert refusal(run, "GetItem", Key=thing("p", 1), ProjectionExpression="pk.x") == (
        f"{scalars}Key: pk"
    )
    assert refusal(run, "Scan", ProjectionExpression="v, a[0]") == f"{scalars}IndexKey: a"
    request = {"FilterExpression": "attribute_exists(#g.x)", "ExpressionAttributeNames": {
        "#g": "g"}}
    assert refusal(run, "Scan", **request) == f"{scalars}IndexKey: g"


# ---- transactions --------------------------------------------------------------------------------


def test_a_put_may_declare_placeholders_that_nothing_uses(run: Execute) -> None:
    run("CreateTable", **table())
    put = {"TableName": "things", "Item": thing("p", 1), "ExpressionAttributeNames": {"#a": "a"},
           "ExpressionAttributeValues": {":a": {"S": "a"}}}
    run("TransactWriteItems", TransactItems=[{"Put": put}])
    get = {"TableName": "things", "Key": thing("p", 1), "ExpressionAttributeNames": {"#a": "a"}}
    answer = run("TransactGetItems", TransactItems=[{"Get": get}])
    assert answer["Responses"] == [{"Item": thing("p", 1)}]


# Captured on the service: an item of which nothing is projected is not there; a read whose key is
# empty cancels, whereas a write's is the request's fault.
def test_reads_of_a_transaction_show_what_there_is(run: Execute) -> None:
    run("CreateTable", **table())
    run("PutItem", TableName="things", Item=thing("p", 1))
    get = {"TableName": "things", "Key": thing("p", 1), "ProjectionExpression": "v"}
    assert run("TransactGetItems", TransactItems=[{"Get": get}])["Responses"] == [{}]
    empty = {"TableName": "things", "Key": thing("", 1)}
    with pytest.raises(hashrange.errors.TransactionCanceled) as caught:
        run("TransactGetItems", TransactItems=[{"Get": get}, {"Get": empty}])
    assert [reason["Code"] for reason in caught.value.reasons] == ["None", "ValidationError"]
    with pytest.raises(ValidationError, match=r"cannot contain an empty string value. Key: pk"):
        run("TransactWriteItems", TransactItems=[{"Delete": empty}])


# A value that nests too deep cancels the update that has it; in a put it is the request's fault.
def test_a_value_too_deep_cancels_an_update(run: Execute) -> None:
    run("CreateTable", **table())
    deep: dict[str, Any] = {"S": "x"}
    for _ in range(32):
        deep = {"L": [deep]}
    words = (
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
        "beyond supported limit"
    )
    action = {"TableName": "things", **update("SET v = :v", v=deep)}
    with pytest.raises(hashrange.errors.TransactionCanceled) as caught:
        run("TransactWriteItems", TransactItems=[{"Update": action}])
    assert caught.value.reasons == [{"Code": "ValidationError", "Message": words}]
    put = {"Put": {"TableName": "things", "Item": thing("p", 1, v=deep)}}
    with pytest.raises(ValidationError) as refused:
        run("TransactWriteItems", TransactItems=[put])
    assert str(refused.value) == words


# ---- members of the old form ---------------------------------------------------------------------


# A member that is null is not there.
def test_null_members_of_a_condition_are_not_there(run: Execute) -> None:
    run("CreateTable", **table())
    none = {"Value": None, "Exists": None, "AttributeValueList": None, "ComparisonOperator": None}
    item = thing("p", 1)
    run("PutItem", TableName="things", Item=item, Expected={"pk": {**none, "Exists": False}})
    run("PutItem", TableName="things", Item=item, Expected={"pk": {**none, "Value": {"S": "p"}}})
    expected = {"pk": {**none, "ComparisonOperator": "NOT_NULL"}}
    run("PutItem", TableName="things", Item=item, Expected=expected)
    assert refusal(run, "PutItem", Item=item, Expected={"pk": none}) == (
        f"1 validation error detected: {INVALID}Value must be provided when Exists is null for "
        "Attribute: pk"
    )


# Developer guide: NOT_CONTAINS is the absence of a value in what is there or not; so is NE.
def test_an_absent_attribute_contains_nothing(run: Execute) -> None:
    run("CreateTable", **table())
    run("PutItem", TableName="things", Item=thing("p", 1))
    for operator in ("NOT_CONTAINS", "NE"):
        condition = {"ComparisonOperator": operator, "AttributeValueList": [{"S": "x"}]}
        assert run("Scan", TableName="things", ScanFilter={"v": condition})["Count"] == 1


# What an expression has wrong by itself is said before the table is looked for, and before the
# placeholders that it does not use.
@pytest.mark.parametrize(
    ("operation", "request_", "words"),
    [
        ("Scan", {"FilterExpression": "begins_with(v, :n)"},
         "Invalid FilterExpression: Incorrect operand type for operator or function; operator or "
         "function: begins_with, operand type: N"),
        ("Scan", {"FilterExpression": "v = v"},
         "Invalid FilterExpression: The first operand must be distinct from the remaining operands "
         "for this operator or function; operator: =, first operand: [v]"),
        ("Query", {"KeyConditionExpression": "pk = pk"},
         "Invalid KeyConditionExpression: The first operand must be distinct from the remaining "
         "operands for this operator or function; operator: =, first operand: [pk]"),
        ("Query", {"KeyConditionExpression": "pk = :n AND sk BETWEEN :n AND :m"},
         "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater "
         "than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound "
         "operand: AttributeValue: {N:1}"),
        ("UpdateItem", {"Key": thing("p", 1), "UpdateExpression": "SET a.b = :n, a = :n"},
         "1 validation error detected: Invalid UpdateExpression: Two document paths overlap with "
         "each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a]"),
    ],
)
def test_operands_are_checked_before_the_table_is_looked_for(
    run: Execute, operation: str, request_: dict[str, Any], words: str
) -> None:
    values = {":n": {"N": "2"}, ":m": {"N": "1"}, ":unused": {"N": "1"}}
    assert refusal(run, operation, **request_, ExpressionAttributeValues=values) == words


# A query's own faults go in this order: the index, its consistency, the key condition, the filter,
# what is selected.
def test_the_key_condition_goes_before_the_filter_and_the_projection(run: Execute) -> None:
    run("CreateTable", **table())
    request = query("v = :v", v={"S": "x"})
    request["FilterExpression"] = "g = :v"
    missed = "Query condition missed key schema element: g"
    for members in ({}, {"Select": "ALL_ATTRIBUTES"}, {"ProjectionExpression": "z"}):
        assert refusal(run, "Query", IndexName="by_g_sk", **request, **members) == missed
    assert refusal(run, "Query", IndexName="by_g_sk", **request, ConsistentRead=True) == (
        "Consistent reads are not supported on global secondary indexes"
    )
    # With more conditions than a key has attributes it is not about what is missing.
    request = query("v = :v AND w = :v", v={"S": "x"})
    assert refusal(run, "Query", IndexName="by_g", **request) == (
        "Query key condition not supported"
    )


# Binaries may come as base64 text; what is wrong elsewhere is then said all the same.
def test_binaries_may_be_text(run: Execute) -> None:
    run("CreateTable", **table())
    item = thing("p", 1, b={"B": "YQ=="}, n={"N": "x"})
    assert refusal(run, "PutItem", Item=item) == (
        "1 validation error detected: The parameter cannot be converted to a numeric value: x"
    )
    item["b"] = {"B": "YQ="}
    assert refusal(run, "PutItem", hashrange.errors.SerializationError, Item=item) == (
        "Base64 encoded length is expected a multiple of 4 bytes but found: 3"
    )


# Empty placeholders are refused although nothing needs them, in every operation: "Expression-
# AttributeValues must not be empty" is what clients meet that always send the member.
EXISTS = {"ConditionExpression": "attribute_exists(pk)"}


@pytest.mark.parametrize("member", ["ExpressionAttributeNames", "ExpressionAttributeValues"])
@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("PutItem", {"Item": thing("p", 1), **EXISTS}),
        ("UpdateItem", {"Key": thing("p", 1), "UpdateExpression": "REMOVE v"}),
        ("UpdateItem", {"Key": thing("p", 1), **EXISTS}),
        ("DeleteItem", {"Key": thing("p", 1), **EXISTS}),
        ("Scan", {"FilterExpression": "attribute_exists(v)"}),
        ("TransactWriteItems", {"Put": {"Item": thing("p", 1), **EXISTS}}),
        ("TransactWriteItems", {"Update": {"Key": thing("p", 1), "UpdateExpression": "REMOVE v"}}),
        ("TransactWriteItems", {"Delete": {"Key": thing("p", 1), **EXISTS}}),
        ("TransactWriteItems", {"ConditionCheck": {"Key": thing("p", 1), **EXISTS}}),
    ],
)
def test_empty_placeholders_are_refused(
    run: Execute, operation: str, request_: dict[str, Any], member: str
) -> None:
    run("CreateTable", **table())
    words = f"{member} must not be empty"
    if operation == "TransactWriteItems":
        (kind, action), = request_.items()
        part = {kind: {"TableName": "things", **action, member: {}}}
        with pytest.raises(ValidationError) as caught:
            run(operation, TransactItems=[part])
        assert str(caught.value) == words
        return
    if operation != "Scan":
        words = f"1 validation error detected: {words}"
    assert refusal(run, operation, **request_, **{member: {}}) == words


def test_empty_names_are_refused_by_reads(run: Execute) -> None:
    run("CreateTable", **table())
    words = "ExpressionAttributeNames must not be empty"
    read = {"ProjectionExpression": "v", "ExpressionAttributeNames": {}}
    assert refusal(run, "GetItem", Key=thing("p", 1), **read) == words
    wanted = {"things": {"Keys": [thing("p", 1)], **read}}
    assert refusal(run, "BatchGetItem", RequestItems=wanted) == words
    get = {"Get": {"TableName": "things", "Key": thing("p", 1), **read}}
    assert refusal(run, "TransactGetItems", TransactItems=[get]) == words
    request = query("pk = :p", p={"S": "p"})
    assert refusal(run, "Query", **request, ExpressionAttributeNames={}) == words


# What is wrong with a projection is said before anything is read, so whether the item is there or
# not.
@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"ProjectionExpression": "v.a, v"},
            "Invalid ProjectionExpression: Two document paths overlap with each other; must remove "
            "or rewrite one of these paths; path one: [v, a], path two: [v]",
        ),
        (
            {"ProjectionExpression": "#n"},
            "Invalid ProjectionExpression: An expression attribute name used in the document path "
            "is not defined; attribute name: #n",
        ),
        (
            {"ProjectionExpression": "v", "ExpressionAttributeNames": {"#n": "v"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}",
        ),
        (
            {"ProjectionExpression": "#n", "ExpressionAttributeNames": {"#n": ""}},
            "ExpressionAttributeNames contains invalid value: Empty attribute name for key #n",
        ),
    ],
)
def test_a_projection_is_checked_without_an_item(
    run: Execute, members: dict[str, Any], words: str, there: bool
) -> None:
    run("CreateTable", **table())
    if there:
        run("PutItem", TableName="things", Item=thing("p", 1))
    key = thing("p", 1)
    assert refusal(run, "GetItem", Key=key, **members) == words
    wanted = {"things": {"Keys": [key], **members}}
    assert refusal(run, "BatchGetItem", RequestItems=wanted) == words
    get = {"Get": {"TableName": "things", "Key": key, **members}}
    assert refusal(run, "TransactGetItems", TransactItems=[get]) == words


# Actions of a transaction may declare placeholders that nothing uses; bad ones are refused all the
# same, as in a request with an expression.
@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"ExpressionAttributeNames": {"n": "v"}},
            'ExpressionAttributeNames contains invalid key: Syntax error; key: "n"',
        ),
        (
            {"ExpressionAttributeValues": {":v": {"N": "x"}}},
            "ExpressionAttributeValues contains invalid value: The parameter cannot be converted "
            "to a numeric value: x for key :v",
        ),
    ],
)
def test_placeholders_that_nothing_uses_are_checked(
    run: Execute, members: dict[str, Any], words: str
) -> None:
    run("CreateTable", **table())
    key = {"TableName": "things", "Key": thing("p", 1)}
    delete = {"Delete": {**key, **members}}
    assert refusal(run, "TransactWriteItems", TransactItems=[delete]) == words
    if "ExpressionAttributeNames" in members:
        get = {"Get": {**key, **members}}
        assert refusal(run, "TransactGetItems", TransactItems=[get]) == words
