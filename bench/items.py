"""The workload: orders of about 220 bytes in msgpack, and the key sequences that read and write
them.

*Shape*: 9 attributes, keys included: a string, an integer, a Decimal, a set of 3 strings and a
nested map of 3 among them. Item i is a function of (seed, i) alone, so any process can make any
part of the workload and check what it reads. Two tables hold the same orders:

- flat: hash key `pk`; `ts` is an ordinary attribute. For get, put, update, scan, load.
- ranged: hash key `customer`, range key `ts`, COLLECTION_COUNT items in each collection. For query.

Both come in key order (pk; customer, ts), which is the best case of every B-tree and SST loader
among the peers. `arrival_order` gives the ranged table as a shop would see it: all customers
interleaved.
"""

from decimal import Decimal

import numpy

SEED = 20240501
COLLECTION_COUNT = 100  # items of one customer: a query returns all of them
CHUNK_COUNT = 10_000  # items made at a time while loading
ZIPF_THETA = 0.99  # YCSB's constant
TS_BASE = 1_700_000_000_000  # milliseconds; far from the small integers
TS_STEP = 60_000

STATUSES = ("pending", "paid", "packed", "shipped", "delivered", "returned", "cancelled", "on hold")
STREETS = (
    "Canal Street",
    "High Street",
    "Station Road",
    "Mill Lane",
    "Church Row",
    "Kings Way",
    "North Quay",
    "Park Avenue",
)
CITIES = (
    "Amsterdam",
    "Rotterdam",
    "London",
    "Paris",
    "Berlin",
    "Dublin",
    "Z\u00fcrich",
    "Lisbon",
    "Madrid",
    "Oslo",
    "Vienna",
    "Prague",
    "Warsaw",
    "Ghent",
    "Basel",
    "Turin",
)
TAGS = ("gift", "new", "fragile", "express", "bulk", "fresh", "insured", "return")
TAG_SETS = tuple(
    (TAGS[i % 8], TAGS[(i + 1 + i // 8) % 8], TAGS[(i + 4 + i // 8) % 8]) for i in range(24)
)
NOTES = (
    "leave the parcel at the door, please",
    "ring twice, then go to the second floor",
    "call a quarter of an hour before you come",
    "the neighbour at number 12 takes it in",
    "after six in the evening only, not at noon",
    "gate code is 4711, then left at the barn",
    "nothing to say about this one, thank you",
    "fragile, do not stack, do not turn over",
)


def pk_text(index: int) -> str:
    """Return the hash key of order `index` in the flat table."""
    return f"order-{index:09d}"


def customer_text(index: int) -> str:
    """Return the hash key of customer `index` in the ranged table."""
    return f"customer-{index:07d}"


class Workload:
    """`count` orders; item i depends on (seed, i) only.

    count: items; the ranged table uses whole collections, so it is rounded down to a multiple of
    COLLECTION_COUNT there.
    """

    def __init__(self, count: int, seed: int = SEED) -> None:
        self.count = count
        self.customer_count = max(1, count // COLLECTION_COUNT)
        self._seed = seed
        self._bits = numpy.random.default_rng(seed).integers(
            0, 1 << 62, size=count, dtype=numpy.int64
        )

    def _rest(self, bits: int) -> dict[str, object]:
        """Return the seven attributes that are not a key."""
        street = STREETS[bits & 7]
        return {
            "order": f"o-{bits & 0xFFFFFFFFF:09x}",
            "status": STATUSES[bits >> 3 & 7],
            "total": Decimal(100 + (bits >> 6) % 99900 * 2 + 1).scaleb(-2),
            "quantity": 1 + (bits >> 23 & 127),
            "tags": set(TAG_SETS[(bits >> 30) % 24]),
            "address": {
                "street": f"{1 + (bits >> 35 & 127)} {street}",
                "city": CITIES[bits >> 42 & 15],
                "zip": f"{1000 + (bits >> 46) % 9000} AB",
            },
            "note": NOTES[bits >> 59 & 7],
        }

    def flat(self, indexes: range | list[int]) -> list[dict[str, object]]:
        """Return the items of the flat table at `indexes`."""
        bits_list = self._bits[indexes].tolist()
        return [
            {"pk": pk_text(index), "ts": TS_BASE + (bits >> 20), **self._rest(bits)}
            for index, bits in zip(indexes, bits_list, strict=True)
        ]

    def ranged(self, indexes: range | list[int]) -> list[dict[str, object]]:
        """Return the items of the ranged table at `indexes`, in (customer, ts) order of the
        index."""
        bits_list = self._bits[indexes].tolist()
        return [
            {
                "customer": customer_text(index // COLLECTION_COUNT),
                "ts": TS_BASE + index % COLLECTION_COUNT * TS_STEP + bits % TS_STEP,
                **self._rest(bits),
            }
            for index, bits in zip(indexes, bits_list, strict=True)
        ]

    def arrival_order(self) -> numpy.ndarray:
        """Return the indexes of the ranged table in time order: first order of every customer,
        then the second, ..."""
        ranged_count = self.customer_count * COLLECTION_COUNT
        grid = numpy.arange(ranged_count, dtype=numpy.int64).reshape(
            self.customer_count, COLLECTION_COUNT
        )
        return grid.T.ravel()

    def fresh(self, indexes: list[int], round_index: int) -> list[dict[str, object]]:
        """Return new versions of the flat items at `indexes`: same keys, other values, for
        overwriting."""
        bits_list = (
            numpy.random.default_rng((self._seed, 1 + round_index))
            .integers(0, 1 << 62, size=len(indexes), dtype=numpy.int64)
            .tolist()
        )
        return [
            {"pk": pk_text(index), "ts": TS_BASE + (bits >> 20), **self._rest(bits)}
            for index, bits in zip(indexes, bits_list, strict=True)
        ]


def chunks_of(make, indexes):
    """Yield lists of CHUNK_COUNT items: `make` (flat or ranged) over `indexes`, a range or an
    array."""
    for start in range(0, len(indexes), CHUNK_COUNT):
        part = indexes[start : start + CHUNK_COUNT]
        yield make(part if isinstance(part, range) else part.tolist())


def uniform_indexes(count: int, draws: int, seed: int = SEED) -> list[int]:
    """Return `draws` indexes below `count`, uniform with replacement."""
    return numpy.random.default_rng((seed, 2)).integers(0, count, size=draws).tolist()


def distinct_indexes(count: int, draws: int, seed: int = SEED) -> list[int]:
    """Return min(count, draws) different indexes below `count`, in random order."""
    return numpy.random.default_rng((seed, 4)).permutation(count)[:draws].tolist()


def zipf_indexes(count: int, draws: int, seed: int = SEED, theta: float = ZIPF_THETA) -> list[int]:
    """Return `draws` indexes below `count`, rank r with weight r**-theta, ranks scattered over the
    keys.

    Exact (inverse of the cumulated weights), unlike YCSB's approximation. Scattered, so that hot
    keys are no neighbours.
    """
    rng = numpy.random.default_rng((seed, 3))
    cumulated = numpy.cumsum(numpy.arange(1, count + 1, dtype=numpy.float64) ** -theta)
    ranks = numpy.searchsorted(cumulated, rng.random(draws) * cumulated[-1])
    return rng.permutation(count)[numpy.minimum(ranks, count - 1)].tolist()
