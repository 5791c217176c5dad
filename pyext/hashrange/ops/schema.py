"""Keys and projections: the rules of CreateTable and of new indexes, in the service's words.

Theory of operation. The service looks first whether attributes and keys fit together, then at each
index, then at how many there are. Names in its messages stand in the order of the Java set that it
collects them in; `java_set` gives that order (found by matching observed messages).

Sources: messages observed on the service in 2026; the limits of the developer guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hashrange.errors import ValidationError, invalid_parameter, java_list

LOCAL_INDEXES_MAX = 5
GLOBAL_INDEXES_MAX = 20
KEY_ATTRIBUTES_MAX = 4       # of each kind, in a global index
PROJECTED_MAX = 100          # attributes named by INCLUDE, over all indexes of a table
JAVA_SET_CAPACITY = 16

Request = dict[str, Any]
KeySchema = list[dict[str, str]]


# ---- names in the service's order ----------------------------------------------------------------


def java_hash(text: str) -> int:
    """Return String.hashCode, spread as java.util.HashMap does."""
    value = 0
    for unit in memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H"):
        value = (31 * value + unit) & 0xFFFFFFFF
    return value ^ (value >> 16)


def java_set(names: Iterable[str], capacity: int = JAVA_SET_CAPACITY) -> list[str]:
    """Return distinct names in the order of a java.util.HashSet of this initial capacity."""
    distinct = list(dict.fromkeys(names))
    while len(distinct) * 4 > capacity * 3:
        capacity *= 2
    return sorted(distinct, key=lambda name: java_hash(name) & (capacity - 1))


def names_of(schema: Sequence[dict[str, str]]) -> list[str]:
    """Return the attribute names of a key schema or of attribute definitions."""
    return [element["AttributeName"] for element in schema]


# ---- keys ----------------------------------------------------------------------------------------


def check_definitions(definitions: Sequence[dict[str, str]]) -> None:
    """Refuse an attribute that is defined twice."""
    seen: set[str] = set()
    for name in names_of(definitions):
        check_text(name)
        if name in seen:
            raise ValidationError(f"Attribute Name is duplicated: {name}")
        seen.add(name)


def check_text(name: str) -> None:
    """Refuse an attribute name that is no text; the words are ours, the service meets no such."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ValidationError(
            f"attribute name {name!r} has a lone surrogate, so it is not Unicode text"
        ) from None


def check_defined(schema: KeySchema, definitions: Sequence[dict[str, str]]) -> None:
    """Refuse key attributes without a definition."""
    keys, defined = names_of(schema), names_of(definitions)
    if len(keys) > len(defined):
        raise ValidationError("Invalid KeySchema: Some index key attribute have no definition")
    if not set(keys) <= set(defined):
        raise invalid_parameter(
            "Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: {java_list(keys)}, AttributeDefinitions: {java_list(compact(defined))}"
        )


def compact(names: list[str]) -> list[str]:
    """Return names in the order of a set that was made to hold just as many."""
    return java_set(names, 1 << max(len(names) - 1, 0).bit_length())


def check_key_pair(schema: KeySchema) -> None:
    """Check the order of a key of one or two attributes: a table's or a local index's."""
    names = names_of(schema)
    if len(names) == 2 and names[0] == names[1]:
        raise ValidationError(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name"
        )
    check_first_is_hash(schema)
    if len(schema) == 2 and schema[1]["KeyType"] != "RANGE":
        raise ValidationError(
            "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"
        )


def check_first_is_hash(schema: KeySchema) -> None:
    """Check that a key starts with a hash attribute."""
    if schema[0]["KeyType"] != "HASH":
        raise ValidationError(
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
        )


def check_global_key(schema: KeySchema) -> None:
    """Check the key of a global index: up to four hash, then up to four range attributes."""
    check_first_is_hash(schema)
    kinds = [element["KeyType"] for element in schema]
    for kind in ("HASH", "RANGE"):
        if kinds.count(kind) > KEY_ATTRIBUTES_MAX:
            raise invalid_parameter(
                f"The KeySchema exceeds the maximum allowed number of {kind} key attributes"
            )
    if kinds != sorted(kinds):
        raise invalid_parameter(
            "All HASH key attributes must precede RANGE key attributes in the KeySchema"
        )
    if len(set(names_of(schema))) != len(schema):
        raise ValidationError("The KeySchema contains multiple key attributes with the same name")


# ---- projections ---------------------------------------------------------------------------------


def check_projection(projection: Request) -> None:
    """Check what an index copies of its items."""
    kind = projection.get("ProjectionType")
    names = projection.get("NonKeyAttributes")
    if kind is None:
        raise invalid_parameter("Unknown ProjectionType: null")
    if kind != "INCLUDE" and names is not None:
        raise invalid_parameter(f"ProjectionType is {kind}, but NonKeyAttributes is specified")
    if kind == "INCLUDE" and names is None:
        raise invalid_parameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
    seen: set[str] = set()
    for name in names or ():
        check_text(name)
        if name in seen:
            raise invalid_parameter(f"Duplicate element in NonKeyAttributes: {name}")
        seen.add(name)


def check_projected_count(indexes: Iterable[Request]) -> None:
    """Refuse more than 100 projected attributes over all indexes of a table.

    Source of the rule: developer guide, limits of secondary indexes. The words are ours.
    """
    count = sum(len(index["Projection"].get("NonKeyAttributes") or ()) for index in indexes)
    if count > PROJECTED_MAX:
        raise invalid_parameter(
            "Total number of NonKeyAttributes across all secondary indexes exceeds the limit of "
            f"{PROJECTED_MAX}"
        )


# ---- CreateTable ---------------------------------------------------------------------------------


def check_new_table(request: Request) -> None:
    """Check attribute definitions, key and indexes of a CreateTable request."""
    definitions, schema = request["AttributeDefinitions"], request["KeySchema"]
    check_definitions(definitions)
    check_defined(schema, definitions)
    check_key_pair(schema)
    local_indexes = request.get("LocalSecondaryIndexes")
    global_indexes = request.get("GlobalSecondaryIndexes")
    for member, indexes in (
        ("LocalSecondaryIndexes", local_indexes),
        ("GlobalSecondaryIndexes", global_indexes),
    ):
        if indexes is not None and not indexes:
            raise invalid_parameter(f"List of {member} is empty")
    indexes = [*(local_indexes or ()), *(global_indexes or ())]
    check_all_used(schema, indexes, definitions)
    names: set[str] = set()
    for index in local_indexes or ():
        check_local_index(index, schema)
        check_index_name(index["IndexName"], names)
    for index in global_indexes or ():
        check_global_key(index["KeySchema"])
        check_projection(index["Projection"])
        check_index_name(index["IndexName"], names)
    if len(local_indexes or ()) > LOCAL_INDEXES_MAX:
        raise invalid_parameter(
            f"Number of LocalSecondaryIndexes exceeds per-table limit of {LOCAL_INDEXES_MAX}"
        )
    if len(global_indexes or ()) > GLOBAL_INDEXES_MAX:
        raise invalid_parameter(
            f"GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_INDEXES_MAX}"
        )
    check_projected_count(indexes)


def check_all_used(
    schema: KeySchema, indexes: Sequence[Request], definitions: Sequence[dict[str, str]]
) -> None:
    """Refuse index keys without a definition, then definitions that no key uses."""
    for index in indexes:
        check_defined(index["KeySchema"], definitions)
    used = names_of(schema)
    for index in indexes:
        used += names_of(index["KeySchema"])
    defined = names_of(definitions)
    if set(defined) <= set(used):
        return
    if not indexes:
        raise invalid_parameter(
            "Number of attributes in KeySchema does not exactly match number of attributes "
            "defined in AttributeDefinitions"
        )
    raise invalid_parameter(
        "Some AttributeDefinitions are not used. AttributeDefinitions: "
        f"{java_list(compact(defined))}, keys used: {java_list(java_set(used))}"
    )


def check_local_index(index: Request, table_schema: KeySchema) -> None:
    """Check a local index against its table's key."""
    schema, name = index["KeySchema"], index["IndexName"]
    if len(table_schema) != 2:
        raise invalid_parameter(
            "Table KeySchema does not have a range key, which is required when specifying a "
            "LocalSecondaryIndex"
        )
    check_key_pair(schema)
    if len(schema) != 2:
        raise invalid_parameter(f"Index KeySchema does not have a range key for index: {name}")
    hash_name, table_hash = schema[0]["AttributeName"], table_schema[0]["AttributeName"]
    if hash_name != table_hash:
        raise invalid_parameter(
            "Index KeySchema does not have the same leading hash key as table KeySchema for "
            f"index: {name}. index hash key: {hash_name}, table hash key: {table_hash}"
        )
    check_projection(index["Projection"])


def check_index_name(name: str, names: set[str]) -> None:
    """Refuse an index name that occurred; remember it."""
    if name in names:
        raise invalid_parameter(f"Duplicate index name: {name}")
    names.add(name)


# ---- UpdateTable ---------------------------------------------------------------------------------


def check_new_index(index: Request, definitions: Sequence[dict[str, str]] | None) -> None:
    """Check an index that UpdateTable adds, as far as the request alone tells.

    definitions: AttributeDefinitions of the request; they must name the index's key attributes,
    also those that the table has already.
    """
    if not definitions:
        raise invalid_parameter(
            f"AttributeDefinitions is not specified for index: {index['IndexName']}"
        )
    check_definitions(definitions)
    check_defined(index["KeySchema"], definitions)
    check_global_key(index["KeySchema"])
    check_projection(index["Projection"])
