"""Indexes in the native API's terms: what they are, and values to keys of their entries and back.

Theory of operation. `Index` is how a caller describes an index and has it described. `IndexView` is
one index ready for reading: a table keeps its views until a schema changes. An entry lies in a
hidden table under (hash key, range key): the parts of the index's key one behind the other, each
with its zero bytes written as 00 FF and 00 00 at its end, and in the range key the item's own key
behind them (`ddbcore.indexes`). So a tuple of values, or the beginning of one, is a range of bytes.

Invariants. (1) `position` and `key_of` are each other's inverse.

Threads: any.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ddbcore.errors import ValidationError
from ddbcore.item import ItemCodec
from ddbcore.table import CoreTable

if TYPE_CHECKING:
    from hashrange.table import Table

__all__ = ["Index", "IndexView", "create_index", "drop_index", "index_descriptions", "index_views"]

KeyPart = tuple[str, str]
KeyParts = KeyPart | Sequence[KeyPart]
PARTS_MAX = 4  # attributes of an index's hash key, and of its range key
HEADER = struct.Struct("<IBBHHHI")  # of a record: FORMAT.md, "Records"
RECORD_DELETE = 2


class Index(NamedTuple):
    """An index: what create_table takes and indexes() returns.

    hash_key, range_key: (attribute name, type) or a list of up to four of them. hash_key None: the
    table's, which makes it a local index. project: what reads of it show: "all", "keys", or a list
    of attribute names in addition to the keys. The rest is for descriptions: status "ACTIVE" or
    "CREATING", the number of entries and their DynamoDB sizes in bytes.
    """

    hash_key: KeyParts | None = None
    range_key: KeyParts | None = None
    project: str | Sequence[str] = "all"
    is_global: bool = True
    status: str = "ACTIVE"
    item_count: int = 0
    size_bytes: int = 0


# ---- reading -------------------------------------------------------------------------------------


class IndexView:
    """One index of a table, for reads."""

    def __init__(self, table: Table, definition: Mapping[str, Any], building: bool) -> None:
        self.name: str = definition["name"]
        self.is_global: bool = definition["global"]
        self.building = building
        self.hash_parts = [(name, kind) for name, kind in definition["hash"]]
        self.range_parts = [(name, kind) for name, kind in definition["range"]]
        self.codec = table.codec
        self.entries = CoreTable(table.engine, f"{table.name}/{self.name}")
        own_keys = [part[0] for part in table.key_schema() if part is not None]
        self.key_names = [name for name, _ in (*self.hash_parts, *self.range_parts)]
        self.projected: tuple[str, ...] | None = None
        if definition["projection"] != "ALL":
            shown = dict.fromkeys([*own_keys, *self.key_names, *sorted(definition["include"])])
            self.projected = tuple(shown)
        # Of hash parts the hash key of a codec, of range parts its range key: their limits differ.
        self.codecs = {
            name: ItemCodec(name, kind) if place < len(self.hash_parts)
            else ItemCodec(f"not {name}", "S", name, kind)
            for place, (name, kind) in enumerate((*self.hash_parts, *self.range_parts))
        }

    def part(self, name: str, value: Any, *, prefix: bool = False) -> bytes:
        """Return a value as a part of the key; prefix: as one that others begin with."""
        codec = self.codecs[name]
        data, _ = codec.key_value(value, codec.range_name is not None, prefix)
        return data.replace(b"\0", b"\0\xff") + (b"" if prefix else b"\0\0")

    def hash_bytes(self, hash: Any) -> bytes:
        """Return the hash key of entries: of one value, or of a tuple of as many as it has."""
        values = hash if isinstance(hash, (tuple, list)) else (hash,)
        if len(values) != len(self.hash_parts):
            names = ", ".join(name for name, _ in self.hash_parts)
            raise ValidationError(f"the hash key of index {self.name} is ({names}), not {hash!r}")
        pairs = zip(self.hash_parts, values, strict=True)
        return b"".join([self.part(name, value) for (name, _), value in pairs])

    def range_bytes(self, values: Any, *, prefix: bool = False) -> bytes:
        """Return what the range keys of entries with these first values begin with."""
        values = values if isinstance(values, (tuple, list)) else (values,)
        if not 1 <= len(values) <= len(self.range_parts):
            names = ", ".join(name for name, _ in self.range_parts)
            raise ValidationError(
                f"the range key of index {self.name} is ({names}), not {values!r}"
            )
        last = len(values) - 1
        if prefix and self.range_parts[last][1] == "N":
            raise ValidationError("begins_with is for range keys of type S or B")
        return b"".join([
            self.part(name, value, prefix=prefix and place == last)
            for place, ((name, _), value) in enumerate(
                zip(self.range_parts, values, strict=False)
            )
        ])

    def bounds(self, given: Mapping[str, Any]) -> dict[str, bytes]:
        """Return bounds of entries' range keys: of eq, ge, gt, le, lt, between, begins_with.

        A tuple with fewer values than the key has stands for all keys that begin with them.
        """
        lower: bytes | None = None
        upper: bytes | None = None
        for word, value in given.items():
            if word == "between":
                lower, upper = self.range_bytes(value[0]), following(self.range_bytes(value[1]))
                continue
            data = self.range_bytes(value, prefix=word == "begins_with")
            if word in ("eq", "begins_with"):
                lower, upper = data, following(data)
            elif word in ("ge", "gt"):
                lower = data if word == "ge" else following(data)
            else:
                upper = following(data) if word == "le" else data
        found = {"ge": lower, "lt": upper}
        return {word: data for word, data in found.items() if data}

    def position(self, key: Any) -> tuple[bytes, bytes]:
        """Return hash and range key of the entry that a last_key (or an item) names."""
        if not isinstance(key, Mapping):
            raise ValidationError(
                f"after= of index {self.name} is its last_key, a dict, not {key!r:.100}"
            )
        try:
            hash_key = b"".join([self.part(name, key[name]) for name, _ in self.hash_parts])
            range_key = b"".join([self.part(name, key[name]) for name, _ in self.range_parts])
            for name, is_range in ((self.codec.hash_name, False), (self.codec.range_name, True)):
                if name is not None:
                    data, _ = self.codec.key_value(key[name], is_range)
                    range_key += data.replace(b"\0", b"\0\xff") + b"\0\0"
        except KeyError as error:
            raise ValidationError(f"after= lacks the key attribute {error.args[0]!r}") from None
        return hash_key, range_key

    def key_of(self, hash_key: bytes, range_key: bytes) -> dict[str, Any]:
        """Return the last_key of an entry: the attributes of the index's key and the item's."""
        parts = [*split_parts(hash_key), *split_parts(range_key)]
        key = {
            name: value_of(self.codecs[name], data)
            for name, data in zip(self.key_names, parts, strict=False)
        }
        own = parts[len(self.key_names):]
        header = HEADER.pack(
            HEADER.size + sum(map(len, own)), RECORD_DELETE, 0, len(own[0]),
            len(own[1]) if len(own) > 1 else 0, 0, 0,
        )
        found = self.codec.decode_record_key(header + b"".join(own))
        if self.codec.range_name is None:
            key[self.codec.hash_name] = found
        else:
            key[self.codec.hash_name], key[self.codec.range_name] = found
        return key


def value_of(codec: ItemCodec, data: bytes) -> Any:
    """Return the value of one part's key bytes."""
    if codec.range_name is None:
        header = HEADER.pack(HEADER.size + len(data), RECORD_DELETE, 0, len(data), 0, 0, 0)
        return codec.decode_record_key(header + data)
    size = HEADER.size + 1 + len(data)
    header = HEADER.pack(size, RECORD_DELETE, 0, 1, len(data), 0, 0)
    return codec.decode_record_key(header + b"-" + data)[1]


def split_parts(key: bytes) -> list[bytes]:
    """Return the parts of a key, without their ends and escapes."""
    parts, start, place = [], 0, 0
    while (place := key.find(b"\0", place)) >= 0:
        if key[place + 1 : place + 2] == b"\0":
            parts.append(key[start:place].replace(b"\0\xff", b"\0"))
            start = place + 2
        place += 2
    return parts


def following(prefix: bytes) -> bytes | None:
    """Return the least bytes that are greater than all that begin with `prefix`; None for none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None


def index_views(table: Table) -> dict[str, IndexView]:
    """Return the indexes of a table by name, as they are in the present schema."""
    state = table.engine.tables[table.engine.names[table.name]]
    assert state is not None
    building = {
        entry["IndexName"]
        for entry in (state.meta or {}).get("GlobalSecondaryIndexes", ())
        if entry.get("Building")
    }
    dropping = {
        entry["IndexName"]
        for entry in (state.meta or {}).get("GlobalSecondaryIndexes", ())
        if entry.get("Dropping")
    }
    return {
        definition["name"]: IndexView(table, definition, definition["name"] in building)
        for definition in state.index_list
        if definition["name"] not in dropping
    }


# ---- making and dropping -------------------------------------------------------------------------


def parts_of(argument: str, key: KeyParts | None) -> list[KeyPart]:
    """Return the parts of a key: of one pair, or of a list of up to four."""
    if key is None:
        return []
    if isinstance(key, (tuple, list)):
        pairs = [key] if len(key) == 2 and isinstance(key[0], str) else list(key)
        good = [
            (pair[0], pair[1])
            for pair in pairs
            if isinstance(pair, (tuple, list))
            and len(pair) == 2
            and isinstance(pair[0], str)
            and pair[1] in ("S", "N", "B")
        ]
        if good and len(good) == len(pairs) <= PARTS_MAX:
            return good
    raise ValidationError(
        f'{argument} is a pair of attribute name and type "S", "N" or "B", such as ("id", "S"), '
        f"or a list of up to {PARTS_MAX} pairs, not {key!r}"
    )


def projection_of(project: str | Sequence[str]) -> dict[str, Any]:
    """Return a Projection of the service's form."""
    if project == "all":
        return {"ProjectionType": "ALL"}
    if project == "keys":
        return {"ProjectionType": "KEYS_ONLY"}
    if isinstance(project, str) or not all(isinstance(name, str) for name in project):
        raise ValidationError(
            f'project= is "all", "keys" or a list of attribute names, not {project!r}'
        )
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(project)}


def index_request(
    name: str, hash_parts: list[KeyPart], range_parts: list[KeyPart], project: str | Sequence[str]
) -> dict[str, Any]:
    """Return an index as requests of the service name it."""
    return {
        "IndexName": name,
        "KeySchema": [
            *({"AttributeName": part, "KeyType": "HASH"} for part, _ in hash_parts),
            *({"AttributeName": part, "KeyType": "RANGE"} for part, _ in range_parts),
        ],
        "Projection": projection_of(project),
    }


def definitions_of(parts: Sequence[KeyPart]) -> list[dict[str, str]]:
    """Return AttributeDefinitions. Raises ValidationError for an attribute of two types."""
    types: dict[str, str] = {}
    for name, kind in parts:
        if types.setdefault(name, kind) != kind:
            raise ValidationError(f"key attribute {name!r} has the types {types[name]} and {kind}")
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def create_request(
    name: str, hash_key: KeyPart, range_key: KeyPart | None, indexes: Mapping[str, Index]
) -> dict[str, Any]:
    """Return a CreateTable request for a table with indexes."""
    own_range = [] if range_key is None else [range_key]
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": index_request(name, [hash_key], own_range, "all")["KeySchema"],
    }
    parts = [hash_key, *own_range]
    for index_name, index in indexes.items():
        local = index.hash_key is None
        hash_parts = [hash_key] if local else parts_of("hash_key", index.hash_key)
        range_parts = parts_of("range_key", index.range_key)
        parts += hash_parts + range_parts
        member = "LocalSecondaryIndexes" if local else "GlobalSecondaryIndexes"
        request.setdefault(member, []).append(
            index_request(index_name, hash_parts, range_parts, index.project)
        )
    request["AttributeDefinitions"] = definitions_of(parts)
    return request


def create_index(
    table: Table,
    name: str,
    hash_key: KeyParts,
    range_key: KeyParts | None,
    project: str | Sequence[str],
    *,
    wait: bool,
) -> None:
    """Add a global index and fill it."""
    hash_parts = parts_of("hash_key", hash_key)
    range_parts = parts_of("range_key", range_key)
    known = [part for part in table.key_schema() if part is not None]
    for view in index_views(table).values():
        known += [*view.hash_parts, *view.range_parts]
    definitions_of([*known, *hash_parts, *range_parts])  # an attribute has one type in all keys
    request = {
        "TableName": table.name,
        "AttributeDefinitions": definitions_of([*hash_parts, *range_parts]),
        "GlobalSecondaryIndexUpdates": [
            {"Create": index_request(name, hash_parts, range_parts, project)}
        ],
    }
    table.database._update_indexes(request, wait=wait)


def drop_index(table: Table, name: str) -> None:
    """Drop a global index."""
    request = {
        "TableName": table.name,
        "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}],
    }
    table.database._update_indexes(request, wait=True)


def plain(parts: list[KeyPart]) -> KeyParts | None:
    """Return a key as Index has it: a pair, or a list of several."""
    return None if not parts else parts[0] if len(parts) == 1 else parts


def index_descriptions(table: Table) -> dict[str, Index]:
    """Return the indexes of a table, described."""
    own = {part[0] for part in table.key_schema() if part is not None}
    found = {}
    for name, view in sorted(index_views(table).items()):
        project: str | list[str] = "all"
        if view.projected is not None:
            held = own | set(view.key_names)
            project = [shown for shown in view.projected if shown not in held] or "keys"
        found[name] = Index(
            plain(view.hash_parts),
            plain(view.range_parts),
            project,
            view.is_global,
            "CREATING" if view.building else "ACTIVE",
            view.entries.count(),
            view.entries.size_bytes(),
        )
    return found
