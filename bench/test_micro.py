"""Micro cases for pytest-benchmark at a size that fits the caches: to see a regression, no verdict.

    python -m pytest bench/test_micro.py -m bench --benchmark-autosave
    python -m pytest bench/test_micro.py -m bench --benchmark-compare

Each round makes CALL_COUNT calls (the group says "x100"). The judge is table.py: real size, peers,
interleaved rounds.
"""

from decimal import Decimal

import pytest
from codec import decode, encode
from items import Workload, chunks_of, customer_text, pk_text, uniform_indexes
from peers import Hashrange, Lmdb, consume

from ddbcore import typed
from ddbcore.item import ItemCodec

ITEM_COUNT = 10_000
CALL_COUNT = 100

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def workload():
    return Workload(ITEM_COUNT)


@pytest.fixture(scope="module", params=[Hashrange, Lmdb], ids=lambda peer: peer.name)
def flat(request, workload, tmp_path_factory):
    """A loaded flat table; hashrange without the item cache."""
    yield from _loaded(request.param, workload, tmp_path_factory, "flat")


@pytest.fixture(scope="module", params=[Hashrange, Lmdb], ids=lambda peer: peer.name)
def ranged(request, workload, tmp_path_factory):
    """A loaded ranged table; hashrange without the item cache."""
    yield from _loaded(request.param, workload, tmp_path_factory, "ranged")


def _loaded(kind, workload, tmp_path_factory, table):
    problem = kind.missing()
    if problem:
        pytest.skip(problem)
    peer = kind(cache_bytes=0) if kind is Hashrange else kind()
    peer.open(str(tmp_path_factory.mktemp(kind.name)), table, count=ITEM_COUNT)
    make = workload.flat if table == "flat" else workload.ranged
    peer.load(chunks_of(make, range(ITEM_COUNT)))
    yield peer
    peer.close()


def _each(call, arguments):
    for argument in arguments:
        call(argument)


def _keys(peer):
    return peer.keys([pk_text(index) for index in uniform_indexes(ITEM_COUNT, CALL_COUNT)])


# One read of one item, decoded: the call that everything else is measured by.
@pytest.mark.benchmark(group="get x100")
def test_get_returns_one_item(benchmark, flat):
    keys = _keys(flat)
    with flat.reading() as reads:
        benchmark(_each, reads.get, keys)


# The same items in one call: what prefetching is worth.
@pytest.mark.benchmark(group="get_many of 100")
def test_get_many_returns_a_hundred_items(benchmark, flat):
    keys = _keys(flat)
    with flat.reading() as reads:
        benchmark(reads.get_many, keys)


# Overwrites, each its own commit that survives a kill.
@pytest.mark.benchmark(group="put x100")
def test_put_overwrites_one_item(benchmark, flat, workload):
    items = workload.fresh(uniform_indexes(ITEM_COUNT, CALL_COUNT), 1)
    benchmark(_each, flat.put, items)


# The condition must hold every time, hence a status that never was there before.
@pytest.mark.benchmark(group="update x100")
def test_update_sets_one_attribute_if_it_differs(benchmark, flat):
    keys = list(dict.fromkeys(_keys(flat)))
    serial = 0

    def update_all():
        nonlocal serial
        serial += 1
        status, update = f"status-{serial}", flat.update
        for key in keys:
            update(key, status)

    benchmark(update_all)


# One whole collection, in order.
@pytest.mark.benchmark(group="query of 100")
def test_query_returns_a_collection_of_a_hundred(benchmark, ranged):
    name = ranged.collections([customer_text(7)])[0]
    with ranged.reading() as reads:
        benchmark(reads.query, name)


# The end of a collection, backwards.
@pytest.mark.benchmark(group="newest 10")
def test_query_returns_the_newest_ten(benchmark, ranged):
    name = ranged.collections([customer_text(7)])[0]
    with ranged.reading() as reads:
        benchmark(reads.newest, name)


# Every item decoded.
@pytest.mark.benchmark(group="scan of 10,000")
def test_scan_decodes_every_item(benchmark, flat):
    with flat.reading() as reads:
        benchmark(lambda: consume(reads.scan()))


# The peers' codec alone: subtract it to see what an engine costs.
@pytest.mark.benchmark(group="codec x100")
def test_the_peers_codec_encodes(benchmark, workload):
    benchmark(_each, encode, workload.flat(range(CALL_COUNT)))


@pytest.mark.benchmark(group="codec x100")
def test_the_peers_codec_decodes(benchmark, workload):
    benchmark(_each, decode, [encode(item) for item in workload.flat(range(CALL_COUNT))])


def _typed(value):
    """Return DynamoDB's typed form of a value of the workload's types."""
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | Decimal):
        return {"N": str(value)}
    if isinstance(value, set):
        return {"SS": list(value)}
    return {"M": {name: _typed(member) for name, member in value.items()}}


# One item, to record and back, in both forms: what a request of the JSON API pays for its values.
@pytest.mark.benchmark(group="item codec x100")
@pytest.mark.parametrize("what", ["encode", "decode"])
@pytest.mark.parametrize("form", ["native", "typed"])
def test_the_item_codec(benchmark, workload, form, what):
    codec = ItemCodec("pk", "S")
    item = workload.flat([7])[0]
    if form == "native":
        benchmark(codec.bench, what, item, CALL_COUNT)
    else:
        benchmark(typed.bench, codec, what, _typed(item)["M"], CALL_COUNT)
