"""Requests and items that the tests of single operations share.

`songs` is the table of most of them: artist (S) and track (N); a local index by title, a global
one by genre and released with some attributes, and a global one by label with all.
"""

from __future__ import annotations

from typing import Any

ACCOUNT = "123456789012"
ARN = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/"
ONE = "1 validation error detected: "
INVALID = "One or more parameter values were invalid: "
NOT_VALID = "One or more parameter values are not valid. "
VALIDATION = "ValidationException"
SERIALIZATION = "SerializationException"
NOT_FOUND = ("ResourceNotFoundException", "Requested resource not found")
FAILED = ("ConditionalCheckFailedException", "The conditional request failed")
NO_MATCH = "The provided key element does not match the schema"
EMPTY_VALUE = (
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
)
MIXED = (
    "Can not use both expression and non-expression parameters in the same request: "
    "Non-expression parameters: {%s} Expression parameters: {%s}"
)
PATTERN = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
LEAST = "Member must have length greater than or equal to "
MOST = "Member must have length less than or equal to "
CAPACITY_VALUES = "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
METRICS_VALUES = "Member must satisfy enum value set: [SIZE, NONE]"
KB = 1024

Request = dict[str, Any]
Item = dict[str, Any]


def invalid(words: str) -> tuple[str, str]:
    """Return a ValidationException with these words."""
    return VALIDATION, words


def enveloped(words: str) -> tuple[str, str]:
    """Return a ValidationException that counts one error, as single writes word theirs."""
    return VALIDATION, ONE + words


def broken(value: str | None, path: str, rule: str) -> str:
    """Return what is said of a member that breaks a constraint; None: it is absent."""
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def listed(*failures: str) -> tuple[str, str]:
    """Return a ValidationException that lists broken constraints."""
    noun = "error" if len(failures) == 1 else "errors"
    return VALIDATION, f"{len(failures)} validation {noun} detected: {'; '.join(failures)}"


def missing(*paths: str) -> tuple[str, str]:
    """Return a ValidationException that lists absent members."""
    return listed(*(broken(None, path, "Member must not be null") for path in paths))


def keys(*names: str, kinds: str = "HR") -> list[dict[str, str]]:
    """Return a key schema."""
    words = {"H": "HASH", "R": "RANGE"}
    return [
        {"AttributeName": name, "KeyType": words[kind]}
        for name, kind in zip(names, kinds, strict=False)
    ]


def songs(**members: Any) -> Request:
    """Return the CreateTable request of songs; a member given as None is left out."""
    types = {"artist": "S", "track": "N", "title": "S", "genre": "S", "released": "N", "label": "B"}
    request = {
        "TableName": "songs",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in types.items()
        ],
        "KeySchema": keys("artist", "track"),
        "LocalSecondaryIndexes": [
            {
                "IndexName": "by_title",
                "KeySchema": keys("artist", "title"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by_genre",
                "KeySchema": keys("genre", "released"),
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["stars"]},
            },
            {
                "IndexName": "by_label",
                "KeySchema": keys("label"),
                "Projection": {"ProjectionType": "ALL"},
            },
        ],
        **members,
    }
    return {name: value for name, value in request.items() if value is not None}


def notes(**members: Any) -> Request:
    """Return the CreateTable request of notes: id (S), nothing else."""
    return {
        "TableName": "notes",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": keys("id"),
        **members,
    }


def typed(value: Any) -> Any:
    """Return a value in typed form: str is S, int is N, bytes are B; a dict is typed already."""
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": value}
    return {"N": str(value)} if isinstance(value, int) else value


def song(artist: str = "ada", track: int = 1, **attributes: Any) -> Item:
    """Return an item of songs, or its key when there are no other attributes."""
    values = {"artist": artist, "track": track, **attributes}
    return {name: typed(value) for name, value in values.items()}


def note(id: str, **attributes: Any) -> Item:
    """Return an item of notes, or its key."""
    return {name: typed(value) for name, value in {"id": id, **attributes}.items()}


def sized(size_bytes: int, item: Item) -> Item:
    """Return an item padded with an attribute x to a DynamoDB size.

    item: strings and integers of one or two digits only.
    """
    used = sum(
        len(name) + (2 if "N" in value else len(value["S"])) for name, value in item.items()
    )
    return {**item, "x": {"S": "x" * (size_bytes - used - 1)}}


def shown(units: float, table: float | None = None, /, **arms: Any) -> dict[str, Any]:
    """Return ConsumedCapacity of songs: the total, then as INDEXES has it.

    arms: units of indexes by their names.
    """
    answer: dict[str, Any] = {"TableName": "songs", "CapacityUnits": units}
    if table is not None:
        answer["Table"] = {"CapacityUnits": table}
    for name, cost in arms.items():
        member = "LocalSecondaryIndexes" if name == "by_title" else "GlobalSecondaryIndexes"
        answer.setdefault(member, {})[name] = {"CapacityUnits": cost}
    return answer


def values(**given: Any) -> dict[str, Any]:
    """Return ExpressionAttributeValues: a=1 is :a."""
    return {f":{name}": typed(value) for name, value in given.items()}


def equals(*given: Any, operator: str = "EQ") -> dict[str, Any]:
    """Return a condition of the old form."""
    return {
        "ComparisonOperator": operator,
        "AttributeValueList": [typed(value) for value in given],
    }
