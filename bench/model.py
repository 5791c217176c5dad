"""The cases of the data model: conditions, counters, transactions, batches, indexes, filters, and
calls in DynamoDB's own form.

Native calls take and return plain Python values, as the peers do. `execute` takes and returns typed
values, {"S": "a"}: there is no peer for that but moto, so the peers beside it do the same work in
their own form.
"""

from contextlib import ExitStack
from functools import partial

from codec import decode, encode
from harness import Failed, Loop, interleave
from indexed import GROUP_COUNT, INDEXED, batch_text, with_batch
from items import chunks_of, distinct_indexes, pk_text, uniform_indexes
from shelf import MANY_COUNT, WRITE_COUNT, Bench, Target, items_to_write, row, scaled
from typed import TABLE, moto_client, moto_missing, transaction_of, typed_item, typed_key

EXISTS = "attribute_exists(pk)"
COUNTER, ONE = "ADD quantity :one", {":one": 1}
WANTED_QUANTITY = 64              # of 1 to 128, evenly spread: 0.8 % of the items have it
INDEXED_COUNT_MAX = 100_000       # items of the table with indexes
MOTO_COUNT = 1000                 # items in moto, which reads a key of a thousand as of a million
DRAW_COUNT = 20_000               # precomputed requests of a sequence


def _timed(bench: Bench, calls: dict) -> dict:
    """Return the figures of {name: (call, arguments)}, in microseconds.

    Each call is made once before: the first one imports, compiles and keeps what later ones find.
    """
    for call, arguments in calls.values():
        call(arguments[0])
    runs = {name: Loop(call, arguments, bench.seconds) for name, (call, arguments) in calls.items()}
    return scaled(interleave(runs, bench.rounds), 1e-3)


# ---- single writes -------------------------------------------------------------------------------


def _conditional_put(peer):
    """Return put(item) of an item that must be there; None where a peer has no transaction."""
    if peer.name == "dict":
        values = peer.values

        def put(item):
            if item["pk"] in values:
                values[item["pk"]] = encode(item)

    elif peer.name == "lmdb":
        begin = peer.env.begin

        def put(item):
            key = item["pk"].encode()
            transaction = begin(None, None, True)
            if transaction.get(key) is not None:
                transaction.put(key, encode(item))
            transaction.commit()

    elif peer.name == "sqlite3":
        execute = peer.execute

        def put(item):
            execute("UPDATE items SET value=? WHERE pk=?", (encode(item), item["pk"]))

    elif peer.name == "hashrange":
        items_put = peer.items.put

        def put(item):
            items_put(item, condition=EXISTS)

    else:
        return None
    return put


def _counter(peer):
    """Return count(key), which adds one to an attribute; None where there is no transaction."""
    if peer.name == "dict":
        values = peer.values

        def count(key):
            item = decode(values[key])
            item["quantity"] += 1
            values[key] = encode(item)

    elif peer.name == "lmdb":
        begin = peer.env.begin

        def count(key):
            transaction = begin(None, None, True)
            item = decode(transaction.get(key))
            item["quantity"] += 1
            transaction.put(key, encode(item))
            transaction.commit()

    elif peer.name == "sqlite3":
        execute = peer.execute

        def count(key):
            execute("BEGIN IMMEDIATE")
            item = decode(execute("SELECT value FROM items WHERE pk=?", key).fetchone()[0])
            item["quantity"] += 1
            execute("UPDATE items SET value=? WHERE pk=?", (encode(item), *key))
            execute("COMMIT")

    elif peer.name == "hashrange":
        items_update = peer.items.update

        def count(key):
            items_update(key, COUNTER, values=ONE)

    else:
        return None
    return count


def case_conditional(bench: Bench) -> list[dict]:
    """Overwrite an item on condition that it is there, which it is; then add one to a counter."""
    _, items = items_to_write(bench)
    texts = [pk_text(index) for index in distinct_indexes(bench.count, WRITE_COUNT, bench.seed + 4)]
    puts, counts = {}, {}
    for name, peer in bench.flat().items():
        put, count = _conditional_put(peer), _counter(peer)
        if put is not None and count is not None:
            puts[name], counts[name] = (put, items), (count, peer.keys(texts))
    figures = _timed(bench, puts)
    note = "the condition holds; sqlite3: UPDATE, which does nothing where there is no row"
    counted = "peers: one transaction of read, decode, add, encode, write"
    return [
        row("conditional put", "us", figures, Target(3, 1.5), note),
        row("counter increment", "us", _timed(bench, counts), Target(3, 1.5), counted),
    ]


# ---- transactions --------------------------------------------------------------------------------


def _transaction(peer):
    """Return transact(argument) of two puts, a counter and a check; None: no transactions."""
    if peer.name == "lmdb":
        begin = peer.env.begin

        def transact(argument):
            first, second, counted, checked = argument
            transaction = begin(None, None, True)
            transaction.put(first["pk"].encode(), encode(first))
            transaction.put(second["pk"].encode(), encode(second))
            item = decode(transaction.get(counted))
            item["quantity"] += 1
            transaction.put(counted, encode(item))
            if transaction.get(checked) is None:
                transaction.abort()
            else:
                transaction.commit()

    elif peer.name == "sqlite3":
        execute, put = peer.execute, peer.put

        def transact(argument):
            first, second, counted, checked = argument
            execute("BEGIN IMMEDIATE")
            put(first)
            put(second)
            item = decode(execute("SELECT value FROM items WHERE pk=?", counted).fetchone()[0])
            item["quantity"] += 1
            execute("UPDATE items SET value=? WHERE pk=?", (encode(item), *counted))
            found = execute("SELECT 1 FROM items WHERE pk=?", checked).fetchone()
            execute("COMMIT" if found else "ROLLBACK")

    elif peer.name == "hashrange":
        begin, items = peer.db.transact, peer.items

        def transact(argument):
            first, second, counted, checked = argument
            with begin() as transaction:
                transaction.put(items, first)
                transaction.put(items, second)
                transaction.update(items, counted, COUNTER, values=ONE)
                transaction.check(items, checked, condition=EXISTS)

    else:
        return None
    return transact


def case_transaction(bench: Bench) -> list[dict]:
    """Two puts, a counter and a condition check as one; the condition holds."""
    indexes = distinct_indexes(bench.count, 4 * (DRAW_COUNT // 4), bench.seed + 5)
    groups = [indexes[start : start + 4] for start in range(0, len(indexes) - 3, 4)]
    calls = {}
    for name, peer in bench.flat(with_dict=False).items():
        transact = _transaction(peer)
        if transact is None:
            continue
        arguments, requests = [], []
        for version in (1, 2):
            puts = bench.workload.fresh([index for group in groups for index in group[:2]], version)
            for number, (_, _, counted, checked) in enumerate(groups):
                texts = [pk_text(counted), pk_text(checked)]
                first, second = puts[2 * number : 2 * number + 2]
                arguments.append((first, second, *peer.keys(texts)))
                if name == "hashrange":
                    requests.append(transaction_of(first, second, *texts))
        calls[name] = transact, arguments
        if name == "hashrange":
            calls["hashrange, execute"] = partial(peer.db.execute, "TransactWriteItems"), requests
    note = "hashrange: db.transact(); execute: TransactWriteItems, typed, without a token"
    return [row("transaction of 4", "us", _timed(bench, calls), Target(10, 5), note)]


# ---- reads of many -------------------------------------------------------------------------------


def case_batchget(bench: Bench) -> list[dict]:
    """100 items by uniform keys in one call, decoded; item cache off."""
    bench.set_cache(0)
    groups = []
    for number in range(DRAW_COUNT // MANY_COUNT):
        drawn = uniform_indexes(bench.count, 2 * MANY_COUNT, bench.seed + 6 + number)
        groups.append([pk_text(index) for index in dict.fromkeys(drawn)][:MANY_COUNT])
    with ExitStack() as stack:
        calls = {}
        for name, peer in bench.flat().items():
            reads = stack.enter_context(peer.reading())
            calls[name] = reads.get_many, [peer.keys(texts) for texts in groups]
        if "hashrange" in calls:
            execute = bench.flat()["hashrange"].db.execute

            def batch_get(request):
                return execute("BatchGetItem", request)["Responses"][TABLE]

            requests = [
                {"RequestItems": {TABLE: {"Keys": [typed_key(text) for text in texts]}}}
                for texts in groups
            ]
            _check(batch_get(requests[0]), bench, groups[0])
            calls["hashrange, execute"] = batch_get, requests
        figures = _timed(bench, calls)
    bench.set_cache(None)
    note = "item cache off; hashrange: get_many; execute: BatchGetItem, in typed form"
    return [row("BatchGet of 100", "us", figures, Target(75, 50), note)]


def _check(found: list, bench: Bench, texts: list[str]) -> None:
    """Compare typed items with the workload."""
    wanted = bench.workload.flat([int(text.rpartition("-")[2]) for text in texts])
    if [plain(item) for item in found] != [plain(typed_item(item)) for item in wanted]:
        raise Failed("hashrange: execute returns something else than what was loaded")


def plain(item: dict) -> dict:
    """Return a typed item with its sets in order."""
    return {
        name: {"SS": sorted(value["SS"])} if "SS" in value else value
        for name, value in item.items()
    }


def case_filter(bench: Bench) -> list[dict]:
    """A scan of the flat table with a filter that 0.8 % of the items pass."""
    scans = {}
    peers = bench.flat(with_dict=False)
    for name, peer in peers.items():
        reads_of = peer.reading

        def scan(_, reads_of=reads_of):
            with reads_of() as reads:
                return [item for item in reads.scan() if item["quantity"] == WANTED_QUANTITY]

        scans[name] = scan
    peer = peers.get("hashrange")
    if peer is not None:
        decoding, items = scans.pop("hashrange"), peer.items
        scans["hashrange, execute"] = _filtered_pages(peer.db.execute)
        given = {"filter": "quantity = :q", "values": {":q": WANTED_QUANTITY}}

        scans["hashrange"] = lambda _: list(items.scan(**given))
        counts = {name: len(scan(None)) for name, scan in scans.items()}
        counts["hashrange, decoding"] = len(decoding(None))
        if len(set(counts.values())) > 1:
            raise Failed(f"a filtered scan finds different numbers of items: {counts}")
    figures = _timed(bench, {name: (scan, [None] * 1000) for name, scan in scans.items()})
    note = "per item scanned; peers decode each item and test it in Python"
    target = Target(80, 150, "lmdb")
    return [row("filtered scan, 0.8 % match", "us", scaled(figures, 1 / bench.count), target, note)]


def _filtered_pages(execute):
    """Return scan(_) through execute, page by page."""
    request = {
        "TableName": TABLE,
        "FilterExpression": "quantity = :q",
        "ExpressionAttributeValues": {":q": {"N": str(WANTED_QUANTITY)}},
    }

    def scan(_):
        found, start = [], {}
        while True:
            page = execute("Scan", {**request, **start})
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    return scan


# ---- indexes -------------------------------------------------------------------------------------


def case_indexed(bench: Bench) -> list[dict]:
    """Overwrite an item of a table with two indexes; read the 50 items of one value of one."""
    bench.clear_memory()
    count = min(bench.count, INDEXED_COUNT_MAX) // GROUP_COUNT * GROUP_COUNT
    flat, peers = bench.workload.flat, {}
    for name in bench.names:
        if name not in INDEXED:
            continue
        peer = peers[name] = INDEXED[name]()
        peer.open(bench.path(f"indexed-{name}"), "flat", count=count)
        first = 0
        for chunk in chunks_of(flat, range(count)):
            peer.fill(with_batch(chunk, range(first, first + len(chunk))))
            first += len(chunk)
        found = peer.query(batch_text(0))
        if len(found) != GROUP_COUNT:
            raise Failed(f"{name}: {len(found)} items of a batch of {GROUP_COUNT}")
    drawn = uniform_indexes(count // GROUP_COUNT, DRAW_COUNT // 4, bench.seed + 7)
    batches = [batch_text(number * GROUP_COUNT) for number in drawn]
    calls = {name: (peer.query, batches) for name, peer in peers.items()}
    if "hashrange" in peers:
        calls["hashrange, execute"] = peers["hashrange"].execute_query, batches
    queries = _timed(bench, calls)
    indexes = distinct_indexes(count, DRAW_COUNT, bench.seed + 8)
    items = [
        item
        for version in (1, 2)
        for item in with_batch(bench.workload.fresh(indexes, version), indexes)
    ]
    puts = _timed(bench, {name: (peer.put, items) for name, peer in peers.items()})
    for peer in peers.values():
        peer.close()
        peer.remove()
    note = f"{count:,} items; one index entry moves, one stays"
    query_note = "execute: Query, in typed form"
    return [
        row("put with two indexes", "us", puts, Target(3, 2), note),
        row(f"index query of {GROUP_COUNT}", "us", queries, Target(40, 40), query_note),
    ]


# ---- execute -------------------------------------------------------------------------------------


def case_execute(bench: Bench) -> list[dict]:
    """GetItem and PutItem in typed form, against a dict of encoded typed items, and moto."""
    indexes, items = items_to_write(bench)
    typed_items = [typed_item(item) for item in items[:DRAW_COUNT]]
    keys = [typed_key(pk_text(index)) for index in indexes[:DRAW_COUNT]]
    gets, puts = {}, {}
    if bench.has("dict"):
        values = {item["pk"]["S"]: encode(item) for item in typed_items}

        def dict_get(key):
            return decode(values[key["pk"]["S"]])

        def dict_put(item):
            values[item["pk"]["S"]] = encode(item)

        gets["dict"], puts["dict"] = (dict_get, keys), (dict_put, typed_items)
    peer = bench.flat(with_dict=False).get("hashrange")
    if peer is not None:
        execute = peer.db.execute

        def execute_get(key):
            return execute("GetItem", {"TableName": TABLE, "Key": key})["Item"]

        def execute_put(item):
            execute("PutItem", {"TableName": TABLE, "Item": item})

        gets["hashrange"], puts["hashrange"] = (execute_get, keys), (execute_put, typed_items)
    with ExitStack() as stack:
        problem = moto_missing()
        if problem:
            bench.notes.append(f"left out: {problem}")
        else:
            client = stack.enter_context(moto_client())
            for item in typed_items[:MOTO_COUNT]:
                client.put_item(TableName=TABLE, Item=item)

            def moto_get(key):
                return client.get_item(TableName=TABLE, Key=key)["Item"]

            def moto_put(item):
                client.put_item(TableName=TABLE, Item=item)

            gets["moto"] = moto_get, keys[:MOTO_COUNT]
            puts["moto"] = moto_put, typed_items[:MOTO_COUNT]
        read = _timed(bench, gets)
        written = _timed(bench, puts)
    note = f"the request is made in the loop; moto: boto3's client and moto, {MOTO_COUNT:,} items"
    return [
        row("execute GetItem", "us", read, Target(8, 4), note),
        row("execute PutItem", "us", written, Target(10, 5), note),
    ]
