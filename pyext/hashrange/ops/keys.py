"""Keys of tables and indexes: what of a request's key or item does not fit them.

Theory of operation. A `KeyShape` is the key of a table or an index: attribute names with their
types, hash attributes first. Reads and deletes name exactly the key; a put has it among its
attributes and must also fit every index that it comes into.

Sources: messages as observed on the service; sizes: developer guide.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ddbcore import misfits
from hashrange.errors import ValidationError, invalid_parameter, item_index_not_found
from hashrange.ops.catalog import Meta
from hashrange.ops.values import TypedItem, TypedValue, type_of

HASH_BYTES_MAX = 2048
RANGE_BYTES_MAX = 1024
PLAIN_LENGTH_MAX = RANGE_BYTES_MAX // 4      # characters that fit, whatever they are
EMPTY_KEY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute"
)
EMPTY_KINDS = {"S": "string", "B": "binary"}


@dataclass(frozen=True, slots=True)
class KeyShape:
    """A key: (name, type) of each attribute, the first `hash_count` of them hash attributes."""

    attributes: tuple[tuple[str, str], ...]
    hash_count: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """The attribute names, in order."""
        return tuple(name for name, _ in self.attributes)


@dataclass(frozen=True, slots=True)
class Index:
    """An index as reads and writes see it.

    projected: extra attributes; None for all. building: it does not have all its entries yet.
    """

    name: str
    key: KeyShape
    is_global: bool
    projected: frozenset[str] | None
    building: bool = False


def key_shape(holder: Meta, definitions: list[dict[str, str]]) -> KeyShape:
    """Return the key of a table or index from its meta."""
    types = {entry["AttributeName"]: entry["AttributeType"] for entry in definitions}
    schema = holder["KeySchema"]
    return KeyShape(
        tuple((entry["AttributeName"], types[entry["AttributeName"]]) for entry in schema),
        sum(entry["KeyType"] == "HASH" for entry in schema),
    )


def indexes_of(meta: Meta) -> dict[str, Index]:
    """Return a table's indexes by name, local ones first; without those that are being dropped."""
    found = {}
    for member, is_global in (("LocalSecondaryIndexes", False), ("GlobalSecondaryIndexes", True)):
        for entry in meta[member]:
            if entry.get("Dropping"):
                continue
            projection = entry["Projection"]
            projected = (
                None
                if projection["ProjectionType"] == "ALL"
                else frozenset(projection.get("NonKeyAttributes") or ())
            )
            key = key_shape(entry, meta["AttributeDefinitions"])
            name, building = entry["IndexName"], bool(entry.get("Building"))
            found[name] = Index(name, key, is_global, projected, building)
    return found


def index_of(indexes: dict[str, Index], name: str) -> Index:
    """Return an index that Query or Scan names. Raises ValidationError."""
    if name not in indexes:
        raise item_index_not_found(name)
    if indexes[name].building:
        raise ValidationError(f"Cannot read from backfilling global secondary index: {name}")
    return indexes[name]


def does_not_match() -> ValidationError:
    """Make the error of a key with other attributes or types than the table's."""
    return ValidationError("The provided key element does not match the schema")


def plainly_has(item: TypedItem, shape: KeyShape) -> bool:
    """Tell whether an item certainly has its key: short, in the right types, nothing empty."""
    for name, kind in shape.attributes:
        value = item.get(name)
        if value is None or len(value) != 1:
            return False
        inner = value.get(kind)
        if not inner or len(inner) > PLAIN_LENGTH_MAX:
            return False
    return True


def check_key(key: TypedItem, shape: KeyShape) -> None:
    """Check the Key of a read, update or delete: exactly the key attributes, in type and size."""
    if len(key) == len(shape.attributes) and plainly_has(key, shape):
        return
    if len(key) != len(shape.attributes):
        raise does_not_match()
    for name, kind in shape.attributes:
        if name not in key or type_of(key[name]) != kind:
            raise does_not_match()
    check_key_contents(key, shape)


def check_item_key(item: TypedItem, shape: KeyShape) -> None:
    """Check that a new item has its key, in type and size."""
    if plainly_has(item, shape):
        return
    for name, kind in shape.attributes:
        if name not in item:
            raise invalid_parameter(f"Missing the key {name} in the item")
        actual = type_of(item[name])
        if actual != kind:
            raise invalid_parameter(
                f"Type mismatch for key {name} expected: {kind} actual: {actual}"
            )
    check_key_contents(item, shape)


def check_key_contents(item: TypedItem, shape: KeyShape) -> None:
    """Refuse key values that are empty or too long."""
    for position, (name, kind) in enumerate(shape.attributes):
        size = key_size_bytes(item[name], kind)
        if size == 0:
            raise empty_key(name, kind, None)
        if position < shape.hash_count and size > HASH_BYTES_MAX:
            raise hash_too_long()
        if position >= shape.hash_count and size > RANGE_BYTES_MAX:
            raise range_too_long()


def empty_key(name: str, kind: str, index: str | None) -> ValidationError:
    """Make the error of an empty value of a key attribute: of an index's key, or the table's."""
    if index is None:
        return ValidationError(
            f"{EMPTY_KEY} cannot contain an empty {EMPTY_KINDS[kind]} value. Key: {name}"
        )
    return ValidationError(
        "One or more parameter values are not valid. A value specified for a secondary index key "
        "is not supported. The AttributeValue for a key attribute cannot contain an empty "
        f"{EMPTY_KINDS[kind]} value. IndexName: {index}, IndexKey: {name}"
    )


def hash_too_long() -> ValidationError:
    """Make the error of a hash key value that is too long; the service leaves out the space."""
    return invalid_parameter(
        f"Size of hashkey has exceeded the maximum size limit of{HASH_BYTES_MAX} bytes"
    )


def range_too_long() -> ValidationError:
    """Make the error of a range key value that is too long."""
    return invalid_parameter(
        f"Aggregated size of all range keys has exceeded the size limit of {RANGE_BYTES_MAX} bytes"
    )


def key_size_bytes(value: TypedValue, kind: str) -> int:
    """Return the size of a key value; 1 for a number, whose size is never a question."""
    inner: Any = value[kind]
    if kind == "S":
        return len(inner.encode("utf-8", "surrogatepass"))
    if kind == "B":
        return len(misfits.blob(inner) if isinstance(inner, str) else inner)
    return 1


def check_index_keys(item: TypedItem, indexes: dict[str, Index]) -> None:
    """Check what an item has of the indexes' key attributes: the types, and that none is empty.

    Of several indexes the error names the first by name.
    """
    try:
        check_index_keys_in_turn(item, indexes.values())
    except ValidationError:
        check_index_keys_in_turn(item, [indexes[name] for name in sorted(indexes)])
        raise


def check_index_types(item: TypedItem, indexes: dict[str, Index]) -> None:
    """Check the types of what an item has of the indexes' key attributes."""
    for index_name in sorted(indexes):
        for name, kind in indexes[index_name].key.attributes:
            if name in item:
                check_index_type(name, kind, item[name], index_name)


def check_index_type(name: str, kind: str, value: TypedValue, index: str) -> None:
    """Refuse a value of another type than an index's key has."""
    actual = type_of(value)
    if actual != kind:
        raise invalid_parameter(
            f"Type mismatch for Index Key {name} Expected: {kind} Actual: {actual} "
            f"IndexName: {index}"
        )


def check_index_keys_in_turn(item: TypedItem, indexes: Iterable[Index]) -> None:
    """Check an item against indexes until one does not fit. Raises ValidationError."""
    for index in indexes:
        for name, kind in index.key.attributes:
            if name not in item:
                continue
            check_index_type(name, kind, item[name], index.name)
            if key_size_bytes(item[name], kind) == 0:
                raise empty_key(name, kind, index.name)
