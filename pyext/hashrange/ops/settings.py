"""Settings of a table besides keys and throughput: stream, encryption, class, tags.

Each has rules of its own for a new table and for a change, in the service's words. Streams and
encryption are carried for the parts that act on them.

Sources: messages as observed on the service in 2026; the tag rules likewise (letters, digits,
spaces and + - = . _ : / @, any script).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from hashrange.errors import ValidationError, invalid_parameter, java_list
from hashrange.ops.table_requests import TABLE_CLASS

TAGS_MAX = 50
TAG_KEY_MAX = 128
TAG_VALUE_MAX = 256
TAG_PUNCTUATION = frozenset("+-=._:/@")

Request = dict[str, Any]


# ---- streams -------------------------------------------------------------------------------------


def check_new_stream(stream: Request | None) -> None:
    """Check StreamSpecification of a new table."""
    if stream is None:
        return
    view = stream.get("StreamViewType")
    if stream["StreamEnabled"] and view is None:
        raise invalid_parameter(
            "Table is being created with a stream enabled, UpdateViewType is required"
        )
    if not stream["StreamEnabled"] and view is not None:
        raise invalid_parameter(
            "Table is being created with a stream disabled, UpdateViewType should not be specified"
        )


def check_stream_form(stream: Request) -> None:
    """Check StreamSpecification of a change by itself."""
    view = stream.get("StreamViewType")
    if stream["StreamEnabled"] and view is None:
        raise invalid_parameter("If stream is being enabled then UpdateViewType is required")
    if not stream["StreamEnabled"] and view is not None:
        raise invalid_parameter(
            "If stream is being disabled, then UpdateViewType must not be specified"
        )


def check_stream_change(stream: Request, table: str, *, enabled: bool) -> None:
    """Refuse to enable what is on, or disable what is off."""
    if stream["StreamEnabled"] and enabled:
        raise ValidationError(f"Table already has an enabled stream: TableName: {table}")
    if not stream["StreamEnabled"] and not enabled:
        raise ValidationError(f"Table has no stream to disable: TableName: {table}")


def stream_label(now: float) -> str:
    """Return the label of a stream enabled now: the time, to the millisecond."""
    millis = round(now * 1000)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis // 1000))
    return f"{moment}.{millis % 1000:03d}"


# ---- encryption ----------------------------------------------------------------------------------


def check_encryption(sse: Request | None) -> bool:
    """Check SSESpecification; return whether it asks for a key other than the service's own."""
    if not sse:
        return False
    kind, key, enabled = sse.get("SSEType"), sse.get("KMSMasterKeyId"), sse.get("Enabled")
    if enabled is False:
        for member, value in (("SSEType", kind), ("KMSMasterKeyId", key)):
            if value is not None:
                raise invalid_parameter(f"{member} can not be specified if Enabled is false")
        return False
    if kind == "AES256":
        raise invalid_parameter("SSEType AES256 is not supported")
    if key is not None and kind != "KMS":
        raise invalid_parameter("SSEType KMS is required if KMSMasterKeyId is specified")
    return enabled is True or kind == "KMS"


def check_encryption_change(sse: Request, current: Request | None, key_arn: str) -> None:
    """Refuse a change that changes nothing.

    current: SSEDescription as it is, None for the service's own key. key_arn: that of the key asked
    for.
    """
    if not check_encryption(sse):
        if current is None:
            raise invalid_parameter("Table is already encrypted by default")
    elif current is not None and sse.get("KMSMasterKeyId") == current["KMSMasterKeyArn"] == key_arn:
        raise invalid_parameter(
            "Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter "
            "if you want to change Master Key"
        )


def encryption(key_arn: str, status: str) -> dict[str, str]:
    """Return SSEDescription."""
    return {"Status": status, "SSEType": "KMS", "KMSMasterKeyArn": key_arn}


# ---- class ---------------------------------------------------------------------------------------


def check_class(table_class: str | None) -> None:
    """Check TableClass, whose wrong values the service refuses in words of its own."""
    values = TABLE_CLASS.enum or ()
    if table_class is not None and table_class not in values:
        raise ValidationError(
            "Invalid table-class parameter provided. Please try again with a valid table-class "
            f"value: {java_list(values)}."
        )


# ---- tags ----------------------------------------------------------------------------------------


def checked_tags(tags: Iterable[Request]) -> dict[str, str]:
    """Return tags as a dict, checked. Raises ValidationError."""
    checked: dict[str, str] = {}
    for tag in tags:
        key, value = tag.get("Key"), tag.get("Value")
        check_tag_key(key)
        if value is None or len(value) > TAG_VALUE_MAX or not tag_text(value):
            shown = "null" if value is None else value
            raise ValidationError(f"The Tag Value provided is invalid, Value: {shown}")
        if key in checked:
            raise ValidationError(
                f"Duplicate Tag Keys provided as input: Duplicate Tag Key found {key}"
            )
        checked[str(key)] = value
    check_tag_count(len(checked))
    return checked


def check_tag_key(key: str | None) -> None:
    """Check one tag key."""
    if not key or len(key) > TAG_KEY_MAX or not tag_text(key):
        shown = "null" if key is None else key
        raise ValidationError(f"The Tag Key provided is invalid, Key: {shown}")
    if key.startswith("aws:"):
        raise ValidationError(f"Tag Key cannot be prefixed with aws:, Key: {key}")


def tag_text(text: str) -> bool:
    """Tell whether a tag may hold this text."""
    return all(
        character in TAG_PUNCTUATION
        or character.isspace()
        or character.isalpha()
        or character.isnumeric()
        for character in text
    )


def check_tag_count(count: int) -> None:
    """Refuse more than 50 tags."""
    if count > TAGS_MAX:
        raise ValidationError(
            "Number of Tags exceed the current limit for the provided ResourceArn"
        )
