"""Orders in DynamoDB's export format: made and written.

A line of an export is `{"Item": {name: typed value, ...}}`, a typed value an object of one member:
the type's letters and the value, with numbers as text and bytes in base64. Files may be gzipped.

Made orders are the same for the same count and seed. They have what real ones have: a few customers
with thousands of orders and many with a handful, rising time stamps, nested lines and addresses,
text in several scripts, and each of the ten types in every item.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

from hashrange.exchange.typed import Item, base64_text, native_item

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
        "signature": {"B": base64_text(chance.randbytes(24))},
        "photo_ids": {"BS": [base64_text(chance.randbytes(8)), base64_text(chance.randbytes(8))]},
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


def make_orders(count: int, seed: int) -> list[Item]:
    """Return made orders as Python items."""
    return [native_item(order) for order in make_typed_orders(count, seed)]
