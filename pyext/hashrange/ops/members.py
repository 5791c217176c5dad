"""Shapes that the requests of several operations share: names, values, keys, conditions, switches.

The constraints are the service model's; `tests/ops/test_shapes.py` compares them with botocore's.
The order of the values of an enumeration, and of the members of a structure, is that in which the
service writes them in its messages, as far as it was observed; otherwise the model's.
"""

from __future__ import annotations

from hashrange.ops.shape import (
    Blob,
    Flag,
    Mapping,
    Sequence,
    Shape,
    Structure,
    TableText,
    Text,
    Whole,
)

TABLE_PATTERN = TableText.PATTERN

# ---- names ---------------------------------------------------------------------------------------

ITEM_TABLE = TableText(1)          # operations on items: a short name is just unknown
BATCH_TABLE = TableText(3)         # keys of RequestItems
TABLE = TableText(3)               # control plane
NEW_TABLE = TableText(3, pattern_first=True)
INDEX_NAME = Text(3, 255, pattern=TABLE_PATTERN)
ATTRIBUTE_NAME = Text(None, 65535)
VALUE_NAME = Text(None, 65535, late=True)  # of an item, a key, a map: `values.check_name`
ANY_TEXT = Text()

# ---- values --------------------------------------------------------------------------------------

_value_members: dict[str, Shape] = {}
ATTRIBUTE_VALUE = Structure("AttributeValue", _value_members, deferred=True)
_value_members.update(
    S=Text(),
    N=Text(),
    B=Blob(),
    SS=Sequence(Text()),
    NS=Sequence(Text()),
    BS=Sequence(Blob()),
    M=Mapping(VALUE_NAME, ATTRIBUTE_VALUE),
    L=Sequence(ATTRIBUTE_VALUE),
    NULL=Flag(),
    BOOL=Flag(),
)
ITEM = Mapping(VALUE_NAME, ATTRIBUTE_VALUE)
KEY = Mapping(VALUE_NAME, ATTRIBUTE_VALUE)
VALUE_LIST = Sequence(ATTRIBUTE_VALUE)

# ---- expressions ---------------------------------------------------------------------------------

EXPRESSION_NAMES = Mapping(ANY_TEXT, VALUE_NAME)
EXPRESSION_VALUES = Mapping(ANY_TEXT, ATTRIBUTE_VALUE)
ATTRIBUTES_TO_GET = Sequence(ATTRIBUTE_NAME, 1)

COMPARISON_OPERATOR = Text(
    enum=(
        "IN",
        "NULL",
        "BETWEEN",
        "LT",
        "NOT_CONTAINS",
        "EQ",
        "GT",
        "NOT_NULL",
        "NE",
        "LE",
        "BEGINS_WITH",
        "GE",
        "CONTAINS",
    )
)
CONDITIONAL_OPERATOR = Text(enum=("OR", "AND"))
CONDITION = Structure(
    "Condition",
    {"AttributeValueList": VALUE_LIST, "ComparisonOperator": COMPARISON_OPERATOR},
    ("ComparisonOperator",),
)
CONDITIONS = Mapping(ATTRIBUTE_NAME, CONDITION)
EXPECTED = Mapping(
    ATTRIBUTE_NAME,
    Structure(
        "ExpectedAttributeValue",
        {
            "AttributeValueList": VALUE_LIST,
            "ComparisonOperator": COMPARISON_OPERATOR,
            "Exists": Flag(),
            "Value": ATTRIBUTE_VALUE,
        },
    ),
)
ATTRIBUTE_UPDATES = Mapping(
    ATTRIBUTE_NAME,
    Structure(
        "AttributeValueUpdate",
        {"Action": Text(enum=("ADD", "PUT", "DELETE")), "Value": ATTRIBUTE_VALUE},
    ),
)

# ---- what is returned ----------------------------------------------------------------------------

RETURN_CAPACITY = Text(enum=("INDEXES", "TOTAL", "NONE"))
RETURN_METRICS = Text(enum=("SIZE", "NONE"))
RETURN_VALUES = Text(enum=("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"))
RETURN_ON_FAILURE = Text(enum=("ALL_OLD", "NONE"))
SELECT = Text(enum=("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"))
LIMIT = Whole("Integer", 1)
REQUEST_TOKEN = Text(1, 36)
