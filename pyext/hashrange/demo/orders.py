"""Orders in DynamoDB's export format: made, written, read.

A line of an export is `{"Item": {name: typed value, ...}}`, a typed value an object of one member:
the type's letters and the value, with numbers as text and bytes in base64. Files may be gzipped.

Made orders are the same for the same count and seed. They have what real ones have: a few customers
with thousands of orders and many with a handful, rising time stamps, nested lines and addresses,
text in several scripts, and each of the ten types in every item.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, BinaryIO, cast

Item = dict[str, Any]

CUSTOMER_COUNT = 4000
FIRST_TS = 1_700_000_000_000     # milliseconds of Unix time
WRITE_LINES = 1000               # lines joined into one write

FIRST_NAMES = ("ada", "alan", "barbara", "edsger", "frances", "grace", "ken", "leslie", "niklaus",
               "radia", "sofia", "tim")
LAST_NAMES = ("allen", "dijkstra", "hopper", "kay", "lamport", "liskov", "lovelace", "perlman",
              "ritchie", "turing", "wirth", "yao")
CITIES = (("Berlin", "10115", 52.52, 13.4), ("München", "80331", 48.14, 11.58),
          ("São Paulo", "01000", -23.55, -46.63), ("Kraków", "30-001", 50.06, 19.94),
          ("東京", "100-0001", 35.68, 139.69), ("Lagos", "100001", 6.52, 3.38),
          ("Austin", "73301", 30.27, -97.74), ("Αθήνα", "105 52", 37.98, 23.73))
STREETS = ("Linden Road", "Station Street", "Rue de l'Église", "Harbour Lane", "Market Square")
GOODS = (("tea-earl-grey-100", "Earl Grey, 100 g", 690), ("mug-blue", "Mug, blue", 1250),
         ("kettle-1l", "Kettle, 1 l", 4900), ("filter-paper-50", "Filter papers, 50", 320),
         ("honey-350", "Honey, 350 g", 845), ("pot-cast-iron", "Teapot, cast iron", 7999))
STATUSES = ("new", "paid", "paid", "paid", "packed", "shipped", "shipped", "returned")
TAGS = ("gift", "new", "repeat", "express", "fragile", "wholesale")
COUPONS = ("SPRING10", "WELCOME", "FREESHIP")
TAX_RATES = (["0.07", "0.19"], ["0.05"], ["0.08", "0.1"], ["0"])


# ---- making --------------------------------------------------------------------------------------


def make_typed_orders(count: int, seed: int) -> Iterator[Item]:
    """Yield `count` orders as typed JSON objects; no two have the same customer and ts."""
    chance = Random(seed)
    ts = FIRST_TS
    for index in range(count):
        ts += 1 + int(60_000 * chance.random())
        yield make_typed_order(chance, index, ts)


def make_typed_order(chance: Random, index: int, ts: int) -> Item:
    roll = chance.random
    customer = int(CUSTOMER_COUNT * roll() ** 3)     # cubed: few with many orders, many with few
    lines, total = make_lines(chance)
    city, postcode, latitude, longitude = CITIES[int(len(CITIES) * roll())]
    tags = {TAGS[int(len(TAGS) * roll())] for _ in range(1 + int(3 * roll()))}
    return {
        "customer": {"S": customer_name(customer)},
        "ts": {"N": str(ts)},
        "order_id": {"S": f"o-{index:08d}"},
        "status": {"S": STATUSES[int(len(STATUSES) * roll())]},
        "total": {"N": f"{total // 100}.{total % 100:02d}"},
        "weight_kg": {"N": f"{0.1 + 20 * roll():.3f}"},
        "invoiced": {"BOOL": roll() < 0.7},
        "coupon": {"S": COUPONS[int(3 * roll())]} if roll() < 0.2 else {"NULL": True},
        "returned_on": {"NULL": True},
        "lines": {"L": lines},
        "ship_to": {"M": {
            "street": {"S": f"{STREETS[int(len(STREETS) * roll())]} {1 + int(200 * roll())}"},
            "city": {"S": city},
            "postcode": {"S": postcode},
            "at": {"M": {"lat": {"N": f"{latitude + 0.1 * roll():.5f}"},
                         "lon": {"N": f"{longitude + 0.1 * roll():.5f}"}}},
        }},
        "tags": {"SS": sorted(tags)},
        "tax_rates": {"NS": TAX_RATES[int(len(TAX_RATES) * roll())]},
        "signature": {"B": encode(chance.randbytes(24))},
        "photo_ids": {"BS": [encode(chance.randbytes(8)), encode(chance.randbytes(8))]},
    }


def make_lines(chance: Random) -> tuple[list[Item], int]:
    """Return the lines of one order and their sum in cents."""
    lines: list[Item] = []
    total = 0
    for _ in range(1 + int(3 * chance.random())):
        sku, name, price = GOODS[int(len(GOODS) * chance.random())]
        count = 1 + int(4 * chance.random())
        total += count * price
        lines.append({"M": {"sku": {"S": sku}, "name": {"S": name}, "count": {"N": str(count)},
                            "price": {"N": f"{price // 100}.{price % 100:02d}"}}})
    return lines, total


def customer_name(index: int) -> str:
    first = FIRST_NAMES[index % len(FIRST_NAMES)]
    return f"{first}.{LAST_NAMES[index // len(FIRST_NAMES) % len(LAST_NAMES)]}.{index:04d}"


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def write_orders(path: Path, count: int, seed: int) -> Iterator[int]:
    """Write an export file, yielding now and then how many lines it has so far.

    The file gets its name when it is complete. A name that ends in .gz makes a gzipped file.
    """
    partial = path.with_name(path.name + ".partial")
    orders = make_typed_orders(count, seed)
    dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    written = 0
    with gzip.open(partial, "wb", 1) if path.suffix == ".gz" else partial.open("wb") as target:
        while chunk := [dump({"Item": order}) for order in islice(orders, WRITE_LINES)]:
            target.write(("\n".join(chunk) + "\n").encode())
            written += len(chunk)
            yield written
    partial.replace(path)


# ---- reading -------------------------------------------------------------------------------------


def number(text: str) -> int | Decimal:
    """Return the number as hashrange returns it: int when integral, else Decimal."""
    if text.isdigit():
        return int(text)
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else value


def typed_list(values: list[Item]) -> list[Any]:
    return [plain_value(value) for value in values]


def typed_map(values: Item) -> Item:
    return {name: plain_value(value) for name, value in values.items()}


READERS: dict[str, Callable[[Any], Any]] = {
    "S": str,
    "N": number,
    "B": base64.b64decode,
    "BOOL": bool,
    "NULL": lambda _: None,
    "L": typed_list,
    "M": typed_map,
    "SS": set,
    "NS": lambda values: {number(value) for value in values},
    "BS": lambda values: {base64.b64decode(value) for value in values},
}


def plain_value(typed: Item) -> Any:
    """Return the Python value of a typed JSON value; ValueError or KeyError when it is none."""
    [(letters, value)] = typed.items()
    return READERS[letters](value)


def plain_item(line: bytes) -> Item:
    """Return the Python item of one export line; ValueError when it is none."""
    try:
        return typed_map(json.loads(line)["Item"])
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"not a line of a DynamoDB export ({error!r}): {line[:80]!r}") from error


def make_orders(count: int, seed: int) -> list[Item]:
    """Return made orders as Python items."""
    return [typed_map(order) for order in make_typed_orders(count, seed)]


class OrderFile:
    """An export file, plain or gzipped, read once from the beginning to the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = path.stat().st_size
        self.raw: BinaryIO = path.open("rb")

    def position_bytes(self) -> int:
        """Return how much of the file, as it stands on the disk, has been read."""
        return self.raw.tell()

    def chunks(self, count: int) -> Iterator[list[Item]]:
        """Yield lists of at most `count` items. ValueError names the line that is not an item."""
        gzipped = self.path.suffix == ".gz"
        lines = cast(BinaryIO, gzip.GzipFile(fileobj=self.raw)) if gzipped else self.raw
        chunk: list[Item] = []
        for line_number, line in enumerate(lines, 1):
            if line.isspace():
                continue
            try:
                chunk.append(plain_item(line))
            except ValueError as error:
                raise ValueError(f"{self.path}, line {line_number}: {error}") from error
            if len(chunk) == count:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def close(self) -> None:
        self.raw.close()
