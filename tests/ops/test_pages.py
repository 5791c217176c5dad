"""Query and Scan over a door of dicts: what is asked of it, the answer, the cost.

Costs as in the guide and measured. What each operation does is tested by tests/operations.
"""

from __future__ import annotations

from hashrange.ops.door import Expression, Page

KB = 1024
QUERY = {"TableName": "xyz", "KeyConditionExpression": "pk = :v"}
VALUES = {":v": {"S": "a"}}
KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}


def query(service, **members):
    request = {**QUERY, "ExpressionAttributeValues": VALUES, **members}
    return service.execute("Query", request)


def test_a_scan_returns_items_and_counts(service):
    item = {**KEY, "x": {"S": "y"}}
    service.execute("PutItem", {"TableName": "abc", "Item": item})
    assert service.execute("Scan", {"TableName": "abc"}) == {
        "Items": [item],
        "Count": 1,
        "ScannedCount": 1,
    }
    assert service.execute("Scan", {"TableName": "abc", "Select": "COUNT"}) == {
        "Count": 1,
        "ScannedCount": 1,
    }


def test_a_page_says_where_the_next_one_starts(service, door):
    door.page = Page([], 0, 7, 100, (), KEY)
    assert query(service) == {
        "Items": [],
        "Count": 0,
        "ScannedCount": 7,
        "LastEvaluatedKey": KEY,
    }


def test_the_door_is_told_what_to_read(service, door):
    query(
        service,
        IndexName="lsi",
        FilterExpression="x = :v",
        ProjectionExpression="x",
        ExpressionAttributeNames={"#x": "x"},
        ExclusiveStartKey={**KEY, "a": {"S": "c"}},
        Limit=5,
        ScanIndexForward=False,
        ConsistentRead=True,
    )
    walked = door.walked
    assert walked.source.name == "lsi"
    placeholders = ({"#x": "x"}, VALUES)
    assert walked.keys == Expression("pk = :v", *placeholders)
    assert walked.condition == Expression("x = :v", *placeholders)
    assert walked.projection == Expression("x", *placeholders)
    assert walked.start["a"] == {"S": "c"}
    assert (walked.limit, walked.forward, walked.consistent) == (5, False, True)
    assert (walked.count_only, walked.fetch, walked.segment) == (False, False, None)


def test_old_members_become_expressions(service, door):
    equal = {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}
    service.execute(
        "Query",
        {
            "TableName": "abc",
            "KeyConditions": {"pk": equal},
            "QueryFilter": {"x": equal, "y": equal},
            "ConditionalOperator": "OR",
            "AttributesToGet": ["x"],
        },
    )
    assert door.walked.keys.text == "keys ['pk']"
    assert door.walked.condition.text == "filter ['x', 'y'] OR"
    assert door.walked.projection.names == {"#x": "x"}


def test_a_scan_has_segments(service, door):
    service.execute("Scan", {"TableName": "abc", "Segment": 0, "TotalSegments": 4})
    assert door.walked.segment == (0, 4)
    assert door.walked.keys is None


# ---- capacity ------------------------------------------------------------------------------------


def cost(service, **members):
    return query(service, ReturnConsumedCapacity="INDEXES", **members)["ConsumedCapacity"]


# All sizes are summed, then rounded once; before the filter.
def test_a_page_of_a_table_is_rounded_once(service, door):
    door.page = Page([], 0, 100, 8 * KB + 1)
    assert cost(service) == {
        "TableName": "xyz",
        "CapacityUnits": 1.5,
        "Table": {"CapacityUnits": 1.5},
    }
    assert cost(service, ConsistentRead=True)["CapacityUnits"] == 3.0


# Guide: 4 entries of 200 bytes over 4 items of 300: one block of entries and four of items.
def test_items_fetched_through_a_local_index_cost_the_table(service, door):
    door.page = Page([], 4, 4, 800, [300] * 4)
    assert cost(service, IndexName="lsi", ConsistentRead=True, Select="ALL_ATTRIBUTES") == {
        "TableName": "xyz",
        "CapacityUnits": 5.0,
        "Table": {"CapacityUnits": 4.0},
        "LocalSecondaryIndexes": {"lsi": {"CapacityUnits": 1.0}},
    }
    assert door.walked.fetch
