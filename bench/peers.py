"""The peers: one class each, the same few operations, the fastest settings and codec that we found.

Use: `peer = Lmdb(); peer.open(directory)`, then `peer.load(chunks)`, `peer.put(item)`,
`peer.update(key, status)`, and inside `with peer.reading() as reads:` the calls `reads.get(key)`,
`get_many(keys)`, `query(collection)`, `newest(collection)`, `scan()`. Keys are made beforehand by
`peer.keys(texts)` and `peer.collections(customers)` in the form that the peer likes best (bytes
where it takes bytes), so key encoding is never inside a peer's timed loop; hashrange takes plain
strings.

The operations are closures made by `open` and `reading`: one Python frame a call, everything bound
to local names.

*Durability*: `durable=False`: a write is one transaction, it survives kill -9 of the process,
nothing is synced. `durable=True`: a write is on the disk when the call returns. hashrange syncs
every 50 ms in the background in the first mode ("interval", its default), which the peers do not:
that is counted against hashrange, and "none" is measured beside it.

*Table*: "flat" (hash key pk: get, put, update) or "ranged" (customer, ts: query); see items.py.
"""

import os
import shutil
import sqlite3
import sys
from collections import deque
from contextlib import contextmanager
from importlib import metadata
from itertools import islice
from types import SimpleNamespace

from codec import collection_bounds, decode, encode, range_key

NEWEST_COUNT = 10
CACHE_BYTES = 1 << 30  # block or page cache of the peers that have one: the whole table fits
MAP_BYTES_PER_ITEM = 4096  # lmdb map_size: sparse, so generosity costs nothing
BATCH_COUNT = 1000  # items of one write batch, where a peer loads in batches


def tree_size(directory: str) -> int:
    """Return the bytes that the files below `directory` take on disk (allocated blocks, not
    lengths)."""
    total = 0
    for parent, _, names in os.walk(directory):
        total += sum(os.stat(os.path.join(parent, name)).st_blocks * 512 for name in names)
    return total


def consume(iterator) -> None:
    """Run an iterator to its end at C speed."""
    deque(iterator, maxlen=0)


class Peer:
    """What all peers share. A subclass binds put, update, load in `open`, the reads in
    `reading`."""

    name = ""
    module = ""
    persistent = True
    threads_write = True  # the durable case may call put from 16 threads

    def __init__(self) -> None:
        self.directory = ""
        self.table = "flat"
        self.durable = False

    @classmethod
    def version(cls) -> str:
        """Return the version of the package, with that of the engine inside where it tells."""
        return metadata.version(cls.module)

    @classmethod
    def missing(cls) -> str:
        """Return "" if the peer can be imported, else why not, in one line."""
        try:
            __import__(cls.module)
        except (
            Exception
        ) as error:  # a half built hashrange may raise anything; the bench goes on without it
            return f"{cls.name}: {type(error).__name__}: {error}"
        return ""

    def keys(self, texts: list[str]) -> list:
        """Return hash keys of the flat table as this peer wants them."""
        return [text.encode() for text in texts]

    def collections(self, customers: list[str]) -> list:
        """Return item collections of the ranged table as this peer wants them named."""
        return [collection_bounds(customer) for customer in customers]

    def open(
        self, directory: str, table: str = "flat", durable: bool = False, count: int = 1_000_000
    ) -> None:
        """Open or create the table. count: items to make room for, where the peer must know."""
        os.makedirs(directory, exist_ok=True)
        self.directory, self.table, self.durable, self.count = directory, table, durable, count
        self._open()

    def reopen(self) -> None:
        """Close and open again."""
        self.close()
        self._open()

    def tail_get(self, stack):
        """Return a get that sees the writes made meanwhile; `stack` closes what it opens."""
        return stack.enter_context(self.reading()).get

    def settle(self) -> None:
        """Finish the background work that a load has left, untimed; a gift to the peers that
        compact."""

    def size(self) -> int:
        """Return bytes on disk; call after close."""
        return tree_size(self.directory)

    def remove(self) -> None:
        """Delete the files; call after close."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _pairs(self, items: list) -> list:
        """Return [(key, value)] of items, encoded."""
        if self.table == "flat":
            return [(item["pk"].encode(), encode(item)) for item in items]
        return [(range_key(item["customer"], item["ts"]), encode(item)) for item in items]


class Dict(Peer):
    """A dict of encoded items (ranged: a dict of lists in range order). No disk, no
    transactions, no order of keys."""

    name = "dict"
    module = "ormsgpack"
    persistent = False

    def keys(self, texts):
        return texts

    def collections(self, customers):
        return customers

    def _open(self):
        self.values = values = {}

        def put(item):
            values[item["pk"]] = encode(item)

        def update(key, status):
            item = decode(values[key])
            if item["status"] != status:
                item["status"] = status
                values[key] = encode(item)

        self.put, self.update = put, update

    def load(self, chunks, ordered=True):
        values = self.values
        for items in chunks:
            if self.table == "flat":
                values.update([(item["pk"], encode(item)) for item in items])
            else:
                for item in items:  # arrival order is range order within each customer
                    values.setdefault(item["customer"], []).append(encode(item))

    def reopen(self):
        pass

    @contextmanager
    def reading(self):
        values = self.values

        def get(key):
            return decode(values[key])

        def get_many(keys):
            return [decode(values[key]) for key in keys]

        def query(customer):
            return [decode(value) for value in values[customer]]

        def newest(customer):
            return [decode(value) for value in values[customer][: -NEWEST_COUNT - 1 : -1]]

        yield SimpleNamespace(
            get=get,
            get_many=get_many,
            query=query,
            newest=newest,
            scan=lambda: map(decode, values.values()),
        )

    def size(self):
        return 0

    def close(self):
        pass


class Lmdb(Peer):
    """lmdb: writemap without sync (put without codec 2.7 us against 10.4 with write(); both survive
    a kill); synced writes without writemap (300 us against 400, one run of 200). Reads in one open
    read transaction, values copied to bytes (memoryviews were no faster, within noise)."""

    name = "lmdb"
    module = "lmdb"

    @classmethod
    def version(cls):
        import lmdb

        return f"{metadata.version('lmdb')} (engine {'.'.join(map(str, lmdb.version()))})"

    def __init__(self, writemap: bool = True) -> None:
        super().__init__()
        self.writemap = writemap

    def _open(self):
        import lmdb

        map_size = max(1 << 30, self.count * MAP_BYTES_PER_ITEM)
        self.env = lmdb.open(
            self.directory,
            map_size=map_size,
            writemap=self.writemap and not self.durable,
            sync=self.durable,
            metasync=self.durable,
            max_spare_txns=4,
        )
        begin = self.env.begin

        def put(item):
            transaction = begin(
                None, None, True
            )  # (db, parent, write): positional, faster than a with block
            transaction.put(item["pk"].encode(), encode(item))
            transaction.commit()

        def update(key, status):
            transaction = begin(None, None, True)
            item = decode(transaction.get(key))
            if item["status"] != status:
                item["status"] = status
                transaction.put(key, encode(item))
                transaction.commit()
            else:
                transaction.abort()

        self.put, self.update = put, update

    def load(self, chunks, ordered=True):
        with self.env.begin(write=True) as transaction:
            putmulti = transaction.cursor().putmulti
            for items in chunks:
                putmulti(self._pairs(items), append=ordered)

    def tail_get(self, stack):
        begin = self.env.begin

        def get(key):
            with begin() as transaction:  # an older one would keep every freed page alive
                return decode(transaction.get(key))

        return get

    @contextmanager
    def reading(self):
        with self.env.begin() as transaction:
            value_of, cursor = transaction.get, transaction.cursor()

            def get(key):
                return decode(value_of(key))

            def get_many(keys):
                return [decode(value) for _, value in cursor.getmulti(keys)]

            def query(bounds):
                lower, upper = bounds
                result = []
                if cursor.set_range(lower):
                    for key, value in cursor.iternext():
                        if key >= upper:
                            break
                        result.append(decode(value))
                return result

            def newest(bounds):
                lower, upper = bounds
                result = []
                if cursor.prev() if cursor.set_range(upper) else cursor.last():
                    for key, value in islice(cursor.iterprev(), NEWEST_COUNT):
                        if key < lower:
                            break
                        result.append(decode(value))
                return result

            yield SimpleNamespace(
                get=get,
                get_many=get_many,
                query=query,
                newest=newest,
                scan=lambda: map(decode, transaction.cursor().iternext(keys=False)),
            )

    def close(self):
        self.env.close()


class Rocksdict(Peer):
    """rocksdict: raw mode, no compression, bloom filters, hashed data blocks, 1 GiB block cache.
    The sorted load writes one SST file and ingests it (0.4 us an item without codec against
    0.65 for write batches). update is get, then put: not atomic among threads."""

    name = "rocksdict"
    module = "rocksdict"

    def _options(self):
        import rocksdict

        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_compression_type(rocksdict.DBCompressionType.none())
        options.set_write_buffer_size(64 << 20)
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_bloom_filter(10, False)
        blocks.set_block_cache(rocksdict.Cache(CACHE_BYTES))
        blocks.set_data_block_index_type(rocksdict.DataBlockIndexType.binary_and_hash())
        blocks.set_format_version(5)
        options.set_block_based_table_factory(blocks)
        return options

    def _open(self):
        import rocksdict

        self.db = db = rocksdict.Rdict(self.directory, self._options())
        if self.durable:
            write_options = rocksdict.WriteOptions()
            write_options.sync = True
            db.set_write_options(write_options)
        db_put, db_get = db.put, db.get

        def put(item):
            db_put(item["pk"].encode(), encode(item))

        def update(key, status):
            item = decode(db_get(key))
            if item["status"] != status:
                item["status"] = status
                db_put(key, encode(item))

        self.put, self.update = put, update

    def load(self, chunks, ordered=True):
        import rocksdict

        if ordered:
            path = os.path.join(self.directory, "load.sst")
            writer = rocksdict.SstFileWriter(self._options())
            writer.open(path)
            for items in chunks:
                for key, value in self._pairs(items):
                    writer[key] = value
            writer.finish()
            options = rocksdict.IngestExternalFileOptions()
            options.set_move_files(True)
            self.db.ingest_external_file([path], options)
            return
        for items in chunks:
            for start in range(0, len(items), BATCH_COUNT):
                batch = rocksdict.WriteBatch(raw_mode=True)
                batch_put = batch.put
                for key, value in self._pairs(items[start : start + BATCH_COUNT]):
                    batch_put(key, value)
                self.db.write(batch)

    def settle(self):
        self.db.flush()
        self.db.compact_range(None, None)

    @contextmanager
    def reading(self):
        db, db_get, db_items = self.db, self.db.get, self.db.items

        def get(key):
            return decode(db_get(key))

        def get_many(keys):
            return [decode(value) for value in db_get(keys)]

        def query(bounds):
            lower, upper = bounds
            result = []
            for key, value in db_items(from_key=lower):
                if key >= upper:
                    break
                result.append(decode(value))
            return result

        def newest(bounds):
            lower, upper = bounds
            result = []
            for key, value in islice(db_items(backwards=True, from_key=upper), NEWEST_COUNT):
                if key < lower:
                    break
                result.append(decode(value))
            return result

        yield SimpleNamespace(
            get=get,
            get_many=get_many,
            query=query,
            newest=newest,
            scan=lambda: map(decode, db.values()),
        )

    def close(self):
        self.db.close()
        self.db = self.put = self.update = None  # bound methods keep the lock file


class Plyvel(Peer):
    """plyvel (LevelDB): no compression, bloom filters, 1 GiB block cache, 64 MiB write buffer.
    update as with rocksdict."""

    name = "plyvel"
    module = "plyvel"

    @classmethod
    def version(cls):
        import plyvel

        return f"{metadata.version('plyvel')} (LevelDB {plyvel.__leveldb_version__})"

    def _open(self):
        import plyvel

        self.db = db = plyvel.DB(
            self.directory,
            create_if_missing=True,
            compression=None,
            bloom_filter_bits=10,
            lru_cache_size=CACHE_BYTES,
            write_buffer_size=64 << 20,
        )
        db_put, db_get, sync = db.put, db.get, self.durable

        def put(item):
            db_put(item["pk"].encode(), encode(item), sync=sync)

        def update(key, status):
            item = decode(db_get(key))
            if item["status"] != status:
                item["status"] = status
                db_put(key, encode(item), sync=sync)

        self.put, self.update = put, update

    def load(self, chunks, ordered=True):
        for items in chunks:
            for start in range(0, len(items), BATCH_COUNT):
                with self.db.write_batch() as batch:
                    batch_put = batch.put
                    for key, value in self._pairs(items[start : start + BATCH_COUNT]):
                        batch_put(key, value)

    def settle(self):
        self.db.compact_range()

    @contextmanager
    def reading(self):
        db_get, iterator = self.db.get, self.db.iterator

        def get(key):
            return decode(db_get(key))

        def get_many(keys):
            return [decode(db_get(key)) for key in keys]

        def query(bounds):
            lower, upper = bounds
            return [decode(value) for value in iterator(start=lower, stop=upper, include_key=False)]

        def newest(bounds):
            lower, upper = bounds
            values = iterator(start=lower, stop=upper, include_key=False, reverse=True)
            return [decode(value) for value in islice(values, NEWEST_COUNT)]

        yield SimpleNamespace(
            get=get,
            get_many=get_many,
            query=query,
            newest=newest,
            scan=lambda: map(decode, iterator(include_key=False)),
        )

    def close(self):
        self.db.close()


class Sqlite(Peer):
    """sqlite3: WITHOUT ROWID, 8 KiB pages, exclusive locking (no shared-memory index), WAL;
    synchronous OFF (survives a kill), FULL when durable. Reads inside one open transaction.
    The item is a blob beside its key columns."""

    name = "sqlite3"
    module = "sqlite3"
    threads_write = False  # one connection; a lock around it would measure the lock

    @classmethod
    def version(cls):
        return sqlite3.sqlite_version

    def keys(self, texts):
        return [(text,) for text in texts]  # the parameter tuple, ready

    def collections(self, customers):
        return [(customer,) for customer in customers]

    def _open(self):
        self.connection = sqlite3.connect(
            os.path.join(self.directory, "items.db"), isolation_level=None, check_same_thread=False
        )
        execute = self.execute = self.connection.cursor().execute
        for pragma in (
            "page_size=8192",
            "locking_mode=EXCLUSIVE",
            "journal_mode=WAL",
            f"synchronous={'FULL' if self.durable else 'OFF'}",
            f"cache_size=-{CACHE_BYTES >> 10}",
        ):
            execute("PRAGMA " + pragma).fetchall()
        if self.table == "flat":
            execute(
                "CREATE TABLE IF NOT EXISTS items(pk TEXT PRIMARY KEY, value BLOB NOT NULL)"
                " WITHOUT ROWID"
            )
        else:
            execute(
                "CREATE TABLE IF NOT EXISTS items(customer TEXT, ts INTEGER, value BLOB NOT NULL,"
                " PRIMARY KEY(customer, ts)) WITHOUT ROWID"
            )

        def put(item):
            execute(
                "INSERT INTO items VALUES(?,?) ON CONFLICT(pk) DO UPDATE SET value=excluded.value",
                (item["pk"], encode(item)),
            )

        def update(key, status):
            execute("BEGIN IMMEDIATE")
            item = decode(execute("SELECT value FROM items WHERE pk=?", key).fetchone()[0])
            if item["status"] != status:
                item["status"] = status
                execute("UPDATE items SET value=? WHERE pk=?", (encode(item), *key))
            execute("COMMIT")

        self.put, self.update = put, update

    def load(self, chunks, ordered=True):
        execute, executemany = self.execute, self.connection.cursor().executemany
        execute("BEGIN")
        for items in chunks:
            if self.table == "flat":
                executemany(
                    "INSERT INTO items VALUES(?,?)", [(item["pk"], encode(item)) for item in items]
                )
            else:
                executemany(
                    "INSERT INTO items VALUES(?,?,?)",
                    [(item["customer"], item["ts"], encode(item)) for item in items],
                )
        execute("COMMIT")

    def settle(self):
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def reading(self):
        execute = self.execute

        def get(key):
            return decode(execute("SELECT value FROM items WHERE pk=?", key).fetchone()[0])

        def get_many(keys):
            return [
                decode(execute("SELECT value FROM items WHERE pk=?", key).fetchone()[0])
                for key in keys
            ]

        def query(key):
            return [
                decode(row[0])
                for row in execute(
                    "SELECT value FROM items WHERE customer=? ORDER BY ts", key
                ).fetchall()
            ]

        def newest(key):
            return [
                decode(row[0])
                for row in execute(
                    "SELECT value FROM items WHERE customer=? ORDER BY ts DESC LIMIT 10", key
                ).fetchall()
            ]

        def scan():
            return (
                decode(row[0])
                for row in self.connection.cursor().execute("SELECT value FROM items")
            )

        execute("BEGIN")
        try:
            yield SimpleNamespace(get=get, get_many=get_many, query=query, newest=newest, scan=scan)
        finally:
            execute("COMMIT")

    def close(self):
        self.connection.close()


class Hashrange(Peer):
    """hashrange through its public API; get and put are its bound methods, with no frame around
    them.

    cache_bytes: None takes the engine's default, 0 turns the item cache off. durability: "" takes
    what `durable` says.
    """

    name = "hashrange"
    module = "hashrange"

    UPDATE = "SET #s = :s"
    CONDITION = "#s <> :s"

    def __init__(self, cache_bytes: int | None = None, durability: str = "", **options) -> None:
        super().__init__()
        self.cache_bytes, self.durability, self.options = cache_bytes, durability, options

    @classmethod
    def missing(cls):
        problem = super().missing()
        if not problem and not hasattr(sys.modules["hashrange"], "open"):
            problem = "hashrange: the package has no open(); is it built?"
        return problem

    @classmethod
    def version(cls):
        import hashrange

        return getattr(hashrange, "__version__", "unversioned")

    def keys(self, texts):
        return texts

    def collections(self, customers):
        return customers

    def _open(self):
        import hashrange

        durability = self.durability or ("commit" if self.durable else "interval")
        options = dict(self.options)
        if self.cache_bytes is not None:
            options["cache_bytes"] = self.cache_bytes
        self.db = hashrange.open(self.directory, durability=durability, **options)
        if "items" in self.db.tables():
            self.items = self.db.table("items")
        elif self.table == "flat":
            self.items = self.db.create_table("items", hash_key=("pk", "S"))
        else:
            self.items = self.db.create_table(
                "items", hash_key=("customer", "S"), range_key=("ts", "N")
            )
        update_item, expression, condition, names = (
            self.items.update,
            self.UPDATE,
            self.CONDITION,
            {"#s": "status"},
        )

        def update(key, status):
            update_item(key, expression, names=names, values={":s": status}, condition=condition)

        self.put, self.update = self.items.put, update

    def load(self, chunks, ordered=True):
        with self.items.batch() as batch:
            put = batch.put
            for items in chunks:
                for item in items:
                    put(item)

    def settle(self):
        self.db.compact(whole=True)

    @contextmanager
    def reading(self):
        items_query = self.items.query

        def query(customer):
            return list(items_query(customer))

        def newest(customer):
            return list(items_query(customer, reverse=True, limit=NEWEST_COUNT))

        yield SimpleNamespace(
            get=self.items.get,
            get_many=self.items.get_many,
            query=query,
            newest=newest,
            scan=self.items.scan,
        )

    def close(self):
        self.db.close()
        self.put = self.update = self.items = None


PEERS = {peer.name: peer for peer in (Dict, Lmdb, Rocksdict, Plyvel, Sqlite, Hashrange)}
